"""Postgres's spellings of a type are read; anything else is refused without a server."""
# ruff: noqa: E501  the tables of cases

from __future__ import annotations

import pytest

from include.landfall.feed import other_words
from include.landfall.feed.column_types import ALIASES, BUILT_IN, near_type, parse_type


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("INT", "integer"), ("int8[]", "bigint[]"), ("decimal( 15 , 2 )", "numeric(15,2)"),
        ("numeric(9)", "numeric(9,0)"), ("numeric(2,-3)", "numeric(2,-3)"), ("char", "char(1)"),
        ("character varying(5)", "varchar(5)"), ("float", "double precision"), ("bool", "boolean"),
        ("timestamp with time zone", "timestamptz"), ("timestamp(3) without time zone", "timestamp(3)"),
        ("time(0) with time zone", "timetz(0)"), ("  text  ", "text"), ("raw.mood[]", "raw.mood[]"),
        ('"My Type"."x y"', '"My Type"."x y"'), ("citext", "citext"), ("interval(2)", "interval(2)"),
    ],
)  # fmt: skip
def test_a_spelling_becomes_the_one_that_the_project_uses(text, shown):
    assert str(parse_type(text)) == shown
    assert parse_type(shown) == parse_type(text)


@pytest.mark.parametrize(
    "text", ["bit(8)", "varbit(16)", "geometry(Point,4326)", "vector(3)", "public.vector(3)[]"]
)
def test_1_10_types_with_modifiers_can_be_declared(text):
    assert str(parse_type(text)) == text


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("varchar(0)", "the length of varchar is 1 to"), ("char(0)", "1 to"), ("bit(0)", "1 to"),
        ("varchar(10485761)", "1 to 10485760"), ("varbit(83886081)", "1 to 83886080"),
        ("numeric(5,2000)", "scale is -1000 to 1000"), ("serial", "declare integer"),
        ("BIGSERIAL", "declare bigint"),
    ],
)  # fmt: skip
def test_5_9_a_type_that_no_table_can_have_is_wrong_before_a_file_is_read(text, words):
    with pytest.raises(ValueError, match=words):
        parse_type(text)


def test_a_type_of_another_database_has_its_own_here():
    assert set(map(near_type, other_words.TYPES)) <= BUILT_IN
    assert (near_type("DATETIME"), near_type("smalint")) == ("timestamp", "smallint")


@pytest.mark.parametrize("name", sorted(BUILT_IN | ALIASES.keys()))
def test_every_name_and_alias_is_built_in_and_can_be_an_array(name):
    assert parse_type(name).built_in
    assert parse_type(name + "[]").element == parse_type(name)


@pytest.mark.parametrize(
    "text",
    ["", " ", "integer(3)", "text; DROP TABLE x", "a.b.c", "numeric(1,2,3)", "text[][]", 'a"b', "'x'",
     "numeric(x)", "a b", "--", "date(3)", "smalint(3)", "(text)", '"', '""."x"', "integer)"],
)  # fmt: skip
def test_what_is_no_type_is_refused(text):
    with pytest.raises(ValueError, match=r"is not a type|takes no such modifiers"):
        parse_type(text)
