"""SLO202: a query that looks back over the same time for each of its alerts."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pytest_reliability.checks.slo._places import place
from pytest_reliability.contracts import Problem, check
from pytest_reliability.model.nodes import Indicator, Query
from pytest_reliability.promql import parse
from pytest_reliability.report import Level

WINDOWS = {"slo-generator": "[window]"}
"""How a dialect writes the window that its tool fills in, where that is not Sloth's way."""
SLOTHS = "[{{.window}}]"

_RANGE = r"\[\s*(?P<range>\d[\w.]*)\s*(?=[\]:])"


@check(Indicator, code="SLO202", level=Level.BRONZE)
def query_without_window(indicator: Indicator) -> Iterator[Problem]:
    """An alert on an hour and one on three days see the same number if the query looks back over a range of its own."""
    for query in indicator.queries:
        if query.needs_window and query.windowed is None and query.parsable is not None and parse(query.parsable).valid:
            yield _problem(indicator, query)


def _problem(indicator: Indicator, query: Query) -> Problem:
    window = WINDOWS.get(indicator.dialect, SLOTHS)
    fixed = re.search(_RANGE, query.text)
    subject = f"query {query.role!r} of {indicator.holder}"
    if fixed is None:
        message = f"{subject} has no {window}, so that it is the same for every window"
        return Problem(query.at, message, f"take what it reads over {window}, as in rate(http_requests_total{window})")
    message = f"{subject} always looks back over {fixed['range']}, whichever window is asked for"
    return Problem(place(query, _RANGE), message, f"write {window} instead of [{fixed['range']}]")
