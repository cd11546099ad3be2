"""upsert: a row changes the row of its key, or is added."""

from __future__ import annotations

from psycopg import Connection, sql

from include.landfall.errors import FeedError
from include.landfall.feed.model import Feed
from include.landfall.job import LOAD_ID
from include.landfall.postgres.statements import statement, table, value
from include.landfall.write.merge_parts import Merge, Step, of
from include.landfall.write.merging import (
    Merging,
    drop_outdated,
    is_outdated,
    keep_newest,
    newest_first,
)


class Upsert(Merging):
    """Rows are inserted, or update the row of their key. Columns beside the feed's stay."""

    rights = ("UPDATE",)

    def check_target(self, connection: Connection, feed: Feed) -> None:
        """Checks that the table has a unique index on the key.

        Raises: FeedError when it has none: two rows of one key could stand in the table.
        """
        name = table(feed.target.table).as_string(connection)
        parameters = {"target": name, "key": feed.target.key}
        if value(connection, statement("write/unique_index"), parameters) is None:
            raise FeedError(
                f"the table {feed.target.table} has no unique index on the key",
                expected=f"a primary key or unique index on {', '.join(feed.target.key)}",
                do="create it, or write strategy: delete-insert in the feed",
            )

    def looks_for_keys(self, feed: Feed) -> bool:
        """Returns whether more looks for a key than the index, to which triggers give it."""
        target = feed.target
        return bool(target.newest or target.takes_keys_away or target.keep_replaced)

    def deduplicate(self, merge: Merge) -> int:
        """Keeps the newest row of each key, where it is not older than the target's."""
        return keep_newest(merge, merge.key) + drop_outdated(merge)

    def at_once(self, merge: Merge) -> sql.Composed | None:
        """Returns the upsert of the newest row of each key.

        None where rows delete their keys, or where a trigger may drop or keep some: those do not
        count as deduplicated.
        """
        if merge.feed.target.deleted or merge.may_keep_rows:
            return None
        newest = merge.feed.target.newest
        outdated = is_outdated("excluded", newest) if newest else sql.SQL("false")
        return merge.fill(
            statement("write/upsert_at_once"),
            key_of_i=of("i", merge.key),
            newest_first=newest_first(merge),
            changes=_changes(merge),
            outdated=outdated,
        )

    def steps(self, merge: Merge, rows: sql.Composable) -> list[Step]:
        """Deletes the keys that are deleted, and upserts the other rows."""
        delete = merge.delete(
            "{incoming} AS i WHERE {same_key} AND {deletes} AND {rows}", rows=rows
        )
        upsert = Step(
            merge.fill(
                "INSERT INTO {target} AS t ({columns}) OVERRIDING SYSTEM VALUE"
                " SELECT {values} FROM {incoming} AS i WHERE NOT {deletes} AND {rows}"
                " ORDER BY {key_of_i} ON CONFLICT ({key}) DO UPDATE SET {changes}",
                rows=rows,
                key_of_i=of("i", merge.key),
                changes=_changes(merge),
            ),
            merge.fill(
                "SELECT 1 FROM {target} AS t, {incoming} AS i WHERE {same_key} AND NOT {deletes}"
                " AND {rows} AND t.{load_id} IS DISTINCT FROM {this_load}",
                rows=rows,
            ),
        )
        return [delete, upsert] if merge.feed.target.deleted else [upsert]


def _changes(merge: Merge) -> sql.Composed:
    changed = [name for name in [*merge.names, LOAD_ID] if name not in merge.key]
    return sql.SQL(", ").join(
        sql.SQL("{} = excluded.{}").format(sql.Identifier(name), sql.Identifier(name))
        for name in changed
    )


DISPOSITION = Upsert()
