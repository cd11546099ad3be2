"""Postgres: the one place that connects, and words the server's refusals."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg

from .connections import Warehouse
from .errors import ConnectionRefused, LandfallError, ServerAway, TerminalError, TransientError

# A refusal while connecting carries no SQLSTATE, only these words.
REFUSALS = (
    "authentication failed", "no password supplied", "does not exist", "no pg_hba.conf entry",
    "permission denied", "is not permitted to log in",
)  # fmt: skip
# SQLSTATE classes and states after which the same statement may succeed.
# https://www.postgresql.org/docs/current/errcodes-appendix.html
AWAY = ("08", "57P", "53", "58")
CONTENTION = ("40", "55P03")


def connect(warehouse: Warehouse, **options: Any) -> psycopg.Connection[Any]:
    """A connection in UTF-8; raises ServerAway or ConnectionRefused. `options` go to psycopg."""
    with clear_errors(warehouse):
        return psycopg.connect(warehouse.conninfo(), client_encoding="utf8", **options)


@contextmanager
def clear_errors(warehouse: Warehouse) -> Iterator[None]:
    """Turns what psycopg raises into the project's errors, with the database's name."""
    try:
        yield
    except psycopg.Error as error:
        raise _translated(error, warehouse) from error


def _translated(error: psycopg.Error, warehouse: Warehouse) -> LandfallError:
    state, said = error.sqlstate or "", _said(error)
    if not state and any(words in said for words in REFUSALS) or state.startswith("28"):
        return ConnectionRefused(
            f"the database refused the connection of {warehouse.name}",
            found=said,
            do="check the connection's user, password and database",
        )
    if state == "42501":
        return ConnectionRefused(
            f"{warehouse.name} lacks a right", found=said, do="grant it to that role"
        )
    if state.startswith(CONTENTION):
        return TransientError("another transaction stood in the way", found=said, do="retry")
    if state.startswith(AWAY) or (not state and isinstance(error, psycopg.OperationalError)):
        return ServerAway(
            f"the database cannot be reached or broke off: {warehouse.name}",
            found=said,
            do="check that it runs, then retry",
        )
    return TerminalError("the database refused the statement", found=said)


def _said(error: psycopg.Error) -> str:
    diag = error.diag
    parts = [diag.message_primary or str(error).strip(), diag.message_detail, diag.message_hint]
    text = "; ".join(" ".join(part.split()) for part in parts if part)
    return f"{text} (SQLSTATE {error.sqlstate})" if error.sqlstate else text
