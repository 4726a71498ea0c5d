"""Mechanical edits touch nothing else, and files are written whole or not at all."""

from __future__ import annotations

import json
import os
import stat
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_reliability import edits
from pytest_reliability.contracts import UsageError
from pytest_reliability.documents import Source, Unreadable
from pytest_reliability.edits import CannotEdit, apply, apply_all
from pytest_reliability.model.location import Location
from pytest_reliability.model.nodes import Replace, Rewrite, SetKey

SLO = """\
# Agreed with the shop team.
version: prometheus/v1
service:   'checkout'   # one of three

slos:
    - name: "availability"
      objective: "99.9"     # reviewed in May
      sli:
        events:
          error_query: >-
            sum(rate(http_requests_total{code=~"5.."}[{{.window}}]))
      # Nobody is woken yet.
      alerting: {name: Down, labels: {a: b}}
"""


def at(text: str, what: str, path: str = "slo.yaml") -> Location:
    """The place where `what` first stands in a text."""
    index = text.index(what)
    before = text[:index]
    return Location(path, before.count("\n") + 1, index - (before.rfind("\n") + 1) + 1)


def replaced(text: str, old: str, new: str, path: str = "slo.yaml", place: str = "") -> str:
    """The text after one replacement at the place of `old`."""
    return apply(path, text, Replace(at(text, place or old, path), old, new))


# Text for text


@pytest.mark.parametrize(
    ("place", "old", "new", "expected"),
    [
        ("objective", "objective", "target", SLO.replace("objective", "target")),
        ('"99.9"', "99.9", "0.999", SLO.replace("99.9", "0.999")),
        ("'checkout'", "checkout", "it's", SLO.replace("'checkout'", "'it''s'")),
        ('"availability"', "availability", 'a "b"', SLO.replace('"availability"', '"a \\"b\\""')),
        ("5..", "5..", "[45]..", SLO.replace("5..", "[45]..")),
        ("Down", "Down", "CheckoutDown", SLO.replace("Down", "CheckoutDown")),
        ("prometheus/v1", "", "x", SLO.replace("prometheus/v1", "xprometheus/v1")),
    ],
)
def test_a_replacement_changes_nothing_else(place, old, new, expected):
    """Comments, quotes, spaces and blank lines stay, and quotes inside quotes are escaped as the file needs it."""
    assert expected == replaced(SLO, old, new, place=place)


def test_a_replacement_that_was_done_before_changes_nothing():
    """Whoever runs it twice gets what they got the first time."""
    for old, new in (("", "~"), ("99.9", "99.95"), ("99.9", "0.999"), ("99.9", "9")):
        edit = Replace(at(SLO, '"99.9"'), old, new)
        once = apply("slo.yaml", SLO, edit)
        assert once == SLO.replace("99.9", new if old else "~99.9")
        assert once == apply("slo.yaml", once, edit)


@pytest.mark.parametrize(
    ("text", "old", "new", "reason"),
    [
        ("a: 1\nb: 2\n", "c", "d", "'c' does not stand there any more"),
        ("ab: 1\n", "a", "c", "'a' does not stand there any more"),
        ("a: 1\nb: 2\n", "a", "b", "a key would be there twice"),
        ("a: 1\nb: 2\n", "a", "'", "the file could not be read afterwards"),
        ("a: x\nb: 2\n", "x", "x # y", "it would change nothing that is read"),
        ("a: x\nb: 2\n", "x", "[x, y]", "it would change more than that"),
        ("a: x\nb: 2\n", "x", "x\nc: 3", "it would change more than that"),
        ("a: x\nb: 2\n", "x\nb: 2", "y\nb: 3", "it would change more than that"),
    ],
)
def test_a_replacement_that_would_do_harm_is_refused(text, old, new, reason):
    """The file has changed since, or would mean something else than was meant."""
    place = Location("slo.yaml", 1, text.index(old) + 1 if old in text else 1)
    with pytest.raises(CannotEdit, match=reason):
        apply("slo.yaml", text, Replace(place, old, new))


@pytest.mark.parametrize("place", [Location("a.yaml", 9, 1), Location("a.yaml", 1, 99)])
def test_a_place_that_is_not_there_is_refused(place):
    """The file has become shorter."""
    with pytest.raises(CannotEdit, match=r"only 2 lines|no column 99"):
        apply("a.yaml", "a: 1\n", Replace(place, "a", "b"))


