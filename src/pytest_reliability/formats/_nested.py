"""Documents inside of a text of another document, as ConfigMaps and Secrets carry them."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from pytest_reliability.documents import Tree, Unreadable, load_json, load_yaml
from pytest_reliability.model.location import Location

_LINE_START = r"(?m)^"


class Nested(Tree):
    """A document that is the text under `key` of `container` in `outer`: every place in it is one in the file around it."""

    __slots__ = ("_container", "_inner", "_key", "_outer", "_starts")

    def __init__(self, inner: Tree, outer: Tree, container: Any, key: str) -> None:
        self._inner, self._outer, self._container, self._key = inner, outer, container, key
        self._starts = _line_starts(container[key])
        self.data = inner.data
        self.faults = tuple(replace(fault, at=self._moved(fault.at)) for fault in inner.faults)

    @property
    def path(self) -> str:
        """The path of the file around it."""
        return self._outer.path

    def at(self, container: Any, key: str | int | None = None) -> Location:
        """Where a value begins, in the file around it."""
        return self._moved(self._inner.at(container, key))

    def key_at(self, container: Any, key: str) -> Location:
        """Where a key stands, in the file around it."""
        return self._moved(self._inner.key_at(container, key))

    def spelling(self, container: Any, key: str | int) -> str:
        """A scalar as it was written."""
        return self._inner.spelling(container, key)

    def line_of(self, container: Any, key: str | int, offset: int) -> Location:
        """Where a character of a string stands, in the file around it."""
        return self._moved(self._inner.line_of(container, key, offset))

    def _moved(self, at: Location) -> Location:
        return _moved(at, self._outer, self._container, self._key, self._starts)


def nested(outer: Tree, container: Any, key: str) -> tuple[Tree, ...]:
    """The documents in the text under `key`: JSON where the key says so, otherwise YAML. Raises Unreadable."""
    text = container[key]
    try:
        inner = (load_json(text, outer.path),) if key.endswith(".json") else load_yaml(text, outer.path)
    except Unreadable as error:
        at = _moved(error.at, outer, container, key, _line_starts(text))
        raise Unreadable(at, f"{key}: {error.reason}", error.hint, error.template) from None
    return tuple(Nested(tree, outer, container, key) for tree in inner)


def _line_starts(text: str) -> list[int]:
    return [match.start() for match in re.finditer(_LINE_START, text)]


def _moved(at: Location, outer: Tree, container: Any, key: str, starts: list[int]) -> Location:
    offset = starts[min(at.line, len(starts)) - 1] + at.column - 1
    place = outer.line_of(container, key, offset)
    return replace(place, width=at.width if place.width == 0 else place.width)
