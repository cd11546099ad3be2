"""JSON whose rows lie under a key: all of them come back, and what is wrong with a file is told."""
# ruff: noqa: E501  the tables of cases

from __future__ import annotations

import io
import json
from random import Random

import pytest

from include.landfall.errors import (
    DataError,
    FeedError,
    HeaderMismatch,
    MisshapenRow,
    TruncatedFile,
)
from include.landfall.feed.maxima import LONGEST_ROW
from include.landfall.feed.model import Feed
from include.landfall.feed.schema import schema
from include.landfall.read.formats import json_elements, json_lines, json_text
from include.landfall.read.formats.json_fast import FastPositionParser
from tests.support.json_jobs import job
from tests.support.readings import gather

COLUMNS = {"a": "integer", "b": "text", "c": "jsonb"}
ODD = ["data", "x.y", "", "é", 'q"t', "\\", '"]},{[', None, 1, -2.5, True, [], {}, [[1], {"a": []}]]


def read(data, *, types=COLUMNS, **options):
    data = data.encode() if isinstance(data, str) else data
    return gather(json_lines.rows(io.BytesIO(data), job(types, **options)))


def around(rng, depth, without=""):
    """Some keys with anything below them."""
    keys = [key for key in ODD[:6] if key != without and rng.random() < 0.4]
    return {
        key: around(rng, depth - 1) if depth and rng.random() < 0.5 else rng.choice(ODD)
        for key in keys
    }


def enveloped(rng, rows, path):
    for step in reversed(path):
        rows = {**around(rng, 3, step), step: rows, **around(rng, 3, step)}
        rows = dict(rng.sample(list(rows.items()), len(rows)))
    return rows


@pytest.mark.parametrize("seed", range(60))
def test_rows_under_any_path_come_back_equal_with_their_lines(seed, monkeypatch):
    rng = Random(seed)
    size = rng.choice([1, 3, 10, 100, 1 << 20])
    for module in json_elements, json_lines, json_text:
        monkeypatch.setattr(module, "BLOCK_BYTES", size)
    rows = [{"a": n, "b": str(rng.choice(ODD[:7])), "c": [rng.choice(ODD)]} for n in range(rng.choice([0, 1, 9]))]  # fmt: skip
    path = rng.choices(["data", "x.y", "é", 'q"t', "\\"], k=rng.randint(1, 3))
    text = json.dumps(enveloped(rng, rows, path), ensure_ascii=seed % 2, indent=rng.choice([None, 0, 2])) + "\n\n"  # fmt: skip
    loaded, rejects = read(text, rows=path)
    assert [(int(a), b, json.loads(c)) for a, b, c in loaded.values()] == [tuple(row.values()) for row in rows]  # fmt: skip
    assert rejects == []
    numbers = range(1, len(rows) + 1)
    for number, origin, _ in json_lines.origins_of(io.BytesIO(text.encode()), job(COLUMNS, rows=path), numbers):  # fmt: skip
        assert json.loads(origin.raw) == rows[number - 1]
        assert origin.raw.splitlines()[0] in text.splitlines()[origin.line - 1]


GOOD = [
    ('{"data": []}', {"rows": "data"}, 0),
    ("", {"rows": "data"}, 0),
    (" \n", {"rows": "data"}, 0),
    ('\ufeff\n{"data": [{}]}', {"rows": "data"}, 1),
    ('{"result": {"records": [{}, {}]}}', {"rows": "result.records"}, 2),
    ('{"result": {"all.records": [{}]}}', {"rows": ["result", "all.records"]}, 1),
    ('{"a": {"data": 1}, "data": [{}], "b": [{"data": 2}]}', {"rows": "data"}, 1),
    ('{"d\\u0061ta": [{}]}', {"rows": "data"}, 1),
    ('{"t": ' + "[" * 10_000 + "]" * 10_000 + ', "data": [{}]}', {"rows": "data"}, 1),
]


@pytest.mark.parametrize(("text", "options", "count"), GOOD, ids=range(len(GOOD)))
def test_the_path_leads_to_the_rows(text, options, count):
    rows, rejects = read(text, **options)
    assert (len(rows), rejects) == (count, [])


