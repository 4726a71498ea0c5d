"""Sloth: https://sloth.dev, as files (`version: prometheus/v1`) and as Kubernetes resources (`PrometheusServiceLevel`).

Both say the same in two spellings, `page_alert` and `pageAlert`; Sloth silently drops a key in the spelling of the other.

* each entry of `slos`: an `Indicator`, and an `Slo` over 30 days, the default of Sloth's `--default-slo-period`
* `alerting`: the alerts that Sloth generates all bear `alerting.name`; there are none where both are disabled. Their burn rates
  are those of Sloth's own windows for 30 days, four in all: two that page and two that open a ticket
* owner, runbook, dashboard: what the SLO's own labels, the service's labels, then the alerts' annotations and labels have under
  one of `OWNER_KEYS`, `RUNBOOK_KEYS` and `DASHBOARD_KEYS` (listed in `formats/openslo.py`)
* queries: PromQL, with `{{.window}}` filled in; of any language where `overridePrevious` replaces the plugin that wants PromQL
* version, metadata and plugins: the SLO's `Origin`

The range of an objective, whether names are unique, whether queries can be parsed, have a window and differ: matters of checks.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import partial
from typing import Any

from pytest_reliability import shape
from pytest_reliability.contracts import Format
from pytest_reliability.documents import Source, Tree
from pytest_reliability.formats import _slo
from pytest_reliability.model.duration import Duration
from pytest_reliability.model.nodes import (
    Alerting,
    AlertText,
    BurnRate,
    Fault,
    Indicator,
    Node,
    Origin,
    Plugin,
    Query,
    Replace,
    Slo,
)
from pytest_reliability.shape import ANYTHING, BOOLEAN, INTEGER, NUMBER, STRING, TEXT, Entries, Fields, Items, Scalar, Shape

VERSION = "prometheus/v1"
GROUP = "sloth.slok.dev"
API_VERSION = f"{GROUP}/v1"
KIND = "PrometheusServiceLevel"
PERIOD = Duration.parse("30d")


@dataclass(frozen=True, slots=True)
class _Window:
    """When an alert fires: `budget`, a share of the whole, is gone after the long window at a burn rate of `factor`."""

    severity: str
    budget: Decimal
    factor: Decimal
    long: Duration
    short: Duration


def _window(severity: str, budget: str, long: str, short: str) -> _Window:
    length = Duration.parse(long)
    factor = (Decimal(budget) * Decimal(PERIOD.seconds) / Decimal(length.seconds)).normalize()
    return _Window(severity, Decimal(budget), factor, length, Duration.parse(short))


WINDOWS = (
    _window("page", "0.02", "1h", "5m"),
    _window("page", "0.05", "6h", "30m"),
    _window("ticket", "0.1", "1d", "2h"),
    _window("ticket", "0.1", "3d", "6h"),
)
"""Sloth's own windows for `PERIOD`; its `AlertWindows` may replace them."""

Spelling = Callable[[str], str]
"""How a dialect spells the words of the vocabulary, which are given in snake case."""


def _snake(word: str) -> str:
    return word


def _camel(word: str) -> str:
    first, *others = word.split("_")
    return first + "".join(other.capitalize() for other in others)


NAME = Scalar(
    "a name of at least two letters, digits, -, _ and . that begins and ends with a letter or a digit",
    types=(str,),
    accepts=re.compile(r"[A-Za-z0-9][-\w.]*[A-Za-z0-9]", re.ASCII).fullmatch,
)
RESOURCE_NAME = Scalar(
    "a name of 2 to 128 letters, digits, -, _ and . that begins and ends with a letter or a digit",
    types=(str,),
    accepts=re.compile(r"[A-Za-z0-9][-\w.]{0,126}[A-Za-z0-9]", re.ASCII).fullmatch,
)
QUERY = Scalar("a query", types=(str,), accepts=str.strip)
FILLED = Scalar("a text that is not empty", accepts=str.strip)
QUOTED = Scalar("a text in quotes, not empty,", types=(str,), accepts=str.strip)
IDENTIFIER = Scalar("the identifier of a plugin", types=(str,), accepts=str.strip)


