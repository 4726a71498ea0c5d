"""Latency budgets beside the plugins that people have: the real ones, each in a run of its own."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from conftest import NEIGHBOURS, QUIET_HOST, TRACED_HOST

Run = Callable[..., pytest.RunResult]


@pytest.fixture
def beside(pytester, monkeypatch):
    """Run tests in a fresh process with only these of the neighbours awake, and the report of what was measured."""

    def run(tests: str, *arguments: str, plugin: str = "", reliability: bool = True, host: str = QUIET_HOST) -> pytest.RunResult:
        others = (f"-p no:{name}" for name in NEIGHBOURS if name != plugin)
        monkeypatch.setenv("PYTEST_ADDOPTS", " ".join(others))
        for name in ("PYTEST_XDIST_WORKER", "PYTEST_XDIST_WORKER_COUNT", "PYTEST_XDIST_TESTRUNUID"):
            monkeypatch.delenv(name, raising=False)  # the inner run is not one of our own workers
        pytester.makeconftest(host)
        (pytester.path / "README.md").touch()
        path = pytester.makepyfile(test_it="import time, pytest\n" + tests)
        options = ["--reliability", "--reliability-report=report.json"] if reliability else []
        return pytester.runpytest_subprocess(*options, path.name, *arguments)

    return run


def outcomes(pytester: pytest.Pytester) -> dict[str, str]:
    """What became of each budget."""
    report = json.loads((Path(pytester.path) / "report.json").read_text(encoding="utf-8"))
    return {measured["name"]: measured["outcome"] for measured in report["measurements"]}


ASYNCHRONOUS = """
import asyncio

async def answer():
    await asyncio.sleep(0)

{marks}
@pytest.mark.latency_budget(p95="5m")
async def test_awaited(latency):
    loop = asyncio.get_running_loop()

    async def ask():
        assert asyncio.get_running_loop() is loop
        await answer()

    await latency.run(ask)

{marks}
@pytest.mark.latency_budget(p95="5m")
async def test_loop(latency):
    async for _ in latency:
        with latency.sample("answer"):
            await answer()

{marks}
@pytest.mark.latency_budget(p95="1us")
async def test_slow(latency):
    await latency.run(asyncio.sleep, 0.001)
"""

JUDGED = {"test_awaited": "pass", "answer": "pass", "test_slow": "fail"}


@pytest.mark.parametrize(("mode", "marks"), [("strict", "@pytest.mark.asyncio"), ("auto", "")])
def test_asyncio(beside, pytester, mode, marks):
    """pytest-asyncio runs the test's loop, and the calls are awaited in that same one."""
    result = beside(ASYNCHRONOUS.format(marks=marks), "-o", f"asyncio_mode={mode}", plugin="asyncio")
    result.assert_outcomes(passed=2, failed=1)
    assert JUDGED == outcomes(pytester)


def test_asyncio_without_judging(beside):
    """Each is called once."""
    result = beside(ASYNCHRONOUS.format(marks="@pytest.mark.asyncio"), plugin="asyncio", reliability=False)
    result.assert_outcomes(passed=3)


ANYIO = """
import anyio, sniffio

@pytest.fixture
def anyio_backend():
    return "{backend}"

pytestmark = pytest.mark.anyio

@pytest.mark.latency_budget(p95="5m")
async def test_awaited(latency):
    await latency.run(anyio.sleep, 0)

@pytest.mark.latency_budget(p95="5m")
async def test_loop(latency):
    async for _ in latency:
        with latency.sample("answer"):
            await anyio.sleep(0)

@pytest.mark.latency_budget(p95="1us")
async def test_slow(latency):
    await latency.run(anyio.sleep, 0.001)
"""


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_anyio(beside, pytester, backend):
    """With either event loop."""
    pytest.importorskip("anyio")
    if backend == "trio":
        pytest.importorskip("trio", reason="trio is not installed")
    result = beside(ANYIO.replace(", sniffio", "").format(backend=backend))
    result.assert_outcomes(passed=2, failed=1)
    assert JUDGED == outcomes(pytester)


def test_benchmark(beside, pytester):
    """Both fixtures, in one run and in one test."""
    tests = """
def test_benchmark(benchmark):
    benchmark.pedantic(int, rounds=3)

@pytest.mark.latency_budget(p95="5m")
def test_budget(latency):
    latency(int)

@pytest.mark.latency_budget(p95="5m")
def test_both(latency, benchmark):
    latency(int)
    benchmark.pedantic(int, rounds=3)
"""
    result = beside(tests, plugin="benchmark")
    result.assert_outcomes(passed=3)
    assert {"test_budget": "pass", "test_both": "pass"} == outcomes(pytester)
    result.stdout.fnmatch_lines(["*benchmark: 2 tests*"])


