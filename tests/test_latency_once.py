"""The `latency` fixture where nothing is judged: everything runs once, and little is imported."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from inspect import signature
from typing import Any

import pytest

from latency_world import World
from pytest_reliability.latency import BudgetError
from pytest_reliability.latency.once import Once
from pytest_reliability.latency.session import Latency


class Cache:
    """A dependency."""

    def get(self) -> str:
        """What is in it."""
        return "value"


def test_a_call_is_made_once():
    """With its arguments, and its result is that of the call."""
    assert (1, 2) == (World(9.0).call(), Once()(lambda *args, **kwargs: len(args) + len(kwargs), 1, key=2))


def test_a_coroutine_is_awaited_once():
    """In the test's own loop."""
    assert 1 == asyncio.run(Once().run(World(9.0).answer))


def test_a_setup_provides_the_first_argument_here_too():
    """Or only prepares something; it may be asynchronous where the call is."""
    given: list[Any] = []

    async def setup() -> str:
        return "cart"

    async def call(cart: str) -> None:
        given.append(cart)

    assert "cart!" == Once().prepared(lambda: "cart")(lambda cart, mark: cart + mark, "!")
    assert 1 == Once().prepared(lambda: None)(World(9.0).call)
    asyncio.run(Once().prepared(setup).run(call))
    assert 1 == asyncio.run(Once().prepared(lambda: None).run(World(9.0).answer))
    assert ["cart"] == given


def test_a_loop_is_one_round():
    """Of either kind, with samples that time nothing."""
    once = Once()
    rounds: list[str] = []

    @once.sample("search")
    def search() -> None:
        rounds.append("search")

    async def test() -> None:
        async for _ in once:
            with once.sample("pay", p95="50ms"):
                rounds.append("pay")

    for _ in once:
        search()
    asyncio.run(test())
    assert ["search", "pay"] == rounds


def test_limits_that_mean_nothing_are_told_here_too():
    """A typo should not wait until somebody judges."""
    with pytest.raises(BudgetError, match="p95x"):
        Once().sample("search", p95x="50ms")


def test_a_call_that_returns_a_coroutine_is_refused_here_too():
    """It would pass without having run, until somebody judges."""
    with pytest.raises(TypeError, match=r"answer is asynchronous; write: await latency\.run"):
        Once()(lambda: World(9.0).answer())
    with pytest.raises(TypeError, match="answer is asynchronous"):
        Once().prepared(lambda: World(9.0))(lambda world: world.answer())


@pytest.mark.parametrize("make", [Once, lambda: Latency(None)])
@pytest.mark.parametrize(
    ("how", "complaint"),
    [
        ({"rate": 200}, 'rate=200 has no unit; write rate="200/s"'),
        ({"rate": "fast"}, "rate='fast' is no rate"),
        ({"rate": "5/s", "duration": "soon"}, "duration='soon' is no duration; write duration=\"5s\""),
        ({"rate": "5/s", "duration": 5}, 'duration=5 is no duration; write duration="5s"'),
        ({"rate": "5/s", "duration": "0s"}, "duration='0s' is no duration"),
    ],
)
def test_a_load_that_means_nothing_is_refused_judged_or_not(make, how: dict[str, Any], complaint: str):
    """With the same words."""
    with pytest.raises(BudgetError, match=complaint):
        make().load(**how)


def test_a_load_is_described_alike_judged_or_not():
    """So what is called wrongly, is called wrongly everywhere."""
    once, judged = signature(Once.load).parameters, signature(Latency.load).parameters
    assert list(judged.values()) == list(once.values())


def test_what_measures_elsewhere_does_nothing_or_runs_once():
    """A load is one call, a cold start one process, and what is watched is left alone."""
    once, world = Once(), World(9.0)
    assert 1 == once.load(rate="200/s", duration="5s")(world.call)
    assert world is once.watch(world)
    once.cold(["true"])
    once.record("search", 0.1)
    once.results("nowhere.json")
    once.conclude()
    assert ([], []) == (once.measurements, once.sampled)
    with pytest.raises(Exception, match="false"):
        once.cold(["false"])


@pytest.mark.parametrize("make", [Once, lambda: Latency(None)])
def test_dependencies_fail_as_the_test_says_wherever_it_runs(make):
    """That is behaviour and no measurement; afterwards all is as it was."""
    latency = make()
    latency.call_point("cache", Cache, "get")
    with latency.failing("cache", error=ConnectionError("gone")), pytest.raises(ConnectionError):
        Cache().get()
    with latency.slow("cache", by="1us"):
        assert "value" == Cache().get()
    proxy = latency.proxy("server", "127.0.0.1", 9)
    assert (True, "127.0.0.1") == (proxy.port > 0, proxy.host)
    latency.close()
    assert "value" == Cache().get()
    make().close()


def test_nothing_that_judges_is_imported():
    """A marked test that is not judged should cost what a plain test costs."""
    code = (
        "import sys; from pytest_reliability.latency.once import Once; from pytest_reliability.latency import count;"
        "print(*sorted(m.split('.')[2] for m in sys.modules if m.startswith('pytest_reliability.latency.')))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "counting forms once\n" == done.stdout
