"""Checks of an SLO's queries: each notices one wrong change, and keeps quiet about what only looks like it."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_reliability.edits import apply
from pytest_reliability.model.location import Location
from pytest_reliability.model.nodes import Indicator, Query
from pytest_reliability.promql import parse, selectors
from pytest_reliability.promql.absence import missed
from pytest_reliability.promql.ratios import canonical, labels, ranges, ratios
from pytest_reliability.promql.subsets import outsider
from pytest_reliability.promql.values import metric_measured, quantile
from pytest_reliability.testing import Repo

CODES = (
    "SLO111", "SLO202", "SLO203", "SLO204", "SLO206", "SLO207", "SLO209", "SLO211", "SLO212", "SLO214", "SLO215",
)  # fmt: skip
CORPUS = Path(__file__).parents[2] / "shared" / "corpus" / "slo"
HTTP = "http_requests_total"


# --- Specs to change


def sloth(sli: str, description: str = "", objective: str = "99.9") -> str:
    """A file of Sloth's with one SLO."""
    about = f"    description: '{description}'\n" if description else ""
    return (
        f"version: prometheus/v1\nservice: shop\nslos:\n  - name: orders\n    objective: {objective}\n{about}    sli:\n"
        + textwrap.indent(sli, " " * 6)
        + "\n    alerting:\n      name: OrdersBurn\n"
    )


def events(bad: str, total: str, description: str = "", objective: str = "99.9") -> str:
    """Bad events and all events, for Sloth."""
    return sloth(f"events:\n  error_query: '{bad}'\n  total_query: '{total}'", description, objective)


def raw(ratio: str, description: str = "", objective: str = "99.9") -> str:
    """A ratio of bad events in one query, for Sloth."""
    return sloth(f"raw:\n  error_ratio_query: '{ratio}'", description, objective)


def openslo(description: str = "", target: str = "0.999", **queries: str) -> str:
    """An SLO of OpenSLO with its indicator inside; `raw` is a ratio of good events."""
    metrics = "\n".join(
        f"{role}:\n  metricSource:\n    type: Prometheus\n    spec:\n      query: '{query}'" for role, query in queries.items()
    )
    kind = "rawType: success\n" if "raw" in queries else ""
    return (
        "apiVersion: openslo/v1\nkind: SLO\nmetadata:\n  name: orders\nspec:\n  service: shop\n"
        f"  description: '{description}'\n  budgetingMethod: Occurrences\n"
        "  timeWindow:\n    - duration: 4w\n      isRolling: true\n"
        "  indicator:\n    metadata:\n      name: orders-indicator\n    spec:\n      ratioMetric:\n        counter: true\n"
        + textwrap.indent(kind + metrics, " " * 8)
        + f"\n  objectives:\n    - target: {target}\n"
    )


def threshold(query: str, value: str, description: str, op: str = "lte") -> str:
    """An SLO of OpenSLO that compares one measurement."""
    return (
        "apiVersion: openslo/v1\nkind: SLO\nmetadata:\n  name: orders\nspec:\n  service: shop\n"
        f"  description: '{description}'\n  budgetingMethod: Occurrences\n"
        "  timeWindow:\n    - duration: 4w\n      isRolling: true\n"
        "  indicator:\n    metadata:\n      name: orders-latency\n    spec:\n      thresholdMetric:\n        metricSource:\n"
        f"          type: Prometheus\n          spec:\n            query: '{query}'\n"
        f"  objectives:\n    - op: {op}\n      value: {value}\n      target: 0.99\n"
    )


def pyrra_latency(success: str, total: str, description: str = "") -> str:
    """A latency of Pyrra's."""
    return (
        "apiVersion: pyrra.dev/v1alpha1\nkind: ServiceLevelObjective\nmetadata:\n  name: orders\n  namespace: shop\nspec:\n"
        f"  target: '99'\n  window: 4w\n  description: '{description}'\n  indicator:\n    latency:\n"
        f"      success:\n        metric: '{success}'\n      total:\n        metric: '{total}'\n"
    )


def pyrra_ratio(errors: str, total: str, alerting: str = "") -> str:
    """A ratio of Pyrra's."""
    return (
        "apiVersion: pyrra.dev/v1alpha1\nkind: ServiceLevelObjective\nmetadata:\n  name: orders\n  namespace: shop\nspec:\n"
        f"  target: '99'\n  window: 4w\n{alerting}  indicator:\n    ratio:\n"
        f"      errors:\n        metric: '{errors}'\n      total:\n        metric: '{total}'\n"
    )


def generator(sli: str, description: str = "", goal: str = "0.999") -> str:
    """A configuration of slo-generator's with a single expression."""
    return (
        "apiVersion: sre.google.com/v2\nkind: ServiceLevelObjective\nmetadata:\n  name: orders\n"
        "  labels:\n    service_name: shop\n    feature_name: orders\n    slo_name: orders\nspec:\n"
        f"  description: '{description}'\n  backend: prometheus\n  method: query_sli\n  exporters: []\n"
        f"  service_level_indicator:\n    expression: '{sli}'\n  goal: {goal}\n"
    )


W = "[{{.window}}]"
BAD = f'sum(rate({HTTP}{{job="shop",code=~"5.."}}{W}))'
GOOD = f'sum(rate({HTTP}{{job="shop",code!~"5.."}}{W}))'
ALL = f'sum(rate({HTTP}{{job="shop"}}{W}))'
BUCKET = f'sum(rate(order_duration_seconds_bucket{{job="shop",le="0.3"}}{W}))'
COUNT = f'sum(rate(order_duration_seconds_count{{job="shop"}}{W}))'
SLOW = f"1 - {BUCKET} / {COUNT}"
BY_ROUTE = (BAD.replace("sum(", "sum by (route) ("), ALL.replace("sum(", "sum by (route) ("))
METRICS = 'from prometheus_client import Counter\n\nORDERS = Counter("orders_total", "Orders taken", ["result"])\n'
ORDERS_BAD, ORDERS = f'sum(rate(orders_total{{result="failed"}}{W}))', f"sum(rate(orders_total{W}))"
ABSENT = "groups:\n  - name: shop\n    rules:\n      - alert: ShopGone\n        expr: absent(orders_total)\n"


