"""Which windows and burn rates alerts look at: the table of the workbook, scaled to the period of an SLO.

"The Site Reliability Workbook", chapter 5, "Alerting on SLOs": page when 2% of a month's budget are gone within an hour or 5%
within six, open a ticket when 10% are gone within one day or three.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import ROUND_DOWN, Context, Decimal

from pytest_reliability.generate.templates import NoRulesError
from pytest_reliability.model.nodes import BurnRate

MINUTE, HOUR, DAY, WEEK = 60, 3600, 86400, 604800

NOMINAL = 30 * DAY
TABLE = (("page", "0.02", HOUR), ("page", "0.05", 6 * HOUR), ("ticket", "0.1", DAY), ("ticket", "0.1", 3 * DAY))
"""Severity, the share of the error budget, and the long window in which it goes, for a period of 30 days."""

LENGTHS = tuple(
    [MINUTE * n for n in (1, 2, 3, 5, 10, 15, 20, 30, 45, 90)]
    + [HOUR * n for n in (1, 2, 3, 4, 6, 8, 12, 18, 36)]
    + [DAY * n for n in (1, 2, 3, 4, 5, 6, 7, 9, 14, 21, 28)]
)
"""Windows that people can say."""

FOUR_FIGURES = Context(prec=4)

REACHABLE = Decimal("0.75")
"""A burn rate above this share of the highest possible one is not asked for: an alert must go off while a few still succeed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BurnAlert:
    """Fires while the burn rate is above `factor` over the last `long` and the last `short` seconds."""

    severity: str
    factor: Decimal
    long: int
    short: int

    def share(self, period: float) -> Decimal:
        """Which share of the period's error budget is gone when it fires."""
        return self.factor * self.long / Decimal(period)


def burn_alerts(objective: Decimal, period: float, scrape: float = 30.0) -> tuple[BurnAlert, ...]:
    """The table of the workbook for a `period` in seconds, where metrics come every `scrape` seconds.

    Windows grow and shrink with the period, and burn rates make up for their round figures, so that the same share of the
    budget is gone: share × period / window. Those that cannot be reached, because more than everything would have to fail,
    are lowered.
    """
    highest = REACHABLE / (1 - objective)
    shortest = _nearest(4 * scrape, at_least=4 * scrape)
    found: dict[tuple[str, int], BurnAlert] = {}
    for severity, share, nominal in TABLE:
        long = _nearest(nominal * period / NOMINAL, at_least=6 * shortest)
        short = _nearest(long / 12, at_least=shortest)
        factor = (Decimal(share) * Decimal(period) / long).normalize(FOUR_FIGURES)
        possible = min(factor, _rounded_down(highest))
        found[severity, long] = BurnAlert(severity=severity, factor=possible, long=long, short=short)  # the lower rate stays
    return tuple(found.values())


def custom_alerts(rates: Iterable[BurnRate], period: float) -> tuple[BurnAlert, ...]:
    """The windows that a file of Sloth's `AlertWindows` gives for a period. Raises NoRulesError where it gives none."""
    found = []
    for rate in rates:
        if rate.period and rate.period.seconds == period and rate.budget and rate.long and rate.short:
            factor = rate.budget * Decimal(period) / Decimal(rate.long.seconds)
            long, short = int(rate.long.seconds), int(rate.short.seconds)
            found.append(BurnAlert(severity=rate.severity, factor=factor.normalize(), long=long, short=short))
    if not found:
        raise NoRulesError(f"there are no alert windows for a period of {spelled(int(period))}")
    return tuple(found)


def _nearest(seconds: float, *, at_least: float) -> int:
    """The length that people can say which differs least, as a proportion."""
    fitting = [length for length in LENGTHS if length >= at_least] or [LENGTHS[-1]]
    return min(fitting, key=lambda length: max(length / seconds, seconds / length))


def _rounded_down(number: Decimal) -> Decimal:
    """Two figures are enough for a burn rate."""
    return number.quantize(Decimal(1).scaleb(number.adjusted() - 1), rounding=ROUND_DOWN).normalize()


def spelled(seconds: int, *, weeks: bool = False) -> str:
    """The length as Prometheus spells it: "1h30m", "30d". `weeks`: whole weeks and years as such, as Prometheus prints them."""
    for unit, length in (("y", 365 * DAY), ("w", WEEK)) if weeks else ():
        if seconds and seconds % length == 0:
            return f"{seconds // length}{unit}"
    text = ""
    for unit, length in (("d", DAY), ("h", HOUR), ("m", MINUTE), ("s", 1)):
        count, seconds = divmod(seconds, length)
        text += f"{count}{unit}" if count else ""
    return text or "0s"
