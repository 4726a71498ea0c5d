"""The blocks of a page of Markdown: headings, paragraphs, code and HTML, wherever lists and quotes put them.

These are CommonMark's rules, line by line, without a tree: a block is told to a `Reader` as soon as it ends. A line's place in
the page is kept throughout, as an offset.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Protocol

from pytest_reliability.formats._inlines import TAG, definition

_START = re.compile(
    r"""
      (?P<blank>(?:[ ]*\n){1,500}|[ ]*\Z)
    | (?P<code>[ ]{4})
    | [ ]{0,3}(?:
          (?P<heading>\#{1,6})(?=[ \t\n]|\Z)
        | (?P<quote>>)[ ]?
        | (?P<underline>=+)[ \t]*(?:\n|\Z)
        | (?P<dashes>-+)[ \t]*(?:\n|\Z)
        | (?P<rule>(?:\*[ \t]*){3,}|(?:-[ \t]*){3,}|(?:_[ \t]*){3,})(?:\n|\Z)
        | (?P<bare>[-+*]|\d{1,9}[.)])[ \t]*(?:\n|\Z)
        | (?P<item>[-+*]|\d{1,9}[.)])[ ]
        | (?P<fence>`{3,}(?=[^`\n]*(?:\n|\Z))|~{3,})
        | (?P<html><)(?=[A-Za-z/!?])
        | (?P<text>)
    )
    """,
    re.VERBOSE,
)
"""How a line begins, once the marks of the quotes and lists around it are passed."""
_WORDS = r"(?:[^\s#>+*=_`~<0-9[-]|\*{1,2}[^\s*]|_{1,2}[^\s_]|`{1,2}[^\s`]|\d+(?![\d.)]))"
"""What a line begins with that is nothing but text; `[` may begin a definition and is for paragraphs to judge."""
_MORE = rf"(?:[ ]*(?:{_WORDS}|\[).*(?:\n|\Z)){{0,500}}"
"""Lines that can be nothing but more of the paragraph before them, whatever surrounds it."""
_LINES = re.compile(rf".*(?:\n|\Z){_MORE}")
_TEXT = rf"(?:{_WORDS}|\[(?=[^][\\\n]*\](?!:))(?![ xX]\])).*(?:\n|\Z){_MORE}"
_GAP = r"(?:[ ]*\n){1,500}"
_BREAK = r"\#{1,6}[ ]|`{3,}[^`\n]*(?:\n|\Z)|~~~"
_PARAGRAPH = (
    rf"(?:[-+*]|\d{{1,9}}[.)])[ ]{{1,4}}(?:{_TEXT})(?:{_GAP}(?=\S|\Z)|\Z|(?={_BREAK}|(?:[-+*]|\d{{1,9}}[.)])[ ]))"
    rf"|{_TEXT}(?:{_GAP}|\Z|(?={_BREAK}|(?:[-+*]|1[.)])[ ]+\S))"
)
"""A whole list item of one paragraph that no indented line follows, or a whole paragraph, in no list and no quote."""
_COMMON = re.compile(
    rf"(?P<run>(?:{_PARAGRAPH}){{1,100}})"
    rf"|(?P<marks>\#{{1,6}})[ ]+(?P<title>[^\s#](?:[^\n#]*[^\s#])?)[ ]*(?:\n|\Z)(?:{_GAP})?"
    rf"|{_GAP}"
)
"""What most of a page consists of: such paragraphs in a row, a heading, blank lines. All else goes line by line."""
_EACH_PARAGRAPH = re.compile(_PARAGRAPH)
_SPACES = re.compile(r" *")
_QUOTE = re.compile(r" {0,3}> ?")
_BLANK = re.compile(r" *(?:\n|\Z)")
_CLOSING_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})[ \t]*(?:\n|\Z)")
_TASK = re.compile(r"\[[ xX]\](?=\s|\Z)")
_DASHES = {1: "bare", 2: "text"}

_BLOCK_TAGS = (
    "address|article|aside|base|basefont|blockquote|body|caption|center|col|colgroup|dd|details|dialog|dir|div|dl|dt|fieldset|figcaption"
    "|figure|footer|form|frame|frameset|h[1-6]|head|header|hr|html|iframe|legend|li|link|main|menu|menuitem|nav|noframes|ol|optgroup"
    "|option|p|param|search|section|summary|table|tbody|td|tfoot|th|thead|title|tr|track|ul"
)
_HTML = re.compile(
    rf"""<(?:(?P<raw>script|pre|style|textarea)(?=[\s>]|\Z)|(?P<comment>!--)|(?P<instruction>\?)|(?P<cdata>!\[CDATA\[)
    |(?P<declaration>![A-Za-z])|(?P<block>/?(?:{_BLOCK_TAGS})(?=\s|/?>|\Z)))""",
    re.VERBOSE | re.IGNORECASE,
)
_HTML_END = {
    "raw": re.compile(r"</(?:script|pre|style|textarea)>", re.I),
    "comment": re.compile(r"-->"),
    "instruction": re.compile(r"\?>"),
    "cdata": re.compile(r"\]\]>"),
    "declaration": re.compile(r">"),
    "block": re.compile(r"(?!)"),
}
"""What the last line of an HTML block holds, by the way it began. A block that began with a tag ends at a blank line only."""

_DEEPEST = 64
"""Lists and quotes that may be nested; deeper marks are taken for text."""


Block = tuple[str, int, int, int]
"""A block's text, where it begins and ends in it, and how far on in the page that text stands.

The text is the page itself, or a copy of a part in which the marks of quotes are blank.
"""


class Reader(Protocol):
    """Is told of every block, in the order in which they end."""

    def heading(self, level: int, start: int, end: int, block: Block, nested: bool) -> None:
        """A heading from `start` to `end`; `block` is its text. `nested`: in a list or quote."""

    def prose(self, block: Block) -> None:
        """A paragraph, or a table."""

    def run(self, text: str, first: int, last: int) -> None:
        """Paragraphs and list items of one paragraph each, in no list and no quote; `paragraphs` tells them apart."""

    def html(self, block: Block) -> None:
        """HTML, other than scripts, styles and preformatted text."""

    def fence(self, start: int, end: int, info: str, body: str, plain: bool) -> None:
        """Fenced code. `plain`: `body` is the page's own text from `end` on, neither nested nor indented."""

    def code(self) -> None:
        """Indented code, or HTML that `html` is not told of."""

    def task(self) -> None:
        """A list item with a check box."""


def paragraphs(text: str, first: int, last: int) -> Iterator[Block]:
    """The paragraphs and list items in a row of them."""
    for found in _EACH_PARAGRAPH.finditer(text, first, last):
        yield text, found.start(), found.end(), 0


class Blocks:
    """Passes over a page once. `definitions` are its link reference definitions by label, complete when all is read."""

    def __init__(self, text: str, reader: Reader) -> None:
        self.definitions: dict[str, str] = {}
        self._text = text
        self._size = len(text)
        self._reader = reader
        self._containers: list[int] = []
        """The open quotes (0) and list items (the width of their indentation), outermost first."""
        self._hollow = False
        """Whether the line before began a list item and put nothing into it."""
        self._start = -1
        """Where the open paragraph begins; -1: none is open."""
        self._end = 0
        self._marks: list[tuple[int, int]] = []
        """Where the marks of quotes and the indentation stand inside the open paragraph."""

    def read(self, position: int) -> None:
        """Tell the reader of every block from `position` on."""
        text, containers = self._text, self._containers
        while position < self._size:
            common = None
            if self._start < 0:
                if containers and text[position] not in " >\n":  # nothing that is open goes on
                    containers.clear()
                    self._hollow = False
                if not containers:
                    common = _COMMON.match(text, position)
            if common is None:
                position = self._line(position)
            else:
                self._take(common)
                position = common.end()
        self._close(0)

    def _take(self, common: re.Match[str]) -> None:
        """Tell the reader of what the pattern for common blocks took whole."""
        if common.lastgroup == "run":
            self._reader.run(self._text, *common.span())
        elif common.lastgroup == "title":
            first, last = common.span("title")
            self._reader.heading(len(common["marks"]), common.start(), last, (self._text, first, last, 0), False)

    def _line(self, position: int) -> int:
        """Take up the line at `position`, or a run of lines; return where the next begins."""
        at, depth = self._enter(position) if self._containers else (position, 0)
        while True:
            if self._text[at : at + 1].isalpha():
                return self._paragraph(position, at, depth)
            begins = _START.match(self._text, at)
            assert begins is not None  # "text" matches anything
            kind = begins.lastgroup
            if kind == "text":
                return self._paragraph(position, at, depth)
            if kind == "blank":
                self._close(depth)
                return begins.end()
            if kind == "dashes" or kind == "underline":
                if self._start >= 0 and depth == len(self._containers) and self._setext(begins, kind):
                    return begins.end()
                kind = _DASHES.get(begins.end(kind) - begins.start(kind), "rule") if kind == "dashes" else "text"
            if (kind == "item" or kind == "bare") and self._opens_item(begins, depth):
                self._close(depth)
                if _TASK.match(self._text, begins.end()):
                    self._reader.task()
                marked = begins.end(begins.lastgroup or 0)
                if kind == "bare":
                    self._containers.append(marked + 1 - at)
                    self._hollow = True
                    return begins.end()
                spaces = _leading(self._text, marked)
                content = marked + (spaces if spaces < 5 else 1)  # after five it is an indented code block in the item
                self._containers.append(content - at)
                at, depth = content, depth + 1
            elif kind == "quote" and depth < _DEEPEST:
                self._close(depth)
                self._containers.append(0)
                at, depth = begins.end(), depth + 1
            else:
                return self._leaf(kind, begins, position, at, depth)

    def _leaf(self, kind: str | None, begins: re.Match[str], position: int, at: int, depth: int) -> int:
        """Take up a block that holds no others; what turns out to be no such thing is a paragraph's text."""
        html = self._html_kind(begins) if kind == "html" else None
        if kind not in ("heading", "fence", "rule") and html is None and (kind != "code" or self._start >= 0):
            return self._paragraph(position, at, depth)
        self._close(depth)
        if kind == "heading":
            return self._atx(begins)
        if kind == "fence":
            return self._fence(begins, at)
        if html is not None:
            return self._html(begins.start("html"), html)
        if kind == "code":
            self._reader.code()
        return self._line_end(at)

    def _enter(self, position: int) -> tuple[int, int]:
        """(where the line's own text begins, to how many of the open containers it belongs)."""
        text, at, depth = self._text, position, 0
        for width in self._containers:
            if not width:
                mark = _QUOTE.match(text, at)
                if mark is None:
                    break
                at = mark.end()
            elif text.startswith(" " * width, at):
                at += width
            elif not _BLANK.match(text, at):
                break
            depth += 1
        if self._hollow:  # an item may begin with one blank line, not with two
            self._hollow = False
            if depth == len(self._containers) and _BLANK.match(text, at):
                depth -= 1
        return at, depth

    def _opens_item(self, begins: re.Match[str], depth: int) -> bool:
        """Whether the mark opens a list item; an open paragraph is only interrupted by one with text, numbered 1 if at all."""
        if depth == _DEEPEST:
            return False
        if self._start < 0 or depth < len(self._containers):
            return True
        mark = begins["item"]
        return mark is not None and (mark in "-+*" or int(mark[:-1]) == 1)

    def _paragraph(self, position: int, at: int, depth: int) -> int:
        """Begin a paragraph, or continue the open one: that a line may do without the marks of the containers around it."""
        if self._start < 0:
            self._close(depth)
            self._start = at + _leading(self._text, at)
        elif at != position:
            self._marks.append((position, at))
        lines = _LINES.match(self._text, at)
        assert lines is not None  # it matches anything
        self._end = lines.end()
        return self._end

    def _close(self, depth: int) -> None:
        """End the open paragraph, and all containers but the `depth` outermost."""
        if self._start >= 0 and (block := self._taken()) is not None:
            self._reader.prose(block)
        del self._containers[depth:]

    def _taken(self) -> Block | None:
        """The open paragraph, no longer open, without the definitions that it begins with; None where it holds nothing else."""
        text, first, last, base = self._block(self._start, self._end, self._marks)
        self._start, self._marks = -1, []
        while text.startswith("[", first, last) and (found := definition(text, first, last)) is not None:
            label, target, first = found
            self.definitions.setdefault(label, target)
            first += _leading(text, first)
        return (text, first, last, base) if first < last else None

    def _block(self, first: int, last: int, marks: list[tuple[int, int]]) -> Block:
        if not marks or 0 not in self._containers:
            return self._text, first, last, 0
        pieces, position = list[str](), first
        for start, end in marks:
            pieces += self._text[position:start], " " * (end - start)
            position = end
        return "".join((*pieces, self._text[position:last])), 0, last - first, first

    def _setext(self, begins: re.Match[str], kind: str) -> bool:
        """Make the open paragraph a heading; False where it holds nothing but definitions."""
        block = self._taken()
        if block is None:
            return False
        _, first, _, base = block
        start = base + first
        end = self._text.find("\n", start)
        self._reader.heading(1 if kind == "underline" else 2, start, end, block, bool(self._containers))
        return True

    def _atx(self, begins: re.Match[str]) -> int:
        start, first = begins.span("heading")
        after = self._line_end(first)
        end = after - self._text.endswith("\n", first, after)
        title = self._text[first:end]
        first += len(title) - len(title.lstrip(" \t"))
        title = title.strip(" \t")
        without_closing = title.rstrip("#")
        if without_closing[-1:] in ("", " ", "\t"):
            title = without_closing.rstrip(" \t")
        block = (self._text, first, first + len(title), 0)
        self._reader.heading(len(begins["heading"]), start, end, block, bool(self._containers))
        return after

    def _fence(self, begins: re.Match[str], at: int) -> int:
        start, first = begins.span("fence")
        head = self._line_end(first)
        mark, indent = begins["fence"], start - at
        plain = not (self._containers or indent)
        body, after = self._plain_body(mark, head) if plain else self._nested_body(mark, indent, head)
        self._reader.fence(start, head, self._text[first:head].strip(), body, plain)
        return after

    def _plain_body(self, mark: str, head: int) -> tuple[str, int]:
        """(the code, where the next line begins) of a fence that nothing surrounds."""
        found = self._text.find(mark, head)
        while found >= 0:
            start = self._text.rfind("\n", head - 1, found) + 1
            closing = _CLOSING_FENCE.match(self._text, start)
            if closing and closing[1].startswith(mark):
                return self._text[head:start], closing.end()
            found = self._text.find(mark, self._line_end(found))
        return self._text[head:], self._size

    def _nested_body(self, mark: str, indent: int, position: int) -> tuple[str, int]:
        """The same of a fence that is indented, or that ends at the latest with the list item or quote around it."""
        lines = list[str]()
        while position < self._size:
            at, depth = self._enter(position)
            if depth < len(self._containers):
                break
            closing = _CLOSING_FENCE.match(self._text, at)
            if closing and closing[1].startswith(mark):
                return "".join(lines), closing.end()
            position = self._line_end(at)
            lines.append(self._text[at + min(indent, _leading(self._text, at)) : position])
        return "".join(lines), position

    def _html_kind(self, begins: re.Match[str]) -> str | None:
        """How an HTML block begins here; None where none does."""
        start = begins.start("html")
        if found := _HTML.match(self._text, start):
            return found.lastgroup
        if self._start >= 0:
            return None
        end = self._line_end(start)
        tag = TAG.match(self._text, start, end)
        return "block" if tag and not self._text[tag.end() : end].strip() else None

    def _html(self, first: int, kind: str) -> int:
        at, marks = first, list[tuple[int, int]]()
        while True:
            position = self._line_end(at)
            if _HTML_END[kind].search(self._text, at, position) or position == self._size:
                break
            at, depth = self._enter(position)
            if depth < len(self._containers) or (kind == "block" and _BLANK.match(self._text, at)):
                break
            if at != position:
                marks.append((position, at))
        if kind == "raw":
            self._reader.code()
        else:
            self._reader.html(self._block(first, position, marks))
        return position

    def _line_end(self, position: int) -> int:
        """Where the line after that of `position` begins."""
        return self._text.find("\n", position) + 1 or self._size


def _leading(text: str, position: int) -> int:
    """How many blanks follow."""
    found = _SPACES.match(text, position) if text.startswith(" ", position) else None
    return found.end() - position if found else 0
