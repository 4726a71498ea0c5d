"""Error-budget arithmetic: against the figures of the books, and against an alert that is simulated second by second."""

from __future__ import annotations

import doctest
import re
from decimal import Decimal
from math import inf
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import pytest_reliability.slo
from pytest_reliability.model.location import Location
from pytest_reliability.model.nodes import BurnRate
from pytest_reliability.model.nodes import Slo as Spec
from pytest_reliability.model.objectives import Objective, burns, objectives
from pytest_reliability.slo import AlertWindow, Duration, ErrorBudget
from pytest_reliability.testing import Repo

AT = Location("slo.yaml")
MONTH = ErrorBudget.parse("99.9%", "30d")


def window(text: str) -> Duration:
    """A length of time."""
    return Duration.parse(text)


def test_the_examples_of_the_public_module_are_right():
    """What people copy works, and what is promised is all that is exported."""
    assert (0, 4) == doctest.testmod(pytest_reliability.slo)
    assert ["AlertWindow", "Duration", "ErrorBudget"] == pytest_reliability.slo.__all__


def test_the_page_about_it_runs():
    """Every example of docs/error-budgets.md, and every name that the package exports is on it."""
    page = (Path(__file__).parents[1] / "docs" / "error-budgets.md").read_text(encoding="utf-8")
    for code in re.findall(r"```python\n(.*?)```", page, re.S):
        exec(code, {})
    table = page.partition("| | |")[2]
    for kind in (ErrorBudget, AlertWindow):
        assert all(f".{name}" in table for name in vars(kind) if not name.startswith("_") and name not in FIELDS), kind


FIELDS = {"objective", "window", "parse", "factor", "long", "short", "wait", "inclusive", "severity", "pages"}


@pytest.mark.parametrize(
    ("objective", "period", "minutes"),
    [("99%", "30d", 432), ("99.9%", "30d", 43.2), ("99.9%", "28d", 40.32), ("0.9999", "30d", 4.32), ("99.999%", "7d", 0.1008)],
)
def test_a_budget_in_minutes(objective, period, minutes):
    """The table of "Site Reliability Engineering", appendix A, and its neighbours."""
    assert minutes == pytest.approx(ErrorBudget.parse(objective, period).seconds / 60)


def test_a_budget_in_requests():
    """Of a million requests one thousand may fail, and never a part of one."""
    assert (1000, 0, 1) == tuple(MONTH.failures(total) for total in (1_000_000, 999, 1000))
    assert pytest.approx(25_920) == MONTH.requests(10.0)


@pytest.mark.parametrize(
    ("objective", "period", "reason"),
    [
        ("100%", "30d", "no objective"),
        ("99.9", "30d", "no objective"),
        ("0", "30d", "no objective"),
        ("much", "30d", "no objective; write 99.9% or 0.999"),
        ("nan", "30d", "no objective"),
        ("99%", "month", "no duration"),
        ("99%", "0d", "no window"),
    ],
)
def test_what_leaves_no_budget_is_refused(objective, period, reason):
    """In words that say what to write."""
    with pytest.raises(ValueError, match=reason):
        ErrorBudget.parse(objective, period)


def test_burn_rates_and_times_are_two_sides_of_one_thing():
    """Ten times too fast is over in a tenth of the window; an outage in exactly the budget."""
    assert pytest.approx(10) == MONTH.burn_rate(0.01)
    assert pytest.approx(0.01) == MONTH.error_ratio(10)
    assert pytest.approx(3 * 86400) == MONTH.exhausted_after(10)
    assert pytest.approx(10) == MONTH.burn_rate_to_exhaust_in(3 * 86400)
    assert pytest.approx(MONTH.seconds) == MONTH.exhausted_after(MONTH.of_outage)
    assert inf == MONTH.exhausted_after(0)
    assert [("outage", pytest.approx(1000)), ("10x", 10), ("1x", 1)] == list(burns(MONTH.objective))


@pytest.mark.parametrize(
    ("factor", "long", "share", "seconds"),
    [("14.4", "1h", 0.02, 51.84), ("6", "6h", 0.05, 129.6), ("3", "1d", 0.10, 259.2), ("1", "3d", 0.10, 259.2)],
)
def test_the_alerts_of_the_workbook_in_an_outage(factor, long, share, seconds):
    """The share of the budget, and the detection time: (1 - SLO) / error ratio x window x burn rate (chapter 5)."""
    alert = AlertWindow(factor=Decimal(factor), long=window(long))
    assert share == pytest.approx(alert.spends(MONTH.window))
    assert seconds == pytest.approx(alert.fires_after(MONTH.of_outage))


