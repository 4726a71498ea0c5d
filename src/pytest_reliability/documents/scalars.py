"""YAML scalars: what plain ones mean in the YAML 1.2 core schema, and where each character of a scalar stands in the source."""

from __future__ import annotations

import re
from itertools import chain, pairwise
from typing import Any

from pytest_reliability.documents.text import BREAK

NULLS = frozenset(["~", "null", "Null", "NULL"])

MAYBE = frozenset("0123456789-+.~nNtTfF")
"""What a plain scalar that is no string begins with, unless it is empty."""

_WORDS: dict[str, Any] = {
    **dict.fromkeys(("", *NULLS)),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys((".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"), float("inf")),
    **dict.fromkeys(("-.inf", "-.Inf", "-.INF"), float("-inf")),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), float("nan")),
}
_DECIMAL = re.compile(r"[-+]?[0-9]+")
_OCTAL = re.compile(r"0o[0-7]+")
_HEXADECIMAL = re.compile(r"0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_LONGEST = 1000  # digits; Python refuses to convert numbers of several thousand


def _resolve(text: str) -> Any:
    if text in _WORDS:
        return _WORDS[text]
    if len(text) > _LONGEST:
        return text
    if _DECIMAL.fullmatch(text):
        return int(text)
    if _FLOAT.fullmatch(text):
        return float(text)
    if _OCTAL.fullmatch(text) or _HEXADECIMAL.fullmatch(text):
        return int(text, 0)
    return text


class Resolved(dict[str, Any]):
    """What plain scalars mean, worked out once each: `yes`, `1:30` and `2026-01-01` are strings in YAML 1.2, and `010` is ten."""

    def __missing__(self, text: str) -> Any:
        value = self[text] = _resolve(text)
        return value


def place_inside(text: str, start: int, value: str, offset: int) -> int | None:
    """The index in `text` of the character `offset` of the string `value`, whose source begins at `start`; None if unsure."""
    opening = text[start : start + 1]
    if opening in ("|", ">"):
        return _place_in_block(text, start, value, offset)
    unit = {'"': _DOUBLE_QUOTED, "'": _SINGLE_QUOTED}.get(opening, _PLAIN)
    return _place_in_line(text, start + (unit is not _PLAIN), value, offset, unit)


_FOLD = r"(?P<fold>[ \t]*(?:\r\n|\r|\n)[ \t\r\n]*)"
_PLAIN = rf"{_FOLD}|(?P<one>.)"
_SINGLE_QUOTED = rf"{_FOLD}|(?P<one>''|.)"
_DOUBLE_QUOTED = rf"(?P<nothing>\\(?:\r\n|\r|\n)[ \t]*)|{_FOLD}|(?P<one>\\(?:x..|u[dD][89abAB]..\\u....|u....|U........|.)|.)"


def _place_in_line(text: str, start: int, value: str, offset: int, unit: str) -> int | None:
    """Follow value and source side by side: an escape is one character, folded line ends are one space or one end less."""
    at = 0
    for found in re.compile(unit).finditer(text, start):
        given = 0
        if found.lastgroup == "one":
            given = 1
            if found[0][0] not in ("\\", value[at]):
                return None
        elif found.lastgroup == "fold":
            given = max(1, len(BREAK.findall(found[0])) - 1)
        if offset < at + given:
            return found.start()
        at += given
    return None


def _place_in_block(text: str, start: int, value: str, offset: int) -> int | None:
    """Look for each line's content in the value; between two of them stand only line ends and folding spaces."""
    indent = -1
    at = 0
    ends = chain((found.span() for found in BREAK.finditer(text, start)), [(len(text), len(text))])
    for (_, begin), (end, _) in pairwise(ends):
        line = text[begin:end]
        if not line.strip(" "):
            continue
        if indent < 0:
            first = value.lstrip("\n")
            indent = len(line) - len(line.lstrip(" ")) - (len(first) - len(first.lstrip(" ")))
        content = line[indent:]
        found = value.find(content, at)
        if found < 0 or value[at:found].strip("\n "):
            return None
        if offset < found + len(content):
            return begin + indent + max(0, offset - found)
        at = found + len(content)
    return None
