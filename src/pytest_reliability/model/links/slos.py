"""From an SLO to its alerts, its runbook, its dashboard and its owner.

An alert belongs to an SLO where something says so, the strongest evidence first: its annotation `reliability/slo` names it; its
labels do (`slo` or `slo_name` with `service` or `slo_service`; Sloth's `sloth_id`, or `sloth_slo` with `sloth_service`); the
series that its expression reads do, by their matchers or by the labels of the recording rules that make them. Names that merely
look alike, of alerts or of services, are never evidence.

Only what can be read without parsing PromQL is read of an expression: names of series, and matchers with =.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from posixpath import basename, splitext
from typing import TYPE_CHECKING, NamedTuple

from pytest_reliability.model.nodes import Alert, Dashboard, RecordingRule, Rule, Runbook, Slo

if TYPE_CHECKING:
    from pytest_reliability.model.graph import Graph

ANNOTATIONS = ("reliability/slo", "reliability_slo")
"""Annotations of an alert that name its SLO, "name" or "service/name"; several are separated by commas."""
NAME_LABELS = (("sloth_slo", ("sloth_service",)), ("slo", ("slo_service", "service")), ("slo_name", ("slo_service", "service")))
"""Labels that name an SLO, each with those that may name its service beside it."""
ID_LABEL = "sloth_id"
DASHBOARD_ANNOTATIONS = ("dashboard", "dashboard_url", "grafana_dashboard", "grafana_url", "__dashboardUid__")
OWNER_LABELS = ("owner", "owning_team", "team", "squad", "maintainer")


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertLink:
    """An alert that is for an SLO, and the evidence, as a clause.

    `certain` is False where what names the SLO names others as well: the alert may be for any one of them.
    """

    slo: Slo
    alert: Alert
    certain: bool
    evidence: str


class Claim(NamedTuple):
    """What somebody wrote of an SLO: its `name`, perhaps its `service`; or the `identity` that Sloth makes of both."""

    evidence: str
    name: str = ""
    service: str = ""
    identity: str = ""


def alert_links(graph: Graph) -> tuple[AlertLink, ...]:
    """Every link between an alert and an SLO, in the order of the alerts."""
    claims = _Claims(graph)
    return tuple(link for alert in graph.of(Alert) for link in _links(graph, alert, claims))


def _links(graph: Graph, alert: Alert, claims: _Claims) -> Iterator[AlertLink]:
    """The links of one alert: those of the strongest evidence that leads to an SLO at all."""
    for strength in (_annotated(alert), _labelled(alert.labels, "its label"), claims.of_expression(alert)):
        found: dict[int, AlertLink] = {}
        for claim in strength:
            meant = _meant(graph, alert, claim)
            for slo in meant:
                link = AlertLink(slo=slo, alert=alert, certain=len(meant) == 1, evidence=_evidence(claim, meant))
                if id(slo) not in found or link.certain:
                    found[id(slo)] = link
        if found:
            yield from found.values()
            return


def _evidence(claim: Claim, meant: tuple[Slo, ...]) -> str:
    if len(meant) == 1:
        return claim.evidence
    places = ", ".join(f"{slo.at.path}:{slo.at.line}" for slo in meant)
    return f"{claim.evidence}, and {len(meant)} SLOs fit: {places}"


def _meant(graph: Graph, alert: Rule | Dashboard, claim: Claim) -> tuple[Slo, ...]:
    """The SLOs that a claim may mean; those of the claimant's own service, where its words fit several."""
    if claim.identity:
        fitting = _identified(graph, claim.identity)
    elif claim.service:
        named = graph.slo_named(f"{claim.service}/{claim.name}")
        # Pyrra's SLOs have no service, and their rules have whatever labels their metrics are selected by.
        fitting = named or tuple(slo for slo in _called(graph, claim.name) if slo.service in (None, claim.service))
    else:
        fitting = _called(graph, claim.name)
    if len(fitting) < 2:
        return fitting
    own = graph.service_of(alert)
    near = tuple(slo for slo in fitting if own is not None and graph.service_of(slo) is own)
    return near or fitting


def _called(graph: Graph, name: str) -> tuple[Slo, ...]:
    """The SLOs of that name, or of the name that Sloth gives to an objective of OpenSLO's: "answers-0"."""
    stem, _, number = name.rpartition("-")
    numbered = graph.slo_named(stem) if number == "0" else ()
    return graph.slo_named(name) or tuple(slo for slo in numbered if slo.dialect == "openslo")


def _identified(graph: Graph, identity: str) -> tuple[Slo, ...]:
    """The SLOs that Sloth's rules call "service-name"; there may be more hyphens in both."""
    hyphens = (at for at, letter in enumerate(identity) if letter == "-")
    return tuple(slo for at in hyphens for slo in _called(graph, f"{identity[:at]}/{identity[at + 1 :]}"))


# --- Claims


def _annotated(alert: Alert) -> Iterator[Claim]:
    for key in ANNOTATIONS:
        for name in alert.annotations.get(key, "").split(","):
            if name.strip():
                yield Claim(f"its annotation {key} names {name.strip()!r}", name.strip())


def _labelled(labels: Mapping[str, str], holder: str) -> Iterator[Claim]:
    """What labels claim. A value with a template in it claims nothing."""
    if fixed := _fixed(labels, ID_LABEL):
        yield Claim(f"{holder} {ID_LABEL} is {fixed!r}", identity=fixed)
        return
    for key, services in NAME_LABELS:
        if name := _fixed(labels, key):
            service = next((_fixed(labels, label) for label in services if _fixed(labels, label)), "")
            yield Claim(f"{holder} {key} is {name!r}", name, service)
            return


