"""Plain YAML, line by line: several times faster than events, and without importing PyYAML.

Plain are files of block mappings and block lists whose values stand on the line of their key, or in a `|` or `>` block. Whatever
else a file has (an anchor, a tag, a nested flow collection, a value of several lines, a mistake) makes `read` give up on the whole
file, and the whole of YAML is consulted. So this module never judges: it is right, or it declines.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import Any

from pytest_reliability.documents.scalars import MAYBE, Resolved
from pytest_reliability.documents.text import Text
from pytest_reliability.documents.tree import MAX_DEPTH, Places, Tree

_UNUSUAL = re.compile("[^\n\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]")
"""What is not allowed in YAML, is a line end to some, or makes columns a matter of opinion."""

_LINE = re.compile(r"( *)((?:- +)*)(?:([\w./][\w./-]{0,200}):(?: +|(?=\n)))?(.*)\n")
"""Indentation, dashes, key, value."""
_INDICATORS = frozenset("-?:,[]{}#&*!|>'\"%@`")
_NEGATIVE = re.compile(r"-[.0-9]")
_SINGLE_QUOTED = re.compile(r"'((?:[^']|'')*)'(?: +#.*)?")
_DOUBLE_QUOTED = re.compile(r'"((?:[^"\\]|\\["\\/nt])*)"(?: +#.*)?')
_ESCAPE = re.compile(r"\\(.)")
_ESCAPED = {"n": "\n", "t": "\t"}
_WORD = re.compile(r"[A-Za-z_][\w-]*")
_WORDS = re.compile(rf"\[({_WORD.pattern}(?:, {_WORD.pattern})*)?\]")
_BLOCK = re.compile(r"([|>])(-?)(?: +#.*)?")


class _NotPlain(Exception):
    """There is something in the file that only a real parser knows what to make of."""


def read(source: Text) -> tuple[Tree, ...] | None:
    """The documents of a stream of plain YAML; None where it is not plain."""
    text = source.text
    if not text.endswith("\n") or (not text.replace("\n", "").isprintable() and _UNUSUAL.search(text)):
        return None
    try:
        return tuple(_documents(source))
    except _NotPlain:
        return None


def _documents(source: Text) -> Iterator[Tree]:
    """Every document. A document's root is put into a mapping that waits for it, so that all values have a container."""
    text = source.text
    resolved = Resolved()
    match = _LINE.match
    position = 0
    separated = False
    root: dict[str, Any] = {"": None}
    table: Places = {}
    container: Any = root
    places = [0, 0, 0]  # of the container
    level = -1  # its column
    keyed = waiting = True  # whether it is a mapping; whether it has a key whose value may follow below
    last = ""  # that key
    stack: list[tuple[Any, list[int], int, bool]] = []
    while found := match(text, position):
        start, position = position, found.end()
        indent, dashes, key, rest = found.groups()
        if key is None and not dashes:
            if not rest or rest[0] == "#":
                continue
            if indent or rest.rstrip(" ") != "---":
                raise _NotPlain
            if root[""] is not None:
                yield Tree(source, root[""], table, start=table[id(root[""])][0])
            elif separated:
                raise _NotPlain
            separated = True
            container = root = {"": None}
            places, table, stack = [0, 0, 0], {}, []
            level, keyed, waiting, last = -1, True, True, ""
            continue
        column = len(indent)
        index = start + column
        if column < level:
            while column < level:
                container, places, level, keyed = stack.pop()
            waiting = False
        if column > level or (keyed and dashes):
            if not waiting:
                raise _NotPlain
            inner: Any = [] if dashes else {}
            container[last] = inner
            places[-1] = index
            stack.append((container, places, level, keyed))
            container, level, keyed = inner, column, not dashes
            places = table[id(inner)] = [index]
        elif not keyed and not dashes:  # the end of a list that was no deeper than its key
            container, places, level, keyed = stack.pop()
            if level != column:
                raise _NotPlain
        if dashes:
            for offset in range(1, len(dashes)):
                if dashes[offset] == "-":
                    inner = []
                    container.append(inner)
                    places.append(index + offset)
                    stack.append((container, places, level, False))
                    container, level = inner, column + offset
                    places = table[id(inner)] = [index + offset]
            index += len(dashes)
            if key is not None:
                inner = {}
                container.append(inner)
                places.append(index)
                stack.append((container, places, level, False))
                container, level, keyed = inner, column + len(dashes), True
                places = table[id(inner)] = [index]
        if len(stack) > MAX_DEPTH:
            raise _NotPlain
        if key is not None:
            if key in container:
                raise _NotPlain
            places.append(index)
        value: Any
        waiting = not rest or rest[0] == "#"
        if waiting:
            if key is None:
                raise _NotPlain
            value, last = None, key
            index += len(key) + 1
        else:
            index = found.start(4)
            if rest[0] not in _INDICATORS or _NEGATIVE.match(rest):
                if " " in rest:
                    rest = rest.partition(" #")[0].rstrip(" ")
                    if ": " in rest:
                        raise _NotPlain
                if rest[-1] == ":":
                    raise _NotPlain
                value = resolved[rest] if rest[0] in MAYBE else rest
            elif rest[0] in "'\"":
                value = _unquoted(rest)
            elif rest[0] in "|>":
                value, position = _block(text, rest, position, level)
            else:
                value = _flow(rest, index, resolved, table)
        places.append(index)
        if keyed:
            container[key] = value
        else:
            container.append(value)
    if root[""] is not None:
        yield Tree(source, root[""], table, start=table[id(root[""])][0])
    elif separated:
        raise _NotPlain


def _unquoted(rest: str) -> str:
    """A text in quotes."""
    if found := _SINGLE_QUOTED.fullmatch(rest):
        return found[1].replace("''", "'")
    if found := _DOUBLE_QUOTED.fullmatch(rest):
        return _ESCAPE.sub(lambda escape: _ESCAPED.get(escape[1], escape[1]), found[1]) if "\\" in rest else found[1]
    raise _NotPlain


def _flow(rest: str, index: int, resolved: Resolved, table: Places) -> Any:
    """A list of words in brackets, or an empty mapping."""
    rest = rest.rstrip(" ")
    if _WORDS.fullmatch(rest):
        words = list(_WORD.finditer(rest))
        made: Any = [resolved[word[0]] for word in words]
        table[id(made)] = [index, *(index + word.start() for word in words)]
        return made
    if rest == "{}":
        made = {}
        table[id(made)] = [index]
        return made
    raise _NotPlain


@cache
def _deeper(level: int) -> re.Pattern[str]:
    return re.compile(rf"(?:(?: {{{level + 1}}}.*| *)\n)*")


def _block(text: str, header: str, position: int, level: int) -> tuple[str, int]:
    """The text of a block whose lines begin at `position`, deeper than the column `level`; and where it ends."""
    style = _BLOCK.fullmatch(header.rstrip(" "))
    found = _deeper(level).match(text, position)
    if not style or not found:
        raise _NotPlain
    first, *others = found[0].rstrip("\n").split("\n")
    content = first.lstrip(" ")
    indent = len(first) - len(content)
    lines = [content]
    for line in others:
        if line and line[:indent].strip(" "):
            raise _NotPlain
        lines.append(line[indent:])
    if not content or any(line.isspace() for line in lines):
        raise _NotPlain
    if style[1] == ">" and any(not line or line[0] == " " for line in lines):
        raise _NotPlain
    return (" " if style[1] == ">" else "\n").join(lines) + ("" if style[2] else "\n"), found.end()
