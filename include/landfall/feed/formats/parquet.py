"""Parquet, as a feed declares it."""

from __future__ import annotations

from typing import ClassVar, Literal

from include.landfall.feed.dialect import ParquetDialect
from include.landfall.feed.formats.base import register
from include.landfall.feed.formats.paths import FormatWithPaths


@register
class ParquetFormat(FormatWithPaths):
    """Parquet: columns have types of their own, which must fit the feed's."""

    type: Literal["parquet"] = "parquet"
    can_be_packed: ClassVar[bool] = False

    def dialect(self) -> ParquetDialect:
        """Returns the dialect with the options of this format."""
        return ParquetDialect(self.path_pairs)
