"""The proxy between a client and a real server on this machine: bytes, order, delays, resets, and nothing left behind."""

from __future__ import annotations

import asyncio
import gc
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from pytest_reliability.latency.dependency import CallPoints, DependencyError, DependencyUntouched
from pytest_reliability.latency.proxy import Proxy

PATIENCE = 20.0
"""Seconds after which a test gives up; none should come near."""


class Server:
    """A server in a thread, which treats each connection as it is told."""

    def __init__(self, treat: Callable[[socket.socket], None], listening: socket.socket) -> None:
        self.listening = listening
        self.treat = treat
        self.accepted = 0
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self) -> None:
        """Accept until the socket is closed."""
        while True:
            try:
                connection, _ = self.listening.accept()
            except OSError:
                return
            self.accepted += 1
            connection.settimeout(PATIENCE)
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection: socket.socket) -> None:
        """Treat a connection, and close it."""
        with connection, suppress(OSError):
            self.treat(connection)

    def close(self) -> None:
        """Accept no more."""
        self.listening.shutdown(socket.SHUT_RDWR)
        self.listening.close()
        self.thread.join(PATIENCE)

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self.listening.getsockname()[1])


def echo(connection: socket.socket) -> None:
    """Send back what comes, until there is no more."""
    while data := connection.recv(1 << 16):
        connection.sendall(data)


@pytest.fixture
def served() -> Iterator[Callable[..., Server]]:
    """Start servers, and close them after the test."""
    servers: list[Server] = []

    def start(treat: Callable[[socket.socket], None] = echo, listening: socket.socket | None = None) -> Server:
        servers.append(Server(treat, listening or socket.create_server(("127.0.0.1", 0))))
        return servers[-1]

    yield start
    for server in servers:
        server.close()


@pytest.fixture
def points() -> Iterator[CallPoints]:
    """The dependencies of one test."""
    points = CallPoints()
    yield points
    points.close()


def connected(proxy: Proxy) -> socket.socket:
    """A client's connection to the proxy."""
    return socket.create_connection((proxy.host, proxy.port), timeout=PATIENCE)


def asked(client: socket.socket, text: bytes) -> bytes:
    """Send, and receive as much."""
    client.sendall(text)
    return received(client, len(text))


def received(client: socket.socket, length: int) -> bytes:
    """So many bytes, or fewer where no more come."""
    data = b""
    while len(data) < length and (more := client.recv(1 << 16)):
        data += more
    return data


def is_reset(client: socket.socket, text: bytes = b"x") -> bool:
    """Whether a question is answered with a reset."""
    try:
        assert text == asked(client, text)
    except (ConnectionResetError, BrokenPipeError):
        return True
    return False


def is_reset_at_once(proxy: Proxy) -> bool:
    """Whether a new connection is reset: while it is made, or when it is used first."""
    try:
        with connected(proxy) as client:
            return is_reset(client)
    except ConnectionResetError:
        return True


def test_bytes_pass_both_ways(served: Callable[..., Server]) -> None:
    """As they are, many of them, in several connections at once."""
    blob = bytes(range(256)) * 8192
    with Proxy("127.0.0.1", served().port) as proxy, connected(proxy) as one, connected(proxy) as other:
        assert b"first" == asked(one, b"first")
        assert b"second" == asked(other, b"second")
        sender = threading.Thread(target=one.sendall, args=(blob,))
        sender.start()
        assert blob == received(one, len(blob))
        sender.join()


def test_a_half_closed_connection_still_answers(served: Callable[..., Server]) -> None:
    """A client that has said all may wait for the answer, and then sees the end."""

    def answer_at_the_end(connection: socket.socket) -> None:
        asked_for = received(connection, 1 << 20)
        connection.sendall(asked_for[::-1])

    with Proxy("127.0.0.1", served(answer_at_the_end).port) as proxy, connected(proxy) as client:
        client.sendall(b"abc")
        client.shutdown(socket.SHUT_WR)
        assert b"cba" == received(client, 1 << 20)


def test_a_server_may_speak_first(served: Callable[..., Server]) -> None:
    """And close first."""
    server = served(lambda connection: connection.sendall(b"220 hello"))
    with Proxy("127.0.0.1", server.port) as proxy, connected(proxy) as client:
        assert b"220 hello" == received(client, 1 << 20)


def test_slow_holds_up_each_answer_once(served: Callable[..., Server], points: CallPoints) -> None:
    """Not each piece of it, and in order; it is as long as was asked for, and over when it is over."""

    def in_pieces(connection: socket.socket) -> None:
        while connection.recv(1 << 16):
            for piece in (b"a", b"b", b"c", b"d"):
                connection.sendall(piece)
                time.sleep(0.01)

    proxy = points.proxy("store", "127.0.0.1", served(in_pieces).port)
    with connected(proxy) as client:
        with points.slow("store", by="300ms") as injection:
            for _ in range(2):
                began = time.perf_counter()
                client.sendall(b"x")
                assert b"abcd" == received(client, 4)
                assert 0.3 <= time.perf_counter() - began
        # a call each, though the connection was made before
        assert (2, 2) == (injection.calls, injection.acted)
        client.sendall(b"x")
        assert b"abcd" == received(client, 4)
        assert 2 == injection.calls


def test_a_connection_and_its_first_question_are_one_call(served: Callable[..., Server], points: CallPoints) -> None:
    """So that a share of the calls is that share, whether connections are kept or not."""
    proxy = points.proxy("store", "127.0.0.1", served().port)
    with points.failing("store", share="50%") as injection:
        assert [False, True] * 3 == [is_reset_at_once(proxy) for _ in range(6)]
        assert (6, 3) == (injection.calls, injection.acted)
        with connected(proxy) as client:
            assert [False, True] == [is_reset(client), is_reset(client)]


