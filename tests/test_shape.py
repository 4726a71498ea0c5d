"""Shapes: every way in which data can differ from one, with its place, its words and its remedy."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_reliability.documents import load_json, load_yaml
from pytest_reliability.model.nodes import Replace
from pytest_reliability.shape import (
    ANYTHING,
    BOOLEAN,
    DURATION,
    INTEGER,
    NUMBER,
    STRING,
    TEXT,
    URL,
    Either,
    Entries,
    Fields,
    Items,
    Scalar,
    choice,
    faults,
    nearest,
    or_nothing,
)

RULE = Fields(
    "a rule",
    {
        "alert": TEXT,
        "record": TEXT,
        "expr": TEXT,
        "for": DURATION,
        "labels": Entries(TEXT, r"[a-z_]+", "a label's name"),
        "notes": ANYTHING,
    },
    required=("expr",),
    one_of=(("alert", "record"),),
    at_most_one=(("for", "notes"),),
    renamed={"query": "expr"},
)


def found(shape, text, *value):
    """(kind, line, column, width, message, hint) of each fault in a YAML document."""
    (tree,) = load_yaml(text, "x.yaml")
    return [
        (fault.kind, fault.at.line, fault.at.column, fault.at.width, fault.message, fault.hint)
        for fault in faults(tree, shape, *value)
    ]


def said(shape, written):
    """Message and hint of the only fault of a value under the key `a`; None where there is none."""
    reported = found(Fields("it", {"a": shape}), f"a: {written}\n")
    assert len(reported) < 2
    return (reported[0][4], reported[0][5]) if reported else None


def test_right_data_has_no_faults():
    """What has the shape is passed over in silence."""
    text = "- {alert: A, expr: up, for: 5m, labels: {severity: 1, team: a}}\n- {record: b, expr: 1, notes: }\n"
    assert [] == found(Items(RULE, minimum=1, maximum=2), text)


def test_every_fault_has_its_place():
    """Wrong values are pointed at, unknown keys, the later of two keys that exclude each other, the mapping that lacks one."""
    text = """\
- alert: A
  record: b
  epxr: up
  for: five
  labels:
    Team: x
    team: [y]
  notes: 1
