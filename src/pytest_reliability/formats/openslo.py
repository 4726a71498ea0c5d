"""OpenSLO v1: https://github.com/OpenSLO/OpenSLO.

What becomes of a document:

* an SLO: an `Slo` for each objective. A single one is called like the document; of several, each has its `displayName` (or its
  number) behind a colon: "search:Good experience"
* an SLI, inline or not: an `Indicator`. An SLO that refers to one by name has no queries of its own
* every kind: a `Definition`, and a `Reference` for whatever it refers to by name
* owner, runbook, dashboard: what `metadata.labels`, then `metadata.annotations`, have under one of `OWNER_KEYS` (owner, owners,
  owned_by, owning_team, team, teams, squad, maintainer, maintainers), `RUNBOOK_KEYS` (runbook_url, runbook, playbook_url,
  playbook) and `DASHBOARD_KEYS` (dashboard, dashboard_url, grafana_dashboard, grafana_url, grafana), with or without a prefix
  (`example.com/owner`)

Documents of the other versions, `openslo/v1alpha` and `openslo.com/v2alpha`, are not checked. They yield only `Definition`s: the
objects exist, so that what refers to them does not dangle, and a service whose SLOs are written in them is not without SLO.

Where the specification, the official JSON schema and the official SDK disagree, whatever one of them allows is allowed: alert
policies of an SLO as plain names, `operator` beside a `conditionRef`, RatioTimeslices, inline indicators without metadata.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from decimal import Decimal
from functools import partial
from typing import Any

from pytest_reliability import shape
from pytest_reliability.contracts import Format
from pytest_reliability.documents import Source, Tree
from pytest_reliability.formats import _slo
from pytest_reliability.model.duration import Duration
from pytest_reliability.model.location import Location
from pytest_reliability.model.nodes import Definition, Fault, Indicator, Node, Query, Reference, Slo
from pytest_reliability.shape import (
    ANYTHING,
    BOOLEAN,
    NUMBER,
    STRING,
    TEXT,
    Either,
    Entries,
    Fields,
    Items,
    Scalar,
    Shape,
    choice,
)

VERSION = "openslo/v1"
OTHER_VERSIONS = {
    "openslo/v1alpha": ("SLO", "Service"),
    "openslo.com/v2alpha": ("SLO", "SLI", "Service", "AlertPolicy", "AlertCondition", "AlertNotificationTarget", "DataSource"),
}  # fmt: skip
"""Versions that are not checked here, with the kinds of each."""

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


NAME = Scalar(
    "a name of lower-case letters, digits and - . | / \\ that begins with a letter or a digit",
    types=(str,),
    accepts=re.compile(r"[a-z0-9][a-z0-9.|/\\-]{0,254}").fullmatch,
)
LABEL = Scalar("a text in quotes", types=(str,))
NAMED = Scalar("a name", types=(str,), accepts=str.strip)
DESCRIPTION = Scalar("a text of at most 1050 characters", types=(str,), accepts=lambda text: len(text) <= 1050)
DURATION = Scalar(
    "a whole number above 0 with one of m, h, d, w, M, Q and Y, such as 28d,",
    types=(str,),
    accepts=re.compile(r"[1-9][0-9]*[mhdwMQY]").fullmatch,
)
WAIT = replace(DURATION, accepts=re.compile(r"[0-9]+[mhdwMQY]").fullmatch)
SLICE = replace(DURATION, types=(str, int), accepts=re.compile(r"[1-9][0-9]*[mhdwMQY]?").fullmatch)
SHARE = Scalar("a number above 0, at most 1,", types=(int, float), accepts=_is_share)
MOMENT = Scalar("a date and time such as 2026-01-31 00:00:00", types=(str,), accepts=_is_moment)
ZONE = Scalar("a time zone of the IANA database such as America/New_York", types=(str,), accepts=_is_zone)
OPERATOR = choice("lte", "gte", "lt", "gt")


def _some(what: str) -> Fields:
    """A mapping whose keys depend on other fields; they are looked at apart."""
    return Fields(what, {}, open=True)


_LABEL_KEY = r"[a-zA-Z0-9]([-._a-zA-Z0-9]{0,61}[a-zA-Z0-9])?"
_PREFIX = r"([a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?(\.[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?)*/)?"
_KEY_EXPECTED = "at most 63 letters, digits, -, _ and ., with a letter or a digit at both ends,"

METADATA = Fields(
    "metadata",
    {
        "name": NAME,
        "displayName": STRING,
        "labels": Entries(
            Either((LABEL, Items(LABEL)), "a text or a list of texts"),
            key=_LABEL_KEY,
            expected=_KEY_EXPECTED,
        ),
        "annotations": Entries(
            TEXT,
            key=_PREFIX + _LABEL_KEY,
            expected=f"{_KEY_EXPECTED} after an optional domain and a slash,",
        ),
        "namespace": STRING,  # Kubernetes tools put it there
    },
    required=("name",),
)

METRIC = Fields(
    "a metric",
    {
        "metricSource": Fields(
            "a metricSource",
            {"metricSourceRef": NAMED, "type": STRING, "spec": _some("the spec of a metricSource")},
            required=("spec",),
        )
    },
    required=("metricSource",),
)
RATIO = Fields(
    "a ratioMetric",
    {
        "counter": BOOLEAN,
        "good": METRIC,
        "bad": METRIC,
        "total": METRIC,
        "raw": METRIC,
        "rawType": choice("success", "failure"),
    },
)
FRACTION = replace(RATIO, required=("total",), one_of=(("good", "bad"),), at_most_one=(("total", "raw"),))
RAW = replace(RATIO, required=("rawType",), at_most_one=(("raw", "good"), ("raw", "bad")))
SLI = Fields(
    "an SLI's spec",
    {"description": DESCRIPTION, "thresholdMetric": METRIC, "ratioMetric": _some("a ratioMetric")},
    one_of=(("thresholdMetric", "ratioMetric"),),
)
INDICATOR = Fields("an indicator", {"metadata": METADATA, "spec": SLI}, required=("spec",))

INDICATORS = ("indicator", "indicatorRef")
OBJECTIVE = Fields(
    "an objective",
    {
        "displayName": STRING,
        "op": OPERATOR,
        "value": NUMBER,
        "target": NUMBER,
        "targetPercent": NUMBER,
        "timeSliceTarget": SHARE,
        "timeSliceWindow": SLICE,
        "indicator": INDICATOR,
        "indicatorRef": NAMED,
        "compositeWeight": NUMBER,
    },
    one_of=(("target", "targetPercent"),),
    at_most_one=(INDICATORS,),
)
OBJECTIVES = {
    "Occurrences": OBJECTIVE,
    "Timeslices": replace(OBJECTIVE, what="an objective of Timeslices", required=("timeSliceTarget", "timeSliceWindow")),
    "RatioTimeslices": replace(OBJECTIVE, what="an objective of RatioTimeslices", required=("timeSliceWindow",)),
}

ROLLING = Fields(
    "a time window",
    {
        "duration": DURATION,
        "isRolling": BOOLEAN,
        "calendar": Fields("a calendar", {"startTime": MOMENT, "timeZone": ZONE}, required=("startTime", "timeZone")),
    },
    required=("duration",),
)
CALENDAR = replace(ROLLING, what="a time window without isRolling: true", required=("duration", "calendar"))

CONDITION = Fields(
    "an alert condition's spec",
    {
        "description": DESCRIPTION,
        "severity": NAMED,
        "condition": Fields(
            "a condition",
            {
                "kind": choice("burnrate"),
                "op": OPERATOR,
                "threshold": NUMBER,
                "lookbackWindow": DURATION,
                "alertAfter": WAIT,
            },
            required=("threshold", "lookbackWindow"),
        ),
    },
    required=("severity", "condition"),
)
TARGET = Fields("an alert notification target's spec", {"description": DESCRIPTION, "target": NAMED}, required=("target",))
POLICY = Fields(
    "an alert policy's spec",
    {
        "description": DESCRIPTION,
        "alertWhenNoData": BOOLEAN,
        "alertWhenResolved": BOOLEAN,
        "alertWhenBreaching": BOOLEAN,
        "conditions": Items(_some("an alert condition"), minimum=1, maximum=1),
        "notificationTargets": Items(_some("an alert notification target"), minimum=1),
    },
    required=("conditions", "notificationTargets"),
)

SPECS = {
    "SLO": Fields(
        "an SLO's spec",
        {
            "description": DESCRIPTION,
            "service": NAMED,
            "indicator": INDICATOR,
            "indicatorRef": NAMED,
            "timeWindow": Items(_some("a time window"), maximum=1),
            "budgetingMethod": choice(*OBJECTIVES),
            "objectives": Items(_some("an objective"), minimum=1),
            "alertPolicies": Items(Either((NAMED, _some("an alert policy")), "an alert policy or its name")),
        },
        required=("service", "budgetingMethod", "objectives"),
        at_most_one=(INDICATORS,),
        renamed={"objective": "objectives", "timeWindows": "timeWindow", "sli": "indicator", "serviceRef": "service"},
    ),
    "SLI": SLI,
    "Service": Fields("a service's spec", {"description": DESCRIPTION}),
    "AlertPolicy": POLICY,
    "AlertCondition": CONDITION,
    "AlertNotificationTarget": TARGET,
    "DataSource": Fields(
        "a data source's spec",
        {"description": DESCRIPTION, "type": NAMED, "connectionDetails": ANYTHING},
        required=("type", "connectionDetails"),
    ),
}
"""The shape of each kind's `spec`. Items of lists and an SLO's indicators depend on other fields; they are looked at apart."""

DOCUMENTS = {
    kind: Fields(
        f"an OpenSLO {SPOKEN[kind]}",
        {"apiVersion": ANYTHING, "kind": ANYTHING, "metadata": METADATA, "spec": _some(spec.what) if kind == "SLO" else spec},
        required=("metadata",) if kind == "Service" else ("metadata", "spec"),
    )
    for kind, spec in SPECS.items()
}


def _use(kind: str, reference: str, *more: str) -> Fields:
    """Another object inside a document: by its name, or inline."""
    known: dict[str, Shape] = {
        reference: NAMED,
        **dict.fromkeys(more, ANYTHING),
        "kind": choice(kind),
        "metadata": METADATA,
        "spec": SPECS[kind],
    }
    return Fields(f"this {SPOKEN[kind]}", known, one_of=((reference, "spec"),))


USES = {
    "alertPolicies": ("AlertPolicy", "alertPolicyRef", _use("AlertPolicy", "alertPolicyRef")),
    "conditions": ("AlertCondition", "conditionRef", _use("AlertCondition", "conditionRef", "operator")),
    "notificationTargets": ("AlertNotificationTarget", "targetRef", _use("AlertNotificationTarget", "targetRef")),
}
"""Lists of other objects: their kind, the key that refers to one by its name, and the shape of an item."""


# --- Which documents are ours -----------------------------------------------------------------------------------------


_KINDS = re.compile(
    rb"kind[\"']?\s*:\s*[\"']?"
    rb"(?:SLO|SLI|AlertPolicy|AlertCondition|AlertNotificationTarget|(?:Service|DataSource)\b(?s:.{0,300})\bdisplayName)\b"
)
"""Kinds that may be OpenSLO's although the file does not say so; Kubernetes has services too, but without a displayName."""


