"""Timing calls, at a cost that does not show in the times.

The clock is read right before and right after a call, into a list made beforehand; all else waits until a run of calls
is over. Short calls come in runs of many, so that asking the host about preemption stays cheap as well.

The clock is `perf_counter`: as a float it still tells nanoseconds apart after a hundred days, and a pair of readings
costs 30 ns less than with `perf_counter_ns`.
"""

from __future__ import annotations

import inspect
import time
from collections.abc import Callable, Mapping
from functools import partial
from math import inf
from typing import Any

from pytest_reliability.latency.host import MOST_SET_ASIDE
from pytest_reliability.latency.source import Results

SHORT_RUN, LONG_RUN = 50e-6, 200e-6
"""Seconds between which a run of calls should last: far above the cost of a look at the host, and far below the time
slice of a scheduler."""

MOST_IN_RUN = 256

TELLING = 20
"""Runs that must have been preempted before anything is concluded from their share: a moment's disturbance ends nothing."""


class Sampler(Results):
    """Calls one function and times it.

    A call that raises is a sample without end (infinite) where `tolerate_errors`, and raises here otherwise. Samples
    during which the thread was preempted are set aside, all of the run that they are in; `preemptions` counts those
    of this thread, None where nobody can.

    `setup` is called before each call, untimed. What it returns is the first argument of the call, unless it is None.
    `timer` times the calls, `clock` tells when to stop; they differ where processor time is measured.
    """

    chunk = 1
    intervals: list[float] | None = None
    notes: tuple[str, ...] = ()
    doubt = ""

    def __init__(
        self,
        function: Callable[..., Any],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
        *,
        setup: Callable[[], Any] | None = None,
        tolerate_errors: bool = False,
        clock: Callable[[], float] = time.perf_counter,
        timer: Callable[[], float] | None = None,
        preemptions: Callable[[], int] | None = None,
    ) -> None:
        self.error: Exception | None = None
        """The last exception of a call."""
        self.measured = self.set_aside = self._preempted_runs = 0
        self.function, self._args, self._kwargs = function, args, kwargs or {}
        self._call = self._plain = partial(function, *args, **self._kwargs) if args or kwargs else function
        self._setup = setup
        self._tolerated = Exception if tolerate_errors else ()
        self._clock = clock
        self._timer = timer or clock
        self._preemptions = preemptions
        self._run = 1

    @property
    def guarded(self) -> bool:
        """Whether preemption is counted here at all."""
        return self._preemptions is not None

    @property
    def too_busy(self) -> bool:
        """Whether the host preempts so many calls that they cannot be judged."""
        return self._preempted_runs >= TELLING and self.set_aside > MOST_SET_ASIDE * self.measured

    def draw(self, count: int, deadline: float) -> list[float]:
        """Call until there are `count` samples, in seconds.

        There are fewer past the deadline (a time of the clock) and on a host that is too busy.
        """
        drawn: list[float] = []
        while self._wants(count - len(drawn), deadline):
            self.ready()
            before = self._preempted()
            drawn += self._kept(self._time(min(self._run, count - len(drawn))), before)
        return drawn

    async def draw_async(self, count: int, deadline: float) -> list[float]:
        """The same for a function whose result is awaited, in the loop that runs already."""
        drawn: list[float] = []
        while self._wants(count - len(drawn), deadline):
            await self.ready_async()
            before = self._preempted()
            drawn += self._kept(await self._time_async(min(self._run, count - len(drawn))), before)
        return drawn

    def forget(self) -> None:
        """Start counting afresh: what was measured so far was warming up."""
        self.measured = self.set_aside = self._preempted_runs = 0

    def ready(self) -> Callable[[], Any]:
        """The next call, after its setup if there is one."""
        if self._setup:
            self._prepare(self._setup())
        return self._call

    async def ready_async(self) -> Callable[[], Any]:
        """The same where the setup may have to be awaited, too."""
        if self._setup:
            given = self._setup()
            self._prepare(await given if inspect.isawaitable(given) else given)
        return self._call

    def _prepare(self, given: Any) -> None:
        """Bind what the setup returned to the next call."""
        self._call = self._plain if given is None else partial(self.function, given, *self._args, **self._kwargs)

    def _wants(self, missing: int, deadline: float) -> bool:
        return missing > 0 and self._clock() < deadline and not self.too_busy

    def _preempted(self) -> int:
        return self._preemptions() if self._preemptions else 0

    def _kept(self, times: list[float], before: int) -> list[float]:
        """The times of a run; none where the thread was preempted meanwhile."""
        preempted = self._preempted() != before
        self.measured += len(times)
        self._resize(sum(times))
        if preempted:
            self._preempted_runs += 1
            self.set_aside += len(times)
            return []
        return times

    def _resize(self, lasted: float) -> None:
        if self._setup:  # each call has its own
            return
        if lasted < SHORT_RUN:
            self._run = min(MOST_IN_RUN, self._run * 2)
        elif lasted > LONG_RUN:
            self._run = max(1, self._run // 2)

    # The two loops differ in an `await`, which a call that is not awaited must not pay for. `kept` holds on to the last
    # result until the clock has been read again, so that freeing it is not counted as part of the next call.

    def _time(self, count: int) -> list[float]:
        clock, call, tolerated, kept = self._timer, self._call, self._tolerated, self._result
        times = [inf] * count
        for index in range(count):
            start = clock()
            try:
                result = call()
                times[index] = clock() - start
                kept = result
            except tolerated as error:
                self.error = error
        self._result = kept
        return times

    async def _time_async(self, count: int) -> list[float]:
        clock, call, tolerated, kept = self._timer, self._call, self._tolerated, self._result
        times = [inf] * count
        for index in range(count):
            start = clock()
            try:
                result = await call()
                times[index] = clock() - start
                kept = result
            except tolerated as error:
                self.error = error
        self._result = kept
        return times
