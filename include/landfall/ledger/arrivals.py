"""Which arrivals are new: the bucket's listing against the ledger, never a time cursor.

The rule, for the version of an object that the bucket shows now:

1. Where the ledger has a loaded version of the object, the arrival is new when it is another one:
   another ETag or size. Times of versions of one object never count, because clocks
   and restored versions go back: what the bucket shows is what counts.
2. Where it has none, the arrival is new, unless another object replaced it (a feed whose newest
   file is the whole table) and it is not newer than that object. S3's times have whole seconds: of
   two objects of the same second, the one with the greater key is the newer.

The server applies the rule to the listing page by page (sql/ledger/new.sql), so a look takes the
same memory for any number of files that are loaded.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from enum import StrEnum
from itertools import islice
from typing import Any

import psycopg
from psycopg import Connection, sql

from include.landfall.arrival import Arrival
from include.landfall.errors import ConnectionUnusable, FeedError
from include.landfall.feed.model import Feed
from include.landfall.ledger import queries
from include.landfall.ledger.entries import ledger_exists
from include.landfall.ledger.parts import checked_parts, loaded_otherwise
from include.landfall.postgres.catalog import has_relation
from include.landfall.postgres.rights import check_rights
from include.landfall.postgres.statements import statement, table, value

PAGE = 5_000  # arrivals that one statement compares
LOOK = "SET LOCAL lock_timeout = '1s'"  # a look into the table does not wait for who locks it


class Reason(StrEnum):
    """Why an arrival is loaded, or why it is not."""

    NEW = "new"
    CHANGED = "changed"  # the ledger has another version of the object
    FAILED = "failed"  # this version was refused before
    LOADED = "loaded"  # nothing to do
    DUPLICATE = "duplicate"  # nothing to do: refused, because a loaded file has its content
    SUPERSEDED = "superseded"  # nothing to do: a newer file took its place
    EARLY = "early"  # nothing to do yet: it failed, and its time for another try has not come

    @property
    def is_new(self) -> bool:
        """Whether an arrival of this reason is loaded."""
        return self in (Reason.NEW, Reason.CHANGED, Reason.FAILED)


Explained = tuple[Arrival, Reason]
OnEarly = Callable[[Arrival], object]


def new_arrivals(
    connection: Connection,
    feed: Feed,
    arrivals: Iterable[Arrival],
    *,
    due_only: bool = False,
    on_early: OnEarly = lambda arrival: None,
) -> list[Arrival]:
    """Returns the arrivals that are not loaded: first those never tried, then the failed ones.

    Each oldest first. So files that fail again and again never keep a good one waiting. With
    `due_only` a failed one is left out until its time has come (Entry.retry_after); `on_early` gets
    those.

    Raises: FeedError when the table that the ledger tells of is gone or has another name in the
    feed, when another feed loaded one of the arrivals into the same table, and when parts of one
    export would replace each other.
    """
    to_load = []
    for arrival, reason in _with_reasons(connection, feed, arrivals, due_only=due_only):
        if reason is Reason.EARLY:
            on_early(arrival)
        elif reason.is_new:
            to_load.append((arrival, reason))
    new = [arrival for arrival, _ in _in_turn(to_load)]
    check_loaded_otherwise(connection, feed, new)
    return new


def plan(
    connection: Connection, feed: Feed, arrivals: Iterable[Arrival]
) -> tuple[list[Explained], list[Explained]]:
    """Returns the new arrivals in the order of `new_arrivals`, and the others, with their reasons.

    Raises: FeedError, as `new_arrivals` does.
    """
    explained = list(_with_reasons(connection, feed, arrivals))
    to_load = _in_turn(each for each in explained if each[1].is_new)
    check_loaded_otherwise(connection, feed, [arrival for arrival, _ in to_load])
    return to_load, [each for each in explained if not each[1].is_new]


def _with_reasons(
    connection: Connection, feed: Feed, arrivals: Iterable[Arrival], *, due_only: bool = False
) -> Iterator[Explained]:
    """Yields every arrival with the reason why it is new, or why it is not.

    With `due_only` one that failed and whose time has not come is early.
    """
    arrivals = checked_parts(feed, arrivals)
    if not ledger_exists(connection):
        yield from ((arrival, Reason.NEW) for arrival in arrivals)
        return
    check_target(connection, feed)
    newest = queries.newest_loaded(connection, feed.name)
    for page in _pages(arrivals):
        for arrival, reason, has_failed in _reasons(connection, feed, page, due_only):
            if reason is Reason.SUPERSEDED and (not newest or arrival.newness > newest):  # restored
                reason = Reason.FAILED if has_failed else Reason.NEW
            yield arrival, reason


def _in_turn(new: Iterable[Explained]) -> list[Explained]:
    return sorted(new, key=lambda each: (each[1] is Reason.FAILED, *each[0].newness))


def _pages(arrivals: Iterable[Arrival]) -> Iterator[list[Arrival]]:
    remaining = iter(arrivals)
    while page := list(islice(remaining, PAGE)):
        yield page


def _reasons(
    connection: Connection, feed: Feed, page: list[Arrival], due_only: bool
) -> list[tuple[Arrival, Reason, bool]]:
    """Returns the arrivals of a page with their reasons, as the ledger alone knows them.

    And whether the last try at each of them failed.
    """
    try:
        values = {**_values(feed, page), "due_only": due_only}
        with connection.transaction():  # a caller's own goes on after a key of other letters
            rows = connection.execute(statement("ledger/new"), values).fetchall()
    except psycopg.errors.UntranslatableCharacter:
        # The database's encoding lacks a character of one key, so its ledger cannot have the key.
        if len(page) == 1:
            return [(page[0], Reason.NEW, False)]
        middle = len(page) // 2
        halves = page[:middle], page[middle:]
        return [each for half in halves for each in _reasons(connection, feed, half, due_only)]
    reasons = {place: (Reason(reason), has_failed) for place, reason, has_failed in rows}
    loaded = Reason.LOADED, False
    return [(arrival, *reasons.get(n, loaded)) for n, arrival in enumerate(page)]


def _values(feed: Feed, page: list[Arrival]) -> dict[str, Any]:
    """Returns the parameters of a statement on a page. JSON is twice as fast as arrays are."""
    listed = [
        {"place": place, "key": arrival.key, "version": arrival.version, "size": arrival.size}
        for place, arrival in enumerate(page)
    ]
    return {
        "page": json.dumps(listed, ensure_ascii=False),
        "feed": feed.name,
        "bucket": feed.source.bucket,
        "target": feed.target.table,
        "is_whole": feed.target.is_whole,
    }


def keep_times(connection: Connection, feed: Feed, arrivals: Iterable[Arrival]) -> None:
    """Keeps the new times of loaded objects that came again unchanged, before these are deleted."""
    for page in _pages(arrivals):
        listed = [
            {"key": each.key, "version": each.version, "last_modified": str(each.last_modified)}
            for each in page
        ]
        values = {"page": json.dumps(listed, ensure_ascii=False), "feed": feed.name}
        connection.execute(statement("ledger/keep_times"), {**values, "bucket": feed.source.bucket})


def missing_rows(connection: Connection, feed: Feed) -> int | None:
    """Returns how many rows the ledger counts in a table that is empty: others took them away.

    That may be on purpose, for instance where rows move on to another table. A merge that deletes
    may have emptied it itself. None: another session has locked the table, so nobody can look.
    """
    target = feed.target
    if target.takes_keys_away or not ledger_exists(connection):
        return 0
    if not has_relation(connection, target.schema_name, target.table_name):
        return 0
    try:
        with connection.transaction(force_rollback=True):  # else the timeout stays for a load
            connection.execute(LOOK)
            return lost_rows(connection, feed)
    except psycopg.errors.LockNotAvailable:
        return None
    except psycopg.errors.InsufficientPrivilege:
        _check_may_look(connection, feed)
        raise


def lost_rows(connection: Connection, feed: Feed) -> int:
    """Returns how many rows the ledger counts in a table that is there, and is empty."""
    target = feed.target
    query = sql.SQL("SELECT EXISTS (SELECT 1 FROM {})").format(table(target.table))
    if value(connection, query):
        return 0
    rows = queries.loaded_rows(connection, feed.name, target.table)
    # Another load may have committed since the first look.
    return 0 if rows and value(connection, query) else rows


def _check_may_look(connection: Connection, feed: Feed) -> None:
    try:
        check_rights(connection, feed.target.schema_name, feed.target.table_name, ["SELECT"])
    except ConnectionUnusable as error:
        raise error.at(feed=feed.name) from None


def check_target(connection: Connection, feed: Feed) -> None:
    """Checks that the rows which the ledger tells of are in the feed's table.

    Raises: FeedError when they are in another table, or when the table is gone.
    """
    target = feed.target
    for elsewhere in queries.targets(connection, feed.name):
        if elsewhere != target.table and has_relation(connection, *elsewhere.split(".", 1)):
            raise FeedError(
                f"files of this feed are loaded into {elsewhere}",
                found=f"target.table: {target.table}",
                do=f"where another project fills {elsewhere}, give this feed another name: a"
                " database knows feeds by their names alone; else rename the table"
                f" {elsewhere} too, or load the files again with --force",
            ).at(feed=feed.name)
    check_is_there(connection, feed)


def check_is_there(connection: Connection, feed: Feed) -> None:
    """Checks that the feed's table is there, if the ledger has files in it.

    Raises: FeedError when it is gone.
    """
    target = feed.target

    def is_there() -> bool:
        return has_relation(connection, target.schema_name, target.table_name)

    if is_there() or not ledger_exists(connection):
        return
    number = sum(queries.loaded_files(connection, feed.name).values())
    if number and not is_there():  # the first load may have brought both since the first look
        raise FeedError(
            f"the table {target.table} is gone, and the ledger has {number} files in it",
            do="restore the table, or where it was renamed write its name as target.table; else"
            " load all files again with --force and without --key",
        ).at(feed=feed.name)


def check_loaded_otherwise(connection: Connection, feed: Feed, new: list[Arrival]) -> None:
    """Checks that the rows of the arrivals are not in the table as those of other arrivals.

    Raises: FeedError when another feed, such as this one before it was renamed, loaded the same
    files into the same table, and when a folder is loaded part by part that is one arrival now.
    """
    _check_other_feeds(connection, feed, new)
    _check_folders(connection, feed, new)


def _check_folders(connection: Connection, feed: Feed, new: list[Arrival]) -> None:
    if not new or not feed.target.only_adds or not ledger_exists(connection):
        return
    are_folders = feed.source.snapshot is not None
    for page in _pages(new):
        met = _first_of(connection, "ledger/loaded_otherwise", feed, page, are_folders=are_folders)
        if met:
            raise loaded_otherwise(feed, *met)


def _check_other_feeds(connection: Connection, feed: Feed, new: list[Arrival]) -> None:
    if not new or not ledger_exists(connection) or not queries.has_other_feeds(connection, feed):
        return
    for page in _pages(new):
        if met := _first_of(connection, "ledger/loaded_by_others", feed, page):
            arrival, other = met
            raise FeedError(
                f"the feed {other!r} loaded this file into {feed.target.table} already",
                do=f"give the feed its old name {other!r} again, or another table; how the ledger"
                " takes a new name: docs/operations.md, Rename a feed",
            ).at(feed=feed.name, object=arrival.uri)


def _first_of(
    connection: Connection, name: str, feed: Feed, page: list[Arrival], **more: object
) -> tuple[Arrival, str] | None:
    """Returns the first arrival of a page that a statement meets in the ledger, and what it met."""
    try:
        with connection.transaction():
            values = {**_values(feed, page), **more}
            row = connection.execute(statement(name), values).fetchone()
    except psycopg.errors.UntranslatableCharacter:  # no ledger of this database can have that key
        if len(page) == 1:
            return None
        halves = page[: len(page) // 2], page[len(page) // 2 :]
        met = (_first_of(connection, name, feed, half, **more) for half in halves)
        return next(filter(None, met), None)
    return (page[row[0]], row[1]) if row else None
