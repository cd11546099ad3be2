"""JSON, as a feed declares it."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field, model_validator

from include.landfall.feed.dialect import JsonDialect
from include.landfall.feed.formats.base import register
from include.landfall.feed.formats.paths import FormatWithPaths, Path
from include.landfall.feed.strict import combination_error


@register
class JsonFormat(FormatWithPaths):
    """JSON in UTF-8: one object a line, or an array of objects, which may lie under a key."""

    type: Literal["json"] = "json"
    names_columns: ClassVar[bool] = False
    names_keys: ClassVar[bool] = True
    other_keys: Literal["refuse", "ignore"] = Field(
        "refuse", description="What becomes of a row with a key that no column reads."
    )

    rows: Path | None = Field(
        None,
        description="Where the array of the rows is, when it is not on top: data, or "
        "result.records. A list, where a key has a dot: [result, all.records].",
    )
    columns: Literal["by name", "by position"] = Field(
        "by name",
        description="How the columns are found: by their keys, or, where each row is an array, by "
        "their order.",
    )

    @model_validator(mode="after")
    def _has_keys(self) -> JsonFormat:
        """Checks that what is said of keys is of rows that have some."""
        if self.columns == "by position":
            expected = "nothing: with columns: by position the rows are arrays, without keys"
            if self.paths:
                raise combination_error(expected, ", ".join(self.paths), "paths")
            if self.other_keys != "refuse":
                raise combination_error(expected, self.other_keys, "other_keys")
        return self

    @property
    def takes_names(self) -> bool:
        """Whether the keys of the rows count."""
        return self.columns == "by name"

    @property
    def ignores_keys(self) -> bool:
        """Whether a key of a row that no column reads is left out."""
        return self.other_keys == "ignore"

    def dialect(self) -> JsonDialect:
        """Returns the dialect with the options of this format."""
        return JsonDialect(
            self.path_pairs,
            self.other_keys == "refuse",
            tuple(self.rows or ()),
            self.columns == "by position",
        )
