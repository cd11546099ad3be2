"""The exports are read by shells, by Airflow and by the engine."""

from __future__ import annotations

import subprocess

import pytest

from include.landfall.connections import (
    Store,
    Warehouse,
    store_from_environ,
    warehouse_from_environ,
)
from include.local.services.environ import around_proxies, as_shell, connections, tools

WAREHOUSE = Warehouse("127.0.0.1", 5433, "warehouse", "landfall", "pa'ss \"w$ord`\\")
STORE = Store("http://127.0.0.1:9000", "landfall", "s3cr'et/+")


def test_the_engine_reads_its_connections_back():
    values = connections(WAREHOUSE, STORE)
    assert warehouse_from_environ("warehouse", values) == WAREHOUSE
    assert store_from_environ("landing", values) == STORE


def test_airflow_reads_the_same_connections():
    from airflow.models.connection import Connection

    values = connections(WAREHOUSE, STORE)
    warehouse = Connection.from_json(values["AIRFLOW_CONN_WAREHOUSE"])
    assert (warehouse.conn_type, warehouse.port) == ("postgres", 5433)
    assert warehouse.password == WAREHOUSE.password
    landing = Connection.from_json(values["AIRFLOW_CONN_LANDING"])
    assert landing.conn_type == "aws"
    assert landing.extra_dejson["endpoint_url"] == STORE.endpoint_url


@pytest.mark.parametrize("shell", ["sh", "bash"])
def test_a_shell_gets_every_character_of_a_password(shell):
    script = as_shell(tools(WAREHOUSE, STORE)) + '\nprintf %s "$PGPASSWORD"'
    done = subprocess.run([shell, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == WAREHOUSE.password


def test_a_proxy_is_not_asked_for_this_machine():
    values = around_proxies({"no_proxy": "example.org,localhost"})
    assert values["NO_PROXY"] == values["no_proxy"] == "example.org,localhost,127.0.0.1"