@dataclass(frozen=True)
class Mutation:
    """A spec that is right, and the one change that makes it wrong."""

    code: str
    spec: str
    old: str
    new: str
    others: tuple[tuple[str, str], ...] = ()

    def files(self, *, changed: bool) -> dict[str, str]:
        """The repository before the change, or after it."""
        files = {"slo.yaml": self.spec, **dict(self.others)}
        if changed:
            (path,) = [path for path, text in files.items() if self.old in text]
            files[path] = files[path].replace(self.old, self.new, 1)
        return files


CODE = (("shop.py", METRICS),)
NOTICED = (*CODE, ("alerts.yaml", ABSENT))
MUTATIONS = (
    # The description and the number
    Mutation("SLO111", events(BAD, ALL, "99.9% of orders succeed"), "99.9%", "99.99%"),
    Mutation("SLO111", events(BAD, ALL, "99.9% of orders succeed"), "objective: 99.9", "objective: 99"),
    Mutation("SLO111", events(BAD, ALL, "Availability: 99.9%"), "y: 99.9%", "y: 99.5%"),
    Mutation("SLO111", events(BAD, ALL, "99.9 percent of orders succeed"), "99.9 percent", "95 percent"),
    Mutation("SLO111", generator("sum(a[window])", "99.9% uptime of the shop"), "goal: 0.999", "goal: 0.99"),
    Mutation("SLO111", openslo("We promise 99,9 % of orders", good=GOOD, total=ALL), "99,9", "99,99"),
    Mutation("SLO111", openslo("The SLO is 99% for orders", "0.99", good=GOOD, total=ALL), "target: 0.99", "target: 0.95"),
    # A window for each query
    Mutation("SLO202", events(BAD, ALL), f'5.."}}{W}', '5.."}[5m]'),
    Mutation("SLO202", events(BAD, ALL), f'shop"}}{W}', 'shop"}[1h]'),
    Mutation("SLO202", raw('shop:errors:ratio{window="{{.window}}"}'), '{window="{{.window}}"}', ""),
    Mutation("SLO202", raw(f"1 - avg(avg_over_time(probe_success{W}))"), W, "[30d]"),
    Mutation("SLO202", generator("sum_over_time(up[window])/count_over_time(up[10m])"), "[window]", "[10m]"),
    Mutation("SLO202", openslo(good=GOOD, total=ALL), f'code!~"5.."}}{W}', 'code!~"5.."}[5m]'),
    Mutation("SLO202", events(BAD, "sum_over_time(count(up)[{{.window}}:1m])"), "[{{.window}}:1m]", "[1h:1m]"),
    # Both sides the same
    Mutation("SLO203", events(BAD, ALL), ',code=~"5.."', ""),
    Mutation("SLO203", raw(f"{BAD} / {ALL}"), ',code=~"5.."', ""),
    Mutation("SLO203", openslo(good=GOOD, total=ALL), ',code!~"5.."', ""),
    Mutation("SLO203", openslo(bad=BAD, total=ALL), ',code=~"5.."', ""),
    Mutation("SLO203", events(f"({ALL} - {GOOD})", ALL), ',code!~"5.."', ""),
    Mutation("SLO203", events(f'sum(rate(a{{x="1",y="2"}}{W}))', f'sum( rate(a{{y="2", x="3"}}{W}) )'), 'x="3"', 'x="1"'),
    Mutation("SLO203", pyrra_ratio('a{code="500"}', "a{}"), 'code="500"', ""),
    Mutation("SLO203", raw(f"1 - ({GOOD} / ({ALL} > 0))"), ',code!~"5.."', ""),
    # The numerator a part of the denominator
    Mutation("SLO204", events(BAD, ALL), 'job="shop",code=~"5.."', 'code=~"5.."'),
    Mutation("SLO204", raw(f"{BAD} / {ALL}"), 'job="shop",code=~"5.."', 'code=~"5.."'),
    Mutation("SLO204", events(BAD, ALL), f'job="shop"}}{W}', f'job="shop",code!~"4..|5.."}}{W}'),
    Mutation("SLO204", raw(f"1 - {GOOD} / {ALL}"), f'job="shop"}}{W}', f'job="shop",code!~"4.."}}{W}'),
    Mutation(
        "SLO204", raw(SLOW), 'order_duration_seconds_count{job="shop"}', 'order_duration_seconds_count{job="shop",path!="/"}'
    ),
    Mutation("SLO204", pyrra_ratio('a{code="500"}', "a{}"), "a{}", 'a{handler="/"}'),
    Mutation("SLO204", openslo(good='a{code="200"}', total="a"), "query: 'a'", "query: 'a{path=\"/\"}'"),
    Mutation("SLO204", raw(f'1 - sum(rate(x_bucket{{le="0.3"}}{W})) / sum(rate(x_bucket{{le="+Inf"}}{W}))'), "+Inf", "0.1"),
    Mutation("SLO204", raw(f'sum(rate(a{{x=~"1|2"}}{W})) / sum(rate(a{{x!~"3|4"}}{W}))'), "1|2", "1|3"),
    Mutation("SLO204", openslo(good='a{x!~"5xx"}', total='a{x=~"2xx|3xx|4xx|5xx"}'), "4xx|", ""),
    Mutation("SLO204", openslo(good='a{code!~"5.."}', total='a{code=~"[1-5].."}'), "[1-5]..", "2..|5.."),
    Mutation("SLO204", raw(f'1 - sum(rate(x_bucket{{le="0.3"}}{W})) / sum(rate(x_bucket{{le="+Inf"}}{W}))'), 'le="0.3"', ""),
    # The same time on both sides
    Mutation("SLO206", raw(f"{BAD} / {ALL}"), f'shop"}}{W}', 'shop"}[5m]'),
    Mutation("SLO206", raw(f"1 - ({GOOD} / {ALL})"), f'5.."}}{W}', '5.."}[1h]'),
    Mutation("SLO206", openslo(good="sum(rate(a[5m]))", total="sum(rate(b[5m]))"), "a[5m]", "a[10m]"),
    Mutation("SLO206", openslo(bad="sum(increase(a[1h]))", total="sum(increase(b[60m]))"), "60m", "61m"),
    Mutation("SLO206", openslo(raw="sum(rate(a[5m])) / sum(rate(b[5m]))"), "b[5m]", "b[30d]"),
    Mutation("SLO206", openslo(good='sum(rate(a{x=~"[0-9]"}[5m]))', total="sum(rate(a[5m]))"), "}[5m]", "}[10m]"),
    Mutation("SLO206", generator("sum(rate(a[window])) / sum(rate(b[window]))"), "b[window]", "b[1d]"),
    Mutation(
        "SLO206",
        raw("sum_over_time(sum(a)[{{.window}}:1m]) / sum_over_time(sum(b)[{{.window}}:1m])"),
        "(b)[{{.window}}:",
        "(b)[7d:",
    ),
    # The same labels on both sides
    Mutation("SLO207", events(BAD, ALL), "sum(rate", "sum by (route) (rate"),
    Mutation("SLO207", events(*BY_ROUTE), "sum by (route)", "sum by (path)"),
    Mutation("SLO207", raw(f"{BAD} / {ALL}"), "/ sum(", "/ sum by (job) ("),
    Mutation("SLO207", raw(f"1 - ({GOOD} / {ALL})"), "sum(rate", "sum by (code) (rate"),
    Mutation("SLO207", openslo(good=GOOD, total=ALL), "sum(rate", "sum by (code) (rate"),
    Mutation(
        "SLO207",
        raw(f"{BY_ROUTE[0].replace('route', 'route, code')} / ignoring (code) group_left {BY_ROUTE[1]}"),
        "ignoring (code)",
        "ignoring (route)",
    ),
    Mutation(
        "SLO207", raw(f"{BY_ROUTE[0]} / on (route) {BY_ROUTE[1]}"), "/ on (route) sum by (route)", "/ on (route) sum by (job)"
    ),
    Mutation("SLO207", raw(f"({BAD} or vector(0)) / {ALL}"), "/ sum(", "/ sum by (route) ("),
    Mutation("SLO207", raw(f"({BY_ROUTE[0]} or 0 * {BY_ROUTE[1]}) / {BY_ROUTE[1]}"), f"or 0 * {BY_ROUTE[1]}", "or vector(0)"),
    # Shares, not lengths of time
    Mutation(
        "SLO209",
        raw(f"sum_over_time((histogram_quantile(0.9, sum by (le) (rate(a_bucket[5m]))) > bool 1){W[:-1]}:])"),
        " > bool 1",
        "",
    ),
    Mutation(
        "SLO209", raw(f"1 - histogram_fraction(0, 0.3, sum(rate(a{W})))"), "histogram_fraction(0, 0.3,", "histogram_quantile(0.3,"
    ),
    Mutation(
        "SLO209",
        events(f"sum(count_over_time(histogram_quantile(0.9, a_bucket){W[:-1]}:]))", ALL),
        "count_over_time",
        "avg_over_time",
    ),
    Mutation("SLO209", events(f'sum(rate(a{{kind="0.99"}}{W}))', ALL), "kind=", "quantile="),
    Mutation(
        "SLO209",
        openslo(good="count(histogram_quantile(0.9, a_bucket) < 1)", total="count(a_count)"),
        "count(histogram",
        "max(histogram",
    ),
    Mutation("SLO209", openslo(raw="histogram_quantile(0.9, a_bucket) <= bool 1"), "<= bool 1", "/ 1"),
    Mutation("SLO209", generator("1 - (histogram_quantile(0.5, rate(a_bucket[window])) > bool 3)"), "> bool 3", "> 3"),
    # Buckets as Prometheus 3 calls them
    Mutation("SLO211", raw(SLOW), 'le="0.3"', 'le="3"'),
    Mutation("SLO211", raw(SLOW.replace('le="0.3"', 'le="1.0"')), 'le="1.0"', 'le="1"'),
    Mutation("SLO211", raw(SLOW.replace('le="0.3"', 'le=~"10([.]0)?"')), 'le=~"10([.]0)?"', 'le="10"'),
    Mutation("SLO211", events(f"{COUNT} - {BUCKET}", COUNT), 'le="0.3"', 'le = "30"'),
    Mutation("SLO211", openslo(good=BUCKET, total=COUNT), 'le="0.3"', 'le="2"'),
    Mutation("SLO211", openslo(good='a_sum{le="5"}', total="a_count"), "a_sum", "a_bucket"),
    Mutation("SLO211", generator('sum(rate(a_bucket{le="0.5"}[window]))/sum(rate(a_count[window]))'), "0.5", "5"),
    # The latency in words and in the query
    Mutation("SLO212", raw(SLOW, "Orders are answered within 300ms"), "300ms", "30ms"),
    Mutation("SLO212", raw(SLOW, "Orders are answered within 300ms"), 'le="0.3"', 'le="300"'),
    Mutation("SLO212", events(f"{COUNT} - {BUCKET}", COUNT, "faster than 0.3 seconds"), "0.3 seconds", "3 seconds"),
    Mutation(
        "SLO212",
        raw(SLOW.replace("seconds", "milliseconds").replace('"0.3"', '"300"'), "< 300 ms"),
        "_milliseconds_bucket",
        "_seconds_bucket",
    ),
    Mutation("SLO212", openslo("in under 300 milliseconds", good=BUCKET, total=COUNT), 'le="0.3"', 'le="0.5"'),
    Mutation("SLO212", threshold("max(order_duration_seconds)", "0.4", "at most 400ms"), "value: 0.4", "value: 400"),
    Mutation("SLO212", threshold("max(order_duration_ms)", "400", "stays below 400 ms"), "value: 400", "value: 0.4"),
    Mutation(
        "SLO212", threshold('histogram_quantile(0.9, rate(a_seconds_bucket{x="a/b"}[5m]))', "1", "p90 < 1s"), "< 1s", "< 2s"
    ),
    Mutation("SLO212", pyrra_latency('a_seconds_bucket{le="1"}', "a_seconds_count", "up to 1s"), 'le="1"', 'le="1.5"'),
    # Fallbacks on the right side
    Mutation("SLO214", events(f"{BAD} or vector(0)", f"{ALL} or vector(1)"), " or vector(0)", ""),
    Mutation("SLO214", events(BAD, ALL), 'shop"}[{{.window}}]))', 'shop"}[{{.window}}])) or vector(0)'),
    Mutation("SLO214", raw(f"({BAD} or vector(0)) / ({ALL} or vector(1))"), f"({BAD} or vector(0))", BAD),
    Mutation("SLO214", raw(f"({BAD} / ({ALL} or vector(1))) or vector(0)"), ") or vector(0)", ")"),
    Mutation("SLO214", openslo(good=f"{GOOD} or on() vector(0)", total=f"{ALL} or on() vector(1)"), " or on() vector(0)", ""),
    Mutation("SLO214", raw(f"1 - ({GOOD} / {ALL})"), f"/ {ALL}", f"/ sum(rate(a{W}) or vector(1))"),
    # An outage that shows
    Mutation("SLO215", events(ORDERS_BAD, ORDERS), "absent(orders_total)", "absent(payments_total)", NOTICED),
    Mutation("SLO215", events(ORDERS_BAD, ORDERS), "absent(orders_total)", "sum(orders_total) > 1000", NOTICED),
    Mutation(
        "SLO215",
        events(ORDERS_BAD, ORDERS),
        'Counter("orders_received_total"',
        'Counter("orders_total"',
        ((CODE[0][0], METRICS.replace("orders_total", "orders_received_total")),),
    ),
    Mutation("SLO215", raw(f"({BAD} or vector(1)) / ({ALL} or vector(1))"), "or vector(1)) / (", "or vector(0)) / ("),
    Mutation("SLO215", raw(f"{BAD} / {ALL} or vector(1)"), "or vector(1)", "or vector(0)"),
    Mutation("SLO215", openslo(raw=f"{GOOD} / {ALL} or vector(0)"), "or vector(0)", "or vector(1)"),
    Mutation("SLO215", raw(f"1 - ({GOOD} / {ALL} or vector(0))"), "or vector(0)", "or vector(1)"),
    Mutation(
        "SLO215",
        pyrra_ratio('orders_total{result="failed"}', "orders_total", "  alerting:\n    absent: true\n"),
        "absent: true",
        "absent: false",
        CODE,
    ),
)


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda one: f"{one.code}: {one.old[:30]} → {one.new[:30]}")
def test_one_wrong_change_is_noticed(mutation: Mutation) -> None:
    """Before the change the check keeps quiet; after it there is exactly one finding."""
    assert [] == Repo(mutation.files(changed=False)).findings(mutation.code)
    assert 1 == len(Repo(mutation.files(changed=True)).findings(mutation.code))


