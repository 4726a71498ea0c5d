"""Measuring a call, without pytest and without a real clock: time passes only when the call under test says so."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterator
from decimal import Decimal
from functools import partial
from itertools import chain, repeat
from math import inf
from typing import Any

import pytest

from pytest_reliability.latency import Budget, BudgetError, BudgetExceeded, Latency, Limits, Verdict
from pytest_reliability.latency.measuring import MOST_WARM_UP, resting_time
from pytest_reliability.latency.message import bounds, drawing, explanation, percent, spoken
from pytest_reliability.latency.sampler import LONG_RUN, MOST_IN_RUN, SHORT_RUN, Sampler
from pytest_reliability.model.duration import Duration
from pytest_reliability.model.location import Location
from pytest_reliability.model.nodes import Slo
from pytest_reliability.report import Measurement


class World:
    """A clock that only moves when a call or a rest takes time, and a thread that is preempted when a call says so.

    `calls` are what the calls take in seconds, negative where the thread was preempted meanwhile; the last one for ever.
    """

    def __init__(self, *calls: float, then: float | None = None) -> None:
        self.now = 1000.0
        self.preempted = 0
        self.made = 0
        self.rests: list[float] = []
        self._calls: Iterator[float] = chain(calls, repeat(then if then is not None else calls[-1]))

    def clock(self) -> float:
        """The time."""
        return self.now

    def sleep(self, seconds: float) -> None:
        """Let time pass."""
        self.rests.append(seconds)
        self.now += seconds

    def preemptions(self) -> int:
        """How often the thread was preempted."""
        return self.preempted

    def call(self, *args: Any, **kwargs: Any) -> int:
        """What is measured: returns how often it was called; raises where it takes infinitely long."""
        self.made += 1
        seconds = next(self._calls)
        if seconds == inf:
            raise ValueError(f"call {self.made}")
        self.now += abs(seconds)
        self.preempted += seconds < 0
        return self.made

    async def answer(self, *args: Any, **kwargs: Any) -> int:
        """The same, awaited."""
        return self.call(*args, **kwargs)

    def latency(self, limits: Limits | None = None, **options: Any) -> Latency:
        """A session in this world, with p95 at most 50 ms unless said otherwise."""
        options = {"clock": self.clock, "sleep": self.sleep, "preemptions": self.preemptions, **options}
        return Latency(Limits.parse(p95="50ms") if limits is None else limits, **options)


# The first two calls are warm-up: the second is no faster than the first.
WARM_UP = 2


def test_mode_once_calls_once_and_judges_nothing():
    """Laptops stay fast: one call, its arguments and its result, and the SLO is not even looked up."""
    given: list[Any] = []
    latency = World(9.0).latency(Limits.parse(slo="nowhere"), mode="once")
    assert "result" == latency(lambda *args, **kwargs: given.append((args, kwargs)) or "result", 1, key=2)
    assert ([((1,), {"key": 2})], []) == (given, latency.measurements)


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
    """Budget, interval, count, confirmation, distribution, and the host, in the words of the specification."""
    world = World(*[0.06, 0.07, 0.08, 0.09] * 50)
    latency = world.latency(name="checkout")
    with pytest.raises(AssertionError) as caught:
        latency(world.call)
    assert isinstance(caught.value, BudgetExceeded)
    (measured,) = caught.value.measurements
    assert [measured] == latency.measurements
    first, second, third = str(caught.value).splitlines()
    assert "checkout  p95 ≤ 50 ms   FAIL   p95 ≥ 90.0 ms   20 of 20 over (6 would do), confirmed in a fresh batch of 20" == first
    assert re.match(r" {10}60\.0 ms ┊█ +█ +█ +█ 90\.0 ms {6}host (quiet|busy): 0% preempted, ", second)
    assert third.startswith("          2 warm-up calls left out, lag-1 autocorrelation ")


def test_a_failure_is_confirmed_after_a_rest_as_long_as_the_batch():
    """What slowed the first batch down may still be there a moment later."""
    world = World(0.100)
    with pytest.raises(BudgetExceeded):
        world.latency()(world.call)
    assert [pytest.approx(2 * 22 * 0.100)] == world.rests


@pytest.mark.parametrize(("took", "rest"), [(0.0, 0.25), (0.1, 0.25), (2.0, 4.0), (60.0, 10.0)])
def test_rests_are_bounded(took, rest):
    """Never less than a quarter of a second, never more than ten."""
    assert rest == resting_time(took)


def test_several_limits_share_their_samples():
    """p99 takes 750 calls; p95 and p50 are judged on the first of them."""
    world = World(0.010)
    latency = world.latency(Limits.parse(p99="50ms", p95="50ms", p50="20ms"))
    latency(world.call)
    assert WARM_UP + 750 == world.made
    assert [("p99 ≤ 50 ms", 750), ("p95 ≤ 50 ms", 102), ("p50 ≤ 20 ms", 20)] == [(m.budget, m.n) for m in latency.measurements]


def test_each_limit_has_its_own_verdict():
    """One that fails does not hide the others, and the failure names only what failed."""
    world = World(0.040)
    latency = world.latency(Limits.parse(p95="50ms", p50="30ms"))
    with pytest.raises(BudgetExceeded) as caught:
        latency(world.call)
    assert ["pass", "fail"] == [measured.outcome for measured in latency.measurements]
    assert ["p50 ≤ 30 ms"] == [measured.budget for measured in caught.value.measurements]


def test_a_fresh_batch_is_fresh_for_every_limit():
    """p90 fails on recorded calls; what confirms it was called after its own rest, as long as the recording took."""
    world = World(*[0.060] * (WARM_UP + 40), then=0.010)
    latency = world.latency(Limits.parse(p95="50ms", p90="50ms"))
    with pytest.raises(BudgetExceeded):
        latency(world.call)
    assert ["fail", "inconclusive"] == [measured.outcome for measured in latency.measurements]
    assert "20 of 20 over" in latency.measurements[1].reason
    assert "but none of" in latency.measurements[1].reason
    assert 2 == len(world.rests)
    assert world.rests[1] > world.rests[0] > 0.25


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
    assert "8 of 30 over, 8 of them raised (7 would do)" in late.reason
    assert (0.0, None, None, ()) == (raised.limit, raised.low, raised.high, raised.bins)
    assert isinstance(caught.value.__cause__, ValueError)


def test_rare_errors_are_within_their_budget():
    """One error in a thousand calls passes 1%, and the result is that of the last call that returned."""
    world = World(*[0.001] * 700, inf, then=0.001)
    latency = world.latency(Limits.parse(errors="1%"))
    assert latency(world.call) == world.made == WARM_UP + 750
    assert [("pass", 1)] == [(measured.outcome, measured.over) for measured in latency.measurements]


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
    world = World(0.010, 0.010, *[0.010, 0.010, 0.010, 0.010, -0.300] * 100)
    latency = world.latency()
    latency(world.call)
    (measured,) = latency.measurements
    assert ("pass", 102, 0) == (measured.outcome, measured.n, measured.over)
    assert measured.evidence[0].startswith("host busy: 19.7% preempted")


def test_a_host_that_preempts_most_calls_cannot_judge():
    """What is left would be a choice, not a sample."""
    world = World(0.010, 0.010, *[0.010, -0.300, -0.300] * 100)
    latency = world.latency()
    latency(world.call)
    (measured,) = latency.measurements
    assert "inconclusive" == measured.outcome
    assert "the host is too busy to judge: 62.5% of 8 samples preempted" == measured.reason


def test_a_busy_host_does_not_undo_what_was_decided():
    """A verdict that fell before the host became busy stands."""
    world = World(0.010, 0.010, *[0.010] * 102, *[-0.100] * 500)
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
    assert "inconclusive" == measured.outcome
    assert measured.reason.endswith("confirmed in a fresh batch of 20, but 2 workers share this host")


def test_doubt_does_not_touch_what_passes():
    """A slow neighbour cannot make code look fast."""
    world = World(0.010)
    latency = world.latency(doubt="2 workers share this host")
    latency(world.call)
    assert ["pass"] == [measured.outcome for measured in latency.measurements]


# --- warming up


def test_calls_that_grow_faster_are_warm_up():
    """A slow start is not judged as if it went on, and what was left out is said."""
    world = World(0.9, 0.5, 0.2, 0.1, 0.010)
    latency = world.latency()
    latency(world.call)
    (measured,) = latency.measurements
    assert ("pass", 0) == (measured.outcome, measured.over)
    assert "6 warm-up calls left out" in measured.evidence


def test_warming_up_ends_after_so_many_calls():
    """A call that grows ever faster is judged some time."""
    world = World(*(1.0 / (call + 2) for call in range(3000)))
    latency = world.latency(Limits.parse(p95="1s"))
    latency(world.call)
    assert f"{MOST_WARM_UP} warm-up calls left out" in latency.measurements[0].evidence


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
    with pytest.raises(BudgetError, match="slo='fast' names no SLO of this repository"):
        world.latency(Limits.parse(slo="fast"), resolve_slo=resolve)(world.call)
    assert 0 == world.made


def test_measurements_are_named_after_the_test_or_the_function():
    """And numbered where one test measures twice."""
    world = World(0.001)
    named, unnamed = world.latency(name="search"), world.latency()
    for latency in (named, unnamed):
        latency(world.call)
        latency(partial(world.call, 1))
    assert ["search", "search #2"] == [measured.name for measured in named.measurements]
    first, second = (measured.name for measured in unnamed.measurements)
    assert ("World.call", True) == (first, second.startswith("functools.partial("))


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
    world = World(0.010, 0.010, *[0.100] * 20, *[0.100] * 20)
    naps: list[float] = []

    async def nap(seconds: float) -> None:
        naps.append(seconds)

    monkeypatch.setattr(asyncio, "sleep", nap)
    with pytest.raises(BudgetExceeded):
        asyncio.run(world.latency().run(world.answer))
    assert ([pytest.approx(4.04)], []) == (naps, world.rests)


def test_outside_asyncio_a_coroutine_rests_all_the_same():
    """Another library's loop: it is held up for the rest, which is better than none."""
    world = World(0.100)
    coroutine = world.latency().run(world.answer)
    with pytest.raises(BudgetExceeded):
        coroutine.send(None)
    assert 1 == len(world.rests)


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


