"""Prometheus itself on what is generated: every file passes promtool, and the tests notice broken alerts."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from pytest_reliability import cli

pytestmark = pytest.mark.skipif(
    shutil.which("promtool") is None, reason="promtool (Debian's package prometheus) is not installed"
)


def slo(name: str = "availability", objective: str = "99.9", sli: str = "", alerting: str = "      name: CheckoutFails\n") -> str:
    """An SLO of Sloth's."""
    events = """\
      events:
        error_query: sum(rate(http_requests_total{job="checkout",code=~"5.."}[{{.window}}]))
        total_query: sum(rate(http_requests_total{job="checkout"}[{{.window}}]))
"""
    return f"  - name: {name}\n    objective: {objective}\n    sli:\n{sli or events}    alerting:\n{alerting}"


def sloth(*slos: str) -> str:
    """A spec of Sloth's."""
    return "version: prometheus/v1\nservice: checkout\nlabels: {team: web}\nslos:\n" + "".join(slos or [slo()])


def openslo(good: str, total: str, target: str = "0.999", window: str = "28d", kind: str = "good") -> str:
    """A spec of OpenSLO's."""
    return f"""\
apiVersion: openslo/v1
kind: SLO
metadata: {{name: latency}}
spec:
  service: checkout
  budgetingMethod: Occurrences
  timeWindow: [{{duration: {window}, isRolling: true}}]
  objectives: [{{target: {target}}}]
  indicator:
    spec:
      ratioMetric:
        counter: true
        {kind}: {{metricSource: {{type: Prometheus, spec: {{query: '{good}'}}}}}}
        total: {{metricSource: {{type: Prometheus, spec: {{query: '{total}'}}}}}}
"""


BUCKETS = openslo(
    'sum(rate(http_request_duration_seconds_bucket{le="0.3"}[5m]))', "sum(rate(http_request_duration_seconds_count[5m]))"
)
WEEK = openslo("sum(rate(ok_total[5m]))", "sum(rate(all_total[5m]))", window="7d")
LOW = openslo('sum(rate(jobs_total{outcome!="done"}[5m]))', "sum(rate(jobs_total[5m]))", target="0.9", window="30d", kind="bad")
RAW = slo(
    sli="      raw:\n        error_ratio_query: 1 - (sum(rate(ok_total[{{.window}}])) / sum(rate(all_total[{{.window}}])))\n"
)
BY_ROUTE = slo(
    sli="""\
      events:
        error_query: sum by (route) (increase(http_requests_total{code=~"5.."}[{{.window}}]))
        total_query: sum by (route) (increase(http_requests_total[{{.window}}]))
"""
)
WINDOWS = """\
apiVersion: sloth.slok.dev/v1
kind: AlertWindows
spec:
  sloPeriod: 7d
  page:
    quick: {errorBudgetPercent: 8, shortWindow: 5m, longWindow: 1h}
    slow: {errorBudgetPercent: 12.5, shortWindow: 30m, longWindow: 6h}
  ticket:
    quick: {errorBudgetPercent: 20, shortWindow: 2h, longWindow: 1d}
    slow: {errorBudgetPercent: 42, shortWindow: 6h, longWindow: 3d}
"""

CASES = {
    "plain": (sloth(), []),
    "exact": (sloth(), ["--exact", "--min-errors", "3"]),
    "strict": (sloth(slo(objective="99.999")), []),
    "two": (sloth(slo(), slo("other", "99")), ["--label", "env=prod"]),
    "raw": (sloth(RAW), ["--min-errors", "0"]),
    "by route": (sloth(BY_ROUTE), ["--min-errors", "2"]),
    "buckets": (BUCKETS, []),
    "week": (WEEK, []),
    "low": (LOW, []),
    "windows": (sloth(), ["--windows", "windows.yaml", "--period", "7d"]),
    "sloth": (sloth(), ["--style", "sloth"]),
    "sloth windows": (sloth(), ["--style", "sloth", "--windows", "windows.yaml", "--period", "7d"]),
    "sloth raw": (sloth(RAW), ["--style", "sloth", "--period", "28d"]),
    "pages only": (sloth(slo(alerting="      name: Fails\n      ticket_alert: {disable: true}\n")), []),
    "tickets only": (sloth(slo(alerting="      name: Fails\n      page_alert: {disable: true}\n")), []),
}
WHOLE = ("plain", "week", "sloth windows")
"""Cases with a quiet period as well; it takes promtool seconds."""