def read(source: Source) -> Iterator[Node | Fault]:
    """What the OpenSLO documents of a file say, and what is wrong with them."""
    if b"openslo" not in source.data.lower() and not _KINDS.search(source.data):
        return
    sources = _source_types(source.trees)
    for tree in source.trees:
        found = False
        for data in _documents(tree):
            for item in _read(source, tree, data, sources):
                found = True
                yield item
        if found:
            yield from tree.faults


def _documents(tree: Tree) -> Iterator[dict[str, Any]]:
    """The objects of a YAML document or a JSON file, which may be a list of them."""
    for data in tree.data if isinstance(tree.data, list) else [tree.data]:
        if isinstance(data, dict):
            yield data


def _read(source: Source, tree: Tree, data: dict[str, Any], sources: Mapping[str, str]) -> Iterator[Node | Fault]:
    version, kind = _slo.text(data, "apiVersion"), _slo.text(data, "kind")
    if version in OTHER_VERSIONS:
        if kind in SPECS and kind not in OTHER_VERSIONS[version]:
            message = f"apiVersion is {version!r}, which has no kind {kind}; {VERSION!r} is expected"
            at = tree.at(data, "apiVersion")
            yield Fault(kind="wrong-kind", at=at, message=message, hint=f"apiVersion: {VERSION}")
        yield from _definition(source, tree, data, kind)
        return
    if version != VERSION:
        if not _means_openslo(data, version, kind):
            return
        preview = version is not None and re.search("alpha|beta", version) is not None
        others = f", or a version that is not checked: {', '.join(OTHER_VERSIONS)}" if preview else ""
        yield _wrong(tree, data, "apiVersion", repr(VERSION), f"apiVersion: {VERSION}{others}")
        if preview:
            yield from _definition(source, tree, data, kind)
            return
    meant = kind if kind in SPECS else shape.nearest(kind or "", SPECS)
    if meant != kind or meant is None:
        hint = f"did you mean {meant}?" if meant else ""
        yield _wrong(tree, data, "kind", f"one of {', '.join(SPECS)}", hint)
    if meant is not None:
        yield from _definition(source, tree, data, meant)
        yield from shape.faults(tree, DOCUMENTS[meant], data)
        yield from _Document(source, tree, data, meant, sources).read()


