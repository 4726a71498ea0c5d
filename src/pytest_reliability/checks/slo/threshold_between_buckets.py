"""SLO210: a latency that the histogram cannot tell."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation

from pytest_reliability.checks.slo._metrics import definitions
from pytest_reliability.checks.slo._places import place
from pytest_reliability.contracts import Problem, check
from pytest_reliability.model.graph import Graph
from pytest_reliability.model.nodes import Indicator, Metric, Query
from pytest_reliability.promql import selectors
from pytest_reliability.report import Level

MOST = 16
"""How many buckets are listed."""


@check(Indicator, code="SLO210", level=Level.SILVER)
def threshold_between_buckets(indicator: Indicator, graph: Graph) -> Iterator[Problem]:
    """A histogram counts only up to the ends of its buckets; a query for any other number finds nothing and fails nobody."""
    told: set[tuple[str, str]] = set()
    for query, metric, bound in _thresholds(indicator):
        defined = definitions(metric, indicator, graph)
        if (metric, bound) in told or not _is_nowhere(bound, defined):
            continue
        told.add((metric, bound))
        histogram = defined[0]
        ends = sorted(histogram.buckets or ())
        yield Problem(
            place(query, rf"""\ble\s*=\s*["'`]{re.escape(bound)}["'`]"""),
            f'query {query.role!r} of {indicator.holder} reads le="{bound}" of histogram {metric!r}, '
            f"which has no such bucket: {_listed(ends)}",
            hint=_hint(Decimal(bound), ends, histogram),
        )


def _thresholds(indicator: Indicator) -> Iterator[tuple[Query, str, str]]:
    """Every bucket that an indicator's queries name: the query, the histogram, and the end of the bucket as written."""
    for query in indicator.queries:
        if query.language == "promql" and query.parsable and "_bucket" in query.parsable:
            for selector in selectors(query.parsable):
                for matcher in selector.matchers if selector.metric and selector.metric.endswith("_bucket") else ():
                    if matcher.label == "le" and matcher.operator == "=":
                        yield query, (selector.metric or "").removesuffix("_bucket"), matcher.value


def _is_nowhere(bound: str, defined: tuple[Metric, ...]) -> bool:
    """Whether every definition of the histogram is known, and none has a bucket that ends there."""
    try:
        number = Decimal(bound)
    except InvalidOperation:
        return False
    known = [metric.buckets for metric in defined if metric.buckets]
    return number.is_finite() and bool(known) and len(known) == len(defined) and all(number not in buckets for buckets in known)


def _hint(bound: Decimal, ends: list[Decimal], histogram: Metric) -> str:
    """The ends on both sides, or another bucket."""
    below = [end for end in ends if end < bound][-1:]
    above = [end for end in ends if end > bound][:1]
    either = " or ".join(f'le="{_written(end)}"' for end in below + above)
    return f"use {either}, or add {_written(bound)} to its buckets, see {histogram.at.path}:{histogram.at.line}"


def _listed(ends: list[Decimal]) -> str:
    """The ends of all buckets, or of as many as anybody reads."""
    some = list(map(_written, ends))
    return ", ".join(some if len(some) <= MOST else [*some[: MOST - 2], "…", some[-1]])


def _written(number: Decimal) -> str:
    return f"{number.normalize():f}"
