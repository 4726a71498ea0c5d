"""Where a service stands, and what to do next: what `reliability` alone prints, and the end of a pytest run."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

from pytest_reliability.contracts import Canvas, Reporter
from pytest_reliability.model.duration import spoken
from pytest_reliability.report import Measurement, Report, Responsibility
from pytest_reliability.reporters import _words
from pytest_reliability.reporters._next import steps
from pytest_reliability.reporters._text import Paint, cells, clean, fold, pad, painter, plural, wrapped

__all__ = ["REPORTER", "heading", "measurement_lines", "render", "status_lines", "summary_lines"]

AT_ONCE = 8
"""Measurements and services that are printed before the rest is only counted."""

_INDENT = 9
_BAR = 14
_TWO_COLUMNS = 80
"""From this width on the responsibilities stand in two columns."""


def render(report: Report, canvas: Canvas) -> str:
    """The summary on its own."""
    lines = [*heading(f"reliability: {report.service}", canvas), *summary_lines(report, canvas)]
    return "\n".join(lines) + "\n"


def summary_lines(report: Report, canvas: Canvas) -> list[str]:
    """The summary without its heading, for a door that shows no findings beside it: ends with where the details are."""
    paint = painter(canvas)
    details = "reliability check"
    following = steps(report)
    if following:
        details += f"    why: reliability explain {following[0].check.code}"
    return [
        *_row("found", fold(_words.headline(report), canvas.width - _INDENT), paint),
        *status_lines(report, canvas),
        *_row("details", [details], paint),
    ]


def status_lines(report: Report, canvas: Canvas) -> list[str]:
    """The level, the services, the responsibilities, the measurements and the next steps."""
    paint = painter(canvas)
    return [
        *_level(report, canvas, paint),
        *_services(report, canvas, paint),
        *_coverage(report, canvas, paint),
        *_row("checks", [_words.checks(report)], paint),
        *_waivers(report, paint),
        *measurement_lines(report.measurements, canvas),
        *_next(report, canvas, paint),
    ]


def heading(title: str, canvas: Canvas) -> list[str]:
    """A line across the canvas with a title in it."""
    title = clean(title)
    return [painter(canvas)(f"── {title} {'─' * max(2, canvas.width - cells(title) - 4)}", "bold")]


def measurement_lines(measurements: Sequence[Measurement], canvas: Canvas) -> list[str]:
    """Every latency budget: the verdict, what it rests on, and the distribution with the budget drawn in it; the worst first."""
    if not measurements:
        return []
    paint = painter(canvas)
    order = ("fail", "inconclusive", "pass")
    titled = zip(_words.titles(measurements), measurements, strict=True)
    worst_first = sorted(titled, key=lambda titled: order.index(titled[1].outcome))
    limit = len(worst_first) if canvas.verbose > 0 else AT_ONCE
    shown, rest = worst_first[:limit], worst_first[limit:]
    width = min(max(cells(clean(title)) for title, _ in shown), canvas.width // 3)
    lines = [line for title, measurement in shown for line in _measurement(title, measurement, width, canvas, paint)]
    if rest:
        failed = sum(measurement.outcome == "fail" for _, measurement in rest)
        lines.append(f"… and {plural(len(rest), 'more latency budget')}, {failed} failed; --verbose shows them all")
    if together := _words.budgets(measurements):
        lines += wrapped(together, canvas.width - _INDENT)
    return _row("latency", lines, paint)


def _row(label: str, lines: Sequence[str], paint: Paint) -> list[str]:
    """Lines under one label, which stands before the first of them."""
    return [
        (paint(pad(label, _INDENT), "bold") if number == 0 else " " * _INDENT) + line if line else ""
        for number, line in enumerate(lines)
    ]


def _level(report: Report, canvas: Canvas, paint: Paint) -> list[str]:
    if report.partial:
        return []
    level = _words.level(report)
    lines = [paint(level, "bold")]
    if report.tier:
        tier = clean(f"tier {report.tier}" + (f" ({report.tier_reason})" if report.tier_reason else ""))
        gap = canvas.width - _INDENT - cells(level) - cells(tier)
        lines = [f"{lines[0]}{' ' * min(gap, 8)}{tier}"] if gap >= 3 else [*lines, tier]
    return _row("level", lines, paint)


def _services(report: Report, canvas: Canvas, paint: Paint) -> list[str]:
    limit = len(report.parts) if canvas.verbose > 0 else AT_ONCE
    shown, rest = report.parts[:limit], report.parts[limit:]
    width = max((cells(clean(part.service)) for part in shown), default=0)
    lines = []
    for part in shown:
        name = pad(clean(part.service), width)
        facts = [*([] if part.partial else [_words.level(part)]), *_words.headline(part)]
        first, *others = fold(facts, canvas.width - _INDENT - width - 2)
        lines += [f"{name}  {first}", *(" " * (width + 2) + line for line in others)]
    if rest:
        lines.append(f"… and {plural(len(rest), 'more service')}; --verbose shows them all")
    return _row("services", lines, paint)


def _coverage(report: Report, canvas: Canvas, paint: Paint) -> list[str]:
    coverage = report.standing.coverage
    if report.partial or all(value is None for value in coverage.values()):
        return []
    everything = tuple(Responsibility)
    if canvas.width < _TWO_COLUMNS:
        return _row("", _column(everything, coverage, paint), paint)
    halves = (_column(half, coverage, paint) for half in (everything[:4], everything[4:]))
    return _row("", ["   ".join(pair) for pair in zip(*halves, strict=True)], paint)


def _column(responsibilities: Sequence[Responsibility], coverage: Mapping[Responsibility, int | None], paint: Paint) -> list[str]:
    width = max(len(responsibility.value) for responsibility in responsibilities)
    return [f"{responsibility.value:<{width}} {_bar(coverage.get(responsibility), paint)}" for responsibility in responsibilities]


def _bar(value: int | None, paint: Paint) -> str:
    if value is None:
        return f"{'– nothing to check':<{_BAR + 4}}"
    full = value * _BAR // 100 if value in (0, 100) else min(max(round(value * _BAR / 100), 1), _BAR - 1)
    colour = "green" if value == 100 else "yellow" if value >= 50 else "red"
    return f"{paint('█' * full, colour)}{paint('░' * (_BAR - full), 'dim')} {value:>3}"


def _waivers(report: Report, paint: Paint) -> list[str]:
    """What was waived, the first to run out first."""
    waived = {
        (finding.waiver.until or "no end", f"{finding.code} {finding.check.name} {_words.terms(finding.waiver)}")
        for finding in report.waived
        if finding.waiver
    }
    said = [clean(text) for _, text in sorted(waived)]
    more = [f"and {len(said) - 3} more"] if len(said) > 3 else []
    return _row("waived", [", ".join(said[:3] + more)] if said else [], paint)


def _next(report: Report, canvas: Canvas, paint: Paint) -> list[str]:
    lines = []
    for number, step in enumerate(steps(report), 1):
        alike = f" ({step.more} more alike)" if step.more else ""
        place = f"{clean(str(step.at))}  " if step.at else ""
        what = f"{number}. {place}{step.check.code} {step.check.name}"
        todo = clean(step.text.partition("\n")[0]) + alike
        if _INDENT + cells(what) + 2 + cells(todo) <= canvas.width:
            lines.append(f"{what}  {todo}")
        else:
            lines += [what, f"   {todo}"]
    return _row("next", lines, paint)


# Latency


def _measurement(title: str, measurement: Measurement, width: int, canvas: Canvas, paint: Paint) -> Iterator[str]:
    verdict = _words.VERDICTS[measurement.outcome]
    colour = {"pass": "green", "fail": "bold red", "inconclusive": "bold yellow"}[measurement.outcome]
    slo = f" (slo {measurement.slo})" if measurement.slo else ""
    budget = f"{pad(clean(title), width)}  {clean(measurement.budget + slo)}"
    facts = _facts(measurement)
    if _INDENT + cells(budget) + cells(verdict) + cells(facts) + 4 <= canvas.width:
        yield f"{budget}  {paint(verdict, colour)}  {facts}".rstrip()
    else:
        yield f"{budget}  {paint(verdict, colour)}"
        yield f"  {facts}"
    for detail in _details(measurement, canvas):
        yield from (f"  {line}" for line in wrapped(clean(detail), canvas.width - _INDENT - 2))


def _facts(measurement: Measurement) -> str:
    """What fits beside the verdict."""
    if measurement.kind == "count":
        return clean(measurement.reason)
    return "  ".join(filter(None, (_words.interval(measurement), _words.samples(measurement))))


def _details(measurement: Measurement, canvas: Canvas) -> Iterator[str]:
    """What stands under it: why, the distribution, the host, where the time went, and what else is worth knowing."""
    told = measurement.outcome != "pass" or canvas.verbose > 0
    if measurement.reason and measurement.kind != "count" and (told or measurement.kind == "ratchet"):
        yield measurement.reason
    if measurement.bins:
        yield histogram(measurement)
    if told and (evidence := _words.evidence(measurement)):
        yield evidence
    if measurement.profile:
        yield f"where the time went: {', '.join(measurement.profile)}"
    for note in measurement.notes:
        yield f"note: {note}"


def histogram(measurement: Measurement) -> str:
    """The distribution as a row of blocks between its ends, with the limit as ┊ where it lies: "20 ms ▁▂▅█▃┊▁ 84 ms"."""
    say = _as_rate if measurement.kind == "throughput" else spoken
    low, high, limit = measurement.bins_from, measurement.bins_to, measurement.limit
    bars = "".join(_block(count, max(measurement.bins)) for count in measurement.bins)
    step = (high - low) / len(bars)
    if step <= 0 or not math.isfinite(limit):
        return f"{say(low)} {bars} {say(high)}"
    if limit < low:
        return f"{say(limit)} ┊{_gap((low - limit) / step)}{bars} {say(high)}"
    if limit > high:
        return f"{say(low)} {bars}{_gap((limit - high) / step)}┊ {say(limit)}"
    place = round((limit - low) / step)
    return f"{say(low)} {bars[:place]}┊{bars[place:]} {say(high)}"


def _as_rate(interval: float) -> str:
    """The time between two answers as what people limit: how many answers a second."""
    return _words.rate(1 / interval) if interval else "∞/s"


def _block(count: int, most: int) -> str:
    return "▁▂▃▄▅▆▇█"[-(-count * 8 // most) - 1] if count else " "


def _gap(steps: float) -> str:
    """The distance to the limit, to scale as far as there is room."""
    return " " * round(steps) if steps <= 16 else " ⋯ "


REPORTER = Reporter(name="summary", render=render)
