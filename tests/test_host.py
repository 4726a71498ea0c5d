"""What the machine did meanwhile, from counters as Linux writes them, and from none at all."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from pytest_reliability.latency.host import Evidence, Load, preemption_counter

PRESSURE = "some avg10=0.57 avg60=5.95 avg300=2.95 total={}\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=9\n"
STAT = "cpu  8556 20 5105 {idle} 748 1 217 {stolen} 400 30\ncpu0 1 1 1 1 1 1 1 1 1 1\n"


def proc(folder: Path, *, pressure: str | None = None, stat: str | None = None) -> Path:
    """A /proc with these files."""
    folder.mkdir(parents=True)
    if pressure is not None:
        (folder / "pressure").mkdir()
        (folder / "pressure" / "cpu").write_text(pressure)
    if stat is not None:
        (folder / "stat").write_text(stat)
    return folder


def load(folder: Path, at: float) -> Load:
    """The counters in that /proc at that time."""
    return Load.now(folder, lambda: at)


def between(before: Load, after: Load) -> Evidence:
    """The evidence of a measurement without any preemption."""
    return Evidence.between(before, after, measured=100, set_aside=0, guarded=True)


def test_pressure_and_steal_are_differences(tmp_path):
    """Half a second of waiting in two, and 30 of 1000 ticks stolen; what was before does not count."""
    before = load(proc(tmp_path / "a", pressure=PRESSURE.format(21202076), stat=STAT.format(idle=1000, stolen=5801)), 10.0)
    after = load(proc(tmp_path / "b", pressure=PRESSURE.format(21702076), stat=STAT.format(idle=1970, stolen=5831)), 12.0)
    evidence = between(before, after)
    assert (0.25, 0.03, False) == (pytest.approx(evidence.pressure), evidence.stolen, evidence.quiet)
    assert "host busy: 0% preempted, 25% pressure, 3% stolen" == str(evidence)


def test_guests_are_not_counted_twice(tmp_path):
    """Their ticks are part of user's."""
    now = load(proc(tmp_path / "a", stat="cpu  1 2 3 4 5 6 7 8 100 200\n"), 0.0)
    assert (8, 36) == (now.stolen, now.ticks)


def test_a_quiet_host_says_so(tmp_path):
    """Nothing that was counted disturbed the measurement."""
    same = proc(tmp_path / "a", pressure=PRESSURE.format(5), stat=STAT.format(idle=5, stolen=5))
    evidence = Evidence.between(load(same, 1.0), load(same, 2.0), measured=1000, set_aside=4, guarded=True)
    assert ("host quiet: 0.4% preempted, no pressure", True) == (str(evidence), evidence.quiet)
    assert evidence.stolen is None  # no tick passed, so no share of them is known


@pytest.mark.parametrize(
    ("pressure", "stat"),
    [
        (None, None),
        ("", ""),
        ("full avg10=0.00 total=7\n", "cpu0 1 2 3 4 5 6 7 8\n"),
        ("some avg10=0.00\n", "cpu 1 2 3\n"),
        ("some total=many\n", "cpu one 2 3 4 5 6 7 8\n"),
        ("some total=-4\n", "cpu 1 2 3 4 5 6 7 -8\n"),
    ],
)
def test_counters_that_are_not_there_are_unknown(tmp_path, pressure, stat):
    """Other systems, older kernels, closed containers: nothing is known, and nothing is raised."""
    now = load(proc(tmp_path / "proc", pressure=pressure, stat=stat), 1.0)
    assert Load(1.0, None, None, 0) == now
    evidence = between(now, Load(2.0, 1.0, 1, 100))
    assert (None, None, "host quiet: 0% preempted") == (evidence.pressure, evidence.stolen, str(evidence))


def test_an_unreadable_counter_is_unknown(tmp_path):
    """A folder where a file is expected raises the same kind of error as a forbidden file."""
    folder = tmp_path / "proc"
    (folder / "stat").mkdir(parents=True)
    (folder / "pressure" / "cpu").mkdir(parents=True)
    assert Load(1.0, None, None, 0) == load(folder, 1.0)


def test_no_time_has_no_pressure():
    """Two readings at one moment: there is no share of nothing."""
    now = Load(1.0, 5.0, 5, 100)
    assert (None, None) == (between(now, now).pressure, between(now, now).stolen)


def test_preempted_samples_are_a_share():
    """Of all that were measured, kept or not; none of none is none."""
    assert 0.31 == Evidence(100, 31, True).preempted
    assert 0.0 == Evidence(0, 0, True).preempted


@pytest.mark.parametrize(
    "evidence",
    [Evidence(100, 5, True), Evidence(100, 0, True, pressure=0.1), Evidence(100, 0, True, stolen=0.02)],
)
def test_each_counter_alone_makes_a_host_busy(evidence):
    """Preemption, pressure or stolen time."""
    assert not evidence.quiet


def test_a_guard_that_is_off_says_so():
    """Nobody should take it for quiet by proof."""
    assert "host quiet: preemption not counted here, so not guarded" == str(Evidence(100, 0, False))


def test_the_counter_of_this_system_only_grows():
    """Where there is one, it is a number that never goes back; elsewhere there is none."""
    counter = preemption_counter()
    if not sys.platform.startswith("linux"):
        assert counter is None
    else:
        assert counter is not None
        assert 0 <= counter() <= counter()


def test_the_counter_is_the_threads_involuntary_switches(monkeypatch):
    """Not the process's, and not the switches that waiting causes."""
    usage = SimpleNamespace(ru_nvcsw=1, ru_nivcsw=7)
    fake = SimpleNamespace(RUSAGE_THREAD="thread", getrusage=lambda who: usage if who == "thread" else None)
    monkeypatch.setitem(sys.modules, "resource", fake)
    counter = preemption_counter()
    assert counter is not None
    assert 7 == counter()


@pytest.mark.parametrize("module", [None, SimpleNamespace(getrusage=lambda who: None)])
def test_a_system_without_the_counter_has_no_guard(monkeypatch, module):
    """Windows has no module `resource`, macOS no RUSAGE_THREAD."""
    monkeypatch.setitem(sys.modules, "resource", module)
    assert preemption_counter() is None
