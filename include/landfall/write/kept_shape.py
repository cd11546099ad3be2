"""The columns that the target had when rows of it were kept, beside those that it has now.

A person may rename a column, or a load may widen its type. Rows are then read as they were kept, so
that they can be compared with their digests, and so that nothing of them is lost without a message.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import NamedTuple

from psycopg import Connection, sql

from include.landfall.errors import FeedError
from include.landfall.write.kept_rows import KeptColumn, all_columns, objects_of


class Was(NamedTuple):
    """A column as it was: its type, and whether its values were kept as texts."""

    type: str
    is_text: bool


@dataclass(frozen=True)
class KeptShape:
    """The target's columns now, and what they were. `then` is None where that was not kept."""

    now: list[KeptColumn]
    then: dict[str, Was] | None

    @classmethod
    def of(cls, connection: Connection, target: sql.Identifier) -> KeptShape:
        """Returns the columns of the target, for rows that are kept now."""
        now = all_columns(connection, target)
        return cls(now, {each.name: Was(each.type, each.is_text) for each in _writable(now)})

    def at(self, columns: dict[str, tuple[str, bool]] | None) -> KeptShape:
        """Returns the same columns now, with what they were by `as_json`."""
        if columns is None:
            return KeptShape(self.now, None)
        return KeptShape(self.now, {name: Was(*each) for name, each in columns.items()})

    @property
    def as_json(self) -> str:
        """What the columns were, in the form in which it is kept."""
        return json.dumps(self.then)

    @property
    def columns(self) -> list[KeptColumn]:
        """The columns whose values were kept, and are brought back."""
        return [each for each in _writable(self.now) if self._was(each)]

    @property
    def added(self) -> list[KeptColumn]:
        """The columns that came later, with a value for the rows that were there."""
        return [
            each for each in _writable(self.now) if not self._was(each) and each.given is not None
        ]

    @property
    def retyped(self) -> list[KeptColumn]:
        """The columns that had another type."""
        return [each for each in self.columns if (was := self._was(each)) and was.type != each.type]

    @property
    def there(self) -> list[str]:
        """The names that kept values can have."""
        return [each.name for each in (self.now if self.then is None else self.columns)]

    @property
    def alterations(self) -> list[str]:
        """What is another in the table now, in words."""
        if self.then is None:
            return []
        there = {each.name for each in _writable(self.now)}
        return [
            *(f"no column {name}" for name in sorted(self.then.keys() - there)),
            *(f"a new column {name}" for name in sorted(there - self.then.keys())),
            *(f"{each.name} was {self.then[each.name].type}" for each in self.retyped),
        ]

    def noted(self, error: FeedError) -> FeedError:
        """Adds to the error what was altered in the table since."""
        if self.alterations:
            error.more.append(("altered since", "; ".join(self.alterations)))
        return error

    @property
    def row(self) -> sql.Composed:
        """The SQL of a row `t` of the target as jsonb, as it was kept."""
        pairs = [
            sql.SQL("{}, {}").format(sql.Literal(each.name), cell)
            for each in _writable(self.now)
            if (cell := self._cell(each))
        ]
        whole: sql.Composable = sql.SQL("to_jsonb(t.*)")
        computed = [each.name for each in self.now if each.is_computed]
        if computed and self.then is not None:
            whole = sql.SQL("(to_jsonb(t.*) - {}::text[])").format(sql.Literal(computed))
        return sql.SQL("({})").format(sql.SQL(" || ").join([whole, *objects_of(pairs)]))

    def _was(self, column: KeptColumn) -> Was | None:
        if self.then is None:
            return Was(column.type, column.is_text)
        return self.then.get(column.name)

    def _cell(self, column: KeptColumn) -> sql.Composed | None:
        """Returns the SQL of a cell's JSON, where that of to_jsonb() will not do."""
        cell, was = sql.Identifier("t", column.name), self._was(column)
        if was is None:
            # Nobody has written the value that the rows got with the column.
            return _but_given(column, cell) if column.given is not None else None
        text = sql.SQL("::text" if was.is_text else "")
        if was.type == column.type:
            return sql.SQL("{}{}").format(cell, text) if was.is_text else None
        # The server wrote the types itself. A value that the earlier type changes came later.
        return sql.SQL(
            "CASE WHEN {0}::{1}::{2}::text = {0}::text"
            " THEN to_jsonb({0}::{1}{3}) ELSE to_jsonb({0}::text) END"
        ).format(cell, sql.SQL(was.type), sql.SQL(column.type), text)


def _but_given(column: KeptColumn, cell: sql.Identifier) -> sql.Composed:
    """Returns the SQL of a cell that is NULL where it has the value that came with the column.

    Nobody has written that value, so the row is what it was.
    """
    return sql.SQL(
        "to_jsonb(CASE WHEN {0}::text IS DISTINCT FROM {1}::{2}::text THEN {0}::text END)"
    ).format(cell, sql.Literal(column.given), sql.SQL(column.type))


def _writable(columns: list[KeptColumn]) -> list[KeptColumn]:
    return [each for each in columns if not each.is_computed]
