"""Links: what is found from what, what merely looks alike, and what cannot be told."""

from __future__ import annotations

import json
import random
import shutil
import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_reliability.documents import Source
from pytest_reliability.formats.alertmanager import FORMAT, parse_matchers
from pytest_reliability.model.graph import Graph
from pytest_reliability.model.links.remotes import Shown, shown_by
from pytest_reliability.model.links.routes import receivers_for
from pytest_reliability.model.links.runbooks import RunbookLink, runbook_for
from pytest_reliability.model.location import Location
from pytest_reliability.model.nodes import Alert, Heading, Matcher, Receiver, Route, Routing, Runbook, Site
from pytest_reliability.model.settings import Settings

GITHUB = "git@github.com:acme/shop.git"
FILES = ("alerts/checkout.yaml", "docs/runbooks/checkout.md", "docs/runbooks/README.md", "docs/img/graph.png", "README.md")


def alert(runbook="", *, name="CheckoutDown", path="alerts/checkout.yaml", settings=None, **labels):
    """An alert that names a runbook."""
    at = Location(path)
    annotations = {"runbook_url": runbook} if runbook else {}
    return Alert(
        at=at, expr_at=at, name=name, expr="up == 0", labels=labels, annotations=annotations, settings=settings or Settings()
    )


def runbook(path, *headings, anchors=()):
    """A runbook with these headings; further anchors are explicit ids."""
    made = tuple(Heading(at=Location(path), level=2, text=text, anchor=text.lower().replace(" ", "-")) for text in headings)
    return Runbook(at=Location(path), title=path, headings=made, anchors=frozenset((*(one.anchor for one in made), *anchors)))


def link(target, *nodes, files=FILES, remotes=(GITHUB,), **more):
    """What an alert's runbook resolves to in a repository of these nodes and files."""
    return runbook_for(Graph(nodes, files=files, remotes=remotes), alert(target, **more))


def where(target, *nodes, **more):
    """The status and the path only."""
    found = link(target, *nodes, **more)
    return (found.status, found.path)


# --- alert → runbook: a path


def test_no_annotation_no_link():
    """An alert that names nothing links to nothing, whatever is called like it."""
    assert link("", runbook("docs/runbooks/CheckoutDown.md")) is None


@pytest.mark.parametrize(
    "target",
    [
        "docs/runbooks/checkout.md",
        "./docs/../docs/runbooks/checkout.md",
        "/docs/runbooks/checkout.md",
        "../docs/runbooks/checkout.md",
        "docs/runbooks/check%6Fut.md",
        "docs/runbooks/checkout.md?plain=1",
        "  docs/runbooks/checkout.md\n",
    ],
)
def test_a_path_is_found_from_the_file_and_from_the_root(target):
    """People write either; both can be followed."""
    assert ("found", "docs/runbooks/checkout.md") == where(target)


def test_a_path_from_the_file_wins_over_one_from_the_root():
    """Nearer is likelier, and the order is documented."""
    files = ("alerts/docs/a.md", "docs/a.md")
    assert ("found", "alerts/docs/a.md") == where("docs/a.md", files=files)
    assert ("found", "docs/a.md") == where("docs/a.md", files=files, path="other/x.yaml")


def test_a_folder_stands_for_its_index():
    """A link to a folder shows the index; one without any shows the files."""
    assert ("found", "docs/runbooks/README.md") == where("docs/runbooks/")
    assert ("found", "docs/img") == where("docs/img")


def test_a_missing_path_is_missing_where_there_is_a_folder_for_it():
    """The message should name the place where the page is expected."""
    expected = RunbookLink(status="missing", path="docs/runbooks/gone.md", evidence="'docs/runbooks/gone.md' is a path")
    assert expected == link("docs/runbooks/gone.md")
    assert ("missing", "runbooks/gone.md") == where("runbooks/gone.md", path="alerts.yaml")
    assert ("missing", "docs/gone") == where("docs/gone")
    assert ("missing", "alerts/gone.md") == where("./gone.md")


