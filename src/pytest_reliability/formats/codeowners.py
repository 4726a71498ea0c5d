"""CODEOWNERS: who reviews, and answers for, which files. GitHub's and GitLab's dialects, sections of the latter included."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pytest_reliability.contracts import Format
from pytest_reliability.documents import Source
from pytest_reliability.model.location import Location
from pytest_reliability.model.nodes import Node, OwnerRule, Ownership

_SECTION = re.compile(r"\^?\[(?P<name>[^\]]+)\](?:\[\d+\])?(?:\s+(?P<owners>.*))?$")
_RULE = re.compile(r"(?P<pattern>(?:\\.|[^\s#\\])(?:\\.|[^\s\\])*)(?:\s+(?P<owners>.*))?$")
_COMMENT = re.compile(r"(?:^|\s)#.*")


def read(source: Source) -> Iterator[Node]:
    """The rules of the file, in their order."""
    yield Ownership(at=Location(source.path), settings=source.settings, rules=tuple(_rules(source)))


def _rules(source: Source) -> Iterator[OwnerRule]:
    section = ""
    default: tuple[str, ...] = ()
    for number, line in enumerate(source.lines, 1):
        text = line.strip()
        if found := _SECTION.match(_COMMENT.sub("", text)):
            section, default = found["name"].strip().casefold(), _owners(found["owners"])
        elif found := _RULE.match(text):
            start = len(line) - len(line.lstrip()) + 1
            at = Location(source.path, number, start, len(found["pattern"]))
            owners = _owners(found["owners"]) or default
            yield OwnerRule(at=at, pattern=found["pattern"], owners=owners, section=section)


def _owners(text: str | None) -> tuple[str, ...]:
    return tuple(_COMMENT.sub("", text or "").split())


FORMAT = Format(name="codeowners", files=r"^(?:(?:\.github|\.gitlab|docs)/)?CODEOWNERS$", yields=(Ownership,), read=read)
