"""Pyrra: what is read from its objectives, and what is wrong with them."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_reliability.documents import Source
from pytest_reliability.formats._lengths import length
from pytest_reliability.formats.pyrra import FORMAT
from pytest_reliability.model.nodes import Fault, Indicator, Slo
from pytest_reliability.promql import parse
from pytest_reliability.testing import Repo

CORPUS = Path(__file__).parents[1].parent / "shared" / "corpus" / "slo" / "pyrra-dev__pyrra"

RATIO = 'ratio: {errors: {metric: "paid_total{job=\\"shop\\",code=~\\"5..\\"}"}, total: {metric: "paid_total{job=\\"shop\\"}"}}'
LATENCY = 'latency: {success: {metric: "paid_seconds_bucket{le=\\"0.3\\"}"}, total: {metric: paid_seconds_count}}'


def read(text, path="slo/x.yaml"):
    """Everything that the reader yields for a file."""
    return list(FORMAT.read(Source(path, text.encode())))


def of(kind, text):
    """The nodes of exactly that kind."""
    return [node for node in read(text) if type(node) is kind]


def faults(text):
    """Kind, line and message of each fault."""
    return [f"{fault.kind} {fault.at.line}: {fault.message}" for fault in of(Fault, text)]


def document(*spec, indicator=RATIO, metadata="name: paid", version="pyrra.dev/v1alpha1", kind="ServiceLevelObjective"):
    """An objective; `spec` are further lines of its spec."""
    return f"""\
apiVersion: {version}
kind: {kind}
metadata: {{{metadata}}}
spec:
  target: "99.5"
  window: 4w
  indicator: {{{indicator}}}
""" + "".join(f"  {line}\n" for line in spec)


def slo(*spec, **changes):
    """The one SLO of an objective without faults."""
    text = document(*spec, **changes)
    assert [] == faults(text)
    (found,) = of(Slo, text)
    return found


def asked(found, window="1h"):
    """Role and expression of each query over a window."""
    return [(query.role, query.windowed(window)) for query in found.queries]


def test_an_objective_becomes_an_slo():
    """Name, service, objective, window and what they are owned and explained by, each with its place."""
    found = slo(
        "description: People can pay",
        metadata="name: paid, labels: {pyrra.dev/service: shop, pyrra.dev/team: tills}, annotations: {runbook: docs/paid.md}",
    )
    assert ("paid", "shop", "shop/paid") == (found.name, found.service, found.full_name)
    assert (Decimal("0.995"), "99.5", "percent") == (found.objective, found.objective_text, found.objective_unit)
    assert ("4w", True, (6, 11)) == (found.window.text, found.rolling, (found.window_at.line, found.window_at.column))
    assert ((3, 18), (5, 11)) == ((found.at.line, found.at.column), (found.objective_at.line, found.objective_at.column))
    assert ("tills", "docs/paid.md", "People can pay") == (found.owner, found.runbook, found.description)
    assert "pyrra" == found.dialect


def test_a_ratio_is_asked_for_errors_and_total():
    """Pyrra puts the sum of the rate around each metric; the place is the metric's."""
    found = slo()
    assert [
        ("bad", 'sum(rate(paid_total{job="shop",code=~"5.."}[1h]))'),
        ("total", 'sum(rate(paid_total{job="shop"}[1h]))'),
    ] == asked(found)
    assert 'sum(rate(paid_total{job="shop"}[5m]))' == found.queries[1].parsable
    assert 'paid_total{job="shop"}' == found.queries[1].text
    text = document().splitlines()[6]
    assert [text.index('"paid_total') + 1, text.rindex('"paid_total') + 1] == [query.at.column for query in found.queries]
    assert text.rindex("paid_total") + 1 == found.queries[1].place(0).column


def test_the_indicator_is_a_node_of_its_own():
    """Checks of queries ask it."""
    (found,) = of(Indicator, document())
    assert ("SLO 'paid'", "pyrra", ["bad", "total"]) == (found.holder, found.dialect, [query.role for query in found.queries])


