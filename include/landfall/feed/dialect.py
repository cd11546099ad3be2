"""How a file is written, as its reader takes it: small, plain, and able to cross a pipe."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar


@dataclass(frozen=True)
class Dialect:
    """How a file is written. `reader` is the module that reads such files (`read.formats`).

    `names` are the names of the file's columns, by place, in place of its own.
    """

    reader: ClassVar[str]

    names: tuple[str, ...] = field(default=(), kw_only=True)


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

    paths: tuple[tuple[str, tuple[str, ...]], ...] = ()
    refuses_other_keys: bool = True
