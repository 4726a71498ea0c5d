"""A results file that is being read: its text line by line, whatever it is packed in, and errors that name the line."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Iterator
from functools import cached_property
from io import BufferedReader, RawIOBase, TextIOWrapper
from itertools import chain
from math import isfinite
from typing import Any, BinaryIO, NoReturn, TypeVar, cast

from pytest_reliability.contracts import UsageError

HEAD = 60
"""How many lines are looked at to recognise a file."""

START = 512
"""How many bytes are looked at to recognise a binary file."""

T = TypeVar("T")

_GZIP = b"\x1f\x8b"


class ResultsError(UsageError):
    """A results file that cannot be read. The message names the file and the line, what is wrong, and what to type."""


class Opened:
    """The text of a results file. `name` is the file as people call it; `number` is the line that was read last."""

    def __init__(self, name: str, stream: BinaryIO) -> None:
        self.name = name
        self.number = 0
        self._layers: list[BufferedReader[Any] | TextIOWrapper[Any]] = []
        buffered = BufferedReader(cast("RawIOBase", stream))
        start = self._guarded(lambda: buffered.peek(START))
        if start.startswith(_GZIP):
            import gzip

            self._layers.append(buffered)
            unpacked = BufferedReader(cast("RawIOBase", gzip.GzipFile(fileobj=buffered)))
            buffered, start = unpacked, self._guarded(lambda: unpacked.peek(START))
        self.start = start[:START]
        """The first bytes, unpacked."""
        self._text = TextIOWrapper(buffered, encoding="utf-8-sig", errors="replace")
        self._layers += buffered, self._text
        self._ahead: list[str] = []
        self._rest = self._read()

    @cached_property
    def head(self) -> tuple[str, ...]:
        """The first lines that are not empty, without their ends."""
        while len(self._ahead) < HEAD and (line := next(self._rest, None)) is not None:
            self._ahead.append(line)
        return tuple(line.rstrip() for line in self._ahead if line.strip())

    @cached_property
    def document(self) -> Any:
        """The JSON value that the first line is, or else the whole text; None where neither is one."""
        first = self.head[0] if self.head else ""
        if not first.lstrip().startswith(("{", "[")):
            return None
        value = _json(first)
        if value is None:
            self._ahead += self._rest
            value = _json("".join(self._ahead))
        return value

    def lines(self) -> Iterator[str]:
        """Every line, from the first."""
        self.number = 0
        ahead, self._ahead = self._ahead, []
        for line in chain(ahead, self._rest):
            self.number += 1
            yield line

    def leave(self) -> None:
        """Let go of the stream, which belongs to whoever opened it."""
        for layer in reversed(self._layers):
            layer.detach()

    def wrong(self, what: str, hint: str, *, line: int | None = None) -> ResultsError:
        """The error to raise about the line that was read last, or about another; 0: about the file."""
        number = self.number if line is None else line
        place = f"{self.name}:{number}" if number else self.name
        return ResultsError(f"{place}: {what}\n  {hint}")

    def damaged(self, what: str) -> ResultsError:
        """The error for a file of a known kind that breaks its own rules."""
        return self.wrong(what, "the file is damaged or was cut short; run the load test again, or remove that line")

    def count(self, value: object, what: str) -> int:
        """A number of calls."""
        number = self.number_of(value, what)
        if not 0 <= number < 1e15 or number != int(number):
            raise self.damaged(f"{what} is {value!r}, which is no number of calls")
        return int(number)

    def number_of(self, value: object, what: str) -> float:
        """A number, written as one or as text."""
        try:
            if isinstance(value, (int, float, str)) and not isinstance(value, bool):
                number = float(value)
                if isfinite(number):
                    return number
        except (ValueError, OverflowError):
            pass
        raise self.damaged(f"{what} is {value!r}, which is no number")

    def time(self, value: object, what: str, unit: float) -> float:
        """A time in seconds, from a number of `unit`s."""
        number = self.number_of(value, what)
        if number < 0:
            raise self.damaged(f"{what} is {value!r}, which is no time")
        return number * unit

    def _read(self) -> Iterator[str]:
        while line := self._guarded(self._text.readline):
            yield line

    def _guarded(self, read: Callable[[], T]) -> T:
        """What `read` returns; a damaged archive is an error of the file."""
        try:
            return read()
        except (EOFError, zlib.error, OSError) as error:
            self._refuse(error)

    def _refuse(self, error: Exception) -> NoReturn:
        raise self.wrong(
            f"cannot be read to its end: {error}", "the file is damaged or was cut short; run the load test again", line=0
        ) from error


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
