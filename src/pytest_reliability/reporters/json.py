"""The report for programs: stable JSON, described in `docs/json.md` and `docs/report.schema.json`."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from pytest_reliability.contracts import Canvas, Reporter
from pytest_reliability.model.duration import Duration
from pytest_reliability.model.nodes import Edit, Replace, Rewrite
from pytest_reliability.model.objectives import AlertWindow, Objective
from pytest_reliability.report import Finding, Measurement, Outcome, Report, Waiver

SCHEMA = 1
"""The version of the shape: it changes only if a field ever loses its meaning."""


def render(report: Report, canvas: Canvas) -> str:
    """The report as JSON, in an order that does not depend on how it was made."""
    return _text({"schema": SCHEMA, **_service(report)})


def objectives(service: str, found: Iterable[Objective], unread: Iterable[str] = ()) -> str:
    """The SLOs of a service or repository with their error budgets as JSON, and the files that may hold more, unread."""
    data = {"schema": SCHEMA, "service": service, "objectives": list(map(_objective, found)), "unread": list(unread)}
    return _text(data)


def _text(data: dict[str, Any]) -> str:
    import json

    text = json.dumps(data, indent=2, ensure_ascii=False, allow_nan=False, default=_number)
    return text.encode("utf-8", "replace").decode("utf-8") + "\n"  # a file's name need not be valid text


def _number(value: object) -> float:
    return float(str(value))  # a Decimal, in the value of an edit


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
        "objectives": [_objective(objective) for objective in report.objectives],
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
        "edit": _edit(finding.edit) if finding.edit else None,
    }


def _edit(edit: Edit) -> dict[str, Any]:
    if isinstance(edit, Rewrite):
        return {"kind": "rewrite", "path": edit.path, "text": edit.text}
    place = {"path": edit.at.path, "line": edit.at.line, "column": edit.at.column}
    if isinstance(edit, Replace):
        return {"kind": "replace", **place, "old": edit.old, "new": edit.new}
    return {"kind": "set", **place, "keys": list(edit.keys), "value": edit.value}


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


def _objective(objective: Objective) -> dict[str, Any]:
    budget = objective.budget
    rate = objective.request_rate
    return {
        "name": objective.name,
        "service": objective.service,
        "dialect": objective.dialect,
        "path": objective.at.path,
        "line": objective.at.line,
        "column": objective.at.column,
        "objective": None if objective.objective is None else float(objective.objective),
        "window": _length(objective.window),
        "rolling": objective.rolling,
        "method": objective.method,
        "slice": _length(objective.slice),
        "budget": _rounded(budget.seconds) if budget else None,
        "budget_share": float(budget.share) if budget else None,
        "budget_requests": int(budget.requests(rate)) if budget and rate else None,
        "exhausted_after": {name: _rounded(budget.exhausted_after(rate)) for name, rate in objective.burns} if budget else None,
        "alerts": [_alert(alert, objective) for alert in objective.alerts],
        "unread_alerts": list(objective.unread),
    }


def _alert(alert: AlertWindow, objective: Objective) -> dict[str, Any]:
    budget = objective.budget
    return {
        "severity": alert.severity,
        "pages": alert.pages,
        "factor": float(alert.factor),
        "inclusive": alert.inclusive,
        "long": _length(alert.long),
        "short": _length(alert.short),
        "wait": _length(alert.wait),
        "budget_spent": _rounded(alert.spends(budget.window)) if budget else None,
        "fires_after": {name: _rounded(alert.fires_after(rate)) for name, rate in objective.burns} or None,
    }


def _length(duration: Duration | None) -> float | None:
    return _seconds(duration.seconds) if duration else None


def _rounded(value: float) -> float | None:
    """Without the noise of binary fractions."""
    return round(value, 6) if math.isfinite(value) else None


def _seconds(value: float | None) -> float | None:
    """JSON has no infinity: a time without a bound is null."""
    return value if value is not None and math.isfinite(value) else None


REPORTER = Reporter(name="json", render=render)
