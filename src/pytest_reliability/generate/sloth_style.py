"""Rules as Sloth generates them, so that a repository can change tools without changing a rule.

The same records, labels and floating-point figures as Sloth's own. Of Sloth's plugins these are known: those of its core, the
ones for VictoriaMetrics, for labels of the info metric, for intervals and for corrected denominators, and SLI plugins that are no
more than a template, which stands in a file named `<id>.sli.tmpl`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from pytest_reliability.generate.options import Options
from pytest_reliability.generate.ratio import Over, error_ratio, over_window
from pytest_reliability.generate.rules import (
    Group,
    Rule,
    alert_name,
    objective_of,
    period_of,
    prometheus_rule,
    quoted,
    windows_of,
)
from pytest_reliability.generate.templates import NoRulesError, over_template
from pytest_reliability.generate.windows import DAY, HOUR, spelled
from pytest_reliability.model.graph import Graph
from pytest_reliability.model.nodes import AlertText, BurnRate, Origin, Plugin, Query, Slo

RATIO = "slo:sli_error:ratio_rate"
BUDGET = "slo:error_budget:ratio"
PERIOD_BURN = "slo:period_burn_rate:ratio"
INFO = "sloth_slo_info"
CORRECTION = "slo:numerator_correction:ratio"

MODES = {"sloth.slok.dev/v1": "cli-gen-k8s", "openslo/v1alpha": "cli-gen-openslo"}
VERSION = "dev"
"""What Sloth calls itself where it is no release."""

GOOGLE = (
    ("page", 2.0, 300, HOUR), ("page", 5.0, 1800, 6 * HOUR), ("ticket", 10.0, 2 * HOUR, DAY), ("ticket", 10.0, 6 * HOUR, 3 * DAY),
)  # fmt: skip
"""Severity, percentage of the budget, short and long window: what Sloth knows for 28 and for 30 days."""


@dataclass(frozen=True, slots=True)
class Burn:
    """One pair of windows with its burn rate."""

    severity: str
    factor: float
    short: int
    long: int


def burns_of(graph: Graph, slo: Slo, options: Options) -> list[Burn]:
    """The burn rates that Sloth alerts on, in its order: page before ticket, the quick one first. Raises NoRulesError."""
    period = period_of(slo, options)
    windows = _custom(windows_of(graph, options), period) if options.windows else GOOGLE if period in (28 * DAY, 30 * DAY) else ()
    if not windows:
        raise NoRulesError(f"Sloth knows no alert windows for {spelled(int(period))}; name a file that has them: --windows PATH")
    hours = period / HOUR
    return [Burn(severity, share * hours / 100 / (long / HOUR), short, long) for severity, share, short, long in windows]


def _custom(rates: Iterable[BurnRate], period: float) -> list[tuple[str, float, int, int]]:
    return [
        (rate.severity, float(rate.budget * 100), int(rate.short.seconds), int(rate.long.seconds))
        for rate in rates
        if rate.period and rate.period.seconds == period and rate.budget and rate.long and rate.short
    ]


def documents(graph: Graph, slos: Iterable[Slo], options: Options) -> tuple[list[dict[str, Any]], list[tuple[Slo, str]]]:
    """What Sloth writes for the SLOs of one file, a document for each of its documents; and (SLO, reason) of those without."""
    found, skipped = [], []
    for _, together in groupby(slos, key=lambda slo: slo.origin.number if slo.origin else 0):
        whole, groups = list(together), []
        for index, slo in enumerate(whole):
            try:
                groups += _Sloth(graph, slo, index, options).groups()
            except NoRulesError as reason:
                skipped.append((slo, str(reason)))
        if groups:
            found.append(_document(whole[0].origin, groups, options))
    return found, skipped


def _document(origin: Origin | None, groups: list[Group], options: Options) -> dict[str, Any]:
    if not is_resource(origin, options):
        return {"groups": groups}
    labels = {"app.kubernetes.io/component": "SLO", "app.kubernetes.io/managed-by": "sloth"}
    if origin is None:
        return prometheus_rule("slos", groups, labels)
    rule = prometheus_rule(origin.name or "slos", groups, {**labels, **origin.labels})
    if origin.namespace:
        rule["metadata"]["namespace"] = origin.namespace
    if origin.annotations:
        rule["metadata"]["annotations"] = dict(origin.annotations)
    return rule


def is_resource(origin: Origin | None, options: Options) -> bool:
    """Whether the rules are written as a resource for the Prometheus operator; those of such a resource are."""
    kubernetes = origin is not None and origin.version == "sloth.slok.dev/v1"
    return options.form == "prometheusrule" or (kubernetes and not options.form)


class _Sloth:
    """The rules of one SLO, being made; `index` is its place among those of its document."""

    def __init__(self, graph: Graph, slo: Slo, index: int, options: Options) -> None:
        self.graph = graph
        self.slo = slo
        self.options = options
        self.openslo = slo.dialect == "openslo"
        self.origin = slo.origin or Origin(version="prometheus/v1")
        self.period = int(period_of(slo, options))
        self.burns = burns_of(graph, slo, options)
        self.objective = percentage(slo)
        self.service, self.name, self.id = identity(graph, slo, index)
        self.labels = {**slo.labels, **options.labels} if not self.openslo else dict(options.labels)
        self.ids = {"sloth_id": self.id, "sloth_service": self.service, "sloth_slo": self.name}
        self.selector = "{" + ", ".join(f"{key}={quoted(value)}" for key, value in sorted(self.ids.items())) + "}"

    def groups(self) -> list[Group]:
        """The three groups of rules, of which the empty ones are left out."""
        made = {
            "sli-recordings": {"rules": self.recordings() if self.options.recordings and self.does("sli_rules") else []},
            "meta-recordings": {"rules": self.metadata() if self.options.recordings and self.does("metadata_rules") else []},
            "alerts": {"rules": self.alerts() if self.options.alerts and self.does("alert_rules") else []},
        }
        for plugin in sorted(self.origin.plugins, key=lambda plugin: plugin.priority):
            self.apply(plugin, made)
        return [{"name": f"sloth-slo-{kind}-{self.id}", **group} for kind, group in made.items() if group["rules"]]

    def does(self, name: str) -> bool:
        """Whether a plugin of the core is at work: always, unless others replace the core."""
        return not self.origin.replaced or any(plugin.id == f"sloth.dev/core/{name}/v1" for plugin in self.origin.plugins)

    def apply(self, plugin: Plugin, made: dict[str, Group]) -> None:
        """What a plugin makes of the rules; the core's own have been here already."""
        if plugin.id in CORE:
            return
        if plugin.id == CORRECTED:
            self.correct(made)
            return
        if plugin.id not in PLUGINS:
            raise NoRulesError(f"its plugin {plugin.id!r} is code that is not here")
        if plugin.priority >= 0:  # what one does before the core's own is overwritten by these
            PLUGINS[plugin.id](plugin.options, made)

    # Recordings

    def recordings(self) -> list[Rule]:
        expr = self.expression()
        windows = sorted({length for burn in self.burns for length in (burn.short, burn.long)})
        first = f"{RATIO}{_spelled(self.burns[0].short)}{self.selector}[{_spelled(self.period)}]"
        whole = f"sum_over_time({first})\n/ ignoring (sloth_window)\ncount_over_time({first})\n"
        return [self.record(window, expr(_spelled(window))) for window in windows] + [self.record(self.period, whole)]

    def record(self, window: int, expr: str) -> Rule:
        labels = {**self.ids, "sloth_window": _spelled(window), **self.labels}
        return {"record": RATIO + _spelled(window), "expr": expr, "labels": _sorted(labels)}

    def expression(self) -> Over:
        """The share of errors over a window, spelt as Sloth spells it."""
        if self.origin.indicator is not None:
            template = over_template(self.graph, self.origin.indicator)
            return lambda window: f"({template(window)})"
        if not self.origin.replaced:  # then nobody wants PromQL
            error_ratio(self.graph, self.slo)
        queries = {query.role: query for query in self.graph.queries_of(self.slo)}
        if "bad" in queries and "total" in queries:
            bad, total = _as_written(queries["bad"]), _as_written(queries["total"])
            return lambda window: f"({bad(window)})\n/\n({total(window)})\n"
        if "good" in queries and "total" in queries:
            good, total = _as_written(queries["good"]), _as_written(queries["total"])
            return lambda window: (
                f"(\n  1 - (\n    (\n      {good(window)}\n    )\n    /\n    (\n      {total(window)}\n    )\n  )\n)"
            )
        if "ratio" in queries and queries["ratio"].ratio_of == "bad":
            ratio = _as_written(queries["ratio"])
            return lambda window: f"({ratio(window)})"
        measured = error_ratio(self.graph, self.slo)
        return lambda window: f"({measured.ratio(window)})"

    def correct(self, made: dict[str, Group]) -> None:
        """What the plugin for few requests does: errors count the more, the more requests there are than usual."""
        queries = {query.role: query for query in self.graph.queries_of(self.slo)}
        if "bad" not in queries or "total" not in queries:
            raise NoRulesError(f"its plugin {CORRECTED!r} wants the queries of errors and of all events")
        bad, total = _as_written(queries["bad"]), _as_written(queries["total"])
        for rule in made["sli-recordings"]["rules"][:-1]:
            window = rule["labels"]["sloth_window"]
            share = f"{CORRECTION}{window}"
            rule["expr"] = f"(\n{share}{self.selector}\n* on()\n{bad(window)}\n)\n/\n({total(window)})\n"
            whole = f"({total(window)})/({total(_spelled(self.period))})"
            labels = _sorted({**self.ids, **self.labels})
            made["meta-recordings"]["rules"].append({"record": share, "expr": whole, "labels": labels})

    def metadata(self) -> list[Rule]:
        ratio = _go(self.objective / 100)
        now, whole = (f"{RATIO}{_spelled(window)}{self.selector}" for window in (self.burns[0].short, self.period))
        per_budget = f"\n/ on(sloth_id, sloth_slo, sloth_service) group_left\n{BUDGET}{self.selector}\n"
        rules = {
            "slo:objective:ratio": f"vector({ratio})",
            BUDGET: f"vector(1-{ratio})",
            "slo:time_period:days": f"vector({_go(self.period / DAY)})",
            "slo:current_burn_rate:ratio": now + per_budget,
            PERIOD_BURN: whole + per_budget,
            "slo:period_error_budget_remaining:ratio": f"1 - {PERIOD_BURN}{self.selector}",
            INFO: "vector(1)",
        }
        labels = {**self.ids, **self.labels}
        info = {
            "sloth_version": VERSION,
            "sloth_mode": MODES.get(self.origin.version, "cli-gen-prom"),
            "sloth_spec": self.origin.version,
            "sloth_objective": _go(self.objective),
        }
        return [
            {"record": name, "expr": expr, "labels": _sorted({**labels, **info} if name == INFO else labels)}
            for name, expr in rules.items()
        ]

    # Alerts

    def alerts(self) -> list[Rule]:
        if self.openslo:
            return []
        return [self.alert(severity, text) for severity, text in texts(self.slo).items() if not text.disabled]

    def alert(self, severity: str, text: AlertText) -> Rule:
        burns = [burn for burn in self.burns if burn.severity == severity]
        subject = "{{$labels.sloth_service}} {{$labels.sloth_slo}}"
        annotations = {
            "title": f"({severity}) {subject} SLO error budget burn rate is too fast.",
            "summary": f"{subject} SLO error budget burn rate is over expected.",
        }
        return {
            "alert": alert_name(self.slo, severity),
            "expr": "or\n".join(map(self.condition, burns)),
            "labels": _sorted({"sloth_severity": severity, **text.labels}),
            "annotations": _sorted({**annotations, **text.annotations}),
        }

    def condition(self, burn: Burn) -> str:
        limit = f"({_go(burn.factor)} * {_go((100 - self.objective) / 100)})"
        short, long = (
            f"    max({RATIO}{_spelled(window)}{self.selector} > {limit}) without (sloth_window)\n"
            for window in (burn.short, burn.long)
        )
        return f"(\n{short}    and\n{long})\n"


