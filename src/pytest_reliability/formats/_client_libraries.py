"""Metrics that programs define through the client libraries of Prometheus, one function a library.

* Go: `client_golang`, `promauto` included; namespace, subsystem and name joined
* Java, Kotlin, Scala: `simpleclient`, the `prometheus-metrics` that followed it, and Micrometer, whose names are given as it
  exposes them; the buckets of Micrometer depend on its configuration and are not known
* JavaScript and TypeScript: `prom-client`
* Rust: the `prometheus` crate, its macros included
* C#: `prometheus-net`

A name is read where it is written out, or is that of a constant in the same file; what is computed is left out. Buckets are those
that are written out, the library's own where none are given, and None wherever neither is certain.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal

from pytest_reliability.formats._program import Bounds, Piece, Program, series
from pytest_reliability.model.nodes import Metric
from pytest_reliability.model.settings import Settings

DEFAULT_BUCKETS = tuple(map(Decimal, ("0.005", "0.01", "0.025", "0.05", "0.1", "0.25", "0.5", "1", "2.5", "5", "10")))
"""Of Go, Rust, Node and the newer Java library."""
FINER_BUCKETS = tuple(sorted((*DEFAULT_BUCKETS, *map(Decimal, ("0.075", "0.75", "7.5")))))
"""Of Python, .NET and the older Java library."""

_METRIC_NAME = re.compile(r"[A-Za-z_:][A-Za-z0-9_:]*")
_RUST_OPENED = r"\s*(?=[(\[{])"

_GO_OPTIONS = r"\b{}\.(Counter|Gauge|Histogram|Summary|Untyped)?Opts\s*(?=\{{)"
_JAVA_BUILDER = re.compile(r"\b(Counter|Gauge|Histogram|Summary)(?:WithCallback)?\s*\.\s*(build|builder)\s*(?=\()")
_MICROMETER = re.compile(
    r"\b(?:(?P<class>Counter|Gauge|Timer|DistributionSummary|LongTaskTimer)\s*\.\s*builder"
    r"|(?:\w*[rR]egistry(?:\(\))?|Metrics)\s*\.\s*(?P<method>counter|gauge|timer|summary))\s*(?=\()"
)
_NODE_CLASS = re.compile(r"\bnew\s+(?:\w+\.)*(Counter|Gauge|Histogram|Summary)\s*(?:<[^()]*?>\s*)?\(\s*(?=\{)")
_OTHER_MACROS = re.compile(r"(?<!\w)metrics::(?:\{[^{}]*)?\b(?:register_|counter|gauge|histogram)")
"""Of the crate `metrics`: they look alike, and the buckets depend on its exporter."""
_RUST_METRIC = re.compile(
    rf"\bregister_(?:int_)?(?P<macro>counter|gauge|histogram)(?P<vec>_vec)?(?P<registry>_with_registry)?!{_RUST_OPENED}"
    r"|\b(?:Int)?(?P<class>Counter|Gauge)::new\s*(?=\()"
)
_RUST_OPTIONS = re.compile(rf"\b(?P<class>Histogram)?Opts::new\s*(?=\()|\b(?P<macro>histogram_)?opts!{_RUST_OPENED}")
_DOTNET_FACTORY = re.compile(r"\.\s*Create(Counter|Gauge|Histogram|Summary)\s*(?=\()")
"""Not those with a type parameter: CreateCounter<long> is .NET's own, whose metrics have other names when they are exposed."""


class Library:
    """What the readers of all libraries share: one program, and the nodes that it makes."""

    def __init__(self, program: Program, settings: Settings) -> None:
        self.program = program
        self._settings = settings

    def metric(self, piece: Piece, parts: tuple[str | None, ...], kind: str, buckets: Bounds | None = None) -> Iterator[Metric]:
        """The metric with that name, defined at `piece`; none where a part of its name is not known."""
        if None in parts:
            return
        name = "_".join(filter(None, parts))
        if _METRIC_NAME.fullmatch(name):
            kind = "" if kind == "untyped" else kind
            yield Metric(at=self.program.place(piece), settings=self._settings, name=name, kind=kind, buckets=buckets)

    def part(self, fields: Mapping[str, Piece], key: str) -> str | None:
        """A part of a name: "" where it is not given, None where it is computed."""
        return self.program.literal(fields[key]) if key in fields else ""


