"""Which metrics an alert misses when they are gone."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

import promql_parser

from pytest_reliability.promql.parsing import parse
from pytest_reliability.promql.ratios import bare, fallback
from pytest_reliability.promql.reading import walk

PROBES = frozenset(("up", "probe_success"))
"""Metrics that are there, and zero, where a target is not."""

_MAYBE = r"\babsent|\bup\b|\bprobe_success\b|\bunless\b|\bor\b"


@lru_cache(maxsize=4096)
def missed(text: str) -> frozenset[str]:
    """The metrics whose absence an expression notices: absent(), `x offset 1h unless x`, `x or vector(0)`; and PROBES read."""
    if not re.search(_MAYBE, text):
        return frozenset()
    tree = parse(text).tree
    return frozenset(_missed(tree)) if tree is not None else frozenset()


def _missed(tree: Any) -> set[str]:
    found = _named(tree) & PROBES
    for part in walk(tree):
        if isinstance(part, promql_parser.Call) and part.func.name in ("absent", "absent_over_time"):
            found |= _named(part)
        elif isinstance(part, promql_parser.BinaryExpr) and str(part.op) == "unless":
            found |= _named(part.rhs)
        elif isinstance(part, promql_parser.BinaryExpr) and fallback(part) is not None:
            found |= _named(bare(part.lhs))
    return found


def _named(tree: Any) -> set[str]:
    return {part.name for part in walk(tree) if isinstance(part, promql_parser.VectorSelector) and part.name}
