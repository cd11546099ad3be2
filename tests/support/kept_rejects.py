"""A loaded file with rejects, written by SQL: the ledger's row, the target's rows, the rejects."""

from __future__ import annotations

import json
from typing import Any

from include.landfall.ledger.entries import create_ledger
from include.landfall.postgres.connection import connect
from tests.support.engine import Engine

LEDGER = (
    "INSERT INTO landfall.ledger (feed, bucket, key, etag, size, last_modified, target, rows,"
    " started, seconds, status, loaded_by, attempt, rejected, reasons)"
    " VALUES (%s, %s, %s, %s, 100, '2026-01-01Z', %s, %s, now(), 1, %s, 'the test',"
    " gen_random_uuid(), %s, '{}') RETURNING load_id"
)
REJECT = (
    "INSERT INTO landfall.rejects (load_id, feed, bucket, key, version, line, row_number,"
    " column_name, reason, sqlstate, message, raw, cells)"
    " VALUES (%s, %s, %s, %s, 'e', %s, %s, %s, %s, %s, %s, %s, %s) RETURNING reject_id"
)
CREATE = (
    "CREATE SCHEMA IF NOT EXISTS raw;"
    " CREATE TABLE IF NOT EXISTS raw.t (id integer, name text, _load_id bigint)"
)


def keep_load(
    engine: Engine, rows: int = 0, rejected: int = 0, key: str = "a.csv", status: str = "loaded",
    etag: str = "e",
) -> int:  # fmt: skip
    """Writes a load with so many rows in raw.t and so many rejected; returns its id."""
    with connect(engine.warehouse) as connection:
        create_ledger(connection)
    engine.sql(CREATE)
    (load_id,) = engine.sql(
        LEDGER, engine.feed.name, engine.bucket, key, etag, engine.feed.target.table, rows, status,
        rejected,
    )  # fmt: skip
    engine.sql(
        "INSERT INTO raw.t (id, name, _load_id) SELECT 1000 + n, 'good', %s"
        " FROM generate_series(1, %s) AS n",
        load_id,
        rows,
    )
    return load_id


def keep_reject(
    engine: Engine,
    load_id: int,
    cells: dict[str, Any] | None,
    *,
    row: int = 1,
    reason: str = "cell",
    column: str | None = "id",
    raw: str | None = None,
    message: str = "invalid input syntax",
    key: str = "a.csv",
) -> int:
    """Writes an open reject; returns its id. Its line is that of a file with a header."""
    if raw is None and cells is not None:
        raw = ",".join("" if cell is None else str(cell) for cell in cells.values())
    (reject_id,) = engine.sql(
        REJECT, load_id, engine.feed.name, engine.bucket, key, row + 1, row, column, reason,
        "22P02", message, raw, json.dumps(cells) if cells is not None else None,
    )  # fmt: skip
    return reject_id


def states(engine: Engine) -> list[str]:
    """Reads the states of all rejects, oldest first."""
    return engine.sql("SELECT state FROM landfall.rejects ORDER BY reject_id")


def counts(engine: Engine) -> list[tuple[int, int]]:
    """Reads how many rows and rejects each load has, oldest first."""
    return engine.sql("SELECT rows, rejected FROM landfall.ledger ORDER BY load_id")


def replayed_rows(engine: Engine) -> list[Any]:
    """Reads `raw.t` without the rows that `keep_load` wrote."""
    return engine.sql("SELECT id, name, _load_id FROM raw.t WHERE id < 1000 ORDER BY id")
