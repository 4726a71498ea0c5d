"""A document: plain values, and where each of them stands."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from pytest_reliability.documents.scalars import NULLS, place_inside
from pytest_reliability.documents.text import Text, Unreadable
from pytest_reliability.model.location import Location
from pytest_reliability.model.nodes import Fault

MAX_DEPTH = 100
"""Values nested deeper than this are refused, so that nobody who walks a tree runs out of stack."""

_PROPERTIES = re.compile(r"(?:[&!]\S*\s(?:\s|#.*)*)*")
_TOKEN = re.compile(r""" "(?:[^"\\\r\n]|\\.)*" | '(?:[^'\r\n]|'')*' | \*[^\s,\[\]{}]+ | [-+.~\w]+ """, re.VERBOSE)

Places = dict[int, list[int]]
"""By the id of a container the indexes of characters: its own first one, then that of each item, or of each key and its value."""


def nested_too_deep(data: Any) -> bool:
    """Whether there are more levels of lists and mappings than `MAX_DEPTH`."""
    level = [data]
    for _ in range(MAX_DEPTH):
        level = [value for value in level if value.__class__ is dict or value.__class__ is list]
        level = [item for value in level for item in (value.values() if value.__class__ is dict else value)]
    return any(value.__class__ is dict or value.__class__ is list for value in level)


class Tree:
    """One YAML document, JSON file or TOML file.

    `data` consists of plain dicts, lists, strings, numbers, booleans and None. Keys are always strings: the text of the key as
    it was written. Where a key is given twice the last value holds, as in most parsers, and `faults` says so. Containers are
    known by identity, so ask with those of `data` and not with copies. All YAML aliases of an anchor share one container, whose
    place is the anchor's.
    """

    __slots__ = ("_aliases", "_kept", "_orders", "_places", "_start", "_text", "data", "faults")

    def __init__(
        self,
        text: Text,
        data: Any,
        places: Places | Callable[[], Places],
        *,
        start: int = 0,
        faults: tuple[Fault, ...] = (),
        aliases: dict[int, int] | None = None,
        kept: tuple[Any, ...] = (),
    ) -> None:
        self.data = data
        self.faults = faults
        self._text = text
        self._places = places  # or what finds them, where nobody has asked yet
        self._start = start
        self._aliases = aliases or {}
        self._kept = kept  # containers that are no longer part of `data`, alive lest others get their ids
        self._orders: dict[int, dict[str, int]] = {}

    @property
    def path(self) -> str:
        """The file's path, relative to the repository's root."""
        return self._text.path

    def at(self, container: Any, key: str | int | None = None) -> Location:
        """Where the value under `key` begins; without a key, where the container itself does.

        A key that is not there has the container's place, a container that is not of this tree the document's.
        """
        index, value = self._find(container, key)
        if key is None or isinstance(value, (dict, list)):
            return self._text.location(index)
        index = self._past_properties(index, value)
        return self._text.location(index, self._width(index, value))

    def key_at(self, container: Any, key: str) -> Location:
        """Where `key` stands."""
        index, _ = self._find(container, key, 0)
        index = self._past_properties(index, key)
        return self._text.location(index, self._width(index, key))

    def spelling(self, container: Any, key: str | int) -> str:
        """The scalar under `key` as it was written ("99.90", "1e3"): a string without quotes and escapes, a container as ""."""
        value = container[key]
        if isinstance(value, str):
            return value
        if isinstance(value, (dict, list)):
            return ""
        written = _TOKEN.match(self._text.text, self._original(container, key))
        if written is None or (value is None and written[0] not in NULLS):
            return ""
        return written[0].strip("\"'")

    def line_of(self, container: Any, key: str | int, offset: int) -> Location:
        """Where the character `offset` of the string under `key` stands; its beginning where that cannot be told."""
        value = container[key]
        if isinstance(value, str) and 0 <= offset < len(value):
            index = place_inside(self._text.text, self._original(container, key), value, offset)
            if index is not None:
                return self._text.location(index)
        return self.at(container, key)

    def strings(self, inside: Any) -> Iterator[tuple[Any, str | int | None, str]]:
        """Every key and every string in a value of the document, with container and key."""
        if isinstance(inside, str):
            yield inside, None, inside
        pending = [inside]
        seen: set[int] = set()
        while pending:
            container = pending.pop()
            if container.__class__ not in (dict, list) or id(container) in seen:
                continue
            seen.add(id(container))
            for key, value in container.items() if container.__class__ is dict else enumerate(container):
                if isinstance(key, str):
                    yield container, key, key
                if isinstance(value, str):
                    yield container, key, value
                pending.append(value)

    def refuse_half_characters(self) -> None:
        r"""Raise Unreadable for a string with half of a surrogate pair (`\ud83d`): it can be neither printed nor stored."""
        for container, key, text in self.strings(self.data):
            if not text.isascii() and (half := re.search("[\ud800-\udfff]", text)):
                reason = f"\\u{ord(half[0]):x} is only half of a character"
                raise Unreadable(self.at(container, key), reason, "write the other half too, or the character itself")

    def _find(self, container: Any, key: str | int | None, half: int = 1) -> tuple[int, Any]:
        """The index of the first character of a value (of its key where `half` is 0), and the value."""
        if callable(self._places):
            self._places = self._places()
        places = self._places.get(id(container))
        if places is None:
            return self._start, self.data
        if isinstance(container, list):
            if isinstance(key, int) and -len(container) <= key < len(container):
                return places[1 + key % len(container)], container[key]
        elif key in container:
            return places[1 + 2 * self._order(container, key) + half], container[key]
        return places[0], container

    def _order(self, mapping: dict[str, Any], key: Any) -> int:
        if len(mapping) <= 32:
            return list(mapping).index(key)
        orders = self._orders.get(id(mapping))
        if orders is None:
            orders = self._orders[id(mapping)] = {name: order for order, name in enumerate(mapping)}
        return orders[key]

    def _original(self, container: Any, key: str | int) -> int:
        """The index of a scalar's text: where an alias stands, that of what it refers to."""
        index, value = self._find(container, key)
        return self._past_properties(self._aliases.get(index, index), value)

    def _past_properties(self, index: int, value: Any) -> int:
        """The index behind a scalar's anchor and tag; behind those of an empty scalar the next key may follow."""
        text = self._text.text
        found = _PROPERTIES.match(text, index)
        end = found.end() if found else index
        if value is None or value == "":
            written = _TOKEN.match(text, end)
            empty = written is None or (written[0] not in NULLS if value is None else written[0] not in ('""', "''"))
            return index if empty else end
        return end

    def _width(self, index: int, value: Any) -> int:
        """How many characters of its line the scalar at `index` covers; 0 where it is empty or goes on in the next line."""
        text = self._text.text
        if isinstance(value, str) and value and text[index : index + 1] not in "\"'*" and "\n" not in value:
            return len(value) if text.startswith(value, index) else 0
        written = _TOKEN.match(text, index)
        if written is None or (value is None and written[0] not in NULLS and written[0][0] != "*"):
            return 0
        return len(written[0])
