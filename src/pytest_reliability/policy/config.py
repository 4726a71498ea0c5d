"""`.reliability.yaml`, or `[tool.reliability]` in pyproject.toml: read and validated.

Every mistake is reported with its place and what to type instead, all of them at once, before anything is checked.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from math import inf, isfinite
from posixpath import normpath
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from pytest_reliability.contracts import UsageError
from pytest_reliability.model.duration import SECONDS, Duration
from pytest_reliability.model.limits import PERCENTAGE, QUANTILE, RATE, contradiction, quantile
from pytest_reliability.model.nodes import Fault
from pytest_reliability.model.settings import Dependency, Folders, LatencySettings, RouteLimits, Settings, Vocabulary
from pytest_reliability.shape import BOOLEAN, DURATION, STRING, Either, Entries, Fields, Items, Scalar, choice, faults

if TYPE_CHECKING:
    from pytest_reliability.documents import Tree

DIALECTS = ("auto", "prometheus", "thanos", "mimir", "loki", "victoriametrics")

_FILLED = Scalar("a text that says something", types=(str,), accepts=lambda text: bool(text.strip()))
_LABEL = Scalar("the name of a label", types=(str,), accepts=str.isidentifier)
_SELECTORS = Items(Scalar("a code, a prefix of codes or a name, such as ALR001, SLO or missing-runbook", types=(str,)))
_WORDS = Items(Scalar("a word", types=(str, int)))


def _is_limit(text: str) -> bool:
    try:
        seconds = Duration.parse(text).seconds
    except ValueError:
        return False
    return seconds > 0 and isfinite(seconds)


def _is_share(text: str) -> bool:
    match = PERCENTAGE.fullmatch(text)
    return match is not None and 0 < float(match[1]) < 100


def _is_rate(text: str) -> bool:
    match = RATE.fullmatch(text)
    return match is not None and 0 < float(match[1]) < inf


_OBJECTIVE = Scalar("a percentage such as 99.9%", types=(str,), accepts=_is_share)
_MODE = choice("hard", "soft", "cached")
_LIMIT = Scalar("a duration such as 100ms", types=(str,), accepts=_is_limit)

ROUTE_LIMITS = Fields(
    "a route's limits",
    {
        **dict.fromkeys(("p50", "p90", "p95", "p99", "p99.9", "max"), _LIMIT),
        "errors": Scalar("a share such as 1%", types=(str,), accepts=_is_share),
        "throughput": Scalar("a rate such as 200/s", types=(str,), accepts=_is_rate),
        "slo": _FILLED,
    },
    extension=QUANTILE.pattern + "$",
)
"""What limits a route; the shape of any other quantile is that of p95, see `_limits_of_routes`."""

CONFIGURATION = Fields(
    "the configuration",
    {
        "service": _FILLED,
        "root": BOOLEAN,
        "tier": choice("A", "B", "C"),
        "folders": Fields("folders", {"runbooks": Items(STRING, 1), "postmortems": Items(STRING, 1)}),
        "select": _SELECTORS,
        "ignore": Entries(Scalar("the reason why", types=(str,), accepts=lambda text: bool(text.strip()))),
        "exclude": Items(STRING),
        "severities": Fields("severities", {"label": _LABEL, "page": _WORDS, "ticket": _WORDS, "notice": _WORDS}),
        "runbook_urls": Entries(STRING, r"https?://.+", "a URL prefix, such as https://wiki.example.com/runbooks/"),
        "dialect": choice(*DIALECTS),
        "scrape_interval": DURATION,
        "response_time": DURATION,
        "latency": Fields(
            "latency",
            {"routes": Entries(ROUTE_LIMITS, r"[A-Z]+ /\S*", "a method and a path, such as POST /checkout,"), "history": BOOLEAN},
        ),
        "dependencies": Entries(
            Either((Fields("a dependency", {"mode": _MODE, "objective": _OBJECTIVE}), _MODE), "hard, soft or cached")
        ),
        "sla": Entries(_OBJECTIVE),
        "request_rate": Scalar("a rate such as 5/s", types=(str,), accepts=_is_rate),
        "objective_review": Scalar("a duration such as 180d", types=(str,), accepts=_is_limit),
    },
)


class ConfigurationError(UsageError):
    """The configuration does not mean anything; `faults` are all that is wrong with it."""

    def __init__(self, faults: tuple[Fault, ...]) -> None:
        self.faults = faults
        lines = (f"{fault.at}: {fault.message}" + (f"\n  {fault.hint}" if fault.hint else "") for fault in faults)
        super().__init__("\n".join(lines))


def settings_from(tree: Tree, data: Any, folder: str = "") -> Settings:
    """Settings out of `data`, the configuration inside `tree`; `folder` is where its file lies, "" for the repository's root.

    Paths in the configuration are relative to its own folder. Raises ConfigurationError.
    """
    if data is None:
        data = {}
    wrong = (
        *tree.faults,
        *faults(tree, CONFIGURATION, data),
        *_ignored_without_reason(tree, data),
        *_limits_of_routes(tree, data),
    )
    if wrong:
        raise ConfigurationError(tuple(wrong))
    words: Mapping[str, Any] = data.get("severities") or {}
    folders: Mapping[str, list[str]] = data.get("folders") or {}
    defaults = Settings()
    return Settings(
        service=data.get("service"),
        root=data.get("root", False),
        tier=data.get("tier"),
        folders=Folders(
            runbooks=tuple(_inside(folder, path) for path in folders.get("runbooks", ())),
            postmortems=tuple(_inside(folder, path) for path in folders.get("postmortems", ())),
        ),
        select=tuple(data.get("select", ())),
        ignore=MappingProxyType(dict(data.get("ignore", {}))),
        exclude=tuple(_inside(folder, pattern) for pattern in data.get("exclude", ())),
        severities=_vocabulary(words),
        runbook_urls=MappingProxyType({url: _inside(folder, path) for url, path in data.get("runbook_urls", {}).items()}),
        dialect=data.get("dialect", defaults.dialect),
        scrape_interval=Duration.parse(data["scrape_interval"]) if "scrape_interval" in data else None,
        response_time=Duration.parse(data["response_time"]) if "response_time" in data else defaults.response_time,
        latency=_latency(tree, data.get("latency", {})),
        dependencies=tuple(_dependencies(tree, data.get("dependencies", {}))),
        sla=MappingProxyType({name: _ratio(text) for name, text in data.get("sla", {}).items()}),
        request_rate=_rate(data.get("request_rate", "")),
        objective_review=Duration.parse(data["objective_review"]) if "objective_review" in data else defaults.objective_review,
    )


def _ignored_without_reason(tree: Tree, data: Any) -> tuple[Fault, ...]:
    """A list of codes is what people try first; say what is missing in it rather than that a mapping is expected."""
    if not isinstance(data, dict) or not isinstance(data.get("ignore"), list):
        return ()
    hint = "write each with its reason, for example: ALR007: the platform team owns every alert"
    return (Fault(kind="missing-field", at=tree.at(data, "ignore"), message="ignored checks have no reasons", hint=hint),)


def _limits_of_routes(tree: Tree, data: Any) -> Iterator[Fault]:
    """What the shape cannot say: a route has limits, and those of quantiles that it does not list are durations too."""
    latency = data.get("latency") if isinstance(data, dict) else None
    routes = latency.get("routes") if isinstance(latency, dict) else None
    for name, limits in routes.items() if isinstance(routes, dict) else ():
        if limits == {}:
            hint = "add p95: 100ms, or remove the route"
            yield Fault(kind="missing-field", at=tree.key_at(routes, name), message=f"{name} has no limit", hint=hint)
        elif isinstance(limits, dict):
            others = {key: _LIMIT for key in limits if key not in ROUTE_LIMITS.known and quantile(key)}
            yield from faults(tree, Fields("", others, open=True), limits)
            yield from _contradicting(tree, limits)


def _contradicting(tree: Tree, limits: Mapping[str, Any]) -> Iterator[Fault]:
    """Limits of one route that cannot both be meant."""
    times = [
        (share, Duration.parse(value).seconds, f"{key}: {value}")
        for key, value in limits.items()
        if (share := quantile(key)) and isinstance(value, str) and _is_limit(value)
    ]
    if wrong := contradiction(times):
        message, hint = wrong
        yield Fault(kind="conflicting-fields", at=tree.at(limits), message=message, hint=hint)


def _latency(tree: Tree, latency: Mapping[str, Any]) -> LatencySettings:
    routes: Mapping[str, Mapping[str, str]] = latency.get("routes", {})
    return LatencySettings(
        routes=tuple(
            RouteLimits(tree.key_at(routes, name), name, MappingProxyType(dict(limits))) for name, limits in routes.items()
        ),
        history=latency.get("history", False),
    )


def _dependencies(tree: Tree, dependencies: Mapping[str, Any]) -> Iterator[Dependency]:
    for name, said in dependencies.items():
        given = said if isinstance(said, dict) else {"mode": said}
        objective = _ratio(given["objective"]) if "objective" in given else None
        yield Dependency(tree.key_at(dependencies, name), name, given.get("mode", "hard"), objective)


def _ratio(text: str) -> Decimal:
    """The ratio that a percentage stands for."""
    return Decimal(text.rstrip(" %")).scaleb(-2)


def _rate(text: str) -> float | None:
    """How often in a second; None for what is no rate."""
    match = RATE.fullmatch(text)
    return float(match[1]) / SECONDS[match[2][0]] if match else None


def _vocabulary(words: Mapping[str, Any]) -> Vocabulary:
    usual = Vocabulary()
    given = {key: tuple(map(str, words[key])) for key in ("page", "ticket", "notice") if key in words}
    if not given:
        return Vocabulary(label=words.get("label", usual.label))
    # Who names some severities means these and no others, except that nobody needs to repeat ours for what was left out.
    return Vocabulary(
        label=words.get("label", usual.label),
        page=given.get("page", usual.page),
        ticket=given.get("ticket", usual.ticket),
        notice=given.get("notice", usual.notice),
        configured=True,
    )


def _inside(folder: str, path: str) -> str:
    joined = normpath(f"{folder}/{path}" if folder else path)
    return "" if joined == "." else joined
