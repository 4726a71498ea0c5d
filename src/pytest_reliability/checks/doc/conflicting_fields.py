"""DOC006: fields that exclude each other."""

from __future__ import annotations

from collections.abc import Iterator

from pytest_reliability.checks.doc._faults import faults
from pytest_reliability.contracts import Problem, check
from pytest_reliability.model.nodes import Document


@check(Document, code="DOC006")
def conflicting_fields(document: Document) -> Iterator[Problem]:
    """Of two fields that exclude each other only one is read, and people disagree which."""
    yield from faults(document, "conflicting-fields")
