"""An export is read back by others, and by a feed with the same `format:`, as it was written."""

from __future__ import annotations

import csv
import gzip
import io
import itertools
import json
import re
from pathlib import Path

import duckdb
import pyarrow.parquet as pq
import pytest
import yaml
import zstandard
from botocore.client import BaseClient
from botocore.exceptions import ClientError

from include.landfall.errors import ConnectionUnusable, TerminalError
from include.landfall.export import parquet as parquet_writer
from include.landfall.export.query import export
from include.landfall.s3.listing import list_snapshots
from include.landfall.s3.upload import Upload

PAGE = (Path(__file__).parents[3] / "docs" / "exports.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```yaml\n(.*?)```\n```sql\n(.*?)```\n```text\n(.*?)```", PAGE, re.DOTALL)


@pytest.fixture
def run(engine):
    """Exports a query, and returns the receipt and the objects by key."""

    def run(query, key="out/x.csv", **options):
        servers = {"warehouse": engine.warehouse, "store": engine.store}
        receipt = export(query, **servers, bucket=engine.bucket, key=key, **options)
        listed = engine.client.list_objects_v2(Bucket=engine.bucket, Prefix="out/")["Contents"]
        objects = {
            entry["Key"]: engine.client.get_object(Bucket=engine.bucket, Key=entry["Key"])["Body"]
            for entry in listed
        }
        return receipt, {key: body.read() for key, body in objects.items()}

    return run


@pytest.mark.parametrize(("declared", "query", "text"), EXAMPLES)
def test_an_example_of_the_page_gives_the_file_that_it_shows(run, declared, query, text):
    _, objects = run(query, format=yaml.safe_load(declared))
    assert objects["out/x.csv"].decode() == text


@pytest.mark.parametrize(
    ("dialect", "text"),
    [
        ({"delimiter": "%"}, 'n%text%nothing\n1%"a%b"%\n'),
        ({"nulls": ["%s"]}, 'n,text,nothing\n"1","a%b",%s\n'),
        ({"quote": "%"}, "n,text,nothing\n1,%a%%b%,\n"),
    ],
)
def test_a_percent_sign_in_the_dialect_is_no_parameter(run, dialect, text):
    declared = {"type": "csv", **dialect}
    query = "SELECT {} AS n, 'a{}b' AS text, NULL AS nothing"
    _, objects = run(query.format("%(n)s::int", "%%"), parameters={"n": 1}, format=declared)
    assert objects["out/x.csv"].decode() == text
    _, objects = run(query.format("1", "%"), format=declared)
    assert objects["out/x.csv"].decode() == text


TEXTS = ["plain", "", None, "a,b", 'say "hi"', "two\nlines", "a\\b", "\\N", "NA", "|;\t", "Größe"]
QUERY = "SELECT id::int, name FROM json_to_recordset('{}') AS t (id int, name text) ORDER BY id"
AWKWARD = QUERY.format(
    json.dumps([{"id": n, "name": text} for n, text in enumerate(TEXTS)]).replace("'", "''")
)
DIALECTS = [
    {"delimiter": delimiter, **quotes, "header": header, **more}
    for delimiter, quotes, header, more in itertools.product(
        (",", "\x01"),
        ({}, {"quote": "'"}, {"escape": "backslash"}, {"quote": None, "escape": "backslash"}),
        (True, False),
        ({}, {"nulls": ["NA"]}, {"newline": "CRLF", "encoding": "cp1252"}, {"encoding": "utf-16"}),
    )
    if "nulls" not in more or quotes.get("quote", "'")
]  # fmt: skip


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_feed_with_the_same_format_reads_an_export_back(engine, run, dialect):
    _, objects = run(AWKWARD, format={"type": "csv", **dialect})
    engine.be(format={"type": "csv", **dialect})
    engine.load(objects["out/x.csv"], "in/x.csv")
    # Without quotes a feed reads an empty text as NULL.
    read = TEXTS if dialect.get("quote", "'") else [text or None for text in TEXTS]
    assert dict(engine.rows()) == dict(enumerate(read))


