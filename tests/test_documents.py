"""YAML, JSON and TOML: what texts mean, where everything stands, and what is said of files that cannot be read."""

from __future__ import annotations

import importlib
import json
import math
import pickle
import random
import re
import subprocess
import sys

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pytest_reliability.documents import MAX_BYTES, Source, Unreadable, load_json, load_toml, load_yaml, yaml_events, yaml_lines
from pytest_reliability.documents.scalars import place_inside
from pytest_reliability.documents.templates import refuse_templates
from pytest_reliability.documents.text import Text
from pytest_reliability.documents.tree import MAX_DEPTH
from pytest_reliability.model.location import Location
from pytest_reliability.model.settings import DEFAULTS, Settings

C_PARSER = yaml_events.CParser


def inventory(tree):
    """All that there is to know of a tree: every value with its type, and every place."""
    found = [tree.path, tree.at(tree.data), tree.faults, [(fault.at.width, fault.hint) for fault in tree.faults]]
    pending = [((), tree.data)]
    while pending:
        path, value = pending.pop()
        if isinstance(value, (dict, list)):
            for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
                place = tree.at(value, key)
                named = isinstance(key, str) and tree.key_at(value, key)
                found.append((path, key, place, place.width, named, named and named.width, tree.spelling(value, key)))
                pending.append(((*path, key), inner))
        else:
            found.append((path, type(value), repr(value)))
    return found


def by_events(text, parser=C_PARSER):
    """What becomes of a text without the reader of plain lines: inventories, or the complaint."""
    yaml_events.CParser = parser
    try:
        source = Text(text, "x.yaml")
        trees = yaml_events.read(source)
        refuse_templates(source, trees)
        return [inventory(tree) for tree in trees]
    except Unreadable as fault:
        return fault
    finally:
        yaml_events.CParser = C_PARSER


def documents(text):
    """The documents of a YAML text that every one of our ways to read it agrees on."""
    trees = load_yaml(text, "x.yaml")
    expected = [inventory(tree) for tree in trees]
    assert expected == by_events(text)
    assert expected == by_events(text, None)
    return trees


def document(text):
    """The only document of a YAML text."""
    (tree,) = documents(text)
    return tree


def unreadable(text):
    """The complaint about a YAML text; PyYAML's parser in Python complains about the same line."""
    with pytest.raises(Unreadable) as caught:
        load_yaml(text, "x.yaml")
    same = by_events(text, None)
    assert (caught.value.at.line, caught.value.template) == (same.at.line, same.template)
    return caught.value


def place(location):
    """Line, column and width."""
    return location.line, location.column, location.width


def is_plain(text):
    """Whether the reader of plain lines takes it."""
    return yaml_lines.read(Text(text, "x.yaml")) is not None


# --- What scalars mean --------------------------------------------------------------------------------------------------------

SCALARS = {
    "": None, "~": None, "null": None, "Null": None, "NULL": None, "nULL": "nULL",
    "true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False, "tRUE": "tRUE",
    "yes": "yes", "no": "no", "on": "on", "off": "off", "y": "y", "N": "N",
    "0": 0, "010": 10, "-1": -1, "+12": 12, "0o14": 12, "0xfF": 255, "0b11": "0b11", "1_000": "1_000", "0x": "0x", "0o8": "0o8",
    "1.5": 1.5, "-.5": -0.5, "+1.": 1.0, "99.90": 99.9, "1e3": 1000.0, "1E-2": 0.01, "1.5e+3": 1500.0, "e3": "e3", ".": ".",
    ".inf": math.inf, "+.Inf": math.inf, "-.INF": -math.inf, "inf": "inf", "nan": "nan",
    "1:30": "1:30", "2026-01-01": "2026-01-01", "1.2.3": "1.2.3", "5m": "5m", "-": None, "1,000": "1,000", "NaN": "NaN",
    "=": "=", "<": "<", "日本": "日本", "\N{ARABIC-INDIC DIGIT ONE}": "\N{ARABIC-INDIC DIGIT ONE}",
    "9" * 1001: "9" * 1001, "9" * 400: int("9" * 400),
}  # fmt: skip
del SCALARS["-"]


@pytest.mark.parametrize(("written", "value"), SCALARS.items())
def test_plain_scalars_mean_what_the_core_schema_says(written, value):
    """A plain scalar is resolved as in YAML 1.2, wherever it stands, and its spelling is kept."""
    for text, key in ((f"a: {written}\n", "a"), (f"- {written}\n", 0), (f"a: {written}", "a"), (f"a: &x {written}\n", "a")):
        tree = document(text)
        assert (type(value), value) == (type(tree.data[key]), tree.data[key])
        assert written == tree.spelling(tree.data, key)


@pytest.mark.parametrize("written", [".nan", ".NaN", ".NAN"])
def test_not_a_number(written):
    """Only .nan is no number that is a float."""
    assert math.isnan(document(f"a: {written}\n").data["a"])


@pytest.mark.parametrize(
    ("written", "value", "spelling"),
    [
        ("'12'", "12", "12"),
        ('"true"', "true", "true"),
        ('"a\\tb\\u00e9\\x41\\/"', "a\tbéA/", "a\tbéA/"),
        ("'it''s'", "it's", "it's"),
        ("!!str 12", "12", "12"),
        ("!!str", "", ""),
        ('!!int "3"', 3, "3"),
        ("!!int x", "x", "x"),
        ("!!float 3", 3.0, "3"),
        ("!!float x", "x", "x"),
        ('!!bool "true"', True, "true"),
        ("!!bool yes", "yes", "yes"),
        ("!!null ''", None, ""),
        ("!!null x", "x", "x"),
        ("!Ref 12", "12", "12"),
        ("!vault |\n  12", "12", "12"),
        ("!!timestamp 2026-01-01", "2026-01-01", "2026-01-01"),
        ("! 12", "12", "12"),
        ("&a 99.90", 99.9, "99.90"),
        ("!!float &a 1e3", 1000.0, "1e3"),
    ],
)
def test_quotes_and_tags(written, value, spelling):
    """Quoted scalars are strings; the core schema's tags are obeyed, others leave the value as it is."""
    tree = document(f"a: {written}")
    assert (type(value), value) == (type(tree.data["a"]), tree.data["a"])
    assert spelling == tree.spelling(tree.data, "a")


@pytest.mark.parametrize("key", ["1", "true", "null", "~", "1.50", "0x10", "2026-01-01", "yes", "日本", "a b", "<x", "x:y"])
def test_keys_are_the_text_that_was_written(key):
    """A key is never a number, a date or null."""
    tree = document(f"{key}: 1\nother: 2\n")
    assert [key, "other"] == list(tree.data)
    assert (1, 1, len(key)) == place(tree.key_at(tree.data, key))


def test_quoted_and_empty_keys():
    """Keys in quotes, keys that are empty and keys that refer to an anchor are texts as well."""
    tree = document("\"a\\tb\": 1\n'c': 2\n?\n: 3\n&x d: &y e\n*y : 4\n")
    assert {"a\tb": 1, "c": 2, "": 3, "d": "e", "e": 4} == tree.data
    assert [(1, 1, 6), (2, 1, 3), (3, 2, 0), (5, 4, 1), (6, 1, 2)] == [place(tree.key_at(tree.data, key)) for key in tree.data]


def test_streams():
    """A stream has as many documents as it has; an empty one, or one of comments, has none."""
    assert [] == [tree.data for tree in documents("")]
    assert [] == [tree.data for tree in documents("# nothing\n")]
    assert [None] == [tree.data for tree in documents("---\n")]
    assert [None, {"a": 1}] == [tree.data for tree in documents("---\n---\na: 1\n")]
    assert [{"a": 1}, ["b"], "c"] == [tree.data for tree in documents("a: 1\n---\n- b\n--- c\n...\n")]
    assert [{"a": 1}, {"b": 2}] == [tree.data for tree in documents("---\n# x\na: 1\n---  \nb: 2\n")]


