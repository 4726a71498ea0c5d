"""Which engine wrote a file, told from what is in it, and everything that it says."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

from pytest_reliability.latency.engines import gatling, hdr, jmeter, k6, locust, vegeta, wrk2
from pytest_reliability.latency.engines.opened import Opened, ResultsError
from pytest_reliability.latency.engines.readers import Reader
from pytest_reliability.latency.engines.result import EVERYTHING, Result, together

STANDARD_INPUT = "-"

# What is binary comes first, then what has a name of its own, and last what is only told by its columns.
READERS: tuple[Reader, ...] = (
    *vegeta.READERS,
    *gatling.READERS,
    *k6.READERS,
    *locust.READERS,
    *wrk2.READERS,
    *hdr.READERS,
    *jmeter.READERS,
)

KINDS = "k6, Locust, wrk, wrk2, HdrHistogram, vegeta, Gatling or JMeter"


def read_results(path: Path | str) -> tuple[Result, ...]:
    """What a load engine's file says: all calls first, then each operation. "-" is the standard input.

    Raises ResultsError where it cannot be read, is of no known kind, or is damaged.
    """
    if str(path) == STANDARD_INPUT:
        return _read("standard input", sys.stdin.buffer)
    try:
        with Path(path).open("rb") as file:
            return _read(str(path), file)
    except (FileNotFoundError, IsADirectoryError, PermissionError) as error:
        hint = "name the file that the load engine wrote, or - for standard input"
        raise ResultsError(f"{path}: {error.strerror}\n  {hint}") from None


def _read(name: str, file: BinaryIO) -> tuple[Result, ...]:
    opened = Opened(name, file)
    try:
        return _results(opened)
    finally:
        opened.leave()


def _results(opened: Opened) -> tuple[Result, ...]:
    reader = next((reader for reader in READERS if reader.recognises(opened)), None)
    if reader is None:
        raise opened.wrong(_unknown(opened), f"give results of {KINDS}; docs/load-engines.md says how to make each", line=0)
    results = [result for result in reader.read(opened) if result.n or result.lacks]
    everything = next((result for result in results if result.name == EVERYTHING), None)
    if everything is None and results:
        everything = together(results, EVERYTHING, side_by_side=True)
        results.insert(0, everything)
    if everything is None:
        raise opened.wrong("there are no requests in it", "run the load test until it has sent some", line=0)
    source = f"{opened.name} ({reader.name})"
    ordered = sorted(results, key=lambda result: result.name != EVERYTHING)
    return tuple(replace(result, source=source) for result in ordered)


def _unknown(opened: Opened) -> str:
    if not opened.start.strip():
        return "the file is empty"
    first = opened.head[0].strip() if opened.head else ""
    if first.lower().startswith(("<!doctype html", "<html")):
        return "a report in HTML is for people"
    if b"\0" in opened.start:
        return "a binary file of no kind that is known"
    if first.startswith(("{", "[")) and opened.document is None:
        return "the JSON is damaged or was cut short"
    return f"the file is of no kind that is known; it begins with {first[:60]!r}"


def one_run(runs: Iterable[tuple[Result, ...]]) -> tuple[Result, ...]:
    """The results of several files as if they were of one: parts of the same run, written by several machines."""
    named: dict[str, list[Result]] = {}
    for results in runs:
        for result in results:
            named.setdefault(result.name, []).append(result)
    return tuple(together(results, name, side_by_side=True) for name, results in named.items())
