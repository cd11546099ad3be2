"""Measures an upsert beside the best SQL for it that is written by hand.

`.venv/bin/python -m tests.bench.merge` upserts 1,000,000 rows, half of them new, into a table of
10,000,000 with its primary key; by hand they are copied into a temporary table and inserted with ON
CONFLICT, as they come or in the order of their key. It prints the share of the time of the faster
one, and returns 1 when that or the memory is above its limit.
"""

from __future__ import annotations

import argparse
import random
import sys
from collections.abc import Sequence
from pathlib import Path
from statistics import median

import psycopg
import yaml

from include.landfall.errors import LandfallError

from .__main__ import bench_folder, print_run, run_servers
from .measure import Usage
from .minio import BUCKET, upload_files
from .runs import Bench, find_psql
from .verdict import MEMORY_LIMIT

LIMIT = 1.2  # of the time by hand
COLUMNS = {
    "id": "bigint", "name": "text", "amount": "numeric(12,2)", "changed": "timestamptz",
    "note": "text",
}  # fmt: skip
DECLARED = ", ".join(f"{name} {declared}" for name, declared in COLUMNS.items())
ROW = "i, 'customer ' || i, i % 100000 / 100.0, '2026-01-01'::timestamptz, 'note ' || i * 7"
BASE = (
    "CREATE SCHEMA IF NOT EXISTS bench; DROP TABLE IF EXISTS bench.base;"
    f" CREATE UNLOGGED TABLE bench.base ({DECLARED}, _load_id bigint);"
    f" INSERT INTO bench.base SELECT {ROW}, 0 FROM generate_series(1, {{rows}}) AS i"
)
FRESH = (
    "DROP TABLE IF EXISTS bench.customers; DROP SCHEMA IF EXISTS landfall CASCADE;"
    " CREATE TABLE bench.customers (LIKE bench.base);"
    " INSERT INTO bench.customers SELECT * FROM bench.base;"
    " ALTER TABLE bench.customers ADD PRIMARY KEY (id)"
)
UPSERT = (
    f"INSERT INTO bench.customers ({', '.join(COLUMNS)}) SELECT {', '.join(COLUMNS)} FROM incoming"
    "{order} ON CONFLICT (id) DO UPDATE SET "
    + ", ".join(f"{name} = excluded.{name}" for name in COLUMNS if name != "id")
)
FEED = {
    "feed": "customers",
    "source": {"bucket": BUCKET, "pattern": "merge/*.csv"},
    "target": {"table": "bench.customers", "disposition": "merge", "key": ["id"]},
    "columns": COLUMNS,
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Measures all ways in turn, and prints the share."""
    options = _parser().parse_args(arguments)
    try:
        with run_servers(bench_folder()) as bench:
            *by_hand, merged = _measure(bench, options)
    except LandfallError as error:
        print(error, file=sys.stderr)
        return 2
    fastest = min(median(run.seconds for run in runs) for runs in by_hand)
    share = median(run.seconds for run in merged) / fastest
    memory = max(run.pss for run in merged)
    print(f"upsert: {share:.2f} of the time by hand (at most {LIMIT}), {memory >> 20} MB")
    return 0 if share <= LIMIT and memory <= MEMORY_LIMIT else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.merge", description=__doc__)
    parser.add_argument("--rows", type=int, default=10_000_000, help="rows of the table")
    parser.add_argument("--changes", type=int, default=1_000_000, help="rows of the file")
    parser.add_argument("--runs", type=int, default=3, help="measured runs of each (3)")
    return parser


def _measure(bench: Bench, options: argparse.Namespace) -> list[list[Usage]]:
    """Returns the runs of each way, those of the engine last. A warm-up is not counted."""
    file = make_file(bench.folder, options.rows, options.changes)
    upload_files(bench.minio.store, [file], "merge")
    feed = bench.folder / "customers.yaml"
    feed.write_text(yaml.safe_dump(FEED, sort_keys=False))
    _execute(bench, BASE.format(rows=options.rows))
    commands = [
        ("by hand", _by_hand(file, "")),
        ("in order", _by_hand(file, " ORDER BY id")),
        ("landfall", [sys.executable, "-m", "include.landfall", "load", "--feed", str(feed),
                      "--key", f"merge/{file.name}"]),
    ]  # fmt: skip
    measured: list[list[Usage]] = [[] for _ in commands]
    for number in range(options.runs + 1):
        for which in range(len(commands))[:: 1 if number % 2 else -1]:
            name, command = commands[which]
            usage = _run(bench, command, options)
            print_run(f"{number}/{options.runs}", name, usage)
            if number:
                measured[which].append(usage)
    return measured


def make_file(folder: Path, rows: int, changes: int) -> Path:
    """Makes the file: half of its rows are in the table, half are new, in random order."""
    path = folder / f"customers-{rows}-{changes}.csv"
    first = rows - changes // 2 + 1
    numbers = list(range(first, first + changes))
    random.Random(0).shuffle(numbers)
    with path.open("w") as target:
        print(",".join(COLUMNS), file=target)
        target.writelines(
            f"{n},changed {n},{n % 7}.50,2026-02-02 00:00:00+00,{n * 3}\n" for n in numbers
        )
    return path


def _by_hand(file: Path, order: str) -> list[str]:
    steps = [
        "BEGIN",
        f"CREATE TEMP TABLE incoming ({DECLARED}) ON COMMIT DROP",
        f"\\copy incoming from '{file}' with (format csv, header)",
        UPSERT.format(order=order),
        "COMMIT",
    ]
    arguments = [argument for step in steps for argument in ("-c", step)]
    return [find_psql(), "--no-psqlrc", "-v", "ON_ERROR_STOP=1", *arguments]


def _run(bench: Bench, command: list[str], options: argparse.Namespace) -> Usage:
    _execute(bench, FRESH, "VACUUM ANALYZE bench.customers", "CHECKPOINT")
    usage = bench.measured(command)
    expected = options.rows + options.changes - options.changes // 2
    with psycopg.connect(bench.postgres.warehouse.conninfo()) as connection:
        row = connection.execute("SELECT count(*) FROM bench.customers").fetchone()
    if row != (expected,):
        raise LandfallError(f"the table has {row}, not {expected} rows")
    return usage


def _execute(bench: Bench, *statements: str) -> None:
    with psycopg.connect(bench.postgres.warehouse.conninfo(), autocommit=True) as connection:
        for each in statements:
            connection.execute(each.encode())


if __name__ == "__main__":
    sys.exit(main())