def test_success_may_take_the_place_of_errors_or_total():
    """Newer versions of Pyrra derive the third of the three."""
    total = slo(indicator="ratio: {success: {metric: fine_total}, total: {metric: all_total}}")
    errors = slo(indicator="ratio: {success: {metric: fine_total}, errors: {metric: bad_total}}")
    assert [("good", "sum(rate(fine_total[1h]))"), ("total", "sum(rate(all_total[1h]))")] == asked(total)
    assert [("bad", "sum(rate(bad_total[1h]))"), ("good", "sum(rate(fine_total[1h]))")] == asked(errors)


def test_a_latency_is_the_bucket_of_a_histogram():
    """Its threshold is the bucket's bound, in the unit that the metric's name gives."""
    found = slo(indicator=LATENCY)
    assert [
        ("good", 'sum(rate(paid_seconds_bucket{le="0.3"}[1h]))'),
        ("total", "sum(rate(paid_seconds_count[1h]))"),
    ] == asked(found)
    assert 0.3 == found.latency.seconds


def test_a_native_latency_is_a_fraction_of_its_histogram():
    """Good and total come from one metric, as in Pyrra's own rules."""
    found = slo(indicator="latencyNative: {latency: 200ms, total: {metric: paid_seconds}, grouping: [route, method]}")
    summed = "sum by (method, route) (rate(paid_seconds[1h]))"
    assert [
        ("good", f"histogram_fraction(0, 0.2, {summed}) * histogram_count({summed})"),
        ("total", f"histogram_count({summed})"),
    ] == asked(found)
    assert (0.2, ["paid_seconds"] * 2) == (found.latency.seconds, [query.text for query in found.queries])


def test_a_boolean_gauge_is_counted():
    """Every sample is an event; those of value 1 are good."""
    found = slo(indicator="bool_gauge: {metric: 'probe_success{job=\"shop\"}', grouping: [target]}")
    assert [
        ("good", 'sum by (target) (sum_over_time(probe_success{job="shop"}[1h]))'),
        ("total", 'sum by (target) (count_over_time(probe_success{job="shop"}[1h]))'),
    ] == asked(found)


@pytest.mark.parametrize(
    "indicator",
    [
        RATIO,
        LATENCY,
        "latencyNative: {latency: 1s, total: {metric: a}}",
        "bool_gauge: {metric: up}",
        'bool_gauge: {metric: "up # each instance\\n", grouping: [job]}',
    ],
)
def test_what_pyrra_evaluates_is_promql(indicator):
    """Every query of every kind of indicator."""
    for query in slo(indicator=indicator).queries:
        assert (None, True) == (parse(query.parsable).error, parse(query.parsable).valid)
        assert parse(query.windowed("3h")).valid


def test_pyrra_alerts_on_four_burn_rates():
    """Over the windows that belong to four weeks, each with its own severity and wait."""
    found = slo()
    assert [
        (14, "1h", "5m", "2m", "critical"),
        (7, "6h", "30m", "15m", "critical"),
        (2, "1d", "2h", "1h", "warning"),
        (1, "4d", "6h", "3h", "warning"),
    ] == [(rate.factor, rate.long.text, rate.short.text, rate.wait.text, rate.severity) for rate in found.burn_rates]
    assert {("alert 'ErrorBudgetBurn'", "4w", Decimal("0.995"), 3)} == {
        (rate.holder, rate.period.text, rate.objective, rate.at.line) for rate in found.burn_rates
    }
    assert ("ErrorBudgetBurn", "SLOMetricAbsent") == found.alert_names
    assert not found.alerting.disabled


def test_its_windows_are_in_proportion_to_that_of_the_slo():
    """Rounded to minutes, and spelt as Prometheus spells them."""
    found = of(Slo, document().replace("4w", "30d"))[0]
    assert [("1h4m", "5m", "2m"), ("6h26m", "32m", "16m"), ("25h43m", "2h9m", "1h4m"), ("102h51m", "6h26m", "3h13m")] == [
        (rate.long.text, rate.short.text, rate.wait.text) for rate in found.burn_rates
    ]
    assert 3840.0 == found.burn_rates[0].long.seconds


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0s"), (90, "1m30s"), (3600, "1h"), (86400, "1d"), (90000, "25h"), (604800, "1w"), (1209600, "2w"), (864000, "10d")],
)
def test_lengths_are_spelt_as_prometheus_spells_them(seconds, text):
    """Weeks and days only where nothing is left over."""
    assert (float(seconds), text) == (length(seconds).seconds, length(seconds).text)


