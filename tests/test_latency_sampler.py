"""Timing calls: what is timed, what is set aside, and how often the host is asked."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from math import inf
from typing import Any

import pytest

from latency_world import World
from pytest_reliability.latency.sampler import LONG_RUN, MOST_IN_RUN, SHORT_RUN, Sampler


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


def test_what_a_setup_returns_is_the_first_argument():
    """Before the others, for each call anew; and its time is not the call's."""
    world = World(0.25)
    given: list[Any] = []

    def setup() -> str:
        world.now += 3.0
        return f"cart {world.made}"

    def call(*args: Any, **kwargs: Any) -> None:
        given.append((args, kwargs))
        world.call()

    taken = Sampler(call, (1,), {"key": 2}, setup=setup, clock=world.clock)
    assert [0.25, 0.25] == taken.draw(2, inf)
    assert [(("cart 0", 1), {"key": 2}), (("cart 1", 1), {"key": 2})] == given


def test_a_setup_that_returns_nothing_adds_no_argument():
    """It may only prepare something."""
    prepared: list[int] = []
    world = World(0.25)
    taken = sampler(world, setup=lambda: prepared.append(world.made))
    assert ([0.25] * 3, [0, 1, 2]) == (taken.draw(3, inf), prepared)


def test_a_setup_may_be_asynchronous():
    """Where the call is."""
    world = World(0.25)
    given: list[Any] = []

    async def setup() -> str:
        return "cart"

    async def call(cart: str) -> None:
        given.append(cart)
        world.call()

    taken = Sampler(call, setup=setup, clock=world.clock)
    assert ([0.25] * 2, ["cart"] * 2) == (asyncio.run(taken.draw_async(2, inf)), given)


def test_preemption_during_a_setup_is_no_matter():
    """The guard is around the call alone."""
    world = World(1e-6)

    def setup() -> None:
        world.preempted += 1

    assert (5, 0) == (len((taken := sampler(world, setup=setup)).draw(5, inf)), taken.set_aside)


def test_another_clock_may_time_the_calls():
    """Processor time is measured, and real time says when to stop."""
    world = World(1.0)
    ticks = iter(range(100))
    taken = sampler(world, timer=lambda: float(next(ticks)) * 0.5)
    assert [0.5, 0.5, 0.5] == taken.draw(10, world.now + 2.5)
