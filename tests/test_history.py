"""What is kept of earlier runs, what survives there, and what is concluded from it."""

from __future__ import annotations

import json
import math
import os
import random
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from itertools import combinations
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conftest import git
from pytest_reliability.latency import history as module
from pytest_reliability.latency.history import (
    KEPT,
    LEVELS,
    SPARE,
    History,
    Record,
    export,
    machine_class,
    revision,
    sketch,
    speed_note,
    to_otava_csv,
)
from pytest_reliability.latency.judge import FAIL, INCONCLUSIVE, PASS
from pytest_reliability.latency.ratchet import BASE, LATEST, loose, ratchet, slower
from pytest_reliability.report import Measurement

MEASURED = Measurement(
    name="test_buy",
    test="tests/test_buy.py::test_buy",
    budget="p95 ≤ 50 ms",
    outcome="pass",
    reason="",
    limit=0.05,
    quantile=0.95,
    n=200,
    over=3,
    low=0.030,
    high=0.042,
)


def record(value: float | None = 0.004, *, date: str = "2026-11-23T10:00:00+00:00", **others: object) -> Record:
    """A record of a run in which p95 was that many seconds."""
    whole = Record.of(MEASURED, [value or 0.0], green=True, date=date, speed=0.001)
    return replace(whole, value=value, high=value, **others)


def series(*values: float, speeds: tuple[float, ...] = ()) -> list[Record]:
    """Records of runs in this order."""
    return [record(value, speed=speeds[place] if speeds else 0.001) for place, value in enumerate(values)]


@pytest.fixture
def kept(tmp_path) -> History:
    """An empty history in a repository."""
    return History(tmp_path, "laptop")


# --- Records ---


def test_a_record_holds_what_was_measured():
    """The judged quantile is the order statistic that the budget is about; the sketch begins and ends with the extremes."""
    samples = [number / 1000 for number in range(1, 201)]
    random.Random(1).shuffle(samples)
    kept = Record.of(MEASURED, samples, green=True, speed=0.001, revision="a" * 40)
    assert (0.190, 0.030, 0.042, 200, 3, 0.001) == (kept.value, kept.low, kept.high, kept.n, kept.over, kept.speed)
    assert (len(LEVELS), 0.001, 0.2) == (len(kept.sketch), kept.sketch[0], kept.sketch[-1])
    assert ("p95", True, "a" * 40) == (kept.name, kept.green, kept.revision)
    assert kept.date.endswith("+00:00")


def test_an_error_has_no_time():
    """JSON knows no infinity, and no time would be right."""
    kept = Record.of(MEASURED, [0.1] * 10 + [math.inf] * 10, green=False)
    assert (None, None, 0.1) == (kept.value, kept.sketch[-1], kept.at(1.0))
    assert (None, ()) == (Record.of(MEASURED, [], green=False).value, Record.of(MEASURED, [], green=False).sketch)
    assert Record.of(MEASURED, [math.inf], green=False).at(0.5) is None


@given(st.lists(st.floats(1e-6, 10.0), min_size=1, max_size=400), st.sampled_from([0.0, 0.5, 0.9, 0.95, 1.0]))
def test_a_sketch_knows_the_quantiles(samples, level):
    """To within the step between two of its levels."""
    ordered = sorted(samples)
    found = Record.of(MEASURED, samples, green=True).at(level)
    share = sum(sample <= found for sample in ordered) / len(ordered)
    below = sum(sample < found for sample in ordered) / len(ordered)
    assert below - 1 / 24 <= level <= share + 1 / 24


@pytest.mark.parametrize("level", [0.5, 0.9, 0.95, 0.99, 0.999, 0.9999])
def test_a_sketch_is_exact_where_people_ask(level):
    """The quantiles that budgets are about have a place of their own."""
    assert level == pytest.approx(Record.of(MEASURED, [n / 100_000 for n in range(100_001)], green=True).at(level))


def test_few_samples_are_all_kept():
    """An error among them has its place."""
    assert (1.0, 2.0, None) == sketch([1.0, 2.0, math.inf])


# --- The file ---


