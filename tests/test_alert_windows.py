"""Sloth's catalogue of alert windows: the burn rates in it, and what is wrong with it."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conftest import CORPUS
from pytest_reliability.documents import Source
from pytest_reliability.formats.alert_windows import FORMAT
from pytest_reliability.model.nodes import AlertPolicy, BurnRate, Fault, Replace

TWO_WEEKS = """\
apiVersion: sloth.slok.dev/v1
kind: AlertWindows
spec:
  sloPeriod: 2w
  page:
    quick: {errorBudgetPercent: 4, shortWindow: 5m, longWindow: 1h}
    slow:
      errorBudgetPercent: 7.5
      shortWindow: 30m
      longWindow: 6h
  ticket:
    quick: {errorBudgetPercent: 15, shortWindow: 2h, longWindow: 1d}
    slow: {errorBudgetPercent: 20, shortWindow: 6h, longWindow: 2d12h}
"""


def read(text, path="windows/14d.yaml"):
    """Everything that the reader yields for a file."""
    return list(FORMAT.read(Source(path, text.encode())))


def of(kind, text):
    """The nodes of exactly that kind."""
    return [node for node in read(text) if type(node) is kind]


def faults(text):
    """Kind, line and message of each fault."""
    return [f"{fault.kind} {fault.at.line}: {fault.message}" for fault in of(Fault, text)]


def test_each_window_is_a_burn_rate():
    """Its factor is the one that Sloth computes: the share of the budget by how often the long window fits into the period."""
    assert [] == faults(TWO_WEEKS)
    found = of(BurnRate, TWO_WEEKS)
    assert [
        ("alert window 'page quick'", "page", Decimal("13.44"), Decimal("0.04"), "1h", "5m"),
        ("alert window 'page slow'", "page", Decimal("4.2"), Decimal("0.075"), "6h", "30m"),
        ("alert window 'ticket quick'", "ticket", Decimal("2.1"), Decimal("0.15"), "1d", "2h"),
        ("alert window 'ticket slow'", "ticket", Decimal("1.12"), Decimal("0.2"), "2d12h", "6h"),
    ] == [(rate.holder, rate.severity, rate.factor, rate.budget, str(rate.long), str(rate.short)) for rate in found]
    assert {"2w"} == {str(rate.period) for rate in found}


def test_a_burn_rate_stands_where_its_window_does():
    """And its factor where the budget is that it follows from."""
    slow = of(BurnRate, TWO_WEEKS)[1]
    assert [(8, 7), (8, 27)] == [(at.line, at.column) for at in (slow.at, slow.factor_at)]


def test_all_windows_of_a_period_belong_together():
    """They are one policy, at the period."""
    (policy,) = of(AlertPolicy, TWO_WEEKS)
    assert ("windows of 2w", 4, tuple(of(BurnRate, TWO_WEEKS))) == (policy.name, policy.at.line, policy.burn_rates)


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("shortWindow: 5m", "shortwindow: 5m", "unknown-key 6: 'shortwindow' is not a key of an alert window, so it is not read"),
        ("  sloPeriod: 2w\n", "", "missing-field 4: the spec of AlertWindows has no 'sloPeriod'"),
        ("sloPeriod: 2w", "sloPeriod: 14", "wrong-value 4: sloPeriod is '14'; a duration above 0 such as 5m"),
        ("longWindow: 1h", "longWindow: 0m", "wrong-value 6: longWindow is '0m'; a duration above 0 such as 5m"),
        ("longWindow: 1h", "longWindow: 30m1h", "wrong-value 6: longWindow is '30m1h'; a duration above 0 such as 5m"),
        ("longWindow: 1h", 'longWindow: ""', "wrong-value 6: longWindow is ''; a duration above 0 such as 5m"),
        ("Percent: 4", "Percent: 0", "wrong-value 6: errorBudgetPercent is '0'; a number above 0"),
        ("Percent: 4", "Percent: 400", "wrong-value 6: errorBudgetPercent is '400'; a number above 0"),
        ("Percent: 4", "Percent: 0x4", None),
        ("Percent: 4", "Percent: .nan", "wrong-value 6: errorBudgetPercent is '.nan'; a number above 0"),
        ("Percent: 4", "Percent: -4", "wrong-value 6: errorBudgetPercent is '-4'; a number above 0"),
        ("  ticket:\n", "  tickets:\n", "unknown-key 11: 'tickets' is not a key of the spec of AlertWindows, so it is not read"),
        ("sloth.slok.dev/v1", "sloth.slok.dev/v2",
         "wrong-kind 1: apiVersion is 'sloth.slok.dev/v2'; 'sloth.slok.dev/v1' is expected"),
        ("sloth.slok.dev/v1", "1", "wrong-kind 1: apiVersion is 1; 'sloth.slok.dev/v1' is expected"),
        ("apiVersion: sloth.slok.dev/v1\n", "", "missing-field 1: an AlertWindows document has no 'apiVersion'"),
        ("kind: AlertWindows", "kind: AlertWindows\nkind: AlertWindows", "duplicate-key 3: key 'kind' is given twice"),
    ],
)  # fmt: skip
def test_what_sloth_refuses_or_drops_is_told(old, new, expected):
    """Sloth reads unknown keys over, and takes budgets of more than all there is."""
    found = faults(TWO_WEEKS.replace(old, new, 1))
    assert len(found) == 1
    assert expected is None or found[0].startswith(expected)


def test_a_wrong_version_can_be_put_right():
    """By a machine."""
    (fault,) = of(Fault, TWO_WEEKS.replace("sloth.slok.dev/v1", "sloth.slok.dev/v2", 1))
    assert Replace(fault.at, "sloth.slok.dev/v2", "sloth.slok.dev/v1") == fault.edit
    (fault,) = of(Fault, TWO_WEEKS.replace("sloth.slok.dev/v1", "1", 1))
    assert fault.edit is None


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("sloPeriod: 2w", "sloPeriod: x"),
        ("longWindow: 1h", "longWindow: 0m"),
        ("Percent: 4,", "Percent: 400,"),
        ("Percent: 4,", "Percent: four,"),
    ],
)
def test_what_cannot_be_computed_has_no_factor(old, new):
    """The window is there all the same."""
    rate = of(BurnRate, TWO_WEEKS.replace(old, new, 1))[0]
    assert (None, "page") == (rate.factor, rate.severity)


@pytest.mark.parametrize("spec", ["", "spec: 1", "spec: {page: 1, ticket: {quick: 1}}"])
def test_what_is_half_there_breaks_nothing(spec):
    """It is only told."""
    text = f"apiVersion: sloth.slok.dev/v1\nkind: AlertWindows\n{spec}\n"
    assert (True, []) == (bool(faults(text)), of(BurnRate, text))


@pytest.mark.parametrize("text", ["kind: AlertWindow\nspec: {}\n", "- kind: AlertWindows\n", "AlertWindows\n"])
def test_other_documents_are_left_alone(text):
    """They are not of this kind."""
    assert [] == read(text)


def test_json_says_the_same():
    """Sloth reads YAML, and JSON is YAML."""
    window = {"errorBudgetPercent": 2, "shortWindow": "5m", "longWindow": "1h"}
    speeds = {"quick": window, "slow": window}
    spec = {"sloPeriod": "30d", "page": speeds, "ticket": speeds}
    text = json.dumps({"apiVersion": "sloth.slok.dev/v1", "kind": "AlertWindows", "spec": spec})
    found = read(text, "windows.json")
    assert [Decimal("14.4")] * 4 == [node.factor for node in found if isinstance(node, BurnRate)]


WORDS = st.sampled_from(["sloPeriod", "page", "ticket", "quick", "slow", "errorBudgetPercent", "shortWindow", "longWindow"])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=4),
    max_leaves=12,
)


@given(JSON)
def test_nothing_that_a_spec_can_be_raises(spec):
    """Whatever is there."""
    read(json.dumps({"apiVersion": "sloth.slok.dev/v1", "kind": "AlertWindows", "spec": spec}), "x.json")


@pytest.mark.skipif(not CORPUS.exists(), reason="the corpus is not here")
def test_sloths_own_windows_are_read():
    """Those of the workbook have the workbook's factors."""
    folder = CORPUS / "slo" / "slok__sloth"
    factors = {}
    for path in sorted([*folder.glob("internal/alert/windows/*.yaml"), *folder.glob("examples/windows/*.yaml")]):
        text = path.read_text()
        assert [] == faults(text), path
        factors[path.name] = [float(rate.factor) for rate in of(BurnRate, text)]
    assert [14.4, 6.0, 3.0, 1.0] == factors["google-30d.yaml"]
    assert [13.44, 5.6, 2.8, pytest.approx(0.9333333)] == factors["google-28d.yaml"]
