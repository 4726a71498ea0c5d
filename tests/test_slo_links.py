"""From an SLO to its alerts, runbook, dashboard and owner: what links, what merely looks alike, and what cannot be told."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_reliability.model.links.slos import dashboard_of, owner_of, read, runbook_of
from pytest_reliability.model.nodes import BurnRate, Slo
from pytest_reliability.testing import Repo


def openslo(name="answers", service="shop", more=""):
    """An SLO of OpenSLO's."""
    return f"""\
apiVersion: openslo/v1
kind: SLO
metadata: {{name: {name}}}
spec:
  service: {service}
  indicator:
    metadata: {{name: x}}
    spec:
      ratioMetric:
        counter: true
        good: {{metricSource: {{type: Prometheus, spec: {{query: 'good_total{{job="shop"}}'}}}}}}
        total: {{metricSource: {{type: Prometheus, spec: {{query: 'all_total{{job="shop"}}'}}}}}}
  budgetingMethod: Occurrences
  timeWindow: [{{duration: 30d, isRolling: true}}]
  objectives: [{{target: 0.99}}]
{more}"""


def sloth(name="answers", service="shop"):
    """An SLO of Sloth's that generates no alerts."""
    return f"""\
version: prometheus/v1
service: {service}
slos:
  - name: {name}
    objective: 99
    sli: {{raw: {{error_ratio_query: 'errors{{w="{{{{.window}}}}"}}'}}}}
    alerting: {{name: Burns, page_alert: {{disable: true}}, ticket_alert: {{disable: true}}}}
"""


def pyrra(name="answers"):
    """An SLO of Pyrra's."""
    return f"""\
apiVersion: pyrra.dev/v1alpha1
kind: ServiceLevelObjective
metadata: {{name: {name}, namespace: monitoring}}
spec:
  target: '99'
  window: 4w
  alerting: {{disabled: true}}
  indicator:
    ratio:
      errors: {{metric: 'http_requests_total{{service="web",code=~"5.."}}'}}
      total: {{metric: 'http_requests_total{{service="web"}}'}}
"""


def rules(*rules):
    """A rule file."""
    return "groups:\n- name: g\n  rules:\n" + "".join(f"  - {rule}\n" for rule in rules)


def alert(expr="up == 0", labels="", annotations="", name="Alarm"):
    """An alert, in one line."""
    return f"{{alert: {name}, expr: '{expr}', labels: {{{labels}}}, annotations: {{{annotations}}}}}"


def record(name, expr="up", labels=""):
    """A recording rule, in one line."""
    return f"{{record: '{name}', expr: '{expr}', labels: {{{labels}}}}}"


def links(files):
    """Every link, as (SLO, alert, certain, evidence)."""
    graph = Repo(files).graph
    return [
        (slo.full_name, link.alert.name, link.certain, link.evidence) for slo in graph.of(Slo) for link in graph.alerts_for(slo)
    ]


def evidence(slo, *some):
    """The evidence of the only link between an SLO and these rules; None without a link."""
    found = links({"slo.yaml": slo, "rules.yaml": rules(*some)})
    assert all(certain for _, _, certain, _ in found)
    assert len(found) < 2
    return found[0][3] if found else None


# --- By annotation


@pytest.mark.parametrize("value", ["answers", "shop/answers", " answers ", "other, shop/answers"])
@pytest.mark.parametrize("key", ["reliability/slo", "reliability_slo"])
def test_an_annotation_names_the_slo(key, value):
    """With its service or without; one of several."""
    named = value.split(",")[-1].strip()
    assert f"its annotation {key} names {named!r}" == evidence(openslo(), alert(annotations=f"{key}: '{value}'"))


@pytest.mark.parametrize("value", ["answer", "blog/answers", "answers/shop", "", "Answers"])
def test_an_annotation_with_another_name_names_another(value):
    """However near it is."""
    assert None is evidence(openslo(), alert(annotations=f"reliability/slo: '{value}'"))


def test_an_annotation_is_stronger_than_a_label():
    """It says what it is for; a label may be there for another reason."""
    both = rules(alert(labels="slo: a", annotations="reliability/slo: b"))
    files = {"a.yaml": openslo("a"), "b.yaml": openslo("b"), "rules.yaml": both}
    assert [("shop/b", "Alarm")] == [(slo, alert) for slo, alert, _, _ in links(files)]


