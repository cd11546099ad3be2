"""JSON becomes cells of text, each value as the file writes it, and a bad record is a reject."""

from __future__ import annotations

import io
import json

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from include.landfall.errors import MisshapenRow, TruncatedFile
from include.landfall.feed.formats import read_format
from include.landfall.feed.maxima import LONGEST_ROW
from include.landfall.feed.model import Feed
from include.landfall.read.formats import json_lines
from include.landfall.read.formats.json_exact import Keys
from include.landfall.read.formats.json_fast import FastParser
from include.landfall.read.formats.json_nested import NestedFastParser
from include.landfall.read.formats.text_blocks import Block
from tests.support.json_jobs import job
from tests.support.readings import gather


def read(data, *args, **options):
    """The rows in the feed's order, by their numbers, and the rejects."""
    data = data.encode() if isinstance(data, str) else data
    return gather(json_lines.rows(io.BytesIO(data), job(*args, **options)))


CELLS = {
    '{"a": 1, "b": "x", "c": {"k": [1, 2.50]}}': ("1", "x", '{"k": [1, 2.50]}'),
    '{"c":null,"b":null,"a":null}': (None, None, None),
    "{}": (None, None, None),
    ' { "b" : "" } \r': (None, "", None),
    '{"a": 12345678901234567890123456789.10}': ("12345678901234567890123456789.10", None, None),
    '{"a": 1E+5, "b": 1.10}': ("1E+5", "1.10", None),
    '{"a": "12", "b": true}': ("12", "true", None),
    '{"b": "say \\"\\u00fc\\n\\ud83d\\ude00\\""}': (None, 'say "ü\n😀"', None),
    '{"b": "ü😀"}': (None, "ü😀", None),
    '{"b": {"x": [1, "]}"]}}': (None, '{"x": [1, "]}"]}', None),
    '{"c": "text"}': (None, None, '"text"'),
    '{"c": 1.0}': (None, None, "1.0"),
    '{"c": {"a": 1, "b": "a"}, "a": 2}': ("2", None, '{"a": 1, "b": "a"}'),
    '{"b": "a", "a": 1}': ("1", "a", None),
    '{"\\u0061": 1}': ("1", None, None),
}


@pytest.mark.parametrize("line", CELLS)
def test_a_value_is_taken_as_the_file_writes_it(line):
    assert read(line) == ({1: CELLS[line]}, [])


@pytest.mark.parametrize("line", CELLS)
def test_an_element_of_an_array_is_read_as_a_line_is(line):
    assert read(f"[{line},\n{line}]") == ({1: CELLS[line], 2: CELLS[line]}, [])


def test_a_column_may_be_named_with_quotes_and_backslashes():
    names = ['say "x"', "a\\b", "tab\t"]
    data = json.dumps(dict.fromkeys(names, "v"))
    rows, rejects = read(f"{data}\n{data}", dict.fromkeys(names, "text"))
    assert (rows, rejects) == ({1: ("v",) * 3, 2: ("v",) * 3}, [])


REJECTS = {
    '{"a": 1': ("json", None, "expecting ',' delimiter at character 8"),
    '{"a": 01}': ("json", None, "delimiter"),
    '{"a": 1} x': ("json", None, "extra data at character 10"),
    '{"a": 1}{"a": 2}': ("json", None, "extra data"),
    '{"a": NaN}': ("json", None, "NaN is no JSON"),
    '{"a": }': ("json", None, "expecting value at character 7"),
    "{'a': 1}": ("json", None, "double quotes"),
    '{"a": 1,}': ("json", None, "double quotes"),
    '{"b": "x\ty"}': ("json", None, "control character"),
    "[1]": ("json", None, "no JSON object"),
    "12": ("json", None, "no JSON object"),
    "a,b": ("json", None, "no JSON object"),
    '{"a": 1, "a": 2}': ("duplicate_key", "a", "the key 'a' twice"),
    '{"a": 1, "\\u0061": 2}': ("duplicate_key", "a", "the key 'a' twice"),
    '{"b": "x\\"a\\"y", "a": 1, "a": 1}': ("duplicate_key", "a", "the key 'a' twice"),
    '{"a": 1, "z": 2}': ("other_key", None, "does not know: 'z'"),
    '{"b": "x\\u0000y"}': ("zero_byte", None, "zero byte"),
    '{"b": "\\ud83d"}': ("encoding", None, "half of a surrogate pair"),
    '{"c": ' + "[" * 10_000 + "]" * 10_000 + "}": ("json", None, "nested too deep"),
}


