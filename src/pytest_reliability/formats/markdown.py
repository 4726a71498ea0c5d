"""Markdown: the headings, links, fences and anchors of a page, each with its place, and which of its sections hold nothing.

What CommonMark calls a heading or a link is one here. On top of that GitHub's anchors and tables are known, front matter, and the
ways in which other tools name an anchor (`{#id}`). Every page is read in linear time.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from unicodedata import category

from pytest_reliability.formats._blocks import Block, Blocks, paragraphs
from pytest_reliability.formats._inlines import TAG, Inlines, Link, simple_links, unescaped
from pytest_reliability.model.location import Location
from pytest_reliability.model.nodes import Fence, Heading, Hyperlink, Section


@dataclass(frozen=True, slots=True, kw_only=True)
class RawFrontMatter:
    """The metadata that a page begins with, in `language` "yaml" or "toml"; `text` is the page up to their end."""

    language: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Markdown:
    """A page, scanned.

    `sections` begin at headings outside lists and quotes, and have no canonical names yet. For each of them, `led` tells whether
    anything stands between its heading and the next one, and `tasks` counts the list items with a check box there.
    """

    path: str
    headings: tuple[Heading, ...] = ()
    sections: tuple[Section, ...] = ()
    links: tuple[Hyperlink, ...] = ()
    fences: tuple[Fence, ...] = ()
    anchors: frozenset[str] = frozenset()
    front_matter: RawFrontMatter | None = None
    led: tuple[bool, ...] = ()
    tasks: tuple[int, ...] = ()


def scan(text: str, path: str) -> Markdown:
    """Read a page."""
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    return _Page(text, path).read()


_FRONT_MATTER = re.compile(r"(?:(---)[ \t]*\n(?:[ \t]*#.*\n)*(?=[\w\"'].*:(?:\s|\Z)|---[ \t]*$)|(\+\+\+)[ \t]*\n)", re.M)
_FRONT_MATTER_END = {"---": re.compile(r"^(?:---|\.\.\.)[ \t]*$", re.M), "+++": re.compile(r"^\+\+\+[ \t]*$", re.M)}

_LINE = re.compile(r".*\n|.+")
_MAY_LINK = re.compile(r"[<[]")
_STRUCTURAL_TAB = re.compile(r"^[ >*+\-\d.)]*\t[ \t>*+\-\d.)]*", re.M)
_HEADING_MARKUP = re.compile(r"[\\`*_\[<!&\n]")
_EXPLICIT_ANCHORS = (re.compile(r"\{:?[ \t]?#([\w:.-]+)"), re.compile(r"\n\(([\w:.-]+)\)=(?=\n)"))
_ATTRIBUTE_LIST = re.compile(r"\{(?::.*|[ \t]*[#.][^{}]*)\}\Z")

_HTML_TOKEN = re.compile(rf"<!--|<[!?]|{TAG.pattern}")
_HIDDEN = {"<!--": "-->", "<!": ">", "<?": ">"}
"""What begins and ends a part of HTML that nobody sees."""
_HTML_ATTRIBUTE = re.compile(r"""\s(id|name|href|src)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'=<>`]+))""", re.I)
_TAG_NAME = re.compile(r"</?([A-Za-z][A-Za-z0-9]*)")
_HTML_HEADINGS = frozenset({"h1", "h2", "h3", "h4", "h5", "h6"})
_MEDIA = ("img", "video", "audio", "iframe", "svg", "object", "embed", "input")

