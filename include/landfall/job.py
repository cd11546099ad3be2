"""What the reading side of a load must know: small, plain, and able to cross a pipe."""

from __future__ import annotations

from dataclasses import dataclass, field

from include.landfall.arrival import Arrival
from include.landfall.connections import Store
from include.landfall.feed.column_types import ColumnType

# Bytes of CSV text in a batch. Measured on 766 MB: 512 KiB takes 147 MB and 9.1 s of CPU to
# read, 1 MiB 188 MB and 8.5 s, 256 KiB 136 MB and 10.1 s.
BLOCK_SIZE = 1 << 19


LARGE_BLOCK = 1 << 26  # the longest row that can be read at all


PARQUET_ROWS = 4096  # a batch: pgpq holds the GIL while it encodes, so batches stay small


@dataclass(frozen=True)
class PlannedColumn:
    """A column of the contract as the target has it. `kind` is pg_type.typtype: b, e, d, …"""

    name: str
    type: ColumnType
    kind: str = "b"
    nullable: bool = True


@dataclass(frozen=True)
class Dialect:
    """How the file's text is written; `format` is csv or parquet."""

    format: str = "csv"
    delimiter: str = ","
    quote: str = '"'
    nulls: tuple[str, ...] = ()


@dataclass(frozen=True)
class Manner:
    """How to read a file: first fast and in small blocks, and otherwise where that failed.

    `careful`: every row goes as text, numbered, for Postgres to judge. `long_rows`: in blocks of
    64 MiB, for rows that do not fit a small one; this alone takes more memory.
    """

    careful: bool = False
    long_rows: bool = False

    @property
    def block_size(self) -> int:
        """Bytes of CSV text that are parsed at once: no row may be longer."""
        return LARGE_BLOCK if self.long_rows else BLOCK_SIZE


@dataclass(frozen=True)
class Job:
    """One reading of one arrival."""

    feed: str
    arrival: Arrival
    store: Store
    columns: tuple[PlannedColumn, ...]
    load_id: int
    dialect: Dialect = field(default_factory=Dialect)
    manner: Manner = field(default_factory=Manner)

    @property
    def names(self) -> list[str]:
        """The columns' names, in the feed's order."""
        return [column.name for column in self.columns]
