"""Latency budgets in tests: `@pytest.mark.latency_budget(…)`, found in the syntax tree. No test is ever imported.

* on a function or method: one `LatencyBudget` for each marker on it, at the marker
* on a class or a module (`pytestmark`): one for each test without a marker of its own that may measure something; where none
  of them may, a single one that says so, called by the name of the class or the file
* with a sample, `latency.sample("search", p95="50ms")`, in a test that takes the fixture: one for each
* `pytest` and `mark` under any name that they were imported by, and markers that were given a name of their own
* texts such as "p95<=50ms", "99% under 300ms" and "queries<=3" are limits by name, like p95="50ms"
* only literal texts are read; what is computed is left out, never guessed

A test certainly measures nothing where none of its fixtures can lead to `latency`: where it takes none but pytest's own, the
names of its parameters, and fixtures of the same file of which that is true as well. What comes from elsewhere may measure.
"""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from pytest_reliability.contracts import Format
from pytest_reliability.documents import Source, Unreadable
from pytest_reliability.model.limits import QUANTILE, written_limit
from pytest_reliability.model.location import Location
from pytest_reliability.model.nodes import LatencyBudget

MARKER = "latency_budget"
FIXTURE = "latency"

NO_LIMITS = frozenset({"slo", "of", "clock", "max_time", "ratchet"})
"""Arguments of the marker that limit nothing by themselves."""

TIMES = re.compile(rf"{QUANTILE.pattern}|max|throughput|slo")
"""Those that limit how long something takes. The others limit how often it happens or fails."""

HARMLESS = frozenset(
    {"cache", "capfd", "capfdbinary", "caplog", "capsys", "capsysbinary", "cls", "doctest_namespace", "monkeypatch",
     "pytestconfig", "pytester", "record_property", "record_testsuite_property", "record_xml_attribute", "recwarn", "self",
     "subtests", "testdir", "tmp_path", "tmp_path_factory", "tmpdir", "tmpdir_factory"}
)  # fmt: skip
"""What a test may take and measure nothing by: pytest's own fixtures. Not `request`, which leads anywhere."""

Function: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


@dataclass(frozen=True, slots=True)
class _Test:
    """A test function, with its name as pytest writes it within the file, and the classes that it is in."""

    function: Function
    name: str
    classes: tuple[ast.ClassDef, ...]


def read(source: Source) -> Iterator[LatencyBudget]:
    """The latency budgets of a test file. Raises Unreadable where it is not Python."""
    yield from _Reader(source, _parsed(source)).budgets(())


def _parsed(source: Source) -> ast.Module:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # an invalid escape in somebody's test is no affair of ours
        try:
            return ast.parse(source.text)
        except SyntaxError as error:
            at = Location(source.path, max(1, error.lineno or 1), max(1, error.offset or 1))
            raise Unreadable(at, f"not valid Python: {error.msg}") from None
        except (ValueError, RecursionError, MemoryError):
            raise Unreadable(Location(source.path), "not valid Python: it has null characters, or is nested too deeply") from None


