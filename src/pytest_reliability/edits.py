"""Changing files: mechanical edits that touch nothing else, and writing so that nobody ever finds a half-written file.

An edit is done in the text itself, so that comments, order, quotes, indentation and line ends stay as they are, and then checked:
the file is parsed again, and where anything but what was meant has changed, the edit is refused.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from pytest_reliability.contracts import UsageError
from pytest_reliability.documents import Source, Tree, Unreadable
from pytest_reliability.documents.text import BREAK
from pytest_reliability.model.location import Location
from pytest_reliability.model.nodes import Edit, Replace, Rewrite, SetKey

__all__ = ["CannotEdit", "apply", "apply_all", "path_of", "write"]

_PARSED = (".yaml", ".yml", ".json", ".toml")
_MARK = "\ufeff"


class CannotEdit(Exception):  # noqa: N818 - it describes the edit
    """Why an edit was not done: the text is not the one that it was made for, or more than that would change."""


def path_of(edit: Edit) -> str:
    """The file that an edit changes, relative to the repository's root."""
    return edit.path if isinstance(edit, Rewrite) else edit.at.path


def apply_all(path: str, text: str, edits: Sequence[Edit]) -> tuple[str, list[tuple[Edit, str]]]:
    """The text of the file at `path` after all the edits, and those that were not done, with the reason."""
    refused: list[tuple[Edit, str]] = []
    mark, text = text[: text.startswith(_MARK)], text.removeprefix(_MARK)
    whole = [edit for edit in edits if isinstance(edit, Rewrite)]
    if whole:
        others = [edit for edit in edits if edit is not whole[0] and edit != whole[0]]
        return mark + whole[0].text, [(edit, "the whole file is written anew; run it once more") for edit in others]
    # From the end to the beginning, so that the places of those to come are still right.
    for edit in sorted(_apart(edits), key=lambda edit: (edit.at.line, edit.at.column), reverse=True):
        try:
            text = apply(path, text, edit)
        except CannotEdit as error:
            refused.append((edit, str(error)))
    return mark + text, refused


def _apart(edits: Sequence[Edit]) -> list[Replace | SetKey]:
    """The edits of places, each once."""
    found: list[Replace | SetKey] = []
    for edit in edits:
        if not isinstance(edit, Rewrite) and edit not in found:
            found.append(edit)
    return found


def apply(path: str, text: str, edit: Edit) -> str:
    """The text of the file at `path` with one edit done; the same text where it has been done before.

    Raises CannotEdit where it cannot be done, or would change anything else.
    """
    if isinstance(edit, Rewrite):
        return edit.text
    if isinstance(edit, Replace):
        return _replaced(path, text, edit)
    return _with_key(path, text, edit)


def _index(text: str, at: Location) -> int:
    """The index of the character at a place."""
    starts = [0, *(found.end() for found in BREAK.finditer(text))]
    if at.line > len(starts):
        raise CannotEdit(f"the file has only {len(starts)} lines")
    index = starts[at.line - 1] + at.column - 1
    if index > len(text):
        raise CannotEdit(f"line {at.line} has no column {at.column}")
    return index


def _trees(path: str, text: str) -> tuple[Tree, ...]:
    try:
        return Source(path, text.encode("utf-8", "surrogatepass")).trees
    except Unreadable as error:
        raise CannotEdit(f"the file could not be read afterwards: {error.reason}") from error


# Text for text


def _replaced(path: str, text: str, edit: Replace) -> str:
    start = _index(text, edit.at)
    quoted = text[start : start + 1] in ("'", '"')
    found = None
    for begin in (start, start + 1) if quoted else (start,):
        for old, new in _spellings(edit):
            if _is_done(text, begin, old, new):
                return text
            if _stands(text, begin, old):
                changed = text[:begin] + new + text[begin + len(old) :]
                unfit = _unfit(path, text, changed, edit)
                if not unfit:
                    return changed
                found = found or unfit
    raise CannotEdit(found or f"{edit.old!r} does not stand there any more")


def _spellings(edit: Replace) -> Iterator[tuple[str, str]]:
    """Old and new as they are, and as they are written inside double and inside single quotes."""
    import json

    pair = (edit.old, edit.new)
    double, single = [(json.dumps(one, ensure_ascii=False)[1:-1], one.replace("'", "''")) for one in pair]
    yield from dict.fromkeys((pair, (double[0], single[0]), (double[1], single[1])))


