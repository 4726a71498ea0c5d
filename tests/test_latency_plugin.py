"""Latency budgets under pytest: the marker, the fixture, and where the figures go.

Nothing here depends on how fast the machine is: what must be too slow sleeps far past its budget, what must be fast enough has
minutes.
"""

from __future__ import annotations

import contextlib
import json
import re
import subprocess
import sys
import textwrap
import time
import unittest.mock
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from itertools import pairwise
from types import SimpleNamespace

import pytest

from conftest import QUIET_HOST, TRACED_HOST
from pytest_reliability.latency.measuring import Progress
from pytest_reliability.pytest_plugin import judging
from pytest_reliability.pytest_plugin.progress import ProgressLine, progress_for
from pytest_reliability.pytest_plugin.turns import Turns

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
    """Run these tests on a host that is quiet, with nothing else selected."""

    def run(
        tests: str, *arguments: str, files: dict[str, str] | None = None, reliability: bool = True, whole: bool = False
    ) -> pytest.RunResult:
        for path, text in {"README.md": "", "conftest.py": QUIET_HOST, **(files or {})}.items():
            (pytester.path / path).write_text(text)
        pytester.makepyfile(test_it=COUNTING + tests)
        return pytester.runpytest(*["--reliability"] * reliability, *[] if whole else ["test_it.py"], *arguments)

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
    assert "pytest_plugin/judging.py" not in result.stdout.str()


@pytest.mark.parametrize(
    ("enforce", "reliability", "failed"), [("always", False, 1), ("never", True, 0), ("auto", True, 1), ("auto", False, 0)]
)
def test_enforcement_can_be_set(run, enforce, reliability, failed):
    """always: without the option too; never: not even with it."""
    result = run(SLOW, "-o", f"latency_enforce={enforce}", reliability=reliability)
    result.assert_outcomes(failed=failed, passed=1 - failed)


def test_an_unknown_enforcement_is_refused(run):
    """Those that there are are named."""
    result = run(SLOW, "-o", "latency_enforce=sometimes", reliability=False)
    assert pytest.ExitCode.USAGE_ERROR == result.ret
    result.stderr.fnmatch_lines(["ERROR: latency_enforce is 'sometimes'; choose one of auto, always, never"])


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
        ('["p95=50ms"]', "*latency_budget takes no bare *p95=50ms*; name what it limits*"),
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
    """The same figures: as JSON for programs, and one by one for tools that only show what there is."""
    run(FAST, "--junitxml=out.xml")
    given = {
        str(node.get("name")): str(node.get("value")) for node in ElementTree.parse(pytester.path / "out.xml").iter("property")
    }
    measured = json.loads(given.pop("reliability_latency"))
    assert ("test_fast", "pass", 300.0, 0) == tuple(measured[key] for key in ("name", "outcome", "limit", "over"))
    shown = {name.removeprefix("reliability_latency.p95."): value for name, value in given.items()}
    assert ("p95 ≤ 5 m", "pass", str(measured["n"])) == (shown["budget"], shown["outcome"], shown["n"])
    assert {"budget", "outcome", "n", "high"} == shown.keys() - {"low"}


def test_measurements_travel_from_the_workers(run):
    """xdist's controller prints what its workers measured."""
    result = run(FAST, "-n", "2")
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["latency *test_fast*pass*"])


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


# Markers

LEVELS = """
import pytest
from pytest_reliability.pytest_plugin.markers import limits_of

def budget(*texts, **options):
    return pytest.mark.latency_budget(*texts, **options)

SEARCH = [budget(of="search", max="3s")]
pytestmark = [budget(p95="1s"), budget(of="search", p95="2s")]

@pytest.fixture(autouse=True)
def told(request):
    limits = limits_of(request.node)
    print(request.node.name, *(f"{of}: {', '.join(map(str, (*its.budgets, *its.counts)))};" for of, its in limits.items()))

def test_module(): pass

@budget(p50="10ms")
@budget("queries<=3", p99="90ms")
def test_function(): pass

@pytest.mark.parametrize("size", [1, pytest.param(2, marks=budget(p95="20ms")), pytest.param(3, marks=SEARCH)])
@budget(p95="30ms")
def test_parameter(size): pass

class Base:
    pytestmark = budget(p95="40ms")

@budget(of="cart", p95="50ms")
class Middle(Base): pass

class TestInherited(Middle):
    pytestmark = [budget(of="search", p95="60ms")]

    def test_class(self): pass

    @budget(p95="70ms")
    def test_method(self): pass

@budget(p95="80ms")
class TestOuter:
    class TestInner:
        def test_nested(self): pass
"""


