"""Dependencies that are slow or fail, while a budget is held.

A *call point* is where the code calls a dependency: an attribute of a class, module or object that is a function. While an
injection lasts, calls pass through here and are held up or fail; before and after, nothing of ours is in their way. What
cannot be reached so, such as a client written in C, can be led through a `Proxy`.
"""

from __future__ import annotations

import inspect
import re
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import aclosing
from dataclasses import dataclass
from fractions import Fraction
from functools import wraps
from math import inf
from threading import Lock
from types import TracebackType
from typing import TYPE_CHECKING, Any

from pytest_reliability.model.duration import Duration

if TYPE_CHECKING:
    from pytest_reliability.latency.proxy import Proxy

Error = BaseException | type[BaseException]

_PERCENTAGE = re.compile(r"(\d+(?:\.\d+)?)\s*%")
_NOT_OWN: Any = object()


class DependencyError(ValueError):
    """A dependency that nobody registered, or that cannot be held up as somebody wrote. The message says what to write."""


class DependencyUntouched(AssertionError):  # noqa: N818 (it is a test's failure, not an error of ours)
    """An injection ended without having acted on anything.

    It fails the test, because what was measured meanwhile says nothing about a slow or failing dependency: the test
    would pass for ever, however badly the service coped.
    """


@dataclass(frozen=True)
class CallPoint:
    """Where a dependency is called: the `attribute` of `owner`, which is a class, a module or an object."""

    owner: Any
    attribute: str

    def __str__(self) -> str:
        owner = self.owner if hasattr(self.owner, "__name__") else type(self.owner)
        return f"{owner.__name__}.{self.attribute}"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, CallPoint) and self.owner is other.owner and self.attribute == other.attribute

    def __hash__(self) -> int:
        return hash((id(self.owner), self.attribute))


# The call points of a process are known to all tests, as its modules are: a conftest.py registers them as it is imported.
_REGISTERED: dict[str, list[CallPoint]] = {}


def call_point(name: str, owner: object, attribute: str) -> None:
    """Register where the dependency `name` is called, for all tests: `call_point("redis", Cache, "get")`.

    A dependency may have several call points. A method is registered at its class, which reaches all its objects; a
    function at the module that uses it. Raises DependencyError where there is no such function.
    """
    _register(_REGISTERED, name, owner, attribute)


