"""What stands inside a block of Markdown: its links, and its text as a reader sees it.

This is CommonMark's inline grammar as far as links and headings need it. Everything is told by offsets into the text that is
read, and nothing is looked at more than a bounded number of times, however it is nested or left open.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple
from unicodedata import category

from pytest_reliability.model.nodes import NO_TEXTS

PUNCTUATION = r"""[!-/:-@\[-`{-~]"""
"""What a backslash can escape."""
_ATTRIBUTE = r"""\s+[A-Za-z_:][\w.:-]*(?:\s*=\s*(?:[^\s"'=<>`]+|'[^']*'|"[^"]*"))?"""
TAG = re.compile(rf"<(?:[A-Za-z][A-Za-z0-9-]*(?:{_ATTRIBUTE})*\s*/?|/[A-Za-z][A-Za-z0-9-]*\s*)>")
"""An HTML tag, opening or closing."""
_ENTITY = re.compile(r"&(?:#[xX][0-9a-fA-F]{1,6}|#[0-9]{1,7}|[A-Za-z][A-Za-z0-9]{1,31});")

_LINK_TOKEN = re.compile(r"\\[\\`\[\]<!]|``*|<|!\[|\[|\]")
_TEXT_TOKEN = re.compile(rf"\\{PUNCTUATION}|``*|<|!\[|\[|\]|\*\**|__*|{_ENTITY.pattern}|\\?\n[ \t]*")
_FINESSE = re.compile(r"[\\`<]")
_SIMPLE_LINK = re.compile(r"(!?)\[([^][\\`<\n]{0,200})\]\(([^\x00-\x20\x7f<()\\]*)\)")
_BACKTICKS = re.compile(r"``*")
_AUTOLINK = re.compile(
    r"<(?:([A-Za-z][A-Za-z0-9+.-]{1,31}:[^\s<>\x00-\x1f\x7f]*)|([\w.!#$%&'*+/=?^`{|}~-]+@[A-Za-z0-9][A-Za-z0-9.-]*))>"
)
_ENDS = {"<!--": "-->", "<?": "?>", "<![CDATA[": "]]>", "<!": ">"}
_SPECIAL_MARKUP = re.compile(r"<!--|<\?|<!\[CDATA\[|<!(?=[A-Za-z])")

_TITLE = r"""(?:"[^"\\]*(?:\\.[^"\\]*)*"|'[^'\\]*(?:\\.[^'\\]*)*'|\([^()\\]*(?:\\.[^()\\]*)*\))"""
_SIMPLE_DESTINATION = re.compile(r"""\([ \t\n]*([^\x00-\x20\x7f<()\\][^\x00-\x20\x7f()\\]*)?[ \t\n]*\)""")
_ANGLED = re.compile(r"<([^<>\\\n]*(?:\\.[^<>\\\n]*)*)>")
_BARE_PART = re.compile(r"[^\x00-\x20\x7f()\\]+|\\[()\\]|[()\\]")
_REST = re.compile(rf"(?:[ \t\n]+{_TITLE})?[ \t\n]*\)", re.S)
_BLANKS = re.compile(r"[ \t\n]*")
_LABEL = re.compile(r"\[([^\[\]\\]{0,999}(?:\\.[^\[\]\\]{0,999})*)\]", re.S)
_DEFINITION_END = re.compile(rf"(?:[ \t]*(?:\n[ \t]*)?(?<=[ \t\n]){_TITLE})?[ \t]*(?:\n|\Z)", re.S)
_ESCAPED = re.compile(rf"\\{PUNCTUATION}|{_ENTITY.pattern}")

_DEEPEST = 32
"""Parentheses that a destination may nest, as other readers of Markdown have it."""
_LONGEST_LABEL = 999
"""Characters that the label of a reference may have, by CommonMark."""
_MOST_RUNS = 200
"""Runs of `*` and `_` in one heading that are taken for emphasis; in more than that nobody means any."""


