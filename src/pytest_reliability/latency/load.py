"""Load at a rate: calls begin when they are due, whether or not earlier ones have answered.

Whoever calls, waits for the answer and only then calls again (a closed loop) asks a frozen server once and times one slow
call. Users go on arriving meanwhile. So latency is counted from when a call *should* have begun. What could not begin is
counted as well, as a call without an answer.

One plan (`OpenLoop._dispatch`) drives threads and tasks alike: it says what to wait for next, and a team makes the calls.
"""

from __future__ import annotations

import contextvars
import sys
import threading
import time
from collections.abc import Awaitable, Callable, Coroutine, Generator, Iterator, Mapping
from functools import partial
from math import inf
from queue import Empty, SimpleQueue
from typing import Any, Protocol

from pytest_reliability.latency.budget import BudgetError
from pytest_reliability.latency.message import spoken
from pytest_reliability.latency.preemption import Guard, Mark, too_busy, waited_here
from pytest_reliability.latency.source import Results
from pytest_reliability.model.duration import SECONDS, Duration
from pytest_reliability.model.limits import RATE

SLICE = 0.1
"""Seconds after which a waiting thread looks whether it is still needed."""

EARLY = 0.5e-3
"""Event loops wake up to the millisecond. A call may begin so many seconds before it is due; it then counts from there."""

GRACE = 1.0
"""Seconds that calls under way get to end in, when the load has failed."""

WARM_UP_SHARE = 0.1
"""Before the first load a share of it is made and left out: imports, connections and caches are not what is measured."""

LATE_SHARE = 0.1
"""The machine may be late by that share of what the tightest budget allows; otherwise its lateness would be judged."""

OWN_SHARE = 0.1
"""The share of a processor that the plan may take. Handing a call over takes several times as much as planning it, so that
with twice this share no caller could keep up, whatever is called."""

TICK = 2e-3
LEAST_TICKS = 100
"""How many ticks it takes to know their 99th percentile."""

Wait = tuple[Callable[[float], Any], float]
"""What a plan asks for: an action of its team, and the seconds to give it."""


def parse_rate(text: object) -> float:
    """The calls a second that "200/s", "12000/min" or "5 / s" stands for; raise BudgetError, saying what to write, for others."""
    if isinstance(text, (int, float)) and not isinstance(text, bool):
        raise BudgetError(f'rate={text!r} has no unit; write rate="{text!r}/s"')
    match = RATE.fullmatch(text.strip()) if isinstance(text, str) else None
    if match is None:
        raise BudgetError(f'rate={text!r} is no rate; write calls a second, such as rate="200/s", or rate="12000/min"')
    rate = float(match[1]) / SECONDS[match[2][0]]
    if not 0 < rate < inf:
        raise BudgetError(f'rate={text!r} is no rate at which anything is called; write rate="200/s"')
    return rate


def parse_duration(text: object) -> float:
    """The seconds that a load takes, "5s" or "2m"; raise BudgetError, saying what to write, for what is no duration."""
    try:
        seconds = Duration.parse(text).seconds if isinstance(text, str) else 0.0
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < inf:
        raise BudgetError(f'duration={text!r} is no duration; write duration="5s"')
    return seconds


class Metronome:
    """Wakes up again and again, and notes how late it is: how late this machine is, not what is called.

    A thread of its own waits for no event loop. What the process itself used the processor for meanwhile (and held the
    interpreter with) is deducted, so that the rest is the host's doing.
    """

    def __init__(
        self,
        clock: Callable[[], float] = time.perf_counter,
        sleep: Callable[[float], None] = time.sleep,
        used: Callable[[], float] = time.process_time,
    ) -> None:
        self.late: list[float] = []
        """Seconds, one for each tick."""
        self._clock = clock
        self._sleep = sleep
        self._used = used
        self._stopped = threading.Event()

    def tick(self) -> None:
        """Sleep once, and note how much longer it took."""
        due, used = self._clock() + TICK, self._used()
        self._sleep(TICK)
        late = self._clock() - due
        self.late.append(max(0.0, late - (self._used() - used)))

    @property
    def p99(self) -> float | None:
        """How late it is in the worst hundredth of its ticks; None where these are too few to tell."""
        late = sorted(self.late)
        return late[int(0.99 * len(late))] if len(late) >= LEAST_TICKS else None

    def __enter__(self) -> Metronome:
        self._stopped.clear()
        self._thread = threading.Thread(target=self._go_on, daemon=True, name="latency-metronome")
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        self._thread.join(GRACE)

    def _go_on(self) -> None:
        while not self._stopped.is_set():
            self.tick()


