"""Google's slo-generator: https://github.com/google/slo-generator, SLO configurations and the shared configuration.

What becomes of a document:

* an SLO (`sre.google.com/v2`): an `Slo` named `metadata.name`, of the service that the label `service_name` names. `goal` is a
  ratio. It has no window of its own: it is measured over that of each step of its error budget policy, which is the one named
  `error_budget_policy`, or "default"
* its `service_level_indicator`: an `Indicator`. On the backend `prometheus` the queries are what slo-generator sends:
  `good_bad_ratio` with `operators` (increase and sum, unless given) around each filter; `distribution_cut` with `le` put into the
  braces, and the `_count` beside the `_bucket`; `query_sli` as written, the share of good events, with the window in the place
  of `[window]`. Queries of all other backends are in languages that are not read
* the shared configuration: an `AlertPolicy` for each of `error_budget_policies`, with a `BurnRate` for each step: "page" where
  `alert` is true, "ticket" otherwise. Policies, backends and exporters are `Definition`s, and what refers to them `Reference`s
* owner, runbook, dashboard: what `metadata.labels`, then `metadata.annotations`, have under one of `OWNER_KEYS`, `RUNBOOK_KEYS`
  and `DASHBOARD_KEYS` (listed in `formats/openslo.py`)

Version 1, which has no `apiVersion`, is read as well: an SLO named service, feature and SLO, joined by hyphens, which is what
`slo-generator migrate` calls it, with the policy "default"; a policy is a list of steps in a file of its own, named in its path
(`error_budget_policy_fast.yaml`), or "default".

Environment variables (`${NAME}`), which slo-generator fills in before it reads a file, may stand anywhere.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from typing import Any

from pytest_reliability import shape
from pytest_reliability.contracts import Format
from pytest_reliability.documents import Source, Tree
from pytest_reliability.formats import _slo
from pytest_reliability.formats._kubernetes import KIND_IS, of_group
from pytest_reliability.formats._lengths import length
from pytest_reliability.model.duration import Duration
from pytest_reliability.model.location import Location
from pytest_reliability.model.nodes import (
    AlertPolicy,
    BurnRate,
    Definition,
    Fault,
    Indicator,
    Node,
    Query,
    Reference,
    Replace,
    Slo,
)
from pytest_reliability.shape import ANYTHING, STRING, TEXT, Entries, Fields, Items, Scalar, Shape

GROUP = "sre.google.com"
VERSION = f"{GROUP}/v2"
KIND = "ServiceLevelObjective"
DEFAULT_POLICY = "default"

BACKEND, EXPORTER, POLICY = "slo-generator backend", "slo-generator exporter", "error budget policy"
DEFINED = {"backends": BACKEND, "exporters": EXPORTER, "error_budget_policies": POLICY}
"""What a shared configuration defines, and what references and definitions call it."""


# --- Shapes -----------------------------------------------------------------------------------------------------------

_NUMBER = r"[-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d{1,2})?"
_VARIABLE = r".*\$\{\w+\}.*"

NAME = Scalar("a name", types=(str,), accepts=str.strip)
GOAL = Scalar("a ratio such as 0.999", types=(str, int, float), accepts=re.compile(f"{_NUMBER}|{_VARIABLE}").fullmatch)
FACTOR = Scalar("a burn rate such as 9", types=(str, int, float), accepts=re.compile(f"{_NUMBER}|{_VARIABLE}").fullmatch)
SECONDS = Scalar("a number of seconds such as 3600", types=(str, int), accepts=re.compile(rf"0*[1-9]\d*|{_VARIABLE}").fullmatch)
SWITCH = Scalar("true or false", types=(bool, str), accepts=re.compile(f"(?i)true|false|{_VARIABLE}").fullmatch)
SETTINGS = Entries(Fields("a block of settings", {}, open=True))
LONGEST = 9_200_000_000
"""Seconds that anybody counts: 292 years."""

SPEC = Fields(
    "an SLO's spec",
    {
        "description": STRING,
        "goal": GOAL,
        "backend": NAME,
        "method": NAME,
        "service_level_indicator": Fields("a service_level_indicator", {}, open=True),  # depends on backend and method
        "error_budget_policy": NAME,
        "exporters": Items(NAME),
        "offset": ANYTHING,
    },
    required=("description", "goal", "backend", "method", "service_level_indicator"),
    renamed={"target": "goal", "objective": "goal", "sli": "service_level_indicator", "slo_target": "goal"},
)
OBJECTIVE = Fields(
    f"a {KIND} of slo-generator",
    {
        "apiVersion": ANYTHING,
        "kind": ANYTHING,
        "metadata": Fields(
            "metadata",
            {"name": NAME, "labels": Entries(TEXT), "annotations": Entries(TEXT)},
            required=("name",),
            open=True,
        ),
        "spec": SPEC,
    },
    required=("apiVersion", "kind", "metadata", "spec"),
    renamed={"api": "apiVersion", "version": "apiVersion"},
)
STEP = Fields(
    "a step",
    {
        "name": TEXT,
        "window": SECONDS,
        "burn_rate_threshold": FACTOR,
        "alert": SWITCH,
        "message_alert": STRING,
        "message_ok": STRING,
    },
    required=("name", "window", "burn_rate_threshold", "message_alert", "message_ok"),
    renamed={
        "error_budget_policy_step_name": "name",
        "measurement_window_seconds": "window",
        "alerting_burn_rate_threshold": "burn_rate_threshold",
        "urgent_notification": "alert",
        "overburned_consequence_message": "message_alert",
        "achieved_consequence_message": "message_ok",
    },
)
CONFIGURATION = Fields(
    "a configuration of slo-generator",
    {
        "default_exporters": Items(NAME),
        "backends": SETTINGS,
        "exporters": SETTINGS,
        "error_budget_policies": Entries(
            Fields("an error budget policy", {"steps": Items(STEP, minimum=1)}, required=("steps",))
        ),
    },
    growing=True,
)

OBJECTIVE_V1 = Fields(
    "an SLO of slo-generator, version 1",
    {
        "service_name": TEXT,
        "feature_name": TEXT,
        "slo_name": TEXT,
        "slo_description": STRING,
        "slo_target": GOAL,
        "backend": Fields(
            "a backend", {"class": NAME, "method": NAME, "measurement": ANYTHING}, required=("class", "method"), open=True
        ),
        "exporters": ANYTHING,
        "metadata": ANYTHING,
    },
    required=("service_name", "feature_name", "slo_name", "slo_target", "backend"),
    growing=True,
)
STEP_V1 = Fields(
    "a step",
    {old: STEP.known[new] for old, new in STEP.renamed.items()},
    required=tuple(old for old, new in STEP.renamed.items() if new in STEP.required),
)


@dataclass(frozen=True, slots=True)
class Backend:
    """Where an SLI is measured: the language of its queries, and for each method the keys that it needs.

    Of the keys that `methods` joins with | one is enough. `more` are keys that may be there as well.
    """

    language: str
    methods: Mapping[str, tuple[str, ...]]
    more: tuple[str, ...] = ()

    @property
    def keys(self) -> tuple[str, ...]:
        """All that is known here."""
        needed = (key for keys in self.methods.values() for group in keys for key in group.split("|"))
        return tuple(dict.fromkeys((*needed, *self.more)))


_FILTERS = ("filter_good", "filter_bad|filter_valid")
_QUERIES = ("query_good", "query_bad|query_valid")
_CUT = {
    "distribution_cut": ("filter_valid", "threshold_bucket"),
    "exponential_distribution_cut": ("filter_valid", "threshold_bucket"),
}

BACKENDS = {
    "prometheus": Backend(
        "promql",
        {"good_bad_ratio": _FILTERS, "query_sli": ("expression",), "distribution_cut": ("expression", "threshold_bucket")},
        ("operators",),
    ),
    "cloud_monitoring": Backend("cloud monitoring filter", {"good_bad_ratio": _FILTERS, **_CUT}, ("good_below_threshold",)),
    "cloud_monitoring_mql": Backend(
        "mql", {"good_bad_ratio": _FILTERS, "query_sli": ("query",), **_CUT}, ("good_below_threshold",)
    ),
    "cloud_service_monitoring": Backend(
        "cloud monitoring filter",
        {"good_bad_ratio": (), "distribution_cut": ("filter_valid", "range_max"), "basic": (), "windows": ()},
        ("filter_good", "filter_bad", "range_min", "filter", "app_engine", "cluster_istio", "mesh_istio", "cloud_endpoints",
         "service_id", "slo_id", "method", "location", "version", "latency", "availability"),
    ),
    "datadog": Backend(
        "datadog",
        {"good_bad_ratio": _QUERIES, "query_sli": ("query",), "query_slo": ("slo_id",)},
        ("operator", "operator_suffix"),
    ),
    "dynatrace": Backend(
        "dynatrace",
        {"good_bad_ratio": ("query_good", "query_valid"), "query_sli": ("slo_id",), "threshold": ("query_valid", "threshold")},
        ("good_below_threshold",),
    ),
    "elasticsearch": Backend("elasticsearch", {"good_bad_ratio": ("index", *_QUERIES)}, ("date_field",)),
    "open_search": Backend("elasticsearch", {"good_bad_ratio": ("index", *_QUERIES)}, ("date_field",)),
    "splunk": Backend(
        "splunk",
        {"good_bad_ratio": ("search_query_good", "search_query_bad|search_query_valid"), "query_sli": ("search_query",)},
    ),
}  # fmt: skip
"""The backends that come with slo-generator; others are somebody's own code."""

