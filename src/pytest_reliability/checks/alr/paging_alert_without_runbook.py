"""ALR001: somebody is woken up and left alone."""

from __future__ import annotations

from collections.abc import Iterator

from pytest_reliability.contracts import Problem, check
from pytest_reliability.model.nodes import Alert
from pytest_reliability.report import Level


@check(Alert, code="ALR001", level=Level.BRONZE)
def paging_alert_without_runbook(alert: Alert) -> Iterator[Problem]:
    """Whoever is woken by an alert needs to know what to do first."""
    if alert.pages and alert.runbook_url is None:
        yield Problem(
            alert.at,
            f"alert {alert.name!r} pages but names no runbook",
            hint=f"add annotations.runbook_url, for example: docs/runbooks/{alert.name}.md",
        )