def test_where_no_folder_tells_a_missing_path_is_one_from_the_root():
    """So are those that the hints suggest; a dot says that it is meant from the file."""
    assert ("missing", "howto/gone.md") == where("howto/gone.md")
    assert ("missing", "alerts/howto/gone.md") == where("./howto/gone.md")
    assert ("missing", "alerts/gone.md") == where("gone.md")


@pytest.mark.parametrize(
    ("target", "evidence"),
    [
        ("Restart the service", "'Restart the service' need not be a path"),
        ("see docs/runbooks/checkout.md", "'see docs/runbooks/checkout.md' need not be a path"),
        ("CheckoutDown", "'CheckoutDown' need not be a path"),
        ("SRE/checkout", "'SRE/checkout' need not be a path"),
    ],
)
def test_what_need_not_be_a_path_is_unclear(target, evidence):
    """A sentence, or the name of a wiki page, is no broken link."""
    assert RunbookLink(status="unclear", evidence=evidence) == link(target)


@pytest.mark.parametrize(
    "target", ["../../elsewhere/a.md", "mailto:sre@example.com", "slack://channel/1", "wiki.example.com/a.md"]
)
def test_what_lies_outside_is_outside(target):
    """Nothing is said about what is not in the repository."""
    assert ("outside", None) == where(target)


def test_what_nobody_has_looked_into_is_unclear():
    """A submodule and a symbolic link to a folder are single entries in git."""
    files = (*FILES, "docs/shared")
    assert ("unclear", None) == where("docs/shared/a.md", files=files)
    assert ("unclear", None) == where("docs/shared/{{ $labels.x }}.md", files=files)


# --- alert → runbook: the repository's own remotes


@pytest.mark.parametrize(
    ("remote", "url"),
    [
        (GITHUB, "https://github.com/acme/shop/blob/main/docs/runbooks/checkout.md"),
        (GITHUB, "http://github.com/ACME/Shop/blob/main/docs/runbooks/checkout.md"),
        (GITHUB, "//github.com/acme/shop/edit/main/docs/runbooks/checkout.md"),
        (GITHUB, "github.com/acme/shop/blob/main/docs/runbooks/checkout.md"),
        (GITHUB, "https://github.com/acme/shop/blob/refs/heads/main/docs/runbooks/checkout.md"),
        (GITHUB, "https://github.com/acme/shop/blob/feature/new/docs/runbooks/checkout.md"),
        (GITHUB, "https://github.com/acme/shop/blob/feature%2Fnew/docs/runbooks/checkout.md"),
        (GITHUB, "https://raw.githubusercontent.com/acme/shop/main/docs/runbooks/checkout.md"),
        (GITHUB, "https://raw.githubusercontent.com/acme/shop/refs/heads/main/docs/runbooks/checkout.md"),
        ("https://token:x@github.com/acme/shop", "https://github.com/acme/shop/raw/v1.2.3/docs/runbooks/checkout.md"),
        ("ssh://git@gitlab.example.com:2222/sre/eu/shop.git", "https://gitlab.example.com/sre/eu/shop/-/blob/main/docs/runbooks/checkout.md"),
        ("git@bitbucket.org:acme/shop.git", "https://bitbucket.org/acme/shop/src/main/docs/runbooks/checkout.md"),
        ("git@git.example.com:acme/shop.git", "https://git.example.com/acme/shop/src/branch/main/docs/runbooks/checkout.md"),
        ("git@git.example.com:acme/shop.git", "https://git.example.com/acme/shop.git/raw/tag/v1/docs/runbooks/checkout.md"),
        ("ssh://git@code.example.com:7999/pay/shop.git", "https://code.example.com/projects/PAY/repos/shop/browse/docs/runbooks/checkout.md?at=main"),
        ("https://code.example.com/scm/pay/shop.git", "https://code.example.com/projects/PAY/repos/shop/raw/docs/runbooks/checkout.md"),
        ("https://code.example.com/scm/~ann/shop.git", "https://code.example.com/users/ann/repos/shop/browse/docs/runbooks/checkout.md"),
    ],
)  # fmt: skip
def test_urls_of_own_remotes_are_paths(remote, url):
    """Every forge has its own way to show a file, and a branch may have slashes."""
    assert ("found", "docs/runbooks/checkout.md") == where(url, remotes=("/srv/mirror", remote))


