"""From files to a graph: who reads what, and what becomes of the files that nobody can read."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from pytest_reliability import api
from pytest_reliability.contracts import Format
from pytest_reliability.documents import Unreadable
from pytest_reliability.engine import Scope
from pytest_reliability.model.graph import Graph
from pytest_reliability.model.location import Location
from pytest_reliability.model.nodes import Component, Document, Fault, Node, Page, Service, Slo
from pytest_reliability.model.settings import Settings
from pytest_reliability.plugins import Catalogue, load
from pytest_reliability.policy.config import ConfigurationError
from pytest_reliability.reading import MAX_BYTES, anchor, read
from pytest_reliability.testing import Repo


@dataclass(frozen=True, slots=True, kw_only=True)
class Note(Node):
    """What the formats of these tests make."""

    text: str = ""


def notes(source):
    """One note a file; "fault" has one, "crash" and "unreadable" are what they say, "other" is of another kind."""
    text = source.text
    if text == "crash":
        raise KeyError("oops")
    if text.startswith("unreadable"):
        raise Unreadable(Location(source.path, 3, 1), "no sense in it", "write sense", template="template" in text)
    if text == "fault":
        yield Fault(kind="wrong-value", at=Location(source.path, 2), message="wrong")
    if text != "other":
        yield Note(at=Location(source.path), settings=source.settings, text=text)


NOTES = Format(name="notes", files=r"\.note$", yields=(Note,), read=notes)
MORE = Format(name="more", files=r"\.note$", marker=rb"un(?=readable)", yields=(Page,), read=notes)


def graph(files: dict[str, str | bytes], *formats: Format, **options: object) -> Graph:
    """What is read of these files."""
    return read(Repo(files, catalogue=Catalogue((), (), ())), formats or (NOTES,), **options)


def texts(found: Graph) -> list[str]:
    """The texts of all notes."""
    return [node.text for node in found.of(Note)]


def test_a_format_reads_the_files_of_its_name():
    """And no others."""
    assert ["a"] == texts(graph({"x.note": "a", "x.txt": "b"}))


def test_a_format_reads_only_what_has_its_marker():
    """Most YAML files are none of our business, and are not parsed to find that out."""
    read_by = [node.format for node in graph({"x.note": "unreadable", "y.note": "a"}, MORE).of(Document)]
    assert ["more"] == read_by


def test_each_read_file_is_a_document_with_its_faults():
    """That is what the checks of the DOC family ask."""
    documents = graph({"x.note": "fault", "y.note": "a"}).of(Document)
    assert [("x.note", "notes", ["wrong"]), ("y.note", "notes", [])] == [
        (document.at.path, document.format, [fault.message for fault in document.faults]) for document in documents
    ]


def test_a_file_of_another_kind_is_no_document():
    """A reader that yields nothing says: not mine."""
    assert () == graph({"x.note": "other"}).of(Document)


@pytest.mark.parametrize(("text", "kind"), [("unreadable", "unreadable-file"), ("unreadable template", "template-not-checked")])
def test_what_cannot_be_read_is_kept_with_the_reason(text, kind):
    """Place, reason and what it might have held: the checks that need it become unknown."""
    found = graph({"x.note": text})
    (unread,) = found.unread
    assert (Location("x.note", 3, 1), "no sense in it", (Note,), "template" in text) == (
        unread.at, unread.reason, unread.might_hold, unread.template,
    )  # fmt: skip
    (document,) = found.of(Document)
    assert [(kind, "no sense in it", "write sense")] == [(fault.kind, fault.message, fault.hint) for fault in document.faults]


def test_a_file_that_two_readers_wanted_is_reported_once():
    """It may have held what either of them looks for."""
    found = graph({"x.note": "unreadable"}, NOTES, MORE)
    assert [(Note, Page)] == [unread.might_hold for unread in found.unread]
    assert 1 == len(found.of(Document))


def test_a_crash_of_a_reader_is_not_a_pass():
    """It says whose mistake it is and what to do."""
    found = graph({"x.note": "crash"})
    ((unread,), (document,)) = (found.unread, found.of(Document))
    assert "the notes reader crashed: KeyError: 'oops'" == unread.reason
    assert "please report this with the file, or exclude it" == document.faults[0].hint


def test_what_was_found_before_a_crash_is_not_half_kept():
    """Half a file's nodes would look like all of them."""

    def late(source):
        yield Note(at=Location(source.path))
        raise ValueError("late")

    assert () == graph({"x.note": ""}, Format(name="late", files="note", yields=(Note,), read=late)).of(Note)


