"""JSON, as a feed declares it."""

from __future__ import annotations

from collections.abc import Collection
from typing import Literal

from pydantic import Field

from include.landfall.feed.dialect import JsonDialect
from include.landfall.feed.formats.base import FileFormat, register
from include.landfall.feed.formats.paths import Paths, as_pairs, check_paths


@register
class JsonFormat(FileFormat):
    """JSON in UTF-8: one object a line, or an array of objects."""

    type: Literal["json"] = "json"
    paths: Paths = Field(default_factory=dict)
    other_keys: Literal["refuse", "ignore"] = Field(
        "refuse", description="What becomes of a row with a key that no column reads."
    )

    def dialect(self) -> JsonDialect:
        """Returns the dialect with the options of this format."""
        return JsonDialect(as_pairs(self.paths), self.other_keys == "refuse")

    def check_columns(self, names: Collection[str]) -> None:
        """Checks that each path belongs to a column.

        Raises: ValueError.
        """
        check_paths(self.paths, names)
