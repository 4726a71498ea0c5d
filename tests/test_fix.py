"""`reliability fix`: what takes no thought is mended, everything else stays as it was."""

from __future__ import annotations

import json
import subprocess
from decimal import Decimal

import pytest

from conftest import write_files
from pytest_reliability import cli, edits, fix_command, plugins
from pytest_reliability.contracts import Problem, UsageError, check
from pytest_reliability.engine import Scope
from pytest_reliability.model.location import Location
from pytest_reliability.model.nodes import Replace, Rewrite, Service, SetKey
from pytest_reliability.report import Responsibility

SPEC = """\
# agreed in May
version: prometheus/v1
service: shop
slos:
  - name: availability   # of the shop
    objektive: "99.9"
  - name: 'latency'
    objective: 0.995     # reviewed
    sli:
      raw: {error_ratio_query: 'a[{{.window}}]'}
    alerting:
      name: Slow
      pageAlert: {disable: true}
"""
FIXED = SPEC.replace("pageAlert", "page_alert").replace("0.995 ", "99.5 ")
FILES = {"README.md": "# shop\n", "slo/shop.yaml": SPEC}


@pytest.fixture
def shop(repository, monkeypatch):
    """A repository with something to mend, with us standing in it."""
    root = repository(FILES)
    monkeypatch.chdir(root)
    return root


@pytest.fixture
def run(capsys):
    """Run the command and give what it printed, what it complained, and its exit code."""

    def run(*arguments):
        code = cli.main(("fix", *arguments))
        return (*capsys.readouterr(), code)

    return run


LOAD = plugins.load


def offering(*problems: Problem) -> plugins.Catalogue:
    """What is installed, and a check that finds these."""

    @check(Service, code="ZZZ001", responsibility=Responsibility.EFFICIENCY)
    def odd(service: Service):
        """Something is odd."""
        yield from problems

    class Plugin:
        @staticmethod
        @plugins.builtin.hookimpl
        def reliability_checks():
            return [odd]

    return LOAD(Plugin())


def test_what_takes_no_thought_is_mended(shop, run):
    """Comments, quotes and spaces stay; what was done is told by place, and what is left is counted."""
    out, err, code = run("--select", "SLO101,DOC003")
    assert ("", 0) == (err, code)
    assert FIXED == (shop / "slo/shop.yaml").read_text()
    assert "slo/shop.yaml:8:16: fixed: 0.995 → 99.5 [SLO101 objective-unit-confusion]\n" in out
    assert "slo/shop.yaml:13:7: fixed: pageAlert → page_alert [DOC003 unknown-key]\n" in out
    assert "2 findings fixed in 1 file; 1 needs a person: reliability check" in out  # its value would be wrong, too
    assert ("nothing to fix; 1 needs a person: reliability check\n", "", 0) == run("--select", "SLO101,DOC003")


def test_a_diff_writes_nothing_and_can_be_applied(shop, run):
    """Git takes it, and makes of it what fix would have written."""
    out, err, code = run("--select", "SLO101,DOC003", "--diff")
    assert 1 == code
    assert "2 findings would be fixed in 1 file" in err
    assert SPEC == (shop / "slo/shop.yaml").read_text()
    subprocess.run(["git", "apply", "-"], input=out, text=True, check=True, cwd=shop)
    assert FIXED == (shop / "slo/shop.yaml").read_text()
    assert ("", 0) == run("--select", "SLO101,DOC003", "--diff")[::2]


def test_a_selection_mends_only_that(shop, run):
    """And quietly where that is asked for."""
    assert ("", "", 0) == run("-q", "--select", "SLO101")
    assert SPEC.replace("0.995 ", "99.5 ") == (shop / "slo/shop.yaml").read_text()


def test_named_files_alone_are_touched(shop, run):
    """The others may be somebody else's."""
    write_files(shop, {"slo/other.yaml": SPEC})
    run("slo/other.yaml")
    assert (SPEC, True) == ((shop / "slo/shop.yaml").read_text(), (shop / "slo/other.yaml").read_text() != SPEC)


