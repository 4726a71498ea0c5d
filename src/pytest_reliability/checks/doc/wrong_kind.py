"""DOC008: an apiVersion, kind or version that does not exist."""

from __future__ import annotations

from collections.abc import Iterator

from pytest_reliability.checks.doc._faults import faults
from pytest_reliability.contracts import Problem, check
from pytest_reliability.model.nodes import Document


@check(Document, code="DOC008")
def wrong_kind(document: Document) -> Iterator[Problem]:
    """A document of a kind or version that does not exist is ignored by everything that should act on it."""
    yield from faults(document, "wrong-kind")