class CallPoints:
    """The dependencies that one test knows: those of the process, and what it registers itself.

    With `strict` an injection of a share has to have acted as well; without it is enough that there were calls, as it has
    to be where a test makes only a few of them.
    """

    def __init__(
        self,
        *,
        strict: bool = False,
        sleep: Callable[[float], None] = time.sleep,
        sleep_async: Callable[[float], Awaitable[None]] | None = None,
    ) -> None:
        self.strict = strict
        self._sleeping = Sleeping(sleep, sleep_async or pause)
        self._points: dict[str, list[CallPoint]] = {}
        self._proxies: dict[str, list[Proxy]] = {}
        self._interferences: dict[str, Interference] = {}
        self._replaced: dict[str, list[Replacement]] = {}

    def register(self, name: str, owner: object, attribute: str) -> None:
        """Register a call point for this test, as `call_point` does for all."""
        _register(self._points, name, owner, attribute)

    def proxy(self, name: str, host: str, port: int | None = None) -> Proxy:
        """Start a proxy in front of a server, and register it.

        The server is `host` and `port`, or written in one: "127.0.0.1:6379", "[::1]:6379", "unix:/run/redis.sock".
        """
        from pytest_reliability.latency.proxy import Proxy

        proxy = Proxy(host, port, self._interference(_checked_name(name)))
        self._proxies.setdefault(name, []).append(proxy)
        return proxy

    def slow(self, name: str, by: str, share: str = "100%") -> Injection:
        """Within `with`, that share of the calls takes longer by so much."""
        return Injection(self, self._known(name), f"slow({name!r}, by={by!r})", _delay(by), None, _share(share))

    def failing(self, name: str, error: object = None, share: str = "100%") -> Injection:
        """Within `with`, that share of the calls raises `error`; a proxy resets the connection, whatever the error is."""
        what = f"failing({name!r})"
        return Injection(self, self._known(name), what, 0.0, _error(error, f"injected by latency.{what}"), _share(share))

    def close(self) -> None:
        """Undo everything: functions are what they were, and no proxy is left."""
        for name, interference in self._interferences.items():
            interference.injections.clear()
            self._restore(name)
        for proxies in self._proxies.values():
            for proxy in proxies:
                proxy.close()
        self._proxies.clear()

    def begin(self, injection: Injection) -> None:
        """Have an injection act from now on."""
        name = injection.name
        interference = self._interference(name)
        if not interference.injections:
            self._replace(name, interference)
        interference.injections.append(injection)
        if injection.error is not None and injection.share == 1:
            for proxy in self._proxies.get(name, ()):
                proxy.reset()

    def end(self, injection: Injection) -> None:
        """Have it act no more."""
        interference = self._interference(injection.name)
        if injection in interference.injections:
            interference.injections.remove(injection)
        if not interference.injections:
            self._restore(injection.name)

    def places(self, name: str) -> str:
        """Where the dependency is called, as a message names it."""
        return ", ".join(map(str, (*self._points_of(name), *self._proxies.get(name, ()))))

    def _interference(self, name: str) -> Interference:
        return self._interferences.setdefault(name, Interference())

    def _points_of(self, name: str) -> list[CallPoint]:
        return list(dict.fromkeys(_REGISTERED.get(name, []) + self._points.get(name, [])))

    def _replace(self, name: str, interference: Interference) -> None:
        self._replaced[name] = []
        try:
            for point in self._points_of(name):
                self._replaced[name].append(Replacement(point, interference, self._sleeping))
        except DependencyError:
            self._restore(name)
            raise

    def _restore(self, name: str) -> None:
        for replacement in reversed(self._replaced.pop(name, [])):
            replacement.undo()

    def _known(self, name: object) -> str:
        known = sorted({*_REGISTERED, *self._points, *self._proxies})
        if isinstance(name, str) and name in known:
            return name
        from pytest_reliability.shape import nearest

        meant = nearest(name, known) if isinstance(name, str) else None
        hint = f"did you mean {meant!r}?" if meant else f"there is {', '.join(map(repr, known))}" if known else "none is"
        raise DependencyError(
            f"no dependency is registered as {name!r}; {hint}\n"
            f"  register it: latency.call_point({name!r}, Cache, 'get') or latency.proxy({name!r}, '127.0.0.1:6379')"
        )


class Injection:
    """A dependency is slow, or fails, within `with`. `calls` came through meanwhile, on `acted` of them it acted.

    Which calls those are is no accident: of a share of 10% it is every tenth.
    """

    def __init__(self, points: CallPoints, name: str, what: str, delay: float, error: Error | None, share: Fraction) -> None:
        self.name, self.delay, self.error, self.share = name, delay, error, share
        self.calls = self.acted = 0
        self._points, self._what = points, what
        self._of = share.numerator, share.denominator
        self._lock = Lock()

    def acts(self) -> bool:
        """A call comes through: whether this is one to act on."""
        with self._lock:
            before = self.acted
            self.calls += 1
            # in whole numbers: a product of fractions would hold up every call by ten microseconds
            self.acted = self.calls * self._of[0] // self._of[1]
            return self.acted > before

    def __enter__(self) -> Injection:
        self.calls = self.acted = 0
        self._points.begin(self)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        __tracebackhide__ = True
        self._points.end(self)
        if kind is None and not self.acted:
            self._complain()

    def _complain(self) -> None:
        __tracebackhide__ = True
        if not self.calls:
            raise DependencyUntouched(
                f"latency.{self._what} never took effect: nothing called {self._points.places(self.name)}\n"
                "  a function that was imported by name has to be registered at the module that imported it"
            )
        if self._points.strict:
            raise DependencyUntouched(
                f"latency.{self._what} never took effect: {float(self.share * 100):g}% of {self.calls} "
                f"call{'s' if self.calls > 1 else ''} is none; make more calls, or raise the share"
            )


