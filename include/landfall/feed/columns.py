"""The columns of a feed's contract."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, field_validator, model_validator

from include.landfall.feed.column_types import ColumnType, parse_type
from include.landfall.feed.names import is_name
from include.landfall.feed.strict import Strict, combination_error, null_as_word

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
    other_names: list[str] = Field(
        default_factory=list, alias="from", description="Other names that the file may use."
    )
    on_bad_cell: Annotated[Literal["reject", "null"], BeforeValidator(null_as_word)] = Field(
        "reject",
        description="A cell that is no value of the type: reject its row, or keep the row with "
        "NULL and the cell among the rejects, as nulled.",
    )
    ignore: bool = Field(False, description="The column is in the file, and not in the table.")
    from_key: str | None = Field(
        None, description="A regular expression with one group: its text in the object's key."
    )
    from_object: Literal["key", "last_modified", "size", "version", "member", "row"] | None = Field(
        None,
        description="The value is the object's key, time, size in bytes or version; the file's "
        "name in a zip file; or the number of the row in its file, from 1.",
    )

    @field_validator("type")
    @classmethod
    def _known(cls, value: str) -> str:
        return str(parse_type(value))

    @field_validator("from_key")
    @classmethod
    def _has_one_group(cls, value: str | None) -> str | None:
        try:
            groups = re.compile(value or "()").groups
        except re.error as error:
            raise ValueError(f"a regular expression: {error}") from None
        if groups != 1:
            raise ValueError(f"a regular expression with one group in parentheses, not {groups}")
        return value

    @model_validator(mode="after")
    def _keys_fit(self) -> Column:
        if self.from_key and self.from_object:
            raise combination_error(
                "one of from_key and from_object", self.from_object, "from_object"
            )
        in_file_only = {"from": self.other_names, "on_bad_cell": self.on_bad_cell == "null"}
        for key, is_set in in_file_only.items():
            if is_set and not self.is_in_file:
                expected = "a column of the file; this one comes from the object"
                raise combination_error(expected, key, key)
        if self.ignore and (not self.is_in_file or self.on_bad_cell == "null"):
            expected = "ignore alone, or with from: nothing else is done with the column"
            raise combination_error(expected, "ignore: true", "ignore")
        if self.on_bad_cell == "null" and not self.nullable:
            expected = "on_bad_cell: reject, because the column takes no NULL"
            raise combination_error(expected, "null", "on_bad_cell")
        return self

    @property
    def parsed(self) -> ColumnType:
        """The declared type, taken apart."""
        return parse_type(self.type)

    @property
    def can_rescue(self) -> bool:
        """Whether what is rescued can go into the column: no cell of a file does."""
        has_rules = bool(self.other_names) or self.on_bad_cell == "null" or self.ignore
        return self.type == "jsonb" and self.nullable and self.is_in_file and not has_rules

    @property
    def is_in_file(self) -> bool:
        """Whether the file has the column; other values are those of the object."""
        return not (self.from_key or self.from_object)


def _long_form(value: Any) -> Any:
    if isinstance(value, dict) and value.get("ignore") is True:
        return {"type": "text", **value}  # no type is needed where no cell is read
    return {"type": value} if isinstance(value, str) else value


Columns = dict[str, Annotated[Column, BeforeValidator(_long_form)]]


def check_names(columns: Columns) -> Columns:
    """Returns the columns, when Postgres can take so many and their names.

    Raises: ValueError.
    """
    if len(columns) > MAX_COLUMNS:
        raise ValueError(f"at most {MAX_COLUMNS} columns, not {len(columns)}")
    for name, column in columns.items():
        if not column.ignore and not is_name(name):
            raise ValueError(
                f"{name!r} cannot be a column: 1 to 63 bytes, and not _load_id, _load_row or"
                " _load_number"
            )
    return columns
