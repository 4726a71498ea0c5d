"""Sloth: what is read from its files and its Kubernetes resources, and what is wrong with them."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_reliability.documents import Source
from pytest_reliability.formats.sloth import FORMAT
from pytest_reliability.model.nodes import Fault, Indicator, Replace, Slo
from pytest_reliability.testing import Repo


def read(text, path="slo/x.yaml"):
    """Everything that the reader yields for a file."""
    return list(FORMAT.read(Source(path, text.encode())))


def of(kind, text):
    """The nodes of exactly that kind."""
    return [node for node in read(text) if type(node) is kind]


def faults(text):
    """Kind and line of each fault."""
    return [f"{fault.kind} {fault.at.line}" for fault in of(Fault, text)]


EVENTS = 'events: {error_query: "sum(rate(bad[{{.window}}]))", total_query: "sum(rate(all[{{.window}}]))"}'
ALERTING = "alerting: {name: Burns}"


def file(*slo, head="", version="prometheus/v1"):
    """A specification with one SLO, made of the lines given; `head` are lines of the service."""
    lines = [f"version: {version}", "service: shop", *head.splitlines(), "slos:"]
    entry = slo or ("name: answers", "objective: 99.9", f"sli: {{{EVENTS}}}", ALERTING)
    return "\n".join([*lines, f"  - {entry[0]}", *(f"    {line}" for line in entry[1:])]) + "\n"


def resource(*slo, version="sloth.slok.dev/v1"):
    """The same as a Kubernetes resource."""
    entry = slo or ("name: answers", "objective: 99.9", f"sli: {{{camel(EVENTS)}}}", ALERTING)
    lines = [
        f"apiVersion: {version}",
        "kind: PrometheusServiceLevel",
        "metadata: {name: x, namespace: y}",
        "spec:",
        "  service: shop",
    ]
    return "\n".join([*lines, "  slos:", f"    - {entry[0]}", *(f"      {line}" for line in entry[1:])]) + "\n"


def camel(text):
    """The words of the vocabulary as Kubernetes has them."""
    for word in ("error_query", "total_query", "error_ratio_query", "page_alert", "ticket_alert", "slo_plugins"):
        first, *others = word.split("_")
        text = text.replace(word, first + "".join(map(str.capitalize, others)))
    return text


@pytest.mark.parametrize("text", [file(), resource()], ids=["file", "resource"])
def test_both_spellings_say_the_same(text):
    """One vocabulary, in snake case and in camel case."""
    (found,) = of(Slo, text)
    assert [] == faults(text)
    assert ("shop/answers", "sloth", Decimal("0.999"), "99.9", "percent") == (
        found.full_name, found.dialect, found.objective, found.objective_text, found.objective_unit,
    )  # fmt: skip
    assert [("bad", "sum(rate(bad[{{.window}}]))"), ("total", "sum(rate(all[{{.window}}]))")] == [
        (query.role, query.text) for query in found.queries
    ]
    assert ("30d", ("Burns",)) == (found.window.text, found.alert_names)


def test_an_slo_stands_where_its_name_does():
    """And its objective where that is."""
    (found,) = of(Slo, file())
    assert [(4, 11), (5, 16)] == [(at.line, at.column) for at in (found.at, found.objective_at)]


def test_the_queries_of_an_slo_are_asked_about_once():
    """An indicator stands for them."""
    (found,) = of(Indicator, file())
    assert ("SLO 'answers'", 6, 2) == (found.holder, found.at.line, len(found.queries))


@pytest.mark.parametrize(
    ("query", "parsable"),
    [
        ("rate(a[{{.window}}])", "rate(a[5m         ])"),
        ("rate(a[{{ .window }}])", "rate(a[5m           ])"),
        ("rate(a[{{- .window -}}])", "rate(a[5m             ])"),
        ("a_{{.window}}_b", "a_5m_b"),
        ("a", "a"),
        ("rate(a[{{.tier}}])", None),
        ('a{tier="{{ .tier}}"}[{{.window}}]', None),
    ],
)
def test_only_the_window_is_filled_in(query, parsable):
    """Sloth knows no other placeholder; characters behind the window stay where they were."""
    (found,) = of(
        Slo, file("name: answers", "objective: 99.9", f"sli: {{raw: {{error_ratio_query: {json.dumps(query)}}}}}", ALERTING)
    )
    assert [("ratio", "promql", parsable)] == [(query.role, query.language, query.parsable) for query in found.queries]


@pytest.mark.parametrize(
    ("query", "rendered"),
    [
        ("rate(a[{{.window}}])", "rate(a[1h])"),
        ("rate(a[{{ .window }}]) / rate(b[{{.window}}])", "rate(a[1h]) / rate(b[1h])"),
        ("rate(a[ {{- .window -}} ])", "rate(a[1h])"),
        ("rate(a[5m])", None),
        ('a{tier="{{.tier}}"}[{{.window}}]', None),
    ],
)
def test_a_query_is_rendered_for_any_window(query, rendered):
    """As Sloth does it, character for character; not where Sloth could not."""
    raw = f"sli: {{raw: {{error_ratio_query: {json.dumps(query)}}}}}"
    (found,) = of(Slo, file("name: answers", "objective: 99.9", raw, ALERTING))
    assert [(rendered, True, "bad")] == [
        (query.windowed("1h") if query.windowed else None, query.needs_window, query.ratio_of) for query in found.queries
    ]


@pytest.mark.parametrize("where", ["service", "slo"])
def test_without_sloths_own_validation_queries_may_be_of_any_language(where):
    """Whoever overrides the plugins writes MetricsQL, for instance."""
    plugins = "plugins: {overridePrevious: true, chain: [{id: example.com/other, priority: -1, config: {a: 1}}]}"
    entry = ["name: answers", "objective: 99.9", f"sli: {{{EVENTS}}}", ALERTING]
    text = file(*entry, plugins) if where == "slo" else file(*entry, head=f"slo_{plugins}")
    assert [] == faults(text)
    assert {("", None, False, True)} == {
        (query.language, query.parsable, query.needs_window, query.windowed is not None) for query in of(Slo, text)[0].queries
    }


def test_an_sli_of_a_plugin_has_no_queries():
    """The plugin makes them when Sloth runs."""
    text = file("name: answers", "objective: 99.9", "sli: {plugin: {id: x, options: {job: shop, limit: 3}}}", ALERTING)
    assert [] == faults(text)
    assert ([()], []) == ([node.queries for node in of(Slo, text)], of(Indicator, text))


def test_latency_is_told_from_the_bucket():
    """All minus those within 0.4 s are the bad ones."""
    bad = 'sum(rate(x_seconds_count[{{.window}}])) - sum(rate(x_seconds_bucket{le="0.4"}[{{.window}}]))'
    events = f"events: {{error_query: '{bad}', total_query: 'sum(rate(x_seconds_count[{{{{.window}}}}]))'}}"
    (found,) = of(Slo, file("name: answers", "objective: 99", f"sli: {{{events}}}", ALERTING))
    assert (0.4, "0.4s") == (found.latency.seconds, found.latency.text)


def test_owner_runbook_and_dashboard_may_stand_anywhere():
    """The SLO's own labels come first, then those of its service, then what its alerts say."""
    alerting = "alerting: {name: Burns, annotations: {runbook: docs/a.md, dashboard: d}, labels: {owner: alerts}}"
    entry = ["name: answers", "objective: 99.9", f"sli: {{{EVENTS}}}", alerting]
    (found,) = of(Slo, file(*entry, head="labels: {team: shop, tier: 2}"))
    assert ("shop", "docs/a.md", "d", {"team": "shop", "tier": "2"}) == (
        found.owner,
        found.runbook,
        found.dashboard,
        found.labels,
    )
    (found,) = of(Slo, file(*entry, "labels: {team: search}", head="labels: {team: shop}"))
    assert ("search", {"team": "search"}) == (found.owner, found.labels)
    (found,) = of(Slo, file(*entry))
    assert "alerts" == found.owner


