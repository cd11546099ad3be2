"""Postgres judges the rows whose cells are texts: good ones go into the target, others are rejects.

It works on the staging of texts, where every row stands with its number, and set by set: only a set
that is refused is taken apart.
"""

from __future__ import annotations

from typing import LiteralString

import psycopg
from psycopg import Connection, sql

from include.landfall.errors import LandfallError
from include.landfall.postgres.errors import refusal, refuses_rows
from include.landfall.postgres.statements import statement, value
from include.landfall.write.deferred import check_own_at_once
from include.landfall.write.halving import THIS_ROW, Halving, rows_block, step_block
from include.landfall.write.incoming import deletes_key
from include.landfall.write.rejected import REJECTED
from include.landfall.write.staging import TEXTS, Staging, cell_of

INPUT_IS_VALID = 160000  # the version of the server that has pg_input_is_valid()


def judge(staging: Staging) -> int:
    """Puts the rows of TEXTS into the target, and returns how many went in.

    Those that Postgres refuses are in the staging's rejected rows afterwards.

    Raises: LandfallError when a trigger or a policy refuses a row for reasons of its own.
    """
    if not staging.has_texts:
        return 0
    check_own_at_once(staging.connection, staging.target)
    if not _has_nulls(staging):
        inserted = run_in_savepoint(staging.connection, staging.insert_texts_statement())
        if isinstance(inserted, int):
            return inserted
    staging.rejected.create()
    _judge_cells(staging)
    staging.rejected.null_cells(_nullable(staging))
    return 0 if staging.rejected.are_enough() else _insert_good_rows(staging)


def _nullable(staging: Staging) -> list[int]:
    """Returns the places of the columns where a bad cell becomes NULL."""
    return [p for p, column in enumerate(staging.columns, 1) if column.planned.nulls_bad_cells]


def _has_nulls(staging: Staging) -> bool:
    """Returns whether a cell is NULL in a column of the feed that takes none."""
    nulls = [
        sql.SQL("{} IS NULL").format(cell_of(position))
        for position, column in enumerate(staging.columns, 1)
        if not column.planned.nullable
    ]
    if not nulls:
        return False
    query = sql.SQL("SELECT EXISTS (SELECT 1 FROM {} WHERE {})").format(
        TEXTS, sql.SQL(" OR ").join(nulls)
    )
    return bool(value(staging.connection, query))


def _judge_cells(staging: Staging) -> None:
    """Reads every cell alone, so that all reasons of a row are known."""
    one_by_one = []
    for position, column in enumerate(staging.columns, 1):
        if column.planned.type.name == "text" and not column.planned.type.array:
            continue
        if not _judge_as_set(staging, position):
            one_by_one.append(position)
    if one_by_one:
        _judge_one_by_one(staging, one_by_one)
    if staging.rejected.are_enough():
        return
    for position, column in enumerate(staging.columns, 1):
        if not column.planned.nullable:
            deletes = _deletes(staging, column.name)
            _judge(staging, "judge_null", position, deletes=deletes)


def _deletes(staging: Staging, name: str) -> sql.Composable:
    """Returns the SQL of whether a row deletes its key, so that it needs no cell in the column.

    The cells are judged: one that Postgres refuses is not read again.
    """
    target = staging.feed.target
    if target.deleted is None or name in target.required:
        return sql.SQL("false")
    position = staging.names.index(target.deleted.column) + 1
    cell = staging.columns[position - 1].from_text(cell_of(position))
    is_bad = sql.SQL("SELECT 1 FROM {} AS r WHERE r.number = t.number AND r.position = {}")
    return sql.SQL("CASE WHEN EXISTS ({}) THEN false ELSE {} END").format(
        is_bad.format(REJECTED, sql.Literal(position)), deletes_key(target, cell)
    )


def _judge_as_set(staging: Staging, position: int) -> bool:
    """Judges a column with one statement. Returns False where the server cannot.

    Before PostgreSQL 16 it has no function for it. It knows no NULL that a domain refuses, and some
    types of extensions raise an error instead of giving it back.
    """
    column, connection = staging.columns[position - 1], staging.connection
    if connection.info.server_version < INPUT_IS_VALID or column.planned.typtype == "d":
        return False
    try:
        with connection.transaction():
            _judge(staging, "judge_column", position, type=sql.Literal(str(column.planned.type)))
    except psycopg.Error as error:
        if not refuses_rows(error):
            raise
        return False
    return True


def _judge(staging: Staging, name: LiteralString, position: int, **more: sql.Composable) -> None:
    query = _fill(name, texts=TEXTS, **_place_of(staging, position), **more)
    staging.connection.execute(query)


def _place_of(staging: Staging, position: int) -> dict[str, sql.Composable]:
    return {
        "rejected": REJECTED,
        "position": sql.Literal(position),
        "column": sql.Literal(staging.columns[position - 1].name),
        "cell": cell_of(position),
    }


