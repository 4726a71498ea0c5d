"""Pyrra: https://github.com/pyrra-dev/pyrra, `ServiceLevelObjective` of `pyrra.dev/v1alpha1`, in a cluster or as plain files.

What becomes of a document:

* an `Slo` named `metadata.name`, which need only be unique in its namespace; its service is what the label `service` or
  `service_name` says, `pyrra.dev/service` included.
  `target` is a percentage in quotes; `window` is rolling
* an `Indicator`. A metric is a plain selector; Pyrra itself puts rate, sum and `grouping` around it, and so do the queries:
  `ratio` has bad (or good) and total events; `latency` good ones (the bucket) and total; `latencyNative` both from one native
  histogram, with `histogram_fraction` and `histogram_count` as in Pyrra's own rules; `bool_gauge` sum and count of the samples
* four `BurnRate`s, with the factors 14, 7, 2 and 1 over windows that Pyrra scales to the SLO's. Their severities are "critical"
  and "warning", or what `alerting.severities` says. `alerting.disabled: true` and `burnrates: false` leave none of them
* the names of alerts: `alerting.name` or ErrorBudgetBurn; `alerting.absentName` or SLOMetricAbsent, unless `absent: false`. An
  SLO with `latencyNative` has no alert on absence
* labels and annotations of all alerts: those of the metadata that begin with `pyrra.dev/`, and the label `slo`
* owner, runbook, dashboard: what `metadata.labels`, then `metadata.annotations`, have under one of `OWNER_KEYS`, `RUNBOOK_KEYS`
  and `DASHBOARD_KEYS` (listed in `formats/openslo.py`)

What Pyrra's webhook and its controller reject is rejected here: a metric that is no plain selector, a bucket without `le`,
two indicators, a target that is no number. The range of a target and whether queries are PromQL are matters of checks.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from typing import Any

from pytest_reliability import shape
from pytest_reliability.contracts import Format
from pytest_reliability.documents import Source, Tree
from pytest_reliability.formats import _slo
from pytest_reliability.formats._kubernetes import KIND_IS, of_group, resources
from pytest_reliability.formats._lengths import length
from pytest_reliability.model.duration import Duration
from pytest_reliability.model.location import Location
from pytest_reliability.model.nodes import Alerting, AlertText, BurnRate, Fault, Indicator, Node, Query, Slo
from pytest_reliability.shape import ANYTHING, BOOLEAN, STRING, Entries, Fields, Items, Scalar, Shape, choice

GROUP = "pyrra.dev"
VERSION = f"{GROUP}/v1alpha1"
KIND = "ServiceLevelObjective"
PROPAGATED = f"{GROUP}/"
"""Labels and annotations that begin like this go to all alerts, without it."""


# --- Shapes -----------------------------------------------------------------------------------------------------------

_DURATION = re.compile(r"(?=.)(?:\d+y)?(?:\d+w)?(?:\d+d)?(?:\d+h)?(?:\d+m)?(?:\d+s)?(?:\d+ms)?")
LONGEST = 9.2e9
"""Seconds that Prometheus can count, in nanoseconds: 292 years."""
_TARGET = re.compile(r"[-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d{1,2})?")


def _duration(text: str) -> Duration | None:
    """The text as a duration that Prometheus can read, longer than nothing; None where it is none."""
    found = Duration.parse(text) if _DURATION.fullmatch(text) else None
    return found if found is not None and 0 < found.seconds <= LONGEST else None


LASTING = Scalar("a duration such as 4w, 30d or 200ms", types=(str,), accepts=_duration)
SWITCH = Scalar("true or false", types=(bool,), optional=True)
LABEL = Scalar("a text in quotes", types=(str,), optional=True)
LABELS = Entries(LABEL)
METRIC = Fields("a metric", {"metric": Scalar("a metric", types=(str,), accepts=str.strip)}, required=("metric",))
GROUPING = Items(STRING)

RATIO = Fields(
    "a ratio", {"errors": METRIC, "success": METRIC, "total": METRIC, "grouping": GROUPING}, required=("errors", "total")
)
RATIO_OF_SUCCESS = Fields("a ratio with 'success'", RATIO.known, one_of=(("errors", "total"),))
INDICATORS: dict[str, Shape] = {
    "ratio": Fields("a ratio", {}, open=True),  # its two forms are looked at apart
    "latency": Fields("a latency", {"success": METRIC, "total": METRIC, "grouping": GROUPING}, required=("success", "total")),
    "latencyNative": Fields(
        "a latencyNative", {"total": METRIC, "latency": LASTING, "grouping": GROUPING}, required=("total", "latency")
    ),
    "bool_gauge": Fields("a bool_gauge", {**METRIC.known, "grouping": GROUPING}, required=("metric",)),
}
"""Each kind of indicator; where there are several, Pyrra takes the first in this order."""

SEVERITIES = ("fastBurn", "mediumBurn", "slowBurn", "longTermBurn", "absent")
ALERTING = Fields(
    "alerting",
    {
        "disabled": SWITCH,
        "burnrates": SWITCH,
        "absent": SWITCH,
        "name": STRING,
        "absentName": STRING,
        "severities": Fields("severities", dict.fromkeys(SEVERITIES, STRING)),
    },
)
SPEC = Fields(
    "an SLO's spec",
    {
        "description": STRING,
        "target": Scalar("a percentage in quotes, such as '99.9',", types=(str,), accepts=_TARGET.fullmatch),
        "window": LASTING,
        "indicator": Fields("an indicator", INDICATORS, one_of=(tuple(INDICATORS),)),
        "alerting": ALERTING,
        "partial_response_strategy": choice("abort", "warn", ""),
        "performanceOverAccuracy": BOOLEAN,
        "ruleOutput": Fields(
            "ruleOutput", {"shortRulesLabels": LABELS, "longRulesLabels": LABELS, "enableDescriptionAsLabel": SWITCH}
        ),
    },
    required=("target", "window", "indicator"),
    renamed={"objective": "target", "goal": "target", "timeWindow": "window", "alerts": "alerting", "sli": "indicator"},
)
DOCUMENT = Fields(
    f"a {KIND} of Pyrra",
    {
        "apiVersion": ANYTHING,
        "kind": ANYTHING,
        "metadata": Fields(
            "metadata",
            {
                "name": Scalar("a name", types=(str,), accepts=str.strip),
                "generateName": STRING,
                "namespace": STRING,
                "labels": LABELS,
                "annotations": LABELS,
            },
            one_of=(("name", "generateName"),),
            growing=True,
        ),
        "spec": SPEC,
        "status": ANYTHING,
    },
    required=("apiVersion", "kind", "metadata", "spec"),
)


# --- Which documents are Pyrra's --------------------------------------------------------------------------------------


def read(source: Source) -> Iterator[Node | Fault]:
    """What Pyrra's objectives in a file say, and what is wrong with them."""
    ours: list[Tree] = []
    for tree, data in resources(source):
        if of_group(data, GROUP) or _means_pyrra(data):
            yield from _slo.wrong_kind(tree, data, "apiVersion", VERSION)
            yield from _slo.wrong_kind(tree, data, "kind", KIND)
            yield from shape.faults(tree, DOCUMENT, data)
            yield from _Objective(source, tree, data).read()
            if tree not in ours:
                ours.append(tree)
    for tree in source.trees:
        if isinstance(tree.data, dict) and tree.data.get("kind") is None and of_group(tree.data, GROUP):
            yield from shape.faults(tree, DOCUMENT)
            ours.append(tree)
    for tree in ours:
        yield from tree.faults


