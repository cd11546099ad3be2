"""The file formats that a feed can declare, with their options.

This module is the registry of formats: the dialect that a format makes names the module that reads
its files, and no other module tells formats apart by name.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, Literal, TypeVar

from pydantic import Field, field_validator, model_validator

from include.landfall.feed.dialect import CsvDialect, Dialect, ParquetDialect
from include.landfall.feed.strict import Strict

DEFAULT = "csv"


class FileFormat(Strict, ABC):
    """The base of all formats: a name in `type`, and options."""

    type: str

    @abstractmethod
    def dialect(self) -> Dialect:
        """Returns the dialect that the reader of this format takes."""


FormatClass = TypeVar("FormatClass", bound=FileFormat)
FORMATS: dict[str, type[FileFormat]] = {}


def register(format_class: type[FormatClass]) -> type[FormatClass]:
    """Adds a format to those that a feed can declare, by the default of its `type`."""
    FORMATS[format_class.model_fields["type"].default] = format_class
    return format_class


@register
class CsvFormat(FileFormat):
    """Text with a header, one record a row. The content tells the compression."""

    type: Literal["csv"] = "csv"
    delimiter: str = Field(",", min_length=1, max_length=1, description="Between the fields.")
    quote: str = Field('"', min_length=1, max_length=1, description="Around a field.")
    nulls: list[str] = Field(
        default_factory=list,
        description="Unquoted texts that are NULL, beside the empty one. Quoted, they are text.",
    )

    @field_validator("nulls")
    @classmethod
    def _are_texts(cls, value: list[str]) -> list[str]:
        # It would do nothing, and look as if quoted empties were NULL.
        if "" in value:
            raise ValueError("texts: the empty one is NULL without quotes, and text within them")
        return value

    @model_validator(mode="after")
    def _delimiter_is_not_the_quote(self) -> CsvFormat:
        if self.delimiter == self.quote or not (self.delimiter + self.quote).isascii():
            raise ValueError("delimiter and quote must be two different ASCII characters")
        return self

    def dialect(self) -> CsvDialect:
        """Returns the dialect with the options of this format."""
        return CsvDialect(self.delimiter, self.quote, tuple(self.nulls))


@register
class ParquetFormat(FileFormat):
    """Parquet: columns have types of their own, which must fit the feed's."""

    type: Literal["parquet"] = "parquet"

    def dialect(self) -> ParquetDialect:
        """Returns the dialect, which has no options."""
        return ParquetDialect()


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
        raise ValueError(f"{' or '.join(FORMATS)}, alone or with options, not {name!r}")
    return FORMATS[name]
