"""Documentation sites that are built from the repository: where their pages are read, and where the files of these pages are.

* `mkdocs.yml`: `site_url` and `docs_dir`
* Hugo's configuration, `hugo.toml` or `config.toml` (or YAML, or JSON): `baseURL` and `contentDir`

Docusaurus and others are configured by programs, which are not run.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from posixpath import dirname, normpath
from typing import Any, TypeGuard

from pytest_reliability.contracts import Format
from pytest_reliability.documents import Source, Tree
from pytest_reliability.model.nodes import Node, Site
from pytest_reliability.model.settings import Settings

_URL = r"https?://[^\s/]+\S*"
_MAKES_NO_PAGES = frozenset(
    ("search", "minify", "glightbox", "privacy", "offline", "meta", "optimize", "autorefs", "mermaid2", "social", "info",
     "git-revision-date", "git-revision-date-localized", "git-authors", "git-committers", "git-committers-2", "table-reader")
)  # fmt: skip
"""Plugins of MkDocs that change pages, but make and move none."""
_OF_HUGO = frozenset(
    ("languagecode", "title", "theme", "contentdir", "module", "params", "markup", "taxonomies", "menu", "permalinks")
)


def read(source: Source) -> Iterator[Node]:
    """The site that the file configures."""
    mkdocs = "mkdocs" in source.path.rpartition("/")[2]
    for tree in source.trees[:1]:
        if isinstance(tree.data, dict):
            yield from _mkdocs(tree, tree.data, source.settings) if mkdocs else _hugo(tree, tree.data, source.settings)


def _mkdocs(tree: Tree, data: dict[str, Any], settings: Settings) -> Iterator[Site]:
    base_url, folder = data.get("site_url"), data.get("docs_dir", "docs")
    if _is_url(base_url) and isinstance(folder, str):
        at = tree.at(data, "site_url")
        yield Site(at=at, settings=settings, base_url=base_url, folder=_folder(tree, folder), complete=_is_complete(data))


def _is_complete(data: dict[str, Any]) -> bool:
    """Whether every page is a file: no plugin, and no inherited configuration, may make others."""
    plugins = data.get("plugins") or []
    names = (next(iter(plugin), "") if isinstance(plugin, dict) else plugin for plugin in plugins)
    return not {"INHERIT", "hooks"} & set(data) and all(str(name).rpartition("/")[2] in _MAKES_NO_PAGES for name in names)


def _hugo(tree: Tree, data: dict[str, Any], settings: Settings) -> Iterator[Site]:
    keys = {key.casefold(): key for key in data}
    base_url = data.get(keys.get("baseurl", ""))
    folder = data.get(keys.get("contentdir", ""), "content")
    if _is_url(base_url) and isinstance(folder, str) and not _OF_HUGO.isdisjoint(keys):
        at = tree.at(data, keys["baseurl"])
        yield Site(at=at, settings=settings, base_url=base_url, folder=_folder(tree, folder))


def _is_url(value: Any) -> TypeGuard[str]:
    return isinstance(value, str) and re.fullmatch(_URL, value) is not None


def _folder(tree: Tree, folder: str) -> str:
    """A folder that a configuration names, from the root of the repository."""
    joined = normpath(f"{dirname(tree.path)}/{folder}".lstrip("/"))
    return "" if joined == "." else joined


FORMAT = Format(
    name="sites",
    files=r"(?:^|/)(?:mkdocs[^/]*\.ya?ml|(?:hugo|config)\.(?:toml|ya?ml|json))$",
    marker=rb"(?i)\b(?:site_url|baseurl)\b",
    yields=(Site,),
    read=read,
)
