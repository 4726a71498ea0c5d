"""Where links on pages lead: to files, folders, sections; or nowhere; or where nobody can tell."""

from __future__ import annotations

import pytest

from pytest_reliability.model.links.targets import dead_target
from pytest_reliability.testing import Repo

HERE = "docs/runbooks/search.md"
FILES = {
    HERE: "# Search\n## What to do?\n",
    "docs/runbooks/other page.md": "# Other\n",
    "docs/runbooks/deep/README.md": "# Deep\n## In the index\n",
    "docs/runbooks/search/inner.png": "",
    "docs/図.png": "",
    "docs/ja.md": "# 検索\n",
    "static/img/logo.svg": "",
    "src/search.py": "",
    "content/guide/_index.md": "# Guide\n",
    "linked": "",
}
ALIVE = [
    "other%20page.md",
    "./other page.md",
    "../図.png",
    "../%E5%9B%B3.png",
    "deep",
    "deep/",
    "deep/#in-the-index",
    "deep#In_The_Index",
    "inner.png",
    "/docs/ja.md",
    "/img/logo.svg",
    "/guide",
    "/guide.html",
    "../ja",
    "../ja.html",
    "../../src/search.py#L3-L4",
    "../../src/search.py#main",
    "../../src",
    "../..",
    "/",
    "#what-to-do",
    "#What to do?",
    "#user-content-what-to-do",
    "#",
    "#top",
    "#L12",
    "search.md?plain=1#what-to-do",
]
UNCLEAR = [
    "",
    "https://example.com/x.md",
    "//example.com/x.md",
    "mailto:x@example.com",
    "www.example.com/x.md",
    "example.com/x.md",
    "{{ base }}/x.md",
    "<placeholder>.md",
    "$DOCS/x.md",
    ".../x.md",
    "../../../other-repo/x.md",
    "../../../../issues",
    "rate",
    "x[5m]",
    "/pricing",
    "/pricing/plan.md",
    "../../linked/x.md",
    "#12",
]
DEAD = [
    ("gone.md", "docs/runbooks/gone.md", None, None),
    ("ja.md", "docs/runbooks/ja.md", None, "../ja.md"),
    ("../runbook/search.md", "docs/runbook/search.md", None, "search.md"),
    ("serach.md", "docs/runbooks/serach.md", None, "search.md"),
    ("search.html2", "docs/runbooks/search.html2", None, "search.md"),
    ("gone/page", "docs/runbooks/gone/page", None, None),
    ("gone.html", "docs/runbooks/gone.html", None, None),
    ("/docs/gone.md", "docs/gone.md", None, None),
    ("Deep/README.md", "docs/runbooks/Deep/README.md", None, "deep/README.md"),
    ("#what-to-done", HERE, "what-to-done", "what-to-do"),
    ("#nothing", HERE, "nothing", None),
    ("deep/#nothing", "docs/runbooks/deep/README.md", "nothing", None),
    ("../ja.md#搜索", "docs/ja.md", "搜索", None),
]


def judge(target, files=FILES):
    """What is said of a link on the page."""
    graph = Repo(files).graph
    return dead_target(graph, graph.pages[HERE], target)


@pytest.mark.parametrize("target", [*ALIVE, *UNCLEAR])
def test_nothing_is_said_of_links_that_lead_somewhere_or_may(target):
    """Files, folders, indexes, sections and lines are found however they are written; what cannot be known is left alone."""
    assert judge(target) is None


@pytest.mark.parametrize(("target", "path", "anchor", "near"), DEAD, ids=[target for target, *_ in DEAD])
def test_a_link_that_leads_nowhere_is_dead(target, path, anchor, near):
    """It says where the file or section was expected, and what may have been meant."""
    dead = judge(target)
    assert dead is not None
    assert (path, anchor, near) == (dead.path, dead.anchor, dead.near)


@pytest.mark.parametrize("generator", ["mkdocs.yml", "website/docusaurus.config.js", "docs/.vitepress/theme.css", "docs/conf.py"])
@pytest.mark.parametrize(
    ("target", "dead"), [("gone.md", True), ("gone/page", False), ("gone.html", False), ("/src/x.md", False)]
)
def test_a_sites_generator_may_make_pages_but_not_files(generator, target, dead):
    """Where a site is built, an address without an ending need not be a path; a Markdown file still has to exist."""
    assert dead is (judge(target, {**FILES, generator: ""}) is not None)


def test_a_site_has_its_own_way_with_anchors():
    """A generator's anchors of headings beyond ASCII are not known; those of plain ones are."""
    files = {**FILES, "mkdocs.yml": ""}
    assert [None, True] == [judge("../ja.md#kensaku", files), judge("#nothing", files) is not None]


def test_a_sites_folder_is_a_root():
    """A link from the root of a site leads into the folder that it is built from."""
    files = {**FILES, "mkdocs.yml": "site_url: https://example.com/\ndocs_dir: handbook\n", "handbook/x.md": ""}
    assert judge("/x.md", files) is None
