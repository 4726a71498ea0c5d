"""What a latency budget costs: in a sample that is recorded, and in a marked test that is not judged.

    python bench/overhead.py [--calls N] [--rounds N] [--tests N]

First, an empty function is called in a bare loop, by the sampler and within `with latency.sample(...)`, in turns, so that a
busy machine slows all alike; the best round of each counts. "Inside" is what the recorded time of an empty call holds:
the part that inflates a sample.

Then pytest runs as many marked tests as plain ones, in turns, without --reliability. The median of each kind counts, each
test with its setup and teardown. A third kind uses a fixture that does nothing, because pytest charges for any fixture.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from math import inf
from pathlib import Path
from statistics import median

from pytest_reliability.latency.budget import Limits
from pytest_reliability.latency.host import preemption_counter
from pytest_reliability.latency.sampler import Sampler
from pytest_reliability.latency.session import Latency

LIMIT = 150.0
"""Nanoseconds that a sample may cost in the form of a call."""

DORMANT_LIMIT = 1.1
"""How many times as long as one with an empty fixture a marked test may take."""

TESTS = '''
import pytest

@pytest.fixture
def nothing(request):
    """The least that a fixture can be that knows its test, and cleans up after it."""
    yield

def work():
    return sum(range(100))
'''

KINDS = {
    "plain": "def test_plain_{}():\n    assert work() == 4950\n",
    "fixture": "def test_fixture_{}(nothing):\n    assert work() == 4950\n",
    "marked": '@pytest.mark.latency_budget(p95="50ms")\ndef test_marked_{}(latency):\n    assert latency(work) == 4950\n',
}

TIMING = """
import json, time
import pytest

TOOK = {}

@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item):
    began = time.perf_counter()
    try:
        return (yield)
    finally:
        TOOK.setdefault(item.name.split("_")[1], []).append(time.perf_counter() - began)

def pytest_sessionfinish():
    with open("took.json", "w") as file:
        json.dump(TOOK, file)
"""


def nothing() -> None:
    """Do nothing."""


def bare(calls: int) -> float:
    """The nanoseconds that an empty call takes in a loop."""
    start = time.perf_counter_ns()
    for _ in range(calls):
        nothing()
    return (time.perf_counter_ns() - start) / calls


def clock_pair(calls: int) -> float:
    """The nanoseconds that reading the clock twice takes in a loop: the least that a sample can cost."""
    clock = time.perf_counter
    start = time.perf_counter_ns()
    for _ in range(calls):
        clock()
        clock()
    return (time.perf_counter_ns() - start) / calls


def recorded(calls: int, preemptions: Callable[[], int] | None) -> tuple[float, float]:
    """The nanoseconds that recording an empty call takes, and how many of them the sample holds."""
    sampler = Sampler(nothing, preemptions=preemptions)
    sampler.draw(1000, inf)
    start = time.perf_counter_ns()
    samples = sampler.draw(calls, inf)
    took = time.perf_counter_ns() - start
    if sampler.too_busy or not samples:
        return inf, inf
    return took / len(samples), median(samples) * 1e9


def sampled(calls: int, preemptions: Callable[[], int] | None) -> float:
    """The nanoseconds that an empty call takes within `with latency.sample(...)`."""
    latency = Latency(Limits.parse(p95="50ms"), preemptions=preemptions)
    start = time.perf_counter_ns()
    for _ in range(calls):
        with latency.sample("nothing"):
            nothing()
    return (time.perf_counter_ns() - start) / calls


def dormant(tests: int) -> dict[str, float]:
    """The median seconds of each kind of test, without --reliability."""
    with tempfile.TemporaryDirectory() as folder:
        source = "\n".join([TESTS, *(text.format(number) for number in range(tests) for text in KINDS.values())])
        Path(folder, "test_dormant.py").write_text(source)
        Path(folder, "conftest.py").write_text(TIMING)
        environment = {
            key: value for key, value in os.environ.items() if key not in ("PYTEST_ADDOPTS", "PYTHONDONTWRITEBYTECODE")
        }
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:randomly", "-p", "no:xdist"]
        done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
        if done.returncode:
            raise SystemExit(done.stdout + done.stderr)
        took: dict[str, list[float]] = json.loads(Path(folder, "took.json").read_text())
    return {kind: median(times) for kind, times in took.items()}


def main() -> int:
    """Measure and print; 1 where a limit is passed."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--calls", type=int, default=2_000, help="calls in each round (default: %(default)s)")
    options.add_argument("--rounds", type=int, default=300, help="rounds (default: %(default)s)")
    options.add_argument("--tests", type=int, default=500, help="tests of each kind (default: %(default)s)")
    chosen = options.parse_args()

    calls, guard = chosen.calls, preemption_counter()
    rounds = [
        (
            bare(calls),
            clock_pair(calls),
            *recorded(calls, None),
            *recorded(calls, guard),
            sampled(calls, None),
            sampled(calls, guard),
        )
        for _ in range(chosen.rounds)
    ]
    loop, pair, plain, inside, guarded, _, within, within_guarded = map(min, zip(*rounds, strict=True))
    print(f"an empty call                          {loop:5.0f} ns")
    print(f"two readings of the clock              {pair:5.0f} ns")
    for name, cost in (
        ("latency(…), unguarded", plain),
        ("latency(…)", guarded),
        ("with latency.sample(…), unguarded", within),
        ("with latency.sample(…)", within_guarded),
    ):
        more = cost - loop
        print(f"{name:38} {cost:5.0f} ns   {more:5.0f} ns more, {more / pair:.2f} times the two readings")
    print(f"inside the sample                      {inside:5.0f} ns")

    took = dormant(chosen.tests)
    print(f"\na test without --reliability, {chosen.tests} of each kind in turns, median")
    for kind in KINDS:
        print(f"{kind:38} {took[kind] * 1e6:5.0f} µs")
    ratio = took["marked"] / took["fixture"]
    print(f"marked / empty fixture                 {ratio:5.2f}")
    print(f"marked / plain                         {took['marked'] / took['plain']:5.2f}")
    return int(guarded - loop > LIMIT or ratio > DORMANT_LIMIT)


if __name__ == "__main__":
    raise SystemExit(main())