def _means_pyrra(data: dict[str, Any]) -> bool:
    """Whether a document without the group in its `apiVersion` can be nothing else."""
    return data["kind"] == KIND and "/" not in str(data.get("apiVersion")) and "indicator" in _slo.mapping(data, "spec")


# --- What a document says ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Tier:
    """One of the alerts that Pyrra generates: its windows and its `for` in minutes, for an SLO over 28 days."""

    severity: str
    default: str
    factor: int
    long: int
    short: int
    wait: int


TIERS = (
    Tier("fastBurn", "critical", 14, 60, 5, 2),
    Tier("mediumBurn", "critical", 7, 6 * 60, 30, 15),
    Tier("slowBurn", "warning", 2, 24 * 60, 2 * 60, 60),
    Tier("longTermBurn", "warning", 1, 4 * 24 * 60, 6 * 60, 3 * 60),
)
FOUR_WEEKS = 28 * 86400.0

SUMMED_RATE = "{sum}(rate({metric}[{window}]))"
QUERIES = {
    "ratio": (("errors", "bad", SUMMED_RATE), ("success", "good", SUMMED_RATE), ("total", "total", SUMMED_RATE)),
    "latency": (("success", "good", SUMMED_RATE), ("total", "total", SUMMED_RATE)),
    "latencyNative": (
        ("total", "good", f"histogram_fraction(0, {{limit}}, {SUMMED_RATE}) * histogram_count({SUMMED_RATE})"),
        ("total", "total", f"histogram_count({SUMMED_RATE})"),
    ),
    "bool_gauge": (
        ("", "good", "{sum}(sum_over_time({metric}[{window}]))"),
        ("", "total", "{sum}(count_over_time({metric}[{window}]))"),
    ),
}
"""What Pyrra evaluates for each kind of indicator: the key that the metric stands under, the role, the expression."""


