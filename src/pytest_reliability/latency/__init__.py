"""Latency budgets: measure a call until it is known whether the budget is kept, and say so honestly where it is not.

`judge(samples, Budget.parse("p95=50ms"))` gives the verdict on any iterator of seconds. `Latency` is what the pytest
fixture is made of: it samples what a test does, judges every budget on it, and raises `BudgetExceeded`. `count` and
`call_point` are for the code under test; little is imported for these.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pytest_reliability.latency.budget import Budget, BudgetError, CountBudget, Limits
    from pytest_reliability.latency.counting import count
    from pytest_reliability.latency.dependency import call_point
    from pytest_reliability.latency.judge import Design, Verdict, judge, sequential
    from pytest_reliability.latency.session import BudgetExceeded, Latency

_HOMES = {
    "Budget": "budget",
    "BudgetError": "budget",
    "BudgetExceeded": "session",
    "CountBudget": "budget",
    "Design": "judge",
    "Latency": "session",
    "Limits": "budget",
    "Verdict": "judge",
    "call_point": "dependency",
    "count": "counting",
    "sequential": "judge",
}

__all__ = [
    "Budget",
    "BudgetError",
    "BudgetExceeded",
    "CountBudget",
    "Design",
    "Latency",
    "Limits",
    "Verdict",
    "call_point",
    "count",
    "judge",
    "sequential",
]


def __getattr__(name: str) -> Any:
    """Import what is asked for, and only that: the fixture must cost little where nothing is judged."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


class _Package(ModuleType):
    """`judge` is the function here, although a module of that name is in this package."""

    @property
    def judge(self) -> Any:
        from pytest_reliability.latency.judge import judge

        return judge

    @judge.setter
    def judge(self, module: ModuleType) -> None:
        """Whoever imports the module puts it here, too; leave the function."""


sys.modules[__name__].__class__ = _Package
