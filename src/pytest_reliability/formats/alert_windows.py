"""Sloth's catalogue of alert windows: https://sloth.dev/usage/slo-period-windows/ (`kind: AlertWindows`).

A file says for SLOs of one period on which burn rates Sloth alerts: a quick and a slow one for each of page and ticket. Each is a
`BurnRate`. Sloth computes its factor, errorBudgetPercent ÷ 100 × sloPeriod ÷ longWindow, and so does this reader; its `budget` is
errorBudgetPercent ÷ 100, its `period` the sloPeriod. All four together are an `AlertPolicy`.

Sloth drops unknown keys silently, and takes budgets of more than all there is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from pytest_reliability import shape
from pytest_reliability.contracts import Format
from pytest_reliability.documents import Source, Tree
from pytest_reliability.formats import _slo
from pytest_reliability.formats._kubernetes import KIND_IS, resources
from pytest_reliability.model.duration import Duration
from pytest_reliability.model.nodes import AlertPolicy, BurnRate, Fault, Node, Replace
from pytest_reliability.shape import ANYTHING, Fields, Scalar

API_VERSION = "sloth.slok.dev/v1"
KIND = "AlertWindows"

_LENGTH = re.compile(r"(?=.)(?:\d+y)?(?:\d+w)?(?:\d+d)?(?:\d+h)?(?:\d+m)?(?:\d+s)?(?:\d+ms)?")


def _is_length(text: str) -> bool:
    """Whether it is a duration as Prometheus writes them, and not nothing: the units in order, each at most once."""
    return _LENGTH.fullmatch(text) is not None and Duration.parse(text).seconds > 0


def _is_share(text: str) -> bool:
    try:
        return 0 < float(text) <= 100
    except ValueError:
        return False


LENGTH = Scalar("a duration above 0 such as 5m, 1h or 30d", types=(str,), accepts=_is_length)
WINDOW = Fields(
    "an alert window",
    {
        "errorBudgetPercent": Scalar("a number above 0, at most 100,", types=(int, float), accepts=_is_share),
        "shortWindow": LENGTH,
        "longWindow": LENGTH,
    },
    required=("errorBudgetPercent", "shortWindow", "longWindow"),
)
WINDOWS = {
    severity: Fields(f"the windows for {severity}s", {"quick": WINDOW, "slow": WINDOW}, required=("quick", "slow"))
    for severity in ("page", "ticket")
}
DOCUMENT = Fields(
    f"an {KIND} document",
    {
        "apiVersion": ANYTHING,
        "kind": ANYTHING,
        "metadata": ANYTHING,
        "spec": Fields("the spec of AlertWindows", {"sloPeriod": LENGTH, **WINDOWS}, required=("sloPeriod", "page", "ticket")),
    },
    required=("apiVersion", "spec"),
)


def read(source: Source) -> Iterator[Node | Fault]:
    """The alert windows in a file, and what is wrong with them."""
    for tree, data in resources(source):
        if data["kind"] == KIND:
            yield from _wrong_version(tree, data)
            yield from shape.faults(tree, DOCUMENT, data)
            yield from _policy(source, tree, data)
            yield from tree.faults


def _wrong_version(tree: Tree, data: dict[str, Any]) -> Iterator[Fault]:
    version = data.get("apiVersion", API_VERSION)
    if version != API_VERSION:
        at = tree.at(data, "apiVersion")
        yield Fault(
            kind="wrong-kind",
            at=at,
            message=f"apiVersion is {version!r}; {API_VERSION!r} is expected",
            hint=f"apiVersion: {API_VERSION}",
            edit=Replace(at, version, API_VERSION) if isinstance(version, str) else None,
        )


def _policy(source: Source, tree: Tree, data: dict[str, Any]) -> Iterator[Node]:
    """The windows one by one, then all of them."""
    spec = data.get("spec")
    if not isinstance(spec, dict):
        return
    period = _slo.duration(spec, "sloPeriod")
    found = []
    for severity in WINDOWS:
        speeds = spec.get(severity)
        for speed in ("quick", "slow"):
            window = speeds.get(speed) if isinstance(speeds, dict) else None
            if isinstance(window, dict):
                found.append(_burn_rate(source, tree, window, f"{severity} {speed}", period))
    yield from found
    at = tree.at(spec, "sloPeriod") if period else tree.at(data, "kind")
    yield AlertPolicy(at=at, settings=source.settings, name=f"windows of {period}" if period else "", burn_rates=tuple(found))


def _burn_rate(source: Source, tree: Tree, window: dict[str, Any], name: str, period: Duration | None) -> BurnRate:
    budget = _slo.number(tree, window, "errorBudgetPercent")
    share = budget.scaleb(-2) if budget is not None and 0 < budget <= 100 else None
    long = _slo.duration(window, "longWindow")
    factor = None
    if share is not None and period is not None and long is not None and long.seconds > 0:
        factor = share * Decimal(period.seconds) / Decimal(long.seconds)
    return BurnRate(
        at=tree.at(window),
        settings=source.settings,
        holder=f"alert window {name!r}",
        factor=factor,
        factor_at=tree.at(window, "errorBudgetPercent"),
        long=long,
        short=_slo.duration(window, "shortWindow"),
        severity=name.partition(" ")[0],
        budget=share,
        period=period,
    )


FORMAT = Format(
    name="sloth alert windows",
    files=r"\.(?:ya?ml|json)$",
    marker=KIND_IS + rb"AlertWindows\b",
    yields=(BurnRate, AlertPolicy),
    read=read,
)
