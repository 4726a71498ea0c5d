"""What the plugin costs a test suite that does not use it: `pytest --co -q` with it asleep against without it.

    python bench/dormant.py [--pairs N]

Both variants run in turn, in random order within each pair, in fresh processes on an empty suite. Whatever else a host does only
adds CPU time (user + system), so what is compared is the fastest tenth of the runs of each. Only differences within one run mean
anything.
"""

from __future__ import annotations

import argparse
import os
import random
import resource
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

LIMIT = 2.0  # ms added, the target in docs/speed.md


def cpu_ms(*arguments: str, cwd: str) -> float:
    """User and system time of one pytest run, in milliseconds."""
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    environment["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"  # other plugins would only add their noise
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [sys.executable, "-m", "pytest", "--co", "-q", "-p", "no:cacheprovider", *arguments]
    subprocess.run(command, cwd=cwd, env=environment, check=True, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return 1000 * (after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime)


def main() -> int:
    """Print the comparison; 1 where the plugin costs more than it may."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--pairs", type=int, default=40)
    pairs = parser.parse_args().pairs
    random.seed(0)
    variants = {"asleep": ("-p", "pytest_reliability.pytest_plugin"), "without": ()}
    times: dict[str, list[float]] = {name: [] for name in variants}
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "test_nothing.py").write_text("def test_nothing(): pass\n")
        for arguments in variants.values():
            cpu_ms(*arguments, cwd=folder)  # byte code is written, files are in the cache
        for _ in range(pairs):
            for name in random.sample(list(variants), 2):
                times[name].append(cpu_ms(*variants[name], cwd=folder))
    print(f"pytest --co -q, CPU time, {pairs} pairs")
    for name, taken in times.items():
        print(f"  {name:<8} {fastest(taken):7.1f} ms   (median {statistics.median(taken):.1f})")
    added = fastest(times["asleep"]) - fastest(times["without"])
    print(f"  added    {added:7.1f} ms   (at most {LIMIT} wanted)")
    return int(added > LIMIT)


def fastest(taken: list[float]) -> float:
    """The mean of the fastest tenth."""
    return statistics.mean(sorted(taken)[: max(1, len(taken) // 10)])


if __name__ == "__main__":
    raise SystemExit(main())
