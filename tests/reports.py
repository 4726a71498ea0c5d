"""Reports made by hand, for the tests of reporters: say what matters, the rest is filled in."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from pytest_reliability.model.duration import Duration
from pytest_reliability.model.location import Location
from pytest_reliability.model.objectives import AlertWindow, Objective
from pytest_reliability.report import (
    CheckInfo,
    Finding,
    Level,
    Measurement,
    Outcome,
    Report,
    Responsibility,
    Severity,
    Standing,
    Status,
    Waiver,
)


def check(
    code: str = "ALR002",
    name: str = "missing-runbook",
    *,
    severity: Severity = Severity.ERROR,
    level: Level | None = Level.BRONZE,
    responsibility: Responsibility = Responsibility.MONITORING,
    summary: str = "A page without a runbook costs the night.",
) -> CheckInfo:
    """A check."""
    return CheckInfo(code=code, name=name, severity=severity, level=level, responsibility=responsibility, summary=summary)


def finding(
    of: CheckInfo | None = None,
    *,
    path: str = "alerts/checkout.yaml",
    line: int = 14,
    column: int = 24,
    width: int = 30,
    message: str = "alert 'CheckoutSlow' names a runbook that is not there",
    hint: str = "reliability new runbook CheckoutSlow",
    waiver: Waiver | None = None,
    source: str = "          runbook_url: docs/runbooks/checkout-slow.md",
) -> Finding:
    """A finding, by default of a runbook that is missing."""
    at = Location(path, line, column, width)
    return Finding(check=of or check(), at=at, message=message, hint=hint, waiver=waiver, source=source)


def failed(*findings: Finding, subjects: int | None = None) -> Outcome:
    """What a check came to that found these."""
    subjects = len(findings) if subjects is None else subjects
    return Outcome(check=findings[0].check, status=Status.FAILED, subjects=subjects, findings=findings)


def waived(*findings: Finding) -> Outcome:
    """What a check came to whose findings were all waived."""
    reason = findings[0].waiver.reason if findings[0].waiver else ""
    return Outcome(check=findings[0].check, status=Status.WAIVED, subjects=len(findings), findings=findings, reason=reason)


def passed(of: CheckInfo, subjects: int = 1) -> Outcome:
    """What a check came to that had nothing to say."""
    return Outcome(check=of, status=Status.PASSED, subjects=subjects)


def not_applicable(of: CheckInfo, reason: str = "nothing here to ask it of") -> Outcome:
    """What a check came to that had nothing to look at."""
    return Outcome(check=of, status=Status.NOT_APPLICABLE, reason=reason)


def unknown(of: CheckInfo, reason: str = "could not be read: docs/runbooks/broken.md") -> Outcome:
    """What a check came to that could not be judged."""
    return Outcome(check=of, status=Status.UNKNOWN, subjects=1, reason=reason)


def measurement(
    name: str = "POST /checkout",
    *,
    outcome: str = "pass",
    budget: str = "p99 <= 300 ms",
    reason: str = "",
    limit: float = 0.3,
    quantile: float = 0.99,
    n: int = 345,
    over: int = 0,
    low: float | None = 0.181,
    high: float | None = 0.214,
    slo: str | None = None,
    bins: tuple[int, ...] = (),
    bins_from: float = 0.0,
    bins_to: float = 0.0,
    evidence: tuple[str, ...] = (),
    **others: Any,
) -> Measurement:
    """A latency budget that was measured, by default with room to spare."""
    return Measurement(
        name=name,
        test="tests/test_checkout.py::test_checkout",
        budget=budget,
        outcome=outcome,
        reason=reason,
        limit=limit,
        quantile=quantile,
        n=n,
        over=over,
        low=low,
        high=high,
        slo=slo,
        bins=bins,
        bins_from=bins_from,
        bins_to=bins_to,
        evidence=evidence,
        **others,
    )


PAGE = AlertWindow(factor=Decimal("14.4"), long=Duration(3600.0, "1h"), short=Duration(300.0, "5m"), severity="page", pages=True)
"""The usual alert on a fast burn."""


def objective(
    name: str = "checkout-availability", *, objective: str | None = "0.999", window: str | None = "30d", **others: Any
) -> Objective:
    """An SLO as a report tells of it."""
    return Objective(
        at=Location("slo/checkout.yaml", 5, 9),
        name=name,
        service="checkout",
        dialect="sloth",
        objective=Decimal(objective) if objective else None,
        window=Duration.parse(window) if window else None,
        **others,
    )


def report(
    *outcomes: Outcome,
    service: str = "checkout",
    standing: Standing | None = None,
    tier: str | None = None,
    tier_reason: str = "",
    measurements: Iterable[Measurement] = (),
    objectives: Iterable[Objective] = (),
    partial: bool = False,
    parts: Iterable[Report] = (),
) -> Report:
    """A report on these outcomes."""
    return Report(
        service=service,
        tier=tier,
        tier_reason=tier_reason,
        outcomes=outcomes,
        standing=standing or Standing(),
        measurements=tuple(measurements),
        objectives=tuple(objectives),
        partial=partial,
        parts=tuple(parts),
    )


RUNBOOK_OWNER = check("RUN010", "runbook-without-owner", level=Level.SILVER, responsibility=Responsibility.EMERGENCY_RESPONSE)
DUE_DATE = check(
    "PM022",
    "action-without-due-date",
    severity=Severity.WARNING,
    level=Level.SILVER,
    responsibility=Responsibility.EMERGENCY_RESPONSE,
)
REPLICA = check("CAP002", "single-replica", severity=Severity.WARNING, responsibility=Responsibility.CAPACITY_PLANNING)
SUMMARY = check("ALR006", "alert-without-summary", severity=Severity.WARNING)
LINK = check("RUN020", "dead-link")
DRILL = check("RUN042", "runbook-never-drilled", severity=Severity.WARNING, level=Level.GOLD)
SIX_WEEKS = Waiver("one node is enough in staging", owner="payments", until="2026-12-01")


def full() -> Report:
    """A report that has one of everything."""
    owner = failed(
        finding(
            RUNBOOK_OWNER,
            path="docs/runbooks/checkout-latency.md",
            line=1,
            column=1,
            width=0,
            message="runbook 'Checkout is slow' has no owner",
            hint="add to its front matter, owner: payments",
            source="# Checkout is slow",
        ),
        subjects=4,
    )
    due = failed(
        *(
            finding(
                DUE_DATE,
                path="docs/postmortems/2026-10-03.md",
                line=line,
                column=3,
                width=12,
                message=f"action item {text!r} has no due date",
                hint="add a due date, such as 2026-12-24",
                source=f"- {text} (@hana)",
            )
            for line, text in ((41, "Add a canary"), (42, "タイムアウトを短くする"))
        ),
        subjects=5,
    )
    missing = failed(finding())
    replica = waived(
        finding(
            REPLICA,
            path="deploy/checkout.yaml",
            line=9,
            column=13,
            width=1,
            message="workload 'checkout' runs 1 replica, expected at least 2",
            hint="replicas: 2",
            waiver=SIX_WEEKS,
            source="  replicas: 1",
        ),
    )
    summary = passed(SUMMARY, 7)
    link = unknown(LINK)
    drill = not_applicable(DRILL)
    coverage = dict(zip(Responsibility, (100, 83, 100, None, 50, 92, 75, 0), strict=True))
    return report(
        owner,
        due,
        missing,
        replica,
        summary,
        link,
        drill,
        standing=Standing(level=Level.BRONZE, next_level=Level.SILVER, waived=True, blockers=(owner, due), coverage=coverage),
        tier="B",
        tier_reason="strictest objective 99.9%",
        measurements=(
            measurement(slo="checkout-latency", bins=(1, 3, 7, 20, 17, 7, 5, 3, 1, 1, 0, 1), bins_from=0.11, bins_to=0.26),
            measurement(
                "search",
                outcome="inconclusive",
                budget="p95 <= 50 ms",
                limit=0.05,
                quantile=0.95,
                n=120,
                low=None,
                high=0.078,
                reason="120 samples were not enough to tell",
                evidence=("31% of the samples were preempted",),
            ),
            measurement(
                "POST /cart",
                outcome="fail",
                budget="p95 <= 50 ms",
                limit=0.05,
                quantile=0.95,
                n=102,
                over=19,
                low=0.0571,
                high=0.066,
                reason="19 of 102 over (14 would do), confirmed in a fresh batch of 68",
                bins=(1, 4, 9, 16, 14, 12, 9, 8, 6, 4, 3, 2, 1, 2, 2, 1),
                bins_from=0.02,
                bins_to=0.084,
                evidence=("host quiet: 0.4% preempted", "no pressure"),
                operation="POST /cart",
                false_alarm=0.0005,
                autocorrelation=0.12,
                profile=("61% db.py:88 fetch_cart", "22% json/encoder.py:205 encode"),
                notes=("2 of 104 calls could not start in time",),
            ),
        ),
        objectives=(
            objective(alerts=(PAGE,), request_rate=10.0),
            objective("checkout-latency", objective=None, unread=("CheckoutSlow",)),
        ),
    )
