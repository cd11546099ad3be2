"""Files of every format, written by independent writers, come into the table as they were."""
# ruff: noqa: E501  the tables of cases

from __future__ import annotations

import io
import json
import os
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from random import Random

import fastavro
import psycopg
import pyarrow as pa
import pytest

from include.landfall.errors import DataError, HeaderMismatch, LandfallError, MisshapenRow
from tests.support.file_bytes import parquet_bytes, workbook_bytes, zip_bytes
from tests.support.format_writers import COLUMNS, WRITERS

SEED = int(os.environ.get("LANDFALL_FORMATS_SEED", "20130101"))
ROWS = 300
LETTERS = ["a", "Z", " ", '"', "'", ",", "\\", "ü", "€", "😀", "{", "]", "7", "é"]


def some_rows(random):
    """Rows of Python values, some of them NULL."""
    start = datetime(1900, 3, 1)  # noqa: DTZ001  the column has no zone
    return [
        {
            "i": random.randint(-(1 << 53), 1 << 53),
            "t": "x" + "".join(random.choices(LETTERS, k=random.randint(0, 12))) + "x",
            "n": Decimal(random.randint(-(10**14), 10**14)).scaleb(-4),
            "f": random.choice([0.1, -2.5, random.random() * 10 ** random.randint(-8, 8)]),
            "b": random.random() < 0.5,
            "d": date(1900, 3, 1) + timedelta(days=random.randint(0, 90_000)),
            "m": start + timedelta(seconds=random.randint(0, 10**9), milliseconds=random.randint(0, 999)),
            "j": {"f": 0.5, "k": [random.randint(0, 9), None, {"ü": "x\ny"}], "t": True},
        }
        | dict.fromkeys(random.sample(sorted(COLUMNS), random.choice([0, 0, 1, 3])))
        for _ in range(ROWS)
    ]  # fmt: skip


OWN_NESTED = {"Avro", "ORC", "Arrow", "Parquet"}  # there an element of a list has one type: a text


def expected_of(writer, row):
    changes = {}
    if row["j"] and writer in OWN_NESTED:
        changes["j"] = row["j"] | {"k": [json.dumps(each) for each in row["j"]["k"]]}
    if writer == "Excel":  # a number of Excel is a double, of which openpyxl writes 16 digits
        digits = {name: row[name] and float(f"{row[name]:.16g}") for name in ("f", "n")}
        changes = {"f": digits["f"], "n": digits["n"] and round(Decimal(repr(digits["n"])), 4)}
    return tuple((row | changes).values())


@pytest.mark.parametrize("writer", WRITERS)
def test_what_another_program_wrote_comes_back_equal(engine, writer):
    declared, write = WRITERS[writer]
    rows = some_rows(Random(f"{SEED} {writer}"))
    engine.be(columns=COLUMNS, format=declared)
    assert engine.load(write(rows)).rows == ROWS
    names = ", ".join(COLUMNS)
    with psycopg.connect(engine.warehouse.conninfo()) as connection:
        loaded = connection.execute(f"SELECT {names} FROM raw.t").fetchall()
    assert sorted(map(repr, loaded)) == sorted(repr(expected_of(writer, row)) for row in rows)


def test_bad_lines_are_rejects_with_line_and_text_and_the_others_are_loaded(engine):
    engine.be(format="json", rejects={"at_most": 4})
    lines = [
        '{"id":1,"name":"a"}',
        '{"id":',
        '{"id":"x","name":"b"}',
        '{"id":2,"id":3}',
        '{"id":4}',
    ]
    receipt = engine.load("\n".join(lines))
    assert (receipt.rows, receipt.rejected) == (2, 3)
    assert engine.rows() == [(1, "a"), (4, None)]
    kept = engine.sql("SELECT line, reason, column_name, raw FROM landfall.rejects ORDER BY line")
    assert [(line, raw) for line, _, _, raw in kept] == [(n, lines[n - 1]) for n in (2, 3, 4)]
    assert [(reason, column) for _, reason, column, _ in kept] == [
        ("json", None), ("cell", "id"), ("duplicate_key", "id"),
    ]  # fmt: skip


def test_a_refused_cell_of_a_binary_format_has_its_row_as_json(engine):
    engine.be(format="avro", columns={"id": "smallint", "name": "text"}, rejects={"at_most": 1})
    schema = {
        "type": "record",
        "name": "r",
        "fields": [{"name": "id", "type": "int"}, {"name": "name", "type": "string"}],
    }
    fastavro.writer(
        sink := io.BytesIO(), schema, [{"id": 1, "name": "a"}, {"id": 70_000, "name": "b"}]
    )
    assert engine.load(sink.getvalue()).rows == 1
    assert engine.sql("SELECT row_number, line, raw FROM landfall.rejects") == [
        (2, None, '{"id": 70000, "name": "b"}')
    ]