class Interference:
    """The injections that act on one dependency at the moment."""

    def __init__(self) -> None:
        self.injections: list[Injection] = []

    def next_call(self) -> tuple[float, Error | None]:
        """By how many seconds the next call is held up, and what it fails with."""
        acting = [injection for injection in tuple(self.injections) if injection.acts()]
        return sum(injection.delay for injection in acting), next((i.error for i in acting if i.error is not None), None)


class Sleeping:
    """How to wait, in a thread and in a loop. No time at all is no waiting: a loop would run others meanwhile."""

    def __init__(self, sleep: Callable[[float], None], sleep_async: Callable[[float], Awaitable[None]]) -> None:
        self._sleep, self._sleep_async = sleep, sleep_async

    def in_thread(self, seconds: float) -> None:
        """Hold up this thread."""
        if seconds:
            self._sleep(seconds)

    async def in_loop(self, seconds: float) -> None:
        """Hold up this task."""
        if seconds:
            await self._sleep_async(seconds)


async def pause(seconds: float) -> None:
    """Wait in the loop that runs, asyncio's or trio's."""
    import asyncio

    try:
        asyncio.get_running_loop()
    except RuntimeError:
        await sys.modules["trio"].sleep(seconds)
    else:
        await asyncio.sleep(seconds)


class Replacement:
    """A function that stands at a call point, as long as it is not undone."""

    def __init__(self, point: CallPoint, interference: Interference, sleeping: Sleeping) -> None:
        self._owner, self._attribute = point.owner, point.attribute
        # what the owner has itself: an inherited function is not put into the heir when all is over
        self._own = getattr(self._owner, "__dict__", {}).get(self._attribute, _NOT_OWN)
        if hasattr(getattr(type(self._owner), self._attribute, None), "__set__"):  # a slot, or a property
            self._own = getattr(self._owner, self._attribute)
        try:
            setattr(self._owner, self._attribute, self._new(interference, sleeping))
        except (AttributeError, TypeError) as error:
            raise DependencyError(
                f"{point} cannot be replaced ({error}); register a function of yours that calls it, or use latency.proxy"
            ) from error

    def undo(self) -> None:
        """Put back what was there, or nothing where nothing was."""
        if self._own is _NOT_OWN:
            delattr(self._owner, self._attribute)
        else:
            setattr(self._owner, self._attribute, self._own)

    def _new(self, interference: Interference, sleeping: Sleeping) -> Any:
        current = getattr(self._owner, self._attribute)
        if not isinstance(self._owner, type):
            return interfered(current, interference, sleeping)
        raw = next((vars(base)[self._attribute] for base in self._owner.__mro__ if self._attribute in vars(base)), _NOT_OWN)
        if isinstance(raw, (staticmethod, classmethod)):
            return type(raw)(interfered(raw.__func__, interference, sleeping))
        if hasattr(raw, "__get__"):
            return interfered(raw if callable(raw) else _method(raw), interference, sleeping)
        # a builtin, another callable object, a method of the metaclass: it does not become a method of the class's objects
        return staticmethod(interfered(current, interference, sleeping))


def _method(descriptor: Any) -> Callable[..., Any]:
    """What becomes a method in its own way, such as a `partialmethod`, as a function of the object."""
    return lambda instance, *args, **kwargs: descriptor.__get__(instance, type(instance))(*args, **kwargs)


def interfered(function: Callable[..., Any], interference: Interference, sleeping: Sleeping) -> Callable[..., Any]:
    """The function, held up and failing as the injections say, and of the same kind."""
    if inspect.isasyncgenfunction(function):
        wrapper = _async_generator(function, interference, sleeping)
    elif inspect.isgeneratorfunction(function):
        wrapper = _generator(function, interference, sleeping)
    elif inspect.iscoroutinefunction(function):
        wrapper = _coroutine(function, interference, sleeping)
    else:
        wrapper = _plain(function, interference, sleeping)
    return wraps(function)(wrapper)


