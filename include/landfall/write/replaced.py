"""The rows that a load replaces: removed from the target, and seen to be gone."""

from __future__ import annotations

from psycopg import Connection, sql

from include.landfall.errors import FeedError
from include.landfall.feed.model import Feed
from include.landfall.job import LOAD_ID
from include.landfall.postgres.statements import table, value
from include.landfall.write.dependents import check_dependents, keep_dependents_away
from include.landfall.write.dispositions import Disposition


def remove_replaced(
    connection: Connection, feed: Feed, disposition: Disposition, load_ids: list[int]
) -> None:
    """Removes the rows that a load replaces; `load_ids` are the loads that brought them.

    Raises: FeedError when they stay, or cannot be told from others.
    """
    target = table(feed.target.table)
    if disposition.keeps_rows:
        disposition.remove_replaced(connection, target, load_ids)
        return
    removed = load_ids if feed.target.load_id else []
    if removed or disposition.replaces_feed:
        keep_dependents_away(connection, target)
    check_dependents(connection, feed.target.table, None if disposition.replaces_feed else removed)
    if feed.target.load_id or not disposition.needs_load_id:
        disposition.remove_replaced(connection, target, load_ids)
    if feed.target.load_id:
        check_removed(connection, feed, load_ids)
    elif disposition.replaces_feed:
        _check_gone(connection, feed, sql.SQL("true"))
    elif load_ids and disposition.needs_load_id and _remain(connection, feed, sql.SQL("true")):
        raise FeedError(
            "the file replaces rows that it brought before, and they carry no load id",
            found="target.load_id: false",
            do="take load_id: false out of the feed, or delete the rows and load with --force"
            " into the empty table",
        )


def check_removed(connection: Connection, feed: Feed, load_ids: list[int]) -> None:
    """Checks that rows with these load ids are gone: a trigger or a policy may keep them silently.

    Raises: FeedError when they stay, or may stay unseen.
    """
    if load_ids:
        has_id = sql.SQL("{} = ANY({}::bigint[])")
        _check_gone(connection, feed, has_id.format(sql.Identifier(LOAD_ID), sql.Literal(load_ids)))


def _check_gone(connection: Connection, feed: Feed, which: sql.Composable) -> None:
    if _remain(connection, feed, which):
        raise rows_stay(feed)
    check_visible(connection, feed)


def rows_stay(feed: Feed) -> FeedError:
    """Returns the error of rows that are there still, though a load has replaced them."""
    return FeedError(
        f"rows that this load replaces stay in {feed.target.table}",
        expected="rows that DELETE removes and UPDATE changes (a trigger, a rule, a policy or a"
        " table that inherits from it may keep them)",
        do="let the trigger, rule or policy of the table delete and change the rows of the loading"
        " role",
    )


def check_visible(connection: Connection, feed: Feed) -> None:
    """Checks that the loading role sees all rows of the target.

    Raises: FeedError when row level security may hide some.
    """
    name = table(feed.target.table).as_string(connection)
    query = sql.SQL("SELECT row_security_active({})").format(sql.Literal(name))
    if value(connection, query):
        raise FeedError(
            f"row level security may hide rows of {feed.target.table} that this load changes",
            do="give the loading role BYPASSRLS, or let it own the table without FORCE",
        )


def _remain(connection: Connection, feed: Feed, which: sql.Composable) -> bool:
    # No parameter: a % in the table's name would be taken for one.
    query = sql.SQL("SELECT EXISTS (SELECT 1 FROM {} WHERE {})")
    return bool(value(connection, query.format(table(feed.target.table), which)))
