"""Unit tests for generated alerts, as promtool runs them: a total outage, a slow burn, a brief blip, a quiet period.

Each test feeds made-up traffic through the SLO's own queries and says at which moment which alert must be firing, and which must
not. What is expected follows from the windows and burn rates, with a margin of a quarter on either side.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from pytest_reliability.generate import rules, sloth_style
from pytest_reliability.generate.options import Options
from pytest_reliability.generate.rules import quoted
from pytest_reliability.generate.templates import NoRulesError
from pytest_reliability.generate.traffic import PER_MINUTE, Series, Stretch, average, averaged, counted, series_of
from pytest_reliability.generate.windows import DAY, BurnAlert, spelled
from pytest_reliability.model.graph import Graph
from pytest_reliability.model.nodes import Slo

MARGIN = Decimal("1.25")
"""By how much a burn rate must differ from an alert's own, so that a test relies on it."""

NOTHING, EVERYTHING = Decimal(0), Decimal(1)

STEP = 1800
"""How often rules are evaluated, in seconds. More often would take promtool minutes, and prove no more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Proven:
    """An SLO whose alerts are tested: `alerts` are severity → the selector of what Prometheus stores while that alert fires.

    `series` is the traffic that its queries read. Where there is none, `ratio` names the record of a window that is set instead,
    and `counts` that of how many events were bad, where alerts ask for some.
    """

    name: str
    budget: Decimal
    period: int
    burns: tuple[BurnAlert, ...]
    alerts: Mapping[str, str]
    series: tuple[Series, ...]
    ratio: Callable[[int], str]
    counts: Callable[[int], str] | None = None

    @property
    def interval(self) -> int:
        """How often metrics come: as seldom as the shortest window allows, because promtool reads them all, again and again."""
        most = min(burn.short for burn in self.burns) // 2
        return max(length for length in range(1, min(most, 300) + 1) if STEP % length == 0)


def cases(slo: Proven) -> Iterator[dict[str, Any]]:
    """The tests of one SLO, as promtool wants them."""
    return _Cases(slo).all()


class _Cases:
    """The tests of one SLO, being made."""

    def __init__(self, slo: Proven) -> None:
        self.slo = slo
        self.longest = _next(max(burn.long for burn in slo.burns))
        self.present = [severity for severity in ("page", "ticket") if severity in slo.alerts]

    def all(self) -> Iterator[dict[str, Any]]:
        """Those of the four that can be told apart with these burn rates."""
        for case in (self.outage(), self.slow_burn(), self.blip(), self.quiet()):
            if case is not None:
                yield case

    # The four stories

    def outage(self) -> dict[str, Any] | None:
        """Everything fails: whoever can be paged is paged, and not before."""
        severity = self.present[0]
        end = self.longest + DAY * 2
        fires = self.first([Stretch(self.longest, NOTHING), Stretch(2 * DAY, EVERYTHING)], self.longest, end, {severity: True})
        if fires is None:
            return None
        outage = fires - self.longest + STEP
        calm = 3 * _next(max(burn.short for burn in self.slo.burns if burn.severity == severity))
        story = [Stretch(self.longest, NOTHING), Stretch(outage, EVERYTHING), Stretch(calm, NOTHING)]
        over = self.first(story, self.longest + outage, self.longest + outage + calm, {severity: False})
        moments = [self.longest, fires, *([over] if over else [])]
        return self.case(f"a total outage: {severity}, until it is over", story, moments)

    def slow_burn(self) -> dict[str, Any] | None:
        """The budget is being spent too soon, but nobody needs to get up: a ticket."""
        if "ticket" not in self.present:
            return None
        slowest = min(burn.factor for burn in self.slo.burns if burn.severity == "ticket")
        pages = [burn.factor for burn in self.slo.burns if burn.severity == "page"]
        fastest = min([*pages, 1 / self.slo.budget])
        share = min((slowest * fastest).sqrt(), slowest * 3) * self.slo.budget
        if fastest < slowest * MARGIN * MARGIN * MARGIN:
            return None
        story = [Stretch(self.longest, NOTHING), Stretch(self.longest, share.quantize(Decimal(1).scaleb(share.adjusted() - 2)))]
        wanted = {"ticket": True, **({"page": False} if "page" in self.present else {})}
        fires = self.first(story, self.longest, 2 * self.longest, wanted)
        return None if fires is None else self.case("a slow burn: ticket", story, sorted({self.longest, fires, 2 * self.longest}))

    def blip(self) -> dict[str, Any] | None:
        """A moment of errors: nobody hears of it."""
        enough = min(burn.factor * burn.long for burn in self.slo.burns) * self.slo.budget
        blip = 2 * self.slo.interval
        share = min(EVERYTHING, enough / 2 / blip)
        share = share.quantize(Decimal(1).scaleb(share.adjusted() - 1))
        story = [Stretch(self.longest - blip, NOTHING), Stretch(blip, share), Stretch(6 * STEP, NOTHING)]
        moments = [self.longest + STEP * number for number in (0, 1, 6)]
        return self.case("a brief blip: nothing", story, moments) if self.clear(story, moments) else None

    def quiet(self) -> dict[str, Any] | None:
        """A whole period at half of the lowest burn rate: nobody hears of it."""
        share = min(burn.factor for burn in self.slo.burns) / 2 * self.slo.budget
        story = [Stretch(_next(self.slo.period), share.quantize(Decimal(1).scaleb(share.adjusted() - 2)))]
        moments = sorted({_next(self.slo.period * number / 4) for number in (1, 2, 3, 4)})
        return self.case(f"a quiet {spelled(self.slo.period)}: nothing", story, moments)

    # What is expected

    def firing(self, story: Sequence[Stretch], at: int, severity: str) -> bool | None:
        """Whether an alert fires at a moment; None where that is a close thing."""
        answers = set()
        for margin in (MARGIN, 1 / MARGIN):
            limits = ((burn, burn.factor * self.slo.budget * margin) for burn in self.slo.burns if burn.severity == severity)
            answers.add(
                any(average(story, at, burn.long) > limit and average(story, at, burn.short) > limit for burn, limit in limits)
            )
        if len(answers) == 2 and self.fails_everything(story, at, severity):
            return True
        return answers.pop() if len(answers) == 1 else None

    def fails_everything(self, story: Sequence[Stretch], at: int, severity: str) -> bool:
        """Nothing can be clearer than windows in which everything failed, even where the limit is close to that."""
        burns = (burn for burn in self.slo.burns if burn.severity == severity)
        return any(average(story, at, burn.long) == 1 for burn in burns)

    def first(self, story: Sequence[Stretch], start: int, end: int, wanted: Mapping[str, bool]) -> int | None:
        """The first moment after `start` when the alerts are as wanted beyond doubt, and no other is in doubt."""
        for at in range(start + STEP, end + 1, STEP):
            if all(self.firing(story, at, severity) is answer for severity, answer in wanted.items()) and self.clear(story, [at]):
                return at
        return None

    def clear(self, story: Sequence[Stretch], moments: Sequence[int]) -> bool:
        return all(self.firing(story, at, severity) is not None for at in moments for severity in self.present)

    # How it is written

    def case(self, name: str, story: Sequence[Stretch], moments: Sequence[int]) -> dict[str, Any]:
        return {
            "name": f"{self.slo.name}: {name}",
            "interval": spelled(self.slo.interval if self.slo.series else STEP),
            "input_series": list(self.inputs(story)),
            "promql_expr_test": [
                self.expectation(story, at, severity)
                for at in moments
                for severity in self.present
                if self.firing(story, at, severity) is not None
            ],
        }

    def expectation(self, story: Sequence[Stretch], at: int, severity: str) -> dict[str, Any]:
        fires = self.firing(story, at, severity)
        return {
            "expr": f"count(ALERTS{self.slo.alerts[severity]})",
            "eval_time": spelled(at),
            "exp_samples": [{"labels": "{}", "value": 1}] if fires else [],
        }

    def inputs(self, story: Sequence[Stretch]) -> Iterator[dict[str, str]]:
        """The traffic; or what the queries would have made of it, where no traffic comes to mind."""
        slo = self.slo
        for series in slo.series:
            yield {"series": series.name, "values": counted(series.counts, story, slo.interval)}
        for window in sorted({length for burn in slo.burns for length in (burn.long, burn.short)}) if not slo.series else ():
            yield {"series": slo.ratio(window), "values": averaged(story, window, STEP)}
        if slo.counts and not slo.series:
            steps = sum(stretch.seconds for stretch in story) // STEP
            for window in sorted({burn.long for burn in slo.burns}):
                yield {"series": slo.counts(window), "values": f"{PER_MINUTE * DAY}+0x{steps}"}


def _next(seconds: float) -> int:
    """The first moment then or later at which rules are evaluated."""
    return max(1, -(-int(seconds) // STEP)) * STEP


# Which SLO, in which style


def tested(graph: Graph, slo: Slo, index: int, options: Options) -> Proven:
    """An SLO whose rules have these options; `index` is its place among those of its document. Raises NoRulesError."""
    if not options.alerts:
        raise NoRulesError("its alerts are left out: --no-alerts")
    if not options.recordings:
        raise NoRulesError("the records that its alerts read are left out: --no-recordings")
    if is_resource(slo, options):
        raise NoRulesError("promtool tests files for Prometheus, not resources for its operator: --format prometheus")
    found = _sloth(graph, slo, index, options) if options.style == "sloth" else _own(graph, slo, options)
    if not found.alerts:
        raise NoRulesError("it wants no alerts")
    return found


def is_resource(slo: Slo, options: Options) -> bool:
    """Whether the rules are written as a resource for the Prometheus operator."""
    return sloth_style.is_resource(slo.origin, options) if options.style == "sloth" else options.form == "prometheusrule"


def _own(graph: Graph, slo: Slo, options: Options) -> Proven:
    group = rules.group_of(graph, slo, options)
    matched = f"{{slo={quoted(slo.full_name)}}}"
    burns = rules.alerts_of(graph, slo, options)
    label = slo.settings.severities.label
    alerts = [rule for rule in group["rules"] if "alert" in rule]
    severities = dict.fromkeys(burn.severity for burn in burns)
    return Proven(
        name=slo.full_name,
        budget=1 - rules.objective_of(slo),
        period=int(rules.period_of(slo, options)),
        burns=burns,
        alerts={
            severity: _stored(rule["alert"], {"slo": slo.full_name, label: rule["labels"][label]})
            for severity, rule in zip(severities, alerts, strict=True)
        },
        series=series_of(graph.queries_of(slo)),
        ratio=lambda window: rules.RATIO.format(window=spelled(window)) + matched,
        counts=(lambda window: rules.COUNT.format(window=spelled(window)) + matched) if options.min_errors else None,
    )


def _sloth(graph: Graph, slo: Slo, index: int, options: Options) -> Proven:
    service, name, identity = sloth_style.identity(graph, slo, index)
    matched = f"{{sloth_id={quoted(identity)}, sloth_service={quoted(service)}, sloth_slo={quoted(name)}}}"
    wanted = {} if slo.dialect == "openslo" else sloth_style.texts(slo)
    burns = tuple(
        BurnAlert(severity=burn.severity, factor=Decimal(str(burn.factor)), long=burn.long, short=burn.short)
        for burn in sloth_style.burns_of(graph, slo, options)
        if burn.severity in wanted and not wanted[burn.severity].disabled
    )
    return Proven(
        name=slo.full_name,
        budget=1 - rules.objective_of(slo),
        period=int(rules.period_of(slo, options)),
        burns=burns,
        alerts={
            severity: _stored(rules.alert_name(slo, severity), {"sloth_id": identity, "sloth_severity": severity})
            for severity in dict.fromkeys(burn.severity for burn in burns)
        },
        series=series_of(graph.queries_of(slo)),
        ratio=lambda window: sloth_style.RATIO + spelled(window, weeks=True) + matched,
    )


def _stored(alert: str, labels: Mapping[str, str]) -> str:
    """What Prometheus stores while an alert fires."""
    matched = {"alertname": alert, "alertstate": "firing", **labels}
    return "{" + ", ".join(f"{name}={quoted(value)}" for name, value in matched.items()) + "}"