BAD = [
    # the path does not lead there
    ('{"meta": 1, "rows": [],\n "x": {}}', "data", HeaderMismatch, ["no key 'data'", "'meta', 'rows', 'x'", "line: 2"]),
    ("{}", "data", HeaderMismatch, ["an object without keys"]),
    (json.dumps(dict.fromkeys(map(str, range(50)))), "data", HeaderMismatch, ["'19' and 30 more"]),
    ('{"result": {"x": 1}}', "result.records", HeaderMismatch, ["no key 'records' within result"]),
    ('{"data": {"a1": {"id": 1}}}', "data", HeaderMismatch, ["the key data holds an object", "with the keys 'a1'", "an array, by rows: data"]),
    ('{"data": "x"}', "data", HeaderMismatch, ["the key data holds a text"]),
    ('{"data": 5}', "data", HeaderMismatch, ["the key data holds a number"]),
    ('{"data": null}', "data", HeaderMismatch, ["the key data holds null"]),
    ('{"data": [{"records": []}]}', "data.records", HeaderMismatch, ["the key data holds an array", "write rows: data, if its elements are the rows"]),
    ('{"x.y": 1}', ["x.y"], HeaderMismatch, ['the key ["x.y"] holds a number']),
    ('[{"a": 1}]', "data", HeaderMismatch, ["the file holds an array", "leave out format.rows"]),
    ('{"a": 1}\n{"a": 2}\n', "data", HeaderMismatch, ["no key 'data'", "leave out format.rows: the file has one object a line"]),
    ('{"data": [{"a": 1}]}\n{"data": []}\n', "data", MisshapenRow, ["text follows", "leave out format.rows, if each line is a row"]),
    # a key of the path stands twice
    ('{"data": [{"a": 1}],\n"data": []}', "data", HeaderMismatch, ["the key data stands twice", "line: 2"]),
    ('{"r": {"d": []}, "r": {}}', "r.d", HeaderMismatch, ["the key r stands twice"]),
    # no JSON
    ('{"data": [{"a": 1}]} x', "data", MisshapenRow, ["text follows", "found: x"]),
    ('{"data": [{"a": 1}], }', "data", MisshapenRow, ["no JSON", "a key in double quotes"]),
    ('{"m": {"x": 01}, "data": []}', "data", MisshapenRow, ["no JSON"]),
    ('{"m": {"x": [1 2]}, "data": []}', "data", MisshapenRow, ["no JSON", "found: 2]}"]),
    ('{"m": [1}, "data": []}', "data", MisshapenRow, ["no JSON", ", or ]"]),
    ('{"m": "a\tb", "data": []}', "data", MisshapenRow, ["control characters"]),
    ('{"m": NaN, "data": []}', "data", MisshapenRow, ["found: NaN"]),
    ('{"data": [], "m": nul}', "data", MisshapenRow, ["found: nul}"]),
    ("id,name\n1,a\n", "data", MisshapenRow, ["found: 'id,name"]),
    ('{"m": ' + "[" * 200_000, "data", MisshapenRow, ["nested too deep"]),
    # cut
    ('{"data": [{"a": 1}, {"a"', "data", TruncatedFile, ["never closed"]),
    ('{"data": [{"a": 1}]', "data", TruncatedFile, ["ends within its JSON"]),
    ('{"data": [{"a": 1}], "m": {"x": 1', "data", TruncatedFile, ["ends within its JSON"]),
    ('{"data": [{"a": 1}], "m": "x', "data", TruncatedFile, ["ends within its JSON"]),
    ('{"m": tr', "data", TruncatedFile, ["ends within its JSON"]),
    ('{"m"', "data", TruncatedFile, ["ends within its JSON"]),
    ('{"data":', "data", TruncatedFile, ["ends within its JSON"]),
]  # fmt: skip


@pytest.mark.parametrize(("text", "path", "error", "words"), BAD, ids=range(len(BAD)))
def test_a_file_that_does_not_fit_is_refused_with_what_to_do(text, path, error, words):
    with pytest.raises(DataError) as raised:
        read(text, rows=path)
    message = str(raised.value)
    assert type(raised.value) is error
    assert [word for word in [*words, "what to do"] if word not in message] == []


def test_a_bad_element_fails_alone_with_the_line_where_it_begins():
    text = '{"m":\n1, "data": [\n{"a": 1},\n{"a":\n 01},\n 5]}'
    rows, rejects = read(text, rows="data")
    assert {number: row[0] for number, row in rows.items()} == {1: "1"}
    assert [(r.number, r.line, r.raw) for r in rejects] == [(2, 4, '{"a":\n 01}'), (3, 6, "5")]


def test_lines_are_right_behind_an_element_that_is_too_long():
    long = '{"b": "' + "\\n" * LONGEST_ROW + '"' + "\n" * 5 + "}"
    _, rejects = read(f'{{"data": [\n{long},\n7]}}', rows="data")
    assert [(r.reason, r.line) for r in rejects] == [("too_long", 2), ("json", 8)]


def test_an_element_that_holds_the_next_one_keeps_both_lines():
    _, rejects = read('{"data": [\n[{"a": 1},\n{"z": 1}],\n{"z": 1},\n{}]}', rows="data")
    assert [(r.number, r.line) for r in rejects] == [(1, 2), (2, 4)]


