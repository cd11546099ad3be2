"""The error of a refused file names the line, the column and the cell, wherever they are."""

from __future__ import annotations

import re

import pytest

from include.landfall.errors import DataError
from tests.support.engine import LARGE, many
from tests.support.file_bytes import parquet_bytes


def refusal(engine, text):
    with pytest.raises(DataError) as refused:
        engine.load(text)
    assert engine.sql("SELECT to_regclass('raw.t') IS NULL") == [True]
    return refused.value


@pytest.mark.parametrize("row", [1, 2, 500, 999, 1000])
def test_the_line_is_right_for_any_row_of_a_file_read_in_this_process(engine, row):
    text = re.sub(f"^{row},", "2013-02-30,", many(1000), flags=re.MULTILINE)
    error = refusal(engine, text)
    assert (error.place.line, error.place.column, error.found) == (row + 1, "id", "2013-02-30")


@pytest.mark.parametrize("row", [1, LARGE // 2, LARGE])
def test_the_line_is_right_for_any_row_of_a_file_read_by_the_other_process(engine, row):
    text = re.sub(f"^{row},", "x,", many(LARGE), flags=re.MULTILINE)
    error = refusal(engine, text)
    assert (error.place.line, error.place.column, error.found) == (row + 1, "id", "x")
    assert error.place.object == f"s3://{engine.bucket}/a.csv"
    assert error.place.feed == "t"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ('id,name\n1,"two\nlines"\n2,"three\n\nlines"\nx,here\n4,d\n', 7),
        ('id,name\n1,"two\nlines"\nx,"it\nbegins here"\n', 4),
        ("id,name\r\n1,a\r\nx,b\r\n", 3),
        ("\n\nid,name\n\n1,a\n\nx,b\n", 7),
        ("\ufeffid,name\n1,a\nx,b", 3),
    ],
)
def test_lines_are_counted_as_an_editor_counts_them(engine, text, line):
    assert refusal(engine, text).place.line == line


def test_the_first_of_many_refused_rows_is_named(engine):
    text = many(300).replace("\n100,", "\nx,").replace("\n200,", "\ny,")
    assert (refusal(engine, text).place.line, refusal(engine, text).found) == (101, "x")


def test_in_parquet_the_row_is_named(engine):
    table = {"id": ["1", "2", "x"], "name": ["a", "b", "c"]}
    engine.be(format="parquet")
    error = refusal(engine, parquet_bytes(table))
    assert (error.place.row, error.place.column, error.found) == (3, "id", "x")


CELLS = [
    ("smallint", "32768", "out of range"),
    ("numeric(4,2)", "100.00", "numeric field overflow"),
    ("boolean", "perhaps", "invalid input syntax"),
    ("date", "2013-02-30", "out of range"),
    ("varchar(3)", "four", "too long"),
    ("char(3)", "four", "too long"),
    ("json", "{", "invalid input syntax"),
    ("uuid", "no", "invalid input syntax"),
    ("inet", "300.1.1.1", "invalid input syntax"),
    ("integer[]", '"{1,x}"', "invalid input syntax"),
    ("mood", "angry", "invalid input value for enum"),
    ("email", "nobody", "violates check constraint"),
    ("positive", "-1", "violates check constraint"),
    ("given", "", "does not allow null values"),
]


@pytest.mark.parametrize(("kind", "cell", "message"), CELLS)
def test_the_column_is_named_in_the_words_of_the_server(engine, kind, cell, message):
    engine.sql(
        "CREATE TYPE mood AS ENUM ('sad', 'glad');"
        " CREATE DOMAIN email AS text CHECK (VALUE LIKE '%@%');"
        " CREATE DOMAIN positive AS integer CHECK (VALUE > 0);"
        " CREATE DOMAIN given AS integer NOT NULL"
    )
    engine.be(columns={"a": "integer", "what": kind, "must": "given", "z": "email"})
    good = {"mood": "sad", "email": "a@b", "positive": "1", "given": "1"}.get(kind, "")
    error = refusal(engine, f"a,what,must,z\n1,{good},1,a@b\n2,{cell},1,a@b\n3,{good},1,a@b\n")
    assert message in error.what
    assert (error.place.line, error.place.column) == (3, "what")


def test_a_null_where_none_may_be_is_named(engine):
    engine.be(columns={"id": {"type": "integer", "nullable": False}, "name": "text"})
    error = refusal(engine, "id,name\n1,a\n,b\n")
    assert (error.place.line, error.place.column) == (3, "id")
    assert "takes none" in error.what
