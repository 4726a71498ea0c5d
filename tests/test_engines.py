"""Results of load engines: what each file says, exactly as much and no more, and what becomes of a budget on it."""

from __future__ import annotations

import gzip
import io
import json
import random
from array import array
from contextlib import suppress
from math import inf
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

import engine_files as files
from pytest_reliability.latency import Budget
from pytest_reliability.latency.binomial import surprisingly_few, surprisingly_many
from pytest_reliability.latency.engines import ResultsError, judge_result, one_run, read_results
from pytest_reliability.latency.engines.instants import instant
from pytest_reliability.latency.engines.opened import Opened
from pytest_reliability.latency.engines.operations import names, operation
from pytest_reliability.latency.engines.reading import _read
from pytest_reliability.latency.engines.result import EVERYTHING, Result, Share, estimated, maximum, minimum, percentile, together


def read(text: str | bytes) -> tuple[Result, ...]:
    """What a file of this content says."""
    return _read("results", io.BytesIO(text.encode() if isinstance(text, str) else text))


def refusal(text: str | bytes) -> str:
    """Why a file of this content cannot be judged."""
    with pytest.raises(ResultsError) as caught:
        read(text)
    return str(caught.value)


def calls(*seconds: float) -> Result:
    """A result that holds every call."""
    return Result(name="", n=len(seconds), errors=seconds.count(inf), source="run", times=array("d", seconds), seconds=10.0)


def judged(text: str, budget: str, of: str = EVERYTHING) -> tuple[str, str]:
    """The outcome of a budget on a file, and why."""
    found = operation(read(text), of)
    assert found is not None
    measurement = judge_result(found, Budget.parse(budget))
    return measurement.outcome, measurement.reason


# --- what percentiles say


