"""Each test has an empty database, whatever the one before it has left."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from include.landfall.connections import Warehouse
from tests.support.databases import MOST_USES, ReusedDatabase

# Everything that a user can see of a database: its objects and their owners and rights.
SEEN = """
SELECT 'relation', relname::text, nspname::text, relowner, relacl::text
FROM pg_class JOIN pg_namespace AS n ON n.oid = relnamespace
WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'
UNION ALL
SELECT 'schema', nspname, obj_description(oid), nspowner, nspacl::text
FROM pg_namespace WHERE nspname !~ '^pg_'
UNION ALL
SELECT 'setting', setconfig::text, NULL, setrole, NULL
FROM pg_db_role_setting JOIN pg_database AS d ON d.oid = setdatabase
WHERE datname = current_database()
UNION ALL
SELECT 'large object', oid::text, NULL, lomowner, lomacl::text FROM pg_largeobject_metadata
UNION ALL
SELECT 'default right', defaclobjtype::text, NULL, defaclrole, NULL FROM pg_default_acl
UNION ALL
SELECT 'event trigger', evtname, NULL, evtowner, NULL FROM pg_event_trigger
UNION ALL
SELECT 'database', NULL, datconnlimit::text, datdba, datacl::text
FROM pg_database WHERE datname = current_database()
ORDER BY 1, 2, 3
"""
IN_SCHEMAS = """
CREATE SCHEMA raw;
CREATE TABLE raw.a (id serial PRIMARY KEY, b text);
CREATE VIEW public.b AS SELECT * FROM raw.a;
CREATE TYPE public.mood AS ENUM ('good');
CREATE FUNCTION public.f() RETURNS integer LANGUAGE sql AS 'SELECT 1';
"""
OUTSIDE = {
    "a setting": "ALTER DATABASE <this> SET x.y = 1",
    "a right": "REVOKE ALL ON DATABASE <this> FROM public",
    "a right in public": "GRANT CREATE ON SCHEMA public TO public",
    "no public": "DROP SCHEMA public",
    "a large object": "SELECT lo_create(0)",
    "an event trigger": "CREATE FUNCTION f() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';"
    " CREATE EVENT TRIGGER e ON sql_drop EXECUTE FUNCTION f()",
    "a default right": "ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO public",
}


@pytest.fixture
def database(warehouse_server: Warehouse) -> Iterator[ReusedDatabase]:
    database = ReusedDatabase(warehouse_server)
    yield database
    database.drop()


def seen(warehouse: Warehouse) -> list[tuple[object, ...]]:
    with psycopg.connect(warehouse.conninfo()) as connection:
        return connection.execute(SEEN).fetchall()


def execute(warehouse: Warehouse, statements: str) -> None:
    with psycopg.connect(warehouse.conninfo(), autocommit=True) as connection:
        connection.execute(statements.replace("<this>", warehouse.dbname).encode())


def names_and_contents(database: ReusedDatabase, statements: str) -> list[tuple[str, object]]:
    """Takes the database twice; in between, runs the statements in it."""
    taken = []
    for _ in range(2):
        with database.take() as warehouse:
            taken.append((warehouse.dbname, seen(warehouse)))
            execute(warehouse, statements)
    return taken


def test_what_is_in_schemas_is_gone_and_the_database_is_used_again(
    database: ReusedDatabase,
) -> None:
    (first, new), (second, used) = names_and_contents(database, IN_SCHEMAS)
    assert first == second
    assert used == new


@pytest.mark.parametrize("left", OUTSIDE)
def test_a_database_that_cannot_be_emptied_is_made_again(
    database: ReusedDatabase, left: str
) -> None:
    (first, new), (second, used) = names_and_contents(database, OUTSIDE[left])
    assert first != second
    assert used == new


def test_a_connection_that_a_test_has_left_open_neither_stops_it_nor_stays(
    database: ReusedDatabase,
) -> None:
    with database.take() as warehouse:
        execute(warehouse, "CREATE TABLE a (b int)")
        left = psycopg.connect(warehouse.conninfo())
        left.execute("SELECT * FROM a")
    with database.take() as again:
        assert again == warehouse
        with pytest.raises(psycopg.OperationalError):
            left.execute("SELECT 1")
    left.close()


def test_a_database_that_was_used_very_often_is_made_again(database: ReusedDatabase) -> None:
    names = set()
    for _ in range(MOST_USES + 1):
        with database.take() as warehouse:
            names.add(warehouse.dbname)
    assert len(names) == 2
