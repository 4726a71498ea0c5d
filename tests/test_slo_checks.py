"""Checks on SLOs and the arithmetic behind them: what their pages do not show."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_reliability.checks.slo.slo_without_owner import slo_without_owner
from pytest_reliability.model.duration import Duration
from pytest_reliability.model.graph import Graph
from pytest_reliability.model.location import Location
from pytest_reliability.model.nodes import Component, Service, Slo
from pytest_reliability.model.objectives import error_budget, meant_objective, percent, strictest_objective, written
from pytest_reliability.testing import Repo


def openslo(target="target: 0.99", window="28d", head=""):
    """An SLO of OpenSLO's."""
    return f"""\
apiVersion: openslo/v1
kind: SLO
metadata:
  name: answers
{head}spec:
  service: shop
  indicatorRef: answered
  budgetingMethod: Occurrences
  timeWindow: [{{duration: {window}, isRolling: true}}]
  objectives:
    - {target}
"""


def sloth(objective="99.9", query="errors{window='{{.window}}'}"):
    """An SLO of Sloth's."""
    return f"""\
version: prometheus/v1
service: shop
slos:
  - name: answers
    objective: {objective}
    sli:
      raw:
        error_ratio_query: {query}
    alerting: {{name: Burns}}
"""


def findings(code, text):
    """What a check says of one file."""
    return Repo({"slo/x.yaml": text}).findings(code)


# --- Arithmetic


@pytest.mark.parametrize(
    ("objective", "window", "seconds"),
    [("0.999", "30d", 2592.0), ("0.9999", "7d", 60.48), ("0.99999", "7d", 6.048), ("0.5", "2h", 3600.0)],
)
def test_an_error_budget_is_what_the_objective_leaves(objective, window, seconds):
    """The figures that every handbook prints: 43 minutes of a month for three nines."""
    assert pytest.approx(seconds) == error_budget(Decimal(objective), Duration.parse(window))


@pytest.mark.parametrize(
    ("window", "objective"), [("7d", "0.9995"), ("28d", "0.99987"), ("30d", "0.99988"), ("90d", "0.999961"), ("10m", "0.5")]
)
def test_the_strictest_objective_is_in_round_figures(window, objective):
    """Two digits behind the nines are as many as anybody wants to read."""
    assert Decimal(objective) == strictest_objective(300, Duration.parse(window))


def test_a_window_shorter_than_the_budget_has_no_objective():
    """Nothing can be promised there."""
    assert None is strictest_objective(300, Duration.parse("5m"))


@given(st.floats(0.1, 86400), st.integers(1, 400))
def test_the_strictest_objective_leaves_enough(budget, days):
    """Rounding never takes away what people need."""
    window = Duration.parse(f"{days}d")
    objective = strictest_objective(budget, window)
    assert objective is None or error_budget(objective, window) >= budget * (1 - 1e-9)


@pytest.mark.parametrize(
    ("objective", "unit", "meant"),
    [
        ("99.9", "ratio", "0.999"), ("50", "ratio", "0.5"), ("49.9", "ratio", None), ("100", "ratio", None),
        ("0.999", "ratio", None), ("1", "ratio", None), ("0.00999", "percent", "0.999"), ("0.005", "percent", "0.5"),
        ("0.01", "percent", "1"), ("0.0049", "percent", None), ("0.0101", "percent", None), ("0.999", "percent", None),
    ],
)  # fmt: skip
def test_a_mix_up_is_told_only_where_the_number_makes_sense_the_other_way(objective, unit, meant):
    """A modest objective is not a mistake."""
    assert (meant and Decimal(meant)) == meant_objective(Decimal(objective), unit)


def test_objectives_are_written_as_people_write_them():
    """No exponents, no needless zeros."""
    assert ("99.9%", "100%", "0%", "-5%") == tuple(percent(Decimal(text)) for text in ("0.9990", "1.0", "0", "-0.05"))
    assert ("0.999", "99.9", "40") == (
        written(Decimal("0.9990"), "ratio"), written(Decimal("0.999"), "percent"), written(Decimal("0.4"), "percent"),
    )  # fmt: skip


# --- Objectives


def test_one_percent_is_taken_for_a_ratio_of_one():
    """But nobody is told to write 100."""
    (found,) = findings("SLO101", sloth("1"))
    assert "is 1, but a percentage is expected here\n  write a percentage below 100, such as 99.9" in found


@pytest.mark.parametrize("text", [sloth("0.999"), openslo("target: 99.9"), openslo("targetPercent: 0.99")])
def test_an_objective_in_the_wrong_unit_is_told_once(text):
    """Not as a perfect one, nor as one too strict, as well."""
    assert (1, [], []) == (len(findings("SLO101", text)), findings("SLO102", text), findings("SLO104", text))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (sloth("100"), "100%, which leaves no error budget"),
        (sloth("101"), "101%, which leaves no error budget"),
        (sloth("0"), "0%, which is met by any service"),
        (sloth("-1"), "-1%, which is met by any service"),
        (openslo("target: 1.0"), "100%, which leaves no error budget"),
        (openslo("target: 100"), "10000%, which leaves no error budget"),
        (openslo("targetPercent: 100"), "100%, which leaves no error budget"),
    ],
)
def test_no_objective_is_perfect(text, said):
    """In whatever unit."""
    (found,) = findings("SLO102", text)
    assert said in found


