"""The report for programs: stable JSON, described in `docs/json.md` and `docs/report.schema.json`."""

from __future__ import annotations

import math
from typing import Any

from pytest_reliability.contracts import Canvas, Reporter
from pytest_reliability.report import Finding, Measurement, Outcome, Report, Waiver

SCHEMA = 1
"""The version of the shape: it changes only if a field ever loses its meaning."""


def render(report: Report, canvas: Canvas) -> str:
    """The report as JSON, in an order that does not depend on how it was made."""
    import json

    text = json.dumps({"schema": SCHEMA, **_service(report)}, indent=2, ensure_ascii=False, allow_nan=False)
    return text.encode("utf-8", "replace").decode("utf-8") + "\n"  # a file's name need not be valid text


def _service(report: Report) -> dict[str, Any]:
    standing = report.standing
    told = {
        "service": report.service,
        "level": "unrated" if standing.unrated else standing.level.value if standing.level else "none",
        "waived": standing.waived,
        "next_level": standing.next_level.value if standing.next_level else None,
        "blockers": [outcome.check.code for outcome in standing.blockers],
        "tier": report.tier,
        "tier_reason": report.tier_reason,
        "partial": report.partial,
        "files": report.files,
        "coverage": {responsibility.value: value for responsibility, value in standing.coverage.items()},
        "outcomes": [_outcome(outcome) for outcome in sorted(report.outcomes, key=lambda outcome: outcome.check.code)],
        "measurements": [_measurement(measurement) for measurement in report.measurements],
    }
    return {**told, "services": [_service(part) for part in report.parts]} if report.parts else told


def _outcome(outcome: Outcome) -> dict[str, Any]:
    check = outcome.check
    return {
        "code": check.code,
        "name": check.name,
        "status": outcome.status.value,
        "severity": check.severity.value,
        "subjects": outcome.subjects,
        "responsibility": check.responsibility.value,
        "level": check.level.value if check.level else None,
        "summary": check.summary,
        "reason": outcome.reason,
        "findings": [
            _finding(finding) for finding in sorted(outcome.findings, key=lambda finding: (finding.at, finding.message))
        ],
    }


def _finding(finding: Finding) -> dict[str, Any]:
    return {
        "path": finding.at.path,
        "line": finding.at.line,
        "column": finding.at.column,
        "width": finding.at.width,
        "message": finding.message,
        "hint": finding.hint,
        "waiver": _waiver(finding.waiver) if finding.waiver else None,
    }


def _waiver(waiver: Waiver) -> dict[str, Any]:
    return {"reason": waiver.reason, "owner": waiver.owner, "until": waiver.until}


def _measurement(measurement: Measurement) -> dict[str, Any]:
    return {
        "name": measurement.name,
        "operation": measurement.operation,
        "test": measurement.test,
        "kind": measurement.kind,
        "budget": measurement.budget,
        "outcome": measurement.outcome,
        "reason": measurement.reason,
        "limit": None if measurement.kind == "errors" else _seconds(measurement.limit),
        "quantile": measurement.quantile,
        "n": measurement.n,
        "over": measurement.over,
        "low": _seconds(measurement.low),
        "high": _seconds(measurement.high),
        "slo": measurement.slo,
        "bins": list(measurement.bins),
        "bins_from": measurement.bins_from,
        "bins_to": measurement.bins_to,
        "evidence": list(measurement.evidence),
        "autocorrelation": measurement.autocorrelation,
        "false_alarm": measurement.false_alarm,
        "notes": list(measurement.notes),
        "profile": list(measurement.profile),
    }


def _seconds(value: float | None) -> float | None:
    """JSON has no infinity: a time without a bound is null."""
    return value if value is not None and math.isfinite(value) else None


REPORTER = Reporter(name="json", render=render)
