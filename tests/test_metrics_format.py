# ruff: noqa: E501 - a program stands on one line of a table
"""Metrics out of the service's own code, and of what it exposes: names as exposed, kinds and buckets only where they are certain."""

from __future__ import annotations

import textwrap
from decimal import Decimal
from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_reliability.formats._client_libraries import DEFAULT_BUCKETS, FINER_BUCKETS
from pytest_reliability.formats._program import Piece, Program, series
from pytest_reliability.model.location import Location
from pytest_reliability.model.nodes import Document, Metric
from pytest_reliability.testing import Repo

GO = 'package p\n\nimport "github.com/prometheus/client_golang/prometheus"\n\n'
JAVA = "import io.prometheus.client.*;\n"
NEWER_JAVA = "import io.prometheus.metrics.core.metrics.*;\n"
MICROMETER = "import io.micrometer.core.instrument.*;\n"
NODE = "const client = require('prom-client');\n"
RUST = "use prometheus::*;\n"
DOTNET = "using Prometheus;\n"
PYTHON = "import prometheus_client\nfrom prometheus_client import Counter, Enum, Gauge, Histogram, Info, Summary\n"


def metrics(text: str, path: str) -> tuple[Metric, ...]:
    """The metrics that a file defines."""
    graph = Repo({path: text}).graph
    assert not graph.unread
    return graph.of(Metric)


def told(text: str, path: str) -> list[tuple[str, str, str | None]]:
    """(name, kind, buckets as a text) of every metric that a file defines."""
    return [
        (metric.name, metric.kind, None if metric.buckets is None else " ".join(map(str, metric.buckets)))
        for metric in metrics(text, path)
    ]


def text_of(bounds: tuple[Decimal, ...]) -> str:
    """Bounds as `told` tells them."""
    return " ".join(map(str, bounds))


USUAL = text_of(DEFAULT_BUCKETS)
FINER = text_of(FINER_BUCKETS)

GO_CASES = [
    ('prometheus.NewCounter(prometheus.CounterOpts{Name: "orders_total", Help: "x"})', ("orders_total", "counter", None)),
    ('prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "open"}, []string{"a"})', ("open", "gauge", None)),
    ('promauto.NewSummary(prometheus.SummaryOpts{Namespace: "shop", Name: "s"})', ("shop_s", "summary", None)),
    ('f.NewUntypedFunc(prometheus.UntypedOpts{Name: "u"}, g)', ("u", "", None)),
    ('prometheus.NewCounterVec(prometheus.Opts{Name: "c"}, l)', ("c", "counter", None)),
    ('x := prometheus.Opts{Name: "c"}', ("c", "", None)),
    ('prometheus.NewHistogram(prometheus.HistogramOpts{Namespace: "a", Subsystem: "b", Name: "c"})', ("a_b_c", "histogram", USUAL)),
    ('prometheus.HistogramOpts{Name: "h", Buckets: nil}', ("h", "histogram", USUAL)),
    ('prometheus.HistogramOpts{Name: "h", Buckets: prometheus.DefBuckets}', ("h", "histogram", USUAL)),
    ('prometheus.HistogramOpts{Name: "h", Buckets: []float64{.1, 0.25, 1, 2.5e1, math.Inf(+1)}}', ("h", "histogram", "0.1 0.25 1 25")),
    ('prometheus.HistogramOpts{\nName: "h", // of "x"\nBuckets: []float64{\n.1, // fast, they say\n1,\n},\n}', ("h", "histogram", "0.1 1")),
    ('prometheus.HistogramOpts{Name: "h", Buckets: prometheus.LinearBuckets(0.1, 0.1, 3)}', ("h", "histogram", "0.1 0.2 0.3")),
    ('prometheus.HistogramOpts{Name: "h", Buckets: prometheus.ExponentialBuckets(1, 2, 4)}', ("h", "histogram", "1 2 4 8")),
    ('prometheus.HistogramOpts{Name: "h", Buckets: prometheus.ExponentialBucketsRange(1, 2, 4)}', ("h", "histogram", None)),
    ('prometheus.HistogramOpts{Name: "h", Buckets: append(prometheus.DefBuckets, 20)}', ("h", "histogram", None)),
    ('prometheus.HistogramOpts{Name: "h", Buckets: []float64{a, 1}}', ("h", "histogram", None)),
    ('prometheus.HistogramOpts{Name: "h", NativeHistogramBucketFactor: 1.1}', ("h", "histogram", None)),
    ('const ns = "shop"\nprometheus.CounterOpts{Namespace: ns, Name: "c"}', ("shop_c", "counter", None)),
    ('const (\n\tns = "shop"\n\tsub string = "cart"\n)\nprometheus.CounterOpts{Namespace: ns, Subsystem: sub, Name: "c"}', ("shop_cart_c", "counter", None)),
    ('var b = []float64{1, 2}\nprometheus.HistogramOpts{Name: "h", Buckets: b}', ("h", "histogram", "1 2")),
    ('b := []float64{1, 2}\nprometheus.HistogramOpts{Name: "h", Buckets: b}', ("h", "histogram", "1 2")),
    ('b := []float64{1, 2}\nb = append(b, 3)\nprometheus.HistogramOpts{Name: "h", Buckets: b}', ("h", "histogram", None)),
    ('o := prometheus.HistogramOpts{Name: "h"}\no.Buckets = f()', ("h", "histogram", None)),
    ('if b := []float64{1, 2}; x {\n}\nprometheus.HistogramOpts{Name: "h", Buckets: b}', ("h", "histogram", "1 2")),
    ('f(x, b = []float64{1, 2})\nprometheus.HistogramOpts{Name: "h", Buckets: b}', ("h", "histogram", None)),
    ('prometheus.CounterOpts{Name: `raw_total`}', ("raw_total", "counter", None)),
]  # fmt: skip


