"""SLOs in dialects that are not read are known to exist."""

from __future__ import annotations

import pytest

from pytest_reliability.model.nodes import Definition
from pytest_reliability.testing import Repo

DOCUMENT = "apiVersion: {version}\nkind: {kind}\nmetadata:\n  name: fast-enough\n"


@pytest.mark.parametrize(
    ("version", "kind"),
    [
        ("pyrra.dev/v1alpha1", "ServiceLevelObjective"),
        ("sre.google.com/v2", "ServiceLevelObjective"),
    ],
)
def test_who_has_slos_in_another_dialect_has_slos(version, kind):
    """Their file is where an SLO is defined, and SLO001 has nothing to say."""
    repo = Repo({"slo.yaml": DOCUMENT.format(version=version, kind=kind)})
    (definition,) = repo.graph.of(Definition)
    assert ("SLO", "fast-enough", 2) == (definition.kind, definition.name, definition.at.line)
    assert [] == repo.findings("SLO001")


@pytest.mark.parametrize(
    ("version", "kind"),
    [
        ("sre.google.com/v2", "ErrorBudgetPolicy"),
        ("example.com/v1", "ServiceLevelObjective"),
    ],
)
def test_what_only_looks_like_one_is_none(version, kind):
    """Another kind of the same maker, or the same kind of another one."""
    repo = Repo({"slo.yaml": DOCUMENT.format(version=version, kind=kind)})
    assert () == repo.graph.of(Definition)
    assert 1 == len(repo.findings("SLO001"))


def test_a_document_without_a_name_is_one_all_the_same():
    """It is there."""
    repo = Repo({"slo.yaml": "apiVersion: pyrra.dev/v1alpha1\nkind: ServiceLevelObjective\n"})
    assert [] == repo.findings("SLO001")
