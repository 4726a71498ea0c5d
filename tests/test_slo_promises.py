"""SLOs against what else is known: contracts, dependencies, traffic, reviews, policies, and the metrics of the service itself."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from pytest_reliability.model.nodes import Replace, Slo
from pytest_reliability.promql.rates import never_counts, rates
from pytest_reliability.testing import Repo

POLICY = {"docs/error-budget-policy.md": "# Error budget policy\n"}


def sloth(
    objective: str = "99.9", labels: str = "{}", query: str = 'shop:errors{window="{{.window}}"}', service: str = "shop"
) -> str:
    """A file of Sloth's with one SLO."""
    return f"""\
version: prometheus/v1
service: {service}
slos:
  - name: availability
    objective: {objective}
    labels: {labels}
    sli:
      raw:
        error_ratio_query: '{query}'
    alerting:
      name: ShopErrorBudgetBurn
"""


def openslo(target: str = "0.999", window: str = "28d", rolling: str = "true", annotations: str = "{}") -> str:
    """An OpenSLO resource with one objective."""
    calendar = "" if rolling == "true" else "\n      calendar: {startTime: 2026-01-01 00:00:00, timeZone: Asia/Tokyo}"
    return f"""\
apiVersion: openslo/v1
kind: SLO
metadata:
  name: availability
  annotations: {annotations}
spec:
  service: shop
  indicatorRef: shop-answers
  budgetingMethod: Occurrences
  timeWindow:
    - duration: {window}
      isRolling: {rolling}{calendar}
  objectives:
    - target: {target}
"""


def said(code: str, **files: str) -> list[str]:
    """What a check says of an SLO and a configuration, without places and hints."""
    names = {"slo": "slo/shop.yaml", "other": "slo/other.yaml", "config": ".reliability.yaml"}
    found = Repo({names.get(name, name): text for name, text in files.items()}).findings(code)
    return [line.partition("\n")[0].partition(": ")[2] for line in found]


@pytest.mark.parametrize(("objective", "told"), [
    ("0.1", True), ("49.999", True), ("1.1", True),
    ("50", False), ("99.9", False), ("0", False), ("100", False), ("0.999", False),
])  # fmt: skip
def test_an_implausible_objective(objective, told):
    """Under one half, unless it is nothing at all or plainly in the wrong unit."""
    assert told == bool(said("SLO103", slo=sloth(objective)))


@pytest.mark.parametrize(("target", "window", "interval", "told"), [
    ("0.99999", "1d", "30s", True),
    ("0.999", "10h", "36s", True),
    ("0.999", "10h", "35s", False),
    ("0.99999", "28d", "15s", False),
    ("1", "28d", "15s", False),
    ("0.5", "10s", "15s", True),
])  # fmt: skip
def test_a_budget_smaller_than_a_scrape(target, window, interval, told):
    """As long as the interval is as bad as shorter: one missed scrape is all of it."""
    assert told == bool(said("SLO105", slo=openslo(target, window), config=f"scrape_interval: {interval}"))


def test_a_window_shorter_than_a_scrape_wants_a_longer_one():
    """No objective leaves more than the window holds."""
    (found,) = Repo({"slo.yaml": openslo("0.5", "10s"), ".reliability.yaml": "scrape_interval: 15s"}).findings("SLO105")
    assert found.endswith("\n  measure over a longer window")


@pytest.mark.parametrize(
    ("window", "better"), [("30d", "28d"), ("90d", "91d"), ("1d", "7d"), ("10d", "7d"), ("11d", "14d"), ("720h", "28d")]
)
def test_a_window_is_mended_to_whole_weeks(window, better):
    """The nearest number of weeks, at least one."""
    (finding,) = Repo({"slo.yaml": openslo(window=window)}).outcome("SLO108").findings
    assert (f"make it {better}", Replace(finding.at, window, better)) == (finding.hint, finding.edit)


@pytest.mark.parametrize(
    ("window", "rolling"), [("28d", "true"), ("4w", "true"), ("168h", "true"), ("1M", "false"), ("30d", "false")]
)
def test_a_window_that_needs_no_mending(window, rolling):
    """Whole weeks in any unit, and the calendar's months."""
    assert [] == said("SLO108", slo=openslo(window=window, rolling=rolling))


