"""SLO309: an alert that a single failed request sets off."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from pytest_reliability.contracts import Problem, check
from pytest_reliability.model.graph import Graph
from pytest_reliability.model.nodes import BurnRate, Slo
from pytest_reliability.report import Severity


@check(Slo, code="SLO309", severity=Severity.WARNING)
def one_error_trips_alert(slo: Slo, graph: Graph) -> Iterator[Problem]:
    """Where few requests come a single failure is a high rate; people who are woken by single failures stop listening."""
    if slo.settings.request_rate is None or slo.objective is None or not 0 < slo.objective < 1:
        return
    rate = min(graph.burn_rates_of(slo), key=lambda one: _budgeted(one, slo), default=None)
    if rate is None or rate.long is None or rate.factor is None or _budgeted(rate, slo) >= 1:
        return
    requests = slo.settings.request_rate * rate.long.seconds
    limit = rate.factor * (1 - slo.objective)
    come = f"{requests:.3g} requests come" if requests >= 1 else "less than one request comes"
    yield Problem(
        slo.objective_at,
        f"SLO {slo.name!r}: {come} in {rate.long} of a quiet hour, so one that fails is {_percent(min(1.0, 1 / requests))} "
        f"of them, and {rate.holder} fires above {_percent(float(limit))}",
        hint="alert over a longer window, lower the objective, or send requests of your own",
    )


def _budgeted(rate: BurnRate, slo: Slo) -> float:
    """How many requests may fail in a quiet hour until an alert on the burn rate fires; infinite where nobody knows."""
    limit = (rate.factor or Decimal(0)) * (1 - (slo.objective or Decimal(0)))
    if rate.long is None or slo.settings.request_rate is None or not 0 < limit < 1:
        return float("inf")
    return slo.settings.request_rate * rate.long.seconds * float(limit)


def _percent(share: float) -> str:
    return f"{share:.0%}" if share >= 0.1 else f"{share * 100:.2g}%"