def test_what_is_kept_comes_back(kept, tmp_path):
    """In order, each as it was, from a file that is named after the machine."""
    kept.add([record(0.001), record(0.002, operation="POST /warenkörbe")])
    kept.add([record(None)])
    assert tmp_path / ".reliability" / "latency" / "laptop.jsonl" == kept.path
    assert (record(0.001), record(0.002, operation="POST /warenkörbe"), record(None)) == History(tmp_path, "laptop").records
    assert [] == kept.problems
    assert 3 == len(kept.path.read_bytes().splitlines())


def test_runs_are_of_one_series(kept):
    """The same test, operation and quantile; a limit may have changed meanwhile."""
    now = record(0.009)
    kept.add(
        [
            record(0.001),
            record(0.002, operation="search"),
            record(0.003, quantile=0.5),
            record(0.004, budget="p95 ≤ 9 ms", limit=0.009),
        ]
    )
    assert [0.001, 0.004] == [run.value for run in kept.runs(now)]
    assert () == kept.runs(record(kind="errors"))


def test_nothing_is_written_of_nothing(kept):
    """No file for a run without measurements, and none to read either."""
    kept.add([])
    assert () == kept.records
    assert not kept.path.exists()


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (b"{", "no JSON"),
        (b"\xff\xfe", "no JSON"),
        (b"[" * 200_000, "no JSON"),
        (b"[1]", "no object"),
        (b"{}", "'n' is no number that it could be"),
        (b'{"sketch": 3}', "'sketch' is no list"),
        ({"n": True}, "'n' is no number that it could be"),
        ({"n": -1}, "'n' is no number that it could be"),
        ({"over": "many"}, "'over' is no number that it could be"),
        ({"limit": math.nan}, "'limit' is no number that it could be"),
        ({"value": 10**400}, "'value' is no number that it could be"),
        ({"sketch": [1, "x"]}, "'sketch' is no number that it could be"),
        ({"green": "yes"}, "'green' is neither true nor false"),
        ({"test": None}, "'test' is no text"),
        ({"revision": 7}, "'revision' is no text"),
    ],
)
def test_a_damaged_line_is_left_out_and_named(kept, line, why):
    """The others count; the file and the line are named."""
    kept.add([record(0.001)])
    if isinstance(line, dict):
        line = json.dumps(json.loads(kept.path.read_bytes()) | line).encode()
    kept.path.write_bytes(kept.path.read_bytes() + b"\n" + line + b"\n")
    kept.add([record(0.002)])
    assert [0.001, 0.002] == [run.value for run in kept.records]
    assert [f".reliability/latency/laptop.jsonl:3: line left out of the history: {why}"] == kept.problems


@given(st.binary(max_size=200))
def test_no_line_raises(tmp_path_factory, line):
    """Whatever it holds."""
    kept = History(tmp_path_factory.mktemp("repository"), "laptop")
    kept.path.parent.mkdir(parents=True)
    kept.path.write_bytes(line)
    assert isinstance(kept.records, tuple)


def test_a_line_that_was_cut_off_spoils_no_other(kept):
    """A crash in the middle of writing: the next line begins on its own."""
    kept.add([record(0.001)])
    kept.path.write_bytes(kept.path.read_bytes()[:-20])
    kept.add([record(0.002)])
    assert [0.002] == [run.value for run in kept.records]
    assert 1 == len(kept.problems)


def test_old_runs_go_and_unknown_fields_stay(kept):
    """The file is written anew where there are many more than the bound; lines are kept as they are."""
    kept.add([record(0.5, operation="rare")])
    future = kept.path.read_bytes().replace(b'{"test"', b'{"later": [1], "test"').replace(b'"rare"', b'"rarer"')
    kept.path.write_bytes(kept.path.read_bytes() + future + b"damaged\n")
    kept.add([record(number / 1e6) for number in range(1, KEPT + SPARE + 1)])
    assert KEPT + SPARE + 2 == len(kept.records)
    kept.add([record(1.0)])
    assert Counter({"": KEPT, "rare": 1, "rarer": 1}) == Counter(run.operation for run in kept.records)
    assert ((SPARE + 2) / 1e6, 1.0) == (kept.records[2].value, kept.records[-1].value)
    assert b'"later": [1]' in kept.path.read_bytes()
    assert [".lock", "laptop.jsonl"] == sorted(path.name for path in kept.path.parent.iterdir())


