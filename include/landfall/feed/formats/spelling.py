"""The options of every format whose cells are texts: how numbers, dates and truth are spelt."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Literal
from zoneinfo import ZoneInfo

from pydantic import Field, field_validator, model_validator

from include.landfall.feed.column_types import ColumnType
from include.landfall.feed.dialect import Negatives, Spelling
from include.landfall.feed.formats.base import FileFormat
from include.landfall.feed.strict import combination_error

ORDERS = ("DMY", "MDY", "YMD")
DIRECTIVES = "dmyYHIMSfpzbB%"


class SpeltFormat(FileFormat):
    """The base of the formats whose cells are texts."""

    nulls: list[str] = Field(
        default_factory=list,
        description="Texts that are NULL, beside the empty one. Quoted in a CSV, they are text.",
    )
    trim: bool = Field(False, description="Whether blanks at the ends of a cell are taken off.")
    decimal: Literal[".", ","] = Field(".", description="The decimal mark of numbers.")
    thousands: str = Field(
        "", max_length=1, description="What stands between groups of three digits of a number."
    )
    negatives: Negatives = Field(
        "minus",
        description="How negative numbers are written, beside with a minus in front: behind "
        "(45.00-), or brackets ((45.00)).",
    )
    units: list[str] = Field(
        default_factory=list,
        description="Texts before or behind a number that are left out, such as $, EUR or %.",
    )
    dates: str | list[str] = Field(
        default_factory=list,
        description="The order of dates in digits: DMY, MDY or YMD; or one or more formats, such "
        "as %d.%m.%Y %H:%M.",
    )
    time_zone: str | None = Field(
        None, description="The zone of a timestamptz whose cell names none, such as Europe/Berlin."
    )
    true_words: list[str] = Field(default_factory=list, description="Texts that are true.")
    false_words: list[str] = Field(default_factory=list, description="Texts that are false.")

    @field_validator("nulls")
    @classmethod
    def _are_texts(cls, value: list[str]) -> list[str]:
        # It would do nothing, and look as if quoted empties were NULL.
        if "" in value:
            raise ValueError(
                "texts: the empty one is NULL without quotes, and text within them; quoted_nulls "
                "makes it NULL there too"
            )
        return value

    @field_validator("thousands")
    @classmethod
    def _is_no_digit(cls, value: str) -> str:
        if re.search(r"[\w+-]", value) and value != "_":
            raise ValueError("a mark such as . or , or a blank: no letter, digit or sign")
        return value

    @field_validator("units")
    @classmethod
    def _are_no_numbers(cls, value: list[str]) -> list[str]:
        if not all(re.fullmatch(r"[^\d\s().,+'-]+", each) and each not in "eE" for each in value):
            raise ValueError("texts such as $, EUR or %, without digits, signs, marks and blanks")
        return value

    @field_validator("dates")
    @classmethod
    def _are_dates(cls, value: str | list[str]) -> str | list[str]:
        for text in [value] if isinstance(value, str) else value:
            _check_dates(text)
        return value

    @field_validator("time_zone")
    @classmethod
    def _is_a_zone(cls, value: str | None) -> str | None:
        try:
            return value if value is None else ZoneInfo(value).key
        except (ValueError, OSError, LookupError):
            raise ValueError("a zone of the tz database, such as Europe/Berlin or UTC") from None

    @model_validator(mode="after")
    def _differ(self) -> SpeltFormat:
        if self.decimal == self.thousands:
            raise ValueError("decimal and thousands must be two different marks")
        true, false = ({word.casefold() for word in words} for words in self._truth())
        if true & false:
            both = ", ".join(sorted(true & false))
            raise ValueError(f"true_words and false_words must differ, not both have {both}")
        if isinstance(self.dates, list) and len(self.dates) > 1 and set(self.dates) & set(ORDERS):
            raise ValueError("dates: one order, or formats such as %d.%m.%Y")
        return self

    def check_types(self, types: Collection[ColumnType]) -> None:
        """Checks that a zone is that of a column. A type of the database's own may be one.

        Raises: PydanticCustomError.
        """
        has_zone = any(each.name == "timestamptz" or not each.built_in for each in types)
        if self.time_zone and not has_zone:
            expected = "nothing: no column that is read from the file is a timestamptz"
            raise combination_error(expected, self.time_zone, "format", "time_zone")

    def _truth(self) -> tuple[list[str], list[str]]:
        return self.true_words, self.false_words

    def spelling(self) -> Spelling:
        """Returns how numbers, dates and truth are spelt."""
        dates = [self.dates] if isinstance(self.dates, str) else self.dates
        return Spelling(
            decimal=self.decimal,
            thousands=self.thousands,
            negatives=self.negatives,
            units=tuple(sorted(self.units, key=len, reverse=True)),
            dates=tuple(dates),
            time_zone=self.time_zone or "",
            true_words=tuple(self.true_words),
            false_words=tuple(self.false_words),
        )


def _check_dates(text: str) -> None:
    """Checks an order, or a format.

    Raises: ValueError.
    """
    if text in ORDERS:
        return
    directives = re.findall("%(.?)", text)
    unknown = [each for each in directives if each not in set(DIRECTIVES)]
    if not directives or unknown:
        all_of_them = ", ".join(f"%{each}" for each in DIRECTIVES)
        raise ValueError(f"{', '.join(ORDERS)}, or formats of {all_of_them}, not {text!r}")
    if sum(each in "yY" for each in directives) != 1 or "d" not in directives:
        raise ValueError(f"a format has one year, a month and a day, not {text!r}")
    parts = [each for each in directives if each != "%"]
    if sum(each in "mbB" for each in parts) != 1 or len(set(parts)) < len(parts):
        raise ValueError(f"a format has each part of a date once, not {text!r}")
    _check_clock(text, {"H" if each == "I" else each for each in parts}, parts)


def _check_clock(text: str, clock: set[str], parts: list[str]) -> None:
    """Checks that the hour stands once, and no part of the time of day without the larger one.

    Raises: ValueError.
    """
    if {"H", "I"} <= set(parts):
        raise ValueError(f"a format has the hour once, as %H or as %I, not {text!r}")
    for part, larger in (("f", "S"), ("S", "M"), ("M", "H"), ("p", "H")):
        if part in clock and larger not in clock:
            hour = "%H or %I" if larger == "H" else f"%{larger}"
            raise ValueError(f"a format has %{part} together with {hour}, not {text!r}")