class _Objective:
    """One document, being read."""

    def __init__(self, source: Source, tree: Tree, data: dict[str, Any]) -> None:
        self.settings = source.settings
        self.tree = tree
        self.metadata = _slo.mapping(data, "metadata")
        self.spec = _slo.mapping(data, "spec")
        indicators = _slo.mapping(self.spec, "indicator")
        self.kind = next((kind for kind in QUERIES if isinstance(indicators.get(kind), dict)), "")
        self.indicator = _slo.mapping(indicators, self.kind)
        self.latency = _duration(_slo.text(self.indicator, "latency") or "") if self.kind == "latencyNative" else None
        self.name = _slo.text(self.metadata, "name") or ""
        self.window = _duration(_slo.text(self.spec, "window") or "")
        self.objective = self.target()

    def read(self) -> Iterator[Node | Fault]:
        """The nodes, and the faults that no shape can tell."""
        yield from self.ratio()
        yield from self.short_window()
        for holder, role in self.metrics():
            yield from self.metric(holder, role)
        queries = self.queries()
        if queries:
            at = self.tree.at(_slo.mapping(self.spec, "indicator"), self.kind)
            yield Indicator(at=at, settings=self.settings, holder=f"SLO {self.name!r}", queries=queries, dialect="pyrra")
        if self.name:
            yield self.slo(queries)

    # Faults

    def ratio(self) -> Iterator[Fault]:
        """A ratio has errors and total; newer versions of Pyrra know of success in place of one of them."""
        ratio = _slo.mapping(self.spec, "indicator").get("ratio")
        if isinstance(ratio, dict):
            yield from shape.faults(self.tree, RATIO_OF_SUCCESS if "success" in ratio else RATIO, ratio)

    def short_window(self) -> Iterator[Fault]:
        """Pyrra rounds its shortest window to minutes, and generates `[0s]` where that leaves nothing."""
        if self.window is not None and _scaled(TIERS[0].short, self.window) is None:
            yield Fault(
                kind="wrong-value",
                at=self.tree.at(self.spec, "window"),
                message=f"window is {self.window.text!r}; Pyrra's shortest alert window rounds to 0s below 3d, "
                "which Prometheus refuses",
                hint="window: 28d",
            )

    def metrics(self) -> Iterator[tuple[dict[str, Any], str]]:
        """What holds each metric of the indicator, once, and the key that it stands under."""
        for key in dict.fromkeys(key for key, _, _ in QUERIES.get(self.kind, ())):
            yield (_slo.mapping(self.indicator, key) if key else self.indicator), key

    def metric(self, holder: dict[str, Any], key: str) -> Iterator[Fault]:
        """Pyrra takes apart a metric's name and its matchers, and refuses or drops whatever else there is."""
        metric = _slo.text(holder, "metric")
        if metric is None or (filled := _filled(metric)) is None:
            return
        if (wanted := _objection(filled, key, self.kind)) is not None:
            expected, hint = wanted
            shown = metric if len(metric) <= 60 else f"{metric[:57]}..."
            message = f"metric is {shown!r}; {expected}"
            yield Fault(kind="wrong-value", at=self.tree.at(holder, "metric"), message=message, hint=hint)

    # Nodes

    def target(self) -> Decimal | None:
        """The objective as a ratio."""
        written = self.target_text()
        return Decimal(written).scaleb(-2) if _TARGET.fullmatch(written) else None

    def target_text(self) -> str:
        return self.tree.spelling(self.spec, "target") if isinstance(self.spec.get("target"), (str, int, float)) else ""

    def queries(self) -> tuple[Query, ...]:
        """The queries that Pyrra makes of the metrics, each at the place of its metric."""
        grouping = [label for label in _list(self.indicator, "grouping") if isinstance(label, str)]
        total = f"sum by ({', '.join(sorted(set(grouping)))}) " if grouping else "sum"
        found: list[Query] = []
        for key, role, expression in QUERIES.get(self.kind, ()):
            holder = _slo.mapping(self.indicator, key) if key else self.indicator
            metric = _slo.text(holder, "metric")
            if metric is None or ("{limit}" in expression and self.latency is None):
                continue
            limit = f"{self.latency.seconds:g}" if self.latency is not None else ""
            query = self.query(holder, role, partial(_evaluated, expression, total, limit))
            if all((query.at, query.parsable) != (other.at, other.parsable) for other in found):  # a broken metric is said once
                found.append(query)
        return tuple(found)

    def query(self, holder: dict[str, Any], role: str, evaluated: partial[str]) -> Query:
        """One query. What is no metric stays as it is: there is nothing that Pyrra would evaluate."""
        metric = holder["metric"]
        filled = _filled(metric)
        fits = filled is not None and _is_single(filled) and not _MODIFIER.search(filled)
        return Query(
            at=self.tree.at(holder, "metric"),
            place=partial(self.tree.line_of, holder, "metric"),
            text=metric,
            language="promql",
            role=role,
            parsable=evaluated(filled, "5m") if fits else filled,
            windowed=partial(evaluated, metric) if fits and filled == metric else None,
        )

    def slo(self, queries: tuple[Query, ...]) -> Slo:
        """The SLO."""
        tree, spec = self.tree, self.spec
        labels = _slo.texts(tree, self.metadata, "labels")
        annotations = _slo.texts(tree, self.metadata, "annotations")
        alerting = self.alerting(labels, annotations)
        burn_rates = () if alerting.disabled else tuple(self.burn_rates(alerting))
        return Slo(
            at=tree.at(self.metadata, "name"),
            settings=self.settings,
            name=self.name,
            service=_slo.first_of(("service", "service_name"), labels),
            scope=_slo.text(self.metadata, "namespace") or "",
            dialect="pyrra",
            objective=self.objective,
            objective_text=self.target_text(),
            objective_unit="percent",
            objective_at=tree.at(spec, "target") if "target" in spec else self.at_spec(),
            window=self.window,
            window_at=tree.at(spec, "window") if "window" in spec else None,
            queries=queries,
            latency=self.latency or _slo.within(queries),
            owner=_slo.first_of(_slo.OWNER_KEYS, labels, annotations),
            runbook=_slo.first_of(_slo.RUNBOOK_KEYS, labels, annotations),
            dashboard=_slo.first_of(_slo.DASHBOARD_KEYS, labels, annotations),
            description=_slo.text(spec, "description") or "",
            labels=labels,
            annotations=annotations,
            alert_names=tuple(self.alert_names(alerting)),
            alerting=alerting,
            burn_rates=burn_rates,
        )

    def at_spec(self) -> Location:
        return self.tree.at(self.spec) if self.spec else self.tree.at(self.metadata, "name")

    def alerting(self, labels: Mapping[str, str], annotations: Mapping[str, str]) -> Alerting:
        """How Pyrra alerts: it does unless told otherwise."""
        given = _slo.mapping(self.spec, "alerting")
        common = AlertText(
            disabled=given.get("disabled") is True or given.get("burnrates") is False,
            labels={"slo": self.name, **_propagated(labels)},
            annotations=_propagated(annotations),
        )
        at = self.tree.at(self.spec, "alerting") if given else self.tree.at(self.metadata, "name")
        return Alerting(at=at, name=_slo.text(given, "name") or "ErrorBudgetBurn", common=common)

    def alert_names(self, alerting: Alerting) -> Iterator[str]:
        """What the generated alerts are called."""
        if not alerting.disabled:
            yield alerting.name
        given = _slo.mapping(self.spec, "alerting")
        if given.get("absent") is not False and self.kind != "latencyNative":
            yield _slo.text(given, "absentName") or "SLOMetricAbsent"

    def burn_rates(self, alerting: Alerting) -> Iterator[BurnRate]:
        """The four alerts, as far as the SLO's window leaves them time."""
        severities = _slo.mapping(_slo.mapping(self.spec, "alerting"), "severities")
        if self.window is None:
            return
        for tier in TIERS:
            yield BurnRate(
                at=alerting.at,
                settings=self.settings,
                holder=f"alert {alerting.name!r}",
                factor=Decimal(tier.factor),
                long=_scaled(tier.long, self.window),
                short=_scaled(tier.short, self.window),
                wait=_scaled(tier.wait, self.window),
                severity=_slo.text(severities, tier.severity) or tier.default,
                period=self.window,
                objective=self.objective,
            )


