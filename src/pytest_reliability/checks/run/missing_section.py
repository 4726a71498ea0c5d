"""RUN002: a runbook that leaves out what its reader needs."""

from __future__ import annotations

from collections.abc import Iterator

from pytest_reliability.contracts import Problem, check
from pytest_reliability.model.nodes import Runbook
from pytest_reliability.model.sections import RUNBOOK, RUNBOOK_REQUIRED, SUBSTITUTES, proposed_headings
from pytest_reliability.report import Level


@check(Runbook, code="RUN002", level=Level.BRONZE)
def missing_section(runbook: Runbook) -> Iterator[Problem]:
    """Under pressure people do what the page says, and guess what it does not say."""
    for section in RUNBOOK_REQUIRED[runbook.kind]:
        if runbook.section_names.isdisjoint((section, *SUBSTITUTES.get(section, ()))):
            first, *others = proposed_headings(RUNBOOK, section, runbook.language)
            yield Problem(
                runbook.at,
                f"runbook {runbook.title!r} ({runbook.kind}) has no section about {section} "
                f"(such as {', '.join(map(repr, (first, *others)))})",
                hint=f"add the heading: ## {first}",
            )
