"""The shapes of Nobl9's objects, as its own SDK validates them. OpenSLO has grown out of them, and shares some."""

from __future__ import annotations

import re
from dataclasses import replace

from pytest_reliability.formats import _openslo
from pytest_reliability.formats._nobl9_sources import DATA_SOURCES
from pytest_reliability.formats._openslo import DESCRIPTION, OPERATOR, SHARE, some
from pytest_reliability.model.duration import Duration
from pytest_reliability.shape import ANYTHING, BOOLEAN, NUMBER, STRING, URL, Entries, Fields, Items, Scalar, Shape, choice

DEFINED = {"SLO": "Nobl9 SLO", "AlertPolicy": "Nobl9 alert policy", "Service": "service"}
"""The kinds that are read, and what references, definitions and messages call each."""

_GO_DURATION = re.compile(r"(?:(?:\d+(?:\.\d+)?)(?:ns|us|µs|μs|ms|s|m|h))+")


def _seconds(text: str) -> float | None:
    """A duration as Go writes it: "5m", "168h", "1h30m0s"; days and weeks are no units of it."""
    return Duration.parse(text).seconds if _GO_DURATION.fullmatch(text) else None


def _lasting(expected: str, least: float, most: float = float("inf"), step: float = 0) -> Scalar:
    """A duration between two bounds, in whole steps."""

    def accepts(text: str) -> bool:
        seconds = _seconds(text)
        return seconds is not None and least <= seconds <= most and not (step and seconds % step)

    return Scalar(f"{expected}, in h, m and s,", types=(str,), accepts=accepts)


NAME = Scalar(
    "a name of lower-case letters, digits and - that begins and ends with a letter or a digit",
    types=(str,),
    accepts=re.compile(r"[a-z0-9](?:[-a-z0-9]*[a-z0-9])?").fullmatch,
)
NAME_OR_EMPTY = replace(NAME, accepts=re.compile(r"(?:[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)?").fullmatch)
"""Where Nobl9 takes an empty name for none at all."""
METADATA = Fields(
    "metadata",
    {
        "name": NAME,
        "displayName": STRING,
        "project": NAME,
        "labels": Entries(
            Items(STRING),
            key=r"[^\W\d_A-Z](?:(?:[^\WA-Z]|-){0,61}[^\W_A-Z])?",
            expected="at most 63 lower-case letters, digits, - and _ that begin with a letter,",
        ),
        "annotations": Entries(STRING),
    },
    required=("name",),
    growing=True,
)


