"""The route that a web framework found for a request, as far as it leaves that where others can read it.

| framework | what it leaves |
|---|---|
| Starlette, FastAPI | `path_params`, `root_path` (with the mounts that were passed) and mostly `route` in the scope |
| Litestar | `path_template` in the scope |
| Flask | the request with its `url_rule` in the environment, until the request is over |
| Bottle | `bottle.route` in the environment |
| Django | nothing, but its resolver can be asked again |
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping, MutableMapping
from typing import Any

from pytest_reliability.latency.http.names import folded, known

_NAMED_GROUP = re.compile(r"\(\?P<(\w+)>[^()]*\)")
_REGULAR_EXPRESSION = re.compile(r"[\\()\[\]*+?|]")


def route_path(path: str, root_path: str) -> str:
    """The path below `root_path`, which servers put in front of it and others leave out."""
    below = path.removeprefix(root_path)
    return below if below.startswith("/") else path if below else "/"


def in_scope(app: object, path: str, root_path: str, scope: MutableMapping[str, Any]) -> str | None:
    """The template that an ASGI scope holds after routing. `path` and `root_path` are what it held before."""
    template = scope.get("path_template")
    if isinstance(template, str) and template.startswith("/"):
        return template
    if "endpoint" not in scope:
        return in_django(app, route_path(path, root_path))
    # in the order in which they stand in the path: those of mounts first
    parameters = [(name, str(value)) for name, value in (scope.get("path_params") or {}).items()]
    mounted = str(scope.get("root_path", "")).removeprefix(root_path)
    below = route_path(route_path(path, root_path), mounted)
    prefix = "/".join(_named(mounted.split("/"), parameters))
    rest = "/".join([*_named(below.split("/")[::-1], parameters[::-1])][::-1])
    return prefix + (_of_route(scope.get("route"), below) or rest)


def _of_route(route: object, path: str) -> str | None:
    """What the route says of itself.

    A route that was included under a prefix may know nothing of it, so it has to fit the path. A mount is where
    Starlette's knowledge ends: what lies below is one route.
    """
    template = getattr(route, "path", None)
    if not isinstance(template, str):
        return None
    if hasattr(route, "routes"):
        return "/{path}"
    return template if template.startswith("/") and known(template).matches("", path) else None


def _named(segments: list[str], parameters: list[tuple[str, str]]) -> Iterator[str]:
    """The segments, with those that are the value of a parameter replaced by its name; both in the same order."""
    left = list(parameters)
    for segment in segments:
        place = next((place for place, (_, value) in enumerate(left) if value == segment), None)
        yield folded(segment) if place is None else f"{{{left.pop(place)[0]}}}"


def in_environ(app: object, environ: Mapping[str, Any], request: object) -> str | None:
    """The template that a WSGI environment holds, and Flask's request, which is in it only until the answer begins."""
    for route in (getattr(request, "url_rule", None), environ.get("bottle.route")):
        template = getattr(route, "rule", None)
        if isinstance(template, str) and template.startswith("/"):
            return template
    return in_django(app, environ_path(environ))


def environ_path(environ: Mapping[str, Any]) -> str:
    """The path below the place where the application is mounted."""
    # WSGI passes bytes as if they were Latin-1
    return str(environ.get("PATH_INFO", "")).encode("latin-1", "replace").decode("utf-8", "replace") or "/"


def in_django(app: object, path: str) -> str | None:
    """The route that Django's resolver finds, where `app` is a Django application."""
    base = sys.modules.get("django.core.handlers.base")
    if base is None or not isinstance(app, base.BaseHandler):
        return None
    urls = sys.modules["django.urls"]
    try:
        return of_django(str(urls.resolve(path).route))
    except urls.Resolver404:
        return None


def of_django(route: str) -> str | None:
    """A route of Django's as a template; None where it is a regular expression of more than named groups."""
    template = _NAMED_GROUP.sub(r"{\1}", route).replace("^", "").removesuffix("$").removesuffix("\\Z")
    return None if _REGULAR_EXPRESSION.search(template) else f"/{template}"
