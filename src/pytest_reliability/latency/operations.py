"""Named operations of a test: how their samples are taken, and the loop that goes on until all of them are decided.

Here the test itself calls what is measured. An `Operation` collects what `with latency.sample(name)` timed, and the
`Loop` looks after each round whether its rule wants more.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from math import inf, isfinite
from threading import get_ident
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypeVar

from pytest_reliability.latency.budget import Budget, CountBudget, Limits
from pytest_reliability.latency.forms import decorated
from pytest_reliability.latency.measuring import Measuring, Step
from pytest_reliability.latency.preemption import too_busy

if TYPE_CHECKING:
    from pytest_reliability.latency.counting import Counting

F = TypeVar("F", bound=Callable[..., Any])

COUNTED = 5
"""How many calls are counted, for a budget of a count."""

PATIENCE = 20
"""Rounds for which a loop waits for an operation that has a budget and was never sampled; where it is only to be counted,
no more than counting takes."""

SHORT = 20e-6
"""A sample that took fewer seconds was not preempted for long, so that nobody need ask; asking takes longer than some of them."""

RECENT = 50e-6
"""Seconds for which an answer about preemption holds: what happened in between is hardly ever something else than a sample."""


@dataclass(frozen=True, slots=True)
class Limited:
    """What an operation must keep: its limits, and the budgets that these come to."""

    limits: Limits
    budgets: tuple[Budget, ...]

    @property
    def counts(self) -> tuple[CountBudget, ...]:
        """What is counted."""
        return self.limits.counts

    def __bool__(self) -> bool:
        return bool(self.budgets or self.counts)


class Operation:
    """Something that is sampled by name. What was sampled waits in `times` until a rule wants it.

    Appending is all that threads do to it, so that they may sample the same operation at the same time.
    """

    __slots__ = (
        "_taken",
        "counted",
        "counting",
        "error",
        "limited",
        "looked",
        "measuring",
        "name",
        "preempted",
        "preemptions",
        "sources",
        "step",
        "stray",
        "stray_set_aside",
        "timer",
        "times",
        "tolerates_errors",
    )

    chunk = 1
    intervals: list[float] | None = None
    notes: tuple[str, ...] = ()
    doubt = ""

    def __init__(self, name: str, limited: Limited, *, timer: Callable[[], float], preemptions: Callable[[], int] | None) -> None:
        self.name = name
        self.limited = limited
        self.tolerates_errors = limited.limits.tolerates_errors
        self.timer = timer
        self.preemptions = preemptions
        self.looked = 0, -inf, 0
        """Which thread was last asked how often it was preempted, when, and what the answer was."""
        self.times: list[float] = []
        self.preempted: list[float] = []
        self.stray: list[float] = []
        self.stray_set_aside = 0
        """What was sampled outside any loop, and how much of that was preempted."""
        self.error: Exception | None = None
        self.measuring: Measuring | None = None
        self.step: Step | None = None
        self.counting: Counting | None = None
        self.counted: list[Mapping[str, int]] = []
        self.sources: tuple[str, ...] = ()
        self._taken = 0

    @property
    def sampled(self) -> bool:
        """Whether there are samples that no rule has asked for yet."""
        return bool(self.times or self.preempted)

    @property
    def measured(self) -> int:
        """How many samples were taken."""
        return self._taken + len(self.times) + len(self.preempted)

    @property
    def set_aside(self) -> int:
        """How many of them were preempted."""
        return len(self.preempted)

    @property
    def guarded(self) -> bool:
        """Whether preemption is counted here at all."""
        return self.preemptions is not None

    @property
    def too_busy(self) -> bool:
        """Whether the host preempts so many samples that they cannot be judged."""
        return too_busy(self.set_aside, self.measured)

    def look(self) -> tuple[int, float, int]:
        """Ask how often this thread was preempted."""
        times = self.preemptions() if self.preemptions else 0
        self.looked = looked = get_ident(), self.timer(), times
        return looked

    def take(self, count: int) -> list[float]:
        """The oldest samples that wait, as many as that or fewer."""
        taken = self.times[:count]
        del self.times[: len(taken)]
        self._taken += len(taken)
        return taken

    def drop(self) -> None:
        """Forget what waits."""
        self.times.clear()

    def forget(self) -> None:
        """Start counting afresh: what was measured so far was warming up."""
        self._taken = 0
        self.preempted.clear()

    def put_aside(self) -> None:
        """Keep what was sampled outside a loop apart from what the loop is going to sample."""
        self.stray += self.times
        self.stray_set_aside += len(self.preempted)
        self.drop()
        self.forget()


class Sample:
    """One sample of an operation: `with` it around what is timed, or decorate a function with it.

    An exception inside counts and ends there where errors have a budget; otherwise it is the test's failure.
    """

    __slots__ = ("_before", "_counts", "_operation", "_start")

    def __init__(self, operation: Operation) -> None:
        self._operation = operation

    def __enter__(self) -> None:
        operation = self._operation
        if operation.counting is not None:
            self._counts = operation.counting.counts()
        if operation.preemptions is not None:
            looked = operation.looked
            if operation.timer() - looked[1] > RECENT or looked[0] != get_ident():
                looked = operation.look()
            self._before = looked[2]
        self._start = operation.timer()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> bool:
        operation = self._operation
        seconds = operation.timer() - self._start
        if kind is not None:
            if not operation.tolerates_errors or not isinstance(error, Exception):
                return False
            operation.error = error
            seconds = inf
        if operation.preemptions is not None and seconds >= SHORT and operation.look()[2] != self._before:
            operation.preempted.append(seconds)
        else:
            operation.times.append(seconds)
        if operation.counting is not None:
            after = operation.counting.counts()
            operation.counted.append({name: count - self._counts.get(name, 0) for name, count in after.items()})
        return kind is not None

    def __call__(self, function: F) -> F:
        """The function, each of whose calls is a sample."""
        return decorated(function, lambda: Sample(self._operation))


class Loop:
    """Rounds of a test's own loop, for as long as an operation is undecided.

    Between rounds `go_on` gives every operation's rule what was sampled. `begin` starts the measuring of an operation,
    `expected` are those with limits of their own, and `tell` hears how far each is.
    """

    def __init__(
        self,
        operations: Mapping[str, Operation],
        *,
        begin: Callable[[Operation], Measuring],
        expected: Mapping[str, Limited],
        clock: Callable[[], float],
        tell: Callable[[Measuring, str, int], None],
    ) -> None:
        self.rounds = 0
        self.over = False
        self.touched: dict[str, Operation] = {}
        """The operations that were sampled in it and are judged."""
        self._operations = operations
        self._begin = begin
        self._expected = expected
        self._clock = clock
        self._tell = tell
        self._resting: list[Operation] = []
        self._slept = 0.0
        for operation in operations.values():
            operation.put_aside()

    def go_on(self) -> float | None:
        """How long to pause now, 0.0 for going on with another round at once; None when everything is decided."""
        if self.over:
            return None
        self._wake_up()
        for operation in tuple(self._operations.values()):
            self._feed(operation)
        self._resting = [operation for operation in self.touched.values() if operation.step and operation.step.pause]
        if self._resting:
            self._slept = self._clock()
            return max(operation.step.pause for operation in self._resting if operation.step)
        if self.rounds and not self._undecided():
            self.over = True
            return None
        self.rounds += 1
        return 0.0

    def _wake_up(self) -> None:
        """Go on after a rest, which is not at the cost of those that needed none."""
        slept = self._clock() - self._slept
        resting, self._resting = self._resting, []
        for operation in self.touched.values() if resting else ():
            if operation in resting:
                operation.drop()
                operation.step = _after(operation, ())
            elif operation.measuring is not None and operation.step is not None:
                operation.measuring.hold_up(slept)
                operation.step = replace(operation.step, deadline=operation.step.deadline + slept)

    def leave(self, because: str) -> None:
        """End it here, whatever is undecided; no more samples will come."""
        self.over = True
        for operation in self._operations.values():
            if operation.sampled:
                self.touched[operation.name] = operation
        for operation in self.touched.values():
            self._stop_counting(operation)
            if operation.measuring is None and operation.limited.budgets:
                operation.measuring = self._begin(operation)
                operation.step = operation.measuring.begin()
            if operation.measuring is not None and operation.step is not None:
                operation.measuring.give_up(because, operation.take(operation.step.count))
                operation.step = None

    def _undecided(self) -> bool:
        if any(operation.step is not None or operation.counting is not None for operation in self.touched.values()):
            return True
        return any(self.rounds < _patience(limited) for name, limited in self._expected.items() if name not in self.touched)

    def _feed(self, operation: Operation) -> None:
        """Give the operation's rule what was sampled in the rounds so far, if that is enough for it to go on."""
        if operation.name not in self.touched:
            if not operation.sampled:
                return
            self.touched[operation.name] = operation
            if operation.limited.counts:
                operation.drop()
                operation.counted = []
                operation.counting = _listening(operation.limited.counts)
                return
        if operation.counting is not None:
            operation.drop()
            if len(operation.counted) < COUNTED:
                return
            self._stop_counting(operation)
        if operation.measuring is None and operation.limited.budgets:
            operation.forget()
            operation.measuring = self._begin(operation)
            operation.step = operation.measuring.begin()
        while (step := operation.step) is not None and step.count:
            ready = len(operation.times) >= step.count or self._clock() >= step.deadline or operation.too_busy
            if not ready:
                break
            operation.step = _after(operation, operation.take(step.count))
        if operation.measuring is None or operation.step is None:
            operation.drop()
        else:
            self._tell(operation.measuring, operation.name, len(operation.times))

    def _stop_counting(self, operation: Operation) -> None:
        if operation.counting is not None:
            operation.sources = operation.counting.sources
            operation.counting.__exit__(None, None, None)
            operation.counting = None


