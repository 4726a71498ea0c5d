"""Markdown: what is a heading, a link, a fence, an anchor, and where; compared with markdown-it-py wherever both should agree."""

from __future__ import annotations

import re
import time
from collections import Counter
from html.parser import HTMLParser
from urllib.parse import unquote

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from pytest_reliability.formats._inlines import reading
from pytest_reliability.formats.markdown import scan, slug

COMMONMARK = MarkdownIt("commonmark")

KNOWN_DIFFERENCES = {
    "a definition is a paragraph until a line ends it: what cannot interrupt a paragraph belongs to it": r"\]:[^\n]*\n[^\n]",
    "markdown-it reads no reference where a parenthesis is left open up to the end": r"\]\([^)]*\Z|\]\([^)]*\n[ >]*\n",
    "a comment ends with the first -->, also after a third hyphen (CommonMark 0.31)": r"--->",
    "an indented > is code after the quote has ended, whatever line is before it": r"(?m)^(?: {4,}|\t)[ \t]*>",
    "GitHub's tables: a link ends with its cell": r"\|",
    "GitHub's footnotes are no definitions": r"\[\^",
    "an anchor in braces is no part of the heading": r"\{[:#.]",
}
"""Cause → texts that may show it. Everything else has to be read alike."""


class Tags(HTMLParser):
    """Collects links and images of HTML as a browser would."""

    def __init__(self):
        super().__init__()
        self.links = []

    def handle_starttag(self, tag, attrs):
        """Remember where an `<a>` or an `<img>` leads."""
        for key, value in attrs:
            if (tag, key) in (("a", "href"), ("img", "src")) and value is not None:
                self.links.append((tag == "img", unquote(value)))


def links_in_html(html):
    """(is an image, target) of every link in HTML."""
    tags = Tags()
    tags.feed(re.sub(r"(?s)<!--(?:(?!-->).)*\Z", "", html))  # a browser shows nothing of a comment that is left open
    tags.close()
    return tags.links


def seen(tokens):
    """The text of inline tokens."""
    pieces = []
    for token in tokens or ():
        if token.type in ("text", "code_inline", "text_special"):
            pieces.append(token.content)
        elif token.type in ("softbreak", "hardbreak"):
            pieces.append(" ")
        elif token.type == "image":
            pieces.append(seen(token.children))
    return "".join(pieces)


def links_of(tokens):
    """(is an image, target) of every link among inline tokens."""
    for token in tokens or ():
        if token.type == "link_open":
            yield False, unquote(token.attrs["href"])
        elif token.type == "image":
            yield True, unquote(token.attrs["src"])
            yield from links_of(token.children)
        elif token.type == "html_inline":
            yield from links_in_html(token.content)


def theirs(text):
    """What markdown-it-py reads: (level, text, line) of headings, and how often each link is there."""
    tokens = COMMONMARK.parse(text)
    headings, links = [], Counter()
    for index, token in enumerate(tokens):
        if token.type == "heading_open":
            headings.append((int(token.tag[1]), " ".join(seen(tokens[index + 1].children).split()), token.map[0] + 1))
        elif token.type == "inline":
            links.update(links_of(token.children))
        elif token.type == "html_block" and not re.match(r"\s*<(?:script|pre|style|textarea)\b", token.content, re.I):
            links.update(links_in_html(token.content))
    return headings, links


def ours(text):
    """The same, as it is scanned."""
    page = scan(text, "page.md")
    headings = [(heading.level, " ".join(heading.text.split()), heading.at.line) for heading in page.headings]
    return headings, Counter((link.image, unquote(link.target)) for link in page.links)


def headings(text):
    """The texts of the headings."""
    return [heading.text for heading in scan(text, "page.md").headings]


def targets(text):
    """The targets of the links."""
    return [link.target for link in scan(text, "page.md").links]


def empty(text):
    """The texts of the headings with nothing below."""
    return [section.heading.text for section in scan(text, "page.md").sections if section.empty]


