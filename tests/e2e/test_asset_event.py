"""The event of a feed's asset carries what its loads did."""

from __future__ import annotations

import pytest

from tests.support.astro_dags import dag, run

__all__ = ["dag", "run"]

pytestmark = pytest.mark.timeout(300)


def test_the_event_has_rows_rejects_and_load_ids_of_every_file(dag, run):
    from airflow.models.asset import AssetEvent
    from airflow.sdk import Asset, task
    from airflow.utils.session import create_session
    from sqlalchemy import select

    from dags.feeds import publish

    @task(task_id="load")
    def load(load_id: int, ti=None) -> None:
        receipt = {"outcome": "loaded", "rows": 10, "rejected": 1, "load_id": load_id}
        ti.xcom_push(key="receipts", value=[receipt])

    with dag:
        asset = Asset(name="warehouse.raw.things", uri="postgres://warehouse/db/raw/things")
        load.expand(load_id=[8, 9]) >> publish(asset)
    assert set(run().values()) == {"success"}
    with create_session() as session:
        query = select(AssetEvent.extra).where(AssetEvent.source_dag_id == dag.dag_id)
        events = session.scalars(query).all()
    assert [
        {name: extra[name] for name in ("rows", "rejected", "load_ids")} for extra in events
    ] == [{"rows": 20, "rejected": 2, "load_ids": [8, 9]}]
