"""RUN002: a runbook that leaves out what its reader needs."""

from __future__ import annotations

from collections.abc import Iterator

from pytest_reliability.checks._sections import missing_sections
from pytest_reliability.contracts import Problem, check
from pytest_reliability.model.nodes import Runbook
from pytest_reliability.model.sections import RUNBOOK, RUNBOOK_REQUIRED, SUBSTITUTES
from pytest_reliability.report import Level


@check(Runbook, code="RUN002", level=Level.BRONZE)
def missing_section(runbook: Runbook) -> Iterator[Problem]:
    """Under pressure people do what the page says, and guess what it does not say."""
    name = f"runbook {runbook.title!r} ({runbook.kind})"
    yield from missing_sections(runbook, name, RUNBOOK_REQUIRED[runbook.kind], RUNBOOK, SUBSTITUTES)
