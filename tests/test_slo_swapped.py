"""SLO205: good events counted as bad ones, or bad ones as good; noticed where that is plain, and nowhere else."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_reliability.model.location import Location
from pytest_reliability.model.nodes import Query
from pytest_reliability.promql.outcomes import VALUES, outcome
from pytest_reliability.promql.ratios import ratios
from pytest_reliability.testing import Repo

CORPUS = Path(__file__).parents[2] / "shared" / "corpus" / "slo"
W = "[{{.window}}]"


# --- Specs to change


def counter(matchers: str = "", metric: str = "http_requests_total") -> str:
    """What a counter counts, of one job."""
    return f'sum(rate({metric}{{job="shop"{"," if matchers else ""}{matchers}}}{W}))'


def latency(matchers: str, metric: str = "http_request_duration_seconds") -> str:
    """What the buckets of a histogram count."""
    return counter(matchers, f"{metric}_bucket")


COUNT = counter(metric="http_request_duration_seconds_count")
FAST = latency('le="0.5"')


def _sloth(sli: str) -> str:
    return (
        "version: prometheus/v1\nservice: shop\nslos:\n  - name: orders\n    objective: 99.9\n    sli:\n"
        + textwrap.indent(sli, " " * 6)
        + "\n    alerting:\n      name: OrdersBurn\n"
    )


def events(bad: str, total: str | None = None) -> str:
    """Bad events and all events, for Sloth."""
    return _sloth(f"events:\n  error_query: '{bad}'\n  total_query: '{total or counter()}'")


def raw(ratio: str) -> str:
    """A ratio of bad events in one query, for Sloth."""
    return _sloth(f"raw:\n  error_ratio_query: '{ratio}'")


def openslo(kind: str = "", **queries: str) -> str:
    """An indicator of OpenSLO: good, bad and total, or raw with its kind."""
    metrics = "\n".join(
        f"{role}:\n  metricSource:\n    type: Prometheus\n    spec:\n      query: '{query}'" for role, query in queries.items()
    )
    return (
        "apiVersion: openslo/v1\nkind: SLI\nmetadata:\n  name: orders\nspec:\n  ratioMetric:\n    counter: true\n"
        + textwrap.indent((f"rawType: {kind}\n" if kind else "") + metrics, " " * 4)
        + "\n"
    )


def good(query: str, total: str | None = None) -> str:
    """Good events and all events, for OpenSLO."""
    return openslo(good=query, total=total or counter())


def pyrra(kind: str, part: str, total: str) -> str:
    """A ratio or a latency of Pyrra's."""
    key = "errors" if kind == "ratio" else "success"
    return (
        "apiVersion: pyrra.dev/v1alpha1\nkind: ServiceLevelObjective\nmetadata:\n  name: orders\n  namespace: shop\nspec:\n"
        f"  target: '99'\n  window: 4w\n  indicator:\n    {kind}:\n"
        f"      {key}:\n        metric: '{part}'\n      total:\n        metric: '{total}'\n"
    )


def generator(sli: str) -> str:
    """A configuration of slo-generator's with a single expression, which is a share of good events."""
    return (
        "apiVersion: sre.google.com/v2\nkind: ServiceLevelObjective\nmetadata:\n  name: orders\n"
        "  labels:\n    service_name: shop\n    feature_name: orders\n    slo_name: orders\nspec:\n"
        "  description: ''\n  backend: prometheus\n  method: query_sli\n  exporters: []\n"
        f"  service_level_indicator:\n    expression: '{sli}'\n  goal: 0.999\n"
    )


# --- What is noticed


@dataclass(frozen=True)
class Mutation:
    """A spec that is right, the one change that makes it wrong, what is said then, and what to do."""

    spec: str
    old: str
    new: str
    said: str
    hint: str

    @property
    def changed(self) -> str:
        """The spec after the change."""
        assert self.old in self.spec
        return self.spec.replace(self.old, self.new, 1)


