"""OWN001: a service that belongs to nobody."""

from __future__ import annotations

from collections.abc import Iterator

from pytest_reliability.contracts import Problem, check
from pytest_reliability.model.graph import Graph
from pytest_reliability.model.nodes import Component, Ownership, Service
from pytest_reliability.report import Level


@check(Service, code="OWN001", level=Level.BRONZE, needs=(Ownership, Component))
def service_without_owner(service: Service, graph: Graph) -> Iterator[Problem]:
    """Whoever finds the service broken needs to know whom to call."""
    if _in_catalogue(service, graph) or any(_owns(rules, service, graph) for rules in graph.of(Ownership)):
        return
    where = f"/{service.root}/" if service.root else "*"
    yield Problem(
        service.at,
        f"service {service.name!r} has no owner",
        hint=f"add a line to CODEOWNERS, for example: {where} @your-org/your-team",
    )


def _in_catalogue(service: Service, graph: Graph) -> bool:
    components = graph.of(Component)
    return any(
        component.owner and (component.name == service.name or graph.service_of(component) is service) for component in components
    )


def _owns(ownership: Ownership, service: Service, graph: Graph) -> bool:
    """Whether CODEOWNERS names somebody for any file of the service."""
    inside = f"{service.root}/" if service.root else ""
    return any(rule.owners for rule in ownership.rules) and any(
        ownership.owners_of(path) for path in graph.files if path.startswith(inside)
    )
