"""JMeter (https://jmeter.apache.org): a JTL file, as CSV with its header or as XML.

A transaction controller writes a sample of its own beside those of its requests, or around them. It can be judged by its label,
but does not count among all requests a second time. What belongs to a request, a redirect or an embedded resource, is not
counted apart from it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from math import nan
from typing import TYPE_CHECKING, cast

from pytest_reliability.latency.engines.opened import Opened
from pytest_reliability.latency.engines.readers import Reader
from pytest_reliability.latency.engines.result import Calls, Result
from pytest_reliability.latency.engines.tables import rows

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

MILLISECOND = 1e-3

_TRANSACTION = "Number of samples in transaction"
_SAMPLES = ("sample", "httpSample")
_HEADERLESS = re.compile(r"[0-9]{13},[0-9]+,[^,]*,")


def is_csv(opened: Opened) -> bool:
    """Whether this is a JTL in CSV; its columns may stand in any order."""
    columns = opened.head[0].replace('"', "").split(",") if opened.head else []
    return "elapsed" in columns and "label" in columns


def read_csv(opened: Opened) -> Iterator[Result]:
    """Every sample by its label."""
    calls = Calls(opened.name)
    for row in rows(opened, ("timeStamp", "elapsed", "label", "success")):
        transaction = row.get("responseMessage", "").startswith(_TRANSACTION)
        _add(opened, calls, row["label"], row["timeStamp"], row["elapsed"], row["success"], transaction)
    yield from calls.results()


def is_headerless(opened: Opened) -> bool:
    """Whether this looks like a JTL whose columns nobody names."""
    return bool(opened.head) and bool(_HEADERLESS.match(opened.head[0]))


def read_headerless(opened: Opened) -> Iterator[Result]:
    """Refuse: what is in which column depends on how JMeter was configured."""
    raise opened.wrong(
        "this looks like a JTL file without a header, so that nobody can tell its columns apart",
        "run: jmeter -Jjmeter.save.saveservice.print_field_names=true -n -t test.jmx -l results.jtl",
    )
    yield


def is_xml(opened: Opened) -> bool:
    """Whether this is a JTL in XML."""
    return any("<testResults" in line for line in opened.head[:3])


def read_xml(opened: Opened) -> Iterator[Result]:
    """Every request and every transaction, by its label."""
    from xml.etree.ElementTree import ParseError, XMLPullParser

    calls = Calls(opened.name)
    parser: XMLPullParser[Element] = XMLPullParser(("start", "end"))
    above: list[Element] = []
    try:
        for line in opened.lines():
            parser.feed(line)
            for event, element in cast("Iterator[tuple[str, Element]]", parser.read_events()):
                if event == "start":
                    above.append(element)
                elif above.pop() is element and len(above) == 1:
                    _sample(opened, calls, element)
                    above[0].clear()  # what was read is not needed any more, and there may be millions
        parser.close()
    except ParseError as error:
        raise opened.damaged(f"the XML ends or breaks off here: {error}") from None
    yield from calls.results()


def _sample(opened: Opened, calls: Calls, element: Element) -> None:
    if element.tag not in _SAMPLES:
        return
    values = element.attrib
    if missing := [name for name in ("t", "ts", "s", "lb") if name not in values]:
        raise opened.damaged(f"the sample has no {missing[0]!r}")
    transaction = values.get("rm", "").startswith(_TRANSACTION)
    _add(opened, calls, values["lb"], values["ts"], values["t"], values["s"], transaction)
    for part in element if transaction else ():
        _sample(opened, calls, part)


def _add(opened: Opened, calls: Calls, label: str, stamp: str, elapsed: str, success: str, transaction: bool) -> None:
    seconds = opened.time(elapsed, "elapsed", MILLISECOND)
    # JMeter can be told to write the time of day in any other form; then only the length of the run is unknown.
    began = int(stamp) * MILLISECOND if stamp.isascii() and stamp.isdigit() and len(stamp) == 13 else nan
    if success not in ("true", "false"):
        raise opened.damaged(f"success is {success!r}, which is neither true nor false")
    calls.add(label, seconds, failed=success == "false", began=began, ended=began + seconds, apart=transaction)


READERS = (
    Reader("JMeter samples", is_csv, read_csv),
    Reader("JMeter samples", is_xml, read_xml),
    Reader("JMeter samples without a header", is_headerless, read_headerless),
)
