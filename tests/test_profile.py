"""Where the time of a call went, told by either profiler, and what happens where neither can tell."""

from __future__ import annotations

import asyncio
import cProfile
import functools
import json
import sys
import threading
import time

import pytest

from pytest_reliability.latency import profile
from pytest_reliability.latency.profile import OCCUPIED, Frame, profile_call, profile_call_async

HERE = "tests/test_profile.py"


@pytest.fixture(params=["pyinstrument", "cProfile"])
def backend(request, monkeypatch):
    """The profiler that is used; pyinstrument is hidden for the other."""
    if request.param == "cProfile":
        monkeypatch.setitem(sys.modules, "pyinstrument", None)
    monkeypatch.chdir(request.config.rootpath)
    return request.param


def shares(lines):
    """The lines without their line numbers, with the shares as numbers."""
    found = {}
    for line in lines:
        share, _, place = line.partition("% ")
        file, _, rest = place.partition(":")
        found[f"{file} {rest.partition(' ')[2]}" if rest else file] = int(share)
    return found


def wait():
    """Wait by a function of the standard library."""
    time.sleep(0.1)


def compute():
    """Be busy, in a function of our own."""
    until = time.perf_counter() + 0.02
    number = 0
    while time.perf_counter() < until:
        number = number * 7 % 11 + 1


def work():
    """Most of it is waiting."""
    wait()
    compute()


def sleep_again_and_again():
    """Nothing but sleep."""
    for _ in range(5):
        time.sleep(0.01)


async def wait_async():
    """Let the loop go on meanwhile."""
    await asyncio.sleep(0.1)


async def work_async():
    """The same where waiting is awaited."""
    await wait_async()
    compute()


def test_time_is_told_where_the_user_can_change_it(backend):
    """The function that waits, with what it called as it is spelled there, and the one that is busy by itself."""
    found = shares(profile_call(work))
    assert 15 <= found[f"{HERE} wait (time.sleep)"] <= 98
    busy = sum(share for place, share in found.items() if place.startswith(f"{HERE} compute"))
    assert 2 <= busy <= 85


def test_a_line_can_be_found(backend):
    """pyinstrument knows the line that was executed, cProfile where the function begins."""
    (line,) = (line for line in profile_call(work) if "time.sleep" in line)
    number = wait.__code__.co_firstlineno + (2 if backend == "pyinstrument" else 0)
    assert f"{HERE}:{number} wait (time.sleep)" == line.partition("% ")[2]


def test_an_exception_of_the_call_does_not_matter(backend):
    """The verdict is known already; what was seen until then is told."""

    def fail():
        wait()
        raise ValueError("no")

    assert f"{HERE} wait (time.sleep)" in shares(profile_call(fail))


def test_an_interruption_is_not_swallowed(backend):
    """Whoever presses Ctrl-C means it, and the profiler has stopped by then."""

    def interrupt():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        profile_call(interrupt)
    assert sys.getprofile() is None


def test_to_await_something_that_nobody_computes_is_waiting():
    """An answer that the event loop brings, say; only pyinstrument tells who waits."""
    pytest.importorskip("pyinstrument")

    async def wait_for_answer() -> None:
        answer = asyncio.get_running_loop().create_future()
        asyncio.get_running_loop().call_later(0.05, answer.set_result, None)
        await answer

    (line, *_) = asyncio.run(profile_call_async(wait_for_answer))
    assert line.endswith("wait_for_answer (waiting)")


def test_the_most_comes_first():
    """Added up for a function and what it called; the line is the one where it was longest."""
    here, there = Frame("/srv/a.py", 3, "a"), Frame("/srv/b.py", 9, "b")
    spent = [
        profile.Spent(here, "", 0.2),
        profile.Spent(there, "time.sleep", 0.3),
        profile.Spent(there._replace(line=11), "time.sleep", 0.4),
        profile.Spent(here, "json.dumps", 0.005),
    ]
    assert ("77% /srv/b.py:11 b (time.sleep)", "23% /srv/a.py:3 a") == profile._lines(spent)


def test_a_function_has_one_line_where_none_of_its_lines_is_known():
    """With all of its time, and what it called for the longest; lines that are known stay apart."""
    search = Frame("/srv/shop.py", 33, "search")
    spent = [
        profile.Spent(search, "", 0.1),
        profile.Spent(search, "sqlalchemy.scalars", 0.4),
        profile.Spent(search, "sqlalchemy.__eq__", 0.2),
        profile.Spent(search._replace(line=35), "time.sleep", 0.3),
    ]
    expected = ("70% /srv/shop.py:33 search (sqlalchemy.scalars)", "30% /srv/shop.py:35 search (time.sleep)")
    assert expected == profile._lines(spent)