_DELIMITER_ROW = re.compile(r"\n[ \t]*\|?[ \t]*:?-+:?[ \t]*(?:\|[ \t]*:?-+:?[ \t]*)*\|?[ \t]*(?:\n|\Z)")
_CELL_END = re.compile(r"(?<!\\)\|")
_SYMBOLS = re.compile(r"[\W_]+")
_STATES = frozenset(
    ("", "todo", "tbd", "open", "closed", "done", "new", "pending", "in progress", "wip", "not started", "planned", "draft",
     "complete", "completed", "未着手", "未対応", "未定", "対応中", "完了", "対応済", "対応済み", "済", "進行中")
)  # fmt: skip
"""What a cell says of a thing that its row does not name."""
_UNSEEN = re.compile(
    rf"<!--(?:[^-]|-(?!->))*-->|(?!</?(?:{'|'.join(_MEDIA)})\b){TAG.pattern}|&nbsp;|\[[ xX]?\](?!\()|[\s*_]+", re.I
)
_LETTER = re.compile(r"[^\W\d_]")
_MAY_SHOW_NOTHING = re.compile(r"[<|&[]")
_SHORT = 2000
"""A longer paragraph than this shows something."""


def slug(text: str) -> str:
    """The anchor that GitHub makes of a heading's text: lower case, punctuation and symbols dropped, spaces to hyphens."""
    text = text.lower()
    if text.isascii():
        return _ASCII_DROPPED.sub("", text).replace(" ", "-")
    return "".join([character for character in text if character in " -" or category(character) in _KEPT]).replace(" ", "-")


_ASCII_DROPPED = re.compile(r"[^\w\- ]")
_KEPT = frozenset({"Ll", "Lu", "Lt", "Lm", "Lo", "Mn", "Mc", "Me", "Nd", "Nl", "Pc"})
"""Unicode's letters, marks, decimal digits and connectors."""


