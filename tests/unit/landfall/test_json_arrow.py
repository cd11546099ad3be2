"""Arrow takes a block of JSON only where it reads what the exact parser and Postgres read."""

from __future__ import annotations

import io
import json
from decimal import Decimal

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from include.landfall.feed.maxima import LONGEST_ROW
from include.landfall.job import Bounds
from include.landfall.read.casts.own_types import as_text
from include.landfall.read.formats import json_lines
from include.landfall.read.formats.json_arrow import AHEAD, TRIES, ArrowParser
from include.landfall.read.formats.json_exact import Keys
from include.landfall.read.formats.text_blocks import Block, Unreadable, check_cells
from tests.support.json_jobs import job

COLUMNS = {
    "i": "integer", "n": "numeric(5,2)", "f": "double precision", "o": "boolean", "t": "text",
    "d": "date",
}  # fmt: skip
FULL = '{"i":1,"n":2.50,"f":0.5,"o":true,"t":"x","d":"2013-01-01"}'


def block_of(data):
    """The first block of a file, as the reader cuts it."""
    data = data.encode("utf-8", "surrogatepass") if isinstance(data, str) else data
    return next(json_lines._blocks(io.BytesIO(), data, job()))


def typed(data, columns=COLUMNS, encoding=None, **options):
    """The batch that Arrow gives of a block of lines, or None."""
    planned = job(columns, encoding, **options)
    refuses = options.get("other_keys") != "ignore"
    keys = json_lines._keys(planned)
    return ArrowParser(planned, keys, refuses).batch(block_of(data).raws)


def cells(data, columns=COLUMNS, encoding=None, **options):
    """The rows of the exact parser, or None where it refuses one of them."""
    planned = job(columns, encoding, **options)
    parser = json_lines._exact(planned)
    try:
        rows = [parser.cells(raw) for raw in block_of(data).raws]
        for row in rows:
            check_cells(row, encoding)
    except Unreadable:
        return None
    return rows


def is_same(value, text):
    """Whether a typed value is the one that Postgres reads from the text."""
    if value is None or text is None:
        return value is text
    if isinstance(value, bool):
        return text == str(value).lower()
    if isinstance(value, int):
        return text.lstrip("-").isdigit() and value == int(text)
    if isinstance(value, float):
        return value == float(text) and (value != 0 or not Decimal(text))
    if isinstance(value, Decimal):
        return value == Decimal(text) and abs(value) < 1000
    return value == text


TAKEN = {
    "all kinds": FULL,
    "NULL": '{"i":null,"n":null,"f":null,"o":null,"t":null,"d":null}',
    "no key": "{}\n{}",
    "keys in another order": '{"t":"x","i":1}\n{"i":2,"t":"y"}',
    "spaces": '{ "i" : 1 ,\t"t" : "x" }\n{"i": 2}',
    "CRLF": '{"i":1}\r\n{"i":2}\r\n',
    "CRLF and LF": '{"i":1}\r\n{"i":2}\n{"i":3}',
    "a byte order mark": "\ufeff" + FULL,
    "escapes": r'{"t":"\"\\\/\b\f\n\r\t\u00fc\ud83d\ude00"}',
    "letters": '{"t":"ü😀"}',
    "brackets in a text": '{"t":"}{[]"}\n{"t":"} {"}',
    "minus zero": '{"i":-0,"n":-0,"f":-0.0}',
    "exponents": '{"n":1e2,"f":1E5}',
    "decimals as texts": '{"n":"12.50"}\n{"n":".5"}\n{"n":"+5."}',
    "decimals beside texts like exponents": '{"n":"1e2","t":"0x1F, +-5"}\n{"n":1,"t":"12e4-0x"}',
    "zeros behind the point": '{"n":1.5000}',
    "the smallest float": '{"f":4.9e-324}',
    "zero and a small float": '{"f":0}\n{"f":0.001}',
    "an empty line": '{"i":1}\n\n{"i":2}',
    "an array": '[{"i":1},\n{"i":2}]',
}


@pytest.mark.parametrize("name", TAKEN)
def test_a_plain_block_is_read_by_arrow(name):
    batch, rows = typed(TAKEN[name]), cells(TAKEN[name])
    assert batch is not None
    for row, texts in zip(batch.to_pylist(), rows, strict=True):
        assert all(map(is_same, row.values(), texts))


def test_a_key_may_be_escaped():
    assert typed(r'{"\u0069":1}', {"i": "integer"}).column("i").to_pylist() == [1]


def test_values_have_the_declared_types():
    types = [str(own) for own in typed(FULL).schema.types]
    assert types == ["int32", "decimal128(5, 2)", "double", "bool", "string", "string"]


