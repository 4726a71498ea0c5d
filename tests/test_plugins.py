"""Other people's checks, formats and reporters."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from conftest import write_files
from pytest_reliability import plugins
from pytest_reliability.contracts import UsageError

PLUGIN = '''
from dataclasses import dataclass
from pytest_reliability.contracts import Format, Problem, Reporter, check
from pytest_reliability.hookspecs import hookimpl
from pytest_reliability.model.nodes import Node
from pytest_reliability.model.location import Location
from pytest_reliability.report import Responsibility

@dataclass(frozen=True, slots=True, kw_only=True)
class Rota(Node):
    people: int

def read(source):
    yield Rota(at=Location(source.path), settings=source.settings, people=len(source.text.split()))

@check(Rota, code="ACME001", responsibility=Responsibility.EMERGENCY_RESPONSE)
def lonely_rota(rota):
    """Nobody can be on call for ever."""
    if rota.people < 2:
        yield Problem(rota.at, f"{rota.people} person on call")

@hookimpl
def reliability_checks():
    return [lonely_rota]

@hookimpl
def reliability_formats():
    return [Format(name="rota", files=r"\\.rota$", yields=(Rota,), read=read)]

@hookimpl
def reliability_reporters():
    return [Reporter(name="count", render=lambda report, canvas: f"{len(report.findings)} found\\n")]
'''


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """Install a distribution that names this module in our entry-point group, as pip would."""

    def install(text: str, name: str = "acme_reliability") -> None:
        info = f"{name}-1.0.dist-info"
        write_files(tmp_path / "site", {
            f"{name}.py": text,
            f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n",
            f"{info}/entry_points.txt": f"[reliability]\nacme = {name}\n",
        })  # fmt: skip
        monkeypatch.syspath_prepend(str(tmp_path / "site"))
        monkeypatch.setenv("PYTHONPATH", str(tmp_path / "site"))

    yield install
    for name in ("acme_reliability", "acme_broken", "acme_twice"):
        sys.modules.pop(name, None)


def reliability(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run the command in a process of its own."""
    return subprocess.run([sys.executable, "-m", "pytest_reliability", *arguments], cwd=cwd, capture_output=True, text=True)


def test_a_distribution_adds_a_check_a_format_and_a_reporter(installed, repository):
    """What is installed is used: the file is read, the check asked, the report printed."""
    installed(PLUGIN)
    root = repository({"team.rota": "Aki", "big.rota": "Aki Ben"})
    done = reliability("check", "--select", "ACME", "--format", "count", cwd=root)
    assert ("1 found\n", "", 1) == (done.stdout, done.stderr, done.returncode)


def test_a_plugin_that_cannot_be_loaded_stops_everything(installed, repository):
    """Its checks would be missing, and the run would look as if they had passed."""
    installed("import no_such_module", "acme_broken")
    done = reliability("check", cwd=repository({}))
    assert 2 == done.returncode
    assert (
        "the plugin 'acme' of acme_broken 1.0 cannot be loaded: ModuleNotFoundError: No module named 'no_such_module'"
        in done.stderr
    )
    assert "Traceback" not in done.stderr


def test_two_checks_with_one_code_are_refused(installed):
    """Codes are how people speak of checks."""
    installed(PLUGIN.replace("ACME001", "SLO001").replace("lonely_rota", "service_without_slo"), "acme_twice")
    with pytest.raises(UsageError, match="two plugins offer a check called 'SLO001'"):
        plugins.load()


def test_a_program_can_bring_its_own(monkeypatch):
    """Without installing anything."""
    module = ModuleType("acme")
    monkeypatch.setitem(sys.modules, "acme", module)
    exec(PLUGIN, vars(module))
    assert {"ACME001", "SLO001"} <= {check.code for check in plugins.load(module).checks}


def test_an_unknown_reporter_is_named_with_those_there_are():
    """The message is a list to choose from."""
    with pytest.raises(UsageError) as caught:
        plugins.load().reporter("sarf")
    assert "no reporter is called 'sarf'" in str(caught.value)
    assert "sarif" in str(caught.value)
