"""Connects to Postgres, with the session settings that every load has."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg import sql

from include.landfall.connections import Warehouse
from include.landfall.postgres.errors import postgres_errors, unreached

# What the reading of a cell depends on is set in every load, whatever the role's settings are.
# Of two loads the second must see what the first committed while it waited: under a stricter
# isolation it would not, and the rows of both would stay. When a client's host is gone, its locks
# end after two minutes, not after the system's two hours.
SESSION = (
    "SET TimeZone = 'UTC'; SET DateStyle = 'ISO, MDY'; SET IntervalStyle = 'postgres';"
    " SET client_encoding = 'UTF8'; SET bytea_output = 'hex'; SET array_nulls = on;"
    " SET timezone_abbreviations = 'Default';"
    " SET default_transaction_isolation = 'read committed';"
    # A COPY only sends. A server with notices to send would wait for us, while we wait for it.
    " SET client_min_messages = 'error';"
    " SET tcp_keepalives_idle = 60; SET tcp_keepalives_interval = 10; SET tcp_keepalives_count = 6"
)


@contextmanager
def connect(warehouse: Warehouse, application: str = "landfall") -> Iterator[psycopg.Connection]:
    """Opens a connection in autocommit, and closes it at the end.

    `application` is what the server's own views call it (application_name).

    Raises: ServerUnavailable, ConnectionUnusable.
    """
    with postgres_errors():
        try:
            connection = psycopg.connect(
                warehouse.conninfo(),
                autocommit=True,
                application_name=application[:63],
                prepare_threshold=None,  # a pooler gives the next statement to another session
            )
        except psycopg.OperationalError as error:
            raise unreached(warehouse, error) from None  # its text may hold the conninfo
        with connection:
            connection.execute(SESSION)
            yield connection


def server_encoding(connection: psycopg.Connection) -> str | None:
    """Returns Python's name of the database's encoding, or None where it takes every letter."""
    encoding = connection.info.parameter_status("server_encoding")
    if encoding in {"UTF8", "SQL_ASCII"}:
        return None
    with connection.transaction():
        connection.execute(sql.SQL("SET LOCAL client_encoding = {}").format(sql.Literal(encoding)))
        return connection.info.encoding
