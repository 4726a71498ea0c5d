"""What a test may promise: "p95 at most 50 ms", "queries at most 3", and the marker's arguments that say so."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import inf, isfinite
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, get_args

from pytest_reliability.model.duration import SECONDS, Duration
from pytest_reliability.model.limits import NUMBER, PERCENTAGE, RATE, contradiction, quantile, written_limit

if TYPE_CHECKING:
    from pytest_reliability.model.nodes import Slo

Kind: TypeAlias = Literal["latency", "max", "errors", "throughput"]
Clock: TypeAlias = Literal["wall", "cpu"]

MAX_TIME = 30.0
"""Seconds that measuring may take for each limit, and once more where a failure has to be confirmed."""

LIMITS = ("p50", "p90", "p95", "p99", "p99_9", "max", "errors", "throughput")
OPTIONS = (*LIMITS, "slo", "of", "clock", "max_time", "ratchet")
"""The marker's arguments, as a message names them; any other quantile is written in the same way."""

SHORTEST = 0.5e-9
"""Seconds; what is shorter is no time that a clock could tell."""

_ANSWERED = sys.float_info.max
"""The limit of a budget for errors: every call that is answered at all is within it."""

_LOOKS_LIKE_A_LIMIT = re.compile(r"p[0-9._]*|max|errors|throughput", re.IGNORECASE)
_AMOUNT = re.compile(r"([\d.]+)([^\d.]+)")
_GAP = re.compile(r"(?<=[0-9])\s+(?=[a-zA-Zµμ])")
_COUNTER = re.compile(r"[^\W\d][\w.-]*")
_BARE_NUMBER = re.compile(NUMBER)
_WHOLE_NUMBER = re.compile(r"[0-9]{1,9}")

_SMALLER = {"s": "ms", "ms": "µs", "us": "ns", "µs": "ns", "μs": "ns"}


class BudgetError(ValueError):
    """A budget that cannot be understood, or that no measurement could keep. The message says what to write."""


