"""What a marker may say, what an SLO promises, and how one finds the other."""

from __future__ import annotations

import re
from decimal import Decimal
from fractions import Fraction
from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_reliability.latency.budget import Budget, BudgetError, CountBudget, Limits
from pytest_reliability.model.duration import Duration
from pytest_reliability.model.graph import Graph
from pytest_reliability.model.links import BudgetLink, slo_of
from pytest_reliability.model.location import Location
from pytest_reliability.model.nodes import LatencyBudget, Service, Slo

ALL = "p50, p90, p95, p99, p99_9, max, errors, throughput, slo, of, clock, max_time, ratchet"


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
        ("p100=50ms", 'p100 is a limit for every call; write max="50ms"'),
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
    assert ("max", Fraction(1), Fraction(0), 1.0, "max ≤ 1 s") == (
        budget.kind, budget.quantile, budget.allowed, budget.limit, str(budget)
    )  # fmt: skip


@pytest.mark.parametrize(
    ("text", "rate", "shown"),
    [
        ("throughput=200/s", 200.0, "throughput ≥ 200/s"),
        ("throughput >= 12000 / min", 200.0, "throughput ≥ 12000/min"),
        ("throughput ≥ 1.5/h", 1.5 / 3600, "throughput ≥ 1.5/h"),
        ("throughput>6/m", 0.1, "throughput ≥ 6/m"),
    ],
)
def test_a_throughput_limits_the_time_between_answers(text, rate, shown):
    """Half of the mean intervals between answers may be longer, half are shorter."""
    budget = Budget.parse(text)
    assert ("throughput", Fraction(1, 2), shown) == (budget.kind, budget.quantile, str(budget))
    assert pytest.approx(1 / rate) == budget.limit


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("p95<=50ms", "p95 ≤ 50 ms"),
        (" p95 < 50 ms ", "p95 ≤ 50 ms"),
        ("p95 ≤ 1m30s", "p95 ≤ 1m30s"),
        ("p5=1s", "p5 ≤ 1 s"),
        ("p05=1s", "p5 ≤ 1 s"),
        ("p0.5=1s", "p0.5 ≤ 1 s"),
        ("p99=0.0001s", "p99 ≤ 100 µs"),
        ("p99=0.5ns", "p99 ≤ 0.5 ns"),
        ("99% under 300ms", "p99 ≤ 300 ms"),
        ("at least 99% under 300 ms", "p99 ≤ 300 ms"),
        ("at least 99.9 % of all requests within 1s", "p99.9 ≤ 1 s"),
        ("95% of calls below 2s", "p95 ≤ 2 s"),
        ("95% in 2s", "p95 ≤ 2 s"),
        ("99%<300ms", "p99 ≤ 300 ms"),
        ("99% ≤ 300ms", "p99 ≤ 300 ms"),
        ("errors<=1%", "errors ≤ 1%"),
        ("errors < 0.1 %", "errors ≤ 0.1%"),
    ],
)
def test_a_limit_may_be_written_as_it_is_said(text, shown):
    """With signs, with words, and with or without spaces."""
    assert shown == str(Budget.parse(text))


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("p95>=50ms", "'p95>=50ms' is the wrong way round; write p95=\"50ms\""),
        ("99.9% > 50ms", "'99.9% > 50ms' is the wrong way round; write p99_9=\"50ms\""),
        ("throughput<=200/s", "'throughput<=200/s' is the wrong way round; write throughput=\"200/s\""),
        ("errors>1%", "'errors>1%' is the wrong way round; write errors=\"1%\""),
        ("100% under 50ms", "'100% under 50ms' is a limit for every call; write max=\"50ms\""),
        ("120% under 50ms", "'120% under 50ms' is not between 0% and 100%; write \"99% under 50ms\""),
        ("0% under 50ms", "'0% under 50ms' is not between 0% and 100%; write \"99% under 50ms\""),
        ("99% under 50", "p99='50' has no unit; write p99=\"50ms\""),
        ("1.2.3%<50ms", "'1.2.3%<50ms' is no latency budget; write p95=50ms or \"99% under 300ms\""),
        ("throughput=200", "throughput='200' has no unit; write throughput=\"200/s\""),
        ("throughput=0/s", "throughput='0/s' is no rate; write a rate such as throughput=\"200/s\""),
        (f"throughput={'9' * 400}/s", f"throughput='{'9' * 400}/s' is no rate; write a rate such as throughput=\"200/s\""),
        ("max=1", "max='1' has no unit; write max=\"1ms\""),
        ("p95=0.1ns", "p95='0.1ns' leaves no time at all; write a duration such as p95=\"50ms\""),
        ("=50ms", "'=50ms' is no latency budget; write p95=50ms or \"99% under 300ms\""),
    ],
)
def test_a_text_that_means_something_else_says_what_to_write(text, complaint):
    """The wrong way round, impossible, or without a unit."""
    with pytest.raises(BudgetError) as error:
        Budget.parse(text)
    assert complaint == str(error.value)


