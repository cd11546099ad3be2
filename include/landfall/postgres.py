"""Postgres: the one place that connects, and that words the server's refusals."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from .connections import Warehouse
from .errors import (
    ConnectionRefused,
    FeedError,
    LandfallError,
    RefusedCell,
    ServerAway,
    TerminalError,
)

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
REFUSALS = (
    "password", "authentication", "does not exist", "pg_hba.conf", "not permitted",
    "permission denied",
)  # fmt: skip
# SQLSTATE classes after which a retry can help: connection, resources, operator, serialisation.
TRANSIENT = ("08", "53", "57", "58", "40", "55")
# Those that a row brings about: data, constraints, a view's check, limits (an array's bounds, JSON
# that nests too deep), and what a trigger raises.
OF_ROWS = ("22", "23", "44", "54", "P0001")


@contextmanager
def connect(warehouse: Warehouse, application: str = "landfall") -> Iterator[psycopg.Connection]:
    """A connection in autocommit, closed at the end; raises ServerAway, ConnectionRefused.

    `application` is what the server's own views call it (application_name).
    """
    with clear_errors():
        try:
            connection = psycopg.connect(
                warehouse.conninfo(), autocommit=True, application_name=application[:63]
            )
        except psycopg.OperationalError as error:
            raise _unreached(warehouse, error) from None  # its text may hold the conninfo
        with connection:
            connection.execute(SESSION)
            yield connection


def statement(name: str) -> sql.SQL:
    """The SQL of include/landfall/sql/<name>.sql."""
    return sql.SQL(_text(name))  # a file of ours


@cache
def _text(name: str) -> Any:
    return (Path(__file__).parent / "sql" / f"{name}.sql").read_text(encoding="utf-8")


def table(name: str) -> sql.Identifier:
    """A schema.table as a quoted identifier."""
    return sql.Identifier(*name.split(".", 1))


def identifiers(names: Sequence[str]) -> sql.Composed:
    """The names, quoted, with commas between."""
    return sql.SQL(", ").join(map(sql.Identifier, names))


@contextmanager
def clear_errors() -> Iterator[None]:
    """Turns what psycopg raises into the project's errors."""
    try:
        yield
    except psycopg.Error as error:
        raise refusal(error) from error


def refusal(error: psycopg.Error) -> LandfallError:
    """The server's error as one of the project's, by what a retry would do."""
    state, said = error.sqlstate, _said(error)
    if state is None:
        # psycopg knows no SQLSTATE when the connection itself broke.
        if isinstance(error, psycopg.OperationalError):
            return ServerAway("the connection to the database broke", found=said, do="retry")
        return TerminalError("the database's answer could not be read", found=said)
    found = f"{said} (SQLSTATE {state})"
    if state.startswith(TRANSIENT):
        return ServerAway("the database could not go on", found=found, do="retry")
    if state.startswith("28") or state == "42501":
        return ConnectionRefused(
            "the database refused the role", found=found, do="grant the role what it lacks"
        )
    if state.startswith(OF_ROWS):
        return RefusedCell("the database refused the rows", found=found)
    if state.startswith(("42", "3F")):
        return FeedError("the feed does not fit its target", found=found)
    return TerminalError("the database refused", found=found)


def _said(error: psycopg.Error) -> str:
    parts = (error.diag.message_primary or str(error), error.diag.message_detail)
    return "; ".join(" ".join(part.split()) for part in parts if part)


def _unreached(warehouse: Warehouse, error: psycopg.OperationalError) -> LandfallError:
    said = " ".join(str(error).split())
    if any(word in said for word in REFUSALS):
        return ConnectionRefused(
            f"the database refused the connection as {warehouse.name}",
            found=said,
            do="check the connection's user, password and database, and that the user may CONNECT",
        )
    return ServerAway(
        f"the database cannot be reached at {warehouse.host}:{warehouse.port}",
        found=said,
        do="start it, or mend the connection; then retry",
    )
