"""Avro: every type, union and codec, and files that are hostile or cut."""
# ruff: noqa: E501, DTZ001  the tables of cases; a timestamp without a zone is one of the types

from __future__ import annotations

import io
import json
import zlib
from datetime import date, datetime, time
from decimal import Decimal
from uuid import UUID

import cramjam
import fastavro
import pytest

from include.landfall.errors import DataError, TruncatedFile
from include.landfall.read.formats import avro_container
from tests.support.own_format_jobs import WHEN, read


def to_avro(fields, records, codec="null", **options):
    schema = {
        "type": "record",
        "name": "r",
        "fields": [{"name": n, "type": t} for n, t in fields.items()],
    }
    fastavro.writer(sink := io.BytesIO(), schema, records, codec, **options)
    return sink.getvalue()


AVRO = {
    "i": (["null", "int"], "integer", [1, None], ["1", None]),
    "g": ("long", "bigint", [-(1 << 63), 7], [str(-(1 << 63)), "7"]),
    "f": ("float", "real", [0.5, float("inf")], ["0.5", "inf"]),
    "x": ("double", "double precision", [0.1, 5e-324], ["0.1", "5e-324"]),
    "b": ("boolean", "boolean", [True, False], ["true", "false"]),
    "t": ("string", "text", ["ü", ""], ["ü", ""]),
    "y": ("bytes", "bytea", [b"\0\xff", b""], ["\\x00ff", "\\x"]),
    "e": ({"type": "enum", "name": "e", "symbols": ["A", "B"]}, "text", ["A", "B"], ["A", "B"]),
    "h": ({"type": "fixed", "name": "h", "size": 2}, "bytea", [b"ab", b"cd"], ["\\x6162", "\\x6364"]),
    "d": ({"type": "int", "logicalType": "date"}, "date", [date(2013, 1, 1), date(1, 1, 1)],
          ["2013-01-01", "0001-01-01"]),
    "c": ({"type": "bytes", "logicalType": "decimal", "precision": 40, "scale": 2}, "numeric",
          [Decimal("1.50"), Decimal("-" + "9" * 38 + ".99")], ["1.50", "-" + "9" * 38 + ".99"]),
    "m": ({"type": "long", "logicalType": "timestamp-millis"}, "timestamptz",
          [253_402_300_800_000, 0], ["10000-01-01 0:00:00+00", "1970-01-01 00:00:00.000Z"]),
    "n": ({"type": "long", "logicalType": "local-timestamp-micros"}, "timestamp",
          [datetime(2013, 1, 1), datetime(1970, 1, 1)],
          ["2013-01-01 00:00:00.000000", "1970-01-01 00:00:00.000000"]),
    "k": ({"type": "long", "logicalType": "time-micros"}, "time", [time(1, 2, 3), time(0)],
          ["01:02:03.000000", "00:00:00.000000"]),
    "u": ({"type": "string", "logicalType": "uuid"}, "uuid", [UUID(int=1), UUID(int=2)],
          [str(UUID(int=1)), str(UUID(int=2))]),
    "v": (["null", "int", "string"], "text", [5, "five"], ["5", "five"]),
    "a": ({"type": "array", "items": "int"}, "integer[]", [[1, 2], []], ['{"1","2"}', "{}"]),
    "p": ({"type": "map", "values": "long"}, "jsonb", [{"a": 1}, {}], ['{"a": 1}', "{}"]),
    "r": ({"type": "record", "name": "s", "fields": [
        {"name": "when", "type": {"type": "int", "logicalType": "date"}},
        {"name": "of", "type": ["null", "e"]}]}, "jsonb",
        [{"when": date(2013, 1, 1), "of": "A"}, {"when": date(2013, 1, 2), "of": None}],
        ['{"when": "2013-01-01", "of": "A"}', '{"when": "2013-01-02", "of": null}']),
}  # fmt: skip


