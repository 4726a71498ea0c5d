"""Alerts on burn rates: how expressions are read, and what the checks on them say beside their pages."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_reliability.model.duration import Duration
from pytest_reliability.model.nodes import Alert, BurnRate, Slo
from pytest_reliability.promql.burn_rate import Burn, burn_rates
from pytest_reliability.testing import Repo


def read(text):
    """What an expression says, as (factor, objective, long, short) for each way in which it fires."""
    return [tuple(map(_text, (one.factor, one.objective, one.long, one.short))) for one in burn_rates(text)]


def _text(value):
    return value.text if isinstance(value, Duration) else None if value is None else f"{value.normalize():f}"


USUAL = ("14.4", "0.999", "1h", "5m")
SINGLE = ("14.4", "0.999", "1h", None)


# --- One comparison, in all the ways in which it is written

WRITTEN = {
    "the workbook": "job:slo_errors_per_request:ratio_rate1h{job='x'} > (14.4*0.001)",
    "a budget that is computed": "errors:ratio_rate1h > (14.4 * (1 - 0.999))",
    "the budget first": "errors:ratio_rate1h > (1 - 0.999) * 14.4",
    "percentages in the budget": "errors:ratio_rate1h > 14.4 * (100 - 99.9) / 100",
    "a percentage in the objective": "errors:ratio_rate1h > 14.4 * (1 - 99.9 / 100)",
    "a percentage of errors": "100 * errors:ratio_rate1h > 14.4 * 0.1",
    "a percentage by its name": "errors:ratio_percent:1h > 14.4 * 0.1",
    "a percentage that is divided again": "errors:ratio_percent:1h / 100 > 14.4 * 0.001",
    "a percentage beside a computed budget": "errors:ratio_rate1h * 100 > 14.4 * (1 - 0.999) * 100",
    "binary noise, as Sloth writes it": "max(slo:sli_error:ratio_rate1h{id='x'} > (14.4 * 0.0009999999999999432)) without (w)",
    "the kubernetes mixin": "sum by(cluster) (apiserver_request:burnrate1h) > (14.40 * 0.00100)",
    "ranges": "sum(rate(errors_total[1h])) / sum(rate(requests_total[1h])) > 14.4 * 0.001",
    "increases": "(1 - sum(increase(good_total[1h])) / sum(increase(requests_total[1h]))) > 14.4 * 0.001",
    "what is not available": "1 - avg_over_time(probe:availability[1h]) > 14.4 * (1 - 0.999)",
    "availability": "availability:ratio_rate1h < 1 - 14.4 * 0.001",
    "availability in percent": "100 * availability:ratio_rate1h < 100 - 14.4 * 0.1",
    "the other way round": "(14.4 * 0.001) < errors:ratio_rate1h",
    "a burn rate": "errors:ratio_rate1h / (1 - 0.999) > 14.4",
    "a burn rate over a plain budget": "sum(rate(errors_total[1h])) / sum(rate(requests_total[1h])) / 0.001 > 14.4",
    "a window in a label": "slo:sli_error:ratio{window='1h'} > 14.4 * 0.001",
    "a window in a subquery": "avg_over_time(errors:ratio_rate5m[1h:5m]) > 14.4 * 0.001",
    "no errors at all": "(errors:ratio_rate1h or vector(0)) > 14.4 * 0.001",
    "a thousandth": "errors:ratio_rate1h > 14.4 * 1 / 1000",
    "scalars": "errors:ratio_rate1h > scalar(vector(14.4)) * 0.001",
    "a label added": "label_replace(errors:ratio_rate1h > 14.4 * 0.001, 'a', 'b', '', '')",
    "quiet hours left out": "errors:ratio_rate1h > 14.4 * 0.001 unless on () maintenance == 1",
    "little traffic left out": "errors:ratio_rate1h > 14.4 * 0.001 and sum(rate(requests_total[1h])) > 1",
    "errors by their name": "http_errors:rate1h > 14.4 * (1 - 0.999)",
    "the window after a latency": "latency_500ms_slo:burnrate_1h > 14.4 * 0.001",
}


@pytest.mark.parametrize("text", WRITTEN.values(), ids=WRITTEN)
def test_whatever_way_it_is_written_it_says_the_same(text):
    """14.4 times what 99.9% allows, over an hour."""
    assert [SINGLE] == read(text)


RECORDED = {
    "a burn rate by its name": "slo:http_availability:burn_rate_1h > 14.4",
    "a burn rate of an error budget": "latency_error_budget_burn_rate_1h > 14.4",
    "a factor that is multiplied by one": "shop:burnrate1h > (14.4 * 1)",
    "a recorded budget": "errors:ratio_rate1h > on (slo) group_left () (14.4 * slo:error_budget:ratio)",
    "a recorded objective": "errors:ratio_rate1h > 14.4 * (1 - scalar(max(slo:objective:ratio)))",
    "a recorded budget that it is divided by": "errors:ratio_rate1h / on (slo) group_left () slo:error_budget:ratio > 14.4",
}


@pytest.mark.parametrize("text", RECORDED.values(), ids=RECORDED)
def test_the_budget_may_be_elsewhere(text):
    """Then the expression says no objective."""
    assert [("14.4", None, "1h", None)] == read(text)


NOT_ABOUT_BURNING = {
    "a rate is no share": "sum(rate(errors_total[5m])) > 20 * 0.1",
    "a rate of errors is none either": "sum(rate(slo_errors_total[5m])) > 20 * (1 - 0.9)",
    "a gauge": "queue_length > 1000 * (1 - 0.9)",
    "a plain threshold": "errors:ratio_rate1h > 0.0144",
    "a plain threshold of availability": "availability:ratio_rate1h < 0.9",
    "no budget is above a half": "errors:ratio_rate1h > 2 * 0.6",
    "what is left of a budget": "slo:error_budget_remaining:ratio < 0.1",
    "what is left of a budget, the other way round": "0.1 > slo:error_budget_remaining:ratio",
    "available memory": "node_memory_MemAvailable_bytes < 0.1 * node_memory_MemTotal_bytes",
    "two series": "a:ratio_rate1h > b:ratio_rate1h",
    "two budgets": "errors:ratio_rate1h > (1 - 0.9) * (1 - 0.99)",
    "a budget divided by a budget": "errors:ratio_rate1h / (1 - 0.999) > 14.4 * (1 - 0.999)",
    "fewer errors than": "errors:ratio_rate1h < 14.4 * 0.001",
    "more availability than": "availability:ratio_rate1h > 1 - 14.4 * 0.001 * 0.5",
    "equality": "errors:ratio_rate1h == 14.4 * 0.001",
    "no comparison": "errors:ratio_rate1h",
    "nothing measured": "14.4 > 0.1 * 0.1",
    "a negative factor": "errors:ratio_rate1h > -1 * (1 - 0.999)",
    "a division by zero": "errors:ratio_rate1h > 14.4 * (1 / 0)",
    "a division of a budget by zero": "errors:ratio_rate1h > (14.4 * 0.001) / 0",
    "an infinite factor": "errors:ratio_rate1h > Inf * 0.001",
    "a power": "errors:ratio_rate1h > 2 ^ 0.1",
    "a small share of a half": "errors:ratio_rate1h * 2 > 14.4 * 0.001",
    "two of a thing": "2 - errors:ratio_rate1h > 14.4 * 0.001",
    "a number divided": "1 / slo_errors:ratio_rate1h > 14.4 * 0.001",
    "a rate divided by a constant": "rate(errors_total[1h]) / 0.001 > 14.4",
    "a gauge divided by a constant": "queue_length / 0.001 > 14.4",
    "a quantile": "histogram_quantile(0.99, sum by (le) (rate(slo_duration_bucket[1h]))) > 14.4 * 0.001",
    "no expression": "sum(",
    "a hundred times a rate": "100 * rate(errors_total[1h]) > 14.4 * 0.1",
}


@pytest.mark.parametrize("text", NOT_ABOUT_BURNING.values(), ids=NOT_ABOUT_BURNING)
def test_what_may_mean_something_else_is_left_alone(text):
    """A false alarm about somebody's alert is worse than a miss."""
    assert [] == read(text)