_BACKENDS_V1 = {"stackdriver": "cloud_monitoring", "stackdriver_service_monitoring": "cloud_service_monitoring"}
_ROLES = {"good": "good", "bad": "bad", "valid": "total"}


# --- Which documents are slo-generator's ------------------------------------------------------------------------------


def read(source: Source) -> Iterator[Node | Fault]:
    """What the files of slo-generator say, and what is wrong with them."""
    for tree in source.trees:
        found = False
        for item in _read(source, tree):
            found = True
            yield item
        if found:
            yield from tree.faults


def _read(source: Source, tree: Tree) -> Iterator[Node | Fault]:
    data = tree.data
    if isinstance(data, list):
        if data and all(isinstance(step, dict) and "alerting_burn_rate_threshold" in step for step in data):
            yield from shape.faults(tree, Items(STEP_V1))
            yield from _Policy(source, tree, _policy_in(source.path), tree.at(data), STEP.renamed).read(data)
    elif isinstance(data, dict):
        if _is_objective(data):
            yield from _slo.wrong_kind(tree, data, "apiVersion", VERSION)
            yield from _slo.wrong_kind(tree, data, "kind", KIND)
            yield from shape.faults(tree, OBJECTIVE)
            yield from _second(source, tree, data).read()
        elif _is_first(data):
            yield from shape.faults(tree, OBJECTIVE_V1)
            yield from _first(source, tree, data).read()
        elif _is_configuration(data):
            yield from shape.faults(tree, CONFIGURATION)
            yield from _configuration(source, tree, data)


