"""SLO212: words that promise another latency than the query measures."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from pytest_reliability.checks.slo._places import place
from pytest_reliability.contracts import Problem, check
from pytest_reliability.model.duration import spoken
from pytest_reliability.model.graph import Graph
from pytest_reliability.model.location import Location
from pytest_reliability.model.nodes import Query, Slo
from pytest_reliability.promql import selectors
from pytest_reliability.promql.values import metric_measured
from pytest_reliability.report import Level

UNITS = {"seconds": 1.0, "milliseconds": 1e-3, "ms": 1e-3}
ROUNDING = 1.15
"""Ends of buckets are often powers of two beside the round number that people say: 0.512 for 500ms."""


@dataclass(frozen=True, slots=True)
class Limit:
    """A latency that queries limit to so many `seconds`, as `text` says it; `unit` is the metric's."""

    seconds: float
    text: str
    unit: str
    at: Location


@check(Slo, code="SLO212", level=Level.SILVER)
def threshold_contradicts_query(slo: Slo, graph: Graph) -> Iterator[Problem]:
    """300 milliseconds in words and 300 seconds in the query: whoever reads the SLO believes in what nobody measures."""
    promised = _promised(slo.description)
    limit = _limit(slo, graph) if promised is not None else None
    if promised is None or limit is None or _agree(promised, limit.seconds) or _is_another(slo, promised, graph):
        return
    quotient = max(limit.seconds, promised) / min(limit.seconds, promised)
    reason = f": the metric counts in {limit.unit}" if 999 < quotient < 1001 else ", or correct the description"
    yield Problem(
        limit.at,
        f"SLO {slo.name!r} is about {spoken(promised)} by its description, but {limit.text} is {spoken(limit.seconds)}",
        hint=f"write {promised / UNITS[limit.unit]:g}{reason}",
    )


def _agree(one: float, other: float) -> bool:
    return max(one, other) <= min(one, other) * ROUNDING


def _is_another(slo: Slo, promised: float, graph: Graph) -> bool:
    """Whether a sibling with the same description keeps what it says."""
    siblings = (other for other in graph.of(Slo) if other.at.path == slo.at.path and other.description == slo.description)
    limits = (_limit(other, graph) for other in siblings if other is not slo)
    return any(limit is not None and _agree(promised, limit.seconds) for limit in limits)


# --- What the words say

_AMOUNT = r"(?<![\w.,-])(\d+(?:\.\d+)?)\s?(ms|msecs?|milliseconds?|s|secs?|seconds?)\b"
_EVERY = r"(?i)" + _AMOUNT
_LIMITS = rf"(?i)(?:\b(?:under|within|below|than|exceed\w*|at most|up to|over|above|in)|[<>≤≥]=?)\s*(?:the\s)?{_AMOUNT}"


def _promised(text: str) -> float | None:
    """The only length of time, in seconds, that a text speaks of, where it speaks of it as a limit."""
    limits = {_seconds(amount, unit) for amount, unit in re.findall(_LIMITS, text)}
    every = {_seconds(amount, unit) for amount, unit in re.findall(_EVERY, text)}
    return limits.pop() if len(limits) == 1 and len(every) == 1 and 0 not in limits else None


def _seconds(amount: str, unit: str) -> float:
    return float(amount) * (1e-3 if unit.casefold().startswith("m") else 1.0)


# --- What the queries say

_METRIC = r"\w+_(seconds|milliseconds|ms)(?:_bucket)?"


def _limit(slo: Slo, graph: Graph) -> Limit | None:
    """The latency that an SLO counts or compares; None wherever that is not beyond doubt."""
    queries = graph.queries_of(slo)
    if any(query.language != "promql" or query.parsable is None for query in queries):
        return None
    thresholds = [query for query in queries if query.role == "threshold"]
    return _compared(slo, thresholds[0]) if thresholds else _bucket(queries)


def _compared(slo: Slo, query: Query) -> Limit | None:
    """What a measured latency is compared with, in the unit that the name of the metric gives."""
    named = re.fullmatch(_METRIC, metric_measured(query.parsable or "") or "")
    if named is None or slo.threshold is None or slo.threshold <= 0 or slo.operator not in ("lt", "lte"):
        return None
    return Limit(float(slo.threshold) * UNITS[named[1]], f"its threshold of {slo.threshold}", named[1], slo.at)


def _bucket(queries: tuple[Query, ...]) -> Limit | None:
    """The end of the only bucket that the queries name."""
    found = {
        (matcher.value, named[1]): query
        for query in queries
        for selector in selectors(query.parsable or "")
        if (named := re.fullmatch(_METRIC, selector.metric or "")) is not None
        for matcher in selector.matchers
        if matcher.label == "le" and matcher.operator == "=" and matcher.value != "+Inf"
    }
    if len(found) != 1:
        return None
    ((bound, unit), query) = found.popitem()
    try:
        seconds = float(bound) * UNITS[unit]
    except ValueError:
        return None
    at = place(query, rf"\ble\s*=\s*[\"'`]{re.escape(bound)}[\"'`]")
    return Limit(seconds, f'le="{bound}"', unit, at) if 0 < seconds < float("inf") else None
