"""SLO102: an objective of 100% or more, or of nothing at all."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from pytest_reliability.contracts import Problem, check
from pytest_reliability.model.nodes import Slo
from pytest_reliability.model.objectives import meant_objective, percent, written
from pytest_reliability.report import Level


@check(Slo, code="SLO102", level=Level.BRONZE)
def perfect_objective(slo: Slo) -> Iterator[Problem]:
    """100% is the wrong target for everything: no budget is left for change, and users do not notice the last fraction."""
    if slo.objective is None or 0 < slo.objective < 1 or meant_objective(slo.objective, slo.objective_unit) is not None:
        return
    problem = "leaves no error budget" if slo.objective >= 1 else "is met by any service, even one that never answers"
    yield Problem(
        slo.objective_at,
        f"objective of SLO {slo.name!r} is {percent(slo.objective)}, which {problem}",
        hint=f"write what users need, for example {written(Decimal('0.999'), slo.objective_unit)}",
    )
