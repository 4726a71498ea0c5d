"""The terminal reporter and the summary: what people read."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import reports
from pytest_reliability.contracts import Canvas
from pytest_reliability.model.location import Location
from pytest_reliability.report import Level, Responsibility, Severity, Standing, Waiver
from pytest_reliability.reporters import summary, terminal
from pytest_reliability.reporters._next import steps
from pytest_reliability.reporters._text import cells, clean, fold, pad, plural, wrapped
from pytest_reliability.reporters._words import budgets, checks, headline, interval, level, quantile, samples, titles

PLAIN = Canvas(width=100)
QUIET = Canvas(width=100, verbose=-1)
VERBOSE = Canvas(width=100, verbose=1)
ESCAPES = re.compile(r"\x1b\[[0-9;]*m")


def lines_of(text: str) -> list[str]:
    """The lines of a text that ends with a newline, as every reporter's does."""
    assert text.endswith("\n")
    return text.removesuffix("\n").split("\n")


# Findings


def test_a_finding_reads_like_a_compiler_message() -> None:
    """Place, severity, message and code on the line that editors follow; then the text, what to do, and where to read why."""
    expected = [
        "alerts/checkout.yaml:14:24: error: alert 'CheckoutSlow' names a runbook that is not there [ALR002 missing-runbook]",
        "   14 |           runbook_url: docs/runbooks/checkout-slow.md",
        "      |                        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^",
        "  do: reliability new runbook CheckoutSlow",
        "  why: reliability explain ALR002",
    ]
    assert expected == terminal.finding_lines(reports.finding(), PLAIN)


def test_a_finding_without_source_or_hint_is_one_line_and_its_reason() -> None:
    """A file that is not there has no line to show."""
    bare = reports.finding(source="", hint="", message="service 'checkout' has no SLO", path="README.md", line=1, column=1)
    assert [
        "README.md:1:1: error: service 'checkout' has no SLO [ALR002 missing-runbook]",
        "  why: reliability explain ALR002",
    ] == terminal.finding_lines(bare, PLAIN)


def test_a_hint_and_a_message_of_several_lines_stay_together() -> None:
    """What follows the first line is indented under it."""
    lines = terminal.finding_lines(reports.finding(message="one\ntwo", hint="first\nsecond", source=""), PLAIN)
    assert [
        "alerts/checkout.yaml:14:24: error: one [ALR002 missing-runbook]",
        "  two",
        "  do: first",
        "      second",
        "  why: reliability explain ALR002",
    ] == lines


def test_a_finding_with_an_empty_message_does_not_break() -> None:
    """A plugin's check may say nothing at all."""
    assert (
        "alerts/checkout.yaml:14:24: error:  [ALR002 missing-runbook]"
        == terminal.finding_lines(reports.finding(message=""), PLAIN)[0]
    )


def test_a_waived_finding_says_by_whom_and_until_when() -> None:
    """A waiver hides nothing."""
    lines = terminal.finding_lines(reports.finding(waiver=reports.SIX_WEEKS, source=""), PLAIN, why=False)
    assert [
        "alerts/checkout.yaml:14:24: waived: alert 'CheckoutSlow' names a runbook that is not there [ALR002 missing-runbook]",
        "  waived until 2026-12-01 by payments: one node is enough in staging",
        "  do: reliability new runbook CheckoutSlow",
    ] == lines


@pytest.mark.parametrize(
    ("source", "column", "width", "text", "carets"),
    [
        ("for: 5x", 6, 2, "for: 5x", "     ^^"),
        ("for: 5x", 6, 0, "for: 5x", "     ^"),
        ("\tfor:\t5x", 7, 2, "    for:    5x", "            ^^"),
        ("概要: タイムアウト", 5, 6, "概要: タイムアウト", "      ^^^^^^^^^^^^"),
        ("ｶﾅ: x", 5, 1, "ｶﾅ: x", "    ^"),
        ("cafe\u0301: x", 8, 1, "cafe\u0301: x", "      ^"),
        ("abc", 2, 99, "abc", " ^^"),
        ("abc", 4, 1, "abc", "   ^"),
        ("abc", 40, 3, "abc", "   ^"),
        ("abc   ", 3, 9, "abc", "  ^"),
    ],
)
def test_carets_stand_under_the_exact_characters(source: str, column: int, width: int, text: str, carets: str) -> None:
    """Tabs, wide, narrow and combining characters are counted by the cells they take; a place beyond the line ends with it."""
    _, shown, under, *_ = terminal.finding_lines(reports.finding(source=source, column=column, width=width), PLAIN)
    assert [f"   14 | {text}", f"      | {carets}"] == [shown, under]


def test_a_finding_about_a_whole_file_shows_none_of_its_lines() -> None:
    """A missing runbook is not the fault of the README's first line; something wrong in that line is shown."""
    whole = replace(reports.finding(), at=Location("README.md"), source="# shop")
    first = replace(whole, at=Location("README.md", 1, 1, 6))
    assert ["    1 | # shop", "      | ^^^^^^"] == terminal.finding_lines(first, PLAIN)[1:3]
    assert not [line for line in terminal.finding_lines(whole, PLAIN) if "# shop" in line]