@pytest.mark.parametrize(("code", "expected"), GO_CASES)
def test_go(code, expected):
    """client_golang's options, whoever takes them."""
    assert [expected] == told(GO + code + "\n", "internal/metrics.go")


@pytest.mark.parametrize("code", [
    "prometheus.CounterOpts{Name: name}",
    'prometheus.CounterOpts{Namespace: ns, Name: "c"}',
    'prometheus.CounterOpts{Name: "a" + b}',
    'prometheus.CounterOpts{Name: fmt.Sprintf("%s_x", a)}',
    'prometheus.CounterOpts{Name: "no name"}',
    'other.CounterOpts{Name: "c"}',
    '// prometheus.CounterOpts{Name: "c"}',
    '/* prometheus.CounterOpts{Name: "c"} */',
    's := "prometheus.CounterOpts{Name: c}"',
    'prometheus.CounterOpts{Help: "c"}',
    'if a { ns = "x" } else {\n ns = "y"\n}\nprometheus.CounterOpts{Namespace: ns, Name: "c"}',
])  # fmt: skip
def test_go_that_is_computed_is_left_out(code):
    """A guess at a name would make two metrics one."""
    assert [] == told(GO + code + "\n", "internal/metrics.go")


def test_go_under_another_name():
    """An import may be renamed."""
    code = 'import (\n\tprom "github.com/prometheus/client_golang/prometheus"\n)\nvar c = prom.NewCounter(prom.CounterOpts{Name: "c"})\n'
    assert [("c", "counter", None)] == told(code, "a.go")


def test_a_metric_is_placed_at_its_name():
    """People are sent to the definition."""
    code = GO + 'var c = prometheus.NewCounter(prometheus.CounterOpts{\n\tNamespace: "shop",\n\tName: "orders_total",\n})\n'
    assert [Location("a.go", 7, 8, 14)] == [metric.at for metric in metrics(code, "a.go")]


