"""A feed's own DAG: what a run that loads nothing still publishes."""

from __future__ import annotations

import pytest

from include.landfall.feed.model import Feed
from tests.support.astro_dags import World, world
from tests.support.feed_dags import make_dag, run_feed_dag

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


def test_2_6_loads_that_could_not_be_checked_are_published_by_the_next_run(
    world: World, feed: Feed, airflow_db: object
) -> None:
    dag = make_dag(feed)
    world.put("parcels/1.csv", "id\n0\n")
    state, tasks = run_feed_dag(dag)
    assert (state, tasks["load"], tasks["check_rows"]) == ("failed", ["success"], ["failed"])
    assert tasks["published"] == ["upstream_failed"]
    world.run("UPDATE raw.parcels SET id = 1")  # whatever the check was red for is over
    state, tasks = run_feed_dag(dag)
    assert (state, tasks["load"], tasks["published"]) == ("success", ["skipped"], ["success"])
    state, tasks = run_feed_dag(dag)
    assert (state, tasks["load"], tasks["published"]) == ("success", ["skipped"], ["skipped"])
    world.put("parcels/2.csv", "id\n2\n")
    assert run_feed_dag(dag)[1]["published"] == ["success"]
