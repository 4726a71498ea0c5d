"""OpenSLO v1: what is read from its documents, what is wrong with them, and what is left alone."""

from __future__ import annotations

import json
import re
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_reliability.documents import Source, Unreadable
from pytest_reliability.formats._openslo import SPOKEN
from pytest_reliability.formats.openslo import FORMAT
from pytest_reliability.model.nodes import AlertPolicy, BurnRate, Definition, Document, Fault, Indicator, Reference, Replace, Slo
from pytest_reliability.testing import Repo


def read(text, path="slo/x.yaml"):
    """Everything that the reader yields for a file."""
    return list(FORMAT.read(Source(path, text.encode())))


def of(kind, text):
    """The nodes of exactly that kind."""
    return [node for node in read(text) if type(node) is kind]


def faults(text):
    """(kind, line, column, message) of each fault."""
    return [(fault.kind, fault.at.line, fault.at.column, fault.message) for fault in of(Fault, text)]


def slo(*objectives, head="", spec="", version="openslo/v1"):
    """An SLO; `head` are lines of its metadata, `spec` of its spec."""
    lines = [f"apiVersion: {version}", "kind: SLO", "metadata:", "  name: search"]
    lines += [f"  {line}" for line in head.splitlines()]
    lines += ["spec:", "  service: shop"]
    lines += [f"  {line}" for line in (spec or "indicatorRef: answered").splitlines()]
    lines += [] if "budgetingMethod" in spec else ["  budgetingMethod: Occurrences"]
    lines += ["  objectives:", *(f"    - {objective}" for objective in objectives or ("target: 0.99",))]
    return "\n".join(lines) + "\n"


def sli(*metric, kind="Prometheus"):
    """An SLI with a metric source for each "role: query" of its ratio."""
    lines = ["apiVersion: openslo/v1", "kind: SLI", "metadata:", "  name: answered", "spec:", "  ratioMetric:"]
    for role, query in (entry.split(": ", 1) for entry in metric):
        source = f"{{type: {kind}, spec: {{query: {json.dumps(query)}}}}}"
        lines.append(f"    {role}: {{metricSource: {source}}}")
    return "\n".join(lines) + "\n"


# --- What an SLO says


def test_the_objective_is_the_number_as_written():
    """Binary fractions would make 99.9% something else, and messages quote what stands in the file."""
    (found,) = of(Slo, slo("target: 0.9990"))
    assert (Decimal("0.9990"), "0.9990", "ratio") == (found.objective, found.objective_text, found.objective_unit)
    assert (10, 15) == (found.objective_at.line, found.objective_at.column)


def test_a_percentage_becomes_a_ratio_without_rounding():
    """targetPercent is the same promise in another unit."""
    (found,) = of(Slo, slo("targetPercent: 99.95"))
    assert (Decimal("0.9995"), "99.95", "percent") == (found.objective, found.objective_text, found.objective_unit)


@pytest.mark.parametrize("text", ["high", "'0.99'", ".inf", "0x1", "true", "", "[0.99]"])
def test_an_objective_that_is_no_plain_number_is_none(text):
    """Checks do arithmetic on objectives; what cannot be counted with is left out."""
    (found,) = of(Slo, slo(f"target: {text}"))
    assert found.objective is None


def test_several_objectives_are_several_slos():
    """Each is a promise of its own, called by its display name, or by its number where that is missing or not unique."""
    found = of(
        Slo, slo("{displayName: Good, target: 0.9}", "{displayName: Good, target: 0.8}", "{displayName: Great, target: 0.7}")
    )
    assert ["search:1", "search:2", "search:Great"] == [node.name for node in found]
    assert [10, 11, 12] == [node.at.line for node in found]
    assert ["shop/search:1"] == [node.full_name for node in found][:1]


def test_a_single_objective_is_called_like_its_document():
    """Nobody needs to know the display name to refer to it."""
    (found,) = of(Slo, slo("{displayName: Good, target: 0.9}"))
    assert ("search", 4) == (found.name, found.at.line)


def test_an_slo_without_a_name_is_none():
    """Nobody could refer to it; that it has none is a fault already."""
    assert [] == of(Slo, slo().replace("name: search", "name:"))


def test_metadata_says_who_owns_it_and_where_to_look():
    """Labels come before annotations; a domain before the key and its spelling do not matter; lists are joined."""
    head = """\
labels:
  team: [search, shop]
  weight: 3
annotations:
  example.com/owner: somebody
  runbook-url: docs/runbooks/search.md
  example.com/dashboard: https://grafana.example.com/d/search
"""
    (found,) = of(Slo, slo(head=head))
    assert ("search, shop", "docs/runbooks/search.md") == (found.owner, found.runbook)
    assert "https://grafana.example.com/d/search" == found.dashboard
    assert {"team": "search, shop", "weight": "3"} == found.labels


def test_an_slo_that_says_nothing_of_itself_has_no_owner():
    """Empty texts are nobody."""
    (found,) = of(Slo, slo(head="labels: {owner: ' '}"))
    assert (None, None, None) == (found.owner, found.runbook, found.dashboard)


def test_the_window_is_that_of_the_time_window():
    """A calendar month counts as 30 days."""
    (found,) = of(Slo, slo(spec="indicatorRef: a\ntimeWindow: [{duration: 1M, isRolling: true}]"))
    assert ("1M", 30 * 86400) == (found.window.text, found.window.seconds)


