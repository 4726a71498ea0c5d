"""JSON to a tree, with the standard library's parser; places by a second look at the text, when somebody asks for one."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, NoReturn

from pytest_reliability.documents.text import Text, Unreadable
from pytest_reliability.documents.tree import MAX_DEPTH, Places, Tree, nested_too_deep
from pytest_reliability.model.nodes import Fault

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\]]|[^\s{}\[\],:"]+')
_ODD_NUMBER = re.compile(r"NaN|-?Infinity|-?[0-9]{4000,}")
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
        reason = f"this is not JSON: {error.msg[:1].lower()}{error.msg[1:]}"
        raise source.unreadable(error.pos, reason, _remedy(source.text, error.pos)) from None
    except RecursionError:
        raise _too_deep(source) from None
    except ValueError as error:
        raise source.unreadable(_odd_number(source.text), f"this is not JSON: {error}") from None
    if nested_too_deep(data):
        raise _too_deep(source)
    faults: list[Fault] = []
    places: Places | Callable[[], Places] = partial(_places, source, data, repeating, faults)
    if repeating:
        places = _places(source, data, repeating, faults)
    tree = Tree(source, data, places, faults=tuple(faults), kept=(kept,))
    if "\\ud" in source.text or "\\uD" in source.text:
        tree.refuse_half_characters()
    return tree


def _refuse(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number")


def _remedy(text: str, index: int) -> str:
    """How to mend what people bring along from other languages."""
    if text.startswith(("//", "/*", "#"), index):
        return "remove the comment; JSON has none"
    if re.match(r",?\s*[}\]]", text[index:]) and text[: index + 1].rstrip("}] \t\r\n").endswith(","):
        return "remove the last comma"
    return ""


def _odd_number(text: str) -> int:
    """The index of a number that JSON does not know, or that Python finds too long."""
    odd = (token for token in _TOKEN.finditer(text) if _ODD_NUMBER.fullmatch(token[0]))
    return next(token.start() for token in odd)


def _too_deep(source: Text) -> Unreadable:
    depth = 0
    index = 0
    for token in _TOKEN.finditer(source.text):
        depth += (token[0] in "{[") - (token[0] in "}]")
        if depth > MAX_DEPTH:
            index = token.start()
            break
    return source.unreadable(index, f"values are nested more than {MAX_DEPTH} levels deep")


def _places(source: Text, data: Any, repeating: _Pairs, faults: list[Fault]) -> Places:
    """Walk over text and data side by side: both have the containers in the same order."""
    places: Places = {}
    stack: list[tuple[Any, list[int], Iterator[Any]]] = []
    container: Any = None
    inside: list[int] = []
    values: Iterator[Any] = iter((data,))
    for token in _TOKEN.finditer(source.text):
        character = token[0][0]
        if character in "}]":
            if id(container) in repeating:
                places[id(container)] = _valid(source, container, repeating[id(container)], inside, faults)
            container, inside, values = stack.pop()
            continue
        inside.append(token.start())
        if container.__class__ is dict and not len(inside) % 2:
            continue  # that was a key
        value = next(values)
        if character in "{[":
            stack.append((container, inside, values))
            container = value
            inside = places[id(value)] = [token.start()]
            if character == "[":
                values = iter(value)
            elif id(value) in repeating:
                values = iter([item for _, item in repeating[id(value)]])
            else:
                values = iter(value.values())
    return places


def _valid(
    source: Text, mapping: dict[str, Any], pairs: list[tuple[str, Any]], inside: list[int], faults: list[Fault]
) -> list[int]:
    """The places of what holds in a mapping that gives a key twice; the rest are faults."""
    first: dict[str, int] = {}
    last: dict[str, list[int]] = {}
    for number, (key, _) in enumerate(pairs):
        last[key] = inside[1 + 2 * number : 3 + 2 * number]
        index = last[key][0]
        if key in first:
            faults.append(source.duplicate_key(key, index, first[key]))
        first.setdefault(key, index)
    return [inside[0], *(index for key in mapping for index in last[key])]