SAMPLES = (
    "# One #\n## Two ##\n### Three ### #\n####### seven\n#five\n#\tsix\n##\n",
    "One\n===\nTwo\nlines\n---\n\n> Three\n---\n- four\n---\n    five\n---\n",
    "- # In an item\n  ## And below\n1. text\n\n   Setext\n   ---\n> # In a quote\n> > ## In two\n>> ### Three\n",
    "``` # no\n# no\n```\n~~~\n# no\n```\n~~~\n# Yes\n````\n```\n# no\n````\n- ```\n  # no\n- # Yes\n> ```\n> # no\n# Yes\n",
    "    # code\n\ta\n\nparagraph\n    # no\n\n- item\n\n      # code\n\n  # Yes\n\n1.     # code\n",
    '[a](b) [c](<d e> "t") [f](g \'t\') [h](i (t)) ![j](k) [l](m(n)o) [p](q\\)r) [s]( t\n"u" ) [v]() [](w) [x](y z) [1](2"3")\n',
    (
        "[a] [b][] [c][d] [C][D] [e][f] [g] [h\ni]\n\n[a]: /a\n[b]: </b c> 'title'\n[d]:\n/d\n\"title\n"
        'over lines"\n\n[h i]: /hi\n\n[a]: /second\n'
    ),
    "`[a](b)` ``[c](d)`e`` \\[f](g) [h\\](i) [j](k`l)`m) <http://n.o/p> <q@r.s> [t`](u)`](v) ``[w](x)\n",
    '[a [b](c) d](e) ![f [g](h) ![i](j)](k) [![l](m)](n) [o <p href="q](r)">](s) [[t](u)](v)\n',
    "<a href=\"b\">c</a> <img src='d'> <e>[f](g)</e> <!-- [h](i) --> <? [j](k) ?> <!L [m](n)> <![CDATA[[o](p)]]> <a\nhref=q>\n",
    '<div>\n[a](b) <a href="c">\n</div>\n\n[d](e)\n\n<!--\n[f](g)\n\n# no\n--> [h](i)\n',
    '<pre>\n<a href="no">\n\n</pre>\n# Yes\n<x-y>\n[j](k)\n',
    "text\n<b>\n[a](b)\n\n<b>\n[c](d)\n\ntext\n<div>\n[e](f)\n</div>\n",
    "- a\n\n  [b](c)\n- [d](e)\n   [f](g)\n\n\n[h](i)\n-\n\n  [j]: no\n-\n  # Yes\n2. x\n1) y\n10) z\ntext\n2. no\n1. yes\n- \n",
    '> a\nlazy [b](c)\n> - d\nlazy [e](f)\n\n> g\n===\n> [h\n> i](j\n> "k")\n> [l]: m\n\n[l]\n>\t# tab\n>\t\tcode\n',
    "* * *\n- - -\n___\n*\n-\n--\n***bold***\n* - + # deep\n*\t# tab\n-\t\t# code\n 1.\tx\n",
    "# *a* **b** `c` [d](e) ![f](g) <h>i</h> j\\*k &amp; &#33; l_m_n _o_ ***p** q* *r **s* t** <!-- u --> <http://v>\n",
    "# `` ` `` ` a `\n",
    "a <!--> b [c](d) <!---> e [f](g) --> <!h\n",
    "```\nx ```\n# no\n``` y\n~~~\n````\n# Yes\n",
    "# *a _b* c_ *d **e* f __g _h__ i_\n",
    "> <div>\n> [a](b)\n> <a href='c'>\nd [e](f)\n\n- ```\n  # no",
    "[c](((d)) [e](<f [g](h) [i]( \n[j](k\n\n[l]:\n\n[m]: <n\n\n[m] [l]",
    "[ ] [x [y] z] [\n] [b\\]] [c][]d]\n\n[a]: b\n\n[ ]: c\n\n[b\\]]: d\n\n[c] : e\n",
    "&[a](b&amp;c) [d](e\\&amp;f) [g](h%20i) [j](k&lt) \\&amp; [l](/m?n=1&copy=2)\n",
)
"""Markdown with a case in each corner."""


