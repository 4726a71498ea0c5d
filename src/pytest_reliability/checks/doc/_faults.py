"""What the checks of this family share: a reader has found the fault already, and each check reports those of one kind."""

from __future__ import annotations

from collections.abc import Iterator

from pytest_reliability.contracts import Problem
from pytest_reliability.model.nodes import Document


def faults(document: Document, kind: str) -> Iterator[Problem]:
    """The document's faults of one kind, as problems."""
    for fault in document.faults:
        if fault.kind == kind:
            yield Problem(fault.at, fault.message, fault.hint, fault.edit)
