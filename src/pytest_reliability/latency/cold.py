"""Cold starts: how long a fresh process takes from being spawned until it has ended.

Nothing is warm in it but the system's file cache: imports, connections and compiled templates are paid for, as they are after
each deployment, in each function that scales from zero, and whenever somebody types the command.
"""

from __future__ import annotations

import keyword
import os
import shlex
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from math import inf
from pathlib import Path
from typing import IO

from pytest_reliability.latency.budget import BudgetError
from pytest_reliability.latency.host import PROC, waited
from pytest_reliability.latency.load import imported_anyio, runs_asyncio
from pytest_reliability.latency.message import percent
from pytest_reliability.latency.source import Results

WORTH_NOTING = 0.01
"""The share of the time from which on it is told that processes had to wait for a processor."""

TAIL_LINES = 20
"""How much of what a failed process wrote is shown."""

ACCOUNTED = hasattr(os, "waitid") and hasattr(os, "wait4")
"""Whether the system tells what a single process has used."""


class ColdStartFailed(Exception):  # noqa: N818 (it is what became of a process, not an error of ours)
    """A fresh process could not be started, or did not end well. The message ends with what it wrote to stderr."""


class ColdStarts(Results):
    """Starts a fresh process for each sample, and waits for its end.

    `target` is a command as a sequence of texts, or "module:attribute", which a fresh interpreter imports and calls with the
    `sys.path` of this one. `cwd` and `env` are the process's, this process's own where they are None. Its result is what it
    wrote to stdout. With `cpu` a sample is the processor time that it used, the time of processes that it waited for included.

    A process that ends with another status than 0 is infinite where `tolerate_errors`, and raises ColdStartFailed otherwise.
    One that has not ended when the time for measuring is over is killed with all that it started, and is infinite; it gets as
    much time as the first one, so that none is killed for having begun late.

    Linux tells how long a process was ready to run and had to wait for a processor. That is other processes' doing, and is
    left out of its time. (How often it was preempted would say little: a short process is about as often on a quiet machine
    as on a busy one. And where every process is, none is left to judge.)
    """

    chunk = 1
    intervals: list[float] | None = None
    doubt = ""
    set_aside = 0
    too_busy = False

    def __init__(
        self,
        target: Sequence[str] | str,
        *,
        cwd: str | os.PathLike[str] | None = None,
        env: Mapping[str, str] | None = None,
        tolerate_errors: bool = False,
        cpu: bool = False,
        clock: Callable[[], float] = time.perf_counter,
        proc: Path = PROC,
    ) -> None:
        if cpu and not ACCOUNTED:
            raise BudgetError("this system does not tell the processor time of a single process; leave clock= out")
        self.error: Exception | None = None
        self.measured = 0
        self._command = _command(target)
        self._cwd = cwd
        self._env = _environment(env) if isinstance(target, str) else env
        self._tolerate_errors = tolerate_errors
        self._cpu = cpu
        self._clock = clock
        self._proc = proc
        self._patience = 0.0
        self._lasted = self._waited = 0.0
        self._running: _Process | None = None
        self._stopped = False

    @property
    def guarded(self) -> bool:
        """Whether anybody tells how long a process had to wait for a processor."""
        return ACCOUNTED and waited(self._proc / "self") is not None

    @property
    def notes(self) -> tuple[str, ...]:
        """How much of the time was left out, where it is worth noting."""
        if self._cpu or self._waited <= WORTH_NOTING * self._lasted:
            return ()
        return (f"{percent(self._waited / self._lasted)} of the time, in which a processor was waited for, is left out",)

    def draw(self, count: int, deadline: float) -> list[float]:
        """Start processes until there are `count` samples; fewer past the deadline."""
        self._patience = max(self._patience, deadline - self._clock())
        drawn: list[float] = []
        while len(drawn) < count and self._clock() < deadline and not self._stopped:
            drawn.append(self._sample())
        return drawn

    async def draw_async(self, count: int, deadline: float) -> list[float]:
        """The same in a thread, so that the loop that runs here goes on."""
        try:
            if runs_asyncio():
                import asyncio

                return await asyncio.to_thread(self.draw, count, deadline)
            to_thread = imported_anyio().to_thread
            drawn: list[float] = await to_thread.run_sync(self.draw, count, deadline, abandon_on_cancel=True)
            return drawn
        except BaseException:
            self._stop()
            raise

    def forget(self) -> None:
        """Start counting afresh: what was measured so far was warming up."""
        self.measured = 0
        self._lasted = self._waited = 0.0

    def _sample(self) -> float:
        """One process: its time, without end where it failed."""
        with _output() as out, _output() as errors:
            ended = self._run(out, errors)
            self.measured += 1
            if ended.status != 0:
                self._failed(ended, errors)
                return inf
            out.seek(0)
            self._result = out.read()
        self._lasted += ended.seconds
        self._waited += ended.waited
        return ended.cpu if self._cpu else ended.seconds - ended.waited

    def _run(self, out: IO[str], errors: IO[str]) -> _Ended:
        began = self._clock()
        try:
            popen = subprocess.Popen(
                self._command,
                cwd=self._cwd,
                env=self._env,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=errors,
                start_new_session=True,
            )
        except OSError as error:
            raise ColdStartFailed(f"{shlex.join(self._command)} cannot be started: {error}") from error
        process = self._running = _Process(popen)
        if self._stopped:  # just now, so that whoever said so has not seen it
            process.kill()
        timer = threading.Timer(min(self._patience, threading.TIMEOUT_MAX), process.kill)
        timer.daemon = True
        timer.start()
        try:
            return process.end(began, self._clock, self._proc)
        except BaseException:
            process.kill()
            popen.wait()
            raise
        finally:
            timer.cancel()

    def _failed(self, ended: _Ended, errors: IO[str]) -> None:
        """Keep why; raise it where no process may fail."""
        errors.seek(0)
        tail = errors.read().splitlines()[-TAIL_LINES:]
        how = f"was killed after {self._patience:.3g} s" if ended.killed else f"ended with status {ended.status}"
        self.error = ColdStartFailed("\n".join((f"{shlex.join(self._command)} {how}", *tail)))
        if not self._tolerate_errors and not ended.killed:
            raise self.error

    def _stop(self) -> None:
        """Start no more processes, and end the one that runs."""
        self._stopped = True
        if self._running:
            self._running.kill()


