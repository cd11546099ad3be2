"""The Astro SDK's transforms and cleanup, used as in its documentation, on the real servers."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.astro_dags import World, dag, homes, mart, run, world

__all__ = ["dag", "homes", "run", "world"]

pytestmark = pytest.mark.timeout(300)


def test_transform_makes_a_table_of_a_query_with_parameters(
    world: World, homes: Any, run: Any
) -> None:
    from astro import sql as aql
    from astro.table import Table

    @aql.transform
    def dear(table: Table, least: int, agent: str) -> str:
        return """SELECT sell FROM {{table}}
            WHERE sell > {{least}} AND agent = {{agent}} AND sell::text LIKE '1%'"""

    dear(homes, 130, "Ann", output_table=mart("dear"))
    run()
    assert world.rows("SELECT sell FROM marts.dear") == [(142,)]


def test_transform_replaces_rows_without_dropping_what_hangs_on_the_table(
    world: World, homes: Any, run: Any
) -> None:
    from astro import sql as aql
    from astro.table import Table

    @aql.transform
    def all_sells(table: Table) -> str:
        return "SELECT sell FROM {{table}}"

    all_sells(homes, output_table=mart("sells"))
    run()
    world.run("CREATE VIEW marts.best AS SELECT max(sell) AS best FROM marts.sells")
    world.run("INSERT INTO raw.homes VALUES (999, 1, 'Cy')")
    run()
    assert world.rows("SELECT best FROM marts.best") == [(999,)]
    assert world.rows("SELECT count(*) FROM marts.sells") == [(4,)]


def test_a_transform_that_fails_leaves_the_old_table(world: World, homes: Any, run: Any) -> None:
    from astro import sql as aql
    from astro.table import Table

    world.run(
        "CREATE SCHEMA marts; CREATE TABLE marts.kept (a int); INSERT INTO marts.kept VALUES (1)"
    )

    @aql.transform
    def broken(table: Table) -> str:
        return "SELECT 1 / (sell - sell) AS a FROM {{table}}"

    broken(homes, output_table=mart("kept"))
    run("failed")
    assert world.rows("SELECT a FROM marts.kept") == [(1,)]


def test_transforms_chain_through_temporary_tables_which_cleanup_drops(
    world: World, homes: Any, run: Any
) -> None:
    from astro import sql as aql
    from astro.table import Table

    @aql.transform
    def one(table: Table) -> str:
        return "SELECT sell FROM {{table}} WHERE beds > 3"

    @aql.transform
    def two(table: Table) -> str:
        return "SELECT max(sell) AS best FROM {{table}}"

    aql.cleanup()
    two(one(homes), output_table=mart("best"))
    run()
    assert world.rows("SELECT best FROM marts.best") == [(175,)]
    assert world.rows("SELECT tablename FROM pg_tables WHERE tablename LIKE '\\_tmp%'") == []


def test_cleanup_drops_the_tables_it_is_given_and_only_temporary_ones(
    world: World, homes: Any, run: Any
) -> None:
    from astro import sql as aql
    from astro.table import Table

    @aql.transform
    def copy(table: Table) -> str:
        return "SELECT * FROM {{table}}"

    copied = copy(homes)
    copied >> aql.cleanup(tables_to_cleanup=[copied, homes], task_id="clean")
    run()
    assert world.rows("SELECT count(*) FROM raw.homes") == [(3,)]
    assert world.rows("SELECT tablename FROM pg_tables WHERE tablename LIKE '\\_tmp%'") == []


def test_transform_file_reads_a_file_with_comments(
    world: World, homes: Any, run: Any, tmp_path: Any
) -> None:
    from astro import sql as aql

    path = tmp_path / "best.sql"
    path.write_text(
        "-- the best -- of them\nSELECT max(sell) AS best -- and no other\nFROM {{homes}};\n"
    )
    aql.transform_file(
        task_id="best",
        file_path=str(path),
        parameters={"homes": homes},
        conn_id="warehouse",
        op_kwargs={"output_table": mart("best")},
    )
    run()
    assert world.rows("SELECT best FROM marts.best") == [(175,)]
