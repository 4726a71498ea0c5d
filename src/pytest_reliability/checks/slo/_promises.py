"""What is promised in numbers, elsewhere than in the objective itself."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal

from pytest_reliability.model.graph import Graph
from pytest_reliability.model.nodes import Slo
from pytest_reliability.model.settings import Dependency

_NUMBER = re.compile(r"([0-9]{1,3}(?:\.[0-9]{1,9})?)\s*(%?)")


def folded(key: str) -> str:
    """The name of a label or an annotation without its prefix, and without what people write differently."""
    return re.sub(r"[-_.]", "", key.rpartition("/")[2]).casefold()


def said(slo: Slo) -> Iterator[tuple[str, str, str]]:
    """(key as written, key as it is compared, value) of every annotation and label of an SLO."""
    for texts in (slo.annotations, slo.labels):
        for key, value in texts.items():
            yield key, folded(key), value.strip()


def sla_of(slo: Slo) -> tuple[Decimal, str] | None:
    """What customers were promised of an SLO (a ratio), and where that is written; None where nothing says so."""
    for name in (slo.full_name, slo.name):
        if name in slo.settings.sla:
            return slo.settings.sla[name], "sla in .reliability.yaml"
    for key, compared, value in said(slo):
        promised = _ratio(value) if compared == "sla" else None
        if promised is not None:
            return promised, f"its {key}"
    return None


def _ratio(text: str) -> Decimal | None:
    """The ratio that is meant by "99.9%", "99.9" and "0.999"; None for whatever else "sla: gold" may mean."""
    found = _NUMBER.fullmatch(text)
    if found is None:
        return None
    number = Decimal(found[1])
    ratio = number.scaleb(-2) if found[2] or number > 1 else number
    return ratio if Decimal("0.5") <= ratio < 1 else None


def promise_of(dependency: Dependency, graph: Graph) -> Decimal | None:
    """What another service promises (a ratio): as declared, else the strictest of its own SLOs that are in the repository."""
    if dependency.objective is not None:
        return dependency.objective
    service = dependency.name.partition("/")[0]
    named = graph.slo_named(dependency.name) if "/" in dependency.name else graph.of(Slo)
    known = [
        slo.objective for slo in named if slo.objective is not None and 0 < slo.objective < 1 and _is_of(slo, service, graph)
    ]
    return max(known, default=None)


def _is_of(slo: Slo, service: str, graph: Graph) -> bool:
    owner = graph.service_of(slo)
    return slo.service == service or (owner is not None and owner.name == service)
