"""What tells Prometheus to scrape a service: ServiceMonitor, PodMonitor, Probe and ScrapeConfig of the Prometheus operator.

VictoriaMetrics's and Google's counterparts count as well. Each becomes a `Monitor`; their content is not checked.
"""

from __future__ import annotations

from collections.abc import Iterator

from pytest_reliability.contracts import Format
from pytest_reliability.documents import Source
from pytest_reliability.formats._kubernetes import KIND_IS, metadata, of_group, resources
from pytest_reliability.model.nodes import Monitor, Node

KINDS = {
    "ServiceMonitor": ("monitoring.coreos.com", "monitoring.rhobs"),
    "PodMonitor": ("monitoring.coreos.com", "monitoring.rhobs"),
    "Probe": ("monitoring.coreos.com", "monitoring.rhobs"),
    "ScrapeConfig": ("monitoring.coreos.com", "monitoring.rhobs"),
    "VMServiceScrape": ("operator.victoriametrics.com",),
    "VMPodScrape": ("operator.victoriametrics.com",),
    "VMProbe": ("operator.victoriametrics.com",),
    "VMStaticScrape": ("operator.victoriametrics.com",),
    "VMScrapeConfig": ("operator.victoriametrics.com",),
    "PodMonitoring": ("monitoring.googleapis.com",),
    "ClusterPodMonitoring": ("monitoring.googleapis.com",),
}
"""Kind of a resource → the groups of its `apiVersion`."""


def read(source: Source) -> Iterator[Node]:
    """The monitors in a file."""
    for tree, data in resources(source):
        if of_group(data, *KINDS.get(data["kind"], ())):
            name = metadata(data, "name") or ""
            yield Monitor(at=tree.at(data, "kind"), settings=source.settings, name=name, kind=data["kind"])


FORMAT = Format(
    name="kubernetes",
    files=r"\.(?:ya?ml|json)$",
    marker=KIND_IS + rb"(?:" + "|".join(KINDS).encode() + rb")\b",
    yields=(Monitor,),
    read=read,
)
