"""The verdict: its arithmetic against exact fractions, its rule look by look, and its error rates in seeded simulations."""

from __future__ import annotations

import math
import random
from bisect import bisect_left
from collections.abc import Callable, Generator, Iterator, Sequence
from fractions import Fraction
from importlib import import_module
from itertools import chain, count, islice, repeat

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_reliability.latency import Budget, judge
from pytest_reliability.latency.binomial import at_least, at_most, largest_share, surprisingly_few, surprisingly_many
from pytest_reliability.latency.distribution import BINS, autocorrelation, histogram, much_faster, quantile_interval
from pytest_reliability.latency.judge import (
    FAIL_LEVEL,
    MOST_SAMPLES,
    REST,
    STARTS,
    Verdict,
    _share,
    _sizes,
    at_once,
    false_alarm,
    family_wise,
    resting_time,
    sequential,
)

P95 = Budget.parse("p95=50ms")
FAST, SLOW = 0.010, 0.090
SPREAD = 0.25


def exact(k: int, n: int, p: Fraction) -> Fraction:
    """P(Bin(n, p) >= k) in whole numbers."""
    return sum((math.comb(n, i) * p**i * (1 - p) ** (n - i) for i in range(max(k, 0), n + 1)), Fraction(0))


def counted(samples: Sequence[float] | Iterator[float]) -> tuple[Iterator[float], list[float]]:
    """The samples, and a list of those that were drawn."""
    drawn: list[float] = []

    def draw() -> Iterator[float]:
        for sample in samples:
            drawn.append(sample)
            yield sample

    return draw(), drawn


# --- the binomial distribution


@given(st.integers(1, 120), st.integers(-1, 121), st.fractions(Fraction(1, 1000), Fraction(999, 1000), max_denominator=1000))
def test_tails_agree_with_exact_fractions(n, k, p):
    """Both tails are right to ten digits, however small they are."""
    assert float(exact(k, n, p)) == pytest.approx(at_least(k, n, float(p)), rel=1e-9)
    assert float(1 - exact(k + 1, n, p)) == pytest.approx(at_most(k, n, float(p)), rel=1e-9)


@pytest.mark.parametrize(("n", "k"), [(500, 25), (500, 60), (500, 5), (1125, 95), (1125, 30)])
def test_tails_of_many_samples_agree_with_exact_fractions(n, k):
    """Neither the middle nor the far end of a large sample loses digits."""
    p = Fraction(1, 20)
    assert float(exact(k, n, p)) == pytest.approx(at_least(k, n, 0.05), rel=1e-9)
    assert float(1 - exact(k + 1, n, p)) == pytest.approx(at_most(k, n, 0.05), rel=1e-9)


@pytest.mark.parametrize("n", [20, 68, 153])
@pytest.mark.parametrize("level", [0.01 / 9, 0.05 / 9, 0.05, 1e-60])
def test_surprising_counts_are_the_first_ones(n, level):
    """One over less, or one over more, would not be surprising."""
    p = Fraction(1, 20)
    many, few = surprisingly_many(n, 0.05, level), surprisingly_few(n, 0.05, level)
    assert many == next(k for k in range(n + 2) if exact(k, n, p) <= level)
    assert few == max((k for k in range(n + 1) if 1 - exact(k + 1, n, p) <= level), default=-1)


@pytest.mark.parametrize("p", [0.0, 1.0])
@pytest.mark.parametrize("k", [-1, 0, 1, 4, 5, 6])
def test_tails_of_what_never_or_always_happens(k, p):
    """Nothing is left to chance: of five there are none, or five."""
    assert (float(5 * p >= k), float(5 * p <= k)) == (at_least(k, 5, p), at_most(k, 5, p))


def test_one_is_surprising_where_none_may_be():
    """A single one, at any level, rules out that it never happens; that it always happens is never ruled out by all."""
    assert (1, -1) == (surprisingly_many(20, 0.0, 1e-9), surprisingly_few(20, 0.0, 0.05))
    assert (21, 19) == (surprisingly_many(20, 1.0, 0.05), surprisingly_few(20, 1.0, 1e-9))


