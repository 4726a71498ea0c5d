"""What the `latency` fixture gives to a test. Nothing is imported for judging where nothing is judged."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, cast

import pytest

from pytest_reliability.latency.budget import BudgetError
from pytest_reliability.latency.once import Once
from pytest_reliability.pytest_plugin.markers import limits_of

if TYPE_CHECKING:
    from pytest_reliability.latency import Latency

JUDGING = "reliability-judging"
"""The name under which the plugin is registered that judges budgets."""


def latency_for(request: pytest.FixtureRequest) -> Iterator[Latency]:
    """A `Latency` with the limits of the test's markers, or what runs everything once where nothing is judged.

    A marker that means nothing fails the test at once, judged or not.
    """
    judging: Any = request.config.pluginmanager.get_plugin(JUDGING)
    try:
        limits = limits_of(request.node)
        latency = judging.latency_for(request.node, limits) if judging else cast("Latency", Once())
    except BudgetError as error:
        raise pytest.fail.Exception(str(error), pytrace=False) from None
    yield latency
    latency.close()