def test_a_blank_line_is_not_shown() -> None:
    """A caret under nothing helps nobody."""
    assert not [line for line in terminal.finding_lines(reports.finding(source="   \t"), PLAIN) if "|" in line]


def test_a_long_line_is_cut_around_the_place() -> None:
    """Minified JSON shows what it points at, and that there is more on either side."""
    source = '{"a":' + "1" * 100_000 + ',"runbook":"x"' + ',"b":2' * 20_000 + "}"
    place = source.index('"runbook"')
    canvas = Canvas(width=50)
    _, shown, under, *_ = terminal.finding_lines(reports.finding(source=source, column=place + 1, width=9), canvas)
    assert 50 == cells(shown)
    assert '"runbook"' == shown[under.index("^") : under.index("^") + 9]
    assert 9 == under.count("^")
    assert "…" == shown[8] == shown[-1]


def test_a_long_line_is_shown_from_its_beginning_where_the_place_is_near_it() -> None:
    """What leads to the place is worth more than what follows it."""
    _, shown, under, *_ = terminal.finding_lines(
        reports.finding(source="expr: " + "abcdefghij" * 10, column=1, width=4), Canvas(width=40)
    )
    assert [
        "   14 | expr: abcdefghijabcdefghijabcd…",
        "      | ^^^^",
    ] == [shown, under]


def test_a_place_wider_than_the_canvas_shows_its_beginning() -> None:
    """What is pointed at may itself be a long line."""
    _, shown, under, *_ = terminal.finding_lines(
        reports.finding(source="key: " + "abcdefghij" * 10, column=6, width=100), Canvas(width=40)
    )
    assert [
        "   14 | …abcdefghijabcdefghijabcdefghij…",
        "      |  ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^",
    ] == [shown, under]


@settings(max_examples=50, deadline=None)
@given(
    source=st.text("ab \t概ｶe\u0301\u200b\x1b", max_size=120).filter(str.strip),
    column=st.integers(1, 130),
    width=st.integers(0, 60),
    room=st.integers(40, 100),
)
def test_an_excerpt_fits_and_points_at_what_was_found(source: str, column: int, width: int, room: int) -> None:
    """Whatever a line holds, it fits the canvas, the carets stand under its text, and the first is under the place."""
    found = reports.finding(source=source, column=column, width=width)
    _, shown, under, *_ = terminal.finding_lines(found, Canvas(width=room))
    assert cells(shown) <= max(room, cells(under))
    assert cells(under) <= room + 1
    text, carets = shown[8:], under[8:]
    before = carets.index("^")
    offset, character = 0, ""
    for character in text + " ":
        if offset >= before and cells(character):
            break
        offset += cells(character)
    assert offset == before
    pointed = source.rstrip()[column - 1 : column]
    if pointed and pointed in "ab概ｶe":
        assert pointed == character


def test_what_a_terminal_would_obey_is_made_visible() -> None:
    """A file can neither move the cursor, nor colour our text, nor reverse its direction."""
    lines = terminal.finding_lines(
        reports.finding(message="a\x1b[31mb\x7f\x85c\u202ed", source="x\x1b]0;title\x07y", hint="p\u2028q", path="a\nb"), PLAIN
    )
    assert [
        "a b:14:24: error: a␛[31mb␡ [ALR002 missing-runbook]",
        "  c�d",
        "   14 | x␛]0;title␇y",
        "      |             ^",
        "  do: p",
        "      q",
    ] == lines[:-1]


def test_findings_of_one_file_stand_together_and_a_check_is_explained_once() -> None:
    """Twenty findings of one check need its explanation once."""
    link = reports.LINK
    report = reports.report(
        reports.failed(reports.finding(link, path="b.md", line=1), reports.finding(link, path="a.md", line=9)),
        reports.failed(reports.finding(path="a.md", line=3)),
    )
    lines = lines_of(terminal.render(report, QUIET))
    assert ["a.md:3", "a.md:9", "b.md:1"] == [match[0] for line in lines if (match := re.match(r"[ab]\.md:\d+", line))]
    assert ["  why: reliability explain ALR002", "  why: reliability explain RUN020"] == [
        line for line in lines if "why:" in line
    ]


def test_long_lists_are_cut_to_the_worst_with_the_count_of_the_rest() -> None:
    """Errors are not pushed out by warnings; the flag that shows all is named, and does."""
    warning = reports.SUMMARY
    many = reports.report(
        reports.failed(*(reports.finding(warning, path=f"{name}.yaml", line=line) for name in "abc" for line in range(1, 8))),
        reports.failed(*(reports.finding(path="z.yaml", line=line) for line in range(1, 5))),
    )
    text = terminal.render(many, QUIET)
    assert "25 findings in 4 files: 4 errors, 21 warnings\n" in text
    assert 4 == len(re.findall(r"^z\.yaml", text, re.M))
    assert terminal.AT_ONCE == len(re.findall(r"^\w\.yaml", text, re.M))
    assert text.endswith("\n… and 5 more findings in 1 file: 5 warnings; --verbose shows them all\n")
    assert 25 == len(re.findall(r"^\w\.yaml", terminal.render(many, VERBOSE), re.M))
    assert "more finding" not in terminal.render(many, VERBOSE)


