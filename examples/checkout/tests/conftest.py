"""The service in process: real routes, real database, and a payment provider that does as it is told."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from typing import Any

import httpx
import pytest
from checkout.app import create_app
from checkout.orders import Orders
from checkout.payments import Payments
from starlette.applications import Starlette


class Provider:
    """A payment provider: remembers the charges that it made, answers with `status`, or not at all."""

    def __init__(self) -> None:
        self.charges: dict[str, int] = {}
        self.status = 201
        self.silent = False

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if self.silent:
            raise httpx.ReadTimeout("no answer", request=request)
        if self.status == 201:
            self.charges.setdefault(request.headers["Idempotency-Key"], json.loads(request.content)["cents"])
        return httpx.Response(self.status)


class Client:
    """Calls the service in this thread, without a socket: a budget measures the service and nothing else."""

    def __init__(self, app: Starlette) -> None:
        self.loop = asyncio.new_event_loop()
        self.lifespan = app.router.lifespan_context(app)
        self.loop.run_until_complete(self.lifespan.__aenter__())
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        self.http = httpx.AsyncClient(transport=transport, base_url="http://checkout.test")

    def get(self, path: str) -> httpx.Response:
        return self.loop.run_until_complete(self.http.get(path))

    def post(self, path: str, **request: Any) -> httpx.Response:
        return self.loop.run_until_complete(self.http.post(path, **request))

    def close(self) -> None:
        self.loop.run_until_complete(self.http.aclose())
        self.loop.run_until_complete(self.lifespan.__aexit__(None, None, None))
        self.loop.close()


@pytest.fixture
def provider() -> Provider:
    return Provider()


@pytest.fixture
def app(provider: Provider) -> Starlette:
    http = httpx.AsyncClient(transport=httpx.MockTransport(provider), base_url="https://payments.test")
    return create_app(Orders(), Payments(http))


@pytest.fixture
def connect() -> Iterator[Callable[[Starlette], Client]]:
    """A client of whatever app, closed when the test is over."""
    with ExitStack() as connected:
        yield lambda app: connected.enter_context(closing(Client(app)))


@pytest.fixture
def client(app: Starlette, connect: Callable[[Starlette], Client]) -> Client:
    return connect(app)
