"""Nobl9: https://docs.nobl9.com, YAML and JSON as `sloctl` takes them (`apiVersion: n9/v1alpha`, also in a list).

* an `SLO`: an `Slo` for each objective. A single one is called like the SLO; of several, each has its name (or displayName, or
  number) behind a colon: "checkout:fast". A composite objective has `parts`, the SLOs that it names; a composite of the older
  form (`spec.composite`), made of the SLO's own objectives, is one more `Slo` with ":composite" behind its name
* `scope`: the project, within which names are unique
* queries: the texts that data sources are asked by; where there is none, the fields, put together. Only Prometheus and what
  takes its language are PromQL. The text of `goodTotal` gives both counts and has no role
* `rawMetric`: `threshold` and `operator` are `value` and `op`, which the query's values are compared with
* Timeslices: a slice is good where `timeSliceTarget` of it is; how long it is, Nobl9 decides
* owner, runbook, dashboard: what labels, then annotations have under one of `OWNER_KEYS`, `RUNBOOK_KEYS` and `DASHBOARD_KEYS`;
  the URL of an attachment whose displayName has runbook or playbook, dashboard or Grafana in it
* an `AlertPolicy`: an `AlertPolicy` whose burn rates are its conditions; an SLO's `alertPolicies` are its `policies`. All
  conditions must hold at once, so two on one average burn rate over windows of different length are one `BurnRate` with both
* a `Service`, and the former two: a `Definition`, and a `Reference` for each name of theirs

The range of a target and the weights of composites are matters of checks.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from functools import partial
from typing import Any

from pytest_reliability import shape
from pytest_reliability.contracts import Format
from pytest_reliability.documents import Source, Tree
from pytest_reliability.formats import _slo
from pytest_reliability.formats._nobl9_shapes import (
    CALENDAR,
    CONDITION,
    CONDITIONS,
    COUNTS,
    COUNTS_AT_ONCE,
    DEFINED,
    DOCUMENTS,
    MEASUREMENTS,
    OBJECTIVE,
    ROLLING,
)
from pytest_reliability.formats._nobl9_sources import DATA_SOURCES
from pytest_reliability.formats._openslo import OPERATOR
from pytest_reliability.model.duration import Duration
from pytest_reliability.model.location import Location
from pytest_reliability.model.nodes import (
    AlertPolicy,
    BurnRate,
    Definition,
    Fault,
    Indicator,
    Node,
    Part,
    Query,
    Reference,
    Replace,
    Slo,
)
from pytest_reliability.model.settings import Settings
from pytest_reliability.shape import Fields

VERSION = "n9/v1alpha"
OTHER_KINDS = (
    "Agent", "Alert", "AlertMethod", "AlertSilence", "Annotation", "BudgetAdjustment", "DataExport", "Direct", "Project",
    "Report", "RoleBinding", "UserGroup",
)  # fmt: skip
"""Kinds that are not read: they say nothing about reliability."""
UNITS = {"Second": "s", "Minute": "m", "Hour": "h", "Day": "d", "Week": "w", "Month": "M", "Quarter": "Q", "Year": "Y"}

# --- Which documents are ours -----------------------------------------------------------------------------------------


def read(source: Source) -> Iterator[Node | Fault]:
    """What the Nobl9 objects of a file say, and what is wrong with them."""
    for tree in source.trees:
        found = False
        for data in tree.data if isinstance(tree.data, list) else [tree.data]:
            kind = _kind(data)
            if kind is not None:
                found = True
                yield from _wrong_header(tree, data, kind)
                yield from shape.faults(tree, DOCUMENTS[kind], data)
                yield from _READERS[kind](source.settings, tree, data).read()
        if found:
            yield from tree.faults


def _kind(data: Any) -> str | None:
    """The kind of an object of Nobl9's that is read, or is meant to be; Nobl9 does not mind its case."""
    version = _slo.text(data, "apiVersion")
    if version is None or not version.startswith("n9/"):
        return None
    kind = _slo.text(data, "kind") or ""
    meant = kind if kind in DEFINED else shape.nearest(kind, (*DEFINED, *OTHER_KINDS))
    return meant if meant in DEFINED else None


