"""Sloth: https://sloth.dev, as files (`version: prometheus/v1`) and as Kubernetes resources (`PrometheusServiceLevel`).

Both say the same in two spellings, `page_alert` and `pageAlert`; Sloth silently drops a key in the spelling of the other.

* each entry of `slos`: an `Indicator`, and an `Slo` over 30 days, the default of Sloth's `--default-slo-period`
* the alerts that Sloth generates both bear `alerting.name`; there are none where both are disabled
* owner, runbook, dashboard: what the SLO's own labels, the service's labels, then the alerts' annotations and labels have under
  one of `OWNER_KEYS`, `RUNBOOK_KEYS` and `DASHBOARD_KEYS` (listed in `formats/openslo.py`)
* queries: PromQL, with `{{.window}}` filled in; of any language where `overridePrevious` replaces the plugin that wants PromQL

The range of an objective, and whether names are unique, are matters of checks.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from pytest_reliability import shape
from pytest_reliability.contracts import Format
from pytest_reliability.documents import Source, Tree
from pytest_reliability.formats import _slo
from pytest_reliability.model.duration import Duration
from pytest_reliability.model.nodes import Fault, Indicator, Node, Query, Slo
from pytest_reliability.shape import ANYTHING, BOOLEAN, INTEGER, NUMBER, STRING, TEXT, Entries, Fields, Items, Scalar, Shape

VERSION = "prometheus/v1"
GROUP = "sloth.slok.dev"
API_VERSION = f"{GROUP}/v1"
KIND = "PrometheusServiceLevel"
PERIOD = Duration.parse("30d")

Spelling = Callable[[str], str]
"""How a dialect spells the words of the vocabulary, which are given in snake case."""


def _snake(word: str) -> str:
    return word


def _camel(word: str) -> str:
    first, *others = word.split("_")
    return first + "".join(other.capitalize() for other in others)


NAME = Scalar(
    "a name of letters, digits, -, _ and . that begins and ends with a letter or a digit",
    types=(str,),
    accepts=re.compile(r"[A-Za-z0-9](?:[-\w.]*[A-Za-z0-9])?", re.ASCII).fullmatch,
)
QUERY = Scalar("a query", types=(str,), accepts=str.strip)
FILLED = Scalar("a text that is not empty", accepts=str.strip)


def _service(word: Spelling, scalar: Scalar) -> Fields:
    """The shape of a service with its SLOs; `scalar` is that of a label's value."""
    labels = Entries(scalar, key=r"(?!__name__$).+", expected="a label's name")
    plugins = Fields(
        "plugins",
        {
            "chain": Items(Fields("a plugin", {"id": STRING, "config": ANYTHING, "priority": INTEGER}, required=("id",))),
            "overridePrevious": BOOLEAN,  # in both dialects
        },
        required=("chain",),
    )
    alert = Fields("an alert", {"disable": BOOLEAN, "labels": labels, "annotations": labels})
    events = (word("error_query"), word("total_query"))
    sli = Fields(
        "an SLI",
        {
            "events": Fields("the events of an SLI", dict.fromkeys(events, QUERY), required=events),
            "raw": Fields("a raw SLI", {word("error_ratio_query"): QUERY}, required=(word("error_ratio_query"),)),
            "plugin": Fields("an SLI plugin", {"id": STRING, "options": Entries(TEXT)}, required=("id",)),
        },
        one_of=(("events", "raw", "plugin"),),
    )
    slo = Fields(
        "an SLO",
        {
            "name": NAME,
            "objective": NUMBER,
            "description": STRING,
            "labels": labels,
            "sli": sli,
            "alerting": Fields(
                "alerting",
                {
                    "name": STRING,
                    "labels": labels,
                    "annotations": labels,
                    word("page_alert"): alert,
                    word("ticket_alert"): alert,
                },
            ),
            "plugins": plugins,
        },
        required=("name", "objective", "sli"),
        renamed={"target": "objective", "goal": "objective"},
    )
    known: dict[str, Shape] = {"service": NAME, "labels": labels, word("slo_plugins"): plugins, "slos": Items(slo, minimum=1)}
    return Fields("a Sloth service", known, required=("service", "slos"))


