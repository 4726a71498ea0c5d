"""PromQL: what is valid, what is wrong and where, what a query reads, and what placeholders become."""

from __future__ import annotations

import json
import re
import shutil
import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_reliability.model.nodes import Matcher
from pytest_reliability.promql import Selector, metrics, parse, selectors, substitute, templated, walk
from pytest_reliability.promql.parsing import MOST_OPERATORS
from pytest_reliability.promql.regexps import LONGEST, regexp_fault

VALID = [
    "up",
    "foo offset -5m",
    "foo @ end() offset 1h",
    "foo @ -1",
    "foo > 0x1F",
    "foo > 1e3",
    "foo > .5",
    "foo > +Inf",
    "foo > bool 1",
    "foo # comment\n + bar",
    "#comment\nfoo",
    "sum by (by, on, sum, offset, and, start, end, bool) (foo)",
    'foo{sum="x", by="y", bool="1", atan2="c", inf="2"}',
    "start + end",
    "foo atan2 bar ^ 2 % 3",
    "SUM(foo) BY (a)",
    "foo and on() bar unless ignoring(a) baz",
    "foo > bool on(a) group_left(b) bar",
    "min_over_time((foo > 0)[5m:])",
    "histogram_quantile(0.9, sum by (le) (rate(foo[5m])))",
    "histogram_fraction(0, 0.2, foo) + histogram_count(foo)",
    "job:requests:rate5m",
    "foo{a=~`\\d+\\.x`} == 1",
    "foo{a='`'} or bar{b=\"`\"}",
    'foo{a="日本", b="\\u00e9", c="\\xff"}',
    "absent_over_time(foo[1y2w3d4h5m6s7ms])",
    'label_replace(foo, "a", "$1", "b", "(.*)")',
]
NEWER = [
    '{"foo.bar", "label.x"="y"}',
    'sum by ("foo.bar") (x)',
    "info(foo)",
    "limitk(5, foo)",
    'sort_by_label(foo, "a")',
    "mad_over_time(foo[5m])",
    "double_exponential_smoothing(foo[5m], 0.5, 0.5)",
    "holt_winters(foo[5m], 0.5, 0.5)",
    "rate(foo[5m * 2])",
    "rate(foo[(1h - 5m):step()])",
    "rate(foo[max(step(), 5m)])",
    "foo offset (5m * 2)",
    "foo offset step()",
    "rate(foo[5m] anchored)",
    "rate(foo[5m] smoothed)",
    "foo </ 5",
    "foo + on(a) fill(0) bar",
    "foo[300]",
    "foo > 5m",
]
FOREIGN = [
    "xrate(foo[5m])",
    'label_set(foo, "a", "b")',
    "range_avg(foo)",
    "foo default 0",
    "rate(foo[5m]) keep_metric_names",
    "with (x = 1) x",
    'foo{a=~"\\\\Qa.b\\\\E"}',
    'foo{a=~"[[a]"}',
    'foo{a=~"{{.x}}"}',
]
NO_REGEXP = "is no regular expression that Prometheus knows (RE2)"
INVALID = [
    ("sum(foo", "'(' is never closed", 3),
    ('foo{a="b"', "'{' is never closed", 3),
    ("foo[5m", "'[' is never closed", 3),
    ("foo)", "this ')' closes nothing", 3),
    ("foo]", "this ']' closes nothing", 3),
    ('foo{a="b', "this string is never closed", 6),
    ("'\n'[", "this string is never closed", 0),
    ("foo bar", "unexpected 'bar'", 4),
    ("sum(foo) by (a) without (b)", "unexpected 'without'", 16),
    ("sum(foo) by le) > 1", "unexpected 'le'", 12),
    ("sum by (a (foo)", "unexpected '('", 10),
    ("foo +", "it ends too early", 5),
    ("foo > on(a) bool bar", "unexpected 'bool'", 12),
    ("foo bar 'x", "unexpected 'bar'", 4),
    ("foo;", "unexpected character ';'", 3),
    ("foo{a:b='c'}", "unexpected character ':'", 5),
    ("foo[5m{]", "unexpected character '{'", 6),
    ("foo!~'x'", "unexpected character '~'", 4),
    ("foo[5x]", "this number or duration cannot be read", 4),
    ("1x", "this number or duration cannot be read", 0),
    ("foo > 1_000", "this number or duration cannot be read", 6),
    ("rate(foo[1m1h])", "this number or duration cannot be read", 9),
    ('foo{a=~"\\d"}', "a string has no escape '\\d'; double the backslash", 9),
    ("rat(foo[5m])", "there is no function rat()", 0),
    ("1 + RATE(foo[5m])", "there is no function RATE()", 4),
    ("fooo(bar) + fooo(bar)", "there is no function fooo()", None),
    ("rate(foo)", "rate() takes a range vector here, not an instant vector", 0),
    ("abs(foo[5m])", "abs() takes an instant vector here, not a range vector", 0),
    ("exp(1)", "exp() takes an instant vector here, not a number", 0),
    ("sum(foo[5m])", "an aggregation takes an instant vector here, not a range vector", None),
    ("topk(foo, bar)", "an aggregation takes a number here, not an instant vector", None),
    ("abs(foo, bar)", "abs() takes 1 argument, not 2", 0),
    ("round(foo, 1, 2)", "round() takes at most 2 arguments, not 3", 0),
    ("foo[5m] > 1", "an operator takes numbers and instant vectors, neither strings nor range vectors", None),
    ("1 > 2", "a comparison of two numbers needs 'bool' after its operator", None),
    ("foo and 1", "'and' joins two vectors, and one side is a number", None),
    ("{}", "a selector without a name needs a matcher that rules out the empty string", None),
    ("", "there is no expression", None),
    (" # nothing", "there is no expression", None),
    ("foo{,}", "a selector cannot have ',' there", None),
    ("foo{a}", "label 'a' has no operator and no value", None),
    ("foo[[", "unexpected '['", 4),
    ("foo[]", "a range needs a duration, such as [5m]", None),
    ('foo{__name__="bar"}', "metric name must not be set twice: 'foo' or 'bar'", None),
    ('foo{a=~"x(?=y)"}', f"'x(?=y)' {NO_REGEXP}: it has no look-ahead and no look-behind", 7),
    ("foo{a=~`(`}", f"'(' {NO_REGEXP}: missing ), unterminated subpattern", 7),
    ("foo \ud800", "half of a surrogate pair is no character", None),
]  # fmt: skip


