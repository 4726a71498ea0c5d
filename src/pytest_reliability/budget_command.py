"""`reliability budget`: latency budgets judged on what a load engine measured."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from pytest_reliability import api, plugins
from pytest_reliability.contracts import Canvas, UsageError
from pytest_reliability.latency.budget import Budget, BudgetError, Limits
from pytest_reliability.latency.engines import Result, judge_result, one_run, read_results
from pytest_reliability.latency.engines.operations import instead, names, operation, required
from pytest_reliability.latency.engines.result import EVERYTHING
from pytest_reliability.model.graph import Graph
from pytest_reliability.model.location import Location
from pytest_reliability.model.nodes import LatencyBudget
from pytest_reliability.report import Measurement, Report

ALL = "all requests"
"""What a measurement of all operations together is called."""

Runs = Sequence[tuple[Result, ...]]


def judged(
    files: Sequence[str], texts: Sequence[str], *, slo: str | None = None, of: str | None = None, merge: bool = False
) -> tuple[Measurement, ...]:
    """What becomes of the budgets `texts` and of the SLO's, or else of those that are configured for routes.

    Each file is a run of its own; with `merge` they are parts of one, from several machines. `of` names the operation that the
    budgets are for. Raises UsageError where something cannot be read or means nothing.
    """
    try:
        budgets = tuple(map(Budget.parse, texts))
        repository = _Repository() if slo or not texts else None
        if slo and repository:
            budgets = (*budgets, repository.promise(slo))
        runs: Runs = [read_results(file) for file in files]
        runs = [one_run(runs)] if merge else runs
        if budgets:
            found = _required(runs, of or EVERYTHING)
            return tuple(judge_result(found[0], budget, found[1:], name=of or ALL) for budget in budgets)
        return tuple(repository.routes(runs, of) if repository else ())
    except BudgetError as error:
        raise UsageError(str(error)) from None


def rendered(measurements: tuple[Measurement, ...], format: str, canvas: Canvas) -> str:
    """The measurements as that reporter prints them."""
    if format == "terminal":
        from pytest_reliability.reporters.summary import measurement_lines

        return "\n".join(measurement_lines(measurements, canvas)) + "\n"
    report = Report(service="latency budgets", measurements=measurements, partial=True)
    if format == "json":
        from pytest_reliability.reporters import json

        return json.render(report, canvas)
    from pytest_reliability.reporters import markdown

    return markdown.render(report, canvas)


class _Repository:
    """The SLOs and the configuration around where the user stands, as they are seen from there."""

    def __init__(self) -> None:
        root, _ = api.place_of(None)
        self._graph: Graph = api.load(root, plugins.load())
        self._here = Path(os.path.relpath(Path.cwd(), root), "budget").as_posix()

    def promise(self, name: str) -> Budget:
        """The budget that an SLO promises."""
        link = self._graph.slo_of(LatencyBudget(at=Location(self._here), test="reliability budget", slo=name))
        if link is None or link.slo is None:
            raise BudgetError(f"--slo {name}: {link.evidence if link else 'no name'}")
        return Budget.from_slo(link.slo)

    def routes(self, runs: Runs, of: str | None) -> Iterator[Measurement]:
        """The configured budgets of each route, or of one."""
        service = self._graph.service_at(self._here)
        routes = [route for route in service.settings.latency.routes if of in (None, route.name)] if service else []
        if not routes:
            what = f"no budget is configured for {of!r}" if of else "there is no budget to judge"
            hint = "name one, such as p95=50ms, or --slo checkout-latency, or add latency.routes to .reliability.yaml"
            raise UsageError(f"{what}\n  {hint}")
        for route in routes:
            limits = Limits.parse(**dict(route.limits))
            budgets = (*limits.budgets, *((self.promise(limits.slo),) if limits.slo else ()))
            found = required(runs, route.name)
            for budget in budgets:
                yield judge_result(found[0], budget, found[1:], name=route.name)


def _required(runs: Runs, wanted: str) -> list[Result]:
    """The operation in each run; raises UsageError where a run has none."""
    found = []
    for results in runs:
        result = operation(results, wanted)
        if result is None:
            known = names(results)
            hint = instead(wanted, known) + ("" if known else ": leave --of out")
            raise UsageError(f"{results[0].source}: no operation {wanted!r}\n  {hint}")
        found.append(result)
    return found
