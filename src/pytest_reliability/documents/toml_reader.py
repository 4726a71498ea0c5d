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
_MOST_DOTS = 1000  # the standard library takes hours for a key of some hundred thousand parts
_ONE_KEY = re.compile(_KEY)
_ERROR = re.compile(r"(?P<problem>.*) \(at (?:line (?P<line>\d+), column (?P<column>\d+)|end of document)\)")


def load(source: Text) -> Tree:
    """A TOML file; dates and times in it are strings, as in YAML and JSON. Raises Unreadable."""
    if any(line.count(".") > _MOST_DOTS and _dots(line) > _MOST_DOTS for line in source.text.splitlines()):
        raise _too_deep(source)
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


def _dots(line: str) -> int:
    """The dots outside of quotes: those of a dotted key, mostly."""
    return re.sub(r"""\"(?:[^"\\]|\\.)*"|'[^']*'""", "", line).count(".")


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
    finder = _Finder()
    finder.cover(data, 0)
    current = data
    start = 0
    inside = ""  # a string of several lines: how it began
    for line in source.text.splitlines(keepends=True):
        if not inside and (header := _HEADER.match(line)):
            keys = [_bare(key) for key in _ONE_KEY.findall(header["keys"])]
            current = finder.enter(data, keys, start + header.start("keys"), header["opening"] == "[[")
        elif not inside and (assignment := _ASSIGNMENT.match(line)):
            *parents, last = [_bare(key) for key in _ONE_KEY.findall(assignment["keys"])]
            index = start + assignment.start("keys")
            holder = finder.enter(current, parents, index)
            if last in holder:
                finder.cover(holder[last], start + assignment.end())
                finder.put(holder, last, index, start + assignment.end())
        for quotes in [inside] if inside else ['"""', "'''"]:
            if line.count(quotes) % 2:
                inside = "" if inside else quotes
        start += len(line)
    return finder.places


def _bare(key: str) -> str:
    return key[1:-1] if key[0] in "\"'" else key


class _Finder:
    """Collects places. What is in a line that was misunderstood leads nowhere, and keeps the place of what holds it."""

    def __init__(self) -> None:
        self.places: Places = {}
        self.orders: dict[int, dict[str, int]] = {}
        self.newest: dict[int, int] = {}  # of each array of tables, the table that headers go on with

    def cover(self, value: Any, index: int) -> None:
        """Give a value and all that is in it one place."""
        if isinstance(value, dict):
            self.places[id(value)] = [index] * (1 + 2 * len(value))
            for item in value.values():
                self.cover(item, index)
        elif isinstance(value, list):
            self.places[id(value)] = [index] * (1 + len(value))
            for item in value:
                self.cover(item, index)

    def put(self, holder: dict[str, Any], key: str, key_index: int, value_index: int) -> None:
        """Give a key and its value their places."""
        if id(holder) not in self.orders:
            self.orders[id(holder)] = {name: number for number, name in enumerate(holder)}
        order = self.orders[id(holder)][key]
        self.places[id(holder)][1 + 2 * order : 3 + 2 * order] = key_index, value_index

    def enter(self, holder: dict[str, Any], keys: list[str], index: int, another: bool = False) -> dict[str, Any]:
        """The table that `keys` lead to from `holder`; with `another` they begin a new one in an array of tables."""
        for number, key in enumerate(keys, 1):
            value = holder.get(key)
            if isinstance(value, (dict, list)) and not self.places[id(value)][0]:
                self.places[id(value)][0] = index
                self.put(holder, key, index, index)
            if isinstance(value, list):
                value = self.item(value, index, another and number == len(keys))
            if not isinstance(value, dict):
                return {}
            holder = value
        return holder

    def item(self, tables: list[Any], index: int, another: bool) -> Any:
        """The newest table of an array, or the next one."""
        newest = self.newest.get(id(tables), -1) + another
        if not 0 <= newest < len(tables):
            return None
        self.newest[id(tables)] = newest
        if another and isinstance(tables[newest], dict):
            self.places[id(tables)][1 + newest] = self.places[id(tables[newest])][0] = index
        return tables[newest]
