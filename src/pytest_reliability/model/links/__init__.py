"""How one artefact is found from another. Each link keeps its evidence, so that a finding can say why."""

from pytest_reliability.model.links.budgets import BudgetLink, slo_of
from pytest_reliability.model.links.routes import RouteLink, receivers_for
from pytest_reliability.model.links.runbooks import RunbookLink, runbook_for
from pytest_reliability.model.links.slos import AlertLink, alert_links, dashboard_of, owner_of, runbook_of

__all__ = [
    "AlertLink", "BudgetLink", "RouteLink", "RunbookLink", "alert_links", "dashboard_of", "owner_of", "receivers_for",
    "runbook_for", "runbook_of", "slo_of",
]  # fmt: skip
