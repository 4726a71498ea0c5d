"""Does a busy host make unchanged code fail, and is slower code still caught on it?

    python bench/noisy_host.py [--trials N] [--hogs N] [--margin PERCENT]

A function that computes for about two milliseconds gets a budget on its p95: what it takes while the host is as quiet as
it is, and a margin. Then it is judged again and again as it is and slowed 1.5 times, with no and with four other
processes that take all the processor time they can get. Beside it the rule that people write by hand, on the same function
at the same time: the p95 of 20 calls is over the budget.

Exits with 1 where unchanged code failed, or where slower code passed or was inconclusive without the host to blame: a virtual
machine has neighbours of its own, whose processor time shows as stolen.
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


def calibrate() -> tuple[int, float]:
    """How many steps take about two milliseconds here, and the slowest p95 of five measurements over five seconds."""
    compute(100_000)
    per_step = min(times(partial(compute, 20_000), 50)) / 20_000
    steps = round(TYPICAL / per_step)
    found = []
    for _ in range(5):
        sampler = Sampler(compute, (steps,), preemptions=preemption_counter())
        found.append(p95(sampler.draw(200, time.perf_counter() + 5.0) or [TYPICAL]))
        time.sleep(0.6)
    return steps, max(found)


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


def trial_row(function: Callable[[], object], limits: Limits, trials: int) -> tuple[Counter[str], int, Counter[str], str, float]:
    """Outcomes of the fixture, how often the naive rule fails, reasons of inconclusive ones, the host, and seconds a trial."""
    outcomes: Counter[str] = Counter()
    reasons: Counter[str] = Counter()
    naive, before, began = 0, Load.now(), time.perf_counter()
    for _ in range(trials):
        outcome, reason = judged(function, limits)
        outcomes[outcome] += 1
        if outcome == INCONCLUSIVE:
            reasons[reason] += 1
        naive += p95(times(function, NAIVE)) > limits.budgets[0].limit
    host = str(Evidence.between(before, Load.now(), measured=0, set_aside=0, guarded=True)).replace("0% preempted, ", "")
    return outcomes, naive, reasons, host, (time.perf_counter() - began) / trials


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

    steps, quiet = calibrate()
    budget = quiet * (1 + chosen.margin / 100)
    limits = Limits.parse(p95=f"{budget * 1e6:.1f}us", max_time=chosen.max_time)
    print(f"p95 {quiet * 1e3:.2f} ms while quiet, budget p95 ≤ {budget * 1e3:.2f} ms, {chosen.trials} trials a row")
    print(f"{'':22}{'pass':>6}{'inconclusive':>14}{'FAIL':>6}{'naive FAIL':>12}{'s a trial':>11}")
    broken = False
    for count in (0, chosen.hogs):
        for slowdown in (1.0, SLOWDOWN):
            with hogs(count):
                row = trial_row(partial(compute, round(steps * slowdown)), limits, chosen.trials)
            outcomes, naive, reasons, host, seconds = row
            name = f"{count} hogs, {'unchanged' if slowdown == 1 else f'slowed {slowdown:g}x'}"
            figures = (outcomes[PASS], outcomes[INCONCLUSIVE], outcomes[FAIL])
            print(f"{name:22}{figures[0]:6}{figures[1]:14}{figures[2]:6}{naive:12}{seconds:11.2f}   {host}")
            for reason, _ in reasons.most_common(1):
                print(f"{'':22}inconclusive, for example: {reason}")
            if slowdown == 1:
                broken |= outcomes[FAIL] > 0
            else:
                blamed = sum(times for reason, times in reasons.items() if BUSY.search(reason))
                broken |= outcomes[FAIL] + blamed < chosen.trials
    return int(broken)


if __name__ == "__main__":
    raise SystemExit(main())
