"""Alerts on burn rates: which factor, which objective and which windows an expression compares with.

People and tools write them in many ways, and all of these say the same:

* errors:ratio_rate1h > (14.4 * (1 - 0.999)) and errors:ratio_rate5m > (14.4 * 0.001)
* sum(rate(errors[1h])) / sum(rate(requests[1h])) > 14.4 * (100 - 99.9) / 100
* availability:ratio_rate1h < 1 - 14.4 * 0.001, or 1 - availability:ratio_rate1h > 14.4 * 0.001
* errors:ratio_rate1h / (1 - 0.999) > 14.4, or slo:burn_rate_1h > 14.4
* errors:ratio_rate1h > on (slo) group_left () (14.4 * slo:error_budget:ratio)

An expression that might mean something else is none of them. See "The Site Reliability Workbook", chapter 5, "Alerting on SLOs".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from math import prod
from operator import add, mul, sub, truediv
from typing import Any

import promql_parser

from pytest_reliability.model.duration import SECONDS, Duration
from pytest_reliability.promql.parsing import parse
from pytest_reliability.promql.reading import walk
from pytest_reliability.promql.tokens import tokens

MOST_WAYS = 16
"""An expression that may fire in more ways than these is not read."""

HUNDRED = Decimal(100)


@dataclass(frozen=True, slots=True)
class Burn:
    """One way in which an alert fires: while the budget burns faster than `factor` over `long`, and over `short` as well.

    `factor` is None where it cannot be told apart from the budget that it is multiplied with, `objective` where the expression
    does not say it. `inclusive` is True where that rate itself is enough. `offset` is where in the expression the factor stands.
    """

    factor: Decimal | None = None
    objective: Decimal | None = None
    long: Duration | None = None
    short: Duration | None = None
    inclusive: bool = False
    offset: int | None = None


@lru_cache(maxsize=4096)
def burn_rates(text: str) -> tuple[Burn, ...]:
    """Every way in which an alert with this expression fires by a burn rate; none where it does not."""
    parsed = parse(text)
    if parsed.tree is None:
        return ()
    ways = _ways(parsed.tree, not parsed.rewritten)
    return tuple(dict.fromkeys(_burn(way, text) for way in ways if way))


@dataclass(frozen=True, slots=True)
class _Condition:
    """One comparison: a share of errors over `window` with `factor` times `budget`."""

    factor: Decimal | None
    budget: Decimal | None
    window: Duration | None
    inclusive: bool


def _burn(way: list[_Condition], text: str) -> Burn:
    """What conditions that hold together amount to: the one over the longest window says how fast is too fast."""
    timed = sorted((one for one in way if one.window), key=lambda one: one.window.seconds if one.window else 0.0)
    decisive = timed[-1] if timed else way[0]
    shortest = timed[0].window if timed else None
    return Burn(
        factor=decisive.factor,
        objective=None if decisive.budget is None else 1 - decisive.budget,
        long=decisive.window,
        short=shortest if shortest and decisive.window and shortest.seconds < decisive.window.seconds else None,
        inclusive=decisive.inclusive,
        offset=None if decisive.factor is None else _offset(text, decisive.factor),
    )


def _offset(text: str, factor: Decimal) -> int | None:
    """Where the factor stands: preferably beside a multiplication or behind a comparison, for other numbers may be equal."""
    found = tokens(text)
    equal = [index for index, token in enumerate(found) if token.kind == "number" and _decimal(token.text) == factor]
    for index in equal:
        before = next((token.text for token in reversed(found[:index]) if token.text != "("), "")
        after = found[index + 1].text if index + 1 < len(found) else ""
        if before in ("*", ">", ">=", "<", "<=") or after in ("*", "<", "<="):
            return found[index].start
    return found[equal[0]].start if equal else None


def _decimal(text: str) -> Decimal | None:
    try:
        return Decimal(text)
    except InvalidOperation:
        return None


# --- Which conditions have to hold together

_TRANSPARENT = ("label_replace", "label_join", "sort", "sort_desc", "sort_by_label", "sort_by_label_desc")
"""Functions that leave values as they are."""


def _ways(part: Any, ranges: bool) -> list[list[_Condition]]:
    """For each way in which `part` is not empty, what it says of burn rates; `ranges` tells whether they are as written."""
    part = _bare(part)
    if isinstance(part, promql_parser.AggregateExpr):
        return _ways(part.expr, ranges)
    if isinstance(part, promql_parser.Call) and part.func.name in _TRANSPARENT:
        return _ways(part.args[0], ranges)
    if not isinstance(part, promql_parser.BinaryExpr):
        return [[]]
    operator = _operator(part)
    if operator == "unless":
        return _ways(part.lhs, ranges)
    if operator in ("and", "or"):
        left, right = _ways(part.lhs, ranges), _ways(part.rhs, ranges)
        both = left + right if operator == "or" else [one + other for one in left for other in right]
        return both if len(both) <= MOST_WAYS else []
    if operator in _MIRRORED:
        condition = _condition(operator, part.lhs, part.rhs, ranges)
        return [[condition] if condition else []]
    return [[]]


def _bare(part: Any) -> Any:
    while isinstance(part, promql_parser.ParenExpr):
        part = part.expr
    return part


def _operator(part: promql_parser.BinaryExpr) -> str:
    return str(part.op)


# --- One condition

_MIRRORED = {">": "<", ">=": "<=", "<": ">", "<=": ">="}


def _condition(operator: str, left: Any, right: Any, ranges: bool) -> _Condition | None:
    """What a comparison says of a burn rate; None where it says nothing of one."""
    if _product(left) is not None:
        left, right, operator = right, left, _MIRRORED[operator]
    limit, whole = (_product(right), Decimal(1)) if operator.startswith(">") else _taken_from_one(right)
    share = _share(left)
    if limit is None or share is None:
        return None
    share = replace(share, scale=max(share.scale, whole))
    read = _compared(share, limit)
    return _Condition(*read, _window(share.part, ranges), operator.endswith("=")) if read else None


def _compared(share: _Share, limit: _Product) -> tuple[Decimal | None, Decimal | None] | None:
    """The factor and the budget, each None where it is not said; None where the two are not about burning a budget."""
    if limit.number <= 0:
        return None
    if share.budget is not None:
        return None if limit.is_budget else (limit.number, share.budget.budget)
    if limit.is_budget:
        return (limit.number, limit.budget) if share.certain or share.likely else None
    if len(limit.numbers) == 2 and share.certain:
        small, large = sorted(limit.numbers)
        small *= limit.scale / share.scale
        if 0 < small <= HALF and small < large:
            return large, _rounded(small)
    if share.burning:  # what is below a half may be a share of errors, and then nobody knows of which budget
        return (limit.number if limit.number >= HALF else None), None
    return None


HALF = Decimal("0.5")
"""No objective is below it, and no factor."""


def _rounded(value: Decimal) -> Decimal:
    """Without the noise of binary fractions: 0.0009999999999999432 is 0.001."""
    return round(value, 12).normalize()


# --- What it is compared with


@dataclass(frozen=True, slots=True)
class _Product:
    """A side of a comparison that measures nothing: its factors, and a budget where one is written as such.

    A `budget` stands there as 1 - 0.999; `recorded` is one that a series holds. `scale` is what turns percents to shares.
    """

    numbers: tuple[Decimal, ...] = ()
    budget: Decimal | None = None
    recorded: bool = False
    scale: Decimal = Decimal(1)

    @property
    def is_budget(self) -> bool:
        """Whether a budget is certainly one of its factors."""
        return self.budget is not None or self.recorded

    @property
    def number(self) -> Decimal:
        """All that is no budget; the scale belongs to the budget, where there is one."""
        return prod(self.numbers, start=Decimal(1) if self.is_budget else self.scale)


def _product(part: Any) -> _Product | None:
    """The factors of a part; None where it measures something, or has two budgets."""
    part = _bare(part)
    if isinstance(part, promql_parser.BinaryExpr) and (known := _written_budget(part)):
        return known
    if isinstance(part, promql_parser.BinaryExpr) and _operator(part) in ("*", "/"):
        left, right = _product(part.lhs), _product(part.rhs)
        if left is None or right is None or (left.is_budget and right.is_budget):
            return None
        if _operator(part) == "*":
            recorded = left.recorded or right.recorded
            return _Product(left.numbers + right.numbers, left.budget or right.budget, recorded, left.scale * right.scale)
        divisor = _constant(part.rhs)
        return replace(left, scale=left.scale / divisor) if divisor else None
    if (value := _constant(part)) is not None:
        return _Product(scale=value) if value == HUNDRED else _Product((value,))
    return _Product(recorded=True) if _is_recorded(part, _BUDGET) else None


def _written_budget(part: promql_parser.BinaryExpr) -> _Product | None:
    """A budget as 1 - 0.999, 100 - 99.9, or one minus the series of an objective."""
    whole, kept = _constant(part.lhs), _constant(part.rhs)
    if _operator(part) != "-" or whole is None or whole not in (1, HUNDRED):
        return None
    if kept is None:
        return _Product(recorded=True) if _is_recorded(part.rhs, _OBJECTIVE) else None
    return _Product(budget=_rounded(1 - kept / whole)) if HALF <= kept / whole < 1 else None


def _taken_from_one(part: Any) -> tuple[_Product | None, Decimal]:
    """What is taken from one, or from a hundred percent, where that is a product with a budget; and which of the two it is."""
    part = _bare(part)
    whole = _constant(part.lhs) if isinstance(part, promql_parser.BinaryExpr) and _operator(part) == "-" else None
    if whole is None or whole not in (1, HUNDRED):
        return None, Decimal(1)
    taken = _product(part.rhs)
    return (taken if taken and (taken.is_budget or len(taken.numbers) == 2) else None), whole


def _is_recorded(part: Any, named: str) -> bool:
    """Whether it is a series of such a name, aggregated perhaps."""
    part = _bare(part)
    if isinstance(part, promql_parser.AggregateExpr):
        return _is_recorded(part.expr, named)
    if isinstance(part, promql_parser.Call) and part.func.name in _SCALARS:
        return _is_recorded(part.args[0], named)
    return isinstance(part, promql_parser.VectorSelector) and re.search(named, (part.name or "").lower()) is not None


_SCALARS = ("scalar", "vector")
_BUDGET = r"^(?!.*(?:burn|remain|left|consum|spen|used|exhaust)).*budget"
_OBJECTIVE = "objective|target|goal"
_CALCULATED: dict[str, Callable[[Decimal, Decimal], Decimal]] = {"+": add, "-": sub, "*": mul, "/": truediv}


def _constant(part: Any) -> Decimal | None:
    """The value of an expression of nothing but numbers."""
    part = _bare(part)
    if isinstance(part, promql_parser.NumberLiteral):
        value = Decimal(repr(part.val))
        return value.normalize() if value.is_finite() else None
    if isinstance(part, promql_parser.Call) and part.func.name in _SCALARS:
        return _constant(part.args[0])
    if not isinstance(part, promql_parser.BinaryExpr) or _operator(part) not in _CALCULATED:
        return None
    left, right = _constant(part.lhs), _constant(part.rhs)
    if left is None or right is None:
        return None
    try:
        return _CALCULATED[_operator(part)](left, right)
    except ArithmeticError:  # a division by zero, for instance
        return None


# --- What is measured

_ABOUT_BURNING = "burn"
_ABOUT_SHARES = r"burn|budget|(?:^|[^a-z])sl[io](?:[^a-z]|$)|ratio|availab"
_ABOUT_ERRORS = "err|fail|bad"
_IN_PERCENT = "percent|pct"


@dataclass(frozen=True, slots=True)
class _Share:
    """A side of a comparison that measures a share of errors, divided by its `budget` perhaps.

    `scale` is a hundred where it counts in percent. `certain`: by its form or its name it can hardly be anything else;
    `likely`: its name speaks of errors; `burning`: it is called a burn rate.
    """

    part: Any
    budget: _Product | None = None
    scale: Decimal = Decimal(1)
    certain: bool = False
    likely: bool = False
    burning: bool = False


def _share(part: Any) -> _Share | None:
    """What a part measures, where that may be a share; None where it may not."""
    whole, part = part, _unwrapped(part)
    if not isinstance(part, promql_parser.BinaryExpr):
        return _called_one(whole) if isinstance(part, _SERIES) else None
    operator, first, second = _operator(part), _constant(part.lhs), _constant(part.rhs)
    if operator == "*" and HUNDRED in (first, second):
        share = _share(part.rhs if first == HUNDRED else part.lhs)
        return replace(share, scale=share.scale * HUNDRED) if share else None
    if operator == "/" and (divisor := _product(part.rhs)):
        share = _share(part.lhs)
        return _divided(share, divisor) if share else None
    if (operator == "/" and first is None) or (operator == "-" and first == 1 and second is None):
        return replace(_called_one(whole), certain=True)
    return None


_SERIES = (promql_parser.VectorSelector, promql_parser.MatrixSelector)


def _called_one(part: Any) -> _Share:
    """A part that is a share as far as the names of its series tell."""
    names = " ".join((one.name or "").lower() for one in walk(part) if isinstance(one, promql_parser.VectorSelector))
    return _Share(
        part=part,
        scale=HUNDRED if re.search(_IN_PERCENT, names) else Decimal(1),
        certain=re.search(_ABOUT_SHARES, names) is not None,
        likely=re.search(_ABOUT_ERRORS, names) is not None,
        burning=_ABOUT_BURNING in names,
    )


def _divided(share: _Share, divisor: _Product) -> _Share | None:
    """A share divided by a number: by its budget, or by a hundred percent."""
    if divisor.is_budget:
        return replace(share, budget=divisor)
    if divisor.number == HUNDRED:
        return replace(share, scale=share.scale / HUNDRED)
    budget = divisor.number / share.scale
    return replace(share, budget=_Product(budget=_rounded(budget))) if share.certain and 0 < budget <= HALF else None


_KEEP_SHARES = frozenset(
    (*_TRANSPARENT, "abs", "avg_over_time", "max_over_time", "min_over_time", "last_over_time", "clamp_max", "clamp_min", "round")
)
"""Functions that make a share of a share."""


def _unwrapped(part: Any) -> Any:
    """The part inside of aggregations, of functions that leave a share what it is, and of "or vector(0)"."""
    while True:
        part = _bare(part)
        if isinstance(part, (promql_parser.AggregateExpr, promql_parser.SubqueryExpr)):
            part = part.expr
        elif isinstance(part, promql_parser.Call) and part.func.name in _KEEP_SHARES:
            part = part.args[0]
        elif isinstance(part, promql_parser.BinaryExpr) and _operator(part) == "or":
            part = part.lhs
        else:
            return part


# --- Over which window

_IN_NAME = r"(?:[_:]|rate|ratio|burn|window)(\d+[mhdw](?:\d+[mhdw])*)(?=[_:]|$)"
_LABELS = ("window", "sloth_window", "slo_window", "range", "interval", "timeframe", "time_window")


def _window(part: Any, ranges: bool) -> Duration | None:
    """The window that is looked back over: that of the ranges, or the one that a recorded series is called by."""
    spans = list(_ranges(part)) if ranges else []
    if spans:
        return Duration(max(spans), _written(max(spans)))
    named = {window for one in walk(part) if isinstance(one, promql_parser.VectorSelector) for window in _named_windows(one)}
    return Duration.parse(named.pop()) if len(named) == 1 else None


def _ranges(part: Any) -> Iterator[float]:
    for one in walk(part):
        if isinstance(one, (promql_parser.MatrixSelector, promql_parser.SubqueryExpr)) and one.range:
            yield one.range.total_seconds()


def _named_windows(selector: promql_parser.VectorSelector) -> Iterator[str]:
    labels = {matcher.name: matcher.value for matcher in selector.matchers.matchers if str(matcher.op) == "MatchOp.Equal"}
    for label in _LABELS:
        if re.fullmatch(r"(?:\d+[smhdw])+", labels.get(label, "")):
            yield labels[label]
            return
    yield from re.findall(_IN_NAME, selector.name or "")[-1:]


def _written(seconds: float) -> str:
    """A length of time in the largest unit that it is a whole number of."""
    unit = next(unit for unit in ("d", "h", "m", "s", "ms") if seconds % SECONDS[unit] == 0 or unit == "ms")
    return f"{seconds / SECONDS[unit]:.0f}{unit}"
