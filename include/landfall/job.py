"""What both sides of a load agree on: small, plain, and able to cross a pipe."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from include.landfall.arrival import Arrival, PartStart
from include.landfall.connections import Store
from include.landfall.contract import (
    STRICT,
    Expected,
    IfMissing,
    Match,
    Rules,
    match_columns,
    renamed,
)
from include.landfall.errors import HeaderMismatch
from include.landfall.feed.column_types import ColumnType
from include.landfall.feed.dialect import CsvDialect, Dialect

if TYPE_CHECKING:
    from include.landfall.feed.source import Source

# Columns that the engine adds. No column of a feed begins with `_load`.
LOAD_ID = "_load_id"  # in the target: the load that brought the row
ROW_NUMBER = "_load_row"  # in staging: the row's number in the file, from 1

# Bytes of CSV text in a batch. Measured on 150 MB: 1 MiB takes 104 MB and 1.6 s of CPU to read,
# 512 KiB 91 MB and 1.9 s.
BLOCK_BYTES = 1 << 20


@dataclass(frozen=True)
class PlannedColumn:
    """A column of the contract as the target has it.

    `typtype` is that of pg_type: b for a base type, d for a domain, e for an enum. `base` is the
    type that a domain is over. `from_key` and `from_object` are those of the feed: the file does
    not have such a column.
    """

    name: str
    type: ColumnType
    typtype: str = "b"
    nullable: bool = True
    other_names: tuple[str, ...] = ()
    if_missing: IfMissing = IfMissing.REFUSE
    nulls_bad_cells: bool = False
    from_key: str | None = None
    from_object: str | None = None
    base: ColumnType | None = None

    @property
    def read_as(self) -> ColumnType:
        """The type that reads the texts: of a domain, the type on which it is based."""
        return self.base or self.type

    @property
    def is_in_file(self) -> bool:
        """Whether the value comes from the file, and not from the object."""
        return not (self.from_key or self.from_object)

    @property
    def is_number(self) -> bool:
        """Whether the value is the number of the row in its file."""
        return self.from_object == "row"


@dataclass(frozen=True)
class Unpacking:
    """How a packed file is unpacked.

    `member` is a pattern for the members of a zip file. `ratio` is how many bytes may come of each
    packed one. `extra_memory` is what the load may take beyond MEMORY.
    """

    member: str | None = None
    ratio: int = 1000  # gzip reaches 1032, and only where all bytes are the same
    extra_memory: int = 0


@dataclass(frozen=True)
class Bounds:
    """What a feed allows of its files: bytes of a row, beside LONGEST_ROW, and columns.

    `extra_memory` is what the load may take beyond MEMORY.
    """

    row_bytes: int | None = None
    columns: int | None = None
    extra_memory: int = 0


class Hashed(StrEnum):
    """Of which files the content is hashed: of those that are read from end to end, or of all."""

    NONE = "none"
    STREAMED = "streamed"
    ALL = "all"


@dataclass(frozen=True)
class Job:
    """One reading of one arrival.

    `load_id` is None where the target's rows carry none. With `is_numbered` a typed row ends with
    its number in the file, in place of the load id. `encoding` is the Python codec of a database
    that is not UTF-8: no other letter can be loaded.
    `match` says where the columns are in the file, once the header has been read. `order` are the
    names that the feed gives to the columns of a file whose own names do not count. `snapshot` is
    the source of an arrival that is a folder of objects. `parts` are the files of an arrival of
    several, once their rows have been read. With `refuses_empty` a file that unpacks to 0 bytes is
    refused.
    """

    feed: str
    arrival: Arrival
    store: Store
    columns: tuple[PlannedColumn, ...]
    load_id: int | None
    dialect: Dialect = field(default_factory=CsvDialect)
    encoding: str | None = None
    unpacking: Unpacking = field(default_factory=Unpacking)
    rules: Rules = STRICT
    match: Match | None = None
    order: tuple[str, ...] = ()
    bounds: Bounds = field(default_factory=Bounds)
    is_numbered: bool = False
    hashed: Hashed = Hashed.NONE
    snapshot: Source | None = None
    parts: tuple[PartStart, ...] = ()
    refuses_empty: bool = False

    @property
    def is_strict(self) -> bool:
        """Whether a file must have exactly the columns that come from it, by their names."""
        return self.rules == STRICT and not any(
            column.other_names or column.if_missing != IfMissing.REFUSE
            for column in self.columns
            if column.is_in_file
        )

    @property
    def expected(self) -> list[Expected]:
        """The columns that are expected of the file."""
        return [
            Expected(column.name, column.other_names, column.if_missing)
            for column in self.columns
            if column.is_in_file and column.name != self.rules.rescue
        ]

    def match_columns(self, names: Sequence[str]) -> Match:
        """Returns where the columns to read are among the file's.

        Raises: HeaderMismatch when the feed does not take the file's columns.
        """
        most = self.bounds.columns
        if most is not None and len(names) > most:
            raise HeaderMismatch(
                "the file has more columns than the feed allows",
                found=f"{len(names)} columns",
                expected=f"at most {most}, by limits: columns",
                do="look into the file; where it is right, allow more in the feed",
            )
        own = renamed(names, self.dialect.names)
        try:
            return self.match or match_columns(own, self.expected, self.rules)
        except HeaderMismatch as error:
            error.at(line=self._header_line)
            raise

    @property
    def _header_line(self) -> int | None:
        """The line of a CSV header; unknown behind comments. Other formats have no such line."""
        dialect = self.dialect
        if isinstance(dialect, CsvDialect) and not dialect.comment:
            return dialect.skip_rows + 1
        return None

    @property
    def names(self) -> list[str]:
        """The columns' names, in the feed's order."""
        return [column.name for column in self.columns]

    @property
    def labels(self) -> tuple[str, ...]:
        """The names of a batch's columns: the match's labels; without a match the feed's names."""
        return self.match.labels if self.match else tuple(self.names)
