"""`load_file` of the Astro SDK, used as in its documentation, loads through the engine."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pandas as pd
import pytest

from tests.support.astro_dags import HOMES, World, dag, run, world

__all__ = ["dag", "run", "world"]

pytestmark = pytest.mark.timeout(300)


def homes(path: str, **table: Any) -> tuple[Any, Any]:
    """The file and the table of most of these tests."""
    from astro.files import File
    from astro.table import Metadata, Table

    return File(path, conn_id="landing"), Table(
        "homes", conn_id="warehouse", metadata=Metadata(schema="raw"), **table
    )


def test_types_left_open_are_inferred_and_missing_cells_are_null(world: World, run: Any) -> None:
    from astro import sql as aql

    file, table = homes(world.put("homes.csv", HOMES))
    aql.load_file(input_file=file, output_table=table)
    run()
    assert world.types("raw", "homes") == {
        "sell": "bigint", "list": "bigint", "living": "bigint", "rooms": "bigint",
        "beds": "bigint", "acres": "numeric", "agent": "text",
    }  # fmt: skip
    assert world.rows("SELECT sell, acres, agent FROM raw.homes ORDER BY sell") == [
        (129, Decimal("0.33"), None), (142, Decimal("0.28"), "Ann"), (175, Decimal("0.43"), None),
    ]  # fmt: skip


def test_a_declared_table_keeps_its_types_and_its_keys(world: World, run: Any) -> None:
    from astro import sql as aql
    from sqlalchemy import Column, Float, Integer, Numeric, SmallInteger, String

    columns = [
        Column("sell", Integer, primary_key=True, autoincrement=False), Column("list", Integer),
        Column("living", SmallInteger), Column("rooms", Integer), Column("beds", Integer),
        Column("acres", Numeric(10, 2)), Column("agent", String(60)),
    ]  # fmt: skip
    file, table = homes(world.put("homes.csv", HOMES), columns=columns)
    aql.load_file(input_file=file, output_table=table)
    run()
    assert world.types("raw", "homes")["acres"] == "numeric"
    assert world.types("raw", "homes")["agent"] == "character varying"
    with pytest.raises(Exception, match="duplicate key"):
        world.run("INSERT INTO raw.homes (sell) VALUES (142)")
    assert Float  # the documentation imports it too


def test_a_column_order_of_its_own_does_not_mix_columns_up(world: World, run: Any) -> None:
    from astro import sql as aql
    from sqlalchemy import Column, Integer

    file, table = homes(world.put("x.csv", "a,b\n1,2\n"), columns=[
        Column("b", Integer), Column("a", Integer)])  # fmt: skip
    aql.load_file(input_file=file, output_table=table)
    run()
    assert world.rows("SELECT a, b FROM raw.homes") == [(1, 2)]


def test_an_existing_table_gives_its_types_and_append_adds(world: World, run: Any) -> None:
    from astro import sql as aql

    world.run("CREATE SCHEMA raw; CREATE TABLE raw.homes (a smallint, b date, c text DEFAULT 'x')")
    world.run("INSERT INTO raw.homes VALUES (0, '2013-01-01')")
    file, table = homes(world.put("x.csv", "b,a\n2013-01-02,1\n"))
    aql.load_file(input_file=file, output_table=table, if_exists="append")
    run()
    assert world.rows("SELECT a, b::text, c FROM raw.homes ORDER BY a") == [
        (0, "2013-01-01", "x"), (1, "2013-01-02", "x"),
    ]  # fmt: skip


def test_append_of_one_file_by_two_runs_adds_the_rows_of_both(world: World, run: Any) -> None:
    from astro import sql as aql

    file, table = homes(world.put("homes.csv", HOMES))
    aql.load_file(input_file=file, output_table=table, if_exists="append")
    run()
    run()
    assert world.rows("SELECT count(*) FROM raw.homes") == [(6,)]


def test_a_retry_of_an_append_doubles_nothing(
    world: World, run: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from astro import sql as aql

    from include.astro_sdk import loading

    tries: list[Any] = []

    def fail_once(key: str, receipts: Any) -> None:
        tries.append(receipts[0]["outcome"])
        if len(tries) == 1:
            raise ConnectionError("lost after the load")

    monkeypatch.setattr(loading, "push_xcom", fail_once)
    file, table = homes(world.put("homes.csv", HOMES))
    aql.load_file(
        input_file=file, output_table=table, if_exists="append", retries=1, retry_delay=timedelta(0)
    )
    run()
    assert tries == ["loaded", "already_loaded"]
    assert world.rows("SELECT count(*) FROM raw.homes") == [(3,)]


def test_unions_and_joins_of_loaded_tables_go_by_the_files_columns(world: World, run: Any) -> None:
    from astro import sql as aql
    from astro.files import File
    from astro.table import Metadata, Table

    raw = Metadata(schema="raw")
    paths = {name: world.put(f"{name}.csv", "a,b\n1,x\n2,y\n") for name in ("one", "two")}
    one, two = (
        aql.load_file(
            input_file=File(path, conn_id="landing"),
            output_table=Table(name, conn_id="warehouse", metadata=raw),
        )
        for name, path in paths.items()
    )
    queries = {
        "a_union": "SELECT * FROM {{one}} UNION SELECT * FROM {{two}}",
        "a_distinct": "SELECT DISTINCT * FROM {{one}}",
        "a_natural": "SELECT * FROM {{one}} NATURAL JOIN {{two}}",
        "a_using": "SELECT * FROM {{one}} JOIN {{two}} USING (a, b)",
    }
    for name, query in queries.items():
        transformed = aql.transform(lambda one, two, query=query: query, task_id=name)
        transformed(one, two, output_table=Table(name, conn_id="warehouse", metadata=raw))

    @aql.run_raw_sql(handler=lambda result: list(result.keys()), task_id="of_one")
    def columns_of(one: Table) -> str:
        return "SELECT * FROM {{one}}"

    columns_of(one)
    run()
    for name in queries:
        assert world.rows(f"SELECT * FROM raw.{name} ORDER BY 1") == [(1, "x"), (2, "y")], name


def test_a_new_version_of_a_file_is_appended_to_the_old(world: World, run: Any) -> None:
    from astro import sql as aql

    file, table = homes(world.put("today.csv", "a\n1\n"))
    aql.load_file(input_file=file, output_table=table, if_exists="append")
    run()
    world.put("today.csv", "a\n2\n")
    run()
    assert world.rows("SELECT a FROM raw.homes ORDER BY a") == [(1,), (2,)]


def test_replace_takes_the_place_of_other_columns_too(world: World, run: Any) -> None:
    from astro import sql as aql

    world.run("CREATE SCHEMA raw; CREATE TABLE raw.homes (z text)")
    file, table = homes(world.put("homes.csv", HOMES))
    aql.load_file(input_file=file, output_table=table)
    run()
    assert "z" not in world.types("raw", "homes")
    assert world.rows("SELECT count(*) FROM raw.homes") == [(3,)]


def test_a_replacement_that_fails_leaves_the_old_table(world: World, run: Any) -> None:
    from astro import sql as aql

    world.run(
        "CREATE SCHEMA raw; CREATE TABLE raw.homes (z text); INSERT INTO raw.homes VALUES ('')"
    )
    file, table = homes(world.put("bad.csv", "a,b\n1,2\n3,4,5\n"))
    aql.load_file(input_file=file, output_table=table)
    run("failed")
    assert world.rows("SELECT z FROM raw.homes") == [("",)]
    assert world.rows("SELECT count(*) FROM pg_tables WHERE schemaname = 'raw'") == [(1,)]


def test_all_files_of_a_prefix_or_a_pattern_are_loaded(world: World, run: Any) -> None:
    from astro import sql as aql
    from astro.files import File
    from astro.table import Metadata, Table

    for month in (1, 2, 3):
        world.put(f"months/{month}.csv", f"m\n{month}\n")
    raw = Metadata(schema="raw")
    for name, path in {"by_prefix": "months/", "by_pattern": "months/[12].csv"}.items():
        aql.load_file(
            input_file=File(f"s3://{world.bucket}/{path}", conn_id="landing"),
            output_table=Table(name, conn_id="warehouse", metadata=raw),
        )
    run()
    assert world.rows("SELECT m FROM raw.by_prefix ORDER BY m") == [(1,), (2,), (3,)]
    assert world.rows("SELECT m FROM raw.by_pattern ORDER BY m") == [(1,), (2,)]
    assert world.rows("SELECT DISTINCT target FROM landfall.ledger ORDER BY 1") == [
        ("raw.by_pattern",), ("raw.by_prefix",),
    ]  # fmt: skip


def test_a_later_value_that_does_not_fit_says_to_declare_the_column(
    world: World, run: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    from astro import sql as aql

    rows = "".join(f"{n}\n" for n in range(1500))
    file, table = homes(world.put("x.csv", f"a\n{rows}oops\n"))
    aql.load_file(input_file=file, output_table=table)
    run("failed")
    log = capsys.readouterr().out
    assert "declare it" in log
    assert "oops" in log
    assert world.rows("SELECT count(*) FROM pg_tables WHERE schemaname = 'raw'") == [(0,)]


def test_parquet_brings_its_types_along(world: World, run: Any) -> None:
    from astro import sql as aql

    frame = pd.DataFrame({"n": [1, 2], "t": pd.to_datetime(["2013-01-01", None]), "s": ["a", None]})
    file, table = homes(world.put_parquet("x.parquet", frame))
    aql.load_file(input_file=file, output_table=table)
    run()
    assert world.types("raw", "homes") == {
        "n": "bigint", "t": "timestamp without time zone", "s": "text",
    }  # fmt: skip
    assert world.rows("SELECT n, t::text, s FROM raw.homes ORDER BY n") == [
        (1, "2013-01-01 00:00:00", "a"), (2, None, None),
    ]  # fmt: skip


def test_names_with_capitals_quotes_and_percent_signs_are_names(world: World, run: Any) -> None:
    from astro import sql as aql
    from astro.files import File
    from astro.table import Metadata, Table

    path = world.put("x.csv", 'Sell,"a ""b""",50%\n1,2,3\n')
    odd = Table('My "Table": 50%', conn_id="warehouse", metadata=Metadata(schema="Odd Schema"))
    loaded = aql.load_file(input_file=File(path, conn_id="landing"), output_table=odd)
    aql.check_column(dataset=loaded, column_mapping={"Sell": {"min": {"geq_to": 1}}})

    @aql.transform
    def again(table: Table) -> str:
        return "SELECT * FROM {{table}}"

    again(loaded, output_table=Table("Again", conn_id="warehouse", metadata=Metadata("Odd Schema")))
    run()
    assert world.rows('SELECT "Sell", "a ""b""", "50%" FROM "Odd Schema"."My ""Table"": 50%"') == [
        (1, 2, 3)
    ]
    assert world.rows('SELECT "Sell" FROM "Odd Schema".again') == [(1,)]


