"""The target: its table, created when it is missing and compared with the feed when it is not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from psycopg import Connection, sql
from psycopg.rows import namedtuple_row

from include.landfall.contract import IfMissing
from include.landfall.errors import FeedError, ServerUnavailable
from include.landfall.feed.column_types import near_type, parse_type
from include.landfall.feed.columns import Column
from include.landfall.feed.model import Feed
from include.landfall.feed.names import RESERVED
from include.landfall.feed.target import OF_SCD2
from include.landfall.job import LOAD_ID, PlannedColumn
from include.landfall.ledger.queries import loaded_rows
from include.landfall.planned import planned_column
from include.landfall.postgres.catalog import (
    CatalogColumn,
    catalog_columns,
    create_schema,
    has_column,
    has_relation,
    lock_name,
    shape_of,
)
from include.landfall.postgres.connection import shorten_lock_timeout
from include.landfall.postgres.statements import statement, table, value
from include.landfall.write.dispositions import disposition_of
from include.landfall.write.kind import check_kind

# A temporary table of the feed's columns: by it the server itself reads the declared types.
TYPED = sql.Identifier("pg_temp", "landfall_rows")


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
    create_missing(connection, feed)
    return compare(connection, feed, table(feed.target.table))


@contextmanager
def unaltered(connection: Connection, feed: Feed) -> Iterator[list[TargetColumn]]:
    """Prepares the target for a load, and checks in the end that nobody has altered it since.

    A column that got another type after it was compared takes the bytes of a binary COPY as values
    of that type: 1094861636 of an integer as the text ABCD. A lock would prevent that, and make a
    merge and a REINDEX CONCURRENTLY wait for each other: the merge needs a stronger one later.

    Raises: ServerUnavailable when somebody has, FeedError as `prepare`.
    """
    place = feed.target.schema_name, feed.target.table_name
    before = shape_of(connection, *place)
    columns = prepare(connection, feed)
    before = before or shape_of(connection, *place)
    yield columns
    if not before <= shape_of(connection, *place):  # the load itself may have added columns
        raise ServerUnavailable(
            f"another session altered or replaced {feed.target.table} while the file was loaded",
            do="retry: then the table is compared with the feed again",
        )


def create_missing(connection: Connection, feed: Feed) -> None:
    """Creates schema and table where they are missing.

    Raises: FeedError when the target is nothing that a load can fill.
    """
    if not has_relation(connection, feed.target.schema_name, feed.target.table_name):
        _create(connection, feed)
    check_kind(connection, feed)
    disposition_of(feed).check_target(connection, feed)


def compare(connection: Connection, feed: Feed, target: sql.Identifier) -> list[TargetColumn]:
    """Compares the table's columns with the feed's, and leaves TYPED.

    Raises: FeedError when the table lacks a column or has another type.
    """
    check_types(connection, feed)
    connection.execute(
        sql.SQL("CREATE TEMP TABLE landfall_rows ({}) ON COMMIT DROP").format(_columns(feed))
    )
    if feed.contract.new_columns == "evolve":
        others = [each for each in catalog_columns(connection, target) if _is_evolved(feed, each)]
        add_columns(connection, TYPED, [(each.name, each.type) for each in others])
    return target_columns(connection, feed, target)


def check_types(connection: Connection, feed: Feed) -> None:
    """Checks that the database has the types that the feed declares.

    Raises: FeedError with the column, and the type that may be meant.
    """
    for name, column in feed.table_columns.items():
        declared = column.parsed
        if declared.built_in:
            continue
        if value(connection, "SELECT to_regtype(%s)", [str(declared)]) is None:
            near = near_type(declared.name)
            error = FeedError(
                "the database has no such type",
                found=str(declared),
                expected="a type of Postgres, or an enum or domain of the database",
                do=f"did you mean {near!r}?" if near else "create the type, or name another",
            )
            if place := feed.place_of(name):
                error.more.append(("declared in", place))
            raise error.at(feed=feed.name, column=name)


def target_columns(
    connection: Connection, feed: Feed, target: sql.Identifier
) -> list[TargetColumn]:
    """Returns the columns of TYPED as the target has them.

    Raises: FeedError when the table lacks columns or has other types; it tells of all of them.
    """
    with connection.cursor(row_factory=namedtuple_row) as cursor:
        rows: list[Any] = cursor.execute(
            statement("write/shape"), {"target": target.as_string(connection)}
        ).fetchall()
    misfits = [error for row in rows if (error := _misfit(feed, row))]
    for other in misfits[1:]:
        misfits[0].more.append(("also", _in_short(other)))
    if misfits:
        raise misfits[0]
    return [_target_column(feed, row) for row in rows]


def _is_evolved(feed: Feed, column: CatalogColumn) -> bool:
    """Returns whether the table has the column and the feed does not, as after a file's new one."""
    is_own = column.name in feed.table_columns or bool(RESERVED.fullmatch(column.name))
    is_own = is_own or (feed.target.is_scd2 and column.name in OF_SCD2)
    if is_own or column.is_computed:
        return False
    try:
        return bool(parse_type(column.type))
    except ValueError:  # a type that no feed can declare
        return False


def add_columns(
    connection: Connection, target: sql.Identifier, columns: Sequence[tuple[str, str]]
) -> None:
    """Adds columns of these types, which parse_type() takes. Without a default it is quick."""
    for name, column_type in columns:
        connection.execute(
            sql.SQL("ALTER TABLE {} ADD COLUMN {} {}").format(
                # parse_type took the type apart and put it together, so it is safe to splice.
                target, sql.Identifier(name), sql.SQL(str(parse_type(column_type)))
            )
        )  # fmt: skip


