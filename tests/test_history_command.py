"""`reliability history`, run as people run it on histories that were written by `History`."""

from __future__ import annotations

import json
import math
import re
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import cycle, islice
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pytest_reliability import cli, history_command
from pytest_reliability.contracts import Canvas
from pytest_reliability.latency.history import FOLDER, MACHINE, History, Record
from pytest_reliability.report import Measurement
from pytest_reliability.reporters._text import cells

HERE = "ci-large"
"""What the class of this machine is called in these tests."""

P95 = Measurement(
    name="POST /checkout",
    test="tests/test_shop.py::test_checkout",
    operation="POST /checkout",
    budget="p95 ≤ 50 ms",
    outcome="pass",
    reason="",
    limit=0.05,
    quantile=0.95,
    n=200,
    over=3,
)
ERRORS = replace(P95, budget="errors ≤ 1%", kind="errors", limit=1.7976931348623157e308, quantile=0.99, over=0)
SEARCH = replace(P95, test="tests/test_search.py::test_search", operation="", name="test_search")
RATE = replace(SEARCH, budget="throughput ≥ 200/s", kind="throughput", limit=1 / 200, quantile=0.5, low=1 / 260, high=1 / 250)

NOISE = (1.0, 1.02, 0.99, 1.01, 0.98)


def runs(measured: Measurement, seconds: Sequence[float | None], **others: object) -> Iterator[Record]:
    """Records of a run each day from the first of November, in which every sample took that long; None is an error."""
    for day, value in enumerate(seconds, start=1):
        samples = [math.inf if value is None else value] * 10
        bound = replace(measured, high=measured.high or value)
        date = f"2026-11-{day:02}T10:00:00+00:00"
        kept = Record.of(bound, samples if measured.kind != "throughput" else (), green=True, speed=0.001, date=date)
        yield replace(kept, **others)


def noisy(seconds: float, count: int) -> list[float]:
    """Times as they differ from run to run."""
    return [seconds * factor for factor in islice(cycle(NOISE), count)]


def slower(count: int = 13) -> list[float]:
    """Runs of which the last three take a third longer."""
    return [*noisy(0.030, count - 3), 0.040, 0.041, 0.040]


def kept(root: Path, *records: Iterator[Record], machine: str = HERE) -> History:
    """The history of a machine with these records."""
    history = History(root, machine)
    history.add(record for several in records for record in several)
    return history


@pytest.fixture
def shop(tmp_path, monkeypatch) -> Path:
    """A repository with us standing in it, on a machine whose class we know."""
    (tmp_path / ".git").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(MACHINE, HERE)
    monkeypatch.setenv("COLUMNS", "100")
    return tmp_path


@pytest.fixture
def run(capsys):
    """Run the command in this process and give what it printed, what it complained, and its exit code."""

    def run(*arguments: str) -> tuple[str, str, int]:
        try:
            code = cli.main(("history", *arguments))
        except SystemExit as stop:
            code = int(stop.code or 0)
        out, err = capsys.readouterr()
        return out, err, code

    return run


def document(shop: Path) -> None:
    """The history that the documentation shows."""
    *before, last = runs(P95, slower(), ratchet="pass")
    kept(
        shop,
        iter([*before, replace(last, ratchet="fail")]),
        runs(replace(ERRORS, over=1), noisy(0.03, 13)),
        runs(SEARCH, noisy(0.0029, 13)),
    )
    kept(shop, runs(P95, [0.03]), machine="laptop")


# --- For people ---


@pytest.mark.parametrize("arguments", [(), ("--of", "checkout"), ("--machine", "laptop"), ("-v",)])
def test_without_a_history_it_says_how_to_keep_one(shop, run, arguments):
    """One friendly line; that nothing is kept is no mistake."""
    out, err, code = run(*arguments)
    assert ("", 0, 1) == (err, code, out.count("\n"))
    assert "write into .reliability.yaml: latency: {history: true}, and run: pytest --reliability" in out


def test_what_the_documentation_shows_is_what_is_printed(shop, run):
    """The worst first, the trend, what the ratchet says, the limit that is far too loose, and where else there is something."""
    document(shop)
    out, err, code = run()
    page = Path(__file__, "../../docs/history.md").resolve().read_text(encoding="utf-8")
    assert ("", 0) == (err, code)
    assert f"$ reliability history\n{out}```" in page