JAVA_CASES = [
    ('Counter.build().name("orders_total").help("x").register();', ("orders_total", "counter", None)),
    ('Counter.build("orders", "x").register();', ("orders_total", "counter", None)),
    ('Gauge.build()\n  .namespace("shop")\n  .subsystem("cart")\n  .name("open")\n  .register();', ("shop_cart_open", "gauge", None)),
    ('Summary.build().name("s").register();', ("s", "summary", None)),
    ('Histogram.build().name("h").help("x").register();', ("h", "histogram", FINER)),
    ('Histogram.build().name("h").unit("seconds").create();', ("h_seconds", "histogram", FINER)),
    ('Histogram.build().name("h").buckets(.1, 0.5, 1).register();', ("h", "histogram", "0.1 0.5 1")),
    ('Histogram.build().name("h").buckets(new double[] {1, 2}).register();', ("h", "histogram", "1 2")),
    ('Histogram.build().name("h").buckets(BOUNDS).register();', ("h", "histogram", None)),
    ('private static final double[] BOUNDS = {1, 2};\nx = Histogram.build().name("h").buckets(BOUNDS).register();', ("h", "histogram", "1 2")),
    ('Histogram.build().name("h").linearBuckets(1, 2, 3).register();', ("h", "histogram", "1 3 5")),
    ('Histogram.build().name("h").exponentialBuckets(1, n, 3).register();', ("h", "histogram", None)),
    ('Histogram.Builder b = Histogram.build().name("h");', ("h", "histogram", None)),
    ('private static final String NS = "shop";\nCounter.build().namespace(NS).name("c").register();', ("shop_c_total", "counter", None)),
]  # fmt: skip


@pytest.mark.parametrize(("code", "expected"), JAVA_CASES)
def test_java(code, expected):
    """simpleclient's builders."""
    assert [expected] == told(JAVA + code + "\n", "src/main/java/Metrics.java")


NEWER_JAVA_CASES = [
    ('Counter.builder().name("orders").register();', ("orders_total", "counter", None)),
    ('Counter.builder().name("sent").unit(Unit.BYTES).register();', ("sent_bytes_total", "counter", None)),
    ('Histogram.builder().name("h").unit(Unit.SECONDS).register();', ("h_seconds", "histogram", USUAL)),
    ('Histogram.builder().name("h").classicUpperBounds(.1, 1).register();', ("h", "histogram", "0.1 1")),
    ('Histogram.builder().name("h").nativeOnly().register();', ("h", "histogram", None)),
    ('Histogram.builder().name("h").classicOnly().buckets(1).buckets(2).register();', ("h", "histogram", "2")),
    ('GaugeWithCallback.builder().name("g").callback(c).register();', ("g", "gauge", None)),
]


@pytest.mark.parametrize(("code", "expected"), NEWER_JAVA_CASES)
def test_newer_java(code, expected):
    """The library that followed simpleclient has other defaults."""
    assert [expected] == told(NEWER_JAVA + code + "\n", "src/main/kotlin/Metrics.kt")


MICROMETER_CASES = [
    ('Counter.builder("orders.created").register(registry);', [("orders_created_total", "counter", None)]),
    ('meterRegistry.counter("orders.failed", "a", b);', [("orders_failed_total", "counter", None)]),
    ('Gauge.builder("queue.length", q, Queue::size).register(registry);', [("queue_length", "gauge", None)]),
    ('Gauge.builder("memory", q, f).baseUnit("bytes").register(registry);', [("memory_bytes", "gauge", None)]),
    ('Gauge.builder("memory", q, f).baseUnit(unit).register(registry);', []),
    ('Gauge.builder("orders.total", q, f).register(registry);', []),
    ('Timer.builder("http.time").publishPercentileHistogram().register(registry);', [("http_time_seconds", "", None)]),
    ('registry.timer(name);', []),
    ('registry.summary("sizes");', [("sizes", "", None)]),
    ('DistributionSummary.builder("sizes").serviceLevelObjectives(1, 2).register(registry);', [("sizes", "", None)]),
    ('registry.counter();', []),
]  # fmt: skip


@pytest.mark.parametrize(("code", "expected"), MICROMETER_CASES)
def test_micrometer(code, expected):
    """Names as Prometheus has them; buckets depend on the configuration of the application."""
    assert expected == told(MICROMETER + code + "\n", "src/main/java/Shop.java")


