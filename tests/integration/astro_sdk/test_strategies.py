"""A typing error in `if_exists` or `if_conflicts` must change no table."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import psycopg
import pytest

from include.astro_sdk import File, Metadata, Table
from include.landfall.connections import Warehouse
from tests.support.plain_loads import database_of

FRAME = pd.DataFrame({"a": [1], "b": ["new"]})


def table(name: str = "t") -> Any:
    """A table of the schema public."""
    return Table(name, conn_id="warehouse", metadata=Metadata(schema="public"))


def load_file(database: Any, option: str, path: Path) -> None:
    FRAME.to_csv(path / "f.csv", index=False)
    database.load_file_to_table(File(str(path / "f.csv")), table(), if_exists=option)


def load_frame(database: Any, option: str, _: Path) -> None:
    database.load_pandas_dataframe_to_table(FRAME, table(), if_exists=option)


def merge(database: Any, option: str, _: Path) -> None:
    columns = {"a": "a", "b": "b"}
    database.merge_table(table("source"), table(), columns, ["a"], if_conflicts=option)


@pytest.mark.parametrize("option", ["fail", "REPLACE", "Append", "upsert", ""])
@pytest.mark.parametrize("use", [load_file, load_frame, merge], ids=lambda use: use.__name__)
def test_an_unknown_strategy_is_refused_and_the_rows_stay(
    warehouse: Warehouse, tmp_path: Path, use: Callable[..., None], option: str
) -> None:
    with psycopg.connect(warehouse.conninfo(), autocommit=True) as connection:
        connection.execute(
            "CREATE TABLE t (a int PRIMARY KEY, b text); INSERT INTO t VALUES (1, 'old');"
            " CREATE TABLE source (a int, b text); INSERT INTO source VALUES (1, 'new')"
        )
        with pytest.raises(ValueError, match=f"='{option}': expected"):
            use(database_of(warehouse, table()), option, tmp_path)
        assert connection.execute("SELECT * FROM t").fetchall() == [(1, "old")]


def test_a_merge_by_columns_that_nothing_keeps_unique_says_which_index_lacks(
    warehouse: Warehouse, tmp_path: Path
) -> None:
    with psycopg.connect(warehouse.conninfo(), autocommit=True) as connection:
        connection.execute(
            "CREATE TABLE t (a int, b text); CREATE TABLE source (a int, b text);"
            " INSERT INTO source VALUES (1, 'new')"
        )
        with pytest.raises(ValueError, match="no unique index") as refused:
            merge(database_of(warehouse, table()), "update", tmp_path)
        advice = str(refused.value).partition("What to do: ")[2].partition(",")[0]
        connection.execute(advice.encode())
        merge(database_of(warehouse, table()), "update", tmp_path)
        assert connection.execute("SELECT * FROM t").fetchall() == [(1, "new")]
