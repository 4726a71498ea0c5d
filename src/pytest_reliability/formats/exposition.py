"""What a service exposes, kept in a file: Prometheus' text format and OpenMetrics, as `curl …/metrics` prints them.

One `Metric` for each family that has a type, named as its samples are: counters of OpenMetrics get their `_total`. The buckets of
a histogram are all that any of its series has.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation

from pytest_reliability.contracts import Format
from pytest_reliability.documents import Source
from pytest_reliability.model.location import Location
from pytest_reliability.model.nodes import Metric

KINDS = {
    "counter": "counter", "gauge": "gauge", "histogram": "histogram", "summary": "summary",
    "info": "gauge", "stateset": "gauge", "untyped": "", "unknown": "",
}  # fmt: skip
"""The types that a family may have, and what kind of metric each is."""

_TYPE = re.compile(r"# TYPE[ \t]+(?P<name>[A-Za-z_:][\w:]*)[ \t]+(?P<type>[a-z]+)[ \t]*")
_SAMPLE = re.compile(r"(?P<name>[A-Za-z_:][\w:]*)[ \t]*(?:\{(?P<labels>.*)\})?[ \t]+[-+0-9.NnIi]")
_BOUND = re.compile(r'(?:^|[,{ \t])le="([^"]*)"')


def read(source: Source) -> Iterator[Metric]:
    """The metrics of a file in which every line is a comment or a sample; nothing of any other."""
    families: dict[str, tuple[Location, str]] = {}
    names: set[str] = set()
    bounds: dict[str, set[Decimal]] = {}
    for number, line in enumerate(source.lines, 1):
        if typed := _TYPE.fullmatch(line):
            at = Location(source.path, number, typed.start("name") + 1, len(typed["name"]))
            families.setdefault(typed["name"], (at, typed["type"]))
        elif line.strip() and not line.startswith("#"):
            sample = _SAMPLE.match(line)
            if sample is None:
                return
            names.add(sample["name"])
            family = sample["name"].removesuffix("_bucket")
            for bound in _BOUND.findall(sample["labels"] or "") if family != sample["name"] else ():
                bounds.setdefault(family, set()).update(_finite(bound))
    for family, (at, kind) in families.items():
        if kind in KINDS:
            buckets = tuple(sorted(bounds[family])) if kind == "histogram" and family in bounds else None
            name = _name(family, kind, names)
            yield Metric(at=at, settings=source.settings, name=name, kind=KINDS[kind], buckets=buckets)


def _finite(bound: str) -> set[Decimal]:
    try:
        value = Decimal(bound)
    except InvalidOperation:
        return set()
    return {value} if value.is_finite() else set()


def _name(family: str, kind: str, names: set[str]) -> str:
    """What the samples of a family are called."""
    suffixed = family + {"counter": "_total", "info": "_info"}.get(kind, "")
    return suffixed if suffixed in names and family not in names else family


FORMAT = Format(
    name="exposition",
    files=r"\.(?:prom|om|metrics|openmetrics)$|(?:^|/)[^/]*metrics[^/.]*(?:\.(?:txt|out|text))?$",
    marker=rb"(?m)^# TYPE[ \t]+[\w:]+[ \t]+(?:counter|gauge|histogram|summary|info|stateset|untyped|unknown)\b",
    yields=(Metric,),
    read=read,
)