@pytest.mark.parametrize("text", VALID)
def test_valid_expressions_are_valid(text):
    """Whatever every version of Prometheus accepts must never be called invalid."""
    assert parse(text).error is None
    assert parse(text).tree is not None


@pytest.mark.parametrize("text", NEWER)
def test_what_only_some_versions_accept_is_accepted(text):
    """Experimental syntax, and functions that came or went with Prometheus 3, work for somebody."""
    assert parse(text).error is None


@pytest.mark.parametrize("text", FOREIGN)
def test_what_cannot_be_judged_is_neither_valid_nor_invalid(text):
    """MetricsQL, Thanos's engine, and regular expressions about which two engines differ."""
    parsed = parse(text)
    assert (None, None) == (parsed.tree, parsed.error)


@pytest.mark.parametrize(("text", "error", "offset"), INVALID)
def test_invalid_expressions_are_explained_and_placed(text, error, offset):
    """A message says what is wrong as a person would, and points at it wherever that can be told."""
    parsed = parse(text)
    assert (None, error, offset) == (parsed.tree, parsed.error, parsed.offset)


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("irat(foo[5m])", "did you mean irate()?"),
        ("RATE(foo[5m])", "did you mean rate()?"),
        ("frobnicate(foo)", ""),
        ("rate(foo)", "give what is in it a range, as in rate(http_requests_total[5m])"),
        ("sum(foo[5m])", "put a function such as rate() around the range"),
        ("sum('a')", ""),
    ],
)
def test_hints_can_be_typed(text, hint):
    """Where the remedy is known, it is said."""
    assert hint == parse(text).hint


