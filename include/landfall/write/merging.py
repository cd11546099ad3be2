"""What the strategies of a merge share: what they do with rows of one key."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from datetime import datetime

from psycopg import Connection, sql

from include.landfall.errors import FeedError
from include.landfall.feed.model import Feed
from include.landfall.postgres.statements import identifiers, statement
from include.landfall.write.dependents import check_dependents_where
from include.landfall.write.dispositions import Disposition
from include.landfall.write.merge_parts import Merge, Step, of, same
from include.landfall.write.undo import undo

EVERY_ROW = sql.SQL("true")
IS_ABSENT = sql.SQL("NOT EXISTS (SELECT 1 FROM {incoming} AS i WHERE {same_key})")


class Merging(Disposition):
    """A strategy of a merge. Rows change the rows of their key, whichever file brought those."""

    is_merged = True
    keeps_rows = True

    def remove_replaced(
        self, connection: Connection, target: sql.Identifier, load_ids: list[int]
    ) -> None:
        """Removes nothing: a row that only the earlier version of an object had stays."""

    def definitions(self, feed: Feed) -> list[sql.Composable]:
        """Returns the primary key of a new table."""
        return [sql.SQL("PRIMARY KEY ({})").format(identifiers(feed.target.key))]

    @abstractmethod
    def deduplicate(self, merge: Merge) -> int:
        """Removes rows of INCOMING that another row of their key outdates; returns how many."""

    def at_once(self, merge: Merge) -> sql.Composed | None:
        """Returns a statement that merges all rows of INCOMING, whether they repeat keys or not.

        The rows that it does not count are deduplicated. None where rows must be merged in steps.
        """
        return None

    def looks_for_keys(self, feed: Feed) -> bool:
        """Returns whether loads or an undo look for rows by the keys that the files have."""
        return True

    def moment(self, merge: Merge) -> datetime:
        """Returns the time of the merge."""
        return merge.moment

    def begin(self, merge: Merge) -> None:
        """Does what needs all rows of the file, before they are merged."""

    @abstractmethod
    def steps(self, merge: Merge, rows: sql.Composable) -> list[Step]:
        """Returns the steps that merge the rows of INCOMING for which `rows` is true.

        The last one inserts.
        """

    def expected(self, merge: Merge, rows: sql.Composable) -> sql.Composed:
        """Returns the SQL of how many rows the last step of `steps` inserts, after it has run.

        Where it inserts fewer, a trigger or a rule has dropped rows.
        """
        return merge.fill(
            "(SELECT count(*) FROM {incoming} AS i WHERE NOT {deletes} AND {rows})", rows=rows
        )

    def take_absent(self, merge: Merge) -> None:
        """Deletes the keys that a snapshot does not have.

        Raises: FeedError when other rows would go with theirs, or when they stay.
        """
        check_dependents_where(
            merge.connection,
            merge.feed.target.table,
            lambda alias: merge.fill(IS_ABSENT, same_key=same(alias, "i", merge.key)),
        )
        delete = statement("write/delete_absent")
        merge.run(Step(merge.fill(delete, key_of_t=of("t", merge.key)), merge.absent_keys))

    def forget(self, connection: Connection, feed: Feed, objects: list[list[int]]) -> list[int]:
        """Brings back what the loads replaced, and returns how many keys each object changed.

        Raises: FeedError when it was not kept, or when somebody changed the rows since.
        """
        return undo(connection, feed, objects)


def keep_newest(merge: Merge, within: Sequence[str]) -> int:
    """Removes all rows of INCOMING but the newest one of each group; returns how many.

    Of two rows that are equally new the later one of the file stays.
    """
    group = identifiers(within)
    if not merge.value(
        "SELECT EXISTS (SELECT 1 FROM {incoming} GROUP BY {group} HAVING count(*) > 1)", group=group
    ):
        return 0
    return merge.execute(
        "DELETE FROM {incoming} WHERE {number} IN (SELECT {number} FROM (SELECT {number},"
        " row_number() OVER (PARTITION BY {group} ORDER BY {newest_first} {number} DESC) AS place"
        " FROM {incoming} AS i) AS ranked WHERE place > 1)",
        group=group,
        newest_first=newest_first(merge),
    )


def newest_first(merge: Merge) -> sql.Composable:
    """Returns the beginning of an ORDER BY, by which the newest rows of INCOMING come first."""
    newest = merge.feed.target.newest
    return (
        sql.SQL("i.{} DESC NULLS LAST,").format(sql.Identifier(newest)) if newest else sql.SQL("")
    )


def drop_outdated(merge: Merge) -> int:
    """Removes the rows of INCOMING that are older than the target's row of their key."""
    if merge.feed.target.newest is None:
        return 0
    return merge.execute(
        "DELETE FROM {incoming} AS i USING {target} AS t WHERE {same_key} AND {is_outdated}",
        is_outdated=is_outdated("i", merge.feed.target.newest),
    )


def is_outdated(row: str, newest: str) -> sql.Composed:
    """Returns the SQL of whether a row is older than the target's row of its key."""
    return sql.SQL("({old} > {new} OR {new} IS NULL AND {old} IS NOT NULL)").format(
        old=sql.Identifier("t", newest), new=sql.Identifier(row, newest)
    )


def insert_of(merge: Merge, rows: sql.Composable) -> Step:
    """Returns the step that inserts the rows of INCOMING that do not delete their key."""
    insert = (
        "INSERT INTO {target} ({columns}) OVERRIDING SYSTEM VALUE"
        " SELECT {values} FROM {incoming} AS i WHERE NOT {deletes} AND {rows}"
    )
    return Step(merge.fill(insert, rows=rows))


def check_columns(connection: Connection, feed: Feed, names: Sequence[str]) -> None:
    """Checks that the table has columns that Landfall adds only to a table that it makes.

    Raises: FeedError.
    """
    rows = connection.execute(
        "SELECT attname FROM pg_attribute WHERE attrelid = to_regclass(%s)"
        " AND attnum > 0 AND NOT attisdropped",
        [sql.Identifier(feed.target.schema_name, feed.target.table_name).as_string(connection)],
    )
    existing = {name for (name,) in rows.fetchall()}
    missing = [name for name in names if name not in existing]
    if missing:
        raise FeedError(
            f"the table {feed.target.table} lacks columns of strategy: {feed.target.strategy}",
            found=f"no {', '.join(missing)}",
            do="add them to the table, or let a load make a new one (docs/merge.md)",
        )
