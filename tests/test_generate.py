"""Rules that follow from SLOs: which windows, which expressions, which labels, and what is refused."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from pytest_reliability.generate import options as words
from pytest_reliability.generate.files import Generated, canonical, rules_file, unit_tests_file
from pytest_reliability.generate.options import Options
from pytest_reliability.generate.ratio import error_ratio, over_window
from pytest_reliability.generate.rules import alert_name, quoted, rounded
from pytest_reliability.generate.templates import NoRulesError
from pytest_reliability.generate.traffic import Stretch, average, averaged, counted, series_of
from pytest_reliability.generate.unit_tests import Proven, cases
from pytest_reliability.generate.windows import DAY, HOUR, MINUTE, BurnAlert, burn_alerts, spelled
from pytest_reliability.generate.writing import yaml as written
from pytest_reliability.model.duration import Duration
from pytest_reliability.model.graph import Graph
from pytest_reliability.model.location import Location
from pytest_reliability.model.nodes import (
    Alerting,
    AlertText,
    BurnRate,
    GeneratedRules,
    Origin,
    Part,
    Plugin,
    Query,
    Service,
    SliTemplate,
    Slo,
)
from pytest_reliability.model.settings import Settings, Vocabulary
from pytest_reliability.testing import Repo

AT = Location("slo/checkout.yaml", 3, 5)
BAD = 'sum(rate(http_requests_total{job="checkout",code=~"5.."}[{{.window}}]))'
GOOD = 'sum(rate(http_requests_total{job="checkout",code!~"5.."}[{{.window}}]))'
TOTAL = 'sum(rate(http_requests_total{job="checkout"}[{{.window}}]))'


def query(role: str, text: str, language: str = "promql", **more: Any) -> Query:
    """A query whose window is filled in where it says {{.window}}."""

    def windowed(window: str) -> str:
        return text.replace("{{.window}}", window)

    over = windowed if "{{.window}}" in text else None
    return Query(at=AT, text=text, language=language, role=role, parsable=windowed("5m"), windowed=over, **more)


def slo(*queries: Query, **more: Any) -> Slo:
    """An SLO of 99.9% over 30 days."""
    values: dict[str, Any] = {
        "at": AT,
        "name": "availability",
        "service": "checkout",
        "dialect": "sloth",
        "objective": Decimal("0.999"),
        "objective_at": AT,
        "window": Duration.parse("30d"),
        "queries": queries or (query("bad", BAD), query("total", TOTAL)),
    }
    return Slo(**{**values, **more})


def made(*slos: Slo, more: tuple[Any, ...] = (), **options: Any) -> Generated:
    """The rules of some SLOs in one file."""
    graph = Graph((*slos, *more), files={AT.path})
    return rules_file(graph, AT.path, Options(**options), "rules/checkout.rules.yaml")


def rules(*slos: Slo, more: tuple[Any, ...] = (), **options: Any) -> dict[str, dict[str, Any]]:
    """The rules of the first SLO by their names."""
    generated = made(*slos, more=more, **options)
    assert () == generated.skipped
    (document,) = generated.documents
    return {rule.get("record") or rule["alert"]: rule for rule in document["groups"][0]["rules"]}


def refused(given: Slo, **options: Any) -> str:
    """Why an SLO has no rules."""
    ((_, reason),) = made(given, **options).skipped
    return reason


# Windows


def table(objective: str, period: str, **more: Any) -> list[str]:
    """The alerts for a period, each as one line."""
    seconds = Duration.parse(period).seconds
    return [
        f"{burn.severity} {burn.factor:f} {spelled(burn.long)} {spelled(burn.short)} {rounded(burn.share(seconds) * 100)}%"
        for burn in burn_alerts(Decimal(objective), seconds, **more)
    ]


def test_the_table_of_the_workbook() -> None:
    """Thirty days give the table of the workbook's chapter 5."""
    assert ["page 14.4 1h 5m 2%", "page 6 6h 30m 5%", "ticket 3 1d 2h 10%", "ticket 1 3d 6h 10%"] == table("0.999", "30d")


@pytest.mark.parametrize(
    ("period", "expected"),
    [
        ("28d", ["page 13.44 1h 5m 2%", "page 5.6 6h 30m 5%", "ticket 2.8 1d 2h 10%", "ticket 0.9333 3d 6h 10%"]),
        ("7d", ["page 13.44 15m 2m 2%", "page 5.6 1h30m 10m 5%", "ticket 2.8 6h 30m 10%", "ticket 0.9333 18h 1h30m 10%"]),
        ("90d", ["page 14.4 3h 15m 2%", "page 6 18h 1h30m 5%", "ticket 3 3d 6h 10%", "ticket 1 9d 18h 10%"]),
    ],
)
def test_windows_grow_and_shrink_with_the_period(period: str, expected: list[str]) -> None:
    """The same share of the budget is gone when an alert fires, over windows that people can say."""
    assert expected == table("0.999", period)


