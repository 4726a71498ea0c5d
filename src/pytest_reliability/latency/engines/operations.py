"""Which results a name means: "search", "POST /checkout", or a route "GET /items/{id}" that an engine knows by many URLs."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import chain
from urllib.parse import urlsplit

from pytest_reliability.latency.engines.result import EVERYTHING, Result, in_words, together

_MOST_LISTED = 8

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


def names(results: Iterable[Result]) -> list[str]:
    """The operations that there are."""
    return list(dict.fromkeys(result.name for result in results if result.name != EVERYTHING))


def instead(wanted: str, known: Sequence[str]) -> str:
    """What may have been meant by an operation that there is not: the nearest one, or those that are `known`."""
    from pytest_reliability.shape import nearest

    if meant := nearest(wanted, known):
        return f"did you mean {meant}?"
    more = f" and {len(known) - _MOST_LISTED} more" if len(known) > _MOST_LISTED else ""
    return f"there are {', '.join(known[:_MOST_LISTED])}{more}" if known else "there are only all requests together"


def required(runs: Sequence[Sequence[Result]], wanted: str) -> tuple[Result, ...]:
    """The operation in each run. Where a run does not have it, a single result that says so, so that nothing passes."""
    found = [operation(results, wanted) for results in runs]
    there = tuple(result for result in found if result is not None)
    if len(there) == len(found):
        return there
    without = [results for results, result in zip(runs, found, strict=True) if result is None]
    sources = in_words([results[0].source for results in without])
    lacks = f"no calls of {wanted} in {sources}; {instead(wanted, names(chain(*without)))}"
    return (Result(name=wanted, n=0, errors=0, source=sources, lacks=lacks),)


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