def test_an_alert_waits_for_its_slower_window_and_then_for_its_for():
    """The slower of the two windows decides; what has to last lasts on top."""
    alert = AlertWindow(factor=Decimal(10), long=window("1h"), short=window("2h"), wait=window("2m"))
    assert pytest.approx(2 * 3600 * 10 / 100 + 120) == alert.fires_after(100)


def test_the_factor_itself_is_enough_only_where_the_alert_says_so():
    """Above ten is not ten."""
    above = AlertWindow(factor=Decimal(10), long=window("1h"))
    at_least = AlertWindow(factor=Decimal(10), long=window("1h"), inclusive=True)
    assert (inf, 3600.0) == (above.fires_after(10), at_least.fires_after(10))
    assert inf == at_least.fires_after(9.99)


@settings(max_examples=60, deadline=None)
@given(
    factor=st.integers(1, 40),
    burn=st.floats(0.5, 200),
    long=st.integers(10, 600),
    short=st.none() | st.integers(1, 600),
    wait=st.integers(0, 60),
)
def test_a_simulated_alert_fires_when_it_is_said_to(factor, burn, long, short, wait):
    """Averages over both windows of a budget that began to burn just now, looked at every second."""

    def burning(second: int, length: int) -> bool:
        return burn * min(second, length) / length > factor

    held, fired = 0, None
    for second in range(1, 3000):
        held = held + 1 if burning(second, long) and (short is None or burning(second, short)) else 0
        if held > wait:
            fired = second
            break
    alert = AlertWindow(
        factor=Decimal(factor),
        long=Duration(float(long), f"{long}s"),
        short=Duration(float(short), f"{short}s") if short else None,
        wait=Duration(float(wait), f"{wait}s"),
    )
    told = alert.fires_after(burn)
    if fired is None:
        assert told == inf
    else:
        assert fired - 1.001 <= told <= fired


def slo(**others) -> Spec:
    """An SLO."""
    return Spec(at=AT, name="a", dialect="sloth", objective_at=AT, **others)


@pytest.mark.parametrize(
    ("objective", "period"), [(None, "30d"), (Decimal("0.9"), None), (Decimal(1), "30d"), (Decimal("0.9"), "0s")]
)
def test_an_slo_without_a_budget_has_none(objective, period):
    """A report tells of it all the same."""
    told = Objective.of(slo(objective=objective, window=window(period) if period else None), "shop", ())
    assert (None, "shop/a") == (told.budget, told.full_name)
    assert "a" == Objective.of(slo(), None, ()).full_name


def test_alerts_come_the_fastest_first_and_each_once():
    """What cannot be computed with is named; names of generated alerts count where nothing better is known."""
    rates = [
        BurnRate(at=AT, holder="alert 'Slow'", factor=Decimal(1), long=window("3d"), severity="ticket"),
        BurnRate(at=AT, holder="alert 'Fast'", factor=Decimal(14), long=window("1h"), severity="page"),
        BurnRate(at=AT, holder="alert 'Again'", factor=Decimal(14), long=window("1h"), severity="page"),
        BurnRate(at=AT, holder="alert 'Odd'", long=window("1h")),
        BurnRate(at=AT, holder="x", name="Odder", factor=Decimal(2)),
    ]
    told = Objective.of(slo(alert_names=("Named",)), None, rates)
    assert [("page", True), ("ticket", False)] == [(alert.severity, alert.pages) for alert in told.alerts]
    assert ("alert 'Odd'", "Odder") == told.unread
    assert ("Named",) == Objective.of(slo(alert_names=("Named",)), None, ()).unread


def test_the_objectives_of_a_repository():
    """Each with its service and the settings of that."""
    spec = "version: prometheus/v1\nservice: shop\nslos:\n- name: a\n  objective: 99.9\n  sli: {raw: {error_ratio_query: x}}\n"
    graph = Repo({"slo.yaml": spec, ".reliability.yaml": "response_time: 10m\n"}).graph
    (told,) = objectives(graph, graph.of(Spec))
    assert ("shop/a", 600.0, Decimal("0.999")) == (told.full_name, told.response, told.objective)
