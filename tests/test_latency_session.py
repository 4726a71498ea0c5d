"""Measuring a call, without pytest and without a real clock: time passes only when the call under test says so."""

from __future__ import annotations

import asyncio
import importlib
import pickle
import re
import sys
import time
from collections.abc import Callable
from contextlib import nullcontext, suppress
from decimal import Decimal
from functools import partial
from itertools import pairwise
from math import inf
from typing import Any

import pytest

from latency_world import World
from pytest_reliability import latency as package
from pytest_reliability.latency import Budget, BudgetError, BudgetExceeded, Limits, Verdict, count
from pytest_reliability.latency.host import Load
from pytest_reliability.latency.judge import Batch, sequential
from pytest_reliability.latency.measuring import MOST_WARM_UP, Measuring
from pytest_reliability.latency.message import explanation
from pytest_reliability.latency.once import Once
from pytest_reliability.latency.sampler import Sampler
from pytest_reliability.latency.session import Latency
from pytest_reliability.model.duration import Duration
from pytest_reliability.model.location import Location
from pytest_reliability.model.nodes import Slo
from pytest_reliability.report import Measurement

# Of steady calls the first is warm-up, a block that is the fastest so far, and two that are not.
WARM_UP = 1 + 5 + 5 + 5


def test_without_limits_nothing_is_judged():
    """A test that only borrows the fixture gets one call."""
    world = World(9.0)
    assert 1 == world.latency(Limits())(world.call)


def test_a_kept_budget_returns_the_last_result():
    """As many calls as it takes to know, and what they showed."""
    world = World(0.010)
    latency = world.latency(name="checkout", test="tests/test_shop.py::test_checkout")
    assert WARM_UP + 102 == latency(world.call) == world.made
    (measured,) = latency.measurements
    assert ("checkout", "tests/test_shop.py::test_checkout") == (measured.name, measured.test)
    assert ("p95 ≤ 50 ms", "pass", "none of 102 over") == (measured.budget, measured.outcome, measured.reason)
    assert (0.05, 0.95, 102, 0) == (measured.limit, measured.quantile, measured.n, measured.over)
    assert (pytest.approx(0.010), pytest.approx(0.010)) == (measured.low, measured.high)
    assert [] == world.rests


def test_arguments_reach_the_call():
    """As they would without the fixture."""
    given = set()
    World(0.001).latency()(lambda *args, **kwargs: given.add((args, *kwargs.items())), 1, 2, key=3)
    assert {((1, 2), ("key", 3))} == given


def test_a_broken_budget_is_an_assertion_that_failed():
    """Budget, interval, count, confirmation, distribution, the host and a profile, in the words of the specification."""
    world = World(*[0.06, 0.07, 0.08, 0.09] * 100)
    latency = world.latency(name="checkout")
    with pytest.raises(AssertionError) as caught:
        latency(world.call)
    assert isinstance(caught.value, BudgetExceeded)
    (measured,) = caught.value.measurements
    assert [measured] == latency.measurements
    headline, first, second, third, *profile = str(caught.value).splitlines()
    assert f"p95 ≤ 50 ms: {measured.n} of {measured.n} over" == headline
    assert first.startswith("checkout  p95 ≤ 50 ms   FAIL   p95 ")
    assert re.search(r" 90\.0\]? ms   20 of 20 over \(\d+ would do\), confirmed in ", first)
    assert re.match(r" {10}60\.0 ms ┊█ +█ +█ +█ 90\.0 ms {6}host quiet: 0% preempted, ", second)
    assert re.match(r" {10}\d+ warm-up calls left out, lag-1 autocorrelation ", third)
    assert list(measured.profile) == [line.strip() for line in profile]


def fails_at_once(budget: Budget, seconds: float):
    """A rule that fails whatever it sees, once it has seen twenty calls."""
    samples = tuple((yield 20))
    batch = Batch(samples=samples, over=20, fails_at=1, passes_at=-1, complete=True, took=sum(samples))
    return Verdict(budget=budget, outcome="fail", reason="slow", batches=(batch,))


def profiled(world: World, calls: list[float]) -> Any:
    """A call that takes as long as those in `calls` once it is profiled, and is seen there."""

    def call() -> None:
        if sys.getprofile() is None:
            world.call()
        else:
            time.sleep(0.01)
            world.now += calls.pop(0)

    return call