NODE_CASES = [
    ("new client.Counter({ name: 'orders_total', help: 'x' })", ("orders_total", "counter", None)),
    ('new Gauge({\n  "name": "open",\n  help: `x`,\n  labelNames: ["a", "b"],\n})', ("open", "gauge", None)),
    ("new Histogram<string>({ name: 'h', help: 'it is {here', labelNames: ['a'] })", ("h", "histogram", USUAL)),
    ("new prom.Histogram({ name: 'h', help: 'x', buckets: [0.1, .5, 1] })", ("h", "histogram", "0.1 0.5 1")),
    ("new prom.Histogram({ name: 'h', help: 'x', buckets: client.linearBuckets(0, 10, 3) })", ("h", "histogram", "0 10 20")),
    ("new prom.Histogram({ name: 'h', help: 'x', buckets })", ("h", "histogram", None)),
    ("const b: number[] = [1, 2];\nnew prom.Histogram({ name: 'h', help: 'x', buckets: b })", ("h", "histogram", "1 2")),
    ("new prom.Histogram({ ...shared, name: 'h', help: 'x' })", ("h", "histogram", None)),
    ("new prom.Summary({ name: 's', help: 'x', percentiles: [0.9] })", ("s", "summary", None)),
]  # fmt: skip


@pytest.mark.parametrize("path", ["src/metrics.js", "src/metrics.ts", "metrics.mjs"])
@pytest.mark.parametrize(("code", "expected"), NODE_CASES)
def test_node(code, expected, path):
    """prom-client's constructors."""
    assert [expected] == told(NODE + code + "\n", path)


@pytest.mark.parametrize("code", [
    "new Counter({ name: `a_${b}`, help: 'x' })",
    "new Counter({ name: name, help: 'x' })",
    "new Counter({ name: 'a' })",
    "new Counter(options)",
    "// new Counter({ name: 'a', help: 'x' })",
])  # fmt: skip
def test_node_that_is_computed_is_left_out(code):
    """Template literals are computed too, and a Counter without help is not prom-client's."""
    assert [] == told(NODE + code + "\n", "src/metrics.js")


RUST_CASES = [
    ('register_counter!("orders_total", "x").unwrap()', [("orders_total", "counter", None)]),
    ('register_int_gauge_vec!("open", "x", &["a"])', [("open", "gauge", None)]),
    ('register_histogram!("h", "x")', [("h", "histogram", USUAL)]),
    ('register_histogram!("h", "x", vec![0.1, 1.0, f64::INFINITY]).unwrap()', [("h", "histogram", "0.1 1.0")]),
    ('register_histogram_vec!("h", "x", &["a", "b"])', [("h", "histogram", USUAL)]),
    ('register_histogram_vec!("h", "x", &["a", "b"], exponential_buckets(1.0, 2.0, 3).unwrap())', [("h", "histogram", "1.0 2.00 4.000")]),
    ('register_histogram_vec_with_registry!("h", "x", &["a"], vec![1_000f64], registry)', [("h", "histogram", "1000")]),
    ('register_histogram!(histogram_opts!("h", "x", vec![2.0]))', [("h", "histogram", "2.0")]),
    ('register_histogram!(HistogramOpts::new("h", "x").namespace("shop").buckets(DEFAULT_BUCKETS.to_vec()))', [("shop_h", "histogram", USUAL)]),
    ('HistogramOpts::new("h", "x").buckets(bounds())', [("h", "histogram", None)]),
    ('IntCounter::new("c", "x")', [("c", "counter", None)]),
    ('GaugeVec::new(Opts::new("g", "x").subsystem("s"), &["a"])', [("s_g", "gauge", None)]),
    ('IntCounter::with_opts(opts!("c", "x"))', [("c", "counter", None)]),
    ('register_int_counter!(opts!("c", "x"))', [("c", "counter", None)]),
    ('let o = Opts::new("c", "x");', [("c", "", None)]),
    ("let o = Opts::new(name, help);", []),
    ("let o = Opts::new();", []),
    ("register_counter!(name, help)", []),
    ("fn f<'a>(x: &'a str) -> char { '\"' }\nregister_counter!(\"c\", \"x\")", [("c", "counter", None)]),
    ('const B: &[f64] = &[1.0, 2.0];\nregister_histogram!("h", r#"a "b" c"#, B.to_vec())', [("h", "histogram", None)]),
]  # fmt: skip


@pytest.mark.parametrize(("code", "expected"), RUST_CASES)
def test_rust(code, expected):
    """The crate's macros, options and constructors."""
    assert expected == told(RUST + code + "\n", "src/metrics.rs")


