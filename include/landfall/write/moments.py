"""The columns of a version's time in a table of scd2: they must take every moment as it is."""

from __future__ import annotations

from psycopg import Connection

from include.landfall.errors import FeedError
from include.landfall.feed.column_types import ColumnType, parse_type
from include.landfall.feed.model import Feed
from include.landfall.feed.target import VALID_FROM, VALID_TO
from include.landfall.postgres.catalog import catalog_columns
from include.landfall.postgres.statements import table
from include.landfall.write.alter import is_wider

TIMES = ("date", "timestamp", "timestamptz")
FINEST = (6,)  # digits of a second


def moment_type(feed: Feed) -> ColumnType:
    """Returns the type of the moments from which versions are valid."""
    newest = feed.target.newest
    return feed.table_columns[newest].parsed if newest else ColumnType("timestamptz")


def check_moments(connection: Connection, feed: Feed) -> None:
    """Checks that the table's columns of a version's time take every moment.

    A narrower one rounds it: two changes of one day would be versions of the same moment.

    Raises: FeedError.
    """
    moment = moment_type(feed)
    if not moment.built_in:  # the server compares it with the table's own type
        return
    for column in catalog_columns(connection, table(feed.target.table)):
        if column.name in {VALID_FROM, VALID_TO} and not _fits(feed, moment, column.type):
            whence = f"the type of newest: {feed.target.newest}" if feed.target.newest else "a time"
            raise FeedError(
                f"the column {column.name} of {feed.target.table} cannot take every moment from"
                " which a row is valid",
                found=column.type,
                expected=f"{moment}, {whence}",
                do=f"ALTER TABLE ... ALTER {VALID_FROM} TYPE {moment}, ALTER {VALID_TO} TYPE"
                f" {moment}",
            ).at(column=column.name)


def _fits(feed: Feed, moment: ColumnType, text: str) -> bool:
    try:
        existing = parse_type(text)
    except ValueError:
        return False
    will_be_widened = feed.contract.types == "widen" and is_wider(text, moment)
    return will_be_widened or takes_moments(existing, moment)


def takes_moments(existing: ColumnType, moment: ColumnType) -> bool:
    """Returns whether a column of this type takes each moment as it is, and compares it so."""
    if existing == moment:
        return True
    if moment.array or existing.array or existing.name == "text":
        return False
    if moment.name in TIMES and existing.name in TIMES[1:]:
        needed = (0,) if moment.name == "date" else moment.modifiers or FINEST
        return (existing.modifiers or FINEST) >= needed
    return is_wider(str(moment), existing)
