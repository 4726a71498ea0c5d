"""Quality gates of Keptn: the thresholds in them, and what is wrong with them."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_reliability.documents import Source
from pytest_reliability.formats.keptn import FORMAT
from pytest_reliability.model.nodes import Fault, Slo
from pytest_reliability.testing import Repo

GATE = """\
spec_version: "1.0"
filter:
  service: cart
  team: shop
comparison:
  compare_with: several_results
  include_result_with_score: pass_or_warn
  number_of_comparison_results: 3
  aggregate_function: avg
objectives:
  - sli: response_time_p95
    displayName: Response time of 95 of 100
    key_sli: true
    weight: 2
    pass:
      - criteria: ["<600"]
    warning:
      - criteria: ["<=800"]
  - sli: throughput
total_score: {pass: 90%, warning: 75}
"""


def read(text, path="cart/slo.yaml"):
    """Everything that the reader yields for a file."""
    return list(FORMAT.read(Source(path, text.encode())))


def of(kind, text):
    """The nodes of exactly that kind."""
    return [node for node in read(text) if type(node) is kind]


def faults(text):
    """Kind, line and message of each fault."""
    return [f"{fault.kind} {fault.at.line}: {fault.message}" for fault in of(Fault, text)]


def test_an_objective_is_a_threshold():
    """It has neither a share of good events nor a window."""
    assert [] == faults(GATE)
    timed, counted = of(Slo, GATE)
    assert ("cart/response_time_p95", "keptn", Decimal(600), "lt", None, None, "") == (
        timed.full_name, timed.dialect, timed.threshold, timed.operator, timed.objective, timed.window, timed.objective_text,
    )  # fmt: skip
    assert ("shop", "Response time of 95 of 100", "cart/slo.yaml", 11, 16) == (
        timed.owner, timed.description, timed.scope, timed.at.line, timed.objective_at.line,
    )  # fmt: skip
    assert ("cart/throughput", None, "") == (counted.full_name, counted.threshold, counted.operator)


@pytest.mark.parametrize(
    ("criteria", "threshold"),
    [
        ('[{criteria: ["<600"]}]', (Decimal(600), "lt")),
        ('[{criteria: ["<= 0.5"]}]', (Decimal("0.5"), "lte")),
        ('[{criteria: [">=99.90"]}]', (Decimal("99.90"), "gte")),
        ('[{criteria: [" > 1e3 "]}]', (Decimal("1e3"), "gt")),
        ('[{criteria: ["=0"]}]', (None, "")),
        ('[{criteria: ["<=+10%"]}]', (None, "")),
        ('[{criteria: ["<10%"]}]', (None, "")),
        ('[{criteria: [">=-5"]}]', (None, "")),
        ('[{criteria: ["<600", ">10"]}]', (None, "")),
        ('[{criteria: ["<600"]}, {criteria: ["<700"]}]', (None, "")),
        ("", (None, "")),
    ],
)
def test_a_threshold_is_a_single_value(criteria, threshold):
    """Ranges, alternatives and comparisons with earlier results are none."""
    text = GATE.replace('\n      - criteria: ["<600"]', f" {criteria}", 1)
    assert [] == faults(text)
    assert threshold == (of(Slo, text)[0].threshold, of(Slo, text)[0].operator)


@pytest.mark.parametrize("criterion", ["<600ms", "=<600", "600", "<", "<+-1", "< 1 000 x", "!=3", "≤600", "<=10%%"])
def test_a_criterion_that_keptn_cannot_read_is_told(criterion):
    """Keptn takes it for one that is never met, and says nothing."""
    text = GATE.replace("<600", criterion, 1)
    (fault,) = faults(text)
    assert fault.startswith("wrong-value 16: criteria[0] is ")
    assert (None, "") == (of(Slo, text)[0].threshold, of(Slo, text)[0].operator)


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("    key_sli: true", "    keySli: true", "unknown-key 13: 'keySli' is not a key of an objective, so it is not read"),
        ("    key_sli: true", "    key_sli: yes", "wrong-value 13: key_sli is 'yes'; true or false is expected"),
        ("weight: 2", 'weight: "2"', "wrong-value 14: weight is '2'; a whole number is expected"),
        ("several_results", "many", "wrong-value 6: compare_with is 'many'; one of single_result, several_results is expected"),
        ("pass_or_warn", "pas", "wrong-value 7: include_result_with_score is 'pas'; one of all, pass, pass_or_warn is expected"),
        ("function: avg", "function: max", "wrong-value 9: aggregate_function is 'max'; one of avg, p50, p90, p95 is expected"),
        ("- sli: throughput", "- name: throughput", "unknown-key 19: 'name' is not a key of an objective, so it is not read"),
        ("- sli: throughput", "- weight: 1", "missing-field 19: an objective has no 'sli'"),
        ("- sli: throughput", "- throughput",
         "wrong-value 19: objectives[1] is 'throughput'; an objective (a mapping) is expected"),
        ("pass: 90%", "pass: ninety", "wrong-value 20: pass is 'ninety'; a percentage such as 90% is expected"),
        ("pass: 90%", "pass: 190%", "wrong-value 20: pass is '190%'; a percentage such as 90% is expected"),
        (
            "total_score: {pass: 90%, warning: 75}\n", "",
            "missing-field 1: a Keptn SLO file has no 'total_score', without which Keptn evaluates nothing",
        ),
        ('- criteria: ["<600"]', "- criteria: []", "wrong-value 16: criteria is an empty list; a list of at least 1 is expected"),
        ("    weight: 2", "    weight: 2\n    weight: 3", "duplicate-key 15: key 'weight' is given twice"),
    ],
)  # fmt: skip
def test_what_keptn_refuses_or_drops_is_told(old, new, expected):
    """With its place and its value."""
    (fault,) = faults(GATE.replace(old, new, 1))
    assert fault.startswith(expected)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"1.0"', "1.0"),
        ("  service: cart\n  team: shop\n", ""),
        ("{pass: 90%, warning: 75}", '{pass: "90"}'),
    ],
)
def test_what_keptn_takes_is_fine(old, new):
    """Versions without quotes, an empty filter, scores of either kind."""
    assert [] == faults(GATE.replace(old, new, 1))


def test_a_gate_that_only_informs_needs_no_score():
    """Nothing can fail."""
    text = "spec_version: '1.0'\nobjectives:\n  - sli: throughput\n"
    assert [] == faults(text)
    (found,) = of(Slo, text)
    assert (None, "throughput") == (found.service, found.full_name)


@pytest.mark.parametrize(
    "text",
    [
        "spec_version: '1.0'\nindicators: {throughput: 'count()'}\n",
        "spec_version: '1.0'\nindicators: {throughput: 'count()'}\nobjectives: [{sli: throughput}]\n",
        "spec_version: '0.2.0'\nkind: Shipyard\nspec: {stages: []}\n",
        "spec_version: '1.0'\nobjectives: 3\n",
        "spec_version: '1.0'\nobjectives: [{name: x}]\n",
        "objectives: [{sli: x}]\n",
        "- spec_version: 1\n",
    ],
)
def test_other_files_are_left_alone(text):
    """Keptn's indicators and stages have a version, too, and other formats have objectives."""
    assert [] == read(text)