def test_no_count_is_surprising_among_no_samples():
    """With n = 0 there is nothing to be surprised at."""
    assert (1, -1) == (surprisingly_many(0, 0.05, 0.05), surprisingly_few(0, 0.05, 0.05))


@pytest.mark.parametrize(("k", "n"), [(0, 59), (1, 59), (5, 100), (99, 100)])
def test_largest_share_is_where_the_tail_reaches_the_level(k, n):
    """Clopper and Pearson's bound: at that share, k or fewer are just not surprising."""
    assert at_most(k, n, largest_share(k, n, 0.05)) == pytest.approx(0.05, rel=1e-6)


def test_nothing_is_ruled_out_when_all_are_over():
    """n of n leaves every share possible."""
    assert largest_share(20, 20, 0.05) == 1.0


# --- what samples say


def test_interval_of_a_quantile_is_two_order_statistics():
    """The textbook case: the median of 20 lies between the 6th and the 15th, at 95%."""
    assert (6.0, 15.0) == quantile_interval([float(i) for i in range(20, 0, -1)], Fraction(1, 2))


@pytest.mark.parametrize(("n", "bounded"), [(71, False), (72, True)])
def test_interval_is_open_above_where_there_are_too_few_samples(n, bounded):
    """0.95 ** 72 is the first below 2.5%: 72 samples have one that the p95 is below, 71 have none."""
    low, high = quantile_interval([1.0] * n, Fraction(95, 100))
    assert (1.0, bounded) == (low, high == 1.0)


def test_interval_is_open_below_too():
    """Three samples say nothing about the median."""
    assert (0.0, math.inf) == quantile_interval([1.0, 2.0, 3.0], Fraction(1, 2))


def test_interval_covers_the_quantile_as_often_as_it_says():
    """Of 1000 intervals about 950 or more hold the true p90."""
    rng = random.Random(7)
    covered = 0
    for _ in range(1000):
        low, high = quantile_interval([rng.random() for _ in range(150)], Fraction(9, 10))
        covered += low <= 0.9 <= high
    assert 940 <= covered < 1000


@pytest.mark.parametrize(
    ("samples", "expected"),
    [
        ([1.0, 2.0] * 50, -0.99),
        ([1.0] * 50 + [2.0] * 50, 0.98),
        ([float(i) for i in range(100)], 0.97),
        ([1.0, 2.0] * 50 + [math.inf], -0.94),
    ],
)
def test_autocorrelation_of_known_series(samples, expected):
    """Alternating is -1, steps and slopes are 1; an infinite sample is only the largest."""
    assert expected == pytest.approx(autocorrelation(samples), abs=0.011)


@pytest.mark.parametrize("samples", [[], [1.0], [1.0] * 30])
def test_autocorrelation_of_what_never_changes_is_unknown(samples):
    """There is nothing to compare."""
    assert autocorrelation(samples) is None


def test_histogram_counts_in_equal_steps():
    """Every sample is in the step that it falls into; the last step holds its own end."""
    counts, low, high = histogram([float(i) for i in range(BINS)] + [float(BINS)], 10.0)
    assert ((1,) * (BINS - 1) + (2,), 0.0, float(BINS)) == (counts, low, high)


def test_histogram_leaves_out_what_would_squeeze_the_rest():
    """One sample a hundred times slower does not hide the shape of the others; an error is not drawn."""
    counts, low, high = histogram([*(1.0 + i / 100 for i in range(100)), 200.0, math.inf], 1.5)
    assert (100, 1.0, pytest.approx(4.5)) == (sum(counts), low, high)


@pytest.mark.parametrize("samples", [[], [math.inf], [1.0, 1.0]])
def test_histogram_of_nothing_to_spread(samples):
    """Equal samples, errors, and none at all have no steps."""
    assert histogram(samples, 1.0)[0] == ()


@pytest.mark.parametrize(("faster", "n"), [(1.0, 200), (0.95, 20), (0.95, 2000)])
def test_chance_and_trifles_do_not_make_samples_much_faster(faster, n):
    """Equal ones are not, too few are not, and however many there are, 5% is not."""
    rng = random.Random(5)
    before, after = ([factor * rng.lognormvariate(0.0, SPREAD) for _ in range(n)] for factor in (1.0, faster))
    assert not much_faster(after, before)
    assert not much_faster(before, after)


