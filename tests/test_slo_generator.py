"""slo-generator: what is read from its SLOs and its shared configuration, and what is wrong with them."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_reliability.documents import Source
from pytest_reliability.formats.slo_generator import FORMAT
from pytest_reliability.model.nodes import AlertPolicy, Definition, Fault, Indicator, Reference, Slo
from pytest_reliability.promql import parse
from pytest_reliability.testing import Repo

CORPUS = Path(__file__).parents[1].parent / "shared" / "corpus" / "slo" / "google__slo-generator"

GOOD = 'filter_good: "paid_total{code!~\\"5..\\"}"'
VALID = "filter_valid: paid_total"


def read(text, path="slo/x.yaml"):
    """Everything that the reader yields for a file."""
    return list(FORMAT.read(Source(path, text.encode())))


def of(kind, text, path="slo/x.yaml"):
    """The nodes of exactly that kind."""
    return [node for node in read(text, path) if type(node) is kind]


def faults(text, path="slo/x.yaml"):
    """Kind, line and message of each fault."""
    return [f"{fault.kind} {fault.at.line}: {fault.message}" for fault in of(Fault, text, path)]


def document(
    *sli, method="good_bad_ratio", backend="prometheus", goal="0.995", more=(), metadata="name: paid", version="sre.google.com/v2"
):
    """An SLO; `sli` are the lines of its indicator, `more` further ones of its spec."""
    lines = sli or (GOOD, VALID)
    return (
        f"""\
apiVersion: {version}
kind: ServiceLevelObjective
metadata: {{{metadata}}}
spec:
  description: People can pay
  goal: {goal}
  backend: {backend}
  method: {method}
  service_level_indicator:
