"""Rule files in every dialect, the resources that carry them, and what monitors a service."""

from __future__ import annotations

import json
import shutil
import subprocess
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_reliability.documents import Source, Unreadable
from pytest_reliability.formats import kubernetes, prometheus
from pytest_reliability.formats._nested import nested
from pytest_reliability.model.duration import Duration
from pytest_reliability.model.location import Location
from pytest_reliability.model.nodes import Alert, Fault, Monitor, RecordingRule, Rule
from pytest_reliability.model.settings import DEFAULTS


def read(text, *, path="rules.yaml", settings=DEFAULTS):
    """Everything that the reader yields for a file."""
    return list(prometheus.FORMAT.read(Source(path, text.encode(), settings)))


def rules(text, **more):
    """The rules in a file."""
    return [node for node in read(text, **more) if isinstance(node, Rule)]


def faults(text, **more):
    """(kind, line, message) of each fault."""
    return [(node.kind, node.at.line, node.message) for node in read(text, **more) if isinstance(node, Fault)]


def group(*lines, head=()):
    """A rule file with one group; `lines` are those of its rules, `head` further lines of the group."""
    return "\n".join(
        ["groups:", "  - name: shop", *(f"    {line}" for line in head), "    rules:", *(f"      {line}" for line in lines)]
    )


# --- What a rule says

FILE = """\
groups:
  - name: shop
    interval: 30s
    rules:
      - alert: CheckoutDown
        expr: |
          up{job="checkout"}
            == 0
        for: 5m
        labels:
          severity: critical
          tier: 1
          nothing:
          odd: [a]
        annotations:
          summary: "{{ $labels.instance }} is down"
      - record: job:up:sum
        expr: sum by (job) (up)
"""


def test_an_alert_is_read_with_all_that_it_says():
    """Checks live on these fields."""
    found = rules(FILE)[0]
    assert isinstance(found, Alert)
    assert ("CheckoutDown", 'up{job="checkout"}\n  == 0\n', "shop") == (found.name, found.expr, found.group)
    assert Duration(300.0, "5m") == found.wait
    assert {"severity": "critical", "tier": "1"} == found.labels
    assert {"summary": "{{ $labels.instance }} is down"} == found.annotations
    assert ("critical", True, "prometheus") == (found.severity, found.pages, found.dialect)


def test_everything_has_its_place():
    """A finding points at the very characters."""
    found = rules(FILE)[0]
    assert Location("rules.yaml", 5, 16, 12) == found.at
    assert (6, 15) == (found.expr_at.line, found.expr_at.column)
    assert Location("rules.yaml", 11, 21, 8) == found.labels_at["severity"]
    assert (16, 20) == (found.annotations_at["summary"].line, found.annotations_at["summary"].column)
    assert found.place is not None
    assert (8, 13) == (found.place(21).line, found.place(21).column)


def test_places_are_a_mapping_like_others():
    """What is not there has no place."""
    found = rules(FILE)[0].labels_at
    assert ["severity", "tier", "nothing", "odd"] == list(found)
    assert 4 == len(found)
    with pytest.raises(KeyError, match="team"):
        found["team"]


def test_a_recording_rule_is_read():
    """Its name is what it stores."""
    found = rules(FILE)[1]
    assert isinstance(found, RecordingRule)
    assert ("job:up:sum", "sum by (job) (up)", {}, {}) == (found.name, found.expr, found.labels, found.labels_at)


def test_expressions_and_names_may_look_like_numbers():
    """YAML calls 1 a number; Prometheus reads text."""
    (found,) = rules(group("- alert: 404", "  expr: 1"))
    assert ("404", "1") == (found.name, found.expr)


@pytest.mark.parametrize(
    ("text", "wait"), [("0", Duration(0.0, "0")), ("1h30m", Duration(5400.0, "1h30m")), ("soon", None), ("[]", None)]
)
def test_how_long_an_alert_waits(text, wait):
    """What cannot be read is none; that it is wrong is a fault."""
    assert wait == rules(group("- alert: A", "  expr: up", f"  for: {text}"))[0].wait


# --- What is a rule file


