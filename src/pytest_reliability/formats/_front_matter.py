"""Front matter: the metadata at the beginning of a page, in YAML or TOML."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from pytest_reliability.documents import Tree, Unreadable, load_toml, load_yaml
from pytest_reliability.formats._places import Places
from pytest_reliability.formats.markdown import Markdown
from pytest_reliability.model.location import Location
from pytest_reliability.model.nodes import NO_PLACES, NO_TEXTS, Fault


@dataclass(frozen=True)
class FrontMatter:
    """The values as texts, by their keys as written, and their places. `fault` says why no more could be read."""

    values: Mapping[str, str]
    places: Mapping[str, Location]
    fault: Fault | None = None

    def first(self, *keys: str) -> str:
        """The first value that is not empty, whatever the case of its key; "" where there is none."""
        return next((self._folded[key] for key in keys if self._folded.get(key)), "")

    @cached_property
    def _folded(self) -> dict[str, str]:
        return {key.casefold(): value for key, value in self.values.items()}


NONE = FrontMatter(NO_TEXTS, NO_PLACES)

_PLAIN_LINE = re.compile(r"(\w[\w -]*):[ \t]+(\S.*)")


def front_matter(markdown: Markdown) -> FrontMatter:
    """What the page says of itself. Where that is no YAML or TOML, its plain `key: value` lines are still read."""
    source = markdown.front_matter
    if source is None:
        return NONE
    try:
        if source.language == "yaml":
            tree = load_yaml(source.text, markdown.path)[0]
        else:
            tree = load_toml(source.text.removeprefix("+++"), markdown.path)
    except Unreadable as error:
        kind = "template-not-checked" if error.template else "unreadable-file"
        fault = Fault(kind=kind, at=error.at, message=f"front matter: {error.reason}", hint=error.hint)
        return replace(_by_line(source.text, markdown.path), fault=fault)
    if not isinstance(tree.data, dict):
        return NONE
    return FrontMatter({key: _text(tree, tree.data, key) for key in tree.data}, Places(tree, tree.data))


def _text(tree: Tree, holder: Any, key: Any) -> str:
    value = holder[key]
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, (dict, list)):
        keys = value if isinstance(value, dict) else range(len(value))
        return ", ".join(filter(None, (_text(tree, value, inner) for inner in keys)))
    return "" if value is None else tree.spelling(holder, key)


def _by_line(text: str, path: str) -> FrontMatter:
    values, places = dict[str, str](), dict[str, Location]()
    for number, line in enumerate(text.split("\n"), 1):
        if found := _PLAIN_LINE.match(line):
            values[found[1]] = found[2].strip().strip("\"'")
            places[found[1]] = Location(path, number, found.start(2) + 1, len(found[2]))
    return FrontMatter(values, places)
