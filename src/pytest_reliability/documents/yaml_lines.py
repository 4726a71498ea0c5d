"""Plain YAML, line by line: several times faster than events, and without importing PyYAML.

Plain are files of block mappings and block lists whose values stand on the line of their key, or in a `|` or `>` block.
Whatever else a file has (an anchor, a tag, a nested flow collection, a text that goes on in the next line, a mistake) makes
`read` give up on the whole file, which then goes to a real parser. So this module never judges: it is right, or it declines.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from pytest_reliability.documents.scalars import MAYBE, Resolved
from pytest_reliability.documents.text import Text, forbidden
from pytest_reliability.documents.tree import MAX_DEPTH, Places, Tree

_UNUSUAL = "\t\r\x85\u2028\u2029\ufeff"
"""What is a line end to some, or makes columns a matter of opinion."""
_INDICATORS = frozenset("-?:,[]{}#&*!|>'\"%@`")
_NEGATIVE = re.compile(r"-[.0-9]")
_KEY = re.compile(r"""[^-?:,\[\]{}#&*!|<>'"%@` ][^ :#]{0,200}""")
_ESCAPES = r'(?:[^"\\]|\\["\\/nt])*'
_ESCAPED = {"n": "\n", "t": "\t"}
_WORD = r"""(?:"[^"\\]*"|'[^']*'|[\w./$][\w./$-]*)"""
_WORDS = rf"\[(?:{_WORD}(?:, {_WORD})*)?\]"
_PAIRS = rf"\{{(?:[\w./]+: {_WORD}(?:, [\w./]+: {_WORD})*)?\}}"
_PART = rf"(?:([\w./]+): )?({_WORD})"
_BLOCKS = {"|": ("\n", "\n"), "|-": ("\n", ""), ">": (" ", "\n"), ">-": (" ", "")}
"""How the lines of a block are joined, and how the last one ends."""


class _NotPlain(Exception):  # noqa: N818 - not an error, but a reason to look closer
    """There is something in the file that only a real parser knows what to make of."""


class _Keys(dict[str, bool]):
    """Whether a text is a plain key, worked out once each."""

    def __missing__(self, text: str) -> bool:
        plain = self[text] = _KEY.fullmatch(text) is not None
        return plain


def read(source: Text) -> tuple[Tree, ...] | None:
    """The documents of a stream of plain YAML; None where it is not plain."""
    text = source.text
    if not text.endswith("\n"):
        return None
    if not text.replace("\n", "").isprintable() and (forbidden(text) or any(character in text for character in _UNUSUAL)):
        return None
    try:
        return tuple(_documents(source))
    except _NotPlain:
        return None


def _documents(source: Text) -> Iterator[Tree]:
    """Every document. A document's root is put into a mapping that waits for it, so that all values have a container."""
    lines = source.text.split("\n")
    number = position = 0  # of the next line, and of its first character
    keys, resolved = _Keys(), Resolved()
    separated = False
    root: dict[str, Any] = {"": None}
    table: Places = {}
    container: Any = root
    places = [0, 0, 0]  # of the container
    level = -1  # its column
    keyed = waiting = True  # whether it is a mapping; whether it has a key whose value may follow below
    last = ""  # that key
    stack: list[tuple[Any, list[int], int, bool]] = []
    while number < len(lines):
        line = lines[number]
        number += 1
        start = position
        position += len(line) + 1
        body = line.lstrip(" ")
        if not body or body[0] == "#":
            continue
        column = len(line) - len(body)
        index = start + column
        dashed = body[0] == "-"
        if dashed and body[:2] != "- ":
            if column or body.rstrip(" ") != "---":
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
        if column != level or keyed is dashed:
            if column < level:
                while column < level:
                    container, places, level, keyed = stack.pop()
                waiting = False
            if column > level or (keyed and dashed):
                if not waiting:
                    raise _NotPlain
                inner: Any = [] if dashed else {}
                container[last] = inner
                places[-1] = index
                stack.append((container, places, level, keyed))
                if len(stack) > MAX_DEPTH:
                    raise _NotPlain
                container, level, keyed = inner, column, not dashed
                places = table[id(inner)] = [index]
            elif not keyed and not dashed:  # the end of a list that was no deeper than its key
                container, places, level, keyed = stack.pop()
                if level != column:
                    raise _NotPlain
        if dashed:
            body = body[2:].lstrip(" ")
            column = len(line) - len(body)
            index = start + column
        key, colon, rest = body.partition(": ")
        if not colon and body[-1:] == ":":
            key, colon = body[:-1], ":"
        if colon and keys[key]:
            if dashed:
                inner = {}
                container.append(inner)
                places.append(index)
                stack.append((container, places, level, False))
                if len(stack) > MAX_DEPTH:
                    raise _NotPlain
                container, level, keyed = inner, column, True
                places = table[id(inner)] = [index]
            elif key in container:
                raise _NotPlain
            places.append(index)
            rest = rest.lstrip(" ")
            waiting = not rest or rest[0] == "#"
            if waiting:
                container[key] = None
                places.append(index + len(key) + 1)
                last = key
                continue
            index = position - 1 - len(rest)
        elif dashed and body:
            rest = body
            waiting = False
        else:
            raise _NotPlain
        first = rest[0]
        value: Any
        if first not in _INDICATORS or _NEGATIVE.match(rest):
            if " " in rest:
                rest = rest.partition(" #")[0].rstrip(" ")
                if ": " in rest:
                    raise _NotPlain
            if rest[-1] == ":":
                raise _NotPlain
            value = resolved[rest] if first in MAYBE else rest
        elif first == '"' or first == "'":
            value = _unquoted(rest.rstrip(" "))
        elif first == "|" or first == ">":
            begin = number
            value, number = _block(lines, begin, level, rest)
            position += sum(map(len, lines[begin:number])) + number - begin
        else:
            value = _flow(rest.rstrip(" "), index, resolved, table)
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
    """A text in quotes that ends with the line."""
    quote, text = rest[0], rest[1:-1]
    if rest[-1] != quote or len(rest) == 1:
        raise _NotPlain
    if quote not in text and (quote == "'" or "\\" not in text):
        return text
    if quote == "'" and "'" not in text.replace("''", ""):
        return text.replace("''", "'")
    if quote == '"' and re.fullmatch(_ESCAPES, text):
        return re.sub(r"\\(.)", lambda escape: _ESCAPED.get(escape[1], escape[1]), text)
    raise _NotPlain


def _flow(rest: str, index: int, resolved: Resolved, table: Places) -> Any:
    """A list or a mapping in brackets, of single words or short quoted texts."""
    made: Any
    places = [index]
    if re.fullmatch(_WORDS, rest):
        made = []
    elif re.fullmatch(_PAIRS, rest):
        made = {}
    else:
        raise _NotPlain
    for found in re.finditer(_PART, rest):
        key, word = found.groups()
        value = word[1:-1] if word[0] in "\"'" else resolved[word]
        if key is None:
            made.append(value)
        elif key in made:
            raise _NotPlain
        else:
            made[key] = value
            places.append(index + found.start(1))
        places.append(index + found.start(2))
    table[id(made)] = places
    return made


def _block(lines: list[str], begin: int, level: int, header: str) -> tuple[str, int]:
    """The text of a block whose lines are deeper than the column `level`, and the number of the line behind it."""
    style = _BLOCKS.get(header.rstrip(" "))
    deeper = " " * (level + 1)
    end = begin
    while end < len(lines) and (lines[end].startswith(deeper) or not lines[end].strip(" ")):
        end += 1
    first = lines[begin].lstrip(" ")
    indent = len(lines[begin]) - len(first)
    if not first or indent <= level or style is None:
        raise _NotPlain
    content = []
    for line in lines[begin:end]:
        if line[:indent].strip(" ") or line[indent:].isspace():
            raise _NotPlain
        content.append(line[indent:])
    while not content[-1]:
        content.pop()
    joint, ending = style
    if joint == " " and any(not line or line[0] == " " for line in content):
        raise _NotPlain
    return joint.join(content) + ending, end