def test_a_number_without_its_unit_is_not_replaced():
    """In OpenSLO v1alpha both stand apart."""
    slo = """\
apiVersion: openslo/v1alpha
kind: SLO
metadata: {name: availability}
spec:
  service: shop
  budgetingMethod: Occurrences
  indicator: {thresholdMetric: {source: prometheus, queryType: promql, query: shop_errors}}
  timeWindows: [{unit: Day, count: 30, isRolling: true}]
  objectives: [{op: lte, target: 0.999, value: 1}]
"""
    assert [("make it 28d", None)] == [
        (finding.hint, finding.edit) for finding in Repo({"slo.yaml": slo}).outcome("SLO108").findings
    ]


def test_a_window_that_nobody_wrote_is_not_told():
    """Sloth's files name none."""
    assert [] == said("SLO108", slo=sloth())


@pytest.mark.parametrize(("objective", "sla", "told"), [
    ("99.5", "availability: 99.9%", True),
    ("99.5", "shop/availability: 99.9%", True),
    ("99.9", "availability: 99.9%", False),
    ("99.95", "availability: 99.9%", False),
    ("99.5", "latency: 99.9%", False),
    ("99.5", "cart/availability: 99.9%", False),
    ("0", "availability: 99.9%", False),
])  # fmt: skip
def test_an_objective_against_the_contract(objective, sla, told):
    """Only a looser one is told, under its own name or its full one."""
    assert told == bool(said("SLO107", slo=sloth(objective), config=f"sla: {{{sla}}}"))


@pytest.mark.parametrize(("labels", "told"), [
    ("{sla: '99.9%'}", True),
    ("{sla: '99.9 %'}", True),
    ("{sla: '99.9'}", True),
    ("{SLA: '0.999'}", True),
    ("{example.com/sla: '99.9'}", True),
    ("{sla: '99.5'}", False),
    ("{sla: gold}", False),
    ("{sla: 'true'}", False),
    ("{sla: '1'}", False),
    ("{sla: '24'}", False),
    ("{sla_tier: '99.9'}", False),
])  # fmt: skip
def test_a_contract_in_a_label(labels, told):
    """A number that can be a share is one; tiers, hours and switches are not."""
    assert told == bool(said("SLO107", slo=sloth("99.5", labels)))


@pytest.mark.parametrize(("objective", "share"), [("99.5", "20%"), ("99", "10%"), ("99.89", "91%"), ("60", "1%")])
def test_a_looser_objective_says_when_the_contract_is_broken(objective, share):
    """The share of the error budget that the contract allows."""
    (found,) = said("SLO107", slo=sloth(objective), config="sla: {availability: 99.9%}")
    assert found.endswith(f"the contract is broken when {share} of the error budget is spent")


def test_the_configured_contract_counts_before_a_label():
    """Who configures it knows better than a label that was copied."""
    assert [] == said("SLO107", slo=sloth("99.5", "{sla: '99.9'}"), config="sla: {availability: 99.5%}")


@pytest.mark.parametrize(("objective", "dependencies", "told"), [
    ("99.95", "{card: {objective: 99.9%}}", "promises only 99.9%: its failures alone may spend 200% of the error budget"),
    ("99.95", "{card: {mode: hard, objective: 99.9%}, auth: {objective: 99.99%}}", "'card', which it cannot do without"),
    ("99.9", "{card: {objective: 99.95%}, auth: {objective: 99.92%}}", "99.87% together: their failures alone may spend 130%"),
    ("99.9", "{card: {objective: 99.9%}}", ""),
    ("99.9", "{card: {mode: soft, objective: 99%}, auth: {mode: cached, objective: 99%}}", ""),
    ("99.9", "{card: hard}", ""),
    ("100", "{card: {objective: 99%}}", ""),
    ("99.9", "{}", ""),
])  # fmt: skip
def test_an_objective_against_its_dependencies(objective, dependencies, told):
    """Alone or together, hard ones bound what can be promised; what nobody promises bounds nothing."""
    found = said("SLO106", slo=sloth(objective), config=f"dependencies: {dependencies}")
    assert (1 if told else 0) == len(found)
    assert told in "".join(found)


@pytest.mark.parametrize(
    ("name", "told"), [("login", True), ("login/availability", True), ("login/latency", False), ("availability", False)]
)
def test_a_dependency_promises_what_its_slos_say(name, told):
    """By its service's name, or that of one of its SLOs; its own SLO is not held against it."""
    found = said(
        "SLO106",
        slo=sloth("99.95"),
        other=sloth("99.9", service="login"),
        config=f"service: shop\ndependencies: {{{name}: hard}}",
    )
    assert told == bool(found)