def texts(slo: Slo) -> dict[str, AlertText]:
    """What an SLO says of its two alerts, with what it says of both."""
    said = slo.alerting
    if said is None:
        return {"page": AlertText(), "ticket": AlertText()}
    return {
        severity: AlertText(
            disabled=said.common.disabled or own.disabled,
            labels={**said.common.labels, **own.labels},
            annotations={**said.common.annotations, **own.annotations},
        )
        for severity, own in (("page", said.page), ("ticket", said.ticket))
    }


def identity(graph: Graph, slo: Slo, index: int) -> tuple[str, str, str]:
    """Service, name and id of an SLO. Of OpenSLO's, Sloth numbers the objectives of one document. Raises NoRulesError."""
    service = slo.service
    if service is None:
        known = graph.service_of(slo)
        service = known.name if known else None
    if not service:
        raise NoRulesError("it names no service")
    name = f"{slo.origin.name}-{index}" if slo.dialect == "openslo" and slo.origin and slo.origin.name else slo.name
    return service, name, f"{service}-{name}"


def percentage(slo: Slo) -> float:
    """The objective in percent, with the same last digits as Sloth's: OpenSLO's ratios are multiplied."""
    objective = objective_of(slo)
    return float(objective) * 100 if slo.dialect == "openslo" else float(objective * 100)


