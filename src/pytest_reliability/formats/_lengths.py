"""Lengths of time that are computed, or written as a number of seconds, spelt as Prometheus spells them."""

from __future__ import annotations

from pytest_reliability.model.duration import Duration

_UNITS = (("w", 604800), ("d", 86400), ("h", 3600), ("m", 60), ("s", 1))


def length(seconds: int) -> Duration:
    """The duration of so many seconds: 4w, 30d, 1h, 1h4m, 90m as 1h30m."""
    return Duration(float(seconds), _spelt(seconds))


def _spelt(seconds: int) -> str:
    """In weeks or days only where nothing is left over, which is how Prometheus does it."""
    for unit, size in _UNITS[:2]:
        if seconds and seconds % size == 0:
            return f"{seconds // size}{unit}"
    parts = []
    rest = seconds
    for unit, size in _UNITS[2:]:
        count, rest = divmod(rest, size)
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts) or "0s"
