"""What the `latency` fixture is made of: sample something until every budget on it is decided, then say so.

Nothing here knows pytest. The plugin makes a `Latency` of the limits in the markers, and collects its measurements; where
nothing is to be judged it makes a `once.Once` instead.
"""

from __future__ import annotations

import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, closing, nullcontext, suppress
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain
from math import inf
from os import PathLike
from pathlib import Path
from threading import RLock, get_ident
from types import coroutine
from typing import TYPE_CHECKING, Any, ParamSpec, TypeAlias, TypeVar

from pytest_reliability.latency.budget import Budget, BudgetError, Limits
from pytest_reliability.latency.forms import called, refuse_asynchronous, refuse_coroutine
from pytest_reliability.latency.host import Load, preemption_counter
from pytest_reliability.latency.judge import FAIL, INCONCLUSIVE, PASS, Design, sequential
from pytest_reliability.latency.measuring import Measuring, Progress, Step
from pytest_reliability.latency.message import explanation, headline
from pytest_reliability.latency.once import UNMEASURED, Dependencies, Unmeasured
from pytest_reliability.latency.operations import COUNTED, Limited, Loop, Operation, Replay, Sample
from pytest_reliability.latency.sampler import Sampler
from pytest_reliability.latency.source import Source
from pytest_reliability.report import Measurement

if TYPE_CHECKING:
    from pytest_reliability.model.nodes import Slo

P = ParamSpec("P")
T = TypeVar("T")
W = TypeVar("W")

Plan = Generator[Callable[[], Any], Any, T]
"""What is to be done next, one thing after the other: each is called, or called and awaited, and the result sent back."""

Counted: TypeAlias = tuple[Any, list[dict[str, int]], tuple[str, ...]]
"""What the last call returned, what each has counted, and who told."""

PROGRESS_AFTER, PROGRESS_EVERY = 1.0, 0.2
"""Seconds after which people are told how far a measurement is, and how often."""

MOST_PROFILED = 5
"""Calls among which a slow one is looked for, to tell where its time goes."""

_PREEMPTIONS = preemption_counter()
_UNLIMITED = Limited(Limits(), ())


class BudgetExceeded(AssertionError):  # noqa: N818 (it is a test's failure, not an error of ours)
    """A latency budget is broken, and fresh batches agreed. `measurements` are those that failed."""

    # pytest's short summary begins with the exception's full name, and has one line for everything
    __module__ = "builtins"

    def __init__(self, measurements: Sequence[Measurement]) -> None:
        self.measurements = tuple(measurements)
        super().__init__("\n".join((headline(self.measurements), *map(explanation, self.measurements))))

    def __reduce__(self) -> tuple[Callable[..., BudgetExceeded], tuple[Any, ...]]:
        return _exceeded, (self.measurements,)


def _exceeded(measurements: Sequence[Measurement]) -> BudgetExceeded:
    """Make one anew; pickle would look for the class where it says that it lives."""
    return BudgetExceeded(measurements)


@dataclass(frozen=True, slots=True)
class Sampled:
    """What one operation was judged on: `samples` in seconds and in order, and the worst outcome of its budgets.

    `operation` is "" for a call of the whole test. `ratchet` says whether it must be no slower than in earlier runs.
    """

    name: str
    operation: str
    outcome: str
    samples: tuple[float, ...]
    ratchet: bool = False


