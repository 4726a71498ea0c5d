"""Shapes: which keys and values a format allows, and what is wrong with data that differs.

A shape is a value; `faults(tree, shape)` walks a `documents.Tree` along it. What the shape does not know, it names with its place
and the nearest right key. Shapes are declared by the readers in `formats/` and by the configuration.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Union

from pytest_reliability.model.duration import Duration
from pytest_reliability.model.nodes import Fault

if TYPE_CHECKING:
    from pytest_reliability.documents import Tree


@dataclass(frozen=True, slots=True)
class Anything:
    """Any value at all."""


@dataclass(frozen=True, slots=True)
class Scalar:
    """A single value. `accepts` is asked of its source spelling; `expected` completes "… is expected".

    `types` are the Python types that the value may have after YAML 1.2 resolution; null is never accepted unless `optional`.
    """

    expected: str = "a text"
    types: tuple[type, ...] = (str, int, float, bool)
    accepts: Callable[[str], object] | None = None
    optional: bool = False
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Items:
    """A list whose items all have one shape. `minimum` is the least number of them, `maximum` the greatest."""

    of: Shape
    minimum: int = 0
    maximum: int | None = None


@dataclass(frozen=True, slots=True)
class Entries:
    """A mapping with free keys and values of one shape; `key` is a regular expression that every key matches."""

    of: Shape
    key: str = ""
    expected: str = "a name"


@dataclass(frozen=True, slots=True)
class Either:
    """A value that may be written in several ways, one shape for each: at most one mapping, one list and one single value."""

    forms: tuple[Shape, ...]
    expected: str


@dataclass(frozen=True, slots=True)
class Fields:
    """A mapping with known keys. `what` names it in messages ("an OpenSLO objective").

    `required` must be present; of each group in `one_of` exactly one, of each in `at_most_one` no more than one. `renamed` maps
    what people write by mistake to what they mean. `open` mappings may have other keys too. Those of `growing` ones are known as of
    today: another key is told only where it looks like a misspelling. A key that matches `extension` is always allowed.
    """

    what: str
    known: Mapping[str, Shape]
    required: tuple[str, ...] = ()
    one_of: tuple[tuple[str, ...], ...] = ()
    at_most_one: tuple[tuple[str, ...], ...] = ()
    renamed: Mapping[str, str] = field(default_factory=dict)
    open: bool = False
    growing: bool = False
    extension: str = ""


Shape = Union[Anything, Scalar, Items, Entries, Either, Fields]


def _is_duration(text: str) -> bool:
    try:
        Duration.parse(text)
    except ValueError:
        return False
    return True


ANYTHING = Anything()
TEXT = Scalar()
STRING = Scalar(types=(str,))
NUMBER = Scalar("a number", types=(int, float))
INTEGER = Scalar("a whole number", types=(int,))
BOOLEAN = Scalar("true or false", types=(bool,))
DURATION = Scalar("a duration such as 5m or 30d", types=(str,), accepts=_is_duration)
URL = Scalar("a URL such as https://example.com/page", types=(str,), accepts=re.compile(r"https?://[^\s/]\S*").fullmatch)


def choice(*values: str) -> Scalar:
    """One of these words."""
    return Scalar(f"one of {', '.join(values)}", types=(str, int, float, bool), accepts=values.__contains__, choices=values)


def or_nothing(of: Shape, expected: str) -> Either:
    """A value that may also be left empty; `expected` completes "… is expected"."""
    return Either((of, Scalar(expected, types=(), optional=True)), expected)


def nearest(word: str, known: Mapping[str, object] | tuple[str, ...]) -> str | None:
    """The known word that `word` was probably meant to be, compared without case, hyphens and underscores first."""
    import difflib

    folded = {_fold(name): name for name in known}
    if exact := folded.get(_fold(word)):
        return exact
    close = difflib.get_close_matches(_fold(word), folded, n=1, cutoff=0.75)
    return folded[close[0]] if close else None


def _fold(word: str) -> str:
    return word.casefold().replace("_", "").replace("-", "")


def faults(tree: Tree, shape: Shape, value: Any = None) -> Iterator[Fault]:
    """Everything in `tree` (or only in `value`, a container of it) that does not have the shape."""
    value = tree.data if value is None else value
    yield from _walk(tree, shape, value, None, None, "the file")


def _walk(tree: Tree, shape: Shape, value: Any, holder: Any, key: str | int | None, name: str) -> Iterator[Fault]:
    if isinstance(shape, Fields):
        if isinstance(value, dict):
            yield from _fields(tree, shape, value)
        else:
            yield _wrong(tree, value, holder, key, name, f"{shape.what} (a mapping) is expected")
    elif isinstance(shape, Scalar):
        if value is None:
            if not shape.optional:
                yield _wrong(tree, value, holder, key, name, f"{shape.expected} is expected")
        elif not isinstance(value, shape.types) or (isinstance(value, bool) and bool not in shape.types):
            yield _wrong(tree, value, holder, key, name, f"{shape.expected} is expected")
        elif shape.accepts is not None and not shape.accepts(_spelling(tree, value, holder, key)):
            meant = nearest(_spelling(tree, value, holder, key), shape.choices) if shape.choices else None
            hint = f"did you mean {meant}?" if meant else ""
            yield _wrong(tree, value, holder, key, name, f"{shape.expected} is expected", hint)
    elif isinstance(shape, Items):
        if not isinstance(value, list):
            yield _wrong(tree, value, holder, key, name, "a list is expected")
            return
        if len(value) < shape.minimum:
            yield _wrong(tree, value, holder, key, name, f"a list of at least {shape.minimum} is expected")
        if shape.maximum is not None and len(value) > shape.maximum:
            yield _wrong(tree, value, holder, key, name, f"at most {shape.maximum} is allowed, not {len(value)}")
        for index, item in enumerate(value):
            yield from _walk(tree, shape.of, item, value, index, f"{name}[{index}]")
    elif isinstance(shape, Either):
        form = next((form for form in shape.forms if _takes(form, value)), None)
        if form is None:
            yield _wrong(tree, value, holder, key, name, f"{shape.expected} is expected")
        else:
            yield from _walk(tree, form, value, holder, key, name)
    elif isinstance(shape, Entries):
        if not isinstance(value, dict):
            yield _wrong(tree, value, holder, key, name, "a mapping is expected")
            return
        for entry, item in value.items():
            if shape.key and not re.fullmatch(shape.key, entry):
                message = f"{entry!r} cannot be a key of {name}: {shape.expected} is expected"
                yield Fault(kind="wrong-value", at=tree.key_at(value, entry), message=message)
            yield from _walk(tree, shape.of, item, value, entry, entry)


def _takes(shape: Shape, value: Any) -> bool:
    """Whether the shape is one for values of that kind: mappings, lists or single values."""
    if isinstance(value, dict):
        return isinstance(shape, (Fields, Entries))
    return isinstance(shape, Items if isinstance(value, list) else Scalar)


def _fields(tree: Tree, shape: Fields, value: dict[str, Any]) -> Iterator[Fault]:
    known = shape.known
    given = set(value)
    for key, item in value.items():
        inner = known.get(key)
        if inner is not None:
            if not isinstance(inner, Anything):
                yield from _walk(tree, inner, item, value, key, key)
        elif not (shape.open and key not in shape.renamed) and not (shape.extension and re.match(shape.extension, key)):
            meant = shape.renamed.get(key) or nearest(key, known)
            if shape.growing and key not in shape.renamed and not (meant and _misspells(key, meant)):
                continue
            if meant:
                given.add(meant)  # one mistake, one fault: what is misspelt is not missing as well
            hint = f"did you mean {meant}?" if meant else f"known here: {', '.join(known)}"
            message = f"{key!r} is not a key of {shape.what}, so it is not read"
            yield Fault(kind="unknown-key", at=tree.key_at(value, key), message=message, hint=hint)
    for key in shape.required:
        if key not in given:
            message = f"{shape.what} has no {key!r}"
            yield Fault(kind="missing-field", at=tree.at(value), message=message, hint=f"add {key}: …")
    for group in shape.one_of:
        if given.isdisjoint(group):
            lacks = f"neither {' nor '.join(group)}" if len(group) > 1 else f"no {group[0]!r}"
            hint = f"add one of: {', '.join(group)}"
            yield Fault(kind="missing-field", at=tree.at(value), message=f"{shape.what} has {lacks}", hint=hint)
    for group in (*shape.one_of, *shape.at_most_one):
        present = [key for key in group if value.get(key) is not None]
        if len(present) > 1:
            message = f"{shape.what} has {' and '.join(map(repr, present))}, which exclude each other"
            at = tree.key_at(value, present[-1])
            yield Fault(kind="conflicting-fields", at=at, message=message, hint="keep one of them")


def _misspells(word: str, meant: str) -> bool:
    """Whether `word` can hardly be anything but `meant`: new keys often have an old one in them, as in `api_key_file`."""
    from difflib import SequenceMatcher

    word, meant = _fold(word), _fold(meant)
    if word == meant:
        return True
    longer = word.startswith(meant) or meant.startswith(word)
    return not longer and len(word) > 3 and SequenceMatcher(None, word, meant).ratio() >= 0.85


def _spelling(tree: Tree, value: Any, holder: Any, key: str | int | None) -> str:
    return value if isinstance(value, str) or holder is None or key is None else tree.spelling(holder, key)


def _wrong(tree: Tree, value: Any, holder: Any, key: str | int | None, name: str, expected: str, hint: str = "") -> Fault:
    at = tree.at(holder, key) if holder is not None else tree.at(value)
    if isinstance(value, dict):
        given = "a mapping"
    elif isinstance(value, list):
        given = "a list" if value else "an empty list"
    elif value is None:
        given = "empty"
    else:
        text = _spelling(tree, value, holder, key)
        given = repr(text if len(text) <= 60 else f"{text[:57]}...")
    return Fault(kind="wrong-value", at=at, message=f"{name} is {given}; {expected}", hint=hint)