def test_without_a_window_there_is_none():
    """OpenSLO leaves it to the tool, so nothing is assumed."""
    assert [None] == [node.window for node in of(Slo, slo())]


# --- Queries


def test_queries_know_their_role_and_language():
    """Roles decide what checks ask; only PromQL is looked into."""
    (found,) = of(Indicator, sli("good: sum(a)", "total: sum(b)"))
    assert ("SLI 'answered'", "answered", "openslo") == (found.holder, found.name, found.dialect)
    assert [("good", "promql", "sum(a)"), ("total", "promql", "sum(b)")] == [
        (query.role, query.language, query.parsable) for query in found.queries
    ]


@pytest.mark.parametrize(
    ("kind", "language"),
    [("prometheus", "promql"), ("Thanos", "promql"), ("Datadog", "datadog"), ("Redshift", ""), ("", "")],
)
def test_the_type_of_the_source_tells_the_language(kind, language):
    """Of an unknown source nothing is known, and nothing is parsed."""
    (found,) = of(Indicator, sli("good: sum(a)", "total: sum(b)", kind=kind or "''"))
    assert {language} == {query.language for query in found.queries}
    assert (language == "promql") == all(query.parsable for query in found.queries)


def test_the_type_may_come_from_the_data_source_that_is_referred_to():
    """The specification lets it be left out then."""
    source = "apiVersion: openslo/v1\nkind: DataSource\nmetadata: {name: main}\nspec: {type: Prometheus, connectionDetails: {}}\n"
    indicator = """\
apiVersion: openslo/v1
kind: SLI
metadata: {name: answered}
spec:
  thresholdMetric:
    metricSource:
      metricSourceRef: main
      spec: {query: up}
"""
    (found,) = of(Indicator, f"{source}---\n{indicator}")
    assert [("threshold", "promql")] == [(query.role, query.language) for query in found.queries]


def test_placeholders_are_filled_in_where_one_can_tell():
    """Whoever reads OpenSLO brings placeholders of its own."""
    (found,) = of(Indicator, sli("good: rate(a[{{.window}}])", "total: {{ .whole }}(b)"))
    assert ["rate(a[5m         ])", None] == [query.parsable for query in found.queries]
    assert [True, False] == [query.windowed is not None for query in found.queries]
    assert "rate(a[1h])" == found.queries[0].windowed("1h")
    assert [True, True] == [query.needs_window for query in found.queries]


def test_a_query_without_placeholders_has_no_place_for_a_window():
    """A range of its own is its author's choice."""
    (found,) = of(Indicator, sli("good: rate(a[5m])", 'total: rate(b{x=~"$tier"}[5m])'))
    assert [(False, False)] * 2 == [(query.windowed is not None, query.needs_window) for query in found.queries]


def test_a_character_of_a_query_is_found_again_in_the_file():
    """An error inside a query is shown where it stands, not where the query begins."""
    (found,) = of(Indicator, sli("good: sum(a)", "total: sum(b)"))
    assert [(7, 64), (8, 65)] == [(query.place(4).line, query.place(4).column) for query in found.queries]


def test_a_source_with_fields_of_its_own_has_no_query():
    """What stands in them is between the data source and its tool."""
    text = sli("good: x", "total: y").replace("query", "metricPath")
    assert [] == of(Indicator, text)


@pytest.mark.parametrize(("kind", "share"), [("success", "good"), ("failure", "bad")])
def test_a_stored_ratio_is_a_query_too(kind, share):
    """`raw` needs neither good nor total; `rawType` says of which events it is the share."""
    text = sli("raw: up").replace("  ratioMetric:", f"  ratioMetric:\n    rawType: {kind}")
    (found,) = of(Indicator, text)
    assert [("ratio", "up", share)] == [(query.role, query.text, query.ratio_of) for query in found.queries]
    assert [] == faults(text)


def test_an_inline_indicator_belongs_to_its_slo():
    """It is asked about once, however many objectives there are."""
    spec = "indicator: {spec: {thresholdMetric: {metricSource: {type: Prometheus, spec: {query: up}}}}}"
    text = slo("target: 0.9", "target: 0.8", spec=spec)
    assert ["SLO 'search'"] == [node.holder for node in of(Indicator, text)]
    assert [("up",), ("up",)] == [tuple(query.text for query in node.queries) for node in of(Slo, text)]


def test_objectives_of_a_composite_have_their_own_indicators():
    """Each objective is measured by what it names."""
    query = "{spec: {thresholdMetric: {metricSource: {type: Prometheus, spec: {query: %s}}}}}"
    text = slo(
        f"{{target: 0.9, indicator: {query % 'a'}}}",
        f"{{target: 0.8, indicator: {query % 'b'}}}",
        spec="budgetingMethod: Occurrences",
    )
    assert [] == faults(text)
    assert [("a",), ("b",), ()] == [tuple(query.text for query in node.queries) for node in of(Slo, text)]


