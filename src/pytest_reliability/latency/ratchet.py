"""What earlier runs say about the latest: whether it has become slower, and whether a budget has become far too loose.

Samples of one run share whatever that run had: the machine, the time of day, the layout of memory. Two runs of the same
code differ by more than chance among their samples, so that comparing samples fails unchanged code. What is compared
here is one figure of each run.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import lru_cache
from itertools import combinations
from statistics import median

from pytest_reliability.latency.history import Record
from pytest_reliability.latency.judge import FAIL, INCONCLUSIVE, PASS
from pytest_reliability.latency.message import percent, spoken

LATEST, BASE = 3, 10
"""How many of the latest runs are compared with how many green ones before them."""

LEVEL = 0.01
"""The chance that runs which are all alike look slower."""

RELEVANT = 0.05
"""Runs have to be slower by more than this share, and it is that which is tested."""

LOOSE = 5.0
"""A limit that is so many times what was measured is far too loose."""


def ratchet(runs: Sequence[Record]) -> tuple[str, str]:
    """Whether the last of these runs of one operation (the oldest first) shows that it has become slower, and why.

    The latest three are compared with the last ten green ones before them: the judged quantile of each, both as it was
    measured and in proportion to the speed of the machine. Both have to be slower, for a slow machine is no slow code,
    and an unsteady reference no proof. Runs among those that a failure was about do not become what later ones are
    compared with.
    """
    known = [run for run in runs if run.value]
    latest, base = known[-LATEST:], _comparable(known)[-BASE:]
    missing = max(LATEST - len(latest), BASE - len(base))
    if missing > 0:
        return INCONCLUSIVE, f"no comparison yet: it needs {missing} more {'green run' if missing == 1 else 'green runs'}"
    now, then = median(_values(latest)), median(_values(base))
    scaled = all(run.speed for run in (*latest, *base))
    p = max(
        slower(_values(latest), _values(base)),
        slower(_values(latest, scaled=True), _values(base, scaled=True)) if scaled else 0.0,
    )
    figures = f"{runs[-1].name} {spoken(now)} in the last {LATEST} runs, {spoken(then)} in {BASE} green ones before, p={p:.2g}"
    if not scaled:
        figures += ", the machine's speed not known"
    if p <= LEVEL:
        return FAIL, f"{percent(round(now / then - 1, 2))} slower: {figures}"
    return PASS, f"not shown to be more than {percent(RELEVANT)} slower: {figures}"


def loose(runs: Sequence[Record]) -> str:
    """That the limit has become far too loose for what was measured in the last runs, "" where it has not."""
    last = runs[-BASE:]
    if len(last) < BASE or last[-1].kind not in ("latency", "max") or not all(run.value for run in last):
        return ""
    limit, worst = last[-1].limit, max(run.high or run.value or 0.0 for run in last)
    if limit < LOOSE * worst:
        return ""
    name = last[-1].name
    return (
        f"{name} has been at most {spoken(worst)} in the last {BASE} runs; {last[-1].budget} would not notice it growing "
        f'{int(limit / worst)}-fold; consider {name}="{_suggested(worst)}"'
    )


def slower(latest: Sequence[float], base: Sequence[float]) -> float:
    """How likely it is that chance alone makes the latest so much slower: the exact one-sided test of Mann and Whitney.

    What is doubted is that they are slower by no more than `RELEVANT`. A tie counts against slowness.
    """
    faster = sum(now <= then * (1 + RELEVANT) for now in latest for then in base)
    ways = _ways(len(latest), len(base))
    return sum(count for pairs, count in ways.items() if pairs <= faster) / sum(ways.values())


@lru_cache(maxsize=16)
def _ways(few: int, many: int) -> Counter[int]:
    """In how many of all orders of two groups a member of the few comes before one of the many, by the number of such pairs."""
    return Counter(sum(place - index for index, place in enumerate(places)) for places in combinations(range(few + many), few))


def _comparable(runs: Sequence[Record]) -> list[Record]:
    """The green runs before the latest ones, without those that a failure was about."""
    blamed = {place - step for place, run in enumerate(runs) if run.ratchet == FAIL for step in range(LATEST)}
    return [run for place, run in enumerate(runs[:-LATEST]) if run.green and place not in blamed]


def _values(runs: Sequence[Record], *, scaled: bool = False) -> list[float]:
    return [(run.value or 0.0) / ((run.speed or 1.0) if scaled else 1.0) for run in runs]


def _suggested(worst: float) -> str:
    """Twice the worst, as people would write it."""
    amount = float(f"{2 * worst:.1g}")
    if amount < 1.5 * worst:
        amount = float(f"{2 * worst:.2g}")
    scale, unit = next(
        ((scale, unit) for scale, unit in ((1.0, "s"), (1e-3, "ms"), (1e-6, "us")) if amount >= scale), (1e-9, "ns")
    )
    return f"{amount / scale:g}{unit}"
