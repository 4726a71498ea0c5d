"""The verdict: is a latency budget kept, is it broken, or is that not known?

The rule looks at the samples again and again while they come in, and each look spends a share of the permitted error,
so that looking often does not add to the false alarms. A budget fails only where fresh batches, each taken after a
rest, all fail too: their levels multiply, and whatever slowed the first one down has had time to go away. What is counted is
how many samples are over the limit, so that nothing is assumed about the shape of the distribution.

A rule is a generator (`Design`): it asks for samples, or for a rest, and returns the verdict. `judge` runs one on an
iterator; `session` runs several on the same calls, in the test's own event loop if need be.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator, Sequence, Sized
from dataclasses import dataclass, field
from functools import lru_cache, partial
from itertools import count, islice
from math import ceil, floor, fsum, inf, isfinite, isnan
from time import perf_counter
from typing import NamedTuple, TypeAlias

from pytest_reliability.latency.binomial import at_least, at_most, largest_share, surprisingly_few, surprisingly_many
from pytest_reliability.latency.budget import MAX_TIME, Budget
from pytest_reliability.latency.distribution import autocorrelation, much_faster, quantile_interval

PASS = "pass"
FAIL = "fail"
INCONCLUSIVE = "inconclusive"

LOOKS = (20, 30, 45, 68, 102, 153, 230, 345, 500)
"""After how many samples the rule looks. Where time allows, looks go on, each at half as many samples again."""

GROWTH = 1.5
WORTH_GOING_ON = 1.1
"""Less than a tenth more samples would hardly change anything."""

MOST_SAMPLES = 100_000

FAIL_LEVEL = 0.05
"""The chance that a first batch fails by accident, over all its looks."""

SPREAD = (0.0, 0.5, 1.0)
"""Each of so many fresh batches has to agree before a budget fails. It begins when that share of the time for a batch has
passed since the first one failed."""

CONFIRMATIONS = len(SPREAD)

CONFIRM_LEVEL = 0.15
"""The chance that a fresh batch agrees by accident, over all its looks."""

GIVE_UP_LEVEL = 0.1
"""The chance that a fresh batch of a budget that is just broken is given up before its last look."""

PASS_LEVEL = 0.05
"""The chance that a budget which is just broken passes, over the first nine looks; a ninth of it is left for all later ones."""

PROOF_LEVEL = 0.05
"""The chance that what an inconclusive verdict claims to be proven is not so."""

STARTS = 4
"""How often the rule starts, where each time it finds that calls were only slow to start."""

SLOW_START_LEVEL = 0.02
"""The chance that a batch seems to have started slowly though its samples over the limit came at any time."""

MOST_PROVEN = 0.01
"""No number of samples proves a maximum; a budget on it passes where at most this share is proven to be over."""

REST = 0
"""What a design asks for between two batches: time for whatever disturbed the first to go away."""

LEAST_REST = 0.25
"""Seconds that the first rest takes at least; each further one takes twice as long at least."""

MOST_REST = 16.0
"""Seconds that no rest exceeds."""

LONGEST_MATCHED = 4.0
"""A rest takes as long as the batch before it, up to so many seconds."""

GROSS = 10.0
"""Where the quantile is proven to be so many times the limit, no neighbour explains it, and people need not wait for long."""

GROSS_TIME = 3.0
"""How many seconds have to pass then."""

MOST_SKIPPED = 2_000
"""How many samples `judge` lets pass, at most, instead of a rest."""

SPARED = 1 / 32
"""How much of what is left of recorded samples it lets pass at a time."""

CALLS_PER_BLOCK = 10
"""Throughput is judged on the means of so many successive samples."""

Design: TypeAlias = Callable[[Budget, float], Generator[int, Sequence[float], "Verdict"]]
"""A rule for verdicts: called with the budget and the seconds that the samples of a batch may take.

