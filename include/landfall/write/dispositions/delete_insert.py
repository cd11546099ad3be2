"""delete-insert: the rows of a key are deleted, and the file's row takes their place."""

from __future__ import annotations

from psycopg import Connection, sql

from include.landfall.feed.model import Feed
from include.landfall.write.dependents import check_dependents
from include.landfall.write.merge_parts import Merge, Step
from include.landfall.write.merging import (
    Merging,
    drop_outdated,
    insert_of,
    keep_newest,
)


class DeleteInsert(Merging):
    """Rows take the place of those of their key. It needs no unique index."""

    deletes_rows = True
    rights = ("DELETE",)

    def check_target(self, connection: Connection, feed: Feed) -> None:
        """Checks that no other table loses rows with those that are deleted.

        Raises: FeedError.
        """
        check_dependents(connection, feed.target.table, None)

    def begin(self, merge: Merge) -> None:
        """Checks that no other row of the table goes with those that are deleted.

        Raises: FeedError.
        """
        merge.check_dependents("{incoming} AS i WHERE {same_key}")

    def deduplicate(self, merge: Merge) -> int:
        """Keeps the newest row of each key, where it is not older than the target's."""
        return keep_newest(merge, merge.key) + drop_outdated(merge)

    def steps(self, merge: Merge, rows: sql.Composable) -> list[Step]:
        """Deletes the rows of the keys, and inserts the rows that do not delete theirs."""
        delete = merge.delete("{incoming} AS i WHERE {same_key} AND {rows}", rows=rows)
        return [delete, insert_of(merge, rows)]


DISPOSITION = DeleteInsert()
