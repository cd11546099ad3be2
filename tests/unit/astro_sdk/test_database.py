"""A connection that Airflow does not have fails a task at once, because no retry defines it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import airflow  # noqa: F401  finds the patches
import pytest
from airflow.sdk.exceptions import AirflowFailException

from include.astro_sdk import File, Metadata, Table
from include.landfall.connections import Store

WAREHOUSE = {"conn_type": "postgres", "host": "nowhere", "schema": "w"}
FILE = File("s3://landing/a.csv", conn_id="undefined")
TABLE = Table("a", conn_id="warehouse", metadata=Metadata(schema="raw"))


@pytest.fixture(autouse=True)
def connections(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_WAREHOUSE", json.dumps(WAREHOUSE))


def database(conn_id: str = "warehouse") -> Any:
    """The database as astro's operators make it."""
    from astro.databases import create_database

    return create_database(conn_id, table=TABLE)


def load() -> None:
    database().load_file_to_table(FILE, TABLE, assume_schema_exists=True)


def export() -> None:
    database().export_table_to_file(TABLE, FILE)


@pytest.mark.parametrize("act", [lambda: database("undefined"), load, export])
def test_5_14_a_connection_that_airflow_does_not_have_fails_the_task_at_once(
    act: Callable[[], None],
) -> None:
    with pytest.raises(AirflowFailException, match="Airflow has no connection 'undefined'"):
        act()


def test_postgres_connections_get_the_projects_own_database() -> None:
    from include.astro_sdk.database import PostgresDatabase

    assert type(database()) is PostgresDatabase


def test_a_file_without_a_connection_is_read_as_the_aws_chain_allows() -> None:
    from include.astro_sdk import store_of

    assert store_of(None) == Store()


def test_a_file_without_a_connection_is_read_by_aws_default_where_there_is_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from include.astro_sdk import store_of

    aws = {"conn_type": "aws", "login": "key", "password": "secret"}
    monkeypatch.setenv("AIRFLOW_CONN_AWS_DEFAULT", json.dumps(aws))
    assert store_of(None) == Store(None, "key", "secret")