def test_burn_rates_that_cannot_be_reached_are_lowered() -> None:
    """Of 10 events one may fail: a burn rate of 14.4 would need more than all of them to fail."""
    assert ["page 7.5", "page 6", "ticket 3", "ticket 1"] == [
        line.rpartition(" ")[0].rsplit(" ", 2)[0] for line in table("0.9", "30d")
    ]


def test_short_windows_hold_several_scrapes() -> None:
    """Where metrics come every two minutes, no window is so short that a rate cannot be computed."""
    assert "page 14.4 1h 10m 2%" == table("0.999", "30d", scrape=120.0)[0]


@given(
    st.decimals(min_value="0.01", max_value="0.99999", places=5),
    st.integers(min_value=1, max_value=400),
    st.integers(min_value=1, max_value=300),
)
def test_every_alert_can_fire(objective: Decimal, days: int, scrape: int) -> None:
    """Whatever the objective and the period: a total outage exceeds every burn rate, and short windows are short."""
    for burn in burn_alerts(objective, days * DAY, scrape):
        assert burn.factor * (1 - objective) < 1
        assert 0 < burn.short < burn.long
        assert burn.short >= 4 * scrape


def test_spelling_of_lengths() -> None:
    """Lengths are spelt as Prometheus spells them; weeks only where it does."""
    assert ["5m", "1h30m", "1d12h", "30d", "0s"] == [spelled(s) for s in (300, 90 * MINUTE, 36 * HOUR, 30 * DAY, 0)]
    assert ["4w", "30d", "1y"] == [spelled(days * DAY, weeks=True) for days in (28, 30, 365)]


# Expressions


def test_bad_events_of_all() -> None:
    """What never failed has no series and counts as none; no traffic at all gives no ratio, not NaN."""
    expected = f"""\
(
  ({BAD.replace("{{.window}}", "1h")})
  or
  0 * ({TOTAL.replace("{{.window}}", "1h")})
)
/
(({TOTAL.replace("{{.window}}", "1h")}) > 0)"""
    assert expected == rules(slo())["slo:error_ratio:rate1h"]["expr"]


def test_good_events_of_all() -> None:
    """Where no good event was ever seen, all are bad."""
    expected = f"""\
1 - (
  ({GOOD.replace("{{.window}}", "5m")})
  or
  0 * ({TOTAL.replace("{{.window}}", "5m")})
)
/
(({TOTAL.replace("{{.window}}", "5m")}) > 0)"""
    assert expected == rules(slo(query("good", GOOD), query("total", TOTAL)))["slo:error_ratio:rate5m"]["expr"]


def test_good_and_bad_events() -> None:
    """All events are the good and the bad ones, whichever of them there are."""
    ratio = error_ratio(Graph(()), slo(query("good", "sum(rate(g[{{.window}}]))"), query("bad", "sum(rate(b[{{.window}}]))")))
    assert ratio.total is not None
    good, bad = "sum(rate(g[5m]))", "sum(rate(b[5m]))"
    assert f"(({good}) or 0 * ({bad})) + (({bad}) or 0 * ({good}))" == ratio.total("5m")


def test_ratios_of_bad_and_of_good_events() -> None:
    """A ratio is taken as it is, or from one; one of which nobody knows which it is gives no rules."""
    raw = "1 - sum(rate(g[{{.window}}])) / sum(rate(a[{{.window}}]))"
    filled = raw.replace("{{.window}}", "5m")
    assert filled == rules(slo(query("ratio", raw, ratio_of="bad")))["slo:error_ratio:rate5m"]["expr"]
    assert f"1 - (\n  {filled}\n)" == rules(slo(query("ratio", raw, ratio_of="good")))["slo:error_ratio:rate5m"]["expr"]
    assert "nothing says whether its ratio is that of good or of bad events" == refused(slo(query("ratio", raw)))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("sum(rate(a_total[5m]))", "sum(rate(a_total[1h]))"),
        (
            'sum(rate(a_total{x="[7m]"}[10m])) + sum(rate(b_total[ 10m ]))',
            'sum(rate(a_total{x="[7m]"}[1h])) + sum(rate(b_total[1h]))',
        ),
        ('a_total{job="x"}', 'sum(rate(a_total{job="x"}[1h]))'),
        ("http_request_duration_seconds_count", "sum(rate(http_request_duration_seconds_count[1h]))"),
    ],
)
def test_ranges_that_are_written_out(text: str, expected: str) -> None:
    """A query with one range is meant for any window; a counter by itself is counted by its rate."""
    assert expected == over_window(query("total", text))("1h")


