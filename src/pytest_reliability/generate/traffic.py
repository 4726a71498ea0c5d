"""Made-up traffic: time series that make an SLO's own queries count as many bad events as a test wants.

The queries are read, not guessed at: a series is taken for good or bad because matchers say so. Where the queries are of another
form than a sum of counters, there is no such traffic, and tests have to set the error ratio itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise

from pytest_reliability.generate.rules import quoted
from pytest_reliability.model.nodes import Matcher, Query

PER_MINUTE = 1200
"""How many events there are. It is divisible by most that people count in."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """A stretch of time, in seconds, in which a share of all events is bad."""

    seconds: int
    bad: Decimal


@dataclass(frozen=True, slots=True)
class Series:
    """A counter, and which events it counts: "good", "bad" or "all"."""

    name: str
    counts: str


def series_of(queries: Iterable[Query]) -> tuple[Series, ...]:
    """Counters that the queries of a ratio read; none where the queries are of another form."""
    read = {query.role: _selector(query) for query in queries}
    some, all_events = read.get("bad") or read.get("good"), read.get("total")
    if read.keys() == {"good", "bad"} and read["good"] and read["bad"]:
        return _pair(read["good"], "good", read["bad"], "bad")
    if read.keys() not in ({"bad", "total"}, {"good", "total"}) or some is None or all_events is None:
        return ()
    counts = "bad" if "bad" in read else "good"
    return _part_of_all(some, counts, all_events) or _pair(some, counts, all_events, "all")


_Selected = tuple[str, tuple[Matcher, ...]]


def _selector(query: Query) -> _Selected | None:
    """The counter that a query sums up; None where it does anything else, or reads several."""
    text = query.windowed("5m") if query.windowed else query.parsable or ""
    from pytest_reliability.promql import selectors
    from pytest_reliability.promql.tokens import tokens

    read = selectors(text)
    found = tokens(text)
    called = {word.text.casefold() for word, then in pairwise(found) if word.kind == "word" and then.text == "("}
    outside = re.sub(r"\{[^}]*\}", "", text)
    if len(read) != 1 or not called <= {"sum", "rate", "increase", "by", "without"} or re.search(r"[-+*/%^<>]", outside):
        return None
    return (read[0].metric, read[0].matchers) if read[0].metric else None


def _part_of_all(some: _Selected, counts: str, all_events: _Selected) -> tuple[Series, ...]:
    """Two series of one metric: one that both queries read, one that only the total reads."""
    if some[0] != all_events[0]:
        return ()
    both = _labels((*some[1], *all_events[1]))
    for matcher in some[1]:
        opposite = Matcher(label=matcher.label, operator=_OPPOSITE[matcher.operator], value=matcher.value)
        other = _labels((opposite, *all_events[1]))
        if both is not None and other is not None and not _match(other, some[1]):
            return (
                Series(_spelled(some[0], both), counts),
                Series(_spelled(some[0], other), "good" if counts == "bad" else "bad"),
            )
    return ()


def _pair(one: _Selected, counts: str, other: _Selected, others: str) -> tuple[Series, ...]:
    """Two series, each read by one query only."""
    first, second = _labels(one[1]), _labels(other[1])
    if first is None or second is None or (one[0] == other[0] and (_match(first, other[1]) or _match(second, one[1]))):
        return ()
    return (Series(_spelled(one[0], first), counts), Series(_spelled(other[0], second), others))


# Labels that matchers want

_OPPOSITE = {"=": "!=", "!=": "=", "=~": "!~", "!~": "=~"}
_USUAL = ("200", "500", "404", "GET", "POST", "x", "0")


def _labels(matchers: Sequence[Matcher]) -> dict[str, str] | None:
    """Labels that satisfy every matcher; None where none come to mind."""
    found = {}
    for label in sorted({matcher.label for matcher in matchers}):
        wanted = [matcher for matcher in matchers if matcher.label == label]
        value = next((value for value in _candidates(wanted) if _match({label: value}, wanted)), None)
        if value is None:
            return None
        if value:
            found[label] = value
    return found


def _candidates(matchers: Iterable[Matcher]) -> Iterator[str]:
    for matcher in matchers:
        if matcher.operator == "=":
            yield matcher.value
        elif matcher.operator == "=~":
            yield from _examples(matcher.value)
    yield from _USUAL
    yield ""


def _examples(pattern: str) -> Iterator[str]:
    """Texts that a regular expression of the usual simple kind may match; whoever asks tries them out."""
    plain = re.sub(r"\\d|\[0-9\]", "0", pattern)
    plain = re.sub(r"\(\?:|[()^$]", "", plain)
    for alternative in plain.split("|"):
        text = re.sub(r"(?<!\\)\.[*+]\??", "x", alternative)
        text = re.sub(r"(?<!\\)\.", "0", text)
        yield re.sub(r"\\(.)", r"\1", text)


def _match(labels: dict[str, str], matchers: Iterable[Matcher]) -> bool:
    return all(_agrees(labels.get(matcher.label, ""), matcher) for matcher in matchers)


def _agrees(value: str, matcher: Matcher) -> bool:
    if matcher.operator in ("=", "!="):
        return (value == matcher.value) is (matcher.operator == "=")
    try:
        found = re.fullmatch(matcher.value, value) is not None
    except re.error:
        return False
    return found is (matcher.operator == "=~")


def _spelled(metric: str, labels: dict[str, str]) -> str:
    return metric + "{" + ", ".join(f"{label}={quoted(value)}" for label, value in labels.items()) + "}"


# Values over time


def counted(counts: str, stretches: Iterable[Stretch], interval: int) -> str:
    """A counter's values, one every `interval` seconds, as promtool writes them."""
    parts: list[str] = []
    value = Decimal(0)
    for stretch in stretches:
        share = {"good": 1 - stretch.bad, "bad": stretch.bad, "all": Decimal(1)}[counts]
        step = share * PER_MINUTE * interval / 60
        number = stretch.seconds // interval
        if parts:
            parts.append(f"{_plain(value + step)}+{_plain(step)}x{number - 1}")
        else:
            parts.append(f"0+{_plain(step)}x{number}")
        value += step * number
    return " ".join(parts)


def average(stretches: Iterable[Stretch], at: int, window: int) -> Decimal:
    """The share of bad events in the `window` seconds before `at`; before the first stretch all was well."""
    bad, start = Decimal(0), 0
    for stretch in stretches:
        end = start + stretch.seconds
        seconds = min(at, end) - max(at - window, start)
        bad += max(seconds, 0) * stretch.bad
        start = end
    return bad / window


def averaged(stretches: Sequence[Stretch], window: int, interval: int) -> str:
    """The share of bad events over a window, every `interval` seconds, as promtool writes it."""
    edges, start = {0}, 0
    for stretch in stretches:
        edges |= {start, start + window}
        start += stretch.seconds
    around = {edge // interval + more for edge in edges for more in (0, edge % interval > 0)}  # straight lines lie between
    ends = sorted({min(number * interval, start - start % interval) for number in around} | {start - start % interval})
    parts = []
    for one, two in pairwise(ends):
        number = (two - one) // interval
        if number:
            first, last = average(stretches, one, window), average(stretches, two, window)
            parts.append(f"{_plain(first)}+{_plain((last - first) / number)}x{number - 1}")
    return " ".join([*parts, _plain(average(stretches, ends[-1], window))]).replace("+-", "-")


def _plain(number: Decimal) -> str:
    text = f"{number:.12f}".rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text
