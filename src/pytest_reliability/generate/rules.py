"""Rules in our own style: the error ratio over every window, the budget that is left, and alerts on burn rates.

One group for each SLO, so that Prometheus evaluates its rules one after another. Every series bears the label `slo`, and the
labels that the SLO's own queries leave, so that a query by route gives an alert by route.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from pytest_reliability.generate.options import Options
from pytest_reliability.generate.ratio import ErrorRatio, error_ratio
from pytest_reliability.generate.templates import NoRulesError
from pytest_reliability.generate.windows import BurnAlert, burn_alerts, custom_alerts, spelled
from pytest_reliability.model.duration import Duration
from pytest_reliability.model.graph import Graph
from pytest_reliability.model.nodes import AlertText, BurnRate, Dashboard, Runbook, Slo
from pytest_reliability.model.objectives import percent

Rule = dict[str, Any]
Group = dict[str, Any]

RATIO = "slo:error_ratio:rate{window}"
ERRORS = "slo:errors:rate{window}"
EVENTS = "slo:events:rate{window}"
COUNT = "slo:errors:count{window}"
REMAINING = "slo:error_budget_remaining:ratio"
OBJECTIVE = "slo:objective:ratio"


def group_of(graph: Graph, slo: Slo, options: Options) -> Group:
    """The rules of one SLO. Raises NoRulesError."""
    rules = _Rules(graph, slo, options)
    wanted = (rules.recordings() if options.recordings else []) + (rules.alerts() if options.alerts else [])
    return {"name": group_name(slo), "rules": wanted}


def group_name(slo: Slo) -> str:
    """What the group of an SLO's rules is called; no two groups of a file may bear the same name."""
    return f"slo {slo.full_name}"


def period_of(slo: Slo, options: Options) -> float:
    """The period that the budget is counted over, in seconds. Raises NoRulesError."""
    if options.period:
        return Duration.parse(options.period).seconds
    if slo.window is None:
        raise NoRulesError("it has no time window; say which: --period 28d")
    return slo.window.seconds


def objective_of(slo: Slo) -> Decimal:
    """The objective. Raises NoRulesError where it leaves no error budget, or is none."""
    if slo.objective is None:
        raise NoRulesError("it has no objective that can be read")
    if not 0 < slo.objective < 1:
        raise NoRulesError(f"its objective of {percent(slo.objective)} leaves no error budget to alert on")
    return slo.objective.normalize()


def windows_of(graph: Graph, options: Options) -> list[BurnRate]:
    """The alert windows in the file that the options name."""
    return [rate for rate in graph.of(BurnRate) if rate.at.path == options.windows]


def alerts_of(graph: Graph, slo: Slo, options: Options) -> tuple[BurnAlert, ...]:
    """Which burn rates to alert on, without those of a severity that the SLO does not want. Raises NoRulesError."""
    period, objective = period_of(slo, options), objective_of(slo)
    interval = slo.settings.scrape_interval
    found = (
        custom_alerts(windows_of(graph, options), period)
        if options.windows
        else burn_alerts(objective, period, interval.seconds if interval else 30.0)
    )
    return tuple(alert for alert in found if not _text_of(slo, alert.severity).disabled)


def _text_of(slo: Slo, severity: str) -> AlertText:
    """What the SLO says about alerts of a severity, on top of what it says about all."""
    if slo.alerting is None:
        return AlertText()
    common, own = slo.alerting.common, slo.alerting.page if severity == "page" else slo.alerting.ticket
    return AlertText(
        disabled=common.disabled or own.disabled,
        labels={**common.labels, **own.labels},
        annotations={**common.annotations, **own.annotations},
    )


