"""A world without a real clock: time passes only when the call under test says so."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain, repeat
from math import inf
from typing import Any

from pytest_reliability.latency.budget import Limits
from pytest_reliability.latency.host import Load
from pytest_reliability.latency.session import Latency


class World:
    """A clock that only moves when a call or a rest takes time, and a thread that is preempted when a call says so.

    `calls` are what the calls take in seconds, negative where the thread was preempted meanwhile; the last one for ever.
    """

    def __init__(self, *calls: float, then: float | None = None) -> None:
        self.now = 1000.0
        self.preempted = 0
        self.made = 0
        self.rests: list[float] = []
        self.busy = False
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

    def load(self) -> Load:
        """What the host does meanwhile: nothing, or something else for as long as it is `busy`."""
        return Load(self.now, self.now if self.busy else 0.0, 0, 0)

    def latency(self, limits: Any = None, **options: Any) -> Latency:
        """A session in this world, with p95 at most 50 ms unless said otherwise."""
        options = {"clock": self.clock, "sleep": self.sleep, "preemptions": self.preemptions, "load": self.load, **options}
        return Latency(Limits.parse(p95="50ms") if limits is None else limits, **options)
