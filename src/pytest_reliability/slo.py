"""Error-budget arithmetic, for your own scripts: described in `docs/error-budgets.md`, and stable.

>>> from pytest_reliability.slo import ErrorBudget
>>> budget = ErrorBudget.parse("99.9%", "30d")
>>> round(budget.seconds / 60, 1)  # minutes of complete failure
43.2
>>> budget.burn_rate(error_ratio=0.01)  # how fast 1% of errors spends it
10.0
"""

from pytest_reliability.model.duration import Duration
from pytest_reliability.model.objectives import AlertWindow, ErrorBudget

__all__ = ["AlertWindow", "Duration", "ErrorBudget"]
