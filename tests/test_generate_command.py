"""`reliability generate`: what is written where, what is refused, and rules that go stale."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_reliability import cli
from pytest_reliability.model.nodes import GeneratedRules, Rewrite
from pytest_reliability.testing import Repo

SPEC = """\
version: prometheus/v1
service: checkout
slos:
  - name: availability
    objective: 99.9
    sli:
      events:
        error_query: sum(rate(http_requests_total{code=~"5.."}[{{.window}}]))
        total_query: sum(rate(http_requests_total[{{.window}}]))
    alerting:
      name: CheckoutFails
"""
THRESHOLD = """\
apiVersion: openslo/v1
kind: SLO
metadata: {name: latency}
spec:
  service: checkout
  budgetingMethod: Occurrences
  timeWindow: [{duration: 28d, isRolling: true}]
  objectives: [{target: 0.99, op: lte, value: 1}]
  indicator:
    spec:
      thresholdMetric: {metricSource: {type: Prometheus, spec: {query: 'latency'}}}
"""


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with one spec."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".git").mkdir()
    write(tmp_path / "slo/checkout.yaml", SPEC)
    return tmp_path


def write(path: Path, text: str) -> None:
    """A file with its folder."""
    path.parent.mkdir(exist_ok=True, parents=True)
    path.write_text(text)


def test_printed(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Without --output the rules of the only spec are printed, its path as seen from the root."""
    assert 0 == cli.main(["generate", "rules"])
    printed = capsys.readouterr()
    assert "# spec: slo/checkout.yaml\n" in printed.out
    assert "alert: CheckoutFails" in printed.out
    assert "" == printed.err


def test_written_to_a_file(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With --output they are written, and the place is told."""
    assert 0 == cli.main(["generate", "rules", "slo", "--output", "rules/x.yaml"])
    assert "rules/x.yaml: written\n" == capsys.readouterr().err
    assert "# spec: ../slo/checkout.yaml" in (repository / "rules/x.yaml").read_text()


def test_written_to_a_folder(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Several specs go into a folder; those of the same name are told apart by their folders; one without rules is told."""
    write(repository / "other/checkout.yaml", SPEC.replace("service: checkout", "service: other"))
    write(repository / "slo/latency.yaml", THRESHOLD)
    assert 0 == cli.main(["generate", "rules", "--output", "rules"])
    assert ["other-checkout.rules.yaml", "slo-checkout.rules.yaml"] == sorted(
        path.name for path in (repository / "rules").iterdir()
    )
    said = capsys.readouterr().err
    assert "slo/latency.yaml:3:18: checkout/latency: no rules: it compares a value with a threshold and counts no events" in said


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["rules", "nothing.yaml"], "nothing.yaml: no such file or folder"),
        (["rules", "README.md"], "README.md: holds no SLO that can be read"),
        (["rules", "/tmp"], "lies outside the repository"),
        (["rules", "latency.yaml"], "no rules: it compares a value with a threshold"),
        (["rules"], "2 files to write: latency.yaml, slo/checkout.yaml"),
        (["rules", "--output", "README.md"], "README.md: a file, where 2 are to be written"),
        (["rules", "--label", "x"], "--label x: not a label"),
        (["rules", "--label", "a-b=x"], "--label a-b=x: not a label"),
        (["rules", "--period", "soon"], "--period: 'soon' is no duration"),
        (["rules", "--min-errors", "-1"], "--min-errors -1: a number of 0 or more is expected"),
        (["rules", "--windows", "README.md"], "README.md: holds no alert windows"),
        (["tests"], "there are no generated rules here"),
        (["tests", "README.md"], "README.md: not a file of generated rules"),
    ],
)
def test_refused(repository: Path, capsys: pytest.CaptureFixture[str], words: list[str], said: str) -> None:
    """What cannot be done is said in one line, and what to type instead in the next."""
    write(repository / "README.md", "# Checkout\n")
    write(repository / "latency.yaml", THRESHOLD)
    assert 2 == cli.main(["generate", *words])
    assert said in capsys.readouterr().err