@dataclass(frozen=True, slots=True)
class _Ended:
    """How a process ended, and after how many seconds; for how many it used a processor, and waited for one."""

    status: int
    killed: bool
    seconds: float
    cpu: float = 0.0
    waited: float = 0.0


class _Process:
    """A process that may be killed, with all that it started, by another thread than the one that waits for its end.

    Its number is its own until somebody has reaped it, which is why that happens under a lock.
    """

    def __init__(self, popen: subprocess.Popen[bytes]) -> None:
        self._popen = popen
        self._lock = threading.Lock()
        self._killed = False

    def kill(self) -> None:
        """Kill it, if it still runs."""
        with self._lock:
            if self._popen.returncode is not None:
                return
            self._killed = True
            if hasattr(os, "killpg"):
                with suppress(ProcessLookupError, PermissionError):  # it has just ended
                    os.killpg(self._popen.pid, signal.SIGKILL)
            else:
                self._popen.kill()

    def end(self, began: float, clock: Callable[[], float], proc: Path) -> _Ended:
        """Wait for its end."""
        if not ACCOUNTED:
            status = self._popen.wait()
            return _Ended(status, self._killed, clock() - began)
        pid = self._popen.pid
        os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
        seconds = clock() - began
        kept_waiting = waited(proc / str(pid)) or 0.0
        with self._lock:
            _, status, usage = os.wait4(pid, 0)
            self._popen.returncode = os.waitstatus_to_exitcode(status)
        return _Ended(self._popen.returncode, self._killed, seconds, usage.ru_utime + usage.ru_stime, kept_waiting)


def _command(target: Sequence[str] | str) -> list[str]:
    """The command that a target stands for; BudgetError, saying what to write, where it stands for none."""
    if not isinstance(target, str):
        command = list(target)
        if not command or not all(isinstance(part, str) for part in command):
            raise BudgetError(f'{target!r} is no command; write it as texts, such as [sys.executable, "-m", "checkout"]')
        return command
    module, _, attribute = target.partition(":")
    names = [*module.split("."), *attribute.split(".")]
    if not all(name.isidentifier() and not keyword.iskeyword(name) for name in names):
        raise BudgetError(
            f'{target!r} is no module:attribute; write "checkout.app:create_app", '
            'or a command as a list, such as [sys.executable, "-m", "checkout"]'
        )
    first = attribute.partition(".")[0]
    return [sys.executable, "-c", f"from {module} import {first}; {attribute}()"]


def _environment(env: Mapping[str, str] | None) -> dict[str, str]:
    """The environment in which a fresh interpreter finds the modules that this one finds."""
    path = os.pathsep.join(str(Path(folder).absolute()) for folder in sys.path)
    return {**(os.environ if env is None else env), "PYTHONPATH": path}


def _output() -> IO[str]:
    """A file for what a process writes: unlike a pipe it never fills up, and needs nobody to read it meanwhile."""
    return tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace")
