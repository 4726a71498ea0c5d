"""Checks on files as such: what their pages do not show, above all what must stay quiet."""

from __future__ import annotations

import pytest

from pytest_reliability.testing import Repo

SLO = """\
version: prometheus/v1
service: {service}
slos:
  - name: {name}
    objective: 99.9
    sli: {{raw: {{error_ratio_query: "errors{{window='{{{{.window}}}}'}}"}}}}
    alerting: {{name: Burns}}
"""
OPENSLO = """\
apiVersion: openslo/v1
kind: SLO
metadata: {name: answers}
spec:
  service: shop
  indicatorRef: answered
  budgetingMethod: Occurrences
  objectives: [{target: 0.999}]
"""


def sloth(service="shop", name="answers"):
    """A specification of Sloth's with one SLO."""
    return SLO.format(service=service, name=name)


def duplicates(*paths):
    """What DOC010 says of the same SLO in several files."""
    return Repo({path: sloth() for path in paths}).findings("DOC010")


@pytest.mark.parametrize(
    "paths",
    [
        ("slo/a.yaml", "slo/b.yaml"),
        ("slo/shop.yaml", "monitoring/shop.yaml"),
        ("teams/a/shop.yaml", "teams/b/shop.yaml"),
        ("slo/prod/a.yaml", "slo/prod/b.yaml"),
        ("slo/a-b.yaml", "slo/b-a.yaml"),
        ("tests/fixtures/a.yaml", "tests/fixtures/b.yaml"),
    ],
)
def test_the_same_name_in_two_files_is_told_once(paths):
    """At the later one, and with the place of the other."""
    first, second = sorted(paths)
    message = f"{second}:4:11: SLO 'shop/answers' is defined already, at {first}:4:11"
    assert [f"{message}\n  rename one of them, or delete it"] == duplicates(*paths)


@pytest.mark.parametrize(
    "paths",
    [
        ("slo/prod/shop.yaml", "slo/staging/shop.yaml"),
        ("slo/shop-prod.yaml", "slo/shop-staging.yaml"),
        ("slo/shop.yaml", "slo/shop.dev.yaml"),
        ("base/shop.yaml", "overlays/prod/shop.yaml"),
        ("clusters/eu-west-1/shop.yaml", "clusters/us-east-1/all.yaml"),
        ("environments/blue/a.yaml", "environments/green/b.yaml"),
        ("slo/shop.yaml", "generated/shop.yaml"),
        ("slo/shop.yaml", "dist/slo/copy.yaml"),
        ("slo/shop.yaml", "docs/examples/first.yaml"),
        ("examples/a.yaml", "examples/b.yaml"),
        ("tests/testdata/a/x.yaml", "tests/testdata/b/x.yaml"),
    ],
)
def test_variants_copies_and_samples_may_share_a_name(paths):
    """They never meet in one monitoring system."""
    assert [] == duplicates(*paths)


def test_of_three_each_later_one_is_told_with_the_first():
    """Whoever renames them wants the whole list."""
    assert ["slo/b.yaml:4:11", "slo/c.yaml:4:11"] == [
        found.split(": ")[0] for found in duplicates("slo/a.yaml", "slo/b.yaml", "slo/c.yaml")
    ]


def test_a_variant_between_two_duplicates_hides_none():
    """Each pair is judged by itself."""
    found = duplicates("slo/prod/a.yaml", "slo/staging/a.yaml", "slo/staging/b.yaml")
    assert ["slo/staging/b.yaml:4:11"] == [message.split(": ")[0] for message in found]


def test_dialects_do_not_tell_names_apart():
    """Both end up as the same series."""
    found = Repo({"slo/a.yaml": OPENSLO, "slo/b.yaml": sloth()}).findings("DOC010")
    assert 1 == len(found)


def test_one_file_that_two_readers_take_up_is_no_duplicate():
    """An OpenSLO document and a specification of Sloth's beside it are one thing, written twice on purpose."""
    assert [] == Repo({"slo/a.yaml": f"{OPENSLO}---\n{sloth()}"}).findings("DOC010")


def test_twice_in_one_file_is_told():
    """The second overwrites the first."""
    assert 1 == len(Repo({"slo/a.yaml": f"{sloth()}---\n{sloth()}"}).findings("DOC010"))


def test_another_service_or_another_name_is_another_slo():
    """A name holds within its service."""
    files = {"slo/a.yaml": sloth(), "slo/b.yaml": sloth(service="blog"), "slo/c.yaml": sloth(name="latency")}
    assert [] == Repo(files).findings("DOC010")


def test_a_name_with_a_slash_is_not_taken_for_a_service():
    """`shop/answers` of no service is not `answers` of the service `shop`."""
    odd = OPENSLO.replace("name: answers", "name: shop/answers").replace("service: shop", "service: 1")
    assert [] == Repo({"slo/a.yaml": odd, "slo/b.yaml": sloth()}).findings("DOC010")


def indicators(*names):
    """SLIs of those names."""
    spec = "spec: {thresholdMetric: {metricSource: {type: Redshift, spec: {query: x}}}}"
    return "---\n".join(f"apiVersion: openslo/v1\nkind: SLI\nmetadata: {{name: {name}}}\n{spec}\n" for name in names)


@pytest.mark.parametrize(
    ("defined", "hint"),
    [
        (("answerd",), "did you mean answerd?"),
        (("zebra", "yak"), "known here: yak, zebra"),
        (("u", "v", "w", "x", "y", "z"), "known here: u, v, w, x, y, …"),
        ((), "define it, or correct the name; no SLI is defined here"),
    ],
)
def test_a_broken_reference_comes_with_what_there_is(defined, hint):
    """A near name first; otherwise some of those that are defined."""
    files = {"slo/a.yaml": OPENSLO, "slo/b.yaml": indicators(*defined) or "a: b\n"}
    assert [f"slo/a.yaml:6:17: SLO 'answers' refers to SLI 'answered', which is not defined\n  {hint}"] == Repo(files).findings(
        "DOC009"
    )


def test_a_reference_is_not_judged_while_a_file_cannot_be_read():
    """What it names may be in there."""
    files = {"slo/a.yaml": OPENSLO, "slo/b.yaml": "kind: SLI\nmetadata: [\n"}
    (found,) = Repo(files).findings("DOC009")
    assert found.startswith("unknown: ")


def test_a_data_source_is_looked_for_only_where_one_is_defined():
    """They mostly live where the credentials do."""
    referring = indicators("answered").replace("type: Redshift", "metricSourceRef: main")
    other = "apiVersion: openslo/v1\nkind: DataSource\nmetadata: {name: other}\nspec: {type: X, connectionDetails: {}}\n"
    assert [] == Repo({"slo/a.yaml": referring}).findings("DOC009")
    assert 1 == len(Repo({"slo/a.yaml": referring, "slo/b.yaml": other}).findings("DOC009"))