@given(st.lists(st.integers(0, 50), min_size=1, max_size=60), st.fractions(0, 1, max_denominator=40), st.integers(-1, 51))
def test_a_percentile_says_nothing_that_is_not_so(times, share, limit):
    """Whichever definition of a quantile an engine uses, the true count lies between the least and the most."""
    ordered, n, quantile = sorted(times), len(times), float(share)
    over = sum(1 for time in times if time > limit)
    position = quantile * (n - 1)
    low = ordered[int(position)]
    linear = low + (position - int(position)) * (ordered[min(int(position) + 1, n - 1)] - low)
    nearest = ordered[max(0, -(-share.numerator * n // share.denominator) - 1)]
    locust = ordered[min(n - 1, int(n * quantile))]
    for value in (linear, nearest, locust):
        marks = percentile(quantile, value, n)
        result = Result(
            name="", n=n, errors=0, source="", marks=(*marks, maximum(ordered[-1], n), minimum(ordered[0], n)), timed=n
        )
        assert result.over(limit).least <= over <= result.over(limit).most


def test_a_percentile_brackets_the_count():
    """p95 of 48 ms in 12,000 calls: about 600 were slower than that, and how many exceed 40 or 60 ms is open on one side."""
    result = Result(name="", n=12000, errors=0, source="", marks=percentile(0.95, 0.048, 12000), timed=12000)
    assert [(0, 601), (600, 12000)] == [result.over(limit)[1:] for limit in (0.060, 0.040)]


def test_an_estimate_is_believed_within_a_cluster():
    """A t-digest of compression 100 may be off by 1.4% of the calls at p95, and not at all at the ends."""
    low, high = estimated(0.95, 1.0, 10_000)
    assert (363, 638) == (low.least, high.most)
    assert percentile(1.0, 1.0, 10_000) == estimated(1.0, 1.0, 10_000)


@pytest.mark.parametrize(
    ("failed", "limit", "expected"),
    [
        ("among", 0.5, Share(100, 10, 15)),  # 5 to 5 over; the 10 errors may be those, or others
        ("apart", 0.5, Share(110, 15, 15)),
        ("anywhere", 0.5, Share(100, 5, 15)),
        ("among", 2.0, Share(100, 10, 10)),
        ("among", 0.01, Share(100, 10, 100)),
    ],
)
def test_errors_count_as_over_wherever_their_times_went(failed, limit, expected):
    """A fast error is no success."""
    marks = (*percentile(0.95, 0.4, 100), maximum(1.0, 100))
    result = Result(name="", n=100, errors=10, source="", marks=marks, timed=100, failed=failed)
    assert expected.n == result.over(limit).n
    assert abs(expected.most - result.over(limit).most) <= 1
    assert expected.least - 5 <= result.over(limit).least <= expected.least


def test_counts_of_errors_apart_are_exact():
    """The same, to the call."""
    marks = (maximum(1.0, 100), percentile(0.5, 0.1, 100)[1])
    result = Result(name="", n=110, errors=10, source="", marks=marks, timed=100, failed="apart")
    assert [Share(110, 10, 10), Share(110, 11, 61)] == [result.over(limit) for limit in (1.0, 0.5)]


def test_shares_add_up():
    """Only with each other."""
    assert Share(3, 1, 2) == Share(1, 0, 1) + Share(2, 1, 1)
    assert NotImplemented is Share(1, 0, 1).__add__((1, 2, 3))


def test_stretches_of_a_run_with_every_call_are_exact():
    """They are in order, and none is left out."""
    result = calls(1, 1, 1, 5, 5, 1, inf, 1, 1, 1)
    assert [Share(2, 0, 0), Share(3, 2, 2), Share(2, 1, 1), Share(3, 0, 0)] == result.stretches(2.0, 4)


@given(st.integers(1, 200), st.integers(0, 200), st.integers(1, 6), st.randoms())
def test_stretches_without_order_hold_for_every_order(n, over, count, order):
    """However the calls are shuffled, each stretch has between the least and the most."""
    over = min(n, over)
    result = Result(name="", n=n, errors=over, source="", timed=n)
    shuffled = [True] * over + [False] * (n - over)
    order.shuffle(shuffled)
    shares = result.stretches(inf, count)
    assert n == sum(share.n for share in shares)
    start = 0
    for share in shares:
        assert share.least <= sum(shuffled[start : start + share.n])
        start += share.n


def test_results_that_are_put_together_add_up():
    """Counts, stretches and samples; the length of the run only where all have one."""
    one, two = calls(1, 3), calls(3, 3)
    both = together((one, two), "both", side_by_side=True)
    assert (4, Share(4, 3, 3), 10.0, True) == (both.n, both.over(2.0), both.seconds, both.exact)
    assert [Share(2, 1, 1), Share(2, 2, 2)] == both.stretches(2.0, 2)
    assert [1, 3, 3, 3] == list(both.samples())
    assert 20.0 == together((one, two), "both", side_by_side=False).seconds
    summed = Result(name="", n=1, errors=0, source="other", timed=1, holds="nothing")
    mixed = together((one, summed), "mixed", side_by_side=True)
    assert (None, False, "run, other", "every call; nothing") == (mixed.seconds, mixed.exact, mixed.source, mixed.holds)
    assert one is together((one,), "", side_by_side=True)


# --- what each file says


def test_a_time_that_is_the_limit_is_not_over_it():
    """Though 1900 times 0.001 is not 1.9."""
    assert Share(2, 1, 1) == calls(1900 * 0.001, 1.901).over(1.9)
    assert Share(9, 0, 0) == Result(name="", n=9, errors=0, source="", marks=(maximum(1900 * 0.001, 9),), timed=9).over(1.9)


@pytest.mark.parametrize("kind", files.TEXTS)
def test_every_kind_is_recognised_by_what_is_in_it(kind):
    """Packed or not, with a mark of the byte order or not; all calls come first, and the source says what it was."""
    plain = read(files.TEXTS[kind])
    assert EVERYTHING == plain[0].name
    assert plain[0].n > 0
    assert kind.split()[0].rstrip(",") in plain[0].source + " HdrHistogram hdrplot"
    assert plain == read(gzip.compress(files.TEXTS[kind].encode())) == read("\N{BOM}" + files.TEXTS[kind])


@pytest.mark.parametrize(
    ("text", "n", "errors", "seconds"),
    [
        (files.K6_SUMMARY, 12000, 12, 60.0),
        (files.K6_HANDLED, 4000, 1000, 30.0),
        (files.K6_MACHINE, 600, 6, 60.0),
        (files.K6_LINES, 7, 4, 5.01),
        (files.K6_CSV, 2, 1, 4.01),
        (files.LOCUST_STATS, 5000, 20, 100.0),
        (files.LOCUST_HISTORY, 5000, 20, 100.0),
        (files.LOCUST_FULL_HISTORY, 5000, 20, 100.0),
        (files.WRK2, 15006, 46, 30.0),
        (files.WRK2_SHORT, 10198, 0, 30.01),
        (files.WRK, 20000, 0, 30.0),
        (files.HDRPLOT, 10000, 0, None),
        (files.VEGETA_LINES, 3, 1, 2.02),
        (files.VEGETA_CSV, 2, 1, 2.02),
        (files.VEGETA_OLD_CSV, 1, 0, 0.01),
        (files.VEGETA_REPORT, 10000, 10, 10.0),
        (files.VEGETA_HISTOGRAM, 10000, 0, None),
        *((text, 3, 1, 1.3) for text in files.GATLING_LOGS.values()),
        (files.GATLING_REPORT, 10000, 10, 100.0),
        (files.GATLING_GLOBAL, 100, 0, None),
        (files.JMETER_CSV, 2, 1, 0.8),
        (files.JMETER_XML, 2, 1, 0.8),
    ],
)
def test_calls_errors_and_duration(text, n, errors, seconds):
    """Counted by hand in each file."""
    everything = read(text)[0]
    assert (n, errors) == (everything.n, everything.errors)
    assert everything.seconds == (None if seconds is None else pytest.approx(seconds, abs=1e-3))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (files.K6_SUMMARY, ["GET search", "pay"]),
        (files.K6_LINES, ["GET search", "GET /search", "/shop/Pay", "request", "login"]),
        (files.K6_CSV, ["GET search"]),
        (files.LOCUST_STATS, ["GET /search", "POST /pay, now"]),
        (files.LOCUST_FULL_HISTORY, ["GET /search"]),
        (files.WRK2, []),
        (files.VEGETA_LINES, [f"GET http://shop.example/items/{item}" for item in ("1", "2?page=2", "2")]),
        (files.VEGETA_OLD_CSV, ["request"]),
        *((text, ["search", "cart / end / pay"]) for text in files.GATLING_LOGS.values()),
        (files.GATLING_REPORT, ["search", "cart / pay"]),
        (files.JMETER_CSV, ["search", "pay, now", "Buy"]),
        (files.JMETER_XML, ["search", "pay", "Buy"]),
    ],
)
def test_operations_have_the_names_that_their_engine_gives_them(text, expected):
    """In the order in which they were seen."""
    assert sorted(expected) == sorted(names(read(text)))


@pytest.mark.parametrize(
    ("text", "limit", "expected"),
    [
        (files.K6_LINES, 0.015, (7, 6)),
        (files.K6_LINES, 0.065, (7, 4)),  # what failed is over, however fast
        (files.GATLING_LOGS["3.10"], 0.15, (3, 2)),
        (files.JMETER_XML, 0.2, (2, 1)),
    ],
)
def test_every_call_counts_exactly(text, limit, expected):
    """Where the file holds every call, the least is the most."""
    n, over = expected
    assert Share(n, over, over) == read(text)[0].over(limit)


@pytest.mark.parametrize(
    ("text", "limit", "expected"),
    [
        (files.K6_SUMMARY, 0.230, Share(12000, 12, 12)),
        (files.K6_SUMMARY, 0.050, Share(12000, 12, 613)),
        (files.K6_SUMMARY, 0.045, Share(12000, 600, 1213)),
        (files.K6_SUMMARY, 0.001, Share(12000, 12000, 12000)),
        # Locust rounds 75 ms to 1 ms and 180 ms to 10 ms
        (files.LOCUST_STATS, 0.0756, Share(5000, 100, 271)),
        (files.LOCUST_STATS, 0.0754, Share(5000, 100, 521)),
        (files.LOCUST_STATS, 0.0744, Share(5000, 250, 521)),
        (files.LOCUST_STATS, 0.182, Share(5000, 50, 271)),
        (files.LOCUST_STATS, 0.186, Share(5000, 50, 121)),
        (files.LOCUST_STATS, 1.9, Share(5000, 20, 20)),
        (files.LOCUST_HISTORY, 0.0756, Share(5000, 100, 271)),
        # a full history's percentiles are of ten seconds each: only the median and the ends are of the whole run
        (files.LOCUST_FULL_HISTORY, 0.0756, Share(5000, 20, 2521)),
        # a histogram counts; wrk2's errors may have come before it began to record
        (files.WRK2, 0.050, Share(10000, 100, 546)),
        (files.WRK2, 0.0480, Share(10000, 500, 5046)),
        (files.WRK2, 0.3, Share(10000, 0, 46)),
        (files.WRK2, 0.247, Share(10000, 1, 146)),
        (files.WRK2_SHORT, 0.005, Share(6795, 0, 68)),
        (files.WRK2_SHORT, 0.004, Share(6795, 67, 3398)),
        (files.WRK, 0.006, Share(20000, 1, 201)),
        (files.WRK, 0.0130, Share(20000, 0, 0)),
        (files.WRK, 0.00065, Share(20000, 2000, 5001)),
        (files.TEXTS["HdrHistogram"], 0.050, Share(10000, 100, 500)),
        # p95 of an estimate: 500 calls, give or take 137
        (files.HDRPLOT, 0.050, Share(10000, 37, 638)),
        (files.HDRPLOT, 0.2501, Share(10000, 0, 1)),
        (files.VEGETA_REPORT, 0.050, Share(10000, 37, 648)),
        (files.VEGETA_BUCKETS, 0.050, Share(10000, 100, 648)),
        (files.VEGETA_BUCKETS, 0.080, Share(10000, 10, 110)),
        (files.VEGETA_HISTOGRAM, 0.050, Share(10000, 100, 1000)),
        (files.VEGETA_HISTOGRAM, 0.049, Share(10000, 1000, 10000)),
        # Gatling tells those that failed apart: 10 more, whatever the limit
        (files.GATLING_REPORT, 0.8, Share(10000, 373, 600)),
        (files.GATLING_REPORT, 1.2, Share(10000, 47, 210)),
        (files.GATLING_REPORT, 1.199, Share(10000, 210, 600)),
        (files.GATLING_REPORT, 2.5, Share(10000, 10, 10)),
        (files.GATLING_REPORT, 0.004, Share(10000, 10000, 10000)),
    ],
)
def test_percentiles_and_steps_say_as_much_as_they_say(text, limit, expected):
    """The least and the most, counted by hand, to a call or two."""
    n, least, most = read(text)[0].over(limit)
    assert (expected.n, pytest.approx(expected.least, abs=2), pytest.approx(expected.most, abs=2)) == (n, least, most)


def test_a_tagged_part_of_a_k6_summary_needs_its_count():
    """Without `count` nobody knows how many requests its percentiles are of, and it says what to write."""
    search, pay = (operation(read(files.K6_SUMMARY), name) for name in ("GET search", "pay"))
    assert (4000, "") == (search.n, search.lacks)
    assert (0, True) == (pay.n, "--summary-trend-stats" in pay.lacks)
    assert "inconclusive" == judge_result(pay, Budget.parse("p95=1s")).outcome


def test_k6_without_failures_says_so():
    """None is taken to have failed, and that is said."""
    summary = json.loads(files.K6_SUMMARY)
    del summary["metrics"]["http_req_failed"]
    (note,) = read(json.dumps(summary))[0].notes
    assert "does not say how many requests failed" in note


@pytest.mark.parametrize("text", [files.HDRPLOT, files.TEXTS["HdrHistogram"], files.VEGETA_HISTOGRAM])
def test_errors_that_nobody_counted_are_not_judged(text):
    """A file of times alone proves nothing about errors, and says that it takes none of them for one."""
    assert ("inconclusive", "the file does not say how many requests failed") == judged(text, "errors=1%")
    assert "none is taken to have" in judge_result(read(text)[0], Budget.parse("p95=1s")).notes[0]


def test_notes_stand_where_they_matter():
    """What percentiles mean says nothing about errors."""
    result = read(files.GATLING_REPORT)[0]
    assert [1, 0, 0] == [
        len(judge_result(result, Budget.parse(text)).notes) for text in ("p95=1s", "errors=1%", "throughput=1/s")
    ]


@pytest.mark.parametrize(
    ("metrics", "n", "seconds", "name"),
    [
        ({"http_req_duration": {"p(95)": 1.0}, "http_reqs": {"count": 5, "rate": 0.0}}, 5, None, ""),
        ({"http_req_duration": {"p(95)": 1.0}, "http_req_failed": {"matches": 1, "total": 9}, "vus": {}}, 9, None, ""),
        ({"grpc_req_duration": {"p(95)": 1.0, "count": 8}, "vus": {}}, 8, None, "grpc_req_duration"),
        ({"http_req_duration{url:http://a/b?c,d}": {"max": 1.0, "count": 8}, "vus": {}}, 8, None, "url:http://a/b?c,d"),
        ({"http_req_duration{scenario:soak}": {"p(101)": 1.0, "max": 1.0, "count": 8}, "vus": {}}, 8, None, "scenario:soak"),
    ],
)
def test_other_shapes_of_a_k6_summary(metrics, n, seconds, name):
    """What counts the requests, and what they are called."""
    results = read(json.dumps({"metrics": metrics}))
    assert (n, seconds, name) == (results[-1].n, results[-1].seconds, results[-1].name)


@pytest.mark.parametrize(
    ("stamps", "seconds"),
    [
        (("1795431600", "1795431604"), 4.01),
        (("1795431600123", "1795431604123"), 4.01),
        (("1795431600123456", "1795431604123456"), 4.01),
        (("1795431600123456789", "1795431604123456789"), 4.01),
        (("2026-11-23T10:00:00Z", "2026-11-23T10:00:04Z"), 4.01),
        (("2026-11-23T10:00:00.123456789+01:00", "2026-11-23T09:00:04.123456789Z"), 4.01),
        (("yesterday", "today"), None),
        (("17954316001", "179543160012345"), None),
    ],
)
def test_times_of_day_in_k6_csv(stamps, seconds):
    """In each format that it can be told to write."""
    text = files.K6_CSV.replace("1795431600,10", f"{stamps[0]},10").replace("1795431604", stamps[1])
    assert (None if seconds is None else pytest.approx(seconds, abs=1e-3)) == read(text)[0].seconds


@pytest.mark.parametrize("text", ["2026-11-45T10:00:00Z", "10:00", None, 5])
def test_what_is_no_time_of_day_is_no_number(text):
    """It is not guessed."""
    assert str(instant(text)) == "nan"


def test_jmeter_may_write_the_time_of_day_as_it_likes():
    """Only the length of the run is unknown then."""
    results = read(files.JMETER_CSV.replace("1795431600", "2026/11/23 10:00:00."))
    assert (2, None) == (results[0].n, results[0].seconds)


# --- what cannot be judged, and what to do


@pytest.mark.parametrize(
    ("text", "what", "hint"),
    [
        ("", "results: the file is empty", "docs/load-engines.md"),
        ("\n\n", "results: the file is empty", "docs/load-engines.md"),
        ("hello\nworld", "results: the file is of no kind that is known; it begins with 'hello'", "k6, Locust"),
        ("<!DOCTYPE html><html>", "results: a report in HTML is for people", "k6, Locust"),
        ('{"metrics": {"http_reqs"', "results: the JSON is damaged or was cut short", "k6, Locust"),
        ("[1, 2]", "results: the file is of no kind", "k6, Locust"),
        ('{"hello": 1}', "results: the file is of no kind", "k6, Locust"),
        (b"\0\1\2", "results: a binary file of no kind that is known", "k6, Locust"),
        (b"\x1f\x8b\x08rubbish", "results: cannot be read to its end", "run the load test again"),
        (gzip.compress(b"x" * 9000)[:-9], "results: cannot be read to its end", "run the load test again"),
        (files.GATLING_BINARY, "results: since Gatling 3.11 its log is binary", "js/stats.json"),
        ("var stats = {\n    type: 'GROUP'", "results: js/stats.js is a program", "js/stats.json"),
        (b"\x0f\xff\x81\x03\x01\x01\x06Attack\x01Latency\x01BytesOut\0", "results: vegeta's binary", "vegeta encode -to json"),
        (files.LOCUST_FAILURES, "results: the file counts failures, but not the requests", "_stats.csv"),
        (files.JMETER_HEADERLESS, "JTL file without a header", "print_field_names=true"),
        (files.HDR_TABLE, "results:1: the table does not say in which unit", "Value(ms)"),
        (files.K6_LINES.splitlines()[0], "results: there are no requests in it", "run the load test"),
        ('{"metrics": {"vus": {"max": 1}}}', "results: the summary has no http_req_duration", "--summary-export"),
        ('{"metrics": {"vus": {"values": 3}}}', "results: the metric 'vus' has no values", "again"),
        (files.K6_LINES + "\n{", "results:16: the line is no point of k6", "damaged"),
        (files.K6_LINES + '\n{"metric": "login"}', "results:16: the line is no point of k6", "damaged"),
        (files.K6_LINES.replace('"value": 500', '"value": "x"'), "results:15: login is 'x', which is no number", "damaged"),
        (files.K6_LINES.replace('"value": 500', '"value": -1'), "results:15: login is -1, which is no time", "damaged"),
        (files.K6_CSV + "http_req_duration,1795", "results:5: the row has 2 fields; its header has 14", "cut short"),
        (files.K6_CSV.replace("20.000000", "1e999"), "results:4: http_req_duration is '1e999', which is no number", "damaged"),
        (files.LOCUST_STATS.replace("4000,0,", "40.5,0,"), "Request Count is '40.5', which is no number of calls", "damaged"),
        (
            files.LOCUST_STATS.replace("Max Response", "Most"),
            "results:1: there is no column 'Max Response Time'",
            "Request Count",
        ),
        (
            files.JMETER_CSV.replace("true", "perhaps"),
            "results:2: success is 'perhaps', which is neither true nor false",
            "damaged",
        ),
        (files.JMETER_CSV.replace(",100,", ",abc,"), "results:2: elapsed is 'abc', which is no number", "damaged"),
        (files.JMETER_XML.replace("</testResults>", ""), "the XML ends or breaks off here", "cut short"),
        (files.JMETER_XML.replace('lb="search"', ""), "the sample has no 'lb'", "damaged"),
        (files.GATLING_LOGS["3.10"] + "REQUEST\tx\n", "results:8: the record is no request of Gatling", "damaged"),
        (files.GATLING_REPORT.replace('"ok": 9990', '"ok": true'), "numberOfRequests.ok is True, which is no number", "damaged"),
        (files.GATLING_REPORT.replace('"group_cart": {', '"x": 1, "group_cart": {'), "a request has no stats", "damaged"),
        ('{"numberOfRequests": {"ok": 1, "ko": 0}, "percentiles1": 5}', "percentiles1 is 5, which has no ok", "damaged"),
        (files.VEGETA_LINES + "\n[]", "results:5: the line is no result of vegeta", "damaged"),
        (files.VEGETA_CSV + "1,2\n", "results:3: the row has 2 fields; vegeta writes 12", "damaged"),
        (files.VEGETA_HISTOGRAM.replace("0s,", "9ms,"), "results: the steps do not begin at 0", "hist[0,"),
        (files.VEGETA_HISTOGRAM.replace("50ms,", "5 bananas,"), "results:3: the line is no step of a histogram", "damaged"),
        (files.VEGETA_HISTOGRAM.replace("[50ms,", "[5bananas,"), "'5bananas' is no duration", "damaged"),
        (
            files.HDRPLOT.replace("1.000000    10000", "0.999000    9990 "),
            "results:6: the table of percentiles does not reach",
            "cut",
        ),
        (files.HDRPLOT + "nonsense\n", "results:7: the line is no row of a table of percentiles", "damaged"),
        (files.HDRPLOT.replace("90.000000", "9.000000 "), "results:5: the row is out of order", "damaged"),
        (
            files.TEXTS["HdrHistogram"].replace("=        10000", "=         9999"),
            "counts 10000 values, and says it has 9999",
            "cut",
        ),
        (files.WRK.replace("20000 requests", "many requests"), "the line with the number of requests is missing", "cut short"),
    ],
)
def test_what_cannot_be_judged_is_refused_with_what_to_do(text, what, hint):
    """The file, the line, what is wrong, and what to type."""
    said = refusal(text)
    first, _, second = said.partition("\n")
    assert what in first
    assert hint in second


def test_a_csv_that_breaks_its_rules_is_named():
    """The csv module's own complaint, with the line."""
    assert "the row is no CSV" in refusal(files.K6_CSV + f'"{"x" * 200_000}"\n')


def test_a_file_that_is_not_there(tmp_path):
    """And one that is a folder."""
    for path in (tmp_path / "k6.json", tmp_path):
        with pytest.raises(ResultsError, match="name the file that the load engine wrote, or - for standard input"):
            read_results(path)


def test_a_file_is_read_by_its_path_and_from_standard_input(tmp_path, monkeypatch):
    """The source names it and what it is."""
    path = tmp_path / "anything.txt"
    path.write_text(files.WRK)
    assert f"{path} (wrk or wrk2)" == read_results(path)[0].source
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(files.WRK.encode())))
    assert "standard input (wrk or wrk2)" == read_results("-")[0].source


