"""How a file is written, as its reader takes it: small, plain, and able to cross a pipe."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True)
class Dialect:
    """How a file is written. `reader` is the module that reads such files (`read.formats`).

    `has_header`: whether the file says which columns all of its rows have. Then the reader has
    names_of(), and the contract's rules for columns hold.
    """

    reader: ClassVar[str]
    has_header: ClassVar[bool] = True


@dataclass(frozen=True)
class CsvDialect(Dialect):
    """How CSV is written. `nulls` are the unquoted texts that mean NULL, beside the empty one."""

    reader = "include.landfall.read.formats.csv"

    delimiter: str = ","
    quote: str = '"'
    nulls: tuple[str, ...] = ()


@dataclass(frozen=True)
class ParquetDialect(Dialect):
    """Parquet describes itself."""

    reader = "include.landfall.read.formats.parquet"


@dataclass(frozen=True)
class JsonDialect(Dialect):
    """How JSON is written. `paths` lead to columns that are no keys of the object itself."""

    reader = "include.landfall.read.formats.json_lines"
    has_header = False

    paths: tuple[tuple[str, tuple[str, ...]], ...] = ()
    refuses_other_keys: bool = True
