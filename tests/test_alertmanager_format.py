"""Alertmanager's configuration: routes, receivers, names that lead nowhere, and a vocabulary that grows."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_reliability.documents import Source, Unreadable
from pytest_reliability.formats.alertmanager import FORMAT, parse_matchers
from pytest_reliability.model.nodes import Definition, Fault, Matcher, Receiver, Reference, Routing
from pytest_reliability.testing import Repo


def read(text, path="alertmanager.yml"):
    """Everything that the reader yields for a file."""
    return list(FORMAT.read(Source(path, text.encode())))


def of(kind, text):
    """The nodes of one kind."""
    return [node for node in read(text) if isinstance(node, kind)]


def faults(text):
    """(kind, line, message) of each fault."""
    return [(fault.kind, fault.at.line, fault.message) for fault in of(Fault, text)]


FILE = """\
global:
  resolve_timeout: 5m
route:
  receiver: chat
  group_by: [alertname]
  routes:
    - match: {severity: critical}
      match_re: {team: shop|search}
      continue: true
      receiver: pager
    - matchers: ['severity=~"warning|info"', team!=shop]
      mute_time_intervals: [nights]
      routes:
        - matchers: ['{a="b", c!~"d"}']
          receiver: chat
receivers:
  - name: chat
    slack_configs:
      - channel: "#alerts"
  - name: pager
    pagerduty_configs:
      - routing_key_file: /etc/key
    webhook_configs:
      - url: https://example.com/hook
    email_configs: []
time_intervals:
  - name: nights
    time_intervals:
      - times: [{start_time: "20:00", end_time: "24:00"}]
inhibit_rules:
  - source_matchers: [severity="critical"]
    target_matchers: [severity="warning"]
    equal: [service]
"""


def test_a_valid_file_has_no_fault():
    """What Alertmanager loads is right."""
    assert [] == faults(FILE)


def test_receivers_have_their_integrations():
    """A list without entries notifies nobody."""
    found = {one.name: one.integrations for one in of(Receiver, FILE)}
    assert {"chat": ("slack",), "pager": ("pagerduty", "webhook")} == found


def test_routes_inherit_their_receiver_and_have_matchers():
    """The tree is what Alertmanager walks."""
    (routing,) = of(Routing, FILE)
    root = routing.root
    assert root is not None
    first, second = root.routes
    assert ("chat", (), False) == (root.receiver, root.matchers, root.continues)
    assert ("pager", (_is("severity", "=", "critical"), _is("team", "=~", "shop|search")), True) == (
        first.receiver,
        first.matchers,
        first.continues,
    )
    assert ("chat", (_is("severity", "=~", "warning|info"), _is("team", "!=", "shop"))) == (second.receiver, second.matchers)
    assert (_is("a", "=", "b"), _is("c", "!~", "d")) == second.routes[0].matchers
    assert {"chat", "pager"} == set(routing.receivers)
    assert (7, 11) == (first.at.line, second.at.line)


def _is(label, operator, value):
    return Matcher(label=label, operator=operator, value=value)


def test_names_are_good_for_their_own_file():
    """Two configurations do not lend each other receivers."""
    names = [(one.kind, one.name, one.scope) for one in of(Definition, FILE)]
    file = "alertmanager.yml"
    assert [("receiver", "chat", file), ("receiver", "pager", file), ("time interval", "nights", file)] == names
    asked = [(one.kind, one.name, one.holder, one.at.line) for one in of(Reference, FILE)]
    assert [
        ("receiver", "chat", "the first route", 4),
        ("receiver", "pager", 'the route for severity="critical", team=~"shop|search"', 10),
        ("time interval", "nights", 'the route for severity=~"warning|info", team!="shop"', 12),
        ("receiver", "chat", 'the route for a="b", c!~"d"', 15),
    ] == asked


def test_a_receiver_of_another_file_is_not_defined_here():
    """Alertmanager would refuse the file."""
    one = "route: {receiver: chat, routes: [{receiver: pager}]}\nreceivers: [{name: chat}]\n"
    other = "route: {receiver: pager}\nreceivers: [{name: pager}]\n"
    found = Repo({"one.yml": one, "other.yml": other}).findings("DOC009")
    assert ["one.yml:1:45: a route refers to receiver 'pager', which is not defined in one.yml\n  known here: chat"] == found


# --- What is a configuration


@pytest.mark.parametrize(
    "text",
    [
        "receivers: {otlp: {}}\nservice: {}\n",
        "route: {receiver: a}\nreceivers: {a: b}\n",
        "route: /\nreceivers: [a]\n",
        "- receivers: []\n",
        "kind: Secret\nstringData:\n  a.yaml: 'receivers: route'\n  b.txt: 'receivers: route'\n",
        "kind: Secret\nstringData: [receivers]\n",
        "kind: AlertmanagerConfig\napiVersion: example.com/v1\nspec: {route: {receiver: a}, receivers: []}\n",
    ],
)
def test_other_files_are_left_alone(text):
    """Collectors have receivers, and proxies have routes."""
    assert [] == read(text)


SECRET = """\
apiVersion: v1
kind: Secret
metadata:
  name: alertmanager-main
