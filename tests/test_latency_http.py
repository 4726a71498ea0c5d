"""Applications and clients that are watched: what becomes a sample, how long it is, and what it is called."""

from __future__ import annotations

import asyncio
import io
import math
import socket
import sys
import threading
import warnings
from collections.abc import AsyncIterator, Callable, Iterator
from types import ModuleType, SimpleNamespace
from typing import Any

import httpx
import pytest
import requests
import uvicorn
from hypothesis import given
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, StreamingResponse
from starlette.routing import Host, Mount, Route, WebSocketRoute
from starlette.websockets import WebSocket

from pytest_reliability.latency.http import RouteError, unwatch, watch
from pytest_reliability.latency.http.frameworks import in_environ, in_scope, of_django, route_path
from pytest_reliability.latency.http.names import Names, Template, folded

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # newer versions would rather have httpx2
    from starlette.testclient import TestClient


class Recorder:
    """Samples as they come, on a clock that is set forward by hand."""

    def __init__(self) -> None:
        self.now = 0.0
        self.switches = 0
        self.samples: list[tuple[str, float, bool]] = []

    def watch(self, thing: Any, *routes: str) -> Any:
        """Watch something on this clock."""
        options = {"clock": lambda: self.now, "preemptions": lambda: self.switches, "waited": lambda: None}
        return watch(thing, self.record, routes, **options)

    def record(self, name: str, seconds: float, preempted: bool) -> None:
        """Take a sample."""
        self.samples.append((name, seconds, preempted))

    @property
    def names(self) -> list[str]:
        """What the requests were called, in order."""
        return [name for name, _, _ in self.samples]

    @property
    def times(self) -> dict[str, float]:
        """How long each took."""
        return {name: seconds for name, seconds, _ in self.samples}


@pytest.fixture
def recorder() -> Recorder:
    """A recorder of its own for each test."""
    return Recorder()


def application(recorder: Recorder) -> Starlette:
    """A service of Starlette's that moves the recorder's clock."""

    async def order(request: Request) -> JSONResponse:
        recorder.now += 0.25
        return JSONResponse({"id": request.path_params["id"]})

    async def missing(request: Request) -> JSONResponse:
        return JSONResponse({}, status_code=404)

    async def broken(request: Request) -> JSONResponse:
        raise RuntimeError("out of stock")

    async def overloaded(request: Request) -> JSONResponse:
        return JSONResponse({}, status_code=503)

    async def stream(request: Request) -> StreamingResponse:
        async def chunks() -> AsyncIterator[bytes]:
            for _ in range(4):
                recorder.now += 1.0
                yield b"x"

        return StreamingResponse(chunks())

    async def mail(request: Request) -> JSONResponse:
        def send() -> None:
            recorder.now += 60.0

        recorder.now += 0.5
        return JSONResponse({}, background=BackgroundTask(send))

    async def echo(socket: WebSocket) -> None:
        await socket.accept()
        await socket.send_text("hello")
        await socket.close()

    async def plain(scope: Any, receive: Any, send: Any) -> None:
        await PlainTextResponse("a file")(scope, receive, send)

    inner = Starlette(routes=[Route("/orders/{id:int}", order)])
    return Starlette(
        routes=[
            Route("/orders/{id:int}", order, methods=["GET", "POST"]),
            Route("/orders/{id:int}/invoice.{format}", order),
            Route("/missing", missing),
            Route("/broken", broken),
            Route("/overloaded", overloaded),
            Route("/stream", stream),
            Route("/mail", mail),
            WebSocketRoute("/socket", echo),
            Mount("/tenants/{tenant}", app=inner),
            Mount("/static", app=plain),
            Host("files.example.com", app=plain),
        ]
    )


# What a request is called


@pytest.mark.parametrize(
    ("route", "text"),
    [
        ("/orders/{id}", "/orders/{id}"),
        ("/orders/{id:int}", "/orders/{id}"),
        (r"/orders/{id:\d{4}}/lines", "/orders/{id}/lines"),
        ("/orders/:id", "/orders/{id}"),
        ("/orders/<id>", "/orders/{id}"),
        ("/orders/<int:id>", "/orders/{id}"),
        ("/orders/<id:int>", "/orders/{id}"),
        ("/orders/<string(length=2):code>", "/orders/{code}"),
        ("/orders/<hashid:id>", "/orders/{id}"),
        ("/files/<int:path>", "/files/{path}"),
        ("/files/<name:re:[a-z]+>", "/files/{name}"),
        ("/at/12:30", "/at/12:30"),
        ("/", "/"),
    ],
)
def test_templates_of_all_frameworks_read_alike(route: str, text: str) -> None:
    """Parameters are written {name}, whichever framework the template was written for."""
    assert text == Template.parse(route).text


@pytest.mark.parametrize("route", ["orders/{id}", "", "GET", "GET orders", 7, None])
def test_what_is_no_route_is_refused(route: object) -> None:
    """A template without a leading slash is an error that says what to write."""
    with pytest.raises(RouteError, match=r"is no route; write '/orders/\{id\}' or 'GET /orders/\{id\}'"):
        Names([route])  # type: ignore[list-item]