@pytest.mark.parametrize("line", REJECTS, ids=range(len(REJECTS)))
def test_a_bad_line_is_a_reject_with_its_line_and_text(line):
    rows, (reject,) = read('{"a": 7}\n\n' + line + '\r\n{"a": 8}\n')
    assert (rows[1][0], rows[3][0]) == ("7", "8")
    reason, column, message = REJECTS[line]
    assert (reject.number, reject.line, reject.raw) == (2, 3, line)
    assert (reject.reason, reject.column) == (reason, column)
    assert message in reject.message


@pytest.mark.parametrize("text", ["x", "12:30", "a"])
def test_a_key_that_stands_twice_is_seen_where_all_records_have_all_keys(text):
    good = f'{{"a":1,"b":"{text}","c":null}}'
    _, (reject,) = read(f'{good}\n{good}\n{{"a":1,"b":"{text}","c":null,"a":2}}\n{good}')
    assert (reject.number, reject.reason) == (3, "duplicate_key")


def test_bytes_that_are_no_text_are_a_reject():
    rows, rejects = read(b'{"b":"x"}\n{"b":"\xff"}\n{"b":"\0"}\n')
    assert list(rows) == [1]
    assert [(r.reason, r.raw) for r in rejects] == [
        ("encoding", '{"b":"\\xff"}'), ("zero_byte", '{"b":"\\x00"}'),
    ]  # fmt: skip


def test_a_letter_that_the_database_lacks_is_a_reject():
    data = '{"b":"ü"}\n{"b":"€"}\n{"b":"\\u20ac"}\n'
    rows, rejects = read(data, encoding="latin-1")
    assert list(rows) == [1]
    assert [r.message for r in rejects] == [
        "the row holds a letter that the database's encoding lacks"
    ] * 2


def test_other_keys_may_be_ignored():
    data = '{"a": 1, "z": {"a": 5}}\n{"z": 1, "z": 2, "b": "x"}\n'
    assert read(data, other_keys="ignore") == ({1: ("1", None, None), 2: (None, "x", None)}, [])


PATHS = {"city": "address.city", "zip": ["address", "zip.code"]}
PATH_COLUMNS = {"id": "integer", "city": "text", "zip": "text", "address": "jsonb"}


def test_paths_lead_to_keys_of_objects():
    address = '{"city": "Bern", "zip.code": "3011"}'
    rows, rejects = read(f'{{"id": 1, "address": {address}}}', PATH_COLUMNS, paths=PATHS)
    assert (rows, rejects) == ({1: ("1", "Bern", "3011", address)}, [])


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ('{"address": [1]}', "path"), ('{"address": "Bern"}', "path"),
        ('{"address": {"city": 1, "city": 2}}', "duplicate_key"),
        ('{"address": {"country": "CH"}}', "other_key"),
    ],
)  # fmt: skip
def test_what_a_path_does_not_fit_is_a_reject(line, reason):
    _, (reject,) = read(line, PATH_COLUMNS, paths=PATHS)
    assert reject.reason == reason


def test_null_on_a_path_is_null():
    assert read('{"address": null}\n{}', PATH_COLUMNS, paths=PATHS)[0] == {
        1: (None, None, None, None), 2: (None, None, None, None),
    }  # fmt: skip


def test_arrays_become_arrays_of_postgres():
    columns = {"a": "integer[]", "b": "text[]"}
    line = '{"a": [1, null, 2], "b": ["x,y", "say \\"\\\\\\"", null, ""]}\n{"a": [], "b": "{x}"}'
    rows, _ = read(line, columns)
    assert rows == {1: ('{"1",NULL,"2"}', '{"x,y","say \\"\\\\\\"",NULL,""}'), 2: ("{}", "{x}")}


def test_arrays_of_arrays_become_further_dimensions_and_stay_json_in_json():
    columns = {"a": "integer[]", "b": "text[]", "c": "jsonb[]"}
    rows, _ = read('{"a": [[1, 2], [3, null]], "b": [[["x"]], [["{"]]], "c": [[1], {}]}', columns)
    assert rows == {1: ('{{"1","2"},{"3",NULL}}', '{{{"x"}},{{"{"}}}', '{"[1]","{}"}')}