"""
        + "".join(f"    {line}\n" for line in lines)
        + "".join(f"  {line}\n" for line in more)
    )


def slo(*sli, **changes):
    """The one SLO of a document without faults."""
    text = document(*sli, **changes)
    assert [] == faults(text)
    (found,) = of(Slo, text)
    return found


def step(name="1 hour", window="3600", threshold="9", alert="true"):
    """A step of an error budget policy, as one line."""
    return (
        f"{{name: {name}, window: {window}, burn_rate_threshold: {threshold}, alert: {alert}, "
        "message_alert: Page, message_ok: Fine}"
    )


def configuration(*steps, policy="default", more=""):
    """A shared configuration with one policy."""
    return (
        "backends:\n  prometheus: {url: http://prometheus}\nexporters:\n  pubsub: {topic_name: slos}\n"
        f"error_budget_policies:\n  {policy}:\n    steps:\n" + "".join(f"      - {line}\n" for line in steps or (step(),)) + more
    )


# --- SLOs -------------------------------------------------------------------------------------------------------------


def test_an_slo_becomes_an_slo():
    """Name, service, goal and policy, each with its place."""
    found = slo(metadata="name: paid, labels: {service_name: shop, team: tills}, annotations: {runbook: docs/paid.md}")
    assert ("paid", "shop", "shop/paid", "slo-generator") == (found.name, found.service, found.full_name, found.dialect)
    assert (Decimal("0.995"), "0.995", "ratio") == (found.objective, found.objective_text, found.objective_unit)
    assert ((3, 18), (6, 9)) == ((found.at.line, found.at.column), (found.objective_at.line, found.objective_at.column))
    assert ("tills", "docs/paid.md", "People can pay") == (found.owner, found.runbook, found.description)
    assert (None, ("default",)) == (found.window, found.policies)


@pytest.mark.parametrize("goal", ["0.9950", '"0.9950"'])
def test_a_goal_may_stand_in_quotes(goal):
    """slo-generator makes a number of it."""
    found = slo(goal=goal)
    assert (Decimal("0.9950"), "0.9950") == (found.objective, found.objective_text)


def test_a_goal_may_come_from_the_environment():
    """There is no number to be judged then."""
    assert None is slo(goal="${GOAL}").objective


def test_a_ratio_gets_slo_generators_operators():
    """Sum of the increase, with the window behind a filter that has no place for it, or in that place."""
    found = slo(GOOD, 'filter_valid: "paid_total[window]"')
    assert ["good", "total"] == [query.role for query in found.queries]
    assert 'sum(increase(paid_total{code!~"5.."}[5m]))' == found.queries[0].parsable
    assert "sum(increase(paid_total[1h]))" == found.queries[1].windowed("1h")
    assert (10, 19) == (found.queries[0].at.line, found.queries[0].place(0).column)


def test_other_operators_are_applied_from_left_to_right():
    """The first one innermost."""
    found = slo(GOOD, VALID, "operators: [rate, sum]")
    assert "sum(rate(paid_total[1h]))" == found.queries[1].windowed("1h")


def test_bad_events_are_taken_before_valid_ones():
    """As slo-generator does where both are there."""
    found = slo(GOOD, VALID, "filter_bad: broken_total")
    assert ["good", "bad"] == [query.role for query in found.queries]


def test_a_query_of_the_whole_indicator_is_the_share_of_good_events():
    """It must have a place for the window itself."""
    found = slo("expression: sum(rate(good[window])) / sum(rate(all[window]))", method="query_sli")
    (query,) = found.queries
    assert ("ratio", "good", True) == (query.role, query.ratio_of, query.needs_window)
    assert "sum(rate(good[1h])) / sum(rate(all[1h]))" == query.windowed("1h")
    assert len(query.text) == len(query.parsable)
    assert parse(query.parsable).valid


def test_a_query_without_a_place_for_the_window_has_none():
    """slo-generator would put it at the very end, where it is no PromQL."""
    (query,) = slo("expression: sum(rate(good[5m])) / sum(rate(all[5m]))", method="query_sli").queries
    assert (None, True) == (query.windowed, query.needs_window)


def test_a_cut_puts_the_bucket_into_the_braces():
    """Good events are in the bucket, all of them in the count beside it; the threshold is a latency."""
    found = slo('expression: paid_seconds_bucket{path="/"}', "threshold_bucket: 0.25", method="distribution_cut")
    assert [
        ("good", 'sum(increase(paid_seconds_bucket{path="/", le="0.25"}[1h]))'),
        ("total", 'sum(increase(paid_seconds_count{path="/"}[1h]))'),
    ] == [(query.role, query.windowed("1h")) for query in found.queries]
    assert 0.25 == found.latency.seconds


def test_a_cut_without_braces_counts_every_bucket():
    """There is nowhere for slo-generator to put the bucket."""
    text = document("expression: paid_seconds_bucket", "threshold_bucket: 1", method="distribution_cut")
    (message,) = faults(text)
    assert message.startswith("wrong-value 10: expression is 'paid_seconds_bucket'; matchers in braces are expected")


def test_a_cut_without_a_bucket_has_only_all_events():
    """The bucket that is missing is told."""
    text = document("expression: 'paid_bucket{a=\"b\"}'", method="distribution_cut")
    assert ["missing-field 10: the SLI of distribution_cut on prometheus has no 'threshold_bucket'"] == faults(text)
    assert ["total"] == [query.role for query in of(Slo, text)[0].queries]


@pytest.mark.parametrize(
    ("lines", "method", "column"),
    [
        (('expression: "sum(rate(good[window])"',), "query_sli", 21),
        (('filter_good: "paid_total{code=}"', VALID), "good_bad_ratio", 35),
        (('expression: "paid_bucket{a=}"', "threshold_bucket: 1"), "distribution_cut", 32),
    ],
)
def test_a_broken_query_is_said_once_and_at_its_place(lines, method, column):
    """By the check of queries, which needs the text as it stands in the file."""
    text = document(*lines, method=method)
    (finding,) = Repo({"slo.yaml": text}).findings("SLO201")
    assert finding.startswith(f"slo.yaml:10:{column}: query ")


def test_what_is_broken_only_by_slo_generators_operators_is_broken():
    """The increase of a sum is none."""
    text = document('filter_good: "sum(rate(good[window]))"', VALID)
    (finding,) = Repo({"slo.yaml": text}).findings("SLO201")
    said = "query 'good' of SLO 'paid' is not valid PromQL: increase() takes a range vector here, not an instant vector"
    assert finding.startswith(f"slo.yaml:10:18: {said}")


def test_environment_variables_may_stand_in_a_query():
    """They are filled in for checking, and left alone for everything else; what cannot be filled in is not judged."""
    found = slo('filter_good: "paid_total{cluster=\\"${CLUSTER}\\"}"', 'filter_valid: "${METRIC}{cluster=\\"x\\"}"')
    assert all(parse(query.parsable).valid for query in found.queries)
    assert 'sum(increase(paid_total{cluster="${CLUSTER}"}[1h]))' == found.queries[0].windowed("1h")
    assert None is found.queries[1].windowed
    (query,) = slo("expression: sum(rate(${METRIC}[window]))", method="query_sli").queries
    assert (True, None, False) == (parse(query.parsable).valid, query.windowed, query.needs_window)
    found = slo('filter_good: "a ${OPERATOR} b"', VALID)
    assert (None, None) == (found.queries[0].parsable, found.queries[0].windowed)


@pytest.mark.parametrize(
    ("backend", "method", "lines", "expected"),
    [
        (
            "cloud_monitoring",
            "good_bad_ratio",
            ("filter_good: a", "filter_bad: b"),
            [("good", "cloud monitoring filter"), ("bad", "cloud monitoring filter")],
        ),
        (
            "cloud_monitoring/other",
            "distribution_cut",
            ("filter_valid: a", "threshold_bucket: 19"),
            [("total", "cloud monitoring filter")],
        ),
        ("cloud_monitoring_mql", "query_sli", ("query: fetch x | ratio",), [("ratio", "mql")]),
        ("datadog", "good_bad_ratio", ("query_good: a{b:c}", "query_valid: a{*}"), [("good", "datadog"), ("total", "datadog")]),
        ("datadog", "query_slo", ("slo_id: abc",), []),
        (
            "dynatrace",
            "good_bad_ratio",
            ("query_good: {metric_selector: a}", "query_valid: {metric_selector: b}"),
            [("good", "dynatrace"), ("total", "dynatrace")],
        ),
        ("open_search", "good_bad_ratio", ("index: x", "query_good: {must: {a: b}}", "query_bad: {}"), []),
        ("splunk", "query_sli", ("search_query: search x",), [("ratio", "splunk")]),
        ("splunk", "good_bad_ratio", ("search_query_good: x", "search_query_bad: y"), [("good", "splunk"), ("bad", "splunk")]),
        ("our.own.Backend", "whatever", ("filter_good: a", "anything: b"), [("good", "")]),
    ],
)
def test_queries_of_other_backends_are_known_to_be_there(backend, method, lines, expected):
    """Their languages are not read."""
    assert expected == [(query.role, query.language) for query in slo(*lines, backend=backend, method=method).queries]


def test_the_share_of_good_events_is_told_in_other_languages_too():
    """slo-generator's indicators are never shares of bad ones."""
    (query,) = slo("query: x", backend="datadog", method="query_sli").queries
    assert ("good", None, "x") == (query.ratio_of, query.parsable, query.text)


