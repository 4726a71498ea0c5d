"""The closing section of `pytest --reliability`, and how measurements get there from wherever they were made."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, replace
from typing import TYPE_CHECKING

from pytest_reliability.contracts import UsageError
from pytest_reliability.pytest_plugin.checks import Checks, canvas
from pytest_reliability.report import Measurement, Report
from pytest_reliability.reporters.terminal import summary_lines

if TYPE_CHECKING:
    import pytest

PROPERTY = "reliability_latency"
"""The user property (and JUnit property) that carries one measurement as JSON."""


def as_property(measurement: Measurement) -> tuple[str, str]:
    """A measurement as a user property: pytest carries those from xdist's workers, and into JUnit files."""
    return PROPERTY, json.dumps(asdict(measurement), ensure_ascii=False)


def from_property(text: str) -> Measurement:
    """The measurement that `as_property` packed."""
    fields = json.loads(text)
    return Measurement(**{**fields, "bins": tuple(fields["bins"]), "evidence": tuple(fields["evidence"])})


class Summary:
    """Collects measurements as their tests end, and prints where the service stands."""

    def __init__(self, config: pytest.Config, checks: Checks) -> None:
        self.config, self.checks = config, checks
        self.measurements: list[Measurement] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Take the measurements out of the last report on a test: the fixture adds them when the test is over."""
        if report.when == "teardown":
            self.measurements += [from_property(str(value)) for name, value in report.user_properties if name == PROPERTY]

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Print the section."""
        if self.config.option.collectonly or self.config.option.showfixtures:
            return
        try:
            reports = self._reports()
        except UsageError:
            return  # already said where the collection failed
        surface = canvas(self.config)
        for report in reports:
            terminalreporter.section(f"reliability: {report.service}")
            measured = tuple(measurement for measurement in self.measurements if self._report_on(measurement, reports) is report)
            for line in summary_lines(replace(report, measurements=measured), surface):
                terminalreporter.write_line(line)

    def _report_on(self, measurement: Measurement, reports: tuple[Report, ...]) -> Report:
        """The report that a measurement belongs into: its test's service, or the first where no service holds the test."""
        test = os.path.relpath(self.config.rootpath / measurement.test.partition("::")[0], self.checks.root)
        service = self.checks.graph.service_at(test.replace(os.sep, "/"))
        return next((report for report in reports if service and report.folder == service.root), reports[0])

    def _reports(self) -> tuple[Report, ...]:
        """The services whose items ran; the whole repository where none did, and nothing if there is nothing to say."""
        report = self.checks.report
        parts = tuple(part for part in report.parts if part.folder in self.checks.collected)
        return parts or (report,)
