"""Pages: which are runbooks and postmortems, which are only pages, and what they say."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_reliability.documents import Source, Unreadable
from pytest_reliability.formats.pages import FORMAT
from pytest_reliability.model.nodes import Fault, Page, Postmortem, Runbook
from pytest_reliability.model.settings import Folders, Settings

CONFIGURED = Settings(folders=Folders(runbooks=("ops/howto/",), postmortems=("ops/learned",)))
ALERT = "# X\n## Meaning\na\n## Diagnosis\nb\n## Mitigation\nc\n"
REPORT = "# X\n## Timeline\na\n## Root cause\nb\n## Action items\nc\n"


def read(path, text="# X\n\ntext\n", settings=None):
    """Everything that is read from a page."""
    return list(FORMAT.read(Source(path, text.encode() if isinstance(text, str) else text, settings or Settings())))


def page(path, text="# X\n\ntext\n", settings=None):
    """The page itself."""
    return read(path, text, settings)[0]


def runbook(text, path="docs/runbooks/x.md"):
    """A page that lies with the runbooks."""
    found = page(path, text)
    assert type(found) is Runbook
    return found


RUNBOOKS = [
    ("docs/runbooks/search-down.md", "# X\n"),
    ("search/Runbook/deep/er/x.markdown", "# X\n"),
    ("docs/run_books/x.MD", "# X\n"),
    ("docs/運用手順書/x.md", "# X\n"),
    ("docs/runbook-failover.md", "# X\n"),
    ("RUNBOOK.md", "# X\n"),
    ("docs/failover.runbook.md", "# X\n"),
    ("docs/検索ランブック.md", "# X\n"),
    ("docs/x.md", "---\ntype: Runbook\n---\n# X\n"),
    ("docs/README.md", "---\ntype: runbook\n---\n# X\n"),
    ("docs/x.md", "+++\ntype = 'playbook'\n+++\n# X\n"),
    ("alerts/SearchDown.md", ALERT),
    ("docs/x.md", "# X\n## 症状\na\n## 切り分け\nb\n## 復旧手順\nc\n"),
    ("playbooks/x.md", "# X\n## Steps\na\n## Rollback\nb\n"),
    ("docs/切り替え手順書.md", "# X\n## 事前準備\na\n## 作業手順\nb\n"),
]
POSTMORTEMS = [
    ("docs/postmortems/search-down.md", "# X\n"),
    ("docs/Post-Mortems/2026/x.md", "# X\n"),
    ("docs/ポストモーテム/x.md", "# X\n"),
    ("docs/障害報告/x.md", "# X\n"),
    ("docs/postmortem-2026-10-03.md", "# X\n"),
    ("docs/2026-10-03-postmortem.md", "# X\n"),
    ("docs/PM-2026-012-search.md", "# X\n"),
    ("docs/障害報告書_20261003.md", "# X\n"),
    ("docs/postmortem-search.md", "# X\n## Impact\na\n## Root cause\nb\n"),
    ("docs/incidents/2026-10-03-search.md", "# X\n"),
    ("docs/incidents/search.md", "# X\n## Impact\na\n## Timeline\nb\n"),
    ("docs/x.md", "---\ntype: post-mortem\n---\n# X\n"),
    ("2026-10-03-search-is-down.md", REPORT),
    ("docs/x.md", "# X\n## 時系列\na\n## 根本原因\nb\n## 再発防止策\nc\n"),
]
PAGES = [
    ("docs/runbooks/README.md", "# X\n"),
    ("docs/runbooks/_index.md", ALERT),
    ("docs/runbooks/目次.md", "# X\n"),
    ("docs/runbooks/template.md", ALERT),
    ("docs/runbooks/_TEMPLATE-alert.md", ALERT),
    ("docs/runbooks/runbook-template-en.md", ALERT),
    ("docs/runbooks/x.md", "# Runbook template\n"),
    ("docs/runbooks/x.md", "# Alert name [template]\n"),
    ("docs/runbooks/x.md", "---\ntype: template\n---\n" + ALERT),
    ("docs/templates/postmortem-2026-01.md", "---\ntype: postmortem\n---\n# X\n"),
    ("vendor/x/runbooks/x.md", "# X\n"),
    ("docs/runbooks/helpers/logs.md", "# X\n"),
    ("docs/runbooks/how.md", "# How to write a good runbook\n"),
    ("docs/runbooks/x.md", "# ランブックの書き方\n"),
    ("docs/runbooks/x.md", "# Runbook style guide\n"),
    ("docs/runbooks/x.md", "# Adding new runbook\n"),
    ("docs/runbooks/x.md", "# X\n\nSee [the other one](other.md).\n"),
    ("docs/runbooks/x.md", "---\ntitle: X\n---\n# X\n\nMoved to https://wiki.example.com/x\n"),
    ("docs/runbooks/design.md", "# Design\n## Goals\n## Data\n## Interface\n## Cost\n"),
    ("docs/runbooks/x.md", "---\ntype: policy\n---\n# X\n"),
    ("docs/incidents/severity-levels.md", "# Severity levels\n## P1\n## P2\n"),
    ("docs/incidents/process.md", "# Incident response process\n## Timeline\n## Impact\n"),
    ("docs/postmortem-culture.md", "# Culture\n"),
    ("docs/postmortems/x.md", "# What is a postmortem?\n"),
    ("playbooks/README.md", "# Ansible\n"),
    ("playbooks/site.md", "# Site\n## Variables\n## Tags\n"),
    ("docs/ansible-playbook.md", "# Site\n"),
    ("docs/操作手順書.md", "# X\n"),
    ("docs/api.md", "# API\n## Overview\n## Response\n## Troubleshooting\n## Limits\n"),
    ("docs/x.md", "# Roadmap\n## Timeline\n## Next steps\n## Root causes of delay\n"),
    ("docs/x.md", "# X\n## Investigation\n## Resolution\n## Impact\n## Timeline\n"),
    ("docs/example.md", ALERT),
    ("checks/service_without_runbook.md", "# X\n"),
    ("CHANGELOG.md", "# X\n"),
    ("docs/x.md", "# X\n"),
]


@pytest.mark.parametrize(
    ("kind", "path", "text"),
    [(Runbook, *one) for one in RUNBOOKS] + [(Postmortem, *one) for one in POSTMORTEMS] + [(Page, *one) for one in PAGES],
)
def test_a_page_is_what_the_evidence_says(kind, path, text):
    """Front matter, folders, names and unmistakable shapes tell what a page is; where they do not, it is only a page."""
    assert [kind] == [type(node) for node in read(path, text)]


@pytest.mark.parametrize(
    ("kind", "path"),
    [
        (Runbook, "ops/howto/search/x.md"),
        (Postmortem, "ops/learned/x.md"),
        (Page, "docs/runbooks/x.md"),
        (Page, "docs/postmortems/x.md"),
        (Page, "docs/incidents/2026-10-03.md"),
        (Page, "playbooks/x.md"),
        (Page, "ops/howtos/x.md"),
        (Page, "ops/howto/index.md"),
    ],
)
def test_configured_folders_take_the_place_of_the_usual_ones(kind, path):
    """Who says where the runbooks are means there, and nowhere else."""
    text = "# X\n## Steps\n## Rollback\n## A\n## B\n## C\n" if path.startswith("playbooks") else "# X\n## A\n## B\n## C\n## D\n"
    assert kind is type(page(path, text, CONFIGURED))


KINDS = [
    ("alert", ALERT),
    ("alert", "# SearchDown\n\ntext\n"),
    ("alert", "---\nalerts: [SearchDown]\n---\n# X\n## Steps\n"),
    ("alert", "# X\n## Symptoms\na\n## Investigation\nb\n## 1. Look\n## 2. Think\n"),
    ("procedure", "# Fail over\n## Prerequisites\n## Steps\n## Rollback\n"),
    ("procedure", "# Fail over\n\ntext\n"),
    ("procedure", "---\ntype: procedure\n---\n" + ALERT),
    ("procedure", "---\ntype: runbook\nkind: SOP\n---\n" + ALERT),
    ("checklist", "# Release\n- [ ] a\n- [x] b\n- [ ] c\n- d\n"),
    ("checklist", "# Release checklist\n- a\n"),
    ("checklist", "---\nrunbook_type: checklist\n---\n" + ALERT),
]


@pytest.mark.parametrize(("kind", "text"), KINDS)
def test_the_kind_of_a_runbook(kind, text):
    """The front matter decides, then the alert that it is for, then what the page looks like."""
    assert kind == runbook(text).kind


def test_the_name_of_the_file_may_be_that_of_an_alert():
    """A page called like an alert is for that alert, whatever its title."""
    assert "alert" == runbook("# Search is down\n", "docs/runbooks/SearchDown.md").kind


OWNERS = [
    ("search", "---\nowner: search\n---\n# X\n"),
    ("a, b", "---\nOwners: [a, b]\n---\n# X\n"),
    ("search, #search", "---\nteam: {name: search, chat: '#search'}\n---\n# X\n"),
    ("検索チーム", "---\n担当: 検索チーム\n---\n# X\n"),
    ("search", "# X\n\nOwner: search\n"),
    ("search", "# X\n\n- **Owner**: search\n"),
    ("検索チーム", "# X\n\n担当：検索チーム\n"),
    ("search", "# X\n\n| Item | Value |\n|---|---|\n| Runbook owner | search |\n"),
    ("search", "# X\n\n**Owner**\n\nsearch\n"),
    ("Call the search team", "# X\n## Escalation\n\n- Call the search team\n"),
    (None, "# X\n"),
    (None, "---\nowner: TBD\n---\n# X\n\nOwner: <team>\n\n## Escalation\n\n未定\n"),
    (None, "# X\n## Escalation\n## Owner\n\n<!-- who? -->\n"),
    (None, "# X\n\n| Owner | Due |\n|---|---|\n"),
    (None, "# X\n\n```yaml\nowner: search\n```\n"),
    (None, "# X\n" + "text\n" * 80 + "Owner: search\n"),
]


@pytest.mark.parametrize(("owner", "text"), OWNERS)
def test_the_owner_of_a_runbook(owner, text):
    """Front matter, a label at the top, or a section about whom to call name an owner; a blank to be filled in does not."""
    assert owner == runbook(text).owner


def test_a_runbook_names_its_alerts():
    """Alerts are listed in the front matter, as a list or in a line."""
    assert ("A", "B") == runbook("---\nalerts: [A, B]\n---\n# X\n").alerts == runbook("---\nalerts: A, B\n---\n# X\n").alerts


NAMES = [
    ("purpose", "# X\n\nWhat this is for.\n\n## A\n"),
    ("", "# X\n\n## A\n\ntext\n"),
    ("impact", "# X\n## Impact\n"),
    ("impact", "## Impact\n\ntext\n\n## A\n"),
    ("impact purpose", "# X\n\n**Impact**: much\n\n## A\n"),
    ("impact", "# X\n## A\n\n**Impact**\n\nmuch\n"),
    ("impact purpose", "# X\n\n| Item | Value |\n|---|---|\n| Impact | much |\n"),
    ("purpose", "# X\n\n| Impact | |\n|---|---|\n| a | b |\n"),
    ("", "# X\n## A\n```\n**Impact**: much\n~~~\n**Impact**: much\n```\n"),
    ("purpose steps", "# Release checklist\n\ntext\n\n## Before\n- [ ] a\n"),
    ("steps", "# Fail over\n## 1. Drain\n## 2. Switch\n"),
    ("", "# Fail over\n## 1. Drain\n## Switch\n"),
    ("", "text\n"),
]


@pytest.mark.parametrize(("names", "text"), NAMES)
def test_what_a_runbook_says(names, text):
    """Sections, labels, the introduction, a checklist's boxes and a procedure's numbered headings say what a page is about."""
    assert set(names.split()) == runbook(text).section_names


def test_what_a_postmortem_says():
    """The text below the title is the summary, and a row of the table at the top may tell the impact."""
    found = page("docs/postmortems/x.md", "# X\n\nIt broke.\n\n| 影響 | 利用者全員 |\n\n## 経緯\n\na\n")
    assert {"summary", "impact", "timeline"} == found.section_names


@pytest.mark.parametrize(
    ("title", "text"),
    [
        ("Search `down`".replace("`", ""), "# Search `down`\n## A\n"),
        ("Of the front matter", "---\ntitle: Of the front matter\n---\n## A\n## B\n"),
        ("x", "## A\n## B\n"),
        ("A", "## A\n### B\n"),
    ],
)
def test_the_title_of_a_page(title, text):
    """The heading above all others, else the front matter's, else the file's name."""
    assert title == page("docs/x.md", text).title


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "# Search\n\nNothing answers.\n"),
        ("ja", "# 検索\n\n応答しない。`kubectl get pods` を実行する。\n"),
        ("ja", "# 検索が止まった\n\n再起動する。\n\n```sh\n" + "kubectl get pods --all\n" * 20 + "```\n"),
        ("en", "# Search\n\nThe button is called 検索 there, and it does nothing at all when nobody answers.\n"),
        ("en", "# 搜索\n\n没有响应\n"),
    ],
)
def test_the_language_of_a_page(language, text):
    """A page is Japanese where it is mostly that, code aside."""
    assert language == runbook(text).language


def test_front_matter_is_kept_as_texts_with_places():
    """Every key keeps its value as written, joined where there are several, and its place."""
    found = page("x.md", "---\nweight: 010\nempty:\ntags: [a, b]\nnested:\n  x: 1.50\n  y: [true, ~]\n---\n# X\n")
    assert {"weight": "010", "empty": "", "tags": "a, b", "nested": "1.50, true"} == found.front_matter
    assert ("x.md", 2, 9) == (found.front_matter_at["weight"].path, *_place(found.front_matter_at["weight"]))


def _place(at):
    return at.line, at.column


def test_front_matter_in_toml_is_read_too():
    """Hugo's other way to write it."""
    found = page("x.md", "+++\ntitle = 'Of the front matter'\n[extra]\na = 1\n+++\n## A\n## B\n")
    assert ("Of the front matter", (2, 9)) == (found.title, _place(found.front_matter_at["title"]))


