"""Nobl9: what is read from its SLOs and alert policies, and what is wrong with them."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_reliability.documents import Source
from pytest_reliability.formats.nobl9 import FORMAT
from pytest_reliability.model.nodes import AlertPolicy, BurnRate, Definition, Fault, Indicator, Reference, Replace, Slo
from pytest_reliability.testing import Repo

SLO = """\
apiVersion: n9/v1alpha
kind: SLO
metadata:
  name: checkout
  project: shop
  labels: {team: [payments], tier: ["1", "2"]}
  annotations: {runbook: docs/checkout.md}
spec:
  description: Checkout answers
  service: cart
  indicator:
    metricSource: {name: prometheus, project: monitoring, kind: Agent}
  budgetingMethod: Occurrences
  objectives:
    - name: answers
      displayName: Answers
      target: 0.9950
      value: 1
      countMetrics:
        incremental: true
        good: {prometheus: {promql: 'sum(hits_total{code!~"5.."})'}}
        total: {prometheus: {promql: sum(hits_total)}}
  timeWindows:
    - {unit: Day, count: 28, isRolling: true}
  alertPolicies: [fast-burn]
  attachments:
    - {url: "https://grafana.example.com/d/1", displayName: Grafana}
"""
POLICY = """\
apiVersion: n9/v1alpha
kind: AlertPolicy
metadata: {name: fast-burn, project: shop}
spec:
  severity: High
  coolDown: 5m
  conditions:
    - {measurement: averageBurnRate, value: 14.4, alertingWindow: 1h, op: gte}
  alertMethods:
    - metadata: {name: pagerduty, project: shop}
"""
COMPOSITE = """\
apiVersion: n9/v1alpha
kind: SLO
metadata: {name: shopping, project: shop}
spec:
  service: cart
  budgetingMethod: Occurrences
  objectives:
    - name: all
      target: 0.99
      composite:
        maxDelay: 45m0s
        aggregationMethod: Reliability
        components:
          objectives:
            - {project: shop, slo: checkout, objective: answers, weight: 1.50, whenDelayed: CountAsGood}
            - {project: shop, slo: search, objective: fast, weight: 4, whenDelayed: Ignore}
            - {project: shop, slo: search, objective: right, weight: 4, whenDelayed: CountAsBad}
  timeWindows:
    - {unit: Month, count: 1, calendar: {startTime: 2026-01-01 00:00:00, timeZone: Europe/Berlin}}
