"""JSON one after the other, and by ids: all rows come back, and what is wrong with a file is told."""
# ruff: noqa: E501  the tables of cases

from __future__ import annotations

import io
import json
from random import Random

import pytest

from include.landfall.errors import DataError, HeaderMismatch, MisshapenRow, TruncatedFile
from include.landfall.feed.maxima import LONGEST_ROW
from include.landfall.feed.model import Feed
from include.landfall.read.formats import json_elements, json_lines, json_text
from include.landfall.read.rows import Origin
from tests.support.json_jobs import job
from tests.support.readings import gather

COLUMNS = {"id": "text", "b": "text", "c": "jsonb"}
PAIR = {"id": "text", "v": "jsonb"}
MANY = {"objects": "concatenated"}
ODD = ["", "x", "}{", '"', "\\", "],[", "é", "{", "a\nb", ',"k":{', "\x1e", "17", None, 1.5, True]


def read(data, *, types=COLUMNS, **options):
    data = data.encode() if isinstance(data, str) else data
    return gather(json_lines.rows(io.BytesIO(data), job(types, **options)))


def nested(rng):
    value = rng.choice(ODD)
    for _ in range(rng.randint(0, 8)):
        value = rng.choice([[value], {"k": value, "}": 1}, [value, []]])
    return value


def row(rng):
    return {"b": rng.choice(ODD[:12]), "c": nested(rng)}


def written(rng, value):
    return json.dumps(value, ensure_ascii=rng.random() < 0.5, indent=rng.choice([None, 0, 2]))


def members(rng, pairs):
    """An object in which a key may stand twice."""
    return "{" + ",".join(f"\n{json.dumps(k)} : {written(rng, v)}" for k, v in pairs) + "\n}"


def one_after_the_other(rng):
    rows = [{"id": str(n), **row(rng)} for n in range(rng.randint(0, 6))]
    text = "".join(written(rng, each) + rng.choice(["", "\n", " \r\n", "\n\x1e"]) for each in rows)
    return text, [tuple(each.values()) for each in rows], COLUMNS, MANY


def pages(rng):
    text, rows = "", []
    for _ in range(rng.randint(1, 3)):
        page = [{"id": str(n), **row(rng)} for n in range(rng.randint(0, 3))]
        rows += [tuple(each.values()) for each in page]
        text += written(rng, page) + rng.choice(["", "\n"])
    return text, rows, COLUMNS, MANY


def by_position(rng):
    rows = [[str(n), *row(rng).values()] for n in range(rng.randint(1, 6))]
    text = "".join(written(rng, each) + rng.choice(["", "\n"]) for each in rows)
    return text, [tuple(each) for each in rows], COLUMNS, {**MANY, "columns": "by position"}


def by_ids(rng):
    pairs = [(rng.choice(ODD[:12]), row(rng)) for _ in range(rng.randint(0, 6))]
    rows = [(key, *value.values()) for key, value in pairs]
    return members(rng, pairs), rows, COLUMNS, {"ids": "id"}


def values_by_ids(rng):
    pairs = [(rng.choice(ODD[:12]), nested(rng)) for _ in range(rng.randint(0, 6))]
    return members(rng, pairs), pairs, PAIR, {"ids": "id", "values": "v"}


def envelopes(rng):
    text, rows = "", []
    _, _, types, options = make = rng.choice([by_ids, values_by_ids])(rng)
    for _ in range(rng.randint(1, 3)):
        inner, below, _, _ = make
        text += members(rng, [("m", nested(rng))])[:-1] + f', "d": {inner}, "z": {{}}}}'
        rows += below
    return text, rows, types, {**MANY, **options, "rows": "d"}


@pytest.mark.parametrize("make", [one_after_the_other, pages, by_position, by_ids, values_by_ids, envelopes])  # fmt: skip
@pytest.mark.parametrize("seed", range(8))
def test_rows_of_any_form_come_back_equal_with_their_lines(seed, make, monkeypatch):
    rng = Random(seed)
    size = rng.choice([3, 17, 100, 1 << 20])
    for module in json_elements, json_lines, json_text:
        monkeypatch.setattr(module, "BLOCK_BYTES", size)
    text, expected, types, options = make(rng)
    loaded, rejects = read(text, types=types, **options)
    assert [(*cells[:-1], cells[-1] and json.loads(cells[-1])) for cells in loaded.values()] == expected  # fmt: skip
    assert rejects == []
    reading = job(types, **options)
    lines = text.split("\n")
    for number, origin, cells in json_lines.origins_of(io.BytesIO(text.encode()), reading, list(loaded)):  # fmt: skip
        assert tuple(cells) == loaded[number]
        json.loads(origin.raw)
        first = origin.raw.partition("\n")[0]
        key = json.dumps(cells[0]) if "ids" in options else first.strip()
        assert key in lines[origin.line - 1]


