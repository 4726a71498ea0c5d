"""Shares of events: what is divided by what in the queries of an indicator, whether they stand apart or in one expression."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import promql_parser

from pytest_reliability.model.nodes import Query
from pytest_reliability.promql.parsing import parse
from pytest_reliability.promql.reading import walk


@dataclass(frozen=True, slots=True)
class Side:
    """One side of a ratio: the query that it stands in, what a message calls it, and its syntax tree."""

    query: Query
    name: str
    tree: Any


@dataclass(frozen=True, slots=True)
class Matching:
    """How the series of both sides find each other: by all labels, `on` some, or by all but some that are ignored."""

    on: frozenset[str] | None = None
    ignoring: frozenset[str] = frozenset()

    def of(self, labels: frozenset[str]) -> frozenset[str]:
        """Those of the labels that have to agree."""
        return labels & self.on if self.on is not None else labels - self.ignoring


@dataclass(frozen=True, slots=True)
class Ratio:
    """What an indicator divides: `of` tells whether the numerator counts "good" or "bad" events; "" where nothing does.

    `part` is what is counted of the denominator: the numerator, or what is taken away in `(total - part) / total`. `wrapped`
    tells whether a number is taken where the whole ratio has no data; `fallbacks` are the shares of good events that these
    come to, as far as that is known.
    """

    numerator: Side
    denominator: Side
    part: Any
    of: str
    matching: Matching = Matching()
    wrapped: bool = False
    fallbacks: tuple[float, ...] = ()


@lru_cache(maxsize=4096)
def ratios(queries: tuple[Query, ...], window: str | None = None) -> tuple[Ratio, ...]:
    """Every ratio among the queries of an indicator, those with a place for it over `window`. The same are read only once."""
    return tuple(_ratios(queries, window))


def _ratios(queries: tuple[Query, ...], window: str | None) -> Iterator[Ratio]:
    trees = {query.role: (query, tree) for query in queries if (tree := _tree(query, window)) is not None}
    for role in ("good", "bad"):
        if role in trees and "total" in trees:
            numerator, denominator = (Side(query, f"query {query.role!r}", tree) for query, tree in (trees[role], trees["total"]))
            yield _with_part(Ratio(numerator, denominator, numerator.tree, role))
    if "ratio" in trees:
        query, tree = trees["ratio"]
        yield from _in_one(query, tree)


def _tree(query: Query, window: str | None) -> Any:
    if query.language != "promql" or query.parsable is None:
        return None
    return parse(query.windowed(window) if window and query.windowed else query.parsable).tree


# --- Where the division is

_TRANSPARENT = frozenset(("clamp", "clamp_max", "clamp_min", "round", "sort", "sort_desc", "label_replace", "label_join"))
"""Functions that leave a share a share."""


def _in_one(query: Query, tree: Any) -> Iterator[Ratio]:
    """The ratio of an expression that is one, whatever is around it: `1 - a / b`, `(a / b) or vector(0)`, `avg(a / b)`."""
    flips, taken, part = 0, list[tuple[float, int]](), bare(tree)
    while part is not None and not _divides(part):
        flips += isinstance(part, promql_parser.BinaryExpr) and _is(part, "-")
        if isinstance(part, promql_parser.BinaryExpr) and (value := fallback(part)) is not None:
            taken.append((value, flips))
        part = _inside(part)
    if part is None:
        return
    numerator, denominator = Side(query, "the numerator", part.lhs), Side(query, "the denominator", part.rhs)
    of = query.ratio_of if flips % 2 == 0 else _OTHER[query.ratio_of]
    turned = query.ratio_of == "bad"
    good = tuple(1 - value if (count + turned) % 2 else value for value, count in taken) if of else ()
    yield _with_part(Ratio(numerator, denominator, part.lhs, of, _matching(part), bool(taken), good))


_OTHER = {"good": "bad", "bad": "good", "": ""}


def _divides(part: Any) -> bool:
    return isinstance(part, promql_parser.BinaryExpr) and _is(part, "/") and constant(part.rhs) is None


def _inside(part: Any) -> Any:
    """What a part makes a share of, where it makes one of a share; None elsewhere."""
    if isinstance(part, promql_parser.AggregateExpr):
        return bare(part.expr) if part.param is None else None
    if isinstance(part, promql_parser.Call):
        return bare(part.args[0]) if part.func.name in _TRANSPARENT else None
    if not isinstance(part, promql_parser.BinaryExpr):
        return None
    if fallback(part) is not None or (not _is(part, "-") and constant(part.rhs) is not None):
        return bare(part.lhs)
    if constant(part.lhs) is not None and (_is(part, "*") or (_is(part, "-") and constant(part.lhs) == 1)):
        return bare(part.rhs)
    return None


def _with_part(ratio: Ratio) -> Ratio:
    """The same, with the part found in `(total - part) / total`."""
    whole = bare(ratio.numerator.tree)
    if not isinstance(whole, promql_parser.BinaryExpr) or not _is(whole, "-"):
        return ratio
    taken_from_all = canonical(core(whole.lhs)) == canonical(core(ratio.denominator.tree))
    return replace(ratio, part=whole.rhs) if taken_from_all else ratio


def _matching(part: Any) -> Matching:
    if part.modifier is None or part.modifier.matching is None:
        return Matching()
    labels = frozenset(part.modifier.matching.labels)
    included = str(part.modifier.matching.type).endswith("Include")
    return Matching(on=labels) if included else Matching(ignoring=labels)


# --- What a part is


def bare(part: Any) -> Any:
    """The part without the parentheses around it."""
    while isinstance(part, promql_parser.ParenExpr):
        part = part.expr
    return part


def _is(part: promql_parser.BinaryExpr, *operators: str) -> bool:
    return str(part.op) in operators


def constant(part: Any) -> float | None:
    """The number that a part is, as a scalar or as a vector; None where it is none."""
    part = bare(part)
    if isinstance(part, promql_parser.NumberLiteral):
        return float(part.val)
    if isinstance(part, promql_parser.Call) and part.func.name in ("vector", "scalar"):
        return constant(part.args[0])
    return None


def fallback(part: Any) -> float | None:
    """The number that is taken where there is no data, as in `… or vector(0)`; None where there is no such thing."""
    part = bare(part)
    return constant(part.rhs) if isinstance(part, promql_parser.BinaryExpr) and _is(part, "or") else None


def fallbacks(part: Any) -> list[float]:
    """Every number that is taken anywhere in a part where there is no data."""
    apart = (inner for inner in walk(part) if isinstance(inner, promql_parser.BinaryExpr))
    return [value for inner in apart if (value := fallback(inner)) is not None]


_COMPARISONS = frozenset((">", ">=", "<", "<=", "==", "!="))


def filters(part: Any) -> bool:
    """Whether a part drops some of its data by a comparison, as in `… > 0`."""
    apart = (inner for inner in walk(part) if isinstance(inner, promql_parser.BinaryExpr))
    return any(str(inner.op) in _COMPARISONS for inner in apart)


def core(part: Any) -> Any:
    """What is counted, without what only mends it where there is nothing: fallbacks, `> 0`, limits."""
    part = bare(part)
    while True:
        if fallback(part) is not None or (
            isinstance(part, promql_parser.BinaryExpr) and _is(part, ">") and constant(part.rhs) == 0
        ):
            part = bare(part.lhs)
        elif isinstance(part, promql_parser.Call) and part.func.name in ("clamp_min", "clamp_max"):
            part = bare(part.args[0])
        else:
            return part


def canonical(part: Any) -> str:
    """A text that is the same for expressions that differ only in spelling: white space, parentheses, order of matchers."""
    part = bare(part)
    if isinstance(part, promql_parser.BinaryExpr):
        left, right = canonical(part.lhs), canonical(part.rhs)
        if part.modifier is None and _is(part, "+", "*"):
            left, right = sorted((left, right))
        modifier = part.modifier
        extra = (
            ""
            if modifier is None
            else f"{_matching(part)}{modifier.card}{sorted(modifier.group_labels or ())}{modifier.return_bool}"
        )
        return f"({left} {part.op}{extra} {right})"
    if isinstance(part, promql_parser.AggregateExpr):
        param = "" if part.param is None else f"{canonical(part.param)}, "
        return f"{part.op}{_grouping(part)}({param}{canonical(part.expr)})"
    if isinstance(part, promql_parser.Call):
        return f"{part.func.name}({', '.join(map(canonical, part.args))})"
    if isinstance(part, promql_parser.MatrixSelector):
        return f"{canonical(part.vector_selector)}[{part.range}]"
    if isinstance(part, promql_parser.SubqueryExpr):
        return f"{canonical(part.expr)}[{part.range}:{part.step}]{part.offset}{_moment(part.at)}"
    if isinstance(part, promql_parser.VectorSelector):
        matchers = sorted({f"{one.name}{one.op}{one.value!r}" for one in part.matchers.matchers})
        others = [sorted(map(str, some)) for some in part.matchers.or_matchers]
        return f"{part.name}{matchers}{others}{part.offset}{_moment(part.at)}"
    if isinstance(part, promql_parser.UnaryExpr):
        return f"-{canonical(part.expr)}"
    return repr(part.val)


def _moment(at: Any) -> str:
    return "" if at is None else f"@{at.type}{at.at}"


def _grouping(part: promql_parser.AggregateExpr) -> str:
    if part.modifier is None:
        return "by[]"
    return f"{'by' if _keeps(part) else 'without'}{sorted(set(part.modifier.labels))}"


def _keeps(part: promql_parser.AggregateExpr) -> bool:
    """Whether the aggregation names the labels that it keeps, not those that it drops."""
    return part.modifier is None or str(part.modifier.type).endswith("By")


# --- How far it looks back


def ranges(part: Any) -> set[float]:
    """How far back a part looks, in seconds: of ranges within ranges the outer one."""
    part = bare(part)
    if isinstance(part, (promql_parser.MatrixSelector, promql_parser.SubqueryExpr)):
        return {part.range.total_seconds()} if part.range is not None else set()
    if isinstance(part, promql_parser.BinaryExpr):
        return ranges(part.lhs) | ranges(part.rhs)
    if isinstance(part, promql_parser.Call):
        return set().union(*map(ranges, part.args))
    if isinstance(part, (promql_parser.AggregateExpr, promql_parser.UnaryExpr)):
        return ranges(part.expr)
    return set()


# --- Which labels its result has

_AGGREGATIONS = frozenset(("sum", "avg", "min", "max", "count", "group", "stddev", "stdvar", "quantile"))
"""Those whose result has the labels that they are told to keep, and no others."""
_LABELLESS = frozenset(("absent", "absent_over_time", "vector"))
_KEPT_BY = """
    abs avg_over_time ceil clamp clamp_max clamp_min count_over_time floor histogram_count increase last_over_time
    max_over_time min_over_time rate round sort sort_desc sum_over_time
