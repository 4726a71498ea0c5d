"""Whether one selector counts only what another one counts, too."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import promql_parser

from pytest_reliability.model.nodes import Matcher
from pytest_reliability.promql.ratios import Ratio, bare, constant, core, fallback, labels
from pytest_reliability.promql.reading import Selector, selector_of


@dataclass(frozen=True, slots=True)
class Outsider:
    """What the part of a ratio counts and the whole does not: everything that `matcher` of the whole leaves out, or one `value`.

    `metric` is the one that the part reads.
    """

    matcher: Matcher
    metric: str
    value: str | None = None


def outsider(ratio: Ratio) -> Outsider | None:
    """Something that is counted above the line and not below it; None wherever that is not certain.

    Certain is it where both sides count the same metric, or a bucket and the count of the same histogram.
    """
    part, whole = counted(core(ratio.part)), counted(core(ratio.denominator.tree))
    if part is None or whole is None or not are_one_family(part, whole):
        return None
    agreeing = _agreeing(ratio)
    for matcher in whole.matchers:
        if matcher.label not in agreeing and not _is_idle(matcher):
            found = _left_out(matcher, part, whole)
            if found is not None:
                return found
    return None


# --- What a side counts

_COUNTING = frozenset(("rate", "irate", "increase", "sum_over_time", "count_over_time", "last_over_time", "round"))


def counted(part: Any) -> Selector | None:
    """The only selector of a part that adds events up and does nothing else; None for everything else."""
    part = bare(part)
    if isinstance(part, promql_parser.AggregateExpr):
        return counted(part.expr) if str(part.op) in ("sum", "count") else None
    if isinstance(part, promql_parser.Call):
        return counted(part.args[0]) if part.func.name in _COUNTING else None
    if isinstance(part, promql_parser.MatrixSelector):
        return counted(part.vector_selector)
    if isinstance(part, promql_parser.BinaryExpr) and (fallback(part) is not None or _scales(part)):
        return counted(part.lhs)
    if isinstance(part, promql_parser.VectorSelector) and part.offset is None and part.at is None:
        return None if part.matchers.or_matchers else selector_of(part)
    return None


def _scales(part: Any) -> bool:
    return str(part.op) in ("*", "/") and constant(part.rhs) is not None


def are_one_family(one: Selector, other: Selector) -> bool:
    """Whether both count by the same metric, or by a bucket and the count of one histogram."""
    if one.metric is None or other.metric is None:
        return False
    if one.metric == other.metric:
        return True
    histograms = {re.sub("_(?:bucket|count)$", "", name) for name in (one.metric, other.metric)}
    return len(histograms) == 1 and all(re.search("_(?:bucket|count)$", name) for name in (one.metric, other.metric))


def _agreeing(ratio: Ratio) -> frozenset[str] | _AllBut:
    """The labels in which the series of both sides agree anyway, because they could not be divided otherwise."""
    sides = (ratio.numerator.tree, ratio.denominator.tree)
    if (
        all(isinstance(bare(side), promql_parser.VectorSelector) for side in sides)
        and ratio.numerator.query is not ratio.denominator.query
    ):
        return frozenset()  # a counter by its name only: whoever reads that adds it up
    grouped = [labels(side) for side in sides]
    known = [found for found in grouped if found is not None]
    if known:
        return ratio.matching.of(frozenset.intersection(*known))
    if ratio.matching.on is not None:
        return ratio.matching.on
    return _AllBut(ratio.matching.ignoring)


@dataclass(frozen=True, slots=True)
class _AllBut:
    ignored: frozenset[str]

    def __contains__(self, label: object) -> bool:
        return label not in self.ignored


# --- What a matcher leaves out

_TARGET_LABELS = """
    app application cluster component container deployment env environment exported_job host instance job k8s_cluster namespace
    pod project region service service_name target zone
