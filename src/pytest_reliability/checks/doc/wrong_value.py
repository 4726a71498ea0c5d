"""DOC005: a value that its format does not allow."""

from __future__ import annotations

from collections.abc import Iterator

from pytest_reliability.checks.doc._faults import faults
from pytest_reliability.contracts import Problem, check
from pytest_reliability.model.nodes import Document


@check(Document, code="DOC005")
def wrong_value(document: Document) -> Iterator[Problem]:
    """A value of the wrong type or form is refused where it is deployed, or taken for something else."""
    yield from faults(document, "wrong-value")