class OpenLoop(Results):
    """Calls `function` `rate` times a second for `duration` seconds, in `concurrency` threads or tasks at most.

    A draw is as many such loads as hold the samples that are wanted, at least one. Its samples come in the order in which
    the calls were due. Where all callers are busy, a call waits for one of them and its latency grows: that is the system's
    doing. Calls that still wait when the load is over for as long again as it lasted never start, and are infinite; so are
    those that never answer. How late the machine itself was is measured apart, and casts `doubt` on a failure where it is
    more than a tenth of `limit`, what the tightest budget allows in seconds (of the time between two calls where that is
    not known).

    A call that raises is infinite where `tolerate_errors`; otherwise the first one ends the load and raises here. Calls
    whose thread was kept from running for a tenth of their latency are set aside; `preemptions` counts how often that
    happened to the calling thread, and `waited` for how many seconds, None where nobody tells.

    A load is never cut short: the deadline says when no other begins.
    """

    def __init__(
        self,
        function: Callable[..., Any],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
        *,
        rate: float,
        duration: float,
        concurrency: int,
        limit: float | None = None,
        tolerate_errors: bool = False,
        clock: Callable[[], float] = time.perf_counter,
        sleep: Callable[[float], None] = time.sleep,
        preemptions: Callable[[], int] | None = None,
        waited: Callable[[], float | None] = waited_here,
        metronome: Metronome | None = None,
    ) -> None:
        if type(concurrency) is not int or concurrency < 1:
            raise BudgetError(f"concurrency={concurrency!r} is no number of callers; write concurrency=50")
        if not rate * duration >= 1.0:
            raise BudgetError(f"{rate:g} calls a second for {duration:g} s are less than one call; take a longer duration")
        self.chunk = round(rate * duration)
        self.error: Exception | None = None
        self.measured = self.set_aside = 0
        self.intervals: list[float] = []
        self._function = partial(function, *args, **kwargs or {})
        self._rate = rate
        self._duration = duration
        self._concurrency = concurrency
        self._limit = limit
        self._tolerate_errors = tolerate_errors
        self._clock = clock
        self._sleep = sleep
        self._guard = Guard(preemptions, waited) if preemptions else None
        self._metronome = metronome or Metronome()
        self._warm = False
        self._patience = 0.0
        self.forget()

    @property
    def guarded(self) -> bool:
        """Whether preemption is counted here at all."""
        return self._guard is not None

    @property
    def too_busy(self) -> bool:
        """Whether the host preempts so many calls that they cannot be judged."""
        return too_busy(self.set_aside, self.measured)

    @property
    def notes(self) -> tuple[str, ...]:
        """What became of calls that did not begin or answer in time, and how late the machine was."""
        callers = f"all {self._concurrency} callers were" if self._concurrency > 1 else "the only caller was"
        late = self._metronome.p99
        counted = (
            (self._waited, f"waited because {callers} busy"),
            (self._never_started, "never started"),
            (self._never_answered, "never answered"),
        )
        notes = [f"{count:,} of {self.measured:,} {what}" for count, what in counted if count]
        return (*notes, *(() if late is None else (f"this machine was {spoken(late)} late at p99",)))

    @property
    def doubt(self) -> str:
        """Why a failure may be this machine's doing; "" where nothing says so."""
        cannot = f"this machine cannot make {self._rate:,g} calls a second on time"
        late, allowed = self._metronome.p99, 1.0 / self._rate if self._limit is None else self._limit
        if self._spent > OWN_SHARE * self._lasted > 0:
            return f"{cannot}: it needs its time for starting them"
        if late is not None and late > LATE_SHARE * allowed:
            return f"{cannot}: it was {spoken(late)} late at p99"
        return ""

    def draw(self, count: int, deadline: float) -> list[float]:
        """Put the function under load, called in threads, unless the deadline has passed or the host is too busy."""
        drawn: list[float] = []
        for load in self._loads(count, deadline):
            call = partial(self._call, load)
            with _Threads(call, min(self._concurrency, load.calls), self._sleep) as team, self._metronome:
                for action, seconds in self._dispatch(load, team):
                    action(seconds)
            drawn += self._concluded(load)
        return drawn

    async def draw_async(self, count: int, deadline: float) -> list[float]:
        """The same for a function whose result is awaited, called in tasks of the loop that runs already."""
        drawn: list[float] = []
        for load in self._loads(count, deadline):
            call = partial(self._call_async, load)
            with self._metronome:
                async with _Tasks(call) if runs_asyncio() else _AnyioTasks(call) as team:
                    try:
                        for action, seconds in self._dispatch(load, team):
                            await action(seconds)
                    finally:
                        load.over = True
            drawn += self._concluded(load)
        return drawn

    def forget(self) -> None:
        """Start counting afresh: what was measured so far was warming up."""
        self.measured = self.set_aside = 0
        self._waited = self._never_started = self._never_answered = 0
        self._spent = self._lasted = 0.0
        self.intervals.clear()
        self._metronome.late.clear()

    def _loads(self, count: int, deadline: float) -> Iterator[_Load]:
        """As many loads as it takes, and before the first a short one to warm up with."""
        # Who begins just before the deadline may take as long as those who began long before.
        self._patience = max(self._patience, deadline - self._clock())
        warm_up = int(WARM_UP_SHARE * self.chunk)
        if not self._warm and warm_up and self._clock() < deadline:
            yield _Load(warm_up, warms_up=True)
            self.forget()
        self._warm = True
        for _ in range(max(1, round(count / self.chunk))):
            if self._clock() < deadline and not self.too_busy:
                yield _Load(self.chunk)

    def _dispatch(self, load: _Load, team: _Team) -> Iterator[Wait]:
        """Start the calls of a load when they are due, and wait for the last. The time that this takes itself is metered."""
        load.begin(self._clock(), self._rate)
        lasts = load.calls / self._rate
        closes = load.began + lasts + max(lasts, self._limit or 0.0)
        for plan in (self._start(load, team, closes), self._drain(load, team, closes + self._patience)):
            while True:
                resumed = time.thread_time()
                wait = next(plan, None)
                self._spent += time.thread_time() - resumed
                if wait is None:
                    break
                yield wait
        self._lasted += self._clock() - load.began

    def _start(self, load: _Load, team: _Team, closes: float) -> Generator[Wait, None, None]:
        """Start the calls, each when it is due and a caller is free, until the load closes."""
        clock = self._clock
        for index in range(load.calls):
            due = load.due(index)
            waits = False
            while team.busy() >= self._concurrency and load.goes_on and clock() < closes:
                waits = True
                yield team.wait, closes - clock()
            late = waits and clock() > due
            while load.goes_on and (left := due - team.early - clock()) > 0:
                yield team.sleep, min(left, SLICE)
            if not load.goes_on or clock() >= closes:
                return
            load.started += 1
            load.waited += late
            team.start(index)

    def _drain(self, load: _Load, team: _Team, gives_up: float) -> Generator[Wait, None, None]:
        """Wait for what is under way."""
        if not load.goes_on:
            gives_up = min(gives_up, self._clock() + GRACE)
        while team.busy() and (left := gives_up - self._clock()) > 0:
            yield team.wait, left

    def _call(self, load: _Load, index: int) -> None:
        began, mark = self._begun(load, index)
        try:
            result = self._function()
        except BaseException as error:
            self._raised(load, index, error)
        else:
            self._answered(load, index, began, mark, result)

    async def _call_async(self, load: _Load, index: int) -> None:
        began, mark = self._begun(load, index)
        try:
            result = await self._function()
        except BaseException as error:
            if not load.over:
                self._raised(load, index, error)
            elif not isinstance(error, Exception):  # it was cancelled, as all that is left of a load
                raise
        else:
            self._answered(load, index, began, mark, result)

    def _begun(self, load: _Load, index: int) -> tuple[float, Mark | None]:
        mark = self._guard.begin() if self._guard else None
        return min(load.due(index), self._clock()), mark

    def _answered(self, load: _Load, index: int, began: float, mark: Mark | None, result: Any) -> None:
        now = self._clock()
        if self._guard and mark and self._guard.held_up(mark, now - began):
            load.preempted.add(index)
        load.answers.append((now, index, now - began))
        self._result = result

    def _raised(self, load: _Load, index: int, error: BaseException) -> None:
        load.answers.append((self._clock(), index, inf))
        if self._tolerate_errors and isinstance(error, Exception):
            self.error = error
        elif load.failure is None:
            load.failure = error

    def _concluded(self, load: _Load) -> list[float]:
        """The samples of a load that is over, in the order in which the calls were due."""
        if load.failure is not None:
            raise load.failure
        answers = sorted(load.answers)  # a call that was given up may still answer, later
        latencies = {index: latency for _, index, latency in answers}
        self.measured += load.calls
        self.set_aside += len(load.preempted)
        self._waited += load.waited
        self._never_started += load.calls - load.started
        self._never_answered += load.started - len(answers)
        self.intervals += load.intervals(answers)
        if self.too_busy or load.warms_up:
            return []
        return [latencies.get(index, inf) for index in range(load.calls) if index not in load.preempted]


