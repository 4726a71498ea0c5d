"""Parse an expression; where it is invalid say what is wrong, as a person would, and where."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import promql_parser

from pytest_reliability.promql.complaints import explained
from pytest_reliability.promql.spelling import older, quoted
from pytest_reliability.promql.tokens import tokens

MOST_OPERATORS = 500
"""An expression with more is not judged: the parser's time grows with their square, and some thousands overflow its stack."""


@dataclass(frozen=True, slots=True)
class Parsed:
    """What came of an expression: a `tree`, or an `error`, or neither where it cannot be judged.

    `offset` is where in the text the error is, None where that cannot be told. `rewritten` says that the tree is one of an older
    spelling, in which computed ranges have another length.
    """

    text: str
    tree: promql_parser.Expr | None = None
    error: str | None = None
    hint: str = ""
    offset: int | None = None
    rewritten: bool = False


@lru_cache(maxsize=16384)
def parse(text: str) -> Parsed:
    """Parse one expression, with every placeholder already substituted. The same text is parsed only once."""
    if len(text) > MOST_OPERATORS and sum(token.kind == "mark" for token in tokens(text)) > MOST_OPERATORS:
        return Parsed(text)
    try:
        return Parsed(text, promql_parser.parse(quoted(text)))
    except UnicodeEncodeError:
        return Parsed(text, error="half of a surrogate pair is no character")
    except ValueError as error:
        complaint = str(error)
    try:
        return Parsed(text, promql_parser.parse(quoted(older(text))), rewritten=True)
    except ValueError:
        said = explained(text, complaint)
    return Parsed(text) if said is None else Parsed(text, error=said.message, hint=said.hint, offset=said.offset)
