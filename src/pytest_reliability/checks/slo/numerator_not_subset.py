"""SLO204: a share of more than the whole."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pytest_reliability.checks.slo._places import place, shown
from pytest_reliability.contracts import Problem, check
from pytest_reliability.model.nodes import Indicator
from pytest_reliability.promql.ratios import Ratio, ratios
from pytest_reliability.promql.subsets import Outsider, outsider
from pytest_reliability.report import Level


@check(Indicator, code="SLO204", level=Level.SILVER)
def numerator_not_subset(indicator: Indicator) -> Iterator[Problem]:
    """A numerator that counts what the denominator leaves out is no share: it hides errors, or exceeds 100%."""
    for ratio in ratios(indicator.queries):
        found = outsider(ratio)
        if found is not None:
            message, hint = _said(found, ratio, indicator.holder)
            yield Problem(place(ratio.numerator.query, rf"\b{re.escape(found.metric)}\b"), message, hint)


def _said(found: Outsider, ratio: Ratio, holder: str) -> tuple[str, str]:
    """The message and the hint."""
    matcher = found.matcher
    written = shown(matcher.label, matcher.operator, matcher.value)
    above, below = ratio.numerator.name, ratio.denominator.name
    if found.value is not None:
        counted = shown(matcher.label, "=", found.value)
        message = f"{above} of {holder} counts {counted}, which {below} leaves out by {written}"
        return message, f"match {matcher.label} alike in both, or let {below} count all of which {above} is a share"
    message = f"{below} of {holder} counts only {written}, {above} counts every {matcher.label}"
    return message, f"add {written} to {above}"
