"""Sources of template engines: told from files that merely carry Go templates in their texts, as alerts do.

`{{ .Values.x }}` is Helm's and leaves a value unknown until the chart is rendered. `{{ $labels.x }}` in a quoted text is
Prometheus's, `{{ template "slack.title" . }}` Alertmanager's, `{{.window}}` Sloth's, `{{instance}}` Grafana's: those files are
what they seem.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from pytest_reliability.documents.text import Text, Unreadable
from pytest_reliability.documents.tree import Tree
from pytest_reliability.model.location import Location

_ACTION = re.compile(r"\{\{([^}]*)")
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
_UNQUOTED = re.compile(r"[ \t]*(?:-[ \t]+)*(?:[\w./-]+:[ \t]+)?(\{\{)")


def engine(text: str) -> str:
    """The template engine that a text is certainly meant for; "" where nothing shows that there is one."""
    if "{{" in text and any(map(_HELM.search, set(_ACTION.findall(text)))) and not _NOTIFICATION.search(text):
        return "Helm"
    if "%" not in text:
        return ""
    if _STATEMENT.search(text):
        return "Jinja"
    return "ERB" if _ERB.search(text) else ""


def refuse_templates(source: Text, trees: Iterable[Tree]) -> None:
    """Raise Unreadable for documents that are YAML by luck, but whose values depend on a template engine."""
    if engine(source.text):
        for tree in trees:
            for container, key, text in tree.strings(tree.data):
                if name := engine(text):
                    raise _template(tree.at(container, key), name)
    if "{{" in source.text and "metadata:" in source.text and _NAMED.search(source.text):
        for tree in trees:
            _refuse_named(tree)


def _refuse_named(tree: Tree) -> None:
    """Helm charts of old name their resources with `template`; elsewhere it is a word of Alertmanager's, too."""
    data = tree.data
    if isinstance(data, dict) and "apiVersion" in data and "kind" in data:
        for container, key, text in tree.strings(data.get("metadata")):
            if _NAMED.search(text):
                raise _template(tree.at(container, key), "Helm")


def _template(at: Location, name: str) -> Unreadable:
    return Unreadable(at, f"this is a {name} template, so it was not checked", "check what it renders to", template=True)


def template_instead(source: Text, fault: Unreadable) -> Unreadable:
    """The same fault, or that the file is a template, if that is why it is no YAML."""
    if fault.template:
        return fault
    if name := engine(source.text):
        found = re.search(r"\{\{|\{%|<%", source.text)
        return _template(source.location(found.start() if found else 0), name)
    end = fault.at.line
    lines = source.text.split("\n")
    for number in range(max(0, end - 2), min(end, len(lines))):
        if found := _UNQUOTED.match(lines[number]):
            return braces(source, sum(len(line) + 1 for line in lines[:number]) + found.start(1))
    return fault


def braces(source: Text, index: int) -> Unreadable:
    """What a value means that begins with `{{`: a template, unless its content shows that somebody forgot the quotes."""
    if _RULES.match(source.text, index):
        return source.unreadable(index, "a value that begins with {{ needs quotes", "put the whole value in quotes")
    return _template(source.location(index), "Helm or Jinja")