def _scaled(minutes: int, window: Duration) -> Duration | None:
    """A length of time that is meant for four weeks, in the proportion of the SLO's window, rounded to minutes."""
    rounded = int(minutes * window.seconds / FOUR_WEEKS + 0.5)
    return length(rounded * 60) if rounded else None


def _propagated(texts: Mapping[str, str]) -> dict[str, str]:
    return {key.removeprefix(PROPAGATED): value for key, value in texts.items() if key.startswith(PROPAGATED)}


def _evaluated(expression: str, total: str, limit: str, metric: str, window: str) -> str:
    """The PromQL that Pyrra evaluates over a window. A comment in the metric must not swallow what follows."""
    ended = f"{metric.strip()}\n" if "#" in metric else metric.strip()
    return expression.format(sum=total, limit=limit, metric=ended, window=window)


def _filled(metric: str) -> str | None:
    """The metric with its placeholders filled in: Pyrra knows none, but those who deploy it may."""
    from pytest_reliability.promql import parse, substitute, templated

    return substitute(metric) if templated(metric) and not parse(metric).valid else metric


_MODIFIER = re.compile(r"[\s})](?:offset\s|@)[^\"'`}]*$")
_ONE_SELECTOR = re.compile(r"[A-Za-z_:][\w:]*\{[^{}]*\}")
_MATCHER = r'[A-Za-z_]\w*\s*(?:!?=\s*"[^"\\\n]*"|[=!]~\s*"(?:[\w./|: -]|\.[*+])*")'
_PLAIN = re.compile(rf"\s*[A-Za-z_:][\w:]*\s*(?:\{{\s*(?:{_MATCHER}\s*(?:,\s*{_MATCHER}\s*)*,?\s*)?\}}\s*)?")
"""What most metrics look like, so that the parser need not be asked."""
_BOUND = re.compile(r'[{,]\s*le\s*=\s*"[0-9.]*[0-9]"')


