"""Where something stands."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Location:
    """A place in a file: `path` relative to the repository's root with forward slashes, `line` and `column` from 1.

    `width` is the number of characters that the place covers on its line; 0 where that is not known.
    """

    path: str
    line: int = 1
    column: int = 1
    width: int = 0

    def __str__(self) -> str:
        return f"{self.path}:{self.line}:{self.column}"
