"""A file becomes frames: typed rows with their numbers, suspects and rejects with their text."""

from __future__ import annotations

import io
import json
import struct
from array import array
from contextlib import contextmanager
from datetime import UTC, datetime

import pyarrow as pa
import pytest

from include.landfall.arrival import Arrival
from include.landfall.connections import Store
from include.landfall.feed.column_types import parse_type
from include.landfall.feed.dialect import CsvDialect, ParquetDialect
from include.landfall.frames import FrameType, Shape
from include.landfall.job import Job, PlannedColumn
from include.landfall.read import pipeline
from include.landfall.read.formats import parquet_batches
from tests.support.file_bytes import parquet_bytes

WHEN = datetime(2013, 1, 1, tzinfo=UTC)
COLUMNS = (
    PlannedColumn("id", parse_type("integer"), nullable=False),
    PlannedColumn("name", parse_type("text")),
)


@pytest.fixture
def read(monkeypatch):
    """Reads bytes as an arrival: the frames, or with `numbers` the records with these."""

    def read(data, numbers=None, columns=COLUMNS, dialect=CsvDialect(), **options):  # noqa: B008
        @contextmanager
        def opened(client, arrival, unpacking=None, on_read=None):
            yield io.BytesIO(data)

        monkeypatch.setattr(pipeline, "open_text", opened)
        monkeypatch.setattr(pipeline, "open_file", opened)
        arrival = Arrival("b", "k", "e", len(data), WHEN)
        job = Job("f", arrival, Store(), columns, 7, dialect, **options)
        if numbers is not None:
            return list(pipeline.origins(None, job, numbers))
        return list(pipeline.frames(None, job))

    return read


def fields(payload):
    """The fields of a binary COPY's rows: https://www.postgresql.org/docs/current/sql-copy.html."""
    data, at, rows = bytes(payload), 0, []
    while at < len(data):
        (count,) = struct.unpack_from("!h", data, at)
        at, row = at + 2, []
        for _ in range(count):
            (size,) = struct.unpack_from("!i", data, at)
            row.append(None if size < 0 else data[at + 4 : at + 4 + size])
            at += 4 + max(0, size)
        rows.append(row)
    return rows


def number(field):
    return None if field is None else int.from_bytes(field, "big", signed=True)


def text(field):
    return None if field is None else field.decode()


def texts(field):
    """The elements of a text[]."""
    dimensions, _, element_type, count, _ = struct.unpack_from("!5i", field)
    assert (dimensions, element_type) == (1, 25)
    at, elements = 20, []
    for _ in range(count):
        (size,) = struct.unpack_from("!i", field, at)
        elements.append(None if size < 0 else field[at + 4 : at + 4 + size].decode())
        at += 4 + max(0, size)
    assert at == len(field)
    return elements


def suspects(frames):
    rows = [row for f in frames if f.type is FrameType.SUSPECTS for row in fields(f.payload)]
    return [(number(n), number(line), text(raw), texts(cells)) for n, line, raw, cells in rows]


def rejects(frames):
    rows = [row for f in frames if f.type is FrameType.REJECTS for row in fields(f.payload)]
    return [(number(n), number(line), *map(text, rest)) for n, line, *rest in rows]


def typed(frames):
    """The typed rows by their numbers."""
    rows = {}
    for frame in frames:
        if frame.type is FrameType.ROWS:
            numbers = array("q", frame.numbers) or range(frame.first, frame.first + frame.count)
            cells = fields(frame.payload)
            assert len(cells) == frame.count == len(numbers)
            assert numbers[0] == frame.first
            rows |= {n: (number(i), text(name)) for n, (i, name, _) in zip(numbers, cells)}
    return rows


DATA = b'name,id\na,1\n"b\nc", 2 \nd\n,\n"",5\ne,6\n'


def test_every_record_goes_out_once_with_its_number(read):
    shape, *frames, end = read(DATA)
    assert Shape.of(shape) == Shape(["id", "name"], [])
    assert (end.type, end.count) == (FrameType.END, 6)
    assert typed(frames) == {1: (1, "a"), 5: (5, ""), 6: (6, "e")}
    assert suspects(frames) == [
        (2, 3, '"b\nc", 2 ', [" 2 ", "b\nc"]), (4, 6, ",", [None, None]),
    ]  # fmt: skip
    assert rejects(frames) == [
        (3, 5, None, "fields", "22P04", "the row has 1 field, not 2", "d")
    ]  # fmt: skip