@pytest.mark.parametrize("place", [".reliability", ".reliability/latency", ".reliability/latency/laptop.jsonl"])
def test_a_link_leads_nobody_out_of_the_repository(tmp_path, place):
    """Whoever may add a link to a repository may not make its tests write elsewhere."""
    outside, root = tmp_path / "outside", tmp_path / "repository"
    outside.mkdir()
    (root / place).parent.mkdir(parents=True)
    (root / place).symlink_to(outside / "laptop.jsonl" if place.endswith("jsonl") else outside)
    kept = History(root, "laptop")
    kept.add([record()])
    assert () == kept.records
    assert [] == list(outside.iterdir())
    assert 2 * [".reliability/latency/laptop.jsonl: a symbolic link leads out of the repository"] == kept.problems


def test_a_link_of_the_lock_leads_nobody_out_either(tmp_path):
    """It is opened without following links."""
    outside = tmp_path / "outside"
    kept = History(tmp_path / "repository", "laptop")
    kept.path.parent.mkdir(parents=True)
    (kept.path.parent / ".lock").symlink_to(outside)
    kept.add([record()])
    assert not outside.exists()
    assert 1 == len(kept.problems)
    assert "history not kept: " in kept.problems[0]


def test_a_history_that_cannot_be_read_is_told(kept):
    """And nothing else happens."""
    kept.path.mkdir(parents=True)
    assert () == kept.records
    assert ".reliability/latency/laptop.jsonl: history not read: Is a directory" == kept.problems[0]


@pytest.mark.parametrize("locks", [None, SimpleNamespace(LOCK_EX=2, flock=lambda *_: (_ for _ in ()).throw(OSError("no locks")))])
def test_without_locks_a_line_is_still_written_at_once(kept, monkeypatch, locks):
    """Windows has none, and some network file systems refuse them."""
    monkeypatch.setitem(sys.modules, "fcntl", locks)
    kept.add([record(0.001)])
    assert [0.001] == [run.value for run in kept.records]


WRITER = """
import sys
from dataclasses import replace
from pathlib import Path
from pytest_reliability.latency.history import History

root, worker = Path(sys.argv[1]), sys.argv[2]
model = History(root, "model").records[0]
for number in range(5):
    History(root, "laptop").add([replace(model, operation=f"{worker}-{number}-{step}") for step in range(30)])
"""


def test_writers_side_by_side_lose_nothing(tmp_path):
    """Processes that append at the same time, each often enough to have the file written anew."""
    History(tmp_path, "model").add([record()])
    writers = [subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path), str(worker)]) for worker in range(3)]
    assert [0, 0, 0] == [writer.wait() for writer in writers]
    kept = History(tmp_path, "laptop")
    assert 450 == len({run.operation for run in kept.records})
    assert [] == kept.problems


# --- The machine ---


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """Say what machine this seems to be; four processors of eight may be used."""
    monkeypatch.delenv("RELIABILITY_MACHINE", raising=False)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: range(4), raising=False)
    monkeypatch.setattr(module.platform, "system", lambda: "Linux")
    monkeypatch.setattr(module.platform, "machine", lambda: "aarch64")
    monkeypatch.setattr(module.platform, "processor", lambda: "")
    monkeypatch.setattr(module, "_is_traced", lambda: False)

    def named(cpuinfo: str = "model name\t: Some(R) Chip(TM) 8375C CPU @ 2.90GHz\nflags\n", **files: str) -> str:
        for name, text in {"cpuinfo": cpuinfo, **{name.replace("__", "/"): text for name, text in files.items()}}.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return machine_class(tmp_path, tmp_path / "groups").removesuffix(f"{sys.version_info[0]}.{sys.version_info[1]}")

    return named