def test_the_profile_is_of_one_more_call():
    """No call that was measured is slowed down by it."""
    world = World(0.100)
    calls = [0.090, 0.100]
    latency = world.latency(judge=fails_at_once)
    with pytest.raises(BudgetExceeded):
        latency(profiled(world, calls))
    assert (WARM_UP + 20, [0.100]) == (world.made, calls)
    assert " call (time.sleep)" in latency.measurements[0].profile[0]


def test_the_profile_is_of_a_call_that_is_slow():
    """A quick one says nothing about the others, and is made again."""
    world = World(0.100)
    calls = [0.001, 0.049, 0.051, 0.100]
    latency = world.latency(judge=fails_at_once)
    with pytest.raises(BudgetExceeded):
        latency(profiled(world, calls))
    assert ([0.100], True) == (calls, bool(latency.measurements[0].profile))


def test_nothing_is_told_where_no_profiled_call_is_slow():
    """It would point at the wrong place."""
    world = World(0.100)
    calls = [0.001] * 5
    latency = world.latency(judge=fails_at_once)
    with pytest.raises(BudgetExceeded):
        latency(profiled(world, calls))
    assert ([], ()) == (calls, latency.measurements[0].profile)


def test_calls_that_raise_are_not_profiled():
    """They break the budget, and not because they take long."""
    world = World(*[0.010, inf] * 500)
    calls = [0.100]
    latency = world.latency(Limits.parse(p95="50ms", errors="90%"))
    with pytest.raises(BudgetExceeded):
        latency(profiled(world, calls))
    assert [("fail", ()), ("pass", ())] == [(measured.outcome, measured.profile) for measured in latency.measurements]
    assert [0.100] == calls


def test_calls_that_are_slow_beside_some_that_raise_are_profiled():
    """Where the quantile itself is an error, a slow call is one that takes about the limit."""
    world = World(*[0.100, inf] * 500)
    calls = [0.024, 0.026]
    latency = world.latency(Limits.parse(p95="50ms", errors="90%"))
    with pytest.raises(BudgetExceeded):
        latency(profiled(world, calls))
    assert ([], None) == (calls, latency.measurements[0].low)
    assert latency.measurements[0].profile


def test_a_failure_reads_well_in_pytests_summary():
    """It is called by its name alone, and it can be carried to another process all the same."""
    world = World(0.100)
    with pytest.raises(BudgetExceeded) as caught:
        world.latency()(world.call)
    assert caught.exconly().startswith("BudgetExceeded: p95 ≤ 50 ms: ")
    assert caught.value.measurements == pickle.loads(pickle.dumps(caught.value)).measurements


def test_a_failure_is_confirmed_after_a_rest_as_long_as_the_batch():
    """What slowed the first batch down may still be there a moment later."""

    def twice(budget: Budget, seconds: float):
        first = yield 20
        yield 0
        fresh = yield 20
        return Verdict(budget=budget, outcome="pass", reason=f"{len(first)} and {len(fresh)}", batches=())

    world = World(0.100)
    world.latency(judge=twice)(world.call)
    (rest,) = world.rests
    assert 20 * 0.100 <= rest


def test_several_limits_share_their_samples():
    """The strictest takes the most calls; the others are judged on the first of them."""
    world = World(0.010)
    latency = world.latency(Limits.parse(p99="50ms", p95="50ms", p50="20ms"))
    latency(world.call)
    assert [("p99 ≤ 50 ms", "pass"), ("p95 ≤ 50 ms", "pass"), ("p50 ≤ 20 ms", "pass")] == [
        (m.budget, m.outcome) for m in latency.measurements
    ]
    most, some, few = (measured.n for measured in latency.measurements)
    assert WARM_UP + most == world.made
    assert most > some > few


def test_each_limit_has_its_own_verdict():
    """One that fails does not hide the others, and the failure names only what failed."""
    world = World(0.040)
    latency = world.latency(Limits.parse(p95="50ms", p50="30ms"))
    with pytest.raises(BudgetExceeded) as caught:
        latency(world.call)
    assert ["pass", "fail"] == [measured.outcome for measured in latency.measurements]
    assert ["p50 ≤ 30 ms"] == [measured.budget for measured in caught.value.measurements]