def test_an_expression_that_would_end_the_process_is_not_judged():
    """Thousands of nested operators overflow the parser's stack; nobody writes them by hand."""
    deep = "(" * 30_000 + "up" + ")" * 30_000
    assert (None, None) == (parse(deep).tree, parse(deep).error)
    wide = "+".join(["up"] * (MOST_OPERATORS // 2))
    assert parse(wide).tree is not None


def test_the_same_text_is_parsed_once():
    """Generated rules repeat their expressions; a parse costs more than all else."""
    assert parse("up == 0") is parse("up == 0")


def test_expressions_that_differ_in_values_only_are_judged_alike_and_have_their_own_trees():
    """Generated rules repeat a pattern; what they read is not the same for that."""
    one, other = 'up{job="a"} > 0.25', 'up{job="it\'s"} > 0.75'
    assert (True, True) == (parse(one).valid, parse(other).valid)
    assert ["a", "it's"] == [selectors(text)[0].matchers[0].value for text in (one, other)]
    assert [True, False] == [parse(text).valid for text in ('up{job=~"(a)"}', 'up{job=~"(a"}')]
    assert parse('foo{a=\'x="\', b="y"}').valid


def test_a_tree_of_another_spelling_says_so():
    """Its computed ranges are not those of the text."""
    assert (False, True) == (parse("rate(foo[5m])").rewritten, parse("rate(foo[5m * 2])").rewritten)


@pytest.mark.parametrize(
    ("pattern", "fault"),
    [
        ("(?<!a)b", "it has no look-ahead and no look-behind"),
        ("(a)(?!b)", "it has no look-ahead and no look-behind"),
        (r"(a)\1", "it has no backreferences"),
        ("*a", "nothing to repeat"),
        (r"\(?=", None),
        ("[(?=]", None),
        (r"\\1", None),
        ("(?P<name>a)(?:b)", None),
        ("[[:alpha:]]", None),
        (r"\Q(\E", None),
        ("(" * (LONGEST + 1), None),
    ],
)
def test_a_regular_expression_is_refused_only_where_every_engine_does(pattern, fault):
    """What the parser's engine refuses may be fine with Prometheus's; a second opinion decides."""
    assert fault == regexp_fault(pattern)


@settings(deadline=None)
@given(st.text(alphabet="abc(){}[]+-*/ \"'`=~!<>,.:0159mhs@#\n\\$µ日", max_size=40))
def test_no_text_breaks_the_parser(text):
    """Bad input is told, never a traceback, and a place lies in the text."""
    parsed = parse(text)
    assert (parsed.tree is None) or (parsed.error is None)
    assert parsed.offset is None or 0 <= parsed.offset <= len(text)


@settings(deadline=None)
@given(
    st.lists(
        st.sampled_from(["sum", "by", "(", ")", "foo", "{", "}", "[", "]", "5m", "a", "=", '"b"', "+", "and", "1", ","]),
        max_size=12,
    )
)
def test_what_stands_before_the_unexpected_can_be_completed(words):
    """A word is called unexpected only where the words before it begin some expression."""
    text = " ".join(words)
    parsed = parse(text)
    if parsed.error and parsed.error.startswith("unexpected '") and " character " not in parsed.error:
        assert parsed.error == f"unexpected {text[parsed.offset :].split()[0]!r}"
        before = parse(text[: parsed.offset])
        assert before.error is None or before.offset is None or before.offset <= parsed.offset
        assert not (before.error or "").startswith("unexpected '")


# --- What a query reads


def test_selectors_have_metrics_matchers_and_ranges():
    """A check that joins rules and metrics needs all three, from left to right."""
    text = 'sum(rate(errors_total{code=~"5..", job!="x"}[5m])) / sum(requests) + {__name__="other", a!~"b"} offset 1h'
    errors = Selector("errors_total", (_matcher("code", "=~", "5.."), _matcher("job", "!=", "x")), 300.0)
    other = Selector("other", (_matcher("a", "!~", "b"),), None)
    assert (errors, Selector("requests"), other) == selectors(text)
    assert frozenset({"errors_total", "requests", "other"}) == metrics(text)


def _matcher(label, operator, value):
    return Matcher(label=label, operator=operator, value=value)


def test_a_metric_without_an_exact_name_is_any():
    """Regular expressions over names are matchers like others."""
    assert (Selector(None, (_matcher("__name__", "=~", "a.*"),)),) == selectors('{__name__=~"a.*"}')
    assert frozenset() == metrics('{__name__=~"a.*"}')


def test_every_kind_of_part_is_walked():
    """What stands in parameters, subqueries, signs and parentheses is read as well."""
    text = "-(topk(scalar(a), max_over_time((b)[5m:1m])) + ln(c)) > count_values('v', d)"
    assert ["a", "b", "c", "d"] == [selector.metric for selector in selectors(text)]
    tree = parse("(up)").tree
    assert tree is not None
    assert ["ParenExpr", "VectorSelector"] == [type(part).__name__ for part in walk(tree)]


def test_a_computed_range_has_no_length():
    """The length in the rewritten tree is ours, not the text's."""
    assert (Selector("foo", (), None),) == selectors("rate(foo[5m * 2])")


def test_an_invalid_query_reads_nothing():
    """Nothing is guessed from what cannot be parsed."""
    assert () == selectors("rate(")


# --- Placeholders


@pytest.mark.parametrize(
    ("text", "filled"),
    [
        ("rate(foo[5m])", "rate(foo[5m])"),
        ("rate(foo[{{.window}}])", "rate(foo[5m])"),
        ("rate(foo[{{ .window }}] offset {{- .Window -}})", "rate(foo[5m] offset 5m)"),
        ("rate(foo[$__rate_interval])", "rate(foo[5m])"),
        ("rate(foo[${__interval}:$__range])", "rate(foo[5m:5m])"),
        ("increase(foo[${__range_s}s]) / $__interval_ms", "increase(foo[300s]) / 300"),
        ('foo{job="$job", x=~"${y:regex}", z=~"[[z]]"}', 'foo{job="variable", x=~"variable", z=~"variable"}'),
        ("sum by ($by, b) (foo_${x}_total)", "sum by (variable, b) (foo_variable_total)"),
        ("$metric{a='b'} offset $off", "variable{a='b'} offset 5m"),
        ("rate(foo[$x]) + rate(foo[${n}m])", "rate(foo[5m]) + rate(foo[5m])"),
        ("foo[5m] @ $at", "foo[5m] @ 1"),
        ("topk($n, foo)", "topk(1, foo)"),
        ("clamp_max(foo, $m)", "clamp_max(foo, 1)"),
        ("histogram_quantile(0.$q, foo)", "histogram_quantile(1, foo)"),
        ("foo{$filter} + bar{$filter, a='b'}", 'foo{variable=~".+"} + bar{variable=~".+", a=\'b\'}'),
        ("foo{a=$v, $k='w'}", "foo{a=\"variable\", variable='w'}"),
        ('label_replace(foo, "a", "${1}$2", "b", "x$")', 'label_replace(foo, "a", "${1}$2", "b", "x$")'),
        ("foo # $comment", "foo # $comment"),
        ("$function(foo[5m])", None),
        ("foo $operator bar", None),
        ("{{ if .x }}foo{{ else }}(bar", None),
        ("foo)] > $x", None),
    ],
)
def test_placeholders_are_filled_in(text, filled):
    """Each variable becomes what fits its place; where nothing can, the text cannot be judged."""
    assert filled == substitute(text)


def test_the_window_can_be_chosen():
    """Checks on ranges ask with several windows."""
    assert "rate(foo[30d])" == substitute("rate(foo[{{.window}}])", window="30d")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("rate(foo[{{ window }}])", True),
        ("foo{a='b'} > $limit", True),
        ("foo{a='{{ x }}', b='$1'}", False),
        ("foo # {{ x }}", False),
    ],
)
def test_templates_in_strings_are_texts(text, expected):
    """Only what stands outside of strings is yet to become syntax."""
    assert expected == templated(text)