def test_a_dependency_that_is_a_folder_of_the_repository():
    """Several services in one repository depend on each other by the names of their configurations."""
    files = {
        "shop/.reliability.yaml": "service: shop\ndependencies: {login: hard}\n",
        "login/.reliability.yaml": "service: login\n",
        "shop/slo.yaml": sloth("99.95"),
        "login/slo.yaml": sloth("99.9", service="login-frontend"),
    }
    assert 1 == len(Repo(files).findings("SLO106"))


PYRRA = """\
apiVersion: pyrra.dev/v1alpha1
kind: ServiceLevelObjective
metadata: {name: reports}
spec:
  target: "%s"
  window: 4w
  indicator:
    ratio:
      errors: {metric: 'requests_total{code=~"5.."}'}
      total: {metric: requests_total}
"""


@pytest.mark.parametrize(("target", "requests", "told"), [
    ("99.9", "1/m", True),
    ("99.9", "69/h", True),
    ("99.9", "72/h", False),
    ("99", "1/m", False),
    ("99", "7/h", True),
    ("90", "0.1/h", True),
    ("90", "1/h", False),
    ("99.9", "100/s", False),
    ("100", "1/m", False),
])  # fmt: skip
def test_one_error_trips_an_alert(target, requests, told):
    """Pyrra pages at 14 times the budget over an hour: below 1 ÷ (14 × 0.1%) requests in it one that fails is too many."""
    assert told == bool(said("SLO309", slo=PYRRA % target, config=f"request_rate: {requests}"))


def test_less_than_one_request_in_the_window():
    """Then all that come have failed."""
    (found,) = said("SLO309", slo=PYRRA % "99.9", config="request_rate: 0.5/h")
    assert "less than one request comes in 1h of a quiet hour, so one that fails is 1e+02% of them" not in found
    assert "less than one request comes in 1h of a quiet hour, so one that fails is 100% of them" in found


def test_an_slo_without_alerts_trips_none():
    """There is nothing to trip."""
    assert [] == said("SLO309", slo=openslo(), config="request_rate: 1/h")


def days_ago(days: int) -> str:
    """A date, as people write it."""
    return (date.today() - timedelta(days=days)).isoformat()


@pytest.mark.parametrize(("key", "value", "told"), [
    ("reviewed", days_ago(400), True),
    ("reviewed", days_ago(300), False),
    ("reviewed", days_ago(-300), False),
    ("example.com/last-reviewed", days_ago(400), True),
    ("lastReview", f"{days_ago(400)}T10:00:00Z", True),
    ("review_date", days_ago(400).replace("-", "/"), True),
    ("next-review", days_ago(2), True),
    ("next-review", days_ago(-2), False),
    ("reviewed", "2021-12", True),
    ("reviewed", "2021-13", False),
    ("reviewed", "2021-02-30", False),
    ("reviewed", "9999-12", False),
    ("reviewed", "yes", False),
    ("created", "2019-01-01", False),
])  # fmt: skip
def test_a_stale_objective(key, value, told):
    """A date that can be read, of a review and of nothing else, further back than a year."""
    assert told == bool(said("SLO404", slo=openslo(annotations=f"{{{key}: '{value}'}}")))


def test_the_time_between_reviews_is_configured():
    """A service may want it sooner."""
    reviewed = openslo(annotations=f"{{reviewed: '{days_ago(100)}'}}")
    assert [[], 1] == [said("SLO404", slo=reviewed), len(said("SLO404", slo=reviewed, config="objective_review: 90d"))]


def test_a_month_counts_to_its_end():
    """What was reviewed in November was so on its last day at the latest."""
    (found,) = said("SLO404", slo=openslo(annotations="{reviewed: '2020-02'}"))
    assert "was last reviewed on 2020-02-29" in found


@pytest.mark.parametrize("files", [
    POLICY,
    {"docs/ErrorBudgetPolicy.pdf": ""},
    {"docs/slo.md": "# SLOs\n\n## Our error-budget policy\n"},
    {"docs/slo.md": "# エラーバジェットポリシー\n"},
    {"README.md": "# Shop\n\nSee the [policy](https://wiki.example.com/error-budget-policy).\n"},
    {"README.md": "# Shop\n\nSee the [error budget policy](https://wiki.example.com/4711).\n"},
])  # fmt: skip
def test_an_error_budget_policy_in_any_place(files):
    """A page, a section, a file or a link."""
    assert [] == Repo({"slo.yaml": sloth(), **files}).findings("SLO405")