@pytest.mark.parametrize(
    ("lines", "method", "seconds"),
    [
        (("latency: {threshold: 724}",), "basic", 0.724),
        (("availability: {}",), "basic", None),
        (("latency: {threshold: fast}",), "basic", None),
        (("filter_valid: a", "range_max: 724"), "distribution_cut", None),
    ],
)
def test_googles_own_indicator_has_a_threshold_in_milliseconds(lines, method, seconds):
    """Of other methods the unit is the metric's, which is not known here."""
    found = slo(*lines, method=method, backend="cloud_service_monitoring")
    assert seconds == (found.latency and found.latency.seconds)


def test_the_indicator_is_a_node_of_its_own():
    """Checks of queries ask it."""
    (found,) = of(Indicator, document())
    assert ("SLO 'paid'", 10, "slo-generator") == (found.holder, found.at.line, found.dialect)


@pytest.mark.parametrize(
    ("backend", "method", "lines", "expected"),
    [
        (
            "prometheus",
            "good_bad_ratio",
            (GOOD,),
            "missing-field 10: the SLI of good_bad_ratio on prometheus has neither filter_bad nor filter_valid",
        ),
        ("prometheus", "query_sli", ("{}",), "missing-field 10: the SLI of query_sli on prometheus has no 'expression'"),
        (
            "prometheus",
            "query_sli",
            ("expresion: a[window]",),
            "unknown-key 10: 'expresion' is not a key of the SLI of query_sli on prometheus, so it is not read",
        ),
        (
            "prometheus",
            "good_bad_ratio",
            (GOOD, VALID, "operators: sum"),
            "wrong-value 12: operators is 'sum'; a list is expected",
        ),
        (
            "prometheus",
            "good_bad_ration",
            (GOOD, VALID),
            (
                "wrong-value 8: method is 'good_bad_ration'; one of good_bad_ratio, query_sli, distribution_cut is expected "
                "on prometheus"
            ),
        ),
        (
            "elasticsearch",
            "good_bad_ratio",
            ("query_good: {}", "query_bad: {}"),
            "missing-field 10: the SLI of good_bad_ratio on elasticsearch has no 'index'",
        ),
    ],
)
def test_an_indicator_has_what_its_method_needs(backend, method, lines, expected):
    """Which depends on the backend."""
    assert [expected] == faults(document(*lines, backend=backend, method=method))