BAD, GOOD = "query 'bad' of SLO 'orders' counts good events: ", "query 'good' of SLI 'orders' counts bad events: "
RATIO = "query 'ratio' of SLO 'orders' is a share of good events: "
TAKE, TURN, LEAVE = "subtract it from query 'total'", "subtract it from 1: 1 - (…)", "leave out the subtraction"
SECONDS = "http_request_duration_seconds"

MUTATIONS = (
    # Codes
    Mutation(events(counter('code=~"5.."')), "=~", "!~", f'{BAD}code!~"5.."', 'write code=~"5.."'),
    Mutation(events(counter('status=~"5..|429"')), "5..|429", "2..", f'{BAD}status=~"2.."', 'write status!~"2.."'),
    Mutation(events(counter('code="5xx"')), "5xx", "2xx", f'{BAD}code="2xx"', 'write code!="2xx"'),
    Mutation(events(counter('code!~"2..|3.."')), "!~", "=~", f'{BAD}code=~"2..|3.."', 'write code!~"2..|3.."'),
    Mutation(events(counter('code!="200"')), "!=", "=", f'{BAD}code="200"', 'write code!="200"'),
    Mutation(
        events(counter('code=~"5..",code!~"4.."'), counter('code!~"4.."')),
        "5..",
        "2..",
        f'{BAD}code=~"2.."',
        'write code!~"2.."',
    ),
    Mutation(good(counter('code!~"5.."')), "!~", "=~", f'{GOOD}code=~"5.."', 'write code!~"5.."'),
    Mutation(good(counter('code=~"2.."')), "2..", "[45]..", f'{GOOD}code=~"[45].."', 'write code!~"[45].."'),
    Mutation(good(counter('grpc_code="OK"')), '="OK"', '!="OK"', f'{GOOD}grpc_code!="OK"', 'write grpc_code="OK"'),
    Mutation(
        events(counter('grpc_code=~"Internal|Unavailable"')),
        "=~",
        "!~",
        f'{BAD}grpc_code!~"Internal|Unavailable"',
        'write grpc_code=~"Internal|Unavailable"',
    ),
    Mutation(
        events(counter('envoy_response_code_class="5"')),
        '"5"',
        '"2"',
        f'{BAD}envoy_response_code_class="2"',
        'write envoy_response_code_class!="2"',
    ),
    # Words
    Mutation(events(counter('status="error"')), '"error"', '"success"', f'{BAD}status="success"', 'write status!="success"'),
    Mutation(events(counter('outcome!="SUCCESS"')), "!=", "=", f'{BAD}outcome="SUCCESS"', 'write outcome!="SUCCESS"'),
    Mutation(good(counter('success="true"')), '"true"', '"false"', f'{GOOD}success="false"', 'write success!="false"'),
    Mutation(events(counter('error="true"')), "true", "false", f'{BAD}error="false"', 'write error!="false"'),
    Mutation(good(counter('result!="failed"')), "!=", "=", f'{GOOD}result="failed"', 'write result!="failed"'),
    # Latencies
    Mutation(events(f"{COUNT} - {FAST}", COUNT), f"{COUNT} - {FAST}", FAST, f'{BAD}le="0.5"', TAKE),
    Mutation(good(FAST, COUNT), f"query: '{FAST}", f"query: '{COUNT} - {FAST}", f'{GOOD}all but le="0.5"', LEAVE),
    Mutation(
        events(f'{latency("le=`+Inf`")} - {latency("le=`1e-1`")}', latency("le=`+Inf`")),
        f"{latency('le=`+Inf`')} - ",
        "",
        f'{BAD}le="1e-1"',
        TAKE,
    ),
    Mutation(
        good(latency('code!~"5..",le="0.5"'), COUNT),
        "!~",
        "=~",
        f'{GOOD}code=~"5.."',
        'write code!~"5.."',
    ),
    Mutation(
        events(counter('code=~"5.."', f"{SECONDS}_count"), COUNT),
        counter('code=~"5.."', f"{SECONDS}_count"),
        latency('code!~"5..",le="0.5"'),
        f'{BAD}code!~"5.."',
        'write code=~"5.."',
    ),
    Mutation(raw(f"1 - {FAST} / {COUNT}"), "1 - ", "", f'{RATIO}le="0.5"', TURN),
    Mutation(raw(f"({COUNT} - {FAST}) / {COUNT}"), f"({COUNT} - {FAST})", FAST, f'{RATIO}le="0.5"', TURN),
    # Names
    Mutation(
        events(counter(metric="orders_failed_total"), counter(metric="orders_total")),
        "failed",
        "succeeded",
        f"{BAD}orders_succeeded_total",
        TAKE,
    ),
    Mutation(
        good(counter(metric="rpc_success_total"), counter(metric="rpc_requests_total")),
        "success",
        "errors",
        f"{GOOD}rpc_errors_total",
        TAKE,
    ),
    Mutation(
        raw("1 - sum(sum_over_time(probe_success[5m])) / sum(count_over_time(probe_success[5m]))"),
        "1 - ",
        "",
        f"{RATIO}probe_success",
        TURN,
    ),
    Mutation(raw("1 - sum(up) / count(up)"), "1 - ", "", f"{RATIO}up", TURN),
    # Around it
    Mutation(raw(f"{counter('code=~`5..`')} / {counter()}"), "'sum", "'1 - sum", f'{RATIO}all but code=~"5.."', LEAVE),
    Mutation(
        events(f"({counter('code=~`5..`')} > 0) or vector(0)"), "=~", "!~", f'{BAD}code!~"5.."', 'write code=~"5.."'
    ),
    Mutation(
        openslo("success", raw=f"{counter('code!~`5..`')} / {counter()}"),
        "success",
        "failure",
        "query 'ratio' of SLI 'orders' is a share of good events: code!~\"5..\"",
        TURN,
    ),
    Mutation(
        openslo("failure", raw=f"{counter('code=~`5..`')} / {counter()}"),
        "failure",
        "success",
        "query 'ratio' of SLI 'orders' is a share of bad events: code=~\"5..\"",
        TURN,
    ),
    # Other tools
    Mutation(
        pyrra("ratio", 'http_requests_total{code=~"5.."}', "http_requests_total"),
        "=~",
        "!~",
        f'{BAD}code!~"5.."',
        'write code=~"5.."',
    ),
    Mutation(
        pyrra("latency", f'{SECONDS}_bucket{{code!~"5..",le="1"}}', f"{SECONDS}_count"),
        "!~",
        "=~",
        f'{GOOD.replace("SLI", "SLO")}code=~"5.."',
        'write code!~"5.."',
    ),
    Mutation(
        generator('sum(rate(http_requests_total{code=~"2.."}[window])) / sum(rate(http_requests_total[window]))'),
        "2..",
        "5..",
        "query 'ratio' of SLO 'orders' is a share of bad events: code=~\"5..\"",
        TURN,
    ),
)  # fmt: skip