@pytest.mark.parametrize(
    "url",
    [
        "https://github.com/acme/search/blob/main/docs/runbooks/checkout.md",
        "https://github.com/other/shop/blob/main/docs/runbooks/checkout.md",
        "https://gitlab.com/acme/shop/blob/main/docs/runbooks/checkout.md",
        "https://github.com/acme/shop/wiki/checkout",
        "https://github.com/acme/shop/issues/1",
        "https://raw.githubusercontent.com/acme/search/main/docs/runbooks/checkout.md",
        "https://github.com/projects/acme/repos/search/browse/docs/runbooks/checkout.md",
        "https://wiki.example.com/docs/runbooks/checkout.md",
    ],
)
def test_urls_of_others_are_outside(url):
    """The same path in another repository is another file."""
    assert ("outside", None) == where(url)


def test_a_remote_in_another_place_is_no_remote_of_ours():
    """Paths and single letters are no hosts."""
    url = "https://github.com/acme/shop/blob/main/a.md"
    assert None is shown_by(("/srv/shop.git", "file:///srv/shop.git", "C:/shop", "git@github.com:"), url)
    assert None is shown_by((GITHUB,), "ftp://github.com/acme/shop/blob/main/a.md")


def test_the_repository_itself_is_its_index():
    """A link to the front page shows README."""
    assert ("found", "README.md") == where("https://github.com/acme/shop")
    assert ("found", "README.md") == where("https://github.com/acme/shop/tree/main")


def test_a_missing_file_of_an_own_remote_is_missing():
    """On whatever branch: this one lacks it."""
    url = "https://github.com/acme/shop/blob/main/docs/runbooks/gone.md"
    assert ("missing", "docs/runbooks/gone.md") == where(url)
    assert ("missing", "docs/runbooks/gone.md") == where("https://github.com/acme/shop/blob/my-branch/docs/runbooks/gone.md")


def test_a_branch_with_slashes_may_be_ambiguous():
    """Where both readings exist nobody can tell which is meant."""
    files = ("docs/a.md", "x/docs/a.md")
    found = link("https://github.com/acme/shop/blob/feature/x/docs/a.md", files=files)
    assert RunbookLink(status="unclear", evidence="it may mean x/docs/a.md or docs/a.md") == found
    assert ("found", "docs/a.md") == where("https://github.com/acme/shop/blob/main/docs/a.md", files=files)


def test_what_is_pinned_to_a_commit_may_still_be_there():
    """A permalink goes on working after the file is gone."""
    commit = "0123456789abcdef0123456789abcdef01234567"
    url = f"https://github.com/acme/shop/blob/{commit}/docs/gone.md"
    assert RunbookLink(status="unclear", evidence=f"it is pinned to {commit}, which may still have it") == link(url)


def test_every_way_to_split_a_branch_is_tried():
    """The shortest branch is the likeliest."""
    url = "https://github.com/acme/shop/blob/a/b/c/d/e.md"
    assert Shown(("b/c/d/e.md", "c/d/e.md", "d/e.md", "e.md"), "github.com/acme/shop") == shown_by((GITHUB,), url)


# --- alert → runbook: configured prefixes and sites

