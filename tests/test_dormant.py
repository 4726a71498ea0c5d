"""`pytest` without `--reliability` pays nothing."""

from __future__ import annotations

import subprocess
import sys

import pytest


def modules_after(statement: str) -> set[str]:
    """The modules that are loaded after a statement in a fresh process, less those that pytest alone loads."""
    code = f"import sys, pytest, pluggy; before = set(sys.modules); {statement}; print(*sorted(set(sys.modules) - before))"
    return set(subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.split())


def test_the_plugin_module_imports_nothing_but_pytest():
    """Not one module of ours besides, and none of anybody else's."""
    assert {"pytest_reliability", "pytest_reliability.pytest_plugin"} == modules_after("import pytest_reliability.pytest_plugin")


def test_a_dormant_run_loads_none_of_ours(pytester):
    """Collecting and running a suite touches no checks, no readers, no YAML, no rich, no PromQL."""
    pytester.makepyfile(
        test_it="def test_it(): pass",
        conftest="""
        import sys

        def pytest_unconfigure():
            heavy = ("pytest_reliability.", "yaml", "ruamel", "rich", "promql_parser")
            loaded = sorted(name for name in sys.modules if name.startswith(heavy))
            print("loaded:", *loaded)
        """,
    )
    result = pytester.runpytest_subprocess()
    result.stdout.fnmatch_lines(["loaded: pytest_reliability.pytest_plugin"])
    result.assert_outcomes(passed=1)


ONCE = {
    *("pytest_reliability.latency", "pytest_reliability.model"),
    *(f"pytest_reliability.latency.{name}" for name in ("budget", "forms", "once")),
    *(f"pytest_reliability.model.{name}" for name in ("duration", "limits")),
    "pytest_reliability.pytest_plugin",
    *(f"pytest_reliability.pytest_plugin.{name}" for name in ("budgets", "markers")),
}
"""What a marked test loads where nothing is judged: reading the marker, and running things once."""


def test_a_marked_test_that_is_not_judged_loads_no_more_than_it_takes_to_read_its_marker(pytester):
    """No checks, no verdict, no report, and nothing of anybody else's."""
    pytester.makepyfile(
        test_it="""
        import pytest

        @pytest.mark.latency_budget("queries<=3", p95="50ms", slo="checkout-latency")
        def test_it(latency):
            assert "12" == latency(str, 12)
            for _ in latency:
                with latency.sample("search"):
                    pass
        """,
        conftest="""
        import sys

        def pytest_unconfigure():
            heavy = ("pytest_reliability.", "yaml", "ruamel", "rich", "promql_parser")
            print("loaded:", *sorted(name for name in sys.modules if name.startswith(heavy)))
        """,
    )
    result = pytester.runpytest_subprocess()
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines([" ".join(["loaded:", *sorted(ONCE)])])


@pytest.mark.parametrize("module", ["pytest_reliability.cli", "pytest_reliability.api"])
def test_a_door_does_not_load_what_only_some_need(module):
    """rich, ruamel and pytest are for those who print in colour, edit, or test."""
    loaded = modules_after(f"import {module}")
    assert set() == {name for name in loaded if name.partition(".")[0] in ("rich", "ruamel", "_pytest", "difflib", "markdown_it")}
