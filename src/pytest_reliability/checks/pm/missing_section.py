"""PM002: a postmortem that leaves out what others could learn from."""

from __future__ import annotations

from collections.abc import Iterator

from pytest_reliability.contracts import Problem, check
from pytest_reliability.model.nodes import Postmortem
from pytest_reliability.model.sections import POSTMORTEM, POSTMORTEM_REQUIRED, proposed_headings
from pytest_reliability.report import Level


@check(Postmortem, code="PM002", level=Level.BRONZE)
def missing_section(postmortem: Postmortem) -> Iterator[Problem]:
    """What happened, whom it hurt, when, why and what will be done: without one of them the next team learns nothing."""
    for section in POSTMORTEM_REQUIRED:
        if section not in postmortem.section_names:
            first, *others = proposed_headings(POSTMORTEM, section, postmortem.language)
            yield Problem(
                postmortem.at,
                f"postmortem {postmortem.title!r} has no section about {section.replace('_', ' ')} "
                f"(such as {', '.join(map(repr, (first, *others)))})",
                hint=f"add the heading: ## {first}",
            )
