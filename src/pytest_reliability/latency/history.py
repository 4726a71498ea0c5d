"""What was measured in earlier runs: one line of JSON for each operation and run, in a file for each class of machine.

Runs on different machines are not compared. Within a class a reference (`host.machine_speed`) tells how fast the machine
was at that time. docs/history.md shows the lines, and what can be made of them.
"""

from __future__ import annotations

import csv
import io
import json
import os
import platform
import re
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timezone
from fractions import Fraction
from math import ceil, isfinite
from pathlib import Path
from statistics import median
from typing import Any

from pytest_reliability.latency.host import CONTROL_GROUPS, PROC, control_groups_of
from pytest_reliability.latency.message import percent
from pytest_reliability.report import Measurement

FOLDER = Path(".reliability", "latency")
MACHINE = "RELIABILITY_MACHINE"
"""The environment variable that names the class of this machine, where somebody knows better."""

KEPT = 200
"""Runs of each operation that are kept."""

SPARE = 50
"""Runs more than that before a file is written anew, which is not worth it for every single one."""

_NAMED_LEVELS = (0.9, 0.95, 0.99, 0.995, 0.999, 0.9999)
LEVELS = tuple(sorted({step / 48 for step in range(49)} | {1 - 1 / 48 / 2**step for step in range(1, 10)} | {*_NAMED_LEVELS}))
"""The quantiles of a sketch: evenly spread, closer and closer towards the slowest, and those that people ask for."""

OTAVA_METRICS = {"p50": 0.5, "p90": 0.9, "p95": 0.95, "p99": 0.99, "max": 1.0}
"""The columns of a table for Apache Otava, and what they stand for."""

SPEED_TOLD = 0.05
SPEED_RUNS = 10
LEAST_SPEED_RUNS = 3

