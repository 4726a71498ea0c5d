"""Text to positioned data: YAML, JSON and TOML as plain Python values, with the place of every key and value beside them.

`Source` is a file as readers get it, `Tree` a document in it, `Unreadable` what is raised for a file that cannot be read. A file
is parsed when somebody first asks for its trees, and only then is the parser of its kind imported.
"""

from __future__ import annotations

from pytest_reliability.documents.text import Text, Unreadable
from pytest_reliability.documents.tree import Tree
from pytest_reliability.model.location import Location
from pytest_reliability.model.settings import DEFAULTS, Settings

__all__ = ["MAX_BYTES", "Source", "Tree", "Unreadable", "load_json", "load_toml", "load_yaml"]

MAX_BYTES = 20_000_000
"""Larger files are refused: nothing that people write by hand comes near."""


def load_yaml(text: str, path: str) -> tuple[Tree, ...]:
    """The documents of a YAML stream, as the YAML 1.2 core schema understands them. Raises Unreadable."""
    from pytest_reliability.documents.yaml_reader import load

    return load(Text(text, path))


def load_json(text: str, path: str) -> Tree:
    """A JSON file. Raises Unreadable."""
    from pytest_reliability.documents.json_reader import load

    return load(Text(text, path))


def load_toml(text: str, path: str) -> Tree:
    """A TOML file. Raises Unreadable."""
    from pytest_reliability.documents.toml_reader import load

    return load(Text(text, path))


class Source:
    """A file that a reader was given: its path, its bytes, and the settings of the service that it belongs to."""

    __slots__ = ("_failure", "_lines", "_text", "_trees", "data", "path", "settings")

    def __init__(self, path: str, data: bytes, settings: Settings = DEFAULTS) -> None:
        self.path = path
        self.data = data
        self.settings = settings
        self._text: str | None = None
        self._lines: tuple[str, ...] | None = None
        self._trees: tuple[Tree, ...] | None = None
        self._failure: Unreadable | None = None

    @property
    def text(self) -> str:
        """The file as text, without a byte order mark. Raises Unreadable where it is too large or not UTF-8."""
        if self._text is None:
            self._text = _decoded(self.path, self.data)
        return self._text

    @property
    def lines(self) -> tuple[str, ...]:
        """The lines without their ends."""
        if self._lines is None:
            lines = self.text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
            self._lines = tuple(lines if lines[-1] else lines[:-1])
        return self._lines

    @property
    def trees(self) -> tuple[Tree, ...]:
        """The documents in the file: JSON or TOML by the path's ending, otherwise YAML. Raises the same Unreadable every time."""
        if self._failure is not None:
            raise self._failure.with_traceback(None)
        if self._trees is None:
            try:
                self._trees = self._parsed()
            except Unreadable as failure:
                self._failure = failure
                raise
        return self._trees

    def _parsed(self) -> tuple[Tree, ...]:
        if self.path.endswith(".json"):
            return (load_json(self.text, self.path),)
        if self.path.endswith(".toml"):
            return (load_toml(self.text, self.path),)
        return load_yaml(self.text, self.path)


def _decoded(path: str, data: bytes) -> str:
    if len(data) > MAX_BYTES:
        size = f"{len(data) / 1e6:.1f} MB"
        raise Unreadable(Location(path), f"the file is {size} large; at most {MAX_BYTES // 1_000_000} MB are read")
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        reason = "the file is UTF-16, as its byte order mark says; UTF-8 is expected"
        raise Unreadable(Location(path), reason, "save the file as UTF-8")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = Text(error.object[: error.start].decode(), path)
        reason = f"the byte 0x{error.object[error.start]:02x} is not UTF-8 text"
        raise Unreadable(before.location(len(before.text)), reason, "save the file as UTF-8") from None
