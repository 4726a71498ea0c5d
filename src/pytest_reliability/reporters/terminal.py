"""Findings as compilers print them, then where the service stands: what people read, at the command line and under pytest."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pytest_reliability.contracts import Canvas, Reporter
from pytest_reliability.model.location import Location
from pytest_reliability.report import Finding, Outcome, Report, Severity
from pytest_reliability.reporters import _words
from pytest_reliability.reporters._text import TAB, Paint, cells, clean, fold, painter, plural
from pytest_reliability.reporters.summary import heading, measurement_lines, status_lines, summary_lines

__all__ = ["REPORTER", "finding_lines", "measurement_lines", "outcome_text", "render", "summary_lines"]

AT_ONCE = 20
"""Findings that are printed before the rest is only counted."""

_COLOURS = {Severity.ERROR: "bold red", Severity.WARNING: "bold yellow", Severity.INFO: "bold blue"}


def render(report: Report, canvas: Canvas) -> str:
    """Everything: what is wrong, by file, and then where the service stands. Quiet (`verbose` < 0): only what is wrong.

    Of several services, each that something is wrong with is printed under its name.
    """
    paint = painter(canvas)
    lines: list[str] = []
    wrong = [part for part in report.parts if _words.headline(part) != [_words.NOTHING]]
    for part in wrong:
        lines += [*heading(part.service, canvas), "", *_details(part, canvas, paint), ""]
    if not wrong:
        lines += [*_details(report, canvas, paint), ""]
    if canvas.verbose >= 0:
        lines += [*heading(f"reliability: {report.service}", canvas), *status_lines(report, canvas), ""]
    elif unmet := [measurement for measurement in report.measurements if measurement.outcome != "pass"]:
        lines += [*measurement_lines(unmet, canvas), ""]
    return "\n".join(lines[:-1]) + "\n"


def finding_lines(finding: Finding, canvas: Canvas, *, why: bool = True) -> list[str]:
    """One finding: the line that editors can follow, the text it points at, what to do, and (`why`) where to read more."""
    paint = painter(canvas)
    first, *others = finding.message.splitlines() or [""]
    word = "waived" if finding.waiver else finding.severity.value
    place = paint(f"{clean(str(finding.at))}:", "bold")
    severity = paint(f"{word}:", _COLOURS[finding.severity])
    name = paint(f"[{clean(f'{finding.code} {finding.check.name}')}]", "dim")
    lines = [f"{place} {severity} {clean(first)} {name}", *(f"  {clean(line)}" for line in others)]
    lines += _excerpt(finding, canvas, paint)
    if finding.waiver:
        lines.append(f"  {clean(_words.accepted(finding.waiver))}")
    if finding.hint:
        lines += _labelled("do:", finding.hint, paint)
    return [*lines, *_why(finding.code, paint)] if why else lines


def outcome_text(outcome: Outcome, canvas: Canvas) -> str:
    """What one check came to, for a place that already names it: its findings, or why it could not be judged."""
    paint = painter(canvas)
    lines = [f"{paint(f'{outcome.status.value}:', 'bold')} {clean(outcome.reason)}"] if outcome.reason else []
    findings = sorted((finding for finding in outcome.findings if not finding.waiver), key=lambda finding: finding.at)
    lines += _listed(findings, canvas, paint, why=False)
    return "\n".join([*lines, *_why(outcome.check.code, paint)])


def _details(report: Report, canvas: Canvas, paint: Paint) -> Iterator[str]:
    """What is wrong with one service, the count first."""
    headline = _words.headline(report)
    if canvas.verbose < 0 and headline == [_words.NOTHING]:
        yield f"{clean(report.service)}: {_words.NOTHING}; {_words.checks(report)}"
        return
    for line in fold(headline, canvas.width):
        yield paint(line, "bold")
    if report.findings:
        yield ""
        yield from _listed(report.findings, canvas, paint)
        if mechanical := sum(finding.edit is not None for finding in report.findings):
            yield ""
            what = "1 of these takes" if mechanical == 1 else f"{mechanical} of these take"
            yield f"{paint(f'{what} no thought to mend:', 'bold')} reliability fix"
    if report.unknown:
        yield ""
        for outcome in report.unknown:
            yield f"{paint('UNKNOWN', 'bold red')} {clean(f'{outcome.check.code} {outcome.check.name}: {outcome.reason}')}"
    if report.waived and canvas.verbose > 0:
        yield ""
        yield from _listed(report.waived, canvas, paint)


def _listed(findings: Sequence[Finding], canvas: Canvas, paint: Paint, *, why: bool = True) -> Iterator[str]:
    """The findings by file; where there are too many, the worst of them and the count of the rest. A check is explained once."""
    worst_first = sorted(findings, key=lambda finding: _words.rank(finding.severity))
    limit = len(findings) if canvas.verbose > 0 else AT_ONCE
    shown, rest = worst_first[:limit], worst_first[limit:]
    explained: set[str] = set()
    for number, finding in enumerate(sorted(shown, key=lambda finding: (finding.at, finding.code))):
        if number:
            yield ""
        yield from finding_lines(finding, canvas, why=why and finding.code not in explained)
        explained.add(finding.code)
    if rest:
        files = len({finding.at.path for finding in rest})
        count = f"… and {plural(len(rest), 'more finding')} in {plural(files, 'file')}: {_words.severities(rest)}"
        yield ""
        yield f"{paint(count, 'bold')}; --verbose shows them all"


def _labelled(label: str, text: str, paint: Paint) -> Iterator[str]:
    first, *others = text.splitlines()
    yield f"  {paint(label, 'bold')} {clean(first)}"
    for line in others:
        yield f"  {' ' * len(label)} {clean(line)}"


def _why(code: str, paint: Paint) -> Iterator[str]:
    return _labelled("why:", f"reliability explain {code}", paint)


# The line that a finding points at


def _excerpt(finding: Finding, canvas: Canvas, paint: Paint) -> list[str]:
    if not finding.source.strip() or finding.at == Location(finding.at.path):  # the file as a whole: no line of it is to blame
        return []
    gutter = f"{finding.at.line:>5} | "
    text, before, under = _window(finding.source, finding.at.column - 1, finding.at.width, canvas.width - len(gutter))
    blank = " " * (len(gutter) - 2) + "| "
    carets = paint("^" * under, _COLOURS[finding.severity])
    return [f"{paint(gutter, 'dim')}{text}", f"{paint(blank, 'dim')}{' ' * before}{carets}"]


def _window(source: str, start: int, width: int, room: int) -> tuple[str, int, int]:
    """As much of a line as fits `room` cells around `width` characters from `start`; the cells before these and under them."""
    source = source.rstrip()
    start = min(start, len(source))
    left = max(0, start - room)  # a minified file is one line of a million characters
    shown = _expanded(source[left : start + room])
    size = [cells(text) for text in shown]
    here = start - left
    first, last = 0, len(shown)
    end = min(here + max(width, 1), last)
    if left or len(source) > start + room or sum(size) > room:
        room -= 2  # an ellipsis at either end
        last = min(end + room // 4, last)
        while first < here and sum(size[first:last]) > room:
            first += 1
        while last > here + 1 and sum(size[first:last]) > room:
            last -= 1
        while last < len(shown) and sum(size[first : last + 1]) <= room:
            last += 1
    head = "…" if left + first else ""
    tail = "…" if left + last < len(source) else ""
    under = sum(size[here : min(end, last)])
    return head + "".join(shown[first:last]) + tail, len(head) + sum(size[first:here]), max(1, under)


def _expanded(text: str) -> list[str]:
    """Each character as it is shown: tabs as spaces up to the next stop."""
    shown: list[str] = []
    column = 0
    for character in text:
        shown.append(" " * (TAB - column % TAB) if character == "\t" else clean(character))
        column += cells(shown[-1])
    return shown


REPORTER = Reporter(name="terminal", render=render)
