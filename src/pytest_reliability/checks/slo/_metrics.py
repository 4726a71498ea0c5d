"""What the repository says about the metrics that an SLO reads."""

from __future__ import annotations

from pytest_reliability.model.graph import Graph
from pytest_reliability.model.nodes import Indicator, Metric


def definitions(name: str, indicator: Indicator, graph: Graph) -> tuple[Metric, ...]:
    """Where a metric of that name is defined, as far as it may be the one that the indicator reads.

    Two services may have metrics of one name; each reads its own.
    """
    service = graph.service_of(indicator)
    return tuple(metric for metric in graph.metrics_named(name) if service is None or graph.service_of(metric) in (service, None))
