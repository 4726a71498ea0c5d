"""The things that checks ask questions about.

Every node is a frozen value with a place (`at`) and the settings of the service that its file belongs to. Readers in `formats/`
make them; nobody changes them afterwards.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from types import MappingProxyType
from typing import Any, TypeAlias, Union

from pytest_reliability.model.duration import Duration
from pytest_reliability.model.location import Location
from pytest_reliability.model.settings import DEFAULTS, Settings

NO_TEXTS: Mapping[str, str] = MappingProxyType({})
NO_PLACES: Mapping[str, Location] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """Anything located. `settings` are those of the service that the file belongs to."""

    at: Location
    settings: Settings = field(default=DEFAULTS, repr=False, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Service(Node):
    """A service: a folder with a `.reliability.yaml`, or the whole repository where there is none.

    `root` is the folder relative to the repository's root ("" for the root itself); `evidence` says where the name comes from.
    """

    name: str
    root: str = ""
    evidence: str = ""


@dataclass(frozen=True, slots=True)
class Replace:
    """A mechanical edit: `new` instead of `old`, which stands at `at`. "" for `old` inserts."""

    at: Location
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class SetKey:
    """A mechanical edit: in the mapping that begins at `at` (YAML or JSON), `keys` leads to this value; None removes it."""

    at: Location
    keys: tuple[str, ...]
    value: Any


@dataclass(frozen=True, slots=True)
class Rewrite:
    """A mechanical edit: the whole file at `path` gets this text, for files that a tool writes."""

    path: str
    text: str


Edit: TypeAlias = Union[Replace, SetKey, Rewrite]  # noqa: UP007 - evaluated at run time
"""What a machine can do about a problem; nobody has to think."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """Something in a file that its format does not allow; a check of the DOC family reports it under its own code.

    `kind` is that check's name: unreadable-file, template-not-checked, unknown-key, missing-field, wrong-value,
    conflicting-fields, duplicate-key, wrong-kind.
    """

    kind: str
    at: Location
    message: str
    hint: str = ""
    edit: Edit | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Document(Node):
    """A file that a reader took up: `format` is the reader's name; `faults` are what the format itself forbids."""

    format: str
    faults: tuple[Fault, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference(Node):
    """A name in one place that must be defined in another, or it dangles: `kind` "service" and `name` "checkout", for instance.

    `scope` is where it must be defined: a file that is complete in itself has its path here, "" stands for anywhere.
    """

    kind: str
    name: str
    scope: str = ""
    holder: str
    """What refers, as a message would call it: "SLO 'checkout-latency'"."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Definition(Node):
    """What a `Reference` of the same `scope` may point at."""

    kind: str
    name: str
    scope: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """A query as written, in `language` ("promql", "datadog", …).

    `role` is what it stands for in its SLO: good, bad, total, ratio (already an error or success ratio), threshold; ""
    elsewhere. `parsable` is the text with the dialect's placeholders ({{.window}}, $__rate_interval) substituted; None where
    that cannot be done.
    """

    at: Location
    text: str
    language: str
    role: str = ""
    parsable: str | None = None
    place: Callable[[int], Location] | None = field(default=None, repr=False, compare=False)
    """Where a character of `text` stands in the file, by its offset."""
    windowed: Callable[[str], str] | None = field(default=None, repr=False, compare=False)
    """The query over a window of that length ("5m") in the place of its own; None where it has no place for one."""
    needs_window: bool = False
    """Whether the dialect's own tool fills a window in, so that a query without a place for it is a mistake."""
    ratio_of: str = ""
    """For role ratio: whether it is the share of "good" or of "bad" events; "" where nothing says so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Indicator(Node):
    """The queries of a service level indicator, once for each place where one is written: in an SLO, or in an SLI of its own."""

    holder: str
    """Where they stand, as a message would call it: "SLO 'checkout-latency'"."""
    queries: tuple[Query, ...]
    name: str = ""
    """What SLOs refer to it by, where it stands apart."""
    dialect: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class BurnRate(Node):
    """An alert on how fast an error budget burns: it fires while the burn rate is above `factor` over the `long` window, and over
    the `short` one, too, where there is one. See "The Site Reliability Workbook", chapter 5, "Alerting on SLOs".

    `factor` 1 spends the whole budget in the whole `period` of the SLO; None where it cannot be read. `budget` is the share of
    the error budget that is gone when it fires, where the file says so, in (0, 1]. `severity` is "page", "ticket", or another
    word as written. `wait` is the alert's `for`. `objective` is the one that the file itself computes with, where it does.
    """

    holder: str
    """Where it stands, as a message would call it: "alert 'CheckoutBurnsFast'", "alert condition 'fast'"."""
    name: str = ""
    """What policies refer to it by, where it stands apart."""
    factor: Decimal | None = None
    factor_at: Location | None = None
    long: Duration | None = None
    short: Duration | None = None
    severity: str = ""
    wait: Duration | None = None
    budget: Decimal | None = None
    period: Duration | None = None
    objective: Decimal | None = None
    inclusive: bool = False
    """Whether the factor itself is enough."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertPolicy(Node):
    """A named set of conditions that SLOs refer to: those that it holds itself, and the names of others."""

    name: str
    burn_rates: tuple[BurnRate, ...] = ()
    conditions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertText:
    """What a dialect adds to the alerts of one severity that it generates; `disabled` where it generates none."""

    disabled: bool = False
    labels: Mapping[str, str] = field(default_factory=lambda: NO_TEXTS)
    annotations: Mapping[str, str] = field(default_factory=lambda: NO_TEXTS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Alerting:
    """How a dialect's own tool alerts on an SLO: `common` goes to both severities."""

    at: Location
    name: str = ""
    common: AlertText = AlertText()
    page: AlertText = AlertText()
    ticket: AlertText = AlertText()

    @property
    def disabled(self) -> bool:
        """Whether nobody hears of anything."""
        return self.common.disabled or (self.page.disabled and self.ticket.disabled)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plugin:
    """Somebody's code in a dialect's own tool, by its `id`; `options` is what it gets. Those of low `priority` run first."""

    id: str
    options: Mapping[str, Any] = field(default_factory=dict)
    priority: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """The document that an SLO stands in, as far as the dialect's own tool repeats it in the rules that it generates.

    `version` is the document's own ("prometheus/v1"), `number` its place in the file. `name`, `namespace`, `labels` and
    `annotations` are its metadata. `indicator` is the plugin that the SLI comes from; `plugins` work on the rules, and do so
    instead of the tool's own where `replaced`.
    """

    version: str
    number: int = 0
    name: str = ""
    namespace: str = ""
    labels: Mapping[str, str] = field(default_factory=lambda: NO_TEXTS)
    annotations: Mapping[str, str] = field(default_factory=lambda: NO_TEXTS)
    indicator: Plugin | None = None
    plugins: tuple[Plugin, ...] = ()
    replaced: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One of the SLOs that a composite is made of: a name, or an objective of its own; `weight` and `target` (a ratio)."""

    at: Location
    name: str
    weight: Decimal | None = None
    target: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Slo(Node):
    """A service level objective, whichever dialect it was written in.

    `objective` is the share of good events in (0, 1), exactly as written (99.9 percent is Decimal("0.999")); None where there
    is no readable number. `objective_text` is the source spelling, `objective_unit` "percent" or "ratio", what the field
    expects; `objective_at` its place. `window` is the period that the budget is counted over, `rolling` or by the calendar.
    `latency` holds for objectives of the form "X of requests within T": T in seconds; None for all others. `method` says what
    is counted: "occurrences" (events), or "timeslices", each `slice` long and good where `slice_objective` of it is.
    `threshold` is compared by `operator` (lt, lte, gt, gte) with the query of role threshold, in the metric's own unit.
    """

    name: str
    service: str | None = None
    scope: str = ""
    """Within what the dialect wants names to be unique, besides the service: a project, a file. "" where nothing says so."""
    dialect: str
    objective: Decimal | None = None
    objective_text: str = ""
    objective_unit: str = "ratio"
    objective_at: Location
    window: Duration | None = None
    window_at: Location | None = None
    rolling: bool = True
    method: str = "occurrences"
    slice: Duration | None = None
    slice_objective: Decimal | None = None
    queries: tuple[Query, ...] = ()
    indicator: str | None = None
    """The name of an `Indicator` that stands elsewhere; `Graph.queries_of` has the queries of both."""
    threshold: Decimal | None = None
    operator: str = ""
    latency: Duration | None = None
    owner: str | None = None
    runbook: str | None = None
    dashboard: str | None = None
    description: str = ""
    labels: Mapping[str, str] = field(default_factory=lambda: NO_TEXTS)
    annotations: Mapping[str, str] = field(default_factory=lambda: NO_TEXTS)
    alert_names: tuple[str, ...] = ()
    """Names of the alerts that the dialect's own tool generates from this SLO."""
    alerting: Alerting | None = None
    """How the dialect's own tool alerts; None where it does not."""
    burn_rates: tuple[BurnRate, ...] = ()
    """Its alerts, as far as the SLO itself defines them; `Graph.burn_rates_of` has those that it refers to as well."""
    policies: tuple[str, ...] = ()
    """The alert policies that it refers to."""
    parts: tuple[Part, ...] = ()
    """What it is composed of, where it is a composite."""
    origin: Origin | None = None
    """The document that it stands in, where the rules generated from it repeat something of that."""

    @property
    def full_name(self) -> str:
        """The name with its service: "checkout/checkout-latency"."""
        return f"{self.service}/{self.name}" if self.service else self.name


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule(Node):
    """A Prometheus rule; `expr_at` is the place of the expression, `group` the name of its group."""

    name: str
    expr: str
    expr_at: Location
    group: str = ""
    labels: Mapping[str, str] = field(default_factory=lambda: NO_TEXTS)
    labels_at: Mapping[str, Location] = field(default_factory=lambda: NO_PLACES, repr=False, compare=False)
    dialect: str = "prometheus"
    """"prometheus", "thanos", "mimir", "loki" or "victoriametrics": decides in which language `expr` is."""
    place: Callable[[int], Location] | None = field(default=None, repr=False, compare=False)
    """Where a character of `expr` stands in the file, by its offset."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordingRule(Rule):
    """A rule that stores its result under `name`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert(Rule):
    """A rule that fires. `wait` is its `for`, None where there is none."""

    wait: Duration | None = None
    annotations: Mapping[str, str] = field(default_factory=lambda: NO_TEXTS)
    annotations_at: Mapping[str, Location] = field(default_factory=lambda: NO_PLACES, repr=False, compare=False)

    @property
    def severity(self) -> str | None:
        """The value of the severity label."""
        return self.labels.get(self.settings.severities.label)

    @property
    def pages(self) -> bool:
        """Whether its severity wakes somebody up."""
        return self.severity in self.settings.severities.page

    @property
    def runbook_key(self) -> str | None:
        """The annotation that names the runbook, if any does."""
        return next((key for key in RUNBOOK_ANNOTATIONS if self.annotations.get(key, "").strip()), None)

    @property
    def runbook_url(self) -> str | None:
        """What the alert names as its runbook: a path or a URL."""
        key = self.runbook_key
        return self.annotations[key].strip() if key else None


RUNBOOK_ANNOTATIONS = ("runbook_url", "runbook", "runbookUrl", "runbookURL", "playbook_url", "playbook")
"""Annotations that name an alert's runbook, the usual one first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric(Node):
    """A metric that the service itself exposes: where its code defines it, or a file in the exposition format tells.

    `kind` is "counter", "gauge", "histogram", "summary", or "" where that is not known. `buckets` are the upper bounds of a
    histogram's buckets, without +Inf; None where they are not known.
    """

    name: str
    kind: str = ""
    buckets: tuple[Decimal, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GeneratedRules(Node):
    """A file of rules that `reliability generate` wrote: from the spec at `spec`, whose `digest` it was, with these `options`.

    `text` is what the file holds as canonical JSON, so that its formatting does not matter.
    """

    spec: str
    digest: str
    options: tuple[str, ...] = ()
    text: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class SliTemplate(Node):
    """What an SLI plugin of Sloth's comes to where it only fills in options: `http.sli.tmpl` for the plugin "http"."""

    text: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Matcher:
    """A label matcher of a route or an inhibition: `operator` is one of =, !=, =~, !~."""

    label: str
    operator: str
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Receiver(Node):
    """An Alertmanager receiver and the integrations it notifies through ("slack", "pagerduty", …); none: it notifies nobody."""

    name: str
    integrations: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Route(Node):
    """A node of Alertmanager's routing tree. `receiver` is already inherited; `continues` is its `continue`."""

    receiver: str
    matchers: tuple[Matcher, ...] = ()
    continues: bool = False
    routes: tuple[Route, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Routing(Node):
    """One Alertmanager configuration: the root of its tree and its receivers by name.

    `partial` ones are only a part of a configuration: something else decides which alerts reach their root.
    """

    root: Route | None
    receivers: Mapping[str, Receiver]
    partial: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel(Node):
    """A dashboard's panel with its queries."""

    title: str
    kind: str = ""
    queries: tuple[Query, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Dashboard(Node):
    """A Grafana dashboard."""

    title: str
    uid: str | None = None
    panels: Sequence[Panel] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Monitor(Node):
    """What tells Prometheus to scrape a service: ServiceMonitor, PodMonitor, Probe, ScrapeConfig (`kind`)."""

    name: str
    kind: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Site(Node):
    """A documentation site that is built from the repository: pages under `base_url` come from the files in `folder`.

    `complete` is True where nothing but those files makes pages, so that a page without a file does not exist.
    """

    base_url: str
    folder: str
    complete: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Heading:
    """A heading: `level` 1 to 6, `text` as a reader sees it, `anchor` as GitHub makes it (duplicates numbered)."""

    at: Location
    level: int
    text: str
    anchor: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Hyperlink:
    """A link or an image (`image`), with its destination as written, percent-decoding left to who resolves it."""

    at: Location
    target: str
    text: str = ""
    image: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Fence:
    """A fenced code block; `language` is the first word of its info string, `at` its opening line."""

    at: Location
    language: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A heading with what stands under it, until the next heading of the same or a higher level.

    `names` are the canonical sections (of `sections.yml`) that the heading stands for: none, one, or both halves of
    `影響（Impact）`. `empty` is True where a reader finds nothing under the heading: no text, no list, no table row with content,
    no code, no image, and no subsection that has any.
    """

    heading: Heading
    names: tuple[str, ...] = ()
    empty: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Page(Node):
    """A page of prose. `anchors` are all that a link can name with #: headings, and explicit HTML ids.

    `front_matter` holds the keys as written, with values as text (a list is joined with ", ").
    """

    title: str
    headings: tuple[Heading, ...] = ()
    sections: tuple[Section, ...] = ()
    links: tuple[Hyperlink, ...] = ()
    fences: tuple[Fence, ...] = ()
    anchors: frozenset[str] = frozenset()
    front_matter: Mapping[str, str] = field(default_factory=lambda: NO_TEXTS)
    front_matter_at: Mapping[str, Location] = field(default_factory=lambda: NO_PLACES, repr=False, compare=False)
    language: str = "en"
    """"ja" where the page is mostly Japanese."""

    @property
    def section_names(self) -> frozenset[str]:
        """Every canonical section that the page has."""
        return frozenset(name for section in self.sections for name in section.names)


@dataclass(frozen=True, slots=True, kw_only=True)
class Runbook(Page):
    """A page that says what to do. `kind` is "alert", "procedure" or "checklist"; `alerts` are those that its front matter names.

    `owner` is whoever the page itself names (front matter, or a section about owners or escalation); None where it names nobody.
    """

    kind: str = "alert"
    alerts: tuple[str, ...] = ()
    owner: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Postmortem(Page):
    """A page that says what went wrong and what was learnt."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnerRule:
    """One line of CODEOWNERS."""

    at: Location
    pattern: str
    owners: tuple[str, ...]
    section: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ownership(Node):
    """A CODEOWNERS file. The last rule that matches a path decides, in each section."""

    rules: tuple[OwnerRule, ...]

    def owners_of(self, path: str) -> tuple[str, ...]:
        """Who owns `path` (relative to the repository's root); empty where nobody does."""
        from pytest_reliability.model.ownership import owners_of

        return owners_of(self.rules, path)


@dataclass(frozen=True, slots=True, kw_only=True)
class Component(Node):
    """An entry of a service catalogue (Backstage's `catalog-info.yaml`)."""

    name: str
    kind: str
    owner: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LatencyBudget(Node):
    """A latency budget found in a test, by reading its syntax tree: `test` is the function's name.

    `limits` are the marker's literal limits by name ({"p95": "50ms", "queries": "3"}); `slo` the SLO that it names. `samples`
    tells whether the function takes the `latency` fixture (or nothing rules it out), `limits_latency` whether anything in the
    marker may limit time, not only counts and errors.
    """

    test: str
    limits: Mapping[str, str] = field(default_factory=lambda: NO_TEXTS)
    slo: str | None = None
    samples: bool = True
    limits_latency: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadTest(Node):
    """A script of a load generator: `tool` is "k6" or "gatling".

    `limits_latency` tells whether it fails by itself when response times pass a threshold.
    """

    tool: str
    limits_latency: bool = False