"""


def read(text, path="slo/checkout.yaml"):
    """Everything that the reader yields for a file."""
    return list(FORMAT.read(Source(path, text.encode())))


def of(kind, text):
    """The nodes of exactly that kind."""
    return [node for node in read(text) if type(node) is kind]


def faults(text):
    """Kind, line and message of each fault."""
    return [f"{fault.kind} {fault.at.line}: {fault.message}" for fault in of(Fault, text)]


def objectives(*lines, head=SLO):
    """The SLO with other objectives."""
    before, _, after = head.partition("  objectives:\n")
    return before + "  objectives:\n" + "".join(f"    {line}\n" for line in lines) + after[after.index("  timeWindows") :]


def threshold(query, op="lte", value=0.3):
    """The SLO with one objective that compares values."""
    return objectives(f"- {{target: 0.99, op: {op}, value: {value}, rawMetric: {{query: {query}}}}}")


def test_an_objective_is_an_slo():
    """A single one is called like the document, and stands where its name does."""
    assert [] == faults(SLO)
    (found,) = of(Slo, SLO)
    assert ("cart/checkout", "project shop", "nobl9", Decimal("0.9950"), "0.9950", "ratio") == (
        found.full_name, found.scope, found.dialect, found.objective, found.objective_text, found.objective_unit,
    )  # fmt: skip
    assert [(4, 9), (17, 15), (24, 26)] == [(at.line, at.column) for at in (found.at, found.objective_at, found.window_at)]
    assert ("28d", True, "occurrences", None, None) == (
        found.window.text, found.rolling, found.method, found.slice, found.slice_objective,
    )  # fmt: skip
    assert ("payments", "docs/checkout.md", "https://grafana.example.com/d/1") == (found.owner, found.runbook, found.dashboard)
    assert (("fast-burn",), {"team": "payments", "tier": "1, 2"}) == (found.policies, found.labels)
    assert (None, "", "Checkout answers") == (found.threshold, found.operator, found.description)
    (found,) = of(Slo, SLO.replace("displayName: Grafana", "displayName: Ticket"))
    assert found.dashboard is None


def test_its_queries_are_promql():
    """Nobl9 fills nothing in, so that they are what they say."""
    (found,) = of(Indicator, SLO)
    assert [
        ("good", "promql", 'sum(hits_total{code!~"5.."})', 'sum(hits_total{code!~"5.."})'),
        ("total", "promql", "sum(hits_total)", "sum(hits_total)"),
    ] == [(query.role, query.language, query.text, query.parsable) for query in found.queries]
    assert ("SLO 'checkout'", "nobl9", (21, 41)) == (
        found.holder, found.dialect, (found.queries[0].place(3).line, found.queries[0].place(3).column),
    )  # fmt: skip
    assert all(query.windowed is None and not query.needs_window for query in found.queries)


def test_invalid_promql_is_found_where_it_is():
    """SLO201 asks the same of every dialect."""
    (finding,) = Repo({"slo.yaml": SLO.replace("sum(hits_total)}", "sum(hits_total}")}).findings("SLO201")
    assert finding.startswith("slo.yaml:22:")


def test_of_several_objectives_each_is_an_slo():
    """Named by its name, what is shown of it, or its number."""
    metric = "countMetrics: {incremental: false, good: {datadog: {query: a}}, total: {datadog: {query: b}}}"
    text = objectives(
        f"- {{name: fast, target: 0.9, value: 1, {metric}}}",
        f"- {{displayName: Good enough, target: 0.99, value: 2, {metric}}}",
        f"- {{target: 0.999, value: 3, {metric}}}",
    )
    assert [] == faults(text)
    assert [("checkout:fast", 15), ("checkout:Good enough", 16), ("checkout:3", 17)] == [
        (slo.name, slo.at.line) for slo in of(Slo, text)
    ]
    assert {"datadog"} == {query.language for slo in of(Slo, text) for query in slo.queries}


def test_timeslices_are_good_where_so_much_of_them_is():
    """How long they are is not said."""
    text = SLO.replace("Occurrences", "Timeslices").replace("target: 0.9950", "target: 0.9950\n      timeSliceTarget: 0.80")
    (found,) = of(Slo, text)
    assert ([], "timeslices", None, Decimal("0.80")) == (faults(text), found.method, found.slice, found.slice_objective)


def test_a_raw_metric_is_compared_with_a_value():
    """Where its name gives the unit, that is a latency."""
    text = threshold("{prometheus: {promql: request_seconds}}")
    (found,) = of(Slo, text)
    assert ([], Decimal("0.3"), "lte", "0.3s", ["threshold"]) == (
        faults(text), found.threshold, found.operator, found.latency.text, [query.role for query in found.queries],
    )  # fmt: skip
    assert of(Slo, threshold("{prometheus: {promql: request_seconds}}", "gte"))[0].latency is None
    assert of(Slo, threshold("{newRelic: {nrql: SELECT x}}"))[0].latency is None


def test_one_metric_may_be_there_for_all_objectives():
    """The older form: its queries stand once."""
    text = objectives(
        "- {name: a, target: 0.9, value: 1, op: lt}",
        "- {name: b, target: 0.99, value: 2, op: lt}",
        head=SLO.replace("kind: Agent}", "kind: Agent}\n    rawMetric: {graphite: {metricPath: stats.p99}}"),
    )
    assert [] == faults(text)
    assert [(Decimal(1), "stats.p99"), (Decimal(2), "stats.p99")] == [
        (slo.threshold, slo.queries[0].text) for slo in of(Slo, text)
    ]
    assert 1 == len(of(Indicator, text))


@pytest.mark.parametrize(
    ("query", "language", "text"),
    [
        ("{amazonPrometheus: {promql: up}}", "promql", "up"),
        ("{azurePrometheus: {promql: up}}", "promql", "up"),
        ("{coralogix: {promql: up}}", "promql", "up"),
        ("{datadog: {query: 'avg:x{*}'}}", "datadog", "avg:x{*}"),
        ("{grafanaLoki: {logql: 'count'}}", "logql", "count"),
        ("{newRelic: {nrql: SELECT 1}}", "newRelic", "SELECT 1"),
        ("{bigQuery: {query: SELECT 1, projectId: p, location: EU}}", "bigQuery", "SELECT 1"),
        ("{cloudWatch: {region: eu-central-1, sql: SELECT 1}}", "cloudWatch", "SELECT 1"),
        ("{cloudWatch: {region: r, namespace: n, metricName: m, stat: Sum}}", "cloudWatch",
         "region: r, namespace: n, metricName: m, stat: Sum"),
        ("{instana: {metricType: application, application: {metricId: latency}}}", "instana",
         "metricType: application, metricId: latency"),
        ("{pingdom: {checkId: '1', status: up}}", "pingdom", "checkId: 1, status: up"),
        ("{thousandEyes: {testID: 3, testType: net-loss}}", "thousandEyes", "testID: 3, testType: net-loss"),
        ("{lightstep: {streamId: x, typeOfData: latency}}", "lightstep", "streamId: x, typeOfData: latency"),
        ("{dynatrace: {metricSelector: 'a:b'}}", "dynatrace", "a:b"),
    ],
)  # fmt: skip
def test_every_data_source_is_asked_something(query, language, text):
    """A text, or fields put together; only what is known to be PromQL is."""
    (found,) = of(Slo, threshold(query))
    assert [] == faults(threshold(query))
    assert [(language, text, text if language == "promql" else None)] == [
        (query.language, query.text, query.parsable) for query in found.queries
    ]


def test_placeholders_of_whoever_renders_the_file_are_filled_in():
    """As in every dialect that has none of its own."""
    (found,) = of(Slo, threshold("{prometheus: {promql: 'rate(a[$__rate_interval])'}}"))
    parsable = found.queries[0].parsable
    assert ("rate(a[", False) == (parsable[:7], "$" in parsable)


def test_fields_are_put_together_once():
    """However often an alias refers to them."""
    (found,) = of(Slo, threshold("{instana: {metricType: application, application: &a {metricId: x}, infrastructure: *a}}"))
    assert ["metricType: application, metricId: x"] == [query.text for query in found.queries]


def test_a_data_source_nobody_knows_is_no_mistake():
    """Nobl9 adds one every few months; one that is misspelt is told."""
    (found,) = of(Slo, threshold("{brandNew: {ask: me}}"))
    assert ([], ()) == (faults(threshold("{brandNew: {ask: me}}")), found.queries)
    (fault,) = faults(threshold("{promethues: {promql: up}}"))
    assert fault.startswith("unknown-key 15: 'promethues' is not a key of a metric")


def test_good_and_total_may_come_from_one_query():
    """It has no role of its own."""
    text = objectives(
        "- {target: 0.9, countMetrics: {incremental: true, goodTotal: {splunk: {query: search}}}}",
    )
    assert ([], [("", "search")]) == (faults(text), [(query.role, query.text) for query in of(Slo, text)[0].queries])


def test_a_composite_is_made_of_other_slos():
    """By name; where two of its parts are objectives of one SLO, by both."""
    (found,) = of(Slo, COMPOSITE)
    assert [] == faults(COMPOSITE)
    assert [("checkout", Decimal("1.50"), 15), ("search:fast", Decimal(4), 16), ("search:right", Decimal(4), 17)] == [
        (part.name, part.weight, part.at.line) for part in found.parts
    ]
    assert ("1M", False, ()) == (found.window.text, found.rolling, found.queries)
    text = COMPOSITE.replace("{project: shop, slo: checkout, objective: answers", "{project: mall, slo: search, objective: fast")
    assert ["mall/search:fast", "shop/search:fast", "search:right"] == [part.name for part in of(Slo, text)[0].parts]
    text = COMPOSITE.replace("objective: right", "objective: fast")
    assert ["checkout", "search", "search"] == [part.name for part in of(Slo, text)[0].parts]
    text = COMPOSITE.replace("slo: checkout, ", "")
    assert ["search:fast", "search:right"] == [part.name for part in of(Slo, text)[0].parts]


def test_the_older_composite_is_made_of_the_objectives_beside_it():
    """It is an SLO of its own."""
    text = SLO.replace("  timeWindows", "  composite: {target: 0.9, burnRateCondition: {op: gt, value: 1}}\n  timeWindows")
    assert [] == faults(text)
    _, found = of(Slo, text)
    assert ("checkout:composite", Decimal("0.9"), (), 23) == (found.name, found.objective, found.queries, found.at.line)
    assert [("checkout", Decimal("0.9950"))] == [(part.name, part.target) for part in found.parts]


def test_an_empty_name_is_none():
    """Nobl9 makes one up for an objective, and takes an alert method from the SLO's own project."""
    assert [] == faults(SLO.replace("name: answers\n", 'name: ""\n'))
    (fault,) = faults(SLO.replace("service: cart\n", 'service: ""\n'))
    assert "service is ''" in fault


