"""Locust (https://docs.locust.io): the CSV files of `--csv`.

Locust keeps times in few digits: below 100 ms to 1 ms, below a second to 10 ms, then to 100 ms and to a second. So each
percentile is taken for anything that may have been rounded to it. A failed request's time is among the others.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from pytest_reliability.latency.engines.opened import Opened
from pytest_reliability.latency.engines.readers import Reader
from pytest_reliability.latency.engines.result import EVERYTHING, Mark, Result, in_words, maximum, minimum, percentile
from pytest_reliability.latency.engines.tables import rows, starts

MILLISECOND = 1e-3
AGGREGATED = "Aggregated"

_PERCENTAGE = re.compile(r"(\d+(?:\.\d+)?)%")

WINDOWS = (
    "the percentiles of a history with --csv-full-history are of ten seconds each, so that they say nothing about the whole run; "
    "judge …_stats.csv, which Locust writes beside it"
)


def is_stats(opened: Opened) -> bool:
    """Whether this is …_stats.csv."""
    return starts(opened, "Type,Name,Request Count,Failure Count")


def read_stats(opened: Opened) -> Iterator[Result]:
    """Everything, and each request by type and name."""
    for row in rows(opened, ("Type", "Name", "Request Count", "Failure Count", *_times(""))):
        count = opened.count(row["Request Count"], "Request Count")
        rate = opened.number_of(row["Requests/s"], "Requests/s") if "Requests/s" in row else 0.0
        yield _result(opened, row, "", count, seconds=count / rate if rate > 0 else None)


def is_history(opened: Opened) -> bool:
    """Whether this is …_stats_history.csv."""
    return starts(opened, "Timestamp,User Count,Type,Name")


def read_history(opened: Opened) -> Iterator[Result]:
    """The last row of everything, and of each request where the history is a full one: what was counted until then."""
    last: dict[str, tuple[dict[str, str], int]] = {}
    began: float | None = None
    needed = ("Timestamp", "Type", "Name", "Total Request Count", "Total Failure Count", *_times("Total "))
    for row in rows(opened, needed):
        began = opened.number_of(row["Timestamp"], "Timestamp") if began is None else began
        last[_name(row)] = row, opened.number
    full = len(last) > 1
    for row, number in last.values():
        opened.number = number
        count = opened.count(row["Total Request Count"], "Total Request Count")
        lasted = opened.number_of(row["Timestamp"], "Timestamp") - (began or 0.0)
        told = {key: value for key, value in row.items() if not full or not _PERCENTAGE.fullmatch(key)}
        yield _result(
            opened, told, "Total ", count, seconds=lasted if lasted > 0 else None, precision=1.0, notes=(WINDOWS,) if full else ()
        )


def is_failures(opened: Opened) -> bool:
    """Whether this is …_failures.csv or …_exceptions.csv."""
    return starts(opened, "Method,Name,Error,Occurrences") or starts(opened, "Count,Message,Traceback")


def read_failures(opened: Opened) -> Iterator[Result]:
    """Refuse: how many requests there were stands elsewhere."""
    raise opened.wrong(
        "the file counts failures, but not the requests that they are a share of",
        "judge …_stats.csv, which Locust writes beside it and which has both",
        line=0,
    )
    yield


def _result(
    opened: Opened,
    row: Mapping[str, str],
    prefix: str,
    count: int,
    *,
    seconds: float | None,
    precision: float = 0.0,
    notes: tuple[str, ...] = (),
) -> Result:
    errors = opened.count(row[f"{prefix}Failure Count"], "Failure Count")
    marks, held = _marks(opened, row, prefix, count)
    return Result(
        name=_name(row),
        n=count,
        errors=min(errors, count),
        source=opened.name,
        marks=tuple(marks),
        timed=count,
        seconds=seconds,
        precision=precision,
        holds=held,
        notes=notes,
    )


def _name(row: Mapping[str, str]) -> str:
    if row["Name"] == AGGREGATED and not row["Type"]:
        return EVERYTHING
    return f"{row['Type']} {row['Name']}".strip()


def _marks(opened: Opened, row: Mapping[str, str], prefix: str, n: int) -> tuple[Sequence[Mark], str]:
    if not n:
        return (), "no requests"
    marks: list[Mark] = []
    held: list[str] = []
    for key, value in row.items():
        match = _PERCENTAGE.fullmatch(key)
        if match is None or value == "N/A":
            continue
        quantile, seconds = float(match[1]) / 100.0, opened.time(value, key, MILLISECOND)
        if quantile < 1.0:
            marks += percentile(quantile, seconds, n, rounded=_rounded(seconds))
            held.append(f"p{quantile * 100:g}")
    median, slowest, fastest = (opened.time(row[key], key, MILLISECOND) for key in _times(prefix))
    marks += percentile(0.5, median, n, rounded=_rounded(median))
    marks += maximum(slowest, n), minimum(fastest, n)
    return marks, in_words([*(held or ["the median"]), "the maximum"])


def _times(prefix: str) -> tuple[str, str, str]:
    return f"{prefix}Median Response Time", f"{prefix}Max Response Time", f"{prefix}Min Response Time"


def _rounded(seconds: float) -> float:
    """By how much a time may have been rounded to `seconds`."""
    return next(half for bound, half in _DIGITS if seconds < bound)


_DIGITS = ((0.1, 0.0005), (1.0, 0.005), (10.0, 0.05), (float("inf"), 0.5))

READERS = (
    Reader("Locust statistics", is_stats, read_stats),
    Reader("Locust history", is_history, read_history),
    Reader("Locust failures", is_failures, read_failures),
)
