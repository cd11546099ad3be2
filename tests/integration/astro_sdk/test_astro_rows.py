"""What `load_file` of the Astro SDK did on Airflow 2, row by row: types, names, cells.

Each row has the words of docs/astro-sdk.md. Where a row says `better`, the setting
`load_file_types` = `pandas` gives what the SDK gave.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from datetime import date
from typing import Any

import pandas as pd
import pytest
from sqlalchemy import Column, Date, Integer, String

from include.landfall.errors import DataError
from tests.support.engine import Engine
from tests.support.plain_loads import columns_of_table, plain_load, rows_of_table

FLOAT = "double precision"


@pytest.fixture
def engine(warehouse: Any, object_store: Any, client: Any, bucket: str) -> Engine:
    """The servers of one test, with a schema."""
    engine = Engine(warehouse, object_store, client, bucket)
    engine.sql("CREATE SCHEMA raw")
    return engine


@dataclass(frozen=True)
class Row:
    """One use: its words, the files by key, and the table that comes of them."""

    words: str
    files: dict[str, str | bytes]
    types: dict[str, str]
    rows: list[tuple[Any, ...]]
    if_exists: str = "replace"
    columns: tuple[Any, ...] = ()
    before: str = ""
    pandas: bool = False  # the setting that gives the SDK's types


def csv(text: str) -> dict[str, str | bytes]:
    """One file."""
    return {"f": text}


def parquet(frame: pd.DataFrame) -> dict[str, str | bytes]:
    """One file, as pandas writes it."""
    buffer = io.BytesIO()
    frame.to_parquet(buffer)
    return {"f.parquet": buffer.getvalue()}


INF = float("inf")
TYPES = [
    Row("cells with a blank before the number", csv("a,b\n142, 160\n1, 0.28\n"),
        {"a": "bigint", "b": "numeric"}, [(142, "160"), (1, "0.28")]),
    Row("exponents, and signs", csv("a,b\n1e3,+1\n2,-2\n"),
        {"a": FLOAT, "b": "bigint"}, [(1000.0, 1), (2.0, -2)]),
    Row("infinities", csv("a\ninf\n-inf\n1.5\n"), {"a": FLOAT}, [(INF,), (-INF,), (1.5,)]),
    Row("decimals, better: exact", csv("a\n1.10\n.5\n5.\n"),
        {"a": "numeric"}, [("1.10",), ("0.5",), ("5",)]),
    Row("decimals of one scale, better: exact",
        csv("a\n1.10\n-0.05\n+7.00\n12345678901234567890.12\n1.125\n3\n"), {"a": "numeric"},
        [("1.10",), ("-0.05",), ("7.00",), ("12345678901234567890.12",), ("1.125",), ("3",)]),
    Row("decimals of one scale as a rule", csv("a\n" + "1.10\n" * 200 + "1.125\n"),
        {"a": "numeric"}, [*[("1.10",)] * 200, ("1.125",)]),
    Row("decimals, the SDK's way", csv("a\n1.5\n.5\n5.\n"),
        {"a": FLOAT}, [(1.5,), (0.5,), (5.0,)], pandas=True),
    Row("integers with missing cells, better: integers", csv("a,b\n1,x\n,y\n"),
        {"a": "bigint", "b": "text"}, [(1, "x"), (None, "y")]),
    Row("integers with missing cells, the SDK's way", csv("a,b\n1,x\n,y\n"),
        {"a": FLOAT, "b": "text"}, [(1.0, "x"), (None, "y")], pandas=True),
    Row("leading zeros, better: kept", csv("a\n007\n010\n"), {"a": "text"}, [("007",), ("010",)]),
    Row("leading zeros, the SDK's way", csv("a\n007\n010\n"),
        {"a": "bigint"}, [(7,), (10,)], pandas=True),
    Row("booleans as the export writes them, and read back", csv("a\nTrue\nFalse\n"),
        {"a": "boolean"}, [(True,), (False,)]),
    Row("booleans as Postgres writes them", csv("a\nt\nf\n"),
        {"a": "boolean"}, [(True,), (False,)]),
    Row("dates stay text", csv("a\n2013-01-01\n"), {"a": "text"}, [("2013-01-01",)]),
    Row("a file of a header alone", csv("a,b\n"), {"a": "text", "b": "text"}, []),
]  # fmt: skip
CELLS = [
    Row("quoted empty in CSV is NULL", csv('a,b\n1,""\n"",x\n'),
        {"a": "bigint", "b": "text"}, [(1, None), (None, "x")]),
    Row("a quoted text of pandas' missing ones is NULL", csv('a,b\n1,"NA"\n2,x\n'),
        {"a": "bigint", "b": "text"}, [(1, None), (2, "x")]),
    Row("rows with too few cells", csv("a,b,c\n1\n2,x\n3,y,4\n"),
        {"a": "bigint", "b": "text", "c": "bigint"},
        [(1, None, None), (2, "x", None), (3, "y", 4)]),
]  # fmt: skip
NAMES = [
    Row("header twice", csv("a,a,b,a\n1,2,3,4\n"),
        {"a": "bigint", "a.1": "bigint", "b": "bigint", "a.2": "bigint"}, [(1, 2, 3, 4)]),
    Row("nameless column, as pandas' index in CSV", csv(",b\n0,x\n1,y\n"),
        {"Unnamed: 0": "bigint", "b": "text"}, [(0, "x"), (1, "y")]),
    Row("every line ends with a comma", csv("a,b,\n1,2,\n3,4,\n"),
        {"a": "bigint", "b": "bigint", "Unnamed: 2": "text"}, [(1, 2, None), (3, 4, None)]),
    Row("a name of more than 63 bytes, as Postgres keeps it", csv("x" * 70 + ",b\n1,2\n"),
        {"x" * 63: "bigint", "b": "bigint"}, [(1, 2)]),
    Row("append to a name of more than 63 bytes", csv("x" * 70 + ",b\n1,2\n"),
        {"b": "bigint", "x" * 63: "bigint"}, [(2, 1)], if_exists="append",
        before=f"CREATE TABLE raw.t (b bigint, {'x' * 63} bigint)"),
    Row("declared names in another case", csv("ID,Name\n1,a\n"),
        {"id": "integer", "name": "character varying"}, [(1, "a")],
        columns=(Column("id", Integer), Column("name", String))),
    Row("declared other names go by position", csv("x,y\n1,a\n"),
        {"id": "integer", "name": "character varying"}, [(1, "a")],
        columns=(Column("id", Integer), Column("name", String))),
    Row("files of one prefix in another case", {"f1": "Id,Name\n1,a\n", "f2": "NAME,ID\nb,2\n"},
        {"Id": "bigint", "Name": "text"}, [(1, "a"), (2, "b")]),
    Row("append in another case", csv("NAME,ID\na,1\n"), {"id": "bigint", "name": "text"},
        [(1, "a")], if_exists="append", before="CREATE TABLE raw.t (id bigint, name text)"),
    Row("append of fewer columns", csv("ID\n1\n"), {"id": "bigint", "name": "text"},
        [(1, None)], if_exists="append", before="CREATE TABLE raw.t (id bigint, name text)"),
]  # fmt: skip
FRAME = pd.DataFrame({"a": [1, 2, 3], "b": ["x", "y", "z"]})
PARQUET = [
    Row("Parquet of a filtered pandas frame", parquet(FRAME[FRAME.a > 1]),
        {"a": "bigint", "b": "text"}, [(2, "y"), (3, "z")]),
    Row("Parquet with an index", parquet(FRAME.set_index("b")), {"a": "bigint"},
        [(1,), (2,), (3,)]),
    Row("Parquet list, struct", parquet(pd.DataFrame({"l": [[1, 2]], "s": [{"a": "x"}]})),
        {"l": "text", "s": "text"}, [("[1, 2]", '{"a": "x"}')]),
    Row("append of Parquet with an index, in another case",
        parquet(FRAME.rename(columns=str.upper).set_index("B")), {"a": "bigint"},
        [(1,), (2,), (3,)], if_exists="append", before="CREATE TABLE raw.t (a bigint)"),
]  # fmt: skip
DECLARED = [
    Row("declared dates as Postgres reads them", csv("d\n03/04/2013\n2013-05-06\n20130708\n"),
        {"d": "date"}, [(date(2013, 3, 4),), (date(2013, 5, 6),), (date(2013, 7, 8),)],
        columns=(Column("d", Date),)),
    Row("a column whose name begins as the engine's own", csv("_loaded_at\n1\n"),
        {"_loaded_at": "bigint"}, [(1,)]),
    Row("blank lines are no rows", csv("a,b\n1,2\n\n3,4\n"),
        {"a": "bigint", "b": "bigint"}, [(1, 2), (3, 4)]),
]  # fmt: skip
REPLACE = [
    Row("replace into a table whose file now has other types", csv("a,b\n1.5,x\n"),
        {"a": "numeric", "b": "text"}, [("1.5", "x")],
        before="CREATE TABLE raw.t (a bigint, b boolean)"),
    Row("replace into a table whose file now has wider values", csv("a\nabcdef\n"),
        {"a": "text"}, [("abcdef",)], before="CREATE TABLE raw.t (a varchar(3))"),
    Row("replace with declared types takes the declared ones", csv("a\n1\n"),
        {"a": "integer"}, [(1,)], before="CREATE TABLE raw.t (a text)",
        columns=(Column("a", Integer),)),
    Row("replace by a file of other columns", csv("z,a\nx,1\n"), {"z": "text", "a": "bigint"},
        [("x", 1)], before="CREATE TABLE raw.t (a bigint, b text)"),
]  # fmt: skip


@pytest.mark.parametrize(
    "row", [*TYPES, *CELLS, *NAMES, *PARQUET, *DECLARED, *REPLACE], ids=lambda row: row.words
)
def test_load_file_gives_what_the_astro_sdk_gave(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, row: Row
) -> None:
    if row.pandas:
        monkeypatch.setenv("AIRFLOW__ASTRO_SDK__LOAD_FILE_TYPES", "pandas")
    if row.before:
        engine.sql(row.before)
    plain_load(engine, row.if_exists, row.files, columns=row.columns).run()
    assert columns_of_table(engine) == row.types
    rows = sorted(rows_of_table(engine), key=repr)  # a table has no order
    expected = sorted(row.rows, key=repr)
    assert [tuple(map(_plain, *pair)) for pair in zip(rows, expected, strict=True)] == expected


def _plain(cell: Any, expected: Any) -> Any:
    """Returns a decimal as the text that the row expects."""
    return str(cell) if isinstance(expected, str) else cell


def test_a_file_a_day_by_replace_works_on_the_day_when_1_becomes_1_5(engine: Engine) -> None:
    """`load_file` of `…/{{ ds }}.csv` into one table."""
    engine.sql("CREATE TABLE raw.t (a bigint); CREATE VIEW raw.v AS SELECT a FROM raw.t")
    engine.sql("GRANT SELECT ON raw.v TO PUBLIC")
    for day, (text, types) in enumerate([("1", "bigint"), ("1.5", "numeric"), ("2", "bigint")]):
        plain_load(engine, "replace", {f"2026-11-0{day}": f"a\n{text}\n"}).run()
        assert columns_of_table(engine) == {"a": types}
        assert engine.sql("SELECT a::text FROM raw.v") == [text]


def test_a_row_with_too_many_cells_is_refused_with_its_line(engine: Engine) -> None:
    with pytest.raises(DataError, match="line: 3"):
        plain_load(engine, "replace", csv("a,b\n1,2\n3,4,5\n")).run()
