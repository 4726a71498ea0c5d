"""What Prometheus understands and the parser does not, spelt in a way that the parser understands."""

from __future__ import annotations

import re

# Compiled when first used: every start would pay for them.
_KEEP = r"""(?P<keep>"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|\#[^\n]*)"""
_RAW = rf"{_KEEP}|`(?P<raw>[^`]*)`"

_LENGTH = r"(?:[-+*/%^(),\s]|\d[\w.]*|\b(?:step|range|min|max)\b)+"
_NEWER = rf"""(?x){_KEEP}
       | (?P<range>\[{_LENGTH}(?P<step>:(?:{_LENGTH})?)?\])
       | (?P<offset>\boffset\s+[-+]?\s*(?:step|range|min|max)?\s*\((?:[^()]|\([^()]*\))*\))
       | (?P<modifier>\b(?:anchored|smoothed)\b)
       | (?P<trim></|>/)
       | (?P<renamed>\bholt_winters\b)"""
_PLAIN_RANGE = r"\[[\w.:\s]*\]"


def quoted(text: str) -> str:
    """The same with each `…` string in double quotes: the parser takes a backslash in it for an escape, Prometheus does not."""
    return re.sub(_RAW, _in_double_quotes, text) if "`" in text else text


def _in_double_quotes(match: re.Match[str]) -> str:
    if match["raw"] is None:
        return match[0]
    escaped = match["raw"].replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def older(text: str) -> str:
    """The same without what only the newest versions know, or only old ones; ranges become five minutes where they are computed.

    These are duration expressions, the modifiers `anchored` and `smoothed`, the operators that trim a histogram, and one function
    that was renamed.
    """
    return re.sub(_NEWER, _in_older_syntax, text)


def _in_older_syntax(match: re.Match[str]) -> str:
    if match["range"]:
        if re.fullmatch(_PLAIN_RANGE, match["range"]) or match["range"].count("(") != match["range"].count(")"):
            return match["range"]
        return "[5m:]" if match["step"] else "[5m]"
    if match["offset"]:
        return "offset 5m"
    if match["trim"]:
        return "*"
    if match["renamed"]:
        return "double_exponential_smoothing"
    return match["keep"] or ""
