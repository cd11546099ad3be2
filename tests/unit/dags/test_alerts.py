"""What a person reads first when something has failed."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from dags.common.alerts import NO_MESSAGE, failure_text

TI = SimpleNamespace(
    dag_id="feed_t", task_id="load", rendered_map_index="t/1.csv", log_url="http://a/log"
)
DAG = SimpleNamespace(dag_id="feed_t")
TASK = "feed_t.load [t/1.csv] has failed\n{}\nlog: http://a/log"
CASES = {
    "a message": ({"ti": TI, "exception": ValueError("line: 3")}, TASK.format("line: 3")),
    "a killed process": ({"ti": TI}, TASK.format(NO_MESSAGE)),
    "a run": (
        {"ti": TI, "dag": DAG, "run_id": "r", "reason": "task_failure"},
        "feed_t has failed: task_failure\nrun: r",
    ),
    "a run without tasks": (
        {"dag": DAG, "run_id": "r", "reason": "timed_out"},
        "feed_t has failed: timed_out\nrun: r",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_the_text_names_what_has_failed(case: str) -> None:
    context, text = CASES[case]
    assert failure_text(context) == text
