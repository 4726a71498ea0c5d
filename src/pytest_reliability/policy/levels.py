"""The ladder: bronze *documented*, silver *actionable*, gold *practised*; and how far each responsibility is covered.

Levels are gates, not averages: a level is reached when every check that it requires, and that of every level below, passes or
does not apply. A waiver is not a pass. A level that nothing applied to has not been earned.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from pytest_reliability.model.nodes import Slo
from pytest_reliability.report import Level, Outcome, Responsibility, Standing, Status

UNRATED_ABOVE = 0.3
"""Share of the applicable checks that may be unknown; beyond it there is no level at all."""

_GOOD = (Status.PASSED, Status.NOT_APPLICABLE)


def standing(outcomes: Iterable[Outcome], *, complete: bool = True) -> Standing:
    """Where these outcomes put a service. Not `complete`: checks that a level requires did not run, so there is no level."""
    outcomes = tuple(outcomes)
    applicable = [outcome for outcome in outcomes if outcome.status is not Status.NOT_APPLICABLE]
    unknown = sum(outcome.status is Status.UNKNOWN for outcome in applicable)
    unrated = not complete or unknown > UNRATED_ABOVE * len(applicable)
    reached, next_level, blockers = _climb(outcomes)
    return Standing(
        level=None if unrated else reached,
        unrated=unrated,
        waived=any(outcome.status is Status.WAIVED for outcome in outcomes),
        next_level=next_level,
        blockers=blockers,
        coverage={responsibility: _coverage(outcomes, responsibility) for responsibility in Responsibility},
    )


def tier(declared: str | None, slos: Iterable[Slo]) -> tuple[str | None, str]:
    """The tier and why: as declared, or by the strictest objective (A from 99.9%, B from 99%, C below)."""
    if declared:
        return declared, "as configured"
    objectives = [slo.objective for slo in slos if slo.objective is not None and 0 < slo.objective < 1]
    if not objectives:
        return None, ""
    strictest = max(objectives)
    found = "A" if strictest >= Decimal("0.999") else "B" if strictest >= Decimal("0.99") else "C"
    return found, f"strictest objective {percent(strictest)}"


def percent(ratio: Decimal) -> str:
    """A ratio as people say it: Decimal("0.999") is "99.9%"."""
    return f"{(ratio * 100).normalize():f}%"


def _climb(outcomes: tuple[Outcome, ...]) -> tuple[Level | None, Level | None, tuple[Outcome, ...]]:
    reached = None
    for level in Level:
        required = [outcome for outcome in outcomes if outcome.check.level is level]
        blocking = [outcome for outcome in required if outcome.status not in _GOOD]
        if blocking or all(outcome.status is Status.NOT_APPLICABLE for outcome in required):
            nearest_first = sorted(blocking, key=lambda outcome: (len(outcome.findings), outcome.check.code))
            return reached, level, tuple(nearest_first)
        reached = level
    return reached, None, ()


def _coverage(outcomes: tuple[Outcome, ...], responsibility: Responsibility) -> int | None:
    """Of the checks that apply, the share that passes, in percent; rounded down, so that 100 means all."""
    applicable = [
        outcome.status
        for outcome in outcomes
        if outcome.check.responsibility is responsibility and outcome.status is not Status.NOT_APPLICABLE
    ]
    return 100 * applicable.count(Status.PASSED) // len(applicable) if applicable else None