def test_the_member_of_a_zip_file_is_the_data(engine):
    packed = zip_bytes(("readme.txt", "none"), ("in/a.csv", "id,name\n1,a\n"))
    with pytest.raises(DataError, match="2 members"):
        engine.load(packed)
    engine.be(source={"bucket": engine.bucket, "pattern": "**", "member": "*.csv"})
    assert engine.load(packed).rows == 1


LIMITS = {
    "object": ({"object": "1 KiB"}, DataError, "the object is larger than the feed allows"),
    "columns": ({"columns": 1}, HeaderMismatch, "more columns than the feed allows"),
    "row": ({"row": 100}, DataError, "more than 100 bytes"),
}


@pytest.mark.parametrize("limit", LIMITS)
def test_what_exceeds_a_limit_is_refused_by_its_name(engine, limit):
    limits, error, message = LIMITS[limit]
    engine.be(limits=limits)
    with pytest.raises(error, match=message):
        engine.load("id,name\n1,a\n2," + "x" * 2000 + "\n")


def test_a_row_beyond_the_limit_is_one_reject(engine):
    engine.be(limits={"row": "1 KB"}, rejects={"at_most": 1})
    assert engine.load("id,name\n1,a\n2," + "x" * 2000 + "\n3,c\n").rejected == 1
    assert engine.rows() == [(1, "a"), (3, "c")]
    ((number, line, reason, raw),) = engine.sql(
        "SELECT row_number, line, reason, raw FROM landfall.rejects"
    )
    assert (number, line, reason, raw[:4]) == (2, 3, "too_long", "2,xx")


@pytest.mark.parametrize("recorded", [True, False], ids=["with ledger", "without ledger"])
def test_a_load_waits_for_a_lock_no_longer_than_its_limit(engine, recorded):
    target = {"table": "raw.t", "load_id": False} if not recorded else {"table": "raw.t"}
    engine.be(target=target).load("id,name\n1,a\n", recorded=recorded)
    engine.be(target=target, limits={"lock_timeout": 0.3})
    with psycopg.connect(engine.warehouse.conninfo()) as other:
        other.execute("LOCK TABLE raw.t")
        with pytest.raises(LandfallError, match="lock"):
            engine.load("id,name\n2,b\n", "b.csv", recorded=recorded)
    assert engine.load("id,name\n2,b\n", "b.csv", recorded=recorded).rows == 1


def test_a_statement_takes_no_longer_than_its_limit(engine):
    engine.load("id,name\n1,a\n")
    engine.sql(
        "CREATE FUNCTION raw.slow() RETURNS trigger LANGUAGE plpgsql AS"
        " 'BEGIN PERFORM pg_sleep(20); RETURN new; END';"
        " CREATE TRIGGER slow BEFORE INSERT ON raw.t FOR EACH ROW EXECUTE FUNCTION raw.slow()"
    )
    engine.be(limits={"statement_timeout": 0.5})
    with pytest.raises(LandfallError, match="because of statement_timeout"):
        engine.load("id,name\n2,b\n", "b.csv")
    assert engine.rows() == [(1, "a")]


def test_dates_of_the_file_have_utc(engine):
    engine.be(columns={"id": "integer", "at": "timestamptz"}, format="json")
    engine.load('{"id": 1, "at": "2013-01-01T01:02:03+02:00"}')
    assert engine.sql("SELECT at FROM raw.t") == [datetime(2012, 12, 31, 23, 2, 3, tzinfo=UTC)]


def test_a_large_file_of_lines_is_read_in_a_process_of_its_own(engine):
    lines = [f'{{"id":{n},"name":"{n:070}"}}' for n in range(1, 110_001)]
    lines[99_999] = '{"id":'
    lines[100_009] = '{"id":99999999999,"name":null}'
    engine.be(format="json", rejects={"at_most": 2})
    receipt = engine.load("\n".join(lines))
    assert (receipt.rows, receipt.rejected) == (109_998, 2)
    assert engine.sql("SELECT count(*), sum(id)::bigint FROM raw.t") == [
        (109_998, sum(range(1, 110_001)) - 100_000 - 100_010)
    ]
    assert engine.sql("SELECT line, row_number, raw FROM landfall.rejects ORDER BY line") == [
        (100_000, 100_000, lines[99_999]), (100_010, 100_010, lines[100_009]),
    ]  # fmt: skip


def test_a_column_from_the_key_stands_beside_those_of_any_format(engine):
    columns = {"id": "integer", "day": {"type": "date", "from_key": r"(\d{4}-\d\d-\d\d)"}}
    for declared, write in ((kind, WRITERS[kind]) for kind in ("NDJSON", "Avro", "Excel")):
        rows = [dict.fromkeys(COLUMNS, None) | {"i": 7}]
        engine.be(
            columns={**COLUMNS, "day": columns["day"]}, format=write[0], table=f"raw.{declared}"
        )
        engine.load(write[1](rows), f"{declared} 2013-01-01", force=True)
        assert engine.sql(f'SELECT i, day FROM raw."{declared}"') == [(7, date(2013, 1, 1))]


