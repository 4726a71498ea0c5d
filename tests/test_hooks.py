"""The hooks, through the real pre-commit and the real git, in repositories made for it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from conftest import git, write_files
from pytest_reliability import plugins

ROOT = Path(__file__).parent.parent
DECLARED = ROOT / ".pre-commit-hooks.yaml"
NATIVE = ROOT / "hooks" / "native"

pytestmark = pytest.mark.skipif(not shutil.which("git"), reason="git is not installed")

GOOD_SLO = """\
version: prometheus/v1
service: search
slos:
  - name: availability
    objective: 99.9
    description: 99.9% of searches are answered without an error.
    labels:
      owner: team-search
    sli:
      events:
        error_query: sum(rate(http_requests_total{job="search",code=~"5.."}[{{.window}}]))
        total_query: sum(rate(http_requests_total{job="search"}[{{.window}}]))
    alerting:
      name: SearchFails
      annotations:
        runbook_url: docs/runbooks/search-fails.md
      page_alert:
        labels: {severity: page}
      ticket_alert:
        labels: {severity: ticket}
"""
BAD_SLO = GOOD_SLO.replace("objective: 99.9\n", "objective: 100\n")
RUNBOOK = """\
---
owner: team-search
alerts: [SearchFails]
---

# Search fails

## Meaning

Searches end in a server error more often than we promised.

## Impact

People do not find what they look for.

## Diagnosis

Read the newest exceptions in the log.

## Mitigation

Roll the newest release back.

## Escalation

After 30 minutes call the second line.
"""
RULES = """\
groups:
  - name: search
    rules:
      - alert: SearchFails
        expr: sum(rate(http_requests_total{job="search",code=~"5.."}[5m])) > 1
        for: 5m
        labels:
          severity: page
        annotations:
          summary: Searches fail
          runbook_url: docs/runbooks/search-fails.md
"""
TEST = """\
import pytest


@pytest.mark.latency_budget(p95="50ms")
def test_search(latency):
    latency(sorted, range(1000))
"""
SERVICE = {
    "slo/search.yaml": GOOD_SLO,
    "monitoring/rules.yaml": RULES,
    "docs/runbooks/search-fails.md": RUNBOOK,
    "tests/test_search.py": TEST,
    "CODEOWNERS": "* @example/team-search\n",
    "search.py": "ANSWER = 42\n",
}
"""A service with which every hook is content."""


WHO = {"GIT_AUTHOR_NAME": "t", "GIT_AUTHOR_EMAIL": "t@t.test", "GIT_COMMITTER_NAME": "t", "GIT_COMMITTER_EMAIL": "t@t.test"}


def hooks() -> dict[str, dict[str, Any]]:
    """Every declared hook by its id."""
    return {hook["id"]: hook for hook in yaml.safe_load(DECLARED.read_text(encoding="utf-8"))}


def environment(**more: str) -> dict[str, str]:
    """The environment without anybody's git configuration, and without whatever git or pre-commit run this very test."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("GIT_", "PRE_COMMIT", "COV_", "COVERAGE_"))}
    return {**kept, **WHO, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1", "NO_COLOR": "1", **more}


class Repository:
    """A git repository in a temporary folder."""

    def __init__(self, root: Path, files: Mapping[str, str], **env: str) -> None:
        self.root = root
        self.env = environment(**env)
        write_files(root, files)
        git(root, "init", "--quiet")
        git(root, "add", "--all")
        git(root, "commit", "--quiet", "--message=begin")

    def write(self, path: str, text: str) -> None:
        """Write a file."""
        write_files(self.root, {path: text})

    def run(self, *command: str) -> str:
        """Run what must succeed."""
        done = self.attempt(*command)
        assert done.returncode == 0, done.stdout
        return done.stdout

    def attempt(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Run what may fail; both streams are in `stdout`."""
        return subprocess.run(
            command, cwd=self.root, env=self.env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
        )

    def commit(self) -> subprocess.CompletedProcess[str]:
        """Try to commit everything."""
        self.run("git", "add", "--all")
        return self.attempt("git", "commit", "--message=try")


# Declarations


def test_the_declarations_are_generated() -> None:
    """`.pre-commit-hooks.yaml` says what the catalogue says."""
    done = subprocess.run(
        [sys.executable, ROOT / "hooks" / "generate.py", "--check"], capture_output=True, text=True, check=False
    )
    assert (0, "") == (done.returncode, done.stdout), done.stdout + done.stderr


def test_a_stale_declaration_is_noticed_and_mended(tmp_path: Path) -> None:
    """`--check` fails on any difference and names the command that ends it."""
    shutil.copytree(ROOT / "hooks", tmp_path / "hooks")
    generate = [sys.executable, str(tmp_path / "hooks" / "generate.py")]
    stale = subprocess.run([*generate, "--check"], capture_output=True, text=True, check=False)
    assert (1, ".pre-commit-hooks.yaml is stale\n  run: python hooks/generate.py\n") == (stale.returncode, stale.stdout)
    subprocess.run(generate, check=True)
    assert DECLARED.read_text(encoding="utf-8") == (tmp_path / DECLARED.name).read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("command", "file"), [("validate-manifest", ".pre-commit-hooks.yaml"), ("validate-config", ".pre-commit-config.yaml")]
)
def test_pre_commit_understands_our_files(command: str, file: str) -> None:
    """Both what we offer and what we use ourselves is valid."""
    pytest.importorskip("pre_commit")
    validate = [sys.executable, "-m", "pre_commit", command, str(ROOT / file)]
    done = subprocess.run(validate, capture_output=True, text=True, check=False)
    assert (0, "") == (done.returncode, done.stdout), done.stdout


def test_we_take_our_own_hooks() -> None:
    """On our own repository the hooks run as we offer them, from the work tree's environment."""
    (repository,) = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))["repos"]
    ours = {hook["id"]: hook for hook in repository["hooks"]}
    for name in ("reliability-files", "reliability"):
        declared = hooks()[name]
        assert f".venv/bin/{declared['entry']}" == ours[name]["entry"]
        for key in ("name", "files", "always_run", "pass_filenames"):
            assert declared.get(key) == ours[name].get(key)