@given(st.binary(max_size=300))
@example(b"{" * 9000)
@example(b"metric_name,timestamp,metric_value\n")
@example(b"elapsed,label\n1")
@example(b'{"type": "Point", "metric": {}, "data": []}')
def test_any_bytes_are_read_or_refused(content):
    """Never a traceback."""
    with suppress(ResultsError):
        assert read(content)


_PIECES = ("", "-1", "x", "null", "[]", "{}", "1e999", "99999999999999999999", '"', "\t", ",", "\n", "0", "NaN", "\0", "<a>", "}")


@settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.sampled_from(sorted(files.TEXTS)), st.randoms(use_true_random=False), st.sampled_from(_PIECES))
def test_a_damaged_file_is_read_or_refused(kind, chance, piece):
    """Whatever is cut out or put in, wherever: a result that can be judged, or an error, and never a traceback."""
    text = files.TEXTS[kind]
    start = chance.randrange(len(text))
    damaged = text[:start] + piece + text[start + chance.randrange(40) :]
    with suppress(ResultsError):
        for result in read(damaged):
            for budget in ("p95=50ms", "max=1s", "errors=1%", "throughput=10/s"):
                measurement = judge_result(result, Budget.parse(budget))
                assert 0 <= measurement.over <= measurement.n


# --- the verdict


