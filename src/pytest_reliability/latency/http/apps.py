"""ASGI and WSGI applications that are measured from the call until their response is complete."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Iterable, Iterator, MutableMapping
from typing import Any

from pytest_reliability.latency.http.frameworks import environ_path, in_environ, in_scope, route_path
from pytest_reliability.latency.http.sample import Proxy, Sample, Watch, failing

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


class WatchedASGI(Proxy):
    """An ASGI application whose HTTP requests are measured; lifespan and WebSockets pass through."""

    __slots__ = ()

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Serve a request. What the application does after its response is complete is not counted."""
        watch: Watch | None = self._self_state
        app = self._self_wrapped
        if watch is None or scope["type"] != "http":
            await app(scope, receive, send)
            return
        path, root_path = str(scope["path"]), str(scope.get("root_path", ""))
        below = route_path(path, root_path)
        sample = watch.begin(str(scope["method"]), below, lambda: in_scope(app, path, root_path, scope))
        response = _Response(sample, receive, send)
        try:
            await app(scope, response.receive, response.send)
        except BaseException as error:
            response.broken_off(cancelled=not isinstance(error, Exception))
            raise
        response.broken_off()


class _Response:
    """What an ASGI application sends, and whether anybody is still there to have it."""

    def __init__(self, sample: Sample, receive: Receive, send: Send) -> None:
        self._sample, self._receive, self._send = sample, receive, send
        self._started = self._trailers = self._left = False

    async def receive(self) -> Message:
        message = await self._receive()
        self._left |= message["type"] == "http.disconnect"
        return message

    async def send(self, message: Message) -> None:
        await self._send(message)
        kind = message["type"]
        if kind == "http.response.start":
            self._started, self._trailers = True, bool(message.get("trailers"))
            self._sample.answered(int(message["status"]))
        elif self._is_last(kind, message):
            self._sample.end()

    def _is_last(self, kind: str, message: Message) -> bool:
        if kind == "http.response.trailers":
            return not message.get("more_trailers")
        body = kind == "http.response.pathsend" or (kind == "http.response.body" and not message.get("more_body"))
        return body and not self._trailers

    def broken_off(self, *, cancelled: bool = False) -> None:
        """The application has ended. Where the response is incomplete, that is its failure.

        It is not where the client left in the middle of it, as it does with a stream of events.
        """
        if self._started and (self._left or cancelled):
            self._sample.end()
        else:
            self._sample.fail()


class WatchedWSGI(Proxy):
    """A WSGI application whose requests are measured until what it returns is exhausted and closed."""

    __slots__ = ()

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
        """Serve a request."""
        watch: Watch | None = self._self_state
        app = self._self_wrapped
        if watch is None:
            return app(environ, start_response)
        seen: list[object] = []
        path = environ_path(environ)

        def told() -> str | None:
            return in_environ(app, environ, seen[-1] if seen else None)

        def start(status: str, *rest: Any) -> Any:
            seen.append(environ.get("werkzeug.request"))
            sample.answered(int(status[:3]))
            return start_response(status, *rest)

        sample = watch.begin(str(environ["REQUEST_METHOD"]), path, told)
        with failing(sample):
            body = app(environ, start)
        sample.reached()
        return WatchedBody(body, sample)


class WatchedBody:
    """What a WSGI application returns. The sample ends when it is closed, or exhausted where there is nothing to close.

    Flask's test client neither closes nor always reads it: then the sample ended with what was taken last. It is an
    iterable and nothing else: servers look for a length or a file in it, and would send that past us.
    """

    def __init__(self, body: Iterable[bytes], sample: Sample) -> None:
        self._body, self._sample = body, sample

    def __iter__(self) -> Iterator[bytes]:
        sample = self._sample
        with failing(sample):
            for chunk in self._body:
                sample.reached()
                yield chunk
        sample.reached()
        if not hasattr(self._body, "close"):
            sample.settle()

    def close(self) -> None:
        """Close it, which servers do once they are through with it."""
        with failing(self._sample):
            if hasattr(self._body, "close"):
                self._body.close()
        self._sample.end()

    def __del__(self) -> None:
        self._sample.settle()


def inner_app(app: object) -> str | None:
    """Where Flask and Quart keep the application that middleware is put around; their own test clients go through it."""
    return next((name for name in ("wsgi_app", "asgi_app") if hasattr(app, name)), None)


def kind_of(app: Any) -> type[Proxy] | None:
    """Whether it is an ASGI or a WSGI application, by the arguments that it takes; None where it is neither."""
    if isinstance(app, Proxy):
        return type(app)
    if not callable(app) or inspect.isclass(app):
        return None
    try:
        parameters = inspect.signature(app).parameters.values()
    except (TypeError, ValueError):
        return None
    taken = [p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD) and p.default is p.empty]
    return {2: WatchedWSGI, 3: WatchedASGI}.get(len(taken))