@pytest.mark.parametrize("ending", ["csv", "json", "ndjson"])
def test_local_files_and_json_still_load_through_pandas(
    world: World, run: Any, tmp_path: Any, ending: str
) -> None:
    from astro import sql as aql

    bodies = {
        "csv": "a,b\n1,x\n,y\n",
        "json": '[{"a": 1, "b": "x"}, {"b": "y"}]',
        "ndjson": '{"a": 1, "b": "x"}\n{"b": "y"}\n',
    }
    path = tmp_path / f"x.{ending}"
    path.write_text(bodies[ending])
    file, table = homes(str(path))
    file.conn_id = None
    aql.load_file(input_file=file, output_table=table)
    run()
    assert world.rows("SELECT a, b FROM raw.homes ORDER BY b") == [(1.0, "x"), (None, "y")]


def test_a_file_on_the_web_loads_as_the_documentations_examples_do(
    world: World, run: Any, tmp_path: Path
) -> None:
    from astro import sql as aql

    (tmp_path / "homes.csv").write_text(HOMES)
    serve = partial(SimpleHTTPRequestHandler, directory=str(tmp_path))
    with ThreadingHTTPServer(("127.0.0.1", 0), serve) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        file, table = homes(f"http://127.0.0.1:{server.server_port}/homes.csv")
        file.conn_id = None
        aql.load_file(input_file=file, output_table=table)
        run()
        server.shutdown()
    assert world.rows("SELECT count(*), count(agent) FROM raw.homes") == [(3, 1)]


def test_without_a_table_it_gives_a_dataframe(world: World, run: Any) -> None:
    from airflow.sdk import task
    from astro import sql as aql
    from astro.files import File

    frame = aql.load_file(input_file=File(world.put("homes.csv", HOMES), conn_id="landing"))

    @task
    def count(frame: Any) -> None:
        assert list(frame["sell"]) == [142, 175, 129]

    count(frame)
    run()
