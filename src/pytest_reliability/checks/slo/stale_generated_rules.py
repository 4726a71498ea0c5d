"""SLO310: rules that no longer say what the spec says."""

from __future__ import annotations

from collections.abc import Iterator

from pytest_reliability.contracts import Problem, check
from pytest_reliability.model.graph import Graph
from pytest_reliability.model.nodes import GeneratedRules, Rewrite
from pytest_reliability.report import Level


@check(GeneratedRules, code="SLO310", level=Level.SILVER)
def stale_generated_rules(rules: GeneratedRules, graph: Graph) -> Iterator[Problem]:
    """A spec that has changed while the rules have not promises one thing and alerts on another."""
    from pytest_reliability.generate.files import again, canonical, spec_of

    spec = spec_of(graph, rules)
    if spec not in graph.files:
        if not spec.startswith("../"):  # what lies outside of what is checked may well be there
            hint = "generate the rules from the new place of the spec, or remove them"
            yield Problem(rules.at, f"these rules were generated from {spec}, which is not there", hint=hint)
        return
    if any(unread.at.path == spec for unread in graph.unread):
        return
    try:
        wanted = again(graph, rules)
    except ValueError as unknown:
        yield Problem(rules.at, f"the header of these rules has an option that does not exist: {unknown}")
        return
    if canonical(wanted.documents) != rules.text:
        changed = wanted.digest != rules.digest
        reason = f"{spec} says something else now" if changed else "they, or what else they follow from, have been edited"
        yield Problem(
            rules.at,
            f"these rules are not what {spec} gives: {reason}",
            hint="run: reliability generate rules --update",
            edit=Rewrite(path=rules.at.path, text=wanted.text) if wanted.documents else None,
        )