def test_names_refer_to_what_the_project_has():
    """Services and policies of the SLO's project, parts of any."""
    assert {("service", "cart", "project shop"), ("Nobl9 alert policy", "fast-burn", "project shop")} == {
        (node.kind, node.name, node.scope) for node in of(Reference, SLO)
    }
    assert ("Nobl9 SLO", "checkout", "project shop") in {(node.kind, node.name, node.scope) for node in of(Reference, COMPOSITE)}
    service = "apiVersion: n9/v1alpha\nkind: Service\nmetadata: {name: cart, project: shop}\nspec: {}\n"
    assert [] == faults(service)
    defined = [*of(Definition, SLO), *of(Definition, POLICY), *of(Definition, service)]
    assert {
        ("SLO", "checkout", "project shop"),
        ("Nobl9 SLO", "checkout", "project shop"),
        ("Nobl9 alert policy", "fast-burn", "project shop"),
        ("service", "cart", "project shop"),
    } == {(node.kind, node.name, node.scope) for node in defined}


def test_a_policy_that_nobody_defines_is_told_where_others_are():
    """A repository without any keeps them elsewhere."""
    assert [] == Repo({"slo.yaml": SLO}).findings("DOC009")
    assert [] == Repo({"slo.yaml": SLO, "policy.yaml": POLICY}).findings("DOC009")
    misspelt = SLO.replace("[fast-burn]", "[fast-bum]")
    (finding,) = Repo({"slo.yaml": misspelt, "policy.yaml": POLICY}).findings("DOC009")
    message = "slo.yaml:25:19: SLO 'checkout' refers to Nobl9 alert policy 'fast-bum', which is not defined in project shop"
    assert f"{message}\n  did you mean fast-burn?" == finding
    other = POLICY.replace("project: shop", "project: mall")
    assert [] == Repo({"slo.yaml": misspelt, "policy.yaml": other}).findings("DOC009")


