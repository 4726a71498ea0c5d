"""What the service does for those who buy, and what it tells Prometheus about it."""

from __future__ import annotations

import re

import pytest
from checkout.orders import Orders

CART = {"items": {"espresso": 2, "bag-of-beans": 1}}


def sample(client, series: str) -> float:
    """The value that /metrics shows for one series; 0 where it shows none."""
    found = re.search(rf"^{re.escape(series)} (\S+)$", client.get("/metrics").text, re.MULTILINE)
    return float(found[1]) if found else 0.0


def test_an_order_is_priced_charged_and_kept(client, provider):
    """The customer pays what the cart costs, once, and finds the order again."""
    order = client.post("/checkout", json=CART)
    assert (order.status_code, order.json()["cents"]) == (201, 2 * 260 + 1150)
    assert provider.charges == {order.json()["id"]: 1670}
    assert client.get(f"/orders/{order.json()['id']}").json() == order.json()


def test_a_retry_is_not_charged_twice(client, provider):
    """The same idempotency key is the same order (see docs/postmortems/2026-08-18-double-charges.md)."""
    first = client.post("/checkout", json=CART, headers={"Idempotency-Key": "k1"})
    again = client.post("/checkout", json=CART, headers={"Idempotency-Key": "k1"})
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    assert provider.charges == {"k1": 1670}


@pytest.mark.parametrize(
    ("cart", "why"),
    [
        ({}, "empty"),
        ({"items": {}}, "empty"),
        ([], "empty"),
        ({"items": {"tea": 1}}, "tea"),
        ({"items": {"espresso": 0}}, "1 to 50"),
        ({"items": {"espresso": True}}, "1 to 50"),
    ],
)
def test_a_senseless_cart_is_refused_and_nobody_is_charged(client, provider, cart, why):
    """A mistake of the customer's is answered with its reason."""
    refused = client.post("/checkout", json=cart)
    assert refused.status_code == 422
    assert why in refused.json()["error"]
    assert provider.charges == {}


def test_what_is_no_json_is_refused(client):
    """Noise in the body is the sender's mistake, not ours."""
    assert client.post("/checkout", content=b"{").status_code == 422


def test_a_declined_payment_makes_no_order(client, provider):
    """No money, no order, and the customer learns which of the two it was."""
    provider.status = 402
    refused = client.post("/checkout", json=CART, headers={"Idempotency-Key": "k2"})
    assert refused.status_code == 402
    assert client.get("/orders/k2").status_code == 404


@pytest.mark.parametrize("how", ["silent", "broken"])
def test_a_failing_provider_is_our_failure_and_can_be_retried(client, provider, how):
    """The user sees a 503 with Retry-After, and the same key succeeds once the provider is back."""
    provider.silent, provider.status = how == "silent", 500
    failed = client.post("/checkout", json=CART, headers={"Idempotency-Key": "k3"})
    assert (failed.status_code, failed.headers["Retry-After"]) == (503, "2")
    provider.silent, provider.status = False, 201
    assert client.post("/checkout", json=CART, headers={"Idempotency-Key": "k3"}).status_code == 201


def test_an_unknown_order_is_not_found(client):
    """Looking for what is not there is no server error."""
    assert client.get("/orders/nobody").status_code == 404


def test_the_indicators_count_what_users_do(client, provider):
    """A failure costs availability, a request lands in the objective's bucket, a probe counts nowhere."""
    failures = 'http_requests_total{code="503",method="POST",route="/checkout"}'
    in_time = 'http_request_duration_seconds_bucket{le="0.3",method="POST",route="/checkout"}'
    before = sample(client, failures), sample(client, in_time)
    provider.status = 500
    client.post("/checkout", json=CART)
    client.get("/healthz")
    assert (sample(client, failures), sample(client, in_time)) == (before[0] + 1, before[1] + 1)
    assert "/healthz" not in client.get("/metrics").text


def test_an_exception_is_counted_as_a_failure(client, provider, monkeypatch):
    """A bug of ours must cost error budget like any other 500."""
    series = 'http_requests_total{code="500",method="GET",route="/orders/{id}"}'
    before = sample(client, series)
    monkeypatch.setattr(Orders, "get", lambda *_: 1 / 0)
    assert client.get("/orders/any").status_code == 500
    assert sample(client, series) == before + 1


def test_ready_means_that_the_database_answers(client, monkeypatch):
    """Without a database the pod must get no traffic, but need not be restarted."""
    assert client.get("/readyz").status_code == 200
    monkeypatch.setattr(Orders, "ready", lambda _: False)
    assert client.get("/readyz").status_code == 503
    assert client.get("/healthz").status_code == 200