@pytest.mark.parametrize("mutation", MUTATIONS, ids=[f"{n}-{one.new[:24]}" for n, one in enumerate(MUTATIONS)])
def test_one_wrong_change_is_noticed(mutation: Mutation) -> None:
    """Before the change nothing is said, after it exactly what is wrong, and what to do."""
    assert [] == _said(mutation.spec)
    assert [f"{mutation.said}\n  {mutation.hint}"] == _said(mutation.changed)


def _said(spec: str) -> list[str]:
    """What is said, without the place."""
    return [found.partition(": ")[2] for found in Repo({"slo.yaml": spec}).findings("SLO205")]


# --- What is not


BYTES = "http_response_size_bytes"

NEAR_MISSES = {
    "client errors are bad": events(counter('code=~"4.."')),
    "client errors are good": good(counter('code=~"4.."')),
    "both kinds": events(counter('code=~"2..|5.."')),
    "only client errors left out": events(counter('code!~"4.."')),
    "neither": events(counter('code="304"')),
    "no content, which is no result": events(counter('code="204"')),
    "an answer that is not understood": events(counter('code=~"(2)(..)+"')),
    "a fault of one kind": good(counter('code!="504"')),
    "a label that tells something else": events(counter('cache="success"')),
    "narrowed down further": events(counter('code=~"2..",slow="true"')),
    "wanted failures": good(counter('code=~"5..",expected="true"')),
    "shed requests among errors": good(counter('code="503"'), counter('code=~"5.."')),
    "expected errors among errors": good(
        counter('status="error"', metric="orders_errors_total"), counter(metric="orders_errors_total")
    ),
    "all bad ones but one": events(counter('code=~"5..",code!="503"')),
    "all but one of the bad ones": events(counter('code=~"5..",code!="503"'), counter('code=~"5.."')),
    "neither well nor badly": good(counter('code!~"5..",code!~"2.."')),
    "good ones among good ones": events(counter('code=~"2.."'), counter('code!~"5.."')),
    "another metric": events(counter('code=~"2.."', metric="retries_total")),
    "nothing told": events(counter()),
    "a histogram of sizes": events(latency('le="0"', BYTES), counter(metric=f"{BYTES}_count")),
    "empty successes": events(latency('code="200",le="0"', BYTES), counter(metric=f"{BYTES}_count")),
    "connections that break too soon": events(
        latency('le="5"', "websocket_connection_duration_seconds"),
        counter(metric="websocket_connection_duration_seconds_count"),
    ),
    "calls that are dropped": events(
        latency('le="5"', "call_duration_seconds"), counter(metric="call_duration_seconds_count")
    ),
    "every bucket": events(latency('le="+Inf"'), COUNT),
    "a bucket of a bucket": events(latency('le="0.5"'), latency('le="1"')),
    "any of several buckets": events(latency('le=~"0.5|1"'), COUNT),
    "a bucket that is none": events(latency('le="fast"'), COUNT),
    "all but a bucket": events(latency('le!="0.5"'), COUNT),
    "a latency that fails": events(latency('code=~"5..",le="0.5"'), COUNT),
    "slow ones taken from all": raw(f"1 - ({COUNT} - ({COUNT} - {FAST})) / {COUNT}"),
    "fast ones of the successful": openslo(
        good=latency('code!~"5..",le="0.5"'), total=counter('code!~"5.."', f"{SECONDS}_count")
    ),
    "errors that were mended": good(
        counter(metric="orders_recovered_errors_total"), counter(metric="orders_total")
    ),
    "mended errors among errors": good(
        counter(metric="orders_failed_total"), counter(metric="orders_errors_total")
    ),
    "errors with a reason of their own": good(
        counter('reason="none"', metric="orders_errors_total"), counter(metric="orders_total")
    ),
    "another word for all": good(counter(metric="orders_errors_total"), counter(metric="visits_total")),
    "series of errors": good("count(orders_errors_total)", "count(orders_total)"),
    "samples of a probe": raw("sum(count_over_time(up[5m])) / sum(count_over_time(up[5m]))"),
    "the sum of a probe in both": raw("sum(up) / sum(up)"),
    "the sum of something else": raw("sum(queue_full) / count(queue_full)"),
    "a probe that fails": raw("count(up == 0) / count(up)"),
    "a share to stay above": raw(f"{counter('code!~`5..`')} / {counter()} < bool 0.99"),
    "no ratio": raw(counter('code!~"5.."')),
    "nothing says what it is": generator(f"time() - {counter()}"),
    "two metrics": events(f"{counter('code=~`2..`')} + {counter()}"),
    "any metric": events('sum(rate({code=~"2.."}[{{.window}}]))', 'sum(rate({job="shop"}[{{.window}}]))'),
    "any metric of another name": events('sum(rate({job="shop"}[{{.window}}]))'),
    "errors of another language": openslo(good=counter('code=~"5.."'), total=counter()).replace("Prometheus", "Datadog"),
    "no query": events('sum(rate(http_requests_total{code=~"2.."'),
}  # fmt: skip


