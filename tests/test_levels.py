"""The ladder and the tiers."""

from __future__ import annotations

from decimal import Decimal

import pytest

from pytest_reliability.model.location import Location
from pytest_reliability.model.nodes import Slo
from pytest_reliability.policy.levels import percent, standing, tier
from pytest_reliability.report import CheckInfo, Finding, Level, Outcome, Responsibility, Severity, Status

PASSED, FAILED, WAIVED, NONE, UNKNOWN = Status.PASSED, Status.FAILED, Status.WAIVED, Status.NOT_APPLICABLE, Status.UNKNOWN
B, S, G = Level.BRONZE, Level.SILVER, Level.GOLD


def outcome(
    status: Status,
    level: Level | None = B,
    responsibility: Responsibility = Responsibility.MONITORING,
    findings: int = 0,
    code: str = "ALR001",
) -> Outcome:
    """An outcome of a check that this level requires."""
    info = CheckInfo(code=code, name="x", severity=Severity.ERROR, level=level, responsibility=responsibility)
    return Outcome(check=info, status=status, findings=(Finding(check=info, at=Location("a"), message="m"),) * findings)


@pytest.mark.parametrize(
    ("outcomes", "reached", "following"),
    [
        ([], None, B),
        ([outcome(PASSED, B)], B, S),
        ([outcome(PASSED, B), outcome(NONE, B)], B, S),
        ([outcome(NONE, B)], None, B),
        ([outcome(FAILED, B)], None, B),
        ([outcome(WAIVED, B)], None, B),
        ([outcome(PASSED, B), outcome(PASSED, S)], S, G),
        ([outcome(FAILED, B), outcome(PASSED, S)], None, B),
        ([outcome(PASSED, B), outcome(FAILED, S), outcome(PASSED, G)], B, S),
        ([outcome(PASSED, B), outcome(PASSED, S), outcome(PASSED, G)], G, None),
        ([outcome(PASSED, B), outcome(FAILED, None)], B, S),
        ([outcome(PASSED, B)] * 9 + [outcome(UNKNOWN, S)], B, S),
    ],
)
def test_levels_are_gates(outcomes, reached, following):
    """Every check that a level requires passes or does not apply, and so on every level below; a waiver is no pass."""
    found = standing(outcomes)
    assert (reached, following) == (found.level, found.next_level)


def test_what_stands_between_is_named_nearest_first():
    """The cheapest step comes first."""
    far, near = outcome(FAILED, S, findings=5, code="RUN001"), outcome(FAILED, S, findings=1, code="SLO001")
    found = standing([outcome(PASSED, B), far, near, outcome(PASSED, S)])
    assert (near, far) == found.blockers


@pytest.mark.parametrize(("unknown", "rated"), [(3, True), (4, False)])
def test_too_much_that_is_unknown_gives_no_level(unknown, rated):
    """Up to 30% of what applies may be unknown."""
    outcomes = [outcome(UNKNOWN, None)] * unknown + [outcome(PASSED, B)] * (10 - unknown) + [outcome(NONE, B)] * 10
    found = standing(outcomes)
    assert (not rated, B if rated else None) == (found.unrated, found.level)


def test_checks_that_did_not_run_give_no_level():
    """A level speaks of everything that it requires."""
    found = standing([outcome(PASSED, B)], complete=False)
    assert (True, None, "unrated") == (found.unrated, found.level, found.label)


@pytest.mark.parametrize(
    ("outcomes", "label"),
    [([outcome(PASSED, B)], "bronze"), ([outcome(FAILED, B)], "none"), ([outcome(PASSED, B), outcome(WAIVED, None)], "bronze*")],
)
def test_the_label_shows_waivers(outcomes, label):
    """Whoever sees the badge sees that something was waived."""
    assert label == standing(outcomes).label


def test_coverage_counts_what_applies():
    """Two of three that apply pass: 66, never rounded up to a hundred; nothing applies: no figure."""
    outcomes = [
        outcome(PASSED),
        outcome(PASSED),
        outcome(FAILED),
        outcome(NONE),
        outcome(PASSED, responsibility=Responsibility.LATENCY),
    ]
    coverage = standing(outcomes).coverage
    assert (66, 100, None) == tuple(
        coverage[key] for key in (Responsibility.MONITORING, Responsibility.LATENCY, Responsibility.AVAILABILITY)
    )
    assert set(Responsibility) == set(coverage)


def slo(objective: str | None) -> Slo:
    """An SLO with this objective."""
    place = Location("slo.yaml")
    return Slo(at=place, name="x", dialect="openslo", objective_at=place, objective=Decimal(objective) if objective else None)


@pytest.mark.parametrize(
    ("declared", "objectives", "expected"),
    [
        ("C", ["0.9999"], ("C", "as configured")),
        (None, ["0.9", "0.999"], ("A", "strictest objective 99.9%")),
        (None, ["0.9989", None], ("B", "strictest objective 99.89%")),
        (None, ["0.99"], ("B", "strictest objective 99%")),
        (None, ["0.989"], ("C", "strictest objective 98.9%")),
        (None, ["1", "0", "99.9"], (None, "")),
        (None, [], (None, "")),
    ],
)
def test_the_tier_follows_the_strictest_objective(declared, objectives, expected):
    """An experiment is not told to reach what a payment service must; an impossible objective says nothing."""
    assert expected == tier(declared, map(slo, objectives))


@pytest.mark.parametrize(
    ("ratio", "text"), [("0.999", "99.9%"), ("0.9990", "99.9%"), ("0.5", "50%"), ("1", "100%"), ("0.99999", "99.999%")]
)
def test_percent(ratio, text):
    """No zeros that nobody wrote, and no exponent."""
    assert text == percent(Decimal(ratio))