def test_a_feed_says_so_where_its_format_does_not_take_a_departure(engine):
    fields = {"id": {"start": 1, "width": 4}}
    for departure in (
        {"contract": {"new_columns": "ignore"}},
        {"columns": {"id": {"type": "integer", "from": ["ID"]}}},
    ):
        with pytest.raises(ValueError, match="names no columns"):
            engine.be(
                **{
                    "columns": {"id": "integer"},
                    "format": {"type": "fixed", "fields": fields},
                    **departure,
                }
            )


def test_new_columns_of_a_format_with_types_evolve_the_table(engine):
    engine.be(format="parquet", columns={"id": "bigint"}, contract={"new_columns": "evolve"})
    nested = pa.table({"id": [1], "extra": [{"a": [1, 2]}], "tags": [["x"]]})
    engine.load(parquet_bytes(nested))
    assert engine.sql("SELECT id, extra, tags FROM raw.t") == [(1, {"a": [1, 2]}, ["x"])]


def test_new_columns_of_a_sheet_of_excel_evolve_the_table(engine):
    """A sheet has no types: a new column gets the one that all its cells fit."""
    engine.be(format="excel", columns={"id": "integer"}, contract={"new_columns": "evolve"})
    workbook = workbook_bytes(
        ["id", "day", "at", "paid", "count", "done", "note"],
        [1, date(2026, 3, 1), datetime(2026, 3, 1, 8, 30), 1.5, 2, True, "a"],  # noqa: DTZ001
        [2, None, datetime(2026, 3, 2), 2, 3, False, "7"],  # noqa: DTZ001
    )
    assert engine.load(workbook, "a.xlsx").changes == [
        "column added day: date", "column added at: timestamp", "column added paid: numeric",
        "column added count: bigint", "column added done: boolean", "column added note: text",
    ]  # fmt: skip
    columns = "id, day::text, at::text, paid::text, count, done, note"
    assert engine.sql(f"SELECT {columns} FROM raw.t ORDER BY id") == [
        (1, "2026-03-01", "2026-03-01 08:30:00", "1.5", 2, True, "a"),
        (2, None, "2026-03-02 00:00:00", "2", 3, False, "7"),
    ]
    assert engine.load(workbook, "b.xlsx").changes == []


READ = [
    ({"type": "json"}, '{"id":1,"id":2}\n', "the row has the key 'id' twice"),
    ({"type": "json"}, '{"id":1,"x":2}\n', "the row has a key that the feed does not know: 'x'"),
    ({"type": "json"}, '{"id":1\n', "the row"),
    ({"type": "fixed", "fields": {"id": {"start": 1, "width": 2}}}, " 1 x\n", "the "),
]


@pytest.mark.parametrize(("file_format", "text", "what"), READ)
def test_what_the_reader_refuses_is_not_told_as_refused_by_postgres(
    engine, file_format, text, what
):
    engine = engine.be(format=file_format, columns={"id": "integer"})
    with pytest.raises(MisshapenRow) as caught:
        engine.load(text, "a.txt")
    assert caught.value.what.startswith(what)
    assert "SQLSTATE" not in str(caught.value)
    assert "constraint" not in caught.value.do


def test_bytes_of_a_fixed_length_become_a_new_column_of_bytes(engine):
    columns = {"id": pa.array([1], pa.int32()), "code": pa.array([b"ab"], pa.binary(2))}
    engine = engine.be(
        format={"type": "parquet"}, columns={"id": "integer"}, contract={"new_columns": "evolve"}
    )
    assert engine.load(parquet_bytes(columns), "a.parquet").rows == 1
    assert engine.sql("SELECT code FROM raw.t") == [b"ab"]


HEADERS = [
    ({"type": "csv"}, b"x\n1\n", 1),
    ({"type": "csv", "skip_rows": 2}, b"A report\nof March\nx\n1\n", 3),
    ({"type": "csv", "comment": "#"}, b"# of March\nx\n1\n", 2),
    ({"type": "excel"}, None, None),
    ({"type": "parquet"}, None, None),
]


@pytest.mark.parametrize(("file_format", "data", "line"), HEADERS)
def test_other_columns_are_told_with_the_line_of_the_header_where_there_is_one(
    engine, file_format, data, line
):
    engine = engine.be(format=file_format, columns={"id": "integer"})
    if data is None:
        data = (
            workbook_bytes(["x"]) if file_format["type"] == "excel" else parquet_bytes({"x": [1]})
        )
    with pytest.raises(HeaderMismatch) as caught:
        engine.load(data, "a")
    assert caught.value.place.line == line
