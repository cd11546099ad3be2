"""From a file that no feed describes to rows in the table, by the command line alone."""

from __future__ import annotations

import json

import pytest

FILE = "".join(f"{n};Größe {n};{n}.234,50;{1 + n % 28:02}.12.2026\n" for n in range(1, 40))


def test_sniff_validate_and_load(landfall, engine, tmp_path):
    engine.put(("id;name;price;day\n" + FILE).encode("cp1252"), "in/sales_1.csv")
    url = f"s3://{engine.bucket}/in/sales_1.csv"
    code, text, doubts = landfall("sniff", url, "--name", "sales", "--table", "raw.t")
    assert (code, "lines with DOUBT" in doubts) == (0, True)
    feed = tmp_path / "sales.yaml"
    feed.write_text(text)
    assert landfall("validate", "--feed", str(feed))[0] == 0
    assert landfall("load", "--feed", str(feed))[0] == 0
    query = "SELECT name, price::text, day::text FROM raw.t WHERE id = 7"
    assert engine.sql(query) == [("Größe 7", "7234.50", "2026-12-08")]


def test_sniff_check_says_which_file_has_drifted(landfall, engine, tmp_path):
    engine.put("id;name;price;day\n" + FILE, "in/sales_1.csv")
    url = f"s3://{engine.bucket}/in/sales_1.csv"
    feed = tmp_path / "sales.yaml"
    feed.write_text(landfall("sniff", url, "--name", "sales")[1])
    assert landfall("sniff", "--check", str(feed))[0] == 0
    engine.put("id;title;price;day\n" + FILE, "in/sales_2.csv")
    code, text, _ = landfall("sniff", "--check", str(feed), "--json")
    drifts = {each["key"]: each["departures"] for each in map(json.loads, text.splitlines())}
    assert code == 5
    assert drifts["in/sales_1.csv"] == []
    assert "missing: 'name'" in drifts["in/sales_2.csv"][0]


HIDDEN = ["secret: true}\n", "secret: false}\nrejects: {keep: hashed}\n"]


@pytest.mark.parametrize("hidden", HIDDEN)
def test_sniff_check_shows_no_cell_that_must_not_be_shown(landfall, engine, tmp_path, hidden):
    engine.put("id,pin\nhidden1,hidden2\n5,hidden3,hidden4\n", "in/a.csv")
    feed = tmp_path / "x.yaml"
    feed.write_text(
        f"feed: x\nsource: {{bucket: {engine.bucket}, pattern: in/*}}\ntarget: {{table: raw.t}}\n"
        f"columns:\n  id: text\n  pin: {{type: integer, {hidden}"
    )
    code, text, errors = landfall("sniff", "--check", str(feed))
    assert (code, "1 cell of pin may not fit" in text) == (5, True)
    assert "hidden" not in text + errors


WRONG = [
    ([], 2, "objects, or a feed to check"),
    (["in/x.csv"], 2, "s3://BUCKET/KEY"),
    (["s3://no-such-bucket/x.csv"], 4, "no-such-bucket"),
    ([__file__], 2, "put the file into a bucket first"),
]


@pytest.mark.parametrize(("arguments", "code", "words"), WRONG)
def test_wrong_use_is_told(landfall, arguments, code, words):
    result, _, message = landfall("sniff", *arguments)
    assert (result, words in message) == (code, True)


@pytest.mark.parametrize("key", ["in/", "in/*.csv", "in/sales_3.csv", ""])
def test_a_key_of_no_object_names_some_that_are_there(landfall, engine, key):
    engine.put("id\n1\n", "in/sales_1.csv")
    code, _, message = landfall("sniff", f"s3://{engine.bucket}/{key}")
    assert code == 4
    assert f"what to do: name one, such as s3://{engine.bucket}/in/sales_1.csv\n" in message


def test_parts_of_an_export_are_proposed_as_one_arrival_where_it_has_a_marker(landfall, engine):
    for day in (1, 2):
        engine.put("id\n1\n", f"in/day={day}/part-00000")
    engine.put("", "in/day=1/_SUCCESS")
    texts = [landfall("sniff", f"s3://{engine.bucket}/in/day={n}/part-00000")[1] for n in (1, 2)]
    assert ["snapshot: dir" in text for text in texts] == [True, False]
    assert "pattern: in/day=*/part-*  #" in texts[0]


def test_sniff_check_does_not_look_for_columns_of_the_key_in_the_file(landfall, engine, tmp_path):
    engine.put("id,name\n1,Ann\n", "in/2026-01.csv")
    feed = tmp_path / "t.yaml"
    feed.write_text(
        f"feed: t\nsource: {{bucket: {engine.bucket}, pattern: in/*}}\ntarget: {{table: raw.t}}\n"
        "columns:\n  id: integer\n  name: text\n"
        "  month: {type: text, from_key: '/(.*)[.]csv'}\n  file: {type: text, from_object: key}\n"
    )
    code, text, _ = landfall("sniff", "--check", str(feed))
    assert (code, text) == (0, "fits        in/2026-01.csv  1 row read\n")


def test_a_file_without_rows_is_named_by_sniff(landfall, engine):
    engine.put("[]", "in/none.json")
    code, _, message = landfall("sniff", f"s3://{engine.bucket}/in/none.json")
    assert (code, f"object: s3://{engine.bucket}/in/none.json" in message) == (5, True)
    assert "what to do: name one with rows" in message


def test_sniff_check_takes_what_the_feed_takes(landfall, engine, tmp_path):
    engine.put("number,name\n1,Ann\n", "in/1.csv")
    feed = tmp_path / "t.yaml"
    feed.write_text(
        f"feed: t\nsource: {{bucket: {engine.bucket}, pattern: in/*}}\ntarget: {{table: raw.t}}\n"
        "contract: {missing_columns: 'null'}\n"
        "columns:\n  id: {type: integer, from: [number]}\n  name: text\n  note: text\n"
    )
    assert landfall("validate", "--feed", str(feed))[0] == 0
    code, text, _ = landfall("sniff", "--check", str(feed))
    assert (code, text) == (0, "fits        in/1.csv  1 row read\n")


def test_a_proposed_feed_reads_names_that_no_table_can_have(landfall, engine, tmp_path):
    engine.put('{"id": 1, "_load_id": 2, "a b": 3}\n', "in/1.json")
    code, text, _ = landfall("sniff", f"s3://{engine.bucket}/in/1.json", "--name", "t")
    assert (code, "would be rejects" in text) == (0, False)
    assert "# 1  | 2       | 3" in text
