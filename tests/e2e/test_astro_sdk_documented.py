"""Done-when 7: a DAG in the Astro SDK's documented style runs unchanged under a real scheduler."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
import psycopg
import pytest

from include.landfall.connections import Warehouse
from tests.e2e.scheduler import new_home, real_airflow

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

pytestmark = pytest.mark.timeout(900)

BUCKET = "documented-astro-dag"
ORDERS = """\
order_id,customer_id,purchase_date,amount
ORDER1,CUST1,1/1/2021,100
ORDER2,CUST2,2/2/2022,200
ORDER3,CUST3,3/3/2023,300
ORDER4,CUST1,4/4/2024,400.5
"""
CUSTOMERS = """\
customer_id,customer_name,type,age,score
CUST1,NAME1,TYPE1,30,0.5
CUST2,NAME2,TYPE1,,
CUST3,NAME3,TYPE2,50,1e-3
"""


@pytest.fixture
def documented_bucket(client: S3Client) -> Iterator[str]:
    """The bucket that the DAG names."""
    client.create_bucket(Bucket=BUCKET)
    client.put_object(Bucket=BUCKET, Key="orders_data_header.csv", Body=ORDERS.encode())
    client.put_object(Bucket=BUCKET, Key="customers_table.csv", Body=CUSTOMERS.encode())
    yield BUCKET
    for entry in client.list_objects_v2(Bucket=BUCKET).get("Contents", []):
        client.delete_object(Bucket=BUCKET, Key=entry["Key"])
    client.delete_bucket(Bucket=BUCKET)


def test_a_documented_dag_runs_unchanged_under_a_real_scheduler(
    warehouse: Warehouse,
    warehouse_server: Warehouse,
    connections: dict[str, str],
    client: S3Client,
    documented_bucket: str,
    tmp_path: Path,
) -> None:
    """Whoever brings Astro SDK DAGs along would otherwise have to rewrite them."""
    dags = Path(__file__).parent / "dags"
    with real_airflow(new_home(tmp_path), warehouse_server, dags, connections) as airflow:
        run = airflow.run("documented_astro_dag")
        states = airflow.states("documented_astro_dag")
        assert run["state"] == "success", f"{states}\n{airflow.log()}"
        assert set(states.values()) == {"success"}
    with psycopg.connect(warehouse.conninfo()) as connection:
        reported = connection.execute(
            "SELECT order_id, customer_name, amount FROM tmp_astro.reporting_table ORDER BY 1"
        ).fetchall()
        left_over = connection.execute(
            "SELECT tablename FROM pg_tables WHERE tablename LIKE '\\_tmp%'"
        ).fetchall()
        key = connection.execute(
            "SELECT count(*) FROM pg_constraint WHERE contype = 'p'"
            " AND conrelid = 'tmp_astro.customers_table'::regclass"
        ).fetchone()
    assert reported == [
        ("ORDER2", "NAME2", 200.0), ("ORDER3", "NAME3", 300.0), ("ORDER4", "NAME1", 400.5),
    ]  # fmt: skip
    assert left_over == []
    assert key == (1,)
    body = client.get_object(Bucket=documented_bucket, Key="amount_by_type.parquet")["Body"].read()
    exported = pd.read_parquet(io.BytesIO(body))
    assert dict(zip(exported["type"], exported["amount"], strict=True)) == {
        "TYPE1": 600.5, "TYPE2": 300.0,
    }  # fmt: skip
