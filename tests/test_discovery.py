"""Which files are looked at, and that a hostile tree is survived."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from conftest import git, write_files
from pytest_reliability.discovery import discover, find_root


def test_git_decides_which_files_there_are(repository):
    """Tracked files and new ones count; ignored ones and those deleted since do not."""
    root = repository({"kept.md": "", "deleted.md": "", ".gitignore": "ignored.md\n", "folder/日本語.md": ""})
    write_files(root, {"new.md": "", "ignored.md": ""})
    (root / "deleted.md").unlink()
    assert (".gitignore", "folder/日本語.md", "kept.md", "new.md") == discover(root).files


def test_a_subfolder_can_be_checked_by_itself(repository):
    """Paths are relative to the folder that was asked for, and the remotes of the work tree around it are not its own."""
    root = repository({"services/a/slo.yaml": "", "other.md": ""})
    git(root, "remote", "add", "origin", "https://example.com/team/everything.git")
    found = discover(root / "services/a")
    assert (("slo.yaml",), (), "a") == (found.files, found.remotes, found.name)


def test_a_folder_that_git_ignores_is_walked(repository):
    """Who names an ignored folder wants it checked."""
    root = repository({".gitignore": "out/\n"})
    write_files(root, {"out/slo.yaml": ""})
    assert ("slo.yaml",) == discover(root / "out").files


def test_outside_git_the_folder_is_walked_without_what_tools_leave_behind(tmp_path):
    """Dependencies and caches are nobody's runbooks."""
    write_files(tmp_path, {"a/b.md": "", "node_modules/x/README.md": "", ".venv/lib/y.md": "", ".github/CODEOWNERS": ""})
    assert (".github/CODEOWNERS", "a/b.md") == discover(tmp_path).files


def test_without_git_installed_the_folder_is_walked(repository, monkeypatch):
    """A container without git can still check."""
    root = repository({"a.md": ""})
    monkeypatch.setenv("PATH", "/nowhere")
    assert ("a.md",) == discover(root).files


def test_what_a_link_shows_again_is_known(repository):
    """It can be linked to, and is not read twice; a link that gives a file a name of its own is read."""
    root = repository({"docs/runbooks/a.md": "", "ops/owners.txt": ""})
    (root / "runbooks").symlink_to("docs/runbooks")
    (root / "a.md").symlink_to("docs/runbooks/a.md")
    (root / "CODEOWNERS").symlink_to("ops/owners.txt")
    found = discover(root)
    assert {"runbooks/a.md", "a.md"} == found.links
    assert {"runbooks/a.md", "a.md", "CODEOWNERS"} <= set(found.files)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder to somebody else")
def test_a_repository_of_somebody_else_is_listed_all_the_same(repository):
    """In containers the files often belong to another user, at which git balks; its .gitignore counts even so."""
    root = repository({".gitignore": "out/\n", "a.md": ""})
    write_files(root, {"out/b.md": ""})
    for folder in (root, root / ".git"):
        os.chown(folder, 65534, 65534)
    assert (".gitignore", "a.md") == discover(root).files


@pytest.mark.parametrize("in_git", [True, False])
def test_links_do_not_lead_out(repository, tmp_path, in_git):
    """A link inside the repository is a file like any other; one that leaves it, or leads nowhere, is not there."""
    write_files(tmp_path, {"secret.md": "secret", "outside/secret.md": "secret"})
    root = repository({"docs/real.md": "text"}) if in_git else tmp_path / "plain"
    write_files(root, {"docs/real.md": "text"})
    links = {
        "inside.md": "docs/real.md",
        "outside.md": "../secret.md",
        "absolute.md": str(tmp_path / "secret.md"),
        "dangling.md": "gone.md",
        "folder": "docs",
        "outside-folder": "../outside",
        "docs/loop": ".",
        "self": "self",
    }
    for name, target in links.items():
        (root / name).symlink_to(target)
    assert ("docs/real.md", "folder/real.md", "inside.md") == discover(root).files


def test_special_files_are_left_alone(tmp_path):
    """Reading a named pipe would wait for ever."""
    os.mkfifo(tmp_path / "pipe.md")
    assert () == discover(tmp_path).files