@pytest.mark.parametrize(
    ("text", "factor"),
    [("a:burnrate1h > 0.0144", None), ("a:burnrate1h > 0.93", "0.93"), ("a:burnrate1h > 14.4 * 0.1 * 0.01", None)],
)
def test_a_threshold_may_hide_the_factor(text, factor):
    """What is called a burn rate may be a share of errors, and a small number then says nothing of the factor."""
    assert [(factor, None, "1h", None)] == read(text)


@pytest.mark.parametrize(
    ("text", "window"),
    [
        ("errors:ratio_rate1h > on () 14.4 * 0.001", "1h"), ("errors:1h:ratio > 14.4 * 0.001", "1h"),
        ("slo:errors_1h30m > 14.4 * 0.001", "1h30m"), ("k8s:errors:ratio > 14.4 * 0.001", None),
        ("errors_5xx:ratio > 14.4 * 0.001", None), ("slo_a:rate1h / slo_b:rate5m > 14.4 * 0.001", None),
        ("slo:errors:ratio_rate1w > 14.4 * 0.001", "1w"), ("a_ratio{window=~'1h'} > 14.4 * 0.001", None),
        ("sum(rate(a[90m])) / sum(rate(b[90m])) > 14.4 * 0.001", "90m"),
        ("sum(rate(a[3d])) / sum(rate(b[1h])) > 3 * 0.001", "3d"),
        ("sum(rate(a[1500ms])) / sum(rate(b[1500ms])) > 3 * 0.001", "1500ms"),
        ("sum(rate(a[2 * 30m])) / sum(rate(b[2 * 30m])) > 3 * 0.001", None),
    ],
)  # fmt: skip
def test_a_window_is_in_the_range_the_name_or_a_label(text, window):
    """Names hold other numbers, too, and computed ranges are not computed here."""
    assert [window] == [long for _, _, long, _ in read(text)]


