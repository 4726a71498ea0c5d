"""The shipped examples: what we say about each, and that the exemplary one is what it claims to be."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from conftest import NEIGHBOURS

EXAMPLES = Path(__file__).parent.parent / "examples"
CHECKOUT = EXAMPLES / "checkout"


def run(folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """Run a command in an example's folder, 100 columns wide and without colour."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")}  # which would slow it down
    environment = {**kept, "COLUMNS": "100", "NO_COLOR": "1", "PYTHONIOENCODING": "utf-8"}
    environment["PYTEST_ADDOPTS"] = " ".join(f"-p no:{neighbour}" for neighbour in NEIGHBOURS)
    return subprocess.run(
        command,
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        check=False,
    )


def telling(output: str) -> list[str]:
    """The output without its counts of checks: a new check that finds nothing here must not change what is recorded."""
    counts = re.compile(r"checks {3}|.* (?:availability|latency|performance|efficiency) +(?:[█░]|– nothing to check)")
    return [line for line in output.splitlines() if not counts.match(line)]


def recorded(name: str) -> list[str]:
    """What is recorded beside an example, as far as it tells."""
    return telling((EXAMPLES / f"{name}.expected.txt").read_text(encoding="utf-8"))


@pytest.mark.parametrize(("name", "code"), [("checkout", 0), ("bare", 1), ("notes-ja", 1)])
def test_what_we_say_about_an_example(name: str, code: int) -> None:
    """`reliability check` prints what is recorded beside the example, to the letter."""
    done = run(EXAMPLES / name, sys.executable, "-m", "pytest_reliability", "check", ".")
    accept = f"if this is right: cd examples/{name} && COLUMNS=100 reliability check . > ../{name}.expected.txt"
    assert recorded(name) == telling(done.stdout), accept
    assert code == done.returncode


def test_the_same_is_said_from_anywhere(tmp_path: Path) -> None:
    """Outside git, in a folder somewhere else, an example gets the same answer."""
    shutil.copytree(EXAMPLES / "notes-ja", tmp_path / "notes-ja", ignore=shutil.ignore_patterns("__pycache__"))
    done = run(tmp_path / "notes-ja", sys.executable, "-m", "pytest_reliability", "check", ".")
    assert recorded("notes-ja") == telling(done.stdout)


def test_every_example_is_recorded() -> None:
    """An example without a recorded output is one that nobody compares."""
    folders = {path.name for path in EXAMPLES.iterdir() if path.is_dir()}
    assert folders == {path.name.removesuffix(".expected.txt") for path in EXAMPLES.glob("*.expected.txt")}


def test_the_main_job_succeeds_on_the_exemplary_service() -> None:
    """`pytest --reliability`: its own tests, its latency budget and every check pass."""
    done = run(CHECKOUT, sys.executable, "-m", "pytest", "--reliability", "-p", "no:cacheprovider")
    assert 0 == done.returncode, done.stdout
    assert re.search(r"=+ .*\d+ passed", done.stdout.splitlines()[-1]), done.stdout
    assert "checkout-latency" in done.stdout


def test_a_regression_is_caught_and_the_profile_points_at_it(tmp_path: Path) -> None:
    """Whoever makes keeping an order slow hears which budget is broken, and in which line the time goes."""
    service = shutil.copytree(CHECKOUT, tmp_path / "checkout", ignore=shutil.ignore_patterns("__pycache__", ".pytest_cache"))
    orders = service / "src/checkout/orders.py"
    text = orders.read_text(encoding="utf-8")
    planted = "        body = json.dumps(order.as_json())\n        __import__('time').sleep(0.3)\n"
    orders.write_text(text.replace("        body = json.dumps(order.as_json())\n", planted), encoding="utf-8")
    line = planted.count("\n", 0, planted.index("__import__")) + text[: text.index("        body = json.dumps")].count("\n") + 1
    tests = "tests/test_latency.py::test_every_route_keeps_its_own_budget"
    done = run(service, sys.executable, "-m", "pytest", "--reliability", "-p", "no:cacheprovider", tests)
    assert 1 == done.returncode, done.stdout
    assert re.search(r"POST /checkout.*p95 ≤ 25 ms  FAIL", done.stdout), done.stdout
    profile = done.stdout.partition("where the time went")[2]
    assert re.search(rf"\d+% src/checkout/orders\.py:{line}\s+keep \(sleep\)", profile), done.stdout


def test_its_tests_pass_without_us() -> None:
    """The service's tests are ordinary tests: the budget's marker and fixture do no harm when nobody measures."""
    done = run(CHECKOUT, sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-W", "error")
    assert 0 == done.returncode, done.stdout
    assert re.search(r"^20 passed", done.stdout, re.M), done.stdout


def test_its_badge_is_up_to_date() -> None:
    """The README shows where the service stands today."""
    done = run(CHECKOUT, sys.executable, "-m", "pytest_reliability", "badge", ".", "--check")
    assert (0, "") == (done.returncode, done.stdout)
    assert (CHECKOUT / ".reliability/badge.svg").is_file()


@pytest.mark.skipif(not shutil.which("promtool"), reason="promtool is not installed (Debian package: prometheus)")
@pytest.mark.parametrize(
    "arguments",
    ["check config monitoring/prometheus.yaml", "test rules monitoring/tests/checkout.yaml monitoring/tests/slo.yaml"],
)
def test_prometheus_accepts_its_rules(arguments: str) -> None:
    """Prometheus' own tool loads the configuration and passes the rules' unit tests."""
    done = run(CHECKOUT, "promtool", *arguments.split())
    assert 0 == done.returncode, done.stdout
    assert "SUCCESS" in done.stdout


@pytest.mark.skipif(not shutil.which("promtool"), reason="promtool is not installed (Debian package: prometheus)")
def test_prometheus_accepts_the_japanese_rules() -> None:
    """The Japanese example's defects are honest: its rule file is valid."""
    done = run(EXAMPLES / "notes-ja", "promtool", "check", "rules", "monitoring/rules.yaml")
    assert 0 == done.returncode, done.stdout


@pytest.mark.skipif(not shutil.which("amtool"), reason="amtool is not installed (Debian package: prometheus-alertmanager)")
@pytest.mark.parametrize(("severity", "receiver"), [("page", "checkout-on-call"), ("ticket", "checkout-tickets")])
def test_alertmanager_sends_pages_to_people(severity: str, receiver: str) -> None:
    """Alertmanager's own tool accepts the configuration and routes each severity where the README says."""
    configuration = "monitoring/alertmanager.yaml"
    checked = run(CHECKOUT, "amtool", "check-config", configuration)
    assert 0 == checked.returncode, checked.stdout
    routed = run(CHECKOUT, "amtool", "config", "routes", "test", f"--config.file={configuration}", f"severity={severity}")
    assert receiver in routed.stdout.split()
