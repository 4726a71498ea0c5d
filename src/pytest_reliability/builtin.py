"""Our own checks, formats and reporters, offered through the same hooks as everybody else's.

What stands in `checks/`, `formats/` and `reporters/` is found by looking there; nothing is registered by hand.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import TypeVar

from pytest_reliability.contracts import Check, Format, Reporter
from pytest_reliability.hookspecs import hookimpl

_HERE = Path(__file__).parent

T = TypeVar("T")


@hookimpl
def reliability_checks() -> list[Check]:
    """Every check in `checks/<family>/`."""
    return [value for module in _modules("checks/*/*.py") for value in vars(module).values() if isinstance(value, Check)]


@hookimpl
def reliability_formats() -> list[Format]:
    """Every format in `formats/`."""
    return [value for module in _modules("formats/*.py") for value in _offered(module, "FORMAT", Format)]


@hookimpl
def reliability_reporters() -> list[Reporter]:
    """Every reporter in `reporters/`."""
    return [value for module in _modules("reporters/*.py") for value in _offered(module, "REPORTER", Reporter)]


def _modules(pattern: str) -> Iterator[ModuleType]:
    for path in sorted(_HERE.glob(pattern)):
        if not path.name.startswith("_"):
            yield import_module(".".join((__package__ or "", *path.relative_to(_HERE).with_suffix("").parts)))


def _offered(module: ModuleType, name: str, kind: type[T]) -> Iterator[T]:
    """The module's `NAME`, or each of its `NAMES`."""
    for value in (getattr(module, name, None), *getattr(module, f"{name}S", ())):
        if isinstance(value, kind):
            yield value
