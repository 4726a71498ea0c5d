"""RUN020: a link in a runbook that leads nowhere."""

from __future__ import annotations

from collections.abc import Iterator

from pytest_reliability.contracts import Problem, check
from pytest_reliability.model.graph import Graph
from pytest_reliability.model.links.targets import DeadTarget, dead_target
from pytest_reliability.model.nodes import Hyperlink, Runbook
from pytest_reliability.report import Level


@check(Runbook, code="RUN020", level=Level.BRONZE)
def dead_link(runbook: Runbook, graph: Graph) -> Iterator[Problem]:
    """A dead link is found by whoever needs what is behind it, in the middle of an incident."""
    for link in runbook.links:
        if dead := dead_target(graph, runbook, link.target):
            yield Problem(link.at, _message(link, dead), hint=_hint(dead))


def _message(link: Hyperlink, dead: DeadTarget) -> str:
    if dead.anchor is not None:
        return f"link {link.target!r} leads to a section that {dead.path} does not have"
    return f"{'image' if link.image else 'link'} {link.target!r} leads nowhere: there is no {dead.path}"


def _hint(dead: DeadTarget) -> str:
    if dead.near is None:
        return ""
    return f"did you mean {'#' if dead.anchor is not None else ''}{dead.near}?"