def test_the_whole_report_reads_from_what_is_wrong_to_what_to_do() -> None:
    """The count first, findings by file, the unknown loud, and the summary last."""
    lines = lines_of(terminal.render(reports.full(), PLAIN))
    assert [
        "4 findings in 3 files: 2 errors, 2 warnings; 1 check could not be judged; 1 latency budget failed;",
        "1 latency budget inconclusive; 1 waived",
        "",
    ] == lines[:3]
    assert "UNKNOWN RUN020 dead-link: could not be read: docs/runbooks/broken.md" in lines
    assert [
        "── reliability: checkout ───────────────────────────────────────────────────────────────────────────",
        "level    bronze* ▸ silver needs 2 more checks (* with waivers)    tier B (strictest objective 99.9%)",
        "         availability ██████████████ 100   change management  ███████░░░░░░░  50",
        "         latency      ████████████░░  83   monitoring         █████████████░  92",
        "         performance  ██████████████ 100   emergency response ██████████░░░░  75",
        "         efficiency   – nothing to check   capacity planning  ░░░░░░░░░░░░░░   0",
        "checks   1 passed, 3 failed, 1 waived, 1 not applicable, 1 unknown",
        "waived   CAP002 single-replica until 2026-12-01 by payments",
        "latency  POST /cart      p95 <= 50 ms  FAIL  p95 is 57.1 ms to 66 ms  19 of 102 over",
        "           19 of 102 over (14 would do), confirmed in a fresh batch of 68",
        "           20 ms ▁▂▅█▇▆▅▄┊▃▂▂▁▁▁▁▁ 84 ms",
        "           host quiet: 0.4% preempted; no pressure",
        "           where the time went: 61% db.py:88 fetch_cart, 22% json/encoder.py:205 encode",
        "           note: 2 of 104 calls could not start in time",
        "         search          p95 <= 50 ms  inconclusive  p95 is at most 78 ms  n=120",
        "           120 samples were not enough to tell",
        "           31% of the samples were preempted",
        "         POST /checkout  p99 <= 300 ms (slo checkout-latency)  pass  p99 is 181 ms to 214 ms  n=345",
        "           110 ms ▁▂▃█▇▃▂▂▁▁ ▁   ┊ 300 ms",
        "         3 budgets: 1 pass, 1 FAIL, 1 inconclusive; the chance that any of them fails by accident is",
        "         at most 0.05%",
        "next     1. docs/runbooks/checkout-latency.md:1:1  RUN010 runbook-without-owner",
        "            add to its front matter, owner: payments",
        "         2. docs/postmortems/2026-10-03.md:41:3  PM022 action-without-due-date",
        "            add a due date, such as 2026-12-24 (1 more alike)",
        "         3. RUN020 dead-link  could not be read: docs/runbooks/broken.md",
    ] == lines[lines.index("UNKNOWN RUN020 dead-link: could not be read: docs/runbooks/broken.md") + 2 :]


def test_waived_findings_are_listed_in_full_where_everything_is_asked_for() -> None:
    """The summary names them with their dates; --verbose shows them."""
    assert "deploy/checkout.yaml:9:13: waived:" not in terminal.render(reports.full(), PLAIN)
    assert "deploy/checkout.yaml:9:13: waived: workload 'checkout'" in terminal.render(reports.full(), VERBOSE)


def test_quiet_and_well_is_one_short_line() -> None:
    """Nothing wrong and nothing to say."""
    report = reports.report(reports.passed(reports.SUMMARY), reports.not_applicable(reports.DRILL))
    assert "checkout: no findings; 1 passed, 1 not applicable\n" == terminal.render(report, QUIET)


def test_quiet_with_findings_leaves_the_summary_out() -> None:
    """A hook's reader wants to know what to mend, not how the service fares."""
    text = terminal.render(reports.full(), QUIET)
    assert "level" not in text
    assert lines_of(text)[lines_of(text).index("UNKNOWN RUN020 dead-link: could not be read: docs/runbooks/broken.md") + 1 :] == [
        "",
        *summary.measurement_lines(reports.full().measurements[1:], QUIET),
    ]


def test_a_quiet_report_of_failed_budgets_says_so() -> None:
    """A failed budget has no finding, and must not be lost with the summary."""
    report = reports.report(
        reports.passed(reports.SUMMARY), measurements=[reports.measurement(outcome="fail", reason="it was slow")]
    )
    assert [
        "no findings; 1 latency budget failed",
        "",
        "latency  POST /checkout  p99 <= 300 ms  FAIL  p99 is 181 ms to 214 ms  n=345",
        "           it was slow",
    ] == lines_of(terminal.render(report, QUIET))


