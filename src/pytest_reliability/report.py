"""What came of a review: the vocabulary that every reporter, door and policy shares."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum

from pytest_reliability.model.location import Location
from pytest_reliability.model.nodes import Edit
from pytest_reliability.model.objectives import Objective


class Severity(str, Enum):
    """How bad a finding is. Findings of severity info are looked for only when their check is selected."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"

    def at_least(self, other: Severity) -> bool:
        """Whether this is as bad as `other`, or worse."""
        order = tuple(Severity)
        return order.index(self) <= order.index(other)


class Status(str, Enum):
    """What became of a check. Unknown is not passed: it crashed, or what it needed could not be read."""

    PASSED = "passed"
    FAILED = "failed"
    WAIVED = "waived"
    NOT_APPLICABLE = "not applicable"
    UNKNOWN = "unknown"


class Level(str, Enum):
    """The gates of the ladder: each stands for the checks that must pass, not for an average."""

    BRONZE = "bronze"
    SILVER = "silver"
    GOLD = "gold"


class Responsibility(str, Enum):
    """The eight responsibilities of an SRE team ("Site Reliability Engineering", chapter 1, "Tenets of SRE")."""

    AVAILABILITY = "availability"
    LATENCY = "latency"
    PERFORMANCE = "performance"
    EFFICIENCY = "efficiency"
    CHANGE_MANAGEMENT = "change management"
    MONITORING = "monitoring"
    EMERGENCY_RESPONSE = "emergency response"
    CAPACITY_PLANNING = "capacity planning"


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckInfo:
    """What people know a check by: its code, the name of the bad thing, and what it counts towards.

    `level` is the lowest level that requires it, None where none does; `summary` one sentence on why it matters.
    """

    code: str
    name: str
    severity: Severity
    level: Level | None
    responsibility: Responsibility
    summary: str = ""


@dataclass(frozen=True, slots=True)
class Waiver:
    """Who accepted a finding, and why. `until` is an ISO date, None where no end was set."""

    reason: str
    owner: str | None = None
    until: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A problem, with the check that found it. `source` is the line of the file that it points at, "" where there is none."""

    check: CheckInfo
    at: Location
    message: str
    hint: str = ""
    waiver: Waiver | None = None
    source: str = ""
    edit: Edit | None = None

    @property
    def code(self) -> str:
        """The check's code."""
        return self.check.code

    @property
    def severity(self) -> Severity:
        """The check's severity."""
        return self.check.severity


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What one check came to: `subjects` is how many things it looked at, `reason` says why it is unknown or does not apply."""

    check: CheckInfo
    status: Status
    subjects: int = 0
    findings: tuple[Finding, ...] = ()
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """A latency budget that was measured. Times are in seconds.

    `outcome` is "pass", "fail" or "inconclusive"; `over` of `n` samples were over `limit`. `low` and `high` are the interval of
    the quantile `quantile`, None where n is too small to bound it. `bins` counts the samples in equal steps from `bins_from` to
    `bins_to`.
    """

    name: str
    test: str
    budget: str
    outcome: str
    reason: str
    limit: float
    quantile: float
    n: int
    over: int
    low: float | None = None
    high: float | None = None
    slo: str | None = None
    bins: tuple[int, ...] = ()
    bins_from: float = 0.0
    bins_to: float = 0.0
    evidence: tuple[str, ...] = ()
    """What the host did meanwhile: preempted samples, pressure, whether the guard was on."""
    operation: str = ""
    """What was measured, where the test measures several things: "search", "POST /checkout"."""
    kind: str = "latency"
    """What the budget limits: "latency", "max", "errors", "throughput", "count" or "ratchet"."""
    autocorrelation: float | None = None
    false_alarm: float = 0.0
    """The most that the chance of failing by accident can be, for calls that keep the budget and do not depend on each other."""
    notes: tuple[str, ...] = ()
    """What else is worth knowing, whatever the outcome: late calls, a budget that has become far too loose."""
    profile: tuple[str, ...] = ()
    """Where the time of one extra call went, the most first: "61% db.py:88 fetch_cart"; only on a failure."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where a service stands on the ladder.

    `level` is the level reached, None below bronze; `unrated` where too much is unknown. `next_level` is the one above and
    `blockers` the outcomes that stand between. `coverage` has 0 to 100 for each responsibility, None where nothing applied.
    """

    level: Level | None = None
    unrated: bool = False
    waived: bool = False
    next_level: Level | None = Level.BRONZE
    blockers: tuple[Outcome, ...] = ()
    coverage: Mapping[Responsibility, int | None] = field(default_factory=dict)

    @property
    def label(self) -> str:
        """The level as a badge says it: "bronze", "silver*" where a waiver was needed on the way, "none", "unrated"."""
        if self.unrated:
            return "unrated"
        return (self.level.value if self.level else "none") + ("*" if self.waived else "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Everything a reporter gets. In a repository with several services `parts` has one report for each of them.

    `folder` is where the service lies, relative to the repository's root.

    A `partial` report ran only some of the checks, or looked only at some files: it has findings, but no standing. `objectives`
    are the SLOs with their error budgets.
    """

    service: str
    folder: str = ""
    tier: str | None = None
    tier_reason: str = ""
    outcomes: tuple[Outcome, ...] = ()
    standing: Standing = field(default_factory=Standing)
    measurements: tuple[Measurement, ...] = ()
    objectives: tuple[Objective, ...] = ()
    files: int = 0
    partial: bool = False
    parts: tuple[Report, ...] = ()

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Every finding that nobody has waived, by place."""
        found = (finding for outcome in self.outcomes for finding in outcome.findings if finding.waiver is None)
        return tuple(sorted(found, key=lambda finding: (finding.at, finding.code)))

    @property
    def waived(self) -> tuple[Finding, ...]:
        """Every finding that somebody has waived, by place."""
        found = (finding for outcome in self.outcomes for finding in outcome.findings if finding.waiver is not None)
        return tuple(sorted(found, key=lambda finding: (finding.at, finding.code)))

    @property
    def unknown(self) -> tuple[Outcome, ...]:
        """The checks that could not be judged."""
        return tuple(outcome for outcome in self.outcomes if outcome.status is Status.UNKNOWN)

    def with_measurements(self, measurements: Iterable[Measurement]) -> Report:
        """The same report with what was measured. Each budget counts towards latency's coverage as a check does: only a pass is
        covered.
        """
        measured = tuple(measurements)
        checks = [
            outcome.status is Status.PASSED
            for outcome in self.outcomes
            if outcome.check.responsibility is Responsibility.LATENCY and outcome.status is not Status.NOT_APPLICABLE
        ]
        if not measured:
            return self
        kept = [*checks, *(measurement.outcome == "pass" for measurement in measured)]
        coverage = {**self.standing.coverage, Responsibility.LATENCY: 100 * sum(kept) // len(kept)}
        return replace(self, measurements=measured, standing=replace(self.standing, coverage=coverage))

    def fails(self, at_least: Severity) -> bool:
        """Whether this is a reason to stop: a finding of that severity or worse, a check that is unknown, or a budget that
        failed.
        """
        return (
            bool(self.unknown)
            or any(finding.severity.at_least(at_least) for finding in self.findings)
            or any(measurement.outcome == "fail" for measurement in self.measurements)
        )