# --- By label


@pytest.mark.parametrize(
    ("slo", "labels", "said"),
    [
        (sloth(), "sloth_id: shop-answers", "its label sloth_id is 'shop-answers'"),
        (sloth(), "sloth_slo: answers, sloth_service: shop", "its label sloth_slo is 'answers'"),
        (sloth("a-b", "c-d"), "sloth_id: c-d-a-b", "its label sloth_id is 'c-d-a-b'"),
        (sloth(), "sloth_slo: answers", "its label sloth_slo is 'answers'"),
        (openslo(), "sloth_id: shop-answers-0", "its label sloth_id is 'shop-answers-0'"),
        (openslo(), "sloth_slo: answers-0, sloth_service: shop", "its label sloth_slo is 'answers-0'"),
        (openslo(), "slo: answers, service: shop", "its label slo is 'answers'"),
        (openslo(), "slo_name: answers, slo_service: shop", "its label slo_name is 'answers'"),
        (openslo(), "slo: answers", "its label slo is 'answers'"),
        (pyrra(), "slo: answers", "its label slo is 'answers'"),
        (pyrra(), "slo: answers, service: web", "its label slo is 'answers'"),
    ],
)  # fmt: skip
def test_a_label_names_the_slo(slo, labels, said):
    """As the tools that generate rules set them."""
    assert said == evidence(slo, alert(labels=labels))


@pytest.mark.parametrize(
    ("slo", "labels"),
    [
        (sloth(), "sloth_id: shop-answer"), (sloth(), "sloth_id: answers"), (sloth(), "sloth_slo: answers, sloth_service: blog"),
        (sloth(), "sloth_id: shop-answers-0"), (sloth(), "sloth_slo: answers-0"), (openslo(), "sloth_slo: answers-1"),
        (openslo(), "slo: answers, service: blog"), (openslo(), "slo: 99.9%"), (openslo(), "slo: '{{ $labels.slo }}'"),
        (openslo(), "name: answers"), (openslo(), "service: shop"), (openslo(), "alertname: answers"),
    ],
)  # fmt: skip
def test_a_label_that_names_another_links_nothing(slo, labels):
    """Nor does one that says something else, or that only a template fills in."""
    assert None is evidence(slo, alert(labels=labels))


def test_similar_names_are_no_evidence():
    """Neither of alerts, nor of groups, nor of metrics."""
    some = (alert("answers:error_ratio > 1", name="answers"), alert("good_total / all_total < 1", name="ShopAnswers"))
    assert None is evidence(openslo(), *some)


def test_the_name_of_the_generated_alerts_is_no_evidence():
    """Many are called ErrorBudgetBurn."""
    assert None is evidence(sloth(), alert(name="Burns"))


# --- By expression


@pytest.mark.parametrize(
    ("expr", "said"),
    [
        ('x{sloth_id="shop-answers"} > 1', "it reads x whose label sloth_id is 'shop-answers'"),
        ('{__name__="x",slo="answers"} > 1', "it reads x whose label slo is 'answers'"),
        ('{slo="answers"} > 1', "it reads a series whose label slo is 'answers'"),
        ('sum(x{le=~"a{2}", slo = `answers`}) > 1', "it reads x whose label slo is 'answers'"),
    ],
)
def test_matchers_of_the_series_name_the_slo(expr, said):
    """An alert of Sloth's has the labels nowhere else."""
    assert said == evidence(sloth(), "{alert: Alarm, expr: '" + expr.replace("'", "''") + "'}")


@pytest.mark.parametrize(
    "expr",
    [
        'x{slo!="answers"}', 'x{slo=~"answers|b"}', 'x{slo="answer"}', 'label_replace(x, "slo", "answers", "", "")',
        'x{slo="$slo"}', "x{y=\"slo='answers'\"}",
    ],
)  # fmt: skip
def test_what_is_no_equality_names_nothing(expr):
    """Texts that only look like a matcher do not either."""
    assert None is evidence(sloth(), "{alert: Alarm, expr: '" + expr.replace("'", "''") + "'}")