def test_a_trifle_that_is_certain_is_not_much():
    """Calls that sleep differ by a thousandth, and always in the same direction while a machine grows warm."""
    assert not much_faster([0.1001] * 200, [0.1002] * 200)
    assert not much_faster([0.0960] * 200, [0.1000] * 200)
    assert much_faster([0.0950] * 200, [0.1000] * 200)


@pytest.mark.parametrize(("faster", "n"), [(0.7, 30), (0.85, 200)])
def test_samples_that_are_much_faster_are_seen(faster, n):
    """Few samples show a large difference, many a smaller one, and only in one direction."""
    rng = random.Random(5)
    before, after = ([factor * rng.lognormvariate(0.0, SPREAD) for _ in range(n)] for factor in (1.0, faster))
    assert much_faster(after, before)
    assert not much_faster(before, after)


def test_samples_that_are_all_alike_are_not_faster():
    """Ties count half, also those of errors."""
    assert not much_faster([math.inf] * 50, [math.inf] * 50)


# --- the rule, look by look


def test_looks_are_the_designs():
    """Nine looks that every budget gets; after them half as many samples again each time."""
    assert [20, 30, 45, 68, 102, 153, 230, 345, 500, 750, 1125, 1688] == list(islice(_sizes(), 12))
    assert max(_sizes()) <= MOST_SAMPLES


def test_looks_for_a_pass_spend_a_ninth_each_and_later_ones_a_ninth_together():
    """However long the looks go on, the levels add up to ten ninths of what they are for."""
    assert [pytest.approx(1 / 9)] * 9 == [_share(index) for index in range(9)]
    assert sum(_share(index) for index in range(9, 500)) < 1 / 9 < sum(_share(index) for index in range(9, 500)) + 0.001


def driven(steps: Generator[int, Sequence[float], Verdict], samples: Sequence[float]) -> Verdict | None:
    """What a rule says of these samples, which never run out before it rests: None where it asks for a rest."""
    place = 0
    try:
        wanted = next(steps)
        while wanted != REST:
            wanted, place = steps.send(samples[place : place + wanted]), place + wanted
    except StopIteration as decided:
        verdict: Verdict = decided.value
        return verdict
    return None


def thresholds(seconds: float) -> list[tuple[int, int]]:
    """How many samples and how many of them over ask for a confirmation, look by look, at 33 ms a sample."""
    within, beyond = 0.033, 0.033001
    budget = Budget.parse("p95=33ms")
    found: list[tuple[int, int]] = []
    looked = 0
    for look in islice(_sizes(), 9):
        # One of twenty, so that nothing passes; those that tip the scales come after the last look but one.
        steady = ([within] * 19 + [beyond]) * 25
        before = steady[:looked]

        def fails(over: int, before: list[float] = before, look: int = look) -> bool:
            return driven(sequential(budget, seconds), tipped(before, look, over, within, beyond)) is None

        over = bisect_left(range(look), True, key=fails)
        found.append((look, over))
        looked = look
    return found


def tipped(steady: list[float], look: int, over: int, within: float, beyond: float) -> list[float]:
    """So many samples, so many over, those before the last look as they are; and after them only such as pass."""
    missing = max(0, over - steady.count(beyond))
    return steady + [beyond] * missing + [within] * (look - len(steady) - missing) + [within] * 500


def test_looks_for_a_failure_spend_no_more_than_the_level():
    """The exact chance that a first batch fails at the limit, over all its looks, is below 1%, and not for want of trying."""
    at = thresholds(1.0)
    going_on, failed, before = {0: 1.0}, 0.0, 0
    for look, fails_at in at:
        more = look - before
        chances = [float(exact(k, more, Fraction(1, 20)) - exact(k + 1, more, Fraction(1, 20))) for k in range(more + 1)]
        reached: dict[int, float] = {}
        for k, chance in going_on.items():
            for added, probability in enumerate(chances):
                if probability > 1e-15:
                    reached[k + added] = reached.get(k + added, 0.0) + chance * probability
        failed += sum(chance for k, chance in reached.items() if k >= fails_at)
        going_on = {k: chance for k, chance in reached.items() if k < fails_at}
        before = look
    assert 0.2 * FAIL_LEVEL < failed <= FAIL_LEVEL