@pytest.mark.parametrize(
    "text",
    [
        "rule_files: [rules.yml]\ntests:\n  - promql_expr_test:\n      - expr: up\n",
        "global: {}\nrule_files: [a.yml]\nscrape_configs: []\n",
        "groups: [admin, users]\nexpr: up\n",
        "groups:\n  - name: a\n    expr: up\n",
        "groups: {name: a}\nexpr: up\n",
        "apiVersion: 1\ngroups:\n  - name: a\n    rules:\n      - uid: x\n        data: [{model: {expr: up}}]\n",
        "a: 1\nb: 2\ngroups:\n  - name: a\n    rules:\n      - alert: A\n        expr: up\n",
        "kind: Other\ngroups:\n  - name: a\n    rules:\n      - alert: A\n        expr: up\n",
        "- expr: up\n",
        "kind: PrometheusRule\nspec: {}\n",
        "kind: RecordingRule\napiVersion: example.com/v1\nspec:\n  groups:\n    - name: a\n      rules: [{record: a, expr: b}]\n",
        "kind: [PrometheusRule]\nexpr: up\n",
    ],
)
def test_other_files_are_left_alone(text):
    """Unit tests, Prometheus's configuration, Grafana's alerts and everything else that has groups."""
    assert [] == read(text)


RESOURCE = """\
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata:
  name: shop
spec:
  groups:
    - name: shop
      rules:
        - alert: A
          expr: up == 0
"""


def test_a_resource_is_read_alone_in_a_list_and_among_others():
    """kubectl writes lists, people write several documents into a file."""
    listed = "kind: List\nitems:\n  - kind: Service\n  - " + RESOURCE.replace("\n", "\n    ")
    assert ["A"] == [rule.name for rule in rules(RESOURCE)]
    assert ["A"] == [rule.name for rule in rules(listed)]
    assert ["A", "A"] == [rule.name for rule in rules(f"kind: Service\n---\n{RESOURCE}---\n{RESOURCE}")]
    assert [] == faults(listed)


@pytest.mark.parametrize(
    ("kind", "version", "dialect"),
    [
        ("PrometheusRule", "monitoring.rhobs/v1", "prometheus"),
        ("VMRule", "operator.victoriametrics.com/v1beta1", "victoriametrics"),
        ("ClusterRules", "monitoring.googleapis.com/v1", "prometheus"),
        ("AlertingRule", "loki.grafana.com/v1", "loki"),
    ],
)
def test_relatives_are_read_too(kind, version, dialect):
    """They carry the same groups in other wrappings."""
    text = RESOURCE.replace("PrometheusRule", kind).replace("monitoring.coreos.com/v1", version)
    assert [("A", dialect)] == [(rule.name, rule.dialect) for rule in rules(text)]
    assert [] == faults(text)


def test_a_resource_of_a_version_without_its_group_is_told():
    """Kubernetes would not know the kind."""
    message = "the apiVersion of this PrometheusRule is 'v1'; one of monitoring.coreos.com is expected"
    text = RESOURCE.replace("monitoring.coreos.com/v1", "v1")
    assert [("wrong-kind", 1, message)] == faults(text)
    assert ["A"] == [rule.name for rule in rules(text)]


def test_duplicate_keys_of_a_resource_are_told_once():
    """A list of rules is one document."""
    item = "  - " + RESOURCE.replace("\n", "\n    ").rstrip(" ")
    text = f"kind: List\nkind: List\nitems:\n{item}{item}"
    assert ["duplicate-key"] == [kind for kind, _, _ in faults(text)]


CONFIG_MAP = """\
kind: ConfigMap
data:
  notes.txt: "groups: none"
  other.yaml: "groups: [a]"
  shop.rules: |
    groups:
      - name: shop
        rules:
          - alert: A
            expr: up ==
            anotations: {}
"""


def test_a_text_in_a_config_map_is_read_in_its_place():
    """Places are those of the file around it."""
    (found,) = rules(CONFIG_MAP)
    assert ("A", 9, 20) == (found.name, found.at.line, found.at.column)
    assert found.place is not None
    assert (10, 22) == (found.place(3).line, found.place(3).column)
    assert [("unknown-key", 11, "'anotations' is not a key of a rule, so it is not read")] == faults(CONFIG_MAP)


def test_a_broken_text_in_a_config_map_is_unreadable_in_its_place():
    """Silence would look like no alerts."""
    with pytest.raises(Unreadable) as caught:
        read(CONFIG_MAP.replace("- alert: A", "- alert: 'A"))
    assert "shop.rules: " in caught.value.reason
    assert 9 <= caught.value.at.line <= 11


# --- What is wrong

