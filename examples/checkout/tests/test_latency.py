"""How long customers wait: by route, as promised, in a rush, and while the payment provider is slow."""

from __future__ import annotations

import httpx
import pytest
from checkout.payments import Payments

CART = {"items": {"espresso": 2, "bag-of-beans": 1}}


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.mark.latency_budget(slo="checkout-latency")
def test_a_checkout_keeps_the_latency_objective(latency, client):
    """What slo/checkout.yaml promises, 99% under 300 ms, holds for what is in our own hands."""

    def buy() -> None:
        client.post("/checkout", json=CART).raise_for_status()

    latency(buy)


@pytest.mark.latency_budget(of="POST /checkout", p95="25ms")
@pytest.mark.latency_budget(of="GET /orders/{id}", p95="10ms")
def test_every_route_keeps_its_own_budget(latency, app, connect):
    """Requests are measured where they reach the app, each under the template of its route."""
    client = connect(latency.watch(app))
    for _ in latency:
        order = client.post("/checkout", json=CART).json()
        client.get(f"/orders/{order['id']}")


@pytest.mark.anyio
@pytest.mark.latency_budget("99% under 300ms", errors="1%")
async def test_a_rush_keeps_the_objective(latency, app):
    """A hundred customers a second do not wait for each other: latency counts from when each of them came."""
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://checkout.test") as http:
        await latency.load(rate="100/s", duration="8s", concurrency=50).run(http.post, "/checkout", json=CART)


@pytest.mark.anyio
@pytest.mark.latency_budget(p95="280ms")
async def test_a_slow_provider_leaves_the_objective_within_reach(latency, app):
    """When charging takes 150 ms longer, what we add ourselves still fits into the objective."""
    latency.call_point("payments", Payments, "charge")
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://checkout.test") as http:
        with latency.slow("payments", by="150ms"):
            await latency.load(rate="50/s", duration="4s", concurrency=50).run(http.post, "/checkout", json=CART)