@pytest.mark.parametrize("text", ["---\n- a: b\n---\n# X\n", "---\n# nothing: x\n---\n# X\n", "---\n---\n# X\n"])
def test_front_matter_that_is_no_mapping_says_nothing(text):
    """A list, or nothing but a comment, is passed over."""
    assert ({}, Page) == (dict(page("docs/x.md", text).front_matter), type(page("docs/x.md", text)))


def test_broken_front_matter_of_a_runbook_is_a_fault():
    """What can still be read of it is; the rest is reported where it is wrong."""
    found, fault = read("docs/x.md", '---\ntype: runbook\nowner: "search"\n bad: [\n---\n# X\n')
    assert (Runbook, "search") == (type(found), found.owner)
    assert (3, 8) == _place(found.front_matter_at["owner"])
    assert isinstance(fault, Fault)
    assert ("unreadable-file", True) == (fault.kind, fault.message.startswith("front matter: "))
    assert fault.at.line in (3, 4, 5)


def test_front_matter_in_a_template_is_no_error():
    """A page that a template engine fills in is not called broken."""
    _, fault = read("docs/runbooks/x.md", "---\ntitle: {{ name }}\ntags: [{% for x in y %}]\n---\n# X\n")
    assert "template-not-checked" == fault.kind


def test_broken_front_matter_of_other_pages_is_left_alone():
    """Pages that are nothing but pages belong to somebody else."""
    assert [Page] == [type(node) for node in read("docs/x.md", "---\na: [\n---\n# X\n")]