def test_one_name_in_two_projects_is_no_duplicate():
    """In one project it is."""
    other = SLO.replace("project: shop", "project: shop-staging")
    assert [] == Repo({"a.yaml": SLO, "b.yaml": other}).findings("DOC010")
    assert 1 == len(Repo({"a.yaml": SLO, "b.yaml": SLO}).findings("DOC010"))


def test_the_budget_is_looked_at_like_any_other():
    """SLO102 sees a perfect objective, SLO001 that there is one."""
    repo = Repo({"slo.yaml": SLO.replace("0.9950", "1.0")})
    (finding,) = repo.findings("SLO102")
    assert finding.startswith("slo.yaml:17:15: objective of SLO 'checkout' is 100%")
    assert [] == repo.findings("SLO001")


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("name: checkout\n", "name: Checkout_1\n", "wrong-value 4: name is 'Checkout_1'; a name of lower-case letters"),
        ("n9/v1alpha", "n9/v1beta", "wrong-kind 1: apiVersion is 'n9/v1beta'; 'n9/v1alpha' is expected"),
        ("kind: SLO", "kind: SLOs", "wrong-kind 2: kind is 'SLOs'; 'SLO' is expected"),
        ("team: [payments]", "team: payments", "wrong-value 6: team is 'payments'; a list is expected"),
        ("team: [payments]", "Team: [payments]", "wrong-value 6: 'Team' cannot be a key of labels"),
        ("  service: cart\n", "", "missing-field 9: an SLO's spec has no 'service'"),
        ("kind: Agent", "kind: Pull", "wrong-value 12: kind is 'Pull'; one of Agent, Direct is expected"),
        ("Occurrences", "Ocurrences",
         "wrong-value 13: budgetingMethod is 'Ocurrences'; one of Occurrences, Timeslices is expected"),
        ("Occurrences", "Timeslices", "missing-field 15: an objective has no 'timeSliceTarget'"),
        ("      target: 0.9950\n", "", "missing-field 15: an objective has no 'target'"),
        ("      target: 0.9950\n", "      target: 0.9950\n      timeSliceTarget: 0.9\n",
         "conflicting-fields 18: an objective of Occurrences has 'timeSliceTarget', which only Timeslices have"),
        ("      target: 0.9950\n", "      target: 0.9950\n      timeSliceTarget: 0x1\n", None),
        ("        incremental: true\n", "", "missing-field 20: countMetrics has no 'incremental'"),
        ("good: {prom", "goods: {prom", "unknown-key 21: 'goods' is not a key of countMetrics, so it is not read"),
        ("        good:", "        bad: {prometheus: {promql: x}}\n        good:",
         "conflicting-fields 21: countMetrics has 'good' and 'bad', which exclude each other"),
        ("        total: {prom", "        goodTotal: {prom", "conflicting-fields 21: countMetrics has 'goodTotal' and 'good'"),
        ("total: {prometheus: {promql: ", "total: {datadog: {query: ",
         "conflicting-fields 22: metrics of 'prometheus' and 'datadog' are in one SLO; one kind of data source is expected"),
        ("{promql: sum(hits_total)}", "{}", "missing-field 22: a query of prometheus has no 'promql'"),
        ("unit: Day, count: 28", "unit: Week, count: 4", "wrong-value 24: unit is 'Week'; one of Minute, Hour, Day is expected"),
        ("count: 28", "count: 32",
         "wrong-value 24: a rolling time window is 32d long; one from 5 minutes to 31 days is expected"),
        ("unit: Day, count: 28", "unit: Minute, count: 4", "wrong-value 24: a rolling time window is 4m long"),
        ("count: 28", "count: 0", "wrong-value 24: count is '0'; a whole number above 0 is expected"),
        (", isRolling: true", "", "missing-field 24: a time window without isRolling: true has no 'calendar'"),
        ("isRolling: true", "isRolling: true, calendar: {startTime: 2026-01-01 00:00:00, timeZone: UTC}",
         "conflicting-fields 24: a time window has isRolling: true and 'calendar', which exclude each other"),
        ("https://grafana.example.com/d/1", "grafana",
         "wrong-value 27: url is 'grafana'; a URL such as https://example.com/page"),
        ("  timeWindows:", "  timeWindow:", "unknown-key 23: 'timeWindow' is not a key of an SLO's spec, so it is not read"),
        ("  indicator:\n    metricSource: {name: prometheus, project: monitoring, kind: Agent}\n", "",
         "missing-field 9: an SLO's spec has no 'indicator'"),
        ("  timeWindows", "  composite: {target: 0.9}\n  timeWindows",
         "missing-field 23: a composite of Occurrences has no 'burnRateCondition'"),
    ],
)  # fmt: skip
def test_what_nobl9_refuses_is_told(old, new, expected):
    """Once, with its place and its value."""
    first, *others = faults(SLO.replace(old, new, 1))
    assert first.startswith(expected or "wrong-value 18: timeSliceTarget is '0x1'; a number above 0, at most 1, is expected")
    assert (expected is None) == bool(others)


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("45m0s", "30s", "wrong-value 11: maxDelay is '30s'; a duration of at least 1m in whole"),
        ("45m0s", "1d", "wrong-value 11: maxDelay is '1d'; a duration of at least 1m in whole"),
        ("whenDelayed: Ignore", "whenDelayed: Never",
         "wrong-value 16: whenDelayed is 'Never'; one of CountAsGood, CountAsBad, Ignore"),
        ("  service: cart\n", "  service: cart\n  indicator: {metricSource: {name: x}}\n",
         "conflicting-fields 6: an SLO with a composite objective has 'indicator', which excludes it"),
        ("unit: Month, count: 1", "unit: Year, count: 2",
         "wrong-value 19: a calendar time window is 2Y long; one of at most 366 days"),
        ("unit: Month", "unit: Hour", "wrong-value 19: unit is 'Hour'; one of Day, Week, Month, Quarter, Year is expected"),
        ("2026-01-01 00:00:00", "2026-13-01 00:00:00",
         "wrong-value 19: startTime is '2026-13-01 00:00:00'; a date and time such as"),
        ("2026-01-01 00:00:00", "2019-01-01 00:00:00",
         "wrong-value 19: startTime is '2019-01-01 00:00:00'; a day from 2020 on is expected"),
        ("Europe/Berlin", "berlin time", "wrong-value 19: timeZone is 'berlin time'; a time zone of the IANA database"),
    ],
)  # fmt: skip
def test_what_nobl9_refuses_of_composites_is_told(old, new, expected):
    """And of calendars."""
    (fault,) = faults(COMPOSITE.replace(old, new, 1))
    assert fault.startswith(expected)


