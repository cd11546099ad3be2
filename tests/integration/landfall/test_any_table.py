"""Random tables with spoiled cells: what Postgres reads is loaded, and the other rows are rejects.

Postgres reads each record alone, by a COPY in a savepoint. Every record is in the file twice: the
second one has a blank before its number, which only the text path reads. LANDFALL_LAW_SEED chooses
other tables, and LANDFALL_TABLES is their number for each format.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from random import Random
from typing import Any

import psycopg
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from psycopg import sql

from include.landfall.postgres.connection import connect
from tests.support.cell_texts import GENERATORS, MOODS
from tests.support.engine import Engine
from tests.support.file_bytes import parquet_bytes

SEED = int(os.environ.get("LANDFALL_LAW_SEED", "20130101"))
TABLES = int(os.environ.get("LANDFALL_TABLES", "60"))
OWN_TYPES = (
    "CREATE SCHEMA law; CREATE DOMAIN law.small AS integer CHECK (VALUE % 7 <> 3);"
    " CREATE DOMAIN law.short AS varchar(5) NOT NULL CHECK (VALUE <> 'a');"
    f" CREATE TYPE law.mood AS ENUM ({', '.join(sql.Literal(m).as_string() for m in MOODS)})"
)
examples = itertools.count()

Cells = tuple[str | None, ...]


@dataclass(frozen=True)
class Table:
    """The columns, each with a type and whether it takes NULL, and the cells of each row."""

    columns: tuple[tuple[str, bool], ...]
    rows: list[Cells]

    def declared(self) -> dict[str, Any]:
        """Returns the columns as a feed declares them."""
        columns = {
            f"c{n}": {"type": kind, "nullable": nullable}
            for n, (kind, nullable) in enumerate(self.columns)
        }
        return {"n": "bigint", **columns}

    def numbered(self) -> list[Cells]:
        """Returns every row twice, each with its number: for the fast path and the text path."""
        twice = [row for row in self.rows for _ in range(2)]
        return [(f"{' ' * (n % 2)}{n}", *row) for n, row in enumerate(twice)]


@st.composite
def tables(draw: Any) -> Table:
    """Draws a table of any types. Some cells of each row are NULL or spoiled."""
    column = st.tuples(st.sampled_from(list(GENERATORS)), st.booleans())
    columns = tuple(draw(st.lists(column, min_size=1, max_size=6)))
    cells = [
        st.integers(0, 2**32).map(lambda seed, kind=kind: cell(kind, Random(seed)))
        for kind, _ in columns
    ]
    return Table(columns, draw(st.lists(st.tuples(*cells), max_size=25)))


def cell(kind: str, rng: Random) -> str | None:
    """Makes a cell. The generators spoil a good part of their texts."""
    return None if rng.random() < 0.05 else GENERATORS[kind](rng)


def record(cells: Cells) -> str:
    """Writes a record of CSV, in which an unquoted empty cell is NULL."""
    return ",".join(map(field, cells)) + "\n"


def field(cell: str | None) -> str:
    if cell is None:
        return ""
    needs_quotes = not cell or any(letter in cell for letter in ',"\r\n')
    return '"' + cell.replace('"', '""') + '"' if needs_quotes else cell


def as_csv(table: Table) -> bytes:
    header = ",".join(table.declared())
    return "".join([header, "\n", *map(record, table.numbered())]).encode()


def as_parquet(table: Table) -> bytes:
    """Writes every cell as a text: so a column of any type can have any text."""
    names = list(table.declared())
    columns = [
        pa.array([row[n] for row in table.numbered()], pa.string()) for n in range(len(names))
    ]
    return parquet_bytes(dict(zip(names, columns, strict=True)))


def read_by_postgres(connection: psycopg.Connection, table: Table) -> dict[int, str]:
    """Returns the row that Postgres reads from each record that it takes, by the row's number."""
    types = ", ".join(
        f"c{n} {kind} {'' if nullable else 'NOT NULL'}"
        for n, (kind, nullable) in enumerate(table.columns)
    )
    with connection.transaction(force_rollback=True):
        connection.execute(f"CREATE TEMP TABLE oracle (n bigint, {types})")
        for cells in table.numbered():
            with (
                suppress(psycopg.DataError, psycopg.IntegrityError),
                connection.transaction(),
                connection.cursor().copy("COPY oracle FROM STDIN (FORMAT csv)") as copy,
            ):
                copy.write(record(cells))
        return dict(connection.execute("SELECT n, oracle::text FROM oracle").fetchall())


def rows_of(connection: psycopg.Connection, target: str, table: Table) -> dict[int, str]:
    names = ", ".join(table.declared())
    query = f"SELECT n, ROW({names})::text FROM {target}"
    with connection.transaction():
        return dict(connection.execute(query).fetchall())


@pytest.fixture
def server(engine: Engine) -> Iterator[psycopg.Connection]:
    engine.sql(OWN_TYPES)
    with connect(engine.warehouse) as connection:
        yield connection


@pytest.mark.timeout(300)
@pytest.mark.parametrize("write", [as_csv, as_parquet])
def test_what_postgres_reads_is_loaded_and_the_other_rows_are_rejects(engine, server, write):
    loaded = rejected = 0

    @seed(SEED)
    @given(tables())
    @settings(
        max_examples=TABLES, deadline=None, database=None, suppress_health_check=list(HealthCheck),
        phases=[Phase.generate, Phase.shrink],
    )  # fmt: skip
    def check(table: Table) -> None:
        nonlocal loaded, rejected
        oracle = read_by_postgres(server, table)
        target = f"raw.t{next(examples)}"
        engine.be(
            columns=table.declared(), table=target, feed=target.replace(".", "_"),
            format=write.__name__.removeprefix("as_"), rejects={"at_most": 1000},
        )  # fmt: skip
        receipt = engine.load(write(table), f"{target}.dat")
        assert rows_of(server, target, table) == oracle
        refused = [(n + 1, c) for n, c in enumerate(table.numbered()) if n not in oracle]
        rejects = rejects_of(engine, receipt.load_id)
        assert list(rejects) == [number for number, _ in refused]
        if write is as_csv:
            assert list(rejects.values()) == [record(cells).rstrip("\n") for _, cells in refused]
        assert (receipt.rows, receipt.rejected) == (len(oracle), len(refused))
        loaded, rejected = loaded + receipt.rows, rejected + receipt.rejected

    check()
    assert min(loaded, rejected) > TABLES, "a weak generator"


def rejects_of(engine: Engine, load_id: int) -> dict[int, str]:
    """Returns the text of each reject by the row's number."""
    query = "SELECT row_number, raw FROM landfall.rejects WHERE load_id = %s ORDER BY row_number"
    return dict(engine.sql(query, load_id))
