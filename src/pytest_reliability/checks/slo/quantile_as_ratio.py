"""SLO209: a quantile where a share of events belongs."""

from __future__ import annotations

from collections.abc import Iterator

from pytest_reliability.checks.slo._places import place
from pytest_reliability.contracts import Problem, check
from pytest_reliability.model.nodes import Indicator
from pytest_reliability.promql.values import quantile
from pytest_reliability.report import Level, Severity

ROLES = ("good", "bad", "total", "ratio")


@check(Indicator, code="SLO209", severity=Severity.WARNING, level=Level.SILVER)
def quantile_as_ratio(indicator: Indicator) -> Iterator[Problem]:
    """A quantile is a length of time; an error budget is counted in events, and seconds are no share of anything."""
    for query in indicator.queries:
        if query.role in ROLES and query.parsable is not None and query.language == "promql":
            found = quantile(query.parsable)
            if found is not None:
                what = f"the {found} quantile" if found[0].isdigit() else "a quantile"
                expected = "a share of events" if query.role == "ratio" else "a number of events"
                yield Problem(
                    place(query, r"histogram_quantile|\bquantile\b"),
                    f"query {query.role!r} of {indicator.holder} is {what} of a metric, not {expected}",
                    'count what is fast enough instead: …_bucket{le="<limit>"} of …_count',
                )