def test_mode_once_awaits_once():
    """Unjudged."""
    world = World(9.0)
    latency = world.latency(mode="once")
    assert (1, []) == (asyncio.run(latency.run(world.answer)), latency.measurements)


@pytest.mark.parametrize("mode", ["once", "judge"])
def test_a_coroutine_that_nobody_awaits_is_refused(mode):
    """Making a coroutine takes no time at all: the budget would always be kept."""
    world = World(0.010)
    with pytest.raises(TypeError, match=r"World\.answer is asynchronous; write: await latency\.run"):
        world.latency(mode=mode)(world.answer)


# --- the sampler


def sampler(world: World, function: Callable[..., Any] | None = None, **options: Any) -> Sampler:
    """A sampler in that world."""
    return Sampler(function or world.call, clock=world.clock, preemptions=world.preemptions, **options)


def test_samples_are_what_the_clock_says():
    """In seconds, in order."""
    world = World(0.25, 0.5, 1.0)
    assert [0.25, 0.5, 1.0] == sampler(world).draw(3, inf)


def test_short_calls_come_in_runs():
    """Asking the host about preemption costs more than the call: it is asked once a run, of 50 to 200 microseconds."""
    world = World(1e-6)
    asked: list[int] = []
    taken = Sampler(world.call, clock=world.clock, preemptions=lambda: asked.append(world.made) or 0)
    taken.draw(2000, inf)
    runs = [after - before for before, after in zip(asked[::2], asked[1::2], strict=True)]
    assert [1, 2, 4, 8, 16, 32, 64] == runs[:7]
    assert {64} == set(runs[7:-1])
    assert SHORT_RUN <= 64e-6 <= LONG_RUN


