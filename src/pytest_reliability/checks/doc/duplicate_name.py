"""DOC010: one name for two SLOs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import takewhile

from pytest_reliability.contracts import Problem, check
from pytest_reliability.model.graph import Graph
from pytest_reliability.model.nodes import Slo

GENERATED = frozenset({"gen", "_gen", "generated", "_generated", "rendered", "build", "dist", "out", "output", "outputs"})
"""Folders that hold what a tool made of other files."""
EXAMPLES = frozenset({"example", "examples", "sample", "samples"})
"""Folders whose files are there to be looked at, each by itself."""
FIXTURES = frozenset({"testdata", "test-data", "fixtures", "test", "tests"})
"""Folders whose files are there for tests: only those in the same folder belong together."""
ENVIRONMENTS = frozenset(
    {"prod", "production", "prd", "live", "staging", "stage", "stg", "preprod", "preproduction", "uat", "qa", "test", "testing",
     "dev", "devel", "development", "sandbox", "demo", "canary", "integration", "int", "local", "default", "base", "common",
     "overlays", "overlay", "environments", "environment", "envs", "env"}
)  # fmt: skip
"""Words by which the paths of one thing's variants differ."""
VARIANTS = frozenset({"overlays", "environments", "envs", "env", "clusters", "regions", "stages", "tenants", "sites"})
"""Folders whose subfolders are variants of each other."""


@check(Slo, code="DOC010")
def duplicate_name(slo: Slo, graph: Graph) -> Iterator[Problem]:
    """Of two SLOs with one name one overwrites the other, or their alerts and budgets are mixed up."""
    earlier = takewhile(lambda other: other is not slo, graph.slo_named(slo.full_name))
    rivals = (other for other in earlier if (other.service, other.scope) == (slo.service, slo.scope))
    first = next((other for other in rivals if not _may_share_a_name(other, slo)), None)
    if first is not None:
        message = f"SLO {slo.full_name!r} is defined already, at {first.at}"
        yield Problem(slo.at, message, hint="rename one of them, or delete it")


def _may_share_a_name(one: Slo, other: Slo) -> bool:
    """Whether two SLOs never meet: the same file read twice, a generated copy, samples, variants for several environments."""
    first, second = one.at.path, other.at.path
    if first == second:
        return one.dialect != other.dialect
    folders, others = first.split("/")[:-1], second.split("/")[:-1]
    around = {*folders, *others}
    if around & (GENERATED | EXAMPLES) or (folders != others and around & FIXTURES):
        return True
    differing = set(re.split(r"[/._-]", first)) ^ set(re.split(r"[/._-]", second))
    if differing and differing <= ENVIRONMENTS:
        return True
    shared = next((depth for depth, (a, b) in enumerate(zip(folders, others, strict=False)) if a != b), None)
    return shared is not None and shared > 0 and folders[shared - 1] in VARIANTS