def test_a_failing_budget_fails_in_three_fresh_batches_too():
    """All over: 20 samples, and 20 more after each rest."""
    rests: list[int] = []
    verdict = judge(repeat(SLOW), P95, rest=lambda: rests.append(1))
    assert ("fail", 80, 80, 7) == (verdict.outcome, verdict.n, verdict.over, len(rests))
    assert "20 of 20 over (6 would do), confirmed in fresh batches of 20, 20 and 20" == verdict.reason


def test_what_a_rest_does_not_take_passes_in_samples():
    """From first to last sample a failure takes about as long as a batch may, whatever `rest` does."""
    samples, drawn = counted(repeat(SLOW))
    judge(samples, P95, rest=lambda: None)
    assert 30.0 < sum(drawn) < 45.0
    samples, drawn = counted(repeat(SLOW))
    judge(samples, P95, seconds=5.0)
    assert 5.0 < sum(drawn) < 20.0


def test_a_rest_that_takes_its_time_lets_no_sample_pass(monkeypatch):
    """Where the clock says that there was a rest, all samples are judged."""
    now = [0.0]
    monkeypatch.setattr(import_module("pytest_reliability.latency.judge"), "perf_counter", lambda: now[0])

    def rest() -> None:
        now[0] += 20.0

    samples, drawn = counted(repeat(SLOW))
    assert 80 == judge(samples, P95, rest=rest).n == len(drawn)


def test_samples_that_take_no_time_do_not_pass_for_ever():
    """An endless row of errors is judged, though it never adds up to a rest."""
    samples, drawn = counted(repeat(math.inf))
    assert ("fail", 80) == (judge(samples, P95).outcome, 80)
    assert len(drawn) < 15_000


@pytest.mark.parametrize("form", [list, iter])
@pytest.mark.parametrize(("count", "outcome"), [(100, "fail"), (79, "inconclusive")])
def test_recorded_samples_are_judged_to_their_end(count, outcome, form):
    """A list cannot be waited for: a hundred slow samples are enough, also where only the end shows itself."""
    assert outcome == judge(form([SLOW] * count), P95).outcome


def test_samples_that_end_during_a_rest_are_judged():
    """An iterator of unknown length gives back what was to pass, if there is nothing behind it."""
    assert (20 + 15, "inconclusive") == ((verdict := judge(iter([SLOW] * 35), P95)).n, verdict.outcome)
    assert "20 of 20 over (6 would do), then 15 of 15 over in fresh batch 1 of 3, too few to confirm it" == verdict.reason


def test_a_fresh_batch_that_disagrees_makes_it_inconclusive():
    """Slow before the rest and fast after it is no failure, and no pass either."""
    verdict = judge(chain(repeat(SLOW, 20), repeat(FAST)), P95)
    assert ("inconclusive", 20 + 102, 20) == (verdict.outcome, verdict.n, verdict.over)
    assert "20 of 20 over (6 would do), but none of 102 over in fresh batch 1 of 3" == verdict.reason


@pytest.mark.parametrize(("slow", "which"), [(60, 2), (300, 3)])
def test_every_fresh_batch_has_to_agree(slow, which):
    """Slowness that lasts into the second or the third batch is still no failure."""
    verdict = judge(chain(repeat(SLOW, slow), repeat(FAST)), P95)
    assert ("inconclusive", 1 + which) == (verdict.outcome, len(verdict.batches))
    assert verdict.reason.endswith(f"none of 102 over in fresh batch {which} of 3")


def test_a_failure_that_cannot_be_confirmed_is_inconclusive():
    """The samples end with the first batch."""
    verdict = judge([SLOW] * 20, P95)
    assert "inconclusive" == verdict.outcome
    assert "20 of 20 over (6 would do), and no samples were left to confirm it" == verdict.reason


