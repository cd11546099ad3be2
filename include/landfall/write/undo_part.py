"""A part of an undo: kept rows of merges during which the target had the same columns."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import groupby, pairwise

import psycopg
from psycopg import Connection, errors, sql

from include.landfall.errors import FeedError
from include.landfall.feed.model import Feed
from include.landfall.feed.target import OF_SCD2
from include.landfall.job import LOAD_ID
from include.landfall.postgres.errors import refusal, refuses_rows
from include.landfall.postgres.statements import identifiers, statement, table
from include.landfall.write.dependents import check_dependents_where
from include.landfall.write.kept_rows import KeptColumn, types_of, value_of
from include.landfall.write.kept_shape import KeptShape
from include.landfall.write.merge_parts import of, same

UNDO = sql.Identifier("pg_temp", "landfall_undo")
PAST_ALL = 2**63 - 1


class ChangedSince(Exception):
    """Somebody has changed rows of keys since: how many keys, one of them, and the columns."""

    def __init__(self, count: int, key: dict[str, object], shape: KeptShape) -> None:
        super().__init__(f"rows of {count:,} keys were changed after they were loaded")
        self.key, self.shape = key, shape


@dataclass(frozen=True)
class UndoPart:
    """The kept rows of these loads from `first` on and before `end`."""

    connection: Connection
    feed: Feed
    load_ids: list[int]
    shape: KeptShape
    first: int = 0
    end: int = PAST_ALL

    def undo(self) -> None:
        """Brings the rows back.

        Raises: ChangedSince when they are not what the loads left; FeedError when they cannot come
        back, or do not become what they were.
        """
        self._collect()
        self._check_columns()
        with self._refusals():
            self._update()
            check_dependents_where(self.connection, self.feed.target.table, self._is_deleted)
            self._execute("undo_deletes")
            self._check_undone(self.statement("not_deleted"))
            self._execute("undo_inserts")
        self._check_undone(self.statement("not_undone", loaded=sql.Literal(self._compared)))

    def _collect(self) -> None:
        """Leaves UNDO, and compares the rows of its keys with what the loads left.

        Raises: ChangedSince, FeedError when the values of a column do not fit its earlier type.
        """
        self.connection.execute(sql.SQL("DROP TABLE IF EXISTS {}").format(UNDO))
        self._execute("collect_undo")
        try:
            query = self.statement("changed_since")
            count, key = self.connection.execute(query).fetchone() or (0, {})
        except (errors.DataError, errors.ProgrammingError) as error:
            if not self.shape.retyped:
                raise
            raise self._altered("rows do not fit the types that the table had", error) from error
        if count:
            raise ChangedSince(count, key, self.shape)

    def _check_columns(self) -> None:
        """Checks that each value that comes back has its column.

        Raises: FeedError.
        """
        there = sql.Literal(self.shape.there)
        lost = [name for (name,) in self._execute("lost_columns", there=there).fetchall()]
        if lost:
            raise self._altered(f"rows had values of {', '.join(lost)}, which it has no more")

    def _altered(self, what: str, error: psycopg.Error | None = None) -> FeedError:
        now = "; ".join(self.shape.alterations)
        return FeedError(
            f"{self.feed.target.table} was altered after the load: {what}",
            found=(self._words(error) if error else None) or now or None,
            expected="the columns that the table had when the file was loaded",
            do="give the columns their names and types again, and forget the file then; where they"
            " are gone for good, correct the rows with another file",
        )

    def _update(self) -> None:
        """Gives rows their earlier values.

        Where rows have exchanged unique ones, all are deleted, and so is a row of another identity.
        """
        always = [each.name for each in self.shape.columns if each.is_always]
        if always:
            differ = "t.{0}::text IS DISTINCT FROM u._load_before -> 0 ->> {1}"
            each = (sql.SQL(differ).format(sql.Identifier(n), sql.Literal(n)) for n in always)
            self._execute("undo_identities", other_identity=sql.SQL(" OR ").join(each))
        try:
            with self.connection.transaction():
                self._execute("undo_updates")
        except (errors.UniqueViolation, errors.ExclusionViolation):
            self.connection.execute(sql.SQL("UPDATE {} SET _load_is_single = false").format(UNDO))

    @contextmanager
    def _refusals(self) -> Iterator[None]:
        """Says of an error of the server that the table does not take the rows back.

        Raises: FeedError.
        """
        try:
            yield
            self.connection.execute("SET CONSTRAINTS ALL IMMEDIATE")
        except psycopg.Error as error:
            if not refuses_rows(error):
                raise
            refused = FeedError(
                f"{self.feed.target.table} does not take the rows back that the file replaced",
                found=self._words(error),
                do="change what refuses them, a constraint, a trigger or a type, or correct the"
                " rows with another file",
            )
            raise self.shape.noted(refused) from error

    def _words(self, error: psycopg.Error) -> str | None:
        if self.feed.hides_texts:
            return f"SQLSTATE {error.sqlstate}; the message is not shown: it may quote rows"
        return refusal(error).found

    def _is_deleted(self, alias: str) -> sql.Composed:
        """Returns the condition by which a row is deleted. Others are updated in place."""
        condition = "EXISTS (SELECT 1 FROM {} AS u WHERE {} AND NOT u._load_is_single)"
        return sql.SQL(condition).format(UNDO, same(alias, "u", self.feed.target.key))

    def _check_undone(self, query: sql.Composed) -> None:
        """Checks that no key has other rows than the undo leaves.

        `query` counts these keys, and has one.
        """
        count, key = self.connection.execute(query).fetchone() or (0, {})
        if count and self.shape.retyped:
            raise self._altered("its columns do not take the values that rows had")
        if count:
            raise FeedError(
                f"rows of {count:,} keys in {self.feed.target.table} are not as they were before"
                " the load",
                found=f"for instance {shown_key(self.feed, key)}",
                expected="rows that the undo changes (a trigger or a rule may keep them)",
                do="let the trigger or rule of the table change the rows of the role that forgets",
            )

    @property
    def _compared(self) -> list[str]:
        """The columns in which rows must be what they were: a trigger may write into others."""
        retyped = [each.name for each in self.shape.retyped]
        return [*self.feed.table_columns, LOAD_ID, *OF_SCD2, *retyped]

    def _execute(self, name: str, **more: sql.Composable) -> psycopg.Cursor:
        return self.connection.execute(self.statement(name, **more))

    def statement(self, name: str, **more: sql.Composable) -> sql.Composed:
        """Returns a statement of an undo."""
        key, target = self.feed.target.key, table(self.feed.target.table)
        columns = self.shape.columns
        return statement(f"write/{name}").format(
            undo=UNDO,
            target=target,
            name=sql.Literal(self.feed.target.table),
            load_ids=sql.Literal(self.load_ids),
            first=sql.Literal(self.first),
            end=sql.Literal(self.end),
            key=of("k", key),
            names=identifiers(key),
            key_types=types_of(self._key),
            row_types=types_of(each for each in columns if not each.is_json),
            later=self._later(),
            same_key=same("t", "u", key),
            first_of_key=sql.Identifier("t", key[0]),
            row=self.shape.row,
            columns=identifiers([each.name for each in [*columns, *self.shape.added]]),
            values=sql.SQL(", ").join(
                [*map(value_of, columns), *(sql.Literal(each.given) for each in self.shape.added)]
            ),
            changes=sql.SQL(", ").join(
                sql.SQL("{} = {}").format(sql.Identifier(each.name), value_of(each))
                for each in columns
                if not each.is_always
            ),
            **more,
        )

    @property
    def has_exact_key(self) -> bool:
        """Whether equal keys have equal JSON, also those that were kept before."""
        return all(each.is_exact and each not in self.shape.retyped for each in self._key)

    @property
    def _key(self) -> list[KeptColumn]:
        return [each for each in self.shape.now if each.name in self.feed.target.key]

    def _later(self) -> sql.Composable:
        """Returns the SQL that joins kept rows, called `later`, of the key of a row `own`.

        Where a key has several spellings, all kept rows are read, because no index has them.
        """
        own = self._key
        if self.has_exact_key:
            return sql.SQL("INNER JOIN landfall.replaced AS later ON own.key = later.key")
        return sql.SQL(
            "CROSS JOIN LATERAL jsonb_to_record(own.key) AS o ({types})"
            " INNER JOIN (landfall.replaced AS later"
            " CROSS JOIN LATERAL jsonb_to_record(later.key) AS l ({types})) ON {same_key}"
        ).format(types=types_of(own), same_key=same("o", "l", [each.name for each in own]))


def parts_of(connection: Connection, feed: Feed, load_ids: list[int]) -> list[UndoPart]:
    """Returns the parts of which the undo of these loads is made: the latest merges come first.

    What was changed between two parts is noticed, because an earlier one is compared with the rows
    that a later one has brought back.
    """
    shape = KeptShape.of(connection, table(feed.target.table))
    query = statement("write/kept_parts").format(load_ids=sql.Literal(load_ids))
    kept = connection.execute(query).fetchall()
    starts = [(next(rows)[0], columns) for columns, rows in groupby(kept, lambda row: row[1])]
    bounds = pairwise([*(first for first, _ in starts), PAST_ALL])
    parts = [
        UndoPart(connection, feed, load_ids, shape.at(columns), first, end)
        for (_, columns), (first, end) in zip(starts, bounds, strict=True)
    ]
    return parts[::-1]


def shown_key(feed: Feed, key: dict[str, object]) -> str:
    """Returns a key as JSON; the cells of secret columns stay out of messages.

    The feed may have had another key when the row was kept.
    """
    secret = {name for name, column in feed.columns.items() if column.secret}
    shown = {name: "secret" if name in secret else cell for name, cell in key.items()}
    return json.dumps(shown, ensure_ascii=False, default=str)
