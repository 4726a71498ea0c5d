"""What a service has configured, with the defaults that hold where it has said nothing.

`policy/config.py` reads and validates them; here they are only values, so that every node can carry its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from types import MappingProxyType

from pytest_reliability.model.duration import Duration
from pytest_reliability.model.location import Location

FIVE_MINUTES = Duration(300.0, "5m")

ONE_YEAR = Duration(31536000.0, "1y")

_NOTHING_PROMISED: Mapping[str, Decimal] = MappingProxyType({})
_NOTHING: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """What the values of the alert label `label` mean.

    `configured` is False while these are our defaults: a check may then report a misspelt severity, but not one that it has
    merely never heard of.
    """

    label: str = "severity"
    page: tuple[str, ...] = ("critical", "page")
    ticket: tuple[str, ...] = ("warning", "ticket")
    notice: tuple[str, ...] = ("info", "none")
    configured: bool = False

    @property
    def known(self) -> tuple[str, ...]:
        """All severities, the most urgent first."""
        return (*self.page, *self.ticket, *self.notice)


@dataclass(frozen=True, slots=True)
class Folders:
    """Folders, relative to the repository's root, that hold one kind of page. Empty: recognised by their usual names."""

    runbooks: tuple[str, ...] = ()
    postmortems: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RouteLimits:
    """How slow requests to a route may be: `name` is "POST /checkout", `limits` are texts as in a test, {"p95": "100ms"}."""

    at: Location
    name: str
    limits: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class LatencySettings:
    """Limits for routes that no test has limits of its own for, and whether measurements are kept from run to run."""

    routes: tuple[RouteLimits, ...] = ()
    history: bool = False


@dataclass(frozen=True, slots=True)
class Dependency:
    """Another service that this one calls. Of a "hard" one each failure is a failure here, too; a "soft" one can be done
    without; a "cached" one for a while. `objective` is what it promises (a ratio), where that stands in no file here.
    """

    at: Location
    name: str
    mode: str = "hard"
    objective: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Settings:
    """One service's configuration; see `docs/configuration.md` for each key."""

    service: str | None = None
    root: bool = False
    """Whether the folder is a repository of its own, whatever lies around it."""
    tier: str | None = None
    """"A", "B" or "C"; None: derived from the strictest objective."""
    folders: Folders = field(default_factory=Folders)
    select: tuple[str, ...] = ()
    """Codes, prefixes of codes, or names to run; empty: all but those of severity info."""
    ignore: Mapping[str, str] = field(default_factory=lambda: _NOTHING)
    """Code, prefix or name → the reason why its findings are accepted here."""
    exclude: tuple[str, ...] = ()
    """Glob patterns, relative to the repository's root, of files that are not read at all."""
    severities: Vocabulary = field(default_factory=Vocabulary)
    runbook_urls: Mapping[str, str] = field(default_factory=lambda: _NOTHING)
    """URL prefix → the folder, relative to the repository's root, whose files are served there."""
    dialect: str = "auto"
    """"prometheus", "thanos", "mimir", "loki", "victoriametrics", or "auto": told from each file's own keys."""
    scrape_interval: Duration | None = None
    response_time: Duration = FIVE_MINUTES
    """How long detection and response by people take; SLO104 compares an error budget with it."""
    latency: LatencySettings = field(default_factory=LatencySettings)
    dependencies: tuple[Dependency, ...] = ()
    sla: Mapping[str, Decimal] = field(default_factory=lambda: _NOTHING_PROMISED)
    """Name of an SLO → what customers were promised by contract (a ratio)."""
    request_rate: float | None = None
    """Requests a second in a quiet hour, where somebody knows."""
    objective_review: Duration = ONE_YEAR
    """How long an objective holds until somebody has to look at it again."""


DEFAULTS = Settings()