def test_a_misspelt_method_is_put_right():
    """It takes no thought."""
    (fault,) = of(Fault, document(method="good_bad_ration"))
    assert (fault.at, "good_bad_ration", "good_bad_ratio") == (fault.edit.at, fault.edit.old, fault.edit.new)


def test_a_method_or_a_key_that_is_like_nothing_known_may_be_new():
    """slo-generator grows."""
    assert [] == faults(document(GOOD, VALID, "horizon: 5", backend="prometheus"))
    assert [] == faults(document("anything: 5", backend="prometheus", method="forecast"))


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("  goal: 0.995\n", "", "missing-field 5: an SLO's spec has no 'goal'"),
        ("goal: 0.995", "goal: high", "wrong-value 6: goal is 'high'; a ratio such as 0.999 is expected"),
        ("goal: 0.995", "target: 0.995", "unknown-key 6: 'target' is not a key of an SLO's spec, so it is not read"),
        ("  description: People can pay\n", "", "missing-field 5: an SLO's spec has no 'description'"),
        ("metadata: {name: paid}", "metadata: {}", "missing-field 3: metadata has no 'name'"),
        ("apiVersion: sre.google.com/v2\n", "", "missing-field 1: a ServiceLevelObjective of slo-generator has no 'apiVersion'"),
        (
            "apiVersion:",
            "api:",
            "unknown-key 1: 'api' is not a key of a ServiceLevelObjective of slo-generator, so it is not read",
        ),
        (
            "sre.google.com/v2",
            "sre.google.com/v1",
            "wrong-kind 1: apiVersion is 'sre.google.com/v1'; 'sre.google.com/v2' is expected",
        ),
        ("ServiceLevelObjective", "SLO", "wrong-kind 2: kind is 'SLO'; 'ServiceLevelObjective' is expected"),
        (
            "  method: good_bad_ratio",
            "  method: good_bad_ratio\n  exporters: pubsub",
            "wrong-value 9: exporters is 'pubsub'; a list is expected",
        ),
    ],
)
def test_slos_have_a_shape(old, new, expected):
    """What is missing, misspelt or of the wrong kind; the SLO is read all the same."""
    text = document().replace(old, new)
    assert [expected] == faults(text)
    assert 1 == len(of(Indicator, text))


# --- References -------------------------------------------------------------------------------------------------------


def test_an_slo_refers_to_the_shared_configuration():
    """slo-generator exits with 0 where backend or policy is not there."""
    text = document(backend="prometheus/eu", more=("error_budget_policy: fast", "exporters: [pubsub, '${EXPORTER}', 5]"))
    assert [
        ("slo-generator backend", "prometheus/eu", 7),
        ("error budget policy", "fast", 12),
        ("slo-generator exporter", "pubsub", 13),
    ] == [(found.kind, found.name, found.at.line) for found in of(Reference, text)]
    assert ("fast",) == of(Slo, text)[0].policies


def test_a_name_from_the_environment_refers_to_nothing_that_is_known():
    """It is filled in later."""
    text = document(backend="${BACKEND}", more=("error_budget_policy: ${POLICY}", "exporters: 5"))
    assert [] == of(Reference, text)