def _stands(text: str, begin: int, old: str) -> bool:
    """Whether `old` stands there, and is not the beginning of a longer word."""
    if not text.startswith(old, begin):
        return False
    end = begin + len(old)
    return not (old and _is_word(old[-1]) and end < len(text) and _is_word(text[end]))


def _is_done(text: str, begin: int, old: str, new: str) -> bool:
    """Whether `new` stands there already; what is to be replaced may begin like it."""
    if not (old and new):
        return bool(new) and text.startswith(new, begin)
    return _stands(text, begin, new) and (new.startswith(old) or not _stands(text, begin, old))


def _is_word(character: str) -> bool:
    return character.isalnum() or character == "_"


def _unfit(path: str, before: str, after: str, edit: Replace) -> str:
    """Why the text must not become that; "" where one scalar has changed and nothing else, or nobody can tell."""
    if not path.endswith(_PARSED):
        return ""
    try:
        old, new = _trees(path, before), _trees(path, after)
    except CannotEdit as error:
        return str(error)
    if sum(len(tree.faults) for tree in new) > sum(len(tree.faults) for tree in old):
        return "a key would be there twice"
    was, becomes = list(_leaves(old)), list(_leaves(new))
    if len(was) != len(becomes):
        return "it would change more than that"
    changes = {(one, other) for one, other in zip(was, becomes, strict=True) if repr(one) != repr(other)}
    if not changes:
        return "it would change nothing that is read"
    if len(changes) > 1 or not all(_is_replacement(one, other, edit) for one, other in changes):
        return "it would change more than that"
    return ""


def _is_replacement(was: Any, becomes: Any, edit: Replace) -> bool:
    if not (isinstance(was, str) and isinstance(becomes, str)):
        return was.__class__ is not tuple and becomes.__class__ is not tuple  # a number, or it becomes one or a text
    places = range(len(was) + 1)
    return any(was.startswith(edit.old, at) and was[:at] + edit.new + was[at + len(edit.old) :] == becomes for at in places)


def _leaves(trees: Sequence[Tree]) -> Iterator[Any]:
    """Every key and scalar of some documents in their order, with tuples for where containers begin; a shared one once."""
    seen: set[int] = set()
    pending: list[Any] = [tree.data for tree in reversed(trees)]
    while pending:
        value = pending.pop()
        if not isinstance(value, (dict, list)):
            yield value
        elif id(value) not in seen:
            seen.add(id(value))
            yield (value.__class__.__name__, len(value))
            flat = [part for pair in value.items() for part in pair] if isinstance(value, dict) else value
            pending.extend(reversed(flat))


# A key of a mapping


def _with_key(path: str, text: str, edit: SetKey) -> str:
    if not path.endswith(_PARSED[:3]):
        raise CannotEdit("only YAML and JSON have keys that can be set")
    value = _plain(edit.value)
    trees = _trees(path, text)
    expected = _container(trees, edit.at)
    if expected is None:
        raise CannotEdit("no mapping begins there any more")
    if not _assign(expected, edit.keys, value):
        return text
    changed = _Mappings(path, text).changed(_index(text, edit.at), edit.keys, value)
    after = _trees(path, changed)
    if repr([tree.data for tree in trees]) != repr([tree.data for tree in after]):
        raise CannotEdit("it would change more than that")
    return changed


def _plain(value: Any) -> Any:
    """The value as a parser gives it back."""
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return value


def _container(trees: Sequence[Tree], at: Location) -> dict[str, Any] | None:
    """The mapping that begins there."""
    for tree in trees:
        pending = [tree.data]
        seen: set[int] = set()
        while pending:
            value = pending.pop()
            if isinstance(value, (dict, list)) and id(value) not in seen:
                seen.add(id(value))
                place = tree.at(value)
                if isinstance(value, dict) and (place.line, place.column) == (at.line, at.column):
                    return value
                pending.extend(value.values() if isinstance(value, dict) else value)
    return None


def _assign(mapping: dict[str, Any], keys: tuple[str, ...], value: Any) -> bool:
    """Set the value in plain data; False where it was so before."""
    *way, last = keys
    for key in way:
        inner = mapping.get(key)
        if inner is None:
            if value is None:
                return False
            inner = mapping[key] = {}
        if not isinstance(inner, dict):
            raise CannotEdit(f"{key} is no mapping")
        mapping = inner
    if value is None:
        was_there = last in mapping
        mapping.pop(last, None)
        return was_there
    same = last in mapping and repr(mapping[last]) == repr(value)
    mapping[last] = value
    return not same


