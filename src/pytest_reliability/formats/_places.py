"""What is worked out only when somebody asks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeVar, overload

from pytest_reliability.documents import Tree
from pytest_reliability.model.location import Location

T = TypeVar("T")


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


class Lazily(Sequence[T]):
    """A sequence that is made when somebody first looks into it."""

    __slots__ = ("_items", "_make")

    def __init__(self, make: Callable[[], Iterable[T]]) -> None:
        self._make = make
        self._items: tuple[T, ...] | None = None

    def _made(self) -> tuple[T, ...]:
        if self._items is None:
            self._items = tuple(self._make())
        return self._items

    @overload
    def __getitem__(self, index: int) -> T: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[T]: ...
    def __getitem__(self, index: int | slice) -> T | Sequence[T]:
        return self._made()[index]

    def __len__(self) -> int:
        return len(self._made())
