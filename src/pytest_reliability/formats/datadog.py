"""SLOs of Datadog: resources of its operator, and JSON as its API takes and gives it.

* `DatadogSLO` (`datadoghq.com/v1alpha1`): an `Slo`, and a `Definition`, whatever is wrong with it
* `DatadogGenericResource` of type `slo`, whose `jsonSpec` is what the API takes; and files of that by themselves, in a list, or
  under the `data` of the API's answers: an `Slo` for each of `thresholds`. A single one is called like the object; of several,
  each has its timeframe behind a colon: "checkout:30d"
* name: the resource's, and in the API's objects theirs
* service, owner, runbook, dashboard: what the tags say (`service:checkout`) under service (one of them, not several) and one of
  `OWNER_KEYS`, `RUNBOOK_KEYS` and `DASHBOARD_KEYS`; the latter three may stand in a resource's labels and annotations, too
* queries: in Datadog's own language, those of a metric SLO good and total (or bad). A formula of several queries is left as it is
* time_slice: timeslices of 5 minutes, or of `query_interval_seconds`; `threshold` and `operator` say which of them are good
* monitor: what is counted is time, without slices

The range of a target is a matter of checks.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import partial
from typing import Any

from pytest_reliability import shape
from pytest_reliability.contracts import Format
from pytest_reliability.documents import Source, Tree
from pytest_reliability.formats import _slo
from pytest_reliability.formats._kubernetes import KIND_IS, metadata, of_group, resource_shape, resources
from pytest_reliability.formats._nested import nested
from pytest_reliability.model.duration import Duration
from pytest_reliability.model.nodes import Definition, Fault, Indicator, Node, Query, Replace, Slo
from pytest_reliability.model.settings import Settings
from pytest_reliability.shape import ANYTHING, BOOLEAN, INTEGER, NUMBER, STRING, Either, Fields, Items, Scalar, choice, or_nothing

GROUP = "datadoghq.com"
API_VERSION = f"{GROUP}/v1alpha1"
KIND = "DatadogSLO"
GENERIC = "DatadogGenericResource"
OPERATORS = {">": "gt", ">=": "gte", "<": "lt", "<=": "lte"}
DEFAULT_SLICE = Duration.parse("5m")

# --- Shapes -----------------------------------------------------------------------------------------------------------

_PLAIN = re.compile(r"[-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?")
NAME = Scalar("a name", types=(str,), accepts=str.strip)
QUANTITY = Scalar(
    "a number in quotes", types=(str, int), accepts=re.compile(rf"(?:{_PLAIN.pattern})(?:[KMGTPE]i|[numkMGTPE])?").fullmatch
)
TIMEFRAME = choice("7d", "30d", "90d")
TYPE = choice("metric", "monitor", "time_slice")
COMPARATOR = choice(*OPERATORS)
RATIO = Fields("the query of a metric SLO", {"numerator": NAME, "denominator": NAME}, required=("numerator", "denominator"))
FORMULA = Either((NAME, Fields("a formula", {"formula": NAME}, required=("formula",), growing=True)), "a formula")
FORMULAS = Items(Fields("a formula", {"formula": NAME}, required=("formula",), growing=True), minimum=1, maximum=1)


def _queries(data_source: str) -> Items:
    known: dict[str, shape.Shape] = {data_source: STRING, "name": NAME, "query": NAME}
    return Items(Fields("a query", known, required=("name", "query"), growing=True), minimum=1)


def _formulas(data_source: str) -> Fields:
    known: dict[str, shape.Shape] = {"formulas": FORMULAS, "queries": _queries(data_source)}
    return Fields("the query of a time-slice SLO", known, required=("formulas", "queries"))


SPEC = Fields(
    f"the spec of a {KIND}",
    {
        "name": NAME,
        "description": replace(STRING, optional=True),
        "groups": Items(STRING),
        "monitorIDs": Items(INTEGER),
        "query": RATIO,
        "tags": Items(STRING),
        "targetThreshold": QUANTITY,
        "timeframe": TIMEFRAME,
        "timeSlice": Fields(
            "a time slice",
            {"comparator": COMPARATOR, "query": NAME, "threshold": QUANTITY},
            required=("comparator", "query", "threshold"),
        ),
        "timeSliceSpec": Fields(
            "the spec of time slices",
            {
                "timeSliceCondition": Fields(
                    "a time slice's condition",
                    {"comparator": COMPARATOR, "threshold": QUANTITY},
                    required=("comparator", "threshold"),
                ),
                "query": _formulas("dataSource"),
            },
            required=("timeSliceCondition", "query"),
        ),
        "type": TYPE,
        "warningThreshold": QUANTITY,
        "controllerOptions": Fields("the controller's options", {"disableRequiredTags": BOOLEAN}),
    },
    required=("name", "targetThreshold", "timeframe", "type"),
    renamed={
        "target": "targetThreshold",
        "warning": "warningThreshold",
        "thresholds": "targetThreshold",
        "monitor_ids": "monitorIDs",
        "sli_specification": "timeSlice",
    },
)
API_SPEC = Fields(
    "an SLO of Datadog's",
    {
        "name": NAME,
        "description": replace(STRING, optional=True),
        "groups": or_nothing(Items(STRING), "a list of texts"),
        "monitor_ids": or_nothing(Items(INTEGER), "a list of numbers"),
        "monitor_tags": ANYTHING,
        "query": or_nothing(RATIO, "a mapping"),
        "sli_specification": or_nothing(
            Fields(
                "an SLI specification",
                {
                    "count": Fields(
                        "a count of events",
                        {
                            "good_events_formula": FORMULA,
                            "bad_events_formula": FORMULA,
                            "total_events_formula": FORMULA,
                            "queries": _queries("data_source"),
                        },
                        required=("good_events_formula", "queries"),
                        one_of=(("total_events_formula", "bad_events_formula"),),
                    ),
                    "time_slice": Fields(
                        "a time slice",
                        {
                            "comparator": COMPARATOR,
                            "threshold": NUMBER,
                            "query": _formulas("data_source"),
                            "query_interval_seconds": replace(choice("60", "300"), types=(int,)),
                            "no_data_strategy": STRING,
                        },
                        required=("comparator", "threshold", "query"),
                        growing=True,
                    ),
                },
                one_of=(("count", "time_slice"),),
            ),
            "a mapping",
        ),
        "tags": or_nothing(Items(STRING), "a list of texts"),
        "thresholds": Items(
            Fields(
                "a threshold",
                {
                    "timeframe": TIMEFRAME,
                    "target": NUMBER,
                    "target_display": STRING,
                    "warning": replace(NUMBER, optional=True),
                    "warning_display": STRING,
                },
                required=("timeframe", "target"),
                growing=True,
            ),
            minimum=1,
        ),
        "type": TYPE,
        **dict.fromkeys(
            ("id", "timeframe", "target_threshold", "warning_threshold", "creator", "created_at", "modified_at"), ANYTHING
        ),
    },
    required=("name", "type", "thresholds"),
    renamed={"monitorIDs": "monitor_ids", "targetThreshold": "thresholds", "warningThreshold": "thresholds"},
    growing=True,
)
RESOURCE = resource_shape(f"a {KIND}", SPEC)
NEEDS = {
    "metric": (("query",), ("query", "sli_specification")),
    "monitor": (("monitorIDs",), ("monitor_ids",)),
    "time_slice": (("timeSlice", "timeSliceSpec"), ("sli_specification",)),
}
"""What an SLO of each type has at least one of, in the operator's resources and in the API."""