def test_nothing_to_generate_from(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """A repository without SLOs says so."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".git").mkdir()
    assert 2 == cli.main(["generate", "rules"])
    assert "there are no SLOs here" in capsys.readouterr().err


def test_tests_are_printed_with_a_path_from_where_they_stand(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Tests of all generated rules, or of one, name the file of rules relative to theirs."""
    assert 0 == cli.main(["generate", "rules", "--output", "rules/x.yaml"])
    assert 0 == cli.main(["generate", "tests"])
    assert "rule_files:\n  - rules/x.yaml\n" in capsys.readouterr().out.replace('"', "")
    assert 0 == cli.main(["generate", "tests", "rules/x.yaml", "--output", "rules/tests/x.yaml"])
    assert "../x.yaml" in (repository / "rules/tests/x.yaml").read_text()


def test_tests_of_what_has_rules(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """An SLO without rules has no tests, which is told again."""
    write(
        repository / "slo/checkout.yaml",
        SPEC + SPEC[SPEC.index("  - name") :].replace("availability", "perfect").replace("99.9", "100"),
    )
    assert 0 == cli.main(["generate", "rules", "--output", "x.yaml"])
    capsys.readouterr()
    assert 0 == cli.main(["generate", "tests"])
    printed = capsys.readouterr()
    assert "checkout/perfect: no tests: its objective of 100% leaves no error budget to alert on" in printed.err
    assert "checkout/availability: a total outage" in printed.out


def test_several_documents(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Sloth writes a document for each of a file's; Prometheus reads one of them, and both commands say so."""
    write(repository / "slo/checkout.yaml", SPEC + "---\n" + SPEC.replace("service: checkout", "service: other"))
    assert 0 == cli.main(["generate", "rules", "--style", "sloth", "--output", "x.yaml"])
    expected = "slo/checkout.yaml: 2 documents of rules, as Sloth writes them; Prometheus reads only the first\n"
    assert expected in capsys.readouterr().err
    assert 0 == cli.main(["generate", "tests"])
    printed = capsys.readouterr()
    assert "other/availability: no tests: Prometheus reads only the first document of a file" in printed.err
    assert "other" not in printed.out.replace("# not here: other", "")
    assert 0 == cli.main(["generate", "rules", "--output", "x.yaml"])
    assert "documents" not in capsys.readouterr().err


def test_no_tests_for_rules_without_alerts(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What nothing can be tested of is refused with the reason."""
    assert 0 == cli.main(["generate", "rules", "--no-alerts", "--output", "x.yaml"])
    assert 2 == cli.main(["generate", "tests", "x.yaml"])
    assert "no tests: its alerts are left out: --no-alerts" in capsys.readouterr().err


# Stale rules


def stale() -> list[str]:
    """What SLO310 says about the repository we are in."""
    files = {path.as_posix(): path.read_bytes() for path in Path().rglob("*.*") if path.is_file()}
    return Repo(files).findings("SLO310")


def test_rules_go_stale_and_are_updated(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Fresh rules pass; those of a changed spec fail until they are generated again."""
    assert 0 == cli.main(["generate", "rules", "--exact", "--output", "rules/x.yaml"])
    assert [] == stale()
    write(repository / "slo/checkout.yaml", "# only a comment\n" + SPEC)
    assert [] == stale()
    write(repository / "slo/checkout.yaml", SPEC.replace("99.9", "99.5"))
    (said,) = stale()
    assert "these rules are not what slo/checkout.yaml gives: slo/checkout.yaml says something else now" in said
    assert 0 == cli.main(["generate", "rules", "--update"])
    assert [] == stale()
    assert "# options: --exact" in (repository / "rules/x.yaml").read_text()


def test_updating_touches_only_what_is_stale(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Fresh rules are left as they are; a header that says what nobody can ask for is refused."""
    assert 0 == cli.main(["generate", "rules", "--label", "a=b", "--label", "c=d", "--output", "x.yaml"])
    capsys.readouterr()
    assert 0 == cli.main(["generate", "rules", "--update"])
    assert "" == capsys.readouterr().err
    text = (repository / "x.yaml").read_text()
    write(repository / "x.yaml", text.replace("groups:", "# options: --fast\ngroups:"))
    for words in (["rules", "--update"], ["tests"]):
        assert 2 == cli.main(["generate", *words])
        assert "x.yaml: its header has an option that does not exist: --fast" in capsys.readouterr().err


def test_edited_rules_are_stale(repository: Path) -> None:
    """A rule that somebody changed by hand is found; formatting and comments do not matter."""
    assert 0 == cli.main(["generate", "rules", "--output", "rules/x.yaml"])
    path = repository / "rules/x.yaml"
    text = path.read_text()
    path.write_text(text + "# a comment\n")
    assert [] == stale()
    path.write_text(text.replace("14.4", "20"))
    (said,) = stale()
    assert "they, or what else they follow from, have been edited" in said


def test_printed_rules_find_their_spec(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Rules that were printed and put into a folder name their spec from the root."""
    assert 0 == cli.main(["generate", "rules"])
    write(repository / "rules/x.yaml", capsys.readouterr().out)
    assert [] == stale()


HEADER = "# Generated by `reliability generate rules`. Do not edit: change the spec and generate it again.\n"


def graph_findings(header: str, spec: str = SPEC) -> list[str]:
    """What SLO310 says about rules with that header."""
    return Repo({"slo.yaml": spec, "rules.yaml": HEADER + header + "groups: []\n"}).findings("SLO310")


def test_headers_that_somebody_edited() -> None:
    """An option that does not exist is said; a header without a spec is none; a spec elsewhere is not asked for."""
    digest = "# digest: sha256:0\n"
    expected = "rules.yaml:1:1: the header of these rules has an option that does not exist: --fast"
    assert [expected] == graph_findings("# spec: slo.yaml\n" + digest + "# options: --fast\n")
    assert [expected.replace("--fast", "--label 'x")] == graph_findings("# spec: slo.yaml\n" + digest + "# options: --label 'x\n")
    assert ["not applicable: "] == [said[:16] for said in graph_findings(digest)]
    assert [] == graph_findings("# spec: ../slo.yaml\n" + digest)
    assert [] == graph_findings("# spec: slo.yaml\n" + digest, spec="version: prometheus/v1\nslos: [\n")


def test_the_edit_writes_what_would_be_generated() -> None:
    """The mechanical fix is the whole file; where the spec has no SLO left, there is none."""
    repo = Repo({"slo.yaml": SPEC, "rules.yaml": HEADER + "# spec: slo.yaml\n# digest: sha256:0\ngroups: []\n"})
    (rules,) = repo.graph.of(GeneratedRules)
    (check,) = [check for check in repo.catalogue.checks if check.code == "SLO310"]
    (problem,) = check.run(rules, repo.graph)
    assert isinstance(problem.edit, Rewrite)
    assert "rules.yaml" == problem.edit.path
    assert [] == Repo({"slo.yaml": SPEC, "rules.yaml": problem.edit.text}).findings("SLO310")
    empty = Repo({"slo.yaml": "a: 1\n", "rules.yaml": problem.edit.text})
    (rules,) = empty.graph.of(GeneratedRules)
    (problem,) = check.run(rules, empty.graph)
    assert problem.edit is None
