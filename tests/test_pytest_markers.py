"""Latency budgets read from test files: what is found, where it stands, and what is left alone."""

from __future__ import annotations

import re
import sys
from textwrap import dedent

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_reliability.documents import Source, Unreadable
from pytest_reliability.formats.pytest_markers import FORMAT
from pytest_reliability.model.nodes import LatencyBudget
from pytest_reliability.model.settings import Settings


def budgets(text: str, *, imports: str = "import pytest\n") -> list[LatencyBudget]:
    """What is found in a test file with that text."""
    return list(FORMAT.read(Source("tests/test_shop.py", (imports + dedent(text)).encode())))


def found(text: str, **options: str) -> list[tuple[str, dict[str, str], str | None]]:
    """The test, the limits and the SLO of each."""
    return [(budget.test, dict(budget.limits), budget.slo) for budget in budgets(text, **options)]


def samples(text: str) -> list[bool]:
    """Whether each may measure something."""
    return [budget.samples for budget in budgets(text)]


def test_a_marker_on_a_function_is_found_where_it_stands():
    """Its literal arguments as written, with the SLO apart, and the settings of its file."""
    marker = b'@pytest.mark.latency_budget(p95="50ms", errors="1%", slo="fast", max_time="5s")'
    text = b"import pytest\n\n\n" + marker + b"\ndef test_it(latency): ...\n"
    settings = Settings(service="shop")
    (budget,) = FORMAT.read(Source("tests/test_shop.py", text, settings))
    assert ("test_it", {"p95": "50ms", "errors": "1%"}, "fast", True) == (budget.test, budget.limits, budget.slo, budget.samples)
    assert ("tests/test_shop.py", 4, 2, len("pytest.mark.latency_budget")) == (
        budget.at.path, budget.at.line, budget.at.column, budget.at.width
    )  # fmt: skip
    assert settings is budget.settings


def test_columns_count_characters():
    """Japanese before the marker takes three bytes a character, and one column."""
    (budget,) = budgets('標識 = pytest.mark.latency_budget(p95="1s")\n\n@標識\ndef test_遅延(latency): ...\n')
    assert ("test_遅延", 2, 6) == (budget.test, budget.at.line, budget.at.column)


def test_a_marker_over_several_lines_has_a_place_too():
    """It begins where it begins; how wide it is nobody can say."""
    (budget,) = budgets('@(pytest\n  .mark.latency_budget)(\n    p95="1s"\n)\ndef test_x(latency): ...\n')
    assert (2, 3, 0) == (budget.at.line, budget.at.column, budget.at.width)


@pytest.mark.parametrize(
    ("imports", "marker"),
    [
        ("import pytest", "pytest.mark.latency_budget"),
        ("import os, pytest as pt", "pt.mark.latency_budget"),
        ("from pytest import mark", "mark.latency_budget"),
        ("from pytest import mark as m, raises", "m.latency_budget"),
        ("import pytest\nbudget = pytest.mark.latency_budget", "budget"),
        ("try:\n    import pytest\nexcept ImportError:\n    pytest = None", "pytest.mark.latency_budget"),
    ],
)
def test_pytest_and_mark_may_have_other_names(imports, marker):
    """However they were imported."""
    assert [("test_x", {"p95": "1s"}, None)] == found(f'@{marker}(p95="1s")\nasync def test_x(): ...\n', imports=f"{imports}\n")


@pytest.mark.parametrize(
    "decorator",
    [
        'pytest.mark.latency(p95="1s")',
        'mark.latency_budget(p95="1s")',
        'other.mark.latency_budget(p95="1s")',
        'pytest.latency_budget(p95="1s")',
        'pytest.mark.slow.latency_budget(p95="1s")',
        'thing().mark.latency_budget(p95="1s")',
        'latency_budget(p95="1s")',
    ],
)
def test_what_only_looks_like_the_marker_is_left_alone(decorator):
    """Near misses, of which no node is made."""
    assert [] == found(f"@{decorator}\ndef test_x(latency): ...\n")


@pytest.mark.parametrize("text", ["", '"latency_budget"\n', '# @pytest.mark.latency_budget(p95="1s")\ndef test_x(): ...\n'])
def test_a_file_that_only_mentions_the_marker_has_none(text):
    """In a string, in a comment."""
    assert [] == found(text)


