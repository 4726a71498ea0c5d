"""Shapes: which keys and values a format allows, and what is wrong with data that differs.

A shape is a value; `faults(tree, shape)` walks a `documents.Tree` along it. What the shape does not know, it names with its place
and the nearest right key. Shapes are declared by the readers in `formats/` and by the configuration.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import islice
from typing import TYPE_CHECKING, Any, Union

from pytest_reliability.model.duration import Duration
from pytest_reliability.model.nodes import Fault, Replace

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
    what people write by mistake to what they mean. `open` mappings may have other keys too. Those of `growing` ones are known as
    of today: another key is told only where it looks like a misspelling. A key that matches `extension` is always allowed.
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


Shape = Union[Anything, Scalar, Items, Entries, Either, Fields]  # noqa: UP007 - Python 3.10 cannot put strings together with |


_NUMBER = r"[-+]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]+)?"
_SPOKEN = {"yes": "true", "on": "true", "y": "true", "no": "false", "off": "false", "n": "false"}
"""Booleans as YAML 1.1 had them."""


@lru_cache(maxsize=1024)
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


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word that `word` was probably meant to be: written differently, with letters swapped, or mistyped.

    Short words are alike by chance, so they must begin alike and be of nearly the same length.
    """
    from difflib import get_close_matches

    written = _fold(word)
    folded = {_fold(name): name for name in known}
    if written in folded:
        return folded[written]
    if swapped := [name for name in folded if sorted(name) == sorted(written)]:
        return folded[swapped[0]]
    alike = [name for name in folded if min(len(name), len(written)) > 4 or _begin_alike(name, written)]
    close = get_close_matches(written, alike, n=1, cutoff=0.75)
    return folded[close[0]] if close else None


def _fold(word: str) -> str:
    return word.casefold().replace("_", "").replace("-", "")


def _begin_alike(one: str, other: str) -> bool:
    return one[:1] == other[:1] and abs(len(one) - len(other)) < 2


_EVERYTHING: Any = object()


def faults(tree: Tree, shape: Shape, value: Any = _EVERYTHING, *, inside: tuple[Fields, ...] = ()) -> Iterator[Fault]:
    """Everything in `tree` (or only in `value`, a container of it) that does not have the shape.

    `inside` is what the value is part of, the outermost first, for keys that belong there.
    """
    inspection = _Inspection(tree, inside)
    inspection.value(shape, tree.data if value is _EVERYTHING else value, None, None, "the file")
    return iter(inspection.found)


