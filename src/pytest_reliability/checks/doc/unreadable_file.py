"""DOC001: a file that claims to be ours and cannot be read."""

from __future__ import annotations

from collections.abc import Iterator

from pytest_reliability.checks.doc._faults import faults
from pytest_reliability.contracts import Problem, check
from pytest_reliability.model.nodes import Document


@check(Document, code="DOC001")
def unreadable_file(document: Document) -> Iterator[Problem]:
    """What cannot be read is not checked, and whatever is defined in it is missing everywhere else."""
    yield from faults(document, "unreadable-file")