def test_a_folder_mends_its_service_only(repository, monkeypatch, run):
    """Paths are as seen from where one stands."""
    files = {**FILES, ".reliability.yaml": "{}"}
    root = repository(
        {f"{name}/{path}": text.replace("service: shop", f"service: {name}") for name in "ab" for path, text in files.items()}
    )
    monkeypatch.chdir(root / "b")
    out, _, _ = run("../a", "--select", "SLO101")
    assert "../a/slo/shop.yaml:8:16: fixed" in out
    told = [(root / name / "slo/shop.yaml").read_text() for name in "ab"]
    assert ["objective: 99.5", "objective: 0.995"] == [text[text.index("objective: ") :].split(" #")[0].strip() for text in told]
    monkeypatch.chdir(root)
    assert "--- a/b/slo/shop.yaml\n+++ b/b/slo/shop.yaml\n" in run("b", "--diff")[0]


def test_what_was_waived_is_left_alone(shop, run):
    """Somebody has accepted it, with a reason."""
    write_files(shop, {".reliability.yaml": "ignore: {SLO101: we mean it, DOC003: it is read by another tool}\n"})
    assert "nothing to fix" in run()[0]
    assert SPEC == (shop / "slo/shop.yaml").read_text()


def test_windows_line_ends_and_a_byte_order_mark_survive(shop, run):
    """The bytes around what changes are those that were there."""
    path = shop / "slo/shop.yaml"
    path.write_bytes(b"\xef\xbb\xbf" + SPEC.replace("\n", "\r\n").encode())
    run("--select", "SLO101,DOC003")
    assert b"\xef\xbb\xbf" + FIXED.replace("\n", "\r\n").encode() == path.read_bytes()


def test_mending_one_thing_can_show_another(repository, monkeypatch, run):
    """It goes on until nothing is left that takes no thought."""
    root = repository({**FILES, "slo/shop.yaml": SPEC.replace('"99.9"', "0.999")})
    monkeypatch.chdir(root)
    assert 0 == run("--select", "SLO101,DOC003")[2]
    assert FIXED.replace('objektive: "99.9"', "objective: 99.9") == (root / "slo/shop.yaml").read_text()


def test_it_ends_even_where_there_is_always_more_to_do(shop, run, monkeypatch):
    """A plugin's check may never be content."""
    monkeypatch.setattr(fix_command, "ROUNDS", 1)
    assert "2 findings fixed" in run("--select", "SLO101,DOC003")[0]


def test_an_edit_that_cannot_be_done_is_told(shop, run, monkeypatch):
    """With the reason, and exit code 1: something is left that should have been mended."""
    at = Location("slo/shop.yaml", 3, 10)
    found = (
        Problem(at, "a", edit=Replace(at, "nothing", "x")),
        Problem(at, "b", edit=SetKey(Location("README.md"), ("a",), 1)),
        Problem(at, "c", edit=Rewrite("../out.txt", "x")),
        Problem(at, "d", edit=Replace(at, "", "")),
        Problem(at, "e"),
    )
    catalogue = offering(*found)
    monkeypatch.setattr(plugins, "load", lambda *_: catalogue)
    out, _, code = run("--select", "ZZZ001")
    assert 1 == code
    for reason in (
        "'nothing' does not stand there any more",
        "only YAML and JSON have keys that can be set",
        "it lies outside the repository",
    ):
        assert f"not fixed: {reason} [ZZZ001 odd]" in out
    assert "nothing to fix; 4 could not be fixed; 1 needs a person: reliability check" in out
    assert not (shop.parent / "out.txt").exists()


