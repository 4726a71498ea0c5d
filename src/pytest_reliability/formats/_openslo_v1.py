"""OpenSLO v1: its shapes, and what becomes of its documents. v2alpha says the same in other words, and is read alike."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from pytest_reliability import shape
from pytest_reliability.formats import _slo
from pytest_reliability.formats._openslo import (
    CALENDAR,
    DESCRIPTION,
    KEY_EXPECTED,
    LABEL_KEY,
    LANGUAGES,
    NAMED,
    OPERATOR,
    PREFIXED_EXPECTED,
    PREFIXED_KEY,
    SHARE,
    SPOKEN,
    About,
    Document,
    Version,
    Written,
    documents,
    listed,
    mapping,
    mappings,
    some,
)
from pytest_reliability.model.duration import Duration
from pytest_reliability.model.nodes import AlertPolicy, BurnRate, Fault, Indicator, Node, Part, Query, Slo
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

NAME = "openslo/v1"
METHODS = ("Occurrences", "Timeslices", "RatioTimeslices")


# --- Shapes -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Vocabulary:
    """What the versions call the same things, and what they allow there."""

    indicator: str
    indicator_ref: str
    services: tuple[str, ...]
    """The keys of a service's name; one of them is there."""
    metadata: Fields
    metric: Fields
    data_source: Fields
    named: Scalar
    """The name in a reference."""
    units: str
    """The units of durations."""
    renamed: Mapping[str, str]
    """Keys of an SLO's spec that are spelt for another version."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shapes:
    """The shape of each kind's `spec`, and of what is looked at apart because it depends on other fields."""

    specs: Mapping[str, Fields]
    documents: Mapping[str, Fields]
    objectives: Mapping[str, Fields]
    """By the method of budgeting."""
    rolling: Fields
    fraction: Fields
    """A ratio of two metrics."""
    raw: Fields
    """A ratio that is a metric itself."""
    uses: Mapping[str, tuple[str, str, Fields]]
    """Lists of other documents: their kind, the key that refers to one by its name, and the shape of an item."""


DATA_SOURCE = Fields(
    "a data source's spec",
    {"description": DESCRIPTION, "type": NAMED, "connectionDetails": ANYTHING},
    required=("type", "connectionDetails"),
)


