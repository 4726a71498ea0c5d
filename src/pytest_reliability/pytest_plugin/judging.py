"""Judging budgets inside a test run: SLOs and routes from the repository, one worker at a time, and what is inconclusive."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable, Generator, Mapping
from contextlib import nullcontext
from dataclasses import replace
from functools import cached_property
from typing import Any

import pytest

from pytest_reliability.contracts import UsageError
from pytest_reliability.latency.budget import BudgetError, Limits
from pytest_reliability.latency.host import preemption_counter
from pytest_reliability.latency.judge import FAIL
from pytest_reliability.latency.message import explanation
from pytest_reliability.latency.session import BudgetExceeded, Latency
from pytest_reliability.model.location import Location
from pytest_reliability.model.nodes import LatencyBudget, Slo
from pytest_reliability.model.settings import LatencySettings, RouteLimits
from pytest_reliability.pytest_plugin import INCONCLUSIVE, LatencyInconclusive
from pytest_reliability.pytest_plugin.checks import Checks
from pytest_reliability.pytest_plugin.keeping import OFF, Keeper, without_history
from pytest_reliability.pytest_plugin.markers import limits_of
from pytest_reliability.pytest_plugin.progress import ProgressLine, progress_for
from pytest_reliability.pytest_plugin.properties import properties, without
from pytest_reliability.pytest_plugin.turns import Turns
from pytest_reliability.report import Measurement

HISTORY = "reliability_history"
"""The name under which a worker gives the controller what is to be kept."""

UNUSED = "the test does not use the fixture latency; call what is to be measured through it: latency(function, …)"

RERUN = "measured again in attempt {}, because the test failed before; a rerun gives a broken budget another chance"

_LATENCY: pytest.StashKey[Latency | None] = pytest.StashKey()
_GREEN: pytest.StashKey[bool] = pytest.StashKey()
_ATTEMPTS: pytest.StashKey[int] = pytest.StashKey()
_UNMEASURED: pytest.StashKey[list[Measurement]] = pytest.StashKey()


class Judging:
    """Makes the fixture's `Latency` for each test, and sees to it that nothing ends without a verdict."""

    def __init__(self, config: pytest.Config, checks: Checks) -> None:
        self._config = config
        self._checks = checks
        self._fails = fails_where_inconclusive(config)
        self._workers, run = _workers(config)
        self._turns = Turns(run) if self._workers > 1 else None
        self.keeper = Keeper(checks.root, self._turns or nullcontext())

    @cached_property
    def _progress(self) -> ProgressLine | None:
        """Asked for when all plugins are awake, the terminal's among them."""
        return progress_for(self._config)

    def latency_for(self, item: pytest.Item, limits: Mapping[str | None, Limits]) -> Latency:
        """What the fixture gives to a test; raises BudgetError where an SLO cannot be used."""
        latency = Latency(
            limits,
            routes=self._routes(item),
            resolve_slo=self._resolver(item),
            name=item.name,
            test=item.nodeid,
            doubt=self._doubt(),
            exclusive=self._turns,
            progress=self._progress,
        )
        _ = latency.budgets  # an SLO that cannot be used is told before anything is measured
        item.stash[_LATENCY] = latency
        return latency

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        """Begin an attempt: what an earlier one measured is not told again."""
        item.stash[_ATTEMPTS] = item.stash.get(_ATTEMPTS, 0) + 1
        item.user_properties[:] = without(item.user_properties)
        item.stash[_LATENCY], item.stash[_UNMEASURED], item.stash[_GREEN] = None, [], False

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Generator[None, object, object]:
        """When a test has passed, see to what it left undecided, and to what is inconclusive."""
        __tracebackhide__ = True
        with self._progress or nullcontext():
            result = yield
        if not getattr(item, "_excinfo", None):  # where unittest keeps failures, which it does not raise
            self._conclude(item)
            item.stash[_GREEN] = True
        return result

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_teardown(self, item: pytest.Item) -> Generator[None, object, object]:
        """Put what was measured into the test's report, whether it passed or not."""
        try:
            return (yield)
        finally:
            attempt, latency = item.stash.get(_ATTEMPTS, 1), item.stash.get(_LATENCY, None)
            if latency and self._keeps_history(item):
                self.keeper.keep(item.nodeid, latency, green=item.stash[_GREEN])
            for measurement in _measured(item):
                if attempt > 1:
                    measurement = replace(measurement, notes=(*measurement.notes, RERUN.format(attempt)))
                item.user_properties += properties(measurement)

    def _conclude(self, item: pytest.Item) -> None:
        __tracebackhide__ = True
        if latency := item.stash[_LATENCY]:
            latency.conclude()
            ratchets = list(self.keeper.compare(latency) if self._keeps_history(item) else without_history(latency))
            latency.measurements += ratchets
            if failed := [measurement for measurement in ratchets if measurement.outcome == FAIL]:
                raise BudgetExceeded(failed)
        else:
            item.stash[_UNMEASURED] = _without_fixture(item)
        inconclusive = [explanation(measurement) for measurement in _measured(item) if _is_undecided(measurement)]
        if inconclusive and self._fails:
            pytest.fail("\n".join(inconclusive), pytrace=False)
        for text in inconclusive:
            _warn(item, text.partition("\n")[0])

    def pytest_sessionfinish(self) -> None:
        """In a worker, give the controller what is to be kept."""
        output: dict[str, Any] | None = getattr(self._config, "workeroutput", None)
        if output is not None:
            output[HISTORY] = self.keeper.packed()

    # What the repository says

    def _resolver(self, item: pytest.Item) -> Callable[[str], Slo]:
        """Looks an SLO up in the repository, as seen from the service that the test belongs to."""

        def resolve(name: str) -> Slo:
            budget = LatencyBudget(at=Location(self._checks.path_of(item.path)), test=item.name, slo=name)
            link = self._checks.graph.slo_of(budget)
            if link is None or link.slo is None:
                raise BudgetError(f"slo={name!r}: {link.evidence if link else 'no name'}")
            return link.slo

        return resolve

    def _routes(self, item: pytest.Item) -> Mapping[str, Limits]:
        """The limits of operations in the configuration of the service that the test belongs to."""
        return {route.name: limits_of_route(route) for route in self._settings(item).routes}

    def _keeps_history(self, item: pytest.Item) -> bool:
        """Whether what is measured is kept: as pytest's configuration says, or else that of the test's service."""
        chosen: bool | None = self._config.getini("latency_history")
        return self._settings(item).history if chosen is None else chosen

    def _settings(self, item: pytest.Item) -> LatencySettings:
        try:
            service = self._checks.graph.service_at(self._checks.path_of(item.path))
        except UsageError as error:
            raise BudgetError(str(error)) from error
        return service.settings.latency if service else LatencySettings()

    # Whether a failure can be trusted

    def _doubt(self) -> str:
        """Why a failure would not be the code's fault, if it would not."""
        if tracing := _tracing():
            return f"{tracing} is tracing, so that calls are slower than they are; run it without, to judge it"
        if self._workers > 1 and preemption_counter() is None:
            return (
                f"{self._workers} xdist workers share this host, which does not count preemptions; run it with -n 0 to judge it"
            )
        return ""