@pytest.mark.parametrize(
    ("alerting", "names", "told"),
    [
        ("alerting: {name: Burns}", ("Burns",), []),
        ("alerting: {name: Burns, page_alert: {disable: true}}", ("Burns",), []),
        ("alerting: {page_alert: {disable: true}, ticket_alert: {disable: true}}", (), []),
        ("alerting: {name: Burns, page_alert: {disable: true}, ticket_alert: {disable: true}}", (), []),
        ("alerting: {page_alert: {disable: true}}", (), ["missing-field 7"]),
        ("alerting: {name: ''}", (), ["missing-field 7"]),
        ("description: x", (), ["missing-field 4"]),
        ("alerting: none", (), ["wrong-value 7", "missing-field 4"]),
    ],
)
def test_alerts_need_a_name_unless_there_are_none(alerting, names, told):
    """Sloth refuses alerts without a name, and generates two of the same one."""
    text = file("name: answers", "objective: 99.9", f"sli: {{{EVENTS}}}", alerting)
    assert (names, told) == (of(Slo, text)[0].alert_names, faults(text))


@pytest.mark.parametrize("make", [file, resource])
def test_alerts_have_texts_for_both_severities_and_for_each(make):
    """What is generated bears the common ones and its own."""
    alerting = (
        "alerting: {name: Burns, labels: {team: a}, annotations: {summary: b}, "
        "page_alert: {labels: {severity: page}}, ticket_alert: {disable: true, annotations: {note: c}}}"
    )
    texts = (alerting, EVENTS) if make is file else (camel(alerting), camel(EVENTS))
    (found,) = of(Slo, make("name: answers", "objective: 99.9", f"sli: {{{texts[1]}}}", texts[0]))
    said = found.alerting
    assert ("Burns", {"team": "a"}, {"summary": "b"}, False) == (
        said.name, said.common.labels, said.common.annotations, said.disabled,
    )  # fmt: skip
    assert [(False, {"severity": "page"}, {}), (True, {}, {"note": "c"})] == [
        (text.disabled, text.labels, text.annotations) for text in (said.page, said.ticket)
    ]
    assert {"page"} == {rate.severity for rate in found.burn_rates}


