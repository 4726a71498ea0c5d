"""The one door: `review` looks at a repository and says what it found. Every front end stands on it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import replace
from pathlib import Path

from pytest_reliability import discovery, engine, plugins, reading
from pytest_reliability.contracts import UsageError
from pytest_reliability.engine import EVERYTHING, Scope
from pytest_reliability.model.graph import Graph
from pytest_reliability.model.nodes import Service
from pytest_reliability.plugins import Catalogue
from pytest_reliability.policy.selection import require_known
from pytest_reliability.report import Finding, Outcome, Report

__all__ = ["Scope", "load", "review"]


def load(root: Path, catalogue: Catalogue, only: Collection[str] | None = None) -> Graph:
    """The graph of the repository at `root`; `only`: open no other files than these, given relative to it.

    Raises UsageError where the configuration is wrong.
    """
    return reading.read(discovery.discover(root), catalogue.formats, only)


def review(
    root: Path,
    *,
    folder: str = "",
    scope: Scope = EVERYTHING,
    only: Collection[str] | None = None,
    catalogue: Catalogue | None = None,
) -> Report:
    """Check the repository at `root`; `folder`: report on the service there, with the whole repository in sight.

    `only`: run the local checks on these files (relative to `root`) and nothing else. `catalogue`: what to check and read, by
    default everything that is installed. Raises UsageError for what a person must put right first.
    """
    catalogue = catalogue or plugins.load()
    report = judge(load(root, catalogue, only), root, catalogue, replace(scope, only_files=only is not None))
    return next((part for part in report.parts if folder and part.folder == folder), report)


def judge(graph: Graph, root: Path, catalogue: Catalogue, scope: Scope = EVERYTHING) -> Report:
    """The report on a graph that `load` gave; `root` is read again only for the lines that findings point at."""
    known = catalogue.checks
    require_known(scope.selected, known, "--select")
    require_known(scope.ignored, known, "--ignore")
    for service in graph.of(Service):
        require_known(service.settings.select, known, f"{service.at.path}: select")
        require_known(service.settings.ignore, known, f"{service.at.path}: ignore")
    return _with_sources(engine.review(graph, known, scope), _line_reader(root))


def place_of(path: Path | None) -> tuple[Path, str]:
    """What to check for a folder that a person named: the root, and the folder of a service in it ("" for all of it).

    A folder with a configuration inside a repository is a service of that repository. Any other folder is checked as a
    repository of its own. None: the repository around where they stand.
    """
    if path is None:
        return discovery.find_root(Path.cwd()), ""
    if not path.is_dir():
        raise UsageError(f"{path}: {'not a folder' if path.exists() else 'no such file or folder'}\n  name a folder to check")
    folder = path.resolve()
    around = discovery.find_root(folder)
    if around != folder and discovery.is_configured(folder):
        return around, folder.relative_to(around).as_posix()
    return folder, ""


def _line_reader(root: Path) -> Callable[[str, int], str]:
    read: dict[str, list[str]] = {}

    def line(path: str, number: int) -> str:
        if path not in read:
            try:
                read[path] = (root / path).read_text(encoding="utf-8-sig", errors="replace").splitlines()
            except OSError:
                read[path] = []
        return read[path][number - 1] if 0 < number <= len(read[path]) else ""

    return line


def _with_sources(report: Report, line: Callable[[str, int], str]) -> Report:
    def located(finding: Finding) -> Finding:
        return replace(finding, source=line(finding.at.path, finding.at.line))

    def outcomes(given: Iterable[Outcome]) -> tuple[Outcome, ...]:
        return tuple(replace(outcome, findings=tuple(map(located, outcome.findings))) for outcome in given)

    parts = tuple(replace(part, outcomes=outcomes(part.outcomes)) for part in report.parts)
    return replace(report, outcomes=outcomes(report.outcomes), parts=parts)
