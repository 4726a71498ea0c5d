"""Text to positioned data."""
from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pytest_reliability.model.location import Location
from pytest_reliability.model.settings import Settings


class Unreadable(Exception):
    """TODO"""


class Tree:
    path: str
    data: Any

    def at(self, container: Any, key: str | int | None = None) -> Location: ...
    def key_at(self, container: Any, key: str) -> Location: ...
    def spelling(self, container: Any, key: str | int) -> str: ...


@dataclass
class Source:
    path: str
    data: bytes
    settings: Settings
