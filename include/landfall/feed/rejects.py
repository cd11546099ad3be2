"""What a feed says of rows that are refused: how many are tolerated, what is kept of them."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any, Literal

from pydantic import Field, field_validator

from include.landfall.feed.strict import Strict

LEAST_SAMPLES = 100  # of a refused file's bad rows, so many are kept at the least
MOST_SAMPLES = 10_000  # because they are in memory when the load has been rolled back
Keep = Literal["raw", "cut", "hashed", "count"]


@dataclass(frozen=True)
class Budget:
    """How many rows of one file may be rejected: so many, or such a share of those read."""

    rows: int | None = None
    share: Decimal | None = None

    def is_exceeded(self, rejected: int, read: int) -> bool:
        """Returns whether so many rejected rows of those read are too many."""
        if self.rows is not None and rejected > self.rows:
            return True
        return self.share is not None and rejected > self.share * read

    @property
    def samples(self) -> int:
        """How many rejected rows are kept of a file that is refused for them."""
        return min(max(LEAST_SAMPLES, self.rows or 0), MOST_SAMPLES)

    def __str__(self) -> str:
        parts = []
        if self.rows is not None:
            parts.append("1 row a file" if self.rows == 1 else f"{self.rows:,} rows a file")
        if self.share is not None:
            parts.append(f"{(self.share * 100).normalize():f}% of a file's rows")
        return " and ".join(parts)


class Rejects(Strict):
    """The error budget of one file, and what is kept of the rows that are refused."""

    at_most: int | str | list[int | str] = Field(
        0,
        description="How many rows of one file may be rejected: 100, or 0.5%, or both as a list. "
        "Above it the file is refused whole.",
    )
    keep: Keep = Field(
        "raw",
        description="What is kept of a rejected row: raw (its text), cut (the first 200 "
        "characters), hashed (a SHA-256 of it), count (nothing; only the counts).",
    )
    days: int = Field(90, ge=1, description="For how many days rejects are kept.")

    @field_validator("at_most", mode="before")
    @classmethod
    def _is_a_budget(cls, value: Any) -> Any:
        _budget(value)
        return value

    @property
    def budget(self) -> Budget:
        """The error budget of one file."""
        return _budget(self.at_most)


def _budget(value: int | str | list[int | str]) -> Budget:
    parts = [_part(each) for each in (value if isinstance(value, list) else [value])]
    rows = [part for part in parts if isinstance(part, int)]
    shares = [part for part in parts if isinstance(part, Decimal)]
    if not parts or len(rows) > 1 or len(shares) > 1:
        raise ValueError("a number of rows, a share such as 0.5%, or one of each")
    return Budget(rows[0] if rows else None, shares[0] if shares else None)


def _part(value: int | str) -> int | Decimal:
    """Returns a number of rows, or a share as a part of 1."""
    text = str(value).strip()
    if text.isascii() and text.isdecimal():
        return int(text)
    try:
        share = Decimal(text.removesuffix("%").strip()) / 100
    except InvalidOperation:
        share = Decimal(-1)
    if not text.endswith("%") or not share.is_finite() or not 0 <= share <= 1:
        raise ValueError(f"a number of rows, or a share such as 0.5%, not {value!r}")
    return share
