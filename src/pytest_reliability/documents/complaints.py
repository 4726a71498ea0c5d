"""What PyYAML's parsers complain about, in plain words and with a remedy."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from pytest_reliability.documents.text import Text, Unreadable, forbidden


class _Complaint(NamedTuple):
    found: str
    """A regular expression, found in: problem, context, a line end, the line up to the place, "▸", the character there."""
    reason: str
    hint: str
    at_context: bool = False
    """Whether people look for the mistake where the parser began (an opening quote) rather than where it gave up."""


_ALIGN = "begin lines that belong together in the same column"
_QUOTE = "put the value in quotes"
_ESCAPE = "double the backslash, or use single quotes"
_MISPLACED = "(?:expected key|<block end>).*"
_COMPLAINTS = (
    _Complaint("tab character|any token.*\n.*▸\t", "a tab indents this; YAML wants spaces", "replace the tab by spaces"),
    _Complaint("any token", "a value cannot begin with {character}", _QUOTE),
    _Complaint("expected ':'", "a key is not followed by ': '", "write key: value", at_context=True),
    _Complaint("mapping values are.*\n.*:[ \t].*▸", "a second ': ' stands in this line", f"{_QUOTE} if the colon is part of it"),
    _Complaint("mapping values are", "a key cannot stand here: the line before is not finished, or indented differently", _ALIGN),
    _Complaint("mapping keys are", "a value cannot begin with '? '", _QUOTE),
    _Complaint(f"entries are|{_MISPLACED}\n *▸-", "a list item cannot stand here", _ALIGN),
    _Complaint(f"{_MISPLACED}\n.*[\"'][ \t]*▸", "nothing can follow a closing quote", "put other quotes around all of it"),
    _Complaint(f"{_MISPLACED}\n.*▸[}}\\]]", "this {character} closes nothing", "remove it, or put the value in quotes"),
    _Complaint(f"{_MISPLACED}block mapping", "this does not fit into the mapping that begins on line {line}", _ALIGN),
    _Complaint("'-' indicator|<block end>", "the list that begins on line {line} wants '- ' here", _ALIGN),
    _Complaint("',' or '}'", "the {{ on line {line} is not closed before this", "add }, or a comma between two entries"),
    _Complaint("',' or ']'", "the [ on line {line} is not closed before this", "add ], or a comma between two items"),
    _Complaint("unexpected (?:end|document)", "the quote that opens here is not closed", "close the quote", at_context=True),
    _Complaint("unknown escape|hexa?decimal|Unicode character", "no character is written like this in double quotes", _ESCAPE),
    _Complaint("comment or line break|chomping", "nothing can follow | or > in its line", "begin the text in the next line"),
    _Complaint("undefined tag", "this tag is not declared", f"{_QUOTE} if the exclamation mark is part of it"),
    _Complaint("alphabetic or numeric", "an alias or an anchor needs a name", f"{_QUOTE} if * or & is part of it"),
    _Complaint("<document start>", "this is indented less than the beginning of the document", _ALIGN),
    _Complaint("node content", "a value cannot begin with {character}", _QUOTE),
)


def explain(source: Text, error: Any) -> Unreadable:
    """What to raise for an error of PyYAML's."""
    text = source.text
    if found := forbidden(text):
        index = min(map(text.index, found))
        return source.unreadable(index, f"the character U+{ord(text[index]):04X} is not allowed in YAML", "remove it")
    if conflict := re.search(r"^<{7} .*", text, re.M):
        return source.unreadable(conflict.start(), "a merge conflict begins here", "keep one side, and remove the three marks")
    index = error.problem_mark.index
    context = error.context_mark.index if error.context_mark else index
    character = text[index : index + 1]
    described = f"{error.problem}, {error.context}\n{source.before(index)[-500:]}▸{character}"
    for complaint in _COMPLAINTS:
        if re.search(complaint.found, described):
            reason = complaint.reason.format(character=repr(character), line=source.location(context).line)
            return source.unreadable(context if complaint.at_context else index, reason, complaint.hint)
    return source.unreadable(index, f"this is not YAML: {error.problem}")