"""
_TARGETS = frozenset(_TARGET_LABELS.split())
"""Labels that tell who is measured; often one of them implies another."""


_ALL = ("all", "any", "total", "sum", "*")
"""Values of series that some exporters add, in which all others are added up already."""


def _is_idle(matcher: Matcher) -> bool:
    """Whether it leaves nothing out, or only what lacks the label."""
    if matcher.operator == "=" and matcher.value.casefold() in _ALL:
        return True
    return (matcher.operator, matcher.value) in (("=~", ".*"), ("=~", ".+"), ("!=", ""), ("!~", ""))


def _left_out(matcher: Matcher, part: Selector, whole: Selector) -> Outsider | None:
    metric = part.metric or ""
    own = [one for one in part.matchers if one.label == matcher.label]
    if matcher in own:
        return None
    if matcher.label == "le":
        return _larger_bucket(matcher, own, metric)
    if not own:
        others = {one.label for one in part.matchers} - {one.label for one in whole.matchers}
        implied = matcher.label in _TARGETS and others & _TARGETS
        return None if implied else Outsider(matcher, metric)
    for value in _candidates(own, matcher):
        if all(accepts(one, value) for one in own) and accepts(matcher, value) is False:
            return Outsider(matcher, metric, value)
    return None


def _larger_bucket(matcher: Matcher, own: list[Matcher], metric: str) -> Outsider | None:
    """Buckets hold what the smaller ones hold."""
    if matcher.operator != "=" or not metric.endswith("_bucket"):
        return None
    if not own:
        return Outsider(matcher, metric)
    part, whole = (_bound(one) for one in (own[0], matcher))
    return Outsider(matcher, metric, own[0].value) if part is not None and whole is not None and part > whole else None


def _bound(matcher: Matcher) -> float | None:
    try:
        return float(matcher.value) if matcher.operator == "=" else None
    except ValueError:
        return None


_COMMON_STATUSES = "200 404 500 301 400 401 403 409 422 429 499 502 503 504 201 204 302 304"
_CLASSES = ("2xx", "4xx", "5xx", "3xx")
_STATUS = r"[1-5](?:\.\.|\\d\\d|\d\d|\.\*|\.\+|\[0-9\]\[0-9\]|\[0-9\]\{2\}|\\d\{2\}|\d\.|\.\d)"


def _candidates(own: list[Matcher], matcher: Matcher) -> Iterable[str]:
    """Values that the label may have for certain: those that are written out, and codes of HTTP where codes are matched.

    Where the whole names what it counts, its values may be the steps of one way ("started" and "finished"): only codes are known
    to be none.
    """
    written = [value for one in (*own, matcher) for value in _alternatives(one)]
    possible = r"[\w /:-]{1,40}" if matcher.operator in ("!=", "!~") else r"[1-5](?:\d\d|xx)"
    found = [value for value in written if re.fullmatch(possible, value)]
    if any(re.fullmatch(_STATUS, value) for value in written):
        found += _COMMON_STATUSES.split()
    if any(re.fullmatch(r"[1-5]xx", value) for value in written):
        found += _CLASSES
    return dict.fromkeys(found)


def _alternatives(matcher: Matcher) -> list[str]:
    """What a matcher's value lists: the value itself, or the branches of its regular expression."""
    if matcher.operator in ("=", "!="):
        return [matcher.value]
    value = re.sub(r"^\^|\$$", "", matcher.value)
    inner = re.fullmatch(r"\((?:\?:)?([^()]*)\)", value)
    return (inner[1] if inner else value).split("|")


_PLAIN = r"(?:[\w .\-:/|^$<>,]|\\[.dw/-]|\[[\w^-]+\]|[*+?]|\{\d\}|\((?:\?:)?|\)(?![*+?{]))*"

MOST_REPEATED = 6
"""Trying one with more could take long: each multiplies the ways in which a value may be divided among them."""


@lru_cache(maxsize=1024)
def _pattern(value: str) -> re.Pattern[str] | None:
    """A regular expression that means the same to Python and to RE2, and takes no time; None for any other."""
    if len(value) > 200 or len(re.findall("[*+?]", value)) > MOST_REPEATED or not re.fullmatch(_PLAIN, value):
        return None
    try:
        return re.compile(value)
    except re.error:
        return None


def accepts(matcher: Matcher, value: str) -> bool | None:
    """Whether the matcher accepts a value; None where nobody can tell."""
    if matcher.operator in ("=", "!="):
        return (matcher.value == value) == (matcher.operator == "=")
    pattern = _pattern(matcher.value)
    return None if pattern is None else (pattern.fullmatch(value) is not None) == (matcher.operator == "=~")
