"""The examples of the pages that are no command of a shell: grants, SQL, Python, feeds."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest

from include.landfall.cli import main as cli
from include.landfall.feed.yaml_file import read_feed
from include.landfall.s3.listing import find_arrival
from include.local.airflow.dag_runner import run_dag
from include.local.demo.seed import BUCKET
from include.local.services.environ import connections as spelled
from include.local.state import PROJECT
from tests.support.readmes import only, pages
from tests.support.servers import fresh_bucket

ORDERS = "order_id,placed_at,amount,note"


@pytest.fixture
def orders(tmp_path, client, monkeypatch, object_store, warehouse) -> Iterator[Any]:
    """Loads a file of the README's feed, as the role that the caller names."""
    path = tmp_path / "orders.yaml"
    path.write_text(only("README.md", "yaml").text)

    def load(**who: str) -> int:
        named = replace(warehouse, **who)
        for name, value in spelled(named, object_store).items():
            monkeypatch.setenv(name, value)
        return cli.main(["load", "--feed", str(path), "--force"])

    with fresh_bucket(client, BUCKET) as bucket:
        body = f"{ORDERS}\n7,2026-01-31 10:00Z,NA,\n".encode()
        client.put_object(Bucket=bucket, Key="orders/1.csv", Body=body)
        yield load


@pytest.fixture
def loader(warehouse) -> Iterator[str]:
    """A role without any privilege, in a database that grants none to PUBLIC."""
    name = f"loader_{warehouse.dbname}"
    with psycopg.connect(warehouse.conninfo(), autocommit=True) as admin:
        admin.execute(f"REVOKE ALL ON DATABASE {warehouse.dbname} FROM PUBLIC")
        admin.execute(f"CREATE ROLE {name} LOGIN PASSWORD 'of the loader'")
        yield name
        admin.execute(f"DROP OWNED BY {name} CASCADE; DROP ROLE {name}")


def grants(warehouse, loader: str) -> tuple[str, str]:
    """The page's statements for this database and role: as they stand, and with the comments."""
    text = only("docs/operations.md", "sql", "CREATE SCHEMA landfall").text.replace(
        "DATABASE warehouse", f"DATABASE {warehouse.dbname}"
    )
    lines = re.sub(r"\bloader\b", loader, text).splitlines()
    stated = [line for line in lines if not line.startswith("--")]
    own_tables = [line.removeprefix("--") for line in lines if line.startswith("--")]
    return "\n".join(stated), "\n".join(
        [*(s for s in stated if "SCHEMA raw" not in s), *own_tables]
    )


def rows(warehouse) -> list[tuple[Any, ...]]:
    with psycopg.connect(warehouse.conninfo()) as connection:
        return connection.execute("SELECT order_id, amount, note FROM raw.orders").fetchall()


@pytest.mark.parametrize("own_tables", [False, True])
def test_a_role_with_the_readmes_grants_and_no_other_right_can_load(
    warehouse, loader, orders, own_tables
):
    who = {"user": loader, "password": "of the loader"}
    with psycopg.connect(warehouse.conninfo(), autocommit=True) as admin:
        if own_tables:
            admin.execute("CREATE SCHEMA raw; CREATE TABLE raw.orders (order_id bigint NOT NULL,"
                          " placed_at timestamptz, amount numeric(12,2), note text)")  # fmt: skip
        assert orders(**who) != 0
        admin.execute(grants(warehouse, loader)[own_tables])
        for _ in range(2):
            assert orders(**who) == 0
    assert rows(warehouse) == [(7, None, None)]


def test_the_index_that_a_readme_offers_can_be_made(warehouse, orders):
    assert orders() == 0
    statement = re.search(r"`(CREATE INDEX [^`]+)`", pages()["docs/operations.md"])[1]
    with psycopg.connect(warehouse.conninfo()) as connection:
        connection.execute(statement)


def run_sql(warehouse, word: str) -> list[Any]:
    """Runs the statements of the operations page that contain the word, for the test's file."""
    text = only("docs/operations.md", "sql", word).text.replace("2026-02.csv", "1.csv")
    with psycopg.connect(warehouse.conninfo(), autocommit=True) as connection:
        result = connection.execute(text)
        return result.fetchall() if result.description else []


