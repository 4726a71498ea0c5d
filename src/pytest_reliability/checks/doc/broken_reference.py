"""DOC009: a name that nothing bears."""

from __future__ import annotations

from collections.abc import Iterator

from pytest_reliability.contracts import Problem, check
from pytest_reliability.model.graph import Graph
from pytest_reliability.model.nodes import Component, Definition, Reference, Service

OFTEN_ELSEWHERE = (
    "service",
    "data source",
    "Nobl9 alert policy",
    "Nobl9 SLO",
    "slo-generator backend",
    "slo-generator exporter",
    "error budget policy",
)
"""Kinds that tools allow to be defined outside of files: a name is broken only where others of its kind are defined."""


@check(Reference, code="DOC009", needs=(Definition,))
def broken_reference(reference: Reference, graph: Graph) -> Iterator[Problem]:
    """A name that leads nowhere is found out when somebody follows it: an alert reaches nobody, an SLO has no numbers."""
    of_kind = graph.defined(reference.kind, reference.scope)
    if reference.name in of_kind:
        return
    if reference.kind in OFTEN_ELSEWHERE and (not of_kind or reference.name in _services(graph)):
        return
    where = f" in {reference.scope}" if reference.scope else ""
    yield Problem(
        reference.at,
        f"{reference.holder} refers to {reference.kind} {reference.name!r}, which is not defined{where}",
        hint=_hint(reference, sorted(of_kind)),
    )


def _services(graph: Graph) -> set[str]:
    """The services that are known from elsewhere: the configuration, or a catalogue."""
    configured = {service.settings.service for service in graph.of(Service) if service.settings.service}
    return configured | {component.name for component in graph.of(Component)}


def _hint(reference: Reference, known: list[str]) -> str:
    from difflib import get_close_matches

    if close := get_close_matches(reference.name, known, n=1, cutoff=0.7):
        return f"did you mean {close[0]}?"
    some = ", ".join(known[:5]) + (", …" if len(known) > 5 else "")
    return f"known here: {some}" if known else f"define it, or correct the name; no {reference.kind} is defined here"