# --- a slow start


def test_failures_at_the_beginning_only_are_a_slow_start():
    """Seven slow ones among the first of a batch are left out, the rest passes, and the reason says so."""
    verdict = judge(chain(repeat(SLOW, 7), repeat(FAST)), P95)
    assert ("pass", 102, 0, 20) == (verdict.outcome, verdict.n, verdict.over, verdict.left_out)
    assert "none of 102 over; 20 before them left out as a slow start" == verdict.reason


def test_failures_at_any_time_are_no_slow_start():
    """The same number of slow ones, spread over the batch, has to be confirmed."""
    batch = ([SLOW] + [FAST] * 2) * 6 + [SLOW, FAST]
    verdict = judge(chain(batch, repeat(FAST)), P95)
    assert ("inconclusive", 0) == (verdict.outcome, verdict.left_out)


def test_calls_that_get_faster_and_faster_are_a_slow_start():
    """Each batch fails, but is much faster than the one before: what they become is judged."""
    fading = (FAST * (1.0 + 12.0 * 0.985**index) for index in count())
    verdict = judge(fading, P95)
    assert "pass" == verdict.outcome
    assert verdict.left_out > 0


def test_calls_that_stay_slow_fail_after_a_slow_start_too():
    """Slow at first and too slow later."""
    fading = ((0.06 + 0.01 * index % 3) * (1.0 + 8.0 * 0.97**index) for index in count())
    assert "fail" == judge(fading, P95).outcome


def test_a_slow_start_ends():
    """Calls that are slow whenever they are looked at for the first time fail in the end."""

    def sawtooth() -> Iterator[float]:
        while True:
            yield from (1.0 * 0.99**index for index in range(150))

    verdict = judge(sawtooth(), P95)
    assert ("fail", True) == (verdict.outcome, verdict.left_out <= STARTS * 200)


# --- what it says


def test_a_fast_budget_passes_at_102_samples():
    """The first look at which none over is proof enough, and no sample more is drawn."""
    samples, drawn = counted(repeat(FAST))
    verdict = judge(samples, P95)
    assert ("pass", 102, 0, 102, "none of 102 over") == (verdict.outcome, verdict.n, verdict.over, len(drawn), verdict.reason)


def test_a_pass_says_how_many_may_be_over():
    """One over at 102 waits for 153, where up to one may be."""
    verdict = judge(chain([SLOW], repeat(FAST)), P95)
    assert ("pass", 153, "1 of 153 over (up to 1 may be)") == (verdict.outcome, verdict.n, verdict.reason)


def test_exactly_at_the_limit_is_within_it():
    """A budget of at most 50 ms is kept by 50 ms."""
    assert 0 == judge(repeat(0.05), P95).over


@pytest.mark.parametrize("sample", [math.inf, math.nan])
def test_a_sample_without_an_end_is_over(sample):
    """An error or a timeout is no success, however fast it was."""
    verdict = judge(repeat(sample), P95)
    assert ("fail", 80, (math.inf, math.inf)) == (verdict.outcome, verdict.over, verdict.interval)
    assert verdict.reason.startswith("20 of 20 over, 20 of them raised (")


def test_zero_samples_are_never_a_pass():
    """Nothing measured, nothing known."""
    verdict = judge([], P95)
    assert ("inconclusive", 0, 0, 0.0, (0.0, math.inf), None, "there are no samples") == (
        verdict.outcome, verdict.n, verdict.over, verdict.proven, verdict.interval, verdict.autocorrelation, verdict.reason
    )  # fmt: skip


@pytest.mark.parametrize(("quantile", "n"), [("p95", 59), ("p99", 299), ("p99.9", 2995)])
def test_none_over_proves_the_quantile_that_n_allows(quantile, n):
    """0.05 ** (1/n): the first n that proves p95, p99 and p99.9."""
    budget = Budget.parse(f"{quantile}=50ms")
    enough, one_less = (judge([0.001] * count, budget) for count in (n, n - 1))
    assert one_less.proven < budget.quantile <= enough.proven
    assert enough.proven == pytest.approx(0.05 ** (1 / n))


