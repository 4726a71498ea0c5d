"""SLO305: a budget that is spent too fast, and too slowly for any alert."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from pytest_reliability.contracts import Problem, check
from pytest_reliability.model.duration import spoken
from pytest_reliability.model.graph import Graph
from pytest_reliability.model.nodes import BurnRate, Slo
from pytest_reliability.report import Severity

SUSTAINABLE = Decimal("1.05")
"""A burn rate of 1 spends the budget exactly; people round."""


@check(Slo, code="SLO305", severity=Severity.WARNING, needs=(BurnRate,))
def uncovered_slow_burn(slo: Slo, graph: Graph) -> Iterator[Problem]:
    """Between a burn rate of one and the lowest that any alert is for, a budget is spent and nobody hears of it."""
    rates = graph.burn_rates_of(slo)
    factors = [rate.factor for rate in rates if rate.factor is not None]
    others = {id(link.alert) for link in graph.alerts_for(slo) if not any(rate.at == link.alert.at for rate in rates)}
    if not factors or len(factors) < len(rates) or others or min(factors) <= SUSTAINABLE:
        return
    lowest = min(factors)
    slowest = next(rate for rate in rates if rate.factor == lowest)
    gone = f" in {spoken(slo.window.seconds / float(lowest))} of {slo.window}" if slo.window else ""
    yield Problem(
        slowest.factor_at or slo.at,
        f"SLO {slo.name!r}: no alert fires below a burn rate of {lowest:f}, at which the whole budget is gone{gone}",
        hint="add a ticket for a burn rate of 1 over 3d and 6h",
    )