def test_a_composite_objective_stands_alone():
    """Others belong into an SLO of their own."""
    text = COMPOSITE.replace("    - name: all\n", "    - {name: other, target: 0.9, value: 1}\n    - name: all\n      value: 2\n")
    assert any(
        fault.startswith("conflicting-fields 8: an SLO with a composite objective has 2 objectives") for fault in faults(text)
    )


def test_objectives_are_told_apart_by_their_values():
    """And only one is the primary one."""
    metric = "primary: true, countMetrics: {incremental: true, good: {generic: {query: a}}, total: {generic: {query: b}}}"
    text = objectives(f"- {{name: a, target: 0.9, value: 1, {metric}}}", f"- {{name: b, target: 0.99, value: 1.0, {metric}}}")
    assert [
        "wrong-value 16: value is 1, as it is for another objective; Nobl9 tells objectives apart by it",
        "conflicting-fields 16: a second objective is primary; at most one is expected",
    ] == faults(text)


def test_counts_and_values_do_not_mix():
    """Not even in different objectives."""
    counts = "countMetrics: {incremental: true, good: {generic: {query: a}}, total: {generic: {query: b}}}"
    raw = "op: lt, rawMetric: {query: {generic: {query: c}}}"
    text = objectives(f"- {{target: 0.9, value: 1, {counts}}}", f"- {{target: 0.9, value: 2, {raw}}}")
    assert ["conflicting-fields 15: an SLO has both 'rawMetric' and 'countMetrics', which exclude each other"] == faults(text)
    text = objectives(f"- {{target: 0.9, value: 1, {counts}, {raw}}}")
    assert ["conflicting-fields 15: an objective has 'countMetrics' and 'rawMetric', which exclude each other"] == faults(text)
    text = objectives("- {target: 0.9, value: 1}")
    assert ["missing-field 15: an objective has neither countMetrics nor rawMetric"] == faults(text)