PREFIX = Settings(runbook_urls={"https://runbooks.example.com/": "docs/runbooks", "https://runbooks.example.com/img": "docs/img"})


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("https://runbooks.example.com/checkout", "docs/runbooks/checkout.md"),
        ("http://RUNBOOKS.example.com/Checkout/", "docs/runbooks/checkout.md"),
        ("https://runbooks.example.com/checkout.html", "docs/runbooks/checkout.md"),
        ("https://runbooks.example.com/checkout.md", "docs/runbooks/checkout.md"),
        ("https://runbooks.example.com/", "docs/runbooks/README.md"),
        ("https://runbooks.example.com", None),
        ("https://runbooks.example.com/img/graph.png", "docs/img/graph.png"),
    ],
)
def test_a_configured_prefix_stands_for_its_folder(url, path):
    """Web servers leave out endings and do not mind case; the longest prefix counts."""
    assert (("found", path) if path else ("outside", None)) == where(url, settings=PREFIX)


def test_nothing_below_a_configured_prefix_is_missing_and_a_neighbour_is_outside():
    """A prefix ends where a name ends."""
    evidence = "https://runbooks.example.com/ is configured to stand for docs/runbooks"
    assert RunbookLink(status="missing", path="docs/runbooks/gone.md", evidence=evidence) == link(
        "https://runbooks.example.com/gone", settings=PREFIX
    )
    assert ("missing", "docs/runbooks/image/a.md") == where("https://runbooks.example.com/image/a", settings=PREFIX)
    bare = Settings(runbook_urls={"https://example.com/run": ""})
    assert ("outside", None) == where("https://example.com/runbooks/a", settings=bare)
    assert ("missing", "a.md") == where("https://example.com/run/a", settings=bare)


def test_a_site_that_is_built_from_the_repository():
    """Its pages are files; where it may have others, a missing one is unclear."""
    site = Site(at=Location("mkdocs.yml"), base_url="https://docs.example.com/shop/", folder="docs", complete=True)
    open_site = Site(at=Location("hugo.toml"), base_url="https://docs.example.com/", folder="docs")
    url = "https://docs.example.com/shop/runbooks"
    assert ("found", "docs/runbooks/checkout.md") == where(f"{url}/checkout/", site)
    assert "https://docs.example.com/shop/ is built from docs (mkdocs.yml)" == link(f"{url}/checkout/", site).evidence
    assert ("missing", "docs/runbooks/gone.md") == where(f"{url}/gone/", site, open_site)
    assert ("unclear", None) == where("https://docs.example.com/runbooks/gone/", site, open_site)
    assert ("outside", None) == where("https://docs.example.com/other", site)


# --- alert → runbook: templates, anchors, what is near


@pytest.mark.parametrize(
    ("target", "status"),
    [
        ("docs/runbooks/{{ $labels.service }}.md", "unclear"),
        ("docs/runbooks/check{{ $labels.service }}.md", "unclear"),
        ("docs/books/{{ $labels.service }}.md", "missing"),
        ("docs/runbooks/x{{ $labels.service }}.md", "missing"),
        ("{{ $labels.runbook }}", "unclear"),
        ("x{{ $labels.runbook }}", "unclear"),
        ("https://{{ $labels.host }}/a", "outside"),
        ("https://github.com/acme/shop/blob/main/docs/runbooks/{{ $labels.service }}.md", "unclear"),
        ("https://github.com/acme/shop/blob/main/books/{{ $labels.service }}.md", "missing"),
        ("https://github.com/acme/shop/blob/{{ $labels.branch }}/books/a.md", "unclear"),
        ("https://github.com/acme/search/blob/main/{{ $labels.service }}.md", "outside"),
        ("docs/runbooks/gone.md?x={{ $value }}", "missing"),
        ("docs/runbooks/checkout.md#{{ $labels.service }}", "found"),
        ("docs/runbooks/${SERVICE}.md", "unclear"),
        ("docs/runbooks/<service>.md", "unclear"),
    ],
)
def test_only_what_stands_before_a_template_is_checked(target, status):
    """Nobody knows what it becomes, but it begins as it is written."""
    assert status == link(target).status


