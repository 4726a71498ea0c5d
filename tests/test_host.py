"""What the machine did meanwhile, from counters as Linux writes them, and from none at all."""

from __future__ import annotations

import os
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from pytest_reliability.latency import host
from pytest_reliability.latency.host import Evidence, Load, machine_speed, preemption_counter

PRESSURE = "some avg10=0.57 avg60=5.95 avg300=2.95 total={}\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=9\n"
STAT = "cpu  {user} 20 5105 {idle} 748 1 217 {stolen} 400 30\ncpu0 1 1 1 1 1 1 1 1 1 1\n"


NAMES = {
    "pressure": "pressure/cpu",
    "memory": "pressure/memory",
    "disk": "pressure/io",
    "stat": "stat",
    "cgroup": "self/cgroup",
    "schedstat": "thread-self/schedstat",
}


@pytest.fixture(autouse=True)
def idle(monkeypatch):
    """No load average, whatever else this machine does."""
    monkeypatch.delattr(os, "getloadavg", raising=False)


def write(folder: Path, files: dict[str, str]) -> Path:
    """A folder with these files."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


def proc(folder: Path, **files: str | None) -> Path:
    """A /proc with these files."""
    return write(folder, {NAMES[name]: text for name, text in files.items() if text is not None})


def load(folder: Path, at: float) -> Load:
    """The counters in that /proc at that time, but for those of this process, which are anything."""
    return replace(Load.now(folder, lambda: at, folder / "groups"), others=None)


def between(before: Load, after: Load) -> Evidence:
    """The evidence of a measurement without any preemption."""
    return Evidence.between(before, after, measured=100, set_aside=0, guarded=True)


def test_pressure_and_steal_are_differences(tmp_path):
    """Half a second of waiting in two, and 30 of 1000 wanted ticks stolen; what was before does not count, nor what was idle."""
    before = load(
        proc(tmp_path / "a", pressure=PRESSURE.format(21202076), stat=STAT.format(user=8556, idle=1000, stolen=5801)), 10.0
    )
    after = load(
        proc(tmp_path / "b", pressure=PRESSURE.format(21702076), stat=STAT.format(user=9526, idle=7000, stolen=5831)), 12.0
    )
    evidence = between(before, after)
    assert (0.25, 0.03, False) == (pytest.approx(evidence.pressure), pytest.approx(evidence.stolen), evidence.quiet)
    assert 0.3 == pytest.approx(evidence.stolen_seconds)
    assert "host busy: 0% preempted, 25% pressure, 3% stolen" == str(evidence)


def test_guests_are_not_counted_twice(tmp_path):
    """Their ticks are part of user's."""
    now = load(proc(tmp_path / "a", stat="cpu  1 2 3 4 5 6 7 8 100 200\n"), 0.0)
    assert (0.08, pytest.approx(0.01 + 0.02 + 0.03 + 0.06 + 0.07 + 0.08)) == (now.stolen, now.wanted)


def test_a_quiet_host_says_so(tmp_path):
    """Nothing that was counted disturbed the measurement."""
    same = proc(tmp_path / "a", pressure=PRESSURE.format(5), stat=STAT.format(user=5, idle=5, stolen=5))
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


def test_memory_and_disk_are_evidence(tmp_path):
    """Memory as soon as something waits for it, the disk only when nothing else could run meanwhile."""
    line = "some avg10=0.00 total={}\nfull avg10=0.00 total={}\n"
    before = load(proc(tmp_path / "a", memory=line.format(0, 0), disk=line.format(0, 0)), 0.0)
    after = load(proc(tmp_path / "b", memory=line.format(200_000, 0), disk=line.format(900_000, 600_000)), 2.0)
    evidence = between(before, after)
    assert (0.1, 0.3, False) == (pytest.approx(evidence.memory), pytest.approx(evidence.disk), evidence.quiet)
    assert "host busy: 0% preempted, 10% short of memory, 30% held up by the disk" == str(evidence)


