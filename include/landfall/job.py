"""What both sides of a load agree on: small, plain, and able to cross a pipe."""

from __future__ import annotations

from dataclasses import dataclass, field

from include.landfall.arrival import Arrival
from include.landfall.connections import Store
from include.landfall.feed.column_types import ColumnType
from include.landfall.feed.dialect import CsvDialect, Dialect

# Columns that the engine adds. No column of a feed begins with `_load`.
LOAD_ID = "_load_id"  # in the target: the load that brought the row
ROW_NUMBER = "_load_row"  # in staging: the row's number in the file, from 1

# Bytes of CSV text in a batch. Measured on 150 MB: 1 MiB takes 104 MB and 1.6 s of CPU to read,
# 512 KiB 91 MB and 1.9 s.
BLOCK_BYTES = 1 << 20
LONGEST_ROW = 8 << 20  # bytes of a row that can be read: what a load has room for


@dataclass(frozen=True)
class PlannedColumn:
    """A column of the contract as the target has it.

    `typtype` is that of pg_type: b for a base type, d for a domain, e for an enum.
    """

    name: str
    type: ColumnType
    typtype: str = "b"
    nullable: bool = True


@dataclass(frozen=True)
class Job:
    """One reading of one arrival.

    `load_id` is None where the target's rows carry none. `encoding` is the Python codec of a
    database that is not UTF-8: no other letter can be loaded.
    """

    feed: str
    arrival: Arrival
    store: Store
    columns: tuple[PlannedColumn, ...]
    load_id: int | None
    dialect: Dialect = field(default_factory=CsvDialect)
    encoding: str | None = None

    @property
    def names(self) -> list[str]:
        """The columns' names, in the feed's order."""
        return [column.name for column in self.columns]
