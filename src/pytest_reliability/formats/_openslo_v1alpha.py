"""OpenSLO v1alpha: services, and SLOs that hold their own queries. Sloth reads it, too.

Where Sloth takes what the Go SDK refuses, it is allowed: a time window that says nothing of rolling, and needs no calendar then,
and a ratio without `value`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from pytest_reliability import shape
from pytest_reliability.formats import _slo
from pytest_reliability.formats._openslo import (
    CALENDAR,
    DESCRIPTION,
    DNS_LABEL,
    LANGUAGES,
    NAMED,
    OPERATOR,
    About,
    Document,
    Version,
    Written,
    documents,
    mapping,
    mappings,
    some,
)
from pytest_reliability.model.duration import Duration
from pytest_reliability.model.nodes import Fault, Indicator, Node, Query, Slo
from pytest_reliability.shape import BOOLEAN, NUMBER, STRING, Fields, Items, Scalar, choice

NAME = "openslo/v1alpha"
UNITS = {"Second": "s", "Day": "d", "Week": "w", "Month": "M", "Quarter": "Q"}


# --- Shapes -----------------------------------------------------------------------------------------------------------


def _at_most(length: int) -> Scalar:
    return Scalar(f"a text of at most {length} characters", types=(str,), accepts=lambda text: len(text) <= length)


def _is_fraction(text: str) -> bool:
    try:
        return 0 <= float(text) <= 1
    except ValueError:
        return False


METADATA = Fields("metadata", {"name": DNS_LABEL, "displayName": _at_most(63), "namespace": STRING}, required=("name",))

_LETTERS = Scalar("a word of letters", types=(str,), accepts=re.compile(r"[A-Za-z]+").fullmatch)
METRIC = Fields(
    "a metric",
    {
        "source": _LETTERS,
        "queryType": _LETTERS,
        "query": Scalar("a query", types=(str,), accepts=str.strip),
        "metadata": some("the metadata of a metric"),
    },
    required=("source", "queryType", "query"),
)
OBJECTIVE = Fields(
    "an objective",
    {
        "displayName": _at_most(1050),
        "op": OPERATOR,
        "value": NUMBER,
        "target": NUMBER,
        "timeSliceTarget": Scalar("a number from 0 to 1", types=(int, float), accepts=_is_fraction),
        "ratioMetrics": Fields(
            "ratioMetrics",
            {"good": METRIC, "total": METRIC, "incremental": BOOLEAN, "counter": BOOLEAN},
            required=("good", "total"),
        ),
    },
    required=("target",),
    renamed={"ratioMetric": "ratioMetrics"},
)
WINDOW = Fields(
    "a time window",
    {
        "unit": choice(*UNITS),
        "count": Scalar("a whole number above 0", types=(int,), accepts=re.compile(r"0*[1-9][0-9]*").fullmatch),
        "isRolling": BOOLEAN,
        "calendar": CALENDAR,
    },
    required=("unit", "count"),
)
SPECS = {
    "SLO": Fields(
        "an SLO's spec",
        {
            "description": DESCRIPTION,
            "service": NAMED,
            "indicator": Fields("an indicator", {"thresholdMetric": METRIC}, required=("thresholdMetric",)),
            "timeWindows": Items(some("a time window"), minimum=1, maximum=1),
            "budgetingMethod": choice("Occurrences", "Timeslices"),
            "objectives": Items(some("an objective"), minimum=1),
        },
        required=("service", "budgetingMethod", "objectives", "timeWindows"),
        renamed={"objective": "objectives", "timeWindow": "timeWindows"},
    ),
    "Service": Fields("a service's spec", {"description": DESCRIPTION}),
}


# --- What a document says ---------------------------------------------------------------------------------------------


class Reader(Document):
    """One document of OpenSLO v1alpha, being read."""

    version = NAME

    def read(self) -> Iterator[Node | Fault]:
        """The nodes, and the faults that depend on more than one field."""
        if self.kind != "SLO":
            return
        objectives = mappings(self.spec, "objectives")
        yield from self.misshapen(objectives)
        for window in mappings(self.spec, "timeWindows"):
            yield from self.window(window)
        yield from self.reference(self.spec, "service", "Service")
        whole = self.asked(mapping(self.spec, "indicator"))
        if whole:
            yield self.indicator(self.spec["indicator"], whole)
        about = self.common()
        for name, objective in zip(self.names(objectives), objectives, strict=True):
            own = self.asked(mapping(objective, "ratioMetrics"))
            if own:
                yield self.indicator(objective["ratioMetrics"], own)
            if self.name:
                yield self.slo(name, objective, own or whole, len(objectives) == 1, about)

    def misshapen(self, objectives: list[dict[str, Any]]) -> Iterator[Fault]:
        """What an SLO's spec and its objectives have or lack: a metric for all of them, or a ratio for each."""
        compared = "indicator" in self.spec
        wanted = replace(OBJECTIVE, required=("target", "op", "value") if compared else ("target", "ratioMetrics"))
        if _slo.text(self.spec, "budgetingMethod") == "Timeslices":
            wanted = replace(wanted, required=(*wanted.required, "timeSliceTarget"))
        if isinstance(self.data.get("spec"), dict):
            yield from shape.faults(self.tree, SPECS["SLO"], self.spec)
        for objective in objectives:
            yield from shape.faults(self.tree, wanted, objective, inside=(SPECS["SLO"],))
            ratio = "ratioMetrics" in objective
            if compared and ratio:
                message = "the SLO has an indicator already; 'ratioMetrics' of its objective excludes it"
                yield self.excluded(objective, "ratioMetrics", message)
            if ratio and "op" in objective:
                yield self.excluded(
                    objective, "op", "'op' compares a metric with a value; it has no meaning beside 'ratioMetrics'"
                )

    def excluded(self, holder: dict[str, Any], key: str, message: str) -> Fault:
        at = self.tree.key_at(holder, key)
        return Fault(kind="conflicting-fields", at=at, message=message, hint="keep one of them")

    def window(self, window: dict[str, Any]) -> Iterator[Fault]:
        """A time window is rolling, or follows a calendar."""
        rolling = window.get("isRolling")
        if rolling is True and "calendar" in window:
            message = "a time window has isRolling: true and 'calendar', which exclude each other"
            yield self.excluded(window, "calendar", message)
        wanted = replace(WINDOW, required=("unit", "count", "calendar")) if rolling is False else WINDOW
        yield from shape.faults(self.tree, wanted, window)

    def asked(self, holder: dict[str, Any]) -> tuple[Query, ...]:
        """The queries of an indicator, or of the ratio of an objective."""
        found = []
        for key, role in (("thresholdMetric", "threshold"), ("good", "good"), ("total", "total")):
            metric = mapping(holder, key)
            if _slo.text(metric, "query"):
                kind = "promql" if metric.get("queryType") == "promql" else ""
                language = LANGUAGES.get((_slo.text(metric, "source") or "").casefold(), kind)
                found.append(Written(metric, "query", language, role))
        return self.queries(found)

    def indicator(self, holder: dict[str, Any], queries: tuple[Query, ...]) -> Indicator:
        return Indicator(at=self.tree.at(holder), settings=self.settings, holder=self.holder, queries=queries, dialect="openslo")

    def common(self) -> About:
        """What the SLO of every objective has in common."""
        window = next(iter(mappings(self.spec, "timeWindows")), {})
        count, unit = window.get("count"), UNITS.get(_slo.text(window, "unit") or "")
        return self.about(
            service=_slo.text(self.spec, "service"),
            window=_length(count, unit),
            window_at=self.tree.at(window, "count") if "count" in window else None,
            rolling=window.get("isRolling") is not False and "calendar" not in window,
            sliced=_slo.text(self.spec, "budgetingMethod") == "Timeslices",
        )

    def slo(self, name: str, objective: dict[str, Any], queries: tuple[Query, ...], only: bool, about: About) -> Slo:
        """The SLO of an objective."""
        written = isinstance(objective.get("target"), (str, int, float))
        threshold, operator = self.threshold(objective)
        compared = any(query.role == "threshold" for query in queries)
        return Slo(
            at=self.at() if only else self.tree.at(objective),
            name=name,
            objective=_slo.number(self.tree, objective, "target"),
            objective_text=self.tree.spelling(objective, "target") if written else "",
            objective_at=self.tree.at(objective, "target") if "target" in objective else self.tree.at(objective),
            slice_objective=_slo.number(self.tree, objective, "timeSliceTarget"),
            queries=queries,
            threshold=threshold if compared else None,
            operator=operator if compared else "",
            latency=self.latency(objective, queries),
            **about,
        )


def _length(count: Any, unit: str | None) -> Duration | None:
    return Duration.parse(f"{count}{unit}") if type(count) is int and count > 0 and unit else None


VERSION = Version(NAME, SPECS, documents(METADATA, SPECS), Reader)
