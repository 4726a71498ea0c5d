"""SLO001: a service that promises nothing."""

from __future__ import annotations

from collections.abc import Iterator

from pytest_reliability.contracts import Problem, check
from pytest_reliability.model.graph import Graph
from pytest_reliability.model.nodes import Definition, Service, Slo
from pytest_reliability.report import Level


@check(Service, code="SLO001", level=Level.BRONZE, needs=(Slo,))
def service_without_slo(service: Service, graph: Graph) -> Iterator[Problem]:
    """Without an SLO nobody can say whether a service is reliable enough, and every outage is a matter of opinion."""
    if graph.within(service, Slo):
        return
    # An SLO in a version of its format that is not read is still an SLO.
    if any(node.kind == "SLO" for node in graph.within(service, Definition)):
        return
    yield Problem(
        service.at,
        f"service {service.name!r} has no SLO",
        hint="write one, for example slo/availability.yaml; one to begin with: reliability explain SLO001",
    )
