"""Every node of a repository, and the links between them.

How each link is found, strongest evidence first, is in `docs/links.md`. Where nothing says that two things belong together
there is no link: names that merely look alike are never taken for a pair.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Set
from dataclasses import dataclass
from functools import cached_property
from posixpath import basename
from typing import TYPE_CHECKING, Protocol, TypeVar

from pytest_reliability.model.location import Location
from pytest_reliability.model.nodes import (
    Alert,
    AlertPolicy,
    BurnRate,
    Definition,
    Indicator,
    LatencyBudget,
    Metric,
    Node,
    Page,
    Query,
    Service,
    Slo,
)

if TYPE_CHECKING:
    from pytest_reliability.model.links import AlertLink, BudgetLink, RouteLink, RunbookLink

N = TypeVar("N", bound=Node)


@dataclass(frozen=True, slots=True, kw_only=True)
class Unread:
    """A file that could not be read: `might_hold` are the kinds of node that may be in it; `template` if it is one of Helm or
    Jinja.
    """

    at: Location
    reason: str
    might_hold: tuple[type[Node], ...]
    template: bool = False


class Graph:
    """The nodes of one repository. It never changes once built; lookups are remembered.

    `files` are the paths of all its files, `unread` those that a reader gave up on and why, `remotes` the URLs of its git
    remotes, and `name` what it is called where nothing in it says better.
    """

    def __init__(
        self,
        nodes: Iterable[Node],
        *,
        files: Iterable[str] = (),
        unread: Iterable[Unread] = (),
        remotes: Iterable[str] = (),
        name: str = "repository",
    ) -> None:
        self.files = frozenset(files)
        self.unread = tuple(unread)
        self.remotes = tuple(remotes)
        self.name = name
        self._by_type: dict[type[Node], list[Node]] = {}
        for node in nodes:
            self._by_type.setdefault(type(node), []).append(node)
            if isinstance(node, (Slo, AlertPolicy)):
                self._by_type.setdefault(BurnRate, []).extend(node.burn_rates)
        if BurnRate in self._by_type:
            self._by_type[BurnRate] = list(dict.fromkeys(self._by_type[BurnRate]))
        self._found: dict[type[Node], tuple[Node, ...]] = {}
        self._runbooks: dict[int, RunbookLink | None] = {}
        self._burn_rates: dict[int, tuple[BurnRate, ...]] = {}

    def of(self, kind: type[N]) -> tuple[N, ...]:
        """Every node of that kind or of one derived from it, in the order of reading."""
        if kind not in self._found:
            of_kind = (nodes for known, nodes in self._by_type.items() if issubclass(known, kind))
            self._found[kind] = tuple(node for nodes in of_kind for node in nodes)
        return self._found[kind]  # type: ignore[return-value]

    def within(self, service: Service, kind: type[N]) -> tuple[N, ...]:
        """The nodes of that kind which belong to the service: by their folder, or because they name it."""
        return tuple(node for node in self.of(kind) if self.service_of(node) is service)

    def service_of(self, node: Node) -> Service | None:
        """The service that a node belongs to; None for what several services share."""
        if isinstance(node, Service):
            return node
        if len(self.of(Service)) > 1 and isinstance(node, Slo) and node.service in self._services_by_name:
            return self._services_by_name[node.service]
        return self.service_at(node.at.path)

    def service_at(self, path: str) -> Service | None:
        """The service whose folder holds `path`, the innermost one."""
        folder = path
        while folder and folder not in self._services_by_root:
            folder = folder.rpartition("/")[0]
        return self._services_by_root.get(folder)

    @cached_property
    def _services_by_root(self) -> dict[str, Service]:
        return {service.root: service for service in self.of(Service)}

    @cached_property
    def _services_by_name(self) -> dict[str | None, Service]:
        return {service.name: service for service in self.of(Service)}

    @cached_property
    def pages(self) -> dict[str, Page]:
        """Every page that was read, by its path."""
        return {page.at.path: page for page in self.of(Page)}

    @cached_property
    def folders(self) -> frozenset[str]:
        """Every folder that holds a file, "" included."""
        found = {""}
        for path in self.files:
            folder = path.rpartition("/")[0]
            while folder and folder not in found:
                found.add(folder)
                folder = folder.rpartition("/")[0]
        return frozenset(found)

    def files_named(self, name: str) -> tuple[str, ...]:
        """The paths of all files with that last part, sorted."""
        return self._files_by_name.get(name, ())

    @cached_property
    def _files_by_name(self) -> dict[str, tuple[str, ...]]:
        found: dict[str, list[str]] = {}
        for path in sorted(self.files):
            found.setdefault(basename(path), []).append(path)
        return {name: tuple(paths) for name, paths in found.items()}

    def defined(self, kind: str, scope: str) -> Set[str]:
        """The names of everything that a `Reference` of that kind and scope may point at."""
        return self._definitions.get((kind, scope), frozenset())

    @cached_property
    def _definitions(self) -> dict[tuple[str, str], set[str]]:
        found: dict[tuple[str, str], set[str]] = {}
        for node in self.of(Definition):
            found.setdefault((node.kind, node.scope), set()).add(node.name)
        return found

    def runbook_for(self, alert: Alert) -> RunbookLink | None:
        """What the runbook that an alert names resolves to; None where it names none."""
        from pytest_reliability.model.links import runbook_for

        if id(alert) not in self._runbooks:
            self._runbooks[id(alert)] = runbook_for(self, alert)
        return self._runbooks[id(alert)]

    def receivers_for(self, alert: Alert) -> tuple[RouteLink, ...]:
        """Where an alert lands: for each Alertmanager configuration, the receivers it reaches and by which evidence."""
        from pytest_reliability.model.links import receivers_for

        return receivers_for(self, alert)

    def slo_of(self, budget: LatencyBudget) -> BudgetLink | None:
        """What the SLO that a test's budget names resolves to; None where it names none."""
        from pytest_reliability.model.links import slo_of

        return slo_of(self, budget)

    def metrics_named(self, name: str) -> tuple[Metric, ...]:
        """Every definition of a metric in the services' own code, or in what they expose."""
        return self._metrics_by_name.get(name, ())

    @cached_property
    def _metrics_by_name(self) -> dict[str, tuple[Metric, ...]]:
        return _by_name(self.of(Metric))

    def slo_named(self, name: str) -> tuple[Slo, ...]:
        """Every SLO that "name" or "service/name" stands for; more than one is ambiguous."""
        return self._slos_by_name.get(name, ())

    @cached_property
    def _slos_by_name(self) -> dict[str, tuple[Slo, ...]]:
        found: dict[str, list[Slo]] = {}
        for slo in self.of(Slo):
            for name in {slo.name, slo.full_name}:
                found.setdefault(name, []).append(slo)
        return {name: tuple(slos) for name, slos in found.items()}

    def queries_of(self, slo: Slo) -> tuple[Query, ...]:
        """The queries that an SLO measures with, its own or those of the indicator it names; none where two bear that name."""
        if slo.queries or slo.indicator is None:
            return slo.queries
        named = self._indicators_by_name.get(slo.indicator, ())
        return named[0].queries if len(named) == 1 else ()

    @cached_property
    def _indicators_by_name(self) -> dict[str, tuple[Indicator, ...]]:
        return _by_name(self.of(Indicator))

    def alerts_for(self, slo: Slo) -> tuple[AlertLink, ...]:
        """The alerts of rule files that are for an SLO, or may be, each with the evidence."""
        return tuple(self._alert_links_by_slo.get(id(slo), ()))

    @cached_property
    def _alert_links_by_slo(self) -> dict[int, list[AlertLink]]:
        from pytest_reliability.model.links import alert_links

        found: dict[int, list[AlertLink]] = {}
        for link in alert_links(self):
            found.setdefault(id(link.slo), []).append(link)
        return found

    def burn_rates_of(self, slo: Slo) -> tuple[BurnRate, ...]:
        """The alerts on how fast an SLO's budget burns: its own, those of its policies, and those in rule files."""
        if id(slo) not in self._burn_rates:
            self._burn_rates[id(slo)] = tuple(dict.fromkeys(self._burn_rates_around(slo)))
        return self._burn_rates[id(slo)]

    def _burn_rates_around(self, slo: Slo) -> Iterator[BurnRate]:
        yield from slo.burn_rates
        for policy in (policy for name in slo.policies for policy in self._policies_by_name.get(name, ())):
            yield from policy.burn_rates
            for name in policy.conditions:
                yield from self._burn_rates_by_name.get(name, ())
        for link in self.alerts_for(slo):
            if link.certain:
                yield from self._burn_rates_by_place.get(link.alert.at, ())

    def slos_burning(self, rate: BurnRate) -> tuple[Slo, ...]:
        """The SLOs that an alert on a burn rate is for."""
        return self._slos_by_burn_rate.get(rate, ())

    @cached_property
    def _slos_by_burn_rate(self) -> dict[BurnRate, tuple[Slo, ...]]:
        found: dict[BurnRate, tuple[Slo, ...]] = {}
        for slo in self.of(Slo):
            for rate in self.burn_rates_of(slo):
                found[rate] = (*found.get(rate, ()), slo)
        return found

    @cached_property
    def _burn_rates_by_place(self) -> dict[Location, list[BurnRate]]:
        found: dict[Location, list[BurnRate]] = {}
        for rate in self.of(BurnRate):
            found.setdefault(rate.at, []).append(rate)
        return found

    @cached_property
    def _policies_by_name(self) -> dict[str, tuple[AlertPolicy, ...]]:
        return _by_name(self.of(AlertPolicy))

    @cached_property
    def _burn_rates_by_name(self) -> dict[str, tuple[BurnRate, ...]]:
        return _by_name(self.of(BurnRate))


class _Named(Protocol):
    @property
    def name(self) -> str: ...


M = TypeVar("M", bound=_Named)


def _by_name(nodes: Iterable[M]) -> dict[str, tuple[M, ...]]:
    found: dict[str, list[M]] = {}
    for node in nodes:
        if node.name:
            found.setdefault(node.name, []).append(node)
    return {name: tuple(named) for name, named in found.items()}
