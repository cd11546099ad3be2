"""The columns of a feed's contract."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, Field, field_validator

from include.landfall.feed.column_types import ColumnType, parse_type
from include.landfall.feed.strict import Strict

RESERVED_PREFIX = "_load"
MAX_COLUMNS = 1599  # a table of Postgres has 1600, and one is the load id


class Column(Strict):
    """One column of the contract; written short as just its type."""

    type: str = Field(description="A Postgres type, or an enum or domain of the target.")
    nullable: bool = Field(True, description="Whether a cell may be NULL.")
    description: str = Field("", description="For the reader and the table's comment.")
    secret: bool = Field(
        False,
        description="Keeps the column's cells out of rejects, the ledger, messages and logs.",
    )

    @field_validator("type")
    @classmethod
    def _known(cls, value: str) -> str:
        return str(parse_type(value))

    @property
    def parsed(self) -> ColumnType:
        """The declared type, taken apart."""
        return parse_type(self.type)


def _long_form(value: Any) -> Any:
    return {"type": value} if isinstance(value, str) else value


Columns = dict[str, Annotated[Column, BeforeValidator(_long_form)]]


def check_names(columns: Columns) -> Columns:
    """Returns the columns, when Postgres can take so many and their names.

    Raises: ValueError.
    """
    if len(columns) > MAX_COLUMNS:
        raise ValueError(f"at most {MAX_COLUMNS} columns, not {len(columns)}")
    for name in columns:
        if name.startswith(RESERVED_PREFIX) or "\0" in name or not 0 < len(name.encode()) < 64:
            raise ValueError(
                f"{name!r} cannot be a column: 1 to 63 bytes, not beginning with _load"
            )
    return columns
