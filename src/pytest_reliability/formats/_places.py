"""Places that are worked out only when somebody asks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pytest_reliability.documents import Tree
from pytest_reliability.model.location import Location


class Places(Mapping[str, Location]):
    """Where each value of a mapping stands."""

    __slots__ = ("_container", "_tree")

    def __init__(self, tree: Tree, container: Mapping[str, Any]) -> None:
        self._tree = tree
        self._container = container

    def __getitem__(self, key: str) -> Location:
        if key not in self._container:
            raise KeyError(key)
        return self._tree.at(self._container, key)

    def __iter__(self) -> Iterator[str]:
        return iter(self._container)

    def __len__(self) -> int:
        return len(self._container)