def test_anchors_end_with_their_document():
    """An alias cannot refer to an anchor of another document."""
    assert "*a is an alias, but no anchor &a stands before it" == unreadable("a: &a 1\n---\nb: *a\n").reason


# --- Where things stand -------------------------------------------------------------------------------------------------------

RULES = """\
# alerts of the shop
groups:
  - name: 店 🛒 shop   # a group
    rules:
    - alert: Down
      for: 5m
      expr: |
        up == 0
          and on() x
      labels: {severity: page, "team": 'a b'}
      annotations:

        summary: "{{ $labels.job }} is \\"down\\""
        limit: 99.90
        empty:
"""


def test_places_of_everything():
    """Lines and columns count characters from one; widths are those of the source."""
    tree = document(RULES)
    group = tree.data["groups"][0]
    rule = group["rules"][0]
    assert (2, 1, 0) == place(tree.at(tree.data))
    assert (2, 1, 6) == place(tree.key_at(tree.data, "groups"))
    assert (3, 3, 0) == place(tree.at(tree.data, "groups")) == place(tree.at(tree.data["groups"]))
    assert (3, 5, 0) == place(tree.at(tree.data["groups"], 0)) == place(tree.at(group)) == place(tree.at(tree.data["groups"], -1))
    assert (3, 11, 8) == place(tree.at(group, "name"))
    assert (5, 14, 4) == place(tree.at(rule, "alert"))
    assert (7, 13, 0) == place(tree.at(rule, "expr"))
    assert (10, 15, 0) == place(tree.at(rule["labels"]))
    assert (10, 16, 8) == place(tree.key_at(rule["labels"], "severity"))
    assert (10, 26, 4) == place(tree.at(rule["labels"], "severity"))
    assert (10, 32, 6) == place(tree.key_at(rule["labels"], "team"))
    assert (10, 40, 5) == place(tree.at(rule["labels"], "team"))
    assert (13, 18, 31) == place(tree.at(rule["annotations"], "summary"))
    assert (14, 16, 5) == place(tree.at(rule["annotations"], "limit"))
    assert (15, 15, 0) == place(tree.at(rule["annotations"], "empty"))
    assert "x.yaml:14:9" == str(tree.key_at(rule["annotations"], "limit"))


def test_places_of_what_is_not_there():
    """A missing key has its container's place, a foreign container the document's."""
    (_, tree) = documents("a: 1\n---\n- b:\n    c: 1\n")
    assert (4, 5, 0) == place(tree.at(tree.data[0]["b"], "missing")) == place(tree.key_at(tree.data[0]["b"], "missing"))
    assert (
        (3, 1, 0) == place(tree.at(tree.data, 7)) == place(tree.at(tree.data, "a")) == place(tree.at({})) == place(tree.at(None))
    )


def test_place_of_a_scalar_document():
    """A document that is one scalar, or nothing at all, has a place as well."""
    assert (2, 4, 0) == place(documents("a: 1\n---\n")[1].at(None))
    (_, tree) = documents("--- a\n--- b\n")
    assert (2, 5, 0) == place(tree.at(tree.data))


def test_windows_line_ends_and_byte_order_mark():
    """Neither moves a column."""
    tree = document("\ufeffa: 1\r\nb:\r\n  - c\r\n")
    assert [(1, 4, 1), (3, 5, 1)] == [place(tree.at(tree.data, "a")), place(tree.at(tree.data["b"], 0))]
    assert (1, 1, 1) == place(tree.key_at(tree.data, "a"))


def test_places_in_large_mappings():
    """Large mappings find their keys as well as small ones."""
    tree = document("".join(f"k{number}: {number}\n" for number in range(100)))
    assert [(number + 1, 1) for number in range(100)] == [
        (tree.key_at(tree.data, key).line, tree.key_at(tree.data, key).column) for key in tree.data
    ]


def test_anchors_and_tags_stand_before_the_value():
    """A scalar's place is behind its anchor and its tag; an alias stands where it is written, spelt as its original."""
    tree = document("a: &x !!float 99.90\nb: *x\nc: &y\n  d: 1\ne: &z\n  # why\n  text\nf: &e\ng: *e\n")
    assert [(1, 15, 5), (2, 4, 2)] == [place(tree.at(tree.data, key)) for key in "ab"]
    assert ["99.90", "99.90", "", "text", "", ""] == [tree.spelling(tree.data, key) for key in "abcefg"]
    assert (3, 4, 0) == place(tree.at(tree.data, "c"))
    assert (7, 3, 4) == place(tree.at(tree.data, "e"))
    assert [(8, 4, 0), (9, 4, 2)] == [place(tree.at(tree.data, key)) for key in "fg"]


def test_values_of_several_lines_have_no_width():
    """A width is only given for what ends in its line."""
    tree = document("a: b\n  c\nd: 'e\n  f'\ng: \"h\\\n  i\"\n")
    assert {"a": "b c", "d": "e f", "g": "hi"} == tree.data
    assert [0, 0, 0] == [tree.at(tree.data, key).width for key in "adg"]


INSIDE = [
    ("a: bcd", 2, (1, 6)),
    ("a: &x bcd", 2, (1, 9)),
    ("a: b  c\n  d e\n\n  f", 5, (2, 3)),
    ("a: b  c\n  d e\n\n  f", 9, (4, 3)),
    ("a: 'b''c d'", 2, (1, 8)),
    ("a: 'b''c d'", 1, (1, 6)),
    ("a: 'b\n  c'", 2, (2, 3)),
    ('a: "b\\tc\\u00e9d\\\\"', 2, (1, 8)),
    ('a: "b\\tc\\u00e9d\\\\"', 4, (1, 15)),
    ('a: "b\\tc\\u00e9d\\\\"', 5, (1, 16)),
    ('a: "b\\\n  c d"', 1, (2, 3)),
    ('a: "b\n\n\n  c"', 3, (4, 3)),
    ("a: |\n  b\n   c\n\n  d\n", 3, (3, 4)),
    ("a: |\n  b\n   c\n\n  d\n", 6, (5, 3)),
    ("a: |\n\n  b\n", 1, (3, 3)),
    ("a: |2\n    b\n   c\n", 2, (2, 5)),
    ("a: |2\n    b\n   c\n", 5, (3, 4)),
    ("a: >-\n  b b\n  c\n\n  d\n   e\n", 4, (3, 3)),
    ("a: >-\n  b b\n  c\n\n  d\n   e\n", 6, (5, 3)),
    ("a: >-\n  b b\n  c\n\n  d\n   e\n", 9, (6, 4)),
    ("a: >- # why\n  日本\n  語\n", 3, (3, 3)),
    ("a: |\r\n  b\r\n  c\r\n", 2, (3, 3)),
    ("a: &x |\n  bc\n", 1, (2, 4)),
    ("- &x |\n  bc\n- *x\n", 1, (2, 4)),
    ("a: b\r\n  c", 2, (2, 3)),
]


@pytest.mark.parametrize(("text", "offset", "expected"), INSIDE)
def test_places_inside_of_texts(text, offset, expected):
    """A character of a text is found again in the source, whichever way the text is written."""
    tree = document(text)
    key = list(tree.data)[-1] if isinstance(tree.data, dict) else -1
    found = tree.line_of(tree.data, key, offset)
    assert expected == (found.line, found.column)


@pytest.mark.parametrize("offset", [-1, 3, 100])
def test_places_outside_of_texts(offset):
    """What is no character of the text has the place of the text."""
    tree = document("a: bcd\nb: 12\n")
    assert (1, 4) == (tree.line_of(tree.data, "a", offset).line, tree.line_of(tree.data, "a", offset).column)
    assert (2, 4) == (tree.line_of(tree.data, "b", 0).line, tree.line_of(tree.data, "b", 0).column)


