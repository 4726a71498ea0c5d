"""What the machine did while something was measured: the difference between slow code and a busy host.

Where the system counts how often a thread was preempted (Linux), samples during which that happened are set aside.
Processor pressure and stolen time are evidence beside a verdict; they decide nothing.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pytest_reliability.latency.message import percent

PROC = Path("/proc")

MOST_SET_ASIDE = 0.5
"""Past this share of preempted samples the host is too busy to judge: a call is the likelier to be preempted the longer
it takes, so that what is left would be a choice rather than a sample."""

QUIET_PREEMPTED = 0.05
QUIET_PRESSURE = 0.10
QUIET_STOLEN = 0.02


@dataclass(frozen=True, slots=True)
class Load:
    """Counters of the whole machine at one moment; None where it does not count.

    `waited` is how many seconds so far some task has waited for a processor; `stolen` of `ticks` processor time went
    to other virtual machines.
    """

    at: float
    waited: float | None
    stolen: int | None
    ticks: int

    @classmethod
    def now(cls, proc: Path = PROC, clock: Callable[[], float] = time.perf_counter) -> Load:
        """Read the counters."""
        stolen, ticks = _stolen(_first_line(proc / "stat"))
        return cls(clock(), _waited(_first_line(proc / "pressure" / "cpu")), stolen, ticks)


@dataclass(frozen=True, slots=True)
class Evidence:
    """The host while something was measured: `set_aside` of `measured` samples were preempted.

    `guarded` is False where preemption is not counted. `pressure` is the share of the time in which some task waited
    for a processor, `stolen` the share that went to other virtual machines; None where that is not known.
    """

    measured: int
    set_aside: int
    guarded: bool
    pressure: float | None = None
    stolen: float | None = None

    @classmethod
    def between(cls, before: Load, after: Load, *, measured: int, set_aside: int, guarded: bool) -> Evidence:
        """What happened between two readings."""
        seconds, ticks = after.at - before.at, after.ticks - before.ticks
        pressure = stolen = None
        if before.waited is not None and after.waited is not None and seconds > 0:
            pressure = min(1.0, (after.waited - before.waited) / seconds)
        if before.stolen is not None and after.stolen is not None and ticks > 0:
            stolen = (after.stolen - before.stolen) / ticks
        return cls(measured, set_aside, guarded, pressure, stolen)

    @property
    def preempted(self) -> float:
        """The share of the samples that was preempted and set aside."""
        return self.set_aside / self.measured if self.measured else 0.0

    @property
    def quiet(self) -> bool:
        """Whether nothing that was counted disturbed the measurement."""
        return (
            self.preempted < QUIET_PREEMPTED and (self.pressure or 0.0) < QUIET_PRESSURE and (self.stolen or 0.0) < QUIET_STOLEN
        )

    def __str__(self) -> str:
        parts = [f"{percent(self.preempted)} preempted" if self.guarded else "preemption not counted here, so not guarded"]
        if self.pressure is not None:
            parts.append(f"{percent(self.pressure)} pressure" if self.pressure >= 0.001 else "no pressure")
        if self.stolen is not None and self.stolen >= 0.001:
            parts.append(f"{percent(self.stolen)} stolen")
        return f"host {'quiet' if self.quiet else 'busy'}: {', '.join(parts)}"


def preemption_counter() -> Callable[[], int] | None:
    """A function that says how often the calling thread was preempted so far; None where nobody counts that."""
    try:
        import resource

        usage, thread = resource.getrusage, resource.RUSAGE_THREAD
    except (ImportError, AttributeError):
        return None
    return lambda: usage(thread).ru_nivcsw


def _first_line(path: Path) -> str:
    try:
        with path.open(encoding="ascii", errors="replace") as file:
            return file.readline()
    except OSError:
        return ""


def _waited(line: str) -> float | None:
    """The seconds in `some avg10=0.00 avg60=0.00 avg300=0.00 total=21202076`, which counts microseconds."""
    total = line.rpartition("total=")[2].strip()
    return int(total) / 1e6 if line.startswith("some") and total.isdecimal() else None


def _stolen(line: str) -> tuple[int | None, int]:
    """Stolen and all ticks in `cpu user nice system idle iowait irq softirq steal …`; guests are counted in user."""
    name, *fields = line.split() or [""]
    if name != "cpu" or len(fields) < 8 or not all(field.isdecimal() for field in fields):
        return None, 0
    ticks = [int(field) for field in fields[:8]]
    return ticks[7], sum(ticks)
