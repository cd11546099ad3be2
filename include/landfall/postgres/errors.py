"""Postgres: the one place that connects, and that words the server's refusals."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from include.landfall.connections import Warehouse
from include.landfall.errors import (
    ConnectionUnusable,
    FeedError,
    LandfallError,
    RefusedCell,
    ServerUnavailable,
    TerminalError,
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
def postgres_errors() -> Iterator[None]:
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
            return ServerUnavailable("the connection to the database broke", found=said, do="retry")
        return TerminalError("the database's answer could not be read", found=said)
    found = f"{said} (SQLSTATE {state})"
    if state.startswith(TRANSIENT):
        return ServerUnavailable("the database could not go on", found=found, do="retry")
    if state.startswith("28") or state == "42501":
        return ConnectionUnusable(
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
        return ConnectionUnusable(
            f"the database refused the connection as {warehouse.name}",
            found=said,
            do="check the connection's user, password and database, and that the user may CONNECT",
        )
    return ServerUnavailable(
        f"the database cannot be reached at {warehouse.host}:{warehouse.port}",
        found=said,
        do="start it, or mend the connection; then retry",
    )