# --- Several comparisons


@pytest.mark.parametrize(
    "text",
    [
        "errors:ratio_rate1h > (14.4 * 0.001) and errors:ratio_rate5m > (14.4 * 0.001)",
        "errors:ratio_rate5m > (14.4 * (1 - 0.999)) and on (job) errors:ratio_rate1h > (14.4 * (1 - 0.999))",
        "(max(errors:ratio_rate5m > (14.4 * 0.001)) without (w) and max(errors:ratio_rate1h > (14.4 * 0.001)) without (w))",
        "errors:ratio_rate1h > (14.4 * 0.001) and errors:ratio_rate30m > (14.4 * 0.001) and errors:ratio_rate5m > (14.4 * 0.001)",
    ],
)
def test_the_longest_window_decides_and_the_shortest_ends_it(text):
    """In whatever order they are written."""
    assert [USUAL] == read(text)


def test_alternatives_are_read_one_by_one():
    """Sloth has two in each alert."""
    text = """(errors:ratio_rate5m > (14.4 * 0.001) and errors:ratio_rate1h > (14.4 * 0.001))
              or (errors:ratio_rate30m > (6 * 0.001) and errors:ratio_rate6h > (6 * 0.001)) or absent(up)"""
    assert [USUAL, ("6", "0.999", "6h", "30m")] == read(text)


def test_what_must_hold_beside_alternatives_holds_for_each():
    """A condition on traffic says nothing; another window does."""
    text = "(errors:ratio_rate1h > 14.4 * 0.001 or errors:ratio_rate6h > 6 * 0.001) and errors:ratio_rate5m > 6 * 0.001"
    assert [USUAL, ("6", "0.999", "6h", "5m")] == read(text)


def test_equal_windows_are_one():
    """Two conditions on one window are no pair."""
    assert [SINGLE] == read("errors:ratio_rate1h > 14.4 * 0.001 and errors:ratio_rate1h > 14.4 * 0.001")


def test_too_many_alternatives_are_not_read():
    """Nobody writes such things, but somebody may generate them."""
    either = "(" + " or ".join(f"errors:ratio_rate{n}h > 6 * 0.001" for n in range(1, 6)) + ")"
    assert [] == read(f"{either} and {either}")


@pytest.mark.parametrize(("operator", "inclusive"), [(">", False), (">=", True)])
def test_the_factor_itself_may_be_enough(operator, inclusive):
    """It matters where it stands for a complete outage."""
    (found,) = burn_rates(f"errors:ratio_rate1h {operator} 14.4 * 0.001")
    assert inclusive is found.inclusive


@pytest.mark.parametrize(
    ("text", "before"),
    [
        ("errors:ratio_rate1h > (14.4 * 0.001)", "errors:ratio_rate1h > ("),
        ("1 - ok:ratio_rate1h > 1 * 0.001", "1 - ok:ratio_rate1h > "),
        ("1 - ok:ratio_rate3d > 0.001 * 1", "1 - ok:ratio_rate3d > 0.001 * "),
        ("0.001 * 6 < errors:ratio_rate6h", "0.001 * "),
        ("errors:ratio_rate1h > scalar(vector(6)) * 0.001", "errors:ratio_rate1h > scalar(vector("),
        ("errors:ratio_rate1h > (2 + 4) * 0.001", None),
    ],
)
def test_the_place_of_the_factor_is_told(text, before):
    """Other numbers may be equal."""
    (found,) = burn_rates(text)
    assert found.offset == (None if before is None else len(before))