def _wrong_header(tree: Tree, data: dict[str, Any], kind: str) -> Iterator[Fault]:
    for key, expected in (("apiVersion", VERSION), ("kind", kind)):
        given = data[key]
        if given != expected and (key != "kind" or given.casefold() != expected.casefold()):
            at = tree.at(data, key)
            message = f"{key} is {given!r}; {expected!r} is expected"
            yield Fault(kind="wrong-kind", at=at, message=message, hint=f"{key}: {expected}", edit=Replace(at, given, expected))


# --- What they say ----------------------------------------------------------------------------------------------------


class _Object:
    """An object of Nobl9's, being read: a service, unless it is another."""

    def __init__(self, settings: Settings, tree: Tree, data: dict[str, Any]) -> None:
        self.settings = settings
        self.tree = tree
        self.metadata = _slo.mapping(data, "metadata")
        self.spec = _slo.mapping(data, "spec")
        self.data = data
        self.name = _slo.text(self.metadata, "name") or ""
        self.project = _slo.text(self.metadata, "project") or ""

    def at(self) -> Location:
        """Where it begins, for people: at its name."""
        return self.tree.at(self.metadata, "name") if "name" in self.metadata else self.tree.at(self.data)

    def definition(self, kind: str) -> Iterator[Definition]:
        if self.name:
            scope = _scope(self.project)
            yield Definition(at=self.at(), settings=self.settings, kind=kind, name=self.name, scope=scope)

    def read(self) -> Iterator[Node | Fault]:
        """Its definition: a name for others to refer to."""
        yield from self.definition(DEFINED["Service"])

    def reference(self, holder: Any, key: str | int, kind: str, project: str) -> Iterator[Reference]:
        name = holder.get(key) if isinstance(holder, dict) else holder[key]
        if isinstance(name, str) and name.strip():
            at = self.tree.at(holder, key)
            scope, by = _scope(project), f"SLO {self.name!r}"
            yield Reference(at=at, settings=self.settings, kind=kind, name=name, scope=scope, holder=by)

    def fault(self, kind: str, at: Location, message: str, hint: str = "") -> Fault:
        return Fault(kind=kind, at=at, message=message, hint=hint)


def _scope(project: str) -> str:
    """What references and definitions of a project have in common."""
    return f"project {project}" if project else ""


class _Policy(_Object):
    """An alert policy."""

    def read(self) -> Iterator[Node | Fault]:
        """Its conditions, and what is wrong with them."""
        yield from self.definition(DEFINED["AlertPolicy"])
        conditions = _mappings(self.spec, "conditions")
        for condition in conditions:
            measurement = _slo.text(condition, "measurement") or ""
            yield from shape.faults(self.tree, CONDITIONS.get(measurement, CONDITION), condition)
            yield from self.operator(condition, measurement)
        rates = tuple(self.burn_rates(conditions))
        yield from rates
        if self.name:
            yield AlertPolicy(at=self.at(), settings=self.settings, name=self.name, burn_rates=rates)

    def operator(self, condition: dict[str, Any], measurement: str) -> Iterator[Fault]:
        """An operator that can be left out is right, or nothing."""
        wanted, given = MEASUREMENTS.get(measurement), condition.get("op")
        if wanted and given != wanted and given in OPERATOR.choices:
            at = self.tree.at(condition, "op")
            message = f"op is {given!r}; {measurement} can only be compared by {wanted!r}"
            yield self.fault("wrong-value", at, message, f"write op: {wanted}, or leave it out")

    def burn_rates(self, conditions: list[dict[str, Any]]) -> Iterator[BurnRate]:
        """One for each condition; two on one burn rate over two windows are one."""
        lengths = {id(item): window for item in conditions if (window := _slo.duration(item, "alertingWindow"))}
        windowed = [item for item in conditions if self.average(item) is not None and id(item) in lengths]
        pair = sorted(windowed, key=lambda item: lengths[id(item)].seconds)
        together = len(pair) == 2 and self.average(pair[0]) == self.average(pair[1])
        for condition in conditions:
            if together and condition is pair[0]:
                continue
            yield self.burn_rate(condition, lengths[id(pair[0])] if together and condition is pair[1] else None)

    def average(self, condition: dict[str, Any]) -> Decimal | None:
        """The average burn rate that it is on."""
        measured = condition.get("measurement") == "averageBurnRate"
        return _slo.number(self.tree, condition, "value") if measured else None

    def burn_rate(self, condition: dict[str, Any], short: Duration | None) -> BurnRate:
        value = _slo.number(self.tree, condition, "value")
        share = condition.get("measurement") in ("burnedBudget", "budgetDrop") and value is not None and 0 < value <= 1
        return BurnRate(
            at=self.tree.at(condition),
            settings=self.settings,
            holder=f"alert policy {self.name!r}",
            factor=self.average(condition),
            factor_at=self.tree.at(condition, "value") if "value" in condition else None,
            long=_slo.duration(condition, "alertingWindow"),
            short=short,
            severity=_slo.text(self.spec, "severity") or "",
            wait=_slo.duration(condition, "lastsFor"),
            budget=value if share else None,
            inclusive=True,
        )