@pytest.mark.parametrize(
    ("text", "language", "reason"),
    [
        ("sum(rate(a_total[5m])) / sum(rate(a_total[1h]))", "promql", "its query has no place for a window"),
        ("max_over_time(a[1h:5m])", "promql", "its query has no place for a window"),
        ("max_over_time(sum(rate(a_total[5m]))[1h:1m])", "promql", "its query has no place for a window"),
        ("queue_length", "promql", "its query has no place for a window"),
        ("sum(rate(a_total[{{.window}}])", "promql", "its query is not valid PromQL"),
        ("sum:requests{*}", "datadog", "its query is datadog, not PromQL"),
        ("whatever", "", "its query is not known to be PromQL"),
    ],
)
def test_queries_that_cannot_be_computed_over_any_window(text: str, language: str, reason: str) -> None:
    """Where nobody can tell what a query is over another window, there are no rules."""
    with pytest.raises(NoRulesError, match=reason):
        over_window(query("total", text, language))


def test_a_query_that_cannot_be_filled_in() -> None:
    """One with placeholders that nobody knows is refused."""
    with pytest.raises(NoRulesError, match="cannot be filled in"):
        over_window(replace(query("total", "x"), parsable=None))


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        (slo(parts=(Part(at=AT, name="a"),)), "it is composed of other SLOs; generate the rules of these"),
        (slo(method="timeslices"), "it counts timeslices, not events"),
        (slo(query("threshold", "x")), "it compares a value with a threshold and counts no events"),
        (slo(query("good", GOOD)), "it has no ratio"),
        (slo(objective=None), "it has no objective that can be read"),
        (slo(objective=Decimal(1)), "its objective of 100% leaves no error budget to alert on"),
        (slo(window=None), "it has no time window; say which: --period 28d"),
        (slo(queries=()), "no query of it can be read"),
    ],
)
def test_slos_without_rules(given: Slo, reason: str) -> None:
    """Each SLO that has no rules is told with the reason, in the file as well."""
    assert reason == refused(given)
    assert f"# not here: checkout/availability: {reason}\n" in made(given).text


# Records


def test_the_rest_of_the_budget() -> None:
    """Over the whole period the short ratio is averaged, which is cheap."""
    found = rules(slo())
    assert 'avg_over_time(slo:error_ratio:rate5m{slo="checkout/availability"}[30d])' == found["slo:error_ratio:rate30d"]["expr"]
    expected = '1 - slo:error_ratio:rate30d{slo="checkout/availability"} / 0.001'
    assert expected == found["slo:error_budget_remaining:ratio"]["expr"]
    assert "vector(0.999)" == found["slo:objective:ratio"]["expr"]


def test_the_exact_rest_of_the_budget() -> None:
    """--exact divides all bad events of the period by all of its events: a night's error counts less than a rush hour's."""
    found = rules(slo(), exact=True)
    selector = '{slo="checkout/availability"}'
    expected = f"sum_over_time(slo:errors:rate5m{selector}[30d])\n/\nsum_over_time(slo:events:rate5m{selector}[30d])"
    assert expected == found["slo:error_ratio:rate30d"]["expr"]
    assert TOTAL.replace("{{.window}}", "5m") == found["slo:events:rate5m"]["expr"]
    ratio = rules(slo(query("ratio", "avg(avg_over_time(r[{{.window}}]))", ratio_of="bad")), exact=True)
    assert "avg(avg_over_time(r[30d]))" == ratio["slo:error_ratio:rate30d"]["expr"]


def test_calendars_have_no_length() -> None:
    """A month that begins anew each time has no rolling ratio; the alerts are the same."""
    found = rules(slo(rolling=False))
    assert "slo:error_ratio:rate30d" not in found
    assert "CheckoutAvailabilityBurnsBudgetFast" in found


def test_few_events() -> None:
    """--min-errors asks for some bad events in the long window, counted by the second or as they are."""
    found = rules(slo(), min_errors=5)
    assert found["slo:errors:count1h"]["expr"].endswith("\n)\n* 3600")
    expected = 'slo:errors:count1h{slo="checkout/availability"} >= 5'
    assert expected in found["CheckoutAvailabilityBurnsBudgetFast"]["expr"]
    increase = slo(query("bad", BAD.replace("rate", "increase")), query("total", TOTAL.replace("rate", "increase")))
    assert "*" not in rules(increase, min_errors=5)["slo:errors:count1h"]["expr"].replace("0 *", "")
    mixed = slo(query("bad", BAD), query("total", TOTAL.replace("rate", "increase")))
    assert "nobody can tell how many events its queries count; generate it without --min-errors" == refused(mixed, min_errors=5)


def test_good_events_are_subtracted_where_bad_ones_are_counted() -> None:
    """With good events and all, the bad ones are the difference."""
    found = rules(slo(query("good", GOOD), query("total", TOTAL)), min_errors=1)
    assert found["slo:errors:count1h"]["expr"].startswith(f"(\n({TOTAL.replace('{{.window}}', '1h')})\n-\n")


# Alerts