def test_a_pass_needs_even_the_most_to_be_few():
    """p95 of 48 ms is no proof of p95 ≤ 50 ms: the file would have to hold a somewhat higher percentile."""
    outcome, reason = judged(files.K6_SUMMARY, "p95=50ms")
    assert "inconclusive" == outcome
    assert "the file holds p50, p90, p95 and the maximum only; p95.5 or a higher one within 50 ms would be enough" in reason
    assert ("pass", "between 12 and 613 of 12,000 over, 12 of them failed (up to 1,145 may be)") == judged(
        files.K6_SUMMARY, "p90=50ms"
    )


def test_a_file_of_percentiles_says_nothing_about_higher_ones():
    """Nor about one that it does not hold, where no percentile could help."""
    assert "the file holds p50, p75, p90, p99 and the maximum only" in judged(files.WRK, "p99.9=6ms")[1]


def slow_in(*quarters: int, n: int = 400) -> Result:
    """A run with so many calls of 100 ms in each quarter, all others of 10 ms."""
    return calls(*(time for slow in quarters for time in [0.1] * slow + [0.01] * (n - slow)))


@pytest.mark.parametrize(
    ("quarters", "outcome", "reason"),
    [
        ((40, 40, 40, 40), "fail", "160 of 1,600 over (102 would do), in each quarter of the run (40, 40, 40, 40)"),
        (
            (40, 40, 40, 20),
            "inconclusive",
            "140 of 1,600 over (102 would do), but not in each quarter of the run (40, 40, 40, 20)",
        ),
        ((0, 0, 400, 0), "inconclusive", "but not in each quarter of the run (0, 0, 400, 0): run it once more"),
        ((20, 20, 20, 20), "inconclusive", "80 of 1,600 over, too close to tell: n=1,600 proves p94 ≤ 50 ms"),
        ((10, 10, 10, 10), "pass", "40 of 1,600 over (up to 65 may be)"),
        ((0, 0, 0, 0), "pass", "none of 1,600 over (up to 65 may be)"),
    ],
)
def test_a_single_run_fails_only_in_each_quarter(quarters, outcome, reason):
    """An episode of a slow neighbour is in one of them, a slow service in all."""
    measurement = judge_result(slow_in(*quarters), Budget.parse("p95=50ms"), name="run")
    assert outcome == measurement.outcome
    assert reason in measurement.reason
    assert sum(quarters) == measurement.over


