"""How one table takes another's place: what readers see, and what must stay."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from include.astro_sdk import tables
from include.astro_sdk.tables import Name
from include.landfall.connections import Warehouse

TARGET = Name("public", 'Odd "target": 50%')
SOURCE, OTHER = Name("public", "source"), Name("public", "other")
WAITS = "SELECT 1 FROM pg_locks WHERE pid = %s AND NOT granted"


@pytest.fixture
def connection(warehouse: Warehouse) -> Iterator[psycopg.Connection]:
    """A connection that commits each statement, as the seam's own."""
    with psycopg.connect(warehouse.conninfo(), autocommit=True) as connection:
        yield connection


def replace(connection: psycopg.Connection) -> int:
    """Replaces the target by the source, in a transaction, and counts its rows."""
    with connection.transaction():
        tables.replace(connection, TARGET, SOURCE)
    return tables.row_count(connection, TARGET)


def create(
    connection: psycopg.Connection, name: Name, rows: list[int], type_name: str = "integer"
) -> None:
    """A table of one column."""
    tables.create(connection, name, {"n": type_name})
    for row in rows:
        connection.execute(f"INSERT INTO {name.quoted} VALUES (%s)".replace("50%", "50%%"), [row])


def test_rows_of_the_same_columns_move_and_what_hangs_on_the_table_stays(
    connection: psycopg.Connection,
) -> None:
    create(connection, TARGET, [1, 2])
    create(connection, SOURCE, [3])
    connection.execute(f"CREATE VIEW v AS SELECT * FROM {TARGET.quoted}")
    assert replace(connection) == 1
    assert connection.execute("SELECT n FROM v").fetchall() == [(3,)]
    assert tables.columns_of(connection, SOURCE) == {}


def test_other_columns_replace_the_table(connection: psycopg.Connection) -> None:
    create(connection, TARGET, [1])
    create(connection, SOURCE, [3], "text")
    assert replace(connection) == 1
    assert tables.columns_of(connection, TARGET) == {"n": "text"}


def test_a_reader_sees_the_old_rows_until_the_commit(
    connection: psycopg.Connection, warehouse: Warehouse
) -> None:
    create(connection, TARGET, [1])
    create(connection, SOURCE, [2])
    with psycopg.connect(warehouse.conninfo(), autocommit=True) as reader:
        with connection.transaction():
            tables.replace(connection, TARGET, SOURCE)
            reader.execute("SET statement_timeout = '5s'")
            seen = reader.execute(f"SELECT n FROM {TARGET.quoted}").fetchall()
        after = reader.execute(f"SELECT n FROM {TARGET.quoted}").fetchall()
    assert (seen, after) == ([(1,)], [(2,)])


@pytest.mark.parametrize("exists", [True, False])
def test_of_two_replacements_at_the_same_time_the_second_waits_and_stays(
    connection: psycopg.Connection, warehouse: Warehouse, exists: bool
) -> None:
    """As of the first runs of a DAG that catches up: neither fails, and the table is one of both.

    The first one changes the columns, which the second one must see.
    """
    if exists:
        create(connection, TARGET, [1])
    create(connection, SOURCE, [2], "text")
    create(connection, OTHER, [3], "text")
    with (
        psycopg.connect(warehouse.conninfo(), autocommit=True) as second,
        ThreadPoolExecutor(1) as pool,
    ):
        with connection.transaction():
            tables.replace(connection, TARGET, SOURCE)
            waiting = pool.submit(_replace_by, second, OTHER)
            while not connection.execute(WAITS, [second.info.backend_pid]).fetchone():
                assert not waiting.done()
        waiting.result(10)
    assert connection.execute(f"SELECT n FROM {TARGET.quoted}").fetchall() == [("3",)]


def _replace_by(connection: psycopg.Connection, source: Name) -> None:
    with connection.transaction():
        tables.replace(connection, TARGET, source)


