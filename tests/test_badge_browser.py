"""Badges in a real browser: the text must stand in the middle of its box, whatever the script."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from html import unescape
from typing import Any

import pytest

from pytest_reliability.reporters.badge import COLOURS, svg

INSTALL = "on Debian: apt-get install --no-install-recommends chromium fonts-noto-cjk fontconfig"
BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
LABELS = ("reliability", "信頼性", "信頼性（決済）", "Zuverlässigkeit", "ﾊﾝｶｸ カナ", "iiiiillll", "WWMM@%", "")

MEASURE = """
const of = (text) => { const box = text.getBBox(); return [box.x, box.x + box.width, text.getComputedTextLength()]; };
const badges = [...document.querySelectorAll("svg")].map((svg) => {
  const texts = [...svg.querySelectorAll("text")];
  const told = texts.map((text) => Number(text.getAttribute("textLength")));
  const forced = texts.map(of);
  texts.forEach((text) => text.removeAttribute("textLength"));
  const width = svg.width.baseVal.value;
  const split = svg.querySelectorAll("path")[0].getBBox().width;
  return {width, split, told, forced, natural: texts.map(of)};
});
document.body.textContent = JSON.stringify(badges);
"""

pytestmark = pytest.mark.skipif(BROWSER is None, reason=f"no Chromium here; {INSTALL}")


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """What a browser makes of every label and level: where each text begins and ends, as told and as the font would have it."""
    fonts = subprocess.run(["fc-list", ":lang=ja"], capture_output=True, check=False).stdout if shutil.which("fc-list") else b""
    if not fonts:
        pytest.skip(f"no Japanese font here; {INSTALL}")
    folder = tmp_path_factory.mktemp("badges")
    pictures = "".join(svg(label, message, colour) for label in LABELS for message, colour in COLOURS.items())
    page = folder / "page.html"
    page.write_text(f"<!doctype html><meta charset=utf-8><body>{pictures}<script>{MEASURE}</script>", encoding="utf-8")
    switches = (
        "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
        "--disable-component-update --disable-sync --dump-dom"
    )
    command = [str(BROWSER), *switches.split(), f"--user-data-dir={folder / 'profile'}", page.as_uri()]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", timeout=120, check=True)
    body = re.search(r"<body>(.*)</body>", done.stdout, re.S)
    assert body, done.stdout[:500] + done.stderr[-500:]
    badges = json.loads(unescape(body[1]))
    assert len(LABELS) * len(COLOURS) == len(badges)
    return list(badges)


def test_text_stands_in_the_middle_of_its_box(measured: list[dict[str, Any]]) -> None:
    """As much air to the left as to the right, and never less than five pixels."""
    for badge in measured:
        boxes = ((0, badge["split"]), (badge["split"], badge["width"]))
        for (start, stop), (left, right, length) in zip(boxes, badge["forced"], strict=True):
            if length:
                assert left - start == pytest.approx(stop - right, abs=1.0)
                assert left - start > 5


def test_the_table_of_widths_is_that_of_the_fonts(measured: list[dict[str, Any]]) -> None:
    """The renderer hardly has to squeeze or stretch: what we say is within a tenth of what the font says."""
    for badge in measured:
        for told, (_, _, natural) in zip(badge["told"], badge["natural"], strict=True):
            assert told == pytest.approx(natural, rel=0.1)


def test_text_does_not_overflow_even_where_the_renderer_ignores_what_it_is_told(measured: list[dict[str, Any]]) -> None:
    """Some renderers know no textLength: the font's own width fits as well."""
    for badge in measured:
        boxes = ((0, badge["split"]), (badge["split"], badge["width"]))
        for (start, stop), (left, right, length) in zip(boxes, badge["natural"], strict=True):
            if length:
                assert start + 2 < left < right < stop - 2