def go(library: Library) -> Iterator[Metric]:
    """`prometheus.HistogramOpts{Namespace: "shop", Name: "request_seconds", Buckets: []float64{.1, .5}}`."""
    program = library.program
    imported = re.search(r'(\w+[ \t]+)?"github\.com/prometheus/client_golang/prometheus"', program.code)
    alias = (imported[1] or "").strip() if imported else ""
    alias = "prometheus" if alias in ("", "import") else alias
    changed = re.search(r"\.Buckets\s*=", program.outline)
    for found in re.finditer(_GO_OPTIONS.format(alias), program.outline):
        fields = program.fields(found.end())
        kind = found[1] or _maker(program.outline, found.start())
        buckets = None
        if kind == "Histogram" and "Buckets" in fields and program.read(fields["Buckets"]) != "nil":
            buckets = program.bounds([fields["Buckets"]], DEFAULT_BUCKETS)
        elif kind == "Histogram" and not changed and "NativeHistogramBucketFactor" not in fields:
            buckets = DEFAULT_BUCKETS
        parts = tuple(library.part(fields, key) for key in ("Namespace", "Subsystem", "Name"))
        if "Name" in fields:
            yield from library.metric(fields["Name"], parts, kind.lower(), buckets)


def _maker(outline: str, end: int) -> str:
    """The kind of metric that is made with the options that begin at `end`; "Untyped" where that is not to be seen."""
    before = outline[max(0, end - 80) : end]
    made = re.search(r"(?i)(counter|gauge)(?:_?vec|func)?(?:_with_registry)?(?:::new|::with_opts|!)?\s*\(\s*&?$", before)
    return made[1].capitalize() if made else "Untyped"


def java(library: Library) -> Iterator[Metric]:
    """`Histogram.build().name("request_seconds").buckets(.1, .5).register()`, and what Micrometer has instead."""
    code = library.program.code
    if "io.prometheus" in code:
        yield from _java_prometheus(library)
    if "io.micrometer" in code:
        yield from _micrometer(library)


def _java_prometheus(library: Library) -> Iterator[Metric]:
    program = library.program
    newer = "io.prometheus.metrics" in program.code
    for found in _JAVA_BUILDER.finditer(program.outline):
        calls = dict(program.chain(program.closing(found.end())))
        given = program.arguments(found.end())
        named = calls.get("name") or (given[:1] if found[2] == "build" else [])
        if not named:
            continue
        parts = [program.literal(piece) for key in ("namespace", "subsystem") for piece in calls.get(key, ())]
        name = program.literal(named[0])
        kind = found[1].lower()
        full = name and _with_unit(name, _unit(program, calls))
        if full and kind == "counter":
            full = _with_total(full)
        buckets = _java_buckets(program, calls, newer) if kind == "histogram" else None
        yield from library.metric(named[0], (*parts, full), kind, buckets)


def _unit(program: Program, calls: Mapping[str, list[Piece]]) -> str:
    unit = calls.get("unit")
    if not unit:
        return ""
    constant = re.fullmatch(r"(?:\w+\.)*Unit\.([A-Z_]+)", program.read(unit[0]))
    return constant[1].lower() if constant else program.literal(unit[0]) or ""


def _with_unit(name: str, unit: str) -> str:
    bare = name.removesuffix("_total")
    return f"{bare}_{unit}" if unit and not bare.endswith(f"_{unit}") else name


def _with_total(name: str) -> str:
    return name if name.endswith("_total") else f"{name}_total"


def _java_buckets(program: Program, calls: Mapping[str, list[Piece]], newer: bool) -> Bounds | None:
    defaults = DEFAULT_BUCKETS if newer else FINER_BUCKETS
    setters = [name for name in calls if re.search(r"(?i)buckets|upperbounds|native", name)]
    if not setters:
        return defaults if calls.keys() & {"register", "create", "build"} else None
    (setter, *others) = setters
    if others or setter not in ("buckets", "classicUpperBounds", "linearBuckets", "exponentialBuckets"):
        return None
    if setter in ("buckets", "classicUpperBounds"):
        return program.bounds(calls[setter], defaults)
    given = program.bounds(calls[setter], defaults)
    return series(setter.removesuffix("Buckets"), given) if given else None


def _micrometer(library: Library) -> Iterator[Metric]:
    program = library.program
    for found in _MICROMETER.finditer(program.outline):
        given = program.arguments(found.end())
        name = program.literal(given[0]) if given else None
        if not name:
            continue
        calls = dict(program.chain(program.closing(found.end())))
        unit = [program.literal(piece) for piece in calls.get("baseUnit", ())]
        exposed = re.sub(r"[^A-Za-z0-9_:]", "_", name)
        kind = (found["class"] or found["method"]).lower()
        if "timer" in kind:
            yield from library.metric(given[0], (_with_unit(exposed, "seconds"),), "untyped")
        elif None not in unit and kind == "counter":
            yield from library.metric(given[0], (_with_total(_with_unit(exposed, "".join(filter(None, unit)))),), kind)
        elif None not in unit and not re.search(r"_(?:total|created|bucket|info)$", exposed):  # some versions cut these off
            exact = kind if kind == "gauge" else "untyped"
            yield from library.metric(given[0], (_with_unit(exposed, "".join(filter(None, unit))),), exact)


