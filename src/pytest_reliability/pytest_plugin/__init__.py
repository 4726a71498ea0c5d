"""The pytest plugin, asleep: options, the marker and the `latency` fixture.

Nothing but pytest is imported here until somebody asks for `--reliability` or for the fixture; `tests/test_dormant.py` holds
that.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_reliability.latency import Latency

MARKER = (
    "latency_budget(p95='50ms', …, errors='1%', slo='name'): how slow the calls made through the `latency` fixture may be;"
    " judged with --reliability"
)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--reliability` and its settings."""
    group = parser.getgroup("reliability", "service reliability")
    group.addoption(
        "--reliability",
        action="store_true",
        help="check this repository's SLOs, alerts, runbooks and owners, one item a check, and judge latency budgets",
    )
    group.addoption(
        "--reliability-fail-on",
        choices=("error", "warning"),
        default="error",
        help="how bad a finding must be to fail its item (default: error)",
    )
    parser.addini(
        "latency_enforce",
        "when to judge latency budgets: auto (with --reliability), always or never (default: auto)",
        default="auto",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker, and wake up where asked to."""
    config.addinivalue_line("markers", MARKER)
    if config.getoption("reliability"):
        from pytest_reliability.pytest_plugin.checks import checks_of
        from pytest_reliability.pytest_plugin.summary import Summary

        config.pluginmanager.register(checks_of(config), "reliability-checks")
        config.pluginmanager.register(Summary(config, checks_of(config)), "reliability-summary")


@pytest.fixture
def latency(request: pytest.FixtureRequest) -> Iterator[Latency]:
    """Call something until its latency budget is decided: `latency(client.get, "/health")`.

    The budget is in the test's `latency_budget` marker. Without `--reliability` the call is made once and not judged.
    """
    from pytest_reliability.pytest_plugin.budgets import latency_for

    with latency_for(request) as measuring:
        yield measuring