def test_one_text_is_not_a_list_of_routes() -> None:
    """`routes="/orders"` would be seven routes of one letter; the message shows the list that was meant."""
    with pytest.raises(RouteError, match=r"routes='/orders' is one route; write routes=\['/orders'\]"):
        Names("/orders")


@pytest.mark.parametrize(
    ("routes", "told", "path", "name"),
    [
        ([], None, "/orders/17", "GET /orders/{id}"),
        ([], "/orders/{order_id}", "/orders/17", "GET /orders/{order_id}"),
        (["/orders/{id}"], "/orders/{order_id}", "/orders/17", "GET /orders/{id}"),
        (["/orders/{id}"], "/orders/search", "/orders/search", "GET /orders/search"),
        (["/orders/{id}", "/orders/search"], None, "/orders/search", "GET /orders/search"),
        (["/orders/{id}"], "/{rest:path}", "/orders/17", "GET /orders/{id}"),
        (["/{what}/{id}", "/{what}/{id}.pdf"], None, "/orders/17.pdf", "GET /{what}/{id}.pdf"),
        (["/files/{name:path}", "/files/{name}"], None, "/files/a/b", "GET /files/{name}"),
        (["/{a}/search", "/orders/{b}"], None, "/orders/search", "GET /orders/{b}"),
        (["/orders/{a}{b}", "/orders/{c}"], None, "/orders/17", "GET /orders/{a}{b}"),
        (["POST /orders/{number}"], None, "/orders/17", "GET /orders/{id}"),
        (["get /orders/{number}"], None, "/orders/17", "GET /orders/{number}"),
        (["/orders/{number}/"], None, "/orders/17", "GET /orders/{number}/"),
        (["/orders/{number}"], None, "/orders/17/", "GET /orders/{number}"),
        (["/orders/{number}"], None, "/orders/17/lines", "GET /orders/{id}/lines"),
        ([], None, "", "GET /"),
    ],
)
def test_the_most_specific_template_names_a_request(routes: list[str], told: str | None, path: str, name: str) -> None:
    """Among the given templates and the one that the framework tells, the most specific wins, a given one in a tie."""
    assert name == Names(routes).name("get", path, told)


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/orders/17/lines/3", "/orders/{id}/lines/{id}"),
        ("/orders/0b5f6b9e-8f43-4d1e-9d0a-2f1e7c9f3a10", "/orders/{id}"),
        ("/orders/0B5F6B9E8F434D1E9D0A2F1E7C9F3A10", "/orders/{id}"),
        ("/orders/507f1f77bcf86cd799439011", "/orders/{id}"),
        ("/orders/01ARZ3NDEKTSV4RRFFQ69G5FAV", "/orders/{id}"),
        ("/v1/orders", "/v1/orders"),
        ("/orders/summer-sale-2026", "/orders/summer-sale-2026"),
        ("/words/deadbeefdeadbeefface", "/words/deadbeefdeadbeefface"),
        ("/", "/"),
        ("", ""),
    ],
)
def test_what_looks_like_an_id_is_folded(path: str, name: str) -> None:
    """Numbers, UUIDs, ULIDs and long hexadecimal numbers are ids; words, versions and slugs are not."""
    assert name == folded(path)


@given(path=st.text(), method=st.text(), told=st.none() | st.text().map("/".__add__))
def test_any_path_has_a_name(path: str, method: str, told: str | None) -> None:
    """Naming never fails, whatever somebody requests and whatever a framework says."""
    assert Names(["/orders/{id}"]).name(method, path, told).startswith(method.upper())


@pytest.mark.parametrize(
    ("path", "root_path", "below"),
    [
        ("/v1/orders", "/v1", "/orders"),
        ("/orders", "/v1", "/orders"),
        ("/v1", "/v1", "/"),
        ("/v1x", "/v1", "/v1x"),
        ("/a", "", "/a"),
    ],
)
def test_a_root_path_is_left_out(path: str, root_path: str, below: str) -> None:
    """Servers put the root path in front of the path, others leave it out; what it begins with is no root path."""
    assert below == route_path(path, root_path)


# ASGI


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/orders/17?verbose=1", "GET /orders/{id}"),
        ("/orders/17/invoice.pdf", "GET /orders/{id}/invoice.{format}"),
        ("/tenants/acme/orders/17", "GET /tenants/{tenant}/orders/{id}"),
        ("/tenants/17/orders/17", "GET /tenants/{tenant}/orders/{id}"),
        ("/static/css/site.css", "GET /static/{path}"),
        ("/nowhere/17", "GET /nowhere/{id}"),
        ("/tenants/acme/nowhere/17", "GET /tenants/{tenant}/{path}"),
    ],
)
def test_an_asgi_application_names_its_routes(recorder: Recorder, path: str, name: str) -> None:
    """The route that Starlette found is the name, below mounts as well; where there is none, ids are folded."""
    TestClient(recorder.watch(application(recorder))).get(path)
    assert [name] == recorder.names


def test_a_host_is_not_part_of_the_name(recorder: Recorder) -> None:
    """Only the path tells routes apart."""
    client = TestClient(recorder.watch(application(recorder)), base_url="http://files.example.com")
    client.get("/reports/7")
    assert ["GET /reports/{id}"] == recorder.names