def test_too_few_samples_say_what_they_do_prove():
    """The claim is rounded so that it stays true, and the number that a pass needs is named."""
    verdict = judge([FAST] * 60, P95)
    assert "inconclusive" == verdict.outcome
    assert "none of 60 over, too few to tell: n=60 proves p95.1 ≤ 50 ms, a pass needs at least 102" == verdict.reason


def test_samples_that_end_between_two_looks_are_all_used():
    """What was measured after the last look counts in the claim, though nothing was decided on it."""
    verdict = judge([FAST] * 119 + [SLOW] * 6, Budget.parse("p95=50ms"))
    assert "pass" == verdict.outcome  # the first 102 were enough
    verdict = judge([SLOW] + [FAST] * 119, P95)
    assert ("inconclusive", 120) == (verdict.outcome, verdict.n)
    assert "1 of 120 over, too few to tell: n=120 proves p96.1 ≤ 50 ms" == verdict.reason


def test_a_quantile_that_no_run_can_prove_says_so():
    """p99.999 would need more samples than are ever drawn."""
    assert judge([FAST] * 30, Budget.parse("p99_999=50ms")).reason.endswith("a pass needs at least 100,001")


def test_a_high_quantile_takes_the_samples_it_needs():
    """p99 cannot pass at 500; looks that could not pass cost it nothing, so that 750 do."""
    for quantile, n in (("p99", 750), ("p99.9", 5695)):
        verdict = judge(repeat(0.001), Budget.parse(f"{quantile}=50ms"))
        assert ("pass", n) == (verdict.outcome, verdict.n)


def at_the_budget(seconds: float) -> Iterator[float]:
    """Exactly one of twenty over p95 = 50 ms, for ever: neither kept nor broken; the others take `seconds`."""
    while True:
        yield from [seconds] * 19 + [0.051]


def test_time_not_count_sets_the_maximum():
    """Samples go on while there is time for at least a tenth more of them; the first 500 in any case."""
    slow, fast = judge(at_the_budget(0.050), P95), judge(at_the_budget(0.001), P95)
    assert 500 == judge(at_the_budget(0.001), P95, seconds=1.0).n
    assert 599 == slow.n  # of 50.05 ms: as many as 30 s allow
    assert 8543 == fast.n  # of 3.5 ms: a look that so few more as 30 s allow would hardly change
    assert "inconclusive" == slow.outcome == fast.outcome
    assert "29 of 599 over, too close to tell: n=599 proves p93.4 ≤ 50 ms" == slow.reason


def test_samples_that_take_no_time_end_as_well():
    """Not even a clock that stands still makes it go on for ever."""
    verdict = judge(at_the_budget(0.0), Budget.parse("p95=50ms"), seconds=math.inf)
    assert max(_sizes()) == verdict.n


def test_errors_are_judged_as_a_share_of_calls():
    """A budget of errors does not ask how long a call took."""
    budget = Budget.for_errors("1%")
    assert "pass" == judge(repeat(1e9), budget, seconds=math.inf).outcome
    broken = judge(chain.from_iterable(repeat([FAST] * 9 + [math.inf])), budget)
    assert "fail" == broken.outcome
    assert broken.reason.startswith("6 of 68 raised (")
    few = judge([FAST] * 45, budget)
    assert "none of 45 raised, too few to tell: n=45 proves errors ≤ 6.5%, a pass needs at least 750" == few.reason


MAXIMUM = Budget.parse("max=50ms")


def test_one_over_refutes_a_maximum():
    """One over in every batch is a failure."""
    verdict = judge(chain.from_iterable(repeat([FAST] * 29 + [SLOW])), MAXIMUM)
    assert ("fail", 4, 0.0) == (verdict.outcome, verdict.over, verdict.false_alarm)
    assert "1 of 30 over (1 would do), confirmed in fresh batches of 30, 30 and 30" == verdict.reason


