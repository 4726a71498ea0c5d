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


@pytest.mark.parametrize("module", ["pytest_reliability.cli", "pytest_reliability.api"])
def test_a_door_does_not_load_what_only_some_need(module):
    """rich, ruamel and pytest are for those who print in colour, edit, or test."""
    loaded = modules_after(f"import {module}")
    assert set() == {name for name in loaded if name.partition(".")[0] in ("rich", "ruamel", "_pytest", "difflib", "markdown_it")}