def test_an_edit_that_changes_nothing_does_not_go_on_for_ever(shop, run, monkeypatch):
    """Nor does one that goes on finding something to do."""
    at = Location("slo/shop.yaml", 2, 1)
    same, more = Replace(at, "version", "version"), Replace(Location("slo/shop.yaml", 1, 3), "", "x")
    catalogue = offering(Problem(at, "a", edit=same))
    monkeypatch.setattr(plugins, "load", lambda *_: catalogue)
    assert "not fixed: its edit changes nothing" in run("--select", "ZZZ001")[0]
    catalogue = offering(Problem(at, "a", edit=Rewrite("new/a.txt", "a\nb")), Problem(at, "b", edit=more))
    out, _, _ = run("--select", "ZZZ001", "--diff")
    assert "--- /dev/null\n+++ b/new/a.txt\n@@ -0,0 +1,2 @@\n+a\n+b\n\\ No newline at end of file\n" in out
    run("--select", "ZZZ001")
    assert "a\nb" == (shop / "new/a.txt").read_text()


def test_a_file_that_has_changed_meanwhile_is_not_overwritten(shop):
    """Somebody else has saved it between reading and writing."""
    fixes = fix_command.prepared(shop, scope=Scope(selected=("SLO101",)))
    for text in (b"# new\n", b"\xff"):
        (shop / "slo/shop.yaml").write_bytes(text)
        with pytest.raises(UsageError, match=r"slo/shop\.yaml: has been changed meanwhile"):
            fix_command.written(fixes)
        assert text == (shop / "slo/shop.yaml").read_bytes()


def test_what_is_no_text_is_refused(shop, monkeypatch):
    """An edit of a picture is a mistake."""
    (shop / "a.bin").write_bytes(b"\xff\xfe\xff")
    catalogue = offering(Problem(Location("a.bin"), "a", edit=Rewrite("a.bin", "x")))
    monkeypatch.setattr(plugins, "load", lambda *_: catalogue)
    fixes = fix_command.prepared(shop, scope=Scope(selected=("ZZZ001",)))
    assert ["it cannot be read as text"] == [reason for _, reason in fixes.refused]


def test_what_is_undone_again_is_no_change():
    """An edit and its opposite leave the file alone."""
    tree = fix_command._Edited(fix_command.discovery.Repository(edits.Path("/nonexistent"), ()))
    tree.put("a", "x")
    assert (("a",), b"x", 1, None) == (tree.files, tree.read("a"), tree.size("a"), tree.before["a"])
    tree.before["a"] = "y"
    tree.put("a", "y")
    assert ((), {}, {}) == (tree.files, tree.before, tree.after)


@pytest.mark.parametrize(
    ("edit", "said"),
    [
        (Replace(Location("a"), "", "x\n"), "added x"),
        (SetKey(Location("a"), ("b", "c"), None), "b.c removed"),
        (SetKey(Location("a"), ("b",), Decimal("1.50")), "b: 1.50"),
        (Rewrite("a", "x"), "written anew"),
        (None, "written anew"),
        (Replace(Location("a"), "y", "x" * 99), f"y → {'x' * 59}…"),
    ],
)
def test_edits_are_put_into_words(edit, said):
    """On one line, whatever they do."""
    assert said == fix_command.in_words(edit)


def test_a_diff_has_colours_where_they_are_welcome(shop, run):
    """Only decoration: without them it is the same."""
    out, _, _ = run("--color", "always", "--diff", "--select", "SLO101")
    assert "\x1b[31m-    objective: 0.995     # reviewed\x1b[0m\n" in out


def test_findings_say_that_they_can_be_mended(shop, capsys):
    """People hear of the command, programs get the edit."""
    cli.main(["check", "--select", "SLO101"])
    assert "1 of these takes no thought to mend: reliability fix\n" in capsys.readouterr().out
    cli.main(["check", "--select", "SLO101", "--format", "json"])
    (outcome,) = json.loads(capsys.readouterr().out)["outcomes"]
    told = {"kind": "replace", "path": "slo/shop.yaml", "line": 8, "column": 16, "old": "0.995", "new": "99.5"}
    assert [told] == [finding["edit"] for finding in outcome["findings"]]
