"""The `reliability` command, run as people run it."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from conftest import git, write_files
from pytest_reliability import cli

BAD_SLO = """\
apiVersion: openslo/v1
kind: SLO
metadata: {name: availability}
spec:
  service: shop
  budgetingMethod: Occurrences
  timeWindow: [{duration: 28d, isRolling: true}]
  indicatorRef: good
  objectives: [{target: 1.0}]
"""
FILES = {"README.md": "# shop\n", "slo/shop.yaml": BAD_SLO, "docs/note.md": "# Note\n"}


@pytest.fixture
def shop(repository, monkeypatch) -> Path:
    """A repository with a bad SLO, with us standing in it."""
    root = repository(FILES)
    monkeypatch.chdir(root)
    return root


@pytest.fixture
def run(capsys):
    """Run the command in this process and give what it printed, what it complained, and its exit code."""

    def run(*arguments: str) -> tuple[str, str, int]:
        try:
            code = cli.main(arguments)
        except SystemExit as stop:
            code = int(stop.code or 0)
        out, err = capsys.readouterr()
        return out, err, code

    return run


def test_check_prints_findings_and_exits_with_1(shop, run):
    """A place that can be clicked, and what is wrong there."""
    out, err, code = run("check")
    assert ("", 1) == (err, code)
    assert "slo/shop.yaml:9:25: error:" in out
    assert "SLO102 perfect-objective" in out


def test_a_good_selection_exits_with_0(shop, run):
    """Nothing found among what was asked."""
    out, err, code = run("check", "--select", "DOC007")
    assert ("", 0) == (err, code)
    assert "no findings" in out


def test_quiet_says_nothing_when_all_is_well(shop, run):
    """Hooks must not chatter."""
    assert ("", "", 0) == run("check", "-q", "--select", "DOC007")


def test_quiet_says_what_is_wrong_without_a_summary(shop, run):
    """What somebody in the middle of a commit needs, and no more."""
    out, _, code = run("check", "-q", "--select", "SLO102")
    assert 1 == code
    assert ("slo/shop.yaml:9:25" in out, "availability  " in out) == (True, False)


def test_named_files_get_the_local_checks_only(shop, run):
    """A missing runbook is not the fault of the file that was just edited."""
    out, _, code = run("check", "slo/shop.yaml", "--format", "json")
    outcomes = json.loads(out)["outcomes"]
    assert 1 == code
    assert "SLO102" in {outcome["code"] for outcome in outcomes if outcome["status"] == "failed"}
    assert not {"SLO001", "RUN001", "OWN001"} & {outcome["code"] for outcome in outcomes}


def test_named_files_alone_are_read(shop, run):
    """The fault is in a file that was not named."""
    assert 0 == run("check", "docs/note.md", "README.md")[2]


def test_a_file_that_nobody_reads_is_fine(shop, run):
    """pre-commit hands over whatever changed."""
    write_files(shop, {"main.go": "package main\n"})
    assert 0 == run("check", "-q", "main.go")[2]


@pytest.mark.parametrize(
    ("scope", "present", "absent"), [("local", "SLO102", "SLO001"), ("repository", "SLO001", "SLO102"), ("all", "SLO001", "-")]
)
def test_a_scope_chooses_between_files_and_the_repository(shop, run, scope, present, absent):
    """Two hooks do not say the same thing twice."""
    codes = {outcome["code"] for outcome in json.loads(run("check", "--scope", scope, "--format", "json")[0])["outcomes"]}
    assert (True, False) == (present in codes, absent in codes)


def test_ignore_leaves_checks_out(shop, run):
    """By code, prefix or name, with commas or again and again."""
    out, _, _ = run("check", "--ignore", "SLO,perfect-objective", "--ignore", "OWN", "--format", "json")
    codes = {outcome["code"] for outcome in json.loads(out)["outcomes"]}
    assert not [code for code in codes if code.startswith(("SLO", "OWN"))]
    assert "RUN001" in codes


@pytest.mark.parametrize(("severity", "code"), [("error", 0), ("warning", 1)])
def test_fail_on_decides_what_stops(shop, run, severity, code):
    """Warnings are shown and do not stop, unless asked to."""
    assert code == run("check", "--select", "SLO401", "--fail-on", severity)[2]


def test_a_folder_is_checked_as_a_repository_of_its_own(shop, run):
    """Paths are printed as seen from where we stand."""
    out, _, code = run("check", "slo", "--select", "SLO102")
    assert 1 == code
    assert "slo/shop.yaml:9:25" in out


def test_a_folder_with_a_configuration_is_a_service_of_the_repository_around_it(shop, run):
    """What the services share is in sight, and only the one that was named is reported on."""
    write_files(
        shop, {"CODEOWNERS": "* @acme/all\n", "services/cart/.reliability.yaml": "", "services/pay/.reliability.yaml": ""}
    )
    report = json.loads(run("check", "services/cart", "--format", "json")[0])
    statuses = {outcome["code"]: outcome["status"] for outcome in report["outcomes"]}
    assert ("cart", "passed", "failed") == (report["service"], statuses["OWN001"], statuses["SLO001"])
    assert {"services/cart/.reliability.yaml"} == {at["path"] for outcome in report["outcomes"] for at in outcome["findings"]}


def test_from_a_subfolder_the_whole_repository_is_checked(shop, run, monkeypatch):
    """And paths can still be clicked."""
    monkeypatch.chdir(shop / "docs")
    out, _, _ = run("check", "--select", "SLO102")
    assert "../slo/shop.yaml:9:25" in out


def test_programs_get_paths_from_the_root(shop, run, monkeypatch):
    """Wherever in the repository the command was run."""
    monkeypatch.chdir(shop / "docs")
    (outcome,) = json.loads(run("check", "--select", "SLO102", "--format", "json")[0])["outcomes"]
    assert ["slo/shop.yaml"] == [finding["path"] for finding in outcome["findings"]]


def test_output_goes_to_a_file(shop, run):
    """Whole, and nothing is printed."""
    assert ("", "", 1) == run("check", "--format", "json", "--output", "out/report.json")
    assert 1 == json.loads((shop / "out/report.json").read_text())["schema"]


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["check", "gone.yaml"], "gone.yaml: no such file or folder"),
        (["check", "slo", "README.md"], "slo: a folder beside other paths\n  check one folder at a time, or name files only"),
        (["check", "/etc/hostname"], "/etc/hostname: lies outside the repository"),
        (["check", "--select", "SLO0001"], "--select: no check is called 'SLO0001'\n  did you mean SLO001?"),
        (["check", "--format", "xml"], "no reporter is called 'xml'\n  choose one of "),
        (["explain", "ALR0002"], "explain: no check is called 'ALR0002'\n  did you mean ALR002?"),
        (["list", "--ignore", "QQQ"], "list: no check is called 'QQQ'"),
        (["badge", "nowhere"], "nowhere: no such file or folder\n  name a folder to check\n"),
        (["badge", "README.md"], "README.md: not a folder\n  name a folder to check\n"),
        (["check", "--output", "README.md/x"], "README.md/x: cannot be written: "),
    ],
)
def test_wrong_usage_is_explained_and_exits_with_2(shop, run, arguments, complaint):
    """What is wrong, and what to type instead."""
    out, err, code = run(*arguments)
    assert ("", 2) == (out, code)
    assert err.startswith(f"reliability: {complaint}")


def test_a_wrong_configuration_exits_with_2(shop, run):
    """Its place, and the nearest right key."""
    write_files(shop, {".reliability.yaml": "servise: x\n"})
    _, err, code = run("check")
    assert 2 == code
    assert "reliability: .reliability.yaml:1:1: 'servise' is not a key of the configuration" in err


@pytest.mark.parametrize("key", ["select: [SLX]", "ignore: {SLX: why not}"])
def test_a_selector_in_the_configuration_must_mean_something(shop, run, key):
    """A typo must not switch a check off, or all of them."""
    write_files(shop, {".reliability.yaml": f"{key}\n"})
    _, err, code = run("check")
    assert (2, True) == (code, "no check is called 'SLX'" in err)


def test_alone_it_tells_where_the_repository_stands(shop, run):
    """And what to do next; nobody is failed for asking."""
    out, _, code = run()
    assert 0 == code
    assert all(word in out for word in ("level", "availability", "next", "1. "))
    assert "-->" not in out


@pytest.mark.parametrize("name", ["SLO102", "slo102", "perfect-objective"])
def test_explain_prints_the_page(shop, run, name):
    """By code or by name."""
    out, _, code = run("explain", name)
    assert 0 == code
    assert out.startswith("# SLO102 perfect-objective\n")


def test_explain_is_dressed_up_for_a_terminal(shop, run):
    """The same words, with headings that stand out."""
    out, _, _ = run("explain", "SLO102", "--color", "always")
    assert "\x1b[" in out
    assert "How to fix it" in out


def test_list_shows_every_check(run):
    """One line each: code, name, severity, level, scope, and why."""
    out, _, code = run("list")
    lines = [line for line in out.splitlines() if line.startswith("ALR002")]
    assert (0, 1) == (code, len(lines))
    assert all(word in lines[0] for word in ("missing-runbook", "error", "bronze", "repository"))
    assert "(off unless selected)" not in lines[0]


def test_list_can_be_narrowed(run):
    """With the same words as check."""
    assert {"RUN"} == {line[:3] for line in run("list", "--select", "RUN")[0].splitlines()}
    assert "RUN" not in {line[:3] for line in run("list", "--ignore", "RUN")[0].splitlines()}


def test_no_colour_goes_into_a_pipe(shop, run, monkeypatch):
    """Nor where NO_COLOR asks for none."""
    assert "\x1b[" not in run("check")[0]
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert "\x1b[" in run("check")[0]
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b[" not in run("check")[0]
    assert "\x1b[" in run("check", "--color", "always")[0]


def test_the_version_is_that_of_the_distribution(run):
    """People report it with a bug."""
    from importlib.metadata import version

    assert (f"reliability {version('pytest-reliability')}\n", "", 0) == run("--version")


def test_help_fits_a_screen_and_every_command_has_examples(run):
    """Somebody busy reads it."""
    assert len(run("--help")[0].splitlines()) <= 30
    for command in ("check", "explain", "list", "badge"):
        assert 2 == run(command, "--help")[0].partition("examples:")[2].count("  reliability ")


def test_a_reader_that_stops_early_gets_no_traceback(shop):
    """`reliability check | head -1` is a habit."""
    command = [sys.executable, "-m", "pytest_reliability", "list"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert "" == process.stderr.read()
    assert 1 == process.returncode


def test_a_crash_of_ours_says_whose_fault_it_is(shop, run, monkeypatch):
    """It asks for a report, and is not taken for a finding; who wants the traceback can have it."""

    def crash(*_: object, **__: object) -> None:
        raise ZeroDivisionError("oops")

    monkeypatch.setattr("pytest_reliability.api.review", crash)
    out, err, code = run("check")
    assert ("", 2) == (out, code)
    assert err.startswith("reliability: a mistake of ours, not of yours: ZeroDivisionError: oops\n  please report it")
    monkeypatch.setenv(cli.DEBUG, "1")
    with pytest.raises(ZeroDivisionError):
        run("check")


@pytest.mark.parametrize(
    ("refusal", "told"),
    [
        (PermissionError(13, "Permission denied", "README.md"), "README.md: Permission denied\n"),
        (OSError(28, "No space left on device"), "No space left on device\n"),
        (FileNotFoundError(2, "No such file or directory"), "the folder you are in is no longer there\n  go to one that is\n"),
    ],
)
def test_what_the_machine_refuses_is_no_mistake_of_ours(shop, run, monkeypatch, refusal, told):
    """It is told as it is, and nobody is asked to report it."""

    def refuse(*_: object, **__: object) -> None:
        raise refusal

    monkeypatch.setattr("pytest_reliability.api.review", refuse)
    assert ("", f"reliability: {told}", 2) == run("check")


def test_an_interrupt_is_no_traceback(shop, run, monkeypatch):
    """It can be interrupted at any time without harm."""

    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("pytest_reliability.api.review", interrupt)
    assert ("", "", 130) == run("check")


# The badge

README = "# shop\n\n<!-- reliability-badge -->\n<!-- /reliability-badge -->\n"


def test_badge_prints_a_picture(shop, run):
    """With what the repository has reached."""
    out, _, code = run("badge")
    assert (True, True, 0) == (out.startswith("<svg"), "none" in out, code)


def test_badge_speaks_to_shields(shop, run):
    """The endpoint's JSON, with a label of one's own."""
    out, _, _ = run("badge", "--format", "shields", "--label", "信頼性")
    assert ("信頼性", "none", 1) == (json.loads(out)["label"], json.loads(out)["message"], json.loads(out)["schemaVersion"])


def test_badge_keeps_the_readme_up_to_date(shop, run):
    """--check fails until --write has written, and then again when something has changed."""
    write_files(shop, {"README.md": README})
    assert 1 == run("badge", "--check")[2]
    assert README == (shop / "README.md").read_text()
    out, _, code = run("badge", "--write")
    assert (0, {".reliability/badge.svg: written", "README.md: written"}) == (code, set(out.splitlines()))
    assert "](.reliability/badge.svg)" in (shop / "README.md").read_text()
    assert ("", "", 0) == run("badge", "--check")
    assert ("", "", 0) == run("badge", "--write")
    (shop / ".reliability/badge.svg").write_text("<svg/>")
    out, _, code = run("badge", "--check")
    assert (1, ".reliability/badge.svg: out of date\n  run: reliability badge --write\n") == (code, out)


@pytest.mark.parametrize("readme", ["# shop\n", "<!-- reliability-badge -->\n", None])
def test_a_readme_without_markers_is_told_what_to_add(shop, run, readme):
    """Nothing is written anywhere it was not asked to be."""
    (shop / "README.md").unlink()
    write_files(shop, {} if readme is None else {"README.md": readme})
    _, err, code = run("badge", "--write")
    assert 2 == code
    assert "<!-- reliability-badge -->" in err
    assert not (shop / ".reliability").exists()


def test_inside_a_git_hook_the_right_repository_is_checked(shop):
    """Git sets GIT_DIR and GIT_INDEX_FILE for its hooks."""
    hook = shop / ".git/hooks/pre-commit"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f"#!/bin/sh\nexec {sys.executable} -m pytest_reliability check -q --select SLO102\n")
    hook.chmod(0o755)
    write_files(shop, {"slo/shop.yaml": BAD_SLO + "# changed\n"})
    git(shop, "add", "-A")
    done = subprocess.run(
        ["git", "-c", "user.name=x", "-c", "user.email=x@example.com", "commit", "-m", "x"],
        cwd=shop, capture_output=True, text=True, env={**os.environ, "GIT_CONFIG_GLOBAL": os.devnull},
    )  # fmt: skip
    assert 1 == done.returncode
    assert "slo/shop.yaml:9:25" in done.stdout + done.stderr


def test_output_that_is_no_stream_of_bytes_is_written_to_as_it_is(monkeypatch):
    """Notebooks and tests replace it."""
    monkeypatch.setattr(sys, "stdout", said := io.StringIO())
    assert 0 == cli.main(["list", "--select", "SLO001"])
    assert said.getvalue().startswith("SLO001")


def test_a_terminal_without_unicode_gets_question_marks(shop):
    """And no traceback."""
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    done = subprocess.run([sys.executable, "-m", "pytest_reliability"], cwd=shop, env=environment, capture_output=True, text=True)
    assert (0, "") == (done.returncode, done.stderr)
    assert "?" in done.stdout


MISSPELT = """\
version: prometheus/v1
service: shop
slos:
  - name: availability
    objective: 99.9
    sli:
      events:
        error_query: sum(rate(http_requests_total{code=~"5.."}[{{.window}}]))
        total_query: sum(rate(http_requests_total[{{.window}}]))
    alerting:
      name: ShopBurns
      pageAlert: {}
"""


def test_an_edit_is_where_its_finding_is(repository, run, monkeypatch):
    """Whoever checks a repository from outside and applies the edits of the report finds all files from the same folder."""
    root = repository({"README.md": "# shop\n", "slo/shop.yaml": MISSPELT})
    monkeypatch.chdir(root)
    assert 0 == run("generate", "rules", "slo/shop.yaml", "--output", "rules.yaml")[2]
    (root / "slo/shop.yaml").write_text(MISSPELT.replace("99.9", "99.5"))
    monkeypatch.chdir(root.parent)
    out, _, _ = run("check", root.name, "--format", "json", "--select", "DOC003,SLO310")
    found = [finding for outcome in json.loads(out)["outcomes"] for finding in outcome["findings"]]
    places = {finding["edit"]["kind"]: (finding["path"], finding["edit"]["path"]) for finding in found}
    spec, rules = f"{root.name}/slo/shop.yaml", f"{root.name}/rules.yaml"
    assert {"replace": (spec, spec), "rewrite": (rules, rules)} == places
