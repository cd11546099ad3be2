"""Arrow's files and streams, as a feed declares it."""

from __future__ import annotations

from typing import ClassVar, Literal

from include.landfall.feed.dialect import ArrowDialect
from include.landfall.feed.formats.base import register
from include.landfall.feed.formats.paths import FormatWithPaths


@register
class ArrowFormat(FormatWithPaths):
    """Files and streams of Arrow (IPC, Feather 2): columns have types of their own."""

    type: Literal["arrow"] = "arrow"
    can_be_packed: ClassVar[bool] = False

    def dialect(self) -> ArrowDialect:
        """Returns the dialect with the options of this format."""
        return ArrowDialect(self.path_pairs)