def test_severities_and_names_can_be_chosen():
    """Those that are not keep Pyrra's own."""
    found = slo(
        "alerting:",
        "  name: TillsBurn",
        "  absentName: TillsGone",
        "  severities: {fastBurn: page, longTermBurn: info}",
    )
    assert ["page", "critical", "warning", "info"] == [rate.severity for rate in found.burn_rates]
    assert ("TillsBurn", "TillsGone") == found.alert_names
    assert ("alert 'TillsBurn'", 9) == (found.burn_rates[0].holder, found.burn_rates[0].at.line)


@pytest.mark.parametrize("switch", ["disabled: true", "burnrates: false"])
def test_alerts_can_be_switched_off(switch):
    """Those on absence have a switch of their own."""
    found = slo(f"alerting: {{{switch}}}")
    assert (True, (), ("SLOMetricAbsent",)) == (found.alerting.disabled, found.burn_rates, found.alert_names)


def test_absence_has_a_switch_of_its_own_and_native_histograms_have_no_such_alert():
    """Either leaves the alerts on burn rates."""
    native = slo(indicator="latencyNative: {latency: 1s, total: {metric: paid_seconds}}")
    assert [("ErrorBudgetBurn",)] * 2 == [slo("alerting: {absent: false}").alert_names, native.alert_names]


def test_what_begins_with_pyrras_name_goes_to_the_alerts():
    """Labels and annotations, without the prefix; and the SLO's name."""
    found = slo(metadata="name: paid, labels: {pyrra.dev/team: tills, app: x}, annotations: {pyrra.dev/runbook_url: a.md, b: c}")
    common = found.alerting.common
    assert ({"slo": "paid", "team": "tills"}, {"runbook_url": "a.md"}) == (common.labels, common.annotations)
    assert ("tills", "a.md") == (found.owner, found.runbook)


def test_a_target_without_quotes_is_read_and_reported():
    """The resource's own schema wants a text."""
    text = document().replace('"99.5"', "99.50")
    assert ["wrong-value 5: target is '99.50'; a percentage in quotes, such as '99.9', is expected"] == faults(text)
    assert (Decimal("0.9950"), "99.50") == (of(Slo, text)[0].objective, of(Slo, text)[0].objective_text)


@pytest.mark.parametrize("target", ['"99.9%"', '"high"', '"0x5"', '""', "[99]", "true"])
def test_a_target_that_is_no_number_is_reported(target):
    """There is no objective then, and everything else is still read."""
    text = document().replace('"99.5"', target)
    assert 1 == len(faults(text))
    (found,) = of(Slo, text)
    assert (None, 4) == (found.objective, len(found.burn_rates))


@pytest.mark.parametrize("window", ["28", "1.5d", "4 weeks", "1M", '""', "0s", "[4w]"])
def test_a_window_that_prometheus_does_not_read_is_reported(window):
    """Its durations have whole numbers and no months."""
    assert [line for line in faults(document().replace("4w", window)) if "window is" in line]


def test_a_window_of_less_than_three_days_leaves_no_short_window():
    """Pyrra then generates a range of no length, and Prometheus refuses the whole file."""
    text = document().replace("4w", "1d")
    (message,) = faults(text)
    assert message.startswith("wrong-value 6: window is '1d'; Pyrra's shortest alert window rounds to 0s")
    assert [None, "1m", "4m", "13m"] == [rate.short and rate.short.text for rate in of(Slo, text)[0].burn_rates]
    assert [] == faults(document().replace("4w", "3d"))