stringData:
  alertmanager.yaml: |-
    "receivers":
    - "name": "Default"
    "route":
      "receiver": "Default"
      "routes":
      - "reciever": "Default"
        "matchers":
        - "severity = critical"
"""


def test_a_secret_carries_a_configuration():
    """kube-prometheus does it this way; places are those of the file."""
    (routing,) = of(Routing, SECRET)
    assert routing.root is not None
    assert ("Default", 7) == (routing.root.receiver, routing.at.line)
    assert (_is("severity", "=", "critical"),) == routing.root.routes[0].matchers
    assert [("unknown-key", 12, "'reciever' is not a key of a route, so it is not read")] == faults(SECRET)
    assert "alertmanager.yml (alertmanager.yaml)" == of(Definition, SECRET)[0].scope


def test_a_config_map_carries_a_configuration():
    """So do plain deployments."""
    text = SECRET.replace("Secret", "ConfigMap").replace("stringData", "data")
    assert 1 == len(of(Routing, text))


def test_a_broken_configuration_in_a_secret_is_unreadable_in_its_place():
    """Silence would look like no routes."""
    with pytest.raises(Unreadable) as caught:
        read(SECRET.replace('"route":', '"route": ["'))
    assert 9 <= caught.value.at.line <= 14


RESOURCE = """\
apiVersion: monitoring.coreos.com/v1beta1
kind: AlertmanagerConfig
metadata:
  name: shop
spec:
  route:
    receiver: pager
    groupBy: [job]
    routes:
      - receiver: gone
        matchers:
          - name: severity
            value: critical
          - name: team
            matchType: "!="
            value: shop
          - name: env
            value: p.*
            regex: true
          - {name: odd, matchType: "=="}
          - {value: x}
  receivers:
    - name: pager
      pagerdutyConfigs:
        - routingKey: {name: a, key: b}
      unheardOf: 1
  muteTimeIntervals:
    - name: nights
