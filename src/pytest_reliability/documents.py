"""Text to positioned data: YAML, JSON and TOML as plain Python values, with the place of every key and value beside them.

YAML is read from the events of PyYAML's C parser by an own builder, for two reasons: ready-made loaders either have no positions or are
slow, and PyYAML resolves scalars as YAML 1.1 does (`yes` is True, `1:30` is 90). Here they mean what the YAML 1.2 core schema says.
"""

from __future__ import annotations

import re
import sys
from bisect import bisect_right
from collections.abc import Callable, Iterator
from itertools import count
from typing import Any, NoReturn

import yaml
from yaml.events import (
    AliasEvent,
    DocumentEndEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
)

try:
    from yaml.cyaml import CParser
except ImportError:  # PyYAML can be built without libyaml
    CParser = None

from pytest_reliability.model.location import Location
from pytest_reliability.model.nodes import Fault
from pytest_reliability.model.settings import DEFAULTS, Settings

MAX_BYTES = 20_000_000
"""Larger files are refused."""
MAX_DEPTH = 100
"""Values nested deeper than this are refused, so that nobody who walks a tree runs out of stack."""
MAX_ALIASED = 1_000_000
"""Values that aliases and merge keys may add to a document (the "billion laughs" attack adds many more)."""

_BREAK = re.compile(r"\r\n|\r|\n")


class Unreadable(Exception):
    """A file that cannot be read: where and why, and what one can type to mend it.

    `template` is True where the file is the source of a template engine (Helm, Jinja, ERB), so that it was not checked at all.
    """

    def __init__(self, at: Location, reason: str, hint: str = "", template: bool = False) -> None:
        super().__init__(f"{at}: {reason}")
        self.at = at
        self.reason = reason
        self.hint = hint
        self.template = template


class _Text:
    """A file's text, which turns character indexes into places."""

    __slots__ = ("_starts", "path", "text")

    def __init__(self, text: str, path: str) -> None:
        self.text = text
        self.path = path
        self._starts: list[int] | None = None

    def location(self, index: int, width: int = 0) -> Location:
        starts = self._starts
        if starts is None:
            starts = self._starts = [0, *(found.end() for found in _BREAK.finditer(self.text))]
        line = bisect_right(starts, index)
        return Location(self.path, line, index - starts[line - 1] + 1, width)

    def unreadable(self, index: int, reason: str, hint: str = "", *, template: bool = False) -> Unreadable:
        return Unreadable(self.location(index), reason, hint, template)

    def line(self, index: int) -> str:
        """The whole line that the character stands on."""
        end = _BREAK.search(self.text, index)
        start = max(self.text.rfind("\n", 0, index), self.text.rfind("\r", 0, index)) + 1
        return self.text[start : end.start() if end else len(self.text)]


_PROPERTIES = re.compile(r"(?:[&!]\S*(?:[ \t]|\r?\n|#.*)+)*")
_SCALAR = re.compile(
    r"""(?P<double>"(?:[^"\\\r\n]|\\.)*") | (?P<single>'(?:[^'\r\n]|'')*') | (?P<alias>\*[^\s,\[\]{}]+) | (?P<number>[-+.~\w]+)""",
    re.VERBOSE,
)

Container = Any  # a dict or a list of a tree


