"""SLO205: good events counted as bad ones, or bad ones as good."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pytest_reliability.checks.slo._places import place, shown
from pytest_reliability.contracts import Problem, check
from pytest_reliability.model.nodes import Indicator
from pytest_reliability.promql.outcomes import Outcome, outcome
from pytest_reliability.promql.ratios import Ratio, canonical, ratios
from pytest_reliability.report import Level

OTHER = {"good": "bad", "bad": "good"}
INVERSE = {"=": "!=", "!=": "=", "=~": "!~", "!~": "=~"}


@check(Indicator, code="SLO205", level=Level.SILVER)
def swapped_good_and_bad(indicator: Indicator) -> Iterator[Problem]:
    """A query that counts the wrong kind of events pages while all is well, and keeps quiet while nothing works."""
    for ratio in ratios(indicator.queries):
        found = outcome(ratio) if ratio.of else None
        if found is not None and found.kind != _expected(ratio):
            yield _problem(found, ratio, indicator.holder)


def _expected(ratio: Ratio) -> str:
    """The kind of events that the part has to count: what `total - part` leaves is of the other kind."""
    subtracted = canonical(ratio.part) != canonical(ratio.numerator.tree)
    return OTHER[ratio.of] if subtracted else ratio.of


def _problem(found: Outcome, ratio: Ratio, holder: str) -> Problem:
    query, matcher = ratio.numerator.query, found.matcher
    counted = OTHER[query.ratio_of or query.role]
    rest = found.kind != counted
    what = found.metric if matcher is None else shown(matcher.label, matcher.operator, matcher.value)
    where = rf"\b{found.metric}\b" if matcher is None else rf"\b{matcher.label}\s*{re.escape(matcher.operator)}"
    counts = "is a share of" if query.role == "ratio" else "counts"
    return Problem(
        place(query, where),
        f"query {query.role!r} of {holder} {counts} {counted} events: {'all but ' if rest else ''}{what}",
        _hint(found, query.role, rest=rest),
    )


def _hint(found: Outcome, role: str, *, rest: bool) -> str:
    """How to count the others. `rest`: by leaving out that they are subtracted."""
    if rest:
        return "leave out the subtraction"
    if role == "ratio":
        return "subtract it from 1: 1 - (…)"
    matcher = found.matcher
    if matcher is None or matcher.label == "le":
        return "subtract it from query 'total'"
    return f"write {shown(matcher.label, INVERSE[matcher.operator], matcher.value)}"
