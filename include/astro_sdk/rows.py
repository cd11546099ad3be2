"""Rows of a query as the Astro SDK's users know them: by position, by name and by attribute."""

from __future__ import annotations

from collections.abc import KeysView
from typing import Any

from sqlalchemy.engine import Result, Row
from sqlalchemy.engine.result import SimpleResultMetaData


class NamedRow(Row):
    """A row of SQLAlchemy 2 with the access by name that rows of SQLAlchemy 1 had.

    `row["a"]`, `row.a`, `row[0]`, `dict(row)` and `"a" in row` work, in the task and in those
    after it.
    """

    __slots__ = ()

    def __getitem__(self, key: Any) -> Any:
        if isinstance(key, int | slice):
            return super().__getitem__(key)
        return self._mapping[key]

    def __contains__(self, key: object) -> bool:
        return key in self._mapping

    def keys(self) -> KeysView[str]:
        """Returns the names of the columns."""
        return self._mapping.keys()

    def values(self) -> list[Any]:
        """Returns the values, in the order of the columns."""
        return [*self]

    def items(self) -> list[tuple[str, Any]]:
        """Returns pairs of a column's name and its value."""
        return [*self._mapping.items()]

    def has_key(self, key: str) -> bool:
        """Returns whether the row has a column of this name."""
        return key in self

    def serialize(self) -> dict[str, Any]:
        """Returns what XCom keeps of the row."""
        return {"columns": list(self._fields), "values": [*self]}

    @staticmethod
    def deserialize(data: dict[str, Any], version: int) -> NamedRow:
        """Returns the row again in a later task."""
        return row_of(data["columns"], data["values"])


def row_of(columns: list[str], values: list[Any]) -> NamedRow:
    """Makes a row of its columns' names and its values."""
    parent = SimpleResultMetaData(columns)
    return NamedRow(parent, None, parent._key_to_index, tuple(values))  # noqa: SLF001


def name_rows(result: Result[Any]) -> Result[Any]:
    """Lets a result give its rows as `NamedRow`."""
    # SQLAlchemy has this function for its logging, and calls it for each row that it makes. It
    # keeps how it makes rows from the start, so that has to be forgotten.
    result._row_logging_fn = lambda row: row._as_row_class(NamedRow)  # noqa: SLF001
    result._reset_memoizations()  # noqa: SLF001
    return result
