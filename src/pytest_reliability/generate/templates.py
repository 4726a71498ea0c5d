"""SLI plugins of Sloth's that are no more than a template: what they come to, without running anybody's code."""

from __future__ import annotations

import re
from collections.abc import Callable

from pytest_reliability.model.graph import Graph
from pytest_reliability.model.nodes import Plugin, SliTemplate


class NoRulesError(Exception):
    """Why no rules follow from an SLO, as a clause."""


_ACTION = r"""\{\{-?\s*(?:\.(?P<name>\w+)|"(?P<text>(?:[^"\\]|\\.)*)"|(?P<other>.*?))\s*-?\}\}"""
_WINDOW = r"\{\{-?\s*\.window\s*-?\}\}"


def over_template(graph: Graph, plugin: Plugin) -> Callable[[str], str]:
    """The ratio of bad events that an SLI plugin comes to. Raises NoRulesError where the plugin is more than a template."""
    found = [node for node in graph.of(SliTemplate) if f"/{node.at.path}".endswith(f"/{plugin.id}.sli.tmpl")]
    if len(found) != 1:
        raise NoRulesError(f"its SLI comes from the plugin {plugin.id!r}, whose template is not here: write {plugin.id}.sli.tmpl")

    def filled(action: re.Match[str]) -> str:
        if action["name"] == "window":
            return "{{.window}}"
        if action["text"] is not None:
            return action["text"].replace('\\"', '"')
        if action["name"] is None:
            raise NoRulesError(f"the template of the plugin {plugin.id!r} does more than fill in options: {action[0]}")
        if action["name"] not in plugin.options:
            raise NoRulesError(f"the plugin {plugin.id!r} wants an option {action['name']!r}, which is not given")
        return str(plugin.options[action["name"]])

    query = re.sub(_ACTION, filled, found[0].text)
    return lambda window: re.sub(_WINDOW, window, query)