@pytest.mark.parametrize("text", [sloth("high"), openslo("target: soon"), sloth("99.9"), openslo("target: 0.5")])
def test_other_objectives_are_left_alone(text):
    """What is no number is a wrong value already."""
    assert ([], []) == (findings("SLO101", text), findings("SLO102", text))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (openslo("target: 0.9999", "7d"), "99.99% over 7d leaves 1 minute of error budget; people need 5m to detect and respond"),
        (openslo("target: 0.99999", "7d"), "leaves 6.0 s of error budget, gone before an alert can even fire; people need 5m"),
        (openslo("target: 0.9999", "7d"), "more than 0.9995 takes automatic recovery"),
        (openslo("targetPercent: 99.99", "7d"), "more than 99.95 takes automatic recovery"),
        (openslo("target: 0.5", "5m"), "measure over a longer window: all of 5m is less than 5m"),
    ],
)
def test_a_budget_too_small_for_people_is_given_in_time(text, said):
    """With the strictest objective that people can keep."""
    (found,) = findings("SLO104", text)
    assert said in found


@pytest.mark.parametrize(
    "text",
    [
        openslo("target: 0.999", "7d"), openslo("target: 1"), openslo("target: 0"), openslo("target: x"),
        openslo("target: 0.99999", "soon"), openslo("target: 0.99999", "10Y"),
    ],
)  # fmt: skip
def test_a_budget_that_is_large_enough_or_unknown_is_left_alone(text):
    """Without a window there is no budget to speak of."""
    assert [] == findings("SLO104", text)


# --- Presence, queries, owners


def test_an_slo_elsewhere_in_the_repository_counts_for_the_service_that_it_names():
    """Some keep all of their SLOs in one folder."""
    files = {"shop/.reliability.yaml": "service: shop\n", "blog/.reliability.yaml": "service: blog\n", "slo/x.yaml": sloth()}
    assert ["blog/.reliability.yaml:1:1: service 'blog' has no SLO"] == [
        found.split("\n")[0] for found in Repo(files).findings("SLO001")
    ]


def test_a_service_is_not_judged_while_its_slo_cannot_be_read():
    """It may have one."""
    (found,) = findings("SLO001", "kind: SLO\nmetadata: [\n")
    assert found.startswith("unknown: ")


def test_an_error_behind_the_window_is_shown_where_it_stands():
    """Filling in the window moves nothing."""
    (found,) = findings("SLO201", sloth(query="rate(a[{{.window}}]) +"))
    assert found.startswith("slo/x.yaml:8:")
    (first,) = findings("SLO201", sloth(query="rate(a[{{.window}}]) + sum(b"))
    (second,) = findings("SLO201", sloth(query="rate(a[{{ .window }}]) + sum(b"))
    columns = [int(message.split(":")[2]) for message in (first, second)]
    assert [28 + 23 + 3, 28 + 25 + 3] == columns


def test_an_error_whose_place_is_lost_is_shown_at_the_query():
    """Where a placeholder was replaced by a shorter text."""
    text = openslo().replace(
        "indicatorRef: answered",
        "indicator: {spec: {thresholdMetric: {metricSource: {type: Prometheus, spec: {query: 'rate(a[{{.window}}]) + b['}}}}}",
    )
    assert ["slo/x.yaml:7"] == [":".join(found.split(":")[:2]) for found in findings("SLO201", text)]


@pytest.mark.parametrize(
    "files",
    [
        {"slo/x.yaml": openslo(head="  labels: {team: shop}\n")},
        {"slo/x.yaml": openslo(head="  annotations: {example.com/owner: shop}\n")},
    ],
)
def test_an_slo_that_says_whose_it_is_has_an_owner(files):
    """In labels or annotations."""
    assert [] == Repo(files).findings("SLO401")


def test_an_slo_without_an_owner_is_told_what_to_type():
    """In the words of its dialect."""
    assert [
        "slo/x.yaml:4:11: SLO 'answers' has no owner\n  add labels.owner: <team>, or a line for slo/x.yaml to CODEOWNERS"
    ] == findings("SLO401", sloth())


@pytest.mark.parametrize(
    ("component", "owned"),
    [
        ({"name": "shop", "owner": "team-shop"}, True),
        ({"name": "shop"}, False),
        ({"name": "blog", "owner": "team-blog"}, False),
    ],
)
def test_the_catalogue_may_say_whose_the_service_is(component, owned):
    """A component that is called like the service that the SLO names, and has an owner."""
    (slo,) = Repo({"slo/x.yaml": sloth()}).graph.of(Slo)
    catalogue = Component(at=Location("catalog-info.yaml"), kind="Component", **component)
    assert owned is not any(slo_without_owner.run(slo, Graph([slo, catalogue])))


def test_the_catalogue_may_name_the_service_that_the_folder_belongs_to():
    """Where SLOs call it otherwise."""
    files = {"slo/x.yaml": sloth(), ".reliability.yaml": "service: shop-backend\n"}
    graph = Repo(files).graph
    catalogue = Component(at=Location("catalog-info.yaml"), kind="Component", name="shop-backend", owner="team-shop")
    (slo,) = graph.of(Slo)
    assert [] == list(slo_without_owner.run(slo, Graph([*graph.of(Service), slo, catalogue])))