@pytest.mark.parametrize(
    ("membership", "files"),
    [
        ("0::/\n", {"cpu.stat": "usage_usec 9\nnr_throttled 3\nthrottled_usec {}\n"}),
        (
            "0::/pod/app\n",
            {"pod/app/cpu.stat": "throttled_usec 0\n", "pod/cpu.stat": "throttled_usec {}\n", "cpu.stat": "usage_usec 9\n"},
        ),
        ("9:memory:/x\n4:cpu,cpuacct:/docker/1\n0::/\n", {"cpu,cpuacct/cpu.stat": "nr_throttled 3\nthrottled_time {}000\n"}),
        ("2:cpuacct:/\n1:cpu:/\n0::/\n", {"cpu/cpu.stat": "nr_throttled 3\nthrottled_time {}000\n"}),
        ("4:cpuacct,cpu:/\n", {"cpu/cpu.stat": "throttled_time {}000\n"}),
        ("0::/../other\n", {"cpu.stat": "throttled_usec {}\n"}),
    ],
)
def test_a_container_that_has_used_up_its_quota_says_so(tmp_path, membership, files):
    """Both versions of control groups, as a container sees them and as the host does; groups around it count as well."""
    loads = []
    for at, name, throttled in ((1.0, "a", 100_000), (2.0, "b", 350_000)):
        folder = proc(tmp_path / name, cgroup=membership)
        write(folder / "groups", {path: text.format(throttled) for path, text in files.items()})
        loads.append(load(folder, at))
    evidence = between(*loads)
    assert (0.25, False) == (pytest.approx(evidence.throttled), evidence.quiet)
    assert "host busy: 0% preempted, 25% throttled by the container's quota" == str(evidence)


@pytest.mark.parametrize("membership", ["", "nonsense\n", "3:memory:/\n", "0::/\n", "1:cpu:/\n"])
def test_a_quota_that_nobody_tells_is_unknown(tmp_path, membership):
    """No control group, none for the processor, none with a count."""
    folder = proc(tmp_path / "proc", cgroup=membership)
    write(folder / "groups", {"cpu.stat": "usage_usec 9\nthrottled_usec many\nodd\n"})
    assert load(folder, 1.0).throttled is None


def test_a_thread_kept_from_running_says_so(tmp_path):
    """It was on the run queue for a fifth of the time: preempted, or woken late."""
    before = load(proc(tmp_path / "a", schedstat="9000 1000000000 2\n"), 0.0)
    after = load(proc(tmp_path / "b", schedstat="9000 1400000000 2\n"), 2.0)
    assert "host busy: 0% preempted, 20% kept from running" == str(between(before, after))
    assert load(proc(tmp_path / "c", schedstat="1 2\n"), 0.0).delayed is None
    assert load(proc(tmp_path / "d", schedstat="1 many 2\n"), 0.0).delayed is None


def test_other_threads_of_the_process_are_told_but_not_held_against_the_host(tmp_path):
    """A server in a thread is what is measured; a forgotten worker is not. Only people can tell them apart."""
    stop = threading.Event()

    def spin():
        while not stop.is_set():
            pass

    thread = threading.Thread(target=spin)
    before = Load.now(tmp_path, time.perf_counter, tmp_path)
    thread.start()
    time.sleep(0.2)
    stop.set()
    thread.join()
    evidence = between(before, Load.now(tmp_path, time.perf_counter, tmp_path))
    assert evidence.others is not None
    assert 0.05 < evidence.others <= 1.0
    assert evidence.quiet
    assert "of a processor used by other threads" in str(evidence)


def test_without_pressure_the_load_average_stands_in(tmp_path, monkeypatch):
    """macOS has no better figure; where there is pressure, nobody asks for it."""
    monkeypatch.setattr(os, "cpu_count", lambda: 4)
    monkeypatch.setattr(os, "getloadavg", lambda: (6.0, 1.0, 1.0), raising=False)
    now = load(tmp_path, 1.0)
    assert "host busy: 0% preempted, 1.5 tasks a processor" == str(between(now, now))
    monkeypatch.setattr(os, "getloadavg", lambda: (3.0, 1.0, 1.0), raising=False)
    now = load(tmp_path, 1.0)
    assert "host quiet: 0% preempted, 0.8 tasks a processor" == str(between(now, now))
    assert load(proc(tmp_path / "a", pressure=PRESSURE.format(1)), 1.0).queue is None


