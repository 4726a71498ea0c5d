"""Every check's page: it is there, it is complete, and its examples come out as written."""

from __future__ import annotations

import re

import pytest

from pytest_reliability import plugins
from pytest_reliability.contracts import Check
from pytest_reliability.testing import check_page

CATALOGUE = plugins.load()
FENCE = re.compile(r"^(`{3,}).*?^\1$", re.M | re.S)
CHECKS = pytest.mark.parametrize("check", CATALOGUE.checks, ids=lambda check: check.code)


@CHECKS
def test_examples_come_out_as_the_page_says(check: Check) -> None:
    """What a page promises is what the check says, word for word."""
    examples = list(check_page(check, CATALOGUE))
    assert [(heading, expected) for heading, expected, _ in examples] == [(heading, actual) for heading, _, actual in examples]


@CHECKS
def test_a_page_shows_the_check_both_speaking_and_silent(check: Check) -> None:
    """A page without a finding proves nothing, and one without a quiet case invites false alarms."""
    expected = [text for _, text, _ in check_page(check, CATALOGUE)]
    assert any(re.search(r":\d+:\d+: ", text) for text in expected), "no example with a finding"
    assert any(not text for text in expected), "no example that passes"


@CHECKS
def test_a_page_is_complete(check: Check) -> None:
    """Whoever meets a finding learns why it matters, what it is, how to mend it and how to allow it."""
    page = check.page.read_text(encoding="utf-8")
    assert page.startswith(f"# {check.code} {check.name}\n")
    headings = re.findall(r"^## (.+)$", FENCE.sub("", page), re.M)
    assert ["What it finds", "How to fix it", "How to allow it"] == headings[:3]
    why = page.partition("\n## ")[0].partition("\n")[2].strip()
    assert len(why) > 80


@CHECKS
def test_a_check_and_its_module_have_one_name(check: Check) -> None:
    """A check is found where its name says: checks/<family>/<name>.py, with the page beside it."""
    assert check.page.stem.replace("_", "-") == check.name
    assert check.page.parent.name.upper() == check.code.rstrip("0123456789")