class Link(NamedTuple):
    """A link or an image: `start` to `end` is its destination, or the label for it; `text` is the source in its brackets."""

    start: int
    end: int
    target: str
    text: str
    image: bool


def simple_links(text: str, first: int, last: int) -> list[Link] | None:
    """The links in a part of a text, where all of its brackets are those of inline links without any finesse; else None."""
    if _FINESSE.search(text, first, last):
        return None
    found = list(_SIMPLE_LINK.finditer(text, first, last))
    if len(found) != text.count("[", first, last):
        return None
    return [Link(*link.span(3), unescaped(link[3]), link[2].strip(), link[1] == "!") for link in found]


@dataclass(slots=True)
class _Bracket:
    start: int
    end: int
    image: bool
    runs: int
    nested: bool = False
    """Whether another bracket was opened inside, so that this is no reference's label."""


@dataclass(slots=True)
class _Run:
    """A run of `*` or `_`: `left` of its `count` characters mean nothing yet; those before `start` already closed something."""

    mark: str
    start: int
    count: int
    left: int
    opens: bool
    closes: bool


class Inlines:
    """A part of a text, read. `links` are in it, `tags` are the (start, end) of its HTML tags.

    `whole`: escapes, entities and emphasis are resolved as well, which only `seen` needs.
    """

    __slots__ = (
        "_brackets", "_cuts", "_definitions", "_first", "_inactive", "_last", "_runs", "_ticks", "_unclosed", "_whole",
        "links", "tags", "text",
    )  # fmt: skip

    def __init__(self, text: str, first: int, last: int, definitions: Mapping[str, str], whole: bool = False) -> None:
        self.text = text
        self.links: list[Link] = []
        self.tags: list[tuple[int, int]] = []
        self._first = first
        self._last = last
        self._definitions = definitions
        self._whole = whole
        self._cuts: list[tuple[int, int, str]] = []
        """(start, end, replacement) of what a reader does not see."""
        self._brackets: list[_Bracket] = []
        self._inactive = 0
        """So many of the open brackets, from the outermost, cannot become links any more: a link is inside them."""
        self._runs: list[_Run] = []
        self._ticks: dict[int, list[int]] | None = None
        """The length of a run of backticks → where such runs begin."""
        self._unclosed: set[str] = set()
        self._read()

    def _read(self) -> None:
        search = (_TEXT_TOKEN if self._whole else _LINK_TOKEN).search
        text, last, position = self.text, self._last, self._first
        while token := search(text, position, last):
            start = token.start()
            first = text[start]
            if first == "[" or first == "!":
                position = self._open(start, token.end(), first == "!")
            elif first == "]":
                position = self._close(start)
            elif first == "`":
                position = self._code(start, token.end())
            elif first == "<":
                position = self._angle(start)
            else:
                position = token.end()
                if self._whole:
                    self._plain(token)
        if self._whole:
            self._emphasise(0)

    def _open(self, start: int, end: int, image: bool) -> int:
        if self._brackets:
            self._brackets[-1].nested = True
        self._brackets.append(_Bracket(start, end, image, len(self._runs)))
        return end

    def _close(self, at: int) -> int:
        after = at + 1
        if not self._brackets:
            return after
        bracket = self._brackets.pop()
        inactive = len(self._brackets) < self._inactive and not bracket.image
        self._inactive = min(self._inactive, len(self._brackets))
        if inactive:
            return after
        found = self._destination(after) or self._reference(bracket, at)
        if found is None:
            return after
        start, end, target, after = found
        self.links.append(Link(start, end, target, self.text[bracket.end : min(at, bracket.end + 200)].strip(), bracket.image))
        self._cuts += (bracket.start, bracket.end, ""), (at, after, "")
        if self._whole:
            self._emphasise(bracket.runs)
        if not bracket.image:
            self._inactive = len(self._brackets)
        return after

    def _destination(self, at: int) -> tuple[int, int, str, int] | None:
        """(start, end, target, what follows) of `(destination "title")` at that offset."""
        if simple := _SIMPLE_DESTINATION.match(self.text, at, self._last):
            start, end = simple.span(1) if simple[1] is not None else (at + 1, at + 1)
            return start, end, unescaped(simple[1] or ""), simple.end()
        if not self.text.startswith("(", at, self._last):
            return None
        found = destination(self.text, _blanks(self.text, at + 1, self._last), self._last)
        if found is None:
            return None
        start, end, after = found
        rest = _REST.match(self.text, after, self._last)
        return (start, end, unescaped(self.text[start:end]), rest.end()) if rest else None

    def _reference(self, bracket: _Bracket, at: int) -> tuple[int, int, str, int] | None:
        """The same of a link whose destination is defined elsewhere: `[text][label]`, `[label][]` or `[label]`."""
        label = _LABEL.match(self.text, at + 1, self._last)
        if label is not None and label[1].strip():
            start, end, after = label.start(1), label.end(1), label.end()
        elif bracket.nested:
            return None
        else:
            start, end, after = bracket.end, at, label.end() if label and not label[1] else at + 1
        if end - start > _LONGEST_LABEL:
            return None
        target = self._definitions.get(normalised(self.text[start:end]))
        return (start, end, target, after) if target is not None else None

    def _code(self, start: int, end: int) -> int:
        """Skip a code span; a run of backticks that none of the same length follows is only text."""
        if self._ticks is None:
            self._ticks = {}
            for run in _BACKTICKS.finditer(self.text, start, self._last):
                self._ticks.setdefault(run.end() - run.start(), []).append(run.start())
        same = self._ticks.get(end - start, [])
        index = bisect_left(same, end)
        if index == len(same):
            return end
        close = same[index]
        if self._whole:
            inner = self.text[end:close].replace("\n", " ")
            stripped = inner[1:-1] if inner[0] == inner[-1] == " " and not inner.isspace() else inner
            self._cuts.append((start, close + end - start, stripped))
        return close + end - start

    def _angle(self, at: int) -> int:
        """Skip an autolink, a tag, a comment or the like."""
        if link := _AUTOLINK.match(self.text, at, self._last):
            target = link[1] or f"mailto:{link[2]}"
            self.links.append(Link(at + 1, link.end() - 1, target, link[1] or link[2], image=False))
            self._cuts += (at, at + 1, ""), (link.end() - 1, link.end(), "")
            return link.end()
        if tag := TAG.match(self.text, at, self._last):
            self.tags.append(tag.span())
            end = tag.end()
        else:
            end = self._markup(at)
        if end > at + 1:
            self._cuts.append((at, end, ""))
        return end

    def _markup(self, at: int) -> int:
        """The end of the comment, instruction, declaration or CDATA section at `at`; one character where there is none."""
        opening = _SPECIAL_MARKUP.match(self.text, at, self._last)
        if opening is None or opening[0] in self._unclosed:
            return at + 1
        for short in ("<!-->", "<!--->"):
            if self.text.startswith(short, at, self._last):
                return at + len(short)
        close = self.text.find(_ENDS[opening[0]], opening.end(), self._last)
        if close < 0:
            self._unclosed.add(opening[0])  # nor will it be closed for any that follows
            return at + 1
        return close + len(_ENDS[opening[0]])

    def _plain(self, token: re.Match[str]) -> None:
        """An escape, an entity, a run of emphasis marks, or the end of a line."""
        found = token[0]
        if found[0] in "*_":
            self._runs.append(self._run(token.start(), token.end()))
        elif "\n" in found:
            line = self.text[self._first : token.start()].rstrip(" \t")
            self._cuts.append((self._first + len(line), token.end(), " "))
        else:
            self._cuts.append((token.start(), token.end(), _character(token)))

    def _run(self, start: int, end: int) -> _Run:
        before = self.text[start - 1] if start > self._first else " "
        after = self.text[end] if end < self._last else " "
        follows = not after.isspace() and (not _is_punctuation(after) or before.isspace() or _is_punctuation(before))
        precedes = not before.isspace() and (not _is_punctuation(before) or after.isspace() or _is_punctuation(after))
        mark = self.text[start]
        opens, closes = follows, precedes
        if mark == "_":
            opens = follows and (not precedes or _is_punctuation(before))
            closes = precedes and (not follows or _is_punctuation(after))
        return _Run(mark, start, end - start, end - start, opens, closes)

    def _emphasise(self, bottom: int) -> None:
        """Pair the runs from `bottom` on, cut what pairs, and forget them."""
        runs, openers = self._runs[bottom:], list[_Run]()
        del self._runs[bottom:]
        if len(runs) > _MOST_RUNS:
            return
        for run in runs:
            while run.closes and run.left and (index := _opener(openers, run)) is not None:
                opener = openers[index]
                used = 2 if opener.left > 1 and run.left > 1 else 1
                end = opener.start + opener.left
                self._cuts += (end - used, end, ""), (run.start, run.start + used, "")
                run.start, run.left, opener.left = run.start + used, run.left - used, opener.left - used
                del openers[index + bool(opener.left) :]
            if run.opens and run.left:
                openers.append(run)

    def seen(self) -> str:
        """The text without what a reader does not see."""
        pieces, position = list[str](), self._first
        for start, end, replacement in sorted(self._cuts):
            pieces += self.text[position:start], replacement
            position = end
        return "".join((*pieces, self.text[position : self._last]))


