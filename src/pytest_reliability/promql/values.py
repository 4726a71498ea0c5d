"""What the value of an expression is: a quantile, which is no number of events, or something in the unit of a metric."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

import promql_parser

from pytest_reliability.promql.parsing import parse
from pytest_reliability.promql.ratios import bare, constant, fallback
from pytest_reliability.promql.reading import walk

_COUNTING = frozenset(("count", "group", "count_values"))
_COUNTING_CALLS = frozenset(("count_over_time", "absent", "absent_over_time", "present_over_time", "changes", "timestamp"))
_COMPARISONS = frozenset((">", ">=", "<", "<=", "==", "!="))


@lru_cache(maxsize=4096)
def quantile(text: str) -> str | None:
    """Which quantile an expression comes to, as it is written there; None where it comes to something else."""
    if "quantile" not in text:
        return None
    tree = parse(text).tree
    return None if tree is None else _quantile(tree)


def _quantile(part: Any) -> str | None:
    part = bare(part)
    if isinstance(part, promql_parser.Call):
        if part.func.name == "histogram_quantile":
            value = constant(part.args[0])
            return "of a histogram" if value is None else f"{value:g}"
        inner = () if part.func.name in _COUNTING_CALLS else part.args
        return next((found for one in inner if (found := _quantile(one))), None)
    if isinstance(part, promql_parser.AggregateExpr):
        return None if str(part.op) in _COUNTING else _quantile(part.expr)
    if isinstance(part, promql_parser.BinaryExpr):
        return _of_two(part)
    if isinstance(part, (promql_parser.SubqueryExpr, promql_parser.UnaryExpr)):
        return _quantile(part.expr)
    if isinstance(part, promql_parser.MatrixSelector):
        return _quantile(part.vector_selector)
    return _of_summary(part) if isinstance(part, promql_parser.VectorSelector) else None


def _of_two(part: promql_parser.BinaryExpr) -> str | None:
    """A comparison that says yes or no counts; what it lets pass stays what it is. Times zero, nothing does."""
    operator = str(part.op)
    if operator in _COMPARISONS:
        return None if part.modifier is not None and part.modifier.return_bool else _quantile(part.lhs)
    if operator == "*" and 0 in (constant(part.lhs), constant(part.rhs)):
        return None
    return _quantile(part.lhs) or (_quantile(part.rhs) if operator not in ("/", "and", "unless") else None)


def _of_summary(part: promql_parser.VectorSelector) -> str | None:
    named = [one.value for one in part.matchers.matchers if one.name == "quantile" and str(one.op).endswith(".Equal")]
    return named[0] if named and re.search("(?:^|_)ratio", part.name or "") is None else None


# --- In whose unit

_UNIT_KEPT = frozenset(("avg", "min", "max", "quantile", "topk", "bottomk"))
_UNIT_KEPT_BY = """
    avg_over_time clamp clamp_max clamp_min label_join label_replace last_over_time max_over_time min_over_time
    quantile_over_time sort sort_desc
"""
_UNIT_KEPT_CALLS = frozenset(_UNIT_KEPT_BY.split())


def metric_measured(text: str) -> str | None:
    """The metric in whose unit the value of an expression is; None where it is in another, or in one that cannot be told."""
    tree = parse(text).tree
    return None if tree is None else _measured(tree)


def _measured(part: Any) -> str | None:
    part = bare(part)
    if isinstance(part, promql_parser.Call):
        if part.func.name == "histogram_quantile":
            named = {inner.name for inner in walk(part.args[1]) if isinstance(inner, promql_parser.VectorSelector)}
            return named.pop() if len(named) == 1 else None
        return _measured(part.args[part.func.name == "quantile_over_time"]) if part.func.name in _UNIT_KEPT_CALLS else None
    if isinstance(part, promql_parser.AggregateExpr):
        return _measured(part.expr) if str(part.op) in _UNIT_KEPT else None
    if isinstance(part, promql_parser.SubqueryExpr):
        return _measured(part.expr)
    if isinstance(part, promql_parser.MatrixSelector):
        return part.vector_selector.name
    if isinstance(part, promql_parser.BinaryExpr):
        return _measured(part.lhs) if fallback(part) is not None else None
    return part.name if isinstance(part, promql_parser.VectorSelector) else None
