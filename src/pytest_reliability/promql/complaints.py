"""What the parser complains of, said as a person would, with the place that it does not tell."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import promql_parser

from pytest_reliability.promql.functions import COMMON, FOREIGN, FOREIGN_WORDS
from pytest_reliability.promql.regexps import regexp_fault
from pytest_reliability.promql.spelling import quoted
from pytest_reliability.promql.tokens import CLOSERS, Token, tokens, unclosed


@dataclass(frozen=True, slots=True)
class Complaint:
    """What is wrong with an expression, what to do about it, and where in its text; None where that cannot be told."""

    message: str
    offset: int | None = None
    hint: str = ""


def explained(text: str) -> Complaint | None:
    """What the parser complains of in `text`, in other words; None where the parser may well be wrong."""
    complaint = _says(text)
    for pattern, explain in _SPECIAL:
        if match := re.fullmatch(pattern, complaint, re.DOTALL):
            return explain(text, match)
    for pattern, message in _ABOUT_CHARACTERS:
        if match := re.fullmatch(pattern, complaint, re.DOTALL):
            return _earliest(text, Complaint(message.format(*match.groups()), _first_place(text, complaint)))
    for pattern, message in _ABOUT_SENSE:
        if match := re.fullmatch(pattern, complaint, re.DOTALL):
            return Complaint(message.format(*match.groups()))
    return Complaint(complaint)


def _says(text: str) -> str:
    try:
        promql_parser.parse(quoted(text))
    except ValueError as error:
        return str(error)
    return ""


def _first_place(text: str, complaint: str) -> int:
    """The character that makes the parser complain: all that stands before it can be read without that complaint."""
    low, high = 0, len(text) - 1
    while low < high:
        middle = (low + high) // 2
        if _says(text[: middle + 1]) == complaint:
            high = middle
        else:
            low = middle + 1
    return low


_GRAMMAR = "invalid promql query"
_ENDINGS = {
    "{": ("}", 'x="x"}', '="x"}', '"x"}'),
    "[": ("]", "5m]", "5m:]"),
    "(": (")", "x)", "5m)", '"x")', "x) (x)", ") (x)", ") x", "x) x", "(x))", "(x) (x))"),
    "": ("", "x", "(x)", "(x) (x)", "5m", "(x) x", "() x"),
}
"""What may end an expression well, by the bracket that is open last."""


def _can_go_on(text: str, found: list[Token]) -> bool:
    waiting = [token.text for token in unclosed(found)]
    start = text[: found[-1].end]
    innermost = waiting.pop() if waiting else ""
    closing = "".join(CLOSERS[opener] for opener in reversed(waiting))
    ends = (f"{start} {ending}{rest}{closing}" for ending in _ENDINGS[innermost] for rest in ("", " x", " (x)"))
    return any(_says(whole) != _GRAMMAR for whole in ends)


def _first_unexpected(text: str, found: list[Token]) -> int:
    """The index of the first token after which nothing can make an expression of it; their number where there is none."""
    low, high = 0, len(found)
    while low < high:
        middle = (low + high) // 2
        if _can_go_on(text, found[: middle + 1]):
            low = middle + 1
        else:
            high = middle
    return low


def _unexpected(found: list[Token], index: int) -> Complaint | None:
    nearby = found[max(index - 1, 0) : index + 1]
    if found[0].text.lower() == "with" or any(token.text.lower() in FOREIGN_WORDS for token in nearby):
        return None
    return Complaint(f"unexpected {found[index].text!r}", found[index].start)


def _earliest(text: str, complaint: Complaint) -> Complaint | None:
    """The parser looks at characters before it looks at grammar; what is wrong with the grammar may come first all the same."""
    end = len(text) if complaint.offset is None else complaint.offset
    found = tokens(text[:end])
    index = _first_unexpected(text, found)
    return complaint if index == len(found) else _unexpected(found, index)


def _ungrammatical(text: str, match: re.Match[str]) -> Complaint | None:
    found = tokens(text)
    index = _first_unexpected(text, found)
    return Complaint("it ends too early", len(text.rstrip())) if index == len(found) else _unexpected(found, index)


def _never_closed(text: str, match: re.Match[str]) -> Complaint | None:
    found = tokens(text)
    index = _first_unexpected(text, found)
    if index < len(found):
        return _unexpected(found, index)
    opened = unclosed(found)
    if not opened:  # the bracket that the parser means stands behind a string that is never closed
        return _open_string(text, match)
    return Complaint(f"{opened[-1].text!r} is never closed", opened[-1].start)


def _open_string(text: str, match: re.Match[str]) -> Complaint | None:
    place = next((token.start for token in tokens(text) if token.kind == "unclosed"), None)
    return _earliest(text, Complaint("this string is never closed", place))


def _bad_number(text: str, match: re.Match[str]) -> Complaint | None:
    place = _first_place(text, match[0])
    number = next((token.start for token in reversed(tokens(text)) if token.kind == "number" and token.start <= place), place)
    return _earliest(text, Complaint("this number or duration cannot be read", number))


def _unknown_function(text: str, match: re.Match[str]) -> Complaint | None:
    from difflib import get_close_matches

    name = match[1]
    if name.lower() in FOREIGN:
        return None
    close = get_close_matches(name.lower(), COMMON, n=1, cutoff=0.7)
    return Complaint(f"there is no function {name}()", _call_of(text, name), f"did you mean {close[0]}()?" if close else "")


_KINDS = {"matrix": "a range vector", "vector": "an instant vector", "scalar": "a number", "string": "a string"}


def _wrong_argument(text: str, match: re.Match[str]) -> Complaint:
    expected, name, given = match.groups()
    lacks_range = (expected, given) == ("matrix", "vector")
    hint = f"give what is in it a range, as in {name}(http_requests_total[5m])" if lacks_range else ""
    return Complaint(f"{name}() takes {_KINDS[expected]} here, not {_KINDS[given]}", _call_of(text, name), hint)


def _wrong_aggregation(text: str, match: re.Match[str]) -> Complaint:
    expected, given = match.groups()
    hint = "put a function such as rate() around the range" if given == "matrix" else ""
    return Complaint(f"an aggregation takes {_KINDS[expected]} here, not {_KINDS[given]}", hint=hint)


def _wrong_count(text: str, match: re.Match[str]) -> Complaint:
    count, name, given = match.groups()
    return Complaint(f"{name}() takes {count} argument{'' if count.endswith('1') else 's'}, not {given}", _call_of(text, name))


def _call_of(text: str, name: str) -> int | None:
    found = tokens(text)
    calls = [token.start for token, after in pairwise(found) if token.text == name and after.text == "("]
    return calls[0] if len(calls) == 1 else None


def _bad_regexp(text: str, match: re.Match[str]) -> Complaint | None:
    why = regexp_fault(match[1])
    if why is None:
        return None
    place = next((token.start for token in tokens(text) if token.kind == "string" and _value(token.text) == match[1]), None)
    return Complaint(f"{match[1]!r} is no regular expression that Prometheus knows (RE2): {why}", place)


def _value(string: str) -> str:
    return string[1:-1] if string[0] == "`" else re.sub(r"\\(.)", r"\1", string[1:-1])


_SPECIAL: tuple[tuple[str, Callable[[str, re.Match[str]], Complaint | None]], ...] = (
    (_GRAMMAR, _ungrammatical),
    (r"unclosed left parenthesis|unexpected end of input inside \w+", _never_closed),
    (r"unterminated quoted string.*", _open_string),
    (r"bad number or duration syntax: .*|not a valid duration string: .*", _bad_number),
    (r"unknown function with name '(.*)'", _unknown_function),
    (r"expected type (\w+) in call to function '(\w+)', got (\w+)", _wrong_argument),
    (r"expected type (\w+) in aggregation \w+, got (\w+)", _wrong_aggregation),
    (r"expected (.*) argument\(s\) in call to '(\w+)', got (\d+)", _wrong_count),
    (r"illegal regex for (.*)", _bad_regexp),
)
_ABOUT_CHARACTERS = (
    (r"unexpected character(?: inside \w+| after '.')?: '(.*)'", "unexpected character '{0}'"),
    (r"unexpected right parenthesis '\)'", "this ')' closes nothing"),
    (r"unexpected right bracket '\]'", "this ']' closes nothing"),
    (r"unexpected left brace '(.)' inside \w+", "unexpected '{0}'"),
    (r"unknown escape sequence '(.)'", "a string has no escape '\\{0}'; double the backslash"),
)
_ABOUT_SENSE = (
    (r"'utf-8' codec can't encode .*", "half of a surrogate pair is no character"),
    (r"no expression found in input", "there is no expression"),
    (r"missing unit character in duration", "a range needs a duration, such as [5m]"),
    (r"unexpected '(.*)' in label matching, .*", "a selector cannot have '{0}' there"),
    (r"invalid label matcher, expected label matching operator after '(.*)'", "label '{0}' has no operator and no value"),
    (
        r"binary expression must contain only scalar and instant vector types",
        "an operator takes numbers and instant vectors, neither strings nor range vectors",
    ),
    (r"comparisons between scalars must use BOOL modifier", "a comparison of two numbers needs 'bool' after its operator"),
    (r"set operator '(\w+)' not allowed in binary scalar expression", "'{0}' joins two vectors, and one side is a number"),
    (
        r"vector selector must contain at least one non-empty matcher",
        "a selector without a name needs a matcher that rules out the empty string",
    ),
)
