"""What a marker may say, what an SLO promises, and how one finds the other."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_reliability.latency import Budget, BudgetError, Limits
from pytest_reliability.model.duration import Duration
from pytest_reliability.model.graph import Graph
from pytest_reliability.model.links import BudgetLink, slo_of
from pytest_reliability.model.location import Location
from pytest_reliability.model.nodes import LatencyBudget, Service, Slo


def slo(
    name: str = "checkout-latency",
    *,
    service: str | None = "checkout",
    objective: str | None = "0.99",
    latency: str | None = "300ms",
    path: str = "slo.yaml",
) -> Slo:
    """An SLO as a reader would have made it."""
    at = Location(path, 3)
    return Slo(
        at=at,
        name=name,
        service=service,
        dialect="openslo",
        objective=None if objective is None else Decimal(objective),
        objective_text=objective or "",
        objective_at=at,
        latency=None if latency is None else Duration.parse(latency),
    )


# --- budgets


@pytest.mark.parametrize(
    ("text", "quantile", "limit", "shown"),
    [
        ("p95=50ms", Fraction(95, 100), 0.05, "p95 ≤ 50 ms"),
        ("p50 = 2s", Fraction(1, 2), 2.0, "p50 ≤ 2 s"),
        ("p99.9=1.2s", Fraction(999, 1000), 1.2, "p99.9 ≤ 1.2 s"),
        ("p99_9=1.2s", Fraction(999, 1000), 1.2, "p99.9 ≤ 1.2 s"),
        ("p999=8us", Fraction(999, 1000), 8e-6, "p99.9 ≤ 8 us"),
        ("p975=1m30s", Fraction(975, 1000), 90.0, "p97.5 ≤ 1m30s"),
        ("p99.99=0.3s", Fraction(9999, 10000), 0.3, "p99.99 ≤ 300 ms"),
        ("p90=0.5h", Fraction(9, 10), 1800.0, "p90 ≤ 0.5 h"),
    ],
)
def test_a_budget_is_read_exactly(text, quantile, limit, shown):
    """The quantile as a fraction, the limit in seconds, and how people read it."""
    budget = Budget.parse(text)
    assert (quantile, limit, 1 - quantile, shown) == (budget.quantile, budget.limit, budget.allowed, str(budget))


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("50ms", "'50ms' is no latency budget; write p95=50ms or \"99% under 300ms\""),
        ("p95=", "p95='' is no duration; write a duration such as p95=\"50ms\""),
        ("p95=fast", "p95='fast' is no duration; write a duration such as p95=\"50ms\""),
        ("p95=50", "p95='50' has no unit; write p95=\"50ms\""),
        ("p100=50ms", "p100 is a limit for every call; write max='50ms'"),
        ("p95=-5ms", "p95='-5ms' is no duration; write a duration such as p95=\"50ms\""),
        ("p95=0ms", "p95='0ms' leaves no time at all; write a duration such as p95=\"50ms\""),
        (f"p95={'9' * 400}s", f"p95='{'9' * 400}s' is no duration; write a duration such as p95=\"50ms\""),
    ],
)
def test_what_is_no_budget_says_what_to_write(text, complaint):
    """The value that was given, and one that would do."""
    with pytest.raises(BudgetError) as error:
        Budget.parse(text)
    assert complaint == str(error.value)


def test_a_maximum_is_a_budget_on_every_call():
    """None of them may be slower, which no number of samples proves: that is for the verdict to say."""
    budget = Budget.parse("max=1s")
    assert ("max", Fraction(1), 1.0, "max ≤ 1 s") == (budget.kind, budget.quantile, budget.limit, str(budget))


@given(st.text(max_size=30))
def test_free_text_is_a_budget_or_an_error_of_ours(text):
    """Nothing that people write raises anything else."""
    try:
        budget = Budget.parse(text)
    except BudgetError:
        return
    assert 0 < budget.quantile <= 1
    assert 0 < budget.limit < inf


@pytest.mark.parametrize(("share", "quantile"), [("1%", Fraction(99, 100)), (" 0.5 % ", Fraction(995, 1000))])
def test_errors_have_a_budget_of_their_own(share, quantile):
    """A share of calls that may raise."""
    budget = Budget.for_errors(share)
    assert (quantile, True, "errors") == (budget.quantile, budget.counts_errors, budget.name)
    assert str(budget) == f"errors ≤ {share.strip().replace(' ', '')}"


@pytest.mark.parametrize("share", ["1", "0.01", 0.01, None, "x%"])
def test_errors_are_a_percentage(share):
    """0.01 might be 1% or 0.01%: it is refused."""
    with pytest.raises(BudgetError, match=r'is no percentage; write errors="1%"'):
        Budget.for_errors(share)


@pytest.mark.parametrize("share", ["0%", "100%", "200%"])
def test_errors_that_may_never_or_always_happen_are_no_budget(share):
    """0% is what holds without errors=."""
    with pytest.raises(BudgetError, match="is not between 0% and 100%; leave errors= out"):
        Budget.for_errors(share)


# --- SLOs


def test_an_slo_is_a_budget_exactly():
    """ "99.95% within 300 ms" is p99.95 <= 300 ms, not p99.9 or p100."""
    budget = Budget.from_slo(slo(objective="0.9995", latency="0.3s"))
    assert (Fraction(9995, 10000), 0.3, "checkout/checkout-latency") == (budget.quantile, budget.limit, budget.slo)
    assert str(budget) == "p99.95 ≤ 300 ms"


@pytest.mark.parametrize("latency", [None, "0s"])
def test_an_slo_without_a_threshold_is_refused(latency):
    """What an SLO means is never guessed."""
    with pytest.raises(BudgetError) as error:
        Budget.from_slo(slo(latency=latency))
    assert (
        "SLO 'checkout/checkout-latency' (slo.yaml:3) names no latency threshold that can be read; "
        'write the budget out, such as p99="300ms"'
    ) == str(error.value)


@pytest.mark.parametrize(("objective", "shown"), [("1", "1"), ("0", "0"), ("99.9", "99.9"), (None, "none")])
def test_an_slo_without_a_share_is_refused(objective, shown):
    """Nothing proves 100%, and 99.9 as a ratio is a mistake of another kind."""
    with pytest.raises(BudgetError, match=f"has the objective '{shown}', which no measurement can prove"):
        Budget.from_slo(slo(objective=objective))


# --- the marker's arguments


def test_limits_keep_what_the_marker_says():
    """Several budgets, errors, an SLO and a time, each as it was written."""
    limits = Limits.parse(p95="50ms", p99="120ms", errors="1%", slo=" checkout-latency ", max_time="5s")
    assert ["p95 ≤ 50 ms", "p99 ≤ 120 ms", "errors ≤ 1%"] == list(map(str, limits.budgets))
    assert ("checkout-latency", 5.0, True) == (limits.slo, limits.max_time, limits.tolerates_errors)


def test_limits_have_defaults():
    """30 seconds, and no error is tolerated."""
    limits = Limits.parse(slo="x")
    assert ((), 30.0, False) == (limits.budgets, limits.max_time, limits.tolerates_errors)


def test_a_quantile_with_a_dot_can_be_given():
    """Python's keywords have no dots, a mapping's keys do."""
    assert "p99.9 ≤ 1 s" == str(Limits.parse(**{"p99.9": "1s"}).budgets[0])


@pytest.mark.parametrize(
    ("arguments", "options", "complaint"),
    [
        ((), {"p95": 50}, 'p95=50 has no unit; write p95="50ms"'),
        ((), {"p95": 0.5}, 'p95=0.5 has no unit; write p95="0.5ms"'),
        ((), {"p95": True}, 'p95=True is no duration; write a duration such as p95="50ms"'),
        ((), {"p95": None}, 'p95=None is no duration; write a duration such as p95="50ms"'),
        ((), {"max_time": 5, "p95": "5ms"}, 'max_time=5 has no unit; write max_time="5s"'),
        ((), {"max_time": "long", "p95": "5ms"}, "max_time='long' is no duration; write a duration such as max_time=\"30s\""),
        ((), {"P95": "50ms"}, "latency_budget has no argument 'P95'; did you mean p95?"),
        ((), {"p_95": "50ms"}, "latency_budget has no argument 'p_95'; did you mean p95?"),
        ((), {"error": "1%"}, "latency_budget has no argument 'error'; did you mean errors?"),
        ((), {"maxtime": "1s"}, "latency_budget has no argument 'maxtime'; did you mean max_time?"),
        ((), {"p505": "1s"}, "latency_budget has no argument 'p505'; did you mean p50?"),
        (
            (),
            {"p00": "1s"},
            "latency_budget has no argument 'p00'; it takes p50, p90, p95, p99, p99_9, max, errors, throughput, slo, of, clock, max_time, ratchet",
        ),
        (
            (),
            {"warmth": "1s"},
            "latency_budget has no argument 'warmth'; it takes p50, p90, p95, p99, p99_9, max, errors, throughput, slo, of, clock, max_time, ratchet",
        ),
        ((), {"slo": ""}, 'slo=\'\' is no name; write slo="checkout-latency" or slo="checkout/checkout-latency"'),
        ((), {"slo": 5}, 'slo=5 is no name; write slo="checkout-latency" or slo="checkout/checkout-latency"'),
        (("50ms",), {}, '\'50ms\' is no limit; write one such as p95="50ms", "99% under 300ms" or "queries<=3"'),
        ((), {}, 'latency_budget sets no limit; write p95="50ms" or slo="checkout-latency"'),
        ((), {"max_time": "5s"}, 'latency_budget sets no limit; write p95="50ms" or slo="checkout-latency"'),
    ],
)
def test_an_argument_that_is_not_understood_is_explained(arguments, options, complaint):
    """What was given, what is wrong with it, and what to write instead."""
    with pytest.raises(BudgetError) as error:
        Limits.parse(*arguments, **options)
    assert complaint == str(error.value)


@given(
    st.dictionaries(st.text(max_size=8), st.none() | st.integers() | st.text(max_size=8) | st.lists(st.integers()), max_size=3)
)
def test_any_arguments_are_limits_or_an_error_of_ours(options):
    """A marker takes anything at all; we never raise a traceback for it."""
    try:
        limits = Limits.parse(**options)
    except BudgetError:
        return
    assert limits.budgets or limits.slo


# --- from a test to its SLO


def link(name: str | None, *slos: Slo, services: tuple[str, ...] = (), test: str = "tests/test_x.py") -> BudgetLink | None:
    """What a test's `slo=name` resolves to in a repository with these SLOs and a service in each of these folders."""
    nodes = [Service(at=Location(f"{folder}/.reliability.yaml"), name=folder, root=folder) for folder in services]
    return slo_of(Graph([*nodes, *slos]), LatencyBudget(at=Location(test), test="test_x", slo=name))


