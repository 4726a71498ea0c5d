"""ALR005: a severity that no route and no person knows."""

from __future__ import annotations

from collections.abc import Iterator

from pytest_reliability.contracts import Problem, check
from pytest_reliability.model.nodes import Alert
from pytest_reliability.report import Level

WELL_KNOWN = ("critical", "warning", "emergency", "informational")
"""Words that are long enough for a misspelling to be certain."""
_OTHER = """
    critic critica critico criticals critically uncritical warnung warned warnings emergencia emergenza emergent emergencies
    information informative
"""
OTHER_WORDS = frozenset(_OTHER.split())
"""Words of other scales and languages that look like one of them."""


@check(Alert, code="ALR005", level=Level.BRONZE)
def unknown_severity(alert: Alert) -> Iterator[Problem]:
    """Routes match severities letter by letter: an alert with a misspelt one falls through to the default, or to nobody."""
    severity, vocabulary = alert.severity, alert.settings.severities
    if not severity or "{{" in severity or severity in vocabulary.known:
        return
    meant = _meant(severity.casefold(), vocabulary.known) if vocabulary.configured else _misspelt(severity.casefold())
    if meant or vocabulary.configured:
        hint = f"did you mean {meant}?" if meant else f"known here: {', '.join(vocabulary.known)}"
        at = alert.labels_at.get(vocabulary.label, alert.at)
        yield Problem(at, f"alert {alert.name!r} has {vocabulary.label} {severity!r}, which is not known", hint)


def _misspelt(word: str) -> str | None:
    """The well-known word that is misspelt; None for any scale of somebody's own."""
    return None if word in OTHER_WORDS or word in WELL_KNOWN or not word.isalpha() else _meant(word, WELL_KNOWN)


def _meant(word: str, known: tuple[str, ...]) -> str | None:
    """The known word that differs in no more than one letter, or in two where it is long."""
    return next((one for one in known if _distance(word, one.casefold()) <= (2 if len(one) > 7 else len(one) > 3)), None)


def _distance(one: str, other: str) -> int:
    """How many letters have to be added, removed, changed or swapped with the next."""
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, a in enumerate(one, 1):
        before, last, row = row, before, [i]
        for j, b in enumerate(other, 1):
            row.append(min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (a != b)))
            if i > 1 and j > 1 and a == other[j - 2] and one[i - 2] == b:
                row[j] = min(row[j], last[j - 2] + 1)
    return row[-1]