@given(st.text(alphabet="errors:burnrate1h_ ()*/-+<>=0.9145'{}[]andor", max_size=60))
def test_nothing_breaks_it(text):
    """Whatever somebody writes."""
    assert all(isinstance(one, Burn) for one in burn_rates(text))


@given(
    st.decimals("0.5", "30", places=2), st.sampled_from(["0.9", "0.95", "0.99", "0.999", "0.9995", "0.9999"]),
    st.sampled_from([("1h", "5m"), ("6h", "30m"), ("1d", "2h"), ("3d", "6h")]), st.booleans(),
)  # fmt: skip
def test_what_is_generated_is_read_back(factor, objective, windows, computed):
    """Factor, objective and windows come out as they went in."""
    budget = f"(1 - {objective})" if computed else f"{1 - Decimal(objective):f}"
    text = " and ".join(f"shop:errors:ratio_rate{window} > ({factor} * {budget})" for window in windows)
    assert [(f"{factor.normalize():f}", objective, *windows)] == read(text)


# --- From an alert


def alert(expr="errors:ratio_rate1h > (14.4 * 0.001)", more=""):
    """A rule file with one alert."""
    return f"groups:\n- name: g\n  rules:\n  - alert: Burns\n    expr: {expr}\n{more}"


def rates(expr="errors:ratio_rate1h > (14.4 * 0.001)", more="", settings=""):
    """The burn rates in a rule file."""
    files = {"alerts.yaml": alert(expr, more)} | ({".reliability.yaml": settings} if settings else {})
    return Repo(files).graph.of(BurnRate)


def test_an_alert_gives_its_name_wait_and_place():
    """The factor is pointed at."""
    (rate,) = rates(more="    for: 2m\n    labels: {severity: critical}\n")
    assert ("alert 'Burns'", "page", "2m", "alerts.yaml:4:12", "alerts.yaml:5:34") == (
        rate.holder, rate.severity, rate.wait.text, str(rate.at), str(rate.factor_at),
    )  # fmt: skip


def test_a_factor_in_a_block_is_pointed_at():
    """On its own line."""
    first, second = rates("|\n      errors:ratio_rate1h > (14.4 * 0.001)\n      or\n      errors:ratio_rate6h > (6 * 0.001)")
    assert ("alerts.yaml:6:30", "alerts.yaml:8:30") == (str(first.factor_at), str(second.factor_at))


@pytest.mark.parametrize(
    ("labels", "severity"),
    [
        ("severity: page", "page"), ("severity: warning", "ticket"), ("severity: sev3", "sev3"), ("team: x", ""),
        ("{severity: chat, sloth_severity: ticket}", "ticket"),
    ],
)  # fmt: skip
def test_severities_are_pages_tickets_or_what_is_written(labels, severity):
    """Sloth says it in a label of its own, whatever the team calls it."""
    labels = labels if labels.startswith("{") else f"{{{labels}}}"
    (rate,) = rates(more=f"    labels: {labels}\n")
    assert severity == rate.severity


def test_windows_are_taken_from_labels_where_the_expression_has_none():
    """As Pyrra labels its alerts."""
    (rate,) = rates("shop:burnrate > (14 * (1 - 0.99))", "    labels: {long: 1h, short: 5m}\n")
    assert ("1h", "5m") == (rate.long.text, rate.short.text)


def test_a_label_that_is_no_duration_is_no_window():
    """It may be anything."""
    (rate,) = rates("shop:burnrate > (14 * (1 - 0.99))", "    labels: {long: very, window: 6h}\n")
    assert ("6h", None) == (rate.long.text, rate.short)


@pytest.mark.parametrize(
    ("text", "budget"),
    [
        ("2% of the error budget consumed in 1 hour", "0.02"), ("2% budget consumed in the last 1h", "0.02"),
        ("Consumes 2.5% of the monthly error budget, within 60m", "0.025"),
        ("10% of the 30-day budget is gone over 60 minutes", "0.1"), ("5% of the error budget consumed in 6 hours", None),
        ("2% of the error budget remaining, burnt in 1 hour", None), ("2% of errors in 1 hour", None), ("burning", None),
        ("200% of the error budget consumed in 1 hour", None), ("2% of the error budget consumed within the hour", "0.02"),
    ],
)  # fmt: skip
def test_texts_may_say_which_share_of_the_budget_is_gone(text, budget):
    """Only where they speak of the same window, and of what is gone."""
    (rate,) = rates(more=f"    annotations: {{description: '{text}'}}\n")
    assert budget == (rate.budget and f"{rate.budget:f}")