def test_a_composite_is_made_of_the_slos_of_its_objectives():
    """It promises nothing of its own; weights are there where they are written."""
    text = slo(
        "{displayName: Good, targetPercent: 90, indicatorRef: a, compositeWeight: 0.50}",
        "{displayName: Great, target: 0.8, indicatorRef: b}",
        head="labels: {team: search}",
        spec="budgetingMethod: Occurrences\ntimeWindow: [{duration: 4w, isRolling: true}]\nalertPolicies: [fast]",
    )
    assert [] == faults(text)
    *parts, whole = of(Slo, text)
    assert [("search:Good", "a"), ("search:Great", "b")] == [(node.name, node.indicator) for node in parts]
    assert ("shop/search", None, "search", "4w", ("fast",), 12) == (
        whole.full_name, whole.objective, whole.owner, whole.window.text, whole.policies, whole.objective_at.line,
    )  # fmt: skip
    assert [("search:Good", Decimal("0.50"), Decimal("0.9"), 12), ("search:Great", None, Decimal("0.8"), 13)] == [
        (part.name, part.weight, part.target, part.at.line) for part in whole.parts
    ]
    assert [()] == [node.parts for node in of(Slo, slo("{target: 0.9, indicatorRef: a}", spec="budgetingMethod: Occurrences"))]


def test_an_slo_that_names_its_indicator_is_measured_by_it():
    """Wherever that is, as long as there is only one of the name."""
    files = {"slo/a.yaml": slo(), "slo/b.yaml": sli("good: a", "total: b")}
    graph = Repo(files).graph
    (found,) = graph.of(Slo)
    assert ((), "answered", ["a", "b"]) == (found.queries, found.indicator, [query.text for query in graph.queries_of(found)])
    graph = Repo({**files, "slo/c.yaml": sli("good: c", "total: d")}).graph
    assert () == graph.queries_of(graph.of(Slo)[0])


@pytest.mark.parametrize(
    ("window", "rolling"),
    [
        ("{duration: 1M, isRolling: true}", True),
        ("{duration: 1M, calendar: {startTime: 2026-01-01 00:00:00, timeZone: UTC}}", False),
        ("{duration: 1M, isRolling: false}", False),
    ],
)
def test_a_window_rolls_or_follows_the_calendar(window, rolling):
    """`isRolling` may be left out where there is a calendar."""
    (found,) = of(Slo, slo(spec=f"indicatorRef: a\ntimeWindow: [{window}]"))
    assert (rolling, 8) == (found.rolling, found.window_at.line)


@pytest.mark.parametrize(
    ("method", "objective", "expected"),
    [
        ("Occurrences", "target: 0.9", ("occurrences", None, None)),
        ("Timeslices", "{target: 0.9, timeSliceTarget: 0.95, timeSliceWindow: 5m}", ("timeslices", 300, Decimal("0.95"))),
        ("Timeslices", "{target: 0.9, timeSliceTarget: 1, timeSliceWindow: 2}", ("timeslices", 120, Decimal(1))),
        ("RatioTimeslices", "{target: 0.9, timeSliceWindow: 1h}", ("timeslices", 3600, None)),
        ("RatioTimeslices", "{target: 0.9, timeSliceWindow: [5]}", ("timeslices", None, None)),
    ],
)
def test_slices_have_a_length_and_a_target(method, objective, expected):
    """A number without a unit counts minutes."""
    (found,) = of(Slo, slo(objective, spec=f"indicatorRef: a\nbudgetingMethod: {method}"))
    assert expected == (found.method, found.slice.seconds if found.slice else None, found.slice_objective)


def test_a_threshold_is_compared_with_the_metric():
    """An operator that does not exist compares nothing."""
    assert [(Decimal("0.50"), "lte"), (None, ""), (Decimal(1), "")] == [
        (node.threshold, node.operator)
        for node in of(Slo, slo("{op: lte, value: 0.50, target: 0.9}", "target: 0.9", "{op: '<', value: 1, target: 0.9}"))
    ]


# --- Alerts

CONDITION = "{kind: burnrate, op: gte, threshold: 14.40, lookbackWindow: 1h, alertAfter: 2m}"


def condition(name="fast", what=CONDITION):
    """An alert condition that pages."""
    return (
        f"apiVersion: openslo/v1\nkind: AlertCondition\nmetadata: {{name: {name}}}\nspec: {{severity: page, condition: {what}}}\n"
    )


def test_a_condition_is_a_burn_rate():
    """The threshold is the factor, the lookback window the long one."""
    (found,) = of(BurnRate, condition())
    assert ("alert condition 'fast'", "fast", Decimal("14.40"), "1h", None, "page", "2m") == (
        found.holder, found.name, found.factor, found.long.text, found.short, found.severity, found.wait.text,
    )  # fmt: skip
    assert [(3, 18), (4, 72)] == [(at.line, at.column) for at in (found.at, found.factor_at)]


@pytest.mark.parametrize("op", ["lt", "lte", "[gt]"])
def test_a_condition_that_fires_below_its_threshold_has_no_factor(op):
    """It says nothing of how fast the budget may burn."""
    (found,) = of(BurnRate, condition(what=CONDITION.replace("gte", op)))
    assert (None, 4) == (found.factor, found.factor_at.line)


def test_a_condition_without_a_condition_fires_never():
    """That is a fault already; so is one without a threshold."""
    assert [] == of(BurnRate, condition(what="{}"))
    assert [(None, None)] == [(rate.factor, rate.factor_at) for rate in of(BurnRate, condition(what="{lookbackWindow: 1h}"))]


