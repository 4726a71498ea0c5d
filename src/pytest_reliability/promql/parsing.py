"""Parse an expression; where it is invalid say what is wrong, as a person would, and where."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

import promql_parser

from pytest_reliability.promql.spelling import older, quoted

MOST_OPERATORS = 500
"""An expression with more is not judged: the parser's time grows with their square, and some thousands overflow its stack."""


@dataclass(frozen=True, slots=True)
class Parsed:
    """What came of an expression: it is `valid`, or there is an `error`, or neither where it cannot be judged.

    `offset` is where in the text the error is, None where that cannot be told. `rewritten` says that the tree is one of an older
    spelling, in which computed ranges have another length.
    """

    text: str
    valid: bool = False
    error: str | None = None
    hint: str = ""
    offset: int | None = None
    rewritten: bool = False

    @property
    def tree(self) -> promql_parser.Expr | None:
        """The syntax tree; None where the expression is not valid."""
        return _tree(older(self.text) if self.rewritten else self.text) if self.valid else None


@lru_cache(maxsize=16384)
def parse(text: str) -> Parsed:
    """Judge one expression, with every placeholder already substituted. The same text is judged only once."""
    if len(text) > MOST_OPERATORS and _operators(text) > MOST_OPERATORS:
        return Parsed(text)
    if _can_be_parsed(_pattern(text)) or _can_be_parsed(text):
        return Parsed(text, valid=True)
    if _can_be_parsed(older(text)):
        return Parsed(text, valid=True, rewritten=True)
    from pytest_reliability.promql.complaints import explained

    said = explained(text)
    return Parsed(text) if said is None else Parsed(text, error=said.message, hint=said.hint, offset=said.offset)


def _operators(text: str) -> int:
    from pytest_reliability.promql.tokens import tokens

    return sum(token.kind == "mark" for token in tokens(text))


_VALUE = r"""=(\s*)"[^"'\\\n]+\""""
_FRACTION = r"\b[0-9]+\.[0-9]+\b"


def _pattern(text: str) -> str:
    """The expression with its labels' values and its thresholds replaced: generated rules differ in nothing else.

    An expression of the same pattern as a valid one is valid. Regular expressions stay, because some of them are not.
    """
    return re.sub(_FRACTION, "1.5", re.sub(_VALUE, r'=\1"x"', text))


@lru_cache(maxsize=16384)
def _can_be_parsed(text: str) -> bool:
    return _tree(text) is not None


@lru_cache(maxsize=1024)
def _tree(text: str) -> promql_parser.Expr | None:
    try:
        return promql_parser.parse(quoted(text))
    except ValueError:
        return None
