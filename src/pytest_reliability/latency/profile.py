"""Where the time of one extra call goes: what to look at once a budget is broken.

The measured calls are never profiled. Time is told for the user's own functions, with what they called in brackets: a
library is slow because of how it is called, and the call is what can be changed. pyinstrument is used where it is
installed: it samples, knows the line, and follows `await`. Otherwise cProfile counts, function by function.
"""

from __future__ import annotations

import os
import re
import sys
import sysconfig
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import suppress
from functools import lru_cache
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

if TYPE_CHECKING:
    import cProfile

    import pyinstrument

MOST_LINES = 5
LEAST_SHARE = 0.01

LOOKS = 50
LEAST_INTERVAL = 2e-4
"""How often to look at the stack during a call, and the least seconds between two looks. A look takes about a tenth of a
millisecond where the stack is deep: looking all the time would show nothing but that."""

ENOUGH_TO_SAMPLE = LOOKS * LEAST_INTERVAL
"""A call that takes less is counted rather than sampled: there would be too few samples to tell anything."""

OCCUPIED = ("no profile: another profiler is running",)

WAITING = "waiting"
WAITING_FOR_THREAD = "waiting for another thread"
_DEEPEST = 500
"""Steps from a function up to the user's. Where libraries call each other in circles, time goes round for a while."""

_THIS = __file__
_OURS = str(Path(__file__).parents[1]) + os.sep
_STANDARD = tuple({sysconfig.get_path("stdlib"), sysconfig.get_path("platstdlib")})
_INSTALLED = re.compile(r".*[/\\](?:site|dist)-packages[/\\]", re.DOTALL)
_PROFILER = re.compile(r"[/\\]pyinstrument[/\\]")
_LOOP_STEP = re.compile(r"[/\\](?:asyncio[/\\]events|trio[/\\]_core[/\\]_run)\.py$")
_LOOP_FILE = re.compile(r"[/\\](?:asyncio|trio)[/\\]")
_THREADS = re.compile(r"[/\\](?:threading|queue|concurrent[/\\]futures[/\\]\w+)\.py$")
_BUILT_IN = re.compile(r"<(?:built-in method (?:builtins\.)?(.+)|method '(.+)' of '(.+)' objects)>")


class Frame(NamedTuple):
    """A function as a profiler saw it. `line` is where it was, or where it begins; built-in functions have no file."""

    file: str
    line: int
    function: str


_LOOP = Frame("", 0, "waiting in the event loop (pyinstrument would tell for what)")


class Spent(NamedTuple):
    """Seconds in a function of the user, by itself or in what it called: `callee`."""

    frame: Frame
    callee: str
    seconds: float


class _Backend(Protocol):
    def start(self) -> None: ...

    def stop(self) -> None: ...

    def spent(self) -> Iterable[Spent]: ...


def profile_call(
    function: Callable[[], object], took: float = inf, *, least: float = 0.0, clock: Callable[[], float] = time.perf_counter
) -> tuple[str, ...]:
    """Call `function` once and say where the time went, the most first: "61% db.py:88 fetch_cart".

    Shares are of the time that the call took, waiting included. `took` is how many seconds a call takes, as far as that
    is known. Nothing is told of a call that takes less than `least`, by the `clock`. An exception of the call is no matter
    here: what was seen until then is told.
    """
    if (backend := _started(took)) is None:
        return OCCUPIED
    begun = clock()
    try:
        function()
    except Exception:
        pass  # the verdict is known already; and `suppress` would be among what the profiler sees
    finally:
        backend.stop()
    return _lines(backend.spent()) if clock() - begun >= least else ()


async def profile_call_async(
    function: Callable[[], Awaitable[object]],
    took: float = inf,
    *,
    least: float = 0.0,
    clock: Callable[[], float] = time.perf_counter,
) -> tuple[str, ...]:
    """The same for a function whose result is awaited, in the loop that runs already."""
    if (backend := _started(took)) is None:
        return OCCUPIED
    begun = clock()
    try:
        await function()
    except Exception:
        pass  # the verdict is known already; and `suppress` would be among what the profiler sees
    finally:
        backend.stop()
    return _lines(backend.spent()) if clock() - begun >= least else ()