def _means_openslo(data: dict[str, Any], version: str | None, kind: str | None) -> bool:
    """Whether a document of another `apiVersion`, or of none, is OpenSLO's beyond doubt: it says so, or it can be nothing else.

    Kinds like Service and SLO belong to Kubernetes and Nobl9 too, but theirs have a group ("n9/v1alpha") or other fields.
    """
    if version is not None and ("/" in version or "openslo" in version.casefold()):
        return "openslo" in version.casefold()
    spec = data.get("spec")
    if kind not in SPECS or not isinstance(spec, dict) or not spec:
        return False
    wanted = SPECS[kind]
    if wanted.required and spec.keys() >= set(wanted.required):
        return True
    return spec.keys() <= wanted.known.keys() and (kind != "Service" or "displayName" in _mapping(data, "metadata"))


def _wrong(tree: Tree, data: dict[str, Any], key: str, expected: str, hint: str) -> Fault:
    """`apiVersion` or `kind` is missing, or is not what it must be."""
    if data.get(key) is None:
        message = f"an OpenSLO document has no {key!r}; {expected} is expected"
        return Fault(kind="missing-field", at=tree.at(data), message=message, hint=hint)
    message = f"{key} is {data[key]!r}; {expected} is expected"
    return Fault(kind="wrong-kind", at=tree.at(data, key), message=message, hint=hint)