def test_a_runbook_that_is_not_utf8_cannot_be_read():
    """What a runbook says has to be known; of other pages only links and anchors matter, which survive."""
    with pytest.raises(Unreadable, match="not UTF-8"):
        read("docs/runbooks/x.md", "# Straße\n".encode("latin-1"))
    for path in ("docs/x.md", "docs/runbooks/README.md"):
        assert "x" in page(path, "# X\n# Über\n".encode("latin-1")).anchors


def test_windows_line_ends_change_nothing():
    """A page reads the same with carriage returns."""
    text = "---\nowner: search\n---\n# X\n\n**Impact**: much\n\n| Owner | x |\n|---|---|\n\n## Diagnosis\n\na\n"
    assert runbook(text) == runbook(text.replace("\n", "\r\n"))


@given(st.text(), st.sampled_from(["docs/runbooks/x.md", "docs/postmortems/x.md", "docs/x.md"]))
def test_any_page_is_read(text, path):
    """Whatever a page holds, it is read without a crash."""
    assert isinstance(page(path, text.encode("utf-8", "replace")), Page)


def test_the_corpus_is_told_apart(corpus):
    """Alert runbooks are runbooks, postmortems postmortems, and handbooks and templates neither."""

    def kinds(folder):
        root = corpus / "documents" / folder
        paths = sorted(path for path in root.rglob("*.md"))
        return [type(page(str(path.relative_to(root)), path.read_bytes())) for path in paths]

    assert 240 < kinds("openshift__runbooks").count(Runbook)
    assert 100 < kinds("prometheus-operator__runbooks").count(Runbook)
    assert 55 == kinds("Kaikei-e__Alt").count(Postmortem)
    for handbook in ("PagerDuty__postmortem-docs", "PagerDuty__postmortem-docs-ja", "PagerDuty__incident-response-docs-ja"):
        assert {Page} == set(kinds(handbook))
    assert {Page} == set(kinds("dastergon__postmortem-templates"))
