"""`landfall sniff` proposes a feed for files of other formats than CSV, and the feed loads them."""

from __future__ import annotations

import datetime
import io
import json
from decimal import Decimal

import fastavro
import openpyxl
import pyarrow as pa
import pyarrow.orc
import pytest
import yaml

from include.landfall.sniff import sample as sample_module
from tests.support.file_bytes import parquet_bytes, workbook_bytes

RECORDS = [
    {"id": n, "name": f"Größe {n}", "price": f"{n}.25", "day": f"2026-03-{1 + n % 28:02}",
     "extra": {"a": [n]}}
    for n in range(1, 400)
]  # fmt: skip
SAME = ("7", "Größe 7", "7.25", "2026-03-08")
QUERY = "SELECT id::text, name, price::text, day::text FROM raw.t WHERE id = 7"


def lines(records=RECORDS):
    return "".join(json.dumps(each, ensure_ascii=False) + "\n" for each in records).encode()


def array():
    return json.dumps(RECORDS, ensure_ascii=False, indent=1).encode()


def table():
    typed = [
        {**each, "price": Decimal(each["price"]), "day": datetime.date.fromisoformat(each["day"])}
        for each in RECORDS
    ]
    return pa.Table.from_pylist(typed)


def parquet():
    return parquet_bytes(table(), row_group_size=100)


def orc():
    pa.orc.write_table(table(), file := io.BytesIO())
    return file.getvalue()


def arrow():
    with pa.ipc.new_file(file := io.BytesIO(), table().schema) as writer:
        writer.write_table(table())
    return file.getvalue()


def arrow_stream():
    with pa.ipc.new_stream(file := io.BytesIO(), table().schema) as writer:
        writer.write_table(table())
    return file.getvalue()


DECIMAL = {"type": "bytes", "logicalType": "decimal", "precision": 9, "scale": 2}


def avro():
    fields = [
        {"name": "id", "type": "long"}, {"name": "name", "type": "string"},
        {"name": "price", "type": DECIMAL},
        {"name": "day", "type": {"type": "int", "logicalType": "date"}},
    ]  # fmt: skip
    names = [field["name"] for field in fields]
    rows = [{name: row[name] for name in names} for row in table().to_pylist()]
    schema = {"type": "record", "name": "r", "fields": fields}
    fastavro.writer(file := io.BytesIO(), schema, rows, sync_interval=500)
    return file.getvalue()


def excel(*before, sheets=(), header=("id", "name", "price", "day")):
    book = openpyxl.Workbook()
    for row in [*before, header]:
        book.active.append(row)
    for each in RECORDS:
        day = datetime.date.fromisoformat(each["day"])
        book.active.append([each["id"], each["name"], float(each["price"]), day])
    for name in sheets:
        book.create_sheet(name)
    book.save(file := io.BytesIO())
    return file.getvalue()


FILES = {
    "json": (lines, {"type": "json"}),
    "json array": (array, {"type": "json"}),
    "parquet": (parquet, {"type": "parquet"}),
    "orc": (orc, {"type": "orc"}),
    "arrow": (arrow, {"type": "arrow"}),
    "arrow stream": (arrow_stream, {"type": "arrow"}),
    "avro": (avro, {"type": "avro"}),
    "excel": (excel, {"type": "excel"}),
    "excel, lines before": (
        lambda: excel(["Report"], [], sheets=["Notes"]),
        {"type": "excel", "sheet": "Sheet", "header": 3},
    ),
}


@pytest.mark.parametrize("case", FILES)
def test_the_proposed_feed_is_valid_fits_and_loads_the_file(landfall, engine, tmp_path, case):
    make, declared = FILES[case]
    engine.put(make(), "in/sales_1")
    url = f"s3://{engine.bucket}/in/sales_1"
    code, text, errors = landfall("sniff", url, "--name", "sales", "--table", "raw.t")
    assert (code, "with DOUBT" in errors) == (0, True)
    assert yaml.safe_load(text)["format"] == declared
    assert "\n# 7 " in text or "Größe" in text  # the first rows, as they would be loaded
    feed = tmp_path / "sales.yaml"
    feed.write_text(text)
    assert landfall("validate", "--feed", str(feed))[0] == 0
    assert landfall("sniff", "--check", str(feed))[:1] == (0,)
    assert landfall("load", "--feed", str(feed))[0] == 0
    assert engine.sql("SELECT count(*) FROM raw.t") == [399]
    assert engine.sql(QUERY) == [SAME]


