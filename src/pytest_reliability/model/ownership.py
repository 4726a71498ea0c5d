"""Who owns a file, by the rules of a CODEOWNERS file.

The patterns are those of gitignore, as GitHub and GitLab have them: `*` does not cross a slash, `**` does; a pattern with a
slash in it (other than at its end) counts from the root; one that names a folder covers all that is in it, while `docs/*` stops
at its files. The last rule that matches decides, and a rule without owners says that nobody owns. In GitLab's sections each
decides for itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pytest_reliability.model.nodes import OwnerRule


def owners_of(rules: Iterable[OwnerRule], path: str) -> tuple[str, ...]:
    """Who owns `path` (relative to the repository's root); empty where nobody does."""
    decided: dict[str, tuple[str, ...]] = {}
    for rule in rules:
        if _compiled(rule.pattern).match(path):
            decided[rule.section] = rule.owners
    return tuple(dict.fromkeys(owner for owners in decided.values() for owner in owners))


_PIECE = re.compile(
    r"(?P<folders>(?<![^/])\*\*/)|(?P<rest>(?<=/)\*\*$)|(?P<any>\*+)|(?P<one>\?)|\\(?P<escaped>.)|(?P<plain>.)", re.S
)
_EXPRESSIONS = {"folders": "(?:.*/)?", "rest": ".*", "any": "[^/]*", "one": "[^/]"}


@lru_cache(maxsize=4096)
def _compiled(pattern: str) -> re.Pattern[str]:
    """The pattern as a regular expression over whole paths. Brackets stand for themselves, as in `app/[slug]/page.tsx`."""
    anchored = "/" in pattern.rstrip("/")
    body = pattern.lstrip("/")
    expression = "".join(_expression(piece) for piece in _PIECE.finditer(body.rstrip("/")))
    if body.endswith("/"):
        end = "/"
    elif anchored and re.search(r"(?:^|/)\*$", body):
        end = "$"
    else:
        end = "(?:/|$)"
    return re.compile(f"{'' if anchored else '(?:.*/)?'}{expression}{end}")


def _expression(piece: re.Match[str]) -> str:
    kind = piece.lastgroup or "plain"
    return _EXPRESSIONS[kind] if kind in _EXPRESSIONS else re.escape(piece[kind])