def test_a_name_that_is_defined_nowhere_dangles():
    """Where any other of its kind is defined; otherwise the configuration is simply elsewhere."""
    files = {"slo.yaml": document(more=("error_budget_policy: fats",)), "config.yaml": configuration(policy="fast")}
    said = "slo.yaml:12:24: SLO 'paid' refers to error budget policy 'fats', which is not defined\n  did you mean fast?"
    assert [said] == Repo(files).findings("DOC009")
    del files["config.yaml"]
    assert [] == Repo(files).findings("DOC009")


# --- Error budget policies --------------------------------------------------------------------------------------------


def test_each_step_of_a_policy_is_an_alert_on_a_burn_rate():
    """One that alerts pages, the others are for working hours."""
    (policy,) = of(AlertPolicy, configuration(step(), step("7 days", "604800", "1.5", "false")))
    assert ("default", 6) == (policy.name, policy.at.line)
    assert [
        (Decimal(9), "1h", 3600.0, "page", "step '1 hour' of error budget policy 'default'", 8),
        (Decimal("1.5"), "1w", 604800.0, "ticket", "step '7 days' of error budget policy 'default'", 9),
    ] == [
        (rate.factor, rate.long.text, rate.long.seconds, rate.severity, rate.holder, rate.factor_at.line)
        for rate in policy.burn_rates
    ]


def test_an_slo_is_alerted_on_by_its_policy():
    """The one that it names, or the default."""
    repo = Repo({"slo.yaml": document(), "config.yaml": configuration()})
    (found,) = repo.graph.of(Slo)
    assert [Decimal(9)] == [rate.factor for rate in repo.graph.burn_rates_of(found)]


def test_what_a_configuration_defines():
    """Backends, exporters and policies, each at its name."""
    assert [
        ("slo-generator backend", "prometheus", 2),
        ("slo-generator exporter", "pubsub", 4),
        ("error budget policy", "default", 6),
    ] == [(found.kind, found.name, found.at.line) for found in of(Definition, configuration())]
    exporters = "default_exporters: [bigquery]\nexporters:\n  bigquery: {dataset_id: x}\n"
    assert ["bigquery"] == [found.name for found in of(Definition, exporters)]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (step(window="1h"), "wrong-value 8: window is '1h'; a number of seconds such as 3600 is expected"),
        (step(window="0"), "wrong-value 8: window is '0'; a number of seconds such as 3600 is expected"),
        (step(threshold="fast"), "wrong-value 8: burn_rate_threshold is 'fast'; a burn rate such as 9 is expected"),
        (step(alert="maybe"), "wrong-value 8: alert is 'maybe'; true or false is expected"),
        (step().replace(", message_ok: Fine", ""), "missing-field 8: a step has no 'message_ok'"),
        (
            step().replace("window", "measurement_window_seconds"),
            "unknown-key 8: 'measurement_window_seconds' is not a key of a step, so it is not read",
        ),
    ],
)
def test_steps_have_a_shape(line, expected):
    """What is missing, misspelt or of the wrong kind; the step is read as far as it can be."""
    text = configuration(line)
    assert expected in faults(text)
    assert 1 == len(of(AlertPolicy, text)[0].burn_rates)


def test_a_step_may_come_from_the_environment():
    """What it is, nobody can tell."""
    text = configuration(step(window="'${WINDOW}'", threshold="'${FACTOR}'", alert="'${PAGE}'"))
    assert [] == faults(text)
    ((rate,),) = [policy.burn_rates for policy in of(AlertPolicy, text)]
    assert (None, None, "ticket") == (rate.factor, rate.long, rate.severity)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "error_budget_policies:\n  default: []\n",
            "wrong-value 2: default is an empty list; an error budget policy (a mapping) is expected",
        ),
        ("error_budget_policies:\n  default: {steps: 5}\n", "wrong-value 2: steps is '5'; a list is expected"),
        (
            "error_budget_policies: {}\nexporters: {}\nbackend: {}\n",
            "unknown-key 3: 'backend' is not a key of a configuration of slo-generator, so it is not read",
        ),
        (
            "error_budget_policies: {}\nbackends: {prometheus: }\n",
            "wrong-value 2: prometheus is empty; a block of settings (a mapping) is expected",
        ),
        ("error_budget_policies: 5\n", "wrong-value 1: error_budget_policies is '5'; a mapping is expected"),
    ],
)
def test_configurations_have_a_shape(text, expected):
    """Whatever else a company puts there is left alone."""
    assert [expected] == faults(text)
    assert [] == faults(configuration(more="our_own: 5\n"))