class _Slo(_Object):
    """An SLO with its objectives."""

    def __init__(self, settings: Settings, tree: Tree, data: dict[str, Any]) -> None:
        super().__init__(settings, tree, data)
        self.objectives = _mappings(self.spec, "objectives")
        self.composite = next((item for item in self.objectives if "composite" in item), None)
        self.raw = _slo.mapping(_slo.mapping(self.spec, "indicator"), "rawMetric")
        self.method = _slo.text(self.spec, "budgetingMethod") or ""

    def read(self) -> Iterator[Node | Fault]:
        """An SLO for each objective, and the faults that depend on more than one field."""
        yield from self.definition("SLO")
        yield from self.definition(DEFINED["SLO"])
        yield from self.reference(self.spec, "service", DEFINED["Service"], self.project)
        policies = self.spec.get("alertPolicies")
        for index in range(len(policies) if isinstance(policies, list) else 0):
            yield from self.reference(policies, index, DEFINED["AlertPolicy"], self.project)
        yield from self.of_composites()
        yield from self.of_objectives()
        yield from self.one_data_source()
        for window in _mappings(self.spec, "timeWindows"):
            yield from self.of_window(window)
        yield from self.indicators()
        if self.name:
            yield from self.slos()

    # --- What is wrong

    def of_composites(self) -> Iterator[Node | Fault]:
        """A composite objective stands alone; the older composite is made of the objectives beside it."""
        spec, tree = self.spec, self.tree
        if self.composite is None:
            if isinstance(self.data.get("spec"), dict) and "indicator" not in spec:
                message = "an SLO's spec has no 'indicator'"
                yield self.fault("missing-field", tree.at(spec), message, "add indicator: {metricSource: {name: …}}")
            older = spec.get("composite")
            if isinstance(older, dict):
                if self.method == "Occurrences" and "burnRateCondition" not in older:
                    message = "a composite of Occurrences has no 'burnRateCondition'"
                    yield self.fault("missing-field", tree.at(older), message, "add burnRateCondition: {op: gt, value: 1}")
                if self.method == "Timeslices" and "burnRateCondition" in older:
                    message = "a composite of Timeslices has a 'burnRateCondition', which only Occurrences have"
                    yield self.fault("conflicting-fields", tree.key_at(older, "burnRateCondition"), message, "remove it")
            return
        for key in ("indicator", "composite"):
            if key in spec:
                message = f"an SLO with a composite objective has {key!r}, which excludes it"
                yield self.fault("conflicting-fields", tree.key_at(spec, key), message, "keep one of them")
        if len(self.objectives) > 1:
            other = next(item for item in self.objectives if item is not self.composite)
            message = f"an SLO with a composite objective has {len(self.objectives)} objectives; that one only is expected"
            yield self.fault("conflicting-fields", tree.at(other), message, "move the others to an SLO of their own")
        for component in self.components():
            yield from self.reference(component, "slo", DEFINED["SLO"], _slo.text(component, "project") or "")

    def of_objectives(self) -> Iterator[Fault]:
        """Each objective, and what must differ between them."""
        tree = self.tree
        values: set[Any] = set()
        primary = False
        for objective in self.objectives:
            yield from shape.faults(tree, self.wanted(objective), objective)
            counts = objective.get("countMetrics")
            if isinstance(counts, dict):
                yield from shape.faults(tree, COUNTS_AT_ONCE if "goodTotal" in counts else COUNTS, counts)
            if self.method == "Occurrences" and "timeSliceTarget" in objective:
                message = "an objective of Occurrences has 'timeSliceTarget', which only Timeslices have"
                at = tree.key_at(objective, "timeSliceTarget")
                yield self.fault("conflicting-fields", at, message, "remove it, or write budgetingMethod: Timeslices")
            value = _slo.number(tree, objective, "value") or Decimal(0)
            if value in values and self.composite is None:
                at = tree.at(objective, "value")
                message = f"value is {value.normalize():f}, as it is for another objective; Nobl9 tells objectives apart by it"
                yield self.fault("wrong-value", at, message, "give each objective a value of its own")
            values.add(value)
            if objective.get("primary") is True:
                if primary:
                    message = "a second objective is primary; at most one is expected"
                    yield self.fault("conflicting-fields", tree.key_at(objective, "primary"), message, "remove it")
                primary = True

    def wanted(self, objective: dict[str, Any]) -> Fields:
        """The shape of an objective of this SLO."""
        required = ["target"]
        if self.method == "Timeslices":
            required.append("timeSliceTarget")
        if "rawMetric" in objective or self.raw:
            required += ["value", "op"]
        measured = "composite" in objective or self.raw
        metrics = () if measured else (("countMetrics", "rawMetric"),)
        return replace(OBJECTIVE, required=tuple(required), one_of=metrics)

    def one_data_source(self) -> Iterator[Fault]:
        """All metrics of an SLO come from one kind of data source, as counts or as values."""
        first: str | None = None
        for _, metric in (asked for objective in self.objectives for asked in self.metrics(objective)):
            for name in metric:
                if name in DATA_SOURCES:
                    first = first or name
                    if name != first:
                        message = f"metrics of {first!r} and {name!r} are in one SLO; one kind of data source is expected"
                        yield self.fault("conflicting-fields", self.tree.key_at(metric, name), message, "make an SLO for each")
                        return
        raw = next((item for item in self.objectives if "rawMetric" in item), None)
        counts = next((item for item in self.objectives if "countMetrics" in item), None)
        if counts is not None and (self.raw or (raw is not None and raw is not counts)):
            message = "an SLO has both 'rawMetric' and 'countMetrics', which exclude each other"
            yield self.fault("conflicting-fields", self.tree.key_at(counts, "countMetrics"), message, "make an SLO for each")

    def of_window(self, window: dict[str, Any]) -> Iterator[Fault]:
        """A time window rolls, up to a month, or follows a calendar, up to a year."""
        rolling = window.get("isRolling") is True
        if rolling and "calendar" in window:
            at = self.tree.key_at(window, "calendar")
            message = "a time window has isRolling: true and 'calendar', which exclude each other"
            yield self.fault("conflicting-fields", at, message, "keep one of them")
        yield from shape.faults(self.tree, ROLLING if rolling else CALENDAR, window)
        calendar = _slo.mapping(window, "calendar")
        start = _slo.text(calendar, "startTime") or ""
        if re.match(r"[01]\d{3}-|20[01]\d-", start):
            message = f"startTime is {start!r}; a day from 2020 on is expected"
            yield self.fault("wrong-value", self.tree.at(calendar, "startTime"), message)
        length = self.length(window)
        least, most = (300, 31) if rolling else (0, 366)
        if length is not None and not least <= length.seconds <= most * 86400:
            kind, bounds = ("rolling", "from 5 minutes to 31 days") if rolling else ("calendar", "of at most 366 days")
            message = f"a {kind} time window is {length} long; one {bounds} is expected"
            yield self.fault("wrong-value", self.tree.at(window, "count"), message)

    # --- What there is

    def metrics(self, objective: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
        """(role, metric) of everything that an objective measures."""
        counts = _slo.mapping(objective, "countMetrics")
        for key, role in (("good", "good"), ("bad", "bad"), ("total", "total"), ("goodTotal", "")):
            if metric := _slo.mapping(counts, key):
                yield role, metric
        if metric := _slo.mapping(_slo.mapping(objective, "rawMetric"), "query") or self.raw:
            yield "threshold", metric

    def queries(self, objective: dict[str, Any]) -> tuple[Query, ...]:
        asked = (self.query(role, metric) for role, metric in self.metrics(objective))
        return tuple(query for query in asked if query is not None)

    def query(self, role: str, metric: dict[str, Any]) -> Query | None:
        """What a data source is asked: a text, or fields."""
        name = next((name for name in metric if name in DATA_SOURCES and metric[name] and isinstance(metric[name], dict)), None)
        if name is None:
            return None
        source, asked = DATA_SOURCES[name], metric[name]
        key = next((key for key in source.texts if _slo.text(asked, key)), None)
        if key is None:
            return Query(at=self.tree.at(asked), text=_put_together(asked), language=name, role=role)
        text, place = asked[key], partial(self.tree.line_of, asked, key)
        parsable = _filled(text) if source.language == "promql" else None
        at, language = self.tree.at(asked, key), source.language or name
        return Query(at=at, place=place, text=text, language=language, role=role, parsable=parsable)

    def indicators(self) -> Iterator[Indicator]:
        """The queries of each objective, those that all of them share once."""
        holders = [(item, self.tree.at(item)) for item in self.objectives]
        if self.raw:
            holders = holders[:1]
        for objective, at in holders:
            if queries := self.queries(objective):
                holder = f"SLO {self.name!r}"
                yield Indicator(at=at, settings=self.settings, holder=holder, queries=queries, dialect="nobl9")

    def slos(self) -> Iterator[Slo]:
        """An SLO for each objective, and for the composite of them."""
        names = self.names()
        for name, objective in zip(names, self.objectives, strict=True):
            yield self.slo(name, objective)
        older = self.spec.get("composite")
        if isinstance(older, dict):
            parts = tuple(
                Part(at=self.tree.at(objective), name=name, target=_slo.number(self.tree, objective, "target"))
                for name, objective in zip(names, self.objectives, strict=True)
            )
            yield replace(self.slo(f"{self.name}:composite", older), at=self.tree.at(older), parts=parts)

    def names(self) -> list[str]:
        """What the SLO of each objective is called; no two of them alike."""
        if len(self.objectives) == 1:
            return [self.name]
        shown = [_slo.text(item, "name") or _slo.text(item, "displayName") for item in self.objectives]
        return [f"{self.name}:{name if name and shown.count(name) == 1 else number}" for number, name in enumerate(shown, 1)]

    def slo(self, name: str, objective: dict[str, Any]) -> Slo:
        tree = self.tree
        queries = self.queries(objective) if objective is not self.spec.get("composite") else ()
        target = _slo.number(tree, objective, "target")
        operator = objective.get("op") if any(query.role == "threshold" for query in queries) else None
        threshold = _slo.number(tree, objective, "value") if operator in OPERATOR.choices else None
        window = next(iter(_mappings(self.spec, "timeWindows")), {})
        labels, annotations = _slo.texts(tree, self.metadata, "labels"), _slo.texts(tree, self.metadata, "annotations")
        policies = self.spec.get("alertPolicies")
        sliced = self.method == "Timeslices"
        return Slo(
            at=self.at() if len(self.objectives) == 1 else tree.at(objective),
            settings=self.settings,
            name=name,
            service=_slo.text(self.spec, "service"),
            scope=_scope(self.project),
            dialect="nobl9",
            objective=target,
            objective_text=tree.spelling(objective, "target") if target is not None else "",
            objective_unit="ratio",
            objective_at=tree.at(objective, "target"),
            window=self.length(window),
            window_at=tree.at(window, "count") if "count" in window else None,
            rolling=window.get("isRolling") is True,
            method="timeslices" if sliced else "occurrences",
            slice_objective=_slo.number(tree, objective, "timeSliceTarget") if sliced else None,
            queries=queries,
            threshold=threshold,
            operator=operator if threshold is not None and isinstance(operator, str) else "",
            latency=_latency(threshold, operator, queries),
            owner=_slo.first_of(_slo.OWNER_KEYS, labels, annotations),
            runbook=_slo.first_of(_slo.RUNBOOK_KEYS, labels, annotations) or self.attached("runbook", "playbook"),
            dashboard=_slo.first_of(_slo.DASHBOARD_KEYS, labels, annotations) or self.attached("dashboard", "grafana"),
            description=_slo.text(self.spec, "description") or "",
            labels=labels,
            annotations=annotations,
            policies=tuple(item for item in policies if isinstance(item, str)) if isinstance(policies, list) else (),
            parts=tuple(self.parts()) if "composite" in objective else (),
        )

    def length(self, window: dict[str, Any]) -> Duration | None:
        """How long a time window is."""
        count, unit = window.get("count"), window.get("unit")
        if type(count) is not int or not 0 < count < 10**6 or not isinstance(unit, str) or unit not in UNITS:
            return None
        return Duration.parse(f"{count}{UNITS[unit]}")

    def attached(self, *words: str) -> str | None:
        """The URL of the first attachment that is called by one of the words."""
        for item in _mappings(self.spec, "attachments"):
            shown = (_slo.text(item, "displayName") or "").casefold()
            if any(word in shown for word in words):
                return _slo.text(item, "url")
        return None

    def components(self) -> list[dict[str, Any]]:
        """What a composite objective is made of."""
        composite = _slo.mapping(self.composite, "composite") if self.composite else {}
        return _mappings(_slo.mapping(composite, "components"), "objectives")

    def parts(self) -> Iterator[Part]:
        """The components by the names of their SLOs, which say the objective and the project too where they must."""
        named = [tuple(_slo.text(item, key) or "" for key in ("slo", "objective", "project")) for item in self.components()]
        for component, name in zip(self.components(), named, strict=True):
            others = set(named) - {name}
            slo, objective, project = name
            shown = slo
            if any(other[0] == slo for other in others):
                shown = f"{slo}:{objective}"
            if any(other[:2] == name[:2] for other in others):
                shown = f"{project}/{slo}:{objective}"
            if slo:
                weight = _slo.number(self.tree, component, "weight")
                yield Part(at=self.tree.at(component), name=shown, weight=weight)


_READERS: dict[str, type[_Object]] = {"SLO": _Slo, "AlertPolicy": _Policy, "Service": _Object}


def _latency(threshold: Decimal | None, operator: Any, queries: tuple[Query, ...]) -> Duration | None:
    """T of "X of requests within T"."""
    if any(query.role == "threshold" for query in queries):
        below = threshold is not None and operator in ("lt", "lte")
        return _slo.measured(str(threshold), _slo.unit_of(queries)) if below else None
    return _slo.within(queries)


def _filled(query: str) -> str | None:
    """The query with placeholders filled in; Nobl9 knows none, but who makes such files of templates does."""
    if not any(mark in query for mark in ("{{", "$", "[[")):
        return query
    from pytest_reliability.promql import substitute

    return substitute(query)


def _put_together(fields: dict[str, Any]) -> str:
    """Fields as a text, equal for equal ones. Each mapping is looked into once, however many aliases lead to it."""
    words = []
    pending: list[Any] = [fields]
    seen: set[int] = set()
    while pending:
        container = pending.pop()
        if id(container) not in seen:
            seen.add(id(container))
            for key, value in container.items() if isinstance(container, dict) else enumerate(container):
                if isinstance(value, (dict, list)):
                    pending.append(value)
                else:
                    words.append(f"{key}: {value}")
    return ", ".join(words)


def _mappings(holder: dict[str, Any], key: str) -> list[dict[str, Any]]:
    values = holder.get(key)
    return [item for item in values if isinstance(item, dict)] if isinstance(values, list) else []


FORMAT = Format(
    name="nobl9",
    files=r"\.(?:ya?ml|json)$",
    marker=rb"n9/v1",
    yields=(Slo, Indicator, AlertPolicy, BurnRate, Definition, Reference),
    read=read,
)
