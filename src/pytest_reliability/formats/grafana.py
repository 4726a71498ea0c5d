"""Grafana dashboards: JSON as Grafana exports it, and resources that carry such JSON.

* a file with `panels` or `rows`, by itself, under `dashboard` (the API's export) or as the `spec` of a `Dashboard` resource
* a text in a ConfigMap whose key ends in `.json`, and the `spec.json` of a `GrafanaDashboard`

Each becomes a `Dashboard`; its panels, those inside of rows included, are looked into when somebody asks for them. The language
of a query follows from the type of its data source: a panel's, or that of the dashboard's variable which it names; where nothing
says so it is PromQL.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from pytest_reliability.contracts import Format
from pytest_reliability.documents import Source, Tree
from pytest_reliability.formats._kubernetes import of_group, resources
from pytest_reliability.formats._nested import nested
from pytest_reliability.formats._places import Lazily
from pytest_reliability.model.location import Location
from pytest_reliability.model.nodes import Dashboard, Fault, Node, Panel, Query
from pytest_reliability.model.settings import Settings
from pytest_reliability.promql import substitute

_LANGUAGES = (
    ("loki", "logql"),
    ("tempo", "traceql"),
    ("victoriametrics-logs", "logsql"),
    ("victoriametrics", "metricsql"),
    ("prometheus", "promql"),
    ("thanos", "promql"),
    ("mimir", "promql"),
    ("cortex", "promql"),
)
"""What the type of a data source, or its name, contains → the language of its queries."""
_TEXT_KEYS = ("expr", "query", "rawSql", "queryText", "target")
"""Where a query has its text, depending on the data source."""
_VARIABLE = r"\$\{?(\w+)\}?|\[\[(\w+)\]\]"


def read(source: Source) -> Iterator[Node | Fault]:
    """The dashboards in a file."""
    for tree in source.trees:
        data = tree.data
        if isinstance(data, dict) and isinstance(data.get("dashboard"), dict):
            yield from _dashboard(tree, data["dashboard"], tree.at(data, "dashboard"), source.settings)
        else:
            yield from _dashboard(tree, data, Location(source.path), source.settings)
    for tree, data in resources(source):
        if data["kind"] == "ConfigMap":
            yield from _inside(tree, data.get("data"), source.settings)
        elif data["kind"] == "Dashboard" and of_group(data, "dashboard.grafana.app"):
            yield from _dashboard(tree, data.get("spec"), tree.at(data, "spec"), source.settings)
        elif data["kind"] == "GrafanaDashboard" and isinstance(data.get("spec"), dict):
            yield from _inside(tree, data["spec"], source.settings)


def _inside(tree: Tree, texts: Any, settings: Settings) -> Iterator[Node | Fault]:
    """The dashboards in the texts of a resource."""
    for key, text in texts.items() if isinstance(texts, dict) else ():
        if isinstance(text, str) and (key == "json" or key.endswith(".json")) and re.search(r'"(?:panels|rows)"', text):
            for inner in nested(tree, texts, key):
                yield from _dashboard(inner, inner.data, tree.at(texts, key), settings)


def _dashboard(tree: Tree, data: Any, at: Location, settings: Settings) -> Iterator[Node | Fault]:
    if not _is_dashboard(data):
        return
    title, uid = data.get("title"), data.get("uid")
    panels = Lazily(_Panels(tree, data, settings).read)
    yield Dashboard(
        at=at,
        settings=settings,
        title=title if isinstance(title, str) else "",
        uid=uid if isinstance(uid, str) and uid else None,
        panels=panels,
    )
    yield from tree.faults


def _is_dashboard(data: Any) -> bool:
    """Whether it has panels, or rows of them, and what else only Grafana's dashboards have."""
    if not isinstance(data, dict) or not any(isinstance(data.get(key), list) for key in ("panels", "rows")):
        return False
    return "schemaVersion" in data or (
        isinstance(data.get("title"), str) and bool({"templating", "time", "uid", "annotations"} & set(data))
    )


@dataclass(frozen=True, slots=True)
class _Panels:
    """The panels of one dashboard."""

    tree: Tree
    dashboard: dict[str, Any]
    settings: Settings

    def read(self) -> Iterator[Panel]:
        """Every panel that shows something, those inside of rows in their places."""
        variables = self._sources()
        for panel in _panels(self.dashboard):
            title, kind = panel.get("title"), panel.get("type")
            yield Panel(
                at=self.tree.at(panel),
                settings=self.settings,
                title=title if isinstance(title, str) else "",
                kind=kind if isinstance(kind, str) else "",
                queries=tuple(self._queries(panel, variables)),
            )

    def _queries(self, panel: dict[str, Any], variables: dict[str, str]) -> Iterator[Query]:
        for target in _mappings(panel.get("targets")):
            key = next((key for key in _TEXT_KEYS if isinstance(target.get(key), str) and target[key].strip()), None)
            if key is not None:
                text = target[key]
                language = self._language(target.get("datasource"), variables) or self._language(
                    panel.get("datasource"), variables
                )
                language = language or ("promql" if key == "expr" else "unknown")
                parsable = substitute(text) if language == "promql" else None
                place = partial(self.tree.line_of, target, key)
                yield Query(at=self.tree.at(target, key), text=text, language=language, parsable=parsable, place=place)

    def _sources(self) -> dict[str, str]:
        """Variables that stand for a data source → its type."""
        templating = self.dashboard.get("templating")
        found = _mappings(templating.get("list") if isinstance(templating, dict) else None)
        return {str(one.get("name")): str(one.get("query")) for one in found if one.get("type") == "datasource"}

    def _language(self, source: Any, variables: dict[str, str]) -> str:
        """The language of a data source's queries; "" where it does not say what it is."""
        kind = source.get("type") or source.get("uid") if isinstance(source, dict) else source
        if not isinstance(kind, str) or kind in ("", "datasource", "mixed", "-- Mixed --"):
            return ""
        if variable := re.fullmatch(_VARIABLE, kind):
            kind = variables.get(variable[1] or variable[2], "")
        named = next((language for name, language in _LANGUAGES if name in kind.casefold()), "")
        return named or (kind if isinstance(source, dict) and source.get("type") else "")


def _panels(holder: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Every panel that is no row: rows once had a list of their own, now they are panels that may hold others."""
    for panel in _mappings(holder.get("panels")):
        if panel.get("type") != "row":
            yield panel
        yield from _panels(panel)
    for row in _mappings(holder.get("rows")):
        yield from _panels(row)


def _mappings(values: Any) -> list[dict[str, Any]]:
    return [value for value in values if isinstance(value, dict)] if isinstance(values, list) else []


FORMAT = Format(
    name="grafana",
    files=r"\.(?:json|ya?ml)$",
    marker=rb"[\"'](?:panels|rows)\\?[\"']\s*:",
    yields=(Dashboard,),
    read=read,
)