def test_a_fresh_batch_is_fresh_for_every_limit():
    """The second fails on recorded calls; what confirms it was called after its own rest, as long as the recording took."""

    def twice(budget: Budget, seconds: float):
        first = yield 10
        yield 0
        fresh = yield 10
        return Verdict(budget=budget, outcome="pass", reason=f"{first[0]:.3f} then {fresh[0]:.3f}", batches=())

    world = World(*[0.060] * (WARM_UP + 10), *[0.050] * 10, then=0.010)
    latency = world.latency(Limits.parse(p95="50ms", p90="50ms"), judge=twice)
    latency(world.call)
    assert ["0.060 then 0.050", "0.060 then 0.010"] == [measured.reason for measured in latency.measurements]
    first, second = world.rests
    assert second > first


# --- errors


@pytest.mark.parametrize("error", [ValueError("no"), StopIteration(5), AssertionError("wrong")])
def test_an_exception_is_the_tests_failure(error):
    """Without a budget for errors the first one ends the test, as it would without the fixture."""

    def call():
        raise error

    latency = World(0.0).latency()
    with pytest.raises(type(error)) as caught:
        latency(call)
    assert (error, []) == (caught.value, latency.measurements)


def test_errors_count_as_over_where_they_have_a_budget():
    """A fast error is no success: both budgets fail, and the last error is the cause."""
    world = World(*[0.001, 0.001, 0.001, inf] * 50)
    latency = world.latency(Limits.parse(p95="50ms", errors="1%"))
    with pytest.raises(BudgetExceeded) as caught:
        latency(world.call)
    late, raised = latency.measurements
    assert ("fail", "errors ≤ 1%", "fail") == (late.outcome, raised.budget, raised.outcome)
    assert re.match(r"(\d+) of \d+ over, \1 of them raised \(", late.reason)
    assert (0.0, None, None, ()) == (raised.limit, raised.low, raised.high, raised.bins)
    assert isinstance(caught.value.__cause__, ValueError)


def test_rare_errors_are_within_their_budget():
    """One error in a thousand calls passes 1%, and the result is that of the last call that returned."""
    world = World(*[0.001] * 500, inf, then=0.001)
    latency = world.latency(Limits.parse(errors="1%"))
    assert latency(world.call) == world.made
    (measured,) = latency.measurements
    assert ("pass", 1) == (measured.outcome, measured.over)


def test_when_no_call_returns_the_error_is_raised():
    """Too few calls to fail the budget, but nothing to go on with either."""
    world = World(0.001)

    def fails():
        world.now += 1.0
        raise OSError("refused")

    latency = world.latency(Limits.parse(errors="1%", max_time="5s"))
    with pytest.raises(OSError, match="refused"):
        latency(fails)
    assert ["inconclusive"] == [measured.outcome for measured in latency.measurements]


# --- limits of time, host and trust


def test_time_ends_a_measurement_that_decides_nothing():
    """Slow calls: as many as fit, and the claim that they prove."""
    world = World(1.0)
    latency = world.latency(Limits.parse(p95="2s", max_time="10s"))
    latency(world.call)
    (measured,) = latency.measurements
    assert ("inconclusive", 10) == (measured.outcome, measured.n)
    assert (
        "none of 10 over, too few to tell: n=10 proves p74.1 ≤ 2 s, a pass needs at least 102 (max_time of 10 s is over)"
        == measured.reason
    )


def test_samples_that_were_preempted_are_set_aside():
    """Every fifth call is slow because something else took the processor: the budget is kept all the same."""
    world = World(*[0.010] * WARM_UP, *[0.010, 0.010, 0.010, 0.010, -0.300] * 100)
    latency = world.latency()
    latency(world.call)
    (measured,) = latency.measurements
    assert ("pass", 102, 0) == (measured.outcome, measured.n, measured.over)
    assert measured.evidence[0].startswith("host busy: 19.7% preempted")


def test_a_host_that_preempts_most_calls_cannot_judge():
    """What is left would be a choice, not a sample."""
    world = World(*[0.010] * WARM_UP, *[0.010, -0.300, -0.300] * 100)
    latency = world.latency()
    latency(world.call)
    (measured,) = latency.measurements
    assert "inconclusive" == measured.outcome
    assert "the host is too busy to judge: 66.7% of 30 samples preempted" == measured.reason


