"""Files that depart from their feed, and what a load of them leaves."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from tests.support.file_bytes import parquet_bytes


def csv_of(header: list[str], row: list[str | None]) -> bytes:
    cells = ["" if cell is None else cell for cell in row]
    return "\n".join([",".join(header), ",".join(cells), ""]).encode()


def parquet_of(header: list[str], row: list[str | None]) -> bytes:
    arrays = [pa.array([cell], pa.string()) for cell in row]
    return parquet_bytes(pa.Table.from_arrays(arrays, names=header))


def rows_of(engine, table: str = "raw.t") -> list[Any]:
    return engine.sql(f"SELECT jsonb_strip_nulls(to_jsonb(t) - '_load_id') FROM {table} AS t")


def kept_changes(engine) -> list[str]:
    """What landfall.changes has, as the receipts have it."""
    rows = engine.sql("SELECT what, column_name, before, after FROM landfall.changes ORDER BY 1, 2")
    return sorted(
        f"{what} {column}: {' -> '.join(v for v in (before, after) if v is not None)}"
        for what, column, before, after in rows
    )