DOTNET_CASES = [
    ('Metrics.CreateCounter("orders_total", "x")', [("orders_total", "counter", None)]),
    ('factory.CreateGauge("open", "x", new[] { "a" })', [("open", "gauge", None)]),
    ('Metrics.CreateHistogram("h", "x")', [("h", "histogram", FINER)]),
    ('Metrics.CreateHistogram("h", "x", new HistogramConfiguration { Buckets = new[] { .1, 1d } })', [("h", "histogram", "0.1 1")]),
    ('Metrics.CreateHistogram("h", "x", new[] { "a" }, new HistogramConfiguration\n{\n  LabelNames = new[] { "a" },\n  Buckets = new double[] { 1, double.PositiveInfinity }\n})', [("h", "histogram", "1")]),
    ('Metrics.CreateHistogram("h", "x", new HistogramConfiguration() { Buckets = Histogram.LinearBuckets(start: 1, width: 1, count: 3) })', [("h", "histogram", "1 2 3")]),
    ('Metrics.CreateHistogram("h", "x", new HistogramConfiguration { Buckets = Histogram.PowersOfTenDividedBuckets(0, 1, 2) })', [("h", "histogram", None)]),
    ('Metrics.CreateHistogram("h", "x", options)', [("h", "histogram", None)]),
    ('Metrics.CreateHistogram("h", "x", new HistogramConfiguration { LabelNames = names })', [("h", "histogram", FINER)]),
    ('meter.CreateCounter<long>("orders")', []),
    ('Metrics.CreateCounter($"{a}_total", "x")', []),
    ('Metrics.CreateCounter()', []),
    ('var path = @"c:\\"; Metrics.CreateSummary("s", "x")', [("s", "summary", None)]),
]  # fmt: skip


@pytest.mark.parametrize(("code", "expected"), DOTNET_CASES)
def test_dotnet(code, expected):
    """prometheus-net's factories, not those of .NET itself."""
    assert expected == told(f"{DOTNET}class A {{ object a = {code}; }}\n", "src/Metrics.cs")


PYTHON_CASES = [
    ('Counter("orders", "x")', [("orders_total", "counter", None)]),
    ('Counter("orders_total", "x", ["a"], namespace="shop", subsystem="cart")', [("shop_cart_orders_total", "counter", None)]),
    ('Counter(name="sent", documentation="x", unit="bytes")', [("sent_bytes_total", "counter", None)]),
    ('Gauge("open", "x", [], "shop")', [("shop_open", "gauge", None)]),
    ('Info("build", "x")', [("build_info", "gauge", None)]),
    ('Enum("state", "x", states=["a"])', [("state", "gauge", None)]),
    ('Summary("s_seconds", "x", unit="seconds")', [("s_seconds", "summary", None)]),
    ('Histogram("h", "x")', [("h", "histogram", FINER)]),
    ('Histogram("h", "x", buckets=(0.1, 1, float("inf")))', [("h", "histogram", "0.1 1")]),
    ('Histogram("h", "x", buckets=[1, math.inf])', [("h", "histogram", "1")]),
    ('Histogram("h", "x", buckets=Histogram.DEFAULT_BUCKETS)', [("h", "histogram", FINER)]),
    ('Histogram("h", "x", buckets=[x / 10 for x in range(3)])', [("h", "histogram", None)]),
    ('Histogram("h", "x", buckets=[1, a])', [("h", "histogram", None)]),
    ('Histogram("h", "x", **options)', [("h", "histogram", None)]),
    ('Histogram("h", "x", buckets=(1, 1e400))', [("h", "histogram", "1")]),
    ('BUCKETS: tuple = (1, 2)\nHistogram("h", "x", buckets=BUCKETS)', [("h", "histogram", "1 2")]),
    ('B = (1,)\nB = (2,)\nHistogram("h", "x", buckets=B)', [("h", "histogram", None)]),
    ('NS = "shop"\nprometheus_client.Gauge("open", "x", namespace=NS)', [("shop_open", "gauge", None)]),
    ('NAME = "a"\ndef f(NAME):\n    Gauge(NAME, "x")', []),
    ('Gauge(f"a_{b}", "x")', []),
    ('Gauge(*arguments)', []),
    ('Gauge()', []),
    ('other.Gauge("a", "x")\nprometheus_client.start_http_server(80)\nx()()', []),
    ("class C:\n    gauge = Gauge('é_is_no_name_but_a_place', 'x') or Gauge('ok', 'x')", [("é_is_no_name_but_a_place", "gauge", None), ("ok", "gauge", None)]),
    ("not python at all", []),
    ("x = '\\d'", []),
]  # fmt: skip


