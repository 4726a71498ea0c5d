"""How fast `pytest_reliability.documents` reads YAML, against PyYAML's own fastest ways.

    python bench/yaml_reader.py [--megabytes 1] [--rounds 7]

Three kinds of files are generated: Prometheus rules, SLOs and Kubernetes manifests, each as many files of a few kilobytes, as
repositories have them. The seed is fixed, so they are always the same. One manifest in five has an anchor, so it is read from
events where the others are read line by line. The readers take turns within one run, so that a busy machine slows all of them
alike; the best round of each counts. The last column is the ratio to `yaml.load(text, CSafeLoader)`, which gives no places; ours
gives the place of every key and value.
"""

from __future__ import annotations

import argparse
import gc
import random
import time
from collections.abc import Callable

import yaml
from yaml import CSafeLoader
from yaml.cyaml import CParser  # type: ignore[attr-defined]

from pytest_reliability.documents import load_yaml, yaml_events
from pytest_reliability.documents.text import Text

SERVICES = ("checkout", "payments", "search", "basket", "inventory", "mailer", "catalogue", "identity")
METRICS = (
    "http_requests_total",
    "http_request_duration_seconds_bucket",
    "grpc_server_handled_total",
    "queue_depth",
    "jobs_failed_total",
)


def rule_file(dice: random.Random) -> str:
    """A Prometheus rule file of about 6 kB with 20 rules, as people write them: blocks, quotes, templates, comments."""
    lines = ["groups:"]
    for group in range(4):
        service = dice.choice(SERVICES)
        lines += [f"  - name: {service}-{group}", "    interval: 30s", "    rules:"]
        for _ in range(5):
            metric, limit, wait = dice.choice(METRICS), dice.randrange(1, 99), dice.choice((2, 5, 10, 15))
            if dice.random() < 0.3:
                lines += [
                    f"      - record: job:{metric}:rate5m",
                    f'        expr: sum by (job) (rate({metric}{{job="{service}"}}[5m]))',
                ]
                continue
            lines += [
                f"      - alert: {service.title()}Trouble{dice.randrange(1000)}",
                "        expr: |",
                f'          sum(rate({metric}{{job="{service}",code=~"5.."}}[5m]))',
                f'            / sum(rate({metric}{{job="{service}"}}[5m])) > 0.{limit:02}',
                f"        for: {wait}m",
                "        labels:",
                f"          severity: {dice.choice(('critical', 'warning', 'info'))}",
                f"          team: {service}",
                "        annotations:",
                f'          summary: "{service} fails on {{{{ $labels.instance }}}}"',
                f"          description: '{{{{ $value | humanizePercentage }}}} of requests failed in {wait} minutes'",
                f"          runbook_url: https://runbooks.example.com/{service}/trouble-{limit}",
            ]
    return "\n".join(lines) + "\n"


def slo_file(dice: random.Random) -> str:
    """Some OpenSLO objects, of about 1 kB each."""
    documents = []
    for _ in range(6):
        service, number = dice.choice(SERVICES), dice.randrange(1000)
        documents.append(
            f"""apiVersion: openslo/v1
kind: SLO
metadata:
  name: {service}-availability-{number}
  displayName: "Availability of {service}"
  labels:
    team: [{service}, sre]
spec:
  description: Share of requests to {service} that do not fail, as seen by the load balancer
  service: {service}
  indicator:
    metadata:
      name: {service}-success
    spec:
      ratioMetric:
        counter: true
        good:
          metricSource:
            type: Prometheus
            spec:
              query: sum(rate(http_requests_total{{job="{service}",code!~"5.."}}[5m]))
        total:
          metricSource:
            type: Prometheus
            spec:
              query: >-
                sum(rate(http_requests_total{{job="{service}"}}[5m]))
  timeWindow:
    - duration: 28d
      isRolling: true
  budgetingMethod: Occurrences
  objectives:
    - displayName: Good
      target: 0.99{dice.randrange(1, 10)}
      timeSliceTarget: 0.95
"""
        )
    return "---\n".join(documents)


