"""vegeta (https://github.com/tsenart/vegeta): `encode` as JSON lines or CSV, `report -type=json` and `-type=hist[…]`.

A request failed where its status is not 200 to 399 or an error stands beside it; its time is among the others. The percentiles
of a report are estimates.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from pytest_reliability.latency.engines.hdr import HOLDS, NO_ERRORS, UNITS
from pytest_reliability.latency.engines.instants import instant
from pytest_reliability.latency.engines.opened import Opened
from pytest_reliability.latency.engines.readers import Reader
from pytest_reliability.latency.engines.result import EVERYTHING, Calls, Mark, Result, estimated, in_words, maximum, minimum
from pytest_reliability.latency.engines.tables import fields
from pytest_reliability.model.duration import Duration

NANOSECOND = UNITS["ns"]

ENCODE = "turn it into text first: vegeta encode -to json results.bin > results.json"

_PERCENTILE = re.compile(r"([0-9]{1,2})th")
_BUCKET = re.compile(r"\[([^,\s]+),\s+([^\]\s]+)\]\s+([0-9]{1,15})\s+[0-9.]+%.*")


# Every request


def is_lines(opened: Opened) -> bool:
    """Whether this is `vegeta encode -to json`."""
    document = opened.document
    return isinstance(document, dict) and {"latency", "timestamp", "code"} <= document.keys()


def read_lines(opened: Opened) -> Iterator[Result]:
    """Every request, by method and URL."""
    calls = Calls(opened.name)
    for line in opened.lines():
        if not line.strip():
            continue
        try:
            hit = json.loads(line)
            code, latency, began = hit["code"], hit["latency"], instant(hit["timestamp"])
            error, method, url = hit.get("error"), hit.get("method"), hit.get("url")
        except (ValueError, RecursionError, KeyError, TypeError, AttributeError):
            raise opened.damaged("the line is no result of vegeta") from None
        _add(opened, calls, method, url, code, latency, began, bool(error))
    yield from calls.results()


def is_csv(opened: Opened) -> bool:
    """Whether this is `vegeta encode -to csv`: nanoseconds since 1970, status, nanoseconds, bytes out, bytes in, error …"""
    first = opened.head[0].split(",") if opened.head else []
    return len(first) >= 7 and all(field.isascii() and field.isdigit() for field in first[:5]) and len(first[0]) >= 18


def read_csv(opened: Opened) -> Iterator[Result]:
    """Every request, by method and URL."""
    calls = Calls(opened.name)
    for row in fields(opened):
        if len(row) < 7:
            raise opened.damaged(f"the row has {len(row)} fields; vegeta writes 12")
        began = opened.time(row[0], "the time of day", NANOSECOND)
        method, url = row[9:11] if len(row) > 10 else ("", "")
        _add(opened, calls, method, url, row[1], row[2], began, bool(row[5]))
    yield from calls.results()


def _add(
    opened: Opened, calls: Calls, method: object, url: object, code: object, latency: object, began: float, failed: bool
) -> None:
    seconds = opened.time(latency, "latency", NANOSECOND)
    status = opened.count(code, "code")
    name = " ".join(str(part) for part in (method, url) if part) or "request"
    calls.add(name, seconds, failed=failed or not 200 <= status < 400, began=began, ended=began + seconds)


# Reports


def is_report(opened: Opened) -> bool:
    """Whether this is `vegeta report -type=json`."""
    document = opened.document
    return isinstance(document, dict) and isinstance(document.get("latencies"), dict) and "requests" in document


def read_report(opened: Opened) -> Iterator[Result]:
    """All requests; with `-buckets` the steps of a histogram as well."""
    report = opened.document
    opened.number = 0
    n = opened.count(report["requests"], "requests")
    success = opened.number_of(report.get("success"), "success")
    seconds = sum(opened.time(report.get(key, 0), key, NANOSECOND) for key in ("duration", "wait"))
    marks, held = _estimates(opened, report["latencies"], n)
    buckets = report.get("buckets")
    if isinstance(buckets, dict) and buckets:
        steps = [
            (opened.time(start, "a bucket", NANOSECOND), opened.count(count, "a bucket")) for start, count in buckets.items()
        ]
        marks += _steps(opened, steps)
        held += f", {HOLDS}"
    yield Result(
        name=EVERYTHING,
        n=n,
        errors=min(n, max(0, round((1.0 - success) * n))),
        source=opened.name,
        marks=tuple(marks),
        timed=n,
        seconds=seconds or None,
        holds=held,
    )


def _estimates(opened: Opened, latencies: Mapping[str, Any], n: int) -> tuple[list[Mark], str]:
    marks: list[Mark] = []
    held: list[str] = []
    for key, value in latencies.items():
        if match := _PERCENTILE.fullmatch(key):
            marks += estimated(int(match[1]) / 100.0, opened.time(value, key, NANOSECOND), n)
            held.append(f"p{match[1]}")
        elif key == "max":
            marks.append(maximum(opened.time(value, key, NANOSECOND), n))
        elif key == "min" and value:
            marks.append(minimum(opened.time(value, key, NANOSECOND), n))
    return marks, f"estimates of {in_words(held)}, and the maximum"


def is_histogram(opened: Opened) -> bool:
    """Whether this is `vegeta report -type='hist[…]'`."""
    return bool(opened.head) and opened.head[0].split() == ["Bucket", "#", "%", "Histogram"]


def read_histogram(opened: Opened) -> Iterator[Result]:
    """All requests, in the steps that were asked for."""
    counts: list[tuple[float, int]] = []
    for line in opened.lines():
        if not line.strip() or opened.number == 1:
            continue
        match = _BUCKET.fullmatch(line.strip())
        if match is None:
            raise opened.damaged("the line is no step of a histogram")
        counts.append((_go_duration(opened, match[1]), int(match[3])))
    n = sum(count for _, count in counts)
    marks = tuple(_steps(opened, counts))
    yield Result(
        name=EVERYTHING,
        n=n,
        errors=0,
        source=opened.name,
        marks=marks,
        timed=n,
        holds=HOLDS,
        counts_failures=False,
        notes=(NO_ERRORS,),
    )


def _steps(opened: Opened, counts: list[tuple[float, int]]) -> list[Mark]:
    """What the counts of steps say that begin at these times, up to the next one."""
    marks = []
    left = sum(count for _, count in counts)
    for seconds, count in sorted(counts):
        marks.append(Mark(seconds, left, left))
        left -= count
    if marks and marks[0].seconds > 0:  # vegeta counts what is faster than all steps into the last one
        raise opened.wrong(
            "the steps do not begin at 0", "ask for them from 0 on: vegeta report -type='hist[0,50ms,100ms]'", line=0
        )
    return marks


def _go_duration(opened: Opened, text: str) -> float:
    try:
        return 0.0 if text == "0" else Duration.parse(text).seconds
    except ValueError:
        raise opened.damaged(f"{text!r} is no duration") from None


# The binary form


def is_binary(opened: Opened) -> bool:
    """Whether this is what `vegeta attack` writes."""
    return b"Attack" in opened.start and b"Latency" in opened.start and b"BytesOut" in opened.start


def read_binary(opened: Opened) -> Iterator[Result]:
    """Refuse, and say how to get text."""
    raise opened.wrong("vegeta's binary results are only for vegeta", ENCODE, line=0)
    yield


READERS = (
    Reader("vegeta, binary", is_binary, read_binary),
    Reader("vegeta results", is_lines, read_lines),
    Reader("vegeta results", is_csv, read_csv),
    Reader("vegeta report", is_report, read_report),
    Reader("vegeta histogram", is_histogram, read_histogram),
)
