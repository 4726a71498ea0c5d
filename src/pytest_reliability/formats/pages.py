"""Pages of prose in Markdown: runbooks, postmortems, and all others, which matter as targets of links."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from posixpath import basename, splitext
from typing import Any

from pytest_reliability.contracts import Format
from pytest_reliability.documents import Source, Unreadable
from pytest_reliability.formats._front_matter import FrontMatter, front_matter
from pytest_reliability.formats._recognition import TYPE_KEYS, Role, only_points_elsewhere, role_by_path, role_of
from pytest_reliability.formats.markdown import Markdown, scan
from pytest_reliability.formats.sections import postmortem_sections, runbook_sections
from pytest_reliability.model.location import Location
from pytest_reliability.model.nodes import Fault, Heading, Node, Page, Postmortem, Runbook, Section

_KINDS = {
    **dict.fromkeys(("alert", "alert-runbook", "アラート"), "alert"),
    **dict.fromkeys(("procedure", "sop", "手順", "手順書", "運用手順書"), "procedure"),
    **dict.fromkeys(("checklist", "チェックリスト"), "checklist"),
}
_ALERT_KEYS = ("alerts", "alert", "alertname", "アラート")
_OWNER_KEYS = (
    "owner", "owners", "owned_by", "owner_team", "owning_team", "team", "teams", "maintainer", "maintainers", "responsible",
    "担当", "担当者", "担当チーム", "オーナー", "管理者", "所有者", "責任者",
)  # fmt: skip
_OWNER_LABELS = frozenset(
    (*_OWNER_KEYS, "runbook_owner", "service_owner", "team_owner", "contact", "point_of_contact", "on-call", "連絡先")
)
_NOBODY = re.compile(
    r"\W*(?:tbd|todo|n/?a|none|nobody|unknown|unassigned|未定|なし|無し|不明|<[^>]*>|\{\{.*\}\}|\[.{0,40}\])?\W*", re.I
)
"""What stands where a name is still to be filled in."""
_TOP = 60
"""Lines at the top of a page among which labels such as "Owner: x" are looked for."""

_ALERT_NAME = re.compile(r"(?:[A-Za-z][a-z0-9]*)?(?:[A-Z][A-Za-z0-9]+){2,}")
_CHECKLIST = re.compile(r"(?:check-?list|チェックリスト)\W*$", re.I | re.M)
_ITEM = re.compile(r"^[ \t]*(?:[-*+]|\d+[.)])[ \t]", re.M)
_NUMBERED = re.compile(r"\d+[.)]\s")

_JAPANESE = re.compile(r"[぀-ヿ一-鿿々]+")
_KANA = re.compile(r"[぀-ヿ]")
_WORD = re.compile(r"[A-Za-z]{2,}")

_LABEL = re.compile(
    r"""[ \t>]*(?:[-*+][ \t]+|\|[ \t]*)?
    (?:(?:\*\*|__)(?P<bold>[^*_|:：]{2,40})[:：]?(?:\*\*|__)[ \t]*[:：|]? | (?P<bare>[^\W\d][^*_|:：`<>()]{1,30}?)[ \t]*[:：|])
    (?P<value>[^|]*)""",
    re.VERBOSE,
)
_DELIMITER_ROW = re.compile(r"[ \t>|:-]*-[ \t|:-]*")
_FENCE = re.compile(r"[ \t>]*(?:[-*+][ \t]+|\d+[.)][ \t]+)?(`{3,}|~{3,})")


def read(source: Source) -> Iterator[Node | Fault]:
    """The page, as what it is."""
    try:
        text = source.text.replace("\r\n", "\n")
    except Unreadable:
        if role_by_path(source.path, source.settings) is not Role.PAGE:
            raise
        text = source.data.decode("utf-8", "replace")  # good enough for a page that only links lead to
    markdown = scan(text, source.path)
    front = front_matter(markdown)
    title = _title(markdown, front)
    role = role_of(markdown, front, title, source.settings)
    if role is Role.RUNBOOK and only_points_elsewhere(markdown, text):
        role = Role.PAGE
    yield _page(source, text, markdown, front, title, role)
    if front.fault is not None and role is not Role.PAGE:
        yield front.fault


FORMAT = Format(name="markdown", files=r"(?i)\.(?:md|markdown)$", yields=(Page, Runbook, Postmortem), read=read)


def _title(markdown: Markdown, front: FrontMatter) -> str:
    """The title as the page itself shows it, else that of its front matter, else the file's name."""
    head = _title_heading(markdown.sections)
    return head.text if head else front.first("title", "タイトル") or splitext(basename(markdown.path))[0]


def _title_heading(sections: tuple[Section, ...]) -> Heading | None:
    """The first heading, where it is above all others."""
    if not sections or any(section.heading.level <= sections[0].heading.level for section in sections[1:]):
        return None
    return sections[0].heading


def _page(source: Source, text: str, markdown: Markdown, front: FrontMatter, title: str, role: Role) -> Page:
    common: dict[str, Any] = {
        "at": Location(source.path),
        "settings": source.settings,
        "title": title,
        "headings": markdown.headings,
        "links": markdown.links,
        "fences": markdown.fences,
        "anchors": markdown.anchors,
        "front_matter": front.values,
        "front_matter_at": front.places,
    }
    if role is Role.PAGE:
        return Page(sections=markdown.sections, **common)
    common["language"] = _language(text, markdown)
    labels = tuple(_labels(text))
    if role is Role.POSTMORTEM:
        return Postmortem(sections=_named(markdown, labels, postmortem_sections, "summary"), **common)
    sections = _named(markdown, labels, runbook_sections, "purpose")
    alerts = tuple(name for name in re.split(r"[,\s]+", front.first(*_ALERT_KEYS)) if name)
    kind = _kind(text, markdown, sections, front, title, alerts)
    sections = tuple(_with_steps(sections, markdown, kind))
    owner = _owner(text, front, labels, sections)
    return Runbook(sections=sections, kind=kind, alerts=alerts, owner=owner, **common)


def _named(
    markdown: Markdown, labels: tuple[_Label, ...], names_of: Callable[[str], tuple[str, ...]], introduction: str
) -> tuple[Section, ...]:
    """The sections with their canonical names.

    The title is none, but what stands below it introduces the page; and lines such as "**Impact**: …" say as much as a section
    does. The names of both are given to the first section.
    """
    sections = markdown.sections
    if not sections:
        return ()
    title = _title_heading(sections)
    first = [] if title else list(names_of(sections[0].heading.text))
    if title and markdown.led[0]:
        first.append(introduction)
    for label in labels:
        first += names_of(label.name)
    rest = (replace(section, names=names) if (names := names_of(section.heading.text)) else section for section in sections[1:])
    return (replace(sections[0], names=tuple(dict.fromkeys(first))), *rest)


def _with_steps(sections: tuple[Section, ...], markdown: Markdown, kind: str) -> Iterator[Section]:
    """The sections; those that are steps without saying so, by boxes or numbers, are given the name."""
    numbered = [_NUMBERED.match(section.heading.text) is not None for section in sections]
    for section, is_numbered, tasks in zip(sections, numbered, markdown.tasks, strict=True):
        is_step = tasks if kind == "checklist" else kind == "procedure" and is_numbered and sum(numbered) > 1
        yield replace(section, names=(*section.names, "steps")) if is_step and "steps" not in section.names else section


def _kind(
    text: str, markdown: Markdown, sections: tuple[Section, ...], front: FrontMatter, title: str, alerts: tuple[str, ...]
) -> str:
    """The kind of a runbook: as the front matter says, else what the page looks like."""
    for key in ("runbook_type", *TYPE_KEYS):
        if said := _KINDS.get(front.first(key).casefold()):
            return said
    name = splitext(basename(markdown.path))[0]
    if alerts or _ALERT_NAME.fullmatch(title) or _ALERT_NAME.fullmatch(name):
        return "alert"
    tasks = sum(markdown.tasks)
    if (tasks > 2 and tasks * 2 > len(_ITEM.findall(text))) or _CHECKLIST.search(f"{title}\n{name}"):
        return "checklist"
    names = {name for section in sections for name in section.names}
    of_alerts, of_procedures = names & {"symptoms", "impact", "diagnosis"}, names & {"prerequisites", "steps", "rollback"}
    return "alert" if len(of_alerts) > len(of_procedures) else "procedure"


@dataclass(frozen=True, slots=True)
class _Label:
    """A line that says one thing: "Owner: x", "**Impact**: …", "| Impact | … |"."""

    name: str
    value: str
    line: int


def _labels(text: str) -> Iterator[_Label]:
    """The labels of a page: those in bold wherever they are, others only at its top. Code in fences is passed over."""
    fenced = ""
    lines = text.split("\n")
    for number, line in enumerate(lines, 1):
        if fence := _FENCE.match(line):
            fenced = fence[1] if not fenced else "" if fence[1].startswith(fenced) else fenced
        elif not fenced and (found := _LABEL.match(line)) and (found["bold"] or number <= _TOP):
            value = found["value"].strip(" \t*_|")
            if not value and found["bold"]:  # on a line of its own it is a heading, and what follows is its value
                value = next((below.strip() for below in lines[number : number + 2] if below.strip()), "")
            heads_table = _DELIMITER_ROW.fullmatch("".join(lines[number : number + 1]))
            if not (heads_table or _NOBODY.fullmatch(value)):
                yield _Label((found["bold"] or found["bare"]).strip(), value, number)


def _owner(text: str, front: FrontMatter, labels: tuple[_Label, ...], sections: tuple[Section, ...]) -> str | None:
    said = front.first(*_OWNER_KEYS)
    if not _NOBODY.fullmatch(said):
        return said
    for label in labels:
        if label.line <= _TOP and label.name.casefold().replace(" ", "_") in _OWNER_LABELS:
            return label.value
    for section in sections:
        if section.heading.at.line > 1 and not section.empty and "escalation" in runbook_sections(section.heading.text):
            lines = text.split("\n")[section.heading.at.line :]
            said = next((line.strip(" \t-*+>|") for line in lines if line.strip()), "")
            if not _NOBODY.fullmatch(said):
                return said[:100]
    return None


def _language(text: str, markdown: Markdown) -> str:
    """ "ja" where there is more Japanese than there are words in Latin letters, code left aside."""
    if text.isascii() or not _KANA.search(text):
        return "en"
    code = " ".join(fence.text for fence in markdown.fences)
    japanese = sum(map(len, _JAPANESE.findall(text))) - sum(map(len, _JAPANESE.findall(code)))
    return "ja" if japanese > len(_WORD.findall(text)) - len(_WORD.findall(code)) else "en"