def fails_where_inconclusive(config: pytest.Config) -> bool:
    """Whether a budget that is neither kept nor broken fails its test."""
    chosen = config.getoption("latency_inconclusive") or config.getini("latency_inconclusive")
    if chosen not in INCONCLUSIVE:
        raise pytest.UsageError(f"latency_inconclusive is {chosen!r}; choose one of {', '.join(INCONCLUSIVE)}")
    return bool(chosen == "fail")


def limits_of_route(route: RouteLimits) -> Limits:
    """A route's limits from the configuration, which has been validated."""
    return Limits.parse(of=route.name, **route.limits)


def _workers(config: pytest.Config) -> tuple[int, str]:
    """How many xdist workers there are, and the run that they belong to."""
    worker: Mapping[str, Any] = getattr(config, "workerinput", {})
    return int(worker.get("workercount", 1)), str(worker.get("testrunuid", ""))


def _tracing() -> str:
    """What is called back for every line or function, and makes calls slower; "" where nothing is."""
    coverage: Any = sys.modules.get("coverage")
    if coverage is not None and coverage.Coverage.current() is not None:
        return "coverage"
    if sys.gettrace() is not None:
        return "a debugger or tracer"
    if sys.getprofile() is not None:
        return "a profiler"
    monitoring: Any = getattr(sys, "monitoring", None)
    return next((name for tool in range(6) if (name := monitoring.get_tool(tool))), "") if monitoring else ""


def _is_undecided(measurement: Measurement) -> bool:
    """Whether it is inconclusive, and not only because a ratchet has to see some runs before it can say anything."""
    return measurement.outcome == "inconclusive" and (measurement.kind != "ratchet" or measurement.reason == OFF)


def _measured(item: pytest.Item) -> list[Measurement]:
    latency = item.stash.get(_LATENCY, None)
    return [*(latency.measurements if latency else ()), *item.stash.get(_UNMEASURED, ())]


def _without_fixture(item: pytest.Item) -> list[Measurement]:
    """A verdict on each marker of a test that does not use the fixture: never is nothing said."""
    try:
        limits = limits_of(item)
    except BudgetError as error:
        raise pytest.fail.Exception(str(error), pytrace=False) from None
    return [nothing_measured(of or item.name, item.nodeid, its, UNUSED) for of, its in limits.items()]


def nothing_measured(name: str, test: str, limits: Limits, why: str) -> Measurement:
    """The verdict on limits that nothing was measured for."""
    budgets = (*map(str, (*limits.budgets, *limits.counts)), *([f"slo {limits.slo}"] if limits.slo else []))
    return Measurement(
        name=name,
        test=test,
        operation=limits.of or "",
        budget=", ".join(budgets),
        outcome="inconclusive",
        reason=f"nothing was measured: {why}",
        limit=0.0,
        quantile=0.0,
        n=0,
        over=0,
    )


def _warn(item: pytest.Item, text: str) -> None:
    """Warn at the test. Where every warning is an error this is none: no code could keep it from happening on a busy host."""
    place: dict[str, Any] = {"filename": str(item.path), "lineno": (item.location[1] or 0) + 1}
    warning = LatencyInconclusive(text)
    try:
        warnings.warn_explicit(warning, None, **place)
    except LatencyInconclusive:
        with warnings.catch_warnings():
            warnings.simplefilter("always")
            warnings.warn_explicit(warning, None, **place)