It yields the number of samples that it wants next and is sent as many, or fewer where there are no more; or it yields
`REST`, several times in a row for a longer one, and is sent nothing.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Samples that were judged together, `over` of them over the limit.

    At the last look `fails_at` or more over would have meant that the budget is broken, `passes_at` or fewer that it
    is kept; -1 where not even none over would have been enough. `complete` is False where samples ran out before it. `took` is
    what the samples add up to in seconds.
    """

    samples: tuple[float, ...] = field(repr=False)
    over: int
    fails_at: int
    passes_at: int
    complete: bool
    took: float

    @property
    def n(self) -> int:
        """How many samples it has."""
        return len(self.samples)

    @property
    def outcome(self) -> str:
        """What this batch says by itself."""
        if self.over >= self.fails_at:
            return FAIL
        return PASS if self.over <= self.passes_at else INCONCLUSIVE


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What became of a budget, from which samples, and why. `outcome` is "pass", "fail" or "inconclusive".

    `batches` are the first and, where it had to be confirmed, the fresh ones; `left_out` samples before them were a slow
    start. `false_alarm` bounds the chance that the rule fails a budget which is just kept, if samples are independent.
    """

    budget: Budget
    outcome: str
    reason: str
    batches: tuple[Batch, ...]
    left_out: int = 0
    false_alarm: float = 0.0

    @property
    def samples(self) -> tuple[float, ...]:
        """Every sample that was judged, in seconds and in order; an error is infinite. Blocks' means for a throughput."""
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


class Look(NamedTuple):
    """A look after `n` samples, at which that share of the level for a pass is spent."""

    n: int
    pass_share: float


def false_alarm(budget: Budget) -> float:
    """The most that the chance of failing a budget which is just kept can be, if samples are independent of each other."""
    return STARTS * FAIL_LEVEL * CONFIRM_LEVEL**CONFIRMATIONS if budget.allowed else 0.0


def family_wise(bounds: Iterable[float]) -> float:
    """The most that the chance of any false alarm among budgets with these bounds can be, however they depend on each other."""
    return min(1.0, fsum(bounds))


def resting_time(took: float, round: int = 0) -> float:
    """How many seconds to rest after a batch that took `took` seconds; `round` counts the rests of one verdict from 0.

    A rule may ask for several rests in a row: each counts, and `took` is 0 for those with no batch before them.
    """
    return max(min(LEAST_REST * 2.0**round, MOST_REST), min(took, LONGEST_MATCHED))


def judge(
    samples: Iterable[float],
    budget: Budget,
    *,
    rest: Callable[[], object] | None = None,
    seconds: float = MAX_TIME,
    design: Design | None = None,
) -> Verdict:
    """Draw from `samples` (seconds; infinite for an error) until it is known whether `budget` is kept.

    `rest` is called before a failure is confirmed with fresh samples. What it does not take of the time that ought to pass
    until then (about `seconds` in all) passes in samples that are not judged. Where the samples run out first, the verdict
    is inconclusive. Once the looks that every budget gets are spent, more follow while the samples of a batch add up
    to less than `seconds`.
    """
    supply = _Supply(samples)
    steps = (design or sequential)(budget, seconds)
    rests, took = 0, 0.0
    received: Sequence[float] = ()
    wanted = next(steps)
    while True:
        if wanted == REST:
            received = ()
            began = perf_counter()
            if rest is not None:
                rest()
            supply.let_pass(resting_time(took, rests) - (perf_counter() - began))
            rests, took = rests + 1, 0.0
        else:
            received = supply.draw(wanted)
            took += _duration(received)
        try:
            wanted = steps.send(received)
        except StopIteration as decided:
            verdict: Verdict = decided.value
            return verdict


