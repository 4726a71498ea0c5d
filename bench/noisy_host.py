"""Does a busy host make unchanged code fail, and is slower code still caught on it?

    python bench/noisy_host.py [--trials N] [--hogs N] [--margin PERCENT]

A function that computes for about two milliseconds gets a budget on its p95: what it takes just now without company, and a
margin. Then it is judged as it is and slowed 1.5 times, with no and with four other processes that take all the processor
time they can get; again and again. Beside it the rule that people write by hand, on the same function at the same time: the
p95 of 20 calls is over the budget.

Exits with 1 where unchanged code failed, or where slower code passed or was inconclusive without the host to blame: a virtual
machine has neighbours of its own, whose processor time shows as stolen. Where these leave, the machine grows faster: a trial that
slower code passed is void where that code, timed once more right after it, is within the budget indeed.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial

from pytest_reliability.latency.budget import Limits
from pytest_reliability.latency.host import Evidence, Load, preemption_counter
from pytest_reliability.latency.judge import FAIL, INCONCLUSIVE, PASS
from pytest_reliability.latency.sampler import Sampler
from pytest_reliability.latency.session import BudgetExceeded, Latency

TYPICAL = 0.002
SLOWDOWN = 1.5
NAIVE = 20
SETTLE = 0.5
BUSY = re.compile("host (?:busy|is too busy)")


def compute(steps: int) -> int:
    """Be busy for a time that is in proportion to `steps`."""
    number = 1
    for _ in range(steps):
        number = (number * 1103515245 + 12345) % 2147483648
    return number


def p95(samples: list[float]) -> float:
    """The sample's p95, interpolated as numpy does."""
    ordered = sorted(samples)
    place = (len(ordered) - 1) * 0.95
    below = int(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (place - below) * (ordered[above] - ordered[below])


def times(function: Callable[[], object], count: int) -> list[float]:
    """How long so many calls take, as a stopwatch says."""
    taken = []
    for _ in range(count):
        began = time.perf_counter()
        function()
        taken.append(time.perf_counter() - began)
    return taken


def steps_for(seconds: float) -> int:
    """How many steps take about so long here."""
    compute(100_000)
    return round(seconds / (min(times(partial(compute, 20_000), 50)) / 20_000))


def p95_now(steps: int) -> float:
    """The least p95 of four measurements, of samples that were not preempted: the others say more about the host's neighbours."""
    found = []
    for _ in range(4):
        sampler = Sampler(compute, (steps,), preemptions=preemption_counter())
        found.append(p95(sampler.draw(100, time.perf_counter() + 5.0) or [TYPICAL]))
        time.sleep(0.1)
    return min(found)


@contextmanager
def hogs(count: int) -> Iterator[None]:
    """So many processes beside this one that never wait."""
    started = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(count)]
    try:
        time.sleep(SETTLE if count else 0.0)
        yield
    finally:
        for process in started:
            process.kill()
            process.wait()


def judged(function: Callable[[], object], limits: Limits) -> tuple[str, str]:
    """The fixture's outcome, and its reason with what the host did."""
    latency = Latency(limits)
    with suppress(BudgetExceeded):
        latency(function)
    (measurement,) = latency.measurements
    return measurement.outcome, f"{measurement.reason}; {measurement.evidence[0]}"


@dataclass
class Row:
    """The trials of one kind: outcomes of the fixture, failures of the naive rule, reasons of what was inconclusive."""

    outcomes: Counter[str] = field(default_factory=Counter)
    naive: int = 0
    reasons: list[str] = field(default_factory=list)
    seconds: float = 0.0
    void: int = 0

    def trial(self, function: Callable[[], object], limits: Limits) -> None:
        """Judge by the fixture, then by the naive rule."""
        began = time.perf_counter()
        outcome, reason = judged(function, limits)
        self.seconds += time.perf_counter() - began
        self.outcomes[outcome] += 1
        if outcome == INCONCLUSIVE:
            self.reasons.append(reason)
        again = p95(times(function, NAIVE))
        self.naive += again > limits.budgets[0].limit
        self.void += outcome == PASS and again <= limits.budgets[0].limit

    @property
    def blamed(self) -> int:
        """How often the host was named as the reason for being inconclusive."""
        return sum(1 for reason in self.reasons if BUSY.search(reason))


def main() -> int:
    """Try and print; 1 where the promise is broken."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--trials", type=int, default=100, help="trials of each row (default: %(default)s)")
    options.add_argument("--hogs", type=int, default=4, help="processes beside it (default: %(default)s)")
    options.add_argument(
        "--margin", type=float, default=20.0, help="percent over the p95 of the quiet host (default: %(default)s)"
    )
    options.add_argument("--max-time", default="5s", help="for a batch, and to spread a failure over (default: %(default)s)")
    chosen = options.parse_args()

    steps, before = steps_for(TYPICAL), Load.now()
    rows = {(count, slowdown): Row() for count in (0, chosen.hogs) for slowdown in (1.0, SLOWDOWN)}
    quiet = []
    for trial in range(chosen.trials):
        if sys.stderr.isatty():
            print(f"\rtrial {trial + 1} of {chosen.trials} ", end="", file=sys.stderr, flush=True)
        for count in (0, chosen.hogs):
            quiet.append(p95_now(steps))
            limits = Limits.parse(p95=f"{quiet[-1] * (1 + chosen.margin / 100) * 1e6:.1f}us", max_time=chosen.max_time)
            with hogs(count):
                for slowdown in (1.0, SLOWDOWN):
                    rows[count, slowdown].trial(partial(compute, round(steps * slowdown)), limits)

    host = Evidence.between(before, Load.now(), measured=0, set_aside=0, guarded=True)
    print(f"p95 while quiet {min(quiet) * 1e3:.2f} to {max(quiet) * 1e3:.2f} ms, the budget {chosen.margin:g}% more each time")
    print(f"{chosen.trials} trials a row; all in all {host}")
    print(f"{'':22}{'pass':>6}{'inconclusive':>14}{'FAIL':>6}{'naive FAIL':>12}{'s a trial':>11}{'void':>6}")
    broken = False
    for (count, slowdown), row in rows.items():
        name = f"{count} hogs, {'unchanged' if slowdown == 1 else f'slowed {slowdown:g}x'}"
        figures = (row.outcomes[PASS], row.outcomes[INCONCLUSIVE], row.outcomes[FAIL])
        print(
            f"{name:22}{figures[0]:6}{figures[1]:14}{figures[2]:6}{row.naive:12}{row.seconds / chosen.trials:11.2f}"
            f"{row.void if slowdown > 1 else '':>6}"
        )
        for reason in row.reasons[:1]:
            print(f"{'':22}inconclusive, for example: {reason}")
        broken |= row.outcomes[FAIL] > 0 if slowdown == 1 else row.outcomes[FAIL] + row.blamed + row.void < chosen.trials
    return int(broken)


if __name__ == "__main__":
    raise SystemExit(main())
