"""SLO104: an error budget that is spent before anybody can act."""

from __future__ import annotations

from collections.abc import Iterator

from pytest_reliability.contracts import Problem, check
from pytest_reliability.model.duration import spoken
from pytest_reliability.model.nodes import Slo
from pytest_reliability.model.objectives import error_budget, percent, strictest_objective, written
from pytest_reliability.report import Level, Severity

HOPELESS = 60.0
"""Seconds of error budget under which even an alert comes too late."""


@check(Slo, code="SLO104", severity=Severity.WARNING, level=Level.SILVER)
def budget_too_small_for_people(slo: Slo) -> Iterator[Problem]:
    """Excessive reliability costs: a budget of seconds cannot be kept by people, only bought, and each nine is dearer."""
    if slo.objective is None or slo.window is None or not 0 < slo.objective < 1:
        return
    budget = error_budget(slo.objective, slo.window)
    response = slo.settings.response_time
    if budget >= response.seconds:
        return
    message = f"SLO {slo.name!r}: {percent(slo.objective)} over {slo.window} leaves {spoken(budget)} of error budget"
    if budget < HOPELESS:
        message += ", gone before an alert can even fire"
    strictest = strictest_objective(response.seconds, slo.window)
    hint = (
        f"excessive reliability costs: more than {written(strictest, slo.objective_unit)} takes automatic recovery, not people"
        if strictest is not None
        else f"measure over a longer window: all of {slo.window} is less than {response}"
    )
    yield Problem(slo.objective_at, f"{message}; people need {response} to detect and respond", hint)