@settings(deadline=None)
@given(st.text(alphabet="foo(){}[]$_:\"' ,.=~5m", max_size=30))
def test_no_placeholder_breaks_the_filling(text):
    """Bad input has an answer, and what is answered has no placeholder left outside of comments."""
    filled = substitute(text)
    assert filled is None or not templated(filled)


# --- promtool agrees


@pytest.fixture(scope="module")
def promtool():
    """Ask promtool about many expressions at once: the index of each → its complaint."""
    program = shutil.which("promtool")
    if program is None:
        pytest.skip("promtool (Debian's package prometheus) is not installed")

    def ask(expressions, folder):
        rules = [{"record": "x", "expr": expression} for expression in expressions]
        file = folder / "rules.json"
        file.write_text(json.dumps({"groups": [{"name": "all", "rules": rules}]}), encoding="utf-8")
        said = subprocess.run([program, "check", "rules", str(file)], capture_output=True, text=True, check=False).stderr
        return {int(rule) - 1: text for rule, text in re.findall(r'rule (\d+), "x": (.*)', said)}

    return ask


def test_nothing_that_promtool_accepts_is_called_invalid(promtool, tmp_path):
    """The oracle is older than some syntax, so that only its yes counts against ours."""
    texts = [*VALID, *NEWER, *(text for text, _, _ in INVALID if text.strip() and "\ud800" not in text)]
    complaints = promtool(texts, tmp_path)
    assert [] == [text for index, text in enumerate(texts) if index not in complaints and parse(text).error is not None]
