"""What to do next: the few steps that are worth most."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from pytest_reliability.model.location import Location
from pytest_reliability.report import CheckInfo, Outcome, Report, Status
from pytest_reliability.reporters._words import rank

STEPS = 3
"""As many as somebody busy takes in."""


class Step(NamedTuple):
    """One thing to do: `more` findings of the same check are mended alike. `at` is None where no single place is to blame."""

    check: CheckInfo
    at: Location | None
    text: str
    more: int = 0


def steps(report: Report) -> tuple[Step, ...]:
    """What stands before the next level, the nearest first; then what could not be judged; then the rest, the worst first."""
    found: dict[str, Step] = {}
    for outcome in _in_order(report):
        found.setdefault(outcome.check.code, _step(outcome))
        if len(found) == STEPS:
            break
    return tuple(found.values())


def _in_order(report: Report) -> Iterator[Outcome]:
    yield from report.standing.blockers
    yield from report.unknown
    failed = (outcome for outcome in report.outcomes if outcome.status is Status.FAILED)
    yield from sorted(failed, key=lambda outcome: (rank(outcome.check.severity), len(outcome.findings), outcome.check.code))


def _step(outcome: Outcome) -> Step:
    findings = sorted(outcome.findings, key=lambda finding: (finding.waiver is not None, finding.at))
    if outcome.status is Status.UNKNOWN or not findings:
        return Step(outcome.check, None, outcome.reason or outcome.check.summary)
    first = findings[0]
    return Step(outcome.check, first.at, first.hint or first.message, len(findings) - 1)
