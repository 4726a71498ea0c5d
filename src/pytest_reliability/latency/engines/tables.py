"""CSV with a header, row by row."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence

from pytest_reliability.latency.engines.opened import Opened


def starts(opened: Opened, columns: str) -> bool:
    """Whether the first line names these columns first."""
    return bool(opened.head) and opened.head[0].replace('"', "").startswith(columns)


def rows(opened: Opened, needed: Sequence[str]) -> Iterator[dict[str, str]]:
    """Every row by the header's names; raises ResultsError where one of the `needed` columns is not there."""
    columns: list[str] = []
    for row in fields(opened):
        if not columns:
            columns = row
            if missing := [name for name in needed if name not in columns]:
                raise opened.wrong(f"there is no column {missing[0]!r}", f"let the load engine write {', '.join(needed)}")
        elif len(row) != len(columns):
            raise opened.damaged(f"the row has {len(row)} fields; its header has {len(columns)}")
        else:
            yield dict(zip(columns, row, strict=True))


def fields(opened: Opened) -> Iterator[list[str]]:
    """Every row that is not empty, with or without a header."""
    try:
        yield from filter(None, csv.reader(opened.lines()))
    except csv.Error as error:
        raise opened.damaged(f"the row is no CSV: {error}") from None