def test_every_marker_on_a_function_counts():
    """Two of them, and those of single parameters."""
    text = """
        one = pytest.mark.latency_budget(p50="1s")

        @one
        @pytest.mark.latency_budget(p95="2s")
        @pytest.mark.parametrize("size", [1, pytest.param(2, marks=[pytest.mark.latency_budget(p99="3s")])])
        def test_x(latency, size): ...
    """
    assert [{"p50": "1s"}, {"p95": "2s"}, {"p99": "3s"}] == [limits for _, limits, _ in found(text)]


def test_only_literal_texts_are_read():
    """What is computed may be anything."""
    text = """
        LIMIT = "50ms"

        @pytest.mark.latency_budget(
            "bare", LIMIT, p50=LIMIT,
            p90=50, p95=f"{LIMIT}", p99="1" "s", slo=LIMIT, **OPTIONS, **{"p99.9": "2s", LIMIT: "3s", "p75": 4}
        )
        def test_x(latency): ...
    """
    assert [("test_x", {"p99": "1s", "p99.9": "2s"}, None)] == found(text)


@pytest.mark.parametrize(
    ("arguments", "limits", "time"),
    [
        ('"99% under 300ms", "p95<=50ms", "queries<=3"', {"p99": "300ms", "p95": "50ms", "queries": "3"}, True),
        ('"at least 99.9% of requests within 1 s"', {"p99.9": "1 s"}, True),
        ('"throughput >= 200/s", of="POST /checkout", clock="cpu", max_time="5s"', {"throughput": "200/s"}, True),
        ('max="1s", ratchet=True', {"max": "1s"}, True),
        ('slo="fast"', {}, True),
        ('"queries<=3", errors="1%"', {"queries": "3", "errors": "1%"}, False),
        ('"queries<=3", of="search", max_time="5s"', {"queries": "3"}, False),
        ('"queries<=3", p95=LIMIT', {"queries": "3"}, True),
        ('"queries<=3", LIMIT', {"queries": "3"}, True),
        ('"queries<=3", **LIMITS', {"queries": "3"}, True),
        ('"queries<=3", errors=SHARE, ratchet=True', {"queries": "3"}, False),
    ],
)
def test_texts_are_limits_by_name(arguments, limits, time):
    """And whether any of them may limit time; what is computed may."""
    (budget,) = budgets(f"@pytest.mark.latency_budget({arguments})\ndef test_x(latency): ...\n")
    assert (limits, time) == (budget.limits, budget.limits_latency)


def test_a_sample_with_limits_is_a_budget():
    """In a test that takes the fixture; what only looks like it is none."""
    text = """
        def test_x(latency, other):
            latency.sample("free")
            other.sample("other", p95="1s")
            sample("bare", p95="1s")
            latency.samples("all", p95="1s")
            self.latency.sample("other", p95="1s")

            def inner():
                with latency.sample("search", p95="50ms", slo="fast"):
                    ...

        def test_y(other):
            latency.sample("search", p95="50ms")
    """
    (budget,) = budgets(text)
    assert ("test_x", {"p95": "50ms"}, "fast", True, True) == (
        budget.test, budget.limits, budget.slo, budget.samples, budget.limits_latency
    )  # fmt: skip
    assert (11, 14) == (budget.at.line, budget.at.column)
    assert re.search(FORMAT.marker, text.encode())


def test_a_bare_marker_limits_nothing():
    """It is there, and empty; pytest will say the rest."""
    text = "budget = pytest.mark.latency_budget\n\n@budget\n@pytest.mark.latency_budget\ndef test_x(latency): ...\n"
    assert [("test_x", {}, None)] * 2 == found(text)


