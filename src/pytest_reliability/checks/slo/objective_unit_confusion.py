"""SLO101: a percentage where a ratio belongs, or the reverse."""

from __future__ import annotations

from collections.abc import Iterator

from pytest_reliability.contracts import Problem, check
from pytest_reliability.model.nodes import Replace, Slo
from pytest_reliability.model.objectives import meant_objective, written
from pytest_reliability.report import Level


@check(Slo, code="SLO101", level=Level.BRONZE)
def objective_unit_confusion(slo: Slo) -> Iterator[Problem]:
    """An objective in the wrong unit is off by a factor of a hundred: it can never be met, or never be missed."""
    if slo.objective is None:
        return
    meant = meant_objective(slo.objective, slo.objective_unit)
    if meant is None:
        return
    expected = "a percentage" if slo.objective_unit == "percent" else "a ratio between 0 and 1"
    right = written(meant, slo.objective_unit) if meant < 1 else None
    yield Problem(
        slo.objective_at,
        f"objective of SLO {slo.name!r} is {slo.objective_text}, but {expected} is expected here",
        hint=f"write {right or 'a percentage below 100, such as 99.9'}",
        edit=Replace(slo.objective_at, slo.objective_text, right) if right else None,
    )