def test_few_calls_decide_nothing():
    """59 calls, none of them over, are what a pass of p95 takes."""
    assert "too few to tell: a pass needs at least 59 calls" in judge_result(calls(*[0.01] * 58), Budget.parse("p95=50ms")).reason
    assert "pass" == judge_result(calls(*[0.01] * 59), Budget.parse("p95=50ms")).outcome
    assert "inconclusive" == judge_result(calls(*[0.1] * 76), Budget.parse("p95=50ms")).outcome
    assert "fail" == judge_result(calls(*[0.1] * 80), Budget.parse("p95=50ms")).outcome


def test_several_runs_have_to_agree():
    """Where one is good the other is no failure, but no pass either."""
    budget, good, bad = Budget.parse("p95=50ms"), slow_in(10, 10, 10, 10), slow_in(0, 0, 80, 80)
    agreed = judge_result(bad, budget, [bad])
    assert ("fail", "320 of 3,200 over (190 would do), in each of 2 runs") == (agreed.outcome, agreed.reason)
    differs = judge_result(bad, budget, [good])
    assert ("inconclusive", "200 of 3,200 over (190 would do), but not in run by itself") == (differs.outcome, differs.reason)
    hidden = judge_result(slow_in(0, 0, 0, 0, n=2000), budget, [bad])
    assert ("inconclusive", "160 of 9,600 over, of which run has too many by itself") == (hidden.outcome, hidden.reason)
    assert "pass" == judge_result(good, budget, [good]).outcome