def test_a_template_below_a_prefix_does_not_mind_case():
    """Servers of sites do not either."""
    assert "unclear" == link("https://runbooks.example.com/CHECK{{ $labels.x }}", settings=PREFIX).status
    assert "missing" == link("https://runbooks.example.com/pay/{{ $labels.x }}", settings=PREFIX).status


@pytest.mark.parametrize(
    ("anchor", "found"),
    [
        ("payment-fails", True),
        ("Payment-Fails", True),
        ("user-content-payment-fails", True),
        ("payment--fails", True),
        ("cache", True),
        ("%E5%BD%B1%E9%9F%BF", True),
        ("payment", False),
        ("L10", None),
        ("L10-L20", None),
        (":~:text=payment", None),
    ],
)
def test_an_anchor_is_checked_against_the_file(anchor, found):
    """Headings and explicit ids count; lines of source are no sections."""
    page = runbook("docs/runbooks/checkout.md", "Payment fails", "影響", anchors=("cache",))
    assert found == link(f"docs/runbooks/checkout.md#{anchor}", page).anchor_found


def test_an_anchor_in_what_was_not_read_is_not_checked():
    """Only pages have sections that we know."""
    assert None is link("docs/img/graph.png#a").anchor_found
    assert ("a", None) == (lambda found: (found.anchor, found.anchor_found))(link("docs/runbooks/checkout.md#a"))
    assert None is link("docs/runbooks/checkout.md#", runbook("docs/runbooks/checkout.md")).anchor


def test_sites_have_their_own_way_with_letters_beyond_ascii():
    """What GitHub would call an anchor may be another one there."""
    url = "https://runbooks.example.com/checkout#nothing"
    assert None is link(url, runbook("docs/runbooks/checkout.md", "影響"), settings=PREFIX).anchor_found
    assert False is link(url, runbook("docs/runbooks/checkout.md", "Impact"), settings=PREFIX).anchor_found


def test_near_are_same_names_elsewhere_the_alerts_own_and_lookalikes():
    """The likeliest comes first, and three are enough."""
    pages = (
        "runbooks/checkout-slow.md",
        "docs/runbooks/CheckoutDown.md",
        "docs/runbooks/checkout-latency.md",
        "docs/x/checkoutslow.txt",
    )
    nodes = [runbook(path) for path in pages[:3]]
    found = link("docs/runbooks/checkout-slow.md", *nodes, files=(*FILES, *pages))
    assert ("docs/x/checkoutslow.txt", "runbooks/checkout-slow.md", "docs/runbooks/CheckoutDown.md") == found.near
    assert () == link("docs/runbooks/gone.md", *nodes, files=(*FILES, *pages), name="Other").near


def test_an_index_is_named_like_its_folder():
    """`checkout/README.md` is the page about checkout."""
    pages = ("docs/runbooks/checkout-slow/README.md",)
    found = link("docs/runbooks/checkout-slow.md", runbook(pages[0]), files=(*FILES, *pages))
    assert pages == found.near


def test_the_graph_remembers_links():
    """A check asks once for the runbook and once for its section."""
    node = alert("docs/runbooks/checkout.md")
    graph = Graph([node], files=FILES)
    assert graph.runbook_for(node) is graph.runbook_for(node)


@settings(deadline=None)
@given(st.text(max_size=40))
def test_no_annotation_breaks_the_link(target):
    """Whatever stands in an annotation has an answer."""
    found = link(target, settings=PREFIX)
    assert found is None or found.status in ("found", "missing", "outside", "unclear")


# --- alert → receiver


def matcher(text):
    """A matcher from its usual spelling."""
    (found,) = parse_matchers(text)
    return found


