"""A DAG of twenty tasks in the Astro SDK's style, unchanged from Airflow 2, makes the same tables.

The recording was made by the same file on Airflow 2 (dags/record_on_airflow2.py says how).
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from include.landfall.connections import Warehouse
from tests.support.servers import fresh_bucket
from tests.support.shared_airflow import SharedAirflow

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

pytestmark = pytest.mark.timeout(1500)

HERE = Path(__file__).parent
TWENTY = HERE / "dags" / "twenty"
RECORDED = json.loads((HERE / "recordings" / "twenty_tasks.json").read_text(encoding="utf-8"))
OTHERS = ("made", "best.csv", "temporary tables left")
TABLES = [name for name in RECORDED if name not in OTHERS]


@pytest.fixture(scope="module")
def made(shared_airflow: SharedAirflow, client: S3Client) -> Iterator[dict[str, Any]]:
    """The tables and the file that the DAG has made under a real scheduler."""
    airflow = shared_airflow.airflow
    with shared_airflow.empty_warehouse() as warehouse, fresh_bucket(client, "twenty"):
        for name in ("customers.csv", "orders/2023.csv", "orders/2024.csv"):
            client.put_object(Bucket="twenty", Key=name, Body=(TWENTY / name).read_bytes())
        rows_of(warehouse, (TWENTY / "prepare.sql").read_text())
        shared_airflow.add_dags(TWENTY / "twenty_tasks.py")
        assert airflow.run("twenty_tasks", 900)["state"] == "success"
        assert len(airflow.states("twenty_tasks")) == 20
        (left,) = rows_of(
            warehouse, "SELECT count(*) FROM pg_tables WHERE schemaname = 'tmp_astro'"
        )[1:]
        body = client.get_object(Bucket="twenty", Key="best.csv")["Body"].read().decode()
        tables = {name: rows_of(warehouse, f"SELECT * FROM shop.{name}") for name in TABLES}
        yield {**tables, "temporary tables left": int(left[0]), "best.csv": body}


def rows_of(warehouse: Warehouse, query: str) -> list[list[str | None]]:
    """A query's columns and rows, as texts, in the recording's order."""
    with psycopg.connect(warehouse.conninfo(), autocommit=True) as connection:
        cursor = connection.execute(query.encode())
        if not cursor.description:
            return []
        rows = [[None if v is None else str(v) for v in row] for row in cursor.fetchall()]
        return [[column.name for column in cursor.description], *sorted(rows, key=repr)]


@pytest.mark.parametrize("table", TABLES)
def test_the_table_is_what_airflow_2_made(made: dict[str, Any], table: str) -> None:
    assert made[table] == RECORDED[table]


def test_the_exported_file_has_the_same_rows(made: dict[str, Any]) -> None:
    exported, recorded = (
        list(csv.reader(io.StringIO(each["best.csv"]))) for each in (made, RECORDED)
    )
    assert exported[0] == recorded[0]
    assert sorted(exported) == sorted(recorded)


def test_cleanup_leaves_no_temporary_table(made: dict[str, Any]) -> None:
    assert made["temporary tables left"] == RECORDED["temporary tables left"] == 0
