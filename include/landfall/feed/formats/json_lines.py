"""JSON, as a feed declares it."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from include.landfall.feed.dialect import JsonDialect
from include.landfall.feed.formats.base import register
from include.landfall.feed.formats.paths import FormatWithPaths


@register
class JsonFormat(FormatWithPaths):
    """JSON in UTF-8: one object a line, or an array of objects."""

    type: Literal["json"] = "json"
    names_columns: ClassVar[bool] = False
    names_keys: ClassVar[bool] = True
    other_keys: Literal["refuse", "ignore"] = Field(
        "refuse", description="What becomes of a row with a key that no column reads."
    )

    @property
    def ignores_keys(self) -> bool:
        """Whether a key of a row that no column reads is left out."""
        return self.other_keys == "ignore"

    def dialect(self) -> JsonDialect:
        """Returns the dialect with the options of this format."""
        return JsonDialect(self.path_pairs, self.other_keys == "refuse")
