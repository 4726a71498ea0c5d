"""DOC002: a template, which says something only once it is rendered."""

from __future__ import annotations

from collections.abc import Iterator

from pytest_reliability.checks.doc._faults import faults
from pytest_reliability.contracts import Problem, check
from pytest_reliability.model.nodes import Document
from pytest_reliability.report import Severity


@check(Document, code="DOC002", severity=Severity.INFO, on=True)
def template_not_checked(document: Document) -> Iterator[Problem]:
    """A template says something only once it is rendered; until then nobody has checked what it makes."""
    yield from faults(document, "template-not-checked")
