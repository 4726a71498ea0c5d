"""From a graph and checks to outcomes: what each status means, and whose settings count."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from pytest_reliability.contracts import Check, Problem, check
from pytest_reliability.engine import SHARED, Scope, review
from pytest_reliability.model.graph import Graph, Unread
from pytest_reliability.model.location import Location
from pytest_reliability.model.nodes import Component, Dashboard, Node, Page, Runbook, Service
from pytest_reliability.model.settings import Settings
from pytest_reliability.report import Level, Outcome, Responsibility, Severity, Status


@check(Page, code="PM901", level=Level.BRONZE)
def untitled_page(page):
    """A page needs a title."""
    if not page.title:
        yield Problem(page.at, "no title", "add one")


@check(Service, code="RUN901", level=Level.SILVER, needs=(Runbook,))
def no_runbook(service, graph):
    """A service needs a runbook."""
    if not graph.within(service, Runbook):
        yield Problem(service.at, "no runbook")


@check(Page, code="PM902", severity=Severity.INFO)
def any_page(page):
    """Off unless selected."""
    yield Problem(page.at, "a page")


@check(Page, code="PM903", severity=Severity.WARNING)
def broken(page):
    """Its author made a mistake."""
    yield Problem(page.at, "said before the mistake") if page.title == "speaks" else Problem(page.at, 1 / 0)


def page(path: str, title: str = "", kind: type[Page] = Page) -> Page:
    """A page, or a kind of it."""
    return kind(at=Location(path), title=title)


def service(root: str = "", name: str = "shop", **settings: object) -> Service:
    """A service with these settings."""
    return Service(at=Location(f"{root}/.reliability.yaml".lstrip("/")), name=name, root=root, settings=Settings(**settings))


def unread(path: str, kind: type[Node] = Runbook, *, template: bool = False) -> Unread:
    """A file that could not be read."""
    return Unread(at=Location(path), reason="not UTF-8", might_hold=(kind,), template=template)


def outcome(the_check: Check, nodes: list[Node], *, unread: tuple[Unread, ...] = (), scope: Scope | None = None) -> Outcome:
    """What one check comes to on these nodes."""
    graph = Graph([*nodes, *([] if any(isinstance(node, Service) for node in nodes) else [service()])], unread=unread)
    (result,) = review(graph, [the_check], scope or Scope()).outcomes
    return result


def test_a_check_that_finds_nothing_passes_and_says_of_how_much():
    """Passed means that it looked at something."""
    result = outcome(untitled_page, [page("a.md", "A"), page("b.md", "B")])
    assert (Status.PASSED, 2, ()) == (result.status, result.subjects, result.findings)


def test_a_finding_carries_what_people_know_the_check_by():
    """The check says where and what; the engine adds code, name and severity."""
    (finding,) = outcome(untitled_page, [page("a.md")]).findings
    assert ("PM901", Severity.ERROR, "untitled-page") == (finding.code, finding.severity, finding.check.name)
    assert (Location("a.md"), "no title", "add one") == (finding.at, finding.message, finding.hint)


def test_nothing_to_check_is_not_a_pass():
    """A repository without dashboards has not passed anything about dashboards."""
    result = outcome(untitled_page, [])
    assert (Status.NOT_APPLICABLE, 0, "nothing here to ask it of") == (result.status, result.subjects, result.reason)


def test_a_crash_is_unknown_and_names_place_and_reason():
    """Unknown is not passed."""
    result = outcome(broken, [page("a.md")])
    assert Status.UNKNOWN is result.status
    assert "the check crashed at a.md:1:1: ZeroDivisionError: division by zero; please report it" == result.reason


def test_a_crash_does_not_hide_what_was_found_before_it():
    """What is known to be wrong stays wrong."""
    result = outcome(broken, [page("a.md", "speaks"), page("b.md")])
    assert (Status.FAILED, 1) == (result.status, len(result.findings))
    assert "crashed at b.md" in result.reason


def test_a_file_that_could_not_be_read_makes_its_checks_unknown():
    """It might have held a subject; a pass would be a guess."""
    result = outcome(untitled_page, [page("a.md", "A")], unread=(unread("b.md"),))
    assert (Status.UNKNOWN, "could not be read: b.md") == (result.status, result.reason)


def test_an_unread_file_of_another_kind_changes_nothing():
    """A broken dashboard is no reason to doubt the pages."""
    assert Status.PASSED is outcome(untitled_page, [page("a.md", "A")], unread=(unread("b.json", Dashboard),)).status


def test_many_unread_files_are_counted():
    """A reason fits on a line."""
    broken_files = tuple(unread(f"{name}.md") for name in "dcbae")
    assert (
        "could not be read: a.md, b.md, c.md and 2 more"
        == outcome(untitled_page, [page("x.md", "X")], unread=broken_files).reason
    )


def test_absence_is_not_claimed_while_the_missing_thing_may_be_in_an_unread_file():
    """ "Service without runbook" would be a false alarm where the only runbook is not UTF-8."""
    result = outcome(no_runbook, [], unread=(unread("docs/runbooks/a.md"),))
    assert (Status.UNKNOWN, ()) == (result.status, result.findings)
    assert "what it asks for may be in a file that could not be read: docs/runbooks/a.md" == result.reason


def test_absence_is_not_claimed_where_a_template_may_hold_the_missing_thing():
    """Who keeps everything in a Helm chart is neither accused nor praised."""
    result = outcome(no_runbook, [], unread=(unread("chart/templates/a.md", template=True),))
    assert (Status.NOT_APPLICABLE, ()) == (result.status, result.findings)
    assert "what it asks for may be in a template: chart/templates/a.md" == result.reason


def test_what_is_present_needs_no_other_file():
    """A service with a runbook has a runbook, whatever else cannot be read."""
    assert Status.PASSED is outcome(no_runbook, [page("a.md", "A", Runbook)], unread=(unread("b.md"),)).status


def test_templates_alone_leave_nothing_to_check():
    """The reason says where to look."""
    result = outcome(untitled_page, [], unread=(unread("t.md", template=True),))
    assert (Status.NOT_APPLICABLE, "nothing here to ask it of; t.md is a template") == (result.status, result.reason)


def test_an_ignored_check_is_waived_with_its_reason():
    """The configuration accepts a finding; the report goes on showing it."""
    result = outcome(untitled_page, [page("a.md"), service(ignore={"PM": "pages are drafts"})])
    assert (Status.WAIVED, "pages are drafts") == (result.status, result.reason)
    assert ["pages are drafts"] == [finding.waiver.reason for finding in result.findings if finding.waiver]


def test_an_ignored_check_that_finds_nothing_passes():
    """There is nothing to waive."""
    assert Status.PASSED is outcome(untitled_page, [page("a.md", "A"), service(ignore={"PM901": "because"})]).status


def test_info_is_off_unless_selected():
    """Nobody is nagged with what is merely interesting."""
    graph = Graph([page("a.md"), service()])
    assert () == review(graph, [any_page]).outcomes
    assert ["PM902"] == [result.check.code for result in review(graph, [any_page], Scope(selected=("any-page",))).outcomes]


@pytest.mark.parametrize(
    ("scope", "codes"),
    [
        (Scope(), ["PM901", "RUN901"]),
        (Scope(repo_wide=False), ["PM901"]),
        (Scope(local=False), ["RUN901"]),
        (Scope(only_files=True), ["PM901"]),
        (Scope(selected=("RUN",)), ["RUN901"]),
        (Scope(ignored=("no-runbook",)), ["PM901"]),
    ],
)
def test_a_scope_chooses_checks(scope, codes):
    """Local checks for named files, repo-wide ones for the whole, and whatever was selected."""
    report = review(Graph([page("a.md"), service()]), [untitled_page, no_runbook], scope)
    assert codes == [result.check.code for result in report.outcomes]
    assert (scope != Scope()) == report.partial


def test_a_subset_of_the_checks_earns_no_level():
    """Selecting one easy check must not make a repository gold."""
    graph = Graph([page("a.md", "A"), page("b.md", "B", Runbook), service()])
    assert Level.SILVER is review(graph, [untitled_page, no_runbook]).standing.level
    assert review(graph, [untitled_page, no_runbook], Scope(selected=("PM",))).standing.unrated


@pytest.fixture
def monorepo() -> Graph:
    """Two services and something that they share."""
    return Graph(
        [
            service("services/a", "a"),
            service("services/b", "b", ignore={"PM901": "drafts"}),
            page("services/a/x.md"),
            page("services/b/x.md"),
            page("docs/x.md"),
            page("services/a/runbooks/r.md", "R", Runbook),
        ],
        name="everything",
    )


def test_each_service_has_its_own_part_and_settings(monorepo):
    """A waiver in one service excuses nothing in another."""
    report = review(monorepo, [untitled_page, no_runbook])
    statuses = {part.service: [result.status for result in part.outcomes] for part in report.parts}
    assert {
        "a": [Status.FAILED, Status.PASSED],
        "b": [Status.WAIVED, Status.FAILED],
        SHARED: [Status.FAILED, Status.NOT_APPLICABLE],
    } == statuses


def test_the_whole_is_no_better_than_its_worst_part(monorepo):
    """A repository is reported once as a whole: all subjects, all findings, the worst status."""
    report = review(monorepo, [untitled_page, no_runbook])
    first, second = report.outcomes
    assert ("everything", None) == (report.service, report.standing.level)
    assert (Status.FAILED, 4, 3) == (first.status, first.subjects, len(first.findings))
    assert (Status.FAILED, 2, 1) == (second.status, second.subjects, len(second.findings))
    assert ["docs/x.md", "services/a/x.md", "services/b/.reliability.yaml"] == [finding.at.path for finding in report.findings]
    assert ["services/b/x.md"] == [finding.at.path for finding in report.waived]


def test_a_service_selects_for_itself(monorepo):
    """What one service has not selected is not asked of it, though it is of the other."""
    nodes = [node for node in monorepo.of(Node) if not isinstance(node, Service)]
    picky = replace(monorepo.of(Service)[0], settings=Settings(select=("RUN",)))
    report = review(Graph([picky, monorepo.of(Service)[1], *nodes]), [untitled_page, no_runbook])
    assert ["RUN901"] == [result.check.code for result in report.parts[0].outcomes]


def test_a_shared_part_with_nothing_to_say_is_not_shown():
    """Two services and nothing beside them: two parts."""
    graph = Graph([service("a", "a"), service("b", "b"), page("a/x.md", "X")])
    assert ["a", "b"] == [part.service for part in review(graph, [untitled_page]).parts]


def test_an_unread_file_of_one_service_is_no_doubt_about_another():
    """A file in one service's folder is that service's trouble."""
    graph = Graph([service("a", "a"), service("b", "b"), page("a/x.md", "X"), page("b/x.md", "X")], unread=[unread("b/y.md")])
    assert [Status.PASSED, Status.UNKNOWN] == [part.outcomes[0].status for part in review(graph, [untitled_page]).parts]


def test_a_check_knows_its_page_scope_and_responsibility():
    """All of it follows from the function."""
    assert (False, True, Responsibility.EMERGENCY_RESPONSE) == (
        untitled_page.repo_wide,
        no_runbook.repo_wide,
        no_runbook.responsibility,
    )
    assert ("A page needs a title.", Path(__file__).with_suffix(".md")) == (untitled_page.summary, untitled_page.page)


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ({"code": "alr1"}, "'alr1' is no code; write two to eight capitals and three digits, such as ALR001"),
        ({"code": "XYZ001"}, "XYZ001 belongs to no known family; give check() a responsibility"),
    ],
)
def test_a_malformed_check_is_refused_where_it_is_made(arguments, complaint):
    """Its author sees it at import, not its users at run time."""
    with pytest.raises(ValueError) as caught:
        check(Component, **arguments)(lambda component: ())
    assert complaint == str(caught.value)


def test_a_check_without_a_reason_is_refused():
    """The first line of its docstring is what `reliability list` shows."""
    with pytest.raises(ValueError, match="RUN902 has no docstring"):
        check(Component, code="RUN902")(lambda component: ())


def test_other_peoples_families_name_their_responsibility():
    """A company's checks count towards one of the eight as well."""
    made = check(Component, code="ACME001", responsibility=Responsibility.EFFICIENCY)(untitled_page.run)
    assert Responsibility.EFFICIENCY is made.responsibility
