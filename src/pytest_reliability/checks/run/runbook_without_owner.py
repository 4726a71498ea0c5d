"""RUN010: a runbook that nobody feels responsible for."""

from __future__ import annotations

from collections.abc import Iterator
from posixpath import dirname

from pytest_reliability.contracts import Problem, check
from pytest_reliability.model.graph import Graph
from pytest_reliability.model.nodes import Component, Ownership, Runbook
from pytest_reliability.report import Level


@check(Runbook, code="RUN010", level=Level.BRONZE, needs=(Ownership, Component))
def runbook_without_owner(runbook: Runbook, graph: Graph) -> Iterator[Problem]:
    """A runbook that belongs to nobody is right on the day it is written, and nobody notices when it no longer is."""
    path = runbook.at.path
    if runbook.owner or any(rules.owners_of(path) for rules in graph.of(Ownership)) or _in_catalogue(path, graph):
        return
    key = "担当" if runbook.language == "ja" else "owner"
    yield Problem(
        runbook.at,
        f"runbook {runbook.title!r} has no owner",
        hint=f"add {key}: <team> to its front matter, or a line for {path} to CODEOWNERS",
    )


def _in_catalogue(path: str, graph: Graph) -> bool:
    """Whether a component of the catalogue that has an owner describes the folder that the page is in."""
    folders = (dirname(component.at.path) for component in graph.of(Component) if component.owner)
    return any(not folder or path.startswith(f"{folder}/") for folder in folders)
