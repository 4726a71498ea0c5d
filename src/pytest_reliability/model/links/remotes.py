"""URLs with which a forge shows the files of a repository: GitHub, GitLab, Bitbucket, Gitea, hosted anywhere."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import unquote

# Compiled when first used: every start would pay for them.
_REMOTE_URL = r"(?i)[a-z][a-z0-9+.-]*://(?:[^@/\s]*@)?(?P<host>[^/:\s]+)(?::\d+)?/(?P<path>[^\s?#]+)"
_REMOTE_SCP = r"(?:[^@/\s]+@)?(?P<host>[^/:\s]{2,}):(?P<path>(?!//)[^\s?#]+)"
_PAGE_URL = r"(?i)https?://(?:[^@/\s]*@)?(?P<host>[^/:\s]+)(?::\d+)?(?P<path>/[^\s?#]*)?"

_SHOWS = frozenset(("blob", "tree", "raw", "edit", "blame", "plain", "src", "_edit", "preview", "display"))
_REF_KINDS = ("branch", "tag", "commit")
_ONE_WORD_REF = r"main|master|HEAD|trunk|develop|dev|default|stable|staging|production|gh-pages|v?\d+(?:\.\d+)*|[0-9a-f]{7,40}"
_FIXED_REF = r"[0-9a-f]{7,40}|v?\d+(?:\.\d+)+(?:[-+.]\w+)*"
_LONGEST_REF = 4


@dataclass(frozen=True, slots=True)
class Shown:
    """What a URL shows: the paths that it may mean (a branch can have slashes in its name), and of which remote.

    `pinned_to` is the commit or version that it shows, "" for a branch.
    """

    paths: tuple[str, ...]
    remote: str
    pinned_to: str = ""


def shown_by(remotes: Iterable[str], url: str) -> Shown | None:
    """What `url` shows of a repository with these remotes; None where it shows something else."""
    page = re.fullmatch(_PAGE_URL, url)
    if page is None:
        return None
    host = page["host"].casefold()
    segments = [segment for segment in (page["path"] or "").split("/") if segment]
    for remote in remotes:
        found = _repository(remote)
        if found is not None:
            shown = _of(*found, host, segments)
            if shown is not None:
                return shown
    return None


def _repository(remote: str) -> tuple[str, list[str]] | None:
    """The host and the path of a remote, without user, port and `.git`."""
    match = re.fullmatch(_REMOTE_URL, remote.strip()) or re.fullmatch(_REMOTE_SCP, remote.strip())
    if match is None:
        return None
    path = unquote(match["path"]).strip("/").removesuffix(".git")
    return (match["host"].casefold(), path.split("/")) if path else None


def _of(own_host: str, repository: list[str], host: str, segments: list[str]) -> Shown | None:
    name = f"{own_host}/{'/'.join(repository)}"
    if host in (f"raw.{own_host}", "raw.githubusercontent.com" if own_host == "github.com" else ""):
        rest = _after(repository, segments)
        return _behind_ref(rest, name) if rest else None
    if host != own_host:
        return None
    rest = _after(repository, segments)
    if rest is None:
        return _of_bitbucket_server(repository, segments, name)
    if rest[:1] == ["-"]:
        rest = rest[1:]
    if not rest:
        return Shown(("",), name)
    if rest[0] not in _SHOWS:
        return None
    rest = rest[1:]
    return _behind_ref(rest[1:] if rest[:1] and rest[0] in _REF_KINDS and len(rest) > 1 else rest, name)


def _after(repository: list[str], segments: list[str]) -> list[str] | None:
    """What follows the repository's own path, compared without case as forges do; None where it is another's."""
    size = len(repository)
    head = [unquote(segment).casefold() for segment in segments[:size]]
    if head and head[-1] != repository[-1].casefold():
        head[-1] = head[-1].removesuffix(".git")
    return segments[size:] if head == [part.casefold() for part in repository] else None


def _of_bitbucket_server(repository: list[str], segments: list[str], name: str) -> Shown | None:
    """`/projects/KEY/repos/name/browse/path` shows what is cloned from `/scm/key/name.git`; the branch is in the query."""
    kind, key, repos, slug, view = (*segments[:5], "", "", "", "", "")[:5]
    owner = {"projects": key, "users": f"~{key}"}.get(kind)
    own = [part.casefold() for part in repository[-2:]]
    if repos != "repos" or view not in ("browse", "raw") or own != [str(owner).casefold(), slug.casefold()]:
        return None
    return Shown((unquote("/".join(segments[5:])),), name)


def _behind_ref(rest: list[str], name: str) -> Shown:
    """Split a branch, tag or commit from the path behind it, in every way that is possible."""
    if rest[:1] == ["refs"] and rest[1:2] in (["heads"], ["tags"]):
        rest = rest[2:]
    ref = unquote(rest[0]) if rest else ""
    longest = 1 if "/" in ref or re.fullmatch(_ONE_WORD_REF, ref) or re.fullmatch(_FIXED_REF, ref) else _LONGEST_REF
    paths = tuple(unquote("/".join(rest[size:])) for size in range(1, min(longest, len(rest) - 1) + 1)) or ("",)
    return Shown(paths, name, ref if re.fullmatch(_FIXED_REF, ref) else "")
