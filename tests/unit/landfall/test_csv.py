"""CSV becomes text cells by column name, and no malformed input passes unnoticed."""
# ruff: noqa: E501  the tables of cases

from __future__ import annotations

import io
from datetime import UTC, datetime

import pytest

from include.landfall.arrival import Arrival
from include.landfall.connections import Store
from include.landfall.errors import HeaderMismatch, MisshapenRow
from include.landfall.feed.column_types import parse_type
from include.landfall.feed.dialect import CsvDialect
from include.landfall.job import Job, PlannedColumn
from include.landfall.read.formats import csv
from include.landfall.read.rows import FastPathFailed, FastPathUnsure

WHEN = datetime(2013, 1, 1, tzinfo=UTC)


def rows(data, names="ab", nulls=(), **dialect):
    """The rows in the feed's order."""
    columns = tuple(PlannedColumn(name, parse_type("text")) for name in names)
    arrival = Arrival("b", "k", "e", len(data), WHEN)
    job = Job("f", arrival, Store(), columns, 1, CsvDialect(nulls=nulls, **dialect))
    result, first = [], 1
    for part in csv.rows(io.BytesIO(data), job):
        assert part.first == first
        first += part.batch.num_rows
        result += [tuple(row.values()) for row in part.batch.to_pylist()]
    return result


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"a,b\n1,2\n", [("1", "2")]),
        (b"b,a\n1,2\n", [("2", "1")]),
        (b"a,b\r\n1,2\r\n3,4", [("1", "2"), ("3", "4")]),
        (b"\xef\xbb\xbfa,b\n1,2", [("1", "2")]),
        (b"a,b\n\n1,2\n\n\n3,4\n\n", [("1", "2"), ("3", "4")]),
        (b'"a","b"\n"1,\n2","say ""x"""\n3,4', [("1,\n2", 'say "x"'), ("3", "4")]),
        (b'a,b\n,""\n', [(None, "")]),
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


@pytest.mark.parametrize(
    "data",
    [b"a,b\n1\n", b"a,b\n1,2,3\n", b"a,b\n1,\xff\n", b"a,b\n1,\0\n", b'a,b\n1,"2\n3,4\n', b"a,b\n1,2\r3,4\n",
     b"a,b\n1,2\r", b'a,b\n1,"2"\rx\n', b"a,b\n1,x\ry\n", b"a\0,b\n",
     "a,b\n1,2\n".encode("utf-16")],
)  # fmt: skip
def test_what_is_misshapen_is_never_read_silently(data):
    with pytest.raises((FastPathFailed, MisshapenRow, HeaderMismatch)):
        rows(data)


@pytest.mark.parametrize("before", [b"", b'"1","2"\n' * 200_000], ids=["alone", "after many"])
def test_a_quote_without_its_pair_is_noticed_where_rows_go_on_after_it(before):
    """The row swallows the next two and ends at a later quote, so every row has two cells."""
    with pytest.raises(FastPathUnsure):
        rows(b"a,b\n" + before + b'1,"x\n2,y\n3,"z"\n4,w\n')


def test_columns_are_matched_by_name():
    with pytest.raises(HeaderMismatch, match="not the feed's"):
        rows(b"a,c\n1,2\n")


def test_a_character_may_lie_across_two_blocks():
    data = b"a,b\n" + "\u00e4\u20ac,\U0001f600\n".encode() * 200_000
    assert set(rows(data)) == {("\u00e4\u20ac", "\U0001f600")}


@pytest.mark.parametrize("end", [b"x,\xff\n", b"x,\xe4", b"x,\xf0\x9f\x98", b"\xc3\n,x\n"])
def test_bytes_that_are_not_utf8_are_noticed_wherever_they_are(end):
    with pytest.raises(FastPathFailed):
        rows(b"a,b\n" + b"1,2\n" * 200_000 + end)
