"""Who owns what: CODEOWNERS as GitHub and GitLab read it, and Backstage's catalogue."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_reliability.documents import Source
from pytest_reliability.formats import backstage, codeowners
from pytest_reliability.model.nodes import Component, Fault
from pytest_reliability.testing import Repo


def ownership(text, path="CODEOWNERS"):
    """The rules of a CODEOWNERS file."""
    (found,) = codeowners.FORMAT.read(Source(path, text.encode()))
    return found


MATCHES = [
    ("*", ["a", "a.py", "x/y/z.md"], []),
    ("*.py", ["a.py", "x/y/a.py"], ["a.pyc", "py"]),
    ("/*.py", ["a.py"], ["x/a.py"]),
    ("/*", ["a"], ["x/a"]),
    ("docs/*", ["docs/a.md"], ["docs/x/a.md", "x/docs/a.md"]),
    ("/docs/", ["docs/a.md", "docs/x/a.md"], ["x/docs/a.md", "docs"]),
    ("docs/", ["docs/a.md", "x/docs/y/a.md"], ["docs", "mydocs/a"]),
    ("docs", ["docs", "docs/a.md", "x/docs/a.md"], ["docs.md", "mydocs"]),
    ("/docs", ["docs/a.md"], ["x/docs/a.md"]),
    ("docs/guide", ["docs/guide/a.md", "docs/guide"], ["x/docs/guide/a.md"]),
    ("**/logs", ["logs/a", "x/logs", "x/y/logs/a"], ["mylogs/a"]),
    ("docs/**", ["docs/a", "docs/x/y"], ["docs", "x/docs/a"]),
    ("a/**/b", ["a/b", "a/x/b", "a/x/y/b/c"], ["a/xb", "x/a/b"]),
    ("**/*.md", ["a.md", "x/y.md"], ["a.mdx"]),
    ("a**b", ["axb", "x/ab"], ["a/b"]),
    ("/a?c.d", ["abc.d"], ["a/c.d", "abcxd"]),
    ("app/[slug]/page.tsx", ["app/[slug]/page.tsx"], ["app/s/page.tsx"]),
    ("my\\ file.md", ["my file.md"], ["my"]),
    ("\\#notes", ["#notes"], ["notes"]),
    ("apps/*/src", ["apps/x/src/a"], ["apps/x/y/src/a"]),
    ("/", [], ["a"]),
]


@pytest.mark.parametrize(("pattern", "matching", "others"), MATCHES, ids=[pattern for pattern, _, _ in MATCHES])
def test_a_pattern_covers_what_github_says(pattern, matching, others):
    """Anchoring, stars, folders and escapes mean what GitHub documents."""
    rules = ownership(f"{pattern} @team\n")
    assert [path for path in (*matching, *others) if rules.owners_of(path)] == matching


def test_the_last_matching_line_decides():
    """A later line wins, and one without owners says that nobody owns."""
    rules = ownership("* @all\n/docs/ @writers me@example.com # why\n/docs/free/\n\n# /docs/ @nobody\n*.py\t@py @py\n")
    owned = {path: rules.owners_of(path) for path in ("a", "docs/a", "docs/free/a", "docs/free/a.py")}
    assert {"a": ("@all",), "docs/a": ("@writers", "me@example.com"), "docs/free/a": (), "docs/free/a.py": ("@py",)} == owned


def test_each_of_gitlabs_sections_decides_for_itself():
    """A section's default holds for its lines without owners; sections join, and those of one name are one."""
    rules = ownership(
        "* @all\n[Docs][2] @writers @editors\n*.md\n/docs/plan.md @chief\n"
        "^[Code]\n*.py @py\n[docs]\n/docs/none.md\n[Half\n[ @x]\n"
    )
    assert ("@all", "@writers", "@editors") == rules.owners_of("a.md")
    assert ("@all", "@chief") == rules.owners_of("docs/plan.md")
    assert ("@all", "@py") == rules.owners_of("a.py")
    assert ("@all",) == rules.owners_of("docs/none.md")


def test_rules_say_where_they_stand():
    """A rule's place is its pattern's, in characters from 1."""
    rules = ownership("# x\n\n  /docs/  @a\n").rules
    assert [("CODEOWNERS:3:3", "/docs/", ("@a",))] == [(str(rule.at), rule.pattern, rule.owners) for rule in rules]