class _Inspection:
    """One walk over a tree. A value comes with what holds it, its key there, and what messages call it."""

    __slots__ = ("found", "inside", "meanings", "tree")

    def __init__(self, tree: Tree, inside: tuple[Fields, ...] = ()) -> None:
        self.tree = tree
        self.found: list[Fault] = []
        self.inside = list(inside)
        self.meanings: dict[tuple[int, str, type], str | None] = {}

    def value(self, shape: Shape, value: Any, holder: Any, key: Any, name: str) -> None:
        """Compare a value with a shape of any kind."""
        if isinstance(shape, Scalar):
            self.scalar(shape, value, holder, key, name)
        elif isinstance(shape, Fields):
            if isinstance(value, dict):
                self.fields(shape, value)
            else:
                self.wrong(value, holder, key, name, f"{shape.what} (a mapping) is expected")
        elif isinstance(shape, Items):
            if isinstance(value, list):
                self.items(shape, value, holder, key, name)
            else:
                self.wrong(value, holder, key, name, "a list is expected")
        elif isinstance(shape, Entries):
            if isinstance(value, dict):
                self.entries(shape, value, name)
            else:
                self.wrong(value, holder, key, name, "a mapping is expected")
        elif isinstance(shape, Either):
            self.either(shape, value, holder, key, name)

    def either(self, shape: Either, value: Any, holder: Any, key: Any, name: str) -> None:
        """Compare a value with the form that is meant for its kind."""
        for form in shape.forms:
            if _takes(form, value):
                self.value(form, value, holder, key, name)
                return
        self.wrong(value, holder, key, name, f"{shape.expected} is expected")

    def scalar(self, shape: Scalar, value: Any, holder: Any, key: Any, name: str) -> None:
        """Compare a value with the shape of a single one."""
        if value.__class__ in shape.types:
            accepts = shape.accepts
            if accepts is None or accepts(value if value.__class__ is str else self.spelling(value, holder, key)):
                return
        elif value is None and shape.optional:
            return
        hint = "" if value is None else self.remedy(shape, value, holder, key)
        self.wrong(value, holder, key, name, f"{shape.expected} is expected", hint)

    def remedy(self, shape: Scalar, value: Any, holder: Any, key: Any) -> str:
        """What to write instead of a value, where that can be told."""
        text = self.spelling(value, holder, key)
        if shape.choices:
            meant = nearest(text, shape.choices)
            return f"did you mean {meant}?" if meant else ""
        accepted = shape.accepts is None or shape.accepts(text)
        if isinstance(value, (bool, int, float)) and str in shape.types and accepted:
            return f'put it in quotes: "{text}"'
        if isinstance(value, str) and bool in shape.types and text.lower() in _SPOKEN:
            return f"write {_SPOKEN[text.lower()]}"
        if isinstance(value, str) and float in shape.types and re.fullmatch(_NUMBER, text) and accepted:
            return "remove the quotes"
        plain = re.sub(r"[\s_]+", "-", text.strip().lower())
        if isinstance(value, str) and str in shape.types and shape.accepts and plain != text and shape.accepts(plain):
            return f"write {plain}"
        return ""

    def items(self, shape: Items, value: list[Any], holder: Any, key: Any, name: str) -> None:
        """Compare a list with its shape."""
        if len(value) < shape.minimum:
            self.wrong(value, holder, key, name, f"a list of at least {shape.minimum} is expected")
        if shape.maximum is not None and len(value) > shape.maximum:
            self.wrong(value, holder, key, name, f"at most {shape.maximum} is allowed, not {len(value)}")
        for index, item in enumerate(value):
            self.value(shape.of, item, value, index, f"{name}[{index}]")

    def entries(self, shape: Entries, value: dict[str, Any], name: str) -> None:
        """Compare a mapping with free keys with its shape."""
        of = shape.of
        fine = of.types if isinstance(of, Scalar) and of.accepts is None else ()
        for key, item in value.items():
            if shape.key and not _fits(shape.key, key):
                message = f"{key!r} cannot be a key of {name}: {shape.expected} is expected"
                self.found.append(Fault(kind="wrong-value", at=self.tree.key_at(value, key), message=message))
            if item.__class__ not in fine:
                self.value(of, item, value, key, key)

    def fields(self, shape: Fields, value: dict[str, Any]) -> None:
        """Compare a mapping with known keys with its shape."""
        known = shape.known
        given: Collection[str] = value
        self.inside.append(shape)
        for key, item in value.items():
            inner = known.get(key)
            if inner.__class__ is Scalar:
                self.scalar(inner, item, value, key, key)
            elif inner is not None:
                self.value(inner, item, value, key, key)
            elif not self.allows(shape, key, item):
                meant = self.meaning(shape, key, item)
                if meant:
                    given = {*given, meant}  # one mistake, one fault: what is misspelt is not missing as well
                self.unknown(shape, value, key, meant)
        self.inside.pop()
        for key in shape.required:
            if key not in given:
                self.missing(value, f"{shape.what} has no {key!r}", _to_add(key, known.get(key)))
        for group in shape.one_of:
            if not any(key in given for key in group):
                lacks = f"neither {' nor '.join(group)}" if len(group) > 1 else f"no {group[0]!r}"
                self.missing(value, f"{shape.what} has {lacks}", f"add one of: {', '.join(group)}")
            self.exclusive(shape, value, group)
        for group in shape.at_most_one:
            self.exclusive(shape, value, group)

    def unknown(self, shape: Fields, value: dict[str, Any], key: str, meant: str | None) -> None:
        """Report a key that nobody reads. Another spelling mends it where what it holds is right for the key that is meant."""
        at = self.tree.key_at(value, key)
        inner = shape.known.get(meant or "")
        mends = inner is not None and meant not in value and self.fits(inner, value, key)
        self.found.append(
            Fault(
                kind="unknown-key",
                at=at,
                message=f"{key!r} is not a key of {shape.what}, so it is not read",
                hint=f"did you mean {meant}?" if meant else self.elsewhere(key) or f"known here: {_some(shape.known)}",
                edit=Replace(at, key, meant) if meant and mends else None,
            )
        )

    def elsewhere(self, key: str) -> str:
        """Where a key is read that is not read here: people forget how deep they are."""
        outer = next((shape for shape in reversed(self.inside[:-1]) if key in shape.known), None)
        return f"it belongs in {outer.what}" if outer else ""

    def fits(self, shape: Shape, holder: dict[str, Any], key: str) -> bool:
        """Whether the value under a key has the shape."""
        inspection = _Inspection(self.tree)
        inspection.value(shape, holder[key], holder, key, key)
        return not inspection.found

    def allows(self, shape: Fields, key: str, value: Any) -> bool:
        """Whether a key that is not known may be there all the same."""
        if shape.extension and re.match(shape.extension, key):
            return True
        if key in shape.renamed:
            return False
        if shape.growing:
            meant = self.meaning(shape, key, value)
            return not (meant and _misspells(key, meant))
        return shape.open

    def meaning(self, shape: Fields, key: str, value: Any) -> str | None:
        """The known key that an unknown one is meant to be. Whole files have the same one wrong, so it is looked for once.

        One that has a word more or less can hardly be meant where what stands under it is of another kind.
        """
        asked = id(shape), key, value.__class__
        if asked not in self.meanings:
            meant = shape.renamed.get(key)
            if meant is None and (near := nearest(key, shape.known)):
                meant = near if abs(len(near) - len(key)) < 2 or _may_be(shape.known[near], value) else None
            self.meanings[asked] = meant
        return self.meanings[asked]

    def missing(self, value: dict[str, Any], message: str, hint: str) -> None:
        """Report what a mapping lacks."""
        self.found.append(Fault(kind="missing-field", at=self.tree.at(value), message=message, hint=hint))

    def exclusive(self, shape: Fields, value: dict[str, Any], group: tuple[str, ...]) -> None:
        """Report keys that exclude each other."""
        present = [key for key in group if value.get(key) is not None]
        if len(present) > 1:
            message = f"{shape.what} has {' and '.join(map(repr, present))}, which exclude each other"
            at = self.tree.key_at(value, present[-1])
            self.found.append(Fault(kind="conflicting-fields", at=at, message=message, hint="keep one of them"))

    def wrong(self, value: Any, holder: Any, key: Any, name: str, expected: str, hint: str = "") -> None:
        """Report a value that is not what is expected."""
        if isinstance(value, dict):
            given = "a mapping"
        elif isinstance(value, list):
            given = "a list" if value else "an empty list"
        elif value is None:
            given = "empty"
        else:
            text = self.spelling(value, holder, key)
            given = repr(text if len(text) <= 60 else f"{text[:57]}...")
        at = self.tree.at(value) if holder is None else self.tree.at(holder, key)
        self.found.append(Fault(kind="wrong-value", at=at, message=f"{name} is {given}; {expected}", hint=hint))

    def spelling(self, value: Any, holder: Any, key: Any) -> str:
        """A scalar as it was written."""
        return str(value) if isinstance(value, str) or holder is None else self.tree.spelling(holder, key)