@dataclass(frozen=True, slots=True)
class Budget:
    """The share `quantile` of all samples takes at most `limit` seconds. `text` is the limit as people read it.

    `kind` says what a sample is: of "throughput" it is the mean of several intervals between one answer and the next, of
    the others the time of a call, infinite where it failed. "max" is a budget on all calls, which no number of samples
    proves; one of "errors" is kept by every call that is answered. `slo` is the full name of the SLO that the budget was
    read from.
    """

    quantile: Fraction
    limit: float
    text: str
    slo: str | None = None
    kind: Kind = "latency"

    @classmethod
    def parse(cls, text: str) -> Budget:
        """Read "p95=50ms", "p95 <= 50ms", "99% under 300ms", "max=1s", "errors=1%" or "throughput>=200/s".

        Raises BudgetError for anything else. A clock cannot tell "under" from "at most", so that both mean the same.
        """
        written = written_limit(text)
        if written is None:
            raise BudgetError(f'{text!r} is no latency budget; write p95=50ms or "99% under 300ms"')
        name, sign, limit = written
        budget = cls._of_ratio(text, name, limit) if name.endswith("%") else cls.of(name, limit)
        if sign in (("<", "<=", "≤") if budget.kind == "throughput" else (">", ">=", "≥")):
            raise BudgetError(f"{text!r} is the wrong way round; write {budget.source}")
        return budget

    @classmethod
    def of(cls, name: str, limit: object) -> Budget:
        """The budget that the marker's argument `name=limit` stands for; raise BudgetError where it stands for none."""
        if name == "errors":
            return cls.for_errors(limit)
        if name == "throughput":
            rate, text = _rate(limit)
            return cls(Fraction(1, 2), 1.0 / rate, text, kind="throughput")
        share = quantile(name)
        if share is None:
            raise BudgetError(_unknown(name, limit))
        duration = _duration(name, limit)
        return cls(share, duration.seconds, _spaced(duration.text), kind="max" if share == 1 else "latency")

    @classmethod
    def for_errors(cls, share: object) -> Budget:
        """The budget that `errors=share` stands for: at most that share of the calls raises."""
        match = PERCENTAGE.fullmatch(share.strip()) if isinstance(share, str) else None
        if match is None:
            raise BudgetError(f'errors={share!r} is no percentage; write errors="1%"')
        tolerated = Fraction(match[1]) / 100
        if not 0 < tolerated < 1:
            raise BudgetError(
                f"errors={share!r} is not between 0% and 100%; "
                "leave errors= out where no call may raise: the first exception then fails the test"
            )
        return cls(1 - tolerated, _ANSWERED, f"{match[1]}%", kind="errors")

    @classmethod
    def from_slo(cls, slo: Slo) -> Budget:
        """The budget that a latency SLO promises: "99% within 300ms" is p99 <= 300ms, exactly.

        Raises BudgetError where the SLO is not of that form. What it means is never guessed.
        """
        if slo.latency is None or slo.latency.seconds < SHORTEST or not isfinite(slo.latency.seconds):
            raise BudgetError(
                f"SLO {slo.full_name!r} ({slo.at.path}:{slo.at.line}) names no latency threshold that can be read; "
                'write the budget out, such as p99="300ms"'
            )
        if slo.objective is None or not 0 < slo.objective < 1:
            raise BudgetError(
                f"SLO {slo.full_name!r} ({slo.at.path}:{slo.at.line}) has the objective "
                f"{slo.objective_text or 'none'!r}, which no measurement can prove; "
                'write the budget out, such as p99="300ms"'
            )
        return cls(Fraction(slo.objective), slo.latency.seconds, _spaced(slo.latency.text), slo.full_name)

    @classmethod
    def _of_ratio(cls, text: str, share: str, limit: str) -> Budget:
        match = PERCENTAGE.fullmatch(share)
        if match is None:
            raise BudgetError(f'{text!r} is no latency budget; write p95=50ms or "99% under 300ms"')
        part = Fraction(match[1]) / 100
        if not 0 < part <= 1:
            raise BudgetError(f'{text!r} is not between 0% and 100%; write "99% under {limit}"')
        duration = _duration(quantile_name(part), limit)
        if part == 1:
            raise BudgetError(f'{text!r} is a limit for every call; write max="{duration.text}"')
        return cls(part, duration.seconds, _spaced(duration.text))

    @property
    def counts_errors(self) -> bool:
        """Whether only calls that raise are over it."""
        return self.kind == "errors"

    @property
    def name(self) -> str:
        """The quantile as people call it, "p95" or "p99.9"; "max", "errors" or "throughput" for the others."""
        return quantile_name(self.quantile) if self.kind == "latency" else self.kind

    @property
    def allowed(self) -> Fraction:
        """The share of the samples that may be over the limit: exactly 1 - quantile."""
        return 1 - self.quantile

    @property
    def source(self) -> str:
        """The budget as an argument of the marker: `p99_9="1.2s"`."""
        return f'{self.name.replace(".", "_")}="{self.text.replace(" ", "")}"'

    def __str__(self) -> str:
        return f"{self.name} {'≥' if self.kind == 'throughput' else '≤'} {self.text}"


@dataclass(frozen=True, slots=True)
class CountBudget:
    """In one call the counter `counter` goes up by `most` at most."""

    counter: str
    most: int

    @classmethod
    def parse(cls, text: str) -> CountBudget:
        """Read "queries<=3" or "queries < 4"; raise BudgetError for anything else."""
        counter, sign, most = written_limit(text) or ("", "", "")
        if not _COUNTER.fullmatch(counter) or not _WHOLE_NUMBER.fullmatch(most):
            raise BudgetError(f'{text!r} is no limit for a count; write "queries<=3"')
        if _LOOKS_LIKE_A_LIMIT.fullmatch(counter):
            raise BudgetError(f"{counter!r} is no counter but a limit of its own; call the counter something else")
        budget = cls(counter, int(most) - (sign == "<"))
        if sign not in ("<=", "<", "≤") or budget.most < 0:
            raise BudgetError(f'{text!r} limits nothing; write "{counter}<={most}"')
        return budget

    @property
    def source(self) -> str:
        """The budget as an argument of the marker: `"queries<=3"`."""
        return f'"{self.counter}<={self.most}"'

    def __str__(self) -> str:
        return f"{self.counter} ≤ {self.most}"