@pytest.mark.parametrize("sample", SAMPLES)
def test_samples_are_read_as_commonmark_says(sample):
    """Corner by corner, headings and links are those that markdown-it-py reads."""
    assert theirs(sample) == ours(sample)


PIECES = st.sampled_from(
    [
        "# ",
        "## ",
        "##\n",
        "> ",
        ">",
        "- ",
        "* ",
        "+ ",
        "1. ",
        "2) ",
        "10. ",
        " ",
        "  ",
        "    ",
        "\t",
        "\n",
        "\n\n",
        "```",
        "```\n",
        "~~~\n",
        "===\n",
        "***\n",
        "---\n",
        "-",
        "=",
        "*",
        "**",
        "_",
        "`",
        "``",
        "\\",
        "[",
        "]",
        "![",
        "](",
        "(",
        ")",
        "<",
        ">",
        "[a]",
        "[a][]",
        "\n\n[a]: /a\n\n",
        "\n\n[b]: <c d> 'e'\n\n",
        "[b][a]",
        "[f](/g)",
        '![h](/i "j")',
        "[k](<l m>)",
        "(n(o)p)",
        "'",
        '"',
        "<http://q>",
        "<b>",
        "</b>",
        "<div>\n",
        "<!-- ",
        "-->",
        "<?",
        "?>",
        "<!X",
        "<pre>",
        "</pre>",
        "<a href='r'>",
        "<img src=s>",
        "&amp;",
        "&copy;",
        "t",
        "u v",
        "語",
        "\xa0",
        "-\n",
        "\\\n",
        "  \n",
        "#",
        "&",
        "!",
    ]
)


@given(st.lists(PIECES, max_size=16).map("".join))
def test_any_markdown_is_read_as_commonmark_says(text):
    """However its pieces are put together, headings and links are those that markdown-it-py reads."""
    assume(not scan(text, "page.md").front_matter)
    assume(not any(re.search(pattern, text) for pattern in KNOWN_DIFFERENCES.values()))
    try:
        expected = theirs(text)
    except (AssertionError, IndexError):  # markdown-it-py and html.parser each fail on some broken HTML
        assume(False)
    assert expected == ours(text)


@given(st.text())
def test_any_text_is_read(text):
    """There is no text that the scanner fails on."""
    page = scan(text, "page.md")
    assert len(page.sections) == len(page.led) == len(page.tasks)


def test_the_corpus_is_read_as_commonmark_says(corpus):
    """In hundreds of real pages there is no heading and no link that only one of us finds."""
    differing = {}
    for path in sorted(corpus.rglob("*.md")):
        text = path.read_text(encoding="utf-8")
        front_matter = scan(text, "page.md").front_matter
        lines = front_matter.text.count("\n") + 1 if front_matter else 0
        bare = "\n" * lines + "\n".join(text.split("\n")[lines:])
        if (expected := theirs(bare)) != (actual := ours(text)):
            differing[str(path.relative_to(corpus))] = (expected, actual)
    assert {} == differing


# --- Places


def test_every_place_is_where_a_reader_would_point():
    """Headings point at their line, links at their destination or label, fences at their mark, all in characters from 1."""
    text = (
        "# 見出し [語](a.md)\n\n- > x\n  > [b](<c d>) ![e][f] <http://g>\n\n"
        "      ```sh\n\tz [h]( i )\n\n[f]: /j\n<img\nalt='' src='k'>\n"
    )
    page = scan(text, "docs/page.md")
    lines = text.split("\n")
    assert [("docs/page.md", 1, 1, 15)] == [(h.at.path, h.at.line, h.at.column, h.at.width) for h in page.headings]
    shown = [lines[link.at.line - 1][link.at.column - 1 :][: link.at.width] for link in page.links]
    assert ["a.md", "c d", "f", "http://g", "i", "k"] == shown
    assert ["a.md", "c d", "/j", "http://g", "i", "k"] == [link.target for link in page.links]


