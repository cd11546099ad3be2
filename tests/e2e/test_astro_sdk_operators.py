"""The Astro SDK's other operators, used as in its documentation, on the real servers."""

from __future__ import annotations

import gzip
import io
from typing import Any

import pandas as pd
import pytest

from tests.support.astro_dags import HOMES, World, dag, homes, mart, run, world

__all__ = ["dag", "homes", "run", "world"]

pytestmark = pytest.mark.timeout(300)


def test_run_raw_sql_hands_rows_on_as_plain_values(world: World, homes: Any, run: Any) -> None:
    from airflow.sdk import task
    from astro import sql as aql
    from astro.table import Table

    @aql.run_raw_sql(handler=lambda result: result.fetchall())
    def rows(table: Table) -> str:
        return """SELECT sell, 1.50 AS price, DATE '2013-01-01' AS day, inet '10.0.0.1' AS ip,
            '\\x00'::bytea AS b FROM {{table}} ORDER BY 1"""

    @aql.run_raw_sql(results_format="list")
    def lists(table: Table) -> str:
        return "SELECT sell, agent FROM {{table}} ORDER BY 1"

    @aql.run_raw_sql(results_format="pandas_dataframe")
    def frame(table: Table) -> str:
        return "SELECT sell FROM {{table}} ORDER BY 1"

    @aql.run_raw_sql(conn_id="warehouse")
    def nothing() -> str:
        return "CREATE TABLE raw.made (a int); INSERT INTO raw.made VALUES (1)"

    @aql.run_raw_sql(conn_id="warehouse", handler=lambda result: result.scalar())
    def scalar(n: int) -> str:
        return "SELECT {{n}} + 1"

    @task
    def judge(rows: Any, lists: Any, frame: Any, nothing: Any, scalar: Any) -> None:
        assert [(row[0], float(row[1]), str(row[2])[:10], row[3], row[4]) for row in rows][0] == (
            129, 1.5, "2013-01-01", "10.0.0.1", "\\x00",
        )  # fmt: skip
        assert [list(row) for row in lists][0] == [129, "Bo"]
        assert list(frame["sell"]) == [129, 142, 175]
        assert nothing is None
        assert scalar == 42

    judge(rows(homes), lists(homes), frame(homes), nothing(), scalar(41))
    run()
    assert world.rows("SELECT a FROM raw.made") == [(1,)]


def test_rows_have_names_in_later_tasks(world: World, homes: Any, run: Any) -> None:
    from airflow.sdk import task
    from astro import sql as aql
    from astro.table import Table

    @aql.run_raw_sql(handler=lambda result: result.fetchall())
    def rows(table: Table) -> str:
        return "SELECT sell, agent FROM {{table}} ORDER BY sell"

    @task
    def judge(rows: Any) -> None:
        first = rows[0]
        assert (first["sell"], first.agent, first[1]) == (129, "Bo", "Bo")
        assert dict(first) == {"sell": 129, "agent": "Bo"}
        assert first == (129, "Bo")

    judge(rows(homes))
    run()


def test_get_value_list_maps_a_task_over_a_query(world: World, homes: Any, run: Any) -> None:
    from airflow.sdk import task
    from astro import sql as aql

    @task
    def one(row: Any) -> None:
        assert row[0] in (129, 142, 175)

    values = aql.get_value_list(sql="SELECT sell FROM raw.homes", conn_id="warehouse")
    one.expand(row=values)
    states = run()
    assert len([name for name in states if name.startswith("one_")]) == 3


def test_dataframe_reads_a_table_and_writes_one(world: World, homes: Any, run: Any) -> None:
    from astro import sql as aql

    @aql.dataframe
    def by_agent(df: pd.DataFrame) -> pd.DataFrame:
        df["seen"] = pd.Timestamp("2013-01-01")
        df["beds"] = df["beds"].where(df["beds"] > 3)
        return df

    by_agent(homes, output_table=mart("by_agent"))
    run()
    assert world.types("marts", "by_agent") == {
        "sell": "bigint", "beds": "double precision", "agent": "text",
        "seen": "timestamp without time zone",
    }  # fmt: skip
    assert world.rows("SELECT sell, beds, agent FROM marts.by_agent ORDER BY 1") == [
        (129, None, "Bo"), (142, 5.0, "Ann"), (175, 4.0, None),
    ]  # fmt: skip


