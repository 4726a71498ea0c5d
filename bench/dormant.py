"""What the plugin costs a test suite that does not use it: `pytest --co -q` with it asleep against without it.

    python bench/dormant.py [--pairs N] [--instructions]

Both variants run in turn, in random order within each pair, in fresh processes on an empty suite. Whatever else a host does only
adds CPU time (user + system), so what is compared is the fastest tenth of the runs of each. `--instructions` counts instructions
with valgrind instead: one run each, the same figure every time. Only differences within one run mean anything; an environment
with nothing but pytest and this project in it has the least noise.
"""

from __future__ import annotations

import argparse
import os
import random
import re
import resource
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

LIMIT = 2.0  # ms that it may add
VARIANTS = {"asleep": (), "without": ("-p", "no:reliability")}


def pytest(arguments: tuple[str, ...], folder: str, *wrapper: str) -> str:
    """Run pytest in the folder and give what the wrapper said of it."""
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    environment["PYTHONHASHSEED"] = "0"
    command = [*wrapper, sys.executable, "-m", "pytest", "--co", "-q", "-p", "no:cacheprovider", *arguments]
    return subprocess.run(command, cwd=folder, env=environment, check=True, capture_output=True, text=True).stderr


def cpu_ms(arguments: tuple[str, ...], folder: str) -> float:
    """User and system time of one pytest run, in milliseconds."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    pytest(arguments, folder)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return 1000 * (after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime)


def instructions(arguments: tuple[str, ...], folder: str) -> float:
    """Instructions of one pytest run, in millions."""
    said = pytest(arguments, folder, "valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null")
    (count,) = re.findall(r"Collected : (\d+)", said)
    return int(count) / 1e6


def fastest(taken: list[float]) -> float:
    """The mean of the fastest tenth."""
    return statistics.mean(sorted(taken)[: max(1, len(taken) // 10)])


def main() -> int:
    """Print the comparison; 1 where the plugin costs more than it may."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--pairs", type=int, default=40)
    parser.add_argument("--instructions", action="store_true")
    options = parser.parse_args()
    random.seed(0)
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "test_nothing.py").write_text("def test_nothing(): pass\n")
        for arguments in VARIANTS.values():
            cpu_ms(arguments, folder)  # byte code is written, files are in the cache
        if options.instructions:
            counts = {name: instructions(arguments, folder) for name, arguments in VARIANTS.items()}
            added = counts["asleep"] - counts["without"]
            print(f"pytest --co -q, millions of instructions: {counts['asleep']:.1f} asleep, {counts['without']:.1f} without")
            print(f"  added {added:.1f}, {added / counts['without']:.2%}")
            return 0
        times: dict[str, list[float]] = {name: [] for name in VARIANTS}
        for _ in range(options.pairs):
            for name in random.sample(list(VARIANTS), 2):
                times[name].append(cpu_ms(VARIANTS[name], folder))
    print(f"pytest --co -q, CPU time, {options.pairs} pairs")
    for name, taken in times.items():
        print(f"  {name:<8} {fastest(taken):7.1f} ms   (median {statistics.median(taken):.1f})")
    added = fastest(times["asleep"]) - fastest(times["without"])
    print(f"  added    {added:7.1f} ms   (at most {LIMIT} wanted)")
    return int(added > LIMIT)


if __name__ == "__main__":
    raise SystemExit(main())