def test_a_row_says_how_the_last_run_compares_with_the_limit(shop, run):
    """Times, shares of errors and rates each in the units of their limit, the blocks in proportion to zero."""
    errors = [replace(record, over=over) for record, over in zip(runs(ERRORS, [0.03] * 3), (0, 1, 2), strict=True)]
    kept(shop, runs(P95, [0.010, 0.020, 0.040]), iter(errors), runs(RATE, [0.0, 0.0]))
    head, *rows = run()[0].splitlines()[2:]
    assert "operation budget last runs first to latest of limit ratchet" == " ".join(head.split())
    assert [
        "POST /checkout p95 ≤ 50 ms pass 3 10.0 ms ▂▄█ 40.0 ms 80% off",
        "POST /checkout errors ≤ 1% pass 3 0% ▁▄█ 1% 100% –",
        "test_search throughput ≥ 200/s pass 2 250/s ██ 250/s 125% –",
    ] == [" ".join(row.split()) for row in rows]


def test_a_single_run_has_no_trend(shop, run):
    """Its figure says all there is."""
    kept(shop, runs(P95, [0.0456]))
    assert "POST /checkout  p95 ≤ 50 ms  pass     1          45.6 ms       91%  off" == run()[0].splitlines()[3]


def test_failed_calls_and_unknown_figures_are_seen_in_the_trend(shop, run):
    """As marks of their own; neither is a time, and neither is a share of the limit."""
    unknown = Record.of(replace(P95, n=0), (), green=True)
    kept(shop, runs(P95, [0.01, None]), iter([unknown]), runs(P95, [0.02, None]))
    kept(shop, runs(replace(ERRORS, n=0), [0.0] * 2), runs(replace(SEARCH, limit=0.0), [0.0] * 2))
    kept(shop, runs(replace(RATE, high=None, limit=0.0), [None] * 2))
    rows = [" ".join(row.split()) for row in run()[0].splitlines()[3:]]
    assert [
        "POST /checkout p95 ≤ 50 ms pass 5 10.0 ms ▄×·█× failed – off",
        "POST /checkout errors ≤ 1% pass 2 · ·· · – –",
        "test_search p95 ≤ 50 ms pass 2 0.00 ns ▁▁ 0.00 ns – off",
        "test_search throughput ≥ 200/s pass 2 · ·· · – –",
    ] == rows


def test_the_last_runs_are_drawn(shop, run):
    """From the first of those that there is room for."""
    kept(shop, runs(P95, [1.0] * 5 + [0.01] + [0.02] * 23))
    row = run()[0].splitlines()[3]
    assert ["29", "10.0", "ms", f"▄{'█' * 23}", "20.0", "ms", "40%", "off"] == row.split()[7:]


def test_a_ratchet_that_was_asked_for_says_what_it_has_found(shop, run):
    """In a word; --verbose has the reason, with the test, the date and the commit."""
    kept(shop, runs(P95, noisy(0.030, 13), ratchet="pass", revision="c0ffee" * 6))
    kept(shop, runs(SEARCH, noisy(0.030, 5), ratchet="inconclusive"))
    checkout, search = run()[0].splitlines()[3:]
    assert (True, True) == (checkout.endswith("%  no slower"), search.endswith("%  too few runs"))
    told = run("-v")[0].splitlines()[4:]
    assert "  tests/test_shop.py::test_checkout, last run 2026-11-13T10:00:00+00:00 at c0ffeec0ff" == told[0]
    assert told[1].startswith("  not shown to be more than 5% slower: p95 30.0 ms in the last 3 runs")
    assert [
        "  tests/test_search.py::test_search, last run 2026-11-05T10:00:00+00:00",
        "  no comparison yet: it needs 8 more green runs",
    ] == told[-2:]


def test_slower_code_is_told_even_where_nobody_asked(shop, run):
    """With what it means: no test fails for that."""
    kept(shop, runs(P95, slower()))
    _, row, *reason = run()[0].splitlines()[2:]
    assert row.endswith("%  SLOWER")
    words = " ".join(" ".join(reason).split())
    assert words.startswith("33% slower: p95 40.0 ms in the last 3 runs, 30.0 ms in 10 green ones before")
    assert words.endswith("; the test does not fail for that without ratchet=True")