def test_tabs_do_not_shift_places():
    """Tabs that indent count as one character in a place, whatever columns they cover."""
    text = "-\t[a](b)\n\n\t## c\n\n\t~~~ sh\n\td\n\t~~~\n>\t[e](f)\n"
    page = scan(text, "page.md")
    lines = text.split("\n")
    assert ["b", "f"] == [lines[link.at.line - 1][link.at.column - 1 :][: link.at.width] for link in page.links]
    assert ["## c"] == [lines[h.at.line - 1][h.at.column - 1 :][: h.at.width] for h in page.headings]
    assert [(5, 2, "sh", "d\n")] == [(f.at.line, f.at.column, f.language, f.text) for f in page.fences]


def test_line_ends_of_any_kind_are_one_line_each():
    """Windows' line ends, and those of old Macs, count as line ends and are no part of anything."""
    page = scan("# a\r\n\r\n[b](c)\r\r## d\r\n```\r\ne\r\n```\r\n", "page.md")
    assert [("a", 1), ("d", 5)] == [(heading.text, heading.at.line) for heading in page.headings]
    assert [3] == [link.at.line for link in page.links]
    assert ["e\n"] == [fence.text for fence in page.fences]


# --- Fences and front matter


def test_fences_keep_their_code():
    """The code of a fence is what stands in it, less the indentation of the fence and of what is around it; tabs survive."""
    text = (
        '```yaml title="a"\n\tb: 1\n  c\n```\n- d\n  ~~~ {.sh} x\n  e\n    f\n\n  ~~~\n'
        "  ```\n  g\nh\n   ```\n     i\n   j\n   ```\n> ````\n> k\n\n```\nl"
    )
    assert [("yaml", "\tb: 1\n  c\n"), ("{.sh}", "e\n  f\n\n"), ("", "g\n"), ("", "  i\nj\n"), ("", "k\n"), ("", "l")] == [
        (fence.language, fence.text) for fence in scan(text, "page.md").fences
    ]


@pytest.mark.parametrize(
    ("text", "language", "front"),
    [
        ("---\na: b\n---\n# c\n", "yaml", "---\na: b\n"),
        ("---\n# comment\n'a': b\n...\n# c\n", "yaml", "---\n# comment\n'a': b\n"),
        ("---\n---\n# c\n", "yaml", "---\n"),
        ("---\na:\n\t- b\n---\n# c\n", "yaml", "---\na:\n\t- b\n"),
        ("+++\na = 1\n+++\n# c\n", "toml", "+++\na = 1\n"),
    ],
)
def test_front_matter_is_told_from_the_page(text, language, front):
    """What a page begins with between two lines of marks is its front matter, and no heading is made of it."""
    page = scan(text, "page.md")
    assert page.front_matter is not None
    assert (language, front) == (page.front_matter.language, page.front_matter.text)
    assert ["c"] == [heading.text for heading in page.headings]


@pytest.mark.parametrize(
    "text", ["---\n\nText: more\n---\n", "---\nText\n---\n", "---\na: b\n", "\n---\na: b\n---\n", "+++\na = 1\n"]
)
def test_a_line_is_not_taken_for_front_matter(text):
    """A page may begin with a mere line, or forget to close its front matter."""
    assert scan(text, "page.md").front_matter is None


# --- Anchors and readable text


@pytest.mark.parametrize(
    ("text", "anchor"),
    [
        ("What to do?", "what-to-do"),
        ("  A  B ", "--a--b-"),
        ("snake_case & kebab-case", "snake_case--kebab-case"),
        ("影響（Impact）", "影響impact"),
        ("サーバー・停止", "サーバー停止"),
        ("🔥 Fire", "-fire"),
        ("Ünïcode ① が", "ünïcode--が"),
    ],
)
def test_anchors_are_those_of_github(text, anchor):
    """An anchor is the text in lower case, without punctuation and symbols, with hyphens for spaces."""
    assert anchor == slug(text)