@pytest.mark.parametrize(("code", "expected"), PYTHON_CASES)
def test_python(code, expected):
    """prometheus_client's classes, under any name they are imported by, and the names that it exposes."""
    assert expected == told(f"{PYTHON}{code}\n", "shop/metrics.py")


def test_python_under_another_name():
    """Imports may be renamed, and come from the library's modules."""
    code = """
        import prometheus_client as prom
        from prometheus_client.metrics import Counter as C
        from collections import Counter
        a, b, c = prom.Gauge("a", "x"), C("b", "x"), Counter("c", "x")
    """
    assert [("a", "gauge", None), ("b_total", "counter", None)] == told(textwrap.dedent(code), "a.py")


def test_python_is_placed_by_characters():
    """The syntax tree counts bytes."""
    code = 'from prometheus_client import Gauge\r\nx = "é", Gauge("open", "x")\r\n'
    assert [Location("a.py", 2, 16, 6)] == [metric.at for metric in metrics(code, "a.py")]


BOUND_TWICE = [
    ("a.go", GO + 'func f() {\n\tname := "a"\n\tname += "_total"\n\tx = prometheus.CounterOpts{Name: name}\n}\n'),
    ("a.go", GO + 'var name string\nfunc f() {\n\tname += "a"\n\tx = prometheus.CounterOpts{Name: name}\n}\n'),
    (
        "a.go",
        GO
        + 'const ns = "shop"\nfunc f(ns, b string) (int, error) {\n\tx = prometheus.CounterOpts{Namespace: ns, Name: "c"}\n}\n',
    ),
    (
        "a.go",
        GO
        + 'var ns = "shop"\nfunc f() {\n\tflag.StringVar(&ns, "ns", ns, "")\n\tx = prometheus.CounterOpts{Namespace: ns, Name: "c"}\n}\n',
    ),
    ("a.rs", RUST + 'const NS: &str = "a";\nfn f(NS: &str) { Opts::new("x", "y").namespace(NS) }\n'),
    ("a.rs", RUST + 'const N: &str = "a";\nlet f = |N| register_counter!(N, "x");\n'),
    ("a.js", NODE + "const n = 'a';\nfunction f(n) { new client.Counter({ name: n, help: 'x' }); }\n"),
    ("a.js", NODE + "const n = 'a';\nconst f = n => new client.Counter({ name: n, help: 'x' });\n"),
    ("a.js", NODE + "const n = 'a';\nfor (const n of names) new client.Counter({ name: n, help: 'x' });\n"),
    ("a.js", NODE + "const n = 'a'\n  + suffix;\nnew client.Counter({ name: n, help: 'x' });\n"),
    ("A.java", JAVA + 'static final String n = "a";\nvoid f(String n) throws X { Counter.build().name(n).register(); }\n'),
    ("A.kt", JAVA + 'const val n = "a"\nfun f(n: String) = Counter.build().name(n).register()\n'),
    ("A.cs", DOTNET + 'const string n = "a";\nobject f(string n) => Metrics.CreateCounter(n, "x");\n'),
    ("a.py", PYTHON + 'N = "a"\nfor N in x:\n    Gauge(N, "x")\n'),
    ("a.py", PYTHON + 'N = "a"\nN += "b"\nGauge(N, "x")\n'),
    ("a.py", PYTHON + 'N = "a"\nx = [Gauge(N, "x") for N in y]\n'),
    ("a.py", PYTHON + 'from collections import Counter\nCounter("abc", "x")\n'),
    ("a.py", PYTHON + 'class Gauge:\n    pass\nGauge("abc", "x")\n'),
]


@pytest.mark.parametrize(("path", "text"), BOUND_TWICE)
def test_a_name_that_may_stand_for_something_else_is_not_known(path, text):
    """Parameters, loops and assignments of all kinds give a name another value than the constant's."""
    assert [] == told(text, path)