def test_last_line_end_of_a_block_has_the_place_of_the_block():
    """The line end that closes a block belongs to no line of it."""
    tree = document("a: |\n  b\n")
    assert tree.at(tree.data, "a") == tree.line_of(tree.data, "a", 1)


def test_places_inside_of_json_and_toml_texts():
    """JSON's escapes are followed, surrogate pairs too; TOML's long strings are not, and keep their own place."""
    tree = load_json('{"a": "x\\"\\ud83d\\ude00y"}', "x.json")
    assert (1, 23) == (tree.line_of(tree.data, "a", 3).line, tree.line_of(tree.data, "a", 3).column)
    tree = load_toml('a = """\nb\nc"""\n', "x.toml")
    assert tree.at(tree.data, "a") == tree.line_of(tree.data, "a", 2)


def test_places_that_cannot_be_told():
    """Where source and text do not fit together there is no place, rather than a wrong one."""
    assert place_inside("'b", 0, "a", 0) is None
    assert place_inside("ab", 0, "abc", 2) is None
    assert place_inside("|\n  a\n", 0, "b\n", 0) is None
    assert place_inside("|\n  a\n", 0, "xa\n", 1) is None
    assert place_inside("|\n  a\n", 0, "a\nb\n", 2) is None


# --- Anchors, merge keys, duplicate keys --------------------------------------------------------------------------------------


def test_aliases_share_their_container():
    """An alias is the very container that its anchor marks."""
    tree = document("a: &x {b: [1]}\nc: *x\nd: [*x]\n")
    assert tree.data["a"] is tree.data["c"] is tree.data["d"][0]
    assert (1, 8, 1) == place(tree.key_at(tree.data["c"], "b"))
    assert (2, 4, 0) == place(tree.at(tree.data, "c"))


def test_an_anchor_can_be_given_again():
    """An alias refers to the nearest anchor before it."""
    assert [1, 1, 2, 2] == document("[&a 1, *a, &a 2, *a]").data


def test_merge_keys():
    """Own keys win over merged ones, earlier mappings over later ones, and merged keys keep their place."""
    tree = document("- &one {a: 1, b: 1}\n- &two {b: 2, c: 2}\n- <<: [*one, *two]\n  c: 3\n- <<: *two\n- <<:\n    d: 4\n")
    assert [{"a": 1, "b": 1}, {"b": 2, "c": 2}, {"c": 3, "a": 1, "b": 1}, {"b": 2, "c": 2}, {"d": 4}] == tree.data
    assert [(4, 6), (1, 12), (1, 18)] == [(at.line, at.column) for at in (tree.at(tree.data[2], key) for key in tree.data[2])]
    assert (7, 5, 1) == place(tree.key_at(tree.data[4], "d"))


@pytest.mark.parametrize("text", ['"<<": {a: 1}', "<<: text", "<<: [text]", "<<: [{a: 1}, 2]"])
def test_what_is_no_merge_key(text):
    """In quotes, or with anything but mappings, << is a key like others."""
    assert ["<<"] == list(document(text).data)


def test_duplicate_keys():
    """The last value holds, and every repetition is a fault that names the first one's line."""
    tree = document("a: {x: 1}\nb: 2\n'a': 3\nc:\n  d: 1\n  d: 2\na: 4\n")
    assert {"b": 2, "c": {"d": 2}, "a": 4} == tree.data
    assert [
        ("duplicate-key", 3, 1, "key 'a' is given twice, first on line 1; only the last value is read"),
        ("duplicate-key", 6, 3, "key 'd' is given twice, first on line 5; only the last value is read"),
        ("duplicate-key", 7, 1, "key 'a' is given twice, first on line 1; only the last value is read"),
    ] == [(fault.kind, fault.at.line, fault.at.column, fault.message) for fault in tree.faults]
    assert (7, 4, 1) == place(tree.at(tree.data, "a"))
    assert (2, 4, 1) == place(tree.at(tree.data, "b"))


def test_many_duplicate_keys():
    """A document in which most keys are given twice is not read at all."""
    keys = "".join(f"k{number}: 1\n" for number in range(101))
    assert 100 == len(document(keys[: keys.index("k100")] * 2).faults)
    fault = unreadable(keys * 2)
    assert (202, "more than 100 keys are given twice") == (fault.at.line, fault.reason)


# --- Limits -------------------------------------------------------------------------------------------------------------------


def nested(depth, opening, closing="", middle=""):
    """Values nested that deep."""
    return opening * depth + middle + closing * depth


def indented(depth):
    """A block of mappings that deep."""
    return "".join(f"{' ' * level}a:\n" for level in range(depth))


