"""Badges, and the README that shows one."""

from __future__ import annotations

import json
import re
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import reports
from pytest_reliability.contracts import Canvas
from pytest_reliability.report import Level, Standing
from pytest_reliability.reporters import readme
from pytest_reliability.reporters._text import clean
from pytest_reliability.reporters.badge import COLOURS, LABEL, REPORTERS, badge, contrast, ink, shields, svg, width

SVG = "{http://www.w3.org/2000/svg}"
SILVER = reports.report(standing=Standing(level=Level.SILVER, waived=True))


def parsed(picture: str) -> ElementTree.Element:
    """A badge's root element."""
    root = ElementTree.fromstring(picture)
    assert f"{SVG}svg" == root.tag
    return root


def texts(picture: str) -> list[str | None]:
    """What is written on a badge, from left to right."""
    return [text.text for text in parsed(picture).iter(f"{SVG}text")]


@pytest.mark.parametrize(
    ("standing", "message", "colour"),
    [
        (Standing(), "none", "none"),
        (Standing(unrated=True), "unrated", "unrated"),
        (Standing(level=Level.BRONZE), "bronze", "bronze"),
        (Standing(level=Level.SILVER, waived=True), "silver*", "silver"),
        (Standing(level=Level.GOLD), "gold", "gold"),
        (Standing(waived=True), "none*", "none"),
    ],
)
def test_a_badge_says_where_the_service_stands(standing: Standing, message: str, colour: str) -> None:
    """Label on the left, level on the right, in the level's colour; the same for shields."""
    report = reports.report(standing=standing)
    assert ["reliability", message] == texts(badge(report))
    assert f'fill="{COLOURS[colour]}"' in badge(report)
    assert {"schemaVersion": 1, "label": "reliability", "message": message, "color": COLOURS[colour][1:]} == json.loads(
        shields(report)
    )


def test_the_label_can_be_in_any_language() -> None:
    """Japanese text stays readable in both forms."""
    assert ["信頼性", "silver*"] == texts(badge(SILVER, label="信頼性"))
    assert '{"schemaVersion": 1, "label": "信頼性", "message": "silver*", "color": "c3cad2"}\n' == shields(SILVER, label="信頼性")


def test_every_level_has_a_colour() -> None:
    """A new level cannot appear without one."""
    assert {"none", "unrated", *(level.value for level in Level)} == set(COLOURS)


def test_both_are_reporters() -> None:
    """`--format badge` and `--format shields`."""
    assert {"badge": badge(SILVER), "shields": shields(SILVER)} == {
        reporter.name: reporter.render(SILVER, Canvas()) for reporter in REPORTERS
    }


@pytest.mark.parametrize(
    ("text", "expected"),
    [("", 0), ("l", 3.1), ("Wi", 14.0), ("信頼性", 33), ("é", 6.8), ("e\u0301", 6.8), ("ﾊﾝ", 11), ("Ω", 7), ("👍\ufe0f", 11)],
)
def test_text_is_measured_by_its_script(text: str, expected: float) -> None:
    """Latin by a table, accents without width, East Asian characters by their class."""
    assert expected == pytest.approx(width(text))


def test_the_boxes_are_sized_by_the_text_and_the_text_stands_in_their_middle() -> None:
    """Twelve pixels of air in each box, centred."""
    root = parsed(svg("信頼性", "gold", COLOURS["gold"]))
    left, right = root.iter(f"{SVG}text")
    assert ("81", "20") == (root.get("width"), root.get("height"))
    assert ("22.5", "33.0") == (left.get("x"), left.get("textLength"))
    assert ("63", "23.8") == (right.get("x"), right.get("textLength"))


def test_a_badge_is_accessible() -> None:
    """A screen reader hears one sentence, and a mouse shows it."""
    root = parsed(badge(SILVER, label="信頼性"))
    assert ("img", "信頼性: silver*") == (root.get("role"), root.get("aria-label"))
    assert "信頼性: silver*" == root.findtext(f"{SVG}title")


def test_text_is_readable_on_its_background() -> None:
    """At least 4.5 to 1, the ratio that WCAG 2 asks for at level AA."""
    assert 4.5 < contrast("#ffffff", LABEL)
    for colour in COLOURS.values():
        assert 4.5 < contrast(ink(colour), colour)
        assert f'fill="{ink(colour)}">x<' in svg("y", "x", colour)