def test_rows_without_a_gap_need_no_numbers(read):
    frames = read(b"id,name\n" + b"1,a\n" * 200_000)
    assert {frame.numbers for frame in frames} == {b""}
    assert sorted(typed(frames)) == list(range(1, 200_001))


def test_many_suspects_and_rejects_keep_their_cells(read):
    body = b"".join(b" %d,%s\n" % (n, b"x" * (n % 100)) for n in range(30_000)) + b"1\n" * 30_000
    frames = read(b"id,name\n" + body)
    assert suspects(frames) == [
        (n + 1, n + 2, f" {n},{'x' * (n % 100)}", [f" {n}", "x" * (n % 100) or None])
        for n in range(30_000)
    ]
    assert [reject[:2] for reject in rejects(frames)] == [(n, n + 1) for n in range(30_001, 60_001)]


def test_1_14_a_bytea_cell_that_is_not_ascii_is_for_postgres_to_read(read):
    columns = (PlannedColumn("id", parse_type("bytea")), COLUMNS[1])
    frames = read("id,name\nü,a\nu,b\n".encode(), columns=columns)
    assert [row[:2] for row in suspects(frames)] == [(1, 2)]


def test_records_are_read_again_by_number(read):
    assert [(n, origin.line, cells) for n, origin, cells in read(DATA, [1, 3, 4])] == [
        (1, 2, ["1", "a"]), (3, 5, None), (4, 6, [None, None]),
    ]  # fmt: skip


# ---- Parquet ------------------------------------------------------------------------------------


def parquet_file(ids, names):
    """A Parquet file whose names are bytes, marked as text."""
    offsets = [0]
    for name in names:
        offsets.append(offsets[-1] + len(name))
    buffers = [None, pa.array(offsets, pa.int32()).buffers()[1], pa.py_buffer(b"".join(names))]
    column = pa.Array.from_buffers(pa.string(), len(names), buffers)
    return parquet_bytes({"name": column, "id": pa.array(ids, pa.int32())})


def test_5_7_a_bad_text_of_parquet_costs_its_row_and_names_its_column(read):
    data = parquet_file([1, 2, 3, None], [b"a", b"b\xff", b"c\0", b"d"])
    frames = read(data, dialect=ParquetDialect())
    assert typed(frames) == {1: (1, "a")}
    assert rejects(frames) == [
        (2, None, "name", "encoding", "22021", "the text of column name is not UTF-8 text",
         '{"id": 2, "name": "b\\\\xff"}'),
        (3, None, "name", "zero_byte", "22021", "the text of column name holds a zero byte",
         '{"id": 3, "name": "c\\\\x00"}'),
    ]  # fmt: skip
    assert suspects(frames) == [(4, None, '{"id": null, "name": "d"}', [None, "d"])]
    assert frames[-1].count == 4


def test_5_11_a_text_of_parquet_that_the_database_lacks_costs_its_row(read):
    data = parquet_file([1, 2], ["é".encode(), "€".encode()])
    frames = read(data, dialect=ParquetDialect(), encoding="latin-1")
    assert typed(frames) == {1: (1, "é")}
    assert [(reject[0], reject[4], reject[6]) for reject in rejects(frames)] == [
        (2, "22P05", '{"id": 2, "name": "\\u20ac"}')
    ]


def test_rows_of_parquet_are_read_again_by_number(read, monkeypatch):
    monkeypatch.setattr(parquet_batches, "BATCH_ROWS", 2)
    data = parquet_file([1, 2, 3, None], [b"a", b"b", b"c", b"d"])
    assert [
        (n, json.loads(origin.raw), cells)
        for n, origin, cells in read(data, [2, 4], dialect=ParquetDialect())
    ] == [(2, {"id": 2, "name": "b"}, ["2", "b"]), (4, {"id": None, "name": "d"}, [None, "d"])]
