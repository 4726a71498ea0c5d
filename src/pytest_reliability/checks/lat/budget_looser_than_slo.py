"""LAT102: a test that allows what the SLO forbids."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction

from pytest_reliability.contracts import Problem, check
from pytest_reliability.model.duration import Duration
from pytest_reliability.model.graph import Graph
from pytest_reliability.model.limits import quantile
from pytest_reliability.model.nodes import LatencyBudget
from pytest_reliability.model.objectives import percent
from pytest_reliability.report import Level


@check(LatencyBudget, code="LAT102", level=Level.SILVER)
def budget_looser_than_slo(budget: LatencyBudget, graph: Graph) -> Iterator[Problem]:
    """A limit in a test that is looser than the promise says yes to changes that break the promise."""
    link = graph.slo_of(budget)
    slo = link.slo if link else None
    if slo is None or slo.latency is None or slo.objective is None or not 0 < slo.objective < 1:
        return
    share = Fraction(slo.objective)
    limits = dict(_limits(budget.limits))
    if any(quota >= share and limit.seconds <= slo.latency.seconds for quota, limit in limits.values()):
        return
    for name, (quota, limit) in limits.items():
        if quota <= share and limit.seconds > slo.latency.seconds:
            promised = f"{percent(slo.objective)} within {slo.latency}"
            yield Problem(
                budget.at,
                f"{budget.test} allows {name} of {limit}, but SLO {slo.name!r} promises {promised} ({slo.at.path}:{slo.at.line})",
                hint=f"leave {name} out: slo={budget.slo!r} limits it already",
            )


def _limits(limits: Mapping[str, str]) -> Iterator[tuple[str, tuple[Fraction, Duration]]]:
    """The limits on time, each with its name and the share of calls that it is for."""
    for name, text in limits.items():
        share = quantile(name)
        try:
            limit = Duration.parse(text)
        except ValueError:
            continue
        if share is not None:
            yield name, (share, limit)
