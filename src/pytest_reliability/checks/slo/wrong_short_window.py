"""SLO304: a short window that is no help to the long one."""

from __future__ import annotations

from collections.abc import Iterator

from pytest_reliability.contracts import Problem, check
from pytest_reliability.model.duration import SECONDS
from pytest_reliability.model.nodes import BurnRate
from pytest_reliability.report import Severity

LEAST, MOST = 4, 16
"""How many times the short window may fit into the long one. Twelve times is usual; Pyrra has one pair of sixteen."""


@check(BurnRate, code="SLO304", severity=Severity.WARNING)
def wrong_short_window(rate: BurnRate) -> Iterator[Problem]:
    """The short window ends an alert soon after the burning ends; nearly as long as the long one, or tiny, it does not."""
    if rate.long is None or rate.short is None or min(rate.long.seconds, rate.short.seconds) <= 0:
        return
    times = rate.long.seconds / rate.short.seconds
    if LEAST <= times <= MOST:
        return
    if times <= 1:
        effect = "it never ends the alert any sooner"
    elif times < LEAST:
        effect = "the alert goes on for long after the burning has ended"
    else:
        effect = "a few moments without errors end the alert while the budget burns"
    yield Problem(
        rate.factor_at or rate.at,
        f"{rate.holder} looks back over {rate.long} and {rate.short}, 1:{times:.3g} instead of about 1:12, so that {effect}",
        hint=f"use a short window of {_twelfth(rate.long.seconds)}",
    )


def _twelfth(seconds: float) -> str:
    """A twelfth of a window as people would write it."""
    minutes = max(1, round(seconds / 12 / SECONDS["m"]))
    return f"{minutes // 60}h" if minutes % 60 == 0 else f"{minutes}m"
