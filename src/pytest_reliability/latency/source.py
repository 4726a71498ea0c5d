"""Where samples come from: calls in this thread, requests at a rate, fresh processes."""

from __future__ import annotations

from typing import Any, Protocol

_NOTHING_YET: Any = object()


class Results:
    """What calls have returned; the last one is kept in `_result`."""

    _result: Any = _NOTHING_YET

    @property
    def returned(self) -> bool:
        """Whether any call has returned."""
        return self._result is not _NOTHING_YET

    @property
    def result(self) -> Any:
        """What the last call returned that did not raise; None where all did."""
        return self._result if self.returned else None


class Collected(Protocol):
    """What is known about samples beside their times."""

    @property
    def measured(self) -> int:
        """How many samples were taken since it was made, or last told to `forget`."""

    @property
    def set_aside(self) -> int:
        """How many of them were preempted, and are not among those that are judged."""

    @property
    def guarded(self) -> bool:
        """Whether preemption is counted at all."""

    @property
    def too_busy(self) -> bool:
        """Whether preemption is so frequent that what is left would be a choice rather than a sample."""

    @property
    def chunk(self) -> int:
        """How many samples come at once, where fewer cannot be had: the rule then looks after each chunk. 1 if singly."""

    @property
    def intervals(self) -> list[float] | None:
        """The seconds between one answer and the next, in order; None where they are the samples themselves.

        A throughput is judged on them: with several callers a second of waiting is not a second without an answer.
        """

    @property
    def notes(self) -> tuple[str, ...]:
        """What else people should know beside a verdict."""

    @property
    def doubt(self) -> str:
        """Why a failure cannot be trusted; "" where it can."""

    def forget(self) -> None:
        """Start counting afresh: what was measured so far was warming up."""


class Source(Collected, Protocol):
    """Something that can be measured. A sample is a number of seconds, infinite where a call failed and may do so."""

    @property
    def error(self) -> Exception | None:
        """The last exception of a call that counted as over."""

    @property
    def returned(self) -> bool:
        """Whether any call has returned."""

    @property
    def result(self) -> Any:
        """What the last call returned that did not raise; None where all did."""

    def draw(self, count: int, deadline: float) -> list[float]:
        """Take `count` samples, or fewer where the deadline (a time of the clock) comes first or the host is too busy."""

    async def draw_async(self, count: int, deadline: float) -> list[float]:
        """The same for something that has to be awaited, in the loop that runs already."""