@pytest.mark.parametrize(
    "expr", ["up == 0", "sum(rate(errors_total[5m])) > 20 * 0.1", '\'sum(rate({app="x"} |= "error" [1h])) > 14.4 * 0.001\'']
)
def test_other_alerts_give_none(expr):
    """Nor do those of Loki."""
    assert () == rates(expr)


@pytest.mark.parametrize("text", {**WRITTEN, **RECORDED}.values(), ids={**WRITTEN, **RECORDED})
def test_whatever_can_be_read_is_looked_at(text):
    """What spares most alerts a closer look spares none of these."""
    assert 1 == len(rates("|\n      " + text))


@pytest.mark.parametrize("factor", ["1", "14", "14.4"])
def test_whole_factors_are_looked_at_too(factor):
    """With a dot or without."""
    assert 1 == len(rates(f"errors:ratio_rate1h > ({factor} * (1 - 0.99))"))


# --- Checks

FACTORS = """\
apiVersion: openslo/v1
kind: SLO
metadata: {{name: answers}}
spec:
  service: shop
  indicatorRef: answered
  budgetingMethod: Occurrences
  timeWindow: [{{duration: {window}, isRolling: true}}]
  objectives: [{{target: {target}}}]
"""


def findings(code, expr, more="", window="30d", target="0.999"):
    """What a check says of an alert for an SLO."""
    labels = "    labels: {slo: answers, slo_service: shop}\n"
    slo = FACTORS.format(window=window, target=target)
    return Repo({"alerts.yaml": alert(expr, labels + more), "slo.yaml": slo}).findings(code)


@pytest.mark.parametrize(
    ("factor", "hours", "window", "said"),
    [
        ("14.4", "1h", "30d", None), ("14.4", "1h", "28d", "13.4"), ("13.44", "1h", "28d", None), ("13.44", "1h", "30d", "14.4"),
        ("14.4", "1h", "7d", "3.36"), ("6", "6h", "7d", "1.4"), ("3", "1d", "90d", "9"), ("1", "3d", "7d", None),
        ("14", "1h", "28d", None), ("7", "6h", "28d", None), ("20", "1h", "7d", None), ("14.4", "2h", "7d", None),
    ],
)  # fmt: skip
def test_factors_are_computed_and_never_compared(factor, hours, window, said):
    """Only one that is right for another period than the SLO's is wrong; a factor of one always means the same."""
    found = findings("SLO302", f"errors:ratio_rate{hours} > ({factor} * 0.001)", window=window)
    assert ([] if said is None else [f"write {said}"]) == [text.split("\n  ")[1].split(":")[0] for text in found]


@pytest.mark.parametrize(("factor", "wrong"), [("14.4", True), ("30.2", False), ("31", False), ("33", True)])
def test_a_share_that_is_written_down_has_to_fit(factor, wrong):
    """6% of 3 weeks in an hour are 30.24."""
    note = "    annotations: {summary: 6% of the error budget consumed in 1h}\n"
    found = findings("SLO302", f"errors:ratio_rate1h > ({factor} * 0.001)", note, window="21d")
    assert wrong is bool(found)
    assert all("gone, not 6% of it\n  write 30.2: 6% × 21d / 1h" in text for text in found)


@pytest.mark.parametrize(("own", "wrong"), [("0.001", False), ("0.01", True), ("0.00102", False)])
def test_an_alert_computes_with_the_objective_of_its_slo(own, wrong):
    """Or somebody changed only one of them."""
    found = findings("SLO302", f"errors:ratio_rate1h > (14.4 * {own})")
    assert wrong is bool(found)
    assert all("computes with an objective of 99%, but SLO 'answers' has 99.9%" in text for text in found)


def test_a_period_that_is_not_known_says_nothing():
    """An alert for no SLO, or for SLOs of several windows."""
    expr = "slo:burn_rate_1h > 14.4"
    assert [] == Repo({"alerts.yaml": alert(expr)}).findings("SLO302")
    assert [] == findings("SLO302", "slo:burnrate1h > 0.001")
    week = FACTORS.format(window="7d", target="0.9").replace("answers", "week")
    month = FACTORS.format(window="30d", target="0.9").replace("answers", "month")
    both = alert(expr, "    annotations: {reliability/slo: 'week, month'}\n")
    assert [] == Repo({"alerts.yaml": both, "week.yaml": week, "month.yaml": month}).findings("SLO302")
    (found,) = Repo({"alerts.yaml": both, "week.yaml": week}).findings("SLO302")
    assert "write 3.36" in found


