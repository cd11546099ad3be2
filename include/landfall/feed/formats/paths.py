"""Paths to the columns that lie within other columns or keys, as a feed declares them."""

from __future__ import annotations

from collections.abc import Collection
from typing import Annotated

from pydantic import BeforeValidator, Field

Steps = Annotated[list[Annotated[str, Field(min_length=1)]], Field(min_length=1)]


def _steps(value: str | list[str]) -> list[str]:
    return value.split(".") if isinstance(value, str) else value


Paths = Annotated[
    dict[str, Annotated[Steps, BeforeValidator(_steps, json_schema_input_type=str | list[str])]],
    Field(
        description="Where a column lies within others: city: address.city. "
        "A list, where a name has a dot: [address, zip.code].",
    ),
]


def as_pairs(paths: dict[str, list[str]]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Returns the paths as a dialect carries them."""
    return tuple((column, tuple(steps)) for column, steps in paths.items())


def check_paths(paths: dict[str, list[str]], names: Collection[str]) -> None:
    """Checks that each path belongs to a column.

    Raises: ValueError.
    """
    for column in paths:
        if column not in names:
            raise ValueError(f"format.paths: {column!r} is not among the columns")