def _to_add(key: str, shape: Shape | None) -> str:
    choices = shape.choices if isinstance(shape, Scalar) else ()
    return f"add {key}: {' or '.join(choices)}" if 0 < len(choices) < 5 else f"add {key}: …"


def _some(words: Iterable[str]) -> str:
    """The words, or as many as anybody reads."""
    first = list(islice(words, 13))
    return ", ".join(first if len(first) < 13 else [*first[:12], "…"])


@lru_cache(maxsize=4096)
def _fits(pattern: str, key: str) -> bool:
    return re.fullmatch(pattern, key) is not None


def _takes(shape: Shape, value: Any) -> bool:
    """Whether the shape is one for values of that kind: mappings, lists or single values."""
    if isinstance(value, dict):
        return isinstance(shape, (Fields, Entries))
    return isinstance(shape, Items if isinstance(value, list) else Scalar)


def _may_be(shape: Shape, value: Any) -> bool:
    """Whether a value is of the kind that the shape is for; nothing at all may become anything."""
    forms = shape.forms if isinstance(shape, Either) else (shape,)
    return value is None or any(isinstance(form, Anything) or _takes(form, value) for form in forms)


def _misspells(word: str, meant: str) -> bool:
    """Whether `word` can hardly be anything but `meant`: new keys often have an old one in them, as in `api_key_file`."""
    from difflib import SequenceMatcher

    word, meant = _fold(word), _fold(meant)
    if word.rstrip("s") == meant.rstrip("s"):
        return True
    longer = word.startswith(meant) or meant.startswith(word)
    return not longer and len(word) > 3 and SequenceMatcher(None, word, meant).ratio() >= 0.85
