"""Pages of prose in Markdown: runbooks, postmortems, and all others, which only matter as targets of links.

What a page is, is told from the strongest evidence down: its front matter, the folder that it is in, its file name, and a shape that
nothing else has. Indexes, templates and prose about how to write such pages are none of them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from posixpath import basename, dirname, splitext
from typing import Any

from pytest_reliability.contracts import Format
from pytest_reliability.documents import Source, Tree, Unreadable, load_toml, load_yaml
from pytest_reliability.formats._places import Places
from pytest_reliability.formats.markdown import Markdown, scan
from pytest_reliability.formats.sections import plain, postmortem_sections, runbook_sections
from pytest_reliability.model.location import Location
from pytest_reliability.model.nodes import Fault, Heading, Node, Page, Postmortem, Runbook, Section
from pytest_reliability.model.sections import POSTMORTEM_REQUIRED
from pytest_reliability.model.settings import Settings

RUNBOOK, POSTMORTEM, PLAIN = "runbook", "postmortem", "page"

_RUNBOOK_FOLDERS = frozenset(
    ("runbook", "runbooks", "run-books", "運用手順", "運用手順書", "手順書", "ランブック", "障害対応手順", "障害対応手順書")
)
_POSTMORTEM_FOLDERS = frozenset(
    ("postmortem", "postmortems", "post-mortem", "post-mortems", "ポストモーテム", "障害報告", "障害報告書", "インシデント報告", "インシデント報告書")
)
_PLAYBOOK_FOLDERS = frozenset(("playbook", "playbooks"))
"""They hold runbooks, or Ansible's playbooks."""
_INCIDENT_FOLDERS = frozenset(("incident", "incidents", "incident-reports", "インシデント", "障害"))
"""They hold reports of incidents, but as often prose about how to deal with them."""
_OTHER_FOLDERS = frozenset(
    ("template", "templates", "_templates", "archetypes", "testdata", "fixtures", "__fixtures__", "vendor", "third_party", "node_modules",
     "テンプレート", "helpers", "includes", "_includes", "snippets", "partials", "assets", "images")
)  # fmt: skip
"""What lies below them is no runbook and no postmortem of this repository, whatever it looks like."""
_OTHER_STEMS = frozenset(
    ("readme", "index", "_index", "changelog", "changes", "contributing", "code_of_conduct", "security", "license", "support", "authors",
     "maintainers", "governance", "history", "news", "roadmap", "todo", "glossary", "faq", "claude", "agents", "skill", "summary", "toc", "example", "sample",
     "目次", "一覧", "索引", "用語集")
)  # fmt: skip
_RUNBOOK_NAME = re.compile(r"(?:runbook|playbook|ランブック|手順書)[-_ .]|.*[-_ .](?:runbook|playbook)$|.*(?:ランブック|手順書)$|runbook$", re.I)
_POSTMORTEM_NAME = re.compile(
    r"(?:post[-_]?mortem|ポストモーテム|障害報告書?)[-_ .].*\d|.*\d.*[-_ .]post[-_]?mortem$|.*\d.*(?:ポストモーテム|障害報告書?)$|PM-?\d{4}-?\d+", re.I
)
_TEMPLATE = r"(?:template|テンプレート|雛形|ひな形|ひな型)"
_TEMPLATE_STEM = re.compile(rf"_*{_TEMPLATE}|.*{_TEMPLATE}$|.*(?:post[-_]?mortem|runbook|playbook|incident|report)[-_]template", re.I)
_TEMPLATE_TITLE = re.compile(rf"\W*{_TEMPLATE}\b|.*{_TEMPLATE}\W*$|.*[(\[<（【]{_TEMPLATE}[)\]>）】]", re.I)
_ABOUT = re.compile(
    r"\bhow (?:to|we) (?:write|run|do|conduct|create|use)\b.*\b(?:runbook|playbook|post-?mortem|incident|retrospective)|"
    r"\b(?:writing|adding|creating|conducting|effective|what (?:is|are)|about|introduc\w+)\b.*\b(?:runbooks?|playbooks?|post-?mortems?)\b|"
    r"^(?:add|create|write|new)\b.*\b(?:runbooks?|playbooks?|post-?mortems?)$|"
    r"\b(?:runbooks?|playbooks?|post-?mortems?|incidents?(?: response| management)?)\s+(?:process|policy|policies|guide|guidelines?|culture"
    r"|training|handbook|overview|meetings?|best practices|style guide|index|list|severity|levels)\b|"
    r"(?:書き方|作り方|ガイドライン|執筆規約|索引|とは|の進め方|のプロセス|ポリシー|運用ルール|一覧)\s*$",
    re.I,
)
"""Titles of prose about such pages."""
_DATED = re.compile(r"\d{4}[-_]?\d{2}|\b(?:inc|incident|pm|sev)[-_ #]?\d+", re.I)

