"""SLO401: a promise that nobody keeps."""

from __future__ import annotations

from collections.abc import Iterator

from pytest_reliability.contracts import Problem, check
from pytest_reliability.model.graph import Graph
from pytest_reliability.model.links import owner_of
from pytest_reliability.model.nodes import Component, Ownership, Slo
from pytest_reliability.report import Level, Severity

PLACES = {
    "sloth": "labels.owner: <team>",
    "nobl9": "metadata.labels.owner: [<team>]",
    "datadog": "the tag owner:<team>",
}
"""Where each dialect has room for one; the others have it in their labels."""


@check(Slo, code="SLO401", severity=Severity.WARNING, level=Level.BRONZE, needs=(Ownership, Component))
def slo_without_owner(slo: Slo, graph: Graph) -> Iterator[Problem]:
    """When a budget is spent somebody has to decide what to do about it; an SLO without an owner is only a graph."""
    if owner_of(graph, slo) or _in_catalogue(slo, graph) or any(rules.owners_of(slo.at.path) for rules in graph.of(Ownership)):
        return
    line = f"a line for {slo.at.path} to CODEOWNERS"
    if slo.dialect != "keptn":  # what stands in its filter goes into the queries
        line = f"{PLACES.get(slo.dialect, 'metadata.labels.owner: <team>')}, or {line}"
    yield Problem(slo.at, f"SLO {slo.name!r} has no owner", hint=f"add {line}")


def _in_catalogue(slo: Slo, graph: Graph) -> bool:
    """Whether the catalogue has an owner for the service that the SLO belongs to."""
    service = graph.service_of(slo)
    names = {slo.service} | ({service.name} if service else set())
    return any(component.owner and component.name in names for component in graph.of(Component))
