"""Which results a name means: "search", "POST /checkout", or a route "GET /items/{id}" that an engine knows by many URLs."""

from __future__ import annotations

import re
from collections.abc import Sequence
from urllib.parse import urlsplit

from pytest_reliability.latency.engines.result import EVERYTHING, Result, together

_REQUEST = re.compile(r"(?:([A-Z]+) )?(\S+)")
_SEGMENT = re.compile(r"\{[^/{}]*\}|<[^/<>]*>")


def operation(results: Sequence[Result], wanted: str) -> Result | None:
    """The result of the operation `wanted`, which is EVERYTHING for all calls; None where there is none.

    A method and a path also mean every request whose URL has that path, where {id} stands for any segment.
    """
    found = [result for result in results if result.name == wanted]
    if not found and (request := _REQUEST.fullmatch(wanted)) and request[2].startswith("/"):
        pattern = re.compile("".join(_pattern(request[2])))
        found = [result for result in results if result.name and _matches(result.name, request[1], pattern)]
    return together(found, wanted, side_by_side=True) if found else None


def names(results: Sequence[Result]) -> list[str]:
    """The operations that there are."""
    return [result.name for result in results if result.name != EVERYTHING]


def _pattern(template: str) -> list[str]:
    """A regular expression for a route, in pieces."""
    pieces: list[str] = []
    end = 0
    for segment in _SEGMENT.finditer(template):
        pieces += re.escape(template[end : segment.start()]), "[^/]+"
        end = segment.end()
    return [*pieces, re.escape(template[end:])]


def _matches(name: str, method: str | None, pattern: re.Pattern[str]) -> bool:
    request = _REQUEST.fullmatch(name)
    if request is None or (method and request[1] and request[1] != method):
        return False
    try:
        path = urlsplit(request[2]).path
    except ValueError:  # brackets that are no address
        return False
    return pattern.fullmatch(path) is not None