def test_an_alert_for_each_severity() -> None:
    """Bad over a long window and still bad over a short one; either pair of windows will do."""
    page = rules(slo())["CheckoutAvailabilityBurnsBudgetFast"]
    selector = '{slo="checkout/availability"}'
    assert (
        f"(\n  slo:error_ratio:rate1h{selector} > 14.4 * 0.001\n  and\n  slo:error_ratio:rate5m{selector} > 14.4 * 0.001\n)\n"
        "or\n"
        f"(\n  slo:error_ratio:rate6h{selector} > 6 * 0.001\n  and\n  slo:error_ratio:rate30m{selector} > 6 * 0.001\n)"
    ) == page["expr"]
    assert {"slo": "checkout/availability", "service": "checkout", "severity": "critical"} == page["labels"]
    ticket = rules(slo())["CheckoutAvailabilityBurnsBudgetSteadily"]
    assert {"slo": "checkout/availability", "service": "checkout", "severity": "warning"} == ticket["labels"]
    assert "faster than 10% within 1d, or 10% within 3d." in ticket["annotations"]["description"]


def test_labels_that_route_alerts() -> None:
    """An SLO's own labels and those asked for come along; one that no Prometheus would take does not."""
    found = rules(slo(labels={"team": "web", "example.com/x": "1", "slo": "x"}), labels={"env": "prod"})
    expected = {"slo": "checkout/availability", "team": "web", "env": "prod", "service": "checkout", "severity": "critical"}
    assert expected == found["CheckoutAvailabilityBurnsBudgetFast"]["labels"]
    assert {"slo": "checkout/availability", "env": "prod"} == found["slo:objective:ratio"]["labels"]


def test_severities_of_the_configuration() -> None:
    """The label and its values are those that Alertmanager is configured for."""
    settings = Settings(severities=Vocabulary(label="level", page=("p1",), ticket=(), configured=True))
    found = rules(slo(settings=settings))
    assert "p1" == found["CheckoutAvailabilityBurnsBudgetFast"]["labels"]["level"]
    assert "ticket" == found["CheckoutAvailabilityBurnsBudgetSteadily"]["labels"]["level"]


def test_a_label_that_queries_tell_apart() -> None:
    """Where the queries are by service, the alert leaves that label to them."""
    by = slo(query("bad", BAD.replace("sum", "sum by (service)")), query("total", TOTAL.replace("sum", "sum by (service)")))
    assert "service" not in rules(by)["CheckoutAvailabilityBurnsBudgetFast"]["labels"]


def test_what_the_slo_says_of_its_alerts() -> None:
    """Names, labels and annotations of the dialect's own alerting hold; a severity that is disabled has no alert."""
    alerting = Alerting(
        at=AT,
        name="CheckoutFails",
        common=AlertText(labels={"team": "web"}, annotations={"runbook_url": "docs/x.md"}),
        page=AlertText(labels={"severity": "pager"}),
        ticket=AlertText(disabled=True),
    )
    found = rules(slo(alerting=alerting))
    assert {"slo": "checkout/availability", "team": "web", "service": "checkout", "severity": "pager"} == found["CheckoutFails"][
        "labels"
    ]
    assert "docs/x.md" == found["CheckoutFails"]["annotations"]["runbook_url"]
    assert 1 == sum("alert" in rule for rule in found.values())


def test_alerts_or_recordings_only() -> None:
    """Either can be left out."""
    assert all("record" in rule for rule in rules(slo(), alerts=False).values())
    assert all("alert" in rule for rule in rules(slo(), recordings=False).values())


def test_names_of_alerts() -> None:
    """A name that Prometheus and people take, whatever the SLO is called."""
    assert "SearchGoodExperienceBurnsBudgetFast" == alert_name(slo(name="search:Good experience", service=None), "page")
    assert "Slo99thBurnsBudgetSteadily" == alert_name(slo(name="99th", service=None), "ticket")


def test_texts_that_templates_would_take_for_theirs() -> None:
    """Braces in a name are no template of Prometheus's."""
    found = rules(slo(name="{{x}}", service=None))
    summaries = [rule["annotations"]["summary"] for rule in found.values() if "alert" in rule]
    assert '{{ "{{" }}x}} burns its error budget fast' == summaries[0]


REPOSITORY = {
    "slo/checkout.yaml": """\
apiVersion: openslo/v1
kind: SLO
metadata:
  name: availability
spec:
  service: checkout
  budgetingMethod: Occurrences
  timeWindow: [{duration: 28d, isRolling: true}]
  objectives: [{target: 0.999}]
  indicator:
    spec:
      ratioMetric:
        counter: true
        bad: {metricSource: {type: Prometheus, spec: {query: 'sum(rate(http_requests_total{code=~"5.."}[5m]))'}}}
        total: {metricSource: {type: Prometheus, spec: {query: 'sum(rate(http_requests_total[5m]))'}}}
""",
    "docs/runbooks/checkout-availability.md": "# Checkout fails\n\n## Meaning\n\nNobody can pay.\n",
    "dashboards/checkout.json": json.dumps(
        {"title": "Checkout availability", "uid": "abc", "panels": [], "schemaVersion": 39, "templating": {"list": []}}
    ),
}