REFUSED = {
    **{f"integer {v}": f'{{"i":{v}}}' for v in (
        "1.0", "1e3", "+1", "01", "0x1F", "NaN", "true", '"1"', "2147483648", "[]", "{}",
    )},
    **{f"decimal {v}": f'{{"n":{v}}}' for v in (
        "1.005", "1000", "999.995", "1e3", "1e400", "NaN", "true", '""', '" 1"', '"1 "', '"1_0"',
        '"0x1F"', '"NaN"', '"Infinity"', '"."', '"1e"', "9" * 39, "0." + "0" * 44 + "1",
        "340282366920938463463374607431768211457", '"2E+-1"', '"1e0x1"', '"1E-0X1"',
        r'"2\u0045+\u002d1"',
    )},
    **{f"float {v}": f'{{"f":{v}}}' for v in (
        "1e400", "-1e400", "1e-400", "NaN", "-NaN", "Infinity", "-Infinity", "Inf", '"1"',
        "1.7976931348623159e308", "2e-324", "0." + "0" * 400 + "1",
    )},
    **{f"boolean {v}": f'{{"o":{v}}}' for v in ("1", "0", '"true"', "TRUE")},
    **{f"text {v}": f'{{"t":{v}}}' for v in (
        "1", "true", "[]", "{}", '"\\u0000"', '"\\ud83d"', '"\\ude00"', '"\\x"', '"a\tb"', '"\x01"',
        '"\ud83d"', "'x'", "nul",
    )},
    "an odd exponent among many x": '{"n":"1e0x1","t":"' + "x" * 20_000 + '"}',
    "an odd exponent behind many x": '{"t":"' + "x" * 9 + " " * 20_000 + '","n":"1e0x1"}',
    "a key twice": '{"i":1,"i":1}',
    "a key twice, NULL": '{"i":1,"i":null}',
    "a key twice, escaped": r'{"i":1,"\u0069":1}',
    "another key": '{"i":1,"z":1}',
    "two objects on a line": '{"i":1}{"i":2}',
    "an object over two lines": '{"i":\n1}',
    "as many objects as lines": '{"i":1}{"i":2}\n{"i":\n3}',
    "as many objects as lines, ends as objects have": '{"i":1}{"i":2}\n{"t":"}\n{"}',
    "NULL between objects": '{"i":1}null{"i":2}\n{"i":\n3}',
    "NULL on a line": '{"i":1}\nnull\n{"i":2}',
    "NULL first": 'null\n{"i":1}',
    "NULL before an object": 'null{"i":1}',
    "text behind an object": '{"i":1} x\n{"i":2}',
    "a comma behind an object": '{"i":1},\n{"i":2}',
    "a comma behind a value": '{"i":1,}',
    "a comment": '{"i":1/* one */}',
    "a byte order mark inside": '{"i":1}\n\ufeff{"i":2}',
    "a line end in a text": '{"t":"a\nb"}',
    "no object": "{}\n[1]",
    "an object that is not closed": '{"i":1}\n{"i":2',
    "no UTF-8": b'{"t":"\xff"}',
    "a letter of two bytes that is cut": b'{"t":"\xc3"}',
    "a zero byte": b'{"t":"\0"}',
    "an element over two lines": '[{"i":1},{"i":\n2}]',
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_arrow_may_read_in_another_way_is_left_to_the_other_parsers(name):
    assert typed(REFUSED[name]) is None


def test_a_zero_byte_is_left_to_them_where_no_column_is_a_decimal_too():
    assert typed(r'{"t":"x\u0000y"}', {"t": "text"}) is None


IGNORED = [
    "1",
    "NaN",
    "[NaN]",
    '{"a":-Infinity }',
    '"\\ud83d"',
    "[1,]",
    "01",
    "[" * 400 + "]" * 400,
]


@pytest.mark.parametrize("value", IGNORED, ids=range(len(IGNORED)))
def test_the_value_of_an_ignored_key_must_be_json_too(value):
    data = f'{{"z":{value},"i":1}}\n{{"z":{{"i":5,"i":6}},"z":2,"i":2}}'
    batch = typed(data, other_keys="ignore")
    assert (batch is not None) == (value == "1")
    assert batch is None or batch.column("i").to_pylist() == [1, 2]


def test_a_text_may_speak_of_nan_and_infinity_where_other_keys_are_ignored():
    data = '{"t":"Infinity, NaN","z":"[ NaN ] and Inf, too"}'
    assert typed(data.replace("[ NaN ]", "NaN"), other_keys="ignore") is not None


def test_a_letter_that_the_database_may_lack_is_left_to_the_other_parsers():
    assert typed('{"t":"ü"}', encoding="latin-1") is not None
    assert typed('{"t":"€"}', encoding="latin-1") is None
    assert typed(r'{"t":"\u20ac"}', encoding="latin-1") is None


def test_a_row_that_is_too_long_is_left_to_the_other_parsers():
    long = '{"t":"' + "x" * LONGEST_ROW + '"}'
    parser = ArrowParser(job(COLUMNS), Keys.of(list(COLUMNS), {}), True)
    assert parser.batch([FULL.encode(), long.encode()]) is None
    rows = [FULL.replace('"x"', f'"{"x" * 1000}"').encode()] * (LONGEST_ROW // 1000)
    assert parser.batch(rows).num_rows == len(rows)


@pytest.mark.parametrize(
    "type_name",
    [
        "jsonb",
        "json",
        "numeric",
        "numeric(38,10)",
        "numeric(50,2)",
        "text[]",
        "integer[]",
        "hstore",
    ],
)
def test_a_type_with_values_of_several_kinds_has_no_path_through_arrow(type_name):
    assert typed('{"c":null}', {"c": type_name}) is None


def test_paths_and_a_bound_of_the_feed_have_no_path_through_arrow():
    assert typed('{"t":{"t":"x"}}', {"t": "text"}, paths={"t": "t.t"}) is None
    planned = job({"t": "text"})
    object.__setattr__(planned, "bounds", Bounds(row_bytes=100))
    assert ArrowParser(planned, Keys.of(["t"], {}), True).batch([b'{"t":"x"}']) is None


def test_arrow_is_not_asked_for_ever_when_it_refuses_every_block():
    good, bad = [FULL.encode()], [b'{"i":"1"}']
    raws = [*[bad] * (TRIES - 1), good, *[bad] * (TRIES + AHEAD), good]
    parser = ArrowParser(job(COLUMNS), Keys.of(list(COLUMNS), {}), True)
    blocks = [Block(number, each, [number]) for number, each in enumerate(raws, 1)]
    taken = [(block, batch is not None) for block, batch in parser.batches(blocks)]
    assert [block for block, _ in taken] == blocks
    assert [block.first for block, is_taken in taken if is_taken] == [TRIES]


def test_blocks_keep_their_order_while_several_are_parsed():
    rows = [[f'{{"i":{n}}}'.encode()] * (1 + n % 3 * 20_000) for n in range(12)]
    parser = ArrowParser(job(COLUMNS), Keys.of(list(COLUMNS), {}), True)
    batches = parser.batches(Block(n, each, range(len(each))) for n, each in enumerate(rows))
    seen = [(block.first, batch.column("i")[0].as_py(), len(batch)) for block, batch in batches]
    assert seen == [(n, n, len(each)) for n, each in enumerate(rows)]


def test_lines_and_numbers_go_on_behind_a_block_that_is_cut_later():
    lines = [FULL] * 40_000
    lines[30_000] = '{"d":"soon"}'
    first, numbers = 1, []
    for rows in json_lines.rows(io.BytesIO("\n".join(lines).encode()), job(COLUMNS)):
        assert rows.first == first
        first += rows.count
        numbers += [
            (rows.first + at, *rows.origins([at])[0])
            for at, day in enumerate(rows.batch.column("d").to_pylist())
            if day == "soon"
        ]
    assert first == 40_001
    assert numbers == [(30_001, 30_001, '{"d":"soon"}')]


# ---- random blocks -------------------------------------------------------------------------------

NUMBERS = st.one_of(
    st.integers(-(1 << 33), 1 << 33).map(str),
    st.floats(allow_nan=False, allow_infinity=False).map(json.dumps),
    st.decimals(-2000, 2000, places=3).map(lambda value: f"{value:f}"),
    st.from_regex(r"-?(0|[1-9]\d{0,4})(\.\d{1,4})?([eE][+-]?\d{1,3})?", fullmatch=True),
    st.sampled_from(["NaN", "-Infinity", "1e-400", "1e400", "0e5", "9" * 40]),
)
TEXTS = st.text(max_size=8).map(json.dumps) | st.text('a"\\{}[],:\n é', max_size=8).map(
    lambda text: json.dumps(text, ensure_ascii=False)
)
VALUES = {
    "i": NUMBERS, "n": NUMBERS | NUMBERS.map(lambda text: f'"{text}"'), "f": NUMBERS,
    "o": st.sampled_from(["true", "false"]), "t": TEXTS, "d": TEXTS,
    "z": st.sampled_from(["1", '{"i":1}', "[NaN]", '"x"', '[[{"t":"}"}]]']),
}  # fmt: skip


@st.composite
def lines(draw):
    keys = draw(st.lists(st.sampled_from(sorted(VALUES)), max_size=5, unique=draw(st.booleans())))
    values = [draw(st.just("null") | VALUES[key]) for key in keys]
    return "{" + ",".join(f'"{key}":{value}' for key, value in zip(keys, values)) + "}"


@settings(max_examples=400, deadline=None)
@given(st.data(), st.sampled_from(["refuse", "ignore"]))
def test_arrow_gives_what_the_exact_parser_gives(data, other_keys):
    text = "\n".join(data.draw(st.lists(lines(), min_size=1, max_size=3)))
    if data.draw(st.integers(0, 3)) == 0:  # a letter goes or comes
        at, letter = data.draw(st.integers(1, len(text))), data.draw(st.sampled_from('"\\,:{}\n 1'))
        text = text[:at] + data.draw(st.sampled_from([text[at + 1 :], letter + text[at:]]))
    batch = typed(text, other_keys=other_keys)
    if batch is None:
        return
    rows = cells(text, other_keys=other_keys)
    assert rows is not None
    assert len(rows) == batch.num_rows
    for column, own in zip(zip(*rows, strict=True), batch.columns, strict=True):
        assert all(map(is_same, own.to_pylist(), column)), (own, column)
        again = as_text(own).to_pylist()
        assert all(map(is_same, own.to_pylist(), again)) or pa.types.is_decimal(own.type)
