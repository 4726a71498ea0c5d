"""What a reader of load engines' files is."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

from pytest_reliability.latency.engines.opened import Opened
from pytest_reliability.latency.engines.result import Result


class Reader(NamedTuple):
    """Reads one kind of file. `recognises` looks at the content only; `read` raises `ResultsError` for what is damaged."""

    name: str
    recognises: Callable[[Opened], bool]
    read: Callable[[Opened], Iterable[Result]]