_FILE = _service(_snake, FILLED)
_SPEC = _service(_camel, Scalar("a text in quotes, not empty,", types=(str,), accepts=str.strip))
FILE = Fields("a Sloth service", {"version": ANYTHING, **_FILE.known}, required=("version", *_FILE.required))
RESOURCE = Fields(
    f"a {KIND}",
    {
        "apiVersion": ANYTHING,
        "kind": ANYTHING,
        "metadata": Fields("metadata", {"name": STRING}, open=True),
        "spec": _SPEC,
        "status": ANYTHING,
    },
    required=("apiVersion", "spec"),
)


def read(source: Source) -> Iterator[Node | Fault]:
    """What the Sloth specifications of a file say, and what is wrong with them."""
    for tree in source.trees:
        data = tree.data
        if not isinstance(data, dict):
            continue
        if _is_file(data):
            yield from _wrong_version(tree, data, "version", VERSION)
            yield from shape.faults(tree, FILE, data)
            yield from _Service(source, tree, data, _snake).read()
            yield from tree.faults
        elif _is_resource(data):
            yield from _wrong_version(tree, data, "apiVersion", API_VERSION)
            yield from shape.faults(tree, RESOURCE, data)
            yield from _Service(source, tree, data.get("spec"), _camel).read()
            yield from tree.faults


def _is_file(data: dict[str, Any]) -> bool:
    """Whether it says so; or what can be nothing else forgot to, or says it wrongly."""
    version = data.get("version")
    if isinstance(version, str) and version.startswith("prometheus/"):
        return True
    slos = data.get("slos")
    return "service" in data and isinstance(slos, list) and any(isinstance(item, dict) and "sli" in item for item in slos)


def _is_resource(data: dict[str, Any]) -> bool:
    """Whether it is a service level of Sloth's, of whatever version; Sloth has other kinds too."""
    return data.get("kind") == KIND


def _wrong_version(tree: Tree, data: dict[str, Any], key: str, expected: str) -> Iterator[Fault]:
    if key in data and data[key] != expected:
        message = f"{key} is {data[key]!r}; {expected!r} is expected"
        yield Fault(kind="wrong-kind", at=tree.at(data, key), message=message, hint=f"{key}: {expected}")


