"""SLOs in dialects whose content is not read: known to exist, so that nobody is told that they have none.

Pyrra and Google's slo-generator. Each becomes a `Definition` of an SLO.
"""

from __future__ import annotations

from collections.abc import Iterator

from pytest_reliability.contracts import Format
from pytest_reliability.documents import Source
from pytest_reliability.formats._kubernetes import KIND_IS, metadata, of_group, resources
from pytest_reliability.model.nodes import Definition, Node

KINDS = {
    "ServiceLevelObjective": ("pyrra.dev", "sre.google.com"),
}
"""Kind of a document → the groups of its `apiVersion`."""


def read(source: Source) -> Iterator[Node]:
    """The SLOs in a file."""
    for tree, data in resources(source):
        if of_group(data, *KINDS.get(data["kind"], ())):
            name = metadata(data, "name") or ""
            yield Definition(at=tree.at(data, "kind"), settings=source.settings, kind="SLO", name=name)


FORMAT = Format(
    name="slo in another dialect",
    files=r"\.(?:ya?ml|json)$",
    marker=KIND_IS + rb"ServiceLevelObjective\b",
    yields=(Definition,),
    read=read,
)