def test_runbook_and_dashboard_from_the_repository() -> None:
    """The only runbook and the only dashboard that are called like the SLO are annotations of its alerts."""
    generated = rules_file(Repo(REPOSITORY).graph, "slo/checkout.yaml", Options())
    (document,) = generated.documents
    annotations = [rule["annotations"] for rule in document["groups"][0]["rules"] if "alert" in rule]
    assert ["docs/runbooks/checkout-availability.md"] * 2 == [one["runbook_url"] for one in annotations]
    assert ["/d/abc"] * 2 == [one["dashboard_url"] for one in annotations]


def test_runbook_and_dashboard_of_the_slo() -> None:
    """What the SLO names itself goes first; two that might be meant are none."""
    named = rules(slo(runbook="https://wiki.example.com/x", dashboard="https://grafana.example.com/d/x"))
    annotations = named["CheckoutAvailabilityBurnsBudgetFast"]["annotations"]
    assert ("https://wiki.example.com/x", "https://grafana.example.com/d/x") == (
        annotations["runbook_url"],
        annotations["dashboard_url"],
    )
    two = {**REPOSITORY, "docs/runbooks/availability.md": "# Availability\n\n## Meaning\n\nx\n"}
    assert "runbook_url" not in rules_file(Repo(two).graph, "slo/checkout.yaml", Options()).text


# Sloth's style, from anywhere


def in_sloth_style(given: Slo, **options: Any) -> list[dict[str, Any]]:
    """The documents that Sloth would write."""
    generated = made(given, style="sloth", **options)
    assert () == generated.skipped
    return list(generated.documents)


def first_expression(given: Slo) -> str:
    """The error ratio over the shortest window, in Sloth's style."""
    expr: str = in_sloth_style(given)[0]["groups"][0]["rules"][0]["expr"]
    return expr


def test_sloth_style_from_other_dialects() -> None:
    """Whatever a dialect counts, Sloth's style computes the same ratio, and alerts where the dialect leaves that to others."""
    bad, good, total = (text.replace("{{.window}}", "5m") for text in (BAD, GOOD, TOTAL))
    assert f"({bad})\n/\n({total})\n" == first_expression(slo(dialect="pyrra"))
    assert f"      {good}\n" in first_expression(slo(query("good", GOOD), query("total", TOTAL), dialect="pyrra"))
    assert f"({total})" == first_expression(slo(query("ratio", TOTAL, ratio_of="bad"), dialect="pyrra"))
    assert f"(1 - (\n  {total}\n))" == first_expression(slo(query("ratio", TOTAL, ratio_of="good"), dialect="pyrra"))
    assert f"(sum(rate(a_total[5m])))\n/\n({total})\n" == first_expression(
        slo(query("bad", "sum(rate(a_total[10m]))"), query("total", TOTAL), dialect="openslo")
    )
    alerts = in_sloth_style(slo(dialect="pyrra"))[0]["groups"][2]["rules"]
    assert ["CheckoutAvailabilityBurnsBudgetFast", "CheckoutAvailabilityBurnsBudgetSteadily"] == [
        rule["alert"] for rule in alerts
    ]


def test_sloth_style_without_a_service() -> None:
    """The service that the file belongs to stands in for one that the SLO does not name; nobody's SLO has no rules."""
    service = Service(at=AT, name="shop")
    (document,) = made(slo(service=None), more=(service,), style="sloth").documents
    assert "sloth-slo-sli-recordings-shop-availability" == document["groups"][0]["name"]
    assert "it names no service" == refused(slo(service=None), style="sloth")


def test_resources_in_sloth_style() -> None:
    """A resource keeps the name, the namespace, the labels and the annotations of the one that it is generated from."""
    origin = Origin(version="sloth.slok.dev/v1", name="checkout", namespace="shop", labels={"role": "x"}, annotations={"a": "b"})
    (document,) = in_sloth_style(slo(origin=origin))
    expected = {"app.kubernetes.io/component": "SLO", "app.kubernetes.io/managed-by": "sloth", "role": "x"}
    assert {"name": "checkout", "namespace": "shop", "labels": expected, "annotations": {"a": "b"}} == document["metadata"]
    (document,) = in_sloth_style(slo(), form="prometheusrule")
    assert "slos" == document["metadata"]["name"]
    (document,) = in_sloth_style(slo(origin=origin), form="prometheus")
    assert ["groups"] == list(document)


def test_corrected_denominators_want_events() -> None:
    """That plugin of Sloth's cannot work on a ratio."""
    plugin = Plugin(id="sloth.dev/contrib/denominator_corrected_rules/v1")
    ratio = slo(query("ratio", TOTAL, ratio_of="bad"), origin=Origin(version="prometheus/v1", plugins=(plugin,)))
    assert "wants the queries of errors and of all events" in refused(ratio, style="sloth")


