"""Markdown for GitHub: the summary of a workflow's step, or a comment on a pull request."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

from pytest_reliability.contracts import Canvas, Reporter
from pytest_reliability.model.objectives import Objective
from pytest_reliability.report import Finding, Measurement, Outcome, Report
from pytest_reliability.reporters import _words
from pytest_reliability.reporters import error_budgets as words
from pytest_reliability.reporters._next import steps
from pytest_reliability.reporters._text import clean, plural
from pytest_reliability.reporters.summary import histogram

LIMIT = 60_000
"""Characters at most: a comment holds 65,536, and a step's summary 1 MiB."""

_ROOM = 6_000
_TABLE_ROOM = 14_000
_LONGEST = 400
_QUOTED = re.compile(r"(?<!\w)'([^']+)'(?!\w)")
_SPECIAL = re.compile(r"([\\`*_\[\]<>~$&!])")
_REFERENCE = re.compile(r"([@#])(?=\w)")


def render(report: Report, canvas: Canvas) -> str:
    """The level, what to do next, findings by file, latency, and what is worth knowing folded away."""
    before = [*_standing(report), *_services(report), *_coverage(report), *_next(report), *_unknown(report)]
    after = [*_latency(report), *_objectives(report.objectives), *_waived(report), *_checks(report)]
    room = LIMIT - len("\n".join([*before, *after]))
    return "\n".join([*before, *_findings(report.findings, room), *after]).rstrip("\n") + "\n"


def _standing(report: Report) -> Iterator[str]:
    yield f"## Reliability: {_prose(report.service)}"
    yield ""
    if not report.partial:
        tier = f", tier {report.tier}" if report.tier else ""
        reason = f" ({report.tier_reason})" if report.tier_reason else ""
        yield f"**{_prose(_words.level(report))}**{_prose(tier + reason)}"
        yield ""
    yield f"{'; '.join(_words.headline(report))}"
    yield ""


def _services(report: Report) -> Iterator[str]:
    rows = [
        f"| {_cell(part.service)} | {'–' if part.partial else _cell(_words.level(part))} | {'; '.join(_words.headline(part))} |"
        for part in report.parts
    ]
    if rows:
        yield from ("| service | level | findings |", "|---|---|---|", *_fit(rows, _ROOM, "service"), "")


def _coverage(report: Report) -> Iterator[str]:
    coverage = {} if report.partial else report.standing.coverage
    if any(value is not None for value in coverage.values()):
        yield from ("| responsibility | covered |", "|---|---:|")
        for responsibility, value in coverage.items():
            yield f"| {responsibility.value} | {'–' if value is None else f'{value}%'} |"
        yield ""


def _next(report: Report) -> Iterator[str]:
    following = steps(report)
    if following:
        yield from ("### Next", "")
        for number, step in enumerate(following, 1):
            place = f" {_code(str(step.at))}" if step.at else ""
            alike = f" ({step.more} more alike)" if step.more else ""
            yield f"{number}. **{step.check.code}** {_prose(step.check.name)}{place}: {_prose(step.text)}{alike}"
        yield ""


def _unknown(report: Report) -> Iterator[str]:
    items = [f"- **{outcome.check.code}** {_prose(outcome.check.name)}: {_prose(outcome.reason)}" for outcome in report.unknown]
    if items:
        yield from ("### Could not be judged", "", *_fit(items, _ROOM, "check"), "")


def _findings(findings: Sequence[Finding], room: int) -> Iterator[str]:
    """Findings by file; where there is no room for all of them, the worst."""
    if not findings:
        return
    shown: list[Finding] = []
    room -= 200  # the heading, and the count of the rest
    for finding in sorted(findings, key=lambda finding: (_words.rank(finding.severity), finding.at)):
        room -= len(_bullet(finding)) + len(_file(finding)) + 4
        if room < 0:
            break
        shown.append(finding)
    yield from ("### Findings", "")
    for heading, group in groupby(sorted(shown, key=lambda finding: (finding.at, finding.code)), key=_file):
        yield from (heading, "", *map(_bullet, group), "")
    if rest := len(findings) - len(shown):
        yield from (f"… and {plural(rest, 'more finding')}; `reliability check --verbose` shows them all", "")


def _file(finding: Finding) -> str:
    return f"#### {_code(finding.at.path)}"


def _bullet(finding: Finding) -> str:
    place = f"{finding.at.line}:{finding.at.column}"
    todo = f"<br>do: {_prose(finding.hint)}" if finding.hint else ""
    return f"- {place} {finding.severity.value} **{finding.code}** {_prose(finding.check.name)}: {_prose(finding.message)}{todo}"


def latency(report: Report) -> str:
    """Only what was measured, under a heading of its own: for the summary of a step that ran pytest; "" where nothing was."""
    rows = list(_latency(report))
    return "\n".join([f"## Latency budgets: {_prose(report.service)}", *rows[1:]]) if rows else ""


def _latency(report: Report) -> Iterator[str]:
    order = ("fail", "inconclusive", "pass")
    titled = zip(_words.titles(report.measurements), report.measurements, strict=True)
    rows = [_row(title, measured) for title, measured in sorted(titled, key=lambda titled: order.index(titled[1].outcome))]
    if rows:
        head = "| what | budget | verdict | measured | samples | distribution | |"
        yield from ("### Latency", "", head, "|---|---|---|---|---|---|---|", *_fit(rows, _ROOM, "latency budget"), "")
    if together := _words.budgets(report.measurements):
        yield from (_prose(together), "")


