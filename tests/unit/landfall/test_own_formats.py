"""Files that have types of their own: ORC, Arrow and nested Parquet. For Avro: test_avro."""
# ruff: noqa: E501, DTZ001  the tables of cases; a timestamp without a zone is one of the types

from __future__ import annotations

import gzip
import io
import json
import struct
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from functools import partial

import pyarrow as pa
import pyarrow.orc as orc
import pytest

from include.landfall.contract import Rules
from include.landfall.errors import DataError, HeaderMismatch, TruncatedFile
from include.landfall.feed.model import Feed
from include.landfall.read.casts.own_types import as_text
from include.landfall.read.formats import arrow_ipc, format_of
from include.landfall.read.planning import plan
from tests.support.file_bytes import parquet_bytes
from tests.support.own_format_jobs import job, read

# ---- writers -------------------------------------------------------------------------------------


def to_parquet(table):
    return parquet_bytes(table)


def to_orc(table):
    orc.write_table(table, sink := io.BytesIO())
    return sink.getvalue()


def to_file(table, **options):
    sink = io.BytesIO()
    with pa.ipc.new_file(sink, table.schema, options=pa.ipc.IpcWriteOptions(**options)) as writer:
        writer.write_table(table, max_chunksize=2)
    return sink.getvalue()


def to_stream(table):
    sink = io.BytesIO()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue()


TABLE_WRITERS = {
    "parquet": ("parquet", to_parquet), "orc": ("orc", to_orc), "arrow file": ("arrow", to_file),
    "arrow stream": ("arrow", to_stream),
    "feather with lz4": ("arrow", lambda table: to_file(table, compression="lz4")),
}  # fmt: skip
each_writer = pytest.mark.parametrize("writer", TABLE_WRITERS)

TABLE = pa.table(
    {
        "i": pa.array([1, None, -3], pa.int64()),
        "t": pa.array(["a", "ü\n", None]),
        "d": pa.array([Decimal("1.50"), None, Decimal("-2.00")], pa.decimal128(10, 2)),
        "m": pa.array([datetime(2013, 1, 1, 1, 2, 3), None, None], pa.timestamp("us")),
        "s": pa.array([{"x": 1, "y": "q\"'ü"}, None, {"x": None, "y": None}]),
        "l": pa.array([[1, None], [], None], pa.list_(pa.int32())),
        "n": pa.array([[{"k": True}], None, []]),
        "p": pa.array([[("a", 1.5), ("b", None)], [], None], pa.map_(pa.string(), pa.float64())),
    }
)
COLUMNS = {
    "i": "bigint", "t": "text", "d": "numeric(10,2)", "m": "timestamp", "s": "jsonb", "l": "integer[]",
    "n": "jsonb", "p": "jsonb",
}  # fmt: skip
ROWS = {
    1: ("1", "a", "1.50", "2013-01-01 01:02:03", '{"x": 1, "y": "q\\"\'ü"}', '{"1",NULL}',
        '[{"k": true}]', '{"a": 1.5, "b": null}'),
    2: (None, "ü\n", None, None, None, "{}", None, "{}"),
    3: ("-3", None, "-2.00", None, '{"x": null, "y": null}', None, "[]", None),
}  # fmt: skip


@each_writer
def test_a_table_is_read_with_all_its_types(writer):
    kind, write = TABLE_WRITERS[writer]
    rows, rejects = read(write(TABLE), kind, COLUMNS)
    shown = {n: (*row[:3], row[3] and row[3].split(".")[0], *row[4:]) for n, row in rows.items()}
    assert (shown, rejects) == (ROWS, [])


DEEP = pa.table(
    {
        "ll": pa.array([[[1], [2, 3]]], pa.list_(pa.list_(pa.int64()))),
        "fl": pa.array([[1.5, 2.5]], pa.list_(pa.float32(), 2)),
    }
)
NEW_TYPES = {
    "i": "bigint", "t": "text", "d": "numeric(10,2)", "m": "timestamp", "s": "jsonb", "l": "integer[]",
    "n": "jsonb", "p": "jsonb", "ll": "jsonb", "fl": "real[]",
}  # fmt: skip


@each_writer
def test_new_columns_have_types_that_a_table_can_have_also_of_a_file_without_rows(writer):
    kind, write = TABLE_WRITERS[writer]
    for table in (TABLE, TABLE.schema.empty_table(), DEEP):
        if table is DEEP and kind == "orc":
            continue  # it has no lists of one size
        planned = replace(job(kind, {}), rules=Rules(new_columns="evolve"))
        added = plan(planned, partial(io.BytesIO, write(table))).added
        assert {each.name: each.type for each in added} == {
            n: NEW_TYPES[n] for n in table.column_names
        }


