"""SLO303: an alert that waits for more errors than there can be."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from pytest_reliability.contracts import Problem, check
from pytest_reliability.model.graph import Graph
from pytest_reliability.model.location import Location
from pytest_reliability.model.nodes import BurnRate
from pytest_reliability.model.objectives import percent
from pytest_reliability.report import Level


@check(BurnRate, code="SLO303", level=Level.BRONZE)
def unreachable_alert(rate: BurnRate, graph: Graph) -> Iterator[Problem]:
    """At a modest objective a high burn rate means more than 100% of errors: the alert that should wake somebody never fires."""
    if rate.factor is None:
        return
    if rate.objective is not None:
        yield from _never(rate, rate.objective, rate.factor_at or rate.at, "")
        return
    for slo in graph.slos_burning(rate):
        if slo.objective is not None:
            yield from _never(rate, slo.objective, rate.factor_at or slo.objective_at, f" of SLO {slo.name!r}")


def _never(rate: BurnRate, objective: Decimal, at: Location, whose: str) -> Iterator[Problem]:
    factor = rate.factor or Decimal(0)
    needed = factor * (1 - objective)
    if not 0 < objective < 1 or needed < 1 or (needed == 1 and rate.inclusive):
        return
    over = f" over {rate.long}" if rate.long else ""
    yield Problem(
        at,
        f"{rate.holder} can never fire: {factor:f} times the burn rate that an objective of {percent(objective)}{whose} allows"
        f"{over} is {percent(needed)} of errors",
        hint=f"write a factor below {_limit(objective)}, which is a complete outage, and a longer window",
    )


def _limit(objective: Decimal) -> str:
    """The burn rate of a complete outage, rounded down."""
    return f"{(1 / (1 - objective)).quantize(Decimal('0.1'), rounding='ROUND_DOWN').normalize():f}"
