"""Backstage's catalogue, `catalog-info.yaml`: what there is, and who owns it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pytest_reliability.contracts import Format
from pytest_reliability.documents import Source, Tree
from pytest_reliability.model.nodes import Component, Fault, Node
from pytest_reliability.shape import STRING, TEXT, Fields, Shape, faults

_OWNED = ("Component", "API", "System", "Domain", "Resource")
"""Kinds of entity that have an owner."""


def _entity(kind: str) -> Fields:
    spec = Fields(f"the spec of a {kind}", {"owner": TEXT}, open=True)
    metadata = Fields(f"the metadata of a {kind}", {"name": TEXT}, required=("name",), open=True)
    known: dict[str, Shape] = {"apiVersion": STRING, "kind": STRING, "metadata": metadata, "spec": spec}
    return Fields(f"a {kind}", known, required=("metadata",), open=True)


_SHAPES = {kind: _entity(kind) for kind in _OWNED}


def read(source: Source) -> Iterator[Node | Fault]:
    """The entities of the file that somebody can own."""
    for tree in source.trees:
        data = tree.data
        if isinstance(data, dict) and str(data.get("apiVersion", "")).startswith("backstage.io/"):
            yield from tree.faults
            kind = data.get("kind")
            if isinstance(kind, str) and kind in _SHAPES:
                yield from _read_entity(tree, data, kind, source)


def _read_entity(tree: Tree, data: dict[str, Any], kind: str, source: Source) -> Iterator[Node | Fault]:
    yield from faults(tree, _SHAPES[kind])
    metadata, spec = data.get("metadata"), data.get("spec")
    name = metadata.get("name") if isinstance(metadata, dict) else None
    if isinstance(name, (str, int, float)) and isinstance(metadata, dict):
        owner = _owner(spec.get("owner")) if isinstance(spec, dict) else None
        at = tree.at(metadata, "name")
        yield Component(at=at, settings=source.settings, name=tree.spelling(metadata, "name"), kind=kind, owner=owner)


def _owner(value: Any) -> str | None:
    """Who it is; "group:default/search" and "search" are the same, and so is what Backstage's scaffolder leaves: nobody."""
    name = value.strip().rpartition("/")[2].rpartition(":")[2] if isinstance(value, str) else ""
    return name if name and name not in ("unknown", "guests") else None


FORMAT = Format(name="backstage", files=r"(?:^|/)catalog-info\.ya?ml$", marker=rb"backstage\.io/", yields=(Component,), read=read)
