"""The target: its table, made when it is missing, and held against the feed when it is not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from psycopg import Connection, sql
from psycopg.rows import namedtuple_row

from include.landfall.errors import FeedError
from include.landfall.feed.model import Column, Feed
from include.landfall.job import PlannedColumn
from include.landfall.postgres.statements import statement, table

LOAD_ID = "_load_id"


@dataclass(frozen=True)
class TargetColumn:
    """A column of the contract, and how text becomes it in a set-based INSERT."""

    planned: PlannedColumn
    from_text: sql.Composable


def prepare(connection: Connection, feed: Feed) -> list[TargetColumn]:
    """Makes schema and table where they are missing; raises FeedError where they do not fit.

    Runs inside the load's transaction, so a load that fails leaves no table behind.
    """
    _create_shape(connection, feed)
    _create_missing(connection, feed)
    with connection.cursor(row_factory=namedtuple_row) as cursor:
        rows: list[Any] = cursor.execute(
            statement("write/shape"), {"target": table(feed.target.table).as_string(connection)}
        ).fetchall()
    for row in rows:
        _check(feed, row.name, row.declared, row.existing, row.agrees)
    return [_column(r.name, feed.columns[r.name], r.kind, r.category) for r in rows]


def _create_shape(connection: Connection, feed: Feed) -> None:
    """A temporary table of the feed's columns: the server itself reads the declared types."""
    connection.execute(
        sql.SQL("CREATE TEMP TABLE landfall_rows ({}) ON COMMIT DROP").format(_columns(feed))
    )


def _columns(feed: Feed, with_nulls: bool = False) -> sql.Composed:
    def one(name: str, column: Column) -> sql.Composed:
        rule = " NOT NULL" if with_nulls and not column.nullable else ""
        # The type was taken apart and put together by parse_type, so it is safe to splice.
        return sql.SQL("{} {}{}").format(
            sql.Identifier(name),
            sql.SQL(str(column.parsed)),
            sql.SQL(rule),
        )

    return sql.SQL(", ").join(one(name, column) for name, column in feed.columns.items())


def _create_missing(connection: Connection, feed: Feed) -> None:
    target = feed.target
    if _exists(connection, feed):
        _add_load_id(connection, feed)
        return
    # Two first loads at once: the second waits here, and then finds the table.
    connection.execute(
        "SELECT pg_advisory_xact_lock(hashtextextended(%s, 1))", [f"create {target.table}"]
    )
    if _exists(connection, feed):
        return
    _create_schema(connection, target.schema_name)
    _create_table(connection, feed)


def _create_schema(connection: Connection, name: str) -> None:
    def missing() -> bool:
        query = "SELECT 1 FROM pg_namespace WHERE nspname = %s"
        return connection.execute(query, [name]).fetchone() is None

    if not missing():
        return
    # Where two make it at once, even IF NOT EXISTS fails for one of them.
    connection.execute(
        "SELECT pg_advisory_xact_lock(hashtextextended(%s, 1))", [f"create schema {name}"]
    )
    if missing():
        connection.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(name)))


def _exists(connection: Connection, feed: Feed) -> bool:
    # Not to_regclass(): inside a transaction it still believes what it saw before it waited.
    query = (
        "SELECT 1 FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace"
        " WHERE n.nspname = %s AND c.relname = %s"
    )
    names = [feed.target.schema_name, feed.target.table_name]
    return connection.execute(query, names).fetchone() is not None


def _create_table(connection: Connection, feed: Feed) -> None:
    """The feed's columns and the load id.

    The latter is never NULL and yet has no NOT NULL: where no other column has one, that constraint
    alone costs a COPY some 3% of the server's CPU (measured on TPC-H lineitem).
    """
    name = table(feed.target.table)
    connection.execute(
        sql.SQL("CREATE TABLE {} ({}, {} bigint)").format(
            name, _columns(feed, with_nulls=True), sql.Identifier(LOAD_ID)
        )
    )
    _comment(connection, feed)