@pytest.mark.parametrize("spec", NEAR_MISSES.values(), ids=NEAR_MISSES)
def test_what_only_looks_swapped_is_not(spec: str) -> None:
    """A false alarm is worse than a miss."""
    assert [] == _said(spec)


def test_a_raw_query_of_unknown_kind_is_left_alone() -> None:
    """Where nothing says whether a share is of good events or of bad ones, neither is wrong."""
    assert [] == _said(openslo(raw=f"{counter('code!~`5..`')} / {counter()}"))


def test_both_halves_can_be_swapped() -> None:
    """Each query is judged by itself."""
    spec = openslo(good=counter('code=~"5.."'), bad=counter('code!~"5.."'), total=counter())
    expected = [f'{GOOD}code=~"5.."', f'{BAD.replace("SLO", "SLI")}code!~"5.."']
    assert sorted(expected) == sorted(said.splitlines()[0] for said in _said(spec))


@pytest.mark.parametrize(
    ("spec", "marked"),
    [
        (events(counter('code !~ "5.."')), "code !~"),
        (events(FAST, COUNT), 'le="0.5"'),
        (events(counter(metric="orders_succeeded_total"), counter(metric="orders_total")), "orders_succeeded_total"),
    ],
)
def test_a_finding_points_at_what_tells(spec: str, marked: str) -> None:
    """The matcher, or else the metric."""
    (found,) = Repo({"slo.yaml": spec}).outcome("SLO205").findings
    assert spec.splitlines()[found.at.line - 1][found.at.column - 1 :].startswith(marked)