def test_one_slow_sample_alone_does_not_fail_a_maximum():
    """None over in a fresh batch of 299 does not confirm it."""
    verdict = judge(chain(repeat(FAST, 250), [SLOW], repeat(FAST)), MAXIMUM)
    assert ("inconclusive", [299, 299]) == (verdict.outcome, [batch.n for batch in verdict.batches])


def test_a_maximum_passes_with_what_can_be_proven():
    """None of 299 over; and it says that this proves a quantile, not the maximum."""
    verdict = judge(repeat(FAST), MAXIMUM)
    assert ("pass", 299) == (verdict.outcome, verdict.n)
    assert "none of 299 over proves p99, at 95%; no number of samples proves a maximum" == verdict.reason
    too_few = judge([FAST] * 298, MAXIMUM)
    assert "none of 298 over, too few to tell: n=298 proves p98.9 ≤ 50 ms, a pass needs at least 299" == too_few.reason


def test_a_throughput_is_judged_on_means_of_ten():
    """One slow call in ten does not matter to it; all of them a little too slow do."""
    throughput = Budget.parse("throughput=100/s")
    kept = judge(chain.from_iterable(repeat([0.004] * 9 + [0.05])), throughput)
    broken = judge(repeat(0.0101), throughput)
    assert ("pass", 20) == (kept.outcome, kept.n)
    assert "none of 20 blocks of 10 too slow (up to 3 may be)" == kept.reason
    assert "fail" == broken.outcome
    assert broken.reason.startswith("20 of 20 blocks of 10 too slow (")
    few = judge([0.004] * 145, throughput)
    assert "none of 14 blocks of 10 too slow, too few to tell: n=14 proves 100/s in 80.7% of the blocks" in few.reason


@pytest.mark.parametrize(("chunk", "passes", "fails"), [(1, 102, 80), (7, 105, 84), (50, 150, 200), (1000, 1000, 4000)])
def test_samples_that_come_at_once_are_judged_chunk_by_chunk(chunk, passes, fails):
    """Each look is after a whole number of chunks; a single chunk may be enough."""
    kept, broken = judge(repeat(FAST), P95, design=at_once(chunk)), judge(repeat(SLOW), P95, design=at_once(chunk))
    assert ("pass", passes, "fail", fails) == (kept.outcome, kept.n, broken.outcome, broken.n)
    assert all(batch.n % chunk == 0 for batch in kept.batches + broken.batches)


def test_chunks_are_asked_for_whole():
    """Where time allows no whole chunk more, there is none."""
    steps = at_once(400)(P95, 30.0)
    assert 400 == next(steps)
    assert 400 == steps.send([0.03] * 379 + [0.051] * 21)
    with pytest.raises(StopIteration) as decided:
        steps.send([0.03] * 380 + [0.051] * 20)
    assert ("inconclusive", 800) == (decided.value.value.outcome, decided.value.value.n)


def test_chunks_larger_than_any_number_of_looks_are_judged():
    """Not even a chunk of more samples than are ever drawn one by one is too large."""
    assert "pass" == judge(repeat(0.0001), P95, design=at_once(120_000)).outcome


@pytest.mark.parametrize(("limit", "took", "least", "most"), [(0.010, 0.020, 30.0, 40.0), (0.001, 0.020, 3.0, 10.0)])
def test_nobody_waits_long_for_a_gross_failure(limit, took, least, most):
    """What is twenty times the limit is confirmed within seconds, what is twice the limit in half a minute."""
    samples, drawn = counted(repeat(took))
    assert "fail" == judge(samples, Budget.parse(f"p95={limit}s")).outcome
    assert least < sum(drawn) < most


@pytest.mark.parametrize(
    ("took", "round_", "seconds"),
    [(0.0, 0, 0.25), (0.1, 1, 0.5), (0.0, 6, 16.0), (0.0, 20, 16.0), (3.0, 0, 3.0), (30.0, 0, 4.0), (30.0, 5, 8.0)],
)
def test_rests_double_and_match_the_batch_before(took, round_, seconds):
    """At least a quarter of a second, twice as long each time up to 16 s, and as long as the batch up to 4 s."""
    assert seconds == resting_time(took, round_)


