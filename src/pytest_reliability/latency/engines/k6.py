"""k6 (https://grafana.com/docs/k6): the summary in its three shapes, and every point as JSON lines or CSV.

What counts as a request is the metric `http_req_duration` (or `grpc_req_duration`). A failed request is one whose response was
not expected, as k6 itself has it; its time is among the others.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from math import nan
from typing import Any

from pytest_reliability.latency.engines.hdr import NO_ERRORS
from pytest_reliability.latency.engines.instants import instant
from pytest_reliability.latency.engines.opened import Opened
from pytest_reliability.latency.engines.readers import Reader
from pytest_reliability.latency.engines.result import EVERYTHING, Calls, Mark, Result, in_words, maximum, minimum, percentile
from pytest_reliability.latency.engines.tables import rows, starts

MILLISECOND = 1e-3

REQUESTS = ("http_req_duration", "grpc_req_duration")
"""The metrics that have one value for each request."""

_PHASE = re.compile(r"(http|browser_http)_req_(blocked|connecting|tls_handshaking|sending|waiting|receiving)")
_METRIC = re.compile(r'"metric"\s*:\s*"([^"\\]*)"')
_PERCENTILE = re.compile(r"p\((\d+(?:\.\d+)?)\)")
_TAGGED = re.compile(r"([^{]+)\{(.*)\}", re.DOTALL)


# Summaries


def is_summary(opened: Opened) -> bool:
    """Whether this is what `--summary-export` writes, or what `handleSummary` is given."""
    document = opened.document
    if not isinstance(document, dict):
        return False
    metrics = document.get("metrics")
    if isinstance(metrics, dict):
        return not metrics.keys().isdisjoint({"iterations", "http_reqs", "vus"}) or "root_group" in document
    results = document.get("results")
    return isinstance(results, dict) and isinstance(results.get("metrics"), list)


def read_summary(opened: Opened) -> Iterator[Result]:
    """All requests, and each tagged part of them that a threshold made k6 keep."""
    document = opened.document
    metrics = _metrics(opened, document)
    seconds = _duration(opened, document, metrics)
    found = False
    for name, values in metrics.items():
        metric, tags = _name(name)
        if "p(95)" not in values and not any(map(_PERCENTILE.fullmatch, values)) and "max" not in values:
            continue
        if metric in REQUESTS and "expected_response" not in tags:
            found = True
            yield _summed(opened, metric, tags, values, metrics, seconds)
    if not found:
        raise opened.wrong(
            "the summary has no http_req_duration or grpc_req_duration",
            "run a k6 script that sends requests, with: k6 run --summary-export=k6.json script.js",
            line=0,
        )


def _metrics(opened: Opened, document: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The values of each metric, whichever shape the summary has."""
    given = document.get("metrics")
    if not isinstance(given, dict):
        listed = [metric for metric in document["results"]["metrics"] if isinstance(metric, dict)]
        given = {str(metric.get("name")): metric for metric in listed}
    values = {name: metric.get("values", metric) for name, metric in given.items() if isinstance(metric, dict)}
    for name, metric in values.items():
        if not isinstance(metric, dict):
            raise opened.wrong(f"the metric {name!r} has no values", "run the load test again", line=0)
    return values


def _duration(opened: Opened, document: Mapping[str, Any], metrics: Mapping[str, Mapping[str, Any]]) -> float | None:
    """How long the run took, in seconds."""
    state, config = document.get("state"), document.get("config")
    if isinstance(state, dict) and "testRunDurationMs" in state:
        return opened.time(state["testRunDurationMs"], "testRunDurationMs", MILLISECOND)
    if isinstance(config, dict) and "duration" in config:
        return opened.time(config["duration"], "duration", 1.0)
    requests = metrics.get("http_reqs", {})
    if "count" in requests and "rate" in requests:
        rate = opened.number_of(requests["rate"], "the rate of http_reqs")
        return opened.count(requests["count"], "the count of http_reqs") / rate if rate > 0 else None
    return None


