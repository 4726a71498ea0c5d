"""Alerting and recording rules: files as Prometheus reads them, and Kubernetes resources that carry them.

* a file with `groups` of rules, as Prometheus, Thanos, Mimir, Cortex, Loki and VictoriaMetrics read them
* a `PrometheusRule`, `VMRule`, or a `Rules` of Google's managed Prometheus, by itself or in a `List`
* a text in a `ConfigMap` that is such a file

Each rule becomes an `Alert` or a `RecordingRule`; an alert on how fast an error budget burns becomes a `BurnRate` as well, for
each way in which it fires. Which `dialect` a file is in is configured, or told from the keys that only one of them has; a file
without any is Prometheus's. Unit tests of rules and Prometheus's own configuration are no rule files.

Names are refused only where every version refuses them: since Prometheus 3 almost any name is valid.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from pytest_reliability import shape
from pytest_reliability.contracts import Format
from pytest_reliability.documents import Source, Tree
from pytest_reliability.formats._burn_rates import burn_rates
from pytest_reliability.formats._kubernetes import of_group, resource_shape, resources
from pytest_reliability.formats._nested import nested
from pytest_reliability.formats._places import Places
from pytest_reliability.model.duration import Duration
from pytest_reliability.model.location import Location
from pytest_reliability.model.nodes import NO_PLACES, NO_TEXTS, Alert, BurnRate, Fault, Node, RecordingRule
from pytest_reliability.model.settings import Settings
from pytest_reliability.shape import ANYTHING, BOOLEAN, INTEGER, Entries, Fields, Items, Scalar, Shape, choice, or_nothing

# Compiled when first used: every start would pay for them.
_DURATION = r"0|(?:\d+y)?(?:\d+w)?(?:\d+d)?(?:\d+h)?(?:\d+m)?(?:\d+s)?(?:\d+ms)?"
_LOOSE_DURATION = r"0|-?(?:\d+(?:\.\d+)?(?:ms|[smhdwyi]))+"
DURATION = Scalar("a duration such as 5m or 1h30m", types=(str, int), accepts=partial(re.fullmatch, _DURATION), optional=True)
LOOSE_DURATION = Scalar(
    "a duration such as 5m or 1h30m", types=(str, int), accepts=partial(re.fullmatch, _LOOSE_DURATION), optional=True
)
EXPRESSION = Scalar("an expression", accepts=str.strip)
NAME = Scalar("a name", accepts=str.strip)
_METRIC = r"[^\s(){}\[\]\"'](?:[^(){}\[\]\"']*[^\s(){}\[\]\"'])?"
METRIC = Scalar("the name of a metric", accepts=partial(re.fullmatch, _METRIC))
LABEL_NAME = r"(?!__name__$).+"
LABELS = or_nothing(Entries(Scalar(optional=True), key=LABEL_NAME, expected="a label's name"), "a mapping")
STRICT_LABELS = or_nothing(
    Entries(Scalar("a text in quotes", types=(str,), optional=True), key=LABEL_NAME, expected="a label's name"), "a mapping"
)

GROUP_KEYS: Mapping[str, Mapping[str, Shape]] = {
    "thanos": {"partial_response_strategy": choice("abort", "warn", "ABORT", "WARN", "")},
    "mimir": {
        "source_tenants": or_nothing(Items(NAME), "a list"),
        "align_evaluation_time_on_interval": BOOLEAN,
        "evaluation_delay": DURATION,
        "remote_write": ANYTHING,
    },
    "victoriametrics": {
        "type": ANYTHING,
        "concurrency": INTEGER,
        "params": ANYTHING,
        "headers": ANYTHING,
        "notifier_headers": ANYTHING,
        "extra_filter_labels": ANYTHING,
        "eval_offset": LOOSE_DURATION,
        "eval_delay": LOOSE_DURATION,
        "eval_alignment": BOOLEAN,
        "tenant": ANYTHING,
        "debug": BOOLEAN,
    },
}
"""What each dialect allows in a group, beside what Prometheus does."""
RULE_KEYS: Mapping[str, Mapping[str, Shape]] = {"victoriametrics": {"debug": BOOLEAN, "update_entries_limit": INTEGER}}
"""What each dialect allows in a rule, beside what Prometheus does."""
RESOURCES: Mapping[str, tuple[tuple[str, ...], str]] = {
    "PrometheusRule": (("monitoring.coreos.com", "monitoring.rhobs"), "prometheus"),
    "VMRule": (("operator.victoriametrics.com",), "victoriametrics"),
    "Rules": (("monitoring.googleapis.com",), "prometheus"),
    "ClusterRules": (("monitoring.googleapis.com",), "prometheus"),
    "GlobalRules": (("monitoring.googleapis.com",), "prometheus"),
    "AlertingRule": (("loki.grafana.com",), "loki"),
    "RecordingRule": (("loki.grafana.com",), "loki"),
}
"""Kind of a resource → the groups of its `apiVersion`, and its dialect."""
_API_VERSIONS = {"PrometheusRule": "monitoring.coreos.com/v1", "VMRule": "operator.victoriametrics.com/v1beta1"}

_LOGQL = r"""(?x)
    \|[=~>]
  | \|\s*(?:json|logfmt|regexp|pattern|unpack|unwrap|line_format|label_format|decolorize|drop|keep|distinct)\b
  | \b(?:bytes_rate|bytes_over_time|rate_counter)\s*\("""
_STRINGS = r'"(?:\\.|[^"\\])*"|\'(?:\\.|[^\'\\])*\'|`[^`]*`'


def _shapes(dialect: str, labels: Shape) -> Fields:
    """The shape of a group of rules in a dialect."""
    duration = LOOSE_DURATION if dialect == "victoriametrics" else DURATION
    rule = Fields(
        "a rule",
        {
            "record": METRIC,
            "alert": NAME,
            "expr": EXPRESSION,
            "for": duration,
            "keep_firing_for": duration,
            "labels": labels,
            "annotations": labels,
            **RULE_KEYS.get(dialect, {}),
        },
        required=("expr",),
        one_of=(("record", "alert"),),
        renamed={"name": "alert", "expression": "expr", "query": "expr", "duration": "for", "annotation": "annotations"},
    )
    return Fields(
        "a group of rules",
        {
            "name": NAME,
            "interval": duration,
            "query_offset": duration,
            "limit": INTEGER,
            "labels": labels,
            "rules": or_nothing(Items(rule), "a list"),
            **GROUP_KEYS.get(dialect, {}),
        },
        required=("name",),
    )


DIALECTS = ("prometheus", "thanos", "mimir", "loki", "victoriametrics")
_FILES = {
    dialect: Fields("a rule file", {"groups": Items(_shapes(dialect, LABELS)), "namespace": NAME}, required=("groups",))
    for dialect in DIALECTS
}
_SPECS = {
    dialect: Fields("the rules", {"groups": or_nothing(Items(_shapes(dialect, STRICT_LABELS)), "a list")}, open=dialect == "loki")
    for dialect in DIALECTS
}


def read(source: Source) -> Iterator[Node | Fault]:
    """The rules in a file, and what is wrong with them."""
    for tree in source.trees:
        if isinstance(tree.data, dict) and _is_rule_file(tree.data):
            yield from _file(tree, source.settings)
    faulty: list[Tree] = []
    for tree, data in resources(source):
        if data["kind"] == "ConfigMap":
            yield from _config_map(tree, data, source.settings)
        elif _is_resource(data):
            yield from _resource(tree, data, source.settings)
            faulty += [tree] if tree not in faulty else []
    for tree in faulty:
        yield from tree.faults


def _is_rule_file(data: dict[str, Any]) -> bool:
    """Whether it is all about groups of rules. Other things have groups too, and alerts of Grafana's look much alike."""
    others = set(data) - {"groups", "namespace"}
    return len(others) <= 1 and "kind" not in data and any(_is_rule(rule) for group in _groups(data) for rule in _rules(group))


def _is_resource(data: dict[str, Any]) -> bool:
    groups, _ = RESOURCES.get(data["kind"], ((), ""))
    return of_group(data, *groups) or (data["kind"] in ("PrometheusRule", "VMRule") and bool(_groups(data.get("spec"))))


def _is_rule(rule: dict[str, Any]) -> bool:
    return "expr" in rule or ("alert" in rule) != ("record" in rule)


def _groups(data: Any) -> list[dict[str, Any]]:
    return _mappings(data.get("groups")) if isinstance(data, dict) else []


def _rules(group: dict[str, Any]) -> list[dict[str, Any]]:
    return _mappings(group.get("rules"))


def _mappings(values: Any) -> list[dict[str, Any]]:
    return [value for value in values if isinstance(value, dict)] if isinstance(values, list) else []


def _file(tree: Tree, settings: Settings) -> Iterator[Node | Fault]:
    dialect = _dialect(tree.data, settings, "mimir" if "namespace" in tree.data else "prometheus")
    yield from shape.faults(tree, _FILES[dialect])
    yield from _content(tree, tree.data, dialect, settings)
    yield from tree.faults


def _config_map(tree: Tree, data: dict[str, Any], settings: Settings) -> Iterator[Node | Fault]:
    texts = data.get("data")
    for key, text in texts.items() if isinstance(texts, dict) else ():
        if isinstance(text, str) and "groups" in text and re.search(_FILE_NAME, key):
            for inner in nested(tree, texts, key):
                if isinstance(inner.data, dict) and _is_rule_file(inner.data):
                    yield from _file(inner, settings)


def _resource(tree: Tree, data: dict[str, Any], settings: Settings) -> Iterator[Node | Fault]:
    kind = data["kind"]
    groups, dialect = RESOURCES[kind]
    dialect = _dialect(data.get("spec"), settings, dialect)
    if not of_group(data, *groups):
        message = f"the apiVersion of this {kind} is {data.get('apiVersion')!r}; one of {groups[0]} is expected"
        yield Fault(kind="wrong-kind", at=tree.at(data, "apiVersion"), message=message, hint=f"write {_API_VERSIONS[kind]}")
    yield from shape.faults(tree, resource_shape(f"a {kind}", _SPECS[dialect]), data)
    yield from _content(tree, data.get("spec"), dialect, settings)


def _dialect(data: Any, settings: Settings, usual: str) -> str:
    """The configured dialect, or the one whose keys or whose language is there, or the usual one."""
    if settings.dialect != "auto":
        return settings.dialect
    if usual in ("loki", "victoriametrics"):
        return usual
    groups = _groups(data)
    rules = [rule for group in groups for rule in _rules(group)]
    if any(_is_logql(rule["expr"]) for rule in rules if isinstance(rule.get("expr"), str)):
        return "loki"
    of_groups = {key for group in groups for key in group}
    of_rules = {key for rule in rules for key in rule}
    for dialect in DIALECTS:
        if not of_groups.isdisjoint(GROUP_KEYS.get(dialect, ())) or not of_rules.isdisjoint(RULE_KEYS.get(dialect, ())):
            return dialect
    return usual


def _is_logql(expr: str) -> bool:
    return re.search(_LOGQL, expr) is not None and re.search(_LOGQL, re.sub(_STRINGS, '""', expr)) is not None


def _content(tree: Tree, data: Any, dialect: str, settings: Settings) -> Iterator[Node | Fault]:
    seen: set[Any] = set()
    for group in _groups(data):
        name = group.get("name")
        if isinstance(name, str) and name in seen:
            message = f"a group called {name!r} stands above already; names of groups are unique in a file"
            yield Fault(kind="wrong-value", at=tree.at(group, "name"), message=message, hint="rename one of them, or join them")
        seen.add(name if isinstance(name, str) else None)
        for rule in _rules(group):
            yield from _rule(tree, rule, str(name or ""), dialect, settings)


_ALERTS_ONLY = ("for", "keep_firing_for", "annotations")


def _rule(tree: Tree, rule: dict[str, Any], group: str, dialect: str, settings: Settings) -> Iterator[Node | Fault]:
    kind = "alert" if "alert" in rule else "record"
    if kind == "record" and "record" in rule:
        for key in _ALERTS_ONLY:
            if rule.get(key) not in (None, "", 0, "0", {}):
                message = f"{key!r} is for alerts; this is a recording rule"
                yield Fault(kind="conflicting-fields", at=tree.key_at(rule, key), message=message, hint=f"remove {key}")
    expr = rule.get("expr")
    if not _is_text(rule.get(kind)) or not _is_text(expr):
        return
    labels = rule.get("labels")
    common: dict[str, Any] = {
        "at": tree.at(rule, kind),
        "settings": settings,
        "name": tree.spelling(rule, kind),
        "expr": expr if isinstance(expr, str) else tree.spelling(rule, "expr"),
        "expr_at": tree.at(rule, "expr"),
        "place": partial(tree.line_of, rule, "expr"),
        "group": group,
        "labels": _texts(tree, labels),
        "labels_at": _places(tree, labels),
        "dialect": dialect,
    }
    if kind == "record":
        yield RecordingRule(**common)
        return
    notes = rule.get("annotations")
    alert = Alert(**common, wait=_wait(tree, rule), annotations=_texts(tree, notes), annotations_at=_places(tree, notes))
    yield alert
    yield from burn_rates(alert)


def _is_text(value: Any) -> bool:
    return bool(value.strip()) if isinstance(value, str) else isinstance(value, (int, float))


def _wait(tree: Tree, rule: dict[str, Any]) -> Duration | None:
    if not _is_text(rule.get("for")):
        return None
    text = tree.spelling(rule, "for").strip()
    try:
        return Duration(0.0, text) if text == "0" else Duration.parse(text)
    except ValueError:
        return None


def _texts(tree: Tree, values: Any) -> Mapping[str, str]:
    if not isinstance(values, dict):
        return NO_TEXTS
    return {
        key: value if isinstance(value, str) else tree.spelling(values, key) for key, value in values.items() if _is_scalar(value)
    }


def _is_scalar(value: Any) -> bool:
    return isinstance(value, (str, int, float))


def _places(tree: Tree, values: Any) -> Mapping[str, Location]:
    return Places(tree, values) if isinstance(values, dict) else NO_PLACES


_FILE_NAME = r"\.(?:ya?ml|rules?|json)$"
FORMAT = Format(
    name="prometheus",
    files=r"\.(?:ya?ml|json|rules?)$",
    marker=rb"\b(?:alert|record|expr)[\"']?\s*:",
    yields=(Alert, RecordingRule, BurnRate),
    read=read,
)