def test_the_worst_comes_first(shop, run):
    """Fails and slower code, then what is undecided; the first line counts them. An outcome that we do not know has no name."""
    outcomes = ("pass", "inconclusive", "fail", "of the future")
    for outcome in outcomes:
        kept(shop, runs(replace(P95, operation=outcome, outcome=outcome), [0.01]))
    _, overview, _, *rows = run()[0].splitlines()
    assert "4 budgets: 1 FAIL, 1 inconclusive, 1 pass; runs from 2026-11-01 to 2026-11-01" == overview
    assert ["FAIL", "inconclusive", "·", "pass"] == [re.split("  +", row)[2] for row in rows]


def test_tests_that_measure_the_same_are_told_apart(shop, run):
    """By the test where it has an operation, by the file where two tests have one name."""
    other = "tests/test_other.py::test_search"
    kept(shop, runs(SEARCH, [0.01]), runs(replace(SEARCH, test=other), [0.01]))
    kept(shop, runs(replace(P95, operation="buy"), [0.01]), runs(replace(P95, operation="buy", test=other), [0.01]))
    names = [row.partition("  ")[0] for row in run()[0].splitlines()[3:]]
    expected = [
        "tests/test_search.py::test_search",
        "tests/test_other.py::test_search",
        "buy (test_checkout)",
        "buy (test_search)",
    ]
    assert expected == names


def test_long_lists_are_cut_with_the_count_of_the_rest(shop, run, monkeypatch):
    """And with the option that shows them."""
    monkeypatch.setattr(history_command, "ROWS", 1)
    kept(shop, runs(P95, [0.01]), runs(SEARCH, [0.01]), runs(ERRORS, [0.01]))
    assert "… and 2 more budgets; --verbose shows them all" == run()[0].splitlines()[-1]
    assert (True, False) == ("test_search" in (out := run("--verbose")[0]), "more" in out.splitlines()[-1])


def test_quiet_tells_of_what_has_become_bad_only(shop, run):
    """Nothing to say, nothing said."""
    kept(shop, runs(SEARCH, [0.01]))
    assert ("", "", 0) == run("-q")
    kept(shop, runs(P95, slower()), machine="laptop")
    assert ("", "", 0) == run("-q")
    head, row, *_ = run("-q", "--machine", "all")[0].splitlines()
    assert ("operation", "POST /checkout") == (head.partition("  ")[0], row.partition("  ")[0])


# --- Which of them ---


@pytest.mark.parametrize(
    ("of", "names"),
    [("CHECKOUT", ["POST /checkout", "POST /checkout"]), ("test_search", ["test_search"]), ("errors", ["POST /checkout"])],
)
def test_a_part_of_a_name_chooses(shop, run, of, names):
    """Of the test, of the operation, or of the budget, in whatever case."""
    kept(shop, runs(P95, [0.01]), runs(ERRORS, [0.01]), runs(SEARCH, [0.01]))
    assert names == [row.partition("  ")[0] for row in run("--of", of)[0].splitlines()[3:]]


def test_a_name_that_is_not_there_is_told(shop, run):
    """With the nearest one, or those that there are, cut short; and that nothing can be read where that is why."""
    kept(shop, *(runs(replace(P95, operation=f"GET /{letter}"), [0.01]) for letter in "abcdefghij"), runs(SEARCH, [0.01]))
    assert ("", 2) == (run("--of", "x")[0], run("--of", "x")[2])
    assert (
        "reliability: --of test_serach: nothing like that in the history\n  did you mean test_search?\n"
        == run("--of", "test_serach")[1]
    )
    assert "there are GET /a, GET /b, GET /c, GET /d, GET /e, GET /f, GET /g, GET /h and 3 more\n" in run("--of", "x")[1]
    (shop / FOLDER / f"{HERE}.jsonl").write_text("?\n")
    assert "there are no runs in it that can be read" in run("--of", "x")[1]