class Tree:
    """One YAML document, JSON file or TOML file.

    `data` consists of plain dicts, lists, strings, numbers, booleans and None. Keys are always strings: the text of the key as it was
    written. Where a key is given twice the last value holds, as most parsers have it, and `faults` says so. Aliases of one anchor
    share one container; a container's place is then that of the anchored original.
    """

    __slots__ = ("_aliases", "_kept", "_large", "_places", "_text", "data", "faults")

    def __init__(
        self,
        text: _Text,
        data: Any,
        places: dict[int, list[int]] | None = None,
        faults: tuple[Fault, ...] = (),
        aliases: dict[int, int] | None = None,
        kept: object = None,
    ) -> None:
        self.data = data
        self.faults = faults
        self._text = text
        self._places = places
        self._aliases = aliases or {}
        self._kept = kept
        self._large: dict[int, dict[str, int]] = {}

    @property
    def path(self) -> str:
        """The path of the file, relative to the repository's root."""
        return self._text.path

    def at(self, container: Container, key: str | int | None = None) -> Location:
        """Where the value under `key` begins, or the container itself where no key is given."""
        index = self._index(container, key)
        return self._text.location(index, 0 if key is None else self._width(index, container, key))

    def key_at(self, container: Container, key: str) -> Location:
        """Where `key` stands."""
        index = self._index(container, key, of_key=True)
        return self._text.location(index, self._extent(index, key))

    def spelling(self, container: Container, key: str | int) -> str:
        """The scalar under `key` as it was written ("99.90", "1e3"); a string is what it says, without quotes."""
        value = container[key]
        if isinstance(value, str):
            return value
        index = self._index(container, key)
        index = self._skip_properties(self._aliases.get(index, index))
        found = _SCALAR.match(self._text.text, index)
        return found["number"] or found[0][1:-1] if found else ""

    def line_of(self, container: Container, key: str | int, offset: int) -> Location:
        """Where the character `offset` of the scalar under `key` stands; `at` where that cannot be told."""
        value = container[key]
        index = self._index(container, key)
        index = self._skip_properties(self._aliases.get(index, index))
        if not isinstance(value, str) or not 0 <= offset < len(value):
            return self.at(container, key)
        place = _place_inside(self._text.text, index, value, offset)
        return self.at(container, key) if place is None else self._text.location(place)

    def _table(self) -> dict[int, list[int]]:
        """For the id of each container: its place, then that of each item, or of each key and its value in turn."""
        if self._places is None:
            self._places = self._scan()
        return self._places

    def _scan(self) -> dict[int, list[int]]:
        """Find the places of a tree that was built without them."""
        return {}

    def _index(self, container: Container, key: str | int | None, of_key: bool = False) -> int:
        """The index of the first character of a container, a value or a key."""
        places = self._table().get(id(container))
        if places is None:
            return 0
        if key is None:
            return places[0]
        if isinstance(container, list):
            return places[1 + int(key)] if -len(container) <= int(key) < len(container) else places[0]
        order = self._order(container, str(key))
        return places[0] if order is None else places[1 + 2 * order + (not of_key)]

    def _order(self, mapping: dict[str, Any], key: str) -> int | None:
        if key not in mapping:
            return None
        if len(mapping) < 32:
            return list(mapping).index(key)
        orders = self._large.get(id(mapping))
        if orders is None:
            orders = self._large[id(mapping)] = dict(zip(mapping, count()))
        return orders[key]

    def _skip_properties(self, index: int) -> int:
        found = _PROPERTIES.match(self._text.text, index)
        return found.end() if found else index

    def _width(self, index: int, container: Container, key: str | int) -> int:
        try:
            value = container[key]
        except (KeyError, IndexError, TypeError):
            return 0
        return 0 if isinstance(value, (dict, list)) else self._extent(index, value)

    def _extent(self, index: int, value: Any) -> int:
        """How many characters of its line the scalar at `index` covers; 0 where it goes on in the next."""
        text = self._text.text
        if isinstance(value, str) and value and "\n" not in value and text.startswith(value, index):
            return len(value)
        found = _SCALAR.match(text, index)
        return found.end() - index if found and (not isinstance(value, str) or found.lastgroup != "number") else 0


def _place_inside(text: str, start: int, value: str, offset: int) -> int | None:
    """The index in `text` of character `offset` of the string `value`, whose YAML source begins at `start`."""
    opening = text[start : start + 1]
    if opening in ("|", ">"):
        return _place_in_block(text, start, value, offset)
    if opening == '"':
        return _place_in_flow(text, start + 1, value, offset, _DOUBLE)
    if opening == "'":
        return _place_in_flow(text, start + 1, value, offset, _SINGLE)
    return _place_in_flow(text, start, value, offset, _PLAIN)


_FOLD = r"(?P<fold>[ \t]*(?:\r\n|\r|\n)(?:[ \t]*(?:\r\n|\r|\n))*[ \t]*)"
_PLAIN = re.compile(rf"{_FOLD}|(?P<one>.)")
_SINGLE = re.compile(rf"{_FOLD}|(?P<one>''|.)")
_DOUBLE = re.compile(
    rf"(?P<nothing>\\(?:\r\n|\r|\n)[ \t]*)|{_FOLD}|(?P<one>\\x..|\\u....|\\U........|\\.|.)", re.DOTALL
)


def _place_in_flow(text: str, start: int, value: str, offset: int, unit: re.Pattern[str]) -> int | None:
    """Follow the value and its source side by side: escapes give one character, folded line ends one space or some line ends."""
    at = 0
    for found in unit.finditer(text, start):
        if found.lastgroup == "nothing":
            continue
        if found.lastgroup == "one":
            written = found[0]
            if len(written) == 1 and written != value[at]:
                return None
            given = 1
        else:
            given = max(1, len(_BREAK.findall(found[0])) - 1)
        if at <= offset < at + given:
            return found.start()
        at += given
    return None


