"""Judge: finds which row and which cell Postgres refuses, and says so in the server's words.

It works on the staging of texts, where a careful reading put every row with its number.
"""

from __future__ import annotations

import psycopg
from psycopg import Connection, sql

from include.landfall.errors import RefusedCell
from include.landfall.postgres.errors import refusal
from include.landfall.write.copy import ROW, TEXTS, Copier, check_counts
from include.landfall.write.staging import TYPED
from include.landfall.write.target import TargetColumn

NUMBER = sql.Identifier(ROW)


def insert(copier: Copier, rows: int) -> None:
    """Moves all `rows` staged rows into the target.

    Raises RefusedCell with row and column, DataError when a row is unaccounted for.
    """
    moved = _try(copier.connection, _range(copier, 1, rows))
    if isinstance(moved, psycopg.Error):
        raise _first_refused(copier, rows, moved)
    check_counts(moved, rows)


def _first_refused(copier: Copier, rows: int, whole: psycopg.Error) -> RefusedCell:
    """By halves: what goes in stays, so that a row is judged beside those before it."""
    first, last = 1, rows
    while first <= last:
        middle = (first + last) // 2
        moved = _try(copier.connection, _range(copier, first, middle))
        if not isinstance(moved, psycopg.Error):
            first = middle + 1
        elif first == last:
            return _named(copier, first, moved)
        else:
            last = middle
    return _of_row(whole)  # no row by itself: a trigger that looks at all of them, for instance


def _range(copier: Copier, first: int, last: int) -> sql.Composed:
    return sql.SQL("{} WHERE {} BETWEEN {} AND {}").format(
        copier.insert_statement(), NUMBER, sql.Literal(first), sql.Literal(last)
    )


def _try(connection: Connection, query: sql.Composed) -> int | psycopg.Error:
    """The statement in a savepoint: the rows it moved, or the error if the data is refused."""
    try:
        with connection.transaction():
            connection.execute("SET CONSTRAINTS ALL IMMEDIATE")
            return connection.execute(query).rowcount
    except psycopg.Error as error:
        if not isinstance(refusal(error), RefusedCell):
            raise
        return error


def _named(copier: Copier, number: int, failure: psycopg.Error) -> RefusedCell:
    for column in copier.columns:
        error = _try(copier.connection, _one_cell(column, number))
        if isinstance(error, psycopg.Error):
            return _of_cell(copier.connection, column, number, error)
    return _of_row(failure).at(row=number)


def _one_cell(column: TargetColumn, number: int) -> sql.Composed:
    """Puts the cell into a table of its column alone: the others may not bear to be NULL."""
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
        f"Postgres refuses a cell: {_words(error)}",
        found=row[0] if row else None,
        expected=f"a value of type {column.planned.type}",
        do="ask the sender to mend the cell, or declare a type that takes it",
    ).at(row=number, column=name)


def _of_row(error: psycopg.Error) -> RefusedCell:
    constraint = error.diag.constraint_name
    return RefusedCell(
        f"Postgres refuses a row: {_words(error)}",
        found=error.diag.message_detail,
        expected=f"rows that keep {constraint}" if constraint else None,
        do="mend the row, or the table's constraint",
    ).at(column=error.diag.column_name)


def _words(error: psycopg.Error) -> str:
    return f"{error.diag.message_primary} (SQLSTATE {error.sqlstate})"