def test_the_alerts_of_sloth_fire_at_four_burn_rates():
    """Budget times period by the long window, as in the workbook."""
    (found,) = of(Slo, file())
    assert [
        ("page", Decimal("0.02"), Decimal("14.4"), "1h", "5m"), ("page", Decimal("0.05"), Decimal(6), "6h", "30m"),
        ("ticket", Decimal("0.1"), Decimal(3), "1d", "2h"), ("ticket", Decimal("0.1"), Decimal(1), "3d", "6h"),
    ] == [(rate.severity, rate.budget, rate.factor, rate.long.text, rate.short.text) for rate in found.burn_rates]  # fmt: skip
    assert {("the page alert of SLO 'answers'", 7, "30d"), ("the ticket alert of SLO 'answers'", 7, "30d")} == {
        (rate.holder, rate.at.line, rate.period.text) for rate in found.burn_rates
    }
    silent = "alerting: {page_alert: {disable: true}, ticket_alert: {disable: true}}"
    (found,) = of(Slo, file(*ENTRY[:3], silent))
    assert ((), True) == (found.burn_rates, found.alerting.disabled)


def test_an_slo_knows_its_document():
    """What Sloth repeats of it in its rules, and the plugins that work on them."""
    chain = "{id: a/own/v1, config: {x: 1}, priority: 5}"
    head = "slo_plugins: {chain: [{id: a/shared/v1, priority: high}, {}, 7]}"
    plugin = "sli: {plugin: {id: a/sli/v1, options: {job: shop, limit: 3}}}"
    text = f"a: b\n---\n{file(*ENTRY[:2], plugin, ALERTING, f'plugins: {{chain: [{chain}]}}', head=head)}"
    (found,) = of(Slo, text)
    assert ("prometheus/v1", 1, "", False) == (
        found.origin.version, found.origin.number, found.origin.name, found.origin.replaced,
    )  # fmt: skip
    assert ("a/sli/v1", {"job": "shop", "limit": "3"}) == (found.origin.indicator.id, found.origin.indicator.options)
    assert [("a/shared/v1", {}, 0), ("a/own/v1", {"x": 1}, 5)] == [
        (plugin.id, plugin.options, plugin.priority) for plugin in found.origin.plugins
    ]
    (found,) = of(Slo, file(*ENTRY, f"plugins: {{overridePrevious: true, chain: [{chain}]}}", head=head))
    assert (["a/own/v1"], True) == ([plugin.id for plugin in found.origin.plugins], found.origin.replaced)
    text = resource().replace("{name: x, namespace: y}", "{name: x, namespace: y, labels: {a: b}, annotations: {c: d}}")
    (found,) = of(Slo, text)
    assert ("sloth.slok.dev/v1", "x", "y", {"a": "b"}, {"c": "d"}, None) == (
        found.origin.version, found.origin.name, found.origin.namespace, found.origin.labels, found.origin.annotations,
        found.origin.indicator,
    )  # fmt: skip


