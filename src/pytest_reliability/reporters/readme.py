"""The part of a README that we keep up to date: what stands between two markers."""

from __future__ import annotations

import re

START, END = "<!-- reliability-badge -->", "<!-- /reliability-badge -->"

_CODE = r"""(?msx)
    ^[ ]{0,3}(?P<fence>`{3,}|~{3,}) .*? (?: ^[ ]{0,3}(?P=fence)[`~]*[ \t]*\r?$ | \Z )  # a fenced block
    | (?P<ticks>`+) [^`\n]+ (?P=ticks) (?!`)                                            # a code span
"""


def update(text: str, block: str) -> str:
    """The text with `block` between every pair of markers; line ends stay as they are, and markers inside code are left alone.

    The block stands on lines of its own where the opening marker ends its line. Raises ValueError, saying what to write,
    where there are no markers, or where one of them is missing.
    """
    newline = "\r\n" if "\r\n" in text else "\n"
    block = newline.join(block.strip("\r\n").splitlines())
    markers = list(re.finditer(f"{START}|{END}", re.sub(_CODE, lambda code: " " * len(code[0]), text)))
    if not markers:
        raise ValueError(f"it has no place for the badge\n  put two lines where the badge belongs: {START} and {END}")
    if [marker[0] for marker in markers] != [START, END] * (len(markers) // 2):
        lines = ", ".join(str(text.count("\n", 0, marker.start()) + 1) for marker in markers)
        raise ValueError(f"the markers of the badge are not in pairs (lines {lines})\n  write {START} and then {END}")
    kept, end = [], 0
    for start, stop in zip(markers[::2], markers[1::2], strict=True):
        own_lines = text.startswith(("\r\n", "\n"), start.end()) or newline in block
        kept += [text[end : start.end()], f"{newline}{block}{newline}" if own_lines else block]
        end = stop.start()
    return "".join([*kept, text[end:]])
