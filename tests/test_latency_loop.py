"""Loops that a test writes itself: operations sampled by name, each judged by its own limits."""

from __future__ import annotations

import asyncio
import sys
import threading
import time
from math import inf
from pathlib import Path
from typing import Any

import pytest

from latency_world import World
from pytest_reliability.latency import Budget, BudgetError, BudgetExceeded, Limits, Verdict, count
from pytest_reliability.latency.host import Load
from pytest_reliability.latency.judge import Batch
from pytest_reliability.latency.operations import COUNTED, PATIENCE
from pytest_reliability.latency.session import Latency
from pytest_reliability.report import Measurement

P95 = Limits.parse(p95="50ms")


def limits(**operations: dict[str, Any]) -> dict[str | None, Limits]:
    """Limits of operations by name."""
    return {name: Limits.parse(of=name, **said) for name, said in operations.items()}


def outcomes(latency: Latency) -> dict[str, str]:
    """What became of each operation, by name."""
    return {measured.name: measured.outcome for measured in latency.measurements}


def only(latency: Latency) -> Measurement:
    """The one measurement that there is."""
    (measured,) = latency.measurements
    return measured


def test_a_loop_goes_on_until_every_operation_is_decided():
    """Each by the limits of the test where it has none of its own, and named after itself."""
    world = World(0.010)
    latency = world.latency(P95, test="tests/test_shop.py::test_steps")
    for _ in latency:
        with latency.sample("search"):
            world.call()
        with latency.sample("pay"):
            world.call()
    assert {"search": "pass", "pay": "pass"} == outcomes(latency)
    assert {("search", "tests/test_shop.py::test_steps")} <= {(m.operation, m.test) for m in latency.measurements}
    assert all("warm-up calls left out" in m.evidence[1] for m in latency.measurements)


def test_a_broken_budget_is_raised_at_the_end_of_the_loop():
    """What has its own limits is judged by these; the one that keeps them does not hide the one that does not."""
    world = World(0.030)
    latency = world.latency(limits(search={"p95": "20ms"}, pay={"p95": "50ms"}))
    with pytest.raises(BudgetExceeded) as caught:  # noqa: PT012
        for _ in latency:
            with latency.sample("search"):
                world.call()
            with latency.sample("pay"):
                world.call()
    assert str(caught.value).startswith("search p95 ≤ 20 ms: ")
    assert ({"search": "fail", "pay": "pass"}, True) == (outcomes(latency), bool(world.rests))


def test_limits_may_be_given_where_the_sample_is():
    """For that operation, and the same each time."""
    world = World(0.010)
    latency = world.latency(Limits())
    for _ in latency:
        with latency.sample("search", p95="50ms"):
            world.call()
    assert {"search": "pass"} == outcomes(latency)
    with pytest.raises(BudgetError, match=r"latency\.sample\('search'\) has other limits elsewhere in this test"):
        latency.sample("search", p95="40ms")
    with pytest.raises(BudgetError, match="p95x"):
        latency.sample("pay", p95x="50ms")


def test_limits_of_a_sample_add_to_those_of_its_marker():
    """As two markers would."""
    world = World(0.010)
    latency = world.latency(limits(search={"p95": "50ms"}))
    for _ in latency:
        with latency.sample("search", p50="20ms"):
            world.call()
    assert ["p95 ≤ 50 ms", "p50 ≤ 20 ms"] == [measured.budget for measured in latency.measurements]


def test_limits_of_the_configuration_are_for_operations_without_a_marker():
    """They come before those of the whole test, and after those of the operation."""
    world = World(0.010)
    routes = {"search": Limits.parse(p95="1s"), "pay": Limits.parse(p95="2s")}
    latency = world.latency({None: P95, "pay": Limits.parse(of="pay", p95="3s")}, routes=routes)
    for _ in latency:
        for name in ("search", "pay", "other"):
            with latency.sample(name):
                world.call()
    assert {"search": 1.0, "pay": 3.0, "other": 0.05} == {measured.name: measured.limit for measured in latency.measurements}


