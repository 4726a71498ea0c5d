"""Whether a call was held up by other processes, told from what its thread was kept from."""

from __future__ import annotations

import pytest

from pytest_reliability.latency import host, preemption
from pytest_reliability.latency.preemption import Guard


@pytest.mark.parametrize(
    ("text", "waited"),
    [("1000 2500000000 7\n", 2.5), ("1000 2500000000\n", None), ("1000\n", None), ("a b c\n", None), ("", None), (None, None)],
)
def test_waiting_is_read_from_the_second_field(tmp_path, text, waited):
    """In nanoseconds; anything else is not known."""
    if text is not None:
        (tmp_path / "schedstat").write_text(text)
    assert waited == host.waited(tmp_path)


@pytest.fixture(autouse=True)
def others(monkeypatch):
    """The processor time of the process's other threads: none, until a test says how much."""
    told = [0.0]
    monkeypatch.setattr(preemption, "other_threads", lambda: told[0])
    return told


class Thread:
    """A thread of which it is known how often it was preempted, and for how long it was kept from running."""

    def __init__(self, waited: float | None = 0.0) -> None:
        self.times = 0
        self.waited = waited
        self.asked = 0
        self.guard = Guard(lambda: self.times, self.ask)

    def ask(self) -> float | None:
        """For how long."""
        self.asked += 1
        return self.waited

    def lose(self, seconds: float) -> None:
        """Be preempted once."""
        self.times += 1
        self.waited = None if self.waited is None else self.waited + seconds


def test_a_preemption_holds_up_what_it_takes_a_tenth_of():
    """Of calls that were under way at the same time in the same thread, the short one only."""
    thread = Thread()
    long, short = thread.guard.begin(), thread.guard.begin()
    thread.lose(0.002)
    assert (True, False) == (thread.guard.held_up(short, 0.010), thread.guard.held_up(long, 0.150))
    thread.lose(0.014)
    assert thread.guard.held_up(long, 0.150)


def test_threads_of_the_same_process_hold_nothing_up(others):
    """A server in a thread of its own is what is called."""
    thread = Thread()
    mark = thread.guard.begin()
    thread.lose(0.008)
    others[0] = 0.008
    assert not thread.guard.held_up(mark, 0.010)
    thread.lose(0.008)
    assert thread.guard.held_up(mark, 0.010)


@pytest.mark.parametrize(("times", "held_up"), [(3, False), (4, True)])
def test_where_nobody_tells_for_how_long_each_preemption_counts_as_a_slice(times, held_up):
    """4 ms each, of 150 ms."""
    thread = Thread(waited=None)
    mark = thread.guard.begin()
    for _ in range(times):
        thread.lose(0.0)
    assert held_up == thread.guard.held_up(mark, 0.150)


def test_a_call_without_a_preemption_is_not_looked_into():
    """That it waited for its turn when an answer came is part of waiting for an answer; and asking again would take time."""
    thread = Thread()
    mark = thread.guard.begin()
    thread.waited = 1.0
    assert (False, 1) == (thread.guard.held_up(mark, 0.150), thread.asked)


@pytest.mark.skipif(preemption.waited_here() is None, reason="this system does not tell how long a thread waited")
def test_this_thread_is_asked():
    """It can only have waited longer when it is asked again."""
    before, after = preemption.waited_here(), preemption.waited_here()
    assert before is not None
    assert after is not None
    assert 0.0 <= before <= after
