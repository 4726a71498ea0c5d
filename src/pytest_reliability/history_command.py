"""`reliability history`: what earlier runs have measured, for people, for programs, and for Apache Otava."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from math import ceil, inf
from pathlib import Path
from typing import Any

from pytest_reliability import api, discovery
from pytest_reliability.contracts import Canvas, UsageError
from pytest_reliability.edits import write
from pytest_reliability.latency.history import FOLDER, OTAVA_METRICS, History, Record, export, machine_class, series
from pytest_reliability.latency.judge import FAIL, INCONCLUSIVE, PASS
from pytest_reliability.latency.message import percent, spoken
from pytest_reliability.latency.ratchet import loose, ratchet
from pytest_reliability.reporters._text import Paint, cells, clean, clipped, fold, pad, painter, plural, wrapped
from pytest_reliability.reporters._words import VERDICTS, rate
from pytest_reliability.reporters.summary import heading

ALL = "all"
"""The word for every class of machine."""

SCHEMA = 1
"""The version of the JSON: it changes only if a field ever loses its meaning."""

NOTHING = "no history is kept here yet; write into .reliability.yaml: latency: {history: true}, and run: pytest --reliability"

ROWS = 40
"""Rows that are printed of a machine before the rest is only counted."""

MOST, LEAST = 24, 8
"""How many runs a sparkline shows where there is room, and how few before rows become paragraphs."""

_AT_ONCE = 8
_TIMES = ("latency", "max")
_SAID = {PASS: "no slower", FAIL: "SLOWER", INCONCLUSIVE: "too few runs"}
_OFF, _NONE = "off", "–"
_COLOURS = {PASS: "green", FAIL: "bold red", INCONCLUSIVE: "yellow"}
_NOT_ASKED = "; the test does not fail for that without ratchet=True"
_OF_A_RUN = ("date", "revision", "outcome", "green", "n", "over", "value", "low", "high", "speed", "ratchet")
_BARS = "▁▂▃▄▅▆▇█"
_FAILED, _UNKNOWN = "×", "·"


Layout = tuple[list[str], list[list[str]]]
"""Lines to begin with, and the lines of each series."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """The runs of one operation and budget, the oldest first, and what is concluded from them.

    `ratchet` and `reason` are what comparing the latest runs with those before says, "" where no times are compared. `note`
    says that the limit has become far too loose, "" where it has not.
    """

    runs: tuple[Record, ...]
    ratchet: str
    reason: str
    note: str

    @classmethod
    def of(cls, runs: tuple[Record, ...]) -> Series:
        """The series with its conclusions."""
        verdict, reason = ratchet(runs) if runs[-1].kind in _TIMES else ("", "")
        return cls(runs=runs, ratchet=verdict, reason=reason, note=loose(runs))

    @property
    def last(self) -> Record:
        """The latest run."""
        return self.runs[-1]

    @property
    def says(self) -> bool:
        """Whether the ratchet has a say. Where no test asks for one, it has only if the operation has become slower."""
        return bool(self.ratchet and self.last.ratchet) or self.ratchet == FAIL

    @property
    def is_bad(self) -> bool:
        """Whether the last run broke the budget, or the operation has become slower."""
        return FAIL in (self.last.outcome, self.ratchet)


@dataclass(frozen=True, slots=True)
class Machine:
    """What is known of one class of machines; `problems` are the lines that could not be read, in words."""

    name: str
    series: tuple[Series, ...]
    problems: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Past:
    """What was asked for of a repository's history. `here` is the class of this machine, `others` those that are not shown."""

    machines: tuple[Machine, ...]
    here: str
    others: tuple[str, ...]


