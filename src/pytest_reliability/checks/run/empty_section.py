"""RUN003: a heading in a runbook with nothing under it."""

from __future__ import annotations

from collections.abc import Iterator

from pytest_reliability.contracts import Problem, check
from pytest_reliability.model.nodes import Runbook
from pytest_reliability.report import Level

_DEEPEST = 6


@check(Runbook, code="RUN003", level=Level.BRONZE)
def empty_section(runbook: Runbook) -> Iterator[Problem]:
    """A heading promises what is under it, and makes whoever looks for help stop there in vain."""
    reported = _DEEPEST
    for section in runbook.sections:
        if section.heading.level > reported:
            continue  # it is part of one that is empty as a whole
        reported = _DEEPEST
        if section.names and section.empty:
            reported = section.heading.level
            yield Problem(
                section.heading.at,
                f"section {section.heading.text!r} is empty",
                hint="write what the reader needs there, or why there is nothing to say",
            )
