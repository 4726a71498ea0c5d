"""Which checks run: by code ("ALR001"), prefix ("ALR") or name ("missing-runbook")."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from pytest_reliability.contracts import UsageError
from pytest_reliability.shape import nearest

if TYPE_CHECKING:
    from pytest_reliability.contracts import Check
    from pytest_reliability.report import CheckInfo


def matches(check: CheckInfo, selector: str) -> bool:
    """Whether a selector means this check."""
    return selector == check.name or (bool(selector) and check.code.startswith(selector.upper()))


def select(checks: Iterable[Check], selected: Iterable[str], ignored: Iterable[str] = ()) -> tuple[Check, ...]:
    """The checks that run: those selected, or where nothing is selected all that are on by default; never those ignored."""
    selected, ignored = tuple(selected), tuple(ignored)
    return tuple(
        check
        for check in checks
        if (any(matches(check, selector) for selector in selected) if selected else check.on)
        and not any(matches(check, selector) for selector in ignored)
    )


def reason_to_ignore(check: CheckInfo, ignore: Mapping[str, str]) -> str | None:
    """Why the configuration accepts this check's findings; the most specific entry counts. None where it does not."""
    for selector in sorted(ignore, key=len, reverse=True):
        if matches(check, selector):
            return ignore[selector]
    return None


def require_known(selectors: Iterable[str], checks: Iterable[Check], where: str) -> None:
    """Raise UsageError for the first selector that means no check, naming the nearest one that does."""
    checks = tuple(checks)
    for selector in selectors:
        if not any(matches(check, selector) for check in checks):
            names = tuple(check.name for check in checks) + tuple(check.code for check in checks)
            meant = nearest(selector, names)
            hint = f"did you mean {meant}?" if meant else "`reliability list` shows every check"
            raise UsageError(f"{where}: no check is called {selector!r}\n  {hint}")
