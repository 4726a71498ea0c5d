"""Requests as samples: applications and clients that are watched record each of their requests as `METHOD /route-template`.

An ASGI or WSGI application is measured from the call until its response is complete, a client of httpx or requests at its
transport until the response's body has been read. Nothing of these libraries is imported here: what somebody wants to
have watched, somebody has imported.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from inspect import iscoroutinefunction
from typing import Any, TypeVar

from pytest_reliability.latency.host import preemption_counter
from pytest_reliability.latency.http.apps import inner_app, kind_of
from pytest_reliability.latency.http.clients import WatchedAdapter, WatchedTransport
from pytest_reliability.latency.http.django_client import WatchedAsyncHandler, WatchedHandler
from pytest_reliability.latency.http.names import Names, RouteError
from pytest_reliability.latency.http.sample import Proxy, Record, Watch, bare, proxied
from pytest_reliability.latency.preemption import Guard, waited_here

__all__ = ["Record", "RouteError", "unwatch", "watch"]

T = TypeVar("T")
Change = Callable[[Any, type[Proxy]], Any]

_PREEMPTIONS = preemption_counter()

_HTTPX = ("httpx", "httpx2")
"""httpx, and its successor by another name, which newer test clients of Starlette's are made of."""

_IN_PROCESS = ("ASGITransport", "WSGITransport", "_TestClientTransport")
"""Transports that call an application. That is measured then, in the thread where it runs, and not the harness around it."""


def watch(
    thing: T,
    record: Record,
    routes: Sequence[str] = (),
    *,
    clock: Callable[[], float] = time.perf_counter,
    preemptions: Callable[[], int] | None = _PREEMPTIONS,
    waited: Callable[[], float | None] = waited_here,
) -> T:
    """Record every request of an application or client as a sample; return what to use in its place.

    A client (httpx, requests, a test client of Starlette's, Flask's or Django's) and a Flask or Quart application is changed
    in place and returned; any other application or transport comes back behind a thin proxy. Whoever watches last gets
    the samples: nothing is counted twice. `routes` are templates, such as "/orders/{id}", for paths whose route no
    framework tells. Raises TypeError for what cannot be watched, RouteError for a template that cannot be read.
    """
    watching = Watch(record, Names(routes), clock, Guard(preemptions, waited) if preemptions else None)
    watched: T = _exchanged(thing, lambda inner, kind: proxied(inner, kind, watching))
    return watched


def unwatch(thing: T) -> T:
    """Undo `watch`: no request is recorded any more. Return what was watched."""
    unwatched: T = _exchanged(thing, lambda inner, _: bare(inner))
    return unwatched


def _exchanged(thing: Any, change: Change) -> Any:
    """`thing` with each place changed where requests pass through."""
    if _is_one_of(thing, _HTTPX, "Client", "AsyncClient"):
        _exchange_transports(thing, change)
        return thing
    if _is_one_of(thing, _HTTPX, "BaseTransport", "AsyncBaseTransport"):
        return _transport(thing, change)
    if _is_one_of(thing, ("django.test.client",), "Client", "AsyncClient"):
        thing.handler = change(thing.handler, WatchedAsyncHandler if iscoroutinefunction(thing.request) else WatchedHandler)
        return thing
    if _is_one_of(thing, ("werkzeug.test",), "Client"):
        thing.application = _app(thing.application, change)
        return thing
    if _is_one_of(thing, ("requests",), "Session"):
        for prefix, adapter in thing.adapters.items():
            thing.adapters[prefix] = change(adapter, WatchedAdapter)
        return thing
    return _app(thing, change)


def _is_one_of(thing: object, libraries: tuple[str, ...], *classes: str) -> bool:
    """Whether it is an instance of one of these classes, of a library that somebody has imported."""
    imported = filter(None, map(sys.modules.get, libraries))
    return any(isinstance(thing, getattr(library, name)) for library in imported for name in classes)


def _exchange_transports(client: Any, change: Change) -> None:
    # httpx has no public place for this; both attributes have been there since 0.13
    if not hasattr(client, "_transport") or not hasattr(client, "_mounts"):
        raise TypeError(
            f"this version of httpx keeps its transports where they cannot be watched; watch the transport instead: "
            f"{type(client).__name__}(transport=latency.watch(transport))"
        )
    client._transport = _transport(client._transport, change)
    for pattern, mounted in client._mounts.items():
        if mounted is not None:
            client._mounts[pattern] = _transport(mounted, change)


def _transport(transport: Any, change: Change) -> Any:
    if any(base.__name__ in _IN_PROCESS for base in type(transport).__mro__):
        transport.app = _app(transport.app, change)
        return transport
    return change(transport, WatchedTransport)


def _app(app: Any, change: Change) -> Any:
    place = inner_app(app)
    if place is not None:
        setattr(app, place, _app(getattr(app, place), change))
        return app
    kind = kind_of(app)
    if kind is None:
        raise TypeError(
            f"{type(app).__name__} cannot be watched; it takes an ASGI or WSGI application, "
            "a client or transport of httpx, a session of requests, or a test client of Flask's or Django's"
        )
    return change(app, kind)