@dataclass(frozen=True, slots=True)
class _Style:
    """How a file is written: spaces for each level, and for the dash of a list's items; what ends a line."""

    mapping: int
    dash: int
    end: str


class _Mappings:
    """The mappings of a YAML or JSON text, with the index of everything in them."""

    def __init__(self, path: str, text: str) -> None:
        from warnings import catch_warnings, simplefilter

        from ruamel.yaml import YAML
        from ruamel.yaml.error import YAMLError

        self.text = text
        self.is_json = path.endswith(".json")
        try:
            with catch_warnings():  # of anchors that are used twice
                simplefilter("ignore")
                # Tabs are white space to us, and not to everybody; blanks instead leave all places as they are.
                documents = list(YAML(typ="safe", pure=True).compose_all(text.replace("\t", " ")))
        except YAMLError as error:
            raise CannotEdit("the file is not written in a way that can be edited") from error
        self.documents = [node for node in documents if node is not None]
        self.style = self._style()

    def changed(self, index: int, keys: tuple[str, ...], value: Any) -> str:
        """The text with the value under `keys` of the mapping that begins at `index`; None removes it."""
        mapping = next((node for node in self._nodes() if self._is_mapping(node) and node.start_mark.index == index), None)
        if mapping is None:
            raise CannotEdit("no mapping begins there any more")
        while True:
            key, *rest = keys
            entry = self._entry(mapping, key)
            if entry is None and value is None:
                raise CannotEdit(f"{key} is merged into it from elsewhere")
            if entry is None:
                return self._inserted(mapping, key, _nested(rest, value))
            if not rest:
                return self._removed(mapping, entry) if value is None else self._revalued(mapping, entry, value)
            if not self._is_mapping(mapping.value[entry][1]):
                return self._revalued(mapping, entry, _nested(rest, value))
            mapping, keys = mapping.value[entry][1], tuple(rest)

    # Where things are

    def _nodes(self) -> Iterator[Any]:
        """Every node, outer ones first."""
        pending = list(reversed(self.documents))
        seen: set[int] = set()
        while pending:
            node = pending.pop()
            if id(node) in seen:
                continue
            seen.add(id(node))
            yield node
            if isinstance(node.value, list):
                inner = [part for item in node.value for part in (item if isinstance(item, tuple) else (item,))]
                pending.extend(reversed(inner))

    @staticmethod
    def _is_mapping(node: Any) -> bool:
        return bool(node.id == "mapping")

    @staticmethod
    def _entry(mapping: Any, key: str) -> int | None:
        """The number of the entry with that key: of several the last, which is the one that counts."""
        found = [number for number, (name, _) in enumerate(mapping.value) if name.id == "scalar" and name.value == key]
        return found[-1] if found else None

    def _style(self) -> _Style:
        levels: list[int] = []
        dashes: list[int] = []
        for node in self._nodes():
            if self._is_mapping(node) and not node.flow_style:
                for key, value in node.value:
                    if value.id != "scalar" and not value.flow_style and value.start_mark.index > key.end_mark.index:
                        deeper = value.start_mark.column - key.start_mark.column
                        (levels if self._is_mapping(value) else dashes).append(deeper)
        end = "\r\n" if "\r\n" in self.text else "\n"
        return _Style(_usual(levels, 2), _usual(dashes, 2), end)

    def _end(self, node: Any) -> int:
        """The index behind a node; comments and blank lines that follow are not part of it."""
        if node.id == "scalar":
            start, end = node.start_mark.index, node.end_mark.index
            if node.style not in ("|", ">"):
                return int(end)
            content = self.text[start:end]
            keeps_all = "+" in content.partition("\n")[0]
            return int(end) if keeps_all else int(start) + len(content.rstrip())
        if node.flow_style:
            return int(node.end_mark.index)
        if self._is_mapping(node):
            return self._entry_end(*node.value[-1])
        if node.value[-1].start_mark.index < node.start_mark.index:
            raise CannotEdit("it ends with an alias of something else")
        return self._end(node.value[-1])

    def _entry_end(self, key: Any, value: Any) -> int:
        import re

        if self._is_empty(value):
            return self._colon(key)
        if value.start_mark.index >= key.end_mark.index:
            return self._end(value)
        alias = re.compile(r"\s*:\s*\*[^\s,\[\]{}]+").match(self.text, key.end_mark.index)  # its node is the anchor's
        if alias is None:
            raise CannotEdit("it ends with an alias of something else")
        return alias.end()

    @staticmethod
    def _is_empty(value: Any) -> bool:
        return bool(value.start_mark.index == value.end_mark.index)

    def _colon(self, key: Any) -> int:
        """The index behind the colon of a key."""
        return self.text.index(":", key.end_mark.index) + 1

    def _line_start(self, index: int) -> int:
        return max(self.text.rfind("\n", 0, index), self.text.rfind("\r", 0, index)) + 1

    def _next_line(self, index: int) -> int | None:
        """Where the line after that of the index begins; None where the text ends first."""
        if index and self.text[index - 1] in "\r\n":
            return index
        found = BREAK.search(self.text, index)
        return found.end() if found else None

    # What changes

    def _inserted(self, mapping: Any, key: str, value: Any) -> str:
        if mapping.flow_style:
            return self._inserted_in_braces(mapping, key, value)
        column = mapping.value[0][0].start_mark.column
        lines = _indented(_block({key: value}, self.style), column, self.style.end)
        at = self._next_line(self._entry_end(*mapping.value[-1]))
        if at is None:
            return f"{self.text}{self.style.end}{lines}"
        return f"{self.text[:at]}{lines}{self.style.end}{self.text[at:]}"

    def _inserted_in_braces(self, mapping: Any, key: str, value: Any) -> str:
        text, closing = self.text, mapping.end_mark.index - 1
        if not mapping.value:
            return text[: mapping.start_mark.index + 1] + self._item(mapping, key, value, "") + text[closing:]
        name = mapping.value[-1][0].start_mark.index
        lead = text[self._line_start(name) : name]
        own_line = not lead.strip()
        item = (self.style.end + lead if own_line else " ") + self._item(mapping, key, value, lead if own_line else "")
        end = self._entry_end(*mapping.value[-1])
        comment = text.find("#", end, closing)
        comma = text.find(",", end, closing if comment < 0 else comment)
        if comma >= 0:
            return text[: comma + 1] + item + text[comma + 1 :]
        return f"{text[:end]},{item}{text[end:]}"

    def _item(self, mapping: Any, key: str, value: Any, lead: str) -> str:
        """An entry as it stands between braces; `lead` is what its line begins with, where it has one of its own."""
        import json

        if self._takes_json(mapping):
            return f"{json.dumps(key, ensure_ascii=False)}: {self._json(value, lead)}"
        return _flow({key: value})[1:-1]

    def _takes_json(self, mapping: Any) -> bool:
        return self.is_json or bool(mapping.flow_style and mapping.value and mapping.value[0][0].style == '"')

    def _json(self, value: Any, lead: str) -> str:
        import json

        if not lead:
            return json.dumps(value, ensure_ascii=False)
        step = "\t" if lead.strip(" ") else self._json_step()
        return json.dumps(value, ensure_ascii=False, indent=step).replace("\n", self.style.end + lead)

    def _json_step(self) -> str:
        """What a level is indented by: what the first key of the first mapping is."""
        import re

        first = re.search(r"\{\s*\n( +)", self.text)
        return first[1] if first else "  "

    def _revalued(self, mapping: Any, number: int, value: Any) -> str:
        text = self.text
        key, old = mapping.value[number]
        end = self._entry_end(key, old)
        is_alias = old.start_mark.index < key.end_mark.index
        colon = self._colon(key)
        start = colon if is_alias or self._is_empty(old) else old.start_mark.index
        if mapping.flow_style or self.is_json:
            lead = text[self._line_start(key.start_mark.index) : key.start_mark.index]
            new = self._json(value, "" if lead.strip() else lead) if self._takes_json(mapping) else _flow(value)
        elif isinstance(value, (dict, list)) and value:
            if self._is_empty(old):
                end = start = len(text) if (found := BREAK.search(text, colon)) is None else found.start()
            kept = BREAK.split(text[colon:start], maxsplit=1)[0].rstrip()  # a comment behind the key
            deeper = self.style.mapping if isinstance(value, dict) else 0  # the items of a list have their own already
            lines = _indented(_block(value, self.style), key.start_mark.column + deeper, self.style.end)
            return f"{text[:colon]}{kept}{self.style.end}{lines}{text[end:]}"
        else:
            new = _flow(value, "" if is_alias else old.style if old.id == "scalar" else "")
        gap = "" if text[start - 1 : start] in (" ", "\t") or text[start - 1 : start] == "\n" else " "
        return f"{text[:start]}{gap}{new}{text[end:]}"

    def _removed(self, mapping: Any, number: int) -> str:
        text, entries = self.text, mapping.value
        start, end = entries[number][0].start_mark.index, self._entry_end(*entries[number])
        if len(entries) == 1:
            if mapping.flow_style:
                return text[: mapping.start_mark.index] + "{}" + text[mapping.end_mark.index :]
            return f"{text[:start]}{{}}{text[end:]}"
        if mapping.flow_style and number == len(entries) - 1:
            return text[: self._entry_end(*entries[number - 1])] + text[end:]
        begin = self._line_start(start)
        if not mapping.flow_style and not text[begin:start].strip():
            below = self._next_line(end)
            return text[:begin] + text[below:] if below is not None else text[:begin].removesuffix(self.style.end)
        return text[:start] + text[entries[number + 1][0].start_mark.index :]


