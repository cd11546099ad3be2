"""The types of an export's arguments."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

# A name, or what a feed has under `format:`.
Format = Literal["csv", "json", "parquet"] | dict[str, Any]
Compression = Literal["gzip", "zstd"]
Parameters = Sequence[Any] | Mapping[str, Any]
# Called with the number of rows so far. What it raises ends the export, and nothing is written.
Progress = Callable[[int], None]