def _judge_one_by_one(staging: Staging, positions: list[int]) -> None:
    """Reads the cells of these columns row by row."""
    reads = [_read(staging, position) for position in positions]
    each = [
        _fill("judge_cell", read=read, **_place_of(staging, position))
        for position, read in zip(positions, reads)
    ]
    body = _fill(
        "judge_cells",
        texts=TEXTS,
        variables=_variables(staging, positions),
        all_cells=sql.SQL("\n").join(sql.SQL("{};").format(read) for read in reads),
        each_cell=sql.SQL("\n").join(each),
        enough=sql.Literal(None if _nullable(staging) else staging.rejected.enough),
    )
    _run_block(staging.connection, body)


def _read(staging: Staging, position: int) -> sql.Composed:
    """Returns the statement of PL/pgSQL that reads a cell. An assignment applies modifiers."""
    cell = staging.columns[position - 1].from_text(cell_of(position))
    if _has_modified_elements(staging, position):
        return sql.SQL("{} := {}").format(sql.Identifier(f"_v{position}"), cell)
    return sql.SQL("PERFORM {}").format(cell)


def _variables(staging: Staging, positions: list[int]) -> sql.Composed:
    return sql.SQL("\n").join(
        sql.SQL("{} {};").format(
            sql.Identifier(f"_v{position}"),
            # parse_type took the type apart and put it together, so it is safe to splice.
            sql.SQL(str(staging.columns[position - 1].planned.type)),
        )
        for position in positions
        if _has_modified_elements(staging, position)
    )


def _has_modified_elements(staging: Staging, position: int) -> bool:
    declared = staging.columns[position - 1].planned.type
    return declared.array and bool(declared.modifiers)


def _insert_good_rows(staging: Staging) -> int:
    """Puts the rows whose cells are all good into the target, except those that it refuses."""
    staging.connection.execute(
        sql.SQL(
            "DELETE FROM {} AS t USING {} AS r WHERE t.number = r.number AND NOT r.nulled"
        ).format(TEXTS, REJECTED)
    )
    whole = run_in_savepoint(staging.connection, staging.insert_texts_statement())
    if isinstance(whole, int):
        return whole
    rejected = staging.rejected.count()
    inserted = _insert_by_halves(staging)
    if staging.rejected.count() == rejected:
        raise refusal(whole)  # no single row: a trigger that looks at all of them, for instance
    return inserted


def _insert_by_halves(staging: Staging) -> int:
    staging.connection.execute(sql.SQL("CREATE INDEX ON {} (number)").format(TEXTS))
    staging.connection.execute(sql.SQL("ANALYZE {}").format(TEXTS))
    query = sql.SQL("SELECT min(number), max(number) FROM {}").format(TEXTS)
    first, last = staging.connection.execute(query).fetchone() or (1, 0)
    halving = Halving(
        staging.rejected,
        lambda *bounds: run_in_savepoint(staging.connection, _insert_range(staging, *bounds)),
        lambda *bounds: _insert_one_by_one(staging, *bounds),
    )
    return halving.apply(first, last)


def _insert_range(staging: Staging, first: int, last: int) -> sql.Composed:
    return sql.SQL("{} WHERE number BETWEEN {} AND {}").format(
        staging.insert_texts_statement(), sql.Literal(first), sql.Literal(last)
    )


def _insert_one_by_one(staging: Staging, first: int, last: int) -> int:
    numbers = sql.SQL(
        "SELECT t.number FROM {} AS t WHERE t.number BETWEEN {} AND {} ORDER BY t.number"
    ).format(TEXTS, sql.Literal(first), sql.Literal(last))
    insert = sql.SQL("{} WHERE number = {}").format(staging.insert_texts_statement(), THIS_ROW)
    body = rows_block(numbers, [step_block(insert)], sql.SQL("_load_rows"))
    return run_rows(staging.connection, body)


def run_rows(connection: Connection, body: sql.Composed) -> int:
    """Runs a block of PL/pgSQL that takes rows one by one, and returns how many went in.

    Raises: LandfallError of the row where a trigger raises an error for reasons of its own.
    """
    try:
        _run_block(connection, body)
    except psycopg.Error as error:
        raise _of_trigger(error) from error
    return int(value(connection, "SELECT current_setting('landfall.taken')"))


def _of_trigger(error: psycopg.Error) -> LandfallError:
    """Returns the error of a row that something in the table refuses: it stops the whole file."""
    number = error.diag.datatype_name
    refused = refusal(error)
    return refused.at(row=int(number)) if number and number.isdecimal() else refused


def run_in_savepoint(connection: Connection, query: sql.Composed) -> int | psycopg.Error:
    """Runs the statement in a savepoint. Returns the row count, or why the data is refused."""
    try:
        with connection.transaction():
            return connection.execute(query).rowcount
    except psycopg.Error as error:
        if not refuses_rows(error):
            raise
        return error


def _run_block(connection: Connection, body: sql.Composed) -> None:
    with connection.transaction():
        text = sql.Literal(body.as_string(connection))
        connection.execute(sql.SQL("DO {}").format(text))


def _fill(name: LiteralString, **parts: sql.Composable) -> sql.Composed:
    return statement(f"write/{name}").format(**parts)