def _definition(source: Source, tree: Tree, data: dict[str, Any], kind: str | None) -> Iterator[Definition]:
    metadata = _mapping(data, "metadata")
    name = _slo.text(metadata, "name")
    if kind in SPOKEN and name:
        yield Definition(at=tree.at(metadata, "name"), settings=source.settings, kind=SPOKEN[kind], name=name)


def _source_types(trees: tuple[Tree, ...]) -> dict[str, str]:
    """The types of the data sources that a file defines, by name."""
    found = {}
    for tree in trees:
        for data in _documents(tree):
            name, kind = _slo.text(data.get("metadata"), "name"), _slo.text(data.get("spec"), "type")
            if data.get("kind") == "DataSource" and name and kind:
                found[name] = kind
    return found


# --- What a document says ---------------------------------------------------------------------------------------------

_LANGUAGES = {"prometheus": "promql", "thanos": "promql", "cortex": "promql", "mimir": "promql", "datadog": "datadog"}
_ROLES = {"good": "good", "bad": "bad", "total": "total", "raw": "ratio"}
_FILE = re.compile(r".*\.(?:ya?ml|json)")


class _Document:
    """One document of OpenSLO v1, being read."""

    def __init__(self, source: Source, tree: Tree, data: dict[str, Any], kind: str, sources: Mapping[str, str]) -> None:
        self.settings = source.settings
        self.tree = tree
        self.data = data
        self.kind = kind
        self.sources = sources
        self.metadata = _mapping(data, "metadata")
        self.spec = _mapping(data, "spec")
        self.name = _slo.text(self.metadata, "name") or ""
        self.holder = f"{SPOKEN[kind]} {self.name!r}"

    def read(self) -> Iterator[Node | Fault]:
        """The nodes and the faults that depend on more than one field."""
        if self.kind == "SLO":
            yield from self.slo()
        elif self.kind == "SLI":
            yield from self.indicator(self.spec)
        elif self.kind == "AlertPolicy":
            yield from self.policy(self.spec)

    def at(self) -> Location:
        """Where the document begins, for people: at its name."""
        return self.tree.at(self.metadata, "name") if "name" in self.metadata else self.tree.at(self.data)

    def slo(self) -> Iterator[Node | Fault]:
        """An SLO: one indicator for all of its objectives, or (a composite) one for each of them."""
        spec, tree = self.spec, self.tree
        objectives = _mappings(spec, "objectives")
        composite = any(map(_has_indicator, objectives))
        whole = SPECS["SLO"] if composite else replace(SPECS["SLO"], one_of=(INDICATORS,), at_most_one=())
        part = OBJECTIVES.get(_slo.text(spec, "budgetingMethod") or "", OBJECTIVE)
        if composite and not _has_indicator(spec):
            part = replace(part, one_of=(*part.one_of, INDICATORS), at_most_one=())
        if isinstance(self.data.get("spec"), dict):
            yield from shape.faults(tree, whole, spec)
        for objective in objectives:
            yield from shape.faults(tree, part, objective)
            if _has_indicator(spec) and _has_indicator(objective):
                yield self.second_indicator(objective)
        for window in _mappings(spec, "timeWindow"):
            yield from self.window(window)
        for holder in (spec, *objectives):
            yield from self.indicator(_mapping(_mapping(holder, "indicator"), "spec"))
            yield from self.reference(holder, "indicatorRef", "SLI")
        yield from self.reference(spec, "service", "Service")
        yield from self.uses(spec, "alertPolicies")
        if self.name:
            yield from self.slos(objectives)

    def second_indicator(self, objective: dict[str, Any]) -> Fault:
        key = next(key for key in INDICATORS if key in objective)
        message = f"the SLO has an indicator already; {key!r} of its objective excludes it"
        return Fault(kind="conflicting-fields", at=self.tree.key_at(objective, key), message=message, hint="keep one of them")

    def window(self, window: dict[str, Any]) -> Iterator[Fault]:
        """A time window is rolling, or follows a calendar."""
        if window.get("isRolling") is True and "calendar" in window:
            message = "a time window has isRolling: true and 'calendar', which exclude each other"
            at = self.tree.key_at(window, "calendar")
            yield Fault(kind="conflicting-fields", at=at, message=message, hint="keep one of them")
        yield from shape.faults(self.tree, ROLLING if window.get("isRolling") is True else CALENDAR, window)

    def indicator(self, spec: dict[str, Any]) -> Iterator[Node | Fault]:
        """What an SLI's spec, wherever it stands, asks and refers to, and the faults of its ratio."""
        ratio = spec.get("ratioMetric")
        if isinstance(ratio, dict):
            yield from shape.faults(self.tree, RAW if "raw" in ratio and "total" not in ratio else FRACTION, ratio)
        for _, metric in _metrics(spec):
            yield from self.reference(metric, "metricSourceRef", "DataSource")
        if queries := self.queries(spec):
            yield Indicator(at=self.tree.at(spec), settings=self.settings, holder=self.holder, queries=queries)

    def policy(self, spec: dict[str, Any]) -> Iterator[Node | Fault]:
        """What an alert policy, wherever it stands, is made of."""
        yield from self.uses(spec, "conditions")
        yield from self.uses(spec, "notificationTargets")

    def uses(self, spec: dict[str, Any], key: str) -> Iterator[Node | Fault]:
        """Other objects in a list, by name or inline."""
        kind, reference, wanted = USES[key]
        items = _list(spec, key)
        for index, item in enumerate(items):
            if isinstance(item, str):
                yield from self.reference(items, index, kind)
            elif isinstance(item, dict):
                inline = replace(wanted, required=("kind", "metadata"))
                yield from shape.faults(self.tree, inline if "spec" in item else wanted, item)
                yield from self.reference(item, reference, kind)
                if kind == "AlertPolicy":
                    yield from self.policy(_mapping(item, "spec"))

    def reference(self, holder: Any, key: str | int, kind: str) -> Iterator[Reference]:
        """A name that another document must bear. A path to a file, which implementations may allow, is none."""
        name = holder.get(key) if isinstance(holder, dict) else holder[key]
        if isinstance(name, str) and name.strip() and not _FILE.fullmatch(name):
            at = self.tree.at(holder, key)
            yield Reference(at=at, settings=self.settings, kind=SPOKEN[kind], name=name, holder=self.holder)

    def slos(self, objectives: list[dict[str, Any]]) -> Iterator[Slo]:
        """An SLO for each objective."""
        labels = _slo.texts(self.tree, self.metadata, "labels")
        annotations = _slo.texts(self.tree, self.metadata, "annotations")
        window = next((_slo.duration(item, "duration") for item in _mappings(self.spec, "timeWindow")), None)
        for name, objective in zip(self.names(objectives), objectives, strict=True):
            key = "targetPercent" if "targetPercent" in objective and "target" not in objective else "target"
            holder = objective if _has_indicator(objective) else self.spec
            indicator = _mapping(_mapping(holder, "indicator"), "spec")
            queries = self.queries(indicator)
            yield Slo(
                at=self.at() if len(objectives) == 1 else self.tree.at(objective),
                settings=self.settings,
                name=name,
                service=_slo.text(self.spec, "service"),
                dialect="openslo",
                objective=self.share(objective, key),
                objective_text=self.tree.spelling(objective, key) if _is_scalar(objective.get(key)) else "",
                objective_unit="percent" if key == "targetPercent" else "ratio",
                objective_at=self.tree.at(objective, key) if key in objective else self.tree.at(objective),
                window=window,
                queries=queries,
                latency=self.latency(objective, indicator, queries),
                owner=_slo.first_of(_slo.OWNER_KEYS, labels, annotations),
                runbook=_slo.first_of(_slo.RUNBOOK_KEYS, labels, annotations),
                dashboard=_slo.first_of(_slo.DASHBOARD_KEYS, labels, annotations),
                description=_slo.text(self.spec, "description") or "",
                labels=labels,
            )

    def names(self, objectives: list[dict[str, Any]]) -> list[str]:
        """What the SLO of each objective is called; no two of them alike."""
        if len(objectives) == 1:
            return [self.name]
        shown = [_slo.text(item, "displayName") for item in objectives]
        return [f"{self.name}:{name if name and shown.count(name) == 1 else number}" for number, name in enumerate(shown, 1)]

    def share(self, objective: dict[str, Any], key: str) -> Decimal | None:
        value = _slo.number(self.tree, objective, key)
        return value.scaleb(-2) if value is not None and key == "targetPercent" else value

    def queries(self, indicator: dict[str, Any]) -> tuple[Query, ...]:
        """The queries of an SLI's spec. One that is stored in fields of its data source's own is left out."""
        found = []
        for role, metric in _metrics(indicator):
            spec = _mapping(metric, "spec")
            key = next((key for key in ("query", "promql") if _slo.text(spec, key)), None)
            if key is not None:
                kind = _slo.text(metric, "type") or self.sources.get(_slo.text(metric, "metricSourceRef") or "", "")
                language = _LANGUAGES.get(kind.casefold(), "")
                found.append(
                    Query(
                        at=self.tree.at(spec, key),
                        place=partial(self.tree.line_of, spec, key),
                        text=spec[key],
                        language=language,
                        role=role,
                        parsable=_filled(spec[key]) if language == "promql" else None,
                    )
                )
        return tuple(found)

    def latency(self, objective: dict[str, Any], indicator: dict[str, Any], queries: tuple[Query, ...]) -> Duration | None:
        """T of "X of requests within T"."""
        if "thresholdMetric" not in indicator:
            return _slo.within(queries)
        value = _slo.number(self.tree, objective, "value")
        return _slo.measured(str(value), _slo.unit_of(queries)) if objective.get("op") in ("lt", "lte") else None


