"""Times of day as load engines write them, to nanoseconds, which `datetime` does not read on every Python."""

from __future__ import annotations

import re
from datetime import datetime
from functools import lru_cache
from math import nan

_INSTANT = re.compile(r"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(\.\d+)?(Z|[+-]\d\d:\d\d)")


def instant(text: object) -> float:
    """Seconds since 1970 for "2026-11-23T10:00:00.123456789+01:00"; not a number for anything else."""
    match = _INSTANT.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        return nan
    day, time, fraction, zone = match.groups()
    return _second(f"{day}T{time}{'+00:00' if zone == 'Z' else zone}") + float(fraction or 0)


@lru_cache(maxsize=64)
def _second(text: str) -> float:
    try:
        return datetime.fromisoformat(text).timestamp()
    except ValueError:  # the 45th of a month
        return nan
