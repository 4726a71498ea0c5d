"""The JSON report: what programs rely on."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

import reports
from pytest_reliability.contracts import Canvas
from pytest_reliability.model.location import Location
from pytest_reliability.model.nodes import Edit, Replace, Rewrite, SetKey
from pytest_reliability.report import Level, Report, Responsibility, Standing
from pytest_reliability.reporters.json import REPORTER

DOCS = Path(__file__).parents[1] / "docs"
SCHEMA = json.loads((DOCS / "report.schema.json").read_text(encoding="utf-8"))


def rendered(report: Report) -> Any:
    """The report, read back and found valid."""
    text = REPORTER.render(report, Canvas())
    assert text.endswith("}\n")
    data = json.loads(text)
    Draft202012Validator(SCHEMA).validate(data)
    return data


def test_the_shape_that_programs_rely_on() -> None:
    """The documented core, field by field."""
    data = rendered(reports.report(reports.failed(reports.finding(), subjects=3), standing=Standing(level=Level.BRONZE)))
    core = {
        "schema": data["schema"],
        "service": data["service"],
        "level": data["level"],
        "outcomes": [
            {
                **{key: outcome[key] for key in ("code", "name", "status", "severity", "subjects", "responsibility")},
                "findings": [
                    {key: finding[key] for key in ("path", "line", "column", "message", "hint")}
                    for finding in outcome["findings"]
                ],
            }
            for outcome in data["outcomes"]
        ],
    }
    page = (DOCS / "json.md").read_text(encoding="utf-8")
    documented = re.search(r"```json\n(.*?)```", page, re.S)
    assert documented
    assert json.loads(documented[1]) == core


def test_everything_that_a_report_holds_is_there() -> None:
    """Standing, tier, waivers, reasons and measurements."""
    data = rendered(reports.full())
    assert {
        "service": "checkout",
        "level": "bronze",
        "waived": True,
        "next_level": "silver",
        "blockers": ["RUN010", "PM022"],
        "tier": "B",
        "tier_reason": "strictest objective 99.9%",
        "partial": False,
        "files": 0,
        "coverage": {
            "availability": 100,
            "latency": 83,
            "performance": 100,
            "efficiency": None,
            "change management": 50,
            "monitoring": 92,
            "emergency response": 75,
            "capacity planning": 0,
        },
    } == {key: value for key, value in data.items() if key not in ("schema", "outcomes", "measurements", "objectives")}
    outcomes = {outcome["code"]: outcome for outcome in data["outcomes"]}
    assert ["ALR002", "ALR006", "CAP002", "PM022", "RUN010", "RUN020", "RUN042"] == list(outcomes)
    assert ("unknown", "could not be read: docs/runbooks/broken.md") == (
        outcomes["RUN020"]["status"],
        outcomes["RUN020"]["reason"],
    )
    assert ("not applicable", "gold") == (outcomes["RUN042"]["status"], outcomes["RUN042"]["level"])
    assert {"reason": "one node is enough in staging", "owner": "payments", "until": "2026-12-01"} == outcomes["CAP002"][
        "findings"
    ][0]["waiver"]
    assert 30 == outcomes["ALR002"]["findings"][0]["width"]
    assert ["pass", "inconclusive", "fail"] == [measurement["outcome"] for measurement in data["measurements"]]
    assert [0.0571, 0.066, 0.05] == [data["measurements"][2][key] for key in ("low", "high", "limit")]


@pytest.mark.parametrize(
    ("standing", "level"),
    [
        (Standing(), "none"),
        (Standing(unrated=True, level=Level.GOLD), "unrated"),
        (Standing(level=Level.SILVER, waived=True), "silver"),
        (Standing(level=Level.GOLD, next_level=None), "gold"),
    ],
)
def test_the_level_is_one_of_five_words(standing: Standing, level: str) -> None:
    """Nobody has to strip a star."""
    assert level == rendered(reports.report(standing=standing))["level"]


def test_services_are_there_only_where_there_are_several() -> None:
    """Each has the fields of the whole, without the version."""
    part = reports.report(reports.failed(reports.finding()), service="検索")
    data = rendered(reports.report(*part.outcomes, service="shop", parts=[part]))
    assert {**rendered(part), "schema": None} == {**data["services"][0], "schema": None}
    assert "schema" not in data["services"][0]
    assert "services" not in rendered(part)


def test_the_order_does_not_depend_on_how_the_report_was_made() -> None:
    """Outcomes by code, findings by place and message."""
    one, two = reports.finding(line=2, message="b"), reports.finding(line=2, message="a")
    other = reports.passed(reports.SUMMARY)
    first = reports.report(reports.failed(one, two), other)
    second = reports.report(other, reports.failed(two, one))
    assert REPORTER.render(first, Canvas()) == REPORTER.render(second, Canvas())
    assert ["a", "b"] == [finding["message"] for finding in rendered(first)["outcomes"][0]["findings"]]


def test_text_is_readable_and_always_utf_8() -> None:
    """Japanese is not escaped; a file name that is no valid text does not break the report."""
    text = REPORTER.render(reports.report(reports.failed(reports.finding(path="手順/\udce3.md"))), Canvas())
    assert '"path": "手順/?.md"' in text
    text.encode("utf-8")


def test_what_has_no_bound_is_null() -> None:
    """JSON has no infinity."""
    measured = reports.measurement(low=None, high=float("inf"), limit=float("inf"))
    (measurement,) = rendered(reports.report(measurements=[measured]))["measurements"]
    assert [None, None, None] == [measurement[key] for key in ("low", "high", "limit")]


@settings(max_examples=50, deadline=None)
@given(message=st.text(), path=st.text(min_size=1), hint=st.text())
def test_any_text_survives(message: str, path: str, hint: str) -> None:
    """Whatever a finding says comes back as it was."""
    data = rendered(reports.report(reports.failed(reports.finding(message=message, path=path, hint=hint))))
    (finding,) = data["outcomes"][0]["findings"]
    assert [message, path, hint] == [finding["message"], finding["path"], finding["hint"]]


def test_every_field_is_in_the_schema_and_on_the_page() -> None:
    """What we print is documented, and what is documented is printed."""
    closed = json.loads(json.dumps(SCHEMA))
    for definition in closed["$defs"].values():
        if "properties" in definition:
            definition["additionalProperties"] = False
            assert sorted(definition["required"]) == sorted(definition["properties"])
    for name in ("waiver", "edit"):
        closed["$defs"]["finding"]["properties"][name]["additionalProperties"] = False
    data = rendered(reports.full())
    del data["schema"]
    Draft202012Validator({"$ref": "#/$defs/service", "$defs": closed["$defs"]}).validate(data)
    page = (DOCS / "json.md").read_text(encoding="utf-8")
    for kind, heading in (
        ("service", "The report"),
        ("outcome", "An outcome"),
        ("finding", "A finding"),
        ("measurement", "A measurement"),
        ("objective", "An SLO"),
        ("alert", "An alert on an error budget"),
    ):
        section = page.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
        named = set(re.findall(r"`(\w+)`", "".join(re.findall(r"^\| (`.*?) \|", section, re.M)))) - {"schema", "services"}
        assert set(closed["$defs"][kind]["properties"]) == named


def test_the_schema_notices_a_wrong_report() -> None:
    """A schema that accepts everything proves nothing."""
    data = rendered(reports.full())
    data["outcomes"][0]["status"] = "green"
    data["outcomes"][1]["findings"] = [{"path": "a"}]
    data["coverage"]["luck"] = 50
    assert 8 <= len(list(Draft202012Validator(SCHEMA).iter_errors(data)))


def test_the_words_of_the_model_are_those_of_the_schema() -> None:
    """A new status or responsibility cannot appear without being documented."""
    definitions = SCHEMA["$defs"]
    assert [responsibility.value for responsibility in Responsibility] == definitions["responsibility"]["enum"]
    assert [level.value for level in Level] == definitions["level"]["enum"]
    from pytest_reliability.report import Severity, Status

    assert [status.value for status in Status] == definitions["outcome"]["properties"]["status"]["enum"]
    assert [severity.value for severity in Severity] == definitions["outcome"]["properties"]["severity"]["enum"]


@pytest.mark.parametrize(
    ("edit", "told"),
    [
        (
            Replace(Location("a.yaml", 2, 3), "0.999", "99.9"),
            {"kind": "replace", "path": "a.yaml", "line": 2, "column": 3, "old": "0.999", "new": "99.9"},
        ),
        (
            SetKey(Location("a.yaml", 2, 3), ("labels", "objective"), Decimal("99.9")),
            {"kind": "set", "path": "a.yaml", "line": 2, "column": 3, "keys": ["labels", "objective"], "value": 99.9},
        ),
        (Rewrite("a.yaml", "new"), {"kind": "rewrite", "path": "a.yaml", "text": "new"}),
    ],
)
def test_what_a_machine_can_mend_is_told(edit: Edit, told: dict[str, Any]) -> None:
    """Programs can do what reliability fix does."""
    data = rendered(reports.report(reports.failed(replace(reports.finding(), edit=edit))))
    assert told == data["outcomes"][0]["findings"][0]["edit"]


def test_an_slo_has_its_error_budget() -> None:
    """In seconds and requests, with what never happens as null."""
    (objective, other) = rendered(reports.full())["objectives"]
    assert (2592.0, 0.001, 25920) == tuple(objective[key] for key in ("budget", "budget_share", "budget_requests"))
    assert {"outage": 2592.0, "10x": 259200.0, "1x": 2592000.0} == objective["exhausted_after"]
    (alert,) = objective["alerts"]
    assert ({"outage": 51.84, "10x": None, "1x": None}, 0.02) == (alert["fires_after"], alert["budget_spent"])
    assert (None, None, ["CheckoutSlow"]) == tuple(other[key] for key in ("budget", "exhausted_after", "unread_alerts"))