@pytest.mark.parametrize("code", CODES)
def test_every_check_is_proved_by_six_changes(code: str) -> None:
    """One example shows that a check can speak; six show that it looks at what it is about."""
    assert 6 <= sum(mutation.code == code for mutation in MUTATIONS)


NEAR_MISSES = (
    # Shares that differ from the objective and contradict nothing
    ("SLO111", events(BAD, ALL, "CPU usage stays below 80%; see the SLO policy")),
    ("SLO111", events(BAD, ALL, "no more than 0.1% of orders fail")),
    ("SLO111", events(BAD, ALL, "99.90% of orders succeed, up from 99% of orders")),
    ("SLO111", raw("1 - histogram_fraction(0, 0.95, rate(a[{{.window}}]))", "95% of it")),
    ("SLO111", events(BAD, ALL, "99.9% of orders", "99.900")),
    ("SLO111", events(BAD, ALL, "99% of orders", "0.99")),  # SLO101 says what is wrong
    ("SLO111", events(BAD, ALL, "100.5% of nonsense, 12% of orders")),
    # Windows that are no mistake
    ("SLO202", openslo(good="a", total="b")),
    ("SLO202", openslo(good="sum(rate(a[5m]))", total="sum(rate(b[5m]))")),
    ("SLO202", events("sum_over_time((sum(rate(a[1m])) > bool 1)[{{.window}}:])", "count_over_time(sum(up)[{{ .window }}:])")),
    ("SLO202", events("sum(rate(a[5m])", ALL)),  # invalid: SLO201 says so
    ("SLO202", events(f"sum(rate({{{{.metric}}}}{W}))", ALL)),  # nobody knows what Sloth would do with that
    # Queries that differ where it counts
    ("SLO203", raw(f"1 - sum(sum_over_time(up{W})) / sum(count_over_time(up{W}))")),
    ("SLO203", events(BAD, ALL)),
    ("SLO203", openslo(good="sum(rate(a[5m]))", total="sum(rate(a[5m] offset 1m))")),
    ("SLO203", openslo(good="sum(rate(a[5m]))", total="sum(rate(a[5m] @ end()))")),
    ("SLO203", openslo(good="count(a > 1)", total="count(a > bool 1)")),
    ("SLO203", openslo(good="a - b", total="b - a")),
    ("SLO203", openslo(good="sum by (x) (a)", total="sum without (x) (a)")),
    ("SLO203", openslo(good="sum_over_time(a[5m:1m])", total="sum_over_time(a[5m:2m])")),
    ("SLO203", openslo(good="topk(1, a)", total="topk(2, a)")),
    ("SLO203", openslo(good="-a", total="a")),
    ("SLO203", openslo(good='label_replace(a, "x", "1", "y", "")', total='label_replace(a, "x", "2", "y", "")')),
    ("SLO203", openslo(good="a * on (x) b", total="a * on (y) b")),
    # Parts that are parts, or may be
    ("SLO204", events(f"sum(rate(errors_total{W}))", f'sum(rate(requests_total{{job="x"}}{W}))')),
    ("SLO204", events(f'sum(rate(a{{service="x",code="500"}}{W}))', f'sum(rate(a{{job="x"}}{W}))')),
    ("SLO204", events(f'sum(rate(a{{state="finished"}}{W}))', f'sum(rate(a{{state="started"}}{W}))')),
    ("SLO204", openslo(good='a{code="2xx"}', total='a{code="total"}')),
    ("SLO204", events(BAD, ALL.replace('job="shop"', 'job="shop",code!="",path=~".*"'))),
    ("SLO204", raw(f'sum(rate(a{{code=~"5..|429"}}{W})) / sum(rate(a{{code!~"404|40[13]"}}{W}))')),
    ("SLO204", raw(f'sum by (job) (rate(a{{code="500"}}{W})) / sum by (job) (rate(a{{job="x"}}{W}))')),
    ("SLO204", raw(f'rate(a{{code="500"}}{W}) / ignoring (code) rate(a{{job="x"}}{W})')),
    ("SLO204", raw(f'rate(a{{code="500"}}{W}) / on (job) group_left rate(a{{job="x"}}{W})')),
    ("SLO204", raw(f'avg(rate(a{{track="canary"}}{W})) / avg(rate(a{{track!="canary"}}{W}))')),
    ("SLO204", raw(f'1 - sum(rate(x_bucket{{le="0.3"}}{W})) / sum(rate(x_bucket{{le="1"}}{W}))')),
    ("SLO204", raw(f'1 - sum(rate(x_bucket{{le=~"1([.]0)?"}}{W})) / sum(rate(x_bucket{{le="0.5"}}{W}))')),
    ("SLO204", raw(f'1 - sum(rate(x_bucket{{le="many"}}{W})) / sum(rate(x_bucket{{le="0.5"}}{W}))')),
    ("SLO204", raw(f'sum(rate(x{{le="2"}}{W})) / sum(rate(x{{le="1"}}{W}))')),
    ("SLO204", raw(f'sum(rate(a{{x=~"(b+)+|c"}}{W})) / sum(rate(a{{x!~"(c+)+"}}{W}))')),
    ("SLO204", raw(f'sum(rate(a{W})) / sum(rate(a{{job="x"}}{W} offset 1h))')),
    ("SLO204", raw(f'sum(rate(a{W})) / sum(rate({{__name__=~"a|b",job="x"}}{W}))')),
    ("SLO204", raw('max(a{window="{{.window}}"}) / max(a{job="x"})')),
    ("SLO204", openslo(good='a_bucket{x="1"}', total='a_bucket{le=~".+5"}')),
    ("SLO204", openslo(good='a{x="1"}', total='a{x!~"1{2}{3}"}')),
    ("SLO204", openslo(good='a{x="1"}', total='a{x!~"1*1*1*1*1*1*1*"}')),
    ("SLO204", openslo(good='{x="1"}', total='{x="1",y="2"}')),
    ("SLO204", openslo(good='a{x!~"5xx"}', total='a{x=~"2xx|3xx|4xx|5xx"}')),
    # The same time, or another question
    ("SLO206", raw(f"{BAD} / {ALL.replace(W, '[{{ .window }}]')}")),
    ("SLO206", events(BAD, ALL.replace(W, "[5m]"))),  # SLO202 says so
    ("SLO206", raw(f"{BAD} / scalar(sum(up))")),
    ("SLO206", raw(f"(sum(rate(a{W})) + sum(rate(b[1h]))) / {ALL}")),
    ("SLO206", openslo(good="sum(rate(a[5m]))", total="sum(rate(b[300s]))")),
    ("SLO206", openslo(good="sum(rate(a[5m * 2]))", total="sum(rate(b[10m]))")),
    # Labels that are the same, or unknown
    ("SLO207", events(BAD, ALL.replace("sum(", "sum by () ("))),
    ("SLO207", raw(f"sum by (a) (rate(x{W})) / scalar(sum(rate(x{W})))")),
    ("SLO207", raw(f"sum by (a) (rate(x{W})) / 2")),
    ("SLO207", raw(f"sum by (a) (rate(x{W})) / sum without (b) (rate(x{W}))")),
    ("SLO207", raw(f"topk(3, sum by (a) (rate(x{W}))) / sum by (b) (rate(x{W}))")),
    ("SLO207", raw(f"sum by (a, b) (rate(x{W})) / on (a) group_left sum by (a) (rate(x{W}))")),
    ("SLO207", raw(f"(sum(rate(x{W})) or vector(0)) / sum(rate(y{W}))")),
    ("SLO207", raw(f"(sum by (a) (rate(x{W})) * on (a) sum by (a) (y)) / sum by (b) (rate(x{W}))")),
    # Numbers of events that have to do with quantiles
    ("SLO209", threshold("histogram_quantile(0.9, rate(a_bucket[5m]))", "1", "")),
    ("SLO209", raw(f"count(histogram_quantile(0.9, rate(a_bucket{W})) > 1) / count(rate(a_count{W}))")),
    ("SLO209", raw(f"histogram_quantile(0.9, rate(a_bucket{W})) * 0 + 1")),
    ("SLO209", raw('max(availability_ratio{quantile="0.9",w="{{.window}}"})')),
    ("SLO209", raw(f"quantile_over_time(0.1, up{W})")),
    ("SLO209", raw(f"up * on () (histogram_quantile(0.9, rate(a_bucket{W})) > bool 1)")),
    ("SLO209", raw(f"{BAD} / {ALL.replace('job', 'quantile_name')}")),
    # Numbers that are no ends of buckets
    ("SLO211", raw(SLOW.replace('"0.3"', '"+Inf"'))),
    ("SLO211", raw(f'sum(rate(a{{le="1"}}{W}))')),
    ("SLO211", raw(f'sum(rate(a_bucket{{tier="1",title="1"}}{W}))')),
    ("SLO211", raw(f'sum(rate(a_bucket{{x="le=1"}}{W}))')),
    ("SLO211", pyrra_latency('a_seconds_bucket{le="1"}', "a_seconds_count")),
    # Lengths of time that are no limit, not the only one, or near enough
    ("SLO212", raw(SLOW, "answered within 290ms")),
    ("SLO212", raw(SLOW, "answered soon, retried after 2s")),
    ("SLO212", raw(SLOW, "answered within 100ms, or 2s at night")),
    ("SLO212", raw(SLOW, "answered within 2 minutes")),
    ("SLO212", raw(SLOW.replace("order_duration_seconds", "order_duration"), "within 30ms")),
    ("SLO212", raw(SLOW.replace('"0.3"', '"+Inf"'), "within 30ms")),
    ("SLO212", raw(SLOW.replace('"0.3"', '"many"'), "within 30ms")),
    ("SLO212", threshold("max(order_duration_seconds)", "400", "at most 400ms", op="gte")),
    ("SLO212", threshold("max(order_duration_seconds) * 1000", "400", "at most 400ms")),
    ("SLO212", threshold("rate(order_duration_seconds[5m])", "400", "at most 400ms")),
    ("SLO212", threshold("max(orders_waiting)", "400", "at most 400ms")),
    # Fallbacks where they belong
    ("SLO214", events(f"{BAD} or vector(0)", ALL)),
    ("SLO214", raw(f"({BAD} / ({ALL} or vector(1))) or vector(0)")),
    ("SLO214", raw(f"{BAD} / ({ALL} or sum(up))")),
    ("SLO214", raw(f"{BAD} / ({ALL} > 0 or vector(1))")),  # of no requests, none has failed
    ("SLO214", raw(f"({ALL} - ({GOOD} or vector(0))) / ({ALL} or vector(1))")),
    # Outages that somebody notices, or that leave the metric where it is
    ("SLO215", events(BAD, ALL)),
    ("SLO215", raw(f"({BAD} / {ALL}) or vector(1)")),
    ("SLO215", raw("1 - avg_over_time(up[{{.window}}])")),
    ("SLO215", raw(f"1 - (sum(sum_over_time(up{W})) / sum(count_over_time(up{W}))) or vector(0)")),
    ("SLO215", events(f"{BAD} or vector(0)", "count_over_time(vector(1)[{{.window}}:1m])")),
    ("SLO215", events(f"{BAD} or vector(0)", "count_over_time(vector(1)[{{.window}}:1m]) or vector(1)")),
    ("SLO215", raw("vector(0) / vector(1) or vector(0)")),
    ("SLO215", openslo(raw=f"{GOOD} / {ALL} or vector(0)")),
)


