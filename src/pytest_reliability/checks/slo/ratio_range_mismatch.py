"""SLO206: a ratio of two different times."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pytest_reliability.contracts import Problem, check
from pytest_reliability.model.duration import Duration
from pytest_reliability.model.location import Location
from pytest_reliability.model.nodes import Indicator, Query
from pytest_reliability.promql import parse
from pytest_reliability.promql.ratios import Side, ranges, ratios
from pytest_reliability.report import Level

UNUSUAL = Duration.parse("61m")
"""A window that nobody writes: what looks back that far has the window that the tool fills in."""

_RANGE = r"\[\s*(\d[\w.]*)"


@check(Indicator, code="SLO206", level=Level.SILVER)
def ratio_range_mismatch(indicator: Indicator) -> Iterator[Problem]:
    """Errors of five minutes are no share of the requests of ten: the ratio is off by the quotient of both."""
    if any(query.needs_window and query.windowed is None for query in indicator.queries):
        return  # SLO202 says so
    if not any(re.search(_RANGE, query.text) for query in indicator.queries):
        return  # all look back over the window
    for ratio in ratios(indicator.queries, UNUSUAL.text):
        sides = ratio.numerator, ratio.denominator
        looks = [ranges(side.tree) for side in sides]
        if all(len(look) == 1 for look in looks) and looks[0] != looks[1] and not any(map(_is_rewritten, sides)):
            above, below = (_written(side.query, look.pop()) for side, look in zip(sides, looks, strict=True))
            if above is not None and below is not None:
                subject = f"{sides[0].name} of {indicator.holder}"
                message = f"{subject} looks back over {above[0]}, {sides[1].name} over {below[0]}"
                yield Problem(above[1] or below[1] or sides[0].query.at, message, "let both look back over the same time")


def _is_rewritten(side: Side) -> bool:
    """Whether its ranges are not those that are written."""
    query = side.query
    return parse(query.windowed(UNUSUAL.text) if query.windowed else query.parsable or "").rewritten


def _written(query: Query, seconds: float) -> tuple[str, Location | None] | None:
    """A range as it is written in a query, and where; None where it is not, but stands for what nobody knows."""
    if seconds == UNUSUAL.seconds and query.windowed:
        return "the window", None
    for found in re.finditer(_RANGE, query.text):
        try:
            if Duration.parse(found[1]).seconds == seconds:
                return found[1], query.place(found.start(1)) if query.place else None
        except ValueError:
            continue  # it is a part of a regular expression
    return None