def test_dataframes_pass_between_tasks_with_their_types(world: World, homes: Any, run: Any) -> None:
    from astro import sql as aql
    from astro.table import Table

    @aql.dataframe
    def make() -> pd.DataFrame:
        return pd.DataFrame({"code": ["007", None], "day": pd.to_datetime(["2013-01-01", None])})

    @aql.dataframe
    def same(df: pd.DataFrame) -> pd.DataFrame:
        assert list(df["code"])[0] == "007"
        assert str(df["day"].dtype).startswith("datetime64")
        return df

    @aql.transform(conn_id="warehouse")
    def into_sql(df: Table) -> str:
        return "SELECT code, day::text FROM {{df}} WHERE code IS NOT NULL"

    into_sql(same(make()), output_table=mart("codes"))
    run()
    assert world.rows("SELECT * FROM marts.codes") == [("007", "2013-01-01 00:00:00")]


@pytest.mark.parametrize(
    ("strategy", "rows"),
    [
        ("update", [(129, "Bo"), (142, "new"), (175, None), (200, "also new")]),
        ("ignore", [(129, "Bo"), (142, "Ann"), (175, None), (200, "also new")]),
    ],
)
def test_merge_updates_or_ignores_what_is_there(
    world: World, homes: Any, run: Any, strategy: str, rows: Any
) -> None:
    from astro import sql as aql
    from astro.files import File

    world.run("ALTER TABLE raw.homes ADD UNIQUE (sell)")
    path = world.put("new.csv", "price,agent\n142,new\n200,also new\n")
    new = aql.load_file(input_file=File(path, conn_id="landing"), output_table=mart("new"))
    aql.merge(
        target_table=homes,
        source_table=new,
        columns={"price": "sell", "agent": "agent"},
        target_conflict_columns=["sell"],
        if_conflicts=strategy,
    )
    run()
    assert world.rows("SELECT sell, agent FROM raw.homes ORDER BY sell") == rows


def test_merge_fails_whole_on_a_conflict_when_told_to(world: World, homes: Any, run: Any) -> None:
    from astro import sql as aql

    world.run("ALTER TABLE raw.homes ADD UNIQUE (sell)")
    world.run("CREATE SCHEMA marts; CREATE TABLE marts.new AS SELECT * FROM raw.homes LIMIT 1")
    world.run("INSERT INTO marts.new VALUES (200, 1, 'new')")
    aql.merge(
        target_table=homes, source_table=mart("new"), columns=["sell", "agent"],
        target_conflict_columns=["sell"], if_conflicts="exception",
    )  # fmt: skip
    run("failed")
    assert world.rows("SELECT count(*) FROM raw.homes") == [(3,)]


def test_merge_into_a_loaded_table_works_too(world: World, run: Any) -> None:
    from astro import sql as aql
    from astro.files import File

    def load(key: str, body: str, name: str) -> Any:
        file = File(world.put(key, body), conn_id="landing")
        return aql.load_file(input_file=file, output_table=mart(name))

    @aql.run_raw_sql
    def unique(table: Any) -> str:
        return "ALTER TABLE {{table}} ADD UNIQUE (a)"

    target = load("t.csv", "a,b\n1,x\n", "target")
    constraint = unique(target)
    merged = aql.merge(
        target_table=target, source_table=load("s.csv", "a,b\n1,y\n2,z\n", "source"),
        columns=["a", "b"], target_conflict_columns=["a"], if_conflicts="update",
    )  # fmt: skip
    constraint >> merged
    run()
    assert world.rows("SELECT a, b FROM marts.target ORDER BY a") == [(1, "y"), (2, "z")]


def test_append_adds_all_columns_or_the_mapped_ones(world: World, homes: Any, run: Any) -> None:
    from astro import sql as aql

    world.run(
        "CREATE SCHEMA marts; CREATE TABLE marts.prices (price int, note text DEFAULT 'none')"
    )
    aql.append(source_table=homes, target_table=mart("prices"), columns={"sell": "price"})
    world.run("CREATE TABLE marts.copy AS SELECT * FROM raw.homes WHERE false")
    aql.append(source_table=homes, target_table=mart("copy"))
    run()
    assert world.rows("SELECT price, note FROM marts.prices ORDER BY 1")[0] == (129, "none")
    assert world.rows("SELECT count(*), count(agent) FROM marts.copy") == [(3, 2)]