def _is_objective(data: dict[str, Any]) -> bool:
    """Whether it says so; or what can be nothing else forgot to. slo-generator skips another kind without a word."""
    spec = _slo.mapping(data, "spec")
    if of_group(data, GROUP):
        return data.get("kind") == KIND or "service_level_indicator" in spec
    return data.get("apiVersion") is None and data.get("kind") == KIND and "service_level_indicator" in spec


def _is_first(data: dict[str, Any]) -> bool:
    return {"service_name", "slo_name", "slo_target"} <= data.keys() and isinstance(data.get("backend"), dict)


def _is_configuration(data: dict[str, Any]) -> bool:
    """Whether it is the shared configuration: others have policies for error budgets, too, and keep them as they like."""
    if "error_budget_policies" not in data:
        return {"default_exporters", "exporters"} <= data.keys()
    policies = data["error_budget_policies"]
    named = policies.values() if isinstance(policies, dict) else ()
    return (
        any(isinstance(policy, dict) and "steps" in policy for policy in named)
        or any(key in data for key in ("default_exporters", "exporters", "backends"))
        or (len(data) == 1 and not isinstance(policies, list))
    )


def _policy_in(path: str) -> str:
    """What a policy of version 1 is called, by its file."""
    stem = path.rpartition("/")[2].partition(".")[0]
    return stem.removeprefix("error_budget_policy").strip("_-") or DEFAULT_POLICY