def test_a_machine_is_named_by_what_makes_it_fast(machine):
    """Processor, processors that may be used, system and Python."""
    assert f"some-chip-8375c-4-cpu-linux-{sys.implementation.name}-" == machine()


@pytest.mark.parametrize(
    ("files", "cores"),
    [
        ({"self__cgroup": "0::/\n", "groups__cpu.max": "150000 100000\n"}, "1.5"),
        ({"self__cgroup": "0::/app\n", "groups__app__cpu.max": "max 100000\n", "groups__cpu.max": "200000 100000\n"}, "2"),
        ({"self__cgroup": "0::/\n", "groups__cpu.max": "900000 100000\n"}, "4"),
        ({"self__cgroup": "0::/\n", "groups__cpu.max": "100000 0\n"}, "4"),
        (
            {
                "self__cgroup": "1:cpu:/\n",
                "groups__cpu__cpu.cfs_quota_us": "50000\n",
                "groups__cpu__cpu.cfs_period_us": "100000\n",
            },
            "0.5",
        ),
        (
            {"self__cgroup": "1:cpu:/\n", "groups__cpu__cpu.cfs_quota_us": "-1\n", "groups__cpu__cpu.cfs_period_us": "100000\n"},
            "4",
        ),
    ],
)
def test_a_quota_counts_as_fewer_processors(machine, files, cores):
    """A container with half a processor is another machine than one with four."""
    assert f"-{cores}-cpu-" in machine(**files)


def test_other_processors_have_names_too(machine, monkeypatch):
    """ARM tells numbers; other systems nothing but the architecture."""
    assert machine("CPU implementer\t: 0x41\nCPU part\t: 0xd40\n").startswith("aarch64-0x41-0xd40-4-cpu-")
    assert machine("").startswith("aarch64-4-cpu-")
    monkeypatch.setattr(module.platform, "processor", lambda: "arm")
    assert machine("").startswith("arm-4-cpu-")
    monkeypatch.delattr(os, "sched_getaffinity")
    monkeypatch.setattr(os, "cpu_count", lambda: 8)
    assert machine("").startswith("arm-8-cpu-")


def test_somebody_may_know_better(machine, monkeypatch):
    """The name becomes one that a file may have, and stays in its folder."""
    monkeypatch.setenv("RELIABILITY_MACHINE", "../CI runner/large")
    assert "ci-runner-large" == machine()


def test_traced_code_is_another_machine(machine, monkeypatch):
    """Coverage slows everything down, whichever way it watches."""
    monkeypatch.undo()
    monkeypatch.delenv("RELIABILITY_MACHINE", raising=False)
    monkeypatch.setattr(sys, "gettrace", lambda: None)
    monkeypatch.setattr(sys, "monitoring", SimpleNamespace(COVERAGE_ID=1, get_tool=lambda _: None), raising=False)
    assert not machine_class().endswith("-traced")
    monkeypatch.setattr(sys, "monitoring", SimpleNamespace(COVERAGE_ID=1, get_tool=lambda _: "coverage.py"), raising=False)
    assert machine_class().endswith("-traced")
    monkeypatch.delattr(sys, "monitoring")
    monkeypatch.setattr(sys, "gettrace", lambda: print)
    assert machine_class().endswith("-traced")


@pytest.mark.parametrize(
    ("now", "before", "note"),
    [
        (0.00112, [0.001] * 4, ""),
        (0.00112, [0.0009, 0.001, 0.0011], "this machine is 12% slower than in its last runs"),
        (0.0008, [0.5, 0.0009, 0.001, 0.0011, 0.00101], "this machine is 21% faster than in its last runs"),
        (0.00104, [0.0009, 0.001, 0.0011], ""),
        (0.00112, [0.0009, 0.0011], ""),
    ],
)
def test_the_speed_of_the_machine_is_compared_by_medians(now, before, note):
    """Each run counts once, however much it measured; a small difference is not worth a word."""
    assert note == speed_note(now, [record(speed=speed) for speed in before for _ in range(3)])