def _columns(feed: Feed, with_nulls: bool = False) -> sql.Composed:
    def one(name: str, column: Column) -> sql.Composed:
        rule = " NOT NULL" if with_nulls and not _is_nullable(feed, name) else ""
        # parse_type took the type apart and put it together, so it is safe to splice.
        return sql.SQL("{} {}{}").format(
            sql.Identifier(name), sql.SQL(str(column.parsed)), sql.SQL(rule)
        )

    return sql.SQL(", ").join(one(name, column) for name, column in feed.table_columns.items())


def _is_nullable(feed: Feed, name: str) -> bool:
    return feed.table_columns[name].nullable and name not in feed.target.required


def _create(connection: Connection, feed: Feed) -> None:
    """Creates the table, unless another first load did so while this one waited."""
    check_types(connection, feed)
    target = feed.target
    lock_name(connection, f"create {target.table}")
    if has_relation(connection, target.schema_name, target.table_name):
        return
    create_schema(connection, target.schema_name)
    definitions = disposition_of(feed).definitions(feed)
    # The load id is never NULL and yet has no NOT NULL: where no other column has one, that
    # constraint alone costs a COPY some 3% of the server's CPU (measured on TPC-H lineitem).
    columns = _columns(feed, with_nulls=True)
    if target.load_id:
        columns = sql.SQL("{}, {} bigint").format(columns, sql.Identifier(LOAD_ID))
    columns = sql.SQL(", ").join([columns, *definitions])
    connection.execute(sql.SQL("CREATE TABLE {} ({})").format(table(target.table), columns))
    _comment(connection, feed)


def _comment(connection: Connection, feed: Feed) -> None:
    name = table(feed.target.table)
    texts = [(sql.SQL("TABLE {}").format(name), feed.description)]
    texts += [
        (sql.SQL("COLUMN {}.{}").format(name, sql.Identifier(column)), declared.description)
        for column, declared in feed.table_columns.items()
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
    than SHORT_LOCK_TIMEOUT are not kept waiting. Without a default the column rewrites nothing.

    Raises: FeedError when the table does not fit. It is then as it was.
    """
    name = table(feed.target.table)
    there = has_relation(connection, feed.target.schema_name, feed.target.table_name)
    if not (there and feed.target.load_id) or has_column(connection, name, LOAD_ID):
        return
    check_kind(connection, feed)
    _check_rows_have_ids(connection, feed)
    with connection.transaction():
        if not feed.contract.alters:  # else the load itself makes the table fit
            compare(connection, feed, name)
        shorten_lock_timeout(connection)
        connection.execute(
            sql.SQL("ALTER TABLE {} ADD COLUMN IF NOT EXISTS {} bigint").format(
                name, sql.Identifier(LOAD_ID)
            )
        )


def _check_rows_have_ids(connection: Connection, feed: Feed) -> None:
    """Checks that the table has no row of a loaded file, if loads find replaced rows by id.

    Raises: FeedError. A changed file would leave its earlier rows beside its own.
    """
    disposition, target = disposition_of(feed), feed.target
    if disposition.keeps_rows or not disposition.needs_load_id:
        return
    rows = loaded_rows(connection, feed.name, target.table)
    query = sql.SQL("SELECT EXISTS (SELECT 1 FROM {})").format(table(target.table))
    if not rows or not value(connection, query):
        return
    raise FeedError(
        f"the rows of loaded files in {target.table} carry no load id: a file that changes could"
        " not replace its own",
        found=f"no column {LOAD_ID}, and {rows:,} rows that files have brought",
        do="bring the table back with its column, or empty it and load all files again with"
        " --force. Where no loaded file will change, add the column:"
        f" ALTER TABLE {table(target.table).as_string(connection)} ADD COLUMN {LOAD_ID} bigint",
    )


def _misfit(feed: Feed, row: Any) -> FeedError | None:
    """Returns what a column of the table lacks for the feed."""
    if row.existing is None:
        error = FeedError(
            f"the table {feed.target.table} has no column {row.name!r}",
            expected=f"a column of type {row.declared}",
            do="add it to the table, or take it out of the feed",
        )
    elif row.generated:
        error = FeedError(
            f"the table {feed.target.table} computes the column itself: it is a generated column",
            do="take it out of the feed",
        )
    elif not row.agrees:
        error = FeedError(
            f"the table {feed.target.table} has another type than the feed",
            found=row.existing,
            expected=row.declared,
            do="declare the table's type in the feed, or alter the table",
        )
    else:
        return None
    return error.at(column=row.name)


def _in_short(misfit: FeedError) -> str:
    facts = [misfit.found, misfit.expected and f"expected: {misfit.expected}"]
    what = ", ".join(fact for fact in facts if fact) or "a generated column"
    return f"column {misfit.place.column}: {what}"


def _target_column(feed: Feed, row: Any) -> TargetColumn:
    column = feed.table_columns.get(row.name)
    if column is None:  # only the table has it
        planned = PlannedColumn(
            row.name, parse_type(row.existing), row.typtype, if_missing=IfMissing.TABLE_ONLY
        )
        return TargetColumn(planned, _input_of(planned, row))
    planned = replace(
        planned_column(feed, row.name),
        typtype=row.typtype,
        # A row that deletes its key needs no other cell: it is judged before the table is asked.
        nullable=_is_nullable(feed, row.name) and not (feed.target.deleted and row.required),
        base=parse_type(row.base) if row.typtype == "d" else None,
    )
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
