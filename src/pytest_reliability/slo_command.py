"""`reliability slo`: the error budgets of a repository's SLOs, and how long their alerts take to fire."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from pytest_reliability import api, plugins
from pytest_reliability.contracts import Canvas
from pytest_reliability.model.nodes import Service, Slo
from pytest_reliability.model.objectives import Objective, objectives
from pytest_reliability.reporters import budget_chart, error_budgets, json, markdown
from pytest_reliability.reporters._text import clean

FORMATS = ("terminal", "json", "markdown", "svg", "html")
"""What `--format` takes."""


@dataclass(frozen=True, slots=True)
class Told:
    """What there is to tell: whose SLOs, by service and name, and the files that may hold more but could not be read."""

    title: str
    objectives: tuple[Objective, ...]
    unread: tuple[str, ...]


def gathered(folder: Path | None, seen: Callable[[Path], str]) -> Told:
    """The SLOs of the repository around where the user stands, or of a folder; `seen` says how a path is shown."""
    root, inside = api.place_of(folder)
    graph = api.load(root, plugins.load())
    slos = [slo for slo in graph.of(Slo) if _belongs(graph.service_of(slo), inside)]
    found = [replace(one, at=replace(one.at, path=seen(root / one.at.path))) for one in objectives(graph, slos)]
    unread = tuple(
        f"{seen(root / item.at.path)}: {item.reason}"
        for item in graph.unread
        if Slo in item.might_hold and _belongs(graph.service_at(item.at.path), inside)
    )
    service = graph.service_at(f"{inside}/-" if inside else "-")
    title = service.name if service else graph.name
    return Told(title, tuple(sorted(found, key=lambda one: (one.full_name, one.at))), unread)


def rendered(told: Told, format: str, canvas: Canvas) -> str:
    """The error budgets in one of the `FORMATS`."""
    if format == "json":
        return json.objectives(told.title, told.objectives, told.unread)
    if format == "markdown":
        return markdown.error_budgets(told.title, told.objectives)
    if format == "svg":
        return budget_chart.svg(told.title, told.objectives)
    if format == "html":
        return budget_chart.html(told.title, told.objectives)
    return error_budgets.terminal(told.title, told.objectives, canvas)


def warnings(told: Told) -> str:
    """A line for each file that may hold more SLOs."""
    return "".join(f"warning: not read: {clean(one)}\n" for one in told.unread)


def _belongs(service: Service | None, folder: str) -> bool:
    """Whether something of that service was asked for; of no folder in particular, everything was."""
    return not folder or (service is not None and service.root == folder)
