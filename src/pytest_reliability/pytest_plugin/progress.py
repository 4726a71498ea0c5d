"""What is being measured right now, on a terminal that somebody looks at."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Mapping
from typing import Any

import pytest

PATIENCE = 1.0
"""Seconds of measuring before anything is shown."""

INTERVAL = 0.1
"""Seconds between one rewriting of the line and the next."""

LEAST_ROOM = 24
"""Cells without which nothing is shown."""

_SAVE, _CLEAR, _RESTORE = "\x1b7", "\x1b[K", "\x1b8"


class Progress:
    """Writes behind the cursor, which stays where it is: pytest's own line is untouched, before, meanwhile and afterwards."""

    def __init__(self, writer: Any, capture: Any, clock: Callable[[], float] = time.monotonic) -> None:
        self._writer = writer
        self._capture = capture
        self._clock = clock
        self._began: float | None = None
        self._shown = 0.0

    def show(self, text: str) -> None:
        """Replace what is shown."""
        now = self._clock()
        self._began = now if self._began is None else self._began
        if now - self._began < PATIENCE or now - self._shown < INTERVAL:
            return
        room = self._writer.fullwidth - self._writer.width_of_current_line - 3
        if room >= LEAST_ROOM:
            from pytest_reliability.reporters._text import clean, clipped

            self._shown = now
            self._write(f"{_SAVE}  {clipped(clean(text), room)}{_CLEAR}{_RESTORE}")

    def clear(self) -> None:
        """Remove what is shown."""
        if self._shown:
            self._write(_CLEAR)
        self._began, self._shown = None, 0.0

    def _write(self, text: str) -> None:
        streams = sys.stdout, sys.stderr
        with self._capture.global_and_fixture_disabled():
            sys.stdout.write(text)  # not through the writer, which would count it as part of pytest's line
            sys.stdout.flush()
        sys.stdout, sys.stderr = streams  # a test may have redirected them itself


def progress_for(config: pytest.Config, environment: Mapping[str, str] = os.environ) -> Progress | None:
    """Progress where somebody can see it: on a terminal, unless it is to be quiet; not in CI, and not in a worker."""
    terminal: Any = config.pluginmanager.get_plugin("terminalreporter")
    capture: Any = config.pluginmanager.get_plugin("capturemanager")
    if terminal is None or capture is None or not terminal.isatty or config.get_verbosity() < 0:
        return None
    if environment.get("CI") or environment.get("TERM", "dumb") == "dumb":
        return None
    return Progress(config.get_terminal_writer(), capture)
