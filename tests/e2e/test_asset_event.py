"""The event of a feed's asset carries what its loads did."""

from __future__ import annotations

import pytest

from include.landfall.feed.model import Feed
from tests.support.astro_dags import dag, run

__all__ = ["dag", "run"]

pytestmark = pytest.mark.timeout(300)

FEED = Feed.model_validate(
    {
        "feed": "things",
        "source": {"bucket": "landing", "pattern": "things/*"},
        "target": {"table": "raw.things"},
        "columns": {"id": "integer"},
    }
)


def test_the_event_has_rows_rejects_and_load_ids_of_every_file(dag, run, mocker):
    from airflow.models.asset import AssetEvent
    from airflow.sdk import task
    from airflow.utils.session import create_session
    from sqlalchemy import select

    from dags.feeds import check_and_publish

    @task(task_id="load")
    def load(load_id: int, ti=None) -> None:
        counts = {"rows": 10, "rejected": 1, "deduplicated": 2}
        receipt = {"outcome": "loaded", "load_id": load_id, **counts}
        ti.xcom_push(key="receipts", value=[receipt])

    mocker.patch("dags.feeds.unpublished_loads", return_value="these loads")
    with dag:
        check_and_publish(FEED, load.expand(load_id=[8, 9]))
    assert set(run().values()) == {"success"}
    with create_session() as session:
        query = select(AssetEvent.extra).where(AssetEvent.source_dag_id == dag.dag_id)
        (extra,) = session.scalars(query).all()
    counts = [extra[name] for name in ("rows", "rejected", "deduplicated")]
    assert (counts, extra["load_ids"]) == ([20, 2, 4], [8, 9])
