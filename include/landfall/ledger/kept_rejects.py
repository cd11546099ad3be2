"""The rejects that are kept: who looks at them, dismisses them, lets old ones go."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from psycopg import Connection, sql
from psycopg.rows import class_row

from include.landfall.errors import ObjectMissing, WrongUse
from include.landfall.ledger.entries import SCHEMA
from include.landfall.ledger.reasons import REASONS
from include.landfall.postgres.catalog import has_column, has_relation
from include.landfall.postgres.statements import identifiers, value

NAME = "rejects"
OPEN, SAMPLE = "open", "sample"
STATES = (OPEN, SAMPLE, "replayed", "nulled", "dismissed", "superseded")
FETCHED = 1_000  # rows that are in memory at a time
NAMES_SHOWN = 10


@dataclass(frozen=True)
class Reject:
    """A row of `landfall.rejects`. `cells` are by column; None where the row has none."""

    reject_id: int
    load_id: int
    feed: str
    bucket: str
    key: str
    version: str
    member: str | None
    line: int | None
    row_number: int
    column_name: str | None
    reason: str
    sqlstate: str
    message: str
    more: list[dict[str, str | None]] | None
    raw: str | None
    cells: dict[str, str | None] | None
    state: str
    rejected_at: datetime
    settled_at: datetime | None
    settled_by: str | None

    @property
    def file(self) -> str:
        """The file in which the row is: the object's key, with the member of a zip file."""
        return f"{self.key}!{self.member}" if self.member else self.key

    @property
    def messages(self) -> list[str]:
        """Every reason of the row in words, each with its column."""
        reasons = [{"column": self.column_name, "message": self.message}, *(self.more or [])]
        return [
            f"{reason['column']}: {reason['message']}"
            if reason["column"]
            else f"{reason['message']}"
            for reason in reasons
        ]


@dataclass(frozen=True)
class Selection:
    """Some rejects of a feed: of one object, of one reason, in these states."""

    feed: str
    key: str | None = None
    reason: str | None = None
    states: tuple[str, ...] = (OPEN,)

    @property
    def parameters(self) -> dict[str, Any]:
        """The parameters of a statement that names SELECTED."""
        return {**self.__dict__, "states": list(self.states)}


# A reject is found by its first reason, by which the counts are kept too.
SELECTED = sql.SQL(
    "feed = %(feed)s AND (%(key)s::text IS NULL OR key = %(key)s"
    " OR right(%(key)s, 1) = '/' AND starts_with(key, %(key)s))"
    " AND (%(reason)s::text IS NULL OR reason = %(reason)s) AND state = ANY(%(states)s)"
)


def rejects_exist(connection: Connection) -> bool:
    """Returns whether there is a table of rejects yet."""
    return has_relation(connection, SCHEMA, NAME)


def rejects_of(connection: Connection, selection: Selection) -> Iterator[Reject]:
    """Yields the rejects in the order in which they were kept, in the same memory for any number.

    Runs in the caller's transaction.
    """
    if not rejects_exist(connection):
        return
    fields = [name for name in Reject.__dataclass_fields__ if name != "member"]
    query = sql.SQL(
        "SELECT {}, {} AS member FROM landfall.rejects WHERE {} ORDER BY reject_id"
    ).format(identifiers(fields), _member(connection), SELECTED)
    with connection.cursor("landfall_kept", row_factory=class_row(Reject)) as cursor:
        cursor.itersize = FETCHED
        yield from cursor.execute(query, selection.parameters)


def _member(connection: Connection) -> sql.Composable:
    """Returns the column `member`, which rejects of an earlier version lack before a load."""
    is_there = has_column(connection, sql.Identifier(SCHEMA, NAME), "member")
    return sql.Identifier("member") if is_there else sql.SQL("NULL::text")


def counts(connection: Connection, selection: Selection) -> dict[str, int]:
    """Returns how many rejects there are for which reason, the most frequent first."""
    if not rejects_exist(connection):
        return {}
    query = sql.SQL(
        "SELECT reason, count(*) FROM landfall.rejects WHERE {} GROUP BY reason"
        " ORDER BY count(*) DESC, reason"
    ).format(SELECTED)
    return dict(connection.execute(query, selection.parameters).fetchall())