# --- Which objects are SLOs -------------------------------------------------------------------------------------------


def read_resources(source: Source) -> Iterator[Node | Fault]:
    """The SLOs of Datadog's operator in a file, and what is wrong with them."""
    for tree, data in resources(source):
        if not of_group(data, GROUP):
            continue
        spec = data.get("spec")
        if data["kind"] == KIND:
            yield from _wrong_version(tree, data)
            yield from shape.faults(tree, RESOURCE, data)
            name = metadata(data, "name") or ""
            yield Definition(at=tree.at(data, "kind"), settings=source.settings, kind="SLO", name=name)
            if isinstance(spec, dict):
                yield from _Object(source.settings, tree, spec, data, api=False).read()
            yield from tree.faults
        elif data["kind"] == GENERIC and isinstance(spec, dict) and spec.get("type") == "slo" and _slo.text(spec, "jsonSpec"):
            for inner in nested(tree, spec, "jsonSpec"):
                yield from _of_api(source.settings, inner, inner.data, data)
                yield from inner.faults


def read_json(source: Source) -> Iterator[Node | Fault]:
    """The SLOs in a file of the API's objects, and what is wrong with them."""
    for tree in source.trees:
        data = tree.data
        if isinstance(data, dict) and isinstance(data.get("data"), (dict, list)):
            data = data["data"]
        found = False
        for item in data if isinstance(data, list) else [data]:
            if _is_slo(item):
                found = True
                yield from _of_api(source.settings, tree, item, {})
        if found:
            yield from tree.faults


