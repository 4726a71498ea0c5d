"""SLO302: a factor that spends another share of the budget than it is meant to."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from pytest_reliability.contracts import Problem, check
from pytest_reliability.model.duration import SECONDS, Duration
from pytest_reliability.model.graph import Graph
from pytest_reliability.model.nodes import BurnRate, Replace, Slo
from pytest_reliability.model.objectives import percent
from pytest_reliability.report import Severity

TOLERANCE = Decimal("0.05")
"""How far off a factor may be: people round."""

USUAL = {
    1 * SECONDS["h"]: Decimal("0.02"),
    6 * SECONDS["h"]: Decimal("0.05"),
    1 * SECONDS["d"]: Decimal("0.1"),
    3 * SECONDS["d"]: Decimal("0.1"),
}
"""Long window → the share of the budget that the workbook's alert spends in it."""

USUAL_PERIODS = (30 * SECONDS["d"], 28 * SECONDS["d"])
"""The periods that tables of factors are printed for."""


@check(BurnRate, code="SLO302", severity=Severity.WARNING)
def wrong_burn_rate_factor(rate: BurnRate, graph: Graph) -> Iterator[Problem]:
    """A factor is only right for one period and one objective; copied to another, the alert comes too late or too often."""
    if rate.factor is None:
        return
    slos = graph.slos_burning(rate)
    if len(slos) == 1 and _differ(rate, slos[0]):
        yield _other_objective(rate, slos[0])
        return
    period = rate.period or _common_window(slos)
    if rate.long is None or rate.long.seconds <= 0 or period is None:
        return
    spent = rate.budget or _copied(rate.factor, rate.long)
    if spent is not None and _off(rate.factor, expected := _factor(spent, period.seconds, rate.long)):
        spends = percent(_short(rate.factor * Decimal(rate.long.seconds) / Decimal(period.seconds)))
        meant = f"{percent(spent)} of it" if rate.budget else f"the usual {percent(spent)}"
        yield Problem(
            rate.factor_at or rate.at,
            f"{rate.holder} fires at {rate.factor:f} times the sustainable burn rate over {rate.long}, "
            f"when {spends} of the budget of {period} is gone, not {meant}",
            hint=f"write {_short(expected):f}: {percent(spent)} × {period} / {rate.long}",
            edit=_edit(rate, expected),
        )


def _factor(spent: Decimal, period: float, long: Duration) -> Decimal:
    return spent * Decimal(period) / Decimal(long.seconds)


def _off(value: Decimal, expected: Decimal) -> bool:
    return abs(value / expected - 1) > TOLERANCE


def _copied(factor: Decimal, long: Duration) -> Decimal | None:
    """The share of the budget that the workbook's table has for this factor and window; None where it has no such line."""
    usual = USUAL.get(long.seconds)
    if usual is None or factor == 1:  # a factor of one means the same for any period
        return None
    return usual if any(not _off(factor, _factor(usual, period, long)) for period in USUAL_PERIODS) else None


def _common_window(slos: tuple[Slo, ...]) -> Duration | None:
    """The window of all of them, as written: one that a tool was run with is not known, only what it is by default."""
    windows = {slo.window.seconds: slo.window for slo in slos if slo.window and slo.window_at}
    return next(iter(windows.values())) if len(windows) == 1 else None


def _differ(rate: BurnRate, slo: Slo) -> bool:
    """Whether the alert computes with another objective than the SLO has."""
    own, promised = rate.objective, slo.objective
    if own is None or promised is None or not (0 < own < 1 and 0 < promised < 1):
        return False
    return _off(1 - own, 1 - promised)


def _other_objective(rate: BurnRate, slo: Slo) -> Problem:
    own, promised, factor = rate.objective or Decimal(0), slo.objective or Decimal(0), rate.factor or Decimal(0)
    return Problem(
        rate.factor_at or rate.at,
        f"{rate.holder} computes with an objective of {percent(own)}, but SLO {slo.name!r} has {percent(promised)}: it fires at "
        f"{_short(factor * (1 - own) / (1 - promised)):f} times the sustainable burn rate, not at {factor:f}",
        hint=f"write {factor:f} * (1 - {promised.normalize():f})",
    )


def _short(value: Decimal) -> Decimal:
    """In three digits, without needless zeros."""
    return value.quantize(Decimal(1).scaleb(value.adjusted() - 2)).normalize()


def _edit(rate: BurnRate, expected: Decimal) -> Replace | None:
    """A factor that stands alone; in an expression it stands more than once."""
    if rate.factor_at is None or rate.holder.startswith("alert '"):
        return None
    return Replace(rate.factor_at, str(rate.factor), f"{_short(expected):f}")