class _Supply:
    """Samples of which some may have to pass unseen, as long as there are enough of them."""

    def __init__(self, samples: Iterable[float]) -> None:
        self._samples = iter(samples)
        self._left = len(samples) if isinstance(samples, Sized) else inf
        self._passed: list[float] = []

    def draw(self, count: int) -> tuple[float, ...]:
        """The next ones; fewer where there are no more, not even among those that have passed since the last draw."""
        drawn = self._next(count)
        if len(drawn) < count:
            left = (*self._passed, *drawn)
            drawn, self._samples = left[:count], iter(left[count:])
        self._passed.clear()
        return drawn

    def let_pass(self, seconds: float) -> None:
        """Skip what adds up to so many seconds; but of samples that come to an end no more than can be spared."""
        most = len(self._passed) + min(MOST_SKIPPED, self._left * SPARED)
        while seconds > 0.0 and len(self._passed) < most and (sample := self._next(1)):
            self._passed += sample
            seconds -= _duration(sample)

    def _next(self, count: int) -> tuple[float, ...]:
        drawn = tuple(islice(self._samples, count))
        self._left -= len(drawn)
        return drawn


def sequential(budget: Budget, seconds: float) -> Generator[int, Sequence[float], Verdict]:
    """The rule for samples that come one by one."""
    return (yield from _decide(budget, seconds, 1))


def at_once(n: int) -> Design:
    """The rule for samples that come `n` at a time: it looks after whole chunks only, with what the looks between would spend."""
    return partial(_decide, chunk=n)


def _decide(budget: Budget, seconds: float, chunk: int) -> Generator[int, Sequence[float], Verdict]:
    """Judge until there is an outcome; where calls are only slow to start, leave out what there is and start again."""
    left_out, rests, start = 0, 0, 1
    batches, rests, slow_start = yield from _attempt(budget, seconds, chunk, rests, start)
    while slow_start:
        left_out, start = left_out + sum(batch.n for batch in batches), start + 1
        batches, rests, slow_start = yield from _attempt(budget, seconds, chunk, rests, start)
    first, *confirmations = batches
    reason = _reason_confirmed(budget, first, confirmations) if confirmations else _reason(budget, first)
    return Verdict(
        budget=budget,
        outcome=_outcome(first, confirmations),
        reason=f"{reason}; {left_out:,} before them left out as a slow start" if left_out else reason,
        batches=tuple(batches),
        left_out=left_out,
        false_alarm=false_alarm(budget),
    )


def _outcome(first: Batch, confirmations: Sequence[Batch]) -> str:
    if first.outcome != FAIL:
        return first.outcome
    agreeing = sum(1 for fresh in confirmations if fresh.outcome == FAIL)
    return FAIL if agreeing == CONFIRMATIONS else INCONCLUSIVE


def _attempt(
    budget: Budget, seconds: float, chunk: int, rests: int, start: int
) -> Generator[int, Sequence[float], tuple[list[Batch], int, bool]]:
    """A batch and, as long as all fail, fresh ones; how many rests there were by then; and whether it was but a slow start."""
    first = yield from _batch(budget, seconds, chunk, FAIL_LEVEL, PASS_LEVEL)
    batches = [first]
    may_start_again = start < STARTS
    if first.outcome != FAIL or (may_start_again and _began_slowly(budget, first)):
        return batches, rests, first.outcome == FAIL
    span = min(seconds, GROSS_TIME if _gross(budget, first) else MAX_TIME)
    passed = 0.0
    for spread in SPREAD:
        took = batches[-1].took
        while True:
            yield REST
            passed += resting_time(took, rests)
            rests, took = rests + 1, 0.0
            if passed >= spread * span:
                break
        fresh = yield from _batch(budget, seconds, chunk, CONFIRM_LEVEL, GIVE_UP_LEVEL)
        passed += fresh.took
        batches.append(fresh)
        agrees = fresh.outcome == FAIL
        # One slow batch before a fast one may be anything; that calls get faster all the time has to be seen twice.
        if (agrees or start > 1) and may_start_again and fresh.complete and much_faster(fresh.samples, first.samples):
            return batches, rests, True
        if not agrees:
            break
    return batches, rests, False