def error_budgets(title: str, objectives: Sequence[Objective]) -> str:
    """Only the error budgets, under a heading of their own: for a page, or the summary of a step."""
    rows = list(_objectives(objectives)) or ["", f"{_prose(words.NOTHING)}", ""]
    return "\n".join([f"## Error budgets: {_prose(title)}", *rows[1:]]).rstrip("\n") + "\n"


def _objectives(objectives: Sequence[Objective]) -> Iterator[str]:
    """A row for each SLO, with a chart of blocks: GitHub shows no picture that is not a file."""
    longest = max((objective.budget.seconds for objective in objectives if objective.budget), default=0.0)
    rows = [_objective(objective, longest) for objective in objectives]
    if rows:
        head = "| SLO | objective | error budget | | requests | gone after | alerts |"
        yield from ("### Error budgets", "", head, "|---|---|---|---|---|---|---|", *_fit(rows, _ROOM, "SLO"), "")


def _objective(objective: Objective, longest: float) -> str:
    budget = objective.budget
    drawn = _code(words.bar(budget.seconds, longest)) if budget else ""
    lasts = "<br>".join(map(_cell, words.lasts(objective)))
    alerts = "<br>".join(_cell(text) for text in words.details(objective) if not text.startswith(words.GONE))
    facts = map(_cell, (objective.full_name, words.promise(objective), words.budget(objective)))
    return f"| {' | '.join((*facts, drawn, _cell(words.allowed(objective)), lasts, alerts))} |"


def _row(title: str, measurement: Measurement) -> str:
    budget = measurement.budget + (f" (slo {measurement.slo})" if measurement.slo else "")
    facts = (_words.VERDICTS[measurement.outcome], _words.interval(measurement), _words.samples(measurement))
    drawn = _code(histogram(measurement)) if measurement.bins else ""
    return f"| {' | '.join((*map(_cell, (title, budget, *facts)), drawn, '<br>'.join(_details(measurement))))} |"


def _details(measurement: Measurement) -> Iterator[str]:
    """Why, and what explains it where it is not simply a pass."""
    told = measurement.outcome != "pass"
    profile = (f"where the time went: {', '.join(measurement.profile)}",) if measurement.profile else ()
    evidence = _words.evidence(measurement) if told else ""
    yield from map(_cell, filter(None, (measurement.reason, evidence, *profile, *measurement.notes)))


def _waived(report: Report) -> Iterator[str]:
    items = [
        f"- {_code(str(finding.at))} **{finding.code}** {_prose(finding.message)}: {_prose(_words.accepted(finding.waiver))}"
        for finding in report.waived
        if finding.waiver
    ]
    if items:
        yield from _folded(f"{len(items)} waived", _fit(items, _ROOM, "finding"))


def _checks(report: Report) -> Iterator[str]:
    rows = [_check(outcome) for outcome in sorted(report.outcomes, key=lambda outcome: outcome.check.code)]
    table = ["| code | check | status | looked at | |", "|---|---|---|---:|---|", *_fit(rows, _TABLE_ROOM, "check")]
    yield from _folded(f"Checks: {_words.checks(report)}", table)


def _check(outcome: Outcome) -> str:
    check = outcome.check
    return f"| {check.code} | {_cell(check.name)} | {outcome.status.value} | {outcome.subjects} | {_cell(outcome.reason)} |"


def _folded(title: str, lines: Iterable[str]) -> Iterator[str]:
    yield from (f"<details><summary>{title}</summary>", "", *lines, "", "</details>", "")


def _fit(lines: Sequence[str], room: int, noun: str) -> Iterator[str]:
    """As many lines as there is room for, and the count of the rest."""
    for number, line in enumerate(lines):
        room -= len(line) + 1
        if room < 0:
            yield from ("", f"… and {plural(len(lines) - number, f'more {noun}')}")
            return
        yield line


# Text that comes from a repository


def _prose(text: str) -> str:
    """The text as it is, whatever it holds: names in quotes become code, nothing else is markup, nobody is notified."""
    said, end = [], 0
    text = _clipped(text)
    for match in _QUOTED.finditer(text):
        said += [_escaped(text[end : match.start()]), _code(match[1])]
        end = match.end()
    return "".join([*said, _escaped(text[end:])])


def _cell(text: str) -> str:
    return _prose(text).replace("|", "\\|")


def _escaped(text: str) -> str:
    return _REFERENCE.sub(r"\1<!-- -->", _SPECIAL.sub(r"\\\1", text))


def _code(text: str) -> str:
    """The text as a code span; its own backticks are fenced with longer ones."""
    text = _clipped(text)
    fence = "`" * (1 + max((len(run) for run in re.findall("`+", text)), default=0))
    space = " " if text.strip(" ") and (text[0] in "` " or text[-1] in "` ") else ""
    return f"{fence}{space}{text}{space}{fence}"


def _clipped(text: str) -> str:
    text = clean(text)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


REPORTER = Reporter(name="markdown", render=render)