def test_a_busy_host_does_not_undo_what_was_decided():
    """A verdict that fell before the host became busy stands."""
    world = World(*[0.010] * (WARM_UP + 102), *[-0.100] * 500)
    latency = world.latency(Limits.parse(p95="50ms", p99="50ms"))
    latency(world.call)
    assert [("pass", 102), ("inconclusive", 102)] == [(measured.outcome, measured.n) for measured in latency.measurements]
    assert latency.measurements[1].reason.startswith("the host is too busy to judge: 50.")


def test_where_preemption_is_not_counted_the_evidence_says_so():
    """The guard is off, and nobody should think otherwise."""
    world = World(0.010)
    latency = world.latency(preemptions=None)
    latency(world.call)
    assert "preemption not counted here, so not guarded" in latency.measurements[0].evidence[0]


def test_a_failure_in_doubt_is_inconclusive():
    """Beside other workers, for instance: nothing is dropped, and the reason says why it does not fail."""
    world = World(0.100)
    latency = world.latency(doubt="2 workers share this host")
    assert latency(world.call) == world.made
    (measured,) = latency.measurements
    assert ("inconclusive", ()) == (measured.outcome, measured.profile)
    assert "confirmed" in measured.reason
    assert measured.reason.endswith(", but 2 workers share this host")


def test_a_failure_on_a_busy_host_is_inconclusive():
    """No cry of wolf where others who share the processor may be why: the evidence says so."""
    world = World(0.070)
    world.busy = True
    latency = world.latency()
    latency(world.call)
    (measured,) = latency.measurements
    assert "inconclusive" == measured.outcome
    assert re.search(r"confirmed in .*, but host busy: 0% preempted, 100% pressure", measured.reason)


def test_a_busy_host_is_no_excuse_for_what_it_does_not_explain():
    """Calls that take twice the limit while they run are slow of their own; the gate must not be open on each shared machine."""
    world = World(0.100)
    world.busy = True
    with pytest.raises(BudgetExceeded, match="host busy: 0% preempted, 100% pressure"):
        world.latency()(world.call)


def counters(**shares: float) -> Callable[[float], Load]:
    """What a host counts on which, from the first reading on, that share of the time is lost."""
    begun: list[float] = []

    def now(at: float) -> Load:
        begun.append(at)
        passed = {name: share * (at - begun[0]) for name, share in shares.items()}
        return Load(at, None, passed.pop("stolen", None), passed.pop("wanted", at - begun[0]), **passed)

    return now


@pytest.mark.parametrize(
    ("shares", "times", "outcome"),
    [
        ({"stolen": 0.03}, (0.100,), "fail"),  # the host lets a sample in thirty wait, and all are slow
        ({"stolen": 0.30}, (0.060,), "inconclusive"),  # a third of each sample may have been somebody else's
        ({"stolen": 0.30}, (0.100,), "inconclusive"),  # and the rest of it was slower, because others shared the caches
        ({"stolen": 0.30}, (0.110,), "fail"),
        ({"stolen": 0.06, "wanted": 0.08}, (0.150,), "fail"),  # most of what was wanted, but calls only waited
        ({"stolen": 0.50}, (0.010, 0.500), "inconclusive"),  # as many samples as were stolen from are over, and by much
        ({"stolen": 0.03}, (0.010, 0.500), "fail"),
        ({"delayed": 0.9}, (0.300,), "inconclusive"),
    ],
)
def test_a_failure_stands_that_lost_time_does_not_explain(shares, times, outcome):
    """Neither by having hit as many calls as are over, nor by having hit each a little."""
    world = World(*times * 1000)
    load = counters(**shares)
    latency = world.latency(load=lambda: load(world.now))
    with suppress(BudgetExceeded):
        latency(world.call)
    assert [outcome] == [measured.outcome for measured in latency.measurements]


def test_a_throughput_is_excused_in_proportion_to_what_was_lost():
    """Half as many calls a second as wanted are not explained by a tenth of the time."""
    for share, outcome in ((0.1, "fail"), (0.6, "inconclusive")):
        world, load = World(0.010), counters(stolen=share)
        latency = world.latency(Limits.parse(throughput="200/s"), load=partial(lambda world, load: load(world.now), world, load))
        with suppress(BudgetExceeded):
            latency(world.call)
        assert [outcome] == [measured.outcome for measured in latency.measurements]


