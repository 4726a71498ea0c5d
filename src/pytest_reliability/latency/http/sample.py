"""One request from its beginning to its end, and the thin objects that stand in front of what is watched."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import inf
from threading import get_ident
from typing import Any

from pytest_reliability.latency.http.names import Names
from pytest_reliability.latency.preemption import Guard

Record = Callable[[str, float, bool], None]
"""Takes a sample: its name, its seconds (infinite for an error), and whether other processes held it up."""

SERVER_ERROR = 500
"""The status from which on an answer is the server's failure."""


@dataclass(frozen=True, slots=True)
class Watch:
    """Where samples go, and how they are named and timed."""

    record: Record
    names: Names
    clock: Callable[[], float]
    guard: Guard | None

    def begin(self, method: str, path: str, told: Callable[[], str | None] = lambda: None) -> Sample:
        """A request begins now. `told` is asked at the end what the framework calls its route."""
        return Sample(self, lambda: self.names.name(method, path, told()))


class Sample:
    """A request that is under way. It is recorded once, however often it is told to end."""

    __slots__ = ("_began", "_mark", "_name", "_so_far", "_thread", "_watch", "failed")

    def __init__(self, watch: Watch, name: Callable[[], str]) -> None:
        self.failed = False
        self._so_far = (inf, False)
        self._name = name
        self._watch: Watch | None = watch
        self._thread = get_ident()
        self._mark = watch.guard.begin() if watch.guard else None
        self._began = watch.clock()

    def answered(self, status: int) -> None:
        """The status has come: a server error makes it a failure."""
        self.failed = status >= SERVER_ERROR

    def reached(self) -> None:
        """Another part of the answer has come, perhaps the last one."""
        watch = self._watch
        if watch is not None:
            seconds = watch.clock() - self._began
            # what is known is the thread's own: nothing can be said where another thread saw the end
            guard, mark = (watch.guard, self._mark) if get_ident() == self._thread else (None, None)
            self._so_far = seconds, guard is not None and mark is not None and guard.held_up(mark, seconds)

    def settle(self) -> None:
        """Nothing more will come: the last part was the end."""
        watch, self._watch = self._watch, None
        if watch is not None:
            seconds, preempted = self._so_far
            watch.record(self._name(), inf if self.failed else seconds, preempted)

    def end(self) -> None:
        """The answer is complete."""
        self.reached()
        self.settle()

    def fail(self) -> None:
        """There is no answer, or no more of it."""
        self.failed = True
        self.end()

    def drop(self) -> None:
        """It was no request with an answer after all."""
        self._watch = None


class failing:  # noqa: N801 (it is used like a function)
    """What goes wrong in here fails the sample; a reader that stops early does not."""

    __slots__ = ("_sample",)

    def __init__(self, sample: Sample) -> None:
        self._sample = sample

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: type[BaseException] | None, *error: object) -> None:
        if kind is not None and kind is not GeneratorExit:
            self._sample.fail()


class Proxy:
    """Stands in front of another object, and is like it in all but what subclasses measure.

    `isinstance` takes it for what it stands for; attributes are read from there and set there.
    """

    __slots__ = ("_self_state", "_self_wrapped")

    _self_wrapped: Any
    _self_state: Any

    def __init__(self, wrapped: Any, state: Any) -> None:
        object.__setattr__(self, "_self_wrapped", wrapped)
        object.__setattr__(self, "_self_state", state)

    @property  # type: ignore[misc]  # as wrapt and mock do
    def __class__(self) -> type:
        return type(self._self_wrapped)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._self_wrapped, name)

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(self._self_wrapped, name, value)

    def __delattr__(self, name: str) -> None:
        delattr(self._self_wrapped, name)


def proxied(thing: Any, kind: type[Proxy], watch: Watch) -> Any:
    """`thing` behind a proxy that tells `watch`; the proxy that is there already, which then tells nobody else."""
    if isinstance(thing, Proxy):
        object.__setattr__(thing, "_self_state", watch)
        return thing
    return kind(thing, watch)


def bare(thing: Any) -> Any:
    """What stands behind a proxy, which from now on measures nothing."""
    if not isinstance(thing, Proxy):
        return thing
    object.__setattr__(thing, "_self_state", None)
    return thing._self_wrapped