def test_resources_may_stand_in_a_list():
    """As kubectl prints them."""
    items = [json.dumps({"kind": "ConfigMap"}), json.dumps({"a": 1}), "7"]
    text = "kind: List\nitems:\n" + "".join(f"  - {item}\n" for item in items)
    text += "  - " + resource().replace("\n", "\n    ").rstrip() + "\n"
    assert (["shop/answers"], []) == ([node.full_name for node in of(Slo, text)], faults(text))


def test_the_spelling_of_the_other_dialect_is_told():
    """Sloth drops it without a word."""
    text = file(
        "name: answers", "objective: 99.9", f"sli: {{{EVENTS}}}", "alerting: {name: Burns, pageAlert: {}, ticketAlert: {}}"
    )
    found = of(Fault, text)
    assert ["did you mean page_alert?", "did you mean ticket_alert?"] == [fault.hint for fault in found]
    assert [Replace(found[0].at, "pageAlert", "page_alert"), Replace(found[1].at, "ticketAlert", "ticket_alert")] == [
        fault.edit for fault in found
    ]
    text = resource("name: answers", "objective: 99.9", f"sli: {{{EVENTS}}}", ALERTING)
    assert ["did you mean errorQuery?", "did you mean totalQuery?"] == [fault.hint for fault in of(Fault, text)]


