"""The files of the formats bench have the rows of the CSV, and its table says what is kept."""

from __future__ import annotations

import io
from datetime import UTC, datetime

import pytest
import yaml

from include.landfall.arrival import Arrival
from include.landfall.connections import Store
from include.landfall.feed.column_types import parse_type
from include.landfall.feed.formats import read_format
from include.landfall.job import Job, PlannedColumn
from include.landfall.read.formats import format_of
from include.landfall.read.unpack import open_text
from tests.bench import formats
from tests.bench.formats import DUCKDB, KINDS
from tests.bench.measure import Usage
from tests.bench.runs import FEED
from tests.support.breaking_store import Breaking

COLUMNS = yaml.safe_load(FEED.read_text())["columns"]
ROWS = [
    '1,2,3,4,17.00,21168.23,0.04,0.02,N,O,1996-03-13,1996-02-12,1996-03-22,TO,TRUCK,"so, so"',
    "2,2,3,4,1.50,1.00,0.04,0.02,R,F,1996-03-14,1996-02-12,1996-03-22,TO,AIR,a|b",
]


def cells(data, declared):
    """The file's cells as a load with this format reads them: as texts, or typed."""
    planned = tuple(PlannedColumn(name, parse_type(own)) for name, own in COLUMNS.items())
    arrival = Arrival("b", "k", "e", len(data), datetime(2026, 1, 1, tzinfo=UTC))
    dialect = read_format(declared).dialect()
    job = Job("t", arrival, Store(), planned, 1, dialect, order=tuple(COLUMNS))
    (rows,) = format_of(job).rows(io.BytesIO(data), job)
    return [list(row.values()) for row in rows.batch.to_pylist()]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_a_file_has_the_rows_of_the_csv(kind, tmp_path):
    csv = tmp_path / "lineitem.csv"
    csv.write_text("\n".join([",".join(COLUMNS), *ROWS, ""]))
    store = Breaking(formats.make(kind, csv).read_bytes())
    with open_text(store, store.arrival()) as stream:
        first, second = cells(stream.read(), kind.format)
    texts = str(first[0]), first[15], second[10], second[15]
    assert texts == ("1", "so, so", "1996-03-14", "a|b")
    assert float(first[4]) == 17


def test_the_table_has_the_limit_of_duckdb_and_what_is_broken():
    def runs(seconds):
        return [Usage(seconds, {}, 0, 100_000_000)]

    json = next(kind for kind in KINDS if kind.beside == DUCKDB)
    pipes = next(kind for kind in KINDS if kind.limit)
    slow = {"csv": runs(10), json.name: runs(16), DUCKDB: runs(15)}
    table = formats._table([(json, slow), (pipes, {"csv": runs(10), pipes.name: runs(10.1)})])
    assert "| 1.60 | 1.50 (DuckDB) | 100 | BROKEN |" in table
    assert "| 1.01 | 1.02 | 100 | kept |" in table
