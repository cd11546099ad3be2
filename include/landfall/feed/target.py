"""Where a feed's rows go, and by which write disposition."""

from __future__ import annotations

import re
from typing import Literal

from pydantic import Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

from include.landfall.feed.columns import Columns
from include.landfall.feed.dispositions import (
    DEFAULT,
    DISPOSITIONS,
    MERGE,
    REPLACE,
    REPLACE_WHERE,
    SCD2,
    STRATEGIES,
    UPSERT,
)
from include.landfall.feed.strict import Strict, combination_error

# Columns that scd2 adds to the target.
OF_SCD2 = VALID_FROM, VALID_TO, IS_CURRENT = "_valid_from", "_valid_to", "_is_current"
# How Postgres writes the values of these types, by which rows are told that delete their key.
WHOLE = r"0|-?[1-9]\d*", "a whole number, because the column has no other value"
WRITTEN = {
    "boolean": ("true|false", "true or false, because the column has no other value"),
    "smallint": WHOLE, "integer": WHOLE, "bigint": WHOLE,
}  # fmt: skip
MERGE_ONLY = ("key", "strategy", "newest", "deleted", "absent", "keep_replaced")


class Deleted(Strict):
    """Which rows of a file say that their key is deleted."""

    column: str = Field(description="The column that says whether a row deletes its key.")
    values: list[str | int | bool] = Field(
        min_length=1, description="The values of the column that delete the key."
    )

    @property
    def texts(self) -> list[str]:
        """The values as Postgres writes them."""
        return [str(v).lower() if isinstance(v, bool) else str(v) for v in self.values]

    def check_values(self, columns: Columns) -> None:
        """Checks that the column can have the values that delete.

        Raises: PydanticCustomError.
        """
        form, expected = WRITTEN.get(str(columns[self.column].parsed), (".*", ""))
        for text in self.texts:
            if re.fullmatch(form, text, re.DOTALL) is None:
                raise combination_error(expected, text, "target", "deleted", "values")


