"""TOML to a tree, with the standard library's parser, and places from the headers and keys that begin the lines.

That is exact for tables and for keys that have a line of their own; what stands inside of a value has the value's place.
"""

from __future__ import annotations

import re
import sys
from datetime import date, time
from functools import partial
from typing import Any

if sys.version_info >= (3, 11):
    import tomllib
else:  # pragma: no cover - the same library under its older name
    import tomli as tomllib  # type: ignore[import-not-found,unused-ignore]

from pytest_reliability.documents.text import Text, Unreadable
from pytest_reliability.documents.tree import MAX_DEPTH, Places, Tree, nested_too_deep
from pytest_reliability.model.location import Location

_KEY = r"""(?:"(?:[^"\\\n]|\\.)*"|'[^'\n]*'|[\w-]+)"""
_DOTTED = rf"(?P<keys>{_KEY}(?:[ \t]*\.[ \t]*{_KEY})*)"
_HEADER = re.compile(rf"[ \t]*(?P<opening>\[\[?)[ \t]*{_DOTTED}[ \t]*\]")
_ASSIGNMENT = re.compile(rf"[ \t]*{_DOTTED}[ \t]*=[ \t]*")
_ONE_KEY = re.compile(_KEY)
_ERROR = re.compile(r"(?P<problem>.*) \(at (?:line (?P<line>\d+), column (?P<column>\d+)|end of document)\)")


def load(source: Text) -> Tree:
    """A TOML file; dates and times in it are strings, as in YAML and JSON. Raises Unreadable."""
    try:
        data = tomllib.loads(source.text)
    except RecursionError:
        raise _too_deep(source) from None
    except ValueError as error:
        raise _unreadable(source, str(error)) from None
    if nested_too_deep(data):
        raise _too_deep(source)
    _spell_out_dates(data)
    return Tree(source, data, partial(_find_places, source, data))


def _too_deep(source: Text) -> Unreadable:
    return source.unreadable(0, f"values are nested more than {MAX_DEPTH} levels deep")


def _unreadable(source: Text, problem: str) -> Unreadable:
    found = _ERROR.fullmatch(problem)
    at = source.location(len(source.text) if found else 0)
    if found and found["line"]:
        at = Location(source.path, int(found["line"]), int(found["column"]))
    problem = found["problem"] if found else problem
    return Unreadable(at, f"this is not TOML: {problem[:1].lower()}{problem[1:]}")


def _spell_out_dates(container: Any) -> None:
    for key, value in container.items() if isinstance(container, dict) else enumerate(container):
        if isinstance(value, (date, time)):
            container[key] = value.isoformat()
        elif isinstance(value, (dict, list)):
            _spell_out_dates(value)


def _find_places(source: Text, data: dict[str, Any]) -> Places:
    places: Places = {}
    _cover(places, data, 0)
    newest: dict[int, int] = {}
    current = data
    start = 0
    inside = False  # of a string of several lines
    for line in source.text.splitlines(keepends=True):
        if not inside and (header := _HEADER.match(line)):
            index = start + header.start("keys")
            keys = [*map(_bare, _ONE_KEY.findall(header["keys"]))]
            current = _enter(places, data, keys, index, newest, header["opening"] == "[[")
        elif not inside and (assignment := _ASSIGNMENT.match(line)):
            index = start + assignment.start("keys")
            *parents, last = map(_bare, _ONE_KEY.findall(assignment["keys"]))
            holder = _enter(places, current, parents, index, newest)
            if last in holder:
                _cover(places, holder[last], start + assignment.end())
                _put(places, holder, last, index, start + assignment.end())
        inside ^= (line.count('"""') + line.count("'''")) % 2 == 1
        start += len(line)
    return places


def _bare(key: str) -> str:
    return key[1:-1] if key[0] in "\"'" else key


def _enter(
    places: Places, holder: dict[str, Any], keys: list[str], index: int, newest: dict[int, int], another: bool = False
) -> dict[str, Any]:
    """The table that the dotted `keys` name, seen from `holder`; with `another` they begin a new one in an array of tables."""
    for number, key in enumerate(keys, 1):
        value = holder.get(key)
        if isinstance(value, (dict, list)) and not places[id(value)][0]:
            places[id(value)][0] = index
            _put(places, holder, key, index, index)
        if isinstance(value, list):
            if another and number == len(keys):
                item = newest[id(value)] = newest.get(id(value), -1) + 1
                places[id(value)][1 + item] = places[id(value[item])][0] = index
            value = value[newest.get(id(value), 0)]
        if not isinstance(value, dict):
            return {}
        holder = value
    return holder


def _put(places: Places, holder: dict[str, Any], key: str, key_index: int, value_index: int) -> None:
    order = list(holder).index(key)
    places[id(holder)][1 + 2 * order : 3 + 2 * order] = key_index, value_index


def _cover(places: Places, value: Any, index: int) -> None:
    """Give a value and all that is in it one place."""
    if isinstance(value, dict):
        places[id(value)] = [index] * (1 + 2 * len(value))
        for item in value.values():
            _cover(places, item, index)
    elif isinstance(value, list):
        places[id(value)] = [index] * (1 + len(value))
        for item in value:
            _cover(places, item, index)
