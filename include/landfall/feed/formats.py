"""A feed: a declared stream of like files under an S3 prefix, bound for one target table.

The only module that knows the file format of feeds and the wording of its errors.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, model_validator

from include.landfall.feed.strict import Strict


class CsvFormat(Strict):
    """Text with a header, one record a row. Compression is told from the content."""

    type: Literal["csv"] = "csv"
    delimiter: str = Field(",", min_length=1, max_length=1, description="Between the fields.")
    quote: str = Field('"', min_length=1, max_length=1, description="Around a field.")
    nulls: list[str] = Field(
        default_factory=list,
        description="Unquoted texts that are NULL, beside the empty one. Quoted, they are text.",
    )

    @model_validator(mode="after")
    def _apart(self) -> CsvFormat:
        if self.delimiter == self.quote or not (self.delimiter + self.quote).isascii():
            raise ValueError("delimiter and quote must be two different ASCII characters")
        return self


class ParquetFormat(Strict):
    """Parquet: columns have types of their own, which must fit the feed's."""

    type: Literal["parquet"] = "parquet"


def _format_tag(value: Any) -> Any:
    if isinstance(value, str):
        return {"type": value}
    return {"type": "csv", **value} if isinstance(value, dict) else value