def test_policies_lead_from_slos_to_conditions():
    """By name across files, or inside of each other."""
    policy = """\
apiVersion: openslo/v1
kind: AlertPolicy
metadata: {name: %s}
spec:
  conditions: [%s]
  notificationTargets: [{targetRef: pager}]
"""
    inline = (
        "{kind: AlertCondition, metadata: {name: own}, spec: {severity: ticket, condition: {threshold: 2, lookbackWindow: 3d}}}"
    )
    files = {
        "slo/a.yaml": slo(spec="indicatorRef: a\nalertPolicies: [by-name, {alertPolicyRef: by-reference}]"),
        "slo/b.yaml": policy % ("by-name", "{conditionRef: fast}"),
        "slo/c.yaml": policy % ("by-reference", inline),
        "slo/d.yaml": condition(),
    }
    graph = Repo(files).graph
    (found,) = graph.of(Slo)
    assert ("by-name", "by-reference") == found.policies
    assert [("fast", "page"), ("own", "ticket")] == [(rate.name, rate.severity) for rate in graph.burn_rates_of(found)]
    assert [("by-name", ("fast",), 3), ("by-reference", (), 3)] == [
        (node.name, node.conditions, node.at.line) for node in graph.of(AlertPolicy)
    ]


def test_a_policy_inside_an_slo_is_that_slos_alone():
    """Even if something else has the same name."""
    own = "{kind: AlertPolicy, metadata: {name: same}, spec: {conditions: [%s], notificationTargets: [{targetRef: pager}]}}"
    unnamed = "{spec: {severity: page, condition: {threshold: 3, lookbackWindow: 1h}}}"
    text = slo(spec=f"indicatorRef: a\nalertPolicies: [{own % '{conditionRef: fast}'}, {own % unnamed}, '', {{}}, 7]")
    other = slo(spec="indicatorRef: a\nalertPolicies: [same]").replace("name: search", "name: other")
    graph = Repo({"slo/a.yaml": text, "slo/b.yaml": other, "slo/c.yaml": condition()}).graph
    first, second = graph.of(Slo)
    assert [Decimal("14.40"), Decimal(3)] == [rate.factor for rate in graph.burn_rates_of(first)]
    assert ["alert condition 'fast'", "an alert condition of SLO 'search'"] == [
        rate.holder for rate in graph.burn_rates_of(first)
    ]
    assert (("same",), ()) == (second.policies, graph.burn_rates_of(second))


BUCKET = 'http_request_duration_seconds_bucket{le="0.3"}'
COUNT = "http_request_duration_seconds_count"


@pytest.mark.parametrize(
    ("good", "total", "seconds"),
    [
        (BUCKET, COUNT, 0.3),
        (f"sum(rate({BUCKET}[5m]))", 'sum(rate(http_request_duration_seconds_bucket{le="+Inf"}[5m]))', 0.3),
        ('x_milliseconds_bucket{le="250"}', "x_milliseconds_count", 0.25),
        ('x_bytes_bucket{le="250"}', "x_bytes_count", None),
        (f'{BUCKET} - http_request_duration_seconds_bucket{{le="0.1"}}', COUNT, None),
        ("http_request_duration_seconds_bucket", COUNT, None),
        ('http_request_duration_seconds_bucket{le=~"0.3|0.30"}', COUNT, None),
        ('http_request_duration_seconds_bucket{le="soon"}', COUNT, None),
        ("sum(a", "b", None),
        ("a", "b", None),
    ],
)
def test_requests_within_a_time_are_told_from_their_buckets(good, total, seconds):
    """Only one finite bucket of a histogram whose name gives the unit leaves no doubt."""
    metric = "{metricSource: {type: Prometheus, spec: {query: %s}}}"
    ratio = f"{{good: {metric % json.dumps(good)}, total: {metric % json.dumps(total)}}}"
    (found,) = of(Slo, slo(spec=f"indicator: {{spec: {{ratioMetric: {ratio}}}}}"))
    assert seconds == (found.latency.seconds if found.latency else None)


@pytest.mark.parametrize(
    ("query", "objective", "text"),
    [
        ('probe_duration_seconds{job="shop"}', "{op: lt, value: 0.50, target: 0.9}", "0.50s"),
        ("probe_duration_ms", "{op: lte, value: 500, target: 0.9}", "500ms"),
        ("probe_duration_seconds", "{op: gt, value: 0.5, target: 0.9}", None),
        ("probe_duration_seconds", "{op: lt, value: 0, target: 0.9}", None),
        ("probe_duration_seconds", "{op: lt, target: 0.9}", None),
        ("probe_duration", "{op: lt, value: 0.5, target: 0.9}", None),
        ("avg(probe_duration_seconds)", "{op: lt, value: 0.5, target: 0.9}", None),
        ("{{ .query }}(x)", "{op: lt, value: 0.5, target: 0.9}", None),
    ],
)
def test_a_threshold_is_a_time_where_the_metric_gives_the_unit(query, objective, text):
    """A number alone may be anything, and an average is not how long requests take."""
    source = f"{{metricSource: {{type: Prometheus, spec: {{query: {json.dumps(query)}}}}}}}"
    (found,) = of(Slo, slo(objective, spec=f"indicator: {{spec: {{thresholdMetric: {source}}}}}"))
    assert text == (found.latency.text if found.latency else None)