def test_plugins_with_nothing_to_do() -> None:
    """Options that say nothing change nothing."""
    plugins = (
        Plugin(id="sloth.dev/contrib/info_labels/v1", options={"metricName": "other", "labels": {"a": "b"}}),
        Plugin(id="sloth.dev/contrib/rule_intervals/v1"),
        Plugin(id="sloth.dev/contrib/rule_intervals/v1", options={"interval": {"alert": "1m"}}),
    )
    plain, changed = slo(origin=Origin(version="prometheus/v1")), slo(origin=Origin(version="prometheus/v1", plugins=plugins))
    (one,), (other,) = in_sloth_style(plain), in_sloth_style(changed)
    assert one["groups"][:2] == other["groups"][:2]
    assert "1m" == other["groups"][2]["interval"]


# Windows of one's own


def burn(severity: str, budget: str, short: str, long: str) -> BurnRate:
    """A line of a file of alert windows for a week."""
    return BurnRate(
        at=Location("windows.yaml", 3, 1),
        holder="window",
        severity=severity,
        budget=Decimal(budget),
        short=Duration.parse(short),
        long=Duration.parse(long),
        period=Duration.parse("7d"),
    )


def test_windows_of_ones_own() -> None:
    """Factors follow from the share of the budget, the period and the long window; other periods have none."""
    more = (burn("page", "0.08", "5m", "1h"), burn("ticket", "0.42", "6h", "3d"))
    found = rules(slo(window=Duration.parse("7d")), more=more, windows="windows.yaml")
    assert "> 13.44 * 0.001" in found["CheckoutAvailabilityBurnsBudgetFast"]["expr"]
    assert "> 0.98 * 0.001" in found["CheckoutAvailabilityBurnsBudgetSteadily"]["expr"]
    ((_, reason),) = made(slo(), more=more, windows="windows.yaml").skipped
    assert "there are no alert windows for a period of 30d" == reason


# Files


def test_the_header() -> None:
    """It names the spec from where the rules are, a digest of what it says, and what was asked for."""
    text = made(slo(), exact=True, labels={"env": "a b"}).text
    lines = text.splitlines()
    assert "# Generated by `reliability generate rules`. Do not edit: change the spec and generate it again." == lines[0]
    assert "# spec: ../slo/checkout.yaml" == lines[1]
    assert lines[2].startswith("# digest: sha256:")
    assert "# options: --exact --label 'env=a b'" == lines[3]
    assert "groups:" == lines[4]


def test_the_same_spec_gives_the_same_bytes() -> None:
    """Nothing depends on the time, the machine or the order of labels."""
    one, other = slo(labels={"a": "1", "b": "2"}), slo(labels={"b": "2", "a": "1"})
    assert made(one).text == made(other).text


def test_the_digest_is_of_what_the_spec_says() -> None:
    """It changes with the objective, and not with the place in the file."""
    assert made(slo()).digest == made(slo(objective_at=Location("slo/checkout.yaml", 99, 1))).digest
    assert made(slo()).digest != made(slo(objective=Decimal("0.99"))).digest


def test_a_resource_for_the_operator() -> None:
    """A PrometheusRule is called after the spec's file, in letters that Kubernetes allows."""
    graph = Graph((slo(at=Location("slo/Check_out.v2.yaml", 1, 1)),), files={"slo/Check_out.v2.yaml"})
    (document,) = rules_file(graph, "slo/Check_out.v2.yaml", Options(form="prometheusrule")).documents
    assert ("PrometheusRule", "check-out-v2") == (document["kind"], document["metadata"]["name"])
    assert ["slo checkout/availability"] == [group["name"] for group in document["spec"]["groups"]]


def test_several_slos_in_one_file() -> None:
    """Each has a group of its own; those without rules are told apart."""
    other = slo(name="latency", at=Location("slo/checkout.yaml", 20, 5), objective=None)
    generated = made(slo(), other)
    assert ["slo checkout/availability"] == [group["name"] for group in generated.documents[0]["groups"]]
    assert [other] == [skipped for skipped, _ in generated.skipped]


def test_two_slos_of_one_name() -> None:
    """Prometheus wants each group once in a file."""
    generated = made(slo(), slo(at=Location("slo/checkout.yaml", 20, 5)))
    assert ["another SLO of this file has the same name"] == [reason for _, reason in generated.skipped]
    assert 1 == len(generated.documents[0]["groups"])


def test_an_sli_template() -> None:
    """An SLI plugin that only fills in options is a template in our own style, too."""
    origin = Origin(version="prometheus/v1", indicator=Plugin(id="http", options={"job": "x"}))
    template = SliTemplate(at=Location("http.sli.tmpl"), text='avg(errors:ratio{{.window}}{job="{{.job}}"})')
    found = rules(slo(origin=origin, queries=()), more=(template,))
    assert 'avg(errors:ratio1h{job="x"})' == found["slo:error_ratio:rate1h"]["expr"]