@pytest.mark.parametrize("files", [
    {},
    {"README.md": "# Shop\n\nThe error budget. Its policy is to be written.\n"},
    {"docs/privacy-policy.md": "# Privacy policy\n"},
])  # fmt: skip
def test_no_error_budget_policy(files):
    """An error budget and some policy are not yet an error budget policy."""
    assert 1 == len(Repo({"slo.yaml": sloth(), **files}).findings("SLO405"))


ALERT_POLICY = """\
apiVersion: openslo/v1
kind: AlertPolicy
metadata: {name: %s}
spec:
  conditions: [{conditionRef: burn}]
  notificationTargets: [{targetRef: mail}]
"""


@pytest.mark.parametrize(("policies", "name", "told"), [
    ("error_budget_policies: {default: {steps: []}}", "fast", 0),
    ("error_budget_policies: {}", "fast", 1),
    ("default_exporters: []\nexporters: {}", "fast", 1),
    ("", "fast", 1),
    ("", "ErrorBudgetPolicy", 0),
])  # fmt: skip
def test_an_error_budget_policy_that_a_tool_acts_on(policies, name, told):
    """What slo-generator does in each case is written down; an alert policy is only about alerts unless it is called so."""
    files = {"slo.yaml": sloth(), "config.yaml": policies, "policy.yaml": ALERT_POLICY % name}
    assert told == len(Repo(files).findings("SLO405"))


def test_the_policy_is_asked_of_each_service():
    """It is written where the service is, unless the repository has one for all."""
    files = {"a/.reliability.yaml": "", "b/.reliability.yaml": "", "a/slo.yaml": sloth(service="a")}
    (found,) = Repo(files).findings("SLO405")
    assert found.startswith("a/.reliability.yaml:1:1: service 'a' has SLOs")
    assert "write a/docs/error-budget-policy.md;" in found


RATES = [
    ("sum(rate(a[5m])) / sum(increase(b_total{x='y'}[5m]))", (("rate", "a"), ("increase", "b_total"))),
    ("irate((a)[5m:1m])", (("irate", "a"),)),
    ("rate(sum(a)[5m:1m])", ()),
    ("rate({__name__=~'a|b'}[5m])", ()),
    ("avg_over_time(a[5m])", ()),
    ("rate(", ()),
]


@pytest.mark.parametrize(("text", "expected"), RATES)
def test_what_a_rate_is_taken_of(text, expected):
    """Metrics by name, plain or in a subquery of their own."""
    assert expected == rates(text)


@pytest.mark.parametrize(("text", "reason"), [
    ("rate(a[5m])", "rate()"),
    ("sum by (job) (rate(a[5m]))", "rate()"),
    ("(max(histogram_quantile(0.9, a)))", "histogram_quantile()"),
    ("avg(a)", "avg()"),
    ("count by (x) (a)", "count()"),
    ("a / b", "a quotient"),
    ("sum(a) / on (x) sum(b)", "a quotient"),
    ("label_replace(rate(a[5m]), 'x', '$1', 'y', '(.*)')", "rate()"),
    ("a / 1000", None),
    ("a", None),
    ("-(sum(a))", None),
    ("sum(a) + sum(b)", None),
    ("topk(5, a)", None),
    ("clamp_min(a, 0)", None),
    ("last_over_time(a[5m])", None),
    ("histogram_count(a)", None),
    ("round(a, 5)", None),
    ("a unless b", None),
    ("sum(", None),
])  # fmt: skip
def test_what_is_a_gauge_for_certain(text, reason):
    """Sums of counters may be counters; rates, averages and quotients are none."""
    assert reason == never_counts(text)


GAUGE = "from prometheus_client import Gauge\nx = Gauge('jobs', 'x')\n"
COUNTER = 'package p\nimport "github.com/prometheus/client_golang/prometheus"\nvar x = prometheus.CounterOpts{Name: "jobs"}\n'
HISTOGRAM = "from prometheus_client import Histogram\nx = Histogram('took_seconds', 'x', buckets=%s)\n"


@pytest.mark.parametrize(("query", "told"), [
    ("sum(rate(jobs[{{.window}}]))", True),
    ("sum(rate(jobs{x=\"y\"}[{{.window}}])) / sum(increase(jobs[{{.window}}]))", True),
    ("sum(avg_over_time(jobs[{{.window}}]))", False),
    ("sum(rate(jobs_total[{{.window}}]))", False),
])  # fmt: skip
def test_a_rate_of_a_gauge(query, told):
    """Only of a metric that the code defines as one."""
    assert told == bool(said("SLO208", slo=sloth(query=query), **{"shop/metrics.py": GAUGE}))


