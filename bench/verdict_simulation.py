"""How often does a rule fail code that keeps its budget, and how often does it catch code that does not?

    python bench/verdict_simulation.py [--repetitions N] [--seed N] [--models tuned|held-out|all] [--quick]

Every model of noise is a simulated service on a simulated clock. Its true p95 is found from two million calls; the budget is
then set so that the true p95 is 0.80, 0.90, 0.95 or 1.00 times the budget (every FAIL is a false alarm) or 1.05, 1.10, 1.25
or 1.50 times the budget (every FAIL is right). Levels, looks and rests of the rule were chosen on the tuned models; the ones
that were held out were written before that and looked at once, at the end.

All rules see the same calls, so that what differs between two lines of a table is the rule. Standard library only.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import chain, islice
from math import exp, inf, log
from random import Random
from statistics import fmean, median

from pytest_reliability.latency.binomial import surprisingly_many
from pytest_reliability.latency.budget import MAX_TIME, Budget
from pytest_reliability.latency.judge import FAIL, INCONCLUSIVE, PASS, REST, judge, resting_time, sequential

RATIOS = (0.80, 0.90, 0.95, 1.00, 1.05, 1.10, 1.25, 1.50)
CALIBRATION_RUNS, CALIBRATION_CALLS = 4_000, 500
BLOCK = 50
"""Repetitions that a worker does at a time."""

Calls = Callable[[Random], Iterator[float]]
"""How many seconds each call takes as long as nothing disturbs it, for ever."""


@dataclass(frozen=True, slots=True)
class Episodes:
    """Times in which something else uses the machine: `every` so many seconds calls take `factor` times as long, for `lasting`.

    Both are means of exponential distributions; a run begins at any moment of this.
    """

    every: float
    lasting: float
    factor: float


@dataclass(frozen=True, slots=True)
class Model:
    """A kind of service. `settles` calls are left out when its true p95 is sought: what it becomes counts, not its start."""

    name: str
    calls: Calls
    episodes: Episodes | None = None
    settles: int = 0


def lognormal(typical: float, spread: float) -> Calls:
    """Independent times."""

    def calls(random: Random) -> Iterator[float]:
        gauss = random.gauss
        while True:
            yield typical * exp(gauss(0.0, spread))

    return calls


def cache(hit: float, miss: float, misses: float, spread: float) -> Calls:
    """A cache hit, or, with probability `misses`, the much slower and much more variable miss."""

    def calls(random: Random) -> Iterator[float]:
        while True:
            if random.random() < misses:
                yield miss * exp(random.gauss(0.0, spread))
            else:
                yield hit * exp(random.gauss(0.0, 0.2))

    return calls


def pareto(least: float, shape: float) -> Calls:
    """A tail so heavy that its variance is infinite for a shape of 2 or less."""

    def calls(random: Random) -> Iterator[float]:
        while True:
            yield least * random.paretovariate(shape)

    return calls


def gamma(mean: float, shape: float) -> Calls:
    """The sum of a few exponential waits."""

    def calls(random: Random) -> Iterator[float]:
        while True:
            yield random.gammavariate(shape, mean / shape)

    return calls


def autocorrelated(typical: float, spread: float, resemblance: float, spikes: float = 0.0) -> Calls:
    """Each time resembles the one before it; with probability `spikes` it is four times as long."""

    def calls(random: Random) -> Iterator[float]:
        gauss = random.gauss
        state, fresh = gauss(0.0, spread), spread * (1.0 - resemblance**2) ** 0.5
        while True:
            state = resemblance * state + gauss(0.0, fresh)
            yield typical * exp(state) * (4.0 if random.random() < spikes else 1.0)

    return calls


def spiky(typical: float, spikes: float, factor: float) -> Calls:
    """Now and then a call takes many times as long."""

    def calls(random: Random) -> Iterator[float]:
        gauss = random.gauss
        while True:
            yield typical * exp(gauss(0.0, 0.25)) * (factor if random.random() < spikes else 1.0)

    return calls


def collected(typical: float, period: int, pause: float) -> Calls:
    """Every so many calls, give or take a tenth, garbage is collected and the call waits for it."""

    def calls(random: Random) -> Iterator[float]:
        gauss = random.gauss
        left = random.randrange(period)
        while True:
            left -= 1
            paused = left <= 0
            if paused:
                left = round(period * random.uniform(0.9, 1.1))
            yield typical * exp(gauss(0.0, 0.25)) + (pause * exp(gauss(0.0, 0.3)) if paused else 0.0)

    return calls


def warming(typical: float, slower: float, after: float) -> Calls:
    """The first calls take `slower` times as long, which fades over about `after` calls."""

    def calls(random: Random) -> Iterator[float]:
        gauss = random.gauss
        excess = slower - 1.0
        while True:
            yield typical * exp(gauss(0.0, 0.25)) * (1.0 + excess)
            excess *= exp(-1.0 / after)

    return calls


def machines(typical: float, differing: float) -> Calls:
    """Each run is on a machine, or in a process, that is a little faster or slower than others throughout."""

    def calls(random: Random) -> Iterator[float]:
        gauss = random.gauss
        speed = typical * exp(gauss(0.0, differing))
        while True:
            yield speed * exp(gauss(0.0, 0.25))

    return calls


TUNED = (
    Model("lognormal", lognormal(0.033, 0.25)),
    Model("cache, 20% misses", cache(0.005, 0.040, 0.20, 0.6)),
    Model("Pareto tail, shape 2.5", pareto(0.010, 2.5)),
    Model("autocorrelated 0.6 + spikes", autocorrelated(0.033, 0.5, 0.6, 0.02)),
    Model("short episodes, 1 s of 1.5x", lognormal(0.033, 0.25), Episodes(20.0, 1.0, 1.5)),
    Model("long episodes, 10 s of 1.5x", lognormal(0.033, 0.25), Episodes(200.0, 10.0, 1.5)),
    Model("warm-up drift, 2.5x", warming(0.033, 2.5, 40.0), settles=400),
    Model("run-to-run speed, 4%", machines(0.033, 0.04)),
)
"""What the rule was tuned on."""

HELD_OUT = (
    Model("gamma, shape 4", gamma(0.020, 4.0)),
    Model("cache, 10% misses", cache(0.008, 0.050, 0.10, 0.5)),
    Model("Pareto tail, shape 1.8", pareto(0.008, 1.8)),
    Model("spikes, 3% of 10x", spiky(0.025, 0.03, 10.0)),
    Model("garbage collection, each 15th", collected(0.010, 15, 0.030)),
    Model("autocorrelated 0.9", autocorrelated(0.015, 0.3, 0.9)),
    Model("episodes, 4 s of 2x", lognormal(0.010, 0.3), Episodes(90.0, 4.0, 2.0)),
    Model("very long episodes, 30 s of 1.5x", lognormal(0.020, 0.25), Episodes(600.0, 30.0, 1.5)),
)
"""What was set aside before anything was tuned."""

MODELS = {model.name: model for model in TUNED + HELD_OUT}


class Run:
    """One run of a service, which every rule sees alike: its calls, and when it is disturbed."""

    def __init__(self, model: Model, seed: int) -> None:
        random = Random(f"{model.name} {seed}")
        self._calls = model.calls(Random(random.random()))
        self._taken: list[float] = []
        self._episodes = model.episodes
        self._random = random
        self._changes: list[float] = []
        self._began_slow = False
        if model.episodes is not None:
            self._began_slow = random.random() * (model.episodes.every + model.episodes.lasting) < model.episodes.lasting

    def replayed(self) -> Player:
        """The same run, from its start."""
        return Player(self)

    def calls(self, begin: int, end: int) -> list[float]:
        """The undisturbed seconds of some calls."""
        if end > len(self._taken):
            self._taken.extend(islice(self._calls, end - len(self._taken)))
        return self._taken[begin:end]

    def factor(self, period: int) -> float:
        """By how much calls are slower in the time before the change number `period`."""
        slow = self._began_slow ^ (period % 2 == 1)
        return self._episodes.factor if self._episodes is not None and slow else 1.0

    def change(self, period: int) -> float:
        """When the change number `period` comes."""
        if self._episodes is None:
            return inf
        while period >= len(self._changes):
            slow = self._began_slow ^ (len(self._changes) % 2 == 1)
            length = self._random.expovariate(1.0 / (self._episodes.lasting if slow else self._episodes.every))
            self._changes.append((self._changes[-1] if self._changes else 0.0) + length)
        return self._changes[period]


class Player:
    """A run as one rule lives through it; `now` is its clock."""

    def __init__(self, run: Run) -> None:
        self.now = 0.0
        self._run = run
        self._place = 0
        self._period = 0

    def take(self, count: int) -> list[float]:
        """Call so many times."""
        calls = self._run.calls(self._place, self._place + count)
        self._place += count
        if self._run.change(0) == inf:
            self.now += sum(calls)
            return calls
        now, change, factor = self._now()
        for index, call in enumerate(calls):
            if now >= change:
                self.now = now
                now, change, factor = self._now()
            calls[index] = seconds = call * factor
            now += seconds
        self.now = now
        return calls

    def rest(self, seconds: float) -> None:
        """Let time pass."""
        self.now += seconds

    def _now(self) -> tuple[float, float, float]:
        while self.now >= self._run.change(self._period):
            self._period += 1
        return self.now, self._run.change(self._period), self._run.factor(self._period)


@dataclass(frozen=True, slots=True)
class Found:
    """What a rule said about one run, after how many samples and seconds."""

    outcome: str
    samples: int
    seconds: float


Rule = Callable[[Player, Budget, float], Found]
"""Called with the run, the budget, and the mean of a hundred calls of an earlier run at the budget."""


def naive(n: int, player: Player, budget: Budget, baseline: float) -> Found:
    """What people write by hand: the p95 of n samples is over the budget."""
    over = sample_p95(player.take(n)) > budget.limit
    return Found(FAIL if over else PASS, n, player.now)


def mean_compared(player: Player, budget: Budget, baseline: float) -> Found:
    """The mean of a hundred samples is 5% over that of an earlier run."""
    over = fmean(player.take(100)) > 1.05 * baseline
    return Found(FAIL if over else PASS, 100, player.now)


def fixed(player: Player, budget: Budget, baseline: float) -> Found:
    """A binomial test of 500 samples at 1%."""
    over = sum(1 for sample in player.take(500) if sample > budget.limit)
    return Found(FAIL if over >= surprisingly_many(500, 0.05, 0.01) else PASS, 500, player.now)


def sprt(player: Player, budget: Budget, baseline: float) -> Found:
    """Wald's test of 5% over against 10%, at 0.1% and 5%, evaluated after every ten samples for as long as our rule measures."""
    over, within = log(0.10 / 0.05), log(0.90 / 0.95)
    fails, passes = log(0.95 / 0.001), log(0.05 / 0.999)
    evidence, samples = 0.0, 0
    while passes < evidence < fails and player.now < MAX_TIME:
        slow = sum(1 for sample in player.take(10) if sample > budget.limit)
        samples += 10
        evidence += slow * over + (10 - slow) * within
    outcome = FAIL if evidence >= fails else PASS if evidence <= passes else INCONCLUSIVE
    return Found(outcome, samples, player.now)


