"""Arithmetic on objectives: what an error budget comes to.

An error budget is what an objective leaves over: 99.9% of a month may fail for one thousandth of it. See "Site Reliability
Engineering", chapter 3, "Embracing Risk", and "The Site Reliability Workbook", chapter 2, "Implementing SLOs".
"""

from __future__ import annotations

from decimal import ROUND_UP, Decimal

from pytest_reliability.model.duration import Duration


def error_budget(objective: Decimal, window: Duration) -> float:
    """Seconds of complete failure that an objective (a ratio) allows in its window: (1 − objective) × window."""
    return float(1 - objective) * window.seconds


def strictest_objective(budget: float, window: Duration) -> Decimal | None:
    """The highest objective (a ratio) that leaves `budget` seconds in the window, in round figures; None where none does."""
    share = Decimal(budget) / Decimal(window.seconds)
    rounded = share.quantize(Decimal(1).scaleb(share.adjusted() - 1), rounding=ROUND_UP)
    return (1 - rounded).normalize() if rounded < 1 else None


def percent(objective: Decimal) -> str:
    """The objective as people say it: "99.9%"."""
    return f"{objective.scaleb(2).normalize():f}%"


def meant_objective(objective: Decimal, unit: str) -> Decimal | None:
    """The objective that was meant where one is plainly written in the other unit: 99.9 for a ratio, 0.999 for a percentage.

    Both are ratios; `unit` is what the field expects, "ratio" or "percent". None where the objective may mean what it says.
    """
    if unit == "ratio" and 50 <= objective < 100:
        return objective.scaleb(-2)
    if unit == "percent" and Decimal("0.005") <= objective <= Decimal("0.01"):
        return objective.scaleb(2)
    return None


def written(objective: Decimal, unit: str) -> str:
    """The objective as its field takes it, without needless zeros: "0.999" as a ratio, "99.9" as a percentage."""
    return f"{(objective.scaleb(2) if unit == 'percent' else objective).normalize():f}"
