"""wrk2 (https://github.com/giltene/wrk2) and wrk (https://github.com/wg/wrk): what they print.

With `--latency` wrk2 prints a table of the recorded times, wrk four percentiles; without it there is only the maximum. wrk2
records times after a calibration of ten seconds, but counts errors from the start. So nobody knows how many of the errors are
among the times.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from pytest_reliability.latency.engines import hdr
from pytest_reliability.latency.engines.opened import Opened
from pytest_reliability.latency.engines.readers import Reader
from pytest_reliability.latency.engines.result import EVERYTHING, Mark, Result, in_words, maximum, percentile

_UNITS = {"us": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
_RUNNING = re.compile(r"\s*Running \S+ test @ ")
_TIME = r"([0-9]+(?:\.[0-9]+)?)(us|ms|s|m|h)"
_PERCENTAGE = re.compile(rf"\s*([0-9]{{1,3}}(?:\.[0-9]+)?)%\s+{_TIME}\s*")
_COLUMNS = re.compile(r"\s*Thread Stats\s+Avg\s+Stdev\s+Max\b.*")  # one version prints 99% where others print the maximum
_LATENCY = re.compile(rf"\s*Latency\s+{_TIME}\s+{_TIME}\s+{_TIME}\s+\S+\s*")
_REQUESTS = re.compile(rf"\s*([0-9]{{1,15}}) requests in {_TIME}, .* read\s*")
_SOCKETS = re.compile(r"\s*Socket errors: connect (\d{1,15}), read (\d{1,15}), write (\d{1,15}), timeout (\d{1,15})\s*", re.ASCII)
_UNEXPECTED = re.compile(r"\s*Non-2xx or 3xx responses: ([0-9]{1,15})\s*")
_RECORDED = re.compile(r"\s*#\[.*Total count\s*=\s*([0-9]{1,15})")
_UNCORRECTED = re.compile(r".*Uncorrected Latency")


def is_wrk(opened: Opened) -> bool:
    """Whether this is what wrk or wrk2 printed, whatever a shell printed before it."""
    return any(map(_RUNNING.match, opened.head))


def read_wrk(opened: Opened) -> Iterator[Result]:
    """All requests: wrk knows no operations."""
    shares: list[tuple[float, float, float]] = []
    rows: list[hdr.Row] = []
    errors = outside = 0
    slowest = requests = recorded = None
    has_maximum = False
    corrected = True
    lines = opened.lines()
    for line in lines:
        if _COLUMNS.match(line):
            has_maximum = True
        elif found := _LATENCY.fullmatch(line):
            slowest = _time(found[5], found[6]) if has_maximum else None
        elif _UNCORRECTED.match(line):
            corrected = False  # what follows leaves out the time that a request had to wait for its turn
        elif corrected and hdr.HEADER.match(line):
            rows, recorded = hdr.table(opened, lines)
        elif corrected and (found := _PERCENTAGE.fullmatch(line)):
            shares.append((float(found[1]) / 100.0, *_time(found[2], found[3])))
        elif corrected and (found := _RECORDED.match(line)):
            recorded = int(found[1])
        elif found := _REQUESTS.fullmatch(line):
            requests = int(found[1]), _time(found[2], found[3])[0]
        elif found := _SOCKETS.fullmatch(line):
            outside = sum(map(int, found.groups()))
        elif found := _UNEXPECTED.fullmatch(line):
            errors = int(found[1])
    if requests is None:
        raise opened.damaged("the line with the number of requests is missing")
    n, seconds = requests
    timed = n if recorded is None else recorded
    if rows:
        marks, held = hdr.counted(rows, timed, 1e-3), hdr.HOLDS
    else:
        marks, held = _marks(shares, slowest, timed)
    yield Result(
        name=EVERYTHING,
        n=n + outside,
        errors=min(n, errors) + outside,
        source=opened.name,
        marks=marks,
        timed=timed,
        failed="anywhere",
        seconds=seconds or None,
        holds=held,
    )


def _time(number: str, unit: str) -> tuple[float, float]:
    """Seconds, and by how many they may be rounded."""
    return float(number) * _UNITS[unit], 0.5 * 10.0 ** -len(number.partition(".")[2]) * _UNITS[unit]


def _marks(shares: list[tuple[float, float, float]], slowest: tuple[float, float] | None, n: int) -> tuple[tuple[Mark, ...], str]:
    marks: list[Mark] = []
    for quantile, seconds, rounded in shares:
        marks += percentile(min(quantile, 1.0), seconds, n, rounded=rounded)
    held = [f"p{quantile * 100:g}" for quantile, _, _ in shares]
    if slowest is not None:
        seconds, rounded = slowest
        marks += maximum(seconds + rounded, n)._replace(least=0), Mark(seconds - rounded, min(1, n), n)
        held.append("the maximum")
    return tuple(marks), in_words(held)


READERS = (Reader("wrk or wrk2", is_wrk, read_wrk),)