def test_a_view_is_not_replaced_by_way_of_its_table(connection: psycopg.Connection) -> None:
    """Its table would lose its rows; the Astro SDK refused it, too."""
    create(connection, OTHER, [1, 2])
    connection.execute(f"CREATE VIEW {TARGET.quoted} AS SELECT * FROM {OTHER.quoted}")
    create(connection, SOURCE, [3])
    with pytest.raises(ValueError, match="is a view"):
        replace(connection)
    assert tables.row_count(connection, OTHER) == 2


def test_a_replaced_table_has_the_columns_of_the_new_one_and_no_load_id(
    connection: psycopg.Connection,
) -> None:
    create(connection, TARGET, [1])
    connection.execute(f"ALTER TABLE {TARGET.quoted} ADD COLUMN _load_id bigint")
    create(connection, SOURCE, [2])
    assert replace(connection) == 1
    assert tables.columns_of(connection, TARGET) == {"n": "integer"}


def hang_things_on(connection: psycopg.Connection, name: Name) -> None:
    """Gives a table of n an index, a grant, and two views, one of which reads the other."""
    connection.execute(
        f"CREATE UNIQUE INDEX ON {name.quoted} (n); GRANT SELECT ON {name.quoted} TO PUBLIC;"
        f" CREATE VIEW v WITH (security_barrier) AS SELECT n + 1 AS m FROM {name.quoted};"
        " COMMENT ON VIEW v IS 'ours'; CREATE VIEW w AS SELECT m FROM v;"
        " GRANT SELECT ON w TO PUBLIC"
    )


def what_hangs(connection: psycopg.Connection, name: Name) -> list[object]:
    """Reads the views, and whether index, grants, option and comment are there."""
    row = connection.execute(
        "SELECT (SELECT array_agg(m) FROM w),"
        " (SELECT reloptions FROM pg_class WHERE relname = 'v'),"
        " obj_description('v'::regclass, 'pg_class'),"
        " (SELECT count(*) FROM pg_index WHERE indrelid = %(name)s::regclass AND indisunique),"
        " (SELECT count(*) FROM pg_class, aclexplode(relacl)"
        "  WHERE oid IN (%(name)s::regclass, 'w'::regclass) AND grantee = 0)",
        {"name": name.quoted},
    ).fetchone()
    return list(row or ())


@pytest.mark.parametrize("extra", [[], ["a"]], ids=["in place", "made again in another order"])
def test_with_other_types_the_views_grants_and_indexes_of_a_table_stay(
    connection: psycopg.Connection, extra: list[str]
) -> None:
    name = Name("public", "t 50%")
    create(connection, name, [1])
    hang_things_on(connection, name)
    tables.create(connection, SOURCE, dict.fromkeys(extra, "text") | {"n": "numeric"})
    connection.execute(f"INSERT INTO {SOURCE.quoted} (n) VALUES (2.5)")
    with connection.transaction():
        tables.replace(connection, name, SOURCE)
    assert what_hangs(connection, name) == [[3.5], ["security_barrier=true"], "ours", 1, 2]
    assert tables.columns_of(connection, name)["n"] == "numeric"


def test_a_view_of_a_column_that_is_gone_stops_the_replacement(
    connection: psycopg.Connection,
) -> None:
    create(connection, TARGET, [1])
    connection.execute(f"CREATE VIEW v AS SELECT n FROM {TARGET.quoted}")
    tables.create(connection, SOURCE, {"other": "text"})
    with pytest.raises(psycopg.errors.UndefinedColumn):
        replace(connection)
    assert connection.execute("SELECT n FROM v").fetchall() == [(1,)]


def test_a_default_that_does_not_fit_the_new_type_is_no_obstacle(
    connection: psycopg.Connection,
) -> None:
    create(connection, TARGET, [1])
    connection.execute(f"ALTER TABLE {TARGET.quoted} ALTER n SET DEFAULT 1")
    tables.create(connection, SOURCE, {"n": "boolean"})
    assert replace(connection) == 0
    assert tables.columns_of(connection, TARGET) == {"n": "boolean"}