def test_runs_shrink_when_calls_grow_slower():
    """Down to one call a run, so that little is set aside when the thread is preempted."""
    world = World(*[0.0] * 1000, then=0.010)
    taken = sampler(world)
    assert 1000 == len(taken.draw(1000, inf))
    before = world.made
    taken.draw(1024, inf)
    world.preempted = 0
    assert world.made - before == 1024
    asked = world.made
    sampled = taken.draw(1, world.now + 0.005)
    assert ([pytest.approx(0.010)], 1) == (sampled, world.made - asked)


def test_runs_have_a_longest():
    """Even where the clock seems to stand still."""
    world = World(0.0)
    asked: list[int] = []
    Sampler(world.call, clock=world.clock, preemptions=lambda: asked.append(world.made) or 0).draw(2000, inf)
    assert MOST_IN_RUN == max(after - before for before, after in zip(asked[::2], asked[1::2], strict=True))


def test_a_run_that_was_preempted_is_set_aside_as_a_whole():
    """Nobody knows which of its calls was hit."""
    world = World(*[10e-6] * 20, -4e-3, *[10e-6] * 100)
    taken = sampler(world)
    samples = taken.draw(60, inf)
    assert (60, pytest.approx(10e-6)) == (len(samples), max(samples))
    assert taken.set_aside > 1
    assert taken.measured == 60 + taken.set_aside == world.made


