"""What a test may promise: "p95 at most 50 ms", and the marker's arguments that say so."""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from fractions import Fraction
from math import inf
from typing import TYPE_CHECKING, Any

from pytest_reliability.model.duration import Duration

if TYPE_CHECKING:
    from pytest_reliability.model.nodes import Slo

MAX_TIME = 30.0
"""Seconds that measuring may take for each limit, and once more where a failure has to be confirmed."""

OPTIONS = ("p50", "p90", "p95", "p99", "p99_9", "errors", "slo", "max_time")
"""The marker's arguments, as a message names them; any other quantile is written in the same way."""

_ANSWERED = sys.float_info.max
"""The limit of a budget for errors: every call that is answered at all is within it."""

# p95, p99.9, p99_9, and p999 as people write it: without a mark between them only after a leading 9
_QUANTILE = re.compile(r"p(\d\d)(?:(?:[._]|(?<=9\d))(\d+))?")
_PERCENTAGE = re.compile(r"(\d+(?:\.\d+)?)\s*%")
_AMOUNT = re.compile(r"([\d.]+)([^\d.]+)")

_SMALLER = {"s": "ms", "ms": "µs", "us": "ns", "µs": "ns"}


class BudgetError(ValueError):
    """A budget that cannot be understood, or that no measurement could keep. The message says what to write."""


@dataclass(frozen=True, slots=True)
class Budget:
    """The share `quantile` of all calls takes at most `limit` seconds. `text` is the limit as people read it.

    `slo` is the full name of the SLO that the budget was read from.
    """

    quantile: Fraction
    limit: float
    text: str
    slo: str | None = None

    @classmethod
    def parse(cls, text: str) -> Budget:
        """Read "p95=50ms" or "p99.9=1.2s"; raise BudgetError for anything else."""
        name, equals, limit = (part.strip() for part in text.partition("="))
        if not equals:
            raise BudgetError(f"{text!r} is no latency budget; write p95=50ms")
        return cls.of(name, limit)

    @classmethod
    def of(cls, name: str, limit: object) -> Budget:
        """The budget that the marker's argument `name=limit` stands for; raise BudgetError where it stands for none."""
        quantile, duration = _quantile(name), _duration(name, limit)
        return cls(quantile, duration.seconds, _spaced(duration.text))

    @classmethod
    def for_errors(cls, share: object) -> Budget:
        """The budget that `errors=share` stands for: at most that share of the calls raises."""
        match = _PERCENTAGE.fullmatch(share.strip()) if isinstance(share, str) else None
        if match is None:
            raise BudgetError(f'errors={share!r} is no percentage; write errors="1%"')
        tolerated = Fraction(match[1]) / 100
        if not 0 < tolerated < 1:
            raise BudgetError(
                f"errors={share!r} is not between 0% and 100%; "
                "leave errors= out where no call may raise: the first exception then fails the test"
            )
        return cls(1 - tolerated, _ANSWERED, f"{match[1]}%")

    @classmethod
    def from_slo(cls, slo: Slo) -> Budget:
        """The budget that a latency SLO promises: "99% within 300ms" is p99 <= 300ms, exactly.

        Raises BudgetError where the SLO is not of that form. What it means is never guessed.
        """
        if slo.latency is None or slo.latency.seconds <= 0:
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

    @property
    def counts_errors(self) -> bool:
        """Whether only calls that raise are over it."""
        return self.limit == _ANSWERED

    @property
    def name(self) -> str:
        """The quantile as people call it: "p95", "p99.9"; "errors" for a budget of errors."""
        return "errors" if self.counts_errors else quantile_name(self.quantile)

    @property
    def allowed(self) -> Fraction:
        """The share of the calls that may be over the limit: exactly 1 - quantile."""
        return 1 - self.quantile

    def __str__(self) -> str:
        return f"{self.name} ≤ {self.text}"


@dataclass(frozen=True, slots=True)
class Limits:
    """The arguments of `@pytest.mark.latency_budget`, validated.

    `budgets` are judged on the same samples. `slo` names an SLO that adds another, once it has been looked up. With
    `errors` a call that raises counts as over instead of failing the test. Each budget is measured for `max_time`
    seconds at most.
    """

    budgets: tuple[Budget, ...] = ()
    slo: str | None = None
    max_time: float = MAX_TIME

    @classmethod
    def parse(cls, *arguments: object, **options: Any) -> Limits:
        """Read the marker's arguments; raise BudgetError, saying what to write, for anything that is not understood."""
        if arguments:
            raise BudgetError(f'latency_budget takes no bare {arguments[0]!r}; name the quantile, such as p95="50ms"')
        slo = options.pop("slo", None)
        if slo is not None and (not isinstance(slo, str) or not slo.strip()):
            raise BudgetError(f'slo={slo!r} is no name; write slo="checkout-latency" or slo="checkout/checkout-latency"')
        max_time = _duration("max_time", options.pop("max_time", f"{MAX_TIME:g}s")).seconds
        budgets = tuple(
            Budget.for_errors(value) if name == "errors" else Budget.of(name, value) for name, value in options.items()
        )
        if not budgets and slo is None:
            raise BudgetError('latency_budget sets no limit; write p95="50ms" or slo="checkout-latency"')
        return cls(budgets, slo.strip() if slo else None, max_time)

    @property
    def tolerates_errors(self) -> bool:
        """Whether calls may raise, within a budget."""
        return any(budget.counts_errors for budget in self.budgets)


def quantile_name(quantile: Fraction | float) -> str:
    """The quantile as people call it: "p95", "p99.9"."""
    return f"p{float(quantile * 100):.12g}"


def _quantile(name: str) -> Fraction:
    if name in ("max", "p100"):
        raise BudgetError(
            f"{name} cannot be a budget: no number of samples proves that nothing is ever slower; "
            'use a high quantile, such as p99_9="80ms"'
        )
    match = _QUANTILE.fullmatch(name)
    if match is None or not int(match[1]):
        from pytest_reliability.shape import nearest

        meant = nearest(name, OPTIONS)
        hint = f"did you mean {meant}?" if meant else f"it takes {', '.join(OPTIONS)}"
        raise BudgetError(f"latency_budget has no argument {name!r}; {hint}")
    return Fraction(f"{match[1]}.{match[2] or 0}") / 100


def _duration(name: str, value: object) -> Duration:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        unit = "s" if name == "max_time" else "ms"
        raise BudgetError(f'{name}={value!r} has no unit; write {name}="{value!r}{unit}"')
    example = f'write a duration such as {name}="{"30s" if name == "max_time" else "50ms"}"'
    try:
        duration = Duration.parse(value) if isinstance(value, str) else None
    except ValueError:
        duration = None
    if duration is None or duration.seconds == inf:
        raise BudgetError(f"{name}={value!r} is no duration; {example}")
    if duration.seconds == 0:
        raise BudgetError(f"{name}={value!r} leaves no time at all; {example}")
    return duration


def _spaced(duration: str) -> str:
    """ "50ms" as people read it, "50 ms"; "0.3s" is "300 ms"; "1m30s" stays as it is."""
    match = _AMOUNT.fullmatch(duration)
    if match is None:
        return duration
    number, unit = match.groups()
    if float(number) < 1 and unit in _SMALLER:
        return f"{float(number) * 1000:.12g} {_SMALLER[unit]}"
    return f"{number} {unit}"