ENTRY = ("name: answers", "objective: 99.9", f"sli: {{{EVENTS}}}", ALERTING)
WRONG = {
    "no service": (file().replace("service: shop\n", ""), ["missing-field 1"]),
    "empty service": (file().replace("service: shop", "service: ''"), ["wrong-value 2"]),
    "odd service": (file().replace("service: shop", "service: the shop"), ["wrong-value 2"]),
    "no name": (file(*ENTRY[1:]), ["missing-field 4"]),
    "odd name": (file("name: -x-", *ENTRY[1:]), ["wrong-value 4"]),
    "no objective": (file(ENTRY[0], *ENTRY[2:]), ["missing-field 4"]),
    "objective in words": (file(ENTRY[0], "objective: high", *ENTRY[2:]), ["wrong-value 5"]),
    "no sli": (file(*ENTRY[:2], ALERTING), ["missing-field 4"]),
    "empty sli": (file(*ENTRY[:2], "sli: {}", ALERTING), ["missing-field 6"]),
    "two kinds of sli": (
        file(*ENTRY[:2], f"sli: {{{EVENTS}, raw: {{error_ratio_query: a}}}}", ALERTING),
        ["conflicting-fields 6"],
    ),
    "half of the events": (file(*ENTRY[:2], "sli: {events: {error_query: a}}", ALERTING), ["missing-field 6"]),
    "empty query": (file(*ENTRY[:2], "sli: {raw: {error_ratio_query: ''}}", ALERTING), ["wrong-value 6"]),
    "no slos": ("version: prometheus/v1\nservice: shop\nslos: []\n", ["wrong-value 3"]),
    "slos are no list": ("version: prometheus/v1\nservice: shop\nslos: {a: b}\n", ["wrong-value 3"]),
    "an slo is no mapping": ("version: prometheus/v1\nservice: shop\nslos: [a]\n", ["wrong-value 3"]),
    "the name of a metric as label": (file(head="labels: {__name__: x}"), ["wrong-value 3"]),
    "an empty label": (file(head="labels: {team: ''}"), ["wrong-value 3"]),
    "a name of one letter": (file("name: a", *ENTRY[1:]), ["wrong-value 4"]),
    "a long name of a resource": (
        resource(f"name: {'a' * 129}", *ENTRY[1:2], f"sli: {{{camel(EVENTS)}}}", ALERTING),
        ["wrong-value 7"],
    ),
    "a plugin without a name": (file(*ENTRY, "plugins: {chain: [{id: ''}]}"), ["wrong-value 8"]),
    "an sli plugin without a name": (file(*ENTRY[:2], "sli: {plugin: {id: ''}}", ALERTING), ["wrong-value 6"]),
    "no plugins instead of sloth's": (file(*ENTRY, "plugins: {overridePrevious: true, chain: []}"), ["conflicting-fields 8"]),
    "no plugins of the service either": (file(head="slo_plugins: {overridePrevious: true, chain: []}"), ["conflicting-fields 3"]),
    "plugins of the service alone": (file(head="slo_plugins: {overridePrevious: true, chain: [{id: a}]}"), []),
    "a plugin without id": (file(*ENTRY, "plugins: {chain: [{config: {}}]}"), ["missing-field 8"]),
    "a key given twice": (file(*ENTRY, "objective: 99"), ["duplicate-key 8"]),
    "another version": (file(version="prometheus/v999"), ["wrong-kind 1"]),
    "a version of nothing": (file(version="v1"), ["wrong-kind 1"]),
    "no version": (file().partition("\n")[2], ["missing-field 1"]),
    "another version of the resource": (resource(version="sloth.slok.dev/v1alpha1"), ["wrong-kind 1"]),
    "a resource without group": (resource(version="v1"), ["wrong-kind 1"]),
    "a resource without version": (resource().partition("\n")[2], ["missing-field 1"]),
    "a resource without spec": ("apiVersion: sloth.slok.dev/v1\nkind: PrometheusServiceLevel\n", ["missing-field 1"]),
    "a number as label of a resource": (
        resource(*ENTRY[:2], f"sli: {{{camel(EVENTS)}}}", ALERTING, "labels: {tier: 2}"),
        ["wrong-value 11"],
    ),
    "a number as label of a file": (file(head="labels: {tier: 2, real: true}"), []),
}
"""What is wrong with a text: the kind and the line of each fault."""


@pytest.mark.parametrize("what", WRONG)
def test_what_sloth_refuses_is_told_where_it_stands(what):
    """Each rule that one can break in a file."""
    text, expected = WRONG[what]
    assert expected == faults(text)


def test_a_wrong_version_can_be_replaced():
    """There is only one of each kind."""
    (fault,) = of(Fault, file(version="prometheus/v2"))
    assert Replace(fault.at, "prometheus/v2", "prometheus/v1") == fault.edit
    (fault,) = of(Fault, resource(version="v1"))
    assert Replace(fault.at, "v1", "sloth.slok.dev/v1") == fault.edit
    (fault,) = of(Fault, resource(version="[v1]"))
    assert None is fault.edit


def test_a_file_may_hold_several_services():
    """And documents of others between them."""
    text = f"{file()}---\nslos: none of ours\n---\n- slos\n---\n{resource()}"
    assert (["shop/answers"] * 2, []) == ([node.full_name for node in of(Slo, text)], faults(text))


@pytest.mark.parametrize(
    "text",
    [
        "slos: []\nservice: shop\n",
        "service: shop\nslos: [{name: x}]\n",
        "service: shop\nslos: {sli: x}\n",
        "version: 3\nservices: {shop: {image: slos}}\n",
        "apiVersion: sloth.slok.dev/v1\nkind: AlertWindows\nspec: {sloPeriod: 7d}\n",
        "",
    ],
)
def test_what_belongs_to_others_is_not_read(text):
    """A false alarm in somebody else's file is worse than a miss in ours."""
    assert [] == read(text)


def test_an_slo_without_a_name_is_none():
    """Nobody could refer to it; that it has none is a fault already."""
    assert [] == of(Slo, file("name: [x]", *ENTRY[1:]))