@pytest.mark.parametrize("codec", ["null", "deflate", "bzip2", "xz"])
def test_avro_is_read_with_all_its_types(codec):
    fields = {name: own for name, (own, *_) in AVRO.items()}
    records = [{name: values[n] for name, (_, _, values, _) in AVRO.items()} for n in (0, 1)]
    data = to_avro(fields, records * 3000, codec)
    rows, rejects = read(data, "avro", {name: declared for name, (_, declared, *_) in AVRO.items()})
    assert (len(rows), rejects) == (6000, [])
    for place, name in enumerate(AVRO):
        assert [rows[1][place], rows[6000][place]] == AVRO[name][3], name


DAY = {"type": "int", "logicalType": "date"}
CENTS = {"type": "bytes", "logicalType": "decimal", "precision": 9, "scale": 2}
PART = {"type": "record", "name": "part", "fields": [
    {"name": "on", "type": DAY}, {"name": "raw", "type": "bytes"}, {"name": "paid", "type": ["null", CENTS]},
]}  # fmt: skip
# The branches of a column of several types, its values, and their texts.
UNIONS = [
    (["null", "string", DAY], [date(2026, 3, 1), "x", None], ["2026-03-01", "x", None]),
    (["string", {"type": "long", "logicalType": "timestamp-millis"}], [WHEN], ["2013-01-01 00:00:00.000Z"]),
    (["string", {"type": "int", "logicalType": "time-millis"}], [time(8, 30)], ["08:30:00.000"]),
    (["int", CENTS], [Decimal("1.50"), 7], ["1.50", "7"]),
    (["long", "double"], [1 << 60, 1.5, float("nan")], ["1152921504606846976", "1.5", "NaN"]),
    (["boolean", "bytes"], [True, b"\0\xff"], ["true", "\\x00ff"]),
    (["int", {"type": "array", "items": DAY}], [[date(2026, 3, 1)], 3], ['["2026-03-01"]', "3"]),
    (["int", {"type": "string", "logicalType": "uuid"}], [UUID(int=5)], [str(UUID(int=5))]),
    (["string", PART], [{"on": date(2026, 3, 1), "raw": b"\1", "paid": Decimal("0.10")}],
     ['{"on": "2026-03-01", "raw": "\\\\x01", "paid": 0.10}']),
]  # fmt: skip


@pytest.mark.parametrize(("branches", "values", "texts"), UNIONS)
def test_a_value_of_an_avro_union_is_the_text_of_what_its_own_type_means(branches, values, texts):
    data = to_avro({"u": branches, "after": "int"}, [{"u": value, "after": 1} for value in values])
    rows, rejects = read(data, "avro", {"u": "text", "after": "integer"})
    assert ([row[0] for row in rows.values()], rejects) == (texts, [])


def test_a_name_that_an_avro_union_defines_may_be_used_behind_it():
    row = {"on": date(2026, 3, 1), "raw": b"", "paid": None}
    data = to_avro({"u": ["string", PART], "again": "part"}, [{"u": "x", "again": row}])
    rows, _ = read(data, "avro", {"u": "text", "again": "jsonb"})
    assert rows == {1: ("x", '{"on": "2026-03-01", "raw": "\\\\x", "paid": null}')}


@pytest.mark.parametrize("codec", ["snappy", "zstandard"])
def test_avro_may_be_packed_by_other_codecs(codec):
    plain = to_avro({"i": "int"}, [{"i": n} for n in range(100)])
    header, block = plain.split(b"Obj\x01", 1)[1], None
    container = avro_container.Container(io.BytesIO(plain))
    ((count, block),) = container.blocks()
    packed = {
        "snappy": lambda data: (
            bytes(cramjam.snappy.compress_raw(data)) + zlib.crc32(data).to_bytes(4, "big")
        ),
        "zstandard": lambda data: bytes(cramjam.zstd.compress(data)),
    }[codec](block)
    sink = io.BytesIO()
    sink.write(b"Obj\x01" + header[: header.index(b"avro.codec") + 10])
    sink.write(bytes([2 * len(codec)]) + codec.encode())
    rest = header[header.index(b"avro.codec") + 10 + 5 :]
    sync_at = rest.index(container._sync)
    sink.write(rest[: sync_at + 16])
    for number in (count, len(packed)):
        value = number << 1
        while value > 0x7F:
            sink.write(bytes([value & 0x7F | 0x80]))
            value >>= 7
        sink.write(bytes([value]))
    sink.write(packed + container._sync)
    rows, _ = read(sink.getvalue(), "avro", {"i": "integer"})
    assert [row[0] for row in rows.values()] == [str(n) for n in range(100)]