_TYPE_KEYS = ("type", "kind", "doc_type", "doctype", "document_type", "種別")
_TYPES = {
    "runbook": RUNBOOK, "runbooks": RUNBOOK, "playbook": RUNBOOK, "ランブック": RUNBOOK, "手順書": RUNBOOK, "運用手順書": RUNBOOK,
    "postmortem": POSTMORTEM, "postmortems": POSTMORTEM, "incident-report": POSTMORTEM, "incident-postmortem": POSTMORTEM,
    "ポストモーテム": POSTMORTEM, "障害報告": POSTMORTEM, "障害報告書": POSTMORTEM,
    "template": PLAIN, "index": PLAIN, "adr": PLAIN, "policy": PLAIN, "design": PLAIN, "guide": PLAIN, "reference": PLAIN, "concept": PLAIN,
    "process": PLAIN, "training": PLAIN, "glossary": PLAIN,
}  # fmt: skip
_KINDS = {
    "alert": "alert", "alert-runbook": "alert", "アラート": "alert", "procedure": "procedure", "sop": "procedure", "手順": "procedure",
    "手順書": "procedure", "運用手順書": "procedure", "checklist": "checklist", "チェックリスト": "checklist",
}  # fmt: skip
_OWNER_KEYS = (
    "owner", "owners", "owned_by", "owner_team", "owning_team", "team", "teams", "maintainer", "maintainers", "responsible", "担当",
    "担当者", "担当チーム", "オーナー", "管理者", "所有者", "責任者",
)  # fmt: skip
_OWNER_LABELS = frozenset((*_OWNER_KEYS, "runbook_owner", "service_owner", "team_owner", "contact", "point_of_contact", "on-call", "連絡先"))
_ALERT_KEYS = ("alerts", "alert", "alertname", "アラート")

_DIAGNOSIS = frozenset(("diagnosis", "診断", "切り分け", "investigation", "investigation steps"))
_MITIGATION = frozenset(("mitigation", "remediation", "resolution", "resolution steps", "緩和", "対処", "復旧", "復旧手順"))
_SUBJECT = frozenset(("meaning", "impact", "symptoms", "影響", "症状", "意味"))
_OPERATIONAL = frozenset(
    ("symptoms", "impact", "prerequisites", "diagnosis", "mitigation", "steps", "verification", "rollback", "escalation")
)
"""Sections that only a page about operations has."""
_MANY = 4
_ROOT_CAUSE = frozenset(("root cause", "root causes", "root cause analysis", "contributing factors", "根本原因", "根本原因分析", "原因"))
_ALERT_NAME = re.compile(r"(?:[A-Za-z][a-z0-9]*)?(?:[A-Z][A-Za-z0-9]+){2,}")
_TELLTALE = re.compile(r"diagnos|investigat|診断|切り分け|root cause|contributing|原因", re.I)
_FENCE = re.compile(r"[ \t>]*(?:[-*+][ \t]+|\d+[.)][ \t]+)?(`{3,}|~{3,})")
_NUMBERED = re.compile(r"\d+[.)]\s")
_CHECKLIST = re.compile(r"(?:check-?list|チェックリスト)\W*$", re.I | re.M)
_LINK = re.compile(r"\]\(|\[\[|https?://")
_POINTER = 400
"""Characters that a page without sections may have to be but a pointer to another."""
_TOP = 60
"""Lines at the top of a page among which an owner is looked for."""
_JAPANESE = re.compile(r"[぀-ヿ一-鿿々]+")
_KANA = re.compile(r"[぀-ヿ]")
_WORD = re.compile(r"[A-Za-z]{2,}")
_LABEL = re.compile(
    r"""[ \t>]*(?:[-*+][ \t]+|\|[ \t]*)?
    (?:(?:\*\*|__)(?P<bold>[^*_|:：]{2,40})[:：]?(?:\*\*|__)[ \t]*[:：|]? | (?P<bare>[^\W\d][^*_|:：`<>()]{1,30}?)[ \t]*[:：|])
    (?P<value>[^|]*)""",
    re.VERBOSE,
)
"""A line that says one thing: "Owner: x", "**Impact**: …", "| Impact | … |"."""
_DELIMITER_ROW = re.compile(r"[ \t>|:-]*-[ \t|:-]*")
_NOBODY = re.compile(r"\W*(?:tbd|todo|n/?a|none|nobody|unknown|unassigned|未定|なし|無し|不明|\?+|<[^>]*>|\{\{.*\}\}|\[.{0,40}\])?\W*", re.I)