@pytest.mark.parametrize(
    ("data", "count"),
    [
        ("", 0),
        (" \n\n", 0),
        ("[]", 0),
        ("[ \n ]\n", 0),
        ("\ufeff[{}]", 1),
        ("\ufeff{}", 1),
        ("\n\n[{}]", 1),
    ],
)
def test_the_first_byte_tells_an_array_from_lines(data, count):
    rows, rejects = read(data)
    assert (len(rows), rejects) == (count, [])


def test_a_bad_element_fails_alone_with_the_line_where_it_begins():
    data = '[\n{"a": 1},\n{"a":\n 01},\n {"a": "]},[{"},\n,{"a": [}]},\n5]\n'
    rows, rejects = read(data)
    assert {number: row[0] for number, row in rows.items()} == {1: "1", 3: "]},[{"}
    assert [(r.number, r.line, r.raw) for r in rejects] == [
        (2, 3, '{"a":\n 01}'), (4, 6, ""), (5, 6, '{"a": [}]}'), (6, 7, "5"),
    ]  # fmt: skip


def test_an_array_that_is_cut_off_or_followed_by_text_is_refused_whole():
    with pytest.raises(TruncatedFile, match="never closed"):
        read('[{"a": 1}, {"a": "')
    with pytest.raises(MisshapenRow, match="text follows the JSON array"):
        read('[{"a": 1}]\n{"a": 2}')


@pytest.mark.parametrize("form", ["{}\n", "[{}]"])
def test_a_row_that_is_too_long_is_a_reject_that_is_cut(form):
    long = '{"b": "' + "\\\\" * LONGEST_ROW + '"}'
    separator = "," if form[0] == "[" else "\n"
    data = form.replace("{}", separator.join(['{"a": 1}', long, '{"a": 3}', long]))
    rows, rejects = read(data)
    assert {number: row[0] for number, row in rows.items()} == {1: "1", 3: "3"}
    assert [(r.number, r.reason, len(r.raw)) for r in rejects] == [
        (2, "too_long", 1000), (4, "too_long", 1000),
    ]  # fmt: skip


def test_the_origins_of_rows_are_found_in_one_more_pass():
    data = b'{"a":1}\n\n{"a":\n{"a":3}\n'
    origins = list(json_lines.origins_of(io.BytesIO(data), job(), [1, 2, 3]))
    assert [(n, o.line, o.raw, cells) for n, o, cells in origins] == [
        (1, 1, '{"a":1}', ["1", None, None]), (2, 3, '{"a":', None),
        (3, 4, '{"a":3}', ["3", None, None]),
    ]  # fmt: skip