@pytest.mark.parametrize(
    ("one", "other", "ratio"),
    [("#ffffff", "#000000", 21), ("#767676", "#ffffff", 4.54), ("#ff0000", "#ffffff", 4.0), ("#0a0a0a", "#0a0a0a", 1)],
)
def test_contrast_is_that_of_wcag(one: str, other: str, ratio: float) -> None:
    """Figures of the definition: relative luminance of sRGB colours."""
    assert ratio == pytest.approx(contrast(one, other), abs=0.005)
    assert contrast(one, other) == contrast(other, one)


@settings(max_examples=50, deadline=None)
@given(st.text(st.characters()), st.text(st.characters()))
def test_any_text_makes_a_well_formed_picture(label: str, message: str) -> None:
    """Markup characters, control characters and half a character in a label do not break the file."""
    picture = svg(label, message, "#000000")
    picture.encode("utf-8")
    assert [clean(label), clean(message)] == [text or "" for text in texts(picture)]
    assert f"{clean(label)}: {clean(message)}" == parsed(picture).get("aria-label")


# The README


def block(text: str) -> str:
    """Markers around a text."""
    return f"{readme.START}{text}{readme.END}"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (f"# x\n{block('')}\nrest", f"# x\n{block('NEW')}\nrest"),
        (f"a {block('old')} b", f"a {block('NEW')} b"),
        (f"# x\n\n{block(chr(10))}\n", f"# x\n\n{block(chr(10) + 'NEW' + chr(10))}\n"),
        (f"{block(chr(10) + 'old' + chr(10) + 'older' + chr(10))}", f"{block(chr(10) + 'NEW' + chr(10))}"),
        (f"# x\r\n{block(chr(13) + chr(10))}\r\ny", f"# x\r\n{block(chr(13) + chr(10) + 'NEW' + chr(13) + chr(10))}\r\ny"),
        (f"{block('1')} {block('2')}", f"{block('NEW')} {block('NEW')}"),
        (f"```\n{block('')}\n```\n{block('')}", f"```\n{block('')}\n```\n{block('NEW')}"),
        (f"~~~~md\n{readme.START}\n~~~\n~~~~\n{block('')}", f"~~~~md\n{readme.START}\n~~~\n~~~~\n{block('NEW')}"),
        (f"put `{readme.START}` there: {block('')}", f"put `{readme.START}` there: {block('NEW')}"),
        (f"one ` tick\n\n{block('')} and ` more", f"one ` tick\n\n{block('NEW')} and ` more"),
    ],
)
def test_the_badge_is_put_between_the_markers(before: str, after: str) -> None:
    """On its own lines or in a sentence, with the file's own line ends; examples in code are left alone; twice is once."""
    assert after == readme.update(before, "NEW")
    assert after == readme.update(after, "NEW\n")


def test_a_block_of_several_lines_stands_on_its_own_lines() -> None:
    """Even where the markers stood side by side."""
    assert f"a\r\n{block(chr(13) + chr(10) + '1' + chr(13) + chr(10) + '2' + chr(13) + chr(10))}" == readme.update(
        f"a\r\n{block('')}", "1\n2"
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("# x\n", "it has no place for the badge\n  put two lines where the badge belongs: <!-- reliability-badge --> and"),
        (f"```\n{block('')}\n", "it has no place for the badge"),
        (
            f"x\n{readme.START}\n",
            "the markers of the badge are not in pairs (lines 2)\n  write <!-- reliability-badge --> and then",
        ),
        (f"{readme.END}\n{readme.START}\n", "not in pairs (lines 1, 2)"),
        (f"{readme.START}\n{readme.START}\n{readme.END}\n", "not in pairs (lines 1, 2, 3)"),
        (f"{readme.START}\n{block('')}\n{readme.END}", "not in pairs (lines 1, 2, 2, 3)"),
    ],
)
def test_a_readme_without_a_place_is_told_what_to_write(text: str, message: str) -> None:
    """Nothing is guessed: what to add, or which lines are wrong."""
    with pytest.raises(ValueError, match=re.escape(message)):
        readme.update(text, "NEW")


@settings(max_examples=50, deadline=None)
@given(st.text("a`~ \r\n<!-"), st.text("ab \n"), st.text("a`~ \r\n<!-"))
def test_nothing_but_what_stands_between_the_markers_changes(before: str, content: str, after: str) -> None:
    """Everything else is the user's; and doing it again changes nothing."""
    text = f"{before}\n{block(content)}{after}"
    try:
        updated = readme.update(text, "NEW")
    except ValueError:
        assert "```" in before or "~~~" in before
        return
    assert updated.startswith(f"{before}\n{readme.START}")
    assert updated.endswith(f"{readme.END}{after}")
    assert updated == readme.update(updated, "NEW")
