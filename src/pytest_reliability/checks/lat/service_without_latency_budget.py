"""LAT001: a service that may grow as slow as it likes."""

from __future__ import annotations

from collections.abc import Iterator

from pytest_reliability.contracts import Problem, check
from pytest_reliability.model.graph import Graph
from pytest_reliability.model.nodes import LatencyBudget, LoadTest, Service, Slo
from pytest_reliability.report import Level


@check(Service, code="LAT001", level=Level.SILVER, needs=(LatencyBudget, LoadTest))
def service_without_latency_budget(service: Service, graph: Graph) -> Iterator[Problem]:
    """A service that no test holds to a latency grows slower with every change, and its users are the first to notice."""
    limits: list[LatencyBudget | LoadTest] = [*graph.of(LatencyBudget), *graph.of(LoadTest)]
    if _has_routes(service) or any(limit.limits_latency and _may_hold(limit, service, graph) for limit in limits):
        return
    yield Problem(
        service.at,
        f"service {service.name!r} has no latency budget: no test is marked with one, and no load test has thresholds for it",
        hint=_hint(service, graph),
    )


def _has_routes(service: Service) -> bool:
    """Whether its configuration limits how long requests to some route may take."""
    return any(set(route.limits) - {"errors"} for route in service.settings.latency.routes)


def _may_hold(limit: LatencyBudget | LoadTest, service: Service, graph: Graph) -> bool:
    """Whether a limit is for this service: by its folder, by the SLO that it names, or because services share it."""
    if graph.service_of(limit) in (service, None):
        return True
    link = graph.slo_of(limit) if isinstance(limit, LatencyBudget) else None
    return link is not None and link.slo is not None and graph.service_of(link.slo) is service


def _hint(service: Service, graph: Graph) -> str:
    """What to type: in a test where the service has Python, in a load test elsewhere."""
    inside = f"{service.root}/" if service.root else ""
    if not any(path.endswith(".py") and path.startswith(inside) for path in graph.files):
        return "add thresholds to a load test, in k6 for example: thresholds: { http_req_duration: ['p(95)<300'] }"
    promised = next((slo for slo in graph.within(service, Slo) if slo.latency), None)
    limit = f'slo="{promised.name}"' if promised else 'p95="300ms"'
    return f"mark a test with @pytest.mark.latency_budget({limit}), and make its call through the fixture latency"
