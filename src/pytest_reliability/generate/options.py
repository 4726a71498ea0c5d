"""What people ask for when they generate rules, as values and as the words of a command line."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from pytest_reliability.model.duration import Duration

STYLES = ("own", "sloth")
FORMS = ("prometheus", "prometheusrule")


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """`form` is one of FORMS; "": what suits the spec. `windows` is the path of a file of alert windows, from the root."""

    style: str = "own"
    form: str = ""
    exact: bool = False
    min_errors: int = 0
    period: str = ""
    windows: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    alerts: bool = True
    recordings: bool = True

    def words(self) -> tuple[str, ...]:
        """The command line that asks for this; nothing for what holds anyway."""
        words = [word for flag, name in _VALUES.items() for word in _said(flag, getattr(self, name), getattr(PLAIN, name))]
        words += [flag for flag, (name, value) in _FLAGS.items() if getattr(self, name) is value]
        for name, value in sorted(self.labels.items()):
            words += [_LABEL, f"{name}={value}"]
        return tuple(words)


PLAIN = Options()

_LABEL = "--label"
_VALUES = {
    "--style": "style", "--format": "form", "--min-errors": "min_errors", "--period": "period", "--windows": "windows",
}  # fmt: skip
_FLAGS = {"--exact": ("exact", True), "--no-alerts": ("alerts", False), "--no-recordings": ("recordings", False)}


def _said(flag: str, value: object, usual: object) -> tuple[str, ...]:
    return () if value == usual else (flag, str(value))


def parsed(words: Iterable[str]) -> Options:
    """The options that `Options.words` gave these words for. Raises ValueError for any others, naming them."""
    options = PLAIN
    waiting = iter(words)
    for word in waiting:
        if word in _FLAGS:
            name, flag = _FLAGS[word]
            given: dict[str, Any] = {name: flag}
            options = replace(options, **given)
            continue
        value = next(waiting, None)
        if value is None or (word != _LABEL and word not in _VALUES):
            raise ValueError(word)
        options = _with(options, word, value)
    return options


def _with(options: Options, word: str, value: str) -> Options:
    if word == _LABEL:
        name, _, text = value.partition("=")
        return replace(options, labels={**options.labels, name: text})
    name = _VALUES[word]
    if (name == "style" and value not in STYLES) or (name == "form" and value not in FORMS):
        raise ValueError(f"{word} {value}")
    if name == "period":
        Duration.parse(value)
    read: dict[str, Any] = {name: int(value) if name == "min_errors" else value}
    return replace(options, **read)
