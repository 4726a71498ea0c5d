"""What an expression takes rates of, and whether what it comes to could be a counter."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

import promql_parser

from pytest_reliability.promql.parsing import parse
from pytest_reliability.promql.reading import walk

COUNTING = ("rate", "irate", "increase")
"""Functions that mean something only of counters."""

_OF_SERIES = frozenset(("sum", "min", "max", "topk", "bottomk"))
"""Aggregations whose result is of the kind of what they aggregate. Those that are not named here make gauges of anything."""

_KEEPING = frozenset(
    ("abs", "ceil", "clamp", "clamp_max", "clamp_min", "first_over_time", "floor", "histogram_count", "histogram_sum",
     "info", "label_join", "label_replace", "last_over_time", "round", "sort", "sort_by_label", "sort_by_label_desc", "sort_desc")
)  # fmt: skip
"""Functions whose result is of the kind of their argument, or might be."""


@lru_cache(maxsize=4096)
def rates(text: str) -> tuple[tuple[str, str], ...]:
    """(function, metric) for every rate that an expression takes of a metric by name, from left to right."""
    tree = parse(text).tree
    return tuple(_rates(tree)) if tree is not None else ()


def _rates(tree: promql_parser.Expr) -> Iterator[tuple[str, str]]:
    for part in walk(tree):
        if isinstance(part, promql_parser.Call) and part.func.name in COUNTING and part.args:
            selector = _over(part.args[0])
            if selector is not None and selector.name:
                yield part.func.name, selector.name


def _over(range_: promql_parser.Expr) -> promql_parser.VectorSelector | None:
    """The selector that a range is over, plain or as a subquery of nothing but a selector."""
    while isinstance(range_, (promql_parser.ParenExpr, promql_parser.SubqueryExpr)):
        range_ = range_.expr
    if isinstance(range_, promql_parser.MatrixSelector):
        return range_.vector_selector
    return range_ if isinstance(range_, promql_parser.VectorSelector) else None


def never_counts(text: str) -> str | None:
    """What in an expression makes its result a gauge for certain ("rate()", "a quotient"); None where it might be a counter."""
    part = parse(text).tree
    while part is not None:
        if isinstance(part, promql_parser.Call):
            if part.func.name not in _KEEPING:
                return f"{part.func.name}()"
            part = next((argument for argument in part.args if not isinstance(argument, promql_parser.NumberLiteral)), None)
        elif isinstance(part, promql_parser.AggregateExpr):
            if str(part.op) not in _OF_SERIES:
                return f"{part.op}()"
            part = part.expr
        elif isinstance(part, (promql_parser.ParenExpr, promql_parser.UnaryExpr)):
            part = part.expr
        else:
            return "a quotient" if isinstance(part, promql_parser.BinaryExpr) and _divides(part) else None
    return None


def _divides(part: promql_parser.BinaryExpr) -> bool:
    """Whether something measured is divided by something measured; a counter in other units is still one."""
    return str(part.op) == "/" and not any(isinstance(side, promql_parser.NumberLiteral) for side in (part.lhs, part.rhs))
