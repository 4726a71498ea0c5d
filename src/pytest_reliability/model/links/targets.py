"""From a link on a page to what it leads to in the repository.

A relative target is looked for beside the page and, because sites serve `page.md` as `page/`, one level deeper; one that begins
with a slash from the root and from the usual folders of documentation. Sites also add endings. Where a target may be made by
something else than a file (a site's generator, a template, another repository), nothing is said about it.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from posixpath import basename, dirname, normpath, relpath, splitext
from typing import TYPE_CHECKING
from urllib.parse import unquote

from pytest_reliability.model.links.leads import INDEXES
from pytest_reliability.model.nodes import Page, Site

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_reliability.model.graph import Graph


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadTarget:
    """A target that leads nowhere.

    `path` is where a file was expected, or the page that was found and has no such `anchor`; `near` is what may have been
    meant, as one would write it in its place.
    """

    path: str
    anchor: str | None = None
    near: str | None = None


_ELSEWHERE = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:|//|www\.|mailto|(?:[\w-]+\.)+(?:com|org|net|io|dev|app|co|jp)(?:[/:]|$)")
_TEMPLATE = re.compile(r"[{}<>$*]|\.\.\.|…")
_LINES = re.compile(r"L\d+(?:C\d+)?(?:-L?\d+(?:C\d+)?)?|lines?-\d+(?:[:-]\d+)?|:~:.*|top|page=.*")
_ENDING = re.compile(r"\.[A-Za-z][A-Za-z0-9]{0,9}$")
_ROOTS = (
    "",
    "docs",
    "doc",
    "content",
    "content/en",
    "content/ja",
    "site",
    "website",
    "website/docs",
    "src",
    "static",
    "docs/static",
    "public",
)
"""Where a site's pages, and files that it serves as they are, usually lie."""
_GENERATORS = frozenset(
    ("mkdocs.yml", "mkdocs.yaml", "docusaurus.config.js", "docusaurus.config.ts", "hugo.toml", "hugo.yaml", "hugo.yml",
     "_config.yml",
     "config.toml", "conf.py", "antora.yml", "book.toml", "astro.config.mjs", "astro.config.ts", "SUMMARY.md",
     ".eleventy.js", "mint.json",
     "docs.json", "nuxt.config.ts", "gatsby-config.js", "theme.config.tsx", "zensical.toml", "sidebars.js")
)  # fmt: skip
"""Files that configure what turns pages into a site: then an address need not be a path."""


def dead_target(graph: Graph, page: Page, target: str) -> DeadTarget | None:
    """What a link on `page` leads to in vain; None where it leads somewhere, or where that cannot be told."""
    if not target or _ELSEWHERE.match(target) or _TEMPLATE.search(target):
        return None
    path, _, anchor = target.partition("#")
    path = unquote(path.partition("?")[0]).strip()
    if not path:
        return _dead_anchor(page, anchor, graph)
    candidates = tuple(_candidates(graph, page, path))
    found = next((file for candidate in candidates for file in _existing(graph, candidate)), None)
    if found is not None:
        other = graph.pages.get(found)
        return _dead_anchor(other, anchor, graph) if other is not None else None
    if not candidates or not _must_be_a_file(graph, path) or any(_hidden(graph, candidate) for candidate in candidates):
        return None
    return DeadTarget(path=candidates[0], near=_near(graph, page, candidates[0]))


def _candidates(graph: Graph, page: Page, path: str) -> Iterator[str]:
    """The paths that `path` may stand for, the likeliest first; none where it leads out of the repository."""
    here = dirname(page.at.path)
    if path.startswith("/"):
        bases = dict.fromkeys((*_ROOTS, *(site.folder for site in graph.of(Site))))
    else:
        bases = dict.fromkeys((here, splitext(page.at.path)[0]))
    joined = [normpath(f"{base}/{path.lstrip('/')}".lstrip("/")) for base in bases]
    if path.startswith("/") or not _leaves(joined[0]):
        yield from ("" if one == "." else one for one in joined if not _leaves(one))


def _leaves(path: str) -> bool:
    return path == ".." or path.startswith("../")


def _existing(graph: Graph, path: str) -> Iterator[str]:
    """The file at a path, the index of a folder (or the folder), or the page that a site would show there."""
    if path in graph.files:
        yield path
    elif path in graph.folders:
        inside = f"{path}/" if path else ""
        yield next((inside + name for name in INDEXES if inside + name in graph.files), path)
    else:
        stem = path.removesuffix(".html").removesuffix(".htm")
        yield from (stem + ending for ending in (".md", ".mdx", ".markdown", ".rst", ".adoc") if stem + ending in graph.files)


def _must_be_a_file(graph: Graph, path: str) -> bool:
    """Whether nothing but a file can be meant: not a site's address, not a word in brackets before another in parentheses."""
    ending = _ENDING.search(path)
    if path.startswith("/"):
        first = path.lstrip("/").partition("/")[0]
        return ending is not None and first in graph.folders and "/" in path.strip("/") and not _is_site(graph, first)
    if ending is not None:
        return ending[0] not in (".html", ".htm") or not _generates(graph)
    return "/" in path.rstrip("/") and not _generates(graph)


def _is_site(graph: Graph, folder: str) -> bool:
    """Whether a site may serve something else under the folder's name."""
    return _generates(graph) and folder not in ("docs", "doc")


def _generates(graph: Graph) -> bool:
    return _generated(graph.files)


@lru_cache(maxsize=4)
def _generated(files: frozenset[str]) -> bool:
    return any(basename(path) in _GENERATORS or "/.vitepress/" in f"/{path}" for path in files)


def _hidden(graph: Graph, path: str) -> bool:
    """Whether it lies in a submodule or behind a symbolic link, where nobody has looked."""
    while "/" in path:
        path = path.rpartition("/")[0]
        if path in graph.files:
            return True
    return False


def _dead_anchor(page: Page, anchor: str, graph: Graph) -> DeadTarget | None:
    anchor = unquote(anchor)
    wanted = _squeezed(anchor)
    if not wanted or _LINES.fullmatch(anchor) or wanted in _all_squeezed(page.anchors):
        return None
    if wanted.isdigit() or (_generates(graph) and not all(heading.text.isascii() for heading in page.headings)):
        return None  # generators of sites each have their own way with letters beyond ASCII
    from difflib import get_close_matches

    close = get_close_matches(anchor.casefold(), page.anchors, n=1, cutoff=0.6)
    return DeadTarget(path=page.at.path, anchor=anchor, near=close[0] if close else None)


@lru_cache(maxsize=64)
def _all_squeezed(anchors: frozenset[str]) -> frozenset[str]:
    return frozenset(map(_squeezed, anchors))


def _squeezed(anchor: str) -> str:
    """An anchor's letters and digits: forges and sites differ in all the rest."""
    text = unicodedata.normalize("NFKC", anchor.removeprefix("user-content-")).casefold()
    return "".join(character for character in text if character.isalnum())


def _near(graph: Graph, page: Page, path: str) -> str | None:
    """How the page would link to the file that has the same name, or a very similar one in the same folder."""
    here = dirname(page.at.path)
    same = graph.files_named(basename(path))
    if not same:
        same = graph.files_named(f"{splitext(basename(path))[0]}.md")
    if not same:
        from difflib import get_close_matches

        beside = {basename(file): file for file in graph.files if dirname(file) == dirname(path)}
        same = tuple(beside[name] for name in get_close_matches(basename(path), beside, n=1, cutoff=0.75))
    nearest = min(same, key=lambda file: (len(relpath(file, here or ".")), file), default=None)
    return relpath(nearest, here or ".") if nearest else None
