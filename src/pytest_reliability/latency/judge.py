"""The verdict: is a latency budget kept, is it broken, or is that not known?

The rule looks at the samples again and again while they come in, and each look spends a share of the permitted error,
so that looking often does not add to the false alarms. A budget fails only where a fresh batch, taken after a rest,
fails too. What is counted is how many samples are over the limit, so that nothing is assumed about the shape of the
distribution.

A rule is a generator (`Design`): it asks for samples, or for a rest, and returns the verdict. `judge` runs one on an
iterator; `session` runs several on the same calls, in the test's own event loop if need be.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from math import ceil, floor, inf, isfinite, isnan
from typing import TypeAlias

from pytest_reliability.latency.binomial import largest_share, surprisingly_few, surprisingly_many
from pytest_reliability.latency.budget import MAX_TIME, Budget
from pytest_reliability.latency.distribution import autocorrelation, quantile_interval

PASS = "pass"
FAIL = "fail"
INCONCLUSIVE = "inconclusive"

LOOKS = (20, 30, 45, 68, 102, 153, 230, 345, 500)
"""After how many samples the rule looks. Where time allows, looks go on, each at half as many samples again."""

GROWTH = 1.5
MOST_SAMPLES = 100_000

FAIL_LEVEL = 0.01
"""The chance that a first batch fails by accident, over all its looks."""

CONFIRM_LEVEL = 0.05
"""The chance that a fresh batch agrees by accident, over all its looks."""

PASS_LEVEL = 0.05
"""The chance that a budget which is not kept passes, over all looks."""

PROOF_LEVEL = 0.05
"""The chance that what an inconclusive verdict claims to be proven is not so."""

REST = 0
"""What a design asks for between two batches: time for whatever disturbed the first to go away."""

LEAST_REST = 0.25
"""Seconds that the first rest takes at least; each further one takes twice as long at least."""

LONGEST_MATCHED = 4.0
"""A rest takes as long as the batch before it, up to so many seconds."""

Design: TypeAlias = Callable[[Budget, float], Generator[int, Sequence[float], "Verdict"]]
"""A rule for verdicts: called with the budget and the seconds that the samples of a batch may take.

It yields the number of samples that it wants next and is sent as many, or fewer where there are no more; or it yields
`REST` and is sent nothing.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Samples that were judged together, `over` of them over the limit.

    At the last look `fails_at` or more over would have meant that the budget is broken, `passes_at` or fewer that it
    is kept; -1 where not even none over would have been enough. `complete` is False where samples ran out before it.
    """

    samples: tuple[float, ...] = field(repr=False)
    over: int
    fails_at: int
    passes_at: int
    complete: bool

    @property
    def n(self) -> int:
        """How many samples it has."""
        return len(self.samples)

    @property
    def outcome(self) -> str:
        """What this batch says by itself."""
        if self.complete and self.over >= self.fails_at:
            return FAIL
        return PASS if self.complete and self.over <= self.passes_at else INCONCLUSIVE


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What became of a budget, from which samples, and why. `outcome` is "pass", "fail" or "inconclusive".

    `batches` are the first and, where it had to be confirmed, the fresh one.
    """

    budget: Budget
    outcome: str
    reason: str
    batches: tuple[Batch, ...]

    @property
    def samples(self) -> tuple[float, ...]:
        """Every sample that was judged, in seconds and in order; an error is infinite."""
        return tuple(sample for batch in self.batches for sample in batch.samples)

    @property
    def n(self) -> int:
        """How many samples were judged."""
        return sum(batch.n for batch in self.batches)

    @property
    def over(self) -> int:
        """How many of them were over the limit."""
        return sum(batch.over for batch in self.batches)

    @property
    def interval(self) -> tuple[float, float]:
        """Where the quantile lies, at 95%, whatever the distribution; (0, infinity) where n is too small to tell."""
        return quantile_interval(self.samples, self.budget.quantile)

    @property
    def autocorrelation(self) -> float | None:
        """How much a sample resembles the one before it, from -1 to 1; the rule takes it for 0."""
        return autocorrelation(self.samples)

    @property
    def proven(self) -> float:
        """The highest quantile that these samples prove, at 95%, to be within the limit; 0.05 ** (1/n) with none over."""
        return 1.0 - largest_share(self.over, self.n, PROOF_LEVEL) if self.n else 0.0


def resting_time(took: float, round: int = 0) -> float:
    """How many seconds to rest after a batch that took `took` seconds; `round` counts the rests of one verdict from 0.

    A rule may ask for several rests in a row: each counts, and `took` is 0 for those with no batch before them.
    """
    return max(LEAST_REST * 2.0**round, min(took, LONGEST_MATCHED))


def judge(
    samples: Iterable[float],
    budget: Budget,
    *,
    rest: Callable[[], object] | None = None,
    seconds: float = MAX_TIME,
    design: Design | None = None,
) -> Verdict:
    """Draw from `samples` (seconds; infinite for an error) until it is known whether `budget` is kept.

    `rest` is called before a failure is confirmed with fresh samples. It should take about as long as the first batch
    took, so that a disturbance does not outlast it. Where the samples run out first, the verdict is inconclusive.
    Once the looks that every budget gets are spent, more follow while the samples of a batch add up to less than
    `seconds`.
    """
    stream = iter(samples)
    steps = (design or sequential)(budget, seconds)
    received: Sequence[float] = ()
    wanted = next(steps)
    while True:
        if wanted == REST:
            received = ()
            if rest is not None:
                rest()
        else:
            received = tuple(islice(stream, wanted))
        try:
            wanted = steps.send(received)
        except StopIteration as decided:
            verdict: Verdict = decided.value
            return verdict