def test_a_class_marks_its_tests():
    """By a decorator or by pytestmark; those with a marker of their own have that one."""
    text = """
        @pytest.mark.latency_budget(p95="1s")
        class TestA:
            def test_one(self, latency): ...
            async def test_two(self, latency): ...

            @pytest.mark.latency_budget(p95="2s")
            def test_own(self, latency): ...

            def helper(self): ...

            class TestInner:
                def test_three(self, latency): ...

        class TestB:
            pytestmark = [pytest.mark.slow, pytest.mark.latency_budget(p95="3s")]

            def test_four(self, latency): ...
    """
    assert [
        ("TestA::test_own", {"p95": "2s"}, None),
        ("TestA::test_one", {"p95": "1s"}, None),
        ("TestA::test_two", {"p95": "1s"}, None),
        ("TestA::TestInner::test_three", {"p95": "1s"}, None),
        ("TestB::test_four", {"p95": "3s"}, None),
    ] == found(text)


@pytest.mark.parametrize("pytestmark", ["pytestmark = {}", "pytestmark: object = [{}]", "if True:\n    pytestmark = ({},)"])
def test_a_module_marks_the_tests_that_nothing_nearer_does(pytestmark):
    """Whichever way pytestmark is written; tests under conditions count as well."""
    text = pytestmark.format('pytest.mark.latency_budget(p95="1s")') + dedent("""
        def test_one(latency): ...

        if sys.platform == "linux":
            def test_two(latency): ...
        elif sys.platform == "darwin":
            def test_three(latency): ...
        else:
            try:
                with suppress():
                    def test_four(latency): ...
            except OSError:
                def test_five(latency): ...

        @pytest.mark.latency_budget(p95="2s")
        class TestA:
            def test_six(self, latency): ...

        def outer():
            def test_inside(latency): ...
    """)
    assert [("TestA::test_six", "2s"), *((f"test_{name}", "1s") for name in ("one", "two", "three", "four", "five"))] == [
        (test, limits["p95"]) for test, limits, _ in found(text)
    ]


def test_assignments_to_other_things_are_no_marks():
    """Attributes, several targets, and a name without a value."""
    text = """
        pytestmark: list
        x = y = pytest.mark.latency_budget(p95="1s")
        thing.pytestmark = pytest.mark.latency_budget(p95="1s")

        def test_one(latency): ...
    """
    assert [] == found(text)


def test_a_shared_mark_speaks_of_the_tests_that_may_measure():
    """A default for a whole class does not accuse those of its tests that measure nothing."""
    text = """
        @pytest.mark.latency_budget(p95="1s")
        class TestA:
            def test_measures(self, latency): ...
            def test_parses(self, tmp_path): ...
    """
    assert [("TestA::test_measures", True)] == [(budget.test, budget.samples) for budget in budgets(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('pytestmark = pytest.mark.latency_budget(p95="1s")\ndef test_x(): ...\n', ("test_shop.py", False)),
        ('pytestmark = pytest.mark.latency_budget(p95="1s")\nfrom checks import *\n', ("test_shop.py", True)),
        ('@pytest.mark.latency_budget(p95="1s")\nclass TestA:\n    def test_x(self): ...\n', ("TestA", False)),
        ('@pytest.mark.latency_budget(p95="1s")\nclass TestA(Base):\n    size = 1\n', ("TestA", True)),
    ],
)
def test_a_shared_mark_that_reaches_nothing_is_one_budget(text, expected):
    """By the name of the class or the file; where no test is in sight, they are inherited and may measure."""
    assert [expected] == [(budget.test, budget.samples) for budget in budgets(text)]


MARKED = '@pytest.mark.latency_budget(p95="1s")\n'


@pytest.mark.parametrize(
    "text",
    [
        "def test_x(): ...\n",
        "def test_x(tmp_path, monkeypatch, caplog): ...\n",
        "def test_x(latency_of=1, *, times=3): ...\n",
        '@pytest.mark.parametrize("size, colour", [(1, 2)])\ndef test_x(size, colour): ...\n',
        '@pytest.mark.parametrize(["size"], [(1,)])\ndef test_x(size): ...\n',
        "@pytest.fixture\ndef client(tmp_path): ...\n\n" + MARKED + "def test_x(client): ...\n",
        "@pytest.fixture(autouse=True)\ndef quiet(caplog): ...\n\n" + MARKED + "def test_x(): ...\n",
        "@pytest.fixture\ndef a(b): ...\n@pytest.fixture\ndef b(): ...\n@pytest.fixture\ndef c(b, a): ...\n\n"
        + MARKED
        + "def test_x(a, b, c): ...\n",
        "@pytest.fixture\ndef a(b): ...\n@pytest.fixture\ndef b(a): ...\n\n" + MARKED + "def test_x(a): ...\n",
    ],
)
def test_a_test_that_certainly_measures_nothing(text):
    """It takes nothing, or nothing that could lead to the fixture."""
    assert [False] == samples(text if MARKED in text else MARKED + text)


