"""Scripts of load generators: k6 (https://grafana.com/docs/k6) and Gatling (https://gatling.io).

They are programs, and are not run. What is told from their text, comments left out, is whether they limit response times:

* k6: a threshold on a quantile, a median, a mean or a maximum, such as `'p(95)<300'`
* Gatling: an assertion on `responseTime`

Only files in places where load tests usually are get opened: a repository may have thousands of other scripts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from pytest_reliability.contracts import Format
from pytest_reliability.documents import Source
from pytest_reliability.model.location import Location
from pytest_reliability.model.nodes import LoadTest

_USUAL = "k6|load|perf|stress|soak|spike|smoke|bench"

_TEXT_OR_COMMENT = re.compile(r"""("(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`(?:\\.|[^`\\])*`)|//[^\n]*|/\*.*?\*/""", re.S)
_K6 = re.compile(r"""(?:\bfrom\s*|\bimport\s*|\brequire\(\s*)['"]k6(?:/[^'"\n]*)?['"]""")
_K6_THRESHOLDS = re.compile(r"""\bthresholds['"]?\s*[:=]""")
_K6_LIMIT = re.compile(r"""['"`]\s*(?:p\(\d+(?:\.\d+)?\)|med|avg|max)\s*<=?\s*[\d$]""")
_GATLING = re.compile(r"""^\s*import\s(?:static\s)?\s*io\.gatling\.|['"]@gatling\.io/""", re.M)
_GATLING_ASSERTIONS = re.compile(r"\bassertions\s*\(")
_GATLING_LIMIT = re.compile(r"\bresponseTime\b")


def read_k6(source: Source) -> Iterator[LoadTest]:
    """The k6 script in a file, if it is one: it imports k6, or has thresholds as k6 writes them."""
    code = _code(source.text)
    limits = bool(_K6_THRESHOLDS.search(code) and _K6_LIMIT.search(code))
    if limits or _K6.search(code):
        yield LoadTest(at=Location(source.path), settings=source.settings, tool="k6", limits_latency=limits)


def read_gatling(source: Source) -> Iterator[LoadTest]:
    """The Gatling simulation in a file, if it is one: it imports Gatling."""
    code = _code(source.text)
    if _GATLING.search(code):
        limits = bool(_GATLING_ASSERTIONS.search(code) and _GATLING_LIMIT.search(code))
        yield LoadTest(at=Location(source.path), settings=source.settings, tool="gatling", limits_latency=limits)


def _code(text: str) -> str:
    """The text without comments; what looks like a comment within quotes stays."""
    return _TEXT_OR_COMMENT.sub(lambda found: found[1] or " ", text)


FORMATS = (
    Format(
        name="k6",
        files=rf"(?i)(?:{_USUAL}|(?:^|/)tests?/).*\.(?:[cm]?js|ts)$",
        marker=rb"['\"]k6['\"/]|\bthresholds\b",
        yields=(LoadTest,),
        read=read_k6,
    ),
    Format(
        name="gatling",
        files=rf"(?i)(?:{_USUAL}|gatling|simulation).*\.(?:scala|java|kt|[cm]?js|ts)$",
        marker=rb"\bio\.gatling\.|@gatling\.io/",
        yields=(LoadTest,),
        read=read_gatling,
    ),
)