def _wrong_version(tree: Tree, data: dict[str, Any]) -> Iterator[Fault]:
    version = str(data["apiVersion"])
    if version != API_VERSION:
        at = tree.at(data, "apiVersion")
        message = f"apiVersion is {version!r}; {API_VERSION!r} is expected"
        edit = Replace(at, version, API_VERSION)
        yield Fault(kind="wrong-kind", at=at, message=message, hint=f"apiVersion: {API_VERSION}", edit=edit)


def _is_slo(data: Any) -> bool:
    """Whether it can be nothing else: targets for timeframes, and something to measure."""
    thresholds = data.get("thresholds") if isinstance(data, dict) else None
    return (
        isinstance(thresholds, list)
        and any(isinstance(item, dict) and "timeframe" in item for item in thresholds)
        and any(key in data for key in ("query", "monitor_ids", "sli_specification"))
    )


def _of_api(settings: Settings, tree: Tree, data: Any, resource: dict[str, Any]) -> Iterator[Node | Fault]:
    yield from shape.faults(tree, API_SPEC, data)
    if isinstance(data, dict):
        yield from _Object(settings, tree, data, resource, api=True).read()


# --- What an object says ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class _Measured:
    """What an SLO counts."""

    queries: tuple[Query, ...] = ()
    method: str = "occurrences"
    slice: Duration | None = None
    threshold: Decimal | None = None
    operator: str = ""


