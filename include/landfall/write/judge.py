"""Finds which row and which cell Postgres refuses, and says so in the server's words.

It works on the staging of texts, where every row stands with its number.
"""

from __future__ import annotations

import psycopg
from psycopg import Connection, sql

from include.landfall.errors import RefusedCell
from include.landfall.job import ROW_NUMBER
from include.landfall.postgres.errors import refusal
from include.landfall.write.staging import TEXTS, Staging
from include.landfall.write.target import TYPED, TargetColumn

NUMBER = sql.Identifier(ROW_NUMBER)


def insert(staging: Staging, count: int) -> int:
    """Puts all `count` staged rows into the target, and returns how many went in.

    Raises: RefusedCell with row and column.
    """
    inserted = _try(staging.connection, _rows_between(staging, 1, count))
    if isinstance(inserted, psycopg.Error):
        raise _first_refused(staging, count, inserted)
    return inserted


def _first_refused(staging: Staging, count: int, whole: psycopg.Error) -> RefusedCell:
    """Searches by halves. What goes in stays, so that a row is judged beside those before it."""
    first, last = 1, count
    while first <= last:
        middle = (first + last) // 2
        inserted = _try(staging.connection, _rows_between(staging, first, middle))
        if not isinstance(inserted, psycopg.Error):
            first = middle + 1
        elif first == last:
            return _of_row(staging, first, inserted)
        else:
            last = middle
    return _without_row(whole)  # no single row: a trigger that looks at all of them, for instance


def _rows_between(staging: Staging, first: int, last: int) -> sql.Composed:
    return sql.SQL("{} WHERE {} BETWEEN {} AND {}").format(
        staging.insert_statement(), NUMBER, sql.Literal(first), sql.Literal(last)
    )


def _try(connection: Connection, query: sql.Composed) -> int | psycopg.Error:
    """Runs the statement in a savepoint. Returns the row count, or why the data is refused."""
    try:
        with connection.transaction():
            connection.execute("SET CONSTRAINTS ALL IMMEDIATE")
            return connection.execute(query).rowcount
    except psycopg.Error as error:
        if not isinstance(refusal(error), RefusedCell):
            raise
        return error


def _of_row(staging: Staging, number: int, failure: psycopg.Error) -> RefusedCell:
    for column in staging.columns:
        error = _try(staging.connection, _one_cell(column, number))
        if isinstance(error, psycopg.Error):
            return _of_cell(staging.connection, column, number, error)
    return _without_row(failure).at(row=number)


def _one_cell(column: TargetColumn, number: int) -> sql.Composed:
    """Puts the cell into a table of its column alone: the other columns may take no NULL."""
    return sql.SQL(
        "CREATE TEMP TABLE landfall_cell AS SELECT {0} FROM {1} WITH NO DATA;"
        " INSERT INTO pg_temp.landfall_cell SELECT {2} FROM {3} WHERE {4} = {5};"
        " DROP TABLE pg_temp.landfall_cell"
    ).format(
        sql.Identifier(column.planned.name),
        TYPED,
        column.from_text,
        TEXTS,
        NUMBER,
        sql.Literal(number),
    )


def _of_cell(
    connection: Connection, column: TargetColumn, number: int, error: psycopg.Error
) -> RefusedCell:
    name = column.planned.name
    query = sql.SQL("SELECT {} FROM {} WHERE {} = {}").format(
        sql.Identifier(name), TEXTS, NUMBER, sql.Literal(number)
    )
    row = connection.execute(query).fetchone()
    return RefusedCell(
        f"Postgres refuses a cell: {_message(error)}",
        found=row[0] if row else None,
        expected=f"a value of type {column.planned.type}",
        do="ask the sender to correct the cell, or declare a type that takes it",
    ).at(row=number, column=name)


def _without_row(error: psycopg.Error) -> RefusedCell:
    constraint = error.diag.constraint_name
    return RefusedCell(
        f"Postgres refuses a row: {_message(error)}",
        found=error.diag.message_detail,
        expected=f"rows that keep {constraint}" if constraint else None,
        do="correct the row, or the table's constraint",
    ).at(column=error.diag.column_name)


def _message(error: psycopg.Error) -> str:
    return f"{error.diag.message_primary} (SQLSTATE {error.sqlstate})"
