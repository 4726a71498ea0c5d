"""The service's routes. Run it with `uvicorn --factory checkout.app:from_environment`."""

from __future__ import annotations

import os
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from json import JSONDecodeError

import httpx
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from checkout.metrics import Measured
from checkout.orders import BadCart, Order, Orders
from checkout.payments import Declined, Payments, Unavailable


def create_app(orders: Orders, payments: Payments) -> Starlette:
    """The service, on whatever keeps its orders and takes its payments."""

    async def checkout(request: Request) -> Response:
        order_id = request.headers.get("Idempotency-Key") or uuid.uuid4().hex
        if kept := orders.get(order_id):
            return JSONResponse(kept.as_json())
        try:
            order = Order.of(order_id, await request.json())
            await payments.charge(order.id, order.cents)
        except (BadCart, JSONDecodeError) as error:
            return JSONResponse({"error": str(error)}, status_code=422)
        except Declined:
            return JSONResponse({"error": "the payment was declined"}, status_code=402)
        except Unavailable:
            return JSONResponse(
                {"error": "payments are not available", "order": order_id},
                status_code=503,
                headers={"Retry-After": "2"},
            )
        orders.keep(order)
        return JSONResponse(order.as_json(), status_code=201)

    async def show(request: Request) -> Response:
        order = orders.get(request.path_params["id"])
        if order is None:
            return JSONResponse({"error": "no such order"}, status_code=404)
        return JSONResponse(order.as_json())

    async def alive(request: Request) -> Response:
        return PlainTextResponse("alive\n")

    async def ready(request: Request) -> Response:
        if not orders.ready():
            return PlainTextResponse("no database\n", status_code=503)
        return PlainTextResponse("ready\n")

    async def metrics(request: Request) -> Response:
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        yield
        await payments.close()
        orders.close()

    def measured(path: str) -> list[Middleware]:
        return [Middleware(Measured, route=path)]

    return Starlette(
        lifespan=lifespan,
        routes=[
            Route("/checkout", checkout, methods=["POST"], middleware=measured("/checkout")),
            Route("/orders/{id}", show, middleware=measured("/orders/{id}")),
            Route("/healthz", alive),
            Route("/readyz", ready),
            Route("/metrics", metrics),
        ],
    )


def from_environment() -> Starlette:
    """The service as deployed: on the file CHECKOUT_DATABASE, charging through CHECKOUT_PAYMENTS_URL."""
    provider = httpx.AsyncClient(base_url=os.environ["CHECKOUT_PAYMENTS_URL"])
    return create_app(Orders(os.environ["CHECKOUT_DATABASE"]), Payments(provider))