def test_the_labels_of_the_recording_rule_name_the_slo():
    """Which the alert's expression reads."""
    some = (record("a:errors:ratio_rate1h", labels="slo: answers"), alert("a:errors:ratio_rate1h > 0.1"))
    assert "it reads a:errors:ratio_rate1h whose label slo is 'answers'" == evidence(openslo(), *some)


def test_rules_may_read_rules():
    """And each other: nothing goes round in circles."""
    some = (
        record("a:errors", 'x{slo="answers"}'), record("a:ratio", "a:errors / a:total"), record("a:total", "a:total + a:ratio"),
        alert("a:ratio > 0.1"),
    )  # fmt: skip
    assert "it reads x whose label slo is 'answers'" == evidence(openslo(), *some)


@pytest.mark.parametrize(
    ("matcher", "linked"), [("", True), ('{env="prod"}', True), ('{env="test"}', False), ('{zone="a"}', True)]
)
def test_rules_that_the_matchers_rule_out_are_not_read(matcher, linked):
    """A label that a rule does not set may come from what it reads."""
    some = (record("a:ratio", labels="slo: answers, env: prod"), alert(f"a:ratio{matcher} > 0.1"))
    assert linked is (evidence(openslo(), *some) is not None)


def test_an_alert_on_the_series_of_several_slos_is_for_all_of_them():
    """One alert over a recorded burn rate is enough for many."""
    recorded = (record("slo:burn_rate1h", labels=f"slo: {name}") for name in "ab")
    files = {f"{name}.yaml": openslo(name) for name in "abc"} | {"rules.yaml": rules(*recorded, alert("slo:burn_rate1h > 14.4"))}
    assert [("shop/a", True), ("shop/b", True)] == [(slo, certain) for slo, _, certain, _ in links(files)]


def test_a_label_that_names_no_slo_leaves_the_expression_to_speak():
    """Some write the objective into it."""
    said = evidence(openslo(), alert('x{slo="answers"} > 1', labels="slo: 99.9%"))
    assert "it reads x whose label slo is 'answers'" == said


# --- Where several fit


def test_two_slos_of_one_name_are_an_ambiguity():
    """Each may be meant, and none is."""
    slos = {"a.yaml": openslo(service="shop"), "b.yaml": openslo(service="blog")}
    files = {**slos, "rules.yaml": rules(alert(labels="slo: answers"))}
    both = "its label slo is 'answers', and 2 SLOs fit: a.yaml:3, b.yaml:3"
    assert [("shop/answers", "Alarm", False, both), ("blog/answers", "Alarm", False, both)] == links(files)


def test_the_service_tells_them_apart():
    """By its name, or because the alert lies in its folder."""
    slos = {"a.yaml": openslo(service="shop"), "b.yaml": openslo(service="blog")}
    named = links({**slos, "rules.yaml": rules(alert(labels="slo: answers, service: blog"))})
    assert [("blog/answers", True)] == [(slo, certain) for slo, _, certain, _ in named]
    folders = {"shop/.reliability.yaml": "service: shop\n", "blog/.reliability.yaml": "service: blog\n"}
    beside = links({**slos, **folders, "shop/rules.yaml": rules(alert(labels="slo: answers"))})
    assert [("shop/answers", True)] == [(slo, certain) for slo, _, certain, _ in beside]


def test_nothing_is_held_against_slos_that_an_alert_may_be_for():
    """And nothing is concluded from it."""
    files = {
        "a.yaml": openslo(service="shop"), "b.yaml": openslo(service="blog"),
        "rules.yaml": rules(alert("slo:burn_rate1h > 200", labels="slo: answers")),
    }  # fmt: skip
    repo = Repo(files)
    assert [()] * 2 == [repo.graph.burn_rates_of(slo) for slo in repo.graph.of(Slo)]
    assert ([], []) == (repo.findings("SLO301"), repo.findings("SLO303"))


def test_the_burn_rates_of_linked_alerts_are_the_slos():
    """And the other way round."""
    some = rules(alert("slo:burn_rate1h > 14.4", labels="slo: answers"), alert("a:burn_rate1h > 6"))
    graph = Repo({"slo.yaml": openslo(), "rules.yaml": some}).graph
    (slo,) = graph.of(Slo)
    first, second = graph.of(BurnRate)
    assert ((first,), (slo,), ()) == (graph.burn_rates_of(slo), graph.slos_burning(first), graph.slos_burning(second))


