"""The write dispositions: a module for each, which holds its `DISPOSITION`.

A feed names its disposition, and `feed.dispositions` names the module.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from importlib import import_module
from typing import ClassVar, cast

from psycopg import Connection, sql

from include.landfall.feed.model import Feed
from include.landfall.job import LOAD_ID
from include.landfall.postgres.statements import identifiers, table


@dataclass(frozen=True)
class StagedRows:
    """Rows in a temporary table: its name, and the value of each column of the target."""

    staging: sql.Identifier
    names: list[str]
    values: list[sql.Composable]


class Disposition(ABC):
    """What a load replaces, what it locks, and how staged rows go into the target."""

    # Whether a load replaces every earlier file of its feed, not only its own object's.
    replaces_feed: ClassVar[bool] = False
    # Whether the rows of a file are merged into the target, once all of them are in INCOMING.
    is_merged: ClassVar[bool] = False
    # Whether rows that only the earlier version of an object had stay.
    keeps_rows: ClassVar[bool] = False
    # Whether rows of other tables may go with rows that it deletes, for which `check_target` looks.
    deletes_rows: ClassVar[bool] = False
    # Whether all rows of a load stay until its object, or for a whole table another one, is loaded.
    rows_stay: ClassVar[bool] = False
    # Whether it finds the rows that a load replaces by their load id.
    needs_load_id: ClassVar[bool] = True
    # The rights that its loads need on the target, beside SELECT and INSERT.
    rights: ClassVar[tuple[str, ...]] = ()
    # What a row that is counted as deduplicated has lost to.
    lost_to: ClassVar[str] = "a newer row of their key"

    def rights_of(self, feed: Feed) -> list[str]:
        """Returns what the role must be granted on the table, so that any file can be loaded."""
        deletes = ("DELETE",) if feed.target.takes_keys_away else ()
        return ["SELECT", "INSERT", *dict.fromkeys([*self.rights, *deletes])]

    def definitions(self, feed: Feed) -> list[sql.Composable]:
        """Returns columns and constraints of a new table, beside the feed's columns."""
        return []

    def check_target(self, connection: Connection, feed: Feed) -> None:  # noqa: B027  for some
        """Checks that the table has what the disposition needs of it.

        Raises: FeedError.
        """

    @abstractmethod
    def remove_replaced(
        self, connection: Connection, target: sql.Identifier, load_ids: list[int]
    ) -> None:
        """Removes the rows that the load replaces; `load_ids` are the loads that brought them.

        It first locks what must not change until the load commits. A reader that began before
        must still see the old rows: DELETE lets it, TRUNCATE does not.
        """

    def insert(self, target: sql.Identifier, rows: StagedRows) -> sql.Composed:
        """Returns the statement that puts staged rows into the target, ready for a WHERE.

        As COPY does, it takes the file's values for a column that is GENERATED ALWAYS AS IDENTITY.
        """
        return sql.SQL("INSERT INTO {} ({}) OVERRIDING SYSTEM VALUE SELECT {} FROM {}").format(
            target, identifiers(rows.names), sql.SQL(", ").join(rows.values), rows.staging
        )

    def forget(self, connection: Connection, feed: Feed, objects: list[list[int]]) -> list[int]:
        """Takes away what loads brought, and returns how many rows that were.

        `objects` are the ids of each object's loads; so are the numbers.
        """
        # No parameter: a % in the table's name would be taken for one.
        delete = sql.SQL("DELETE FROM {} WHERE {} = ANY({}::bigint[])")
        target, load_id = table(feed.target.table), sql.Identifier(LOAD_ID)
        statements = [delete.format(target, load_id, sql.Literal(ids)) for ids in objects]
        return [connection.execute(each).rowcount for each in statements]


def disposition_of(feed: Feed) -> Disposition:
    """Returns the disposition that the feed declares."""
    module = import_module(feed.target.module)
    return cast(Disposition, module.DISPOSITION)