class Target(Strict):
    """Where the rows go."""

    connection: str = Field("warehouse", description="Name of the Postgres connection.")
    table: str = Field(description="schema.table; created when it is missing.")
    disposition: str = Field(
        DEFAULT,
        description="append: rows are added, a changed file replaces its own. "
        "replace: the newest file is the whole table. merge: rows change the rows of their key.",
    )
    replace_where: list[str] = Field(
        default_factory=list,
        description="replace: only the rows that have the file's values of these columns.",
    )
    key: list[str] = Field(
        default_factory=list, description="merge: the columns that tell rows apart. Never NULL."
    )
    strategy: str | None = Field(
        None,
        description="merge: upsert (default), delete-insert, or scd2, which keeps every version.",
    )
    newest: str | None = Field(
        None,
        description="merge: the column that decides which of two rows with one key is newer.",
    )
    deleted: Deleted | None = Field(
        None, description="merge: the rows that delete their key; scd2 closes it."
    )
    absent: Literal["keep", "close", "delete"] | None = Field(
        None,
        description="merge: what becomes of keys that a file does not have. keep (default), or"
        " where each file has all keys: close (scd2), delete (the other strategies).",
    )
    keep_replaced: int | None = Field(
        None, ge=1, description="merge: for how many days forget can bring back what was replaced."
    )
    load_id: bool = Field(
        True,
        description="Whether each row carries the id of its load in _load_id. Without it a changed "
        "file of an append feed is refused, because its earlier rows cannot be told from others.",
    )

    @field_validator("disposition")
    @classmethod
    def _is_registered(cls, value: str) -> str:
        if value not in DISPOSITIONS:
            raise ValueError(f"one of {', '.join(DISPOSITIONS)}")
        return value

    @field_validator("strategy")
    @classmethod
    def _is_a_strategy(cls, value: str | None) -> str | None:
        if value is not None and value not in STRATEGIES:
            raise ValueError(f"one of {', '.join(STRATEGIES)}")
        return value

    @field_validator("key", "replace_where")
    @classmethod
    def _has_no_name_twice(cls, value: list[str]) -> list[str]:
        if len(set(value)) < len(value):
            raise ValueError("names of columns, each once")
        return value

    @field_validator("table")
    @classmethod
    def _has_two_names(cls, value: str) -> str:
        if not re.fullmatch(r"[^.\0]+\.[^.\0]+", value):
            raise ValueError("a table is written schema.table")
        if max(len(name.encode()) for name in value.split(".")) > 63:
            raise ValueError("a name of more than 63 bytes: Postgres would cut it off")
        return value

    @model_validator(mode="after")
    def _goes_together(self) -> Target:
        if self.replace_where and self.disposition != REPLACE:
            raise _only_with("disposition: replace", self.disposition, "replace_where")
        if not self.load_id and (self.replace_where or self.disposition == MERGE):
            expected = "true: a row that is merged carries the id of the load that wrote it last"
            raise combination_error(expected, "false", "load_id")
        if self.disposition == MERGE:
            self._check_merge()
            return self
        for name in MERGE_ONLY:
            if getattr(self, name) not in (None, []):
                raise _only_with("disposition: merge", self.disposition, name)
        return self

    def _check_merge(self) -> None:
        if not self.key:
            expected = "the columns that tell rows apart, because the disposition is merge"
            raise combination_error(expected, "no key", "key")
        _check_absent(self)
        for steps, name in self._columns_by_step():
            if steps != ("key",) and name in self.key:
                raise combination_error("a column beside the key", name, *steps)

    def check_columns(self, columns: Columns) -> None:
        """Checks that the columns which the target names are the feed's.

        Raises: PydanticCustomError.
        """
        for steps, name in self._columns_by_step():
            if name not in columns:
                raise combination_error("a column of the feed's table", name, "target", *steps)
            if steps != ("deleted", "column") and columns[name].parsed.name == "json":
                expected = "a column whose values can be compared, which those of json cannot"
                raise combination_error(expected, name, "target", *steps)
        self._check_required(columns)
        if self.deleted:
            self.deleted.check_values(columns)
        for name in OF_SCD2 if self.is_scd2 else ():
            if name in columns:
                raise combination_error("another name: scd2 adds this one", name, "columns", name)

    def _check_required(self, columns: Columns) -> None:
        for name in sorted(self.required & columns.keys()):
            if columns[name].on_bad_cell == "null":
                expected = "reject, because rows are told apart by this column"
                raise combination_error(expected, "null", "columns", name, "on_bad_cell")

    def _columns_by_step(self) -> list[tuple[tuple[str, ...], str]]:
        """Returns the steps to each field that names columns, with a column that it names."""
        named: list[tuple[tuple[str, ...], str]] = [(("key",), name) for name in self.key]
        named += [(("replace_where",), name) for name in self.replace_where]
        named += [(("newest",), self.newest)] if self.newest else []
        return named + ([(("deleted", "column"), self.deleted.column)] if self.deleted else [])

    @property
    def named_columns(self) -> set[str]:
        """The columns that must be filled, because the target names them."""
        return {name for _, name in self._columns_by_step()}

    @property
    def module(self) -> str:
        """The module that does the work."""
        if self.disposition == MERGE:
            return STRATEGIES[self.strategy or UPSERT]
        return REPLACE_WHERE if self.replace_where else DISPOSITIONS[self.disposition]

    @property
    def is_scd2(self) -> bool:
        """Whether every version of a row is kept."""
        return self.strategy == SCD2

    @property
    def is_whole(self) -> bool:
        """Whether a file has all that there is, so that what it lacks is gone.

        Such files are loaded in the order of time: one that is older than a loaded one is too late.
        """
        is_replaced = self.disposition == REPLACE and not self.replace_where
        return is_replaced or self.is_snapshot

    @property
    def replaces_other_files(self) -> bool:
        """Whether a file takes away rows that other files brought."""
        return self.is_whole or bool(self.replace_where)

    @property
    def only_adds(self) -> bool:
        """Whether a file leaves the rows of all other files as they are."""
        return self.disposition == DEFAULT

    @property
    def is_snapshot(self) -> bool:
        """Whether a file that is merged has all keys: one that it does not have is gone."""
        return self.absent in ("close", "delete")

    @property
    def deletes_absent(self) -> bool:
        """Whether the rows of a key that a file does not have are deleted."""
        return self.absent == "delete"

    @property
    def takes_keys_away(self) -> bool:
        """Whether a merge deletes keys, and may so leave the table empty."""
        return self.deleted is not None or self.deletes_absent

    @property
    def required(self) -> set[str]:
        """The columns that take no NULL, because rows are told apart by them."""
        moments = {self.newest} if self.is_scd2 and self.newest else set()
        return {*self.key, *self.replace_where, *moments}

    @property
    def schema_name(self) -> str:
        """The schema of the table."""
        return self.table.split(".")[0]

    @property
    def table_name(self) -> str:
        """The table's name without its schema."""
        return self.table.split(".")[1]


def _only_with(key: str, found: str, name: str) -> PydanticCustomError:
    return combination_error(f"{key}, where {name} is written", found, name)


def _check_absent(target: Target) -> None:
    fitting = "close" if target.is_scd2 else "delete"
    if target.absent not in (None, "keep", fitting):
        expected = f"keep or {fitting}, because of strategy: {target.strategy or UPSERT}"
        raise combination_error(expected, str(target.absent), "absent")
    if target.is_snapshot and target.newest:
        raise combination_error(
            "keep, because of newest: a key that is absent has no time in the file, by which it"
            " could be newer than the row in the table",
            str(target.absent), "absent",
        )  # fmt: skip
