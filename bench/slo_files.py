"""Our whole check of 500 SLO files, in every dialect that we read, beside a check of nothing.

    python bench/slo_files.py [--files N] [--repetitions N]

The files are made up with a fixed seed, each with an SLO of its own and PromQL that no other file has. Both commands run in fresh
processes, in turn; the figures are the least CPU time (user + system) of each, and the limit is on their difference.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from rule_files import cpu_seconds

LIMIT = 0.5
"""Seconds of CPU time that 500 SLO files may cost."""

OBJECTIVES = ("99", "99.5", "99.9", "99.95")
BAD, GOOD, ALL = '{metric}{{code=~"5.."}}', '{metric}{{code!~"5.."}}', "{metric}"


def openslo(name: str, metric: str, objective: str) -> str:
    """OpenSLO v1 with the indicator inline."""
    return f"""\
apiVersion: openslo/v1
kind: SLO
metadata:
  name: {name}
  labels:
    team: shop
  annotations:
    runbook: docs/runbooks/shop.md
spec:
  description: Requests to {name} are answered
  service: {name}
  budgetingMethod: Occurrences
  timeWindow:
    - duration: 28d
      isRolling: true
  objectives:
    - targetPercent: {objective}
  indicator:
    metadata:
      name: {name}-answers
    spec:
      ratioMetric:
        counter: true
        bad:
          metricSource:
            type: Prometheus
            spec:
              query: sum(rate({BAD.format(metric=metric)}[5m]))
        total:
          metricSource:
            type: Prometheus
            spec:
              query: sum(rate({ALL.format(metric=metric)}[5m]))
"""


def sloth(name: str, metric: str, objective: str) -> str:
    """A file of Sloth's with one SLO."""
    return f"""\
version: prometheus/v1
service: {name}
labels:
  owner: shop
slos:
  - name: {name}-availability
    objective: {objective}
    description: Requests to {name} are answered
    sli:
      events:
        error_query: sum(rate({BAD.format(metric=metric)}[{{{{.window}}}}]))
        total_query: sum(rate({ALL.format(metric=metric)}[{{{{.window}}}}]))
    alerting:
      name: {name.title()}BurnsItsBudget
      annotations:
        runbook: docs/runbooks/shop.md
"""


def pyrra(name: str, metric: str, objective: str) -> str:
    """A resource of Pyrra's with a ratio."""
    return f"""\
apiVersion: pyrra.dev/v1alpha1
kind: ServiceLevelObjective
metadata:
  name: {name}
  namespace: shop
  labels:
    pyrra.dev/team: shop
  annotations:
    pyrra.dev/runbook_url: docs/runbooks/shop.md
spec:
  target: "{objective}"
  window: 4w
  indicator:
    ratio:
      errors:
        metric: {BAD.format(metric=metric)}
      total:
        metric: {ALL.format(metric=metric)}
"""


def slo_generator(name: str, metric: str, objective: str) -> str:
    """A configuration of Google's slo-generator."""
    return f"""\
apiVersion: sre.google.com/v2
kind: ServiceLevelObjective
metadata:
  name: {name}
  labels:
    service_name: {name}
    feature_name: answers
    slo_name: {name}
    runbook: docs/runbooks/shop.md
spec:
  description: {objective}% of requests to {name} are answered
  backend: prometheus
  method: good_bad_ratio
  exporters: []
  service_level_indicator:
    filter_good: {GOOD.format(metric=metric)}[window]
    filter_valid: {ALL.format(metric=metric)}[window]
  goal: {float(objective) / 100:.4f}
"""


DIALECTS: tuple[Callable[[str, str, str], str], ...] = (openslo, sloth, pyrra, slo_generator)


def write_slos(folder: Path, count: int) -> int:
    """Write `count` SLO files, of each dialect as many; return their bytes."""
    random.seed(0)
    (folder / "slo").mkdir()
    (folder / "CODEOWNERS").write_text("* @shop/team\n")
    (folder / "docs/runbooks").mkdir(parents=True)
    (folder / "docs/runbooks/shop.md").write_text("# Shop\n\nText.\n")
    size = 0
    for number in range(count):
        text = DIALECTS[number % len(DIALECTS)](f"service{number}", f"service{number}_requests_total", random.choice(OBJECTIVES))
        size += len(text)
        (folder / f"slo/service{number}.yaml").write_text(text)
    return size


def main() -> int:
    """Print both figures; 1 where the difference is over the limit."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--files", type=int, default=500)
    parser.add_argument("--repetitions", type=int, default=5)
    options = parser.parse_args()
    command = [str(Path(sys.executable).parent / "reliability"), "check", "."]
    with tempfile.TemporaryDirectory() as full, tempfile.TemporaryDirectory() as empty:
        size = write_slos(Path(full), options.files)
        (Path(empty) / "README.md").write_text("# Nothing\n")
        least = {folder: float("inf") for folder in (full, empty)}
        for _ in range(options.repetitions):
            for folder in least:
                least[folder] = min(least[folder], cpu_seconds(command, Path(folder)))
    more = least[full] - least[empty]
    print(f"{options.files} SLO files in {len(DIALECTS)} dialects, {size // 1000} kB; CPU s, least of {options.repetitions}")
    print(f"  a check of nothing   {least[empty]:.2f} s")
    print(f"  with the SLO files   {least[full]:.2f} s")
    print(f"  for the SLO files    {more:.2f} s (at most {LIMIT * options.files / 500:.2f} s wanted)")
    return int(more > LIMIT * options.files / 500)


if __name__ == "__main__":
    raise SystemExit(main())
