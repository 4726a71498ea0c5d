"""SLOs of Datadog: what is read from its operator's resources and from its API's objects, and what is wrong with them."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conftest import CORPUS
from pytest_reliability.documents import Source
from pytest_reliability.formats.datadog import FORMATS
from pytest_reliability.model.nodes import Fault, Indicator, Replace, Slo
from pytest_reliability.testing import Repo

RESOURCE = """\
apiVersion: datadoghq.com/v1alpha1
kind: DatadogSLO
metadata: {name: checkout-answers}
spec:
  name: Checkout answers
  description: Nine hundred and ninety-five of a thousand
  type: metric
  query:
    numerator: sum:shop.hits{service:checkout,!status:5xx}.as_count()
    denominator: sum:shop.hits{service:checkout}.as_count()
  tags: ["service:checkout", "team:shop", "runbook:docs/checkout.md", "tier:1", "tier:2", "bare"]
  targetThreshold: "99.50"
  warningThreshold: "99.9"
  timeframe: 30d
"""
OBJECT = {
    "id": "d3b07384",
    "name": "Checkout answers",
    "description": None,
    "type": "metric",
    "query": {"numerator": "sum:good{*}.as_count()", "denominator": "sum:all{*}.as_count()"},
    "tags": ["service:checkout"],
    "thresholds": [
        {"timeframe": "7d", "target": 99, "target_display": "99.", "warning": 99.5},
        {"timeframe": "30d", "target": 99.9},
    ],
    "created_at": 1700000000,
}


def read(text, path="slo/checkout.yaml"):
    """Everything that the readers yield for a file."""
    return [
        node for form in FORMATS for node in form.read(Source(path, text.encode())) if path.endswith("json") or form is FORMATS[0]
    ]


def api(**changed):
    """The API's object as a file, with some fields changed; None removes one."""
    return json.dumps({key: value for key, value in {**OBJECT, **changed}.items() if value is not None or key == "description"})


def of(kind, nodes):
    """The nodes of exactly that kind."""
    return [node for node in nodes if type(node) is kind]


def faults(nodes):
    """Kind and message of each fault."""
    return [f"{fault.kind} {fault.at.line}: {fault.message}" for fault in of(Fault, nodes)]


def test_a_resource_is_an_slo():
    """Its target is a percentage in quotes, and what it counts are events."""
    nodes = read(RESOURCE)
    assert [] == faults(nodes)
    (found,) = of(Slo, nodes)
    assert ("checkout/checkout-answers", "datadog", Decimal("0.995"), "99.50", "percent", "30d", "occurrences") == (
        found.full_name, found.dialect, found.objective, found.objective_text, found.objective_unit, found.window.text,
        found.method,
    )  # fmt: skip
    assert [(5, 9), (12, 20), (14, 14)] == [(at.line, at.column) for at in (found.at, found.objective_at, found.window_at)]
    tags = {"service": "checkout", "team": "shop", "runbook": "docs/checkout.md", "tier": "1, 2"}
    assert ("shop", "docs/checkout.md", tags) == (found.owner, found.runbook, found.labels)


def test_a_resources_labels_and_annotations_count():
    """Where the tags say nothing."""
    text = RESOURCE.replace(
        "{name: checkout-answers}", "{name: x, labels: {owner: sre, a: 1}, annotations: {dashboard: d/1, owner: 3}}"
    )
    (found,) = of(Slo, read(text.replace('"team:shop", ', "")))
    assert ("sre", "d/1", "docs/checkout.md") == (found.owner, found.dashboard, found.runbook)


def test_its_queries_are_in_datadogs_language():
    """Good events, and all of them."""
    (found,) = of(Indicator, read(RESOURCE))
    assert [("good", "datadog", None, 9), ("total", "datadog", None, 10)] == [
        (query.role, query.language, query.parsable, query.at.line) for query in found.queries
    ]
    assert ("SLO 'checkout-answers'", "datadog", (9, 19)) == (
        found.holder, found.dialect, (found.queries[0].place(3).line, found.queries[0].place(3).column),
    )  # fmt: skip


def test_an_object_of_the_api_has_an_slo_for_each_timeframe():
    """Each named by its timeframe."""
    nodes = read(api(), "slo.json")
    assert [] == faults(nodes)
    assert [
        ("Checkout answers:7d", "checkout", Decimal("0.99"), "99", "7d"),
        ("Checkout answers:30d", "checkout", Decimal("0.999"), "99.9", "30d"),
    ] == [(slo.name, slo.service, slo.objective, slo.objective_text, slo.window.text) for slo in of(Slo, nodes)]
    assert 1 == len(of(Indicator, nodes))


