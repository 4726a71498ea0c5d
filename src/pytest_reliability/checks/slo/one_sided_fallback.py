"""SLO214: a fallback that never helps."""

from __future__ import annotations

from collections.abc import Iterator

from pytest_reliability.checks.slo._places import place
from pytest_reliability.contracts import Problem, check
from pytest_reliability.model.nodes import Indicator
from pytest_reliability.promql.ratios import fallbacks, filters, ratios
from pytest_reliability.report import Severity


@check(Indicator, code="SLO214", severity=Severity.WARNING)
def one_sided_fallback(indicator: Indicator) -> Iterator[Problem]:
    """Where no error has happened yet there is no series of errors: it is the numerator that needs `or vector(0)`."""
    for ratio in ratios(indicator.queries):
        below = fallbacks(ratio.denominator.tree)
        if below and not ratio.wrapped and not fallbacks(ratio.numerator.tree) and not filters(ratio.denominator.tree):
            above, subject = ratio.numerator.name, f"{ratio.denominator.name} of {indicator.holder}"
            message = f"{subject} falls back to {below[0]:g} where it has no data, {above} does not"
            at = place(ratio.denominator.query, r"(?i)\bor\b[^|\"]*?\bvector\b")
            yield Problem(at, message, f"write 'or vector(0)' behind {above}; without data there, nothing is divided")