def test_nobody_misses_what_is_optional(monkeypatch):
    """A large program in which metrics might be defined is no reason to say that anything is unknown."""
    monkeypatch.setattr(Repo, "size", lambda self, path: MAX_BYTES + 1)
    found = graph({"x.note": "a"}, Format(name="notes", files="note", yields=(Note,), read=lambda source: (), optional=True))
    assert ((), ()) == (found.unread, found.of(Document))


def test_a_huge_file_is_not_read(monkeypatch):
    """Whatever it is, nobody wrote it by hand."""
    monkeypatch.setattr(Repo, "size", lambda self, path: MAX_BYTES + 1)
    found = graph({"x.note": "a"})
    assert (["larger than 20 MB, not read"], ()) == ([unread.reason for unread in found.unread], found.of(Note))


def test_a_file_that_vanished_is_not_there(monkeypatch):
    """Between listing and reading, anything may happen."""
    monkeypatch.setattr(Repo, "read", lambda self, path: None)
    found = graph({"x.note": "a", ".reliability.yaml": ""})
    assert ((), ()) == (found.unread, found.of(Note))


def test_excluded_files_are_not_read():
    """By pattern, or with the folder that they are in; links to them are still seen."""
    found = graph(
        {".reliability.yaml": "exclude: [vendor, '*.gen.note']", "vendor/a/b.note": "", "c.gen.note": "", "d.note": "d"}
    )
    assert ["d"] == texts(found)
    assert "vendor/a/b.note" in found.files


def test_only_the_named_files_are_opened():
    """A hook on one changed file does not read a thousand."""
    found = graph({"a.note": "a", "b.note": "b"}, only=["b.note", "gone.note"])
    assert (["b"], {"a.note", "b.note"}) == (texts(found), set(found.files))


def test_nodes_carry_the_settings_of_their_service():
    """The innermost configuration above a file counts."""
    found = graph({
        ".reliability.yaml": "tier: A", "a.note": "", "services/x/.reliability.yaml": "tier: B", "services/x/docs/b.note": "",
        "services/y/c.note": "",
    })  # fmt: skip
    assert {"a.note": "A", "services/x/docs/b.note": "B", "services/y/c.note": "A"} == {
        note.at.path: note.settings.tier for note in found.of(Note)
    }


def test_a_repository_without_configuration_is_one_service():
    """Named after the repository, and standing in the file that people would look at first."""
    (service,) = graph({"README.md": "", "a.note": ""}).of(Service)
    assert ("repository", "", "the repository's name", "README.md") == (
        service.name,
        service.root,
        service.evidence,
        service.at.path,
    )


def test_each_configured_folder_is_a_service():
    """And what lies outside them belongs to none."""
    found = graph(
        {"services/x/.reliability.yaml": "", "services/x/a.note": "", "services/y/.reliability.yml": "service: why", "b.note": ""}
    )
    services = {service.name: (service.root, service.evidence, service.at.path) for service in found.of(Service)}
    assert {
        "x": ("services/x", "the folder's name", "services/x/.reliability.yaml"),
        "why": ("services/y", "the configuration", "services/y/.reliability.yml"),
    } == services
    assert {"services/x/a.note": "x", "b.note": None} == {
        note.at.path: (owner.name if (owner := found.service_of(note)) else None) for note in found.of(Note)
    }


def named(*made: Node) -> str:
    """What the service is called in a repository of these nodes."""
    format = Format(name="made", files="^x$", yields=(Node,), read=lambda source: made)
    (service,) = graph({"x": ""}, format).of(Service)
    return service.name


def test_a_service_is_named_by_the_strongest_evidence():
    """The catalogue before the SLOs before the repository; two candidates are none."""
    place = Location("x")
    shop, cart = (Slo(at=place, objective_at=place, name="s", dialect="d", service=name) for name in ("shop", "cart"))
    first, second = (Component(at=place, name=name, kind="Component") for name in ("first", "second"))
    assert ["first", "shop", "shop", "repository"] == [
        named(first, shop),
        named(shop),
        named(first, second, shop),
        named(shop, cart),
    ]


