"""`.reliability.yaml`: every key means something, and every mistake is named with its place and what to type instead."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_reliability.contracts import Problem, UsageError, check
from pytest_reliability.model.duration import Duration
from pytest_reliability.model.location import Location
from pytest_reliability.model.nodes import Service
from pytest_reliability.model.settings import DEFAULTS, Dependency, Folders, LatencySettings, RouteLimits, Settings, Vocabulary
from pytest_reliability.policy.selection import require_known
from pytest_reliability.reading import configurations
from pytest_reliability.testing import Repo


def missing_runbook(service: Service) -> Iterator[Problem]:
    """For the sake of its name."""
    yield from ()


def settings(text: str, path: str = ".reliability.yaml") -> Settings:
    """What a configuration with this text means."""
    (found,) = configurations(Repo({path: text})).values()
    return found


def complaint(text: str, path: str = ".reliability.yaml") -> str:
    """What is said about a configuration with this text."""
    with pytest.raises(UsageError) as caught:
        configurations(Repo({path: text}))
    return str(caught.value)


def test_every_key_is_read():
    """What is written is what counts."""
    found = settings(
        """
        service: checkout
        root: true
        tier: A
        folders: {runbooks: [docs/ops], postmortems: [docs/pm/]}
        select: [SLO, missing-runbook]
        ignore: {ALR007: the platform team owns every alert}
        exclude: [vendor/**]
        severities: {label: priority, page: [P1, P2], ticket: [P3], notice: [P4]}
        runbook_urls: {"https://wiki.example.com/runbooks/": docs/runbooks}
        dialect: thanos
        scrape_interval: 15s
        response_time: 10m
        latency:
          routes:
            POST /checkout: {p95: 100ms, p99.9: 1s, p97_5: 500ms, max: 5s, errors: 1%, throughput: 200/s}
            GET /carts/{cart}: {slo: fast}
          history: true
        dependencies:
          payments: hard
          auth: {objective: 99.95%}
          rates: {mode: cached, objective: 99%}
        sla: {checkout/availability: 99.5%}
        request_rate: 30/m
        objective_review: 180d
        """
    )
    every = {"p95": "100ms", "p99.9": "1s", "p97_5": "500ms", "max": "5s", "errors": "1%", "throughput": "200/s"}
    expected = Settings(
        service="checkout",
        root=True,
        tier="A",
        folders=Folders(("docs/ops",), ("docs/pm",)),
        select=("SLO", "missing-runbook"),
        ignore={"ALR007": "the platform team owns every alert"},
        exclude=("vendor/**",),
        severities=Vocabulary("priority", ("P1", "P2"), ("P3",), ("P4",), configured=True),
        runbook_urls={"https://wiki.example.com/runbooks/": "docs/runbooks"},
        dialect="thanos",
        scrape_interval=Duration(15.0, "15s"),
        response_time=Duration(600.0, "10m"),
        latency=LatencySettings(
            (
                RouteLimits(Location(".reliability.yaml", 16, 13, 14), "POST /checkout", every),
                RouteLimits(Location(".reliability.yaml", 17, 13, 17), "GET /carts/{cart}", {"slo": "fast"}),
            ),
            history=True,
        ),
        dependencies=(
            Dependency(Location(".reliability.yaml", 20, 11, 8), "payments"),
            Dependency(Location(".reliability.yaml", 21, 11, 4), "auth", "hard", Decimal("0.9995")),
            Dependency(Location(".reliability.yaml", 22, 11, 5), "rates", "cached", Decimal("0.99")),
        ),
        sla={"checkout/availability": Decimal("0.995")},
        request_rate=0.5,
        objective_review=Duration(15552000.0, "180d"),
    )
    assert expected == found


@pytest.mark.parametrize("text", ["", "# nothing yet\n", "---\n"])
def test_an_empty_configuration_is_all_defaults(text):
    """The file alone marks a service."""
    assert {"services/a": DEFAULTS} == configurations(Repo({"services/a/.reliability.yaml": text}))


def test_paths_are_relative_to_the_folder_of_the_configuration():
    """In a repository of several services each speaks of its own folders."""
    found = settings(
        "folders: {runbooks: [docs, ., ../shared/runbooks]}\nexclude: [gen/*]\nrunbook_urls: {'https://x.example/': docs}\n",
        "services/a/.reliability.yaml",
    )
    assert ("services/a/docs", "services/a", "services/shared/runbooks") == found.folders.runbooks
    assert (("services/a/gen/*",), {"https://x.example/": "services/a/docs"}) == (found.exclude, dict(found.runbook_urls))


def test_severities_left_out_are_the_usual_ones():
    """Who only says what pages need not repeat the rest."""
    found = settings("severities: {page: [sev1]}").severities
    assert (("sev1",), ("warning", "ticket"), ("info", "none"), True) == (
        found.page,
        found.ticket,
        found.notice,
        found.configured,
    )


def test_naming_only_the_label_leaves_the_words_ours():
    """Another label does not make another vocabulary."""
    assert Vocabulary(label="priority") == settings("severities: {label: priority}").severities


MISTAKES = [
    ("servise: x", "1:1: 'servise' is not a key of the configuration, so it is not read\n  did you mean service?"),
    ("tier: D", "1:7: tier is 'D'; one of A, B, C is expected"),
    ("dialect: tanos", "is expected\n  did you mean thanos?"),
    ("scrape_interval: 30", "1:18: scrape_interval is '30'; a duration such as 5m or 30d is expected"),
    ("folders: docs", "1:10: folders is 'docs'; folders (a mapping) is expected"),
    ("ignore: {ALR007: ''}", "1:18: ALR007 is ''; the reason why is expected"),
    ("service: a\nservice: b", "2:1: key 'service' is given twice"),
    ("runbook_urls: {docs: x}", "1:16: 'docs' cannot be a key of runbook_urls: a URL prefix, such as https://wiki.example.com/runbooks/"),
    ("latency: {route: {}}", "1:11: 'route' is not a key of latency, so it is not read\n  did you mean routes?"),
    ("latency: yes", "latency is 'yes'; latency (a mapping) is expected"),
    ("latency: {history: often}", "history is 'often'; true or false is expected"),
    ("latency: {routes: [a]}", "routes is a list; a mapping is expected"),
    ("latency: {routes: {checkout: {p95: 1s}}}",
     "1:20: 'checkout' cannot be a key of routes: a method and a path, such as POST /checkout, is expected"),
    ("latency: {routes: {GET /: 5ms}}", "GET / is '5ms'; a route's limits (a mapping) is expected"),
    ("latency: {routes: {GET /: {}}}", "1:20: GET / has no limit\n  add p95: 100ms, or remove the route"),
    ("latency: {routes: {GET /: {error: 1%}}}",
     "1:28: 'error' is not a key of a route's limits, so it is not read\n  did you mean errors?"),
    ("latency: {routes: {GET /: {p95: 100}}}", "1:33: p95 is '100'; a duration such as 100ms is expected"),
    ("latency: {routes: {GET /: {p95: 0s}}}", "p95 is '0s'; a duration such as 100ms is expected"),
    (f"latency: {{routes: {{GET /: {{p95: {'9' * 400}s}}}}}}", "; a duration such as 100ms is expected"),
    ("latency: {routes: {GET /: {p97.5: fast}}}", "1:35: p97.5 is 'fast'; a duration such as 100ms is expected"),
    ("latency: {routes: {GET /: {p95: 2s, p99: 1s}}}",
     "1:27: p99: 1s is stricter than p95: 2s, which then says nothing\n  swap their limits"),
    ("latency: {routes: {GET /: {max: 1s, p99: 2s, p50: x}}}", "max: 1s is stricter than p99: 2s, which then says nothing"),
    ("latency: {routes: {GET /: {p99.9: 1s, p999: 1s}}}",
     "1:27: p99.9: 1s and p999: 1s limit the same quantile\n  keep one of them"),
    ("latency: {routes: {GET /: {p0: 1s}}}", "'p0' is not a key"),
    ("latency: {routes: {GET /: {errors: 0%}}}", "errors is '0%'; a share such as 1% is expected"),
    ("latency: {routes: {GET /: {errors: 1}}}", "errors is '1'; a share such as 1% is expected"),
    ("latency: {routes: {GET /: {throughput: 0/s}}}", "throughput is '0/s'; a rate such as 200/s is expected"),
    ("latency: {routes: {GET /: {throughput: often}}}", "throughput is 'often'; a rate such as 200/s is expected"),
    ("dependencies: {payments: strong}", "1:26: payments is 'strong'; one of hard, soft, cached is expected"),
    ("dependencies: [payments]", "1:15: dependencies is a list; a mapping is expected"),
    ("dependencies: {payments: {mod: hard}}", "'mod' is not a key of a dependency, so it is not read\n  did you mean mode?"),
    ("dependencies: {payments: {objective: 0.999}}", "1:38: objective is '0.999'; a percentage such as 99.9% is expected"),
    ("dependencies: {payments: {objective: 100%}}", "objective is '100%'; a percentage such as 99.9% is expected"),
    ("sla: {availability: 99.9}", "1:21: availability is '99.9'; a percentage such as 99.9% is expected"),
    ("sla: 99.9%", "1:6: sla is '99.9%'; a mapping is expected"),
    ("request_rate: 5", "1:15: request_rate is '5'; a rate such as 5/s is expected"),
    (f"request_rate: {'9' * 400}/s", "; a rate such as 5/s is expected"),
    ("objective_review: 0d", "1:19: objective_review is '0d'; a duration such as 180d is expected"),
    ("objective_review: yearly", "objective_review is 'yearly'; a duration such as 180d is expected"),
    ("- a", "1:1: the file is a list; the configuration (a mapping) is expected"),
    ("a: [", "1:"),
    ("a: 1\n---\nb: 2", ": a second document"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), MISTAKES)
def test_a_mistake_is_named_with_its_place(text, expected):
    """File, line, column, what is wrong, and what to type instead."""
    said = complaint(text)
    assert said.startswith(".reliability.yaml:")
    assert expected in said


def test_ignoring_without_a_reason_is_refused():
    """A list of codes is what people try first."""
    assert "write each with its reason, for example: ALR007: the platform team owns every alert" in complaint("ignore: [ALR007]")


def test_all_mistakes_are_told_at_once():
    """Nobody likes to be told of one mistake a run."""
    assert 2 == complaint("tier: D\nserivce: x\n").count(".reliability.yaml:")


def test_pyproject_configures_as_well():
    """A Python project need not have one more file."""
    assert "shop" == settings('[tool.reliability]\nservice = "shop"\n', "pyproject.toml").service


def test_a_pyproject_that_only_mentions_us_is_no_configuration():
    """In a comment, for instance; and one that has vanished says nothing."""
    assert {} == configurations(Repo({"pyproject.toml": "# [tool.reliability] will come\n[tool.ruff]\n"}))


def test_a_pyproject_of_others_is_no_configuration():
    """Most Python projects have one, and it does not make a service of them."""
    assert {} == configurations(Repo({"pyproject.toml": "[tool.ruff]\nline-length = 100\n"}))


def test_a_mistake_in_pyproject_is_named_with_its_line():
    """The same errors, wherever the configuration is."""
    assert "pyproject.toml:2:1: 'tear' is not a key" in complaint('[tool.reliability]\ntear = "A"\n', "pyproject.toml")


@pytest.mark.parametrize("files", [
    {".reliability.yaml": "service: a", "pyproject.toml": "[tool.reliability]\nservice = 'b'\n"},
    {".reliability.yaml": "service: a", ".reliability.yml": "service: b"},
])  # fmt: skip
def test_two_configurations_of_one_folder_are_refused(files):
    """Nobody could tell which of them counts."""
    with pytest.raises(UsageError, match="keep one of"):
        configurations(Repo(files))


def test_a_selector_that_means_nothing_is_refused():
    """A typo in `ignore` must not silently accept nothing, nor one in `select` check nothing."""
    checks = [check(Service, code="ALR902")(missing_runbook)]
    with pytest.raises(UsageError) as caught:
        require_known(["misssing-runbook"], checks, ".reliability.yaml: ignore")
    assert ".reliability.yaml: ignore: no check is called 'misssing-runbook'\n  did you mean missing-runbook?" == str(
        caught.value
    )
    with pytest.raises(UsageError, match="no check is called 'qqqq'"):
        require_known(["qqqq"], checks, "--select")


@given(st.text(max_size=80))
def test_no_text_makes_it_crash(text):
    """Whatever stands in the file, there are settings or there is a message."""
    try:
        said = repr(configurations(Repo({".reliability.yaml": text})))
    except UsageError as error:
        said = str(error)
    assert said.startswith((".reliability.yaml:", "{'': Settings("))