def test_old_speeds_do_not_count():
    """Ten runs are enough to know how fast it was lately."""
    assert "" == speed_note(
        0.001, [record(speed=number / 10) for number in range(1, 20)] + [record(speed=0.001 + n / 1e6) for n in range(10)]
    )


# --- The commit ---


def test_the_commit_is_read_without_git(repository):
    """A branch, packed refs, a commit that is checked out, and a folder within."""
    root = repository({"a.txt": "1"})
    head = git(root, "rev-parse", "HEAD").strip()
    (root / "inner").mkdir()
    assert (head, head) == (revision(root), revision(root / "inner"))
    git(root, "pack-refs", "--all")
    assert head == revision(root)
    git(root, "checkout", "--quiet", "--detach")
    assert head == revision(root)


def test_the_commit_of_a_worktree_is_its_own(repository, tmp_path):
    """Its HEAD is elsewhere, and its branches are in the common folder."""
    root = repository({"a.txt": "1"})
    git(root, "worktree", "add", "--quiet", str(tmp_path / "other"), "-b", "topic")
    git(tmp_path / "other", "commit", "--quiet", "--allow-empty", "--message", "More")
    head = git(tmp_path / "other", "rev-parse", "HEAD").strip()
    assert head == revision(tmp_path / "other")
    assert head != revision(root)


@pytest.mark.parametrize(
    "head", ["", "nonsense", "ref: refs/heads/none", "ref: ../../secret", "ref: refs/../../secret", "ref: /etc/passwd"]
)
def test_a_commit_that_is_not_known_is_empty(tmp_path, head):
    """A fresh repository, another way to keep refs, or something that is none."""
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "HEAD").write_text(head)
    assert "" == revision(tmp_path)


def test_without_git_there_is_no_commit(monkeypatch, tmp_path):
    """Nor is one taken from a repository that merely contains this folder's name."""
    monkeypatch.setattr(module.Path, "exists", lambda _: False)
    assert "" == revision(tmp_path)


# --- The ratchet ---

QUIET = (0.0100, 0.0101, 0.0099, 0.0102, 0.0098, 0.0100, 0.0101, 0.0099, 0.0100, 0.0103)


@pytest.mark.parametrize("few", [1, 2, 3, 4])
def test_the_test_is_exact(few):
    """The same as counting all ways to tell the two groups apart."""
    rng = random.Random(few)
    values = [rng.uniform(1.0, 1.3) for _ in range(9)]
    latest, base = values[:few], [value * 1.05 for value in values[few:]]
    pooled = latest + base

    def before(chosen):
        others = [place for place in range(len(pooled)) if place not in chosen]
        return sum(pooled[one] <= pooled[other] for one in chosen for other in others)

    every = [before(chosen) for chosen in combinations(range(len(pooled)), few)]
    expected = sum(found <= before(range(few)) for found in every) / len(every)
    assert pytest.approx(expected) == slower(latest, values[few:])


def test_slower_code_fails():
    """All of the last three runs are more than 5% slower than all ten before: one way of 286."""
    assert (
        FAIL,
        "21% slower: p95 12.1 ms in the last 3 runs, 10.0 ms in 10 green ones before, p=0.0035",
    ) == ratchet(series(*QUIET, 0.0120, 0.0121, 0.0125))


def test_unchanged_code_passes():
    """So does code that has become faster, or slower by no more than matters."""
    outcome, reason = ratchet(series(*QUIET, 0.0100, 0.0103, 0.0104))
    assert (
        PASS,
        "not shown to be more than 5% slower: p95 10.3 ms in the last 3 runs, 10.0 ms in 10 green ones before, p=0.98",
    ) == (outcome, reason)
    assert PASS == ratchet(series(*QUIET, 0.005, 0.005, 0.005))[0]


def test_one_slow_run_decides_nothing():
    """Nor do two."""
    assert PASS == ratchet(series(*QUIET, 0.010, 0.010, 0.9))[0]
    assert PASS == ratchet(series(*QUIET, 0.010, 0.9, 0.9))[0]


