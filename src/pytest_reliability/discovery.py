"""Which files a repository has: what git tracks, and what it neither tracks nor ignores; a plain walk outside git.

Nothing here trusts the tree: symbolic links do not lead out of it, special files are left alone, and no command that its git
configuration names is run.
"""

from __future__ import annotations

import os
import re
import stat
import subprocess
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

CONFIGURATIONS = (".reliability.yaml", ".reliability.yml")
"""File names of a service's configuration."""

_ROOT = re.compile(rb"^root:[ \t]*(?:true|True|TRUE)[ \t\r]*(?:#.*)?$", re.M)

_NEVER = frozenset(
    {".git", ".hg", ".svn", "node_modules", "__pycache__", ".venv", "venv", ".tox", ".nox", ".mypy_cache", ".ruff_cache",
     ".pytest_cache", ".hypothesis", ".terraform", ".eggs"}
)  # fmt: skip


@dataclass(frozen=True)
class Repository:
    """A folder under check: `files` are paths relative to `root` with forward slashes, sorted.

    `links` are those among them that show a file of the repository once more, through a symbolic link.
    """

    root: Path
    files: tuple[str, ...]
    links: frozenset[str] = frozenset()

    @cached_property
    def name(self) -> str:
        """What the repository is called: by its first remote, or by its folder."""
        for url in self.remotes:
            if tail := re.search(r"([^/:]+?)(?:\.git)?/?$", url):
                return tail[1]
        return self.root.name

    @cached_property
    def remotes(self) -> tuple[str, ...]:
        """The URLs of the git remotes, "origin" first."""
        found: list[tuple[bool, str]] = []
        remote = None
        for line in _git_config(self.root).splitlines():
            if header := re.match(r'\s*\[(\w+)(?:\s+"(.*)")?\]', line):
                remote = header[2] if header[1] == "remote" else None
            elif remote and (url := re.match(r"\s*url\s*=\s*(.+?)\s*$", line)):
                found.append((remote != "origin", url[1]))
        return tuple(url for _, url in sorted(found, key=lambda pair: pair[0]))

    def read(self, path: str) -> bytes | None:
        """The bytes of a file; None where it has gone since. Raises OSError where it may not be read."""
        try:
            return (self.root / path).read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            return None

    def size(self, path: str) -> int:
        """The size of a file in bytes; 0 where it has gone."""
        try:
            return (self.root / path).stat().st_size
        except OSError:
            return 0


def find_root(start: Path) -> Path:
    """The innermost folder around `start` that is a repository: a git work tree, or one whose configuration says `root: true`.

    `start` itself where there is none.
    """
    start = start.resolve()
    return next((folder for folder in (start, *start.parents) if (folder / ".git").exists() or _is_root(folder)), start)


def discover(root: Path) -> Repository:
    """The files below `root`, which may be any folder, inside git or not, less those of repositories inside it."""
    root = root.resolve()
    usable, links = _usable(root, _from_git(root) or _walk(root))
    for path in sorted(usable):
        folder, _, name = path.rpartition("/")
        if folder and name in CONFIGURATIONS and _is_root(root / folder):
            usable = {other for other in usable if not other.startswith(f"{folder}/")}
    return Repository(root, tuple(sorted(usable)), frozenset(links))


def is_configured(folder: Path) -> bool:
    """Whether a folder has a configuration, and so is a service."""
    return any((folder / name).is_file() for name in CONFIGURATIONS)


def _is_root(folder: Path) -> bool:
    """Whether the folder's configuration says `root: true`. Asked before anything is parsed, of every folder above."""
    for name in CONFIGURATIONS:
        try:
            if _ROOT.search((folder / name).read_bytes()):
                return True
        except OSError:
            continue
    return False


def _from_git(root: Path) -> list[str]:
    """Tracked and unignored paths, or nothing where git cannot tell (no git, no work tree, a folder that git ignores)."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
    # A hostile work tree may name a program as file-system monitor; git would run it. Without that, one that belongs to
    # somebody else (usual in containers) is safe to list.
    command = ["git", "-c", "core.fsmonitor=false", "-c", "safe.directory=*", "ls-files", "-co", "--exclude-standard", "-z"]
    try:
        listed = subprocess.run(command, cwd=root, env=environment, capture_output=True, check=True, stdin=subprocess.DEVNULL)
    except (OSError, subprocess.CalledProcessError):
        return []
    return [os.fsdecode(path) for path in listed.stdout.split(b"\0") if path]


def _walk(root: Path) -> list[str]:
    found = []
    for folder, folders, files in os.walk(root):
        folders[:] = sorted(name for name in folders if name not in _NEVER)
        prefix = os.path.relpath(folder, root).replace(os.sep, "/")
        inside = "" if prefix == "." else f"{prefix}/"
        found += [f"{inside}{name}" for name in files]
        # A link to a folder is listed like a file: whether it may be followed is decided in one place.
        found += [f"{inside}{name}" for name in folders if os.path.islink(os.path.join(folder, name))]  # noqa: PTH114, PTH118
    return found


def _usable(root: Path, paths: list[str]) -> tuple[set[str], set[str]]:
    """Regular files, and through links whatever lies inside the root; and which of these are listed under their own path too.

    A link to a file of another name is not among the latter: the name may be what makes it mean something.
    """
    base = f"{root}{os.sep}"
    regular, links = set(), []
    for path in paths:
        try:
            mode = os.lstat(base + path).st_mode
        except (OSError, ValueError):
            continue  # tracked, and deleted since
        if stat.S_ISREG(mode):
            regular.add(path)
        elif stat.S_ISLNK(mode):
            links.append(path)
    usable, again = set(regular), set()
    for path in links:
        target = Path(os.path.realpath(base + path))
        if target.is_file() and target.is_relative_to(root):
            usable.add(path)
            if target.name == path.rpartition("/")[2] and target.relative_to(root).as_posix() in regular:
                again.add(path)
        elif target.is_dir() and root in target.parents:
            inside = f"{target.relative_to(root).as_posix()}/"
            if not path.startswith(inside):  # a folder that links to itself holds nothing new
                again |= {f"{path}/{other.removeprefix(inside)}" for other in regular if other.startswith(inside)}
    return usable | again, again


def _git_config(root: Path) -> str:
    """The text of the git configuration of the work tree whose top is `root`; "" for any other folder, and outside git."""
    entry = root / ".git"
    try:
        if entry.is_file():  # a linked work tree or a submodule
            entry = root / entry.read_text(encoding="utf-8").removeprefix("gitdir:").strip()
            common = entry / "commondir"
            if common.is_file():
                entry = entry / common.read_text(encoding="utf-8").strip()
        return (entry / "config").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