def test_samples_may_be_nested_and_repeated_in_a_round():
    """The outer one holds the inner ones."""
    world = World(0.010)
    latency = world.latency(limits(outer={"p50": "25ms"}, inner={"p50": "12ms"}))
    for _ in latency:
        with latency.sample("outer"):
            for _ in range(2):
                with latency.sample("inner"):
                    world.call()
    assert {"outer": "pass", "inner": "pass"} == outcomes(latency)
    outer, inner = (next(s.samples for s in latency.sampled if s.name == name) for name in ("outer", "inner"))
    assert ({0.02}, {0.01}) == ({round(s, 6) for s in outer}, {round(s, 6) for s in inner})


def test_a_decorated_function_is_sampled_whenever_it_is_called():
    """What it returns and what it is called stays."""
    world = World(0.010)
    latency = world.latency(P95)

    @latency.sample("search")
    def search(term: str) -> str:
        """Find it."""
        world.call()
        return term * 2

    for _ in latency:
        assert "abab" == search("ab")
    assert ({"search": "pass"}, "Find it.") == (outcomes(latency), search.__doc__)


def test_a_decorated_coroutine_is_sampled_until_it_is_awaited():
    """In a loop of either kind."""
    world = World(0.010)
    latency = world.latency(P95)

    @latency.sample("search")
    async def search() -> int:
        return world.call()

    async def test() -> None:
        async for _ in latency:
            assert await search() == world.made

    asyncio.run(test())
    assert {"search": "pass"} == outcomes(latency)
    with pytest.raises(TypeError, match="is a generator"):
        latency.sample("rows")(lambda: (yield))


def test_an_asynchronous_loop_lets_others_run_while_it_rests(monkeypatch):
    """A server in the same event loop must not stand still."""
    world = World(0.100)
    latency = world.latency(P95)
    naps: list[float] = []

    async def nap(seconds: float) -> None:
        naps.append(seconds)
        world.now += seconds

    async def test() -> None:
        async for _ in latency:
            with latency.sample("search"):
                world.call()

    monkeypatch.setattr(asyncio, "sleep", nap)
    with pytest.raises(BudgetExceeded):
        asyncio.run(test())
    assert (True, []) == (bool(naps), world.rests)


def test_one_operations_rest_costs_the_others_no_time():
    """Nothing is sampled in it, so it does not count against their time."""

    def slow(budget: Budget, seconds: float):
        if budget.limit > 1.0:
            samples = yield 5
            return Verdict(budget=budget, outcome="pass", reason=f"{len(samples)} of 5", batches=())
        if budget.limit < 0.05:
            for _ in range(4):
                yield 10
                yield 0
        samples = yield 200
        return Verdict(budget=budget, outcome="pass", reason=f"{len(samples)} of 200", batches=())

    world = World(0.010)
    world.sleep = lambda seconds: setattr(world, "now", world.now + 60.0)  # type: ignore[method-assign]
    latency = world.latency(limits(a={"p95": "20ms"}, b={"p95": "90ms"}, c={"p95": "2s"}), judge=slow)
    for _ in latency:
        for name in "abc":
            with latency.sample(name):
                world.call()
    assert ["200 of 200", "200 of 200", "5 of 5"] == [measured.reason for measured in latency.measurements]


def test_the_time_for_measuring_ends_a_loop():
    """With what there is by then."""
    world = World(1.0)
    latency = world.latency(Limits.parse(p95="2s", max_time="20s"))
    for _ in latency:
        with latency.sample("search"):
            world.call()
    measured = only(latency)
    assert ("inconclusive", 20) == (measured.outcome, measured.n)
    assert measured.reason.endswith("(max_time of 20 s is over)")


def test_preempted_samples_are_set_aside():
    """As those of calls are; and where most are, nothing can be judged."""
    world = World(*[0.010] * 16, *[0.010, 0.010, 0.010, 0.010, -0.300] * 1000)
    latency = world.latency(P95)
    for _ in latency:
        with latency.sample("search"):
            world.call()
    assert ("pass", 0) == (only(latency).outcome, only(latency).over)
    world = World(*[0.010] * 16, *[0.010, -0.300, -0.300] * 1000)
    latency = world.latency(P95)
    for _ in latency:
        with latency.sample("search"):
            world.call()
    assert only(latency).reason.startswith("the host is too busy to judge: ")