def recalled(folder: Path | None, *, machine: str | None = None, of: str = "") -> Past:
    """The history of the repository around `folder`, or around where the user stands.

    `machine` is the name of a class or a part of it; without it, this machine's class is meant, or all where it has no history.
    `of` is a part of the test, operation or budget. Raises UsageError where there is a history, but nothing like that in it.
    """
    root = discovery.find_root(api.place_of(folder)[0])
    known, here = _classes(root / FOLDER), machine_class()
    names = _chosen(known, machine, here)
    machines = tuple(found for name in names if (found := _machine(History(root, name), of)).series or not of)
    if known and not machines:
        raise UsageError(f"--of {of}: nothing like that in the history\n  {_instead(of, root, names)}")
    return Past(machines, here, tuple(name for name in known if name not in names))


def rendered(past: Past, format: str, canvas: Canvas) -> str:
    """The history as JSON or for people. A quiet canvas gets what has become bad only."""
    if format == "json":
        text = json.dumps(_data(past), indent=2, ensure_ascii=False, allow_nan=False)
        return text.encode("utf-8", "replace").decode("utf-8") + "\n"  # a file's name need not be valid text
    paint = painter(canvas)
    if canvas.verbose < 0:
        bad = [one for machine in past.machines for one in machine.series if one.is_bad]
        return "".join(f"{line}\n" for line in _rows(bad, canvas, paint))
    if not past.machines:
        return f"{NOTHING}\n"
    return "".join(f"{line}\n" for line in _told(past, canvas, paint))


def tabulated(past: Past, folder: Path) -> str:
    """Write a table for Apache Otava for each series of times into `folder`; what to put into otava.yaml, as YAML.

    Raises UsageError where a file cannot be written.
    """
    if not past.machines:
        return f"# {NOTHING}\n"
    tests: dict[str, Path] = {}
    for machine in past.machines:
        several = len(past.machines) > 1
        for name, table in export(record for one in machine.series for record in one.runs).items():
            path = folder / machine.name / f"{name}.csv" if several else folder / f"{name}.csv"
            write(path, table)
            tests[f"{machine.name}-{name}" if several else name] = path
    problems = [f"# warning: {clean(problem)}" for machine in past.machines for problem in machine.problems]
    return "".join(f"{line}\n" for line in (*problems, *_otava(tests, folder)))


# What there is


def _classes(folder: Path) -> list[str]:
    """The classes of machines of which there is a history."""
    with suppress(FileNotFoundError):
        files = [file for file in folder.iterdir() if file.suffix == ".jsonl" and not file.name.startswith(".")]
        return sorted(file.stem for file in files)
    return []


def _chosen(known: Sequence[str], wanted: str | None, here: str) -> list[str]:
    """The classes to show."""
    if wanted is None:
        return [here] if here in known else list(known)
    if wanted in known:
        return [wanted]
    found = [name for name in known if wanted == ALL or wanted.lower() in name.lower()]
    if known and not found:
        raise UsageError(f"--machine {wanted}: no history of such a machine\n  there are {_listed(known)}")
    return found


def _machine(history: History, of: str) -> Machine:
    wanted = of.casefold()
    chosen = [
        one
        for one in series(history.records)
        if any(wanted in text.casefold() for text in (one[-1].test, one[-1].operation, one[-1].budget))
    ]
    return Machine(history.path.stem, tuple(map(Series.of, chosen)), tuple(history.problems))


def _instead(of: str, root: Path, machines: Iterable[str]) -> str:
    from pytest_reliability.shape import nearest

    records = [record for name in machines for record in History(root, name).records]
    names = list(dict.fromkeys(record.operation or _short(record.test) for record in records))
    meant = nearest(of, names)
    return f"did you mean {clean(meant)}?" if meant else f"there are {_listed(names)}"


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _AT_ONCE} more" if len(names) > _AT_ONCE else ""
    return f"{', '.join(map(clean, names[:_AT_ONCE]))}{more}" if names else "no runs in it that can be read"


# For people


