"""How an export is written: the same `format:` as that of a feed which reads it back."""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError

from include.landfall.errors import TerminalError
from include.landfall.feed.formats import CsvFormat, FileFormat, read_format

CONTENT_TYPES = {
    ("csv", None): "text/csv",
    ("csv", "gzip"): "application/gzip",
    ("csv", "zstd"): "application/zstd",
    ("json", None): "application/x-ndjson",
    ("json", "gzip"): "application/gzip",
    ("json", "zstd"): "application/zstd",
    ("parquet", None): "application/vnd.apache.parquet",
    ("parquet", "gzip"): "application/vnd.apache.parquet",
    ("parquet", "zstd"): "application/vnd.apache.parquet",
}
# The options with which a file can be written. Others say how a file is read.
OPTIONS = {
    "csv": {
        "delimiter", "quote", "escape", "newline", "encoding", "header", "columns", "nulls",
    },
    "json": set(),
    "parquet": set(),
}  # fmt: skip


def export_format(declared: str | dict[str, Any], compression: str | None) -> FileFormat:
    """Reads how an export is written: a name, or what a feed has under `format:`.

    Raises: TerminalError when a result is not written so.
    """
    name = declared.get("type", "csv") if isinstance(declared, dict) else declared
    if (name, compression) not in list(CONTENT_TYPES):  # either may be of any type
        raise TerminalError(
            "a result is not exported this way",
            found=f"format {name!r}, compression {compression!r}",
            expected="format csv, json or parquet, compression gzip, zstd or None",
        )
    try:
        format = read_format(declared)  # noqa: A001  the word that people know
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(["format", *map(str, first["loc"])])
        raise _wrong(field, str(first.get("input")), str(first["msg"])) from None
    _check_options(format)
    return format


def content_type(format: FileFormat, compression: str | None) -> str:  # noqa: A002
    """Returns the content type of the objects."""
    name = CONTENT_TYPES[format.type, compression]
    if isinstance(format, CsvFormat) and compression is None:
        return f"{name}; charset={format.encoding}"
    return name


def _check_options(format: FileFormat) -> None:  # noqa: A002
    options = OPTIONS[format.type]
    for name in sorted(format.model_fields_set - options - {"type"}):
        expected = ", ".join(sorted(options)) or "no option"
        raise _wrong(f"format.{name}", str(getattr(format, name)), f"of {format.type} {expected}")
    if isinstance(format, CsvFormat):
        _check_csv(format)


def _check_csv(csv: CsvFormat) -> None:
    """Checks what the server's COPY cannot write.

    Raises: TerminalError.
    """
    if len(csv.delimiter) != 1 or not csv.delimiter.isascii():
        raise _wrong("format.delimiter", csv.delimiter, "one ASCII character")
    if len(csv.nulls) > 1:
        raise _wrong("format.nulls", str(csv.nulls), "one text, which is written for NULL")
    if int(csv.header) > 1:
        raise _wrong("format.header", str(csv.header), "true or false")
    if csv.newline not in ("auto", "LF", "CRLF"):
        raise _wrong("format.newline", csv.newline, "LF or CRLF")
    if csv.quote is None and csv.escape != "backslash":
        raise _wrong(
            "format.quote", "null", "a quote, or escape: backslash: else no reader finds the cells"
        )
    if csv.quote is None and csv.nulls:
        raise _wrong("format.nulls", csv.nulls[0], r"none without quotes: NULL is written as \N")
    if csv.escape == "none":
        raise _wrong("format.escape", csv.escape, "doubled or backslash")


def _wrong(field: str, found: str, expected: str) -> TerminalError:
    return TerminalError(f"{field} of an export is wrong", found=found, expected=expected)