def test_a_budget_that_names_no_slo_has_no_link():
    """Names that look alike are no reason."""
    assert link(None, slo("test_x")) is None


@pytest.mark.parametrize("name", ["checkout-latency", "checkout/checkout-latency"])
def test_a_name_finds_its_slo(name):
    """With its service or without."""
    wanted = slo()
    found = link(name, wanted, slo("checkout-latency-p99"), slo("latency", service="checkout"))
    assert ("found", wanted, (wanted,)) == (found.status, found.slo, found.candidates)


def test_near_misses_do_not_link():
    """Neither another case, nor a part of the name, nor the right name of another service."""
    for name in ("Checkout-Latency", "latency", "payments/checkout-latency", "checkout/checkout-latency/x", ""):
        missing = link(name, slo())
        assert ("missing", None, (), f"no SLO is called {name!r}") == (
            missing.status, missing.slo, missing.candidates, missing.evidence
        )  # fmt: skip


def test_two_slos_of_one_name_are_ambiguous():
    """Which one is meant is said by nobody."""
    slos = slo(service="checkout", path="a.yaml"), slo(service="payments", path="b.yaml")
    both = link("checkout-latency", *slos)
    assert ("ambiguous", None, slos) == (both.status, both.slo, both.candidates)
    assert "2 SLOs have that name: a.yaml:3, b.yaml:3" == both.evidence


