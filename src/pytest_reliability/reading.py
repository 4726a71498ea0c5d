"""Files to nodes: which reader takes which file, and what becomes of those that none can read."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from fnmatch import translate
from typing import TYPE_CHECKING, Protocol

from pytest_reliability.contracts import Format, UsageError
from pytest_reliability.discovery import CONFIGURATIONS
from pytest_reliability.documents import MAX_BYTES, Source, Tree, Unreadable
from pytest_reliability.model.graph import Graph, Unread
from pytest_reliability.model.location import Location
from pytest_reliability.model.nodes import Component, Document, Fault, Node, Service, Slo
from pytest_reliability.model.settings import DEFAULTS, Settings
from pytest_reliability.policy.config import ConfigurationError, settings_from

if TYPE_CHECKING:
    from collections.abc import Collection


class Files(Protocol):
    """A tree of files: `discovery.Repository`, or one made up in memory."""

    @property
    def name(self) -> str:
        """What the repository is called."""

    @property
    def files(self) -> tuple[str, ...]:
        """Every path, relative to the root, with forward slashes."""

    @property
    def links(self) -> frozenset[str]:
        """Those of the paths that show a file once more; they can be linked to, and are not read twice."""

    @property
    def remotes(self) -> tuple[str, ...]:
        """URLs of the git remotes."""

    def read(self, path: str) -> bytes | None:
        """A file's bytes; None where it has gone. Raises OSError where it may not be read."""

    def size(self, path: str) -> int:
        """A file's size in bytes."""


def read(tree: Files, formats: Iterable[Format], only: Collection[str] | None = None) -> Graph:
    """The graph of a repository. `only`: open no other files than these (links to others are still seen, by their paths).

    Raises ConfigurationError where a configuration is wrong.
    """
    configured = configurations(tree)
    readers = _Readers(formats)
    nodes: list[Node] = []
    unread: list[Unread] = []
    excluded = _excluded(configured.values())
    for path in sorted(set(tree.files) - tree.links if only is None else set(only) & set(tree.files)):
        if excluded and excluded.match(path):
            continue
        candidates = readers.for_path(path)
        if candidates:
            _read_file(tree, path, candidates, _settings_for(path, configured), nodes, unread)
    nodes += _services(tree, configured, nodes)
    return Graph(nodes, files=tree.files, unread=unread, remotes=tree.remotes, name=tree.name)


def configurations(tree: Files) -> dict[str, Settings]:
    """Folder → settings, for the root and every folder with a configuration of its own."""
    found: dict[str, Settings] = {}
    for path in (path for path in tree.files if path not in tree.links):
        folder, _, name = path.rpartition("/")
        if name in CONFIGURATIONS:
            if folder in found:
                raise UsageError(
                    f"{path}: {folder or 'the repository'} has two configurations\n  keep one of {', '.join(CONFIGURATIONS)}"
                )
            document = _parse(tree, path)
            found[folder] = settings_from(document, document.data, folder) if document else DEFAULTS
    if "pyproject.toml" in tree.files:
        document = _parse(tree, "pyproject.toml", b"[tool.reliability")
        tools = document.data.get("tool", {}) if document else {}
        if document and "reliability" in tools:
            if "" in found:
                raise UsageError(
                    "pyproject.toml: [tool.reliability] and .reliability.yaml both configure the repository\n  keep one of them"
                )
            found[""] = settings_from(document, tools["reliability"])
    return found


def _parse(tree: Files, path: str, marker: bytes = b"") -> Tree | None:
    try:
        data = _opened(tree, path)
        if data is None or marker not in data:
            return None
        trees = Source(path, data, DEFAULTS).trees
    except Unreadable as error:
        raise ConfigurationError((Fault(kind="unreadable-file", at=error.at, message=error.reason, hint=error.hint),)) from error
    if len(trees) > 1:
        at = trees[1].at(trees[1].data) if isinstance(trees[1].data, (dict, list)) else Location(path)
        raise ConfigurationError((Fault(kind="wrong-value", at=at, message="a second document", hint="keep one"),))
    return trees[0] if trees else None


def _opened(tree: Files, path: str) -> bytes | None:
    """A file's bytes; None where it has gone. Of one that may not be opened we cannot say that it holds nothing."""
    try:
        return tree.read(path)
    except OSError as error:
        reason = f"cannot be opened: {error.strerror}"
        raise Unreadable(Location(path), reason, hint=f"chmod +r {path}") from error


class _Readers:
    """The formats that may read a path; asked once for each kind of file name rather than once a file."""

    def __init__(self, formats: Iterable[Format]) -> None:
        self._formats = [
            (re.compile(format.files), re.compile(format.marker) if format.marker else None, format) for format in formats
        ]

    def for_path(self, path: str) -> list[tuple[re.Pattern[bytes] | None, Format]]:
        return [(marker, format) for files, marker, format in self._formats if files.search(path)]