def _comment(connection: Connection, feed: Feed) -> None:
    name = table(feed.target.table)
    texts = [(sql.SQL("TABLE {}").format(name), feed.description)]
    texts += [
        (sql.SQL("COLUMN {}.{}").format(name, sql.Identifier(column)), declared.description)
        for column, declared in feed.columns.items()
    ]
    ledger = "The load that brought the row: landfall.ledger.load_id"
    texts.append((sql.SQL("COLUMN {}.{}").format(name, sql.Identifier(LOAD_ID)), ledger))
    for what, text in texts:
        if text:
            connection.execute(sql.SQL("COMMENT ON {} IS {}").format(what, sql.Literal(text)))


def _add_load_id(connection: Connection, feed: Feed) -> None:
    """A table made by others gets the column; without a default this rewrites nothing."""
    name = table(feed.target.table)
    has_it = connection.execute(
        "SELECT 1 FROM pg_attribute WHERE attrelid = to_regclass(%s) AND attname = %s"
        " AND NOT attisdropped",
        [name.as_string(connection), LOAD_ID],
    ).fetchone()
    if not has_it:
        connection.execute(
            sql.SQL("ALTER TABLE {} ADD COLUMN IF NOT EXISTS {} bigint").format(
                name, sql.Identifier(LOAD_ID)
            )
        )


def _check(feed: Feed, name: str, declared: str, existing: str | None, agrees: bool) -> None:
    if existing is None:
        raise FeedError(
            f"the table {feed.target.table} has no column {name!r}",
            expected=f"a column of type {declared}",
            do="add it to the table, or take it out of the feed",
        ).at(column=name)
    if not agrees:
        raise FeedError(
            f"the table {feed.target.table} has another type than the feed",
            found=existing,
            expected=declared,
            do="declare the table's type in the feed, or alter the table",
        ).at(column=name)


def _column(name: str, column: Column, kind: str, category: str) -> TargetColumn:
    planned = PlannedColumn(name, column.parsed, kind, column.nullable)
    return TargetColumn(planned, _from_text(planned, category))


def _from_text(column: PlannedColumn, category: str) -> sql.Composable:
    """The SQL that reads the column's text as the type's input function would.

    A cast to char(2) cuts a longer text off without a word, while assignment refuses it; so
    the cast goes to the type without its figures, and the assignment applies them.
    """
    name = sql.Identifier(column.name)
    if category == "S":
        return name
    kind = column.type
    if kind.name == "numeric" and kind.figures and not kind.array:
        # 1e-40000 is 0.00 to numeric(15,2) and more than a numeric without figures can hold.
        return sql.SQL("numeric_in(textout({}), 0, {})").format(name, _typmod(*kind.figures))
    bare = {"char": "bpchar"}.get(kind.name, kind.name)
    array = "[]" if kind.array else ""
    return sql.SQL("{}::{}").format(name, sql.SQL(bare + array))


def _typmod(precision: int, scale: int) -> sql.Literal:
    """What pg_attribute.atttypmod says of numeric(precision, scale): make_numeric_typmod()."""
    return sql.Literal((precision << 16 | scale & 0x7FF) + 4)


def replace_rows(connection: Connection, feed: Feed, load_ids: list[int]) -> None:
    """Takes the rows of earlier loads away: for `replace` all rows, whoever brought them.

    DELETE, not TRUNCATE: a reader who began before must still see the old rows.
    """
    name = table(feed.target.table)
    if feed.target.disposition == "replace":
        # Other writers wait, readers do not: two replacements must not both stay.
        connection.execute(sql.SQL("LOCK TABLE {} IN SHARE ROW EXCLUSIVE MODE").format(name))
        connection.execute(sql.SQL("DELETE FROM {}").format(name))
    elif load_ids:
        connection.execute(
            # No parameter, since a % in the table's name would be taken for one.
            sql.SQL("DELETE FROM {} WHERE {} = ANY({}::bigint[])").format(
                name, sql.Identifier(LOAD_ID), sql.Literal(load_ids)
            )
        )