def _nested(keys: Sequence[str], value: Any) -> Any:
    for key in reversed(keys):
        value = {key: value}
    return value


def _usual(found: Sequence[int], otherwise: int) -> int:
    """The most frequent of them."""
    return max(sorted(set(found)), key=found.count) if found else otherwise


def _indented(block: str, column: int, end: str) -> str:
    return end.join(" " * column + line if line else line for line in block.split("\n"))


_AMBIGUOUS = frozenset(["y", "n", "yes", "no", "on", "off"])
"""What is a truth value in YAML 1.1, which many parsers still read."""


def _block(value: Any, style: _Style) -> str:
    """The value as lines of YAML, in the style of its file."""
    return _dumped(value, style, flow=False)


def _flow(value: Any, quote: str | None = "") -> str:
    """The value on one line of YAML; a text in the quotes that were there before."""
    from ruamel.yaml.scalarstring import DoubleQuotedScalarString, SingleQuotedScalarString

    if isinstance(value, str):
        if quote == '"' or "\n" in value:
            value = DoubleQuotedScalarString(value)
        elif quote == "'":
            value = SingleQuotedScalarString(value)
    if isinstance(value, (dict, list)):
        return _dumped(value, _Style(2, 2, "\n"), flow=True)
    return _dumped([value], _Style(2, 2, "\n"), flow=True)[1:-1]