@pytest.mark.parametrize(
    ("deep", "place_"),
    [
        (lambda depth: nested(depth, "[", "]"), (1, 101)),
        (lambda depth: nested(depth, "- ", middle="x\n"), (1, 201)),
        (indented, (101, 101)),
        (lambda depth: "".join(f"{'  ' * level}- a:\n" for level in range(depth // 2 + 1)), (51, 101)),
        (lambda depth: "a:\n" + "".join(f"{'  ' * level}- a:\n" for level in range(depth // 2)), (51, 101)),
    ],
)
def test_depth_is_limited(deep, place_):
    """As many levels as anybody needs are read; a deeper document is refused where it gets too deep, however deep it gets."""
    document(deep(MAX_DEPTH - 1))
    for depth in (MAX_DEPTH + 1, 1000):
        fault = unreadable(deep(depth))
        assert (place_, "values are nested more than 100 levels deep") == ((fault.at.line, fault.at.column), fault.reason)


def test_depth_is_counted_exactly():
    """A hundred levels are allowed, one more is not, in YAML, JSON and TOML alike."""
    for load in (load_yaml, load_json):
        load(nested(MAX_DEPTH, "[", "]"), "x")
        with pytest.raises(Unreadable, match="nested more than 100 levels"):
            load(nested(MAX_DEPTH + 1, "[", "]"), "x")
    load_toml(f"a = {nested(MAX_DEPTH - 1, '[', ']')}", "x")
    with pytest.raises(Unreadable, match="nested more than 100 levels"):
        load_toml(f"a = {nested(MAX_DEPTH, '[', ']')}", "x")
    assert is_plain(indented(MAX_DEPTH))
    assert not is_plain(indented(MAX_DEPTH + 1))


def test_aliases_cannot_go_deeper_than_what_is_written():
    """Chains of aliases count as the levels that a walk would meet."""
    text = "- &a0 [x]\n" + "".join(f"- &a{number} [*a{number - 1}]\n" for number in range(1, 200))
    fault = unreadable(text)
    assert ("values are nested more than 100 levels deep", 100) == (fault.reason, fault.at.line)


def test_billion_laughs():
    """Nine lines that stand for a billion values are refused, quickly."""
    lines = ["a0: &a0 [" + ", ".join(["lol"] * 10) + "]"]
    lines += [f"a{level}: &a{level} [{', '.join([f'*a{level - 1}'] * 10)}]" for level in range(1, 9)]
    fault = unreadable("\n".join(lines))
    assert ("up to here aliases stand for more than 1,000,000 values", 6) == (fault.reason, fault.at.line)


def test_many_harmless_aliases():
    """Files that share much, but little of much, are read."""
    tree = document("a: &a {b: [1, 2]}\nc:\n" + "  - *a\n" * 1000 + "d: &d [*a, *a]\ne: *d\n")
    assert 1000 == len(tree.data["c"])
    assert tree.data["d"] is tree.data["e"]


@pytest.mark.parametrize("text", ["&a [*a]", "&a {b: *a}", "a: &a\n  - {b: [*a]}", "&a {<<: *a}", "[&a [1, *a]]"])
def test_recursive_aliases(text):
    """What contains itself is refused."""
    assert "*a stands inside of what it refers to, so there is no end to it" == unreadable(text).reason


def test_large_files():
    """Files beyond the limit are not even decoded."""
    source = Source("x.yaml", b"#" * (MAX_BYTES + 1))
    with pytest.raises(Unreadable, match=r"x.yaml:1:1: the file is 20.0 MB large; at most 20 MB are read"):
        _ = source.text
    assert () == Source("x.yaml", b"#" * 1000).trees


# --- What cannot be read ------------------------------------------------------------------------------------------------------

ALIGN = "begin lines that belong together in the same column"
QUOTE = "put the value in quotes"
MISTAKES = {
    "a:\n\tb: 1": (2, 1, "a tab indents this; YAML wants spaces", "replace the tab by spaces"),
    "a:\n  b\n\tc: 1": (3, 1, "a tab indents this; YAML wants spaces", "replace the tab by spaces"),
    "a: |\n\tb": (2, 1, "a tab indents this; YAML wants spaces", "replace the tab by spaces"),
    "a: @b": (1, 4, "a value cannot begin with '@'", QUOTE),
    "a: `b`": (1, 4, "a value cannot begin with '`'", QUOTE),
    "a: %b": (1, 4, "a value cannot begin with '%'", QUOTE),
    "a: }": (1, 4, "a value cannot begin with '}'", QUOTE),
    "a: , b": (1, 4, "a value cannot begin with ','", QUOTE),
    "a: ? b": (1, 4, "a value cannot begin with '? '", QUOTE),
    "a\nb: 2": (2, 2, "a key cannot stand here: the line before is not finished, or indented differently", ALIGN),
    "a: 1\nb": (2, 1, "a key is not followed by ': '", "write key: value"),
    "a: b: c": (1, 5, "a second ': ' stands in this line", f"{QUOTE} if the colon is part of it"),
    "a: 1\n b: 2": (2, 3, "a key cannot stand here: the line before is not finished, or indented differently", ALIGN),
    "a: - b": (1, 4, "a list item cannot stand here", ALIGN),
    "a: 1\n- b": (2, 1, "a list item cannot stand here", ALIGN),
    'expr: "up" == 0': (1, 12, "nothing can follow a closing quote", "put other quotes around all of it"),
    "a: 'b'c": (1, 7, "nothing can follow a closing quote", "put other quotes around all of it"),
    "a: {b: 1}}": (1, 10, "this '}' closes nothing", "remove it, or put the value in quotes"),
    "a:\n  b: 1\n c: 2": (3, 2, "this does not fit into the mapping that begins on line 1", ALIGN),
    "- a\nb: 1": (2, 1, "the list that begins on line 1 wants '- ' here", ALIGN),
    "  a: 1\nb: 2": (2, 1, "this is indented less than the beginning of the document", ALIGN),
    "a: {b: 1\nc: 2": (2, 2, "the { on line 1 is not closed before this", "add }, or a comma between two entries"),
    "a: [b\nc: 2": (2, 2, "the [ on line 1 is not closed before this", "add ], or a comma between two items"),
    "b: 1\na: 'x\nc: 1\n": (2, 4, "the quote that opens here is not closed", "close the quote"),
    'a: "x\n---\n': (1, 4, "the quote that opens here is not closed", "close the quote"),
    "a: [b\n\n\n": (1, 6, "the [ on line 1 is not closed before this", "add ], or a comma between two items"),
    "a: |x\n  b": (1, 5, "nothing can follow | or > in its line", "begin the text in the next line"),
    "a: !x!y b": (1, 4, "this tag is not declared", f"{QUOTE} if the exclamation mark is part of it"),
    "a: *": (1, 5, "an alias or an anchor needs a name", f"{QUOTE} if * or & is part of it"),
    "a: *b": (1, 4, "*b is an alias, but no anchor &b stands before it", f"{QUOTE} if the star is part of it"),
    "*b : 1": (1, 1, "the key *b refers to no scalar before it", ""),
    "a: &x [1]\n*x : 1": (2, 1, "the key *x refers to no scalar before it", ""),
    "[a]: 1": (1, 1, "a list stands where a key is expected", "put the key in quotes if it is a text"),
    "a: 1\n? {b: 1}": (2, 3, "a mapping stands where a key is expected", "put the key in quotes if it is a text"),
    "<<<<<<< ours\na: 1\n=======\na: 2\n>>>>>>> theirs": (
        1, 1, "a merge conflict begins here", "keep one side, and remove the three marks",
    ),
    "a: 1\nb: \x00": (2, 4, "the character U+0000 is not allowed in YAML", "remove it"),
    "a: '\x1b[0m'": (1, 5, "the character U+001B is not allowed in YAML", "remove it"),
    "a: \ud800": (1, 4, "the character U+D800 is not allowed in YAML", "remove it"),
    "a: \x7f": (1, 4, "the character U+007F is not allowed in YAML", "remove it"),
}  # fmt: skip


@pytest.mark.parametrize(("text", "complaint"), MISTAKES.items())
def test_complaints(text, complaint):
    """A mistake is named in plain words, with its place and a remedy."""
    fault = unreadable(text)
    assert complaint == (fault.at.line, fault.at.column, fault.reason, fault.hint)
    assert not fault.template


@pytest.mark.parametrize("text", ['a: "\\d"', 'a: "\\x1"', 'a: "\\ud83d"'])
def test_complaints_about_escapes(text):
    """libyaml points at the backslash or just behind it; a remedy is given in any case."""
    fault = unreadable(text)
    assert (1, True) == (fault.at.line, fault.at.column in (5, 7))
    assert ("no character is written like this in double quotes", "double the backslash, or use single quotes") == (
        fault.reason,
        fault.hint,
    )


def test_half_characters_without_libyaml():
    """The parser in Python lets half a surrogate pair pass; we do not."""
    fault = by_events('a: ["\\ud83d"]', None)
    assert "x.yaml:1:5: \\ud83d is only half of a character" == str(fault)
    assert "é" == load_yaml('a: "é"', "x")[0].data["a"]


def test_complaints_without_a_translation():
    """What we have no better words for is said in the parser's."""
    assert "this is not YAML: found incompatible YAML document" == unreadable("%YAML 3.0\n---\na").reason[:50]


def test_pyyaml_without_libyaml(monkeypatch):
    """PyYAML can be built without the C parser; its parser in Python serves then."""
    with monkeypatch.context() as patched:
        patched.setitem(sys.modules, "yaml.cyaml", None)
        importlib.reload(yaml_events)
        assert yaml_events.CParser is None
        assert {"a": {"b": 1}} == load_yaml("a: {b: &x 1}", "x")[0].data
    importlib.reload(yaml_events)
    assert C_PARSER is yaml_events.CParser


def test_unreadable_can_be_sent_to_another_process():
    """Workers hand it back to the process that started them."""
    fault = Unreadable(Location("x", 2, 3), "reason", "hint", template=True)
    copy = pickle.loads(pickle.dumps(fault))
    assert (fault.at, "reason", "hint", True, "x:2:3: reason") == (copy.at, copy.reason, copy.hint, copy.template, str(copy))


# --- Templates ----------------------------------------------------------------------------------------------------------------

TEMPLATES = {
    "a: {{ .Values.x }}": (1, "Helm or Jinja"),
    "a: {{.Values.x}}\n": (1, "Helm or Jinja"),
    "- {{ x }}": (1, "Helm or Jinja"),
    "{{ x }}: 1": (1, "Helm or Jinja"),
    "a: {{ x }} and more": (1, "Helm or Jinja"),
    "a: 1\n{{- if .Values.x }}\nb: 2\n{{- end }}\n": (2, "Helm"),
    "a: 1\n{{- range $i := until 3 }}\nb: 2\n{{- end }}\n": (2, "Helm or Jinja"),
    "a:\n  {{- toYaml .Values.x | nindent 2 }}\n": (2, "Helm or Jinja"),
    "a: '{{ .Values.x }}'\n": (1, "Helm"),
    'a: 1\nb:\n  - "{{ $.Values.x }}-y"\n': (3, "Helm"),
    'name: "{{ .Release.Name }}-x"\n': (1, "Helm"),
    "name: '{{ include \"chart.name\" . }}'\n": (1, "Helm"),
    "name: '{{- include `chart.name` . | nindent 4 }}'\n": (1, "Helm"),
    "name: '{{ tpl .x . }}'\n": (1, "Helm"),
    "name: '{{ quote (include \"x\" .) }}'\n": (1, "Helm"),
    "version: '{{ .Chart.AppVersion }}'\n": (1, "Helm"),
    "a: '{{ .Capabilities.KubeVersion }}'\n": (1, "Helm"),
    "a: '{{`{{`}} $labels.x {{`}}`}}'\n": (1, "Helm"),
    '"{{ .Values.x }}": 1\n': (1, "Helm"),
    "a: |\n  {{ .Values.x }}\n": (1, "Helm"),
    "a: '{{ range .Alerts }}{{ .Values.B }}{{ end }}'\nb: '{{ .Values.x }}'\n": (2, "Helm"),
    '"{{ .Values.x }}"': (1, "Helm"),
    "apiVersion: v1\nkind: Service\nmetadata:\n  name: '{{ template \"name\" . }}'\n": (4, "Helm"),
    "{% if x %}\na: 1\n{% endif %}\n": (1, "Jinja"),
    "a: 1\n{%- for x in y %}\n": (2, "Jinja"),
    "a: '{% raw %}{{ $labels.x }}{% endraw %}'\n": (1, "Jinja"),
    "a: <%= x %>\n": (1, "ERB"),
    "a: '{{ cookiecutter.name }}'\n": (1, "Jinja"),
    "a: 1\nowner: ${{ values.owner | dump }}\n": (2, "Backstage"),
    "<% if x %>\na: 1\n<% end -%>\n": (1, "ERB"),
}
"""Text → line and engine."""


@pytest.mark.parametrize(("text", "expected"), TEMPLATES.items())
def test_templates(text, expected):
    """The source of a template engine is not checked, and that is said."""
    line, engine = expected
    fault = unreadable(text)
    assert (line, f"this is a {engine} template, so it was not checked", "check what it renders to", True) == (
        fault.at.line,
        fault.reason,
        fault.hint,
        fault.template,
    )


@pytest.mark.parametrize(
    "value",
    [
        "{{ $labels.instance }} is down",
        "{{$value | humanizePercentage}}",
        "{{ .Labels.job }} {{ .Value }}",
        "{{ with query `up{job=\"x\"}` }}{{ . | first | value }}{{ end }}",
        '{{ template "slack.title" . }}',
        "{{ range .Alerts }}{{ .Annotations.summary }}{{ end }}",
        "{{ range .Alerts }}{{ .Values.B }}{{ end }}",
        '{{ .GroupLabels.SortedPairs.Values | join " " }}',
        '{{ with .CommonLabels.Remove .GroupLabels.Names }}{{ .Values | join " " }}{{ end }}',
        '{{- if gt $value 5.0 -}}many{{- else -}}few{{- end -}}',
        "rate(x[{{.window}}])",
        "{{instance}} {{ le }}",
        "${{ github.event.release.name }}",
        "{{inputs.parameters.x}} {{values.cluster}}",
        "{{ .ReleaseURL }} {{ .Charts }} {{ .Value.x }}",
        "{{ $labels.include }} {{ includes .x }}",
        "100 %} {% of",
        "a <% b",
        "x <5%, y >95%",
        "{%",
        "{{",
    ],
)  # fmt: skip
def test_templates_in_texts_are_left_alone(value):
    """Rules, receivers, dashboards and workflows carry templates that are none of the file's."""
    for text in (json.dumps({"a": [value]}), yaml.safe_dump({"groups": [{"title": value}]}), f"a: |\n  {value}\n"):
        documents(text)
    assert document(f"metadata:\n  title: {json.dumps(value)}\n")
    assert document(f"apiVersion: v1\nkind: AlertmanagerConfig\nmetadata:\n  name: a\nspec:\n  title: {json.dumps(value)}\n")


def test_templates_in_comments_are_left_alone():
    """A comment may tell where a file comes from."""
    assert {"a": 1} == document("# from {{ .Values.x }} and {% if %}\na: 1\n").data


@pytest.mark.parametrize("text", ["a: {{ $labels.x }}", "a: {{ $labels.x }} is down", "- a: {{ .Labels.x }}: {{ $value }}"])
def test_forgotten_quotes_are_no_template(text):
    """A rule's own template without quotes is a mistake that can be mended."""
    fault = unreadable(text)
    assert ("a value that begins with {{ needs quotes", "put the whole value in quotes", False) == (
        fault.reason,
        fault.hint,
        fault.template,
    )


def test_mistakes_beside_texts_with_templates():
    """A rule file with a mistake is no template for the sake of its annotations."""
    fault = unreadable('a: "x: {{ humanize $value }}" b\nc: |\n  {{ range query "up" }}\n  {{ end }}\n')
    assert ("nothing can follow a closing quote", False) == (fault.reason, fault.template)


# --- JSON ---------------------------------------------------------------------------------------------------------------------

JSON = """{"a": [1, {"b": 99.90, "c": null}],
 "d\\"": "x", "e": {"f": -1e3, "日本": [[], {}]}}"""


def test_json():
    """A JSON file is read with its places, which are found when they are asked for."""
    tree = load_json(JSON, "x.json")
    assert json.loads(JSON) == tree.data
    assert (1, 1, 0) == place(tree.at(tree.data))
    assert (1, 7, 0) == place(tree.at(tree.data["a"])) == place(tree.at(tree.data, "a"))
    assert (1, 8, 1) == place(tree.at(tree.data["a"], 0))
    assert (1, 17, 5) == place(tree.at(tree.data["a"][1], "b"))
    assert ["99.90", "null"] == [tree.spelling(tree.data["a"][1], key) for key in "bc"]
    assert (2, 2, 5) == place(tree.key_at(tree.data, 'd"'))
    assert (2, 9, 3) == place(tree.at(tree.data, 'd"'))
    assert ("-1e3", (2, 25, 4)) == (tree.spelling(tree.data["e"], "f"), place(tree.at(tree.data["e"], "f")))
    assert (2, 31, 4) == place(tree.key_at(tree.data["e"], "日本"))
    assert (2, 42, 0) == place(tree.at(tree.data["e"]["日本"], 1))


def test_json_places_are_those_of_yaml():
    """Nearly all JSON is YAML, so both readers must agree."""
    for text in (JSON, '[{"a": {}, "b": []}, [[1], [2, "]"]], "{", true]', '"x"', "12", '{"a":{"a":{"a":"a"}}}'):
        assert inventory(load_yaml(text, "x")[0]) == inventory(load_json(text, "x"))


def test_json_duplicate_keys():
    """Duplicate keys are the same faults as in YAML, whatever the values are that no longer count."""
    text = '{"a": {"x": [1]}, "b": {"c": 1, "d": [2], "c": {"e": 3}},\n "a": [{"f": 1, "f": 2}], "a": 5}'
    tree = load_json(text, "x.json")
    assert {"a": 5, "b": {"c": {"e": 3}, "d": [2]}} == tree.data
    assert [
        (1, 43, "key 'c' is given twice, first on line 1; only the last value is read"),
        (2, 17, "key 'f' is given twice, first on line 2; only the last value is read"),
        (2, 2, "key 'a' is given twice, first on line 1; only the last value is read"),
        (2, 27, "key 'a' is given twice, first on line 1; only the last value is read"),
    ] == [(fault.at.line, fault.at.column, fault.message) for fault in tree.faults]
    assert (2, 32, 1) == place(tree.at(tree.data, "a"))
    assert (1, 54, 1) == place(tree.at(tree.data["b"]["c"], "e"))
    assert (1, 38, 0) == place(tree.at(tree.data["b"], "d"))


@pytest.mark.parametrize(
    ("text", "line", "column", "reason"),
    [
        ("", 1, 1, "this is not JSON: expecting value"),
        ('{"a": 1,\n b: 2}', 2, 2, "this is not JSON: expecting property name enclosed in double quotes"),
        ('{"a": [1, NaN]}', 1, 11, "this is not JSON: NaN is no number"),
        ('{"NaN": -Infinity}', 1, 9, "this is not JSON: -Infinity is no number"),
        ('{"a": "\\ud83d"}', 1, 7, "\\ud83d is only half of a character"),
        ('["\\ud83d\\ude00", "\\ude00\\ud83d"]', 1, 18, "\\ude00 is only half of a character"),
        ("[1] 2", 1, 5, "this is not JSON: extra data"),
        (f"[1, {'[' * 200}{']' * 200}]", 1, 104, "values are nested more than 100 levels deep"),
        ("[" * 100_000, 1, 101, "values are nested more than 100 levels deep"),
    ],
)
def test_json_mistakes(text, line, column, reason):
    """What is no JSON is said, with its place."""
    with pytest.raises(Unreadable) as caught:
        load_json(text, "x.json")
    assert (line, column, reason) == (caught.value.at.line, caught.value.at.column, caught.value.reason)


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ('{"a": 1,\n}', "remove the last comma"),
        ("[1, 2, ]", "remove the last comma"),
        ('{"a": 1, // one\n "b": 2}', "remove the comment; JSON has none"),
        ("# one\n{}", "remove the comment; JSON has none"),
        ("{'a': 1}", ""),
        ("[1 2]", ""),
    ],
)
def test_json_remedies(text, hint):
    """What JavaScript and YAML allow and JSON does not is said how to mend."""
    with pytest.raises(Unreadable) as caught:
        load_json(text, "x.json")
    assert hint == caught.value.hint


@pytest.mark.skipif(not hasattr(sys, "get_int_max_str_digits"), reason="this Python reads numbers of any length")
def test_json_number_of_many_digits():
    """A number that Python refuses to read is found."""
    with pytest.raises(Unreadable, match=r"x:1:2: this is not JSON: Exceeds the limit"):
        load_json(f"[{'9' * 5000}]", "x")


def test_json_on_an_exhausted_stack(monkeypatch):
    """Where Python has no stack left for even a shallow file, that is no traceback either."""

    def loads(*_, **__):
        raise RecursionError

    monkeypatch.setattr(json, "loads", loads)
    with pytest.raises(Unreadable, match="nested more than 100 levels"):
        load_json("[]", "x")


# --- TOML ---------------------------------------------------------------------------------------------------------------------

TOML = """\
title = "x"  # a title
[tool.reliability]
service = 'checkout'
since = 2026-01-01
"quoted key" = 99.90
tiers.gold = [1, 2]
ignore = { ALR001 = "because", SLO = "x" }
text = '''
service = no
[no.table]
'''

[[tool.items]]
name = "one"
[[tool.items]]
  name = "two"
  [tool.items.sub]
  deep = 10:00:00
[other]
"""


def test_toml():
    """A TOML file is read; tables and keys that have a line of their own have their exact places."""
    tree = load_toml(TOML, "x.toml")
    ours = tree.data["tool"]["reliability"]
    assert "2026-01-01" == ours["since"]
    assert "10:00:00" == tree.data["tool"]["items"][1]["sub"]["deep"]
    assert (1, 9, 3) == place(tree.at(tree.data, "title"))
    assert (2, 2, 0) == place(tree.at(ours))
    assert (3, 11, 10) == place(tree.at(ours, "service"))
    assert (3, 1, 7) == place(tree.key_at(ours, "service"))
    assert (5, 1, 12) == place(tree.key_at(ours, "quoted key"))
    assert ("99.90", (5, 16, 5)) == (tree.spelling(ours, "quoted key"), place(tree.at(ours, "quoted key")))
    assert (6, 1) == place(tree.key_at(ours["tiers"], "gold"))[:2]
    assert (6, 14) == place(tree.at(ours["tiers"], "gold"))[:2] == place(tree.at(ours["tiers"]["gold"], 1))[:2]
    assert (7, 10) == place(tree.at(ours["ignore"], "ALR001"))[:2]
    assert (8, 8) == place(tree.at(ours, "text"))[:2]
    items = tree.data["tool"]["items"]
    assert [(13, 3), (15, 3)] == [place(tree.at(items, number))[:2] for number in (0, 1)]
    assert [(14, 8, 5), (16, 10, 5)] == [place(tree.at(item, "name")) for item in items]
    assert (18, 10) == place(tree.at(items[1]["sub"], "deep"))[:2]
    assert (19, 2) == place(tree.at(tree.data["other"]))[:2]
    assert () == tree.faults


def test_toml_keys_that_are_not_found():
    """A key with an escape, and a header inside a long string, lead nowhere and do no harm."""
    tree = load_toml('"a\\tb" = 1\nc = [[\n]]\nd = """x"""\n[e.f]\n[e]\ng.h = 1\n', "x")
    assert (1, 1) == place(tree.at(tree.data, "a\tb"))[:2]
    tree = load_toml('"a\\tb".c = 1\n["a\\tb".d]\ne = 2\n', "x")
    assert (1, 1) == place(tree.at(tree.data["a\tb"]["d"], "e"))[:2]
    tree = load_toml(f"a = [\"{'.' * 2000}\", '{'.' * 2000}']", "x")
    assert [2000, 2000] == [len(item) for item in tree.data["a"]]
    tree = load_toml("a = '''\n''' \nb = 1\nx = [\n'a = 1',\n]", "x")
    assert (3, 5, 1) == place(tree.at(tree.data, "b"))
    tree = load_toml('a = """\n\'\'\'\n[[b]]\n[[b]]\n[b.c]\n[[d]]\n[d]\nd.e = 1\n"""\nb = [{}]\nd = [1]\n', "x")
    assert (10, 5) == place(tree.at(tree.data["b"], 0))[:2]
    tree = load_toml('# """\na = """\n[[b]]\n[[b]]\n[b.c]\n[[d]]\n[d]\nd.e = 1\n"""\nb = [{}]\nd = [1]\n', "x")
    assert {"x"} == {tree.at(tree.data["b"], 0).path, tree.at(tree.data["d"], 0).path}
    tree = load_toml("a = [\n  { b = 1 },\n]\nc = '''\\\n[x.y]\nz.q = 1\n'''", "x")
    assert (1, 5) == place(tree.at(tree.data["a"][0], "b"))[:2]


@pytest.mark.parametrize(
    ("text", "line", "column", "reason"),
    [
        ("a = 1\nb = \n", 2, 5, "this is not TOML: invalid value"),
        ("a", 1, 2, "this is not TOML: expected '=' after a key in a key/value pair"),
        ('a = "\\ud800"', 1, 12, "this is not TOML: escaped character is not a Unicode scalar value"),
        ("a = " + "[" * 5000, 1, 1, "values are nested more than 100 levels deep"),
        ("a" + ".a" * 500_000 + " = 1", 1, 1, "values are nested more than 100 levels deep"),
    ],
)
def test_toml_mistakes(text, line, column, reason):
    """What is no TOML is said, with its place."""
    with pytest.raises(Unreadable) as caught:
        load_toml(text, "x.toml")
    assert (line, column, reason) == (caught.value.at.line, caught.value.at.column, caught.value.reason)


# --- Files --------------------------------------------------------------------------------------------------------------------


def test_source_reads_by_the_ending():
    """JSON and TOML are told by the path; everything else is YAML."""
    assert [{"a": 1}] == [tree.data for tree in Source("x.json", b'{"a": 1}').trees]
    assert [{"a": 1}] == [tree.data for tree in Source("x.toml", b"a = 1").trees]
    assert [{"a": 1}, [2]] == [tree.data for tree in Source("x.yml", b"a: 1\n---\n- 2").trees]
    assert [{"a": 1}] == [tree.data for tree in Source("x", b'\xef\xbb\xbf{"a": 1}').trees]


def test_source_parses_once():
    """Readers that share a file share its trees."""
    source = Source("x.yaml", b"a: 1\n")
    assert source.trees is source.trees
    assert source.lines is source.lines
    assert DEFAULTS is source.settings
    ours = Settings(service="shop")
    assert ours is Source("x", b"", ours).settings


def test_source_raises_the_same_again():
    """A file that cannot be read is not read again, and the complaint does not grow."""
    source = Source("x.yaml", b"a: [")
    caught = []
    for _ in range(3):
        with pytest.raises(Unreadable) as raised:
            _ = source.trees
        caught.append(raised.value)
    assert caught[0] is caught[1] is caught[2]


def test_lines():
    """Lines come without their ends, whichever kind those are."""
    assert ("a", "b", "", "c\x85\u2028d") == Source("x", "a\r\nb\r\rc\x85\u2028d\n".encode()).lines
    assert ("a", "b") == Source("x", b"\xef\xbb\xbfa\nb").lines
    assert () == Source("x", b"").lines
    assert ("",) == Source("x", b"\n").lines


@pytest.mark.parametrize(
    ("data", "complaint"),
    [
        (b"a: 1\nb: \xe9t\xe9\n", "x:2:4: the byte 0xe9 is not UTF-8 text"),
        ("日本\n語".encode() + b"\xff", "x:2:2: the byte 0xff is not UTF-8 text"),
        (b"\xef\xbb\xbfab\x80", "x:1:3: the byte 0x80 is not UTF-8 text"),
        ("a".encode("utf-16"), "x:1:1: the file is UTF-16, as its byte order mark says; UTF-8 is expected"),
        (b"\xfe\xff\x00a", "x:1:1: the file is UTF-16, as its byte order mark says; UTF-8 is expected"),
    ],
)
def test_what_is_not_utf8(data, complaint):
    """The first byte that is no UTF-8 is named with its place, counted in characters."""
    for ask in (lambda source: source.text, lambda source: source.lines, lambda source: source.trees):
        with pytest.raises(Unreadable) as caught:
            ask(Source("x", data))
        assert (complaint, "save the file as UTF-8") == (str(caught.value), caught.value.hint)


def test_plain_files_do_not_import_pyyaml():
    """Reading a file as people write it does not pay for the import of a YAML parser."""
    script = (
        "import sys; from pytest_reliability.documents import Source; "
        "assert Source('x.yaml', b'a:\\n  - b: 1\\n').trees[0].data == {'a': [{'b': 1}]}; "
        "print('yaml' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert "False\n" == done.stdout


# --- Plain lines --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        RULES.replace('"team"', "team"),
        "a: 1\n",
        "- a\n- b\n",
        "---\na:\n- b\n- c:\n  - d\ne: f\n",
        "a: |\n  b\n\n    c\n# end\nd: >-\n  e\n  f\n\n",
        'a: [b, \'c, d\', "e: f"]\ng: {h: 1, i: "j"}\nk: []\nl: {}\n',
        "a: 'b''c'\nd: \"e\\\"f\\n\"\ng: -1\nh: -.5\ni: x # y\nj:   # z\n  k: l\n",
        "a: http://x/y?z#q\nb: a:b\n日本: 語\n",
    ],
)
def test_what_people_write_is_plain(text):
    """The fast way is taken for what rule files, SLOs and manifests consist of."""
    assert is_plain(text)
    documents(text)


NOT_PLAIN = [
    "a: 1", "a: &x 1\n", "a: *x\n", "a: !x 1\n", "<<: {a: 1}\n", "a: b\n  c\n", "a: b: c\n", "a: b:\n", "a\n", "'a': 1\n",
    "? a\n", "a: 1\na: 2\n", "- - a\n", "-\n", "- \n", "- # x\n  a\n", "a:\n  b\n", "a: 'b\n", "a: 'b\n  c'\n",
    "a: 'b' # c\n", "a: \"\\x41\"\n", "a: |+\n  b\n", "a: |2\n   b\n", "a: |\n\n  b\n", "a: |\nb: 1\n", "a: |\n   b\n  c\n",
    "a: |\n  b\n     \n", "a: >\n  b\n\n  c\n", "a: >\n  b\n   c\n", "a: | b\n", "a: [b, [c]]\n", "a: {b: 1, b: 2}\n",
    "a: {b: {c: 1}}\n", "a: [b,c]\n", "a: -\n", "a: - b\n", "...\n", "%YAML 1.2\n---\na: 1\n", "--- a\n", "---\n---\na: 1\n",
    "a: 1\n---\n", "a:\n  b: 1\n c: 1\n", "a:\n  - b\n  c: 1\n", "- a\nb: 1\n", "a: 1\n- b\n", "a: 1\r\n", "a:\tb\n",
    "a: \u0085\n", "a: b\u2028c\n", " a: 1\nb: 2\n", "  ---\n", "- a\n - b\n", "a: {b: 'c}\n", "a: \"b\"c\"\n", "a: '\n",
    "a: 'b'c'\n", "a: @b\n", "a: \ufeff\n",
]  # fmt: skip


@pytest.mark.parametrize("text", NOT_PLAIN)
def test_what_is_not_plain(text):
    """Anything that needs a parser goes to the parser, mistakes included."""
    assert not is_plain(text)


WORDS = st.sampled_from(["a", "b", "c", "team", "1", "日本"])
VALUES = st.sampled_from(
    ["x", "two words", "1", "-1", "- 1", "-x", "0x1F", "~", "null", "true", ".inf", '"q"', '"q\\n\\"z"', "'it''s'", "'a' # c",
     "x # c", "#c", "a:b", "http://x/y", "a: b", "a:", "[]", "{}", "[a, b]", '[1, "x, y"]', "{a: b}", "{a: 1, a: 2}",
     "{a: {b: c}}", "&a x", "*a", "!t x", "@x", "`", "%a", "'a", '"a', "x'y", "x  ", "日 本", "a,b", "{{ x }}", "<<", "=", "...",
     "---", "-", "?", "? x", "\\", "2026-01-01", "''", '""', '"a" "b"', "*"]
)  # fmt: skip
BLOCKS = st.lists(st.sampled_from(["text", "a: b", "", "# x", "- y", "  deep", "end  ", " "]), max_size=4)


@st.composite
def blocks(draw, depth=0, indent=0):
    """Lines of block YAML, most of them right."""
    lines = []
    listed = draw(st.booleans())
    for _ in range(draw(st.integers(1, 3))):
        start = " " * (indent + draw(st.sampled_from([0] * 15 + [1]))) + ("- " if listed else f"{draw(WORDS)}:")
        kind = draw(st.sampled_from("ssssbnnn"))
        if kind == "n" and depth < 4:
            inner = draw(blocks(depth + 1, indent + draw(st.sampled_from([2, 2, 2, 4] if listed else [2, 2, 0, 4]))))
            if listed and draw(st.booleans()):
                lines += [start + inner[0].lstrip(" "), *inner[1:]]
            elif listed:
                lines += [start + f"{draw(WORDS)}:", *inner]
            else:
                lines += [start + draw(st.sampled_from(["", "", "  ", " # c"])), *inner]
        elif kind == "b":
            pad = " " * (indent + draw(st.sampled_from([2, 2, 4, 1, 0])))
            style = draw(st.sampled_from(["|", "|-", ">", ">-", "|+", "> # c"]))
            lines += [f"{start.rstrip()} {style}", *(pad + line if line else "" for line in draw(BLOCKS))]
        else:
            lines.append(f"{start.rstrip()} {draw(VALUES)}")
        if draw(st.integers(0, 15)) == 0:
            lines.append(draw(st.sampled_from(["", "# c", "    # c", "   ", "---"])))
    return lines


@settings(max_examples=200, deadline=None)
@given(blocks())
def test_plain_lines_are_read_as_by_a_parser(lines):
    """Where the fast way does not decline, it gives exactly what the events give."""
    text = "\n".join(lines) + "\n"
    trees = yaml_lines.read(Text(text, "x.yaml"))
    if trees is not None:
        assert by_events(text) == [inventory(tree) for tree in trees]


# --- Anything at all ----------------------------------------------------------------------------------------------------------

TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\x85\u2028\u2029\ufeff"), max_size=30)
SIMPLE = st.none() | st.booleans() | st.integers(-(10**20), 10**20) | st.floats(allow_nan=False) | TEXTS
DATA = st.recursive(SIMPLE, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4), max_leaves=15)
UNSEEN = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]|\ufeff|\\{\\{|\\{%|<%")


def is_same(given, found):
    """Whether `found` is `given`, or what a text means in YAML 1.2 that PyYAML, by YAML 1.1, writes without quotes (`1e3`)."""
    if isinstance(given, dict):
        return list(given) == list(found) and all(is_same(given[key], found[key]) for key in given)
    if isinstance(given, list):
        return len(given) == len(found) and all(map(is_same, given, found))
    if isinstance(given, str) and not isinstance(found, str):
        return found == (int(given, 0) if re.fullmatch("0[ox].*", given) else float(given))
    return (type(given), given) == (type(found), found)


@settings(max_examples=150, deadline=None)
@given(DATA, st.booleans(), st.sampled_from([20, 80, 1000]))
@example({"a": "yes", "1:30": ["010", "2026-01-01", "<<", "=", "0o17", "1e3", "1_0"]}, False, 80)
def test_round_trip(data, flow, width):
    """What PyYAML writes is read again, and every place is where the key or the value begins."""
    text = yaml.safe_dump(data, allow_unicode=True, default_flow_style=flow, width=width, sort_keys=False)
    (tree,) = load_yaml(text, "x")
    assert is_same(data, tree.data)
    lines = Source("x", text.encode()).lines
    pending = [tree.data] if isinstance(tree.data, (dict, list)) else []
    while pending:
        container = pending.pop()
        for key, value in container.items() if isinstance(container, dict) else enumerate(container):
            at = tree.at(container, key)
            rest = lines[at.line - 1][at.column - 1 :]
            if isinstance(value, (dict, list)):
                pending.append(value)
                assert at == tree.at(value)
            elif isinstance(value, str):
                assert rest[:1] in tuple("'\"|>?!") or rest.startswith(value[: len(rest)].split("\n")[0].split(" ")[0])
            elif value is not None:
                assert rest.startswith(tree.spelling(container, key))
            assert at.width <= len(rest)
            if isinstance(key, str):
                at = tree.key_at(container, key)
                written = lines[at.line - 1][at.column - 1 :]
                assert written[:1] in tuple("'\"?") or written.startswith(key.split("\n")[0].split(" ")[0])


@settings(max_examples=150, deadline=None)
@given(DATA.filter(lambda data: "inf" not in repr(data)))
def test_json_round_trip(data):
    """JSON is read as the standard library reads it, with the places that YAML's reader finds, where it is YAML."""
    text = json.dumps(data, ensure_ascii=False)
    tree = load_json(text, "x")
    assert json.loads(text) == tree.data
    if not UNSEEN.search(text) and "\\" not in text and "Infinity" not in text and "\x85" not in text:
        (same,) = load_yaml(text, "x")
        if same.data == tree.data:
            assert inventory(same) == inventory(tree)


SNIPPETS = st.sampled_from(
    ["{{ .Values.x }}", "{{", "}}", "{% if %}", "<% %>", "&a ", "*a", "<<: ", ": ", "- ", "\n", "  ", "\t",
     "'", '"', "|\n", ">\n", "[",
     "]", "{", "}", ",", "#", "!!int ", "---\n", "...\n", "%", "\\", "\r", "\ufeff"]
)  # fmt: skip


def attempt(load, *arguments):
    """What a loader returns or raises."""
    try:
        return load(*arguments)
    except Unreadable as fault:
        return fault


@settings(max_examples=200, deadline=None)
@given(st.lists(SNIPPETS | st.text(max_size=5)).map("".join))
def test_no_text_does_any_harm(text):
    """Whatever a text is, it is read or it is Unreadable; places and spellings can always be asked for."""
    for load in (load_yaml, load_json, load_toml):
        trees = attempt(load, text, "x")
        if isinstance(trees, Unreadable):
            assert trees.reason
            assert 1 <= trees.at.line <= text.count("\n") + text.count("\r") + 1
            continue
        for tree in trees if isinstance(trees, tuple) else (trees,):
            assert inventory(tree)
            for container, key, value in tree.strings(tree.data):
                if key is not None and container[key] is value:
                    assert all(tree.line_of(container, key, offset).column for offset in range(len(value)))


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=60), st.sampled_from(["x.yaml", "x.json", "x.toml"]))
def test_no_bytes_do_any_harm(data, path):
    """Whatever bytes a file has, it is read or it is Unreadable."""
    trees = attempt(lambda: Source(path, data).trees)
    assert {path} == {trees.at.path} if isinstance(trees, Unreadable) else all(map(inventory, trees))


# --- Real files ---------------------------------------------------------------------------------------------------------------


def with_text_keys(value):
    """The same data with keys as text, as ours are."""
    if isinstance(value, dict):
        return {str(key): with_text_keys(inner) for key, inner in value.items()}
    return [with_text_keys(inner) for inner in value] if isinstance(value, list) else value


def test_corpus_agrees_with_ruamel(corpus):
    """Real files mean what ruamel.yaml, a parser of YAML 1.2 by other people, says; to us dates and binaries are texts."""
    from ruamel.yaml import YAML, SafeConstructor
    from ruamel.yaml.error import YAMLError

    class Texts(SafeConstructor):
        """Leaves dates and binaries as they are written."""

    for tag in ("timestamp", "binary"):
        Texts.add_constructor(f"tag:yaml.org,2002:{tag}", SafeConstructor.construct_yaml_str)
    files = sorted(path for path in corpus.rglob("*.y*ml") if path.stat().st_size < 10_000)
    compared = 0
    for path in random.Random(0).sample(files, 60):
        parser = YAML(typ="safe", pure=True)
        parser.Constructor = Texts
        try:
            expected = [with_text_keys(data) for data in parser.load_all(path.read_bytes())]
        except YAMLError:
            expected = None
        trees = attempt(lambda source: source.trees, Source(str(path), path.read_bytes()))
        if isinstance(trees, Unreadable):
            assert expected is None or trees.template, trees
            continue
        compared += 1
        assert expected == [tree.data for tree in trees], path
    assert compared > 40


def test_corpus_is_read_the_same_in_every_way(corpus):
    """Real files have the same values and places, read line by line or from events."""
    plain = 0
    for path in sorted(corpus.rglob("*.y*ml"))[::8]:
        source = Text(path.read_text("utf-8", errors="replace"), str(path))
        trees = yaml_lines.read(source)
        if trees is not None:
            plain += 1
            assert [inventory(tree) for tree in yaml_events.read(source)] == [inventory(tree) for tree in trees], path
    assert plain > 50