@each_writer
def test_paths_lead_into_structs_and_maps(writer):
    kind, write = TABLE_WRITERS[writer]
    table = TABLE.select(["i", "s", "p"])
    columns = {"i": "bigint", "y": "text", "s": "jsonb", "b": "double precision"}
    rows, _ = read(write(table), kind, columns, paths={"y": "s.y", "b": "p.a"})
    assert [(row[1], row[3]) for row in rows.values()] == [
        ("q\"'ü", "1.5"),
        (None, None),
        (None, None),
    ]
    only_paths = read(write(TABLE.select(["s"])), kind, {"x": "bigint"}, paths={"x": ["s", "x"]})
    assert only_paths[0] == {1: ("1",), 2: (None,), 3: (None,)}


@each_writer
def test_the_origins_of_rows_are_their_json(writer):
    kind, write = TABLE_WRITERS[writer]
    planned = job(kind, {"i": "bigint", "s": "jsonb"})
    data = io.BytesIO(write(TABLE.select(["i", "s"])))
    ((number, origin, cells),) = format_of(planned).origins_of(data, planned, [3])
    assert (number, origin.line, cells) == (3, None, ["-3", '{"x": null, "y": null}'])
    assert json.loads(origin.raw)["i"] == -3


@each_writer
def test_columns_that_are_not_the_feeds_are_refused(writer):
    kind, write = TABLE_WRITERS[writer]
    with pytest.raises(HeaderMismatch, match="not in the feed: 't'"):
        read(write(TABLE.select(["i", "t"])), kind, {"i": "bigint"})
    with pytest.raises(HeaderMismatch, match="missing: 'z'"):
        read(write(TABLE.select(["s"])), kind, {"z": "text"}, paths={"z": "q.z"})
    with pytest.raises(HeaderMismatch, match=r"the path s\.q leads to nothing"):
        read(write(TABLE.select(["s"])), kind, {"z": "text"}, paths={"z": "s.q"})
    with pytest.raises(HeaderMismatch, match="another type"):
        read(write(TABLE.select(["s"])), kind, {"s": "integer"})


@each_writer
def test_a_file_that_is_not_whole_is_refused(writer):
    kind, write = TABLE_WRITERS[writer]
    with pytest.raises(TruncatedFile, match="found: a file packed with gzip"):
        read(gzip.compress(write(TABLE)), kind, {"i": "bigint"})
    data = write(pa.table({"i": list(range(5000))}))
    for broken in (data[: len(data) // 2], b"", b"x" * 1000, data[:4] + b"\xff" * 400):
        if broken or writer != "arrow stream":
            with pytest.raises(TruncatedFile):
                read(broken, kind, {"i": "bigint"})


def test_texts_within_a_struct_that_are_no_utf8_are_a_reject():
    bad = pa.Array.from_buffers(pa.string(), 2, pa.array([b"ok", b"\xff"], pa.binary()).buffers())
    table = pa.table({"s": pa.StructArray.from_arrays([bad], ["x"])})
    rows, (reject,) = read(to_parquet(table), "parquet", {"s": "jsonb"})
    assert rows == {1: ('{"x": "ok"}',)}
    assert (reject.number, reject.reason, reject.column) == (2, "encoding", "s")


def test_of_a_part_of_a_batch_only_its_own_lists_become_texts():
    lists = pa.array([[n, None] for n in range(100)], pa.list_(pa.int32()))
    assert as_text(lists[40:42]).to_pylist() == ['{"40",NULL}', '{"41",NULL}']
    assert as_text(lists[:0]).to_pylist() == []
    assert as_text(pa.array([], pa.list_(pa.int32()))).to_pylist() == []


def test_orc_beyond_the_years_that_are_read_is_an_error():
    table = pa.table({"m": pa.array([datetime(1500, 1, 1)], pa.timestamp("us"))})
    with pytest.raises(TruncatedFile, match="out of range"):
        read(to_orc(table), "orc", {"m": "timestamp"})


def test_an_arrow_file_with_a_large_batch_or_of_feather_1_is_refused(monkeypatch):
    monkeypatch.setattr(arrow_ipc, "MOST_BATCH_BYTES", 10_000)
    with pytest.raises(DataError, match="a batch of rows that is larger"):
        read(to_stream(pa.table({"i": list(range(5000))})), "arrow", {"i": "bigint"})
    with pytest.raises(DataError, match="Feather of version 1"):
        read(b"FEA1" + bytes(100), "arrow", {"i": "bigint"})


def test_an_arrow_file_whose_offsets_lie_is_refused():
    data = to_file(pa.table({"t": ["abc", "de"]}))
    at = data.index(struct.pack("<3i", 0, 3, 5))
    lying = data[:at] + struct.pack("<3i", 0, 3, 1 << 30) + data[at + 12 :]
    with pytest.raises(TruncatedFile):
        read(lying, "arrow", {"t": "text"})


def test_a_path_belongs_to_a_column():
    with pytest.raises(ValueError, match="loaded from the file, which y is not"):
        Feed.model_validate(
            {
                "feed": "t",
                "source": {"bucket": "landing", "pattern": "*"},
                "target": {"table": "raw.t"},
                "format": {"type": "avro", "paths": {"y": "s.y"}},
                "columns": {"x": "text"},
            }
        )
