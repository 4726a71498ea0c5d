"""Everything that can be checked, read and reported here: ours, and what installed distributions add."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeVar

import pluggy

from pytest_reliability import builtin, hookspecs
from pytest_reliability.contracts import Check, Format, Reporter, UsageError

GROUP = "reliability"
"""The entry-point group in which distributions name their modules."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All checks by code, all formats, and all reporters by name."""

    checks: tuple[Check, ...]
    formats: tuple[Format, ...]
    reporters: tuple[Reporter, ...]

    def reporter(self, name: str) -> Reporter:
        """The reporter of that name; UsageError names those that there are."""
        for reporter in self.reporters:
            if reporter.name == name:
                return reporter
        names = ", ".join(reporter.name for reporter in self.reporters)
        raise UsageError(f"no reporter is called {name!r}\n  choose one of {names}")


def load(*extra: object) -> Catalogue:
    """Ours, then what entry points name, then `extra` (modules or objects that implement our hooks).

    Raises UsageError where a plugin cannot be imported, or where two of them offer the same code or name: a check that silently
    disappears would look like one that passes.
    """
    manager = pluggy.PluginManager(GROUP)
    manager.add_hookspecs(hookspecs)
    manager.register(builtin, "builtin")
    _register_installed(manager)
    for plugin in extra:
        manager.register(plugin)
    hook = manager.hook
    return Catalogue(
        checks=_unique(hook.reliability_checks(), lambda check: check.code, "check"),
        formats=_unique(hook.reliability_formats(), lambda format: format.name, "format"),
        reporters=_unique(hook.reliability_reporters(), lambda reporter: reporter.name, "reporter"),
    )


def _register_installed(manager: pluggy.PluginManager) -> None:
    from importlib.metadata import entry_points

    for point in entry_points(group=GROUP):
        try:
            manager.register(point.load(), point.name)
        except Exception as error:
            origin = f" of {point.dist.name} {point.dist.version}" if point.dist else ""
            raise UsageError(
                f"the plugin {point.name!r}{origin} cannot be loaded: {type(error).__name__}: {error}\n  mend or uninstall it"
            ) from error


def _unique(offered: Iterable[Iterable[T]], name: Callable[[T], str], what: str) -> tuple[T, ...]:
    found: dict[str, T] = {}
    for values in reversed(list(offered)):  # pluggy calls the last registered first
        for value in values:
            if name(value) in found:
                raise UsageError(
                    f"two plugins offer a {what} called {name(value)!r}\n  uninstall one of them, or rename its {what}"
                )
            found[name(value)] = value
    return tuple(found[key] for key in sorted(found))