def _told(past: Past, canvas: Canvas, paint: Paint) -> Iterator[str]:
    """A table for each machine, with what else there is at the end."""
    for number, machine in enumerate(past.machines):
        yield from ("",) if number else ()
        yield from heading(f"latency history: {machine.name}", canvas)
        yield from wrapped(_overview(machine), canvas.width)
        limit = len(machine.series) if canvas.verbose > 0 else ROWS
        worst_first = sorted(machine.series, key=lambda one: (not one.is_bad, one.last.outcome == PASS))
        yield from _rows(worst_first[:limit], canvas, paint)
        if rest := worst_first[limit:]:
            yield f"… and {plural(len(rest), 'more budget')}; --verbose shows them all"
        for problem in machine.problems:
            yield from (paint(line, "yellow") for line in wrapped(f"warning: {clean(problem)}", canvas.width))
    if not past.others and past.here not in (machine.name for machine in past.machines):
        yield from wrapped(f"nothing yet from machines like this one: {past.here}", canvas.width)
    if past.others:
        yield from wrapped(f"other machines, with --machine NAME or --machine {ALL}: {_listed(past.others)}", canvas.width)


def _overview(machine: Machine) -> str:
    """How much there is, from when, and how it stands: "4 budgets: 1 FAIL, 3 pass; runs from 2026-10-01 to 2026-11-23"."""
    if not machine.series:
        return "no runs that can be read"
    dates = sorted(clean(record.date)[:10] for one in machine.series for record in one.runs)
    counts = Counter(one.last.outcome for one in machine.series)
    outcomes = [f"{counts[outcome]} {VERDICTS[outcome]}" for outcome in (FAIL, INCONCLUSIVE, PASS) if counts[outcome]]
    if slower := sum(one.ratchet == FAIL for one in machine.series):
        outcomes.append(f"{slower} slower")
    return f"{plural(len(machine.series), 'budget')}: {', '.join(outcomes)}; runs from {dates[0]} to {dates[-1]}"


def _rows(chosen: Sequence[Series], canvas: Canvas, paint: Paint) -> Iterator[str]:
    """A row for each series, or a paragraph where there is no room for a table; under it, what else is worth knowing."""
    if not chosen:
        return
    head, rows = _table(chosen, canvas, paint) or _paragraphs(chosen, canvas, paint)
    yield from head
    for row, one in zip(rows, chosen, strict=True):
        yield from row
        for detail in _details(one, canvas):
            yield from (f"  {line}" for line in wrapped(clean(detail), canvas.width - 2))


def _details(one: Series, canvas: Canvas) -> Iterator[str]:
    """What stands under a row: how much slower it has become, and that a limit is far too loose; with --verbose all there is."""
    verbose = canvas.verbose > 0
    if verbose:
        commit = f" at {one.last.revision[:10]}" if one.last.revision else ""
        yield f"{one.last.test}, last run {one.last.date}{commit}"
    if one.ratchet == FAIL or (one.ratchet and verbose):
        yield one.reason + (_NOT_ASKED if one.ratchet == FAIL and not one.last.ratchet else "")
    if one.note:
        yield f"note: {one.note}"