def _service(word: Spelling, name: Scalar, text: Scalar) -> Fields:
    """The shape of a service with its SLOs; `name` is that of an SLO's name, `text` that of a label's value."""
    labels = Entries(text, key=r"(?!__name__$).+", expected="a label's name")
    plugins = Fields(
        "plugins",
        {
            "chain": Items(Fields("a plugin", {"id": IDENTIFIER, "config": ANYTHING, "priority": INTEGER}, required=("id",))),
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
            "plugin": Fields("an SLI plugin", {"id": IDENTIFIER, "options": Entries(TEXT)}, required=("id",)),
        },
        one_of=(("events", "raw", "plugin"),),
    )
    slo = Fields(
        "an SLO",
        {
            "name": name,
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


_FILE = _service(_snake, NAME, FILLED)
FILE = Fields("a Sloth service", {"version": ANYTHING, **_FILE.known}, required=("version", *_FILE.required))
RESOURCE = Fields(
    f"a {KIND}",
    {
        "apiVersion": ANYTHING,
        "kind": ANYTHING,
        "metadata": Fields("metadata", {"name": STRING}, open=True),
        "spec": _service(_camel, RESOURCE_NAME, QUOTED),
        "status": ANYTHING,
    },
    required=("apiVersion", "spec"),
)


@dataclass(frozen=True, slots=True)
class _Dialect:
    """One of the two spellings: the key and the value that a document announces itself with, its shape, how it spells words."""

    key: str
    version: str
    shape: Fields
    word: Spelling


_DIALECTS = (_Dialect("version", VERSION, FILE, _snake), _Dialect("apiVersion", API_VERSION, RESOURCE, _camel))


def read(source: Source) -> Iterator[Node | Fault]:
    """What the Sloth specifications of a file say, and what is wrong with them."""
    for number, tree in enumerate(source.trees):
        found = False
        for data in _documents(tree.data):
            dialect = _dialect(data)
            if dialect is not None:
                found = True
                yield from _wrong_version(tree, data, dialect)
                yield from shape.faults(tree, dialect.shape, data)
                yield from _Service(source, tree, data, dialect, number).read()
        if found:
            yield from tree.faults


def _documents(data: Any) -> Iterator[dict[str, Any]]:
    """A document, or every resource of a `List`."""
    if isinstance(data, dict):
        items = data.get("items")
        if isinstance(items, list) and str(data.get("kind")).endswith("List"):
            for item in items:
                yield from _documents(item)
        else:
            yield data


def _dialect(data: dict[str, Any]) -> _Dialect | None:
    """The spelling of a document that says it is Sloth's; or can be nothing else, and forgot to say so or says it wrongly."""
    file, resource = _DIALECTS
    if data.get("kind") == KIND:  # Sloth has other kinds too
        return resource
    version, slos = data.get("version"), data.get("slos")
    if isinstance(version, str) and version.startswith("prometheus/"):
        return file
    has_sli = isinstance(slos, list) and any(isinstance(item, dict) and "sli" in item for item in slos)
    return file if "service" in data and has_sli else None


def _wrong_version(tree: Tree, data: dict[str, Any], dialect: _Dialect) -> Iterator[Fault]:
    key, version = dialect.key, dialect.version
    if key in data and data[key] != version:
        at, spelling = tree.at(data, key), tree.spelling(data, key)
        yield Fault(
            kind="wrong-kind",
            at=at,
            message=f"{key} is {data[key]!r}; {version!r} is expected",
            hint=f"{key}: {version}",
            edit=Replace(at, spelling, version) if spelling else None,
        )


class _Service:
    """A service and its SLOs, in either spelling."""

    def __init__(self, source: Source, tree: Tree, data: dict[str, Any], dialect: _Dialect, number: int) -> None:
        self.settings = source.settings
        self.tree = tree
        self.word = dialect.word
        self.data = data if dialect.key == "version" else _slo.mapping(data, "spec")
        self.labels = _slo.texts(tree, self.data, "labels")
        metadata = _slo.mapping(data, "metadata") if dialect.key == "apiVersion" else {}
        self.origin = Origin(
            version=dialect.version,
            number=number,
            name=_slo.text(metadata, "name") or "",
            namespace=_slo.text(metadata, "namespace") or "",
            labels=_slo.texts(tree, metadata, "labels"),
            annotations=_slo.texts(tree, metadata, "annotations"),
        )

    def read(self) -> Iterator[Node | Fault]:
        """An SLO for each entry, and the faults that depend on more than one field."""
        slos = self.data.get("slos")
        for entry in slos if isinstance(slos, list) else []:
            if isinstance(entry, dict):
                alerting, origin = self.alerting(entry), self.with_plugins(entry)
                yield from self.unnamed_alerts(alerting)
                yield from self.no_plugins(entry, origin)
                queries = self.queries(entry, promql=not origin.replaced)
                if queries:
                    at, holder = self.tree.at(entry, "sli"), f"SLO {entry.get('name')!r}"
                    yield Indicator(at=at, settings=self.settings, holder=holder, queries=queries, dialect="sloth")
                if _slo.text(entry, "name"):
                    yield self.slo(entry, queries, alerting, origin)

    def unnamed_alerts(self, alerting: Alerting) -> Iterator[Fault]:
        """Sloth generates alerts unless both are disabled, and refuses to without a name for them."""
        if not alerting.disabled and not alerting.name:
            page, ticket = self.word("page_alert"), self.word("ticket_alert")
            yield Fault(
                kind="missing-field",
                at=alerting.at,
                message="the alerts of this SLO have no name, without which Sloth generates nothing",
                hint=f"add alerting.name: …, or disable: true under both alerting.{page} and alerting.{ticket}",
            )

    def no_plugins(self, entry: dict[str, Any], origin: Origin) -> Iterator[Fault]:
        """Plugins that replace Sloth's own must be some."""
        if origin.replaced and not origin.plugins:
            service, own = self.chains(entry)
            holder = own if own.get("overridePrevious") is True else service
            yield Fault(
                kind="conflicting-fields",
                at=self.tree.key_at(holder, "overridePrevious"),
                message="overridePrevious leaves out Sloth's own plugins, and there are no others to generate anything",
                hint="add a plugin to the chain, or leave overridePrevious out",
            )

    def slo(self, entry: dict[str, Any], queries: tuple[Query, ...], alerting: Alerting, origin: Origin) -> Slo:
        """The SLO of an entry."""
        tree = self.tree
        own = _slo.texts(tree, entry, "labels")
        said = (own, self.labels, alerting.common.annotations, alerting.common.labels)
        objective = _slo.number(tree, entry, "objective")
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
            alert_names=(alerting.name,) if alerting.name and not alerting.disabled else (),
            alerting=alerting,
            burn_rates=tuple(self.burn_rates(entry["name"], alerting)),
            origin=origin,
        )

    def alerting(self, entry: dict[str, Any]) -> Alerting:
        """How Sloth alerts on the SLO of an entry: always, unless that is disabled."""
        alerting = _slo.mapping(entry, "alerting")
        return Alerting(
            at=self.tree.at(alerting if isinstance(entry.get("alerting"), dict) else entry),
            name=_slo.text(alerting, "name") or "",
            common=self.alert_text(alerting),
            page=self.alert_text(_slo.mapping(alerting, self.word("page_alert")), "disable"),
            ticket=self.alert_text(_slo.mapping(alerting, self.word("ticket_alert")), "disable"),
        )

    def alert_text(self, alert: dict[str, Any], off: str = "") -> AlertText:
        """What all alerts have, or those of a severity; the key `off` says that there are none."""
        return AlertText(
            disabled=alert.get(off) is True,
            labels=_slo.texts(self.tree, alert, "labels"),
            annotations=_slo.texts(self.tree, alert, "annotations"),
        )

    def burn_rates(self, name: str, alerting: Alerting) -> Iterator[BurnRate]:
        """What the alerts that Sloth generates with its own windows fire on."""
        silent = {"page": alerting.page.disabled, "ticket": alerting.ticket.disabled}
        for window in WINDOWS:
            if not silent[window.severity]:
                yield BurnRate(
                    at=alerting.at,
                    settings=self.settings,
                    holder=f"the {window.severity} alert of SLO {name!r}",
                    factor=window.factor,
                    long=window.long,
                    short=window.short,
                    severity=window.severity,
                    budget=window.budget,
                    period=PERIOD,
                )

    def queries(self, entry: dict[str, Any], promql: bool) -> tuple[Query, ...]:
        """The queries of an entry's SLI; what Sloth's own plugins validate is PromQL."""
        sli = _slo.mapping(entry, "sli")
        found = []
        for kind, name, role in (
            ("events", "error_query", "bad"),
            ("events", "total_query", "total"),
            ("raw", "error_ratio_query", "ratio"),
        ):
            holder, key = _slo.mapping(sli, kind), self.word(name)
            if query := _slo.text(holder, key):
                found.append(
                    Query(
                        at=self.tree.at(holder, key),
                        place=partial(self.tree.line_of, holder, key),
                        text=query,
                        language="promql" if promql else "",
                        role=role,
                        ratio_of="bad" if role == "ratio" else "",
                        parsable=_filled(query) if promql else None,
                        windowed=_windowed(query),
                        needs_window=promql,
                    )
                )
        return tuple(found)

    def chains(self, entry: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
        """The plugins of the service, and those of one of its SLOs."""
        return _slo.mapping(self.data, self.word("slo_plugins")), _slo.mapping(entry, "plugins")

    def with_plugins(self, entry: dict[str, Any]) -> Origin:
        """The origin of the SLO of an entry. Plugins of its own that override leave out those of the service, too."""
        service, own = self.chains(entry)
        overridden = own.get("overridePrevious") is True
        plugin = _slo.mapping(_slo.mapping(entry, "sli"), "plugin")
        identifier = _slo.text(plugin, "id")
        return replace(
            self.origin,
            indicator=Plugin(id=identifier, options=_slo.texts(self.tree, plugin, "options")) if identifier else None,
            plugins=tuple(found for chain in ((own,) if overridden else (service, own)) for found in _plugins(chain)),
            replaced=overridden or service.get("overridePrevious") is True,
        )


def _plugins(holder: dict[str, Any]) -> Iterator[Plugin]:
    chain = holder.get("chain")
    for item in chain if isinstance(chain, list) else []:
        if isinstance(item, dict) and _slo.text(item, "id"):
            priority = item.get("priority")
            yield Plugin(id=item["id"], options=_slo.mapping(item, "config"), priority=priority if type(priority) is int else 0)


_WINDOW = re.compile(r"\{\{-?\s*\.window\s*-?\}\}(\w?)")
_TRIMMED = re.compile(r"(?:\s*\{\{-|\{\{)\s*\.window\s*(?:-\}\}\s*|\}\})")


def with_window(query: str) -> str:
    """The query as Sloth renders it for one window.

    Spaces keep everything behind the window where it was, so that an error can be pointed at.
    """
    return _WINDOW.sub(lambda found: f"5m{found[1]}" if found[1] else "5m".ljust(len(found[0])), query)


def _filled(query: str) -> str | None:
    """The query with its window; None where it has other placeholders, which Sloth does not fill in."""
    filled = with_window(query)
    return None if "{{" in filled else filled


def _windowed(query: str) -> Callable[[str], str] | None:
    """The query as Sloth renders it for any window; None where there is no place for one, or where Sloth cannot render it."""
    return partial(_rendered, query) if _TRIMMED.search(query) and "{{" not in _TRIMMED.sub("", query) else None


def _rendered(query: str, window: str) -> str:
    return _TRIMMED.sub(lambda _: window, query)


FORMAT = Format(
    name="sloth",
    files=r"\.(?:ya?ml|json)$",
    marker=rb"slo(?:s?[\"']?\s*:|th)",
    yields=(Slo, Indicator),
    read=read,
)
