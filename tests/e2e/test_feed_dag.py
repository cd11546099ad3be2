"""A feed's own DAG: what a run that loads nothing still publishes."""

from __future__ import annotations

from typing import Any

import pytest

from include.landfall.feed.model import Feed
from include.local.airflow.dag_runner import run_dag
from tests.support.astro_dags import World, world

__all__ = ["world"]

pytestmark = pytest.mark.timeout(300)


@pytest.fixture
def feed(world: World) -> Feed:
    """A feed with one check."""
    return Feed.model_validate(
        {
            "feed": "parcels",
            "source": {"bucket": world.bucket, "pattern": "parcels/*"},
            "target": {"table": "raw.parcels"},
            "columns": {"id": "integer"},
            "checks": {"id": {"minimum": 1}},
        }
    )


@pytest.fixture
def run(airflow_db: object, feed: Feed) -> Any:
    """Runs the feed's DAG; gives the state of the run and of each task."""
    from airflow.sdk import DAG

    from dags import feeds

    made: list[Any] = []

    def make(*arguments: Any, **options: Any) -> Any:
        made.append(DAG(*arguments, **options))  # noqa: AIR002  the options have it
        return made[0]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(feeds, "DAG", make)
        feeds.make_feed_dag(feed)

    def run_to_end() -> tuple[str, dict[str, str]]:
        finished = run_dag(made[0])
        states = {ti.task_id: str(ti.state) for ti in finished.get_task_instances()}
        return str(finished.state), states

    return run_to_end


def test_2_6_loads_that_could_not_be_checked_are_published_by_the_next_run(
    world: World, run: Any
) -> None:
    world.put("parcels/1.csv", "id\n0\n")
    state, tasks = run()
    assert (state, tasks["load"], tasks["check_rows"]) == ("failed", "success", "failed")
    assert tasks["published"] == "upstream_failed"
    world.run("UPDATE raw.parcels SET id = 1")  # whatever the check was red for is over
    state, tasks = run()
    assert (state, tasks["load"], tasks["published"]) == ("success", "skipped", "success")
    state, tasks = run()
    assert (state, tasks["load"], tasks["published"]) == ("success", "skipped", "skipped")
    world.put("parcels/2.csv", "id\n2\n")
    assert run()[1]["published"] == "success"
