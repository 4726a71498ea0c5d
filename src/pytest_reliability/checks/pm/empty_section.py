"""PM003: a heading in a postmortem with nothing under it."""

from __future__ import annotations

from collections.abc import Iterator

from pytest_reliability.contracts import Problem, check
from pytest_reliability.model.nodes import Postmortem
from pytest_reliability.report import Level

_DEEPEST = 6


@check(Postmortem, code="PM003", level=Level.BRONZE)
def empty_section(postmortem: Postmortem) -> Iterator[Problem]:
    """An empty section looks answered from afar, and nobody asks again."""
    reported = _DEEPEST
    for section in postmortem.sections:
        if section.heading.level > reported:
            continue  # it is part of one that is empty as a whole
        reported = _DEEPEST
        if section.names and section.empty:
            reported = section.heading.level
            nothing = "特になし" if postmortem.language == "ja" else "none"
            yield Problem(
                section.heading.at,
                f"section {section.heading.text!r} is empty",
                hint=f"write it, or say that there is nothing to say: {nothing}, and why",
            )