@pytest.mark.parametrize("rate", [200, 0.5, True, None, "fast"])
def test_a_rate_has_a_unit(rate):
    """200 a second and 200 a minute are different things."""
    with pytest.raises(BudgetError, match=r'throughput=.* (has no unit|is no rate); write .*throughput="[0-9.]+/s"'):
        Budget.of("throughput", rate)


AMOUNTS = st.decimals("0.001", "99999", places=3).map(lambda number: f"{number:f}")
WRITTEN = st.one_of(
    st.builds(
        "p{}.{}={}{}".format,
        st.integers(1, 99),
        st.integers(0, 999),
        AMOUNTS,
        st.sampled_from(["ns", "us", "µs", "ms", "s", "h"]),
    ),
    st.builds("max={}{}".format, AMOUNTS, st.sampled_from(["us", "ms", "s", "m"])),
    st.builds("errors={}%".format, st.decimals("0.001", "99.999", places=3)),
    st.builds("throughput={}/{}".format, AMOUNTS, st.sampled_from(["s", "m", "min", "h"])),
    st.builds("{}% under {}ms".format, st.decimals("0.001", "99.999", places=3), AMOUNTS),
)


@given(WRITTEN)
def test_what_a_budget_says_of_itself_is_a_budget(text):
    """The same one, written as people read it, and as the marker's argument."""
    try:
        budget = Budget.parse(text)
    except BudgetError:
        assert re.search(r"=0\.[0-4]..ns", text)  # no time at all
        return
    (argument,) = Limits.parse(**dict([budget.source.replace('"', "").split("=")])).budgets
    for again in (Budget.parse(str(budget)), argument):
        assert (str(budget), budget.kind, budget.quantile) == (str(again), again.kind, again.quantile)
        assert pytest.approx(budget.limit) == again.limit


# --- counts


@pytest.mark.parametrize(
    ("text", "counter", "most"),
    [("queries<=3", "queries", 3), (" queries < 4 ", "queries", 3), ("db.rows ≤ 0", "db.rows", 0), ("照会<=2", "照会", 2)],
)
def test_a_count_has_a_limit(text, counter, most):
    """Below is one less than at most."""
    budget = CountBudget.parse(text)
    assert (counter, most, f"{counter} ≤ {most}", f'"{counter}<={most}"') == (
        budget.counter, budget.most, str(budget), budget.source
    )  # fmt: skip
    assert budget == CountBudget.parse(str(budget))


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("queries", "'queries' is no limit for a count; write \"queries<=3\""),
        ("queries<=few", "'queries<=few' is no limit for a count; write \"queries<=3\""),
        ("queries<=2.5", "'queries<=2.5' is no limit for a count; write \"queries<=3\""),
        ("queries<=-1", "'queries<=-1' is no limit for a count; write \"queries<=3\""),
        ("3 queries<=3", "'3 queries<=3' is no limit for a count; write \"queries<=3\""),
        ("queries=3", "'queries=3' limits nothing; write \"queries<=3\""),
        ("queries>=3", "'queries>=3' limits nothing; write \"queries<=3\""),
        ("queries<0", "'queries<0' limits nothing; write \"queries<=0\""),
        ("p95<=3", "'p95' is no counter but a limit of its own; call the counter something else"),
    ],
)
def test_what_limits_no_count_says_what_to_write(text, complaint):
    """Also where it could be meant in two ways."""
    with pytest.raises(BudgetError) as error:
        CountBudget.parse(text)
    assert complaint == str(error.value)


@given(st.text(max_size=30))
def test_free_text_limits_a_count_or_is_an_error_of_ours(text):
    """What is read reads the same again."""
    try:
        budget = CountBudget.parse(text)
    except BudgetError:
        return
    assert budget == CountBudget.parse(str(budget))
    assert (budget,) == Limits.parse(str(budget)).counts


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


@pytest.mark.parametrize("latency", [None, "0s", "0.1ns", f"{'9' * 400}s"])
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


def test_limits_are_for_one_operation_by_one_clock():
    """Texts and arguments together, in their order; what is counted is apart."""
    limits = Limits.parse("queries<=3", "99% under 300ms", max="1s", throughput="200/s", of=" POST /checkout ", ratchet=True)
    assert ["p99 ≤ 300 ms", "max ≤ 1 s", "throughput ≥ 200/s"] == list(map(str, limits.budgets))
    assert ((CountBudget("queries", 3),), "POST /checkout", "wall", True) == (
        limits.counts, limits.of, limits.clock, limits.ratchet
    )  # fmt: skip
    assert ("cpu", None, False) == ((cpu := Limits.parse(p95="5ms", clock="cpu")).clock, cpu.of, cpu.ratchet)


