"""`reliability slo`: error budgets as people think of them, at every door."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from html.parser import HTMLParser
from math import isclose
from pathlib import Path
from xml.etree import ElementTree

import pytest

import reports
from pytest_reliability import cli
from pytest_reliability.contracts import Canvas
from pytest_reliability.model.duration import Duration
from pytest_reliability.model.objectives import AlertWindow
from pytest_reliability.reporters import budget_chart, error_budgets

SLOTH = """\
version: prometheus/v1
service: shop
slos:
  - name: {name}
    objective: {objective}
    sli: {{events: {{error_query: "sum(rate(x{{a=\\"b\\"}}[{{{{.window}}}}]))", total_query: "sum(rate(x[{{{{.window}}}}]))"}}}}
    alerting: {{name: Down}}
"""
FILES = {
    "README.md": "# shop\n",
    "slo/a.yaml": SLOTH.format(name="availability", objective="99.9"),
    "slo/b.yaml": SLOTH.format(name="<b>&`|*", objective="99.5"),
    "slo/c.yaml": SLOTH.format(name="perfect", objective="100"),
    ".reliability.yaml": "request_rate: 10/s\n",
}
SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture
def run(repository, monkeypatch, capsys):
    """Run the command in a repository with these files; what it printed, what it complained, and its exit code."""

    made = []

    def run(*arguments, files=FILES):
        monkeypatch.chdir(made[0] if made else repository(files))
        made.append(Path.cwd())
        code = cli.main(("slo", *arguments))
        return (*capsys.readouterr(), code)

    return run


def test_people_read_minutes_requests_and_when_alerts_fire(run, monkeypatch):
    """One block for each SLO."""
    monkeypatch.setenv("COLUMNS", "100")
    out, err, code = run()
    assert ("", 0) == (err, code)
    assert "shop/availability  99.9% over 30d  43.2 minutes  1 in 1,000 requests: 25,920 in 30d" in out
    assert "  gone after 43.2 minutes of outage, 3 days at 10x, 30 days at 1x\n" in out
    assert "  page: 14.4x over 1h and 5m (2% of the budget): fires after 51.8 s of outage; not at 10x, 1x\n" in out
    assert re.search(r"shop/perfect +100% over 30d +–\n", out)
    assert "1 in 200 requests" in out


def test_narrow_terminals_get_paragraphs(run, monkeypatch):
    """Nothing is wider than there is room."""
    monkeypatch.setenv("COLUMNS", "50")
    out, _, _ = run()
    assert "shop/availability\n  99.9% over 30d; 43.2 minutes;" in out
    assert 50 >= max(len(line) for line in out.splitlines())


def test_programs_get_json(run):
    """With the place of each SLO."""
    data = json.loads(run("--format", "json")[0])
    assert (1, "shop", []) == (data["schema"], data["service"], data["unread"])
    assert ["<b>&`|*", "availability", "perfect"] == [one["name"] for one in data["objectives"]]
    one = data["objectives"][1]
    assert ("slo/a.yaml", 4, 11, 2592.0, 25920) == tuple(
        one[key] for key in ("path", "line", "column", "budget", "budget_requests")
    )


def test_github_gets_a_table(run):
    """A heading and a row for each."""
    out, _, _ = run("--format", "markdown")
    assert out.startswith("## Error budgets: shop\n\n| SLO | objective |")
    assert "\\<b\\>\\&\\`\\|\\*" in out


def test_the_picture_is_drawn_to_scale(run, tmp_path):
    """A bar ends where the budget does, an alert stands where it fires, on one logarithmic scale."""
    target = tmp_path / "out/budgets.svg"
    assert ("", "", 0) == run("--format", "svg", "--output", str(target))
    picture = ElementTree.parse(target).getroot()
    bars = [bar for bar in picture.iter(f"{SVG}rect") if bar.get("class") == "bar" and bar.find(f"{SVG}title") is not None]
    assert 2 == len(bars)  # the perfect one has no budget
    ends = [float(bar.get("x")) + float(bar.get("width")) for bar in bars]
    pages = [float(mark.get("cx")) for mark in picture.iter(f"{SVG}circle") if mark.find(f"{SVG}title") is not None]
    assert 4 == len(pages)
    # 99.5% leaves five times as much as 99.9%, so that its bar is as much longer as its page is later.
    assert isclose(ends[0] - ends[1], max(pages[:2]) - max(pages[2:]), abs_tol=0.3)
    ticks = {text.text: float(text.get("x")) for text in picture.iter(f"{SVG}text") if text.get("text-anchor") == "middle"}
    assert ticks["1 min"] < ticks["10 min"] < ticks["1 h"]
    assert ticks["10 min"] < ends[1] < ticks["1 h"]
    assert "<b>&`|*: 99.5% over 30d leaves 3.6 hours" in "".join(bars[0].itertext())


def test_the_picture_in_the_documentation_is_that_of_the_example(monkeypatch, capsys):
    """What the page shows is what the command draws today."""
    root = Path(__file__).parents[1]
    monkeypatch.chdir(root / "examples/checkout")
    assert 0 == cli.main(["slo", "--format", "svg"])
    assert (root / "docs/error-budgets.svg").read_text(encoding="utf-8") == capsys.readouterr().out


def test_a_page_of_html_is_whole_and_harmless(run):
    """Every tag is closed, names are text, and nothing is loaded."""
    out, _, _ = run("--format", "html")
    opened = []

    class Page(HTMLParser):
        def handle_starttag(self, tag, attributes):
            assert tag not in ("script", "link", "img", "b")
            assert not {"src", "href"} & {name for name, _ in attributes}
            if tag not in ("meta", "br"):
                opened.append(tag)

        def handle_endtag(self, tag):
            assert opened.pop() == tag

    page = Page()
    page.feed(out)
    assert [] == opened
    assert 3 == out.count('<th scope="row"')
    assert "&lt;b&gt;&amp;`|*" in out


def test_where_there_is_nothing_it_says_so(run):
    """With what to do, in every format."""
    files = {"README.md": "# x\n"}
    assert "no SLOs here" in run(files=files)[0]
    assert "no SLOs here" in run("--format", "markdown", files=files)[0]
    assert "no SLO here has an error budget" in run("--format", "svg", files=files)[0]
    assert [] == json.loads(run("--format", "json", files=files)[0])["objectives"]


def test_what_could_not_be_read_is_told(run):
    """An SLO may be in there: unknown is not none."""
    out, err, code = run(files={**FILES, "slo/d.yaml": "version: prometheus/v1\nslos: [\n"})
    assert 1 == code
    assert "warning: not read: slo/d.yaml: " in err
    assert "availability" in out


def test_a_folder_shows_its_service_only(run, repository, monkeypatch, capsys):
    """Paths are as seen from where one stands."""
    files = {f"{name}/{path}": text for name in ("one", "two") for path, text in FILES.items()}
    root = repository({path: text.replace("service: shop", f"service: {path[:3]}") for path, text in files.items()})
    monkeypatch.chdir(root / "one")
    assert 0 == cli.main(["slo", "../two", "--format", "json"])
    data = json.loads(capsys.readouterr().out)
    assert ("two", {"../two/slo/a.yaml", "../two/slo/b.yaml", "../two/slo/c.yaml"}) == (
        data["service"],
        {one["path"] for one in data["objectives"]},
    )


def test_the_report_has_the_budgets_too(capsys, repository, monkeypatch):
    """JSON and Markdown of a whole check, with paths as seen from here; one of some checks only does not look."""
    monkeypatch.chdir(repository(FILES))

    def checked(*arguments):
        cli.main(["check", *arguments])
        return capsys.readouterr().out

    assert 3 == len(json.loads(checked("--format", "json"))["objectives"])
    assert "### Error budgets\n" in checked("--format", "markdown")
    assert [] == json.loads(checked("--format", "json", "--select", "SLO101"))["objectives"]
    monkeypatch.chdir("slo")
    report = cli._seen_from_here(cli.api.review(Path.cwd().parent), Path.cwd().parent)
    assert {"a.yaml", "b.yaml", "c.yaml"} == {objective.at.path for objective in report.objectives}


def lines(*objectives, **canvas) -> str:
    """What people read of these."""
    return error_budgets.terminal("shop", objectives, Canvas(width=200, **canvas))


@pytest.mark.parametrize(
    ("others", "said"),
    [
        ({"objective": "0.997"}, "3 in 1,000 requests"),
        ({"objective": "0.9975"}, "1 in 400 requests"),
        ({"method": "timeslices"}, "1 in 1,000 slices"),
        ({"method": "timeslices", "slice": Duration(60.0, "1m")}, "1 in 1,000 slices of 1m"),
        ({"rolling": False}, "99.9% over 30d by the calendar"),
        ({"window": None}, "99.9%"),
        (
            {"window": None, "alerts": (reports.PAGE,)},
            "  page: 14.4x over 1h and 5m: fires after 51.8 s of outage; not at 10x, 1x",
        ),
        ({"objective": None, "alerts": (reports.PAGE,)}, "5m: when it fires is not known without an objective"),
        ({"objective": None}, "no objective over 30d"),
        ({"unread": ("A", "B")}, "when it fires is not known: A, B"),
        ({}, "no alert on how fast it burns"),
        (
            {"alerts": (AlertWindow(factor=Decimal(2000), long=Duration(60.0, "1m")),)},
            "alert: 2000x over 1m (4.6% of the budget): never fires",
        ),
        (
            {"alerts": (AlertWindow(factor=Decimal("0.5"), long=Duration(3600.0, "1h"), wait=Duration(60.0, "1m")),)},
            "0.5x over 1h for 1m (0.069% of the budget): fires after 1 minute of outage, 4 minutes at 10x, 31 minutes at 1x",
        ),
    ],
)
def test_every_kind_of_slo_is_put_into_words(others, said):
    """Numbers carry their units, and nothing is guessed."""
    assert said in lines(reports.objective(**others))


def test_many_are_cut_with_the_count_of_the_rest():
    """--verbose shows them all."""
    many = [reports.objective(f"a{number}") for number in range(45)]
    assert "… and 5 more SLOs; --verbose shows them all" in lines(*many)
    assert "a44" in lines(*many, verbose=1)


def test_what_a_file_says_cannot_write_on_the_screen():
    """Control characters are shown, not obeyed, and pictures stay well formed."""
    hostile = reports.objective("\x1b[31m\u202e<&>\x00")
    assert "\x1b" not in lines(hostile)
    ElementTree.fromstring(budget_chart.svg("\x00<", [hostile]))
    assert "\x00" not in budget_chart.html("\x00<", [hostile])


def test_alerts_that_never_fire_are_not_drawn():
    """A mark would say that they do; one that fires at once stands at the beginning."""
    never = AlertWindow(factor=Decimal(2000), long=Duration(60.0, "1m"))
    always = AlertWindow(factor=Decimal(0), long=Duration(60.0, "1m"), severity="page", pages=True)
    picture = ElementTree.fromstring(budget_chart.svg("a", [reports.objective(alerts=(never, always))]))
    titled = [
        mark for mark in (*picture.iter(f"{SVG}circle"), *picture.iter(f"{SVG}path")) if mark.find(f"{SVG}title") is not None
    ]
    assert ["250.0"] == [mark.get("cx") for mark in titled]


def test_bars_of_text_are_to_scale():
    """From a second to the longest, logarithmically; never empty, never too long."""
    assert ["█░░░░░░░░░", "█████░░░░░", "██████████", "██████████"] == [
        error_budgets.bar(seconds, 10_000.0) for seconds in (0.5, 100.0, 10_000.0, 20_000.0)
    ]
