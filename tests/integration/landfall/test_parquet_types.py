"""Each type of Parquet into each type of a feed: what Postgres reads from its text, or refused.

tests/support/parquet_types.py has the types, and makes docs/parquet-types.md of them.
"""

from __future__ import annotations

import psycopg
import pyarrow as pa
import pytest
from psycopg import sql

from include.landfall.errors import HeaderMismatch, RefusedCell
from tests.support.parquet_types import ALL, DEFINITIONS, SOURCES, TARGETS

pytestmark = pytest.mark.timeout(300)
SHOWN = "CASE WHEN {0} IS NOT NULL THEN format('%s', {0}) END"
MOST_REFUSED = 8  # types of one source whose refusal is loaded: a text can be refused by each


@pytest.fixture
def types(engine):
    engine.sql(DEFINITIONS)
    return engine


def as_postgres_reads(engine, declared, texts):
    """What Postgres shows of each text as the declared type, or its error."""
    shown = []
    insert = f"INSERT INTO read VALUES ({{}}) RETURNING {SHOWN.replace('{0}', 'x')}"
    with psycopg.connect(engine.warehouse.conninfo(), autocommit=True) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute(f"CREATE TEMP TABLE read (x {declared})")
        for text in texts:
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


def loaded(engine, source, columns, arrays):
    """What Postgres shows of the loaded columns, by row."""
    engine.sql("DROP SCHEMA IF EXISTS landfall CASCADE; DROP TABLE IF EXISTS raw.t")
    engine.be(columns={"id": "integer", **columns}, format="parquet")
    engine.load(source.file(arrays))
    shown = ", ".join(SHOWN.format(name) for name in columns)
    with psycopg.connect(engine.warehouse.conninfo()) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        return connection.execute(f"SELECT {shown} FROM raw.t ORDER BY id").fetchall()


@pytest.mark.parametrize("source", ALL, ids=[source.name for source in ALL])
def test_each_value_is_what_postgres_reads_or_refused_with_row_and_column(types, source):
    """4.6 too: a date before Christ beside a suspect cell is loaded."""
    read = {d: as_postgres_reads(types, d, source.texts_for(d)) for d in source.accepted}
    assert read, "there is no type that takes it"
    columns = {f"c{number}": declared for number, declared in enumerate(read)}
    good = {
        name: picked(source.values, [None if is_error(r) else n for n, r in enumerate(read[d])])
        for name, d in columns.items()
    }
    rows = list(zip(*([None if is_error(r) else r for r in read[d]] for d in read)))
    numbers = pa.array(range(len(rows)), pa.int32())
    assert loaded(types, source, columns, {"id": numbers, **good}) == rows
    suspects = pa.array([f" {number}" for number in range(len(rows))])
    assert loaded(types, source, columns, {"id": suspects, **good}) == rows
    refused = [(d, n) for d in read for n, r in enumerate(read[d]) if is_error(r)]
    for declared, number in list(dict(refused).items())[:MOST_REFUSED]:
        cells = picked(source.values, [None, number, None])
        with pytest.raises(RefusedCell) as caught:
            loaded(types, source, {"x": declared}, {"id": pa.nulls(3), "x": cells})
        assert (caught.value.place.row, caught.value.place.column) == (2, "x"), declared


@pytest.mark.parametrize("source", SOURCES, ids=[source.name for source in SOURCES])
def test_every_other_type_is_refused_with_both_types(types, source):
    for declared in [name for name in TARGETS if name not in source.accepted][:1]:
        with pytest.raises(HeaderMismatch) as caught:
            loaded(types, source, {"x": declared}, {"id": source.ids, "x": source.values})
        assert (caught.value.place.column, caught.value.expected) == ("x", declared)