@pytest.mark.parametrize(
    ("test", "expected"),
    [
        ("test_module", "None: p95 ≤ 1 s; search: p95 ≤ 2 s;"),
        ("test_function", "None: p99 ≤ 90 ms, p50 ≤ 10 ms, queries ≤ 3; search: p95 ≤ 2 s;"),
        ("test_parameter[1]", "None: p95 ≤ 30 ms; search: p95 ≤ 2 s;"),
        ("test_parameter[2]", "None: p95 ≤ 20 ms; search: p95 ≤ 2 s;"),
        ("test_parameter[3]", "search: max ≤ 3 s; None: p95 ≤ 30 ms;"),
        ("test_class", "search: p95 ≤ 60 ms; cart: p95 ≤ 50 ms; None: p95 ≤ 40 ms;"),
        ("test_method", "None: p95 ≤ 70 ms; search: p95 ≤ 60 ms; cart: p95 ≤ 50 ms;"),
        ("test_nested", "None: p95 ≤ 80 ms; search: p95 ≤ 2 s;"),
    ],
)
def test_for_each_operation_the_innermost_level_counts(pytester, test, expected):
    """Parameter, function, class by class, module; several markers of one level add up."""
    pytester.makepyfile(test_marked_levels=LEVELS)
    assert f"{test} {expected}" in pytester.runpytest("-q", "-s", "-k", test.replace("[", " and ").rstrip("]")).stdout.str()


@pytest.mark.parametrize("reliability", [True, False])
def test_a_typo_fails_its_test_at_once_judged_or_not(run, reliability):
    """A marker on an outer level that is overruled, too."""
    tests = 'pytestmark = pytest.mark.latency_budget(p59x="1s")\n' + FAST
    result = run(tests, reliability=reliability)
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*latency_budget has no argument 'p59x'*"])


def test_markers_that_contradict_each_other_are_explained(run):
    """Which two, and what to keep."""
    result = run('@pytest.mark.latency_budget(p95="1s")\n@pytest.mark.latency_budget(p95="2s")\ndef test_x(latency): pass\n')
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*p95 is limited twice*"])


# Operations and the configuration

ROUTES = """
service: shop
latency:
  routes:
    GET /slow: {p95: 1us}
    GET /fast: {p95: 5m}
"""

TWO_ROUTES = """
@pytest.mark.latency_budget(of="GET /own", p95="5m")
def test_routes(latency):
    for _ in latency:
        for name in ("GET /own", "GET /fast", "GET /other"):
            with latency.sample(name):
                call()
"""


def test_routes_of_the_configuration_limit_what_has_no_marker(run):
    """A sample that nothing limits is not judged."""
    text = run(TWO_ROUTES, files={".reliability.yaml": ROUTES}).stdout.str()
    assert {"GET /own", "GET /fast"} == {
        name for name in ("GET /own", "GET /fast", "GET /other", "GET /slow") if f"{name}  " in text
    }


@pytest.mark.parametrize("inconclusive", ["warn", "fail"])
def test_a_route_that_no_test_measures_has_not_passed(run, inconclusive):
    """That can be told only where every test ran."""
    options = ("-k", "routes or DOC001", f"--latency-inconclusive={inconclusive}")
    chosen = run(TWO_ROUTES, *options, files={".reliability.yaml": ROUTES}, whole=True)
    assert "no test has measured it" not in chosen.stdout.str()
    result = run(
        TWO_ROUTES,
        *options[2:],
        files={".reliability.yaml": ROUTES + "ignore: {SLO: later, OWN: later, RUN: later, MON: later}\n"},
        whole=True,
    )
    result.stdout.fnmatch_lines(["*GET /slow*p95 ≤ 1 us*inconclusive*", "*nothing was measured: no test has measured it"])
    assert (pytest.ExitCode.TESTS_FAILED if inconclusive == "fail" else pytest.ExitCode.OK) == result.ret


