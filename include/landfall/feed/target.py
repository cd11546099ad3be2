"""Where a feed's rows go, and by which write disposition."""

from __future__ import annotations

import re

from pydantic import Field, field_validator

from include.landfall.feed.dispositions import DEFAULT, DISPOSITIONS
from include.landfall.feed.strict import Strict


class Target(Strict):
    """Where the rows go."""

    connection: str = Field("warehouse", description="Name of the Postgres connection.")
    table: str = Field(description="schema.table; created when it is missing.")
    disposition: str = Field(
        DEFAULT,
        description="append: rows are added, a changed file replaces its own. "
        "replace: the newest file is the whole table.",
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

    @field_validator("table")
    @classmethod
    def _has_two_names(cls, value: str) -> str:
        if not re.fullmatch(r"[^.\0]+\.[^.\0]+", value):
            raise ValueError("a table is written schema.table")
        if max(len(name.encode()) for name in value.split(".")) > 63:
            raise ValueError("a name of more than 63 bytes: Postgres would cut it off")
        return value

    @property
    def schema_name(self) -> str:
        """The schema of the table."""
        return self.table.split(".")[0]

    @property
    def table_name(self) -> str:
        """The table's name without its schema."""
        return self.table.split(".")[1]