def test_no_program_of_the_repository_is_run(repository, tmp_path):
    """Git would run a file-system monitor that the work tree's configuration names; we do not let it."""
    root = repository({"a.md": ""})
    monitor = tmp_path / "monitor"
    monitor.write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\n")
    monitor.chmod(0o755)
    git(root, "config", "core.fsmonitor", str(monitor))
    discover(root)
    assert not (tmp_path / "ran").exists()


def test_variables_of_a_git_hook_do_not_mislead(repository, tmp_path, monkeypatch):
    """Inside a hook GIT_DIR and GIT_INDEX_FILE point at the repository being committed to, which may be another one."""
    root = repository({"a.md": ""})
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "elsewhere"))
    monkeypatch.setenv("GIT_INDEX_FILE", str(tmp_path / "elsewhere/index"))
    assert ("a.md",) == discover(root).files


def test_remotes_are_read_with_origin_first(repository):
    """The name of a repository is that of its origin."""
    root = repository({})
    git(root, "remote", "add", "a-fork", "git@example.com:somebody/fork.git")
    git(root, "remote", "add", "origin", "https://example.com/team/checkout.git")
    found = discover(root)
    assert ("https://example.com/team/checkout.git", "git@example.com:somebody/fork.git") == found.remotes
    assert "checkout" == found.name


def test_remotes_are_found_from_a_linked_work_tree(repository, tmp_path):
    """In a linked work tree and in a submodule `.git` is a file that points elsewhere."""
    root = repository({"a.md": ""})
    git(root, "remote", "add", "origin", "ssh://git@example.com/team/checkout")
    git(root, "worktree", "add", "--quiet", str(tmp_path / "linked"))
    linked = discover(tmp_path / "linked")
    assert (("ssh://git@example.com/team/checkout",), ("a.md",)) == (linked.remotes, linked.files)


def test_a_repository_without_remotes_is_called_like_its_folder(repository):
    """There is always something to call it."""
    assert "service" == discover(repository({})).name


def test_the_root_is_the_work_tree_around_us(repository):
    """People stand in subfolders."""
    root = repository({"a/b/c.md": ""})
    assert root == find_root(root / "a/b")


def test_the_root_is_where_the_configuration_says_so(repository):
    """An example inside a repository is checked by itself, and not as a part of what is around it."""
    root = repository(
        {"examples/shop/.reliability.yaml": "root: true  # an example\n", "examples/shop/docs/a.md": "", "b.md": ""}
    )
    assert root / "examples/shop" == find_root(root / "examples/shop/docs")
    assert ("b.md",) == discover(root).files
    assert (".reliability.yaml", "docs/a.md") == discover(root / "examples/shop").files


def test_a_configuration_that_merely_mentions_root_is_no_root(repository):
    """`root: false`, or the word elsewhere, changes nothing."""
    root = repository({"a/.reliability.yaml": "root: false\n", "b/.reliability.yaml": "# root: true\nservice: b\n"})
    assert ("a/.reliability.yaml", "b/.reliability.yaml") == discover(root).files


def test_a_remote_without_a_name_names_nothing(repository):
    """Then the folder does."""
    root = repository({})
    git(root, "remote", "add", "origin", "/")
    assert "service" == discover(root).name


def test_a_repository_whose_git_folder_is_broken_has_no_remotes(tmp_path):
    """A stray file called .git is no reason to stop."""
    write_files(tmp_path, {".git": "gitdir: nowhere\n", "a.md": ""})
    found = discover(tmp_path)
    assert (("a.md",), ()) == (tuple(path for path in found.files if path != ".git"), found.remotes)


def test_outside_any_repository_the_root_is_where_we_stand(tmp_path):
    """There is nothing to climb to."""
    assert Path("/") == find_root(Path("/"))
    inside_git = subprocess.run(["git", "rev-parse"], cwd=tmp_path, capture_output=True).returncode == 0
    assert inside_git or tmp_path == find_root(tmp_path)


def test_what_has_gone_meanwhile_reads_as_nothing(tmp_path):
    """Between listing and reading, anything may happen to a file."""
    found = discover(tmp_path)
    assert (None, 0) == (found.read("gone.md"), found.size("gone.md"))
