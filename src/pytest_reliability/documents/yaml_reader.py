"""YAML to trees.

Files that keep to the plain YAML that people write by hand are read line by line (`yaml_lines`), all others from the events of
PyYAML's C parser by a builder of our own (`yaml_events`): ready-made loaders have no positions or are slow, and resolve scalars
as YAML 1.1 does. Both give the same trees.
"""

from __future__ import annotations

from pytest_reliability.documents import yaml_lines
from pytest_reliability.documents.templates import refuse_templates
from pytest_reliability.documents.text import Text
from pytest_reliability.documents.tree import Tree


def load(source: Text) -> tuple[Tree, ...]:
    """The documents of a YAML stream. Raises Unreadable."""
    trees = yaml_lines.read(source)
    if trees is None:
        from pytest_reliability.documents import yaml_events

        trees = yaml_events.read(source)
    refuse_templates(source, trees)
    return trees
