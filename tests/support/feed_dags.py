"""A feed's own DAG, run to its end in this process."""

from __future__ import annotations

from typing import Any

import pytest

from include.landfall.feed.model import Feed
from include.local.airflow.dag_runner import run_dag


def make_dag(feed: Feed) -> Any:
    """Makes the DAG of a feed, as dags/feeds.py makes it."""
    from airflow.sdk import DAG

    from dags import feeds

    made: list[Any] = []

    def make(*arguments: Any, **options: Any) -> Any:
        made.append(DAG(*arguments, **options))  # noqa: AIR002  the options have it
        return made[0]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(feeds, "DAG", make)
        feeds.make_feed_dag(feed)
    return made[0]


def run_feed_dag(dag: Any) -> tuple[str, dict[str, list[str]]]:
    """Runs the DAG; returns the state of the run, and those of each task's instances."""
    run = run_dag(dag)
    states: dict[str, list[str]] = {}
    for ti in sorted(run.get_task_instances(), key=lambda ti: ti.map_index):
        states.setdefault(ti.task_id, []).append(str(ti.state))
    return str(run.state), states