def test_a_slow_machine_is_no_slow_code():
    """Everything takes a third longer, and so does the reference; the other way round code is slower, too."""
    fast = (0.0010, 0.00101, 0.00099) * 5
    third = (*QUIET, 0.0133, 0.0134, 0.0135)
    assert PASS == ratchet(series(*third, speeds=(*fast[:10], 0.00133, 0.00134, 0.00135)))[0]
    assert FAIL == ratchet(series(*third, speeds=fast[:13]))[0]
    unsteady = ratchet(series(*QUIET, 0.0100, 0.0100, 0.0100, speeds=(*fast[:10], 0.0005, 0.0005, 0.0005)))
    assert PASS == unsteady[0]


def test_without_a_reference_the_times_decide():
    """And it is said."""
    runs = [replace(run, speed=None) for run in series(*QUIET, 0.0120, 0.0121, 0.0125)]
    outcome, reason = ratchet(runs)
    assert (FAIL, True) == (outcome, reason.endswith("p=0.0035, the machine's speed not known"))


@pytest.mark.parametrize(
    ("runs", "needs"),
    [
        ([], "10 more green runs"),
        (series(0.01), "10 more green runs"),
        (series(*[0.01] * 12), "1 more green run"),
        ([*series(*[0.01] * 5), *[replace(run, green=False) for run in series(*[0.01] * 9)]], "5 more green runs"),
        ([*series(*[0.01] * 12), *(replace(run, value=None) for run in series(*[0.01] * 9))], "1 more green run"),
    ],
)
def test_too_few_runs_say_how_many_are_missing(runs, needs):
    """Runs that were red, or had no time, do not count."""
    assert (INCONCLUSIVE, f"no comparison yet: it needs {needs}") == ratchet(runs)


def test_what_failed_does_not_become_the_standard():
    """Slower code that stays fails again and again, though its first two runs were green."""
    runs = series(*QUIET)
    outcomes = []
    for _ in range(12):
        runs += series(0.012)
        outcome, _ = ratchet(runs)
        runs[-1] = replace(runs[-1], green=outcome != FAIL, ratchet=outcome)
        outcomes.append(outcome)
    assert [INCONCLUSIVE, INCONCLUSIVE, *[FAIL] * 10] == outcomes
    runs += series(0.010)
    assert PASS == ratchet(runs)[0]


def simulated(noise: str, rng: random.Random, runs: int, slowdown: float = 1.0, since: int = 0) -> tuple[int, int]:
    """In how many of `runs` runs the ratchet fails, and in how many it judged: speed differs from run to run as `noise` says."""
    state = rng.gauss(0.0, 1.0)
    kept: list[Record] = []
    failed = judged = 0
    for run in range(runs):
        state = 0.7 * state + rng.gauss(0.0, math.sqrt(1 - 0.7**2))
        code, machine = {
            "independent 3%": (rng.gauss(0.0, 0.03), 0.0),
            "independent 8%": (rng.gauss(0.0, 0.08), 0.0),
            "machine 8%": (rng.gauss(0.0, 0.03), rng.gauss(0.0, 0.08)),
            "machine 8%, in phases": (rng.gauss(0.0, 0.03), 0.08 * state),
            "two kinds of machine": (rng.gauss(0.0, 0.03), 0.15 * (rng.random() < 0.3)),
            "unsteady reference": (rng.gauss(0.0, 0.05), rng.gauss(0.0, 0.15)),
            "6%, in phases, unseen": (0.06 * state, 0.0),
        }[noise]
        seen = 0.0 if noise == "unsteady reference" else machine
        change = slowdown if run >= since else 1.0
        value = 0.01 * change * math.exp(code + seen + rng.gauss(0.0, 0.02))
        kept.append(record(value, speed=0.001 * math.exp(machine + rng.gauss(0.0, 0.02))))
        outcome, _ = ratchet(kept[-60:])
        kept[-1] = replace(kept[-1], green=outcome != FAIL, ratchet=outcome)
        judged += outcome != INCONCLUSIVE
        failed += outcome == FAIL and run >= since
    return failed, judged