def test_a_method_that_is_not_allowed_is_named_after_its_route(recorder: Recorder) -> None:
    """A 405 belongs to the route that exists for another method."""
    TestClient(recorder.watch(application(recorder))).delete("/orders/3")
    assert [("DELETE /orders/{id}", 0.0, False)] == recorder.samples


def test_a_root_path_of_the_server_is_not_part_of_the_name(recorder: Recorder) -> None:
    """Routes are called what the application calls them, wherever it is deployed."""
    TestClient(recorder.watch(application(recorder)), root_path="/api").get("/api/orders/3")
    assert ["GET /orders/{id}"] == recorder.names


def test_a_response_is_timed_until_it_is_complete(recorder: Recorder) -> None:
    """A stream counts until its last byte; what runs in the background afterwards does not."""
    client = TestClient(recorder.watch(application(recorder)))
    client.get("/orders/1")
    client.get("/stream")
    client.get("/mail")
    assert {"GET /orders/{id}": 0.25, "GET /stream": 4.0, "GET /mail": 0.5} == recorder.times


def test_server_errors_are_infinite_and_client_errors_are_not(recorder: Recorder) -> None:
    """A 503 and an exception are the service's failures, a 404 is an answer."""
    client = TestClient(recorder.watch(application(recorder)), raise_server_exceptions=False)
    for path in ("/missing", "/overloaded", "/broken"):
        client.get(path)
    assert {"GET /missing": 0.0, "GET /overloaded": math.inf, "GET /broken": math.inf} == recorder.times
    with pytest.raises(RuntimeError, match="out of stock"):
        TestClient(recorder.watch(application(recorder))).get("/broken")


def test_lifespan_and_websockets_are_not_measured(recorder: Recorder) -> None:
    """They are no requests with an answer, and they still work, through a watched application and a watched client."""
    with TestClient(recorder.watch(application(recorder))) as client, client.websocket_connect("/socket") as session:
        assert "hello" == session.receive_text()
    with recorder.watch(TestClient(application(recorder))) as client, client.websocket_connect("/socket") as session:
        assert "hello" == session.receive_text()
    assert [] == recorder.samples


def test_a_watched_application_is_like_the_application(recorder: Recorder) -> None:
    """It is an instance of the same class, and its attributes are read, set and deleted where they are."""
    app = application(recorder)
    watched = recorder.watch(app)
    assert isinstance(watched, Starlette)
    assert app.router is watched.router
    watched.extra = 1
    assert 1 == app.extra  # type: ignore[attr-defined]
    del watched.extra
    assert not hasattr(app, "extra")


def test_watching_twice_does_not_count_twice(recorder: Recorder) -> None:
    """Application and client watched, each more than once: a request is one sample, and goes to who watched last."""
    first = Recorder()
    app = first.watch(first.watch(application(recorder)))
    client = recorder.watch(recorder.watch(TestClient(app)))
    client.get("/missing")
    assert [] == first.names
    assert ["GET /missing"] == recorder.names


def test_what_is_watched_no_more_records_nothing(recorder: Recorder) -> None:
    """`unwatch` gives the application back, and what still goes through the proxy is not recorded."""
    app = application(recorder)
    watched = recorder.watch(app)
    client = TestClient(watched)
    assert app is unwatch(watched)
    assert app is unwatch(app)
    assert 404 == client.get("/missing").status_code
    assert [] == recorder.samples


def test_a_sample_says_whether_its_thread_was_preempted(recorder: Recorder) -> None:
    """It is compared only where the sample begins and ends in one thread."""
    threads: list[threading.Thread] = []

    async def preempted(scope: Any, receive: Any, send: Any) -> None:
        recorder.switches += 1
        await send({"type": "http.response.start", "status": 200})
        await send({"type": "http.response.body"})

    async def elsewhere(scope: Any, receive: Any, send: Any) -> None:
        recorder.switches += 1
        await send({"type": "http.response.start", "status": 200})
        threads.append(threading.Thread(target=asyncio.run, args=(send({"type": "http.response.body"}),)))
        threads[0].start()
        threads[0].join()

    asyncio.run(call(recorder.watch(preempted)))
    asyncio.run(call(recorder.watch(elsewhere)))
    asyncio.run(call(watch(preempted, recorder.record, preemptions=None)))
    assert [True, False, False] == [preempted for _, _, preempted in recorder.samples]


def test_a_preemption_holds_up_no_request_that_takes_much_longer(recorder: Recorder) -> None:
    """Requests overlap in one thread, and most of them wait for something else while it is kept from running."""

    async def slow(scope: Any, receive: Any, send: Any) -> None:
        recorder.switches += 1
        recorder.now += 0.150
        await send({"type": "http.response.start", "status": 200})
        await send({"type": "http.response.body"})

    asyncio.run(call(recorder.watch(slow)))
    assert [False] == [preempted for _, _, preempted in recorder.samples]


