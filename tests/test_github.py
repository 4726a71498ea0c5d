"""Workflow commands: what GitHub's runner understands."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import reports
from pytest_reliability.contracts import Canvas
from pytest_reliability.report import Finding, Level, Report, Severity, Standing
from pytest_reliability.reporters.github import REPORTER


def lines(report: Report) -> list[str]:
    """The lines that a report becomes."""
    text = REPORTER.render(report, Canvas())
    assert text.endswith("\n")
    return text.removesuffix("\n").split("\n")


def command(finding: Finding) -> str:
    """What one finding becomes."""
    return lines(reports.report(reports.failed(finding)))[0]


def parsed(line: str) -> tuple[str, dict[str, str], str]:
    """A command as the runner reads it: up to the first two colons are properties, and every escape is undone."""
    name, properties, message = re.fullmatch(r"::(\w+) (.*?)::(.*)", line, re.S).groups()  # type: ignore[union-attr]

    def undone(text: str) -> str:
        for escape, character in (("%0D", "\r"), ("%0A", "\n"), ("%3A", ":"), ("%2C", ","), ("%25", "%")):
            text = text.replace(escape, character)
        return text

    pairs = (pair.partition("=") for pair in properties.split(","))
    return name, {key: undone(value) for key, _, value in pairs}, undone(message)


def test_a_finding_is_an_annotation_of_its_line() -> None:
    """Place, title and message, with what to do on the next line."""
    assert (
        "::error file=alerts/checkout.yaml,line=14,endLine=14,col=24,endColumn=54,title=ALR002 missing-runbook"
        "::alert 'CheckoutSlow' names a runbook that is not there%0Areliability new runbook CheckoutSlow"
    ) == command(reports.finding())


def test_a_finding_of_unknown_width_and_without_a_hint() -> None:
    """No end is invented, and no empty line is printed."""
    assert ("::error file=a.yaml,line=1,endLine=1,col=1,title=ALR002 missing-runbook::service 'checkout' has no SLO") == command(
        reports.finding(path="a.yaml", line=1, column=1, width=0, hint="", message="service 'checkout' has no SLO")
    )


@pytest.mark.parametrize(
    ("severity", "name"), [(Severity.ERROR, "error"), (Severity.WARNING, "warning"), (Severity.INFO, "notice")]
)
def test_severities_have_commands(severity: Severity, name: str) -> None:
    """GitHub knows three kinds."""
    assert command(reports.finding(reports.check(severity=severity))).startswith(f"::{name} ")


def test_escapes_are_those_of_the_runner() -> None:
    """Per cent and line ends in data; colons and commas in properties as well."""
    line = command(reports.finding(path="a,b:c%.yaml", message="50%: a,\r\nb", hint=""))
    assert "file=a%2Cb%3Ac%25.yaml," in line
    assert line.endswith("::50%25: a,%0D%0Ab")


@settings(max_examples=50, deadline=None)
@given(path=st.text(min_size=1), message=st.text(min_size=1))
def test_whatever_a_finding_says_the_runner_reads_it_back(path: str, message: str) -> None:
    """No text can end a command early or start another one."""
    found = reports.finding(path=path, message=message, hint="")
    first, *_, last = REPORTER.render(reports.report(reports.failed(found)), Canvas()).removesuffix("\n").split("\n")
    name, properties, said = parsed(first)
    assert ("error", path, message) == (name, properties["file"], said)
    assert last.startswith("reliability: ")


def test_what_has_no_place_comes_first() -> None:
    """Unknown checks are errors without a file, and so are failed budgets; inconclusive ones warn."""
    test = "tests/test_checkout.py::test_checkout"
    dim = f"p95 is at most 78 ms%0A120 samples were not enough to tell%0A{test}"
    slow = f"p95 is 57.1 ms to 66 ms%0A19 of 102 over (14 would do), confirmed in a fresh batch of 68%0A{test}"
    assert [
        "::error title=RUN020 dead-link could not be judged::could not be read: docs/runbooks/broken.md",
        f"::warning title=latency budget search p95 <= 50 ms is inconclusive::{dim}",
        f"::error title=latency budget POST /cart p95 <= 50 ms failed::{slow}",
    ] == lines(reports.full())[:3]


def test_findings_follow_by_place_and_waived_ones_are_left_out() -> None:
    """An annotation is a request to mend something."""
    files = [match[1] for line in lines(reports.full()) if (match := re.search(r"file=([^,]+),", line))]
    assert [
        "alerts/checkout.yaml",
        "docs/postmortems/2026-10-03.md",
        "docs/postmortems/2026-10-03.md",
        "docs/runbooks/checkout-latency.md",
    ] == files


def test_the_last_line_is_for_people() -> None:
    """The count and the level, in one plain line."""
    assert (
        "reliability: checkout: 4 findings in 3 files: 2 errors, 2 warnings; 1 check could not be judged; "
        "1 latency budget failed; 1 latency budget inconclusive; 1 waived; "
        "level bronze* ▸ silver needs 2 more checks (* with waivers)"
    ) == lines(reports.full())[-1]
    good = reports.report(reports.passed(reports.LINK), standing=Standing(level=Level.GOLD, next_level=None))
    assert ["reliability: checkout: no findings; level gold"] == lines(good)
    assert ["reliability: checkout: no findings"] == lines(reports.report(partial=True))


def test_a_service_s_name_cannot_start_a_command() -> None:
    """The name comes from the repository that is checked."""
    assert ["reliability: x ::add-mask::y: no findings"] == lines(reports.report(service="x\n::add-mask::y", partial=True))
