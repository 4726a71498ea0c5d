"""Measurements in words: intervals, times, shares, and the distribution with the budget drawn in."""

from __future__ import annotations

from typing import Any

import pytest

from pytest_reliability.latency.message import bounds, drawing, explanation, headline, percent, spoken
from pytest_reliability.report import Measurement


def measurement(**fields: Any) -> Measurement:
    """A measurement with these fields."""
    usual: dict[str, Any] = {
        "name": "checkout", "test": "", "budget": "p95 ≤ 50 ms", "outcome": "pass", "reason": "none of 102 over",
        "limit": 0.05, "quantile": 0.95, "n": 102, "over": 0,
    }  # fmt: skip
    return Measurement(**{**usual, **fields})


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0.0571, 0.066, "p95 in [57.1, 66.0] ms"),
        (0.9, 1.25, "p95 in [0.90, 1.25] s"),
        (0.0571, None, "p95 ≥ 57.1 ms"),
        (None, 0.066, "p95 ≤ 66.0 ms"),
        (None, None, ""),
    ],
)
def test_an_interval_has_one_unit_and_says_only_what_is_known(low, high, expected):
    """An end that the samples do not bound is left out."""
    assert expected == bounds(measurement(low=low, high=high))


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [(0.0, "0.00 ns"), (2.5e-8, "25.0 ns"), (4.2e-5, "42.0 µs"), (0.0571, "57.1 ms"), (0.4567, "457 ms"), (83.0, "83.0 s")],
)
def test_times_have_a_unit_and_three_figures(seconds, expected):
    """No false precision."""
    assert expected == spoken(seconds)


@pytest.mark.parametrize(("share", "expected"), [(0.0, "0%"), (0.004, "0.4%"), (0.31, "31%"), (1.0, "100%")])
def test_shares_have_a_decimal_only_where_it_says_something(share, expected):
    """0.4%, but 31%."""
    assert expected == percent(share)


@pytest.mark.parametrize(
    ("limit", "expected"),
    [(0.02, "10.0 ms ▂┊█ ▁ 50.0 ms"), (0.005, "10.0 ms ┊▂█ ▁ 50.0 ms"), (0.5, "10.0 ms ▂█ ▁┊ 50.0 ms")],
)
def test_the_budget_is_a_line_in_the_distribution(limit, expected):
    """Where it belongs, or at the end that it is beyond."""
    assert expected == drawing(measurement(limit=limit, n=13, bins=(2, 10, 0, 1), bins_from=0.01, bins_to=0.05))


def test_what_is_not_drawn_is_counted():
    """Samples past the last step, and calls that raised."""
    assert drawing(measurement(n=15, bins=(2, 10), bins_from=0.01, bins_to=0.05)).endswith("50.0 ms (and 3 slower or failed)")


def test_a_measurement_without_a_distribution_or_host_is_one_line():
    """Nothing to say, nothing said."""
    assert "checkout  p95 ≤ 50 ms   pass   none of 102 over" == explanation(measurement())


def test_the_first_line_of_a_failure_fits_into_a_summary():
    """What is broken and by how much comes first, and how much else there is."""
    late = measurement(outcome="fail", over=19)
    assert "p95 ≤ 50 ms: 19 of 102 over" == headline([late])
    search = measurement(outcome="fail", over=19, operation="search")
    assert "search p95 ≤ 50 ms: 19 of 102 over (and 1 more)" == headline([search, late])


def test_errors_and_counts_have_words_of_their_own():
    """They are not over a time."""
    raised = measurement(budget="errors ≤ 1%", kind="errors", over=8)
    counted = measurement(budget="queries ≤ 3", kind="count", reason="5, 5, 4: at most 3")
    assert "errors ≤ 1%: 8 of 102 raised" == headline([raised])
    assert "queries ≤ 3: 5, 5, 4: at most 3" == headline([counted])


def test_what_else_is_worth_knowing_has_a_line_of_its_own():
    """Notes, and where the time went."""
    told = explanation(measurement(notes=("3 of 500 never started",), profile=("61% db.py:88 fetch_cart", "20% http.py:3 send")))
    assert [
        "checkout  p95 ≤ 50 ms   pass   none of 102 over",
        "          3 of 500 never started",
        "          61% db.py:88 fetch_cart",
        "          20% http.py:3 send",
    ] == told.splitlines()
