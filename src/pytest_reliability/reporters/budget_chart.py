"""Error budgets as a picture: how long a complete outage may last, and when the alerts on it fire."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from html import escape
from math import ceil, floor, inf, log10

from pytest_reliability.model.duration import spoken
from pytest_reliability.model.objectives import AlertWindow, ErrorBudget, Objective
from pytest_reliability.reporters import error_budgets as words
from pytest_reliability.reporters._text import clean, clipped

_WIDTH, _LEFT, _RIGHT, _TOP, _ROW = 840, 250, 130, 56, 30
_BAR = 14
_LABEL = 34
"""Cells of an SLO's name that fit beside its bar."""

_TICKS = (
    (1.0, "1 s"), (10.0, "10 s"), (60.0, "1 min"), (600.0, "10 min"), (3600.0, "1 h"), (36000.0, "10 h"),
    (86400.0, "1 d"), (864000.0, "10 d"), (8640000.0, "100 d"),
)  # fmt: skip

_STYLE = """\
text{font:12px system-ui,'Helvetica Neue',Arial,'Noto Sans',sans-serif;fill:#1f2328}
.title{font-size:14px;font-weight:600}.soft{fill:#59636e;font-size:11px}
.grid{stroke:#d1d9e0}.bar{fill:#5b8fc7}.page{fill:#c0392b;stroke:#fff}.ticket{fill:#fff;stroke:#7a4b00;stroke-width:2}
.paper{fill:#fff}
@media(prefers-color-scheme:dark){text{fill:#f0f6fc}.soft{fill:#9198a1}.grid{stroke:#3d444d}.bar{fill:#4878a8}
.page{fill:#ff7b72;stroke:#0d1117}.ticket{fill:#0d1117;stroke:#e3b341}.paper{fill:#0d1117}}"""