def test_timeout(beside, pytester):
    """A test that measures within its timeout is judged; one that does not fails for the timeout, and for nothing else."""
    tests = """
@pytest.mark.timeout(60)
@pytest.mark.latency_budget(p95="5m")
def test_within(latency):
    latency(time.sleep, 0.001)

@pytest.mark.timeout(0.2)
@pytest.mark.latency_budget(p95="5m")
def test_beyond(latency):
    latency(time.sleep, 0.1)
"""
    result = beside(tests, plugin="timeout")
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["*Timeout (>0.2s) from pytest-timeout*"])
    assert {"test_within": "pass"} == outcomes(pytester)


def test_randomly(beside, pytester):
    """In whatever order; every call of a test goes on with the random numbers, as in production."""
    tests = """
import random

@pytest.mark.parametrize("number", range(5))
@pytest.mark.latency_budget(p95="5m")
def test_fast(latency, number):
    seen = set()
    latency(lambda: seen.add(random.random()))
    assert len(seen) > 20
"""
    result = beside(tests, "-p", "randomly", "-p", "no:xdist", plugin="randomly")
    result.assert_outcomes(passed=5)
    result.stdout.fnmatch_lines(["Using --randomly-seed=*"])
    assert {f"test_fast[{number}]": "pass" for number in range(5)} == outcomes(pytester)


def test_rerunfailures(beside, pytester):
    """Only the last attempt is told, and that it was not the first."""
    tests = """
attempts = 0

@pytest.mark.latency_budget(p95="20ms")
def test_flaky(latency):
    global attempts
    attempts += 1
    latency(time.sleep, 0.021 if attempts == 1 else 0.0)
"""
    result = beside(tests, "--reruns", "2", plugin="rerunfailures")
    assert {"passed": 1, "rerun": 1} == {key: value for key, value in result.parseoutcomes().items() if key != "warnings"}
    assert {"test_flaky": "pass"} == outcomes(pytester)
    result.stdout.fnmatch_lines(["*note: measured again in attempt 2, because the test failed before*"])
    report = json.loads((pytester.path / "report.json").read_text(encoding="utf-8"))
    assert 1 == len(report["measurements"])


COVERED = """
def call():
    return sum(range(10))

@pytest.mark.latency_budget(p95="5m")
def test_fast(latency):
    latency(call)

@pytest.mark.latency_budget(p95="1ns")
def test_slow(latency):
    latency(call)
"""


@pytest.mark.parametrize("core", ["ctrace", "sysmon"])
def test_cov(beside, pytester, monkeypatch, core):
    """Coverage makes calls slower: what is kept even so is kept, and what is broken is not proven broken."""
    if core == "sysmon" and sys.version_info < (3, 12):
        pytest.skip("sys.monitoring is new in Python 3.12")
    for name in ("COV_CORE_SOURCE", "COV_CORE_CONFIG", "COV_CORE_DATAFILE", "COVERAGE_PROCESS_START", "COVERAGE_PROCESS_CONFIG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("COVERAGE_CORE", core)
    result = beside(COVERED, "--cov=test_it", "--cov-report=", host=TRACED_HOST)
    result.assert_outcomes(passed=2, warnings=1)
    assert {"test_fast": "pass", "test_slow": "inconclusive"} == outcomes(pytester)
    result.stdout.fnmatch_lines(["*LatencyInconclusive: test_slow*but coverage is tracing, so that calls are slower*"])


def test_xdist(beside, pytester):
    """On two workers every budget is judged, and none is lost."""
    tests = """
@pytest.mark.parametrize("number", range(3))
@pytest.mark.latency_budget(p95="5m")
def test_fast(latency, number):
    latency(time.sleep, 0.0001)

@pytest.mark.latency_budget(p95="1us")
def test_slow(latency):
    latency(time.sleep, 0.001)

@pytest.mark.parametrize("number", range(20))
def test_plain(number):
    pass
"""
    result = beside(tests, "-n", "2")
    result.assert_outcomes(passed=23, failed=1)
    assert {**{f"test_fast[{number}]": "pass" for number in range(3)}, "test_slow": "fail"} == outcomes(pytester)


@pytest.mark.skipif(sys.platform == "win32", reason="pexpect needs a Unix terminal")
def test_debugger(beside, pytester):
    """--pdb stops where the budget broke, with the test's own frame in sight; nothing is held up afterwards."""
    tests = """
@pytest.mark.latency_budget(p95="1us")
def test_slow(latency):
    where = "here"
    latency(time.sleep, 0.001)
"""
    path = pytester.makepyfile(test_it="import time, pytest\n" + tests)
    pytester.makeconftest(QUIET_HOST)
    (pytester.path / "README.md").touch()
    done = pytester.run(
        sys.executable,
        "-m",
        "pytest",
        "--reliability",
        "--pdb",
        path.name,
        *(f"-pno:{name}" for name in NEIGHBOURS),
        stdin=b"p where\nc\n",
    )
    done.stdout.fnmatch_lines(["*BudgetExceeded*", "*entering PDB*", "*'here'*", "*1 failed*"])