NOISES = {
    "independent 3%": 0.001,
    "independent 8%": 0.003,
    "machine 8%": 0.001,
    "machine 8%, in phases": 0.001,
    "two kinds of machine": 0.001,
    "unsteady reference": 0.001,
    "6%, in phases, unseen": 0.03,
}


@pytest.mark.parametrize(("noise", "most"), NOISES.items())
def test_runs_that_differ_by_chance_do_not_fail(noise, most):
    """Hardly ever: docs/history.md has the figures of a longer simulation. Phases that no reference shows are the limit."""
    results = [simulated(noise, random.Random(f"{noise}{seed}"), 60) for seed in range(20)]
    assert sum(failed for failed, _ in results) <= most * sum(judged for _, judged in results) + 1


@pytest.mark.parametrize("noise", ["independent 3%", "machine 8%", "two kinds of machine"])
def test_code_that_is_half_as_slow_again_is_found(noise):
    """Within six runs."""
    found = [simulated(noise, random.Random(f"{noise}{seed}"), 22, 1.5, 16)[0] > 0 for seed in range(20)]
    assert sum(found) >= 18


# --- A loose budget ---


def test_a_budget_that_notices_nothing_is_told():
    """With the limit that would."""
    assert (
        "p95 has been at most 4.10 ms in the last 10 runs; p95 ≤ 50 ms would not notice it growing 12-fold; "
        'consider p95="8ms"' == loose(series(*[0.9], *[0.004] * 9, 0.0041))
    )


@pytest.mark.parametrize(
    "runs",
    [
        series(*[0.004] * 9),
        series(*[0.011] * 10),
        [*series(*[0.004] * 9), record(0.012)],
        [*series(*[0.004] * 9), record(None)],
        [*series(*[0.004] * 9), record(0.004, kind="errors")],
    ],
)
def test_a_budget_is_not_called_loose_too_early(runs):
    """Too few runs, a tight limit, a run that was slower, a time that is not known, a budget that is none of time."""
    assert "" == loose(runs)


@pytest.mark.parametrize(
    ("worst", "meant"),
    [(0.0041, "8ms"), (0.00074, "1.5ms"), (0.00061, "1ms"), (0.35, "700ms"), (2.0, "4s"), (4e-6, "8us"), (4e-8, "80ns")],
)
def test_the_limit_that_is_suggested_is_one_to_type(worst, meant):
    """About twice the worst, never less than half as much again."""
    assert loose([record(worst, limit=100.0)] * 10).endswith(f'consider p95="{meant}"')


# --- Apache Otava ---


def test_a_series_becomes_a_table(kept):
    """In order of time, in milliseconds; a run without a time is left out, for Otava wants a number in each cell."""
    samples = [number / 1000 for number in range(1, 101)]
    first = Record.of(MEASURED, samples, green=True, date="2026-11-22T10:00:00+00:00", revision="a" * 40)
    second = Record.of(MEASURED, [0.0005], green=True, date="2026-11-23T10:00:00+00:00")
    errors = Record.of(MEASURED, [math.inf], green=False, date="2026-11-24T10:00:00+00:00")
    table = to_otava_csv([second, errors, first])
    assert [
        "time,commit,p50,p90,p95,p99,max",
        f"2026-11-22T10:00:00+00:00,{'a' * 40},51,90,95,99,100",
        "2026-11-23T10:00:00+00:00,,0.5,0.5,0.5,0.5,0.5",
    ] == table.splitlines()


def test_each_series_has_a_table_of_its_own(kept):
    """By a name that a file may have; counts and errors are no times, and a table without any has nothing to say."""
    names = ("POST /buy", "POST buy", "")
    failed = Record.of(replace(MEASURED, operation="POST /pay"), [math.inf], green=False)
    kept.add([record(operation=name) for name in (*names, *names)] + [record(kind="errors"), failed])
    tables = export(kept.records)
    test = "tests-test-buy.py-test-buy"
    assert [f"{test}-post-buy-p95", f"{test}-post-buy-p95-", f"{test}-p95"] == list(tables)
    assert {3} == {len(table.splitlines()) for table in tables.values()}
    assert (BASE, LATEST) == (10, 3)
