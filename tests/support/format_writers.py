"""Rows of every type, as another program writes them in each format."""
# ruff: noqa: E501  the tables of cases

from __future__ import annotations

import io
import json
from decimal import Decimal

import fastavro
import openpyxl
import pyarrow as pa
import pyarrow.orc as orc

from tests.support.file_bytes import parquet_bytes

COLUMNS = {
    "i": "bigint", "t": "text", "n": "numeric(20,4)", "f": "double precision", "b": "boolean", "d": "date",
    "m": "timestamp", "j": "jsonb",
}  # fmt: skip


def as_json(row):
    return json.dumps(row, default=lambda v: float(v) if isinstance(v, Decimal) else str(v))


def json_text(row):
    """The row as a line, its decimals with all their digits."""
    texts = [
        f"{json.dumps(name)}: {value if isinstance(value, Decimal) else json.dumps(value, default=str)}"
        for name, value in row.items()
    ]
    return "{" + ", ".join(texts) + "}"


def ndjson(rows):
    return "".join(json_text(row) + "\n" for row in rows).encode()


def json_array(rows):
    return ("[\n" + ",\n".join(map(json_text, rows)) + "\n]").encode()


SCHEMA = pa.schema(
    [
        ("i", pa.int64()), ("t", pa.string()), ("n", pa.decimal128(20, 4)), ("f", pa.float64()), ("b", pa.bool_()),
        ("d", pa.date32()), ("m", pa.timestamp("ms")),
        ("j", pa.struct([("k", pa.list_(pa.string())), ("f", pa.float64()), ("t", pa.bool_())])),
    ]
)  # fmt: skip


def table(rows):
    flat = [
        row | {"j": row["j"] and row["j"] | {"k": [json.dumps(each) for each in row["j"]["k"]]}}
        for row in rows
    ]
    return pa.Table.from_pylist(flat, SCHEMA)


def to_parquet(rows):
    return parquet_bytes(table(rows))


def to_orc(rows):
    orc.write_table(table(rows), sink := io.BytesIO())
    return sink.getvalue()


def to_arrow(rows):
    with pa.ipc.new_file(sink := io.BytesIO(), SCHEMA) as writer:
        writer.write_table(table(rows), max_chunksize=100)
    return sink.getvalue()


def to_avro(rows):
    types = {
        "i": "long", "t": "string", "f": "double", "b": "boolean",
        "n": {"type": "bytes", "logicalType": "decimal", "precision": 20, "scale": 4},
        "d": {"type": "int", "logicalType": "date"}, "m": {"type": "long", "logicalType": "local-timestamp-millis"},
        "j": {"type": "record", "name": "j", "fields": [
            {"name": "k", "type": {"type": "array", "items": "string"}},
            {"name": "f", "type": "double"}, {"name": "t", "type": "boolean"}]},
    }  # fmt: skip
    schema = {
        "type": "record",
        "name": "r",
        "fields": [{"name": n, "type": ["null", types[n]]} for n in COLUMNS],
    }
    flat = [
        row | {"j": row["j"] and row["j"] | {"k": [json.dumps(each) for each in row["j"]["k"]]}}
        for row in rows
    ]
    fastavro.writer(sink := io.BytesIO(), schema, flat, "deflate")
    return sink.getvalue()


def to_excel(rows):
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet("Rows")
    sheet.append(list(COLUMNS))
    for row in rows:
        sheet.append([as_json(v) if isinstance(v, dict) else v for v in row.values()])
    book.save(sink := io.BytesIO())
    return sink.getvalue()


WIDTHS = {"i": 20, "t": 20, "n": 25, "f": 30, "b": 6, "d": 12, "m": 30, "j": 120}

STARTS = {name: 1 + sum(list(WIDTHS.values())[:place]) for place, name in enumerate(WIDTHS)}

FIXED = {
    "type": "fixed",
    "fields": {name: {"start": STARTS[name], "width": width} for name, width in WIDTHS.items()},
}


def to_fixed(rows):
    def cell(name, value):
        text = "" if value is None else json.dumps(value) if isinstance(value, dict) else str(value)
        return text.ljust(WIDTHS[name])

    return "".join("".join(cell(*pair) for pair in row.items()) + "\n" for row in rows).encode()


WRITERS = {
    "NDJSON": ("json", ndjson), "JSON array": ("json", json_array), "fixed width": (FIXED, to_fixed),
    "Avro": ("avro", to_avro), "ORC": ("orc", to_orc), "Arrow": ("arrow", to_arrow),
    "Parquet": ("parquet", to_parquet), "Excel": ("excel", to_excel),
}  # fmt: skip
