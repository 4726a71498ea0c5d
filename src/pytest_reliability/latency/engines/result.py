"""What a load engine's file says about one operation, and exactly how much that is.

Some files hold every call, others only a few percentiles or the steps of a histogram. `Result.over` answers the one question
that a verdict needs in the same way for all of them: how many calls were over a limit, at least and at most.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from math import ceil, floor, inf, isnan, pi, sqrt
from sys import float_info
from typing import Literal, NamedTuple, TypeAlias

EVERYTHING = ""
"""The name of the result for all calls of a file."""

COMPRESSION = 100.0
"""Of the t-digests of vegeta and Gatling: a cluster at the quantile q has at most 2π/100·√(q(1-q)) of the calls."""

Failed: TypeAlias = Literal["among", "apart", "anywhere"]


class Share(NamedTuple):
    """Of `n` calls at least `least` and at most `most` were over a limit."""

    n: int
    least: int
    most: int

    def __add__(self, other: object) -> Share:
        """Both together."""
        if not isinstance(other, Share):
            return NotImplemented
        return Share(self.n + other.n, self.least + other.least, self.most + other.most)


class Mark(NamedTuple):
    """What is known about one time: at least `least` calls took `seconds` or longer, at most `most` took longer than that."""

    seconds: float
    least: int
    most: int


def percentile(quantile: float, seconds: float, n: int, *, rounded: float = 0.0, slack: float = 0.0) -> tuple[Mark, Mark]:
    """What "the `quantile` of `n` calls is `seconds`" says, whichever of the usual definitions of a quantile it follows.

    All of them lie between two neighbouring calls, or on one. `rounded` is by how much the time may have been rounded;
    `slack` the share of the calls by which an estimate may be off.
    """
    not_over = max(0, floor((quantile - slack) * n - 0.5))
    at_least = max(0, n - ceil((quantile + slack) * n))
    return Mark(seconds - rounded, at_least, n), Mark(seconds + rounded, 0, n - not_over)


def estimated(quantile: float, seconds: float, n: int, *, rounded: float = 0.0) -> tuple[Mark, Mark]:
    """The same for a percentile that a t-digest estimates: it may be off by one of its clusters, 1.4% of the calls at p95."""
    slack = 2.0 * pi / COMPRESSION * sqrt(max(0.0, quantile * (1.0 - quantile)))
    return percentile(quantile, seconds, n, rounded=rounded, slack=slack)


def maximum(seconds: float, n: int) -> Mark:
    """What "the slowest of `n` calls took `seconds`" says."""
    return Mark(seconds, min(1, n), 0)


def minimum(seconds: float, n: int) -> Mark:
    """What "the fastest of `n` calls took `seconds`" says."""
    return Mark(seconds, n, n)


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """The calls of one operation, or all of a file where `name` is EVERYTHING. Times are in seconds.

    Where the file holds every call, `times` has them in order, infinite for one that failed. Otherwise `marks` tell what is
    known of `timed` calls, and `failed` how the `errors` relate to them: they are "among" them; they were left out of them
    ("apart"); or some may be among them, nobody knows how many ("anywhere"). `parts` are results that were put together.

    Where the file does not tell failures from successes, it does not count them (`counts_failures`) and `errors` is 0.

    `seconds` is how long all this took, give or take `precision`; None where nobody knows. `holds` names what the file holds
    ("p90, p95 and the maximum"); `lacks` says why nothing at all can be judged, "" where something can. `source` is the file,
    and `notes` are what people should know beside a verdict.
    """

    name: str
    n: int
    errors: int
    source: str
    times: array[float] | None = field(default=None, repr=False)
    marks: tuple[Mark, ...] = ()
    timed: int = 0
    failed: Failed = "among"
    parts: tuple[Result, ...] = ()
    seconds: float | None = None
    precision: float = 0.0
    holds: str = "every call"
    lacks: str = ""
    counts_failures: bool = True
    notes: tuple[str, ...] = ()

    @property
    def exact(self) -> bool:
        """Whether every single call is known."""
        return all(part.exact for part in self.parts) if self.parts else self.times is not None

    def over(self, limit: float) -> Share:
        """How many calls were over `limit` seconds, or failed; of how many that are known."""
        if self.parts:
            return sum((part.over(limit) for part in self.parts), NOTHING)
        if self.times is not None:
            return _exactly(self.times, limit)
        limit = _as_read(limit)
        least = max((mark.least for mark in self.marks if mark.seconds > limit), default=0)
        most = min((mark.most for mark in self.marks if mark.seconds <= limit), default=self.timed)
        if self.failed == "apart":
            return Share(self.timed + self.errors, least + self.errors, max(least, most) + self.errors)
        certain = self.errors if self.failed == "among" else 0
        least = min(max(least, certain), self.timed)
        return Share(self.timed, least, max(least, min(most + self.errors, self.timed)))

    def stretches(self, limit: float, count: int) -> list[Share]:
        """The same for each of `count` stretches of the run, all with as many calls.

        Where the order of the calls is not known, what holds of a stretch however they were ordered.
        """
        if self.parts:
            each = [part.stretches(limit, count) for part in self.parts]
            return [sum(shares, NOTHING) for shares in zip(*each, strict=True)]
        if self.times is not None:
            bounds = [len(self.times) * index // count for index in range(count + 1)]
            return [_exactly(self.times[start:end], limit) for start, end in pairwise(bounds)]
        n, least, most = self.over(limit)
        sizes = [n * (index + 1) // count - n * index // count for index in range(count)]
        return [Share(size, max(0, least - (n - size)), min(size, most)) for size in sizes]

    def samples(self) -> array[float]:
        """Every call's time; only where the result is exact."""
        if self.times is not None:
            return self.times
        together = array("d")
        for part in self.parts:
            together.extend(part.samples())
        return together


