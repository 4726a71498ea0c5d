"""What the readers of SLO dialects share: numbers as written, who owns an SLO, and what its queries say of latency."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any

from pytest_reliability.documents import Tree
from pytest_reliability.model.duration import SECONDS, Duration
from pytest_reliability.model.nodes import RUNBOOK_ANNOTATIONS, Fault, Query, Replace

OWNER_KEYS = ("owner", "owners", "owned_by", "owning_team", "team", "teams", "squad", "maintainer", "maintainers")
"""Labels and annotations that say who owns an SLO, the usual one first."""
RUNBOOK_KEYS = RUNBOOK_ANNOTATIONS
"""Labels and annotations that name an SLO's runbook, the usual one first."""
DASHBOARD_KEYS = ("dashboard", "dashboard_url", "grafana_dashboard", "grafana_url", "grafana")
"""Labels and annotations that name an SLO's dashboard, the usual one first."""


def number(tree: Tree, holder: Mapping[str, Any], key: str) -> Decimal | None:
    """The number under `key` exactly as written; None where there is no finite number."""
    if type(holder.get(key)) not in (int, float):
        return None
    try:
        value = Decimal(tree.spelling(holder, key))
    except InvalidOperation:  # 0x1F and 0o17 are numbers in YAML too, but nobody writes an objective like that
        return None
    return value if value.is_finite() else None


def text(holder: Any, key: str) -> str | None:
    """The text under `key`; None where there is none, or only white space."""
    value = holder.get(key) if isinstance(holder, dict) else None
    return value if isinstance(value, str) and value.strip() else None


def texts(tree: Tree, holder: Any, key: str) -> dict[str, str]:
    """The labels or annotations under `key`, every value as a text; several values of one label are joined by commas."""
    values = holder.get(key) if isinstance(holder, dict) else None
    if not isinstance(values, dict):
        return {}
    found = {}
    for name, value in values.items():
        if isinstance(value, list):
            found[name] = ", ".join(str(item) for item in value if isinstance(item, (str, int, float)))
        elif value is not None and not isinstance(value, dict):
            found[name] = tree.spelling(values, name)
    return found


def wrong_kind(tree: Tree, data: dict[str, Any], key: str, expected: str) -> Iterator[Fault]:
    """`apiVersion` or `kind` is not what it must be."""
    value = data.get(key)
    if isinstance(value, str) and value != expected:
        at = tree.at(data, key)
        message = f"{key} is {value!r}; {expected!r} is expected"
        hint = f"{key}: {expected}"
        yield Fault(kind="wrong-kind", at=at, message=message, hint=hint, edit=Replace(at, value, expected))


def mapping(holder: Mapping[str, Any], key: str) -> dict[str, Any]:
    """The mapping under `key`; an empty one where there is none."""
    value = holder.get(key)
    return value if isinstance(value, dict) else {}


def duration(holder: Any, key: str) -> Duration | None:
    """The duration under `key`; None where there is none that can be read."""
    try:
        return Duration.parse(text(holder, key) or "")
    except ValueError:
        return None


def first_of(keys: Iterable[str], *maps: Mapping[str, str]) -> str | None:
    """What the first of `keys` says, earlier maps first; prefixes (`example.com/owner`) do not matter."""
    for values in maps:
        folded = {_folded(key): value.strip() for key, value in values.items()}
        for key in keys:
            if value := folded.get(_folded(key)):
                return value
    return None


@lru_cache(maxsize=1024)
def _folded(key: str) -> str:
    return re.sub(r"[-_.]", "", key.rpartition("/")[2]).casefold()


_UNIT = re.compile(r"\w+_(seconds|milliseconds|ms)")
_UNITS = {"seconds": "s", "milliseconds": "ms", "ms": "ms"}


def within(queries: Iterable[Query]) -> Duration | None:
    """T, where the queries count how many requests took no longer than T; None wherever that is not beyond doubt.

    That is where all of them read one finite bucket of histograms whose name gives the unit: `…_seconds_bucket{le="0.3"}`.
    """
    limits = set()
    for query in queries:
        if query.parsable and "_bucket" in query.parsable:
            from pytest_reliability.promql import selectors

            for selector in selectors(query.parsable):
                if selector.metric and selector.metric.endswith("_bucket"):
                    named = [item.value for item in selector.matchers if item.label == "le" and item.operator == "="]
                    limits |= {(limit, _unit(selector.metric.removesuffix("_bucket"))) for limit in named or [""]}
    limits = {(limit, unit) for limit, unit in limits if limit != "+Inf"}
    return measured(*limits.pop()) if len(limits) == 1 else None


def unit_of(queries: tuple[Query, ...]) -> str | None:
    """The unit of what a single query reads, where that is a plain metric whose name gives it; None wherever it is in doubt."""
    if len(queries) != 1 or not queries[0].parsable:
        return None
    plain = re.fullmatch(r"(?s)\s*(\w+)\s*(?:\{.*\})?\s*", queries[0].parsable)
    return _unit(plain[1]) if plain else None


def _unit(metric: str) -> str | None:
    found = _UNIT.fullmatch(metric)
    return _UNITS[found[1]] if found else None


def measured(amount: str, unit: str | None) -> Duration | None:
    """A duration of a number and its unit; None where one of them is none, or the number is not above zero."""
    try:
        seconds = float(amount) * SECONDS[unit] if unit else 0.0
    except ValueError:
        return None
    return Duration(seconds, f"{amount}{unit}") if 0 < seconds < float("inf") else None