def test_a_text_of_avro_that_is_no_utf8_is_a_reject():
    data = to_avro({"t": "string"}, [{"t": "aaaa"}, {"t": "bbbb"}]).replace(b"bbbb", b"bb\xffb")
    rows, (reject,) = read(data, "avro", {"t": "text"})
    assert rows == {1: ("aaaa",)}
    assert (reject.number, reject.raw) == (2, '{"t": "bb\\\\xffb"}')


def schema_file(schema, data=b""):
    """An Avro file with this text as its schema."""
    size, length = len(schema) << 1, b""
    while size > 0x7F:
        length += bytes([size & 0x7F | 0x80])
        size >>= 7
    return (
        b"Obj\x01\x02\x16avro.schema" + length + bytes([size]) + schema + b"\0" + b"s" * 16 + data
    )


RECURSIVE = {"type": "record", "name": "r", "fields": [{"name": "i", "type": ["null", "r"]}]}
LARGE = {
    "type": "record",
    "name": "r",
    "fields": [{"name": "i", "type": "int", "doc": "x" * 1_000_000}],
}
INT = {"type": "record", "name": "r", "fields": [{"name": "i", "type": "int"}]}
DEEP = '{"type":"array","items":' * 5000 + '"int"' + "}" * 5000


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (schema_file(json.dumps(LARGE).encode()), "a schema that is larger"),
        (schema_file(json.dumps(RECURSIVE).encode()), "a type that holds itself"),
        (schema_file(b'"int"'), "(?s)have no columns.*values of the type int.*a record a row"),
        (schema_file(b'["int", "null"]'), "(?s)have no columns.*a union"),
        (schema_file(b'{"type": "array", "items": "int"}'), "values of the type array"),
        (schema_file(b"{"), "no schema"),
        (schema_file(b'{"type":"record","name":"r","fields":[{"name":"i","type":%b}]}' % DEEP.encode()),
         "nested too deep|no schema"),
        (schema_file(json.dumps(INT).encode(), b"\x02\xfe\xff\xff\xff\x0f"), "a block that is larger"),
        (schema_file(json.dumps(INT).encode(), b"\xfe\xff\xff\xff\x0f\x02\x02" + b"s" * 16), "says it has"),
        (schema_file(json.dumps(INT).encode(), b"\x02\x02\x02" + b"t" * 16), "the file's mark"),
        (schema_file(json.dumps(INT).encode(), b"\x02\x04\x02\x02" + b"s" * 16), "whose rows have 1"),
        (schema_file(json.dumps(INT).encode(), b"\x02\x01"), "a length of -1"),
        (b"Obj\x01" + b"\xff" * 20, "more than 64 bits"), (b"PAR1", "another beginning"),
    ],
)  # fmt: skip
def test_a_hostile_avro_file_is_a_clear_error(data, message):
    with pytest.raises(DataError, match=message):
        read(data, "avro", {"i": "integer"})


def test_an_avro_file_that_is_cut_off_is_refused_wherever_it_is():
    data = to_avro({"i": "int"}, [{"i": n} for n in range(50)], sync_interval=10)
    ends = {len(data)}
    for size in range(0, len(data), 7):
        try:
            rows, _ = read(data[:size], "avro", {"i": "integer"})
            ends.add(size)
            assert [row[0] for row in rows.values()] == [str(n) for n in range(len(rows))]
        except TruncatedFile:
            continue
