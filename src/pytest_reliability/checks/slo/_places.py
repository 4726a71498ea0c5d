"""Where in a query something stands."""

from __future__ import annotations

import re

from pytest_reliability.model.location import Location
from pytest_reliability.model.nodes import Query


def place(query: Query, pattern: str) -> Location:
    """Where a query first matches the pattern, in the group "here" if there is one; its beginning where it does not."""
    found = re.search(pattern, query.text)
    if found is None or query.place is None:
        return query.at
    return query.place(found.start("here") if "here" in found.groupdict() else found.start())


def shown(label: str, operator: str, value: str) -> str:
    """A matcher as it is written."""
    return f'{label}{operator}"{value}"'