@pytest.mark.parametrize(
    ("metric", "message"),
    [
        ('sum(rate(paid_total{a=\\"b\\"}[5m]))', "a single metric with its matchers is expected"),
        ("paid_total[5m]", "a single metric with its matchers is expected"),
        ("(paid_total)", "a single metric with its matchers is expected"),
        ("1", "a single metric with its matchers is expected"),
        ("paid_total offset 5m", "Pyrra drops 'offset' and '@' without a word"),
        ("paid_total @ 12", "Pyrra drops 'offset' and '@' without a word"),
        ('{job=\\"shop\\"}', "a metric's name before the braces is expected"),
    ],
)
def test_a_metric_is_a_plain_selector(metric, message):
    """Pyrra takes it apart into name and matchers, and drops or refuses the rest."""
    text = document(indicator=f'bool_gauge: {{metric: "{metric}"}}')
    (found,) = faults(text)
    assert found.startswith("wrong-value 7: metric is ")
    assert message in found


def test_a_long_metric_is_shown_in_part():
    """As much as anybody reads."""
    (found,) = faults(document(indicator=f"bool_gauge: {{metric: sum({60 * 'x'})}}"))
    assert "xxx...'; a single metric" in found


def test_the_metric_inside_an_expression_is_offered():
    """It is what was meant."""
    text = document(indicator='bool_gauge: {metric: "sum(rate(paid_total{a=\\"b\\"}[5m]))"}')
    (fault,) = of(Fault, text)
    assert 'write paid_total{a="b"}' == fault.hint
    (query,) = of(Slo, text)[0].queries
    assert (query.text, None) == (query.parsable, query.windowed)


def test_a_broken_metric_is_said_once_and_at_its_place():
    """By the check of queries, which needs the text as it stands in the file."""
    text = document(indicator="bool_gauge: {metric: 'up{job=}'}")
    assert [] == faults(text)
    (finding,) = Repo({"slo.yaml": text}).findings("SLO201")
    column = text.splitlines()[6].index("}") + 1
    assert finding.startswith(f"slo.yaml:7:{column}: query 'good' of SLO 'paid' is not valid PromQL: unexpected '}}'")


@pytest.mark.parametrize(
    "bucket", ["paid_seconds_bucket", 'paid_seconds_bucket{le=\\"fast\\"}', 'paid_seconds_bucket{a=\\"1\\"}']
)
def test_the_bucket_of_a_latency_has_a_bound(bucket):
    """Pyrra's webhook refuses one without `le`, or with one that is no number."""
    indicator = f'latency: {{success: {{metric: "{bucket}"}}, total: {{metric: paid_seconds_count}}}}'
    (message,) = faults(document(indicator=indicator))
    assert message.endswith('a matcher of le with a number is expected, such as le="0.5"')


@pytest.mark.parametrize("bound", ['le=~\\"0.5\\"', 'a=\\"b\\",le=\\"+Inf\\"', 'a=\\"b\\", le=\\"5e-1\\"'])
def test_a_bound_may_be_any_number(bound):
    """As Go reads them."""
    indicator = f'latency: {{success: {{metric: "paid_bucket{{{bound}}}"}}, total: {{metric: paid_count}}}}'
    assert [] == faults(document(indicator=indicator))


def test_variables_of_who_deploys_it_may_stand_in_a_metric():
    """They are filled in with something for checking; where nobody can tell with what, nothing is said."""
    inside = slo(indicator='bool_gauge: {metric: \'up{cluster="${cluster}", job=~"a$"}\'}').queries[0]
    assert 'sum(sum_over_time(up{cluster="${cluster}", job=~"a$"}[5m]))' == inside.parsable == inside.windowed("5m")
    named = slo(indicator="bool_gauge: {metric: '${metric}'}").queries[1]
    assert (True, None) == (parse(named.parsable).valid, named.windowed)
    (unclear,) = slo(indicator="bool_gauge: {metric: '${metric} ${operator} up'}").queries
    assert (None, None) == (unclear.parsable, unclear.windowed)