class Latency(Dependencies):
    """Measures what one test does against its limits.

    `latency(function, *args, **kwargs)` and `await latency.run(...)` call the function until each budget is decided
    and return what the last call returned. In `for _ in latency:` the test itself does the calling, within
    `with latency.sample(name):`. A broken budget raises `BudgetExceeded`. An exception of a call is its test's failure,
    unless errors have a budget too.

    `limits` are those of each operation by its name; those under None hold for each one without limits of its own. `routes`
    are limits from the configuration, by the operation's name. `resolve_slo` turns the name of an SLO into the SLO, None
    where there is no such one. `judge` is the rule. `name` and `test` are what the measurements are called by. `doubt` says
    why a failure cannot be trusted here, if it cannot: it is inconclusive then. `exclusive` is a context in which nobody else
    measures; it may be entered again inside itself. `progress` hears how far a measurement is.
    """

    def __init__(
        self,
        limits: Limits | Mapping[str | None, Limits] | None = None,
        *,
        routes: Mapping[str, Limits] | None = None,
        resolve_slo: Callable[[str], Slo | None] | None = None,
        judge: Design = sequential,
        name: str = "",
        test: str = "",
        doubt: str = "",
        exclusive: AbstractContextManager[object] | None = None,
        progress: Callable[[Progress], None] | None = None,
        clock: Callable[[], float] = time.perf_counter,
        cpu_clock: Callable[[], float] = time.thread_time,
        sleep: Callable[[float], None] = time.sleep,
        preemptions: Callable[[], int] | None = _PREEMPTIONS,
        load: Callable[[], Load] = Load.now,
    ) -> None:
        super().__init__(strict=True)
        self.name = self._title = name
        self.test = test
        self.doubt = doubt
        self.measurements: list[Measurement] = []
        self.sampled: list[Sampled] = []
        self._limits = {limits.of: limits} if isinstance(limits, Limits) else dict(limits or {})
        self._routes = dict(routes or {})
        self._resolve_slo = resolve_slo
        self._judge = judge
        self._exclusive = exclusive or nullcontext()
        self._progress = progress
        self._clock = clock
        self._cpu_clock = cpu_clock
        self._sleep = sleep
        self._preemptions = preemptions
        self._load = load
        self._limited: dict[Limits, Limited] = {}
        self._operations: dict[str, Operation] = {}
        self._unmeasured: set[str] = set()
        self._said: dict[str, dict[str, Any]] = {}
        self._uses: dict[str, int] = {}
        self._loop: Loop | None = None
        self._thread = get_ident()
        self._before: Load | None = None
        self._unreported: tuple[list[Measurement], Exception | None] = [], None
        self._lock = RLock()
        self._watched: list[object] = []
        self._told = 0.0

    # --- What is judged

    @property
    def budgets(self) -> tuple[Budget, ...]:
        """Every budget of the markers, with what SLOs promise. Raises BudgetError where an SLO cannot be used."""
        return tuple(budget for limits in self._limits.values() for budget in self._limited_by(limits).budgets)

    def _limited_by(self, limits: Limits | None) -> Limited:
        if limits is None:
            return _UNLIMITED
        if limits not in self._limited:
            promised = (self._promise(limits.slo),) if limits.slo else ()
            self._limited[limits] = Limited(limits, (*limits.budgets, *promised))
        return self._limited[limits]

    def _promise(self, name: str) -> Budget:
        slo = self._resolve_slo(name) if self._resolve_slo else None
        if slo is None:
            raise BudgetError(f"slo={name!r} names no SLO of this repository")
        return Budget.from_slo(slo)

    def _limits_of(self, operation: str) -> Limited:
        """The limits of a named operation: its own in the test, those of the configuration, those of the whole test."""
        return self._limited_by(self._limits.get(operation) or self._routes.get(operation) or self._limits.get(None))

    def _limits_of_call(self, function: Callable[..., object]) -> tuple[str, Limited]:
        """The limits of a call, which may be named after the function, and what it is named by these."""
        for name in (getattr(function, "__name__", None), getattr(function, "__qualname__", None)):
            if name is not None and name in self._limits:
                return name, self._limited_by(self._limits[name])
        return "", self._limited_by(self._limits.get(None))

    # --- Calls

    def __call__(self, function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Call `function` with these arguments until every budget is decided; return what its last call returned."""
        __tracebackhide__ = True
        return Calls(self, self._call)(function, *args, **kwargs)

    async def run(self, function: Callable[P, Awaitable[T]], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """The same for a function whose result is awaited, in the loop that the test itself runs in."""
        __tracebackhide__ = True
        return await Calls(self, self._call).run(function, *args, **kwargs)

    def prepared(self, setup: Callable[[], Any]) -> Calls:
        """`latency.prepared(setup)(function, …)` calls `setup` before each call, untimed.

        What it returns is the first argument of the call, unless it is None.
        """
        return Calls(self, partial(self._call, setup=setup))

    def load(self, rate: str, duration: str = "5s", concurrency: int = 50) -> Calls:
        """`latency.load(rate="200/s")(function, …)` calls it at that rate, however slow the answers are.

        A time counts from when the call was due, so that a server that stands still is not spared the calls that could
        not be made meanwhile.
        """
        from pytest_reliability.latency.load import parse_duration, parse_rate

        how = {"rate": parse_rate(rate), "duration": parse_duration(duration), "concurrency": concurrency}
        return Calls(self, partial(self._load_with, how=how))

    def cold(
        self, target: str | Sequence[str], *, cwd: str | PathLike[str] | None = None, env: Mapping[str, str] | None = None
    ) -> None:
        """Measure a start in a fresh process: of a command (a list), or of "module:function", imported and called."""
        __tracebackhide__ = True
        from pytest_reliability.latency.cold import ColdStarts

        name = target if isinstance(target, str) else " ".join(target)
        limited = self._limits_of(name)
        limits = limited.limits
        if limited.counts:
            raise BudgetError(f"{limited.counts[0].source} is counted in this process, and a cold start is another; leave it out")
        source = ColdStarts(
            target, cwd=cwd, env=env, tolerate_errors=limits.tolerates_errors, cpu=limits.clock == "cpu", clock=self._clock
        )
        if limited.budgets:
            operation = name if name in self._limits else ""
            plan = self._measure(source, limited, name=operation or self.name or name, operation=operation, warms_up=False)
            self._perform(plan)
        else:
            source.draw(1, self._clock() + limits.max_time)

    def results(self, *runs: str | PathLike[str]) -> None:
        """Judge what load engines wrote: k6, Locust, wrk2, vegeta, Gatling or JMeter.

        Each file is a run of its own; those after the first confirm what it says. Limits of the whole test hold for all
        calls of a run together. An operation with limits that a run does not have is inconclusive. In no run may be what
        the test measures otherwise, and what only the configuration limits while the test has limits of its own.
        """
        __tracebackhide__ = True
        from pytest_reliability.latency.engines import judge_result, read_results
        from pytest_reliability.latency.engines.operations import operation, required
        from pytest_reliability.latency.engines.result import EVERYTHING

        if not runs:
            raise TypeError('latency.results() names no file; write latency.results("k6.json")')
        read = [read_results(Path(run)) for run in runs]
        measured = {*self._operations, *(measurement.operation for measurement in self.measurements)}
        routes = {name: limits for name, limits in self._routes.items() if name not in self._limits}
        unasked = measured.union(routes if self._limits else ())
        found: list[Measurement] = []
        for name, limits in [*self._limits.items(), *routes.items()]:
            if name in unasked and not any(operation(results, name) for results in read):
                continue
            limited = self._limited_by(limits)
            if limits.clock == "cpu":
                raise BudgetError('clock="cpu": a load engine tells how long its users waited; leave it out')
            first, *others = required(read, EVERYTHING if name is None else name)
            title = self._numbered(name or self.name)
            found += self._counts_found(title, name or "", limited)
            found += (judge_result(first, budget, others, name=title, test=self.test) for budget in limited.budgets)
        self._report(found)

    # --- Samples

    def sample(self, name: str, /, **limits: Any) -> Sample | Unmeasured:
        """One sample of the operation `name`: `with latency.sample("search"): …`, or a decorator of a function."""
        operation = self._operations.get(name) if not limits else self._with_limits(name, limits)
        if operation is None:
            operation = self._operation(name)
        return UNMEASURED if operation is None else Sample(operation)

    def record(self, name: str, seconds: float, preempted: bool = False) -> None:
        """A sample that somebody else has timed; infinite for an error. May be called from any thread.

        Outside a loop it is judged when the test has ended. It has not waited for its turn then, as what `latency(…)` and
        loops measure has where several workers run tests: it was over before anybody heard of it. What the host did since
        the first such sample is beside the verdict, and a failure that it explains is inconclusive.
        """
        if not seconds >= 0:
            raise ValueError(f"record({name!r}, {seconds!r}): a time is a number of seconds, 0 or more")
        operation = self._operations.get(name) or self._operation(name)
        if operation is not None:
            if operation.timer is not self._clock:
                raise BudgetError(f'{name!r} has clock="cpu", but what is recorded is how long others waited')
            (operation.preempted if preempted else operation.times).append(seconds)

    def watch(self, thing: W, routes: Sequence[str] = ()) -> W:
        """An ASGI or WSGI app, an httpx client or a requests session, each of whose requests is a sample of its route.

        Requests wait for no turn of this test's, unless they are made in a loop or in `latency(…)`: most of a test's time
        may be something else than requests, and all workers would wait for it.
        """
        from pytest_reliability.latency.http import watch

        self._look_at_host()
        watched = watch(thing, self.record, routes, clock=self._clock, preemptions=self._preemptions)
        self._watched.append(watched)
        return watched

    def _operation(self, name: str) -> Operation | None:
        """The operation of that name; None where it has no limits, so that nobody needs its samples."""
        with self._lock:
            if name in self._operations:
                return self._operations[name]
            limited = self._limits_of(name)
            if not limited:
                self._unmeasured.add(name)
                return None
            return self._add(name, limited)

    def _with_limits(self, name: str, said: dict[str, Any]) -> Operation:
        """The operation of that name with limits that were given where it is sampled, which are the same each time."""
        with self._lock:
            if name not in self._said:
                limits = Limits.parse(of=name, **said)
                own = self._limits.get(name)
                self._limits[name] = Limits.together([own, limits]) if own else limits
                self._said[name] = said
                self._operations.pop(name, None)
            elif self._said[name] != said:
                raise BudgetError(f"latency.sample({name!r}) has other limits elsewhere in this test; give them once")
            operation = self._operation(name)
        assert operation is not None
        return operation

    def _add(self, name: str, limited: Limited) -> Operation:
        self._look_at_host()
        timer, preemptions = self._timing(limited)
        operation = self._operations[name] = Operation(name, limited, timer=timer, preemptions=preemptions)
        return operation

    def _look_at_host(self) -> None:
        """See what the host does before the first sample outside any loop, so that evidence covers the time of them all."""
        if self._before is None and self._loop is None:
            now = self._load()
            # counters of a thread say nothing in another
            self._before = now if get_ident() == self._thread else replace(now, delayed=None, others=None)

    def _timing(self, limited: Limited) -> tuple[Callable[[], float], Callable[[], int] | None]:
        """What times an operation, and what guards it: processor time is not spent while others have the processor."""
        return (self._cpu_clock, None) if limited.limits.clock == "cpu" else (self._clock, self._preemptions)

    # --- Loops

    def __iter__(self) -> Iterator[int]:
        """Rounds, for as long as an operation that is sampled in them is undecided."""
        __tracebackhide__ = True
        loop = self._open_loop()
        while (pause := loop.go_on()) is not None:
            if pause:
                self._sleep(pause)
            else:
                yield loop.rounds
                self._require_samples(loop)
        yield from self._last_round(loop.rounds + 1)

    async def __aiter__(self) -> AsyncIterator[int]:
        """The same in an asynchronous test, whose own event loop goes on while the rule rests."""
        __tracebackhide__ = True
        loop = self._open_loop()
        while (pause := loop.go_on()) is not None:
            if pause:
                await self._pause(pause)
            else:
                yield loop.rounds
                self._require_samples(loop)
        for number in self._last_round(loop.rounds + 1):
            yield number

    def _last_round(self, number: int) -> Iterator[int]:
        """Report what the loop has found; after one round more where that is too slow, to tell where the time goes."""
        __tracebackhide__ = True
        found, error = self._found_in_loop()
        if took := _took(found):
            from pytest_reliability.latency.profile import profile_call_async

            self._unreported = found, error
            # Under the profiler it awaits the round, which is to say that this generator is suspended in it.
            lines = yield from profile_call_async(partial(_round, number), took).__await__()
            self._unreported = [], None
            found = [replace(measurement, profile=lines) if _is_slow(measurement) else measurement for measurement in found]
        self._report(found, error)

    def _open_loop(self) -> Loop:
        __tracebackhide__ = True
        self._close_loop()
        judged = {measurement.operation for measurement in self.measurements}
        self._exclusive.__enter__()
        self._loop = Loop(
            self._operations,
            begin=lambda operation: self._measuring(operation, operation.limited),
            expected={name: self._limited_by(limits) for name, limits in self._limits.items() if name and name not in judged},
            clock=self._clock,
            tell=self._tell,
        )
        return self._loop

    def _require_samples(self, loop: Loop) -> None:
        """Tell somebody who writes a loop without a sample what to write."""
        sampled = self._unmeasured or loop.touched or any(operation.sampled for operation in self._operations.values())
        if loop.rounds == 1 and self._limits and not sampled:
            raise BudgetError(
                "the loop takes no sample, so there is nothing to judge; "
                'write: with latency.sample("name"): … around what is to be measured'
            )

    def _close_loop(self) -> None:
        """Report what the loop has found; raise what the test has to fail for."""
        __tracebackhide__ = True
        self._report(*self._found_in_loop())

    def _found_in_loop(self) -> tuple[list[Measurement], Exception | None]:
        """What the loop that was open has found, and an exception that counted as over."""
        loop, self._loop = self._loop, None
        (found, error), self._unreported = self._unreported, ([], None)
        if loop is None:
            return found, error
        if not loop.over:
            loop.leave(f"the loop was left after {loop.rounds} round{'s' if loop.rounds > 1 else ''}")
        for operation in loop.touched.values():
            error = operation.error or error
            name = self._numbered(operation.name or self._title)
            found += self._counts_found(name, operation.name, operation.limited, operation.counted, operation.sources)
            if operation.measuring is not None:
                found += self._found(operation.measuring, name, operation.name, operation.limited)
            operation.measuring = None
        self._exclusive.__exit__(None, None, None)
        return found, error

    # --- One measurement

    def _call(
        self, function: Callable[..., Any], args: Any, kwargs: Any, *, awaits: bool, setup: Callable[[], Any] | None = None
    ) -> Plan[Any]:
        """Call `function` until everything about it is decided."""
        __tracebackhide__ = True
        operation, limited = self._limits_of_call(function)
        timer, preemptions = self._timing(limited)
        sampler = Sampler(
            function,
            args,
            kwargs,
            setup=setup,
            tolerate_errors=limited.limits.tolerates_errors,
            clock=self._clock,
            timer=timer,
            preemptions=preemptions,
        )
        ready = sampler.ready_async if awaits else sampler.ready
        others = any(name not in (None, operation) for name in self._limits)
        if not limited or others or self._watched:
            for other in self._operations.values():
                other.put_aside()
            result = yield (yield ready)
            if any(other.sampled for other in self._operations.values()):
                return (yield from self._call_in_rounds(sampler, operation, limited, awaits))
            if not limited:
                return result
        name = operation or self.name or called(function)
        return (yield from self._measure(sampler, limited, name=name, operation=operation, awaits=awaits, ready=ready))

    def _call_in_rounds(self, sampler: Sampler, name: str, limited: Limited, awaits: bool) -> Plan[Any]:
        """Call until the operations that are sampled inside of the call are decided, as a loop around it would.

        The call itself is one of them where it has limits, unless it is watched requests that these are meant for.
        """
        __tracebackhide__ = True
        self._title = self.name or called(sampler.function)
        meant_for_requests = self._watched and not name
        own = self._add(name, limited) if limited and not meant_for_requests and name not in self._operations else None
        loop = self._open_loop()
        ready = sampler.ready_async if awaits else sampler.ready
        result = None
        while (pause := loop.go_on()) is not None:
            if pause:
                yield partial(self._pause if awaits else self._sleep, pause)
                continue
            call = yield ready
            returned = yield partial(_within_async if awaits else _within, call, self._tolerated(), own)
            result = result if returned is None else returned
        if own is not None:
            del self._operations[name]
        found, error = self._found_in_loop()
        self._report((yield from self._profiled(found, ready, awaits)), error)
        return result

    def _tolerated(self) -> tuple[type[Exception], ...]:
        """The exceptions that a call with watched requests inside may raise: the requests have counted them."""
        tolerated = self._watched and any(operation.tolerates_errors for operation in self._operations.values())
        return (Exception,) if tolerated else ()

    def _measure(
        self,
        source: Source,
        limited: Limited,
        *,
        name: str,
        operation: str = "",
        awaits: bool = False,
        ready: Callable[[], Any] | None = None,
        **options: Any,
    ) -> Plan[Any]:
        """Judge the limits on a source of samples. `ready` makes a call of it available that is not measured."""
        __tracebackhide__ = True
        name = self._numbered(name)
        found: list[Measurement] = []
        result = None
        if limited.counts and ready is not None:
            result, counted, sources = yield from self._count(limited, ready, awaits)
            over = f"max_time of {limited.limits.max_time:g} s is over"
            found += self._counts_found(name, operation, limited, counted, sources, "" if counted else over)
        if limited.budgets:
            measuring = self._measuring(source, limited, **options)
            yield from self._take(measuring, source, name, awaits)
            found += self._found(measuring, name, operation, limited)
            if ready is not None:
                found = yield from self._profiled(found, ready, awaits)
        self._report(found, source.error)
        if source.error is not None and not source.returned:
            raise source.error
        return source.result if limited.budgets else result

    def _load_with(
        self, function: Callable[..., Any], args: Any, kwargs: Any, *, awaits: bool, how: Mapping[str, Any]
    ) -> Plan[Any]:
        """Call `function` at a rate until everything about it is decided."""
        __tracebackhide__ = True
        from pytest_reliability.latency.load import OpenLoop

        operation, limited = self._limits_of_call(function)
        limits = limited.limits
        if limits.clock == "cpu":
            raise BudgetError('clock="cpu" tells nothing of callers that wait for each other; leave it out under a load')
        calls = Sampler(function, args, kwargs)
        ready = calls.ready_async if awaits else calls.ready
        times = [budget.limit for budget in limited.budgets if budget.kind in ("latency", "max")]
        source = OpenLoop(
            function,
            args,
            kwargs,
            **how,
            limit=min(times, default=None),
            tolerate_errors=limits.tolerates_errors,
            clock=self._clock,
            sleep=self._sleep,
            preemptions=self._preemptions,
        )
        if not limited:
            return (yield (yield ready))
        name = operation or self.name or called(function)
        options = {"warms_up": False, "max_time": max(limits.max_time, 2.0 * how["duration"])}
        return (yield from self._measure(source, limited, name=name, operation=operation, awaits=awaits, ready=ready, **options))

    def _measuring(self, source: Any, limited: Limited, **options: Any) -> Measuring:
        options = {"max_time": limited.limits.max_time, "clock": self._clock, "load": self._load, "judge": self._judge, **options}
        if limited.limits.clock == "cpu":
            options["load"] = None
        return Measuring(limited.budgets, source, **options)

    def _take(self, measuring: Measuring, source: Source, name: str, awaits: bool) -> Plan[None]:
        """Take what the rule wants until it has decided."""
        __tracebackhide__ = True
        step = measuring.begin()
        while step is not None:
            if step.pause:
                yield partial(self._pause if awaits else self._sleep, step.pause)
                step = measuring.go_on(())
            else:
                step = measuring.go_on((yield from self._draw(measuring, source, step, name, awaits)))

    def _draw(self, measuring: Measuring, source: Source, step: Step, name: str, awaits: bool) -> Plan[list[float]]:
        """Take the samples of one step; in parts where somebody wants to see how far it is."""
        __tracebackhide__ = True
        draw = source.draw_async if awaits else source.draw
        in_parts = self._progress is not None and isinstance(source, Sampler)
        drawn: list[float] = []
        while True:
            until = min(step.deadline, self._clock() + PROGRESS_EVERY) if in_parts else step.deadline
            drawn += yield partial(draw, step.count - len(drawn), until)
            if not awaits:
                refuse_coroutine(source.result)
            self._tell(measuring, name, len(drawn))
            if not in_parts or len(drawn) >= step.count or self._clock() >= step.deadline or source.too_busy:
                return drawn

    def _count(self, limited: Limited, ready: Callable[[], Any], awaits: bool) -> Plan[Counted]:
        """Count in a few calls, after one that fills caches and opens connections; in fewer where these take too long."""
        from pytest_reliability.latency.counting import Counting

        tolerated = (Exception,) if limited.limits.tolerates_errors else ()
        counted: list[dict[str, int]] = []
        deadline = self._clock() + limited.limits.max_time
        with Counting({budget.counter for budget in limited.counts}) as counting:
            while len(counted) <= COUNTED and (not counted or self._clock() < deadline):
                call = yield ready
                before = counting.counts()
                result = yield partial(_within_async if awaits else _within, call, tolerated)
                counted.append({counter: n - before[counter] for counter, n in counting.counts().items()})
            return result, counted[1:], counting.sources

    def _profiled(self, found: list[Measurement], ready: Callable[[], Any], awaits: bool) -> Plan[list[Measurement]]:
        """The same, with where the time of one more call went beside what is too slow.

        Where not every call is slow, one that is has to be found: a quick one would point at the wrong place.
        """
        took = _took(found)
        if not took:
            return found
        from pytest_reliability.latency.profile import profile_call, profile_call_async

        profiled = profile_call_async if awaits else profile_call
        lines: tuple[str, ...] = ()
        for _ in range(MOST_PROFILED):
            call = yield ready
            lines = yield partial(profiled, call, took, least=took / 2, clock=self._clock)
            if lines:
                break
        return [replace(measurement, profile=lines) if _is_slow(measurement) else measurement for measurement in found]

    def _perform(self, plan: Plan[Any]) -> Any:
        """Do what the plan says, and return what it comes to."""
        __tracebackhide__ = True
        with self._exclusive, closing(plan):
            done = None
            while True:
                try:
                    action = plan.send(done)
                except StopIteration as end:
                    return end.value
                done = action()

    async def _perform_async(self, plan: Plan[Any]) -> Any:
        """The same for actions that are awaited."""
        __tracebackhide__ = True
        with self._exclusive, closing(plan):
            done = None
            while True:
                try:
                    action = plan.send(done)
                except StopIteration as end:
                    return end.value
                done = await action()

    async def _pause(self, seconds: float) -> None:
        """Let the event loop go on meanwhile, if it is asyncio's or one that anyio knows."""
        import asyncio

        for library in (asyncio, sys.modules.get("anyio")):
            with suppress(RuntimeError):  # it is not the one whose event loop this is
                if library is not None:
                    await library.sleep(seconds)
                    return
        self._sleep(seconds)

    def _tell(self, measuring: Measuring, name: str, waiting: int) -> None:
        """Let people know how far it is, but not too often."""
        if self._progress is None or self._clock() < self._told + PROGRESS_EVERY:
            return
        progress = measuring.progress(name, waiting)
        if progress.seconds >= PROGRESS_AFTER:
            self._told = self._clock()
            self._progress(progress)

    # --- What was found

    def _numbered(self, name: str) -> str:
        """The name, with a number where one test measures the same thing again."""
        self._uses[name] = self._uses.get(name, 0) + 1
        return name if self._uses[name] == 1 else f"{name} #{self._uses[name]}"

    def _found(self, measuring: Measuring, name: str, operation: str, limited: Limited) -> list[Measurement]:
        """The measurements of what was judged, whose samples are kept for comparison with other runs."""
        found = measuring.measurements(name, operation, self.test, self.doubt)
        outcomes = {measurement.outcome for measurement in found}
        worst = next((outcome for outcome in (FAIL, INCONCLUSIVE) if outcome in outcomes), PASS)
        self.sampled.append(Sampled(name, operation, worst, tuple(measuring.recorded), limited.limits.ratchet))
        return found

    def _counts_found(
        self,
        name: str,
        operation: str,
        limited: Limited,
        counted: Sequence[Mapping[str, int]] = (),
        sources: Sequence[str] = (),
        because: str = "",
    ) -> list[Measurement]:
        """The measurements of what was counted; `because` says why nothing was."""
        from pytest_reliability.latency.counting import judge_counts

        found = []
        for budget in limited.counts:
            counts = [counts[budget.counter] for counts in counted]
            outcome, reason = judge_counts(budget, counts, sources)
            found.append(
                Measurement(
                    name=name,
                    test=self.test,
                    budget=str(budget),
                    outcome=outcome,
                    reason=f"{reason} ({because})" if because else reason,
                    limit=float(budget.most),
                    quantile=1.0,
                    n=len(counts),
                    over=sum(1 for count in counts if count > budget.most),
                    operation=operation,
                    kind="count",
                )
            )
        return found

    def _report(self, found: Sequence[Measurement], error: Exception | None = None) -> None:
        """Keep what was found; raise what the test has to fail for."""
        __tracebackhide__ = True
        self.measurements += found
        if failed := [measurement for measurement in found if measurement.outcome == FAIL]:
            raise BudgetExceeded(failed) from error

    # --- The end of the test

    def conclude(self) -> None:
        """Judge what the test has left undecided: a loop that it left, and samples that it took outside any loop.

        Raises BudgetExceeded where these break a budget. What has limits and was never measured is inconclusive.
        """
        __tracebackhide__ = True
        found, error = self._found_in_loop()
        self.measurements += found
        outside = self._found_outside_loops()
        self.measurements += outside
        self.measurements += self._missing()
        self._limits, self._operations = {}, {}
        if failed := [measurement for measurement in (*found, *outside) if measurement.outcome == FAIL]:
            raise BudgetExceeded(failed) from error

    def close(self) -> None:
        """Undo what the test has done to its dependencies and to what it watched. A loop that it left is inconclusive."""
        self.measurements += self._found_in_loop()[0]
        for thing in self._watched:
            from pytest_reliability.latency.http import unwatch

            unwatch(thing)
        self._watched = []
        super().close()

    def _found_outside_loops(self) -> list[Measurement]:
        """Judge what was recorded or sampled outside any loop: where it has limits of its own, or nothing else was judged."""
        found: list[Measurement] = []
        others = bool(self.measurements)
        judged = {measurement.operation for measurement in self.measurements}
        for operation in self._operations.values():
            operation.put_aside()
            wanted = operation.name in self._limits or not others
            if operation.stray and wanted and operation.name not in judged:
                found += self._found_in(operation)
        return found

    def _found_in(self, operation: Operation) -> list[Measurement]:
        """Judge samples that are there already."""
        limited, name = operation.limited, self._numbered(operation.name)
        found = self._counts_found(name, operation.name, limited)
        if limited.budgets:
            replay = Replay(operation)
            readings = chain(filter(None, (self._before,)), iter(self._load, None))
            load = partial(next, readings)
            measuring = self._measuring(replay, limited, clock=replay.clock, load=load, max_time=inf, warms_up=False)
            step = measuring.begin()
            while step is not None:
                replay.pause(step.pause)
                step = measuring.go_on(replay.take(step.count))
            found += self._found(measuring, name, operation.name, limited)
        return found

    def _missing(self) -> list[Measurement]:
        """What has limits and was never measured: it has not passed, and people should know why."""
        judged = {measurement.operation for measurement in self.measurements}
        known = [*self._operations, *self._unmeasured]
        found: list[Measurement] = []
        for name, limits in self._limits.items():
            if name is None and self.measurements:
                continue
            if name in judged:
                continue
            title = self._numbered(name or self.name)
            limited = self._limited_by(limits)
            found += self._counts_found(title, name or "", limited)
            if limited.budgets:
                timer, preemptions = self._timing(limited)
                operation = Operation(title, limited, timer=timer, preemptions=preemptions)
                measuring = self._measuring(operation, limited, warms_up=False)
                measuring.begin()
                measuring.give_up(_advice(name, known))
                found += measuring.measurements(title, name or "", self.test)
        return found


class Calls:
    """Calls that are measured as `plan` says: one after the other, or at a rate."""

    def __init__(self, latency: Latency, plan: Callable[..., Plan[Any]]) -> None:
        self._latency = latency
        self._plan = plan

    def __call__(self, function: Callable[..., T], /, *args: Any, **kwargs: Any) -> T:
        """Call `function` with these arguments until every budget is decided; return what its last call returned."""
        __tracebackhide__ = True
        refuse_asynchronous(function)
        result: T = self._latency._perform(self._plan(function, args, kwargs, awaits=False))
        return result

    async def run(self, function: Callable[..., Awaitable[T]], /, *args: Any, **kwargs: Any) -> T:
        """The same for a function whose result is awaited; the setup may be asynchronous, too."""
        __tracebackhide__ = True
        result: T = await self._latency._perform_async(self._plan(function, args, kwargs, awaits=True))
        return result


def _is_slow(measurement: Measurement) -> bool:
    """Whether it is worth to know where the time goes: not where all calls over the limit are those that raised."""
    is_time = measurement.kind in ("latency", "max", "throughput")
    return measurement.outcome == FAIL and is_time and measurement.bins_to > measurement.limit


def _took(found: Iterable[Measurement]) -> float:
    """How many seconds a call takes that is too slow, at least; 0 where nothing is."""
    return max((measurement.low or measurement.limit for measurement in found if _is_slow(measurement)), default=0.0)


@coroutine
def _round(number: int) -> Generator[int, None, None]:
    """A round of somebody's loop, as something to await."""
    yield number


def _within(call: Callable[[], Any], tolerated: tuple[type[Exception], ...], own: Operation | None = None) -> Any:
    """Make a call, as a sample of `own` if that is given; None where it raised what is tolerated."""
    with suppress(*tolerated), Sample(own) if own else UNMEASURED:
        return call()
    return None


async def _within_async(call: Callable[[], Any], tolerated: tuple[type[Exception], ...], own: Operation | None = None) -> Any:
    """The same for a call that is awaited."""
    with suppress(*tolerated), Sample(own) if own else UNMEASURED:
        return await call()
    return None


def _advice(name: str | None, known: Collection[str]) -> str:
    """What to do so that something is measured."""
    if name is None:
        return "nothing was measured: call it through latency(…), or sample it"
    if not known:
        return f"nothing samples {name!r}"
    from pytest_reliability.shape import nearest

    meant = nearest(name, known)
    return f"nothing samples {name!r}; did you mean {meant!r}?" if meant else f"sampled were {', '.join(map(repr, known))}"
