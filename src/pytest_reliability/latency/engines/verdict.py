"""The verdict on a load engine's results: the rule of `latency.judge` for runs that are over and cannot be continued.

The number of calls is given, so there is one look. A budget passes where even the most calls that may be over it would hardly
ever be so few, were it broken. It fails where even the least that must be over it would hardly ever be so many, were it kept,
*and* something else agrees. Calls of one run depend on each other: an episode of a slow neighbour puts thousands of them over.
So what agrees has to be apart in time. Where there are several runs, each of them has to be over. A single run is cut into four
stretches, and each has to be over. Where the file does not tell which calls were in which stretch, each has to be over however
they were ordered. That takes a budget that is missed by far, so a summary of one run mostly says "inconclusive, run it again".
"""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil, floor, inf

from pytest_reliability.latency.binomial import at_most, largest_share, surprisingly_few, surprisingly_many
from pytest_reliability.latency.budget import Budget
from pytest_reliability.latency.distribution import autocorrelation, histogram, quantile_interval
from pytest_reliability.latency.engines.result import NOTHING, Result, Share, together
from pytest_reliability.latency.judge import FAIL, INCONCLUSIVE, MOST_PROVEN, PASS, PASS_LEVEL, PROOF_LEVEL
from pytest_reliability.report import Measurement

RUN_LEVEL = 0.01
"""The chance that the first run, or stretch of a run, is over by accident."""

AGREE_LEVEL = 0.05
"""The chance that a further one is."""

STRETCHES = 4
"""Into how many parts a single run is cut; a fresh measurement has one batch and three that confirm it."""

LEAST = 20
"""Calls that a run or a stretch has at least; fewer say nothing."""

_FINE = 1e9
"""A Poisson count is a binomial one of so many chances."""


def judge_result(
    result: Result, budget: Budget, confirmations: Sequence[Result] = (), *, name: str = "", test: str = ""
) -> Measurement:
    """Judge `budget` on a result, and on what further runs say about the same operation."""
    runs = (result, *confirmations)
    lacking = next((run.lacks for run in runs if run.lacks), "")
    if lacking:
        outcome, reason, share = INCONCLUSIVE, lacking, Share(sum(run.n for run in runs), 0, 0)
    elif budget.counts_errors and not all(run.counts_failures for run in runs):
        reason = "the file does not say how many requests failed"
        outcome, share = INCONCLUSIVE, Share(sum(run.n for run in runs), 0, 0)
    elif budget.kind == "throughput":
        outcome, reason = _throughput(runs, budget)
        share = Share(sum(run.n for run in runs), 0, 0)
    else:
        outcome, reason, share = _counted(runs, budget)
    return _measurement(runs, budget, name, test, outcome, reason, share)


# Calls over a limit


def _counted(runs: Sequence[Result], budget: Budget) -> tuple[str, str, Share]:
    shares = [_share(run, budget) for run in runs]
    whole = sum(shares, NOTHING)
    pieces = shares if len(runs) > 1 else _stretches(runs[0], budget)
    allowed = float(budget.allowed)
    passes_at = surprisingly_few(whole.n, allowed or MOST_PROVEN, PASS_LEVEL) if whole.n else -1
    fails_at = surprisingly_many(whole.n, allowed, RUN_LEVEL)
    broken = [_broken(piece, allowed, AGREE_LEVEL if index else RUN_LEVEL) for index, piece in enumerate(pieces)]
    each_over = [_broken(share, allowed, AGREE_LEVEL) for share in shares] if len(runs) > 1 else [False]
    said = _said(whole, budget, sum(run.errors for run in runs))
    if all(broken):
        return FAIL, f"{said} ({fails_at:,} would do), {_agreed(runs, pieces)}", whole
    if whole.most <= passes_at and whole.most < fails_at and not any(each_over):
        return PASS, _passed(whole, passes_at, said, budget), whole
    if whole.least >= fails_at:
        return INCONCLUSIVE, f"{said} ({fails_at:,} would do), {_disagreed(runs, pieces, broken)}", whole
    return INCONCLUSIVE, f"{said}{_undecided(runs, whole, passes_at, fails_at, budget, each_over)}", whole


