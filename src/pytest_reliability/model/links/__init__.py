"""How one artefact is found from another. Each link keeps its evidence, so that a finding can say why."""

from pytest_reliability.model.links.budgets import BudgetLink, slo_of
from pytest_reliability.model.links.routes import RouteLink, receivers_for
from pytest_reliability.model.links.runbooks import RunbookLink, runbook_for

__all__ = ["BudgetLink", "RouteLink", "RunbookLink", "receivers_for", "runbook_for", "slo_of"]
