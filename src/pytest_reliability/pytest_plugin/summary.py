"""The end of a run: what was measured, wherever it was; where the service stands; and the same figures in files."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pytest_reliability.contracts import Canvas, UsageError
from pytest_reliability.model.nodes import Service
from pytest_reliability.pytest_plugin.budgets import JUDGING
from pytest_reliability.pytest_plugin.checks import Checks, canvas
from pytest_reliability.pytest_plugin.judging import HISTORY, Judging, fails_where_inconclusive, limits_of_route, nothing_measured
from pytest_reliability.pytest_plugin.keeping import write_down
from pytest_reliability.pytest_plugin.properties import measurements
from pytest_reliability.report import Measurement, Report
from pytest_reliability.reporters import markdown
from pytest_reliability.reporters.terminal import measurement_lines, summary_lines

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

FORMATS = {".json": "json", ".md": "markdown", ".sarif": "sarif"}
"""What `--reliability-report` writes into a file, by the end of its name."""


class Summary:
    """Collects measurements as their tests end, and tells where the service stands."""

    def __init__(self, config: pytest.Config, checks: Checks) -> None:
        self._config, self._checks = config, checks
        self._measured: dict[tuple[str, str], list[Measurement]] = {}
        self._unmeasured: list[Measurement] = []
        self._packed: list[Mapping[str, Any]] = []
        self._remarks: list[str] = []
        self._file = _report_file(config)

    @property
    def measurements(self) -> list[Measurement]:
        """What was measured, in the order in which the tests ended; of a test that ran again, the last time."""
        return [*(measurement for several in self._measured.values() for measurement in several), *self._unmeasured]

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Take the measurements out of the last report on a test: they are added when the test is over."""
        if report.when == "teardown":
            self._measured[getattr(report, "worker_id", ""), report.nodeid] = list(measurements(report.user_properties))

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """Take what a worker has to be kept; one that crashed has said nothing."""
        self._packed.append(getattr(node, "workeroutput", {}).get(HISTORY, {}))

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Write what others read: the report, and the summary of a workflow's step."""
        if self._looks_only:
            return
        with suppress(UsageError):  # said where the collection failed
            self._end(session)

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Print the sections."""
        if self._looks_only:
            return
        try:
            reports = self._reports()
        except UsageError:
            return
        surface = canvas(self._config)
        checked = self._config.getoption("reliability")
        for report in reports:
            lines = summary_lines(report, surface) if checked else measurement_lines(report.measurements, surface)
            if lines:
                terminalreporter.section(f"reliability: {report.service}" if checked else f"latency budgets: {report.service}")
            for line in lines:
                terminalreporter.write_line(line)
        for remark in self._remarks:
            terminalreporter.write_line(remark)

    @property
    def _looks_only(self) -> bool:
        return bool(self._config.option.collectonly or self._config.option.showfixtures)

    def _end(self, session: pytest.Session) -> None:
        if self._config.pluginmanager.has_plugin(JUDGING) and _ran_everything(session):
            self._unmeasured = list(self._routes_without_samples())
            if self._unmeasured and session.exitstatus == pytest.ExitCode.OK and fails_where_inconclusive(self._config):
                session.exitstatus = pytest.ExitCode.TESTS_FAILED
        judging: Judging | None = self._config.pluginmanager.get_plugin(JUDGING)
        for packed in (*self._packed, judging.keeper.packed() if judging else {}):
            self._remarks += write_down(self._checks.root, packed) if packed else []
        if self._file and not self._write(self._file, self._rendered(self._file), "w"):
            session.exitstatus = pytest.ExitCode.USAGE_ERROR
        step = os.environ.get("GITHUB_STEP_SUMMARY")
        if step and self.measurements:
            self._write(Path(step), "\n".join(filter(None, map(markdown.latency, self._reports()))), "a")

    def _routes_without_samples(self) -> Iterator[Measurement]:
        """A verdict for each configured route that no test of its service has measured."""
        measured = {(self._service_of(measurement), measurement.operation) for measurement in self.measurements}
        for service in self._checks.graph.of(Service):
            for route in service.settings.latency.routes:
                if (service.root, route.name) not in measured:
                    yield nothing_measured(route.name, str(route.at), limits_of_route(route), "no test has measured it")

    # Who gets which measurements

    def _reports(self) -> tuple[Report, ...]:
        """The services whose items ran, or the whole repository where none did, each with what its tests measured."""
        if not self._config.getoption("reliability"):
            return (Report(service=self._checks.root.name, measurements=tuple(self.measurements)),)
        whole = self._whole()
        parts = tuple(part for part in whole.parts if part.folder in self._checks.collected)
        if not parts:
            return (whole,)
        told = {part.folder for part in parts}
        others = [measurement for measurement in self.measurements if self._service_of(measurement) not in told]
        first = parts[0].with_measurements((*parts[0].measurements, *others)) if others else parts[0]
        return (first, *parts[1:])

    def _whole(self) -> Report:
        """The report on the repository, each part of it with what its own tests measured."""
        report = self._checks.report
        parts = (
            part.with_measurements(one for one in self.measurements if self._service_of(one) == part.folder)
            for part in report.parts
        )
        return replace(report.with_measurements(self.measurements), parts=tuple(parts))

    def _service_of(self, measurement: Measurement) -> str | None:
        """The folder of the service that a measurement's test, or the configuration that asks for it, belongs to."""
        file = os.path.normpath(self._config.rootpath / measurement.test.partition("::")[0])
        service = self._checks.graph.service_at(self._checks.path_of(Path(file)))
        return service.root if service else None

    # Files

    def _rendered(self, file: Path) -> str:
        return self._checks.catalogue.reporter(FORMATS[file.suffix]).render(self._whole(), Canvas())

    def _write(self, file: Path, text: str, mode: str) -> bool:
        """Whether it could be written; where not, that is said at the end."""
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            with file.open(mode, encoding="utf-8") as stream:
                stream.write(text)
        except OSError as error:
            self._remarks.append(f"{file}: could not be written: {error.strerror}")
            return False
        return True


def _report_file(config: pytest.Config) -> Path | None:
    """Where `--reliability-report` wants the report."""
    given: str | None = config.getoption("reliability_report")
    if given is None:
        return None
    file = config.invocation_params.dir / given
    if file.suffix not in FORMATS:
        raise pytest.UsageError(f"--reliability-report={given}: no such format; end the name in {' or '.join(FORMATS)}")
    return file


def _ran_everything(session: pytest.Session) -> bool:
    """Whether nobody chose among the tests, and nothing stopped the run."""
    option = session.config.option
    chosen = option.keyword or option.markexpr or option.deselect or getattr(option, "lf", False)
    stopped = (
        session.shouldstop or session.shouldfail or session.exitstatus not in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED)
    )
    return session.config.args_source is not pytest.Config.ArgsSource.ARGS and not chosen and not stopped
