"""Gatling (https://gatling.io): `simulation.log` as text, which it was up to 3.10, and `js/stats.json` of the report.

Since 3.11 the log is binary, and only Gatling reads it. A report tells the times of the requests that succeeded apart from those
that failed; its percentiles are estimates, but its counts below and above two bounds are exact.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from pytest_reliability.latency.engines.opened import Opened
from pytest_reliability.latency.engines.readers import Reader
from pytest_reliability.latency.engines.result import EVERYTHING, Calls, Mark, Result, estimated, in_words, maximum, minimum

MILLISECOND = 1e-3

QUANTILES = (0.5, 0.75, 0.95, 0.99)
"""What `percentiles1` to `percentiles4` are, unless gatling.conf says otherwise; the file does not."""

USUAL = "percentiles1 to 4 are taken for Gatling's default, p50, p75, p95 and p99; the file does not say which they are"
INSTEAD = "judge js/stats.json, which lies in the folder of the report"

_BINARY = re.compile(rb"\A\0\0\0\0[\x01-\x20]\d+\.\d+")
_NUMBER = re.compile(r"[0-9]{1,15}")
_BOUND = re.compile(r"([0-9]+(?:\.[0-9]+)?) ms")


# The log


def is_log(opened: Opened) -> bool:
    """Whether this is a log in one of its text forms: the record's kind is the first field, before 2.3 the third."""
    first = opened.head[0].split("\t") if opened.head else []
    return len(first) > 1 and (first[0] in ("RUN", "ASSERTION") or "RUN" in first[2:3])


def read_log(opened: Opened) -> Iterator[Result]:
    """Every request by its name, with the groups that it is in before it."""
    calls = Calls(opened.name)
    for line in opened.lines():
        row = line.rstrip("\r\n").split("\t")
        if row[0] == "REQUEST":
            _request(opened, calls, row, times=2)
        elif row[2:3] == ["REQUEST"]:
            _request(opened, calls, row, times=4)
    yield from calls.results()


def _request(opened: Opened, calls: Calls, row: list[str], times: int) -> None:
    """A record ends in times, the status and perhaps a message; what stands before the groups differs from version to version."""
    for status in range(times + 2, len(row)):
        if row[status] in ("OK", "KO") and all(map(_NUMBER.fullmatch, row[status - times : status])):
            groups, name = row[status - times - 2 : status - times]
            began, ended = int(row[status - times]) * MILLISECOND, int(row[status - 1]) * MILLISECOND
            path = " / ".join((*filter(None, groups.split(",")), name))
            calls.add(path, max(0.0, ended - began), failed=row[status] == "KO", began=began, ended=ended)
            return
    raise opened.damaged("the record is no request of Gatling")


def is_binary(opened: Opened) -> bool:
    """Whether this is a log of Gatling 3.11 or later."""
    return bool(_BINARY.match(opened.start))


def read_binary(opened: Opened) -> Iterator[Result]:
    """Refuse, and say what can be read."""
    raise opened.wrong("since Gatling 3.11 its log is binary, and only Gatling reads it", INSTEAD, line=0)
    yield


# The report


def is_script(opened: Opened) -> bool:
    """Whether this is js/stats.js, which is a program."""
    return bool(opened.head) and opened.head[0].startswith(("var stats =", "var statsResults ="))


def read_script(opened: Opened) -> Iterator[Result]:
    """Refuse: the same lies beside it as JSON."""
    raise opened.wrong("js/stats.js is a program", INSTEAD, line=0)
    yield


def is_report(opened: Opened) -> bool:
    """Whether this is js/stats.json or js/global_stats.json."""
    document = opened.document
    if not isinstance(document, dict):
        return False
    stats = document.get("stats", document)
    return isinstance(stats, dict) and isinstance(stats.get("numberOfRequests"), dict)


def read_report(opened: Opened) -> Iterator[Result]:
    """All requests, and each by its name."""
    opened.number = 0
    document = opened.document
    yield _result(opened, EVERYTHING, document.get("stats", document))
    yield from _contents(opened, document, ())


