"""What `landfall sniff` proposes for files that people have, and how it refuses the others."""
# ruff: noqa: E501  the tables of cases

from __future__ import annotations

import io
import json

import openpyxl
import pytest
import yaml

from include.landfall.errors import DataError
from include.landfall.feed.yaml_file import read_feed
from include.landfall.sniff import table
from include.landfall.sniff.drift import drift_of
from include.landfall.sniff.json_rows import beginning_of
from include.landfall.sniff.members import read_samples
from include.landfall.sniff.sample import SAMPLE_BYTES
from include.landfall.sniff.sniffing import pattern_of, sniff, whole_rows_of
from include.landfall.sniff.verify import read_as_load
from tests.support.memory_store import stored


@pytest.fixture
def propose(read_yaml):
    """Sniffs at a file as the command does: the feed's YAML, and its rows as a load reads them."""

    def propose(data: bytes, key="in/x", size=SAMPLE_BYTES):
        store, arrival = stored(data, key)
        samples = read_samples(store, arrival, size)
        text = sniff(samples, "x", "raw.t").text
        feed, sample = read_yaml(text), samples[0][1]
        reading = read_as_load(feed, arrival, whole_rows_of(feed, sample))
        assert drift_of(feed, arrival, sample).departures == []
        assert (reading.misshapen, reading.doubtful) == ([], {})
        return text, reading

    return propose


def lines(*rows):
    return "".join(f"{row}\n" for row in rows).encode()


CSV = [
    ("codes with an E", lines("n,code", "1,E019", "2,E012", "3,E5"), {}, {"n": "integer", "code": "text"}, 3, ""),
    ("a point at the end", lines("n,v", "1,25.", "2,30.", "3,7."), {}, {"n": "integer", "v": "numeric(18,1)"}, 3, ""),
    ("a header wider than the rows", lines("a,b,c,d", *["1,x"] * 9, "1,x,3"), {"ragged": "pad", "skip_rows": None}, {"a": "integer", "b": "text", "c": "integer", "d": "text"}, 10, "10 of 10 rows have fewer"),
    ("a header with a name less", lines("mpg\tcyl", *(f"car {n}\t{n}.5\t4" for n in range(9))), {"skip_rows": 1, "header": False}, {"column_1": "text", "mpg": "numeric(18,1)", "cyl": "integer"}, 9, "line 1 has a name less than the rows"),
    ("a header that is skipped", lines("some,other,names,are,here", *["1,2"] * 9), {"skip_rows": 1}, {"column_1": "integer", "column_2": "integer"}, 9, "line 1 has 5 cells: is it a part"),
    ("last cells left out, no header", lines("# a table", "#c\tname\tnote", *["AD\tx", "AE\tx\tnote", "AF\tx"] * 9), {"comment": "#", "ragged": "pad", "header": False}, {"column_1": "text", "column_2": "text", "column_3": "text"}, 27, "18 of 27 rows have fewer"),
    ("first rows cut short, no header", lines("AD\tx", "AE\ty", *["AF\tx\tnote"] * 9, "AG\tz"), {"skip_rows": None, "ragged": "pad", "header": False}, {"column_1": "text", "column_2": "text", "column_3": "text"}, 12, "3 of 12 rows have fewer"),
    ("one column with a comma", lines("name", *["Chad", "Bonaire", "Bouvet"] * 6, "Cocos, Islands"), {"delimiter": ";"}, {"name": "text"}, 19, "one column"),
    ("numbers between blanks", lines("1 2.5 7", "2 3.5 8", "3 4.5 9"), {"delimiter": " "}, {"column_1": "integer", "column_2": "numeric(18,1)", "column_3": "integer"}, 3, ""),
    ("names of two words", lines("Ann Lee", "Bob Ray", "Cem Oz"), {"delimiter": ","}, {"Ann Lee": "text"}, 2, "one column"),
]  # fmt: skip


@pytest.mark.parametrize(("data", "options", "types", "rows", "doubt"), [case[1:] for case in CSV], ids=[case[0] for case in CSV])  # fmt: skip
def test_a_table_of_text_gets_a_feed_that_loads_all_of_it(
    propose, data, options, types, rows, doubt
):
    text, reading = propose(data)
    feed = yaml.safe_load(text)
    assert {name: feed["format"].get(name) for name in options} == options
    assert (feed["columns"], reading.rows) == (types, rows)
    assert doubt in text


LATER = [
    ("more digits behind the mark", "1.5", "2.54", "numeric(18,2)", None),
    ("zeros behind the mark", "1.5", "2.500", "numeric(18,1)", None),
    ("a fraction", "1", "2.25", "numeric(18,2)", None),
    ("a longer number", "1", "12345678901", "bigint", None),
    ("a marker of NULL", "1", "nil", "integer", ["nil"]),
]


