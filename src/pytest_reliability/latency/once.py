"""The `latency` fixture where nothing is judged: everything runs once, as in any other test.

What a test says about its dependencies (slow, failing) holds all the same: that is behaviour, not measurement. Little is
imported here, because a marked test that is not judged should cost what a plain test costs.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from inspect import isawaitable
from os import PathLike
from types import TracebackType
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from pytest_reliability.latency.forms import decorated, refuse_asynchronous, refuse_coroutine

if TYPE_CHECKING:
    from pytest_reliability.latency.dependency import CallPoints, Injection
    from pytest_reliability.latency.proxy import Proxy
    from pytest_reliability.latency.session import Sampled
    from pytest_reliability.report import Measurement

F = TypeVar("F", bound=Callable[..., Any])
P = ParamSpec("P")
T = TypeVar("T")
W = TypeVar("W")


class Dependencies:
    """Dependencies of what is tested, which a test may slow down or have fail. Shared by both kinds of `latency`.

    With `strict` an injection has to act on a call; where a test makes only a few calls, a share of them may be none.
    """

    def __init__(self, *, strict: bool = False) -> None:
        self._strict = strict
        self._points: CallPoints | None = None

    @property
    def _call_points(self) -> CallPoints:
        if self._points is None:
            from pytest_reliability.latency.dependency import CallPoints

            self._points = CallPoints(strict=self._strict)
        return self._points

    def call_point(self, name: str, owner: object, attribute: str) -> None:
        """Register where `name` is called, for this test: `latency.call_point("redis", Cache, "get")`."""
        self._call_points.register(name, owner, attribute)

    def slow(self, name: str, by: str, share: str = "100%") -> Injection:
        """Within `with`, that share of the calls to a registered call point or proxy takes longer by so much."""
        return self._call_points.slow(name, by=by, share=share)

    def failing(self, name: str, error: object = None, share: str = "100%") -> Injection:
        """Within `with`, that share of the calls to a registered call point raises `error`; a proxy resets connections."""
        return self._call_points.failing(name, error=error, share=share)

    def proxy(self, name: str, host: str, port: int | None = None) -> Proxy:
        """A proxy on this machine to a server, which `slow` and `failing` reach by `name`: connect to its host and port."""
        return self._call_points.proxy(name, host, port)

    def close(self) -> None:
        """Undo what the test has done to its dependencies."""
        if self._points is not None:
            self._points.close()


class Unmeasured:
    """A sample that nobody takes, as a context manager and as a decorator."""

    __slots__ = ()

    def __enter__(self) -> None:
        """Begin nothing."""

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        """End nothing."""

    def __call__(self, function: F) -> F:
        """The function, as it would be called where it is measured."""
        return decorated(function, Unmeasured)


UNMEASURED = Unmeasured()


class Call:
    """One call, for each way to measure many: `call(function, …)` and `await call.run(function, …)`."""

    def __init__(self, setup: Callable[[], Any] | None = None) -> None:
        self._setup = setup

    def __call__(self, function: Callable[..., T], /, *args: Any, **kwargs: Any) -> T:
        """Call `function` with these arguments, after the setup."""
        __tracebackhide__ = True
        refuse_asynchronous(function)
        given = self._setup() if self._setup else None
        result = function(*args, **kwargs) if given is None else function(given, *args, **kwargs)
        refuse_coroutine(result)
        return result

    async def run(self, function: Callable[..., Awaitable[T]], /, *args: Any, **kwargs: Any) -> T:
        """The same for a function whose result is awaited; the setup may be asynchronous, too."""
        __tracebackhide__ = True
        given = self._setup() if self._setup else None
        if isawaitable(given):
            given = await given
        return await (function(*args, **kwargs) if given is None else function(given, *args, **kwargs))


class Once(Dependencies):
    """The methods of `Latency`, each of which runs once what it is given. Nothing is measured."""

    def __init__(self) -> None:
        super().__init__()
        self.measurements: list[Measurement] = []
        self.sampled: list[Sampled] = []

    def __call__(self, function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Call `function` with these arguments."""
        __tracebackhide__ = True
        return Call()(function, *args, **kwargs)

    async def run(self, function: Callable[P, Awaitable[T]], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Await `function` with these arguments."""
        __tracebackhide__ = True
        return await function(*args, **kwargs)

    def prepared(self, setup: Callable[[], Any]) -> Call:
        """Call after `setup`, which may provide the first argument."""
        return Call(setup)

    def load(self, rate: str, duration: str = "5s", concurrency: int = 50) -> Call:
        """Call once instead of at a rate; one that cannot be understood is told all the same."""
        from pytest_reliability.latency.load import parse_duration, parse_rate

        parse_rate(rate)
        parse_duration(duration)
        return Call()

    def __iter__(self) -> Iterator[int]:
        """One round."""
        yield 0

    async def __aiter__(self) -> AsyncIterator[int]:
        """One round."""
        yield 0

    def sample(self, name: str, /, **limits: Any) -> Unmeasured:
        """Sample nothing; limits that cannot be understood are told all the same."""
        if limits:
            from pytest_reliability.latency.budget import Limits

            Limits.parse(of=name, **limits)
        return UNMEASURED

    def record(self, name: str, seconds: float, preempted: bool = False) -> None:
        """Record nothing."""

    def watch(self, thing: W, routes: Sequence[str] = ()) -> W:
        """Watch nothing."""
        return thing

    def cold(
        self, target: str | Sequence[str], *, cwd: str | PathLike[str] | None = None, env: Mapping[str, str] | None = None
    ) -> None:
        """Start it once, in a fresh process, which must succeed."""
        from math import inf

        from pytest_reliability.latency.cold import ColdStarts

        ColdStarts(target, cwd=cwd, env=env).draw(1, inf)

    def results(self, *paths: str | PathLike[str]) -> None:
        """Judge nothing."""

    def conclude(self) -> None:
        """There is nothing to judge."""