# --- The shared configuration -----------------------------------------------------------------------------------------


def _configuration(source: Source, tree: Tree, data: dict[str, Any]) -> Iterator[Node]:
    for key, kind in DEFINED.items():
        named = _slo.mapping(data, key)
        for name in named:
            yield Definition(at=tree.key_at(named, name), settings=source.settings, kind=kind, name=name)
    policies = _slo.mapping(data, "error_budget_policies")
    for name, policy in policies.items():
        steps = policy.get("steps") if isinstance(policy, dict) else None
        keys = {key: key for key in STEP.known}
        at = tree.key_at(policies, name)
        yield from _Policy(source, tree, name, at, keys).read(steps if isinstance(steps, list) else [])


class _Policy:
    """An error budget policy, being read; `keys` maps the keys of its steps to those of version 2."""

    def __init__(self, source: Source, tree: Tree, name: str, at: Location, keys: Mapping[str, str]) -> None:
        self.settings = source.settings
        self.tree = tree
        self.name = name
        self.at = at
        self.keys = {new: old for old, new in keys.items()}

    def read(self, steps: list[Any]) -> Iterator[AlertPolicy]:
        """The policy with its steps, as far as they can be read."""
        rates = tuple(self.step(step) for step in steps if isinstance(step, dict))
        yield AlertPolicy(at=self.at, settings=self.settings, name=self.name, burn_rates=rates)

    def step(self, step: dict[str, Any]) -> BurnRate:
        """One step: it alerts on one window."""
        threshold, window, name = (self.keys[key] for key in ("burn_rate_threshold", "window", "name"))
        seconds = step.get(window)
        return BurnRate(
            at=self.tree.at(step),
            settings=self.settings,
            holder=f"step {step.get(name)!r} of error budget policy {self.name!r}",
            factor=_decimal(self.tree, step, threshold),
            factor_at=self.tree.at(step, threshold),
            long=length(seconds) if type(seconds) is int and 0 < seconds <= LONGEST else None,
            severity="page" if step.get(self.keys["alert"]) is True else "ticket",
        )


# --- SLOs -------------------------------------------------------------------------------------------------------------


def _second(source: Source, tree: Tree, data: dict[str, Any]) -> _Objective:
    metadata, spec = _slo.mapping(data, "metadata"), _slo.mapping(data, "spec")
    backend = _slo.text(spec, "backend") or ""
    return _Objective(
        source=source,
        tree=tree,
        at=tree.at(metadata, "name") if "name" in metadata else tree.at(data),
        name=_slo.text(metadata, "name") or "",
        labels=_slo.texts(tree, metadata, "labels"),
        annotations=_slo.texts(tree, metadata, "annotations"),
        holder=spec,
        goal="goal",
        description="description",
        backend=backend.partition("/")[0],
        measured=spec,
        sli_key="service_level_indicator",
        refers=True,
    )