def test_a_hook_that_looks_for_what_must_exist_runs_always() -> None:
    """pre-commit shows no deleted file to a hook, so only hooks about single files may wait for file names."""
    for hook in hooks().values():
        waits = "files" in hook
        assert waits is not hook.get("always_run", False), hook["id"]
        assert waits is hook.get("pass_filenames", True), hook["id"]
        assert ("--scope local" in hook["entry"]) is waits, hook["id"]


def test_hooks_are_processes_that_do_not_compete() -> None:
    """One process for a hook: pre-commit must not start several on shares of the files."""
    assert all(hook["require_serial"] for hook in hooks().values())


READ = [
    "slo.yaml", "slo/checkout.yml", ".reliability.yaml", "a/b/rules.yaml", "dashboards/checkout.json", "README.md", "GUIDE.MD",
    "docs/runbooks/検索停止.md", "CODEOWNERS", ".github/CODEOWNERS", "test_app.py", "tests/test_app.py", "pkg/app_test.py",
    "alerts/search.rules", "a.rule",
]  # fmt: skip
UNREAD = [
    "main.go", "app.py", "src/latest.py", "src/attest_app.py", "MYCODEOWNERS", "CODEOWNERS.bak", "yaml", "slo.yaml.bak",
    "image.png", "docs/index.rst", "contest.py", "Makefile", "tests/data.txt", "mkdocs",
    "conftest.py", "rules", "hugo.toml", "load/k6.js",
]  # fmt: skip


@pytest.mark.parametrize("path", READ)
def test_files_that_matter_are_given_to_the_hook(path: str) -> None:
    """What a reader may take up wakes the hook."""
    assert re.search(hooks()["reliability-files"]["files"], path)


@pytest.mark.parametrize("path", UNREAD)
def test_files_that_do_not_matter_cost_nothing(path: str) -> None:
    """A commit of ordinary code does not even start the hook."""
    assert not re.search(hooks()["reliability-files"]["files"], path)


@pytest.mark.parametrize("path", [*READ, *UNREAD])
def test_no_file_is_withheld_that_a_local_check_asks_about(path: str) -> None:
    """What some format reads is given to the hook, unless only repository-wide checks ask about what it holds."""
    catalogue = plugins.load()
    asked = {check.subject for check in catalogue.checks if not check.repo_wide}
    readers = [format for format in catalogue.formats if re.search(format.files, path)]
    if any(issubclass(kind, subject) for format in readers for kind in format.yields for subject in asked):
        assert re.search(hooks()["reliability-files"]["files"], path)


# pre-commit


@pytest.fixture(scope="session")
def published(tmp_path_factory: pytest.TempPathFactory) -> Repository:
    """This work tree as a repository that pre-commit can clone: what is on disk, committed or not."""
    files = {
        path: (ROOT / path).read_text(encoding="utf-8") for path in ("pyproject.toml", "README.md", "LICENSE", DECLARED.name)
    }
    for path in sorted((ROOT / "src").rglob("*")):
        if path.suffix in (".py", ".md", ".typed", ".json", ".yml", ".yaml"):
            files[path.relative_to(ROOT).as_posix()] = path.read_text(encoding="utf-8")
    return Repository(tmp_path_factory.mktemp("published"), files)