@pytest.mark.parametrize(
    ("error", "outcome"),
    [(ConnectionError, "fail"), (TimeoutError, "inconclusive"), (type("ReadTimeout", (OSError,), {}), "inconclusive")],
)
def test_a_busy_host_makes_nothing_raise_but_what_waits(error, outcome):
    """Where one call in five fails, the machine's neighbours are not why, unless somebody lost patience."""
    world, load = World(0.010), counters(stolen=0.3)

    def call() -> None:
        if world.call() % 5 == 0:
            raise error

    latency = world.latency(Limits.parse(errors="1%"), load=lambda: load(world.now))
    with suppress(BudgetExceeded):
        latency(call)
    assert [outcome] == [measured.outcome for measured in latency.measurements]


def test_measuring_is_exclusive_where_that_is_asked_for():
    """Of several workers on one host, only one measures; what is measured once in a test needs it once."""
    inside: list[bool] = []
    within = [False]

    class Turn(nullcontext[None]):
        def __enter__(self) -> None:
            within[0] = True

        def __exit__(self, *_: object) -> None:
            within[0] = False

    world = World(0.010)
    world.latency(exclusive=Turn())(lambda: inside.append(within[0]) or world.call())
    assert ({True}, [False]) == (set(inside), within)


def test_doubt_does_not_touch_what_passes():
    """A slow neighbour cannot make code look fast."""
    world = World(0.010)
    latency = world.latency(doubt="2 workers share this host")
    latency(world.call)
    assert ["pass"] == [measured.outcome for measured in latency.measurements]


# --- warming up


def test_calls_that_grow_faster_are_warm_up():
    """A slow start is not judged as if it went on, and what was left out is said."""
    world = World(0.9, *[0.2] * 5, *[0.1] * 5, 0.010)
    latency = world.latency()
    latency(world.call)
    (measured,) = latency.measurements
    assert ("pass", 0) == (measured.outcome, measured.over)
    assert "26 warm-up calls left out" in measured.evidence


def test_warming_up_ends_after_so_many_calls():
    """A call that grows ever faster is judged some time."""
    world = World(*(1.0 / (call + 20) for call in range(3000)))
    latency = world.latency(Limits.parse(p95="1s"))
    latency(world.call)
    left_out = next(int(text.split()[0]) for text in latency.measurements[0].evidence if "warm-up" in text)
    assert MOST_WARM_UP - 5 < left_out <= MOST_WARM_UP


def test_warming_up_ends_after_a_tenth_of_the_time():
    """A first call that takes long leaves most of the time for measuring."""
    world = World(3.5, then=0.010)
    latency = world.latency()
    latency(world.call)
    assert "1 warm-up call left out" in latency.measurements[0].evidence


# --- SLOs, names, rules


def test_an_slo_is_judged_beside_the_limits():
    """Its promise is one more budget, named after it."""
    at = Location("slo.yaml")
    slo = Slo(
        at=at, objective_at=at, name="fast", service="shop", dialect="x", objective=Decimal("0.9"), latency=Duration.parse("20ms")
    )
    asked: list[str] = []
    world = World(0.010)
    latency = world.latency(Limits.parse(p50="1s", slo="fast"), resolve_slo=lambda name: asked.append(name) or slo)
    latency(world.call)
    latency(world.call)
    assert (["fast"], [None, "shop/fast"]) == (asked, [measured.slo for measured in latency.measurements[:2]])
    assert "p90 ≤ 20 ms (slo shop/fast)   pass" in explanation(latency.measurements[1])


@pytest.mark.parametrize("resolve", [None, lambda name: None])
def test_an_slo_that_is_not_there_is_an_error(resolve):
    """Nothing is called before what it should keep is known."""
    world = World(0.010)
    latency = world.latency(Limits.parse(slo="fast"), resolve_slo=resolve)
    for asked in (lambda: latency.budgets, lambda: latency(world.call)):
        with pytest.raises(BudgetError, match="slo='fast' names no SLO of this repository"):
            asked()
    assert 0 == world.made


