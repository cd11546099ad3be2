"""An export writes the whole result of a query to the bucket, in every format, or nothing."""

from __future__ import annotations

import csv
import gzip
import io
import json
import subprocess
import sys
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import psycopg
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard

from include.landfall.connections import Store, Warehouse
from include.landfall.errors import (
    ConnectionUnusable,
    ObjectMissing,
    ServerUnavailable,
    TerminalError,
)
from include.landfall.export import parquet as arrow_rows
from include.landfall.export.query import export

ROOT = Path(__file__).parents[3]

AWKWARD = r"""
SELECT id, a, b, c::numeric(5,2) FROM (VALUES
    (1, 'plain', NULL::text, 1.50),
    (2, '', 'a "quoted", cell', NULL),
    (3, E'two\nlines', 'ü €', -999.99)
) AS t (id, a, b, c) ORDER BY id
"""


@pytest.fixture
def run(warehouse, object_store, bucket, client):
    def export_and_read(query, parameters=None, **values):
        values = {"warehouse": warehouse, "store": object_store, "bucket": bucket, **values}
        receipt = export(query, parameters, **{"key": "out", **values})
        return receipt, client.get_object(Bucket=bucket, Key="out")["Body"].read()

    return export_and_read


def plain(data, compression):
    if compression == "gzip":
        return gzip.decompress(data)
    if compression == "zstd":
        return zstandard.ZstdDecompressor().decompressobj().decompress(data)
    return data


@pytest.mark.parametrize("compression", [None, "gzip", "zstd"])
def test_csv_keeps_every_cell_and_tells_null_from_empty(run, bucket, compression):
    receipt, data = run(AWKWARD, compression=compression)
    text = plain(data, compression).decode()
    assert list(csv.reader(io.StringIO(text)))[2:] == [
        ["2", "", 'a "quoted", cell', ""],
        ["3", "two\nlines", "ü €", "-999.99"],
    ]
    assert text.splitlines()[:3] == ["id,a,b,c", "1,plain,,1.50", '2,"","a ""quoted"", cell",']
    assert (receipt.rows, receipt.bytes) == (3, len(data))
    assert receipt.uri == f"s3://{bucket}/out"


@pytest.mark.parametrize("compression", [None, "gzip", "zstd"])
def test_parquet_keeps_every_cell(run, compression):
    receipt, data = run(AWKWARD, format="parquet", compression=compression)
    table = pq.read_table(io.BytesIO(data))
    assert table.column("c").to_pylist() == [Decimal("1.50"), None, Decimal("-999.99")]
    assert table.column("a").to_pylist() == ["plain", "", "two\nlines"]
    assert receipt.rows == 3
    codec = pq.ParquetFile(io.BytesIO(data)).metadata.row_group(0).column(0).compression
    assert codec == (compression or "snappy").upper()


both_formats = pytest.mark.parametrize("kind", ["csv", "parquet"])

TYPES = {
    "1::smallint": pa.int16(),
    "1::integer": pa.int32(),
    "1::bigint": pa.int64(),
    "1::real": pa.float32(),
    "1::double precision": pa.float64(),
    "true": pa.bool_(),
    "'a'::text": pa.string(),
    "'a'::varchar(3)": pa.string(),
    "'a'::char(3)": pa.string(),
    r"'\x00ff'::bytea": pa.binary(),
    "date '2013-01-01'": pa.date32(),
    "time '12:34:56.789'": pa.time64("us"),
    "timestamp '2013-01-01 12:00'": pa.timestamp("us"),
    "timestamptz '2013-01-01 12:00+05'": pa.timestamp("us", "UTC"),
    "1.5::numeric(38,10)": pa.decimal128(38, 10),
    "1.5::numeric(50,10)": pa.decimal256(50, 10),
    "1.5::numeric": pa.string(),
    "1500::numeric(2,-2)": pa.string(),
    "'{1,2}'::int[]": pa.string(),
    "'{\"a\": 1}'::jsonb": pa.string(),
    "interval '1 month 2 days'": pa.string(),
    "'10.0.0.1'::inet": pa.string(),
    "'6b94a9a4-ae00-4d90-9dd1-6e1e4fd63c8a'::uuid": pa.string(),
}


@pytest.mark.parametrize("expression", TYPES)
def test_each_type_becomes_its_namesake_and_null_stays_null(run, warehouse, expression):
    query = f"SELECT {expression} AS x UNION ALL SELECT NULL"
    _, data = run(f"SELECT x FROM (SELECT {expression} AS x, 1) t", format="parquet")
    table = pq.read_table(io.BytesIO(data))
    assert table.schema.field("x").type == TYPES[expression]
    _, data = run(query, format="parquet")
    assert pq.read_table(io.BytesIO(data)).column("x").null_count == 1
    if TYPES[expression] == pa.string() and "inet" not in expression:  # its cast adds /32
        with psycopg.connect(warehouse.conninfo()) as connection:
            text = connection.execute(f"SELECT ({expression})::text").fetchone()[0]
        assert table.column("x").to_pylist()[0].rstrip() == text.rstrip()