def read(source: Source) -> Iterator[Node | Fault]:
    """The page, as what it is."""
    what_by_path = _by_path(source.path, source.settings)
    try:
        text = source.text
    except Unreadable:
        if what_by_path != PLAIN:
            raise
        text = source.data.decode("utf-8", "replace")  # good enough for a page that only links lead to
    markdown = scan(text, source.path)
    front = _front_matter(markdown)
    title = _title(markdown, front.values)
    what = _what(source, markdown, front.values, title)
    if what == RUNBOOK and _only_points_elsewhere(markdown, text):
        what = PLAIN
    page = _page(source, text, markdown, front, title, what)
    yield page
    if front.fault is not None and type(page) is not Page:
        yield front.fault


FORMAT = Format(name="markdown", files=r"(?i)\.(?:md|markdown)$", yields=(Page, Runbook, Postmortem), read=read)


# --- Front matter -------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Front:
    values: Mapping[str, str]
    places: Mapping[str, Location]
    fault: Fault | None = None


_NONE = _Front({}, {})


def _front_matter(markdown: Markdown) -> _Front:
    front = markdown.front_matter
    if front is None:
        return _NONE
    try:
        tree = load_yaml(front.text, markdown.path)[0] if front.language == "yaml" else load_toml(front.text, markdown.path)
    except Unreadable as error:
        kind = "template-not-checked" if error.template else "unreadable-file"
        fault = Fault(kind=kind, at=error.at, message=f"front matter: {error.reason}", hint=error.hint)
        return replace(_by_line(front.text, markdown.path), fault=fault)
    if not isinstance(tree.data, dict):
        return _NONE
    return _Front({key: _text(tree, tree.data, key) for key in tree.data}, Places(tree, tree.data))


def _text(tree: Tree, holder: Any, key: Any) -> str:
    value = holder[key]
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, (dict, list)):
        keys = value if isinstance(value, dict) else range(len(value))
        return ", ".join(filter(None, (_text(tree, value, inner) for inner in keys)))
    return "" if value is None else tree.spelling(holder, key)


def _by_line(text: str, path: str) -> _Front:
    """The plain `key: value` lines of front matter that is not YAML."""
    values, places = dict[str, str](), dict[str, Location]()
    for number, line in enumerate(text.split("\n"), 1):
        if found := re.match(r"(\w[\w -]*):[ \t]+(\S.*)", line):
            values[found[1]] = found[2].strip().strip("\"'")
            places[found[1]] = Location(path, number, found.start(2) + 1, len(found[2]))
    return _Front(values, places)


def _first(values: Mapping[str, str], keys: tuple[str, ...]) -> str:
    """The first value that is not empty, whatever the case of its key."""
    folded = {key.casefold(): value for key, value in values.items()}
    return next((folded[key] for key in keys if folded.get(key)), "")


# --- What a page is -----------------------------------------------------------------------------------------------------------------


