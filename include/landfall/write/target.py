"""The target: its table, created when it is missing and compared with the feed when it is not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from psycopg import Connection, sql
from psycopg.rows import namedtuple_row

from include.landfall.errors import FeedError
from include.landfall.feed.columns import Column
from include.landfall.feed.model import Feed
from include.landfall.job import LOAD_ID, PlannedColumn
from include.landfall.postgres.catalog import create_schema, has_column, has_relation, lock_name
from include.landfall.postgres.statements import statement, table

# A temporary table of the feed's columns: by it the server itself reads the declared types.
TYPED = sql.Identifier("pg_temp", "landfall_rows")
LOCK_TIMEOUT = sql.Literal("5s")


@dataclass(frozen=True)
class TargetColumn:
    """A column of the contract, and how Postgres reads it from text."""

    planned: PlannedColumn
    input: sql.SQL

    @property
    def name(self) -> str:
        """The column's name."""
        return self.planned.name

    def from_text(self, text: sql.Composable) -> sql.Composed:
        """Returns the SQL that reads the text as COPY would read the cell."""
        return self.input.format(text)


def prepare(connection: Connection, feed: Feed) -> list[TargetColumn]:
    """Creates schema and table where they are missing, and compares their columns with the feed's.

    It runs inside the load's transaction, so a load that fails leaves no table behind.

    Raises: FeedError when the table lacks a column or has another type.
    """
    if not has_relation(connection, feed.target.schema_name, feed.target.table_name):
        _create(connection, feed)
    return _compare(connection, feed)


def _compare(connection: Connection, feed: Feed) -> list[TargetColumn]:
    """Compares the table's columns with the feed's, and leaves TYPED."""
    connection.execute(
        sql.SQL("CREATE TEMP TABLE landfall_rows ({}) ON COMMIT DROP").format(_columns(feed))
    )
    with connection.cursor(row_factory=namedtuple_row) as cursor:
        rows: list[Any] = cursor.execute(
            statement("write/shape"), {"target": table(feed.target.table).as_string(connection)}
        ).fetchall()
    for row in rows:
        _check(feed, row)
    return [_target_column(feed, row) for row in rows]


def _columns(feed: Feed, with_nulls: bool = False) -> sql.Composed:
    def one(name: str, column: Column) -> sql.Composed:
        rule = " NOT NULL" if with_nulls and not column.nullable else ""
        # parse_type took the type apart and put it together, so it is safe to splice.
        return sql.SQL("{} {}{}").format(
            sql.Identifier(name), sql.SQL(str(column.parsed)), sql.SQL(rule)
        )

    return sql.SQL(", ").join(one(name, column) for name, column in feed.columns.items())


def _create(connection: Connection, feed: Feed) -> None:
    """Creates the table, unless another first load did so while this one waited."""
    target = feed.target
    lock_name(connection, f"create {target.table}")
    if has_relation(connection, target.schema_name, target.table_name):
        return
    create_schema(connection, target.schema_name)
    # The load id is never NULL and yet has no NOT NULL: where no other column has one, that
    # constraint alone costs a COPY some 3% of the server's CPU (measured on TPC-H lineitem).
    columns = _columns(feed, with_nulls=True)
    if target.load_id:
        columns = sql.SQL("{}, {} bigint").format(columns, sql.Identifier(LOAD_ID))
    connection.execute(sql.SQL("CREATE TABLE {} ({})").format(table(target.table), columns))
    _comment(connection, feed)


def _comment(connection: Connection, feed: Feed) -> None:
    name = table(feed.target.table)
    texts = [(sql.SQL("TABLE {}").format(name), feed.description)]
    texts += [
        (sql.SQL("COLUMN {}.{}").format(name, sql.Identifier(column)), declared.description)
        for column, declared in feed.columns.items()
    ]
    if feed.target.load_id:
        load_id = "The load that brought the row: landfall.ledger.load_id"
        texts.append((sql.SQL("COLUMN {}.{}").format(name, sql.Identifier(LOAD_ID)), load_id))
    for what, text in texts:
        if text:
            connection.execute(sql.SQL("COMMENT ON {} IS {}").format(what, sql.Literal(text)))


def add_load_id(connection: Connection, feed: Feed) -> None:
    """Adds the load id to a table that others made, in a transaction, where the feed wants it.

    It locks the table for a moment, and not until the load ends; readers that hold the table longer
    than LOCK_TIMEOUT are not kept waiting. Without a default the column rewrites nothing.

    Raises: FeedError when the table does not fit. It is then as it was.
    """
    name = table(feed.target.table)
    there = has_relation(connection, feed.target.schema_name, feed.target.table_name)
    if not (there and feed.target.load_id) or has_column(connection, name, LOAD_ID):
        return
    with connection.transaction():
        _compare(connection, feed)
        connection.execute(sql.SQL("SET LOCAL lock_timeout = {}").format(LOCK_TIMEOUT))
        connection.execute(
            sql.SQL("ALTER TABLE {} ADD COLUMN IF NOT EXISTS {} bigint").format(
                name, sql.Identifier(LOAD_ID)
            )
        )


def _check(feed: Feed, row: Any) -> None:
    if row.existing is None:
        raise FeedError(
            f"the table {feed.target.table} has no column {row.name!r}",
            expected=f"a column of type {row.declared}",
            do="add it to the table, or take it out of the feed",
        ).at(column=row.name)
    if row.generated:
        raise FeedError(
            f"the table {feed.target.table} computes the column itself: it is a generated column",
            do="take it out of the feed",
        ).at(column=row.name)
    if not row.agrees:
        raise FeedError(
            f"the table {feed.target.table} has another type than the feed",
            found=row.existing,
            expected=row.declared,
            do="declare the table's type in the feed, or alter the table",
        ).at(column=row.name)


def _target_column(feed: Feed, row: Any) -> TargetColumn:
    column = feed.columns[row.name]
    planned = PlannedColumn(row.name, column.parsed, row.typtype, column.nullable)
    return TargetColumn(planned, _input_of(planned, row))


def _input_of(column: PlannedColumn, row: Any) -> sql.SQL:
    """Returns the expression that reads a text, in place of {}, as COPY would.

    COPY calls the type's input function with the column's modifiers. A cast would not do: to
    char(2), bit(3) or a domain of varchar(3) it cuts off a longer text silently.
    """
    declared = column.type
    if declared.name == "text" and not declared.array:
        return sql.SQL("{}")
    if row.input_schema is None:  # of arrays and enums a cast does what the input function does
        bare = {"char": "bpchar"}.get(declared.name, declared.name)
        return sql.SQL("{}::" + bare + ("[]" if declared.array else ""))
    arguments = ["textout({})", str(row.input_parameter), str(row.typmod)][: row.input_arguments]
    function = f'"{row.input_schema}"."{row.input_name}"'
    domain = f"::{declared}" if column.typtype == "d" else ""
    return sql.SQL(f"{function}({', '.join(arguments)}){domain}")
