"""Fresh processes, timed from spawn to exit: real ones, but nothing here depends on how fast they are."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import threading
import time
from math import inf
from pathlib import Path
from typing import Any

import pytest

from pytest_reliability.latency import cold
from pytest_reliability.latency.budget import BudgetError
from pytest_reliability.latency.cold import ColdStartFailed, ColdStarts

accounted = pytest.mark.skipif(not cold.ACCOUNTED, reason="this system does not tell what a single process has used")


def soon(seconds: float = 60.0) -> float:
    """A deadline."""
    return time.perf_counter() + seconds


def python(code: str, **options: Any) -> ColdStarts:
    """Fresh interpreters that run this code, on a host that tells nothing about waiting unless said otherwise."""
    return ColdStarts([sys.executable, "-c", code], **{"proc": Path("nowhere"), **options})


@pytest.fixture(params=[pytest.param(True, marks=accounted), False], ids=["accounted", "plain"])
def system(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Systems that tell what a process has used, and those that do not."""
    monkeypatch.setattr(cold, "ACCOUNTED", request.param)
    return request.param


@pytest.fixture(params=[True, False], ids=["group", "single"])
def groups(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Systems on which a process can be killed with all that it started, and those where it alone can."""
    if request.param and not hasattr(os, "killpg"):
        pytest.skip("this system has no process groups")
    if not request.param:
        monkeypatch.delattr(os, "killpg", raising=False)
    return request.param


def test_each_sample_is_a_fresh_process(system):
    """From spawn to exit, in seconds; the result is what the last one wrote."""
    starts = python("import os, time; time.sleep(0.05); print(os.getpid())")
    assert (False, None) == (starts.returned, starts.result)
    first = starts.draw(1, soon())
    pid = starts.result
    assert 3 == len(first + starts.draw(2, soon()))
    assert (True, True) == (starts.returned, pid != starts.result)
    assert all(0.05 <= sample < 60.0 for sample in first)
    assert (3, 0, False, 1, None) == (starts.measured, starts.set_aside, starts.too_busy, starts.chunk, starts.intervals)
    assert ("", ()) == (starts.doubt, starts.notes)
    starts.forget()
    assert 0 == starts.measured


def test_the_clock_is_read_before_the_spawn_and_after_the_end():
    """The difference of two readings is the sample, whatever the readings are."""
    readings = iter([0.0, 0.0, 50.0, 50.25])  # two of them for the deadline
    starts = python("pass", clock=lambda: next(readings))
    assert [0.25] == starts.draw(1, 60.0)


def test_a_process_runs_where_and_with_what_it_is_told(tmp_path):
    """Its folder, its environment; nothing to read."""
    code = "import os, sys; print(os.getcwd(), os.environ['WHO'], repr(sys.stdin.read()))"
    starts = python(code, cwd=tmp_path, env={**os.environ, "WHO": "me"})
    starts.draw(1, soon())
    assert f"{tmp_path.resolve()} me ''\n" == starts.result


def test_an_attribute_is_imported_and_called(tmp_path, monkeypatch):
    """By a fresh interpreter with the sys.path of this one, in the folder of the tests, without arguments of ours."""
    package = tmp_path / "sources" / "shop"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "app.py").write_text("import sys\nclass Factory:\n    @staticmethod\n    def create(): print(sys.argv)\n")
    monkeypatch.syspath_prepend(tmp_path / "sources")
    starts = ColdStarts("shop.app:Factory.create", cwd=tmp_path)
    starts.draw(1, soon())
    assert "['-c']\n" == starts.result


def test_an_attribute_keeps_the_environment_it_is_given(tmp_path, monkeypatch):
    """The module is found all the same; an entry of sys.path that stands for the current folder stays that folder."""
    (tmp_path / "who.py").write_text("import os\ndef print_it(): print(os.environ['WHO'])\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", ["", *sys.path])
    starts = ColdStarts("who:print_it", cwd="/", env={**os.environ, "WHO": "me"})
    starts.draw(1, soon())
    assert "me\n" == starts.result


@pytest.mark.parametrize(
    "target", ["python -m checkout", "checkout", "checkout:", ":main", "checkout:a b", "a.class:b", "a:b;c", ""]
)
def test_a_text_that_is_no_attribute_is_refused(target):
    """With what to write: an attribute, or a list."""
    with pytest.raises(BudgetError, match=r'is no module:attribute; write "checkout.app:create_app", or a command as a list'):
        ColdStarts(target)


@pytest.mark.parametrize("target", [[], ["sleep", 1], (None,)])
def test_a_command_is_a_sequence_of_texts(target):
    """At least one."""
    with pytest.raises(BudgetError, match=r"is no command; write it as texts, such as \[sys.executable"):
        ColdStarts(target)


def test_a_process_that_fails_raises_with_what_it_said(system):
    """The end of its stderr: the traceback's last lines are what helps."""
    code = "import sys; [print('line', n, file=sys.stderr) for n in range(100)]; sys.exit(3)"
    starts = python(code)
    with pytest.raises(ColdStartFailed, match=r"ended with status 3\nline 80\n(line \d+\n)+line 99$"):
        starts.draw(1, soon())
    assert isinstance(starts.error, ColdStartFailed)


def test_a_process_that_fails_is_infinite_where_that_is_tolerated():
    """And counts."""
    starts = python("import sys; sys.exit('no database')", tolerate_errors=True)
    assert ([inf, inf], 2, False) == (starts.draw(2, soon()), starts.measured, starts.returned)
    assert str(starts.error).endswith("ended with status 1\nno database")


@pytest.mark.parametrize("tolerate_errors", [False, True])
def test_a_command_that_is_not_there_always_raises(tolerate_errors):
    """It is the test that is wrong, not the program that is slow."""
    with pytest.raises(ColdStartFailed, match=r"^no-such-command --fast cannot be started: .*no-such-command"):
        ColdStarts(["no-such-command", "--fast"], tolerate_errors=tolerate_errors).draw(1, soon())


def test_much_output_hinders_nobody():
    """A pipe would fill up at 64 KiB."""
    starts = python("import sys; print('x' * 1_000_000); print('y' * 1_000_000, file=sys.stderr)")
    starts.draw(1, soon())
    assert 1_000_001 == len(starts.result)


def test_output_that_is_no_text_is_read_as_well_as_can_be():
    """Whatever the locale says."""
    starts = python("import sys; sys.stdout.buffer.write('é\\n'.encode() + b'\\xff')")
    starts.draw(1, soon())
    assert "é\n�" == starts.result


def test_a_process_that_hangs_is_killed(system, groups):
    """It is infinite, even where no process may fail, and says why."""
    starts = python("import time; time.sleep(600)", clock=lambda: 0.0)
    assert [inf] == starts.draw(1, 0.2)
    assert "was killed after 0.2 s" in str(starts.error)
    assert (1, False) == (starts.measured, starts.returned)


@pytest.mark.skipif(not hasattr(os, "killpg"), reason="this system has no process groups")
def test_what_a_hanging_process_started_is_killed_with_it(tmp_path):
    """A server's workers must not outlive the test: the lock that one of them holds is free again."""
    import fcntl

    lock, ready = tmp_path / "lock", tmp_path / "ready"
    worker = (
        f"import fcntl, pathlib, time; lock = open({str(lock)!r}, 'w'); fcntl.flock(lock, fcntl.LOCK_EX); "
        f"pathlib.Path({str(ready)!r}).touch(); time.sleep(600)"
    )
    starts = python(f"import subprocess, sys; subprocess.run([sys.executable, '-c', {worker!r}])")
    samples: list[float] = []
    drawing = threading.Thread(target=lambda: samples.extend(starts.draw(2, soon())))
    drawing.start()
    while not ready.exists():
        time.sleep(0.01)
    starts._stop()
    drawing.join(60.0)
    with lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
    assert [inf] == samples


def test_none_is_killed_for_having_begun_late():
    """Just before the deadline a process gets as much time as the first one had."""
    starts = python("import time; time.sleep(0.3)", clock=lambda: 0.0)
    starts.draw(1, 60.0)
    assert [0.0] == starts.draw(1, 0.01)
    assert starts.error is None


def test_a_process_may_have_all_the_time_that_it_needs():
    """Where nothing is judged there is no deadline."""
    starts = python("print('done')")
    assert 1 == len(starts.draw(1, inf))
    assert "done\n" == starts.result


def test_past_the_deadline_none_is_started():
    """Fewer samples are no samples made up."""
    starts = python("pass")
    assert ([], 0) == (starts.draw(5, soon(-1.0)), starts.measured)


# What the host did


class Told(ColdStarts):
    """Fresh processes on a host that kept each of them waiting for so long."""

    def __init__(self, waited: float, **options: Any) -> None:
        super().__init__([sys.executable, "-c", "pass"], **options)
        self.waited = waited

    def _run(self, out: Any, errors: Any) -> Any:
        ended = super()._run(out, errors)
        return cold._Ended(ended.status, ended.killed, ended.seconds, ended.cpu, self.waited * ended.seconds)


def test_waiting_for_a_processor_is_left_out():
    """Others cause it; how much it was is told, from a hundredth of the time on, until measuring starts afresh."""
    readings = iter([0.0, 0.0, 50.0, 58.0])
    starts = Told(0.25, clock=lambda: next(readings))
    assert [6.0] == starts.draw(1, 60.0)
    assert ("25% of the time, in which a processor was waited for, is left out",) == starts.notes
    starts.forget()
    assert () == starts.notes
    starts = Told(0.01)
    starts.draw(1, soon())
    assert () == starts.notes


@accounted
def test_processor_time_is_not_for_others_to_add_to():
    """So nothing is left out of it; sleeping costs nothing, what a child of it used does count."""
    starts = python("import time; time.sleep(0.6)", cpu=True)
    sample = starts.draw(1, soon())[0]
    assert 0.0 < sample < 0.5
    starts = Told(0.5, cpu=True)
    starts.draw(1, soon())
    assert () == starts.notes
    burn = "import time\nwhile time.process_time() < 0.5: pass"
    (sample,) = python(f"import subprocess, sys; subprocess.run([sys.executable, '-c', {burn!r}])", cpu=True).draw(1, soon())
    assert 0.5 <= sample


def test_processor_time_cannot_be_had_everywhere(monkeypatch):
    """The message says what to leave out."""
    monkeypatch.setattr(cold, "ACCOUNTED", False)
    with pytest.raises(BudgetError, match="leave clock= out"):
        python("pass", cpu=True)


@accounted
@pytest.mark.skipif(not Path("/proc/self/schedstat").exists(), reason="this system does not tell how long a process waited")
def test_linux_tells_how_long_a_process_had_to_wait(monkeypatch):
    """Read from the process itself, after its end and before it is forgotten."""
    readings: list[float | None] = []
    original = cold.waited

    def reading(process: Path) -> float | None:
        readings.append(original(process))
        return readings[-1]

    monkeypatch.setattr(cold, "waited", reading)
    starts = ColdStarts([sys.executable, "-c", "pass"])
    starts.draw(1, soon())
    assert starts.guarded
    assert 2 == len([waited for waited in readings if waited is not None and 0.0 <= waited < 60.0])


def test_where_nobody_tells_the_guard_is_off(tmp_path):
    """And the sample stays."""
    starts = ColdStarts([sys.executable, "-c", "pass"], proc=tmp_path)
    assert (False, 1) == (starts.guarded, len(starts.draw(1, soon())))


# Ending early, and in an event loop


def test_an_interrupt_ends_the_process(system, monkeypatch):
    """Ctrl-C leaves none behind."""
    killed: list[int] = []

    def interrupted(process: cold._Process, *_: Any) -> Any:
        killed.append(process._popen.pid)
        raise KeyboardInterrupt

    monkeypatch.setattr(cold._Process, "end", interrupted)
    with pytest.raises(KeyboardInterrupt):
        python("import time; time.sleep(600)").draw(1, soon())
    with pytest.raises(OSError):
        os.kill(killed[0], 0)


def test_a_process_that_has_ended_is_not_killed(system, monkeypatch):
    """Its number may be somebody else's by then."""
    starts = python("pass")
    processes: list[cold._Process] = []
    end = cold._Process.end

    def noted(process: cold._Process, *arguments: Any) -> Any:
        processes.append(process)
        return end(process, *arguments)

    monkeypatch.setattr(cold._Process, "end", noted)
    starts.draw(1, soon())
    processes[0].kill()
    assert not processes[0]._killed


def test_a_loop_goes_on_meanwhile():
    """The process is waited for in a thread."""
    starts = python("import time; time.sleep(0.2); print('done')")

    async def test() -> tuple[list[float], int]:
        drawing = asyncio.ensure_future(starts.draw_async(1, soon()))
        turns = 0
        while not drawing.done():
            await asyncio.sleep(0.01)
            turns += 1
        return await drawing, turns

    samples, turns = asyncio.run(test())
    assert (1, "done\n") == (len(samples), starts.result)
    assert turns > 2


def test_a_cancelled_test_ends_its_process():
    """The thread that waits for it ends as well, and starts no other."""
    starts = python("import time; time.sleep(600)")

    async def test() -> None:
        await asyncio.wait_for(starts.draw_async(5, soon()), 0.5)

    with pytest.raises(asyncio.TimeoutError):
        asyncio.run(test())
    assert starts.measured <= 1
    assert [] == starts.draw(1, soon())


def test_nothing_runs_that_could_be_ended():
    """Cancelled before the first process there is none to kill, and none is started."""
    starts = python("pass")
    starts._stop()
    assert [] == starts.draw(1, soon())


def test_a_process_that_is_just_being_started_is_ended_too(monkeypatch):
    """Whoever cancelled could not see it yet."""
    starts = python("import time; time.sleep(600)")
    popen = subprocess.Popen

    def cancelled(*arguments: Any, **options: Any) -> subprocess.Popen[bytes]:
        starts._stop()
        return popen(*arguments, **options)

    monkeypatch.setattr(cold.subprocess, "Popen", cancelled)
    assert [inf] == starts.draw(2, soon())


def test_trio_waits_through_anyio():
    """In a thread too."""
    trio = pytest.importorskip("trio", reason="trio is not installed")
    pytest.importorskip("anyio", reason="anyio is not installed")
    starts = python("print('done')")
    assert 1 == len(trio.run(starts.draw_async, 1, soon()))
    assert "done\n" == starts.result


def test_another_loop_needs_anyio(monkeypatch):
    """Where nobody has imported it, the message says so."""
    monkeypatch.delitem(sys.modules, "anyio", raising=False)
    with pytest.raises(RuntimeError, match="write: import anyio"):
        python("pass").draw_async(1, soon()).send(None)


def test_no_timer_is_left():
    """One for each process, gone with it."""
    python("pass").draw(2, soon())
    for timer in [thread for thread in threading.enumerate() if isinstance(thread, threading.Timer)]:
        timer.join(10.0)
        assert not timer.is_alive()