def ours(player: Player, budget: Budget, baseline: float) -> Found:
    """The rule of this package, driven as a session drives it."""
    steps = sequential(budget, MAX_TIME)
    rests, began = 0, 0.0
    wanted = next(steps)
    while True:
        received: list[float] = []
        if wanted == REST:
            player.rest(resting_time(player.now - began, rests))
            rests, began = rests + 1, player.now
        else:
            received = player.take(wanted)
        try:
            wanted = steps.send(received)
        except StopIteration as decided:
            return Found(decided.value.outcome, decided.value.n, player.now)


def alone(player: Player, budget: Budget, baseline: float) -> Found:
    """The public function with nothing that rests: what it waits for passes in samples that are not judged."""
    verdict = judge(chain.from_iterable(iter(partial(player.take, 10), None)), budget)
    return Found(verdict.outcome, verdict.n, player.now)


RULES: dict[str, Rule] = {
    "naive p95, n=20": partial(naive, 20),
    "naive p95, n=100": partial(naive, 100),
    "mean over baseline + 5%": mean_compared,
    "binomial test, n=500": fixed,
    "Wald's SPRT": sprt,
    "ours": ours,
}


def sample_p95(samples: list[float]) -> float:
    """The sample's p95, interpolated as numpy does."""
    ordered = sorted(samples)
    place = (len(ordered) - 1) * 0.95
    below = int(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (place - below) * (ordered[above] - ordered[below])


def true_p95(name: str) -> float:
    """The p95 of all calls that the service will ever answer."""
    model = MODELS[name]
    calls: list[float] = []
    for seed in range(CALIBRATION_RUNS):
        player = Run(model, -1 - seed).replayed()
        player.take(model.settles)
        calls += player.take(CALIBRATION_CALLS)
    return sample_p95(calls)


def simulate(task: tuple[str, float, range]) -> dict[tuple[str, float], list[Found]]:
    """What every rule says at every ratio about some runs."""
    name, p95, seeds = task
    model = MODELS[name]
    found: dict[tuple[str, float], list[Found]] = {(rule, ratio): [] for rule in RULES for ratio in RATIOS}
    budgets = {ratio: Budget.parse(f"p95={p95 / ratio:.9f}s") for ratio in RATIOS}
    for seed in seeds:
        run = Run(model, seed)
        earlier = Run(model, seed + 1_000_000_000).replayed()
        earlier.take(model.settles)
        baseline = fmean(earlier.take(100))
        for (rule, ratio), results in found.items():
            results.append(RULES[rule](run.replayed(), budgets[ratio], baseline / ratio))
    return found


def main() -> None:
    """Simulate and print."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--repetitions", type=int, default=400, help="runs for each cell (default: %(default)s)")
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--models", choices=("tuned", "held-out", "all"), default="tuned")
    options.add_argument("--alone", action="store_true", help="also the public function with nothing that rests")
    options.add_argument("--quick", action="store_true", help="a hundred runs for each cell")
    chosen = options.parse_args()
    if chosen.alone:
        RULES["judge() without a rest"] = alone
    models = {"tuned": TUNED, "held-out": HELD_OUT, "all": TUNED + HELD_OUT}[chosen.models]
    repetitions = 100 if chosen.quick else chosen.repetitions

    print(f"{repetitions} runs a cell, seed {chosen.seed}; FAIL % where true p95 / budget is")
    print(_heading())
    with ProcessPoolExecutor(os.cpu_count()) as workers:
        first = chosen.seed * 10_000_000
        seeds = [range(first + begin, first + min(begin + BLOCK, repetitions)) for begin in range(0, repetitions, BLOCK)]
        names = [model.name for model in models]
        for name, p95 in zip(names, workers.map(true_p95, names), strict=True):
            blocks = list(workers.map(simulate, [(name, p95, block) for block in seeds]))
            found = {cell: [result for block in blocks for result in block[cell]] for cell in blocks[0]}
            print(f"\n{name}, p95 {p95 * 1000:.1f} ms", *_table(found), sep="\n", flush=True)
    print("\nCalls of 1 ms with a budget 20% above their p95, which become so many times slower: median seconds until ours FAILs")
    print("  " + ", ".join(f"{slower:g}x {_waited(slower, min(repetitions, 200)):.1f}" for slower in (1.5, 2.0, 5.0, 20.0)))


def _waited(slower: float, repetitions: int) -> float:
    """How long people wait for a FAIL of calls that have become slower."""
    model = Model("slower", lognormal(0.001 * slower, 0.25))
    budget = Budget.parse(f"p95={1.2 * 0.001 * exp(1.6449 * 0.25):.9f}s")
    return median(ours(Run(model, seed).replayed(), budget, 0.0).seconds for seed in range(repetitions))


def _table(found: dict[tuple[str, float], list[Found]]) -> Iterator[str]:
    for rule in RULES:
        yield _row(rule, [_percent(found[rule, ratio], FAIL) for ratio in RATIOS])
    cells = [found["ours", ratio] for ratio in RATIOS]
    yield _row("ours, pass %", [_percent(cell, PASS) for cell in cells])
    yield _row("ours, inconclusive %", [_percent(cell, INCONCLUSIVE) for cell in cells])
    yield _row("ours, median samples", [median(result.samples for result in cell) for cell in cells])
    yield _row("ours, median seconds", [median(result.seconds for result in cell) for cell in cells])
    failed = [[result.seconds for result in cell if result.outcome == FAIL] for cell in cells]
    yield _row("ours, median seconds to FAIL", [median(cell) if cell else None for cell in failed])


def _percent(results: list[Found], outcome: str) -> float:
    return 100.0 * sum(1 for result in results if result.outcome == outcome) / len(results)


def _heading() -> str:
    texts = [f"{ratio:6.2f}" for ratio in RATIOS]
    return f"{'':32}{' '.join(texts[:4])} |{' '.join(texts[4:])}"


def _row(label: str, figures: list[float | None]) -> str:
    texts = [f"{_figure(figure):>6}" for figure in figures]
    return f"  {label:30}{' '.join(texts[:4])} |{' '.join(texts[4:])}"


def _figure(figure: float | None) -> str:
    if figure is None:
        return "-"
    return f"{figure:.0f}" if figure >= 100 else f"{figure:.2f}" if figure < 10 else f"{figure:.1f}"


if __name__ == "__main__":
    main()