@pytest.mark.parametrize("delimiter", [",", ";", "|", "\t"])
def test_python_and_duckdb_read_a_dialect(run, delimiter, tmp_path):
    _, objects = run(AWKWARD, format={"type": "csv", "delimiter": delimiter, "newline": "CRLF"})
    text = objects["out/x.csv"].decode()
    head, *rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    assert (head, [row[1] for row in rows]) == (["id", "name"], [text or "" for text in TEXTS])
    (tmp_path / "x.csv").write_bytes(objects["out/x.csv"])
    query = "SELECT name FROM read_csv(?, delim=?, header=true, all_varchar=true, quote='\"')"
    names = duckdb.execute(query, [str(tmp_path / "x.csv"), delimiter]).fetchall()
    assert [name or "" for (name,) in names] == [text or "" for text in TEXTS]


def unpacked(data, compression):
    if compression == "gzip":
        return gzip.decompress(data)
    return (
        data
        if compression is None
        else zstandard.ZstdDecompressor().decompressobj().decompress(data)
    )


@pytest.mark.parametrize("compression", [None, "gzip", "zstd"])
def test_json_is_read_by_python_and_by_a_feed(engine, run, compression):
    receipt, objects = run(AWKWARD, format="json", compression=compression)
    lines = unpacked(objects["out/x.csv"], compression).decode().splitlines()
    assert [json.loads(line)["name"] for line in lines] == TEXTS
    assert receipt.rows == len(TEXTS)
    engine.be(format="json").load(objects["out/x.csv"], "in/x.json")
    assert dict(engine.rows()) == dict(enumerate(TEXTS))


def test_a_json_value_with_line_breaks_stays_on_its_line(run):
    query = 'SELECT \'{\n "a": "b\\\\n\\u0001",\r\n\t"c": 1}\'::json AS x, E\'one\ntwo\' AS y'
    _, objects = run(query, format="json")
    (line,) = objects["out/x.csv"].decode().split("\n")[:-1]
    assert json.loads(line) == {"x": {"a": "b\\n\x01", "c": 1}, "y": "one\ntwo"}


NUMBERED = "SELECT n, md5(n::text) AS text FROM generate_series(1, 20000) AS n"


@pytest.mark.parametrize("compression", [None, "gzip"])
@pytest.mark.parametrize("kind", ["csv", "json", "parquet"])
def test_parts_have_about_their_size_and_all_rows_in_order(run, kind, compression, monkeypatch):
    monkeypatch.setattr(parquet_writer, "BATCH_BYTES", 20_000)
    receipt, objects = run(
        NUMBERED, f"out/x.{kind}", format=kind, compression=compression, part_size="100 kB"
    )
    assert receipt.parts == tuple(f"out/x-{n:05}.{kind}" for n in range(len(objects)))
    assert receipt.parts == tuple(objects)
    assert (receipt.rows, receipt.uri.endswith(f"/out/x-*.{kind}")) == (20_000, True)
    numbers = []
    for data in objects.values():
        assert len(data) < 200_000
        if kind == "parquet":
            numbers += pq.read_table(io.BytesIO(data)).column("n").to_pylist()
            continue
        lines = unpacked(data, compression).decode().splitlines()
        if kind == "csv":
            assert lines.pop(0) == "n,text"
            numbers += [int(line.partition(",")[0]) for line in lines]
        else:
            numbers += [json.loads(line)["n"] for line in lines]
    assert numbers == list(range(1, 20_001))
    assert len(objects) > 3


def test_an_export_of_fewer_parts_leaves_none_of_the_one_before(run, engine):
    engine.put("others", "out/x-1.csv")
    engine.put("others", "out/x-00009.csv.gz")
    run(NUMBERED, part_size="100 kB")
    _, objects = run("SELECT 1 AS n", part_size="100 kB")
    assert objects == {
        "out/x-00000.csv": b"n\n1\n", "out/x-1.csv": b"others", "out/x-00009.csv.gz": b"others",
    }  # fmt: skip


@pytest.mark.parametrize("kind", ["csv", "json", "parquet"])
def test_no_part_is_without_rows(run, kind):
    receipt, objects = run("SELECT n FROM generate_series(1, 3) n", format=kind, part_size=1)
    assert len(objects) == (1 if kind == "parquet" else 3)
    assert receipt.rows == 3


