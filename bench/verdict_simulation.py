"""How often does a rule fail code that keeps its budget, and how often does it catch code that does not?

    python bench/verdict_simulation.py [--repetitions N] [--seed N]

Each cell has the share of runs that FAIL, in percent, where the true p95 is 0.90, 0.95 or 1.00 times the budget (all
false alarms) and where it is 1.05, 1.10 or 1.25 times the budget (all true). The second table has the shares of pass
and inconclusive, and the median number of samples, for the rule that `judge` applies.

Standard library only. Three kinds of noise: independent lognormal times; times that resemble the one before (0.6)
with spikes; and slow episodes, as a noisy neighbour causes them, on a simulated clock that resting moves too.
"""

from __future__ import annotations

import argparse
import random
from collections.abc import Callable, Iterator
from math import exp
from statistics import median

from pytest_reliability.latency.budget import Budget
from pytest_reliability.latency.judge import judge
from pytest_reliability.latency.measuring import resting_time

RATIOS = (0.90, 0.95, 1.00, 1.05, 1.10, 1.25)
TYPICAL = 0.033
SPREAD = 0.25
CALIBRATION = 400_000


class Service:
    """Something whose calls take time, on a clock of its own."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.now = 0.0
        self.batch_began = 0.0

    def times(self) -> Iterator[float]:
        """How long each call takes; calling moves the clock."""
        while True:
            seconds = TYPICAL * self.call()
            self.now += seconds
            yield seconds

    def call(self) -> float:
        """One call's time, as a multiple of the typical one."""
        return exp(self.random.gauss(0.0, SPREAD))

    def rest(self) -> None:
        """Rest as a session does."""
        self.now += resting_time(self.now - self.batch_began)
        self.batch_began = self.now


class Autocorrelated(Service):
    """Times spread twice as wide, each resembles the one before, and one call in fifty takes four times as long."""

    def __init__(self, seed: int) -> None:
        super().__init__(seed)
        self.state = self.random.gauss(0.0, 2 * SPREAD)

    def call(self) -> float:
        """One call's time, as a multiple of the typical one."""
        self.state = 0.6 * self.state + self.random.gauss(0.0, 2 * SPREAD * 0.8)
        return exp(self.state) * (4.0 if self.random.random() < 0.02 else 1.0)


class Episodes(Service):
    """Every twenty seconds or so something else takes the processor for a second, and calls take half as long again."""

    def __init__(self, seed: int) -> None:
        super().__init__(seed)
        self.slow = self.random.random() < 1.0 / 21.0
        self.until = self._length()

    def call(self) -> float:
        """One call's time, as a multiple of the typical one."""
        while self.now >= self.until:
            self.slow = not self.slow
            self.until += self._length()
        return super().call() * (1.5 if self.slow else 1.0)

    def _length(self) -> float:
        return self.random.expovariate(1.0 if self.slow else 0.05)


def sample_quantile(samples: list[float]) -> float:
    """The sample's p95, interpolated as numpy does."""
    ordered = sorted(samples)
    place = (len(ordered) - 1) * 0.95
    below = int(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (place - below) * (ordered[above] - ordered[below])


def naive(n: int) -> Callable[[Service, Budget], tuple[str, int]]:
    """The rule that people write by hand: the p95 of n samples is over the budget."""

    def rule(service: Service, budget: Budget) -> tuple[str, int]:
        times = service.times()
        return ("fail" if sample_quantile([next(times) for _ in range(n)]) > budget.limit else "pass"), n

    return rule


def ours(service: Service, budget: Budget) -> tuple[str, int]:
    """The rule of this package."""
    verdict = judge(service.times(), budget, rest=service.rest)
    return verdict.outcome, verdict.n


def main() -> None:
    """Simulate and print."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--repetitions", type=int, default=300, help="runs for each cell (default: %(default)s)")
    options.add_argument("--seed", type=int, default=1)
    chosen = options.parse_args()

    rules = {"naive sample p95, n=20": naive(20), "naive sample p95, n=100": naive(100), "judge": ours}
    models: tuple[type[Service], ...] = (Service, Autocorrelated, Episodes)
    names = ("independent", "autocorrelated + spikes", "slow episodes")
    true_p95 = {model: _true_p95(model) for model in models}
    details: list[str] = []

    print(f"FAIL %, {chosen.repetitions} runs a cell, true p95 / budget = 0.90 0.95 1.00 | 1.05 1.10 1.25")
    print(f"{'':25}" + "".join(f"{name:36}" for name in names))
    for label, rule in rules.items():
        cells = []
        for model, name in zip(models, names, strict=True):
            results = {
                ratio: [
                    rule(model(chosen.seed + 1000 * run), Budget.parse(f"p95={true_p95[model] / ratio:.9f}s"))
                    for run in range(chosen.repetitions)
                ]
                for ratio in RATIOS
            }
            cells.append(_row([_percent(results[ratio], "fail") for ratio in RATIOS]))
            if rule is ours:
                details.append(f"{name}, pass %".ljust(40) + _row([_percent(results[r], "pass") for r in RATIOS]))
                unknown = [_percent(results[r], "inconclusive") for r in RATIOS]
                details.append(f"{name}, inconclusive %".ljust(40) + _row(unknown))
                sizes = [median(n for _, n in results[ratio]) for ratio in RATIOS]
                details.append(f"{name}, median samples".ljust(40) + _row(sizes))
        print(f"{label:25}" + "".join(f"{cell:36}" for cell in cells))
    print("", *details, sep="\n")


def _true_p95(model: type[Service]) -> float:
    times = model(seed=0).times()
    return sample_quantile([next(times) for _ in range(CALIBRATION)])


def _percent(results: list[tuple[str, int]], outcome: str) -> float:
    return 100.0 * sum(1 for found, _ in results if found == outcome) / len(results)


def _row(figures: list[float]) -> str:
    texts = [f"{figure:.1f}" if figure < 100 else f"{figure:.0f}" for figure in figures]
    return f"{' '.join(f'{text:>4}' for text in texts[:3])} | {' '.join(f'{text:>4}' for text in texts[3:])}"


if __name__ == "__main__":
    main()