def shapes(words: Vocabulary) -> Shapes:
    """The shapes of a version with this vocabulary."""
    indicators = (words.indicator, words.indicator_ref)
    duration = Scalar(
        f"a whole number above 0 with one of {', '.join(words.units[:-1])} and {words.units[-1]}, such as 28d,",
        types=(str,),
        accepts=re.compile(f"[1-9][0-9]*[{words.units}]").fullmatch,
    )
    ratio = Fields(
        "a ratioMetric",
        {
            "counter": BOOLEAN,
            **dict.fromkeys(("good", "bad", "total", "raw"), words.metric),
            "rawType": choice("success", "failure"),
        },
    )
    sli = Fields(
        "an SLI's spec",
        {"description": DESCRIPTION, "thresholdMetric": words.metric, "ratioMetric": some("a ratioMetric")},
        one_of=(("thresholdMetric", "ratioMetric"),),
    )
    indicator = Fields("an indicator", {"metadata": words.metadata, "spec": sli}, required=("spec",))
    objective = Fields(
        "an objective",
        {
            "displayName": STRING,
            "op": OPERATOR,
            "value": NUMBER,
            "target": NUMBER,
            "targetPercent": NUMBER,
            "timeSliceTarget": SHARE,
            "timeSliceWindow": replace(duration, types=(str, int), accepts=re.compile(f"[1-9][0-9]*[{words.units}]?").fullmatch),
            words.indicator: indicator,
            words.indicator_ref: words.named,
            "compositeWeight": NUMBER,
        },
        one_of=(("target", "targetPercent"),),
        at_most_one=(indicators,),
    )
    slo = Fields(
        "an SLO's spec",
        {
            "description": DESCRIPTION,
            **dict.fromkeys(words.services, NAMED),
            words.indicator: indicator,
            words.indicator_ref: words.named,
            "timeWindow": Items(some("a time window"), maximum=1),
            "budgetingMethod": choice(*METHODS),
            "objectives": Items(some("an objective"), minimum=1),
            "alertPolicies": Items(Either((NAMED, some("an alert policy")), "an alert policy or its name")),
        },
        required=(*(words.services if len(words.services) == 1 else ()), "budgetingMethod", "objectives"),
        one_of=(words.services,) if len(words.services) > 1 else (),
        at_most_one=(indicators,),
        renamed=words.renamed,
    )
    condition = Fields(
        "a condition",
        {
            "kind": choice("burnrate"),
            "op": OPERATOR,
            "threshold": NUMBER,
            "lookbackWindow": duration,
            "alertAfter": replace(duration, accepts=re.compile(f"[0-9]+[{words.units}]").fullmatch),
        },
        required=("threshold", "lookbackWindow"),
    )
    policy = Fields(
        "an alert policy's spec",
        {
            "description": DESCRIPTION,
            "alertWhenNoData": BOOLEAN,
            "alertWhenResolved": BOOLEAN,
            "alertWhenBreaching": BOOLEAN,
            "conditions": Items(some("an alert condition"), minimum=1, maximum=1),
            "notificationTargets": Items(some("an alert notification target"), minimum=1),
        },
        required=("conditions", "notificationTargets"),
    )
    specs = {
        "SLO": slo,
        "SLI": sli,
        "Service": Fields("a service's spec", {"description": DESCRIPTION}),
        "AlertPolicy": policy,
        "AlertCondition": Fields(
            "an alert condition's spec",
            {"description": DESCRIPTION, "severity": NAMED, "condition": condition},
            required=("severity", "condition"),
        ),
        "AlertNotificationTarget": Fields(
            "an alert notification target's spec", {"description": DESCRIPTION, "target": NAMED}, required=("target",)
        ),
        "DataSource": words.data_source,
    }
    sliced = replace(objective, what="an objective of Timeslices", required=("timeSliceTarget", "timeSliceWindow"))
    averaged = replace(objective, what="an objective of RatioTimeslices", required=("timeSliceWindow",))

    def use(kind: str, reference: str, *more: str) -> tuple[str, str, Fields]:
        """Another document inside one: by its name, or inline."""
        known: dict[str, Shape] = {
            reference: words.named,
            **dict.fromkeys(more, ANYTHING),
            "kind": choice(kind),
            "metadata": words.metadata,
            "spec": specs[kind],
        }
        return kind, reference, Fields(f"this {SPOKEN[kind]}", known, one_of=((reference, "spec"),))

    return Shapes(
        specs=specs,
        documents=documents(words.metadata, specs),
        objectives=dict(zip(METHODS, (objective, sliced, averaged), strict=True)),
        rolling=Fields(
            "a time window", {"duration": duration, "isRolling": BOOLEAN, "calendar": CALENDAR}, required=("duration",)
        ),
        fraction=replace(ratio, required=("total",), one_of=(("good", "bad"),), at_most_one=(("total", "raw"),)),
        raw=replace(ratio, required=("rawType",), at_most_one=(("raw", "good"), ("raw", "bad"))),
        uses={
            "alertPolicies": use("AlertPolicy", "alertPolicyRef"),
            "conditions": use("AlertCondition", "conditionRef", "operator"),
            "notificationTargets": use("AlertNotificationTarget", "targetRef"),
        },
    )


_LABEL = Scalar("a text in quotes", types=(str,))

WORDS = Vocabulary(
    indicator="indicator",
    indicator_ref="indicatorRef",
    services=("service",),
    metadata=Fields(
        "metadata",
        {
            "name": Scalar(
                "a name of lower-case letters, digits and - . | / \\ that begins with a letter or a digit",
                types=(str,),
                accepts=re.compile(r"[a-z0-9][a-z0-9.|/\\-]{0,254}").fullmatch,
            ),
            "displayName": STRING,
            "labels": Entries(Either((_LABEL, Items(_LABEL)), "a text or a list of texts"), key=LABEL_KEY, expected=KEY_EXPECTED),
            "annotations": Entries(TEXT, key=PREFIXED_KEY, expected=PREFIXED_EXPECTED),
            "namespace": STRING,  # Kubernetes tools put it there
        },
        required=("name",),
    ),
    metric=Fields(
        "a metric",
        {
            "metricSource": Fields(
                "a metricSource",
                {"metricSourceRef": NAMED, "type": STRING, "spec": some("the spec of a metricSource")},
                required=("spec",),
            )
        },
        required=("metricSource",),
    ),
    data_source=DATA_SOURCE,
    named=NAMED,
    units="mhdwMQY",
    renamed={
        "objective": "objectives",
        "timeWindows": "timeWindow",
        "sli": "indicator",
        "sliRef": "indicatorRef",
        "serviceRef": "service",
    },
)
SHAPES = shapes(WORDS)


