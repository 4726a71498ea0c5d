"""`--style sloth` gives what Sloth gives, compared as parsed YAML with the files that Sloth's own tests expect."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from pytest_reliability.generate.files import Generated, rules_file
from pytest_reliability.generate.options import Options
from pytest_reliability.testing import Repo

SLOTH = Path(__file__).parents[2] / "shared/corpus/slo/slok__sloth"
NEEDS_CORPUS = pytest.mark.skipif(not SLOTH.is_dir(), reason=f"{SLOTH} is not here: Sloth's golden files stay out of the project")

EXAMPLES = {"cmd": "examplesgen.sh"}
"""The label that Sloth's script gives everything in its examples."""

GETTING_STARTED = """
sum(rate(http_request_duration_seconds_count{ {{.filter}},job="{{.job}}",code=~"(5..|429)" }[{{.window}}]))
/
sum(rate(http_request_duration_seconds_count{ {{.filter}},job="{{.job}}" }[{{"{{.window}}"}}]))"""
INTEGRATION = GETTING_STARTED.replace("http_request_duration_seconds_count", "integration_test")


def generated(files: dict[str, str], spec: str, **options: Any) -> Generated:
    """What we generate in Sloth's style."""
    return rules_file(Repo(files).graph, spec, Options(style="sloth", **options))


def compared(spec: str, golden: str, more: dict[str, str] | None = None, **options: Any) -> None:
    """Hold what we generate from a file of the corpus beside what Sloth does."""
    files = {"slo.yaml": (SLOTH / spec).read_text(encoding="utf-8"), **(more or {})}
    template = (SLOTH / golden).read_text(encoding="utf-8").replace("{{ .version }}", "dev")
    expected = re.sub(r'\{\{"(.*?)"\}\}', r"\1", template) if golden.endswith(".tpl") else template
    made = generated(files, "slo.yaml", **options)
    assert () == made.skipped
    assert [document for document in yaml.safe_load_all(expected) if document] == made.documents
    assert made.documents == list(yaml.safe_load_all(made.text))


SAME_NAME = [
    "getting-started.yml",
    "home-wifi.yml",
    "k8s-getting-started.yml",
    "k8s-home-wifi.yml",
    "k8s-multifile.yml",
    "kubernetes-apiserver.yml",
    "multifile.yml",
    "no-alerts.yml",
    "openslo-getting-started.yml",
    "openslo-kubernetes-apiserver.yml",
    "raw-home-wifi.yml",
    "slo-plugin-getting-started.yml",
    "slo-plugin-k8s-getting-started.yml",
    "victoria-metrics.yml",
    "contrib-denominator-corrected.yaml",
    "contrib-slo-plugins.yml",
]
"""Sloth's examples; each golden file in `_gen` bears the name of its spec."""


@NEEDS_CORPUS
@pytest.mark.parametrize("name", SAME_NAME)
def test_examples(name: str) -> None:
    """Every example of Sloth's whose plugins are no code of somebody's comes out equal."""
    compared(f"examples/{name}", f"examples/_gen/{name}", labels=EXAMPLES)


@NEEDS_CORPUS
@pytest.mark.parametrize("name", ["plugin-getting-started.yml", "plugin-k8s-getting-started.yml"])
def test_examples_with_an_sli_template(name: str) -> None:
    """An SLI plugin that only fills in options is a template beside the spec, and its rules come out equal."""
    template = {"plugins/getting_started_availability.sli.tmpl": GETTING_STARTED}
    compared(f"examples/{name}", f"examples/_gen/{name}", template, labels=EXAMPLES)


TESTDATA = "test/integration/prometheus/testdata"


@NEEDS_CORPUS
@pytest.mark.parametrize(
    ("spec", "golden", "options"),
    [
        ("in-base.yaml", "out-base.yaml.tpl", {}),
        ("in-base.yaml", "out-base-28d.yaml.tpl", {"period": "28d"}),
        ("in-base.yaml", "out-base-extra-labels.yaml.tpl", {"labels": {"exk1": "exv1", "exk2": "exv2"}}),
        ("in-base.yaml", "out-base-no-alerts.yaml.tpl", {"alerts": False}),
        ("in-base.yaml", "out-base-no-recordings.yaml.tpl", {"recordings": False}),
        ("in-base-k8s.yaml", "out-base-k8s.yaml.tpl", {}),
        ("in-multifile.yaml", "out-multifile.yaml.tpl", {}),
        ("in-multifile-k8s.yaml", "out-multifile-k8s.yaml.tpl", {}),
        ("in-openslo.yaml", "out-openslo.yaml.tpl", {}),
    ],
)
def test_integration(spec: str, golden: str, options: dict[str, Any]) -> None:
    """Everything that Sloth's integration tests generate without a plugin comes out equal."""
    compared(f"{TESTDATA}/{spec}", f"{TESTDATA}/{golden}", **options)


