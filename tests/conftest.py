"""What several test modules need: a git repository on disk, and the corpus where it is."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from pytest_reliability import plugins
from pytest_reliability.pytest_plugin import awake

# pytester forgets modules that were first imported inside it, and classes imported anew are other classes: import all of ours
# here.
ALL = (plugins.load(), awake)

pytest_plugins = ["pytester"]

NEIGHBOURS = ("asyncio", "benchmark", "timeout", "randomly", "rerunfailures")
"""Plugins that are installed so that some tests can run beside them; all others run without."""

ALONE = " ".join(f"-p no:{name}" for name in NEIGHBOURS)
os.environ["PYTEST_ADDOPTS"] = ALONE

TRACED_HOST = """
import time
import pytest

@pytest.fixture(autouse=True)
def quiet_host(monkeypatch):
    from pytest_reliability.latency.host import Load
    from pytest_reliability.latency.session import Latency

    quiet = {"load": lambda: Load(time.perf_counter(), 0.0, 0, 0), "preemptions": lambda: 0, "sleep": lambda seconds: None}
    for name, value in quiet.items():
        monkeypatch.setitem(Latency.__init__.__kwdefaults__, name, value)

    async def pause(self, seconds):
        pass

    monkeypatch.setattr(Latency, "_pause", pause)
"""
"""A conftest.py for inner runs: no verdict depends on what else this machine is doing, and no time goes by with resting."""

QUIET_HOST = f"""{TRACED_HOST}
    from pytest_reliability.pytest_plugin import judging

    monkeypatch.setattr(judging, "_tracing", lambda: "")
"""
"""The same where our own coverage must not be taken for that of the inner run."""

CORPUS = Path(__file__).parents[2] / "shared" / "corpus"

Commit = Callable[[Mapping[str, str]], Path]


@pytest.fixture
def pytester(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """pytest's own, without the neighbours: it forgets PYTEST_ADDOPTS, and they would wake up in every inner run."""
    monkeypatch.setenv("PYTEST_ADDOPTS", ALONE)
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)
    return pytester


@pytest.fixture
def corpus() -> Path:
    """The folder of real files that the project does not ship."""
    if not CORPUS.is_dir():
        pytest.skip(f"the corpus of real files is not at {CORPUS}")
    return CORPUS


def write_files(folder: Path, files: Mapping[str, str | bytes]) -> None:
    """Put texts (or bytes) into a folder."""
    for path, text in files.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(text.encode() if isinstance(text, str) else text)


def git(folder: Path, *arguments: str) -> str:
    """Run git as nobody in particular, whatever the machine's own configuration is, and return what it printed."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
    environment |= {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    identity = ("-c", "user.name=Somebody", "-c", "user.email=somebody@example.com", "-c", "init.defaultBranch=main")
    done = subprocess.run(["git", *identity, *arguments], cwd=folder, env=environment, check=True, capture_output=True, text=True)
    return done.stdout


@pytest.fixture
def repository(tmp_path: Path) -> Callable[[Mapping[str, str | bytes]], Path]:
    """Make a git repository with these files committed, and return its folder."""

    def make(files: Mapping[str, str | bytes]) -> Path:
        folder = tmp_path / "service"
        folder.mkdir()
        git(folder, "init", "--quiet")
        write_files(folder, files)
        git(folder, "add", "--all")
        git(folder, "commit", "--quiet", "--allow-empty", "--message", "Begin")
        return folder

    return make