def node(library: Library) -> Iterator[Metric]:
    """`new client.Histogram({ name: 'request_seconds', help: '…', buckets: [0.1, 0.5] })`."""
    program = library.program
    for found in _NODE_CLASS.finditer(program.outline):
        fields = program.fields(found.end())
        kind = found[1].lower()
        buckets = None
        if kind == "histogram" and "buckets" in fields:
            buckets = program.bounds([fields["buckets"]], DEFAULT_BUCKETS)
        elif kind == "histogram" and not any("..." in key or key.endswith("buckets") for key in fields):
            buckets = DEFAULT_BUCKETS
        if "name" in fields and "help" in fields:
            yield from library.metric(fields["name"], (program.literal(fields["name"]),), kind, buckets)


def rust(library: Library) -> Iterator[Metric]:
    """`register_histogram_vec!("request_seconds", "…", &["route"], vec![0.1, 0.5])`, and options of all kinds."""
    yield from _rust_macros(library)
    yield from _rust_options(library)


def _rust_macros(library: Library) -> Iterator[Metric]:
    program = library.program
    if _OTHER_MACROS.search(program.outline):
        return
    for found in _RUST_METRIC.finditer(program.outline):
        given = program.arguments(found.end())
        name = program.literal(given[0]) if given else None
        if name is None:
            continue
        kind = (found["macro"] or found["class"]).lower()
        buckets = given[(3 if found["vec"] else 2) : (-1 if found["registry"] else None)]
        bounds = (program.bounds(buckets, DEFAULT_BUCKETS) if buckets else DEFAULT_BUCKETS) if kind == "histogram" else None
        yield from library.metric(given[0], (name,), kind, bounds)


def _rust_options(library: Library) -> Iterator[Metric]:
    program = library.program
    for found in _RUST_OPTIONS.finditer(program.outline):
        given = program.arguments(found.end())
        if not given:
            continue
        histogram = bool(found["class"] or found["macro"])
        calls = dict(program.chain(program.closing(found.end())))
        written = calls.get("buckets") or (given[2:3] if found["macro"] else [])
        buckets = (program.bounds(written, DEFAULT_BUCKETS) if written else DEFAULT_BUCKETS) if histogram else None
        parts = [program.literal(piece) for key in ("namespace", "subsystem") for piece in calls.get(key, ())]
        kind = "histogram" if histogram else _maker(program.outline, found.start()).lower()
        yield from library.metric(given[0], (*parts, program.literal(given[0])), kind, buckets)


def dotnet(library: Library) -> Iterator[Metric]:
    """`Metrics.CreateHistogram("request_seconds", "…", new HistogramConfiguration { Buckets = new[] { .1, .5 } })`."""
    program = library.program
    for found in _DOTNET_FACTORY.finditer(program.outline):
        given = program.arguments(found.end())
        if given:
            buckets = _dotnet_buckets(program, given[2:]) if found[1] == "Histogram" else None
            yield from library.metric(given[0], (program.literal(given[0]),), found[1].lower(), buckets)


def _dotnet_buckets(program: Program, options: list[Piece]) -> Bounds | None:
    for piece in options:
        text = program.read(piece)
        opened = re.match(r"(?:\w+:\s*)?new\b[^{}]*(?=\{)", text)
        if opened is None:
            return None
        written = program.fields(piece.start + opened.end(), "=").get("Buckets")
        if written:
            return program.bounds([written], FINER_BUCKETS)
    return FINER_BUCKETS


LIBRARIES: Mapping[str, Callable[[Library], Iterator[Metric]]] = {
    "go": go,
    **dict.fromkeys(("java", "kt", "scala"), java),
    **dict.fromkeys(("js", "mjs", "cjs", "ts", "mts", "cts"), node),
    "rs": rust,
    "cs": dotnet,
}
"""The reader of a program by the ending of its file's name."""


def metrics(text: str, path: str, settings: Settings) -> Iterator[Metric]:
    """The metrics that a program defines."""
    ending = path.rpartition(".")[2]
    read = LIBRARIES[ending]
    yield from read(Library(Program(text, path, quotes=read is node), settings))