A_DURATION = "a duration such as 5m or 1h30m is expected"


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (["- alert: A"], ("missing-field", 4, "a rule has no 'expr'")),
        (["- expr: up"], ("missing-field", 4, "a rule has neither record nor alert")),
        (["- alert: A", "  record: b", "  expr: up"],
         ("conflicting-fields", 4, "a rule has 'record' and 'alert', which exclude each other")),
        (["- alert: A", "  expr: ''"], ("wrong-value", 5, "expr is ''; an expression is expected")),
        (["- alert: A", "  expr: up", "  for: 5 minutes"], ("wrong-value", 6, f"for is '5 minutes'; {A_DURATION}")),
        (["- alert: A", "  expr: up", "  for: 5"], ("wrong-value", 6, f"for is '5'; {A_DURATION}")),
        (["- alert: A", "  expr: up", "  for: 30m1h"], ("wrong-value", 6, f"for is '30m1h'; {A_DURATION}")),
        (["- alert: A", "  expr: up", "  severity: x"],
         ("unknown-key", 6, "'severity' is not a key of a rule, so it is not read")),
        (["- alert: A", "  expr: up", "  labels: {__name__: x}"],
         ("wrong-value", 6, "'__name__' cannot be a key of labels: a label's name is expected")),
        (["- alert: A", "  expr: up", "  labels: {a: [b]}"], ("wrong-value", 6, "a is a list; a text is expected")),
        (["- alert: A", "  expr: up", "  annotations: x"], ("wrong-value", 6, "annotations is 'x'; a mapping is expected")),
        (["- record: a{b}", "  expr: up"], ("wrong-value", 4, "record is 'a{b}'; the name of a metric is expected")),
        (["- record: rate(up)", "  expr: up"], ("wrong-value", 4, "record is 'rate(up)'; the name of a metric is expected")),
        (["- record: a", "  expr: up", "  for: 5m"], ("conflicting-fields", 6, "'for' is for alerts; this is a recording rule")),
        (["- record: a", "  expr: up", "  annotations: {b: c}"],
         ("conflicting-fields", 6, "'annotations' is for alerts; this is a recording rule")),
        (["- record: a", "  expr: up", "  expr: down"],
         ("duplicate-key", 6, "key 'expr' is given twice, first on line 5; only the last value is read")),
        (["- up"], ("wrong-value", 4, "rules[0] is 'up'; a rule (a mapping) is expected")),
    ],
)  # fmt: skip
def test_what_prometheus_refuses_is_told(lines, expected):
    """A file with one of these is not loaded at all."""
    text = group(*lines, *(["- alert: Z", "  expr: up"] if lines == ["- up"] else []))
    assert expected in faults(text)


@pytest.mark.parametrize(
    "lines",
    [
        ["- alert: A", "  expr: up", "  for: 0", "  keep_firing_for: 1w2d", "  labels:", "  annotations:"],
        ["- alert: A b", "  expr: up", "  labels: {instance-name: x, 数: y, empty: }"],
        ["- record: job-name:up", "  expr: 1"],
        ["- record: my.metric", "  expr: 1", "  for:", "  annotations: {}"],
    ],
)
def test_what_some_version_accepts_is_not_told(lines):
    """Since Prometheus 3 names may have almost any character."""
    assert [] == faults(group(*lines))


def test_names_of_groups_are_unique_in_a_file():
    """Prometheus refuses a file with two groups of one name."""
    text = group("- alert: A", "  expr: up") + "\n  - name: shop\n  - {}\n  - {}\n"
    assert ("wrong-value", 6, "a group called 'shop' stands above already; names of groups are unique in a file") in faults(text)
    assert 3 == len(faults(text))


def test_keys_at_the_top_are_told():
    """Prometheus knows only groups."""
    text = "x-common: &a {severity: page}\n" + group("- alert: A", "  expr: up", "  labels: *a")
    assert [("unknown-key", 1, "'x-common' is not a key of a rule file, so it is not read")] == faults(text)


def test_kubernetes_wants_texts_in_quotes():
    """A label that looks like a number is refused there, and accepted in a file."""
    lines = "          labels:\n            tier: 1\n"
    assert [("wrong-value", 12, "tier is '1'; a text in quotes is expected")] == faults(RESOURCE + lines)
    assert [] == faults(group("- alert: A", "  expr: up", "  labels: {tier: 1}"))


# --- Dialects


@pytest.mark.parametrize(
    ("head", "dialect"),
    [
        ("limit: 5", "prometheus"),
        ("partial_response_strategy: warn", "thanos"),
        ("source_tenants: [a]", "mimir"),
        ("concurrency: 2", "victoriametrics"),
    ],
)
def test_a_dialect_is_told_from_the_keys_that_only_it_has(head, dialect):
    """Its keys are then right, and those of others wrong."""
    text = group("- alert: A", "  expr: up", head=[head])
    assert [dialect] == [rule.dialect for rule in rules(text)]
    assert [] == faults(text)
    other = group(
        "- alert: A", "  expr: up", head=[head, "eval_delay: 1s" if dialect != "victoriametrics" else "source_tenants: []"]
    )
    assert (["unknown-key"] if dialect != "prometheus" else []) == [kind for kind, _, _ in faults(other)] or dialect == "mimir"


