"""Graph and checks to outcomes. Pure: it opens no file and prints nothing.

Each check is asked once about every subject. What it found is then told for each service apart, because services have their own
settings, and once for the repository as a whole.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import TypeAlias

from pytest_reliability.contracts import Check, Problem
from pytest_reliability.model.graph import Graph, Unread
from pytest_reliability.model.nodes import Document, Node, Service, Slo
from pytest_reliability.model.objectives import objectives
from pytest_reliability.model.settings import DEFAULTS
from pytest_reliability.policy.levels import standing, tier
from pytest_reliability.policy.selection import reason_to_ignore, select
from pytest_reliability.report import CheckInfo, Finding, Outcome, Report, Status, Waiver


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """What to run: `selected` and `ignored` override what the services configured; `local` and `repo_wide` say which kinds of
    check.

    `only_files`: no more than these were read, so that nothing can be said about the repository as a whole.
    """

    selected: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()
    local: bool = True
    repo_wide: bool = True
    only_files: bool = False


EVERYTHING = Scope()

SHARED = "shared"
"""What the report calls the part of a repository that belongs to no single service."""


Owner: TypeAlias = Service | None
"""Whose a node is; None: what several services share."""


def review(graph: Graph, checks: Iterable[Check], scope: Scope = EVERYTHING) -> Report:
    """The report on a repository, with a part for each service where there are several."""
    checks = tuple(checks)
    runnable = tuple(check for check in checks if _runs(check, scope))
    owners = _Owners(graph)
    chosen = {
        owner: select(runnable, scope.selected or (owner.settings.select if owner else ()), scope.ignored) for owner in owners.all
    }
    answers = {check.code: _ask(check, graph, owners) for check in runnable if any(check in some for some in chosen.values())}
    parts = []
    for owner in owners.all:
        outcomes = tuple(_outcome(answers[check.code], owner, owners) for check in chosen[owner])
        complete = {check.code for check in checks if check.level and check.on} <= {check.code for check in chosen[owner]}
        parts.append(_report(graph, owner, owners, outcomes, complete, scope))
    return parts[0] if len(parts) == 1 else _whole(graph, parts, scope)


def _runs(check: Check, scope: Scope) -> bool:
    return scope.repo_wide and not scope.only_files if check.repo_wide else scope.local


class _Owners:
    """Who owns what: the only service owns everything; of several, each what the graph says."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        services = graph.of(Service)
        self.only = services[0] if len(services) == 1 else None
        self.all: tuple[Owner, ...] = services if self.only else (*services, None)

    def of(self, node: Node) -> Owner:
        return self.only or self.graph.service_of(node)

    def unread(self, owner: Owner, kinds: tuple[type[Node], ...]) -> list[Unread]:
        """The files of an owner, or of nobody, that could not be read and might hold one of these kinds."""
        return [
            item
            for item in self.graph.unread
            if (self.only or self.graph.service_at(item.at.path) in (owner, None))
            and any(issubclass(held, kind) or issubclass(kind, held) for held in item.might_hold for kind in kinds)
        ]


def _folder(owner: Owner) -> str | None:
    return owner.root if owner else None


@dataclass(frozen=True, slots=True)
class _Answer:
    """What a check said of all its subjects, by the owner's folder, before anybody's settings count."""

    check: Check
    subjects: Mapping[str | None, int]
    problems: Mapping[str | None, Sequence[Problem]]
    crash: str


def _ask(check: Check, graph: Graph, owners: _Owners) -> _Answer:
    subjects: dict[str | None, int] = {}
    problems: dict[str | None, list[Problem]] = {}
    subject, crash = None, ""
    try:
        for subject in graph.of(check.subject):
            owner = _folder(owners.of(subject))
            subjects[owner] = subjects.get(owner, 0) + 1
            for problem in check.run(subject, graph) if check.repo_wide else check.run(subject):
                problems.setdefault(owner, []).append(problem)
    except Exception as error:  # somebody's check is wrong: that must never look like a pass
        crash = f"the check crashed at {subject.at if subject else '?'}: {type(error).__name__}: {error}; please report it"
    return _Answer(check, subjects, problems, crash)