class _Service:
    """A service and its SLOs, in either spelling."""

    def __init__(self, source: Source, tree: Tree, data: Any, word: Spelling) -> None:
        self.settings = source.settings
        self.tree = tree
        self.data = data if isinstance(data, dict) else {}
        self.word = word
        self.labels = _slo.texts(tree, data, "labels")

    def read(self) -> Iterator[Node | Fault]:
        """An SLO for each entry, and the faults that depend on more than one field."""
        slos = self.data.get("slos")
        for entry in slos if isinstance(slos, list) else []:
            if isinstance(entry, dict):
                yield from self.unnamed_alerts(entry)
                queries = self.queries(entry)
                if queries:
                    holder = f"SLO {entry.get('name')!r}"
                    at = self.tree.at(entry, "sli")
                    yield Indicator(at=at, settings=self.settings, holder=holder, queries=queries)
                if _slo.text(entry, "name"):
                    yield self.slo(entry, queries)

    def unnamed_alerts(self, entry: dict[str, Any]) -> Iterator[Fault]:
        """Sloth generates alerts unless both are disabled, and refuses to without a name for them."""
        if self.generates_alerts(entry) and not _slo.text(entry.get("alerting"), "name"):
            alerting = entry.get("alerting")
            page, ticket = self.word("page_alert"), self.word("ticket_alert")
            yield Fault(
                kind="missing-field",
                at=self.tree.at(alerting if isinstance(alerting, dict) else entry),
                message="the alerts of this SLO have no name, without which Sloth generates nothing",
                hint=f"add alerting.name: …, or disable: true under both alerting.{page} and alerting.{ticket}",
            )

    def generates_alerts(self, entry: dict[str, Any]) -> bool:
        alerting = _mapping(entry, "alerting")
        alerts = (_mapping(alerting, self.word(key)) for key in ("page_alert", "ticket_alert"))
        return not all(alert.get("disable") is True for alert in alerts)

    def slo(self, entry: dict[str, Any], queries: tuple[Query, ...]) -> Slo:
        """The SLO of an entry."""
        tree = self.tree
        own = _slo.texts(tree, entry, "labels")
        alerting = _mapping(entry, "alerting")
        said = (own, self.labels, _slo.texts(tree, alerting, "annotations"), _slo.texts(tree, alerting, "labels"))
        objective = _slo.number(tree, entry, "objective")
        alert = _slo.text(alerting, "name")
        return Slo(
            at=tree.at(entry, "name"),
            settings=self.settings,
            name=entry["name"],
            service=_slo.text(self.data, "service"),
            dialect="sloth",
            objective=objective.scaleb(-2) if objective is not None else None,
            objective_text=tree.spelling(entry, "objective") if objective is not None else "",
            objective_unit="percent",
            objective_at=tree.at(entry, "objective") if "objective" in entry else tree.at(entry),
            window=PERIOD,
            queries=queries,
            latency=_slo.within(queries),
            owner=_slo.first_of(_slo.OWNER_KEYS, *said),
            runbook=_slo.first_of(_slo.RUNBOOK_KEYS, *said),
            dashboard=_slo.first_of(_slo.DASHBOARD_KEYS, *said),
            description=_slo.text(entry, "description") or "",
            labels={**self.labels, **own},
            alert_names=(alert,) if alert and self.generates_alerts(entry) else (),
        )

    def queries(self, entry: dict[str, Any]) -> tuple[Query, ...]:
        sli = _mapping(entry, "sli")
        language = "promql" if self.holds_to_promql(entry) else ""
        found = []
        for kind, name, role in (
            ("events", "error_query", "bad"),
            ("events", "total_query", "total"),
            ("raw", "error_ratio_query", "ratio"),
        ):
            holder, key = _mapping(sli, kind), self.word(name)
            if query := _slo.text(holder, key):
                filled = _filled(query) if language else None
                at, place = self.tree.at(holder, key), partial(self.tree.line_of, holder, key)
                found.append(Query(at=at, place=place, text=query, language=language, role=role, parsable=filled))
        return tuple(found)

    def holds_to_promql(self, entry: dict[str, Any]) -> bool:
        """Whether Sloth's own validation, which wants PromQL, has not been replaced by somebody's plugins."""
        return not any(
            plugins.get("overridePrevious") is True
            for plugins in (_mapping(self.data, self.word("slo_plugins")), _mapping(entry, "plugins"))
        )


_WINDOW = re.compile(r"\{\{-?\s*\.window\s*-?\}\}(\w?)")


def _filled(query: str) -> str | None:
    """The query as Sloth renders it for one window; None where it has other placeholders, which Sloth does not fill in.

    Spaces keep everything behind the window where it was, so that an error can be pointed at.
    """
    filled = _WINDOW.sub(lambda found: f"5m{found[1]}" if found[1] else "5m".ljust(len(found[0])), query)
    return None if "{{" in filled else filled


def _mapping(holder: dict[str, Any], key: str) -> dict[str, Any]:
    value = holder.get(key)
    return value if isinstance(value, dict) else {}


FORMAT = Format(
    name="sloth",
    files=r"\.(?:ya?ml|json)$",
    marker=rb"slo(?:s?[\"']?\s*:|th)",
    yields=(Slo, Indicator),
    read=read,
)