def test_a_composite_of_timeslices_has_no_burn_rate():
    """Only one of occurrences has."""
    text = SLO.replace("Occurrences", "Timeslices").replace("target: 0.9950", "target: 0.9950\n      timeSliceTarget: 0.80")
    text = text.replace("  timeWindows", "  composite: {target: 0.9, burnRateCondition: {op: gt, value: 1}}\n  timeWindows")
    assert ["conflicting-fields 24: a composite of Timeslices has a 'burnRateCondition', which only Occurrences have"] == faults(
        text
    )


def test_what_nobl9_adds_is_no_mistake():
    """Unless it looks like a misspelling."""
    assert [] == faults(SLO.replace("  service: cart", "  service: cart\n  somethingNew: 1"))


def test_a_wrong_version_can_be_put_right():
    """By a machine."""
    (fault,) = of(Fault, SLO.replace("n9/v1alpha", "n9/v1"))
    assert Replace(fault.at, "n9/v1", "n9/v1alpha") == fault.edit


def test_a_policy_is_the_burn_rate_of_its_conditions():
    """With the severity of the policy."""
    assert [] == faults(POLICY)
    (rate,) = of(BurnRate, POLICY)
    assert ("alert policy 'fast-burn'", Decimal("14.4"), "1h", None, "High", None, (8, 45)) == (
        rate.holder, rate.factor, rate.long.text, rate.short, rate.severity, rate.budget,
        (rate.factor_at.line, rate.factor_at.column),
    )  # fmt: skip
    (policy,) = of(AlertPolicy, POLICY)
    assert ("fast-burn", (rate,)) == (policy.name, policy.burn_rates)


