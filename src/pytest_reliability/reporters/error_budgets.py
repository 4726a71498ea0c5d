"""Error budgets as people think of them: in minutes and requests, with the alerts on them and how long each takes to fire."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import inf, log10

from pytest_reliability.contracts import Canvas
from pytest_reliability.model.duration import spoken
from pytest_reliability.model.objectives import AlertWindow, ErrorBudget, Objective, percent
from pytest_reliability.reporters._text import Paint, cells, clean, pad, painter, plural, wrapped
from pytest_reliability.reporters.summary import heading

AT_ONCE = 40
"""SLOs that are printed before the rest is only counted."""

NOTHING = "no SLOs here; one to begin with: reliability explain SLO001"

GONE = "gone after"
"""What the line begins with that says how long a budget lasts."""

_BURNS = {"outage": "of outage", "10x": "at 10x", "1x": "at 1x"}


def terminal(title: str, objectives: Sequence[Objective], canvas: Canvas) -> str:
    """Every SLO with its error budget, how long that lasts, and when its alerts fire."""
    if not objectives:
        return f"{NOTHING}\n"
    paint = painter(canvas)
    shown = objectives if canvas.verbose > 0 else objectives[:AT_ONCE]
    lines = heading(f"error budgets: {title}", canvas)
    for row, objective in zip(_rows(shown, canvas, paint), shown, strict=True):
        lines += row
        for text in details(objective):
            first, *others = wrapped(clean(text), canvas.width - 4)
            lines += [f"  {first}", *(f"    {line}" for line in others)]
    if rest := len(objectives) - len(shown):
        lines.append(f"… and {plural(rest, 'more SLO')}; --verbose shows them all")
    return "\n".join(lines) + "\n"


def _rows(objectives: Sequence[Objective], canvas: Canvas, paint: Paint) -> Iterator[list[str]]:
    """The first lines of each: as columns where there is room."""
    table = [[clean(cell) for cell in (one.full_name, promise(one), budget(one), allowed(one))] for one in objectives]
    widths = [max(cells(row[column]) for row in table) for column in range(4)]
    for name, *facts in table:
        if sum(widths) + 6 <= canvas.width:
            padded = [pad(text, width) for text, width in zip(facts, widths[1:], strict=True)]
            yield ["  ".join([paint(pad(name, widths[0]), "bold"), *padded]).rstrip()]
        else:
            yield [paint(name, "bold"), *(f"  {line}" for line in wrapped("; ".join(filter(None, facts)), canvas.width - 2))]


def promise(objective: Objective) -> str:
    """What is promised: "99.9% over 30d"."""
    share = percent(objective.objective) if objective.objective is not None else "no objective"
    if objective.window is None:
        return share
    return f"{share} over {objective.window}" + ("" if objective.rolling else " by the calendar")


def budget(objective: Objective) -> str:
    """The error budget in time: "43.2 minutes"; "–" where there is none to compute with."""
    return spoken(objective.budget.seconds) if objective.budget else "–"


def allowed(objective: Objective) -> str:
    """The error budget in requests: "1 in 1,000 requests", and how many that are where the service has said its rate."""
    left = objective.budget
    if left is None:
        return ""
    if objective.method == "timeslices":
        return f"{_one_in(left)} slices" + (f" of {objective.slice}" if objective.slice else "")
    said = f"{_one_in(left)} requests"
    if objective.request_rate:
        said += f": {left.requests(objective.request_rate):,.0f} in {left.window}"
    return said


def _one_in(left: ErrorBudget) -> str:
    """The share that may fail, in whole numbers: "1 in 1,000", "3 in 1,000"."""
    share = left.share.normalize()
    if (1 / share) % 1 == 0:
        return f"1 in {int(1 / share):,}"
    numerator, denominator = share.as_integer_ratio()
    return f"{numerator:,} in {denominator:,}"


def details(objective: Objective) -> Iterator[str]:
    """How long the budget lasts, and each alert on it."""
    if objective.budget is not None:
        yield f"{GONE} {', '.join(lasts(objective))}"
    for alert in objective.alerts:
        yield f"{condition(alert, objective)}: {fires(alert, objective)}"
    if objective.unread:
        yield f"when it fires is not known: {', '.join(objective.unread)}"
    if not (objective.alerts or objective.unread):
        yield "no alert on how fast it burns"


def lasts(objective: Objective) -> tuple[str, ...]:
    """How long a full budget lasts at each burn rate: "43.2 minutes of outage", "3 days at 10x", "30 days at 1x"."""
    left = objective.budget
    return tuple(f"{spoken(left.exhausted_after(rate))} {_BURNS[name]}" for name, rate in objective.burns) if left else ()


def condition(alert: AlertWindow, objective: Objective) -> str:
    """What an alert waits for: "page: 14.4x over 1h and 5m (2% of the budget)"."""
    windows = f"{alert.long} and {alert.short}" if alert.short else str(alert.long)
    waits = f" for {alert.wait}" if alert.wait and alert.wait.seconds else ""
    left = objective.budget
    spent = f" ({alert.spends(left.window) * 100:.2g}% of the budget)" if left else ""
    return f"{alert.severity or 'alert'}: {alert.factor.normalize():f}x over {windows}{waits}{spent}"


def fires(alert: AlertWindow, objective: Objective) -> str:
    """How long an alert takes at each burn rate: "fires after 52 s of outage; not at 10x, 1x"."""
    times = [(name, alert.fires_after(rate)) for name, rate in objective.burns]
    heard = [f"{spoken(time)} {_BURNS[name]}" for name, time in times if time < inf]
    deaf = [_BURNS[name].removeprefix("at ") for name, time in times if time == inf]
    if not heard:
        return "never fires" if times else "when it fires is not known without an objective"
    return f"fires after {', '.join(heard)}" + (f"; not at {', '.join(deaf)}" if deaf else "")


def bar(seconds: float, longest: float, width: int = 10) -> str:
    """A length of time as a row of blocks, on a logarithmic scale from a second to the longest."""
    scale = log10(max(longest, 10.0))
    full = min(width, max(1, round(width * log10(max(seconds, 1.0)) / scale)))
    return "█" * full + "░" * (width - full)