def test_a_single_timeframe_needs_no_name_of_its_own():
    """And two of one kind are numbered."""
    (found,) = of(Slo, read(api(thresholds=OBJECT["thresholds"][:1]), "slo.json"))
    assert "Checkout answers" == found.name
    found = of(Slo, read(api(thresholds=OBJECT["thresholds"][:1] * 2), "slo.json"))
    assert ["Checkout answers:1", "Checkout answers:2"] == [slo.name for slo in found]
    nodes = read(api(thresholds=[*OBJECT["thresholds"][:1], 7]), "slo.json")
    assert (["Checkout answers"], 1) == ([slo.name for slo in of(Slo, nodes)], len(faults(nodes)))


@pytest.mark.parametrize("wrapped", [[OBJECT], {"data": OBJECT}, {"data": [OBJECT], "error": None}])
def test_objects_come_in_lists_and_in_answers(wrapped):
    """As the API gives them."""
    nodes = read(json.dumps(wrapped), "slo.json")
    assert ([], 2) == (faults(nodes), len(of(Slo, nodes)))


def test_a_generic_resource_carries_an_object_of_the_api():
    """As text inside of YAML; places are in the file around it."""
    body = json.dumps({**OBJECT, "thresholds": [{"timeframe": "7d", "target": 99.9}]}, indent=2)
    lines = "\n".join(f"    {line}" for line in body.splitlines())
    text = "apiVersion: datadoghq.com/v1alpha1\nkind: DatadogGenericResource\nmetadata: {name: answers}\nspec:\n"
    text += f"  type: slo\n  jsonSpec: |-\n{lines}\n"
    nodes = read(text)
    (found,) = of(Slo, nodes)
    target = next(number for number, line in enumerate(text.splitlines(), 1) if '"target"' in line)
    assert ([], "answers", target) == (faults(nodes), found.name, found.objective_at.line)
    assert [] == read(text.replace("type: slo", "type: notebook"))
    (fault,) = faults(read(text.replace('"7d"', '"8d"')))
    assert fault.endswith("timeframe is '8d'; one of 7d, 30d, 90d is expected")
    (fault,) = faults(read(text.partition("  jsonSpec")[0] + "  jsonSpec: '[]'\n"))
    assert "wrong-value 6: the file is an empty list; an SLO of Datadog's (a mapping) is expected" == fault


@pytest.mark.parametrize("kind", ["DatadogMonitor", "DatadogDashboard"])
def test_other_resources_are_left_alone(kind):
    """They are no SLOs; nor are those of other makers."""
    assert [] == read(RESOURCE.replace("DatadogSLO", kind))
    assert [] == read(RESOURCE.replace("datadoghq.com", "example.com"))


@pytest.mark.parametrize(
    "data",
    [
        {"thresholds": [{"timeframe": "7d", "target": 99}]},
        {"thresholds": {"timeframe": "7d"}, "query": {}},
        {"thresholds": [{"value": 3}], "query": "x"},
        [1, "timeframe"],
        "timeframe",
    ],
)
def test_other_json_is_left_alone(data):
    """Thresholds are common; targets for timeframes of something that is measured are not."""
    assert [] == read(json.dumps(data), "slo.json")


TIME_SLICE = """\
  type: time_slice
  timeSlice: {query: "p95:trace.http.request{service:checkout}", comparator: "<", threshold: "0.3"}
"""


def with_spec(lines, kind="metric"):
    """The resource with other lines for its type and what it measures."""
    head, _, rest = RESOURCE.partition("  type: metric\n")
    return head + lines + rest[rest.index("  tags") :]


def test_a_time_slice_is_good_by_a_threshold():
    """Five minutes of it."""
    nodes = read(with_spec(TIME_SLICE))
    assert [] == faults(nodes)
    (found,) = of(Slo, nodes)
    assert ("timeslices", "5m", Decimal("0.3"), "lt", None) == (
        found.method, found.slice.text, found.threshold, found.operator, found.latency,
    )  # fmt: skip
    assert [("threshold", "p95:trace.http.request{service:checkout}")] == [(query.role, query.text) for query in found.queries]


def test_a_time_slice_may_be_put_into_a_formula():
    """The only query of a formula is what is measured; a formula of several stands for itself."""
    asked = "queries: [{dataSource: metrics, name: a, query: 'avg:x{*}'}, {dataSource: metrics, name: b, query: 'avg:y{*}'}]"
    spec = "  type: time_slice\n  timeSliceSpec:\n    timeSliceCondition: {comparator: '>=', threshold: 5}\n"
    for formula, text in (("a", "avg:x{*}"), ("a / b", "a / b")):
        nodes = read(with_spec(f"{spec}    query: {{formulas: [{{formula: {formula}}}], {asked}}}\n"))
        (found,) = of(Slo, nodes)
        assert ([], text, Decimal(5), "gte") == (faults(nodes), found.queries[0].text, found.threshold, found.operator)