def test_a_time_zone_is_kept_as_the_moment_it_names(run):
    _, data = run("SELECT timestamptz '2013-01-01 12:00+05' AS x", format="parquet")
    (value,) = pq.read_table(io.BytesIO(data)).column("x").to_pylist()
    assert value.isoformat() == "2013-01-01T07:00:00+00:00"
    _, data = run("SELECT timestamptz '2013-01-01 12:00+05' AS x")
    assert data == b"x\n2013-01-01 07:00:00+00\n"


@pytest.mark.parametrize("kind", ["csv", "json", "parquet"])
def test_parameters_are_values_and_never_sql_in_every_format(run, kind):
    query = "SELECT %(name)s AS name, %(n)s + 1 AS n, 7 %% 4 AS m, date %(day)s - interval %(i)s"
    values = {"name": "'; DROP TABLE x --", "n": 3, "day": "2026-03-01", "i": "1 day"}
    receipt, data = run(query, values, format=kind)
    assert receipt.rows == 1
    assert b"DROP TABLE x --" in data
    if kind == "csv":
        assert data.endswith(b"\n'; DROP TABLE x --,4,3,2026-02-28 00:00:00\n")


@both_formats
def test_an_empty_result_is_a_file_with_columns_and_no_rows(run, kind):
    receipt, data = run("SELECT 1 AS a, 'x' AS b WHERE false", format=kind)
    assert receipt.rows == 0
    if kind == "csv":
        assert data == b"a,b\n"
    else:
        assert pq.read_table(io.BytesIO(data)).column_names == ["a", "b"]


@pytest.mark.parametrize(
    "query", ["SELECT 1 AS a;", "SELECT 1 AS a -- one", "TABLE t", "VALUES (1)"]
)
def test_queries_as_people_write_them(run, warehouse, query):
    with psycopg.connect(warehouse.conninfo()) as connection:
        connection.execute("CREATE TABLE t AS SELECT 1 AS a")
    assert run(query)[0].rows == 1


@both_formats
def test_many_parts_and_row_groups_lose_nothing(run, kind, monkeypatch):
    monkeypatch.setattr(arrow_rows, "GROUP_BYTES", 1 << 20)
    query = "SELECT n, md5(n::text) AS text FROM generate_series(1, 400000) AS n"
    receipt, data = run(query, format=kind)
    assert receipt.rows == 400_000
    assert len(data) > 8 << 20
    if kind == "csv":
        assert data.count(b"\n") == 400_001
        assert data.endswith(b"\n400000,51f3bc65f5c5ae8e1f1a2ab0ef2d12d5\n") or b"\n400000," in data
    else:
        numbers = pq.read_table(io.BytesIO(data)).column("n").to_pylist()
        assert numbers == list(range(1, 400_001))


def test_wide_rows_after_narrow_ones_are_not_held_together(run, mocker):
    """A few thousand rows, as many as the narrow ones were held of, would not fit into memory."""
    held = mocker.spy(arrow_rows, "_to_arrow")
    query = "SELECT repeat('x', CASE WHEN n < 9000 THEN 1 ELSE 400000 END) FROM generate_series"
    receipt, _ = run(f"{query}(1, 9050) n", format="parquet")
    assert receipt.rows == 9_050
    assert max(len(call.args[0]) for call in held.call_args_list) < arrow_rows.BATCH_BYTES + 400_002


FAILING_MIDWAY = "SELECT n, 1 / (300000 - n) AS x, md5(n::text) FROM generate_series(1, 400000) n"


@both_formats
def test_a_query_that_fails_midway_leaves_nothing(run, client, bucket, kind):
    with pytest.raises(TerminalError, match="division by zero"):
        run(FAILING_MIDWAY, format=kind)
    assert "Contents" not in client.list_objects_v2(Bucket=bucket)
    assert not client.list_multipart_uploads(Bucket=bucket).get("Uploads")


@both_formats
def test_a_query_that_would_write_is_refused(run, warehouse, kind):
    with psycopg.connect(warehouse.conninfo()) as connection:
        connection.execute("CREATE TABLE t (a int)")
        connection.execute(
            "CREATE FUNCTION add() RETURNS int LANGUAGE sql"
            " AS 'INSERT INTO t VALUES (1) RETURNING a'"
        )
    with pytest.raises(TerminalError, match="read-only transaction"):
        run("SELECT add() AS a", format=kind)