@pytest.mark.parametrize(("code", "spec"), NEAR_MISSES, ids=[f"{code}-{number}" for number, (code, _) in enumerate(NEAR_MISSES)])
def test_what_only_looks_like_a_mistake_is_none(code: str, spec: str) -> None:
    """A false alarm is worse than a miss."""
    assert [] == Repo({"slo.yaml": spec}).findings(code)


@pytest.mark.parametrize(
    "expr",
    [
        "absent_over_time(orders_total[5m])",
        "up == 0",
        'probe_success{job="shop"} == 0',
        "orders_total offset 1h unless orders_total",
        "(sum(rate(orders_total[5m])) or vector(0)) == 0",
    ],
)
def test_any_alert_that_misses_the_metric_is_a_companion(expr: str) -> None:
    """There is more than one way to notice that a service is gone."""
    files = {"slo.yaml": events(ORDERS_BAD, ORDERS), "shop.py": METRICS}
    assert 1 == len(Repo(files).findings("SLO215"))
    rule = f"groups:\n  - name: shop\n    rules:\n      - alert: Gone\n        expr: '{expr}'\n"
    assert [] == Repo({**files, "alerts.yaml": rule}).findings("SLO215")


def test_an_objective_may_be_described_by_its_sibling() -> None:
    """Of several objectives with one description, one has to keep it."""
    two = openslo("99.9% of orders succeed", good=GOOD, total=ALL) + "      displayName: strict\n    - target: 0.99\n"
    assert [] == Repo({"slo.yaml": two}).findings("SLO111")
    assert 2 == len(Repo({"slo.yaml": two.replace("99.9%", "95%")}).findings("SLO111"))