def test_several_services_are_printed_one_after_the_other() -> None:
    """Each that needs attention under its name; then one summary with a line for each, and the level of the whole."""
    checkout = reports.report(reports.failed(reports.finding()), standing=Standing(next_level=Level.BRONZE), service="checkout")
    search = reports.report(
        reports.passed(reports.check()), service="検索", standing=Standing(level=Level.GOLD, next_level=None, coverage={})
    )
    blind = reports.report(reports.unknown(reports.LINK), service="決済", partial=True)
    whole = reports.report(
        *checkout.outcomes, *blind.outcomes, service="shop", parts=[checkout, search, blind], standing=Standing(unrated=True)
    )
    lines = lines_of(terminal.render(whole, Canvas(width=60)))
    assert "── checkout ────────────────────────────────────────────────" == lines[0]
    assert "1 finding in 1 file: 1 error" == lines[2]
    at = lines.index("── 決済 ────────────────────────────────────────────────────")
    assert 60 == cells(lines[at])
    assert [
        "",
        "no findings; 1 check could not be judged",
        "",
        "UNKNOWN RUN020 dead-link: could not be read: docs/runbooks/broken.md",
        "",
        "── reliability: shop ───────────────────────────────────────",
        "level    unrated: 1 check could not be judged",
        "services checkout  none ▸ bronze finds nothing to check yet;",
        "                   1 finding in 1 file: 1 error",
        "         検索      gold; no findings",
        "         決済      no findings; 1 check could not be judged",
        "checks   1 failed, 1 unknown",
        "next     1. RUN020 dead-link",
        "            could not be read: docs/runbooks/broken.md",
        "         2. alerts/checkout.yaml:14:24  ALR002 missing-runbook",
        "            reliability new runbook CheckoutSlow",
    ] == lines[at + 1 :]


def test_several_good_services_are_not_listed_one_by_one() -> None:
    """Nothing wrong, said once; quiet, on one line."""
    good = reports.report(reports.passed(reports.SUMMARY), service="checkout")
    whole = reports.report(*good.outcomes, service="shop", parts=[good, good])
    assert ["no findings", ""] == lines_of(terminal.render(whole, PLAIN))[:2]
    assert ["shop: no findings; 1 passed"] == lines_of(terminal.render(whole, QUIET))


def test_many_services_are_cut() -> None:
    """A monorepo's summary fits a screen."""
    parts = [reports.report(service=f"s{number}", partial=True) for number in range(10)]
    lines = summary.status_lines(reports.report(partial=True, parts=parts), PLAIN)
    assert ["services s0  no findings", "         … and 2 more services; --verbose shows them all"] == [lines[0], lines[-2]]
    assert "         s9  no findings" in summary.status_lines(reports.report(partial=True, parts=parts), VERBOSE)


# One outcome, for pytest's items


def test_an_outcome_s_text_is_its_findings() -> None:
    """Under a heading that names the check: findings by place, and the reason once."""
    outcome = reports.failed(reports.finding(line=20, source="", hint=""), reports.finding(line=3, source="", hint="mend it"))
    assert [
        "alerts/checkout.yaml:3:24: error: alert 'CheckoutSlow' names a runbook that is not there [ALR002 missing-runbook]",
        "  do: mend it",
        "",
        "alerts/checkout.yaml:20:24: error: alert 'CheckoutSlow' names a runbook that is not there [ALR002 missing-runbook]",
        "  why: reliability explain ALR002",
    ] == terminal.outcome_text(outcome, PLAIN).split("\n")


def test_an_unknown_outcome_s_text_is_its_reason() -> None:
    """Unknown is loud and says why."""
    assert [
        "unknown: could not be read: docs/runbooks/broken.md",
        "  why: reliability explain RUN020",
    ] == terminal.outcome_text(reports.unknown(reports.LINK), PLAIN).split("\n")


def test_an_outcome_s_text_leaves_out_what_was_waived() -> None:
    """Half a check's findings may be accepted; only the others are a reason to fail."""
    outcome = reports.failed(reports.finding(line=1, waiver=Waiver("known")), reports.finding(line=2))
    text = terminal.outcome_text(outcome, PLAIN)
    assert [":2:24:"] == re.findall(r":\d+:24:", text)


# Colour


def test_colour_changes_nothing_but_escape_codes() -> None:
    """No meaning is carried by colour alone: without its codes the coloured text is the plain one."""
    for report in (reports.full(), reports.report(parts=[reports.full()])):
        for width in (60, 80, 120):
            for verbose in (-1, 0, 1):
                plain = terminal.render(report, Canvas(width=width, verbose=verbose))
                coloured = terminal.render(report, Canvas(width=width, verbose=verbose, colour=True))
                assert plain != coloured
                assert plain == ESCAPES.sub("", coloured)
    coloured = summary.render(reports.full(), Canvas(colour=True))
    assert summary.render(reports.full(), Canvas()) == ESCAPES.sub("", coloured)