def test_failing_resets_what_is_open_and_what_comes(served: Callable[..., Server], points: CallPoints) -> None:
    """A client that only waits is told too; afterwards new connections work."""
    server = served()
    proxy = points.proxy("store", f"127.0.0.1:{server.port}")
    with connected(proxy) as waiting:
        assert b"x" == asked(waiting, b"x")
        with points.failing("store"):
            with pytest.raises(ConnectionResetError):
                waiting.recv(1)
            assert is_reset_at_once(proxy)
    with connected(proxy) as client:
        assert b"x" == asked(client, b"x")


def test_a_connection_in_the_middle_of_its_life_is_reset_too(served: Callable[..., Server], points: CallPoints) -> None:
    """Both sides of the proxy are closed: the server sees the end."""
    ended = threading.Event()

    def until_the_end(connection: socket.socket) -> None:
        try:
            echo(connection)
        finally:
            ended.set()

    proxy = points.proxy("store", "127.0.0.1", served(until_the_end).port)
    with connected(proxy) as client:
        assert b"x" == asked(client, b"x")
        with points.failing("store", share="99%"):
            assert [False, True] == [is_reset(client), is_reset(client)]
        assert ended.wait(PATIENCE)


def test_a_target_that_is_not_there_resets(points: CallPoints) -> None:
    """As near to a refused connection as a proxy can come."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    assert is_reset_at_once(points.proxy("store", "127.0.0.1", port))


def test_an_idle_proxy_has_not_been_touched(points: CallPoints, served: Callable[..., Server]) -> None:
    """An injection on a proxy that nobody connects to fails its test."""
    points.proxy("store", "127.0.0.1", served().port)
    untouched = pytest.raises(DependencyUntouched, match=r"nothing called the proxy at 127.0.0.1:\d+ to 127.0.0.1:\d+")
    with untouched, points.slow("store", by="1s"):
        pass


@pytest.mark.parametrize("address", ["localhost:{}", "127.0.0.1:{}"])
def test_a_target_may_be_a_name(served: Callable[..., Server], address: str) -> None:
    """It is looked up for each connection."""
    with Proxy(address.format(served().port)) as proxy, connected(proxy) as client:
        assert b"x" == asked(client, b"x")


def test_a_target_may_be_an_ipv6_address(served: Callable[..., Server]) -> None:
    """In brackets, as in a URL."""
    try:
        listening = socket.create_server(("::1", 0), family=socket.AF_INET6)
    except OSError:
        pytest.skip("this machine has no IPv6")
    server = served(listening=listening)
    with Proxy(f"[::1]:{server.port}") as proxy, connected(proxy) as client:
        assert f"[::1]:{server.port}" == proxy.target
        assert b"x" == asked(client, b"x")


def test_a_target_may_be_a_unix_socket(served: Callable[..., Server], tmp_path: Path) -> None:
    """Clients connect over TCP all the same."""
    if not hasattr(socket, "AF_UNIX"):
        pytest.skip("this machine has no Unix sockets")
    listening = socket.socket(socket.AF_UNIX)
    listening.bind(str(tmp_path / "s"))
    listening.listen()
    served(listening=listening)
    with Proxy(f"unix:{tmp_path / 's'}") as proxy, connected(proxy) as client:
        assert b"x" == asked(client, b"x")


@pytest.mark.parametrize("address", ["redis", "redis:port", "http://redis:6379", "::1:6379", ""])
def test_what_is_no_address_is_refused(address: str) -> None:
    """The message shows the forms."""
    with pytest.raises(DependencyError, match=r"is no address; write '127.0.0.1:6379', '\[::1\]:6379' or 'unix:"):
        Proxy(address)


def test_it_listens_on_the_loopback_interface_only() -> None:
    """Nobody else on the network can reach it."""
    with Proxy("127.0.0.1", 1) as proxy:
        assert "127.0.0.1" == proxy.host
        assert f"the proxy at 127.0.0.1:{proxy.port} to 127.0.0.1:1" == str(proxy)


def test_closing_leaves_nothing_behind(served: Callable[..., Server], recwarn: pytest.WarningsRecorder) -> None:
    """No thread, no listening socket, no open connection; closing twice is closing once, also with an answer held up."""
    points = CallPoints()
    proxy = points.proxy("store", "127.0.0.1", served().port)
    injection = points.slow("store", by="1h")
    with connected(proxy) as idle, connected(proxy) as waiting:
        assert b"x" == asked(idle, b"x")
        injection.__enter__()
        waiting.sendall(b"x")
        deadline = time.monotonic() + PATIENCE
        while not injection.acted and time.monotonic() < deadline:
            time.sleep(0.001)
        points.close()
        proxy.close()
        proxy.reset()
        assert [True, True] == [is_reset(idle), is_reset(waiting)]
        with pytest.raises(ConnectionRefusedError):
            connected(proxy)
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("proxy")]
    gc.collect()
    assert [] == [warning for warning in recwarn if warning.category is ResourceWarning]


def test_it_works_beside_a_loop_of_the_test(served: Callable[..., Server], points: CallPoints) -> None:
    """Made, used and closed in a test that is asynchronous itself."""

    async def test() -> None:
        proxy = points.proxy("store", "127.0.0.1", served().port)
        with points.slow("store", by="1ms") as injection:
            reader, writer = await asyncio.open_connection(proxy.host, proxy.port)
            writer.write(b"x")
            assert b"x" == await reader.read(1)
            writer.close()
            await writer.wait_closed()
        assert 1 == injection.acted
        proxy.close()

    asyncio.run(test())