def _plain(function: Callable[..., Any], interference: Interference, sleeping: Sleeping) -> Callable[..., Any]:
    def call(*args: Any, **kwargs: Any) -> Any:
        delay, error = interference.next_call()
        if error is not None:
            sleeping.in_thread(delay)
            raise _fresh(error)
        result = function(*args, **kwargs)
        # clients have functions that are not marked as asynchronous but return what is to be awaited
        if inspect.isawaitable(result):
            return _late(result, delay, sleeping)
        sleeping.in_thread(delay)
        return result

    return call


async def _late(result: Awaitable[Any], delay: float, sleeping: Sleeping) -> Any:
    await sleeping.in_loop(delay)
    return await result


def _coroutine(function: Callable[..., Any], interference: Interference, sleeping: Sleeping) -> Callable[..., Any]:
    async def call(*args: Any, **kwargs: Any) -> Any:
        delay, error = interference.next_call()
        await sleeping.in_loop(delay)
        if error is not None:
            raise _fresh(error)
        return await function(*args, **kwargs)

    return call


def _generator(function: Callable[..., Any], interference: Interference, sleeping: Sleeping) -> Callable[..., Any]:
    def call(*args: Any, **kwargs: Any) -> Iterator[Any]:
        delay, error = interference.next_call()
        sleeping.in_thread(delay)
        if error is not None:
            raise _fresh(error)
        return (yield from function(*args, **kwargs))  # type: ignore[no-any-return]

    return call


def _async_generator(function: Callable[..., Any], interference: Interference, sleeping: Sleeping) -> Callable[..., Any]:
    async def call(*args: Any, **kwargs: Any) -> AsyncIterator[Any]:
        delay, error = interference.next_call()
        await sleeping.in_loop(delay)
        if error is not None:
            raise _fresh(error)
        async with aclosing(function(*args, **kwargs)) as items:
            async for item in items:
                yield item

    return call


def _fresh(error: Error) -> BaseException:
    """The error to raise; an exception that is raised again and again would gather the traces of all its journeys."""
    return error() if isinstance(error, type) else error.with_traceback(None)


def _register(points: dict[str, list[CallPoint]], name: object, owner: object, attribute: object) -> None:
    point = CallPoint(owner, str(attribute))
    if not isinstance(attribute, str) or not callable(getattr(owner, attribute, None)):
        raise DependencyError(
            f"{point} is no function; write call_point({name!r}, owner, 'attribute') for one of owner's functions"
        )
    known = points.setdefault(_checked_name(name), [])
    if point not in known:
        known.append(point)


def _checked_name(name: object) -> str:
    if not isinstance(name, str) or not name.strip():
        raise DependencyError(f"{name!r} is no name for a dependency; write call_point('redis', owner, 'attribute')")
    return name


def _delay(by: object) -> float:
    if isinstance(by, (int, float)) and not isinstance(by, bool):
        # a float below 1 is meant in seconds, as time.sleep() takes them
        meant = f"{by * 1000:.12g}ms" if isinstance(by, float) and 0 < by < 1 else f"{by!r}ms"
        raise DependencyError(f'by={by!r} has no unit; write by="{meant}"')
    try:
        seconds = Duration.parse(by).seconds if isinstance(by, str) else 0.0
    except ValueError:
        seconds = 0.0
    if not 0.0 < seconds < inf:
        raise DependencyError(f'by={by!r} is no duration that holds anything up; write by="200ms"')
    return seconds


def _error(error: object, message: str) -> Error:
    if error is None:
        return ConnectionError(message)
    if isinstance(error, BaseException) or (isinstance(error, type) and issubclass(error, BaseException)):
        return error
    raise DependencyError(f'error={error!r} is no exception; write error=ConnectionError("refused")')


def _share(share: object) -> Fraction:
    match = _PERCENTAGE.fullmatch(share.strip()) if isinstance(share, str) else None
    value = Fraction(match[1]) / 100 if match else Fraction(0)
    if not 0 < value <= 1:
        raise DependencyError(f'share={share!r} is no share of the calls; write share="10%"')
    return value
