"""SLO103: an objective that most failures keep."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from pytest_reliability.contracts import Problem, check
from pytest_reliability.model.nodes import Slo
from pytest_reliability.model.objectives import meant_objective, percent, written
from pytest_reliability.report import Severity

LEAST = Decimal("0.5")
"""Under this an SLO promises more failures than successes."""


@check(Slo, code="SLO103", severity=Severity.WARNING)
def implausible_objective(slo: Slo) -> Iterator[Problem]:
    """An objective below one half allows more failures than successes: nobody means that, so something else was meant."""
    if slo.objective is None or not 0 < slo.objective < LEAST or meant_objective(slo.objective, slo.objective_unit) is not None:
        return
    meant = 1 - slo.objective
    yield Problem(
        slo.objective_at,
        f"objective of SLO {slo.name!r} is {percent(slo.objective)}, so more may fail than succeed",
        hint=f"if it is the share that may fail, write the share that succeeds: {written(meant, slo.objective_unit)}",
    )