def test_a_bare_name_means_the_tests_own_service():
    """Each service may have an SLO called latency."""
    ours, theirs = (slo("latency", service=None, path=f"{folder}/slo.yaml") for folder in ("checkout", "payments"))
    found = link("latency", theirs, ours, services=("checkout", "payments"), test="checkout/tests/test_x.py")
    assert ("found", ours) == (found.status, found.slo)
    assert "'latency' is the SLO's name in service 'checkout'" == found.evidence


def test_the_only_slo_of_that_name_in_another_service_is_a_candidate_not_the_answer():
    """Never guess across services; say where it is."""
    theirs = slo("latency", service=None, path="payments/slo.yaml")
    missing = link("latency", theirs, services=("checkout", "payments"), test="checkout/tests/test_x.py")
    assert ("missing", None, (theirs,)) == (missing.status, missing.slo, missing.candidates)
    assert "only other services have it: payments/latency" == missing.evidence


def test_what_services_share_is_near_to_all_of_them():
    """An SLO, or a test, outside every service's folder belongs to all."""
    shared = slo("latency", service=None, path="slo.yaml")
    assert link("latency", shared, services=("checkout", "payments"), test="checkout/tests/test_x.py").slo is shared
    theirs = slo("latency", service=None, path="payments/slo.yaml")
    assert link("latency", theirs, services=("checkout", "payments"), test="tests/test_x.py").slo is theirs


def test_a_folder_can_name_the_service():
    """ "payments/latency" is the SLO called latency in the folder of the service payments."""
    theirs = slo("latency", service=None, path="payments/slo.yaml")
    found = link("payments/latency", theirs, slo("latency", service="checkout"), services=("checkout", "payments"))
    assert ("found", theirs) == (found.status, found.slo)
    assert "'payments/latency' names the service and the SLO" == found.evidence