def test_what_two_names_share_changes_for_both():
    """An anchor is one value in several places."""
    text = "a: &o 0.999\nb: *o\nc: {d: *o}\n"
    assert text.replace("0.999", "99.9") == replaced(text, "0.999", "99.9")
    shared = "a: &x {b: 0.999}\nc: *x\n"
    assert shared.replace("0.999", "99.9") == replaced(shared, "0.999", "99.9")


def test_json_and_other_texts_are_edited_too():
    """In JSON the quotes of a query are escaped; what nobody parses is replaced as it stands."""
    text = json.dumps({"query": 'x{le="1"}', "b": "c"}, indent=2)
    assert text.replace('le=\\"1\\"', 'le=\\"1.0\\"') == replaced(text, 'le="1"', 'le="1.0"', "a.json", 'le=\\"1')
    assert "# A\nb & d\n" == replaced("# A\nb c\n", "c", "& d", "a.md")


@settings(max_examples=150, deadline=None)
@given(text=st.text(min_size=1), new=st.text(), quote=st.sampled_from(["", "'", '"']))
def test_either_the_value_becomes_what_was_meant_or_nothing_does(text, new, quote):
    """Whatever stands in a value and is to stand there, no other outcome is possible."""
    dumped = {"'": "'" + text.replace("'", "''") + "'", '"': json.dumps(text, ensure_ascii=False), "": text}[quote]
    file = f"a: {dumped}\nb: [1, 2]\n"
    try:
        before = Source("a.yaml", file.encode("utf-8", "surrogatepass")).trees[0].data
        after = apply("a.yaml", file, Replace(Location("a.yaml", 1, 4), text, new))
    except (CannotEdit, Unreadable):
        return
    data = Source("a.yaml", after.encode()).trees[0].data
    assert list(before) == list(data)
    assert {key: before[key] for key in before if key != "a"} == {key: data[key] for key in data if key != "a"}
    if isinstance(before["a"], str) and isinstance(data["a"], str) and text in before["a"]:
        assert data["a"] == before["a"].replace(text, new, 1) or data["a"] == before["a"]


# A key of a mapping


def with_key(text: str, place: str, keys: str, value: object, path: str = "slo.yaml") -> str:
    """The text after one key was set in the mapping that begins at `place`; done twice, because that must not matter."""
    edit = SetKey(at(text, place, path), tuple(keys.split(".")), value)
    once = apply(path, text, edit)
    assert once == apply(path, once, edit)
    return once