@pytest.mark.parametrize("code", ["SLO102", "SLO104", "SLO301", "SLO402", "SLO403", "SLO405"])
def test_a_gate_has_no_budget(code):
    """It stops a deployment; nothing burns, and nobody is woken up."""
    assert [] == Repo({"cart/slo.yaml": GATE}).findings(code)


def test_the_owner_of_a_gate_stands_in_codeowners():
    """What stands in its filter narrows the queries down."""
    gate = "spec_version: '1.0'\nobjectives: [{sli: throughput}]\n"
    (finding,) = Repo({"cart/slo.yaml": gate}).findings("SLO401")
    assert finding.endswith("has no owner\n  add a line for cart/slo.yaml to CODEOWNERS")


def test_gates_of_one_name_in_two_files_are_no_duplicates():
    """The service and the stage that a file is uploaded for tell them apart; two in one file are."""
    gate = "spec_version: '1.0'\nobjectives: [{sli: throughput}]\n"
    repo = Repo({"cart/slo.yaml": gate, "search/slo.yaml": gate})
    assert [] == repo.findings("DOC010")
    twice = gate.replace("[{sli: throughput}]", "[{sli: throughput}, {sli: throughput}]")
    (finding,) = Repo({"cart/slo.yaml": twice}).findings("DOC010")
    assert finding.startswith("cart/slo.yaml:2:39: SLO 'throughput' is defined already, at cart/slo.yaml:2:20")


@pytest.mark.parametrize("alternatives", ["1", "[1]", "[{}]", "[{criteria: 1}]", "[{criteria: [1]}]", "[{criteria: [[]]}]"])
def test_what_is_half_there_breaks_nothing(alternatives):
    """It is only told."""
    text = GATE.replace('\n      - criteria: ["<600"]', f" {alternatives}", 1)
    assert (True, None) == (bool(faults(text)), of(Slo, text)[0].threshold)


WORDS = st.sampled_from(["sli", "pass", "warning", "criteria", "weight", "comparison", "total_score", "filter", "objectives"])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=4),
    max_leaves=12,
)


@given(JSON, JSON)
def test_nothing_that_a_gate_can_be_raises(more, objective):
    """Whatever is there."""
    data = {
        **(more if isinstance(more, dict) else {}),
        "spec_version": "1",
        "objectives": [{"sli": "x", "pass": objective}, more],
    }
    read(json.dumps(data), "slo.json")
