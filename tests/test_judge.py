"""The verdict: its arithmetic against exact fractions, its rule look by look, and its error rates in seeded simulations."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from itertools import chain, islice, repeat

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_reliability.latency import Budget, judge
from pytest_reliability.latency.binomial import at_least, at_most, largest_share, surprisingly_few, surprisingly_many
from pytest_reliability.latency.distribution import BINS, autocorrelation, histogram, quantile_interval
from pytest_reliability.latency.judge import LOOKS, MOST_SAMPLES, REST, Verdict, _looks, _share, sequential

P95 = Budget.parse("p95=50ms")
FAST, SLOW = 0.010, 0.090


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


# --- the rule, look by look


def test_looks_are_the_designs():
    """Nine looks that every budget gets; after them half as many samples again each time."""
    assert [20, 30, 45, 68, 102, 153, 230, 345, 500, 750, 1125, 1688] == list(islice(_looks(), 12))
    assert max(_looks()) <= MOST_SAMPLES


def test_looks_spend_a_ninth_each_and_later_ones_a_ninth_together():
    """However long the looks go on, the levels add up to ten ninths of what they are for."""
    assert [pytest.approx(1 / 9)] * 9 == [_share(index) for index in range(9)]
    assert sum(_share(index) for index in range(9, 500)) < 1 / 9 < sum(_share(index) for index in range(9, 500)) + 0.001


@pytest.mark.parametrize("look", LOOKS[:5])
def test_a_batch_fails_at_the_first_look_with_enough_over(look):
    """At each look one over less goes on, and the exact number asks for confirmation."""
    needed = surprisingly_many(look, 0.05, 0.01 / 9)
    # All that are over come last, so that no earlier look sees too many.
    for over, confirms in ((needed, True), (needed - 1, False)):
        steps = sequential(P95, 30.0)
        wanted, rest = next(steps), [FAST] * (look - over) + [SLOW] * over
        while wanted != REST and rest:
            part, rest = rest[:wanted], rest[wanted:]
            wanted = steps.send(part)
        assert confirms is (wanted == REST)


def test_a_failing_budget_fails_in_a_fresh_batch_too():
    """All over: 20 samples, a rest, and 20 more."""
    samples, drawn = counted(repeat(SLOW))
    rests: list[int] = []
    verdict = judge(samples, P95, rest=lambda: rests.append(len(drawn)))
    assert ("fail", 40, 40, [20], 40) == (verdict.outcome, verdict.n, verdict.over, rests, len(drawn))
    assert "20 of 20 over (6 would do), confirmed in a fresh batch of 20" == verdict.reason


def test_a_fresh_batch_that_disagrees_makes_it_inconclusive():
    """Slow before the rest and fast after it is no failure, and no pass either."""
    verdict = judge(chain(repeat(SLOW, 20), repeat(FAST)), P95)
    assert ("inconclusive", 20 + 102, 20) == (verdict.outcome, verdict.n, verdict.over)
    assert "20 of 20 over (6 would do), but none of 102 over in a fresh batch" == verdict.reason


def test_a_failure_that_cannot_be_confirmed_is_inconclusive():
    """The samples end with the first batch."""
    verdict = judge([SLOW] * 20, P95)
    assert "inconclusive" == verdict.outcome
    assert "20 of 20 over (6 would do), and no samples were left to confirm it" == verdict.reason


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
    assert ("fail", 40, (math.inf, math.inf)) == (verdict.outcome, verdict.over, verdict.interval)
    assert "20 of 20 over, 20 of them raised (6 would do), confirmed in a fresh batch of 20" == verdict.reason


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
    """Slow samples end at 500, faster ones go on while the next look is in time."""
    slow, fast = judge(at_the_budget(0.050), P95), judge(at_the_budget(0.001), P95)
    assert (500, 500) == (slow.n, judge(at_the_budget(0.001), P95, seconds=1.0).n)
    assert 8543 == fast.n  # 8543 of 3.5 ms take 29.9 s, 12814 would take 45 s
    assert "inconclusive" == slow.outcome == fast.outcome
    assert "25 of 500 over, too close to tell: n=500 proves p93 ≤ 50 ms" == slow.reason


def test_samples_that_take_no_time_end_as_well():
    """Not even a clock that stands still makes it go on for ever."""
    verdict = judge(at_the_budget(0.0), Budget.parse("p95=50ms"), seconds=math.inf)
    assert max(_looks()) == verdict.n


def test_errors_are_judged_as_a_share_of_calls():
    """A budget of errors does not ask how long a call took."""
    budget = Budget.for_errors("1%")
    assert "pass" == judge(repeat(1e9), budget, seconds=math.inf).outcome
    broken = judge([math.inf] * 3 + [FAST] * 37, budget)
    assert "3 of 20 raised (3 would do), but none of 20 raised in a fresh batch" == broken.reason
    few = judge([FAST] * 45, budget)
    assert "none of 45 raised, too few to tell: n=45 proves errors ≤ 6.5%, a pass needs at least 750" == few.reason


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

RUNS = 120
SPREAD = 0.25


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
    """Not even with nothing to spare, and not where samples resemble each other: at most 2 in 120."""
    assert outcomes(times, TRUE_P95, ratio).count("fail") <= 2


@pytest.mark.parametrize("times", [independent, autocorrelated])
def test_code_that_is_a_quarter_too_slow_is_caught(times):
    """At 1.25 times the budget nearly every run fails; at 1.1 most do."""
    assert outcomes(times, TRUE_P95, 1.25).count("fail") >= 0.97 * RUNS
    assert outcomes(times, TRUE_P95, 1.10).count("fail") >= 0.75 * RUNS


@pytest.mark.parametrize("times", [independent, autocorrelated])
def test_code_that_is_too_slow_does_not_pass(times):
    """A pass is a proof: one in twenty right at the budget (more where samples resemble each other), none well above it."""
    assert outcomes(times, TRUE_P95, 1.0).count("pass") <= (0.05 if times is independent else 0.12) * RUNS
    assert outcomes(times, TRUE_P95, 1.1).count("pass") <= 0.01 * RUNS


def test_code_with_room_to_spare_passes():
    """A gate that never says yes would be switched off."""
    assert outcomes(independent, TRUE_P95, 0.8).count("pass") >= 0.97 * RUNS
