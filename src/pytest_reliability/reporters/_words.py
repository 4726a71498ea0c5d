"""What every reporter for people says in the same words."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Sequence

from pytest_reliability.model.duration import spoken
from pytest_reliability.report import Finding, Measurement, Report, Severity, Standing, Status, Waiver
from pytest_reliability.reporters._text import plural

VERDICTS = {"pass": "pass", "fail": "FAIL", "inconclusive": "inconclusive"}
"""How a measurement's outcome is printed: a failure is seen without colour."""


NOTHING = "no findings"


def headline(report: Report) -> list[str]:
    """How many findings, how bad; then one phrase each for what else must not be overlooked."""
    findings = report.findings
    said = [NOTHING]
    if findings:
        files = len({finding.at.path for finding in findings})
        said = [f"{plural(len(findings), 'finding')} in {plural(files, 'file')}: {severities(findings)}"]
    budgets = Counter(measurement.outcome for measurement in report.measurements)
    if report.unknown:
        said.append(f"{plural(len(report.unknown), 'check')} could not be judged")
    if budgets["fail"]:
        said.append(f"{plural(budgets['fail'], 'latency budget')} failed")
    if budgets["inconclusive"]:
        said.append(f"{plural(budgets['inconclusive'], 'latency budget')} inconclusive")
    if report.waived:
        said.append(f"{len(report.waived)} waived")
    return said


def severities(findings: Iterable[Finding]) -> str:
    """How many findings of each severity, the worst first: "2 errors, 1 warning"."""
    counts = Counter(finding.severity for finding in findings)
    nouns = {Severity.ERROR: "error", Severity.WARNING: "warning"}
    said = [plural(counts[severity], noun) for severity, noun in nouns.items() if counts[severity]]
    if counts[Severity.INFO]:
        said.append(f"{counts[Severity.INFO]} info")
    return ", ".join(said)


def rank(severity: Severity) -> int:
    """For sorting: the worst first."""
    return tuple(Severity).index(severity)


def checks(report: Report) -> str:
    """How many checks came to what: "41 passed, 3 failed, 14 not applicable"."""
    counts = Counter(outcome.status for outcome in report.outcomes)
    return ", ".join(f"{counts[status]} {status.value}" for status in Status if counts[status]) or "none ran"


def level(report: Report) -> str:
    """The level, and what the next one needs: "bronze ▸ silver needs 2 more checks"."""
    standing = report.standing
    if standing.unrated:
        unknown = len(report.unknown)
        return f"unrated: {plural(unknown, 'check')} could not be judged" if unknown else "unrated: not every check ran"
    star = " (* with waivers)" if standing.waived else ""
    return standing.label + _next(standing) + star


def _next(standing: Standing) -> str:
    above = standing.next_level
    if above is None:
        return ""
    if not standing.blockers:
        return f" ▸ {above.value} finds nothing to check yet"
    return f" ▸ {above.value} needs {plural(len(standing.blockers), 'more check')}"


def accepted(waiver: Waiver) -> str:
    """On what terms a finding was waived, and why: "waived until 2026-12-01 by payments: one node in staging"."""
    return f"waived {terms(waiver)}: {waiver.reason}"


def terms(waiver: Waiver) -> str:
    """Until when, and by whom: "until 2026-12-01 by payments"."""
    until = f"until {waiver.until}" if waiver.until else "without an end"
    return f"{until} by {waiver.owner}" if waiver.owner else until


def quantile(measurement: Measurement) -> str:
    """The quantile's usual name: "p95", "p99.9", "max"."""
    return "max" if measurement.quantile >= 1 else f"p{measurement.quantile * 100:.12g}"


def interval(measurement: Measurement) -> str:
    """Where the quantile lies: "p99 is 181 ms to 214 ms"; "" where nothing is known. Failed calls are infinitely slow."""
    low = measurement.low or 0.0
    high = math.inf if measurement.high is None else measurement.high
    if measurement.kind == "throughput":
        rates = (1 / high, 1 / low if low > 0 else math.inf)
        return _between("throughput", *rates, rate)
    return _between(quantile(measurement), low, high, spoken)


def rate(per_second: float) -> str:
    """How often something happens: "212/s"."""
    return f"{per_second:.0f}/s" if per_second >= 100 else f"{per_second:.3g}/s"


def samples(measurement: Measurement) -> str:
    """How many samples there were, and how many of them were over the limit."""
    n, over = measurement.n, measurement.over
    if measurement.kind == "errors":
        return f"{over or 'none'} of {n} failed"
    return f"{over} of {n} over" if over else f"n={n}"


def evidence(measurement: Measurement) -> str:
    """What the host did meanwhile, as far as the reason does not say it."""
    return "; ".join(one for one in measurement.evidence if one not in measurement.reason)


def titles(measurements: Sequence[Measurement]) -> list[str]:
    """What each measurement is called: with its test where several tests have measured the same."""
    tests: dict[str, set[str]] = {}
    for measurement in measurements:
        tests.setdefault(measurement.name, set()).add(measurement.test)
    return [
        f"{measurement.name} ({measurement.test.rpartition('::')[2]})" if len(tests[measurement.name]) > 1 else measurement.name
        for measurement in measurements
    ]


def budgets(measurements: Sequence[Measurement]) -> str:
    """How many budgets came to what, and how likely it is that one of those fails that are kept; "" where
    that says nothing.

    The chances are added up, which holds whether or not the budgets depend on each other.
    """
    counts = Counter(measurement.outcome for measurement in measurements)
    outcomes = ", ".join(f"{counts[outcome]} {verdict}" for outcome, verdict in VERDICTS.items() if counts[outcome])
    said = f"{len(measurements)} budgets: {outcomes}" if len(measurements) > 1 else ""
    chance = sum(measurement.false_alarm for measurement in measurements)
    if not chance:
        return said
    whose = "any of them" if said else "this budget"
    return "; ".join(filter(None, (said, f"the chance that {whose} fails by accident is at most {_percent_up(chance)}")))


def _between(name: str, low: float, high: float, say: Callable[[float], str]) -> str:
    if not 0 < low < math.inf:
        return f"{name} is at most {say(high)}" if high < math.inf else ""
    if high == math.inf:
        return f"{name} is at least {say(low)}"
    return f"{name} is {' to '.join(dict.fromkeys((say(low), say(high))))}"


def _percent_up(share: float) -> str:
    """A share in percent with two figures, never less than it is: it is what something may be at most."""
    percent = min(100.0, share * 100)
    step = 10.0 ** (math.floor(math.log10(percent)) - 1)
    return f"{math.ceil(round(percent / step, 6)) * step:.2g}%" if percent < 99 else f"{percent:.0f}%"