def test_a_summary_of_one_run_fails_only_by_far():
    """Where nobody knows which calls were in which quarter, each must have too many however they were spread."""
    assert "fail" == judged(files.K6_SUMMARY, "p95=2ms")[0]
    outcome, reason = judged(files.K6_SUMMARY, "p95=15ms")
    assert ("inconclusive", True) == (outcome, "but nothing confirms it: run it once more and give both files" in reason)
    result = read(files.K6_SUMMARY)[0]
    assert "fail" == judge_result(result, Budget.parse("p95=15ms"), [result]).outcome


@pytest.mark.parametrize(
    ("errors", "outcome"),
    [("1%", "pass"), ("0.1%", "inconclusive"), ("0.01%", "inconclusive")],
)
def test_errors_are_judged_by_their_count(errors, outcome):
    """12 of 12,000 failed; a summary alone does not say when."""
    assert outcome == judged(files.K6_SUMMARY, f"errors={errors}")[0]


def test_errors_of_every_call_are_judged_in_quarters():
    """What failed is infinite."""
    some = judge_result(calls(*([inf] * 10 + [0.01] * 90) * 4), Budget.parse("errors=1%"))
    assert ("fail", "errors", 40, 0.0) == (some.outcome, some.kind, some.over, some.limit)
    assert "40 of 400 failed" in some.reason