def test_without_colour_rich_is_never_imported() -> None:
    """A hook that prints one finding must not pay for a library it does not use."""
    program = (
        "import sys; sys.path.insert(0, 'tests'); import reports\n"
        "from pytest_reliability.contracts import Canvas\n"
        "from pytest_reliability.reporters import summary, terminal\n"
        "terminal.render(reports.full(), Canvas()); summary.render(reports.full(), Canvas())\n"
        "print([name for name in sys.modules if name.partition('.')[0] == 'rich'])"
    )
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert "[]\n" == run.stdout


# The summary


def test_the_summary_alone_counts_findings_and_names_the_command_that_shows_them() -> None:
    """Where no findings are printed beside it, it says how many there are and where to look."""
    lines = summary.summary_lines(reports.full(), Canvas(width=150))
    assert (
        "found    4 findings in 3 files: 2 errors, 2 warnings; 1 check could not be judged; 1 latency budget failed; "
        "1 latency budget inconclusive; 1 waived"
    ) == lines[0]
    assert "details  reliability check    why: reliability explain RUN010" == lines[-1]
    assert "── reliability: checkout ──" in summary.render(reports.full(), PLAIN)


def test_the_summary_of_a_service_without_findings() -> None:
    """Nothing to do is not dressed up as something."""
    standing = Standing(level=Level.GOLD, next_level=None, coverage=dict.fromkeys(Responsibility, 100))
    lines = summary.summary_lines(reports.report(reports.passed(reports.SUMMARY), standing=standing), PLAIN)
    assert ["found    no findings", "level    gold"] == lines[:2]
    assert ["checks   1 passed", "details  reliability check"] == lines[-2:]


def test_a_narrow_terminal_gets_one_column() -> None:
    """Bars stay aligned where two columns do not fit."""
    lines = summary.status_lines(reports.full(), Canvas(width=79))
    assert ["         availability       ██████████████ 100", "         latency            ████████████░░  83"] == lines[2:4]
    assert "         capacity planning  ░░░░░░░░░░░░░░   0" in lines
    assert all(cells(line) <= 80 for line in summary.status_lines(reports.full(), Canvas(width=80)))


@pytest.mark.parametrize(("value", "full"), [(0, 0), (1, 1), (3, 1), (50, 7), (99, 13), (100, 14)])
def test_a_bar_is_full_only_at_100_and_empty_only_at_0(value: int, full: int) -> None:
    """Rounding must not hide the last gap or the first success."""
    report = reports.report(standing=Standing(coverage={Responsibility.LATENCY: value}))
    (line,) = (line for line in summary.status_lines(report, PLAIN) if "latency" in line)
    assert full == line.count("█")
    assert 14 - full == line.count("░")


def test_a_partial_report_has_no_level_and_no_bars() -> None:
    """What ran on three files says nothing about the service."""
    report = replace(reports.full(), partial=True, measurements=())
    assert ["checks", "waived", "next"] == [
        line.split()[0] for line in summary.status_lines(report, PLAIN) if not line.startswith(" ")
    ]


@pytest.mark.parametrize(
    ("standing", "expected"),
    [
        (Standing(), "none ▸ bronze finds nothing to check yet"),
        (Standing(blockers=(reports.unknown(reports.LINK),)), "none ▸ bronze needs 1 more check"),
        (Standing(level=Level.GOLD, next_level=None), "gold"),
        (
            Standing(level=Level.SILVER, next_level=Level.GOLD, waived=True),
            "silver* ▸ gold finds nothing to check yet (* with waivers)",
        ),
        (Standing(unrated=True), "unrated: 1 check could not be judged"),
    ],
)
def test_the_level_says_what_the_next_one_needs(standing: Standing, expected: str) -> None:
    """A level is a gate: the number of checks that stand before the next one."""
    assert expected == level(reports.report(reports.unknown(reports.LINK), standing=standing))


def test_unrated_because_not_every_check_ran() -> None:
    """Selecting some checks gives no level, and the reason is named."""
    assert "unrated: not every check ran" == level(reports.report(standing=Standing(unrated=True)))


def test_waivers_are_named_with_the_first_to_run_out_first() -> None:
    """The same waiver of many findings is one waiver; those without an end come last; many are cut."""
    waivers = [Waiver("a", until="2027-01-01"), Waiver("b"), Waiver("c", "sre", "2026-12-24"), Waiver("d", until="2026-11-30")]
    outcomes = [
        reports.waived(*(reports.finding(reports.check(f"RUN00{number}", "x"), line=line, waiver=waiver) for line in (1, 2)))
        for number, waiver in enumerate(waivers)
    ]
    (line,) = (line for line in summary.status_lines(reports.report(*outcomes), PLAIN) if line.startswith("waived"))
    assert "waived   RUN003 x until 2026-11-30, RUN002 x until 2026-12-24 by sre, RUN000 x until 2027-01-01, and 1 more" == line


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        ((Severity.ERROR,), "1 finding in 1 file: 1 error"),
        ((Severity.ERROR, Severity.ERROR), "2 findings in 1 file: 2 errors"),
        ((Severity.WARNING, Severity.INFO, Severity.INFO), "3 findings in 1 file: 1 warning, 2 info"),
    ],
)
def test_counts_agree_with_their_nouns(counts: tuple[Severity, ...], expected: str) -> None:
    """One finding, two findings."""
    findings = [reports.finding(reports.check(severity=severity), line=line) for line, severity in enumerate(counts, 1)]
    assert [expected] == headline(reports.report(*map(reports.failed, findings)))


