"""How a file is written, as its reader takes it: small, plain, and able to cross a pipe."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, TypeAlias


@dataclass(frozen=True)
class Dialect:
    """How a file is written. `reader` is the module that reads such files (`read.formats`)."""

    reader: ClassVar[str]


@dataclass(frozen=True)
class CsvDialect(Dialect):
    """How CSV is written. `nulls` are the unquoted texts that mean NULL, beside the empty one."""

    reader = "include.landfall.read.formats.csv"

    delimiter: str = ","
    quote: str = '"'
    nulls: tuple[str, ...] = ()


Paths: TypeAlias = tuple[tuple[str, tuple[str, ...]], ...]  # of columns that lie within others


@dataclass(frozen=True)
class ParquetDialect(Dialect):
    """Parquet describes itself."""

    reader = "include.landfall.read.formats.parquet"

    paths: Paths = ()


@dataclass(frozen=True)
class JsonDialect(Dialect):
    """How JSON is written."""

    reader = "include.landfall.read.formats.json_lines"

    paths: Paths = ()
    refuses_other_keys: bool = True


@dataclass(frozen=True)
class FixedField:
    """A column's characters in each line: from `start`, counted from 0, to before `stop`."""

    name: str
    start: int
    stop: int


@dataclass(frozen=True)
class FixedDialect(Dialect):
    """How text of fixed width is written. `trim` is both, left, right or none."""

    reader = "include.landfall.read.formats.fixed_width"

    fields: tuple[FixedField, ...] = ()
    encoding: str = "utf-8"
    trim: str = "both"
    nulls: tuple[str, ...] = ()
    pads: bool = False
    ignores_rest: bool = False
    skip_rows: int = 0


@dataclass(frozen=True)
class OrcDialect(Dialect):
    """ORC describes itself."""

    reader = "include.landfall.read.formats.orc_stripes"

    paths: Paths = ()


@dataclass(frozen=True)
class ArrowDialect(Dialect):
    """Arrow's own files and streams describe themselves."""

    reader = "include.landfall.read.formats.arrow_ipc"

    paths: Paths = ()


@dataclass(frozen=True)
class AvroDialect(Dialect):
    """Avro describes itself."""

    reader = "include.landfall.read.formats.avro_blocks"

    paths: Paths = ()
