"""SLO306: an alert that has to hold for longer than what it looks at."""

from __future__ import annotations

from collections.abc import Iterator

from pytest_reliability.contracts import Problem, check
from pytest_reliability.model.nodes import BurnRate
from pytest_reliability.report import Severity


@check(BurnRate, code="SLO306", severity=Severity.WARNING)
def for_longer_than_window(rate: BurnRate) -> Iterator[Problem]:
    """A window already waits until enough of the budget is gone; an alert that then waits for longer than it comes too late."""
    window = rate.short or rate.long
    if window is None or rate.wait is None or rate.wait.seconds <= window.seconds:
        return
    which = "short window" if rate.short else "window"
    yield Problem(
        rate.at,
        f"{rate.holder} waits for {rate.wait}, longer than its {which} of {window}: a burn that ends sooner is never heard of",
        hint=f"wait for no longer than {window}, or not at all",
    )
