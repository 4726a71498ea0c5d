"""Alerts of rule files that watch how fast an error budget burns.

What the expression leaves open is taken from the alert: windows from labels (`long`, `short`, `window`, as Pyrra and the
Kubernetes mixin set them), and the share of the budget from a sentence such as "2% of the error budget consumed in 1 hour".
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal

from pytest_reliability.model.duration import Duration
from pytest_reliability.model.location import Location
from pytest_reliability.model.nodes import Alert, BurnRate

# Compiled when first used: every start would pay for them.
_LIKELY = r"""(?ix)
    burn | budget
  | \* \s* \(* \s* (?: 0?\.\d | 1(?:00)? \s* - )      # … * 0.001, … * (1 - 0.999)
  | (?: \.\d+ | - \s* [\d.]+ ) \s* \)* \s* \*     # 0.001 * …, (1 - 0.999) * …
  | / \s* \(+ \s* 1(?:00)? \s* -                      # … / (1 - 0.999)
  | / \s* 0?\.\d"""
_SHARE = r"""(?ix)
    (\d+(?:\.\d+)?) \s* % \s (?:of\s)? [^.%]{0,40}? \bbudget\b [^.%]{0,40}?
    \b (?:in|within|over|during) \s (?:the\s)? (?:(?:last|past)\s)? (\d+)? \s* -? (minute|hour|day|min|hr|m|h|d)s? \b"""
_UNITS = {"min": "m", "minute": "m", "hr": "h", "hour": "h", "day": "d"}
_LEFT = r"(?i)\b(?:remain|left)"


def burn_rates(alert: Alert) -> Iterator[BurnRate]:
    """Every burn rate that the alert fires at."""
    if alert.dialect == "loki" or not re.search(_LIKELY, alert.expr):
        return
    from pytest_reliability.promql.burn_rate import burn_rates as read

    labelled = [_labelled(alert, keys) for keys in (("long", "long_window", "window"), ("short", "short_window"))]
    for burn in read(alert.expr):
        long, short = (burn.long, burn.short) if burn.long else labelled
        yield BurnRate(
            at=alert.at,
            settings=alert.settings,
            holder=f"alert {alert.name!r}",
            factor=burn.factor,
            factor_at=_place(alert, burn.offset),
            long=long,
            short=short,
            severity=_severity(alert),
            wait=alert.wait,
            budget=_budget(alert, long),
            objective=burn.objective,
            inclusive=burn.inclusive,
        )


def _labelled(alert: Alert, keys: tuple[str, ...]) -> Duration | None:
    for key in keys:
        try:
            return Duration.parse(alert.labels.get(key, ""))
        except ValueError:
            continue
    return None


def _place(alert: Alert, offset: int | None) -> Location:
    return alert.place(offset) if alert.place and offset is not None else alert.expr_at


def _severity(alert: Alert) -> str:
    """Sloth says it in a label of its own."""
    if alert.pages:
        return "page"
    if alert.severity in alert.settings.severities.ticket:
        return "ticket"
    return alert.labels.get("sloth_severity") or alert.severity or ""


def _budget(alert: Alert, long: Duration | None) -> Decimal | None:
    """The share of the budget that the alert's texts say is gone within the long window."""
    for text in alert.annotations.values():
        said = re.search(_SHARE, text)
        if said and long and not re.search(_LEFT, text):
            unit = said[3].lower()
            length = Duration.parse(f"{said[2] or 1}{_UNITS.get(unit, unit)}")
            share = Decimal(said[1]).scaleb(-2).normalize()
            if length.seconds == long.seconds and 0 < share <= 1:
                return share
    return None