@pytest.mark.parametrize(
    ("text", "place", "keys", "value", "expected"),
    [
        ("a: 1 # one\n\n# end\n", "a", "b", 2, "a: 1 # one\nb: 2\n\n# end\n"),
        ("a: 1", "a", "b", 2, "a: 1\nb: 2"),
        ("a: 1\r\nc: 3\r\n", "a", "b", "x", "a: 1\r\nc: 3\r\nb: x\r\n"),
        ("a: 1\nb: 2 # two\n", "a", "b", 3, "a: 1\nb: 3 # two\n"),
        ("a: 1\nb: 'x'\n", "a", "b", "y", "a: 1\nb: 'y'\n"),
        ('a: 1\nb: "x"\n', "a", "b", "y", 'a: 1\nb: "y"\n'),
        ("a:\nb: 2\n", "a", "a", 1, "a: 1\nb: 2\n"),
        ("a: # why\nb: 2\n", "a", "a.c", 1, "a: # why\n  c: 1\nb: 2\n"),
        ("a:\n    b: 1\n    # of a\nc: 2\n", "a", "a.d.e", 3, "a:\n    b: 1\n    d:\n        e: 3\n    # of a\nc: 2\n"),
        ("- a: 1\n  b: |\n    x\n    y\n\n- c: 2\n", "a", "d", 1, "- a: 1\n  b: |\n    x\n    y\n  d: 1\n\n- c: 2\n"),
        ("- b: |+\n    x\n\n- c: 2\n", "b", "d", 1, "- b: |+\n    x\n\n  d: 1\n- c: 2\n"),
        ("a: {b: 1}\n", "{", "c", "x y", "a: {b: 1, c: x y}\n"),
        ("a: {b: 1,}\n", "{", "c", 2, "a: {b: 1, c: 2}\n"),
        ("a: {}\n", "{", "c", [1, "2"], "a: {c: [1, '2']}\n"),
        ("a: {b: {c: 1}}\n", "{b", "b.d", True, "a: {b: {c: 1, d: true}}\n"),
        ('a: {"b": 1}\n', "{", "c", "x", 'a: {"b": 1, "c": "x"}\n'),
        ("a: 1\nb: 2\nc: 3\n", "a", "b", None, "a: 1\nc: 3\n"),
        ("a: 1\nb:\n  c: 2 # x\n  # y\n", "a", "b", None, "a: 1\n  # y\n"),
        ("- a: 1\n  b: 2\n", "a", "a", None, "- b: 2\n"),
        ("x:\n  a: 1\n", "a", "a", None, "x:\n  {}\n"),
        ("x: {a: 1, b: 2, c: 3}\n", "{", "a", None, "x: {b: 2, c: 3}\n"),
        ("x: {a: 1, b: 2, c: 3}\n", "{", "c", None, "x: {a: 1, b: 2}\n"),
        ("x: {a: 1}\n", "{", "a", None, "x: {}\n"),
        ("a: 1\nb: 2", "a", "b", None, "a: 1"),
        ("a: 1\n", "a", "b", None, "a: 1\n"),
        ("a: 1\n", "a", "b.c", None, "a: 1\n"),
        ("a: 1\nb:\n- x\n", "a", "c", ["v", {"z": 1}], "a: 1\nb:\n- x\nc:\n- v\n- z: 1\n"),
        ("a: 1\nb:\n  - x\n", "a", "b", ["v"], "a: 1\nb:\n  - v\n"),
        ("a: [1]\nb: 2\n", "a", "a", {"x": 1}, "a:\n  x: 1\nb: 2\n"),
        ("a: &x 1\nb: *x\n", "a", "c", 2, "a: &x 1\nb: *x\nc: 2\n"),
        ("a: &x 1\nb: *x\n", "a", "b", 2, "a: &x 1\nb: 2\n"),
        ("a: 1\n", "a", "b", "on", 'a: 1\nb: "on"\n'),
        ("a: 1\n", "a", "b", "1:30", 'a: 1\nb: "1:30"\n'),
        ("a: 1\n", "a", "b", "x\ny", "a: 1\nb: |-\n  x\n  y\n"),
        ("a: 1\n", "a", "b", Decimal("99.90"), "a: 1\nb: 99.9\n"),
        ("a: 1\n", "a", "b", Decimal(30), "a: 1\nb: 30\n"),
        ("a: 1\n---\nb: 2\n...\n", "b", "c", 3, "a: 1\n---\nb: 2\nc: 3\n...\n"),
        ("d: {e: 1}\na: &x {b: 1}\nc: *x\n", "{e", "f", 2, "d: {e: 1, f: 2}\na: &x {b: 1}\nc: *x\n"),
        ("a: 1\t# x\n", "a", "b", 2, "a: 1\t# x\nb: 2\n"),
        ("a: {b: 1 # x, y\n}\n", "{", "c", 2, "a: {b: 1, c: 2 # x, y\n}\n"),
        ("a: &x {b: 1}\nc: *x\nd: {e: 1}\n", "a", "d.f", "x y", "a: &x {b: 1}\nc: *x\nd: {e: 1, f: x y}\n"),
        ("a: &x 1\nb: &x 2\n", "a", "a", "z", "a: z\nb: &x 2\n"),
        ("a: &x\n  b: 1\nc: {}\nd: *x\n", "{}", "b", 1, "a: &x\n  b: 1\nc: {b: 1}\nd: *x\n"),
        ("値: 1 # 説明\n", "値", "担当", "決済", "値: 1 # 説明\n担当: 決済\n"),
    ],
)
def test_a_key_is_set_where_it_belongs_and_all_else_stays(text, place, keys, value, expected):
    """Block or braces, with the indentation, the line ends and the quotes that the file has."""
    assert expected == with_key(text, place, keys, value)


