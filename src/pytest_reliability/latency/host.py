"""What the machine did while something was measured: the difference between slow code and a busy host.

Where the system counts how often a thread was preempted (Linux), samples during which that happened are set aside. All
other counters are evidence beside a verdict; they decide nothing. docs/host.md says what each of them means, and what is
known on which system.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pytest_reliability.latency.message import percent

PROC = Path("/proc")
CONTROL_GROUPS = Path("/sys/fs/cgroup")

DISTURBED = 0.02
"""The share of its time that a run of calls has to lose to count as preempted. A call of a tenth of a second is preempted a
few times on any host, for microseconds: if that set it aside, no long call could ever be judged."""

MOST_SET_ASIDE = 0.5
"""Past this share of preempted samples the host is too busy to judge: a call is the likelier to be preempted the longer
it takes, so that what is left would be a choice rather than a sample."""

QUIET_PREEMPTED = 0.05
QUIET_PRESSURE = 0.10
QUIET_STALLED = 0.05
QUIET_STOLEN = 0.02
QUIET_THROTTLED = 0.01
QUIET_DELAYED = 0.05
QUIET_LOAD = 1.0

CROWDED = 1.5
"""How many times slower a call may be at most because others share its core, its caches and its clock rate with it. Where
processors are shared, what is slower than that is slow of its own; what is not may be anything."""

TICKS_PER_SECOND = 100
"""What Linux tells processor time in, whatever the kernel itself counts in (USER_HZ)."""

TOLD = 0.001
"""The least share that is worth a word."""

_SPEED_RUNS = 41
_SPEED_STEPS = 2000
_UNGUARDED = "preemption not counted here, so not guarded"
_WHY_UNGUARDED = {"darwin": "macOS counts it for whole processes only", "win32": "Windows does not count it"}


@dataclass(frozen=True, slots=True)
class Load:
    """Counters of the whole machine, and of this thread and its process, at one moment; None where nobody counts.

    `waited` is how many seconds so far some task has waited for a processor; `stolen` of the `wanted` seconds of
    processor time, all processors together, went to other virtual machines. `memory` and `disk` are how many seconds some
    task was stalled for want of memory, and all tasks on the disk. `throttled` is how many seconds the control group was not
    allowed to run, having used its quota. `delayed` is how many seconds this thread could have run, but did not. `others` is
    the processor time of this process's other threads. `queue` is how many tasks the system had for each processor in the
    last minute, asked only where `waited` is not known.
    """

    at: float
    waited: float | None
    stolen: float | None
    wanted: float
    memory: float | None = None
    disk: float | None = None
    throttled: float | None = None
    delayed: float | None = None
    others: float | None = None
    queue: float | None = None

    @classmethod
    def now(
        cls, proc: Path = PROC, clock: Callable[[], float] = time.perf_counter, control_groups: Path = CONTROL_GROUPS
    ) -> Load:
        """Read the counters."""
        pressure = proc / "pressure"
        stolen, wanted = _stolen(_text(proc / "stat"))
        stalled = _stalled(_text(pressure / "cpu"), "some")
        return cls(
            clock(),
            stalled,
            stolen,
            wanted,
            memory=_stalled(_text(pressure / "memory"), "some"),
            disk=_stalled(_text(pressure / "io"), "full"),
            throttled=_throttled(_text(proc / "self" / "cgroup"), control_groups),
            delayed=waited(proc / "thread-self"),
            others=other_threads(),
            queue=_queue() if stalled is None else None,
        )


@dataclass(frozen=True, slots=True)
class Evidence:
    """The host while something was measured: `set_aside` of `measured` samples were preempted.

    `guarded` is False where preemption is not counted. All others are shares of the time, None where not known:
    `pressure` that some task waited for a processor, `memory` and `disk` that work was stalled on them, `throttled` that the
    control group had used up its quota, `delayed` that this thread could have run but did not, other than for threads of its
    own process, and `others` the processor time of these. `stolen` is the share of the wanted processor time that went to
    other virtual machines, and `stolen_seconds` how long that was, all processors together. `queue` is the number of tasks
    for each processor. All this is about so many `seconds`.
    """

    measured: int
    set_aside: int
    guarded: bool
    pressure: float | None = None
    stolen: float | None = None
    memory: float | None = None
    disk: float | None = None
    throttled: float | None = None
    delayed: float | None = None
    others: float | None = None
    queue: float | None = None
    stolen_seconds: float = 0.0
    seconds: float = 0.0

    @classmethod
    def between(cls, before: Load, after: Load, *, measured: int, set_aside: int, guarded: bool) -> Evidence:
        """What happened between two readings, both taken in the thread that measured."""
        seconds = after.at - before.at

        def share(then: float | None, now: float | None, of: float = seconds) -> float | None:
            return None if then is None or now is None or of <= 0 else min(1.0, max(0.0, (now - then) / of))

        others, delayed = share(before.others, after.others), share(before.delayed, after.delayed)
        return cls(
            measured,
            set_aside,
            guarded,
            pressure=share(before.waited, after.waited),
            stolen=share(before.stolen, after.stolen, after.wanted - before.wanted),
            memory=share(before.memory, after.memory),
            disk=share(before.disk, after.disk),
            throttled=share(before.throttled, after.throttled),
            delayed=None if delayed is None else max(0.0, delayed - (others or 0.0)),
            others=others,
            queue=after.queue,
            stolen_seconds=max(0.0, (after.stolen or 0.0) - (before.stolen or 0.0)),
            seconds=seconds,
        )

    @property
    def preempted(self) -> float:
        """The share of the samples that was preempted and set aside."""
        return self.set_aside / self.measured if self.measured else 0.0

    @property
    def quiet(self) -> bool:
        """Whether nothing that was counted disturbed the measurement.

        Other threads of the process may well be what is measured, so they do not count.
        """
        return (
            not self.crowded
            and (self.stolen or 0.0) < QUIET_STOLEN
            and (self.memory or 0.0) < QUIET_STALLED
            and (self.disk or 0.0) < QUIET_STALLED
            and (self.throttled or 0.0) < QUIET_THROTTLED
            and (self.delayed or 0.0) < QUIET_DELAYED
        )

    @property
    def crowded(self) -> bool:
        """Whether others wanted the same processors, in this machine or in other virtual ones beside it."""
        return (
            self.preempted >= QUIET_PREEMPTED
            or max(self.pressure or 0.0, self.stolen or 0.0) >= QUIET_PRESSURE
            or (self.queue or 0.0) > QUIET_LOAD
        )

    def lost(self, took: float) -> float:
        """The share of `took` seconds of calls, at most, in which the host let nothing happen.

        Calls do not fill all of the time that the counters are about: while the rule rests, nobody is kept from running.
        And calls that wait want little of a processor. Most of that may be stolen, and yet be next to nothing for them.
        """
        calling = min(took, self.seconds) or self.seconds
        if not calling:
            return 0.0
        stopped = sum(share or 0.0 for share in (self.delayed, self.throttled, self.memory, self.disk)) * self.seconds / calling
        return min(1.0, stopped + min(self.stolen or 0.0, self.stolen_seconds / calling))

    def __str__(self) -> str:
        parts = [f"{percent(self.preempted)} preempted"] if self.guarded else [_UNGUARDED, _WHY_UNGUARDED.get(sys.platform, "")]
        if self.pressure is not None:
            parts.append(f"{percent(self.pressure)} pressure" if self.pressure >= TOLD else "no pressure")
        shares = (
            (self.stolen, TOLD, "stolen"),
            (self.throttled, TOLD, "throttled by the container's quota"),
            (self.delayed, TOLD, "kept from running"),
            (self.memory, TOLD, "short of memory"),
            (self.disk, TOLD, "held up by the disk"),
            (self.others, QUIET_STALLED, "of a processor used by other threads"),
        )
        parts += [f"{percent(share)} {words}" for share, least, words in shares if share is not None and share >= least]
        if self.queue is not None:
            parts.append(f"{self.queue:.1f} tasks a processor")
        return f"host {'quiet' if self.quiet else 'busy'}: {', '.join(filter(None, parts))}"


def preemption_counter(proc: Path = PROC, clock: Callable[[], float] = time.perf_counter) -> Callable[[], int] | None:
    """A function that says how often the calling thread was disturbed so far by preemption; None where nobody counts that.

    macOS counts for whole processes only. That is not used: any thread of an extension or of the interpreter would set
    samples aside that it did not touch.
    """
    try:
        import resource

        usage, thread = resource.getrusage, resource.RUSAGE_THREAD
    except (ImportError, AttributeError):
        return None
    this, local = proc / "thread-self", threading.local()

    def disturbances() -> int:
        """Ask how much time was lost only where any was: that takes fifty times as long as asking whether."""
        at, times, others = clock(), usage(thread).ru_nivcsw, other_threads()
        try:
            seen: _Seen = local.seen
        except AttributeError:
            seen = local.seen = _Seen(at, times, others, waited(this))
        if times != seen.times:
            lost = waited(this)
            ours = others - seen.others
            if lost is None or seen.lost is None or lost - seen.lost - ours >= DISTURBED * (at - seen.at):
                seen.count += 1
            seen.times, seen.lost = times, lost
        seen.at, seen.others = at, others
        return seen.count

    return disturbances


class _Seen:
    """A thread as it was last seen: when, how often preempted, the seconds that it had lost, and what came of all that.

    `others` is the processor time of the process's other threads by then.
    """

    __slots__ = ("at", "count", "lost", "others", "times")

    def __init__(self, at: float, times: int, others: float, lost: float | None) -> None:
        self.at, self.times, self.others, self.lost, self.count = at, times, others, lost, 0


def other_threads() -> float:
    """The seconds of processor time that this process's other threads have taken.

    What a thread loses to them is no fault of the host: a test client and the application that it calls in a thread of
    its own take turns, for one.
    """
    return time.process_time() - time.thread_time()


def machine_speed(clock: Callable[[], float] = time.perf_counter) -> float:
    """How many seconds this machine takes for a small fixed piece of work: the median of many times about a millisecond.

    The median, because the reference scales medians: other quantiles say more about the host's neighbours than about it.
    """
    took = []
    for _ in range(_SPEED_RUNS):
        began = clock()
        _work()
        took.append(clock() - began)
    return sorted(took)[_SPEED_RUNS // 2]


def _work() -> int:
    """Numbers, texts, a dictionary, a list: what Python code is made of."""
    words: dict[str, int] = {}
    number = 1
    for step in range(_SPEED_STEPS):
        number = (number * 1103515245 + 12345) % 2147483648
        word = str(number % 97)
        words[word] = words.get(word, 0) + step
    return sum(sorted(words.values(), key=lambda value: -value)[:10])


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii", errors="replace")
    except OSError:
        return ""


def _stalled(text: str, kind: str) -> float | None:
    """The seconds in `some avg10=0.00 avg60=0.00 avg300=0.00 total=21202076`, which counts microseconds."""
    line = next((line for line in text.splitlines() if line.startswith(kind)), "")
    total = line.rpartition("total=")[2].strip()
    return int(total) / 1e6 if total.isdecimal() else None


def _stolen(text: str) -> tuple[float | None, float]:
    """Stolen and wanted seconds in `cpu user nice system idle iowait irq softirq steal …`; guests are counted in user.

    Ticks in which nobody wanted the processor cannot be stolen, and would make little of what was.
    """
    name, *fields = text.partition("\n")[0].split() or [""]
    if name != "cpu" or len(fields) < 8 or not all(field.isdecimal() for field in fields):
        return None, 0.0
    ticks = [int(field) for field in fields[:8]]
    return ticks[7] / TICKS_PER_SECOND, (sum(ticks) - ticks[3] - ticks[4]) / TICKS_PER_SECOND


def waited(process: Path) -> float | None:
    """The seconds for which a process or thread was ready to run and had to wait; None where nobody tells.

    It is the second of the three numbers in its `schedstat`, in nanoseconds.
    """
    try:
        descriptor = os.open(f"{process}/schedstat", os.O_RDONLY)  # a file object would take four times as long
        try:
            _, queued, _ = os.read(descriptor, 100).split()
            return int(queued) / 1e9
        finally:
            os.close(descriptor)
    except (OSError, ValueError):
        return None


def control_groups_of(membership: str, mount: Path = CONTROL_GROUPS) -> tuple[int, tuple[Path, ...]]:
    """The version and the folders of the control groups that limit this process's processors: its own, and those around it.

    `membership` is /proc/self/cgroup. A container may show its own only, or call it by a name that holds outside.
    """
    for line in membership.splitlines():
        _, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if "cpu" in controllers.split(","):
            return 1, _around(mount / controllers if (mount / controllers).is_dir() else mount / "cpu", path)
    return 2, _around(mount, membership.rpartition("0::")[2].strip())


def _around(mount: Path, path: str) -> tuple[Path, ...]:
    folder = mount.joinpath(*(part for part in path.split("/") if part not in ("", "..")))
    return (folder, *(parent for parent in folder.parents if parent.is_relative_to(mount)))


def _throttled(membership: str, mount: Path) -> float | None:
    """The seconds for which the control groups of this process were throttled, added up."""
    version, folders = control_groups_of(membership, mount)
    name, unit = ("throttled_usec", 1e-6) if version == 2 else ("throttled_time", 1e-9)
    found = [count for folder in folders if (count := _count(_text(folder / "cpu.stat"), name)) is not None]
    return sum(found) * unit if found else None


def _count(text: str, name: str) -> int | None:
    line = next((line for line in text.splitlines() if line.startswith(name + " ")), "")
    count = line.rpartition(" ")[2]
    return int(count) if count.isdecimal() else None


def _queue() -> float | None:
    """The load average of the last minute for each processor; Windows has none."""
    try:
        return os.getloadavg()[0] / (os.cpu_count() or 1)
    except (AttributeError, OSError):
        return None
