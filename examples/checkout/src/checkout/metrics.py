"""What the service tells Prometheus about itself.

Only what users call is measured: probes and scrapes would dilute the indicators of `slo/checkout.yaml`.
"""

from __future__ import annotations

import time

from prometheus_client import Counter, Histogram
from starlette.types import ASGIApp, Message, Receive, Scope, Send

REQUESTS = Counter("http_requests_total", "Requests by route and status.", ("method", "route", "code"))
DURATION = Histogram(
    "http_request_duration_seconds",
    "Seconds until the response was sent, by route template.",
    ("method", "route"),
    # 0.3 is the threshold of the latency objective: a bucket must end exactly there, or the ratio is a guess.
    buckets=(0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 1.0, 2.5),
)


class Measured:
    """Counts and times requests to one route, labelled by its template: orders must not multiply series."""

    def __init__(self, app: ASGIApp, route: str) -> None:
        self.app = app
        self.route = route

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer the request and record it; an exception is a 500 to the user, so it counts as one."""
        code = "500"

        async def watched(message: Message) -> None:
            nonlocal code
            if message["type"] == "http.response.start":
                code = str(message["status"])
            await send(message)

        began = time.perf_counter()
        try:
            await self.app(scope, receive, watched)
        finally:
            DURATION.labels(scope["method"], self.route).observe(time.perf_counter() - began)
            REQUESTS.labels(scope["method"], self.route, code).inc()
