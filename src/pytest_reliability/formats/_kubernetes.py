"""Kubernetes resources: where they stand in a file, and what is common to all of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pytest_reliability.documents import Source, Tree
from pytest_reliability.shape import ANYTHING, STRING, Fields, Shape

KIND_IS = rb"kind[\"']?[ \t]*:[ \t]*[\"']?"
"""What stands before the kind of a resource; a marker that begins with plain letters is looked for several times faster."""

METADATA = Fields("metadata", {"name": STRING, "namespace": STRING}, open=True)


def resources(source: Source) -> Iterator[tuple[Tree, dict[str, Any]]]:
    """Every resource of a file with the document that it is in; those of a `List` one by one."""
    for tree in source.trees:
        waiting = [tree.data]
        while waiting:
            data = waiting.pop(0)
            if not isinstance(data, dict) or not isinstance(data.get("kind"), str):
                continue
            if data["kind"].endswith("List") and isinstance(data.get("items"), list):
                waiting = [*data["items"], *waiting]
            else:
                yield tree, data


def resource_shape(what: str, spec: Shape) -> Fields:
    """The shape of a resource with that `spec`."""
    known: dict[str, Shape] = {"apiVersion": ANYTHING, "kind": ANYTHING, "metadata": METADATA, "spec": spec, "status": ANYTHING}
    return Fields(what, known, required=("spec",))


def of_group(data: dict[str, Any], *groups: str) -> bool:
    """Whether the resource's `apiVersion` is of one of these groups."""
    return str(data.get("apiVersion")).partition("/")[0] in groups


def metadata(data: dict[str, Any], key: str) -> str | None:
    """A text of the resource's metadata."""
    values = data.get("metadata")
    value = values.get(key) if isinstance(values, dict) else None
    return value if isinstance(value, str) else None
