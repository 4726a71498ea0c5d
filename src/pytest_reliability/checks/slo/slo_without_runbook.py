"""SLO402: an objective that nobody knows how to save."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pytest_reliability.contracts import Problem, check
from pytest_reliability.model.graph import Graph
from pytest_reliability.model.links import runbook_of
from pytest_reliability.model.nodes import Alert, Runbook, Slo
from pytest_reliability.report import Level, Severity

PLACES = {
    "sloth": "alerting.annotations.runbook_url: ",
    "pyrra": "metadata.annotations.pyrra.dev/runbook_url: ",
    "slo-generator": "metadata.labels.runbook_url: ",
    "datadog": "the tag runbook_url:",
}
"""Where each dialect has room for one; the others have it in their annotations."""


@check(Slo, code="SLO402", severity=Severity.WARNING, level=Level.SILVER, needs=(Alert, Runbook))
def slo_without_runbook(slo: Slo, graph: Graph) -> Iterator[Problem]:
    """Whoever is told that a budget burns needs to know what to do first, and at night nobody wants to find it out."""
    if slo.dialect != "keptn" and runbook_of(graph, slo) is None:
        where = PLACES.get(slo.dialect, "metadata.annotations.runbook_url: ")
        name = re.sub(r"[^\w.]+", "-", slo.name.partition(":")[0]).strip("-")
        yield Problem(slo.at, f"SLO {slo.name!r} names no runbook", hint=f"add {where}docs/runbooks/{name}.md")