def test_the_api_says_how_long_a_slice_is():
    """A minute or five; what else it says of a slice may be newer than this."""
    condition = {
        "comparator": ">",
        "threshold": 0.99,
        "query": {"formulas": [{"formula": "q"}], "queries": [{"data_source": "metrics", "name": "q", "query": "avg:up{*}"}]},
        "query_interval_seconds": 60,
    }
    nodes = read(api(type="time_slice", query=None, sli_specification={"time_slice": condition}), "slo.json")
    assert [] == faults(nodes)
    assert {("1m", "avg:up{*}", Decimal("0.99"))} == {
        (slo.slice.text, slo.queries[0].text, slo.threshold) for slo in of(Slo, nodes)
    }
    condition["no_data_strategy"] = "COUNT_AS_UPTIME"
    condition["known_tomorrow"] = True
    assert [] == faults(read(api(type="time_slice", query=None, sli_specification={"time_slice": condition}), "slo.json"))
    condition["query_interval_seconds"] = 30
    nodes = read(api(type="time_slice", query=None, sli_specification={"time_slice": condition}), "slo.json")
    assert ["wrong-value 1: query_interval_seconds is '30'; one of 60, 300 is expected"] == faults(nodes)
    assert {"5m"} == {slo.slice.text for slo in of(Slo, nodes)}


def test_the_api_counts_by_formulas_too():
    """Good events and bad ones, or all."""
    queries = [{"data_source": "metrics", "name": name, "query": f"sum:{name}{{*}}"} for name in ("ok", "ko")]
    count = {"good_events_formula": {"formula": "ok"}, "bad_events_formula": "ko", "queries": queries}
    nodes = read(api(query=None, sli_specification={"count": count}), "slo.json")
    assert [] == faults(nodes)
    assert [("good", "sum:ok{*}"), ("bad", "sum:ko{*}")] == [(query.role, query.text) for query in of(Slo, nodes)[0].queries]


def test_a_monitors_slo_counts_time():
    """It has no query; the monitors have."""
    nodes = read(with_spec("  type: monitor\n  monitorIDs: [1234]\n  groups: ['env:prod']\n"))
    assert ([], [], [("timeslices", None, ())]) == (
        faults(nodes), of(Indicator, nodes), [(slo.method, slo.slice, slo.queries) for slo in of(Slo, nodes)],
    )  # fmt: skip


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ('targetThreshold: "99.50"', "targetThreshold: 99.50",
         "wrong-value 12: targetThreshold is '99.50'; a number in quotes is expected"),
        ('targetThreshold: "99.50"', 'target: "99.50"', "unknown-key 12: 'target' is not a key of the spec of a DatadogSLO"),
        ("timeframe: 30d", "timeframe: 28d", "wrong-value 14: timeframe is '28d'; one of 7d, 30d, 90d is expected"),
        ("type: metric", "type: metrics", "wrong-value 7: type is 'metrics'; one of metric, monitor, time_slice is expected"),
        ("type: metric", "type: monitor",
         "missing-field 5: an SLO of type monitor has no 'monitorIDs', so there is nothing to measure"),
        ("type: metric", "type: time_slice",
         "missing-field 5: an SLO of type time_slice has no 'timeSlice', so there is nothing to measure"),
        ('"99.9"', '"99.4"',
         "wrong-value 13: warningThreshold is 99.4; a number above targetThreshold, 99.50, and below 100 is expected"),
        ('"99.9"', '"100"',
         "wrong-value 13: warningThreshold is 100; a number above targetThreshold, 99.50, and below 100 is expected"),
        ("    denominator: sum", "    denominator: avg",
         "wrong-value 10: denominator is aggregated by 'avg'; a metric SLO counts events"),
        ("/v1alpha1", "/v1", "wrong-kind 1: apiVersion is 'datadoghq.com/v1'; 'datadoghq.com/v1alpha1' is expected"),
        ("    denominator", "    total", "unknown-key 10: 'total' is not a key of the query of a metric SLO, so it is not read"),
    ],
)  # fmt: skip
def test_what_datadog_refuses_is_told(old, new, expected):
    """With its place and its value."""
    found = faults(read(RESOURCE.replace(old, new, 1)))
    assert found[0].startswith(expected)


def test_a_number_can_be_put_in_quotes():
    """The API server of Kubernetes takes no fractions; the objective is read all the same."""
    nodes = read(RESOURCE.replace('"99.50"', "99.50"))
    (fault,) = of(Fault, nodes)
    assert ('put it in quotes: "99.50"', Decimal("0.995")) == (fault.hint, of(Slo, nodes)[0].objective)


def test_a_wrong_version_can_be_put_right():
    """By a machine."""
    (fault,) = of(Fault, read(RESOURCE.replace("/v1alpha1", "/v1")))
    assert Replace(fault.at, "datadoghq.com/v1", "datadoghq.com/v1alpha1") == fault.edit