@pytest.mark.parametrize(("first", "later", "column_type", "nulls"), [case[1:] for case in LATER], ids=[case[0] for case in LATER])  # fmt: skip
def test_cells_behind_the_first_rows_count(propose, monkeypatch, first, later, column_type, nulls):
    monkeypatch.setattr(table, "MOST_RECORDS", 20)
    text, reading = propose(lines("n,v", *[f"1,{first}"] * 30, f"2,{later}"))
    feed = yaml.safe_load(text)
    assert (feed["columns"]["v"], feed["format"].get("nulls")) == (column_type, nulls)
    assert (reading.rows, "only the beginning" in text) == (31, False)


OTHER = [
    (b"SQLite format 3\0" + bytes(99), "a database of SQLite"),
    (b"%PDF-1.7\n%\xe2\xe3", "a PDF"),
    (b"RDX3\nX\n\0\0\0", "a file of R"),
    (b"<!DOCTYPE html><html><body>404</body></html>", "a page of HTML, perhaps an error message"),
    (b'<?xml version="1.0"?><rows><row/></rows>', "XML"),
    (b"<rows>\n<row>1</row>\n</rows>\n", "XML"),
    (b"x" * 257 + b"ustar" + bytes(200), "an archive of tar"),
    (b"KStars v1" + bytes(90) + b"RA\0\0\x04\x05", "binary"),
    (b"\xb0\xfa*\xbf\x07\x08\x10\x11" * 50, "binary"),
]


@pytest.mark.parametrize(("data", "name"), OTHER)
def test_a_file_that_is_no_table_is_refused_by_name(propose, data, name):
    with pytest.raises(DataError, match=name) as error:
        propose(data)
    assert "have it written as CSV" in str(error.value)


@pytest.mark.parametrize(
    "data",
    [
        lines("<DATE>,<OPEN>", "2026-01-02,1.5", "2026-01-03,2.5"),  # as MetaTrader writes
        lines("id\x01v", "1\x012.5", "2\x013.5"),  # as Hive writes
        "id,v\n1,2.5\n2,3.5\n".encode("utf-16-le"),
    ],
)
def test_text_with_odd_characters_is_still_a_table(propose, data):
    assert propose(data)[1].rows == 2


