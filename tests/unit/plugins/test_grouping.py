"""Each file of a run goes to one task, in order, and no run has more tasks than Airflow takes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugins.arrivals.grouping import grouped, most_files


@pytest.mark.parametrize(
    ("files", "per_task", "tasks"),
    [(1, None, 1), (100, None, 100), (101, None, 51), (1000, None, 100), (10_000, None, 100),
     (5, 2, 3), (1000, 1, 1000), (3, 1000, 1)],
)  # fmt: skip
def test_a_task_has_one_file_until_a_run_has_too_many_or_as_the_feed_says(files, per_task, tasks):
    assert len(grouped(range(files), per_task, 1024)) == tasks


@given(st.integers(1, 12_000), st.none() | st.integers(1, 1000), st.integers(1, 3000))
def test_no_file_is_lost_or_moved_and_airflow_can_map_over_the_tasks(files, per_task, map_length):
    taken = min(files, most_files(per_task, map_length))
    tasks = grouped(range(taken), per_task, map_length)
    assert [file for task in tasks for file in task] == list(range(taken))
    assert len(tasks) <= map_length
    assert all(len(task) <= (per_task or taken) for task in tasks)