@pytest.mark.parametrize(("path", "text"), [
    ("a.go", GO + 'b := []float64{1}\nb[0] = 3\nx = prometheus.HistogramOpts{Name: "h", Buckets: b}\n'),
    ("a.js", NODE + "const b = [1];\nb.push(3);\nnew client.Histogram({ name: 'h', help: 'x', buckets: b });\n"),
    ("a.py", PYTHON + 'B = [1]\nB.append(3)\nHistogram("h", "x", buckets=B)\n'),
])  # fmt: skip
def test_a_list_that_changes_is_not_known(path, text):
    """What stands at its definition is not what it holds."""
    assert [("h", "histogram", None)] == told(text, path)


@pytest.mark.parametrize(("path", "text", "expected"), [
    ("a.go", GO + 'const ns = "shop"\nfunc f(a string) {\n\tif ok(a) {\n\tx = prometheus.CounterOpts{Namespace: ns, Name: "c"}\n}}\n', "shop_c"),
    ("a.js", NODE + "const n = 'c';\nfunction f(a) {\n  return new client.Counter({ name: n, help: 'x' });\n}\n", "c"),
    ("A.java", JAVA + 'static final String N = "c";\nCounter c = Counter.build().name(N).help("x").register();\nvoid f(String a) { g(a); }\n', "c_total"),
])  # fmt: skip
def test_a_constant_beside_functions_is_known(path, text, expected):
    """That others have parameters says nothing about it."""
    assert [(expected, "counter", None)] == told(text, path)


def test_macros_of_another_crate_are_left_out():
    """The crate `metrics` has macros of the same names, and buckets that nobody sees there."""
    uses = "use metrics_exporter_prometheus::PrometheusBuilder;\nuse metrics::{self, register_histogram};\n"
    assert [] == told(uses + 'fn f() { register_histogram!("h", "route" => "/"); }\n', "src/a.rs")


def test_buckets_by_position():
    """Everything that the constructor takes may be given without a name."""
    assert [("h", "histogram", "1 2")] == told(PYTHON + 'Histogram("h", "x", (), "", "", "", None, None, (1, 2))\n', "a.py")


@pytest.mark.parametrize("path", [
    "shop/test_metrics.py", "shop/metrics_test.go", "tests/metrics.py", "vendor/a/metrics.go", "node_modules/a/metrics.js",
    "src/metrics.spec.ts", "src/MetricsTest.java", "conftest.py", "src/test/java/Metrics.java",
])  # fmt: skip
def test_tests_and_copies_are_passed_over(path):
    """What a test defines no service exposes."""
    every = (
        GO + JAVA + NODE + PYTHON + 'x = prometheus.CounterOpts{Name: "a"}\nGauge("a", "x")\nCounter.build("a", "x").register()\n'
    )
    assert () == Repo({path: every}).graph.of(Metric)


def test_a_program_in_another_encoding_is_read_all_the_same():
    """Names of metrics are ASCII, and a comment in Latin-1 is nobody's affair."""
    code = GO.encode() + b'// caf\xe9\nvar c = prometheus.CounterOpts{Name: "c"}\n'
    assert ["c"] == [metric.name for metric in Repo({"a.go": code}).graph.of(Metric)]


def test_a_program_without_metrics_is_no_document():
    """A file that only mentions Prometheus is not one that was checked."""
    assert () == Repo({"a.go": GO, "b.py": "# prometheus_client\n"}).graph.of(Document)


EXPOSED = """\
# HELP orders_total Orders.
# TYPE orders_total counter
orders_total{shop="a, \\"b\\" {c}"} 3 1700000000000
# TYPE open gauge
open NaN

# TYPE h histogram
h_bucket{route="/",le="0.5"} 3
h_bucket{le="1.0",route="/"} 4
h_bucket{le="+Inf",route="/"} 4
h_bucket{handle="2",le="0.25"} 4
h_count{route="/"} 4
# TYPE s summary
s{quantile="0.9"} 3
# TYPE u untyped
u 3
"""
OPENMETRICS = """\
# TYPE orders counter
# UNIT orders orders
orders_total 3 # {trace="a"} 1
orders_created 1
# TYPE build info
build_info{version="1"} 1
# TYPE broken histogram
broken_bucket{le="x"} 1
# TYPE native histogram
# TYPE odd gaugehistogram
# EOF
"""