class _Reader:
    """Reads one file: knows what it calls pytest's markers, and which fixtures it defines."""

    def __init__(self, source: Source, tree: ast.Module) -> None:
        self._source = source
        self._tree = tree
        self._pytest = {alias.asname or alias.name for alias in _imports(tree, None) if alias.name == "pytest"}
        self._mark = {alias.asname or alias.name for alias in _imports(tree, "pytest") if alias.name == "mark"}
        self._named: dict[str, ast.expr] = {}
        self._fixtures = {function.name: function for function in _fixtures(tree)}
        for statement in _flat(tree.body):
            name, value = _assignment(statement)
            if value is not None and name != "pytestmark" and value in self._markers(value):
                self._named[name] = value

    def budgets(self, classes: tuple[ast.ClassDef, ...]) -> Generator[LatencyBudget, None, list[_Test]]:
        """The budgets in the innermost of these classes, or in the module; returns the tests in it that have none."""
        unmarked: list[_Test] = []
        body = classes[-1].body if classes else self._tree.body
        for statement in _flat(body):
            if isinstance(statement, ast.ClassDef):
                unmarked += yield from self.budgets((*classes, statement))
            elif isinstance(statement, FUNCTIONS) and statement.name.startswith("test"):
                test = _Test(statement, "::".join(part.name for part in (*classes, statement)), classes)
                own = [marker for decorator in statement.decorator_list for marker in self._markers(decorator)]
                for marker in own:
                    yield self._budget(marker, test.name, self._may_measure(test))
                for sample in _samples(statement):
                    yield self._budget(sample, test.name, True)
                unmarked += [] if own else [test]
        shared = [marker for mark in _marks(body, classes) for marker in self._markers(mark)]
        measuring = [test for test in unmarked if self._may_measure(test)]
        for marker in shared:
            for test in measuring:
                yield self._budget(marker, test.name, True)
            if not measuring:  # with no tests at all in sight, they are inherited
                yield self._budget(marker, self._name(classes), not unmarked)
        return [] if shared else unmarked

    def _name(self, classes: tuple[ast.ClassDef, ...]) -> str:
        return "::".join(part.name for part in classes) or self._source.path.rpartition("/")[2]

    # --- markers

    def _markers(self, expression: ast.expr) -> Iterator[ast.expr]:
        """Every marker in an expression, called or bare; also where `pytest.param` has it, or a name stands for it."""
        called: set[ast.AST] = set()
        for node in ast.walk(expression):
            if isinstance(node, ast.Call) and self._is_marker(node.func):
                called.add(node.func)
                yield node
            elif isinstance(node, ast.expr) and node not in called:
                if isinstance(node, ast.Name) and node.id in self._named:
                    yield self._named[node.id]
                elif self._is_marker(node):
                    yield node

    def _is_marker(self, node: ast.expr) -> bool:
        if isinstance(node, ast.Name):
            return isinstance(self._named.get(node.id), ast.Attribute)
        if not isinstance(node, ast.Attribute) or node.attr != MARKER:
            return False
        mark = node.value
        if isinstance(mark, ast.Name):
            return mark.id in self._mark
        of = mark.value if isinstance(mark, ast.Attribute) and mark.attr == "mark" else None
        return isinstance(of, ast.Name) and of.id in self._pytest

    def _budget(self, marker: ast.expr, test: str, samples: bool) -> LatencyBudget:
        texts = dict(_texts(marker)) if isinstance(marker, ast.Call) else {}
        computed = isinstance(marker, ast.Call) and _is_computed(marker)
        return LatencyBudget(
            at=self._place(marker.func if isinstance(marker, ast.Call) else marker),
            settings=self._source.settings,
            test=test,
            limits={name: text for name, text in texts.items() if name not in NO_LIMITS},
            slo=texts.get("slo"),
            samples=samples,
            limits_latency=computed or any(TIMES.fullmatch(name) for name in texts),
        )

    def _place(self, node: ast.expr) -> Location:
        """Where a node stands. The syntax tree counts bytes, people count characters."""
        line = self._source.lines[node.lineno - 1].encode()
        column = len(line[: node.col_offset].decode())
        end = len(line[: node.end_col_offset].decode()) if node.end_lineno == node.lineno else column
        return Location(self._source.path, node.lineno, column + 1, end - column)

    # --- fixtures

    def _may_measure(self, test: _Test) -> bool:
        """Whether nothing rules out that the test uses the fixture."""
        if any(holder.bases for holder in test.classes) or "usefixtures" in self._source.text:
            return True  # a base class, or a fixture that is only named in a text, may do it
        automatic = [name for name, function in self._fixtures.items() if _is_automatic(function)]
        wanted = [*_arguments(test.function), *automatic]
        known = HARMLESS | set(_parametrized(test.function))
        seen: set[str] = set()
        while wanted:
            name = wanted.pop()
            if name in self._fixtures:
                taken = _arguments(self._fixtures[name])
                if name in taken:  # it is built on the one that it overrides, which is elsewhere
                    return True
                wanted += [] if name in seen else taken
                seen.add(name)
            elif name not in known:
                return True
        return False