class _Page:
    """Collects what the blocks of a page hold.

    Links and headings are resolved only when all blocks are known, because a reference may be defined below.
    """

    def __init__(self, text: str, path: str) -> None:
        self.path = path
        self.original = text
        self.added: dict[int, int] = {}
        """Line → the columns that expanding the tabs at its beginning has added."""
        self.text = self._without_structural_tabs(text) if "\t" in text else text
        self.blocks = Blocks(self.text, self)
        self.titles: list[tuple[int, int, int, Block, bool]] = []
        """(level, start, end, text, nested) of the headings."""
        self.texts: list[Block] = []
        """The paragraphs that may have links in them."""
        self.headings: list[Heading] = []
        self.links: list[Link] = []
        """Every link, in any order."""
        self.fences: list[Fence] = []
        self.anchors: set[str] = set()
        self.led: list[bool] = []
        """For each section whether anything was seen in it before the next heading."""
        self.asks = False
        """Whether that is still to be found out for the last one."""
        self.tasks: list[int] = []
        self.counted, self.line, self.start = 0, 1, 0
        """The offset up to which lines were counted, the line that it is on, and where that begins."""

    def read(self) -> Markdown:
        front_matter, position = self._front_matter()
        self.blocks.read(position)
        self._resolve_headings()
        for block in self.texts:
            self._resolve_prose(*block)
        for pattern in _EXPLICIT_ANCHORS:
            self.anchors.update(pattern.findall(self.text))
        return Markdown(
            path=self.path,
            headings=tuple(self.headings),
            sections=tuple(self._sections()),
            links=tuple([self._hyperlink(*link) for link in sorted(self.links)]),
            fences=tuple(self.fences),
            anchors=frozenset(self.anchors),
            front_matter=front_matter,
            led=tuple(self.led),
            tasks=tuple(self.tasks),
        )

    def _front_matter(self) -> tuple[RawFrontMatter | None, int]:
        """The front matter, and where the page proper begins. `---` may be a mere line, so a key has to follow it."""
        begins = _FRONT_MATTER.match(self.text)
        ends = _FRONT_MATTER_END[begins[1] or begins[2]].search(self.text, begins.end()) if begins else None
        if begins is None or ends is None:
            return None, 0
        lines = self.text.count("\n", 0, ends.start())
        text = "\n".join((*self.original.split("\n", lines)[:lines], ""))
        return RawFrontMatter(language="yaml" if begins[1] else "toml", text=text), ends.end()

    def _without_structural_tabs(self, text: str) -> str:
        """The text with the tabs that lists, quotes and code are indented by as spaces; columns are corrected by `added`."""
        pieces, position, line = list[str](), 0, 1
        for prefix in _STRUCTURAL_TAB.finditer(text):
            expanded = prefix[0].expandtabs(4)
            line += text.count("\n", position, prefix.start())
            self.added[line] = len(expanded) - len(prefix[0])
            pieces += text[position : prefix.start()], expanded
            position = prefix.end()
        return "".join((*pieces, text[position:]))

    # --- What the blocks tell

    def heading(self, level: int, start: int, end: int, block: Block, nested: bool) -> None:
        self.titles.append((level, start, end, block, nested))
        if nested:
            self._show()
        else:
            self.led.append(False)
            self.tasks.append(0)
            self.asks = True

    def prose(self, block: Block) -> None:
        text, first, last, _ = block
        if self.asks and _prose_shows(text[first:last]):
            self._show()
        if _MAY_LINK.search(text, first, last):
            self.texts.append(block)

    def run(self, text: str, first: int, last: int) -> None:
        if self.asks:
            plain = _LETTER.search(text, first, last) and not _MAY_SHOW_NOTHING.search(text, first, last)
            if plain or any(_prose_shows(text[block[1] : block[2]]) for block in paragraphs(text, first, last)):
                self._show()
        if _MAY_LINK.search(text, first, last):
            links = simple_links(text, first, last)
            if links is None:
                self.texts += paragraphs(text, first, last)
            else:
                self._keep(links, 0)

    def html(self, block: Block) -> None:
        """Take up links and anchors, and whether anything is to be seen; comments are passed over."""
        text, position, last, base = block
        heading: list[str] | None = None
        while token := _HTML_TOKEN.search(text, position, last):
            between = text[position : token.start()]
            self._html_text(between, heading)
            if close := _HIDDEN.get(token[0]):
                position = text.find(close, token.start(), last) + len(close)
                if position < len(close):
                    return
                continue
            position = token.end()
            name = self._tag(token[0], base + token.start())
            if name in _MEDIA:
                self._show()
            if name in _HTML_HEADINGS:
                if heading is not None:
                    self.anchors.add(slug("".join(heading).strip()))
                heading = [] if token[0][1] != "/" else None
        self._html_text(text[position:last], heading)

    def _html_text(self, text: str, heading: list[str] | None) -> None:
        if heading is not None:
            heading.append(text)
        if self.asks and text.replace("&nbsp;", "").strip():
            self._show()

    def fence(self, start: int, end: int, info: str, body: str, plain: bool) -> None:
        at = self._at(start, end - start - self.text.endswith("\n", start, end))
        if plain and self.added:
            body = "".join(self._original_lines[at.line : at.line + len(_LINE.findall(body))])
        self.fences.append(Fence(at=at, language=unescaped(info.split(None, 1)[0]) if info else "", text=body))
        if body.strip():
            self._show()

    def code(self) -> None:
        self._show()

    def task(self) -> None:
        if self.tasks:
            self.tasks[-1] += 1

    def _show(self) -> None:
        """There is something to be seen in the last section."""
        if self.asks:
            self.led[-1] = True
            self.asks = False

    # --- What is resolved at the end

    def _resolve_headings(self) -> None:
        """Make headings of the titles. A number is added to an anchor that an earlier heading has."""
        numbers: dict[str, int] = {}
        for level, start, end, block, _ in self.titles:
            text = self._title(*block)
            anchor = plain = slug(text)
            while anchor in numbers:
                numbers[plain] += 1
                anchor = f"{plain}-{numbers[plain]}"
            numbers[anchor] = 0
            self.headings.append(Heading(at=self._at(start, end - start), level=level, text=text, anchor=anchor))
        self.anchors.update(numbers)

    def _sections(self) -> list[Section]:
        """The sections. What one of them shows, those around it show, too."""
        heads = [heading for heading, title in zip(self.headings, self.titles, strict=True) if not title[-1]]
        filled, around = list(self.led), list[int]()
        for number, head in enumerate(heads):
            while around and heads[around[-1]].level >= head.level:
                around.pop()
            if filled[number]:
                for outer in reversed(around):
                    if filled[outer]:
                        break
                    filled[outer] = True
            around.append(number)
        return [Section(heading=head, empty=not full) for head, full in zip(heads, filled, strict=True)]

    def _title(self, source: str, first: int, last: int, base: int) -> str:
        """The text of a heading as a reader sees it, without `{#id}` at its end."""
        text = source[first:last].strip()
        if text.endswith("}") and _ATTRIBUTE_LIST.match(text, text.rfind("{")):
            text = text[: text.rfind("{")].rstrip()
        if _HEADING_MARKUP.search(text) is None:
            return text
        first = source.index(text, first)
        inlines = Inlines(source, first, first + len(text), self.blocks.definitions, whole=True)
        self._read(inlines, base)
        return inlines.seen().strip()

    def _resolve_prose(self, text: str, first: int, last: int, base: int) -> None:
        is_table = text.find("|", first, last) >= 0 and _DELIMITER_ROW.search(text, first, last)
        while first < last:
            end = (text.find("\n", first, last) + 1 or last) if is_table else last  # cells begin and end on their line
            if _MAY_LINK.search(text, first, end):
                self._read(Inlines(text, first, end, self.blocks.definitions), base)
            first = end

    def _read(self, inlines: Inlines, base: int) -> None:
        self._keep(inlines.links, base)
        for start, end in inlines.tags:
            self._tag(inlines.text[start:end], base + start)

    def _keep(self, links: list[Link], base: int) -> None:
        self.links += [link._replace(start=base + link.start, end=base + link.end) for link in links] if base else links

    def _hyperlink(self, start: int, end: int, target: str, text: str, image: bool) -> Hyperlink:
        return Hyperlink(at=self._at(start, end - start), target=target, text=text, image=image)

    def _tag(self, tag: str, offset: int) -> str:
        """Take up the link or anchor of an HTML tag; return its name."""
        found = _TAG_NAME.match(tag)
        name = found[1].lower() if found else ""
        for attribute in _HTML_ATTRIBUTE.finditer(tag):
            key, group = attribute[1].lower(), attribute.lastindex or 0
            value = unescaped(attribute[group])
            if key == "id" or (key == "name" and name == "a"):
                self.anchors.add(value)
            elif (key, name) in (("href", "a"), ("src", "img")):
                start, end = attribute.span(group)
                self.links.append(Link(offset + start, offset + end, value, text="", image=name == "img"))
        return name

    @cached_property
    def _original_lines(self) -> list[str]:
        return _LINE.findall(self.original)

    def _at(self, offset: int, width: int) -> Location:
        """The place of an offset; most are asked for in their order, and then no line is counted twice."""
        if offset < self.counted:
            self.counted, self.line, self.start = 0, 1, 0
        lines = self.text.count("\n", self.counted, offset)
        if lines:
            self.line += lines
            self.start = self.text.rfind("\n", self.counted, offset) + 1
        self.counted = offset
        return Location(self.path, self.line, offset - self.start + 1 - self.added.get(self.line, 0), width)


def _prose_shows(text: str) -> bool:
    """Whether a reader sees anything in a paragraph or table, other than comments, empty boxes and the state of things."""
    if len(text) > _SHORT:
        return True
    if "|" in text and (row := _DELIMITER_ROW.search(text)):
        return any(map(_row_shows, text[row.end() :].split("\n")))
    return text.lstrip()[:1].isalnum() or "![" in text or bool(_UNSEEN.sub("", text))


def _row_shows(row: str) -> bool:
    """Whether there is more in a table's row than its number and the state of something not named."""
    cells = _CELL_END.split(row.strip(" \t|"))
    told = [word for cell in cells if (word := _SYMBOLS.sub(" ", cell).strip().casefold()) not in _STATES]
    return len(told) > 1 or (len(told) == 1 and not (told[0].isdigit() and len(cells) > 1))