@pytest.mark.parametrize("factor", ["13.44", "14.4", "3.36"])
def test_a_period_that_a_tool_was_run_with_is_not_known(factor):
    """Sloth is told the period of an SLO when it runs; its spec says nothing of it."""
    slo = (
        "version: prometheus/v1\nservice: shop\nslos:\n  - name: answers\n    objective: 99.9\n"
        "    sli: {raw: {error_ratio_query: 'errors:ratio_rate{{.window}}'}}\n    alerting: {name: ShopBurns}\n"
    )
    labels = "    labels: {sloth_slo: answers, sloth_service: shop}\n"
    rule = alert(f"errors:ratio_rate1h > ({factor} * 0.001)", labels)
    assert [] == Repo({"alerts.yaml": rule, "slo.yaml": slo}).findings("SLO302")


def test_an_objective_in_the_wrong_unit_is_said_once():
    """That an alert cannot fire at 0.999% follows from it."""
    slo = (
        "apiVersion: pyrra.dev/v1alpha1\nkind: ServiceLevelObjective\nmetadata: {name: answers}\n"
        "spec:\n  target: '0.999'\n  window: 4w\n"
        "  indicator: {ratio: {errors: {metric: 'hits_total{code=\"500\"}'}, total: {metric: hits_total}}}\n"
    )
    repo = Repo({"slo.yaml": slo})
    assert 1 == len(repo.findings("SLO101"))
    assert [] == repo.findings("SLO303")


@pytest.mark.parametrize(
    ("expr", "never"),
    [
        ("errors:ratio_rate1h > (14.4 * 0.1)", True), ("errors:ratio_rate1h > (14.4 * (1 - 0.9))", True),
        ("errors:ratio_rate1h > (10 * 0.1)", True), ("errors:ratio_rate1h >= (10 * 0.1)", False),
        ("errors:ratio_rate1h >= (10.1 * 0.1)", True), ("errors:ratio_rate1h > (9.9 * 0.1)", False),
        ("ok:ratio_rate1h < 1 - 14.4 * 0.1", True), ("errors:ratio_rate1h / 0.1 > 14.4", True),
        ("slo:burn_rate_1h > 14.4", True), ("slo:burn_rate_1h > 6", False), ("slo:burnrate1h > 0.01", False),
        ("100 * errors:ratio_rate1h > 14.4 * 10", True), ("100 * errors:ratio_rate1h > 14.4 * 1", False),
    ],
)  # fmt: skip
def test_an_alert_that_waits_for_more_than_all_errors_never_fires(expr, never):
    """Whichever way it is written."""
    assert never is bool(findings("SLO303", expr, target="0.9"))


def test_the_objective_of_the_slo_counts_where_the_alert_has_none():
    """And each SLO that the alert is for."""
    assert [] == findings("SLO303", "slo:burn_rate_1h > 14.4", target="0.94")
    (found,) = findings("SLO303", "slo:burn_rate_1h > 14.4", target="0.93")
    assert "an objective of 93% of SLO 'answers' allows is 100.8% of errors\n  write a factor below 14.2," in found
    assert [] == findings("SLO303", "slo:burn_rate_1h > 14.4", target="x")


OPENSLO_POLICY = """\
apiVersion: openslo/v1
kind: AlertPolicy
metadata: {{name: page}}
spec:
  conditions: [{{conditionRef: fast}}]
  notificationTargets: []
---
apiVersion: openslo/v1
kind: AlertCondition
metadata: {{name: fast}}
spec:
  severity: page
  condition: {{kind: burnrate, op: {op}, threshold: {threshold}, lookbackWindow: 1h, alertAfter: {wait}}}
"""


@pytest.mark.parametrize(
    ("op", "threshold", "never"),
    [("gt", "10", True), ("gte", "10", False), ("gte", "10.5", True), ("gt", "9", False), ("lt", "20", False)],
)
def test_conditions_of_alert_policies_are_judged_too(op, threshold, never):
    """For the SLOs that refer to them; a complete outage reaches its very burn rate."""
    slo = FACTORS.format(window="30d", target="0.9") + "  alertPolicies: [page]\n"
    files = {"slo.yaml": slo, "policy.yaml": OPENSLO_POLICY.format(op=op, threshold=threshold, wait="2h")}
    found = Repo(files).findings("SLO303")
    assert never is bool(found)
    assert all(text.startswith("policy.yaml:13:") for text in found)
    (late,) = Repo(files).findings("SLO306")
    assert late.startswith("policy.yaml:10:18: alert condition 'fast' waits for 2h, longer than its window of 1h: ")