def test_a_call_that_was_too_quick_tells_nothing(backend):
    """By the clock that is given."""
    times = iter([1.0, 1.1, 2.0, 2.2])
    clock = functools.partial(next, times)
    assert () == profile_call(compute, least=0.15, clock=clock)
    assert () != profile_call(compute, least=0.15, clock=clock)
    times = iter([1.0, 1.1, 2.0, 2.2])
    assert () == asyncio.run(profile_call_async(work_async, least=0.15, clock=lambda: next(times)))
    assert () != asyncio.run(profile_call_async(work_async, least=0.15, clock=lambda: next(times)))


def test_a_library_that_waits_for_another_thread_is_told():
    """A test client does, whose server runs there. Whoever waits by a call of their own sees the name of that."""
    user, lock = Frame("/srv/a.py", 1, "a"), Frame("", 0, "acquire")
    client = Frame("/srv/lib/site-packages/httpx/_client.py", 1053, "get")
    wait = Frame(threading.__file__, 359, "wait")
    stacks = [[user, client, wait, lock], [client, client, wait], [user, wait, lock], [user, client, lock], [user, lock], [user]]
    callees = [place.callee for stack in stacks for place in profile._charged_sample(stack, 1.0)]
    assert [profile.WAITING_FOR_THREAD] * 2 + ["threading.wait", "httpx.get", "acquire", ""] == callees


def test_at_most_five_places_are_told(backend):
    """The rest is not worth looking at first."""

    namespace = {}
    for index in range(8):
        exec(compile(f"def step{index}(wait):\n    wait(0.01)\n", f"/work/steps{index}.py", "exec"), namespace)

    def all_of_them():
        for index in range(8):
            namespace[f"step{index}"](time.sleep)

    assert 5 == len(profile_call(all_of_them))


def test_a_call_within_a_library_is_told_as_such(backend):
    """Where no function of the user's takes part, the outermost one is named, by its place in the library."""
    lines = profile_call(functools.partial(json.dumps, [list(range(200_000))] * 2))
    assert lines[0].partition("% ")[2].startswith("json/__init__.py:")
    assert "dumps" in lines[0]


def test_awaited_time_is_told(backend):
    """pyinstrument charges it to whoever awaits; cProfile sees the loop waiting, and says so."""
    lines = asyncio.run(profile_call_async(work_async))
    awaited = f"{HERE} wait_async (asyncio.sleep)"
    waiting = awaited if backend == "pyinstrument" else "waiting in the event loop (pyinstrument would tell for what)"
    assert 15 <= shares(lines)[waiting] <= 98
    assert any(place.startswith(f"{HERE} compute") for place in shares(lines))


def test_tasks_that_the_call_starts_are_told(backend):
    """Their stacks begin in the loop rather than in the call."""

    async def gather():
        await asyncio.gather(work_async(), work_async())

    lines = asyncio.run(profile_call_async(gather))
    assert not [line for line in lines if "_run_once" in line or "[await]" in line]
    assert any(place.startswith(f"{HERE} compute") for place in shares(lines))


def test_an_awaited_exception_does_not_matter(backend):
    """The same as for a call."""

    async def fail():
        compute()
        raise ValueError("no")

    assert any(place.startswith(f"{HERE} compute") for place in shares(asyncio.run(profile_call_async(fail))))


def test_what_it_takes_to_start_a_profiler_is_not_part_of_the_call(backend, monkeypatch):
    """The first time, pyinstrument is imported; a call that only sleeps has slept all the time nevertheless."""
    started = profile._started
    monkeypatch.setattr(profile, "_started", lambda took: (time.sleep(0.3), started(took))[1])
    share, place = profile_call(sleep_again_and_again)[0].split("% ")
    assert (True, True) == (int(share) >= 95, place.endswith("sleep_again_and_again (time.sleep)"))


def test_a_call_in_which_nothing_was_seen_has_no_profile():
    """Not even a share of nothing."""
    assert () == profile._lines([])
    assert ("0% /srv/a.py:3 a",) == profile._lines([profile.Spent(Frame("/srv/a.py", 3, "a"), "", 0.0)])


def test_another_profiler_is_left_alone(backend, monkeypatch):
    """Its data would be lost, and ours wrong; the call is not even made."""
    monkeypatch.setattr(sys, "getprofile", lambda: print)
    assert OCCUPIED == profile_call(lambda: pytest.fail("called"))
    assert OCCUPIED == asyncio.run(profile_call_async(lambda: pytest.fail("called")))


