"""SLO403: an objective that nobody sees."""

from __future__ import annotations

from collections.abc import Iterator

from pytest_reliability.contracts import Problem, check
from pytest_reliability.model.graph import Graph
from pytest_reliability.model.links import dashboard_of
from pytest_reliability.model.nodes import Alert, Dashboard, Slo
from pytest_reliability.report import Level, Severity


@check(Slo, code="SLO403", severity=Severity.INFO, level=Level.GOLD, needs=(Alert, Dashboard))
def slo_without_dashboard(slo: Slo, graph: Graph) -> Iterator[Problem]:
    """A budget that people see every day is a part of their decisions; one that they would have to ask for is not."""
    if slo.dialect != "keptn" and dashboard_of(graph, slo) is None:
        where = "labels" if slo.dialect == "sloth" else "metadata.annotations"
        yield Problem(slo.at, f"no dashboard shows SLO {slo.name!r}", hint=f"add {where}.dashboard: <its address>")
