"""`reliability budget`, run as people run it on the files of load engines."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

import engine_files
from conftest import write_files
from pytest_reliability import cli

SLO = """\
apiVersion: openslo/v1
kind: SLO
metadata: {name: checkout-latency}
spec:
  service: shop
  budgetingMethod: Occurrences
  timeWindow: [{duration: 28d, isRolling: true}]
  indicator:
    metadata: {name: fast}
    spec:
      thresholdMetric:
        metricSource:
          type: Prometheus
          spec: {query: "histogram_quantile(0.95, rate(http_request_duration_seconds_bucket[5m]))"}
  objectives: [{op: lte, value: 0.3, target: 0.95}]
"""

SLOTH = """\
version: prometheus/v1
service: shop
slos:
  - name: checkout-latency
    objective: 90
    sli:
      events:
        error_query: >-
          sum(rate(http_request_duration_seconds_count[{{.window}}]))
          - sum(rate(http_request_duration_seconds_bucket{le="0.05"}[{{.window}}]))
        total_query: sum(rate(http_request_duration_seconds_count[{{.window}}]))
    alerting: {page_alert: {disable: true}, ticket_alert: {disable: true}}
"""

ROUTES = """\
service: shop
latency:
  routes:
    "GET /items/{id}": {p50: 100ms, errors: 5%}
    "POST /checkout": {p95: 1s}
