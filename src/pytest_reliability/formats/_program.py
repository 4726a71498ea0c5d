"""The text of a program as far as it can be read without its language's grammar: calls, their arguments, literals.

Good for the languages with braces (Go, Java, Kotlin, Scala, JavaScript, TypeScript, Rust, C#). Nothing is evaluated: what is not
written out in the same file is not known.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from decimal import Decimal
from functools import cached_property
from typing import NamedTuple

from pytest_reliability.documents.text import Text
from pytest_reliability.model.location import Location

Bounds = tuple[Decimal, ...]
"""The upper bounds of a histogram's buckets, without the infinite one."""

MOST_BUCKETS = 1000
LONGEST = 5000
"""Characters between two brackets; what is longer is cut off there."""

# What nobody closes goes on to the end, so that no text is searched twice.
_TEXTS = (
    r'''""".*?(?:"""|\Z)|@"(?:[^"]|"")*(?:"|\Z)|\br(?P<marks>#*)".*?(?:"(?P=marks)|\Z)'''
    r"""|"(?:\\.|[^"\\\n])*"|`(?:\\.|[^`\\])*(?:`|\Z)"""
)
_COMMENTS = r"//[^\n]*|/\*.*?(?:\*/|\Z)"
_CHARACTER = r"'(?:\\[^'\n]{1,9}|\\'|[^'\\\n])'"
_QUOTED = r"'(?:\\.|[^'\\\n])*'"
_SKIPPED = {
    quotes: re.compile(rf"(?s)(?P<comment>{_COMMENTS})|{_TEXTS}|{_QUOTED if quotes else _CHARACTER}") for quotes in (True, False)
}
_BRACKET = re.compile(r"[()\[\]{}]")
_BRACKET_OR_COMMA = re.compile(r"[()\[\]{},]")
_BRACKET_OR_END = re.compile(r"[()\[\]{};\n]")
_METHOD = re.compile(r"\s*\??\.\s*(\w+)\s*(?:<[^<>()]*>\s*)?(?=\()")
_NAME = re.compile(r"&?([A-Za-z_]\w*)")
_LITERAL = re.compile(r"""["'`]([^"'`\\$\n]*)["'`](?:\.(?:to_string|into|to_owned)\(\))?""")
_NUMBER = re.compile(r"([-+]?(?:[0-9][0-9_]*\.?[0-9_]*|\.[0-9][0-9_]*)(?:[eE][-+]?[0-9]{1,3})?)(?:_?f(?:32|64)|[dDfFmM])?")
_INFINITE = re.compile(r"(?i)\+?[\w.:]*inf(?:inity)?(?:\(\+?1?\))?")
_LIST = re.compile(r"&?(?:\[\]float64|vec!|new\s*(?:double|float)?\s*\[\s*\]|doubleArrayOf|Array)?\s*[\[{(]")
_SERIES = re.compile(r"(?i)(?:[\w.]|::)*\b(linear|exponential)_?buckets\s*\(")
_DEFAULT = re.compile(r"(?i)&?(?:[\w.]|::)*\bdef(?:ault)?_?(?:classic_?)?(?:buckets|upper_?bounds)(?:\.to_vec\(\))?")
_DECLARATION = re.compile(r"[ \t]*(?:[\w\[\]<>.()]+[ \t]+)*")
"""What may stand on its line before a name that is set: `private static final double[]`, `pub const`."""
_BINDING = re.compile(
    r"\(([^()]*(?:\([^()]*\)[^()]*)*)\)(?:\s*\([^()]*\))?[^;(){}\n]*(?:\{|[-=]>|=(?!=))"
    r"|\b(\w+)\s*[-=]>|\|([^|\n]{1,200})\||\bfor(?:each)?\b\s*\(?([^(){};\n]*)"
)
"""Parameters of functions, in all the languages, and the variables of loops; and at times something that is neither."""
_CONTINUED = re.compile(r"\s{0,99}[-+*/%?&|.]")
"""What begins a line that belongs to the expression on the one before."""
_HARMLESS = re.compile(r"\s*[)\]}](?:\.(?:unwrap|to_vec|into|ToArray)\(\)|\.expect\([^()]*\)|\?)*")
"""What may follow the bracket at the end of a list and change no number in it."""


