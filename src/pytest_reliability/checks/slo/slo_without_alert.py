"""SLO301: an error budget that burns unheard."""

from __future__ import annotations

from collections.abc import Iterator

from pytest_reliability.contracts import Problem, check
from pytest_reliability.model.graph import Graph
from pytest_reliability.model.nodes import Alert, AlertPolicy, BurnRate, Slo
from pytest_reliability.report import Level, Severity

ALERTED_ELSEWHERE = ("datadog", "keptn", "slo-generator")
"""Dialects whose SLOs are no place to look for alerts: others watch them, or nothing alerts on them by design."""


@check(Slo, code="SLO301", severity=Severity.WARNING, level=Level.SILVER, needs=(Alert, AlertPolicy, BurnRate))
def slo_without_alert(slo: Slo, graph: Graph) -> Iterator[Problem]:
    """An objective that nobody is told about when it is in danger is found broken at the end of the month, or by its users."""
    generated = bool(slo.alert_names) if slo.alerting is None else not slo.alerting.disabled
    if slo.dialect in ALERTED_ELSEWHERE or generated or slo.policies:
        return
    if graph.burn_rates_of(slo) or graph.alerts_for(slo):
        return
    if slo.alerting is not None:
        message, hint = "its alerts are disabled, and no other alert is for it", "enable them, or generate others"
        yield Problem(slo.alerting.at, f"SLO {slo.name!r} has no alert: {message}", f"{hint}: {_generate(slo)}")
        return
    refer = "refer to an alert policy under alertPolicies, or " if slo.dialect in ("openslo", "nobl9") else ""
    yield Problem(slo.at, f"SLO {slo.name!r} has no alert", f"{refer}generate alerts: {_generate(slo)}")


def _generate(slo: Slo) -> str:
    return f"reliability generate rules {slo.at.path}"