@NEEDS_CORPUS
def test_integration_with_custom_windows() -> None:
    """Sloth's integration test with a catalogue of alert windows comes out equal."""
    windows = {"windows/7d.yaml": (SLOTH / "test/integration/prometheus/windows/7d.yaml").read_text(encoding="utf-8")}
    options = {"period": "7d", "windows": "windows/7d.yaml"}
    compared(f"{TESTDATA}/in-base.yaml", f"{TESTDATA}/out-base-custom-windows-7d.yaml.tpl", windows, **options)


@NEEDS_CORPUS
def test_integration_with_an_sli_template() -> None:
    """Sloth's integration test of SLI plugins comes out equal with a template for the plugin."""
    template = {"integration_test.sli.tmpl": INTEGRATION}
    compared(f"{TESTDATA}/in-sli-plugin.yaml", f"{TESTDATA}/out-sli-plugin.yaml.tpl", template)


# Our own fixtures

SPEC = """\
version: prometheus/v1
service: search
labels:
  team: discovery
slos:
  - name: answers
    objective: 99.5
    sli:
      events:
        error_query: sum(rate(search_requests_total{outcome="error"}[{{.window}}]))
        total_query: sum(rate(search_requests_total[{{.window}}]))
    alerting:
      name: SearchFails
      annotations:
        runbook_url: docs/runbooks/search.md
      page_alert:
        labels: {severity: critical}
      ticket_alert:
        disable: true
"""


def test_our_own_spec() -> None:
    """Records, labels, figures and alerts are those that Sloth documents, down to the last digit of a float."""
    (document,) = generated({"slo.yaml": SPEC}, "slo.yaml").documents
    recordings, metadata, alerts = document["groups"]
    assert [
        "sloth-slo-sli-recordings-search-answers",
        "sloth-slo-meta-recordings-search-answers",
        "sloth-slo-alerts-search-answers",
    ] == [group["name"] for group in document["groups"]]
    assert {
        "record": "slo:sli_error:ratio_rate5m",
        "expr": '(sum(rate(search_requests_total{outcome="error"}[5m])))\n/\n(sum(rate(search_requests_total[5m])))\n',
        "labels": {
            "sloth_id": "search-answers",
            "sloth_service": "search",
            "sloth_slo": "answers",
            "sloth_window": "5m",
            "team": "discovery",
        },
    } == recordings["rules"][0]
    assert ["5m", "30m", "1h", "2h", "6h", "1d", "3d", "30d"] == [rule["labels"]["sloth_window"] for rule in recordings["rules"]]
    assert "vector(0.995)" == metadata["rules"][0]["expr"]
    assert "99.5" == metadata["rules"][-1]["labels"]["sloth_objective"]
    (page,) = alerts["rules"]
    assert {"severity": "critical", "sloth_severity": "page"} == page["labels"]
    assert "docs/runbooks/search.md" == page["annotations"]["runbook_url"]
    selector = '{sloth_id="search-answers", sloth_service="search", sloth_slo="answers"}'
    assert (
        "(\n"
        f"    max(slo:sli_error:ratio_rate5m{selector} > (14.4 * 0.005)) without (sloth_window)\n"
        "    and\n"
        f"    max(slo:sli_error:ratio_rate1h{selector} > (14.4 * 0.005)) without (sloth_window)\n"
        ")\nor\n(\n"
        f"    max(slo:sli_error:ratio_rate30m{selector} > (6 * 0.005)) without (sloth_window)\n"
        "    and\n"
        f"    max(slo:sli_error:ratio_rate6h{selector} > (6 * 0.005)) without (sloth_window)\n"
        ")\n"
    ) == page["expr"]


def with_sli(lines: str) -> str:
    """The spec with another SLI."""
    head, _, rest = SPEC.partition("      events:\n")
    return head + lines + rest[rest.index("    alerting:") :]