def _first(source: Source, tree: Tree, data: dict[str, Any]) -> _Objective:
    names = [tree.spelling(data, key) for key in ("service_name", "feature_name", "slo_name") if data.get(key) is not None]
    backend = _slo.mapping(data, "backend")
    snake = re.sub(r"(?<!^)(?=[A-Z])", "_", _slo.text(backend, "class") or "").lower()
    return _Objective(
        source=source,
        tree=tree,
        at=tree.at(data, "slo_name"),
        name="-".join(names),
        labels={key: tree.spelling(data, key) for key in ("service_name", "feature_name", "slo_name") if key in data},
        annotations=_slo.texts(tree, data, "metadata"),
        holder=data,
        goal="slo_target",
        description="slo_description",
        backend=_BACKENDS_V1.get(snake, snake),
        measured=backend,
        sli_key="measurement",
        refers=False,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Objective:
    """An SLO of either version, being read.

    `goal` and `description` are the keys of these in `holder`, `sli_key` that of the SLI in `measured`, which has the method as
    well. `refers` tells whether it refers to a shared configuration by names.
    """

    source: Source
    tree: Tree
    at: Location
    name: str
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    holder: dict[str, Any]
    goal: str
    description: str
    backend: str
    measured: dict[str, Any]
    sli_key: str
    refers: bool

    @property
    def title(self) -> str:
        """What messages call it."""
        return f"SLO {self.name!r}"

    @property
    def method(self) -> str:
        """How the SLI is computed."""
        return _slo.text(self.measured, "method") or ""

    @property
    def sli(self) -> dict[str, Any]:
        """What is measured."""
        return _slo.mapping(self.measured, self.sli_key)

    @property
    def policy(self) -> str:
        """The error budget policy that it is measured by."""
        return _slo.text(self.holder, "error_budget_policy") or DEFAULT_POLICY

    def read(self) -> Iterator[Node | Fault]:
        """The nodes, and the faults that depend on more than one field."""
        yield from self.misspelt_method()
        yield from self.indicator_faults()
        if self.refers:
            yield from self.references()
        queries = tuple(self.queries())
        settings = self.source.settings
        if queries:
            at = self.tree.at(self.sli)
            yield Indicator(at=at, settings=settings, holder=self.title, queries=queries, dialect="slo-generator")
        if self.name:
            yield self.slo(queries)

    def misspelt_method(self) -> Iterator[Fault]:
        """A backend of slo-generator's own has only so many methods; what is like none of them may be a new one."""
        backend = BACKENDS.get(self.backend)
        if backend is not None and self.method and self.method not in backend.methods:
            meant = shape.nearest(self.method, backend.methods)
            if meant is not None:
                at = self.tree.at(self.measured, "method")
                message = f"method is {self.method!r}; one of {', '.join(backend.methods)} is expected on {self.backend}"
                hint = f"did you mean {meant}?"
                yield Fault(kind="wrong-value", at=at, message=message, hint=hint, edit=Replace(at, self.method, meant))

    def indicator_faults(self) -> Iterator[Fault]:
        """What the SLI lacks for its method, and what it has that is misspelt."""
        backend = BACKENDS.get(self.backend)
        if backend is None or not isinstance(self.measured.get(self.sli_key), dict):
            return
        known: dict[str, Shape] = dict.fromkeys(backend.keys, ANYTHING)
        if "operators" in known:
            known["operators"] = Items(STRING)
        what = f"the SLI of {self.method} on {self.backend}"
        groups = [group.split("|") for group in backend.methods.get(self.method, ())]
        required = tuple(group[0] for group in groups if len(group) == 1)
        yield from shape.faults(self.tree, Fields(what, known, required=required, growing=True), self.sli)
        for group in groups:
            if len(group) > 1 and not any(key in self.sli for key in group):
                message = f"{what} has neither {' nor '.join(group)}"
                hint = f"add one of: {', '.join(group)}"
                yield Fault(kind="missing-field", at=self.tree.at(self.sli), message=message, hint=hint)
        yield from self.nowhere_to_cut()

    def nowhere_to_cut(self) -> Iterator[Fault]:
        """slo-generator adds the bucket in front of the closing brace, and nowhere if there is none."""
        expression = _slo.text(self.sli, "expression")
        if (self.backend, self.method) == ("prometheus", "distribution_cut") and expression and "}" not in expression:
            yield Fault(
                kind="wrong-value",
                at=self.tree.at(self.sli, "expression"),
                message=f"expression is {expression.strip()!r}; matchers in braces are expected, where slo-generator puts le",
                hint="add a matcher, so that not all buckets are counted",
            )

    def references(self) -> Iterator[Reference]:
        """The names that the shared configuration must have; slo-generator exits with 0 where it does not."""
        for key, kind in (("backend", BACKEND), ("error_budget_policy", POLICY)):
            if (name := _slo.text(self.holder, key)) and "${" not in name:
                yield self.reference(self.holder, key, kind, name)
        exporters = self.holder.get("exporters")
        for index, name in enumerate(exporters if isinstance(exporters, list) else []):
            if isinstance(name, str) and name.strip() and "${" not in name:
                yield self.reference(exporters, index, EXPORTER, name)

    def reference(self, holder: Any, key: str | int, kind: str, name: str) -> Reference:
        at = self.tree.at(holder, key)
        return Reference(at=at, settings=self.source.settings, kind=kind, name=name, holder=self.title)

    def slo(self, queries: tuple[Query, ...]) -> Slo:
        """The SLO."""
        tree, holder = self.tree, self.holder
        said = (self.labels, self.annotations)
        written = tree.spelling(holder, self.goal) if isinstance(holder.get(self.goal), (str, int, float)) else ""
        return Slo(
            at=self.at,
            settings=self.source.settings,
            name=self.name,
            service=self.labels.get("service_name") or None,
            scope="" if self.refers else "version 1",  # neither version runs the SLOs of the other
            dialect="slo-generator",
            objective=_decimal(tree, holder, self.goal),
            objective_text=written,
            objective_unit="ratio",
            objective_at=tree.at(holder, self.goal) if self.goal in holder else self.at,
            queries=queries,
            latency=_slo.within(queries) or self.basic_latency(),
            owner=_slo.first_of(_slo.OWNER_KEYS, *said),
            runbook=_slo.first_of(_slo.RUNBOOK_KEYS, *said),
            dashboard=_slo.first_of(_slo.DASHBOARD_KEYS, *said),
            description=_slo.text(holder, self.description) or "",
            labels=self.labels,
            annotations=self.annotations,
            policies=(self.policy,),
        )

    def basic_latency(self) -> Duration | None:
        """The threshold of Cloud Service Monitoring's own SLI, in milliseconds."""
        threshold = _slo.mapping(self.sli, "latency").get("threshold")
        if self.method != "basic" or type(threshold) not in (int, float):
            return None
        return _slo.measured(str(threshold), "ms")

    def queries(self) -> Iterator[Query]:
        """The queries of the SLI that are texts."""
        backend = BACKENDS.get(self.backend)
        if backend is not None and backend.language == "promql":
            yield from self.promql()
            return
        for key, value in self.sli.items():
            name, _, suffix = key.rpartition("_")
            holder, inner = (value, "metric_selector") if isinstance(value, dict) else (self.sli, key)
            role = _ROLES.get(suffix, "") if name in ("filter", "query", "search_query") else ""
            role = "ratio" if key in ("expression", "query", "search_query") else role
            if role and _slo.text(holder, inner):
                yield self.query(holder, inner, role, backend.language if backend is not None else "")

    def query(self, holder: dict[str, Any], key: str, role: str, language: str) -> Query:
        """A query in a language that is not read."""
        ratio_of = "good" if role == "ratio" else ""
        place = partial(self.tree.line_of, holder, key)
        return Query(at=self.tree.at(holder, key), place=place, text=holder[key], language=language, role=role, ratio_of=ratio_of)

    def promql(self) -> Iterator[Query]:
        """The queries that slo-generator sends to Prometheus."""
        sli = self.sli
        if self.method == "query_sli":
            if expression := _slo.text(sli, "expression"):
                aligned = _aligned(expression)
                parsable = _substituted(aligned)
                has_place = aligned != expression
                windowed = partial(_over, expression) if has_place and parsable == aligned else None
                needs_window = windowed is not None or not has_place
                yield self.sent("expression", "ratio", windowed, parsable, needs_window=needs_window)
        elif self.method == "good_bad_ratio":
            given = sli.get("operators", ["increase", "sum"])
            operators = [name for name in given if isinstance(name, str)] if isinstance(given, list) else []
            other = "filter_bad" if sli.get("filter_bad") else "filter_valid"
            for key, role in (("filter_good", "good"), (other, _ROLES[other.removeprefix("filter_")])):
                if text := _slo.text(sli, key):
                    yield self.applied(key, role, partial(_applied, operators, "", text))
        elif self.method == "distribution_cut" and (expression := _slo.text(sli, "expression")):
            yield from self.cut(expression)

    def cut(self, expression: str) -> Iterator[Query]:
        """The bucket, and the count beside it. What is wrong with the expression is said once."""
        operators = ["increase", "sum"]
        bucket = self.sli.get("threshold_bucket")
        good = None
        if isinstance(bucket, (int, float, str)):
            good = self.applied("expression", "good", partial(_applied, operators, f', le="{bucket}"}}', expression))
            yield good
        total = self.applied("expression", "total", partial(_applied, operators, "", expression.replace("_bucket", "_count")))
        if good is None or good.parsable != total.parsable:
            yield total

    def applied(self, key: str, role: str, windowed: Callable[[str], str]) -> Query:
        """A selector that operators are applied to. Where it is none itself, that is what is to be judged."""
        from pytest_reliability.promql import parse

        aligned = _aligned(self.sli[key])
        alone = _substituted(aligned)
        if alone is None or parse(alone).error is not None:
            return self.sent(key, role, None, alone)
        return self.sent(key, role, windowed if alone == aligned else None, _substituted(windowed("5m")))

    def sent(
        self, key: str, role: str, windowed: Callable[[str], str] | None, parsable: str | None, *, needs_window: bool = False
    ) -> Query:
        """A query that Prometheus gets."""
        return Query(
            at=self.tree.at(self.sli, key),
            place=partial(self.tree.line_of, self.sli, key),
            text=self.sli[key],
            language="promql",
            role=role,
            ratio_of="good" if role == "ratio" else "",
            parsable=parsable,
            windowed=windowed,
            needs_window=needs_window,
        )


def _over(query: str, window: str) -> str:
    """The query over a window, which slo-generator puts in the place of its word for it, or at the end."""
    query = query.strip()
    return query.replace("[window", f"[{window}") if "[window" in query else f"{query}[{window}]"


def _applied(operators: list[str], label: str, query: str, window: str) -> str:
    """The query with the operators around it, the first one innermost, and then the label in its braces."""
    query = _over(query, window)
    for operator in operators:
        query = f"{operator}({query})"
    return query.replace("}", label) if label else query


def _aligned(query: str) -> str:
    """The query over five minutes with every character where it was, so that an error can be pointed at."""
    return query.replace("[window", "[5m    ")


def _substituted(query: str) -> str | None:
    """The query with its environment variables filled in; those inside of strings may be anything."""
    if "$" not in query:
        return query
    from pytest_reliability.promql import parse, substitute

    return query if parse(query).valid else substitute(query)


def _decimal(tree: Tree, holder: dict[str, Any], key: str) -> Decimal | None:
    """The number under `key` exactly as written; slo-generator takes a text that is one as well."""
    written = tree.spelling(holder, key) if type(holder.get(key)) in (str, int, float) else ""
    return Decimal(written) if re.fullmatch(_NUMBER, written) else None


FORMAT = Format(
    name="slo-generator",
    files=r"\.(?:ya?ml|json)$",
    marker=rb"sre\.google\.com/v|error_budget_policies|default_exporters|alerting_burn_rate_threshold|slo_target|"
    + KIND_IS
    + KIND.encode()
    + rb"\b",
    yields=(Slo, Indicator, AlertPolicy, Definition, Reference),
    read=read,
)
