"""One measurement under way: several budgets, judged one after the other on the same samples.

Taking the samples is left to whoever drives it, because a call may have to be awaited and a test may write its own loop:
`begin` and `go_on` say what is wanted next.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, replace
from math import inf

from pytest_reliability.latency.budget import Budget
from pytest_reliability.latency.distribution import histogram
from pytest_reliability.latency.host import CROWDED, Evidence, Load
from pytest_reliability.latency.judge import CALLS_PER_BLOCK, FAIL, INCONCLUSIVE, REST, Design, Verdict, at_once, resting_time
from pytest_reliability.latency.message import percent
from pytest_reliability.latency.source import Collected
from pytest_reliability.report import Measurement

MOST_WARM_UP = 60
WARM_UP_SHARE = 0.1
"""Warming up takes no more calls than that, and no more than this share of the time for measuring."""

WARM_UP_BLOCK = 5
STEADY_BLOCKS = 2
"""Warming up ends after so many blocks of calls in a row of which none has a lower median than all blocks before."""

CPU_TIME = "CPU time"


@dataclass(frozen=True, slots=True)
class Step:
    """Pause for so many seconds; then take `count` samples, before the deadline on the session's clock."""

    count: int = 0
    deadline: float = 0.0
    pause: float = 0.0


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a measurement is: `n` samples after so many `seconds`, for this budget."""

    name: str
    budget: str
    n: int
    seconds: float

    def __str__(self) -> str:
        return f"{self.name}  {self.budget}   n={self.n:,}   {self.seconds:.0f} s"


@dataclass(frozen=True, slots=True)
class Finding:
    """A verdict, and what the host did until then; None where it does not matter."""

    verdict: Verdict
    host: Evidence | None


class Measuring:
    """Judges `budgets` on samples from `source`. When no step is left, `findings` has a verdict for each of them.

    Each budget may take `max_time` seconds, and once more for each time that a failure has to be confirmed. `load` reads
    what the host is doing; None where processor time is measured, which other processes do not add to.
    """

    def __init__(
        self,
        budgets: Sequence[Budget],
        source: Collected,
        *,
        judge: Design,
        max_time: float,
        clock: Callable[[], float],
        load: Callable[[], Load] | None = Load.now,
        warms_up: bool = True,
    ) -> None:
        self.source = source
        self.findings: list[Finding] = []
        self.recorded: list[float] = []
        """Every sample that was taken to be judged, in order."""
        self.left_out = 0
        """How many calls were warming up."""
        self._budgets = budgets
        self._judge = judge
        self._max_time = max_time
        self._clock = clock
        self._load = load
        self._before = load() if load else None
        self._began = self._measured_since = clock()
        self._over_because = ""
        self._chunk = 0
        self._held_up = 0.0
        self._steps = self._plan(warms_up)

    def begin(self) -> Step | None:
        """The first step."""
        return next(self._steps, None)

    def go_on(self, drawn: Sequence[float]) -> Step | None:
        """The step after the one that `drawn` came from; None when every budget is decided."""
        try:
            return self._steps.send(drawn)
        except StopIteration:
            return None

    def give_up(self, because: str, drawn: Sequence[float] = ()) -> None:
        """Decide what can be decided on what there is; no more samples will come."""
        self._over_because = because
        step = self.go_on(drawn)
        while step is not None:
            step = self.go_on(())

    def hold_up(self, seconds: float) -> None:
        """Leave out of the time for measuring what passes while another measurement in the same loop rests."""
        self._held_up += seconds

    def progress(self, name: str, waiting: int = 0) -> Progress:
        """How far it is, with so many samples that it has not been given yet."""
        budget = self._budgets[min(len(self.findings), len(self._budgets) - 1)]
        return Progress(name, str(budget), len(self.recorded) + waiting, self._clock() - self._began)

    def measurements(self, name: str, operation: str, test: str, doubt: str = "") -> list[Measurement]:
        """What was found, under these names. A failure that cannot be trusted is inconclusive, for the reason `doubt`."""
        return [
            replace(
                _measurement(self._trusted(finding, doubt or self.source.doubt), self._evidence(finding.host)),
                name=name,
                operation=operation,
                test=test,
                notes=self.source.notes,
            )
            for finding in self.findings
        ]

    def _trusted(self, finding: Finding, doubt: str) -> Verdict:
        """The verdict; where it is a failure on a busy host, or in doubt for another reason, the one that stands to reason."""
        verdict, host = finding.verdict, finding.host
        if verdict.outcome != FAIL:
            return verdict
        if not doubt and host is not None and _explains(host, verdict, getattr(self.source, "error", None)):
            doubt = str(host)
        if not doubt:
            return verdict
        return replace(verdict, outcome=INCONCLUSIVE, reason=f"{verdict.reason}, but {doubt}")

    def _evidence(self, host: Evidence | None) -> tuple[str, ...]:
        left_out = f"{self.left_out} warm-up call{'s' if self.left_out > 1 else ''} left out"
        return (CPU_TIME if host is None else str(host), *((left_out,) if self.left_out else ()))

    def _host(self) -> Evidence | None:
        if self._load is None or self._before is None:
            return None
        source = self.source
        return Evidence.between(
            self._before,
            self._load(),
            measured=source.measured,
            set_aside=source.set_aside,
            guarded=source.guarded,
        )

    def _plan(self, warms_up: bool) -> Generator[Step, Sequence[float], None]:
        if warms_up:
            yield from self._warm_up()
        for budget in self._budgets:
            verdict = yield from self._decide(budget)
            self.findings.append(Finding(verdict, self._host()))

    def _warm_up(self) -> Generator[Step, Sequence[float], None]:
        """Leave out the first call, and blocks of calls after it for as long as they grow faster.

        Only the calls that are left out decide how many these are, so that the others are no choice.
        """
        deadline = self._now() + self._max_time * WARM_UP_SHARE
        drawn = yield self._step(1, deadline)
        left_out, fastest, steady = len(drawn), inf, 0
        for _ in range(1, MOST_WARM_UP - WARM_UP_BLOCK, WARM_UP_BLOCK):
            if not drawn or steady == STEADY_BLOCKS:
                break
            drawn = yield self._step(WARM_UP_BLOCK, deadline)
            left_out += len(drawn)
            middle = sorted(drawn)[len(drawn) // 2] if drawn else inf
            steady = 0 if middle < fastest else steady + 1
            fastest = min(fastest, middle)
        self.left_out = left_out + self.source.set_aside
        self.source.forget()
        self._measured_since = self._clock()

    def _decide(self, budget: Budget) -> Generator[Step, Sequence[float], Verdict]:
        """Run the rule on the samples recorded so far, and on new ones where it needs more."""
        deadline = self._now() + self._max_time
        if self.source.chunk > 1 and not self.recorded:
            self.recorded += yield self._step(self.source.chunk, deadline)
        steps = self._rule(budget)(budget, self._max_time)
        began, used, cut_short, confirmed = self._measured_since, 0, False, 0
        wanted = next(steps)
        while True:
            received: Sequence[float] = ()
            if wanted == REST:
                gc.collect()
                yield Step(pause=resting_time(self._clock() - began, confirmed))
                confirmed += 1
                began, used, deadline = self._clock(), len(self._stream(budget)), self._now() + self._max_time
            else:
                while (missing := used + wanted - len(self._stream(budget))) > 0:
                    drawn = yield self._step(missing, deadline)
                    if not drawn:
                        break
                    self.recorded += drawn
                received = self._stream(budget)[used : used + wanted]
                used += len(received)
                cut_short = len(received) < wanted
            try:
                wanted = steps.send(received)
            except StopIteration as decided:
                return self._explained(decided.value, deadline if cut_short else inf)

    def _now(self) -> float:
        """The time, without what others took to rest."""
        return self._clock() - self._held_up

    def _step(self, count: int, deadline: float) -> Step:
        return Step(count, deadline + self._held_up)

    def _rule(self, budget: Budget) -> Design:
        """The rule; where samples come many at a time, one that looks after as many as came first, some being set aside."""
        if self.source.chunk == 1:
            return self._judge
        block = CALLS_PER_BLOCK if budget.kind == "throughput" else 1
        self._chunk = self._chunk or len(self.recorded)
        came = self._chunk if self._stream(budget) is self.recorded else self.source.chunk
        return at_once(max(1, came // block * block))

    def _stream(self, budget: Budget) -> list[float]:
        """What the budget is judged on: the samples, or the intervals between them where these are something else."""
        intervals = self.source.intervals
        return self.recorded if intervals is None or budget.kind != "throughput" else intervals

    def _explained(self, verdict: Verdict, deadline: float) -> Verdict:
        """The verdict, with the reason why there were too few samples by the deadline, if there were."""
        source = self.source
        if verdict.outcome != INCONCLUSIVE or deadline == inf:
            return verdict
        if self._over_because:
            return replace(verdict, reason=f"{verdict.reason} ({self._over_because})")
        if source.too_busy:
            share = percent(source.set_aside / source.measured)
            return replace(verdict, reason=f"the host is too busy to judge: {share} of {source.measured} samples preempted")
        if self._now() >= deadline:
            return replace(verdict, reason=f"{verdict.reason} (max_time of {self._max_time:g} s is over)")
        return verdict


def _explains(host: Evidence, verdict: Verdict, error: Exception | None) -> bool:
    """Whether the host's other work may be why a budget failed; `error` is the last one that counted as over.

    What the thread lost may have hit a few calls hard, which are then no evidence, or each call a little. And where others
    share the processors, calls are slower even while they run. No host makes a call raise, but for its patience.
    """
    errors = verdict.budget.counts_errors
    if host.quiet or (errors and not _timed_out(error)):
        return False
    lost = host.lost(sum(batch.took for batch in verdict.batches))
    hit_hard = any(batch.over - lost * batch.n < batch.fails_at * (1.0 - lost) for batch in verdict.batches)
    slower = CROWDED if host.crowded and not errors else 1.0
    return hit_hard or verdict.interval[0] * (1.0 - lost) < verdict.budget.limit * slower


def _timed_out(error: Exception | None) -> bool:
    """Whether an error says that somebody did not wait any longer; each library has a class of its own for that."""
    return error is not None and any("timeout" in base.__name__.lower() for base in type(error).__mro__)


def _measurement(verdict: Verdict, evidence: tuple[str, ...]) -> Measurement:
    budget = verdict.budget
    is_time = budget.kind in ("latency", "max", "throughput")
    low, high = verdict.interval if is_time else (0.0, inf)
    bins, bins_from, bins_to = histogram(verdict.samples if is_time else (), budget.limit)
    autocorrelation = verdict.autocorrelation
    if autocorrelation is not None:
        evidence += (f"lag-1 autocorrelation {autocorrelation:.2f}",)
    return Measurement(
        name="",
        test="",
        budget=str(budget),
        outcome=verdict.outcome,
        reason=verdict.reason,
        limit=budget.limit if is_time else 0.0,
        quantile=float(budget.quantile),
        n=verdict.n,
        over=verdict.over,
        low=low if 0.0 < low < inf else None,
        high=high if high < inf else None,
        slo=budget.slo,
        bins=bins,
        bins_from=bins_from,
        bins_to=bins_to,
        evidence=evidence,
        kind=budget.kind,
        autocorrelation=autocorrelation,
        false_alarm=verdict.false_alarm,
    )
