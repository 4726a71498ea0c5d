"""Clients of httpx and requests, measured at their transports: each request is a sample, until its body is read."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from pytest_reliability.latency.http.sample import Proxy, Sample, Watch, failing

if TYPE_CHECKING:
    import httpx
    import requests

SWITCHING_PROTOCOLS = 101


class WatchedTransport(Proxy):
    """A transport of httpx, synchronous, asynchronous or both. WebSockets pass through."""

    __slots__ = ()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request; its sample ends with the response's body."""
        sample = self._begin(request)
        if sample is None:
            return self._self_wrapped.handle_request(request)  # type: ignore[no-any-return]
        with failing(sample):
            return _until_read(self._self_wrapped.handle_request(request), sample)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request; its sample ends with the response's body."""
        sample = self._begin(request)
        if sample is None:
            return await self._self_wrapped.handle_async_request(request)  # type: ignore[no-any-return]
        with failing(sample):
            return _until_read(await self._self_wrapped.handle_async_request(request), sample)

    def _begin(self, request: httpx.Request) -> Sample | None:
        watch: Watch | None = self._self_state
        if watch is None or request.url.scheme in ("ws", "wss"):
            return None
        return watch.begin(request.method, request.url.path)

    def __enter__(self) -> WatchedTransport:
        self._self_wrapped.__enter__()
        return self

    def __exit__(self, *error: Any) -> None:
        self._self_wrapped.__exit__(*error)

    async def __aenter__(self) -> WatchedTransport:
        await self._self_wrapped.__aenter__()
        return self

    async def __aexit__(self, *error: Any) -> None:
        await self._self_wrapped.__aexit__(*error)


def _until_read(response: httpx.Response, sample: Sample) -> httpx.Response:
    sample.answered(response.status_code)
    if response.status_code == SWITCHING_PROTOCOLS:
        sample.drop()
    elif response.is_closed:
        sample.end()
    else:
        response.stream = WatchedStream(response.stream, sample)  # type: ignore[assignment]
    return response


class WatchedStream(Proxy):
    """The body of one of httpx's responses. The sample ends when it has been read, or is closed before."""

    __slots__ = ()

    def __iter__(self) -> Iterator[bytes]:
        with failing(self._self_state):
            yield from self._self_wrapped
        self._self_state.end()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        with failing(self._self_state):
            async for chunk in self._self_wrapped:
                yield chunk
        self._self_state.end()

    def close(self) -> None:
        """Close it."""
        self._self_wrapped.close()
        self._self_state.end()

    async def aclose(self) -> None:
        """Close it."""
        await self._self_wrapped.aclose()
        self._self_state.end()


class WatchedAdapter(Proxy):
    """An adapter of requests."""

    __slots__ = ()

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        """Send a request; its sample ends with the response's body."""
        watch: Watch | None = self._self_state
        if watch is None:
            return self._self_wrapped.send(request, *args, **kwargs)  # type: ignore[no-any-return]
        sample = watch.begin(str(request.method), unquote(urlsplit(str(request.url)).path) or "/")
        with failing(sample):
            response: requests.Response = self._self_wrapped.send(request, *args, **kwargs)
        sample.answered(response.status_code)
        if response.raw is None:
            sample.end()
        else:
            response.raw = WatchedRaw(response.raw, sample)
        return response


class WatchedRaw(Proxy):
    """The body of one of requests' responses, which is urllib3's. The sample ends when it has been read, or is closed."""

    __slots__ = ()

    def stream(self, *args: Any, **kwargs: Any) -> Iterator[bytes]:
        """Read it piece by piece."""
        with failing(self._self_state):
            yield from self._self_wrapped.stream(*args, **kwargs)
        self._self_state.end()

    def read(self, amt: int | None = None, *args: Any, **kwargs: Any) -> bytes:
        """Read it, or some of it."""
        with failing(self._self_state):
            data: bytes = self._self_wrapped.read(amt, *args, **kwargs)
        if amt is None or (amt and not data):
            self._self_state.end()
        return data

    def __iter__(self) -> Iterator[bytes]:
        with failing(self._self_state):
            yield from self._self_wrapped
        self._self_state.end()

    def close(self) -> None:
        """Close it."""
        self._self_wrapped.close()
        self._self_state.end()