class Piece(NamedTuple):
    """A part of a program, by the indices of its first character and of the one behind it."""

    start: int
    end: int


class Program:
    """A program: `code` is its text with comments blanked out, `outline` the same with null characters for texts.

    Every character keeps its index. `quotes`: single quotes hold texts, as in JavaScript.
    """

    def __init__(self, text: str, path: str, quotes: bool = False) -> None:
        self._text = Text(text, path)
        skipped = _SKIPPED[quotes]
        self.code = skipped.sub(lambda found: _blank(found[0]) if found["comment"] else found[0], self._text.text)
        self.outline = skipped.sub(lambda found: _blank(found[0], " " if found["comment"] else "\0"), self._text.text)

    def read(self, piece: Piece) -> str:
        """What stands there."""
        return self.code[piece.start : piece.end]

    def place(self, piece: Piece) -> Location:
        """Where it stands in the file."""
        return self._text.location(piece.start, piece.end - piece.start)

    def inside(self, opening: int) -> Piece:
        """What is between the bracket at `opening` and the one that closes it, or as far as anybody looks."""
        depth = 0
        end = min(opening + LONGEST, len(self.outline))
        for mark in _BRACKET.finditer(self.outline, opening, end):
            depth += 1 if mark[0] in "([{" else -1
            if depth == 0:
                return self._trimmed(opening + 1, mark.start())
        return self._trimmed(opening + 1, end)

    def arguments(self, opening: int) -> list[Piece]:
        """What the brackets at `opening` hold, separated by commas."""
        whole = self.inside(opening)
        found, start, depth = [], whole.start, 0
        for mark in _BRACKET_OR_COMMA.finditer(self.outline, whole.start, whole.end):
            if mark[0] != ",":
                depth += 1 if mark[0] in "([{" else -1
            elif depth == 0:
                found.append(self._trimmed(start, mark.start()))
                start = mark.end()
        found.append(self._trimmed(start, whole.end))
        return [piece for piece in found if piece.start < piece.end]

    def fields(self, opening: int, separator: str = ":") -> dict[str, Piece]:
        """What the brackets at `opening` hold, by name: `Name: "x"`, `'name': 'x'`; what has no name, by its own text."""
        found = {}
        for piece in self.arguments(opening):
            pair = re.match(rf"""["']?(\w+)["']?\s*{separator}(?![:=])\s*""", self.read(piece))
            found[pair[1] if pair else self.read(piece)] = Piece(piece.start + pair.end(), piece.end) if pair else piece
        return found

    def chain(self, end: int) -> Iterator[tuple[str, list[Piece]]]:
        """The methods called one after the other on what ends at `end`, with their arguments."""
        while found := _METHOD.match(self.outline, end):
            yield found[1], self.arguments(found.end())
            end = self.closing(found.end())

    def closing(self, opening: int) -> int:
        """The index behind the bracket that closes the one at `opening`."""
        end = self.inside(opening).end
        closed = _BRACKET.search(self.outline, end)
        return closed.end() if closed else len(self.outline)

    def literal(self, piece: Piece) -> str | None:
        """The text that is written there, or under the name that stands there; None where it is computed."""
        found = _LITERAL.fullmatch(self.read(self._meaning(piece)))
        return found[1] if found else None

    def bounds(self, pieces: Sequence[Piece], defaults: Bounds) -> Bounds | None:
        """The bounds of buckets that are written there: numbers, a list of them, or a call that makes a regular one.

        None where they are computed in another way. `defaults` are those that the library's own name for them stands for.
        """
        numbers = self._numbers(pieces)
        if numbers is not None or len(pieces) != 1:
            return numbers
        piece = self._meaning(pieces[0])
        if _DEFAULT.fullmatch(self.read(piece)):
            return defaults
        made = _SERIES.match(self.outline, piece.start, piece.end)
        opened = made or _LIST.match(self.outline, piece.start, piece.end)
        if opened is None or not _HARMLESS.fullmatch(self.outline, self.inside(opened.end() - 1).end, piece.end):
            return None
        numbers = self._numbers(self.arguments(opened.end() - 1))
        return series(made[1], numbers) if made and numbers else numbers

    def _trimmed(self, start: int, end: int) -> Piece:
        inside = self.code[start:end]
        start += len(inside) - len(inside.lstrip())
        return Piece(start, start + len(inside.strip()))

    def _meaning(self, piece: Piece) -> Piece:
        """What the name that stands there is set to, where one line of the file alone sets it; the piece itself otherwise."""
        name = _NAME.fullmatch(self.read(piece))
        if not name or name[1] in self._bound:
            return piece
        kind = r"(?:[ \t]*:[ \t]*&?(?:'\w+[ \t]+)?(?:\[[^\]\n]*\]|[\w.<>\[\]& ]+)|[ \t]+(?:string|\[\]float64)|\[\])?"
        set_to = rf"{kind}[ \t]*(?P<also>[-+*/%&|^?]*):?=(?![=>])\s*"
        changed = r"\s*\[[^\]\n]*\]\s*=(?!=)|\s*\.\s*(?:push|unshift|splice|add|append|extend|insert)\b"
        pointed = rf"|&{name[1]}\b" if self._text.path.endswith(".go") else ""
        found = list(re.finditer(rf"(?<![\w.]){name[1]}(?:{set_to}|{changed}){pointed}", self.outline))
        if len(found) != 1 or found[0]["also"] != "":
            return piece
        line = self.outline[self.outline.rfind("\n", 0, found[0].start()) + 1 : found[0].start()]
        return self._expression(found[0].end()) if _DECLARATION.fullmatch(line) else piece

    @cached_property
    def _bound(self) -> frozenset[str]:
        """Names that have one value here and another one there, because functions and loops bind them, too."""
        bound = (text for found in _BINDING.finditer(self.outline) for text in found.groups() if text)
        return frozenset(name for text in bound for name in re.findall(r"\w+", text))

    def _expression(self, start: int) -> Piece:
        """The expression that begins there: to the end of its line or statement, brackets closed."""
        depth = 0
        end = min(start + LONGEST, len(self.outline))
        for mark in _BRACKET_OR_END.finditer(self.outline, start, end):
            if mark[0] not in ";\n":
                depth += 1 if mark[0] in "([{" else -1
            ends = mark[0] == ";" or (mark[0] == "\n" and not _CONTINUED.match(self.outline, mark.end()))
            if depth < 0 or (depth == 0 and ends):
                return self._trimmed(start, mark.start())
        return self._trimmed(start, end)

    def _numbers(self, pieces: Sequence[Piece]) -> Bounds | None:
        """The numbers that are written there, without infinite ones; None where something else is."""
        found = []
        for piece in pieces:
            text = re.sub(r"^\w+\s*[:=]\s*", "", self.read(piece))  # an argument may be named
            if number := _NUMBER.fullmatch(text):
                found.append(Decimal(number[1].replace("_", "")))
            elif not _INFINITE.fullmatch(text):
                return None
        return tuple(found)


def series(kind: str, given: Bounds) -> Bounds | None:
    """The bounds of "linear" or "exponential" buckets by their start, step and count; None where these are none.

    They are exact. Some libraries' own are off by the rounding of floating point, which nobody intends.
    """
    if len(given) != 3 or not 0 < given[2] <= MOST_BUCKETS or given[2] % 1:
        return None
    start, step, count = given[0], given[1], int(given[2])
    if kind.lower() == "linear":
        return tuple(start + step * index for index in range(count))
    return tuple(start * step**index for index in range(count))


def _blank(text: str, filler: str = " ") -> str:
    return re.sub(r"[^\r\n]", filler, text)