_TEXTS = ("test", "operation", "budget", "kind", "outcome", "date")
_FLAGS = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
_REVISION = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_TRADE = re.compile(r"\((?:R|TM|C)\)|\bCPU\b|\bProcessor\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One judged operation in one run; a line of the history. Times are in seconds.

    `value` is the quantile in the samples, between `low` and `high` as far as that is known; None where it is an error.
    `sketch` are some of the `n` samples in order, at `LEVELS`, or all of them where they are no more; None for an error.
    `speed` is what `host.machine_speed` measured when the run began. `green` says whether the test passed, and `ratchet`
    what came of comparing the run with earlier ones, "" where nobody asked.
    """

    test: str
    operation: str
    budget: str
    kind: str
    quantile: float
    limit: float
    outcome: str
    n: int
    over: int
    green: bool
    date: str
    value: float | None = None
    low: float | None = None
    high: float | None = None
    speed: float | None = None
    sketch: tuple[float | None, ...] = ()
    revision: str = ""
    ratchet: str = ""

    @classmethod
    def of(
        cls,
        measurement: Measurement,
        samples: Sequence[float],
        *,
        green: bool,
        speed: float | None = None,
        revision: str = "",
        ratchet: str = "",
        date: str | None = None,
    ) -> Record:
        """What is kept of a measurement. `samples` are those that were judged; an error is infinite."""
        ordered = sorted(samples)
        at = ceil(Fraction(measurement.quantile) * len(ordered)) - 1
        return cls(
            test=measurement.test,
            operation=measurement.operation,
            budget=measurement.budget,
            kind=measurement.kind,
            quantile=measurement.quantile,
            limit=measurement.limit,
            outcome=measurement.outcome,
            n=measurement.n,
            over=measurement.over,
            green=green,
            date=date or datetime.now(timezone.utc).isoformat(timespec="seconds"),
            value=_finite(ordered[max(at, 0)]) if ordered else None,
            low=_finite(measurement.low),
            high=_finite(measurement.high),
            speed=_finite(speed),
            sketch=sketch(ordered),
            revision=revision,
            ratchet=ratchet,
        )

    @property
    def key(self) -> tuple[str, str, str, float]:
        """What the record is one of a series of. A limit may change without the series ending."""
        return self.test, self.operation, self.kind, self.quantile

    @property
    def name(self) -> str:
        """The series in one word: "p95", or "errors" or "throughput"."""
        return self.budget.partition(" ")[0]

    def at(self, level: float) -> float | None:
        """The quantile `level` of the samples as far as the sketch knows, errors left out; None where all are."""
        known = [value for value in self.sketch if value is not None]
        if not known:
            return None
        levels = LEVELS if len(self.sketch) == len(LEVELS) else [(i + 1) / len(self.sketch) for i in range(len(self.sketch))]
        return next((value for value, reached in zip(known, levels, strict=False) if reached >= level), known[-1])


class History:
    """The records of one class of machine in the repository at `root`, this one's unless `machine` names another.

    Nothing here raises: what went wrong is added to `problems`, in words. A history that is lost is no reason for a
    test to fail.
    """

    def __init__(self, root: Path, machine: str | None = None) -> None:
        self.root = root
        self.path = root / FOLDER / f"{machine or machine_class()}.jsonl"
        self.problems: list[str] = []
        self._records: tuple[Record, ...] | None = None

    @property
    def records(self) -> tuple[Record, ...]:
        """All records, the oldest first. Damaged lines are left out, and named in `problems`."""
        if self._records is None:
            self._records = tuple(self._read())
        return self._records

    def runs(self, record: Record) -> tuple[Record, ...]:
        """The earlier records of the series that `record` belongs to, the oldest first."""
        return tuple(earlier for earlier in self.records if earlier.key == record.key and earlier is not record)

    def add(self, records: Iterable[Record]) -> None:
        """Append the records of a run, in one piece. Of each operation the last `KEPT` runs are kept, and some to spare."""
        lines = b"".join(_line(record) for record in records)
        if not lines or not self._is_inside():
            return
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with _locked(self.path.parent / ".lock"):
                _append(self.path, lines)
                self._prune()
        except OSError as error:
            self.problems.append(f"{self._shown}: history not kept: {error.strerror or error}")
        self._records = None

    @property
    def _shown(self) -> str:
        return (FOLDER / self.path.name).as_posix()

    def _is_inside(self) -> bool:
        """Whether the file is where it seems to be. A link may not make us write elsewhere."""
        inside = self.path.resolve().is_relative_to(self.root.resolve())
        if not inside:
            self.problems.append(f"{self._shown}: a symbolic link leads out of the repository")
        return inside

    def _read(self) -> Iterator[Record]:
        try:
            lines = self.path.read_bytes().splitlines() if self._is_inside() else []
        except FileNotFoundError:
            return
        except OSError as error:
            self.problems.append(f"{self._shown}: history not read: {error.strerror or error}")
            return
        for number, line in enumerate(lines, start=1):
            if not line.strip():
                continue
            try:
                yield _record(json.loads(line))
            except (ValueError, RecursionError) as error:
                why = "no JSON" if isinstance(error, (json.JSONDecodeError, UnicodeDecodeError, RecursionError)) else str(error)
                self.problems.append(f"{self._shown}:{number}: line left out of the history: {why}")

    def _prune(self) -> None:
        """Write the file anew without old and damaged lines, where there are many. Lines stay as they are."""
        lines = self.path.read_bytes().splitlines(keepends=True)
        if len(lines) <= KEPT + SPARE:
            return
        keys = [_key_of(line) for line in lines]
        if max(Counter(key for key in keys if key).values(), default=0) <= KEPT + SPARE:
            return
        seen: Counter[tuple[str, str, str, float]] = Counter()
        kept: list[bytes] = []
        for line, key in zip(reversed(lines), reversed(keys), strict=True):
            if key and seen[key] < KEPT:
                seen[key] += 1
                kept.append(line)
        anew = self.path.with_suffix(".new")
        anew.unlink(missing_ok=True)
        descriptor = os.open(anew, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
        with os.fdopen(descriptor, "wb") as file:
            file.writelines(reversed(kept))
        anew.replace(self.path)


def sketch(ordered: Sequence[float]) -> tuple[float | None, ...]:
    """Some of the ordered samples, at `LEVELS`; all of them where they are fewer. An error is None."""
    if len(ordered) < len(LEVELS):
        return tuple(map(_finite, ordered))
    last = len(ordered) - 1
    return tuple(_finite(ordered[round(level * last)]) for level in LEVELS)


def speed_note(now: float, before: Sequence[Record]) -> str:
    """How fast the machine is compared with its last runs: "this machine is 12% slower than in its last runs".

    Median over median; "" where the difference is too small to matter, or there are too few runs to tell.
    """
    last = list(dict.fromkeys(record.speed for record in before if record.speed))[-SPEED_RUNS:]
    if len(last) < LEAST_SPEED_RUNS:
        return ""
    ratio = now / median(last)
    if abs(ratio - 1) < SPEED_TOLD:
        return ""
    return f"this machine is {percent(round(abs(ratio - 1), 2))} {'slower' if ratio > 1 else 'faster'} than in its last runs"


def machine_class(proc: Path = PROC, mount: Path = CONTROL_GROUPS) -> str:
    """The machines whose runs may be compared: processor, processors that may be used, system and Python, as a file name.

    Where code is traced, as coverage does, it is another class: everything takes longer then.
    """
    if named := _slug(os.environ.get(MACHINE, "")):
        return named
    python = f"{sys.implementation.name}-{sys.version_info[0]}.{sys.version_info[1]}"
    parts = (_processor(proc), f"{_cores(proc, mount):g}-cpu", platform.system(), python, "traced" if _is_traced() else "")
    return _slug("-".join(filter(None, parts)))


def revision(root: Path) -> str:
    """The git commit that is checked out at `root`, "" where it is not known. Read from files: git need not be there."""
    git = next((folder / ".git" for folder in (root, *root.parents) if (folder / ".git").exists()), None)
    if git is None:
        return ""
    if git.is_file():
        git = git.parent / _text(git).removeprefix("gitdir:").strip()
    head = _text(git / "HEAD").strip()
    if not head.startswith("ref:"):
        return head if _REVISION.fullmatch(head) else ""
    name = head.removeprefix("ref:").strip()
    if ".." in name or not name.startswith("refs/"):
        return ""
    common = git / (_text(git / "commondir").strip() or ".")
    packed = (line.partition(" ") for line in _text(common / "packed-refs").splitlines())
    found = (_text(git / name).strip(), _text(common / name).strip(), *(commit for commit, _, ref in packed if ref == name))
    return next((commit for commit in found if _REVISION.fullmatch(commit)), "")


def to_otava_csv(records: Iterable[Record]) -> str:
    """One series as CSV for Apache Otava, the oldest run first: time, commit, and quantiles of the samples in milliseconds.

    Runs of which no sample is known are left out: each cell has to be a number. docs/history.md has the otava.yaml to it.
    """
    table = io.StringIO()
    rows = csv.writer(table, lineterminator="\n")
    rows.writerow(("time", "commit", *OTAVA_METRICS))
    for record in sorted(records, key=lambda record: record.date):
        quantiles = [value for level in OTAVA_METRICS.values() if (value := record.at(level)) is not None]
        if quantiles:
            rows.writerow((record.date, record.revision, *(f"{value * 1000:.6g}" for value in quantiles)))
    return table.getvalue()


def series(records: Iterable[Record]) -> list[tuple[Record, ...]]:
    """The records of each series among these, in the order in which they are given."""
    found: dict[tuple[str, str, str, float], list[Record]] = {}
    for record in records:
        found.setdefault(record.key, []).append(record)
    return [tuple(runs) for runs in found.values()]


def export(records: Iterable[Record]) -> dict[str, str]:
    """A CSV for Apache Otava for each series of times among the records, by a name for its file."""
    tables: dict[str, str] = {}
    for runs in series(record for record in records if record.kind == "latency" and record.at(1.0) is not None):
        name = _slug(f"{runs[-1].test}-{runs[-1].operation}-{runs[-1].name}", most=200)
        while name in tables:
            name += "-"
        tables[name] = to_otava_csv(runs)
    return tables


def _finite(value: float | None) -> float | None:
    return value if value is not None and isfinite(value) else None


def _line(record: Record) -> bytes:
    """The record as JSON; of a sketch, four figures say enough."""
    data: dict[str, Any] = {name: getattr(record, name) for name in Record.__slots__}
    data["sketch"] = [None if value is None else float(f"{value:.4g}") for value in record.sketch]
    return json.dumps(data, separators=(",", ":"), ensure_ascii=False).encode("utf-8", "surrogateescape") + b"\n"


def _record(data: Any) -> Record:
    """The record that a line stands for. Fields of later versions do no harm. Raises ValueError, saying what is wrong."""
    if not isinstance(data, dict):
        raise ValueError("no object")
    sketched = data.get("sketch", [])
    if not isinstance(sketched, list):
        raise ValueError("'sketch' is no list")
    n, over = _number(data, "n"), _number(data, "over")
    if not isinstance(data.get("green"), bool):
        raise ValueError("'green' is neither true nor false")
    return Record(
        **{name: _string(data, name) for name in _TEXTS},
        quantile=_number(data, "quantile"),
        limit=_number(data, "limit"),
        n=int(n),
        over=int(over),
        green=data["green"],
        value=_perhaps(data, "value"),
        low=_perhaps(data, "low"),
        high=_perhaps(data, "high"),
        speed=_perhaps(data, "speed"),
        sketch=tuple(_perhaps({"sketch": value}, "sketch") for value in sketched),
        revision=_string(data, "revision", ""),
        ratchet=_string(data, "ratchet", ""),
    )


def _string(data: dict[str, Any], name: str, default: str | None = None) -> str:
    value = data.get(name, default)
    if not isinstance(value, str):
        raise ValueError(f"{name!r} is no text")
    return value


def _number(data: dict[str, Any], name: str) -> float:
    value = data.get(name)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= sys.float_info.max:
        raise ValueError(f"{name!r} is no number that it could be")
    return value


def _perhaps(data: dict[str, Any], name: str) -> float | None:
    return None if data.get(name) is None else _number(data, name)


def _key_of(line: bytes) -> tuple[str, str, str, float] | None:
    try:
        return _record(json.loads(line)).key
    except (ValueError, RecursionError):
        return None


def _append(path: Path, lines: bytes) -> None:
    """Write all at once, after a line that was cut off by a crash, if there is one."""
    descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | _FLAGS, 0o644)
    try:
        size = os.fstat(descriptor).st_size
        os.lseek(descriptor, max(0, size - 1), os.SEEK_SET)
        if size and os.read(descriptor, 1) != b"\n":
            lines = b"\n" + lines
        os.write(descriptor, lines)
    finally:
        os.close(descriptor)


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Alone with the folder, where the system can lock files; a single write to a file's end needs no lock."""
    try:
        import fcntl
    except ImportError:
        yield
        return
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | _FLAGS, 0o644)
    try:
        with suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _processor(proc: Path) -> str:
    """The processor's model; the architecture where it does not tell."""
    info = dict(part.split(":", 1) for part in _text(proc / "cpuinfo").splitlines() if ":" in part)
    names = {name.strip(): value.strip() for name, value in info.items()}
    part = "-".join(filter(None, (names.get("CPU implementer"), names.get("CPU part"))))
    model = names.get("model name") or (part and f"{platform.machine()}-{part}") or platform.processor() or platform.machine()
    return _TRADE.sub("", model.partition("@")[0])


def _cores(proc: Path, mount: Path) -> float:
    """The processors that this process may use: as many as it may run on, less where its container has a quota."""
    available = getattr(os, "sched_getaffinity", None)
    cores = float(len(available(0)) if available else os.cpu_count() or 1)
    version, folders = control_groups_of(_text(proc / "self" / "cgroup"), mount)
    for folder in folders:
        texts = ("cpu.max",) if version == 2 else ("cpu.cfs_quota_us", "cpu.cfs_period_us")
        quota, period, *_ = (*" ".join(_text(folder / text) for text in texts).split(), "", "")
        if quota.isdecimal() and period.isdecimal() and int(period):
            cores = min(cores, int(quota) / int(period))
    return cores


def _is_traced() -> bool:
    """Whether each line or call is watched, by a debugger or by coverage in either of its ways."""
    monitoring = getattr(sys, "monitoring", None)
    return sys.gettrace() is not None or (monitoring is not None and monitoring.get_tool(monitoring.COVERAGE_ID) is not None)


def _slug(text: str, most: int = 100) -> str:
    """The text as it can be in the name of a file."""
    return re.sub(r"[^a-z0-9.]+", "-", text.lower())[:most].strip("-.")


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
