"""OpenSLO v1alpha and v2alpha: what is read from them, what is wrong with them, and which version a document is taken for."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_reliability.documents import Source
from pytest_reliability.formats._openslo import SPOKEN
from pytest_reliability.formats.openslo import FORMAT
from pytest_reliability.model.nodes import Definition, Fault, Indicator, Reference, Replace, Slo
from pytest_reliability.testing import Repo


def read(text, path="slo/x.yaml"):
    """Everything that the reader yields for a file."""
    return list(FORMAT.read(Source(path, text.encode())))


def of(kind, text):
    """The nodes of exactly that kind."""
    return [node for node in read(text) if type(node) is kind]


def faults(text):
    """Kind and line of each fault."""
    return [f"{fault.kind} {fault.at.line}" for fault in of(Fault, text)]


# --- v1alpha

GOOD = '{source: prometheus, queryType: promql, query: "sum(rate(good[{{.window}}]))"}'
TOTAL = '{source: prometheus, queryType: promql, query: "sum(rate(all[{{.window}}]))"}'
RATIO = f"{{ratioMetrics: {{good: {GOOD}, total: {TOTAL}}}, target: 0.99}}"
DAYS = "[{unit: Day, count: 30}]"
CALENDAR = "calendar: {startTime: 2026-01-01 00:00:00, timeZone: UTC}"
LATENCY = "{thresholdMetric: {source: prometheus, queryType: query, query: probe_duration_seconds}}"


def alpha(*objectives, windows=DAYS, method="Occurrences", spec="", name="search"):
    """An SLO of v1alpha; `spec` are more lines of its spec, which has its objectives from line 9 on."""
    lines = ["apiVersion: openslo/v1alpha", "kind: SLO", f"metadata: {{name: {name}}}", "spec:", "  service: shop"]
    lines += [f"  timeWindows: {windows}", f"  budgetingMethod: {method}"]
    lines += ["  objectives:", *(f"    - {objective}" for objective in objectives or (RATIO,))]
    return "\n".join([*lines, *(f"  {line}" for line in spec.splitlines())]) + "\n"


def test_an_slo_of_v1alpha_holds_its_own_ratio():
    """Everything that the later versions say, in other places."""
    (found,) = of(Slo, alpha())
    assert [] == faults(alpha())
    assert ("shop/search", "openslo", Decimal("0.99"), "0.99", "30d", True, "occurrences") == (
        found.full_name, found.dialect, found.objective, found.objective_text, found.window.text, found.rolling, found.method,
    )  # fmt: skip
    assert [("good", "promql"), ("total", "promql")] == [(query.role, query.language) for query in found.queries]
    assert [(3, 18), (6, 36), (9, 14)] == [
        (at.line, at.column if at.line != 9 else 14) for at in (found.at, found.window_at, found.objective_at)
    ]
    assert ("openslo/v1alpha", 0, "search") == (found.origin.version, found.origin.number, found.origin.name)


def test_where_sloth_reads_it_a_window_is_filled_in():
    """So a query without a place for one is a mistake there."""
    (found,) = of(Slo, alpha())
    assert ["sum(rate(good[1h]))", "sum(rate(all[1h]))"] == [query.windowed("1h") for query in found.queries]
    assert [True, True] == [query.needs_window for query in found.queries]
    text = alpha(RATIO.replace("all[{{.window}}]", "all[5m]"))
    assert [True, False] == [query.windowed is not None for query in of(Slo, text)[0].queries]
    assert [True, True] == [query.needs_window for query in of(Slo, text)[0].queries]
    text = alpha(RATIO.replace("{{.window}}", "5m"))
    assert [False, False] == [query.needs_window for query in of(Slo, text)[0].queries]


def test_every_ratio_is_asked_about_once():
    """And there is an SLO for each objective."""
    text = alpha(f"{{displayName: Good, {RATIO[1:]}", RATIO)
    assert ["search:Good", "search:2"] == [node.name for node in of(Slo, text)]
    assert [9, 10] == [node.at.line for node in of(Indicator, text)]


def test_an_indicator_is_compared_with_the_value_of_each_objective():
    """All objectives share it."""
    text = alpha("{op: lt, value: 0.25, target: 0.9}", "{op: lte, value: 1, target: 0.99}", spec=f"indicator: {LATENCY}")
    assert [] == faults(text)
    found = of(Slo, text)
    assert [("lt", Decimal("0.25"), "0.25s"), ("lte", Decimal(1), "1s")] == [
        (node.operator, node.threshold, node.latency.text) for node in found
    ]
    assert [("threshold", "promql", "probe_duration_seconds")] == [
        (query.role, query.language, query.text) for query in found[0].queries
    ]
    assert 1 == len(of(Indicator, text))


@pytest.mark.parametrize(
    ("source", "kind", "language"),
    [("prometheus", "query", "promql"), ("sloth", "promql", "promql"), ("Datadog", "query", "datadog"), ("x", "y", "")],
)
def test_source_and_type_tell_the_language(source, kind, language):
    """Either of them may."""
    text = alpha(RATIO.replace("source: prometheus, queryType: promql", f"source: {source}, queryType: {kind}"))
    assert {language} == {query.language for query in of(Slo, text)[0].queries}


@pytest.mark.parametrize(
    ("windows", "text", "rolling"),
    [
        ("[{unit: Week, count: 4, isRolling: true}]", "4w", True),
        ("[{unit: Second, count: 90}]", "90s", True),
        (f"[{{unit: Month, count: 1, isRolling: false, {CALENDAR}}}]", "1M", False),
        (f"[{{unit: Quarter, count: 1, {CALENDAR}}}]", "1Q", False),
        ("[{unit: Day, count: many}]", None, True),
        ("[{unit: Fortnight, count: 1}]", None, True),
        ("[{unit: Day, count: 0}]", None, True),
    ],
)
def test_a_window_is_a_count_of_units(windows, text, rolling):
    """It rolls unless it says otherwise, or has a calendar."""
    (found,) = of(Slo, alpha(windows=windows))
    assert (text, rolling) == (found.window.text if found.window else None, found.rolling)


def test_slices_are_counted_where_the_method_says_so():
    """v1alpha does not say how long they are."""
    (found,) = of(Slo, alpha(f"{{timeSliceTarget: 0.9, {RATIO[1:]}", method="Timeslices"))
    assert ("timeslices", None, Decimal("0.9")) == (found.method, found.slice, found.slice_objective)


def test_a_service_of_v1alpha_is_defined():
    """SLOs refer to it."""
    text = "apiVersion: openslo/v1alpha\nkind: Service\nmetadata: {name: shop, displayName: Shop}\nspec: {description: x}\n"
    assert ([("service", "shop")], []) == ([(node.kind, node.name) for node in of(Definition, text)], faults(text))
    assert [("service", "shop", 5)] == [(node.kind, node.name, node.at.line) for node in of(Reference, alpha())]


ALPHA = {
    "no target": (alpha(RATIO.replace(", target: 0.99", "")), ["missing-field 9"]),
    "no ratio": (alpha("{target: 0.9}"), ["missing-field 9"]),
    "no ratio, misspelt": (alpha(RATIO.replace("ratioMetrics", "ratioMetric")), ["unknown-key 9"]),
    "half a ratio": (alpha(f"{{ratioMetrics: {{good: {GOOD}}}, target: 0.9}}"), ["missing-field 9"]),
    "an operator beside a ratio": (alpha(f"{{op: lt, {RATIO[1:]}"), ["conflicting-fields 9"]),
    "ratio and indicator": (
        alpha(f"{{value: 1, {RATIO[1:]}", spec=f"indicator: {LATENCY}"),
        ["missing-field 9", "conflicting-fields 9"],
    ),
    "an indicator is compared": (alpha("{target: 0.9}", spec=f"indicator: {LATENCY}"), ["missing-field 9"] * 2),
    "an empty indicator": (alpha("{op: lt, value: 1, target: 0.9}", spec="indicator: {}"), ["missing-field 10"]),
    "slices without a target": (alpha(method="Timeslices"), ["missing-field 9"]),
    "a method of later versions": (alpha(method="RatioTimeslices"), ["wrong-value 7"]),
    "a share above 1": (alpha(f"{{timeSliceTarget: 95, {RATIO[1:]}"), ["wrong-value 9"]),
    "no share at all": (alpha(f"{{timeSliceTarget: 0x1, {RATIO[1:]}"), ["wrong-value 9"]),
    "no window": (alpha(windows="[]"), ["wrong-value 6"]),
    "two windows": (alpha(windows="[{unit: Day, count: 1}, {unit: Day, count: 1}]"), ["wrong-value 6"]),
    "a window of another version": (alpha(windows="[{duration: 1d}]"), ["unknown-key 6", "missing-field 6", "missing-field 6"]),
    "an odd unit": (alpha(windows="[{unit: day, count: 1}]"), ["wrong-value 6"]),
    "no days": (alpha(windows="[{unit: Day, count: 0}]"), ["wrong-value 6"]),
    "no calendar": (alpha(windows="[{unit: Day, count: 1, isRolling: false}]"), ["missing-field 6"]),
    "a rolling calendar": (
        alpha(windows=f"[{{unit: Day, count: 1, isRolling: true, {CALENDAR}}}]"),
        ["conflicting-fields 6"],
    ),
    "an odd source": (alpha(RATIO.replace("source: prometheus", "source: cloud-watch")), ["wrong-value 9"] * 2),
    "an empty query": (alpha(RATIO.replace('"sum(rate(all[{{.window}}]))"', "''")), ["wrong-value 9"]),
    "an odd name": (alpha(name="Search.It"), ["wrong-value 3"]),
    "labels": (alpha().replace("{name: search}", "{name: search, labels: {a: b}}"), ["unknown-key 3"]),
    "a long display name": (alpha().replace("{name: search}", f"{{name: search, displayName: {'x' * 64}}}"), ["wrong-value 3"]),
    "an indicator's name": (alpha(spec="indicatorRef: x"), ["unknown-key 10"]),
    "nothing": ("apiVersion: openslo/v1alpha\nkind: SLO\n", ["missing-field 1"] * 2),
    "a spec that is none": ("apiVersion: openslo/v1alpha\nkind: SLO\nmetadata: {name: x}\nspec: x\n", ["wrong-value 4"]),
    "an objective that is none": (alpha("0.99"), ["wrong-value 9"]),
}
"""What is wrong with a text of v1alpha: the kind and the line of each fault."""


@pytest.mark.parametrize("what", ALPHA)
def test_what_v1alpha_forbids_is_told_where_it_stands(what):
    """Each rule that one can break in a file."""
    text, expected = ALPHA[what]
    assert expected == faults(text)


def test_without_a_name_or_a_number_there_is_nothing_to_refer_to_or_to_count_with():
    """Both are faults already."""
    assert [] == of(Slo, alpha().replace("name: search", "displayName: x"))
    (found,) = of(Slo, alpha(RATIO.replace("0.99", "high")))
    assert (None, "high") == (found.objective, found.objective_text)
    (found,) = of(Slo, alpha(RATIO.replace(", target: 0.99", "")))
    assert (None, "", 9) == (found.objective, found.objective_text, found.objective_at.line)


# --- v2alpha

QUERY = "{dataSourceRef: main, spec: {query: %s}}"
BETA_RATIO = f"{{ratioMetric: {{counter: true, good: {QUERY % 'a'}, total: {QUERY % 'b'}}}}}"
MAIN = (
    "apiVersion: openslo.com/v2alpha\nkind: DataSource\nmetadata: {name: main}\nspec: {type: Prometheus, connectionDetails: []}\n"
)


def beta(*objectives, spec="sliRef: answered", head="", service="serviceRef"):
    """An SLO of v2alpha: line 6 has its service, 7 its method, its spec begins in line 8."""
    lines = ["apiVersion: openslo.com/v2alpha", "kind: SLO", "metadata:", f"  {{name: search{head}}}", "spec:"]
    lines += [f"  {service}: shop", "  budgetingMethod: Occurrences", *(f"  {line}" for line in spec.splitlines())]
    return "\n".join([*lines, "  objectives:", *(f"    - {item}" for item in objectives or ("target: 0.99",))]) + "\n"


def document(kind, spec, version="openslo.com/v2alpha"):
    """A document of another kind, with its spec on line 4."""
    return f"apiVersion: {version}\nkind: {kind}\nmetadata: {{name: x}}\nspec: {{{spec}}}\n"


@pytest.mark.parametrize("service", ["serviceRef", "service"])
def test_an_slo_of_v2alpha_refers_to_its_service_by_either_word(service):
    """The SDK changed it; the specification has the old one still."""
    text = beta(service=service)
    assert ([], "shop/search") == (faults(text), of(Slo, text)[0].full_name)
    assert [("SLI", "answered"), ("service", "shop")] == [(node.kind, node.name) for node in of(Reference, text)]


def test_an_slo_of_v2alpha_says_what_one_of_v1_says():
    """In other words."""
    (found,) = of(
        Slo, beta("targetPercent: 99.5", head=", labels: {team: search}, annotations: {example.com/runbook: docs/a.md}")
    )
    assert (Decimal("0.995"), "percent", "answered", "search", "docs/a.md") == (
        found.objective, found.objective_unit, found.indicator, found.owner, found.runbook,
    )  # fmt: skip
    assert "openslo.com/v2alpha" == found.origin.version


def test_a_metric_of_v2alpha_has_its_source_beside_its_spec():
    """By its name, defined elsewhere in the file, or inline."""
    text = f"{document('SLI', BETA_RATIO[1:-1])}---\n{MAIN}"
    assert [] == faults(text)
    (found,) = of(Indicator, text)
    assert [("x", "openslo"), ("promql", "a"), ("promql", "b")] == [
        (found.name, found.dialect), *((query.language, query.text) for query in found.queries),
    ]  # fmt: skip
    assert [("data source", "main")] * 2 == [(node.kind, node.name) for node in of(Reference, text)]
    inline = "{dataSourceSpec: {type: datadog, connectionDetails: {}}, spec: {query: a}}"
    (found,) = of(Indicator, document("SLI", f"thresholdMetric: {inline}"))
    assert [("datadog", "threshold")] == [(query.language, query.role) for query in found.queries]


BETA = {
    "words of v1": (
        beta(spec="indicatorRef: answered"),
        ["unknown-key 8"],
    ),
    "both services": (beta(spec="sliRef: a\nservice: shop"), ["conflicting-fields 9"]),
    "no service": (beta(service="description"), ["missing-field 6"]),
    "no indicator": (beta(spec="description: x"), ["missing-field 6"]),
    "an operator beside a ratio": (
        beta("{op: gt, value: 1, target: 0.9}", spec=f"sli: {{metadata: {{name: a}}, spec: {BETA_RATIO}}}"),
        ["conflicting-fields 10"] * 2,
    ),
    "a threshold without operator": (
        beta(spec=f"sli: {{metadata: {{name: a}}, spec: {{thresholdMetric: {QUERY % 'a'}}}}}"),
        ["missing-field 10"] * 2,
    ),
    "a display name": (beta(head=", displayName: X"), ["unknown-key 4"]),
    "a name of v1": (beta().replace("name: search", "name: search.it"), ["wrong-value 4"]),
    "several values": (beta(head=", labels: {team: [a, b]}"), ["wrong-value 4"]),
    "a label in capitals": (beta(head=", labels: {team: Shop}"), ["wrong-value 4"]),
    "months": (beta(spec="sliRef: a\ntimeWindow: [{duration: 1M, isRolling: true}]"), ["wrong-value 9"]),
    "no source": (document("SLI", "thresholdMetric: {spec: {query: a}}"), ["missing-field 4"]),
    "two sources": (
        document("SLI", "thresholdMetric: {dataSourceRef: a, dataSourceSpec: {type: b, connectionDetails: 1}}"),
        ["conflicting-fields 4"],
    ),
    "a source of v1": (document("SLI", "thresholdMetric: {metricSourceRef: main}"), ["unknown-key 4"]),
    "a condition": (
        document("AlertCondition", "severity: page, condition: {threshold: 2, lookbackWindow: 1M}"),
        ["wrong-value 4"],
    ),
    "a policy": (document("AlertPolicy", "conditions: [{conditionRef: A.b}]"), ["missing-field 4", "wrong-value 4"]),
}
"""What is wrong with a text of v2alpha: the kind and the line of each fault."""


@pytest.mark.parametrize("what", BETA)
def test_what_v2alpha_forbids_is_told_where_it_stands(what):
    """Each rule that differs from those of v1."""
    text, expected = BETA[what]
    assert expected == faults(text)


# --- Which version a document is


@pytest.mark.parametrize(
    ("text", "version", "edited"),
    [
        (alpha(), "openslo/v1alpha", True),
        (beta(), "openslo.com/v2alpha", True),
        (beta("traget: 0.9"), "openslo.com/v2alpha", True),
        (document("SLI", f"thresholdMetric: {QUERY % 'a'}"), "openslo.com/v2alpha", True),
        (document("SLI", "thresholdMetric: {metricSource: {spec: {query: a}}}"), "openslo/v1", True),
        (document("DataSource", "type: Prometheus, connectionDetails: {}"), "openslo/v1", True),
        (document("SLI", "thresholdMetric: {spec: {query: a}}"), "openslo.com/v2alpha", False),
    ],
)
def test_a_document_of_no_version_is_taken_for_the_one_that_it_fits(text, version, edited):
    """Its content says more than an `apiVersion` that does not exist; where nothing fits nobody writes one unasked."""
    _, _, rest = text.partition("\n")
    fault = of(Fault, f"apiVersion: openslo\n{rest}")[0]
    assert ("wrong-kind", f"apiVersion: {version}") == (fault.kind, fault.hint)
    assert (Replace(fault.at, "openslo", version) if edited else None) == fault.edit
    assert "DataSource" in text or version in of(Fault, rest)[0].message


@pytest.mark.parametrize(
    ("written", "version"),
    [
        ("v1alpha", "openslo/v1alpha"),
        ("openslo/v1alpha1", "openslo/v1alpha"),
        ("openslo/v2alpha", "openslo.com/v2alpha"),
        ("openslo/v3", "openslo/v1"),
    ],
)
def test_what_fits_several_versions_is_taken_for_the_one_that_it_names(written, version):
    """A service is the same in all of them."""
    text = f"apiVersion: {written}\nkind: Service\nmetadata: {{name: shop, displayName: Shop}}\nspec: {{description: x}}\n"
    assert f"apiVersion: {version}" == of(Fault, text)[0].hint


def test_a_kind_that_the_version_does_not_have_belongs_to_another():
    """v1alpha has SLOs and services only."""
    text = document("SLI", "thresholdMetric: {metricSource: {spec: {query: a}}}", version="openslo/v1alpha")
    (fault,) = of(Fault, text)
    assert "apiVersion is 'openslo/v1alpha', which has no kind SLI; 'openslo/v1' is expected" == fault.message
    assert Replace(fault.at, "openslo/v1alpha", "openslo/v1") == fault.edit
    assert 1 == len(of(Indicator, text))


@pytest.mark.parametrize(("written", "kind"), [("", "missing-field"), ("[openslo]", "wrong-kind")])
def test_nothing_is_replaced_where_no_word_is_written(written, kind):
    """Neither an empty version nor a list can be mended in place."""
    (fault,) = of(Fault, alpha().replace("openslo/v1alpha", written))
    assert (kind, None, "apiVersion: openslo/v1alpha") == (fault.kind, fault.edit, fault.hint)


def test_references_lead_to_definitions_of_any_version():
    """The graph knows all of them."""
    files = {
        "slo/a.yaml": beta(),
        "slo/b.yaml": document("SLI", BETA_RATIO[1:-1]).replace("name: x", "name: answered"),
        "slo/c.yaml": MAIN,
    }
    repo = Repo(files)
    assert [] == repo.findings("DOC009")
    (slo,) = repo.graph.of(Slo)
    assert ["a", "b"] == [query.text for query in repo.graph.queries_of(slo)]


KEYS = [
    "name", "labels", "spec", "sli", "sliRef", "serviceRef", "ratioMetric", "ratioMetrics", "thresholdMetric", "good", "total",
    "raw", "rawType", "dataSourceRef", "dataSourceSpec", "query", "source", "objectives", "target", "timeWindow", "timeWindows",
    "duration", "isRolling", "calendar", "alertPolicies", "alertPolicyRef", "conditions", "conditionRef", "condition", "unit",
    "count", "op", "value", "threshold", "metadata", "type", "timeSliceWindow", "compositeWeight", "indicator", "displayName",
]  # fmt: skip
values = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.sampled_from(["x", "1h", "gt", "Day", "success", "{{.window}}", ""]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=5),
    max_leaves=12,
)


@given(st.sampled_from(["openslo/v1alpha", "openslo.com/v2alpha", "openslo"]), st.sampled_from([*SPOKEN, ""]), values, values)
def test_no_document_makes_the_reader_stumble(version, kind, metadata, spec):
    """Whatever stands where it does not belong is a fault at a place in the file, never a crash."""
    document = {"apiVersion": version, "kind": kind, "metadata": metadata, "spec": spec, "displayName": 1}
    for node in read(json.dumps(document), "x.json"):
        assert (1, True) == (node.at.line, node.at.column >= 1)