def route(receiver, *children, matching=(), continues=False):
    """A route."""
    at = Location("alertmanager.yml")
    return Route(at=at, receiver=receiver, matchers=tuple(map(matcher, matching)), continues=continues, routes=children)


def routing(root, *, partial=False, path="alertmanager.yml"):
    """A configuration in which `pager` notifies and `null` does not; `gone` is not defined."""
    at = Location(path)
    receivers = {
        "pager": Receiver(at=at, name="pager", integrations=("pagerduty",)),
        "chat": Receiver(at=at, name="chat", integrations=("slack",)),
        "null": Receiver(at=at, name="null"),
    }
    return Routing(at=at, root=root, receivers=receivers, partial=partial)


def landings(root, **labels):
    """(receiver, certain) of each place where an alert lands."""
    return [(found.path[-1].receiver, found.certain) for found in receivers_for(Graph([routing(root)]), alert(**labels))]


def test_static_labels_decide_for_certain():
    """What the rule sets is known, and so is the alert's name."""
    root = route("null", route("pager", matching=['severity="critical"']), route("chat", matching=['alertname=~"Checkout.*"']))
    assert [("pager", True)] == landings(root, severity="critical")
    assert [("chat", True)] == landings(root, severity="warning")
    assert [("null", True)] == landings(root, severity="warning", name="Other")


def test_a_label_that_only_the_expression_provides_may_have_any_value():
    """The answer lists every end that is possible, and says what decides."""
    root = route("null", route("pager", matching=['namespace="prod"']), route("chat", matching=['team!="shop"']))
    found = receivers_for(Graph([routing(root)]), alert(severity="critical"))
    assert [("pager", False), ("chat", False), ("null", False)] == [(one.receiver.name, one.certain) for one in found]
    assert "alertmanager.yml sends it to 'pager', depending on namespace, which only the expression provides" == found[0].evidence
    assert (
        "alertmanager.yml sends it to 'null', depending on namespace, team, which only the expression provides"
        == found[2].evidence
    )


def test_a_template_is_any_value_too():
    """`{{ $labels.team }}` comes from the expression as well."""
    root = route("null", route("pager", matching=['team="shop"']))
    assert [("pager", False), ("null", False)] == landings(root, team="{{ $labels.team }}")


def test_a_certain_match_ends_the_walk_unless_it_continues():
    """`continue` is the only way to reach two receivers."""
    first, second = ['severity="critical"'], ['alertname="CheckoutDown"']
    stop = route("null", route("pager", matching=first), route("chat", matching=second))
    go_on = route("null", route("pager", matching=first, continues=True), route("chat", matching=second))
    assert [("pager", True)] == landings(stop, severity="critical")
    assert [("pager", True), ("chat", True)] == landings(go_on, severity="critical")


def test_a_possible_match_that_continues_leaves_the_rest_certain():
    """Whether it also goes there changes nothing for the others."""
    root = route("null", route("pager", matching=['team="shop"'], continues=True), route("chat"))
    assert [("pager", False), ("chat", True)] == landings(root)


def test_the_innermost_route_decides_and_receivers_are_told():
    """The path leads from the root to the end."""
    child = route("pager", matching=['team="shop"'])
    root = route("null", route("chat", child, matching=['severity="critical"']))
    (found,) = receivers_for(Graph([routing(root)]), alert(severity="critical", team="shop"))
    assert (["null", "chat", "pager"], "pager", True) == (
        [one.receiver for one in found.path],
        found.receiver.name,
        found.certain,
    )
    assert "alertmanager.yml sends it to 'pager'" == found.evidence


def test_an_undefined_receiver_is_none():
    """Another check says that it is not defined."""
    (found,) = receivers_for(Graph([routing(route("gone"))]), alert())
    assert (None, True) == (found.receiver, found.certain)