def _summed(
    opened: Opened,
    metric: str,
    tags: str,
    values: Mapping[str, Any],
    metrics: Mapping[str, Mapping[str, Any]],
    seconds: float | None,
) -> Result:
    suffix = f"{{{tags}}}" if tags else ""
    n = _count(opened, metric, suffix, values, metrics)
    name = _called(metric, tags)
    lacks = ""
    if n is None:
        lacks = (
            f"the summary does not say how many requests {name or metric!r} had; "
            "write it with: k6 run --summary-trend-stats='med,p(90),p(95),p(99),max,count'"
        )
    errors, note = _errors(opened, suffix, n or 0, metrics)
    marks, held = _marks(opened, values, n or 0)
    return Result(
        name=name,
        n=n or 0,
        errors=errors,
        source=opened.name,
        marks=tuple(marks),
        timed=n or 0,
        seconds=seconds,
        holds=held,
        lacks=lacks,
        counts_failures=not note,
        notes=note,
    )


def _count(
    opened: Opened, metric: str, suffix: str, values: Mapping[str, Any], metrics: Mapping[str, Mapping[str, Any]]
) -> int | None:
    """How many requests the values come from."""
    for counted in (values, metrics.get(f"http_reqs{suffix}", {}) if metric.startswith("http") else {}):
        if "count" in counted:
            return opened.count(counted["count"], "the count of requests")
    rate = metrics.get(f"http_req_failed{suffix}", {}) if metric.startswith("http") else {}
    if "passes" in rate and "fails" in rate:
        return opened.count(rate["passes"], "passes") + opened.count(rate["fails"], "fails")
    return opened.count(rate["total"], "total") if "total" in rate else None


def _errors(opened: Opened, suffix: str, n: int, metrics: Mapping[str, Mapping[str, Any]]) -> tuple[int, tuple[str, ...]]:
    """How many requests failed; `passes` are those for which "failed" is true."""
    rate = metrics.get(f"http_req_failed{suffix}", {})
    failed = rate.get("passes", rate.get("matches"))
    if failed is None:
        return 0, (NO_ERRORS,)
    return min(n, opened.count(failed, "the number of failed requests")), ()


def _marks(opened: Opened, values: Mapping[str, Any], n: int) -> tuple[list[Mark], str]:
    """What is known of the times, and what the file holds, in words."""
    marks: list[Mark] = []
    held: dict[float, str] = {}
    for key, value in values.items():
        match = _PERCENTILE.fullmatch(key)
        if match or key == "med":
            quantile = float(match[1]) / 100.0 if match else 0.5
            if quantile <= 1.0:
                marks += percentile(quantile, opened.time(value, key, MILLISECOND), n)
                held[quantile] = f"p{quantile * 100:g}"
        elif key == "max":
            marks.append(maximum(opened.time(value, key, MILLISECOND), n))
            held[2.0] = "the maximum"
        elif key == "min":
            marks.append(minimum(opened.time(value, key, MILLISECOND), n))
    return marks, in_words([held[key] for key in sorted(held)])


def _name(name: str) -> tuple[str, str]:
    """The metric and its tags: "http_req_duration{name:search}"."""
    match = _TAGGED.fullmatch(name)
    return (match[1], match[2]) if match else (name, "")


def _called(metric: str, tags: str) -> str:
    """What people call the requests: "GET search" for the tags "method:GET,name:search"; "name:" alone is left out."""
    if not tags:
        return EVERYTHING if metric == REQUESTS[0] else metric
    told = dict(tag.partition(":")[::2] for tag in tags.split(",")) if "://" not in tags else {}
    told = {key.strip(): value.strip() for key, value in told.items()}
    if told and told.keys() <= {"name", "method"}:
        return " ".join(told[key] for key in ("method", "name") if key in told)
    return tags


