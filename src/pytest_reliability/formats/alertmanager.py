"""Alertmanager's configuration: who is told of which alert.

* a file with `route` and `receivers`
* a text in a Secret (`stringData`) or a ConfigMap that is such a file
* an `AlertmanagerConfig` of the Prometheus operator, as far as routes and receivers go; the operator hangs it into another
  configuration, so that nobody can tell from it alone which alerts get there: it is a `partial` routing

Each becomes a `Routing` with its `Receiver`s. Names of receivers and of time intervals are `Definition`s and `Reference`s, good
for that configuration only.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pytest_reliability import shape
from pytest_reliability.contracts import Format
from pytest_reliability.documents import Source, Tree
from pytest_reliability.formats._alertmanager import CONFIGURATION, RESOURCE
from pytest_reliability.formats._kubernetes import of_group, resource_shape, resources
from pytest_reliability.formats._nested import nested
from pytest_reliability.model.nodes import Definition, Fault, Matcher, Node, Receiver, Reference, Route, Routing
from pytest_reliability.model.settings import Settings

_TEXTS = {"Secret": "stringData", "ConfigMap": "data"}


def read(source: Source) -> Iterator[Node | Fault]:
    """The routing in a file, and what is wrong with it."""
    for tree in source.trees:
        if _is_configuration(tree.data):
            yield from _configuration(tree, source.settings, source.path)
    for tree, data in resources(source):
        if data["kind"] in _TEXTS:
            yield from _inside(tree, data.get(_TEXTS[data["kind"]]), source.settings)
        elif data["kind"] == "AlertmanagerConfig" and of_group(data, "monitoring.coreos.com"):
            yield from shape.faults(tree, resource_shape("an AlertmanagerConfig", RESOURCE), data)
            yield from tree.faults
            scope = f"{source.path}:{tree.at(data).line}"
            yield from _Configuration(tree, data.get("spec") or {}, source.settings, scope, partial=True).read()


def _is_configuration(data: Any) -> bool:
    return isinstance(data, dict) and isinstance(data.get("route"), dict) and isinstance(data.get("receivers"), list)


def _inside(tree: Tree, texts: Any, settings: Settings) -> Iterator[Node | Fault]:
    """The configurations in the texts of a Secret or a ConfigMap."""
    for key, text in texts.items() if isinstance(texts, dict) else ():
        if isinstance(text, str) and "receivers" in text and "route" in text and re.search(r"\.ya?ml$", key):
            for inner in nested(tree, texts, key):
                if _is_configuration(inner.data):
                    yield from _configuration(inner, settings, f"{tree.path} ({key})")


def _configuration(tree: Tree, settings: Settings, scope: str) -> Iterator[Node | Fault]:
    yield from shape.faults(tree, CONFIGURATION)
    yield from tree.faults
    yield from _root_faults(tree, tree.data["route"])
    yield from _Configuration(tree, tree.data, settings, scope).read()


def _root_faults(tree: Tree, root: dict[str, Any]) -> Iterator[Fault]:
    """What a route may have, but not the first one, which takes every alert."""
    if root.get("receiver") in (None, ""):
        yield Fault(
            kind="missing-field",
            at=tree.at(root),
            message="the first route has no 'receiver'; it takes whatever no other route does",
            hint="add receiver: …",
        )
    for key in ("match", "match_re", "matchers", "mute_time_intervals", "active_time_intervals", "continue"):
        if root.get(key):
            message = f"the first route has {key!r}; it must take every alert, always"
            yield Fault(
                kind="conflicting-fields", at=tree.key_at(root, key), message=message, hint="move it to a route in routes"
            )


@dataclass(frozen=True, slots=True)
class _Configuration:
    """One configuration: `data` holds its routes and receivers, `scope` is where its names are good."""

    tree: Tree
    data: dict[str, Any]
    settings: Settings
    scope: str
    partial: bool = False

    def read(self) -> Iterator[Node | Fault]:
        """Everything in it."""
        receivers: dict[str, Receiver] = {}
        for data in _mappings(self.data.get("receivers")):
            name = data.get("name")
            if not isinstance(name, str) or not name:
                continue
            if name in receivers:
                message = f"a receiver called {name!r} stands above already; their names are unique"
                yield Fault(kind="wrong-value", at=self.tree.at(data, "name"), message=message, hint="rename one of them")
            at = self.tree.at(data, "name")
            receivers[name] = Receiver(at=at, settings=self.settings, name=name, integrations=_integrations(data))
            yield receivers[name]
            yield Definition(at=at, settings=self.settings, kind="receiver", name=name, scope=self.scope)
        yield from self._time_intervals()
        root = self.data.get("route")
        faults: list[Fault] = []
        references: list[Reference] = []
        route = self._route(root, "", faults, references) if isinstance(root, dict) else None
        yield from faults
        yield from references
        at = self.tree.at(self.data)
        yield Routing(at=at, settings=self.settings, root=route, receivers=receivers, partial=self.partial)

    def _time_intervals(self) -> Iterator[Definition]:
        for key in ("time_intervals", "mute_time_intervals", "timeIntervals", "muteTimeIntervals"):
            for data in _mappings(self.data.get(key)):
                if isinstance(data.get("name"), str):
                    at = self.tree.at(data, "name")
                    yield Definition(at=at, settings=self.settings, kind="time interval", name=data["name"], scope=self.scope)

    def _route(self, data: dict[str, Any], inherited: str, faults: list[Fault], references: list[Reference]) -> Route:
        given = data.get("receiver")
        receiver = given if isinstance(given, str) and given else inherited
        matchers = tuple(self._matchers(data, faults))
        holder = f"the route for {_spoken(matchers)}" if matchers else "a route" if inherited else "the first route"
        if isinstance(given, str) and given:
            references.append(self._reference("receiver", given, holder, data, "receiver"))
        for key in ("mute_time_intervals", "active_time_intervals", "muteTimeIntervals", "activeTimeIntervals"):
            names = data.get(key)
            for index, name in enumerate(names if isinstance(names, list) else ()):
                if isinstance(name, str):
                    references.append(self._reference("time interval", name, holder, names, index))
        return Route(
            at=self.tree.at(data),
            settings=self.settings,
            receiver=receiver,
            matchers=matchers,
            continues=data.get("continue") is True,
            routes=tuple(self._route(child, receiver, faults, references) for child in _mappings(data.get("routes"))),
        )

    def _reference(self, kind: str, name: str, holder: str, container: Any, key: str | int) -> Reference:
        at = self.tree.at(container, key)
        return Reference(at=at, settings=self.settings, kind=kind, name=name, scope=self.scope, holder=holder)

    def _matchers(self, data: dict[str, Any], faults: list[Fault]) -> Iterator[Matcher]:
        for key, operator in (("match", "="), ("match_re", "=~")):
            values = data.get(key)
            for label, value in values.items() if isinstance(values, dict) else ():
                if isinstance(value, (str, int, float)):
                    yield Matcher(label=label, operator=operator, value=self.tree.spelling(values, label))
        lines = data.get("matchers")
        for index, line in enumerate(lines if isinstance(lines, list) else ()):
            if isinstance(line, dict):
                yield from _of_resource(line)
            elif isinstance(line, str):
                found = parse_matchers(line)
                if found is None:
                    message = f'{line!r} is no matcher; label="value" with one of =, !=, =~, !~ is expected'
                    faults.append(Fault(kind="wrong-value", at=self.tree.at(lines, index), message=message))
                yield from found or ()


def _mappings(values: Any) -> list[dict[str, Any]]:
    return [value for value in values if isinstance(value, dict)] if isinstance(values, list) else []


def _integrations(receiver: Mapping[str, Any]) -> tuple[str, ...]:
    """What a receiver notifies through: its lists of configurations that are not empty."""
    found = ((re.fullmatch(r"(\w+?)(?:_configs|Configs)", key), value) for key, value in receiver.items())
    return tuple(key[1] for key, value in found if key and isinstance(value, list) and value)


def _of_resource(line: Mapping[str, Any]) -> Iterator[Matcher]:
    name, value = line.get("name"), line.get("value")
    operator = line.get("matchType") or ("=~" if line.get("regex") is True else "=")
    if isinstance(name, str) and operator in ("=", "!=", "=~", "!~"):
        yield Matcher(label=name, operator=operator, value="" if value is None else str(value))


def _spoken(matchers: tuple[Matcher, ...]) -> str:
    return ", ".join(f'{matcher.label}{matcher.operator}"{matcher.value}"' for matcher in matchers)


_QUOTED = r'"(?:\\.|[^"\\])*"'
_MATCHER = rf"(?s)\s*(?P<label>{_QUOTED}|[^\s{{}}!=~,\\\"'`]+)\s*(?P<operator>=~|!=|!~|=)\s*(?P<value>{_QUOTED}|[^\"].*?|)\s*"
_PIECE = rf"(?s)(?:{_QUOTED}|[^,\"]|\"(?=[^\"]*$))+"
_ESCAPES = {"n": "\n", '"': '"', "\\": "\\"}


def parse_matchers(text: str) -> tuple[Matcher, ...] | None:
    """The matchers of one line: `a="b"`, `a=~b`, `{a="b", "ラベル"!="c"}`; None where it cannot be read."""
    stripped = text.strip()
    if stripped.startswith("{") and stripped.endswith("}"):
        stripped = stripped[1:-1]
    found = []
    for piece in re.findall(_PIECE, stripped):
        if not piece.strip():
            continue
        match = re.fullmatch(_MATCHER, piece)
        if match is None:
            return None
        found.append(Matcher(label=_unquoted(match["label"]), operator=match["operator"], value=_unquoted(match["value"])))
    return tuple(found)


def _unquoted(text: str) -> str:
    if not text.startswith('"'):
        return text
    return re.sub(r"\\(.)", lambda match: _ESCAPES.get(match[1], match[0]), text[1:-1], flags=re.DOTALL)


FORMAT = Format(
    name="alertmanager",
    files=r"\.(?:ya?ml|json)$",
    marker=rb"receivers[\"']?\s*:",
    yields=(Routing, Receiver, Definition, Reference),
    read=read,
)
