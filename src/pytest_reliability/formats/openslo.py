"""OpenSLO v1, v1alpha and v2alpha: https://github.com/OpenSLO/OpenSLO.

What becomes of a document, in whichever version:

* an SLO: an `Slo` for each objective. A single one is called like the document; of several, each has its `displayName` (or its
  number) behind a colon: "search:Good experience". A composite, whose objectives have indicators of their own, is one more `Slo`
  of those as its parts, without an objective of its own
* `budgetingMethod`: method; Timeslices and RatioTimeslices are alike. `timeSliceWindow` and `timeSliceTarget`: slice and
  slice_objective
* `timeWindow`: window, rolling unless `isRolling` is false or there is a calendar
* `op` and `value`: operator and threshold
* an SLI, inline or not: an `Indicator`. An SLO that refers to one by name has no queries of its own, but its name
* an alert policy: an `AlertPolicy`; one inside an SLO has a name that only the SLO knows
* an alert condition: a `BurnRate` over its `lookbackWindow`, with its `threshold` as factor where that is exceeded (`op` is gt or
  gte)
* every kind: a `Definition`, and a `Reference` for whatever it refers to by name
* owner, runbook, dashboard: what `metadata.labels`, then `metadata.annotations`, have under one of `OWNER_KEYS` (owner, owners,
  owned_by, owning_team, team, teams, squad, maintainer, maintainers), `RUNBOOK_KEYS` (runbook_url, runbook, playbook_url,
  playbook) and `DASHBOARD_KEYS` (dashboard, dashboard_url, grafana_dashboard, grafana_url, grafana), with or without a prefix
  (`example.com/owner`)

Where the specification, the official JSON schema and the official SDK disagree, whatever one of them allows is allowed: alert
policies of an SLO as plain names, `operator` beside a `conditionRef`, RatioTimeslices, inline indicators without metadata. But
what `oslo validate` and the SDK forbid because it has no meaning is told: `op` and `value` beside an inline ratio.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from pytest_reliability import shape
from pytest_reliability.contracts import Format
from pytest_reliability.documents import Source, Tree
from pytest_reliability.formats import _slo
from pytest_reliability.formats._openslo import SPOKEN, Version, mapping
from pytest_reliability.model.nodes import AlertPolicy, BurnRate, Definition, Fault, Indicator, Node, Reference, Replace, Slo

_KINDS = re.compile(
    rb"kind[\"']?\s*:\s*[\"']?"
    rb"(?:SLO|SLI|AlertPolicy|AlertCondition|AlertNotificationTarget|(?:Service|DataSource)\b(?s:.{0,300})\bdisplayName)\b"
)
"""Kinds that may be OpenSLO's although the file does not say so; Kubernetes has services too, but without a displayName."""


def _versions() -> dict[str, Version]:
    """Every version by its name. Most repositories have none, and then nobody needs to know their shapes."""
    from pytest_reliability.formats import _openslo_v1, _openslo_v1alpha, _openslo_v2alpha

    return {version.name: version for version in (_openslo_v1.VERSION, _openslo_v2alpha.VERSION, _openslo_v1alpha.VERSION)}


def read(source: Source) -> Iterator[Node | Fault]:
    """What the OpenSLO documents of a file say, and what is wrong with them."""
    if b"openslo" not in source.data.lower() and not _KINDS.search(source.data):
        return
    types = _source_types(source.trees)
    for number, tree in enumerate(source.trees):
        found = False
        for data in _documents(tree):
            for item in _read(source, tree, data, number, types):
                found = True
                yield item
        if found:
            yield from tree.faults


def _documents(tree: Tree) -> Iterator[dict[str, Any]]:
    """The objects of a YAML document or a JSON file, which may be a list of them."""
    for data in tree.data if isinstance(tree.data, list) else [tree.data]:
        if isinstance(data, dict):
            yield data


def _source_types(trees: tuple[Tree, ...]) -> dict[str, str]:
    """The types of the data sources that a file defines, by name."""
    found = {}
    for tree in trees:
        for data in _documents(tree):
            name, kind = _slo.text(data.get("metadata"), "name"), _slo.text(data.get("spec"), "type")
            if data.get("kind") == "DataSource" and name and kind:
                found[name] = kind
    return found


