"""What a page is: a runbook, a postmortem, or only a page.

It is told from the strongest evidence down: the page's front matter, the folder that it is in, its file name, and a shape that
nothing else has. Indexes, templates and prose about how to write such pages are none of them, and where the evidence is weak
nothing is said: to ask a page for sections that it does not need is worse than to miss one.
"""

from __future__ import annotations

import re
from enum import Enum
from posixpath import basename, dirname, splitext

from pytest_reliability.formats._front_matter import FrontMatter
from pytest_reliability.formats.markdown import Markdown
from pytest_reliability.formats.sections import plain, postmortem_sections, runbook_sections
from pytest_reliability.model.sections import POSTMORTEM_REQUIRED
from pytest_reliability.model.settings import Settings


class Role(Enum):
    """What a page is."""

    RUNBOOK = "runbook"
    POSTMORTEM = "postmortem"
    PAGE = "page"


TYPE_KEYS = ("type", "kind", "doc_type", "doctype", "document_type", "種別")
"""Keys of front matter that say what a page is."""

_TYPES = {
    **dict.fromkeys(("runbook", "runbooks", "playbook", "ランブック", "手順書", "運用手順書"), Role.RUNBOOK),
    **dict.fromkeys(
        ("postmortem", "postmortems", "post-mortem", "incident-report", "ポストモーテム", "障害報告", "障害報告書"),
        Role.POSTMORTEM,
    ),
    **dict.fromkeys(
        ("template", "index", "adr", "policy", "design", "guide", "reference", "concept", "process", "training", "glossary"),
        Role.PAGE,
    ),
}

_RUNBOOK_FOLDERS = frozenset(
    ("runbook", "runbooks", "run-books", "運用手順", "運用手順書", "手順書", "ランブック", "障害対応手順", "障害対応手順書")
)
_POSTMORTEM_FOLDERS = frozenset(
    ("postmortem", "postmortems", "post-mortem", "post-mortems", "ポストモーテム", "障害報告", "障害報告書", "インシデント報告")
)
_PLAYBOOK_FOLDERS = frozenset(("playbook", "playbooks"))
"""They hold runbooks, or Ansible's playbooks."""
_INCIDENT_FOLDERS = frozenset(("incident", "incidents", "incident-reports", "インシデント", "障害"))
"""They hold reports of incidents, or prose about how to deal with them."""
_OTHER_FOLDERS = frozenset(
    ("template", "templates", "-templates", "archetypes", "testdata", "fixtures", "--fixtures--", "vendor", "third-party",
     "node-modules", "テンプレート", "helpers", "includes", "-includes", "snippets", "partials", "assets", "images")
)  # fmt: skip
"""What lies below them is no runbook and no postmortem of this repository, whatever it looks like."""

_RUNBOOK_NAME = re.compile(r"(?:runbook|ランブック)(?:[-_ .]|$)|.*(?<!without)(?<!missing)[-_ .]runbook$|.*ランブック$", re.I)
_PLAYBOOK_NAME = re.compile(r"playbook[-_ .]|.*[-_ .]playbook$|.*手順書?$", re.I)
_POSTMORTEM_NAME = re.compile(
    r"(?:post[-_]?mortem|ポストモーテム|障害報告書?)(?:[-_ .]|$)|.*(?:post[-_]?mortem|ポストモーテム|障害報告書?)$", re.I
)
_NUMBERED_POSTMORTEM = re.compile(r"PM-?\d{4}-?\d+", re.I)
_DATED = re.compile(r"\d{4}[-_]?\d{2}|\b(?:inc|incident|pm|sev)[-_ #]?\d+", re.I)
_OTHER_NAMES = frozenset(
    ("readme", "index", "-index", "changelog", "changes", "contributing", "code-of-conduct", "security", "license", "support",
     "authors", "maintainers", "governance", "history", "news", "roadmap", "todo", "glossary", "faq", "claude", "agents", "skill",
     "summary", "toc", "example", "sample", "目次", "一覧", "索引", "用語集")
)  # fmt: skip

_TEMPLATE = r"(?:template|テンプレート|雛形|ひな形|ひな型)"
_TEMPLATE_NAME = re.compile(
    rf"_*{_TEMPLATE}|.*{_TEMPLATE}$|.*(?:post[-_]?mortem|runbook|playbook|incident|report)[-_]template", re.I
)
_TEMPLATE_TITLE = re.compile(rf"\W*{_TEMPLATE}\b|.*{_TEMPLATE}\W*$|.*[(\[<（【]{_TEMPLATE}[)\]>）】]", re.I)
_THEM = r"(?:runbooks?|playbooks?|post-?mortems?)"
_ABOUT = re.compile(
    rf"""
      \bhow\ (?:to|we)\ (?:write|run|do|conduct|create|use)\b.*\b(?:{_THEM}|incidents?|retrospectives?)\b
    | \b(?:writing|adding|creating|conducting|effective|what\ (?:is|are)|about|introduc\w+)\b.*\b{_THEM}\b
    | ^(?:add|create|write|new)\b.*\b{_THEM}$
    | \b(?:{_THEM}|incidents?(?:\ response|\ management)?)\s+(?:process|polic(?:y|ies)|guide|guidelines?|culture|training|handbook
        |overview|meetings?|best\ practices|style\ guide|index|list|severity|levels)\b
    | (?:書き方|作り方|ガイドライン|執筆規約|索引|とは|の進め方|のプロセス|ポリシー|運用ルール|一覧)\s*$
    """,
    re.IGNORECASE | re.VERBOSE,
)
"""Titles of prose about such pages."""