def test_measurements_are_named_after_the_test_or_the_function():
    """And numbered where one test measures twice."""
    world = World(0.001)
    named, unnamed = world.latency(name="search"), world.latency()
    for latency in (named, unnamed):
        latency(world.call)
        latency(world.call)
        latency(partial(world.call, 1))
    assert ["search", "search #2", "search #3"] == [measured.name for measured in named.measurements]
    first, second, third = (measured.name for measured in unnamed.measurements)
    assert ("World.call", "World.call #2", True) == (first, second, third.startswith("functools.partial("))


def test_another_rule_can_judge():
    """The session runs whatever generator it is given."""

    def first_three(budget: Budget, seconds: float):
        samples = yield 3
        return Verdict(budget=budget, outcome="pass", reason=f"{len(samples)} calls, {seconds:g} s", batches=())

    world = World(9.0)
    latency = world.latency(judge=first_three)
    latency(world.call)
    assert ["3 calls, 30 s"] == [measured.reason for measured in latency.measurements]


# --- asynchronous calls


def test_a_coroutine_is_awaited_in_the_running_loop():
    """In the loop that the test runs in, with the same verdict."""
    world = World(0.010)
    latency = world.latency()
    assert WARM_UP + 102 == asyncio.run(latency.run(world.answer, 1, key=2))
    assert ["pass"] == [measured.outcome for measured in latency.measurements]


def test_the_loop_goes_on_while_a_coroutine_rests(monkeypatch):
    """A server in the same loop must not stand still."""
    world = World(0.100)
    naps: list[float] = []

    async def nap(seconds: float) -> None:
        naps.append(seconds)

    monkeypatch.setattr(asyncio, "sleep", nap)
    with pytest.raises(BudgetExceeded):
        asyncio.run(world.latency().run(world.answer))
    assert (True, []) == (all(nap > 0 for nap in naps), world.rests)


@pytest.mark.parametrize("anyio", [None, "imported"])
def test_outside_asyncio_a_coroutine_rests_all_the_same(monkeypatch, anyio):
    """Another library's loop: it is held up for the rest, which is better than none."""
    monkeypatch.setitem(sys.modules, "anyio", anyio and importlib.import_module("anyio"))
    world = World(0.100)
    coroutine = world.latency().run(world.answer)
    with pytest.raises(BudgetExceeded):
        coroutine.send(None)
    assert world.rests


def test_errors_of_a_coroutine_count_too():
    """As over where they have a budget, as the test's failure where not."""
    world = World(inf)
    with pytest.raises(ValueError, match="call 1"):
        asyncio.run(world.latency().run(world.answer))
    latency = world.latency(Limits.parse(errors="1%"))
    with pytest.raises(BudgetExceeded):
        asyncio.run(_without_naps(latency.run(world.answer)))


async def _without_naps(coroutine: Any) -> Any:
    original, asyncio.sleep = asyncio.sleep, _no_nap
    try:
        return await coroutine
    finally:
        asyncio.sleep = original


async def _no_nap(seconds: float) -> None:
    """Do not wait."""


@pytest.mark.parametrize("make", [Once, lambda: World(0.010).latency()])
def test_a_coroutine_that_nobody_awaits_is_refused(make):
    """Making a coroutine takes no time at all: the budget would always be kept."""
    with pytest.raises(TypeError, match=r"World\.answer is asynchronous; write: await latency\.run"):
        make()(World(0.010).answer)


def test_a_coroutine_in_disguise_is_refused():
    """Where the function does not say that it is asynchronous, its first result does."""
    world = World(0.010)
    with pytest.raises(TypeError, match=r"World\.answer is asynchronous; write: await latency\.run"):
        world.latency()(lambda: world.answer())


def test_a_generator_is_refused():
    """Calling it takes no time either."""

    def rows():
        yield 1

    with pytest.raises(TypeError, match=r"rows is a generator, and calling it takes no time"):
        World(0.010).latency()(rows)


# --- Processor time


def test_processor_time_is_measured_by_its_own_clock():
    """A call that waits takes none; nobody need guard it, and a busy host is no matter."""
    world = World(0.100)
    world.busy = True
    used = [0.0]

    def call() -> int:
        used[0] += 0.060
        return world.call()

    latency = world.latency(Limits.parse(p95="50ms", clock="cpu"), cpu_clock=lambda: used[0])
    with pytest.raises(BudgetExceeded):
        latency(call)
    (measured,) = latency.measurements
    assert ("CPU time", pytest.approx(0.060)) == (measured.evidence[0], measured.low)