@dataclass(frozen=True, slots=True)
class Limits:
    """The arguments of `@pytest.mark.latency_budget`, validated.

    `budgets` are judged on the same samples; `counts` limit what is counted in each call. `slo` names an SLO that adds a
    budget, once it has been looked up. With a budget for errors a call that raises counts as over instead of failing the
    test. `of` names the operation that all this is for, None: each that has no limits of its own. `clock` is what times
    a call: "wall", or "cpu" for the processor time that it took. Each budget is measured for `max_time` seconds at most.
    With `ratchet` the operation must also be no slower than in earlier runs.
    """

    budgets: tuple[Budget, ...] = ()
    slo: str | None = None
    max_time: float = MAX_TIME
    counts: tuple[CountBudget, ...] = ()
    of: str | None = None
    clock: Clock = "wall"
    ratchet: bool = False

    @classmethod
    def parse(cls, *texts: object, **options: Any) -> Limits:
        """Read the marker's arguments; raise BudgetError, saying what to write, for anything that is not understood."""
        slo = _name("slo", options.pop("slo", None), 'slo="checkout-latency" or slo="checkout/checkout-latency"')
        of = _name("of", options.pop("of", None), 'of="search" or of="POST /checkout"')
        clock = _clock(options.pop("clock", "wall"))
        max_time = _duration("max_time", options.pop("max_time", f"{MAX_TIME:g}s")).seconds
        ratchet = options.pop("ratchet", False)
        if not isinstance(ratchet, bool):
            raise BudgetError(f"ratchet={ratchet!r} is neither True nor False; write ratchet=True")
        read = [*map(_limit, texts), *(Budget.of(name, value) for name, value in options.items())]
        limits = cls(
            budgets=tuple(limit for limit in read if isinstance(limit, Budget)),
            slo=slo,
            max_time=max_time,
            counts=tuple(limit for limit in read if isinstance(limit, CountBudget)),
            of=of,
            clock=clock,
            ratchet=ratchet,
        )
        limits.require_sense()
        return limits

    @classmethod
    def together(cls, several: Sequence[Limits]) -> Limits:
        """The limits that several markers set for one operation; raise BudgetError where they contradict each other."""
        slos = {limits.slo: None for limits in several if limits.slo}
        if len(slos) > 1:
            raise BudgetError(f"two SLOs for one operation: slo={' and slo='.join(map(repr, slos))}; keep one of them")
        timed = [limits for limits in several if limits.budgets or limits.slo] or several
        if len({limits.clock for limits in timed}) > 1:
            raise BudgetError('one operation has one clock; write clock="cpu" in each of its markers, or in none of them')
        limits = cls(
            budgets=tuple(dict.fromkeys(budget for limits in several for budget in limits.budgets)),
            slo=next(iter(slos), None),
            max_time=max((limits.max_time for limits in several if limits.max_time != MAX_TIME), default=MAX_TIME),
            counts=tuple(dict.fromkeys(count for limits in several for count in limits.counts)),
            of=next((limits.of for limits in several), None),
            clock=next((limits.clock for limits in timed), "wall"),
            ratchet=any(limits.ratchet for limits in several),
        )
        limits.require_sense()
        return limits

    @property
    def tolerates_errors(self) -> bool:
        """Whether calls may raise, within a budget."""
        return any(budget.counts_errors for budget in self.budgets)

    def require_sense(self) -> None:
        """Raise BudgetError where these limits limit nothing, or contradict each other."""
        if not (self.budgets or self.counts or self.slo):
            raise BudgetError('latency_budget sets no limit; write p95="50ms" or slo="checkout-latency"')
        if self.ratchet and not (self.budgets or self.slo):
            raise BudgetError('ratchet=True compares what a budget has measured; write one as well, such as p95="50ms"')
        _require_once((budget.name, budget.source) for budget in self.budgets)
        _require_once((count.counter, count.source) for count in self.counts)
        times = [budget for budget in self.budgets if budget.kind in ("latency", "max")]
        if wrong := contradiction((budget.quantile, budget.limit, budget.source) for budget in times):
            raise BudgetError("; ".join(wrong))
        if self.clock == "cpu":
            if any(budget.kind == "throughput" for budget in self.budgets):
                raise BudgetError('throughput= is counted by the wall clock; leave clock="cpu" out, or use a test of its own')
            if self.slo:
                raise BudgetError(f'slo={self.slo!r} is about the time that users wait; leave clock="cpu" out')


def quantile_name(quantile: Fraction | float) -> str:
    """The quantile as people call it: "p95", "p99.9"."""
    return f"p{float(quantile * 100):.12g}"


