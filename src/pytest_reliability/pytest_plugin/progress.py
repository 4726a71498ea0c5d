"""What is being measured right now, on a terminal that somebody looks at."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any

import pytest

from pytest_reliability.reporters._text import clean, clipped

if TYPE_CHECKING:
    from pytest_reliability.latency.measuring import Progress

LEAST_ROOM = 24
"""Cells without which nothing is shown."""

_SAVE, _CLEAR, _RESTORE = "\x1b7", "\x1b[K", "\x1b8"


class ProgressLine:
    """Writes behind the cursor, which stays where it is: pytest's own line is untouched. Removed at the end of `with`."""

    def __init__(self, writer: Any, capture: Any) -> None:
        self._writer = writer
        self._capture = capture
        self._shown = False

    def __call__(self, progress: Progress) -> None:
        """Replace what is shown."""
        text = f"measuring {progress.name}, {progress.budget}: {progress.n} samples, {progress.seconds:.0f} s"
        room = self._writer.fullwidth - self._writer.width_of_current_line - 3
        if room >= LEAST_ROOM:
            self._shown = True
            self._write(f"{_SAVE}  {clipped(clean(text), room)}{_CLEAR}{_RESTORE}")

    def __enter__(self) -> None:
        """Nothing is shown yet."""

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None) -> None:
        if self._shown:
            self._shown = False
            self._write(_CLEAR)

    def _write(self, text: str) -> None:
        streams = sys.stdout, sys.stderr
        with self._capture.global_and_fixture_disabled():
            sys.stdout.write(text)  # not through the writer, which would count it as part of pytest's line
            sys.stdout.flush()
        sys.stdout, sys.stderr = streams  # a test may have redirected them itself


def progress_for(config: pytest.Config, environment: Mapping[str, str] = os.environ) -> ProgressLine | None:
    """Progress where somebody can see it: on a terminal, unless it is to be quiet; not in CI, and not in a worker."""
    terminal: Any = config.pluginmanager.get_plugin("terminalreporter")
    capture: Any = config.pluginmanager.get_plugin("capturemanager")
    if terminal is None or capture is None or not terminal.isatty or config.get_verbosity() < 0:
        return None
    if environment.get("CI") or environment.get("TERM", "dumb") == "dumb":
        return None
    return ProgressLine(config.get_terminal_writer(), capture)