def test_every_configuration_is_walked_and_partial_ones_are_never_certain():
    """Nobody can tell what reaches a part of a configuration."""
    graph = Graph([routing(route("pager"), path="a.yml"), routing(route("chat"), partial=True, path="b.yml"), routing(None)])
    found = receivers_for(graph, alert())
    assert [("a.yml", True), ("b.yml", False)] == [(one.routing.at.path, one.certain) for one in found]
    assert "b.yml sends it to 'chat' if it gets there at all: b.yml is a part of a configuration" == found[1].evidence


def test_a_root_that_does_not_match_leads_nowhere():
    """Alertmanager refuses such a root; parts of configurations may have one."""
    assert [] == landings(route("pager", matching=['severity="critical"']), severity="warning")


@pytest.mark.parametrize(
    ("matching", "value", "expected"),
    [
        ('a="x"', "x", [("pager", True)]),
        ('a!="x"', "x", [("null", True)]),
        ('a=~"x|y"', "y", [("pager", True)]),
        ('a=~"x"', "xx", [("null", True)]),
        ('a!~"x.*"', "y", [("pager", True)]),
        ('a=~".*"', None, [("pager", True)]),
        ('a!~".*"', None, [("null", True)]),
        ('a=~"("', "x", [("pager", False), ("null", False)]),
        ('a=~"(x+)+y"', "x" * 40, [("pager", False), ("null", False)]),
    ],
)
def test_matchers_are_alertmanagers(matching, value, expected):
    """Regular expressions are anchored; what no engine of ours can say in time is unknown."""
    labels = {} if value is None else {"a": value}
    assert expected == landings(route("null", route("pager", matching=[matching])), **labels)


LABELS = {"severity": ("", "critical", "warning"), "team": ("", "shop", "search"), "env": ("", "prod", "dev")}


def generated(chance, depth=0):
    """A random route below the root, in all the spellings that matchers have."""
    made = {"receiver": chance.choice("abcd"), "continue": chance.random() < 0.3, "matchers": [], "match": {}, "match_re": {}}
    for label, values in LABELS.items():
        operator = chance.choice(("=", "!=", "=~", "!~"))
        value = chance.choice(("s.*", "shop|prod", ".+", "", "warning")) if "~" in operator else chance.choice(values)
        if chance.random() < 0.4:
            if operator in ("=", "=~") and chance.random() < 0.5:
                made["match" if operator == "=" else "match_re"][label] = value
            else:
                made["matchers"].append(f'{label}{operator}"{value}"')
    made["routes"] = [generated(chance, depth + 1) for _ in range(chance.choice((0, 0, 1, 2, 3)) if depth < 3 else 0)]
    return made


def test_the_walk_agrees_with_amtool(tmp_path):
    """Whatever Alertmanager does with an alert whose labels are all known, reading its file and walking its tree does."""
    amtool = shutil.which("amtool")
    if amtool is None:
        pytest.skip("amtool (Debian's package prometheus-alertmanager) is not installed")
    chance = random.Random(20240229)
    for number in range(15):
        root = {"receiver": "a", "routes": [generated(chance) for _ in range(chance.randint(1, 4))]}
        text = json.dumps({"route": root, "receivers": [{"name": name} for name in "abcd"]})
        config = tmp_path / f"{number}.yml"
        config.write_text(text, encoding="utf-8")
        graph = Graph(FORMAT.read(Source("alertmanager.json", text.encode())))
        for _ in range(4):
            labels = {label: chance.choice(values) for label, values in LABELS.items()}
            given = [f"{label}={value}" for label, value in labels.items() if value]
            command = [amtool, "config", "routes", "test", f"--config.file={config}", *given, "alertname=CheckoutDown"]
            said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
            found = receivers_for(graph, alert(**labels))
            assert said.strip().split(",") == [one.path[-1].receiver for one in found], (root, labels)
            assert all(one.certain for one in found)


def test_matchers_are_values():
    """A matcher from a text is the one that a reader makes."""
    assert Matcher(label="a", operator="!=", value="b c") == matcher('a != "b c"')
