"""RUN003: a heading in a runbook with nothing under it."""

from __future__ import annotations

from collections.abc import Iterator

from pytest_reliability.checks._sections import empty_sections
from pytest_reliability.contracts import Problem, check
from pytest_reliability.model.nodes import Runbook
from pytest_reliability.report import Level


@check(Runbook, code="RUN003", level=Level.BRONZE)
def empty_section(runbook: Runbook) -> Iterator[Problem]:
    """A heading promises what is under it, and makes whoever looks for help stop there in vain."""
    yield from empty_sections(runbook, "write what the reader needs there, or why there is nothing to say")