def test_equal_headings_get_numbered_anchors():
    """The second of two equal headings gets -1, also where a heading of its own is called that."""
    page = scan("# a\n# a\n# a-1\n# a\n", "page.md")
    assert ["a", "a-1", "a-1-1", "a-2"] == [heading.anchor for heading in page.headings]


def test_every_way_to_name_an_anchor_is_known():
    """HTML's ids and names, braces after a heading or a paragraph, MyST's targets, and headings in HTML are anchors."""
    text = """# A heading {#braces}\n\n## Another {: #list .class }\n\ntext {: #paragraph }\n\n(myst)=
<a name="old"></a> <b ID=new>x</b>
\n<h2>In <i>HTML</i></h2>\n<h3 id='own'>x\n"""
    page = scan(text, "page.md")
    assert ["A heading", "Another"] == [heading.text for heading in page.headings]
    assert {"a-heading", "braces", "another", "list", "paragraph", "myst", "old", "new", "in-html", "own"} == page.anchors


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("**Bold** and *it*alic a_b_c", "Bold and italic a_b_c"),
        ("Use {braces}", "Use {braces}"),
        ("`a_b` c\\_d", "a_b c_d"),
        ("[1.0] - [link](x) ![image](y)", "[1.0] - link image"),
        ("a &lt; b &unknown; c", "a < b &unknown; c"),
        ("*" * 500, "*" * 500),
        ("*a " * 300, ("*a " * 300).strip()),
    ],
)
def test_a_heading_reads_as_people_see_it(source, text):
    """Markup is not part of what a heading says."""
    assert text == reading(source)


def test_a_reference_in_a_heading_may_be_defined_below():
    """Changelogs link each version at the end of the page."""
    assert ["1.0 - today"] == headings("# [1.0] - today\n\n[1.0]: /1.0\n")


def test_footnotes_are_no_definitions():
    """GitHub's footnotes look like definitions; the first word of one is no link."""
    assert ["x"] == targets("a[^1]\n\n[^1]: word [link](x)\n")


def test_the_cells_of_a_table_end_on_their_line():
    """A backtick left open in one row does not swallow the links of the next."""
    assert ["b", "d"] == targets("| ` | [a](b) |\n|---|---|\n| [c](d) | ` |\n")


def test_the_text_of_a_link_is_kept_within_reason():
    """Whatever stands in the brackets of a link, no more than 200 characters of it are kept."""
    links = scan(f"[ short ](a) [{'x' * 999}](b) [`c`](d)", "page.md").links
    assert ["short", "x" * 200, "`c`"] == [link.text for link in links]


def test_there_is_an_end_to_nesting_and_to_labels():
    """Marks nested beyond all reason, and references with labels that CommonMark does not allow, are text."""
    assert [["a"], []] == [headings("> " * depth + "# a") for depth in (64, 65)]
    assert [["a"], []] == [headings("- " * depth + "# a") for depth in (64, 65)]
    assert [["(" * 32 + ")" * 32], []] == [targets(f"[a]({'(' * depth}{')' * depth})") for depth in (32, 33)]
    assert [["/b"], []] == [targets(f"[{'a' * length}]\n\n[{'a' * length}]: /b\n") for length in (999, 1000)]


# --- What is in a section


