"""Our whole check of 1,000 rule files (6 MB) beside what others do with them.

    python bench/rule_files.py [--files N] [--repetitions N]

The files are made up with a fixed seed. Every command runs in a fresh process, all of them in turn in each repetition; the
figure is the least CPU time (user + system) seen. Peers that are not installed are left out, and said to be.

They do different work: promtool parses rules and PromQL; yamllint looks at form; check-jsonschema validates against a schema for
rule files; ours parses YAML and PromQL and asks every check, links between files included.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import resource
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

SCHEMA = {
    "type": "object",
    "required": ["groups"],
    "properties": {
        "groups": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["name", "rules"],
                "properties": {
                    "rules": {"type": "array", "items": {"type": "object", "required": ["expr"]}},
                },
            },
        }
    },
}

RULE = """\
      - alert: {alert}
        expr: |
          (
            sum(rate(http_requests_total{{job="{job}", code=~"5.."}}[{window}])) by (instance)
              /
            sum(rate(http_requests_total{{job="{job}"}}[{window}])) by (instance)
          ) > {threshold}
        for: {wait}
        labels:
          severity: {severity}
          team: {team}
        annotations:
          summary: "{alert}: {{{{ $value | humanizePercentage }}}} of requests on {{{{ $labels.instance }}}} fail"
          description: The error rate of {job} has been over {threshold} for {wait}; its users see failures.
          runbook_url: docs/runbooks/{team}.md
"""

RECORD = """\
      - record: job:{job}_latency:p{percent}
        expr: histogram_quantile(0.{percent}, sum(rate({job}_latency_seconds_bucket{{code!~"5.."}}[{window}])) by (le))
        labels:
          team: {team}
"""


TEAMS = ("red", "green", "blue")


def write_rules(folder: Path, count: int, rules: int = 10) -> int:
    """Write `count` rule files and a runbook for each team; return the bytes of the rule files."""
    random.seed(0)
    (folder / "rules").mkdir()
    (folder / "docs/runbooks").mkdir(parents=True)
    size = 0
    for number in range(count):
        job = f"service{number}"
        parts = [f"groups:\n  - name: {job}\n    interval: 30s\n    rules:\n"]
        for index in range(rules):
            facts = {
                "alert": f"Service{number}Errors{index}",
                "job": job,
                "window": random.choice(["5m", "10m", "1h"]),
                "threshold": f"0.{random.randint(1, 999):03}",
                "wait": random.choice(["5m", "10m", "15m"]),
                "severity": random.choice(["critical", "warning"]),
                "team": random.choice(TEAMS),
                "percent": 90 + index,
            }
            parts.append((RECORD if index % 5 == 4 else RULE).format(**facts))
        text = "".join(parts)
        size += len(text)
        (folder / f"rules/{job}.yaml").write_text(text)
    sections = "".join(f"## {title}\n\nText.\n\n" for title in ("Meaning", "Impact", "Diagnosis", "Mitigation", "Owner"))
    for team in TEAMS:
        (folder / f"docs/runbooks/{team}.md").write_text(f"# {team}\n\n{sections}")
    (folder / "schema.json").write_text(json.dumps(SCHEMA))
    return size


def cpu_seconds(command: list[str], folder: Path) -> float:
    """User and system time of a command; its verdict does not matter here, a crash does."""
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode not in (0, 1) or "Traceback" in done.stderr:
        raise SystemExit(f"{' '.join(command[:3])} exited with {done.returncode}: {done.stderr[-2000:]}")
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime


def commands(folder: Path) -> dict[str, list[str]]:
    """What to compare: name → command line."""
    here = Path(sys.executable).parent
    files = sorted(str(path.relative_to(folder)) for path in (folder / "rules").iterdir())
    return {
        "python -c pass": [sys.executable, "-c", "pass"],
        "reliability check": [str(here / "reliability"), "check", ".", "--format", "json"],
        "promtool check rules": ["promtool", "check", "rules", *files],
        "yamllint (relaxed)": [str(here / "yamllint"), "-d", "relaxed", "rules"],
        "check-jsonschema": [str(here / "check-jsonschema"), "--schemafile", "schema.json", *files],
    }


def main() -> int:
    """Print the comparison; 1 where ours takes more than half of promtool's time."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--files", type=int, default=1000)
    parser.add_argument("--repetitions", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        size = write_rules(folder, options.files)
        names = list(commands(folder))
        peers = {name: command for name, command in commands(folder).items() if shutil.which(command[0])}
        least = dict.fromkeys(peers, float("inf"))
        for _ in range(options.repetitions):
            for peer, command in peers.items():
                least[peer] = min(least[peer], cpu_seconds(command, folder))
    print(f"{options.files} rule files, {size / 1e6:.1f} MB; CPU seconds, least of {options.repetitions}")
    ours = least["reliability check"]
    for peer in names:
        if peer in least:
            print(f"  {peer:<22} {least[peer]:7.2f} s   {least[peer] / ours:6.2f} x ours")
        else:
            print(f"  {peer:<22} not installed")
    promtool = least.get("promtool check rules")
    if promtool is None:
        return 0
    print(f"ours / promtool: {ours / promtool:.2f} (at most 0.50 wanted)")
    return int(ours > promtool / 2)


if __name__ == "__main__":
    raise SystemExit(main())