def test_an_exception_is_the_tests_failure_or_counts_where_errors_have_a_budget():
    """It ends there in the latter case; what is no error of the call goes through in any."""
    world = World(inf)
    latency = world.latency(P95)
    with pytest.raises(ValueError, match="call 1"):  # noqa: PT012
        for _ in latency:
            with latency.sample("search"):
                world.call()
    latency = world.latency(Limits.parse(errors="10%"))
    with pytest.raises(BudgetExceeded, match="search errors ≤ 10%") as caught:  # noqa: PT012
        for _ in latency:
            with latency.sample("search"):
                world.call()
    assert isinstance(caught.value.__cause__, ValueError)
    with pytest.raises(KeyboardInterrupt), latency.sample("search"):
        raise KeyboardInterrupt


def broken(budget: Budget, seconds: float):
    """A rule that fails whatever it sees."""
    samples = yield 20
    (yield 0)
    batch = Batch(samples=tuple(samples), over=20, fails_at=1, passes_at=-1, complete=True, took=sum(samples))
    return Verdict(budget=budget, outcome="fail", reason=f"{len(samples)} were slow", batches=(batch,))


def call_slowly(world: World) -> None:
    """A call that takes long enough to be seen once it is profiled."""
    if sys.getprofile() is not None:
        time.sleep(0.01)
    world.call()


def test_a_slow_loop_has_one_round_more_under_a_profiler():
    """None that is measured is slowed down by it, and it says where the time goes."""
    world = World(0.100)
    latency = world.latency(P95, judge=broken)
    profiled = False

    def search() -> None:
        nonlocal profiled
        profiled = sys.getprofile() is not None
        call_slowly(world)

    with pytest.raises(BudgetExceeded) as caught:  # noqa: PT012
        for number in latency:  # noqa: B007
            with latency.sample("search"):
                search()
    assert (number, True, None) == (world.made, profiled, sys.getprofile())
    assert 16 + 20 + 1 == world.made
    assert caught.value.measurements[0].profile


def test_a_slow_asynchronous_loop_has_it_too():
    """In the same event loop."""
    world = World(0.100)
    latency = world.latency(P95, judge=broken)

    async def test() -> None:
        async for _ in latency:
            with latency.sample("search"):
                call_slowly(world)

    with pytest.raises(BudgetExceeded) as caught:
        asyncio.run(_awake(test()))
    assert (16 + 20 + 1, True) == (world.made, bool(caught.value.measurements[0].profile))


async def _awake(coroutine: Any) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(asyncio, "sleep", _no_nap)
        await coroutine


async def _no_nap(seconds: float) -> None:
    """Do not wait."""


def test_a_slow_loop_that_is_left_in_its_last_round_fails_all_the_same():
    """And no profiler is left behind."""
    world = World(0.100)
    latency = world.latency(P95, judge=broken)
    for _ in latency:
        with latency.sample("search"):
            world.call()
        if world.made == 16 + 20 + 1:
            break
    assert None is sys.getprofile()
    with pytest.raises(BudgetExceeded, match="20 were slow"):
        latency.conclude()
    assert {"search": "fail"} == outcomes(latency)


# --- Loops that end otherwise


def test_a_loop_that_is_left_is_inconclusive():
    """As soon as the test is over, and never without a word."""
    world = World(0.010)
    latency = world.latency(P95)
    for number in latency:
        with latency.sample("search"):
            world.call()
        if number == 30:
            break
    assert [] == latency.measurements
    latency.conclude()
    measured = only(latency)
    assert ("inconclusive", 14) == (measured.outcome, measured.n)
    assert measured.reason.endswith("(the loop was left after 30 rounds)")


def test_a_loop_that_is_left_at_once_says_so_too():
    """Before any rule has seen a sample."""
    world = World(0.010)
    latency = world.latency(P95)
    for _ in latency:
        with latency.sample("search"):
            world.call()
        break
    latency.close()
    assert "there are no samples (the loop was left after 1 round)" == only(latency).reason


