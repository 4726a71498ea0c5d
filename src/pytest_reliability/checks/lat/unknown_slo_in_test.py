"""LAT103: a test that refers to an SLO that is not there."""

from __future__ import annotations

from collections.abc import Iterator

from pytest_reliability.contracts import Problem, check
from pytest_reliability.model.graph import Graph
from pytest_reliability.model.nodes import LatencyBudget, Slo
from pytest_reliability.report import Level


@check(LatencyBudget, code="LAT103", level=Level.BRONZE, needs=(Slo,))
def unknown_slo_in_test(budget: LatencyBudget, graph: Graph) -> Iterator[Problem]:
    """A test that names an SLO nobody has written holds nothing to anything, and stops at the name instead of measuring."""
    link = graph.slo_of(budget)
    if link is None or link.status == "found":
        return
    yield Problem(budget.at, f"{budget.test} names slo={budget.slo!r}: {link.evidence}", _hint(budget, link.candidates, graph))


def _hint(budget: LatencyBudget, candidates: tuple[Slo, ...], graph: Graph) -> str:
    """What to type: the full name of one that may be meant, or of one whose name is near."""
    full_names = sorted({_full_name(slo, graph) for slo in candidates})
    if len(full_names) > 1 or (full_names and full_names != [budget.slo]):
        return f"write slo={' or slo='.join(map(repr, full_names[:3]))}"
    if candidates:
        return "rename one of the SLOs"
    from difflib import get_close_matches

    names = {slo.name for slo in graph.of(Slo)} | {slo.full_name for slo in graph.of(Slo)}
    near = get_close_matches(budget.slo or "", sorted(names), n=1)
    return f"did you mean slo={near[0]!r}?" if near else 'write the SLO, or limits such as p95="300ms" instead'


def _full_name(slo: Slo, graph: Graph) -> str:
    service = graph.service_of(slo)
    return slo.full_name if slo.service or service is None else f"{service.name}/{slo.name}"
