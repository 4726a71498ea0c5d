"""Where samples come from: calls in this thread, requests at a rate, fresh processes."""

from __future__ import annotations

from typing import Any, Protocol


class Source(Protocol):
    """Something that can be measured. A sample is a number of seconds, infinite where a call failed and may do so.

    `measured` samples were taken since it was made or last told to `forget`; `set_aside` of them were preempted and are
    not among what `draw` returned. `guarded` says whether preemption is counted at all, `too_busy` whether it is so
    frequent that what is left would be a choice rather than a sample.

    `chunk` is how many samples come at once, where fewer cannot be had: the rule then looks after each chunk only. 1 where
    they come singly.

    `intervals` are the seconds between one answer and the next, in order, as long as they are not the samples themselves
    (None): with several callers a second of waiting is not a second without an answer. A throughput is judged on them.

    `notes` are what else people should know beside a verdict; `doubt` is why a failure cannot be trusted, "" where it can.
    """

    measured: int
    set_aside: int
    guarded: bool
    too_busy: bool
    chunk: int
    intervals: list[float] | None
    notes: tuple[str, ...]
    doubt: str
    error: Exception | None
    returned: bool
    result: Any

    def draw(self, count: int, deadline: float) -> list[float]:
        """Take `count` samples, or fewer where the deadline (a time of the clock) comes first or the host is too busy."""

    async def draw_async(self, count: int, deadline: float) -> list[float]:
        """The same for something that has to be awaited, in the loop that runs already."""

    def forget(self) -> None:
        """Start counting afresh: what was measured so far was warming up."""