@pytest.mark.parametrize(
    ("path", "taken"),
    [
        ("CODEOWNERS", True),
        (".github/CODEOWNERS", True),
        ("docs/CODEOWNERS", True),
        (".gitlab/CODEOWNERS", True),
        ("src/CODEOWNERS", False),
        ("CODEOWNERS.md", False),
        ("x/.github/CODEOWNERS", False),
    ],
)
def test_codeowners_is_read_where_the_forges_look(path, taken):
    """Only in the root, `.github`, `.gitlab` and `docs`."""
    assert taken is (re.search(codeowners.FORMAT.files, path) is not None)


def test_an_empty_file_has_no_rules():
    """Comments and blank lines are no rules, and a mere backslash is none either."""
    assert () == ownership("# nothing\n\n   \n\\\n").rules


@given(st.text(), st.text())
def test_any_codeowners_is_read(text, path):
    """No file and no path makes it fail."""
    assert isinstance(ownership(text).owners_of(path), tuple)


def test_many_paths_are_looked_up_quickly():
    """Ten thousand paths against a hundred rules take no second."""
    rules = ownership("".join(f"/services/service-{number}/**/x*.py @team-{number}\n" for number in range(100)))
    rules.owners_of("x")
    began = time.process_time()
    owners = {rules.owners_of(f"services/service-{number % 100}/a/b/x{number}.py") for number in range(2_000)}
    assert (100, True) == (len(owners), time.process_time() - began < 1)


# --- Backstage

ENTITY = "apiVersion: backstage.io/v1alpha1\nkind: {kind}\nmetadata:\n  name: {name}\nspec:\n  owner: {owner}\n"


def entities(text):
    """Components and faults of a catalogue."""
    found = list(backstage.FORMAT.read(Source("x/catalog-info.yaml", text.encode())))
    components = [(node.kind, node.name, node.owner) for node in found if isinstance(node, Component)]
    return components, [f"{node.kind} {node.at.line}" for node in found if isinstance(node, Fault)]


def test_everything_that_can_be_owned_is_a_component():
    """All documents of the file are read; what cannot be owned is passed over."""
    kinds = ("Component", "API", "System", "Domain", "Resource", "Location", "User")
    text = "---\n".join(ENTITY.format(kind=kind, name=kind.lower(), owner="team") for kind in kinds)
    assert ([(kind, kind.lower(), "team") for kind in kinds[:5]], []) == entities(text)


@pytest.mark.parametrize(
    ("written", "owner"),
    [
        ("search", "search"),
        ("group:search", "search"),
        ("group:default/search", "search"),
        ("user:default/jo", "jo"),
        ("''", None),
        ("unknown", None),
        ("guests", None),
        ("[a]", None),
    ],
)
def test_an_owner_is_named_without_its_kind(written, owner):
    """Kind and namespace say nothing more; what the scaffolder leaves behind is nobody."""
    components, _ = entities(ENTITY.format(kind="Component", name="x", owner=written))
    assert [("Component", "x", owner)] == components


@pytest.mark.parametrize(
    ("text", "components", "faults"),
    [
        ("apiVersion: backstage.io/v1alpha1\nkind: Component\n", [], ["missing-field 1"]),
        ("apiVersion: backstage.io/v1alpha1\nkind: Component\nmetadata: {}\n", [], ["missing-field 3"]),
        ("apiVersion: backstage.io/v1alpha1\nkind: Component\nmetadata: x\nspec: [y]\n", [], ["wrong-value 3", "wrong-value 4"]),
        (
            "apiVersion: backstage.io/v1alpha1\nkind: Component\nmetadata:\n  name: 010\n  x-own: 1\nspec:\n  owner: [a]\n",
            [("Component", "010", None)],
            ["wrong-value 7"],
        ),
        (
            "apiVersion: backstage.io/v1alpha1\nkind: API\nmetadata: {name: a}\nmetadata: {name: b}\n",
            [("API", "b", None)],
            ["duplicate-key 4"],
        ),
        ("apiVersion: v1\nkind: Component\n", [], []),
        ("- a\n", [], []),
        ("apiVersion: backstage.io/v1alpha1\nkind: [a]\n", [], []),
    ],
)
def test_what_is_wrong_with_a_catalogue_is_said(text, components, faults):
    """Missing and malformed names and owners are faults; other keys are Backstage's own business."""
    assert (components, faults) == entities(text)


def test_a_catalogue_names_its_service():
    """What is read is what the rest of the tool works with."""
    repo = Repo({"catalog-info.yaml": ENTITY.format(kind="Component", name="search", owner="team")})
    assert ["team"] == [component.owner for component in repo.graph.of(Component)]
    assert [] == repo.findings("OWN001")