class _Load:
    """One load: which call is due when, and what became of them."""

    def __init__(self, calls: int, *, warms_up: bool = False) -> None:
        self.calls = calls
        self.warms_up = warms_up
        self.began = self._interval = 0.0
        self.started = self.waited = 0
        self.answers: list[tuple[float, int, float]] = []
        """When a call was over, its index, and its latency; infinite where it raised."""
        self.preempted: set[int] = set()
        self.failure: BaseException | None = None
        self.over = False

    def begin(self, now: float, rate: float) -> None:
        """The first call is due now."""
        self.began, self._interval = now, 1.0 / rate

    def due(self, index: int) -> float:
        """When a call should begin."""
        return self.began + index * self._interval

    @property
    def goes_on(self) -> bool:
        """Whether no call has failed so that the load must end."""
        return self.failure is None

    def intervals(self, answers: list[tuple[float, int, float]]) -> list[float]:
        """The seconds from one answer to the next, the first from the beginning; infinite where one failed or never came."""
        last, intervals = self.began, []
        for at, _, latency in answers:
            intervals.append(at - last if latency < inf else inf)
            last = at if latency < inf else last
        return intervals + [inf] * (self.calls - len(answers))


class _Team(Protocol):
    """Who makes the calls: threads, or tasks of an event loop. Waiting is awaited in a loop."""

    early: float

    def busy(self) -> int:
        """How many calls are under way."""

    def start(self, index: int) -> None:
        """Have a call made, by one that is free."""

    def sleep(self, seconds: float) -> Any:
        """Let so much time pass."""

    def wait(self, seconds: float) -> Any:
        """Wait until a call is over, or for so long."""


