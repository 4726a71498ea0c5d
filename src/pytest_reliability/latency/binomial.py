"""Tails of the binomial distribution, and the counts at which they become small, in plain Python.

numpy and scipy would cost most of a second to import. The terms of a tail shrink geometrically, so that summing
them from the largest on is both fast and exact to about eleven digits.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from functools import lru_cache
from math import exp, expm1, lgamma, log, log1p


def at_least(k: int, n: int, p: float) -> float:
    """P(Bin(n, p) >= k)."""
    if k <= 0:
        return 1.0
    if k > n:
        return 0.0
    if p <= 0.0 or p >= 1.0:
        return float(p >= 1.0)
    if k <= n * p:
        return 1.0 - at_most(k - 1, n, p)
    term = total = exp(lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1) + k * log(p) + (n - k) * log1p(-p))
    odds = p / (1.0 - p)
    while k < n and term > total * 1e-17:
        term *= (n - k) / (k + 1) * odds
        total += term
        k += 1
    return total


def at_most(k: int, n: int, p: float) -> float:
    """P(Bin(n, p) <= k)."""
    return at_least(n - k, n, 1.0 - p)


@lru_cache(maxsize=4096)
def surprisingly_many(n: int, p: float, level: float) -> int:
    """The smallest K with P(Bin(n, p) >= K) <= level; n + 1 where no count would be surprising."""
    return bisect_left(range(n + 1), -level, key=lambda k: -at_least(k, n, p))


@lru_cache(maxsize=4096)
def surprisingly_few(n: int, p: float, level: float) -> int:
    """The largest K with P(Bin(n, p) <= K) <= level; -1 where not even zero would be surprising."""
    return bisect_right(range(n + 1), level, key=lambda k: at_most(k, n, p)) - 1


def largest_share(k: int, n: int, level: float) -> float:
    """The largest p that k of n does not rule out at `level`: the upper bound of Clopper and Pearson."""
    if k >= n:
        return 1.0
    if k == 0:
        return -expm1(log(level) / n)
    low, high = k / n, 1.0
    while high - low > 1e-9:
        middle = (low + high) / 2.0
        low, high = (middle, high) if at_most(k, n, middle) > level else (low, middle)
    return high
