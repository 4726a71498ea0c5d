"""The payment provider."""

from __future__ import annotations

import httpx

TIMEOUT = 0.25
"""Seconds. Our objective is 300 ms: whoever waits longer for the provider has already missed it."""


class Declined(Exception):
    """The provider will not take the money; trying again does not help."""


class Unavailable(Exception):
    """The provider did not answer in time, or not sensibly; trying again later may help."""


class Payments:
    """Charges customers. The order's id goes along as the idempotency key: tried twice, charged once."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self._http = http

    async def charge(self, order_id: str, cents: int) -> None:
        """Take the money, or raise Declined or Unavailable."""
        try:
            response = await self._http.post(
                "/charges", json={"cents": cents}, headers={"Idempotency-Key": order_id}, timeout=TIMEOUT
            )
        except httpx.TransportError as error:
            raise Unavailable(str(error)) from error
        if response.status_code == httpx.codes.PAYMENT_REQUIRED:
            raise Declined
        if response.is_error:
            raise Unavailable(f"the provider answered {response.status_code}")

    async def close(self) -> None:
        """Give the connections back."""
        await self._http.aclose()
