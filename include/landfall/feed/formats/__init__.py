"""The file formats that a feed can declare, a module for each, with their options.

The dialect that a format makes names the module that reads its files, and no other module tells
formats apart by name.
"""

from __future__ import annotations

from typing import Any

from include.landfall.feed import other_words
from include.landfall.feed.formats.arrow_ipc import ArrowFormat
from include.landfall.feed.formats.avro_blocks import AvroFormat
from include.landfall.feed.formats.base import FORMATS, FileFormat, register
from include.landfall.feed.formats.csv import CsvFormat
from include.landfall.feed.formats.excel import ExcelFormat
from include.landfall.feed.formats.fixed_width import FixedFormat
from include.landfall.feed.formats.json_lines import JsonFormat
from include.landfall.feed.formats.orc_stripes import OrcFormat
from include.landfall.feed.formats.parquet import ParquetFormat

__all__ = [
    "FORMATS", "ArrowFormat", "AvroFormat", "CsvFormat", "ExcelFormat", "FileFormat", "FixedFormat",
    "JsonFormat", "OrcFormat", "ParquetFormat", "read_format", "register",
]  # fmt: skip

DEFAULT = "csv"


def read_format(value: Any) -> FileFormat:
    """Reads a feed's `format`: its name alone, or a name (CSV if it is missing) and options.

    Raises: ValueError when there is no such format or an option does not fit it.
    """
    if isinstance(value, FileFormat):
        return value
    return format_class_of(value).model_validate(
        {"type": value} if isinstance(value, str) else value
    )


def format_class_of(value: Any) -> type[FileFormat]:
    """Returns the class of the format that a feed's `format` names.

    Raises: ValueError when there is no such format.
    """
    name = value.get("type", DEFAULT) if isinstance(value, dict) else value
    if not isinstance(name, str) or name not in FORMATS:
        if meant := other_words.FORMATS.get(str(name)):
            raise ValueError(f"{meant}, not {name!r}")
        raise ValueError(f"{' or '.join(FORMATS)}, alone or with options, not {name!r}")
    return FORMATS[name]