def test_a_count_is_enough_of_a_limit():
    """It needs no clock, so that any will do."""
    assert (CountBudget("queries", 3),) == Limits.parse("queries<=3", clock="cpu").counts


def test_markers_on_one_level_add_up():
    """What is said twice counts once; the longer of two times, and the clock of those that limit time."""
    together = Limits.together(
        [
            Limits.parse("queries<=3", of="search"),
            Limits.parse(p95="50ms", clock="cpu", max_time="5s", of="search"),
            Limits.parse("queries<=3", "p95<=50ms", p99="80ms", clock="cpu", max_time="10s", ratchet=True, of="search"),
        ]
    )
    assert (["p95 ≤ 50 ms", "p99 ≤ 80 ms"], (CountBudget("queries", 3),), "search", "cpu", 10.0, True, None) == (
        list(map(str, together.budgets)), together.counts, together.of, together.clock, together.max_time, together.ratchet,
        together.slo,
    )  # fmt: skip
    alone = Limits.parse(p95="50ms", slo="fast")
    assert alone == Limits.together([alone]) == Limits.together([alone, alone])
    assert (30.0, "wall") == ((counts := Limits.together([Limits.parse("queries<=3")] * 2)).max_time, counts.clock)


@pytest.mark.parametrize(
    ("several", "complaint"),
    [
        (({"slo": "fast"}, {"slo": "slow"}), "two SLOs for one operation: slo='fast' and slo='slow'; keep one of them"),
        (({"p95": "1s"}, {"p95": "2s"}), 'p95 is limited twice, by p95="1s" and by p95="2s"; keep one of them'),
        (({"p95": "1s"}, {"p99": "2s", "clock": "cpu"}),
         'one operation has one clock; write clock="cpu" in each of its markers, or in none of them'),
    ],
)  # fmt: skip
def test_markers_that_contradict_each_other_are_refused(several, complaint):
    """Nobody could say which of them counts."""
    with pytest.raises(BudgetError) as error:
        Limits.together([Limits.parse(**options) for options in several])
    assert complaint == str(error.value)


def test_a_quantile_with_a_dot_can_be_given():
    """Python's keywords have no dots, a mapping's keys do."""
    assert "p99.9 ≤ 1 s" == str(Limits.parse(**{"p99.9": "1s"}).budgets[0])