def test_checks_pass_and_checks_fail(
    world: World, homes: Any, run: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    from airflow.sdk import task
    from astro import sql as aql
    from astro.table import Table

    @aql.transform
    def upstream(table: Table) -> str:
        return "SELECT sell, agent AS \"Agent\", DATE '2013-01-01' AS day FROM {{table}}"

    selected = upstream(homes)
    good = {
        "sell": {"min": {"geq_to": 129}, "max": {"leq_to": 175}, "unique_check": {"equal_to": 0}},
        "Agent": {"null_check": {"equal_to": 1}, "distinct_check": {"equal_to": 2}},
        "day": {"min": {"equal_to": pd.Timestamp("2013-01-01").date()}},
    }
    aql.check_column(dataset=selected, column_mapping=good, task_id="columns")
    aql.check_table(selected, {"rows": {"check_statement": "COUNT(*) = 3"}}, task_id="table")
    aql.check_table(
        dataset=homes, checks={"rows": {"check_statement": "count(*) > 3"}}, task_id="too_few",
    )  # fmt: skip
    nulls = aql.check_column(
        dataset=homes, column_mapping={"agent": {"null_check": {"equal_to": 0}}}, task_id="nulls"
    )

    @task
    def publish() -> None: ...

    nulls >> publish()
    states = run("failed")
    assert {name: states[name] for name in ("columns", "table", "too_few", "nulls", "publish")} == {
        "columns": "success", "table": "success", "too_few": "failed", "nulls": "failed",
        "publish": "upstream_failed",
    }  # fmt: skip
    log = capsys.readouterr().out
    assert "check: agent: null_check" in log
    assert "agent IS NULL" in log.replace('"', "")


def test_check_column_of_a_dataframe_still_works(world: World, run: Any) -> None:
    from astro import sql as aql

    frame = pd.DataFrame({"n": [1, 2]})
    aql.check_column(dataset=frame, column_mapping={"n": {"min": {"geq_to": 1}}}, task_id="right")
    aql.check_column(dataset=frame, column_mapping={"n": {"min": {"geq_to": 2}}}, task_id="wrong")
    states = run("failed")
    assert (states["right"], states["wrong"]) == ("success", "failed")


@pytest.mark.parametrize("ending", ["csv", "csv.gz", "parquet"])
def test_export_streams_a_table_to_the_bucket_and_it_loads_again(
    world: World, homes: Any, run: Any, ending: str
) -> None:
    from astro import sql as aql
    from astro.constants import FileType
    from astro.files import File

    file_type = FileType.PARQUET if ending == "parquet" else FileType.CSV
    file = File(f"s3://{world.bucket}/out.{ending}", conn_id="landing", filetype=file_type)
    exported = aql.export_to_file(input_data=homes, output_file=file, if_exists="replace")
    aql.load_file(input_file=exported, output_table=mart("again"))
    run()
    body = world.get(f"out.{ending}")
    if ending != "parquet":
        text = gzip.decompress(body) if ending.endswith("gz") else body
        assert text.decode().splitlines()[0] == "sell,beds,agent"
    else:
        assert list(pd.read_parquet(io.BytesIO(body))["sell"]) == [142, 175, 129]
    assert world.rows("SELECT sell, beds, agent FROM marts.again ORDER BY 1") == world.rows(
        "SELECT sell, beds, agent FROM raw.homes ORDER BY 1"
    )


def test_an_export_does_not_overwrite_unless_told_to(world: World, homes: Any, run: Any) -> None:
    from astro import sql as aql
    from astro.files import File

    path = world.put("there.csv", "old\n")
    aql.export_to_file(input_data=homes, output_file=File(path, conn_id="landing"))
    run("failed")
    assert world.get("there.csv") == b"old\n"


def test_a_dataframe_is_exported_as_before(world: World, run: Any, tmp_path: Any) -> None:
    from astro import sql as aql
    from astro.files import File

    path = tmp_path / "x.csv"
    aql.export_to_file(input_data=pd.DataFrame({"n": [1]}), output_file=File(str(path)))
    run()
    assert path.read_text() == "n\n1\n"


def test_drop_table_drops_and_does_not_mind_a_missing_one(
    world: World, homes: Any, run: Any
) -> None:
    from astro import sql as aql

    aql.drop_table(table=homes)
    aql.drop_table(table=mart("never_there"))
    run()
    assert world.rows("SELECT count(*) FROM pg_tables WHERE schemaname = 'raw'") == [(0,)]


def test_a_table_is_an_asset_that_a_dag_can_wait_for(world: World, dag: Any) -> None:
    import pendulum
    from airflow.sdk import DAG
    from airflow.serialization.serialized_objects import DagSerialization
    from astro import sql as aql
    from astro.files import File

    from include.astro_sdk import table_asset

    loaded = aql.load_file(
        input_file=File("s3://x/y.csv", conn_id="landing"), output_table=mart("a")
    )
    assert loaded.operator.outlets == [table_asset(mart("a"))]
    assert loaded.operator.outlets[0].name == "warehouse.marts.a"
    start = pendulum.datetime(2024, 1, 1)
    waiting = DAG("waiting", schedule=[mart("a"), mart("b") | mart("c")], start_date=start)
    assert "warehouse.marts.c" in str(DagSerialization.serialize_dag(waiting))
    assert HOMES
