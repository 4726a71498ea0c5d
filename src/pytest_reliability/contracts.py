"""What a check, a format and a reporter are: everything that a plugin's author needs to know."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_reliability.model.location import Location
from pytest_reliability.model.nodes import Edit
from pytest_reliability.report import CheckInfo, Level, Report, Responsibility, Severity

if TYPE_CHECKING:
    from pytest_reliability.documents import Source
    from pytest_reliability.model.nodes import Fault, Node

FAMILIES = {
    "DOC": Responsibility.CHANGE_MANAGEMENT,
    "SLO": Responsibility.AVAILABILITY,
    "LAT": Responsibility.LATENCY,
    "MON": Responsibility.MONITORING,
    "ALR": Responsibility.MONITORING,
    "DSH": Responsibility.MONITORING,
    "RUN": Responsibility.EMERGENCY_RESPONSE,
    "PM": Responsibility.EMERGENCY_RESPONSE,
    "OWN": Responsibility.EMERGENCY_RESPONSE,
    "EMR": Responsibility.EMERGENCY_RESPONSE,
    "CHG": Responsibility.CHANGE_MANAGEMENT,
    "CAP": Responsibility.CAPACITY_PLANNING,
}
"""The responsibility that each family of codes counts towards, unless its check says otherwise."""

_CODE = re.compile(r"([A-Z]{2,8})\d{3}")


class UsageError(Exception):
    """Something that a person must put right before anything can be checked. Every door prints it and exits with 2."""


@dataclass(frozen=True, slots=True)
class Problem:
    """All that a check may say: where, what is wrong (the thing, its value, the expectation), and what to type to mend it.

    `edit` is there where typing it takes no thought; `reliability fix` does it.
    """

    at: Location
    message: str
    hint: str = ""
    edit: Edit | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Check(CheckInfo):
    """A question asked of every `subject` in a repository.

    `run` takes the subject, and the graph as well where `repo_wide`. `needs` is for checks that read meaning into absence: what
    they find counts only when every file that might hold one of `needs` could be read; otherwise the check is unknown. `on`
    tells whether it runs without being selected. `page` is the Markdown file beside the check's module.
    """

    subject: type[Node]
    run: Callable[..., Iterable[Problem]]
    repo_wide: bool
    needs: tuple[type[Node], ...] = ()
    on: bool
    page: Path


def check(
    subject: type[Node],
    *,
    code: str,
    severity: Severity = Severity.ERROR,
    level: Level | None = None,
    needs: tuple[type[Node], ...] = (),
    responsibility: Responsibility | None = None,
    on: bool | None = None,
) -> Callable[[Callable[..., Iterable[Problem]]], Check]:
    """Make a check of a generator function.

    The function's name with hyphens is the check's name, its docstring's first line says why it matters. A function of one
    argument (the subject) is local: it can run on a single file. One that takes the graph too is repo-wide. A check of severity
    info is off unless it is selected, or `on` is True.

    Raises ValueError where the code is malformed, or of a family that has no responsibility and none is given.
    """
    family = _CODE.fullmatch(code)
    if family is None:
        raise ValueError(f"{code!r} is no code; write two to eight capitals and three digits, such as ALR001")
    counts_towards = responsibility or FAMILIES.get(family[1])
    if counts_towards is None:
        raise ValueError(f"{code} belongs to no known family; give check() a responsibility")

    def decorate(function: Callable[..., Iterable[Problem]]) -> Check:
        summary = (inspect.getdoc(function) or "").partition("\n")[0]
        if not summary:
            raise ValueError(f"{code} has no docstring; its first line says why the check matters")
        return Check(
            code=code,
            name=function.__name__.replace("_", "-"),
            severity=severity,
            level=level,
            responsibility=counts_towards,
            summary=summary,
            subject=subject,
            run=function,
            repo_wide=len(inspect.signature(function).parameters) > 1,
            needs=needs,
            on=severity is not Severity.INFO if on is None else on,
            page=Path(inspect.getfile(function)).with_suffix(".md"),
        )

    return decorate


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """A reader of one kind of file.

    A file whose path matches `files` and whose bytes match `marker` is given to `read`, which yields the nodes that it finds
    and the faults of what it reads, and nothing at all for a file that is not of its kind after all. `read` raises
    `documents.Unreadable` where a file claims to be of its kind and cannot be read; the checks that live on `yields` are
    unknown then. Unless it is `optional`: what it finds helps to judge something else, and nobody misses it.
    """

    name: str
    files: str
    marker: bytes = b""
    optional: bool = False
    yields: tuple[type[Node], ...]
    read: Callable[[Source], Iterable[Node | Fault]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Canvas:
    """What a reporter writes on: `width` in terminal cells, whether `colour` is welcome, how much to say (`verbose` > 0: all)."""

    width: int = 100
    colour: bool = False
    verbose: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Reporter:
    """Turns a report into text; `name` is what `--format` takes."""

    name: str
    render: Callable[[Report, Canvas], str]