- colour: red
- 12
"""
    assert [
        ("unknown-key", 3, 3, 4, "'epxr' is not a key of a rule, so it is not read", "did you mean expr?"),
        ("wrong-value", 4, 8, 4, "for is 'five'; a duration such as 5m or 30d is expected", ""),
        ("wrong-value", 6, 5, 4, "'Team' cannot be a key of labels: a label's name is expected", ""),
        ("wrong-value", 7, 11, 0, "team is a list; a text is expected", ""),
        ("conflicting-fields", 2, 3, 6, "a rule has 'alert' and 'record', which exclude each other", "keep one of them"),
        ("conflicting-fields", 8, 3, 5, "a rule has 'for' and 'notes', which exclude each other", "keep one of them"),
        (
            "unknown-key", 9, 3, 6, "'colour' is not a key of a rule, so it is not read",
            "known here: alert, record, expr, for, labels, notes",
        ),
        ("missing-field", 9, 3, 0, "a rule has no 'expr'", "add expr: …"),
        ("missing-field", 9, 3, 0, "a rule has neither alert nor record", "add one of: alert, record"),
        ("wrong-value", 10, 3, 2, "the file[2] is '12'; a rule (a mapping) is expected", ""),
    ] == found(Items(RULE), text)  # fmt: skip


@pytest.mark.parametrize(
    ("shape", "text", "message"),
    [
        (RULE, "- a\n", "the file is a list; a rule (a mapping) is expected"),
        (RULE, "[]\n", "the file is an empty list; a rule (a mapping) is expected"),
        (RULE, "text\n", "the file is 'text'; a rule (a mapping) is expected"),
        (RULE, "---\n", "the file is empty; a rule (a mapping) is expected"),
        (Items(RULE), "a: 1\n", "the file is a mapping; a list is expected"),
        (Entries(TEXT), "- a\n", "the file is a list; a mapping is expected"),
        (TEXT, "- a\n", "the file is a list; a text is expected"),
        (NUMBER, "99.90x\n", "the file is '99.90x'; a number is expected"),
    ],
)
def test_a_whole_document_can_be_wrong(shape, text, message):
    """A document of another kind altogether is said to be one, at its beginning."""
    ((kind, line, column, _, words, _),) = found(shape, text)
    assert ("wrong-value", 1, message) == (kind, line, words)
    assert column == (4 if text == "---\n" else 1)


def test_a_part_can_be_compared():
    """Given a container of the tree, only that is compared; and null is a value like others."""
    (tree,) = load_yaml("a: {b: 1}\nc: {d: 2}\ne:\n", "x.yaml")
    shape = Fields("it", {"b": TEXT})
    assert [] == list(faults(tree, shape, tree.data["a"]))
    assert ["'d' is not a key of it, so it is not read"] == [fault.message for fault in faults(tree, shape, tree.data["c"])]
    assert ["the file is empty; it (a mapping) is expected"] == [fault.message for fault in faults(tree, shape, tree.data["e"])]


# --- Single values ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("shape", "accepted", "refused"),
    [
        (TEXT, ["a", "1", "1.5", "true", "''", "yes"], ["", "~", "[a]", "{b: c}"]),
        (STRING, ["a", "'1'", "yes", "1:30"], ["1", "1.5", "true", ""]),
        (NUMBER, ["1", "1.5", "0x1F", ".inf"], ["'1'", "true", "a", ""]),
        (INTEGER, ["1", "-1", "010"], ["1.0", "'1'", "true"]),
        (BOOLEAN, ["true", "FALSE"], ["yes", "1", "'true'", ""]),
        (DURATION, ["5m", "'30d'", "1h30m", "1.5s"], ["5", "5 m", "''", "m", "PT5M", ""]),
        (URL, ["https://example.com/x", "http://a"], ["example.com", "https://", "ftp://a", "https:///a", "https://a b"]),
        (choice("1", "true", "a"), ["1", "true", "a", "'a'"], ["2", "True", "b", ""]),
        (Scalar(optional=True), ["a", "", "~", "null"], ["[]"]),
        (Scalar(types=(), optional=True), [""], ["a", "1"]),
        (Scalar("99.90", accepts="99.90".__eq__), ["99.90", "'99.90'"], ["99.9"]),
        (ANYTHING, ["a", "", "[1]", "{b: c}"], []),
        (or_nothing(Items(TEXT), "a list"), ["", "[a]", "[]"], ["a", "[[b]]", "{c: d}"]),
        (Either((TEXT, Items(TEXT)), "one or more"), ["a", "[a]", "1"], ["{b: c}", "", "[[b]]"]),
        (Either((TEXT, Entries(TEXT)), "one or more"), ["a", "{b: c}"], ["[]", "{b: []}"]),
        (Items(TEXT, minimum=1, maximum=2), ["[a]", "[a, b]"], ["[]", "[a, b, c]", "a"]),
    ],
)
def test_kinds_of_values(shape, accepted, refused):
    """Each shape takes the values that it is for, and their spelling decides where spelling matters."""
    assert [] == [written for written in accepted if said(shape, written)]
    assert [] == [written for written in refused if not said(shape, written)]


@pytest.mark.parametrize(
    ("shape", "written", "message", "hint"),
    [
        (STRING, "12", "a is '12'; a text is expected", 'put it in quotes: "12"'),
        (STRING, "99.90", "a is '99.90'; a text is expected", 'put it in quotes: "99.90"'),
        (STRING, "true", "a is 'true'; a text is expected", 'put it in quotes: "true"'),
        (DURATION, "300", "a is '300'; a duration such as 5m or 30d is expected", ""),
        (NUMBER, "'99.9'", "a is '99.9'; a number is expected", "remove the quotes"),
        (NUMBER, "'1e-3'", "a is '1e-3'; a number is expected", "remove the quotes"),
        (NUMBER, "99.9%", "a is '99.9%'; a number is expected", ""),
        (NUMBER, "true", "a is 'true'; a number is expected", ""),
        (Scalar("a share", types=(float,), accepts="0.9".__eq__), "'0.8'", "a is '0.8'; a share is expected", ""),
        (BOOLEAN, "yes", "a is 'yes'; true or false is expected", "write true"),
        (BOOLEAN, "'Off'", "a is 'Off'; true or false is expected", "write false"),
        (BOOLEAN, "maybe", "a is 'maybe'; true or false is expected", ""),
        (BOOLEAN, "1", "a is '1'; true or false is expected", ""),
        (BOOLEAN, "", "a is empty; true or false is expected", ""),
        (choice("abort", "warn"), "Abort", "a is 'Abort'; one of abort, warn is expected", "did you mean abort?"),
        (choice("abort", "warn"), "wran", "a is 'wran'; one of abort, warn is expected", "did you mean warn?"),
        (choice("abort", "warn"), "ignore", "a is 'ignore'; one of abort, warn is expected", ""),
        (TEXT, "{b: c}", "a is a mapping; a text is expected", ""),
        (INTEGER, "[]", "a is an empty list; a whole number is expected", ""),
        (NUMBER, "x" * 61, f"a is '{'x' * 57}...'; a number is expected", ""),
        (NUMBER, "x" * 60, f"a is '{'x' * 60}'; a number is expected", ""),
        (NUMBER, '"a\\nb"', "a is 'a\\nb'; a number is expected", ""),
        (Items(TEXT, minimum=1), "[]", "a is an empty list; a list of at least 1 is expected", ""),
        (Items(TEXT, maximum=1), "[b, c]", "a is a list; at most 1 is allowed, not 2", ""),
        (Items(Items(NUMBER)), "[[1, b]]", "a[0][1] is 'b'; a number is expected", ""),
        (Either((TEXT, Items(TEXT)), "one or more"), "{b: c}", "a is a mapping; one or more is expected", ""),
        (or_nothing(Items(TEXT), "a list"), "text", "a is 'text'; a list is expected", ""),
    ],
)
def test_what_is_said_of_values(shape, written, message, hint):
    """The message names the key, its value as written and what is expected; the hint can be typed."""
    assert (message, hint) == said(shape, written)


def test_values_in_json_keep_their_spelling():
    """JSON has spellings as well."""
    tree = load_json('{"a": 99.90, "b": [1.0]}', "x.json")
    shape = Fields("it", {"a": STRING, "b": Items(INTEGER)})
    assert [
        ("x.json:1:7", "a is '99.90'; a text is expected"),
        ("x.json:1:20", "b[0] is '1.0'; a whole number is expected"),
    ] == [(str(fault.at), fault.message) for fault in faults(tree, shape)]


# --- Keys ---------------------------------------------------------------------------------------------------------------------


def unknown(shape, *keys):
    """The keys that are reported, each with its hint."""
    text = "".join(f"{key}: 1\n" for key in keys)
    return {message.split("'")[1]: hint for kind, _, _, _, message, hint in found(shape, text) if kind == "unknown-key"}


def test_unknown_keys():
    """A key that is not known is reported, with the right one or with all that are known."""
    shape = Fields("it", {"runbook": TEXT, "for": TEXT}, renamed={"playbook": "runbook"})
    assert {
        "Runbook": "did you mean runbook?",
        "playbook": "did you mean runbook?",
        "fro": "did you mean for?",
        "colour": "known here: runbook, for",
    } == unknown(shape, "Runbook", "playbook", "fro", "colour")


def test_a_long_list_of_known_keys_is_cut():
    """Nobody reads sixty keys in a hint."""
    twelve = "k0, k1, k2, k3, k4, k5, k6, k7, k8, k9, k10, k11"
    assert {"zzz": f"known here: {twelve}"} == unknown(Fields("it", {f"k{number}": TEXT for number in range(12)}), "zzz")
    assert {"zzz": f"known here: {twelve}, …"} == unknown(Fields("it", {f"k{number}": TEXT for number in range(13)}), "zzz")


def test_open_mappings():
    """An open mapping may have any key, but those that are known to be mistakes; extensions are allowed anywhere."""
    shape = Fields("it", {"runbook": TEXT}, renamed={"playbook": "runbook", "x-playbook": "runbook"}, open=True, extension="x-")
    assert {"playbook": "did you mean runbook?"} == unknown(shape, "playbook", "rumbook", "other", "x-playbook", "x-other")
    assert {"other": "known here: runbook"} == unknown(Fields("it", {"runbook": TEXT}, extension="x-"), "other", "x-other")


def test_growing_mappings():
    """A mapping that grows with each release tells misspellings from keys that are merely new."""
    shape = Fields(
        "it", dict.fromkeys(("api_key", "send_resolved", "url", "slack_configs"), ANYTHING), renamed={"uri": "url"}, growing=True
    )
    assert {
        "apiKey": "did you mean api_key?",
        "send_resovled": "did you mean send_resolved?",
        "uri": "did you mean url?",
        "slack_config": "did you mean slack_configs?",
    } == unknown(shape, "apiKey", "send_resovled", "uri", "slack_config", "api_key_file", "urn", "http_config", "resolved")


def test_a_misspelt_key_is_not_missing_as_well():
    """One mistake is reported once."""
    shape = Fields("it", {"expr": TEXT, "alert": TEXT, "record": TEXT}, required=("expr",), one_of=(("alert", "record"),))
    assert ["'Expr' is not a key of it, so it is not read", "'alrt' is not a key of it, so it is not read"] == [
        message for *_, message, _ in found(shape, "Expr: up\nalrt: A\n")
    ]


def test_required_keys_without_a_value():
    """A required key with nothing behind it is there, but empty, unless its shape allows that."""
    shape = Fields("it", {"a": TEXT, "b": ANYTHING, "c": Scalar(optional=True)}, required=("a", "b", "c"))
    assert ["a is empty; a text is expected"] == [message for *_, message, _ in found(shape, "a:\nb:\nc:\n")]


def test_groups_of_keys():
    """Of a group one is needed, and only one may have a value."""
    shape = Fields("it", dict.fromkeys("abc", Scalar(optional=True)), one_of=(("a",),), at_most_one=(("b", "c"),))
    assert [("it has no 'a'", "add one of: a")] == [(message, hint) for *_, message, hint in found(shape, "b: 1\nc:\n")]
    assert ["it has 'b' and 'c', which exclude each other"] == [message for *_, message, _ in found(shape, "a: 1\nb: 1\nc: 2\n")]
    three = Fields("it", dict.fromkeys("abc", TEXT), at_most_one=(("a", "b", "c"),))
    assert ["it has 'a' and 'b' and 'c', which exclude each other"] == [
        message for *_, message, _ in found(three, "a: 1\nc: 1\nb: 2\n")
    ]


def test_shapes_may_contain_themselves():
    """Trees of routes, for example."""
    known = {"receiver": TEXT}
    route = Fields("a route", known)
    known["routes"] = Items(route)
    assert ["'reciever' is not a key of a route, so it is not read"] == [
        message for *_, message, _ in found(route, "receiver: a\nroutes:\n  - receiver: b\n    routes:\n      - reciever: c\n")
    ]


@pytest.mark.parametrize(
    ("word", "known", "meant"),
    [
        ("runbookUrl", ["runbook_url", "url"], "runbook_url"),
        ("page-alert", ["pageAlert"], "pageAlert"),
        ("objectve", ["objective", "objectives"], "objective"),
        ("lables", ["labels"], "labels"),
        ("annotation", ["annotations"], "annotations"),
        ("descripton", ["description", "display_name"], "description"),
        ("fro", ["for", "expr"], "for"),
        ("exp", ["for", "expr"], "expr"),
        ("exrp", ["for", "expr"], "expr"),
        ("expresion", ["for", "expr"], None),
        ("force", ["for", "expr"], None),
        ("from", ["for", "expr"], None),
        ("foo", ["for", "expr"], None),
        ("or", ["for", "expr"], None),
        ("job", ["for", "expr"], None),
        ("text", ["for", "expr"], None),
        ("port", ["sort", "host"], None),
        ("", ["for"], None),
        ("日本", ["for"], None),
        ("x", [], None),
    ],
)
def test_nearest(word, known, meant):
    """Misspellings are recognised; short words that merely have letters in common are not mistaken for one."""
    assert meant == nearest(word, known)
    assert meant == nearest(word, dict.fromkeys(known))


# --- Anything at all ----------------------------------------------------------------------------------------------------------

NAMES = st.sampled_from(["alert", "record", "expr", "for", "labels", "notes", "query", "other", "Expr"])
VALUES = st.recursive(
    st.sampled_from(["a", "5m", "", 1, 1.5, True, None]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=5),
    max_leaves=12,
)


@given(VALUES)
def test_no_data_does_any_harm(data):
    """Whatever the data are, every fault has words and a place in the document."""
    import json

    text = json.dumps(data)
    tree = load_json(text, "x.json")
    for shape in (
        RULE,
        Items(RULE),
        Entries(RULE),
        or_nothing(RULE, "a rule"),
        TEXT,
        Items(Either((TEXT, RULE), "a rule or its name")),
    ):
        for fault in faults(tree, shape):
            assert 1 <= fault.at.column <= len(text)
            assert fault.message
            assert not fault.message.endswith(".")
            assert not fault.hint.endswith(".")


def test_the_same_mistake_many_times_is_looked_up_once(monkeypatch):
    """Looking for the nearest key is slow, and a generated file repeats its mistakes."""
    asked = []

    def counting(word, known):
        asked.append(word)
        return nearest(word, known)

    monkeypatch.setattr("pytest_reliability.shape.nearest", counting)
    order = random.Random(0).choices(["colour", "epxr"], k=100)
    text = "".join(f"- {{alert: A, expr: up, {key}: 1}}\n" for key in order)
    assert order == [fault[4].split("'")[1] for fault in found(Items(RULE), text)]
    assert {"colour", "epxr"} == set(asked)
    assert 2 == len(asked)


SPEC = Fields("a spec", {"window": Items(TEXT), "parts": Items(Fields("a part", {"name": TEXT, "sliceWindow": DURATION}))})


def test_a_key_that_is_read_further_out_belongs_there():
    """People forget how deep they are; what is merely alike is not meant where it holds something else."""
    assert [("unknown-key", "it belongs in a spec")] == _hints("parts: [{name: a, window: [28d]}]\n")
    assert [("unknown-key", "did you mean sliceWindow?")] == _hints("parts: [{name: a, slicewindow: [5m]}]\n")
    assert [("unknown-key", "did you mean sliceWindow?")] == _hints("parts: [{name: a, sliceWindows: [5m]}]\n")
    assert [("unknown-key", "did you mean sliceWindow?")] == _hints("parts: [{name: a, sliceTheWindow: 5m}]\n")
    assert [("unknown-key", "known here: name, sliceWindow")] == _hints("parts: [{name: a, sliceTheWindow: [5m]}]\n")
    assert [("unknown-key", "known here: window, parts")] == _hints("name: a\n")
    part = SPEC.known["parts"].of
    (tree,) = load_yaml("{name: a, window: [28d]}\n", "x.yaml")
    assert ["it belongs in a spec"] == [fault.hint for fault in faults(tree, part, inside=(SPEC,))]


def _hints(text):
    return [(kind, hint) for kind, *_, hint in found(SPEC, text)]


def test_a_missing_key_comes_with_what_it_may_be():
    """Where there are few words to choose from."""
    shape = Fields("it", {"method": choice("Counts", "Slices"), "size": INTEGER}, required=("method", "size"))
    assert ["add method: Counts or Slices", "add size: …"] == [hint for *_, hint in found(shape, "{}\n")]


def edits(shape, text):
    """What would be written for what, at which line and column, for each fault of a YAML document."""
    (tree,) = load_yaml(text, "x.yaml")
    return [
        (fault.edit.at.line, fault.edit.at.column, fault.edit.old, fault.edit.new) if isinstance(fault.edit, Replace) else None
        for fault in faults(tree, shape)
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{alert: A, epxr: up}", [(1, 12, "epxr", "expr")]),
        ("{alert: A, query: up}", [(1, 12, "query", "expr")]),
        ('{alert: A, "epxr": up}', [(1, 12, "epxr", "expr")]),
        ("{alert: A, epxr: up, expr: down}", [None]),
        ("{alert: A, epxr: [up]}", [None]),
        ("{alert: A, expr: up, lables: {Team: a}}", [None]),
        ("{alert: A, expr: up, lables: {team: a}}", [(1, 22, "lables", "labels")]),
        ("{alert: A, expr: up, colour: red}", [None]),
        ("{alert: A, expr: 1h, for: five}", [None]),
    ],
)
def test_a_misspelt_key_can_be_replaced_where_its_value_is_right(text, expected):
    """Another name for a value that does not belong there, or a second key of the name, would mend nothing."""
    assert expected == edits(RULE, text)


def test_a_key_that_is_meant_for_another_place_is_not_replaced():
    """What `renamed` says may be words for people."""
    shape = Fields("it", {"a": TEXT}, renamed={"b": "a.b"})
    assert ([("did you mean a.b?")], [None]) == ([hint for *_, hint in found(shape, "b: 1\n")], edits(shape, "b: 1\n"))
