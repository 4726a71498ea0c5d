"""How an SLO's share of bad events is computed over any window, as PromQL."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from pytest_reliability.generate.templates import NoRulesError, over_template
from pytest_reliability.model.graph import Graph
from pytest_reliability.model.nodes import Query, Slo

Over = Callable[[str], str]
"""PromQL over a window such as "5m"."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorRatio:
    """The share of bad events over a window; `errors` and `total` count them, None where the SLI is a ratio from the start.

    `seconds` tells whether these are counted by the second (`rate`) or as they are (`increase`); None where nobody can tell.
    """

    ratio: Over
    errors: Over | None = None
    total: Over | None = None
    seconds: bool | None = None


def error_ratio(graph: Graph, slo: Slo) -> ErrorRatio:
    """How to compute an SLO's share of bad events. Raises NoRulesError."""
    if slo.parts:
        raise NoRulesError("it is composed of other SLOs; generate the rules of these")
    if slo.method != "occurrences":
        raise NoRulesError(f"it counts {slo.method}, not events")
    if slo.origin is not None and slo.origin.indicator is not None:
        return ErrorRatio(ratio=over_template(graph, slo.origin.indicator))
    queries = {query.role: query for query in graph.queries_of(slo)}
    if not queries:
        raise NoRulesError("no query of it can be read")
    roles = {role: over_window(query) for role, query in queries.items() if role in ("good", "bad", "total", "ratio")}
    if "bad" in roles and "total" in roles:
        return _of_bad(roles["bad"], roles["total"])
    if "good" in roles and "total" in roles:
        return _of_good(roles["good"], roles["total"])
    if "good" in roles and "bad" in roles:
        return _of_bad(roles["bad"], _sum(roles["good"], roles["bad"]))
    if "ratio" in roles:
        return _of_ratio(roles["ratio"], queries["ratio"])
    raise NoRulesError(
        "it compares a value with a threshold and counts no events" if "threshold" in queries else "it has no ratio"
    )


# What has never happened has no series, and a comparison with nothing is nothing: hence `or 0 * …`. Nothing divided by nothing
# is not a number, which would spoil every average that it is part of: hence `> 0`.


def _of_bad(bad: Over, total: Over) -> ErrorRatio:
    def errors(window: str) -> str:
        return f"({bad(window)})\nor\n0 * ({total(window)})"

    def ratio(window: str) -> str:
        return f"(\n{_indented(errors(window))}\n)\n/\n(({total(window)}) > 0)"

    return ErrorRatio(ratio=ratio, errors=errors, total=total, seconds=_by_the_second(bad, total))


def _of_good(good: Over, total: Over) -> ErrorRatio:
    def share(window: str) -> str:
        return _indented(f"({good(window)})\nor\n0 * ({total(window)})")

    def ratio(window: str) -> str:
        return f"1 - (\n{share(window)}\n)\n/\n(({total(window)}) > 0)"

    def errors(window: str) -> str:
        return f"({total(window)})\n-\n(\n{share(window)}\n)"

    return ErrorRatio(ratio=ratio, errors=errors, total=total, seconds=_by_the_second(good, total))


def _sum(good: Over, bad: Over) -> Over:
    def total(window: str) -> str:
        one, other = good(window), bad(window)
        return f"(({one}) or 0 * ({other})) + (({other}) or 0 * ({one}))"

    return total


def _of_ratio(given: Over, query: Query) -> ErrorRatio:
    if query.ratio_of == "bad":
        return ErrorRatio(ratio=lambda window: given(window))
    if query.ratio_of == "good":
        return ErrorRatio(ratio=lambda window: f"1 - (\n{_indented(given(window))}\n)")
    raise NoRulesError("nothing says whether its ratio is that of good or of bad events")


def _indented(text: str) -> str:
    return "\n".join(f"  {line}" for line in text.splitlines())


# Windows


def over_window(query: Query) -> Over:
    """The query with any window in the place of its own. Raises NoRulesError where there is none for sure."""
    if query.language != "promql":
        raise NoRulesError(
            f"its query is {query.language}, not PromQL" if query.language else "its query is not known to be PromQL"
        )
    over = query.windowed or _ranged(query)
    from pytest_reliability.promql import parse

    if not parse(over("5m").strip()).valid:
        raise NoRulesError("its query is not valid PromQL")
    return lambda window: over(window).strip()


_COUNTER = r"(?:_total|_count|_sum|_bucket)\Z"


def _ranged(query: Query) -> Over:
    """A query that holds one range is meant for any; a counter by itself is counted by its rate."""
    text = query.parsable
    if text is None:
        raise NoRulesError("its query cannot be filled in")
    from pytest_reliability.promql import selectors

    read = selectors(text)
    ranges = {selector.range for selector in read}
    if None not in ranges and len(ranges) == 1 and (parts := _around_ranges(text)):
        return lambda window: f"[{window}]".join(parts)
    if ranges == {None} and len(read) == 1 and _is_counter(text):
        return lambda window: f"sum(rate({text.strip()}[{window}]))"
    raise NoRulesError("its query has no place for a window")


def _around_ranges(text: str) -> list[str]:
    """The text before, between and behind its ranges; nothing where one of them is more than a length."""
    from pytest_reliability.promql.tokens import tokens

    found = tokens(text)
    parts, end = [], 0
    for opened, length, closed in zip(found, found[1:], found[2:], strict=False):
        if opened.text == "[" and opened.kind == "mark":
            if length.kind != "number" or closed.text != "]":
                return []
            parts.append(text[end : opened.start])
            end = closed.end
    return [*parts, text[end:]]


def _is_counter(text: str) -> bool:
    name = re.match(r"\s*([A-Za-z_:][\w:]*)\s*(?:\{.*\})?\s*\Z", text, re.S)
    return name is not None and re.search(_COUNTER, name[1]) is not None


def _by_the_second(*queries: Over) -> bool | None:
    """Whether all of them count by the second (True), none does (False), or nobody can tell."""
    from pytest_reliability.promql.tokens import tokens

    words = {token.text for query in queries for token in tokens(query("5m")) if token.kind == "word"}
    used = words & {"rate", "irate", "increase", "delta", "idelta", "deriv", "sum_over_time", "count_over_time"}
    if used == {"rate"}:
        return True
    return False if used and used <= {"increase", "sum_over_time", "count_over_time"} else None
