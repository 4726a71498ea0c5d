"""What the readers of all versions of OpenSLO share: what a version is, shapes of simple values, a document being read."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from typing import Any, TypedDict

from pytest_reliability.documents import Source, Tree
from pytest_reliability.formats import _slo
from pytest_reliability.formats.sloth import with_window
from pytest_reliability.model.duration import Duration
from pytest_reliability.model.location import Location
from pytest_reliability.model.nodes import Definition, Fault, Node, Origin, Query, Reference
from pytest_reliability.model.settings import Settings
from pytest_reliability.shape import ANYTHING, Fields, Scalar, choice

SPOKEN = {
    "SLO": "SLO",
    "SLI": "SLI",
    "Service": "service",
    "AlertPolicy": "alert policy",
    "AlertCondition": "alert condition",
    "AlertNotificationTarget": "alert notification target",
    "DataSource": "data source",
}
"""Each kind of document, and what references, definitions and messages call it."""


# --- Shapes -----------------------------------------------------------------------------------------------------------


def _is_moment(text: str) -> bool:
    from datetime import datetime

    try:
        datetime.strptime(text, "%Y-%m-%d %H:%M:%S")
    except ValueError:
        return False
    return True


def _is_share(text: str) -> bool:
    try:
        return 0 < float(text) <= 1
    except ValueError:
        return False


_AREAS = frozenset(
    {"Africa", "America", "Antarctica", "Arctic", "Asia", "Atlantic", "Australia", "Brazil", "Canada", "Chile", "Etc", "Europe",
     "Indian", "Mexico", "Pacific", "US"}
)  # fmt: skip
_OLD_ZONES = frozenset(
    {"CET", "CST6CDT", "Cuba", "EET", "EST", "EST5EDT", "Egypt", "Eire", "GB", "GB-Eire", "GMT", "GMT+0", "GMT-0", "GMT0",
     "Greenwich", "HST", "Hongkong", "Iceland", "Iran", "Israel", "Jamaica", "Japan", "Kwajalein", "Libya", "MET", "MST",
     "MST7MDT", "NZ", "NZ-CHAT", "Navajo", "PRC", "PST8PDT", "Poland", "Portugal", "ROC", "ROK", "Singapore", "Turkey", "UCT",
     "UTC", "Universal", "W-SU", "WET", "Zulu"}
)  # fmt: skip


def _is_zone(text: str) -> bool:
    """By its form: which places the machine's own database has depends on its age and how it was packaged."""
    area, _, place = text.partition("/")
    return text in _OLD_ZONES or (area in _AREAS and re.fullmatch(r"[\w+-]+(?:/[\w+-]+)?", place) is not None)


DNS_LABEL = Scalar(
    "a name of at most 63 lower-case letters, digits and - with a letter or a digit at both ends",
    types=(str,),
    accepts=re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?").fullmatch,
)
NAMED = Scalar("a name", types=(str,), accepts=str.strip)
DESCRIPTION = Scalar("a text of at most 1050 characters", types=(str,), accepts=lambda text: len(text) <= 1050)
SHARE = Scalar("a number above 0, at most 1,", types=(int, float), accepts=_is_share)
OPERATOR = choice("lte", "gte", "lt", "gt")
CALENDAR = Fields(
    "a calendar",
    {
        "startTime": Scalar("a date and time such as 2026-01-31 00:00:00", types=(str,), accepts=_is_moment),
        "timeZone": Scalar("a time zone of the IANA database such as America/New_York", types=(str,), accepts=_is_zone),
    },
    required=("startTime", "timeZone"),
)

LABEL_KEY = r"[a-zA-Z0-9]([-._a-zA-Z0-9]{0,61}[a-zA-Z0-9])?"
PREFIXED_KEY = r"([a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?(\.[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?)*/)?" + LABEL_KEY
KEY_EXPECTED = "at most 63 letters, digits, -, _ and ., with a letter or a digit at both ends,"
PREFIXED_EXPECTED = f"{KEY_EXPECTED} after an optional domain and a slash,"


