"""Durations, read and said."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_reliability.model.duration import SECONDS, Duration, spoken


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("50ms", 0.05), ("5m", 300), ("1h30m", 5400), ("30d", 2592000), ("1w", 604800), ("1M", 2592000), ("1.5s", 1.5), (" 1s ", 1),
     ("5\N{MICRO SIGN}s", 5e-6), ("5\N{GREEK SMALL LETTER MU}s", 5e-6)],
)  # fmt: skip
def test_a_duration_is_seconds_and_its_text(text, seconds):
    """The spelling is kept for messages."""
    assert Duration(pytest.approx(seconds), text.strip()) == Duration.parse(text)
    assert text.strip() == str(Duration.parse(text))


@pytest.mark.parametrize("text", ["", "5", "m", "5 m", "5mm", "-5m", "1e3s", "５m1"])
def test_anything_else_is_refused(text):
    """A bare number most of all: nobody knows its unit."""
    with pytest.raises(ValueError, match="write a number with a unit, such as 50ms, 5m, 1h30m or 30d"):
        Duration.parse(text)


@given(st.integers(0, 10**6), st.sampled_from(sorted(SECONDS)))
def test_every_unit_scales(number, unit):
    """n units are n times the unit."""
    assert number * SECONDS[unit] == pytest.approx(Duration.parse(f"{number}{unit}").seconds)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 ns"), (2e-9, "2 ns"), (35e-6, "35 µs"), (0.0181, "18.1 ms"), (6.048, "6.0 s"), (59.96, "60.0 s"),
        (259.2, "4.3 minutes"), (60, "1 minute"), (5400, "1.5 hours"), (3600, "1 hour"),
        (172800, "2 days"), (86400, "1 day"), (20 * 86400 * 365, "7300 days"), (-90, "-1.5 minutes"),
    ],
)  # fmt: skip
def test_durations_are_said_as_people_say_them(seconds, text):
    """One decimal at most, and the unit that fits."""
    assert text == spoken(seconds)