def test_check_says_which_file_of_another_format_has_drifted(landfall, engine, tmp_path):
    engine.put(parquet(), "in/sales_1")
    feed = tmp_path / "sales.yaml"
    feed.write_text(landfall("sniff", f"s3://{engine.bucket}/in/sales_1", "--name", "sales")[1])
    engine.put(parquet_bytes(table().drop_columns(["name"])), "in/sales_2")
    code, out, _ = landfall("sniff", "--check", str(feed))
    assert (code, "missing: 'name'" in out) == (5, True)


@pytest.mark.parametrize("case", ["json", "json array", "avro", "parquet"])
def test_of_a_large_file_only_a_part_is_read(landfall, engine, monkeypatch, case):
    monkeypatch.setattr(sample_module, "SAMPLE_BYTES", 5_000)
    engine.put(FILES[case][0](), "in/sales_1")
    code, text, _ = landfall("sniff", f"s3://{engine.bucket}/in/sales_1", "--name", "sales")
    assert (code, "only a part was read" in text) == (0, True)
    declared = yaml.safe_load(text)["columns"]
    assert (declared["name"], declared["day"]) == ("text", "date")


def test_no_row_is_shown_in_python_s_own_words(landfall, engine):
    rows = pa.table({"ok": [True, None], "tags": [["a"], [None]]})
    engine.put(parquet_bytes(rows), "in/x")
    text = landfall("sniff", f"s3://{engine.bucket}/in/x")[1]
    assert text.endswith('# true | ["a"]\n# NULL | [null]\n')


def test_names_that_no_table_can_have_are_made_and_led_back(landfall, engine, tmp_path):
    engine.put(lines([{"n" * 70: 1, "name": "Ann"}]), "in/a")
    feed = tmp_path / "x.yaml"
    url = f"s3://{engine.bucket}/in/a"
    feed.write_text(landfall("sniff", url, "--name", "x", "--table", "raw.t")[1])
    assert landfall("load", "--feed", str(feed))[0] == 0
    assert engine.sql(f"SELECT {'n' * 50} FROM raw.t") == [1]


def test_a_missing_bucket_is_called_a_missing_bucket(landfall, engine):
    code, _, message = landfall("sniff", "s3://no-such-bucket/x.csv")
    assert (code, "there is no bucket 'no-such-bucket'" in message) == (4, True)
    code, _, message = landfall("sniff", f"s3://{engine.bucket}/x.csv")
    assert (code, "no bucket" in message) == (4, False)


def test_two_columns_of_one_name_are_read_by_their_places(landfall, engine, tmp_path):
    engine.put(workbook_bytes(["id", "id"], [1, 2]), "in/x.xlsx")
    feed, url = tmp_path / "x.yaml", f"s3://{engine.bucket}/in/x.xlsx"
    code, text, _ = landfall("sniff", url, "--name", "x", "--table", "raw.t")
    assert (code, "DOUBT: the columns' names are made, since a name stands twice" in text) == (
        0,
        True,
    )
    feed.write_text(text)
    assert landfall("load", "--feed", str(feed))[0] == 0
    assert engine.sql("SELECT id, id_2 FROM raw.t") == [(1, 2)]


def test_two_columns_of_one_name_that_have_no_place_are_refused(landfall, engine):
    engine.put(parquet_bytes(pa.table([[1], [2]], names=["id", "id"])), "in/x")
    code, _, errors = landfall("sniff", f"s3://{engine.bucket}/in/x")
    assert (code, "columns of the file stand twice" in errors) == (5, True)


def test_an_empty_text_of_json_loads_as_null_in_a_column_of_numbers(landfall, engine, tmp_path):
    engine.put(lines([{"n": 1, "v": 1.5}, {"n": 2, "v": ""}]), "in/a")
    feed, url = tmp_path / "x.yaml", f"s3://{engine.bucket}/in/a"
    feed.write_text(landfall("sniff", url, "--name", "x", "--table", "raw.t")[1])
    assert landfall("load", "--feed", str(feed))[0] == 0
    assert engine.sql("SELECT n, v::text FROM raw.t ORDER BY n") == [(1, "1.5"), (2, None)]