def test_processor_time_of_a_load_is_refused():
    """Callers wait for each other there, which takes no processor time."""
    latency = World(0.010).latency(Limits.parse(p95="50ms", clock="cpu"))
    with pytest.raises(BudgetError, match='clock="cpu" tells nothing of callers that wait'):
        latency.load(rate="10/s")(print)


# --- Counts


def test_a_count_is_judged_after_one_call_that_is_left_out():
    """The first call fills caches; of the next five each must keep it."""
    world = World(0.010)

    def call() -> int:
        count("rows_read", 9 if world.made == 0 else 2)
        return world.call()

    latency = world.latency(Limits.parse("rows_read<=2"), name="test_x")
    assert 6 == latency(call)
    (measured,) = latency.measurements
    assert ("test_x", "rows_read ≤ 2", "count", "pass", 5) == (
        measured.name, measured.budget, measured.kind, measured.outcome, measured.n,
    )  # fmt: skip


def test_a_broken_count_fails_beside_a_kept_latency():
    """What takes too many queries need not be slow."""
    world = World(0.010)

    async def call() -> int:
        count("rows_read", 3)
        return world.call()

    latency = world.latency(Limits.parse("rows_read<=2", p95="50ms", errors="10%"))
    with pytest.raises(BudgetExceeded, match="rows_read ≤ 2: 3 in each of 5 calls: at most 2"):
        asyncio.run(latency.run(call))
    assert ["count", "latency", "errors"] == [measured.kind for measured in latency.measurements]
    assert ["fail", "pass", "pass"] == [measured.outcome for measured in latency.measurements]
    assert () == latency.measurements[0].profile


def test_errors_of_calls_that_are_counted_are_within_their_budget():
    """The last result is that of a call that returned."""
    world = World(0.010)

    async def call() -> int:
        count("rows_read", 1)
        if world.call() == 3:
            raise OSError
        return world.made

    latency = world.latency(Limits.parse("rows_read<=2", errors="10%"))
    assert asyncio.run(latency.run(call)) == world.made
    assert ["pass", "pass"] == [measured.outcome for measured in latency.measurements]


def test_a_source_that_has_no_more_needs_no_other_reason():
    """Where neither time nor the host is what ended it."""
    world = World(0.010)
    measuring = Measuring(
        (Budget.parse("p95=50ms"),),
        Sampler(world.call),
        judge=sequential,
        max_time=30.0,
        clock=world.clock,
        load=world.load,
        warms_up=False,
    )
    assert measuring.begin() is not None
    assert measuring.go_on([]) is None
    assert ["there are no samples"] == [finding.verdict.reason for finding in measuring.findings]


# --- Setup


def test_a_setup_is_not_measured():
    """It may take as long as it likes."""
    world = World(0.010)

    def setup() -> str:
        world.now += 0.5
        return "cart"

    latency = world.latency(Limits.parse(p95="50ms", max_time="600s"))
    assert world.made - 1 < latency.prepared(setup)(world.call)
    assert ["pass"] == [measured.outcome for measured in latency.measurements]


def test_a_setup_may_be_awaited():
    """Before a call that is."""
    world = World(0.010)
    given: list[Any] = []

    async def setup() -> str:
        return "cart"

    async def call(cart: str, tip: int) -> None:
        given.append((cart, tip))
        world.call()

    latency = world.latency()
    asyncio.run(latency.prepared(setup).run(call, 5))
    assert (["pass"], {("cart", 5)}) == ([measured.outcome for measured in latency.measurements], set(given))


# --- Loads, cold starts, results


def test_a_load_is_judged_as_a_whole():
    """Calls at a rate, in real threads; its samples come a hundred at a time."""
    latency = Latency(Limits.parse(p90="5s"), name="test_x")
    latency.load(rate="1000/s", duration="0.1s", concurrency=4)(time.perf_counter)
    (measured,) = latency.measurements
    assert ("pass", "test_x") == (measured.outcome, measured.name)
    assert measured.n >= 40


def test_a_load_of_coroutines_is_judged_in_their_loop():
    """As one of functions is."""

    async def answer() -> None:
        await asyncio.sleep(0)

    latency = Latency(Limits.parse(p90="5s"))
    asyncio.run(latency.load(rate="1000/s", duration="0.1s", concurrency=4).run(answer))
    assert ["pass"] == [measured.outcome for measured in latency.measurements]


