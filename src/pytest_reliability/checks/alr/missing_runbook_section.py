"""ALR003: a runbook without the section that an alert points at."""

from __future__ import annotations

from collections.abc import Iterator

from pytest_reliability.contracts import Problem, check
from pytest_reliability.model.graph import Graph
from pytest_reliability.model.nodes import Alert
from pytest_reliability.report import Level


@check(Alert, code="ALR003", level=Level.BRONZE)
def missing_runbook_section(alert: Alert, graph: Graph) -> Iterator[Problem]:
    """An anchor that does not exist leads to the top of a long page, and the reader wonders what was meant."""
    link = graph.runbook_for(alert)
    if link is None or link.anchor_found is not False or link.path is None or alert.runbook_key is None:
        return
    yield Problem(
        alert.annotations_at.get(alert.runbook_key, alert.at),
        f"alert {alert.name!r} points at #{link.anchor} in {link.path}, which has no such section",
        hint=_hint(link.anchor or "", tuple(heading.anchor for heading in graph.pages[link.path].headings)),
    )


def _hint(anchor: str, known: tuple[str, ...]) -> str:
    from difflib import get_close_matches

    if close := get_close_matches(anchor.casefold(), known, n=1, cutoff=0.6):
        return f"did you mean #{close[0]}?"
    some = ", ".join(f"#{name}" for name in known[:5]) + (", …" if len(known) > 5 else "")
    return f"its sections: {some}" if known else "it has no sections; remove the anchor"
