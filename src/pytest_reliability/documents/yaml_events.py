"""All of YAML, from the events of PyYAML's parser."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

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
)

from pytest_reliability.documents.complaints import explain
from pytest_reliability.documents.scalars import MAYBE, Resolved
from pytest_reliability.documents.templates import braces, template_instead
from pytest_reliability.documents.text import Text, Unreadable
from pytest_reliability.documents.tree import MAX_DEPTH, Places, Tree
from pytest_reliability.model.nodes import Fault

CParser: Any
try:
    from yaml.cyaml import CParser  # type: ignore[attr-defined]
except ImportError:  # PyYAML was built without libyaml
    CParser = None

MAX_ALIASED = 1_000_000
"""So many values may aliases add to a stream; the "billion laughs" attack adds more than anybody can walk through."""
MAX_DUPLICATES = 100
"""So many keys may be given twice; each costs a search through its mapping."""

_MAYBE = MAYBE | {""}
_STANDARD = "tag:yaml.org,2002:"
_TAGS: dict[str, Callable[[Any, str], Any]] = {
    f"{_STANDARD}int": lambda value, text: value if type(value) is int else text,
    f"{_STANDARD}float": lambda value, text: float(value) if type(value) in (int, float) else text,
    f"{_STANDARD}bool": lambda value, text: value if type(value) is bool else text,
    f"{_STANDARD}null": lambda value, text: text if value is not None else None,
}
"""What an explicit tag makes of a scalar, given what it would be if it were plain, and its text."""


def read(source: Text) -> tuple[Tree, ...]:
    """The documents of a stream. Raises Unreadable."""
    try:
        trees = tuple(_Builder(source).trees())
        if CParser is None:  # libyaml sees to this itself
            for tree in trees:
                tree.refuse_half_characters()
        return trees
    except Unreadable as fault:
        raise template_instead(source, fault) from None
    except (yaml.YAMLError, UnicodeEncodeError) as error:
        raise template_instead(source, explain(source, error)) from None


def _events(text: str) -> Iterator[Any]:
    parser = yaml.Loader(text) if CParser is None else CParser(text)
    return iter(parser.get_event, None)


class _Builder:
    """Makes trees of events without recursion."""

    def __init__(self, source: Text) -> None:
        self.source = source
        self.aliased = 0
        self.forget()

    def forget(self) -> None:
        """Begin a document: anchors, for one thing, do not reach from one into the next."""
        self.anchors: dict[str | None, tuple[Any, int, str | None]] = {}  # what they mark, where, and its text if it is a scalar
        self.aliases: dict[int, int] = {}
        self.faults: list[Fault] = []
        self.first: dict[tuple[int, str], int] = {}
        self.kept: list[Any] = []
        self.sizes: dict[int, tuple[int, int]] = {}

    def trees(self) -> Iterator[Tree]:
        """Every document. A document's root is put into a list, so that all values have a container."""
        text = self.source.text
        anchored, merging = "&" in text, "<<" in text
        resolved = Resolved()
        events = _events(text)
        following, maybe = events.__next__, _MAYBE
        container: Any = []
        keyed = False  # whether the container is a mapping
        places: list[int] = []
        table: Places = {}
        stack: list[tuple[Any, list[int]]] = []
        for event in events:
            kind = event.__class__
            if keyed:
                if kind is ScalarEvent:
                    key = event.value
                    index = event.start_mark.index
                    if anchored and event.anchor:
                        self.anchors[event.anchor] = (key, index, key)
                elif kind is MappingEndEvent:
                    if merging and "<<" in container:
                        self.merge(container, places, table)
                    container, places = stack.pop()
                    keyed = container.__class__ is dict
                    continue
                else:
                    key, index = self.odd_key(event)
                if key in container:
                    self.replace(container, places, key, index)
                places.append(index)
                event = following()
                kind = event.__class__
            if kind is ScalarEvent:
                value = event.value
                index = event.start_mark.index
                if value[:1] in maybe and resolved[value].__class__ is not str:
                    value = self.scalar(event, index, resolved[value])
                if anchored and event.anchor:
                    self.anchors[event.anchor] = (value, index, event.value)
            elif kind is MappingStartEvent or kind is SequenceStartEvent:
                value = {} if kind is MappingStartEvent else []
                index = event.start_mark.index
                if anchored and event.anchor:
                    self.anchors[event.anchor] = (value, index, None)
                places.append(index)
                if keyed:
                    container[key] = value
                else:
                    container.append(value)
                stack.append((container, places))
                if len(stack) > MAX_DEPTH:
                    raise self.too_deep(index)
                container = value
                places = table[id(value)] = [index]
                keyed = kind is MappingStartEvent
                continue
            elif kind is SequenceEndEvent:
                container, places = stack.pop()
                keyed = container.__class__ is dict
                continue
            elif kind is AliasEvent:
                index = event.start_mark.index
                value = self.referred(event.anchor, index, [*(frame for frame, _ in stack), container])
            elif kind is DocumentStartEvent:
                container, places, table = [], [], {}
                self.forget()
                continue
            elif kind is DocumentEndEvent:
                yield Tree(
                    self.source,
                    container[0],
                    table,
                    start=self.source.within(places[0]),
                    faults=tuple(self.faults),
                    aliases=self.aliases,
                    kept=tuple(self.kept),
                )
                continue
            else:  # the stream begins or ends
                continue
            places.append(index)
            if keyed:
                container[key] = value
            else:
                container.append(value)

    def scalar(self, event: Any, index: int, value: Any) -> Any:
        """What a scalar means whose text would be no string, if it were plain and had no tag."""
        text: str = event.value
        plain, _ = event.implicit
        if plain:
            forced = event.style or self.source.text[index : index + 1] == "!"  # `! 12` is a string
            return text if forced else value
        convert = _TAGS.get(event.tag)
        return convert(value, text) if convert else text

    def odd_key(self, event: Any) -> tuple[str, int]:
        """A key that is not written out: an alias of a scalar. Mappings and lists cannot be keys."""
        index = event.start_mark.index
        if event.__class__ is AliasEvent:
            _, _, text = self.anchors.get(event.anchor, (None, 0, None))
            if text is None:
                raise self.source.unreadable(index, f"the key *{event.anchor} refers to no scalar before it")
            return text, index
        if "{{" in self.source.text[max(0, index - 1) : index + 2]:
            raise braces(self.source, self.source.text.index("{{", max(0, index - 1)))
        what = "a mapping" if event.__class__ is MappingStartEvent else "a list"
        raise self.source.unreadable(index, f"{what} stands where a key is expected", "put the key in quotes if it is a text")

    def referred(self, name: str, index: int, around: list[Any]) -> Any:
        """The value that the alias `name` stands for, which must not be one of those around it."""
        if name not in self.anchors:
            reason = f"*{name} is an alias, but no anchor &{name} stands before it"
            raise self.source.unreadable(index, reason, "put the value in quotes if the star is part of it")
        value, original, text = self.anchors[name]
        if text is None:
            if any(value is container for container in around):
                raise self.source.unreadable(index, f"*{name} stands inside of what it refers to, so there is no end to it")
            size, depth = self.measure(value)
            self.aliased += size
            if self.aliased > MAX_ALIASED:
                raise self.source.unreadable(index, f"up to here aliases stand for more than {MAX_ALIASED:,} values")
            if len(around) - 1 + depth > MAX_DEPTH:
                raise self.too_deep(index)
        self.aliases[index] = original
        return value

    def measure(self, container: Any) -> tuple[int, int]:
        """How many values there are in a finished container, what is shared counted every time, and how deep they are nested."""
        sizes = self.sizes
        pending = [container]
        while pending:
            current = pending[-1]
            values = current.values() if current.__class__ is dict else current
            inner = [value for value in values if value.__class__ is dict or value.__class__ is list]
            unknown = [value for value in inner if id(value) not in sizes]
            if unknown:
                pending += unknown
                continue
            pending.pop()
            size = 1 + len(current) - len(inner) + sum(sizes[id(value)][0] for value in inner)
            sizes[id(current)] = size, 1 + max((sizes[id(value)][1] for value in inner), default=0)
        return sizes[id(container)]

    def too_deep(self, index: int) -> Unreadable:
        """The complaint about more levels than `MAX_DEPTH`."""
        return self.source.unreadable(index, f"values are nested more than {MAX_DEPTH} levels deep")

    def replace(self, container: dict[str, Any], places: list[int], key: str, index: int) -> None:
        """Forget the earlier value of a key that is given twice."""
        if len(self.faults) >= MAX_DUPLICATES:
            raise self.source.unreadable(index, f"more than {MAX_DUPLICATES} keys are given twice")
        order = list(container).index(key)
        first = self.first.setdefault((id(container), key), places[1 + 2 * order])
        self.faults.append(self.source.duplicate_key(key, index, first))
        self.remove(container, places, order, key)

    def merge(self, container: dict[str, Any], places: list[int], table: Places) -> None:
        """Carry out a merge key: own keys win over merged ones, and earlier mappings over later ones."""
        order = list(container).index("<<")
        merged = container["<<"]
        mappings = [merged] if merged.__class__ is dict else merged
        quoted = self.source.text[places[1 + 2 * order]] in "\"'"
        if quoted or mappings.__class__ is not list or not all(mapping.__class__ is dict for mapping in mappings):
            return
        self.remove(container, places, order, "<<")
        for mapping in mappings:
            inherited = table[id(mapping)]
            for number, (key, value) in enumerate(mapping.items()):
                if key not in container:
                    container[key] = value
                    places += inherited[1 + 2 * number : 3 + 2 * number]

    def remove(self, container: dict[str, Any], places: list[int], order: int, key: str) -> None:
        """Take a key out of a container. What it held stays alive, so that its id is not given to another container."""
        self.kept.append(container.pop(key))
        del places[1 + 2 * order : 3 + 2 * order]
