"""SLO207: a ratio whose two sides never meet."""

from __future__ import annotations

from collections.abc import Iterator

from pytest_reliability.contracts import Problem, check
from pytest_reliability.model.nodes import Indicator
from pytest_reliability.promql.ratios import fallback, labels, ratios
from pytest_reliability.report import Severity


@check(Indicator, code="SLO207", severity=Severity.WARNING)
def ratio_grouping_mismatch(indicator: Indicator) -> Iterator[Problem]:
    """Prometheus divides series of equal labels only: sides that keep different labels never meet, and there is no data."""
    for ratio in ratios(indicator.queries):
        above, below = labels(ratio.numerator.tree), labels(ratio.denominator.tree)
        if above is None or below is None:
            continue
        names, at = (ratio.numerator.name, ratio.denominator.name), ratio.numerator.query.at
        if ratio.matching.of(above) != ratio.matching.of(below):
            message = (
                f"{names[0]} of {indicator.holder} keeps {_listed(above)}, {names[1]} {_listed(below)}, so that no series match"
            )
            yield Problem(at, message, _hint(above, below))
        elif fallback(ratio.numerator.tree) is not None and ratio.matching.of(below):
            kept = _listed(ratio.matching.of(below))
            message = f"{names[0]} of {indicator.holder} falls back to a number without labels, {names[1]} keeps {kept}"
            yield Problem(at, message, "fall back to zero for each of the same series: or 0 * <what is below the line>")


def _listed(kept: frozenset[str]) -> str:
    return f"({', '.join(sorted(kept))})" if kept else "no labels"


def _hint(above: frozenset[str], below: frozenset[str]) -> str:
    both = sorted(above & below)
    return f"write by ({', '.join(both)}) in both" if both else "leave 'by' out of both, or write the same labels in both"