def test_what_failed_before_the_loop_was_left_fails():
    """When the test is over."""

    def broken(budget: Budget, seconds: float):
        yield 1
        return Verdict(budget=budget, outcome="fail", reason="slow", batches=())

    world = World(0.010)
    latency = world.latency(limits(search={"p95": "50ms"}, pay={"p95": "50ms"}), judge=broken)
    for number in latency:
        with latency.sample("search"):
            world.call()
        if number == PATIENCE - 1:
            break
    with pytest.raises(BudgetExceeded):
        latency.conclude()
    assert "fail" == outcomes(latency)["search"]


def test_a_loop_inside_a_loop_ends_the_outer_one():
    """There is one at a time; what the outer one had not decided is told."""
    world = World(0.010)
    latency = world.latency(P95, preemptions=None)
    for _ in latency:
        with latency.sample("outer"):
            world.call()
        for _ in latency:
            with latency.sample("inner"):
                world.call()
    assert {"outer": "inconclusive", "inner": "pass"} == outcomes(latency)
    assert "preemption not counted here" in latency.measurements[0].evidence[0]


def test_what_was_sampled_before_a_loop_was_left_is_told_whenever_that_was():
    """Also if nothing was sampled of it in the last rounds."""
    world = World(0.010)
    latency = world.latency(P95)
    for number in latency:
        with latency.sample("search"):
            world.call()
        if number < 2:
            with latency.sample("pay"):
                world.call()
        if number == 30:
            break
    latency.conclude()
    assert {"search": "inconclusive", "pay": "inconclusive"} == outcomes(latency)


def test_loops_may_follow_each_other():
    """What is measured again has a number; a loop that was left is told before the next begins."""
    world = World(0.010)
    latency = world.latency(P95)
    for _ in range(2):
        for _ in latency:
            with latency.sample("search"):
                world.call()
    for _ in latency:
        with latency.sample("search"):
            world.call()
        break
    for _ in latency:
        with latency.sample("search"):
            world.call()
    assert ["pass", "pass", "inconclusive", "pass"] == [measured.outcome for measured in latency.measurements]
    assert ["search", "search #2", "search #3", "search #4"] == [measured.name for measured in latency.measurements]


def test_a_loop_without_a_sample_says_what_to_write():
    """It could never end otherwise."""
    latency = World(0.010).latency(P95)
    with pytest.raises(BudgetError, match=r'the loop takes no sample.*write: with latency\.sample\("name"\)'):
        for _ in latency:
            pass


def test_a_loop_without_limits_is_one_round():
    """There is nothing to decide, and nothing is said."""
    latency = World(0.010).latency(Limits())
    rounds = 0
    for _ in latency:
        with latency.sample("search"):
            rounds += 1
    latency.conclude()
    assert (1, []) == (rounds, latency.measurements)


@pytest.mark.parametrize(
    ("other", "expected"),
    [({"p95": "50ms"}, PATIENCE), ({}, 1 + COUNTED)],
)
def test_a_loop_waits_for_what_never_comes_no_longer_than_it_would_take(other, expected):
    """Counting takes a few rounds, and whoever only counts should not wait for more; a time budget takes many anyway."""
    world = World(0.010)
    latency = world.latency(
        {"search": Limits.parse("rows_read<=2", of="search"), "pay": Limits.parse("rows_read<=2", of="pay", **other)}
    )
    rounds = 0
    for rounds in latency:  # noqa: B007
        with latency.sample("search"):
            count("rows_read")
    assert (expected, {"search": "pass"}) == (rounds, outcomes(latency))


def test_a_loop_does_not_wait_for_what_an_earlier_one_has_judged():
    """Two loops of one test, each for an operation of its own."""
    world = World(0.010)
    latency = world.latency({"search": Limits.parse(p50="80ms", of="search"), "pay": Limits.parse("rows_read<=2", of="pay")})
    for _ in latency:
        with latency.sample("search"):
            world.call()
    rounds = 0
    for rounds in latency:  # noqa: B007
        with latency.sample("pay"):
            count("rows_read")
    assert (1 + COUNTED, {"search": "pass", "pay": "pass"}) == (rounds, outcomes(latency))


