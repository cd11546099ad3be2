"""A feed: a declared stream of like files under an S3 prefix, bound for one target table.

The whole feed as a model; `yaml_file` reads it from a file, `schema` describes it to editors.
"""

from __future__ import annotations

import fnmatch
import re
from functools import cached_property
from typing import Annotated, Any, Literal

from pydantic import (
    BeforeValidator,
    Field,
    PlainValidator,
    SerializeAsAny,
    field_validator,
    model_validator,
)

from include.landfall.feed.column_types import ColumnType, parse_type
from include.landfall.feed.dispositions import DEFAULT, DISPOSITIONS
from include.landfall.feed.formats import CsvFormat, FileFormat, read_format
from include.landfall.feed.rejects import Rejects
from include.landfall.feed.rules import Check
from include.landfall.feed.strict import Strict

NAME = r"^[a-z][a-z0-9_]{0,54}$"
RESERVED_PREFIX = "_load"
MAX_COLUMNS = 1599  # a table of Postgres has 1600, and one is the load id


class Source(Strict):
    """Where the files are."""

    connection: str = Field("landing", description="Name of the S3 connection.")
    bucket: str = Field(min_length=3, description="Name of the bucket.")
    pattern: str = Field(
        min_length=1,
        description="Which keys are the feed's: * and ? stop at /, ** does not, [abc] is a set.",
    )
    settle_seconds: float = Field(
        0,
        ge=0,
        description="How long an object must be unchanged before it is taken as whole.",
    )

    empty_objects: Literal["load", "refuse"] | None = Field(
        None,
        description="What an object of 0 bytes is: load (a file without rows) or refuse. "
        "By default it is refused where it would empty the table.",
    )

    @field_validator("pattern")
    @classmethod
    def _can_match(cls, value: str) -> str:
        if value.startswith("s3://"):
            raise ValueError("the key alone: the bucket has its own field")
        if value.startswith("/"):
            raise ValueError("a key, which does not begin with /")
        if re.search(r"\{[^}]*,[^}]*\}", value):
            raise ValueError("* ? ** and [abc]; there is no {a,b}: write one feed for each")
        return value

    @property
    def prefix(self) -> str:
        """The part of the pattern before its first wildcard. Nothing else is ever listed."""
        return re.split(r"[*?\[]", self.pattern, maxsplit=1)[0]

    def matches(self, key: str) -> bool:
        """Returns whether the key is one of the feed's."""
        return self._regex.fullmatch(key) is not None

    @cached_property
    def _regex(self) -> re.Pattern[str]:
        parts = re.split(r"(\*\*|\*|\?|\[[^\]]+\])", self.pattern)
        wildcards = {"**": ".*", "*": "[^/]*", "?": "[^/]"}
        return re.compile("".join(wildcards.get(p) or _literal_or_set(p) for p in parts))


def _literal_or_set(part: str) -> str:
    return fnmatch.translate(part)[4:-3] if part.startswith("[") else re.escape(part)


class Target(Strict):
    """Where the rows go."""

    connection: str = Field("warehouse", description="Name of the Postgres connection.")
    table: str = Field(description="schema.table; created when it is missing.")
    disposition: str = Field(
        DEFAULT,
        description="append: rows are added, a changed file replaces its own. "
        "replace: the newest file is the whole table.",
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


class Feed(Strict):
    """A feed, read and validated."""

    name: str = Field(
        alias="feed", pattern=NAME, description="The feed's name: letters, digits, _."
    )
    description: str = Field("", description="What the files are.")
    owner: str = Field("data-team", description="Who is called when it fails.")
    schedule: str | None = Field("@hourly", description="Cron, preset, or null: by hand.")
    source: Source
    format: Annotated[SerializeAsAny[FileFormat], PlainValidator(read_format)] = CsvFormat()
    target: Target
    columns: dict[str, Annotated[Column, BeforeValidator(_long_form)]] = Field(min_length=1)
    checks: dict[str, Check] = Field(default_factory=dict)
    rejects: Rejects = Rejects()

    @field_validator("columns")
    @classmethod
    def _names_fit(cls, value: dict[str, Column]) -> dict[str, Column]:
        if len(value) > MAX_COLUMNS:
            raise ValueError(f"at most {MAX_COLUMNS} columns, not {len(value)}")
        for name in value:
            if name.startswith(RESERVED_PREFIX) or "\0" in name or not 0 < len(name.encode()) < 64:
                raise ValueError(
                    f"{name!r} cannot be a column: 1 to 63 bytes, not beginning with _load"
                )
        return value

    @property
    def hides_texts(self) -> bool:
        """Whether texts of rows must not be kept or shown."""
        hidden = self.rejects.keep in {"hashed", "count"}
        return hidden or any(column.secret for column in self.columns.values())

    @model_validator(mode="after")
    def _checks_fit(self) -> Feed:
        for name, check in self.checks.items():
            if name != "rows" and name not in self.columns:
                raise ValueError(f"checks: {name!r} is neither rows nor a column")
            rules = check.model_dump(exclude_none=True).keys()
            of_rows = rules & {"at_least", "at_most"}
            of_column = rules - {"at_least", "at_most"}
            if of_column and name == "rows" and name not in self.columns:
                raise ValueError("checks: rows takes at_least and at_most")
            if of_rows and name != "rows":
                raise ValueError(f"checks: {name!r} takes minimum, maximum, not_null and unique")
        return self
