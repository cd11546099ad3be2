"""Fixed width, as a feed declares it."""

from __future__ import annotations

import codecs
from collections.abc import Collection
from itertools import pairwise
from typing import ClassVar, Literal

from pydantic import Field, field_validator, model_validator

from include.landfall.feed.dialect import FixedDialect, FixedField
from include.landfall.feed.formats.base import FileFormat, register
from include.landfall.feed.strict import Strict


class Span(Strict):
    """Where the field of a column is in each line."""

    start: int = Field(ge=1, description="The first character, counted from 1.")
    width: int = Field(ge=1, description="How many characters.")


@register
class FixedFormat(FileFormat):
    """Text in lines, each column at the same characters of every line."""

    type: Literal["fixed"] = "fixed"
    names_columns: ClassVar[bool] = False
    fields: dict[str, Span] = Field(
        min_length=1, description="Where each column is: id: {start: 1, width: 8}."
    )
    encoding: str = Field(
        "utf-8", description="Python's name of the encoding: utf-8, latin-1, cp1252, shift-jis."
    )
    trim: Literal["both", "left", "right", "none"] = Field(
        "both", description="At which end of a field spaces are taken away. Empty, it is NULL."
    )
    nulls: list[str] = Field(default_factory=list, description="Other texts that are NULL.")
    ragged: Literal["reject", "pad"] = Field(
        "reject", description="What becomes of a line that ends before its last field does."
    )
    rest: Literal["refuse", "ignore"] = Field(
        "refuse", description="What becomes of a line with text behind its last field."
    )
    skip_rows: int = Field(0, ge=0, description="How many lines at the beginning are no rows.")

    @field_validator("encoding")
    @classmethod
    def _ends_lines_with_a_byte(cls, value: str) -> str:
        try:
            name = codecs.lookup(value).name
            is_plain = "\n".encode(name) == b"\n"
        except LookupError:
            raise ValueError("an encoding of Python, such as utf-8, latin-1 or cp1252") from None
        if not is_plain:
            raise ValueError("an encoding whose line end is the byte of ASCII")
        return name

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
            fields, self.encoding, self.trim, tuple(self.nulls),
            self.ragged == "pad", self.rest == "ignore", self.skip_rows,
        )  # fmt: skip

    def check_columns(self, names: Collection[str]) -> None:
        """Checks that each column has a field, and each field a column.

        Raises: ValueError.
        """
        for name in [*names, *self.fields]:
            if name not in names or name not in self.fields:
                where = "format.fields" if name in names else "columns"
                raise ValueError(f"{name!r} is missing in {where}")
