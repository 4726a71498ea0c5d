"""Durations: seconds for arithmetic, the source spelling for messages."""

from __future__ import annotations

import re
from dataclasses import dataclass

SECONDS = {
    "ns": 1e-9, "us": 1e-6, "µs": 1e-6, "μs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0,
    "d": 86400.0, "w": 604800.0, "M": 2592000.0, "Q": 7776000.0, "y": 31536000.0, "Y": 31536000.0,
}  # fmt: skip
"""Length of each unit in seconds. A calendar month counts as 30 days, a quarter as 90, a year as 365.

"µs" is there twice: with the micro sign of most keyboards, and with the Greek letter that others give."""

_PART = re.compile(r"(\d+(?:\.\d+)?)(ns|us|µs|μs|ms|[smhdwMQyY])")
_WHOLE = re.compile(rf"(?:{_PART.pattern})+")


@dataclass(frozen=True, slots=True)
class Duration:
    """A length of time in seconds, with the text that it was written as."""

    seconds: float
    text: str

    @classmethod
    def parse(cls, text: str) -> Duration:
        """Read "5m", "1h30m", "50ms", "30d", "1w"; raise ValueError for anything else, a bare number included."""
        text = text.strip()
        if not _WHOLE.fullmatch(text):
            raise ValueError(f"{text!r} is no duration; write a number with a unit, such as 50ms, 5m, 1h30m or 30d")
        return cls(sum(float(number) * SECONDS[unit] for number, unit in _PART.findall(text)), text)

    def __str__(self) -> str:
        return self.text


_SPOKEN = (
    (1e-6, 1e-9, "ns"), (1e-3, 1e-6, "µs"), (1.0, 1e-3, "ms"), (60.0, 1.0, "s"),
    (3600.0, 60.0, "minutes"), (86400.0, 3600.0, "hours"), (float("inf"), 86400.0, "days"),
)  # fmt: skip
"""Below how many seconds a unit is spoken in, its length in seconds, and its name."""


def spoken(seconds: float) -> str:
    """The duration as people say it, without false precision: "6.0 s", "4.3 minutes", "1.5 hours", "2 days".

    Under a second it is given in "ms", "µs" or "ns".
    """
    if seconds < 0:
        return f"-{spoken(-seconds)}"
    _, scale, unit = next(line for line in _SPOKEN if seconds < line[0] or line[0] == float("inf"))
    amount = seconds / scale
    digits = f"{amount:.1f}" if amount < 100 else f"{amount:.0f}"
    if unit == "s":
        return f"{digits} s"
    digits = digits.removesuffix(".0")
    return f"{digits} {unit.removesuffix('s') if digits == '1' and scale >= 60 else unit}"
