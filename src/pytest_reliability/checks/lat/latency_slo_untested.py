"""LAT101: a promise about latency that no test holds anybody to."""

from __future__ import annotations

from collections.abc import Iterator

from pytest_reliability.contracts import Problem, check
from pytest_reliability.model.graph import Graph
from pytest_reliability.model.nodes import LatencyBudget, LoadTest, Service, Slo
from pytest_reliability.report import Level, Severity


@check(Slo, code="LAT101", severity=Severity.WARNING, level=Level.SILVER, needs=(LatencyBudget, LoadTest))
def latency_slo_untested(slo: Slo, graph: Graph) -> Iterator[Problem]:
    """A promise that no test knows of is broken by a change that looks harmless, and production is the first to notice."""
    if slo.latency is None or slo.objective is None or not 0 < slo.objective < 1:
        return
    if not _has_python(slo, graph) or _in_load_test(slo, graph) or _in_route(slo, graph) or _in_test(slo, graph):
        return
    yield Problem(
        slo.at,
        f"no test holds SLO {slo.name!r} to its {slo.latency}",
        hint=f'mark one with @pytest.mark.latency_budget(slo="{slo.name}"), and make its call through the fixture latency',
    )


def _has_python(slo: Slo, graph: Graph) -> bool:
    """Whether the service has any code that pytest could call; SLOs are often kept apart from it."""
    service = graph.service_of(slo)
    inside = f"{service.root}/" if service and service.root else ""
    return any(path.endswith(".py") and path.startswith(inside) for path in graph.files)


def _in_load_test(slo: Slo, graph: Graph) -> bool:
    """Whether a load test may do it: none of them can name an SLO."""
    return any(test.limits_latency and graph.service_of(test) in (graph.service_of(slo), None) for test in graph.of(LoadTest))


def _in_route(slo: Slo, graph: Graph) -> bool:
    routes = (route for service in graph.of(Service) for route in service.settings.latency.routes)
    return any(route.limits.get("slo") in _names(slo, graph) for route in routes)


def _in_test(slo: Slo, graph: Graph) -> bool:
    """Whether a budget refers to it, or to several of that name."""
    named = (budget for budget in graph.of(LatencyBudget) if budget.slo in _names(slo, graph))
    links = (graph.slo_of(budget) for budget in named)
    return any(link is not None and any(one is slo for one in link.candidates) and link.status != "missing" for link in links)


def _names(slo: Slo, graph: Graph) -> tuple[str, ...]:
    """What a test may call it by."""
    service = graph.service_of(slo)
    return (slo.name, slo.full_name, *((f"{service.name}/{slo.name}",) if service else ()))
