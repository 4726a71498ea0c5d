"""What the `latency` fixture is made of: call something until every budget on it is decided, then say so.

Nothing here knows pytest. The plugin makes a `Latency` of the marker's arguments, and collects its measurements.
"""

from __future__ import annotations

import inspect
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from math import inf
from typing import TYPE_CHECKING, Any, Literal, ParamSpec, TypeVar

from pytest_reliability.latency.budget import Budget, BudgetError, Limits
from pytest_reliability.latency.distribution import histogram
from pytest_reliability.latency.host import preemption_counter
from pytest_reliability.latency.judge import FAIL, INCONCLUSIVE, Design, Verdict, sequential
from pytest_reliability.latency.measuring import Measuring
from pytest_reliability.latency.message import explanation
from pytest_reliability.latency.sampler import Sampler
from pytest_reliability.report import Measurement

if TYPE_CHECKING:
    from pytest_reliability.model.nodes import Slo

P = ParamSpec("P")
T = TypeVar("T")

_PREEMPTIONS = preemption_counter()


class BudgetExceeded(AssertionError):  # noqa: N818 (it is a test's failure, not an error of ours)
    """A latency budget is broken, and a fresh batch agreed. `measurements` are those that failed."""

    def __init__(self, measurements: Sequence[Measurement]) -> None:
        self.measurements = tuple(measurements)
        super().__init__("\n".join(map(explanation, self.measurements)))


class Latency:
    """Measures a call against the limits of one test.

    `latency(function, *args, **kwargs)` and `await latency.run(...)` call the function until each budget is decided
    and return what the last call returned. A broken budget raises `BudgetExceeded`. An exception of the call is its
    test's failure, unless errors have a budget too. Mode "once" calls once and judges nothing.

    `resolve_slo` turns the name of an SLO into the SLO, None where there is no such one. `judge` is the rule. `name`
    and `test` are what the measurements are called by, the function's name where there is none. `doubt` says why a
    failure cannot be trusted here, if it cannot: it is inconclusive then.
    """

    def __init__(
        self,
        limits: Limits,
        *,
        resolve_slo: Callable[[str], Slo | None] | None = None,
        judge: Design = sequential,
        mode: Literal["judge", "once"] = "judge",
        name: str = "",
        test: str = "",
        doubt: str = "",
        clock: Callable[[], float] = time.perf_counter,
        sleep: Callable[[float], None] = time.sleep,
        preemptions: Callable[[], int] | None = _PREEMPTIONS,
    ) -> None:
        self.limits = limits
        self.mode = mode
        self.name = name
        self.test = test
        self.doubt = doubt
        self.measurements: list[Measurement] = []
        self._resolve_slo = resolve_slo
        self._judge = judge
        self._clock = clock
        self._sleep = sleep
        self._preemptions = preemptions
        self._budgets: tuple[Budget, ...] | None = None
        self._uses = 0

    @property
    def budgets(self) -> tuple[Budget, ...]:
        """What is judged: the limits, and what the SLO promises. Raises BudgetError where the SLO cannot be used."""
        if self._budgets is None:
            promised = (self._promise(self.limits.slo),) if self.limits.slo else ()
            self._budgets = (*self.limits.budgets, *promised)
        return self._budgets

    def __call__(self, function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Call `function` with these arguments until every budget is decided; return what its last call returned."""
        __tracebackhide__ = True
        if inspect.iscoroutinefunction(function):
            raise TypeError(f"{_called(function)} is asynchronous; write: await latency.run(…)")
        if self.mode == "once" or not self.budgets:
            return function(*args, **kwargs)
        measuring = self._measuring(function, args, kwargs)
        step = measuring.begin()
        while step is not None:
            if step.pause:
                self._sleep(step.pause)
            step = measuring.go_on(measuring.sampler.draw(step.count, step.deadline))
        result: T = self._conclude(measuring, _called(function))
        return result

    async def run(self, function: Callable[P, Awaitable[T]], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """The same for a function whose result is awaited, in the loop that the test itself runs in."""
        __tracebackhide__ = True
        if self.mode == "once" or not self.budgets:
            return await function(*args, **kwargs)
        measuring = self._measuring(function, args, kwargs)
        step = measuring.begin()
        while step is not None:
            if step.pause:
                await self._pause(step.pause)
            step = measuring.go_on(await measuring.sampler.draw_async(step.count, step.deadline))
        result: T = self._conclude(measuring, _called(function))
        return result

    def _promise(self, name: str) -> Budget:
        slo = self._resolve_slo(name) if self._resolve_slo else None
        if slo is None:
            raise BudgetError(f"slo={name!r} names no SLO of this repository")
        return Budget.from_slo(slo)

    def _measuring(self, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Measuring:
        sampler = Sampler(
            function,
            args,
            kwargs,
            tolerate_errors=self.limits.tolerates_errors,
            clock=self._clock,
            preemptions=self._preemptions,
        )
        return Measuring(self.budgets, sampler, judge=self._judge, max_time=self.limits.max_time, clock=self._clock)

    async def _pause(self, seconds: float) -> None:
        """Let the loop go on meanwhile, if it is asyncio's; no other can be told to from here."""
        import asyncio

        try:
            asyncio.get_running_loop()
        except RuntimeError:
            self._sleep(seconds)
        else:
            await asyncio.sleep(seconds)

    def _conclude(self, measuring: Measuring, function: str) -> Any:
        """Record what was found; raise what the test has to fail for, and return the last result otherwise."""
        __tracebackhide__ = True
        self._uses += 1
        name = (self.name or function) + (f" #{self._uses}" if self._uses > 1 else "")
        evidence = measuring.evidence
        found = [_measurement(self._doubted(verdict), name, self.test, evidence) for verdict in measuring.verdicts]
        self.measurements += found
        sampler = measuring.sampler
        if failed := [measurement for measurement in found if measurement.outcome == FAIL]:
            raise BudgetExceeded(failed) from sampler.error
        if sampler.error is not None and not sampler.returned:
            raise sampler.error
        return sampler.result

    def _doubted(self, verdict: Verdict) -> Verdict:
        if not self.doubt or verdict.outcome != FAIL:
            return verdict
        return replace(verdict, outcome=INCONCLUSIVE, reason=f"{verdict.reason}, but {self.doubt}")


def _measurement(verdict: Verdict, name: str, test: str, evidence: tuple[str, ...]) -> Measurement:
    budget = verdict.budget
    low, high = (0.0, inf) if budget.counts_errors else verdict.interval
    bins, bins_from, bins_to = histogram(() if budget.counts_errors else verdict.samples, budget.limit)
    autocorrelation = verdict.autocorrelation
    if autocorrelation is not None:
        evidence += (f"lag-1 autocorrelation {autocorrelation:.2f}",)
    return Measurement(
        name=name,
        test=test,
        budget=str(budget),
        outcome=verdict.outcome,
        reason=verdict.reason,
        limit=0.0 if budget.counts_errors else budget.limit,
        quantile=float(budget.quantile),
        n=verdict.n,
        over=verdict.over,
        low=low if 0.0 < low < inf else None,
        high=high if high < inf else None,
        slo=budget.slo,
        bins=bins,
        bins_from=bins_from,
        bins_to=bins_to,
        evidence=evidence,
    )


def _called(function: Callable[..., object]) -> str:
    return getattr(function, "__qualname__", None) or repr(function)