def test_a_threshold_may_be_described_by_its_sibling() -> None:
    """The description of two thresholds speaks of one of them."""
    spec = threshold("max(order_duration_seconds)", "0.4", "at most 400ms")
    spec += "      displayName: good\n    - op: lte\n      value: 4\n      target: 0.999\n      displayName: bearable\n"
    assert [] == Repo({"slo.yaml": spec}).findings("SLO212")
    assert 2 == len(Repo({"slo.yaml": spec.replace("400ms", "40ms")}).findings("SLO212"))


def test_an_indicator_that_stands_elsewhere_counts() -> None:
    """What an SLO refers to is measured as if it stood there."""
    sli = (
        "apiVersion: openslo/v1\nkind: SLI\nmetadata:\n  name: fast\nspec:\n  ratioMetric:\n    counter: true\n"
        f"    good:\n      metricSource:\n        type: Prometheus\n        spec:\n          query: '{BUCKET}'\n"
        f"    total:\n      metricSource:\n        type: Prometheus\n        spec:\n          query: '{COUNT}'\n"
    )
    slo = (
        "apiVersion: openslo/v1\nkind: SLO\nmetadata:\n  name: orders\nspec:\n  service: shop\n  description: within 30ms\n"
        "  budgetingMethod: Occurrences\n  indicatorRef: fast\n  objectives:\n    - target: 0.99\n"
    )
    (found,) = Repo({"sli.yaml": sli, "slo.yaml": slo}).findings("SLO212")
    assert found.startswith("sli.yaml:")


