"""The data sources of Nobl9, and what a query of each is made of."""

from __future__ import annotations

from dataclasses import dataclass

from pytest_reliability.shape import ANYTHING, Fields, Scalar, Shape

QUERY = Scalar("a query", types=(str,), accepts=str.strip)


@dataclass(frozen=True, slots=True)
class DataSource:
    """What a data source calls the text of a query (the first of `texts` that is there), and its language.

    `others` are the names of the fields beside it; one without a text is asked by them alone. `required` must be there.
    """

    texts: tuple[str, ...] = ()
    language: str = ""
    others: tuple[str, ...] = ()
    required: tuple[str, ...] = ()

    def shape(self, name: str) -> Fields:
        """The shape of a query. What Nobl9 has added since is not unknown."""
        known: dict[str, Shape] = {**dict.fromkeys(self.others, ANYTHING), **dict.fromkeys(self.texts, QUERY)}
        return Fields(f"a query of {name}", known, required=self.required, growing=True)


def _text(key: str, *others: str, language: str = "") -> DataSource:
    """A data source that is asked by a text, and always by that one."""
    return DataSource((key,), language, others, required=(key,))


def _fields(*others: str) -> DataSource:
    """A data source that is asked by fields."""
    return DataSource(others=others)


DATA_SOURCES = {
    "amazonPrometheus": _text("promql", language="promql"),
    "appDynamics": _fields("applicationName", "metricPath"),
    "atlas": _text("promql", "dataReplay", "dataReplayParameters", "seriesLabel", "goodSeriesLabel", "totalSeriesLabel"),
    "azureMonitor": DataSource(
        ("kqlQuery",),
        others=("dataType", "resourceId", "metricName", "aggregation", "dimensions", "metricNamespace", "workspace"),
    ),
    "azurePrometheus": _text("promql", language="promql"),
    "bigQuery": _text("query", "projectId", "location"),
    "clickHouse": _text("query", "parameters"),
    "cloudWatch": DataSource(("sql", "json"), others=("region", "namespace", "metricName", "stat", "dimensions", "accountId")),
    "coralogix": _text("promql", language="promql"),
    "dash0": _text("promql", language="promql"),
    "datadog": _text("query", language="datadog"),
    "dynatrace": DataSource(("metricSelector",), others=("dql",)),
    "elasticsearch": _text("query", "index"),
    "gcm": DataSource(("query", "promqlQuery", "promql"), others=("projectId",)),
    "generic": _text("query"),
    "grafanaLoki": _text("logql", language="logql"),
    "graphite": _text("metricPath"),
    "honeycomb": _fields("attribute", "calculation", "dataset", "filter"),
    "influxdb": _text("query"),
    "instana": _fields("metricType", "infrastructure", "application"),
    "lightstep": DataSource(("uql",), others=("streamId", "typeOfData", "percentile")),
    "logicMonitor": _fields(
        "queryType", "line", "deviceDataSourceInstanceId", "graphId", "websiteId", "checkpointId", "graphName"
    ),
    "newRelic": _text("nrql"),
    "opentsdb": _text("query"),
    "pingdom": _fields("checkId", "checkType", "status"),
    "prometheus": _text("promql", language="promql"),
    "redshift": _text("query", "region", "clusterId", "databaseName"),
    "splunk": _text("query", "fieldName"),
    "splunkObservability": _text("program"),
    "sumoLogic": DataSource(("query",), others=("type", "queries", "quantization", "rollup")),
    "thousandEyes": _fields("testID", "testType", "accountGroupID"),
    "zscaler": _fields("appId", "locationId", "metric"),
}
"""Each by its name in a metric."""
