"""Databases for tests. A used one is emptied: that costs a fraction of a new one."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from typing import Any

import psycopg
from psycopg import sql

from include.landfall.connections import Warehouse

# The catalogs keep dead rows of what was dropped, and a database with many of them is slower.
MOST_USES = 100
# What a test can leave outside of schemas. A database in which this differs is not used again.
OUTSIDE_OF_SCHEMAS = """
SELECT d.datdba, d.datacl::text, d.datconnlimit, d.datallowconn, n.nspowner, n.nspacl::text,
    (SELECT count(*) FROM pg_db_role_setting WHERE setdatabase = d.oid),
    (SELECT count(*) FROM pg_prepared_xacts WHERE database = d.datname),
    (SELECT count(*) FROM pg_extension), (SELECT count(*) FROM pg_language),
    (SELECT count(*) FROM pg_event_trigger), (SELECT count(*) FROM pg_publication),
    (SELECT count(*) FROM pg_foreign_data_wrapper), (SELECT count(*) FROM pg_foreign_server),
    (SELECT count(*) FROM pg_cast), (SELECT count(*) FROM pg_am),
    (SELECT count(*) FROM pg_default_acl), (SELECT count(*) FROM pg_largeobject_metadata)
FROM pg_database AS d LEFT JOIN pg_namespace AS n ON n.nspname = 'public'
WHERE d.datname = current_database()
"""
OTHERS = """
SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid()
"""
SCHEMAS = """
SELECT nspname FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'
"""
# As in a new database since PostgreSQL 15.
PUBLIC = sql.SQL(
    "CREATE SCHEMA public AUTHORIZATION pg_database_owner;"
    " GRANT USAGE ON SCHEMA public TO PUBLIC;"
    " COMMENT ON SCHEMA public IS 'standard public schema'"
)


class ReusedDatabase:
    """A database that one test after the other has for itself, empty each time."""

    def __init__(self, server: Warehouse) -> None:
        self._server = server
        self._made = ExitStack()
        self._warehouse: Warehouse | None = None
        self._outside: Any = None
        self._uses = 0

    @contextmanager
    def take(self) -> Iterator[Warehouse]:
        """Yields the empty database, and empties it after the block."""
        warehouse = self._warehouse or self._make()
        self._uses += 1
        try:
            yield warehouse
        finally:
            if self._uses == MOST_USES or not self._emptied(warehouse):
                self.drop()

    def drop(self) -> None:
        """Drops the database; the next test has a new one."""
        self._warehouse = None
        self._made.close()

    def _make(self) -> Warehouse:
        self._warehouse = self._made.enter_context(fresh_database(self._server))
        self._uses = 0
        with psycopg.connect(self._warehouse.conninfo()) as connection:
            self._outside = connection.execute(OUTSIDE_OF_SCHEMAS).fetchone()
        return self._warehouse

    def _emptied(self, warehouse: Warehouse) -> bool:
        """Drops all that is in the database; False where that is not enough or does not work."""
        options = "-c lock_timeout=5s -c client_min_messages=error"
        try:
            with psycopg.connect(
                warehouse.conninfo(), autocommit=True, options=options
            ) as connection:
                connection.execute(OTHERS)
                if connection.execute(OUTSIDE_OF_SCHEMAS).fetchone() != self._outside:
                    return False
                names = [sql.Identifier(name) for (name,) in connection.execute(SCHEMAS)]
                drop = sql.SQL("DROP SCHEMA {} CASCADE; ").format(sql.SQL(", ").join(names))
                connection.execute(drop + PUBLIC)
                return True
        except psycopg.Error:
            return False


@contextmanager
def fresh_database(server: Warehouse, name: str | None = None) -> Iterator[Warehouse]:
    """Creates a database on this server, and drops it after the block."""
    name = name or f"test_{uuid.uuid4().hex[:12]}"
    admin = replace(server, dbname="postgres").conninfo()
    _execute(admin, sql.SQL("CREATE DATABASE {} STRATEGY file_copy").format(sql.Identifier(name)))
    yield replace(server, dbname=name)
    # FORCE: a test that failed may have left connections open.
    _execute(admin, sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def _execute(conninfo: str, statement: sql.Composed) -> None:
    with psycopg.connect(conninfo, autocommit=True) as connection:
        connection.execute(statement)