def test_a_cool_down_is_spelled_either_way():
    """As in Nobl9's own documentation."""
    assert [] == faults(POLICY.replace("coolDown", "cooldown"))


def conditions(*texts):
    """A policy with other conditions."""
    before, _, after = POLICY.partition("  conditions:\n")
    return before + "  conditions:\n" + "".join(f"    - {{{text}}}\n" for text in texts) + after[after.index("  alertMethods") :]


def test_two_windows_of_one_burn_rate_are_one_alert():
    """All conditions must hold at once; of different rates each stands for itself."""
    text = conditions(
        "measurement: averageBurnRate, value: 6, alertingWindow: 30m",
        "measurement: averageBurnRate, value: 6.0, alertingWindow: 6h",
    )
    assert [(Decimal("6.0"), "6h", "30m")] == [(rate.factor, rate.long.text, rate.short.text) for rate in of(BurnRate, text)]
    text = text.replace("value: 6.0", "value: 7")
    assert [(6, "30m", None), (7, "6h", None)] == [(rate.factor, rate.long.text, rate.short) for rate in of(BurnRate, text)]


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("measurement: averageBurnRate, value: 2, lastsFor: 15m", (Decimal(2), None, None, "15m")),
        ("measurement: budgetDrop, value: 0.10, alertingWindow: 15m", (None, Decimal("0.10"), "15m", None)),
        ("measurement: burnedBudget, value: 0.8, lastsFor: 0m, op: gt", (None, Decimal("0.8"), None, "0m")),
        ("measurement: burnedBudget, value: 1.2", (None, None, None, None)),
        ("measurement: timeToBurnBudget, value: 72h, alertingWindow: 6h", (None, None, "6h", None)),
        ("measurement: timeToBurnEntireBudget, value: 1h30m0s, op: lte", (None, None, None, None)),
    ],
)
def test_every_measurement_is_read(condition, expected):
    """Where the factor depends on the period of the SLO there is none."""
    (rate,) = of(BurnRate, conditions(condition))
    assert [] == faults(conditions(condition))
    assert expected == (rate.factor, rate.budget, rate.long and rate.long.text, rate.wait and rate.wait.text)


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("measurement: averageBurnrate, value: 2", "wrong-value 8: measurement is 'averageBurnrate'; one of averageBurnRate"),
        ("measurement: averageBurnRate", "missing-field 8: a condition has no 'value'"),
        ("measurement: averageBurnRate, value: '2'", "wrong-value 8: value is '2'; a number is expected"),
        ("measurement: averageBurnRate, value: 2, op: gt",
         "wrong-value 8: op is 'gt'; averageBurnRate can only be compared by 'gte'"),
        ("measurement: averageBurnRate, value: 2, op: over", "wrong-value 8: op is 'over'; one of lte, gte, lt, gt is expected"),
        ("measurement: averageBurnRate, value: 2, alertingWindow: 1m",
         "wrong-value 8: alertingWindow is '1m'; a duration from 5m to"),
        ("measurement: averageBurnRate, value: 2, alertingWindow: 90s",
         "wrong-value 8: alertingWindow is '90s'; a duration from 5m to"),
        ("measurement: averageBurnRate, value: 2, alertingWindow: 3d",
         "wrong-value 8: alertingWindow is '3d'; a duration from 5m to"),
        ("measurement: averageBurnRate, value: 2, alertingWindow: 1h, lastsFor: 5m",
         "conflicting-fields 8: a condition has 'alertingWindow' and 'lastsFor', which exclude each other"),
        ("measurement: timeToBurnBudget, value: 72", "wrong-value 8: value is '72'; a duration above 0, in h, m and s"),
        ("measurement: timeToBurnBudget, value: 0h", "wrong-value 8: value is '0h'; a duration above 0, in h, m and s"),
        ("measurement: budgetDrop, value: 0.1", "missing-field 8: a condition on a drop of the budget has no 'alertingWindow'"),
        ("measurement: budgetDrop, value: 0.1, alertingWindow: 1h, lastsFor: 5m",
         "unknown-key 8: 'lastsFor' is not a key of a condition on a drop of the budget, so it is not read"),
        ("measurement: burnedBudget, value: 0.1, alertingWindow: 1h",
         "unknown-key 8: 'alertingWindow' is not a key of a condition on the burned budget, so it is not read"),
    ],
)  # fmt: skip
def test_what_nobl9_refuses_of_conditions_is_told(condition, expected):
    """With its place and its value."""
    (fault,) = faults(conditions(condition))
    assert fault.startswith(expected)


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("severity: High", "severity: Page", "wrong-value 5: severity is 'Page'; one of Low, Medium, High is expected"),
        (
            "coolDown: 5m",
            "coolDown: 1m",
            "wrong-value 6: coolDown is '1m'; a duration of at least 5m",
        ),
        ("metadata: {name: pagerduty", "metadata: {title: pagerduty", "missing-field 10: an alert method has no 'name'"),
        ("  severity: High\n", "", "missing-field 5: an alert policy's spec has no 'severity'"),
    ],
)
def test_what_nobl9_refuses_of_policies_is_told(old, new, expected):
    """With its place and its value."""
    assert any(fault.startswith(expected) for fault in faults(POLICY.replace(old, new, 1)))