def test_certainty_outweighs_ambiguity():
    """What one name leaves open the other tells."""
    slos = {"a.yaml": openslo(service="shop"), "b.yaml": openslo(service="blog")}
    for names in ("shop/answers, answers", "answers, shop/answers"):
        found = links({**slos, "rules.yaml": rules(alert(annotations=f"reliability/slo: '{names}'"))})
        assert [("shop/answers", True), ("blog/answers", False)] == [(slo, certain) for slo, _, certain, _ in found]


# --- What an expression reads


@pytest.mark.parametrize(
    ("expr", "series"),
    [
        ("a", [("a", {})]), ("a{}", [("a", {})]), ('a{b="c",d!="e"} + f:g', [("a", {"b": "c"}), ("f:g", {})]),
        ('{b="c"}', [("", {"b": "c"})]), ('{__name__="a"}', [("a", {})]), ('"a{b=\'c\'}"', []), ("a{b='}'}", [("a", {"b": "}"})]),
        ("a{b=~'x'}", [("a", {})]), ("1 > 2", []), ("a{", [("a", {})]), ("a {b='\\''}", [("a", {"b": "\\'"})]),
    ],
)  # fmt: skip
def test_series_are_read_without_parsing(expr, series):
    """Names, and matchers with =."""
    assert series == [(one.name, one.labels) for one in read(expr)]


@given(st.text(alphabet="ab{}=\"'`~!,\\() ", max_size=40))
def test_reading_survives_anything(expr):
    """It is no parser, and promises nothing."""
    assert all(one.name or one.labels is not None for one in read(expr))


# --- SLO → runbook


def runbook(files):
    """What names the runbook of the only SLO."""
    graph = Repo(files).graph
    (slo,) = graph.of(Slo)
    return runbook_of(graph, slo)


def test_the_slo_names_its_runbook_before_its_alerts_do():
    """The alert's counts where the SLO has none."""
    own = openslo().replace("{name: answers}", "{name: answers, annotations: {runbook_url: own.md}}")
    other = {"rules.yaml": rules(alert(labels="slo: answers", annotations="runbook_url: alert.md"))}
    assert ("own.md", "alert.md", None) == (
        runbook({"slo.yaml": own, **other}), runbook({"slo.yaml": openslo(), **other}), runbook({"slo.yaml": openslo()}),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("path", "text", "found"),
    [
        ("docs/runbooks/alarm.md", "# What to do\n", True), ("docs/runbooks/x.md", "# Alarm\n", True),
        ("docs/runbooks/x.md", "---\nalerts: [Other, Alarm]\n---\n# X\n", True),
        ("docs/runbooks/answers.md", "# Answers\n", False),
        ("docs/runbooks/alarms.md", "# Alarms\n", False),
    ],
)  # fmt: skip
def test_a_runbook_may_say_that_it_is_for_the_alert(path, text, found):
    """By its file's name, its title or its front matter; not by looking alike."""
    files = {"slo.yaml": openslo(), "rules.yaml": rules(alert(labels="slo: answers")), path: text}
    assert (path if found else None) == runbook(files)


def test_an_alert_for_another_slo_names_no_runbook():
    """However near it stands."""
    other = rules(alert(labels="slo: b", annotations="runbook_url: alert.md"))
    assert None is runbook({"slo.yaml": openslo(), "rules.yaml": other})


# --- SLO → dashboard


def panel(expr):
    """A dashboard with one panel."""
    expr = expr.replace('"', '\\"')
    return f"""{{"title": "Shop", "schemaVersion": 39, "panels": [{{"title": "x", "type": "timeseries",
        "datasource": {{"type": "prometheus"}}, "targets": [{{"refId": "A", "expr": "{expr}"}}]}}]}}"""