@pytest.mark.parametrize("marker", ['slo="x"', 'p95="5m"'])
def test_a_configuration_that_cannot_be_read_is_told_where_only_budgets_are_judged(run, marker):
    """Without `--reliability` nobody else says so."""
    test = f"@pytest.mark.latency_budget({marker})\ndef test_x(latency): pass\n"
    result = run(test, "-o", "latency_enforce=always", reliability=False, files={".reliability.yaml": "servise: x\n"})
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*'servise' is not a key of the configuration*"])


# What is inconclusive

TOO_FEW = """
@pytest.mark.latency_budget(p95="5m", max_time="1ns")
def test_few(latency):
    latency(call)
"""


def test_what_is_inconclusive_warns_and_is_counted(run):
    """The test passes, and nobody overlooks it."""
    result = run(TOO_FEW)
    result.assert_outcomes(passed=1, warnings=1)
    result.stdout.fnmatch_lines(
        [
            "*test_it.py:1?: LatencyInconclusive: test_few  p95 ≤ 5 m*",
            "found *1 latency budget inconclusive",
            "latency *test_few*inconclusive*",
        ]
    )


def test_where_every_warning_is_an_error_an_inconclusive_budget_still_only_warns(run):
    """No code could keep a busy host from happening; there is a setting for those who want it to fail."""
    run(TOO_FEW, "-W", "error").assert_outcomes(passed=1, warnings=1)


def test_the_warning_can_be_ignored_as_any_other(run):
    """By its category; the summary counts it all the same."""
    result = run(TOO_FEW, "-W", "ignore::pytest_reliability.pytest_plugin.LatencyInconclusive")
    result.assert_outcomes(passed=1, warnings=0)
    result.stdout.fnmatch_lines(["latency *test_few*inconclusive*"])


@pytest.mark.parametrize(
    ("options", "failed"),
    [
        (("-o", "latency_inconclusive=fail"), 1),
        (("--latency-inconclusive=fail",), 1),
        (("-o", "latency_inconclusive=fail", "--latency-inconclusive=warn"), 0),
    ],
)
def test_what_is_inconclusive_can_be_made_to_fail(run, options, failed):
    """In the project's settings or on the command line, which overrules them."""
    result = run(TOO_FEW, *options)
    result.assert_outcomes(failed=failed, passed=1 - failed, warnings=1 - failed)
    assert "Traceback" not in result.stdout.str()


def test_an_unknown_setting_of_it_is_refused(run):
    """Those that there are are named."""
    result = run(TOO_FEW, "-o", "latency_inconclusive=maybe")
    assert pytest.ExitCode.USAGE_ERROR == result.ret
    result.stderr.fnmatch_lines(["ERROR: latency_inconclusive is 'maybe'; choose one of warn, fail"])


@pytest.mark.parametrize(
    ("test", "reason"),
    [
        ("def test_x(): pass", "the test does not use the fixture latency*"),
        ("def test_x(latency): call()", "call it through latency(…), or sample it*"),
    ],
)
def test_a_marked_test_that_measures_nothing_has_not_passed_its_budget(run, test, reason):
    """A gate that somebody believes to be there must not be missing silently."""
    marker = '@pytest.mark.latency_budget("queries<=3", p95="5m", slo="checkout-latency")\n'
    result = run(marker + test + "\n", files={"slo.yaml": SLO})
    assert result.parseoutcomes()["passed"] == 1
    result.stdout.fnmatch_lines(["*test_x *p95 ≤ 5 m*inconclusive*", f"*nothing was measured: {reason}"])


def test_a_marker_that_means_nothing_is_told_even_where_the_fixture_is_not_used(run):
    """Where budgets are judged."""
    result = run("@pytest.mark.latency_budget(p95=5)\ndef test_x(): pass\n")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["p95=5 has no unit*"])


@pytest.mark.parametrize("parameters", ["", "latency"])
def test_a_marker_that_means_nothing_is_told_once(run, parameters):
    """As what the author has to mend, and not as an exception during the handling of another."""
    result = run(f"@pytest.mark.latency_budget(p95=5)\ndef test_x({parameters}): pass\n")
    assert 1 == result.outlines.count('p95=5 has no unit; write p95="5ms"')
    result.stdout.no_fnmatch_line("During handling of*")