def some(what: str) -> Fields:
    """A mapping whose keys depend on other fields; they are looked at apart."""
    return Fields(what, {}, open=True)


def documents(metadata: Fields, specs: Mapping[str, Fields]) -> dict[str, Fields]:
    """The shape of each kind of document. What an SLO's spec must be depends on what is in it, so it is looked at apart."""
    return {
        kind: Fields(
            f"an OpenSLO {SPOKEN[kind]}",
            {"apiVersion": ANYTHING, "kind": ANYTHING, "metadata": metadata, "spec": some(spec.what) if kind == "SLO" else spec},
            required=("metadata",) if kind == "Service" else ("metadata", "spec"),
        )
        for kind, spec in specs.items()
    }


# --- Documents --------------------------------------------------------------------------------------------------------

LANGUAGES = {"prometheus": "promql", "thanos": "promql", "cortex": "promql", "mimir": "promql", "datadog": "datadog"}
"""The language of the queries of a type of data source, as far as it is known."""

_FILE = re.compile(r".*\.(?:ya?ml|json)")


class About(TypedDict):
    """What the SLOs of a document have in common, whatever their objectives are."""

    settings: Settings
    dialect: str
    service: str | None
    window: Duration | None
    window_at: Location | None
    rolling: bool
    method: str
    policies: tuple[str, ...]
    owner: str | None
    runbook: str | None
    dashboard: str | None
    description: str
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    origin: Origin


class Document:
    """One document, being read; `number` is its place in the file, `types` are those of the file's data sources by name."""

    version = ""

    def __init__(
        self, source: Source, tree: Tree, data: dict[str, Any], kind: str, number: int, types: Mapping[str, str]
    ) -> None:
        self.settings: Settings = source.settings
        self.tree = tree
        self.data = data
        self.kind = kind
        self.types = types
        self.metadata = mapping(data, "metadata")
        self.spec = mapping(data, "spec")
        self.name = _slo.text(self.metadata, "name") or ""
        self.holder = f"{SPOKEN[kind]} {self.name!r}"
        self.number = number

    def read(self) -> Iterator[Node | Fault]:
        """The nodes, and the faults that depend on more than one field."""
        raise NotImplementedError

    def at(self) -> Location:
        """Where the document begins, for people: at its name."""
        return self.tree.at(self.metadata, "name") if "name" in self.metadata else self.tree.at(self.data)

    def definition(self) -> Iterator[Definition]:
        """What others may refer to."""
        if self.name:
            yield Definition(at=self.at(), settings=self.settings, kind=SPOKEN[self.kind], name=self.name)

    def reference(self, holder: Any, key: str | int, kind: str) -> Iterator[Reference]:
        """A name that another document must bear. A path to a file, which implementations may allow, is none."""
        name = holder.get(key) if isinstance(holder, dict) else holder[key]
        if isinstance(name, str) and name.strip() and not _FILE.fullmatch(name):
            at = self.tree.at(holder, key)
            yield Reference(at=at, settings=self.settings, kind=SPOKEN[kind], name=name, holder=self.holder)

    def about(
        self,
        *,
        service: str | None,
        window: Duration | None,
        window_at: Location | None,
        rolling: bool,
        sliced: bool,
        policies: tuple[str, ...] = (),
    ) -> About:
        """What holds for every SLO of the document; `sliced` where time slices are counted instead of events."""
        labels, annotations = (_slo.texts(self.tree, self.metadata, key) for key in ("labels", "annotations"))
        return {
            "settings": self.settings,
            "dialect": "openslo",
            "service": service,
            "window": window,
            "window_at": window_at,
            "rolling": rolling,
            "method": "timeslices" if sliced else "occurrences",
            "policies": policies,
            "owner": _slo.first_of(_slo.OWNER_KEYS, labels, annotations),
            "runbook": _slo.first_of(_slo.RUNBOOK_KEYS, labels, annotations),
            "dashboard": _slo.first_of(_slo.DASHBOARD_KEYS, labels, annotations),
            "description": _slo.text(self.spec, "description") or "",
            "labels": labels,
            "annotations": annotations,
            "origin": Origin(version=self.version, number=self.number, name=self.name, labels=labels, annotations=annotations),
        }

    def names(self, objectives: list[dict[str, Any]]) -> list[str]:
        """What the SLO of each objective is called; no two of them alike."""
        if len(objectives) == 1:
            return [self.name]
        shown = [_slo.text(item, "displayName") for item in objectives]
        return [f"{self.name}:{name if name and shown.count(name) == 1 else number}" for number, name in enumerate(shown, 1)]

    def queries(self, written: list[Written]) -> tuple[Query, ...]:
        """The queries of an SLI. Where one has a place for the window, the tool fills it in, so all must have one."""
        places = [_windowed(query.text) for query in written]
        return tuple(
            Query(
                at=self.tree.at(query.holder, query.key),
                place=partial(self.tree.line_of, query.holder, query.key),
                text=query.text,
                language=query.language,
                role=query.role,
                ratio_of=query.ratio_of,
                parsable=_filled(query.text) if query.language == "promql" else None,
                windowed=windowed,
                needs_window=query.language == "promql" and any(places),
            )
            for query, windowed in zip(written, places, strict=True)
        )

    def latency(self, objective: dict[str, Any], queries: tuple[Query, ...]) -> Duration | None:
        """T of "X of requests within T"."""
        if not any(query.role == "threshold" for query in queries):
            return _slo.within(queries)
        value = _slo.number(self.tree, objective, "value")
        return _slo.measured(str(value), _slo.unit_of(queries)) if objective.get("op") in ("lt", "lte") else None

    def threshold(self, objective: dict[str, Any]) -> tuple[Decimal | None, str]:
        """What the query of role threshold is compared with, and how."""
        operator = objective.get("op")
        return _slo.number(self.tree, objective, "value"), operator if operator in OPERATOR.choices else ""


