"""What another tool fills in before Prometheus sees an expression: Sloth's window, Grafana's variables, templates."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from pytest_reliability.promql.parsing import parse

STAND_IN = "variable"
"""What takes the place of a variable that may be any word."""

# Compiled when first used: every start would pay for them.
_PLACEHOLDER = r"(?:\{\{.*?\}\}|\{%.*?%\}|\$\{[A-Za-z_]\w*(?:[.:][^{}\s]*)?\}|\$[A-Za-z_]\w*|\[\[[A-Za-z_]\w*(?::\w+)?\]\])"
_ANY = "(?s)" + _PLACEHOLDER
_STRING = r""""(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`[^`]*`"""
_PIECE = rf"""(?xs)(?P<string>{_STRING})|(?P<space>\s+|\#[^\n]*)|(?P<placeholder>{_PLACEHOLDER})|(?P<word>[\w.:]+)|(?P<mark>.)"""
_LENGTH = rf"(?s)(?:{_PLACEHOLDER}|[\w.])*{_PLACEHOLDER}(?:{_PLACEHOLDER}|[\w.])*"
_NAME = r"__(?:rate_interval|interval|range|auto)"
_WINDOW = rf"\{{\{{-?\s*\$?\.?window\s*-?\}}\}}|\${_NAME}\b|\$\{{{_NAME}(?::\w+)?\}}"
_NUMBER = r"\$\{?__(?:(?:rate_interval|interval|range)_m?s|from|to)\b(?::[^{}\s]*)?\}?"
_TAKES_NUMBER_FIRST = ("topk", "bottomk", "limitk", "limit_ratio", "quantile", "histogram_quantile", "quantile_over_time")
_TAKES_LABELS = ("by", "without", "on", "ignoring", "group_left", "group_right")


def templated(text: str) -> bool:
    """Whether something outside of strings has yet to be filled in."""
    if not ("$" in text or "{{" in text or "{%" in text or "[[" in text):  # most have none, and looking closer is dear
        return False
    return re.search(_ANY, text) is not None and any(match.lastgroup == "placeholder" for match in re.finditer(_PIECE, text))


def substitute(text: str, window: str = "5m") -> str | None:
    """The expression with every placeholder filled in, durations with `window`; None where nobody can tell what belongs there.

    A variable is taken for whatever fits its place: a duration, a number, a name, a matcher. One that stands for a function or an
    operator fits nothing, and neither does one that leaves an expression which cannot be parsed.
    """
    text = re.sub(_NUMBER, "300", re.sub(_WINDOW, window, text))
    if not re.search(_ANY, text):
        return text
    filled = _Filling(window).fill(text)
    return None if filled is None or not parse(filled).valid else filled


@dataclass(slots=True)
class _Filling:
    """One pass over an expression: `opened` are its open brackets, each with the word before it; `last` is what came last."""

    window: str
    opened: list[tuple[str, str]] = field(default_factory=list)
    last: str = ""

    def fill(self, text: str) -> str | None:
        """The expression with every variable filled in; None where one stands for a function."""
        parts: list[str] = []
        for kind, piece, following in _runs(text):
            if kind == "placeholder":
                if following == "(" and not (self.opened and self.opened[-1][0] == "{"):
                    return None
                piece = self._variable(piece, following)
            elif kind == "string":
                piece = re.sub(_ANY, STAND_IN, piece)
            elif kind == "mark":
                self._bracket(piece)
            if kind != "space":
                self.last = piece
            parts.append(piece)
        return "".join(parts)

    def _bracket(self, mark: str) -> None:
        if mark in "([{":
            self.opened.append((mark, self.last.lower()))
        elif mark in ")]}" and self.opened:
            self.opened.pop()

    def _variable(self, run: str, following: str) -> str:
        """What a word that consists of placeholders, at least in part, may be where it stands."""
        bracket, before = self.opened[-1] if self.opened else ("", "")
        if bracket == "[":
            return re.sub(_LENGTH, self.window, run)
        if self.last.lower() == "offset":
            return self.window
        if self.last == "@" or run[0].isdigit():
            return "1"
        if bracket == "{" and self.last in ("{", ",") and following in ("}", ","):
            return f'{STAND_IN}=~".+"'
        if bracket == "{" and self.last in ("=", "~"):
            return f'"{STAND_IN}"'
        if bracket == "(" and before not in _TAKES_LABELS and self.last == ",":
            return "1"
        if bracket == "(" and before in _TAKES_NUMBER_FIRST and self.last == "(":
            return "1"
        return re.sub(_ANY, STAND_IN, run)


def _runs(text: str) -> Iterator[tuple[str, str, str]]:
    """(kind, text, the next character that is no space) of each piece; words and placeholders that touch are one placeholder."""
    pieces = [(match.lastgroup or "mark", match.start(), match.end()) for match in re.finditer(_PIECE, text)]
    at = 0
    while at < len(pieces):
        kind, start, end = pieces[at]
        at += 1
        while kind in ("word", "placeholder") and at < len(pieces) and pieces[at][0] in ("word", "placeholder"):
            kind = "placeholder"
            end = pieces[at][2]
            at += 1
        yield kind, text[start:end], text[end:].lstrip()[:1] if kind == "placeholder" else ""