def check_selection(connection: Connection, selection: Selection) -> None:
    """Checks that the reason and the object by which rejects are selected can have some.

    Raises: WrongUse when there is no such reason, ObjectMissing when the ledger has no such object.
    """
    if not rejects_exist(connection):
        return
    of_feed = replace(selection, key=None, reason=None, states=STATES)
    reasons = counts(connection, of_feed)
    if selection.reason not in {None, *REASONS, *reasons}:
        raise WrongUse(
            f"there is no reason {selection.reason!r}",
            expected=f"one that rejects of the feed have: {', '.join(reasons) or 'there are none'}",
        ).at(feed=selection.feed)
    if selection.key is not None and not _has_object(connection, selection):
        keys = connection.execute(
            "SELECT DISTINCT key FROM landfall.rejects WHERE feed = %s ORDER BY key LIMIT %s",
            [selection.feed, NAMES_SHOWN],
        ).fetchall()
        raise ObjectMissing(
            "the ledger has no such object",
            found=selection.key,
            expected="an object of the feed; rejects are of "
            + (", ".join(key for (key,) in keys) or "none"),
            do="look for its key: landfall status --feed ...",
        ).at(feed=selection.feed)


def _has_object(connection: Connection, selection: Selection) -> bool:
    """Returns whether the ledger has the object, or one of a folder."""
    query = (
        "SELECT EXISTS (SELECT FROM landfall.ledger WHERE feed = %(feed)s AND (key = %(key)s"
        " OR right(%(key)s, 1) = '/' AND starts_with(key, %(key)s)))"
    )
    return bool(value(connection, query, selection.parameters))


def dismiss(connection: Connection, feed: str, reject_ids: Sequence[int], by: str) -> None:
    """Dismisses open rejects, all or none: they are counted as rejected, and never replayed.

    Raises: WrongUse when one of them is not an open reject of the feed.
    """
    wanted = set(reject_ids)
    with connection.transaction():
        dismissed: set[int] = set()
        if rejects_exist(connection):
            rows = connection.execute(
                "UPDATE landfall.rejects SET state = 'dismissed', settled_at = clock_timestamp(),"
                " settled_by = %s WHERE feed = %s AND reject_id = ANY(%s) AND state = 'open'"
                " RETURNING reject_id",
                [by, feed, sorted(wanted)],
            )
            dismissed = {reject_id for (reject_id,) in rows.fetchall()}
        check_all_are_open(feed, wanted - dismissed)


def check_all_are_open(feed: str, others: set[int]) -> None:
    """Checks that nothing is left of the ids that were named.

    Raises: WrongUse with those that are left.
    """
    if not others:
        return
    names = ", ".join(map(str, sorted(others)[:NAMES_SHOWN]))
    more = len(others) - NAMES_SHOWN
    raise WrongUse(
        "not every id is an open reject of the feed",
        found=names + (f" and {more} more" if more > 0 else ""),
        do="look which are open: landfall rejects --feed ...",
    ).at(feed=feed)


def keys_with_open_rejects(connection: Connection, feed: str) -> set[str]:
    """Returns the keys of the feed's objects that have open rejects."""
    if not rejects_exist(connection):
        return set()
    query = "SELECT DISTINCT key FROM landfall.rejects WHERE feed = %s AND state = 'open'"
    return {key for (key,) in connection.execute(query, [feed])}


def keys_with_lost_rejects(connection: Connection, feed: str) -> set[str]:
    """Returns the keys of the feed's loaded files whose rejected rows are not kept.

    They were only counted (`rejects.keep: count`), or have expired.
    """
    if not rejects_exist(connection):
        return set()
    query = (
        "SELECT DISTINCT key FROM landfall.ledger AS entry"
        " WHERE feed = %s AND status = 'loaded' AND rejected > 0 AND NOT EXISTS"
        " (SELECT FROM landfall.rejects AS kept WHERE kept.load_id = entry.load_id)"
    )
    return {key for (key,) in connection.execute(query, [feed])}


def expire(connection: Connection, feed: str, days: int) -> dict[str, int]:
    """Deletes the feed's rejects that are older than so many days, whatever their state.

    Returns how many were deleted in which state.
    """
    if not rejects_exist(connection):
        return {}
    query = (
        "WITH expired AS (DELETE FROM landfall.rejects"
        " WHERE feed = %s AND rejected_at < clock_timestamp() - make_interval(days => %s)"
        " RETURNING state) SELECT state, count(*) FROM expired GROUP BY state ORDER BY state"
    )
    with connection.transaction():
        return dict(connection.execute(query, [feed, days]).fetchall())