def _started(took: float) -> _Backend | None:
    """A profiler at work; None beside another one, whose place some would take without a word."""
    if sys.getprofile() is not None:
        return None
    backend = _backend(took)
    try:
        backend.start()
    except (RuntimeError, ValueError):
        return None
    return backend


def _backend(took: float) -> _Backend:
    if took >= ENOUGH_TO_SAMPLE:
        with suppress(ImportError):
            import pyinstrument

            interval = 1e-3 if took == inf else took / LOOKS
            return _Sampled(pyinstrument.Profiler(interval=interval, async_mode="enabled"))
    import cProfile

    return _Counted(cProfile.Profile())


class _Sampled:
    """pyinstrument: stacks, with the lines that are executed."""

    def __init__(self, profiler: pyinstrument.Profiler) -> None:
        self._profiler = profiler
        self._records: Sequence[tuple[list[str], float]] = ()

    def start(self) -> None:
        self._profiler.start()

    def stop(self) -> None:
        self._records = self._profiler.stop().frame_records

    def spent(self) -> Iterable[Spent]:
        for stack, seconds in self._records:
            yield from _charged_sample([_frame(info) for info in stack], seconds)


class _Counted:
    """cProfile: how long each function took, and which others called it."""

    def __init__(self, profiler: cProfile.Profile) -> None:
        self._profiler = profiler

    def start(self) -> None:
        self._profiler.enable()

    def stop(self) -> None:
        self._profiler.disable()

    def spent(self) -> Iterable[Spent]:
        return _charged_counts(self._profiler.getstats())


def _frame(info: str) -> Frame:
    """What pyinstrument notes of a frame: function, file and first line, then attributes, `l88` for the line it is at."""
    identifier, *attributes = info.split("\x01")
    function, file, line = (*identifier.split("\x00"), "", "0")[:3]
    line = next((attribute[1:] for attribute in attributes if attribute.startswith("l")), line)
    return Frame("" if file.startswith("<") else file, int(line), function)


def _charged_sample(stack: Sequence[Frame], seconds: float) -> Iterable[Spent]:
    """Charge the time of one stack to its innermost function of the user; to the outermost of all where there is none."""
    within = [frame for frame in stack[_begin(stack) :] if not _is_ours(frame)]
    if within:
        place = next((index for index in reversed(range(len(within))) if _is_users(within[index])), 0)
        callee = _spelled(*within[place : place + 2]) if place + 1 < len(within) else ""
        yield Spent(within[place], WAITING_FOR_THREAD if _waits_for_thread(within[place + 1 :]) else callee, seconds)


def _waits_for_thread(callees: Sequence[Frame]) -> bool:
    """Whether a library waits for another thread, as a test client does that runs a server there.

    Whoever waits by a call of their own knows that, and its name tells more.
    """
    files = [frame.file for frame in callees if frame.file]
    return bool(files) and not _THREADS.search(files[0]) and _THREADS.search(files[-1]) is not None


def _begin(stack: Sequence[Frame]) -> int:
    """Where the call begins: after our frame, or after the loop's in a task that it has started."""
    places = reversed(range(len(stack)))
    return next((place + 1 for place in places if stack[place].file == _THIS or _LOOP_STEP.search(stack[place].file)), 0)


def _spelled(caller: Frame, callee: Frame) -> str:
    """The name of what was called, as the calling line spells it if it does: "time.sleep"."""
    import linecache

    if callee.function == "[await]":
        return WAITING
    line = linecache.getline(caller.file, caller.line)
    call = re.search(rf"(?:[A-Za-z_][\w.]*\.)?\b{re.escape(callee.function)}(?=\s*\()", line)
    return call[0] if call else _name(callee)


def _charged_counts(entries: Iterable[Any]) -> Iterable[Spent]:
    """Charge what each function took by itself to the functions of the user that it was called from.

    Where a library was called from several places, in proportion to how long those calls took.
    """
    charged: dict[tuple[Frame, str], float] = defaultdict(float)
    moving: dict[Frame, float] = defaultdict(float)
    callers: dict[Frame, dict[Frame, float]] = defaultdict(lambda: defaultdict(float))
    for entry in entries:
        caller = _counted(entry.code)
        if _is_users(caller):
            charged[caller, ""] += entry.inlinetime
        elif not _is_ours(caller):
            moving[caller] += entry.inlinetime
        for call in entry.calls or ():
            callee = _counted(call.code)
            if callee != caller and caller.file != _THIS:
                callers[callee][caller] += call.totaltime + sys.float_info.min
    for _ in range(_DEEPEST):
        moving = _moved(moving, callers, charged)
    return (Spent(frame, callee, seconds) for (frame, callee), seconds in charged.items())


