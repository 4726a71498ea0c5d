"""HdrHistogram (http://hdrhistogram.org): a table of percentiles, as its own tools, wrk2 and vegeta's hdrplot print it.

Each row says how many values were recorded up to the end of its step, so that only the calls between two rows are uncertain.
vegeta's table has no counts of its own: it computes them from percentiles, which are estimates.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from pytest_reliability.latency.engines.opened import Opened
from pytest_reliability.latency.engines.readers import Reader
from pytest_reliability.latency.engines.result import EVERYTHING, Mark, Result, estimated

UNITS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0}

HOLDS = "the steps of a histogram"
NO_ERRORS = "the file does not say how many requests failed: none is taken to have"

HEADER = re.compile(r'\s*"?Value(?:\((\w+)\))?"?[\s,]+"?Percentile"?[\s,]+"?TotalCount"?', re.IGNORECASE)

_NUMBER = r"[0-9]+(?:\.[0-9]+)?"
_ROW = re.compile(rf"\s*({_NUMBER})[\s,]+([01](?:\.[0-9]+)?)[\s,]+([0-9]{{1,15}})(?:[\s,]+\S+)?\s*")
_TOTAL = re.compile(r"#\[.*Total count\s*=\s*([0-9]{1,15})")


class Row(NamedTuple):
    """Of all values the share `quantile`, which is `values` values, is at most `value`; printed to half of `step`."""

    value: float
    quantile: float
    values: int
    step: float


def is_table(opened: Opened) -> bool:
    """Whether this is such a table, after comments at most."""
    return any(map(HEADER.match, opened.head[:10]))


def read_table(opened: Opened) -> Iterator[Result]:
    """The one distribution that is in the file."""
    lines = opened.lines()
    header = next(filter(None, map(HEADER.match, lines)))
    unit = UNITS.get(header[1])
    if unit is None:
        raise opened.wrong(
            "the table does not say in which unit its values are", "write it into the header: Value(ms) instead of Value"
        )
    rows, total = table(opened, lines)
    if total is None:
        yield _estimates(opened, rows, unit)
    else:
        marks = counted(rows, total, unit)
        yield Result(
            name=EVERYTHING,
            n=total,
            errors=0,
            source=opened.name,
            marks=marks,
            timed=total,
            holds=HOLDS,
            counts_failures=False,
            notes=(NO_ERRORS,),
        )


def table(opened: Opened, lines: Iterable[str]) -> tuple[list[Row], int | None]:
    """The rows that follow a header, and the number of recorded values, which the lines after them give."""
    rows: list[Row] = []
    for line in lines:
        if total := _TOTAL.match(line):
            return rows, _checked(opened, rows, int(total[1]))
        if row := _ROW.fullmatch(line):
            rows.append(_row(opened, row, rows))
        elif line.strip() and not line.startswith("#"):
            raise opened.damaged("the line is no row of a table of percentiles")
    if not rows or rows[-1].quantile < 1.0:
        raise opened.damaged("the table of percentiles does not reach 100%")
    return rows, None


def counted(rows: Iterable[Row], total: int, unit: float) -> tuple[Mark, ...]:
    """What counts of recorded values say."""
    marks: list[Mark] = []
    slowest = 0.0
    for row in rows:
        slower = total - row.values
        marks.append(Mark((row.value - row.step / 2) * unit, slower, total))
        marks.append(Mark((row.value + row.step / 2) * unit, 0, slower))
        slowest = row.value
    # The last step holds the slowest call; a step is at most 1% wide in a histogram of two digits, the coarsest in use.
    return (*marks, Mark(slowest * 0.99 * unit, 1, total))


def _row(opened: Opened, match: re.Match[str], before: list[Row]) -> Row:
    value, quantile, values = float(match[1]), float(match[2]), int(match[3])
    row = Row(value, quantile, values, 10.0 ** -len(match[1].partition(".")[2]))
    if quantile > 1.0 or (before and (value < before[-1].value or values < before[-1].values)):
        raise opened.damaged("the row is out of order")
    return row


def _checked(opened: Opened, rows: list[Row], total: int) -> int:
    if not rows or rows[-1].values != total:
        raise opened.damaged(f"the table counts {rows[-1].values if rows else 0} values, and says it has {total}")
    return total


def _estimates(opened: Opened, rows: list[Row], unit: float) -> Result:
    n = rows[-1].values
    marks = [mark for row in rows for mark in estimated(row.quantile, row.value * unit, n, rounded=row.step / 2 * unit)]
    return Result(
        name=EVERYTHING,
        n=n,
        errors=0,
        source=opened.name,
        marks=tuple(marks),
        timed=n,
        holds="estimated percentiles",
        counts_failures=False,
        notes=(NO_ERRORS,),
    )


READERS = (Reader("percentile table", is_table, read_table),)
