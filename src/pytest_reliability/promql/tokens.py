"""The words of an expression and their places: enough to point at one, not to understand it."""

from __future__ import annotations

import re
from dataclasses import dataclass

_TOKEN = r"""(?xsa)(?P<space>[ \t\r\n]+|\#[^\n]*)
      | (?P<string>"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`[^`]*`)
      | (?P<unclosed>["'`])
      | (?P<number>0[xX][0-9a-fA-F]+|\.?[0-9](?:[eE][-+]?[0-9]|[\w.])*)
      | (?P<word>[A-Za-z_:][\w:]*)
      | (?P<mark>=~|!~|==|!=|<=|>=|[-+*/%^<>=@,(){}\[\]])
      | (?P<other>.)"""

CLOSERS = {"(": ")", "[": "]", "{": "}"}


@dataclass(frozen=True, slots=True)
class Token:
    """One word: `kind` is string, unclosed (a quote that nothing closes), number, word, mark or other."""

    kind: str
    text: str
    start: int

    @property
    def end(self) -> int:
        """The place after it."""
        return self.start + len(self.text)


def tokens(text: str) -> list[Token]:
    """Every token of an expression, without white space and comments. It ends at a quote that nothing closes."""
    found: list[Token] = []
    for match in re.finditer(_TOKEN, text):
        kind = match.lastgroup or "other"
        if kind != "space":
            found.append(Token(kind, match[0], match.start()))
        if kind == "unclosed":
            break
    return found


def unclosed(found: list[Token]) -> list[Token]:
    """The brackets that are still open after these tokens, the outermost first."""
    waiting: list[Token] = []
    for token in found:
        if token.kind == "mark" and token.text in CLOSERS:
            waiting.append(token)
        elif waiting and token.text == CLOSERS[waiting[-1].text]:
            waiting.pop()
    return waiting