class _Rules:
    """The rules of one SLO, being made."""

    def __init__(self, graph: Graph, slo: Slo, options: Options) -> None:
        self.graph = graph
        self.slo = slo
        self.options = options
        self.measured: ErrorRatio = error_ratio(graph, slo)
        self.objective = objective_of(slo)
        self.period = int(period_of(slo, options))
        self.burns = alerts_of(graph, slo, options)
        self.selector = f"{{slo={quoted(slo.full_name)}}}"
        self.windows = sorted({length for burn in self.burns for length in (burn.long, burn.short)}) or [300]

    # Recordings

    def recordings(self) -> list[Rule]:
        """The error ratio over every window, and over the whole period what is left of the budget."""
        rules = [self.record(RATIO, window, self.measured.ratio(spelled(window))) for window in self.windows]
        if self.options.min_errors:
            rules += [self.record(COUNT, window, self.counted(window)) for window in sorted({burn.long for burn in self.burns})]
        rules.append({"record": OBJECTIVE, "expr": f"vector({self.objective:f})", "labels": self.labels()})
        return rules + (self.budget() if self.slo.rolling else [])

    def budget(self) -> list[Rule]:
        """What is left of the budget of a rolling period; a calendar's months have no length of their own."""
        whole, first = spelled(self.period), spelled(self.windows[0])
        rules = []
        if not self.options.exact:
            ratio = f"avg_over_time({RATIO.format(window=first)}{self.selector}[{whole}])"
        elif self.measured.errors is None or self.measured.total is None:
            ratio = self.measured.ratio(whole)
        else:
            rules.append(self.record(ERRORS, self.windows[0], self.measured.errors(first)))
            rules.append(self.record(EVENTS, self.windows[0], self.measured.total(first)))
            sums = (f"sum_over_time({name.format(window=first)}{self.selector}[{whole}])" for name in (ERRORS, EVENTS))
            ratio = "\n/\n".join(sums)
        rules.append(self.record(RATIO, self.period, ratio))
        left = f"1 - {RATIO.format(window=whole)}{self.selector} / {1 - self.objective:f}"
        return [*rules, {"record": REMAINING, "expr": left, "labels": self.labels()}]

    def counted(self, window: int) -> str:
        """How many events were bad over a window."""
        if self.measured.errors is None or self.measured.seconds is None:
            raise NoRulesError("nobody can tell how many events its queries count; generate it without --min-errors")
        errors = self.measured.errors(spelled(window))
        return f"(\n{errors}\n)\n* {window}" if self.measured.seconds else errors

    def record(self, name: str, window: int, expr: str) -> Rule:
        return {"record": name.format(window=spelled(window)), "expr": expr, "labels": self.labels()}

    def labels(self) -> dict[str, str]:
        return dict(sorted({"slo": self.slo.full_name, **self.options.labels}.items()))

    # Alerts

    def alerts(self) -> list[Rule]:
        """One alert for each severity, whichever of its burn rates is exceeded."""
        return [self.alert(severity) for severity in dict.fromkeys(burn.severity for burn in self.burns)]

    def alert(self, severity: str) -> Rule:
        burns = [burn for burn in self.burns if burn.severity == severity]
        said = _text_of(self.slo, severity)
        return {
            "alert": alert_name(self.slo, severity),
            "expr": "\nor\n".join(map(self.condition, burns)),
            "labels": dict(sorted({**self.alert_labels(severity), **said.labels, **self.options.labels}.items())),
            "annotations": dict(sorted({**self.annotations(severity, burns), **said.annotations}.items())),
        }

    def condition(self, burn: BurnAlert) -> str:
        """Bad over the long window, so that it matters, and still bad over the short one."""
        limit = f"{burn.factor:f} * {1 - self.objective:f}"
        parts = [f"{RATIO.format(window=spelled(length))}{self.selector} > {limit}" for length in (burn.long, burn.short)]
        if self.options.min_errors:
            parts.append(f"{COUNT.format(window=spelled(burn.long))}{self.selector} >= {self.options.min_errors}")
        return "(\n  " + "\n  and\n  ".join(parts) + "\n)"

    def alert_labels(self, severity: str) -> dict[str, str]:
        vocabulary = self.slo.settings.severities
        words = vocabulary.page if severity == "page" else vocabulary.ticket
        labels = {name: value for name, value in self.slo.labels.items() if _is_label(name)}
        if self.slo.service and not self.by_service():
            labels["service"] = self.slo.service
        return {**labels, "slo": self.slo.full_name, vocabulary.label: words[0] if words else severity}

    def by_service(self) -> bool:
        """Whether the SLO's own queries tell services apart, which the label of an alert would undo."""
        return re.search(r"\bby\s*\([^)]*\bservice\b", self.measured.ratio("5m")) is not None

    def annotations(self, severity: str, burns: Iterable[BurnAlert]) -> dict[str, str]:
        spent = ", or ".join(f"{rounded(burn.share(self.period) * 100)}% within {spelled(burn.long)}" for burn in burns)
        speed = "fast" if severity == "page" else "steadily"
        promise = f"{percent(self.objective)} over {spelled(self.period)}"
        found = {
            "summary": literal(f"{self.slo.full_name} burns its error budget {speed}"),
            "description": "{{ $value | humanizePercentage }} of events are bad. "
            f"The objective is {promise}; its error budget is being spent faster than {spent}.",
        }
        runbook, dashboard = runbook_of(self.graph, self.slo), dashboard_of(self.graph, self.slo)
        if runbook:
            found["runbook_url"] = literal(runbook)
        if dashboard:
            found["dashboard_url"] = literal(dashboard)
        return found


