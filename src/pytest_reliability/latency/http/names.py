"""What a request is called: `GET /orders/{id}`, however many orders there are."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

_METHOD = re.compile(r"(?:([A-Za-z]+)\s+)?(/.*)", re.DOTALL)

_PARAMETER = re.compile(
    r"\{(?P<braced>\w+)(?::(?P<kind>(?:[^{}]|\{[^{}]*\})*))?\}"  # {id}, {id:int}, {id:\d{4}}
    r"|<(?P<angled>[^<>]+)>"  # <id>, <int:id>, <id:int>, <string(length=2):code>
    r"|(?<=/):(?P<colon>\w+)"  # :id
)

_KINDS = frozenset({"any", "default", "float", "int", "path", "re", "slug", "str", "string", "uuid"})
"""The converters of Flask, Django and Bottle, which write `<int:id>` or `<id:int>`."""

_ID = re.compile(
    r"\d+"
    r"|[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}"  # UUID
    r"|(?=[a-f]*\d)[0-9a-f]{16,}"  # hashes, object ids, trace ids
    r"|[0-7][0-9a-hjkmnp-tv-z]{25}",  # ULID
    re.IGNORECASE,
)

_LITERAL, _MIXED, _ANYTHING, _REST = range(4)
"""How much a segment of a template leaves open, the least first."""


class RouteError(ValueError):
    """A route template that cannot be read. The message says what to write."""


@dataclass(frozen=True, slots=True)
class Template:
    """A route: `text` with its parameters as {name}, the `method` that it is for (None for any), and what it matches.

    `openness` orders templates by how much each segment leaves open: the least is the most specific.
    """

    text: str
    method: str | None
    pattern: re.Pattern[str]
    openness: tuple[int, ...]

    @classmethod
    def parse(cls, route: object) -> Template:
        """Read "/orders/{id}", "GET /orders/:id" or "/orders/<int:id>"; raise RouteError for what is no route."""
        match = _METHOD.fullmatch(route.strip()) if isinstance(route, str) else None
        if match is None:
            raise RouteError(f"{route!r} is no route; write '/orders/{{id}}' or 'GET /orders/{{id}}'")
        method, path = match.groups()
        text, pattern, rests, end = "", "", set(), 0
        for parameter in _PARAMETER.finditer(path):
            name, kind = _name_and_kind(parameter)
            literal = path[end : parameter.start()]
            text += f"{literal}{{{name}}}"
            pattern += re.escape(literal) + (".*" if kind == "path" else "[^/]+")
            if kind == "path":
                rests.add(f"{{{name}}}")
            end = parameter.end()
        text += path[end:]
        pattern += re.escape(path[end:]).removesuffix("/") + "/?"
        openness = tuple(_openness(segment, rests) for segment in text.strip("/").split("/"))
        return cls(text, method and method.upper(), re.compile(pattern), openness)

    def matches(self, method: str, path: str) -> bool:
        """Whether a request is one of this route; a slash at the end makes no difference."""
        return self.method in (None, method) and self.pattern.fullmatch(path) is not None


class Names:
    """Names requests after their routes: those that are given, and the one that the framework tells."""

    def __init__(self, routes: Iterable[str] = ()) -> None:
        if isinstance(routes, str):
            raise RouteError(f"routes={routes!r} is one route; write routes=[{routes!r}]")
        self._templates: Sequence[Template] = tuple(map(Template.parse, routes))

    def name(self, method: str, path: str, told: str | None = None) -> str:
        """ "METHOD /route-template" by the most specific template that matches, a given one before the one that was `told`.

        Where there is none, the path with everything that looks like an id as {id}.
        """
        method = method.upper()
        candidates = [template for template in self._templates if template.matches(method, path)]
        if told is not None:
            candidates.append(known(told))
        best = min(candidates, key=lambda template: template.openness, default=None)
        return f"{method} {best.text if best else folded(path) or '/'}"


@lru_cache(maxsize=1024)
def known(route: str) -> Template:
    """The template that a framework told, which is the same for many requests."""
    return Template.parse(route)


def folded(path: str) -> str:
    """The path with each segment that is all digits, a UUID, a ULID or a long hexadecimal number as {id}."""
    return "/".join("{id}" if _ID.fullmatch(segment) else segment for segment in path.split("/"))


def _name_and_kind(parameter: re.Match[str]) -> tuple[str, str | None]:
    """The parameter's name, and what it takes, where that is said."""
    angled = parameter["angled"]
    if angled is None:
        return parameter["braced"] or parameter["colon"], parameter["kind"]
    first, _, rest = angled.partition(":")
    kind = first.partition("(")[0]
    if not rest:
        return first, None
    last = rest.partition(":")[0]
    return (first, last) if last in _KINDS and kind not in _KINDS else (rest, kind)


def _openness(segment: str, rests: set[str]) -> int:
    if segment in rests:
        return _REST
    if "{" not in segment:
        return _LITERAL
    return _ANYTHING if segment.startswith("{") and segment.find("}") == len(segment) - 1 else _MIXED
