"""Metrics that Python programs define with `prometheus_client`, found in the syntax tree. Nothing is imported or run."""

from __future__ import annotations

import ast
import warnings
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal

from pytest_reliability.formats._client_libraries import FINER_BUCKETS
from pytest_reliability.formats._program import Bounds
from pytest_reliability.model.location import Location
from pytest_reliability.model.nodes import Metric
from pytest_reliability.model.settings import Settings

LIBRARY = "prometheus_client"
KINDS = {"Counter": "counter", "Gauge": "gauge", "Histogram": "histogram", "Summary": "summary", "Info": "gauge", "Enum": "gauge"}
CHANGES = ("append", "extend", "insert", "pop", "remove")
"""Methods that make another list of one."""
POSITIONS = ("name", "documentation", "labelnames", "namespace", "subsystem", "unit", "registry", "_labelvalues", "buckets")


def metrics(text: str, path: str, settings: Settings) -> Iterator[Metric]:
    """The metrics that a program defines; none where it is not valid Python."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # an invalid escape in somebody's program is no affair of ours
        try:
            tree = ast.parse(text)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return
    yield from _Reader(tree, text, path, settings).metrics()


class _Reader:
    """Reads one program: knows what it calls the library and its classes, and which names it sets only once."""

    def __init__(self, tree: ast.Module, text: str, path: str, settings: Settings) -> None:
        self._tree = tree
        self._lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
        self._path = path
        self._settings = settings
        self._modules: set[str] = set()
        self._classes: dict[str, str] = {}
        self._set: dict[str, list[ast.expr]] = {}
        self._bound: Counter[str] = Counter()
        for node in ast.walk(tree):
            self._learn(node)

    def _learn(self, node: ast.AST) -> None:
        if isinstance(node, ast.Import):
            self._modules |= {alias.asname or alias.name for alias in node.names if alias.name == LIBRARY}
        elif isinstance(node, ast.ImportFrom):
            self._bound.update(alias.asname or alias.name for alias in node.names)
            if (node.module or "").partition(".")[0] == LIBRARY:
                self._classes |= {alias.asname or alias.name: alias.name for alias in node.names if alias.name in KINDS}
        elif isinstance(node, (ast.Assign, ast.AnnAssign)) and node.value is not None:
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            for target in targets:
                if isinstance(target, ast.Name):
                    self._set.setdefault(target.id, []).append(node.value)
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            self._bound[node.name] += 1
        elif isinstance(node, ast.arg):
            self._bound[node.arg] += 1
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            self._bound[node.id] += 1
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.attr in CHANGES:
            self._bound[node.value.id] += 1

    def metrics(self) -> Iterator[Metric]:
        for node in ast.walk(self._tree):
            if isinstance(node, ast.Call) and (made := self._class(node.func)):
                yield from self._metric(node, made)

    def _class(self, function: ast.expr) -> str | None:
        """The class of the library that is called, by its own name."""
        if isinstance(function, ast.Name):
            return self._classes.get(function.id) if self._bound[function.id] == 1 else None
        if isinstance(function, ast.Attribute) and isinstance(function.value, ast.Name) and function.value.id in self._modules:
            return function.attr if function.attr in KINDS else None
        return None

    def _metric(self, call: ast.Call, made: str) -> Iterator[Metric]:
        given = dict(zip(POSITIONS, call.args, strict=False))
        given |= {keyword.arg: keyword.value for keyword in call.keywords if keyword.arg}
        parts = [self._text(given[key]) if key in given else "" for key in ("namespace", "subsystem", "name", "unit")]
        if not parts[2] or None in parts or any(isinstance(argument, ast.Starred) for argument in call.args):
            return
        name = "_".join(filter(None, parts[:3]))
        unit = f"_{parts[3]}" if parts[3] else ""
        base = name.removesuffix("_total") if made == "Counter" else name
        name = (base if base.endswith(unit) else base + unit) + {"Counter": "_total", "Info": "_info"}.get(made, "")
        open_ended = any(keyword.arg is None for keyword in call.keywords)
        buckets = self._buckets(given.get("buckets"), open_ended) if made == "Histogram" else None
        yield Metric(at=self._place(given["name"]), settings=self._settings, name=name, kind=KINDS[made], buckets=buckets)

    def _buckets(self, given: ast.expr | None, open_ended: bool) -> Bounds | None:
        if given is None:
            return None if open_ended else FINER_BUCKETS
        value = self._meaning(given)
        if isinstance(value, ast.Attribute) and value.attr == "DEFAULT_BUCKETS":
            return FINER_BUCKETS
        if not isinstance(value, (ast.Tuple, ast.List)):
            return None
        bounds = []
        for item in value.elts:
            if isinstance(item, ast.Constant) and type(item.value) in (int, float):
                bounds.append(Decimal(repr(item.value)))
            elif not _is_infinite(item):
                return None
        return tuple(bound for bound in bounds if bound.is_finite())

    def _meaning(self, expression: ast.expr) -> ast.expr:
        """What a name is set to, where the program sets it once; the expression itself otherwise."""
        if isinstance(expression, ast.Name) and self._bound[expression.id] == 1:
            return next(iter(self._set.get(expression.id, ())), expression)
        return expression

    def _text(self, expression: ast.expr) -> str | None:
        value = self._meaning(expression)
        return value.value if isinstance(value, ast.Constant) and isinstance(value.value, str) else None

    def _place(self, node: ast.expr) -> Location:
        """Where an expression stands. The syntax tree counts bytes, people count characters."""
        line = self._lines[node.lineno - 1].encode()
        column = len(line[: node.col_offset].decode())
        end = len(line[: node.end_col_offset].decode()) if node.end_lineno == node.lineno else column
        return Location(self._path, node.lineno, column + 1, end - column)


def _is_infinite(item: ast.expr) -> bool:
    """Whether that is the last bucket, as people write it: `float("inf")`, `math.inf`, `INF`."""
    return "inf" in ast.unparse(item).casefold()
