"""Badges: an SVG picture of our own, and JSON for a shields.io endpoint."""

from __future__ import annotations

import unicodedata

from pytest_reliability.contracts import Canvas, Reporter
from pytest_reliability.report import Report
from pytest_reliability.reporters._text import cells, clean

COLOURS = {"bronze": "#8c5a2b", "silver": "#c3cad2", "gold": "#f2b632", "none": "#c0392b", "unrated": "#656d76"}
"""The background of each level."""

LABEL = "#3b424a"
"""The background of the label."""

_HEIGHT, _PADDING, _EM = 20, 6, 11
_LIGHT, _DARK = "#ffffff", "#1b1f24"
_FONTS = "Verdana,Geneva,DejaVu Sans,Hiragino Sans,Hiragino Kaku Gothic ProN,Noto Sans CJK JP,Noto Sans JP,Meiryo,sans-serif"

_WIDTHS = {
    character: width / 10
    for width, characters in {
        30: "'", 31: "ijl", 32: "IJ", 35: " ,.", 37: "/:;\\|", 39: "f", 40: "-", 43: "()[]t", 44: "!", 45: "r", 51: '"',
        55: "*_`", 57: "s", 58: "?z", 60: "c", 61: "L", 63: "F", 64: "k", 65: "vxy", 66: "P", 67: "TYao", 68: "e",
        70: "$0123456789ESbdghnpqu{}", 72: "K", 75: "ABVXZ", 76: "R", 77: "C", 81: "U", 82: "N", 83: "H", 85: "DG",
        86: "&", 87: "OQ", 90: "w", 92: "#+<=>^~", 95: "M", 105: "%", 107: "m", 109: "W", 110: "@",
    }.items()
    for character in characters
}  # fmt: skip
"""Advance widths of DejaVu Sans at 11 px, in pixels; Verdana's differ by a few per cent."""


def badge(report: Report, *, label: str = "reliability") -> str:
    """The badge that shows where a service stands."""
    message = report.standing.label
    return svg(label, message, _colour(message))


def shields(report: Report, *, label: str = "reliability") -> str:
    """The same as JSON, for https://img.shields.io/endpoint?url=…"""
    import json

    message = report.standing.label
    data = {"schemaVersion": 1, "label": label, "message": message, "color": _colour(message).removeprefix("#")}
    return json.dumps(data, ensure_ascii=False) + "\n"


def svg(label: str, message: str, colour: str) -> str:
    """A badge with `label` on the left and `message` on the right, on a background of `colour` ("#8c5a2b").

    The boxes are sized by the text, in Latin and East Asian scripts; the renderer is told its size, so that any font fits.
    """
    from html import escape

    label, message = clean(label), clean(message)
    left, right = width(label), width(message)
    split = round(left + 2 * _PADDING)
    total = split + round(right + 2 * _PADDING)
    name = escape(f"{label}: {message}")
    return f"""\
<svg xmlns="http://www.w3.org/2000/svg" width="{total}" height="{_HEIGHT}" role="img" aria-label="{name}">
  <title>{name}</title>
  <path fill="{LABEL}" d="M{split} 0H3a3 3 0 0 0-3 3v14a3 3 0 0 0 3 3h{split - 3}z"/>
  <path fill="{colour}" d="M{split} 0h{total - split - 3}a3 3 0 0 1 3 3v14a3 3 0 0 1-3 3H{split}z"/>
  <g font-family="{_FONTS}" font-size="{_EM}" text-anchor="middle">
    <text x="{split / 2:g}" y="14" textLength="{left:.1f}" fill="{_LIGHT}">{escape(label)}</text>
    <text x="{(split + total) / 2:g}" y="14" textLength="{right:.1f}" fill="{ink(colour)}">{escape(message)}</text>
  </g>
</svg>
"""


def width(text: str) -> float:
    """How wide the text is at 11 px, in pixels."""
    return sum(map(_advance, unicodedata.normalize("NFD", text)))


def _advance(character: str) -> float:
    if not cells(character):
        return 0.0
    return _WIDTHS.get(character) or {"W": _EM, "F": _EM, "H": _EM / 2}.get(unicodedata.east_asian_width(character), 7.0)


def ink(background: str) -> str:
    """Black or white, whichever reads better on a background."""
    return max((_LIGHT, _DARK), key=lambda text: contrast(text, background))


def contrast(one: str, other: str) -> float:
    """The contrast ratio of two colours, 1 to 21, as WCAG 2 defines it."""
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: str) -> float:
    channels = (int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5))
    linear = [channel / 12.92 if channel <= 0.04045 else ((channel + 0.055) / 1.055) ** 2.4 for channel in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _colour(message: str) -> str:
    return COLOURS[message.removesuffix("*")]


def _picture(report: Report, canvas: Canvas) -> str:
    return badge(report)


def _endpoint(report: Report, canvas: Canvas) -> str:
    return shields(report)


REPORTERS = (Reporter(name="badge", render=_picture), Reporter(name="shields", render=_endpoint))