def _as_written(query: Query) -> Over:
    """The query with the window filled in and nothing else changed, not even white space at its end."""
    return query.windowed or over_window(query)


def _spelled(seconds: int) -> str:
    return spelled(seconds, weeks=True)


def _go(number: float) -> str:
    """A number as Go prints it."""
    return repr(number).removesuffix(".0")


def _sorted(texts: Mapping[str, str]) -> dict[str, str]:
    return dict(sorted(texts.items()))


# Plugins

CORRECTED = "sloth.dev/contrib/denominator_corrected_rules/v1"
CORE = frozenset(
    {
        *(f"sloth.dev/core/{name}/v1" for name in ("sli_rules", "metadata_rules", "alert_rules", "validate", "debug", "noop")),
        "sloth.dev/contrib/validate_victoria_metrics/v1",
    }
)
"""What Sloth always does, what changes nothing, and what only validates."""


def _info_labels(options: Mapping[str, Any], made: dict[str, Group]) -> None:
    name, labels = options.get("metricName") or INFO, options.get("labels")
    for rule in made["meta-recordings"]["rules"]:
        if rule["record"] == name and isinstance(labels, Mapping):
            rule["labels"] = _sorted({**rule["labels"], **{key: str(value) for key, value in labels.items()}})
            return


def _intervals(options: Mapping[str, Any], made: dict[str, Group]) -> None:
    said = options.get("interval")
    if isinstance(said, Mapping):
        for kind, key in (("sli-recordings", "sliError"), ("meta-recordings", "metadata"), ("alerts", "alert")):
            if interval := said.get(key) or said.get("default"):
                made[kind] = {"interval": interval, **made[kind]}


PLUGINS: Mapping[str, Callable[[Mapping[str, Any], dict[str, Group]], None]] = {
    "sloth.dev/contrib/info_labels/v1": _info_labels,
    "sloth.dev/contrib/rule_intervals/v1": _intervals,
}
"""What can be done to rules without running anybody's code."""
