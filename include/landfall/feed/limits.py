"""What one load may cost, as a feed declares it."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from include.landfall.feed.maxima import LONGEST_ROW, MEMORY
from include.landfall.feed.strict import Strict

SIZE = re.compile(r"(\d+) ?([kKMGT]i?)?B?")
POWERS = {"K": 1, "M": 2, "G": 3, "T": 4}
MOST_RATIO = 1_000_000


def _bytes_in(value: Any) -> Any:
    """Returns a size such as 64 MiB as a number of bytes.

    Raises: ValueError when it is none.
    """
    match = SIZE.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        if isinstance(value, str):
            raise ValueError("a number of bytes, such as 500000, 64 MiB or 10 GB")
        return value
    number, unit = match.groups()
    base = 1024 if unit and unit.endswith("i") else 1000
    return int(number) * base ** POWERS.get((unit or "")[:1].upper(), 0)


Size = Annotated[
    int, BeforeValidator(_bytes_in, json_schema_input_type=int | str), Field(strict=True, ge=1)
]


class Limits(Strict):
    """Bounds of one load. What exceeds them is refused with an error that names them."""

    row: Annotated[Size, Field(le=LONGEST_ROW)] | None = Field(
        None,
        description="The largest row, as bytes or 2 MiB: the sum of its texts. Larger ones are "
        "rejected. Default: 8 MiB, which is also the most.",
    )
    object: Size | None = Field(
        None, description="The largest object, as bytes or 10 GB. Default: none."
    )
    ratio: int = Field(
        1000,
        ge=1,
        le=MOST_RATIO,
        description="How many times its size a packed file may unpack to, beyond 64 MiB.",
    )
    columns: int | None = Field(None, ge=1, description="The most columns of a file.")
    memory: Annotated[Size, Field(ge=MEMORY)] = Field(
        MEMORY,
        description="The most memory that a load may take, as bytes or 400 MB. Default, and the "
        "least: 256 MB. More is needed for Parquet of large pages, zstd or xz of large windows.",
    )
    statement_timeout: float | None = Field(
        None,
        gt=0,
        description="Seconds that one statement of a load, replay, forget or validate may take in "
        "the database. Default: the role's.",
    )
    lock_timeout: float | None = Field(
        None,
        gt=0,
        description="Seconds that a load, replay, forget or validate may wait for a lock in the "
        "database. Default: the role's.",
    )

    @property
    def extra_memory(self) -> int:
        """The bytes of memory beyond those that every load may take."""
        return self.memory - MEMORY