GOOD = [
    ("", MANY, 0),
    (" \n", MANY, 0),
    ('\ufeff{"id": "1"}\n\n{"id": "2"}', MANY, 2),
    ('\x1e{"id": "1"}\n\x1e{"id": "2"}\n', MANY, 2),  # RFC 7464
    ('{\n "id": "1"\n}', MANY, 1),
    ("[][]", MANY, 0),
    ("", {"ids": "id"}, 0),
    ("{}", {"ids": "id"}, 0),
    ('{"a": { }, "b": {\n}}', {"ids": "id"}, 2),
    ('{"a": {}}{"b": {}}', {"ids": "id", **MANY}, 2),
    ('{"u": {"a": {}}, "v": {"b": {}}}', {"ids": "id", "rows": "u"}, 1),
]


@pytest.mark.parametrize(("text", "options", "count"), GOOD, ids=range(len(GOOD)))
def test_files_at_the_edge_have_their_rows(text, options, count):
    rows, rejects = read(text, **options)
    assert (len(rows), rejects) == (count, [])


BAD_ROWS = [
    # text, options, and for each reject its number, line, and text
    ('{"id": "1"} foo {"id": 2}\n} bar\n{"id": [01]}{}', MANY, [(2, 1, "foo"), (4, 2, "} bar"), (5, 3, '{"id": [01]}')]),
    ('{"id": "1"},\n{"id": "2"}', MANY, [(2, 1, ",")]),
    ('{"id": "1"},{"id": "}{", "b": "x"}{"id": "3"}{"id": "4"}', MANY, [(2, 1, ",")]),
    ('{"a": {},\n"b": {"c": 01},\n"c": 5,\n"d": {"x": 1}, "e": {}}', {"ids": "id"}, [(2, 2, '{"id": "b", "c": 01}'), (3, 3, '"c": 5'), (4, 4, '{"id": "d", "x": 1}')]),
    ('{"a": {"id": "7"}, "b": {"c": 1} {}, "c": {"c": 1}}', {"ids": "id"}, [(1, 1, '{"id": "a", "id": "7"}'), (2, 1, '{"id": "b", "c": 1} {}')]),
    ('{"a": {}, "\\ud800": {}, "b\\x": {}, "c": {}}', {"ids": "id"}, [(2, 1, '{"id": "\\ud800"}'), (3, 1, '{"id": "b\\x"}')]),
]  # fmt: skip


@pytest.mark.parametrize(("text", "options", "expected"), BAD_ROWS, ids=range(len(BAD_ROWS)))
def test_a_bad_record_fails_alone_with_its_line_and_text(text, options, expected):
    rows, rejects = read(text, **options)
    assert [(r.number, r.line, r.raw) for r in rejects] == expected
    assert rows


def test_columns_are_found_by_the_names_in_the_first_array(monkeypatch):
    for size in (3, 1 << 20):
        for module in json_elements, json_lines, json_text:
            monkeypatch.setattr(module, "BLOCK_BYTES", size)
        text = '[["c", "id", "b"],\n["x"],\n[{"k": 1}, 7, "y"], {}, [null, null, null]]'
        rows, rejects = read(text, header=True)
        assert rows == {2: ("7", "y", '{"k": 1}'), 4: (None, None, None)}
        assert [(r.number, r.line, r.reason) for r in rejects] == [(1, 2, "fields"), (3, 3, "json")]
        (origin,) = json_lines.origins_of(io.BytesIO(text.encode()), job(COLUMNS, header=True), [2])
        assert origin[1:] == (Origin(3, '[{"k": 1}, 7, "y"]'), ["7", "y", '{"k": 1}'])


def test_the_first_array_tells_the_columns_of_the_file():
    text = b'{"m": 1, "values": [["b", "id"], ["x", 1]]}'
    reading = job(COLUMNS, header=True, rows="values")
    assert json_lines.names_of(io.BytesIO(text), reading) == ["b", "id"]
    assert json_lines.names_of(io.BytesIO(b"[]"), job(COLUMNS, header=True)) == []
    with pytest.raises(HeaderMismatch, match="missing"):
        read(text, rows="values", header=True)


def test_brackets_of_a_text_are_no_end_of_an_object():
    for text in ('{"id": "}{"},{"id": "2"}{"id": "3"}{}', '{"id": "}{"}{"id": "2"}{"id": "3"}{}'):
        rows, _ = read(text, **MANY)
        assert [cells[0] for cells in rows.values()] == ["}{", "2", "3", None]


def test_values_that_are_no_objects_say_which_key_takes_them():
    _, (reject,) = read('{"EUR": 1.08}', ids="id")
    assert "format.values names no column" in reject.message


def test_a_record_that_is_too_long_fails_alone():
    long = '{"b": "' + "\\n" * LONGEST_ROW + '"}'
    for text, options in ((f'{long}\n{{"id": "2"}}', MANY), (f'{{"x": {long},\n"y": {{}}}}', {"ids": "id"})):  # fmt: skip
        rows, rejects = read(text, **options)
        assert (list(rows), [(r.number, r.line, r.reason) for r in rejects]) == ([2], [(1, 1, "too_long")])  # fmt: skip


