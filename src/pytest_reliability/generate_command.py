"""`reliability generate rules` and `reliability generate tests`: what is written, and where."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pytest_reliability import api, plugins
from pytest_reliability.contracts import UsageError
from pytest_reliability.generate import files
from pytest_reliability.generate.files import Generated
from pytest_reliability.generate.options import Options
from pytest_reliability.generate.rules import windows_of
from pytest_reliability.model.duration import Duration
from pytest_reliability.model.graph import Graph
from pytest_reliability.model.nodes import GeneratedRules, Slo


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """A file to write (`path` None: to print), and notes on what is not in it."""

    path: Path | None
    text: str
    notes: tuple[str, ...] = ()


def options_from(*, labels: Iterable[str], period: str, min_errors: int, windows: Path | None, **others: object) -> Options:
    """What was typed. Raises UsageError for what nobody can do."""
    pairs = [label.partition("=") for label in labels]
    for name, sign, text in pairs:
        if not (name.isidentifier() and name.isascii() and sign and text.isprintable()):
            raise UsageError(f"--label {name}{sign}{text}: not a label\n  write it as team=checkout")
    if period:
        try:
            Duration.parse(period)
        except ValueError as error:
            raise UsageError(f"--period: {error}") from error
    if min_errors < 0:
        raise UsageError(f"--min-errors {min_errors}: a number of 0 or more is expected")
    root, _ = api.place_of(None)
    found = _inside(root, windows) if windows else ""
    texts = {name: text for name, _, text in pairs}
    return Options(labels=texts, period=period, min_errors=min_errors, windows=found, **others)  # type: ignore[arg-type]


def rules(paths: Sequence[Path], options: Options, output: Path | None) -> Iterator[Written]:
    """The rules of every spec at these paths, by default of all in the repository. Raises UsageError."""
    root, graph = _read()
    specs = _specs(root, graph, paths)
    if options.windows and not windows_of(graph, options):
        raise UsageError(f"{options.windows}: holds no alert windows\n  name a file of kind AlertWindows")
    for spec, path in _targets(root, specs, output, ".rules.yaml"):
        made = files.rules_file(graph, spec, options, _inside(root, path) if path else "")
        notes = tuple(f"{slo.at}: {slo.full_name}: no rules: {reason}" for slo, reason in made.skipped)
        if sum("groups" in document for document in made.documents) > 1:
            notes += (f"{spec}: {len(made.documents)} documents of rules, as Sloth writes them; Prometheus reads only the first",)
        if made.documents:
            yield Written(path=path, text=made.text, notes=notes)
        elif len(specs) > 1:
            yield Written(path=None, text="", notes=notes)
        else:
            raise UsageError("\n".join(notes))


def updated() -> Iterator[Written]:
    """Every file of generated rules in the repository that is not what its spec gives now."""
    root, graph = _read()
    for known in graph.of(GeneratedRules):
        made = _known(known, files.again, graph)
        if made.documents and files.canonical(made.documents) != known.text:
            yield Written(path=root / known.at.path, text=made.text)


def tests(paths: Sequence[Path], output: Path | None) -> Iterator[Written]:
    """Unit tests for files of generated rules, by default for all in the repository. Raises UsageError."""
    root, graph = _read()
    known = {node.at.path: node for node in graph.of(GeneratedRules)}
    wanted = [_inside(root, path) for path in paths] or sorted(known)
    if not wanted:
        raise UsageError("there are no generated rules here\n  generate some first: reliability generate rules --output rules/")
    for path in wanted:
        if path not in known:
            raise UsageError(
                f"{path}: not a file of generated rules\n  generate it first: reliability generate rules --output {path}"
            )
    for path, target in _targets(root, wanted, output, ".test.yaml"):
        made = _known(known[path], files.unit_tests_file, graph, _inside(root, target) if target else "")
        notes = tuple(f"{slo.at}: {slo.full_name}: no tests: {reason}" for slo, reason in made.skipped)
        if not made.documents:
            raise UsageError("\n".join(notes) or f"{path}: there is nothing to test in it")
        yield Written(path=target, text=made.text, notes=notes)


def _known(node: GeneratedRules, make: Callable[..., Generated], graph: Graph, *more: str) -> Generated:
    try:
        return make(graph, node, *more)
    except ValueError as unknown:
        raise UsageError(f"{node.at.path}: its header has an option that does not exist: {unknown}") from unknown


def _read() -> tuple[Path, Graph]:
    root, _ = api.place_of(None)
    return root, api.load(root, plugins.load())


def _inside(root: Path, path: Path) -> str:
    """A path as the graph has it."""
    try:
        return path.resolve().relative_to(root.resolve()).as_posix()
    except ValueError:
        raise UsageError(f"{path}: lies outside the repository {root}\n  go there first") from None


def _specs(root: Path, graph: Graph, paths: Sequence[Path]) -> list[str]:
    """The files with SLOs at these paths."""
    holding = sorted({slo.at.path for slo in graph.of(Slo)})
    if not paths:
        if not holding:
            raise UsageError("there are no SLOs here that can be read\n  name a file that has some")
        return holding
    found: list[str] = []
    for path in paths:
        if not path.exists():
            raise UsageError(f"{path}: no such file or folder")
        inside = _inside(root, path)
        below = [spec for spec in holding if spec == inside or inside == "." or spec.startswith(f"{inside}/")]
        if not below:
            raise UsageError(f"{path}: holds no SLO that can be read\n  see what is wrong with it: reliability check {path}")
        found += below
    return list(dict.fromkeys(found))


def _targets(root: Path, paths: Sequence[str], output: Path | None, ending: str) -> Iterator[tuple[str, Path | None]]:
    """Each path with the file that it is written to: `output`, or one in the folder that this is."""
    if output is None or not (output.is_dir() or str(output).endswith("/") or len(paths) > 1):
        if len(paths) > 1:
            raise UsageError(
                f"{len(paths)} files to write: {', '.join(paths[:3])} …\n  name one, or a folder for all: --output FOLDER"
            )
        yield paths[0], output
        return
    if output.is_file():
        raise UsageError(f"{output}: a file, where {len(paths)} are to be written\n  name a folder: --output FOLDER")
    stems = [path.rpartition("/")[2].rpartition(".")[0] for path in paths]
    for path, stem in zip(paths, stems, strict=True):
        name = stem if stems.count(stem) == 1 else path.rpartition(".")[0].replace("/", "-")
        yield path, output / f"{name}{ending}"
