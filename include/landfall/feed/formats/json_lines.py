"""JSON, as a feed declares it."""

from __future__ import annotations

from collections.abc import Collection
from typing import Annotated, ClassVar, Literal

from pydantic import Field, model_validator

from include.landfall.feed.dialect import JsonDialect
from include.landfall.feed.formats.base import register
from include.landfall.feed.formats.paths import FormatWithPaths, Path
from include.landfall.feed.strict import combination_error


@register
class JsonFormat(FormatWithPaths):
    """JSON in UTF-8: objects one a line or one after the other, in an array, or by their ids."""

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

    header: bool = Field(
        False,
        description="Whether the rows are arrays, of which the first has the columns' names: "
        '[["id", "name"], [1, "Ann"]].',
    )
    objects: Literal["one a line", "concatenated"] = Field(
        "one a line",
        description="Where objects end: at the end of a line, or where their brackets close, with "
        "any number of lines for each, or one line for all.",
    )
    ids: Annotated[str, Field(min_length=1)] | None = Field(
        None,
        description="The column that takes the keys of an object whose values are the rows: "
        '{"17": {...}, "18": {...}}. rows leads to the object, where it is not on top.',
    )
    values: Annotated[str, Field(min_length=1)] | None = Field(
        None,
        description="Beside ids, where a value is no object with columns: the column that takes "
        'it, as in {"EUR": 1.08, "GBP": 1.27}.',
    )

    @model_validator(mode="after")
    def _has_keys(self) -> JsonFormat:
        """Checks that what is said of keys is of rows that have some."""
        way = "columns: by position" if self.columns == "by position" else "header: true"
        if self.columns == "by position" or self.header:
            expected = f"nothing: with {way} the rows are arrays, without keys"
            if self.paths:
                raise combination_error(expected, ", ".join(self.paths), "paths")
            if self.other_keys != "refuse":
                raise combination_error(expected, self.other_keys, "other_keys")
            if self.ids:
                raise combination_error(expected, self.ids, "ids")
        if self.header and self.columns == "by position":
            expected = "false, or columns: by name: the first array gives the columns' order"
            raise combination_error(expected, "true", "header")
        if self.header and self.rows and self.objects == "concatenated":
            expected = "false: of several objects each would have names of its own"
            raise combination_error(expected, "true", "header")
        return self

    @model_validator(mode="after")
    def _ids_fit(self) -> JsonFormat:
        if not self.values:
            return self
        if not self.ids:
            expected = "ids, too: the column for the keys of these values"
            raise combination_error(expected, self.values, "values")
        if self.values == self.ids:
            raise combination_error("another column than that of ids", self.values, "values")
        expected = "nothing: with values each row has no more than two keys"
        if self.paths:
            raise combination_error(expected, ", ".join(self.paths), "paths")
        if self.other_keys != "refuse":
            raise combination_error(expected, self.other_keys, "other_keys")
        return self

    def check_columns(self, names: Collection[str]) -> None:
        """Checks that each path belongs to a column, and the ids and values to columns without one.

        Raises: PydanticCustomError.
        """
        super().check_columns(names)
        for key, column in (("ids", self.ids), ("values", self.values)):
            if column in self.paths:
                expected = f"a column without a path: {column} takes what {key} says"
                raise combination_error(expected, str(column), "format", key)
            if column and column not in names and not self.ignores_keys:
                expected = f"a column that is loaded from the file, which {column} is not"
                raise combination_error(expected, column, "format", key)

    @property
    def has_header(self) -> bool:
        """Whether the first row has the columns' names."""
        return self.header

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
            self.objects == "concatenated",
            self.ids or "",
            self.values or "",
            self.header,
        )
