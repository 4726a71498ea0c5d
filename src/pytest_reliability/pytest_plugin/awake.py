"""The plugin, awake: which parts of it a run needs."""

from __future__ import annotations

import pytest

from pytest_reliability.pytest_plugin.budgets import JUDGING
from pytest_reliability.pytest_plugin.checks import Checks
from pytest_reliability.pytest_plugin.judging import Judging
from pytest_reliability.pytest_plugin.summary import Summary
from pytest_reliability.pytest_plugin.turns import Sweeper


def wake(config: pytest.Config, *, judging: bool) -> None:
    """Register the checks where they are asked for, what judges budgets, and, except in a worker, what sums up and sweeps."""
    checks, plugins = Checks(config), config.pluginmanager
    if config.getoption("reliability"):
        plugins.register(checks, "reliability-checks")
    if judging:
        plugins.register(Judging(config, checks), JUDGING)
    if not hasattr(config, "workerinput"):
        plugins.register(Summary(config, checks), "reliability-summary")
        plugins.register(Sweeper(), "reliability-sweeper")
