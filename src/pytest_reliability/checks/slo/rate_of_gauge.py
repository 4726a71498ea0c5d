"""SLO208: a rate of something that goes up and down."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pytest_reliability.checks.slo._metrics import definitions
from pytest_reliability.checks.slo._places import place
from pytest_reliability.contracts import Problem, check
from pytest_reliability.model.graph import Graph
from pytest_reliability.model.nodes import Indicator, RecordingRule
from pytest_reliability.promql.rates import never_counts, rates
from pytest_reliability.report import Severity


@check(Indicator, code="SLO208", severity=Severity.WARNING)
def rate_of_gauge(indicator: Indicator, graph: Graph) -> Iterator[Problem]:
    """rate() takes every fall for a restart of the service: of a gauge it is a number that means nothing."""
    told: set[tuple[str, str]] = set()
    for query in indicator.queries:
        if query.language != "promql" or query.parsable is None:
            continue
        for function, metric in rates(query.parsable):
            reason = _reason(metric, indicator, graph)
            if reason and (function, metric) not in told:
                told.add((function, metric))
                subject = f"query {query.role!r} of {indicator.holder}"
                message = f"{subject} takes {function}() of {metric!r}, which is no counter: {reason}"
                hint = f"use avg_over_time({metric}[…]) for its level, or count events with a counter and take the rate of that"
                at = place(query, rf"\b{function}\s*\(\s*{re.escape(metric)}\b")
                yield Problem(at, message, hint)


def _reason(metric: str, indicator: Indicator, graph: Graph) -> str | None:
    """Why a metric is a gauge for certain; None where it may be a counter."""
    defined = definitions(metric, indicator, graph)
    if defined:
        return f"{defined[0].at} defines it as a gauge" if all(one.kind == "gauge" for one in defined) else None
    rules = [rule for rule in graph.of(RecordingRule) if rule.name == metric]
    reasons = [never_counts(rule.expr) for rule in rules]
    return f"{rules[0].at} records the result of {reasons[0]}" if reasons and all(reasons) else None
