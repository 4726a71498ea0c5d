"""Arithmetic on objectives: what an error budget comes to, how fast it burns, and when an alert on that fires.

An error budget is what an objective leaves over: 99.9% of a month may fail for one thousandth of it. See "Site Reliability
Engineering", chapter 3, "Embracing Risk", and "The Site Reliability Workbook", chapter 2, "Implementing SLOs", and chapter 5,
"Alerting on SLOs".
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import ROUND_UP, Decimal, InvalidOperation
from math import inf
from typing import TYPE_CHECKING

from pytest_reliability.model.duration import Duration
from pytest_reliability.model.location import Location

if TYPE_CHECKING:
    from pytest_reliability.model.graph import Graph
    from pytest_reliability.model.nodes import BurnRate, Slo


@dataclass(frozen=True, slots=True)
class ErrorBudget:
    """What an objective (a ratio between 0 and 1) leaves over in its window.

    A burn rate is how fast it is spent: 1 spends all of it in exactly the window, 10 in a tenth of that.
    """

    objective: Decimal
    window: Duration

    def __post_init__(self) -> None:
        if not 0 < self.objective < 1:
            raise ValueError(f"{self.objective} is no objective; write a ratio between 0 and 1, such as 0.999")
        if self.window.seconds <= 0:
            raise ValueError(f"{self.window} is no window; write a length of time such as 30d")

    @classmethod
    def parse(cls, objective: str, window: str) -> ErrorBudget:
        """Read "99.9%" or "0.999", and "30d"; raise ValueError for anything else."""
        number = objective.strip()
        try:
            ratio = Decimal(number.removesuffix("%")).scaleb(-2 if number.endswith("%") else 0)
        except InvalidOperation:
            ratio = Decimal("NaN")
        if not ratio.is_finite():
            raise ValueError(f"{objective!r} is no objective; write 99.9% or 0.999")
        return cls(ratio, Duration.parse(window))

    @property
    def share(self) -> Decimal:
        """The part of all events, or of all time, that may fail: 0.001 for 99.9%."""
        return 1 - self.objective

    @property
    def seconds(self) -> float:
        """Seconds of complete failure in a window."""
        return float(self.share) * self.window.seconds

    @property
    def of_outage(self) -> float:
        """The burn rate while everything fails, the highest there is: 1000 for 99.9%."""
        return float(1 / self.share)

    def failures(self, requests: int) -> int:
        """How many of that many requests may fail."""
        return int(self.share * requests)

    def requests(self, rate: float) -> float:
        """How many requests may fail in a window at that many requests a second."""
        return rate * self.seconds

    def burn_rate(self, error_ratio: float) -> float:
        """How fast the budget burns while that share of the requests fails."""
        return error_ratio / float(self.share)

    def error_ratio(self, burn_rate: float) -> float:
        """The share of requests that fails at that burn rate; more than 1 where not even an outage burns so fast."""
        return burn_rate * float(self.share)

    def exhausted_after(self, burn_rate: float) -> float:
        """Seconds until a full budget is spent at that burn rate; infinite where nothing burns."""
        return self.window.seconds / burn_rate if burn_rate > 0 else inf

    def burn_rate_to_exhaust_in(self, seconds: float) -> float:
        """The burn rate that spends a full budget in so many seconds."""
        return self.window.seconds / seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertWindow:
    """An alert that fires once the budget has burned faster than `factor` over the `long` window, and over the `short` one where
    there is one, for as long as `wait`. Where it is `inclusive`, as fast as `factor` is enough. `pages` tells whether its
    severity wakes somebody up.
    """

    factor: Decimal
    long: Duration
    short: Duration | None = None
    wait: Duration | None = None
    inclusive: bool = False
    severity: str = ""
    pages: bool = False

    def fires_after(self, burn_rate: float) -> float:
        """Seconds until it fires when a service that was well begins to burn at that rate; infinite where it never does.

        The time that Prometheus takes to scrape and to evaluate comes on top.
        """
        if burn_rate < self.factor or (burn_rate == self.factor and not self.inclusive):
            return inf
        slowest = max(self.long.seconds, self.short.seconds if self.short else 0.0)
        waits = self.wait.seconds if self.wait else 0.0
        return max(0.0, float(self.factor)) * slowest / burn_rate + waits

    def spends(self, window: Duration) -> float:
        """The share of an SLO's budget over `window` that is gone when it fires, whatever the burn rate."""
        return float(self.factor) * self.long.seconds / window.seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Objective:
    """An SLO as a report tells of it: what it promises, and the alerts on its error budget that could be read.

    `unread` are alerts of which it is not known when they fire, by their names. `request_rate` are requests a second, where the
    service has said so; `response` is how many seconds its people need to detect and respond.
    """

    at: Location
    name: str
    service: str | None
    dialect: str
    objective: Decimal | None
    window: Duration | None
    rolling: bool = True
    method: str = "occurrences"
    slice: Duration | None = None
    request_rate: float | None = None
    response: float = 300.0
    alerts: tuple[AlertWindow, ...] = ()
    unread: tuple[str, ...] = ()

    @classmethod
    def of(cls, slo: Slo, service: str | None, burn_rates: Iterable[BurnRate]) -> Objective:
        """What there is to tell of an SLO of that service, with these alerts."""
        alerts, unread = _alerts(slo, burn_rates)
        return cls(
            at=slo.at,
            name=slo.name,
            service=service,
            dialect=slo.dialect,
            objective=slo.objective,
            window=slo.window,
            rolling=slo.rolling,
            method=slo.method,
            slice=slo.slice,
            request_rate=slo.settings.request_rate,
            response=slo.settings.response_time.seconds,
            alerts=alerts,
            unread=unread,
        )

    @property
    def full_name(self) -> str:
        """The name with its service: "checkout/checkout-latency"."""
        return f"{self.service}/{self.name}" if self.service else self.name

    @property
    def budget(self) -> ErrorBudget | None:
        """The error budget; None where objective or window are not known, or leave none."""
        if self.window is None or self.window.seconds <= 0 or not self.burns or self.objective is None:
            return None
        return ErrorBudget(self.objective, self.window)

    @property
    def burns(self) -> tuple[tuple[str, float], ...]:
        """The burn rates that people ask about; none where there is no objective that leaves a budget."""
        return burns(self.objective) if self.objective is not None and 0 < self.objective < 1 else ()