def test_the_headline_leaves_nothing_loud_out() -> None:
    """Unknown checks, failed and inconclusive budgets and waivers are counted even where nothing was found."""
    report = reports.report(
        reports.unknown(reports.LINK),
        reports.unknown(reports.SUMMARY),
        reports.waived(reports.finding(waiver=Waiver("known"))),
        measurements=[reports.measurement(outcome=outcome) for outcome in ("fail", "fail", "inconclusive", "pass")],
    )
    expected = [
        "no findings",
        "2 checks could not be judged",
        "2 latency budgets failed",
        "1 latency budget inconclusive",
        "1 waived",
    ]
    assert expected == headline(report)


def test_no_check_at_all_is_said() -> None:
    """An empty report must not look like a good one."""
    assert "none ran" == checks(reports.report())


# What to do next


def test_the_next_steps_stand_before_the_next_level() -> None:
    """First what blocks the level, then what could not be judged, then other findings by severity; three at most."""
    warning = reports.failed(reports.finding(reports.SUMMARY))
    error = reports.failed(reports.finding())
    blocker = reports.failed(
        reports.finding(reports.DUE_DATE, line=9), reports.finding(reports.DUE_DATE, line=4, hint="a date\nor none")
    )
    blind = reports.unknown(reports.LINK)
    standing = Standing(blockers=(blocker,))
    assert ["PM022", "RUN020", "ALR002"] == [
        step.check.code for step in steps(reports.report(warning, error, blind, blocker, standing=standing))
    ]
    assert ["PM022", "ALR002", "ALR006"] == [
        step.check.code for step in steps(reports.report(warning, error, blocker, standing=standing))
    ]
    lines = summary.status_lines(reports.report(warning, error, blocker, standing=standing), PLAIN)
    assert "next     1. alerts/checkout.yaml:4:24  PM022 action-without-due-date  a date (1 more alike)" in lines


def test_a_blocker_without_a_place_still_says_what_to_do() -> None:
    """An unknown check blocks by its reason; one without findings by why it matters; one without a hint by its message."""
    blockers = (
        reports.unknown(reports.LINK, "the check crashed"),
        replace(reports.unknown(reports.SUMMARY), reason=""),
        reports.failed(reports.finding(hint="")),
    )
    found = steps(reports.report(standing=Standing(blockers=blockers)))
    assert [
        (None, "the check crashed"),
        (None, "A page without a runbook costs the night."),
        (blockers[2].findings[0].at, "alert 'CheckoutSlow' names a runbook that is not there"),
    ] == [(step.at, step.text) for step in found]


def test_a_step_prefers_what_nobody_has_waived() -> None:
    """Where some findings of a check are accepted, the next step is one of the others."""
    mixed = reports.failed(reports.finding(line=1, waiver=Waiver("known")), reports.finding(line=2))
    assert [2] == [step.at.line for step in steps(reports.report(mixed)) if step.at]


# Latency


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0.181, 0.214, "p99 is 181 ms to 214 ms"),
        (0.21398, 0.214, "p99 is 214 ms"),
        (None, 0.078, "p99 is at most 78 ms"),
        (0.078, None, "p99 is at least 78 ms"),
        (0.078, float("inf"), "p99 is at least 78 ms"),
        (0.0, 0.078, "p99 is at most 78 ms"),
        (None, None, ""),
        (float("inf"), float("inf"), ""),
        (None, float("inf"), ""),
    ],
)
def test_an_interval_is_said_as_far_as_it_is_known(low: float | None, high: float | None, expected: str) -> None:
    """Requests that failed have no time: an end may be open, or infinite."""
    assert expected == interval(reports.measurement(low=low, high=high))


@pytest.mark.parametrize(("value", "name"), [(0.5, "p50"), (0.95, "p95"), (0.999, "p99.9"), (0.9999, "p99.99"), (1.0, "max")])
def test_quantiles_have_their_usual_names(value: float, name: str) -> None:
    """Nobody says the 0.95 quantile."""
    assert name == quantile(reports.measurement(quantile=value))


def test_samples_over_the_limit_are_counted() -> None:
    """19 of 102 says more than 102."""
    assert ["n=345", "19 of 102 over"] == [samples(reports.measurement()), samples(reports.measurement(n=102, over=19))]
    errors = [samples(reports.measurement(kind="errors", n=102, over=over)) for over in (0, 3)]
    assert ["none of 102 failed", "3 of 102 failed"] == errors


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0.004, 0.005, "throughput is 200/s to 250/s"),
        (0.004, None, "throughput is at most 250/s"),
        (None, 0.4, "throughput is at least 2.5/s"),
        (None, None, ""),
    ],
)
def test_a_throughput_is_said_as_a_rate(low: float | None, high: float | None, expected: str) -> None:
    """What is judged is the time between answers; what people limit is how many there are a second."""
    assert expected == interval(reports.measurement(kind="throughput", quantile=0.5, low=low, high=high))