def test_a_maximum_is_never_proven_and_passes_all_the_same():
    """None over proves a high quantile, and the reason says which; one over in each quarter breaks it."""
    assert ("pass", "none of 20,000 over proves p99.98, at 95%; no number of calls proves a maximum") == judged(
        files.WRK, "max=1s"
    )
    assert "inconclusive" == judged(files.K6_SUMMARY, "max=1s")[0]  # 12 failed
    assert "fail" == judge_result(slow_in(1, 1, 1, 1), Budget.parse("max=50ms")).outcome
    assert "inconclusive" == judge_result(slow_in(1, 0, 0, 0), Budget.parse("max=50ms")).outcome
    assert "inconclusive" == judge_result(calls(*[0.01] * 100), Budget.parse("max=50ms")).outcome


@pytest.mark.parametrize(
    ("rate", "outcome", "reason"),
    [
        ("190/s", "pass", "11,988 answers in 60 s, 199.8 a second"),
        ("199/s", "inconclusive", "too close to 199/s to tell"),
        ("210/s", "inconclusive", "but nothing confirms it: run it once more"),
        ("900/s", "fail", "too few for any quarter of the run"),
    ],
)
def test_throughput_is_what_was_answered_in_the_time(rate, outcome, reason):
    """Calls that failed are no answers."""
    found = judged(files.K6_SUMMARY, f"throughput={rate}")
    assert (outcome, True) == (found[0], reason in found[1])


def test_throughput_of_several_runs_and_of_none_that_was_timed():
    """Each has to be too slow; a file that does not say how long it took says nothing."""
    budget, run = Budget.parse("throughput=210/s"), read(files.K6_SUMMARY)[0]
    measurement = judge_result(run, budget, [run])
    assert ("fail", "throughput") == (measurement.outcome, measurement.kind)
    assert "too few in each of 2 runs" in measurement.reason
    fast = Result(name="", n=90_000, errors=0, source="", seconds=60.0)
    assert "too close to 210/s to tell" in judge_result(run, budget, [fast]).reason
    assert "does not say how long the run took" in judged(files.HDRPLOT, "throughput=1/s")[1]


