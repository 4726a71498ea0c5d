"""What can be measured and what cannot: functions, coroutine functions, and the wrapper of a decorated one."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import wraps
from typing import Any, TypeVar

F = TypeVar("F", bound=Callable[..., Any])


def called(function: object) -> str:
    """What a message calls a function."""
    return getattr(function, "__qualname__", None) or repr(function)


def refuse_asynchronous(function: Callable[..., object]) -> None:
    """Raise TypeError where calling the function would take no time, because all that it does waits to be awaited."""
    _refuse_generators(function)
    if inspect.iscoroutinefunction(function):
        raise TypeError(f"{called(function)} is asynchronous; write: await latency.run(…)")


def refuse_coroutine(result: object) -> None:
    """Raise TypeError where a call has returned a coroutine, so that nothing was measured yet."""
    if inspect.iscoroutine(result):
        result.close()
        raise TypeError(f"{called(result)} is asynchronous; write: await latency.run(…)")


def decorated(function: F, sample: Callable[[], AbstractContextManager[Any]]) -> F:
    """The function, each of whose calls is made inside a new `sample`; an asynchronous one is awaited there."""
    _refuse_generators(function)
    if inspect.iscoroutinefunction(function):

        @wraps(function)
        async def awaiting(*args: Any, **kwargs: Any) -> Any:
            with sample():
                return await function(*args, **kwargs)

        return awaiting  # type: ignore[return-value]  # it has the signature of the function

    @wraps(function)
    def calling(*args: Any, **kwargs: Any) -> Any:
        with sample():
            return function(*args, **kwargs)

    return calling  # type: ignore[return-value]


def _refuse_generators(function: Callable[..., object]) -> None:
    if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
        raise TypeError(f"{called(function)} is a generator, and calling it takes no time; measure what goes through it")