PLUGIN = with_sli("      plugin:\n        id: acme/http\n        options: {job: search}\n")


def skipped(files: dict[str, str], **options: Any) -> list[str]:
    """Why nothing is generated."""
    return [reason for _, reason in generated(files, "slo.yaml", **options).skipped]


def test_sli_template_of_another_folder() -> None:
    """A plugin's id with slashes in it is the end of its template's path."""
    template = '1 - sum(rate(ok_total{job="{{ .job }}"}[{{ .window }}])) / sum(rate(all_total{job="{{- .job -}}"}[{{.window}}]))'
    (document,) = generated({"slo.yaml": PLUGIN, "sloth/acme/http.sli.tmpl": template}, "slo.yaml").documents
    expected = '(1 - sum(rate(ok_total{job="search"}[1d])) / sum(rate(all_total{job="search"}[1d])))'
    assert expected == document["groups"][0]["rules"][5]["expr"]


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        ({}, "its SLI comes from the plugin 'acme/http', whose template is not here: write acme/http.sli.tmpl"),
        (
            {"other/http.sli.tmpl": "x"},
            "its SLI comes from the plugin 'acme/http', whose template is not here: write acme/http.sli.tmpl",
        ),
        ({"acme/http.sli.tmpl": "{{.filter}}"}, "the plugin 'acme/http' wants an option 'filter', which is not given"),
        (
            {"acme/http.sli.tmpl": "{{ if .job }}x{{ end }}"},
            "the template of the plugin 'acme/http' does more than fill in options: {{ if .job }}",
        ),
    ],
)
def test_sli_templates_that_are_none(files: dict[str, str], reason: str) -> None:
    """A plugin is refused where its template is missing, wants what is not given, or is a program."""
    assert [reason] == skipped({"slo.yaml": PLUGIN, **files})


def with_plugins(*lines: str) -> str:
    """The spec with plugins for its rules."""
    return SPEC.replace("slos:\n", "slo_plugins:\n" + "".join(f"  {line}\n" for line in lines) + "slos:\n", 1)


def test_unknown_plugin() -> None:
    """Rules that somebody's code would change are not generated."""
    assert ["its plugin 'acme/guard/v1' is code that is not here"] == skipped(
        {"slo.yaml": with_plugins("chain:", "  - id: acme/guard/v1")}
    )


def test_replaced_core() -> None:
    """Where plugins replace the core, only those of the core that are named make rules."""
    spec = with_plugins("overridePrevious: true", "chain:", "  - id: sloth.dev/core/alert_rules/v1")
    (document,) = generated({"slo.yaml": spec}, "slo.yaml").documents
    assert ["sloth-slo-alerts-search-answers"] == [group["name"] for group in document["groups"]]


def test_known_plugins() -> None:
    """Intervals and labels of the info metric are known; what runs before the core is overwritten by it."""
    spec = with_plugins(
        "chain:",
        "  - {id: sloth.dev/contrib/rule_intervals/v1, config: {interval: {default: 1m, alert: 2m}}}",
        "  - {id: sloth.dev/contrib/info_labels/v1, config: {labels: {edition: 2}}}",
        "  - {id: sloth.dev/contrib/info_labels/v1, priority: -1, config: {labels: {lost: 'yes'}}}",
    )
    (document,) = generated({"slo.yaml": spec}, "slo.yaml").documents
    assert ["1m", "1m", "2m"] == [group["interval"] for group in document["groups"]]
    info = document["groups"][1]["rules"][-1]["labels"]
    assert "2" == info["edition"]
    assert "lost" not in info


def test_a_period_without_windows() -> None:
    """Sloth has windows for 28 and 30 days only; for others somebody has to say which."""
    assert ["Sloth knows no alert windows for 14d; name a file that has them: --windows PATH"] == skipped(
        {"slo.yaml": SPEC}, period="14d"
    )


def test_a_resource_for_the_operator_on_request() -> None:
    """A plain spec may become a PrometheusRule too, as Sloth labels it."""
    (document,) = generated({"slo.yaml": SPEC}, "slo.yaml", form="prometheusrule").documents
    assert "PrometheusRule" == document["kind"]
    assert {"app.kubernetes.io/component": "SLO", "app.kubernetes.io/managed-by": "sloth"} == document["metadata"]["labels"]
    assert 3 == len(document["spec"]["groups"])