def svg(title: str, objectives: Iterable[Objective]) -> str:
    """A bar for each SLO, on a logarithmic scale of time: it ends where the budget of a complete outage is spent.

    A filled circle is where a page fires, a hollow diamond where any other alert does.
    """
    bars = [(objective, budget) for objective in objectives if (budget := objective.budget) is not None]
    scale = _Scale([time for objective, budget in bars for time in (budget.seconds, *_fired(objective, budget))])
    height = _TOP + _ROW * max(1, len(bars)) + 44
    name = escape(f"Error budgets: {clean(title)}")
    opening = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{height}" viewBox="0 0 {_WIDTH} {height}" '
        f'role="img" aria-label="{name}">'
    )
    lines = [
        opening,
        f"<title>{name}</title>",
        f"<style>{_STYLE}</style>",
        f'<rect class="paper" width="{_WIDTH}" height="{height}"/>',
        f'<text class="title" x="16" y="24">{name}</text>',
        *_axis(scale, height),
        *(line for number, (objective, budget) in enumerate(bars) for line in _bar(objective, budget, scale, number)),
        *([] if bars else [f'<text class="soft" x="16" y="{_TOP + 20}">no SLO here has an error budget</text>']),
        *_legend(height),
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


def html(title: str, objectives: Sequence[Objective]) -> str:
    """A page of its own with the chart and a table; it loads nothing."""
    name = escape(f"Error budgets: {clean(title)}")
    rows = "\n".join(f"<tr>{''.join(_cells(objective))}</tr>" for objective in objectives)
    return f"""\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{name}</title>
<style>
body{{font:15px/1.5 system-ui,"Helvetica Neue",Arial,"Noto Sans",sans-serif;margin:2rem auto;max-width:70rem;padding:0 1rem;
color:#1f2328;background:#fff}}
h1{{font-size:1.4rem}}svg{{max-width:100%;height:auto}}svg .title{{display:none}}.wide{{overflow-x:auto}}
table{{border-collapse:collapse;width:100%;margin-top:1.5rem}}caption{{text-align:left;padding-bottom:.5rem}}
th,td{{border-bottom:1px solid #d1d9e0;padding:.4rem .6rem;text-align:left;vertical-align:top}}
td ul{{margin:0;padding-left:1.1rem}}
@media(prefers-color-scheme:dark){{body{{color:#f0f6fc;background:#0d1117}}th,td{{border-color:#3d444d}}}}
</style>
</head>
<body>
<h1>{name}</h1>
{svg(title, objectives).rstrip()}
<div class="wide">
<table>
<caption>What may fail, how long that lasts, and how long the alerts on it take to fire.</caption>
<thead><tr><th scope="col">SLO</th><th scope="col">objective</th><th scope="col">error budget</th><th scope="col">requests</th>
<th scope="col">gone after</th><th scope="col">alerts</th></tr></thead>
<tbody>
{rows}
</tbody>
</table>
</div>
</body>
</html>
"""


def _cells(objective: Objective) -> Iterator[str]:
    place = escape(clean(str(objective.at)))
    yield f'<th scope="row" title="{place}">{escape(clean(objective.full_name))}</th>'
    for text in (words.promise(objective), words.budget(objective), words.allowed(objective)):
        yield f"<td>{escape(clean(text))}</td>"
    yield f"<td>{'<br>'.join(map(escape, words.lasts(objective))) or '–'}</td>"
    alerts = [text for text in words.details(objective) if not text.startswith(words.GONE)]
    yield f"<td><ul>{''.join(f'<li>{escape(clean(text))}</li>' for text in alerts)}</ul></td>"


class _Scale:
    """Seconds to pixels, logarithmically, so that an alert after a minute and a budget of days are both seen."""

    def __init__(self, times: Sequence[float]) -> None:
        known = [max(time, 0.1) for time in times] or [1.0, 3600.0]
        self.low = floor(log10(min(*known, 60.0)))
        self.high = max(ceil(log10(max(known)) * 4) / 4, self.low + 1)

    def __call__(self, seconds: float) -> float:
        share = (log10(max(seconds, 0.1)) - self.low) / (self.high - self.low)
        return round(_LEFT + max(0.0, share) * (_WIDTH - _LEFT - _RIGHT), 1)

    def holds(self, seconds: float) -> bool:
        """Whether the time lies between the ends."""
        return self.low <= log10(seconds) <= self.high


def _axis(scale: _Scale, height: int) -> Iterator[str]:
    for seconds, label in _TICKS:
        if scale.holds(seconds):
            x = scale(seconds)
            yield f'<line class="grid" x1="{x}" y1="{_TOP - 4}" x2="{x}" y2="{height - 40}"/>'
            yield f'<text class="soft" x="{x}" y="{_TOP - 10}" text-anchor="middle">{label}</text>'


def _bar(objective: Objective, budget: ErrorBudget, scale: _Scale, number: int) -> Iterator[str]:
    top = _TOP + _ROW * number + (_ROW - _BAR) // 2
    middle = top + _BAR / 2
    end = scale(budget.seconds)
    name = clean(objective.full_name)
    told = escape(f"{name}: {words.promise(objective)} leaves {words.budget(objective)}")
    yield f'<text x="{_LEFT - 10}" y="{middle + 4}" text-anchor="end">{escape(clipped(name, _LABEL))}</text>'
    yield (
        f'<rect class="bar" x="{_LEFT}" y="{top}" width="{max(2.0, round(end - _LEFT, 1))}" height="{_BAR}" rx="2">'
        f"<title>{told}</title></rect>"
    )
    yield f'<text x="{_WIDTH - _RIGHT + 16}" y="{middle + 4}">{escape(words.budget(objective))}</text>'
    for alert in reversed(objective.alerts):
        time = alert.fires_after(budget.of_outage)
        if time < inf:
            yield _mark(alert, scale(time), middle, escape(f"{words.condition(alert, objective)} fires after {spoken(time)}"))


def _mark(alert: AlertWindow, x: float, y: float, told: str) -> str:
    if alert.pages:
        return f'<circle class="page" cx="{x}" cy="{y}" r="5"><title>{told}</title></circle>'
    return f'<path class="ticket" d="M{x} {y - 5}l5 5l-5 5l-5-5z"><title>{told}</title></path>'


def _fired(objective: Objective, budget: ErrorBudget) -> Iterator[float]:
    for alert in objective.alerts:
        time = alert.fires_after(budget.of_outage)
        if time < inf:
            yield time


def _legend(height: int) -> Iterator[str]:
    y = height - 18
    yield f'<rect class="bar" x="16" y="{y - 10}" width="22" height="10" rx="2"/>'
    yield f'<text class="soft" x="44" y="{y}">a complete outage, until the error budget is spent</text>'
    yield f'<circle class="page" cx="340" cy="{y - 4}" r="5"/><text class="soft" x="352" y="{y}">a page fires</text>'
    yield f'<path class="ticket" d="M446 {y - 9}l5 5l-5 5l-5-5z"/><text class="soft" x="458" y="{y}">another alert fires</text>'