"""
_KEEPING = frozenset(_KEPT_BY.split())
"""Functions whose result has the labels of what they are given."""


def labels(part: Any) -> frozenset[str] | None:
    """The labels that the result of a part has at most; None where that cannot be told, or where it is a number."""
    part = bare(part)
    if isinstance(part, promql_parser.AggregateExpr):
        kept = part.modifier.labels if part.modifier is not None else ()
        return frozenset(kept) if str(part.op) in _AGGREGATIONS and _keeps(part) else None
    if isinstance(part, promql_parser.Call):
        if part.func.name in _LABELLESS:
            return frozenset()
        return labels(part.args[0]) if part.func.name in _KEEPING else None
    if isinstance(part, promql_parser.SubqueryExpr):
        return labels(part.expr)
    if isinstance(part, promql_parser.UnaryExpr):
        return labels(part.expr)
    if not isinstance(part, promql_parser.BinaryExpr):
        return None
    if _is(part, "and", "unless") or fallback(part) is not None:
        return labels(part.lhs)
    if part.modifier is not None and part.modifier.matching is not None:
        return None
    scalars = isinstance(bare(part.lhs), promql_parser.NumberLiteral), isinstance(bare(part.rhs), promql_parser.NumberLiteral)
    if any(scalars):
        return labels(part.rhs if scalars[0] else part.lhs)
    left, right = labels(part.lhs), labels(part.rhs)
    return left if left == right else None