def test_nothing_is_called_past_the_deadline():
    """A budget of time is kept to within one call, or one run of very short ones."""
    world = World(1.0)
    taken = sampler(world)
    assert (3, 0) == (len(taken.draw(10, world.now + 2.5)), len(taken.draw(10, world.now)))


def test_a_sampler_that_called_nothing_has_no_result():
    """None, and nothing returned."""
    taken = sampler(World(1.0))
    assert (None, False, True) == (taken.result, taken.returned, taken.guarded)


def test_a_result_is_not_freed_while_the_next_call_is_timed():
    """Freeing a large answer takes time of its own, which is not the next call's."""
    world = World(0.0)
    freed: list[float] = []

    class Answer:
        def __del__(self) -> None:
            freed.append(world.now)
            world.now += 7.0

    def call() -> Answer:
        world.now += 1.0
        return Answer()

    samples = sampler(world, call).draw(5, inf)
    assert ([1.0] * 5, True) == (samples, len(freed) >= 3)


# --- words


def measurement(**fields: Any) -> Measurement:
    """A measurement with these fields."""
    usual: dict[str, Any] = {
        "name": "checkout", "test": "", "budget": "p95 ≤ 50 ms", "outcome": "pass", "reason": "none of 102 over",
        "limit": 0.05, "quantile": 0.95, "n": 102, "over": 0,
    }  # fmt: skip
    return Measurement(**{**usual, **fields})


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0.0571, 0.066, "p95 in [57.1, 66.0] ms"),
        (0.9, 1.25, "p95 in [0.90, 1.25] s"),
        (0.0571, None, "p95 ≥ 57.1 ms"),
        (None, 0.066, "p95 ≤ 66.0 ms"),
        (None, None, ""),
    ],
)
def test_an_interval_has_one_unit_and_says_only_what_is_known(low, high, expected):
    """An end that the samples do not bound is left out."""
    assert expected == bounds(measurement(low=low, high=high))


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [(0.0, "0.00 ns"), (2.5e-8, "25.0 ns"), (4.2e-5, "42.0 µs"), (0.0571, "57.1 ms"), (0.4567, "457 ms"), (83.0, "83.0 s")],
)
def test_times_have_a_unit_and_three_figures(seconds, expected):
    """No false precision."""
    assert expected == spoken(seconds)


@pytest.mark.parametrize(("share", "expected"), [(0.0, "0%"), (0.004, "0.4%"), (0.31, "31%"), (1.0, "100%")])
def test_shares_have_a_decimal_only_where_it_says_something(share, expected):
    """0.4%, but 31%."""
    assert expected == percent(share)


@pytest.mark.parametrize(
    ("limit", "expected"),
    [(0.02, "10.0 ms ▂┊█ ▁ 50.0 ms"), (0.005, "10.0 ms ┊▂█ ▁ 50.0 ms"), (0.5, "10.0 ms ▂█ ▁┊ 50.0 ms")],
)
def test_the_budget_is_a_line_in_the_distribution(limit, expected):
    """Where it belongs, or at the end that it is beyond."""
    assert expected == drawing(measurement(limit=limit, n=13, bins=(2, 10, 0, 1), bins_from=0.01, bins_to=0.05))


def test_what_is_not_drawn_is_counted():
    """Samples past the last step, and calls that raised."""
    assert drawing(measurement(n=15, bins=(2, 10), bins_from=0.01, bins_to=0.05)).endswith("50.0 ms (and 3 slower or failed)")


def test_a_measurement_without_a_distribution_or_host_is_one_line():
    """Nothing to say, nothing said."""
    assert "checkout  p95 ≤ 50 ms   pass   none of 102 over" == explanation(measurement())