def test_a_datadog_query_for_both_sides_is_noticed() -> None:
    """Of a query that is not parsed, the text is compared."""
    spec = openslo(good="sum:orders{*}", total="sum:orders{ok:true}").replace("Prometheus", "Datadog")
    assert [] == Repo({"slo.yaml": spec}).findings("SLO203")
    assert 1 == len(Repo({"slo.yaml": spec.replace("ok:true", "*")}).findings("SLO203"))


@pytest.mark.parametrize("spec", [raw(SLOW), openslo(good=BUCKET, total=COUNT), raw(SLOW.replace('le="0.3"', "le=`0.3`"))])
def test_a_bucket_is_mended_by_its_edit(spec: str) -> None:
    """After the edit both forms are found, and nothing else has changed."""
    text = spec.replace("0.3", "3")
    (finding,) = Repo({"slo.yaml": text}).outcome("SLO211").findings
    assert finding.edit is not None
    mended = apply("slo.yaml", text, finding.edit)
    assert text.replace('le="3"', 'le=~"3([.]0)?"').replace("le=`3`", "le=~`3([.]0)?`") == mended
    assert [] == Repo({"slo.yaml": mended}).findings("SLO211")


def test_a_finding_points_at_the_very_place() -> None:
    """Of a query over several lines, the line and the column are those of the mistake."""
    lines = ["sum(rate(a_total{code=~'5..'}[{{.window}}]))", "/", "sum(rate(a_total[10m]))"]
    spec = sloth("raw:\n  error_ratio_query: |\n" + textwrap.indent("\n".join(lines), "    "))
    (found,) = Repo({"slo.yaml": spec}).findings("SLO206")
    line, column = (int(number) for number in found.split(":")[1:3])
    assert spec.split("\n")[line - 1][column - 1 :].startswith("10m]")


