"""Results of load engines, judged against the same budgets: load from many machines is their work, the verdict ours.

`read_results("k6.json")` says what a file holds, `judge_result(result, budget)` whether a budget is kept in it.
"""

from __future__ import annotations

from pytest_reliability.latency.engines.opened import ResultsError
from pytest_reliability.latency.engines.reading import one_run, read_results
from pytest_reliability.latency.engines.result import Result
from pytest_reliability.latency.engines.verdict import judge_result

__all__ = ["Result", "ResultsError", "judge_result", "one_run", "read_results"]