def _place_in_block(text: str, start: int, value: str, offset: int) -> int | None:
    """Find each line's content again in the value; between them stand only line ends and folding spaces."""
    at = 0
    indent = 0
    breaks = _BREAK.finditer(text, start)
    previous = next(breaks, None)
    while previous is not None:
        begin = previous.end()
        previous = next(breaks, None)
        line = text[begin : previous.start() if previous else len(text)]
        content = line.lstrip(" ")
        if not content:
            continue
        if not indent:
            first = re.match(r"\n* *", value)
            leading = first.end() - (value.rfind("\n", 0, first.end()) + 1) if first else 0
            indent = len(line) - len(content) - leading
        content = line[indent:]
        where = value.find(content, at)
        if where < 0 or value[at:where].strip(" \n"):
            return None
        if offset < where + len(content):
            return begin + indent + max(0, offset - where)
        at = where + len(content)
    return None


def _duplicate_key(source: _Text, key: str, first: int, index: int) -> Fault:
    message = (
        f"key {key!r} is given twice, the first time on line {source.location(first).line}; only the last value is read"
    )
    return Fault(kind="duplicate-key", at=source.location(index, 0), message=message, hint="keep one of them")


# --- YAML ---------------------------------------------------------------------------------------------------------------------------

_FIRST = frozenset(["", *"0123456789-+.~nNtTfF"])
"""What plain scalars that are no strings begin with."""
_WORDS: dict[str, Any] = {
    "": None, "~": None, "null": None, "Null": None, "NULL": None,
    "true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False,
    **{sign + word: float(f"{sign}inf") for sign in ("", "+", "-") for word in (".inf", ".Inf", ".INF")},
    ".nan": float("nan"), ".NaN": float("nan"), ".NAN": float("nan"),
}  # fmt: skip
_DECIMAL = re.compile(r"[-+]?[0-9]+")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_BASES = (("0x", 16, re.compile(r"0x[0-9a-fA-F]+")), ("0o", 8, re.compile(r"0o[0-7]+")))
_MAX_DIGITS = 1000
"""A number with more digits than this stays text: Python refuses to convert the longest ones."""


class _Resolved(dict[str, Any]):
    """What plain scalars mean in the YAML 1.2 core schema, worked out once each."""

    def __missing__(self, text: str) -> Any:
        value: Any = text
        if text in _WORDS:
            value = _WORDS[text]
        elif len(text) > _MAX_DIGITS:
            return text
        elif _DECIMAL.fullmatch(text):
            value = int(text)
        elif _FLOAT.fullmatch(text):
            value = float(text)
        else:
            for _, base, pattern in _BASES:
                if pattern.fullmatch(text):
                    value = int(text, base)
        self[text] = value
        return value


_STANDARD = "tag:yaml.org,2002:"
_TAGGED: dict[str, Callable[[Any, str], Any]] = {
    _STANDARD + "int": lambda value, text: value if type(value) is int else text,
    _STANDARD + "float": lambda value, text: float(value) if type(value) in (int, float) else text,
    _STANDARD + "bool": lambda value, text: value if type(value) is bool else text,
    _STANDARD + "null": lambda value, text: None if value is None else text,
}
"""What an explicit tag makes of a scalar: of what it would be without tag and quotes, and of its text."""


def _parser(text: str) -> Any:
    """PyYAML's C parser, or the one in Python where PyYAML was built without it."""
    return yaml.Loader(text) if CParser is None else CParser(text)


def load_yaml(text: str, path: str) -> tuple[Tree, ...]:
    """The documents of a YAML stream. Raises `Unreadable`."""
    source = _Text(text, path)
    try:
        trees = _build(source)
    except Unreadable as fault:
        raise fault if fault.template else _as_template(source, fault) from None
    except (yaml.YAMLError, UnicodeEncodeError) as error:
        raise _as_template(source, _explained(source, error)) from None
    for tree in trees:
        _refuse_template(source, tree)
    return trees


def _build(source: _Text) -> tuple[Tree, ...]:
    return tuple(_Builder(source).documents())


