"""Each type of Parquet into each type of a feed: what Postgres reads from its text, or refused.

tests/support/parquet_types.py has the types, and makes docs/parquet-types.md of them.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

import psycopg
import pyarrow as pa
import pytest
from psycopg import sql

from include.landfall.errors import HeaderMismatch
from tests.support.parquet_types import ALL, DEFINITIONS, SOURCES, TARGETS, Source

pytestmark = pytest.mark.timeout(300)
SHOWN = "CASE WHEN {0} IS NOT NULL THEN format('%s', {0}) END"
IN_ONE_FILE = 12  # sources: each load costs as much as the columns of ten


def groups():
    """Sources that one file can hold, a few at a time."""
    alike = defaultdict(list)
    for source in ALL:
        alike[repr(source.options), source.mark].append(source)
    return [
        each[first : first + IN_ONE_FILE]
        for each in alike.values()
        for first in range(0, len(each), IN_ONE_FILE)
    ]


@pytest.fixture
def types(engine):
    engine.sql(DEFINITIONS)
    return engine


@dataclass(frozen=True)
class Pair:
    """A source's values as a declared type: what Postgres shows of each, or its error."""

    source: Source
    declared: str
    read: list[str | Exception | None]

    def good(self, size):
        """The values that Postgres takes, each in its row, and NULL in all others."""
        numbers = [None if is_error(read) else n for n, read in enumerate(self.read)]
        return picked(self.source.values, numbers + [None] * (size - len(numbers)))

    def shown(self, size):
        """What the table must show of them."""
        return [None if is_error(r) else r for r in self.read] + [None] * (size - len(self.read))

    def only(self, number, row, size):
        """One value in one row, and NULL in all others."""
        return picked(self.source.values, [number if n == row else None for n in range(size)])


def pairs(engine, sources):
    """Each source beside each type that takes it, as Postgres reads it."""
    with psycopg.connect(engine.warehouse.conninfo(), autocommit=True) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        return [
            Pair(source, declared, as_postgres_reads(connection, source, declared))
            for source in sources
            for declared in source.accepted
        ]


def as_postgres_reads(connection, source, declared):
    """What Postgres shows of each of the source's texts as the declared type, or its error."""
    shown = []
    insert = f"INSERT INTO read VALUES ({{}}) RETURNING {SHOWN.replace('{0}', 'x')}"
    connection.execute(f"DROP TABLE IF EXISTS read; CREATE TEMP TABLE read (x {declared})")
    for text in source.texts_for(declared):
        try:
            cursor = connection.execute(sql.SQL(insert).format(sql.Literal(text)))
            shown.append(cursor.fetchone()[0])
        except (psycopg.errors.DataError, psycopg.errors.IntegrityError) as error:
            shown.append(error)
    return shown


def is_error(shown):
    return isinstance(shown, Exception)


def picked(values, numbers):
    """The values of these numbers, NULL for None. Arrow cannot do this for views."""
    views = {pa.string_view(): pa.string(), pa.binary_view(): pa.binary()}
    plain = values.cast(views.get(values.type, values.type))
    return plain.take(pa.array(numbers, pa.int64())).cast(values.type)


def load(engine, source, columns, arrays, **more):
    """Loads a file of these columns into an empty table."""
    engine.sql("DROP SCHEMA IF EXISTS landfall CASCADE; DROP TABLE IF EXISTS raw.t")
    engine.be(columns={"id": "integer", **columns}, format="parquet", **more)
    return engine.load(source.file(arrays))


def loaded(engine, source, columns, arrays):
    """What Postgres shows of the loaded columns, by row."""
    load(engine, source, columns, arrays)
    shown = ", ".join(SHOWN.format(name) for name in columns)
    with psycopg.connect(engine.warehouse.conninfo()) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        return connection.execute(f"SELECT {shown} FROM raw.t ORDER BY id").fetchall()


def names_of(count):
    return [f"c{number}" for number in range(count)]


@pytest.mark.parametrize("sources", groups(), ids=lambda sources: sources[0].name)
def test_each_value_is_what_postgres_reads(types, sources):
    """4.6 too: a date before Christ beside a suspect cell is loaded."""
    each = pairs(types, sources)
    assert {pair.source.name for pair in each} == {source.name for source in sources}, "not taken"
    size = max(len(source.values) for source in sources)
    names = names_of(len(each))
    columns = {name: pair.declared for name, pair in zip(names, each)}
    good = {name: pair.good(size) for name, pair in zip(names, each)}
    fast = pa.array(range(size), pa.int32())
    suspect = pa.array([f" {number}" for number in range(size)])
    for numbers in (fast, suspect):
        rows = loaded(types, sources[0], columns, {"id": numbers, **good})
        for at, pair in enumerate(each):
            assert [row[at] for row in rows] == pair.shown(size), (pair.source.name, pair.declared)


@pytest.mark.parametrize("sources", groups(), ids=lambda sources: sources[0].name)
def test_each_value_that_postgres_refuses_is_a_reject_of_its_row_and_column(types, sources):
    refused = [
        (pair, number)
        for pair in pairs(types, sources)
        for number, read in enumerate(pair.read)
        if is_error(read)
    ]
    if not refused:
        return
    names, size = names_of(len(refused)), len(refused)
    columns = {name: pair.declared for name, (pair, _) in zip(names, refused)}
    arrays = {
        name: pair.only(number, row, size)
        for row, (name, (pair, number)) in enumerate(zip(names, refused))
    }
    load(types, sources[0], columns, {"id": pa.nulls(size), **arrays}, rejects={"at_most": size})
    rejects = types.sql("SELECT row_number, column_name FROM landfall.rejects ORDER BY 1")
    assert rejects == [(row + 1, name) for row, name in enumerate(names)]


@pytest.mark.parametrize("source", SOURCES, ids=[source.name for source in SOURCES])
def test_every_other_type_is_refused_with_both_types(types, source):
    for declared in [name for name in TARGETS if name not in source.accepted][:1]:
        with pytest.raises(HeaderMismatch) as caught:
            loaded(types, source, {"x": declared}, {"id": source.ids, "x": source.values})
        assert (caught.value.place.column, caught.value.expected) == ("x", declared)