@pytest.mark.parametrize(
    "text",
    [
        "def test_x(latency): ...\n",
        "def test_x(*, latency): ...\n",
        "def test_x(latency, /): ...\n",
        "def test_x(request): ...\n",
        "def test_x(client): ...\n",
        '@pytest.mark.parametrize("latency", [1], indirect=True)\ndef test_x(latency): ...\n',
        "@pytest.mark.parametrize()\ndef test_x(size): ...\n",
        '@pytest.mark.usefixtures("measured")\ndef test_x(): ...\n',
        "class TestA(Base):\n    " + MARKED + "    def test_x(self): ...\n",
        "@pytest.fixture\ndef client(latency): ...\n\n" + MARKED + "def test_x(client): ...\n",
        "@pytest.fixture\ndef client(client): ...\n\n" + MARKED + "def test_x(client): ...\n",
        "@pytest_asyncio.fixture()\nasync def client(server): ...\n\n" + MARKED + "def test_x(client): ...\n",
        "@pytest.fixture(autouse=True)\ndef always(latency): ...\n\n" + MARKED + "def test_x(): ...\n",
        "def client(): ...\n\n" + MARKED + "def test_x(client): ...\n",
    ],
)
def test_a_test_that_may_measure(text):
    """It takes the fixture, or something from elsewhere that may lead to it: nothing rules it out."""
    assert [True] == samples(text if MARKED in text else MARKED + text)


@pytest.mark.parametrize(
    ("text", "line", "column", "reason"),
    [
        (b"import pytest\ndef test_x(:\n", 2, 12, "not valid Python: invalid syntax"),
        (b"x = (\n", 1, 5, "not valid Python: '(' was never closed"),
    ],
)
def test_a_file_that_is_not_python_is_unreadable(text, line, column, reason):
    """With the place; what the file may hold is unknown."""
    with pytest.raises(Unreadable) as error:
        list(FORMAT.read(Source("tests/test_x.py", text + b"# latency_budget\n")))
    assert (line, column, reason) == (error.value.at.line, error.value.at.column, error.value.reason)


@pytest.mark.parametrize("text", [b"x = 1\0\n", b"(" * 300 + b")" * 300, b"-" * 60_000 + b"1\n"])
def test_a_hostile_file_is_unreadable(text):
    """Null characters, and nesting that no parser follows, end in our own error."""
    limit = sys.getrecursionlimit()
    with pytest.raises(Unreadable, match="not valid Python"):
        list(FORMAT.read(Source("tests/test_x.py", text)))
    assert limit == sys.getrecursionlimit()


def test_other_peoples_warnings_are_not_ours():
    """An invalid escape warns when it is compiled, and here warnings are errors."""
    assert 1 == len(budgets('PATTERN = "\\d"\n@pytest.mark.latency_budget(p95="1s")\ndef test_x(latency): ...\n'))


@given(st.text(max_size=200))
def test_any_text_is_read_or_unreadable(text):
    """Nothing else is ever raised."""
    try:
        read = budgets(text)
    except Unreadable as error:
        place = error.at
    else:
        assert isinstance(read, list)
        return
    assert place.line >= 1
    assert place.column >= 1


@pytest.mark.parametrize("path", ["test_shop.py", "tests/test_shop.py", "tests/shop_test.py", "a/b/test_.py"])
def test_test_files_are_read(path):
    """By the names that pytest collects."""
    assert re.search(FORMAT.files, path)


@pytest.mark.parametrize(
    "path", ["conftest.py", "tests/conftest.py", "shop.py", "tests/shop_tests.py", "mytest_x.py", "test_shop.pyi"]
)
def test_other_files_are_not(path):
    """A conftest has fixtures, no tests."""
    assert not re.search(FORMAT.files, path)
