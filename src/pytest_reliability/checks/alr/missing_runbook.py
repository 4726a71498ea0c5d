"""ALR002: a runbook that is not there when it is needed."""

from __future__ import annotations

from collections.abc import Iterator

from pytest_reliability.contracts import Problem, check
from pytest_reliability.model.graph import Graph
from pytest_reliability.model.nodes import Alert
from pytest_reliability.report import Level


@check(Alert, code="ALR002", level=Level.BRONZE)
def missing_runbook(alert: Alert, graph: Graph) -> Iterator[Problem]:
    """A link to a runbook that is gone is found out at night, by whoever needs it most."""
    link = graph.runbook_for(alert)
    if link is None or link.status != "missing" or alert.runbook_key is None:
        return
    near = f"found near: {', '.join(link.near)}; point it there, or " if link.near else ""
    yield Problem(
        alert.annotations_at.get(alert.runbook_key, alert.at),
        f"alert {alert.name!r} names a runbook that is not there: {link.path}",
        hint=f"{near}write {link.path}",
    )
