"""`reliability fix`: the mechanical edits of findings, tried out in memory until nothing is left to do, then written or shown."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pytest_reliability import api, discovery, edits, plugins, reading
from pytest_reliability.contracts import Canvas, UsageError
from pytest_reliability.engine import Scope
from pytest_reliability.model.nodes import Edit, Replace, SetKey
from pytest_reliability.report import Finding, Report
from pytest_reliability.reporters._text import clean, clipped, painter, plural

ROUNDS = 10
"""How often the files are looked at again after what was mended, since mending one thing can show another."""

_LONGEST = 60


@dataclass(frozen=True, slots=True)
class Fixes:
    """What can be mended in the repository at `root`.

    `before` has the text of each file that changes, None where there is none yet, `after` the new one. `refused` are findings
    whose edit could not be done, with the reason; `left` is how many findings have no edit.
    """

    root: Path
    before: Mapping[str, str | None]
    after: Mapping[str, str]
    done: tuple[Finding, ...]
    refused: tuple[tuple[Finding, str], ...]
    left: int


def prepared(root: Path, *, folder: str = "", only: Collection[str] | None = None, scope: Scope | None = None) -> Fixes:
    """What can be mended; nothing is written yet. The arguments are those of `api.review`."""
    catalogue = plugins.load()
    scope = replace(scope or Scope(), only_files=only is not None)
    tree = _Edited(discovery.discover(root))
    done: list[Finding] = []
    refused: list[tuple[Finding, str]] = []
    for _ in range(ROUNDS):
        report = api.judge(reading.read(tree, catalogue.formats, only), root, catalogue, scope)
        report = next((part for part in report.parts if folder and part.folder == folder), report)
        mended, refused = _round(tree, report)
        done += mended
        if not mended:
            break
    left = sum(finding.edit is None for finding in report.findings)
    return Fixes(root, tree.before, tree.after, tuple(done), tuple(refused), left)


def written(fixes: Fixes) -> None:
    """Write the files, each whole or not at all. Raises UsageError where one cannot be written, or has changed meanwhile."""
    for path, text in fixes.before.items():
        try:
            is_same = _text_of(fixes.root / path) == text
        except edits.CannotEdit:
            is_same = False
        if not is_same:
            raise UsageError(f"{_from_here(fixes.root / path)}: has been changed meanwhile\n  run it once more")
    for path, text in fixes.after.items():
        edits.write(fixes.root / path, text)


def told(fixes: Fixes, canvas: Canvas) -> str:
    """What was mended and what was not, by place."""
    paint = painter(canvas)
    lines = []

    def line(finding: Finding, word: str, style: str, text: str) -> str:
        at = replace(finding.at, path=_from_here(fixes.root / finding.at.path))
        name = paint(f"[{finding.code} {finding.check.name}]", "dim")
        return f"{paint(f'{clean(str(at))}:', 'bold')} {paint(f'{word}:', style)} {clean(text)} {name}\n"

    for finding in sorted(fixes.done, key=lambda finding: finding.at.path):
        lines.append(line(finding, "fixed", "bold green", in_words(finding.edit)))
    lines += [line(finding, "not fixed", "bold yellow", reason) for finding, reason in fixes.refused]
    return "".join(lines)


def counted(fixes: Fixes, *, would: bool = False) -> str:
    """One line: how much was mended, or would be, and what is left for people."""
    verb = "would be fixed" if would else "fixed"
    said = [f"{plural(len(fixes.done), 'finding')} {verb} in {plural(len(fixes.after), 'file')}"]
    if not fixes.done:
        said = ["nothing to fix"]
    if fixes.refused:
        said.append(f"{len(fixes.refused)} could not be fixed")
    if fixes.left:
        said.append(f"{fixes.left} {'needs' if fixes.left == 1 else 'need'} a person: reliability check")
    return "; ".join(said)


def diff(fixes: Fixes, canvas: Canvas) -> str:
    """The changes as a unified diff, which `git apply` and `patch -p1` take in the folder that the paths are relative to."""
    paint = painter(canvas)
    styles = {"---": "bold", "+++": "bold", "@": "cyan", "+": "green", "-": "red"}
    lines = []
    for path in sorted(fixes.after):
        for line in _unified(_from_here(fixes.root / path), fixes.before[path], fixes.after[path]):
            style = next((style for start, style in styles.items() if line.startswith(start)), "")
            body = line.rstrip("\r\n")
            lines.append(paint(body, style) + line[len(body) :] if style else line)
    return "".join(lines)


def in_words(edit: Edit | None) -> str:
    """What an edit does, on one line."""
    if isinstance(edit, Replace):
        return f"{_short(edit.old)} → {_short(edit.new)}" if edit.old else f"added {_short(edit.new)}"
    if isinstance(edit, SetKey):
        name = ".".join(edit.keys)
        return f"{name} removed" if edit.value is None else f"{name}: {_short(str(edit.value))}"
    return "written anew"


def _short(text: str) -> str:
    return clipped(text.strip(), _LONGEST)


class _Edited:
    """A repository as it would be after some edits: the files of `discovery.Repository`, with new texts for some."""

    def __init__(self, repository: discovery.Repository) -> None:
        self._repository = repository
        self.name = repository.name
        self.links = repository.links
        self.remotes = repository.remotes
        self.before: dict[str, str | None] = {}
        self.after: dict[str, str] = {}

    @property
    def files(self) -> tuple[str, ...]:
        """Every path, new ones among them."""
        return tuple(sorted({*self._repository.files, *self.after}))

    def read(self, path: str) -> bytes | None:
        """A file's bytes."""
        return self.after[path].encode() if path in self.after else self._repository.read(path)

    def size(self, path: str) -> int:
        """A file's size in bytes."""
        return len(self.after[path].encode()) if path in self.after else self._repository.size(path)

    def text(self, path: str) -> str | None:
        """A file's text as it is by now, None where there is none. Raises CannotEdit where it is no text."""
        if path in self.after:
            return self.after[path]
        target = (self._repository.root / path).resolve()
        if not target.is_relative_to(self._repository.root.resolve()):
            raise edits.CannotEdit("it lies outside the repository")
        return _text_of(target)

    def put(self, path: str, text: str) -> None:
        """Let a file have that text; one that becomes what it was is as if it had never been touched."""
        self.before.setdefault(path, self.text(path))
        self.after[path] = text
        if self.before[path] == text:
            del self.before[path], self.after[path]


