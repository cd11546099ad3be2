"""CSV, as a feed declares it."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, field_validator, model_validator

from include.landfall.feed.dialect import CsvDialect
from include.landfall.feed.formats.base import FileFormat, register


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
