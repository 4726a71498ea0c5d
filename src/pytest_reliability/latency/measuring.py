"""One measurement under way: several budgets, judged one after the other on the same calls.

Calling is left to whoever drives it, because a call may have to be awaited: `begin` and `go_on` say what to draw next.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, replace
from math import inf

from pytest_reliability.latency.budget import Budget
from pytest_reliability.latency.host import Evidence, Load
from pytest_reliability.latency.judge import INCONCLUSIVE, REST, Design, Verdict
from pytest_reliability.latency.message import percent
from pytest_reliability.latency.sampler import Sampler

LEAST_REST, MOST_REST = 0.25, 10.0
"""Seconds of rest before a failure is confirmed, at least and at most."""

MOST_WARM_UP = 30
WARM_UP_SHARE = 0.1
"""Warming up takes no more calls than that, and no more than this share of the time for measuring."""


def resting_time(took: float) -> float:
    """How long to rest after a batch that took `took` seconds, so that what slowed it down is not simply still there."""
    return min(max(LEAST_REST, 2.0 * took), MOST_REST)


@dataclass(frozen=True, slots=True)
class Step:
    """Pause for so many seconds; then draw `count` samples, before the deadline on the sampler's clock."""

    count: int = 0
    deadline: float = 0.0
    pause: float = 0.0


class Measuring:
    """Judges `budgets` on what `sampler` draws. When no step is left, `verdicts` has one verdict for each of them.

    Each budget may take `max_time` seconds, and once more where a failure has to be confirmed.
    """

    def __init__(
        self,
        budgets: Sequence[Budget],
        sampler: Sampler,
        *,
        judge: Design,
        max_time: float,
        clock: Callable[[], float],
        load: Callable[[], Load] = Load.now,
    ) -> None:
        self.sampler = sampler
        self.verdicts: list[Verdict] = []
        self.warm_up_calls = 0
        self._budgets = budgets
        self._judge = judge
        self._max_time = max_time
        self._clock = clock
        self._load = load
        self._before = load()
        self._began = clock()
        self._recorded: list[float] = []
        self._steps = self._plan()

    def begin(self) -> Step | None:
        """The first step."""
        return next(self._steps, None)

    def go_on(self, drawn: Sequence[float]) -> Step | None:
        """The step after the one that `drawn` came from; None when every budget is decided."""
        try:
            return self._steps.send(drawn)
        except StopIteration:
            return None

    @property
    def evidence(self) -> tuple[str, ...]:
        """What the host did so far, and what was left out."""
        sampler = self.sampler
        host = Evidence.between(
            self._before,
            self._load(),
            measured=sampler.measured,
            set_aside=sampler.set_aside,
            guarded=sampler.guarded,
        )
        calls = "call" if self.warm_up_calls == 1 else "calls"
        return str(host), f"{self.warm_up_calls} warm-up {calls} left out"

    def _plan(self) -> Generator[Step, Sequence[float], None]:
        yield from self._warm_up()
        for budget in self._budgets:
            self.verdicts.append((yield from self._decide(budget)))

    def _warm_up(self) -> Generator[Step, Sequence[float], None]:
        """Leave out the first calls, for as long as each is faster than all before it."""
        deadline = self._deadline(WARM_UP_SHARE)
        fastest = inf
        for _ in range(MOST_WARM_UP):
            drawn = yield Step(1, deadline)
            if not drawn or drawn[0] >= fastest:
                break
            fastest = drawn[0]
        self.warm_up_calls = self.sampler.measured
        self.sampler.forget()

    def _decide(self, budget: Budget) -> Generator[Step, Sequence[float], Verdict]:
        """Run the rule on the calls recorded so far, and on new ones where it needs more."""
        steps = self._judge(budget, self._max_time)
        deadline = self._deadline()
        began, used, cut_short = self._began, 0, False
        wanted = next(steps)
        while True:
            if wanted == REST:
                gc.collect()
                yield Step(pause=resting_time(self._clock() - began))
                began, used, deadline = self._clock(), len(self._recorded), self._deadline()
                received: Sequence[float] = ()
            else:
                missing = used + wanted - len(self._recorded)
                if missing > 0:
                    self._recorded += yield Step(missing, deadline)
                received = self._recorded[used : used + wanted]
                used += len(received)
                cut_short = len(received) < wanted
            try:
                wanted = steps.send(received)
            except StopIteration as decided:
                return self._explained(decided.value, cut_short)

    def _explained(self, verdict: Verdict, cut_short: bool) -> Verdict:
        """The verdict, with the reason why there were too few samples, if there were."""
        sampler = self.sampler
        if verdict.outcome != INCONCLUSIVE or not cut_short:
            return verdict
        if sampler.too_busy:
            share = percent(sampler.set_aside / sampler.measured)
            reason = f"the host is too busy to judge: {share} of {sampler.measured} samples preempted"
        else:
            reason = f"{verdict.reason} (max_time of {self._max_time:g} s is over)"
        return replace(verdict, reason=reason)

    def _deadline(self, share: float = 1.0) -> float:
        return self._clock() + self._max_time * share