def _read_file(
    tree: Files,
    path: str,
    candidates: list[tuple[re.Pattern[bytes] | None, Format]],
    settings: Settings,
    nodes: list[Node],
    unread: list[Unread],
) -> None:
    if tree.size(path) > MAX_BYTES:
        reason = f"larger than {MAX_BYTES // 1_000_000} MB, not read"
        for _, format in candidates:
            _give_up(format, Unreadable(Location(path), reason), settings, nodes, unread)
        return
    try:
        data = _opened(tree, path)
    except Unreadable as error:
        for _, format in candidates:
            _give_up(format, error, settings, nodes, unread)
        return
    if data is None:
        return
    source = Source(path, data, settings)
    for marker, format in candidates:
        if marker is None or marker.search(data):
            _apply(format, source, nodes, unread)


def _apply(format: Format, source: Source, nodes: list[Node], unread: list[Unread]) -> None:
    found: list[Node | Fault] = []
    try:
        found.extend(format.read(source))
    except Unreadable as error:
        _give_up(format, error, source.settings, nodes, unread)
    except Exception as error:  # a reader's own mistake: say so, and let nothing pass for checked
        reason = f"the {format.name} reader crashed: {type(error).__name__}: {error}"
        crash = Unreadable(Location(source.path), reason, hint="please report this with the file, or exclude it")
        _give_up(format, crash, source.settings, nodes, unread)
    else:
        if found:
            faults = tuple(item for item in found if isinstance(item, Fault))
            nodes.extend(item for item in found if isinstance(item, Node))
            nodes.append(Document(at=Location(source.path), settings=source.settings, format=format.name, faults=faults))


def _give_up(format: Format, error: Unreadable, settings: Settings, nodes: list[Node], unread: list[Unread]) -> None:
    if format.optional:
        return
    known = next((item for item in unread if item.at == error.at and item.reason == error.reason), None)
    if known is not None:  # two readers wanted the same file; people need to hear of it once
        unread.remove(known)
        unread.append(
            Unread(at=known.at, reason=known.reason, might_hold=known.might_hold + format.yields, template=known.template)
        )
        return
    unread.append(Unread(at=error.at, reason=error.reason, might_hold=format.yields, template=error.template))
    kind = "template-not-checked" if error.template else "unreadable-file"
    fault = Fault(kind=kind, at=error.at, message=error.reason, hint=error.hint)
    nodes.append(Document(at=Location(error.at.path), settings=settings, format=format.name, faults=(fault,)))


def _settings_for(path: str, configured: Mapping[str, Settings]) -> Settings:
    folder = path
    while folder:
        folder = folder.rpartition("/")[0]
        if folder in configured:
            return configured[folder]
    return DEFAULTS


def _excluded(configured: Iterable[Settings]) -> re.Pattern[str] | None:
    patterns = [pattern for settings in configured for pattern in settings.exclude]
    if not patterns:
        return None
    return re.compile(
        "|".join(f"{translate(pattern.rstrip('/'))}|{translate(pattern.rstrip('/') + '/*')}" for pattern in patterns)
    )


def _services(tree: Files, configured: Mapping[str, Settings], nodes: list[Node]) -> Iterator[Service]:
    """A service for each configured folder; the whole repository is one where no folder is configured."""
    for folder, settings in (configured or {"": DEFAULTS}).items():
        path = next(
            (f"{folder}/{name}".lstrip("/") for name in CONFIGURATIONS if f"{folder}/{name}".lstrip("/") in tree.files),
            None,
        )
        at = Location(path or anchor(tree.files, folder))
        name, evidence = _service_name(tree, folder, settings, nodes)
        yield Service(at=at, settings=settings, name=name, root=folder, evidence=evidence)


def anchor(files: Collection[str], folder: str = "") -> str:
    """The file that stands for a whole service: its configuration, or the first that exists of the usual ones."""
    inside = f"{folder}/" if folder else ""
    for name in (
        *CONFIGURATIONS,
        "pyproject.toml",
        "README.md",
        "README.rst",
        "README",
        "go.mod",
        "package.json",
        "pom.xml",
        "Makefile",
    ):
        if inside + name in files:
            return inside + name
    return next((path for path in sorted(files) if path.startswith(inside)), f"{inside}.reliability.yaml")


def _service_name(tree: Files, folder: str, settings: Settings, nodes: list[Node]) -> tuple[str, str]:
    """What a service is called, by the strongest evidence, and which that was."""
    if settings.service:
        return settings.service, "the configuration"
    inside = f"{folder}/" if folder else ""
    components = {node.name for node in nodes if isinstance(node, Component) and node.at.path.startswith(inside)}
    if len(components) == 1:
        return components.pop(), "catalog-info.yaml"
    named = {node.service for node in nodes if isinstance(node, Slo) and node.at.path.startswith(inside) and node.service}
    if len(named) == 1:
        return str(named.pop()), "the only service that the SLOs name"
    return (folder.rpartition("/")[2], "the folder's name") if folder else (tree.name, "the repository's name")
