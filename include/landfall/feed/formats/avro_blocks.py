"""Avro, as a feed declares it."""

from __future__ import annotations

from typing import Literal

from include.landfall.feed.dialect import AvroDialect
from include.landfall.feed.formats.base import register
from include.landfall.feed.formats.paths import FormatWithPaths


@register
class AvroFormat(FormatWithPaths):
    """Avro: the fields of the record are the columns, with types of their own."""

    type: Literal["avro"] = "avro"

    def dialect(self) -> AvroDialect:
        """Returns the dialect with the options of this format."""
        return AvroDialect(self.path_pairs)
