"""JSON to a tree, with the standard library's parser; places by a second look at the text, when somebody asks for one."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, NoReturn

from pytest_reliability.documents.text import Text, Unreadable
from pytest_reliability.documents.tree import MAX_DEPTH, Places, Tree, nested_too_deep
from pytest_reliability.model.nodes import Fault

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\]]|[^\s{}\[\],:"]+')
_Pairs = dict[int, list[tuple[str, Any]]]


def load(source: Text) -> Tree:
    """A JSON file. Raises Unreadable."""
    repeating: _Pairs = {}
    kept: list[Any] = []

    def mapping(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        made = dict(pairs)
        if len(made) != len(pairs):
            repeating[id(made)] = pairs
            kept.append(made)
        return made

    try:
        data = json.loads(source.text, object_pairs_hook=mapping, parse_constant=_refuse)
    except json.JSONDecodeError as error:
        raise source.unreadable(error.pos, f"this is not JSON: {error.msg[:1].lower()}{error.msg[1:]}") from None
    except RecursionError:
        raise _too_deep(source) from None
    except ValueError as error:
        raise source.unreadable(_odd_number(source.text), f"this is not JSON: {error}") from None
    if nested_too_deep(data):
        raise _too_deep(source)
    tree = _JsonTree(source, data, repeating, kept)
    if "\\ud" in source.text or "\\uD" in source.text:
        tree.refuse_half_characters()
    return tree


def _refuse(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number")


def _odd_number(text: str) -> int:
    """The index of a number that JSON does not know, or that Python finds too long."""
    for token in _TOKEN.finditer(text):
        if token[0] in ("NaN", "Infinity", "-Infinity") or (token[0][0] in "-0123456789" and len(token[0]) > 4000):
            return token.start()
    return 0


def _too_deep(source: Text) -> Unreadable:
    depth = 0
    index = 0
    for token in _TOKEN.finditer(source.text):
        depth += (token[0] in "{[") - (token[0] in "}]")
        if depth > MAX_DEPTH:
            index = token.start()
            break
    return source.unreadable(index, f"values are nested more than {MAX_DEPTH} levels deep")


class _JsonTree(Tree):
    """A JSON file."""

    __slots__ = ("_repeating",)

    def __init__(self, source: Text, data: Any, repeating: _Pairs, kept: list[Any]) -> None:
        super().__init__(source, data, kept=(kept,))
        self._repeating = repeating
        if repeating:  # these faults need their places at once
            self._table()

    def _scan(self) -> Places:
        """Walk over text and data side by side: both have the containers in the same order."""
        table: Places = {}
        stack: list[tuple[Any, list[int], Iterator[Any]]] = []
        container: Any = None
        places: list[int] = []
        values: Iterator[Any] = iter((self.data,))
        for token in _TOKEN.finditer(self._text.text):
            character = token[0][0]
            if character in "}]":
                if id(container) in self._repeating:
                    table[id(container)] = self._valid(container, places)
                container, places, values = stack.pop()
                continue
            places.append(token.start())
            if container.__class__ is dict and not len(places) % 2:
                continue  # that was a key
            value = next(values)
            if character in "{[":
                stack.append((container, places, values))
                container = value
                places = table[id(value)] = [token.start()]
                if character == "[":
                    values = iter(value)
                elif id(value) in self._repeating:
                    values = iter([item for _, item in self._repeating[id(value)]])
                else:
                    values = iter(value.values())
        return table

    def _valid(self, mapping: dict[str, Any], places: list[int]) -> list[int]:
        """The places of what holds in a mapping that gives a key twice; the rest are faults."""
        first: dict[str, int] = {}
        last: dict[str, list[int]] = {}
        faults: list[Fault] = []
        for number, (key, _) in enumerate(self._repeating[id(mapping)]):
            last[key] = places[1 + 2 * number : 3 + 2 * number]
            index = last[key][0]
            if key in first:
                faults.append(self._text.duplicate_key(key, index, first[key]))
            first.setdefault(key, index)
        self.faults += tuple(faults)
        return [places[0], *(index for key in mapping for index in last[key])]
