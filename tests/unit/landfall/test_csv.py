"""CSV becomes text cells by column name, and no malformed input passes unnoticed."""
# ruff: noqa: E501  the tables of cases

from __future__ import annotations

import io
from datetime import UTC, datetime

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from include.landfall.arrival import Arrival
from include.landfall.connections import Store
from include.landfall.errors import HeaderMismatch, MisshapenRow
from include.landfall.feed.column_types import parse_type
from include.landfall.feed.dialect import CsvDialect
from include.landfall.job import Job, PlannedColumn
from include.landfall.read.formats import csv
from include.landfall.read.formats.csv_exact import Grammar
from include.landfall.read.rows import Origin
from tests.support.readings import gather

WHEN = datetime(2013, 1, 1, tzinfo=UTC)


def job(data, names="ab", nulls=(), encoding=None, **dialect):
    columns = tuple(PlannedColumn(name, parse_type("text")) for name in names)
    arrival = Arrival("b", "k", "e", len(data), WHEN)
    return Job(
        "f", arrival, Store(), columns, 1, CsvDialect(nulls=nulls, **dialect), encoding=encoding
    )


def read(data, names="ab", **options):
    """The rows in the feed's order, by their numbers, and the misshapen records."""
    return gather(csv.rows(io.BytesIO(data), job(data, names, **options)))


def rows(data, names="ab", **options):
    """The rows of a file that has no misshapen record."""
    rows, misshapen = read(data, names, **options)
    assert misshapen == []
    return list(rows.values())


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"a,b\n1,2\n", [("1", "2")]),
        (b"b,a\n1,2\n", [("2", "1")]),
        (b"a,b\r\n1,2\r\n3,4", [("1", "2"), ("3", "4")]),
        (b"\xef\xbb\xbfa,b\n1,2", [("1", "2")]),
        (b"a,b\n\n1,2\n\n\n3,4\n\n", [("1", "2"), ("3", "4")]),
        (b'"a","b"\n"1,\n2","say ""x"""\n3,4', [("1,\n2", 'say "x"'), ("3", "4")]),
        (b'a,b\n,""\n', [(None, "")]), (b'a,b\n"x",', [("x", None)]),
        (b"a,b\n  , x \n", [("  ", " x ")]),
        (b"a,b\n\\N,NULL\n", [("\\N", "NULL")]),
        (b"a,b\n2013-01-01,true\n", [("2013-01-01", "true")]),
        (b"a,b\n" + b"\r\n" * 500_000 + b"1,2\n", [("1", "2")]), (b"a,b\n" + b"\n" * 9_000_000, []),
        (b"", []), (b"\n\n", []), (b"\xef\xbb\xbf", []), (b"a,b", []), (b"a,b\r\n", []), (b"a,b\n\n", []),
        (b'a,b\n"x\r\ny",1\n3,4', [("x\r\ny", "1"), ("3", "4")]),
        (b"a,b\n" + b"1,2\n" * 200_000, [("1", "2")] * 200_000),
    ],
)  # fmt: skip
def test_cells_are_what_the_file_says(data, expected):
    assert rows(data) == expected


def test_null_markers_are_null_only_without_quotes():
    assert rows(b'a,b\nNA,"NA"\n-,na\n', nulls=("NA", "-")) == [(None, "NA"), (None, "na")]


def test_with_one_column_a_blank_line_is_a_null():
    assert rows(b'a\nx\n\n""\n', names="a") == [("x",), (None,), ("",)]
    assert rows(b"a\n\n", names="a") == [(None,)]
    assert rows(b"a\n", names="a") == []


def test_other_dialects():
    assert rows(b"a\tb\n'1\t2'\t3\n", delimiter="\t", quote="'") == [("1\t2", "3")]


