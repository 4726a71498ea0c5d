"""SLO404: an objective that nobody has looked at for long."""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Iterator
from datetime import date, timedelta

from pytest_reliability.checks.slo._promises import said
from pytest_reliability.contracts import Problem, check
from pytest_reliability.model.nodes import Slo
from pytest_reliability.report import Level, Severity

LAST = frozenset(("reviewed", "reviewedat", "reviewedon", "lastreviewed", "lastreview", "reviewdate", "lastreviewdate"))
NEXT = frozenset(("nextreview", "nextreviewdate", "reviewby", "reviewdue", "revisit", "revisitdate", "revisiton", "revisitby"))
"""Labels and annotations that say when an objective was looked at last, and when it has to be next; `said` folds their names."""

_DATE = re.compile(r"(\d{4})[-/.](\d{1,2})(?:[-/.](\d{1,2}))?(?:[T ].*)?")


@check(Slo, code="SLO404", severity=Severity.WARNING, level=Level.GOLD)
def stale_objective(slo: Slo) -> Iterator[Problem]:
    """Users, traffic and the service change; an objective that was right two years ago may now be anything."""
    today = date.today()
    oldest = today - timedelta(seconds=min(slo.settings.objective_review.seconds, (today - date.min).total_seconds()))
    for key, compared, value in said(slo):
        day = _day(value) if compared in LAST or compared in NEXT else None
        if day is None:
            continue
        if compared in LAST and day < oldest:
            what = f"was last reviewed on {day}, more than {slo.settings.objective_review} ago"
        elif compared in NEXT and day < today:
            what = f"was due for a review on {day}"
        else:
            continue
        yield Problem(
            slo.at,
            f"objective of SLO {slo.name!r} {what}",
            hint=f"compare it with what users noticed since and with what was measured, then write the new date under {key}",
        )
        return


def _day(text: str) -> date | None:
    """The day that a text names, the last of its month where it names only that; None where it names none."""
    found = _DATE.fullmatch(text)
    if found is None:
        return None
    year, month = int(found[1]), int(found[2])
    try:
        return date(year, month, int(found[3]) if found[3] else monthrange(year, month)[1])
    except ValueError:
        return None