# ---- rows that are arrays ------------------------------------------------------------------------


def test_values_are_read_by_their_places():
    text = '{"data": [[1, "x", {"k": [1.50]}], [null, "\\u00fc", null]]}'
    assert read(text, rows="data", columns="by position") == (
        {1: ("1", "x", '{"k": [1.50]}'), 2: (None, "ü", None)}, [],
    )  # fmt: skip


BAD_ROWS = {
    "[1]": ("fields", "the row has 1 field, not 3"),
    "[1, 2, 3, 4]": ("fields", "the row has 4 fields, not 3"),
    "[]": ("fields", "the row has 0 fields, not 3"),
    '{"a": 1}': ("json", "the row is no JSON array, and columns are by position"),
    "[1, 2, 3,]": ("json", "expecting value"),
    "[1 2, 3]": ("json", "expecting ',' delimiter"),
    '[1, "\\u0000", 3]': ("zero_byte", "zero byte"),
}


@pytest.mark.parametrize("row", BAD_ROWS)
def test_an_array_that_does_not_fit_is_a_reject(row):
    reason, message = BAD_ROWS[row]
    rows, (reject,) = read(f"[[7, 8, 9],\n{row},\n[7, 8, 9]]", columns="by position")
    assert list(rows) == [1, 3]
    assert (reject.number, reject.line, reject.reason, reject.raw) == (2, 2, reason, row)
    assert message in reject.message


def test_an_array_of_no_arrays_has_rejects_alone():
    rows, rejects = read('[1, {"a": 1}, null]', columns="by position")
    assert (rows, [reject.reason for reject in rejects]) == ({}, ["json"] * 3)


def test_plain_arrays_take_the_fast_path():
    parser = FastPositionParser(job(), [0, 2, 3], 5)
    batch = parser.batch([b'[1, "unread", "x", [2], 0]', b'[null, {}, null, null, ""]'])
    assert batch.to_pylist() == [
        {"a": "1", "b": "x", "c": "[2]"},
        {"a": None, "b": None, "c": None},
    ]
    assert parser.batch([b'[1, 2, "x", 3]']) is None
    assert parser.batch([b'[1, 2, "x", 3, 4, 5]']) is None


# ---- the keys of the feed ------------------------------------------------------------------------


def feed(**keys):
    return Feed.model_validate(
        {
            "feed": "t", "source": {"bucket": "landing", "pattern": "*"}, "target": {"table": "raw.t"},
            "columns": {"a": "integer", "b": "text"}, **keys,
        }
    )  # fmt: skip


BAD_FEEDS = [
    ({"format": {"type": "json", "rows": ""}}, "at least 1 character"),
    ({"format": {"type": "json", "rows": []}}, "at least 1 item"),
    ({"format": {"type": "json", "rows": "data."}}, "at least 1 character"),
    ({"format": {"type": "json", "rows": 5}}, "keys with dots between them"),
    ({"format": {"type": "csv", "rows": "data"}}, "Extra inputs"),
    ({"format": {"type": "json", "columns": "by position", "paths": {"a": "x.a"}}}, "the rows are arrays, without keys"),
    ({"format": {"type": "json", "columns": "by position", "other_keys": "ignore"}}, "the rows are arrays, without keys"),
    ({"format": {"type": "json", "columns": "by position"}, "contract": {"new_columns": "rescue"}}, "the names of a file do not count"),
    ({"format": {"type": "json", "columns": "by position"}, "columns": {"a": {"type": "text", "from": ["x"]}}}, "the names of a file do not count"),
]  # fmt: skip


@pytest.mark.parametrize(("keys", "message"), BAD_FEEDS)
def test_keys_that_do_not_fit_are_refused(keys, message):
    with pytest.raises(ValueError, match=message):
        feed(**keys)


def test_a_key_of_another_format_is_told_as_one(read_yaml):
    text = (
        "feed: t\nsource: {bucket: landing, pattern: '*'}\nformat: {type: csv, rows: data}\n"
        "target: {table: raw.t}\ncolumns: {a: text}\n"
    )
    with pytest.raises(FeedError) as error:
        read_yaml(text)
    assert (error.value.place.line, error.value.what) == (3, "unknown key 'format.rows'")
    assert error.value.do == "leave it out: it is a key of type: json"


def test_columns_by_position_may_be_ignored():
    declared = feed(
        format={"type": "json", "columns": "by position"},
        columns={"x": {"ignore": True}, "a": "integer"},
    )
    assert declared.order == ("x", "a")


def test_the_schema_for_editors_takes_both_spellings_of_the_path():
    kinds = schema()["$defs"]["JsonFormat"]["properties"]["rows"]["anyOf"]
    assert [kind["type"] for kind in kinds] == ["string", "array", "null"]
