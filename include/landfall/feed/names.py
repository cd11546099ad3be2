"""Which names a column of a feed can have."""

from __future__ import annotations

import re

# Columns that the engine adds, and the labels of new ones (contract.NEW_LABEL).
RESERVED = re.compile(r"_load_(?:id|row|number)|_load_new:.*", re.DOTALL)


def is_name(name: str) -> bool:
    """Returns whether a column of the table can have the name."""
    return 0 < len(name.encode()) < 64 and "\0" not in name and not RESERVED.fullmatch(name)
