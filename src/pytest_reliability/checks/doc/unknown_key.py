"""DOC003: a key that its format does not know."""

from __future__ import annotations

from collections.abc import Iterator

from pytest_reliability.checks.doc._faults import faults
from pytest_reliability.contracts import Problem, check
from pytest_reliability.model.nodes import Document


@check(Document, code="DOC003")
def unknown_key(document: Document) -> Iterator[Problem]:
    """A key that nobody reads looks like a setting and changes nothing."""
    yield from faults(document, "unknown-key")