ROWS = [{"id": 1}, {"id": 2}]
FEATURES = [
    {
        "type": "Feature",
        "id": n,
        "properties": {"name": "a", "id": 1.5, "p.q": True, "p" * 70: None},
        "geometry": {"type": "Point", "coordinates": [1, 2]},
    }
    for n in range(3)
]
SOCRATA = {
    "meta": {
        "view": {
            "columns": [{"name": "sid", "fieldName": ":sid"}, {"name": "Size", "fieldName": "size"}]
        }
    },
    "data": [["row-1", "1"], ["row-2", None]],
}
UNDER_A_KEY = [
    ("indented", json.dumps({"meta": {"ids": [1, 2]}, "data": ROWS}, indent=1), {"rows": "data"}, {"id": "integer"}, 2, "rows: data  # the only array of rows in what was read: 2 rows"),
    ("on one line", json.dumps({"data": ROWS}), {"rows": "data"}, {"id": "integer"}, 2, ""),
    ("three keys deep", json.dumps({"a": {"b": {"c": ROWS}}}), {"rows": "a.b.c"}, {"id": "integer"}, 2, ""),
    ("a key with a dot", json.dumps({"a": {"it's; b.c": ROWS}}), {"rows": ["a", "it's; b.c"]}, {"id": "integer"}, 2, ""),
    ("several", json.dumps({"links": [{"x": 1}], "d": {"data": ROWS}}), {"rows": "d.data"}, {"id": "integer"}, 2, "DOUBT: other arrays may have the rows: links (1)"),
    ("GeoJSON", json.dumps({"type": "FeatureCollection", "features": FEATURES}),
        {"rows": "features", "paths": {"name": "properties.name", "properties_id": "properties.id", "p_q": ["properties", "p.q"], "p" * 50: f"properties.{'p' * 70}"}},
        {"type": "text", "id": "integer", "geometry": "jsonb", "name": "text", "properties_id": "numeric(18,1)", "p_q": "boolean", "p" * 50: "text"}, 3, ""),
    ("Socrata", json.dumps(SOCRATA), {"rows": "data", "columns": "by position"}, {":sid": "text", "size": "integer"}, 2, "meta.view.columns has the names"),
    ("pandas, split", json.dumps({"columns": ["a", "b"], "index": [0, 1], "data": [[1, "x"], [2, "y"]]}), {"rows": "data", "columns": "by position"}, {"a": "integer", "b": "text"}, 2, ""),
    ("arrays on top", json.dumps([[1, "x"], [2, "y"]], indent=1), {"columns": "by position"}, {"column_1": "integer", "column_2": "text"}, 2, ""),
    ("by ids", json.dumps({"17": {"n": 1}, "18": {"n": 2}, "19": {}}, indent=1), {"ids": "id"}, {"id": "integer", "n": "integer"}, 3, "3 rows: objects of like keys by their ids"),
    ("by ids, beside an id", json.dumps({"users": {key: {"id": 1, "items": ROWS} for key in "abc"}}), {"rows": "users", "ids": "key"}, {"key": "text", "id": "integer", "items": "jsonb"}, 3, ""),
    ("few by ids, of many rows", json.dumps({"o": {key: {"rows": ROWS * 30} for key in "abc"}}), {"rows": "o.a.rows"}, {"id": "integer"}, 60, "DOUBT: other arrays may have the rows: o.b.rows (60)"),
    ("values by ids", json.dumps({"base": "EUR", "rates": {f"C{n}": n + 0.5 for n in range(10)}}), {"rows": "rates", "ids": "id", "values": "value"}, {"id": "text", "value": "numeric(18,1)"}, 10, "DOUBT: a name made up for the values"),
    ("more keys than columns", json.dumps({f"k{n}": [n] for n in range(301)}), {"ids": "id", "values": "value"}, {"id": "text", "value": "jsonb"}, 301, ""),
    ("several on a line", '{"id": 1}{"id": 2}\n{"id": 3}', {"objects": "concatenated"}, {"id": "integer"}, 3, "one after the other, which are not one a line"),
    ("over lines", "".join(json.dumps(each, indent=1) for each in ROWS), {"objects": "concatenated"}, {"id": "integer"}, 2, ""),
    ("envelopes", json.dumps({"n": 1, "events": ROWS}) * 2, {"objects": "concatenated"}, {"n": "integer", "events": "jsonb"}, 2, "DOUBT: each object is one row; format.rows: events reads the array"),
    ("pages", json.dumps(ROWS) * 2, {"objects": "concatenated"}, {"id": "integer"}, 4, "several arrays of rows, one after the other"),
    ("arrays one a line", '[1, "x"]\n[2, "y"]\n', {"objects": "concatenated", "columns": "by position"}, {"column_1": "integer", "column_2": "text"}, 2, "each array is a row"),
    ("one object over lines", json.dumps({"id": 1, "name": "Ann"}, indent=1), {"objects": "concatenated"}, {"id": "integer", "name": "text"}, 1, "DOUBT: the file is one row"),
    ("two by ids", json.dumps({"de": {"id": 1}, "at": {"id": 2}}, indent=1), {"objects": "concatenated"}, {"de": "jsonb", "at": "jsonb"}, 1, "DOUBT: the file is one row; if each key is the id of a row, write format.ids"),
    ("names in the first array", json.dumps([["name", "size"], ["x", 1], ["y", 2]]), {"header": True}, {"name": "text", "size": "integer"}, 2, "the first array has names"),
    ("names and texts in arrays", json.dumps({"values": [["name", "size"], ["x", "y"]]}), {"rows": "values", "header": True}, {"name": "text", "size": "text"}, 1, "DOUBT: all columns are text"),
    ("a name twice in the first array", json.dumps([["a", "a"], ["x", 1]]), {"columns": "by position"}, {"column_1": "text", "column_2": "text"}, 2, ""),
]  # fmt: skip


@pytest.mark.parametrize(("text", "options", "types", "rows", "words"), [case[1:] for case in UNDER_A_KEY], ids=[case[0] for case in UNDER_A_KEY])  # fmt: skip
def test_json_whose_rows_are_not_on_top_gets_their_place(
    propose, text, options, types, rows, words
):
    written, reading = propose(text.encode())
    feed = yaml.safe_load(written)
    assert feed["format"] == {"type": "json", **options}
    assert (feed["columns"], reading.rows) == (types, rows)
    assert words in written


@pytest.mark.parametrize("rows", [[{"id": n, "x": {"y": [n]}} for n in range(99)], [[n, {}] for n in range(99)]])  # fmt: skip
@pytest.mark.parametrize("indent", [None, 1])
def test_the_beginning_of_an_object_has_the_rows_that_are_whole(propose, rows, indent):
    data = json.dumps({"n": 1, "data": rows, "more": {}}, indent=indent).encode()
    text, reading = propose(data, size=700)
    assert yaml.safe_load(text)["format"]["rows"] == "data"
    assert "only a part was read" in text
    assert 10 < reading.rows < 90


def test_the_beginning_of_a_deep_object_is_looked_at_once():
    assert beginning_of(b'{"a": [{"b": [1, [2], ') == {"a": [{"b": [1, [2]]}]}
    assert beginning_of(b'{"a": ' + b"[" * 200_000 + b"]" * 200_000) is None  # took hours
    assert beginning_of(b'{"a": 1') is None


