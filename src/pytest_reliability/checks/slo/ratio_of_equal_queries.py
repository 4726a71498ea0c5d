"""SLO203: a ratio of something to itself."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

from pytest_reliability.contracts import Problem, check
from pytest_reliability.model.nodes import Indicator, Query
from pytest_reliability.promql import parse
from pytest_reliability.promql.ratios import canonical, core, ratios
from pytest_reliability.report import Level

HINT = "one of them is a copy: let one count all events, and the other those that are good, or bad"


@check(Indicator, code="SLO203", level=Level.BRONZE)
def ratio_of_equal_queries(indicator: Indicator) -> Iterator[Problem]:
    """What is divided by itself is one, whatever happens: such an SLO is always met, or never."""
    for one, other in combinations(_counting(indicator), 2):
        if _form(one) == _form(other):
            message = (
                f"queries {one.role!r} and {other.role!r} of {indicator.holder} are the same, so that the ratio never changes"
            )
            yield Problem(other.at, message, HINT)
    for ratio in ratios(indicator.queries):
        is_difference = ratio.part is not ratio.numerator.tree
        is_one_query = ratio.numerator.query is ratio.denominator.query
        if (is_difference or is_one_query) and canonical(core(ratio.part)) == canonical(core(ratio.denominator.tree)):
            query = ratio.numerator.query
            does = "takes everything from itself" if is_difference else "divides something by itself"
            message = f"query {query.role!r} of {indicator.holder} {does}, so that the ratio never changes"
            yield Problem(query.at, message, HINT)


def _counting(indicator: Indicator) -> list[Query]:
    """The queries that count events, in a language whose text is the whole query."""
    roles, languages = ("good", "bad", "total"), ("promql", "datadog")
    return [query for query in indicator.queries if query.role in roles and query.language in languages]


def _form(query: Query) -> str:
    """A text that is the same for queries that differ only in spelling."""
    tree = parse(query.parsable).tree if query.parsable is not None else None
    return " ".join(query.text.split()) if tree is None else canonical(core(tree))