@pytest.fixture(scope="session")
def installed(published: Repository, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    """(configuration, PRE_COMMIT_HOME): our hooks, installed once for all tests, as pre-commit does it for its users."""
    pytest.importorskip("pre_commit")
    config = yaml.safe_dump(
        {
            "repos": [
                {
                    "repo": published.root.as_uri(),
                    "rev": published.run("git", "rev-parse", "HEAD").strip(),
                    "hooks": [{"id": "reliability-files"}, {"id": "reliability"}],
                }
            ]
        }
    )
    home = tmp_path_factory.mktemp("pre-commit-home")
    somewhere = Repository(tmp_path_factory.mktemp("install"), {".pre-commit-config.yaml": config}, PRE_COMMIT_HOME=str(home))
    somewhere.run(sys.executable, "-m", "pre_commit", "install-hooks")
    return config, home


@pytest.fixture
def service(installed: tuple[str, Path], tmp_path: Path) -> Repository:
    """A service with which every hook is content, and which has the hooks in place."""
    config, home = installed
    repository = Repository(tmp_path / "service", {**SERVICE, ".pre-commit-config.yaml": config}, PRE_COMMIT_HOME=str(home))
    repository.run(sys.executable, "-m", "pre_commit", "install")
    return repository


FILES, WHOLE, BADGE = (hook["name"] for hook in hooks().values())


def told(done: subprocess.CompletedProcess[str], hook: str) -> str:
    """What pre-commit says became of a hook: Passed, Failed, Skipped …"""
    found = re.search(rf"^{re.escape(hook)}\.+(?:\(no files to check\))?(\w+)$", done.stdout, re.M)
    assert found, done.stdout
    return found[1]


def test_a_good_commit_passes_and_we_say_nothing(service: Repository) -> None:
    """Between pre-commit's own lines there is not one of ours."""
    service.write("docs/runbooks/search-fails.md", RUNBOOK.replace("newest release", "last release"))
    done = service.commit()
    assert 0 == done.returncode, done.stdout
    lines = [line for line in done.stdout.splitlines() if not line.startswith(("[main", " "))]
    assert [f"{FILES:.<73}Passed"[-79:], f"{WHOLE:.<73}Passed"[-79:]] == lines


def test_a_bad_slo_is_caught_on_commit(service: Repository) -> None:
    """100% is no objective; the commit fails with the place and the code."""
    service.write("slo/search.yaml", BAD_SLO)
    done = service.commit()
    assert 0 != done.returncode
    assert ("Failed", "Passed") == (told(done, FILES), told(done, WHOLE))
    assert "slo/search.yaml:5:16" in done.stdout
    assert "SLO102" in done.stdout


def test_deleting_the_only_runbook_fails_the_commit(service: Repository) -> None:
    """pre-commit does not show us the deleted file; the hook that always runs misses the runbook nevertheless."""
    (service.root / "docs/runbooks/search-fails.md").unlink()
    done = service.commit()
    assert 0 != done.returncode
    assert ("Skipped", "Failed") == (told(done, FILES), told(done, WHOLE))
    assert "RUN001" in done.stdout


def test_a_commit_of_ordinary_code_skips_the_files_hook(service: Repository) -> None:
    """Nothing that a local check could read has changed."""
    service.write("search.py", "ANSWER = 43\n")
    done = service.commit()
    assert 0 == done.returncode, done.stdout
    assert "Skipped" == told(done, FILES)


def test_what_was_bad_before_does_not_stop_a_commit_of_something_else(service: Repository) -> None:
    """The files hook looks at the changed files only, so that it can be adopted in an old repository."""
    service.write("slo/search.yaml", BAD_SLO)
    service.run("git", "add", "--all")
    service.run("git", "commit", "--quiet", "--no-verify", "--message=old sins")
    service.write("docs/runbooks/search-fails.md", RUNBOOK.replace("newest release", "last release"))
    done = service.commit()
    assert 0 == done.returncode, done.stdout


def test_a_badge_that_has_drifted_fails_the_commit(service: Repository) -> None:
    """The third hook says which file is out of date and how to mend it, and is content afterwards."""
    config = (service.root / ".pre-commit-config.yaml").read_text(encoding="utf-8")
    service.write(".pre-commit-config.yaml", config.replace("reliability-files", "reliability-badge"))
    service.write("README.md", "# search\n\n<!-- reliability-badge -->\n<!-- /reliability-badge -->\n")
    done = service.commit()
    assert 0 != done.returncode
    assert "Failed" == told(done, BADGE)
    assert "README.md: out of date\n  run: reliability badge --write\n" in done.stdout

    service.run(sys.executable, "-m", "pytest_reliability", "badge", "--write")
    done = service.commit()
    assert 0 == done.returncode, done.stdout
    assert "Passed" == told(done, BADGE)


def test_pre_commit_can_try_this_repository(published: Repository, tmp_path: Path) -> None:
    """`pre-commit try-repo`, with which people look at hooks before they take them."""
    pytest.importorskip("pre_commit")
    service = Repository(tmp_path / "service", {**SERVICE, "slo/search.yaml": BAD_SLO})
    done = service.attempt(
        sys.executable, "-m", "pre_commit", "try-repo", str(published.root), "reliability-files", "--all-files"
    )
    assert 1 == done.returncode, done.stdout
    assert "Failed" == told(done, FILES)
    assert "slo/search.yaml:5:16" in done.stdout


# The native hook


@pytest.fixture
def native(tmp_path: Path) -> Repository:
    """A service with the native hook, and our command first on the path."""
    path = os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"]))
    repository = Repository(tmp_path / "service", SERVICE, PATH=path)
    assert ".git/hooks/pre-commit is in place\n" == repository.run("sh", str(NATIVE / "install.sh"))
    return repository


def test_the_native_hook_lets_a_good_commit_pass_in_silence(native: Repository) -> None:
    """Nothing to say, nothing said; also with a file name that would upset a careless script."""
    native.write("docs/two words\n and a line.md", "# Words\n")
    native.write("docs/runbooks/search-fails.md", RUNBOOK.replace("newest release", "last release"))
    native.run("git", "add", "--all")
    assert "" == native.run("git", "commit", "--quiet", "--message=good")


def test_the_native_hook_catches_a_bad_slo(native: Repository) -> None:
    """The same finding as everywhere, and no commit."""
    native.write("slo/search.yaml", BAD_SLO)
    done = native.commit()
    assert 0 != done.returncode
    assert "slo/search.yaml:5:16" in done.stdout


def test_the_native_hook_misses_a_deleted_runbook(native: Repository) -> None:
    """What must exist is asked for although no file was staged that could be checked."""
    (native.root / "docs/runbooks/search-fails.md").unlink()
    done = native.commit()
    assert 0 != done.returncode
    assert "RUN001" in done.stdout


def test_the_native_hook_says_what_it_looked_at(native: Repository) -> None:
    """Unstaged changes are not set aside, so a verdict that rests on them is not given silently."""
    native.write("slo/search.yaml", BAD_SLO)
    native.run("git", "add", "--all")
    native.write("slo/search.yaml", GOOD_SLO)
    done = native.attempt("git", "commit", "--quiet", "--message=half")
    assert "reliability: some changes are not staged; what was checked is the working tree\n" == done.stdout


def test_the_native_hook_tells_how_to_get_the_command(native: Repository, tmp_path: Path) -> None:
    """Without the command nothing was checked, and that is said, with the way out."""
    tools = tmp_path / "tools"
    tools.mkdir()
    for tool in ("git", "sh", "xargs"):
        (tools / tool).symlink_to(str(shutil.which(tool)))
    native.env["PATH"] = str(tools)
    native.write("search.py", "ANSWER = 43\n")
    done = native.commit()
    assert 0 != done.returncode
    assert (
        "reliability: not installed, so this commit was not checked\n"
        "  install it: python3 -m pip install pytest-reliability\n"
        "  or commit once without: git commit --no-verify\n"
    ) == done.stdout


def test_installing_twice_is_no_mistake(native: Repository) -> None:
    """The second time there is nothing to do."""
    assert ".git/hooks/pre-commit is in place already\n" == native.run("sh", str(NATIVE / "install.sh"))


def test_installing_never_overwrites_a_hook(native: Repository) -> None:
    """Somebody's own hook stays, and the message says how to have both."""
    own = native.root / ".git/hooks/pre-commit"
    own.write_text("#!/bin/sh\necho mine\n", encoding="utf-8")
    done = native.attempt("sh", str(NATIVE / "install.sh"))
    assert 1 == done.returncode
    assert "was left as it is" in done.stdout
    assert "#!/bin/sh\necho mine\n" == own.read_text(encoding="utf-8")
