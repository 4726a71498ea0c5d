"""The Markdown report: what GitHub makes of it, whatever a repository holds."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

import reports
from pytest_reliability.contracts import Canvas
from pytest_reliability.report import Level, Report, Severity, Standing, Waiver
from pytest_reliability.reporters._text import clean
from pytest_reliability.reporters.markdown import LIMIT, REPORTER, error_budgets, latency

PARSER = MarkdownIt("commonmark").enable("table")


def markdown(report: Report) -> str:
    """What a report becomes."""
    text = REPORTER.render(report, Canvas())
    assert text.endswith("\n")
    assert not text.endswith("\n\n")
    return text


def inline(text: str) -> list[Token]:
    """The inline tokens of all text in a document."""
    return [child for token in PARSER.parse(text) for child in token.children or ()]


def read(text: str) -> str:
    """A document as a reader sees its text, without markup."""
    return "".join(token.content for token in inline(text) if token.type in ("text", "code_inline", "text_special"))


def test_the_whole_report() -> None:
    """From where the service stands to what is folded away."""
    assert (Path(__file__).parent / "data" / "report.md").read_text(encoding="utf-8") == markdown(reports.full())


def test_it_parses_as_meant() -> None:
    """Four tables with as many columns in every row as in the head, a heading for each file, and lists."""
    tokens = PARSER.parse(markdown(reports.full()))
    assert 4 == sum(token.type == "table_open" for token in tokens)
    files = ["checkout.yaml", "2026-10-03.md", "checkout-latency.md"]
    assert ["checkout", "Next", "judged", "Findings", *files, "Latency", "budgets"] == [
        re.split(r"[ /]", tokens[number + 1].content.strip("`"))[-1]
        for number, token in enumerate(tokens)
        if token.type == "heading_open"
    ]
    assert 7 == sum(token.type == "list_item_open" for token in tokens) - 2


def test_a_good_report_is_short() -> None:
    """No heading without anything under it."""
    standing = Standing(level=Level.GOLD, next_level=None)
    lines = [
        line
        for line in markdown(reports.report(reports.passed(reports.SUMMARY), standing=standing, tier="A")).splitlines()
        if line
    ]
    assert [
        "## Reliability: checkout",
        "**gold**, tier A",
        "no findings",
        "<details><summary>Checks: 1 passed</summary>",
    ] == lines[:4]
    assert not [line for line in lines if line.startswith("###")]


def test_a_partial_report_claims_no_level() -> None:
    """Three files say nothing about the service."""
    text = markdown(replace(reports.full(), partial=True))
    assert "bronze" not in text
    assert "responsibility" not in text


def test_several_services_have_a_table() -> None:
    """A row for each, and the findings of all."""
    part = reports.report(reports.failed(reports.finding()), service="a|b")
    text = markdown(reports.report(*part.outcomes, service="shop", parts=[part, reports.report(service="c", partial=True)]))
    assert (
        "| a\\|b | none ▸ bronze finds nothing to check yet | 1 finding in 1 file: 1 error |\n| c | – | no findings |\n" in text
    )
    assert 1 == text.count("names a runbook")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("alert 'a`b' pages", "alert ``a`b`` pages"),
        ("alert '`' pages", "alert `` ` `` pages"),
        ("path 'a|b' | c", "path `a|b` | c"),
        ("doesn't mean 'this' or 'that'", "doesn't mean `this` or `that`"),
        ("<b>*x*</b> _y_ [z](w) $1 &amp; !", "\\<b\\>\\*x\\*\\</b\\> \\_y\\_ \\[z\\](w) \\$1 \\&amp; \\!"),
        ("ask @org/team about #12", "ask @<!-- -->org/team about #<!-- -->12"),
        ("a\nb\x1bc", "a b␛c"),
    ],
)
def test_text_from_a_repository_is_no_markup(text: str, expected: str) -> None:
    """Names in quotes become code; nobody is notified, and nothing is linked, rendered or typeset."""
    report = reports.report(reports.failed(reports.finding(message=text, hint="")))
    assert f": {expected}\n" in markdown(report)


@settings(max_examples=40, deadline=None)
@given(st.text(st.sampled_from("ab '`|*_<>[]()\\#@&$!~\n語-1.")) | st.text())
def test_a_reader_sees_exactly_what_was_said(text: str) -> None:
    """Parsed as Markdown, a message is its text, quotes aside, in a list and in a table: no tag, no link, no emphasis."""
    for shown in (
        markdown(reports.report(reports.failed(reports.finding(message=f"x{text}x", hint="")))),
        markdown(reports.report(reports.unknown(reports.LINK, f"x{text}x"))),
    ):
        expected = re.sub(r"(?<!\w)'([^']+)'(?!\w)", r"\1", clean(f"x{text}x"))
        assert expected in read(shown)
        allowed = {"text", "text_special", "code_inline", "html_inline", "strong_open", "strong_close"}
        tokens = inline(shown)
        assert allowed >= {token.type for token in tokens}
        assert {"<!-- -->"} >= {token.content for token in tokens if token.type == "html_inline"}


def test_a_long_report_is_cut_with_the_count_of_the_rest() -> None:
    """The worst findings stay, and a comment can hold the whole."""
    noise = "長い説明" * 200
    warnings = [
        reports.finding(reports.SUMMARY, path=f"a/{line}.yaml", line=line, message=f"{noise} @x") for line in range(1, 500)
    ]
    errors = [reports.finding(path="z.yaml", line=line, message=f"broken {line}") for line in range(1, 6)]
    accepted = [reports.finding(reports.REPLICA, line=line, message=noise, waiver=Waiver(noise)) for line in range(1, 100)]
    checks = [reports.unknown(reports.check(f"XX{number:03}", "x"), noise) for number in range(200)]
    measured = [reports.measurement(noise, reason=noise) for _ in range(100)]
    parts = [reports.report(service=noise) for _ in range(100)]
    slos = [reports.objective(noise) for _ in range(100)]
    outcomes = (reports.failed(*warnings), reports.failed(*errors), reports.waived(*accepted), *checks)
    report = reports.report(*outcomes, measurements=measured, objectives=slos, parts=parts)
    text = markdown(report)
    assert LIMIT // 2 < len(text) <= LIMIT
    assert 5 == text.count("broken")
    shown = len(re.findall(r"\*\*ALR006\*\*", text.partition("### Findings")[2]))
    assert shown > 5
    assert f"\n… and {499 - shown} more findings; `reliability check --verbose` shows them all\n" in text
    for noun in ("service", "check", "latency budget", "SLO", "finding"):
        assert re.search(rf"\n… and \d+ more {noun}s\n", text)


def test_severities_are_words() -> None:
    """No meaning is carried by a picture or a colour."""
    for severity in Severity:
        assert f"- 14:24 {severity.value} **" in markdown(
            reports.report(reports.failed(reports.finding(reports.check(severity=severity))))
        )


def test_what_was_measured_can_stand_alone() -> None:
    """A step that ran pytest tells what only pytest knows, and nothing where nothing was measured."""
    text = latency(reports.full())
    tokens = PARSER.parse(text)
    assert ["Latency budgets: checkout"] == [
        tokens[number + 1].content for number, token in enumerate(tokens) if token.type == "heading_open"
    ]
    assert 3 == sum(token.type == "tr_open" for token in tokens) - 1
    assert "`20 ms ▁▂▅█▇▆▅▄┊▃▂▂▁▁▁▁▁ 84 ms`" in text
    assert "<br>where the time went: 61% db.py:88 fetch\\_cart, 22% json/encoder.py:205 encode<br>2 of 104 calls" in text
    assert "3 budgets: 1 pass, 1 FAIL, 1 inconclusive; the chance that any of them fails by accident is at most 0.05%" in text
    assert "" == latency(reports.report())


def test_error_budgets_have_a_row_for_each_slo() -> None:
    """In minutes and requests, with a chart that GitHub shows, and what each alert does; alone as well."""
    text = error_budgets("a*b", reports.full().objectives)
    assert text.startswith("## Error budgets: a\\*b\n\n| SLO | objective | error budget | | requests | gone after | alerts |\n")
    tokens = [token.content for token in PARSER.parse(text) if token.type == "inline"]
    assert ["checkout/checkout-availability", "99.9% over 30d", "43.2 minutes", "`██████████`"] == tokens[8:12]
    assert "1 in 1,000 requests: 25,920 in 30d" == tokens[12]
    assert "43.2 minutes of outage<br>3 days at 10x<br>30 days at 1x" == tokens[13]
    assert "page: 14.4x over 1h and 5m (2% of the budget): fires after 51.8 s of outage; not at 10x, 1x" == tokens[14]
    assert text.partition("\n")[2] == text.partition("\n")[2].replace("### ", "")
    assert "no SLOs here" in error_budgets("x", ())