def _read(source: Source, tree: Tree, data: dict[str, Any], number: int, types: dict[str, str]) -> Iterator[Node | Fault]:
    versions = _versions()
    name, kind = _slo.text(data, "apiVersion"), _slo.text(data, "kind")
    version = versions.get(name or "")
    if version is None:
        if not _means_openslo(data, name, kind, versions):
            return
        version, sure = _meant(tree, data, name, kind, versions)
        yield _wrong(tree, data, "apiVersion", repr(version.name), version.name, sure)
    elif kind in SPOKEN and kind not in version.specs:
        version, sure = _meant(tree, data, "", kind, versions)
        yield Fault(
            kind="wrong-kind",
            at=tree.at(data, "apiVersion"),
            message=f"apiVersion is {name!r}, which has no kind {kind}; {version.name!r} is expected",
            hint=f"apiVersion: {version.name}",
            edit=Replace(tree.at(data, "apiVersion"), tree.spelling(data, "apiVersion"), version.name) if sure else None,
        )
    meant = kind if kind in version.specs else shape.nearest(kind or "", version.specs)
    if meant != kind or meant is None:
        yield _wrong(tree, data, "kind", f"one of {', '.join(version.specs)}", meant, sure=True)
    if meant is not None:
        document = version.reader(source, tree, data, meant, number, types)
        yield from document.definition()
        yield from shape.faults(tree, version.documents[meant], data)
        yield from document.read()


def _means_openslo(data: dict[str, Any], version: str | None, kind: str | None, versions: dict[str, Version]) -> bool:
    """Whether a document of another `apiVersion`, or of none, is OpenSLO's beyond doubt: it says so, or it can be nothing else.

    Kinds like Service and SLO belong to Kubernetes and Nobl9 too, but theirs have a group ("n9/v1alpha") or other fields.
    """
    if version is not None and ("/" in version or "openslo" in version.casefold()):
        return "openslo" in version.casefold()
    spec = data.get("spec")
    if kind not in SPOKEN or not isinstance(spec, dict) or not spec:
        return False
    shapes = [found.specs[kind] for found in versions.values() if kind in found.specs]
    if any(wanted.required and spec.keys() >= set(wanted.required) for wanted in shapes):
        return True
    known = any(spec.keys() <= wanted.known.keys() for wanted in shapes)
    return known and (kind != "Service" or "displayName" in mapping(data, "metadata"))


def _meant(
    tree: Tree, data: dict[str, Any], name: str | None, kind: str | None, versions: dict[str, Version]
) -> tuple[Version, bool]:
    """The version that a document fits best, and whether it fits; of several, the one that its own `apiVersion` is most like."""
    candidates = [version for version in versions.values() if kind in version.specs] or list(versions.values())

    def misfit(version: Version) -> tuple[int, int]:
        spec, short = data.get("spec"), version.name.partition("/")[2]
        wanted = version.specs.get(kind or "")
        found = list(shape.faults(tree, wanted, spec)) if wanted and isinstance(spec, dict) else []
        return len(found), -len(short) if short in (name or "") else 0

    best = min(candidates, key=misfit)
    return best, misfit(best)[0] == 0


def _wrong(tree: Tree, data: dict[str, Any], key: str, expected: str, meant: str | None, sure: bool) -> Fault:
    """`apiVersion` or `kind` is missing, or is not what it must be."""
    hint = f"{key}: {meant}" if meant else ""
    if data.get(key) is None:
        message = f"an OpenSLO document has no {key!r}; {expected} is expected"
        return Fault(kind="missing-field", at=tree.at(data), message=message, hint=hint)
    at, spelling = tree.at(data, key), tree.spelling(data, key)
    edit = Replace(at, spelling, meant) if sure and meant and spelling else None
    return Fault(kind="wrong-kind", at=at, message=f"{key} is {data[key]!r}; {expected} is expected", hint=hint, edit=edit)


FORMAT = Format(
    name="openslo",
    files=r"\.(?:ya?ml|json)$",
    marker=rb"kind[\"']?\s*:",
    yields=(Slo, Indicator, Definition, Reference, AlertPolicy, BurnRate),
    read=read,
)