def test_machines_are_shown_one_at_a_time_or_all(shop, run):
    """This one unless another is named, by a part of its name; those without the operation are left out."""
    kept(shop, runs(P95, [0.01]))
    kept(shop, runs(SEARCH, [0.02]), machine="laptop")
    kept(shop, runs(SEARCH, [0.03]), machine="laptop-of-another")

    def shown(*arguments: str) -> list[str]:
        return re.findall(r"^── latency history: (\S+) ─", run(*arguments)[0], re.M)

    assert "other machines, with --machine NAME or --machine all: laptop, laptop-of-another" == run()[0].splitlines()[-1]
    assert [HERE] == shown()
    assert ["laptop"] == shown("--machine", "laptop")
    assert ["laptop", "laptop-of-another"] == shown("--machine", "LAP")
    assert [HERE, "laptop", "laptop-of-another"] == shown("--machine", "all")
    assert ["laptop", "laptop-of-another"] == shown("--machine", "all", "--of", "search")
    assert "\n\n── latency history: laptop ─" in run("--machine", "all")[0]


def test_a_machine_that_is_not_there_is_told(shop, run):
    """With those that there are; a name is no way out of the folder."""
    kept(shop, runs(P95, [0.01]))
    (shop / FOLDER / "...jsonl").touch()
    for wanted in ("raspberry", ".."):
        expected = f"reliability: --machine {wanted}: no history of such a machine\n  there are {HERE}\n"
        assert ("", expected, 2) == run("--machine", wanted)


def test_a_history_of_other_machines_is_better_than_none(shop, run, monkeypatch):
    """CI commits it, and people look at it where they are."""
    kept(shop, runs(P95, [0.01]))
    monkeypatch.setenv(MACHINE, "my-desk")
    out, _, code = run()
    assert (0, True) == (code, out.startswith(f"── latency history: {HERE} ─"))
    assert "nothing yet from machines like this one: my-desk" == out.splitlines()[-1]


def test_any_folder_of_the_repository_will_do(shop, run, monkeypatch, tmp_path_factory):
    """The history lies at its root, whoever asks from wherever."""
    kept(shop, runs(P95, [0.01]))
    expected = run()[0]
    (shop / "src").mkdir()
    assert expected == run("src")[0]
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))
    assert expected == run(str(shop))[0]
    assert ("", "reliability: nowhere: no such file or folder\n  name a folder to check\n", 2) == run("nowhere")


def test_a_damaged_history_is_told(shop, run):
    """The rest is shown; what cannot be read is no reason to say that all is well."""
    kept(shop, runs(P95, [0.01]))
    with (shop / FOLDER / f"{HERE}.jsonl").open("a") as file:
        file.write("{\n")
    warning = f"warning: .reliability/latency/{HERE}.jsonl:2: line left out of the history: no JSON"
    assert warning == run()[0].splitlines()[-1]
    assert [warning.removeprefix("warning: ")] == json.loads(run("--format", "json")[0])["machines"][0]["problems"]
    assert f"# {warning}" == run("--csv", "tables")[0].splitlines()[0]
    (shop / FOLDER / f"{HERE}.jsonl").write_text("{\n")
    assert "no runs that can be read" == run()[0].splitlines()[1]


# --- The canvas ---


@pytest.mark.parametrize("width", [40, 60, 80, 100, 140])
def test_nothing_is_wider_than_the_terminal(shop, run, monkeypatch, width):
    """A table where there is room, a paragraph for each budget where there is none."""
    document(shop)
    kept(shop, runs(replace(P95, operation="GET /カート/{カート番号}/配送先", outcome="inconclusive"), noisy(0.03, 13)))
    kept(shop, runs(RATE, [0.0] * 30))
    monkeypatch.setenv("COLUMNS", str(width))
    out, _, _ = run()
    assert all(cells(line) <= width for line in out.splitlines())
    assert (width >= 140) == ("first to latest" in out)


def test_a_narrow_terminal_gets_paragraphs(shop, run, monkeypatch):
    """The same facts as in a row; what has nothing to say is left out."""
    kept(shop, runs(P95, noisy(0.030, 13), ratchet="pass"), runs(replace(RATE, high=None), [0.0]))
    monkeypatch.setenv("COLUMNS", "60")
    assert [
        "POST /checkout  p95 ≤ 50 ms         pass",
        "  13 runs; 30.0 ms █████████████ 29.7 ms; 59% of the limit;",
        "  ratchet: no slower",
        "test_search     throughput ≥ 200/s  pass",
        "  1 run; ·",
    ] == run()[0].splitlines()[2:]


