"""From a test's latency budget to the SLO that it names.

Only a name that somebody wrote makes the link. "service/name" says which service is meant; a bare name is looked
for in the service that the test belongs to, and among what several services share. The same name in another
service is a candidate, never the answer.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_reliability.model.nodes import LatencyBudget, Slo

if TYPE_CHECKING:
    from pytest_reliability.model.graph import Graph


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetLink:
    """What the SLO named in a test resolves to.

    `status` is "found" (`slo` is the one), "missing" or "ambiguous". `candidates` are all SLOs of that name: one
    for found, several for ambiguous, and for missing those of other services. `evidence` says why, as a clause.
    """

    status: str
    slo: Slo | None = None
    candidates: tuple[Slo, ...] = ()
    evidence: str = ""


def slo_of(graph: Graph, budget: LatencyBudget) -> BudgetLink | None:
    """What the SLO that `budget` names resolves to; None where it names none."""
    if budget.slo is None:
        return None
    if qualified := _qualified(graph, budget.slo):
        return _choose(qualified, f"{budget.slo!r} names the service and the SLO")
    same_name = graph.slo_named(budget.slo)
    own = graph.service_of(budget)
    near = tuple(slo for slo in same_name if own is None or graph.service_of(slo) in (own, None))
    if near:
        within = f" in service {own.name!r}" if own else ""
        return _choose(near, f"{budget.slo!r} is the SLO's name{within}")
    if same_name:
        names = ", ".join(sorted({_full_name(graph, slo) for slo in same_name}))
        evidence = f"only other services have it: {names}"
    else:
        evidence = f"no SLO is called {budget.slo!r}"
    return BudgetLink(status="missing", candidates=same_name, evidence=evidence)


def _choose(slos: tuple[Slo, ...], evidence: str) -> BudgetLink:
    if len(slos) == 1:
        return BudgetLink(status="found", slo=slos[0], candidates=slos, evidence=evidence)
    places = ", ".join(f"{slo.at.path}:{slo.at.line}" for slo in slos)
    evidence = f"{len(slos)} SLOs have that name: {places}"
    return BudgetLink(status="ambiguous", candidates=slos, evidence=evidence)


def _qualified(graph: Graph, name: str) -> tuple[Slo, ...]:
    """The SLOs that `name` stands for as "service/name", by their own word or by the folder they stand in."""
    if "/" not in name:
        return ()
    return tuple(slo for slo in graph.of(Slo) if name in (slo.full_name, _full_name(graph, slo)))


def _full_name(graph: Graph, slo: Slo) -> str:
    """The name with the service that the SLO's folder belongs to."""
    service = graph.service_of(slo)
    return f"{service.name}/{slo.name}" if service else slo.full_name
