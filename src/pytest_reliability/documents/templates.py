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

_ACTION = r"""(?x)
    (?P<Helm> (?<![\w.)\]]) \$? \.(?:Values|Release|Chart|Capabilities|Files|Template|Subcharts)\.\w
            | (?: {{-?\s* | [(|]\s* ) (?:include|tpl) \s+ ["`($.]
            | ^{{` )
    | (?P<Jinja> ^{{-?\s*cookiecutter\. )"""
"""Objects and functions that one engine alone has."""
_STATEMENT = r"\{%[-+]?\s*(?:if|elif|else|for|set|raw|include|macro|block|extends|import|from|with|filter|call|do|end\w+)\b"
_ERB = r"<%[=#-]?[^%\n]*%>"
_NAMED = r"\{\{-?\s*template\s"
_OPENING = r"\{\{|\{%|<%"
_UNQUOTED = r"[ \t]*(?:-[ \t]+)*(?:[\w./-]+:[ \t]+)?(\{\{)"
_RULES = r"\{\{-?[^}]*(?:\$(?:labels|value|externalLabels|externalURL)\b|\.(?:Labels|Value|Alerts|CommonLabels)\b)"
"""An action of Prometheus's or Alertmanager's."""


def engine(text: str) -> str:
    """The template engine that a text is certainly meant for; "" where nothing shows that there is one."""
    if "{{" in text:
        search = re.compile(_ACTION).search
        for action in dict.fromkeys(re.findall("{{[^}]*", text)):
            if found := search(action):
                return str(found.lastgroup)
        if "${{" in text and re.search(r"\${{-?\s*values\.", text):
            return "Backstage"
    if "%" not in text:
        return ""
    if re.search(_STATEMENT, text):
        return "Jinja"
    return "ERB" if re.search(_ERB, text) else ""


def refuse_templates(source: Text, trees: Iterable[Tree]) -> None:
    """Raise Unreadable for documents that are YAML by luck, but whose values depend on a template engine."""
    if engine(source.text):
        for tree in trees:
            for container, key, text in tree.strings(tree.data):
                name = engine(text)
                if name and not (name == "Helm" and ".Alerts" in text):  # Grafana's notifications have .Values as well
                    raise _template(tree.at(container, key), name)
    if "{{" in source.text and "metadata:" in source.text and re.search(_NAMED, source.text):
        for tree in trees:
            _refuse_named(tree)


def _refuse_named(tree: Tree) -> None:
    """Helm charts of old name their resources with `template`; elsewhere it is a word of Alertmanager's, too."""
    data = tree.data
    if isinstance(data, dict) and "apiVersion" in data and "kind" in data:
        for container, key, text in tree.strings(data.get("metadata")):
            if re.search(_NAMED, text):
                raise _template(tree.at(container, key), "Helm")


def _template(at: Location, name: str) -> Unreadable:
    return Unreadable(at, f"this is a {name} template, so it was not checked", "check what it renders to", template=True)


def template_instead(source: Text, fault: Unreadable) -> Unreadable:
    """The same fault, or that the file is a template, if that is why it is no YAML."""
    if fault.template:
        return fault
    if name := engine(source.text):
        found = re.search(_OPENING, source.text)
        return _template(source.location(found.start() if found else 0), name)
    end = fault.at.line
    lines = source.text.split("\n")
    for number in range(max(0, end - 2), min(end, len(lines))):
        if found := re.match(_UNQUOTED, lines[number]):
            return braces(source, sum(len(line) + 1 for line in lines[:number]) + found.start(1))
    return fault


def braces(source: Text, index: int) -> Unreadable:
    """What a value means that begins with `{{`: a template, unless its content shows that somebody forgot the quotes."""
    if re.match(_RULES, source.text[index : index + 500]):
        return source.unreadable(index, "a value that begins with {{ needs quotes", "put the whole value in quotes")
    return _template(source.location(index), "Helm or Jinja")
