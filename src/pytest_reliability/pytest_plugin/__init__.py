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
    "latency_budget(p95='50ms', …, errors='1%', slo='name', of='operation'): how slow what the `latency` fixture measures may"
    " be; judged with --reliability"
)

ENFORCE = ("auto", "always", "never")
INCONCLUSIVE = ("warn", "fail")


class LatencyInconclusive(UserWarning):
    """A latency budget could be judged neither kept nor broken."""


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
    group.addoption(
        "--reliability-report",
        metavar="FILE",
        help="write the report with what was measured: FILE.json, FILE.md or FILE.sarif",
    )
    group.addoption(
        "--latency-inconclusive",
        choices=INCONCLUSIVE,
        help="what a latency budget does to its test that is neither kept nor broken (default: the ini setting, or warn)",
    )
    parser.addini(
        "latency_enforce",
        "when to judge latency budgets: auto (with --reliability), always or never (default: auto)",
        default="auto",
    )
    parser.addini(
        "latency_inconclusive",
        "what a latency budget does to its test that is neither kept nor broken: warn or fail (default: warn)",
        default="warn",
    )
    parser.addini(
        "latency_history",
        "keep what was measured in .reliability/latency/, for ratchets and charts (default: as .reliability.yaml says, or no)",
        type="bool",
        default=None,
    )


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker, and wake up where asked to."""
    config.addinivalue_line("markers", MARKER)
    enforce = config.getini("latency_enforce")
    if enforce not in ENFORCE:
        raise pytest.UsageError(f"latency_enforce is {enforce!r}; choose one of {', '.join(ENFORCE)}")
    if config.getoption("reliability") or enforce == "always":
        from pytest_reliability.pytest_plugin.awake import wake

        wake(config, judging=enforce != "never")
    elif config.getoption("reliability_report"):
        raise pytest.UsageError("--reliability-report writes what --reliability finds; add --reliability")


@pytest.fixture
def latency(request: pytest.FixtureRequest) -> Iterator[Latency]:
    """Measure something until its latency budget is decided: `latency(client.get, "/health")`.

    The budget is in the test's `latency_budget` marker. Without `--reliability` everything runs once and is not judged.
    """
    from pytest_reliability.pytest_plugin.budgets import latency_for

    yield from latency_for(request)