@pytest.mark.parametrize("error", [ValueError, RuntimeError])
def test_a_profiler_that_refuses_to_start_is_told(error, monkeypatch):
    """cProfile of Python 3.12 and pyinstrument notice each other themselves."""

    class Refusing:
        """A profiler beside another one."""

        def enable(self):
            """Refuse."""
            raise error

    monkeypatch.setattr(cProfile, "Profile", Refusing)
    assert OCCUPIED == profile_call(lambda: pytest.fail("called"), took=0.0)


def test_short_calls_are_counted(monkeypatch):
    """There would hardly be a sample. Without pyinstrument everything is counted."""
    assert isinstance(profile._backend(20e-6), profile._Counted)
    assert isinstance(profile._backend(0.02), profile._Sampled)
    monkeypatch.setitem(sys.modules, "pyinstrument", None)
    assert isinstance(profile._backend(0.02), profile._Counted)


def test_nothing_seen_is_nothing_told():
    """A call too short for any sample."""
    assert () == profile_call(int)


def test_time_in_a_library_goes_to_all_who_call_it():
    """In proportion to how long it took for each of them, through any number of steps, and round a circle."""

    class Code:
        """A code object, as far as it is looked at."""

        def __init__(self, file, name):
            self.co_filename, self.co_firstlineno, self.co_name = file, 1, name

    class Entry:
        """What cProfile says of a function, or of its calls from another."""

        def __init__(self, code, inline, *calls, total=0.0):
            self.code, self.inlinetime, self.totaltime, self.calls = code, inline, total, calls or None

    reading = "<method 'read' of 'io.Raw' objects>"
    lib = sys.modules["json"].__file__
    a, b = Code("/srv/a.py", "a"), Code("/srv/b.py", "b")
    outer, inner = Code(lib, "outer"), Code(lib, "inner")
    entries = [
        Entry(a, 1.0, Entry(outer, 0.0, total=3.0)),
        Entry(b, 0.0, Entry(outer, 0.0, total=1.0)),
        Entry(outer, 0.0, Entry(inner, 0.0, total=4.0), Entry(outer, 0.0, total=4.0)),
        Entry(inner, 4.0, Entry(reading, 0.0, total=2.0)),
        Entry(reading, 2.0),
        Entry("odd", 0.5),
        Entry(Code(profile.__file__, "profile_call"), 9.0, Entry(a, 0.0, total=9.0)),
    ]
    spent = {(place.frame.function, place.callee): place.seconds for place in profile._charged_counts(entries)}
    expected = {("a", ""): 1.0, ("b", ""): 0.0, ("a", "json.outer"): 4.5, ("b", "json.outer"): 1.5, ("odd", ""): 0.5}
    assert pytest.approx(expected) == spent


def test_our_own_functions_between_are_nobodys():
    """A wrapper of this package stands between the user and a library: the time is the user's own."""
    ours = Frame(profile.__file__.replace("profile.py", "dependency.py"), 3, "wrapper")
    user = Frame("/srv/a.py", 1, "a")
    charged = {}
    further = profile._moved({ours: 2.0}, {ours: {user: 1.0}}, profile.defaultdict(float, charged))
    assert {} == further
    (sample,) = profile._charged_sample([user, ours, Frame("", 0, "sleep")], 2.0)
    assert (user, "sleep") == (sample.frame, sample.callee)
    assert [] == list(profile._charged_sample([user, Frame(profile.__file__, 9, "profile_call"), ours], 2.0))


@pytest.mark.parametrize(
    ("file", "users"),
    [
        ("/srv/app/db.py", True),
        ("/srv/.venv/lib/python3.11/site-packages/httpx/_client.py", False),
        ("/usr/lib/python3/dist-packages/requests/api.py", False),
        (json.__file__, False),
        ("<string>", False),
        ("", False),
        (profile.__file__, False),
    ],
)
def test_whose_a_function_is(file, users):
    """Neither Python's, nor an installed package's, nor ours."""
    assert users is profile._is_users(Frame(file, 1, "f"))


@pytest.mark.parametrize(
    ("file", "short"),
    [
        ("/srv/app/db.py", "/srv/app/db.py"),
        ("/srv/.venv/lib/python3.11/site-packages/httpx/_client.py", "httpx/_client.py"),
        (json.__file__, "json/__init__.py"),
        ("", ""),
    ],
)
def test_paths_are_as_short_as_people_say_them(file, short):
    """From the repository on, or from where packages are installed on."""
    assert short == profile._short(file)
