"""Budgets beside time: what is counted, by whom, and what is said about it."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from textwrap import dedent

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_reliability.latency.budget import CountBudget
from pytest_reliability.latency.counting import Counting, count, judge_counts

THREE = CountBudget("queries", 3)
FED = ("queries from SQLAlchemy",)


def run(program: str) -> str:
    """What a program of its own prints: what it imports and configures is not ours."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", dedent(program)], capture_output=True, text=True, check=False, timeout=60
    )
    assert "" == done.stderr
    return done.stdout


# --- the counter API


def test_what_is_counted_while_somebody_listens_adds_up():
    """One at a time or several, also after the counts were asked for; what nobody wants is not kept."""
    count("sent", 100)
    with Counting(["sent", "lost"]) as counting:
        count("sent")
        count("other")
        assert {"sent": 1, "lost": 0} == counting.counts()
        count("sent", 4)
        count("lost", 2)
        assert {"sent": 5, "lost": 2} == counting.counts()
    count("sent")
    assert {"sent": 5, "lost": 2} == counting.counts()


def test_every_listener_hears_everything():
    """Those that opened first may close first."""
    first, second = Counting(["sent"]), Counting(["sent"])
    with first:
        count("sent")
        second.__enter__()
        count("sent")
    count("sent")
    second.__exit__(None, None, None)
    count("sent")
    assert ({"sent": 2}, {"sent": 2}) == (first.counts(), second.counts())


