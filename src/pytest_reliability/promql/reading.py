"""What an expression reads: metrics, matchers, ranges."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import promql_parser

from pytest_reliability.model.nodes import Matcher
from pytest_reliability.promql.parsing import parse


@dataclass(frozen=True, slots=True)
class Selector:
    """One selector of an expression: the metric that it names exactly (None: any), its other matchers, its range in seconds.

    `range` is None for an instant vector, and where the range is computed.
    """

    metric: str | None
    matchers: tuple[Matcher, ...] = ()
    range: float | None = None


def walk(tree: promql_parser.Expr) -> Iterator[promql_parser.Expr]:
    """Every part of a tree, the whole first, left before right."""
    waiting = [tree]
    while waiting:
        part = waiting.pop()
        yield part
        waiting.extend(reversed(_parts(part)))


def _parts(part: Any) -> list[promql_parser.Expr]:
    if isinstance(part, promql_parser.BinaryExpr):
        return [part.lhs, part.rhs]
    if isinstance(part, promql_parser.Call):
        return list(part.args)
    if isinstance(part, promql_parser.AggregateExpr):
        return [part.expr] if part.param is None else [part.param, part.expr]
    if isinstance(part, (promql_parser.ParenExpr, promql_parser.UnaryExpr, promql_parser.SubqueryExpr)):
        return [part.expr]
    if isinstance(part, promql_parser.MatrixSelector):
        return [part.vector_selector]
    return []


_OPERATORS = {"MatchOp.Equal": "=", "MatchOp.NotEqual": "!=", "MatchOp.Re": "=~", "MatchOp.NotRe": "!~"}


@lru_cache(maxsize=16384)
def selectors(text: str) -> tuple[Selector, ...]:
    """Every selector of an expression, from left to right; none where it cannot be parsed."""
    parsed = parse(text)
    if parsed.tree is None:
        return ()
    found: list[Selector] = []
    seconds: float | None = None
    for part in walk(parsed.tree):
        if isinstance(part, promql_parser.MatrixSelector):
            seconds = None if parsed.rewritten else part.range.total_seconds()
        elif isinstance(part, promql_parser.VectorSelector):
            found.append(selector_of(part, seconds))
            seconds = None
    return tuple(found)


def selector_of(part: promql_parser.VectorSelector, seconds: float | None = None) -> Selector:
    """What one selector of a tree says; `seconds` is the range that it stands in."""
    matchers = [Matcher(label=one.name, operator=_OPERATORS[str(one.op)], value=one.value) for one in part.matchers.matchers]
    named = [matcher.value for matcher in matchers if matcher.label == "__name__" and matcher.operator == "="]
    others = tuple(matcher for matcher in matchers if matcher.label != "__name__" or matcher.operator != "=")
    return Selector(part.name or next(iter(named), None), others, seconds)


def metrics(text: str) -> frozenset[str]:
    """The names of the metrics that an expression reads, as far as it names them exactly."""
    return frozenset(selector.metric for selector in selectors(text) if selector.metric is not None)
