"""The check of every cell: it must see what an engine could get wrong."""

from __future__ import annotations

import psycopg
import pytest

from include.local.demo.compare import compare, compare_table

SOURCE = b"""\
id,word,number,at
1,NA,1.5,2013-01-01T10:00:00Z
2,two,NA,2013-06-01T10:00:00Z
3,three,-0.25,2013-06-01T11:00:00Z
3,three,-0.25,2013-06-01T11:00:00Z
4,NAN,100,2013-06-01T12:00:00Z
"""
COLUMNS = "at timestamptz, number double precision, word text, id integer, _load_id bigint"


@pytest.fixture
def connection(warehouse):
    with psycopg.connect(warehouse.conninfo(), autocommit=True) as connection:
        connection.execute("CREATE SCHEMA raw")
        connection.execute(f"CREATE TABLE raw.things ({COLUMNS})")
        copy = "COPY raw.things (id, word, number, at) FROM STDIN (FORMAT csv, HEADER, NULL 'NA')"
        with connection.cursor().copy(copy) as target:
            target.write(SOURCE)
        connection.execute("SET TIME ZONE 'UTC'")
        yield connection


def differences(connection):
    return "\n".join(compare_table(connection, "things", SOURCE).differences)


def test_a_true_copy_is_equal(connection):
    verdict = compare_table(connection, "things", SOURCE)
    assert verdict.equal
    assert (verdict.source_rows, verdict.table_rows, verdict.columns) == (5, 5, 4)


def test_the_order_of_rows_does_not_matter(connection):
    connection.execute("UPDATE raw.things SET id = id WHERE id = 1")
    assert differences(connection) == ""


def test_numbers_are_compared_as_numbers(connection):
    connection.execute("ALTER TABLE raw.things ALTER number TYPE numeric(10, 3)")
    connection.execute("ALTER TABLE raw.things ALTER id TYPE double precision")
    assert differences(connection) == ""


@pytest.mark.parametrize(
    ("damage", "line"),
    [
        ("UPDATE raw.things SET word = 'zwei' WHERE id = 2", "is 'zwei', the source has 'two'"),
        ("UPDATE raw.things SET word = '' WHERE id = 1", "word is '', the source has NULL"),
        ("UPDATE raw.things SET word = 'NA' WHERE id = 1", "word is 'NA', the source has NULL"),
        ("UPDATE raw.things SET number = 0 WHERE id = 2", "number is 0.0, the source has NULL"),
        ("UPDATE raw.things SET number = NULL WHERE id = 1", "number is NULL, the source has 1.5"),
        ("UPDATE raw.things SET number = number + 1e-12 WHERE id = 1", "the source has 1.5"),
        ("UPDATE raw.things SET at = at + interval '1 us' WHERE id = 4", "12:00:00.000001+00:00"),
        ("UPDATE raw.things SET at = at - interval '4 h' WHERE id = 4", "08:00:00+00:00"),
        ("UPDATE raw.things SET word = word || E'\\n' WHERE id = 4", "missing: 4, 'NAN'"),
        ("DELETE FROM raw.things WHERE id = 2", "missing: 2, 'two'"),
        ("DELETE FROM raw.things WHERE ctid = '(0,4)'", "missing: 3, 'three'"),
        ("INSERT INTO raw.things SELECT * FROM raw.things WHERE id = 1", "not in the source: 1"),
        ("ALTER TABLE raw.things DROP word", "the table has no column word"),
        ("ALTER TABLE raw.things ADD more text", "has a column more that the source does not have"),
        ("DROP TABLE raw.things", "there is no table raw.things"),
    ],
)  # fmt: skip
def test_damage_is_seen_and_named(connection, damage, line):
    connection.execute(damage)
    assert line in differences(connection)


def test_columns_that_changed_places_are_seen(connection):
    """A loader that goes by position, not by name, would swap them."""
    connection.execute("ALTER TABLE raw.things ALTER number TYPE text USING number::text")
    connection.execute("UPDATE raw.things SET word = number, number = word")
    assert "5 rows of the source" in differences(connection)


def test_the_session_time_zone_does_not_matter(connection, warehouse, mocker):
    mocker.patch("include.local.demo.compare.source_file", return_value=SOURCE)
    connection.execute("ALTER ROLE CURRENT_USER IN DATABASE " + warehouse.dbname
                       + " SET timezone = 'America/New_York'")  # fmt: skip
    assert compare(warehouse.conninfo(), ["things"])[0].equal


def test_a_table_of_another_file_differs_in_every_row(connection):
    connection.execute("UPDATE raw.things SET id = id + 100, word = 'x', number = 9, at = now()")
    verdict = compare_table(connection, "things", SOURCE)
    assert not verdict.equal
    assert len(verdict.differences) <= 6
