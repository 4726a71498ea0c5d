"""Limits as people write them in one text: "p95<=50ms", "99% under 300ms", "queries<=3", "throughput>=200/s"."""

from __future__ import annotations

import re
from collections.abc import Iterable
from fractions import Fraction
from itertools import pairwise
from typing import NamedTuple

NUMBER = r"[0-9]+(?:\.[0-9]{1,9})?"

QUANTILE = re.compile(r"p(?![0._]+$)([0-9]{1,2})(?:(?:[._]|(?<=9[0-9]))([0-9]{1,9}))?")
"""p95, p99.9, p99_9, and p999 as people write it: without a mark between them only after a leading 9. Never p0."""

PERCENTAGE = re.compile(rf"({NUMBER})\s*%")
RATE = re.compile(rf"({NUMBER})\s*/\s*(s|m|min|h)")

_COMPARISON = re.compile(r"([^\s=<>≤≥]+)\s*(<=|>=|=|<|>|≤|≥)\s*(.*)")
_RATIO = re.compile(rf"(?:at least\s+)?({NUMBER})\s*%\s*(?:of\s+[\w\s]*?)?(?:(?:under|below|within|in)\s+|(?:<=|<|≤)\s*)(.+)")


class WrittenLimit(NamedTuple):
    """The parts of such a text: what is limited, in which direction, to what. Of a ratio the name is its share, "99%"."""

    name: str
    sign: str
    value: str


def written_limit(text: str) -> WrittenLimit | None:
    """Take a text apart; None where it is no limit at all. Whether the parts mean anything is for others to say."""
    text = text.strip()
    if ratio := _RATIO.fullmatch(text):
        return WrittenLimit(f"{ratio[1]}%", "<=", ratio[2])
    comparison = _COMPARISON.fullmatch(text)
    return WrittenLimit(*comparison.groups()) if comparison else None


def quantile(name: str) -> Fraction | None:
    """The quantile that "p95" or "p99_9" stands for, 1 for "max"; None for any other name."""
    if name == "max":
        return Fraction(1)
    match = QUANTILE.fullmatch(name)
    return Fraction(f"{match[1]}.{match[2] or 0}") / 100 if match else None


def contradiction(limits: Iterable[tuple[Fraction, float, str]]) -> tuple[str, str] | None:
    """What is wrong with limits on time that hold together, and what to do about it; None where nothing is.

    Each is a quantile, the seconds that it may take, and how it is written.
    """
    for (lower, more, below), (higher, less, above) in pairwise(sorted(limits)):
        if lower == higher:
            return f"{below} and {above} limit the same quantile", "keep one of them"
        if less < more:
            return f"{above} is stricter than {below}, which then says nothing", "swap their limits"
    return None