NOTHING = Share(0, 0, 0)


def together(results: Sequence[Result], name: str, *, side_by_side: bool) -> Result:
    """One result for several. Those of one run took the same seconds where they ran `side_by_side`: on several machines at
    once, or as operations of one file.
    """
    if len(results) == 1 and results[0].name == name:
        return results[0]
    known = [result.seconds for result in results if result.seconds is not None]
    seconds = (max(known) if side_by_side else sum(known)) if len(known) == len(results) else None
    return Result(
        name=name,
        n=sum(result.n for result in results),
        errors=sum(result.errors for result in results),
        source=", ".join(dict.fromkeys(result.source for result in results)),
        parts=tuple(results),
        seconds=seconds,
        precision=max(result.precision for result in results),
        holds="; ".join(dict.fromkeys(result.holds for result in results)),
        lacks=next((result.lacks for result in results if result.lacks), ""),
        counts_failures=all(result.counts_failures for result in results),
        notes=tuple(dict.fromkeys(note for result in results for note in result.notes)),
    )


def in_words(names: list[str]) -> str:
    """ "p90, p95 and the maximum"."""
    return " and ".join(filter(None, (", ".join(names[:-1]), *names[-1:])))


class Calls:
    """Collects the calls of a file that holds every one of them: 8 bytes for each, and 8 more for all of them in order."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._names: dict[str, _Operation] = {}
        self._all = _Operation()

    def add(self, name: str, seconds: float, *, failed: bool, began: float, ended: float, apart: bool = False) -> None:
        """One call of the operation `name`. It is not counted among all calls where it stands `apart` from them."""
        operation = self._names.get(name)
        if operation is None:
            operation = self._names[name] = _Operation()
        time = inf if failed else seconds
        operation.add(time, began, ended)
        if not apart:
            self._all.add(time, began, ended)

    def results(self, *, precision: float = 0.0, notes: Iterable[str] = ()) -> list[Result]:
        """All calls first, then each operation. `precision`: by how much the times of day may be off."""
        named = [(EVERYTHING, self._all), *self._names.items()]
        return [operation.result(name, self._source, precision, tuple(notes)) for name, operation in named]


class _Operation:
    __slots__ = ("began", "ended", "times")

    def __init__(self) -> None:
        self.times = array("d")
        self.began, self.ended = inf, -inf

    def add(self, time: float, began: float, ended: float) -> None:
        self.times.append(time)
        if began < self.began or isnan(began):  # one that is not known makes the length unknown
            self.began = began
        if ended > self.ended:
            self.ended = ended

    def result(self, name: str, source: str, precision: float, notes: tuple[str, ...]) -> Result:
        lasted = self.ended - self.began
        return Result(
            name=name,
            n=len(self.times),
            errors=self.times.count(inf),
            source=source,
            times=self.times,
            seconds=lasted if 0.0 < lasted < inf else None,
            precision=precision,
            notes=notes,
        )


def _as_read(limit: float) -> float:
    """The limit, and a billionth of it more: 1900 ms are no longer than 1.9 s, whatever arithmetic makes of either."""
    return min(limit * (1.0 + 1e-9), float_info.max)


def _exactly(times: Sequence[float], limit: float) -> Share:
    limit = _as_read(limit)
    over = sum(1 for time in times if time > limit)
    return Share(len(times), over, over)
