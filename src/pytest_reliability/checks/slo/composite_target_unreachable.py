"""SLO602: a composite that promises more than its parts."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import ROUND_DOWN, Decimal

from pytest_reliability.contracts import Problem, check
from pytest_reliability.model.graph import Graph
from pytest_reliability.model.nodes import Part, Slo
from pytest_reliability.model.objectives import percent, written
from pytest_reliability.report import Severity


@check(Slo, code="SLO602", severity=Severity.WARNING)
def composite_target_unreachable(slo: Slo, graph: Graph) -> Iterator[Problem]:
    """A composite is an average of its parts: where each of them only keeps its own promise, a higher one is broken."""
    targets = [_target(part, graph) for part in slo.parts]
    known = [target for target in targets if target is not None]
    if slo.objective is None or not known or len(known) < len(targets):
        return
    weights = [part.weight for part in slo.parts if part.weight is not None and part.weight > 0]
    if len(weights) == len(known):
        reached = sum((weight * target for weight, target in zip(weights, known, strict=True)), Decimal(0)) / sum(weights)
        how = "its parts come to"
    else:
        reached, how = max(known), "the best of its parts promises"
    reached = round(reached, 7)
    if slo.objective > reached:
        rounded = reached.quantize(Decimal("0.00001"), rounding=ROUND_DOWN)
        yield Problem(
            slo.objective_at,
            f"composite {slo.name!r} promises {percent(slo.objective)}, but {how} {percent(rounded)}",
            hint=f"write {written(rounded, slo.objective_unit)} or less, or promise more in the parts",
        )


def _target(part: Part, graph: Graph) -> Decimal | None:
    """What a part promises: what stands beside it, or the objective of the SLO that it names."""
    if part.target is not None:
        return part.target
    named = graph.slo_named(part.name)
    return named[0].objective if len(named) == 1 else None