async def call(app: Any, *incoming: str) -> None:
    """Call an ASGI application for `GET /`, with these messages to receive."""
    messages = iter(incoming)

    async def receive() -> dict[str, Any]:
        return {"type": next(messages)}

    async def send(message: Any) -> None:
        pass

    await app({"type": "http", "method": "GET", "path": "/"}, receive, send)


START: dict[str, Any] = {"type": "http.response.start", "status": 200}
BODY: dict[str, Any] = {"type": "http.response.body"}
MORE: dict[str, Any] = {"type": "http.response.body", "more_body": True}


@pytest.mark.parametrize(
    ("sent", "ends_at"),
    [
        ([START, MORE, MORE, BODY, {"type": "http.response.debug"}], 4.0),
        ([START, {"type": "http.response.pathsend", "path": "/a"}], 2.0),
        (
            [
                {**START, "trailers": True},
                BODY,
                {"type": "http.response.trailers", "more_trailers": True},
                {"type": "http.response.trailers"},
            ],
            4.0,
        ),
        ([START, MORE], math.inf),
        ([], math.inf),
    ],
)
def test_the_last_message_completes_a_response(recorder: Recorder, sent: list[dict[str, Any]], ends_at: float) -> None:
    """Trailers and sent files are part of the response; one that never is completed has failed."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        for message in sent:
            recorder.now += 1.0
            await send(message)

    asyncio.run(call(recorder.watch(app)))
    assert [("GET /", ends_at, False)] == recorder.samples


@pytest.mark.parametrize(("started", "expected"), [(True, 1.0), (False, math.inf)])
def test_a_client_that_leaves_in_the_middle_of_an_answer_is_no_failure(
    recorder: Recorder, started: bool, expected: float
) -> None:
    """Streams of events end so; who leaves before anything was answered has lost patience, which is one."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if started:
            await send(START)
        recorder.now += 1.0
        await receive()

    asyncio.run(call(recorder.watch(app), "http.disconnect"))
    assert [("GET /", expected, False)] == recorder.samples


@pytest.mark.parametrize(("started", "expected"), [(True, 1.0), (False, math.inf)])
def test_a_cancelled_request_is_a_failure_before_its_answer_began(recorder: Recorder, started: bool, expected: float) -> None:
    """A timeout cancels what has not been answered yet."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if started:
            await send(START)
        recorder.now += 1.0
        await asyncio.sleep(60)

    async def cancelled() -> None:
        task = asyncio.create_task(call(recorder.watch(app)))
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    asyncio.run(cancelled())
    assert [("GET /", expected, False)] == recorder.samples


def test_older_routers_leave_only_parameters() -> None:
    """Without a route in the scope, the values of the path's parameters are replaced by their names, from the right."""
    scope = {"endpoint": 1, "path_params": {"kind": "orders", "id": 17}}
    assert "/orders/{kind}/{id}/9x" == in_scope(None, "/orders/orders/17/9x", "", scope)
    assert "/orders/{id}" == in_scope(None, "/orders/17", "", {"endpoint": 1})


def test_a_route_that_was_included_under_a_prefix_is_completed() -> None:
    """FastAPI's route may know only the end of its path; what does not fit the path is not taken for it."""
    scope = {"endpoint": 1, "path_params": {"id": "17"}, "route": SimpleNamespace(path="/{id}")}
    assert "/v1/orders/{id}" == in_scope(None, "/v1/orders/17", "", scope)


def test_litestar_tells_its_template() -> None:
    """Litestar keeps the whole template in the scope."""
    assert "/orders/{order_id}" == in_scope(None, "/orders/7", "", {"path_template": "/orders/{order_id}"})


# WSGI


def wsgi(recorder: Recorder, status: str = "200 OK", body: Any = (b"a", b"b")) -> Callable[..., Any]:
    """A WSGI application that takes a second for its headers."""

    def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
        recorder.now += 1.0
        start_response(status, [])
        return body

    return app


class Body:
    """A response that takes a second for each chunk, and another one to close."""

    def __init__(self, recorder: Recorder, error: BaseException | None = None) -> None:
        self.recorder, self.error = recorder, error

    def __iter__(self) -> Iterator[bytes]:
        self.recorder.now += 1.0
        yield b"x"

    def close(self) -> None:
        """Close it."""
        self.recorder.now += 1.0
        if self.error:
            raise self.error


def serve(app: Any, path: str = "/orders/17") -> bytes:
    """Call a WSGI application as a server does."""
    body = app({"REQUEST_METHOD": "GET", "PATH_INFO": path}, lambda *_: None)
    try:
        return b"".join(body)
    finally:
        if hasattr(body, "close"):
            body.close()


def test_a_wsgi_application_is_timed_until_its_body_is_closed(recorder: Recorder) -> None:
    """Headers, chunks and closing count."""
    assert b"x" == serve(recorder.watch(wsgi(recorder, body=Body(recorder))))
    assert [("GET /orders/{id}", 3.0, False)] == recorder.samples


def test_a_body_that_needs_no_closing_ends_with_its_last_chunk(recorder: Recorder) -> None:
    """A tuple of bytes has nothing to close, and servers that call close() all the same change nothing."""
    watched = recorder.watch(wsgi(recorder))
    assert [b"a", b"b"] == list(watched({"REQUEST_METHOD": "POST", "PATH_INFO": ""}, lambda *_: None))
    assert b"ab" == serve(watched)
    assert [("POST /", 1.0, False), ("GET /orders/{id}", 1.0, False)] == recorder.samples