def test_a_feed_of_snapshots_loads_the_parts_of_one_export_or_none(engine, run, mocker):
    """A reader that looks while the parts are replaced would take some of each export."""
    source = {"bucket": engine.bucket, "pattern": "out/x-*.csv", "snapshot": "dir"}
    engine.be(source=source, disposition="replace")
    complete = []

    def look():
        folders = list_snapshots(engine.client, engine.feed.source)
        complete.append(tuple(len(each.parts) for each in folders if not each.waits_for))

    query = "SELECT n AS id, md5((n * {0})::text) AS name FROM generate_series(1, 3 - {0}) n"
    run(query.format(0), part_size=1, manifest=True)
    look()
    real = Upload.__exit__

    def watched(*arguments):
        real(*arguments)
        look()

    mocker.patch.object(Upload, "__exit__", watched)
    run(query.format(1), part_size=1, manifest=True)
    mocker.stopall()
    look()
    assert [*dict.fromkeys(complete)] == [(3,), (), (2,)]
    (snapshot,) = list_snapshots(engine.client, engine.feed.source)
    assert engine.load(snapshot.arrival).rows == 2


@pytest.mark.parametrize(
    ("operation", "right"),
    [("ListObjectsV2", "s3:ListBucket"), ("DeleteObject", "s3:DeleteObject below out/x-")],
)
def test_a_right_that_parts_need_is_missed_before_the_query_runs(run, mocker, operation, right):
    run("SELECT 1 AS id", part_size=1)
    real = BaseClient._make_api_call

    def refuse(client, name, arguments):
        if name == operation:
            raise ClientError({"Error": {"Code": "AccessDenied"}}, name)
        return real(client, name, arguments)

    mocker.patch.object(BaseClient, "_make_api_call", refuse)
    with pytest.raises(ConnectionUnusable, match=f"allow the connection's key {right}"):
        run("SELECT 1 / 0", part_size=1)


def test_a_query_that_fails_midway_leaves_no_part(run, engine):
    engine.put("others", "out/y")
    query = "SELECT n, 1 / (30000 - n) AS x, md5(n::text) FROM generate_series(1, 40000) n"
    with pytest.raises(TerminalError, match="division by zero"):
        run(query, part_size="100 kB")
    assert engine.client.list_objects_v2(Bucket=engine.bucket)["KeyCount"] == 1
    assert not engine.client.list_multipart_uploads(Bucket=engine.bucket).get("Uploads")


WRONG = [
    ({"format": "xlsx"}, "format 'xlsx'"),
    ({"format": {"type": "csv", "delimeter": ";"}}, "format.delimeter"),
    ({"format": {"delimiter": "||"}}, "format.delimiter"),
    ({"format": {"quote": None}}, "format.quote"),
    ({"format": {"escape": "none"}}, "format.escape"),
    ({"format": {"newline": "CR"}}, "format.newline"),
    ({"format": {"header": 2}}, "format.header"),
    ({"format": {"nulls": ["a", "b"]}}, "format.nulls"),
    ({"format": {"quote": None, "escape": "backslash", "nulls": ["NA"]}}, "format.nulls"),
    ({"format": {"footer": {"pattern": "x"}}}, "format.footer"),
    ({"format": {"encoding": "klingon"}}, "format.encoding"),
    ({"format": {"type": "json", "paths": {"a": "b"}}}, "format.paths"),
    ({"format": "csv", "compression": "lz4"}, "compression 'lz4'"),
    ({"part_size": "big"}, "part_size"),
    ({"part_size": 0}, "part_size"),
    ({"manifest": True}, "manifest"),
]


@pytest.mark.parametrize(("options", "words"), WRONG)
def test_a_wrong_option_is_named(run, options, words):
    with pytest.raises(TerminalError) as caught:
        run("SELECT 1 AS a", **options)
    assert words in str(caught.value)


def test_what_a_format_cannot_hold_is_named(run):
    with pytest.raises(TerminalError, match="that ascii lacks") as caught:
        run("SELECT 'ü' AS a", format={"encoding": "ascii"})
    assert "'ü'" in str(caught.value)
    with pytest.raises(TerminalError, match="columns cannot be"):
        run("SELECT 1 AS a, 2 AS a", format="json")


@pytest.mark.parametrize("part_size", [None, "1 MB"])
@pytest.mark.parametrize("key", ["", "out/"])
def test_a_key_that_names_a_folder_is_refused(run, key, part_size):
    with pytest.raises(TerminalError, match="the key of an export names a folder"):
        run("SELECT 1 AS id", key, part_size=part_size)
