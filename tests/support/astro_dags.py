"""What the end-to-end tests of the Astro SDK share: objects in, a DAG through, rows out."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from include.landfall.connections import Warehouse
from include.local.airflow.dag_runner import run_dag

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

HOMES = """\
sell,list,living,rooms,beds,acres,agent
142,160,28,10,5,0.28,Ann
175,180,18,8,4,0.43,
129,132,13,6,3,0.33,NA
"""


@dataclass(frozen=True)
class World:
    """The servers of one test."""

    warehouse: Warehouse
    client: S3Client
    bucket: str

    def put(self, key: str, body: str | bytes) -> str:
        """An object, and its address."""
        data = body.encode() if isinstance(body, str) else body
        self.client.put_object(Bucket=self.bucket, Key=key, Body=data)
        return f"s3://{self.bucket}/{key}"

    def put_parquet(self, key: str, frame: Any) -> str:
        """A dataframe as a Parquet object."""
        buffer = io.BytesIO()
        frame.to_parquet(buffer)
        return self.put(key, buffer.getvalue())

    def get(self, key: str) -> bytes:
        """An object's bytes."""
        body: bytes = self.client.get_object(Bucket=self.bucket, Key=key)["Body"].read()
        return body

    def run(self, query: str) -> None:
        """Any statement."""
        with psycopg.connect(self.warehouse.conninfo(), autocommit=True) as connection:
            connection.execute(query)

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """What a query gives."""
        with psycopg.connect(self.warehouse.conninfo()) as connection:
            return connection.execute(query).fetchall()

    def types(self, schema: str, table: str) -> dict[str, str]:
        """A table's columns and types, without the engine's own."""
        with psycopg.connect(self.warehouse.conninfo()) as connection:
            columns = connection.execute(
                "SELECT column_name, data_type FROM information_schema.columns"
                " WHERE table_schema = %s AND table_name = %s ORDER BY ordinal_position",
                [schema, table],
            ).fetchall()
        return {name: type_name for name, type_name in columns if name != "_load_id"}


@pytest.fixture
def world(
    warehouse: Warehouse, client: S3Client, bucket: str, connections: dict[str, str]
) -> World:
    """A database, a bucket, and the connections to both, in a process that has begun Airflow."""
    import airflow  # noqa: F401  it finds the plugins folder, and with it the patches

    return World(warehouse, client, bucket)


@pytest.fixture
def dag() -> Iterator[Any]:
    """A DAG to put tasks into."""
    import pendulum
    from airflow.sdk import DAG

    with DAG("under_test", schedule=None, start_date=pendulum.datetime(2024, 1, 1)) as under_test:
        yield under_test


@pytest.fixture
def run(airflow_db: object, dag: Any) -> Callable[..., Any]:
    """Runs the DAG to its end in this process; returns the states of its tasks."""

    def run_to_end(expect: str = "success") -> dict[str, str]:
        finished = run_dag(dag)
        states = {
            ti.task_id if ti.map_index < 0 else f"{ti.task_id}_{ti.map_index}": str(ti.state)
            for ti in finished.get_task_instances()
        }
        assert str(finished.state) == expect, states
        return states

    return run_to_end


@pytest.fixture
def homes(world: World) -> Any:
    """A table of three homes."""
    from astro.table import Metadata, Table

    world.run(
        "CREATE SCHEMA raw; CREATE TABLE raw.homes (sell int, beds int, agent text);"
        " INSERT INTO raw.homes VALUES (142, 5, 'Ann'), (175, 4, NULL), (129, 3, 'Bo')"
    )
    return Table("homes", conn_id="warehouse", metadata=Metadata(schema="raw"))


def mart(name: str) -> Any:
    """A table to write to."""
    from astro.table import Metadata, Table

    return Table(name, conn_id="warehouse", metadata=Metadata(schema="marts"))