# Every point


def is_lines(opened: Opened) -> bool:
    """Whether this is what `--out json=…` writes."""
    document = opened.document
    return isinstance(document, dict) and document.get("type") in ("Metric", "Point") and "metric" in document


def read_lines(opened: Opened) -> Iterator[Result]:
    """Requests by method and name; a time metric of the script's own by its name."""
    calls = Calls(opened.name)
    timed = set(REQUESTS)
    for line in opened.lines():
        match = _METRIC.search(line)
        if match is None:
            if line.strip():
                raise opened.damaged("the line is no point of k6")
        elif match[1] in timed or '"Metric"' in line:
            _line(opened, line, timed, calls)
    yield from calls.results()


def _line(opened: Opened, line: str, timed: set[str], calls: Calls) -> None:
    try:
        entry = json.loads(line)
        data, metric = entry["data"], entry["metric"]
        kind, value = entry["type"], data.get("value")
        tags = data.get("tags") or {}
        declared = data.get("type"), data.get("contains")
        known = metric in timed
        named = tags.get
    except (ValueError, RecursionError, KeyError, TypeError, AttributeError):
        raise opened.damaged("the line is no point of k6") from None
    if kind == "Metric":
        if declared == ("trend", "time") and isinstance(metric, str) and not _PHASE.fullmatch(metric):
            timed.add(metric)
    elif known:
        seconds = opened.time(value, metric, MILLISECOND)
        ended = instant(data.get("time"))
        if metric in REQUESTS:
            called = _request(named("method"), named("name") or named("url"))
            calls.add(called, seconds, failed=_failed(metric, tags), began=ended - seconds, ended=ended)
        else:
            calls.add(metric, seconds, failed=False, began=ended - seconds, ended=ended, apart=True)


def _request(method: object, name: object) -> str:
    return " ".join(str(part) for part in (method, name) if part) or "request"


def _failed(metric: str, tags: Mapping[str, Any]) -> bool:
    """Whether a request failed: k6 tags what was not expected; without that tag its status tells."""
    status = str(tags.get("status") or "")
    if metric == "grpc_req_duration":
        return status not in ("", "0")
    expected = tags.get("expected_response")
    if expected:
        return bool(expected != "true")
    return bool(tags.get("error_code")) or (status.isdigit() and not 200 <= int(status) < 400)


def is_csv(opened: Opened) -> bool:
    """Whether this is what `--out csv=…` writes."""
    return starts(opened, "metric_name,timestamp,metric_value")


def read_csv(opened: Opened) -> Iterator[Result]:
    """Requests by method and name. k6 cuts their time of day to whole seconds, unless it is told otherwise."""
    calls = Calls(opened.name)
    fractions = False
    for row in rows(opened, ("metric_name", "timestamp", "metric_value")):
        metric = row["metric_name"]
        if metric in REQUESTS:
            seconds = opened.time(row["metric_value"], metric, MILLISECOND)
            ended, exact = _timestamp(row["timestamp"])
            fractions = fractions or exact
            called = _request(row.get("method"), row.get("name") or row.get("url"))
            calls.add(called, seconds, failed=_failed(metric, row), began=ended - seconds, ended=ended)
    yield from calls.results(precision=0.0 if fractions else 1.0)


def _timestamp(text: str) -> tuple[float, bool]:
    """Seconds since 1970 for any of the time formats of k6's CSV, and whether they go below a second."""
    if not text.isascii() or not text.isdigit():
        time = instant(text)
        return time, "." in text
    for unit, digits in ((1e-9, 19), (1e-6, 16), (1e-3, 13)):
        if len(text) == digits:
            return int(text) * unit, True
    return (float(text), False) if len(text) <= 12 else (nan, False)


READERS = (
    Reader("k6 summary", is_summary, read_summary),
    Reader("k6 points", is_lines, read_lines),
    Reader("k6 points", is_csv, read_csv),
)
