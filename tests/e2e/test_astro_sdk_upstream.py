"""What comes from upstream tasks: files, mapped tables, dataframes, and what these leave."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from tests.support.astro_dags import World, dag, homes, mart, run, world

__all__ = ["dag", "homes", "run", "world"]

pytestmark = pytest.mark.timeout(300)


def test_options_reach_a_file_of_an_upstream_task(world: World, run: Any) -> None:
    from airflow.sdk import task
    from astro import sql as aql
    from astro.dataframes.load_options import PandasLoadOptions
    from astro.files import File

    path = world.put("semicolons.csv", "a;b\n1;2\n")

    @task
    def find() -> Any:
        return File(path, conn_id="landing")

    options = PandasLoadOptions(delimiter=";")
    aql.load_file(input_file=find(), output_table=mart("t"), load_options=options)
    run()
    assert world.rows("SELECT a, b FROM marts.t") == [(1, 2)]


def test_a_mapped_transform_finds_the_connection_of_its_table(
    world: World, homes: Any, run: Any
) -> None:
    from airflow.sdk import task
    from astro import sql as aql
    from astro.table import Table

    @aql.transform
    def dearer(table: Table, least: int) -> str:
        return "SELECT sell FROM {{table}} WHERE sell > {{least}} AND '{{least}}' <> '{{least}} '"

    @aql.dataframe
    def count(df: pd.DataFrame) -> int:
        return len(df)

    @task
    def judge(counts: Any) -> None:
        assert sorted(counts) == [1, 2]

    judge(count.expand(df=dearer.partial(table=homes).expand(least=[130, 150])))
    aql.cleanup()
    run()
    assert tables_left(world) == []


@pytest.mark.parametrize(
    "query", ["SELECT sum(a) AS n FROM {{df}}", "SELECT 1 / 0 AS n FROM {{df}}"]
)
@pytest.mark.parametrize("operator", ["transform", "run_raw_sql"])
def test_a_query_of_a_dataframe_leaves_no_table_of_it(
    world: World, run: Any, operator: str, query: str
) -> None:
    from astro import sql as aql

    @aql.dataframe
    def make() -> pd.DataFrame:
        return pd.DataFrame({"a": [1, 2]})

    def use(df: Any) -> str:
        return query

    getattr(aql, operator)(conn_id="warehouse")(use)(make())
    aql.cleanup()
    run("failed" if "1 / 0" in query else "success")
    assert tables_left(world) == []


def test_cleanup_drops_what_it_can_when_a_table_cannot_be_dropped(
    world: World, homes: Any, run: Any
) -> None:
    from astro import sql as aql
    from astro.table import Table

    @aql.transform
    def copy(table: Table) -> str:
        return "SELECT * FROM {{table}}"

    @aql.run_raw_sql
    def look(table: Table) -> str:
        return "CREATE VIEW raw.v AS SELECT * FROM {{table}}"

    first, second = copy(homes), copy(homes)
    clean = aql.cleanup(tables_to_cleanup=[first, second], task_id="clean", retries=0)
    [look(first), second] >> clean
    run("failed")
    assert len(tables_left(world)) == 1


def tables_left(world: World) -> list[Any]:
    """The tables that are neither the homes nor a result."""
    return world.rows(
        "SELECT tablename FROM pg_tables WHERE schemaname IN ('tmp_astro', 'raw')"
        " AND tablename <> 'homes'"
    )
