"""Whether other processes held up a call, also where many calls are under way in one thread.

How often a thread was preempted says nothing about those calls: one preemption of two milliseconds would set aside each
of ten calls that wait for an answer for a hundred. What counts is for how long a call's thread was kept from running, and
what share of the call's own time that is.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from pytest_reliability.latency.host import MOST_SET_ASIDE, PROC, other_threads, waited
from pytest_reliability.latency.sampler import TELLING

TOLERATED = 0.1
"""The share of a call's time that its thread may be kept from running."""

TIME_SLICE = 4e-3
"""Seconds that a preemption takes, about, where nobody tells how long the thread was kept from running."""

_HERE = PROC / "thread-self"


def waited_here() -> float | None:
    """The same for this thread."""
    return waited(_HERE)


def too_busy(set_aside: int, measured: int) -> bool:
    """Whether the host held up so many samples that the others would be a choice rather than a sample."""
    return set_aside >= TELLING and set_aside > MOST_SET_ASIDE * measured


class Mark(NamedTuple):
    """How often a thread had been preempted when a call began, and for how long it had been kept from running.

    `others` is the processor time of the process's other threads by then.
    """

    times: int
    waited: float | None
    others: float


class Guard:
    """Tells which calls were held up. Each begins and ends in one thread; in between there may be others in it.

    `preemptions` counts those of the calling thread, and is asked first, because that costs least.
    """

    def __init__(self, preemptions: Callable[[], int], waited: Callable[[], float | None] = waited_here) -> None:
        self._preemptions = preemptions
        self._waited = waited

    def begin(self) -> Mark:
        """A call begins now."""
        return Mark(self._preemptions(), self._waited(), other_threads())

    def held_up(self, since: Mark, seconds: float) -> bool:
        """Whether the call that began then, and took so long, was held up by other processes."""
        times = self._preemptions() - since.times
        if not times:
            return False
        waited = self._waited()
        lost = times * TIME_SLICE if waited is None or since.waited is None else waited - since.waited
        lost -= other_threads() - since.others
        return lost > TOLERATED * seconds