def promtool(*words: str) -> str:
    """What promtool prints; it must be content."""
    done = subprocess.run(["promtool", *words], capture_output=True, text=True, check=False, timeout=300)
    assert 0 == done.returncode, done.stdout + done.stderr
    return done.stdout


def generated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, case: str) -> Path:
    """A repository with a spec and its rules."""
    spec, options = CASES[case]
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".git").mkdir()
    (tmp_path / "slo.yaml").write_text(spec)
    (tmp_path / "windows.yaml").write_text(WINDOWS)
    assert 0 == cli.main(["generate", "rules", "slo.yaml", *options, "--output", "rules/slo.rules.yaml"])
    return tmp_path / "rules/slo.rules.yaml"


@pytest.mark.parametrize("case", CASES)
def test_alerts_do_what_they_should(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, case: str) -> None:
    """A total outage pages, a slow burn gives a ticket, a brief blip and a quiet month give nothing: promtool says so."""
    rules = generated(tmp_path, monkeypatch, case)
    assert "SUCCESS" in promtool("check", "rules", str(rules))
    assert 0 == cli.main(["generate", "tests", str(rules), "--output", "rules/slo.test.yaml"])
    path = tmp_path / "rules/slo.test.yaml"
    tests = yaml.safe_load(path.read_text())
    stories = " ".join(test["name"] for test in tests["tests"])
    assert "a total outage" in stories
    assert "a brief blip: nothing" in stories
    assert "a quiet" in stories
    if case not in WHOLE:
        tests["tests"] = [test for test in tests["tests"] if "a quiet" not in test["name"]]
        path.write_text(yaml.safe_dump(tests))
    assert "SUCCESS" in promtool("test", "rules", str(path))


@pytest.mark.parametrize(
    ("old", "new", "story"),
    [
        ("alert: CheckoutFails", "alert: CheckoutIsFine", "a total outage"),
        ('code=~"5.."', 'code=~"6.."', "a total outage"),
        ("> 1 * 0.001", "> 1000 * 0.001", "a slow burn"),
        ("> 6 * 0.001", "> 2 * 0.001", "a slow burn"),
        ("  and\n            slo:error_ratio:rate5m", "  or\n            slo:error_ratio:rate5m", "a brief blip"),
        ("> 1 * 0.001", "> 0.1 * 0.001", "a quiet"),
    ],
)
def test_broken_alerts_are_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, old: str, new: str, story: str) -> None:
    """Rules with one mistake in them fail the test that is about it."""
    rules = generated(tmp_path, monkeypatch, "plain")
    assert 0 == cli.main(["generate", "tests", str(rules), "--output", "rules/slo.test.yaml"])
    tests = yaml.safe_load((tmp_path / "rules/slo.test.yaml").read_text())
    tests["tests"] = [test for test in tests["tests"] if story in test["name"]]
    (tmp_path / "rules/one.test.yaml").write_text(yaml.safe_dump(tests))
    text = rules.read_text()
    assert old in text
    rules.write_text(text.replace(old, new))
    done = subprocess.run(["promtool", "test", "rules", "rules/one.test.yaml"], capture_output=True, text=True, check=False)
    assert 1 == done.returncode
    assert "FAILED" in done.stdout + done.stderr


def test_a_resource_for_the_operator(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The rules inside a PrometheusRule are what promtool accepts."""
    generated(tmp_path, monkeypatch, "plain")
    assert 0 == cli.main(["generate", "rules", "slo.yaml", "--format", "prometheusrule", "--output", "rule.yaml"])
    resource = yaml.safe_load((tmp_path / "rule.yaml").read_text())
    (tmp_path / "inner.yaml").write_text(yaml.safe_dump(resource["spec"]))
    assert "SUCCESS" in promtool("check", "rules", "inner.yaml")