METRIC = Fields("a metric", {name: source.shape(name) for name, source in DATA_SOURCES.items()}, growing=True)
COUNTS = Fields(
    "countMetrics",
    {"incremental": BOOLEAN, "good": METRIC, "bad": METRIC, "total": METRIC, "goodTotal": METRIC},
    required=("incremental",),
    one_of=(("total", "goodTotal"), ("good", "bad")),
)
COUNTS_AT_ONCE = replace(
    COUNTS, one_of=(("goodTotal",),), at_most_one=(("goodTotal", "good"), ("goodTotal", "bad"), ("goodTotal", "total"))
)
COMPONENT = Fields(
    "a component",
    {
        "project": NAME,
        "slo": NAME,
        "objective": NAME,
        "weight": NUMBER,
        "whenDelayed": choice("CountAsGood", "CountAsBad", "Ignore"),
    },
    required=("project", "slo", "objective", "whenDelayed"),
)
COMPOSITE = Fields(
    "a composite",
    {
        "maxDelay": _lasting("a duration of at least 1m in whole minutes", 60, step=60),
        "components": Fields("components", {"objectives": Items(COMPONENT, minimum=1)}, required=("objectives",)),
        "aggregationMethod": choice("Reliability", "ErrorBudgetState"),
    },
    required=("maxDelay", "components"),
    growing=True,
)
OBJECTIVE = Fields(
    "an objective",
    {
        "displayName": STRING,
        "name": NAME_OR_EMPTY,
        "value": NUMBER,
        "target": NUMBER,
        "timeSliceTarget": SHARE,
        "countMetrics": some("countMetrics"),
        "rawMetric": Fields("a rawMetric", {"query": METRIC}, required=("query",)),
        "composite": COMPOSITE,
        "op": OPERATOR,
        "primary": BOOLEAN,
    },
    growing=True,
    renamed={"budgetTarget": "target", "objective": "target"},
)
ROLLING = Fields(
    "a time window",
    {
        "unit": choice("Minute", "Hour", "Day"),
        "count": Scalar("a whole number above 0", types=(int,), accepts=re.compile(r"\+?0*[1-9]\d*").fullmatch),
        "isRolling": BOOLEAN,
        "calendar": _openslo.CALENDAR,
        "period": ANYTHING,
    },
    required=("unit", "count"),
)
CALENDAR = replace(
    ROLLING,
    what="a time window without isRolling: true",
    known={**ROLLING.known, "unit": choice("Day", "Week", "Month", "Quarter", "Year")},
    required=("unit", "count", "calendar"),
)
METHOD_NAMED = Fields("an alert method", {"name": NAME, "project": NAME}, required=("name",))
SPEC = Fields(
    "an SLO's spec",
    {
        "description": DESCRIPTION,
        "indicator": Fields(
            "an indicator",
            {
                "metricSource": Fields(
                    "a metricSource",
                    {"name": NAME, "project": NAME_OR_EMPTY, "kind": choice("Agent", "Direct")},
                    required=("name",),
                ),
                "rawMetric": METRIC,
            },
            required=("metricSource",),
        ),
        "budgetingMethod": choice("Occurrences", "Timeslices"),
        "objectives": Items(some("an objective"), minimum=1),
        "service": NAME,
        "timeWindows": Items(some("a time window"), minimum=1, maximum=1),
        "alertPolicies": Items(NAME),
        "attachments": Items(Fields("an attachment", {"url": URL, "displayName": STRING}, required=("url",)), maximum=20),
        "tier": STRING,
        "composite": Fields(
            "a composite of the SLO's objectives",
            {
                "target": NUMBER,
                "burnRateCondition": Fields(
                    "a burn rate condition", {"value": NUMBER, "op": choice("gt")}, required=("value", "op")
                ),
            },
            required=("target",),
        ),
        "anomalyConfig": Fields(
            "an anomalyConfig",
            {
                "noData": Fields(
                    "noData",
                    {
                        "alertMethods": Items(METHOD_NAMED, minimum=1),
                        "alertAfter": _lasting("a duration from 5m to 744h in whole minutes", 300, 31 * 86400, step=60),
                        "treatZeroAsNoData": BOOLEAN,
                    },
                    required=("alertMethods",),
                )
            },
        ),
        "createdAt": ANYTHING,
        "createdBy": ANYTHING,
    },
    required=("budgetingMethod", "objectives", "service", "timeWindows"),
    renamed={"objective": "objectives", "timeWindow": "timeWindows", "alertPolicy": "alertPolicies"},
    growing=True,
)
MEASUREMENTS = {
    "averageBurnRate": "gte",
    "burnedBudget": "",
    "timeToBurnBudget": "lt",
    "timeToBurnEntireBudget": "lte",
    "budgetDrop": "gte",
}
"""What a condition may measure, and the only operator that makes sense of it; "" where any does."""
CONDITION = Fields(
    "a condition",
    {
        "measurement": choice(*MEASUREMENTS),
        "value": NUMBER,
        "alertingWindow": _lasting("a duration from 5m to 168h in whole minutes", 300, 7 * 86400, step=60),
        "lastsFor": _lasting("a duration", 0),
        "op": OPERATOR,
    },
    required=("measurement", "value"),
    at_most_one=(("alertingWindow", "lastsFor"),),
    renamed={"operator": "op", "lookbackWindow": "alertingWindow"},
)
OF_TIME = replace(
    CONDITION,
    what="a condition on the time to burn a budget",
    known={**CONDITION.known, "value": _lasting("a duration above 0", 1e-9)},
)
CONDITIONS = {
    "timeToBurnBudget": OF_TIME,
    "timeToBurnEntireBudget": OF_TIME,
    "burnedBudget": replace(
        CONDITION,
        what="a condition on the burned budget",
        known={key: value for key, value in CONDITION.known.items() if key != "alertingWindow"},
        at_most_one=(),
    ),
    "budgetDrop": replace(
        CONDITION,
        what="a condition on a drop of the budget",
        known={key: value for key, value in CONDITION.known.items() if key != "lastsFor"},
        required=(*CONDITION.required, "alertingWindow"),
        at_most_one=(),
    ),
}
COOL_DOWN = _lasting("a duration of at least 5m", 300)
POLICY = Fields(
    "an alert policy's spec",
    {
        "description": DESCRIPTION,
        "severity": choice("Low", "Medium", "High"),
        "coolDown": COOL_DOWN,
        "cooldown": COOL_DOWN,  # as Nobl9's documentation spells it here and there
        "conditions": Items(some("a condition"), minimum=1),
        "alertMethods": Items(
            Fields("an alert method", {"metadata": METHOD_NAMED}, required=("metadata",), growing=True),
        ),
    },
    required=("severity", "conditions"),
    at_most_one=(("coolDown", "cooldown"),),
    renamed={"notificationTargets": "alertMethods"},
    growing=True,
)
SPECS: dict[str, Shape] = {"SLO": SPEC, "AlertPolicy": POLICY, "Service": some("a service's spec")}
DOCUMENTS = {
    kind: Fields(
        f"a {DEFINED[kind]}" if kind != "Service" else "a Nobl9 service",
        {
            **dict.fromkeys(("apiVersion", "kind", "organization", "manifestSrc", "status"), ANYTHING),
            "metadata": METADATA,
            "spec": spec,
        },
        required=("metadata", "spec"),
        growing=True,
    )
    for kind, spec in SPECS.items()
}
