"""What samples say about the distribution that they come from, without assuming its shape."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from fractions import Fraction
from math import inf, isfinite, sqrt
from operator import mul

from pytest_reliability.latency.binomial import surprisingly_few, surprisingly_many

MUCH = 1.05
"""How many times as fast counts as much faster."""

BINS = 20
"""How many steps a histogram has at most."""


def quantile_interval(samples: Sequence[float], quantile: Fraction, confidence: float = 0.95) -> tuple[float, float]:
    """Two order statistics that enclose the quantile; 0 or infinity where there are too few samples to bound it."""
    n, p, tail = len(samples), float(quantile), (1.0 - confidence) / 2.0
    ordered = sorted(samples)
    below = surprisingly_few(n, p, tail)
    above = surprisingly_many(n, p, tail)
    return ordered[below] if below >= 0 else 0.0, ordered[above - 1] if above <= n else inf


def much_faster(samples: Sequence[float], than: Sequence[float]) -> bool:
    """Whether of each pair with one from either side so often the one in `samples` is faster that chance does not explain it.

    The test of Mann and Whitney at 0.1%; however many samples there are, it has to be three pairs in five. And the median has
    to be lower by a twentieth: calls that mostly sleep differ by so little that the least drift of a machine shows.
    """
    n, m = len(samples), len(than)
    ordered = sorted(than)
    if sorted(samples)[n // 2] * MUCH > ordered[m // 2]:
        return False
    faster = sum(2 * m - bisect_left(ordered, sample) - bisect_right(ordered, sample) for sample in samples) / (2 * n * m)
    return faster >= max(0.6, 0.5 + 3.1 * sqrt((n + m + 1) / (12 * n * m)))


def autocorrelation(samples: Sequence[float]) -> float | None:
    """The correlation of each sample's rank with the next one's; None where there is nothing to compare.

    Of ranks, so that a single spike does not decide it and an error, which is infinite, has its place.
    """
    ordered = sorted(samples)
    if not ordered or ordered[0] == ordered[-1]:
        return None
    first: dict[float, int] = {}
    last: dict[float, int] = {}
    for index, sample in enumerate(ordered):
        first.setdefault(sample, index)
        last[sample] = index
    middle = len(ordered) - 1
    ranks = [first[sample] + last[sample] - middle for sample in samples]
    together: int = sum(map(mul, ranks, ranks[1:]))
    alone: int = sum(map(mul, ranks, ranks))
    return together / alone


def histogram(samples: Sequence[float], limit: float) -> tuple[tuple[int, ...], float, float]:
    """How many samples fall into each of equal steps, and where these begin and end; none where all are equal.

    A few very slow samples would squeeze all others into one step. So the steps end at three times the median, or
    twice the limit, or where 95% of the samples are, whichever is most, and what is slower is left out.
    """
    ordered = sorted(sample for sample in samples if isfinite(sample))
    if not ordered:
        return (), 0.0, 0.0
    low = ordered[0]
    most = ordered[len(ordered) * 95 // 100]
    high = min(ordered[-1], max(3.0 * ordered[len(ordered) // 2], 2.0 * limit, most))
    if high <= low:
        return (), low, high
    counts = [0] * BINS
    for sample in ordered:
        if sample <= high:
            counts[min(BINS - 1, int((sample - low) / (high - low) * BINS))] += 1
    return tuple(counts), low, high