# --- What a document says ---------------------------------------------------------------------------------------------

_ROLES = {"good": "good", "bad": "bad", "total": "total", "raw": "ratio"}
_RATIO_OF = {"success": "good", "failure": "bad"}


class Reader(Document):
    """One document of OpenSLO v1, being read."""

    version = NAME
    words = WORDS
    shapes = SHAPES

    def read(self) -> Iterator[Node | Fault]:
        """The nodes, and the faults that depend on more than one field."""
        if self.kind == "SLO":
            yield from self.slo()
        elif self.kind == "SLI":
            yield from self.indicator(self.spec, self.asked(self.spec), self.name)
        elif self.kind == "AlertPolicy":
            yield from self.uses(self.spec, "conditions")
            yield from self.uses(self.spec, "notificationTargets")
            yield self.policy(self.name, self.metadata, self.spec)
        elif self.kind == "AlertCondition":
            yield from self.condition(self.metadata, self.spec)

    def has_indicator(self, holder: dict[str, Any]) -> bool:
        """Whether an SLO or one of its objectives says what it measures."""
        return self.words.indicator in holder or self.words.indicator_ref in holder

    def slo(self) -> Iterator[Node | Fault]:
        """An SLO: one indicator for all of its objectives, or (a composite) one for each of them."""
        objectives = mappings(self.spec, "objectives")
        composite = any(map(self.has_indicator, objectives))
        yield from self.misshapen(objectives, composite)
        for window in mappings(self.spec, "timeWindow"):
            yield from self.window(window)
        asked = []
        for holder in (self.spec, *objectives):
            sli = mapping(mapping(holder, self.words.indicator), "spec")
            asked.append(self.asked(sli))
            yield from self.indicator(sli, asked[-1])
            yield from self.reference(holder, self.words.indicator_ref, "SLI")
        for key in self.words.services:
            yield from self.reference(self.spec, key, "Service")
        yield from self.uses(self.spec, "alertPolicies")
        if self.name:
            about = self.about_all()
            slos = list(self.slos(objectives, asked, about))
            yield from slos
            if composite and len(slos) > 1:
                yield self.composite(objectives, slos, about)

    def misshapen(self, objectives: list[dict[str, Any]], composite: bool) -> Iterator[Fault]:
        """What an SLO's spec and its objectives have or lack; where the indicators stand decides about it."""
        spec, whole = self.spec, self.shapes.specs["SLO"]
        indicators = (self.words.indicator, self.words.indicator_ref)
        part = self.shapes.objectives.get(_slo.text(spec, "budgetingMethod") or "", self.shapes.objectives["Occurrences"])
        if not composite:
            whole = replace(whole, one_of=(*whole.one_of, indicators), at_most_one=())
        elif not self.has_indicator(spec):
            part = replace(part, one_of=(*part.one_of, indicators), at_most_one=())
        sli = mapping(mapping(spec, self.words.indicator), "spec")
        if "thresholdMetric" in sli:
            part = replace(part, required=(*part.required, "op", "value"))
        if isinstance(self.data.get("spec"), dict):
            yield from shape.faults(self.tree, whole, spec)
        for objective in objectives:
            yield from shape.faults(self.tree, part, objective, inside=(whole,))
            if self.has_indicator(spec):
                yield from self.excluded(
                    objective, indicators, "the SLO has an indicator already; {!r} of its objective excludes it"
                )
            if "ratioMetric" in sli:
                message = "{!r} compares a metric with a value, but what is measured is a ratio; it excludes that"
                yield from self.excluded(objective, ("op", "value"), message)

    def excluded(self, holder: dict[str, Any], keys: tuple[str, ...], message: str) -> Iterator[Fault]:
        """Keys that something elsewhere in the document leaves no room for."""
        for key in keys:
            if holder.get(key) is not None:
                at = self.tree.key_at(holder, key)
                yield Fault(kind="conflicting-fields", at=at, message=message.format(key), hint="keep one of them")

    def window(self, window: dict[str, Any]) -> Iterator[Fault]:
        """A time window is rolling, or follows a calendar."""
        rolling = window.get("isRolling") is True
        if rolling:
            message = "a time window has isRolling: true and {!r}, which exclude each other"
            yield from self.excluded(window, ("calendar",), message)
        wanted = self.shapes.rolling
        if not rolling:
            wanted = replace(wanted, what="a time window without isRolling: true", required=("duration", "calendar"))
        yield from shape.faults(self.tree, wanted, window)

    def indicator(self, spec: dict[str, Any], queries: tuple[Query, ...], name: str = "") -> Iterator[Node | Fault]:
        """What an SLI's spec asks and refers to, and the faults of its ratio; `name` is that of one that stands apart."""
        ratio = spec.get("ratioMetric")
        if isinstance(ratio, dict):
            stored = "raw" in ratio and "total" not in ratio
            yield from shape.faults(self.tree, self.shapes.raw if stored else self.shapes.fraction, ratio)
        for _, metric in _metrics(spec):
            yield from self.source(metric)
        if queries:
            yield Indicator(
                at=self.tree.at(spec), settings=self.settings, holder=self.holder, queries=queries, name=name, dialect="openslo"
            )

    def source(self, metric: dict[str, Any]) -> Iterator[Node | Fault]:
        """The data source that a metric refers to."""
        yield from self.reference(mapping(metric, "metricSource"), "metricSourceRef", "DataSource")

    def measured(self, metric: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        """The type of a metric's data source, and what is asked of it."""
        source = mapping(metric, "metricSource")
        kind = _slo.text(source, "type") or self.types.get(_slo.text(source, "metricSourceRef") or "", "")
        return kind, mapping(source, "spec")

    def asked(self, spec: dict[str, Any]) -> tuple[Query, ...]:
        """The queries of an SLI's spec. One that is stored in fields of its data source's own is left out."""
        of = _RATIO_OF.get(_slo.text(mapping(spec, "ratioMetric"), "rawType") or "", "")
        found = []
        for role, metric in _metrics(spec):
            kind, asked = self.measured(metric)
            key = next((key for key in ("query", "promql") if _slo.text(asked, key)), None)
            if key is not None:
                language = LANGUAGES.get(kind.casefold(), "")
                found.append(Written(asked, key, language, role, of if role == "ratio" else ""))
        return self.queries(found)

    def uses(self, spec: dict[str, Any], key: str) -> Iterator[Node | Fault]:
        """Other documents in a list, by name or inline."""
        kind, reference, wanted = self.shapes.uses[key]
        items = listed(spec, key)
        for index, item in enumerate(items):
            if isinstance(item, str):
                yield from self.reference(items, index, kind)
            elif isinstance(item, dict):
                inline = replace(wanted, required=("kind", "metadata"))
                yield from shape.faults(self.tree, inline if "spec" in item else wanted, item)
                yield from self.reference(item, reference, kind)
                if kind == "AlertPolicy" and "spec" in item:
                    policy, metadata = mapping(item, "spec"), mapping(item, "metadata")
                    yield from self.uses(policy, "conditions")
                    yield from self.uses(policy, "notificationTargets")
                    yield self.policy(self.inline_name(metadata), metadata, policy)

    def inline_name(self, metadata: dict[str, Any]) -> str:
        """What an SLO calls a policy inside it. No document can have such a name, so nothing else means the same policy."""
        return f"{_slo.text(metadata, 'name') or ''} of {self.holder}"

    def policy(self, name: str, metadata: dict[str, Any], spec: dict[str, Any]) -> AlertPolicy:
        """An alert policy, with the conditions that it holds and those that it names."""
        rates: list[BurnRate] = []
        names: list[str] = []
        for item in mappings(spec, "conditions"):
            rates += self.condition(mapping(item, "metadata"), mapping(item, "spec"))
            names += [item["conditionRef"]] if _slo.text(item, "conditionRef") else []
        return AlertPolicy(
            at=self.tree.at(metadata, "name") if metadata else self.at(),
            settings=self.settings,
            name=name,
            burn_rates=tuple(rates),
            conditions=tuple(names),
        )

    def condition(self, metadata: dict[str, Any], spec: dict[str, Any]) -> Iterator[BurnRate]:
        """An alert condition. Only one that fires above its threshold says how fast the budget may burn."""
        condition = mapping(spec, "condition")
        if not condition:
            return
        above = condition.get("op") in (None, "gt", "gte")
        name = _slo.text(metadata, "name") or ""
        yield BurnRate(
            at=self.tree.at(metadata, "name") if name else self.tree.at(condition),
            settings=self.settings,
            holder=f"alert condition {name!r}" if name else f"an alert condition of {self.holder}",
            name=name,
            factor=_slo.number(self.tree, condition, "threshold") if above else None,
            factor_at=self.tree.at(condition, "threshold") if "threshold" in condition else None,
            long=_slo.duration(condition, "lookbackWindow"),
            severity=_slo.text(spec, "severity") or "",
            wait=_slo.duration(condition, "alertAfter"),
            inclusive=condition.get("op") == "gte",
        )

    def slos(self, objectives: list[dict[str, Any]], asked: list[tuple[Query, ...]], about: About) -> Iterator[Slo]:
        """An SLO for each objective; `asked` are the queries of the whole and then those of each."""
        whole, *each = asked
        for name, objective, own in zip(self.names(objectives), objectives, each, strict=True):
            percent = "targetPercent" in objective and "target" not in objective
            key = "targetPercent" if percent else "target"
            target = _slo.number(self.tree, objective, key)
            holder, queries = (objective, own) if self.has_indicator(objective) else (self.spec, whole)
            threshold, operator = self.threshold(objective)
            yield Slo(
                at=self.at() if len(objectives) == 1 else self.tree.at(objective),
                name=name,
                objective=target.scaleb(-2) if percent and target is not None else target,
                objective_text=self.tree.spelling(objective, key) if isinstance(objective.get(key), (str, int, float)) else "",
                objective_unit="percent" if percent else "ratio",
                objective_at=self.tree.at(objective, key) if key in objective else self.tree.at(objective),
                slice=_slice(objective),
                slice_objective=_slo.number(self.tree, objective, "timeSliceTarget"),
                queries=queries,
                indicator=_slo.text(holder, self.words.indicator_ref),
                threshold=threshold,
                operator=operator,
                latency=self.latency(objective, queries),
                **about,
            )

    def composite(self, objectives: list[dict[str, Any]], slos: list[Slo], about: About) -> Slo:
        """What the SLOs of several objectives make up together; it has no objective of its own."""
        weights = (_slo.number(self.tree, objective, "compositeWeight") for objective in objectives)
        parts = (
            Part(at=slo.at, name=slo.name, weight=weight, target=slo.objective) for slo, weight in zip(slos, weights, strict=True)
        )
        return Slo(at=self.at(), name=self.name, objective_at=self.tree.at(self.spec, "objectives"), parts=tuple(parts), **about)

    def about_all(self) -> About:
        """What the SLO of every objective has in common."""
        window = next(iter(mappings(self.spec, "timeWindow")), {})
        return self.about(
            service=next((name for key in self.words.services if (name := _slo.text(self.spec, key))), None),
            window=_slo.duration(window, "duration"),
            window_at=self.tree.at(window, "duration") if "duration" in window else None,
            rolling=window.get("isRolling") is not False and "calendar" not in window,
            sliced=_slo.text(self.spec, "budgetingMethod") in METHODS[1:],
            policies=tuple(self.policies()),
        )

    def policies(self) -> Iterator[str]:
        """The alert policies of an SLO; how one that stands inside it is called, see `inline_name`."""
        for item in listed(self.spec, "alertPolicies"):
            if isinstance(item, str) and item.strip():
                yield item
            elif isinstance(item, dict) and "spec" in item:
                yield self.inline_name(mapping(item, "metadata"))
            elif isinstance(item, dict) and (name := _slo.text(item, "alertPolicyRef")):
                yield name


def _metrics(indicator: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """(role, metric) of everything that an SLI's spec measures."""
    ratio = mapping(indicator, "ratioMetric")
    for holder, key, role in (
        (indicator, "thresholdMetric", "threshold"),
        *((ratio, key, role) for key, role in _ROLES.items()),
    ):
        metric = mapping(holder, key)
        if metric:
            yield role, metric


def _slice(objective: dict[str, Any]) -> Duration | None:
    """How long a time slice is; a number without a unit counts minutes."""
    length = objective.get("timeSliceWindow")
    return _slo.duration({"length": f"{length}m"} if type(length) is int else {"length": length}, "length")


VERSION = Version(NAME, SHAPES.specs, SHAPES.documents, Reader)