# --- Whatever there is


@pytest.mark.parametrize("label", VALUES)
def test_no_value_is_both(label: str) -> None:
    """What is certainly good is not certainly bad."""
    well, badly = VALUES[label]
    assert not set(well) & set(badly)


LABELS = st.sampled_from((*VALUES, "le", "job"))
WRITTEN = st.sampled_from(("200", "5..", "2..|3..", "OK", "error", "true", "0.5", "+Inf", "", "("))
MATCHER = st.builds('{}{}"{}"'.format, LABELS, st.sampled_from(("=", "!=", "=~", "!~")), WRITTEN)
METRIC = st.sampled_from(("up", "http_requests_total", "http_errors_total", f"{SECONDS}_bucket", f"{SECONDS}_count", ""))
SELECTOR = st.builds("{}{{{}}}".format, METRIC, st.lists(MATCHER, max_size=3).map(",".join))
COUNTED = st.builds(
    str.format, st.sampled_from(("sum(rate({}[5m]))", "count({})", "{}", "-{}", "sum({}) or vector(0)")), SELECTOR
)


def _query(text: str, role: str) -> Query:
    return Query(at=Location("slo.yaml", 1, 1), text=text, language="promql", role=role, parsable=text)


@settings(max_examples=200)
@given(COUNTED, COUNTED)
def test_what_is_counted_is_the_same_under_any_role(part: str, whole: str) -> None:
    """What a query counts does not depend on what it should count, and no query is too odd."""
    answers = {
        found
        for role in ("good", "bad")
        for one in ratios((_query(part, role), _query(whole, "total")))
        for found in (outcome(one),)
    }
    assert len(answers) <= 1


def test_real_specs_raise_no_false_alarm() -> None:
    """Of the swaps in other people's files these are all; each has been read, and each is one."""
    if not CORPUS.is_dir():
        pytest.skip("../shared/corpus/slo is not here")
    found = set()
    for folder in sorted(CORPUS.iterdir()):
        texts = {
            str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.suffix in (".yaml", ".yml")
        }
        report = Repo(texts).report("SLO205")
        found |= {Path(finding.at.path).name for judged in report.outcomes for finding in judged.findings}
    assert {
        "nginx.yaml",
        "sli-description-ratio-bad-metricsourceref.yaml",
        "sli-no-description-ratio-bad-metricsourceref.yaml",
        "sli-ratio-good-and-bad.yaml",
    } == found