def test_a_gauge_that_is_a_counter_elsewhere_is_none():
    """Nobody can tell which of both the SLO reads."""
    files = {"slo.yaml": sloth(query="rate(jobs[{{.window}}])"), "a.py": GAUGE, "b.go": COUNTER}
    assert [] == Repo(files).findings("SLO208")


def test_a_metric_of_another_service_is_another():
    """Each service reads its own."""
    query = "rate(jobs[{{.window}}])"
    files = {"a/.reliability.yaml": "", "b/.reliability.yaml": "", "a/slo.yaml": sloth(query=query), "b/metrics.py": GAUGE}
    assert [] == Repo(files).findings("SLO208")
    assert 1 == len(Repo({**files, "a/metrics.py": GAUGE}).findings("SLO208"))
    assert 1 == len(Repo({**files, "metrics.py": GAUGE}).findings("SLO208"))


def test_queries_in_other_languages_are_not_read():
    """A rate in Datadog's language is not Prometheus'."""
    slo = """\
apiVersion: openslo/v1
kind: SLI
metadata: {name: jobs}
spec:
  ratioMetric:
    counter: true
    good: {metricSource: {type: Datadog, spec: {query: 'rate(jobs[5m])'}}}
    total: {metricSource: {type: Datadog, spec: {query: 'rate(jobs[5m])'}}}
"""
    assert [[], []] == [said(code, slo=slo, **{"a.py": GAUGE}) for code in ("SLO208", "SLO210")]


@pytest.mark.parametrize(("bound", "buckets", "told"), [
    ("0.3", "(0.25, 0.5)", True),
    ("300", "(0.3, 0.5)", True),
    ("20", "(0.25, 0.5)", True),
    ("0.01", "(0.25, 0.5)", True),
    ("0.5", "(0.25, 0.5)", False),
    ("0.50", "(0.25, .5)", False),
    ("1", "(1.0, 2)", False),
    ("+Inf", "(0.25, 0.5)", False),
    ("fast", "(0.25, 0.5)", False),
    ("0.3", "bounds()", False),
    ('0.5", route="/', "(0.25, 0.5)", False),
])  # fmt: skip
def test_a_threshold_between_buckets(bound, buckets, told):
    """Numbers count, not how they are written."""
    query = f'sum(rate(took_seconds_bucket{{le="{bound}"}}[{{{{.window}}}}]))'
    assert told == bool(said("SLO210", slo=sloth(query=query), **{"a.py": HISTOGRAM % buckets}))


def test_a_threshold_that_one_of_several_definitions_has():
    """Which of them the SLO reads cannot be told."""
    query = 'rate(took_seconds_bucket{le="0.3"}[{{.window}}])'
    files = {"slo.yaml": sloth(query=query), "a.py": HISTOGRAM % "(1, 2)"}
    assert [1, 0, 0] == [
        len(Repo({**files, **more}).findings("SLO210"))
        for more in ({"b.py": HISTOGRAM % "(1, 3)"}, {"b.py": HISTOGRAM % "(0.3, 1)"}, {"b.py": HISTOGRAM % "bounds()"})
    ]


def test_many_buckets_are_not_all_told():
    """Nobody reads a hundred of them."""
    query = 'rate(took_seconds_bucket{le="0.3"}[{{.window}}])'
    (found,) = said("SLO210", slo=sloth(query=query), **{"a.py": HISTOGRAM % list(range(1, 101))})
    assert "no such bucket: 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, …, 100" in found


def test_each_threshold_is_told_once():
    """However often a query names it."""
    query = 'rate(took_seconds_bucket{le="0.3"}[{{.window}}]) / rate(took_seconds_bucket{le="0.3"}[{{.window}}])'
    assert 1 == len(said("SLO210", slo=sloth(query=query), **{"a.py": HISTOGRAM % "(1, 2)"}))


def test_metrics_are_found_by_name():
    """The graph knows every definition."""
    graph = Repo({"a.py": GAUGE, "b.go": COUNTER, "slo.yaml": sloth()}).graph
    assert ([("a.py", "gauge"), ("b.go", "counter")], ()) == (
        [(metric.at.path, metric.kind) for metric in graph.metrics_named("jobs")], graph.metrics_named("other"),
    )  # fmt: skip
    assert 1 == len(graph.of(Slo))
