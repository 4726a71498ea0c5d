"""SLO111: words that promise something else than the number."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal

from pytest_reliability.contracts import Problem, check
from pytest_reliability.model.graph import Graph
from pytest_reliability.model.nodes import Slo
from pytest_reliability.model.objectives import meant_objective, percent, written
from pytest_reliability.report import Severity

_NUMBER = r"(?<![\d.,])(?P<{}>\d{{2,3}}(?:[.,]\d+)?)\s?(?:%|percent\b)"
_GOAL = r"(?:availab\w+|uptime|success\s+rate|reliab\w+|objective|target|goal|SLO)"
_AFTER = rf"\b{_GOAL}\s*(?:is|of|:|=|at|>=?|≥)?\s*{_NUMBER.format('after')}"
_PROMISES = rf"(?i){_NUMBER.format('of')}\s+of\s|{_NUMBER.format('before')}\s+{_GOAL}\b|{_AFTER}"


@check(Slo, code="SLO111", severity=Severity.WARNING)
def text_contradicts_objective(slo: Slo, graph: Graph) -> Iterator[Problem]:
    """People read the description, alerts read the number: if they differ, one of the two promises is never kept."""
    if slo.objective is None or not 0 < slo.objective < 1 or meant_objective(slo.objective, slo.objective_unit) is not None:
        return  # SLO101 and SLO102 speak of these
    promised = _promised(slo.description)
    if not promised or slo.objective in promised or promised & _meant(slo, graph):
        return
    said = sorted(promised)[-1]
    yield Problem(
        slo.objective_at,
        f"objective of SLO {slo.name!r} is {percent(slo.objective)}, but its description promises {percent(said)}",
        hint=f"write {written(said, slo.objective_unit)}, or correct the description: {_short(slo.description)!r}",
    )


def _promised(text: str) -> set[Decimal]:
    """The shares that a text promises."""
    if "%" not in text and "percent" not in text.casefold():
        return set()
    found = (next(filter(None, match.groups())) for match in re.finditer(_PROMISES, text))
    shares = {Decimal(number.replace(",", ".")).scaleb(-2) for number in found}
    return {share for share in shares if Decimal("0.5") <= share <= 1}


def _meant(slo: Slo, graph: Graph) -> set[Decimal]:
    """Every share that a text about this SLO may speak of: its own, those of its siblings, and the numbers in its queries."""
    siblings = [other for other in graph.of(Slo) if other.at.path == slo.at.path and other.description == slo.description]
    found = {other.objective for other in siblings if other.objective is not None}
    found |= {value for other in siblings for value in (other.slice_objective, other.threshold) if value is not None}
    found |= {value.scaleb(-2) for value in found if value > 1}
    found |= {part.target for other in siblings for part in other.parts if part.target is not None}
    for query in graph.queries_of(slo):
        found |= {Decimal(number) for number in re.findall(r"(?<![\w.])\d+(?:\.\d+)?(?![\w.])", query.text)}
    return found


def _short(text: str) -> str:
    plain = " ".join(text.split())
    return plain if len(plain) <= 80 else f"{plain[:77]}..."