@pytest.mark.parametrize("text", ["99500m", "x", ""])
def test_an_objective_that_cannot_be_read_is_none(text):
    """Kubernetes has suffixes for numbers; nobody writes a percentage like that."""
    (found,) = of(Slo, read(RESOURCE.replace('"99.50"', f'"{text}"')))
    assert (None, "") == (found.objective, found.objective_text)


def test_aggregates_in_scopes_and_names_are_none():
    """`avg:` within braces is a tag, and behind a point a part of a name."""
    text = RESOURCE.replace("sum:shop.hits{service:checkout}", "sum:shop.avg:hits{avg:1,max:2}")
    assert [] == faults(read(text))


def test_groups_are_those_of_one_monitor():
    """Of several nobody knows which."""
    found = faults(read(with_spec("  type: monitor\n  monitorIDs: [1, 2]\n  groups: ['env:prod']\n")))
    assert ["conflicting-fields 9: groups narrow down a single monitor; this SLO has 2 of them"] == found


def test_several_services_are_none():
    """Whose SLO it is cannot be told."""
    (found,) = of(Slo, read(RESOURCE.replace('"tier:1"', '"service:search"')))
    assert (None, "checkout, search") == (found.service, found.labels["service"])


def test_a_misspelt_key_of_the_api_is_told():
    """A new one is not."""
    assert [] == faults(read(api(slo_version=3), "slo.json"))
    assert ["unknown-key 1: 'tag' is not a key of an SLO of Datadog's, so it is not read"] == faults(
        read(api(tag=[]), "slo.json")
    )


def test_who_has_slos_of_datadogs_has_slos():
    """SLO001 has nothing to say, and SLO102 sees a perfect target."""
    repo = Repo({"slo.yaml": RESOURCE})
    assert [] == repo.findings("SLO001")
    assert [] == Repo({"slo.yaml": "apiVersion: datadoghq.com/v1alpha1\nkind: DatadogSLO\nspec: {}\n"}).findings("SLO001")
    (finding,) = Repo({"slo.yaml": RESOURCE.replace('"99.50"', '"100"')}).findings("SLO102")
    assert finding.startswith("slo.yaml:12:20: objective of SLO 'checkout-answers' is 100%")


@pytest.mark.parametrize(
    "spec", ["", "spec: 1", "spec: {query: 1, tags: [1], type: metric}", "spec: {type: time_slice, timeSlice: {query: 1}}"]
)
def test_what_is_half_there_breaks_nothing(spec):
    """It is only told."""
    assert faults(read(f"apiVersion: datadoghq.com/v1alpha1\nkind: DatadogSLO\n{spec}\n"))


WORDS = st.sampled_from(
    ["name", "type", "query", "thresholds", "target", "warning", "timeframe", "numerator", "sli_specification", "count",
     "formulas", "formula", "queries", "good_events_formula", "monitor_ids", "groups", "tags", "threshold", "comparator"]
)  # fmt: skip
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.sampled_from(["metric", "time_slice", "7d", "a"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=5),
    max_leaves=15,
)


@given(JSON, st.sampled_from(["metric", "monitor", "time_slice", None]))
def test_nothing_that_an_object_can_be_raises(more, kind):
    """Whatever is there."""
    extra = more if isinstance(more, dict) else {"query": more, "sli_specification": more}
    read(json.dumps({**OBJECT, "type": kind, **extra}), "slo.json")
    read(json.dumps({"apiVersion": "datadoghq.com/v1alpha1", "kind": "DatadogSLO", "spec": {"type": kind, **extra}}), "slo.json")


@pytest.mark.skipif(not CORPUS.exists(), reason="the corpus is not here")
def test_datadogs_own_examples_are_fine():
    """All of them are SLOs over 7 days."""
    folder = CORPUS / "slo" / "DataDog__datadog-operator"
    paths = sorted(
        [
            *folder.glob("config/samples/*slo.yaml"),
            *folder.glob("examples/**/*slo*/*.yaml"),
            *folder.glob("examples/**/slo-sample.yaml"),
        ]
    )
    found = []
    for path in paths:
        nodes = read(path.read_text(), path.name)
        assert [] == faults(nodes), path
        found += of(Slo, nodes)
    assert (5, {"7d"}, {Decimal("0.999")}) == (len(found), {slo.window.text for slo in found}, {slo.objective for slo in found})


def test_a_runbook_stands_in_a_tag():
    """Nothing else has room for it, and a file is not called like a sentence."""
    hints = {finding.partition("\n  ")[2] for finding in Repo({"slo.json": api(name="Checkout – 95% < 1s")}).findings("SLO402")}
    assert {"add the tag runbook_url:docs/runbooks/Checkout-95-1s.md"} == hints