def _what(source: Source, markdown: Markdown, front: Mapping[str, str], title: str) -> str:
    if _is_template(source.path, title):
        return PLAIN
    said = _TYPES.get(_first(front, _TYPE_KEYS).casefold().replace(" ", "-").replace("_", "-"))
    if said is not None:
        return said
    if _is_index(_stem(source.path)) or _ABOUT.search(title):
        return PLAIN
    told = {name for section in markdown.sections for name in runbook_sections(section.heading.text)} & _OPERATIONAL
    by_path = _by_path(source.path, source.settings)
    if by_path == RUNBOOK and not (told or source.settings.folders.runbooks) and len(markdown.sections) > _MANY:
        return PLAIN  # a long page in the folder that speaks of other things altogether
    if by_path != PLAIN:
        return by_path
    folders = _folders(source.path)
    if not _INCIDENT_FOLDERS.isdisjoint(folders) and not source.settings.folders.postmortems:
        required = {name for section in markdown.sections for name in postmortem_sections(section.heading.text)}
        if _DATED.search(basename(source.path)) or len(required.intersection(POSTMORTEM_REQUIRED)) > 1:
            return POSTMORTEM
    if not _PLAYBOOK_FOLDERS.isdisjoint(folders) and not source.settings.folders.runbooks:
        if len(told) > 1:
            return RUNBOOK
    return _by_shape(markdown)


def _only_points_elsewhere(markdown: Markdown, text: str) -> bool:
    """Whether a page is but a line that says where to look instead."""
    body = text[len(markdown.front_matter.text) + 4 :] if markdown.front_matter else text
    return len(markdown.sections) < 2 and not markdown.fences and len(body) < _POINTER and _LINK.search(body) is not None


def _by_shape(markdown: Markdown) -> str:
    """What a page without any other sign can only be: its headings say all that such a page has to say, in so many words."""
    if not any(_TELLTALE.search(section.heading.text) for section in markdown.sections):
        return PLAIN
    headings = {plain(section.heading.text) for section in markdown.sections}
    names = {name for heading in headings for name in postmortem_sections(heading)}
    if {"timeline", "action_items"} <= names:
        return PLAIN if _ROOT_CAUSE.isdisjoint(headings) else POSTMORTEM
    alert = not (_DIAGNOSIS.isdisjoint(headings) or _MITIGATION.isdisjoint(headings) or _SUBJECT.isdisjoint(headings))
    return RUNBOOK if alert and "timeline" not in names else PLAIN


def _is_template(path: str, title: str) -> bool:
    return bool(
        _TEMPLATE_STEM.match(_stem(path)) or _TEMPLATE_TITLE.match(title) or _OTHER_FOLDERS.intersection(dirname(path).casefold().split("/"))
    )


def _stem(path: str) -> str:
    return splitext(basename(path))[0]


def _folders(path: str) -> list[str]:
    return dirname(path).casefold().replace("_", "-").split("/")


def _by_path(path: str, settings: Settings) -> str:
    """What the folders and the file's name say."""
    stem = _stem(path)
    if _is_index(stem) or _TEMPLATE_STEM.match(stem):
        return PLAIN
    folders = _folders(path)
    for what, configured, usual in (
        (POSTMORTEM, settings.folders.postmortems, _POSTMORTEM_FOLDERS),
        (RUNBOOK, settings.folders.runbooks, _RUNBOOK_FOLDERS),
    ):
        if configured:
            if any(path.startswith(f"{folder.strip('/')}/") for folder in configured):
                return what
        elif not usual.isdisjoint(folders):
            return what
    if _POSTMORTEM_NAME.match(stem):
        return POSTMORTEM
    return RUNBOOK if _RUNBOOK_NAME.match(stem) else PLAIN


def _is_index(stem: str) -> bool:
    return stem.casefold().replace("-", "_") in _OTHER_STEMS


# --- What it says -------------------------------------------------------------------------------------------------------------------


def _title(markdown: Markdown, front: Mapping[str, str]) -> str:
    """The title as the page itself shows it, else that of its front matter, else the file's name."""
    head = _title_heading(markdown.sections)
    return head.text if head else _first(front, ("title", "タイトル")) or _stem(markdown.path)