def test_what_a_service_exposes():
    """Names are those of the samples, and the buckets of all series count."""
    expected = [
        ("orders_total", "counter", None), ("open", "gauge", None), ("h", "histogram", "0.25 0.5 1.0"),
        ("s", "summary", None), ("u", "", None),
    ]  # fmt: skip
    assert expected == told(EXPOSED, "docs/metrics.txt")


def test_what_a_service_exposes_in_openmetrics():
    """A family is named without what its samples end in."""
    expected = [
        ("orders_total", "counter", None),
        ("build_info", "gauge", None),
        ("broken", "histogram", ""),
        ("native", "histogram", None),
    ]
    assert expected == told(OPENMETRICS, "shop.prom")


def test_exposed_metrics_are_placed():
    """At the name, on the line of the type."""
    assert Location("metrics", 2, 8, 12) == metrics(EXPOSED, "metrics")[0].at


@pytest.mark.parametrize("text", ["# TYPE a counter\nsome prose\n", "# TYPE a counter of things\n", "# TYPE a counter\na one\n"])
def test_prose_about_metrics_is_none(text):
    """A page may quote the format."""
    assert [] == told(text, "metrics.txt")


@given(
    st.text(alphabet=st.sampled_from("ab\"'`\\{}()[]/*#,.=: \nné0"), max_size=60),
    st.sampled_from(["a.go", "a.py", "a.js", "a.java", "a.rs", "a.cs"]),
)
def test_no_program_makes_a_reader_crash(text, path):
    """Whatever a file holds, its metrics are read or left out."""
    opened = {
        "a.go": GO + "prometheus.HistogramOpts{Name: ", "a.py": PYTHON + "Histogram(", "a.rs": RUST + "register_histogram!(",
        "a.js": NODE + "new Histogram({ name: 'h', help: 'x', buckets: ", "a.java": JAVA + "Histogram.build().name(", "a.cs": DOTNET + "Metrics.CreateHistogram(",
    }  # fmt: skip
    assert not Repo({path: opened[path] + text}).graph.unread


@given(st.text(alphabet=st.sampled_from('abcle_="{},+ \n0.1#TYPE'), max_size=60))
def test_no_exposition_makes_its_reader_crash(text):
    """Whatever follows a type."""
    assert not Repo({"metrics.txt": f"# TYPE a histogram\n{text}"}).graph.unread


@pytest.mark.parametrize(("kind", "given_", "expected"), [
    ("linear", "1 2 3", "1 3 5"),
    ("Exponential", "0.1 10 3", "0.1 1.0 10.0"),
    ("linear", "1 2", None),
    ("linear", "1 2 0", None),
    ("linear", "1 2 1.5", None),
    ("linear", "1 2 100000", None),
])  # fmt: skip
def test_regular_buckets(kind, given_, expected):
    """Exact, and never more of them than anybody means."""
    found = series(kind, tuple(map(Decimal, given_.split())))
    assert expected == (None if found is None else text_of(found))


@pytest.mark.parametrize("text", [
    "prometheus.CounterOpts{" * 12_000, "/*" * 100_000, '@"' * 100_000, 'r#"' * 90_000, "`" * 250_001, '"""' * 90_001, "x = " * 70_000,
])  # fmt: skip
def test_a_hostile_program_is_soon_done_with(text):
    """The time grows with its length, not with its square."""
    began = process_time()
    metrics(GO + "prometheus.HistogramOpts{Name: x, Buckets: y}\n" + text, "a.go")
    assert process_time() - began < 10


def test_a_program_that_nobody_wrote_is_not_read():
    """What is that long is generated."""
    code = GO + 'x(prometheus.CounterOpts{Name: "c"})\n'
    assert [1, 0] == [len(metrics(code + "\n" * more, "a.go")) for more in (0, 1_000_000)]


def test_a_program_that_ends_too_early():
    """Brackets that nobody closes hold all the rest."""
    program = Program('f(a, "b)"', "a.go")
    assert ["a", '"b)"'] == [program.read(piece) for piece in program.arguments(1)]
    assert (Piece(2, 9), 9) == (program.inside(1), program.closing(1))


def test_a_name_that_is_set_at_the_very_end():
    """No line break follows it."""
    assert ["shop_c"] == [
        metric.name for metric in metrics(f'{GO}x(prometheus.CounterOpts{{Namespace: ns, Name: "c"}})\nconst ns = "shop"', "a.go")
    ]
