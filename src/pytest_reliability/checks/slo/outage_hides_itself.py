"""SLO215: an outage that takes its own evidence along."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from pytest_reliability.checks.slo._metrics import definitions
from pytest_reliability.contracts import Problem, check
from pytest_reliability.model.graph import Graph
from pytest_reliability.model.nodes import Alert, Indicator, Slo
from pytest_reliability.promql import metrics
from pytest_reliability.promql.absence import PROBES, missed
from pytest_reliability.promql.ratios import Ratio, fallbacks, ratios
from pytest_reliability.report import Level, Severity


@check(Indicator, code="SLO215", severity=Severity.WARNING, level=Level.GOLD, needs=(Alert,))
def outage_hides_itself(indicator: Indicator, graph: Graph) -> Iterator[Problem]:
    """While every instance is down there are no numbers: no errors either, and the worst outage of all raises no alert."""
    for ratio in ratios(indicator.queries):
        read = metrics(ratio.denominator.query.parsable or "")
        reason = _reason(ratio, read, indicator, graph)
        if reason and not read & PROBES and not _is_missed(read, indicator, graph):
            name = min(read)
            yield Problem(
                ratio.denominator.query.at,
                f"{indicator.holder}: {reason}, and no alert notices that {name!r} is gone",
                hint=f"add an alert with expr: absent({name}), or one on up == 0",
            )
            return


def _reason(ratio: Ratio, read: frozenset[str], indicator: Indicator, graph: Graph) -> str:
    """Why an outage would not show; "" where it may well."""
    if not read:
        return ""
    if _good_without_data(ratio) == 1:
        return "without any data everything counts as good"
    if all(definitions(name, indicator, graph) for name in read):
        return "the service that is measured measures itself"
    return ""


def _good_without_data(ratio: Ratio) -> float | None:
    """The share of good events where there is no data at all; None where there is no share then."""
    if ratio.fallbacks:
        return ratio.fallbacks[0]
    above, below = fallbacks(ratio.numerator.tree), fallbacks(ratio.denominator.tree)
    if len(above) != 1 or len(below) != 1 or not below[0] or not ratio.of:
        return None
    share = above[0] / below[0]
    return share if ratio.of == "good" else 1 - share


def _is_missed(read: frozenset[str], indicator: Indicator, graph: Graph) -> bool:
    """Whether an alert notices that what an indicator reads is gone."""
    if _all_missed(graph) & (read | PROBES):
        return True
    own = (slo for slo in graph.of(Slo) if slo.at.path == indicator.at.path and slo.queries == indicator.queries)
    return any(slo.dialect == "pyrra" and _has_absent_alert(slo) for slo in own)


def _has_absent_alert(slo: Slo) -> bool:
    """Whether Pyrra generates an alert on the absence of the metric: it does so unless it is told not to."""
    burning = {slo.alerting.name} if slo.alerting is not None and not slo.alerting.disabled else set()
    return bool(set(slo.alert_names) - burning)


@lru_cache(maxsize=1)
def _all_missed(graph: Graph) -> frozenset[str]:
    """What the alerts of a repository notice the absence of."""
    return frozenset().union(*(missed(alert.expr) for alert in graph.of(Alert)))
