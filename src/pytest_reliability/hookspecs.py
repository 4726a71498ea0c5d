"""The hooks through which checks, formats and reporters are offered: ours, a company's, anybody's.

A distribution adds some by naming a module in the entry-point group "reliability" and implementing, with `hookimpl`, any of
these. Hooks return; they never change what they are given.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pluggy

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pytest_reliability.contracts import Check, Format, Reporter

hookspec = pluggy.HookspecMarker("reliability")
hookimpl = pluggy.HookimplMarker("reliability")


@hookspec
def reliability_checks() -> Iterable[Check]:
    """Checks, made with `pytest_reliability.contracts.check`."""
    raise NotImplementedError


@hookspec
def reliability_formats() -> Iterable[Format]:
    """Readers of files."""
    raise NotImplementedError


@hookspec
def reliability_reporters() -> Iterable[Reporter]:
    """Ways to print a report."""
    raise NotImplementedError
