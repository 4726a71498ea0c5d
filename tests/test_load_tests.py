"""Load tests told from their text: which tool they are for, and whether they limit response times."""

from __future__ import annotations

import json
import re

import pytest

from pytest_reliability.documents import Source, Unreadable
from pytest_reliability.formats.load_tests import FORMATS
from pytest_reliability.testing import Repo

K6, GATLING = FORMATS


def told(format, text: str) -> list[tuple[str, bool]]:
    """The tool and whether it limits latency; nothing where the marker already rules the file out."""
    if not re.search(format.marker, text.encode()):
        return []
    return [(test.tool, test.limits_latency) for test in format.read(Source("load/checkout.js", text.encode()))]


@pytest.mark.parametrize(
    "text",
    [
        "import http from 'k6/http';\nexport const options = { thresholds: { http_req_duration: ['p(95)<300'] } };",
        'import { check } from "k6";\nexport let options = {"thresholds": {"http_req_waiting": ["p(99.9) <= 9"]}};',
        "const http = require('k6/http');\nexports.options = { thresholds: { http_req_duration: [`avg<${LIMIT}`] } };",
        "export const thresholds = { http_req_duration: [{ threshold: 'max<1000', abortOnFail: true }] };",
        "import 'k6/http'; // it's fine\nconst url = 'https://shop'; const options = { thresholds: { d: ['p(95)<1'] } };",
    ],
)
def test_k6_thresholds_on_response_times_are_limits(text):
    """On a quantile, a median, a mean or a maximum; also where only the options stand in the file."""
    assert [("k6", True)] == told(K6, text)


@pytest.mark.parametrize(
    "text",
    [
        "import http from 'k6/http';\nexport default () => http.get('https://shop');",
        "import http from 'k6/http';\nexport const options = { thresholds: { http_req_failed: ['rate<0.01'] } };",
        "import http from 'k6/http';\n// thresholds: { http_req_duration: ['p(95)<300'] }",
        "import http from 'k6/http';\n/* export const options = {\n thresholds: { http_req_duration: ['p(95)<300'] } } */",
        "import http from 'k6/http';\nconsole.log('thresholds: none', 'fastest: p(95)<300 ms');",
    ],
)
def test_other_k6_scripts_limit_nothing(text):
    """No thresholds, others, or only in a comment: still a load test."""
    assert [("k6", False)] == told(K6, text)


@pytest.mark.parametrize(
    "text",
    [
        "export const thresholds = { low: 5, high: 10 };",
        "import k6 from './k6';",
        "// import http from 'k6/http'\n",
        "import http from 'http'; const x = 'k6/http';",
        "",
    ],
)
def test_other_scripts_are_no_k6(text):
    """Something else that has thresholds, or the name."""
    assert [] == told(K6, text)


@pytest.mark.parametrize(
    ("text", "limits"),
    [
        ("import io.gatling.core.Predef._\nsetUp(scn.inject(x)).assertions(global.responseTime.max.lt(50))", True),
        (
            '  import static io.gatling.javaapi.core.CoreDsl.*;\n .assertions(\n details("a").responseTime().max().lt(9))',
            True,
        ),
        (
            'import { global } from "@gatling.io/core";\nsetUp(s).assertions(global().responseTime().percentile(95).lt(300));',
            True,
        ),
        ("import io.gatling.core.Predef._\nsetUp(scn.inject(x)).assertions(global.failedRequests.count.is(0))", False),
        ("import io.gatling.core.Predef._\nsetUp(scn.inject(x)) // .assertions(global.responseTime.max.lt(50))", False),
    ],
)
def test_gatling_assertions_on_response_times_are_limits(text, limits):
    """In Scala, Java, Kotlin and JavaScript."""
    assert [("gatling", limits)] == told(GATLING, text)


def test_other_programs_are_no_gatling():
    """A name in a string or a comment."""
    assert [] == told(GATLING, 'package x; // io.gatling.core\nval name = "io.gatling.core"')


@pytest.mark.parametrize(
    ("format", "path", "read"),
    [
        (K6, "load/checkout.js", True),
        (K6, "k6/scripts/checkout.ts", True),
        (K6, "tests/checkout.mjs", True),
        (K6, "src/perfTest.js", True),
        (K6, "src/cart.js", False),
        (K6, "src/cart.test.js", False),
        (K6, "load/README.md", False),
        (GATLING, "src/gatling/scala/Shop.scala", True),
        (GATLING, "src/test/java/shop/CheckoutSimulation.java", True),
        (GATLING, "src/test/java/shop/CheckoutTest.java", False),
    ],
)
def test_only_usual_places_are_opened(format, path, read):
    """A repository may have thousands of other scripts."""
    assert read is bool(re.search(format.files, path))


def test_a_script_that_is_not_text_is_unreadable():
    """What it limits is unknown then."""
    with pytest.raises(Unreadable):
        list(K6.read(Source("load/x.js", b"import 'k6' // \xff")))


# --- LAT001 beyond its page


def lat001(files: dict[str, str]) -> list[str]:
    """Which services have no latency budget."""
    return re.findall(r"service '(\w+)' has no latency budget", "\n".join(Repo(files).findings("LAT001")))


TWO = {"checkout/.reliability.yaml": "service: checkout\n", "search/.reliability.yaml": "service: search\n"}
BUDGET = "import pytest\n\n@pytest.mark.latency_budget({})\ndef test_x(latency): ...\n"


def test_what_services_share_may_be_for_any_of_them():
    """A test outside every service's folder: nobody can say for which one it is."""
    assert [] == lat001({**TWO, "tests/test_x.py": BUDGET.format('p95="1s"')})


def test_a_budget_counts_for_the_service_of_the_slo_that_it_names():
    """Even from another service's folder."""
    slo = "version: prometheus/v1\nservice: search\nslos:\n- {name: fast, objective: 99, sli: {raw: {error_ratio_query: x}}}\n"
    files = {**TWO, "search/slo.yaml": slo, "checkout/test_x.py": BUDGET.format('slo="search/fast"')}
    assert [] == lat001(files)
    assert ["search"] == lat001({**files, "checkout/test_x.py": BUDGET.format('p95="1s"')})


def test_the_hint_names_the_slo_that_promises_a_latency():
    """What is promised already need not be written twice."""
    good, total = (
        {"metricSource": {"type": "Prometheus", "spec": {"query": f"sum(rate(request_seconds_{metric}[5m]))"}}}
        for metric in ('bucket{le="0.3"}', "count")
    )
    slo = {
        "apiVersion": "openslo/v1",
        "kind": "SLO",
        "metadata": {"name": "fast"},
        "spec": {
            "service": "shop",
            "budgetingMethod": "Occurrences",
            "timeWindow": [{"duration": "28d", "isRolling": True}],
            "indicator": {"metadata": {"name": "fast"}, "spec": {"ratioMetric": {"counter": True, "good": good, "total": total}}},
            "objectives": [{"target": 0.99}],
        },
    }
    (finding,) = Repo({"slo.yaml": json.dumps(slo), "shop.py": ""}).findings("LAT001")
    assert 'mark a test with @pytest.mark.latency_budget(slo="fast"), and make its call through the fixture' in finding


def test_where_a_test_cannot_be_read_nothing_is_claimed():
    """The budget may be in it."""
    (unknown,) = Repo({"test_x.py": "def latency_budget(:\n"}).findings("LAT001")
    assert unknown.startswith("unknown: what it asks for may be in a file that could not be read: test_x.py")