@pytest.mark.parametrize(
    "text",
    [
        "slos: []\nerror_budget_policies: [{name: standard, burn_rates: [14.4]}]\n",
        "service: checkout\nerror_budget_policies: {spent: {freeze: true}}\n",
        "error_budget_policies: [{name: standard}]\n",
    ],
)
def test_policies_of_other_tools_are_left_alone(text):
    """Without steps, exporters or backends nothing says that a policy is one of slo-generator's."""
    assert [] == faults(text)


# --- Version 1 --------------------------------------------------------------------------------------------------------

FIRST = """\
service_name: shop
feature_name: tills
slo_name: paid
slo_description: People can pay
slo_target: 0.95
backend:
  class: Prometheus
  method: good_bad_ratio
  url: ${PROMETHEUS_URL}
  measurement:
    filter_good: paid_total{code="200"}[window]
    filter_valid: paid_total[window]
metadata: {team: money}
"""


def test_version_1_is_read_as_it_would_be_migrated():
    """Its name is made of three, its policy is the default."""
    assert [] == faults(FIRST)
    (found,) = of(Slo, FIRST)
    assert ("shop-tills-paid", "shop", Decimal("0.95"), 3) == (found.name, found.service, found.objective, found.at.line)
    assert ("money", ("default",), "People can pay") == (found.owner, found.policies, found.description)
    assert ['sum(increase(paid_total{code="200"}[1h]))', "sum(increase(paid_total[1h]))"] == [
        query.windowed("1h") for query in found.queries
    ]
    assert [] == of(Reference, FIRST)


def test_an_slo_may_still_be_there_in_version_1():
    """While a repository is migrated; slo-generator runs only those of its own version."""
    second = document(metadata="name: shop-tills-paid, labels: {service_name: shop}")
    assert [] == Repo({"old.yaml": FIRST, "slo.yaml": second}).findings("DOC010")
    assert 1 == len(Repo({"a.yaml": second, "b.yaml": second}).findings("DOC010"))


def test_backends_of_version_1_had_other_names():
    """Stackdriver is called Cloud Monitoring today."""
    text = FIRST.replace("Prometheus\n", "StackdriverServiceMonitoring\n")
    assert ["cloud monitoring filter"] * 2 == [query.language for query in of(Slo, text)[0].queries]


def test_version_1_has_a_shape_too():
    """What its SLOs cannot do without."""
    text = FIRST.replace("  class: Prometheus\n", "").replace("feature_name: tills\n", "")
    assert [
        "missing-field 1: an SLO of slo-generator, version 1 has no 'feature_name'",
        "missing-field 6: a backend has no 'class'",
    ] == sorted(faults(text))
    assert ["shop-paid"] == [found.name for found in of(Slo, text)]


@pytest.mark.parametrize(
    ("path", "name"),
    [("error_budget_policy.yaml", "default"), ("slo/error_budget_policy_fast.yaml", "fast"), ("slo/lazy.yaml", "lazy")],
)
def test_a_policy_of_version_1_is_a_file_of_its_own(path, name):
    """Its steps have longer names."""
    text = """\
- error_budget_policy_step_name: 1 hour
  measurement_window_seconds: 3600
  alerting_burn_rate_threshold: 9
  urgent_notification: true
  overburned_consequence_message: Page
  achieved_consequence_message: Fine
"""
    assert [] == faults(text, path)
    (policy,) = of(AlertPolicy, text, path)
    (rate,) = policy.burn_rates
    assert (name, Decimal(9), "1h", "page") == (policy.name, rate.factor, rate.long.text, rate.severity)
    assert f"step '1 hour' of error budget policy {name!r}" == rate.holder
    broken = text.replace("  measurement_window_seconds: 3600\n", "")
    assert ["missing-field 1: a step has no 'measurement_window_seconds'"] == faults(broken, path)