def _text_of(path: Path) -> str | None:
    try:
        return path.read_bytes().decode("utf-8")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise edits.CannotEdit("it cannot be read as text") from error


def _round(tree: _Edited, report: Report) -> tuple[list[Finding], list[tuple[Finding, str]]]:
    """Do the edits of a report's findings: those that changed something, and those that were not done."""
    mended: list[Finding] = []
    refused: list[tuple[Finding, str]] = []
    by_path: dict[str, list[Finding]] = {}
    for finding in report.findings:
        if finding.edit is not None:
            by_path.setdefault(edits.path_of(finding.edit), []).append(finding)
    for path, findings in by_path.items():
        good, bad = _mended(tree, path, findings)
        mended += good
        refused += bad
    return mended, refused


def _mended(tree: _Edited, path: str, findings: Sequence[Finding]) -> tuple[list[Finding], list[tuple[Finding, str]]]:
    """The same for the findings that one file is edited for."""
    try:
        before = tree.text(path) or ""
        after, failed = edits.apply_all(path, before, [finding.edit for finding in findings if finding.edit is not None])
    except edits.CannotEdit as error:
        return [], [(finding, str(error)) for finding in findings]
    otherwise = "its edit changes nothing" if after == before else ""
    reasons = [(finding, next((reason for edit, reason in failed if edit == finding.edit), otherwise)) for finding in findings]
    if after != before:
        tree.put(path, after)
    return [finding for finding, reason in reasons if not reason], [(finding, reason) for finding, reason in reasons if reason]


def _unified(path: str, before: str | None, after: str) -> Iterator[str]:
    from difflib import unified_diff

    old = "/dev/null" if before is None else f"a/{path}"
    for line in unified_diff(_lines(before or ""), _lines(after), old, f"b/{path}"):
        yield line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"


def _lines(text: str) -> list[str]:
    """The lines with their ends; a diff knows no others than line feeds."""
    lines = text.split("\n")
    return [f"{line}\n" for line in lines[:-1]] + lines[-1:] * bool(lines[-1])


def _from_here(path: Path) -> str:
    return os.path.relpath(path).replace(os.sep, "/")