# Options


@given(
    st.builds(
        Options,
        style=st.sampled_from(words.STYLES),
        form=st.sampled_from(("", *words.FORMS)),
        exact=st.booleans(),
        min_errors=st.integers(min_value=0, max_value=99),
        period=st.sampled_from(("", "28d")),
        windows=st.sampled_from(("", "a b/7d.yaml")),
        labels=st.dictionaries(st.sampled_from(("a", "b")), st.text(max_size=5), max_size=2),
        alerts=st.booleans(),
        recordings=st.booleans(),
    )
)
def test_options_come_back_from_their_words(options: Options) -> None:
    """What a header says is what was asked for."""
    assert options == words.parsed(options.words())


@pytest.mark.parametrize(
    "given", [("--styl", "own"), ("--style", "mine"), ("--format", "x"), ("--period", "x"), ("--min-errors", "x"), ("--label",)]
)
def test_options_that_do_not_exist(given: tuple[str, ...]) -> None:
    """A header that somebody edited is refused, never guessed at."""
    with pytest.raises(ValueError):
        words.parsed(given)


# YAML


@given(
    st.dictionaries(
        st.text(max_size=8),
        st.recursive(
            st.one_of(st.text(max_size=30), st.text(alphabet="ab:\n #'-|", max_size=20), st.integers(), st.booleans()),
            lambda inner: st.one_of(
                st.lists(inner, max_size=3), st.dictionaries(st.text(min_size=1, max_size=5), inner, max_size=3)
            ),
            max_leaves=8,
        ),
        max_size=4,
    )
)
def test_yaml_comes_back_as_it_was(data: dict[str, Any]) -> None:
    """Whatever is written is read again as the same, whatever its texts hold."""
    assert data == (yaml.safe_load(written([data])) if data else data)


def test_long_expressions_are_blocks() -> None:
    """An expression of several lines stays legible."""
    text = written([{"expr": "a\n/\nb", "x": {"z": ["1", 2, True, "yes", ""]}}, {"e": "a\nb\n"}])
    assert (
        'expr: |-\n  a\n  /\n  b\nx:\n  z:\n    - "1"\n    - 2\n    - true\n    - "yes"\n    - ""\n---\ne: |\n  a\n  b\n' == text
    )


# Traffic


@pytest.mark.parametrize(
    ("queries", "expected"),
    [
        (
            {"bad": BAD, "total": TOTAL},
            [
                ('http_requests_total{code="500", job="checkout"}', "bad"),
                ('http_requests_total{code="200", job="checkout"}', "good"),
            ],
        ),
        (
            {"good": GOOD, "total": TOTAL},
            [
                ('http_requests_total{code="200", job="checkout"}', "good"),
                ('http_requests_total{code="500", job="checkout"}', "bad"),
            ],
        ),
        (
            {"good": 'sum(rate(d_bucket{le="0.3"}[{{.window}}]))', "total": "sum(rate(d_count[{{.window}}]))"},
            [('d_bucket{le="0.3"}', "good"), ("d_count{}", "all")],
        ),
        (
            {"good": 'sum(rate(d_bucket{le="0.3"}[{{.window}}]))', "total": 'sum(rate(d_bucket{le="+Inf"}[{{.window}}]))'},
            [('d_bucket{le="0.3"}', "good"), ('d_bucket{le="+Inf"}', "all")],
        ),
        (
            {"bad": "sum(rate(e_total[{{.window}}]))", "good": "sum(rate(o_total[{{.window}}]))"},
            [("o_total{}", "good"), ("e_total{}", "bad")],
        ),
        ({"bad": BAD + " + 1", "total": TOTAL}, []),
        ({"bad": 'sum(rate(a_total{x=~"\\\\pN"}[{{.window}}]))', "total": "sum(rate(a_total[{{.window}}]))"}, []),
        ({"good": 'sum(rate(a_total{x="1",x="2"}[{{.window}}]))', "bad": "sum(rate(b_total[{{.window}}]))"}, []),
        ({"bad": "sum(rate(a_total[{{.window}}]))", "total": "sum(rate(a_total[{{.window}}]))"}, []),
        ({"bad": "sum(rate(a_total[{{.window}}]))"}, []),
        (
            {"good": 'sum(rate(a_total{x!="1"}[{{.window}}]))', "total": "sum(rate(a_total[{{.window}}]))"},
            [('a_total{x="200"}', "good"), ('a_total{x="1"}', "bad")],
        ),
        ({"bad": "sum(rate(a_total[{{.window}}])) or vector(0)", "total": TOTAL}, []),
        ({"bad": 'sum(rate(a_total{x=~"(?i)[q"}[{{.window}}]))', "total": "sum(rate(a_total[{{.window}}]))"}, []),
    ],
)
def test_traffic_that_queries_read(queries: dict[str, str], expected: list[tuple[str, str]]) -> None:
    """Series are good or bad because the matchers of the queries say so; where they are of another form there are none."""
    found = series_of(query(role, text) for role, text in queries.items())
    assert expected == [(series.name, series.counts) for series in found]