def burns(objective: Decimal) -> tuple[tuple[str, float], ...]:
    """The burn rates that people ask about, by their names: a complete outage, ten times too fast, and just on budget."""
    return ("outage", float(1 / (1 - objective))), ("10x", 10.0), ("1x", 1.0)


def objectives(graph: Graph, slos: Iterable[Slo]) -> tuple[Objective, ...]:
    """What a report tells of those SLOs of a repository, each with the service that it belongs to."""
    found = []
    for slo in slos:
        service = graph.service_of(slo)
        found.append(Objective.of(slo, slo.service or (service.name if service else None), graph.burn_rates_of(slo)))
    return tuple(found)


def _alerts(slo: Slo, burn_rates: Iterable[BurnRate]) -> tuple[tuple[AlertWindow, ...], tuple[str, ...]]:
    """The alerts that can be computed with, the fastest first and each once, and the names of the others."""
    known: dict[AlertWindow, None] = {}
    unread: dict[str, None] = {}
    for rate in burn_rates:
        if rate.factor is None or rate.long is None or rate.long.seconds <= 0:
            unread[rate.name or rate.holder] = None
        else:
            alert = AlertWindow(
                factor=rate.factor,
                long=rate.long,
                short=rate.short,
                wait=rate.wait,
                inclusive=rate.inclusive,
                severity=rate.severity,
                pages=rate.severity in ("page", *slo.settings.severities.page),
            )
            known[alert] = None
    if not known:
        unread |= dict.fromkeys(slo.alert_names)
    return tuple(sorted(known, key=lambda alert: (alert.long.seconds, -alert.factor))), tuple(unread)


def error_budget(objective: Decimal, window: Duration) -> float:
    """Seconds of complete failure that an objective (a ratio) allows in its window: (1 − objective) × window."""
    return float(1 - objective) * window.seconds


def strictest_objective(budget: float, window: Duration) -> Decimal | None:
    """The highest objective (a ratio) that leaves `budget` seconds in the window, in round figures; None where none does."""
    share = Decimal(budget) / Decimal(window.seconds)
    rounded = share.quantize(Decimal(1).scaleb(share.adjusted() - 1), rounding=ROUND_UP)
    return (1 - rounded).normalize() if rounded < 1 else None


def percent(objective: Decimal) -> str:
    """The objective as people say it: "99.9%"."""
    return f"{objective.scaleb(2).normalize():f}%"


def meant_objective(objective: Decimal, unit: str) -> Decimal | None:
    """The objective that was meant where one is plainly written in the other unit: 99.9 for a ratio, 0.999 for a percentage.

    Both are ratios; `unit` is what the field expects, "ratio" or "percent". None where the objective may mean what it says.
    """
    if unit == "ratio" and 50 <= objective < 100:
        return objective.scaleb(-2)
    if unit == "percent" and Decimal("0.005") <= objective <= Decimal("0.01"):
        return objective.scaleb(2)
    return None


def written(objective: Decimal, unit: str) -> str:
    """The objective as its field takes it, without needless zeros: "0.999" as a ratio, "99.9" as a percentage."""
    return f"{(objective.scaleb(2) if unit == 'percent' else objective).normalize():f}"
