"""A file's text, and the places in it."""

from __future__ import annotations

import re
from bisect import bisect_right

from pytest_reliability.model.location import Location
from pytest_reliability.model.nodes import Fault

BREAK = re.compile(r"\r\n|\r|\n")


def forbidden(text: str) -> set[str]:
    """The characters in a text that YAML does not allow. (A regular expression of all others takes 11 ms to compile.)"""
    odd = {character for character in set(text) if not character.isprintable()}
    return {
        character
        for character in odd
        if (character < "\xa0" and character not in "\t\n\r\x85")
        or "\ud800" <= character < "\ue000"
        or character in "\ufffe\uffff"
    }


class Unreadable(Exception):  # noqa: N818 - it describes the file
    """A file that cannot be read: where and why, and what one can type to mend it.

    `template` is True where the file is the source of a template engine (Helm, Jinja, ERB), so that there is nothing to mend but
    nothing was checked either.
    """

    def __init__(self, at: Location, reason: str, hint: str = "", template: bool = False) -> None:
        super().__init__(at, reason, hint, template)
        self.at = at
        self.reason = reason
        self.hint = hint
        self.template = template

    def __str__(self) -> str:
        return f"{self.at}: {self.reason}"


class Text:
    """A file's text, which turns the index of a character into its line and column."""

    __slots__ = ("_starts", "path", "text")

    def __init__(self, text: str, path: str) -> None:
        self.text = text.removeprefix("\ufeff")
        self.path = path
        self._starts: list[int] = []

    def location(self, index: int, width: int = 0) -> Location:
        """The place of the character `index`."""
        if not self._starts:
            self._starts = [0, *(found.end() for found in BREAK.finditer(self.text))]
        line = bisect_right(self._starts, index)
        return Location(self.path, line, index - self._starts[line - 1] + 1, width)

    def before(self, index: int) -> str:
        """What stands on the line before the character `index`."""
        return self.text[index - self.location(index).column + 1 : index]

    def within(self, index: int) -> int:
        """The index, or that behind the last text if it is the file's end: there people have a line to look at."""
        return index if index < len(self.text) else len(self.text.rstrip())

    def unreadable(self, index: int, reason: str, hint: str = "") -> Unreadable:
        """What to raise because of the character `index`."""
        return Unreadable(self.location(self.within(index)), reason, hint)

    def duplicate_key(self, key: str, index: int, first: int) -> Fault:
        """The fault that the key at `index` stood at `first` already."""
        message = f"key {key!r} is given twice, first on line {self.location(first).line}; only the last value is read"
        return Fault(kind="duplicate-key", at=self.location(index, len(key)), message=message, hint="keep one of them")
