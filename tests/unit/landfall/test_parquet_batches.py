"""Faults 3.3 and 3.4: a load of Parquet holds a bounded number of bytes, whatever the shape."""

from __future__ import annotations

import io
import re
import threading
from random import Random

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from include.landfall.errors import DataError
from include.landfall.feed.maxima import MEMORY
from include.landfall.read import process
from include.landfall.read.formats import parquet_batches as module
from include.landfall.read.formats import parquet_chunks, parquet_sizes
from include.landfall.read.formats.parquet_pages import pages_of
from include.landfall.read.formats.parquet_sizes import sizes_of

RANDOM = Random(1)


def write(table: pa.Table, **options) -> io.BytesIO:
    sink = io.BytesIO()
    pq.write_table(table, sink, **options)
    sink.seek(0)
    return sink


def batches(stream: io.BytesIO, extra_memory: int = 0) -> list[pa.RecordBatch]:
    file = pq.ParquetFile(stream)
    return list(module.read_batches(file, stream, file.schema_arrow.names, extra_memory))


def texts(size: int, rows: int) -> list[str]:
    return [RANDOM.randbytes(size // 2).hex() for _ in range(rows)]


@pytest.mark.parametrize("size", [20_000, 100_000, 3_000_000])
def test_3_3_batches_of_long_rows_are_bounded_in_bytes(size):
    table = pa.table({"id": range(12), "name": texts(size, 12)})
    read = batches(write(table, write_batch_size=1))
    assert pa.Table.from_batches(read) == table
    assert all(batch.nbytes <= module.PIECE_BYTES or len(batch) == 1 for batch in read)


def test_3_3_a_long_text_that_a_dictionary_repeats_is_not_repeated_in_memory():
    table = pa.table({"id": range(1000), "name": ["a" * 100_000] * 1000})
    stream = write(table)
    assert len(stream.getbuffer()) < 200_000
    read = batches(stream)
    assert sum(map(len, read)) == 1000
    assert max(batch.nbytes for batch in read) <= module.PIECE_BYTES


def test_3_3_long_rows_after_many_short_ones_are_seen_before_they_are_read():
    names = ["a"] * 50_000 + texts(100_000, 200)
    stream = write(pa.table({"name": names}), write_batch_size=1, use_dictionary=False)
    (row,) = sizes_of(stream, pq.ParquetFile(stream).metadata, {"name"}).rows
    assert row >= 100_000


def test_3_3_the_feed_can_allow_the_memory_that_an_error_names():
    stream = write(pa.table({"name": texts(100_000, 1024)}), use_dictionary=False)
    with pytest.raises(DataError, match="larger than what a load can read in 256 MB") as refused:
        batches(stream)
    megabytes = int(re.search(r"limits: \{memory: (\d+) MB\}", refused.value.do)[1])
    assert megabytes < 600
    read = batches(stream, extra_memory=megabytes * 10**6 - MEMORY)
    assert sum(map(len, read)) == 1024
    with pytest.raises(DataError, match=f"in {megabytes - 10} MB of memory"):
        batches(stream, extra_memory=(megabytes - 10) * 10**6 - MEMORY)


@pytest.mark.parametrize("rows", [1, 9])
def test_3_3_what_cannot_be_read_within_the_limit_is_refused_before(rows):
    stream = write(pa.table({"name": ["a" * (90_000_000 // rows)] * rows}), use_dictionary=False)
    with pytest.raises(DataError, match="larger than what a load can read in 256 MB") as refused:
        batches(stream)
    assert refused.value.place.column == "name"


def test_3_3_the_queue_of_the_reading_process_is_bounded_in_bytes():
    outbox = process.Outbox(process.QUEUED_BYTES)
    for _ in range(4):
        outbox.put(bytes(process.QUEUED_BYTES // 4))
    one_more = threading.Thread(target=outbox.put, args=(b"one more",), daemon=True)
    one_more.start()
    one_more.join(0.05)
    assert one_more.is_alive()  # there is no room for it
    assert len(outbox.get()) == process.QUEUED_BYTES // 4
    one_more.join(5)
    assert not one_more.is_alive()


@pytest.mark.parametrize("rows", [30_000, 7])
def test_3_4_many_columns_are_read_in_stripes_and_put_together(mocker, rows):
    mocker.patch.object(module, "HELD_BYTES", rows * 40)
    mocker.patch.object(module, "STRIPE_BYTES", rows * 20)
    numbers = pa.array(range(rows + 50), pa.int64())
    columns = {f"c{n}": numbers[n : n + rows] for n in range(50)}
    columns["t"] = pa.array(["a", None, "b" * 50][n % 3] for n in range(rows))
    columns["l"] = pa.array([[n, None] for n in range(rows)])
    table = pa.table(columns)
    reading = mocker.spy(module.pq.ParquetFile, "iter_batches")
    read = batches(write(table, row_group_size=20_000))
    assert pa.Table.from_batches(read) == table
    assert all(len(call.kwargs["columns"]) < 20 for call in reading.call_args_list)


def write_groups(*columns, **options) -> io.BytesIO:
    """A file with a row group for each of these columns."""
    sink = io.BytesIO()
    with pq.ParquetWriter(sink, pa.schema([("name", columns[0].type)]), **options) as writer:
        for column in columns:
            writer.write_table(pa.table({"name": column}), row_group_size=len(column))
    return sink


@pytest.fixture(scope="module")
def short() -> pa.Array:
    """The texts of a row group that is large by its number of rows."""
    return pa.array(["a" * 20] * 2_000_000)


def test_a_large_cell_of_a_small_row_group_is_refused_before_it_is_read(mocker, short):
    plain = {"use_dictionary": False, "write_batch_size": 1024}
    stream = write_groups(short, pa.array(["b" * 9_500_000] * 4), **plain)
    reading = mocker.spy(module.pq.ParquetFile, "iter_batches")
    with pytest.raises(DataError, match="a cell is larger") as refused:
        batches(stream)
    assert (refused.value.place.column, reading.call_count) == ("name", 0)


def test_a_large_page_of_another_row_group_than_the_largest_is_refused(mocker):
    for patched in (parquet_sizes, parquet_chunks):
        mocker.patch.object(patched, "MOST_HELD_BYTES", 1_000_000)
    mocker.patch.object(parquet_chunks, "LARGE_TEXTS", 100_000)
    largest = pa.array(["a" * 20] * 200_000)
    other = pa.array(["b" * 1500] * 1024 + ["a" * 20] * 100_000)  # its values are about as long
    pages = {"use_dictionary": False, "compression": "none", "data_page_size": 1000}
    assert sum(map(len, batches(write_groups(largest, **pages)))) == 200_000
    stream = write_groups(largest, other, **pages)
    with pytest.raises(DataError, match="pages are larger than what a load can read"):
        batches(stream)


def test_a_large_cell_among_many_short_ones_is_refused_too(short):
    cells = pa.array(["b" * 9_500_000, *["a"] * 100_000])
    with pytest.raises(DataError, match="a cell is larger"):
        batches(write_groups(short, cells, use_dictionary=False))


def test_a_row_group_of_long_rows_makes_the_others_no_slower(mocker):
    short, long = pa.array(["a" * 9] * 50_000), pa.array(texts(100_000, 64))
    stream = write_groups(short, short, long, short, use_dictionary=False, write_batch_size=1)
    reading = mocker.spy(module.pq.ParquetFile, "iter_batches")
    read = batches(stream)
    assert sum(map(len, read)) == 150_064
    calls = [(call.kwargs["row_groups"], call.args[1]) for call in reading.call_args_list]
    assert [groups for groups, _ in calls] == [[0, 1], [2], [3]]
    assert [rows for _, rows in calls] == [module.BATCH_ROWS, 41, module.BATCH_ROWS]


# Functions: each makes 100 MB or more, which every process of a run would hold from its start.
REPEATED = {
    "lists": lambda: [[0.5] * 4096] * 2000,
    "lists of texts": lambda: [["a" * 50] * 4096] * 500,
    "one text": lambda: ["a" * 100_000] * 1000,
    "one text in structs": lambda: [{"x": "a" * 100_000}] * 1000,
}


@pytest.mark.parametrize("shape", REPEATED)
def test_what_a_dictionary_or_a_list_repeats_is_counted_for_each_row(mocker, shape):
    stream = write_groups(pa.array(REPEATED[shape]()))
    assert len(stream.getbuffer()) < 1_000_000
    read = mocker.spy(module, "pieces")
    for batch in module.read_batches(pq.ParquetFile(stream), stream, ["name"]):
        assert batch.nbytes <= module.PIECE_BYTES
    largest = max(call.args[0].nbytes for call in read.call_args_list)
    assert largest <= 1.5 * module.BATCH_BYTES


def test_few_pages_of_a_file_of_many_row_groups_are_looked_at(mocker):
    groups = [pa.array(["a" * 20] * 900_000)] * 20
    stream = write_groups(*groups, use_dictionary=False)
    pages = mocker.spy(parquet_chunks, "pages_of")
    batches(stream)
    assert sum(len(seen) for seen in pages.spy_return_list) < 60


@pytest.mark.parametrize("rows", [[1000, 0], [0, 1000], [5, 0, 0, 7], [0, 0]])
def test_row_groups_without_a_row_are_left_out(mocker, rows):
    mocker.patch.object(module, "HELD_BYTES", 1000)
    mocker.patch.object(module, "STRIPE_BYTES", 500)
    schema = pa.schema([(f"c{n}", pa.string()) for n in range(8)])
    tables = [pa.table({name: texts(20, count) for name in schema.names}, schema) for count in rows]
    sink = io.BytesIO()
    with pq.ParquetWriter(sink, schema) as writer:
        for table in tables:
            writer.write_table(table)
    assert pq.ParquetFile(sink).metadata.num_row_groups == len(rows)
    read = batches(sink)
    assert pa.Table.from_batches(read, schema) == pa.concat_tables(tables)


def test_the_headers_of_pages_tell_what_arrow_finds_in_them():
    table = pa.table({"id": range(50_000), "name": [str(n) for n in range(50_000)]})
    for options in ({}, {"data_page_version": "2.0"}, {"use_dictionary": False}):
        stream = write(table, **options)
        for number in range(2):
            chunk = pq.ParquetFile(stream).metadata.row_group(0).column(number)
            pages = pages_of(stream, chunk)
            assert sum(p.values for p in pages if not p.is_dictionary) == 50_000
            assert sum(p.packed for p in pages) < chunk.total_compressed_size


def test_bytes_that_are_no_header_are_no_pages():
    stream = write(pa.table({"id": range(9)}))
    chunk = pq.ParquetFile(stream).metadata.row_group(0).column(0)
    for bytes_there in (b"\xff" * 5000, b"\x1c" * 5000, b""):
        assert pages_of(io.BytesIO(b"PAR1" + bytes_there), chunk) == []