@pytest.mark.parametrize(
    ("body", "outcome"),
    [("pytest.skip('no database')", "skipped"), ("assert False", "failed"), ("pytest.xfail('known')", "xfailed")],
)
def test_a_test_that_did_not_get_there_is_what_it_is(run, body, outcome):
    """Skipped or failed for a reason of its own, it says nothing about its budget."""
    result = run(f'@pytest.mark.latency_budget(p95="5m")\ndef test_x(latency):\n    {body}\n')
    result.assert_outcomes(**{outcome: 1})
    assert "inconclusive" not in result.stdout.str()


def test_a_failure_under_unittest_is_no_second_complaint(run):
    """unittest keeps its failures to itself until the test is over."""
    test = """
import unittest

class TestIt(unittest.TestCase):
    @pytest.mark.latency_budget(p95="5m")
    def test_x(self):
        self.fail("broken")
"""
    result = run(test)
    result.assert_outcomes(failed=1)
    assert "inconclusive" not in result.stdout.str()


# Where a failure cannot be trusted


class Coverage:
    """coverage.py, as far as it is asked."""

    def __init__(self, current: object) -> None:
        self.Coverage = unittest.mock.Mock(current=lambda: current)


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        ({}, ""),
        ({"modules": {"coverage": Coverage(None)}}, ""),
        ({"modules": {"coverage": Coverage("one")}}, "coverage"),
        ({"gettrace": lambda: print}, "a debugger or tracer"),
        ({"getprofile": lambda: print}, "a profiler"),
        ({"monitoring": unittest.mock.Mock(get_tool=lambda tool: None)}, ""),
        ({"monitoring": unittest.mock.Mock(get_tool=lambda tool: "tell-tale" if tool == 5 else None)}, "tell-tale"),
    ],
)
def test_what_makes_calls_slower_is_recognised(monkeypatch, state, expected):
    """Whatever is called back for every line or function, by either of Python's ways."""
    quiet = {"modules": {}, "gettrace": lambda: None, "getprofile": lambda: None, "monitoring": None}
    monkeypatch.setattr(judging, "sys", SimpleNamespace(**{**quiet, **state}))
    assert expected == judging._tracing()


def test_under_a_tracer_a_failure_is_inconclusive(run, monkeypatch):
    """Calls are slower than they are in production; that is said, and nobody cries wolf."""
    monkeypatch.setattr(judging, "_tracing", lambda: "a profiler")
    result = run(SLOW, files={"conftest.py": TRACED_HOST})
    result.assert_outcomes(passed=1, warnings=1)
    result.stdout.fnmatch_lines(["*but a profiler is tracing, so that calls are slower*"])


def test_where_preemptions_are_not_counted_workers_put_a_failure_in_doubt(run, monkeypatch):
    """Nobody could tell slow code from a worker that took its processor."""
    monkeypatch.setattr(judging, "preemption_counter", lambda: None)
    monkeypatch.setattr(judging, "_workers", lambda config: (2, "test"))
    result = run(SLOW)
    result.assert_outcomes(passed=1, warnings=1)
    assert "2 xdist workers share this host, which does not count preemptions; run it with -n 0" in result.stdout.str().replace(
        "\n           ", " "
    )


# Reports


def test_budgets_can_be_judged_without_the_checks(run):
    """Then the closing section is about them alone, and there is none where nothing was measured."""
    result = run(FAST, "-o", "latency_enforce=always", reliability=False)
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["*= latency budgets: *", "latency *test_fast*pass*"])
    assert "level" not in result.stdout.str()
    plain = run("def test_x(): pass\n", "-o", "latency_enforce=always", reliability=False)
    assert "latency budgets" not in plain.stdout.str()


def test_a_failed_budget_lowers_the_coverage_of_latency(run):
    """ "latency 100" beside a failure would be a lie."""

    def coverage(tests: str) -> int:
        found = re.search(r"latency +[█░]+ +(\d+)", run(tests).stdout.str())
        assert found
        return int(found[1])

    assert 100 == coverage(FAST) > coverage(SLOW)


def test_the_report_can_be_written_with_what_was_measured(run, pytester):
    """Only pytest measures, so that only pytest can write it."""
    run(FAST, "--reliability-report=out/report.json")
    report = json.loads((pytester.path / "out/report.json").read_text(encoding="utf-8"))
    assert ["test_fast"] == [measured["name"] for measured in report["measurements"]]
    run(FAST, "--reliability-report=report.md")
    assert "### Latency" in (pytester.path / "report.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("file", "reliability", "complaint"),
    [
        ("report.pdf", True, "*--reliability-report=report.pdf: no such format; end the name in .json or .md or .sarif"),
        ("report.json", False, "*--reliability-report writes what --reliability finds; add --reliability"),
    ],
)
def test_a_report_that_cannot_be_made_is_refused_before_anything_runs(run, file, reliability, complaint):
    """What can be made is named."""
    result = run(FAST, f"--reliability-report={file}", reliability=reliability)
    assert pytest.ExitCode.USAGE_ERROR == result.ret
    result.stderr.fnmatch_lines([complaint])