@pytest.mark.parametrize(("read", "seconds"), [(0, 1.0), (1, 2.0), (2, 2.0)])
def test_a_body_that_is_never_closed_ended_with_what_was_taken_last(recorder: Recorder, read: int, seconds: float) -> None:
    """Flask's test client leaves bodies unread and unclosed; what happens until they are dropped is not counted."""
    body = recorder.watch(wsgi(recorder, body=Body(recorder)))({"REQUEST_METHOD": "GET", "PATH_INFO": "/"}, lambda *_: None)
    chunks = iter(body)
    for _ in range(read):
        next(chunks, None)
    recorder.now += 60.0
    assert [] == recorder.samples
    del body, chunks
    assert [("GET /", seconds, False)] == recorder.samples


def test_a_body_is_an_iterable_and_nothing_else(recorder: Recorder) -> None:
    """Servers that find a length or a file in it would send that instead of iterating."""
    body = recorder.watch(wsgi(recorder, body=[b"a"]))({"REQUEST_METHOD": "GET", "PATH_INFO": "/"}, lambda *_: None)
    assert not isinstance(body, list)
    assert not hasattr(body, "__len__")


def raising(_: object) -> Iterator[bytes]:
    """A body that breaks in its middle."""
    yield b"x"
    raise OSError("gone")


def failing_app(environ: Any, start_response: Any) -> Any:
    """An application that does not get to its headers."""
    raise OSError("gone")


def test_wsgi_errors_are_infinite(recorder: Recorder) -> None:
    """So are a server's error, and an exception in the application, in its body and while that is closed."""
    serve(recorder.watch(wsgi(recorder, "500 Internal Server Error")))
    for app in (failing_app, wsgi(recorder, body=raising(0)), wsgi(recorder, body=Body(recorder, OSError("gone")))):
        with pytest.raises(OSError, match="gone"):
            serve(recorder.watch(app))
    assert [math.inf] * 4 == [seconds for _, seconds, _ in recorder.samples]


def test_a_body_that_is_left_unread_ends_when_it_is_closed(recorder: Recorder) -> None:
    """A reader that stops early is no failure."""
    body = recorder.watch(wsgi(recorder, body=Body(recorder)))({"REQUEST_METHOD": "GET", "PATH_INFO": "/"}, lambda *_: None)
    chunks = iter(body)
    next(chunks)
    chunks.close()
    assert [] == recorder.samples
    body.close()
    assert [("GET /", 3.0, False)] == recorder.samples


def test_flask_and_bottle_tell_their_rules() -> None:
    """Flask's request is in the environment only while it is answered; Bottle's route stays there."""
    flask = SimpleNamespace(url_rule=SimpleNamespace(rule="/orders/<int:id>"))
    assert "/orders/<int:id>" == in_environ(None, {}, flask)
    assert "/orders/<id:int>" == in_environ(None, {"bottle.route": SimpleNamespace(rule="/orders/<id:int>")}, None)
    assert None is in_environ(None, {}, SimpleNamespace(url_rule=None))


def test_flask_and_quart_are_measured_at_their_place_for_middleware(recorder: Recorder) -> None:
    """So their own test clients, which call the application itself, are measured too."""

    class Flask:
        def wsgi_app(self, environ: dict[str, Any], start_response: Any) -> Any:
            rule = SimpleNamespace(rule="/orders/<int:number>")
            environ["werkzeug.request"] = SimpleNamespace(url_rule=rule)
            start_response("200 OK", [])
            environ["werkzeug.request"] = None
            return [b"ok"]

        def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
            return self.wsgi_app(environ, start_response)

    app = Flask()
    assert app is recorder.watch(recorder.watch(app))
    assert b"ok" == serve(app)
    assert app is unwatch(app)
    serve(app)
    watched = recorder.watch(wsgi(recorder))
    unwatch(watched)
    serve(watched)
    assert ["GET /orders/{number}"] == recorder.names


def test_the_test_client_of_flask_is_measured(recorder: Recorder, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is werkzeug's, which calls any WSGI application; the client itself comes back."""

    class Client:
        def __init__(self, application: Any) -> None:
            self.application = application

        def get(self) -> bytes:
            answer: bytes = serve(self.application)
            return answer

    class FlaskClient(Client):
        pass

    werkzeug = ModuleType("werkzeug.test")
    werkzeug.Client = Client  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "werkzeug.test", werkzeug)
    app = wsgi(recorder)
    client = FlaskClient(app)
    assert client is recorder.watch(recorder.watch(client))
    client.get()
    assert client is unwatch(client)
    assert app is client.application
    client.get()
    assert ["GET /orders/{id}"] == recorder.names


def test_what_is_no_application_is_refused() -> None:
    """The message says what can be watched; neither a class, nor a number, nor a function of one argument can."""
    for thing in (3, Starlette, lambda scope: None, dir):
        with pytest.raises(
            TypeError, match="cannot be watched; it takes an ASGI or WSGI application, a client or transport of httpx"
        ):
            watch(thing, print)
    with pytest.raises(TypeError, match="cannot be watched"):
        watch(type("Odd", (), {"__call__": lambda *_: None, "__signature__": 3})(), print)


