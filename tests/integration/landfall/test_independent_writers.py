"""Tables that other programs write, in the formats that they know, come back equal.

pandas, DuckDB and pyorc write what csv, fastavro, openpyxl and pyarrow write elsewhere.
LANDFALL_LAW_SEED chooses other tables, and LANDFALL_TABLES is their number for each writer.
"""

from __future__ import annotations

import datetime as dt
import io
import itertools
import os
from decimal import Decimal

import duckdb
import pandas as pd
import pyorc
import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

SEED = int(os.environ.get("LANDFALL_LAW_SEED", "20130101"))
TABLES = int(os.environ.get("LANDFALL_TABLES", "15"))
TYPES = {
    "n": "integer", "b": "bigint", "d": "numeric(18,3)", "f": "double precision", "t": "boolean",
    "day": "date", "moment": "timestamp", "s": "text",
}  # fmt: skip
DUCKDB_TYPES = {**TYPES, "f": "double", "s": "varchar"}
ORC_TYPES = "int bigint decimal(18,3) double boolean date timestamp string".split()
# Letters that CSV has to write with care; a text of no letter is NULL to some writers.
LETTERS = st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"], include_characters="\n")
TEXTS = st.text(LETTERS | st.sampled_from("\",;|\n '"), min_size=1, max_size=12)
EARLIEST = dt.datetime.fromisoformat("1970-01-02")
LATEST = dt.datetime.fromisoformat("2199-12-31T23:59:59.999999")
VALUES = [
    st.integers(-(2**63) + 1, 2**63 - 1), st.decimals(-(10**14), 10**14, places=3),
    st.floats(allow_nan=False, allow_infinity=False), st.booleans(),
    st.dates(dt.date(1900, 1, 1), dt.date(2200, 1, 1)),
    st.datetimes(EARLIEST, LATEST), TEXTS,
]  # fmt: skip
ROWS = st.lists(st.tuples(*(st.none() | each for each in VALUES)), min_size=1, max_size=12)
numbers = itertools.count()


def pandas_csv(rows, folder):
    frame = pd.DataFrame(rows, columns=list(TYPES), dtype=object)
    text = frame.to_csv(index=False, sep=";", na_rep="\\N")
    return text.encode(), {"type": "csv", "delimiter": ";", "nulls": ["\\N"]}


def pandas_parquet(rows, folder):
    buffer = io.BytesIO()
    pd.DataFrame(rows, columns=list(TYPES), dtype=object).to_parquet(buffer, index=False)
    return buffer.getvalue(), {"type": "parquet"}


def _by_duckdb(rows, folder, options):
    path = folder / "written"
    with duckdb.connect() as connection:
        columns = ", ".join(f"{name} {each}" for name, each in DUCKDB_TYPES.items())
        connection.execute(f"CREATE TABLE t ({columns})")
        places = ", ".join("?" for _ in TYPES)
        connection.executemany(f"INSERT INTO t VALUES ({places})", rows)
        connection.execute(f"COPY t TO '{path}' ({options})")
    return path.read_bytes()


def duckdb_csv(rows, folder):
    data = _by_duckdb(rows, folder, "FORMAT csv, DELIMITER '|', QUOTE '''', ESCAPE ''''")
    return data, {"type": "csv", "delimiter": "|", "quote": "'"}


def duckdb_parquet(rows, folder):
    return _by_duckdb(rows, folder, "FORMAT parquet, COMPRESSION zstd"), {"type": "parquet"}


def duckdb_json(rows, folder):
    return _by_duckdb(rows, folder, "FORMAT json"), {"type": "json"}


def pyorc_file(rows, folder):
    buffer = io.BytesIO()
    fields = ",".join(f"{name}:{each}" for name, each in zip(TYPES, ORC_TYPES, strict=True))
    with pyorc.Writer(buffer, f"struct<{fields}>") as writer:
        writer.writerows(rows)
    return buffer.getvalue(), {"type": "orc"}


WRITERS = [pandas_csv, pandas_parquet, duckdb_csv, duckdb_parquet, duckdb_json, pyorc_file]


@pytest.mark.timeout(300)
@pytest.mark.parametrize("write", WRITERS)
def test_criterion_4_a_table_of_an_independent_writer_comes_back_equal(engine, tmp_path, write):
    @seed(SEED)
    @given(ROWS)
    @settings(
        max_examples=TABLES, deadline=None, database=None, suppress_health_check=list(HealthCheck),
        phases=[Phase.generate, Phase.shrink],
    )  # fmt: skip
    def check(values):
        rows = [(n, *row) for n, row in enumerate(values)]
        data, options = write(rows, tmp_path)
        target = f"t{next(numbers)}"
        engine.be(columns=TYPES, table=f"raw.{target}", feed=target, format=options)
        assert engine.load(data, f"{target}.dat").rows == len(rows)
        names = ", ".join(TYPES)
        loaded = engine.sql(f"SELECT {names} FROM raw.{target} ORDER BY n")
        assert [tuple(row) for row in loaded] == rows

    check()


def test_the_tables_hold_what_is_hard_to_write(engine, tmp_path):
    """One row for each writer that Hypothesis need not find."""
    row = (0, -(2**63) + 1, Decimal("-0.001"), 5e-324, False, dt.date(1900, 1, 1),
           LATEST, " ',;|\"\n\"\" ")  # fmt: skip
    for write in WRITERS:
        data, options = write([row], tmp_path)
        target = f"hard_{write.__name__}"
        engine.be(columns=TYPES, table=f"raw.{target}", feed=target, format=options)
        engine.load(data, f"{target}.dat")
        names = ", ".join(TYPES)
        assert engine.sql(f"SELECT {names} FROM raw.{target}") == [row], write
