"""PM003: a heading in a postmortem with nothing under it."""

from __future__ import annotations

from collections.abc import Iterator

from pytest_reliability.checks._sections import empty_sections
from pytest_reliability.contracts import Problem, check
from pytest_reliability.model.nodes import Postmortem
from pytest_reliability.report import Level


@check(Postmortem, code="PM003", level=Level.BRONZE)
def empty_section(postmortem: Postmortem) -> Iterator[Problem]:
    """An empty section looks answered from afar, and nobody asks again."""
    nothing = "特になし" if postmortem.language == "ja" else "none"
    yield from empty_sections(postmortem, f"write it, or say that there is nothing to say: {nothing}, and why")
