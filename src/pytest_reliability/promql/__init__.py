"""PromQL: whether an expression is valid, where it is not, and what it reads.

An adapter over `promql-parser`, and its only importer. The parser says nothing about places, misjudges a few things that
Prometheus accepts, and cannot survive very deep expressions; all of that is dealt with here.
"""

from pytest_reliability.promql.parsing import Parsed, parse
from pytest_reliability.promql.placeholders import substitute, templated
from pytest_reliability.promql.reading import Selector, metrics, selectors, walk

__all__ = ["Parsed", "Selector", "metrics", "parse", "selectors", "substitute", "templated", "walk"]
