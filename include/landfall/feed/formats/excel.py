"""Excel, as a feed declares it."""

from __future__ import annotations

import re
from typing import Annotated, ClassVar, Literal

from pydantic import Field, field_validator

from include.landfall.feed.dialect import ExcelDialect
from include.landfall.feed.formats.base import FileFormat, register

CELLS = re.compile(r"([A-Z]{1,3})([1-9]\d{0,6})?:([A-Z]{1,3})([1-9]\d{0,6})?")
MOST_COLUMNS, MOST_ROWS = 1 << 14, 1 << 20


@register
class ExcelFormat(FileFormat):
    """A sheet of an Excel workbook (.xlsx): values as they are stored, dates by Excel's rules."""

    type: Literal["excel"] = "excel"
    can_be_packed: ClassVar[bool] = False
    sheet: str | Annotated[int, Field(ge=1)] | None = Field(
        None, description="The sheet's name, or its number. By default there must be only one."
    )
    range: str | None = Field(
        None, description="The cells that are read: B3:F200, or the columns alone: B:F."
    )
    header: Literal[False] | Annotated[int, Field(ge=1)] | None = Field(
        None,
        description="The number of the row with the names; false where there is none: then the "
        "columns are the feed's, in its order. Default: the first row that is not empty.",
    )

    @field_validator("range")
    @classmethod
    def _is_one(cls, value: str | None) -> str | None:
        if value is None:
            return None
        (left, top), (right, bottom) = _corners(value)
        if left > right or top > bottom or right > MOST_COLUMNS or bottom > MOST_ROWS:
            raise ValueError("cells from the upper left to the lower right, such as B3:F200")
        return value

    @field_validator("header", mode="before")
    @classmethod
    def _is_false_or_a_number(cls, value: object) -> object:
        if value is True or (value == 0 and value is not False):
            raise ValueError("the number of a row, or false where no row has the names")
        return value

    @property
    def takes_names(self) -> bool:
        """Whether a row has the names of the columns."""
        return self.header is not False

    def dialect(self) -> ExcelDialect:
        """Returns the dialect with the options of this format."""
        header = 0 if self.header is False else self.header
        if self.range is None:
            return ExcelDialect(self.sheet, header=header)
        return ExcelDialect(self.sheet, *_corners(self.range), header)


def _corners(text: str) -> tuple[tuple[int, int], tuple[int, int]]:
    """Returns the corners of a range, each as column and row.

    Raises: ValueError when it is none.
    """
    match = CELLS.fullmatch(text)
    if match is None:
        raise ValueError("a range of cells, such as B3:F200 or B:F")
    left, top, right, bottom = match.groups()
    return (_number(left), int(top or 1)), (_number(right), int(bottom or MOST_ROWS))


def _number(letters: str) -> int:
    number = 0
    for letter in letters:
        number = 26 * number + ord(letter) - ord("A") + 1
    return number