def _table(chosen: Sequence[Series], canvas: Canvas, paint: Paint) -> Layout | None:
    """A line for each series under the names of the columns; None where the canvas is too narrow for that."""
    left = (
        _column("operation", [clipped(name, canvas.width // 3) for name in _names(chosen)]),
        _column("budget", [_budget(one, canvas) for one in chosen]),
        _column("last", [_verdict(one) for one in chosen]),
        _column("runs", [str(len(one.runs)) for one in chosen], right=True),
    )
    right = (
        _column("of limit", [_share(one.last) for one in chosen], right=True),
        _column("ratchet", [_ratchet(one) for one in chosen]),
    )
    told, most = _told_in(chosen), min(MOST, max(len(one.runs) for one in chosen))
    room = canvas.width - sum(cells(column[0]) + 2 for column in (*left, *right)) - 2 * told - 2
    if room < min(LEAST, most):
        return None
    trend = _column("first to latest", [_trend(one, min(room, most), told) for one in chosen], right=True)
    head, *rows = zip(*left, trend, *right, strict=True)
    return [paint("  ".join(head).rstrip(), "bold")], [[_line(row, one, paint)] for row, one in zip(rows, chosen, strict=True)]


def _line(row: Sequence[str], one: Series, paint: Paint) -> str:
    """The columns of a row in one line, the verdicts among them in colour."""
    name, budget, verdict, *figures, said = row
    verdict = paint(verdict, _COLOURS.get(one.last.outcome, "none"))
    said = paint(said.rstrip(), _COLOURS[one.ratchet] if one.says else "none")
    return "  ".join((name, budget, verdict, *figures, said))


def _paragraphs(chosen: Sequence[Series], canvas: Canvas, paint: Paint) -> Layout:
    """The budget of each series and what came of it, and the figures on lines of their own."""
    budgets = _column("", [_budget(one, canvas) for one in chosen])[1:]
    verdicts = [_verdict(one) for one in chosen]
    room = max(1, canvas.width - max(map(cells, budgets)) - max(map(cells, verdicts)) - 4)
    names = _column("", [clipped(name, room) for name in _names(chosen)])[1:]
    paragraphs = []
    for name, budget, verdict, one in zip(names, budgets, verdicts, chosen, strict=True):
        first = f"{name}  {budget}  {paint(verdict, _COLOURS.get(one.last.outcome, 'none'))}"
        paragraphs.append([first, *(f"  {line}" for line in fold(_phrases(one, canvas), canvas.width - 2))])
    return [], paragraphs


def _phrases(one: Series, canvas: Canvas) -> Iterator[str]:
    """What stands in a row behind the verdict."""
    yield plural(len(one.runs), "run")
    yield _trend(one, max(1, min(MOST, canvas.width - 2 * _told_in([one]) - 5)))
    if (share := _share(one.last)) != _NONE:
        yield f"{share} of the limit"
    if one.says:
        yield f"ratchet: {_ratchet(one)}"


def _column(head: str, texts: Sequence[str], *, right: bool = False) -> list[str]:
    """The cells of a column, all of one width."""
    width = max(map(cells, (head, *texts)))
    return [" " * (width - cells(text)) + text if right else pad(text, width) for text in (head, *texts)]


def _names(chosen: Sequence[Series]) -> list[str]:
    """What each series is called: its operation or its test, and as much more as tells it from those of other tests."""
    tests: dict[str, set[str]] = {}
    for one in chosen:
        tests.setdefault(one.last.operation or _short(one.last.test), set()).add(one.last.test)
    return [clean(_full(one.last, tests)) for one in chosen]


def _full(last: Record, tests: Mapping[str, Collection[str]]) -> str:
    name = last.operation or _short(last.test)
    if len(tests[name]) == 1:
        return name
    return f"{name} ({_short(last.test)})" if last.operation else last.test


def _short(test: str) -> str:
    return test.rpartition("::")[2]


def _budget(one: Series, canvas: Canvas) -> str:
    return clipped(clean(one.last.budget), canvas.width // 2)


def _verdict(one: Series) -> str:
    return VERDICTS.get(one.last.outcome, _UNKNOWN)


def _ratchet(one: Series) -> str:
    if one.says:
        return _SAID[one.ratchet]
    return _OFF if one.ratchet else _NONE


def _told_in(chosen: Sequence[Series]) -> int:
    """How many cells the widest of the figures takes that may be shown."""
    return max(cells(_said(record)) for one in chosen for record in one.runs[-MOST:])


def _trend(one: Series, room: int, told: int = 0) -> str:
    """The last runs as blocks between the first and the latest figure, from zero to the greatest: "31.2 ms ▅▅▆▅▆█ 44.1 ms"."""
    shown = [_figure(record) for record in one.runs[-room:]]
    latest = _said(one.last)
    if len(shown) == 1:
        return latest
    most = max((figure for figure in shown if figure is not None and figure < inf), default=0.0)
    bars = "".join(_block(figure, most) for figure in shown)
    return f"{_said(one.runs[-room:][0])} {bars} {' ' * (told - cells(latest))}{latest}"


def _block(figure: float | None, most: float) -> str:
    if figure is None or figure == inf:
        return _UNKNOWN if figure is None else _FAILED
    return _BARS[max(ceil(figure / most * len(_BARS)), 1) - 1] if most else _BARS[0]


def _figure(record: Record) -> float | None:
    """What the budget is about in a run: a time, the share of errors, or the rate that was reached at least.

    Infinite where so many calls have failed that the quantile is one of them; None where it is not known.
    """
    if record.kind == "errors":
        return record.over / record.n if record.n else None
    if record.kind == "throughput":
        return 1 / record.high if record.high else None
    return inf if record.value is None and record.sketch else record.value


def _said(record: Record) -> str:
    figure = _figure(record)
    if figure is None or figure == inf:
        return _UNKNOWN if figure is None else "failed"
    if record.kind == "errors":
        return percent(figure)
    return rate(figure) if record.kind == "throughput" else spoken(figure)


def _share(record: Record) -> str:
    """How much of the limit the last run took; of a throughput, how much of it was reached."""
    figure, limit = _figure(record), record.limit
    if record.kind == "errors":
        limit = 1 - record.quantile
    elif record.kind == "throughput" and limit:
        limit = 1 / limit
    return f"{figure / limit:.0%}" if figure is not None and figure < inf and limit > 0 else _NONE


# For programs


def _data(past: Past) -> dict[str, Any]:
    machines = [_machine_data(machine, past.here) for machine in past.machines]
    return {"schema": SCHEMA, "machines": machines, "others": list(past.others)}


def _machine_data(machine: Machine, here: str) -> dict[str, Any]:
    return {
        "machine": machine.name,
        "here": machine.name == here,
        "budgets": list(map(_series_data, machine.series)),
        "problems": list(machine.problems),
    }


def _series_data(one: Series) -> dict[str, Any]:
    last = one.last
    return {
        "test": last.test,
        "operation": last.operation,
        "kind": last.kind,
        "budget": last.budget,
        "quantile": last.quantile,
        "limit": _limit(last),
        "outcome": last.outcome,
        "ratchet": one.ratchet or None,
        "reason": one.reason,
        "note": one.note,
        "runs": [{name: getattr(record, name) for name in _OF_A_RUN} | {"limit": _limit(record)} for record in one.runs],
    }


def _limit(record: Record) -> float | None:
    """Seconds; a budget for errors has none."""
    return None if record.kind == "errors" else record.limit


# For Apache Otava


def _otava(tests: Mapping[str, Path], folder: Path) -> Iterator[str]:
    """What otava.yaml needs for these tables, as YAML with the rest in comments."""
    if not tests:
        yield "# no times in the history that could be written"
        return
    yield f"# {plural(len(tests), 'table')} written to {clean(_from_here(folder))}; this belongs into otava.yaml"
    yield "templates:"
    yield "  latency:"
    yield "    type: csv"
    yield "    time_column: time"
    yield "    attributes: [commit]"
    yield "    metrics:"
    for metric in OTAVA_METRICS:
        yield f"      {metric}: {{direction: -1}}"
    yield "tests:"
    for name, path in tests.items():
        yield f"  {json.dumps(name)}:"
        yield "    inherit: [latency]"
        yield f"    file: {json.dumps(_from_here(path), ensure_ascii=False)}"
    yield f"# then: OTAVA_CONFIG=otava.yaml otava analyze {next(iter(tests))}"


def _from_here(path: Path) -> str:
    return os.path.relpath(path).replace(os.sep, "/")