def test_whole_seconds_count_for_what_they_are():
    """A run of 4 s by timestamps cut to whole seconds may have taken 3 to 5."""
    text = files.K6_CSV + "http_req_duration,1795431602,1.0,,,,true,,GET,search,200,,,\n" * 1000
    outcomes = [judged(text, f"throughput={rate}/s")[0] for rate in (180, 220, 280)]
    assert ["pass", "inconclusive", "inconclusive"] == outcomes


def test_what_is_reported_is_what_a_measurement_has():
    """The interval and the histogram of every call, the source, the bound on false alarms."""
    measurement = judge_result(slow_in(10, 10, 10, 10), Budget.parse("p95=50ms"), name="search", test="load")
    assert ("search", "load", "p95 ≤ 50 ms", 0.05, 0.95) == (
        measurement.name, measurement.test, measurement.budget, measurement.limit, measurement.quantile,
    )  # fmt: skip
    assert (0.01, 0.01, 1600) == (measurement.low, measurement.high, sum(measurement.bins))
    assert (("from run",), 0.01 * 0.05**3) == (measurement.evidence, measurement.false_alarm)
    assert measurement.autocorrelation is not None
    summed = judge_result(read(files.K6_SUMMARY)[0], Budget.parse("p90=50ms"))
    assert (None, None, (), 613) == (summed.low, summed.high, summed.bins, summed.over)


def test_false_alarms_of_the_rule_are_rare_where_calls_come_in_episodes():
    """A kept budget under slow episodes: looking at the run as a whole would fail it often, quarter by quarter hardly ever."""
    chance = random.Random(20261123)
    whole = quarters = 0
    for _ in range(60):
        slow, times = chance.random() < 0.05, array("d")
        while len(times) < 4000:
            if slow or chance.random() < 0.95:
                lasts = round(chance.expovariate(1 / (300 if slow else 5700))) + 1
                times.extend((0.1 if slow and chance.random() < 0.9 else 0.01) for _ in range(lasts))
            slow = not slow
        result = Result(name="", n=4000, errors=0, source="", times=times[:4000])
        whole += result.over(0.05).least >= surprisingly_many(4000, 0.05, 0.01)
        quarters += judge_result(result, Budget.parse("p95=50ms")).outcome == "fail"
    assert (True, 0) == (whole >= 10, quarters)


# --- which operation


@pytest.mark.parametrize(
    ("text", "wanted", "n"),
    [
        (files.VEGETA_LINES, "GET /items/{id}", 3),
        (files.VEGETA_LINES, "/items/<int:id>", 3),
        (files.VEGETA_LINES, "GET /items/2", 2),
        (files.VEGETA_LINES, "GET http://shop.example/items/1", 1),
        (files.VEGETA_LINES, "POST /items/{id}", None),
        (files.VEGETA_LINES, "GET /items", None),
        (files.LOCUST_STATS, "GET /search", 4000),
        (files.LOCUST_STATS, "/search", 4000),
        (files.K6_LINES, "login", 1),
        (files.K6_LINES, "log", None),
        (files.WRK, "", 20000),
    ],
)
def test_an_operation_is_found_by_its_name_or_its_route(text, wanted, n):
    """A template stands for every URL with such a path; several become one."""
    found = operation(read(text), wanted)
    assert n == (found.n if found else None)


def test_a_url_that_is_none_is_no_route():
    """What urlsplit refuses matches nothing."""
    assert None is operation([Result(name="GET http://[x", n=1, errors=0, source="")], "GET /x")


def test_files_of_one_run_are_put_together():
    """Several machines at once: counts add up, the time does not."""
    first, second = read(files.JMETER_CSV), read(files.JMETER_CSV.replace("Buy", "Sell"))
    merged = one_run((first, second))
    assert ["", "search", "pay, now", "Buy", "Sell"] == [result.name for result in merged]
    assert (4, 2, pytest.approx(0.8)) == (merged[0].n, merged[0].errors, merged[0].seconds)
    assert Share(4, 2, 2) == merged[0].over(0.2)


def test_a_large_file_is_read_line_by_line(tmp_path):
    """What is kept of a call is 16 bytes, not its line."""
    import tracemalloc

    path = Path(tmp_path / "k6.csv")
    header, *_ = files.K6_CSV.splitlines()
    row = f"http_req_duration,1795431600,10.000000,,,,true,,GET,search,200,https://shop.example/{'x' * 300},,\n"
    path.write_text(f"{header}\n{row * 20_000}")
    tracemalloc.start()
    assert 20_000 == read_results(path)[0].n
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < path.stat().st_size / 4


def test_a_passing_count_is_the_binomials():
    """The figures in the reasons are those of the rule, and not of this test."""
    assert (65, 102) == (surprisingly_few(1600, 0.05, 0.05), surprisingly_many(1600, 0.05, 0.01))


def test_an_opened_file_knows_its_first_bytes():
    """Binary kinds are told by them."""
    assert b"hello" == Opened("x", io.BytesIO(b"hello")).start