def test_a_load_average_that_cannot_be_had_is_unknown(tmp_path, monkeypatch):
    """Some closed containers refuse it."""

    def refuse():
        raise OSError

    monkeypatch.setattr(os, "getloadavg", refuse, raising=False)
    assert load(tmp_path, 1.0).queue is None


def test_counters_that_go_back_are_no_negative_share():
    """A process that moved to another control group, for one."""
    evidence = between(Load(1.0, 5.0, None, 0, throttled=3.0), Load(2.0, 4.0, None, 0, throttled=1.0))
    assert (0.0, 0.0) == (evidence.pressure, evidence.throttled)


def test_preempted_samples_are_a_share():
    """Of all that were measured, kept or not; none of none is none."""
    assert 0.31 == Evidence(100, 31, True).preempted
    assert 0.0 == Evidence(0, 0, True).preempted


@pytest.mark.parametrize(
    "evidence",
    [
        Evidence(100, 5, True),
        Evidence(100, 0, True, pressure=0.1),
        Evidence(100, 0, True, stolen=0.02),
        Evidence(100, 0, True, memory=0.05),
        Evidence(100, 0, True, disk=0.05),
        Evidence(100, 0, True, throttled=0.01),
        Evidence(100, 0, True, delayed=0.05),
        Evidence(100, 0, True, queue=1.1),
    ],
)
def test_each_counter_alone_makes_a_host_busy(evidence):
    """Whatever it is that was counted."""
    assert not evidence.quiet


def test_what_was_lost_is_a_share_of_the_calls():
    """A thread is kept from running while it calls, not while it rests; others steal at any time; no more than all is lost."""
    evidence = Evidence(
        100, 0, True, delayed=0.02, throttled=0.01, memory=0.005, disk=0.005, stolen=0.1, stolen_seconds=9.0, seconds=10.0
    )
    assert 0.5 == pytest.approx(evidence.lost(1.0))
    assert 0.14 == pytest.approx(evidence.lost(10.0))
    assert 0.14 == pytest.approx(evidence.lost(500.0))  # many callers at once
    assert 0.14 == pytest.approx(evidence.lost(0.0))
    assert 1.0 == evidence.lost(0.1)
    assert 0.0 == Evidence(100, 0, True, seconds=10.0).lost(1.0)
    assert 0.0 == Evidence(100, 0, True, delayed=0.02).lost(1.0)  # in no time


def test_others_steal_no_more_from_calls_than_they_stole_at_all():
    """Of the little that sleeping calls want nearly all may be stolen; they are hardly the longer for it."""
    evidence = Evidence(100, 0, True, stolen=0.8, stolen_seconds=0.5, seconds=10.0)
    assert 0.1 == pytest.approx(evidence.lost(5.0))
    assert 0.8 == pytest.approx(evidence.lost(0.5))  # all of it may have come while these were called


@pytest.mark.parametrize(
    ("system", "why"),
    [("darwin", ", macOS counts it for whole processes only"), ("win32", ", Windows does not count it"), ("linux", "")],
)
def test_a_guard_that_is_off_says_so(system, why, monkeypatch):
    """Nobody should take it for quiet by proof, and everybody may know whose limit it is."""
    monkeypatch.setattr(sys, "platform", system)
    assert f"host quiet: preemption not counted here, so not guarded{why}" == str(Evidence(100, 0, False))


def test_the_counter_of_this_system_only_grows():
    """Where there is one, it is a number that never goes back; elsewhere there is none."""
    counter = preemption_counter()
    if not sys.platform.startswith("linux"):
        assert counter is None
    else:
        assert counter is not None
        assert 0 <= counter() <= counter()