# Django


@pytest.mark.parametrize(
    ("route", "template"),
    [
        ("orders/<int:id>/", "/orders/<int:id>/"),
        ("", "/"),
        (r"^orders/(?P<id>[0-9]+)/$", "/orders/{id}/"),
        (r"api/^orders/(?P<id>\d+)\Z", "/api/orders/{id}"),
        (r"^orders/(\d+)/$", None),
        (r"^orders/(?P<id>(a|b)+)/$", None),
    ],
)
def test_routes_of_django_become_templates(route: str, template: str | None) -> None:
    """Named groups are parameters; any other regular expression is no template."""
    assert template == of_django(route)


@pytest.fixture
def django_urls() -> Iterator[None]:
    """Django with two routes, configured for one test."""
    from django.conf import settings
    from django.http import HttpResponse, StreamingHttpResponse
    from django.test import override_settings
    from django.urls import path

    if not settings.configured:
        settings.configure(ALLOWED_HOSTS=["*"], SECRET_KEY="none", MIDDLEWARE=[], DATABASES={})

    async def chunks() -> AsyncIterator[bytes]:
        for chunk in (b"a", b"b"):
            yield chunk

    def broken(request: Any) -> Any:
        raise OSError("gone")

    urls = ModuleType("urls_of_a_test")
    urls.urlpatterns = [  # type: ignore[attr-defined]
        path("orders/<int:id>/", lambda request, id: HttpResponse(f"order {id}")),
        path("stream/", lambda request: StreamingHttpResponse([b"a", b"b"])),
        path("stream-async/", lambda request: StreamingHttpResponse(chunks())),
        path("broken/", broken),
    ]
    sys.modules[urls.__name__] = urls
    with override_settings(ROOT_URLCONF=urls.__name__, ALLOWED_HOSTS=["*"]):
        yield
    del sys.modules[urls.__name__]


@pytest.mark.usefixtures("django_urls")
def test_a_django_application_names_its_routes(recorder: Recorder) -> None:
    """Its resolver is asked after the answer, under WSGI and ASGI."""
    from django.core.handlers.asgi import ASGIHandler
    from django.core.handlers.wsgi import WSGIHandler

    with httpx.Client(transport=httpx.WSGITransport(recorder.watch(WSGIHandler())), base_url="http://shop") as client:
        assert "order 17" == client.get("/orders/17/").text
        assert 404 == client.get("/nowhere/17/").status_code

    async def asynchronously() -> None:
        transport = httpx.ASGITransport(recorder.watch(ASGIHandler()))
        async with httpx.AsyncClient(transport=transport, base_url="http://shop") as client:
            assert "order 18" == (await client.get("/orders/18/")).text

    asyncio.run(asynchronously())
    assert ["GET /orders/{id}/", "GET /nowhere/{id}/", "GET /orders/{id}/"] == recorder.names


@pytest.mark.usefixtures("django_urls")
def test_the_test_client_of_django_is_measured(recorder: Recorder) -> None:
    """Answers, streams until they are read, errors; and nothing any more when it is watched no more."""
    from django.test import Client

    client = recorder.watch(recorder.watch(Client()))
    assert b"order 17" == client.get("/orders/17/").content
    response = client.get("/stream/")
    assert ["GET /orders/{id}/"] == recorder.names
    assert b"ab" == b"".join(response.streaming_content)
    with pytest.raises(OSError, match="gone"):
        client.get("/broken/")
    held = client.handler
    unwatch(client).get("/orders/17/")
    client.handler = held
    client.get("/orders/17/")
    assert {"GET /orders/{id}/": 0.0, "GET /stream/": 0.0, "GET /broken/": math.inf} == recorder.times
    assert 3 == len(recorder.samples)


@pytest.mark.usefixtures("django_urls")
def test_the_asynchronous_test_client_of_django_is_measured(recorder: Recorder) -> None:
    """In the same way."""
    from django.test import AsyncClient

    async def asked() -> None:
        client = recorder.watch(AsyncClient())
        assert b"order 17" == (await client.post("/orders/17/")).content
        response = await client.get("/stream-async/")
        assert [b"a", b"b"] == [chunk async for chunk in response.streaming_content]
        held = client.handler
        unwatch(client)
        client.handler = held
        await client.get("/orders/17/")

    asyncio.run(asked())
    assert ["POST /orders/{id}/", "GET /stream-async/"] == recorder.names


# httpx


def answering(recorder: Recorder, answer: Callable[[httpx.Request], httpx.Response]) -> httpx.MockTransport:
    """A transport that takes a second before it answers."""

    def handler(request: httpx.Request) -> httpx.Response:
        recorder.now += 1.0
        return answer(request)

    return httpx.MockTransport(handler)