def _is_single(metric: str) -> bool:
    """Whether it is a selector of series at one moment, and nothing around it."""
    if _PLAIN.fullmatch(metric):
        return True
    from pytest_reliability.promql import parse, selectors, walk

    tree = parse(metric).tree
    return tree is not None and len(list(walk(tree))) == 1 and bool(selectors(metric))


def _objection(metric: str, key: str, kind: str) -> tuple[str, str] | None:
    """What Pyrra expects in the place of a metric that it does not take, and a hint. Whether it is PromQL at all, SLO201 says."""
    from pytest_reliability.promql import parse, selectors

    if not _is_single(metric):
        if not parse(metric).valid:
            return None
        inner = _ONE_SELECTOR.findall(metric)
        hint = f"write {inner[0]}" if len(inner) == 1 else ""
        return "a single metric with its matchers is expected, to which Pyrra itself adds rate and sum", hint
    if _MODIFIER.search(metric):
        return "Pyrra drops 'offset' and '@' without a word", "remove them"
    if key in ("total", "") and metric.lstrip().startswith("{"):
        return "a metric's name before the braces is expected, without which Pyrra generates nothing", ""
    if (kind, key) != ("latency", "success") or _BOUND.search(metric):
        return None
    matchers = [matcher for selector in selectors(metric) for matcher in selector.matchers]
    if not any(matcher.label == "le" and _is_number(matcher.value) for matcher in matchers):
        return 'a matcher of le with a number is expected, such as le="0.5"', "name the bucket that is fast enough"
    return None


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _list(holder: Mapping[str, Any], key: str) -> list[Any]:
    value = holder.get(key)
    return value if isinstance(value, list) else []


FORMAT = Format(
    name="pyrra",
    files=r"\.(?:ya?ml|json)$",
    marker=rb"pyrra\.dev/v|" + KIND_IS + KIND.encode() + rb"\b",
    yields=(Slo, Indicator),
    read=read,
)
