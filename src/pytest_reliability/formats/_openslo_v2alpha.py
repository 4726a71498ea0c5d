"""OpenSLO v2alpha: v1 in other words, closer to those of Kubernetes. See OpenSLO's `enhancements/v2alpha.md` and its Go SDK."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from pytest_reliability.formats import _openslo_v1 as v1
from pytest_reliability.formats import _slo
from pytest_reliability.formats._openslo import (
    DNS_LABEL,
    PREFIXED_EXPECTED,
    PREFIXED_KEY,
    Version,
    mapping,
    some,
)
from pytest_reliability.model.nodes import Fault, Node
from pytest_reliability.shape import STRING, TEXT, Entries, Fields, Scalar

NAME = "openslo.com/v2alpha"

WORDS = v1.Vocabulary(
    indicator="sli",
    indicator_ref="sliRef",
    services=("serviceRef", "service"),  # the SDK had the second one first, and the specification still has
    metadata=Fields(
        "metadata",
        {
            "name": DNS_LABEL,
            "labels": Entries(
                Scalar(
                    "a text of at most 63 lower-case letters, digits, -, _ and ., with a letter or a digit at both ends,",
                    types=(str,),
                    accepts=re.compile(r"(?:[a-z0-9](?:[-._a-z0-9]{0,61}[a-z0-9])?)?").fullmatch,
                ),
                key=PREFIXED_KEY,
                expected=PREFIXED_EXPECTED,
            ),
            "annotations": Entries(TEXT, key=PREFIXED_KEY, expected=PREFIXED_EXPECTED),
            "namespace": STRING,  # Kubernetes tools put it there
        },
        required=("name",),
    ),
    metric=Fields(
        "a metric",
        {"dataSourceRef": DNS_LABEL, "dataSourceSpec": v1.DATA_SOURCE, "spec": some("the spec of a metric")},
        one_of=(("dataSourceRef", "dataSourceSpec"),),
        renamed={"metricSourceRef": "dataSourceRef", "dataSource": "dataSourceSpec"},
    ),
    data_source=v1.DATA_SOURCE,
    named=DNS_LABEL,
    units="mhdw",
    renamed={
        "objective": "objectives",
        "timeWindows": "timeWindow",
        "indicator": "sli",
        "indicatorRef": "sliRef",
    },
)


class Reader(v1.Reader):
    """One document of OpenSLO v2alpha, being read."""

    version = NAME
    words = WORDS
    shapes = v1.shapes(WORDS)

    def source(self, metric: dict[str, Any]) -> Iterator[Node | Fault]:
        """The data source that a metric refers to."""
        yield from self.reference(metric, "dataSourceRef", "DataSource")

    def measured(self, metric: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        """The type of a metric's data source, and what is asked of it."""
        inline = _slo.text(mapping(metric, "dataSourceSpec"), "type")
        return inline or self.types.get(_slo.text(metric, "dataSourceRef") or "", ""), mapping(metric, "spec")


VERSION = Version(NAME, Reader.shapes.specs, Reader.shapes.documents, Reader)
