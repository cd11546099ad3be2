"""The parts of which the SQL of a merge is made."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, LiteralString

from psycopg import Connection, sql

from include.landfall.feed.model import Feed
from include.landfall.feed.target import IS_CURRENT
from include.landfall.job import LOAD_ID, ROW_NUMBER
from include.landfall.postgres.statements import identifiers, statement, value
from include.landfall.write.dependents import check_dependents_where
from include.landfall.write.incoming import INCOMING, deletes_key
from include.landfall.write.replaced import rows_stay
from include.landfall.write.target import TargetColumn


@dataclass(frozen=True)
class Step:
    """A statement of a merge, and the query of the target's rows that it must have taken away.

    Where the statement changes rows, these are the rows as they were before.
    """

    statement: sql.Composed
    remaining: sql.Composed | None = None


@dataclass(frozen=True)
class Merge:
    """One merge: the rows of INCOMING, which is `i` in its SQL, into the target, which is `t`.

    `moment` is the time of the merge. `is_whole_file` is False where rows of a file are replayed.
    `takes_absent`: whether the keys go that INCOMING does not have.
    `may_keep_rows`: whether something in the target may silently keep rows that a step takes away.
    """

    connection: Connection
    feed: Feed
    target: sql.Identifier
    columns: Sequence[TargetColumn]
    load_id: int
    moment: datetime
    is_whole_file: bool = True
    takes_absent: bool = False
    may_keep_rows: bool = False

    @property
    def key(self) -> list[str]:
        """The columns by which rows of the file and of the target belong together."""
        return self.feed.target.key or self.feed.target.replace_where

    @property
    def names(self) -> list[str]:
        """The names of the columns that the load fills."""
        return [column.name for column in self.columns]

    def fill(self, query: LiteralString | sql.SQL, **parts: sql.Composable) -> sql.Composed:
        """Puts the parts in place of their names, and those that every statement can name."""
        template = query if isinstance(query, sql.SQL) else sql.SQL(query)
        return template.format(**{**self._parts, **parts})

    def execute(self, query: LiteralString | sql.SQL, **parts: sql.Composable) -> int:
        """Runs a statement with such parts, and returns its row count."""
        return self.connection.execute(self.fill(query, **parts)).rowcount

    def value(self, query: LiteralString | sql.SQL, **parts: sql.Composable) -> Any:
        """Returns the one value of a query with such parts."""
        return value(self.connection, self.fill(query, **parts))

    def delete(self, joined: LiteralString, **parts: sql.Composable) -> Step:
        """Returns the step that deletes rows of the target: `joined` is what follows USING."""
        rows = self.fill(joined, **parts)
        return Step(
            self.fill("DELETE FROM {target} AS t USING {joined}", joined=rows),
            self.fill("SELECT 1 FROM {target} AS t, {joined}", joined=rows),
        )

    def check_dependents(self, joined: LiteralString, **parts: sql.Composable) -> None:
        """Checks that rows which `delete` leaves do not go with those that it deletes.

        Raises: FeedError.
        """
        rows = self.fill(joined, **parts)
        deleted = sql.SQL("EXISTS (SELECT 1 FROM (SELECT {}.*) AS t, {})")
        check_dependents_where(
            self.connection,
            self.feed.target.table,
            lambda alias: deleted.format(sql.Identifier(alias), rows),
        )

    def run(self, step: Step) -> int:
        """Runs a step, and returns its row count.

        Raises: FeedError when rows stay that it takes away or changes.
        """
        count = self.connection.execute(step.statement).rowcount
        rows = step.remaining if self.may_keep_rows else None
        if rows is not None and self.value("SELECT EXISTS ({rows})", rows=rows):
            raise rows_stay(self.feed)
        return count

    @property
    def _parts(self) -> dict[str, sql.Composable]:
        return {
            "incoming": INCOMING,
            "target": self.target,
            "number": sql.Identifier(ROW_NUMBER),
            "key": identifiers(self.key),
            "same_key": same("t", "i", self.key),
            "deletes": self.deletes,
            "load_id": sql.Identifier(LOAD_ID),
            "this_load": sql.Literal(self.load_id),
            "columns": identifiers([*self.names, LOAD_ID]),
            "values": sql.SQL("{}, {}").format(of("i", self.names), sql.Literal(self.load_id)),
        }

    @property
    def absent_keys(self) -> sql.Composed:
        """The query of the target's keys that INCOMING does not have; with scd2 the current ones.

        A row of others that has NULL in its key is no key of the feed.
        """
        current = sql.Identifier("t", IS_CURRENT) if self.feed.target.is_scd2 else sql.SQL("true")
        return self.fill(
            statement("write/absent_keys"), is_current=current, key_of_t=of("t", self.key)
        )

    @property
    def deletes(self) -> sql.Composable:
        """The SQL of whether a row of INCOMING deletes its key."""
        target = self.feed.target
        cell = sql.Identifier("i", target.deleted.column) if target.deleted else sql.NULL
        return deletes_key(target, cell)


def same(left: str, right: str, names: Sequence[str]) -> sql.Composed:
    """Returns the SQL of whether two rows agree in these columns, one by one."""
    return sql.SQL(" AND ").join(
        sql.SQL("{} = {}").format(sql.Identifier(left, name), sql.Identifier(right, name))
        for name in names
    )


def of(row: str, names: Sequence[str]) -> sql.Composed:
    """Returns the columns of a row, with commas between."""
    return sql.SQL(", ").join(sql.Identifier(row, name) for name in names)
