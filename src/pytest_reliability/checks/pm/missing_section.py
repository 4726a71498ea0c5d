"""PM002: a postmortem that leaves out what others could learn from."""

from __future__ import annotations

from collections.abc import Iterator

from pytest_reliability.checks._sections import missing_sections
from pytest_reliability.contracts import Problem, check
from pytest_reliability.model.nodes import Postmortem
from pytest_reliability.model.sections import POSTMORTEM, POSTMORTEM_REQUIRED
from pytest_reliability.report import Level


@check(Postmortem, code="PM002", level=Level.BRONZE)
def missing_section(postmortem: Postmortem) -> Iterator[Problem]:
    """What happened, whom it hurt, when, why and what will be done: without one of them the next team learns nothing."""
    yield from missing_sections(postmortem, f"postmortem {postmortem.title!r}", POSTMORTEM_REQUIRED, POSTMORTEM)
