"""Fixed width, as a feed declares it."""

from __future__ import annotations

from collections.abc import Collection
from itertools import pairwise
from typing import ClassVar, Literal

from pydantic import Field, model_validator

from include.landfall.feed.dialect import FixedDialect, FixedField
from include.landfall.feed.formats.base import register
from include.landfall.feed.formats.encoding import Encoding
from include.landfall.feed.formats.spelling import SpeltFormat
from include.landfall.feed.strict import Strict, combination_error

MOST_SKIPPED = 10_000  # lines at the end, which are held back


class Span(Strict):
    """Where the field of a column is in each line."""

    start: int = Field(ge=1, description="The first character, counted from 1.")
    width: int = Field(ge=1, description="How many characters.")


@register
class FixedFormat(SpeltFormat):
    """Text in lines, each column at the same characters of every line."""

    type: Literal["fixed"] = "fixed"
    names_columns: ClassVar[bool] = False
    fields: dict[str, Span] = Field(
        min_length=1, description="Where each column is: id: {start: 1, width: 8}."
    )
    encoding: Encoding = "utf-8"
    trim: bool = Field(
        True, description="Whether spaces around a field are taken away. An empty one is NULL."
    )
    ragged: Literal["reject", "pad"] = Field(
        "reject", description="What becomes of a line that ends before its last field does."
    )
    rest: Literal["refuse", "ignore"] = Field(
        "refuse", description="What becomes of a line with text behind its last field."
    )
    skip_rows: int = Field(0, ge=0, description="How many lines at the beginning are no rows.")
    skip_footer: int = Field(
        0, ge=0, le=MOST_SKIPPED, description="How many lines at the end are no rows."
    )

    @model_validator(mode="after")
    def _fields_are_apart(self) -> FixedFormat:
        spans = sorted((span.start, span.start + span.width, n) for n, span in self.fields.items())
        for (_, stop, name), (start, _, other) in pairwise(spans):
            if start < stop:
                raise ValueError(f"fields: {name!r} and {other!r} overlap")
        return self

    def dialect(self) -> FixedDialect:
        """Returns the dialect with the options of this format."""
        fields = tuple(
            FixedField(name, span.start - 1, span.start - 1 + span.width)
            for name, span in self.fields.items()
        )
        return FixedDialect(
            fields, self.encoding, self.trim, tuple(self.nulls), self.ragged == "pad",
            self.rest == "ignore", self.skip_rows, self.skip_footer, spelling=self.spelling(),
        )  # fmt: skip

    def check_columns(self, names: Collection[str]) -> None:
        """Checks that each column has a field, and each field a column.

        Raises: PydanticCustomError.
        """
        for name in names:
            if name not in self.fields:
                raise combination_error(
                    f"a field for the column {name}", "none", "format", "fields"
                )
        for name in self.fields:
            if name not in names:
                expected = f"a column that is loaded from the file, which {name} is not"
                raise combination_error(expected, name, "format", "fields", name)
