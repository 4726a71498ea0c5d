"""Sources of template engines: told from files that merely carry Go templates in their texts, as alerts do.

`{{ .Values.x }}` is Helm's and leaves a value unknown until the chart is rendered. `{{ $labels.x }}` in a quoted text is Prometheus's,
`{{ template "slack.title" . }}` Alertmanager's, `{{.window}}` Sloth's, `{{instance}}` Grafana's: those files are what they seem.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from pytest_reliability.documents.text import Text, Unreadable
from pytest_reliability.documents.tree import Tree

_HELM_WORDS = (
    ".Values.",
    ".Release.",
    ".Chart.",
    ".Capabilities.",
    ".Files.",
    ".Template.",
    ".Subcharts.",
    "include ",
    "tpl ",
    "{{`",
)
_HELM = re.compile(
    r"""(?<![\w.)\]]) \$? \.(?:Values|Release|Chart|Capabilities|Files|Template|Subcharts)\.\w
    | (?: ^-?\s* | [(|]\s* ) (?:include|tpl) \s+ ["`($.]
    | ^`""",
    re.VERBOSE,
)
_NOTIFICATION = re.compile(r"\.Alerts\b")  # Grafana's notification templates have .Values as well
_STATEMENT = re.compile(
    r"\{%[-+]?\s*(?:if|elif|else|for|set|raw|include|macro|block|extends|import|from|with|filter|call|do|end\w+)\b"
)
_ERB = re.compile(r"<%[=#-]?[^%\n]*%>")
_RULES = re.compile(r"\{\{-?[^}]*(?:\$(?:labels|value|externalLabels|externalURL)\b|\.(?:Labels|Value|Alerts|CommonLabels)\b)")
_NAMED = re.compile(r"\{\{-?\s*template\s")
_AT_START = re.compile(r"(?:^[ \t]*|[:-][ \t]+)(\{\{)", re.M)


def engine(text: str) -> str:
    """The template engine that a text is certainly meant for; "" where nothing shows that there is one."""
    if "{{" in text and any(word in text for word in _HELM_WORDS):
        actions = (piece.partition("}}")[0] for piece in text.split("{{")[1:])
        if any(_HELM.search(action) for action in actions) and not _NOTIFICATION.search(text):
            return "Helm"
    if "{%" in text and _STATEMENT.search(text):
        return "Jinja"
    return "ERB" if "<%" in text and _ERB.search(text) else ""


def refuse_template(source: Text, tree: Tree) -> None:
    """Raise Unreadable for a document that is YAML by luck, but whose values depend on a template engine."""
    if "{{" in source.text and _NAMED.search(source.text):
        _refuse_named(tree)
    if engine(source.text):
        for container, key, text in _strings(tree.data):
            if name := engine(text):
                raise _template(tree, container, key, name)


def _refuse_named(tree: Tree) -> None:
    """Helm charts of old name their resources with `template`; in texts it is Alertmanager's, too."""
    data = tree.data
    if isinstance(data, dict) and "apiVersion" in data and "kind" in data:
        for container, key, text in _strings(data.get("metadata")):
            if _NAMED.search(text):
                raise _template(tree, container, key, "Helm")


def _template(tree: Tree, container: Any, key: Any, name: str) -> Unreadable:
    at = tree.at(container, key)
    return Unreadable(at, f"this is a {name} template, so it was not checked", _HINT, template=True)


_HINT = "check what it renders to"


def template_instead(source: Text, fault: Unreadable) -> Unreadable:
    """The same fault, or that the file is a template, if that is why it is no YAML."""
    if fault.template:
        return fault
    if name := engine(source.text):
        found = re.search(r"\{\{|\{%|<%", source.text)
        at = source.location(found.start() if found else 0)
        return Unreadable(at, f"this is a {name} template, so it was not checked", _HINT, template=True)
    end = fault.at.line
    lines = source.text.split("\n")
    for number in range(max(0, end - 2), min(end, len(lines))):
        if found := _AT_START.search(lines[number]):
            return braces(source, sum(len(line) + 1 for line in lines[:number]) + found.start(1))
    return fault


def braces(source: Text, index: int) -> Unreadable:
    """What a value means that begins with `{{`: a template, unless its content shows that somebody forgot the quotes."""
    if _RULES.match(source.text, index):
        return source.unreadable(index, "a value that begins with {{ is no text without quotes", "put the whole value in quotes")
    at = source.location(index)
    return Unreadable(at, "this is a template (Helm or Jinja), so it was not checked", _HINT, template=True)


def _strings(data: Any) -> Iterator[tuple[Any, str | int | None, str]]:
    """Every string with its container and its key, and every key that may be part of a template."""
    if isinstance(data, str):
        yield data, None, data
    seen: set[int] = set()
    pending = [data]
    while pending:
        container = pending.pop()
        if not isinstance(container, (dict, list)) or id(container) in seen:
            continue
        seen.add(id(container))
        for key, value in container.items() if isinstance(container, dict) else enumerate(container):
            if isinstance(key, str):
                yield container, key, key
            if isinstance(value, str):
                yield container, key, value
            pending.append(value)
