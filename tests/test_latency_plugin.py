"""Latency budgets under pytest: the marker, the fixture, and where the figures go.

Nothing here depends on how fast the machine is: what must be too slow sleeps far past its budget, what must be fast enough has
minutes.
"""

from __future__ import annotations

import json
import xml.etree.ElementTree as ElementTree

import pytest

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
      ratioMetric:
        counter: true
        good:
          metricSource:
            type: Prometheus
            spec: {query: 'sum(rate(request_seconds_bucket{le="0.3"}[5m]))'}
        total:
          metricSource:
            type: Prometheus
            spec: {query: 'sum(rate(request_seconds_count[5m]))'}
  objectives:
    - {target: 0.99}
"""

COUNTING = """
import time
import pytest

calls = 0

def call(seconds=0):
    global calls
    calls += 1
    time.sleep(seconds)
    return calls
"""


@pytest.fixture
def run(pytester):
    """Run these tests, with nothing else selected."""

    def run(tests: str, *arguments: str, files: dict[str, str] | None = None, reliability: bool = True) -> pytest.RunResult:
        for path, text in {"README.md": "", **(files or {})}.items():
            (pytester.path / path).write_text(text)
        pytester.makepyfile(test_it=COUNTING + tests)
        options = ["--reliability"] if reliability else []
        return pytester.runpytest(*options, "test_it.py", *arguments)

    return run


FAST = """
@pytest.mark.latency_budget(p95="5m")
def test_fast(latency):
    assert latency(call) == calls
    print("calls:", calls)
"""

SLOW = """
@pytest.mark.latency_budget(p95="1us")
def test_slow(latency):
    latency(call, 0.001)
"""


def test_without_the_option_a_marked_test_calls_once(run):
    """Laptops stay fast."""
    result = run(SLOW + "    print('calls:', calls)\n", "-s", reliability=False)
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["*calls: 1*"])


def test_a_kept_budget_passes_and_is_summed_up(run):
    """As many calls as it takes to know, and the figures at the end."""
    result = run(FAST, "-s")
    result.assert_outcomes(passed=1)
    assert "calls: 1\n" not in result.stdout.str()
    result.stdout.fnmatch_lines(["latency *test_fast*p95 ≤ 5 m*pass*"])


def test_a_broken_budget_fails_with_the_figures(run):
    """Budget, interval, samples, and that a fresh batch agreed."""
    result = run(SLOW)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["E*test_slow*p95 ≤ 1 us*FAIL*", "latency *test_slow*FAIL*"])
    assert "latency/session.py" not in result.stdout.str()


@pytest.mark.parametrize(
    ("enforce", "reliability", "failed"), [("always", False, 1), ("never", True, 0), ("auto", True, 1), ("auto", False, 0)]
)
def test_enforcement_can_be_set(run, enforce, reliability, failed):
    """always: without the option too; never: not even with it."""
    result = run(SLOW, "-o", f"latency_enforce={enforce}", reliability=reliability)
    result.assert_outcomes(failed=failed, passed=1 - failed)


def test_an_unknown_enforcement_is_refused(run):
    """Those that there are are named."""
    result = run(SLOW, "-o", "latency_enforce=sometimes")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["latency_enforce is 'sometimes'", "*choose one of auto, always, never"])


def test_a_budget_can_be_an_slo_of_the_repository(run):
    """ "99% under 300 ms" is p99 ≤ 300 ms, exactly."""
    test = '@pytest.mark.latency_budget(slo="checkout-latency")\ndef test_slo(latency):\n    latency(call)\n'
    result = run(test, files={"slo.yaml": SLO})
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["latency *p99 ≤ 300 ms (slo shop/checkout-latency)*pass*"])


def test_an_slo_that_is_not_there_is_named(run):
    """Never guessed, never skipped."""
    result = run(
        '@pytest.mark.latency_budget(slo="chekout")\ndef test_slo(latency):\n    latency(call)\n', files={"slo.yaml": SLO}
    )
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["slo='chekout': no SLO is called 'chekout'*"])
    assert "Traceback" not in result.stdout.str()


@pytest.mark.parametrize(
    ("marker", "complaint"),
    [
        ("p95=50", '*p95=50 has no unit; write p95="50ms"*'),
        ('p59x="50ms"', "*latency_budget has no argument 'p59x'*"),
        ('error="1%"', "*latency_budget has no argument 'error'; did you mean errors?*"),
        ("", "*latency_budget sets no limit*"),
    ],
)
def test_a_marker_that_means_nothing_is_explained(run, marker, complaint):
    """What is wrong and what to write, without a traceback."""
    result = run(f"@pytest.mark.latency_budget({marker})\ndef test_x(latency):\n    latency(call)\n")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines([complaint])


def test_a_test_outside_the_repository_can_be_judged(run, pytester, tmp_path):
    """Its SLO is looked for in the repository all the same."""
    (tmp_path / "elsewhere").mkdir()
    test = '@pytest.mark.latency_budget(slo="gone")\ndef test_slo(latency):\n    latency(call)\n'
    (tmp_path / "elsewhere/test_away.py").write_text(COUNTING + test)
    result = run(FAST, str(tmp_path / "elsewhere/test_away.py"))
    result.stdout.fnmatch_lines(["slo='gone': no SLO is called 'gone'*"])


def test_the_innermost_marker_counts(run):
    """A method may be stricter than its class."""
    test = """
@pytest.mark.latency_budget(p95="1us")
class TestIt:
    @pytest.mark.latency_budget(p95="5m")
    def test_own(self, latency):
        latency(call, 0.001)
"""
    run(test).assert_outcomes(passed=1)


def test_without_a_marker_the_fixture_only_calls(run):
    """There is nothing to judge."""
    run("def test_it(latency):\n    assert latency(call) == 1\n").assert_outcomes(passed=1)


def test_junit_carries_the_measurement(run, pytester):
    """The same figures, for whoever reads them there."""
    run(FAST, "--junitxml=out.xml")
    (value,) = (node.get("value") for node in ElementTree.parse(pytester.path / "out.xml").iter("property"))
    measured = json.loads(str(value))
    assert ("test_fast", "pass", 300.0, 0) == tuple(measured[key] for key in ("name", "outcome", "limit", "over"))


def test_measurements_travel_from_the_workers(run):
    """xdist's controller prints what its workers measured."""
    result = run(FAST, "-n", "2")
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["latency *test_fast*pass*"])


def test_beside_other_workers_a_failure_is_only_inconclusive(run):
    """They take each other's cores: that is said, and nothing is dropped."""
    result = run(SLOW, "-n", "2")
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["latency *test_slow*inconclusive*", "*2 xdist workers share this host*"])


def test_an_exception_of_the_call_is_the_tests_failure(run):
    """A fast error is no success."""
    result = run('@pytest.mark.latency_budget(p95="5m")\ndef test_x(latency):\n    latency(call, "no seconds")\n')
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["E*TypeError*"])


def test_a_coroutine_is_measured_in_the_tests_own_loop(run):
    """With whatever runs the test's loop."""
    test = """
import asyncio

async def answer():
    global calls
    calls += 1

@pytest.mark.latency_budget(p95="5m")
def test_async(latency):
    asyncio.run(latency.run(answer))
    assert calls > 20
"""
    run(test).assert_outcomes(passed=1)