@dataclass(frozen=True, slots=True)
class Written:
    """A query where it stands: under `key` of `holder`."""

    holder: dict[str, Any]
    key: str
    language: str
    role: str
    ratio_of: str = ""

    @property
    def text(self) -> str:
        """The query as written."""
        text: str = self.holder[self.key]
        return text


@dataclass(frozen=True, slots=True)
class Version:
    """A version of OpenSLO: the shape of each kind's document and of its `spec`, and who reads them."""

    name: str
    specs: Mapping[str, Fields]
    documents: Mapping[str, Fields]
    reader: type[Document]


def _templated(query: str) -> bool:
    return any(mark in query for mark in ("{{", "$", "[["))


def _filled(query: str) -> str | None:
    """The query with its placeholders filled in; OpenSLO knows none, but those who read it do, Sloth first of all."""
    if not _templated(query):
        return query
    from pytest_reliability.promql import substitute

    return substitute(with_window(query))


def _windowed(query: str) -> Callable[[str], str] | None:
    """The query over any window; None where it has no place for one, or where nobody can tell what else is to be filled in."""
    if not _templated(query):
        return None
    from pytest_reliability.promql import substitute

    here, there = substitute(query, "5m"), substitute(query, "1h")
    return partial(_over, query) if here and here != there else None


def _over(query: str, window: str) -> str:
    from pytest_reliability.promql import substitute

    return substitute(query, window) or query


def mapping(holder: dict[str, Any], key: str) -> dict[str, Any]:
    """The mapping under `key`; an empty one where there is none."""
    value = holder.get(key)
    return value if isinstance(value, dict) else {}


def listed(holder: dict[str, Any], key: str) -> list[Any]:
    """The list under `key`; an empty one where there is none."""
    value = holder.get(key)
    return value if isinstance(value, list) else []


def mappings(holder: dict[str, Any], key: str) -> list[dict[str, Any]]:
    """The mappings in the list under `key`."""
    return [item for item in listed(holder, key) if isinstance(item, dict)]
