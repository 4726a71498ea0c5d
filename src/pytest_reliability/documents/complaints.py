"""What PyYAML's parsers complain about, in plain words and with a remedy."""

from __future__ import annotations

import re
from typing import NamedTuple

from pytest_reliability.documents.text import Text, Unreadable

_FORBIDDEN = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class _Complaint(NamedTuple):
    problem: str
    """A regular expression that is found in the parser's own words."""
    reason: str
    hint: str = ""
    at_context: bool = False
    """Whether people look for the mistake where the parser began (an opening quote), not where it gave up."""


_ALIGN = "begin lines that belong together in the same column"
_COMPLAINTS = (
    _Complaint("found a tab character|start any token.*\t", "a tab indents this; YAML wants spaces", "replace the tab by spaces"),
    _Complaint("cannot start any token", "a value cannot begin with {character!r}", "put the value in quotes"),
    _Complaint("could not find expected ':'", "a key is not followed by ': '", "write: key: value", at_context=True),
    _Complaint("did not find expected key|<block end>, but found (?!.*block collection)", "this does not belong to the mapping from line {line}", _ALIGN),
    _Complaint("expected '-' indicator|<block end>, but found", "this does not belong to the list from line {line}", _ALIGN),
    _Complaint("',' or '}'", "the {{ on line {line} is not closed before this", "close it with }, or put a comma between the entries"),
    _Complaint("',' or ']'", "the [ on line {line} is not closed before this", "close it with ], or put a comma between the items"),
    _Complaint("unexpected (?:end of stream|document)", "the quote that opens here is not closed", "close the quote", at_context=True),
    _Complaint("unknown escape character", "there is no such escape in double quotes", "double the backslash, or use single quotes"),
    _Complaint("sequence entries are not allowed", "a list item cannot stand here", _ALIGN),
    _Complaint("undefined tag handle", "this tag is not declared", "put the value in quotes if the exclamation mark is part of it"),
    _Complaint("alphabetic or numeric", "* or & has no name here", "put the value in quotes if the character is part of it"),
)  # fmt: skip


def explain(source: Text, error: Exception) -> Unreadable:
    """What to raise for an error of PyYAML's."""
    if found := _FORBIDDEN.search(source.text):
        return source.unreadable(found.start(), f"the character U+{ord(found[0]):04X} is not allowed in YAML", "remove it")
    mark = getattr(error, "problem_mark", None)
    if mark is None:
        return source.unreadable(0, str(error))
    context = error.context_mark or mark
    index, began = min(mark.index, len(source.text)), min(context.index, len(source.text))
    character = source.text[index : index + 1]
    problem = f"{error.problem} {error.context}{character}"
    if "mapping values are not allowed" in problem:
        return _colon(source, index)
    for complaint in _COMPLAINTS:
        if re.search(complaint.problem, problem):
            reason = complaint.reason.format(character=character, line=source.location(began).line)
            return source.unreadable(began if complaint.at_context else index, reason, complaint.hint)
    return source.unreadable(index, error.problem)


def _colon(source: Text, index: int) -> Unreadable:
    """A colon that makes no key: it belongs to a value, or the line is indented wrongly."""
    if re.search(r":[ \t]", source.before(index)):
        return source.unreadable(index, "a second ': ' stands in this line", "put the value in quotes if the colon is part of it")
    return source.unreadable(
        index, "a key cannot stand here: the line before it is not finished, or the indentation differs", _ALIGN
    )