def test_japanese_names_are_aligned(shop, run):
    """Each column begins at the same cell, however many characters stand before it."""
    kept(shop, runs(replace(P95, operation="GET /カート"), [0.03] * 2), runs(replace(P95, operation="GET /cart"), [0.03] * 2))
    rows = run()[0].splitlines()[3:]
    assert 1 == len({cells(row.partition("p95")[0]) for row in rows})
    assert 1 == len({cells(row) for row in rows})


def test_colour_is_decoration(shop, run):
    """Only where it is wanted; without it the text is the same."""
    document(shop)
    plain, coloured = run()[0], run("--color", "always")[0]
    assert "\x1b[" not in plain
    assert "\x1b[1;31mSLOWER\x1b[0m" in coloured
    assert plain == re.sub(r"\x1b\[[0-9;]*m", "", coloured)


def test_a_file_cannot_write_on_our_screen(shop, run):
    """What a terminal would obey is shown as something else, wherever it stands in the file."""
    evil = "a\x1b[2J\nb"
    kept(shop, runs(replace(P95, operation=evil, budget=evil, outcome=evil, test=evil), slower(), date=evil, revision=evil))
    for arguments in ((), ("-v",), ("--machine", "all")):
        out, _, code = run(*arguments)
        assert (0, False) == (code, "\x1b" in out)


# --- For programs ---


def test_programs_get_every_run(shop, run):
    """As it was measured, in seconds; an error budget's limit is no time, and JSON knows no infinity."""
    kept(shop, runs(P95, [0.01, None], ratchet="inconclusive"), runs(ERRORS, [0.03]))
    kept(shop, runs(P95, [0.01]), machine="laptop")
    out, err, code = run("--format", "json")
    told = json.loads(out)
    assert ("", 0) == (err, code)
    assert (1, ["laptop"], [HERE]) == (told["schema"], told["others"], [machine["machine"] for machine in told["machines"]])
    (machine,) = told["machines"]
    times, errors = machine["budgets"]
    assert (True, []) == (machine["here"], machine["problems"])
    assert ("tests/test_shop.py::test_checkout", "POST /checkout", "latency") == (
        times["test"],
        times["operation"],
        times["kind"],
    )
    assert ("p95 ≤ 50 ms", 0.95, 0.05, "pass") == (times["budget"], times["quantile"], times["limit"], times["outcome"])
    reason = "no comparison yet: it needs 10 more green runs"
    assert ("inconclusive", reason, "") == (times["ratchet"], times["reason"], times["note"])
    assert [0.01, None] == [one["value"] for one in times["runs"]]
    assert {
        "date": "2026-11-01T10:00:00+00:00",
        "revision": "",
        "outcome": "pass",
        "green": True,
        "n": 200,
        "over": 3,
        "value": 0.01,
        "low": None,
        "high": 0.01,
        "speed": 0.001,
        "ratchet": "inconclusive",
        "limit": 0.05,
    } == times["runs"][0]
    assert ("errors", None, None, None) == (errors["kind"], errors["limit"], errors["runs"][0]["limit"], errors["ratchet"])
    assert ["laptop"] == [one["machine"] for one in json.loads(run("--format", "json", "--machine", "lap")[0])["machines"]]


def test_programs_get_json_where_there_is_no_history(shop, run):
    """An empty one."""
    assert {"schema": 1, "machines": [], "others": []} == json.loads(run("--format", "json")[0])


# --- For Apache Otava ---


def test_tables_are_written_with_an_otava_yaml_to_them(shop, run):
    """What is printed is a whole configuration; each table is a file that it names, seen from where we stand."""
    import yaml

    kept(shop, runs(P95, [0.01, 0.02]), runs(SEARCH, [0.03]), runs(ERRORS, [0.03]))
    out, err, code = run("--csv", "tables/otava")
    assert ("", 0) == (err, code)
    assert out.startswith("# 2 tables written to tables/otava; this belongs into otava.yaml\n")
    name = "tests-test-shop.py-test-checkout-post-checkout-p95"
    assert out.endswith(f"# then: OTAVA_CONFIG=otava.yaml otava analyze {name}\n")
    configuration = yaml.safe_load(out)
    files = {test: value["file"] for test, value in configuration["tests"].items()}
    assert {
        name: f"tables/otava/{name}.csv",
        "tests-test-search.py-test-search-p95": "tables/otava/tests-test-search.py-test-search-p95.csv",
    } == files
    assert [["latency"]] * 2 == [value["inherit"] for value in configuration["tests"].values()]
    template = configuration["templates"]["latency"]
    assert ("csv", "time", ["commit"]) == (template["type"], template["time_column"], template["attributes"])
    head, first, second = (shop / files[name]).read_text().splitlines()
    assert ["time", *template["attributes"], *template["metrics"]] == head.split(",")
    assert {-1} == {metric["direction"] for metric in template["metrics"].values()}
    assert ["2026-11-01T10:00:00+00:00,,10,10,10,10,10", "2026-11-02T10:00:00+00:00,,20,20,20,20,20"] == [first, second]


