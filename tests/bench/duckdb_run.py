"""One measured run of DuckDB: a local file of JSON by `read_json`, through COPY, into the table."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import psycopg
import yaml
from psycopg import sql

from include.landfall.connections import warehouse_from_environ

from .runs import FEED

READS = """
import sys, duckdb
types, path = sys.argv[1:]
duckdb.execute("SET enable_progress_bar = false")  # after 2 s it would stand among the rows
duckdb.execute(
    f"COPY (SELECT * FROM read_json('{path}', format='newline_delimited', columns={types}))"
    " TO '/dev/stdout' (FORMAT csv, HEADER false)"
)
"""
COPIED = 1 << 18  # bytes that are sent at once


def main(path: str) -> None:
    """Creates the table, and copies the file's rows into it in one transaction."""
    columns = yaml.safe_load(FEED.read_text())["columns"]
    types = {name: "varchar" if own == "text" else own for name, own in columns.items()}
    declared = sql.SQL(", ").join(
        sql.SQL("{} {}").format(sql.Identifier(name), sql.SQL(own)) for name, own in columns.items()
    )
    command = [sys.executable, "-c", READS, str(types), str(Path(path))]
    with (
        psycopg.connect(warehouse_from_environ("warehouse").conninfo()) as connection,
        subprocess.Popen(command, stdout=subprocess.PIPE) as reading,
    ):
        connection.execute("CREATE SCHEMA bench")
        connection.execute(sql.SQL("CREATE TABLE bench.lineitem ({})").format(declared))
        assert reading.stdout is not None
        with connection.cursor().copy("COPY bench.lineitem FROM STDIN (FORMAT csv)") as copy:
            while block := reading.stdout.read(COPIED):
                copy.write(block)
        if reading.wait():
            raise SystemExit(reading.returncode)


if __name__ == "__main__":
    main(*sys.argv[1:])
