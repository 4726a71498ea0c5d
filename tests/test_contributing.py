"""CONTRIBUTING.md promises that a check is two files; this does what it says, in a copy of the repository."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
GUIDE = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")


def titled_fences() -> dict[str, str]:
    """Path → text of every fence at the top level of the guide that has a title."""
    fence = re.compile(r'^(?P<marks>`{3,})\w+ title="(?P<path>[^"]+)"\n(?P<text>.*?)^(?P=marks)$', re.M | re.S)
    return {match["path"]: match["text"] for match in fence.finditer(GUIDE)}


def commands() -> list[list[str]]:
    """The commands under "Run it"."""
    fence = re.search(r"^\*\*3\. Run it\.\*\*\n\n```sh\n(.*?)^```$", GUIDE, re.M | re.S)
    assert fence
    return [shlex.split(line) for line in fence[1].splitlines()]


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the repository, as far as a check needs it."""
    copied = tmp_path_factory.mktemp("copy")
    shutil.copytree(ROOT / "src", copied / "src", ignore=shutil.ignore_patterns("__pycache__"))
    (copied / "tests").mkdir()
    for path in ("tests/test_pages.py", "tests/conftest.py", "pyproject.toml"):
        shutil.copy(ROOT / path, copied / path)
    return copied


def run(copy: Path, command: list[str]) -> subprocess.CompletedProcess[str]:
    """Run a command of the guide on the code in the copy."""
    programs = {"pytest": "pytest", "reliability": "pytest_reliability"}
    whole = [sys.executable, "-m", programs[command[0]], *command[1:]]
    # Not measured: the copy's lines are not the project's.
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("COV", "PYTEST_"))}
    environment = {**kept, "PYTHONPATH": str(copy / "src"), "NO_COLOR": "1"}
    return subprocess.run(
        whole, cwd=copy, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )


def test_a_check_is_two_files_and_no_other_edit(copy: Path) -> None:
    """Following the guide to the letter makes a check whose page passes, that can be explained, and that is listed."""
    fences = titled_fences()
    assert {".py", ".md"} == {Path(path).suffix for path in fences}
    assert 2 == len(fences)
    pages, explain, listing = commands()
    before = run(copy, explain)
    assert 2 == before.returncode, before.stdout

    for path, text in fences.items():
        assert not (copy / path).exists(), f"{path} exists by now; give the guide another example"
        (copy / path).write_text(text, encoding="utf-8")

    tested = run(copy, pages)
    assert 0 == tested.returncode, tested.stdout
    assert re.search(r"\b4 passed", tested.stdout), tested.stdout
    assert run(copy, explain).stdout.startswith(next(text for path, text in fences.items() if path.endswith(".md"))[:40])
    assert "A promise that is not put into words" in run(copy, listing).stdout


def test_a_page_that_is_wrong_is_noticed(copy: Path) -> None:
    """The guide says that the first command fails until page and check agree word for word."""
    for path, text in titled_fences().items():
        (copy / path).write_text(text.replace("slo/search.yaml:4:11: SLO", "slo/search.yaml:4:12: SLO"), encoding="utf-8")
    assert 1 == run(copy, commands()[0]).returncode