BAD = [
    ('{"id": "1"}\n{"id":\n"2"', MANY, TruncatedFile, ["last JSON object is never closed", "line: 2"]),
    ('[{"id": "1"}][{', MANY, TruncatedFile, ["array is never closed"]),
    ('[{"id": "1"}]{"id": "2"}', MANY, MisshapenRow, ["text follows the JSON array"]),
    ("[" * 200_000, {**MANY, "columns": "by position"}, MisshapenRow, ["nested too deep"]),
    ('{"a": {},\n"b": {}', {"ids": "id"}, TruncatedFile, ["object with the rows is never closed", "a } at the end"]),
    ('{"a": {},\n{"id": "x"}}', {"ids": "id"}, MisshapenRow, ["a key in double quotes", "line: 2"]),
    ('{"a": {},}', {"ids": "id"}, MisshapenRow, ["a key in double quotes"]),
    ('{"a": {}} x', {"ids": "id"}, MisshapenRow, ["text follows the JSON object", "found: x"]),
    ('{"a": {}}\n{"b": {}}', {"ids": "id"}, MisshapenRow, ["write objects: concatenated", "leave out format.ids, if each line"]),
    ('[{"id": 1}]', {"ids": "id"}, HeaderMismatch, ["format.ids leads to no object: the file holds an array", "leave out format.ids"]),
    ('{"u": [{"id": 1}]}', {"ids": "id", "rows": "u"}, HeaderMismatch, ["format.ids leads to no object: the key u holds an array", "leave out format.ids"]),
    ('{"u": 5}', {"ids": "id", "rows": "u"}, HeaderMismatch, ["the key u holds a number"]),
    ('{"u": []}\n{"v": 1}', {**MANY, "rows": "u"}, HeaderMismatch, ["no key 'u'", "line: 2"]),
    ('{"u": []} x', {**MANY, "rows": "u"}, MisshapenRow, ["no JSON", "found: x"]),
    ('[[1, "id"]]', {"header": True}, HeaderMismatch, ["the first row is no array of names", "line: 1", "leave out format.header"]),
    ('[{"id": 1}]', {"header": True}, HeaderMismatch, ["the first row is no array of names"]),
    ('[["id", "b", "z"], [1, 2, 3]]', {"header": True}, HeaderMismatch, ["missing", "z"]),
    ('{"u": ["' + "x" * LONGEST_ROW + '"]}', {**MANY, "rows": "u"}, MisshapenRow, ["hold the rows is too long", "8 MiB"]),
]  # fmt: skip


@pytest.mark.parametrize(("text", "options", "error", "words"), BAD, ids=range(len(BAD)))
def test_a_file_that_does_not_fit_is_refused_with_what_to_do(text, options, error, words):
    with pytest.raises(DataError) as raised:
        read(text, **options)
    message = str(raised.value)
    assert type(raised.value) is error
    assert [word for word in [*words, "what to do"] if word not in message] == []


BAD_FEEDS = [
    ({"objects": "lines"}, "Input should be 'one a line' or 'concatenated'"),
    ({"ids": ""}, "at least 1 character"),
    ({"ids": "x"}, "a column that is loaded from the file, which x is not"),
    ({"ids": "a", "values": "x"}, "a column that is loaded from the file, which x is not"),
    ({"values": "b"}, "ids, too: the column for the keys"),
    ({"ids": "a", "values": "a"}, "another column than that of ids"),
    ({"ids": "a", "values": "b", "other_keys": "ignore"}, "no more than two keys"),
    ({"ids": "a", "values": "b", "paths": {"b": "x.b"}}, "no more than two keys"),
    ({"ids": "a", "paths": {"a": "x.a"}}, "a column without a path"),
    ({"ids": "a", "columns": "by position"}, "the rows are arrays, without keys"),
    ({"ids": "a", "header": True}, "header: true the rows are arrays, without keys"),
    ({"header": True, "columns": "by position"}, "the first array gives the columns' order"),
    ({"header": True, "rows": "d", **MANY}, "each would have names of its own"),
]


@pytest.mark.parametrize(("options", "message"), BAD_FEEDS, ids=range(len(BAD_FEEDS)))
def test_keys_that_do_not_fit_are_refused(options, message):
    keys = {
        "feed": "t", "source": {"bucket": "landing", "pattern": "*"}, "target": {"table": "raw.t"},
        "columns": {"a": "integer", "b": "text"}, "format": {"type": "json", **options},
    }  # fmt: skip
    with pytest.raises(ValueError, match=message):
        Feed.model_validate(keys)


def test_an_id_that_no_column_takes_is_another_key():
    types = {"b": "text"}
    rows, _ = read('{"1": {"b": "x"}}', types=types, ids="id", other_keys="ignore")
    assert rows == {1: ("x",)}