class _Builder:
    """Makes trees of a parser's events, without recursion."""

    def __init__(self, source: _Text) -> None:
        self.source = source
        self.text = source.text
        self.faults: list[Fault] = []
        self.first_places: dict[tuple[int, str], int] = {}
        self.kept: list[Any] = []
        self.merged = 0

    def documents(self) -> Iterator[Tree]:
        text = self.text
        get_event = _parser(text).get_event
        resolved = _Resolved()
        first = _FIRST
        merging = "<<" in text
        places: list[int] = []
        container: Any = []
        key: Any = None
        keyed = False
        stack: list[tuple[Any, list[int]]] = []
        table: dict[int, list[int]] = {}
        anchors: dict[str, tuple[Any, int, str | None]] = {}
        aliases: dict[int, int] = {}
        while True:
            event = get_event()
            kind = event.__class__
            if keyed:
                if kind is ScalarEvent:
                    key = event.value
                    index = event.start_mark.index
                    if event.anchor is not None:
                        anchors[event.anchor] = (key, index, key)
                elif kind is MappingEndEvent:
                    if merging and "<<" in container:
                        self.merge(container, places, table)
                    container, places = stack.pop()
                    keyed = container.__class__ is dict
                    continue
                else:
                    key, index = self.odd_key(event, kind, anchors)
                if key in container:
                    self.duplicate(container, places, key, index)
                places.append(index)
                event = get_event()
                kind = event.__class__
            if kind is ScalarEvent:
                value = event.value
                index = event.start_mark.index
                if event.implicit[0]:
                    if value[:1] in first and (not event.style) and text[index : index + 1] != "!":
                        value = resolved[value]
                elif event.tag in _TAGGED:
                    value = _TAGGED[event.tag](resolved[value], value)
                if event.anchor is not None:
                    anchors[event.anchor] = (value, index, event.value)
                places.append(index)
                if keyed:
                    container[key] = value
                else:
                    container.append(value)
            elif kind is MappingStartEvent or kind is SequenceStartEvent:
                index = event.start_mark.index
                value = {} if kind is MappingStartEvent else []
                if event.anchor is not None:
                    anchors[event.anchor] = (value, index, None)
                places.append(index)
                if keyed:
                    container[key] = value
                else:
                    container.append(value)
                stack.append((container, places))
                if len(stack) > MAX_DEPTH:
                    raise self.source.unreadable(index, f"values are nested more than {MAX_DEPTH} deep")
                container = value
                places = table[id(value)] = [index]
                keyed = kind is MappingStartEvent
            elif kind is SequenceEndEvent:
                container, places = stack.pop()
                keyed = container.__class__ is dict
            elif kind is AliasEvent:
                value, index = self.alias(event, anchors, container, stack, aliases)
                places.append(index)
                if keyed:
                    container[key] = value
                else:
                    container.append(value)
            elif kind is DocumentStartEvent:
                container, places, table = [], [], {}
                anchors, aliases = {}, {}
                self.faults, self.kept = [], []
            elif kind is DocumentEndEvent:
                data = container[0]
                if aliases:
                    self.refuse_expansion(data, places[0])
                yield Tree(self.source, data, table, tuple(self.faults), aliases, self.kept)
                container, keyed = [], False
            elif kind is StreamEndEvent:
                return

    def odd_key(self, event: Any, kind: type, anchors: dict[str, tuple[Any, int, str | None]]) -> tuple[str, int]:
        """A key that is not a plain text: an alias of one is, mappings and lists are not."""
        index = event.start_mark.index
        if kind is AliasEvent:
            _, _, text = anchors.get(event.anchor, (None, 0, None))
            if text is not None:
                return text, index
            raise self.source.unreadable(index, f"the key *{event.anchor} refers to no text before it")
        if self.text.startswith("{{", index):
            raise _braces(self.source, index)
        what = "a mapping" if kind is MappingStartEvent else "a list"
        raise self.source.unreadable(
            index, f"{what} is used as a key; only texts are", "put the key in quotes if it is meant as text"
        )

    def alias(
        self,
        event: Any,
        anchors: dict[str, tuple[Any, int, str | None]],
        container: Any,
        stack: list[tuple[Any, list[int]]],
        aliases: dict[int, int],
    ) -> tuple[Any, int]:
        """What an alias stands for."""
        name = event.anchor
        index = event.start_mark.index
        if name not in anchors:
            reason = f"*{name} is an alias, but no anchor &{name} stands before it"
            raise self.source.unreadable(index, reason, "put the value in quotes if a star is meant")
        value, original, _ = anchors[name]
        if value.__class__ in (dict, list) and (value is container or any(value is frame for frame, _ in stack)):
            raise self.source.unreadable(index, f"*{name} stands inside what it refers to, so it never ends")
        aliases[index] = original
        return value, index

    def duplicate(self, container: dict[str, Any], places: list[int], key: str, index: int) -> None:
        """Report a key that is there already, and forget its earlier value."""
        order = list(container).index(key)
        first = self.first_places.setdefault((id(container), key), places[1 + 2 * order])
        self.faults.append(_duplicate_key(self.source, key, first, index))
        self.kept.append(container.pop(key))
        del places[1 + 2 * order : 3 + 2 * order]

    def merge(self, container: dict[str, Any], places: list[int], table: dict[int, list[int]]) -> None:
        """Carry out a merge key: own keys win over merged ones, earlier mappings over later ones."""
        order = list(container).index("<<")
        sources = container["<<"]
        sources = [sources] if isinstance(sources, dict) else sources
        quoted = self.text[places[1 + 2 * order]] in "\"'"
        if quoted or not isinstance(sources, list) or not all(isinstance(source, dict) for source in sources):
            return
        self.kept.append(container.pop("<<"))
        index = places[1 + 2 * order]
        del places[1 + 2 * order : 3 + 2 * order]
        for source in sources:
            self.merged += len(source)
            if self.merged > MAX_ALIASED:
                raise self.source.unreadable(index, f"merge keys add more than {MAX_ALIASED:,} values")
            inherited = table[id(source)]
            for position, (key, value) in enumerate(source.items()):
                if key not in container:
                    container[key] = value
                    places += inherited[1 + 2 * position : 3 + 2 * position]

    def refuse_expansion(self, data: Any, index: int) -> None:
        """Count what a walk over the document would meet, each shared container as often as it is referred to, and how deep it goes."""
        sizes: dict[int, tuple[int, int]] = {}
        pending = [data]
        while pending:
            container = pending[-1]
            if id(container) in sizes or container.__class__ not in (dict, list):
                pending.pop()
                continue
            values = container.values() if container.__class__ is dict else container
            children = [value for value in values if value.__class__ in (dict, list)]
            unknown = [child for child in children if id(child) not in sizes]
            if unknown:
                pending += unknown
                continue
            pending.pop()
            size = len(container) + sum(sizes[id(child)][0] for child in children)
            depth = 1 + max((sizes[id(child)][1] for child in children), default=0)
            if size > MAX_ALIASED:
                raise self.source.unreadable(
                    index, f"aliases blow this document up to more than {MAX_ALIASED:,} values"
                )
            if depth > MAX_DEPTH:
                raise self.source.unreadable(index, f"values are nested more than {MAX_DEPTH} deep")
            sizes[id(container)] = (size, depth)