def test_a_report_that_cannot_be_written_is_told_and_not_a_success(run):
    """Somebody asked for it."""
    result = run(FAST, "--reliability-report=README.md/report.json")
    assert pytest.ExitCode.USAGE_ERROR == result.ret
    result.stdout.fnmatch_lines(["*report.json: could not be written: *"])


def test_a_step_of_a_workflow_gets_its_summary(run, pytester, monkeypatch):
    """Appended to what other steps said, and only where something was measured."""
    file = pytester.path / "step.md"
    file.write_text("before\n")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(file))
    run("def test_x(): pass\n")
    run(FAST, "--collect-only")
    assert "before\n" == file.read_text(encoding="utf-8")
    run(FAST)
    assert file.read_text(encoding="utf-8").startswith("before\n## Latency budgets: ")
    assert "| test\\_fast | p95 ≤ 5 m | pass |" in file.read_text(encoding="utf-8")


def test_a_summary_that_cannot_be_written_never_fails_the_run(run, pytester, monkeypatch):
    """It is the runner's file and nobody's wish."""
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(pytester.path))
    result = run(FAST)
    result.assert_outcomes(passed=1)
    assert pytest.ExitCode.OK == result.ret
    result.stdout.fnmatch_lines(["*could not be written: *"])


# Taking turns


def test_of_several_workers_one_measures_at_a_time(tmp_path, monkeypatch):
    """Another process waits until this one is done; it gets in when this one is, and may enter again inside."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    turns = Turns("run")
    program = f"""
        import tempfile
        tempfile.tempdir = {str(tmp_path)!r}
        from pytest_reliability.pytest_plugin.turns import Turns
        print("waiting", flush=True)
        with Turns("run"):
            print("inside", flush=True)
            input()
    """
    with turns, turns:
        other = subprocess.Popen([sys.executable, "-c", textwrap.dedent(program)], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert other.stdout is not None
        assert b"waiting\n" == other.stdout.readline()
        time.sleep(0.05)
        assert other.poll() is None
        (tmp_path / "left").touch()
    assert b"inside\n" == other.stdout.readline()
    other.kill()  # as a crash would: the system lets go of what it held
    other.communicate()
    with turns:
        pass
    assert {"left", turns.path.name} == {path.name for path in tmp_path.iterdir()}


def test_a_turn_that_cannot_be_had_leaves_nothing_open(tmp_path, monkeypatch):
    """An interruption while waiting is one."""

    def interrupted(descriptor: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr("pytest_reliability.pytest_plugin.turns._lock", interrupted)
    turns = Turns("run")
    with pytest.raises(KeyboardInterrupt):
        turns.__enter__()
    monkeypatch.undo()
    with turns:
        assert turns.path.is_file()
    turns.path.unlink()


def test_measurements_of_two_workers_do_not_overlap(run, pytester, monkeypatch):
    """What each has measured, and when, is told by the tests themselves."""
    test = """
import pathlib, time

@pytest.mark.parametrize("number", range(4))
@pytest.mark.latency_budget(p95="5m")
def test_fast(latency, number):
    times = []
    latency(lambda: times.append(time.monotonic()) or time.sleep(0.001))
    pathlib.Path(f"{number}.times").write_text(f"{times[0]} {times[-1]}")
"""
    (pytester.path / "tmp").mkdir()
    monkeypatch.setenv("TMPDIR", str(pytester.path / "tmp"))
    monkeypatch.setattr("tempfile.tempdir", None)
    run(test, "-n", "2").assert_outcomes(passed=4)
    spans = sorted(tuple(map(float, path.read_text().split())) for path in pytester.path.glob("*.times"))
    assert 4 == len(spans)
    assert all(end <= start for (_, end), (start, _) in pairwise(spans))
    assert not list((pytester.path / "tmp").glob("*.lock"))


# Progress


class Writer:
    """pytest's terminal writer, as far as it is asked."""

    fullwidth = 60
    width_of_current_line = 11


