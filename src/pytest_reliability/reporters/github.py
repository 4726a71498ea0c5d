"""Workflow commands for GitHub Actions: annotations on the lines of a pull request."""

from __future__ import annotations

from collections.abc import Iterator

from pytest_reliability.contracts import Canvas, Reporter
from pytest_reliability.report import Finding, Report, Severity
from pytest_reliability.reporters import _words
from pytest_reliability.reporters._text import clean

_COMMANDS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "notice"}


def render(report: Report, canvas: Canvas) -> str:
    """A command for each finding, for each check that could not be judged and each failed budget; then one line for people.

    What cannot be placed comes first: GitHub shows only ten annotations of a kind for a step.
    """
    lines = [*_unplaced(report), *map(_annotation, report.findings)]
    facts = [*_words.headline(report), *([] if report.partial else [f"level {_words.level(report)}"])]
    return "\n".join([*lines, clean(f"reliability: {report.service}: {'; '.join(facts)}")]) + "\n"


def _unplaced(report: Report) -> Iterator[str]:
    for outcome in report.unknown:
        yield _command("error", {"title": f"{outcome.check.code} {outcome.check.name} could not be judged"}, outcome.reason)
    for measurement in report.measurements:
        if measurement.outcome != "pass":
            command = "error" if measurement.outcome == "fail" else "warning"
            verdict = "failed" if measurement.outcome == "fail" else "is inconclusive"
            message = "\n".join(filter(None, (_words.interval(measurement), measurement.reason, measurement.test)))
            yield _command(command, {"title": f"latency budget {measurement.name} {measurement.budget} {verdict}"}, message)


def _annotation(finding: Finding) -> str:
    at = finding.at
    place = {"file": at.path, "line": str(at.line), "endLine": str(at.line), "col": str(at.column)}
    end = {"endColumn": str(at.column + at.width)} if at.width else {}
    title = {"title": f"{finding.code} {finding.check.name}"}
    message = finding.message + (f"\n{finding.hint}" if finding.hint else "")
    return _command(_COMMANDS[finding.severity], {**place, **end, **title}, message)


def _command(name: str, properties: dict[str, str], message: str) -> str:
    said = ",".join(f"{key}={_property(value)}" for key, value in properties.items())
    return f"::{name} {said}::{_data(message)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


REPORTER = Reporter(name="github", render=render)