def _batch(
    budget: Budget, seconds: float, chunk: int, fail_level: float, pass_level: float
) -> Generator[int, Sequence[float], Batch]:
    allowed = float(budget.allowed)
    provable = allowed or MOST_PROVEN
    block = CALLS_PER_BLOCK if budget.kind == "throughput" else 1
    chunk = ceil(chunk / block)
    samples: list[float] = []
    over, took = 0, 0.0
    most, fail_left, pass_left = MOST_SAMPLES, 1.0, 1.0
    n, fails_below, passes_below, complete = 0, 0.0, 0.0, False
    for look in _looks(allowed, chunk):  # pragma: no branch - there is no time or no need to go on after the last
        wanted = max(chunk, min(look.n, most)) - n
        received = _blocks((yield wanted * block), block)
        samples += received
        over += sum(1 for sample in received if sample > budget.limit)
        took += block * _duration(received)
        before, n = n, len(samples)
        complete = n - before == wanted
        most = _affordable(n, took, seconds) // chunk * chunk
        last = not complete or most < WORTH_GOING_ON * n
        fail_share = fail_left * (1.0 if last else wanted / (most - before))
        pass_share = max(look.pass_share, pass_left) if last and complete else look.pass_share
        fail_left, pass_left = fail_left - fail_share, pass_left - pass_share
        enough = n >= LOOKS[0]
        fails_below, passes_below = enough * fail_level * fail_share, enough * pass_level * pass_share
        if last or at_least(over, n, allowed) <= fails_below or at_most(over, n, provable) <= passes_below:
            break
    return Batch(
        samples=tuple(samples),
        over=over,
        fails_at=surprisingly_many(n, allowed, fails_below),
        passes_at=surprisingly_few(n, provable, passes_below),
        complete=complete,
        took=took,
    )


def _affordable(n: int, took: float, seconds: float) -> int:
    """How many samples there may be in all, where `n` of them took so long; those that every budget gets are due in any case."""
    if not took:
        return MOST_SAMPLES
    return int(min(max(LOOKS[-1], n * seconds / took), MOST_SAMPLES))


def _blocks(received: Sequence[float], block: int) -> list[float]:
    """What is judged: each sample, or the mean of each whole block; what is no number has no end."""
    numbers = [inf if isnan(sample) else sample for sample in received] if isnan(sum(received)) else list(received)
    if block == 1:
        return numbers
    return [fsum(numbers[end - block : end]) / block for end in range(block, len(numbers) + 1, block)]