"""

HIT = '{"code": %d, "timestamp": "2026-11-23T10:00:00Z", "latency": %d, "method": "GET", "url": "http://shop/items/%d"}'


def hits(*milliseconds: int, code: int = 200) -> str:
    """Results of vegeta."""
    return "\n".join(HIT % (code, time * 1_000_000, number) for number, time in enumerate(milliseconds))


@pytest.fixture
def shop(repository, monkeypatch) -> Path:
    """A repository with results of every engine, with us standing in it."""
    files = {
        "README.md": "# shop\n",
        "k6.json": engine_files.K6_SUMMARY,
        "good.json": hits(*[10] * 100),
        "bad.json": hits(*[10, 90] * 200),
        "fading.json": hits(*[10] * 300, *[90] * 100),
    }
    root = repository(files)
    monkeypatch.chdir(root)
    return root


@pytest.fixture
def run(capsys):
    """Run the command in this process and give what it printed, what it complained, and its exit code."""

    def run(*arguments: str) -> tuple[str, str, int]:
        try:
            code = cli.main(("budget", *arguments))
        except SystemExit as stop:
            code = int(stop.code or 0)
        out, err = capsys.readouterr()
        return out, err, code

    return run


def test_a_budget_that_is_kept_exits_with_0(shop, run):
    """It looks like the latency rows of the summary."""
    out, err, code = run("--from", "good.json", "p95=50ms")
    assert ("", 0) == (err, code)
    assert out.startswith("latency  all requests  p95 ≤ 50 ms  pass  p95 is 10 ms  n=100\n")


def test_a_broken_budget_exits_with_1(shop, run):
    """With why, the distribution, and the file that it is from; the worst comes first."""
    out, err, code = run("--from", "bad.json", "max=1s", "p95=50ms")
    assert ("", 1) == (err, code)
    first, second, *_ = out.splitlines()
    assert first.startswith("latency  all requests  p95 ≤ 50 ms  FAIL")
    assert "200 of 400 over (32 would do), in each quarter of the run (50, 50, 50, 50)" in second
    assert "from bad.json (vegeta results)" in out
    assert "max ≤ 1 s  pass" in out


def test_inconclusive_is_shown_and_stops_only_where_asked(shop, run):
    """One run of which only the last quarter is slow proves nothing yet."""
    for strict, expected in (((), 0), (("--strict",), 1)):
        out, _, code = run("--from", "fading.json", "p95=50ms", *strict)
        assert (expected, True) == (code, "inconclusive" in out and "(0, 0, 0, 100): run it once more" in " ".join(out.split()))


def test_a_second_run_confirms_the_first(shop, run):
    """Each file is a run."""
    out, _, code = run("--from", "fading.json", "--from", "bad.json", "p95=50ms")
    assert (1, True) == (code, "in each of 2 runs" in out)


def test_files_of_several_machines_are_one_run(shop, run):
    """Merged they are judged as one: 400 calls, and not two runs that would have to agree."""
    out, _, code = run("--from", "fading.json", "--from", "good.json", "--merge", "p50=50ms")
    assert (0, True) == (code, "100 of 500 over" in out)


def test_quiet_says_nothing_when_all_is_well(shop, run):
    """Hooks must not chatter."""
    assert ("", "", 0) == run("--from", "good.json", "p95=50ms", "-q")
    assert "FAIL" in run("--from", "bad.json", "p95=50ms", "-q")[0]


@pytest.mark.parametrize(("of", "n"), [("GET /items/{id}", 100), ("GET http://shop/items/7", 1), ("/items/8", 1)])
def test_an_operation_is_judged_by_itself(shop, run, of, n):
    """By its name, or by a route that stands for many URLs."""
    (measurement,) = json.loads(run("--from", "good.json", "p95=50ms", "--of", of, "--format", "json")[0])["measurements"]
    assert (of, of, n) == (measurement["name"], measurement["operation"], measurement["n"])


def test_an_operation_that_is_not_there_is_told(shop, run):
    """With the nearest one, or those that there are, cut short."""
    _, err, code = run("--from", "k6.json", "p95=50ms", "--of", "GET serach")
    assert (2, True) == (code, "k6.json (k6 summary): no operation 'GET serach'\n  did you mean GET search?" in err)
    assert "there are GET http://shop/items/0, " in (err := run("--from", "good.json", "p95=50ms", "--of", "x")[1])
    assert "and 92 more" in err
    (shop / "wrk.txt").write_text(engine_files.WRK)
    assert "leave --of out" in run("--from", "wrk.txt", "p95=50ms", "--of", "x")[1]


def test_standard_input_is_a_file_too(shop, run, monkeypatch):
    """`wrk … | reliability budget --from - p99=10ms`."""
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(engine_files.WRK.encode())))
    out, _, code = run("--from", "-", "p90=10ms")
    assert (0, True) == (code, "pass" in out)


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("--from", "nothing.json", "p95=50ms"), "nothing.json: No such file or directory\n  name the file"),
        (("--from", "README.md", "p95=50ms"), "README.md: the file is of no kind that is known; it begins with '# shop'"),
        (("--from", "good.json", "p95=50"), "p95='50' has no unit"),
        (("--from", "good.json", "p59=50ms", "fast"), "'fast' is no latency budget"),
        (("--from", "good.json"), "there is no budget to judge\n  name one, such as p95=50ms, or --slo"),
        (("--from", "good.json", "--of", "GET /x"), "no budget is configured for 'GET /x'"),
        (("--from", "good.json", "--slo", "checkout-latency"), "--slo checkout-latency: "),
        (("p95=50ms",), "the following arguments are required: --from"),
    ],
)
def test_wrong_usage_exits_with_2_and_says_what_to_type(shop, run, arguments, complaint):
    """Never a traceback, and never a guess."""
    out, err, code = run(*arguments)
    assert ("", 2) == (out, code)
    assert complaint in err


def test_the_budget_can_be_an_slo(shop, run):
    """90% within 50 ms is p90 ≤ 50 ms, exactly."""
    write_files(shop, {"slo/shop.yaml": SLOTH})
    out, err, code = run("--from", "good.json", "--slo", "checkout-latency")
    assert ("", 0) == (err, code)
    assert "p90 ≤ 50 ms (slo shop/checkout-latency)  pass" in out


def test_an_slo_that_cannot_be_read_is_refused(shop, run):
    """What it means is never guessed."""
    write_files(shop, {"slo/shop.yaml": SLO})
    out, err, code = run("--from", "good.json", "--slo", "checkout-latency")
    assert ("", 2) == (out, code)
    assert "names no latency threshold that can be read" in err


def test_without_a_budget_those_of_the_configuration_are_judged(shop, run):
    """Each route by its own; one without a single call never passes, and says what there is."""
    write_files(shop, {".reliability.yaml": ROUTES})
    out, err, code = run("--from", "good.json")
    assert ("", 0) == (err, code)
    items = "GET /items/{id}"
    assert [f"{items}  p50 ≤ 100 ms  pass", f"{items}  errors ≤ 5%  pass"] == [
        wanted for wanted in (f"{items}  p50 ≤ 100 ms  pass", f"{items}  errors ≤ 5%  pass") if wanted in out
    ]
    words = " ".join(out.split())
    assert "POST /checkout p95 ≤ 1 s inconclusive" in words
    assert "no calls of POST /checkout in good.json (vegeta results); there are GET http://shop/items/0," in words
    assert 1 == run("--from", "good.json", "--strict")[2]
    (only,) = json.loads(run("--from", "good.json", "--of", "POST /checkout", "--format", "json")[0])["measurements"]
    assert ("POST /checkout", 0, "inconclusive") == (only["name"], only["n"], only["outcome"])


def test_a_route_may_be_limited_by_an_slo(shop, run):
    """As a marker may."""
    write_files(shop, {"slo/shop.yaml": SLOTH, ".reliability.yaml": ROUTES.replace("p50: 100ms", "slo: checkout-latency")})
    assert "p90 ≤ 50 ms (slo shop/checkout-latency)  pass" in run("--from", "good.json")[0]


def test_markdown_is_what_other_reports_are(shop, run):
    """For the summary of a workflow's step."""
    out, _, code = run("--from", "bad.json", "p95=50ms", "--format", "markdown")
    assert (1, True) == (code, "| all requests | p95 ≤ 50 ms | **FAIL**" in out or "| all requests | p95 ≤ 50 ms | FAIL" in out)


def test_the_help_ends_with_two_examples(run):
    """Both complete."""
    out, _, code = run("--help")
    assert 0 == code
    assert ["  reliability budget --from k6.json", "  reliability budget --from first.jtl"] == [
        line.split(' "')[0].split(" --from second")[0] for line in out.splitlines()[-2:]
    ]


def test_what_the_documentation_shows_is_what_is_printed(shop, run, monkeypatch):
    """The example of a summary, to the letter."""
    monkeypatch.setenv("COLUMNS", "110")
    (shop / "summary.json").write_text(engine_files.K6_SUMMARY)
    out, _, _ = run("--from", "summary.json", "p95=50ms")
    page = Path(__file__, "../../docs/load-engines.md").resolve().read_text(encoding="utf-8")
    assert f"$ reliability budget --from summary.json p95=50ms\n{out}```" in page
