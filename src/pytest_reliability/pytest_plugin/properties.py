"""Measurements as user properties: pytest carries those from xdist's workers, and into JUnit files."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from typing import Any

from pytest_reliability.report import Measurement

PROPERTY = "reliability_latency"
"""The property that carries one measurement as JSON. Others begin with it, and say in plain words what tools can show."""


def properties(measurement: Measurement) -> Iterator[tuple[str, str]]:
    """The measurement as JSON, and what tools can show: `reliability_latency.POST /checkout.p95.outcome` is "pass"."""
    yield PROPERTY, json.dumps(asdict(measurement), ensure_ascii=False)
    name = ".".join(filter(None, (PROPERTY, measurement.operation, measurement.budget.partition(" ")[0])))
    yield f"{name}.budget", measurement.budget
    yield f"{name}.outcome", measurement.outcome
    yield f"{name}.n", str(measurement.n)
    for bound in ("low", "high"):
        if (seconds := getattr(measurement, bound)) is not None:
            yield f"{name}.{bound}", f"{seconds:.6g}"


def measurements(given: Iterable[tuple[str, object]]) -> Iterator[Measurement]:
    """The measurements among the properties of a test."""
    for name, value in given:
        if name == PROPERTY:
            fields = json.loads(str(value), object_hook=_with_tuples)
            yield Measurement(**fields)


def _with_tuples(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: tuple(value) if isinstance(value, list) else value for name, value in fields.items()}


def without(given: Iterable[tuple[str, object]]) -> list[tuple[str, object]]:
    """The properties that are not ours."""
    return [(name, value) for name, value in given if name.partition(".")[0] != PROPERTY]
