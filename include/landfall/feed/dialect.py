"""How a file is written, as its reader takes it: small, plain, and able to cross a pipe."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar, Literal, TypeAlias

Negatives = Literal["minus", "behind", "brackets"]
NullScope = Literal["never", "no_text", "always"]


@dataclass(frozen=True)
class Spelling:
    """How the cells of text are spelt, where Postgres would not read them so.

    `nulls` are texts that are NULL in columns of `null_scope`, quotes or not. `negatives` is where
    a number may have its minus, beside in front; `units` are texts before or behind it. `dates` is
    an order (DMY, MDY, YMD), or formats as strptime has them, of which the first that fits counts.
    With `session_dates` a date that two orders read as different days is read as the session does.
    """

    nulls: tuple[str, ...] = ()
    null_scope: NullScope = "never"
    trim: bool = False
    decimal: str = "."
    thousands: str = ""
    negatives: Negatives = "minus"
    units: tuple[str, ...] = ()
    dates: tuple[str, ...] = ()
    time_zone: str = ""
    true_words: tuple[str, ...] = ()
    false_words: tuple[str, ...] = ()
    session_dates: bool = False


AS_POSTGRES = Spelling()


@dataclass(frozen=True)
class Dialect:
    """How a file is written. `reader` is the module that reads such files (`read.formats`).

    `is_json`: whether the cells of new columns that are rescued are JSON, and not texts;
    `rescues_json`: whether those of single rows (`origins_of`) are, because values have a type.
    `names` are the names of the file's columns, by place, in place of its own. `scales` says of
    numeric columns without a scale how many digits after the point their cells have as a rule:
    such cells take the fast path.
    """

    reader: ClassVar[str]
    is_json: ClassVar[bool] = False
    rescues_json: ClassVar[bool] = False

    names: tuple[str, ...] = field(default=(), kw_only=True)
    scales: tuple[tuple[str, int], ...] = field(default=(), kw_only=True)
    spelling: Spelling = field(default=AS_POSTGRES, kw_only=True)


@dataclass(frozen=True)
class Footer:
    """The last line of a file: `pattern` matches it, field `count_column` has the rows' number.

    `sums` are columns of the file, each with the field that has its sum.
    """

    pattern: str
    count_column: int | None = None
    sums: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True)
class CsvDialect(Dialect):
    r"""How CSV is written. `nulls` are the unquoted texts that mean NULL, beside the empty one.

    With `blanks` a run of blanks and tabs is between the fields, and none is at the ends of a line.
    `quote` is "" where quotes are text. `header` is the number of records that hold names. With
    `pad`, missing last cells are NULL, and empty cells beyond the columns are left out.
    """

    reader = "include.landfall.read.formats.csv"

    delimiter: str = ","
    quote: str = '"'
    nulls: tuple[str, ...] = ()
    escape: Literal["doubled", "backslash", "none"] = "doubled"
    newline: Literal["auto", "LF", "CRLF", "CR", "mixed"] = "auto"
    encoding: str = "utf-8"
    header: int = 1
    by_position: bool = False
    skip_rows: int = 0
    skip_footer: int = 0
    footer: Footer | None = None
    comment: str = ""
    pad: bool = False
    repair: bool = False
    blanks: bool = False


@dataclass(frozen=True)
class ExactCsvDialect(CsvDialect):
    """A dialect that the fast reader does not read: see `needs_exact_reader`."""

    reader = "include.landfall.read.formats.csv_declared"


def needs_exact_reader(dialect: CsvDialect) -> bool:
    """Returns whether only the exact reader reads the dialect."""
    return (
        len(dialect.delimiter.encode()) > 1
        or dialect.escape != "doubled"
        or dialect.newline != "auto"
        or bool(dialect.comment)
        or dialect.repair
        or dialect.blanks
    )


Paths: TypeAlias = tuple[tuple[str, tuple[str, ...]], ...]  # of columns that lie within others


@dataclass(frozen=True)
class NestedDialect(Dialect):
    """A file that describes itself, and whose columns may lie within others."""

    rescues_json = True

    paths: Paths = ()


@dataclass(frozen=True)
class ParquetDialect(NestedDialect):
    """How Parquet is read."""

    reader = "include.landfall.read.formats.parquet"


@dataclass(frozen=True)
class JsonDialect(NestedDialect):
    """How JSON is written. `rows` is the path to the array of the rows; none where it is on top.

    With `by_position` a row is an array, whose values are those of the feed's columns in order;
    with `header` the first array has the names of its columns.
    With `concatenated` objects follow one another, wherever their lines end. `ids` is the column
    for the keys of an object whose values are the rows; `values` that of such a value, where it
    is not an object with the columns.
    """

    reader = "include.landfall.read.formats.json_lines"
    is_json = True

    refuses_other_keys: bool = True
    rows: tuple[str, ...] = ()
    by_position: bool = False
    concatenated: bool = False
    ids: str = ""
    values: str = ""
    header: bool = False

    @property
    def has_arrays(self) -> bool:
        """Whether the rows are arrays."""
        return self.by_position or self.header


@dataclass(frozen=True)
class FixedField:
    """A column's characters in each line: from `start`, counted from 0, to before `stop`."""

    name: str
    start: int
    stop: int


@dataclass(frozen=True)
class FixedDialect(Dialect):
    """How text of fixed width is written."""

    reader = "include.landfall.read.formats.fixed_width"

    fields: tuple[FixedField, ...] = ()
    encoding: str = "utf-8"
    trims: bool = True
    nulls: tuple[str, ...] = ()
    pads: bool = False
    ignores_rest: bool = False
    skip_rows: int = 0
    skip_footer: int = 0


@dataclass(frozen=True)
class OrcDialect(NestedDialect):
    """How ORC is read."""

    reader = "include.landfall.read.formats.orc_stripes"


@dataclass(frozen=True)
class ArrowDialect(NestedDialect):
    """How Arrow's own files and streams are read."""

    reader = "include.landfall.read.formats.arrow_ipc"


@dataclass(frozen=True)
class AvroDialect(NestedDialect):
    """How Avro is read."""

    reader = "include.landfall.read.formats.avro_blocks"


@dataclass(frozen=True)
class ExcelDialect(Dialect):
    """Where the rows of a workbook are. `first` and `last` are column and row, from 1.

    `header` is the row with the names, None for the first that is not empty, 0 where there is none.
    """

    reader = "include.landfall.read.formats.excel"

    sheet: str | int | None = None
    first: tuple[int, int] = (1, 1)
    last: tuple[int, int] = (1 << 14, 1 << 20)  # what a sheet can have
    header: int | None = None