def _dumped(value: Any, style: _Style, *, flow: bool) -> str:
    from io import StringIO

    from ruamel.yaml import YAML

    yaml = YAML()
    yaml.default_flow_style = flow
    yaml.width = 1_000_000
    yaml.indent(mapping=style.mapping, sequence=style.dash + 2, offset=style.dash)
    written = StringIO()
    yaml.dump(_safe(value, flow), written)
    return written.getvalue().rstrip("\n")


def _safe(value: Any, flow: bool) -> Any:
    """The value with texts so quoted that every parser takes them for texts."""
    from ruamel.yaml.scalarstring import DoubleQuotedScalarString, LiteralScalarString, ScalarString

    if isinstance(value, dict):
        return {key: _safe(item, flow) for key, item in value.items()}
    if isinstance(value, list):
        return [_safe(item, flow) for item in value]
    if not isinstance(value, str) or isinstance(value, ScalarString):
        return value
    if "\n" in value and not flow:
        return LiteralScalarString(value)
    base_60 = ":" in value and value.replace(":", "").replace(".", "").isdigit()
    return DoubleQuotedScalarString(value) if "\n" in value or value.lower() in _AMBIGUOUS or base_60 else value


# Writing


def write(path: Path, text: str) -> None:
    """Put `text` into `path` (UTF-8, line ends as given), atomically; what was there stays until all is written.

    Folders are made as needed and permissions kept. Raises UsageError where the file cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        target = path.resolve()
        handle, temporary = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
        try:
            with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
                file.write(text)
            Path(temporary).chmod(target.stat().st_mode & 0o7777 if target.exists() else 0o666 & ~_umask())
            Path(temporary).replace(target)
        except BaseException:
            with suppress(OSError):
                Path(temporary).unlink()
            raise
    except OSError as error:
        raise UsageError(f"{path}: cannot be written: {error.strerror or error}") from error


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
