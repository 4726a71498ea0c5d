"""Dashboards in all their wrappings, and the sites that documentation is published on."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_reliability.documents import Source, Unreadable
from pytest_reliability.formats import sites
from pytest_reliability.formats.grafana import FORMAT
from pytest_reliability.model.location import Location
from pytest_reliability.model.nodes import Dashboard, Fault, Site


def read(data, path="dashboard.json"):
    """Everything that the reader yields for a file, given as data or as text."""
    text = data if isinstance(data, str) else json.dumps(data, indent=2)
    return list(FORMAT.read(Source(path, text.encode())))


def target(expr, **more):
    """A query of a panel."""
    return {"refId": "A", "expr": expr, **more}


def dashboard(*panels, **more):
    """A dashboard with these panels."""
    return {"title": "Shop", "uid": "shop", "schemaVersion": 39, "panels": list(panels), **more}


def queries(data):
    """(text, language, parsable) of every query of the only dashboard."""
    (found,) = read(data)
    return [(query.text, query.language, query.parsable) for panel in found.panels for query in panel.queries]


REQUESTS = {
    "title": "Requests",
    "type": "timeseries",
    "targets": [target('rate(http_requests_total{job=~"$job"}[$__rate_interval])')],
}


def test_a_dashboard_has_panels_and_queries():
    """All that other checks ask of it."""
    (found,) = read(dashboard(REQUESTS))
    assert isinstance(found, Dashboard)
    assert ("Shop", "shop", Location("dashboard.json")) == (found.title, found.uid, found.at)
    (panel,) = found.panels
    assert ("Requests", "timeseries", 6) == (panel.title, panel.kind, panel.at.line)
    (query,) = panel.queries
    assert 'rate(http_requests_total{job=~"variable"}[5m])' == query.parsable
    assert (12, 19) == (query.at.line, query.at.column)
    assert query.place is not None
    assert (12, 25) == (query.place(5).line, query.place(5).column)


def test_panels_inside_of_rows_count():
    """Old rows have a list of their own, new ones are panels that may be folded."""
    old = {"title": "Old", "schemaVersion": 14, "rows": [{"title": "R", "panels": [REQUESTS, {"title": "Text"}]}]}
    new = dashboard({"type": "row", "title": "R", "panels": [REQUESTS]}, {"type": "row", "title": "S"}, {"title": "Last"})
    assert ["Requests", "Text"] == [panel.title for panel in read(old)[0].panels]
    assert ["Requests", "Last"] == [panel.title for panel in read(new)[0].panels]


def test_panels_are_a_sequence_made_once():
    """Nobody pays for what nobody looks at."""
    panels = read(dashboard(REQUESTS, {"title": "Last"}))[0].panels
    assert 2 == len(panels)
    assert panels[0] is panels[:1][0]


@pytest.mark.parametrize(
    "wrapped",
    [
        {"dashboard": dashboard(REQUESTS), "overwrite": True},
        {"apiVersion": "dashboard.grafana.app/v1beta1", "kind": "Dashboard", "spec": dashboard(REQUESTS)},
        {
            "kind": "ConfigMap",
            "data": {"shop.json": json.dumps(dashboard(REQUESTS)), "notes.json": '"panels"', "a.txt": '"panels"'},
        },
        {"kind": "List", "items": [{"kind": "ConfigMap", "data": {"shop.json": json.dumps(dashboard(REQUESTS))}}]},
        {"kind": "GrafanaDashboard", "spec": {"json": json.dumps(dashboard(REQUESTS))}},
        {"title": "Shop", "uid": "shop", "time": {}, "panels": [REQUESTS]},
    ],
)
def test_a_dashboard_is_found_in_every_wrapping(wrapped):
    """Exports, resources, and resources with texts."""
    (found,) = read(wrapped)
    assert ("Shop", ["Requests"]) == (found.title, [panel.title for panel in found.panels])


CONFIG_MAP = """\
kind: ConfigMap
data:
  shop.json: |-
    {
      "title": "Shop",
      "schemaVersion": 39,
      "panels": [
        {"title": "Requests", "targets": [{"expr": "up"}]}
      ]
    }