def test_a_key_is_set_in_a_real_specification():
    """Deep inside, beside comments and folded text."""
    assert SLO.replace("labels: {a: b}", "labels: {a: b, team: shop}") == with_key(
        SLO, 'name: "av', "alerting.labels.team", "shop"
    )
    more = SLO + "      labels:\n        owner: shop\n"
    assert more == with_key(SLO, 'name: "av', "labels", {"owner": "shop"})


@pytest.mark.parametrize("indent", [None, 2, 4, "\t"])
def test_json_stays_json(indent):
    """With the file's own indentation, and on one line where it is on one line."""
    data = {"a": {"b": 1, "c": "é"}, "d": []}
    text = json.dumps(data, indent=indent, ensure_ascii=False) + "\n"
    data["a"]["e"] = {"f": [1, "x"]}
    assert json.dumps(data, indent=indent, ensure_ascii=False) + "\n" == with_key(text, "{", "a.e", {"f": [1, "x"]}, "a.json")
    data["a"]["b"] = {"g": None} if indent is None else 2
    changed = json.dumps(data, indent=indent, ensure_ascii=False) + "\n"
    text = with_key(text, "{", "a.e", {"f": [1, "x"]}, "a.json")
    assert changed == with_key(text, "{", "a.b", data["a"]["b"], "a.json")


@pytest.mark.parametrize(
    ("text", "keys", "path", "reason"),
    [
        ("a: [x]\n", "a.b", "a.yaml", "a is no mapping"),
        ("- 1\n", "a", "a.yaml", "no mapping begins there"),
        ("a = 1\n", "b", "a.toml", "only YAML and JSON"),
        ("a: [\n", "b", "a.yaml", "could not be read"),
        ("? a\n: 1\n", "b", "a.yaml", "it would change more|could not be read"),
        ("a: &x {c: 1}\nb:\n  - *x\n", "d", "a.yaml", "alias"),
        ("b: &x 1\n? a # c\n: *x\n", "d", "a.yaml", "alias"),
    ],
)
def test_a_key_that_cannot_be_set_is_refused(text, keys, path, reason):
    """Nothing is guessed."""
    with pytest.raises(CannotEdit, match=reason):
        apply(path, text, SetKey(Location(path), tuple(keys.split(".")), 1))


MERGED = "a: &x {b: 1}\nc:\n  <<: *x\n"


def test_what_is_merged_in_is_changed_where_it_is_used_only():
    """Whoever edits one mapping does not mean all those that share something with it."""
    assert MERGED + "  b: 3\n" == with_key(MERGED, "a", "c.b", 3)
    with pytest.raises(CannotEdit, match="b is merged into it from elsewhere"):
        with_key(MERGED, "a", "c.b", None)
    with pytest.raises(CannotEdit, match="it would change more than that"):
        with_key(MERGED, "a", "a.d", 2)


def test_what_the_other_parser_cannot_read_is_refused(monkeypatch):
    """Two parsers may disagree about a file; then nothing is touched."""
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    def fail(*_: object) -> None:
        raise YAMLError("no")

    with pytest.raises(CannotEdit, match="no mapping begins there any more"):
        edits._Mappings("a.yaml", "a: 1\n").changed(99, ("b",), 1)
    monkeypatch.setattr(YAML, "compose_all", fail)
    with pytest.raises(CannotEdit, match="not written in a way that can be edited"):
        with_key("a: 1\n", "a", "b", 1)


NAMES = st.sampled_from(["a", "b", "c", "名前", "x y", "on", "1"])
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=120, deadline=None)
@given(
    data=st.dictionaries(NAMES, VALUES, min_size=1),
    keys=st.lists(NAMES, min_size=1, max_size=3),
    value=VALUES,
    indent=st.integers(2, 4),
    flow=st.sampled_from([None, False, True]),
)
def test_the_data_becomes_what_was_meant_or_the_edit_is_refused(data, keys, value, indent, flow):
    """Whatever a file holds, in every way of writing it: no other value changes, and a second time changes nothing."""
    import yaml

    text = yaml.safe_dump(data, indent=indent, default_flow_style=flow, allow_unicode=True, sort_keys=False)
    edit = SetKey(Location("a.yaml"), tuple(keys), value)
    try:
        before = Source("a.yaml", text.encode()).trees[0].data
        after = apply("a.yaml", text, edit)
    except (CannotEdit, Unreadable):
        return
    *way, last = keys
    holder = before
    for key in way:
        if holder.get(key) is None and value is None:
            break
        holder[key] = holder = {} if holder.get(key) is None else holder[key]
    else:
        if value is None:
            holder.pop(last, None)
        else:
            holder[last] = value
    assert repr(before) == repr(Source("a.yaml", after.encode()).trees[0].data)
    assert after == apply("a.yaml", after, edit)


