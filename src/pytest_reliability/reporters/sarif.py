"""SARIF 2.1.0, for code scanning: GitHub, GitLab, Azure DevOps, editors."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import Any

from pytest_reliability.contracts import Canvas, Reporter
from pytest_reliability.model.nodes import Replace
from pytest_reliability.report import CheckInfo, Finding, Outcome, Report, Severity

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"

_LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}
_GITHUB_SEVERITIES = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "recommendation"}
_ROOT = "%SRCROOT%"
_VOLATILE = re.compile(r"('[^']*')|\s+|\d+(?:\.\d+)?")
_LINK = re.compile(r"\[(?=[^\[\]]*\]\()")


def render(report: Report, canvas: Canvas) -> str:
    """A log of one run: every check that ran is a rule, every finding a result, every unknown check a notification."""
    import json

    checks = sorted({outcome.check.code: outcome.check for outcome in report.outcomes}.items())
    index = {code: number for number, (code, _) in enumerate(checks)}
    run = {
        "tool": {"driver": {"name": "pytest-reliability", "version": _version(), "rules": [_rule(check) for _, check in checks]}},
        "columnKind": "unicodeCodePoints",
        "originalUriBaseIds": {_ROOT: {"description": {"text": "The root of the repository."}}},
        "invocations": [
            {
                "executionSuccessful": not report.unknown,
                "toolExecutionNotifications": [_notification(outcome, index) for outcome in report.unknown],
            }
        ],
        "results": _results([*report.findings, *report.waived], index),
    }
    text = json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2, ensure_ascii=False)
    return text.encode("utf-8", "replace").decode("utf-8") + "\n"


def _version() -> str:
    from importlib.metadata import version

    return version("pytest-reliability")


def _rule(check: CheckInfo) -> dict[str, Any]:
    title = check.name.replace("-", " ")
    why = _plain(check.summary or title)
    return {
        "id": check.code,
        "name": check.name,
        "shortDescription": {"text": title},
        "fullDescription": {"text": why},
        "help": {"text": f"{why}\nWhat it finds, how to fix it and how to allow it: reliability explain {check.code}"},
        "defaultConfiguration": {"level": _LEVELS[check.severity]},
        "properties": {"tags": [check.responsibility.value], "problem.severity": _GITHUB_SEVERITIES[check.severity]},
    }


def _results(findings: Sequence[Finding], index: dict[str, int]) -> list[dict[str, Any]]:
    seen: Counter[str] = Counter()
    results = []
    for finding in sorted(findings, key=lambda finding: (finding.at, finding.code, finding.message)):
        problem = _fingerprint(finding)
        seen[problem] += 1
        results.append(_result(finding, index[finding.code], f"{problem}:{seen[problem]}"))
    return results


def _result(finding: Finding, rule: int, fingerprint: str) -> dict[str, Any]:
    result: dict[str, Any] = {
        "ruleId": finding.code,
        "ruleIndex": rule,
        "level": _LEVELS[finding.severity],
        "message": {"text": _plain(finding.message + (f"\n{finding.hint}" if finding.hint else ""))},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": _uri(finding.at.path), "uriBaseId": _ROOT},
                    "region": _region(finding),
                }
            }
        ],
        "partialFingerprints": {"reliability/v1": fingerprint},
    }
    if isinstance(finding.edit, Replace) and (fix := _fix(finding, finding.edit)):
        result["fixes"] = [fix]
    if finding.waiver:
        waiver = finding.waiver
        result["suppressions"] = [
            {
                "kind": "external",
                "status": "accepted",
                "justification": waiver.reason,
                "properties": {"owner": waiver.owner, "until": waiver.until},
            }
        ]
    return result


def _fix(finding: Finding, edit: Replace) -> dict[str, Any] | None:
    """The edit as a replacement, where the finding's own line shows what it replaces; other edits need the whole file."""
    start = edit.at.column - 1
    if (edit.at.path, edit.at.line) != (finding.at.path, finding.at.line):
        return None
    if finding.source[start : start + 1] in ("'", '"') and not finding.source.startswith(edit.old, start):
        start += 1
    if not finding.source.startswith(edit.old, start) or re.search(r"[\"'\\]", edit.new):  # what to escape depends on the file
        return None
    region = {"startLine": edit.at.line, "startColumn": start + 1, "endColumn": start + 1 + len(edit.old)}
    return {
        "description": {"text": _plain(f"write {edit.new}")},
        "artifactChanges": [
            {
                "artifactLocation": {"uri": _uri(edit.at.path), "uriBaseId": _ROOT},
                "replacements": [{"deletedRegion": region, "insertedContent": {"text": edit.new}}],
            }
        ],
    }


def _region(finding: Finding) -> dict[str, int]:
    at = finding.at
    region = {"startLine": at.line, "startColumn": at.column}
    return {**region, "endColumn": at.column + at.width} if at.width else region


def _notification(outcome: Outcome, index: dict[str, int]) -> dict[str, Any]:
    check = outcome.check
    return {
        "level": "error",
        "message": {"text": _plain(f"{check.code} {check.name} could not be judged: {outcome.reason}")},
        "associatedRule": {"id": check.code, "index": index[check.code]},
    }


def _fingerprint(finding: Finding) -> str:
    """The same for the same problem after lines moved and numbers changed; what stands in quotes is a name, and counts."""
    from hashlib import sha256

    message = _VOLATILE.sub(lambda match: match[1] or " ", finding.message)
    parts = (finding.code, finding.at.path, " ".join(message.split()))
    return sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:32]


def _plain(text: str) -> str:
    """Text as a SARIF message (section 3.11): braces would be placeholders, `[a](b)` a link."""
    return _LINK.sub(r"\\[", text.replace("{", "{{").replace("}", "}}"))


def _uri(path: str) -> str:
    """The path as a relative reference; colons are encoded too, because one in the first segment would make a scheme of it."""
    from urllib.parse import quote

    return quote(path, encoding="utf-8", errors="surrogateescape")


REPORTER = Reporter(name="sarif", render=render)
