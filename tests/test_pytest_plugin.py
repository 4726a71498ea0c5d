"""`pytest --reliability`: checks as items, and all of pytest's customs on them."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree

import pytest

README = {"README.md": "# shop\n"}
TEST = {"tests/test_it.py": "def test_it():\n    pass\n"}


@pytest.fixture
def run(pytester):
    """Put files into an empty folder and run pytest there."""

    def run(files: dict[str, str], *arguments: str, reliability: bool = True) -> pytest.RunResult:
        for path, text in files.items():
            target = pytester.path / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text, encoding="utf-8")
        return pytester.runpytest(*(["--reliability"] if reliability else []), *arguments)

    return run


def ids(result: pytest.RunResult) -> list[str]:
    """The node ids that a quiet collection printed."""
    return [line for line in result.outlines if "::" in line]


def test_a_repository_without_a_single_test_or_setting_is_checked(run):
    """The checks are items of the file that stands for the service."""
    result = run(README)
    assert 1 == result.ret
    result.stdout.fnmatch_lines(["*README.md*", "*FAILED README.md::SLO001*"])
    assert "no tests ran" not in result.stdout.str()


def test_without_the_option_nothing_of_it_is_seen(run):
    """Installed is not the same as asked for."""
    result = run({**README, **TEST}, reliability=False)
    result.assert_outcomes(passed=1)
    result.stdout.no_fnmatch_line("*reliability:*")


def test_tests_and_checks_run_together(run):
    """One command for both."""
    found = ids(run({**README, **TEST}, "--co", "-q"))
    assert {"tests/test_it.py::test_it", "README.md::SLO001", "README.md::OWN001"} <= set(found)


@pytest.mark.parametrize(
    ("files", "anchor"),
    [
        ({**README, "pyproject.toml": "[project]\nname = 'x'\n"}, "pyproject.toml"),
        ({**README, ".reliability.yaml": "service: shop\n"}, ".reliability.yaml"),
        ({"main.go": "package main\n"}, "main.go"),
    ],
)
def test_items_come_from_the_file_that_stands_for_the_service(run, files, anchor):
    """The configuration, or the first of the usual files that exists."""
    assert f"{anchor}::SLO001" in ids(run(files, "--co", "-q"))


def test_testpaths_do_not_hide_the_checks(run):
    """Who named nothing gets everything, even where testpaths point elsewhere; and nothing twice."""
    found = ids(run({**README, **TEST, "pytest.ini": "[pytest]\ntestpaths = tests\n"}, "--co", "-q"))
    assert "tests/test_it.py::test_it" in found
    assert 1 == found.count("README.md::SLO001")


def test_a_node_id_can_be_pasted_back(run):
    """That is how people repeat what failed."""
    result = run(README, "README.md::SLO001", "-v")
    result.assert_outcomes(failed=1)


def test_who_names_tests_gets_those_tests(run):
    """No item beside them."""
    assert ["tests/test_it.py::test_it"] == ids(run({**README, **TEST}, "--co", "-q", "tests"))


@pytest.mark.parametrize("expression", ["SLO001", "service-without-slo", "service-without-s and error"])
def test_k_selects_by_code_name_and_severity(run, expression):
    """As on any test."""
    assert ["README.md::SLO001"] == ids(run(README, "--co", "-q", "-k", expression))


def test_deselect_takes_an_item_away(run):
    """As on any test."""
    assert "README.md::SLO001" not in ids(run(README, "--co", "-q", "--deselect", "README.md::SLO001"))


def test_last_failed_repeats_what_failed(run):
    """As on any test."""
    before = run(README, "-k", "SLO001 or OWN001 or DOC001")
    after = run(README, "--lf", "-v")
    assert before.parseoutcomes()["failed"] == after.parseoutcomes()["failed"] == 2
    assert "passed" not in after.parseoutcomes()


def test_exitfirst_stops(run):
    """As on any test."""
    assert 1 == run(README, "-x").parseoutcomes()["failed"]


def test_xdist_runs_the_same_items(run):
    """Two workers come to what one process comes to."""
    alone, shared = run(README, "-p", "no:xdist"), run(README, "-n", "2")
    assert alone.parseoutcomes() == shared.parseoutcomes()
    shared.stdout.fnmatch_lines(["*reliability:*", "*level*none*"])


def test_junit_has_every_check(run, pytester):
    """CI systems show what is in there."""
    run(README, "--junitxml=out.xml")
    cases = {case.get("name"): case for case in ElementTree.parse(pytester.path / "out.xml").iter("testcase")}
    failure = cases["SLO001"].find("failure")
    assert failure is not None
    assert "has no SLO" in (failure.text or "")


def test_a_failing_check_reads_like_a_compiler_message(run):
    """path:line:column, what is wrong, what to do; never a traceback."""
    text = run({**README, "slo.yaml": SLO.replace("0.99", "1.0")}, "-k", "SLO102").stdout.str()
    assert re.search(r"^_+ SLO102 perfect-objective _+$", text, re.M)
    assert re.search(r"^slo\.yaml:\d+:\d+: error: ", text, re.M)
    assert "reliability explain SLO102" in text
    assert "Traceback" not in text
    assert "pytest_reliability/pytest_plugin" not in text


def test_what_does_not_apply_is_skipped_with_its_reason(run):
    """Not a pass, and not a failure."""
    result = run(README, "-k", "ALR001", "-rs")
    result.assert_outcomes(skipped=1)
    result.stdout.fnmatch_lines(["SKIPPED*README.md*not applicable: nothing here to ask it of"])


def test_what_is_unknown_fails(run):
    """A file that cannot be read might hold anything."""
    result = run({**README, "rules.yaml": "groups:\n- name: a\n  rules: [{alert: a, expr: up\n"}, "-k", "ALR001")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["unknown: could not be read: rules.yaml"])


def test_what_is_waived_is_an_expected_failure(run):
    """It stays in sight."""
    config = {".reliability.yaml": "ignore: {SLO001: an experiment until March}\n"}
    result = run(config, "-k", "SLO001", "-rx")
    result.assert_outcomes(xfailed=1)
    result.stdout.fnmatch_lines(["*waived: an experiment until March"])


def test_warnings_fail_only_where_asked(run):
    """They are in the summary all the same."""
    files = {**README, "slo.yaml": SLO}
    run(files, "-k", "SLO401").assert_outcomes(passed=1)
    run(files, "-k", "SLO401", "--reliability-fail-on=warning").assert_outcomes(failed=1)


def test_the_summary_says_where_the_service_stands(run):
    """Level, responsibilities, and what to do next."""
    result = run({**README, ".reliability.yaml": "service: shop\n"})
    result.stdout.fnmatch_lines(["*= reliability: shop =*", "level *none*", "*availability*", "next *1. *"])


@pytest.mark.parametrize("option", ["--co", "--fixtures"])
def test_looking_only_prints_no_summary(run, option):
    """Nothing has been judged."""
    run(README, option, "-q").stdout.no_fnmatch_line("*reliability: *")


def test_findings_reach_a_report_without_a_terminal(run, pytester):
    """`-p no:terminal` takes away what they would be printed on, not what they are."""
    assert pytest.ExitCode.TESTS_FAILED == run(README, "-p", "no:terminal", "-k", "SLO001", "--junitxml=report.xml").ret
    assert "has no SLO [SLO001 service-without-slo]" in (pytester.path / "report.xml").read_text(encoding="utf-8")


def test_a_wrong_configuration_is_a_usage_error(run):
    """Its place and what to type, and exit code 4 as for any wrong use of pytest."""
    result = run({".reliability.yaml": "servise: shop\n"})
    assert pytest.ExitCode.USAGE_ERROR == result.ret
    result.stderr.fnmatch_lines(
        ["ERROR: .reliability.yaml:1:1: 'servise' is not a key of the configuration*", "*did you mean service?"]
    )
    assert "Traceback" not in result.stdout.str() + result.stderr.str()


def test_a_selector_that_means_nothing_stops_the_collection(run):
    """A typo must not look like a clean run."""
    result = run({".reliability.yaml": "select: [SLX]\n"})
    assert pytest.ExitCode.INTERRUPTED == result.ret
    result.stdout.fnmatch_lines([".reliability.yaml: select: no check is called 'SLX'"])
    assert "Traceback" not in result.stdout.str()


def test_from_a_folder_inside_a_service_its_checks_run(run, pytester, monkeypatch):
    """Who stands in src/ means the service around it."""
    run({**README, "src/test_it.py": "def test_it(): pass\n", ".git/config": ""}, "--co")
    monkeypatch.chdir(pytester.path / "src")
    assert "SLO001" in pytester.runpytest("--reliability", "--co", "-q").stdout.str()


MONOREPO = {
    "README.md": "",
    "services/a/.reliability.yaml": "service: a\n",
    "services/a/test_a.py": "def test_a(): pass\n",
    "services/b/.reliability.yaml": "service: b\nignore: {SLO001: later}\n",
}


def test_each_service_of_a_repository_has_its_own_items(run):
    """And its own part of the summary."""
    result = run(MONOREPO, "-k", "SLO001")
    result.assert_outcomes(failed=1, xfailed=1)
    result.stdout.fnmatch_lines(["*reliability: a*", "*reliability: b*"])


def test_a_measurement_is_told_once_with_its_service(run):
    """Two services measure each its own."""
    budget = "import pytest\n@pytest.mark.latency_budget(p95='5m')\ndef test_{0}(latency):\n    latency(int)\n"
    text = run({**MONOREPO, **{f"services/{name}/test_{name}.py": budget.format(name) for name in "ab"}}).stdout.str()
    first, second = (text.partition(f"reliability: {name} ")[2].partition("= reliability")[0] for name in "ab")
    assert (True, False) == ("latency  test_a" in first, "test_b  p95" in first)
    assert (False, True) == ("test_a  p95" in second, "latency  test_b" in second)


def test_in_the_folder_of_a_service_only_its_checks_run(run, pytester, monkeypatch):
    """With the whole repository in sight, so that what services share is found."""
    run(MONOREPO, "--co", "-q")
    pytester.run("git", "init", "-q")
    (pytester.path / "CODEOWNERS").write_text("* @acme/platform\n")
    monkeypatch.chdir(pytester.path / "services/a")
    result = pytester.runpytest("--reliability", "-k", "OWN001 or test_a", "-v", "--rootdir", ".")
    result.assert_outcomes(passed=2)


def test_the_options_explain_themselves(pytester):
    """`--help`, `--markers` and `--fixtures` know us."""
    pytester.runpytest("--help").stdout.fnmatch_lines(["service reliability:", "*--reliability *", "*latency_enforce*"])
    pytester.runpytest("--markers").stdout.fnmatch_lines(["@pytest.mark.latency_budget(*"])
    pytester.runpytest("--fixtures").stdout.fnmatch_lines(["latency*"])


def test_the_plugin_can_be_switched_off(pytester):
    """`-p no:reliability` is pytest's custom."""
    pytester.makepyfile("def test_it(): pass")
    pytester.runpytest_subprocess("-p", "no:reliability").assert_outcomes(passed=1)


SLO = """\
apiVersion: openslo/v1
kind: SLO
metadata:
  name: availability
spec:
  service: shop
  budgetingMethod: Occurrences
  timeWindow:
    - duration: 28d
      isRolling: true
  indicator:
    metadata:
      name: good
    spec:
      ratioMetric:
        counter: true
        good:
          metricSource:
            type: Prometheus
            spec:
              query: sum(rate(requests_total{code!~"5.."}[5m]))
        total:
          metricSource:
            type: Prometheus
            spec:
              query: sum(rate(requests_total[5m]))
  objectives:
    - target: 0.99
"""
