"""ALR018: a page that is routed to a receiver which notifies nobody."""

from __future__ import annotations

from collections.abc import Iterator

from pytest_reliability.contracts import Problem, check
from pytest_reliability.model.graph import Graph
from pytest_reliability.model.nodes import Alert, Routing
from pytest_reliability.report import Level


@check(Routing, code="ALR018", level=Level.BRONZE, needs=(Routing,))
def page_reaches_nobody(routing: Routing, graph: Graph) -> Iterator[Problem]:
    """An alert that should wake somebody and is sent nowhere is worse than none: everybody believes that it works."""
    for alert in graph.of(Alert):
        links = graph.receivers_for(alert) if alert.pages else ()
        certain = [link for link in links if link.certain]
        # Where several configurations lead nowhere, the first of them says so for all.
        if not certain or certain[0].routing is not routing:
            continue
        if all(link.receiver is not None and not link.receiver.integrations for link in links):
            names = ", ".join(dict.fromkeys(repr(link.path[-1].receiver) for link in links))
            yield Problem(
                alert.at,
                f"alert {alert.name!r} pages, but {routing.at.path} sends it to {names}, which notifies nobody",
                hint=f"give {names} an integration such as pagerduty_configs, or route {alert.settings.severities.label}="
                f'"{alert.severity}" to a receiver that has one',
            )