@pytest.mark.parametrize(
    ("expr", "found"),
    [
        ('x{slo="answers"}', True), ('x{sloth_slo="$slo"}', True), ('rate(all_total{job="shop"}[5m])', True),
        ('rate(all_total{job="shop", zone="a"}[5m])', True), ('rate(all_total{job="blog"}[5m])', False),
        ("rate(all_total[5m])", False), ('x{slo="answer"}', False), ('x{job="shop"}', False),
    ],
)  # fmt: skip
def test_a_panel_may_show_the_slo(expr, found):
    """By its labels, or with its metrics and all that it selects them by."""
    graph = Repo({"slo.yaml": openslo(), "dashboards/shop.json": panel(expr)}).graph
    (slo,) = graph.of(Slo)
    assert ("dashboards/shop.json" if found else None) == dashboard_of(graph, slo)


def test_the_slo_or_its_alert_may_name_the_dashboard():
    """By address or by uid."""
    own = openslo().replace("{name: answers}", "{name: answers, annotations: {dashboard: own}}")
    other = {"rules.yaml": rules(alert(labels="slo: answers", annotations="__dashboardUid__: abc"))}
    found = []
    for files in ({"slo.yaml": own, **other}, {"slo.yaml": openslo(), **other}, {"slo.yaml": openslo()}):
        graph = Repo(files).graph
        (slo,) = graph.of(Slo)
        found.append(dashboard_of(graph, slo))
    assert ["own", "abc", None] == found


# --- SLO → owner


@pytest.mark.parametrize(
    ("more", "owner"),
    [
        ({"labels": "slo: answers, team: shop"}, "shop"), ({"labels": "slo: answers", "annotations": "owner: search"}, "search"),
        ({"labels": "slo: answers, team: '{{ $labels.team }}'"}, None), ({"labels": "slo: b, team: shop"}, None),
    ],
)  # fmt: skip
def test_an_alert_for_the_slo_may_say_whose_it_is(more, owner):
    """Where the SLO itself does not."""
    repo = Repo({"slo.yaml": openslo(), "rules.yaml": rules(alert(**more))})
    (slo,) = repo.graph.of(Slo)
    assert owner == owner_of(repo.graph, slo)
    assert (owner is None) is bool(repo.findings("SLO401"))


# --- SLO301


@pytest.mark.parametrize(
    ("slo", "said"),
    [
        (sloth(), "its alerts are disabled, and no other alert is for it"),
        (sloth().replace(", page_alert: {disable: true}, ticket_alert: {disable: true}", ""), None),
        (sloth().replace(", ticket_alert: {disable: true}", ""), None),
        (pyrra(), "its alerts are disabled, and no other alert is for it"),
        (pyrra().replace("  alerting: {disabled: true}\n", ""), None),
        (openslo(more="  alertPolicies: [page]\n"), None),
        (openslo(), "SLO 'answers' has no alert\n"),
    ],
)
def test_alerts_may_be_generated_or_referred_to(slo, said):
    """And may be disabled."""
    found = Repo({"slo.yaml": slo}).findings("SLO301")
    assert ([] if said is None else [True]) == [said in text for text in found]


def test_a_rule_file_that_cannot_be_read_may_have_the_alert():
    """Unknown is not passed, and not failed."""
    (found,) = Repo({"slo.yaml": openslo(), "rules.yaml": "groups:\n- rules:\n  - alert: [\n"}).findings("SLO301")
    assert found.startswith("unknown: ")


# --- Tests → SLO

SEARCH = sloth("search", "shop").replace(
    "'errors{w=\"{{.window}}\"}'",
    "'1 - sum(rate(s_seconds_bucket{le=\"0.3\"}[{{.window}}])) / sum(rate(s_seconds_count[{{.window}}]))'",
)


def marked(arguments):
    """A test with a budget."""
    return f"import pytest\n\n\n@pytest.mark.latency_budget({arguments})\ndef test_it(latency):\n    latency(print)\n"


K6 = "import http from 'k6/http';\nexport const options = {thresholds: {http_req_duration: ['p(95)<9']}};"


@pytest.mark.parametrize(
    ("files", "tested"),
    [
        ({"tests/test_x.py": marked('slo="search"')}, True), ({"tests/test_x.py": marked('slo="shop/search"')}, True),
        ({"tests/test_x.py": marked('p95="300ms"')}, False), ({"tests/test_x.py": marked('slo="serach"')}, False),
        ({"app.py": "", ".reliability.yaml": "latency:\n  routes:\n    GET /search: {slo: search}\n"}, True),
        ({"app.py": "", ".reliability.yaml": "latency:\n  routes:\n    GET /search: {p95: 300ms}\n"}, False),
        ({"app.py": "", "k6.js": K6}, True),
        ({"main.go": "package main"}, True),
    ],
)  # fmt: skip
def test_a_latency_slo_wants_a_test(files, tested):
    """Where there is something that pytest could call."""
    assert tested is (Repo({"slo.yaml": SEARCH, **files}).findings("LAT101") == [])