def _explained(source: _Text, error: Exception) -> Unreadable:
    """A parser's complaint in plain words."""
    if (found := _FORBIDDEN.search(source.text)) is not None:
        return source.unreadable(found.start(), f"the character U+{ord(found[0]):04X} is not allowed in YAML")
    problem = str(getattr(error, "problem", None) or error)
    mark = getattr(error, "problem_mark", None)
    context = getattr(error, "context_mark", None) or mark
    index = min(mark.index, len(source.text)) if mark is not None else 0
    opened = min(context.index, len(source.text)) if context is not None else index
    character = source.text[index : index + 1]
    if (character == "\t" and "token" in problem) or "tab character" in problem:
        return source.unreadable(
            index, "a tab is used for indentation; YAML allows spaces only", "replace the tab by spaces"
        )
    for pattern, at_start, reason, hint in _COMPLAINTS:
        if pattern.search(problem):
            line = source.location(opened).line
            place = opened if at_start else index
            return source.unreadable(place, reason.format(character=character, line=line), hint)
    return source.unreadable(index, problem)


_FORBIDDEN = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufeff\uff00-\ufffd\U00010000-\U0010ffff]")
_INDENTATION = "check that lines which belong together begin in the same column"
_COMPLAINTS: tuple[tuple[re.Pattern[str], bool, str, str], ...] = tuple(
    (re.compile(pattern), at_start, reason, hint)
    for pattern, at_start, reason, hint in (
        ("cannot start any token", False, "a value cannot begin with {character!r}", "put the value in quotes"),
        ("mapping values are not allowed", False, "': ' cannot stand here, inside a value or under a wrong indentation",
         "put the value in quotes if the colon belongs to it"),
        ("could not find expected ':'", True, "a key is not followed by ': '", "write it as key: value"),
        ("did not find expected key|expected <block end>, but found '?<(?!block sequence)", False,
         "this does not fit into the mapping that begins on line {line}", _INDENTATION),
        ("did not find expected '-' indicator|expected <block end>", False,
         "this does not fit into the list that begins on line {line}", _INDENTATION),
        ("',' or '}}?'", False, "the mapping that {{ opens on line {line} is not closed before this", "add }, or a comma between the entries"),
        ("',' or ']'", False, "the list that [ opens on line {line} is not closed before this", "add ], or a comma between the items"),
        ("unexpected end of stream|unexpected document", True, "the quote that opens here is never closed", "close the quote"),
        ("unknown escape character", False, "this is no escape sequence of a text in double quotes",
         "write the backslash twice, or use single quotes"),
        ("sequence entries are not allowed", False, "a list item cannot stand here", _INDENTATION),
        ("undefined tag handle", False, "this tag is not known", "put the value in quotes if an exclamation mark is meant"),
        ("alphabetic or numeric", False, "an alias or an anchor has no name here", "put the value in quotes if * or & is meant"),
    )
)  # fmt: skip