def test_an_slo_without_a_number_has_no_objective():
    """It stands where the objective should."""
    (found,) = of(Slo, file(ENTRY[0], *ENTRY[2:]))
    assert (None, "", 4) == (found.objective, found.objective_text, found.objective_at.line)


WORDS = [
    "name",
    "objective",
    "sli",
    "alerting",
    "labels",
    "events",
    "raw",
    "page_alert",
    "error_query",
    "slos",
    "plugins",
    "chain",
]
values = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.sampled_from(["x", "99.9", "sum(a", "{{.window}}", ""]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(WORDS), inner, max_size=5),
    max_leaves=12,
)


@given(values, values, st.booleans())
def test_no_document_makes_the_reader_stumble(slo, labels, as_resource):
    """Whatever stands where it does not belong is a fault at a place in the file, never a crash."""
    service = {"service": slo, "labels": labels, "slos": [slo, {"sli": slo, "alerting": labels, "name": "x"}]}
    document = {"kind": "PrometheusServiceLevel", "spec": service if labels else slo} if as_resource else service
    for node in read(json.dumps(document), "x.json"):
        assert (1, True) == (node.at.line, node.at.column >= 1)


# --- Agreement with Sloth's own files

DROPPED = {"'pageAlert'", "'ticketAlert'", "'page_alert'", "'ticket_alert'"}
"""Keys in the spelling of the other dialect: Sloth's own good files have them, and Sloth drops them."""


def told(path):
    """What is told of a file, but for the keys that Sloth drops."""
    return [fault for fault in of(Fault, path.read_text()) if fault.message.split()[0] not in DROPPED]


def test_the_examples_of_sloth_are_in_order(corpus):
    """And every one of them has SLOs."""
    paths = [path for path in sorted((corpus / "slo/slok__sloth/examples").glob("*.y*ml")) if "openslo" not in path.name]
    assert len(paths) > 10
    assert {} == {path.name: found for path in paths if (found := told(path))}
    assert [] == [path.name for path in paths if not of(Slo, path.read_text())]


def test_what_sloth_takes_is_in_order(corpus):
    """Its good files, and the inputs of its integration tests."""
    folder = corpus / "slo/slok__sloth/test/integration/prometheus/testdata"
    paths = [*sorted((folder / "validate/good").glob("*.yaml")), *sorted(folder.glob("in-*.yaml"))]
    assert {"in-invalid-version.yaml": ["wrong-kind"]} == {
        path.name: [fault.kind for fault in found] for path in paths if (found := told(path))
    }


def test_what_sloth_refuses_is_refused(corpus):
    """Each bad file for what is bad in it: an objective of 101, no service, no SLI, no name for the alerts."""
    folder = corpus / "slo/slok__sloth/test/integration/prometheus/testdata/validate/bad"
    checks = ("DOC004", "DOC005", "SLO102")
    found = {
        path.stem: [code for code in checks if Repo({"slo/x.yaml": path.read_text()}).findings(code)]
        for path in sorted(folder.glob("*.yaml"))
        if "openslo" not in path.name
    }
    assert {
        "bad-aa": ["SLO102"], "bad-ab": ["SLO102"], "bad-ba": ["SLO102"],
        "bad-k8s": ["DOC005"], "bad-multi": ["DOC004"], "bad-multi-k8s": ["DOC004"],
    } == found  # fmt: skip


def test_duplicates_are_found_as_sloth_finds_them(corpus):
    """In one file, and in two."""
    folder = corpus / "slo/slok__sloth/test/integration/prometheus/testdata/validate_with_duplicates"
    for group in (".", "prom", "k8s", "openslo"):
        files = {f"slo/{path.name}": path.read_text() for path in sorted((folder / group).glob("*.yaml"))}
        assert (1 if group == "openslo" else 2) == len(Repo(files).findings("DOC010")), group


def test_every_query_of_sloths_files_parses(corpus):
    """No false alarm in more than fifty of them."""
    folder = corpus / "slo/slok__sloth"
    files = {str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*.y*ml")}
    outcome = Repo(files).outcome("SLO201")
    assert ((), True) == (outcome.findings, outcome.subjects > 50)