@pytest.mark.parametrize(
    ("indicator", "expected"),
    [
        ("", "missing-field 7: an indicator has neither ratio nor latency nor latencyNative nor bool_gauge"),
        (f"{RATIO}, {LATENCY}", "conflicting-fields 7: an indicator has 'ratio' and 'latency', which exclude each other"),
        ("ratio: {total: {metric: a}}", "missing-field 7: a ratio has no 'errors'"),
        ("ratio: {success: {metric: a}}", "missing-field 7: a ratio with 'success' has neither errors nor total"),
        (
            "ratio: {success: {metric: a}, errors: {metric: b}, total: {metric: c}}",
            "conflicting-fields 7: a ratio with 'success' has 'errors' and 'total', which exclude each other",
        ),
        ("ratio: {errors: {metric: a}, total: {}}", "missing-field 7: a metric has no 'metric'"),
        ("ratio: {errors: {metric: a}, total: {metric: ' '}}", "wrong-value 7: metric is ' '; a metric is expected"),
        ("latency: {total: {metric: a}}", "missing-field 7: a latency has no 'success'"),
        ("latencyNative: {total: {metric: a}}", "missing-field 7: a latencyNative has no 'latency'"),
        ("boolGauge: {metric: up}", "unknown-key 7: 'boolGauge' is not a key of an indicator, so it is not read"),
        ("bool_gauge: {metric: up, groupBy: [a]}", "unknown-key 7: 'groupBy' is not a key of a bool_gauge, so it is not read"),
    ],
)
def test_indicators_have_a_shape(indicator, expected):
    """What is missing, too much or misspelt."""
    assert expected in faults(document(indicator=indicator))


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("alerts: {}", "unknown-key 8: 'alerts' is not a key of an SLO's spec, so it is not read"),
        ("alerting: {disable: true}", "unknown-key 8: 'disable' is not a key of alerting, so it is not read"),
        ("alerting: {disabled: yes please}", "wrong-value 8: disabled is 'yes please'; true or false is expected"),
        ("alerting: {severities: {fast: page}}", "unknown-key 8: 'fast' is not a key of severities, so it is not read"),
        (
            "partial_response_strategy: ignore",
            "wrong-value 8: partial_response_strategy is 'ignore'; one of abort, warn,  is expected",
        ),
        ("ruleOutput: {shortRulesLabels: {a: 1}}", "wrong-value 8: a is '1'; a text in quotes is expected"),
    ],
)
def test_the_rest_of_a_spec_has_a_shape(line, expected):
    """Keys are told with what was meant."""
    assert [expected] == faults(document(line))


def test_a_version_without_its_group_is_put_right():
    """The document can be nothing else."""
    (fault,) = of(Fault, document(version="v1alpha1"))
    assert "wrong-kind" == fault.kind
    assert (fault.at, "v1alpha1", "pyrra.dev/v1alpha1") == (fault.edit.at, fault.edit.old, fault.edit.new)


def test_a_misspelt_kind_is_put_right():
    """The group says that it is Pyrra's, which has one kind."""
    (fault,) = of(Fault, document(kind="ServiceLevelObjektive"))
    assert ("wrong-kind", "ServiceLevelObjective") == (fault.kind, fault.edit.new)


def test_a_document_without_kind_or_version_is_told_so():
    """It would not be read at all."""
    without = document().replace("kind: ServiceLevelObjective\n", "")
    assert ["missing-field 1: a ServiceLevelObjective of Pyrra has no 'kind'"] == faults(without)
    without = document().replace("apiVersion: pyrra.dev/v1alpha1\n", "")
    assert ["missing-field 1: a ServiceLevelObjective of Pyrra has no 'apiVersion'"] == faults(without)


@pytest.mark.parametrize(
    "text",
    [
        document(version="sre.google.com/v2"),
        document(version="example.com/v1"),
        "kind: ServiceLevelObjective\nspec: {target: 1}\n",
        "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: x.pyrra.dev}\n",
        "- kind\n- pyrra.dev/v1alpha1\n",
        "pyrra.dev/v1alpha1\n",
    ],
)
def test_other_peoples_documents_are_left_alone(text):
    """Another group, too little to tell, or no resource at all."""
    assert [] == read(text)