def test_a_factor_that_stands_alone_can_be_put_right_by_a_machine():
    """In an expression it stands more than once."""
    slo = FACTORS.format(window="7d", target="0.9") + "  alertPolicies: [page]\n"
    files = {"slo.yaml": slo, "policy.yaml": OPENSLO_POLICY.format(op="gt", threshold="14.4", wait="5m")}
    (found,) = Repo(files).outcome("SLO302").findings
    assert ("14.4", "3.36", 13) == (found.edit.old, found.edit.new, found.edit.at.line)


def test_an_objective_that_is_none_is_another_checks_affair():
    """SLO102's."""
    assert [] == findings("SLO303", "slo:burn_rate_1h > 14.4", target="0")


@pytest.mark.parametrize(
    ("long", "short", "wrong"),
    [
        ("1h", "5m", False), ("6h", "30m", False), ("4d", "6h", False), ("1h", "15m", False), ("1h", "20m", True),
        ("1h", "3m", True), ("1d", "1h", True), ("3d", "4h", True),
    ],
)  # fmt: skip
def test_a_short_window_is_about_a_twelfth(long, short, wrong):
    """Give or take."""
    found = findings("SLO304", f"errors:ratio_rate{long} > (2 * 0.001) and errors:ratio_rate{short} > (2 * 0.001)")
    assert wrong is bool(found)


def test_a_short_window_is_short():
    """Where it is declared as such, and is not."""
    windows = "apiVersion: sloth.slok.dev/v1\nkind: AlertWindows\nspec:\n  sloPeriod: 7d\n"
    for severity in ("page", "ticket"):
        windows += f"  {severity}:\n"
        for speed, short in (("quick", "5m"), ("slow", "1h")):
            windows += f"    {speed}: {{errorBudgetPercent: 8, shortWindow: {short}, longWindow: 1h}}\n"
    found = Repo({"windows.yaml": windows}).findings("SLO304")
    assert ["looks back over 1h and 1h, 1:1 instead of about 1:12, so that it never ends the alert any sooner"] * 2 == [
        text.split(": ", 1)[1].split("\n")[0].split("' ")[1] for text in found
    ]


@pytest.mark.parametrize(
    ("expr", "wait", "long"),
    [
        ("errors:ratio_rate1h > (2 * 0.001) and errors:ratio_rate5m > (2 * 0.001)", "6m", True),
        ("errors:ratio_rate1h > (2 * 0.001) and errors:ratio_rate5m > (2 * 0.001)", "5m", False),
        ("errors:ratio_rate1h > (2 * 0.001)", "1h", False), ("errors:ratio_rate1h > (2 * 0.001)", "61m", True),
        ("slo_errors:ratio > (2 * 0.001)", "61m", False),
    ],
)  # fmt: skip
def test_a_wait_is_no_longer_than_the_window(expr, wait, long):
    """The short one, where there is one."""
    assert long is bool(findings("SLO306", expr, f"    for: {wait}\n"))


@pytest.mark.parametrize(
    ("expr", "uncovered"),
    [
        ("errors:ratio_rate1h > (14.4 * 0.001) or errors:ratio_rate6h > (6 * 0.001)", True),
        ("errors:ratio_rate1h > (14.4 * 0.001) or errors:ratio_rate3d > (1 * 0.001)", False),
        ("errors:ratio_rate1h > (14.4 * 0.001) or errors:ratio_rate3d > (1 - 0.999)", False),
        ("errors:ratio_rate1h > (14.4 * 0.001) or slo:burnrate3d > 0.001", False), ("up{slo='answers'} == 0", False),
    ],
)  # fmt: skip
def test_slow_burns_want_an_alert_too(expr, uncovered):
    """Unless an alert may be about them."""
    assert uncovered is bool(findings("SLO305", expr))


def test_an_alert_that_is_not_on_a_burn_rate_may_cover_slow_ones():
    """Nobody knows what it is about."""
    other = "  - alert: BudgetSpent\n    expr: slo:errors:ratio_rate30d > 0.001\n    labels: {slo: answers}\n"
    assert [] == findings("SLO305", "errors:ratio_rate1h > (14.4 * 0.001)", other)


# --- Composites