class Capture:
    """pytest's capture manager, which forgets that the test has redirected a stream."""

    @contextlib.contextmanager
    def global_and_fixture_disabled(self) -> Iterator[None]:
        """What is written inside is seen."""
        redirected, sys.stdout = sys.stdout, self.terminal
        yield
        sys.stdout = sys.stderr
        self.redirected = redirected

    def __init__(self, terminal) -> None:
        self.terminal = terminal


@pytest.fixture
def terminal(tmp_path):
    """A file that stands for the screen."""
    with (tmp_path / "screen").open("w+", encoding="utf-8") as file:
        yield file


def shown(terminal) -> str:
    """What was written to the screen."""
    terminal.seek(0)
    return terminal.read()


def test_progress_is_written_behind_the_cursor_and_removed(terminal):
    """pytest's line stays as it is: the cursor goes back, and nothing is left over."""
    line = ProgressLine(Writer(), Capture(terminal))
    with line:
        before = sys.stdout
        line(Progress("GET /x", "p95 ≤ 5 ms", 120, 3.2))
        assert before is sys.stdout
    with line:
        pass
    assert "\x1b7  measuring GET /x, p95 ≤ 5 ms: 120 samples, 3 s\x1b[K\x1b8\x1b[K" == shown(terminal)


def test_progress_is_left_out_where_there_is_no_room(terminal):
    """A line that wraps could not be removed."""
    writer = Writer()
    writer.width_of_current_line = 40
    line = ProgressLine(writer, Capture(terminal))
    with line:
        line(Progress("GET /x", "p95 ≤ 5 ms", 120, 3.2))
    assert "" == shown(terminal)


@pytest.mark.parametrize(
    ("environment", "isatty", "verbosity", "expected"),
    [
        ({"TERM": "xterm"}, True, 0, True),
        ({"TERM": "xterm"}, False, 0, False),
        ({"TERM": "xterm"}, True, -1, False),
        ({"TERM": "xterm", "CI": "true"}, True, 0, False),
        ({"TERM": "dumb"}, True, 0, False),
        ({}, True, 0, False),
    ],
)
def test_progress_is_for_people_at_a_terminal(environment, isatty, verbosity, expected):
    """Not for files, not for CI, and not for those who want quiet."""
    config = unittest.mock.Mock()
    config.pluginmanager.get_plugin.return_value.isatty = isatty
    config.get_verbosity.return_value = verbosity
    assert expected == (progress_for(config, environment) is not None)


def test_a_long_measurement_ends_with_a_clean_terminal(run, monkeypatch):
    """The whole way, with a progress line that the test run itself makes."""
    heard: list[str] = []

    class Line(ProgressLine):
        def _write(self, text: str) -> None:
            heard.append(text)

    monkeypatch.setattr(judging, "progress_for", lambda config: Line(Writer(), None))
    monkeypatch.setattr("pytest_reliability.latency.session.PROGRESS_AFTER", 0.0)
    run(FAST).assert_outcomes(passed=1)
    assert "measuring test_fast, p95 ≤ 5 m: " in heard[0]
    assert "\x1b[K" == heard[-1]


# History

RATCHET = """
@pytest.mark.latency_budget(p95="5m", ratchet=True)
def test_fast(latency):
    latency(call)
    assert PASSES
"""


def history(pytester: pytest.Pytester) -> list[dict[str, object]]:
    """What was kept so far."""
    files = list(pytester.path.glob(".reliability/latency/*.jsonl"))
    return [json.loads(line) for file in files for line in file.read_text(encoding="utf-8").splitlines()]


@pytest.mark.parametrize("workers", [(), ("-n", "2")])
def test_what_was_measured_is_kept_for_later_runs(run, pytester, workers):
    """Whether the test passed or not, and by whichever worker."""
    run(RATCHET.replace("PASSES", "True"), "-o", "latency_history=true", *workers)
    run(RATCHET.replace("PASSES", "False"), "-o", "latency_history=true", *workers)
    kept = history(pytester)
    assert [("test_it.py::test_fast", "p95 ≤ 5 m", "pass", True), ("test_it.py::test_fast", "p95 ≤ 5 m", "pass", False)] == [
        (line["test"], line["budget"], line["outcome"], line["green"]) for line in kept
    ]
    assert all(line["n"] and line["value"] and line["speed"] for line in kept)


