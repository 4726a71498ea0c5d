"""For people who write checks: try one on a repository made of texts.

Repo({"alerts.yaml": "groups: …"}).findings("ALR001")
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import PurePosixPath

from pytest_reliability import engine, plugins, reading
from pytest_reliability.contracts import Check
from pytest_reliability.engine import Scope
from pytest_reliability.model.graph import Graph
from pytest_reliability.report import Outcome, Report, Status


class Repo:
    """A repository in memory: path → text (or bytes). A `.git/config` among them gives it remotes."""

    def __init__(
        self, files: Mapping[str, str | bytes], *, name: str = "repository", catalogue: plugins.Catalogue | None = None
    ) -> None:
        self._texts = {path: text.encode() if isinstance(text, str) else text for path, text in files.items()}
        self.name = name
        self.catalogue = catalogue or _catalogue()

    @property
    def files(self) -> tuple[str, ...]:
        """Every path, sorted."""
        return tuple(sorted(path for path in self._texts if not path.startswith(".git/")))

    @property
    def links(self) -> frozenset[str]:
        """There are none."""
        return frozenset()

    @property
    def remotes(self) -> tuple[str, ...]:
        """The URLs in `.git/config`."""
        return tuple(re.findall(r"(?m)^\s*url\s*=\s*(\S+)", self._texts.get(".git/config", b"").decode()))

    def read(self, path: str) -> bytes | None:
        """A file's bytes."""
        return self._texts.get(path)

    def size(self, path: str) -> int:
        """A file's size."""
        return len(self._texts.get(path, b""))

    @cached_property
    def graph(self) -> Graph:
        """What was read."""
        return reading.read(self, self.catalogue.formats)

    def report(self, *select: str) -> Report:
        """The report, on the checks selected or on all that are on by default."""
        return engine.review(self.graph, self.catalogue.checks, Scope(selected=select))

    def outcome(self, code: str) -> Outcome:
        """What one check came to."""
        (outcome,) = self.report(code).outcomes
        return outcome

    def findings(self, code: str) -> list[str]:
        """What one check says, as its page would show it: "path:line:column: message", then the hint indented by two spaces.

        For a check that is unknown or does not apply: that, with the reason.
        """
        outcome = self.outcome(code)
        if outcome.status in (Status.UNKNOWN, Status.NOT_APPLICABLE):
            return [f"{outcome.status.value}: {outcome.reason}"]
        findings = sorted(outcome.findings, key=lambda finding: finding.at)
        return [f"{finding.at}: {finding.message}" + (f"\n  {finding.hint}" if finding.hint else "") for finding in findings]


def page_examples(page: str) -> Iterator[tuple[str, dict[str, str], str]]:
    """(heading, files, expected text) of every `##` section of a check's page that holds a `text expect` fence."""
    heading = ""
    files: dict[str, str] = {}
    fence = re.compile(
        r"^(?P<marks>`{3,})(?P<info>[^\n`]*)\n(?P<text>.*?)^(?P=marks)[ \t]*$|^## (?P<heading>[^\n]+)$", re.M | re.S
    )
    for match in fence.finditer(page):
        if match["heading"]:
            heading, files = match["heading"].strip(), {}
        elif match["info"].split()[:2] == ["text", "expect"]:
            yield heading, files, match["text"].rstrip("\n")
        elif title := re.search(r'title="([^"]+)"', match["info"]):
            files[str(PurePosixPath(title[1]))] = match["text"]


def check_page(check: Check, catalogue: plugins.Catalogue | None = None) -> Iterator[tuple[str, str, str]]:
    """(heading, expected, actual) of every example on a check's page."""
    for heading, files, expected in page_examples(check.page.read_text(encoding="utf-8")):
        yield heading, expected, "\n".join(Repo(files, catalogue=catalogue).findings(check.code))


_loaded: list[plugins.Catalogue] = []


def _catalogue() -> plugins.Catalogue:
    """Everything installed; loaded once, because nothing in it changes."""
    if not _loaded:
        _loaded.append(plugins.load())
    return _loaded[0]
