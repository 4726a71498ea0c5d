"""Taking turns: of several xdist workers on one host, only one measures at a time."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Any

import pytest

if sys.platform == "win32":  # pragma: no cover - tested on Linux; what differs is only how a file is locked
    import msvcrt
    import time

    def _lock(descriptor: int) -> None:
        while True:
            try:
                msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
                return
            except OSError:
                time.sleep(0.05)

else:
    import fcntl

    def _lock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX)


class Turns:
    """A context that one process at a time is in, of all that know the name of the run; it may be entered again inside itself.

    It is a lock on an empty file in the folder for temporary files. The system releases it when the process ends, however
    that happens.
    """

    def __init__(self, run: str) -> None:
        self.path = Path(tempfile.gettempdir()) / f"pytest-reliability-{run}.lock"
        self._descriptor = -1
        self._inside = 0

    def __enter__(self) -> None:
        if not self._inside:
            self._descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600)
            try:
                _lock(self._descriptor)
            except BaseException:
                os.close(self._descriptor)
                raise
        self._inside += 1

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None) -> None:
        self._inside -= 1
        if not self._inside:
            os.close(self._descriptor)


class Sweeper:
    """Removes the files of a run's turns when all of its workers have ended; for xdist's controller."""

    def __init__(self) -> None:
        self._runs: set[str] = set()

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        """Take note of the run that a worker is started for."""
        self._runs.add(node.workerinput["testrunuid"])

    def pytest_unconfigure(self) -> None:
        """Remove the files."""
        for run in self._runs:
            Turns(run).path.unlink(missing_ok=True)
