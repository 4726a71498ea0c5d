"""Django's own test clients, which call Django without WSGI or ASGI between them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any

from pytest_reliability.latency.http.frameworks import environ_path, in_django
from pytest_reliability.latency.http.sample import Proxy, Sample, Watch, failing


class WatchedHandler(Proxy):
    """What `django.test.Client` hands its requests to."""

    __slots__ = ()

    def __call__(self, environ: dict[str, Any]) -> Any:
        """Handle a request."""
        watch: Watch | None = self._self_state
        handler = self._self_wrapped
        if watch is None:
            return handler(environ)
        path = environ_path(environ)
        sample = watch.begin(str(environ["REQUEST_METHOD"]), path, lambda: in_django(handler, path))
        with failing(sample):
            response = handler(environ)
        return _until_read(response, sample)


class WatchedAsyncHandler(Proxy):
    """What `django.test.AsyncClient` hands its requests to."""

    __slots__ = ()

    async def __call__(self, scope: dict[str, Any]) -> Any:
        """Handle a request."""
        watch: Watch | None = self._self_state
        handler = self._self_wrapped
        if watch is None:
            return await handler(scope)
        path = str(scope["path"])
        sample = watch.begin(str(scope["method"]), path, lambda: in_django(handler, path))
        with failing(sample):
            response = await handler(scope)
        return _until_read(response, sample)


def _until_read(response: Any, sample: Sample) -> Any:
    sample.answered(response.status_code)
    if response.streaming:
        read = _read_async if response.is_async else _read
        response.streaming_content = read(response.streaming_content, sample)
    else:
        sample.end()
    return response


def _read(chunks: Iterator[bytes], sample: Sample) -> Iterator[bytes]:
    with failing(sample):
        yield from chunks
    sample.end()


async def _read_async(chunks: AsyncIterator[bytes], sample: Sample) -> AsyncIterator[bytes]:
    with failing(sample):
        async for chunk in chunks:
            yield chunk
    sample.end()
