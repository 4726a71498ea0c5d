"""SLO405: nobody has agreed on what happens when an error budget is gone."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from pytest_reliability.checks.slo._promises import said
from pytest_reliability.contracts import Problem, check
from pytest_reliability.model.graph import Graph
from pytest_reliability.model.nodes import AlertPolicy, Page, Service, Slo
from pytest_reliability.report import Level, Severity

_POLICY = re.compile(
    r"error[\W_]*budgets?[\W_]*polic(?:y|ies)|エラー(?:[\s・]*バジェット|予算)[の・\s]*(?:ポリシー|方針)",
    re.IGNORECASE,
)


@check(Service, code="SLO405", severity=Severity.WARNING, level=Level.GOLD, needs=(Slo, Page))
def no_error_budget_policy(service: Service, graph: Graph) -> Iterator[Problem]:
    """An error budget changes nothing until people have agreed on what they stop doing when it is spent."""
    slos = [slo for slo in graph.within(service, Slo) if slo.objective is not None]  # a threshold alone leaves no budget
    if not slos or _is_configured(graph) or any(map(_has_policy, graph.of(Page))) or any(map(_refers, slos)):
        return
    inside = f"{service.root}/" if service.root else ""
    yield Problem(
        service.at,
        f"service {service.name!r} has SLOs, but nothing says what happens when an error budget is spent",
        hint=f"write {inside}docs/error-budget-policy.md; one to begin with: reliability explain SLO405",
    )


def _is_named(texts: Iterable[str]) -> bool:
    return any(map(_POLICY.search, texts))


def _is_configured(graph: Graph) -> bool:
    """Whether a file bears that name, or a tool is told what to do: slo-generator, or an alert policy that is called so."""
    names = (policy.name for policy in graph.of(AlertPolicy))
    return bool(graph.defined("error budget policy", "")) or _is_named(graph.files) or _is_named(names)


def _has_policy(page: Page) -> bool:
    """Whether a page is an error budget policy, has one as a section, or links to one."""
    headings = (heading.text for heading in page.headings)
    links = (text for link in page.links for text in (link.text, link.target))
    return _is_named((page.title, *headings, *links))


def _refers(slo: Slo) -> bool:
    """Whether an SLO names its policy, in a label or an annotation, or in its description."""
    return _is_named((slo.description, *(text for key, _, value in said(slo) for text in (key, value))))