# --- Definitions and references


def test_every_document_defines_its_name():
    """So that others can refer to it."""
    found = of(Definition, "".join(f"---\napiVersion: openslo/v1\nkind: {kind}\nmetadata: {{name: x}}\n" for kind in SPOKEN))
    assert [
        ("SLO", "x"), ("SLI", "x"), ("service", "x"), ("alert policy", "x"), ("alert condition", "x"),
        ("alert notification target", "x"), ("data source", "x"),
    ] == [(node.kind, node.name) for node in found]  # fmt: skip


def test_an_slo_refers_to_service_indicator_policies_and_sources():
    """By name, as an object with a reference, or from inside an inline policy; a path to a file is no name."""
    spec = """\
indicator:
  spec: {thresholdMetric: {metricSource: {metricSourceRef: main, spec: {query: x}}}}
alertPolicies:
  - by-name
  - alertPolicyRef: by-reference
  - policies/by-path.yaml
  - kind: AlertPolicy
    metadata: {name: inline}
    spec:
      conditions: [{conditionRef: burns}]
      notificationTargets: [{targetRef: pager}]
"""
    text = slo("{op: lt, value: 1, target: 0.9}", spec=spec)
    assert [] == faults(text)
    assert [
        ("data source", "main"), ("service", "shop"), ("alert policy", "by-name"), ("alert policy", "by-reference"),
        ("alert condition", "burns"), ("alert notification target", "pager"),
    ] == [(node.kind, node.name) for node in of(Reference, text)]  # fmt: skip
    assert {"SLO 'search'"} == {node.holder for node in of(Reference, text)}


def test_references_lead_to_definitions_in_other_files():
    """The graph knows both, whichever file was read first."""
    repo = Repo({"slo/a.yaml": slo(), "slo/z.yaml": sli("good: a", "total: b")})
    assert [] == repo.findings("DOC009")
    assert ["slo/a.yaml:7:17"] == [found.split(": ")[0] for found in Repo({"slo/a.yaml": slo()}).findings("DOC009")]


def test_a_service_of_the_configuration_or_the_catalogue_is_defined():
    """Not everything has to be an OpenSLO document."""
    other = "apiVersion: openslo/v1\nkind: Service\nmetadata: {name: blog}\nspec: {}\n"
    files = {"slo/a.yaml": slo() + "---\n" + sli("good: a", "total: b") + "---\n" + other}
    assert 1 == len(Repo(files).findings("DOC009"))
    assert [] == Repo({**files, ".reliability.yaml": "service: shop\n"}).findings("DOC009")


# --- Which documents are ours


@pytest.mark.parametrize(
    "version", ["openslo.com/v1", "OpenSLO/v1", "openslo.io/v1", "openslo/v2", "openslo", "v1", "foo", "1.0"]
)
def test_a_version_that_plainly_means_openslo_is_told_and_read_on(version):
    """What stands below is most likely right, and checked as well."""
    found = [(kind, line, column) for kind, line, column, _ in faults(slo("traget: 0.9", version=version))]
    assert [("wrong-kind", 1, 13), ("unknown-key", 10, 7)] == found


def test_a_missing_version_is_told():
    """Without it no tool feels addressed."""
    assert [("missing-field", 1, 1, "an OpenSLO document has no 'apiVersion'; 'openslo/v1' is expected")] == faults(
        slo().partition("\n")[2]
    )


def test_a_misspelt_kind_is_told_and_read_as_what_was_meant():
    """One mistake should not hide the others."""
    text = slo("traget: 0.9").replace("kind: SLO", "kind: Slo")
    assert ["wrong-kind", "unknown-key"] == [kind for kind, *_ in faults(text)]
    first, second = of(Fault, text)
    assert ("kind: SLO", Replace(first.at, "Slo", "SLO")) == (first.hint, first.edit)
    assert Replace(second.at, "traget", "target") == second.edit


@pytest.mark.parametrize("kind", ["kind: Dashboard", "kind: [SLO]", "kind:"])
def test_a_kind_that_nobody_can_guess_is_told(kind):
    """Then there is nothing to hold the rest against."""
    (found,) = faults(slo().replace("kind: SLO", kind))
    assert found[0] == ("missing-field" if kind == "kind:" else "wrong-kind")


@pytest.mark.parametrize(
    "text",
    [
        "apiVersion: v1\nkind: Service\nmetadata: {name: x}\nspec: {ports: [{port: 80}]}\n",
        "apiVersion: v1\nkind: Service\nmetadata: {name: x, displayName: X}\nspec: {type: ExternalName, externalName: x}\n",
        "apiVersion: v1\nkind: Service\nmetadata: {name: x}\nspec: {description: x}\n",
        "apiVersion: v1\nkind: Service\nmetadata: {name: x, displayName: X}\n",
        "apiVersion: n9/v1alpha\nkind: SLO\nmetadata: {name: x, displayName: X}\nspec: {service: x}\n",
        "apiVersion: serving.knative.dev/v1\nkind: Service\nmetadata: {name: x, displayName: X}\nspec: {template: {}}\n",
        "apiVersion: v1\nkind: SLO\nmetadata: {name: x}\nspec: {burn: 1}\n",
        "kind: SLO\nspec: 1\n",
        "kind: SLO\n",
        "openslo: a text\nkind: note\n",
        "- kind: SLO\n- 1\n",
        "kind: SLO and more\n",
        "",
    ],
)
def test_what_belongs_to_others_is_not_read(text):
    """A false alarm in somebody else's file is worse than a miss in ours."""
    assert [] == read(text)


