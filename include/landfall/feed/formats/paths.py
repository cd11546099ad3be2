"""Formats whose columns may lie within others, by the paths that a feed declares."""

from __future__ import annotations

from collections.abc import Collection
from typing import Annotated

from pydantic import BeforeValidator, Field

from include.landfall.feed.dialect import Paths as PathPairs
from include.landfall.feed.formats.base import FileFormat
from include.landfall.feed.strict import combination_error

Steps = Annotated[list[Annotated[str, Field(min_length=1)]], Field(min_length=1)]


def _steps(value: str | list[str]) -> list[str]:
    if not isinstance(value, str | list):
        raise ValueError("keys with dots between them, or a list of keys")
    return value.split(".") if isinstance(value, str) else value


Path = Annotated[Steps, BeforeValidator(_steps, json_schema_input_type=str | list[str])]
Paths = Annotated[
    dict[str, Path],
    Field(
        description="Where a column lies within others: city: address.city. "
        "A list, where a name has a dot: [address, zip.code].",
    ),
]


class FormatWithPaths(FileFormat):
    """The base of formats whose values may hold others."""

    paths: Paths = Field(default_factory=dict)

    @property
    def path_pairs(self) -> PathPairs:
        """The paths as a dialect carries them."""
        return tuple((column, tuple(steps)) for column, steps in self.paths.items())

    def check_columns(self, names: Collection[str]) -> None:
        """Checks that each path belongs to a column.

        Raises: PydanticCustomError.
        """
        for column in self.paths:
            if column not in names:
                expected = f"a column that is loaded from the file, which {column} is not"
                raise combination_error(expected, column, "format", "paths", column)

    @property
    def placed(self) -> Collection[str]:
        """The columns that have a path."""
        return self.paths
