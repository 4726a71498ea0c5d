"""SLO105: an error budget that is spent between two looks."""

from __future__ import annotations

from collections.abc import Iterator

from pytest_reliability.contracts import Problem, check
from pytest_reliability.model.duration import spoken
from pytest_reliability.model.nodes import Slo
from pytest_reliability.model.objectives import error_budget, percent, strictest_objective, written
from pytest_reliability.report import Severity


@check(Slo, code="SLO105", severity=Severity.WARNING)
def budget_smaller_than_scrape(slo: Slo) -> Iterator[Problem]:
    """A budget that is no longer than the time between two scrapes can be spent without a single sample of it."""
    interval = slo.settings.scrape_interval
    if interval is None or slo.objective is None or slo.window is None or not 0 < slo.objective < 1:
        return
    budget = error_budget(slo.objective, slo.window)
    if budget > interval.seconds:
        return
    strictest = strictest_objective(interval.seconds, slo.window)
    other = f"more than {written(strictest, slo.objective_unit)} cannot be seen; lower it, or " if strictest else ""
    yield Problem(
        slo.objective_at,
        f"SLO {slo.name!r}: {percent(slo.objective)} over {slo.window} leaves {spoken(budget)} of error budget, "
        f"and the service is scraped every {interval}: all of it can be gone between two samples",
        hint=f"{other}measure over a longer window",
    )