def _contents(opened: Opened, group: Mapping[str, Any], path: tuple[str, ...]) -> Iterator[Result]:
    contents = group.get("contents")
    for part in contents.values() if isinstance(contents, dict) else ():
        stats = part.get("stats") if isinstance(part, dict) else None
        if not isinstance(stats, dict):
            raise opened.damaged("a request has no stats")
        here = (*path, str(part.get("name", stats.get("name"))))
        if part.get("type") == "GROUP" or "contents" in part:
            yield from _contents(opened, part, here)
        else:
            yield _result(opened, " / ".join(here), stats)


def _result(opened: Opened, name: str, stats: Mapping[str, Any]) -> Result:
    succeeded = opened.count(_of(opened, stats, "numberOfRequests", "ok"), "numberOfRequests.ok")
    failed = opened.count(_of(opened, stats, "numberOfRequests", "ko"), "numberOfRequests.ko")
    n = succeeded + failed
    rate = _of(opened, stats, "meanNumberOfRequestsPerSecond", "total")
    per_second = opened.number_of(rate, "meanNumberOfRequestsPerSecond") if rate is not None else 0.0
    marks, held = _marks(opened, stats, succeeded)
    return Result(
        name=name,
        n=n,
        errors=failed,
        source=opened.name,
        marks=tuple(marks),
        timed=succeeded,
        failed="apart",
        seconds=n / per_second if per_second > 0 else None,
        precision=n * 0.005 / per_second**2 if per_second > 0 else 0.0,
        holds=held,
        notes=(USUAL,),
    )


def _marks(opened: Opened, stats: Mapping[str, Any], n: int) -> tuple[list[Mark], str]:
    """What is known of the times of the `n` requests that succeeded."""
    marks: list[Mark] = []
    held: list[str] = []
    if not n:
        return marks, "no request that succeeded"
    for number, quantile in enumerate(QUANTILES, 1):
        value = _of(opened, stats, f"percentiles{number}", "ok")
        if value is not None:
            seconds = opened.time(value, f"percentiles{number}", MILLISECOND)
            marks += estimated(quantile, seconds, n, rounded=MILLISECOND / 2)
            held.append(f"p{quantile * 100:g}")
    slowest, fastest = (_of(opened, stats, key, "ok") for key in ("maxResponseTime", "minResponseTime"))
    if slowest is not None:
        marks.append(maximum(opened.time(slowest, "maxResponseTime", MILLISECOND), n))
    if fastest is not None:
        marks.append(minimum(opened.time(fastest, "minResponseTime", MILLISECOND), n))
    bounds = _bounds(opened, stats, n)
    return marks + bounds, in_words([*held, "the maximum", *(f"the count over {mark.seconds * 1000:g} ms" for mark in bounds)])


def _bounds(opened: Opened, stats: Mapping[str, Any], n: int) -> list[Mark]:
    """Below the lower of two bounds are the requests of group1, from the higher on those of group3."""
    marks = []
    for key in ("group1", "group3"):
        group = stats.get(key)
        bound = _BOUND.search(str(group.get("name"))) if isinstance(group, dict) else None
        if isinstance(group, dict) and bound:
            counted = min(n, opened.count(group.get("count"), f"{key}.count"))
            longer = n - counted if key == "group1" else counted
            marks.append(Mark(float(bound[1]) * MILLISECOND, longer, longer))
    return marks


def _of(opened: Opened, stats: Mapping[str, Any], key: str, which: str) -> Any:
    """One of the values "total", "ok" and "ko"; None where there is none, which is also written "-"."""
    values = stats.get(key)
    if values is not None and not isinstance(values, dict):
        raise opened.damaged(f"{key} is {values!r}, which has no {which}")
    value = values.get(which) if values else None
    return None if value == "-" else value


READERS = (
    Reader("Gatling log, binary", is_binary, read_binary),
    Reader("Gatling log", is_log, read_log),
    Reader("Gatling report as a program", is_script, read_script),
    Reader("Gatling report", is_report, read_report),
)