def composite(*parts, target="0.99", name="journey"):
    """A composite of Nobl9's; each part is (name, weight)."""
    listed = "".join(f"\n            - {{project: p, slo: {slo}, objective: ok, weight: {weight}}}" for slo, weight in parts)
    return f"""\
apiVersion: n9/v1alpha
kind: SLO
metadata: {{name: {name}, project: p}}
spec:
  service: shop
  budgetingMethod: Occurrences
  timeWindows: [{{unit: Day, count: 28, isRolling: true}}]
  objectives:
    - name: ok
      target: {target}
      composite:
        maxDelay: 45m
        components:
          objectives:{listed}
"""


def test_a_composite_does_not_contain_itself():
    """Not even over another one."""
    files = {"a.yaml": composite(("b", 1), name="a"), "b.yaml": composite(("c", 1), ("a", 2), name="b")}
    found = Repo(files).findings("SLO601")
    assert [
        "part 'b' of composite 'a' contains the composite itself: a → b → a\n  take it out",
        "part 'a' of composite 'b' contains the composite itself: b → a → b\n  take it out",
    ] == [text.split(": ", 1)[1] for text in found]


def test_a_composite_of_a_cycle_elsewhere_is_not_in_it():
    """The others hear of it."""
    files = {"a.yaml": composite(("b", 1), name="a"), "b.yaml": composite(("b", 1), name="b")}
    assert ["b.yaml"] == [text.split(":")[0] for text in Repo(files).findings("SLO601")]


def test_a_composite_may_stand_beside_its_parts():
    """As in Nobl9's older kind, where no part has a weight."""
    older = """\
apiVersion: n9/v1alpha
kind: SLO
metadata: {name: journey, project: p}
spec:
  service: shop
  budgetingMethod: Occurrences
  timeWindows: [{unit: Day, count: 28, isRolling: true}]
  composite: {target: 0.9995, burnRateCondition: {value: 1, op: gt}}
  objectives:
    - {name: a, target: 0.99}
    - {name: b, target: 0.999}
"""
    (found,) = Repo({"journey.yaml": older}).findings("SLO602")
    assert "promises 99.95%, but the best of its parts promises 99.9%" in found
    assert [] == Repo({"journey.yaml": older.replace("0.9995", "0.999")}).findings("SLO602")


@pytest.mark.parametrize(
    ("parts", "target", "reached"),
    [
        ((("a", 1), ("b", 1)), "0.995", "99.45%"), ((("a", 1), ("b", 1)), "0.9945", None), ((("a", 1), ("b", 9)), "0.995", None),
        ((("a", 0), ("b", 9)), "0.995", None), ((("a", 0), ("b", 9)), "0.9999", "99.9%"), ((("a", 1), ("z", 1)), "0.9999", None),
    ],
)  # fmt: skip
def test_a_composite_promises_no_more_than_its_parts(parts, target, reached):
    """By their weights; where one counts for nothing, no more than the best of them; unknown parts may promise anything."""
    first, second = (FACTORS.format(window="28d", target=own) for own in ("0.99", "0.999"))
    files = {"a.yaml": first.replace("answers", "a"), "b.yaml": second.replace("answers", "b")}
    found = Repo({"journey.yaml": composite(*parts, target=target), **files}).findings("SLO602")
    assert ([] if reached is None else [reached]) == [text.split("\n")[0].split()[-1] for text in found]


# --- Real files


def test_alerts_on_burn_rates_are_found_among_real_ones(corpus):
    """All of them, with everything that they say, and no others."""
    mixins = corpus / "monitoring"
    files = {str(path.relative_to(corpus)): path.read_bytes() for path in mixins.rglob("*") if path.suffix in (".yaml", ".yml")}
    graph = Repo(files).graph
    assert len(graph.of(Alert)) > 1000
    assert {("alert 'KubeAPIErrorBudgetBurn'", *pair) for pair in (("1h", "5m"), ("6h", "30m"), ("1d", "2h"), ("3d", "6h"))} == {
        (rate.holder, rate.long.text, rate.short.text) for rate in graph.of(BurnRate)
    }


def test_what_sloth_generates_is_read_back(corpus):
    """Its golden files: four burn rates for each pair of alerts, each for its SLO."""
    folder = corpus / "slo" / "slok__sloth" / "examples"
    for path in sorted((folder / "_gen").glob("*.yml")):
        graph = Repo({"rules.yaml": path.read_bytes(), "slo.yaml": (folder / path.name).read_bytes()}).graph
        written = [rate for rate in graph.of(BurnRate) if rate.at.path == "rules.yaml"]
        assert 2 * len(graph.of(Alert)) == len(written), path
        assert all(rate.factor and rate.long and rate.short and rate.objective for rate in written), path
        if graph.of(Slo):
            assert all(1 == len(graph.slos_burning(rate)) for rate in written), path
