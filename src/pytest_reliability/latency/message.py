"""A measured budget in words: what was promised, what was found, and what the host did meanwhile."""

from __future__ import annotations

from collections.abc import Sequence

from pytest_reliability.report import Measurement

BARS = " ▁▂▃▄▅▆▇█"
LINE = "┊"

_UNITS = ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs"), (1e-9, "ns"))


def explanation(measurement: Measurement) -> str:
    """The figures in one line, and under it the distribution with the budget drawn in, the host, and where the time went."""
    slo = f" (slo {measurement.slo})" if measurement.slo else ""
    parts = (
        f"{measurement.budget}{slo}",
        measurement.outcome.upper() if measurement.outcome == "fail" else measurement.outcome,
        bounds(measurement),
        measurement.reason,
    )
    head = f"{measurement.name}  " + "   ".join(filter(None, parts))
    host, *others = measurement.evidence or ("",)
    lines = (
        "      ".join(filter(None, (drawing(measurement), host))),
        ", ".join(others),
        *measurement.notes,
        *measurement.profile,
    )
    indent = " " * (len(measurement.name) + 2)
    return "\n".join((head, *(indent + line for line in lines if line)))


def headline(measurements: Sequence[Measurement]) -> str:
    """The first of several broken budgets in a few words, since a summary has one line: "p95 ≤ 50 ms: 19 of 102 over"."""
    first, *others = measurements
    operation = f"{first.operation} " if first.operation else ""
    more = f" (and {len(others)} more)" if others else ""
    what = "raised" if first.kind == "errors" else "over"
    counted = first.reason if first.kind == "count" else f"{first.over} of {first.n} {what}"
    return f"{operation}{first.budget}: {counted}{more}"


def bounds(measurement: Measurement) -> str:
    """Where the quantile lies: "p95 in [57.1, 66.0] ms"; as much of it as is known. "" for what is no quantile of times."""
    if measurement.kind != "latency":
        return ""
    name = measurement.budget.partition(" ")[0]
    low, high = measurement.low, measurement.high
    if low is not None and high is not None:
        scale, unit = _unit(high)
        return f"{name} in [{_figure(low / scale)}, {_figure(high / scale)}] {unit}"
    if low is not None:
        return f"{name} ≥ {spoken(low)}"
    return f"{name} ≤ {spoken(high)}" if high is not None else ""


def drawing(measurement: Measurement) -> str:
    """The distribution as bars, with a line where the budget is; "" where nothing can be drawn."""
    bins, low, high = measurement.bins, measurement.bins_from, measurement.bins_to
    if not bins:
        return ""
    most = max(bins)
    bars = "".join(BARS[-(-8 * count // most)] for count in bins)
    place = round((measurement.limit - low) / (high - low) * len(bins))
    place = min(max(place, 0), len(bins))
    beyond = measurement.n - sum(bins)
    slower = f" (and {beyond} slower or failed)" if beyond else ""
    return f"{spoken(low)} {bars[:place]}{LINE}{bars[place:]} {spoken(high)}{slower}"


def spoken(seconds: float) -> str:
    """A measured time with its unit, to three figures: "57.1 ms"."""
    scale, unit = _unit(seconds)
    return f"{_figure(seconds / scale)} {unit}"


def percent(share: float) -> str:
    """A share in percent, with one decimal where that says something: "0.4%", "31%"."""
    return f"{share * 100:.1f}".removesuffix(".0") + "%"


def _unit(seconds: float) -> tuple[float, str]:
    return next((unit for unit in _UNITS if seconds >= unit[0]), _UNITS[-1])


def _figure(number: float) -> str:
    return f"{number:.0f}" if number >= 100 else f"{number:.1f}" if number >= 10 else f"{number:.2f}"