def test_a_counter_over_time() -> None:
    """A counter goes on where it was, at the rate of each stretch."""
    story = [Stretch(120, Decimal(0)), Stretch(60, Decimal(1)), Stretch(60, Decimal("0.5"))]
    assert "0+0x2 1200+1200x0 1800+600x0" == counted("bad", story, 60)
    assert "0+1200x2 3600+1200x0 4800+1200x0" == counted("all", story, 60)


def test_an_average_over_time() -> None:
    """The share of bad events in a window rises and falls as the window passes over a stretch."""
    story = [Stretch(600, Decimal(0)), Stretch(300, Decimal(1)), Stretch(600, Decimal(0))]
    assert Decimal("0.5") == average(story, 750, 300)
    assert "0+0x0 0+0x0 0+1x0 1-1x0 0+0x0 0" == averaged(story, 300, 300)
    assert "0+0x0 0+0x0 0+1x0 1-1x0 0" == averaged([*story[:2], Stretch(300, Decimal(0))], 150, 300)


# Tests of alerts


def stories(budget: str, *burns: str) -> list[str]:
    """The stories about an SLO with a budget and these alerts: severity, factor, long and short window in minutes."""
    alerts = []
    for line in burns:
        severity, factor, long, short = line.split()
        alerts.append(BurnAlert(severity=severity, factor=Decimal(factor), long=int(long) * 60, short=int(short) * 60))
    slo = Proven(
        name="x",
        budget=Decimal(budget),
        period=30 * DAY,
        burns=tuple(alerts),
        alerts={alert.severity: "{}" for alert in alerts},
        series=(),
        ratio=str,
    )
    return [case["name"].removeprefix("x: ") for case in cases(slo)]


def test_four_stories() -> None:
    """Whoever can be told apart is told apart."""
    outage, slow, blip, quiet = stories("0.001", "page 14.4 60 5", "ticket 1 4320 360")
    assert "a total outage: page, until it is over" == outage
    assert ["a slow burn: ticket", "a brief blip: nothing", "a quiet 30d: nothing"] == [slow, blip, quiet]


def test_stories_that_cannot_be_told() -> None:
    """Burn rates too close together, alerts that never fire, a severity that is not there: no story is made up."""
    assert "a slow burn: ticket" not in stories("0.5", "page 1.5 60 5", "ticket 1 4320 360")
    assert ["a brief blip: nothing", "a quiet 30d: nothing"] == stories("0.1", "page 20 60 5")
    assert "a total outage: ticket, until it is over" == stories("0.001", "ticket 1 4320 360")[0]


def test_an_alert_that_needs_nearly_everything_to_fail() -> None:
    """Even so close to the limit a total outage is no close thing, once it fills the window."""
    assert "a total outage: page, until it is over" == stories("0.1", "page 9 60 5")[0]


# Tests of what cannot be tested


def again(generated: Generated, *nodes: Any) -> tuple[Graph, GeneratedRules]:
    """The generated file as it is read."""
    lines = generated.text.splitlines()
    options = next((line for line in lines if line.startswith("# options: ")), "# options: ")
    node = GeneratedRules(
        at=Location("rules/checkout.rules.yaml"),
        spec="../slo/checkout.yaml",
        digest=generated.digest,
        options=tuple(options.removeprefix("# options: ").split()),
        text=canonical(generated.documents),
    )
    return Graph((*nodes, node), files={AT.path, "rules/checkout.rules.yaml"}), node


def test_no_tests_without_alerts() -> None:
    """What has no alerts has no tests, and says so."""
    silent = slo(alerting=Alerting(at=AT, common=AlertText(disabled=True)))
    for tested, options, reason in (
        (silent, {}, "it wants no alerts"),
        (slo(), {"alerts": False}, "its alerts are left out: --no-alerts"),
        (slo(), {"recordings": False}, "the records that its alerts read are left out: --no-recordings"),
        (
            slo(),
            {"form": "prometheusrule"},
            "promtool tests files for Prometheus, not resources for its operator: --format prometheus",
        ),
    ):
        graph, node = again(made(tested, **options), tested)
        tests = unit_tests_file(graph, node)
        assert [reason] == [said for _, said in tests.skipped]
        assert [] == tests.documents


def test_quoting() -> None:
    """Names end up in PromQL as texts, whatever they hold."""
    assert r'"a\"b\\c\nd"' == quoted('a"b\\c\nd')


def test_an_alert_does_not_say_its_service_twice() -> None:
    """What an SLO is called often begins with its service already."""
    assert "CheckoutLatencyBurnsBudgetSteadily" == alert_name(slo(name="checkout-latency", service="checkout"), "ticket")
    assert "CheckoutCartLatencyBurnsBudgetFast" == alert_name(slo(name="cart-latency", service="checkout"), "page")