def alert_name(slo: Slo, severity: str) -> str:
    """What the alert of a severity is called: as the SLO says, or after the SLO."""
    if slo.alerting is not None and slo.alerting.name:
        return slo.alerting.name
    repeated = slo.service is not None and _folded(slo.name).startswith(_folded(slo.service))
    words = re.findall(r"[A-Za-z0-9]+", slo.name if repeated else slo.full_name)
    name = "".join(word[:1].upper() + word[1:] for word in words)
    return f"{name if name[:1].isalpha() else f'Slo{name}'}BurnsBudget{'Fast' if severity == 'page' else 'Steadily'}"


# What the repository knows


def runbook_of(graph: Graph, slo: Slo) -> str | None:
    """What the SLO names as its runbook; or the path of the only one that is named after the SLO or its alerts."""
    if slo.runbook:
        return slo.runbook
    said = slo.alerting
    if said is not None and any(text.annotations.get("runbook_url") for text in (said.common, said.page, said.ticket)):
        return None  # the alerts have it
    alerts = {alert_name(slo, severity) for severity in ("page", "ticket")}
    names = {_folded(name) for name in (slo.name, slo.full_name, *alerts)}
    found = [
        page.at.path
        for page in graph.of(Runbook)
        if alerts & set(page.alerts) or _folded(page.at.path.rpartition("/")[2].partition(".")[0]) in names
    ]
    return found[0] if len(found) == 1 else None


def dashboard_of(graph: Graph, slo: Slo) -> str | None:
    """What the SLO names as its dashboard; or where Grafana shows the only one that is titled like the SLO."""
    if slo.dashboard:
        return slo.dashboard
    names = {_folded(slo.name), _folded(slo.full_name)}
    found = [board for board in graph.of(Dashboard) if _folded(board.title) in names]
    return f"/d/{found[0].uid}" if len(found) == 1 and found[0].uid else None


def _folded(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.casefold())


# Texts


def quoted(text: str) -> str:
    """A text as PromQL writes it."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def literal(text: str) -> str:
    """A text that Prometheus's templates leave alone."""
    return text.replace("{{", '{{ "{{" }}')


def rounded(number: Decimal) -> str:
    """A number to two figures, as people say it."""
    digits = max(0, 1 - number.adjusted())
    text = f"{number:.{digits}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _is_label(name: str) -> bool:
    return re.fullmatch(r"[A-Za-z_]\w*", name, re.ASCII) is not None and not name.startswith("__") and name != "slo"


def prometheus_rule(name: str, groups: list[Group], labels: Mapping[str, str]) -> dict[str, Any]:
    """The groups as a resource for the Prometheus operator."""
    return {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "PrometheusRule",
        "metadata": {"name": name, "labels": dict(sorted(labels.items()))},
        "spec": {"groups": groups},
    }