JSON = [
    ('{"type": "x",\n"data": [{"id": 1},\n{"id": 2}', "write rows: under format:"),  # the beginning
    (json.dumps(["a", "b"]), "write each as an object"),
]


@pytest.mark.parametrize(("text", "do"), JSON)
def test_json_without_rows_says_how_to_get_them(propose, text, do):
    with pytest.raises(DataError) as error:
        propose(text.encode())
    assert do in str(error.value)


ONE_ROW = [
    ({"id": 1, "items": ROWS}, "in/x.jsonl", "DOUBT: the file is one row; format.rows: items reads the array"),
    ({"data": []}, "in/x", "DOUBT: the file is one row; if data, which is empty here, has the rows"),
]  # fmt: skip


@pytest.mark.parametrize(("value", "key", "doubt"), ONE_ROW)
def test_an_object_on_one_line_that_may_hold_the_rows_is_a_doubt(propose, value, key, doubt):
    text, reading = propose(json.dumps(value).encode(), key)
    assert reading.rows == 1
    assert doubt in text


def test_empty_texts_of_json_are_null_in_columns_of_other_types(propose, tmp_path):
    store = [{"n": 1, "v": 1.5, "t": "a"}, {"n": 2, "v": "", "t": ""}]
    with pytest.raises(AssertionError):  # the cell is still a doubtful one, and its row is kept
        propose(json.dumps(store).encode())
    columns = read_feed(tmp_path / "feed.yaml").columns
    assert [columns[name].on_bad_cell for name in "nvt"] == ["reject", "null", "reject"]


# ---- workbooks -----------------------------------------------------------------------------------


def workbook(*sheets):
    book = openpyxl.Workbook()
    book.remove(book.active)
    for number, rows in enumerate(sheets):
        sheet = book.create_sheet(f"S{number}")
        for row in rows:
            sheet.append(row)
    book.save(file := io.BytesIO())
    return file.getvalue()


TABLE = [["id", "name"], [1, "a"], [2, "b"]]
BOOKS = [
    ("an empty first sheet", [[], TABLE], {"sheet": "S1"}, ["id", "name"], [["1", "a"], ["2", "b"]]),
    ("few rows", [[["id", "name", "ok"], [1, "a", True], [None, "b", None]]], {}, ["id", "name", "ok"], [["1", "a", "true"], [None, "b", None]]),
    ("blanks around names", [[["id ", " name"], [1, "a"]]], {}, ["id", "name"], [["1", "a"]]),
    ("names twice", [[["id", "id"], [1, 2]]], {"range": "A2:B", "header": False}, ["id", "id_2"], [["1", "2"]]),
    ("an index without a name", [[[None, "v"], [0, 5], [1, 6]]], {"range": "A2:B", "header": False}, ["column_1", "v"], [["0", "5"], ["1", "6"]]),
    ("a note beside the table", [[["id", "v"], [1, 5], [2, 6, "note"]]], {"range": "A2:C", "header": False}, ["id", "v", "column_3"], [["1", "5", None], ["2", "6", "note"]]),
    ("names twice behind a title", [[["Report"], [], [None, "v", "v"], [None, 1, 2], [None, 3, 4]]], {"range": "B4:C", "header": False}, ["v", "v_2"], [["1", "2"], ["3", "4"]]),
    ("no names, in column B", [[[None, 1, 2], [None, 3, 4]]], {"range": "B1:C", "header": False}, ["column_1", "column_2"], [["1", "2"], ["3", "4"]]),
    ("a column of no use", [[["id", None, "v"], [1, None, 5], [2, None, 6]]], {}, ["id", "v"], [["1", "5"], ["2", "6"]]),
]  # fmt: skip


@pytest.mark.parametrize(("sheets", "options", "names", "rows"), [case[1:] for case in BOOKS], ids=[case[0] for case in BOOKS])  # fmt: skip
def test_a_workbook_of_people_gets_a_feed_that_reads_its_cells(
    propose, sheets, options, names, rows
):
    text, reading = propose(workbook(*sheets))
    declared = yaml.safe_load(text)["format"]
    assert {name: declared.get(name) for name in options} == options
    assert (reading.names, reading.first) == (names, rows)


def test_a_doubt_of_many_columns_is_one_line(propose):
    text, _ = propose(lines("a,b,c,d", "1.5,2.5,3.5,4.5", "1.5,2.5,3.5,4.5"))
    assert text.count("more digits behind the mark would be rounded") == 1
    assert "DOUBT: 4 columns (a, b, c, \u2026): a number with" in text


@pytest.mark.parametrize(
    ("key", "pattern"),
    [("x/day_7.csv.bz2", "x/day_*.csv.bz2"), ("x/2026.01.csv", "x/*.csv"), ("x/a.2026", "x/a.*")],
)
def test_the_digits_of_an_ending_are_no_date(key, pattern):
    assert pattern_of(key) == pattern
