"""The options of every format whose cells are texts: how numbers, dates and truth are spelt."""

from __future__ import annotations

import re
from typing import Literal
from zoneinfo import ZoneInfo

from pydantic import Field, field_validator, model_validator

from include.landfall.feed.dialect import Spelling
from include.landfall.feed.formats.base import FileFormat

ORDERS = ("DMY", "MDY", "YMD")
DIRECTIVES = "dmyYHIMSfpzbB%"


class SpeltFormat(FileFormat):
    """The base of the formats whose cells are texts."""

    nulls: list[str] = Field(
        default_factory=list,
        description="Unquoted texts that are NULL, beside the empty one. Quoted, they are text.",
    )
    quoted_nulls: Literal["never", "no_text", "always"] = Field(
        "never",
        description="Where quoted texts of nulls, and the quoted empty one, are NULL too: never, "
        "in columns whose type is no_text, or always.",
    )
    trim: bool = Field(False, description="Whether blanks at the ends of a cell are taken off.")
    decimal: Literal[".", ","] = Field(".", description="The decimal mark of numbers.")
    thousands: str = Field(
        "", max_length=1, description="What stands between groups of three digits of a number."
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

    def _truth(self) -> tuple[list[str], list[str]]:
        return self.true_words, self.false_words

    def spelling(self) -> Spelling:
        """Returns how the cells are spelt."""
        dates = [self.dates] if isinstance(self.dates, str) else self.dates
        quoted = self.quoted_nulls != "never"
        return Spelling(
            nulls=("", *self.nulls) if quoted or self.trim else (),
            null_scope=self.quoted_nulls,
            trim=self.trim,
            decimal=self.decimal,
            thousands=self.thousands,
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
    if sum(each in "mbB" for each in directives) != 1 or len(set(directives)) < len(directives):
        raise ValueError(f"a format has each part of a date once, not {text!r}")
