"""SLO107: a contract that is broken before anybody is worried."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import ROUND_UP, Decimal

from pytest_reliability.checks.slo._promises import sla_of
from pytest_reliability.contracts import Problem, check
from pytest_reliability.model.nodes import Slo
from pytest_reliability.model.objectives import percent, written
from pytest_reliability.report import Level


@check(Slo, code="SLO107", level=Level.SILVER)
def looser_than_sla(slo: Slo) -> Iterator[Problem]:
    """An SLO that is looser than the contract is still met when customers are already owed money."""
    promised = sla_of(slo)
    if promised is None or slo.objective is None or not 0 < slo.objective < promised[0]:
        return
    sla, where = promised
    share = percent(((1 - sla) / (1 - slo.objective)).quantize(Decimal("0.01"), rounding=ROUND_UP))
    yield Problem(
        slo.objective_at,
        f"objective of SLO {slo.name!r} is {percent(slo.objective)}, but customers are promised {percent(sla)} ({where}): "
        f"the contract is broken when {share} of the error budget is spent",
        hint=f"write at least {written(sla, slo.objective_unit)}; a little more warns before the contract is broken",
    )