# ---- both parsers are one ------------------------------------------------------------------------

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text() | st.sampled_from(["a", "b", "c", '"a"', "\\"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abcz"), inner),
    max_leaves=5,
)  # fmt: skip
OBJECTS = st.dictionaries(st.sampled_from("abcz"), VALUES)


def texts_of(objects, ascii_only, repeats):
    lines = [json.dumps(each, ensure_ascii=ascii_only) for each in objects]
    return [
        line[:-1] + ', "a": 5}' if repeat and len(line) > 2 else line
        for line, repeat in zip(lines, repeats, strict=True)
    ]


@settings(max_examples=300, deadline=None)
@given(st.data(), st.booleans(), st.sampled_from(["refuse", "ignore"]))
def test_the_fast_parser_gives_what_the_exact_one_gives(data, ascii_only, other_keys):
    objects = data.draw(st.lists(OBJECTS, min_size=1, max_size=4))
    repeats = [data.draw(st.integers(0, 9)) == 0 for _ in objects]
    lines = texts_of(objects, ascii_only, repeats)
    if data.draw(st.booleans()):  # a letter goes, so that most lines are no JSON
        at = data.draw(st.integers(0, len(lines[0]) - 1))
        lines[0] = lines[0][:at] + lines[0][at + 1 :]
    raws = [line.encode("utf-8", "surrogatepass") for line in lines]
    planned = job(other_keys=other_keys)
    keys = Keys.of(planned.names, {})
    batch = FastParser(planned, keys, other_keys == "refuse").batch(raws)
    slow = json_lines.rows_of(
        Block(1, raws, range(len(raws))), json_lines._exact(planned).cells, planned
    )
    if batch is not None:
        assert list(slow.misshapen) == []
        assert slow.batch.to_pylist() == batch.to_pylist()


NESTED_TYPES = {"a": "text", "n": "integer", "x": "text", "y": "jsonb", "z": "text[]"}
NESTED_PATHS = {"n": "b.a", "x": "b.c.a", "y": "b.c.z", "z": "c.b"}


@settings(max_examples=100, deadline=None)
@given(st.data(), st.booleans(), st.sampled_from(["refuse", "ignore"]))
def test_the_fast_parser_of_paths_gives_what_the_exact_one_gives(data, ascii_only, other_keys):
    inner = st.dictionaries(st.sampled_from("abcz"), VALUES | OBJECTS)
    records = st.dictionaries(st.sampled_from("abc"), VALUES | inner)
    objects = data.draw(st.lists(records, min_size=1, max_size=4))
    lines = texts_of(objects, ascii_only, [data.draw(st.integers(0, 9)) == 0 for _ in objects])
    if data.draw(st.integers(0, 3)) == 0:  # a key of an object below stands twice
        lines = [line.replace('"a": ', '"a": "a", "a": ', 1) for line in lines]
    raws = [line.encode("utf-8", "surrogatepass") for line in lines]
    planned = job(NESTED_TYPES, other_keys=other_keys, paths=NESTED_PATHS)
    batch = NestedFastParser(planned, json_lines._keys(planned), other_keys == "refuse").batch(raws)
    slow = json_lines.rows_of(
        Block(1, raws, range(len(raws))), json_lines._exact(planned).cells, planned
    )
    if batch is not None:
        assert list(slow.misshapen) == []
        assert slow.batch.to_pylist() == batch.to_pylist()


def test_plain_records_with_paths_take_the_fast_path():
    planned = job(NESTED_TYPES, paths=NESTED_PATHS, other_keys="ignore")
    parser = NestedFastParser(planned, json_lines._keys(planned), False)
    lines = [
        b'{"a": "a", "b": {"a": 1, "c": {"a": "b", "z": {"a": 2}}}, "c": {"b": ["x"]}, "q": 1}',
        b'{"a": null, "b": {"a": null, "c": null}, "c": {}}',
        b'{"b": null}',
        b"{}",
    ]
    assert [tuple(row.values()) for row in parser.batch(lines).to_pylist()] == [
        ("a", "1", "b", '{"a": 2}', '{"x"}'), *[(None,) * 5] * 3,
    ]  # fmt: skip
    assert parser.batch([b'{"b": {"a": 1}, "b": {"a": 2}}']) is None
    assert parser.batch([b'{"b": {"a": 1, "a": 2}}']) is None
    assert parser.batch([b'{"b": 5}']) is None


def test_plain_records_take_the_fast_path():
    lines = [json.dumps({"a": n, "b": "é\n", "c": {"a": "b"}}).encode() for n in range(5)]
    planned = job()
    batch = FastParser(planned, Keys.of(planned.names, {}), True).batch(
        [line.replace(b"\\u00e9", "é".encode()) for line in lines]
    )
    assert isinstance(batch, pa.RecordBatch)
    assert batch.num_rows == 5


BAD_OPTIONS = [
    ({"other_keys": "drop"}, "'refuse' or 'ignore'"),
    ({"paths": {"a": ""}}, "at least 1 character"),
    ({"paths": {"a": []}}, "at least 1 item"),
]


@pytest.mark.parametrize(("options", "message"), BAD_OPTIONS)
def test_a_bad_option_is_refused(options, message):
    with pytest.raises(ValueError, match=message):
        read_format({"type": "json", **options})


@pytest.mark.parametrize("new_columns", ["ignore", "rescue", "evolve"])
def test_other_keys_has_no_effect_beside_rules_for_new_columns(new_columns):
    keys = {
        "feed": "t", "source": {"bucket": "landing", "pattern": "*"}, "target": {"table": "raw.t"},
        "columns": {"a": "text"}, "contract": {"new_columns": new_columns},
    }  # fmt: skip
    Feed.model_validate({**keys, "format": "json"})
    with pytest.raises(ValueError, match=f"new_columns: {new_columns} says what becomes of them"):
        Feed.model_validate({**keys, "format": {"type": "json", "other_keys": "ignore"}})
