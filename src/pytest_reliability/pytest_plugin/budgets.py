"""The `latency` fixture awake: the marker's limits, the SLO from the repository, and the measurements into the test's report."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Literal

import pytest

from pytest_reliability.contracts import UsageError
from pytest_reliability.latency.budget import BudgetError, Limits
from pytest_reliability.latency.session import Latency
from pytest_reliability.model.location import Location
from pytest_reliability.model.nodes import LatencyBudget, Slo
from pytest_reliability.pytest_plugin.checks import Checks, checks_of
from pytest_reliability.pytest_plugin.summary import as_property

ENFORCE = ("auto", "always", "never")


@contextmanager
def latency_for(request: pytest.FixtureRequest) -> Iterator[Latency]:
    """What the fixture gives to one test. Its measurements become user properties of that test, whether it passes or not."""
    item, config = request.node, request.config
    marker = item.get_closest_marker("latency_budget")
    try:
        limits = Limits.parse(*marker.args, **marker.kwargs) if marker else Limits()
        measuring = Latency(
            limits,
            resolve_slo=_resolver(checks_of(config), item),
            mode=_mode(config),
            name=item.name,
            test=item.nodeid,
            doubt=_doubt(config),
        )
        if measuring.mode == "judge":
            _ = measuring.budgets  # an SLO that cannot be used is told before anything is measured
    except (BudgetError, UsageError) as error:
        pytest.fail(str(error), pytrace=False)
    yield measuring
    item.user_properties += map(as_property, measuring.measurements)


def _mode(config: pytest.Config) -> Literal["judge", "once"]:
    enforce = config.getini("latency_enforce")
    if enforce not in ENFORCE:
        raise UsageError(f"latency_enforce is {enforce!r}\n  choose one of {', '.join(ENFORCE)}")
    wanted = enforce == "always" or (enforce == "auto" and config.getoption("reliability"))
    return "judge" if wanted else "once"


def _doubt(config: pytest.Config) -> str:
    """Why a failure cannot be trusted here: workers that run side by side take each other's cores."""
    workers = int(getattr(config, "workerinput", {}).get("workercount", 1))
    return f"{workers} xdist workers share this host; run it with -n 0 to judge it" if workers > 1 else ""


def _resolver(checks: Checks, item: pytest.Item) -> Callable[[str], Slo]:
    """Looks an SLO up in the repository, as seen from the service that the test belongs to."""

    def resolve(name: str) -> Slo:
        try:
            path = item.path.relative_to(checks.root).as_posix()
        except ValueError:
            path = item.path.as_posix()
        link = checks.graph.slo_of(LatencyBudget(at=Location(path), test=item.name, slo=name))
        if link is None or link.slo is None:
            raise BudgetError(f"slo={name!r}: {link.evidence if link else 'no name'}")
        return link.slo

    return resolve