"""


def test_a_dashboard_in_a_config_map_has_places_in_that_file():
    """A finding points into the file that a person opens."""
    (found,) = read(CONFIG_MAP, "grafana.yaml")
    assert (3, 14) == (found.at.line, found.at.column)
    query = found.panels[0].queries[0]
    assert (8, 52) == (query.at.line, query.at.column)


def test_a_broken_dashboard_in_a_config_map_is_unreadable_in_its_place():
    """Silence would look like no dashboard."""
    with pytest.raises(Unreadable) as caught:
        read(CONFIG_MAP.replace('"Shop",', '"Shop"'), "grafana.yaml")
    assert (6, "shop.json") == (caught.value.at.line, caught.value.reason.partition(":")[0])


@pytest.mark.parametrize(
    "data",
    [
        {"panels": [REQUESTS]},
        {"title": "Shop", "panels": [REQUESTS]},
        {"title": "Shop", "schemaVersion": 39, "panels": {}},
        {"dashboard": {"rows": []}},
        {"kind": "ConfigMap", "data": []},
        {"kind": "Dashboard", "apiVersion": "example.com/v1", "spec": dashboard(REQUESTS)},
        {"kind": "GrafanaDashboard", "spec": {"url": "https://example.com/a.json"}},
        {"kind": "GrafanaDashboard"},
        [dashboard(REQUESTS)],
    ],
)
def test_other_files_are_left_alone(data):
    """Many things have panels."""
    assert [] == read(data)


def test_duplicate_keys_are_told():
    """Only the last one is read."""
    text = '{"title": "A", "schemaVersion": 1, "panels": [], "title": "B"}'
    assert ["duplicate-key"] == [node.kind for node in read(text) if isinstance(node, Fault)]


def test_titles_and_uids_may_be_missing_or_odd():
    """What is no text is none."""
    (found,) = read({"title": 5, "uid": "", "schemaVersion": 1, "panels": [{"title": 3, "type": []}]})
    assert ("", None, "", "") == (found.title, found.uid, found.panels[0].title, found.panels[0].kind)


@pytest.mark.parametrize(
    ("source", "language"),
    [
        (None, "promql"),
        ("", "promql"),
        ("Prometheus", "promql"),
        ("some name", "promql"),
        ("Loki (prod)", "logql"),
        ("$logs", "logql"),
        ("${metrics}", "promql"),
        ("[[logs]]", "logql"),
        ("$unknown", "promql"),
        ("-- Mixed --", "promql"),
        ({"type": "prometheus", "uid": "a"}, "promql"),
        ({"type": "loki", "uid": "${logs}"}, "logql"),
        ({"uid": "${logs}"}, "logql"),
        ({"uid": "abc"}, "promql"),
        ({"type": "datasource", "uid": "-- Mixed --"}, "promql"),
        ({"type": "victoriametrics-metrics-datasource"}, "metricsql"),
        ({"type": "tempo"}, "traceql"),
        ({"type": "cloudwatch"}, "cloudwatch"),
        (5, "promql"),
    ],
)
def test_the_language_follows_from_the_data_source(source, language):
    """PromQL is checked as PromQL, and nothing else is."""
    variables = [
        {"name": "logs", "type": "datasource", "query": "loki"},
        {"name": "metrics", "type": "datasource", "query": "prometheus"},
    ]
    templating = {"list": [*variables, {"name": "unknown", "type": "query", "query": "up"}, None]}
    data = dashboard({"datasource": source, "targets": [target("up")]}, templating=templating)
    assert [("up", language, "up" if language == "promql" else None)] == queries(data)


def test_a_targets_own_data_source_wins_and_other_texts_are_queries_too():
    """Mixed panels say it for each query."""
    targets = [
        target("up", datasource={"type": "loki"}),
        {"rawSql": "SELECT 1"},
        {"query": "a", "datasource": {"type": "influxdb"}},
        {"expr": " "},
    ]
    found = queries(dashboard({"datasource": {"type": "mixed"}, "targets": targets}))
    assert [("up", "logql", None), ("SELECT 1", "unknown", None), ("a", "influxdb", None)] == found


def test_a_query_that_nobody_can_fill_in_is_not_parsable():
    """A variable may stand for a function."""
    assert [("$f(up)", "promql", None)] == queries(dashboard({"targets": [target("$f(up)")]}, templating=[]))


KEYS = st.sampled_from(
    ["panels", "rows", "targets", "expr", "datasource", "templating", "list", "type", "title", "schemaVersion", "kind"]
)
SCALARS = st.none() | st.text(max_size=3) | st.integers()


@settings(deadline=None)
@given(st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(KEYS, inner, max_size=4), max_leaves=12))
def test_no_shape_of_data_breaks_the_reader(data):
    """Whatever stands where panels are expected is left out, never a traceback."""
    for wrapped in (data, dashboard(data, {"targets": data}, templating=data), {"kind": "ConfigMap", "data": data}):
        for node in read(json.dumps(wrapped)):
            assert isinstance(node, (Dashboard, Fault))
            if isinstance(node, Dashboard):
                assert len(list(node.panels)) == len(node.panels)


# --- Sites


def site(path, text):
    """The sites that a file configures."""
    return list(sites.FORMAT.read(Source(path, text.encode())))


def test_mkdocs_says_where_its_pages_are():
    """Without plugins that make pages every page is a file."""
    (found,) = site(
        "web/mkdocs.yml", "site_name: x\nsite_url: https://docs.example.com/\nplugins:\n  - search\n  - material/social: {}\n"
    )
    assert (
        Site(at=Location("web/mkdocs.yml", 2, 11, 25), base_url="https://docs.example.com/", folder="web/docs", complete=True)
        == found
    )


@pytest.mark.parametrize(
    "more", ["plugins: [gen-files]", "plugins: [{blog: {}}]", "hooks: [a.py]", "INHERIT: ../base.yml", "plugins: [[]]"]
)
def test_what_may_make_pages_leaves_the_site_incomplete(more):
    """A page without a file may exist all the same."""
    (found,) = site("mkdocs.yml", f"site_url: https://docs.example.com/\ndocs_dir: .\n{more}\n")
    assert ("", False) == (found.folder, found.complete)


def test_hugo_says_where_its_pages_are():
    """In any of its three languages, and however it spells its keys."""
    (toml,) = site("site/hugo.toml", 'baseURL = "https://example.com/"\ntitle = "x"\n')
    (yaml,) = site("config.yaml", "baseurl: https://example.com\ncontentDir: pages\n")
    assert ("https://example.com/", "site/content", False) == (toml.base_url, toml.folder, toml.complete)
    assert ("https://example.com", "pages") == (yaml.base_url, yaml.folder)


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("mkdocs.yml", "site_url: ''\n"),
        ("mkdocs.yml", "site_url: https://example.com\ndocs_dir: [a]\n"),
        ("mkdocs.yml", "[site_url]\n"),
        ("config.yaml", "baseURL: /\ntitle: x\n"),
        ("config.yaml", "baseURL: https://api.example.com\ntimeout: 5\n"),
        ("config.yaml", "title: x\n"),
        ("config.yaml", ""),
    ],
)
def test_other_configurations_are_no_sites(path, text):
    """A base URL may be anything's."""
    assert [] == site(path, text)