def faults(data, **options):
    return [(r.number, r.line, r.reason, r.raw) for r in read(data, **options)[1]]


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"a,b\n1\n", (1, 2, "fields", "1")),
        (b"a,b\n1,2,3\n", (1, 2, "fields", "1,2,3")),
        (b'a,b\n1,"x\ny"\n1,2,3\n', (2, 4, "fields", "1,2,3")),
        (b"a,b\r\n\r\n\r\n1\r\n", (1, 4, "fields", "1")),
        (b'\n\r\n"a",b\n\n1,2\n"3"\n', (2, 6, "fields", '"3"')),
        (b"a,b\n1,\xff\n", (1, 2, "encoding", "1,\\xff")),
        (b"a,b\n1,\0\n", (1, 2, "zero_byte", "1,\\x00")),
        (b'a,b\n1,"2\n3,4\n', (1, 2, "quote", '1,"2')),
        (b"a,b\n1,2\r3,4\n", (1, 2, "carriage_return", "1,2\r3,4")),
        (b"a,b\n1,2\r", (1, 2, "carriage_return", "1,2")),
        (b'a,b\n1,"2"\rx\n', (1, 2, "carriage_return", '1,"2"\rx')),
        (b"a,b\n" + b"1,2\n" * 300_000 + b"1\n", (300_001, 300_002, "fields", "1")),
        (b"a,b\n" + b"1,2\n" * 300_000 + b"x,\xe4", (300_001, 300_002, "encoding", "x,\\xe4")),
        (b"a,b\n" + b"1,2\n" * 99_999 + b"\xc3\n,x\n", (100_000, 100_001, "encoding", "\\xc3")),
    ],
)  # fmt: skip
def test_what_is_misshapen_costs_only_itself(data, expected):
    assert faults(data) == [expected]


def test_one_column_has_misshapen_records_too():
    data = b'a\nx\n1,2\n\n"y" z\n"w"\n'
    assert read(data, "a")[0] == {1: ("x",), 3: (None,), 5: ("w",)}
    assert [fault[0] for fault in faults(data, names="a")] == [2, 4]


def test_messages_say_what_is_wrong():
    data = b'a,b\n1\n1,2,3\n1,5" x\n1,2\n"1"x,2\n1,\xff\n1,"2\n'
    assert [(record.sqlstate, record.message) for record in read(data)[1]] == [
        ("22P04", "the row has 1 field, not 2"),
        ("22P04", "the row has 3 fields, not 2"),
        ("22P04", "a quote stands inside an unquoted field"),
        ("22P04", "text follows a closing quote"),
        ("22021", "the row is not UTF-8 text"),
        ("22P04", "a quote is opened and never closed"),
    ]


@pytest.mark.parametrize("before", [b"", b'"1","2"\n' * 200_000], ids=["alone", "after many"])
def test_1_7_and_1_15_a_quote_without_its_pair_keeps_the_rows_behind_it(before):
    """COPY would read rows 2 and 3 into a cell of row 1, without an error."""
    data = b"a,b\n" + before + b'1,"x\n2,y\n3,"z"\n4,w\n'
    texts, misshapen = read(data)
    assert [record.raw for record in misshapen] == ['1,"x']
    assert list(texts.values())[-3:] == [("2", "y"), ("3", "z"), ("4", "w")]


def test_5_11_a_letter_that_the_database_lacks_is_named_with_its_line():
    data = "a,b\n1,é\n2,€ \n3,x\n".encode()
    texts, misshapen = read(data, encoding="latin-1")
    assert list(texts.values()) == [("1", "é"), ("3", "x")]
    assert [(r.line, r.reason, r.sqlstate, r.raw) for r in misshapen] == [
        (3, "encoding", "22P05", "2,\\u20ac ")
    ]


MIXED = b'b,a\n"1\n""2",NA\n\nx\n"NA",\n1,5" y\n3,"4"\n'


def test_rows_know_their_line_and_text():
    (part,) = csv.rows(io.BytesIO(MIXED), job(MIXED, nulls=("NA",)))
    assert list(part.numbers) == [1, 3, 5]
    assert part.origins([0, 1, 2]) == [
        Origin(2, '"1\n""2",NA'), Origin(6, '"NA",'), Origin(8, '3,"4"'),
    ]  # fmt: skip


PIECES = [b'"', b",", b"\n", b"\r\n", b"\r\n", b"1,2\n", b'"x\ny"', b'"a\r\n""",', b"\xff", b"3\n"]