def _share(run: Result, budget: Budget) -> Share:
    return Share(run.n, run.errors, run.errors) if budget.counts_errors else run.over(budget.limit)


def _stretches(run: Result, budget: Budget) -> list[Share]:
    if budget.counts_errors and not run.exact:
        return Result(name="", n=run.n, errors=run.errors, source="", timed=run.n).stretches(budget.limit, STRETCHES)
    return run.stretches(budget.limit, STRETCHES)


def _broken(share: Share, allowed: float, level: float) -> bool:
    return share.n >= LEAST and share.least >= surprisingly_many(share.n, allowed, level)


def _said(share: Share, budget: Budget, errors: int) -> str:
    word = "failed" if budget.counts_errors else f"over, {errors:,} of them failed" if errors else "over"
    n, least, most = share
    if least == most:
        return f"{least:,} of {n:,} {word}" if least else f"none of {n:,} {word}"
    return f"between {least:,} and {most:,} of {n:,} {word}"


def _agreed(runs: Sequence[Result], pieces: Sequence[Share]) -> str:
    if len(runs) > 1:
        return f"in each of {len(runs)} runs"
    if runs[0].exact:
        return f"in each quarter of the run ({', '.join(f'{piece.least:,}' for piece in pieces)})"
    return "so many that each quarter of the run has too many, however they were spread"


def _disagreed(runs: Sequence[Result], pieces: Sequence[Share], broken: Sequence[bool]) -> str:
    if len(runs) > 1:
        good = [run.source for run, bad in zip(runs, broken, strict=True) if not bad]
        return f"but not in {', '.join(good)} by itself"
    if runs[0].exact:
        spread = ", ".join(f"{piece.least:,}" for piece in pieces)
        return f"but not in each quarter of the run ({spread}): run it once more and give both files, --from first --from second"
    return "but nothing confirms it: run it once more and give both files, --from first --from second"


def _passed(share: Share, passes_at: int, said: str, budget: Budget) -> str:
    if budget.kind == "max":
        proven = floor((1.0 - largest_share(0, share.n, PROOF_LEVEL)) * 1e4) / 100
        return f"{said} proves p{proven:g}, at 95%; no number of calls proves a maximum"
    return f"{said} (up to {passes_at:,} may be)"


def _undecided(
    runs: Sequence[Result], share: Share, passes_at: int, fails_at: int, budget: Budget, each_over: Sequence[bool]
) -> str:
    if any(each_over):
        bad = [run.source for run, over in zip(runs, each_over, strict=True) if over]
        return f", of which {', '.join(bad)} has too many by itself"
    if share.most > share.least and (share.least <= passes_at or share.most >= fails_at):
        held = "; ".join(dict.fromkeys(run.holds for run in runs))
        known = f": the file holds {held} only"
        return f"{known}; {enough}" if (enough := _enough(runs, share, passes_at, budget)) else known
    least = _least(float(budget.allowed) or MOST_PROVEN)
    if share.n < least:
        return f", too few to tell: a pass needs at least {least:,} calls"
    proven = 1.0 - largest_share(share.most, share.n, PROOF_LEVEL)
    claim = (
        f"errors ≤ {ceil((1.0 - proven) * 1e4) / 100:g}%"
        if budget.counts_errors
        else f"p{floor(proven * 1e4) / 100:g} ≤ {budget.text}"
    )
    return f", too close to tell: n={share.n:,} proves {claim}"