_HELM = re.compile(
    r"\{\{-?(?:[^{}]|\{\{|\}(?!\}))*?(?:(?<![\w.)\]])\$?\.(?:Values\.\w|(?:Release|Chart|Capabilities|Files|Template|Subcharts)\b)"
    r"|(?<![\w.$\"-])(?:include\s+[\"`(]|tpl\s+[\"(.$]|toYaml\s+\.Values))"
)
_JINJA = re.compile(
    r"\{%[-+]?\s*(?:if|for|set|raw|include|macro|block|extends|import|from|with|filter|call|end\w+|else|elif)\b"
)
_ERB = re.compile(r"<%[=#-]?\s.*?%>")
_RULE_TEMPLATE = re.compile(
    r"\{\{-?[^}]*(?:\$(?:labels|value|externalLabels)\b|\.(?:Labels|Value|Alerts|CommonLabels)\b)"
)
_OPENING = re.compile(r"\{\{|\{%|<%")


def _engine(text: str) -> str:
    """The template engine whose source the text is for certain; "" where nothing shows that."""
    if "{{" in text and _HELM.search(text) and not re.search(r"range\s+\.Alerts", text):
        return "Helm"
    if "{%" in text and _JINJA.search(text):
        return "Jinja"
    return "ERB" if "<%" in text and _ERB.search(text) else ""


def _template(source: _Text, index: int, engine: str) -> Unreadable:
    return source.unreadable(
        index, f"this is a {engine} template; it was not checked", "check what it renders to", template=True
    )


def _braces(source: _Text, index: int) -> Unreadable:
    """What `{{` where a key or a value begins means: a template, unless it is one of those that rules carry in their texts."""
    if _RULE_TEMPLATE.match(source.text, index):
        return source.unreadable(
            index, "a value that begins with {{ needs quotes, or it is a mapping", "put the whole value in quotes"
        )
    return _template(source, index, "Helm or Jinja")


def _as_template(source: _Text, fault: Unreadable) -> Unreadable:
    """What keeps a template from being YAML is no fault of its own."""
    text = source.text
    if engine := _engine(text):
        found = _OPENING.search(text)
        return _template(source, found.start() if found else 0, engine)
    lines = text.split("\n")
    for line in lines[max(0, fault.at.line - 2) : fault.at.line]:
        if (found := re.search(r"(?:^\s*(?:- )?|[:-]\s+)\{\{", line)) is not None:
            index = text.index(line) + found.end() - 2
            return _braces(source, index)
    return fault


def _refuse_template(source: _Text, tree: Tree) -> None:
    """Refuse a document that happens to be YAML although its values depend on a template engine."""
    text = source.text
    if ("{{" not in text and "{%" not in text and "<%" not in text) or not _engine(text):
        return
    for container, key, value in _strings(tree.data):
        if engine := _engine(value):
            at = tree.at(container, key) if key is not None else tree.at(container)
            raise Unreadable(
                at, f"this is a {engine} template; it was not checked", "check what it renders to", template=True
            )


def _strings(data: Any) -> Iterator[tuple[Any, Any, str]]:
    seen: set[int] = set()
    pending = [data]
    if isinstance(data, str):
        yield data, None, data
    while pending:
        container = pending.pop()
        if container.__class__ not in (dict, list) or id(container) in seen:
            continue
        seen.add(id(container))
        for key, value in container.items() if isinstance(container, dict) else enumerate(container):
            if (isinstance(key, str) and "{" in key) or (isinstance(key, str) and "<%" in key):
                yield container, key, key
            if isinstance(value, str):
                yield container, key, value
            else:
                pending.append(value)


# --- JSON ---------------------------------------------------------------------------------------------------------------------------

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[^\s{}\[\],:"]+|[{}\[\]]', re.DOTALL)
_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|.)", re.DOTALL)


