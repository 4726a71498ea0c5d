"""Regular expressions of label matchers: what RE2, which Prometheus uses, refuses for certain."""

from __future__ import annotations

import re
import warnings

LONGEST = 1000

_SKIP = r"(?:\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|[^\\\[(])"
_LOOK_AROUND = rf"(?s){_SKIP}*(?:\((?!\?<?[=!]){_SKIP}*)*\(\?<?[=!]"
_BACKREFERENCE = r"(?s)(?:[^\\]|\\[^1-9])*\\[1-9]"


def regexp_fault(pattern: str) -> str | None:
    """Why RE2 refuses `pattern`; None where it does not, or where that is not certain.

    The parser asks another engine (Rust's), which refuses a few things that RE2 accepts; Python's is the second opinion.
    """
    if len(pattern) > LONGEST or r"\Q" in pattern:
        return None
    if re.match(_LOOK_AROUND, pattern):
        return "it has no look-ahead and no look-behind"
    if re.match(_BACKREFERENCE, pattern):
        return "it has no backreferences"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            re.compile(pattern)
    except re.error as error:
        return error.msg
    return None