def test_a_template_of_others_does_not_make_ours_unknown():
    """A service of Kubernetes in a Helm chart cannot hold an SLO."""
    assert [] == read("kind: Service\nmetadata: {{ include x }}\n")
    with pytest.raises(Unreadable):
        read("kind: SLO\nmetadata: {{ include x }}\n")


def test_a_file_may_hold_several_documents_lists_and_json():
    """As the official tools have it."""
    one = "- apiVersion: openslo/v1\n  kind: Service\n  metadata: {name: a}\n"
    two = "apiVersion: openslo/v1\nkind: Service\nmetadata: {name: b}\n"
    assert ["a", "b"] == [node.name for node in of(Definition, f"{one}---\n{two}")]
    in_json = json.dumps([{"apiVersion": "openslo/v1", "kind": "Service", "metadata": {"name": "c"}}])
    assert ["c"] == [node.name for node in read(in_json, "slo/x.json")]


def test_a_key_given_twice_is_told_in_our_documents_only():
    """The other documents of a file have their own readers."""
    twice = "a: 1\na: 2\n"
    assert [] == read(twice)
    text = f"{slo()}---\nopenslo: 1\n{twice}"
    assert [] == faults(text)
    assert ["duplicate-key"] == [kind for kind, *_ in faults(slo(head="name: other"))]


# --- What is wrong with them


WINDOW = "indicatorRef: a\ntimeWindow: "
SLICES = "indicatorRef: a\nbudgetingMethod: Timeslices"
CALENDAR = "calendar: {startTime: 2026-01-01 00:00:00, timeZone: UTC}"
INLINE_POLICY = (
    "kind: AlertPolicy, metadata: {name: a}, spec: {conditions: [{conditionRef: a}], notificationTargets: [{targetRef: a}]}"
)


ANY = "{metricSource: {type: Prometheus, spec: {query: up}}}"


def document(kind, spec):
    """A document of another kind, with its spec on line 4."""
    return f"apiVersion: openslo/v1\nkind: {kind}\nmetadata: {{name: x}}\nspec: {{{spec}}}\n"


