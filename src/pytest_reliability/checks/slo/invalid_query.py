"""SLO201: a query that Prometheus refuses."""

from __future__ import annotations

from collections.abc import Iterator

from pytest_reliability.contracts import Problem, check
from pytest_reliability.model.location import Location
from pytest_reliability.model.nodes import Indicator, Query
from pytest_reliability.promql import parse
from pytest_reliability.report import Level


@check(Indicator, code="SLO201", level=Level.BRONZE)
def invalid_query(indicator: Indicator) -> Iterator[Problem]:
    """An SLO whose query cannot be run measures nothing, and looks as if nothing ever went wrong."""
    for query in indicator.queries:
        if query.language == "promql" and query.parsable is not None:
            parsed = parse(query.parsable)
            if parsed.error is not None:
                message = f"query {query.role!r} of {indicator.holder} is not valid PromQL: {parsed.error}"
                yield Problem(_place(query, parsed.offset), message, parsed.hint)


def _place(query: Query, offset: int | None) -> Location:
    """Where in the file the error is, unless filling in placeholders has moved it."""
    if offset is None or query.place is None or len(query.parsable or "") != len(query.text):
        return query.at
    return query.place(offset)