def load_json(text: str, path: str) -> Tree:
    """A JSON file. Raises `Unreadable`."""
    import json

    source = _Text(text, path)
    repeated: dict[int, list[tuple[str, Any]]] = {}
    kept: list[Any] = []

    def mapping(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        made = dict(pairs)
        if len(made) != len(pairs):
            repeated[id(made)] = pairs
            kept.append(made)
        return made

    try:
        data = json.loads(text, object_pairs_hook=mapping, parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        raise source.unreadable(error.pos, f"this is not JSON: {error.msg[:1].lower()}{error.msg[1:]}") from None
    except RecursionError:
        raise source.unreadable(0, f"values are nested more than {MAX_DEPTH} deep") from None
    except ValueError as error:
        found = next(
            (
                token
                for token in _TOKEN.finditer(text)
                if token[0].strip("-") in ("NaN", "Infinity") or len(token[0]) > 4000
            ),
            None,
        )
        raise source.unreadable(found.start() if found else 0, f"this is not JSON: {error}") from None
    if _too_deep(data):
        raise source.unreadable(0, f"values are nested more than {MAX_DEPTH} deep")
    return _JsonTree(source, data, repeated)


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON number")


def _too_deep(data: Any) -> bool:
    level = [data]
    for _ in range(MAX_DEPTH + 1):
        level = [
            value
            for container in level
            if container.__class__ is dict or container.__class__ is list
            for value in (container.values() if container.__class__ is dict else container)
        ]
        if not level:
            return False
    return True


class _JsonTree(Tree):
    """A JSON file; its places are looked for only when somebody asks for one, or when a key is given twice."""

    __slots__ = ("_repeated",)

    def __init__(self, text: _Text, data: Any, repeated: dict[int, list[tuple[str, Any]]]) -> None:
        super().__init__(text, data)
        self._repeated = repeated
        if repeated:
            self._table()

    def _scan(self) -> dict[int, list[int]]:
        table: dict[int, list[int]] = {}
        stack: list[tuple[Any, list[int], Iterator[Any]]] = []
        container: Any = None
        places: list[int] = []
        values: Iterator[Any] = iter([self.data])
        for token in _TOKEN.finditer(self._text.text):
            index = token.start()
            character = token[0][0]
            if character in "}]":
                if container.__class__ is dict and id(container) in self._repeated:
                    table[id(container)] = self._last_places(container, places)
                container, places, values = stack.pop()
            elif container.__class__ is dict and len(places) % 2:
                places.append(index)
            else:
                places.append(index)
                value = next(values)
                if character in "{[":
                    stack.append((container, places, values))
                    container = value
                    places = table[id(value)] = [index]
                    pairs = self._repeated.get(id(value))
                    if pairs is not None:
                        values = iter([item for _, item in pairs])
                    else:
                        values = iter(value.values() if character == "{" else value)
        return table

    def _last_places(self, mapping: dict[str, Any], places: list[int]) -> list[int]:
        """Of the places of a mapping in which keys are given several times, those that hold; the others are faults."""
        first: dict[str, int] = {}
        last: dict[str, list[int]] = {}
        faults: list[Fault] = []
        for order, (key, _) in enumerate(self._repeated[id(mapping)]):
            pair = places[1 + 2 * order : 3 + 2 * order]
            if key in last:
                faults.append(_duplicate_key(self._text, key, first[key], pair[0]))
            first.setdefault(key, pair[0])
            last[key] = pair
        self.faults = (*self.faults, *faults)
        return [places[0], *(place for key in mapping for place in last[key])]


# --- TOML ---------------------------------------------------------------------------------------------------------------------------

_HEADER = re.compile(r"\s*(\[\[?)\s*([^\[\]]+?)\s*\]\]?\s*(?:#.*)?$")
_ASSIGNMENT = re.compile(r"""\s*((?:"[^"]*"|'[^']*'|[\w.-]|[ \t]+(?=[.\w"'-]))+)[ \t]*=[ \t]*""")
_PART = re.compile(r""""([^"]*)"|'([^']*)'|([\w-]+)""")


def load_toml(text: str, path: str) -> Tree:
    """A TOML file. Raises `Unreadable`."""
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib

    source = _Text(text, path)
    try:
        return _TomlTree(source, tomllib.loads(text))
    except RecursionError:
        raise source.unreadable(0, f"values are nested more than {MAX_DEPTH} deep") from None
    except ValueError as error:
        reason, _, place = str(error).partition(" (at ")
        found = re.search(r"line (\d+), column (\d+)", place)
        at = Location(path, int(found[1]), int(found[2])) if found else source.location(len(text) if place else 0)
        raise Unreadable(at, f"this is not TOML: {reason[:1].lower()}{reason[1:]}") from None


class _TomlTree(Tree):
    """A TOML file; its places are found by the table headers and the keys that begin a line. What is inside a line has the line's."""

    __slots__ = ()

    def _scan(self) -> dict[int, list[int]]:
        table: dict[int, list[int]] = {}
        _cover(table, self.data, 0)
        current, start, quoted = self.data, 0, False
        counts: dict[int, int] = {}
        for line in self._text.text.splitlines(keepends=True):
            if not quoted and (found := _HEADER.match(line)) is not None:
                current = self._enter(
                    table, self.data, _parts(found[2]), start + found.start(2), found[1] == "[[", counts
                )
            elif not quoted and (found := _ASSIGNMENT.match(line)) is not None:
                *parents, last = _parts(found[1])
                holder = self._enter(table, current, parents, start + found.start(1), False, counts)
                if isinstance(holder, dict) and last in holder:
                    _cover(table, holder[last], start + found.end())
                    _put(table, holder, last, start + found.start(1), start + found.end())
            quoted ^= (line.count('"' * 3) + line.count("'" * 3)) % 2 == 1
            start += len(line)
        return table

    def _enter(
        self,
        table: dict[int, list[int]],
        holder: Any,
        parts: list[str],
        index: int,
        another: bool,
        counts: dict[int, int],
    ) -> Any:
        """The table that a header or a dotted key names, seen from `holder`; `another` begins a new one of an array of tables."""
        for number, part in enumerate(parts, 1):
            if not isinstance(holder, dict) or part not in holder:
                return None
            _put(table, holder, part, index, index)
            holder = holder[part]
            if isinstance(holder, list):
                item = counts[id(holder)] = counts.get(id(holder), -1) + (another and number == len(parts))
                holder = holder[max(item, 0)] if item < len(holder) and holder else None
            if isinstance(holder, dict) and number == len(parts):
                table[id(holder)][0] = index
        return holder


def _parts(dotted: str) -> list[str]:
    return [found[1] or found[2] or found[3] or "" for found in _PART.finditer(dotted)]


def _cover(table: dict[int, list[int]], value: Any, index: int) -> None:
    """Give a value with all that it holds one place."""
    pending = [value]
    while pending:
        container = pending.pop()
        if isinstance(container, dict):
            table[id(container)] = [index] * (1 + 2 * len(container))
            pending += container.values()
        elif isinstance(container, list):
            table[id(container)] = [index] * (1 + len(container))
            pending += container


def _put(table: dict[int, list[int]], holder: dict[str, Any], key: str, key_index: int, value_index: int) -> None:
    order = list(holder).index(key)
    table[id(holder)][1 + 2 * order : 3 + 2 * order] = (key_index, value_index)


# --- Files --------------------------------------------------------------------------------------------------------------------------


class Source:
    """A file that a reader was given, with the settings of the service that it belongs to."""

    __slots__ = ("_failure", "_lines", "_text", "_trees", "data", "path", "settings")

    def __init__(self, path: str, data: bytes, settings: Settings = DEFAULTS) -> None:
        self.path = path
        self.data = data
        self.settings = settings
        self._text: str | None = None
        self._lines: tuple[str, ...] | None = None
        self._trees: tuple[Tree, ...] | None = None
        self._failure: Unreadable | None = None

    @property
    def text(self) -> str:
        """The file as text, without a byte order mark. Raises `Unreadable` where it is not UTF-8, or too large."""
        if self._text is None:
            self._text = _decoded(self.path, self.data)
        return self._text

    @property
    def lines(self) -> tuple[str, ...]:
        """The lines without their ends."""
        if self._lines is None:
            lines = _BREAK.split(self.text)
            self._lines = tuple(lines if lines[-1] else lines[:-1])
        return self._lines

    @property
    def trees(self) -> tuple[Tree, ...]:
        """The documents in the file: JSON and TOML by the path's ending, else YAML. Raises the same `Unreadable` every time."""
        if self._failure is not None:
            raise self._failure
        if self._trees is None:
            try:
                self._trees = self._parsed()
            except Unreadable as failure:
                self._failure = failure
                raise
        return self._trees

    def _parsed(self) -> tuple[Tree, ...]:
        if self.path.endswith(".json"):
            return (load_json(self.text, self.path),)
        if self.path.endswith(".toml"):
            return (load_toml(self.text, self.path),)
        return load_yaml(self.text, self.path)


def _decoded(path: str, data: bytes) -> str:
    if len(data) > MAX_BYTES:
        reason = f"the file has {len(data) / 1e6:.1f} MB; more than {MAX_BYTES // 1_000_000} MB are not read"
        raise Unreadable(Location(path), reason)
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise Unreadable(
            Location(path),
            "the file is UTF-16 text (it begins with that byte order mark); UTF-8 is expected",
            "save it as UTF-8",
        )
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = error.object[: error.start].decode("utf-8")
        at = _Text(before, path).location(len(before))
        raise Unreadable(
            at, f"the byte 0x{error.object[error.start]:02x} is not UTF-8 text", "save the file as UTF-8"
        ) from None
