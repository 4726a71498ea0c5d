"""Files are written whole or not at all."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from pytest_reliability import edits
from pytest_reliability.contracts import UsageError


def test_text_is_written_as_given(tmp_path):
    """Line ends and characters of any script survive, and folders are made."""
    edits.write(tmp_path / "a/b.svg", "信頼性\r\nbronze\n")
    assert "信頼性\r\nbronze\n".encode() == (tmp_path / "a/b.svg").read_bytes()


@pytest.mark.parametrize("mode", [0o600, 0o755])
def test_permissions_are_kept(tmp_path, mode):
    """A file that was private stays private."""
    path = tmp_path / "a"
    path.write_text("old")
    path.chmod(mode)
    edits.write(path, "new")
    assert ("new", mode) == (path.read_text(), stat.S_IMODE(path.stat().st_mode))


def test_a_new_file_follows_the_umask(tmp_path):
    """Others can read what others could read."""
    before = os.umask(0o027)
    try:
        edits.write(tmp_path / "a", "new")
    finally:
        os.umask(before)
    assert 0o640 == stat.S_IMODE((tmp_path / "a").stat().st_mode)


def test_a_link_goes_on_being_a_link(tmp_path):
    """What it points at is what changes."""
    (tmp_path / "real").write_text("old")
    (tmp_path / "link").symlink_to("real")
    edits.write(tmp_path / "link", "new")
    assert (True, "new") == ((tmp_path / "link").is_symlink(), (tmp_path / "real").read_text())


def test_a_failure_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch):
    """Whatever goes wrong at the last moment, nobody finds half a file."""
    path = tmp_path / "a"
    path.write_text("old")

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(UsageError, match="a: cannot be written: No space left on device"):
        edits.write(path, "new")
    assert (["a"], "old") == ([entry.name for entry in tmp_path.iterdir()], path.read_text())


def test_a_folder_in_the_way_is_named(tmp_path):
    """The message says what could not be written."""
    with pytest.raises(UsageError, match="cannot be written"):
        edits.write(tmp_path, "new")
