"""The most that any load takes, whatever its feed says."""

from __future__ import annotations

LONGEST_ROW = 8 << 20  # bytes of a row that a load has room for
MEMORY = 256_000_000  # bytes that a load takes at most, unless its feed allows more