WRONG = {
    "both targets": (slo("{target: 0.9, targetPercent: 90}"), ["conflicting-fields 10"]),
    "no target": (slo("displayName: x"), ["missing-field 10"]),
    "op and value": (slo("{target: 0.9, op: '<', value: much}"), ["wrong-value 10"] * 2),
    "both indicators": (slo(spec="indicatorRef: a\nindicator: {spec: {}}"), ["missing-field 8", "conflicting-fields 7"]),
    "misspelt indicator": (slo(spec="indicator_ref: a"), ["unknown-key 7"]),
    "no indicator": (slo(spec="description: x"), ["missing-field 6"]),
    "half a composite": (slo("{target: 0.9, indicatorRef: a}", "target: 0.8", spec="description: x"), ["missing-field 11"]),
    "indicators in both places": (slo("{target: 0.9, indicatorRef: a}"), ["conflicting-fields 10"]),
    "inline in both places": (slo("{target: 0.9, indicator: {spec: {}}}"), ["missing-field 10", "conflicting-fields 10"]),
    "slices without size": (slo(spec=SLICES), ["missing-field 10"] * 2),
    "ratio slices": (slo(spec="indicatorRef: a\nbudgetingMethod: RatioTimeslices"), ["missing-field 10"]),
    "slices out of range": (slo("{target: 1, timeSliceTarget: 95, timeSliceWindow: 0m}", spec=SLICES), ["wrong-value 10"] * 2),
    "infinite slices": (slo("{target: 1, timeSliceTarget: .inf, timeSliceWindow: 5}", spec=SLICES), ["wrong-value 10"]),
    "method": (slo(spec="indicatorRef: a\nbudgetingMethod: Sometimes"), ["wrong-value 8"]),
    "method of odd type": (slo(spec="indicatorRef: a\nbudgetingMethod: [Occurrences]"), ["wrong-value 8"]),
    "window is no list": (slo(spec=f"{WINDOW} {{duration: 1d}}"), ["wrong-value 8"]),
    "window is no mapping": (slo(spec=f"{WINDOW} [1d]"), ["wrong-value 8"]),
    "two windows": (
        slo(spec=f"{WINDOW} [{{duration: 1d, isRolling: true}}, {{duration: 1d, isRolling: true}}]"),
        ["wrong-value 8"],
    ),
    "neither rolling nor calendar": (slo(spec=f"{WINDOW} [{{duration: 1d}}]"), ["missing-field 8"]),
    "duration in words": (slo(spec=f"{WINDOW} [{{duration: 30 days, isRolling: true}}]"), ["wrong-value 8"]),
    "rolling calendar": (slo(spec=f"{WINDOW} [{{duration: 1d, isRolling: true, {CALENDAR}}}]"), ["conflicting-fields 8"]),
    "no such day": (slo(spec=f"{WINDOW} [{{duration: 1d, {CALENDAR.replace('01-01', '02-30')}}}]"), ["wrong-value 8"]),
    "no such zone": (slo(spec=f"{WINDOW} [{{duration: 1d, {CALENDAR.replace('UTC', 'Tokyo')}}}]"), ["wrong-value 8"]),
    "odd policies": (slo(spec="indicatorRef: a\nalertPolicies: [{}, 7]"), ["wrong-value 8", "missing-field 8"]),
    "inline policy": (slo(spec="indicatorRef: a\nalertPolicies: [{spec: {}}]"), ["missing-field 8"] * 4),
    "policy by name and inline": (
        slo(spec=f"indicatorRef: a\nalertPolicies: [{{alertPolicyRef: a, {INLINE_POLICY}}}]"),
        ["conflicting-fields 8"],
    ),
    "labels": (slo(head="labels: {tier: 1, '-x': y, list: [1]}"), ["wrong-value 5"] * 3),
    "label mapping": (slo(head="labels: {tier: {a: b}}"), ["wrong-value 5"]),
    "annotations": (slo(head="annotations: {a b: y, example.com/ok: 1}"), ["wrong-value 5"]),
    "name": (slo().replace("name: search", "name: Search It"), ["wrong-value 4"]),
    "empty reference": (slo(spec="indicatorRef: ''"), ["wrong-value 7"]),
    "long description": (slo(spec=f"indicatorRef: a\ndescription: {'x' * 1051}"), ["wrong-value 8"]),
    "nothing": ("apiVersion: openslo/v1\nkind: SLO\n", ["missing-field 1"] * 2),
    "wrong all over": ("apiVersion: openslo/v1\nkind: SLO\nmetadata: x\nspec: [y]\n", ["wrong-value 3", "wrong-value 4"]),
    "a service needs no spec": ("apiVersion: openslo/v1\nkind: Service\nmetadata: {name: x}\n", []),
    "good and bad": (sli("good: a", "bad: b", "total: c"), ["conflicting-fields 8"]),
    "neither good nor bad": (sli("total: c"), ["missing-field 7"]),
    "no total": (sli("good: a"), ["missing-field 7"]),
    "raw without type": (sli("raw: a"), ["missing-field 7"]),
    "an operator beside a ratio": (
        slo("{op: gt, value: 1, target: 0.9}", spec=f"indicator: {{spec: {{ratioMetric: {{good: {ANY}, total: {ANY}}}}}}}"),
        ["conflicting-fields 10"] * 2,
    ),
    "an operator beside a ratio elsewhere": (slo("{op: gt, value: 1, target: 0.9}"), []),
    "a metric that is not compared": (
        slo(spec=f"indicator: {{spec: {{thresholdMetric: {ANY}}}}}"),
        ["missing-field 10"] * 2,
    ),
    "raw and total": (sli("raw: a", "good: a", "total: b"), ["conflicting-fields 7"]),
    "ratio is a text": (document("SLI", "ratioMetric: x"), ["wrong-value 4"]),
    "source without fields": (document("SLI", "thresholdMetric: {metricSource: {spec: }}"), ["wrong-value 4"]),
    "condition": (
        document("AlertCondition", "severity: page, condition: {kind: average, threshold: high}"),
        ["wrong-value 4", "wrong-value 4", "missing-field 4"],
    ),
    "condition without wait": (
        document("AlertCondition", "severity: page, condition: {op: gte, threshold: 2, lookbackWindow: 1h, alertAfter: 0m}"),
        [],
    ),
    "two conditions, no target": (
        document("AlertPolicy", "conditions: [{conditionRef: a, operator: and}, {conditionRef: b}], notificationTargets: []"),
        ["wrong-value 4"] * 2,
    ),
    "any details": (document("DataSource", "type: Prometheus, connectionDetails: [{url: x}]"), []),
}
"""What is wrong with a text: the kind and the line of each fault."""


@pytest.mark.parametrize("what", WRONG)
def test_what_the_specification_forbids_is_told_where_it_stands(what):
    """Each rule of the specification that one can break in a file."""
    text, expected = WRONG[what]
    assert expected == [f"{kind} {line}" for kind, line, *_ in faults(text)]


@pytest.mark.parametrize(
    "zone", ["UTC", "America/New_York", "America/Argentina/Ushuaia", "Asia/Tokyo", "Etc/GMT+9", "US/Eastern", "Japan"]
)
def test_every_name_of_the_time_zone_database_is_one(zone):
    """Old names and links are names too, whatever the machine's own database has."""
    assert [] == faults(slo(spec=f"{WINDOW} [{{duration: 1M, {CALENDAR.replace('UTC', zone)}}}]"))


KEYS = [
    "name", "labels", "spec", "indicator", "indicatorRef", "ratioMetric", "thresholdMetric", "good", "bad", "total", "raw",
    "metricSource", "query", "objectives", "target", "timeWindow", "duration", "isRolling", "calendar", "alertPolicies",
    "alertPolicyRef", "conditions", "conditionRef", "notificationTargets", "metadata", "type",
]  # fmt: skip
values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-9, 9)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from(["x", "1h", "burnrate", ""]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=5),
    max_leaves=12,
)


