"""Quality gates of Keptn: https://github.com/keptn/spec, `service_level_objective.md`.

Each of the `objectives` of a file with a `spec_version` is an `Slo` named like its `sli`. Keptn compares that with values after a
deployment; there is no share of good events and no window, so `objective` and `window` are None.

* `threshold` and `operator`: the criterion of `pass`, where there is exactly one and it names a value ("<600"); None for what is
  compared with earlier results ("<=+10%"), for ranges and for alternatives
* `service`, owner, runbook, dashboard: what `filter` has under service (or one of `OWNER_KEYS`, `RUNBOOK_KEYS`, `DASHBOARD_KEYS`)
* `scope`: the file. Keptn knows an objective by the project, stage and service that its file was uploaded for

Keptn itself takes a criterion that it cannot read for one that is not met, and says nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from pytest_reliability import shape
from pytest_reliability.contracts import Format
from pytest_reliability.documents import Source, Tree
from pytest_reliability.formats import _slo
from pytest_reliability.model.nodes import Fault, Node, Slo
from pytest_reliability.shape import BOOLEAN, INTEGER, STRING, TEXT, Entries, Fields, Items, Scalar, choice, or_nothing

OPERATORS = {"<=": "lte", "<": "lt", ">=": "gte", ">": "gt", "=": ""}

_CRITERION = re.compile(r"(<=|<|>=|>|=)([-+]?)(\d+(?:\.\d*)?(?:[eE][-+]?\d+)?|\.\d+)(%?)")


def _criterion(text: str) -> re.Match[str] | None:
    """Its operator, sign, number and percent sign. Keptn removes spaces first."""
    return _CRITERION.fullmatch(text.replace(" ", ""))


def _is_score(text: str) -> bool:
    try:
        return 0 <= float(text.strip().removesuffix("%")) <= 100
    except ValueError:
        return False


CRITERION = Scalar(
    "one of <=, <, =, > and >= with a number, such as <600, or for a comparison with earlier results <=+10%,",
    types=(str,),
    accepts=_criterion,
)
ALTERNATIVES = or_nothing(
    Items(Fields("a set of criteria", {"criteria": Items(CRITERION, minimum=1)}, required=("criteria",))),
    "a list of criteria",
)
SCORE = Scalar("a percentage such as 90%", accepts=_is_score)
OBJECTIVE = Fields(
    "an objective",
    {
        "sli": Scalar("the name of an SLI", types=(str,), accepts=str.strip),
        "displayName": STRING,
        "pass": ALTERNATIVES,
        "warning": ALTERNATIVES,
        "weight": INTEGER,
        "key_sli": BOOLEAN,
    },
    required=("sli",),
    renamed={"keySli": "key_sli", "criteria": "pass", "warn": "warning", "name": "sli"},
)
COMPARISON = Fields(
    "the comparison",
    {
        "compare_with": choice("single_result", "several_results"),
        "include_result_with_score": choice("all", "pass", "pass_or_warn"),
        "number_of_comparison_results": INTEGER,
        "aggregate_function": choice("avg", "p50", "p90", "p95"),
    },
)
FILE = Fields(
    "a Keptn SLO file",
    {
        "spec_version": TEXT,
        "filter": or_nothing(Entries(TEXT), "a mapping of names to texts"),
        "comparison": or_nothing(COMPARISON, "a mapping"),
        "objectives": Items(OBJECTIVE, minimum=1),
        "total_score": Fields("the total score", {"pass": SCORE, "warning": SCORE}, required=("pass",)),
    },
    required=("spec_version", "objectives"),
)


def read(source: Source) -> Iterator[Node | Fault]:
    """The objectives in a file, and what is wrong with them."""
    for tree in source.trees:
        data = tree.data
        if isinstance(data, dict) and _is_keptn(data):
            yield from shape.faults(tree, FILE, data)
            yield from _without_score(tree, data)
            for objective in _objectives(data):
                if _slo.text(objective, "sli"):
                    yield _slo_of(source, tree, data, objective)
            yield from tree.faults


def _is_keptn(data: dict[str, Any]) -> bool:
    """Whether it is Keptn's, and about objectives: its indicators and other files have a `spec_version`, too.

    Both in one file are not Keptn's but of tools that have grown out of it.
    """
    return "spec_version" in data and "indicators" not in data and any("sli" in item for item in _objectives(data))


def _objectives(data: dict[str, Any]) -> list[dict[str, Any]]:
    objectives = data.get("objectives")
    return [item for item in objectives if isinstance(item, dict)] if isinstance(objectives, list) else []


def _without_score(tree: Tree, data: dict[str, Any]) -> Iterator[Fault]:
    """Where anything can fail, Keptn wants to know when all of it has, and evaluates nothing until it does."""
    if "total_score" not in data and any(objective.get("pass") for objective in _objectives(data)):
        yield Fault(
            kind="missing-field",
            at=tree.at(data),
            message="a Keptn SLO file has no 'total_score', without which Keptn evaluates nothing",
            hint="add total_score: {pass: 90%, warning: 75%}",
        )


def _slo_of(source: Source, tree: Tree, data: dict[str, Any], objective: dict[str, Any]) -> Slo:
    labels = _slo.texts(tree, data, "filter")
    threshold, operator = _threshold(objective)
    return Slo(
        at=tree.at(objective, "sli"),
        settings=source.settings,
        name=objective["sli"],
        service=labels.get("service") or None,
        scope=source.path,
        dialect="keptn",
        objective_at=tree.at(objective, "pass"),
        threshold=threshold,
        operator=operator,
        owner=_slo.first_of(_slo.OWNER_KEYS, labels),
        runbook=_slo.first_of(_slo.RUNBOOK_KEYS, labels),
        dashboard=_slo.first_of(_slo.DASHBOARD_KEYS, labels),
        description=_slo.text(objective, "displayName") or "",
        labels=labels,
    )


def _threshold(objective: dict[str, Any]) -> tuple[Decimal | None, str]:
    """The value that an objective is compared with, and how; (None, "") where that is not one value."""
    alternatives = objective.get("pass")
    sets = [item.get("criteria") for item in alternatives if isinstance(item, dict)] if isinstance(alternatives, list) else []
    criteria = [text for texts in sets if isinstance(texts, list) for text in texts]
    found = _criterion(criteria[0]) if len(criteria) == 1 and isinstance(criteria[0], str) else None
    if found is None or found[2] or found[4] or not OPERATORS[found[1]]:
        return None, ""
    return Decimal(found[3]), OPERATORS[found[1]]


FORMAT = Format(
    name="keptn",
    files=r"\.(?:ya?ml|json)$",
    marker=rb"spec_version",
    yields=(Slo,),
    read=read,
)
