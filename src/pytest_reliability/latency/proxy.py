"""A proxy on the loopback interface that forwards bytes, and holds them up or breaks off where somebody says so.

For clients that are out of the reach of a call point: those written in C, connection pools, whatever speaks TCP. The proxy
knows no protocol. A call begins with a connection, and with bytes that the client sends after it was answered.
"""

from __future__ import annotations

import asyncio
import os
import re
import socket
import struct
import threading
from collections.abc import Callable, Coroutine, Iterable
from contextlib import suppress
from types import TracebackType
from typing import Any

from pytest_reliability.latency.dependency import DependencyError, Interference

_ADDRESS = re.compile(r"(?:\[([^\]]+)\]|([^\[\]:/]+)):(\d{1,5})")

_CHUNK = 1 << 16

_LINGER_NOT = struct.pack("hh" if os.name == "nt" else "ii", 1, 0)
"""SO_LINGER with no time at all: closing then resets the connection. Windows has shorter fields."""


class Proxy:
    """Listens on a free port of 127.0.0.1, `host` and `port`, and forwards each connection to its target until closed.

    The target is a host and a port, "host:port", or "unix:/path". While the dependency is slow, the first bytes of each
    answer are held up, and all others stay behind them. While it fails, connections are reset.
    """

    def __init__(self, host: str, port: int | None = None, interference: Interference | None = None) -> None:
        self.target, self._connect = _target(host, port)
        self._interference = interference or Interference()
        self._connections: set[asyncio.Task[None]] = set()
        self._loop = asyncio.new_event_loop()
        listening = socket.create_server(("127.0.0.1", 0))
        self.host: str
        self.port: int
        self.host, self.port = listening.getsockname()
        # in a thread of its own, so that it runs beside a test that has a loop itself
        self._thread = threading.Thread(target=self._run, name=f"proxy to {self.target}", daemon=True)
        self._thread.start()
        starting = asyncio.run_coroutine_threadsafe(asyncio.start_server(self._accept, sock=listening), self._loop)
        self._server = starting.result()

    def reset(self) -> None:
        """Reset all connections that are open."""
        if not self._loop.is_closed():
            asyncio.run_coroutine_threadsafe(self._reset(), self._loop).result()

    def close(self) -> None:
        """Listen no more, reset what is open, and leave no thread and no socket behind."""
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()

    def __enter__(self) -> Proxy:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        self.close()

    def __str__(self) -> str:
        return f"the proxy at {self.host}:{self.port} to {self.target}"

    def _run(self) -> None:
        self._loop.run_forever()
        self._server.close()
        self._loop.run_until_complete(_cancelled(asyncio.all_tasks(self._loop)))
        self._loop.close()

    async def _reset(self) -> None:
        await _cancelled(self._connections)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = self._loop.create_task(self._forward(reader, writer))
        self._connections.add(connection)
        connection.add_done_callback(self._connections.discard)
        connection.add_done_callback(lambda _: writer.transport.abort())  # where it was cancelled before it began

    async def _forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers = [writer]
        try:
            call = _Call(self._interference)
            call.begin()
            there, forth = await self._connect()
            writers.append(forth)
            await _both(_requests(reader, forth, call), _answers(there, writer, call))
            for each in writers:
                each.close()
                await each.wait_closed()
        except (OSError, asyncio.CancelledError):
            for each in writers:
                with suppress(OSError):  # it may be closed already
                    each.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_NOT)
                each.transport.abort()


class _Call:
    """What one connection is asked at the moment, and what is done to it."""

    def __init__(self, interference: Interference) -> None:
        self.delay = 0.0
        self.over = False
        self._interference = interference

    def begin(self) -> None:
        # a connection that was made before anything was injected does not spare its first question
        self.over = not self._interference.injections
        self.delay, error = self._interference.next_call()
        if error is not None:
            raise ConnectionResetError


async def _requests(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, call: _Call) -> None:
    while data := await reader.read(_CHUNK):
        if call.over:
            call.begin()
        writer.write(data)
        await writer.drain()
    writer.write_eof()


async def _answers(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, call: _Call) -> None:
    while data := await reader.read(_CHUNK):
        delay, call.delay = call.delay, 0.0
        if delay:
            await asyncio.sleep(delay)
        writer.write(data)
        call.over = True
        await writer.drain()
    writer.write_eof()


async def _cancelled(tasks: Iterable[asyncio.Task[Any]]) -> None:
    """Cancel them, and wait until they have ended and their sockets are closed."""
    tasks = list(tasks)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await asyncio.sleep(0)  # a transport closes its socket one turn of the loop later


async def _both(*pumps: Coroutine[Any, Any, None]) -> None:
    """Run both until they end, or one breaks."""
    tasks = [asyncio.ensure_future(pump) for pump in pumps]
    try:
        await asyncio.gather(*tasks)
    finally:
        await _cancelled(tasks)


Connect = Callable[[], Coroutine[Any, Any, tuple[asyncio.StreamReader, asyncio.StreamWriter]]]


def _target(host: str, port: int | None) -> tuple[str, Connect]:
    """The target as people write it, and how to connect to it."""
    if port is not None:
        name, number = host, port
    elif host.startswith("unix:"):
        return host, lambda: asyncio.open_unix_connection(host.removeprefix("unix:"))
    else:
        match = _ADDRESS.fullmatch(host)
        if match is None:
            raise DependencyError(f"{host!r} is no address; write '127.0.0.1:6379', '[::1]:6379' or 'unix:/run/redis.sock'")
        name, number = match[1] or match[2], int(match[3])
    return f"{f'[{name}]' if ':' in name else name}:{number}", lambda: asyncio.open_connection(name, number)