def test_what_has_limits_and_is_never_sampled_has_not_passed():
    """The loop waits a while for it, and names what it was probably meant to be."""
    world = World(0.010)
    latency = world.latency(limits(serach={"p95": "50ms", "slo": None}, pay={"p95": "50ms"}))
    rounds = 0
    for rounds in latency:  # noqa: B007
        with latency.sample("search"):
            world.call()
    latency.conclude()
    first, second = latency.measurements
    assert (PATIENCE, "inconclusive", "inconclusive") == (rounds, first.outcome, second.outcome)
    assert "there are no samples (nothing samples 'serach'; did you mean 'search'?)" == first.reason
    assert "there are no samples (sampled were 'search')" == second.reason


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (P95, "there are no samples (nothing was measured: call it through latency(…), or sample it)"),
        ({"pay": Limits.parse(of="pay", p95="1s")}, "there are no samples (nothing samples 'pay')"),
        ({"pay": Limits.parse("rows_read<=2", of="pay")}, "no call was counted"),
    ],
)
def test_a_test_that_measures_nothing_has_not_passed(given, expected):
    """Whatever it has limits for."""
    latency = World(0.010).latency(given)
    latency.conclude()
    assert ("inconclusive", expected) == (only(latency).outcome, only(latency).reason)


@pytest.mark.parametrize(
    ("pause", "took", "elsewhere", "expected"),
    [
        (0.0, 10e-6, False, 1),
        (0.0, 30e-6, False, 3),
        (60e-6, 10e-6, False, 2),
        (60e-6, 30e-6, False, 4),
        (0.0, 10e-6, True, 2),
    ],
)
def test_short_samples_in_a_row_hardly_ask_about_preemption(pause, took, elsewhere, expected):
    """Once before the first; again where that is long ago or another thread's, and after a sample that took long enough."""
    asked = 0
    world = World(took)

    def preemptions() -> int:
        nonlocal asked
        asked += 1
        return 0

    def sample() -> None:
        with latency.sample("search"):
            world.call()

    latency = world.latency(limits(search={"p95": "50ms"}), preemptions=preemptions)
    sample()
    world.now += pause
    if elsewhere:
        thread = threading.Thread(target=sample)
        thread.start()
        thread.join()
    else:
        sample()
    assert expected == asked


def test_what_happens_between_samples_sets_none_of_them_aside():
    """A thread may well be preempted while a test prepares its next sample."""
    world = World(0.010)
    latency = world.latency(limits(search={"p95": "50ms"}))
    for _ in range(200):
        world.now += 0.005
        world.preempted += 1
        with latency.sample("search"):
            world.call()
    assert concluded(latency).startswith("host quiet: 0% preempted")


# --- Recorded samples