def test_an_slo_that_names_a_service_belongs_to_it_wherever_it_lies():
    """Some teams keep all SLOs in one folder."""
    place = Location("slos/all.yaml")
    slo = Slo(at=place, objective_at=place, name="s", dialect="d", service="b")
    services = [Service(at=Location(f"{name}/.reliability.yaml"), name=name, root=name) for name in "ab"]
    found = Graph([slo, *services])
    assert [(), (slo,)] == [found.within(service, Slo) for service in services]


@pytest.mark.parametrize(
    ("files", "folder", "expected"),
    [
        (["README.md", "pyproject.toml", "a"], "", "pyproject.toml"),
        ([".reliability.yaml", "pyproject.toml"], "", ".reliability.yaml"),
        (["go.mod", "main.go"], "", "go.mod"),
        (["b.txt", "a.txt"], "", "a.txt"),
        ([], "", ".reliability.yaml"),
        (["README.md", "s/x.txt"], "s", "s/x.txt"),
    ],
)
def test_a_file_stands_for_a_service(files, folder, expected):
    """An item of pytest needs a real file, and people a place to look at."""
    assert expected == anchor(files, folder)


def test_settings_are_the_defaults_where_nothing_is_configured():
    """Nothing needs to be configured."""
    (note,) = graph({"a.note": ""}).of(Note)
    assert Settings() == note.settings


def test_the_graph_finds_files_and_folders_by_name():
    """What links and hints are made of."""
    found = Graph([], files=["docs/a/x.md", "b/x.md", "y.md"])
    assert (("b/x.md", "docs/a/x.md"), ()) == (found.files_named("x.md"), found.files_named("z.md"))
    assert {"", "docs", "docs/a", "b"} == found.folders


def test_the_graph_gives_nodes_by_kind_and_by_what_the_kind_derives_from():
    """Asking for pages gives runbooks too."""
    note, page = Note(at=Location("a")), Page(at=Location("b.md"), title="B")
    found = Graph([note, page])
    assert ((note,), (page,), (note, page), {"b.md": page}) == (found.of(Note), found.of(Page), found.of(Node), found.pages)


CLOSED = "cannot be opened: Permission denied"


def refuse(repository: Repo, path: str) -> bytes:
    """A read that the operating system does not allow."""
    raise PermissionError(13, "Permission denied", path)


def test_a_file_that_may_not_be_opened_is_not_taken_for_an_empty_one(monkeypatch):
    """What it might hold is unknown, and it is told once, however many readers wanted it."""
    monkeypatch.setattr(Repo, "read", refuse)
    found = graph({"a.note": "unreadable"}, NOTES, MORE)
    (unread,) = found.unread
    assert (CLOSED, (Note, Page)) == (unread.reason, unread.might_hold)
    (fault,) = [fault for document in found.of(Document) for fault in document.faults]
    assert ("unreadable-file", CLOSED, "chmod +r a.note") == (fault.kind, fault.message, fault.hint)


@pytest.mark.parametrize("path", [".reliability.yaml", "pyproject.toml"])
def test_a_configuration_that_may_not_be_opened_stops_everything(monkeypatch, path):
    """Nobody is checked by other rules than they wrote."""
    monkeypatch.setattr(Repo, "read", refuse)
    with pytest.raises(ConfigurationError, match=f"{path}:1:1: {CLOSED}"):
        graph({path: ""})


def test_a_line_that_is_gone_is_not_shown(tmp_path):
    """Between reading and reporting, a file may be shortened or deleted; the finding stands without its line."""
    catalogue = load()
    (tmp_path / "slo.yaml").write_text("apiVersion: openslo/v1\nkind: SLO\n")
    graph = api.load(tmp_path, catalogue)
    (tmp_path / "slo.yaml").unlink()
    findings = api.judge(graph, tmp_path, catalogue, Scope(selected=("DOC004",))).findings
    assert findings
    assert {""} == {finding.source for finding in findings}


def test_slos_are_found_by_short_and_by_full_name():
    """Two of the same short name are told apart by their services, or not at all."""
    place = Location("s")
    first, second = (Slo(at=place, objective_at=place, name="latency", dialect="d", service=name) for name in "ab")
    found = Graph([first, second])
    assert ((first, second), (second,), ()) == tuple(found.slo_named(name) for name in ("latency", "b/latency", "c/latency"))
