"""RUN001: a service that nobody has written down how to operate."""

from __future__ import annotations

from collections.abc import Iterator

from pytest_reliability.contracts import Problem, check
from pytest_reliability.model.graph import Graph
from pytest_reliability.model.nodes import Alert, Runbook, Service
from pytest_reliability.report import Level


@check(Service, code="RUN001", level=Level.BRONZE, needs=(Runbook,))
def service_without_runbook(service: Service, graph: Graph) -> Iterator[Problem]:
    """Without a runbook every incident is the first of its kind."""
    if graph.within(service, Runbook) or any(_elsewhere(alert, graph) for alert in graph.within(service, Alert)):
        return
    path = f"{service.root}/docs/runbooks/{service.name}-is-down.md".lstrip("/")
    yield Problem(
        service.at,
        f"service {service.name!r} has no runbook",
        hint=f"write one, for example {path}; one to begin with: reliability explain RUN001",
    )


def _elsewhere(alert: Alert, graph: Graph) -> bool:
    """Whether the alert's runbook is kept somewhere else, in a wiki for instance."""
    link = graph.runbook_for(alert)
    return link is not None and link.status == "outside"