def test_false_alarms_of_many_budgets_add_up():
    """The bound of one is the product of its levels; the bounds of several add up, to certainty at most."""
    one = judge(repeat(FAST), P95).false_alarm
    assert one == false_alarm(P95) == pytest.approx(STARTS * 0.05 * 0.15**3)
    assert family_wise([one] * 20) == pytest.approx(0.0135)
    assert (0.0, 1.0) == (family_wise([]), family_wise([0.7, 0.7]))


def test_another_rule_can_take_its_place():
    """A design is any generator that asks for samples and returns a verdict."""

    def first_ten(budget: Budget, seconds: float):
        samples = yield 10
        outcome = "pass" if max(samples) <= budget.limit else "fail"
        return Verdict(budget=budget, outcome=outcome, reason=f"{len(samples)} in {seconds:g} s", batches=())

    samples, drawn = counted(repeat(FAST))
    verdict = judge(samples, P95, design=first_ten, seconds=3)
    assert ("pass", "10 in 3 s", 10) == (verdict.outcome, verdict.reason, len(drawn))


@settings(max_examples=60)
@given(st.lists(st.floats(min_value=0) | st.just(math.nan), max_size=300))
def test_any_samples_get_a_verdict_that_adds_up(samples):
    """Whatever is measured: three outcomes, no more samples than there were, bounds in order, a reason."""
    verdict = judge(samples, P95)
    low, high = verdict.interval
    assert verdict.outcome in ("pass", "fail", "inconclusive")
    assert 0 <= verdict.over <= verdict.n <= len(samples)
    assert low <= high
    assert verdict.reason
    assert -1 <= (verdict.autocorrelation or 0.0) <= 1


# --- error rates

RUNS = 60


def outcomes(times: Callable[[random.Random], Iterator[float]], true_p95: float, ratio: float) -> list[str]:
    """The verdicts on so many runs where the true p95 is `ratio` times the budget."""
    budget = Budget.parse(f"p95={true_p95 / ratio:.9f}s")
    return [judge(times(random.Random(1000 + run)), budget).outcome for run in range(RUNS)]


def independent(rng: random.Random) -> Iterator[float]:
    """Lognormal times around 33 ms."""
    return iter(lambda: 0.033 * math.exp(rng.gauss(0.0, SPREAD)), None)


def autocorrelated(rng: random.Random) -> Iterator[float]:
    """Lognormal times that resemble the one before."""
    state = rng.gauss(0.0, SPREAD)
    while True:
        state = 0.6 * state + rng.gauss(0.0, 0.8 * SPREAD)
        yield 0.033 * math.exp(state)


TRUE_P95 = 0.033 * math.exp(1.6448536 * SPREAD)


@pytest.mark.parametrize("ratio", [0.8, 0.95, 1.0])
@pytest.mark.parametrize("times", [independent, autocorrelated])
def test_code_that_keeps_its_budget_does_not_fail(times, ratio):
    """Not even with nothing to spare, and not where samples resemble each other: at most 1 in 60."""
    assert outcomes(times, TRUE_P95, ratio).count("fail") <= 1


@pytest.mark.parametrize("times", [independent, autocorrelated])
def test_code_that_is_a_quarter_too_slow_is_caught(times):
    """At 1.25 times the budget nearly every run fails; at 1.1 most do."""
    assert outcomes(times, TRUE_P95, 1.25).count("fail") >= 0.97 * RUNS
    assert outcomes(times, TRUE_P95, 1.10).count("fail") >= 0.75 * RUNS


@pytest.mark.parametrize("times", [independent, autocorrelated])
def test_code_that_is_too_slow_does_not_pass(times):
    """A pass is a proof: one in twenty right at the budget (more where samples resemble each other), none well above it."""
    assert outcomes(times, TRUE_P95, 1.0).count("pass") <= (0.05 if times is independent else 0.15) * RUNS
    assert outcomes(times, TRUE_P95, 1.1).count("pass") <= 0.02 * RUNS


def test_code_with_room_to_spare_passes():
    """A gate that never says yes would be switched off."""
    assert outcomes(independent, TRUE_P95, 0.8).count("pass") >= 0.97 * RUNS