def test_what_others_timed_is_judged_when_the_test_is_over():
    """Also from several threads; too few are inconclusive."""
    latency = World(0.010).latency(limits(search={"p95": "50ms"}, pay={"p95": "50ms"}))

    def record() -> None:
        for _ in range(200):
            latency.record("search", 0.010)

    threads = [threading.Thread(target=record) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    latency.record("pay", 0.010)
    latency.record("pay", 0.010, preempted=True)
    latency.conclude()
    assert {"search": "pass", "pay": "inconclusive"} == outcomes(latency)
    assert latency.measurements[1].evidence[0].startswith("host busy: 50% preempted")


def test_what_others_timed_fails_only_if_later_samples_agree():
    """What was recorded in the time of a rest is left out."""
    latency = World(0.010).latency(P95)
    for _ in range(5000):
        latency.record("search", 0.100)
    with pytest.raises(BudgetExceeded):
        latency.conclude()
    assert {"search": "fail"} == outcomes(latency)


def test_what_is_recorded_must_be_a_time():
    """Zero or more; infinite for an error. Where processor time is wanted, nobody else can time it."""
    latency = World(0.010).latency({None: P95, "pay": Limits.parse(of="pay", p95="1s", clock="cpu")})
    for seconds in (-1.0, float("nan")):
        with pytest.raises(ValueError, match="a time is a number of seconds, 0 or more"):
            latency.record("search", seconds)
    World(0.010).latency(limits(pay={"p95": "1s"})).record("search", 1.0)
    with pytest.raises(BudgetError, match="'pay' has clock=\"cpu\""):
        latency.record("pay", 1.0)


def test_samples_beside_what_was_judged_are_no_matter():
    """A request that only prepares something needs no verdict, unless it has limits of its own."""
    world = World(0.010)
    latency = world.latency({None: P95, "login": Limits.parse(of="login", p95="1s")})
    for name in ("login", "logo"):
        with latency.sample(name):
            world.call()
    latency(world.call)
    with latency.sample("logo"):
        world.call()
    latency.conclude()
    assert {"World.call": "pass", "login": "inconclusive"} == outcomes(latency)


# --- Operations inside of calls


def test_a_call_with_samples_inside_is_repeated_until_they_are_decided():
    """As in a loop; the call itself is one operation more where it has limits."""
    world = World(0.010)
    latency = world.latency({None: P95, "search": Limits.parse(of="search", p95="20ms")}, name="test_x")

    def buy() -> int:
        with latency.sample("search"):
            return world.call()

    assert latency(buy) == world.made
    assert {"search": "pass", "test_x": "pass"} == outcomes(latency)
    assert latency(buy) == world.made
    assert {"search", "test_x", "search #2", "test_x #2"} == set(outcomes(latency))


def test_a_call_may_have_limits_by_its_name():
    """Several functions in one test each have their own."""
    world = World(0.030)

    def search() -> int:
        return world.call()

    async def pay() -> int:
        return world.call()

    latency = world.latency(limits(search={"p95": "20ms"}, pay={"p95": "50ms"}))
    with pytest.raises(BudgetExceeded):
        latency(search)
    asyncio.run(latency.run(pay))
    assert {"search": "fail", "pay": "pass"} == outcomes(latency)


class Watched:
    """Something that requests go through."""


def test_requests_that_are_watched_are_operations(monkeypatch):
    """The call is repeated until these are decided; errors that they count are tolerated; and it is not watched for ever."""
    world = World(0.010)
    latency = world.latency(Limits.parse(p95="50ms", errors="90%"), name="test_x")
    unwatched: list[object] = []
    client = Watched()
    monkeypatch.setattr("pytest_reliability.latency.http.watch", lambda thing, record, routes, **_: thing)
    monkeypatch.setattr("pytest_reliability.latency.http.unwatch", unwatched.append)
    assert client is latency.watch(client)

    def request() -> int:
        world.call()
        if not world.made % 100:
            latency.record("GET /", inf)
            raise OSError
        latency.record("GET /", 0.010)
        return world.made

    assert latency(request) == world.made
    assert {"GET /"} == {measured.name for measured in latency.measurements}
    latency.close()
    assert [client] == unwatched


def test_a_call_that_makes_no_request_is_measured_itself():
    """Whatever is watched meanwhile."""
    world = World(0.010)
    latency = world.latency(Limits.parse(p95="50ms"), name="test_x")
    latency._watched.append(Watched())
    latency(world.call)
    assert {"test_x": "pass"} == outcomes(latency)


def test_a_call_in_rounds_rests_like_any_other():
    """Also where it is awaited."""
    world = World(0.100)
    latency = world.latency(limits(search={"p95": "50ms"}))

    def buy() -> int:
        with latency.sample("search"):
            return world.call()

    async def buy_async() -> int:
        return buy()

    with pytest.raises(BudgetExceeded):
        latency(buy)
    rests = len(world.rests)
    coroutine = latency.run(buy_async)
    with pytest.raises(BudgetExceeded):
        coroutine.send(None)
    assert 0 < rests < len(world.rests)


# --- Counts


def test_counts_in_a_loop_are_of_single_samples():
    """Five of them after the first round, before anything is timed."""
    world = World(0.010)
    latency = world.latency({"search": Limits.parse("rows_read<=2", of="search", p95="50ms")})
    for _ in latency:
        count("rows_read", 50)
        with latency.sample("search"):
            count("rows_read", 9 if world.made == 0 else 2)
            world.call()
    assert [("count", "pass", 5), ("latency", "pass", 102)] == [
        (m.kind, m.outcome, m.n if m.kind == "count" else 102) for m in latency.measurements
    ]


def test_a_loop_that_only_counts_ends_when_that_is_done():
    """After six rounds."""
    world = World(0.010)
    latency = world.latency({"search": Limits.parse("rows_read<=2", of="search")})
    with pytest.raises(BudgetExceeded, match="search rows_read ≤ 2: 3 in each of 5 calls: at most 2"):  # noqa: PT012
        for _ in latency:
            with latency.sample("search"):
                count("rows_read", 3)
                world.call()
    assert 6 == world.made


def test_what_is_counted_in_no_call_has_not_passed():
    """A sample outside any loop is not counted."""
    world = World(0.010)
    latency = world.latency({"search": Limits.parse("rows_read<=2", of="search")})
    with latency.sample("search"):
        world.call()
    latency.conclude()
    assert ("inconclusive", "no call was counted") == (only(latency).outcome, only(latency).reason)


def test_a_loop_that_is_left_while_it_counts_tells_what_it_counted():
    """One call over the limit is enough."""
    world = World(0.010)
    latency = world.latency({"search": Limits.parse("rows_read<=2", of="search")})
    for number in latency:
        with latency.sample("search"):
            count("rows_read", 3)
        if number == 3:
            break
    with pytest.raises(BudgetExceeded, match="3 in each of 2 calls: at most 2"):
        latency.conclude()


def slow_samples(world: World, latency: Latency) -> None:
    """Samples of 100 ms that somebody else has timed, where 50 ms are allowed."""
    for _ in range(50):
        world.now += 0.100
        latency.record("search", 0.100)


def concluded(latency: Latency) -> str:
    """What the host did, as it is told at the end of the test."""
    latency.conclude()
    return only(latency).evidence[0]


@pytest.mark.parametrize(("busy", "expected"), [(False, "no pressure"), (True, "100% pressure")])
def test_samples_outside_loops_are_judged_by_what_the_host_did_meanwhile(busy, expected):
    """Not by what it did when the test had ended."""
    world = World(0.010)
    world.busy = busy
    latency = world.latency(limits(search={"p95": "50ms"}))
    slow_samples(world, latency)
    assert concluded(latency).endswith(expected)


def test_what_is_watched_may_be_called_long_before_its_samples_come():
    """The host is looked at when watching begins."""
    world = World(0.010)
    latency = world.latency(limits(search={"p95": "50ms"}), load=lambda: Load(world.now, min(world.now, 1060.0), 0, 0))

    def application(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        return []

    latency.watch(application)
    world.now += 60.0
    slow_samples(world, latency)
    assert concluded(latency).endswith("92.3% pressure")


@pytest.mark.parametrize(("elsewhere", "expected"), [(False, "100% kept from running"), (True, "no pressure")])
def test_what_kept_another_thread_from_running_is_not_compared(elsewhere, expected):
    """Each thread has counters of its own."""
    world = World(0.010)
    latency = world.latency(limits(search={"p95": "50ms"}), load=lambda: Load(world.now, 0.0, 0, 0, delayed=world.now))
    if elsewhere:
        thread = threading.Thread(target=slow_samples, args=(world, latency))
        thread.start()
        thread.join()
    else:
        slow_samples(world, latency)
    assert concluded(latency).endswith(expected)


def test_processor_time_needs_no_look_at_the_host():
    """Other processes do not add to it."""
    world = World(0.010)
    latency = world.latency(Limits.parse(p95="50ms", clock="cpu"), cpu_clock=world.clock)
    for _ in range(200):
        with latency.sample("search"):
            world.call()
    assert ("CPU time", "pass") == (concluded(latency), only(latency).outcome)


# --- Progress, and results of load engines


def test_progress_of_a_loop_is_told_by_operation():
    """Between rounds."""
    world = World(0.050)
    told: list[str] = []
    latency = world.latency(Limits.parse(p99="80ms"), progress=lambda progress: told.append(str(progress)))
    for _ in latency:
        with latency.sample("search"):
            world.call()
    assert told[0].startswith("search  p99 ≤ 80 ms   n=")


JTL = (
    "timeStamp,elapsed,label,responseCode,responseMessage,threadName,dataType,success,failureMessage,bytes,sentBytes,"
    "grpThreads,allThreads,URL,Latency,IdleTime,Connect\n"
)
SEARCHES = ("search",) * 400
ITEMS = tuple(f"GET /items/{number % 7}" for number in range(400))


@pytest.fixture
def run(tmp_path):
    """Writes what JMeter measured: a call of 100 ms for each name."""

    def write(*names: str) -> Path:
        rows = (f"{1700000000000 + at},100,{name},200,OK,t,text,true,,1,1,1,1,http://x,9,0,0" for at, name in enumerate(names))
        path = tmp_path / f"{len(list(tmp_path.iterdir()))}.csv"
        path.write_text(JTL + "\n".join(rows) + "\n", encoding="utf-8")
        return path

    return write


def test_results_of_load_engines_are_judged_by_operation(run):
    """Those of the whole test against all calls of the run, others against their own; further runs confirm."""
    latency = World(0.010).latency({None: Limits.parse(p95="1s"), "search": Limits.parse(of="search", p95="50ms")}, name="test_x")
    path = run(*SEARCHES)
    with pytest.raises(BudgetExceeded, match="search p95 ≤ 50 ms"):
        latency.results(path, path)
    assert {"test_x": "pass", "search": "fail"} == outcomes(latency)
    with pytest.raises(TypeError, match="names no file"):
        latency.results()


def test_results_know_a_route_by_the_urls_that_were_called(run):
    """The engine saw /items/1 and /items/2, the marker and the configuration name /items/{id}."""
    route = "GET /items/{id}"
    marked = World(0.010).latency({route: Limits.parse(of=route, p95="1s")})
    configured = World(0.010).latency({}, routes={route: Limits.parse(p95="1s")})
    for latency in (marked, configured):
        latency.results(run(*ITEMS))
        latency.conclude()
        measured = only(latency)
        assert (route, route, "pass", 400) == (measured.name, measured.operation, measured.outcome, measured.n)


def test_results_without_an_operation_never_pass(run):
    """Nor do those of which one run lacks it; the message says which, and what may have been meant."""
    latency = World(0.010).latency({"serach": Limits.parse(of="serach", p95="1s"), "search": Limits.parse(of="search", p95="1s")})
    with_it, without = run(*SEARCHES), run(*ITEMS)
    latency.results(with_it, without)
    assert {"serach": "inconclusive", "search": "inconclusive"} == outcomes(latency)
    first, second = (measurement.reason for measurement in latency.measurements)
    assert f"no calls of serach in {with_it} (JMeter samples) and {without} (JMeter samples); did you mean search?" == first
    assert second.startswith(f"no calls of search in {without} (JMeter samples); there are GET /items/0, GET /items/1, ")


def test_results_lack_what_a_test_measures_otherwise(run):
    """It was called in a loop; and routes of the configuration are for all tests, of which each calls some."""
    world = World(0.010)
    routes = {"POST /pay": Limits.parse(p95="1s"), "GET /items/{id}": Limits.parse(p95="1s")}
    latency = world.latency({"loop": Limits.parse(of="loop", p50="80ms")}, routes=routes)
    for _ in latency:
        with latency.sample("loop"):
            world.call()
    latency.results(run(*ITEMS))
    latency.conclude()
    assert {"loop": "pass", "GET /items/{id}": "pass"} == outcomes(latency)


def test_results_cannot_keep_what_they_do_not_hold(run):
    """Counts are of this process, and users do not wait processor time."""
    latency = World(0.010).latency({"search": Limits.parse("queries<=3", of="search", p95="1s")})
    latency.results(run(*SEARCHES))
    assert [("count", "inconclusive"), ("latency", "pass")] == [(found.kind, found.outcome) for found in latency.measurements]
    with pytest.raises(BudgetError, match='clock="cpu": a load engine'):
        World(0.010).latency(Limits.parse(p95="1s", clock="cpu")).results(run(*SEARCHES))