def _enough(runs: Sequence[Result], share: Share, passes_at: int, budget: Budget) -> str:
    """Which percentile a file of percentiles has to hold for a pass; "" where none would do."""
    within = 1.0 - (passes_at - sum(run.errors for run in runs)) / share.n
    if budget.kind != "latency" or share.least > passes_at or within >= 1.0:
        return ""
    return f"p{ceil(within * 1e3) / 10:g} or a higher one within {budget.text} would be enough for a pass"


def _least(allowed: float) -> int:
    """How many calls, none of them over, pass."""
    n = LEAST
    while surprisingly_few(n, allowed, PASS_LEVEL) < 0:
        n += 1
    return n


# Answers a second


def _throughput(runs: Sequence[Result], budget: Budget) -> tuple[str, str]:
    """More answers than a steady source of that rate would hardly ever give pass; fewer in each run fail."""
    wanted = 1.0 / budget.limit
    lasted = [(run.n - run.errors, run.seconds, run.precision) for run in runs if run.seconds is not None]
    if len(lasted) < len(runs):
        return INCONCLUSIVE, f"the file does not say how long the run took, so it says nothing about {budget}"
    answers, seconds = sum(n for n, _, _ in lasted), sum(took for _, took, _ in lasted)
    said = f"{answers:,} answers in {seconds:.4g} s, {answers / seconds:.4g} a second"
    slow = [_slower(n, wanted * max(0.0, took - off), RUN_LEVEL) for n, took, off in lasted]
    if len(runs) > 1 and all(slow):
        return FAIL, f"{said}, too few in each of {len(runs)} runs"
    # In the worst case for us all answers came within one stretch, and that one alone was fast enough.
    n, took, off = lasted[0]
    if len(runs) == 1 and _slower(n, wanted * max(0.0, took - off) / STRETCHES, AGREE_LEVEL):
        return FAIL, f"{said}, too few for any quarter of the run"
    longest = sum(took + off for _, took, off in lasted)
    if not any(slow) and at_most(round(_FINE) - answers, round(_FINE), 1.0 - wanted * longest / _FINE) <= PASS_LEVEL:
        return PASS, said
    if len(runs) == 1 and slow[0]:
        return INCONCLUSIVE, f"{said}, but nothing confirms it: run it once more and give both files, --from first --from second"
    return INCONCLUSIVE, f"{said}, too close to {budget.text} to tell"


def _slower(answers: int, expected: float, level: float) -> bool:
    """Whether so few answers are surprising where so many are expected."""
    return answers < expected and at_most(answers, round(_FINE), expected / _FINE) <= level


# What is reported


def _measurement(
    runs: Sequence[Result], budget: Budget, name: str, test: str, outcome: str, reason: str, share: Share
) -> Measurement:
    timed = budget.kind in ("latency", "max")
    samples = together(runs, "", side_by_side=False).samples() if timed and all(run.exact for run in runs) else ()
    low, high = quantile_interval(samples, budget.quantile) if samples else (0.0, inf)
    bins, bins_from, bins_to = histogram(samples, budget.limit) if timed else ((), 0.0, 0.0)
    pieces = len(runs) if len(runs) > 1 else STRETCHES
    return Measurement(
        name=name,
        test=test,
        budget=str(budget),
        outcome=outcome,
        reason=reason,
        limit=0.0 if budget.counts_errors else budget.limit,
        quantile=float(budget.quantile),
        n=share.n,
        over=share.most if outcome == PASS else share.least,
        low=low if 0.0 < low < inf else None,
        high=high if high < inf else None,
        slo=budget.slo,
        bins=bins,
        bins_from=bins_from,
        bins_to=bins_to,
        evidence=tuple(f"from {source}" for source in dict.fromkeys(run.source for run in runs)),
        operation=runs[0].name,
        kind=budget.kind,
        autocorrelation=autocorrelation(samples) if len(runs) == 1 and samples else None,
        false_alarm=RUN_LEVEL * AGREE_LEVEL ** (pieces - 1),
        notes=tuple(dict.fromkeys(note for run in runs if timed or not run.counts_failures for note in run.notes)),
    )