@settings(max_examples=500, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=30).map(b"".join), st.sampled_from(["a", "ab"]))
def test_rows_have_the_numbers_of_their_own_text(body, names):
    """Arrow counts the rows, and the texts are counted beside it."""
    data = ",".join(names).encode() + b"\n" + body
    grammar = Grammar(CsvDialect())
    for part in csv.rows(io.BytesIO(data), job(data, names)):
        origins = part.origins(range(part.batch.num_rows))
        texts = [list(row.values()) for row in part.batch.to_pylist()]
        assert [grammar.cells(origin.raw.encode(), [""]) for origin in origins] == texts
        numbers = list(part.numbers or range(part.first, part.first + part.batch.num_rows))
        lines = {
            **dict(zip(numbers, (origin.line for origin in origins), strict=True)),
            **{record.number: record.line for record in part.misshapen},
        }
        assert sorted(lines) == list(range(part.first, part.first + part.count))
        in_order = [lines[number] for number in sorted(lines)]
        assert in_order == sorted(set(in_order))


def test_records_are_read_again_by_number():
    origins = csv.origins_of(io.BytesIO(MIXED), job(MIXED, nulls=("NA",)), [1, 2, 3, 5])
    assert list(origins) == [
        (1, Origin(2, '"1\n""2",NA'), [None, '1\n"2']),
        (2, Origin(5, "x"), None),
        (3, Origin(6, '"NA",'), [None, "NA"]),
        (5, Origin(8, '3,"4"'), ["4", "3"]),
    ]


def test_records_are_read_again_from_a_long_file():
    data = b"a,b\n" + b'1,"x\ny"\n2\n' * 200_000
    numbers = [1, 199_999, 399_999]
    again = list(csv.origins_of(io.BytesIO(data), job(data), numbers))
    assert [(number, origin.line) for number, origin, _ in again] == [
        (1, 2), (199_999, 299_999), (399_999, 599_999),
    ]  # fmt: skip


def test_what_arrow_refuses_is_parsed_record_by_record(monkeypatch):
    def refuse(*options):
        raise pa.ArrowInvalid("no")

    expected = read(MIXED, nulls=("NA",))
    monkeypatch.setattr(csv.csv, "open_csv", refuse)
    assert read(MIXED, nulls=("NA",)) == expected


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"a\0,b\n", "zero byte"), ("a,b\n1,2\n".encode("utf-16"), "zero byte"),
        (b"a,\xe4\n", "UTF-8"), (b'a,"b\n1,2\n', "never closed"),
        (b"a,b\r1,2\r3,4\r", "carriage return"), (b"a,b" * 400_000, "longer than 1 MiB"),
    ],
)  # fmt: skip
def test_a_header_that_cannot_be_read_is_an_error_of_the_file(data, words):
    with pytest.raises(MisshapenRow, match=words) as caught:
        rows(data)
    assert caught.value.place.line == 1
    assert len(str(caught.value)) < 1000


def test_columns_are_matched_by_name():
    with pytest.raises(HeaderMismatch, match="not the feed's"):
        rows(b"a,c\n1,2\n")


def test_a_character_may_lie_across_two_blocks():
    data = b"a,b\n" + "\u00e4\u20ac,\U0001f600\n".encode() * 200_000
    assert set(rows(data)) == {("\u00e4\u20ac", "\U0001f600")}


@pytest.mark.parametrize("bad", [b'1,new,1.00,"bad" row', b"\x00", b"1,\x00", b"1,a\xff"])
@pytest.mark.parametrize("place", range(9))
def test_no_row_is_lost_behind_a_misshapen_one(bad, place):
    """Behind thousands of rows of such cells Arrow looks at several bytes at once."""
    lines = [b"%d,new,%d.00,%b" % (n, n % 1000, b"note " * 10) for n in range(70_000, 79_000)]
    lines[8_500:8_500] = [lines[0] + b"." * place, bad]
    good, misshapen = read(b"\n".join([b"a,b,c,d", *lines, b""]), "abcd")
    assert [record.number for record in misshapen] == [8_502]
    assert [cells[0] for cells in good.values()][8_501:] == [str(n) for n in range(78_500, 79_000)]