class _Object:
    """One SLO of Datadog's with all its targets, being read; `resource` is what is around it, if anything is."""

    def __init__(self, settings: Settings, tree: Tree, spec: dict[str, Any], resource: dict[str, Any], *, api: bool) -> None:
        self.settings = settings
        self.tree = tree
        self.spec = spec
        self.api = api
        self.name = metadata(resource, "name") or _slo.text(spec, "name")
        around = [_slo.mapping(_slo.mapping(resource, "metadata"), key) for key in ("labels", "annotations")]
        self.notes = {key: value for held in around for key, value in held.items() if isinstance(value, str)}

    def read(self) -> Iterator[Node | Fault]:
        """An SLO for each target, and the faults that depend on more than one field."""
        yield from self.lacking()
        yield from self.groups()
        yield from self.averaged()
        measured = self.measured()
        if measured.queries:
            yield Indicator(
                at=measured.queries[0].at,
                settings=self.settings,
                holder=f"SLO {self.name!r}",
                queries=measured.queries,
                dialect="datadog",
            )
        targets = list(self.targets())
        for holder, target, warning in targets:
            yield from self.warning(holder, target, warning)
            if self.name:
                yield self.slo(measured, holder, target, self.called(holder, [item for item, *_ in targets]))

    def lacking(self) -> Iterator[Fault]:
        """What an SLO of its type needs."""
        kind = self.spec.get("type")
        wanted = NEEDS[kind][self.api] if isinstance(kind, str) and kind in NEEDS else ()
        if wanted and not any(self.spec.get(key) for key in wanted):
            yield Fault(
                kind="missing-field",
                at=self.tree.at(self.spec),
                message=f"an SLO of type {kind} has no {wanted[0]!r}, so there is nothing to measure",
                hint=f"add {' or '.join(wanted)}: …",
            )

    def groups(self) -> Iterator[Fault]:
        """Groups narrow down one monitor; of several nobody knows which."""
        monitors = self.spec.get("monitor_ids" if self.api else "monitorIDs")
        if self.spec.get("groups") and isinstance(monitors, list) and len(monitors) > 1:
            message = f"groups narrow down a single monitor; this SLO has {len(monitors)} of them"
            at = self.tree.key_at(self.spec, "groups")
            yield Fault(kind="conflicting-fields", at=at, message=message, hint="make an SLO for each monitor that has groups")

    def averaged(self) -> Iterator[Fault]:
        """Events are counted by summing them up; Datadog refuses an average of counts in a metric SLO."""
        ratio = _slo.mapping(self.spec, "query")
        for key in ("numerator", "denominator"):
            text = _slo.text(ratio, key) or ""
            if found := re.search(r"(?<![\w.])(avg|min|max):", re.sub(r"\{[^{}]*\}", lambda scope: " " * len(scope[0]), text)):
                yield Fault(
                    kind="wrong-value",
                    at=self.tree.line_of(ratio, key, found.start()),
                    message=f"{key} is aggregated by {found[1]!r}; a metric SLO counts events, which only 'sum' adds up",
                    hint=f"write sum:{text[found.end() :][:40]}",
                )

    def targets(self) -> Iterator[tuple[dict[str, Any], str, str]]:
        """The mapping that holds each target, and the keys of target and warning in it."""
        if not self.api:
            yield self.spec, "targetThreshold", "warningThreshold"
            return
        thresholds = self.spec.get("thresholds")
        for item in thresholds if isinstance(thresholds, list) else ():
            if isinstance(item, dict):
                yield item, "target", "warning"

    def warning(self, holder: dict[str, Any], target: str, warning: str) -> Iterator[Fault]:
        """A warning comes before the target is missed, so it lies above."""
        least, given = self.quantity(holder, target), self.quantity(holder, warning)
        if given is not None and least is not None and not least < given < 100:
            yield Fault(
                kind="wrong-value",
                at=self.tree.at(holder, warning),
                message=f"{warning} is {self.tree.spelling(holder, warning)}; a number above {target}, "
                f"{self.tree.spelling(holder, target)}, and below 100 is expected",
            )

    def called(self, holder: dict[str, Any], holders: list[dict[str, Any]]) -> str:
        """What the SLO of one target is called; no two of them alike."""
        if len(holders) == 1:
            return self.name or ""
        frames = [_slo.text(item, "timeframe") for item in holders]
        number = next(number for number, item in enumerate(holders) if item is holder)
        frame = frames[number]
        return f"{self.name}:{frame if frame and frames.count(frame) == 1 else number + 1}"

    def slo(self, measured: _Measured, holder: dict[str, Any], target: str, name: str) -> Slo:
        tree, spec = self.tree, self.spec
        tags = _tags(spec.get("tags"))
        service = tags.get("service")
        objective = self.quantity(holder, target)
        return Slo(
            at=tree.at(spec, "name") if "name" in spec else tree.at(spec),
            settings=self.settings,
            name=name,
            service=service if service and ", " not in service else None,
            dialect="datadog",
            objective=objective.scaleb(-2) if objective is not None else None,
            objective_text=tree.spelling(holder, target) if objective is not None else "",
            objective_unit="percent",
            objective_at=tree.at(holder, target),
            window=_slo.duration(holder, "timeframe"),
            window_at=tree.at(holder, "timeframe") if "timeframe" in holder else None,
            method=measured.method,
            slice=measured.slice,
            queries=measured.queries,
            threshold=measured.threshold,
            operator=measured.operator,
            owner=_slo.first_of(_slo.OWNER_KEYS, tags, self.notes),
            runbook=_slo.first_of(_slo.RUNBOOK_KEYS, tags, self.notes),
            dashboard=_slo.first_of(_slo.DASHBOARD_KEYS, tags, self.notes),
            description=_slo.text(spec, "description") or "",
            labels=tags,
        )

    def quantity(self, holder: dict[str, Any], key: str) -> Decimal | None:
        """A number, in quotes or not; None for one with a suffix of Kubernetes's, which nobody writes here."""
        value = holder.get(key)
        if isinstance(value, str):
            return Decimal(value) if _PLAIN.fullmatch(value) else None
        return _slo.number(self.tree, holder, key)

    def measured(self) -> _Measured:
        """What the SLO's type says that it counts."""
        kind, specification = self.spec.get("type"), _slo.mapping(self.spec, "sli_specification")
        if kind == "monitor":
            return _Measured(method="timeslices")
        if kind == "metric":
            ratio, count = _slo.mapping(self.spec, "query"), _slo.mapping(specification, "count")
            asked = [self.query(ratio, "numerator", "good"), self.query(ratio, "denominator", "total")]
            asked += [self.formula(count, count, f"{role}_events_formula", role) for role in ("good", "bad", "total")]
            return _Measured(queries=tuple(query for query in asked if query is not None))
        if kind == "time_slice":
            return self.time_slice(specification)
        return _Measured()

    def time_slice(self, specification: dict[str, Any]) -> _Measured:
        plain, older = _slo.mapping(self.spec, "timeSlice"), _slo.mapping(self.spec, "timeSliceSpec")
        condition = _slo.mapping(specification, "time_slice") or plain or _slo.mapping(older, "timeSliceCondition")
        if plain and not self.api:
            query = self.query(plain, "query", "threshold")
        else:
            asked = _slo.mapping(condition if self.api else older, "query")
            formulas = asked.get("formulas")
            first = formulas[0] if isinstance(formulas, list) and formulas else None
            query = self.formula(asked, first, "formula", "threshold") if isinstance(first, dict) else None
        seconds = condition.get("query_interval_seconds")
        return _Measured(
            queries=(query,) if query is not None else (),
            method="timeslices",
            slice=Duration.parse(f"{seconds // 60}m") if seconds in (60, 300) else DEFAULT_SLICE,
            threshold=self.quantity(condition, "threshold"),
            operator=OPERATORS.get(_slo.text(condition, "comparator") or "", ""),
        )

    def query(self, holder: dict[str, Any], key: str, role: str) -> Query | None:
        text = _slo.text(holder, key)
        if text is None:
            return None
        place = partial(self.tree.line_of, holder, key)
        return Query(at=self.tree.at(holder, key), place=place, text=text, language="datadog", role=role)

    def formula(self, asked: dict[str, Any], holder: dict[str, Any], key: str, role: str) -> Query | None:
        """The query that a formula names, or the formula itself where it combines several."""
        if isinstance(holder.get(key), dict):
            holder, key = holder[key], "formula"
        queries = asked.get("queries")
        for item in queries if isinstance(queries, list) else ():
            if isinstance(item, dict) and _slo.text(item, "name") == _slo.text(holder, key) is not None:
                return self.query(item, "query", role)
        return self.query(holder, key, role)


def _tags(tags: Any) -> Mapping[str, str]:
    """Tags of the form `key:value`; several values of one key are joined by commas."""
    found: dict[str, str] = {}
    for tag in tags if isinstance(tags, list) else ():
        key, _, value = tag.partition(":") if isinstance(tag, str) else ("", "", "")
        if value:
            found[key] = f"{found[key]}, {value}" if key in found else value
    return found


FORMATS = (
    Format(
        name="datadog",
        files=r"\.(?:ya?ml|json)$",
        marker=KIND_IS + rb"Datadog(?:SLO|GenericResource)\b",
        yields=(Slo, Indicator, Definition),
        read=read_resources,
    ),
    Format(
        name="datadog api",
        files=r"\.json$",
        marker=rb"timeframe\"\s*:",
        yields=(Slo, Indicator),
        read=read_json,
    ),
)
