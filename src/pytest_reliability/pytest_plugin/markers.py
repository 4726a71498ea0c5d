"""Which limits hold in a test: its `latency_budget` markers, the innermost first.

This is all of ours that a marked test needs without `--reliability`, so that it imports nothing but `latency.budget`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Any

import pytest

from pytest_reliability.latency.budget import Limits

NAME = "latency_budget"


def limits_of(item: pytest.Item) -> dict[str | None, Limits]:
    """The limits of each operation that a marker names; under None those of every other operation.

    The innermost level with a marker for an operation counts: parameters, function, class (nearest first), module. Several
    markers on that level add up. Raises BudgetError where one cannot be understood, or where they contradict each other.
    """
    found: dict[str | None, Limits] = {}
    for marks in levels(item):
        here: dict[str | None, list[Limits]] = {}
        for mark in marks:
            limits = _limits(mark)
            here.setdefault(limits.of, []).append(limits)
        for operation, several in here.items():
            together = Limits.together(several) if len(several) > 1 else several[0]  # outer levels too: a mistake is a mistake
            found.setdefault(operation, together)
    return found


def _limits(mark: pytest.Mark) -> Limits:
    """What one marker says; read once, since a class or a module may have it on each of a thousand tests."""
    try:
        return _read(mark.args, tuple(mark.kwargs.items()))
    except TypeError:  # a list, say: it has no hash and is no limit, which is for `Limits` to explain
        return Limits.parse(*mark.args, **mark.kwargs)


@lru_cache(maxsize=256, typed=True)
def _read(texts: tuple[object, ...], options: tuple[tuple[str, Any], ...]) -> Limits:
    return Limits.parse(*texts, **dict(options))


def levels(item: pytest.Item) -> Iterator[list[pytest.Mark]]:
    """The markers of each level that has any, the innermost first."""
    for node in reversed(item.listchain()):
        rest = [mark for mark in node.own_markers if mark.name == NAME]
        for inner in _inner(node):
            marks = [mark for mark in rest if any(mark is other for other in inner)]
            rest = [mark for mark in rest if not any(mark is other for other in marks)]
            if marks:
                yield marks
        if rest:
            yield rest


def _inner(node: object) -> Iterator[Iterable[pytest.Mark]]:
    """Markers of a node that are levels of their own: those of parameters, and of each class that a class inherits from."""
    callspec = getattr(node, "callspec", None)
    if callspec is not None:
        yield callspec.marks
    if isinstance(node, pytest.Class):
        for base in node.obj.__mro__:
            own: Any = vars(base).get("pytestmark", ())
            # `pytestmark = pytest.mark.x` holds a decorator, `@pytest.mark.x` stores the mark itself
            marks: Any = own if isinstance(own, (list, tuple)) else (own,)
            yield [getattr(mark, "mark", mark) for mark in marks]