def _imports(tree: ast.Module, module: str | None) -> Iterator[ast.alias]:
    """What is imported from `module`; None: the modules that are imported themselves."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from node.names if module is None else ()
        elif isinstance(node, ast.ImportFrom):
            yield from node.names if module == node.module else ()


def _flat(body: Sequence[ast.stmt]) -> Iterator[ast.stmt]:
    """The statements of a module or a class, those under conditions included."""
    waiting: list[ast.AST] = list(reversed(body))
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.stmt):
            yield node
        if not isinstance(node, (*FUNCTIONS, ast.ClassDef, ast.expr)):
            waiting += reversed(list(ast.iter_child_nodes(node)))


def _assignment(statement: ast.stmt) -> tuple[str, ast.expr | None]:
    """The name that a statement assigns to, and the value; ("", None) where it is no plain assignment."""
    if isinstance(statement, ast.Assign) and len(statement.targets) == 1:
        target = statement.targets[0]
    elif isinstance(statement, ast.AnnAssign):
        target = statement.target
    else:
        return "", None
    return (target.id, statement.value) if isinstance(target, ast.Name) else ("", None)


def _marks(body: Sequence[ast.stmt], classes: tuple[ast.ClassDef, ...]) -> Iterator[ast.expr]:
    """What marks everything in the innermost class, or in the module: its decorators, and `pytestmark`."""
    if classes:
        yield from classes[-1].decorator_list
    for name, value in map(_assignment, _flat(body)):
        if name == "pytestmark" and value is not None:
            yield value


def _samples(function: Function) -> Iterator[ast.Call]:
    """The samples in a test that have limits of their own."""
    for node in ast.walk(function) if FIXTURE in _arguments(function) else ():
        if isinstance(node, ast.Call) and node.keywords and isinstance(node.func, ast.Attribute) and node.func.attr == "sample":
            holder = node.func.value
            if isinstance(holder, ast.Name) and holder.id == FIXTURE:
                yield node


def _texts(marker: ast.Call) -> Iterator[tuple[str, str]]:
    """The literal arguments by name, those of a literal mapping included: `**{"p99.9": "1s"}`."""
    for argument in marker.args:
        written = written_limit(_literal(argument) or "")
        if written is not None:
            name, _, value = written
            yield (f"p{name[:-1]}" if name.endswith("%") else name), value
    for option, given in _options(marker):
        text = _literal(given)
        if option is not None and text is not None:
            yield option, text


def _options(marker: ast.Call) -> Iterator[tuple[str | None, ast.expr]]:
    """The keyword arguments; None for a name that is computed."""
    for keyword in marker.keywords:
        if keyword.arg is None and isinstance(keyword.value, ast.Dict):
            for key, value in zip(keyword.value.keys, keyword.value.values, strict=True):
                yield _literal(key), value
        else:
            yield keyword.arg, keyword.value


def _is_computed(marker: ast.Call) -> bool:
    """Whether it may have limits that cannot be read here."""
    computed = any(_literal(argument) is None for argument in marker.args)
    return computed or any(
        name is None or (_literal(value) is None and TIMES.fullmatch(name)) for name, value in _options(marker)
    )


def _literal(node: ast.AST | None) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def _arguments(function: Function) -> list[str]:
    """The names of what a test or a fixture is given: those without a default."""
    given = function.args
    positional = [*given.posonlyargs, *given.args]
    required = positional[: len(positional) - len(given.defaults)]
    required += [argument for argument, default in zip(given.kwonlyargs, given.kw_defaults, strict=True) if default is None]
    return [argument.arg for argument in required]


def _parametrized(function: Function) -> Iterator[str]:
    """The names that `parametrize` gives values to."""
    for call in function.decorator_list:
        if isinstance(call, ast.Call) and "parametrize" in _names(call.func) and "indirect" not in _names(call):
            texts = (_literal(node) or "" for node in ast.walk(call.args[0])) if call.args else ()
            yield from (name.strip() for text in texts for name in text.split(","))


def _fixtures(tree: ast.Module) -> Iterator[Function]:
    for node in ast.walk(tree):
        if isinstance(node, FUNCTIONS) and any("fixture" in _names(decorator) for decorator in node.decorator_list):
            yield node


def _is_automatic(fixture: Function) -> bool:
    return any("autouse" in _names(decorator) for decorator in fixture.decorator_list)


def _names(expression: ast.expr) -> set[str]:
    """Every name, attribute and keyword in an expression."""
    fields = {ast.Name: "id", ast.Attribute: "attr", ast.keyword: "arg"}
    return {getattr(node, fields[type(node)]) for node in ast.walk(expression) if type(node) in fields}


FORMAT = Format(
    name="pytest",
    files=r"(?:^|/)(?:test_[^/]*|[^/]*_test)\.py$",
    marker=rf"{MARKER}|{FIXTURE}\.sample".encode(),
    yields=(LatencyBudget,),
    read=read,
)
