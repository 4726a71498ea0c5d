"""Latency budgets: measure a call until it is known whether the budget is kept, and say so honestly where it is not.

`judge(samples, Budget.parse("p95=50ms"))` gives the verdict on any iterator of seconds. `Latency` is what the pytest
fixture is made of: it calls a function, judges every budget on the same samples, and raises `BudgetExceeded`.
"""

from __future__ import annotations

from pytest_reliability.latency.budget import Budget, BudgetError, Limits
from pytest_reliability.latency.judge import Design, Verdict, judge, sequential
from pytest_reliability.latency.session import BudgetExceeded, Latency

__all__ = ["Budget", "BudgetError", "BudgetExceeded", "Design", "Latency", "Limits", "Verdict", "judge", "sequential"]