def test_nothing_is_lost_between_threads():
    """A call may hand its work to others: all of it is the call's."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with Counting(["sent"]) as counting:
            workers = [threading.Thread(target=lambda: [count("sent") for _ in range(2_000)]) for _ in range(4)]
            for worker in workers:
                worker.start()
            seen = [counting.counts()["sent"] for _ in range(100)]
            for worker in workers:
                worker.join()
            assert {"sent": 8_000} == counting.counts()
    finally:
        sys.setswitchinterval(interval)
    assert sorted(seen) == seen


def test_tasks_count_for_the_call_that_awaits_them():
    """Whatever context they run in, and in the threads that they use."""

    async def work() -> None:
        count("sent")
        await asyncio.to_thread(count, "sent", 10)

    async def call() -> None:
        await asyncio.gather(work(), work())

    with Counting(["sent"]) as counting:
        asyncio.run(call())
    assert {"sent": 22} == counting.counts()


def test_sources_say_what_feeds_a_counter():
    """A name that nothing ever counted may be misspelt; `count(name, 0)` says that it is not."""
    with Counting(["hits_of_a_cache", "misses_of_a_cache"]) as counting:
        assert () == counting.sources
        count("misses_of_a_cache", 0)
        assert ("misses_of_a_cache from count()",) == counting.sources


# --- SQLAlchemy and Django


def test_sqlalchemy_tells_of_its_queries():
    """On engines and connections from before, in other threads, and not one query twice; nothing is left behind."""
    sqlalchemy = pytest.importorskip("sqlalchemy")
    from pytest_reliability.latency import counting as module

    select = sqlalchemy.text("select 1")
    engine = sqlalchemy.create_engine(
        "sqlite://", poolclass=sqlalchemy.pool.StaticPool, connect_args={"check_same_thread": False}
    )

    def query() -> None:
        with engine.connect() as connection:
            connection.execute(select)

    with engine.connect() as old:
        old.execute(select)
        for _ in range(2):
            with Counting(["queries"]) as outer, Counting(["queries", "sent"]) as inner:
                old.execute(select)
                assert {"queries": 1, "sent": 0} == inner.counts()
                thread = threading.Thread(target=query)
                thread.start()
                thread.join()
                old.execute(sqlalchemy.text("select :a"), [{"a": 1}])
            assert ({"queries": 3}, {"queries": 3, "sent": 0}) == (outer.counts(), inner.counts())
            assert "queries from SQLAlchemy" in inner.sources
            assert not sqlalchemy.event.contains(sqlalchemy.Engine, "before_cursor_execute", module._query)
    engine.dispose()


def test_sqlalchemy_is_heard_while_one_listener_is_left():
    """The first that closes takes nothing from the other."""
    sqlalchemy = pytest.importorskip("sqlalchemy")
    engine = sqlalchemy.create_engine("sqlite://")
    with Counting(["queries"]) as outer:
        with Counting(["queries"]):
            pass
        with engine.connect() as connection:
            connection.execute(sqlalchemy.text("select 1"))
        assert {"queries": 1} == outer.counts()
    engine.dispose()


def test_without_a_library_nothing_is_imported_and_nothing_feeds_queries():
    """And a library that a call imports is heard from then on."""
    pytest.importorskip("sqlalchemy")
    assert "() False\n('queries from SQLAlchemy',)\n" == run("""
        import sys
        from pytest_reliability.latency.counting import Counting
        with Counting(["queries"]) as counting:
            print(counting.sources, any(name.partition(".")[0] in ("sqlalchemy", "django") for name in sys.modules))
            import sqlalchemy
        print(counting.sources)
    """)


def test_django_tells_of_its_queries():
    """Through the ORM and cursors, on connections from before in any thread; nothing is left behind."""
    pytest.importorskip("django")
    assert "() 0\n('queries from Django',) 2\n3\n4\nTrue\n" == run("""
        import threading
        from concurrent.futures import ThreadPoolExecutor
        import django
        from django.conf import settings
        from django.db.backends.utils import CursorWrapper
        from pytest_reliability.latency.counting import Counting

        with Counting(["queries"]) as counting:
            print(counting.sources, counting.counts()["queries"])
        settings.configure(
            DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
            INSTALLED_APPS=["django.contrib.contenttypes"],
        )
        django.setup()
        from django.contrib.contenttypes.models import ContentType
        from django.db import connection

        def query():
            with connection.cursor() as cursor:
                cursor.execute("select 1")

        with connection.schema_editor() as editor:
            editor.create_model(ContentType)
        methods = dict(vars(CursorWrapper))
        with ThreadPoolExecutor(1) as pool:
            pool.submit(query).result()
            with Counting(["queries"]) as counting:
                ContentType.objects.create(app_label="shop", model="cart")
                list(ContentType.objects.all())
                print(counting.sources, counting.counts()["queries"])
                pool.submit(query).result()
                print(counting.counts()["queries"])
                with connection.cursor() as cursor:
                    rows = [("a", "b"), ("c", "d")]
                    cursor.executemany("insert into django_content_type (app_label, model) values (%s, %s)", rows)
            query()
            print(counting.counts()["queries"])
            pool.submit(lambda: connection.close()).result()
        print(methods == dict(vars(CursorWrapper)))
    """)


# --- the outcome


@pytest.mark.parametrize(
    ("counts", "sources", "outcome", "reason"),
    [
        ((3, 3, 7), FED, "fail", "3, 3, 7: at most 3"),
        ((4,), (), "fail", "4: at most 3"),
        ((5,) * 5, FED, "fail", "5 in each of 5 calls: at most 3"),
        ((3,) * 37 + (7,) * 3, FED, "fail", "7 in 3, 3 in 37 of 40 calls: at most 3"),
        (tuple(range(12)), FED, "fail", "11 in 1, 10 in 1, 9 in 1, 8 in 1, 7 in 1 … of 12 calls: at most 3"),
        ((3,) * 20, FED, "pass", "3 in each of 20 calls (queries from SQLAlchemy)"),
        ((1, 3, 2), FED, "pass", "1 to 3 in each of 3 calls (queries from SQLAlchemy)"),
        ((0, 0), ("queries from SQLAlchemy", "queries from Django"), "pass",
         "none in each of 2 calls (queries from SQLAlchemy, queries from Django)"),
        ((2,), (), "pass", "2 in the only call"),
        ((), FED, "inconclusive", "no call was counted"),
        ((0, 0), ("queries_of_others from count()",), "inconclusive",
         ("nothing counts 'queries': neither SQLAlchemy nor Django is in use, so "
          'call pytest_reliability.latency.count("queries") where it happens')),
    ],
)  # fmt: skip
def test_counts_are_judged_exactly(counts, sources, outcome, reason):
    """One call over the limit is enough, and zero is no count where nothing counts."""
    assert (outcome, reason) == judge_counts(THREE, counts, sources)


def test_a_counter_of_ones_own_says_where_to_count():
    """Nobody can know whether the name is right."""
    assert (
        "inconclusive",
        "nothing counts 'misses': call pytest_reliability.latency.count(\"misses\") where it happens",
    ) == judge_counts(CountBudget("misses", 0), [0, 0], FED)


@given(st.lists(st.integers(0, 9), max_size=30), st.integers(0, 9))
def test_a_budget_passes_exactly_where_every_call_keeps_it(counts, most):
    """Whatever else is said."""
    outcome, _ = judge_counts(CountBudget("queries", most), counts, FED)
    assert ("inconclusive" if not counts else "pass" if all(n <= most for n in counts) else "fail") == outcome
