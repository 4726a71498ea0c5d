"""MON001: a service that nobody watches."""

from __future__ import annotations

from collections.abc import Iterator

from pytest_reliability.contracts import Problem, check
from pytest_reliability.model.graph import Graph
from pytest_reliability.model.nodes import Alert, Dashboard, Monitor, Node, Rule, Service, Slo
from pytest_reliability.report import Level


@check(Service, code="MON001", level=Level.BRONZE, needs=(Alert, Dashboard, Monitor))
def service_without_monitoring(service: Service, graph: Graph) -> Iterator[Problem]:
    """A service without monitoring is watched by its users, who notice an outage first and know least about it."""
    if any(graph.within(service, kind) for kind in (Rule, Dashboard, Monitor)):
        return
    if any(_is_watched(slo) for slo in graph.within(service, Slo)):
        return
    if any(_is_about(service.name, node) for kind in (Rule, Dashboard, Monitor) for node in graph.of(kind)):
        return
    yield Problem(
        service.at,
        f"service {service.name!r} has no monitoring: no Prometheus rule, no dashboard and no monitor",
        hint="begin with one alert on what users notice, for example in alerts/availability.yaml",
    )


def _is_watched(slo: Slo) -> bool:
    """Whether an SLO brings alerts with it, or shows that another system than Prometheus does the monitoring."""
    return bool(slo.alert_names) or any(query.language != "promql" for query in slo.queries)


def _is_about(name: str, node: Node) -> bool:
    """Whether something that belongs to no other service names this one: its monitoring may live in a shared folder."""
    if isinstance(node, Rule):
        return name in node.expr or name in node.labels.values()
    return name in (node.title if isinstance(node, Dashboard) else node.name if isinstance(node, Monitor) else "")