def load_new(folder: Path) -> int:
    return cli.main(["load", "--feed", str(folder / "orders.yaml")])


def test_an_undone_load_stays_away_until_it_is_forced(warehouse, orders, tmp_path):
    assert orders() == 0
    run_sql(warehouse, "DELETE FROM raw.orders\nWHERE")
    assert load_new(tmp_path) == 0
    assert rows(warehouse) == []
    assert orders() == 0
    assert rows(warehouse) == [(7, None, None)]


def test_a_load_that_is_forgotten_is_new_to_the_next_run(warehouse, orders, tmp_path):
    assert orders() == 0
    feed = str(tmp_path / "orders.yaml")
    assert cli.main(["forget", "--feed", feed, "--object", "orders/1.csv"]) == 0
    assert rows(warehouse) == []
    assert load_new(tmp_path) == 0
    assert rows(warehouse) == [(7, None, None)]


def test_a_dropped_table_is_refused_until_it_is_forced(warehouse, orders, tmp_path):
    assert orders() == 0
    with psycopg.connect(warehouse.conninfo()) as connection:
        connection.execute("DROP TABLE raw.orders")
    assert load_new(tmp_path) == 2
    assert orders() == 0
    assert rows(warehouse) == [(7, None, None)]


def test_the_failures_that_nothing_has_replaced_are_those_that_the_page_finds(
    warehouse, client, orders
):
    for cell, left in (("seven", ["orders/2.csv"]), ("8", [])):
        body = f"{ORDERS}\n{cell},,,\n".encode()
        client.put_object(Bucket=BUCKET, Key="orders/2.csv", Body=body)
        orders()
        assert [key for _, key, _ in run_sql(warehouse, "NOT EXISTS")] == left


def test_the_feed_with_every_key_is_one(tmp_path):
    path = tmp_path / "orders.yaml"
    path.write_text(only("docs/feeds.md", "yaml", "settle_seconds").text)
    assert read_feed(path).target.table == "raw.orders"


def test_the_hooks_example_loads_and_exports(warehouse, client, orders, tmp_path):
    from plugins.s3_to_postgres import S3ToPostgresHook

    assert orders() == 0
    with psycopg.connect(warehouse.conninfo()) as connection:
        connection.execute("CREATE SCHEMA marts; CREATE TABLE marts.delays_by_route (n integer)")
    feed = read_feed(tmp_path / "orders.yaml")
    names = {"S3ToPostgresHook": S3ToPostgresHook, "feed": feed}
    names["arrival"] = find_arrival(client, BUCKET, "orders/1.csv")
    exec(only("plugins/README.md", "python", "hook.load(feed").text, names)
    body = client.get_object(Bucket=BUCKET, Key="marts/routes.parquet")["Body"].read()
    assert body.startswith(b"PAR1")


def test_the_dag_of_ones_own_loads_sums_and_exports(
    airflow_db, client, connections, tmp_path, warehouse
):
    (tmp_path / "orders.yaml").write_text(only("README.md", "yaml").text)
    text = only("plugins/README.md", "python", "NewArrivalsSensor").text
    names: dict[str, Any] = {"__file__": str(tmp_path / "orders.py"), "__name__": "orders"}
    with fresh_bucket(client, BUCKET) as bucket:
        for key, amount in ((1, "9.50"), (2, "0.25")):
            body = f"{ORDERS}\n{key},2026-01-31 10:00Z,{amount},\n".encode()
            client.put_object(Bucket=bucket, Key=f"orders/{key}.csv", Body=body)
        exec(compile(text, "orders.py", "exec"), names)
        assert run_dag(names["dag"]).state == "success"
        exported = client.get_object(Bucket=bucket, Key="marts/orders_by_day.csv")["Body"].read()
    assert exported == b"day,amount\n2026-01-31,9.75\n"


def test_the_imports_of_the_astro_sdk_are_those_that_the_patches_are_tested_with():
    text = (PROJECT / "tests/unit/astro_sdk/test_patching.py").read_text()
    assert only("docs/astro-sdk.md", "python").text in text
