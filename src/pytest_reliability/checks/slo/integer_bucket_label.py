"""SLO211: a bucket that Prometheus 3 calls by another name."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pytest_reliability.contracts import Problem, check
from pytest_reliability.model.nodes import Indicator, Query, Replace
from pytest_reliability.promql import selectors
from pytest_reliability.report import Severity

_MATCHER = r"""\ble\s*=\s*(?P<quote>["'`])(?P<value>\d+)(?P=quote)"""


@check(Indicator, code="SLO211", severity=Severity.WARNING)
def integer_bucket_label(indicator: Indicator) -> Iterator[Problem]:
    """Prometheus 3 stores le="1" as le="1.0": the query finds nothing any more, and an SLO without data is never missed."""
    if indicator.dialect == "pyrra" or indicator.settings.dialect == "victoriametrics":
        return  # Pyrra matches both, VictoriaMetrics keeps what it is given
    for query in indicator.queries:
        for found in re.finditer(_MATCHER, query.text):
            if query.place is not None and _reads(query, found["value"]):
                number, quote = found["value"], found["quote"]
                both = f"le=~{quote}{number}([.]0)?{quote}"
                at = query.place(found.start())
                subject = f"query {query.role!r} of {indicator.holder}"
                yield Problem(
                    at,
                    f'{subject} reads le="{number}", which Prometheus 3 stores as le="{number}.0"',
                    hint=f"{both} finds it in any version",
                    edit=Replace(at, found[0], both),
                )


def _reads(query: Query, number: str) -> bool:
    """Whether the query reads a bucket that ends there."""
    if query.language != "promql" or query.parsable is None:
        return False
    return any(
        selector.metric is not None and selector.metric.endswith("_bucket") and matcher.value == number
        for selector in selectors(query.parsable)
        for matcher in selector.matchers
        if matcher.label == "le" and matcher.operator == "="
    )
