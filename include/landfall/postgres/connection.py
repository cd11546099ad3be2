"""Postgres: the one place that connects, and that words the server's refusals."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from include.landfall.connections import Warehouse
from include.landfall.postgres.errors import postgres_errors, unreached

# What a cell's reading may depend on is the same in every load, whatever the role's settings.
# Of two loads the second must see what the first has committed while it waited: under a stricter
# isolation it would not, and both would stay. A lock of a client whose host is gone ends in two
# minutes, not in the two hours of the system.
SESSION = (
    "SET TimeZone = 'UTC'; SET DateStyle = 'ISO, MDY'; SET IntervalStyle = 'postgres';"
    " SET client_encoding = 'UTF8'; SET bytea_output = 'hex'; SET array_nulls = on;"
    " SET timezone_abbreviations = 'Default';"
    " SET default_transaction_isolation = 'read committed';"
    " SET tcp_keepalives_idle = 60; SET tcp_keepalives_interval = 10; SET tcp_keepalives_count = 6"
)


@contextmanager
def connect(warehouse: Warehouse, application: str = "landfall") -> Iterator[psycopg.Connection]:
    """A connection in autocommit, closed at the end; raises ServerUnavailable, ConnectionUnusable.

    `application` is what the server's own views call it (application_name).
    """
    with postgres_errors():
        try:
            connection = psycopg.connect(
                warehouse.conninfo(), autocommit=True, application_name=application[:63]
            )
        except psycopg.OperationalError as error:
            raise unreached(warehouse, error) from None  # its text may hold the conninfo
        with connection:
            connection.execute(SESSION)
            yield connection