def sequential(budget: Budget, seconds: float) -> Generator[int, Sequence[float], Verdict]:
    """The rule: judge a batch; where it fails, rest and judge a fresh one, and fail only if that one fails too."""
    first = yield from _batch(budget, seconds, FAIL_LEVEL)
    if first.outcome != FAIL:
        return Verdict(budget=budget, outcome=first.outcome, reason=_reason(budget, first), batches=(first,))
    yield REST
    fresh = yield from _batch(budget, seconds, CONFIRM_LEVEL)
    return Verdict(
        budget=budget,
        outcome=FAIL if fresh.outcome == FAIL else INCONCLUSIVE,
        reason=_reason_confirmed(budget, first, fresh),
        batches=(first, fresh),
    )


def _batch(budget: Budget, seconds: float, fail_level: float) -> Generator[int, Sequence[float], Batch]:
    allowed = float(budget.allowed)
    samples: list[float] = []
    passing_looks = 0
    for index, look in enumerate(_looks()):
        received = yield look - len(samples)
        samples.extend(inf if isnan(sample) else sample for sample in received)
        over = sum(1 for sample in samples if sample > budget.limit)
        fails_at = surprisingly_many(look, allowed, fail_level * _share(index))
        passes_at = surprisingly_few(look, allowed, PASS_LEVEL * _share(passing_looks))
        # A look at which not even "none over" would pass cannot pass by accident either, so it spends nothing.
        passing_looks += passes_at >= 0
        complete = len(samples) == look
        decided = over >= fails_at or over <= passes_at
        if decided or not complete or not _affordable(samples, seconds):
            break
    return Batch(samples=tuple(samples), over=over, fails_at=fails_at, passes_at=passes_at, complete=complete)


def _looks() -> Iterator[int]:
    """After how many samples to look."""
    yield from LOOKS
    look = float(LOOKS[-1])
    while (look := look * GROWTH) <= MOST_SAMPLES:
        yield round(look)


def _share(index: int) -> float:
    """The share of a level that a look may spend: the same for the first nine; all later ones together once more."""
    later = max(0, index - len(LOOKS) + 1)
    return 1.0 / len(LOOKS) / (later * (later + 1) if later else 1)


def _affordable(samples: Sequence[float], seconds: float) -> bool:
    """Whether the next look is due whatever it takes, or in time if samples go on taking as long as so far."""
    if len(samples) < LOOKS[-1]:
        return True
    return GROWTH * sum(sample for sample in samples if isfinite(sample)) <= seconds


def _reason(budget: Budget, batch: Batch) -> str:
    if not batch.n:
        return "there are no samples"
    counted = _counted(budget, batch)
    if batch.outcome == PASS:
        return f"{counted} (up to {batch.passes_at} may be)" if batch.passes_at else counted
    proof = f"{counted}, too {'close' if batch.complete else 'few'} to tell: {_proof(budget, batch)}"
    least = _least(budget)
    return proof if batch.n >= least else f"{proof}, a pass needs at least {least:,}"


def _reason_confirmed(budget: Budget, first: Batch, fresh: Batch) -> str:
    counted = f"{_counted(budget, first)} ({first.fails_at} would do)"
    if fresh.outcome == FAIL:
        return f"{counted}, confirmed in a fresh batch of {fresh.n}"
    if not fresh.n:
        return f"{counted}, and no samples were left to confirm it"
    return f"{counted}, but {_counted(budget, fresh)} in a fresh batch"


def _counted(budget: Budget, batch: Batch) -> str:
    if budget.counts_errors:
        return f"{batch.over or 'none'} of {batch.n} raised"
    raised = sum(1 for sample in batch.samples if sample == inf)
    return f"{batch.over or 'none'} of {batch.n} over{f', {raised} of them raised' if raised else ''}"


def _proof(budget: Budget, batch: Batch) -> str:
    """The strongest claim about the limit that the batch does prove."""
    share = largest_share(batch.over, batch.n, PROOF_LEVEL)
    if budget.counts_errors:
        return f"n={batch.n} proves errors ≤ {_rounded(share, ceil)}%"
    return f"n={batch.n} proves p{_rounded(1.0 - share, floor)} ≤ {budget.text}"


def _rounded(share: float, towards: Callable[[float], int]) -> str:
    """A share in percent, with one decimal; two where the first says nothing."""
    decimals = 1 if 0.01 <= share <= 0.99 else 2
    return f"{towards(share * 100 * 10**decimals) / 10**decimals:g}"


def _least(budget: Budget) -> int:
    """The number of samples, none of them over, that this rule passes; infinitely many are one more than it takes."""
    allowed, level = float(budget.allowed), PASS_LEVEL * _share(0)
    return next((look for look in _looks() if surprisingly_few(look, allowed, level) >= 0), MOST_SAMPLES + 1)