def test_only_slos_about_latency_want_one():
    """Of the form "X of requests within T"."""
    assert [] == Repo({"slo.yaml": sloth(), "app.py": ""}).findings("LAT101")
    assert [] == Repo({"slo.yaml": SEARCH.replace("objective: 99", "objective: 100"), "app.py": ""}).findings("LAT101")


def test_another_services_code_needs_no_test():
    """The SLO's own service has none."""
    files = {"a/.reliability.yaml": "service: shop\n", "b/.reliability.yaml": "service: blog\n", "a/slo.yaml": SEARCH}
    assert [] == Repo({**files, "b/app.py": ""}).findings("LAT101")
    (found,) = Repo({**files, "a/app.py": ""}).findings("LAT101")
    assert "no test holds SLO 'search' to its 0.3s" in found


@pytest.mark.parametrize(
    ("arguments", "looser"),
    [
        ('slo="search", p95="500ms"', ["p95 of 500ms"]), ('slo="search", p99="500ms"', ["p99 of 500ms"]), ('slo="search"', []),
        ('slo="search", p99="300ms"', []), ('slo="search", mean="500ms"', []),
        ('slo="search", p999="500ms"', []), ('slo="search", max="500ms"', []),
        ('"99% under 500ms", slo="search"', ["p99 of 500ms"]), ('"95% under 400ms", slo="search"', ["p95 of 400ms"]),
        ('slo="search", p95="500ms", p99="200ms"', []), ('slo="search", errors="1%", throughput="5/s"', []),
        ('slo="search", p50="400ms", p95="500ms"', ["p50 of 400ms", "p95 of 500ms"]), ('slo="search", p95="soon"', []),
        ('p95="500ms"', []), ('slo="other", p95="500ms"', []),
    ],
)  # fmt: skip
def test_a_budget_is_no_looser_than_its_slo(arguments, looser):
    """A limit for a larger share may be; a strict one for it makes up for looser ones."""
    found = Repo({"slo.yaml": SEARCH, "test_x.py": marked(arguments)}).findings("LAT102")
    assert looser == [text.split("allows ")[1].split(",")[0] for text in found]


def test_an_slo_that_limits_no_time_is_never_stricter():
    """Nor one without an objective."""
    assert [] == Repo({"slo.yaml": sloth("search"), "test_x.py": marked('slo="search", p95="5s"')}).findings("LAT102")


TWO = "2 SLOs have that name: 0.yaml:4, 1.yaml:4"


@pytest.mark.parametrize(
    ("services", "name", "said"),
    [
        ("", "search", "no SLO is called 'search'\n  write the SLO, or limits such as p95=\"300ms\" instead"),
        ("a", "serach", "no SLO is called 'serach'\n  did you mean slo='search'?"),
        ("ab", "search", f"{TWO}\n  write slo='a/search' or slo='b/search'"),
        ("aa", "a/search", f"{TWO}\n  rename one of the SLOs"), ("a", "search", None), ("a", "a/search", None),
    ],
)  # fmt: skip
def test_a_test_names_an_slo_that_is_there(services, name, said):
    """Once, and only once."""
    files = {f"{number}.yaml": sloth("search", service) for number, service in enumerate(services)}
    found = Repo({**files, "test_x.py": marked(f'slo="{name}"')}).findings("LAT103")
    assert ([] if said is None else [f"test_it names slo={name!r}: {said}"]) == [text.split(": ", 1)[1] for text in found]


def test_an_slo_of_another_service_is_named_with_it():
    """The hint says how."""
    files = {"a/.reliability.yaml": "service: shop\n", "b/.reliability.yaml": "service: blog\n", "a/slo.yaml": SEARCH}
    (found,) = Repo({**files, "b/test_x.py": marked('slo="search"')}).findings("LAT103")
    assert "only other services have it: shop/search\n  write slo='shop/search'" in found