def test_a_dialect_is_told_from_a_rule_from_the_namespace_and_from_the_language():
    """Loki's files have no keys of their own, but LogQL is not to be mistaken."""
    assert "victoriametrics" == rules(group("- alert: A", "  expr: up", "  debug: true"))[0].dialect
    assert "mimir" == rules("namespace: shop\n" + group("- alert: A", "  expr: up"))[0].dialect
    assert "loki" == rules(group("- alert: A", '  expr: sum(rate({app="a"} |= "b" [5m])) > 0'))[0].dialect
    assert "loki" == rules(group("- alert: A", '  expr: sum(rate({app="a"} | json | b="c" [5m])) > 0'))[0].dialect
    assert "prometheus" == rules(group("- alert: A", '  expr: up{a=~"b |= c"} > 0'))[0].dialect


def test_a_configured_dialect_holds():
    """Whoever says so knows better, and keys of others are wrong then."""
    text = group("- alert: A", "  expr: up", head=["partial_response_strategy: warn"])
    settings = replace(DEFAULTS, dialect="prometheus")
    assert ["prometheus"] == [rule.dialect for rule in rules(text, settings=settings)]
    message = "'partial_response_strategy' is not a key of a group of rules, so it is not read"
    assert [("unknown-key", 3, message)] == faults(text, settings=settings)


def test_a_nested_document_says_where_it_is():
    """Its path is that of the file around it."""
    (outer,) = Source("k8s.yaml", CONFIG_MAP.encode()).trees
    (inner,) = nested(outer, outer.data["data"], "shop.rules")
    assert ("k8s.yaml", "shop") == (inner.path, inner.spelling(inner.data["groups"][0], "name"))


# --- Others


def test_what_prometheus_scrapes_is_a_monitor():
    """That a service is monitored at all is known from these."""
    text = "apiVersion: monitoring.coreos.com/v1\nkind: ServiceMonitor\nmetadata: {name: shop}\n---\nkind: ServiceMonitor\n---\n"
    text += "apiVersion: operator.victoriametrics.com/v1beta1\nkind: VMProbe\n---\napiVersion: apps/v1\nkind: Deployment\n"
    found = list(kubernetes.FORMAT.read(Source("k8s.yaml", text.encode())))
    first = Monitor(at=Location("k8s.yaml", 2, 7, 14), name="shop", kind="ServiceMonitor")
    assert [first, Monitor(at=Location("k8s.yaml", 8, 7, 7), name="", kind="VMProbe")] == found


KEYS = st.sampled_from(
    ["groups", "rules", "name", "alert", "record", "expr", "for", "labels", "annotations", "kind", "spec", "items"]
)
SCALARS = st.none() | st.text(max_size=3) | st.integers()


@settings(deadline=None)
@given(st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(KEYS, inner, max_size=4), max_leaves=12))
def test_no_shape_of_data_breaks_the_reader(data):
    """Whatever stands where rules are expected is told, never a traceback."""
    for wrapped in (
        data,
        {"groups": [{"name": "a", "rules": [{"alert": "A", "expr": "up"}, data]}, data]},
        {"kind": "PrometheusRule", "spec": data},
    ):
        for node in read(json.dumps(wrapped), path="rules.json"):
            assert node.at.path == "rules.json"


def test_the_corpus_agrees_with_promtool(corpus, tmp_path):
    """No file that promtool accepts has a fault, and no intended fault is overlooked."""
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool (Debian's package prometheus) is not installed")
    folder = corpus / "monitoring" / "prometheus__prometheus"
    read_files = 0
    for file in sorted([*folder.glob("model/rulefmt/testdata/*.yaml"), *folder.glob("cmd/promtool/testdata/*rules*.yml")]):
        found = read(file.read_text(encoding="utf-8"), path=file.name)
        accepted = subprocess.run([promtool, "check", "rules", str(file)], capture_output=True, check=False).returncode == 0
        problems = [node for node in found if isinstance(node, Fault)]
        read_files += bool(found)
        assert not (accepted and problems), file.name
        if ".bad." in file.name and found and "expr" not in file.name and "legacy" not in file.name:
            assert problems, file.name
    assert read_files > 10