@pytest.mark.parametrize(
    "content",
    [
        "text",
        "- item",
        "1. [link](x)",
        "```\ncode\n```",
        "    code",
        "![image](x)",
        "<img src='x'>",
        "a <img src='x'>",
        "> quote",
        "なし",
        "N/A",
        "-",
        "| a |\n|---|\n| b |",
        "a | b\n--- | ---\n1 | 2",
        "| 42 |\n|---|\n| 42 |",
        "{{< include x >}}",
        "<details>x</details>",
        "<pre>x</pre>",
        "- [x]  done",
        "<video src=x></video>",
        "x" * 3000,
        "[ref]",
        "### Below\n\ntext",
        "> # heading in a quote",
        "&amp;",
        "<!-- a --> b",
    ],
)
def test_a_section_with_anything_to_see_is_not_empty(content):
    """Text, lists, code, images, filled tables, and sections below that have any of these, fill a section."""
    expected = ["-"] if content == "-" else []
    assert (["A"] if expected else []) == empty(f"## A\n\n{content}\n\n## B\n\nx\n")


@pytest.mark.parametrize(
    "content",
    [
        "",
        "<!-- comment -->",
        "a: <!-- b -->"[3:],
        "---",
        "- ",
        "- [ ]",
        "```\n\n```",
        "[a]: /b",
        "<br>",
        "<a id='x'></a>",
        "&nbsp;",
        "**  **",
        "| a | b |\n|---|---|\n",
        "| # | State |\n|---|---|\n| 1 | open |\n| 2 | 未着手 |",
        "| a |\n|---|\n| |\n| — |",
        "<!--\nlong\n\n-->\n",
        "### Below",
        "<div>\n\n</div>",
        "<!-- unclosed",
        "<p>&nbsp;</p>",
    ],
)
def test_a_section_with_nothing_to_see_is_empty(content):
    """Comments, lines, empty boxes, tables without content, definitions and headings fill nothing."""
    assert "A" in empty(f"## A\n\n{content}")


def test_what_a_section_shows_counts_for_those_around_it_and_no_others():
    """Text far below fills all sections around it; what stands before the first heading below is told apart."""
    page = scan("# a\n## b\n### c\ntext\n## d\n# e\ntext\n## f\n", "page.md")
    assert ["d", "f"] == [section.heading.text for section in page.sections if section.empty]
    assert [False, False, True, False, True, False] == list(page.led)


def test_boxes_are_counted_where_they_are():
    """List items with a box are counted for their section."""
    page = scan("- [ ] before\n# a\n- [ ] x\n- [x] y\n- z\n## b\n1. [X] w\n   - [ ]\n- [](x)\n", "page.md")
    assert (2, 2) == page.tasks


# --- Hostile pages

HOSTILE = {
    "headings": "# a\n",
    "underlined headings": "a\n===\n",
    "brackets": "[",
    "open links": "[a](",
    "open targets": "[a](b",
    "open angles": "[a](<b",
    "open titles": '[a](b "',
    "images in images": "![",
    "definitions": "[a]: b\n",
    "half definitions": "[a]:\n",
    "backticks": "` `` ``` ",
    "tags": "<a ",
    "open attributes": '<a x="',
    "comments": "x <!-- ",
    "instructions": "x <?",
    "declarations": "x <!X",
    "quotes": ">",
    "lists": "- ",
    "rules": "* ",
    "fences": "```\n",
    "emphasis": "*a_ ",
    "spaces": " ",
    "tabs": "\t- ",
    "rows": "| [a](b) |\n|-|\n",
    "HTML headings": "<h2>",
    "HTML blocks": "<div>\n\n",
    "front matter": "---\na: b\n",
    "braces": "{#",
    "a long line": "a",
    "lines": "a\n",
    "backslashes": "\\[",
    "parentheses": "[a]((",
}


@pytest.mark.parametrize("piece", HOSTILE.values(), ids=HOSTILE)
@pytest.mark.parametrize("prefix", ["", "> # "])
def test_hostile_pages_take_linear_time(prefix, piece):
    """Four times as much of anything takes about four times as long, not sixteen times."""

    def seconds(length):
        text = prefix + piece * (length // len(piece))
        best = float("inf")
        for _ in range(2):
            began = time.process_time()
            scan(text, "page.md")
            best = min(best, time.process_time() - began)
        return best

    assert seconds(8_000) < max(9 * seconds(2_000), 0.05)