def test_the_configuration_can_ask_for_a_history(run, pytester):
    """And pytest's own overrules it."""
    config = {".reliability.yaml": "latency: {history: true}\n"}
    run(FAST, "-o", "latency_history=false", files=config)
    assert [] == history(pytester)
    run(FAST, files=config)
    assert 1 == len(history(pytester))
    run("def test_x(): pass\n", files=config)
    assert 1 == len(history(pytester))


def test_a_ratchet_without_a_history_says_what_it_needs(run):
    """It has not passed, and somebody believes that it holds."""
    result = run(RATCHET.replace("PASSES", "True"))
    result.assert_outcomes(passed=1, warnings=1)
    result.stdout.fnmatch_lines(["*p95 no slower than before*inconclusive*", "*set latency_history = true*"])


def test_a_ratchet_that_has_seen_too_little_neither_warns_nor_fails(run):
    """It could never begin otherwise: no run would be green."""
    result = run(RATCHET.replace("PASSES", "True"), "-o", "latency_history=true", "--latency-inconclusive=fail")
    result.assert_outcomes(passed=1, warnings=0)
    result.stdout.fnmatch_lines(["*p95 no slower than before*inconclusive*", "*no comparison yet*"])


def test_a_ratchet_fails_its_test_when_the_latest_runs_are_slower(run, pytester):
    """Three slow runs after ten fast ones; and the budget, which is far too loose for it, is noted."""
    test = RATCHET.replace("latency(call)", "latency(call, 0.001)").replace("PASSES", "True")
    for _ in range(3):
        result = run(test, "-o", "latency_history=true")
    result.assert_outcomes(passed=1)
    (file,) = pytester.path.glob(".reliability/latency/*.jsonl")
    slow = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    fast = [{**slow[0], "value": slow[0]["value"] / 100, "high": 1e-4} for _ in range(10)]
    file.write_text("".join(json.dumps(line) + "\n" for line in (*fast, *slow[1:])), encoding="utf-8")
    result = run(test, "-o", "latency_history=true", "-o", "latency_enforce=always", reliability=False)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*p95 no slower than before*FAIL*", "*slower: p95*", "*note: p95 has been at most*"])
    assert "pytest_plugin/judging.py" not in result.stdout.str()
    assert "fail" == history(pytester)[-1]["ratchet"]


def test_what_is_measured_again_in_a_test_is_a_series_of_its_own(run, pytester):
    """Two calls are two operations."""
    marker = '@pytest.mark.latency_budget("queries<=3", p95="5m", throughput="1/h")\n'
    test = f"{marker}def test_x(latency):\n    latency(call)\n    latency(call)\n"
    run(test, "-o", "latency_history=true")
    assert {("", "latency"), ("test_x #2", "latency"), ("", "throughput"), ("test_x #2", "throughput")} == {
        (line["operation"], line["kind"]) for line in history(pytester)
    }


def test_a_history_that_cannot_be_kept_is_told(run, pytester):
    """And is no reason to fail."""
    (pytester.path / ".reliability").write_text("")
    result = run(FAST, "-o", "latency_history=true")
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines([".reliability/latency/*: history not *"])


def test_a_machine_that_has_become_slower_is_noted(run, pytester, monkeypatch):
    """What is slower then need not be the code."""
    for _ in range(4):
        run(FAST, "-o", "latency_history=true")
    (file,) = pytester.path.glob(".reliability/latency/*.jsonl")
    lines = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    for number, line in enumerate(lines):
        line["speed"] /= 100 + number
    file.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    run(FAST, "-o", "latency_history=true").stdout.fnmatch_lines(["note: this machine is *% slower than in its last runs"])


def test_only_the_last_attempt_at_a_test_is_told(run):
    """Whoever runs a test again: a rerun gives a broken budget another chance, and that is said."""
    again = """
from _pytest.runner import runtestprotocol

def pytest_runtest_protocol(item, nextitem):
    for nextitem in (item.parent, nextitem):
        item._initrequest()
        runtestprotocol(item, nextitem=nextitem)
    return True
"""
    text = run(FAST, files={"conftest.py": QUIET_HOST + again}).stdout.str()
    assert 1 == text.count("test_fast  p95")
    assert "note: measured again in attempt 2, because the test failed before" in text