def _outcome(answer: _Answer, owner: Owner, owners: _Owners) -> Outcome:
    """What one owner's part of an answer amounts to, in the order of what people must hear first."""
    check = answer.check
    subjects = answer.subjects.get(_folder(owner), 0)
    accepted = reason_to_ignore(check, owner.settings.ignore) if owner else None
    waiver = Waiver(accepted) if accepted else None
    findings = tuple(_finding(check, problem, waiver) for problem in answer.problems.get(_folder(owner), ()))
    unread = owners.unread(owner, (check.subject,))
    blocked = owners.unread(owner, check.needs) if findings else []

    def outcome(status: Status, reason: str = "", findings: tuple[Finding, ...] = ()) -> Outcome:
        return Outcome(check=_info(check), status=status, subjects=subjects, findings=findings, reason=reason)

    if blocked and all(item.template for item in blocked):
        return outcome(Status.NOT_APPLICABLE, f"what it asks for may be in a template: {_named(blocked)}")
    if blocked:
        return outcome(Status.UNKNOWN, f"what it asks for may be in a file that could not be read: {_named(blocked)}")
    if findings and not waiver:
        return outcome(Status.FAILED, answer.crash, findings)
    if answer.crash:
        return outcome(Status.UNKNOWN, answer.crash, findings)
    if broken := [item for item in unread if not item.template]:
        return outcome(Status.UNKNOWN, f"could not be read: {_named(broken)}", findings)
    if findings:
        return outcome(Status.WAIVED, accepted or "", findings)
    if not subjects:
        templates = f"; {_named(unread)} is a template" if unread else ""
        return outcome(Status.NOT_APPLICABLE, f"nothing here to ask it of{templates}")
    return outcome(Status.PASSED)


def _finding(check: Check, problem: Problem, waiver: Waiver | None) -> Finding:
    return Finding(
        check=_info(check), at=problem.at, message=problem.message, hint=problem.hint, waiver=waiver, edit=problem.edit
    )


@cache
def _info(check: Check) -> CheckInfo:
    """What people know the check by, without the parts that only run it: reports are kept, sent and compared."""
    return CheckInfo(
        code=check.code,
        name=check.name,
        severity=check.severity,
        level=check.level,
        responsibility=check.responsibility,
        summary=check.summary,
    )


def _named(unread: Sequence[Unread]) -> str:
    paths = sorted({item.at.path for item in unread})
    more = f" and {len(paths) - 3} more" if len(paths) > 3 else ""
    return ", ".join(paths[:3]) + more


def _report(graph: Graph, owner: Owner, owners: _Owners, outcomes: tuple[Outcome, ...], complete: bool, scope: Scope) -> Report:
    settings = owner.settings if owner else DEFAULTS
    tier_name, tier_reason = tier(settings.tier, (slo for slo in graph.of(Slo) if owners.of(slo) is owner))
    return Report(
        service=owner.name if owner else SHARED,
        folder=owner.root if owner else "",
        tier=tier_name,
        tier_reason=tier_reason,
        outcomes=outcomes,
        standing=standing(outcomes, complete=complete),
        objectives=() if _partial(scope) else objectives(graph, (slo for slo in graph.of(Slo) if owners.of(slo) is owner)),
        files=len({document.at.path for document in graph.of(Document) if owners.of(document) is owner}),
        partial=_partial(scope) or owner is None,
    )


def _partial(scope: Scope) -> bool:
    return bool(scope.selected or scope.ignored or scope.only_files or not (scope.local and scope.repo_wide))


def _whole(graph: Graph, parts: Sequence[Report], scope: Scope) -> Report:
    """The repository: every outcome of every part, and no better than the worst of them."""
    merged: dict[str, list[Outcome]] = {}
    for part in parts:
        for outcome in part.outcomes:
            merged.setdefault(outcome.check.code, []).append(outcome)
    outcomes = tuple(_merge(merged[code]) for code in sorted(merged))
    return Report(
        service=graph.name,
        outcomes=outcomes,
        standing=standing(outcomes, complete=not any(part.standing.unrated for part in parts)),
        objectives=tuple(objective for part in parts for objective in part.objectives),
        files=sum(part.files for part in parts),
        partial=_partial(scope),
        parts=tuple(part for part in parts if part.service != SHARED or part.findings or part.unknown),
    )


_WORST_FIRST = (Status.FAILED, Status.UNKNOWN, Status.WAIVED, Status.PASSED, Status.NOT_APPLICABLE)


def _merge(outcomes: Sequence[Outcome]) -> Outcome:
    worst = min(outcomes, key=lambda outcome: _WORST_FIRST.index(outcome.status))
    return replace(
        worst,
        subjects=sum(outcome.subjects for outcome in outcomes),
        findings=tuple(finding for outcome in outcomes for finding in outcome.findings),
    )