def _title_heading(sections: tuple[Section, ...]) -> Heading | None:
    """The first heading, where it is above all others."""
    if not sections or any(section.heading.level <= sections[0].heading.level for section in sections[1:]):
        return None
    return sections[0].heading


def _page(source: Source, text: str, markdown: Markdown, front: _Front, title: str, what: str) -> Page:
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
    if what == PLAIN:
        return Page(sections=markdown.sections, **common)
    common["language"] = _language(text, markdown)
    labels = tuple(_labels(text))
    if what == POSTMORTEM:
        return Postmortem(sections=_named(markdown, labels, postmortem_sections, "summary"), **common)
    sections = _named(markdown, labels, runbook_sections, "purpose")
    alerts = tuple(name for name in re.split(r"[,\s]+", _first(front.values, _ALERT_KEYS)) if name)
    kind = _kind(markdown, sections, front.values, title, alerts)
    sections = tuple(_with_steps(sections, markdown, kind))
    owner = _owner(text, front.values, labels, sections)
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
    """The sections; those that are steps without saying so get the name: the boxes of a checklist, numbered headings of a procedure."""
    numbered = sum(bool(_NUMBERED.match(section.heading.text)) for section in sections)
    for section, tasks in zip(sections, markdown.tasks, strict=True):
        is_step = tasks if kind == "checklist" else kind == "procedure" and numbered > 1 and _NUMBERED.match(section.heading.text)
        yield replace(section, names=(*section.names, "steps")) if is_step and "steps" not in section.names else section


def _kind(
    markdown: Markdown, sections: tuple[Section, ...], front: Mapping[str, str], title: str, alerts: tuple[str, ...]
) -> str:
    """"alert", "procedure" or "checklist": as the front matter says, else what its sections look like."""
    for key in ("kind", "runbook_type", *_TYPE_KEYS):
        if said := _KINDS.get(_first(front, (key,)).casefold()):
            return said
    if alerts or _ALERT_NAME.fullmatch(title) or _ALERT_NAME.fullmatch(_stem(markdown.path)):
        return "alert"
    tasks = sum(markdown.tasks)
    if (tasks > 2 and tasks * 2 > markdown.items) or _CHECKLIST.search(f"{title}\n{_stem(markdown.path)}"):
        return "checklist"
    names = {name for section in sections for name in section.names}
    of_alerts = names & {"symptoms", "impact", "diagnosis"}
    of_procedures = names & {"prerequisites", "steps", "rollback"}
    return "alert" if len(of_alerts) > len(of_procedures) else "procedure"


@dataclass(frozen=True, slots=True)
class _Label:
    name: str
    value: str
    line: int


def _labels(text: str) -> Iterator[_Label]:
    """Lines that say one thing: "**Impact**: …" anywhere, "Owner: x" and "| Impact | … |" at the top; not in fenced code."""
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


def _owner(text: str, front: Mapping[str, str], labels: tuple[_Label, ...], sections: tuple[Section, ...]) -> str | None:
    said = _first(front, _OWNER_KEYS)
    if not _NOBODY.fullmatch(said):
        return said
    for label in labels:
        if label.line <= _TOP and label.name.casefold().replace(" ", "_") in _OWNER_LABELS:
            return label.value
    for section in sections[1:]:
        if "escalation" in section.names and not section.empty:
            below = text.split("\n")[section.heading.at.line :]
            said = next((line.strip(" \t-*+>|") for line in below if line.strip()), "")
            if not _NOBODY.fullmatch(said):
                return said[:100]
    return None


def _language(text: str, markdown: Markdown) -> str:
    """"ja" where there is more Japanese than there are words in Latin letters, code left aside."""
    if text.isascii() or not _KANA.search(text):
        return "en"
    code = " ".join(fence.text for fence in markdown.fences)
    japanese = sum(map(len, _JAPANESE.findall(text))) - sum(map(len, _JAPANESE.findall(code)))
    return "ja" if japanese > len(_WORD.findall(text)) - len(_WORD.findall(code)) else "en"
