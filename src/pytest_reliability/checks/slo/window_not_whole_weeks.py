"""SLO108: a window that holds now four weekends and now five."""

from __future__ import annotations

from collections.abc import Iterator

from pytest_reliability.contracts import Problem, check
from pytest_reliability.model.duration import Duration
from pytest_reliability.model.location import Location
from pytest_reliability.model.nodes import Replace, Slo
from pytest_reliability.report import Severity

WEEK = 604800.0
FIXED = ("datadog",)
"""Dialects that have only certain windows."""


@check(Slo, code="SLO108", severity=Severity.INFO)
def window_not_whole_weeks(slo: Slo) -> Iterator[Problem]:
    """Weekends differ from weekdays: only a window of whole weeks always holds as many of them, and compares with the last."""
    if slo.window is None or slo.window_at is None or not slo.rolling or slo.dialect in FIXED:
        return
    weeks = slo.window.seconds / WEEK
    if weeks > 0 and weeks == int(weeks):
        return
    better = f"{max(1, round(weeks)) * 7}d"
    yield Problem(
        slo.window_at,
        f"window of SLO {slo.name!r} is {slo.window}, which is no number of whole weeks",
        hint=f"make it {better}",
        edit=Replace(slo.window_at, slo.window.text, better) if _is_one_text(slo.window_at, slo.window) else None,
    )


def _is_one_text(at: Location, window: Duration) -> bool:
    """Whether the window is written as it is called; in some dialects its number stands apart from its unit."""
    return at.width >= len(window.text)
