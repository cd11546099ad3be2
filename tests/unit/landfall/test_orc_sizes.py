"""A load of ORC holds a bounded number of bytes: its batches are as long as its rows allow."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from random import Random

import pyarrow as pa
import pyarrow.orc as orc
import pytest

from include.landfall.arrival import Arrival
from include.landfall.connections import Store
from include.landfall.feed.column_types import parse_type
from include.landfall.feed.formats import read_format
from include.landfall.job import Job, PlannedColumn
from include.landfall.read.formats import orc_stripes
from include.landfall.read.formats.orc_tail import stripe_sizes
from include.landfall.read.formats.parquet_batches import BATCH_BYTES

RANDOM = Random(1)


def write(table, **options):
    orc.write_table(table, sink := io.BytesIO(), **options)
    return sink


@pytest.mark.parametrize("compression", ["uncompressed", "zlib", "snappy", "lz4", "zstd"])
def test_the_statistics_tell_how_many_bytes_the_columns_have(compression):
    table = pa.table(
        {
            "id": range(3000),
            "s": [{"x": 1, "y": "a" * 100}] * 3000,
            "name": ["b" * 1000] * 2999 + [None],
            "data": pa.array([b"c" * 10] * 3000, pa.binary()),
            "l": [[0.5] * 40] * 3000,
        }
    )
    stream = write(table, compression=compression)

    def size(*names):
        (stripe,) = stripe_sizes(stream, frozenset(names))
        assert stripe.rows == 3000
        return stripe.size

    assert size("name") == 2999 * 1008
    assert size("data") == 3000 * 18
    assert size("l") == pytest.approx(3000 * 41 * 8, rel=0.01)
    assert size("s") == pytest.approx(3000 * (3 * 8 + 100), rel=0.01)
    assert size("id", "name") == 2999 * 1008 + 3000 * 8


@pytest.mark.parametrize(
    ("column", "rows"),
    [
        (["a" * 100_000] * 3000, 20),
        ([[0.5] * 4096] * 3000, 63),
        (["a" * 20] * 300_000, 8192),
    ],
    ids=["texts", "lists", "short texts"],
)
def test_batches_are_bounded_in_bytes(mocker, column, rows):
    stream = write(pa.table({"c": column}), compression="zstd")
    assert orc_stripes._rows_at_once(stream, ["c"]) == rows


def test_a_batch_as_it_is_read_is_bounded_in_bytes(mocker):
    stream = write(pa.table({"c": ["a" * 100_000] * 300}), compression="zstd")
    read = mocker.spy(orc_stripes, "pieces")
    columns = (PlannedColumn("c", parse_type("text")),)
    dialect = read_format({"type": "orc"}).dialect()
    now = datetime.now(UTC)
    job = Job("f", Arrival("b", "k", "e", 1, now), Store(), columns, 1, dialect)
    assert sum(rows.count for rows in orc_stripes.rows(stream, job)) == 300
    assert max(call.args[0].nbytes for call in read.call_args_list) <= BATCH_BYTES


@pytest.mark.parametrize("compression", ["uncompressed", "zlib", "snappy", "lz4", "zstd"])
def test_without_statistics_batches_have_few_rows(compression):
    assert orc_stripes._rows_at_once(io.BytesIO(b""), ["c"]) == orc_stripes.ROWS_UNSEEN
    data = write(pa.table({"c": ["a" * 100] * 5000}), compression=compression).getvalue()
    for _ in range(300):
        at = RANDOM.randrange(len(data) - 200, len(data))
        broken = data[:at] + RANDOM.randbytes(2) + data[at + 2 :]
        assert orc_stripes._rows_at_once(io.BytesIO(broken), ["c"]) >= 1