def test_a_query_without_places_is_pointed_at_as_a_whole() -> None:
    """Readers of other people need not say where each character stands."""
    at = Location("x", 3, 5)
    bad, total = (
        Query(at=at, text=text, parsable=text, language="promql", role=role)
        for text, role in (("rate(a[5m])", "bad"), ("rate(b[1h])", "total"))
    )
    from pytest_reliability.checks.slo.integer_bucket_label import integer_bucket_label
    from pytest_reliability.checks.slo.ratio_range_mismatch import ratio_range_mismatch

    (problem,) = ratio_range_mismatch.run(Indicator(at=at, holder="SLO 'x'", queries=(bad, total)))
    assert at == problem.at
    guessed = Query(at=at, text="rate(b[$x])", parsable="rate(b[1h])", language="promql", role="total")
    assert [] == list(ratio_range_mismatch.run(Indicator(at=at, holder="SLO 'x'", queries=(bad, guessed))))
    other = Query(at=at, text='a{le="1"}', parsable="sum(a)", language="", role="good")
    assert [] == list(integer_bucket_label.run(Indicator(at=at, holder="SLO 'x'", queries=(replace(other, place=lambda _: at),))))
    buckets = Query(at=at, text='a_bucket{le="1"}', parsable='a_bucket{le="1"}', language="promql", role="good")
    assert [] == list(integer_bucket_label.run(Indicator(at=at, holder="SLO 'x'", queries=(buckets,))))


# --- What is made of an expression


def query(text: str, role: str = "ratio", of: str = "bad") -> Query:
    """A query as a reader makes it."""
    return Query(at=Location("x"), text=text, parsable=text, language="promql", role=role, ratio_of=of)


@pytest.mark.parametrize(
    ("text", "numerator", "denominator", "of", "good"),
    [
        ("a / b", "a{}", "b{}", "bad", ()),
        ("1 - a / b", "a{}", "b{}", "good", ()),
        ("1 - (1 - (a / b))", "a{}", "b{}", "bad", ()),
        ("avg(a / b) * 100", "a{}", "b{}", "bad", ()),
        ("0.5 * clamp_max(a / b, 1) > 0", "a{}", "b{}", "bad", ()),
        ("(a / b) / 100", "a{}", "b{}", "bad", ()),
        ("a / b or vector(0)", "a{}", "b{}", "bad", (1,)),
        ("1 - (a / b or on() vector(0.25)) or vector(1)", "a{}", "b{}", "good", (0, 0.25)),
    ],
)
def test_a_division_is_found_in_what_is_around_it(
    text: str, numerator: str, denominator: str, of: str, good: tuple[float, ...]
) -> None:
    """Whether a share is one of good or of bad events depends on how often it is taken from one."""
    (ratio,) = ratios((query(text),))
    assert (numerator, denominator) == (str(ratio.numerator.tree), str(ratio.denominator.tree))
    assert (of, good) == (ratio.of, ratio.fallbacks)