def _filled(query: str) -> str | None:
    """The query with its placeholders filled in; OpenSLO knows none, but those who read it do."""
    if not any(mark in query for mark in ("{{", "$", "[[")):
        return query
    from pytest_reliability.promql import substitute

    return substitute(query)


def _metrics(indicator: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """(role, metricSource) of everything that an SLI's spec measures."""
    ratio = _mapping(indicator, "ratioMetric")
    for holder, key, role in (
        (indicator, "thresholdMetric", "threshold"),
        *((ratio, key, role) for key, role in _ROLES.items()),
    ):
        metric = _mapping(_mapping(holder, key), "metricSource")
        if metric:
            yield role, metric


def _has_indicator(holder: dict[str, Any]) -> bool:
    return any(key in holder for key in INDICATORS)


def _mapping(holder: dict[str, Any], key: str) -> dict[str, Any]:
    value = holder.get(key)
    return value if isinstance(value, dict) else {}


def _list(holder: dict[str, Any], key: str) -> list[Any]:
    value = holder.get(key)
    return value if isinstance(value, list) else []


def _mappings(holder: dict[str, Any], key: str) -> list[dict[str, Any]]:
    return [item for item in _list(holder, key) if isinstance(item, dict)]


def _is_scalar(value: Any) -> bool:
    return isinstance(value, (str, int, float))


FORMAT = Format(
    name="openslo",
    files=r"\.(?:ya?ml|json)$",
    marker=rb"kind[\"']?\s*:",
    yields=(Slo, Indicator, Definition, Reference),
    read=read,
)
