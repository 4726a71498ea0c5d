"""SLO106: a promise that somebody else would have to keep."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import ROUND_UP, Decimal
from math import prod

from pytest_reliability.checks.slo._promises import promise_of
from pytest_reliability.contracts import Problem, check
from pytest_reliability.model.graph import Graph
from pytest_reliability.model.nodes import Slo
from pytest_reliability.model.objectives import percent, written
from pytest_reliability.report import Level, Severity


@check(Slo, code="SLO106", severity=Severity.WARNING, level=Level.GOLD)
def stricter_than_dependency(slo: Slo, graph: Graph) -> Iterator[Problem]:
    """A service is no more available than what it cannot do without; beyond that, excessive reliability costs and is not had."""
    if slo.objective is None or not 0 < slo.objective < 1 or _is_dependency(slo):
        return
    hard = [dependency for dependency in slo.settings.dependencies if dependency.mode == "hard"]
    promises = {dependency.name: promised for dependency in hard if (promised := promise_of(dependency, graph)) is not None}
    possible: Decimal = prod(promises.values(), start=Decimal(1))
    if slo.objective <= possible:
        return
    weakest = min(promises, key=lambda name: promises[name])
    names = ", ".join(f"{name!r} {percent(promised)}" for name, promised in promises.items())
    if slo.objective > promises[weakest]:
        what = f"{weakest!r}, which it cannot do without, promises only {percent(promises[weakest])}: its failures"
        possible = promises[weakest]
    else:
        what = f"the services that it cannot do without ({names}) promise {percent(_rounded(possible))} together: their failures"
    share = (1 - possible) / (1 - slo.objective)
    yield Problem(
        slo.objective_at,
        f"SLO {slo.name!r} promises {percent(slo.objective)}, but {what} alone may spend {share:.0%} of the error budget",
        hint=f"write {written(_rounded(possible), slo.objective_unit)} or less, "
        "or do without the dependency for a while (a cache, a fallback) and declare its mode as cached or soft",
    )


def _is_dependency(slo: Slo) -> bool:
    """Whether it is the dependency's own SLO, kept beside those of who depends on it."""
    return any(slo.service == dependency.name.partition("/")[0] for dependency in slo.settings.dependencies)


def _rounded(objective: Decimal) -> Decimal:
    """The objective, with no more than two digits of error budget; never above it."""
    budget = 1 - objective
    return 1 - budget.quantize(Decimal(1).scaleb(budget.adjusted() - 1), rounding=ROUND_UP)