def _patience(limited: Limited) -> int:
    return PATIENCE if limited.budgets else 1 + COUNTED


def _after(operation: Operation, drawn: Sequence[float]) -> Step | None:
    assert operation.measuring is not None
    return operation.measuring.go_on(drawn)


def _listening(budgets: Sequence[CountBudget]) -> Counting:
    from pytest_reliability.latency.counting import Counting

    return Counting({budget.counter for budget in budgets}).__enter__()


class Replay:
    """Samples that were taken before anybody asked for them, in order, as a source.

    What passes meanwhile is the time that they took, so that a pause leaves out the samples of that time.
    """

    chunk = 1
    intervals: list[float] | None = None
    notes: tuple[str, ...] = ()
    doubt = ""

    def __init__(self, operation: Operation) -> None:
        self.now = 0.0
        self.guarded = operation.guarded
        self.set_aside = operation.stray_set_aside
        self.measured = len(operation.stray) + self.set_aside
        self.too_busy = too_busy(self.set_aside, self.measured)
        self._samples = iter(operation.stray)

    def clock(self) -> float:
        """The time that the samples took so far."""
        return self.now

    def take(self, count: int) -> list[float]:
        """The next samples."""
        taken = list(islice(self._samples, count))
        self.now += sum(filter(isfinite, taken))
        return taken

    def pause(self, seconds: float) -> None:
        """Leave out the samples of so many seconds."""
        until = self.now + seconds
        while self.now < until and self.take(1):
            pass

    def forget(self) -> None:
        """Nothing is left out here."""
