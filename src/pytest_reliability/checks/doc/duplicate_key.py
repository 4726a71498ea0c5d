"""DOC007: a key that is given twice in one mapping."""

from __future__ import annotations

from collections.abc import Iterator

from pytest_reliability.checks.doc._faults import faults
from pytest_reliability.contracts import Problem, check
from pytest_reliability.model.nodes import Document


@check(Document, code="DOC007")
def duplicate_key(document: Document) -> Iterator[Problem]:
    """Of a key that is given twice only the last value is read; the other one is a lie."""
    yield from faults(document, "duplicate-key")
