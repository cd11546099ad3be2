"""Alters the target as far as the feed's contract asks for it, in the load's own transaction.

Readers of the table wait from then on until the load commits.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from psycopg import Connection, sql

from include.landfall.contract import Change, What
from include.landfall.feed.column_types import ColumnType, parse_type
from include.landfall.feed.model import Feed
from include.landfall.feed.target import VALID_FROM, VALID_TO
from include.landfall.frames import NewColumn
from include.landfall.postgres.catalog import catalog_columns, lock_name
from include.landfall.postgres.connection import shorten_lock_timeout
from include.landfall.postgres.statements import table, value
from include.landfall.write.target import add_columns

WHOLE = ("smallint", "integer", "bigint")
DIGITS = {"smallint": 5, "integer": 10, "bigint": 19}


def fit(connection: Connection, feed: Feed, target: sql.Identifier | None = None) -> list[Change]:
    """Adds columns of the feed that the table lacks, and widens narrower ones, as the feed says.

    Loads of a feed that alters its table wait for each other.

    Returns what was altered.
    """
    if not feed.contract.alters:
        return []
    lock_name(connection, f"alter {feed.target.table}")
    target = target or table(feed.target.table)
    existing = {each.name: each.type for each in catalog_columns(connection, target)}
    if not existing:  # there is no table yet
        return []
    return [
        *_add_declared(connection, feed, target, existing),
        *_widen(connection, feed, target, existing),
    ]


def _add_declared(
    connection: Connection, feed: Feed, target: sql.Identifier, existing: dict[str, str]
) -> list[Change]:
    evolves, rescue = feed.contract.new_columns == "evolve", feed.contract.rescue_column
    added = [
        NewColumn(name, column.type)
        for name, column in feed.table_columns.items()
        if name not in existing and (evolves or name == rescue)
    ]
    add_new(connection, target, added)
    return [Change(What.COLUMN_ADDED, column.name, None, column.type) for column in added]


def add_new(connection: Connection, target: sql.Identifier, columns: Sequence[NewColumn]) -> None:
    """Adds columns, which are nullable."""
    if columns:
        with _briefly(connection):
            add_columns(connection, target, columns)


def _widen(
    connection: Connection, feed: Feed, target: sql.Identifier, existing: dict[str, str]
) -> list[Change]:
    if feed.contract.types != "widen":
        return []
    widened = [
        Change(What.TYPE_WIDENED, name, existing[name], column_type)
        for name, column_type in _declared_types(feed).items()
        if name in existing and is_wider(existing[name], parse_type(column_type))
    ]
    changes = [
        # parse_type took the type apart and put it together, so it is safe to splice.
        sql.SQL("ALTER {0} TYPE {1} USING {0}::{1}").format(
            sql.Identifier(str(change.column)), sql.SQL(str(change.after))
        )
        for change in widened
    ]
    if changes:
        with _briefly(connection):
            connection.execute(
                sql.SQL("ALTER TABLE {} {}").format(target, sql.SQL(", ").join(changes))
            )
    return widened


def _declared_types(feed: Feed) -> dict[str, str]:
    """Returns the types of the feed's columns, and of those that scd2 fills with their values."""
    types = {name: column.type for name, column in feed.table_columns.items()}
    if feed.target.is_scd2 and feed.target.newest:
        types |= dict.fromkeys((VALID_FROM, VALID_TO), types[feed.target.newest])
    return types


def is_wider(existing: str, declared: ColumnType) -> bool:
    """Returns whether the declared type takes every value of the table's type, unchanged."""
    try:
        old = parse_type(existing)
    except ValueError:
        return False
    if old == declared or old.array or declared.array or not old.built_in:
        return False
    if declared.name == "text":  # the feed asks for it by its name
        return True
    if old.name in WHOLE and declared.name in WHOLE:
        return WHOLE.index(old.name) < WHOLE.index(declared.name)
    if declared.name == "numeric":
        return _takes_digits(old, declared.modifiers)
    if declared.name == old.name == "varchar":
        return not declared.modifiers or (
            bool(old.modifiers) and declared.modifiers > old.modifiers
        )
    return (old.name, declared) == ("date", ColumnType("timestamp"))


def _takes_digits(old: ColumnType, modifiers: tuple[int, ...]) -> bool:
    """Returns whether a numeric with these modifiers takes all digits of the type."""
    if old.name != "numeric" and old.name not in WHOLE:
        return False
    if not modifiers:
        return True
    digits, scale = old.modifiers or (DIGITS.get(old.name, 1001), 0)
    return modifiers[1] >= scale and modifiers[0] - modifiers[1] >= digits - scale


@contextmanager
def _briefly(connection: Connection) -> Iterator[None]:
    """Waits for a lock no longer than SHORT_LOCK_TIMEOUT: other readers would queue behind it."""
    before = value(connection, "SHOW lock_timeout")
    shorten_lock_timeout(connection)
    yield
    connection.execute(sql.SQL("SET LOCAL lock_timeout = {}").format(sql.Literal(before)))
