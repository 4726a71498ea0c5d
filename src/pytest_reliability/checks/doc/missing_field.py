"""DOC004: a field that its format requires is not there."""

from __future__ import annotations

from collections.abc import Iterator

from pytest_reliability.checks.doc._faults import faults
from pytest_reliability.contracts import Problem, check
from pytest_reliability.model.nodes import Document


@check(Document, code="DOC004")
def missing_field(document: Document) -> Iterator[Problem]:
    """Without a required field the tool that reads the file refuses it, or guesses."""
    yield from faults(document, "missing-field")