def _opener(openers: list[_Run], run: _Run) -> int | None:
    for index in range(len(openers) - 1, -1, -1):
        opener = openers[index]
        threes = (opener.closes or run.opens) and (opener.count + run.count) % 3 == 0
        if opener.mark == run.mark and not (threes and (opener.count % 3 or run.count % 3)):
            return index
    return None


def _is_punctuation(character: str) -> bool:
    return category(character)[0] in "PS"


def _blanks(text: str, at: int, end: int) -> int:
    found = _BLANKS.match(text, at, end)
    return found.end() if found else at


def destination(text: str, at: int, limit: int) -> tuple[int, int, int] | None:
    """(start, end, what follows) of the destination at that offset: `<…>`, or no white space and balanced parentheses."""
    if text.startswith("<", at, limit):
        angled = _ANGLED.match(text, at, limit)
        return (*angled.span(1), angled.end()) if angled else None
    depth, position = 0, at
    while part := _BARE_PART.match(text, position, limit):
        if part[0] == "(":
            depth += 1
            if depth > _DEEPEST:
                return None
        elif part[0] == ")":
            if not depth:
                break
            depth -= 1
        position = part.end()
    return (at, position, position) if not depth else None


def definition(text: str, at: int, limit: int) -> tuple[str, str, int] | None:
    """(label, target, what follows) of the link reference definition at that offset; a footnote (`[^1]: …`) is none."""
    label = _LABEL.match(text, _blanks(text, at, limit), limit)
    if (
        label is None
        or not label[1].strip()
        or label[1][0] == "^"
        or len(label[1]) > _LONGEST_LABEL
        or not text.startswith(":", label.end(), limit)
    ):
        return None
    begin = _blanks(text, label.end() + 1, limit)
    found = destination(text, begin, limit)
    if found is None or found[2] == begin:
        return None
    start, end, after = found
    rest = _DEFINITION_END.match(text, after, limit)
    return (normalised(label[1]), unescaped(text[start:end]), rest.end()) if rest else None


def normalised(label: str) -> str:
    """A label as references are compared: without case, white space collapsed."""
    return " ".join(label.split()).casefold()


def unescaped(text: str) -> str:
    """A destination with its escapes and entities resolved."""
    return _ESCAPED.sub(_character, text) if "\\" in text or "&" in text else text


def _character(escaped: re.Match[str]) -> str:
    if escaped[0][0] == "\\":
        return escaped[0][1]
    import html

    return html.unescape(escaped[0])


def reading(text: str, definitions: Mapping[str, str] = NO_TEXTS) -> str:
    """The text of a heading as a reader sees it, without markup."""
    return Inlines(text, 0, len(text), definitions, whole=True).seen().strip()
