"""ORC, as a feed declares it."""

from __future__ import annotations

from typing import ClassVar, Literal

from include.landfall.feed.dialect import OrcDialect
from include.landfall.feed.formats.base import register
from include.landfall.feed.formats.paths import FormatWithPaths


@register
class OrcFormat(FormatWithPaths):
    """ORC: columns have types of their own, which must fit those of the feed."""

    type: Literal["orc"] = "orc"
    can_be_packed: ClassVar[bool] = False

    def dialect(self) -> OrcDialect:
        """Returns the dialect with the options of this format."""
        return OrcDialect(self.path_pairs)