def _rate(value: object) -> tuple[float, str]:
    """The rate that `throughput=value` asks for, and how people read it."""
    if _is_bare(value):
        raise BudgetError(f'throughput={value!r} has no unit; write throughput="{value}/s"')
    match = RATE.fullmatch(value.strip()) if isinstance(value, str) else None
    rate = float(match[1]) / SECONDS[match[2][0]] if match else 0.0
    if match is None or not 0 < rate < inf:
        raise BudgetError(f'throughput={value!r} is no rate; write a rate such as throughput="200/s"')
    return rate, f"{match[1]}/{match[2]}"


def _limit(text: object) -> Budget | CountBudget:
    """What a text among the marker's arguments limits."""
    if not isinstance(text, str):
        raise BudgetError(f'latency_budget takes no bare {text!r}; name what it limits, such as p95="50ms"')
    written = written_limit(text)
    if written is None:
        raise BudgetError(f'{text!r} is no limit; write one such as p95="50ms", "99% under 300ms" or "queries<=3"')
    name, _, limit = written
    if name in OPTIONS and name not in LIMITS:
        raise BudgetError(f'{text!r} is no limit; write it as an argument of its own, {name}="{limit}"')
    counted = _COUNTER.fullmatch(name) and not _LOOKS_LIKE_A_LIMIT.fullmatch(name) and _WHOLE_NUMBER.fullmatch(limit)
    return CountBudget.parse(text) if counted else Budget.parse(text)


def _unknown(name: str, value: object) -> str:
    """What to say where `name=value` means nothing."""
    from pytest_reliability.shape import nearest

    if name == "p100":
        return f'p100 is a limit for every call; write max="{_duration("max", value).text}"'
    if meant := nearest(name, OPTIONS):
        remedy = f"did you mean {meant}?"
    elif isinstance(value, int) and not isinstance(value, bool) and _COUNTER.fullmatch(name):
        remedy = f'a count is limited by a text: "{name}<={value}"'
    else:
        remedy = f"it takes {', '.join(OPTIONS)}"
    return f"latency_budget has no argument {name!r}; {remedy}"


def _duration(name: str, value: object) -> Duration:
    unit = "s" if name == "max_time" else "ms"
    if _is_bare(value):
        # a float below 1 is meant in seconds, as time.sleep() takes them
        meant = f"{value * 1000:.12g}ms" if isinstance(value, float) and value < 1 and unit == "ms" else f"{value}{unit}"
        raise BudgetError(f'{name}={value!r} has no unit; write {name}="{meant}"')
    example = f'write a duration such as {name}="{"30s" if name == "max_time" else "50ms"}"'
    try:
        duration = Duration.parse(_GAP.sub("", value)) if isinstance(value, str) else None
    except ValueError:
        duration = None
    if duration is None or not isfinite(duration.seconds):
        raise BudgetError(f"{name}={value!r} is no duration; {example}")
    if duration.seconds < SHORTEST:
        raise BudgetError(f"{name}={value!r} leaves no time at all; {example}")
    return duration


def _is_bare(value: object) -> bool:
    """Whether a value only lacks its unit."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return 0 < value < inf
    return isinstance(value, str) and _BARE_NUMBER.fullmatch(value) is not None


def _name(option: str, value: object, example: str) -> str | None:
    """The name that an option is given; None where it is not given."""
    if value is None:
        return None
    if not isinstance(value, str) or not value.strip():
        raise BudgetError(f"{option}={value!r} is no name; write {example}")
    return value.strip()


def _clock(value: Any) -> Clock:
    clocks: tuple[Clock, ...] = get_args(Clock)
    if value not in clocks:
        raise BudgetError(f'clock={value!r} is no clock; write clock="cpu", or leave it out for the time on the wall')
    return clocks[clocks.index(value)]


def _require_once(limited: Iterable[tuple[str, str]]) -> None:
    """Raise BudgetError where two limits are on the same thing; each comes as the thing and as it is written."""
    seen: dict[str, str] = {}
    for name, source in limited:
        if name in seen:
            raise BudgetError(f"{name} is limited twice, by {seen[name]} and by {source}; keep one of them")
        seen[name] = source


def _spaced(duration: str) -> str:
    """ "50ms" as people read it, "50 ms"; "0.3s" is "300 ms"; "1m30s" stays as it is."""
    match = _AMOUNT.fullmatch(duration)
    if match is None:
        return duration
    number, unit = match.groups()
    while float(number) < 1 and unit in _SMALLER:
        number, unit = f"{float(number) * 1000:.12g}", _SMALLER[unit]
    return f"{number} {unit}"