NO_PARQUET = [
    ("SELECT 1 AS a, 2 AS a", "two columns named 'a'"),
    ("SELECT", "no columns"),
    *(
        (f"SELECT 1 AS id, {value} AS x", f"column: x\n  found: {text}\n")
        for value, text in [
            ("'NaN'::numeric(5,2)", "NaN"),
            ("'NaN'::numeric(50,2)", "NaN"),
            ("'infinity'::timestamp", "infinity"),
            ("'-infinity'::timestamptz", "-infinity"),
            ("'0044-03-15 BC'::date", "0044-03-15 BC"),
            ("'12026-01-01'::timestamp", "12026-01-01 00:00:00"),
            ("'24:00'::time", "24:00:00"),
        ]
    ),
]


@pytest.mark.parametrize(("query", "message"), NO_PARQUET)
def test_what_parquet_cannot_hold_is_named_with_a_way_out(run, query, message):
    with pytest.raises(TerminalError) as refused:
        run(query, format="parquet")
    assert message in str(refused.value)
    assert "what to do: " in str(refused.value)


@pytest.mark.parametrize("kind", ["csv", "json", "parquet"])
def test_a_refused_query_is_told_with_its_line_and_the_server_s_hint(run, kind):
    with pytest.raises(TerminalError) as refused:
        run("SELECT id\n, nam\nFROM (SELECT 1 AS id, 2 AS name) t", format=kind)
    assert 'column "nam" does not exist (SQLSTATE 42703), in line 2 of' in str(refused.value)
    assert 'Perhaps you meant to reference the column "t.name"' in str(refused.value)


def test_a_timeout_of_the_server_is_told_without_a_feed(run, warehouse):
    options = {**warehouse.options, "options": "-c statement_timeout=100"}
    with pytest.raises(ServerUnavailable) as stopped:
        run("SELECT pg_sleep(9)", warehouse=replace(warehouse, options=options))
    assert stopped.value.do == "retry; if it happens again, raise statement_timeout of the role"


def test_wrong_wishes_and_servers_have_clear_errors(run, warehouse, object_store):
    with pytest.raises(TerminalError, match="format 'xlsx'"):
        run("SELECT 1", format="xlsx")
    with pytest.raises(ObjectMissing, match="no bucket 'nowhere-at-all'"):
        run("SELECT 1", bucket="nowhere-at-all")
    refused = Warehouse(**{**warehouse.__dict__, "password": "wrong"})
    with pytest.raises(ConnectionUnusable, match="refused"):
        run("SELECT 1", warehouse=refused)
    with pytest.raises(ServerUnavailable):
        run("SELECT 1", warehouse=Warehouse(host="127.0.0.1", port=1))
    with pytest.raises(ConnectionUnusable):
        run("SELECT 1", store=Store(object_store.endpoint_url, "landfall", "wrong"))
    with pytest.raises(TerminalError, match="syntax error"):
        run("SELEC 1")


@both_formats
def test_progress_is_told_and_never_too_far(run, kind):
    reported = []
    query = "SELECT n FROM generate_series(1, 25000) n"
    receipt, _ = run(query, format=kind, progress=reported.append)
    assert receipt.rows == 25_000
    assert len(reported) > 2
    assert reported == sorted(reported)
    assert 20_000 < reported[-1] <= 25_000


@both_formats
def test_what_hears_of_the_progress_can_end_the_export(run, client, bucket, kind):
    class Enough(Exception):
        pass

    def stop(rows):
        if rows > 5_000:
            raise Enough

    with pytest.raises(Enough):
        run("SELECT n FROM generate_series(1, 25000) n", format=kind, progress=stop)
    assert "Contents" not in client.list_objects_v2(Bucket=bucket)


EXPORTS = """
import json, sys
from pathlib import Path
from include.landfall.connections import Store, Warehouse
from include.landfall.export.query import export
values = json.loads(sys.argv[1])
store, warehouse = Store(**values.pop("store")), Warehouse(**values.pop("warehouse"))
receipt = export(**values, store=store, warehouse=warehouse)
# Not ru_maxrss: at first that is what the process had which started this one.
print(receipt.rows, Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0])
"""


@both_formats
def test_memory_does_not_grow_with_the_result(warehouse, object_store, bucket, kind):
    """Twice the rows take at most a tenth more memory. The larger result is 195 MB of CSV.

    The smaller one has six row groups, so that every buffer is full once.
    """

    def peak(rows):
        query = f"SELECT n, md5(n::text) || repeat('x', 150) AS x FROM generate_series(1, {rows}) n"
        values = {
            "query": query, "bucket": bucket, "key": "out", "format": kind,
            "store": object_store.__dict__, "warehouse": warehouse.__dict__,
        }  # fmt: skip
        command = [sys.executable, "-c", EXPORTS, json.dumps(values)]
        done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)
        written, peak = map(int, done.stdout.split())
        assert written == rows
        return peak

    assert peak(1_000_000) < 1.1 * peak(500_000)