def _fixed(labels: Mapping[str, str], key: str) -> str:
    value = labels.get(key, "").strip()
    return "" if "{{" in value or value.startswith("$") else value


class _Claims:
    """What expressions claim, by the series that they read."""

    def __init__(self, graph: Graph) -> None:
        self._recorded: dict[str, list[RecordingRule]] = {}
        for rule in graph.of(RecordingRule):
            self._recorded.setdefault(rule.name, []).append(rule)
        self._known: dict[int, tuple[Claim, ...]] = {}

    def of_expression(self, rule: Rule) -> tuple[Claim, ...]:
        """What the matchers of its series claim, or the recording rules that make them."""
        if id(rule) not in self._known:
            self._known[id(rule)] = ()  # for rules that read themselves
            claims = (claim for series in read(rule.expr) for claim in self._of_series(series))
            self._known[id(rule)] = tuple(dict.fromkeys(claims))
        return self._known[id(rule)]

    def _of_series(self, series: Series) -> Iterator[Claim]:
        claimed = tuple(_labelled(series.labels, f"it reads {series.name or 'a series'} whose label"))
        yield from claimed
        if not claimed:
            for rule in self._recorded.get(series.name, ()):
                if all(rule.labels.get(label, value) == value for label, value in series.labels.items()):
                    said = tuple(_labelled(rule.labels, f"it reads {rule.name} whose label"))
                    yield from said or self.of_expression(rule)


class Series(NamedTuple):
    """A series that an expression reads, with the labels that it must have."""

    name: str
    labels: Mapping[str, str]


_STRING = r'"(?:\\.|[^"\\])*"' + r"|'(?:\\.|[^'\\])*'|`[^`]*`"
_NAME = r"[A-Za-z_:][\w:]*"
_BRACES = rf"\{{(?:[^{{}}\"'`]|{_STRING})*\}}"
_SERIES = rf"(?P<name>{_NAME})\s*(?P<braces>{_BRACES})?|(?P<nameless>{_BRACES})|{_STRING}"
_MATCHER = rf"({_NAME})\s*=\s*({_STRING})"


def read(expr: str) -> Iterator[Series]:
    """The series that an expression may read. Words of the language are among them, which nothing is recorded as."""
    for match in re.finditer(_SERIES, expr):
        braces = match["braces"] or match["nameless"]
        if match["name"] or braces:
            labels = {label: text[1:-1] for label, text in re.findall(_MATCHER, braces or "")}
            yield Series(match["name"] or labels.pop("__name__", ""), labels)


# --- What an SLO leads to


def runbook_of(graph: Graph, slo: Slo) -> str | None:
    """What names the runbook of an SLO: its own fields, an alert of it, or a page that is for one of its alerts."""
    alerts = [link.alert for link in graph.alerts_for(slo) if link.certain]
    if named := slo.runbook or next((alert.runbook_url for alert in alerts if alert.runbook_url), None):
        return named
    names = {*slo.alert_names, *(alert.name for alert in alerts)}
    return next((page.at.path for page in graph.of(Runbook) if _is_for(page, names)), None)


def _is_for(page: Runbook, names: set[str]) -> bool:
    """Whether a runbook says that it is for an alert of one of these names, or is called like it."""
    stem = splitext(basename(page.at.path))[0]
    return not names.isdisjoint((*page.alerts, page.title)) or _folded(stem) in map(_folded, names)


def _folded(name: str) -> str:
    """A name without case and punctuation: CheckoutDown, checkout-down and checkout_down are one."""
    return re.sub(r"[\W_]", "", name.casefold())


def dashboard_of(graph: Graph, slo: Slo) -> str | None:
    """What shows an SLO: the dashboard that it or one of its alerts names, or one with a panel that reads its metrics."""
    alerts = [link.alert for link in graph.alerts_for(slo) if link.certain]
    named = (alert.annotations.get(key) for alert in alerts for key in DASHBOARD_ANNOTATIONS)
    if found := slo.dashboard or next(filter(None, named), None):
        return found
    own = [series for query in graph.queries_of(slo) for series in read(query.text) if series.labels]
    return next((board.at.path for board in graph.of(Dashboard) if _shows(graph, board, slo, own)), None)


def _shows(graph: Graph, board: Dashboard, slo: Slo, own: Iterable[Series]) -> bool:
    """Whether a panel reads a series that names the SLO (or any, by a variable), or one that the SLO itself reads."""
    for panel in board.panels:
        for series in (series for query in panel.queries for series in read(query.text)):
            if any(one is slo for claim in _labelled(series.labels, "") for one in _meant(graph, board, claim)):
                return True
            if any(series.labels.get(key, "").startswith("$") for key in (ID_LABEL, *(key for key, _ in NAME_LABELS))):
                return True
            if any(series.name == one.name and one.labels.items() <= series.labels.items() for one in own):
                return True
    return False


def owner_of(graph: Graph, slo: Slo) -> str | None:
    """Who owns an SLO by its own word, or by that of one of its alerts."""
    alerts = (link.alert for link in graph.alerts_for(slo) if link.certain)
    said = (_fixed(texts, key) for alert in alerts for texts in (alert.labels, alert.annotations) for key in OWNER_LABELS)
    return slo.owner or next(filter(None, said), None)