@pytest.fixture
def disturbed(monkeypatch, tmp_path):
    """A counter on a thread whose involuntary switches, lost seconds and clock are told, as keywords that stay."""
    thread = SimpleNamespace(switches=7, lost=1.0, now=5.0, others=0.0)
    monkeypatch.setattr(host, "other_threads", lambda: thread.others)
    fake = SimpleNamespace(
        RUSAGE_THREAD="thread",
        getrusage=lambda who: SimpleNamespace(ru_nvcsw=1, ru_nivcsw=thread.switches) if who == "thread" else None,
    )
    monkeypatch.setitem(sys.modules, "resource", fake)

    def after(**changes: float | None) -> int:
        vars(thread).update(changes)
        text = "" if thread.lost is None else f"1 {thread.lost * 1e9:.0f} 3\n"
        write(tmp_path, {"thread-self/schedstat": text})
        return counter()

    write(tmp_path, {"thread-self/schedstat": "1 1000000000 3\n"})
    counter = preemption_counter(tmp_path, lambda: thread.now)
    assert counter is not None
    counter()
    return after


def test_a_thread_that_loses_time_is_preempted(disturbed):
    """Its own involuntary switches count, not the process's, and not those that waiting causes."""
    assert 0 == disturbed()
    assert 0 == disturbed(now=5.1)
    assert 1 == disturbed(now=5.2, switches=8, lost=1.0021)
    assert 1 == disturbed(now=5.3)
    assert 2 == disturbed(now=5.4, switches=10, lost=1.005)


def test_a_moment_lost_in_a_long_call_disturbs_nothing(disturbed):
    """A call of a tenth of a second meets other tasks on any host, for microseconds."""
    assert 0 == disturbed(now=5.1, switches=12, lost=1.0019)
    assert 1 == disturbed(now=5.2, switches=13, lost=1.0040)


def test_what_is_lost_to_threads_of_the_same_process_disturbs_nothing(disturbed):
    """A test client and the application in a thread of its own take turns on one processor."""
    assert 0 == disturbed(now=5.1, switches=9, lost=1.010, others=0.009)
    assert 1 == disturbed(now=5.2, switches=10, lost=1.020, others=0.010)


def test_what_is_lost_to_threads_of_the_same_process_is_no_fault_of_the_host():
    """Nor does it make the host busy; what is more than they took does."""
    before = Load(0.0, None, None, 0, delayed=0.0, others=0.0)
    assert between(before, Load(2.0, None, None, 0, delayed=0.3, others=0.4)).quiet
    evidence = between(before, Load(2.0, None, None, 0, delayed=0.6, others=0.4))
    assert (pytest.approx(0.1), False) == (evidence.delayed, evidence.quiet)


def test_lost_time_that_nobody_tells_is_taken_for_lost(disturbed):
    """Without it each preemption counts."""
    assert 1 == disturbed(now=6.0, switches=8, lost=None)
    assert 2 == disturbed(now=7.0, switches=9, lost=1.0)
    assert 2 == disturbed(now=8.0, switches=10)


def test_each_thread_counts_for_itself(disturbed):
    """Another one begins at none."""
    assert 1 == disturbed(now=5.1, switches=8, lost=2.0)
    found: list[int] = []
    thread = threading.Thread(target=lambda: found.append(disturbed()))
    thread.start()
    thread.join()
    assert ([0], 1) == (found, disturbed())


@pytest.mark.parametrize("module", [None, SimpleNamespace(getrusage=lambda who: None)])
def test_a_system_without_the_counter_has_no_guard(monkeypatch, module):
    """Windows has no module `resource`, macOS no RUSAGE_THREAD."""
    monkeypatch.setitem(sys.modules, "resource", module)
    assert preemption_counter() is None


def test_the_speed_of_the_machine_is_the_median_of_many_runs():
    """Half of them may be disturbed without moving it."""
    ticks = iter([0.0, 0.001] * 21 + [0.0, 9.0] * 20)
    assert 0.001 == machine_speed(lambda: next(ticks))


def test_the_speed_of_this_machine_is_measured():
    """The work takes some time, and far less than a second."""
    assert 1e-5 < machine_speed() < 0.5
