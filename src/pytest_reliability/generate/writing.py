"""Rules as YAML: the same data gives the same bytes, and long expressions stay legible."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

_PLAIN = r"[A-Za-z_](?:[\w ./()%-]|:(?=\w))*"
_RESERVED = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null"})


def yaml(documents: Iterable[Mapping[str, Any]]) -> str:
    """The documents as YAML, one after another; each of mappings, lists, texts, whole numbers and booleans."""
    return "---\n".join("\n".join(_mapping(document, "")) + "\n" for document in documents)


def _mapping(data: Mapping[str, Any], indent: str) -> Iterator[str]:
    for key, value in data.items():
        if isinstance(value, Mapping) and value:
            yield f"{indent}{_scalar(key)}:"
            yield from _mapping(value, indent + "  ")
        elif isinstance(value, list) and value:
            yield f"{indent}{_scalar(key)}:"
            yield from _list(value, indent + "  ")
        elif isinstance(value, str) and _is_block(value):
            yield f"{indent}{_scalar(key)}: {'|' if value.endswith(chr(10)) else '|-'}"
            yield from (f"{indent}  {line}" if line else "" for line in value.removesuffix("\n").split("\n"))
        else:
            yield f"{indent}{_scalar(key)}: {_scalar(value)}"


def _list(items: list[Any], indent: str) -> Iterator[str]:
    for item in items:
        if isinstance(item, (Mapping, list)) and item:
            lines = list(_mapping(item, indent + "  ") if isinstance(item, Mapping) else _list(item, indent + "  "))
            yield f"{indent}- {lines[0].lstrip()}"
            yield from lines[1:]
        else:
            yield f"{indent}- {_scalar(item)}"


def _is_block(text: str) -> bool:
    """Whether a text of several lines comes back unchanged from a literal block."""
    lines = text.split("\n")
    return len(lines) > 1 and not text[:1].isspace() and not text.endswith("\n\n") and all(line.isprintable() for line in lines)


def _scalar(value: Any) -> str:
    if isinstance(value, str):
        plain = re.fullmatch(_PLAIN, value) and not value.endswith(" ") and value.casefold() not in _RESERVED
        if plain:
            return value
        if '"' in value and "'" not in value and value.isprintable():
            return f"'{value}'"
        return "".join(map(_shown, json.dumps(value, ensure_ascii=False)))
    return json.dumps(value)  # numbers, booleans, and what is empty


def _shown(letter: str) -> str:
    return letter if letter.isprintable() else f"\\U{ord(letter):08x}"
