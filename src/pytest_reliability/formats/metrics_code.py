"""Metrics that the service's own code defines, through the usual client libraries of Prometheus.

Programs are read, never imported or run. `_client_libraries.py` says what is read of Go, Java, Kotlin, Scala, JavaScript,
TypeScript, Rust and C#, `_prometheus_client.py` reads Python. Tests, and what is copied from elsewhere, are passed over: their
metrics are not the service's.

A metric is named as it is exposed: `shop_orders_total`; a histogram without `_bucket`, `_count` and `_sum`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from pytest_reliability.contracts import Format
from pytest_reliability.documents import Source
from pytest_reliability.model.nodes import Metric

LARGEST = 300_000
"""Bytes of a program; larger ones are generated."""

_PASSED_OVER = (
    r"(?:^|/)(?:tests?|testdata|__tests__|__mocks__|mocks?|fixtures|vendor|third_party|node_modules|site-packages|dist)/"
    r"|(?:^|/)(?:test_[^/]*|conftest)\.py$|[._](?:test|spec)\.\w+$|Tests?\.(?:java|kt|scala|cs)$|\.min\.js$"
)


def read(source: Source) -> Iterator[Metric]:
    """The metrics that a program defines."""
    if len(source.data) > LARGEST or re.search(_PASSED_OVER, source.path):
        return
    if source.path.endswith(".py"):
        from pytest_reliability.formats._prometheus_client import metrics
    else:
        from pytest_reliability.formats._client_libraries import metrics
    text = source.data.decode("utf-8", "replace")  # good enough: names of metrics are ASCII
    yield from metrics(text.removeprefix("\ufeff"), source.path, source.settings)


# A format for each language: repositories have thousands of programs, and one plain word is found far faster than one of many.
FORMATS = tuple(
    Format(name=f"metrics in {language}", files=files, marker=marker, optional=True, yields=(Metric,), read=read)
    for language, files, marker in (
        ("Go", r"\.go$", rb"client_golang/prometheus"),
        ("Python", r"\.py$", rb"prometheus_client"),
        ("Java", r"\.(?:java|kt|scala)$", rb"io\.(?:prometheus|micrometer)\."),
        ("JavaScript", r"\.[cm]?[jt]s$", rb"prom-client"),
        ("Rust", r"\.rs$", rb"prometheus"),
        ("C#", r"\.cs$", rb"Prometheus"),
    )
)