# Several at once


def test_several_edits_of_a_file_do_not_disturb_each_other():
    """They are done from the end, so that places stay right; a byte order mark stays where it was."""
    done = [
        Replace(at(SLO, "objective"), "objective", "target"),
        SetKey(at(SLO, "name: "), ("labels", "owner"), "shop"),
        Replace(at(SLO, "prometheus/v1"), "prometheus/v1", "prometheus/v2"),
        Replace(at(SLO, "objective"), "objective", "target"),
    ]
    expected = SLO.replace("objective", "target").replace("us/v1", "us/v2") + "      labels:\n        owner: shop\n"
    assert ("\ufeff" + expected, []) == apply_all("slo.yaml", "\ufeff" + SLO, done)


def test_of_two_edits_of_one_place_one_is_refused():
    """Nobody knows which was meant."""
    one, other = Replace(at(SLO, "service"), "service", "app"), Replace(at(SLO, "service"), "service", "team")
    assert (SLO.replace("service", "app"), [(other, "'service' does not stand there any more")]) == apply_all(
        "slo.yaml", SLO, [one, other]
    )


def test_a_file_that_is_written_anew_takes_no_other_edit():
    """What was to be edited is gone; a second run sees what is left."""
    whole, other = Rewrite("slo.yaml", "new\n"), Replace(at(SLO, "service"), "service", "app")
    assert ("new\n", [(other, "the whole file is written anew; run it once more")]) == apply_all(
        "slo.yaml", SLO, [other, whole, Rewrite("slo.yaml", "new\n")]
    )
    assert "new\n" == apply("slo.yaml", SLO, whole)
    assert ("slo.yaml", "slo.yaml") == (edits.path_of(whole), edits.path_of(other))


# Writing


def test_text_is_written_as_given(tmp_path):
    """Line ends and characters of any script survive, and folders are made."""
    edits.write(tmp_path / "a/b.svg", "信頼性\r\nbronze\n")
    assert "信頼性\r\nbronze\n".encode() == (tmp_path / "a/b.svg").read_bytes()


@pytest.mark.parametrize("mode", [0o600, 0o755])
def test_permissions_are_kept(tmp_path, mode):
    """A file that was private stays private."""
    path = tmp_path / "a"
    path.write_text("old")
    path.chmod(mode)
    edits.write(path, "new")
    assert ("new", mode) == (path.read_text(), stat.S_IMODE(path.stat().st_mode))


def test_a_new_file_follows_the_umask(tmp_path):
    """Others can read what others could read."""
    before = os.umask(0o027)
    try:
        edits.write(tmp_path / "a", "new")
    finally:
        os.umask(before)
    assert 0o640 == stat.S_IMODE((tmp_path / "a").stat().st_mode)


def test_a_link_goes_on_being_a_link(tmp_path):
    """What it points at is what changes."""
    (tmp_path / "real").write_text("old")
    (tmp_path / "link").symlink_to("real")
    edits.write(tmp_path / "link", "new")
    assert (True, "new") == ((tmp_path / "link").is_symlink(), (tmp_path / "real").read_text())


def test_a_failure_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch):
    """Whatever goes wrong at the last moment, nobody finds half a file."""
    path = tmp_path / "a"
    path.write_text("old")

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(UsageError, match="a: cannot be written: No space left on device"):
        edits.write(path, "new")
    assert (["a"], "old") == ([entry.name for entry in tmp_path.iterdir()], path.read_text())


def test_a_folder_in_the_way_is_named(tmp_path):
    """The message says what could not be written."""
    with pytest.raises(UsageError, match="cannot be written"):
        edits.write(tmp_path, "new")
