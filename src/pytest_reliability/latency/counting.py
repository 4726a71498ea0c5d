"""Budgets beside time: how often something happens in one call. `count("queries")` counts, from application or test code.

A `Counting` hears everything that is counted in the process while it is open, in whichever thread or task: a call may hand
its work to others. Counters whose names nobody wants cost a set and an empty loop.

Database queries are counted without a line of code where SQLAlchemy or Django is in use. Nothing is imported for that.
"""

from __future__ import annotations

import sys
import threading
from collections import Counter, deque
from collections.abc import Callable, Collection, Sequence
from functools import wraps
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from pytest_reliability.latency.budget import CountBudget

QUERIES = "queries"
"""The counter that SQLAlchemy and Django feed."""

MOST_LISTED = 10
"""Up to so many counts are listed one by one; more of them by how often each was seen."""

MOST_VALUES = 5

_counted: set[str] = set()
"""Every counter that `count` was ever called for: of those that are not in it nobody knows whether they are counted at all."""

_open: tuple[Counting, ...] = ()
_hooks: dict[str, Callable[[], object]] = {}
"""The libraries that tell of their queries at present, and how to have each stop."""
_lock = threading.Lock()


def count(name: str, n: int = 1) -> None:
    """Say that something happened `n` times: `count("queries")`, `count("bytes_sent", len(data))`.

    May be called from any thread and any task. `count(name, 0)` only says that it is counted here.
    """
    _counted.add(name)
    _tell(name, n)


class Counting:
    """Listens to the counters `wanted` within its `with`. Everything in the process counts, whatever thread or task it is in.

    One thread opens it, asks for the counts and closes it; several may be open at once.
    """

    def __init__(self, wanted: Collection[str]) -> None:
        self._totals = dict.fromkeys(wanted, 0)
        self._heard: deque[tuple[str, int]] = deque()  # appending to it needs no lock, which a finalizer could not wait for
        self._libraries: tuple[str, ...] = ()

    def __enter__(self) -> Counting:
        global _open
        with _lock:
            _open = (*_open, self)
        self._listen()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        global _open
        self._listen()
        with _lock:
            _open = tuple(other for other in _open if other is not self)
            if not any(QUERIES in other._totals for other in _open):
                while _hooks:
                    _hooks.popitem()[1]()

    def counts(self) -> dict[str, int]:
        """How often each wanted counter was counted since this was opened."""
        self._listen()
        while self._heard:
            name, n = self._heard.popleft()
            self._totals[name] += n
        return dict(self._totals)

    @property
    def sources(self) -> tuple[str, ...]:
        """What feeds the wanted counters, as far as it is known: "queries from SQLAlchemy", "cache_misses from count()"."""
        told = (f"{name} from count()" for name in self._totals if name in _counted)
        return (*(f"{QUERIES} from {library}" for library in self._libraries), *told)

    def hear(self, name: str, n: int) -> None:
        """Note what was counted, if it is wanted."""
        if name in self._totals:
            self._heard.append((name, n))

    def _listen(self) -> None:
        """Have the libraries tell of their queries, also those that were imported only now."""
        if QUERIES not in self._totals:
            return
        with _lock:
            if self not in _open:
                return
            for library, hook in _LIBRARIES.items():
                if library not in _hooks and (stop := hook()):
                    _hooks[library] = stop
            self._libraries = tuple(_hooks)


def judge_counts(
    budget: CountBudget, counts: Sequence[int], sources: Collection[str]
) -> tuple[Literal["pass", "fail", "inconclusive"], str]:
    """The outcome for a counter that went up by `counts` in one call each, and why.

    The first call fills caches and opens connections, so the caller leaves it out. What is counted is exact, so that one
    call over the limit is enough. `sources` are what feeds the counters: zero is no count where nothing does.
    """
    if not counts:
        return "inconclusive", "no call was counted"
    low, high = min(counts), max(counts)
    each = "in the only call" if len(counts) == 1 else f"in each of {len(counts)} calls"
    if high > budget.most:
        listed = f"{high} {each}" if low == high and len(counts) > 1 else _listed(counts)
        return "fail", f"{listed}: at most {budget.most}"
    feeding = [source for source in sources if source.startswith(f"{budget.counter} from ")]
    if not feeding and not any(counts):
        return "inconclusive", f"nothing counts {budget.counter!r}: {_remedy(budget.counter)}"
    span = f"{high or 'none'}" if low == high else f"{low} to {high}"
    return "pass", f"{span} {each}" + (f" ({', '.join(feeding)})" if feeding else "")


def _remedy(counter: str) -> str:
    here = f'call pytest_reliability.latency.count("{counter}") where it happens'
    return f"neither SQLAlchemy nor Django is in use, so {here}" if counter == QUERIES else here


def _listed(counts: Sequence[int]) -> str:
    """The counts themselves, or the highest of them and how often each was seen."""
    if len(counts) <= MOST_LISTED:
        return ", ".join(map(str, counts))
    seen = sorted(Counter(counts).items(), reverse=True)
    listed = ", ".join(f"{value} in {times}" for value, times in seen[:MOST_VALUES])
    return f"{listed}{' …' if len(seen) > MOST_VALUES else ''} of {len(counts)} calls"


def _tell(name: str, n: int) -> None:
    for counting in _open:
        counting.hear(name, n)


# --- libraries that count queries


def _sqlalchemy() -> Callable[[], object] | None:
    """Have every SQLAlchemy engine tell of its queries; None where there is no SQLAlchemy so far."""
    engine: Any = getattr(sys.modules.get("sqlalchemy.engine"), "Engine", None)
    event: Any = sys.modules.get("sqlalchemy.event")
    if engine is None or not hasattr(event, "listen"):
        return None
    event.listen(engine, "before_cursor_execute", _query)
    return lambda: event.remove(engine, "before_cursor_execute", _query)


def _django() -> Callable[[], object] | None:
    """Have every Django cursor tell of its queries; None where there is no Django so far, or it is not configured.

    `connection.execute_wrapper` would reach the connections of this thread only, and asynchronous views use others.
    """
    settings: Any = getattr(sys.modules.get("django.conf"), "settings", None)
    cursor: Any = getattr(sys.modules.get("django.db.backends.utils"), "CursorWrapper", None)
    if settings is None or cursor is None or not settings.configured:
        return None
    originals = {name: vars(cursor)[name] for name in ("execute", "executemany", "callproc")}
    for name, original in originals.items():
        setattr(cursor, name, _telling(original))

    def stop() -> None:
        for name, original in originals.items():
            setattr(cursor, name, original)

    return stop


def _telling(method: Callable[..., object]) -> Callable[..., object]:
    @wraps(method)
    def execute(*args: object, **kwargs: object) -> object:
        _query()
        return method(*args, **kwargs)

    return execute


def _query(*_: object) -> None:
    _tell(QUERIES, 1)


_LIBRARIES = {"SQLAlchemy": _sqlalchemy, "Django": _django}