class Chunks(httpx.SyncByteStream, httpx.AsyncByteStream):
    """A body of three chunks, a second each."""

    def __init__(self, recorder: Recorder, breaks: bool = False) -> None:
        self.recorder, self.breaks, self.closed = recorder, breaks, False

    def __iter__(self) -> Iterator[bytes]:
        for _ in range(3):
            self.recorder.now += 1.0
            yield b"x"
            if self.breaks:
                raise httpx.ReadError("gone")

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for chunk in self:
            yield chunk

    def close(self) -> None:
        """Note that it was closed."""
        self.closed = True

    async def aclose(self) -> None:
        """Note that it was closed."""
        self.closed = True


class Streaming(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """A transport whose answers are streams."""

    def __init__(self, stream: Chunks) -> None:
        self.stream = stream
        self.entered = 0

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Answer with the stream."""
        return httpx.Response(200, stream=self.stream)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Answer with the stream."""
        return httpx.Response(200, stream=self.stream)

    def __enter__(self) -> Streaming:
        self.entered += 1
        return self

    async def __aenter__(self) -> Streaming:
        self.entered += 1
        return self


def test_each_request_of_a_client_is_a_sample(recorder: Recorder) -> None:
    """A redirect is a request of its own; a base URL's path and the given templates are part of the name."""

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/api/old":
            return httpx.Response(301, headers={"location": "/api/orders/summer-sale"})
        return httpx.Response(200, json={})

    client = httpx.Client(transport=answering(recorder, answer), base_url="http://shop/api", follow_redirects=True)
    assert client is recorder.watch(client, "/api/orders/{slug}")
    assert 200 == client.get("/old", params={"page": 1}).status_code
    assert [("GET /api/old", 1.0, False), ("GET /api/orders/{slug}", 1.0, False)] == recorder.samples


def test_a_stream_is_timed_until_it_is_read(recorder: Recorder) -> None:
    """Not until the headers are there."""
    stream = Chunks(recorder)
    with recorder.watch(httpx.Client(transport=Streaming(stream))) as client, client.stream("GET", "http://shop/") as response:
        assert [] == recorder.samples
        assert b"xxx" == response.read()
        assert [("GET /", 3.0, False)] == recorder.samples
    assert stream.closed
    assert 1 == len(recorder.samples)


def test_a_stream_that_is_closed_early_is_timed_until_then(recorder: Recorder) -> None:
    """Who has read enough has been answered."""
    with recorder.watch(httpx.Client(transport=Streaming(Chunks(recorder)))) as client:
        with client.stream("GET", "http://shop/") as response:
            next(response.iter_raw())
        assert [("GET /", 1.0, False)] == recorder.samples


def test_a_stream_that_breaks_is_infinite(recorder: Recorder) -> None:
    """Half an answer is none."""
    client = recorder.watch(httpx.Client(transport=Streaming(Chunks(recorder, breaks=True))))
    with client, pytest.raises(httpx.ReadError):
        client.get("http://shop/")
    assert [("GET /", math.inf, False)] == recorder.samples


def test_an_asynchronous_client_is_measured_alike(recorder: Recorder) -> None:
    """Answers, streams read and streams closed."""

    async def requests_() -> None:
        async with recorder.watch(httpx.AsyncClient(transport=Streaming(Chunks(recorder)))) as client:
            await client.get("http://shop/read")
            async with client.stream("GET", "http://shop/closed") as response:
                stream = response.aiter_raw()
                await anext(stream)
                await stream.aclose()
        async with recorder.watch(httpx.AsyncClient(transport=answering(recorder, broken))) as client:
            with pytest.raises(httpx.ConnectError):
                await client.get("http://shop/broken")

    def broken(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused")

    asyncio.run(requests_())
    assert {"GET /read": 3.0, "GET /closed": 1.0, "GET /broken": math.inf} == recorder.times


def test_transport_errors_and_server_errors_are_infinite(recorder: Recorder) -> None:
    """A timeout is one of them."""

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/slow":
            raise httpx.ReadTimeout("too slow")
        return httpx.Response(502)

    client = recorder.watch(httpx.Client(transport=answering(recorder, answer)))
    assert 502 == client.get("http://shop/bad").status_code
    with pytest.raises(httpx.ReadTimeout):
        client.get("http://shop/slow")
    assert {"GET /bad": math.inf, "GET /slow": math.inf} == recorder.times


def test_a_connection_that_becomes_something_else_is_no_sample(recorder: Recorder) -> None:
    """After 101 it is no request with an answer any more."""
    client = recorder.watch(httpx.Client(transport=answering(recorder, lambda _: httpx.Response(101))))
    client.get("http://shop/socket")
    assert [] == recorder.samples


def test_a_transport_can_be_watched_itself(recorder: Recorder) -> None:
    """It comes back as a transport, also for the proxies of a client."""
    transport = recorder.watch(recorder.watch(Streaming(Chunks(recorder))))
    assert isinstance(transport, httpx.BaseTransport)
    with transport as entered:
        assert transport is entered
    with httpx.Client(mounts={"all://": transport, "all://b": None}) as client:
        recorder.watch(client).get("http://shop/")
        unwatch(client)
        client.get("http://shop/")
    assert ["GET /"] == recorder.names
    assert 2 == transport.entered

    transport.handle_request(httpx.Request("GET", "http://shop/"))

    async def asynchronously() -> None:
        async with transport:
            await transport.handle_async_request(httpx.Request("GET", "http://shop/"))

    asyncio.run(asynchronously())
    assert ["GET /"] == recorder.names


@pytest.mark.parametrize("attribute", ["_transport", "_mounts"])
def test_an_httpx_that_keeps_its_transports_elsewhere_is_told(recorder: Recorder, attribute: str) -> None:
    """The message says what works instead."""
    client = httpx.Client(transport=Streaming(Chunks(recorder)))
    delattr(client, attribute)
    with pytest.raises(TypeError, match=r"watch the transport instead: Client\(transport=latency.watch\(transport\)\)"):
        recorder.watch(client)


def test_a_test_client_is_measured_at_its_application(recorder: Recorder) -> None:
    """So its routes have names, its background tasks do not count, and it works as before when it is watched no more."""
    app = application(recorder)
    client = recorder.watch(TestClient(app))
    assert isinstance(client, TestClient)
    client.get("/tenants/acme/orders/3")
    client.get("/mail")
    unwatch(client).get("/missing")
    assert [("GET /tenants/{tenant}/orders/{id}", 0.25, False), ("GET /mail", 0.5, False)] == recorder.samples
    assert app is client._transport.app


# Real servers


@pytest.fixture
def server(recorder: Recorder) -> Iterator[str]:
    """The application behind uvicorn in a thread; its address."""
    config = uvicorn.Config(application(recorder), log_level="critical", lifespan="off")
    server = uvicorn.Server(config)
    listening = socket.create_server(("127.0.0.1", 0))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()
        listening.close()


def test_real_requests_are_measured(recorder: Recorder, server: str) -> None:
    """Over sockets, with both libraries: whole answers, streams, errors and refused connections."""
    with httpx.Client() as httpx_client, requests.Session() as session:
        for client in (recorder.watch(httpx_client), recorder.watch(recorder.watch(session))):
            recorder.samples.clear()
            assert b"xxxx" == client.get(f"{server}/stream").content
            assert {"id": 7} == client.get(f"{server}/orders/7").json()
            assert 503 == client.get(f"{server}/overloaded").status_code
            with pytest.raises((httpx.ConnectError, requests.ConnectionError)):
                client.get("http://127.0.0.1:1/")
            expected = {"GET /stream": 4.0, "GET /orders/{id}": 0.25, "GET /overloaded": math.inf, "GET /": math.inf}
            assert expected == recorder.times


def test_a_watched_application_runs_under_uvicorn(recorder: Recorder) -> None:
    """uvicorn takes the proxy for an ASGI application, that of a function as well."""

    async def function(scope: Any, receive: Any, send: Any) -> None:
        await PlainTextResponse("ok")(scope, receive, send)

    for app in (application(recorder), function):
        config = uvicorn.Config(recorder.watch(app), log_level="critical", lifespan="off")
        config.load()
        assert "asgi3" == config.interface


# requests


def test_streams_of_requests_are_timed_until_they_are_read(recorder: Recorder, server: str) -> None:
    """Read whole, piece by piece, through the raw file, or closed early: each is one sample, when it is through."""
    with recorder.watch(requests.Session()) as session:
        for read in (
            lambda response: response.content,
            lambda response: list(response.iter_content(1)),
            lambda response: response.raw.read(),
            lambda response: [response.raw.read(2) for _ in range(4)],
            lambda response: list(response.raw),
            lambda response: response.close(),
        ):
            recorder.samples.clear()
            response = session.get(f"{server}/stream", stream=True)
            assert [] == recorder.samples
            read(response)
            assert ["GET /stream"] == recorder.names
            response.close()
            assert 1 == len(recorder.samples)


def test_an_unwatched_session_records_nothing(recorder: Recorder, server: str) -> None:
    """Its adapters are its own again; one that is still held passes requests through."""
    session = requests.Session()
    before = dict(session.adapters)
    recorder.watch(session)
    held = session.get_adapter(server)
    assert before == dict(unwatch(session).adapters)
    session.mount("http://", held)
    assert 404 == session.get(f"{server}/missing").status_code
    assert [] == recorder.samples
    session.close()


def test_a_body_of_requests_that_breaks_is_infinite(recorder: Recorder) -> None:
    """Also where an adapter of somebody's own answers, with a body or with none."""

    class Broken(io.BytesIO):
        def read(self, *args: Any) -> bytes:
            raise OSError("gone")

    class Adapter(requests.adapters.BaseAdapter):
        def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
            response = requests.Response()
            response.status_code = 200
            response.url = str(request.url)
            response.request = request
            response.raw = Broken() if "broken" in str(request.url) else None
            response._content = response.raw is None and b""
            response._content_consumed = response.raw is None  # type: ignore[attr-defined]
            return response

        def close(self) -> None:
            pass

    with requests.Session() as session:
        session.mount("shop://", Adapter())
        recorder.watch(session)
        session.get("shop://a/empty")
        with pytest.raises(OSError, match="gone"):
            session.get("shop://a/broken", stream=True).raw.read(1)
    assert {"GET /empty": 0.0, "GET /broken": math.inf} == recorder.times