def test_a_throughput_is_drawn_with_rates() -> None:
    """Fast is on the left, as it is for times."""
    measured = reports.measurement(kind="throughput", limit=0.004, bins=(1, 3), bins_from=0.002, bins_to=0.005)
    assert "500/s ▃┊█ 200/s" == summary.histogram(measured)
    assert "∞/s ▃ █┊ 250/s" == summary.histogram(replace(measured, bins=(1, 0, 3), bins_from=0.0, bins_to=0.004))


def test_a_count_is_told_beside_its_verdict() -> None:
    """There is no interval, and nothing to draw."""
    counted = reports.measurement("test_cart", budget="queries ≤ 3", kind="count", reason="3, 3, 3", limit=3, n=3, low=None)
    assert ["latency  test_cart  queries ≤ 3  pass  3, 3, 3"] == summary.measurement_lines([counted], PLAIN)


def test_a_ratchet_says_what_it_compared() -> None:
    """A pass of it means nothing without the runs that it was compared with."""
    held = reports.measurement("test_cart", budget="no slower than before", kind="ratchet", reason="1% slower than 10 runs")
    assert "           1% slower than 10 runs" == summary.measurement_lines([held], PLAIN)[1]


@pytest.mark.parametrize(
    ("alarms", "expected"),
    [
        ([0.0], ""),
        ([0.0, 0.0], "2 budgets: 2 pass"),
        ([0.0005], "the chance that this budget fails by accident is at most 0.05%"),
        ([0.0005] * 12, "12 budgets: 12 pass; the chance that any of them fails by accident is at most 0.6%"),
        ([0.000441, 0.0], "2 budgets: 2 pass; the chance that any of them fails by accident is at most 0.045%"),
        ([0.125, 0.5], "2 budgets: 2 pass; the chance that any of them fails by accident is at most 63%"),
        ([0.7, 0.5], "2 budgets: 2 pass; the chance that any of them fails by accident is at most 100%"),
    ],
)
def test_the_false_alarms_of_all_budgets_are_added_up(alarms: list[float], expected: str) -> None:
    """Rounded up, and whether or not the budgets depend on each other."""
    assert expected == budgets([reports.measurement(false_alarm=alarm) for alarm in alarms])


def test_what_several_tests_have_measured_is_told_with_the_test() -> None:
    """Budgets of one test on one operation need no such distinction."""
    search = reports.measurement("search")
    assert ["search", "search"] == titles([search, search])
    cases = [replace(search, test=f"tests/test_shop.py::TestShop::test_{case}") for case in ("ja", "en[1]")]
    assert ["search (test_ja)", "search (test_en[1])", "cart"] == titles([*cases, reports.measurement("cart")])


def test_evidence_that_is_the_reason_is_not_said_twice() -> None:
    """What is shown is what else there is to know."""
    busy = reports.measurement(outcome="inconclusive", reason="5 over, but host busy", evidence=("host busy", "3 left out"))
    assert ["5 over, but host busy", "3 left out"] == [line.strip() for line in summary.measurement_lines([busy], PLAIN)[1:]]


def test_long_names_do_not_push_the_others_away() -> None:
    """Names are aligned as far as that leaves room for what they are about."""
    lines = summary.measurement_lines([reports.measurement("x" * 80), reports.measurement("y")], PLAIN)
    assert ["latency  " + "x" * 80 + "  p99 <= 300 ms  pass", "           p99 is 181 ms to 214 ms  n=345"] == lines[:2]
    assert lines[2].startswith("         y" + " " * 34 + "p99")


def test_long_reasons_are_wrapped() -> None:
    """Nothing is left to the terminal to break in the middle of a word."""
    lines = summary.measurement_lines([reports.measurement(outcome="fail", reason="word " * 40)], Canvas(width=60))
    assert 60 >= max(map(len, lines))
    assert 40 == " ".join(lines).count("word")
    assert ["ab", "cdefgh", "i j"] == wrapped("ab cdefgh i j", 4)


def test_budgets_count_towards_the_coverage_of_latency() -> None:
    """ "latency 100" never stands beside a failed budget, nor "nothing to check" beside one that was judged."""
    latency, alerts = reports.check("LAT001", responsibility=Responsibility.LATENCY), reports.check("ALR001")
    standing = Standing(coverage={Responsibility.LATENCY: 100, Responsibility.MONITORING: 100})
    checked = reports.report(reports.passed(latency), reports.passed(alerts), standing=standing)
    kept, broken, open_ = (reports.measurement(outcome=outcome) for outcome in ("pass", "fail", "inconclusive"))
    covered = [
        checked.with_measurements(measured).standing.coverage
        for measured in ([], [kept], [kept, broken], [kept, broken, open_], [broken])
    ]
    assert [100, 100, 66, 50, 50] == [coverage[Responsibility.LATENCY] for coverage in covered]
    assert {100} == {coverage[Responsibility.MONITORING] for coverage in covered}
    bare = reports.report(reports.not_applicable(latency), standing=Standing(coverage={Responsibility.LATENCY: None}))
    assert 0 == bare.with_measurements([open_]).standing.coverage[Responsibility.LATENCY]