def manifest_file(dice: random.Random) -> str:
    """A Kubernetes deployment with its service: many small values."""
    service, port = dice.choice(SERVICES), dice.randrange(8000, 9000)
    shared = dice.random() < 0.2

    def labels(indent: int) -> str:
        """The labels, or a reference to those of the first mapping."""
        if shared and indent > 4:
            return " *labels"
        names = ("name", "part-of", "component")
        return (" &labels" if shared else "") + "".join(f"\n{' ' * indent}app.kubernetes.io/{name}: {service}" for name in names)

    containers = "".join(
        f"""        - name: {name}
          image: registry.example.com/{service}/{name}:1.{dice.randrange(100)}.{dice.randrange(10)}
          ports:
            - containerPort: {port}
              name: http
          env:
            - name: LOG_LEVEL
              value: "info"
            - name: PORT
              value: "{port}"
          resources:
            requests: {{cpu: {dice.randrange(50, 500)}m, memory: 128Mi}}
            limits: {{memory: 256Mi}}
          readinessProbe:
            httpGet:
              path: /ready
              port: {port}
            initialDelaySeconds: 5
            periodSeconds: 10
"""
        for name in ("app", "proxy", "exporter")
    )
    return f"""apiVersion: apps/v1
kind: Deployment
metadata:
  name: {service}
  namespace: shop
  labels:{labels(4)}
spec:
  replicas: {dice.randrange(1, 9)}
  selector:
    matchLabels:{labels(6)}
  template:
    metadata:
      labels:{labels(8)}
    spec:
      containers:
{containers}---
apiVersion: v1
kind: Service
metadata:
  name: {service}
spec:
  selector: {{app.kubernetes.io/name: {service}}}
  ports:
    - name: http
      port: 80
      targetPort: {port}
"""


KINDS = {"Prometheus rules": rule_file, "OpenSLO": slo_file, "Kubernetes": manifest_file}


def events(text: str) -> None:
    """Only parse: the floor under everything that is built of events."""
    parser = CParser(text)
    while parser.get_event() is not None:
        pass


def compose(text: str) -> None:
    """Make PyYAML's tree of nodes, which has positions but no values yet."""
    for _ in yaml.compose_all(text, CSafeLoader):
        pass


def safe_load(text: str) -> None:
    """Load plain values without positions."""
    for _ in yaml.load_all(text, CSafeLoader):
        pass


def ours(text: str) -> None:
    """Load plain values with positions."""
    load_yaml(text, "file.yaml")


def ours_from_events(text: str) -> None:
    """The same, without the reader of plain lines."""
    yaml_events.read(Text(text, "file.yaml"))


def ours_without_collector(text: str) -> None:
    """The same with the garbage collector off, as the `reliability` command runs it."""
    load_yaml(text, "file.yaml")


READERS: dict[str, Callable[[str], None]] = {
    "CSafeLoader load": safe_load,
    "C compose": compose,
    "C events only": events,
    "documents": ours,
    "documents, gc off": ours_without_collector,
    "documents, events": ours_from_events,
}


def seconds(reader: Callable[[str], None], texts: list[str]) -> float:
    """The processor time that one reader takes for all texts."""
    gc.collect()
    if reader is ours_without_collector:
        gc.disable()
    begin = time.process_time()
    for text in texts:
        reader(text)
    used = time.process_time() - begin
    gc.enable()
    return used


def main() -> None:
    """Print a table of megabytes a second."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--megabytes", type=float, default=1.0, help="how much of each kind (default: %(default)s)")
    arguments.add_argument("--rounds", type=int, default=7, help="how often each reader has its turn (default: %(default)s)")
    options = arguments.parse_args()
    for kind, generate in KINDS.items():
        dice = random.Random(kind)
        texts: list[str] = []
        while (size := sum(map(len, texts))) < options.megabytes * 1e6:
            texts.append(generate(dice))
        best = dict.fromkeys(READERS, float("inf"))
        for _ in range(options.rounds):
            for name, reader in READERS.items():
                best[name] = min(best[name], seconds(reader, texts))
        print(f"{kind}: {len(texts)} files, {size / 1e6:.1f} MB")
        for name, used in best.items():
            print(f"  {name:20} {size / 1e6 / used:6.1f} MB/s  {best['CSafeLoader load'] / used:5.2f}x")


if __name__ == "__main__":
    main()
