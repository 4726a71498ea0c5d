"""From an alert to the receivers that it reaches, by walking Alertmanager's routing tree as Alertmanager does.

A rule says only some of an alert's labels: those it sets, and its name. Every other label comes from its expression, or from
Prometheus itself, and may have any value or be missing. Where a route depends on one of these, the answer says that it is not
certain.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from pytest_reliability.model.nodes import Alert, Matcher, Receiver, Route, Routing

if TYPE_CHECKING:
    from pytest_reliability.model.graph import Graph


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteLink:
    """One place where an alert lands: `path` are the routes from the root down to the last, `receiver` the one that this names.

    `receiver` is None where the configuration does not define it. `certain` tells whether the alert always lands there; where it
    does not, `evidence` names the labels that decide.
    """

    routing: Routing
    path: tuple[Route, ...]
    receiver: Receiver | None
    certain: bool
    evidence: str


def receivers_for(graph: Graph, alert: Alert) -> tuple[RouteLink, ...]:
    """Where `alert` lands, in the order of notification: once or more in each Alertmanager configuration."""
    labels = known_labels(alert)
    found: list[RouteLink] = []
    for routing in graph.of(Routing):
        if routing.root is not None:
            found.extend(_link(routing, landing) for landing in walk(routing.root, labels))
    return tuple(found)


def known_labels(alert: Alert) -> dict[str, str]:
    """The labels whose values the rule itself says; a template's value is not among them."""
    fixed = {name: value for name, value in alert.labels.items() if "{{" not in value}
    return fixed | {"alertname": alert.name}


@dataclass(frozen=True, slots=True)
class Landing:
    """The end of a walk: the routes taken, and the labels that decide whether an alert takes them (none: it always does)."""

    path: tuple[Route, ...]
    unknown: tuple[str, ...] = ()


def walk(root: Route, labels: Mapping[str, str]) -> Iterator[Landing]:
    """Every route that an alert with these labels ends at, or may end at."""
    unknown = _unknown(root, labels)
    if unknown is not None:
        yield from _below((root,), labels, unknown)


def _below(path: tuple[Route, ...], labels: Mapping[str, str], unknown: tuple[str, ...]) -> Iterator[Landing]:
    """The landings at or below the last route of `path`; `unknown` are the labels that decide whether an alert gets there."""
    onward = unknown  # what decides whether an alert gets past the children seen so far
    here = unknown  # what decides whether it stays
    taken = False
    for child in path[-1].routes:
        deciding = _unknown(child, labels)
        if deciding is None:
            continue
        yield from _below((*path, child), labels, _merged(onward, deciding))
        taken = taken or not deciding
        here = _merged(here, deciding)
        if not child.continues:
            if not deciding:
                return
            onward = _merged(onward, deciding)
    if not taken:
        yield Landing(path, here)


def _merged(some: tuple[str, ...], more: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*some, *more)))


def _unknown(route: Route, labels: Mapping[str, str]) -> tuple[str, ...] | None:
    """The labels that decide whether a route takes an alert: none where it certainly does; None where it certainly does not."""
    deciding = []
    for matcher in route.matchers:
        verdict = _matches(matcher, labels.get(matcher.label))
        if verdict is False:
            return None
        if verdict is None:
            deciding.append(matcher.label)
    return tuple(deciding)


def _matches(matcher: Matcher, value: str | None) -> bool | None:
    """Whether a matcher accepts a label's value; None where that is not known."""
    if matcher.operator in ("=~", "!~"):
        accepted = True if matcher.value == ".*" else None if value is None else _fits(matcher.value, value)
    else:
        accepted = None if value is None else matcher.value == value
    return accepted if accepted is None or matcher.operator in ("=", "=~") else not accepted


_LONGEST_FOR_GROUPS = 16
_REPEATED_GROUP = r"\)[*+{]"


def _fits(pattern: str, value: str) -> bool | None:
    """Whether the whole value matches; None where Python's engine cannot say, or might take too long to."""
    if len(value) > _LONGEST_FOR_GROUPS and re.search(_REPEATED_GROUP, pattern):
        return None
    compiled = _compiled(pattern)
    return compiled.fullmatch(value) is not None if compiled else None


@lru_cache(maxsize=1024)
def _compiled(pattern: str) -> re.Pattern[str] | None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return re.compile(pattern)
    except re.error:
        return None


def _link(routing: Routing, landing: Landing) -> RouteLink:
    name = landing.path[-1].receiver
    way = f"{routing.at.path} sends it to {name!r}"
    if routing.partial:
        evidence = f"{way} if it gets there at all: {routing.at.path} is a part of a configuration"
    elif landing.unknown:
        evidence = f"{way}, depending on {', '.join(landing.unknown)}, which only the expression provides"
    else:
        evidence = way
    certain = not landing.unknown and not routing.partial
    return RouteLink(routing=routing, path=landing.path, receiver=routing.receivers.get(name), certain=certain, evidence=evidence)
