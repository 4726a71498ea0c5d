"""Text as a terminal shows it: how wide it is, and what is not safe to print."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable

from pytest_reliability.contracts import Canvas

TAB = 4
"""A tab is shown as this many cells at most."""

Paint = Callable[[str, str], str]
"""Takes text and a style such as "bold red"; gives the text to print."""

_REORDERS = frozenset({"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"})


def painter(canvas: Canvas) -> Paint:
    """How to colour text on this canvas. Without colour nothing is loaded and the text stays as it is."""
    if not canvas.colour:
        return lambda text, style: text
    from rich.color import ColorSystem
    from rich.style import Style

    return lambda text, style: Style.parse(style).render(text, color_system=ColorSystem.STANDARD)


def clean(text: str) -> str:
    """The text on one line, without what a terminal would obey or hide: a file must not be able to write on our screen."""
    return text if text.isascii() and text.isprintable() else "".join(map(_visible, text))


def _visible(character: str) -> str:
    if character.isprintable() or unicodedata.category(character) == "Zs":
        return character
    if character in "\t\n\r\v\f":
        return " "
    code = ord(character)
    if code < 0x20 or code == 0x7F:
        return chr(0x2421 if code == 0x7F else 0x2400 + code)  # the picture of the control character
    invisible = unicodedata.category(character) == "Cf" and unicodedata.bidirectional(character) not in _REORDERS
    return character if invisible else "\N{REPLACEMENT CHARACTER}"


def cells(text: str) -> int:
    """How many cells of a terminal the text takes: two for an East Asian wide character, none for a combining one."""
    return len(text) if text.isascii() else sum(map(_cells, text))


def _cells(character: str) -> int:
    if unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def pad(text: str, width: int) -> str:
    """The text with spaces after it, up to `width` cells."""
    return text + " " * (width - cells(text))


def fold(phrases: Iterable[str], width: int) -> list[str]:
    """The phrases joined with semicolons, as many on a line as fit `width` cells."""
    lines: list[str] = []
    for phrase in phrases:
        if lines and cells(lines[-1]) + cells(phrase) + 3 <= width:
            lines[-1] += f"; {phrase}"
        else:
            lines[-1:] = [*(f"{line};" for line in lines[-1:]), phrase]
    return lines


def clipped(text: str, width: int) -> str:
    """As much of the text as fits `width` cells; an ellipsis stands for the rest."""
    if cells(text) <= width:
        return text
    while cells(text) >= width:
        text = text[:-1]
    return f"{text}…"


def wrapped(text: str, width: int) -> list[str]:
    """The words of a text, as many on a line as fit `width` cells; a word that is longer has a line of its own."""
    lines: list[str] = []
    for word in text.split(" "):
        if lines and cells(lines[-1]) + cells(word) + 1 <= width:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return lines


def plural(count: int, noun: str) -> str:
    """The count with its noun: "1 finding", "2 findings"."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
