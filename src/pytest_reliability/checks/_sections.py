"""What the checks of pages say about sections that are not there, or that say nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from pytest_reliability.contracts import Problem
from pytest_reliability.model.nodes import Page
from pytest_reliability.model.sections import Vocabulary, proposed_headings

DEEPEST = 6
"""The lowest level that a heading can have."""

NO_SUBSTITUTES: Mapping[str, tuple[str, ...]] = {}


def missing_sections(
    page: Page,
    name: str,
    required: Sequence[str],
    vocabulary: Vocabulary,
    substitutes: Mapping[str, tuple[str, ...]] = NO_SUBSTITUTES,
) -> Iterator[Problem]:
    """One problem for all the required sections that a page lacks, with headings that people use for them.

    `name` is what a message calls the page; a section counts as there if one of its `substitutes` is.
    """
    lacking = [section for section in required if page.section_names.isdisjoint((section, *substitutes.get(section, ())))]
    headings = [proposed_headings(vocabulary, section, page.language) for section in lacking]
    if len(lacking) == 1:
        hint = f"add it under a heading such as {', '.join(headings[0])}"
        yield Problem(page.at, f"{name} has no section about {_spoken(lacking[0])}", hint)
    elif lacking:
        *others, last = map(_spoken, lacking)
        hint = f"add the headings: {', '.join(f'## {first}' for first, *_ in headings)}"
        yield Problem(page.at, f"{name} has no sections about {', '.join(others)} and {last}", hint)


def empty_sections(page: Page, hint: str) -> Iterator[Problem]:
    """One problem for each recognised section that is empty; none for the parts of one that is empty as a whole."""
    reported = DEEPEST
    for section in page.sections:
        if section.heading.level > reported:
            continue
        reported = DEEPEST
        if section.names and section.empty:
            reported = section.heading.level
            yield Problem(section.heading.at, f"section {section.heading.text!r} is empty", hint)


def _spoken(section: str) -> str:
    return section.replace("_", " ")
