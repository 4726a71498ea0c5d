"""Checks as pytest items: one an item, collected from the file that stands for its service.

They come from a real file (an *anchor*: the service's `.reliability.yaml`, or the first of pyproject.toml, README.md …),
because only then do `-k`, `--deselect`, pasted node ids, `--lf` and `-n` work on them as on any test.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest

from pytest_reliability import api, discovery, plugins
from pytest_reliability.contracts import Canvas, UsageError
from pytest_reliability.model.graph import Graph
from pytest_reliability.model.nodes import Service
from pytest_reliability.report import Outcome, Report, Severity, Status
from pytest_reliability.reporters.terminal import outcome_text


class Checks:
    """The review of the repository that pytest runs in; made when first asked for, and only once."""

    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        self.root = discovery.find_root(config.rootpath if config.inipath else config.invocation_params.dir)
        self.collected: set[str] = set()
        """The folders of the services whose items were collected."""

    @cached_property
    def catalogue(self) -> plugins.Catalogue:
        """Every check, format and reporter."""
        return plugins.load()

    @cached_property
    def graph(self) -> Graph:
        """What the repository holds."""
        return api.load(self.root, self.catalogue)

    @cached_property
    def report(self) -> Report:
        """What the checks came to."""
        return api.judge(self.graph, self.root, self.catalogue)

    @cached_property
    def anchors(self) -> dict[Path, Service]:
        """The file that stands for each service."""
        return {self.root / service.at.path: service for service in self.graph.of(Service)}

    def path_of(self, path: Path) -> str:
        """A file's path relative to the repository's root, as nodes have it; a file elsewhere keeps its own."""
        return (path.relative_to(self.root) if path.is_relative_to(self.root) else path).as_posix()

    def report_on(self, service: Service) -> Report:
        """One service's part of the report."""
        return next((part for part in self.report.parts if part.folder == service.root), self.report)

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection(self, session: pytest.Session) -> None:
        """Where the user named nothing to run, see to it that the checks are among what runs."""
        try:
            anchors = self.anchors
        except UsageError as error:
            raise pytest.UsageError(str(error)) from error
        config = session.config
        if config.args_source is pytest.Config.ArgsSource.ARGS:
            return
        base = config.invocation_params.dir
        named = [base / argument.partition("::")[0] for argument in config.args]
        here = [path for path in anchors if path.is_relative_to(base)] or self._around(base)
        config.args += [str(path) for path in here if not any(path == given or given in path.parents for given in named)]

    def _around(self, base: Path) -> list[Path]:
        """The anchor of the innermost service around a folder that holds none itself."""
        around = [path for path, service in self.anchors.items() if base.is_relative_to(self.root / service.root)]
        return sorted(around, key=lambda path: -len(path.parts))[:1]

    def pytest_collect_file(self, file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
        """Make an anchor a collector of its service's checks."""
        service = self.anchors.get(file_path)
        if service is None:
            return None
        collector: ServiceFile = ServiceFile.from_parent(parent, path=file_path)
        collector.checks, collector.service = self, service
        return collector


class ServiceFile(pytest.File):
    """The file that stands for a service; its items are the checks of that service."""

    checks: Checks
    service: Service

    def collect(self) -> Iterator[CheckItem]:
        """An item for each check that applies to the service's configuration."""
        try:
            report = self.checks.report_on(self.service)
        except UsageError as error:
            raise self.CollectError(str(error)) from error
        self.checks.collected.add(self.service.root)
        for outcome in report.outcomes:
            item: CheckItem = CheckItem.from_parent(self, name=outcome.check.code)
            item.outcome = outcome
            item.extra_keyword_matches |= {outcome.check.name, outcome.check.severity.value}
            yield item


class Failed(Exception):  # noqa: N818 - it is an outcome, not an error
    """The outcome of a check, as an exception for pytest to report."""


class CheckItem(pytest.Item):
    """One check of one service."""

    outcome: Outcome

    def runtest(self) -> None:
        """Pass, fail, skip (does not apply) or xfail (waived), as the outcome is."""
        outcome = self.outcome
        if outcome.status is Status.NOT_APPLICABLE:
            raise pytest.skip.Exception(f"not applicable: {outcome.reason}", _use_item_location=True)
        if outcome.status is Status.WAIVED:
            pytest.xfail(f"waived: {outcome.reason}")
        if outcome.status is Status.UNKNOWN or (outcome.status is Status.FAILED and self._is_bad_enough()):
            raise Failed

    def _is_bad_enough(self) -> bool:
        return self.outcome.check.severity.at_least(Severity(self.config.getoption("reliability_fail_on")))

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """The findings as a compiler would print them; no traceback, since no code of the user's is at fault."""
        if isinstance(excinfo.value, Failed):
            return outcome_text(self.outcome, canvas(self.config)).rstrip("\n")
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int, str]:
        """Where the item lives, and its headline."""
        return self.path, 0, f"{self.outcome.check.code} {self.outcome.check.name}"


def canvas(config: pytest.Config) -> Canvas:
    """As wide and as colourful as the terminal that pytest writes to."""
    if not config.pluginmanager.has_plugin("terminalreporter"):  # -p no:terminal; a JUnit report may still be written
        return Canvas()
    writer = config.get_terminal_writer()
    return Canvas(width=max(40, writer.fullwidth), colour=writer.hasmarkup, verbose=config.get_verbosity())
