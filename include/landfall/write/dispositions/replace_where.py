"""replace with replace_where: a file replaces the rows that have its values of some columns."""

from __future__ import annotations

from psycopg import Connection, sql

from include.landfall.feed.model import Feed
from include.landfall.postgres.catalog import lock_writers_out
from include.landfall.postgres.statements import statement
from include.landfall.write.dependents import check_dependents
from include.landfall.write.dispositions import Disposition
from include.landfall.write.dispositions.append import Append
from include.landfall.write.merge_parts import Merge, Step
from include.landfall.write.merging import Merging, insert_of


class ReplaceWhere(Merging):
    """A file is the whole part of the table that its values name, for instance its months."""

    keeps_rows = False
    deletes_rows = True
    rights = ("DELETE",)
    lost_to = "a later file, which replaced their part of the table"

    def remove_replaced(
        self, connection: Connection, target: sql.Identifier, load_ids: list[int]
    ) -> None:
        """Removes the rows of earlier versions of the object.

        It takes the lock of the merge at once: two changed objects that have deleted their own rows
        would wait for each other then.
        """
        if load_ids:
            lock_writers_out(connection, target)
        Append().remove_replaced(connection, target, load_ids)

    def check_target(self, connection: Connection, feed: Feed) -> None:
        """Checks that no other table loses rows with those that are deleted.

        Raises: FeedError.
        """
        check_dependents(connection, feed.target.table, None)

    def definitions(self, feed: Feed) -> list[sql.Composable]:
        """Returns nothing: rows need no key."""
        return []

    def deduplicate(self, merge: Merge) -> int:
        """Leaves every row of a file. Of a replay it removes those of parts that others replaced.

        Such a row is added to no part, because all other rows of its file are gone from there.
        """
        if merge.is_whole_file:
            return 0
        return merge.execute(statement("write/superseded_parts"))

    def begin(self, merge: Merge) -> None:
        """Deletes the rows of other loads that have the values of the rows.

        A replay leaves rows that no load of the ledger brought: they may have come after the load.
        """
        is_of_a_load = "EXISTS (SELECT 1 FROM landfall.ledger AS l WHERE l.load_id = t.{load_id})"
        others = merge.fill(
            "(SELECT DISTINCT {key} FROM {incoming}) AS i WHERE {same_key}"
            " AND t.{load_id} IS DISTINCT FROM {this_load} AND {is_replaced}",
            is_replaced=merge.fill("true" if merge.is_whole_file else is_of_a_load),
        )
        merge.check_dependents("{others}", others=others)
        merge.run(merge.delete("{others}", others=others))

    def steps(self, merge: Merge, rows: sql.Composable) -> list[Step]:
        """Inserts the rows."""
        return [insert_of(merge, rows)]

    def forget(self, connection: Connection, feed: Feed, objects: list[list[int]]) -> list[int]:
        """Deletes the rows of the loads. What they replaced does not come back."""
        return Disposition.forget(self, connection, feed, objects)


DISPOSITION = ReplaceWhere()
