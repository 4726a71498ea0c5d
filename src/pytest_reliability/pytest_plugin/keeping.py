"""What a run keeps for later ones, and what earlier ones say about it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import asdict, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from pytest_reliability.latency.history import History, Record, machine_class, revision, speed_note
from pytest_reliability.latency.host import machine_speed
from pytest_reliability.latency.judge import INCONCLUSIVE
from pytest_reliability.latency.ratchet import LEVEL, loose, ratchet
from pytest_reliability.latency.session import Latency, Sampled
from pytest_reliability.report import Measurement

OFF = "there is no history to compare with; set latency_history = true, or in .reliability.yaml: latency: {history: true}"

_TIMES = ("latency", "max")


class Keeper:
    """Compares what tests have measured with earlier runs, and packs it for whoever writes the history down.

    `exclusive` is a context in which nobody else measures.
    """

    def __init__(self, root: Path, exclusive: AbstractContextManager[object]) -> None:
        self._root = root
        self._exclusive = exclusive
        self._kept: dict[str, list[Record]] = {}
        self._outcomes: dict[Measurement, str] = {}

    def compare(self, latency: Latency) -> Iterator[Measurement]:
        """The verdicts of ratchets. A budget that has become far too loose gets a note that says so."""
        for index, measurement, sampled in list(_judged(latency)):
            record = self._record(measurement, sampled, green=True)
            runs = (*self._history.runs(record), record)
            if note := loose(runs):
                measurement = latency.measurements[index] = replace(measurement, notes=(*measurement.notes, note))
            if sampled.ratchet and measurement.kind in _TIMES:
                outcome, why = ratchet(runs)
                self._outcomes[measurement] = outcome
                yield _ratchet(measurement, outcome, why)

    def keep(self, test: str, latency: Latency, *, green: bool) -> None:
        """Keep what a test has measured; of a test that runs again, the last time."""
        self._kept[test] = [self._record(measurement, sampled, green=green) for _, measurement, sampled in _judged(latency)]

    def packed(self) -> dict[str, Any]:
        """All that was kept, as plain data that can travel between processes; empty where there is nothing."""
        records = [asdict(record) for several in self._kept.values() for record in several]
        return {"machine": self._history.path.stem, "speed": self._speed, "records": records} if records else {}

    def _record(self, measurement: Measurement, sampled: Sampled, *, green: bool) -> Record:
        if measurement.name != sampled.operation and " #" in measurement.name:  # measured again: a series of its own
            named = replace(measurement, operation=measurement.name)
        else:
            named = measurement
        return Record.of(
            named,
            sampled.samples if measurement.kind != "throughput" else (),
            green=green,
            speed=self._speed,
            revision=self._revision,
            ratchet=self._outcomes.get(measurement, ""),
        )

    @cached_property
    def _history(self) -> History:
        return History(self._root, machine_class())

    @cached_property
    def _speed(self) -> float:
        with self._exclusive:
            return machine_speed()

    @cached_property
    def _revision(self) -> str:
        return revision(self._root)


def without_history(latency: Latency) -> Iterator[Measurement]:
    """The verdict of ratchets where nothing is kept."""
    for _, measurement, sampled in list(_judged(latency)):
        if sampled.ratchet and measurement.kind in _TIMES:
            yield _ratchet(measurement, INCONCLUSIVE, OFF)


def write_down(root: Path, packed: Mapping[str, Any]) -> list[str]:
    """Add what was packed to the history, and return what people should know about it."""
    records = [Record(**{**fields, "sketch": tuple(fields["sketch"])}) for fields in packed["records"]]
    history = History(root, packed["machine"])
    note = speed_note(packed["speed"], history.records)
    history.add(records)
    return [*history.problems, *([f"note: {note}"] if note else [])]


def _judged(latency: Latency) -> Iterator[tuple[int, Measurement, Sampled]]:
    """The measurements of samples, each with these and its place."""
    sampled = {sampled.name: sampled for sampled in latency.sampled}
    for index, measurement in enumerate(latency.measurements):
        if measurement.name in sampled and measurement.kind not in ("count", "ratchet"):
            yield index, measurement, sampled[measurement.name]


def _ratchet(measurement: Measurement, outcome: str, why: str) -> Measurement:
    return Measurement(
        name=measurement.name,
        test=measurement.test,
        operation=measurement.operation,
        budget=f"{measurement.budget.partition(' ')[0]} no slower than before",
        outcome=outcome,
        reason=why,
        limit=0.0,
        quantile=measurement.quantile,
        n=measurement.n,
        over=0,
        kind="ratchet",
        false_alarm=LEVEL,
    )
