"""What recording one latency sample costs, beyond the call itself.

    python bench/latency_overhead.py [--calls N] [--rounds N]

An empty function is called in a bare loop and by the sampler, in turns, so that a busy machine slows both alike; the
best round of each counts. "Inside" is what the recorded time of an empty call holds: the part that inflates a sample.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from math import inf
from statistics import median

from pytest_reliability.latency.host import preemption_counter
from pytest_reliability.latency.sampler import Sampler

LIMIT = 150.0
"""Nanoseconds that a sample may cost."""


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


def main() -> None:
    """Measure and print; exit 1 where the limit is passed."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--calls", type=int, default=2_000, help="calls in each round (default: %(default)s)")
    options.add_argument("--rounds", type=int, default=300, help="rounds (default: %(default)s)")
    chosen = options.parse_args()

    calls, guard = chosen.calls, preemption_counter()
    rounds = [(bare(calls), clock_pair(calls), *recorded(calls, None), *recorded(calls, guard)) for _ in range(chosen.rounds)]
    loop, pair, plain, inside, guarded, _ = map(min, zip(*rounds, strict=True))
    print(f"an empty call                    {loop:4.0f} ns")
    print(f"two readings of the clock        {pair:4.0f} ns")
    for name, cost in (("recorded", plain), ("recorded, preemption guarded", guarded)):
        more = cost - loop
        print(f"{name:32} {cost:4.0f} ns   {more:4.0f} ns more, {more / pair:.2f} times the two readings")
    print(f"inside the sample                {inside:4.0f} ns")
    if guarded - loop > LIMIT:
        raise SystemExit(f"recording a sample costs more than {LIMIT:.0f} ns")


if __name__ == "__main__":
    main()