@pytest.mark.parametrize(
    ("arguments", "options", "complaint"),
    [
        ((), {"p95": 50}, 'p95=50 has no unit; write p95="50ms"'),
        ((), {"p95": 0.5}, 'p95=0.5 has no unit; write p95="500ms"'),
        ((), {"p95": 0.07}, 'p95=0.07 has no unit; write p95="70ms"'),
        ((), {"p95": 1.5}, 'p95=1.5 has no unit; write p95="1.5ms"'),
        ((), {"max_time": 0.5, "p95": "5ms"}, 'max_time=0.5 has no unit; write max_time="0.5s"'),
        ((), {"p95": -5}, 'p95=-5 is no duration; write a duration such as p95="50ms"'),
        ((), {"p95": float("nan")}, 'p95=nan is no duration; write a duration such as p95="50ms"'),
        ((), {"p95": True}, 'p95=True is no duration; write a duration such as p95="50ms"'),
        ((), {"p95": None}, 'p95=None is no duration; write a duration such as p95="50ms"'),
        ((), {"max_time": 5, "p95": "5ms"}, 'max_time=5 has no unit; write max_time="5s"'),
        ((), {"max_time": "long", "p95": "5ms"}, "max_time='long' is no duration; write a duration such as max_time=\"30s\""),
        ((), {"P95": "50ms"}, "latency_budget has no argument 'P95'; did you mean p95?"),
        ((), {"p_95": "50ms"}, "latency_budget has no argument 'p_95'; did you mean p95?"),
        ((), {"error": "1%"}, "latency_budget has no argument 'error'; did you mean errors?"),
        ((), {"maxtime": "1s"}, "latency_budget has no argument 'maxtime'; did you mean max_time?"),
        ((), {"p505": "1s"}, "latency_budget has no argument 'p505'; did you mean p50?"),
        ((), {"p00": "1s"}, f"latency_budget has no argument 'p00'; it takes {ALL}"),
        ((), {"warmth": "1s"}, f"latency_budget has no argument 'warmth'; it takes {ALL}"),
        ((), {"warmth": True}, f"latency_budget has no argument 'warmth'; it takes {ALL}"),
        ((), {"trough_put": "1/s"}, "latency_budget has no argument 'trough_put'; did you mean throughput?"),
        ((), {"rachet": True}, "latency_budget has no argument 'rachet'; did you mean ratchet?"),
        ((), {"p100": "1s"}, 'p100 is a limit for every call; write max="1s"'),
        ((), {"queries": 3}, "latency_budget has no argument 'queries'; a count is limited by a text: \"queries<=3\""),
        ((), {"slo": ""}, 'slo=\'\' is no name; write slo="checkout-latency" or slo="checkout/checkout-latency"'),
        ((), {"slo": 5}, 'slo=5 is no name; write slo="checkout-latency" or slo="checkout/checkout-latency"'),
        (("50ms",), {}, '\'50ms\' is no limit; write one such as p95="50ms", "99% under 300ms" or "queries<=3"'),
        ((50,), {}, 'latency_budget takes no bare 50; name what it limits, such as p95="50ms"'),
        (("max_time=5s",), {"p95": "1s"}, "'max_time=5s' is no limit; write it as an argument of its own, max_time=\"5s\""),
        (("queries>=3",), {}, "'queries>=3' limits nothing; write \"queries<=3\""),
        (("querys<=few",), {}, f"latency_budget has no argument 'querys'; it takes {ALL}"),
        (("95% under 1",), {}, "p95='1' has no unit; write p95=\"1ms\""),
        (("P95<=50ms",), {}, "latency_budget has no argument 'P95'; did you mean p95?"),
        (("P95<=50",), {}, "latency_budget has no argument 'P95'; did you mean p95?"),
        ((), {"of": " ", "p95": "1s"}, 'of=\' \' is no name; write of="search" or of="POST /checkout"'),
        (
            (),
            {"clock": "gpu", "p95": "1s"},
            "clock='gpu' is no clock; write clock=\"cpu\", or leave it out for the time on the wall",
        ),
        (
            (),
            {"clock": ["cpu"], "p95": "1s"},
            "clock=['cpu'] is no clock; write clock=\"cpu\", or leave it out for the time on the wall",
        ),
        ((), {"ratchet": "yes", "p95": "1s"}, "ratchet='yes' is neither True nor False; write ratchet=True"),
        (
            ("queries<=3",),
            {"ratchet": True},
            'ratchet=True compares what a budget has measured; write one as well, such as p95="50ms"',
        ),
        ((), {"throughput": 200}, 'throughput=200 has no unit; write throughput="200/s"'),
        (("p95<=50ms",), {"p95": "60ms"}, 'p95 is limited twice, by p95="50ms" and by p95="60ms"; keep one of them'),
        ((), {"p99_9": "1s", "p999": "1s"}, 'p99.9 is limited twice, by p99_9="1s" and by p99_9="1s"; keep one of them'),
        (("99% under 1s",), {"p99": "2s"}, 'p99 is limited twice, by p99="1s" and by p99="2s"; keep one of them'),
        (("errors<2%",), {"errors": "1%"}, 'errors is limited twice, by errors="2%" and by errors="1%"; keep one of them'),
        (("queries<=3", "queries<=4"), {}, 'queries is limited twice, by "queries<=3" and by "queries<=4"; keep one of them'),
        (
            (),
            {"p99": "50ms", "p95": "80ms"},
            'p99="50ms" is stricter than p95="80ms", which then says nothing; swap their limits',
        ),
        ((), {"p50": "1s", "max": "80ms"}, 'max="80ms" is stricter than p50="1s", which then says nothing; swap their limits'),
        (
            (),
            {"clock": "cpu", "throughput": "9/s"},
            'throughput= is counted by the wall clock; leave clock="cpu" out, or use a test of its own',
        ),
        ((), {"clock": "cpu", "slo": "fast"}, "slo='fast' is about the time that users wait; leave clock=\"cpu\" out"),
        ((), {}, 'latency_budget sets no limit; write p95="50ms" or slo="checkout-latency"'),
        ((), {"max_time": "5s"}, 'latency_budget sets no limit; write p95="50ms" or slo="checkout-latency"'),
    ],
)
def test_an_argument_that_is_not_understood_is_explained(arguments, options, complaint):
    """What was given, what is wrong with it, and what to write instead."""
    with pytest.raises(BudgetError) as error:
        Limits.parse(*arguments, **options)
    assert complaint == str(error.value)


NAMES = st.text(max_size=8) | st.sampled_from(ALL.split(", "))
VALUES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.lists(st.integers()) | WRITTEN


@given(st.lists(VALUES, max_size=2), st.dictionaries(NAMES, VALUES | st.sampled_from(["5ms", "1%", "9/s", "cpu"]), max_size=3))
def test_any_arguments_are_limits_or_an_error_of_ours(arguments, options):
    """A marker takes anything at all; we never raise a traceback for it."""
    try:
        limits = Limits.parse(*arguments, **options)
    except BudgetError:
        return
    assert limits.budgets or limits.slo or limits.counts


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