def test_a_load_without_limits_is_one_call():
    """There is nothing to judge."""
    made: list[int] = []
    assert None is World(0.01).latency(Limits()).load(rate="10/s")(made.append, 1)
    assert [1] == made


@pytest.mark.parametrize("duration", ["soon", 5, "0s"])
def test_a_load_must_last(duration):
    """A duration is a text with a unit."""
    with pytest.raises(BudgetError, match='is no duration; write duration="5s"'):
        World(0.01).latency().load(rate="10/s", duration=duration)


def test_a_cold_start_is_a_fresh_process_each_time():
    """Judged as calls are; here too few fit into the time."""
    latency = Latency(Limits.parse(p50="20s", max_time="200ms"), name="test_x")
    latency.cold(["true"])
    (measured,) = latency.measurements
    assert ("test_x", "p50 ≤ 20 s", True) == (measured.name, measured.budget, measured.n > 0)


def test_a_cold_start_without_limits_must_succeed():
    """It is started once."""
    Latency(None).cold(["true"])
    with pytest.raises(Exception, match="false"):
        Latency(None).cold(["false"])


# --- What else is kept


def test_samples_are_kept_for_comparison_with_other_runs():
    """With the worst outcome of their budgets."""
    world = World(0.040)
    latency = world.latency(Limits.parse(p95="50ms", p50="30ms", ratchet=True), name="test_x")
    with pytest.raises(BudgetExceeded):
        latency(world.call)
    (sampled,) = latency.sampled
    assert ("test_x", "", "fail", True) == (sampled.name, sampled.operation, sampled.outcome, sampled.ratchet)
    assert {0.040} == {round(sample, 6) for sample in sampled.samples}


def test_progress_is_told_after_a_second_and_not_too_often():
    """Between calls, never while one is timed."""
    world = World(0.050)
    told: list[Any] = []
    latency = world.latency(Limits.parse(p99="80ms"), name="test_x", progress=lambda p: told.append((world.now, p)))
    latency(world.call)
    times = [at for at, _ in told]
    assert ("test_x", "p99 ≤ 80 ms") == (told[0][1].name, told[0][1].budget)
    assert 1001.0 <= times[0] < 1001.5
    assert all(0.2 <= later - earlier < 0.6 for earlier, later in pairwise(times))
    assert sorted(p.n for _, p in told) == [p.n for _, p in told]


def test_the_package_gives_what_it_promises():
    """Every public name, imported when it is asked for; `judge` is the function, and nothing else is there."""
    assert all(callable(getattr(package, name)) or name == "Design" for name in package.__all__)
    assert "pass" == package.judge([0.001] * 200, Budget.parse("p95=50ms")).outcome
    with pytest.raises(AttributeError, match="has no attribute 'judges'"):
        _ = package.judges


def test_a_cold_start_cannot_be_counted():
    """It happens in another process than the one that counts."""
    latency = Latency(Limits.parse("queries<=3", p95="5s"))
    with pytest.raises(BudgetError, match='"queries<=3" is counted in this process, and a cold start is another'):
        latency.cold(["true"])
    assert [] == latency.measurements


def counted_calls(seconds: float) -> tuple[int, Measurement]:
    """How many calls of so many seconds each are made for a budget of a count within 10 s, and what is said of it."""
    world = World(seconds)
    latency = world.latency(Limits.parse("rows_read<=2", max_time="10s"))
    latency(lambda: count("rows_read", world.call() and 1))
    (measured,) = latency.measurements
    return world.made, measured


@pytest.mark.parametrize(
    ("seconds", "calls", "outcome", "reason"),
    [
        (1.0, 6, "pass", "1 in each of 5 calls (rows_read from count())"),
        (4.0, 3, "pass", "1 in each of 2 calls (rows_read from count())"),
        (20.0, 1, "inconclusive", "no call was counted (max_time of 10 s is over)"),
    ],
)
def test_counting_takes_no_longer_than_measuring_may(seconds, calls, outcome, reason):
    """Counts are exact, so that fewer calls will do; the first one is left out all the same."""
    made, measured = counted_calls(seconds)
    assert (calls, outcome, reason) == (made, measured.outcome, measured.reason)
