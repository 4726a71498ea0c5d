"""SLO303: an alert that waits for more errors than there can be."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import ROUND_DOWN, ROUND_UP, Decimal

from pytest_reliability.contracts import Problem, check
from pytest_reliability.model.graph import Graph
from pytest_reliability.model.nodes import BurnRate, Slo
from pytest_reliability.model.objectives import meant_objective, percent
from pytest_reliability.report import Level


@check(BurnRate, code="SLO303", level=Level.BRONZE)
def unreachable_alert(rate: BurnRate, graph: Graph) -> Iterator[Problem]:
    """At a modest objective a high burn rate means more than 100% of errors: the alert that should wake somebody never fires."""
    if rate.factor is None:
        return
    slos = graph.slos_burning(rate)
    if rate.objective is not None:
        yield from _never(rate, rate.factor, rate.objective, slos[0] if len(slos) == 1 else None, "")
        return
    for slo in slos:
        if slo.objective is not None:
            whose = "" if repr(slo.name) in rate.holder else f" of SLO {slo.name!r}"
            yield from _never(rate, rate.factor, slo.objective, slo, whose)


def _never(rate: BurnRate, factor: Decimal, objective: Decimal, slo: Slo | None, whose: str) -> Iterator[Problem]:
    if slo and slo.objective == objective and meant_objective(objective, slo.objective_unit) is not None:
        return  # that is said of the objective, and this is what it comes to
    needed = factor * (1 - objective)
    if not 0 < objective < 1 or needed < 1 or (needed == 1 and rate.inclusive):
        return
    over = f" over {rate.long}" if rate.long else ""
    message = (
        f"{rate.holder} can never fire{over}: {factor:f} times the burn rate that an objective of {percent(objective)}{whose} "
        f"allows is {percent(needed)} of errors"
    )
    if rate.factor_at is not None:
        outage = (1 / (1 - objective)).quantize(Decimal("0.1"), rounding=ROUND_DOWN).normalize()
        hint = f"write a factor below {outage:f}, which is a complete outage, and a longer window"
        yield Problem(rate.factor_at, message, hint)
        return
    least = (1 - 1 / factor).quantize(Decimal("0.001"), rounding=ROUND_UP)
    own = f", or alerts of your own: reliability generate rules {rate.at.path}" if slo else ""
    yield Problem(slo.objective_at if slo else rate.at, message, f"it takes an objective of at least {percent(least)}{own}")
