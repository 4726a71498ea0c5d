"""How the events that a ratio counts ended, well or badly, as far as names that everybody uses leave no doubt."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import promql_parser

from pytest_reliability.model.nodes import Matcher, Query
from pytest_reliability.promql.ratios import Ratio, core
from pytest_reliability.promql.reading import Selector, walk
from pytest_reliability.promql.subsets import accepts, are_one_family, counted


@dataclass(frozen=True, slots=True)
class Outcome:
    """The `kind` of the events that are counted, "good" or "bad", and what tells: a matcher, or else the name of the metric."""

    kind: str
    metric: str
    matcher: Matcher | None = None


def outcome(ratio: Ratio) -> Outcome | None:
    """Which of all events the part of a ratio counts; None wherever that is not certain."""
    part, whole = counted(core(ratio.part)), counted(core(ratio.denominator.tree))
    if part is None or whole is None or _says_yes_or_no(ratio.numerator.query) or _counts_bad_ones(whole):
        return None
    if not set(part.matchers) <= set(whole.matchers):
        return _by_matchers(part, whole) if are_one_family(part, whole) else None
    if not _adds_up(ratio.part):
        return None
    if part.metric == whole.metric:
        return None if _adds_up(ratio.denominator.tree) else _by_value(part)
    return _by_name(part, whole)


def _says_yes_or_no(query: Query) -> bool:
    """Whether something is compared, so that a share may be what must not be reached."""
    return re.search(r"\bbool\b", query.parsable or "") is not None


def _counts_bad_ones(whole: Selector) -> bool:
    """Of errors, some may be good ones: those that somebody wanted."""
    return bool(_words(whole) & _FAILURES) or any(_kind(one, "") == "bad" for one in whole.matchers)


# --- What matchers tell


def _by_matchers(part: Selector, whole: Selector) -> Outcome | None:
    """What the matchers tell that the part has and the whole has not; None where one of them tells nothing."""
    metric = part.metric or ""
    own = [one for one in part.matchers if one not in whole.matchers and not _is_every_bucket(one)]
    told = [_kind(one, metric) for one in own]
    limited = {one.label for one in whole.matchers if not _is_every_bucket(one) and (one.label == "le" or _kind(one, metric))}
    if not own or None in told or limited & {one.label for one in own} or len({one.label for one in own}) < len(own):
        return None
    kind = "bad" if "bad" in told else "good"
    return Outcome(kind, metric, own[told.index(kind)])


def _is_every_bucket(matcher: Matcher) -> bool:
    return matcher.label == "le" and matcher.value in ("+Inf", "Inf")


def _spellings(words: str) -> tuple[str, ...]:
    return tuple(spelled for word in words.split() for spelled in (word, word.capitalize(), word.upper()))


_GOOD = ("200", *_spellings("2xx ok success succeeded successful"))
_BAD = (
    *("500", "502", "503", "504", "Internal", "Unavailable", "Unknown", "DataLoss", "DeadlineExceeded"),
    *_spellings("5xx error errors failure failed server_error"),
)
_STATUSES = """
    code envoy_response_code grpc_code grpc_status http_code http_response_status_code http_status http_status_code outcome
    response_code response_status response_status_code result status status_code
"""
_WELL, _BADLY = ("true", "True"), ("false", "False")

VALUES = {
    **dict.fromkeys(_STATUSES.split(), (_GOOD, _BAD)),
    **dict.fromkeys(("success", "successful", "succeeded"), (_WELL, _BADLY)),
    **dict.fromkeys(("error", "failed", "failure", "is_error"), (_BADLY, _WELL)),
    "envoy_response_code_class": (("2",), ("5",)),
}
"""By label the values that nobody takes for anything but good, and for anything but bad."""

_OPPOSITES = {"!=": "=", "!~": "=~"}


@lru_cache(maxsize=4096)
def _kind(matcher: Matcher, metric: str) -> str | None:
    """Whether a matcher lets only good events pass, or only bad ones; one that keeps only these out does the reverse."""
    if matcher.label == "le":
        return "good" if _is_fast(matcher, metric) else None
    positive = replace(matcher, operator=_OPPOSITES.get(matcher.operator, matcher.operator))
    answers = [[accepts(positive, value) for value in values] for values in VALUES.get(matcher.label, ())]
    if not answers or any(None in some for some in answers) or any(answers[0]) == any(answers[1]):
        return None
    return "good" if any(answers[0]) == (positive == matcher) else "bad"


_LATENCIES = frozenset(("latency", "latencies"))
_SERVED_WORDS = "grpc handling http queries query request requests response responses rpc transaction transactions"
_SERVED = frozenset(_SERVED_WORDS.split())
_TIMES = frozenset(("duration", "durations", "milliseconds", "ms", "seconds", "time"))
_LASTING_WORDS = """
    age connection connections idle interval keepalive lifetime remaining session sessions stream streams ttl websocket
"""
_LASTING = frozenset(_LASTING_WORDS.split())
"""Words for what is the better the longer it lasts."""


def _is_fast(matcher: Matcher, metric: str) -> bool:
    """Whether it is the bucket of what did not take longer: of a latency, not of a size, and not of how long something lived."""
    words = set(metric.split("_"))
    measured = words & _LATENCIES or (words & _SERVED and words & _TIMES)
    bound = re.fullmatch(r"[\d.]+(?:e[+-]?\d+)?", matcher.value)
    return bool(measured and bound and metric.endswith("_bucket") and matcher.operator == "=" and not words & _LASTING)


# --- What names tell

_SUCCESSES = frozenset(("succeeded", "success", "successes", "successful"))
_FAILURES = frozenset(("error", "errors", "failed", "failure", "failures"))
_EVENT_WORDS = """
    all attempts calls completed events executions finished handled jobs messages operations processed queries received
    requests responses runs started tasks
"""
_EVENTS = frozenset(_EVENT_WORDS.split())


def _words(selector: Selector) -> frozenset[str]:
    return frozenset((selector.metric or "").split("_")) - {"total", "count"}


def _by_name(part: Selector, whole: Selector) -> Outcome | None:
    """What the one word tells that only the part's metric has, where the whole's has none but such as "requests"."""
    above, below = _words(part), _words(whole)
    own, others = above - below, below - above
    if len(own) != 1 or others - _EVENTS or not own <= _SUCCESSES | _FAILURES:
        return None
    return Outcome("good" if own <= _SUCCESSES else "bad", part.metric or "")


def _by_value(part: Selector) -> Outcome | None:
    return Outcome("good", part.metric) if part.metric in ("up", "probe_success") else None


def _adds_up(part: Any) -> bool:
    """Whether values are added up, and not only counted."""
    return not any(_is_counting(inner) for inner in walk(part))


def _is_counting(part: Any) -> bool:
    if isinstance(part, promql_parser.AggregateExpr):
        return str(part.op) == "count"
    return isinstance(part, promql_parser.Call) and part.func.name == "count_over_time"