_OPERATIONAL = frozenset(
    ("symptoms", "impact", "prerequisites", "diagnosis", "mitigation", "steps", "verification", "rollback", "escalation")
)
"""Sections that only a page about operations has."""
_MANY = 4
"""A page with more sections than this, none of them operational, is about something else wherever it lies."""
_POINTER = 200
"""Characters that a page may have which only says where to look instead."""
_LINK = re.compile(r"\]\(|\[\[|(?<!\()https?://")

_TELLTALE = re.compile(r"diagnos|investigat|診断|切り分け|root cause|contributing|原因", re.I)
_DIAGNOSIS = frozenset(("diagnosis", "診断", "切り分け", "investigation", "investigation steps"))
_MITIGATION = frozenset(("mitigation", "remediation", "resolution", "resolution steps", "緩和", "対処", "復旧", "復旧手順"))
_SUBJECT = frozenset(("meaning", "impact", "symptoms", "影響", "症状", "意味"))
_ROOT_CAUSE = frozenset(
    ("root cause", "root causes", "root cause analysis", "contributing factors", "根本原因", "根本原因分析", "原因")
)


def role_of(markdown: Markdown, front: FrontMatter, title: str, settings: Settings) -> Role:
    """What a page is."""
    name = _name(markdown.path)
    if _is_template(markdown.path) or _TEMPLATE_TITLE.match(title):
        return Role.PAGE
    said = _TYPES.get(front.first(*TYPE_KEYS).casefold().replace(" ", "-").replace("_", "-"))
    if said is not None:
        return said
    if _is_index(name) or _ABOUT.search(title):
        return Role.PAGE
    role = role_by_path(markdown.path, settings)
    if role is Role.RUNBOOK and not settings.folders.runbooks and len(markdown.sections) > _MANY and not _operational(markdown):
        return Role.PAGE
    return role if role is not Role.PAGE else _by_weak_path(markdown, settings) or _by_shape(markdown)


def role_by_path(path: str, settings: Settings) -> Role:
    """What the folders and the file's name say by themselves."""
    name, folders = _name(path), _folders(path)
    if _is_template(path) or _is_index(name):
        return Role.PAGE
    for role, configured, usual in (
        (Role.POSTMORTEM, settings.folders.postmortems, _POSTMORTEM_FOLDERS),
        (Role.RUNBOOK, settings.folders.runbooks, _RUNBOOK_FOLDERS),
    ):
        if configured:
            if any(path.startswith(f"{folder.strip('/')}/") for folder in configured):
                return role
        elif not usual.isdisjoint(folders):
            return role
    if _NUMBERED_POSTMORTEM.match(name) or (_POSTMORTEM_NAME.match(name) and _DATED.search(name)):
        return Role.POSTMORTEM
    return Role.RUNBOOK if _RUNBOOK_NAME.match(name) else Role.PAGE


def _by_weak_path(markdown: Markdown, settings: Settings) -> Role | None:
    """What folders and names say that can mean something else, where two sections agree with them."""
    name, folders = _name(markdown.path), _folders(markdown.path)
    in_incidents = not (settings.folders.postmortems or _INCIDENT_FOLDERS.isdisjoint(folders))
    if in_incidents or _POSTMORTEM_NAME.match(name):
        told = {section for head in markdown.sections for section in postmortem_sections(head.heading.text)}
        if _DATED.search(name) or len(told.intersection(POSTMORTEM_REQUIRED)) > 1:
            return Role.POSTMORTEM
    in_playbooks = not (settings.folders.runbooks or _PLAYBOOK_FOLDERS.isdisjoint(folders))
    if (in_playbooks or _PLAYBOOK_NAME.match(name)) and len(_operational(markdown)) > 1:
        return Role.RUNBOOK
    return None


def _by_shape(markdown: Markdown) -> Role:
    """What a page without any other sign can only be: its headings say all that such a page has to say, in so many words."""
    if not any(_TELLTALE.search(section.heading.text) for section in markdown.sections):
        return Role.PAGE
    headings = {plain(section.heading.text) for section in markdown.sections}
    names = {name for heading in headings for name in postmortem_sections(heading)}
    if {"timeline", "action_items"} <= names:
        return Role.PAGE if _ROOT_CAUSE.isdisjoint(headings) else Role.POSTMORTEM
    if "timeline" in names or any(map(headings.isdisjoint, (_DIAGNOSIS, _MITIGATION, _SUBJECT))):
        return Role.PAGE
    return Role.RUNBOOK


def only_points_elsewhere(markdown: Markdown, text: str) -> bool:
    """Whether a page is but a line that says where to look instead."""
    body = text[len(markdown.front_matter.text) + 4 :] if markdown.front_matter else text
    return len(body) < _POINTER and len(markdown.sections) < 2 and not markdown.fences and len(_LINK.findall(body)) == 1


def _operational(markdown: Markdown) -> frozenset[str]:
    return _OPERATIONAL.intersection(name for section in markdown.sections for name in runbook_sections(section.heading.text))


def _is_template(path: str) -> bool:
    return _TEMPLATE_NAME.match(_name(path)) is not None or not _OTHER_FOLDERS.isdisjoint(_folders(path))


def _is_index(name: str) -> bool:
    return name.casefold().replace("_", "-") in _OTHER_NAMES


def _name(path: str) -> str:
    return splitext(basename(path))[0]


def _folders(path: str) -> list[str]:
    return dirname(path).casefold().replace("_", "-").split("/")