# --- Which files ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        document(version="pyrra.dev/v1alpha1"),
        "apiVersion: sre.google.com/v2\nkind: ErrorBudgetPolicy\n",
        "kind: ServiceLevelObjective\nspec: {goal: 0.9}\n",
        "slo_target: 0.9\n",
        "default_exporters: [a]\n",
        "- alerting_burn_rate_threshold: 5\n- other\n",
        "[]\n",
        "error_budget_policies\n",
    ],
)
def test_other_peoples_documents_are_left_alone(text):
    """Another group, another kind, or too little to tell."""
    assert [] == read(text)


def test_a_duplicate_key_is_reported_and_json_is_read():
    """Once for the document that it is in."""
    assert ["duplicate-key 12"] == [line.partition(":")[0] for line in faults(document(more=("goal: 0.9",)))]
    data = {"apiVersion": "sre.google.com/v2", "kind": "ServiceLevelObjective", "metadata": {"name": "a"}, "spec": {}}
    (found,) = [node for node in read(json.dumps(data), "a.json") if isinstance(node, Slo)]
    assert ("a", None, found.at) == (found.name, found.objective, found.objective_at)


def test_an_slo_without_a_name_is_none():
    """Its queries are checked all the same."""
    text = document(metadata="labels: {a: b}")
    assert ([], 1) == (of(Slo, text), len(of(Indicator, text)))


def test_a_service_with_such_an_slo_has_one():
    """And the format is found by its marker."""
    assert [] == Repo({"slo.yaml": document()}).findings("SLO001")
    assert [] == Repo({"slo.yaml": FIRST}).findings("SLO001")


ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@given(value=ANY, which=st.integers(0, 60))
def test_no_value_anywhere_breaks_the_reader(value, which):
    """Whatever stands where something else is expected, in each of the four kinds of file."""
    files = [
        json.loads(json.dumps(data))
        for data in (
            {
                "apiVersion": "sre.google.com/v2",
                "kind": "ServiceLevelObjective",
                "metadata": {"name": "a", "labels": {"service_name": "b"}},
                "spec": {
                    "goal": 0.9,
                    "backend": "prometheus",
                    "method": "distribution_cut",
                    "exporters": ["x"],
                    "error_budget_policy": "y",
                    "service_level_indicator": {
                        "expression": "a{}",
                        "threshold_bucket": 1,
                        "operators": ["sum"],
                        "filter_good": "b",
                    },
                },
            },
            {
                "service_name": "a",
                "feature_name": "b",
                "slo_name": "c",
                "slo_target": 0.9,
                "backend": {
                    "class": "Prometheus",
                    "method": "good_bad_ratio",
                    "measurement": {"filter_good": "a", "filter_bad": "b"},
                },
            },
            {
                "backends": {"a": {}},
                "error_budget_policies": {"a": {"steps": [{"name": "b", "window": 5, "burn_rate_threshold": 1}]}},
            },
            [{"alerting_burn_rate_threshold": 1, "measurement_window_seconds": 5, "urgent_notification": True}],
        )
    ]
    data = files[which % 4]
    places = []

    def walk(holder):
        for name, inner in list(holder.items() if isinstance(holder, dict) else enumerate(holder)):
            places.append((holder, name))
            if isinstance(inner, (dict, list)):
                walk(inner)

    walk(data)
    holder, name = places[which % len(places)]
    holder[name] = value
    for node in read(json.dumps(data), "x.json"):
        assert isinstance(node, (AlertPolicy, Definition, Fault, Indicator, Reference, Slo))


@pytest.mark.skipif(not CORPUS.is_dir(), reason="../shared/corpus is not here")
def test_slo_generators_own_samples_are_read_without_a_fault():
    """All of them, with every query of Prometheus being PromQL."""
    names = set()
    for path in sorted(CORPUS.glob("samples/**/*.yaml")):
        nodes = list(FORMAT.read(Source(path.relative_to(CORPUS).as_posix(), path.read_bytes())))
        assert [] == [node for node in nodes if isinstance(node, Fault)]
        for found in (node for node in nodes if isinstance(node, Slo)):
            names.add(found.name)
            assert found.objective is not None
            assert all(query.language != "promql" or parse(query.parsable).valid for query in found.queries)
    assert len(names) >= 20