@given(st.sampled_from(["openslo/v1", "openslo/v1alpha", "OpenSLO", "v1"]), st.sampled_from([*SPOKEN, "Slo", ""]), values, values)
def test_no_document_makes_the_reader_stumble(version, kind, metadata, spec):
    """Whatever stands where it does not belong is a fault at a place in the file, never a crash."""
    document = {"apiVersion": version, "kind": kind, "metadata": metadata, "spec": spec, "displayName": 1}
    for node in read(json.dumps(document), "x.json"):
        assert node.at.line == 1
        assert node.at.column >= 1


# --- Agreement with the specification's own files

FORBIDDEN = {
    "invalid-apiversion": "wrong-kind",
    "alert-condition-no-condition": "missing-field",
    "alert-condition-no-sev": "missing-field",
    "alert-notification-target-no-target": "missing-field",
    "alert-policy-malformed-cond": "missing-field",
    "alert-policy-malformed-targetref": "missing-field",
    "alert-policy-many-cond": "wrong-value",
    "alert-policy-no-cond": "missing-field",
    "alert-policy-no-notification": "missing-field",
    "service-long-description": "wrong-value",
    "sli-ratio-good-and-bad": "conflicting-fields",
    "sli-description-ratio-inline-metricsource": "conflicting-fields",
}
"""Files of the schema's tests that are not valid; the last is not named so, and has good and bad all the same."""


def test_the_files_of_the_schemas_own_tests_are_judged_as_they_are_named(corpus):
    """What is invalid by design is refused for the reason in its name, and nothing else is."""
    seen = 0
    for path in sorted((corpus / "slo/OpenSLO__OpenSLO/schema-test").rglob("*.yaml")):
        found = {kind for kind, *_ in faults(path.read_text())}
        expected = FORBIDDEN.get(path.stem)
        assert (expected in found) if expected else not found, f"{path}: {found}"
        seen += 1
    assert seen > 40


def test_the_examples_of_the_specification_are_wrong_as_they_are(corpus):
    """All four say `objective` for `objectives`."""
    files = sorted((corpus / "slo/OpenSLO__OpenSLO/examples").rglob("*.yaml"))
    assert {"did you mean objectives?"} == {
        next(fault.hint for fault in of(Fault, path.read_text()) if "'objective'" in fault.message) for path in files
    }


REFUSED = {
    "pkg/openslo/v1/examples/slos.yaml": ["conflicting-fields"],
    "pkg/openslo/v2alpha/examples/slos.yaml": ["conflicting-fields"],
    "pkg/openslosdk/test_data/decode/v2alpha_data_source.yaml": ["wrong-value"],
    "pkg/openslosdk/test_data/decode/v2alpha_slos.yaml": ["missing-field"] * 3,
}
"""Two examples have an `op` beside a ratio, which the SDK itself refuses; the others are only decoded in its tests."""


def test_the_files_of_the_sdk_are_in_order(corpus):
    """What the official library takes is not forbidden here, in whichever version."""
    folder = corpus / "slo/OpenSLO__go-sdk"
    paths = [*sorted(folder.rglob("*.yaml")), *sorted(folder.rglob("*.json"))]
    assert REFUSED == {
        str(path.relative_to(folder)): found
        for path in paths
        if (found := [node.kind for node in read(path.read_text(), path.name) if type(node) is Fault])
    }


def test_unresolved_references_are_those_of_the_sdk(corpus):
    """Its five invalid inputs name what is in none of their documents."""
    for path in sorted((corpus / "slo/OpenSLO__go-sdk").rglob("*_invalid_*.yaml")):
        wanted = re.search(r"_invalid_(\w+)", path.stem)[1]
        found = Repo({"x.yaml": path.read_text()}).findings("DOC009")
        kinds = {"condition": "alert condition", "target": "alert notification target", "policy": "alert policy", "sli": "SLI"}
        assert any(f"refers to {kinds[wanted]} " in message for message in found), path


def test_what_oslo_refuses_is_refused(corpus):
    """In all versions: names, the fields that it does not know, and those that are missing."""
    folder = corpus / "slo/OpenSLO__oslo/test/inputs/validate"
    found = {path.name: {kind for kind, *_ in faults(path.read_text())} for path in sorted(folder.rglob("*.yaml"))}
    assert {
        "invalid-apiversion.yaml": {"wrong-kind"},
        "unknown-field.yaml": {"wrong-value", "unknown-key"},
        "v1.yaml": {"wrong-value", "conflicting-fields"},
        "v1alpha.yaml": {"wrong-value", "missing-field"},
        "v2alpha.yaml": {"wrong-value", "conflicting-fields"},
        **{f"{number}.yaml": {"wrong-value"} for number in (1, 2, 3)},
    } == found


def test_documents_stand_for_the_files_that_were_read():
    """A file of ours is counted, and carries its faults."""
    (document,) = Repo({"slo/x.yaml": slo("target: high")}).graph.of(Document)
    assert ("openslo", ["wrong-value"]) == (document.format, [fault.kind for fault in document.faults])


def test_a_time_window_in_an_objective_belongs_further_out():
    """OpenSLO has one for all objectives; a slice's window is another thing."""
    text = slo("{target: 0.99, timeWindow: [{duration: 28d, isRolling: true}]}")
    (fault,) = of(Fault, text)
    assert ("unknown-key", "it belongs in an SLO's spec", None) == (fault.kind, fault.hint, fault.edit)