def test_all_documents_of_a_file_are_read():
    """Several in a stream, several in a list, and a duplicate key said once."""
    items = "\n".join(f"  - {line}" if i == 0 else f"    {line}" for i, line in enumerate(document().splitlines()))
    assert ["paid", "paid"] == [found.name for found in of(Slo, f"{document()}---\n{document()}")]
    assert ["paid", "paid"] == [found.name for found in of(Slo, f"apiVersion: v1\nkind: List\nitems:\n{items}\n{items}\n")]
    assert ["duplicate-key 8"] == [line.partition(":")[0] for line in faults(document("window: 2w"))]
    data = json.dumps(
        {"apiVersion": "pyrra.dev/v1alpha1", "kind": "ServiceLevelObjective", "metadata": {"name": "a"}, "spec": {}}
    )
    assert ["a"] == [node.name for node in read(data, "a.json") if isinstance(node, Slo)]


def test_an_objective_without_a_name_is_no_slo():
    """Its queries are checked all the same."""
    text = document(metadata="namespace: x")
    assert (["missing-field 3: metadata has neither name nor generateName"], []) == (faults(text), of(Slo, text))
    assert 1 == len(of(Indicator, text))


def test_a_service_with_such_an_slo_has_one():
    """And the format is found by its marker."""
    assert [] == Repo({"slo.yaml": document()}).findings("SLO001")


ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@given(
    key=st.sampled_from(
        ["metadata", "spec", "target", "window", "indicator", "alerting", "ratio", "latency", "errors", "grouping"]
    ),
    value=ANY,
)
def test_no_value_anywhere_breaks_the_reader(key, value):
    """Whatever stands where something else is expected."""
    data = {
        "apiVersion": "pyrra.dev/v1alpha1",
        "kind": "ServiceLevelObjective",
        "metadata": {"name": "a"},
        "spec": {
            "target": "99",
            "window": "2w",
            "indicator": {"ratio": {"errors": {"metric": "a"}, "total": {"metric": "b"}, "grouping": ["c"]}},
            "alerting": {"name": "x"},
        },
    }
    for holder in (data, data["spec"], data["spec"]["indicator"], data["spec"]["indicator"]["ratio"]):
        if key in holder:
            holder[key] = value
            break
    else:
        data["spec"]["indicator"] = {key: value}
    for node in read(json.dumps(data), "x.json"):
        assert isinstance(node, (Fault, Indicator, Slo))


@given(metric=st.text(alphabet="ab{}[]()=\"',.~!5m #@$\n", max_size=20))
def test_no_metric_breaks_the_reader(metric):
    """What is evaluated of a metric that nothing is said about is PromQL."""
    data = {
        "apiVersion": "pyrra.dev/v1alpha1",
        "kind": "ServiceLevelObjective",
        "metadata": {"name": "a"},
        "spec": {"target": "99", "window": "2w", "indicator": {"bool_gauge": {"metric": metric}}},
    }
    nodes = read(json.dumps(data), "x.json")
    if not any(isinstance(node, Fault) for node in nodes):
        for query in (query for node in nodes if isinstance(node, Slo) for query in node.queries):
            assert query.windowed is None or parse(query.windowed("1h")).valid


@pytest.mark.skipif(not CORPUS.is_dir(), reason="../shared/corpus is not here")
def test_pyrras_own_examples_are_read_without_a_fault():
    """All of them, and every query is PromQL."""
    count = 0
    for path in sorted(CORPUS.rglob("*.yaml")):
        data = path.read_bytes()
        if b"pyrra.dev/v1alpha1\nkind" not in data:
            continue
        nodes = list(FORMAT.read(Source(path.name, data)))
        assert [] == [node for node in nodes if isinstance(node, Fault)]
        for found in (node for node in nodes if isinstance(node, Slo)):
            count += 1
            assert (4, True) == (len(found.burn_rates), found.objective is not None)
            assert all(parse(query.parsable).valid for query in found.queries)
    assert count >= 50