def test_only_what_was_chosen_is_written(shop, run):
    """The tables of several machines lie in folders of their own; -q writes them without a word."""
    for machine in (HERE, "laptop"):
        kept(shop, runs(P95, [0.01]), runs(SEARCH, [0.03]), machine=machine)
    assert ("", "", 0) == run("--csv", "tables", "--of", "search", "--machine", "all", "-q")
    assert {f"{machine}/tests-test-search.py-test-search-p95.csv" for machine in (HERE, "laptop")} == {
        path.relative_to(shop / "tables").as_posix() for path in (shop / "tables").rglob("*") if path.is_file()
    }
    assert '  "laptop-tests-test-search.py-test-search-p95":\n' in run("--csv", "tables", "--machine", "all")[0]


def test_nothing_to_write_is_told_in_a_comment(shop, run):
    """What is printed may be on its way into otava.yaml."""
    assert f"# {history_command.NOTHING}\n" == run("--csv", "tables")[0]
    kept(shop, runs(ERRORS, [0.03]))
    assert "# no times in the history that could be written\n" == run("--csv", "tables")[0]
    assert not (shop / "tables").exists()


def test_a_folder_that_cannot_be_written_is_told(shop, run):
    """By its name."""
    kept(shop, runs(P95, [0.01]))
    (shop / "tables").write_text("no folder")
    out, err, code = run("--csv", "tables")
    assert ("", 2) == (out, code)
    assert err.startswith("reliability: tables/tests-test-shop.py-test-checkout-post-checkout-p95.csv: cannot be written: ")


def test_tables_are_no_format(run):
    """One or the other, and the usage says so."""
    _, err, code = run("--csv", "tables", "--format", "json")
    assert (2, True) == (code, "argument --format: not allowed with argument --csv" in err)


# --- All of it ---


def test_the_help_ends_with_two_examples(run):
    """Both complete."""
    out, _, code = run("--help")
    assert 0 == code
    assert ["  reliability history", "  reliability history --of checkout --csv otava > otava.yaml"] == out.splitlines()[-2:]


FIGURES = st.one_of(st.none(), st.floats(1e-9, 1e6))


@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["latency", "max", "errors", "throughput", "queue"]),
            st.text(st.characters(codec="utf-8"), max_size=12),
            st.sampled_from(["pass", "fail", "inconclusive", "?"]),
            FIGURES,
            FIGURES,
            st.floats(0, 1),
            st.integers(0, 400),
        ),
        min_size=1,
        max_size=20,
    ),
    st.integers(40, 160),
)
def test_whatever_is_in_a_history_can_be_shown(lines, width):
    """As a table, as JSON and for Otava; no line is wider than the terminal."""
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setenv(MACHINE, HERE)
        root = Path(folder)
        history = History(root, HERE)
        history.add(
            replace(Record.of(P95, [0.01], green=True), kind=kind, operation=text, budget=text, outcome=outcome, value=value,
                    high=high, quantile=quantile, n=n)
            for kind, text, outcome, value, high, quantile, n in lines
        )  # fmt: skip
        past = history_command.recalled(root, machine="all")
        assert not past.machines[0].problems
        for verbose in (-1, 0, 1):
            told = history_command.rendered(past, "terminal", Canvas(width=width, verbose=verbose))
            assert all(cells(line) <= width for line in told.splitlines())
        assert 1 == len(json.loads(history_command.rendered(past, "json", Canvas()))["machines"])
        assert history_command.tabulated(past, root / "tables").startswith("#")
