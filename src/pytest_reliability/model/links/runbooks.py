"""From an alert to the runbook that it names.

An annotation holds a path, or a URL. A path is looked for beside the alert's file, then from the root. A URL leads into the
repository where it shows a file of one of its remotes (on any branch), where the configuration says which folder is served under
it, or where a documentation site is built from the repository. Everything else is outside, and nothing is said about it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import lru_cache
from posixpath import basename, dirname, splitext
from typing import TYPE_CHECKING
from urllib.parse import unquote

from pytest_reliability.model.links.leads import INDEXES, PAGE, Lead, path_leads, url_leads
from pytest_reliability.model.nodes import Alert, Runbook

if TYPE_CHECKING:
    from pytest_reliability.model.graph import Graph


@dataclass(frozen=True, slots=True, kw_only=True)
class RunbookLink:
    """What the runbook that an alert names resolves to.

    `status` is "found" (`path` is the file, or a folder without an index), "missing" (`path` is where it should be), "outside"
    (somewhere else than in this repository) or "unclear" (a template, a sentence, an ambiguity). `evidence` says why, as a
    clause. `anchor` is what stands behind the #; `anchor_found` is None where it cannot be checked. `near` are existing pages
    that may have been meant by a missing one, the likeliest first.
    """

    status: str
    path: str | None = None
    anchor: str | None = None
    anchor_found: bool | None = None
    evidence: str = ""
    near: tuple[str, ...] = ()


# Compiled when first used: every start would pay for them.
_TEMPLATE = r"\{\{|\{%|\$\{|\$\w|%\(|<[\w -]+>"
_URL = r"(?i)(?:https?:)?//[^/\s]"
_OTHER_SCHEME = r"[A-Za-z][A-Za-z0-9+.-]+:"
_HOST = r"(?:[A-Za-z0-9-]+\.)+[A-Za-z]{2,}(?::\d+)?"
_LINES = r"L\d+(?:C\d+)?(?:-L?\d+(?:C\d+)?)?|lines-\d+(?::\d+)?|:~:.*"


def runbook_for(graph: Graph, alert: Alert) -> RunbookLink | None:
    """What the runbook that `alert` names resolves to; None where it names none."""
    target = alert.runbook_url
    if target is None:
        return None
    link = _resolved(graph, alert, target)
    return replace(link, near=_near(graph, alert, link.path)) if link.status == "missing" and link.path else link


def _resolved(graph: Graph, alert: Alert, target: str) -> RunbookLink:
    template = re.search(_TEMPLATE, target)
    known = target[: template.start()] if template else target
    page, mark, anchor = known.partition("#")
    page, query, _ = page.partition("?")
    partial = template is not None and not mark and not query
    lead = _lead(graph, alert, page.strip(), partial)
    if isinstance(lead, RunbookLink):
        return lead
    if partial:
        return _begun(graph, lead)
    link = _settled(graph, lead)
    if link.status != "found" or not anchor or template:
        return link
    return _with_anchor(graph, link, unquote(anchor), lead.rendered)


def _lead(graph: Graph, alert: Alert, page: str, partial: bool) -> Lead | RunbookLink:
    """Where the target may lead, or what it is where it leads nowhere in the repository."""
    if re.match(_URL, page):
        url = page if page.lower().startswith("http") else f"https:{page}"
        return url_leads(graph, alert.settings, url) or RunbookLink(
            status="outside", evidence="its URL is not of this repository"
        )
    if re.match(_OTHER_SCHEME, page):
        return RunbookLink(status="outside", evidence="its URL is not of this repository")
    first = page.lstrip("/").partition("/")[0]
    if "/" in page and re.fullmatch(_HOST, first) and first not in graph.folders:
        return url_leads(graph, alert.settings, f"https://{page}") or RunbookLink(status="outside", evidence=f"{first} is a host")
    lead = path_leads(graph, unquote(page), dirname(alert.at.path))
    if lead is None:
        return RunbookLink(status="outside", evidence="its path leads out of the repository")
    if partial or lead.existing(graph) or _looks_like_a_path(graph, page, dirname(alert.at.path)):
        return lead
    return RunbookLink(status="unclear", evidence=f"{page!r} need not be a path")


def _looks_like_a_path(graph: Graph, page: str, beside: str) -> bool:
    if re.search(r"\s", page):
        return False
    first = page.lstrip("/").partition("/")[0]
    return bool(re.search(PAGE, page)) or (
        "/" in page and (first in graph.folders or f"{beside}/{first}" in graph.folders or first in (".", ".."))
    )


def _begun(graph: Graph, lead: Lead) -> RunbookLink:
    """A target that a template completes: all that can be said is whether anything begins like it."""
    hopeless = all(dirname(path) for path in lead.paths) and not lead.doubt and not lead.hidden(graph)
    if not hopeless or lead.begins_something(graph):
        return RunbookLink(status="unclear", evidence="a template is part of it")
    return RunbookLink(
        status="missing", path=lead.paths[0], evidence=f"no file begins with what stands before the template; {lead.evidence}"
    )


def _settled(graph: Graph, lead: Lead) -> RunbookLink:
    existing = lead.existing(graph)
    if len(existing) > 1 and lead.rivals:
        return RunbookLink(status="unclear", evidence=f"it may mean {' or '.join(existing)}")
    if existing:
        return RunbookLink(status="found", path=existing[0], evidence=lead.evidence)
    if lead.hidden(graph):
        return RunbookLink(status="unclear", evidence="it lies in a submodule or behind a symbolic link")
    if lead.doubt:
        return RunbookLink(status="unclear", evidence=lead.doubt)
    likeliest = next((path for path in lead.paths if dirname(path) in graph.folders), lead.home or lead.paths[0])
    return RunbookLink(status="missing", path=likeliest.rstrip("/"), evidence=lead.evidence)


def _with_anchor(graph: Graph, link: RunbookLink, anchor: str, rendered: bool) -> RunbookLink:
    page = graph.pages.get(link.path or "")
    if page is None or re.fullmatch(_LINES, anchor):
        return replace(link, anchor=anchor)
    found: bool | None = _slug(anchor) in map(_slug, page.anchors)
    if not found and rendered and not all(heading.text.isascii() for heading in page.headings):
        found = None  # generators of sites each have their own way with letters beyond ASCII
    return replace(link, anchor=anchor, anchor_found=found)


def _slug(anchor: str) -> str:
    """An anchor as far as the forges agree on it: they differ in how many hyphens they leave."""
    return re.sub(r"-+", "-", anchor.removeprefix("user-content-").casefold()).strip("-")


def _near(graph: Graph, alert: Alert, path: str) -> tuple[str, ...]:
    """Pages with the same name elsewhere, runbooks named like the alert, then those that merely look alike."""
    from difflib import get_close_matches

    wanted = _folded(path)
    same_name = _pages_by_name(graph.files).get(wanted, ())
    runbooks: dict[str, list[str]] = {}
    for runbook in graph.of(Runbook):
        runbooks.setdefault(_folded(runbook.at.path), []).append(runbook.at.path)
    names = [_folded(alert.name), *(get_close_matches(wanted, runbooks, n=3, cutoff=0.6) if wanted else ())]
    found = dict.fromkeys((*same_name, *(page for name in names for page in runbooks.get(name, ()))))
    return tuple(found)[:3]


@lru_cache(maxsize=4)
def _pages_by_name(files: frozenset[str]) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for path in sorted(files):
        if re.search(PAGE, path):
            name = _folded(path)
            found[name] = (*found.get(name, ()), path)
    return found


def _folded(path: str) -> str:
    """The name of a page without its ending, case and punctuation; that of its folder where it is the folder's index."""
    name = basename(path)
    stem = basename(dirname(path)) if name in INDEXES else splitext(name)[0] if re.search(PAGE, name) else name
    return re.sub(r"[\W_]", "", stem.casefold())