@lru_cache(maxsize=64)
def _looks(allowed: float, chunk: int) -> tuple[Look, ...]:
    """When to look, for a share that may be over; several looks that fall within one chunk become one and spend as much."""
    looks: list[Look] = []
    for look in _steady_looks(allowed) if allowed else _looks_for_maximum():
        n = -(-look.n // chunk) * chunk
        if looks and looks[-1].n == n:
            look = Look(n, min(1.0, looks.pop().pass_share + look.pass_share))
        looks.append(Look(n, look.pass_share))
    return tuple(looks)


def _steady_looks(allowed: float) -> Iterator[Look]:
    passing = 0
    for n in _sizes():
        share = _share(passing)
        # A look at which not even "none over" would pass cannot pass by accident either, so it spends nothing.
        possible = at_most(0, n, allowed) <= PASS_LEVEL * share
        passing += possible
        yield Look(n, share if possible else 0.0)


def _looks_for_maximum() -> Iterator[Look]:
    """One over is enough for a failure; none over passes as soon as that proves anything worth saying."""
    least = next(n for n in count(LOOKS[0]) if at_most(0, n, MOST_PROVEN) <= PASS_LEVEL)
    yield from (Look(n, 0.0) for n in LOOKS if n < least)
    yield Look(least, 1.0)


def _sizes() -> Iterator[int]:
    """After how many samples to look."""
    yield from LOOKS
    look = float(LOOKS[-1])
    while (look := look * GROWTH) <= MOST_SAMPLES:
        yield round(look)


def _share(index: int) -> float:
    """The share of a level that a look may spend: the same for the first nine; all later ones together once more."""
    later = max(0, index - len(LOOKS) + 1)
    return 1.0 / len(LOOKS) / (later * (later + 1) if later else 1)


def _duration(samples: Sequence[float]) -> float:
    total = sum(samples)
    return total if isfinite(total) else sum(sample for sample in samples if isfinite(sample))


def _began_slowly(budget: Budget, batch: Batch) -> bool:
    """Whether it fails only because of its beginning: far more are over in its first half, and the second is nothing special."""
    half = batch.n // 2
    early = sum(1 for sample in batch.samples[:half] if sample > budget.limit)
    late = batch.over - early
    return (
        at_least(early, batch.over, half / batch.n) <= SLOW_START_LEVEL
        and at_least(late, batch.n - half, float(budget.allowed)) > CONFIRM_LEVEL
    )


def _gross(budget: Budget, batch: Batch) -> bool:
    """Whether calls are so much slower than they may be that no neighbour would explain it."""
    low, _ = quantile_interval(batch.samples, budget.quantile)
    return GROSS * budget.limit <= low < inf


def _reason(budget: Budget, batch: Batch) -> str:
    if not batch.n:
        return "there are no samples"
    counted = _counted(budget, batch)
    if batch.outcome == PASS:
        if budget.kind == "max":
            proven = _rounded(1.0 - largest_share(0, batch.n, PROOF_LEVEL), floor)
            return f"{counted} proves p{proven}, at 95%; no number of samples proves a maximum"
        return f"{counted} (up to {batch.passes_at} may be)" if batch.passes_at else counted
    least = _least(budget)
    proof = f"{counted}, too {'close' if batch.complete and batch.n >= least else 'few'} to tell: {_proof(budget, batch)}"
    return proof if batch.n >= least else f"{proof}, a pass needs at least {least:,}"


def _reason_confirmed(budget: Budget, first: Batch, confirmations: Sequence[Batch]) -> str:
    counted = f"{_counted(budget, first)} ({first.fails_at} would do)"
    last = confirmations[-1]
    if not last.n:
        return f"{counted}, and no samples were left to confirm it"
    if last.outcome != FAIL:
        found = f"{_counted(budget, last)} in fresh batch {len(confirmations)} of {CONFIRMATIONS}"
        return f"{counted}, but {found}" if last.complete else f"{counted}, then {found}, too few to confirm it"
    *sizes, size = [f"{batch.n:,}" for batch in confirmations]
    return f"{counted}, confirmed in fresh batches of {', '.join(sizes)} and {size}"


def _counted(budget: Budget, batch: Batch) -> str:
    if budget.counts_errors:
        return f"{batch.over or 'none'} of {batch.n} raised"
    if budget.kind == "throughput":
        return f"{batch.over or 'none'} of {batch.n} blocks of {CALLS_PER_BLOCK} too slow"
    raised = sum(1 for sample in batch.samples if sample == inf)
    return f"{batch.over or 'none'} of {batch.n} over{f', {raised} of them raised' if raised else ''}"


def _proof(budget: Budget, batch: Batch) -> str:
    """The strongest claim about the limit that the batch does prove."""
    share = largest_share(batch.over, batch.n, PROOF_LEVEL)
    if budget.counts_errors:
        return f"n={batch.n} proves errors ≤ {_rounded(share, ceil)}%"
    if budget.kind == "throughput":
        return f"n={batch.n} proves {budget.text} in {_rounded(1.0 - share, floor)}% of the blocks"
    return f"n={batch.n} proves p{_rounded(1.0 - share, floor)} ≤ {budget.text}"


def _rounded(share: float, towards: Callable[[float], int]) -> str:
    """A share in percent, with one decimal; two where the first says nothing."""
    decimals = 1 if 0.01 <= share <= 0.99 else 2
    return f"{towards(share * 100 * 10**decimals) / 10**decimals:g}"


def _least(budget: Budget) -> int:
    """The number of samples, none of them over, that this rule passes; infinitely many are one more than it takes."""
    return next((look.n for look in _looks(float(budget.allowed), 1) if look.pass_share), MOST_SAMPLES + 1)
