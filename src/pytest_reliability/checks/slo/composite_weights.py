"""SLO601: a composite whose weights or parts make no sense."""

from __future__ import annotations

from collections.abc import Iterator

from pytest_reliability.contracts import Problem, check
from pytest_reliability.model.graph import Graph
from pytest_reliability.model.nodes import Slo


@check(Slo, code="SLO601")
def composite_weights(slo: Slo, graph: Graph) -> Iterator[Problem]:
    """A part that weighs nothing, counts twice, or contains the whole makes a composite say something else than it seems to."""
    seen: set[str] = set()
    for part in slo.parts:
        what = f"part {part.name!r} of composite {slo.name!r}"
        if part.weight is not None and part.weight <= 0:
            message = f"{what} weighs {part.weight:f}; a weight above 0 is expected"
            yield Problem(part.at, message, hint="write 1, or leave the part out")
        if part.name in seen:
            yield Problem(part.at, f"{what} is in it twice", hint="keep one of them, with the sum of the weights")
        seen.add(part.name)
        if way := _way_back(part.name, slo, graph):
            yield Problem(part.at, f"{what} contains the composite itself: {' → '.join((slo.name, *way))}", hint="take it out")


def _way_back(name: str, whole: Slo, graph: Graph) -> tuple[str, ...] | None:
    """How a part leads back to the whole, by names; None where it does not."""
    waiting: list[tuple[str, ...]] = [(name,)]
    visited: set[int] = set()
    while waiting:
        way = waiting.pop(0)
        for slo in graph.slo_named(way[-1]):
            if slo is whole:
                return way
            if id(slo) not in visited:
                visited.add(id(slo))
                waiting += [(*way, part.name) for part in slo.parts]
    return None