def test_objects_come_in_lists_and_in_json():
    """As sloctl gives them."""
    listed = "\n".join(["- " + SLO.replace("\n", "\n  ").rstrip(), "- " + POLICY.replace("\n", "\n  ").rstrip()])
    assert ([], 1, 1) == (faults(listed), len(of(Slo, listed)), len(of(AlertPolicy, listed)))
    data = {"apiVersion": "n9/v1alpha", "kind": "slo", "metadata": {"name": "x"}, "spec": {"service": "y"}}
    found = read(json.dumps([data, 1, {"kind": "SLO"}]), "n9.json")
    assert [("SLO", "x", ""), ("Nobl9 SLO", "x", "")] == [
        (node.kind, node.name, node.scope) for node in found if isinstance(node, Definition)
    ]


@pytest.mark.parametrize(
    "text",
    [
        "apiVersion: n9/v1alpha\nkind: Project\nmetadata: {name: shop}\n",
        "apiVersion: n9/v1alpha\nkind: Agent\nmetadata: {name: prometheus}\n",
        "apiVersion: n9/v1alpha\nkind: AlertSilence\nmetadata: {name: night}\n",
        "apiVersion: n9/v1alpha\nkind: [SLO]\n",
        "apiVersion: openslo/v1\nkind: SLO\nmetadata: {name: n9/v1alpha}\n",
        "n9/v1alpha\n",
        "apiVersion: [n9/v1alpha]\nkind: SLO\n",
    ],
)
def test_other_documents_are_left_alone(text):
    """Nobl9's other kinds, and SLOs of others."""
    assert [] == read(text)


WORDS = st.sampled_from(
    ["metadata", "name", "project", "labels", "spec", "indicator", "rawMetric", "query", "prometheus", "promql", "target",
     "value", "op", "countMetrics", "good", "total", "composite", "components", "slo", "objective", "weight", "timeWindows",
     "count", "calendar", "alertPolicies", "attachments", "url", "displayName", "conditions", "measurement", "alertingWindow",
     "burnRateCondition", "instana"]
)  # fmt: skip
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.sampled_from(["a", "Day", "averageBurnRate", "1h", "lt"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=5),
    max_leaves=20,
)


@given(st.sampled_from(["SLO", "AlertPolicy", "Service"]), JSON, JSON, JSON)
def test_nothing_that_an_object_can_be_raises(kind, metadata, spec, objective):
    """Whatever is there."""
    extra = spec if isinstance(spec, dict) else {"timeWindows": [spec], "composite": spec, "alertPolicies": spec}
    spec = {"objectives": [objective, {"composite": objective}], "conditions": [objective], **extra}
    read(json.dumps({"apiVersion": "n9/v1alpha", "kind": kind, "metadata": metadata, "spec": spec}), "n9.json")
