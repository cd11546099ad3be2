"""Parquet, as a feed declares it."""

from __future__ import annotations

from typing import Literal

from include.landfall.feed.dialect import ParquetDialect
from include.landfall.feed.formats.base import FileFormat, register


@register
class ParquetFormat(FileFormat):
    """Parquet: columns have types of their own, which must fit the feed's."""

    type: Literal["parquet"] = "parquet"

    def dialect(self) -> ParquetDialect:
        """Returns the dialect, which has no options."""
        return ParquetDialect()
