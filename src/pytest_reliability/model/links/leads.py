"""Where a path or a URL may lead in the repository."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from posixpath import normpath
from typing import TYPE_CHECKING
from urllib.parse import unquote

from pytest_reliability.model.links.remotes import shown_by
from pytest_reliability.model.nodes import Site

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_reliability.model.graph import Graph
    from pytest_reliability.model.settings import Settings

PAGE = r"(?i)\.(?:md|markdown|mdx|adoc|asciidoc|rst|txt|html?|org|ipynb|pdf)$"
"""How the names of pages end."""
INDEXES = ("README.md", "index.md", "_index.md", "readme.md", "README.rst", "README.adoc", "README.txt", "README", "index.html")
"""Files that stand for the folder they are in."""
_SOURCES = (".md", ".mdx", ".markdown", ".adoc", ".rst", ".html")
"""How the files may end that a page without an ending is made from."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lead:
    """Paths that a target may stand for, the likeliest first, and why.

    With `rivals` they exclude each other, so that two of them that exist are an ambiguity. `doubt` says why none of them need
    exist. `folded`: upper and lower case are the same. `rendered`: the page is built from the file, and its anchors may differ.
    `home` is where it should be if it is nowhere, where that is not the likeliest path.
    """

    paths: tuple[str, ...]
    evidence: str
    rivals: bool = False
    doubt: str = ""
    folded: bool = False
    rendered: bool = False
    home: str = ""

    def existing(self, graph: Graph) -> tuple[str, ...]:
        """Those of its paths that exist; for a folder its index."""
        found = (_file(graph, path, self.folded) for path in self.paths)
        return tuple(dict.fromkeys(path for path in found if path is not None))

    def begins_something(self, graph: Graph) -> bool:
        """Whether a file of the repository begins with one of its paths."""
        if self.folded:
            wanted = tuple(path.casefold() for path in self.paths)
            return any(name.startswith(wanted) for name in _by_folded_path(graph.files))
        return any(name.startswith(self.paths) for name in graph.files)

    def hidden(self, graph: Graph) -> bool:
        """Whether what it leads to lies in a submodule or behind a symbolic link, where nobody has looked."""
        return any(parent in graph.files for path in self.paths for parent in _parents(path))


def _parents(path: str) -> Iterator[str]:
    while "/" in path:
        path = path.rpartition("/")[0]
        yield path


def _file(graph: Graph, path: str, folded: bool) -> str | None:
    path = path.rstrip("/")
    if path in graph.files:
        return path
    if path in graph.folders:
        inside = f"{path}/" if path else ""
        return next((inside + name for name in INDEXES if inside + name in graph.files), path)
    if folded and (same := _by_folded_path(graph.files).get(path.casefold())):
        return same
    return None


@lru_cache(maxsize=4)
def _by_folded_path(files: frozenset[str]) -> dict[str, str]:
    return {path.casefold(): path for path in sorted(files)}


def path_leads(graph: Graph, path: str, beside: str) -> Lead | None:
    """A path in an annotation of a file in the folder `beside`; None where it leads out of the repository."""
    if path.startswith("/"):
        bases: tuple[str, ...] = ("",)
    else:
        bases = (beside, "") if beside else ("",)
    joined = [normpath(f"{base}/{path}").lstrip("/") if base else normpath(path.lstrip("/") or ".") for base in bases]
    inside = tuple(dict.fromkeys("" if one == "." else one for one in joined if one != ".." and not one.startswith("../")))
    if not inside:
        return None
    trailing = "/" if path.endswith("/") else ""
    home = inside[0] if path.startswith(".") else inside[-1]  # people write paths from the root, unless they say otherwise
    return Lead(paths=tuple(one + trailing for one in inside), evidence=f"{path!r} is a path", home=home)


def url_leads(graph: Graph, settings: Settings, url: str) -> Lead | None:
    """What a URL (without query and anchor) shows of the repository; None where it shows nothing of it."""
    if shown := shown_by(graph.remotes, url):
        folder = "/" if url.endswith("/") else ""
        return Lead(
            paths=tuple(path + folder if path else "" for path in shown.paths),
            evidence=f"{shown.remote} is a remote of this repository",
            rivals=True,
            doubt=f"it is pinned to {shown.pinned_to}, which may still have it" if shown.pinned_to else "",
            rendered=not shown.remote.startswith("github.com/"),
        )
    for prefix, folder in sorted(settings.runbook_urls.items(), key=lambda item: -len(item[0])):
        if (rest := _below(prefix, url)) is not None:
            evidence = f"{prefix} is configured to stand for {folder or 'the root'}"
            return Lead(paths=_served(folder, rest), evidence=evidence, folded=True, rendered=True)
    for site in sorted(graph.of(Site), key=lambda site: -len(site.base_url)):
        if (rest := _below(site.base_url, url)) is not None:
            evidence = f"{site.base_url} is built from {site.folder or 'the root'} ({site.at.path})"
            doubt = "" if site.complete else "the site may have pages that are no files"
            return Lead(paths=_served(site.folder, rest), evidence=evidence, doubt=doubt, folded=True, rendered=True)
    return None


def _below(prefix: str, url: str) -> str | None:
    """What of `url` follows `prefix`, whichever of http and https they are; None where it is not below it."""
    base, target = _bare(prefix), _bare(url)
    if not base or not target.startswith(base):
        return None
    rest = target[len(base) :]
    return rest.lstrip("/") if not rest or rest.startswith("/") or base.endswith("/") else None


def _bare(url: str) -> str:
    scheme, _, rest = url.rpartition("//")
    host, slash, path = rest.partition("/")
    return host.casefold() + slash + path if scheme or slash or host else ""


def _served(folder: str, rest: str) -> tuple[str, ...]:
    """The files that a web server may show under `folder` for the path `rest`, the likeliest first."""
    base = f"{folder.strip('/')}/{unquote(rest).rstrip('/')}".strip("/")
    stem = base.removesuffix(".html").removesuffix(".htm")
    sources = [stem + ending for ending in _SOURCES] if rest.strip("/") else []
    indexes = [f"{stem}/{name}".lstrip("/") for name in INDEXES]
    given = [base] if re.search(PAGE, base) and stem == base else []
    return tuple(dict.fromkeys([*given, *sources, *indexes, base]))