def _moved(
    moving: dict[Frame, float], callers: dict[Frame, dict[Frame, float]], charged: dict[tuple[Frame, str], float]
) -> dict[Frame, float]:
    """Take time one step up, from each function to its callers. It stays where the user, or nobody known, is the caller."""
    further: dict[Frame, float] = defaultdict(float)
    for frame, seconds in moving.items():
        if frame not in callers:
            charged[_LOOP if _LOOP_FILE.search(frame.file) else frame, ""] += seconds
            continue
        total = sum(callers[frame].values())
        for caller, weight in callers[frame].items():
            if _is_users(caller):
                charged[caller, "" if _is_ours(frame) else _name(frame)] += seconds * weight / total
            else:
                further[caller] += seconds * weight / total
    return further


def _counted(code: Any) -> Frame:
    """What cProfile notes of a function: its code, or a text such as "<built-in method time.sleep>"."""
    if isinstance(code, str):
        built_in = _BUILT_IN.fullmatch(code)
        return Frame("", 0, code if built_in is None else built_in[1] or f"{built_in[3]}.{built_in[2]}")
    return Frame(code.co_filename, code.co_firstlineno, code.co_name)


def _is_ours(frame: Frame) -> bool:
    """Whether it is this package's, or the profiler's."""
    return frame.file.startswith(_OURS) or _PROFILER.search(frame.file) is not None or frame.function.startswith("_lsprof.")


@lru_cache(maxsize=4096)
def _is_users(frame: Frame) -> bool:
    """Whether it is neither Python's nor an installed package's."""
    library = frame.file.startswith((*_STANDARD, "<")) or _INSTALLED.match(frame.file)
    return bool(frame.file) and not library and not _is_ours(frame)


def _lines(spent: Iterable[Spent]) -> tuple[str, ...]:
    """The places in words; of a function that was seen at several lines, the one where it was longest.

    Shares are of all that was seen rather than of what a clock says, so that the profiler's own start and end are no part.
    """
    places = _places(spent)
    sums = {frame: sum(callees.values()) for frame, callees in places.items()}
    lasted = sum(sums.values()) or 1.0
    shares = sorted(((seconds / lasted, frame) for frame, seconds in sums.items()), reverse=True)
    told = [(share, frame) for share, frame in shares if share >= LEAST_SHARE] or shares[:1]
    most = {frame: max(callees, key=callees.__getitem__) for frame, callees in places.items()}
    return tuple(
        f"{share:.0%} {_place(frame)}" + (f" ({most[frame]})" if most[frame] else "") for share, frame in told[:MOST_LINES]
    )


def _places(spent: Iterable[Spent]) -> dict[Frame, dict[str, float]]:
    """The seconds at each place, by what was called from there.

    The same call at several lines is one place, where it was longest; all calls of one line are another.
    """
    calls: dict[tuple[str, str, str], dict[int, float]] = defaultdict(lambda: defaultdict(float))
    for (file, line, function), callee, seconds in spent:
        calls[file, function, callee][line] += seconds
    places: dict[Frame, dict[str, float]] = defaultdict(dict)
    for (file, function, callee), lines in calls.items():
        places[Frame(file, max(lines, key=lines.__getitem__), function)][callee] = sum(lines.values())
    return places


def _place(frame: Frame) -> str:
    return f"{_short(frame.file)}:{frame.line} {frame.function}" if frame.file else frame.function


def _name(frame: Frame) -> str:
    """What a function is called by those who import it, as far as that shows: "json.dumps"."""
    package = re.split(r"[/\\]", _short(frame.file))[0].removesuffix(".py")
    return f"{package}.{frame.function}" if package else frame.function


def _short(file: str) -> str:
    """A path as people name it: from the repository on, or from where packages are installed on."""
    for folder in (str(Path.cwd()), *_STANDARD):
        if file.startswith(folder + os.sep) and not _INSTALLED.match(file):
            return file[len(folder) + 1 :]
    return _INSTALLED.sub("", file)