@pytest.mark.parametrize(
    ("limit", "expected"),
    [
        (0.020, "10 ms ▂▄┊▆█ 30 ms"),
        (0.030, "10 ms ▂▄▆█┊ 30 ms"),
        (0.010, "10 ms ┊▂▄▆█ 30 ms"),
        (0.0214, "10 ms ▂▄┊▆█ 30 ms"),
        (0.035, "10 ms ▂▄▆█ ┊ 35 ms"),
        (0.300, "10 ms ▂▄▆█ ⋯ ┊ 300 ms"),
        (0.005, "5 ms ┊ ▂▄▆█ 30 ms"),
        (0.0001, "100 µs ┊  ▂▄▆█ 30 ms"),
        (float("inf"), "10 ms ▂▄▆█ 30 ms"),
    ],
)
def test_the_histogram_has_the_budget_drawn_in_it(limit: float, expected: str) -> None:
    """To scale where there is room, wherever the limit lies."""
    assert expected == summary.histogram(reports.measurement(limit=limit, bins=(1, 2, 3, 4), bins_from=0.01, bins_to=0.03))


def test_a_histogram_of_one_value_and_of_nothing() -> None:
    """Equal times have no width, and empty bins no height."""
    assert "10 ms █ 10 ms" == summary.histogram(reports.measurement(bins=(7,), bins_from=0.01, bins_to=0.01))
    assert "10 ms   ┊ 300 ms" == summary.histogram(reports.measurement(bins=(0, 0), bins_from=0.01, bins_to=0.3)).replace(
        "  ┊", "  ┊"
    )


def test_measurements_have_the_worst_first_and_are_cut() -> None:
    """A failed budget is seen however many passed."""
    measured = [reports.measurement(f"m{number}") for number in range(9)] + [
        reports.measurement("slow", outcome="fail"),
        reports.measurement("dim", outcome="inconclusive"),
    ]
    lines = summary.measurement_lines(measured, PLAIN)
    assert ["slow", "dim", "m0"] == [line.removeprefix("latency").split()[0] for line in lines[:3]]
    assert [
        "         … and 3 more latency budgets, 0 failed; --verbose shows them all",
        "         11 budgets: 9 pass, 1 FAIL, 1 inconclusive",
    ] == lines[-2:]
    assert 12 == len(summary.measurement_lines(measured, VERBOSE))
    assert [] == summary.measurement_lines([], PLAIN)


def test_evidence_of_a_pass_is_shown_only_when_everything_is_asked_for() -> None:
    """What the host did matters when the verdict is in doubt."""
    measured = [reports.measurement(evidence=("host quiet",))]
    assert 1 == len(summary.measurement_lines(measured, PLAIN))
    assert "           host quiet" == summary.measurement_lines(measured, VERBOSE)[1]


# Text


@pytest.mark.parametrize(
    ("text", "width"),
    [("abc", 3), ("信頼性", 6), ("ｶﾅ", 2), ("Ａ", 2), ("e\u0301", 1), ("a\u200bb", 2), ("👍", 2), ("", 0)],
)
def test_cells_are_counted_as_terminals_do(text: str, width: int) -> None:
    """Wide, half-width, combining and invisible characters."""
    assert width == cells(text)
    assert width + 2 == cells(pad(text, width + 2))


@settings(max_examples=50, deadline=None)
@given(st.text())
def test_clean_text_is_one_printable_line(text: str) -> None:
    """Nothing that moves a cursor, breaks a line, reorders text or cannot be encoded is left."""
    cleaned = clean(text)
    assert len(text) == len(cleaned)
    assert not re.search(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]", cleaned)
    assert cleaned == clean(cleaned)


@pytest.mark.parametrize("text", ["plain", "信頼性", "全角\u3000空白", "a\u200db", "naïve"])
def test_ordinary_text_stays_as_it_is(text: str) -> None:
    """Japanese spaces and the joiners inside emoji are no threat."""
    assert text == clean(text)


def test_plural() -> None:
    """One check, none and many checks."""
    assert ["0 checks", "1 check", "2 checks"] == [plural(count, "check") for count in range(3)]


def test_phrases_are_folded_to_the_width() -> None:
    """A phrase is never broken; what does not fit goes to the next line."""
    assert ["one; two;", "three"] == fold(["one", "two", "three"], 10)
    assert ["far too long;", "x"] == fold(["far too long", "x"], 5)
    assert [] == fold([], 10)