@pytest.mark.parametrize("text", ["a", "a - b", "2 - a / b", "rate(a[5m])", "topk(1, a / b)", "a + b / c", "a unless b", "1 / 2"])
def test_what_divides_nothing_is_no_ratio(text: str) -> None:
    """A sum with a quotient in it is no share."""
    assert () == ratios((query(text),))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("rate(a[5m])", {300.0}),
        ("sum_over_time(sum(rate(a[5m]))[1h:1m])", {3600.0}),
        ("-(rate(a[5m]) + increase(b[1m]))", {300.0, 60.0}),
        ("a", set()),
    ],
)
def test_how_far_an_expression_looks_back(text: str, expected: set[float]) -> None:
    """Of ranges within ranges only the outer one decides over which time events are counted."""
    assert expected == ranges(parse(text).tree)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("sum(a)", set()),
        ("sum by (x, y) (a)", {"x", "y"}),
        ("sum without (x) (a)", None),
        ("a", None),
        ("absent(a)", set()),
        ("round(sum by (x) (a))", {"x"}),
        ('label_replace(sum by (x) (a), "y", "", "x", "")', None),
        ("max_over_time(sum by (x) (a)[1h:])", {"x"}),
        ("-sum by (x) (a)", {"x"}),
        ("sum by (x) (a) unless b", {"x"}),
        ("sum by (x) (a) + sum by (x) (b)", {"x"}),
        ("sum by (x) (a) + sum by (y) (b)", None),
        ("sum by (x) (a) + on (x) sum by (x) (b)", None),
        ("2 * sum by (x) (a)", {"x"}),
        ("sum by (x) (a) * 2", {"x"}),
        ("1", None),
    ],
)
def test_which_labels_an_expression_keeps(text: str, expected: set[str] | None) -> None:
    """Only what is written out is known."""
    assert expected == labels(parse(text).tree)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("max(a_seconds)", "a_seconds"),
        ("avg_over_time(a_seconds[5m])", "a_seconds"),
        ("quantile_over_time(0.9, a_seconds[5m])", "a_seconds"),
        ("max_over_time(avg(a_seconds)[5m:])", "a_seconds"),
        ("a_seconds or vector(0)", "a_seconds"),
        ("a_seconds + 1", None),
        ("sum(a_seconds)", None),
        ("histogram_quantile(0.9, a_bucket + b_bucket)", None),
        ("1", None),
        ("sum(", None),
    ],
)
def test_in_whose_unit_a_value_is(text: str, expected: str | None) -> None:
    """Arithmetic may change the unit; then nobody knows."""
    assert expected == metric_measured(text)


def test_a_computed_quantile_is_one_all_the_same() -> None:
    """Where no number is written, the message gives none."""
    assert "of a histogram" == quantile("histogram_quantile(scalar(a), b_bucket)")
    (found,) = Repo({"slo.yaml": raw(f"histogram_quantile(scalar(a), sum by (le) (rate(b_bucket{W})))")}).findings("SLO209")
    assert "is a quantile of a metric" in found


@pytest.mark.parametrize("text", ["sum(", "quantile(", "absent("])
def test_what_cannot_be_parsed_is_nothing(text: str) -> None:
    """A broken query is reported by SLO201, and by nobody else."""
    assert (None, frozenset(), ()) == (quantile(text), missed(text), selectors(text))
    assert () == ratios((query(text),))
    assert all(not Repo({"slo.yaml": raw(text + W)}).findings(code) for code in CODES)


SELECTORS = st.sampled_from(
    ['a{x="1"}', "a", 'a_bucket{le="0.5"}', "a_count", 'b{code=~"5..|[45]xx"}', 'b{code!~"4.."}', '{x="y"}']
)
WRAPPERS = (
    "({})",
    "-{}",
    "1 - {}",
    "sum({})",
    "sum by (x) ({})",
    "avg without (x) ({})",
    "topk(1, {})",
    "quantile(0.5, {})",
    "rate(({})[5m:1m])",
    "clamp_max({}, 1)",
    "absent({})",
    "histogram_quantile(0.9, {})",
    "label_replace({}, 'x', '', 'y', '')",
)
NUMBERS = st.sampled_from(["1", "0", "100", "vector(0)", "scalar(a)"])


def _grown(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    operators = st.sampled_from(
        ["/", "-", "+", "*", "or", "and", "unless", "> bool", ">", "/ on (x)", "/ ignoring (x) group_left"]
    )
    return st.builds("({} {} {})".format, inner, operators, inner) | st.builds(str.format, st.sampled_from(WRAPPERS), inner)


@settings(max_examples=200)
@given(st.recursive(SELECTORS | NUMBERS, _grown, max_leaves=8), st.recursive(SELECTORS | NUMBERS, _grown, max_leaves=4))
def test_no_expression_is_too_odd(one: str, other: str) -> None:
    """Whatever Prometheus would take can be looked at, and what differs only in spelling is the same."""
    queries = (query(one, "good"), query(other, "total"), query(one, "ratio"))
    for ratio in ratios(queries):
        outsider(ratio)
        for side in (ratio.numerator.tree, ratio.denominator.tree):
            assert canonical(side) == canonical(parse(f"(({side.prettify()}))").tree)
            labels(side)
            ranges(side)
    quantile(one)
    missed(one)
    metric_measured(one)


def test_real_specs_raise_no_false_alarm() -> None:
    """Of the mistakes in other people's files these are all; each has been read, and each is one."""
    if not CORPUS.is_dir():
        pytest.skip("../shared/corpus/slo is not here")
    found = set()
    for folder in sorted(CORPUS.iterdir()):
        texts = {
            str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.suffix in (".yaml", ".yml")
        }
        report = Repo(texts).report(*CODES)
        found |= {(finding.check.code, Path(finding.at.path).name) for outcome in report.outcomes for finding in outcome.findings}
    assert {
        ("SLO111", "slo_custom_app_availability_query_sli.yaml"),
        ("SLO111", "slo_custom_app_availability_ratio.yaml"),
        ("SLO203", "sli-ratio-good-and-bad.yaml"),
        ("SLO203", "v1alpha.yaml"),
        ("SLO211", "openslo-kubernetes-apiserver.yml"),
    } == found
