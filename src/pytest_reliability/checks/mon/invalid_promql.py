"""MON003: an expression that Prometheus refuses."""

from __future__ import annotations

from collections.abc import Iterator

from pytest_reliability.contracts import Problem, check
from pytest_reliability.model.nodes import Alert, Rule
from pytest_reliability.promql import parse, templated
from pytest_reliability.report import Level

OTHER_LANGUAGES = ("loki", "victoriametrics")
"""Dialects whose expressions are LogQL or MetricsQL."""


@check(Rule, code="MON003", level=Level.BRONZE)
def invalid_promql(rule: Rule) -> Iterator[Problem]:
    """Prometheus refuses a whole rule file for one expression that it cannot parse, and with it every alert in there."""
    if rule.dialect in OTHER_LANGUAGES or templated(rule.expr):
        return
    parsed = parse(rule.expr)
    if parsed.error is None:
        return
    at = rule.expr_at if parsed.offset is None or rule.place is None else rule.place(parsed.offset)
    kind = "alert" if isinstance(rule, Alert) else "recording rule"
    yield Problem(at, f"the expression of {kind} {rule.name!r} is not valid PromQL: {parsed.error}", parsed.hint)