"""


def test_a_resource_is_a_part_of_a_configuration():
    """The operator decides which alerts get there."""
    (routing,) = of(Routing, RESOURCE)
    assert routing.root is not None
    assert (True, ("pagerduty",)) == (routing.partial, routing.receivers["pager"].integrations)
    expected = (_is("severity", "=", "critical"), _is("team", "!=", "shop"), _is("env", "=~", "p.*"))
    assert expected == routing.root.routes[0].matchers
    assert ["pager", "nights"] == [one.name for one in of(Definition, RESOURCE)]
    assert [
        ("wrong-value", 20, "matchType is '=='; one of =, !=, =~, !~ is expected"),
        ("missing-field", 21, "a matcher has no 'name'"),
    ] == faults(RESOURCE)


def test_a_resource_may_have_receivers_only():
    """A root is not required there."""
    (routing,) = of(
        Routing, "apiVersion: monitoring.coreos.com/v1\nkind: AlertmanagerConfig\nspec:\n  receivers: [{name: a}, {}]\n"
    )
    assert (None, ["a"]) == (routing.root, list(routing.receivers))
    assert ["missing-field"] == [
        kind for kind, _, _ in faults("apiVersion: monitoring.coreos.com/v1\nkind: AlertmanagerConfig\n")
    ]


# --- What is wrong


def configuration(*, route="receiver: a", receiver="name: a", more=""):
    """A small configuration; the arguments are flow mappings without their braces."""
    return f"route: {{{route}}}\nreceivers:\n  - {{{receiver}}}\n{more}"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (configuration(route="group_by: [a]"),
         ("missing-field", 1, "the first route has no 'receiver'; it takes whatever no other route does")),
        (configuration(route="receiver: a, matchers: [a=b]"),
         ("conflicting-fields", 1, "the first route has 'matchers'; it must take every alert, always")),
        (configuration(route="receiver: a, continue: true"),
         ("conflicting-fields", 1, "the first route has 'continue'; it must take every alert, always")),
        (configuration(route="receiver: a, routes: [{matchers: [severity]}]"),
         ("wrong-value", 1, "'severity' is no matcher; label=\"value\" with one of =, !=, =~, !~ is expected")),
        (configuration(route="receiver: a, routes: [{matcher: [a=b]}]"),
         ("unknown-key", 1, "'matcher' is not a key of a route, so it is not read")),
        (configuration(route="receiver: a, group_wait: 30"),
         ("wrong-value", 1, "group_wait is '30'; a duration such as 30s or 4h is expected")),
        (configuration(receiver="slack_configs: []"), ("missing-field", 3, "a receiver has no 'name'")),
        (configuration(receiver="name: a, slack_config: []"),
         ("unknown-key", 3, "'slack_config' is not a key of a receiver, so it is not read")),
        (configuration(receiver="name: a, slack_configs: [{chanel: b}]"),
         ("unknown-key", 3, "'chanel' is not a key of a slack configuration, so it is not read")),
        (configuration(receiver="name: a, slack_configs: [{api_url: b, api_url_file: c}]"),
         ("conflicting-fields", 3, "a slack configuration has 'api_url' and 'api_url_file', which exclude each other")),
        (configuration(receiver="name: a, slack_configs: {channel: b}"),
         ("wrong-value", 3, "slack_configs is a mapping; a list is expected")),
        (configuration(more="  - {name: a}\n"),
         ("wrong-value", 4, "a receiver called 'a' stands above already; their names are unique")),
        (configuration(more="inhibit_rule: []\n"),
         ("unknown-key", 4, "'inhibit_rule' is not a key of an Alertmanager configuration, so it is not read")),
        (configuration(more="route: {}\n"),
         ("duplicate-key", 4, "key 'route' is given twice, first on line 1; only the last value is read")),
    ],
)  # fmt: skip
def test_what_alertmanager_refuses_is_told(text, expected):
    """It does not start with one of these."""
    assert expected in faults(text)


@pytest.mark.parametrize(
    "text",
    [
        configuration(receiver="name: a, carrier_pigeon_configs: [{loft: b}]"),
        configuration(receiver="name: a, slack_configs: [{reaction: b, channel_file: c}]"),
        configuration(route="receiver: a, weight: 3"),
        configuration(route="receiver: a, routes: null, group_by: null, matchers: null"),
        configuration(more="event_recorder: {}\ntemplates:\nglobal:\n"),
        configuration(receiver="name: a, slack_configs: null, email_configs: [{to: b, http_config: {proxy_url: c}}]"),
    ],
)
def test_what_a_newer_version_may_know_is_not_told(text):
    """The vocabulary grows with every release."""
    assert [] == faults(text)


def test_names_that_are_no_texts_refer_to_nothing():
    """That they are no texts is a fault already."""
    text = configuration(route="receiver: a, routes: [{active_time_intervals: [[b]]}]", more="time_intervals: [{name: [b]}]\n")
    assert [("receiver", "a")] == [(one.kind, one.name) for one in of(Reference, text)]
    assert [("receiver", "a")] == [(one.kind, one.name) for one in of(Definition, text)]


# --- Matchers


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('a="b"', (_is("a", "=", "b"),)),
        ("a = b", (_is("a", "=", "b"),)),
        ("a!=b c ", (_is("a", "!=", "b c"),)),
        ("a=~b|c", (_is("a", "=~", "b|c"),)),
        ("a=", (_is("a", "=", ""),)),
        ('a=""', (_is("a", "=", ""),)),
        ('a=~"b,c{1,2}"', (_is("a", "=~", "b,c{1,2}"),)),
        ('{a="b",c!~"d",}', (_is("a", "=", "b"), _is("c", "!~", "d"))),
        ('{a="b", }', (_is("a", "=", "b"),)),
        ('a="b", c=d', (_is("a", "=", "b"), _is("c", "=", "d"))),
        (r'a="b\"c\\d\ne\x"', (_is("a", "=", 'b"c\\d\ne\\x'),)),
        ('"service.name"="b"', (_is("service.name", "=", "b"),)),
        ("サービス=決済", (_is("サービス", "=", "決済"),)),
        ("", ()),
        ("severity", None),
        ("a==b", (_is("a", "=", "=b"),)),
        ('a="b" c="d"', None),
        ('="b"', None),
    ],
)
def test_matchers_are_read_in_every_spelling(text, expected):
    """Old and new, alone and in braces, with names that need quotes."""
    assert expected == parse_matchers(text)


@settings(deadline=None)
@given(st.text(alphabet='ab"\\=!~,{} \n', max_size=20))
def test_no_text_breaks_the_matchers(text):
    """Bad input is none."""
    found = parse_matchers(text)
    assert found is None or all(one.operator in ("=", "!=", "=~", "!~") for one in found)


KEYS = st.sampled_from(
    ["route", "routes", "receiver", "receivers", "name", "match", "matchers", "slack_configs", "time_intervals"]
)
SCALARS = st.none() | st.text(max_size=3) | st.integers() | st.booleans()


@settings(deadline=None)
@given(st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(KEYS, inner, max_size=4), max_leaves=12))
def test_no_shape_of_data_breaks_the_reader(data):
    """Whatever stands where routes are expected is told, never a traceback."""
    for wrapped in (data, {"route": {"receiver": "a", "routes": [data], "match": data, "matchers": [data]}, "receivers": [data]}):
        for node in read(json.dumps(wrapped), "alertmanager.json"):
            assert node.at.path == "alertmanager.json"


def test_what_the_corpus_calls_good_is_good(corpus):
    """Alertmanager's own examples hold every key that it knows."""
    folder = corpus / "monitoring" / "prometheus__alertmanager"
    files = sorted(
        [
            *folder.glob("config/testdata/conf.*good.yml"),
            *folder.glob("doc/examples/*.yml"),
            folder / "cli/testdata/conf.good.yml",
        ]
    )
    assert files
    for file in files:
        found = read(file.read_text(encoding="utf-8"), file.name)
        assert found, file.name
        assert [] == [node for node in found if isinstance(node, Fault)], file.name