class _Threads:
    """Threads that are there before they are needed. They are daemons: a call that hangs must not keep the process alive."""

    early = 0.0

    def __init__(self, call: Callable[[int], None], size: int, sleep: Callable[[float], None]) -> None:
        self.sleep = sleep
        self._call = call
        self._busy = 0
        self._todo: SimpleQueue[int | None] = SimpleQueue()
        self._ended: SimpleQueue[None] = SimpleQueue()
        self._threads = [
            threading.Thread(target=contextvars.copy_context().run, args=(self._work,), daemon=True, name="latency-load")
            for _ in range(size)
        ]

    def __enter__(self) -> _Threads:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        for _thread in self._threads:
            self._todo.put(None)
        if not self.busy():
            for thread in self._threads:
                thread.join(GRACE)

    def busy(self) -> int:
        while not self._ended.empty():
            self._ended.get()
            self._busy -= 1
        return self._busy

    def start(self, index: int) -> None:
        self._busy += 1
        self._todo.put(index)

    def wait(self, seconds: float) -> None:
        try:
            self._ended.get(timeout=min(seconds, SLICE))
        except Empty:
            return
        self._busy -= 1

    def _work(self) -> None:
        while (index := self._todo.get()) is not None:
            self._call(index)
            self._ended.put(None)


class _Tasks:
    """Tasks of asyncio's loop."""

    early = EARLY

    def __init__(self, call: Callable[[int], Coroutine[Any, Any, None]]) -> None:
        import asyncio

        self.sleep = asyncio.sleep
        self._asyncio = asyncio
        self._call = call
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> _Tasks:
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await self._asyncio.wait(self._tasks, timeout=GRACE)

    def busy(self) -> int:
        return len(self._tasks)

    def start(self, index: int) -> None:
        task = self._asyncio.get_running_loop().create_task(self._call(index))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def wait(self, seconds: float) -> None:
        await self._asyncio.wait(self._tasks, timeout=seconds, return_when=self._asyncio.FIRST_COMPLETED)


class _AnyioTasks:
    """Tasks of whatever loop anyio knows: trio's."""

    early = EARLY

    def __init__(self, call: Callable[[int], Awaitable[None]]) -> None:
        self._anyio = imported_anyio()
        self.sleep = self._anyio.sleep
        self._call = call
        self._busy = 0

    async def __aenter__(self) -> _AnyioTasks:
        self._ended = self._anyio.Event()
        self._group = self._anyio.create_task_group()
        await self._group.__aenter__()
        return self

    async def __aexit__(self, *error: Any) -> Any:
        self._group.cancel_scope.cancel()
        return await self._group.__aexit__(*error)

    def busy(self) -> int:
        return self._busy

    def start(self, index: int) -> None:
        self._busy += 1
        self._group.start_soon(self._make, index)

    async def wait(self, seconds: float) -> None:
        with self._anyio.move_on_after(seconds):
            await self._ended.wait()

    async def _make(self, index: int) -> None:
        try:
            await self._call(index)
        finally:
            self._busy -= 1
            self._ended.set()
            self._ended = self._anyio.Event()


def runs_asyncio() -> bool:
    """Whether the loop that runs here is asyncio's."""
    import asyncio

    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


def imported_anyio() -> Any:
    """The anyio module, which speaks to other loops than asyncio's. Raises RuntimeError where nobody has imported it."""
    anyio = sys.modules.get("anyio")
    if anyio is None:
        raise RuntimeError("this event loop is not asyncio's, and can be used through anyio only; write: import anyio")
    return anyio
